"""Bars that come and go above the panes: the panes keep their heights, and the lowest row gives or takes the room.

Qt takes the room for a bar from above and below and gives all of it to what is below, so that the cameras would lose
some of their height with every link that is made. Used by the window for the lines of link mode and for notices.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStyle, QToolBar

_LOWEST = Qt.DockWidgetArea.BottomDockWidgetArea
Heights = dict[QDockWidget, int]


class DockHeights:
    """Of one window. ``before`` says how tall everything was when the first bar came."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._before: tuple[int, Heights] | None = None
        self._after: tuple[int, Heights] = (0, {})
        """How tall all was left when a bar came: who draws a border meanwhile wants it there."""
        self._shown: set[QToolBar] = set()
        self._seen: list[QDockWidget] = []
        self._settled = QTimer(window)
        self._settled.setSingleShot(True)
        self._settled.setInterval(0)  # Qt lays out once more where something would be lower than it can be
        self._settled.timeout.connect(self._on_settled)

    def turn(self, bar: QToolBar, *, on: bool, docks: Iterable[QDockWidget]) -> None:
        """Show or hide the bar; ``docks`` are those that can be seen."""
        seen = list(docks)
        if bar.isVisible() == on or not seen or not self._window.isVisible():
            bar.setVisible(on)
            return
        heights, top = self._heights(seen), min(each.y() for each in seen)
        if on and not self._shown:
            self._before = (self._window.height(), heights)
        bar.setVisible(on)
        (self._shown.add if on else self._shown.discard)(bar)
        layout = self._window.layout()
        assert layout is not None
        layout.activate()
        high, after = self._after
        untouched = self._settled.isActive() or list(heights.values()) == list(after.values())
        if untouched and not self._shown and self._before is not None and self._window.height() == high:
            self._window.resize(self._window.width(), self._before[0])  # it had to grow for the bar
        self._seen = seen
        wanted = self._as_before(seen) if not self._shown and untouched else None
        if wanted is None:
            moved = min(each.y() for each in seen) - top
            wanted = {each: tall - (moved if self._is_low(each) else 0) for each, tall in heights.items()}
        self._window.resizeDocks(list(wanted), list(wanted.values()), Qt.Orientation.Vertical)
        self._settled.start()

    def forget(self) -> None:
        """Everything stands otherwise now: another workspace."""
        self._before = None

    def _on_settled(self) -> None:
        self._after = (self._window.height(), self._heights(self._seen))

    def _as_before(self, seen: list[QDockWidget]) -> Heights | None:
        """How tall everything was before the first bar, where the same places are there still."""
        if self._before is None or self._before[0] != self._window.height():
            return None
        before = self._before[1]
        places = {
            each: next((other for other in (each, *self._window.tabifiedDockWidgets(each)) if other in before), None)
            for each in seen
        }
        if None in places.values() or len(before) != len(seen):
            return None
        return {each: before[place] for each, place in places.items() if place is not None}

    def _heights(self, seen: list[QDockWidget]) -> Heights:
        """Of each place, with the tabs under it: down to what stands next below, or the status line."""
        between = self._window.style().pixelMetric(QStyle.PixelMetric.PM_DockWidgetSeparatorExtent, None, self._window)
        floor = self._window.statusBar().y()
        found: Heights = {}
        for each in seen:
            left, right, low = each.x(), each.x() + each.width(), each.y() + each.height()
            below = [
                other.y() for other in seen
                if other.y() >= low and other.x() < right and left < other.x() + other.width()
            ]  # fmt: skip
            found[each] = (min(below) - between if below else floor) - each.y()
        return found

    def _is_low(self, dock: QDockWidget) -> bool:
        return self._window.dockWidgetArea(dock) == _LOWEST
