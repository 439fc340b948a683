"""What the keys of the timeline do: take and nudge a boundary, walk from label to label, mark in and out.

``actions/timeline.py`` calls it through ``TimelinePane.keys``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.core.selection import add, replace
from workstation.core.timebase import TimeRange
from workstation.ui.panes.timeline_edits import Boundary
from workstation.ui.panes.timeline_model import Part

if TYPE_CHECKING:
    from workstation.ui.panes.timeline import TimelinePane


class TimelineKeys:
    """Belongs to a pane; answers nothing while no sample is open."""

    def __init__(self, pane: TimelinePane) -> None:
        self._pane = pane

    def active_boundary(self) -> Boundary | None:
        """The boundary that keys move: the one grabbed last, else the selected label's that is nearest the playhead."""
        pane = self._pane
        if pane.model is None or pane.bench is None:
            return None
        active = pane.bench.selection.state.active
        annotation = None if active is None else pane.model.view.annotations.get(active)
        shown = None if annotation is None else pane.model.view.session_range(annotation)
        if annotation is None or shown is None or annotation.track is not None:
            return None
        if pane.canvas.edge is None or pane.canvas.edge.annotation != annotation.id:
            now = pane.bench.clock.time_ns
            at_end = abs(shown.end_ns - now) < abs(shown.start_ns - now)
            pane.canvas.edge = Boundary(annotation.id, Part.END if at_end else Part.START)
            pane.canvas.update()
        return pane.canvas.edge

    def other_boundary(self) -> None:
        """Take the other end of the selected label."""
        pane = self._pane
        edge = self.active_boundary()
        if edge is not None:
            pane.canvas.edge = Boundary(edge.annotation, Part.START if edge.part is Part.END else Part.END)
            pane.canvas.update()

    def nudge(self, steps: int) -> None:
        """Move the active boundary by units of its stream, and show where it is."""
        pane = self._pane
        boundary = self.active_boundary()
        if boundary is None or pane.edits is None or pane.bench is None or pane.model is None:
            return
        if pane.model.locked(pane.model.view.annotations[boundary.annotation]):
            pane.bench.tell("This label is locked: unlock its lane, class or track first.")
            return
        stands = pane.edits.nudge(boundary, steps)
        if stands is not None and not pane.in_view(stands):
            pane.show_view(pane.model.viewport.turned_to(stands, pane.bench.clock.span))

    def select_lane(self) -> None:
        """Select every label of the lane that holds the active one, else of the first lane with labels."""
        pane = self._pane
        if pane.model is None or pane.bench is None:
            return
        active = pane.bench.selection.state.active or pane.model.first_label(pane.bench.clock.time_ns)
        place = None if active is None else pane.model.place_of(active)
        if place is not None:
            pane.bench.select(place[1].tier.ids, cause=pane.kind, active=active)

    def walk(self, along: int, across: int, *, extend: bool = False) -> None:
        """Select the next label along its row, or the nearest in the next row or lane."""
        pane = self._pane
        if pane.model is None or pane.bench is None:
            return
        active = pane.bench.selection.state.active
        place = None if active is None else pane.model.place_of(active)
        found = pane.model.first_label(pane.bench.clock.time_ns) if place is None else None
        if place is not None:
            found = pane.model.beside(place, along) if along else pane.model.above_or_below(place, across)
        if found is not None:
            pane.bench.select([found], cause=pane.kind, mode=add if extend else replace, active=found)
            pane.reveal((found,))

    def mark(self, *, out: bool) -> None:
        """Mark in or out at the playhead; with both, a span is made on the stream that has the focus."""
        pane = self._pane
        if pane.model is None or pane.bench is None or pane.edits is None:
            return
        now = pane.bench.clock.time_ns
        if pane.canvas.mark_in_ns is None or (not out):
            if out:
                pane.bench.tell("Mark the beginning first (@timeline.mark_in), then the end (@timeline.mark_out).")
                return
            pane.mark_in(now)
            return
        shown = TimeRange(min(pane.canvas.mark_in_ns, now), max(pane.canvas.mark_in_ns, now))
        if shown.is_instant:
            pane.bench.tell("The end is where the beginning is: move the playhead, then mark out (@timeline.mark_out).")
            return
        stream = pane.bench.focused_stream or pane.model.usual_stream()
        pane.marked.cancel()
        pane.edits.create(stream, shown)
        pane.canvas.waiting = pane.edits.waiting if pane.bench.hand.waiting else None
        pane.canvas.update()
