"""The limits of time that a project judges by, for all its work or for one profile, as the window shows them.

The names and usual values are those of ``core/tolerances.py``; what is set is kept in the project's tolerances, under
the limit's name or, for one profile, under ``NAME:PROFILE``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workstation.core.sample import Project, Sample
from workstation.core.tolerances import (
    CAPTION_MS,
    CAPTION_TOLERANCE,
    CLOCK_MS,
    CLOCK_TOLERANCE,
    DISTANCE_TOLERANCE,
    SOUND_MS,
    SOUND_TOLERANCE,
    SYNC_TOLERANCE,
    allowed_ms,
    of_profile,
    usual_sync_ms,
)

_SPEEDS_KMH = (60.0, 5.0)
_LANE_M = 3.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimit:
    """One limit in milliseconds."""

    tolerance: str
    title: str
    help: str
    usual_ms: float | None
    """``None``: it depends on the profile."""

    def usual_for(self, profile: str) -> float:
        """What holds where nothing is set."""
        return usual_sync_ms(profile) if self.usual_ms is None else self.usual_ms


TIME_LIMITS = (
    TimeLimit(tolerance=CLOCK_TOLERANCE, title="Clock", usual_ms=CLOCK_MS,
              help="How far a clock may be off or drift before labelling begins"),
    TimeLimit(tolerance=SOUND_TOLERANCE, title="Seen and heard", usual_ms=SOUND_MS,
              help="How far apart what is linked as seen and heard at once may begin; from 40 ms on it is noted"),
    TimeLimit(tolerance=CAPTION_TOLERANCE, title="Caption and event", usual_ms=CAPTION_MS,
              help="How far a caption with a time of its own may stand from what it tells of"),
    TimeLimit(tolerance=SYNC_TOLERANCE, title="One moment", usual_ms=None,
              help="How far apart the views of one moment may be; robots and drones tighter than dialogue"),
)  # fmt: skip


def profiles_in(project: Project | None, samples: Iterable[Sample]) -> list[str]:
    """The profiles of the project's work, its own first."""
    own = [] if project is None else [project.profile]
    return [each for each in dict.fromkeys([*own, *sorted({sample.profile for sample in samples})]) if each]


def set_for(project: Project | None, limit: TimeLimit, profile: str = "") -> float | None:
    """What was set for a profile, or for all work; ``None`` if nothing was."""
    return None if project is None else project.tolerances.get(of_profile(limit.tolerance, profile))


def required_m(project: Project | None) -> float | None:
    """How exact places must be; ``None`` where nobody said."""
    return None if project is None else project.tolerances.get(DISTANCE_TOLERANCE)


def in_space(clock_ms: float, exact_m: float | None) -> str:
    """What the limit of clocks is on the road, and what time a required exactness leaves: slow things have more."""
    fast, slow = _SPEEDS_KMH
    metres = clock_ms / 1000 * fast / 3.6
    said = f"At {fast:.0f} km/h {clock_ms:g} ms are {metres:.2f} m, {metres / _LANE_M:.0%} of a lane."
    if not exact_m:
        return said
    left = [f"{allowed_ms(exact_m, kmh / 3.6):.0f} ms at {kmh:.0f} km/h" for kmh in (fast, slow)]
    return f"{said} {exact_m:g} m leave {' and '.join(left)}."
