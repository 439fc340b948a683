"""What is told of a camera's calibration and of each thing in it: whether it is off, or one cuboid, or a clock.

An angular error moves everything by the same angle, so that it grows in metres with the range; a shifted mounting
moves everything by the same metres; a late clock by what each thing moves. One misplaced cuboid is off alone. What all
things share is estimated in ``misalignment``, as for the checks; here it is put beside single things, in words.
Asked by ``app/calibration_report.py``, which the report and the Sync workspace show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from workstation.core.misalignment import Pattern
from workstation.core.pair_fit import PairSeen
from workstation.core.tolerances import MISPLACED_M

_SURE = 1.96
_LIKE_DEG = 0.1
_FEWEST_OTHERS, _MOST = 3, 0.75
"""So many things of a camera, and such a part of them, have to fit before one is off alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingOff:
    """One thing in one camera: how far its boxes stand beside its projected cuboid, in the middle of its moments."""

    camera: str
    thing: str
    name: str
    range_m: float
    off_deg: float
    """Right of the projection is positive."""
    off_px: float
    moments: int
    moved_px: float = 0.0
    """How far both its sides lie to the same side; of a box that is only too wide, nothing."""
    labels: tuple[str, ...] = ()
    """Ids of its boxes and its cuboids."""

    @property
    def off_m(self) -> float:
        """At its range."""
        return float(np.radians(self.off_deg)) * self.range_m


@dataclass(frozen=True, slots=True, kw_only=True)
class AngularError:
    """What the things of one camera say together of its calibration."""

    camera: str
    turned_deg: float
    """How much too far to the left the camera is said to look."""
    half_width_deg: float
    """Of the 95 % interval."""
    tilted_deg: float
    """How much too far down it is said to look."""
    shifted_m: float
    """How much too far to the left it is said to sit."""
    shift_half_width_m: float
    angular: bool
    """Whether it is turned to a side by more than the project allows, surely."""
    tilted: bool
    """The same up or down."""
    shifted: bool
    """Whether it sits elsewhere."""
    apart: bool
    """Whether the ranges differ enough to tell a turn from a shift; if not, the turn stands for both."""
    things: int
    ranges_m: tuple[float, float]

    @property
    def off(self) -> bool:
        """Whether the calibration is off in any way."""
        return self.angular or self.tilted or self.shifted

    def metres_at(self, range_m: float) -> float:
        """What the turn alone is at a range."""
        return abs(float(np.tan(np.radians(self.turned_deg)))) * range_m

    def words(self) -> str:
        """One sentence."""
        by = f"by {self.things} things from {self.ranges_m[0]:.0f} to {self.ranges_m[1]:.0f} m"
        said = []
        if self.angular:
            side = "left" if self.turned_deg > 0 else "right"
            said.append(
                f"angular, about {abs(self.turned_deg):.1f}° to the {side} "
                f"({self.turned_deg:+.3f}° ± {self.half_width_deg:.3f}°), {self.metres_at(50):.2f} m at 50 m"
            )
        if self.tilted:
            said.append(f"angular, about {abs(self.tilted_deg):.1f}° {'down' if self.tilted_deg > 0 else 'up'}")
        if self.shifted:
            said.append(f"shifted by {self.shifted_m:+.2f} m ± {self.shift_half_width_m:.2f} m sideways")
        if not said:
            return f"{self.camera}: none ({self.turned_deg:+.3f}° ± {self.half_width_deg:.3f}°), {by}"
        alike = "" if self.apart or not self.angular else "; at ranges so alike it may be a shift as well"
        return f"{self.camera}: {' and '.join(said)}, {by}{alike}"


