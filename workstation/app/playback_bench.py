"""How far picture and sound are apart when playing: ``workstation bench playback`` (COMP-04).

A flash and a beep are generated at the same instants and played through the player that plays everything. What the
device got is written down, so that each beep has a time at which it is heard; what the clock said then is the error
of the sound path. When a window gives a ``PictureProbe``, each flash has a time at which it was painted, and the
difference is the skew that a compensation takes out. What cannot be measured here is said, never guessed.
"""

from __future__ import annotations

import tempfile
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import fmean
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workstation.app.flash_and_beep import BEEP_RATE_HZ, FlashAndBeep, make_flash_and_beep
from workstation.app.settings import settings_or_usual
from workstation.core.clock import Clock, TimeChanged
from workstation.core.timebase import SECOND_NS, TimeRange
from workstation.media.audio import open_audio
from workstation.media.playback import OutputState, OutputStatus, Player, SoundOutput, Track
from workstation.media.playback_device import SoundCardOutput
from workstation.media.playback_feed import Feed
from workstation.media.playback_recorded import RecordedOutput

_TICK_S = 0.004
_QUIET_S = 0.1
_LONGEST_S = 60.0


class PictureProbe(Protocol):
    """A window that shows the film and notes when its flashes come on screen; given by ``__main__``."""

    def watch(self, film: Path, clock: Clock, player: Player) -> Sequence[int]:
        """Follow the clock with the film, calling ``player.tick`` on the window's timer while ``clock.playing``.

        Answers the monotonic nanosecond at which the first white frame of each flash was painted, in order.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One playing of the beeps."""

    through: str
    """The device."""
    speed: Fraction
    offset_ns: int
    """The compensation in use."""
    beeps: int
    found: int
    sample_error: int | None
    """Most samples between where a beep is and where it should be, at normal speed."""
    clock_error_ns: int | None
    """Largest distance between what the clock says and what is heard."""
    skew_ns: tuple[int, ...] = ()
    """Of each beep: heard minus painted; above zero, the sound is late."""
    underruns: int = 0

    @property
    def mean_skew_ns(self) -> int | None:
        """``None`` if no picture was watched."""
        return round(fmean(self.skew_ns)) if self.skew_ns else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackReport:
    """What was measured, what could not be, and what is offered."""

    device: OutputStatus
    passes: tuple[Pass, ...]
    not_measured: tuple[str, ...]
    compensation_ns: int | None = None
    """What to add to the device's compensation; ``None`` if there is no picture to go by."""

    def faults(self, tolerance_ns: int) -> tuple[str, ...]:
        """What is worse than the tolerance, in sentences; with a compensation, what is left after it counts."""
        said = []
        for each in self.passes:
            name = f"{each.through} at {float(each.speed):g}×"
            if each.found < each.beeps:
                said.append(f"{name}: {each.beeps - each.found} of {each.beeps} beeps did not reach the device")
            if each.sample_error:
                said.append(f"{name}: beeps are up to {each.sample_error} samples from their place")
            if each.clock_error_ns is not None and each.clock_error_ns > tolerance_ns:
                said.append(f"{name}: the clock is {each.clock_error_ns / 1e6:.1f} ms from what is heard")
        watched = [each.mean_skew_ns for each in self.passes if each.mean_skew_ns is not None]
        if watched and abs(watched[-1]) > tolerance_ns:
            said.append(f"picture and sound are {abs(watched[-1]) / 1e6:.1f} ms apart, compensation included")
        return tuple(said)


class _Tap(Feed):
    """Listens to what a device is given, and when it will be heard."""

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self._feed = feed
        self.blocks: list[tuple[int, NDArray[np.float32]]] = []

    def fill(self, out: NDArray[np.float32], heard_ns: int) -> None:
        self._feed.fill(out, heard_ns)
        self.blocks.append((heard_ns, out[:, 0].copy()))


class _Tapped:
    """An output that is listened to."""

    def __init__(self, output: SoundOutput) -> None:
        self._output = output
        self.tap: _Tap | None = None

    @property
    def status(self) -> OutputStatus:
        return self._output.status

    def now_ns(self) -> int:
        return self._output.now_ns()

    def start(self, feed: Feed) -> bool:
        self.tap = _Tap(feed)
        return self._output.start(self.tap)

    def stop(self) -> None:
        self._output.stop()

    def onsets_ns(self) -> list[tuple[int, int]]:
        """(sample, time it is heard) of each beep's first sample."""
        blocks = [] if self.tap is None else list(self.tap.blocks)
        if not blocks:
            return []
        samples = np.concatenate([block for _, block in blocks])
        loud = np.flatnonzero(np.abs(samples) > 0.2)
        quiet = round(_QUIET_S * self.status.rate_hz)
        firsts = [int(at) for at, gap in zip(loud, np.diff(loud, prepend=-quiet - 1), strict=True) if gap > quiet]
        begins = np.cumsum([0, *(len(block) for _, block in blocks)])
        found = []
        for first in firsts:
            number = int(np.searchsorted(begins, first, side="right")) - 1
            within_ns = (first - int(begins[number])) * SECOND_NS // self.status.rate_hz
            found.append((first, blocks[number][0] + within_ns))
        return found


