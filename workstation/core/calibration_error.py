"""Whether a camera's calibration is off, by how boxes and projected cuboids differ; and if it is that, or one cuboid.

An angular error moves everything by the same angle, so that it grows in metres with the range; a shifted mounting
moves everything by the same metres. One misplaced cuboid is off alone. Pure functions over ``pair_fit.PairSeen``:
asked by the check of calibration, by ``workstation report calibration`` and by the Sync workspace.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from workstation.core.pair_fit import PairSeen
from workstation.core.rotation import Floats

LEAST_DEG = 0.1
"""A turn of less is no matter: 9 cm at 50 m."""
LEAST_SHIFT_M = 0.05
_FEWEST_THINGS = 3
_SURE = 1.96
_CLEAR = 2.5
"""Half-widths of 95 % that an error must differ from nothing, and from what the others say."""
_LEAST_SIGMA_PX = 0.1
"""Boxes are drawn to parts of a pixel at best."""
_LEAST_SPREAD = 0.3
_REACH = 4.0
_ROUNDS = 20
_LEVERAGE = 1.6
"""The farthest things must be so many times farther than the nearest, or a turn and a shift look alike."""


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
    sigma_deg: float
    moments: int
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
    """How much too far to the left the camera is said to look; 0 where none was found."""
    half_width_deg: float
    """Of the 95 % interval."""
    shifted_m: float
    """How much too far to the left it is said to sit."""
    shift_half_width_m: float
    apart: bool
    """Whether the ranges differ enough to tell a turn from a shift; if not, the turn stands for both."""
    things: int
    ranges_m: tuple[float, float]

    @property
    def angular(self) -> bool:
        """Whether the camera is turned: surely, and by more than anybody could overlook."""
        return abs(self.turned_deg) >= LEAST_DEG and abs(self.turned_deg) > _CLEAR / _SURE * self.half_width_deg

    @property
    def shifted(self) -> bool:
        """Whether the camera sits elsewhere."""
        sure = abs(self.shifted_m) > _CLEAR / _SURE * self.shift_half_width_m
        return self.apart and sure and abs(self.shifted_m) >= LEAST_SHIFT_M

    def metres_at(self, range_m: float) -> float:
        """What the turn alone is at a range."""
        return abs(float(np.tan(np.radians(self.turned_deg)))) * range_m

    def words(self) -> str:
        """One sentence."""
        by = f"by {self.things} things from {self.ranges_m[0]:.0f} to {self.ranges_m[1]:.0f} m"
        if self.angular:
            side = "left" if self.turned_deg > 0 else "right"
            said = (
                f"{self.camera}: angular, about {abs(self.turned_deg):.1f}° to the {side} "
                f"({self.turned_deg:+.3f}° ± {self.half_width_deg:.3f}°), {self.metres_at(50):.2f} m at 50 m, {by}"
            )
            return said + ("" if self.apart else "; at ranges so alike it may be a shift as well")
        if self.shifted:
            return f"{self.camera}: shifted by {self.shifted_m:+.2f} m ± {self.shift_half_width_m:.2f} m sideways, {by}"
        return f"{self.camera}: none ({self.turned_deg:+.3f}° ± {self.half_width_deg:.3f}°), {by}"


class Cause(StrEnum):
    """Why a box and a projected cuboid disagree."""

    CALIBRATION = "calibration_off"
    CUBOID = "cuboid_misplaced"
    UNCLEAR = "unclear"
    NONE = "none"

    @property
    def words(self) -> str:
        """As people say it."""
        return {
            Cause.CALIBRATION: "calibration off", Cause.CUBOID: "cuboid misplaced",
            Cause.UNCLEAR: "not clear", Cause.NONE: "nothing is off",
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
    angles = np.degrees([(pair.sideways_px or 0.0) / pair.px_per_rad for pair in pairs])
    middle = float(np.median(angles))
    finest = float(np.degrees(_LEAST_SIGMA_PX / np.median([pair.px_per_rad for pair in pairs])))
    spread = 1.4826 * float(np.median(np.abs(angles - middle)))
    # Moments of one thing err alike (how its cuboid sits), so that many of them are not many facts.
    return ThingOff(
        camera=pairs[0].camera, thing=pairs[0].thing, name=pairs[0].name,
        range_m=float(np.median([pair.range_m for pair in pairs])), off_deg=middle,
        off_px=float(np.median([pair.sideways_px or 0.0 for pair in pairs])),
        sigma_deg=max(finest, spread / max(1.0, len(pairs) ** 0.5)) if len(pairs) > 1 else 2 * finest,
        moments=len(pairs),
        labels=tuple(dict.fromkeys(each for pair in pairs for each in (pair.flat, pair.solid))),
    )  # fmt: skip


def angular_error(things: Sequence[ThingOff]) -> AngularError | None:
    """Of one camera's things; ``None`` with fewer than three, whom nobody could outvote."""
    if len(things) < _FEWEST_THINGS:
        return None
    off = np.array([each.off_deg for each in things])
    near = 1 / np.array([each.range_m for each in things])
    sigma = np.array([each.sigma_deg for each in things])
    ranges = (float(1 / near.max()), float(1 / near.min()))
    apart = ranges[1] >= _LEVERAGE * ranges[0] and len(things) > _FEWEST_THINGS
    design = np.stack([np.ones(len(off)), near], 1) if apart else np.ones((len(off), 1))
    solved, covariance = _robust(design, off, sigma)
    shift = (0.0, 0.0)
    if apart:
        shift = (-float(np.radians(solved[1])), _SURE * float(np.radians(np.sqrt(covariance[1, 1]))))
        if abs(shift[0]) <= _CLEAR / _SURE * shift[1] or abs(shift[0]) < LEAST_SHIFT_M:
            # No shift to be seen: without it the turn is known far better.
            solved, covariance = _robust(design[:, :1], off, sigma)
            shift = (0.0, shift[1])
    return AngularError(
        camera=things[0].camera, turned_deg=-float(solved[0]), half_width_deg=_SURE * float(np.sqrt(covariance[0, 0])),
        shifted_m=shift[0], shift_half_width_m=shift[1], apart=apart, things=len(things), ranges_m=ranges,
    )  # fmt: skip


