"""Lines between panes: from where a label is in one pane to where what it is linked to is in another.

A glass over the docks of the main window. It shows the links of what is pointed at, else of what is selected, catches
no click, and is hidden while there is nothing to show. Where labels are, each pane says (``Pane.where``); panes scroll
and play without telling, so while lines are shown it looks again some times a second and repaints only what moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, Qt, QTimer, Slot
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QMainWindow, QWidget

from workstation.core.values import dataclass
from workstation.ui.glass import along, show_only
from workstation.ui.panes.catalogue import PANES
from workstation.ui.scenes.letters import small_font

if TYPE_CHECKING:
    from workstation.app.lines_between import Bundle
    from workstation.core.selection import SelectionChanged
    from workstation.store.changes import ChangeSet
    from workstation.ui.panes.base import Pane
    from workstation.ui.workbench import Workbench

_SOON_MS, _AGAIN_MS = 40, 90
_MOST_SUBJECTS = 12
_PAD_PX = 6.0
"""How far a line and its feet reach beside it."""
_LAST = ("timeline", "trajectory")
"""Panes that show everything: a line ends there only where the label is seen in no other."""
_STREAMS = {spec.kind: spec.streams for spec in PANES}


@dataclass(frozen=True, slots=True)
class Line:
    """From place to place in the window; ``name`` is written on the first line of a link."""

    link: str
    start: QRectF
    end: QRectF
    name: str
    holds: bool
    proposed: bool


@dataclass(frozen=True, slots=True)
class _Sight:
    pane: str
    rect: QRectF
    at_home: bool
    """Whether the label lies on a stream that this pane is for: an outline of a cuboid on a picture is a guest."""


class LinkLines(QWidget):
    """The glass. ``panes`` answers which panes there are."""

    def __init__(self, window: QMainWindow, panes: Callable[[], Iterator[Pane]]) -> None:
        super().__init__(window)
        self.setObjectName("link_lines")
        self.setAccessibleName("Lines between panes")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        self.lines: tuple[Line, ...] = ()
        self._names: tuple[tuple[QRectF, str], ...] = ()
        self.wanted = True
        """Whether a person wants to see lines at all."""
        self._window = window
        self._panes = panes
        self._bench: Workbench | None = None
        self._bundles: list[Bundle] = []
        self._soon, self._again = QTimer(self), QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._gather)
        self._again.setInterval(_AGAIN_MS)
        self._again.timeout.connect(self._look)
        window.installEventFilter(self)

    def bind(self, bench: Workbench) -> None:
        """Show the links of this workbench's sample."""
        self._bench = bench
        bench.selection.selection_changed.connect(self._on_selection)
        bench.records_changed.connect(self._on_records)
        bench.sample_changed.connect(self._on_sample)

    def unbind(self) -> None:
        """Show nothing; may be called twice."""
        bench, self._bench = self._bench, None
        if bench is not None:
            bench.selection.selection_changed.disconnect(self._on_selection)
            bench.records_changed.disconnect(self._on_records)
            bench.sample_changed.disconnect(self._on_sample)
        self._soon.stop()
        self._drop()

    def turn(self) -> bool:
        """Show lines, or none, from now on; which of both it is now."""
        self.wanted = not self.wanted
        self._gather()
        return self.wanted

    # --- from the workbench -------------------------------------------------------------------------------------

    def _on_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed or change.hover_changed:
            self._soon.start()

    def _on_records(self, _changes: ChangeSet) -> None:
        self._soon.start()

    def _on_sample(self, _view: object) -> None:
        self._drop()

    # --- what is shown ------------------------------------------------------------------------------------------

    def _drop(self) -> None:
        self._again.stop()
        self._bundles, self.lines = [], ()
        self.hide()

    @Slot()
    def _gather(self) -> None:
        """Which links are to be seen: of what is pointed at if it has any, else of the selection."""
        from workstation.app.lines_between import bundles

        bench = self._bench
        self._bundles = []
        if self.wanted and bench is not None and bench.view is not None:
            state = bench.selection.state
            hovered = () if state.hovered is None else (state.hovered,)
            self._bundles = bundles(bench.view, hovered)
            if not self._bundles and 0 < len(state.ids) <= _MOST_SUBJECTS:
                self._bundles = bundles(bench.view, state.ids)
        if not self._bundles:
            self._drop()
            return
        self._again.start()
        self._look()

    @Slot()
    def _look(self) -> None:
        """Where everything is now."""
        sights = self._sights()
        lines = tuple(line for bundle in self._bundles for line in _lines_of(bundle, sights))
        if lines == self.lines and self.isVisible() is bool(lines):
            return
        self.lines = lines
        if self.size() != self._window.size():
            self.resize(self._window.size())
        self._names = tuple(self._placed_names())
        show_only(self, self._places())

    def _places(self) -> Iterator[QRectF]:
        """Where something is drawn."""
        for line in self.lines:
            yield from along(_path(line), _PAD_PX)
        for box, _ in self._names:
            yield box.adjusted(-2, -2, 2, 2)

    def _placed_names(self) -> Iterator[tuple[QRectF, str]]:
        """What the relations are called, one below the other where they would lie on each other."""
        metrics = QFontMetricsF(small_font())
        taken: list[QRectF] = []
        for line in self.lines:
            if not line.name:
                continue
            at = _path(line).pointAtPercent(0.5)
            wide, high = metrics.horizontalAdvance(line.name) + 12, metrics.height() + 4
            box = QRectF(at.x() - wide / 2, at.y() - high / 2, wide, high)
            for _ in range(len(taken)):
                if not any(box.intersects(each) for each in taken):
                    break
                box.translate(0, high + 2)
            taken.append(box)
            yield box, line.name

    def _sights(self) -> dict[str, list[_Sight]]:
        wanted = frozenset().union(*(bundle.labels for bundle in self._bundles))
        window, found = self._window, dict[str, list[_Sight]]()
        for pane in self._panes():
            if not pane.awake or pane.failed or not pane.isVisible() or pane.window() is not window:
                continue
            corner = QPointF(pane.mapTo(window, QPoint()))
            for key, rect in pane.guard(pane.where, wanted) or ():
                sight = _Sight(pane.kind, rect.translated(corner), self._is_home(pane.kind, key))
                found.setdefault(key, []).append(sight)
        return found

    def _is_home(self, pane: str, label: str) -> bool:
        view = None if self._bench is None else self._bench.view
        annotation = None if view is None else view.annotations.get(label)
        stream = None if view is None or annotation is None else view.streams.get(annotation.stream or "")
        return stream is None or stream.kind.value in _STREAMS.get(pane, ())

    # --- Qt -----------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The glass is as large as the window."""
        if event.type() is QEvent.Type.Resize and watched is self._window:
            self.resize(self._window.size())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        bench = self._bench
        if bench is None:
            return
        theme = bench.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(small_font())
        for line in self.lines:
            path = _path(line)
            for colour, width in ((theme.paper, 4.2), (theme.accent, 1.8)):
                pen = QPen(QColor(colour), width)
                if width < 4 and not line.holds:
                    pen.setStyle(Qt.PenStyle.DashLine)
                elif width < 4 and line.proposed:
                    pen.setStyle(Qt.PenStyle.DotLine)
                painter.setPen(pen)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawPath(path)
            painter.setPen(QPen(QColor(theme.paper), 1.2))
            painter.setBrush(QColor(theme.accent))
            for share in (0.0, 1.0):
                painter.drawEllipse(path.pointAtPercent(share), 4.0, 4.0)
        for box, name in self._names:
            painter.setPen(QPen(QColor(theme.accent), 1.0))
            painter.setBrush(QColor(theme.panel))
            painter.drawRoundedRect(box, 4, 4)
            painter.setPen(QColor(theme.ink))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)
        painter.end()


