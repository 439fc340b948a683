"""What a device gets is what was asked for, to the sample, and the clock says what is heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sounds import encode, impulses, peak_near, write_wav

from workstation.core.clock import Clock, TimeCause, TimeChanged
from workstation.core.errors import DataError, UserError
from workstation.core.timebase import SECOND_NS, TimeMap, TimeRange
from workstation.core.timemap import knot_map, offset_map, rate_map
from workstation.media.audio import open_audio
from workstation.media.base import AudioReader
from workstation.media.playback import OutputState, Player, PositionSource, SilentOutput, Track, TrackMix
from workstation.media.playback_recorded import RecordedOutput

MS = 1_000_000
RATE = 48000


class Room:
    """A clock, a player and a device that writes down."""

    def __init__(self, span_s: float, **device: int) -> None:
        self.clock = Clock(TimeRange(0, round(span_s * SECOND_NS)))
        self.output = RecordedOutput(**device)
        self.player = Player(self.clock, self.output)
        self.times: list[TimeChanged] = []
        self.clock.time_changed.connect(self._hear)

    def _hear(self, change: TimeChanged) -> None:
        self.times.append(change)

    def pass_time(self, time_ns: int) -> None:
        self.output.pass_time(self.player, time_ns)

    def heard(self, work: Callable[[], object], time_ns: int) -> NDArray[np.float32]:
        """What the device got meanwhile, in 16 bits, without the silence before and after."""
        begin = len(self.output.samples)
        work()
        self.pass_time(time_ns)
        got = self.output.samples[begin:] * 32768
        loud = np.flatnonzero(got.any(axis=1))
        return got[loud[0] : loud[-1] + 1] if len(loud) else got[:0]


@pytest.fixture
def room() -> Iterator[Callable[..., Room]]:
    rooms: list[Room] = []

    def make(span_s: float, **device: int) -> Room:
        rooms.append(Room(span_s, **device))
        return rooms[-1]

    yield make
    for each in rooms:
        each.player.close()


def track(path: Path, time_map: TimeMap | None = None, key: str = "mic") -> Track:
    return Track(key, open=lambda: open_audio(path), time_map=time_map or TimeMap())


def noise(path: Path, *, seconds: float = 3, channels: int = 1, rate: int = RATE, seed: int = 0) -> NDArray[np.int16]:
    """Never silent, so that the first and last sample that were played can be told."""
    rng = np.random.default_rng(seed)
    samples = rng.integers(1, 8000, (round(rate * seconds), channels)).astype(np.int16)
    write_wav(path, samples, rate)
    return samples


def times_of(count: int, rate: int, offset_ns: int = 0) -> NDArray[np.int64]:
    """Session times of samples, rounded half up, in Python's whole numbers."""
    return np.array([offset_ns + (2 * i * SECOND_NS + rate) // (2 * rate) for i in range(count)], np.int64)


LOSSLESS = [("pcm_s16le", "wav"), ("flac", "flac"), ("alac", "m4a"), ("pcm_s16le", "mov")]
LOSSY = [("libmp3lame", "mp3"), ("aac", "m4a"), ("libopus", "opus"), ("aac", "mp4")]


@pytest.mark.parametrize(("codec", "suffix"), LOSSLESS + LOSSY)
def test_planted_impulses_reach_the_device_at_their_sample(
    room: Callable[..., Room], tmp_path: Path, codec: str, suffix: str
) -> None:
    signal, positions = impulses(RATE, seconds=3)
    encode(tmp_path / f"clap.{suffix}", codec, signal, RATE)
    slack = 1 if (codec, suffix) in LOSSY else 0
    here = room(5)
    here.player.set_tracks([track(tmp_path / f"clap.{suffix}")])
    for position in positions:
        begin = len(here.output.samples)
        start = position - 700
        here.player.play_range(int(times_of(start + 1, RATE)[start]), (position + 900) * SECOND_NS // RATE)
        here.pass_time(80 * MS)
        assert abs(peak_near(here.output.samples[begin:], 700) - 700) <= slack
        assert not here.clock.playing


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start_ns=st.integers(0, 1_500 * MS),
    length_ns=st.integers(1, 200 * MS),
    offset_ns=st.integers(-500 * MS, 500 * MS),
    rate=st.sampled_from([44100, 48000, 16000]),
)
def test_a_selection_is_exactly_its_samples(
    room: Callable[..., Room], tmp_path: Path, start_ns: int, length_ns: int, offset_ns: int, rate: int
) -> None:
    path = tmp_path / f"{rate}.wav"
    samples = noise(path, rate=rate, seconds=1)
    here = room(2, rate_hz=rate)
    here.player.set_tracks([track(path, offset_map(offset_ns))])
    end_ns = start_ns + length_ns
    got = here.heard(lambda: here.player.play_range(start_ns, end_ns), length_ns + 100 * MS)
    times = times_of(len(samples), rate, offset_ns)
    wanted = samples[(times >= start_ns) & (times < end_ns), 0]
    assert np.array_equal(got, np.stack([wanted, wanted], axis=1))
    assert not here.clock.playing
    assert here.clock.time_ns == end_ns
    here.player.close()


def test_a_loop_repeats_its_samples_without_a_seam(room: Callable[..., Room], tmp_path: Path) -> None:
    samples = noise(tmp_path / "a.wav", channels=2)
    here = room(3)
    here.player.set_tracks([track(tmp_path / "a.wav")])
    start, end = 30_001, 33_333
    range_ns = times_of(end + 1, RATE)
    here.player.play_range(int(range_ns[start]), int(range_ns[end]), loop=True)
    here.pass_time(400 * MS)
    got = here.output.samples * 32768
    times = len(got) // (end - start)
    assert times >= 5
    assert np.array_equal(got[: times * (end - start)], np.tile(samples[start:end], (times, 1)))
    assert here.clock.loop == TimeRange(int(range_ns[start]), int(range_ns[end]))
    assert all(here.clock.loop.start_ns <= each.time_ns < here.clock.loop.end_ns for each in here.times[1:])
    assert sum(each.time_ns < each.before_ns for each in here.times) >= 4


@pytest.mark.parametrize("latency_ms", [0, 7, 40, 180])
def test_the_clock_says_which_sample_is_heard(room: Callable[..., Room], tmp_path: Path, latency_ms: int) -> None:
    noise(tmp_path / "a.wav")
    here = room(3, latency_ns=latency_ms * MS)
    here.player.set_tracks([track(tmp_path / "a.wav")])
    here.clock.seek(500 * MS)
    here.clock.play()
    for _ in range(60):
        here.pass_time(10 * MS)
        heard = max(0, here.output.now_ns() - latency_ms * MS)  # playing began with the device's first sample
        assert here.clock.time_ns == pytest.approx(500 * MS + heard, abs=25_000)  # one sample
        assert here.player.status.source is PositionSource.SOUND
    assert {each.cause for each in here.times[1:]} == {TimeCause.AUDIO}


def test_a_compensation_moves_the_clock_and_not_the_sound(room: Callable[..., Room], tmp_path: Path) -> None:
    samples = noise(tmp_path / "a.wav")
    here = room(3, latency_ns=40 * MS)
    here.player.set_tracks([track(tmp_path / "a.wav")])
    here.player.set_offset("recording", 120 * MS)
    here.player.set_offset("another device", -1)
    here.clock.play()
    here.pass_time(100 * MS)
    assert here.clock.time_ns == 0  # the first sample is not heard before 160 ms
    here.pass_time(400 * MS)
    assert here.clock.time_ns == pytest.approx(340 * MS, abs=25_000)
    assert np.array_equal(here.output.samples[:1000, 0] * 32768, samples[:1000, 0])
    here.player.set_offset("recording", -60 * MS)  # the picture is later than the sound
    here.pass_time(10 * MS)
    assert here.clock.time_ns == pytest.approx(530 * MS, abs=25_000)
    with pytest.raises(UserError, match="at most 2 s"):
        here.player.set_offset("recording", 3 * SECOND_NS)


def test_the_end_of_the_sample_stops_with_its_last_sample(room: Callable[..., Room], tmp_path: Path) -> None:
    samples = noise(tmp_path / "a.wav", seconds=1)
    here = room(1)
    here.player.set_tracks([track(tmp_path / "a.wav")])
    here.clock.seek(900 * MS)
    got = here.heard(here.clock.play, 300 * MS)
    assert np.array_equal(got[:, 0], samples[43200:, 0])
    assert (here.clock.playing, here.clock.time_ns) == (False, SECOND_NS - 1)


def test_a_seek_while_playing_goes_on_there(room: Callable[..., Room], tmp_path: Path) -> None:
    samples = noise(tmp_path / "a.wav")
    here = room(3)
    here.player.set_tracks([track(tmp_path / "a.wav")])
    here.clock.play()
    here.pass_time(200 * MS)
    before = len(here.output.samples)
    here.clock.seek(2 * SECOND_NS)
    here.pass_time(30 * MS)
    assert here.clock.time_ns == 2 * SECOND_NS  # what was in the device's buffers no longer moves it
    here.pass_time(170 * MS)
    assert np.array_equal(here.output.samples[before:, 0] * 32768, samples[96000 : 96000 + 9600, 0])
    assert here.clock.time_ns == pytest.approx(2 * SECOND_NS + 160 * MS, abs=25_000)


def test_pausing_is_silent_at_once_and_resuming_goes_on_there(room: Callable[..., Room], tmp_path: Path) -> None:
    samples = noise(tmp_path / "a.wav")
    here = room(3)
    here.player.set_tracks([track(tmp_path / "a.wav")])
    here.clock.play()
    here.pass_time(200 * MS)
    here.clock.pause()
    stood = here.clock.time_ns
    before = len(here.output.samples)
    here.pass_time(100 * MS)
    assert not here.output.samples[before:].any()
    assert (here.clock.time_ns, here.player.status.source) == (stood, PositionSource.PAUSED)
    got = here.heard(here.clock.play, 100 * MS)
    first = int(np.searchsorted(times_of(len(samples), RATE), stood))
    assert np.array_equal(got[:, 0], samples[first : first + len(got), 0])


def test_several_sounds_are_added_up_through_their_own_maps(room: Callable[..., Room], tmp_path: Path) -> None:
    one, two = noise(tmp_path / "1.wav"), noise(tmp_path / "2.wav", seed=1)
    here = room(3)
    shift = 12_000
    here.player.set_tracks(
        [track(tmp_path / "1.wav", key="1"), track(tmp_path / "2.wav", offset_map(shift * SECOND_NS // RATE), key="2")]
    )
    here.player.set_mix("2", TrackMix(gain=0.5))
    here.player.play_range(0, SECOND_NS)
    here.pass_time(1100 * MS)
    got = here.output.samples[:48000, 0] * 32768
    wanted = one[:48000, 0].astype(np.float64)
    wanted[shift:] += 0.5 * two[: 48000 - shift, 0]
    assert np.array_equal(got, wanted)


@pytest.mark.parametrize(
    ("mix", "left", "right"),
    [
        (TrackMix(), 0, 1),
        (TrackMix(muted_channels=frozenset({0})), 1, 1),
        (TrackMix(solo_channels=frozenset({0})), 0, 0),
    ],
)
def test_channels_are_muted_and_soloed(
    room: Callable[..., Room], tmp_path: Path, mix: TrackMix, left: int, right: int
) -> None:
    samples = noise(tmp_path / "a.wav", channels=2)
    here = room(3)
    here.player.set_tracks([track(tmp_path / "a.wav")])
    here.player.set_mix("mic", mix)
    got = here.heard(lambda: here.player.play_range(0, 100 * MS), 200 * MS)
    assert np.array_equal(got, samples[:4800, [left, right]])


def test_a_solo_is_heard_at_once_and_alone(room: Callable[..., Room], tmp_path: Path) -> None:
    one = noise(tmp_path / "1.wav")
    noise(tmp_path / "2.wav", seed=1)
    here = room(3)
    here.player.set_tracks([track(tmp_path / "1.wav", key="1"), track(tmp_path / "2.wav", key="2")])
    here.clock.play()
    here.pass_time(200 * MS)
    here.player.set_mix("1", TrackMix(solo=True))
    before = here.clock.time_ns
    here.pass_time(200 * MS)
    assert here.clock.time_ns == pytest.approx(before + 200 * MS, abs=25 * MS)
    assert all(each.time_ns >= each.before_ns for each in here.times)
    tail = here.output.samples[-4800:, 0] * 32768
    places = np.flatnonzero(one[:, 0] == tail[0])
    assert any(np.array_equal(one[place : place + 4800, 0], tail) for place in places)


def test_a_muted_sample_is_moved_by_the_monotonic_clock(room: Callable[..., Room], tmp_path: Path) -> None:
    noise(tmp_path / "a.wav")
    here = room(3)
    here.player.set_tracks([track(tmp_path / "a.wav")])
    here.player.set_mix("mic", TrackMix(muted=True))
    here.clock.play()
    here.pass_time(300 * MS)
    assert here.player.status.source is PositionSource.MONOTONIC
    assert here.clock.time_ns == pytest.approx(300 * MS, abs=11 * MS)
    assert not here.output.samples.any()


def test_going_back_has_no_sound(room: Callable[..., Room], tmp_path: Path) -> None:
    noise(tmp_path / "a.wav")
    here = room(3)
    here.player.set_tracks([track(tmp_path / "a.wav")])
    here.clock.seek(2 * SECOND_NS)
    here.clock.shuttle_back()
    here.pass_time(500 * MS)
    assert here.clock.time_ns == 1500 * MS
    assert not here.output.samples.any()
    here.clock.shuttle_forward()
    here.pass_time(100 * MS)
    assert here.output.samples.any()
    assert here.player.status.source is PositionSource.SOUND


def test_sound_of_another_rate_keeps_its_places(room: Callable[..., Room], tmp_path: Path) -> None:
    rate = 44100
    time_s = np.arange(rate * 3) / rate
    write_wav(tmp_path / "a.wav", np.rint(12000 * np.sin(2 * np.pi * 441 * time_s)).astype(np.int16)[:, None], rate)
    here = room(3)
    here.player.set_tracks([track(tmp_path / "a.wav")])
    start = 33_333
    here.player.play_range(int(times_of(start + 1, RATE)[start]), 2 * SECOND_NS)
    here.pass_time(1500 * MS)
    got = here.output.samples[: 96000 - start, 0] * 32768
    wanted = 12000 * np.sin(2 * np.pi * 441 * np.arange(start, 96000) / RATE)
    assert np.abs(got - wanted).max() < 2  # also where the blocks meet
    assert not here.output.samples[96000 - start :].any()


DRIFTING = [
    rate_map(Fraction(1_000_100, 1_000_000)),
    knot_map([(0, 0), (SECOND_NS, SECOND_NS + 5 * MS), (3 * SECOND_NS, 3 * SECOND_NS)]),
]


@pytest.mark.parametrize("time_map", DRIFTING)
def test_a_clock_that_drifts_is_followed_between_the_samples(
    room: Callable[..., Room], tmp_path: Path, time_map: TimeMap
) -> None:
    tone = np.rint(12000 * np.sin(2 * np.pi * 500 * np.arange(RATE * 3) / RATE)).astype(np.int16)[:, None]
    write_wav(tmp_path / "a.wav", tone, RATE)
    here = room(3)
    here.player.set_tracks([track(tmp_path / "a.wav", time_map)])
    here.player.play_range(500 * MS, 1500 * MS)
    here.pass_time(1100 * MS)
    session = times_of(72000, RATE)[24000:]
    own_s = np.array([time_map.to_stream(int(t)) for t in session]) / SECOND_NS
    assert np.abs(here.output.samples[:48000, 0] * 32768 - 12000 * np.sin(2 * np.pi * 500 * own_s)).max() < 6


def test_without_a_device_time_passes_all_the_same() -> None:
    now = [0]
    clock = Clock(TimeRange(0, 3 * SECOND_NS))
    player = Player(clock, SilentOutput(lambda: now[0], reason="there is no sound device"))
    clock.set_rate(Fraction(1, 2))
    now[0] += 5 * SECOND_NS  # paused time does not count
    player.tick()
    clock.play()
    for _ in range(100):
        now[0] += 7 * MS
        player.tick()
    assert clock.time_ns == 350 * MS
    assert player.status.source is PositionSource.MONOTONIC
    assert player.status.output.state is OutputState.NO_DEVICE
    assert player.status.output.reason == "there is no sound device"
    player.play_range(SECOND_NS, SECOND_NS + 333)
    now[0] += 10 * MS
    player.tick()
    assert (clock.time_ns, clock.playing) == (SECOND_NS + 333, False)
    player.close()


def test_a_sound_that_cannot_be_opened_keeps_the_others_audible(room: Callable[..., Room], tmp_path: Path) -> None:
    samples = noise(tmp_path / "a.wav")

    def broken() -> AudioReader:
        raise DataError("it is gone", path="b.wav")

    here = room(3)
    here.player.set_tracks([Track("lost", open=broken), track(tmp_path / "a.wav")])
    got = here.heard(lambda: here.player.play_range(0, 100 * MS), 200 * MS)
    assert np.array_equal(got[:, 0], samples[:4800, 0])
    assert here.player.status.troubles == (("lost", "b.wav: it is gone"),)


def test_other_sounds_close_those_before(room: Callable[..., Room], tmp_path: Path) -> None:
    noise(tmp_path / "a.wav")
    other = noise(tmp_path / "b.wav", seed=5)
    closed: list[str] = []

    def opened() -> AudioReader:
        sound = open_audio(tmp_path / "a.wav")
        close = sound.close
        sound.close = lambda: (closed.append("a"), close())[1]  # type: ignore[method-assign, func-returns-value]
        return sound

    here = room(3)
    here.player.set_tracks([Track("a", open=opened)])
    here.player.play_range(0, 100 * MS)
    here.pass_time(200 * MS)
    here.player.set_tracks([track(tmp_path / "b.wav")])
    got = here.heard(lambda: here.player.play_range(0, 100 * MS), 200 * MS)
    assert closed == ["a"]
    assert np.array_equal(got[:, 0], other[:4800, 0])