def _robust(design: Floats, values: Floats, sigma: Floats) -> tuple[Floats, Floats]:
    """Least squares in which things that are off alone count for nothing: coefficients and covariance.

    How much things differ among themselves (how each cuboid sits) is taken from what they leave, and counts beside
    what each says of its own scatter.
    """
    found: Floats = np.zeros(design.shape[1])
    found[0] = float(np.median(values))
    own: Floats = np.asarray(sigma, np.float64) ** 2
    total, weights, normal = own, own, design.T @ design
    for _ in range(_ROUNDS):
        left = values - design @ found
        spread = 1.4826 * float(np.median(np.abs(left)))
        total = np.sqrt(own + spread**2)
        reach = _REACH * max(spread, _LEAST_SPREAD * float(np.median(sigma)))
        weights = np.clip(1 - (left / np.maximum(reach, total)) ** 2, 0.0, None) ** 2 / total**2
        normal = design.T @ (weights[:, None] * design) + np.eye(len(found)) * 1e-12
        fresh = np.asarray(np.linalg.solve(normal, design.T @ (weights * values)), np.float64)
        settled = bool(np.abs(fresh - found).max() < 1e-9)
        found = fresh
        if settled:
            break
    left = values - design @ found
    share = weights * total**2
    free = max(float(share.sum()) - len(found), 1.0)
    excess = max(1.0, float(np.sum(weights * left**2)) / free)
    few = 1 + 3 / free  # few things know little of their own scatter
    covariance: Floats = np.asarray(np.linalg.inv(normal) * excess * few, np.float64)
    return found, covariance


