"""A person at the window, for stories: presses keys, types, clicks what has a name, drags in panes, reads what stands.

Everything goes in as mouse and key events and comes out as words or pixels on the screen; what was stored is read by
``Stored``, which knows the file and none of the program.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QScrollBar, QTabBar, QWidget

import strict_windows
from workstation.ui.main_window import MainWindow
from workstation.ui.panes.camera import CameraPane
from workstation.ui.panes.timeline import TimelinePane

if TYPE_CHECKING:
    from workstation.ui.panes.base import Pane
    from workstation.ui.panes.camera_view import CameraView
    from workstation.ui.workbench import Workbench

LEFT = Qt.MouseButton.LeftButton
PLAIN = Qt.KeyboardModifier.NoModifier
CTRL_HELD = Qt.KeyboardModifier.ControlModifier
SECOND = 1_000_000_000
_QTS_NAMES = {"Enter": "Return", "PgDn": "PgDown"}
PICTURE_PX = (960, 540)
"""Of the drive's cameras."""


class Person:
    """Works at one window."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window

    # --- keys -------------------------------------------------------------------------------------------------------

    def press(self, *chords: str) -> Person:
        """Keys one after the other, written as in the menus: ``press("I", "Ctrl+Z")``."""
        for chord in chords:
            combination = QKeySequence(_QTS_NAMES.get(chord, chord))[0]
            QTest.keyClick(self.focus, combination.key(), combination.keyboardModifiers())
        return self

    def type(self, text: str) -> Person:
        """Letters into whatever has the focus."""
        QTest.keyClicks(self.focus, text)
        return self

    @property
    def focus(self) -> QWidget:
        """What hears the keys: in the dialog that is open, else in the window."""
        dialog = self.dialog
        top: QWidget = self.window if dialog is None else dialog
        found: QWidget | None = top.focusWidget()
        return top if found is None else found

    def go_to(self, place: str) -> Person:
        """Move the playhead by typing where."""
        return self.press("G").type(place).press("Enter")

    # --- the mouse --------------------------------------------------------------------------------------------------

    def click(self, name: str) -> Person:
        """The control of that name, as a screen reader would say it."""
        widget = self.find(name)
        QTest.mouseClick(widget, LEFT, PLAIN, widget.rect().center())
        return self

    def click_at(self, widget: QWidget, at: QPoint, held: Qt.KeyboardModifier = PLAIN) -> Person:
        QTest.mouseMove(widget, at)
        QTest.mouseClick(widget, LEFT, held, at)
        return self

    def drag(
        self, widget: QWidget, start: QPoint, end: QPoint, held: Qt.KeyboardModifier = PLAIN, *, release: bool = True
    ) -> Person:
        """Press, move as a hand does, let go."""
        QTest.mouseMove(widget, start)
        QTest.mousePress(widget, LEFT, held, start)
        for step in range(1, 9):
            QTest.mouseMove(widget, start + (end - start) * step / 8)
        if release:
            QTest.mouseRelease(widget, LEFT, held, end)
        return self

    # --- pictures and lanes ------------------------------------------------------------------------------------------

    def camera(self, key: str) -> CameraView:
        pane = self.pane("camera")
        assert isinstance(pane, CameraPane)
        return next(each for each in pane.views if each.stream.key == key)

    def draw(self, key: str, corners: tuple[int, int, int, int], held: Qt.KeyboardModifier = PLAIN) -> Person:
        """Pull from one corner to the other, in pixels of the picture."""
        start, end = (on_screen(self.camera(key), place) for place in (corners[:2], corners[2:]))
        return self.drag(self.camera(key).area, start, end, held)

    def label_on_timeline(self, record_id: str) -> tuple[QWidget, QPoint]:
        """Where a label stands on the timeline, scrolled into view."""
        pane = self.pane("timeline")
        assert isinstance(pane, TimelinePane)
        assert pane.model is not None
        place = pane.model.place_of(record_id)
        assert place is not None, "no lane of the timeline holds it"
        row, scene, number = place
        rect = scene.item_rect(number, pane.model.viewport, row.height - 1)
        bar = pane.findChild(QScrollBar, "timeline_scroll")
        assert bar is not None
        bar.setValue(row.top)
        return pane.canvas, QPoint(round(rect.center().x()), round(row.top + rect.center().y() - pane.canvas.offset))

    # --- what is there ----------------------------------------------------------------------------------------------

    def find(self, name: str) -> QWidget:
        """The one control on the screen with that name."""
        roots = [each for each in (self.dialog, self.window) if each is not None]
        for root in roots:
            found = [each for each in root.findChildren(QWidget) if each.accessibleName() == name and each.isVisible()]
            if found:
                return found[0]
        raise AssertionError(f"nothing on the screen is called {name!r}")

    def read(self, object_name: str) -> str:
        """The text of a label, field or button on the screen."""
        widget = self.window.findChild(QWidget, object_name)
        assert widget is not None, f"there is no {object_name}"
        assert widget.isVisible(), f"{object_name} cannot be seen"
        return str(widget.property("text"))

    def header(self, kind: str) -> str:
        """All words in the header of a pane."""
        labels = self.pane(kind).header.findChildren(QLabel)
        return " ".join(each.text() for each in labels if each.isVisible() and each.text())

    def pane(self, kind: str) -> Pane:
        found = self.window.pane(kind)
        assert found is not None, f"no pane {kind} is open"
        return found

    def bring(self, kind: str) -> Pane:
        """Bring a pane that lies under another tab to the front, by clicking its tab."""
        dock = self.window.docks.dock(kind)
        assert dock is not None
        for bar in self.window.findChildren(QTabBar):
            for index in range(bar.count()):
                if bar.isVisible() and bar.tabText(index) == dock.windowTitle():
                    QTest.mouseClick(bar, LEFT, PLAIN, bar.tabRect(index).center())
        self.waits(lambda: dock.pane is not None and dock.pane.awake, f"the pane {kind}")
        return self.pane(kind)

    @property
    def dialog(self) -> QDialog | None:
        """The dialog that was opened last and still stands."""
        shown = [each for each in self.window.findChildren(QDialog) if each.isVisible()]
        return shown[-1] if shown else None

    @property
    def said(self) -> str:
        """The last sentence in the status line."""
        return self.window.status.said

    @property
    def bench(self) -> Workbench:
        """What the window holds; stories look at it, and act through keys and mouse."""
        assert self.window.opened is not None
        return self.window.opened.bench

    def waits(self, condition: Callable[[], bool], what: str) -> Person:
        strict_windows.wait_for(condition, what=what)
        return self

    def waits_for_pictures(self) -> Person:
        """Until the cameras show what the playhead asks for."""
        return self.waits(self.pane("camera").settled, "the pictures")

    def waits_for_everything(self) -> Person:
        """Until nothing on the screen is still to come, the films of the timeline included."""
        return self.waits(self.window.docks.settled, "everything")

    def screen(self) -> QImage:
        """The window as it stands; also kept where ``WORKSTATION_STORY_PICTURES`` names a folder."""
        return self.window.grab().toImage()

    def keep_picture(self, name: str) -> None:
        """For whoever wants to look at how a story ended."""
        folder = os.environ.get("WORKSTATION_STORY_PICTURES")
        if folder:
            strict_windows.let_work(300)  # words that were set just now find their room
            (self.dialog or self.window).grab().save(str(Path(folder) / f"{name}.png"))


def on_screen(camera: CameraView, place: Sequence[float]) -> QPoint:
    """Where a place of a picture is in its area: the picture lies whole and in the middle."""
    area = camera.area.size()
    width, height = PICTURE_PX
    scale = min(area.width() / width, area.height() / height)
    left, top = (area.width() - width * scale) / 2, (area.height() - height * scale) / 2
    return QPoint(round(left + place[0] * scale), round(top + place[1] * scale))


@contextmanager
def sit_down(project: Path | None) -> Generator[Person, None, None]:
    """Start the program on a project, as ``workstation open`` does; closed afterwards."""
    window = MainWindow()
    window.show()
    assert QTest.qWaitForWindowExposed(window)
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window)
    person = Person(window)
    try:
        if project is not None:
            assert window.open_project(project), person.said
            person.waits(lambda: not window.jobs.running(), "the jobs of opening")
        yield person
    finally:
        window.close()
        window.deleteLater()
        QApplication.sendPostedEvents()


@dataclass(frozen=True, slots=True)
class Stored:
    """What the project file holds, read by SQL alone."""

    project: Path

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.project / 'project.db'}?mode=ro", uri=True)) as file:
            return file.execute(sql, values).fetchall()

    def spans(self, class_id: str) -> list[tuple[str, int, int]]:
        """Stream key, start and end in the stream's own time."""
        return self.rows(
            "SELECT s.key, a.start_ns, a.end_ns FROM annotation a JOIN stream s ON s.id = a.stream"
            " WHERE a.class_id = ? AND a.kind = 'span' ORDER BY a.start_ns", class_id,
        )  # fmt: skip

    def edits(self) -> int:
        """How many steps were ever stored."""
        return int(self.rows("SELECT max(rev) FROM revision")[0][0])

    def state(self) -> frozenset[tuple[str, bytes, bytes]]:
        """Every record that stands, by the digest of its content: equal states hold equal values."""
        kinds = ("entity", "annotation", "keyframe", "word", "link", "sample", "stream")
        found: set[tuple[str, bytes, bytes]] = set()
        for kind in kinds:
            rows = self.rows(f"SELECT k.id, c.digest FROM {kind} k JOIN change c ON c.seq = k.seq")
            found |= {(kind, bytes(key), bytes(digest)) for key, digest in rows}
        return frozenset(found)

    def content(self, kind: str, sql_where: str, *values: object) -> list[dict[str, Any]]:
        """Records as they were written."""
        rows = self.rows(f"SELECT c.payload FROM {kind} k JOIN change c ON c.seq = k.seq WHERE {sql_where}", *values)
        return [json.loads(row[0]) for row in rows]
