"""A pane of several views with tools over them (cameras, planes): the tool at work and one view alone as its gestures,
which view a signal came from, and what is told to all of them.
"""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QPoint, QPointF, QRectF
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from workstation.ui.panes.base import Gesture, Pane
from workstation.ui.pointing import key_of
from workstation.ui.scenes.overlays import Marks
from workstation.ui.tools.canvas import Tool
from workstation.ui.tools.state import Hand


class ToolView(Protocol):
    """One view of a pane."""

    @property
    def tool(self) -> Tool: ...

    @property
    def area(self) -> QWidget: ...

    def show_marks(self, marks: Marks, /) -> None: ...

    def hand_changed(self) -> None: ...

    def where(self, ids: frozenset[str], /) -> list[tuple[str, QRectF]]:
        """Where these show, in the coordinates of ``area``."""
        ...


ViewT = TypeVar("ViewT", bound=ToolView)


class ViewsPane(Pane, Generic[ViewT]):
    """See the module."""

    view_kind: type[ViewT]
    views: list[ViewT]
    enlarged: object | None
    """What says which view is alone; ``None`` for all."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._at_work: Gesture | None = None
        super().__init__(parent)

    def focus(self, view: ViewT) -> None:
        """This view is worked on now."""
        raise AssertionError(f"{type(self).__name__} says how")

    def show_all(self) -> None:
        """No view is alone any more."""
        raise AssertionError(f"{type(self).__name__} says how")

    @property
    def gesture(self) -> Gesture | None:
        """The tool at work; without one, while the pane has the focus, one view alone, which ``Esc`` leaves."""
        if self._at_work is not None:
            return self._at_work
        return _Enlarged(self) if self.enlarged is not None and self._has_focus() else None

    @gesture.setter
    def gesture(self, gesture: Gesture | None) -> None:
        self._at_work = gesture

    def _has_focus(self) -> bool:
        focus: QWidget | None = self.window().focusWidget()
        if focus is None:
            return False
        return focus is self or self.isAncestorOf(focus)

    def tool_moved(self, view: ViewT) -> None:
        """The tool over a view has begun or ended something."""
        held = self._at_work
        if view.tool.busy:
            if held is None:
                self.gesture = _ToolGesture(self, view)
        elif isinstance(held, _ToolGesture) and held.view is view:
            self.gesture = None

    def _sender_view(self) -> ViewT | None:
        sender: Any = self.sender()
        while sender is not None and not isinstance(sender, self.view_kind):
            sender = sender.parent()
        found: ViewT | None = sender
        return found

    def _taken(self) -> None:
        view = self._sender_view()
        if view is not None:
            self.setFocus()
            self.focus(view)

    def _tool_moved(self) -> None:
        view = self._sender_view()
        if view is not None:
            self.tool_moved(view)

    def _hand_changed(self, _hand: Hand) -> None:
        for view in self.views:
            view.hand_changed()
            self.tool_moved(view)

    def _mark(self) -> None:
        """What is selected, hovered and the same thing as either is marked in all views."""
        bench = self.bench
        if bench is None or bench.view is None:
            return
        state = bench.selection.state
        related = bench.view.marked(state.ids) if state.ids else frozenset[str]()
        marks = Marks(selected=frozenset(state.ids), related=related, hovered=state.hovered)
        for view in self.views:
            view.show_marks(marks)

    def where(self, ids: frozenset[str]) -> list[tuple[str, QRectF]]:
        found: list[tuple[str, QRectF]] = []
        for view in self.views:
            if view.area.isVisible():
                corner = QPointF(view.area.mapTo(self, QPoint()))
                found += [(key, rect.translated(corner)) for key, rect in view.where(ids)]
        return found


class _ToolGesture(Generic[ViewT]):
    """A tool at work, as the pane's gesture: it gets keys first, and ``Esc`` cancels it."""

    def __init__(self, pane: ViewsPane[ViewT], view: ViewT) -> None:
        self._pane = pane
        self.view = view

    def key(self, event: QKeyEvent) -> bool:
        taken = bool(self.view.tool.key(key_of(event)))
        self._pane.tool_moved(self.view)
        return taken

    def cancel(self) -> None:
        self.view.tool.cancel()
        self._pane.tool_moved(self.view)
        self.view.area.update()


class _Enlarged:
    """One view alone, as something that ``Esc`` leaves."""

    def __init__(self, pane: ViewsPane[Any]) -> None:
        self._pane = pane

    def key(self, event: QKeyEvent) -> bool:
        return False

    def cancel(self) -> None:
        self._pane.show_all()
