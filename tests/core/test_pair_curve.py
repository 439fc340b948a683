"""The limit between pairs that belong together and crossed ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workstation.core.pair_curve import pair_curve, suggested_limit

scores = st.lists(st.floats(-1, 1), max_size=30)


@given(own=scores, crossed=scores)
def test_moving_the_limit_up_flags_and_catches_no_fewer(own: list[float], crossed: list[float]) -> None:
    points = pair_curve(own, crossed)
    assert [point.limit for point in points] == sorted(point.limit for point in points)
    for point in points:
        assert point.flagged == sum(score < point.limit for score in own)
    assert [each.flagged for each in points] == sorted(each.flagged for each in points)
    assert [each.caught for each in points] == sorted(each.caught for each in points)
    assert not points or (points[0].flagged == 0 and points[-1].flagged == len(own))


def test_the_suggested_limit_parts_them() -> None:
    own = [0.6, 0.62, 0.7, 0.58, 0.66, 0.61, 0.05, 0.64, 0.6]
    crossed = [0.1, 0.0, 0.2, 0.15, 0.05, -0.1, 0.12, 0.3, 0.08]
    limit = suggested_limit(own, crossed)
    assert limit is not None
    assert 0.3 < limit < 0.58


def test_too_few_pairs_and_pairs_that_do_not_part_suggest_nothing() -> None:
    assert suggested_limit([0.6] * 7, [0.1] * 50) is None
    alike = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    assert suggested_limit(alike, alike) is None
    assert suggested_limit([], []) is None
