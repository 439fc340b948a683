"""What a model proposes and what people said, picture by picture and sweep by sweep, in the form that is compared.

Read by ``prelabel_eval.py`` and ``disagreements.py``. A picture counts where the model proposed something in it, or
somebody labelled something: at the times of proposals and of the keyframes of labels, on the stream they lie on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.app.sightings import bounds_of
from workstation.core.annotation import Annotation, SourceKind, State
from workstation.core.geometry import Cuboid, Shape, ShapeKind
from workstation.core.sample import StreamKind
from workstation.prelabel.api import FoundBox, FoundCuboid

FLAT = frozenset({ShapeKind.BOX, ShapeKind.POLYGON, ShapeKind.MASK})
_SETTLED = frozenset({State.DRAFT, State.DONE, State.APPROVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One picture or sweep. Rows of ``found_ids`` belong to ``found``, those of ``true_ids`` to ``true``."""

    stream: str
    time_ns: int | None
    """The stream's own; ``None``: a picture without a time."""
    item: str | None
    found: tuple[FoundBox, ...] | tuple[FoundCuboid, ...]
    found_ids: tuple[str, ...]
    true: tuple[FoundBox, ...] | tuple[FoundCuboid, ...]
    true_ids: tuple[str, ...]


def is_proposal(annotation: Annotation, model: str | None = None) -> bool:
    """Whether a model (that one, if one is named) proposed it, and nobody has judged it."""
    mine = annotation.source.kind is SourceKind.MODEL and annotation.state is State.PROPOSED
    return mine and model in (None, annotation.source.name)


def models_of(view: SampleView) -> list[str]:
    """The models with open proposals in the sample, by name."""
    return sorted({each.source.name for each in view.annotations.values() if is_proposal(each)})


def judged_boxes(view: SampleView, *, model: str | None = None, layer: str = "main") -> list[Judged]:
    """Boxes, polygons and masks in pictures, by the upright rectangle around them."""
    kinds = {StreamKind.IMAGE, StreamKind.VIDEO}
    return list(_judged(view, FLAT, kinds, model, layer))


def judged_cuboids(
    view: SampleView, placed: PlacedCuboids, *, model: str | None = None, layer: str = "main"
) -> list[Judged]:  # fmt: skip
    """Cuboids in clouds, brought into the root of the frame tree: proposal and label may name different frames."""
    return list(_judged(view, frozenset({ShapeKind.CUBOID}), {StreamKind.CLOUD}, model, layer, placed))


def _judged(
    view: SampleView, kinds: frozenset[ShapeKind], streams: set[StreamKind], model: str | None, layer: str,
    placed: PlacedCuboids | None = None,
) -> Iterator[Judged]:  # fmt: skip
    mine: dict[str, list[Annotation]] = defaultdict(list)
    theirs: dict[str, list[Annotation]] = defaultdict(list)
    for each in view.annotations.values():
        stream = view.streams.get(each.stream or "")
        if stream is None or stream.kind not in streams or each.kind not in kinds:
            continue
        if is_proposal(each, model):
            mine[stream.id].append(each)
        elif each.state in _SETTLED and each.layer == layer:
            theirs[stream.id].append(each)
    for stream_id, proposals in mine.items():
        numbers = {str(each.id): number for number, each in enumerate((*proposals, *theirs[stream_id]))}
        for time_ns, item in sorted(_moments(view, proposals), key=lambda each: (each[0] or 0, each[1] or "")):
            found = list(_at(view, proposals, time_ns, item, numbers, placed))
            true = list(_at(view, theirs[stream_id], time_ns, item, numbers, placed))
            yield Judged(
                stream=stream_id, time_ns=time_ns, item=item,
                found=tuple(thing for _, thing in found), found_ids=tuple(each for each, _ in found),  # type: ignore[arg-type]
                true=tuple(thing for _, thing in true), true_ids=tuple(each for each, _ in true),  # type: ignore[arg-type]
            )  # fmt: skip


def _moments(view: SampleView, labels: Iterable[Annotation]) -> set[tuple[int | None, str | None]]:
    found: set[tuple[int | None, str | None]] = set()
    for each in labels:
        if each.track is None:
            found.add((each.start_ns, each.item))
        else:
            found.update((key.time_ns, None) for key in view.keyframes(each.id) if key.shape is not None)
    return found


def _at(
    view: SampleView, labels: Iterable[Annotation], time_ns: int | None, item: str | None, numbers: dict[str, int],
    placed: PlacedCuboids | None,
) -> Iterator[tuple[str, FoundBox | FoundCuboid]]:  # fmt: skip
    for each in labels:
        if item != each.item and each.item is not None:
            continue
        shape = each.shape if time_ns is None or each.start_ns is None else view.moment(each, time_ns).shape
        if placed is not None and shape is not None and time_ns is not None:
            there = placed.placed(each.id, view.streams[each.stream or ""].time_map.to_session(time_ns))
            shape = None if there is None else there[0]
        thing = None if shape is None else as_thing(shape, view.class_of(each) or "", each, numbers[each.id])
        if thing is not None:
            yield each.id, thing


def as_thing(shape: Shape, label: str, annotation: Annotation, number: int) -> FoundBox | FoundCuboid | None:
    """A shape in the form that is compared; ``None`` of one that is neither flat nor a cuboid."""
    score = 1.0 if annotation.confidence is None else annotation.confidence
    track = number if annotation.track is not None else None
    if isinstance(shape, Cuboid):
        return FoundCuboid(
            center=shape.center, size=shape.size, rotation=shape.rotation, label=label, score=score, track=track
        )  # fmt: skip
    bounds = bounds_of(shape)
    if bounds is None:
        return None
    left, top, right, bottom = bounds
    return FoundBox(
        left=left, top=top, width=right - left, height=bottom - top, label=label, score=score, track=track
    )  # fmt: skip
