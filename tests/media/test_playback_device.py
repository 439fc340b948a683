"""The sound card: its three states, what its callback is told, and when what is heard. PortAudio is a fake."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from workstation.core.clock import Clock
from workstation.core.timebase import SECOND_NS, TimeRange
from workstation.media.playback import OutputState, Player, PositionSource, Track
from workstation.media.playback_device import DeviceTime, SoundCardOutput
from workstation.media.playback_feed import Feed

USUAL = {"name": "Speakers", "max_output_channels": 8, "default_samplerate": 44100.0,
         "default_high_output_latency": 0.035}  # fmt: skip


class Abort(Exception):
    """As the library's."""


class NoDeviceError(Exception):
    """As the library's PortAudioError."""


@dataclass
class Library:
    """As much of ``sounddevice`` as is used."""

    devices: list[dict[str, Any]] = field(default_factory=lambda: [USUAL])
    opens: bool = True
    starts: Callable[[Stream], None] | None = None
    streams: list[Stream] = field(default_factory=list)
    PortAudioError = NoDeviceError
    CallbackAbort = Abort

    def query_devices(self, device: str | None, kind: str) -> dict[str, Any]:
        assert kind == "output"
        for each in self.devices:
            if device in (None, each["name"]):
                return each
        if device is not None:
            raise ValueError(f"No output device matching {device!r}")
        raise NoDeviceError("Error querying device -1")

    def OutputStream(self, **settings: Any) -> Stream:
        if not self.opens:
            raise NoDeviceError("Error opening OutputStream: Device unavailable [PaErrorCode -9985]")
        self.streams.append(Stream(self, settings))
        return self.streams[-1]


class Stream:
    def __init__(self, library: Library, settings: dict[str, Any]) -> None:
        self.library, self.settings = library, settings
        self.latency = settings["latency"]
        self.states: list[str] = []

    def start(self) -> None:
        self.states.append("start")
        if self.library.starts is not None:
            self.library.starts(self)

    def abort(self) -> None:
        self.states.append("abort")

    def close(self) -> None:
        self.states.append("close")

    def call(self, frames: int, *, now: float = 0, heard: float = 0, late: bool = False) -> np.ndarray[Any, Any]:
        out = np.full((frames, self.settings["channels"]), 7, np.float32)
        times = SimpleNamespace(currentTime=now, outputBufferDacTime=heard, inputBufferAdcTime=0)
        self.settings["callback"](out, frames, times, SimpleNamespace(output_underflow=late))
        return out


@pytest.fixture
def card() -> Iterator[Callable[..., tuple[SoundCardOutput, Library]]]:
    made: list[SoundCardOutput] = []

    def make(device: str | None = None, **settings: Any) -> tuple[SoundCardOutput, Library]:
        library = Library(**settings)
        made.append(SoundCardOutput(device, library=lambda: library))
        return made[-1], library

    yield make
    for each in made:
        each.stop()


def test_a_device_that_works_is_named(card: Callable[..., tuple[SoundCardOutput, Library]]) -> None:
    output, library = card()
    assert output.status.state is OutputState.UNTRIED
    assert output.start(Feed())
    status = output.status
    assert (status.state, status.device, status.reason) == (OutputState.WORKS, "Speakers", "")
    assert (status.rate_hz, status.channels, status.latency_ns) == (44100, 2, 60_000_000)
    assert output.start(Feed())  # once
    assert len(library.streams) == 1
    output.stop()
    assert library.streams[0].states == ["start", "abort", "close"]


def test_without_the_library_it_says_so() -> None:
    def missing() -> Any:
        raise OSError("PortAudio library not found")

    output = SoundCardOutput(library=missing)
    assert not output.start(Feed())
    assert output.status.state is OutputState.NO_LIBRARY
    assert "PortAudio library not found" in output.status.reason
    assert "workstation doctor" in output.status.reason


@pytest.mark.parametrize(
    ("device", "settings", "said"),
    [
        (None, {"devices": []}, "querying device -1"),
        ("Headset", {}, "matching 'Headset'"),
        (None, {"opens": False}, "Device unavailable"),
    ],
)
def test_without_a_device_it_says_why(
    card: Callable[..., tuple[SoundCardOutput, Library]], device: str | None, settings: dict[str, Any], said: str
) -> None:
    output, library = card(device, **settings)
    assert not output.start(Feed())
    assert output.status.state is OutputState.NO_DEVICE
    assert said in output.status.reason
    library.opens, library.devices = True, [USUAL, {**USUAL, "name": "Headset"}]
    assert output.start(Feed())  # it was plugged in
    assert output.status.state is OutputState.WORKS


