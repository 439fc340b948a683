"""The sound card, through PortAudio.

Three states: there is no library, there is no device, it works. Which one, and why, is in ``status``.

The callback copies prepared samples and notes when they will be heard; it waits for nothing and makes no arrays.
PortAudio counts on a clock of its own that may jump; ``DeviceTime`` brings it to the program's monotonic time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from workstation.core.timebase import SECOND_NS
from workstation.media.playback_feed import Feed
from workstation.media.playback_output import OutputState, OutputStatus

_log = logging.getLogger(__name__)

_LEAST_LATENCY_S = 0.06
"""Below this, a window that paints makes the callback late; the clock knows the latency, so it costs nothing."""
_MOST_DELAY_S = 5.0
_SMOOTHING = 0.05
_JUMP_S = 0.03
"""Further off than this is no jitter: the device stood still or skipped."""
_CREEP_S = 20e-6
"""A call: the smallest distance between two clocks is forgotten so fast, so that a slow drift is followed."""
_STEP_S = 0.25
_TOO_FAST_S = 3.0
_TRIAL_S = 0.1
"""How long a device that was opened may show that it keeps time: one that does not gives itself away at once."""


class DeviceTime:
    """When each sample is heard, in monotonic seconds, from what every callback is told. Sees one call after another.

    Two kinds of noise are taken out: the callback is often told late (never early), which moves the distance between
    the clocks up, so the smallest counts; and drivers round the time of a buffer, so it is followed slowly.
    """

    def __init__(self, rate_hz: float, latency_s: float) -> None:
        self._rate_hz = rate_hz
        self._latency_s = latency_s
        self._distance: float | None = None
        self._origin: float | None = None
        self._begin: float | None = None
        self._samples = 0
        self.too_fast = False
        """Whether it takes samples faster than they can be heard: a device that plays nothing."""

    def heard_at(self, samples: int, *, own_now_s: float, heard_s: float, now_s: float) -> float:
        """Monotonic time at which the first of the next ``samples`` is heard.

        ``own_now_s`` and ``heard_s`` are the device's clock, 0 where it has none; ``now_s`` is ours.
        """
        delay = heard_s - own_now_s
        if own_now_s <= 0 or heard_s <= 0 or not 0 <= delay <= _MOST_DELAY_S:
            delay, distance = self._latency_s, 0.0
            measured = now_s + delay
        else:
            distance = self._follow_distance(now_s - own_now_s)
            measured = heard_s + distance
        along = self._samples / self._rate_hz
        if self._origin is None or abs(measured - along - self._origin) > _JUMP_S:
            self._origin = measured - along
        else:
            self._origin += (measured - along - self._origin) * _SMOOTHING
        if self._begin is None:
            self._begin = now_s
        self._samples += samples
        self.too_fast = along - (now_s - self._begin) > _TOO_FAST_S
        return self._origin + along

    def _follow_distance(self, distance: float) -> float:
        known = self._distance
        if known is None or distance < known or distance - known > _STEP_S:
            self._distance = distance
        else:
            self._distance = min(distance, known + _CREEP_S)
        return self._distance


def portaudio() -> Any:
    """The binding; ``OSError`` or ``ImportError`` where the library is missing."""
    import sounddevice

    return sounddevice


class SoundCardOutput:
    """The usual output device, or the one of a given name, at its own rate, in stereo."""

    def __init__(self, device: str | None = None, *, library: Callable[[], Any] = portaudio) -> None:
        self._wanted = device
        self._library = library
        self._stream: Any = None
        self._feed: Feed | None = None
        self._time: DeviceTime | None = None
        self._status = OutputStatus(state=OutputState.UNTRIED)
        self._underruns = 0
        self._runaway = threading.Event()

    @property
    def status(self) -> OutputStatus:
        return replace(self._status, underruns=self._underruns)

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def start(self, feed: Feed) -> bool:
        """Find the device and open it; ``status`` says what came of it."""
        if self._stream is not None:
            return True
        try:
            library = self._library()
        except (ImportError, OSError) as error:
            self._status = OutputStatus(
                state=OutputState.NO_LIBRARY,
                reason=f"the sound library PortAudio cannot be used ({error}); run 'workstation doctor'",
            )
            return False
        try:
            self._open(library, feed)
        except (library.PortAudioError, ValueError) as error:
            self.stop()
            self._status = OutputStatus(
                state=OutputState.NO_DEVICE,
                device=self._status.device,
                reason=f"there is no sound device that can be opened ({error}); plug one in or choose another",
            )
            return False
        if self._runaway.wait(_TRIAL_S):
            self.stop()
            return False
        return True

    def stop(self) -> None:
        """Close the device at once; what it holds is not played to the end."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        try:
            stream.abort()
        except self._library().PortAudioError as error:  # it may have been unplugged
            _log.info("the sound device did not stop: %s", error)
        stream.close()

    def _open(self, library: Any, feed: Feed) -> None:
        self._status = OutputStatus(state=OutputState.UNTRIED)
        # Asked for again each time: what is usual may have changed.
        info = library.query_devices(self._wanted, "output")
        name, channels = str(info["name"]), min(2, int(info["max_output_channels"]))
        rate_hz = round(float(info["default_samplerate"]))
        self._status = OutputStatus(state=OutputState.UNTRIED, device=name)
        self._feed = feed
        self._stream = library.OutputStream(
            device=self._wanted,
            samplerate=rate_hz,
            channels=channels,
            dtype="float32",
            latency=max(_LEAST_LATENCY_S, float(info["default_high_output_latency"])),
            callback=self._callback,
        )
        latency_s = max(0.0, float(self._stream.latency))
        self._time = DeviceTime(rate_hz, latency_s)
        self._runaway.clear()
        self._status = OutputStatus(
            state=OutputState.WORKS,
            device=name,
            rate_hz=rate_hz,
            channels=channels,
            latency_ns=round(latency_s * SECOND_NS),
        )
        self._stream.start()

    def _callback(self, out: np.ndarray[Any, np.dtype[np.float32]], frames: int, times: Any, flags: Any) -> None:
        """On a thread of PortAudio's."""
        feed, clock = self._feed, self._time
        if feed is None or clock is None:
            out.fill(0)
            return
        if flags.output_underflow:
            self._underruns += 1
        heard_s = clock.heard_at(
            frames,
            own_now_s=times.currentTime,
            heard_s=times.outputBufferDacTime,
            now_s=time.monotonic_ns() / SECOND_NS,
        )
        if clock.too_fast:
            out.fill(0)
            self._status = OutputStatus(
                state=OutputState.NO_DEVICE,
                device=self._status.device,
                reason=f"the sound device {self._status.device} takes sound faster than anybody can hear it",
            )
            self._runaway.set()
            raise self._library().CallbackAbort
        feed.fill(out, round(heard_s * SECOND_NS))
