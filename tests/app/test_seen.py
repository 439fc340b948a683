"""What was seen: ranges against sets of numbers, lines against times worked out by hand, and files that are damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.app.seen import Seen, Stretches, keep_seen, read_seen, seen_path
from workstation.core.ids import SampleId, StreamId
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import TimeMap, TimeRange

S = 1_000_000_000
CAMERA = Stream(id=StreamId("c"), sample=SampleId("s"), key="front", kind=StreamKind.VIDEO, time_map=TimeMap())
PIECES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=20)


@given(PIECES, st.integers(0, 60), st.integers(0, 60))
def test_stretches_hold_exactly_what_was_put_in(pieces: list[tuple[int, int]], start: int, end: int) -> None:
    held, truth = Stretches(), set[int]()
    for a, b in pieces:
        new = set(range(a, b)) - truth
        assert held.add(a, b) is bool(new)
        truth |= new
    assert {number for a, b in held.pieces for number in range(a, b)} == truth
    assert all(first[1] < second[0] for first, second in zip(held.pieces, held.pieces[1:], strict=False))
    cut = {number for a, b in held.within(start, end) for number in range(a, b)}
    assert cut == truth & set(range(start, end))


def test_a_line_counts_what_there_was_to_see_and_says_where_to_go_on() -> None:
    seen = Seen("s")
    seen.saw_time("c", -S, 2 * S)
    seen.saw_time("c", 3 * S, 5 * S)
    row = seen.row(CAMERA, TimeRange(0, 10 * S), (TimeRange(4 * S, 6 * S),))
    assert row.pieces == ((0, 2 * S), (3 * S, 4 * S))
    assert row.words == "3.0 of 8.0 s"
    assert row.share == 3 / 8
    assert row.first_unseen == 2 * S
    seen.saw_time("c", 0, 10 * S)
    whole = seen.row(CAMERA, TimeRange(0, 10 * S), (TimeRange(4 * S, 6 * S),))
    assert (whole.share, whole.first_unseen, whole.words) == (1.0, None, "8.0 of 8.0 s")


def test_slices_are_counted_one_by_one_and_news_is_only_what_is_new() -> None:
    seen = Seen("s")
    for number in (3, 4, 3, 0):
        seen.saw_item("c", number)
    assert seen.news == 3
    row = seen.items_row(CAMERA, 5, "slices")
    assert (row.words, row.first_unseen) == ("3 of 5 slices", 1)


def test_it_is_kept_by_project_and_sample(tmp_path: Path) -> None:
    seen = read_seen(tmp_path / "p", "one", tmp_path / "home")
    seen.saw_time("c", 5, 9)
    seen.saw_item("v", 2)
    keep_seen(tmp_path / "p", seen, tmp_path / "home")
    keep_seen(tmp_path / "p", Seen("two"), tmp_path / "home")
    again = read_seen(tmp_path / "p", "one", tmp_path / "home")
    assert again.row(CAMERA, TimeRange(0, 10), ()).pieces == ((5, 9),)
    assert again.news == 0
    assert read_seen(tmp_path / "q", "one", tmp_path / "home").row(CAMERA, TimeRange(0, 10), ()).pieces == ()


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"one": {"times": {"c": [[1]]}}}', b'{"one": {"times": {"c": [["a", 2]]}}}',
     b'{"one": {"times": {"c": [[1e999, 2]]}}}', b'{"one": {"times": {"c": [[0, 99999999999999999999999]]}}}',
     b"[" * 100_000],
)  # fmt: skip
@pytest.mark.expect_log("what was seen before is forgotten")
def test_a_damaged_file_counts_for_nothing(tmp_path: Path, data: bytes) -> None:
    path = seen_path(tmp_path / "p", tmp_path)
    path.parent.mkdir()
    path.write_bytes(data)
    assert read_seen(tmp_path / "p", "one", tmp_path).row(CAMERA, TimeRange(0, 10), ()).pieces == ()


def test_ranges_that_run_backwards_in_a_file_are_no_ranges(tmp_path: Path) -> None:
    path = seen_path(tmp_path / "p", tmp_path)
    path.parent.mkdir()
    path.write_bytes(b'{"one": {"times": {"c": [[9, 5], [6, 8], [7, 9]]}}}')
    assert read_seen(tmp_path / "p", "one", tmp_path).row(CAMERA, TimeRange(0, 10), ()).pieces == ((6, 9),)
