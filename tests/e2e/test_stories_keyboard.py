"""The main loop without a mouse: open, play, mark, class, next; and nothing of it took a mouse event."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from hands import Stored, sit_down
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from strict_windows import copy_of
from workstation.app.settings import Settings, write_settings
from workstation.ui.keys import pane_around

_OF_MICE = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick,
            QEvent.Type.Wheel)  # fmt: skip


class Mousetrap(QObject):
    """Counts what comes from a mouse."""

    def __init__(self) -> None:
        super().__init__()
        self.caught = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        del watched
        self.caught += event.type() in _OF_MICE
        return False


@pytest.fixture
def trap(qapp: QApplication) -> Generator[Mousetrap, None, None]:
    made = Mousetrap()
    qapp.installEventFilter(made)
    yield made
    qapp.removeEventFilter(made)


@pytest.mark.slow
def test_open_play_mark_class_next_by_keys_alone(
    trap: Mousetrap, two_samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    project = copy_of(two_samples, tmp_path / "drive")
    write_settings(Settings().with_recent(project))
    stored = Stored(project)
    with sit_down(None) as me:
        for _ in range(12):  # the welcome page: on to the project of last time
            if me.window.opened is not None:
                break
            me.press("Tab")
            if me.focus.accessibleName() == "Recent projects":
                me.press("Enter")
        assert me.window.opened is not None, "no key opened the recent project"
        me.waits(lambda: not me.window.jobs.running(), "the jobs of opening")
        me.press("Space").waits(lambda: me.bench.clock.time_ns > 300_000_000, "the clock")
        me.press("Space")
        for _ in range(8):
            if pane_around(me.focus) is me.pane("sound"):
                break
            me.press("F6")
        assert pane_around(me.focus) is me.pane("sound")
        me.press(".")  # on a sample of the sound, wherever playback stopped
        start = me.bench.clock.time_ns
        me.press("I", *(">",) * 10)
        end = me.bench.clock.time_ns
        me.press("O", "H")
        ((stream, start_ns, end_ns),) = stored.spans("horn")
        assert stream == "commentary"
        assert end_ns - start_ns == 100 * 1_000_000_000 // 16_000  # ten times ten samples, exactly
        assert abs(start_ns - start) <= 1_000_000_000 // 16_000
        assert abs(end_ns - end) <= 1_000_000_000 // 16_000
        me.press("PgDn")
        assert me.bench.view is not None
        assert me.bench.view.sample.key == "z_next"
        me.waits_for_pictures().keep_picture("next_sample")
        me.press("PgUp")
        assert me.bench.view.sample.key == "sf_drive"
        assert stored.spans("horn") == [(stream, start_ns, end_ns)]
    assert trap.caught == 0
