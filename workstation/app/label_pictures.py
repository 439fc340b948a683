"""Picture models over pictures and films: each frame decoded, looked at and turned into proposed boxes and masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from workstation.app.labellers import Assignment, Call, Chunk
from workstation.app.model_trial import plain_pixels
from workstation.app.reading import Formats
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.base import ImageReader, Reader, VideoReader
from workstation.prelabel.api import Arrays, FoundBox, ModelCard, PictureFamily, Pixels, Prepared, Task
from workstation.prelabel.families import family_named
from workstation.prelabel.pipeline import Pipeline
from workstation.prelabel.worker import Worker

_FRAMES_A_CHUNK = 32


@dataclass(frozen=True, slots=True)
class FamilyWork:
    """A family and a card as the pipeline wants them."""

    family: PictureFamily
    card: ModelCard

    def prepare(self, pieces: Sequence[Pixels]) -> Prepared:
        return self.family.prepare(self.card, pieces)

    def decode(self, outputs: Arrays, prepared: Prepared) -> Sequence[list[FoundBox]]:
        return self.family.decode(self.card, outputs, prepared)


class PictureLabeller:
    """Boxes, and masks where the model answers them, on each frame that is looked at."""

    tasks = frozenset({Task.DETECT, Task.INSTANCE_SEG})
    kinds = frozenset({StreamKind.IMAGE, StreamKind.VIDEO})

    def chunks(self, assignment: Assignment, cancelled: Callable[[], bool]) -> Iterator[Chunk]:
        """Frames in their order, ``every`` so many."""
        model = assignment.model
        work = FamilyWork(family_named(model.manifest.family), model.manifest.card)
        engines = [partial(Worker, model.file(), provider=each, cancelled=cancelled) for each in assignment.providers]
        with OpenStreams(assignment.project, readers=Formats().readers) as readers:
            reader = readers.reader(assignment.stream)
            frames = _frames(reader, assignment)
            rest = [each for each in frames if each >= assignment.position]
            done = len(frames) - len(rest)
            with Pipeline(work, engines, batch=model.manifest.runtime.batch, cancelled=cancelled) as pipeline:
                gathered = _Gathered(assignment, reader)
                for frame, found in pipeline.run((each, _pixels(reader, each)) for each in rest):
                    gathered.add(frame, found)
                    done += 1
                    if gathered.frames >= _FRAMES_A_CHUNK:
                        yield gathered.chunk(frame + 1, done, len(frames), pipeline.account.notes)
                if gathered.frames:
                    yield gathered.chunk(rest[-1] + 1, done, len(frames), pipeline.account.notes)


LABELLER = PictureLabeller()


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
            self._calls.append(Call("annotation.add", arguments))

    def chunk(self, position: int, done: int, total: int, notes: Sequence[str]) -> Chunk:
        """All of it; and begin anew."""
        new = tuple(notes[self._told :])
        self._told = len(notes)
        made = Chunk(
            position=position, done=done, total=total, calls=tuple(self._calls),
            left_out=dict(self._left_out), notes=new,
        )  # fmt: skip
        self._calls, self._left_out, self.frames = [], Counter(), 0
        return made


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
        "counts": run_lengths(box.mask),
    }  # fmt: skip


def run_lengths(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> list[int]:
    """Run lengths along the rows, outside first."""
    flat = mask.ravel()
    edges = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    bounds = np.concatenate([[0], edges, [flat.size]])
    lengths = np.diff(bounds).tolist()
    return [0, *lengths] if flat.size and flat[0] else lengths


def _frames(reader: Reader, assignment: Assignment) -> range:
    if isinstance(reader, VideoReader):
        return range(0, len(reader.table), max(1, int(assignment.options.get("every", 1))))
    return range(1)


def _pixels(reader: Reader, frame: int) -> Pixels:
    if isinstance(reader, VideoReader):
        return plain_pixels(reader.picture(frame))
    if isinstance(reader, ImageReader):
        return plain_pixels(reader.picture())
    raise DataError("shows no pictures", path=reader.paths[0] if reader.paths else "the stream")