class _Log:
    """When the clock said what."""

    def __init__(self, clock: Clock, output: SoundOutput) -> None:
        self._output = output
        self.said = [(output.now_ns(), clock.time_ns)]
        clock.time_changed.connect(self._on_time)

    def _on_time(self, change: TimeChanged) -> None:
        self.said.append((self._output.now_ns(), change.time_ns))

    def clock_at(self, at_ns: int) -> int:
        """Between two moves evenly."""
        i = min(max(1, bisect_left(self.said, (at_ns, 0))), len(self.said) - 1)
        (before_ns, before), (after_ns, after) = self.said[i - 1], self.said[i]
        return before + (after - before) * (at_ns - before_ns) // max(1, after_ns - before_ns)


def bench_playback(
    output: SoundOutput,
    *,
    probe: PictureProbe | None = None,
    offsets: Mapping[str, int] | None = None,
    beeps: int = 8,
) -> PlaybackReport:
    """Measure through a recording device at three speeds, then through ``output``, with the window if there is one.

    ``offsets`` is the compensation in force, by device name.
    """
    kept = dict(offsets or {})
    with tempfile.TemporaryDirectory(prefix="playback-") as folder:
        sample = make_flash_and_beep(Path(folder), beeps=beeps, film=probe is not None)
        passes = [_recorded_pass(sample, Fraction(speed)) for speed in ("1", "1/2", "2")]
        lacking = []
        real = _device_pass(output, sample, probe, kept)
        status = output.status
        compensation_ns = None
        if status.state is not OutputState.WORKS:
            lacking.append(f"the device's latency, jitter and underruns: {status.reason}")
        else:
            passes.append(real)
            lacking.append("what follows after the device's own word: amplifier, radio headset, screen")
        if probe is None:
            lacking.append("the skew between picture and sound: no window was given to watch the picture")
        elif real.mean_skew_ns is None:
            lacking.append("the skew between picture and sound: there were no flashes and beeps to compare")
        else:
            compensation_ns = real.mean_skew_ns
            passes.append(_device_pass(output, sample, probe, {status.device: real.offset_ns + compensation_ns}))
        return PlaybackReport(
            device=status, passes=tuple(passes), not_measured=tuple(lacking), compensation_ns=compensation_ns
        )


def bench_card(device: str | None, *, probe: PictureProbe | None, beeps: int) -> PlaybackReport:
    """Through the sound card, with the compensations that are kept."""
    offsets = settings_or_usual().sound_offsets_ns
    return bench_playback(SoundCardOutput(device), probe=probe, offsets=offsets, beeps=beeps)


def _recorded_pass(sample: FlashAndBeep, speed: Fraction) -> Pass:
    """In a time of its own: nothing depends on how busy the machine is."""
    output = RecordedOutput(rate_hz=BEEP_RATE_HZ)
    clock, tapped, player = _set_up(output, sample, {})
    log = _Log(clock, output)
    try:
        clock.set_rate(speed)
        clock.play()
        while clock.playing:
            output.pass_time(player, SECOND_NS // 10)
        return _judged(sample, tapped, log, player, speed=speed, painted=())
    finally:
        player.close()


def _device_pass(
    output: SoundOutput, sample: FlashAndBeep, probe: PictureProbe | None, offsets: Mapping[str, int]
) -> Pass:
    """In real time, or in that of the probe."""
    clock, tapped, player = _set_up(output, sample, offsets)
    log = _Log(clock, output)
    painted: Sequence[int] = ()
    try:
        clock.play()
        player.wait_for_sound(1)
        if output.status.state is not OutputState.WORKS:
            clock.pause()
        elif probe is not None and sample.film is not None:
            painted = probe.watch(sample.film, clock, player)
        else:
            end = time.monotonic() + _LONGEST_S
            while clock.playing and time.monotonic() < end:
                time.sleep(_TICK_S)
                player.tick()
        return _judged(sample, tapped, log, player, speed=Fraction(1), painted=painted)
    finally:
        player.close()


def _set_up(output: SoundOutput, sample: FlashAndBeep, offsets: Mapping[str, int]) -> tuple[Clock, _Tapped, Player]:
    clock = Clock(TimeRange(0, sample.duration_ns))
    tapped = _Tapped(output)
    player = Player(clock, tapped, offsets=offsets)
    player.set_tracks([Track("beep", open=lambda: open_audio(sample.sound))])
    return clock, tapped, player


def _judged(
    sample: FlashAndBeep,
    tapped: _Tapped,
    log: _Log,
    player: Player,
    *,
    speed: Fraction,
    painted: Sequence[int],
) -> Pass:
    status, offset_ns = tapped.status, player.offset_ns
    heard = tapped.onsets_ns()
    errors = [
        log.clock_at(at_ns + offset_ns) - planted for (_, at_ns), planted in zip(heard, sample.times_ns, strict=False)
    ]
    sample_error = None
    if speed == 1 and heard:
        places = [planted * status.rate_hz // SECOND_NS for planted in sample.times_ns]
        sample_error = max(
            abs((at - heard[0][0]) - (place - places[0])) for (at, _), place in zip(heard, places, strict=False)
        )
    return Pass(
        through=status.device,
        speed=speed,
        offset_ns=offset_ns,
        beeps=len(sample.times_ns),
        found=len(heard),
        sample_error=sample_error,
        clock_error_ns=max((abs(error) for error in errors), default=None),
        skew_ns=tuple(at_ns - shown_ns for (_, at_ns), shown_ns in zip(heard, painted, strict=False)),
        underruns=status.underruns,
    )