def error_of(
    pattern: Pattern, camera: str, limit_deg: float, shift_limit_m: float, ranges_m: tuple[float, float]
) -> AngularError:
    """What a pattern says of a camera, with the limits of the project."""
    limit_rad = float(np.radians(limit_deg))
    return AngularError(
        camera=camera,
        turned_deg=-float(np.degrees(pattern.yaw_rad.value)),
        half_width_deg=_SURE * float(np.degrees(pattern.yaw_rad.error)),
        tilted_deg=-float(np.degrees(pattern.pitch_rad.value)),
        shifted_m=-pattern.shift_m.value,
        shift_half_width_m=_SURE * pattern.shift_m.error,
        angular=pattern.yaw_rad.beyond(limit_rad),
        tilted=pattern.pitch_rad.beyond(limit_rad),
        shifted=pattern.shift_m.beyond(shift_limit_m),
        apart=pattern.apart,
        things=pattern.things,
        ranges_m=ranges_m,
    )


class Cause(StrEnum):
    """Why a box and a projected cuboid disagree."""

    CALIBRATION = "calibration_off"
    CUBOID = "cuboid_misplaced"
    CLOCK = "clock_off"
    UNCLEAR = "unclear"
    NONE = "none"

    @property
    def words(self) -> str:
        """As people say it."""
        return {
            Cause.CALIBRATION: "calibration off", Cause.CUBOID: "cuboid misplaced",
            Cause.CLOCK: "clock off", Cause.UNCLEAR: "not clear", Cause.NONE: "nothing is off",
        }[self]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseFound:
    """What is proposed for one thing in one camera, with the facts for and against, one sentence each."""

    cause: Cause
    camera: str
    thing: str
    name: str
    evidence: tuple[str, ...]
    off: ThingOff
    others_deg: float | None
    """What the camera's other things say together; ``None`` with too few of them."""

    def words(self) -> str:
        """The proposal, for a heading."""
        return f"{self.name} in {self.camera}: {self.cause.words}"


def things_off(pairs: Iterable[PairSeen]) -> tuple[ThingOff, ...]:
    """Thing by thing and camera by camera; what is cut off in the picture says nothing. The nearest come first."""
    groups: dict[tuple[str, str], list[PairSeen]] = defaultdict(list)
    for pair in pairs:
        if pair.sideways_px is not None:
            groups[(pair.camera, pair.thing)].append(pair)
    found = [_thing(those) for those in groups.values()]
    return tuple(sorted(found, key=lambda each: (each.camera, each.range_m)))


def _thing(pairs: Sequence[PairSeen]) -> ThingOff:
    return ThingOff(
        camera=pairs[0].camera, thing=pairs[0].thing, name=pairs[0].name,
        range_m=float(np.median([pair.range_m for pair in pairs])),
        off_deg=float(np.median(np.degrees([(pair.sideways_px or 0.0) / pair.px_per_rad for pair in pairs]))),
        off_px=float(np.median([pair.sideways_px or 0.0 for pair in pairs])),
        moments=len(pairs), moved_px=float(np.median([_moved_px(pair) for pair in pairs])),
        labels=tuple(dict.fromkeys(each for pair in pairs for each in (pair.flat, pair.solid))),
    )  # fmt: skip


def _moved_px(pair: PairSeen) -> float:
    left, right = pair.drawn[0] - pair.seen.left, pair.drawn[2] - pair.seen.right
    return float(np.sign(left)) * min(abs(left), abs(right)) if left * right > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the checks say of one camera and of a thing in it, beside which the thing's own residual is put."""

    error: AngularError | None = None
    """``None`` with too few things to tell."""
    left_deg: float | None = None
    """What camera and clock leave of the thing's residual."""
    late_ms: float = 0.0
    """By how much the cuboids' clock is late; 0 where it is not."""
    displaced_m: float = 0.0
    """How far its cuboid surely stands elsewhere; 0 where it does not."""
    displaced_limit_m: float = MISPLACED_M
    """How far a cuboid may."""


