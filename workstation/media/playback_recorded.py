"""A device that writes down what it gets, in a time of its own: for measurements and tests of the path that plays.

It asks the feed in blocks as a sound card does, but never before they are ready, so nothing depends on how busy the
machine is. ``pass_time`` is the passing of time: the device asks, the clock follows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workstation.core.timebase import SECOND_NS
from workstation.media.playback import Player
from workstation.media.playback_feed import Feed
from workstation.media.playback_output import OutputState, OutputStatus


class RecordedOutput:
    """Two channels of whole time: sample ``i`` of what it has heard is heard at ``i`` periods plus the latency."""

    def __init__(self, *, rate_hz: int = 48000, latency_ns: int = 40_000_000, block: int = 480) -> None:
        self._status = OutputStatus(
            state=OutputState.WORKS, device="recording", rate_hz=rate_hz, channels=2, latency_ns=latency_ns
        )
        self._block = block
        self._asked = 0
        self._blocks: list[NDArray[np.float32]] = []
        self._feed: Feed | None = None

    @property
    def status(self) -> OutputStatus:
        return self._status

    @property
    def samples(self) -> NDArray[np.float32]:
        """Everything it got so far, (n, 2)."""
        return np.concatenate(self._blocks) if self._blocks else np.zeros((0, 2), np.float32)

    def take(self) -> list[NDArray[np.float32]]:
        """The blocks it got so far, which it then forgets."""
        blocks, self._blocks = self._blocks, []
        return blocks

    def now_ns(self) -> int:
        return self._asked * SECOND_NS // self._status.rate_hz

    def heard_at(self, sample: int) -> int:
        """When a sample it got is heard, in ``now_ns``."""
        return sample * SECOND_NS // self._status.rate_hz + self._status.latency_ns

    def start(self, feed: Feed) -> bool:
        self._feed = feed
        return True

    def stop(self) -> None:
        self._feed = None

    def pass_time(self, player: Player, time_ns: int) -> None:
        """Let so much time pass, ticking the player after every block."""
        end = self._asked + time_ns * self._status.rate_hz // SECOND_NS
        while self._asked < end:
            if not player.wait_for_sound(self._block):
                raise RuntimeError("the sound was not prepared in time")
            block = np.empty((self._block, 2), np.float32)
            if self._feed is None:
                block.fill(0)
            else:
                self._feed.fill(block, self.now_ns() + self._status.latency_ns)
            self._blocks.append(block)
            self._asked += self._block
            player.tick()
