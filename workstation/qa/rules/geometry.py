"""Whether shapes and spans are sound in themselves: a size, a direction of time, tracks that do not leap.

The gate lets no broken shape in; what came into a file another way is found all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from workstation.core.annotation import Annotation, Keyframe, Presence, State
from workstation.core.geometry import Box, Cuboid, Shape, ShapeKind, shape_problems
from workstation.core.ontology import ErrorType, Severity
from workstation.core.rotation import Floats
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import LABEL_KINDS, Fault, Reach, rule
from workstation.qa.rules.items import annotation_item, class_of, judged_annotations, streams_by_id
from workstation.qa.rules.sightings import bounds

_FASTEST_MPS = 90.0
_FASTEST_SIZES = 25.0
_STEADY = 0.25
"""A box whose speed changes by no more than so much of itself from one step to the next moves steadily."""
_NEXT_NS = 300_000_000
"""Keyframes farther apart say little of how a thing got from one to the other."""


@rule(
    "geometry.invalid",
    error_type=ErrorType.PARTIAL_ALIGNMENT,
    severity=Severity.ERROR,
    looks_at=LABEL_KINDS,
    reach=Reach.NEAR,
)
def invalid(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A shape without a size, a span that ends before it begins, numbers that are none, an outline that does not close
    around anything.
    """
    streams = streams_by_id(snapshot, sample)
    for each in snapshot.annotations(sample.id):
        if each.state is State.REJECTED:
            continue
        item = annotation_item(each, streams, class_of(snapshot, each))
        for problem in _problems(snapshot, each):
            yield Fault(
                text=f"{item.label}: {problem}",
                items=(item,),
                measured=problem,
                suggestion="draw it again, or delete it",
                aspect=problem,
            )


def _problems(snapshot: Snapshot, annotation: Annotation) -> Iterator[str]:
    if annotation.start_ns is not None and annotation.end_ns is not None and annotation.end_ns < annotation.start_ns:
        yield f"it ends {(annotation.start_ns - annotation.end_ns) / 1e9:g} s before it begins"
    yield from _shape_problems(annotation.shape)
    if annotation.track is None:
        return
    keyframes = list(snapshot.keyframes(annotation.id))
    if not keyframes:
        yield "a track without a keyframe shows nothing"
    found = {problem: keyframe for keyframe in reversed(keyframes) for problem in _shape_problems(keyframe.shape)}
    for problem, keyframe in found.items():
        yield f"{problem} (keyframe at {keyframe.time_ns / 1e9:.3f} s of its stream)"


def _shape_problems(shape: Shape | None) -> Iterator[str]:
    return iter(()) if shape is None else iter(shape_problems(shape))


@rule(
    "geometry.leap",
    error_type=ErrorType.INCORRECT_PAIRING,
    severity=Severity.WARNING,
    version=2,
    limit=_FASTEST_MPS,
    unit="m/s",
    looks_at=LABEL_KINDS,
    reach=Reach.NEAR,
)
def leap(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A track leaps from one keyframe to the next: a cuboid faster than anything on a road, or a box by many times its
    own size within three tenths of a second, unless it goes on before or after as it did there (what is far away
    passes a turning camera so). It went over to another thing, or a keyframe is wrong.
    """
    streams = streams_by_id(snapshot, sample)
    labels = list(judged_annotations(snapshot, sample))
    solid = {each.entity for each in labels if each.kind is ShapeKind.CUBOID and each.entity is not None}
    for each in labels:
        if each.track is None or (each.kind is ShapeKind.BOX and each.entity in solid):
            continue  # a box that goes over to another thing is found by its cuboid (boxes.exchanged)
        shown = [k for k in snapshot.keyframes(each.id) if k.shape is not None and k.presence is not Presence.ABSENT]
        steps = [_leap(*pair) for pair in pairwise(shown)]
        leaps = [each for at, each in enumerate(steps) if each is not None and not _goes_on(shown, at)]
        worst = max(leaps, default=None)
        if worst is None:
            continue
        share, speed, unit, at_ns = worst
        if share > 1:
            yield _leapt(snapshot, each, streams, speed, unit, at_ns)


def _leapt(
    snapshot: Snapshot, annotation: Annotation, streams: Mapping[str, Stream], speed: float, unit: str, at_ns: int
) -> Fault:
    item = annotation_item(annotation, streams, class_of(snapshot, annotation))
    stream = streams.get(annotation.stream or "")
    at_s = (at_ns if stream is None else stream.time_map.to_session(at_ns)) / 1e9
    return Fault(
        text=f"{item.label} leaps at {at_s:.3f} s: it would move at {speed:.0f} {unit}",
        items=(item,),
        measured=round(speed, 1),
        limit=_FASTEST_MPS if unit == "m/s" else _FASTEST_SIZES,
        suggestion="split the track there (track.split), or mend the keyframe",
    )


def _goes_on(shown: Sequence[Keyframe], at: int) -> bool:
    """Whether a box moves in the step before or after one much as in it: steadily, however fast."""
    step = _box_step(*shown[at : at + 2])
    beside = [_box_step(*shown[each : each + 2]) for each in (at - 1, at + 1) if 0 <= each < len(shown) - 1]
    return step is not None and any(
        other is not None and float(np.linalg.norm(step - other)) <= _STEADY * float(np.linalg.norm(step))
        for other in beside
    )


def _box_step(before: Keyframe, after: Keyframe) -> Floats | None:
    """How fast the middle of a box goes from one keyframe to the next, in pixels a second."""
    step_ns = after.time_ns - before.time_ns
    if not 0 < step_ns <= _NEXT_NS or not (isinstance(before.shape, Box) and isinstance(after.shape, Box)):
        return None
    first, second = (np.array(bounds(each.shape)) for each in (before, after))
    return np.asarray((second[:2] + second[2:] - first[:2] - first[2:]) / 2 / (step_ns / 1e9))


def _leap(before: Keyframe, after: Keyframe) -> tuple[float, float, str, int] | None:
    """By how many times the fastest, how fast, in what, and when; ``None`` where keyframes say nothing of it."""
    step_ns = after.time_ns - before.time_ns
    if not 0 < step_ns <= _NEXT_NS:
        return None
    one, other = before.shape, after.shape
    if isinstance(one, Cuboid) and isinstance(other, Cuboid):
        speed = float(np.linalg.norm(np.subtract(other.center, one.center))) / (step_ns / 1e9)
        return speed / _FASTEST_MPS, speed, "m/s", after.time_ns
    if isinstance(one, Box) and isinstance(other, Box):
        first, second = bounds(one), bounds(other)
        assert first is not None
        assert second is not None
        middles = [np.add(each[:2], each[2:]) / 2 for each in (first, second)]
        size = max(*np.subtract(first[2:], first[:2]), *np.subtract(second[2:], second[:2]))
        speed = float(np.linalg.norm(middles[1] - middles[0])) / max(float(size), 1.0) / (step_ns / 1e9)
        return speed / _FASTEST_SIZES, speed, "times its size a second", after.time_ns
    return None
