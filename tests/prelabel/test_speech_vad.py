"""Where somebody speaks, in sounds whose loud parts the test put there."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from speech_stand_ins import LoudIsSpeech, silence, voice

from workstation.core.errors import DataError
from workstation.prelabel.api import BadOutput
from workstation.prelabel.speech_sound import RATE_HZ, Resampler, as_speech, one_channel
from workstation.prelabel.speech_vad import (
    Listening,
    SpeechLimits,
    chunks_of,
    listen,
    probabilities,
    segments,
)

TALK = np.concatenate([silence(1.0), voice(1.5, 120), silence(0.8), voice(0.6, 120), silence(1.0)])


def test_spans_are_where_the_sound_is() -> None:
    found = segments(probabilities(LoudIsSpeech(), [TALK]), length_s=len(TALK) / RATE_HZ)
    assert [(round(each.start_s, 1), round(each.end_s, 1)) for each in found] == [(1.0, 2.5), (3.3, 3.9)]
    assert all(each.label == "speech" and 0 < each.score <= 1 for each in found)


@given(cuts=st.lists(st.integers(0, len(TALK)), max_size=6))
@settings(max_examples=30, deadline=None)
def test_the_answer_does_not_depend_on_how_the_sound_is_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(TALK)]
    pieces = [TALK[start:end] for start, end in itertools.pairwise(edges)]
    assert np.array_equal(probabilities(LoudIsSpeech(), pieces), probabilities(LoudIsSpeech(), [TALK]))


def test_a_paused_job_goes_on_as_if_it_had_never_stopped() -> None:
    whole, _ = listen(LoudIsSpeech(), TALK, Listening(), last=True)
    first, kept = listen(LoudIsSpeech(), TALK[:20_001], Listening())
    rest, _ = listen(LoudIsSpeech(), TALK[20_001:], kept, last=True)
    assert np.array_equal(np.concatenate([first, rest]), whole)


def test_no_call_of_the_graph_is_longer_than_sixteen_seconds() -> None:
    graph = LoudIsSpeech()
    probabilities(graph, [silence(60.0)])
    assert max(graph.calls) <= 512


def probable(*parts: tuple[int, float]) -> Any:
    return np.concatenate([np.full(count, value, np.float32) for count, value in parts])


def test_speech_holds_on_through_a_dip_that_stays_above_the_lower_limit() -> None:
    dip = probable((20, 0.0), (20, 0.9), (20, 0.4), (20, 0.9), (20, 0.0))
    assert len(segments(dip)) == 1
    assert len(segments(dip, SpeechLimits(on=0.5, off=0.45))) == 2
    assert segments(probable((50, 0.45))) == []


def test_short_noises_and_short_pauses_are_no_matter() -> None:
    assert segments(probable((20, 0.0), (5, 0.9), (20, 0.0))) == []
    assert len(segments(probable((20, 0.0), (20, 0.9), (2, 0.0), (20, 0.9), (20, 0.0)))) == 1


@given(values=st.lists(st.floats(0, 1, width=32), max_size=200), pad=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_spans_are_in_order_apart_and_within_the_sound(values: list[float], pad: float) -> None:
    length = max(0.0, len(values) * 0.032 - 0.01)
    found = segments(np.array(values, np.float32), SpeechLimits(pad_s=pad, shortest_s=0.0), length_s=length)
    edges = [edge for each in found for edge in (each.start_s, each.end_s)]
    assert edges == sorted(edges)
    assert all(each.end_s > each.start_s for each in found)
    assert not edges or (edges[0] >= 0 and edges[-1] <= length)


def test_limits_come_from_a_manifest() -> None:
    assert SpeechLimits.of({"score": 0.7}).on == 0.7
    assert SpeechLimits.of({"score": 0.7}).off == pytest.approx(0.55)
    assert SpeechLimits.of({}) == SpeechLimits()


def test_pieces_for_a_recogniser_are_short_and_cut_where_it_is_quiet() -> None:
    long = probable((1000, 0.9))
    long[700:703] = 0.36
    (span,) = segments(long)
    pieces = chunks_of([span], long)
    assert all(piece.length_s <= 28 for piece in pieces)
    assert pieces[0].end_s == pytest.approx(700.5 * 0.032, abs=0.1)
    assert pieces[0].start_s == span.start_s
    assert pieces[-1].end_s == span.end_s
    assert all(a.end_s == b.start_s for a, b in itertools.pairwise(pieces))


def test_neighbours_go_through_together() -> None:
    values = probable((20, 0.9), (20, 0.0), (20, 0.9), (200, 0.0), (20, 0.9))
    assert len(segments(values)) == 3
    assert len(chunks_of(segments(values), values)) == 2


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ({}, "speech_probs"),
        ({"speech_probs": np.zeros(3)}, "shape"),
        ({"speech_probs": np.full(10, np.nan)}, "not a number"),
        ({"speech_probs": np.full(10, 7.0)}, "between 0 and 1"),
        ({"speech_probs": np.zeros(10), "hn": np.zeros((1, 128))}, "hn"),
    ],
)
def test_a_graph_that_answers_nonsense_is_named(answer: dict[str, Any], word: str) -> None:
    class Bad:
        def run(self, feeds: Any) -> Any:
            return {"speech_probs": np.zeros(10), "hn": feeds["h"], "cn": feeds["c"], **answer} if answer else {}

    with pytest.raises(BadOutput, match=word):
        listen(Bad(), silence(0.32), Listening())


def test_nothing_is_heard_in_nothing() -> None:
    assert len(probabilities(LoudIsSpeech(), [])) == 0
    assert segments(np.zeros(0, np.float32)) == []
    assert chunks_of([], np.zeros(0, np.float32)) == []


def test_many_channels_whole_numbers_and_what_is_no_number_become_one_plain_channel() -> None:
    many = np.zeros((100, 64), np.float32)
    many[:, 3] = 0.64
    assert one_channel(many) == pytest.approx(np.full(100, 0.01), abs=1e-6)
    assert one_channel(np.array([32767, -32767], np.int16)) == pytest.approx([1.0, -1.0])
    assert one_channel(np.array([np.nan, np.inf, -np.inf, 5.0])) == pytest.approx([0, 0, 0, 1])
    assert len(one_channel(np.zeros((5, 0)))) == 0
    with pytest.raises(DataError, match="dimensions"):
        one_channel(np.zeros((2, 2, 2)))


@pytest.mark.parametrize("rate", [0, -1, 10**9])
def test_a_rate_that_is_none_is_refused(rate: int) -> None:
    with pytest.raises(DataError, match="samples a second"):
        Resampler(rate)


def test_a_sound_in_chunks_is_resampled_as_one() -> None:
    t = np.arange(44_100) / 44_100
    sound = np.sin(2 * np.pi * 440 * t).astype(np.float32)
    resampler = Resampler(44_100)
    parts = [resampler.feed(sound[start : start + 5000]) for start in range(0, len(sound), 5000)]
    made = np.concatenate([*parts, resampler.flush()])
    assert len(made) == pytest.approx(RATE_HZ, abs=2)
    expected = np.asarray(soxr.resample(sound, 44_100, RATE_HZ), np.float32)
    both = min(len(made), len(expected))
    assert made[100 : both - 100] == pytest.approx(expected[100 : both - 100], abs=1e-3)
    assert np.array_equal(as_speech(TALK, RATE_HZ), np.clip(TALK, -1, 1))
