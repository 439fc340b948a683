"""Which things stand somehow to one, held against the same question put pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.cuboid_rows import still_rows
from workstation.core.geometry import Cuboid
from workstation.core.statement import Relation
from workstation.core.statement_others import InSpace, InTime
from workstation.core.timerange import TimeRange

S = 1_000_000_000
RANGES = st.builds(
    lambda start, length: TimeRange(start * S, (start + length) * S), st.integers(-5, 5), st.integers(0, 4)
)


def stands(relation: Relation, one: TimeRange, other: TimeRange, amount_s: float) -> bool:
    return {
        Relation.NEAR_IN_TIME: one.distance_ns(other) <= amount_s * 1e9,
        Relation.DURING: other.start_ns <= one.start_ns and one.end_ns <= other.end_ns,
        Relation.OVERLAPS: one.overlaps(other),
        Relation.BEFORE: one.end_ns <= other.start_ns,
        Relation.AFTER: one.start_ns >= other.end_ns,
    }[relation]


@given(
    st.lists(st.lists(RANGES, max_size=3), max_size=5),
    RANGES,
    st.sampled_from([Relation.NEAR_IN_TIME, Relation.DURING, Relation.OVERLAPS, Relation.BEFORE, Relation.AFTER]),
    st.sampled_from([0.0, 0.5, 1.0, 2.0, 1e30]),
)
def test_all_at_once_says_what_every_pair_says(
    others: list[list[TimeRange]], one: TimeRange, relation: Relation, amount_s: float
) -> None:
    found = InTime(others).standing(relation, one, amount_s).tolist()
    wanted = [at for at, times in enumerate(others) if any(stands(relation, one, each, amount_s) for each in times)]
    assert sorted(set(found)) == wanted
    assert found == sorted(found)


@pytest.mark.parametrize(("amount_m", "found"), [(4.0, []), (6.0, [0]), (50.0, [0, 1])])
def test_who_is_far_away_or_in_another_root_is_not_asked(amount_m: float, found: list[int]) -> None:
    rows = [still_rows(root, Cuboid((x, 0.0, 0.0), (1, 1, 1))) for root, x in (("w", 5), ("w", 40), ("other", 0))]
    space = InSpace(rows)
    places = np.array([[0.0, 0.0, 0.0], [np.nan] * 3])
    assert space.near("w", np.array([0, S]), places, amount_m).tolist() == found
    assert space.near("w", np.array([0]), places[1:], amount_m).tolist() == []
    assert InSpace([]).near("w", np.array([0, S]), places, amount_m).tolist() == []