def cause_of(
    things: Sequence[ThingOff], shared: Shared, *, camera: str, thing: str, least_px: float = 1.0, least_m: float = 0.1
) -> CauseFound | None:
    """Why this thing's box and cuboid disagree in that camera; ``None`` where it is not seen there whole.

    A cuboid that surely stands elsewhere is named; else what camera or clock explain is theirs. One that is off to one
    side alone, while the others fit, is its cuboid's too, though too few pictures show it to measure how far. Of a
    thing in too few company the cuboid is suspected if it is off in every camera that sees it. What is off by less than
    ``least_px`` or ``least_m`` is not off.
    """
    mine = next((each for each in things if each.camera == camera and each.thing == thing), None)
    if mine is None:
        return None
    others = [each for each in things if each.camera == camera and each.thing != thing]
    elsewhere = [each for each in things if each.camera != camera and each.thing == thing]
    beside = f"{_where(mine.off_px, 'px')} ({_where(mine.off_m, 'm')})"
    facts = [f"it stands {beside} of its cuboid, at {mine.range_m:.0f} m"]
    if shared.error is None:
        facts.append(f"{len(others)} other things are seen whole in {camera}, too few to tell")
    elif others:
        facts.append(_others_in_words(others, mine))
    if shared.displaced_m:
        facts.append(f"its boxes together say that the cuboid stands {shared.displaced_m:.2f} m elsewhere")
    if shared.late_ms:
        facts.append(f"the clock of the cuboids is {shared.late_ms:+.1f} ms late")
    facts += [_elsewhere_in_words(each) for each in elsewhere]
    return CauseFound(
        cause=_cause(mine, shared, others, elsewhere, least_px=least_px, least_m=least_m), camera=camera, thing=thing,
        name=mine.name, evidence=tuple(facts), off=mine,
        others_deg=None if shared.left_deg is None else mine.off_deg - shared.left_deg,
    )  # fmt: skip


def _cause(
    mine: ThingOff, shared: Shared, others: Sequence[ThingOff], elsewhere: Sequence[ThingOff], *, least_px: float,
    least_m: float,
) -> Cause:  # fmt: skip
    if shared.displaced_m:
        return Cause.CUBOID
    if abs(mine.off_px) < least_px or abs(mine.off_m) < least_m:
        return Cause.NONE
    if shared.error is not None and shared.left_deg is not None:
        explained = abs(shared.left_deg) < abs(mine.off_deg) / 2
        if explained and shared.error.off:
            return Cause.CALIBRATION
        if explained and shared.late_ms:
            return Cause.CLOCK
        fit = sum(abs(each.off_deg) < abs(mine.off_deg) / 4 for each in others)
        alone = not shared.error.off and not shared.late_ms and fit >= max(_FEWEST_OTHERS, _MOST * len(others))
        if not alone or abs(mine.moved_px) < max(least_px, abs(mine.off_px) / 2):
            return Cause.UNCLEAR
        return Cause.CUBOID if abs(mine.off_m) > shared.displaced_limit_m else Cause.NONE
    also = [each for each in elsewhere if abs(each.off_px) >= least_px and np.sign(each.off_m) == np.sign(mine.off_m)]
    return Cause.CUBOID if also and len(also) == len(elsewhere) else Cause.UNCLEAR


def _others_in_words(others: Sequence[ThingOff], mine: ThingOff) -> str:
    same = sum(abs(each.off_deg - mine.off_deg) < max(abs(mine.off_deg) / 2, _LIKE_DEG) for each in others)
    middle = float(np.median([each.off_deg for each in others]))
    return (
        f"{same} of the {len(others)} other things in {mine.camera} are off like it; "
        f"in the middle they are {middle:+.2f}°, this one is {mine.off_deg:+.2f}°"
    )


def _elsewhere_in_words(other: ThingOff) -> str:
    return f"in {other.camera} it stands {_where(other.off_px, 'px')} ({_where(other.off_m, 'm')})"


def _where(value: float, unit: str) -> str:
    shown = f"{abs(value):.1f}" if unit == "px" else f"{abs(value):.2f}"
    return f"{shown} {unit} {'right' if value >= 0 else 'left'}"
