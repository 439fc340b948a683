"""The context menu of labels, the same in every pane: what it is linked to, to go there, and what may be linked.

A right click on what is pointed at (a drag with the right button moves or shades pictures, as ever), or the menu key on
what is selected. The window's events are watched before widgets get them, since some of them take every press.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Slot
from PySide6.QtGui import QGuiApplication, QMouseEvent, QWindow
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from workstation.ui.panes.base import Pane
from workstation.ui.panes.catalogue import PANES

if TYPE_CHECKING:
    from workstation.ui.workbench import Workbench

_MOST = 12
_STREAMS = {spec.kind: spec.streams for spec in PANES}
_SHOW_ALL = ("timeline", "trajectory")
_ACTIONS = (
    ("Link…", "link.add"), ("Move an end of the link…", "link.retarget"), ("State an absence…", "link.absent"),
    ("Show its links in the graph", "pane.show_graph"),
)  # fmt: skip


class LabelMenu(QObject):
    """``perform`` does an action of the window."""

    def __init__(self, parent: QWidget, perform: Callable[[str], None]) -> None:
        super().__init__(parent)
        self._window = parent
        self._perform = perform
        self._bench: Workbench | None = None
        self._watched: set[int] = set()
        self._pressed: tuple[QPoint, str, Pane] | None = None
        self.menu: QMenu | None = None
        """The one that is open."""
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.focusWindowChanged.connect(self._on_window)

    def bind(self, bench: Workbench) -> None:
        """Labels of this workbench's sample."""
        self._bench = bench

    def unbind(self) -> None:
        """No menus; may be called twice."""
        self._bench = self._pressed = None

    def watch(self, window: QWindow | None) -> None:
        """Menus for the panes of this window, and of those that float out of it."""
        if window is not None and window.winId() not in self._watched:
            self._watched.add(window.winId())
            window.installEventFilter(self)

    @Slot(QWindow)
    def _on_window(self, window: QWindow | None) -> None:
        if window is not None and window.type() is not Qt.WindowType.Popup:
            self.watch(window)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Right button down and up on a label without a drag between: its menu."""
        if event.type() is QEvent.Type.MouseButtonPress:
            self._pressed = None
            if isinstance(event, QMouseEvent) and event.button() is Qt.MouseButton.RightButton:
                self._press(event.globalPosition().toPoint())
        elif event.type() is QEvent.Type.MouseButtonRelease and self._pressed is not None:
            pressed, self._pressed = self._pressed, None
            if isinstance(event, QMouseEvent) and event.button() is Qt.MouseButton.RightButton:
                place, label, pane = pressed
                if (event.globalPosition().toPoint() - place).manhattanLength() < QApplication.startDragDistance():
                    pane.guard(self.open_for, label, place, pane.kind, pane)
        return False

    def _press(self, place: QPoint) -> None:
        bench = self._bench
        widget: QWidget | None = QApplication.widgetAt(place)
        pane = pane_of(widget)
        label = None if pane is None else pane.guard(pane.label_at, pane.mapFromGlobal(place))
        if label is None and bench is not None:
            label = bench.selection.state.hovered
        if bench is not None and label is not None and pane is not None and pane.gesture is None:
            self._pressed = place, label, pane

    def open_by_key(self, pane: QWidget) -> None:
        """For what is selected, beside where the pane shows it."""
        bench = self._bench
        if bench is None or not bench.selected:
            return
        sights = pane.where(frozenset(bench.selected)) if isinstance(pane, Pane) else []
        at = sights[0][1].bottomLeft().toPoint() if sights else pane.rect().center()
        self.open_for(bench.selected[0], pane.mapToGlobal(at), "label_menu", pane if isinstance(pane, Pane) else None)

    def open_for(self, label: str, place: QPoint, cause: str, pane: Pane | None = None) -> None:
        """Select it, if it is not, and show its menu there; the pane may add to it."""
        bench = self._bench
        if bench is None or bench.view is None or not bench.view.exists(label):
            return
        if label not in bench.selected:
            bench.select([label], cause=cause)
        menu = self._made(bench, label)
        if pane is not None:
            pane.menu_entries(menu)
        menu.popup(place)
        self.menu = menu

    def _made(self, bench: Workbench, label: str) -> QMenu:
        from workstation.app.linked_labels import linked_labels

        assert bench.view is not None
        menu = QMenu(self._window)
        menu.setObjectName("label_menu")
        menu.setAccessibleName(f"What {bench.view.name_of(label)} is linked to")
        title = menu.addAction(bench.view.name_of(label))
        title.setEnabled(False)
        found = linked_labels(bench.view, label, bench.clock.time_ns)
        for each in found[:_MOST]:
            action = menu.addAction(each.text)
            action.setData(each.label)
            action.triggered.connect(self._on_go)
        if not found:
            menu.addAction("Linked to nothing").setEnabled(False)
        elif len(found) > _MOST:
            more = f"and {len(found) - _MOST} more; go through all (@link.next_end)"
            menu.addAction(bench.spelled(more)).setEnabled(False)
        menu.addSeparator()
        for words, action_id in _ACTIONS:
            action = menu.addAction(words)
            action.setData(action_id)
            action.triggered.connect(self._on_action)
        menu.aboutToHide.connect(self._on_hidden)
        return menu

    @Slot()
    def _on_go(self) -> None:
        from workstation.ui.panels.going import go_to

        action = self.sender()
        if self._bench is not None and action is not None:
            go_to(self._bench, [str(action.data())], cause="label_menu")  # type: ignore[attr-defined]

    @Slot()
    def _on_action(self) -> None:
        action = self.sender()
        if action is not None:
            self._perform(str(action.data()))  # type: ignore[attr-defined]

    @Slot()
    def _on_hidden(self) -> None:
        menu, self.menu = self.menu, None
        if menu is not None:
            menu.deleteLater()


def pane_of(widget: QWidget | None) -> Pane | None:
    """The pane around a widget that shows labels in place; lists have menus of their own."""
    while widget is not None:
        if isinstance(widget, Pane):
            return widget if _STREAMS.get(widget.kind) or widget.kind in _SHOW_ALL else None
        widget = widget.parentWidget()
    return None
