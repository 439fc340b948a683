"""Whether boxes and projected cuboids disagree in a pattern: a camera turned, a clock late, one cuboid misplaced.

One thing off is that thing's cuboid; all things off by one angle are the camera's mounting; all off by what they move
in the same time are the clock's. Each finding says how many things speak for it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from workstation.core.findings import Item
from workstation.core.misalignment import SHIFTED_M, Estimate, together
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.rotation import Floats
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import (
    CLOCK_MS,
    MISPLACED_M,
    MISPLACED_TOLERANCE,
    SIZE_BIAS_M,
    SIZE_TOLERANCE,
    TURNED_DEG,
    named_limit_ms,
)
from workstation.qa.findings import LABEL_KINDS, Fault, rule
from workstation.qa.rules.fits import Fit, displaced_of, fits_of
from workstation.qa.rules.items import annotation_item, class_of
from workstation.qa.rules.patterns import Patterns, patterns_of
from workstation.qa.rules.sightings import PLACED

_AT_M = 50.0
_TRIED_M = 0.1
_SIDEWAYS = 0.35
"""A side tells of a size if it moves by so much of what it would straight before the camera."""
_FEWEST_PICTURES = 3
_FEWEST_THINGS, _FEWEST_LIKE = 3, 2
_OF_MEDIAN = 1.2533
"""The error of a median against that of a mean."""
_SURE = 4.0
"""Standard errors that a size must be off."""
_ODD = 2.0
"""So many standard errors beyond the next, one thing is wrong by itself."""
_MADE_M, _HEADING_RAD = 0.015, 0.01
"""How exactly people and programs make the size and the heading of one cuboid, whatever its boxes say."""
_AXES = ("short", "narrow", "low")


@rule(
    "calibration.turned",
    error_type=ErrorType.PARTIAL_ALIGNMENT,
    severity=Severity.ERROR,
    limit=TURNED_DEG,
    unit="°",
    looks_at=LABEL_KINDS,
    sees=PLACED,
)
def turned(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """The boxes of a camera all lie beside the projections of their cuboids by the same angle, whatever the range: the
    camera is mounted otherwise than the calibration says. In metres that grows with the distance.
    """
    patterns = patterns_of(snapshot, sample)
    for each in patterns.cameras.values():
        if not each.turned:
            continue
        yaw, pitch = (math.degrees(one.value) for one in (each.pattern.yaw_rad, each.pattern.pitch_rad))
        parts = [
            f"{abs(angle):.2f}° too far {side[0] if angle < 0 else side[1]}"
            for angle, one, side in (
                (yaw, each.pattern.yaw_rad, ("left", "right")),
                (pitch, each.pattern.pitch_rad, ("up", "down")),
            )
            if one.beyond(math.radians(patterns.turned_deg))
        ]
        worst = max(abs(yaw), abs(pitch))
        kind = "angular" if each.pattern.apart else "at ranges so alike it may be a shift as well"
        yield Fault(
            text=f"{each.stream.key} is held to look {' and '.join(parts)} ({kind}): all {each.pattern.things} things "
            f"are off in the same way, {_AT_M * math.tan(math.radians(worst)):.2f} m at {_AT_M:g} m",
            items=(_stream_item(each.stream),),
            measured=round(worst, 3),
            limit=patterns.turned_deg,
            suggestion="calibrate the camera anew (rig.add); the labels are right as they are",
            aspect=each.scanner.id,
        )


@rule(
    "calibration.shifted",
    error_type=ErrorType.PARTIAL_ALIGNMENT,
    severity=Severity.ERROR,
    limit=SHIFTED_M,
    unit="m",
    looks_at=LABEL_KINDS,
    sees=PLACED,
)
def shifted(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """The boxes of a camera all lie beside the projections of their cuboids by the same metres, whatever the range: the
    camera sits elsewhere than the calibration says. In degrees that shrinks with the distance.
    """
    for each in patterns_of(snapshot, sample).cameras.values():
        if not each.shifted:
            continue
        metres = each.pattern.shift_m.value
        side = "left" if metres < 0 else "right"
        yield Fault(
            text=f"{each.stream.key} is held to sit {abs(metres):.2f} m too far {side}: all "
            f"{each.pattern.things} things are off by as much, whatever the range",
            items=(_stream_item(each.stream),),
            measured=round(abs(metres), 3),
            limit=SHIFTED_M,
            suggestion="calibrate the camera anew (rig.add); the labels are right as they are",
            aspect=each.scanner.id,
        )


@rule(
    "calibration.late",
    error_type=ErrorType.TEMPORAL,
    severity=Severity.ERROR,
    limit=CLOCK_MS,
    unit="ms",
    looks_at=LABEL_KINDS,
    sees=PLACED,
)
def late(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """The cuboids of a scanner lie before or behind the boxes of cameras by what all things move in the same time: a
    clock is off, or drifts. How far captures are apart does not count: cuboids are carried to each picture's own time.
    """
    patterns = patterns_of(snapshot, sample)
    streams = patterns.views.streams
    for scanner, found in patterns.late.items():
        late_ms, drift_ms = found.late_s.value * 1e3, found.drift_s.value * 1e3
        begin_ms, end_ms = late_ms - drift_ms / 2, late_ms + drift_ms / 2
        cameras = [streams[each] for each in found.cameras]
        said = (
            f"drifts by {drift_ms:+.1f} ms, from {begin_ms:+.1f} ms at the first boxes to {end_ms:+.1f} ms at the last"
            if found.drifts
            else f"is {late_ms:+.1f} ms late"
        )
        yield Fault(
            text=f"{streams[scanner].key} {said}, against {', '.join(each.key for each in cameras)}: all "
            f"{found.things} things lie where they were, or will be, by so much time",
            items=(_stream_item(streams[scanner]), *map(_stream_item, cameras)),
            measured=round(max(abs(begin_ms), abs(end_ms)) if found.drifts else abs(late_ms), 1),
            limit=patterns.late_ms,
            suggestion="measure and correct the clock (panel Synchronise, or workstation sync)",
        )


@rule(
    "calibration.misplaced",
    error_type=ErrorType.PARTIAL_ALIGNMENT,
    severity=Severity.ERROR,
    limit=MISPLACED_M,
    unit="m",
    looks_at=LABEL_KINDS,
    sees=PLACED,
)
def misplaced(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """One cuboid stands elsewhere than its boxes say, while the other things of the same cameras fit: the cuboid is
    misplaced, and the calibration is not to blame.
    """
    patterns = patterns_of(snapshot, sample)
    limit = named_limit_ms(snapshot.project(), MISPLACED_TOLERANCE, MISPLACED_M)
    for found, those in displaced_of(snapshot, sample).values():
        shared = (patterns.of(one) for one in those)
        others = max(each.pattern.things for each in shared if each is not None) - 1
        solid, streams = those[0].solid, patterns.views.streams
        x, y, z = (round(float(value), 2) + 0.0 for value in found.metres)
        item = annotation_item(solid, streams, class_of(snapshot, solid))
        boxes = tuple(annotation_item(one.flat.annotation, streams, class_of(snapshot, one.flat.annotation))
                      for one in those)  # fmt: skip
        yield Fault(
            text=f"{item.label} is misplaced by {found.length_m:.2f} m: its boxes say that it stands ({x:+.2f}, "
            f"{y:+.2f}, {z:+.2f}) m away, while the {others} other things fit, so it is not the calibration",
            items=(item, *boxes),
            measured=round(found.length_m, 3),
            limit=limit,
            suggestion=f"move the cuboid by ({x:+.2f}, {y:+.2f}, {z:+.2f}) m in {_root(patterns, solid.id)}",
        )


@rule(
    "calibration.size",
    error_type=ErrorType.PARTIAL_ALIGNMENT,
    severity=Severity.WARNING,
    version=2,
    limit=SIZE_BIAS_M,
    unit="m",
    looks_at=LABEL_KINDS,
    sees=PLACED,
)
def size(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """The boxes of several stiff things all go beyond their cuboids along the same axis: the cuboids of a scanner are
    made too short, too narrow or too low as a rule. Three things at least have to show both ends of the size, and the
    lack has to be several times what the boxes scatter and cuboids are made to. A thing that lacks far more than all
    others does not count: it is wrong by itself.
    """
    patterns, ontology = patterns_of(snapshot, sample), snapshot.ontology()
    limit = named_limit_ms(snapshot.project(), SIZE_TOLERANCE, SIZE_BIAS_M)
    by_scanner: defaultdict[str, list[Fit]] = defaultdict(list)
    for each in fits_of(snapshot, sample):
        class_id = class_of(snapshot, each.sighting.solid)
        stiff = ontology is None or class_id not in ontology.classes or not ontology.deformable(class_id)
        if stiff and not each.other:
            by_scanner[each.sighting.solid.stream or ""].append(each)
    for scanner, fits in by_scanner.items():
        if scanner not in patterns.views.streams:
            continue
        for axis, word in enumerate(_AXES):
            lacking = _lacking(patterns, fits, axis)
            if len(lacking) < _FEWEST_THINGS:
                continue
            if not _is_rule(_without_odd(lacking.values()), limit):
                continue
            middle = float(np.median([each.value for each in lacking.values()]))
            many = [each for each, by in lacking.items() if by.value > limit]
            streams = patterns.views.streams
            solids = [patterns.views.solids[each] for each in many]
            yield Fault(
                text=f"the cuboids of {streams[scanner].key} are {middle:.2f} m too {word}, as {len(many)} of "
                f"{len(lacking)} things seen from the side say, whose boxes go beyond them",
                items=(
                    _stream_item(streams[scanner]),
                    *(annotation_item(each, streams, class_of(snapshot, each)) for each in solids),
                ),
                measured=round(middle, 3),
                limit=limit,
                suggestion="look at how the cuboids were made, and make them as large as the things",
                aspect=word,
            )


def _without_odd(lacking: Iterable[Estimate]) -> Sequence[Estimate]:
    """All of them but the greatest, where that is surely greater than the next."""
    ordered = sorted(lacking, key=lambda each: each.value)
    last, next_ = ordered[-1], ordered[-2]
    odd = last.value - next_.value > _ODD * math.hypot(last.error, next_.error)
    return ordered[:-1] if odd else ordered


def _is_rule(lacking: Sequence[Estimate], limit: float) -> bool:
    """Whether most things lack so much, and surely."""
    values = [each.value for each in lacking]
    like = sum(value > limit for value in values)
    return float(np.median(values)) > limit and like >= _FEWEST_LIKE and together(lacking).beyond(0.0, sure=_SURE)


def _lacking(patterns: Patterns, fits: Sequence[Fit], axis: int) -> dict[str, Estimate]:
    """By how much each cuboid would have to grow along an axis for its boxes to lie within, where both ends tell:
    a cuboid that only stands elsewhere lacks at one end what it has too much at the other.
    """
    found: defaultdict[str, list[Floats]] = defaultdict(list)
    grown = (np.eye(3)[axis] * _TRIED_M).tolist()
    for each in fits:
        flat, solid, seen = each.sighting.flat, each.sighting.solid, each.sighting.seen
        larger = patterns.views.placed.seen(flat.camera, solid.id, flat.times_ns, grown_m=grown, cut=False)
        by_metre = np.nan_to_num(np.abs(larger.boxes - seen.boxes)) / _TRIED_M
        tells = by_metre * np.nan_to_num(seen.range_m)[:, None] > _SIDEWAYS * flat.camera.lens.fx
        tells &= (seen.whole & each.usable & ~flat.cut.any(1))[:, None]
        beyond = (flat.boxes - each.projected) * np.array([-1.0, -1.0, 1.0, 1.0])
        for one, other in ((0, 2), (1, 3)):
            both = tells[:, one] & tells[:, other]
            # Both ends of a size grow by half of it each.
            found[solid.id].append(
                (beyond[both, one] / by_metre[both, one] + beyond[both, other] / by_metre[both, other]) / 2
            )
    joined = {solid: np.concatenate(parts) for solid, parts in found.items()}
    return {
        solid: _size_off(each, _made_m(patterns, solid, axis))
        for solid, each in joined.items()
        if len(each) >= _FEWEST_PICTURES
    }


def _size_off(lacking: Floats, made_m: float) -> Estimate:
    """The middle of what pictures say, with its error: of the boxes, and of the cuboid itself."""
    middle = float(np.median(lacking))
    scatter = 1.4826 * float(np.median(np.abs(lacking - middle))) * _OF_MEDIAN / math.sqrt(len(lacking))
    return Estimate(value=middle, error=math.hypot(scatter, made_m))


def _made_m(patterns: Patterns, solid: str, axis: int) -> float:
    """How exactly one size of a cuboid is known: a long thing whose heading is off a little looks wider."""
    rows = patterns.views.placed.rows[solid]
    across = {0: 1, 1: 0}.get(axis)
    turned = 0.0 if across is None else _HEADING_RAD * float(np.median(rows.sizes[:, across]))
    return math.hypot(_MADE_M, turned)


def _root(patterns: Patterns, solid: str) -> str:
    return patterns.views.placed.rows[solid].root or "its frame"


def _stream_item(stream: Stream) -> Item:
    return Item(RecordKind.STREAM.value, stream.id, stream.key)