def test_a_device_that_only_swallows_is_no_device(card: Callable[..., tuple[SoundCardOutput, Library]]) -> None:
    def swallow(stream: Stream) -> None:
        with pytest.raises(Abort):  # noqa: PT012
            for _ in range(1000):
                stream.call(1024)

    output, library = card(starts=swallow)
    assert not output.start(Feed())
    assert output.status.state is OutputState.NO_DEVICE
    assert "faster than anybody can hear" in output.status.reason
    assert library.streams[0].states == ["start", "abort", "close"]


def test_an_underrun_of_the_device_is_counted(card: Callable[..., tuple[SoundCardOutput, Library]]) -> None:
    output, library = card()
    output.start(Feed())
    library.streams[0].call(256)
    assert not library.streams[0].call(256, late=True).any()  # nothing plays: silence
    assert output.status.underruns == 1


def test_a_device_that_falls_silent_leaves_the_clock_going(tmp_path: Any) -> None:
    from sounds import write_wav

    from workstation.media.audio import open_audio

    write_wav(tmp_path / "a.wav", np.ones((96000, 1), np.int16), 48000)
    now = [10 * SECOND_NS]
    library = Library()
    output = SoundCardOutput(library=lambda: library)
    output.now_ns = lambda: now[0]  # type: ignore[method-assign]
    clock = Clock(TimeRange(0, 2 * SECOND_NS))
    player = Player(clock, output)
    player.set_tracks([Track("a", open=lambda: open_audio(tmp_path / "a.wav"))])
    clock.play()
    assert player.wait_for_sound(1000)
    player.tick()
    assert player.status.source is PositionSource.SOUND
    now[0] += 2_100_000_000  # unplugged: no call comes
    player.tick()
    now[0] += 200_000_000
    player.tick()
    assert player.status.source is PositionSource.MONOTONIC
    assert clock.time_ns == 200_000_000
    assert player.wait_for_sound(0)
    player.look_for_device()
    assert player.wait_for_sound(1000)
    player.tick()
    assert player.status.source is PositionSource.SOUND
    assert len(library.streams) == 2
    player.close()


def played(late_s: np.ndarray[Any, Any], jitter_s: np.ndarray[Any, Any], *, drift: float = 0, jump_at: int = -1) -> Any:
    """How far ``DeviceTime`` is off, when callbacks are told late and the driver rounds."""
    rate, block, latency = 48000 * (1 + drift), 480, 0.05
    clock = DeviceTime(48000, latency)
    errors = []
    for number, (late, jitter) in enumerate(zip(late_s, jitter_s, strict=True)):
        own = 1000 + number * block / rate  # the device's clock; ours is 900 s behind
        if 0 <= jump_at <= number:
            own += 3600
        truth = 100 + number * block / rate + latency
        said = clock.heard_at(block, own_now_s=own, heard_s=own + latency + jitter, now_s=own - 900 + late
                              - (3600 if 0 <= jump_at <= number else 0))  # fmt: skip
        errors.append(said - truth)
    assert not clock.too_fast
    return np.array(errors)


def test_lateness_and_rounding_are_taken_out() -> None:
    rng = np.random.default_rng(4)
    late = rng.exponential(0.002, 3000)
    late[::97] = 0.02  # a painter holds the interpreter
    errors = played(late, rng.uniform(-0.003, 0.003, 3000))
    assert np.abs(errors[200:]).max() < 0.0015
    assert np.abs(np.diff(errors[200:])).max() < 0.0003  # no trembling


def test_a_device_that_runs_slow_is_followed() -> None:
    errors = played(np.zeros(6000), np.zeros(6000), drift=-200e-6)
    assert np.abs(errors[500:]).max() < 0.0002


def test_a_jump_of_the_devices_clock_is_seen() -> None:
    errors = played(np.full(400, 0.0001), np.zeros(400), jump_at=200)
    assert np.abs(errors).max() < 0.001


def test_a_device_without_a_clock_is_taken_by_its_latency() -> None:
    clock = DeviceTime(48000, 0.05)
    told = [clock.heard_at(480, own_now_s=0, heard_s=0, now_s=7 + number * 0.01) for number in range(100)]
    assert told == pytest.approx([7.05 + number * 0.01 for number in range(100)])


def test_the_callback_is_quick(card: Callable[..., tuple[SoundCardOutput, Library]]) -> None:
    output, library = card()
    output.start(Feed())
    begin = time.perf_counter()
    for _ in range(200):
        library.streams[0].call(480)
    assert (time.perf_counter() - begin) / 200 < 0.001  # of 10 ms; usually 0.02
