"""A pane that shows a stretch of time across: timeline, sound, series. How it zooms, pans, fits and shows a selection.

A subclass has a ``model`` with the viewport it shows and a ``canvas`` that is drawn on, and redraws itself.
"""

from __future__ import annotations

from typing import Protocol

from PySide6.QtWidgets import QWidget

from workstation.app.spans import selected_range
from workstation.app.viewport import Viewport
from workstation.ui.panes.base import Pane

ZOOM_STEP = 0.64
"""How much of the time is left by one step closer."""


class Stretched(Protocol):
    """What a time pane draws, of which the base only moves the stretch."""

    viewport: Viewport


class TimePane(Pane):
    """See the module."""

    model: Stretched | None
    canvas: QWidget
    _rest_dots = 0.0

    def reveal(self, ids: tuple[str, ...]) -> None:
        """Bring the first of these into view."""
        raise AssertionError(f"{type(self).__name__} says how")

    def redraw(self) -> None:
        """Show what the viewport says now."""
        raise AssertionError(f"{type(self).__name__} says how")

    def show_view(self, view: Viewport) -> None:
        """Show another stretch of time."""
        if self.model is not None and view != self.model.viewport:
            self.model.viewport = view
            self.redraw()

    def zoom(self, factor: float, at_x: float) -> None:
        """``factor`` times as much time; what is at ``at_x`` stays."""
        if self.model is not None and self.bench is not None:
            self.show_view(self.model.viewport.zoomed(factor, at_x, self.bench.clock.span))

    def zoom_in(self) -> None:
        self.zoom(ZOOM_STEP, self._zoom_x())

    def zoom_out(self) -> None:
        self.zoom(1 / ZOOM_STEP, self._zoom_x())

    def _zoom_x(self) -> float:
        """Around the playhead where it is in view, else around the middle."""
        if self.model is None or self.bench is None:
            return 0.0
        x = self.model.viewport.x_of(self.bench.clock.time_ns)
        return x if 0 <= x <= self.canvas.width() else self.canvas.width() / 2

    def pan(self, pixels: float) -> None:
        """Move the view by so many pixels: by whole ones of the screen, the rest with the next call."""
        if self.model is None or self.bench is None:
            return
        ratio = self.devicePixelRatioF()
        dots = round(pixels * ratio + self._rest_dots)
        self._rest_dots = pixels * ratio + self._rest_dots - dots
        self.show_view(self.model.viewport.stepped(dots, 1 / ratio, self.bench.clock.span))

    def fit(self) -> None:
        """Show the whole sample."""
        if self.model is not None and self.bench is not None:
            span = self.bench.clock.span
            self.show_view(self.model.viewport.showing(span, span, share=0.98))

    def zoom_to_selection(self) -> None:
        """Show what is selected, with a little around it."""
        bench = self.bench
        if bench is None or bench.view is None or self.model is None:
            return
        shown = selected_range(bench.view, bench.selected)
        if shown is not None:
            self.show_view(self.model.viewport.showing(shown, bench.clock.span))
            self.reveal(bench.selected)
