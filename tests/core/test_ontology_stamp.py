"""Work on an old ontology version waits until it is updated."""

from __future__ import annotations

import pytest

from workstation.core.annotation import Entity
from workstation.core.ids import EntityId, SampleId
from workstation.core.ontology_stamp import stamped, version_problem


@pytest.mark.parametrize(
    ("given", "in_force", "stored", "words"),
    [
        (2, 2, None, None),
        (0, 2, None, None),
        (1, 2, 1, None),
        (1, 2, None, "made under ontology version 1; version 2 is in force"),
        (1, 3, 2, "made under ontology version 1; version 3 is in force"),
        (3, 2, None, "claims ontology version 3; the newest in force is 2"),
        (3, 2, 3, "claims ontology version 3"),
    ],
)
def test_an_old_version_is_refused_unless_the_label_lies_there_already(
    given: int, in_force: int, stored: int | None, words: str | None
) -> None:
    problem = version_problem(given, in_force, stored)
    assert (problem is None) if words is None else (problem is not None and words in problem)


def test_a_label_is_stamped_with_the_version_that_accepts_it() -> None:
    entity = Entity(id=EntityId("e"), sample=SampleId("s"), class_id="car", ontology_version=1)
    assert stamped(entity, 2).ontology_version == 2
    assert stamped(entity, 1) is entity
