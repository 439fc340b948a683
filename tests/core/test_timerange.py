"""Half-open ranges, judged against the plain sets of whole numbers they stand for."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.core.timebase import LIMIT_NS, TimeRange, intersections, uncovered, union

small = st.integers(-6, 12)
ranges = st.builds(lambda a, b: TimeRange(min(a, b), max(a, b)), small, small)


def members(*given_ranges: TimeRange) -> set[int]:
    """The nanoseconds of the ranges; an instant holds its own."""
    return {t for r in given_ranges for t in (range(r.start_ns, r.end_ns) if r.end_ns > r.start_ns else [r.start_ns])}


@given(ranges, ranges)
def test_pairs_agree_with_sets(a: TimeRange, b: TimeRange) -> None:
    shared = members(a) & members(b)
    assert a.overlaps(b) == bool(shared)
    both = a.intersection(b)
    assert (set() if both is None else members(both)) == shared
    assert a.contains_range(b) == (members(b) <= members(a) and (b.is_instant or not a.is_instant))
    assert a.hull(b) == TimeRange(min(a.start_ns, b.start_ns), max(a.end_ns, b.end_ns))
    durations = 0 if a.is_instant or b.is_instant else len(shared)
    assert a.overlap_ns(b) == durations
    assert both is None or both.is_instant == (a.is_instant or b.is_instant)


@given(st.lists(ranges, max_size=6), st.lists(ranges, max_size=6))
@example([TimeRange(0, 5), TimeRange(5, 5)], [TimeRange(5, 5)])
@example([TimeRange(0, 5), TimeRange(5, 5), TimeRange(5, 7)], [TimeRange(4, 4), TimeRange(4, 6)])
def test_collections_agree_with_sets(left: list[TimeRange], right: list[TimeRange]) -> None:
    joined = union(left)
    assert members(*joined) == members(*left)
    assert list(joined) == sorted(joined)
    assert sum(len(members(r)) for r in joined) == len(members(*left)), "disjoint"
    assert members(*intersections(left, right)) == members(*left) & members(*right)


@given(ranges, st.lists(ranges, max_size=6))
def test_what_is_left_uncovered(within: TimeRange, covers: list[TimeRange]) -> None:
    lasting = [r for r in covers if not r.is_instant]
    inside = set() if within.is_instant else members(within)
    assert members(*uncovered(within, covers)) == inside - members(*lasting)


def test_touching_ranges_do_not_overlap_and_are_joined() -> None:
    a, b = TimeRange(0, 10), TimeRange(10, 20)
    assert not a.overlaps(b)
    assert union([b, a]) == (TimeRange(0, 20),)
    assert union([a, TimeRange.instant(10)]) == (a, TimeRange.instant(10)), "an instant on the open end is outside"


def test_distance_between_ranges() -> None:
    assert TimeRange(0, 10).distance_ns(TimeRange(25, 30)) == 15
    assert TimeRange(25, 30).distance_ns(TimeRange(0, 10)) == 15
    assert TimeRange(0, 10).distance_ns(TimeRange(5, 6)) == 0


def test_an_instant_says_so() -> None:
    mark = TimeRange.instant(14_327_000_000)
    assert mark.is_instant
    assert mark.duration_ns == 0
    assert mark.contains(14_327_000_000)
    assert not mark.contains(14_327_000_001)
    assert mark.moved(-27).start_ns == mark.moved(-27).end_ns == 14_326_999_973


@pytest.mark.parametrize(
    ("start_ns", "end_ns", "words"),
    [(5, 4, "swap"), (-LIMIT_NS, 0, "146 years"), (0, LIMIT_NS, "146 years"), (0, 1 << 80, "146 years")],
)
def test_impossible_ranges_are_refused_in_a_sentence(start_ns: int, end_ns: int, words: str) -> None:
    with pytest.raises(DataError, match=words):
        TimeRange(start_ns, end_ns)


@given(ranges)
def test_json_round_trip(given_range: TimeRange) -> None:
    assert msgspec.json.decode(msgspec.json.encode(given_range), type=TimeRange) == given_range