def cause_of(
    things: Sequence[ThingOff], *, camera: str, thing: str, least_px: float = 1.0, least_m: float = 0.1
) -> CauseFound | None:
    """Why this thing's box and cuboid disagree in that camera; ``None`` where it is not seen there whole.

    Several things that are off alike in one camera speak for the calibration; one that is off alone, or in every
    camera that sees it, for its cuboid. What is off by less than ``least_px`` or ``least_m`` is not off.
    """
    mine = next((each for each in things if each.camera == camera and each.thing == thing), None)
    if mine is None:
        return None
    others = [each for each in things if each.camera == camera and each.thing != thing]
    elsewhere = [each for each in things if each.camera != camera and each.thing == thing]
    together = angular_error(others)
    beside = f"{_where(mine.off_px, 'px')} ({_where(mine.off_m, 'm')})"
    facts = [f"it stands {beside} of its cuboid, at {mine.range_m:.0f} m"]
    expected = 0.0 if together is None else _expected(together, mine.range_m)
    spread = 0.0 if together is None else together.half_width_deg
    left_deg = mine.off_deg - expected
    if together is None:
        facts.append(f"{len(others)} other things are seen whole in {camera}, too few to tell")
    else:
        facts.append(_others_in_words(others, together, mine))
    facts += [_elsewhere_in_words(each) for each in elsewhere]
    cause = _cause(mine, left_deg, spread, together, elsewhere, least_px=least_px, least_m=least_m)
    return CauseFound(
        cause=cause, camera=camera, thing=thing, name=mine.name, evidence=tuple(facts), off=mine,
        others_deg=None if together is None else expected,
    )  # fmt: skip


def _cause(
    mine: ThingOff, left_deg: float, spread: float, together: AngularError | None, elsewhere: Sequence[ThingOff],
    *, least_px: float, least_m: float,
) -> Cause:  # fmt: skip
    if abs(mine.off_px) < least_px or abs(mine.off_m) < least_m:
        return Cause.NONE
    # What the calibration leaves of this thing, against its own scatter and that of the others.
    clear = max(_CLEAR * float(np.hypot(mine.sigma_deg, spread / _SURE)), abs(mine.off_deg) / 2)
    calibrated = together is None or not (together.angular or together.shifted)
    if not calibrated and abs(left_deg) < clear:
        return Cause.CALIBRATION
    if together is not None and calibrated:
        return Cause.CUBOID
    if together is not None and abs(left_deg) >= clear:
        return Cause.CUBOID  # the camera is off as well, but not by this
    also = [each for each in elsewhere if abs(each.off_px) >= least_px and np.sign(each.off_m) == np.sign(mine.off_m)]
    return Cause.CUBOID if also and len(also) == len(elsewhere) else Cause.UNCLEAR


def _expected(error: AngularError, range_m: float) -> float:
    return -error.turned_deg - float(np.degrees(error.shifted_m / range_m))


def _others_in_words(others: Sequence[ThingOff], together: AngularError, mine: ThingOff) -> str:
    same = sum(abs(each.off_deg - mine.off_deg) < max(abs(mine.off_deg) / 2, LEAST_DEG) for each in others)
    middle = float(np.median([each.off_deg for each in others]))
    return (
        f"{same} of the {len(others)} other things in {together.camera} are off like it; "
        f"in the middle they are {middle:+.2f}°, this one is {mine.off_deg:+.2f}°"
    )


def _elsewhere_in_words(other: ThingOff) -> str:
    return f"in {other.camera} it stands {_where(other.off_px, 'px')} ({_where(other.off_m, 'm')})"


def _where(value: float, unit: str) -> str:
    shown = f"{abs(value):.1f}" if unit == "px" else f"{abs(value):.2f}"
    return f"{shown} {unit} {'right' if value >= 0 else 'left'}"


def angular_errors(pairs: Iterable[PairSeen]) -> Mapping[str, AngularError]:
    """Camera by camera, of those with enough things."""
    groups: dict[str, list[ThingOff]] = defaultdict(list)
    for each in things_off(pairs):
        groups[each.camera].append(each)
    found = {camera: angular_error(those) for camera, those in groups.items()}
    return {camera: error for camera, error in found.items() if error is not None}
