"""The type of a sound output, what it says of itself, and the one that makes no sound.

A player holds one output: the sound card (``playback_device.py``), silence, or in tests and measurements one that
writes down what a device would have got (``playback_recorded.py``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from workstation.core.values import dataclass
from workstation.media.playback_feed import Feed


class OutputState(StrEnum):
    """Whether there can be sound."""

    UNTRIED = "untried"
    """Nobody has asked the device yet."""
    NO_LIBRARY = "no library"
    NO_DEVICE = "no device"
    WORKS = "works"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputStatus:
    """What the status bar says of the sound."""

    state: OutputState
    device: str = ""
    """Its name, where there is one."""
    reason: str = ""
    """Why there is no sound, in a sentence that says what to do."""
    rate_hz: int = 0
    channels: int = 0
    latency_ns: int = 0
    """From handing a sample over until it is heard, as the device says."""
    underruns: int = 0
    """How often the device had to play silence because nothing was ready."""


class SoundOutput(Protocol):
    """A device that plays a feed, and the monotonic time its hearing is told in.

    ``start`` and ``stop`` may take long and are called on the feeding thread; the others from anywhere, at once.
    """

    @property
    def status(self) -> OutputStatus: ...
    def now_ns(self) -> int:
        """Monotonic time: what ``Feed.fill`` is told in, and what moves the clock where there is no sound."""
        ...

    def start(self, feed: Feed) -> bool:
        """Begin to ask the feed; whether there is sound now. May be called again when it has stopped."""
        ...

    def stop(self) -> None:
        """Ask no more, and let go of the device."""
        ...


class SilentOutput:
    """No sound: the clock goes by ``now_ns`` alone. Tests and tools give their own time."""

    def __init__(self, now_ns: Callable[[], int] = time.monotonic_ns, *, reason: str = "sound is switched off") -> None:
        self._now_ns = now_ns
        self._status = OutputStatus(state=OutputState.NO_DEVICE, reason=reason)

    @property
    def status(self) -> OutputStatus:
        return self._status

    def now_ns(self) -> int:
        return self._now_ns()

    def start(self, feed: Feed) -> bool:
        """There is nothing to start."""
        return False

    def stop(self) -> None:
        """There is nothing to stop."""
