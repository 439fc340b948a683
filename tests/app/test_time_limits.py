"""Limits of time: set for all work or for one profile, and what they are on the road (SYNC-05, COMP-13)."""

from __future__ import annotations

import pytest

from workstation.app.time_limits import TIME_LIMITS, in_space, profiles_in, set_for
from workstation.core.ids import RecordId, SampleId
from workstation.core.sample import Project, Sample
from workstation.core.tolerances import (
    CAPTION_MS,
    CAPTION_TOLERANCE,
    CLOCK_MS,
    CLOCK_TOLERANCE,
    SOUND_MS,
    SOUND_TOLERANCE,
    sync_limit_ms,
    tightest_limit_ms,
    time_limit_ms,
)


def project(**tolerances: float) -> Project:
    given = {name.replace("__", ":"): value for name, value in tolerances.items()}
    return Project(id=RecordId("01"), name="p", profile="driving", tolerances=given)


def sample(profile: str = "") -> Sample:
    return Sample(id=SampleId("02"), key="s", profile=profile)


@pytest.mark.parametrize(
    ("tolerance", "usual"),
    [(CLOCK_TOLERANCE, CLOCK_MS), (SOUND_TOLERANCE, SOUND_MS), (CAPTION_TOLERANCE, CAPTION_MS)],
)
def test_each_named_limit_is_the_profiles_then_the_projects_then_the_usual_one(tolerance: str, usual: float) -> None:
    assert time_limit_ms(None, sample(), tolerance, usual) == usual
    assert time_limit_ms(project(), sample(), tolerance, usual) == usual
    said = project(**{tolerance: 7.0, f"{tolerance}__drone": 3.0})
    assert time_limit_ms(said, sample(), tolerance, usual) == 7.0
    assert time_limit_ms(said, sample("drone"), tolerance, usual) == 3.0
    mine = project(**{f"{tolerance}__driving": 4.0})
    assert time_limit_ms(mine, sample(), tolerance, usual) == 4.0  # the project's own profile
    assert time_limit_ms(mine, sample("drone"), tolerance, usual) == usual


def test_one_moment_is_tighter_for_drones_and_what_is_set_for_them_holds_for_them_only() -> None:
    said = project(sync_ms__drone=2.0)
    assert sync_limit_ms(said, sample("drone")) == (2.0, "the project's sync_ms:drone")
    assert sync_limit_ms(said, sample()) == (20.0, "profile driving")
    assert sync_limit_ms(project(sync_ms=9.0), sample("drone")) == (9.0, "the project's sync_ms")
    assert tightest_limit_ms(project(clock_ms__drone=1.0), [sample("drone")], {})[0] == 1.0


def test_slow_things_have_more_time_for_the_same_exactness() -> None:
    """COMP-13: 0.3 m are 18 ms at 60 km/h and 216 ms at 5 km/h."""
    said = in_space(10.0, 0.3)
    assert said == "At 60 km/h 10 ms are 0.17 m, 5% of a lane. 0.3 m leave 18 ms at 60 km/h and 216 ms at 5 km/h."
    assert in_space(10.0, None).endswith("lane.")


def test_what_is_set_is_shown_for_whom_it_was_set() -> None:
    clock = TIME_LIMITS[0]
    said = project(clock_ms=7.0, clock_ms__drone=3.0)
    assert (set_for(said, clock), set_for(said, clock, "drone"), set_for(said, clock, "driving")) == (7.0, 3.0, None)
    assert profiles_in(said, [sample(), sample("drone"), sample("drone")]) == ["driving", "drone"]
    assert [each.usual_for("drone") for each in TIME_LIMITS] == [10.0, 100.0, 500.0, 5.0]
