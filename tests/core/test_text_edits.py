"""Places in a text after it was edited: laws against a plain model, and the cases a person would name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.text_edits import edits_between, quote, rebased


def after(old: str, new: str, start: int, end: int) -> str:
    return quote(new, rebased([(start, end)], edits_between(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "part", "kept"),
    [
        ("the red car", "the red car", "car", "car"),
        ("the red car", "oh the red car", "car", "car"),
        ("the red car", "the red cars", "car", "cars"),
        ("the red car", "the crimson car", "red", "crimson"),
        ("the red car", "the car", "red", ""),
        ("the red car", "the car", "red car", "car"),
        ("the red car", "the old red car", "red", "red"),
        ("the red car", "the red and green car", "red", "red"),
        ("the red car", "", "car", ""),
        ("naïve 🚗 car", "a naïve 🚗 car", "🚗", "🚗"),
    ],
)
def test_a_span_stays_on_its_words(old: str, new: str, part: str, kept: str) -> None:
    start = old.index(part)
    assert after(old, new, start, start + len(part)) == kept


def test_parts_that_meet_become_one_and_lost_parts_are_left_out() -> None:
    edits = edits_between("ab cd ef", "abef")
    assert rebased([(0, 2), (3, 5), (6, 8)], edits) == ((0, 4),)


text = st.text(alphabet="ab c", max_size=30)


@given(head=text, span=st.text(alphabet="xyz", min_size=1, max_size=8), tail=text, other=text)
def test_an_edit_before_or_behind_a_span_leaves_it_alone(head: str, span: str, tail: str, other: str) -> None:
    old, start = f"{head} {span} {tail}", len(head) + 1
    for new in (f"{other} {span} {tail}", f"{head} {span} {other}"):
        assert after(old, new, start, start + len(span)) == span


@given(old=text, new=text)
def test_the_edits_turn_the_old_text_into_the_new(old: str, new: str) -> None:
    built, at = "", 0
    for old_start, old_end, new_start, new_end, _, _ in edits_between(old, new):
        built += old[at:old_start] + new[new_start:new_end]
        at = old_end
    assert built + old[at:] == new


@given(old=text, new=text, data=st.data())
def test_what_comes_out_always_lies_in_the_new_text(old: str, new: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(old)))
    end = data.draw(st.integers(start, len(old)))
    for first, last in rebased([(start, end)], edits_between(old, new)):
        assert 0 <= first < last <= len(new)


def test_a_very_long_text_is_edited_at_once() -> None:
    old = "word " * 200_000
    (edit,) = edits_between(old, old[:500_000] + "x" + old[500_000:])
    assert (edit.old_start, edit.old_end, edit.new_end) == (500_000, 500_004, 500_005)
