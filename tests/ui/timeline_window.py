"""The timeline in a window of its own for tests: the pane on the demo, places of labels, and keys through the table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QWheelEvent
from PySide6.QtWidgets import QApplication, QLineEdit

from strict_windows import show, wait_for
from workstation.app.opening import open_project
from workstation.ui.actions.action import WINDOW, Hands
from workstation.ui.actions.table import load_actions
from workstation.ui.panes.timeline import TimelinePane
from workstation.ui.scenes.film_scene import FilmScene
from workstation.ui.scenes.finding_scene import FindingScene
from workstation.ui.scenes.sound_scene import SoundScene
from workstation.ui.workbench import Workbench

if TYPE_CHECKING:
    from workstation.ui.panes.base import Pane

SECOND = 1_000_000_000


class OnlyPane:
    """Stands for the main window around one pane, as far as actions ask it."""

    def __init__(self, pane: TimelinePane) -> None:
        self.only = pane

    def pane(self, kind: str) -> Pane | None:
        return self.only if kind == self.only.kind else None


class Dispatcher(QObject):
    """Gives keys to the gesture, then to the pane's actions, then to the window's, as the main window does."""

    def __init__(self, pane: TimelinePane) -> None:
        super().__init__()
        self._pane = pane

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is not QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        if isinstance(watched, QLineEdit) or not isinstance(watched, TimelinePane):
            return False
        pane = self._pane
        if event.key() == Qt.Key.Key_Escape and pane.gesture is not None:
            pane.gesture.cancel()
            return True
        pressed = QKeySequence(event.keyCombination())
        assert pane.bench is not None
        hands = Hands(bench=pane.bench, pane=pane, frame=OnlyPane(pane))  # type: ignore[arg-type]
        for scope in (pane.kind, WINDOW):
            for each in load_actions().in_scope(scope):
                if pressed in [QKeySequence(key) for key in each.keys] and each.why_not(hands) is None:
                    each.run(hands)
                    return True
        return False


@contextmanager
def timeline_on(bench: Workbench, width: int = 1100, height: int = 700) -> Iterator[TimelinePane]:
    """A timeline on a workbench, painted and with the focus."""
    pane = TimelinePane()
    dispatcher = Dispatcher(pane)
    application = QApplication.instance()
    assert application is not None
    application.installEventFilter(dispatcher)
    pane.bind(bench)
    show(pane, width, height)
    pane.activateWindow()
    pane.setFocus()
    wait_for(pane.hasFocus, what="the focus")
    assert not pane.failed, pane.accessibleDescription()
    try:
        yield pane
        assert not pane.failed
    finally:
        application.removeEventFilter(dispatcher)
        pane.unbind()
        pane.close()
        pane.deleteLater()


@contextmanager
def timeline_of(project: Path, *, home: Path) -> Iterator[TimelinePane]:
    """A timeline on a project, with settings of its own."""
    with (
        pytest.MonkeyPatch.context() as patch,
        open_project(project, kind="person", role="lead") as session,
    ):
        patch.setenv("WORKSTATION_HOME", str(home))
        bench = Workbench(session)
        assert bench.open_sample("sf_drive")
        with timeline_on(bench) as pane:
            yield pane
        bench.close()


def wait_until_filled(pane: TimelinePane, *, pictures: int = 1) -> None:
    """Until each camera has some pictures, the waveform is built, and the checks have run."""
    assert pane.model is not None
    scenes = [row.scene for row in pane.model.rows]
    films = [scene for scene in scenes if isinstance(scene, FilmScene)]
    sounds = [scene for scene in scenes if isinstance(scene, SoundScene)]
    findings = [scene for scene in scenes if isinstance(scene, FindingScene)]
    wait_for(lambda: all(len(film._held) >= pictures for film in films), what="pictures")
    wait_for(lambda: all(len(sound.onsets) > 0 for sound in sounds), what="the waveform and its onsets")
    wait_for(lambda: all(finding.checked for finding in findings), what="the checks")


def place_of(pane: TimelinePane, record_id: str, share: float = 0.5) -> QPoint:
    """Where a label is on the canvas, so far along it."""
    assert pane.model is not None
    place = pane.model.place_of(record_id)
    assert place is not None
    row, scene, number = place
    rect = scene.item_rect(number, pane.model.viewport, row.height - 1)
    return QPoint(round(rect.left() + rect.width() * share), round(row.top + rect.center().y() - pane.canvas.offset))


def x_of(pane: TimelinePane, time_ns: int) -> int:
    """Where a time is on the canvas."""
    assert pane.model is not None
    return round(pane.model.viewport.x_of(time_ns))


def lane_y(pane: TimelinePane, key: str) -> int:
    """The middle of a lane on the canvas."""
    assert pane.model is not None
    row = pane.model.row_of(key)
    assert row is not None, [each.lane.key for each in pane.model.rows]
    return row.top + row.height // 2 - pane.canvas.offset


def turn_wheel(pane: TimelinePane, at: QPoint, steps: int, modifiers: Qt.KeyboardModifier) -> None:
    """Notches of the wheel over the canvas."""
    event = QWheelEvent(
        QPointF(at), QPointF(pane.canvas.mapToGlobal(at)), QPoint(), QPoint(0, 120 * steps), Qt.MouseButton.NoButton,
        modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(pane.canvas, event)