def _lines_of(bundle: Bundle, sights: dict[str, list[_Sight]]) -> Iterator[Line]:
    """From where the first end is seen best to every pane in which another end is."""
    seen = [[each for key in sorted(end) for each in sights.get(key, ())] for end in bundle.ends]
    seen = [_best(each) for each in seen if each]
    if len(seen) < 2:
        return
    hub = seen[0][0]
    named = False
    for end in seen[1:]:
        apart = [each for each in end if each.pane != hub.pane] or end[:1]
        for each in apart:
            name = "" if named else bundle.name if bundle.holds else f"not {bundle.name}"
            named = True
            yield Line(bundle.link, hub.rect, each.rect, name, bundle.holds, bundle.proposed)


def _best(seen: list[_Sight]) -> list[_Sight]:
    """One sight in each pane, the largest; guests, and panes that show everything, count only if no other shows it."""
    by_pane: dict[str, _Sight] = {}
    for each in sorted(seen, key=lambda one: (not one.at_home, -one.rect.width() * one.rect.height())):
        by_pane.setdefault(each.pane, each)
    near = [each for each in by_pane.values() if each.pane not in _LAST]
    return [each for each in near if each.at_home] or near or list(by_pane.values())


def _path(line: Line) -> QPainterPath:
    """A gentle curve between the borders of both, so that what is linked stays free."""
    a, b = line.start.center(), line.end.center()
    start, end = _border(line.start, b), _border(line.end, a)
    path = QPainterPath(start)
    across = end - start
    bend = QPointF(-across.y(), across.x()) * 0.12
    path.quadTo((start + end) / 2 + bend, end)
    return path


def _border(rect: QRectF, towards: QPointF) -> QPointF:
    """Where the way from the middle of a rectangle leaves it."""
    middle = rect.center()
    dx, dy = towards.x() - middle.x(), towards.y() - middle.y()
    shares = [half / abs(step) for half, step in ((rect.width() / 2, dx), (rect.height() / 2, dy)) if abs(step) > 1e-9]
    share = min([1.0, *shares])
    return QPointF(middle.x() + dx * share, middle.y() + dy * share)
