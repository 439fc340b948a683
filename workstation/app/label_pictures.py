"""Picture models over pictures and films: each frame decoded, looked at and turned into proposed boxes and masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from workstation.app.known_models import picture_family
from workstation.app.label_looks import looking
from workstation.app.label_tracks import TrackMaker, packed, unpacked
from workstation.app.labellers import Assignment, Call, Chunk
from workstation.app.model_trial import plain_pixels
from workstation.app.reading import Formats
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError
from workstation.core.pixels import runs_of_mask
from workstation.core.sample import StreamKind
from workstation.media.base import ImageReader, Reader, VideoReader
from workstation.prelabel.api import Arrays, FoundBox, ModelCard, PictureFamily, Pixels, Prepared, Task
from workstation.prelabel.pipeline import Account, Pipeline
from workstation.prelabel.worker import Worker

_FRAMES_A_CHUNK = 32
_DOUBTFUL = 0.1
_USUAL_SCORE = 0.25


@dataclass(frozen=True, slots=True)
class FamilyWork:
    """A family and a card as the pipeline wants them."""

    family: PictureFamily
    card: ModelCard

    def prepare(self, pieces: Sequence[Pixels]) -> Prepared:
        return self.family.prepare(self.card, pieces)

    def decode(self, outputs: Arrays, prepared: Prepared) -> Sequence[list[FoundBox]]:
        return self.family.decode(self.card, outputs, prepared)


class Running(Protocol):
    """A model that has been started: a ``Pipeline``, or the program of a plug-in."""

    account: Account

    def run(self, pieces: Iterable[tuple[int, Pixels]]) -> Iterator[tuple[int, Sequence[FoundBox]]]:
        """(frame, what is there) of every picture, in their order."""
        ...


class PictureLabeller:
    """Boxes, and masks where the model answers them, on each frame that is looked at."""

    tasks = frozenset({Task.DETECT, Task.INSTANCE_SEG})
    kinds = frozenset({StreamKind.IMAGE, StreamKind.VIDEO})
    follows_labels = False

    def chunks(self, assignment: Assignment, cancelled: Callable[[], bool]) -> Iterator[Chunk]:
        """Frames in their order, ``every`` so many."""
        card = assignment.model.manifest.card
        tracked = _tracked(assignment)
        if tracked:  # trackers hold on to things by boxes that are too doubtful to be proposed alone
            card = replace(card, thresholds={**card.thresholds, "score": min(_DOUBTFUL, _score(card))})
        with OpenStreams(assignment.project, readers=Formats().readers) as readers:
            reader = readers.reader(assignment.stream)
            frames = _frames(reader, assignment)
            rest = [each for each in frames if each >= assignment.position]
            done = len(frames) - len(rest)
            with (
                self.running(assignment, card, cancelled) as pipeline,
                looking(assignment, _score(assignment.model.manifest.card), cancelled) as look,
            ):
                gathered = _Tracks(assignment, reader) if tracked else _Gathered(assignment, reader)
                shown = Shown(reader, rest, keep=look is not None)
                for frame, found in pipeline.run(shown):
                    gathered.add(frame, found if look is None else look(shown.taken(frame), found))
                    done += 1
                    if gathered.frames >= _FRAMES_A_CHUNK:
                        yield gathered.chunk(frame + 1, done, len(frames), pipeline.account.notes)
                if rest:
                    gathered.finish()
                    yield gathered.chunk(rest[-1] + 1, done, len(frames), pipeline.account.notes)

    @contextmanager
    def running(self, assignment: Assignment, card: ModelCard, cancelled: Callable[[], bool]) -> Iterator[Running]:
        """The model, started: a graph in a process of its own."""
        model = assignment.model
        work = FamilyWork(picture_family(model.manifest.family), card)
        engines = [
            partial(Worker, model.file(), provider=each, threads=assignment.threads, cancelled=cancelled)
            for each in assignment.providers
        ]
        with Pipeline(work, engines, batch=model.manifest.runtime.batch, cancelled=cancelled) as pipeline:
            yield pipeline


LABELLER = PictureLabeller()


class Shown:
    """Frames as they are read, each kept until its answer is looked at: no more than are under way."""

    def __init__(self, reader: Reader, frames: Sequence[int], *, keep: bool) -> None:
        self._reader, self._frames, self._keep = reader, frames, keep
        self._kept: dict[int, Pixels] = {}

    def __iter__(self) -> Iterator[tuple[int, Pixels]]:
        """(frame, its pixels), in their order."""
        for frame in self._frames:
            pixels = _pixels(self._reader, frame)
            if self._keep:
                self._kept[frame] = pixels
            yield frame, pixels

    def taken(self, frame: int) -> Pixels:
        """The pixels of a frame whose answer is there; they are not kept any longer."""
        return self._kept.pop(frame)


class _Gathered:
    """What was found since the last chunk."""

    def __init__(self, assignment: Assignment, reader: Reader) -> None:
        self._assignment = assignment
        self._reader = reader
        self._calls: list[Call] = []
        self._left_out: Counter[str] = Counter()
        self._told = 0
        self.frames = 0

    def add(self, frame: int, found: Sequence[FoundBox]) -> None:
        """Take in the answer for one frame."""
        self.frames += 1
        time_ns = self._reader.item(frame).time_ns if isinstance(self._reader, VideoReader) else None
        for box in found:
            class_id = self._assignment.classes.get(box.label)
            if class_id is None:
                self._left_out[box.label] += 1
                continue
            arguments: dict[str, Any] = {
                "stream": self._assignment.stream.id,
                "class_id": class_id,
                "shape": shape_of(box),
                "confidence": min(1.0, max(0.0, float(box.score))),
            }
            if time_ns is not None:
                arguments |= {"start_ns": time_ns, "end_ns": time_ns}
            self._calls.append(Call("annotation.add", arguments, called=box.label))

    def finish(self) -> None:
        """There are no more frames."""

    def chunk(self, position: int, done: int, total: int, notes: Sequence[str]) -> Chunk:
        """All of it; and begin anew."""
        new = tuple(notes[self._told :])
        self._told = len(notes)
        made = Chunk(
            position=position, done=done, total=total, calls=tuple(self._calls),
            left_out=dict(self._left_out), notes=new, kept=self._kept(),
        )  # fmt: skip
        self._calls, self._left_out, self.frames = [], Counter(), 0
        return made

    def _kept(self) -> bytes:
        return b""


class _Tracks(_Gathered):
    """The same, joined into tracks; what was found before goes through the tracker again, and nothing else does."""

    def __init__(self, assignment: Assignment, reader: Reader) -> None:
        super().__init__(assignment, reader)
        self._score = _score(assignment.model.manifest.card)
        self._rows: list[tuple[int, int, Sequence[FoundBox]]] = []
        self._tracks = TrackMaker(
            str(assignment.options["tracker"]), assignment.stream.id, dict(assignment.classes),
            score=self._score, every=_every(assignment),
        )  # fmt: skip
        for kept in assignment.kept:
            for frame, time_ns, boxes in unpacked(kept):
                self._calls += self._tracks.add(frame, time_ns, boxes)

    def add(self, frame: int, found: Sequence[FoundBox]) -> None:
        """Take in the answer for one frame."""
        self.frames += 1
        time_ns = self._reader.item(frame).time_ns if isinstance(self._reader, VideoReader) else 0
        self._rows.append((frame, time_ns, found))
        self._calls += self._tracks.add(frame, time_ns, found)

    def finish(self) -> None:
        """Tracks that reach the end of the film."""
        self._calls += self._tracks.finish()
        self._left_out.update(self._tracks.left_out)

    def _kept(self) -> bytes:
        rows, self._rows = self._rows, []
        return packed(rows)


def shape_of(box: FoundBox) -> dict[str, Any]:
    """A box, or the mask it came with, as commands take it."""
    if box.mask is None:
        return {
            "kind": "box", "x": float(box.left), "y": float(box.top), "width": float(box.width),
            "height": float(box.height),
        }  # fmt: skip
    height, width = box.mask.shape
    return {
        "kind": "mask_rle", "x": int(box.left), "y": int(box.top), "width": int(width), "height": int(height),
        "counts": runs_of_mask(box.mask),
    }  # fmt: skip


def _tracked(assignment: Assignment) -> bool:
    return assignment.options.get("tracker", "none") != "none" and assignment.stream.kind is StreamKind.VIDEO


def _score(card: ModelCard) -> float:
    return float(card.thresholds.get("score", _USUAL_SCORE))


def _every(assignment: Assignment) -> int:
    return max(1, int(assignment.options.get("every", 1)))


def _frames(reader: Reader, assignment: Assignment) -> range:
    if isinstance(reader, VideoReader):
        return range(0, len(reader.table), _every(assignment))
    return range(1)


def _pixels(reader: Reader, frame: int) -> Pixels:
    if isinstance(reader, VideoReader):
        return plain_pixels(reader.picture(frame))
    if isinstance(reader, ImageReader):
        return plain_pixels(reader.picture())
    raise DataError("shows no pictures", path=reader.paths[0] if reader.paths else "the stream")
