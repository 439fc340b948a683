"""A mask for each box of a stream, proposed beside it: by a model of the SAM class, by U²-Net, or along its colours.

Boxes of people and of models are looked at alike, none that was rejected; a keyframe of a track gives the mask of its
own picture. A mask belongs to the thing its box shows and says which box it came from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from workstation.app.builtin_models import GRABCUT
from workstation.app.label_records import labelled, looked_at
from workstation.app.labellers import Assignment, Call, Chunk
from workstation.app.mask_proposals import FAMILY as U2NET
from workstation.app.model_trial import plain_pixels
from workstation.app.models import models_shelf
from workstation.app.prompted_masks import PromptedModel
from workstation.app.reading import Formats
from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.core.annotation import SourceKind
from workstation.core.errors import DataError, UserError
from workstation.core.geometry import Box, ShapeKind
from workstation.core.pixels import runs_of_mask
from workstation.core.sample import StreamKind
from workstation.media.base import ImageReader, Reader, VideoReader
from workstation.prelabel.api import Pixels, Runs, Task
from workstation.prelabel.masks import FoundMask, box_to_mask, crop_of
from workstation.prelabel.worker import Worker

_BOXES_A_CHUNK = 16
Fill = Callable[[int | None, Pixels, tuple[float, float, float, float]], FoundMask]
"""The mask in a box (left, top, width, height) of a picture, which its time names."""
FROM = "from_box"
"""The parameter of a mask's provenance that names its box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxToFill:
    """A box in one picture, and what it shows."""

    box: str
    shape: Box
    time_ns: int | None
    item: str | None
    entity: str | None
    class_id: str | None


class MaskLabeller:
    """Masks of boxes."""

    tasks = frozenset({Task.SEMANTIC_SEG, Task.PROMPTABLE_SEG})
    kinds = frozenset({StreamKind.IMAGE, StreamKind.VIDEO})
    follows_labels = True

    def chunks(self, assignment: Assignment, cancelled: Callable[[], bool]) -> Iterator[Chunk]:
        """Sixteen boxes at a time, picture by picture."""
        with labelled(assignment) as view:
            boxes, left_out = _to_fill(assignment, view)
        total = len(boxes)
        if not total:
            note = "no box is left here that has no mask of it; detectors propose boxes"
            yield Chunk(position=1, done=1, total=1, left_out=left_out, notes=() if left_out else (note,))
            return
        with ExitStack() as held:
            readers = held.enter_context(OpenStreams(assignment.project, readers=Formats().readers))
            pictures = _Pictures(readers.reader(assignment.stream))
            fill = _filler(assignment, held, cancelled)
            calls: list[Call] = []
            notes: list[str] = []
            for number, each in enumerate(boxes, start=1):
                if cancelled():
                    return
                try:
                    pixels = pictures.at(each.time_ns)
                    corner = (each.shape.x, each.shape.y, each.shape.width, each.shape.height)
                    mask = fill(each.time_ns, pixels, corner)
                except (ValueError, DataError) as problem:
                    notes.append(f"no mask can be made of box {each.box}: {problem}")
                else:
                    calls += [] if mask.empty else [_call(assignment, each, mask)]
                if number % _BOXES_A_CHUNK == 0 or number == total:
                    yield Chunk(
                        position=number, done=number, total=total, calls=tuple(calls), left_out=left_out,
                        notes=tuple(notes),
                    )  # fmt: skip
                    calls, notes, left_out = [], [], Counter()


LABELLER = MaskLabeller()


