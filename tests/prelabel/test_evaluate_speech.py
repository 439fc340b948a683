"""Error rates, held against counting written out and against cases worked by hand."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.prelabel.evaluate_speech import (
    Turn,
    WordErrors,
    counted_errors,
    plain_words,
    read_rttm,
    turn_errors,
    word_errors,
)

words = st.lists(st.sampled_from(["a", "b", "c"]), max_size=7)


def fewest(true: tuple[str, ...], said: tuple[str, ...]) -> int:
    @cache
    def cost(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(cost(i - 1, j) + 1, cost(i, j - 1) + 1, cost(i - 1, j - 1) + (true[i - 1] != said[j - 1]))

    return cost(len(true), len(said))


@given(true=words, said=words)
@settings(max_examples=150, deadline=None)
def test_the_errors_are_the_fewest_changes(true: list[str], said: list[str]) -> None:
    found = counted_errors(true, said)
    assert found.substituted + found.deleted + found.inserted == fewest(tuple(true), tuple(said))
    assert len(true) - found.deleted + found.inserted == len(said)


def test_words_are_compared_without_capitals_and_signs() -> None:
    assert plain_words("“Don’t stop!” — it's 3.5 well-known, मैं 北京") == [
        "don't", "stop", "it's", "3", "5", "well-known", "मैं", "北京",
    ]  # fmt: skip
    assert word_errors("The cat sat.", "the bat sat down").rate == pytest.approx(2 / 3)
    assert word_errors("", "something").rate is None
    assert word_errors("one two", "") == WordErrors(substituted=0, deleted=2, inserted=0, words=2)


def turn(start: float, end: float, who: str) -> Turn:
    return Turn(start_s=start, end_s=end, speaker=who)


def test_missed_invented_and_confused_speech_by_hand() -> None:
    truth = [turn(0, 10, "ana"), turn(10, 20, "bob")]
    found = [turn(0, 9, "1"), turn(9, 12, "1"), turn(12, 18, "2"), turn(22, 24, "2")]
    made = turn_errors(truth, found, collar_s=0.0)
    assert (made.missed_s, made.false_s, made.confused_s, made.speech_s) == pytest.approx((2, 2, 2, 20))
    assert made.rate == pytest.approx(0.3)
    # The collar leaves half a second around 0, 10 and 20 out: of the truth 0.5 + 1 + 0.5 s.
    eased = turn_errors(truth, found, collar_s=0.5)
    assert (eased.missed_s, eased.false_s, eased.confused_s, eased.speech_s) == pytest.approx((1.5, 2, 1.5, 18))


def test_two_voices_at_once_count_for_both() -> None:
    truth = [turn(0, 10, "ana"), turn(4, 6, "bob")]
    made = turn_errors(truth, [turn(0, 10, "1")], collar_s=0.0)
    assert (made.missed_s, made.confused_s, made.speech_s) == pytest.approx((2, 0, 12))
    assert turn_errors(truth, [turn(0, 10, "x"), turn(4, 6, "y")]).rate == 0
    assert turn_errors([], []).rate is None


@given(
    spans=st.lists(st.tuples(st.floats(0, 50), st.floats(0.1, 9), st.sampled_from("abc")), min_size=1, max_size=6),
    collar=st.floats(0, 0.5),
)
@settings(max_examples=60, deadline=None)
def test_other_names_for_the_same_turns_are_no_error(spans: list[tuple[float, float, str]], collar: float) -> None:
    truth = [turn(start, start + length, who) for start, length, who in spans]
    found = [turn(each.start_s, each.end_s, {"a": "z", "b": "y", "c": "x"}[each.speaker]) for each in truth]
    made = turn_errors(truth, found, collar_s=collar)
    assert made.missed_s + made.false_s + made.confused_s == pytest.approx(0)


def test_what_is_judged_ends_where_it_is_said_to() -> None:
    made = turn_errors([turn(0, 10, "a")], [turn(0, 30, "b")], collar_s=0.0, length_s=12)
    assert made.false_s == pytest.approx(2)
    with pytest.raises(DataError, match="nan"):
        turn_errors([turn(float("nan"), 1, "a")], [])


def test_rttm_is_read_and_what_is_wrong_is_named() -> None:
    text = ";; a comment\nSPEAKER r1 1 1.5 2 <NA> <NA> ana <NA> <NA>\nSPEAKER r2 1 0 1 <NA> <NA> bob <NA> <NA>\n"
    assert read_rttm(text, recording="r1") == [turn(1.5, 3.5, "ana")]
    for bad in ("SPEAKER r1 1 x 2 <NA> <NA> a", "SPEAKER r1 1 1", "SPEAKER r1 1 -1 2 <NA> <NA> a",
                "SPEAKER r1 1 nan 2 <NA> <NA> a"):  # fmt: skip
        with pytest.raises(DataError, match="line 1"):
            read_rttm(bad)


@pytest.mark.parametrize(
    ("truth", "heard", "rate"),
    [
        ("the birch canoe slid on the smooth planks", "the birch can ooze lid on the smooth plank", 0.5),
        ("it was the best of times it was the worst of times", "it was the best of times the worst of times", 2 / 12),
        ("four score and seven years ago", "for score in seven years", 0.5),
        ("a", "a b c d", 3.0),
        ("one two three four five six", "six five four three two one", 1.0),
        ("the cat the cat the cat", "the cat cat the cat the", 2 / 6),
    ],
)
def test_the_rate_is_jiwers(truth: str, heard: str, rate: float) -> None:
    """What jiwer 4.0.0 answers for these; which changes it counts differs from ours where several are as few."""
    made = counted_errors(truth.split(), heard.split())
    assert made.rate == pytest.approx(rate)
