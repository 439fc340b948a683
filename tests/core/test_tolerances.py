"""The tightest tolerance of a project, against lists worked out by hand."""

from __future__ import annotations

import pytest

from workstation.core.ids import RecordId, SampleId
from workstation.core.sample import Project, Sample
from workstation.core.tolerances import tightest_limit_ms

DRONE = Sample(id=SampleId("1"), key="flight", profile="drone")
PLAIN = Sample(id=SampleId("2"), key="plain")


@pytest.mark.parametrize(
    ("tolerances", "profile", "samples", "links", "tightest"),
    [
        ({}, "general", [PLAIN], {}, (10.0, "what a clock may be off")),
        ({}, "general", [PLAIN, DRONE], {}, (5.0, "profile drone")),
        ({"clock_ms": 2.0}, "general", [DRONE], {}, (2.0, "what a clock may be off")),
        ({"sync_ms": 7.0}, "general", [DRONE], {}, (7.0, "the project's sync_ms")),
        ({}, "driving", [], {"speaks": {"time_ms": 3.0}, "near": {"metres": 0.1}}, (3.0, "the link speaks")),
        ({"clock_ms": 400.0, "video_sound_ms": 60.0}, "dialogue", [PLAIN], {}, (45.0, "profile dialogue")),
        ({"clock_ms": 400.0, "video_sound_ms": 6.0}, "dialogue", [], {}, (6.0, "what is seen and heard at once")),
    ],
)
def test_the_tightest_is_the_least_of_all_that_are_in_use(
    tolerances: dict[str, float],
    profile: str,
    samples: list[Sample],
    links: dict[str, dict[str, float]],
    tightest: tuple[float, str],
) -> None:
    project = Project(id=RecordId("0"), name="p", profile=profile, tolerances=tolerances)
    assert tightest_limit_ms(project, samples, links) == tightest