class _Pictures:
    """The pictures of a stream by time; the last one is held, as boxes come picture by picture."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._held: tuple[int | None, Pixels] | None = None

    def at(self, time_ns: int | None) -> Pixels:
        if self._held is None or self._held[0] != time_ns:
            self._held = (time_ns, self._read(time_ns))
        return self._held[1]

    def _read(self, time_ns: int | None) -> Pixels:
        reader = self._reader
        if isinstance(reader, VideoReader):
            item = None if time_ns is None else reader.item_at(time_ns)
            if item is None:
                raise DataError(f"shows no picture at {time_ns} ns", path=reader.paths[0])
            return plain_pixels(reader.picture(item.index))
        if isinstance(reader, ImageReader):
            return plain_pixels(reader.picture())
        raise DataError("shows no pictures", path=reader.paths[0] if reader.paths else "the stream")


def _to_fill(assignment: Assignment, view: SampleView) -> tuple[list[BoxToFill], Counter[str]]:
    """The boxes that have no mask of this model yet, in the order of their pictures; and classes that take none."""
    name = assignment.model.manifest.id
    filled = {
        (each.source.parameters.get(FROM), each.start_ns)
        for each in view.annotations_of(assignment.stream.id)
        if each.source.kind is SourceKind.MODEL and each.source.name == name
    }
    found: list[BoxToFill] = []
    left_out: Counter[str] = Counter()
    for each in _boxes(assignment, view):
        if (each.box, each.time_ns) in filled:
            continue
        legal = view.ontology is not None and each.class_id is not None
        if legal and ShapeKind.MASK not in view.ontology.shapes_for(each.class_id, assignment.stream.kind):  # type: ignore[union-attr, arg-type]
            left_out[f"{view.class_name(each.class_id)} (takes no masks)"] += 1
            continue
        found.append(each)
    return sorted(found, key=lambda each: (each.time_ns or 0, each.item or "", each.box)), left_out


def _boxes(assignment: Assignment, view: SampleView) -> Iterator[BoxToFill]:
    for label in looked_at(assignment, view):
        if label.kind is not ShapeKind.BOX:
            continue
        placed: Sequence[tuple[int | None, object]] = [(label.start_ns, label.shape)]
        if label.track is not None:
            placed = [(key.time_ns, key.shape) for key in view.keyframes(label.id)]
        for time_ns, shape in placed:
            if isinstance(shape, Box):
                yield BoxToFill(
                    box=str(label.id), shape=shape, time_ns=time_ns, item=label.item, entity=label.entity,
                    class_id=view.class_of(label),
                )  # fmt: skip


def _filler(assignment: Assignment, held: ExitStack, cancelled: Callable[[], bool]) -> Fill:
    model = assignment.model
    if model.manifest.task is Task.PROMPTABLE_SEG:
        prompted = held.enter_context(PromptedModel(models_shelf(), model, cancelled))
        return lambda time_ns, pixels, box: prompted.mask(time_ns, lambda: pixels, box=box, strokes=())
    graph = _graph(assignment, held, cancelled)
    name = str(model.manifest.options.get("input_name", "input.1"))
    return lambda _time_ns, pixels, box: box_to_mask(pixels, crop_of(pixels, box, graph, name))


def _graph(assignment: Assignment, held: ExitStack, cancelled: Callable[[], bool]) -> Runs | None:
    """What says what stands out; ``None`` where colours alone have to do."""
    model = assignment.model
    if model.manifest.family == GRABCUT:
        return None
    if model.manifest.family != U2NET:
        raise UserError(f"{model.manifest.id} is of the family {model.manifest.family}, which makes no masks of boxes")
    provider = assignment.providers[0]
    worker = Worker(model.file(), provider=provider, threads=assignment.threads, cancelled=cancelled)
    return held.enter_context(worker)


def _call(assignment: Assignment, box: BoxToFill, mask: FoundMask) -> Call:
    height, width = mask.mask.shape
    shape = {
        "kind": "mask_rle", "x": mask.left, "y": mask.top, "width": width, "height": height,
        "counts": runs_of_mask(mask.mask),
    }  # fmt: skip
    arguments = {
        "stream": assignment.stream.id, "shape": shape, "start_ns": box.time_ns, "end_ns": box.time_ns,
        "item": box.item, "entity": box.entity, "confidence": min(1.0, max(0.0, mask.score)),
    }  # fmt: skip
    if box.entity is None:
        arguments["class_id"] = box.class_id
    return Call("annotation.add", arguments, parameters={FROM: box.box})
