"""Flashes of a film are timed as they are painted, in a real window that follows a clock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from workstation.app.flash_and_beep import make_flash_and_beep
from workstation.core.clock import Clock, TimeChanged
from workstation.core.timebase import TimeRange
from workstation.media.playback import Player, SilentOutput
from workstation.ui.picture_probe import FlashProbe

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication


class Log:
    """When the clock said what."""

    def __init__(self, clock: Clock, output: SilentOutput) -> None:
        self.said: list[tuple[int, int]] = []
        self._output = output
        clock.time_changed.connect(self.note)

    def note(self, change: TimeChanged) -> None:
        self.said.append((self._output.now_ns(), change.time_ns))


@pytest.mark.slow
def test_every_flash_is_painted_soon_after_the_clock_reaches_it(qapp: QApplication, tmp_path: Path) -> None:
    assert qapp is not None
    sample = make_flash_and_beep(tmp_path, beeps=3, film=True)
    assert sample.film is not None
    clock, output = Clock(TimeRange(0, sample.duration_ns)), SilentOutput()
    player, log = Player(clock, output), Log(clock, output)
    clock.play()
    painted = FlashProbe().watch(sample.film, clock, player)
    player.close()
    assert len(painted) == 3
    for at_ns, flash_ns in zip(painted, sample.times_ns, strict=True):
        reached = next(real for real, session in log.said if session >= flash_ns)
        assert 0 <= at_ns - reached < 400_000_000
