"""What boxes and projected cuboids of a sample disagree about as a whole: asked by the rules of calibration and boxes.

What a turned camera or a late clock explains is that finding's, so boxes are judged with it taken off.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from workstation.core.misalignment import SHIFTED_M, Estimate, Pattern, pattern_of, together
from workstation.core.poses import NO_MOVE, RigidTransform
from workstation.core.ratio import Int64s
from workstation.core.rotation import Floats
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import (
    CLOCK_MS,
    CLOCK_TOLERANCE,
    TURNED_DEG,
    TURNED_TOLERANCE,
    named_limit_ms,
    time_limit_ms,
)
from workstation.qa.remembered import remembered
from workstation.qa.rules.sightings import LAID, Sighting, offs_of, views_of

_SURE = 4.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CameraPattern:
    """The pattern between one camera's boxes and the cuboids of one scanner, and whether its angle is beyond limits."""

    stream: Stream
    scanner: Stream
    pattern: Pattern
    turned: bool
    shifted: bool
    span_s: tuple[float, float]
    ranges_m: tuple[float, float]
    left_rad: Mapping[str, float]
    """Cuboid → how far to the right of the projection its boxes lie when all this is taken off, in the middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """By how much the stamps of one scanner's cuboids are late, against all cameras that can tell."""

    late_s: Estimate
    drift_s: Estimate
    drifts: bool
    span_s: tuple[float, float]
    cameras: tuple[str, ...]
    """Ids of their streams."""
    things: int

    def at_ns(self, times_ns: Int64s) -> Int64s:
        """(n,) how late at session times."""
        first, last = self.span_s
        along = (times_ns / 1e9 - (first + last) / 2) / ((last - first) or 1.0)
        late_s = self.late_s.value + (self.drift_s.value * np.clip(along, -0.5, 0.5) if self.drifts else 0.0)
        return np.rint(np.broadcast_to(late_s, times_ns.shape) * 1e9).astype(np.int64)


class Patterns:
    """Of one sample, by camera and scanner."""

    def __init__(self, snapshot: Snapshot, sample: Sample) -> None:
        self.views = views_of(snapshot, sample)
        project = snapshot.project()
        self.turned_deg = named_limit_ms(project, TURNED_TOLERANCE, TURNED_DEG)
        self.late_ms = time_limit_ms(project, sample, CLOCK_TOLERANCE, CLOCK_MS)
        by_pair: defaultdict[tuple[str, str], list[Sighting]] = defaultdict(list)
        for each in self.views.own:
            if each.solid.stream in self.views.streams:
                by_pair[each.flat.stream.id, each.solid.stream or ""].append(each)
        found = {key: self._pattern(key, those) for key, those in by_pair.items()}
        self.cameras = {key: each for key, each in found.items() if each is not None}
        scanners = {each.scanner.id for each in self.cameras.values()}
        late = {scanner: self._lateness(scanner) for scanner in sorted(scanners)}
        self.late: dict[str, Lateness] = {scanner: each for scanner, each in late.items() if each is not None}
        """Scanners whose cuboids are late, by stream."""

    def of(self, sighting: Sighting) -> CameraPattern | None:
        """The pattern that a sighting is part of."""
        return self.cameras.get((sighting.flat.stream.id, sighting.solid.stream or ""))

    def boxes(self, sighting: Sighting) -> Floats:
        """(n, 4) the projection, without what is the calibration's or the clock's fault."""
        pattern, late = self.of(sighting), self.late.get(sighting.solid.stream or "")
        turned = pattern is not None and (pattern.turned or pattern.shifted)
        if not turned and late is None:
            return sighting.seen.boxes
        times = sighting.flat.times_ns if late is None else sighting.flat.times_ns + late.at_ns(sighting.flat.times_ns)
        turn = NO_MOVE if pattern is None or not turned else _moved(pattern)
        return self.views.placed.seen(sighting.flat.camera, sighting.solid.id, times, turned=turn).boxes

    def _pattern(self, key: tuple[str, str], sightings: list[Sighting]) -> CameraPattern | None:
        found = offs_of(self.views, sightings)
        pattern = None if found is None else pattern_of(found[0])
        if found is None or pattern is None:
            return None
        offs, solids = found
        limit_rad = math.radians(self.turned_deg)
        return CameraPattern(
            stream=sightings[0].flat.stream,
            scanner=self.views.streams[key[1]],
            pattern=pattern,
            turned=pattern.yaw_rad.beyond(limit_rad) or pattern.pitch_rad.beyond(limit_rad),
            shifted=pattern.shift_m.beyond(SHIFTED_M),
            ranges_m=(float(offs.range_m.min()), float(offs.range_m.max())),
            left_rad={
                solid: float(np.median(pattern.left[offs.thing == number, 0])) for number, solid in enumerate(solids)
            },
            span_s=(float(offs.times_s.min()), float(offs.times_s.max())),
        )

    def _lateness(self, scanner: str) -> Lateness | None:
        """One clock is late against all cameras that can tell; a camera that says otherwise has a clock of its own."""
        those = [each for each in self.cameras.values() if each.scanner.id == scanner]
        limit_s = self.late_ms / 1e3
        surest = min(those, key=lambda each: each.pattern.late_s.error)
        agreeing = [each for each in those if _agree(each, surest)]
        late = together([each.pattern.late_s for each in agreeing])
        drift = surest.pattern.drift_s
        drifts = drift.beyond(limit_s)
        first, last = surest.span_s
        if not drifts and not (late.beyond(limit_s) and abs(late.value) < last - first):
            return None  # how things move is known for as long as they were watched: more would be guessed
        return Lateness(
            late_s=surest.pattern.late_s if drifts else late,
            drift_s=drift,
            drifts=drifts,
            span_s=surest.span_s,
            cameras=tuple(each.stream.id for each in agreeing),
            things=surest.pattern.things,
        )


def _agree(one: CameraPattern, other: CameraPattern) -> bool:
    a, b = one.pattern.late_s, other.pattern.late_s
    return abs(a.value - b.value) <= _SURE * math.hypot(a.error, b.error)


def _moved(found: CameraPattern) -> RigidTransform:
    """Brings what the camera would see to where its boxes lie: about its y axis to the right, about its x axis down,
    and along its x axis.
    """
    pattern = found.pattern
    right, down = (pattern.yaw_rad.value / 2, pattern.pitch_rad.value / 2) if found.turned else (0.0, 0.0)
    about_y = (math.cos(right), 0.0, math.sin(right), 0.0)
    about_x = (math.cos(down), -math.sin(down), 0.0, 0.0)
    aside = RigidTransform((1.0, 0.0, 0.0, 0.0), (pattern.shift_m.value, 0.0, 0.0))
    return RigidTransform(about_y) @ RigidTransform(about_x) @ aside


def patterns_of(snapshot: Snapshot, sample: Sample) -> Patterns:
    """The patterns of a sample, worked out once for all rules that ask while it is checked."""
    return remembered(snapshot, ("patterns", sample.id), lambda: Patterns(snapshot, sample), LAID)
