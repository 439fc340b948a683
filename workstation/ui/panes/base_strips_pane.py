"""A pane of strips, as far as sound and series agree: its frame, scrolling, the link to the timeline's stretch of time,
snapping, marks in and out, and what it does when the workbench tells something.

A subclass builds its controls (``linked`` and ``snap`` among them), calls ``build_strips``, and makes its model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollBar, QToolButton, QWidget

from workstation.app.units import stepped
from workstation.app.viewport import Viewport
from workstation.core.timebase import TimeRange
from workstation.store.changes import ChangeSet
from workstation.ui.panes.base import Gesture
from workstation.ui.panes.base_gestures import Drag
from workstation.ui.panes.base_marks import MarkedIn
from workstation.ui.panes.base_strips_canvas import RULER_PX, ModelT, StripsCanvas
from workstation.ui.panes.base_time import TimePane
from workstation.ui.theme import Theme
from workstation.ui.tools.state import Sight
from workstation.ui.workbench import Workbench


class StripsHeads(QWidget):
    """What stands left of the strips and scrolls with them."""

    def __init__(self, name: str, called: str, width_px: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(called)
        self.setFixedWidth(width_px)
        self.offset = 0

    def place(self) -> None:
        """Put everything beside its strip."""
        self.update()


class StripsPane(TimePane, Generic[ModelT]):
    """See the module."""

    model: ModelT | None
    canvas: StripsCanvas[Any, ModelT, Any, Any]
    heads: StripsHeads
    linked: QToolButton
    snap: QToolButton
    no_length = ""
    """What is said where marks in and out are at the same time."""

    def renew(self) -> None:
        """Strips may be others now."""
        raise AssertionError(f"{type(self).__name__} says how")

    def say(self, model: ModelT, time_ns: int) -> None:
        """Tell in the header what shows at a time."""
        raise AssertionError(f"{type(self).__name__} says what")

    def maker(self) -> Callable[[TimeRange], None] | None:
        """Makes a span of what was marked; ``None`` where none can be made."""
        raise AssertionError(f"{type(self).__name__} says which")

    # --- building -----------------------------------------------------------------------------------------------

    def build_strips(self, scrolls: str) -> None:
        """Canvas and heads with a bar that scrolls them, over them what is to be said instead."""
        self._bar = QScrollBar(Qt.Orientation.Vertical)
        self._bar.setObjectName(f"{self.kind}_scroll")
        self._bar.setAccessibleName(scrolls)
        self._bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._bar.valueChanged.connect(self._scrolled)
        self._said = QLabel()
        self._said.setObjectName(f"{self.kind}_said")
        self._said.setWordWrap(True)
        self._said.setContentsMargins(8, 4, 8, 4)
        self._said.hide()
        grid = QGridLayout(self.body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self._said, 0, 0, 1, 3)
        grid.addWidget(self.heads, 1, 0)
        grid.addWidget(self.canvas, 1, 1)
        grid.addWidget(self._bar, 1, 2)
        grid.setColumnMinimumWidth(0, self.heads.maximumWidth())
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(1, 1)
        self._marked = MarkedIn(self.canvas, self._unmarked)
        self.canvas.gesture_changed.connect(self._on_gesture)
        self.canvas.zoom_wanted.connect(self.zoom)
        self.canvas.pan_wanted.connect(self.pan)
        self.canvas.scroll_wanted.connect(self._scroll_by)
        self.canvas.resized.connect(self._fit_size)
        self.linked.toggled.connect(self._link_changed)
        self.snap.toggled.connect(self._snap_changed)

    def bound(self, bench: Workbench) -> None:
        self.hear(bench.theme_changed, self._on_theme)
        self.hear(bench.sight.changed, self._on_sight)
        self.hear(bench.reveal_wanted, self.reveal)
        self.hear(bench.window_changed, self._on_window)

    def say_instead(self, words: str) -> None:
        """Words over the strips; none hides them."""
        self._said.setText(words)
        self._said.setVisible(bool(words))

    # --- the workbench ------------------------------------------------------------------------------------------

    def show_time(self, time_ns: int) -> None:
        model, bench = self.model, self.bench
        if model is None or bench is None:
            return
        inside = model.viewport.start_ns <= time_ns < model.viewport.end_ns
        if not isinstance(self.gesture, Drag) and not inside:
            self.show_view(model.viewport.turned_to(time_ns, bench.clock.span))
        self.canvas.show_playhead()
        self.say(model, time_ns)

    def apply(self, changes: ChangeSet) -> None:
        del changes
        if isinstance(self.gesture, Drag):
            self.gesture.cancel()
        self.renew()

    def step_time(self, steps: int) -> int | None:
        units = None if self.model is None else self.model.own_units()
        if units is None or self.bench is None:
            return None
        return stepped(units, self.bench.clock.time_ns, steps)

    # --- the view -----------------------------------------------------------------------------------------------

    def where(self, ids: frozenset[str]) -> list[tuple[str, QRectF]]:
        canvas, model = self.canvas, self.canvas.model
        if model is None:
            return []
        corner = QPointF(canvas.mapTo(self, QPoint()))
        inside = QRectF(0, RULER_PX, canvas.width(), max(0, canvas.height() - RULER_PX))
        found = []
        for strip, scene in model.tiers():
            for key in ids & scene.tier.numbers.keys():
                rect = scene.item_rect(scene.tier.numbers[key], model.viewport, strip.height)
                placed = rect.translated(0, strip.top + RULER_PX - canvas.offset)
                if placed.intersects(inside):
                    found.append((key, placed.intersected(inside).translated(corner)))
        return found

    def room(self) -> int:
        """How high the strips may be without scrolling."""
        return max(40, self.canvas.height() - RULER_PX)

    def placed(self) -> None:
        """Strips are where they are now."""
        model = self.model
        if model is not None:
            self._bar.setRange(0, max(0, model.height - self.room()))
            self._bar.setPageStep(self.room())
            self._bar.setVisible(self._bar.maximum() > 0)
            self.heads.place()
        self.redraw()

    def drop_cancelled(self) -> None:
        """Let go of a drag that was cancelled."""
        if self.canvas.drag is not None and not self.canvas.drag.alive:
            self.canvas.end_drag()

    def mark(self, *, out: bool) -> None:
        """Mark in or out at the playhead; with both a span is made."""
        bench, make = self.bench, self.maker()
        if bench is None or make is None:
            return
        now, begin = bench.clock.time_ns, self.canvas.mark_in_ns
        if not out:
            self._marked.set(now)
            self.gesture = self.gesture or self._marked
        elif begin is None:
            bench.tell(f"Mark the beginning first (@{self.kind}.mark_in), then the end (@{self.kind}.mark_out).")
        elif begin == now:
            bench.tell(self.no_length)
        else:
            self._marked.cancel()
            make(TimeRange(min(begin, now), max(begin, now)))
        self.canvas.update()

    # --- what is told -------------------------------------------------------------------------------------------

    def _link_changed(self, linked: bool) -> None:
        if linked and self.bench is not None and self.bench.window is not None:
            self._on_window(self.bench.window)

    def _snap_changed(self, wanted: bool) -> None:
        if self.model is not None:
            self.model.snapping = wanted

    def _on_window(self, shown: TimeRange) -> None:
        if self.linked.isChecked() and self.model is not None and shown != self.model.viewport.shown:
            self.show_view(Viewport(shown.start_ns, shown.duration_ns, self.model.viewport.width_px))

    def _on_theme(self, theme: Theme) -> None:
        del theme
        self.heads.update()
        self.canvas.update()

    def _on_sight(self, sight: Sight) -> None:
        del sight
        self.renew()

    def _on_gesture(self, drag: Gesture | None) -> None:
        self.gesture = drag if drag is not None else self._marked if self._marked.begun else None
        self.canvas.update()

    def _unmarked(self) -> None:
        if self.gesture is self._marked:
            self.gesture = None

    def _scrolled(self, value: int) -> None:
        self.canvas.offset = self.heads.offset = value
        self.heads.place()
        self.canvas.update()

    def _scroll_by(self, pixels: float) -> None:
        self._bar.setValue(round(self._bar.value() + pixels))

    def _fit_size(self) -> None:
        if self.model is not None:
            self.model.viewport = self.model.viewport.resized(max(1, self.canvas.width()))
            self.model.place(self.room())
            self.placed()
