"""Slower and faster: the pitch stays, the clock knows what is heard, and nothing outside the selection sounds."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sounds import write_wav

from workstation.core.clock import Clock
from workstation.core.timebase import SECOND_NS, TimeRange
from workstation.media.audio import open_audio
from workstation.media.playback import Player, Track
from workstation.media.playback_recorded import RecordedOutput
from workstation.media.playback_stretch import Stretcher

MS = 1_000_000
RATE = 48000
SPEEDS = [Fraction(1, 10), Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(5, 4), Fraction(2), Fraction(4)]


def stretched(
    samples: NDArray[np.float32], start: int, end: int, speed: Fraction
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """What comes out, and which place of the input each sample of it is said to be."""

    def read(first: int, last: int) -> NDArray[np.float32]:
        assert start <= first <= last <= end  # nothing else is ever looked at
        return samples[first:last]

    stretcher = Stretcher(read, start=start, end=end, speed=speed, rate_hz=RATE, channels=samples.shape[1])
    blocks, places, at = [], [], start
    while (step := stretcher.next()) is not None:
        block, first, last = step
        assert first == at  # the steps join
        assert last > first
        at = last
        blocks.append(block)
        places.append(first + np.arange(len(block)) * ((last - first) / len(block)))
    assert at == end
    return np.concatenate(blocks), np.concatenate(places)


def voice(seconds: float) -> NDArray[np.float32]:
    """Harmonics that wander, loud and soft: never quite periodic."""
    time_s = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(130 + 20 * np.sin(2 * np.pi * 1.3 * time_s)) / RATE
    wave = sum(np.sin(k * phase) / k for k in range(1, 12)) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time_s))
    return (0.2 * np.asarray(wave)).astype(np.float32)[:, None]


@pytest.mark.parametrize("speed", SPEEDS)
def test_the_length_follows_the_speed_and_the_pitch_does_not(speed: Fraction) -> None:
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)[:, None]
    out, _ = stretched(tone, 0, len(tone), speed)
    # The first step of 20 ms goes at normal speed, the search is 8 ms.
    assert len(out) == pytest.approx(len(tone) / speed, abs=0.020 * RATE * abs(1 / speed - 1) + 0.028 * RATE / speed)
    middle = out[RATE // 20 : -RATE // 20, 0]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    peak_hz = np.argmax(spectrum) * RATE / len(middle)
    assert peak_hz == pytest.approx(440, abs=max(1.0, 1.5 * RATE / len(middle)))
    assert np.abs(middle).max() < 0.51
    loudness = np.sqrt(np.mean(np.square(middle)))
    assert loudness == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize("speed", SPEEDS)
def test_the_place_of_each_step_is_where_its_sound_comes_from(speed: Fraction) -> None:
    sound = voice(3) + np.float32(0.02) * np.random.default_rng(3).standard_normal((3 * RATE, 1)).astype(np.float32)
    out, places = stretched(sound, 0, len(sound), speed)
    # Where two steps meet nothing is mixed: the samples there are the input's own, at the place that is said.
    whole = np.arange(960, len(out) - 960, 960)
    same = sum(abs(float(out[k - 1, 0] - sound[round(places[k]) - 1, 0])) < 2e-4 for k in whole)
    assert same == len(whole)
    # And what is said never strays from the speed by more than the search and the first step.
    wanted = np.arange(len(out)) * float(speed)
    assert np.abs(places - wanted).max() <= (0.008 + 0.020 * abs(1 - float(speed)) + 0.002) * RATE
    assert (np.diff(places) > 0).all()


@settings(max_examples=40, deadline=None)
@given(
    start=st.integers(0, 3000),
    length=st.integers(1, 9000),
    speed=st.fractions(Fraction(1, 10), Fraction(4), max_denominator=1000),
    seed=st.integers(0, 9),
)
def test_any_selection_ends_where_it_should(start: int, length: int, speed: Fraction, seed: int) -> None:
    sound = np.random.default_rng(seed).uniform(-1, 1, (12_001, 2)).astype(np.float32)
    out, places = stretched(sound, start, start + length, speed)
    assert np.isfinite(out).all()
    assert np.abs(out).max() <= 1
    assert start <= places.min()
    assert places.max() < start + length
    assert np.array_equal(out[: min(960, length)], sound[start : start + min(960, length)])


def test_silence_passes_evenly() -> None:
    _, places = stretched(np.zeros((RATE, 1), np.float32), 0, RATE, Fraction(1, 2))
    assert np.abs(np.diff(places[960:]) - 0.5).max() < 1e-6


@pytest.fixture
def room(tmp_path: Path) -> Iterator[tuple[Clock, RecordedOutput, Player]]:
    clock, output = Clock(TimeRange(0, 4 * SECOND_NS)), RecordedOutput(latency_ns=40 * MS)
    player = Player(clock, output)
    sound = 0.5 * voice(4) + 0.02 * np.random.default_rng(3).standard_normal((4 * RATE, 1)).astype(np.float32)
    write_wav(tmp_path / "a.wav", np.rint(sound * 32767).astype(np.int16), RATE)
    player.set_tracks([Track("mic", open=lambda: open_audio(tmp_path / "a.wav"))])
    yield clock, output, player
    player.close()


@pytest.mark.parametrize("speed", [Fraction(1, 2), Fraction(2)])
def test_the_clock_says_what_is_heard_at_any_speed(
    room: tuple[Clock, RecordedOutput, Player], tmp_path: Path, speed: Fraction
) -> None:
    clock, output, player = room
    reader = open_audio(tmp_path / "a.wav")
    sound = reader.read(0, reader.frames)[:, 0]
    reader.close()
    clock.set_rate(speed)
    clock.seek(SECOND_NS)
    clock.play()
    output.pass_time(player, 40 * MS)
    for _ in range(25):
        output.pass_time(player, 20 * MS)  # one step of the stretcher: where nothing is mixed
        at = output.now_ns() * RATE // SECOND_NS - 1920
        place = clock.time_ns * RATE // SECOND_NS
        around = sound[place - 60 : place + 60]
        heard = output.samples[at - 16 : at, 0]
        misses = [float(np.abs(around[k : k + 16] - heard).max()) for k in range(104)]
        assert np.argmin(misses) - 44 in (-1, 0, 1)
    player.set_mix("mic", player.mix_of("mic"))
    assert clock.playing


def test_another_speed_while_playing_goes_on_without_going_back(room: tuple[Clock, RecordedOutput, Player]) -> None:
    clock, output, player = room
    clock.play()
    before = 0
    for rate in (1, Fraction(1, 2), 2, 1, Fraction(1, 4), 4):
        clock.set_rate(Fraction(rate))
        for _ in range(10):
            output.pass_time(player, 10 * MS)
            assert before <= clock.time_ns <= before + 80 * MS
            before = clock.time_ns
    assert clock.time_ns == pytest.approx((1 + 0.5 + 2 + 1 + 0.25 + 4) * 100 * MS - 40 * MS * 4, abs=150 * MS)


def test_a_slow_loop_stays_in_its_loop(room: tuple[Clock, RecordedOutput, Player]) -> None:
    clock, output, player = room
    clock.set_rate(Fraction(1, 2))
    player.play_range(SECOND_NS, SECOND_NS + 100 * MS, loop=True)
    seen = []
    for _ in range(100):
        output.pass_time(player, 10 * MS)
        seen.append(clock.time_ns)
    assert min(seen) >= SECOND_NS
    assert max(seen) < SECOND_NS + 100 * MS
    assert max(seen) > SECOND_NS + 85 * MS
    assert 3 <= np.count_nonzero(np.diff(seen) < 0) <= 6
