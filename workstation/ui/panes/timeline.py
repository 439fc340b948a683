"""The timeline: every stream and every label of the sample on one axis, to look at, to walk and to edit.

It owns the view (which stretch of time, which lanes) and passes gestures on; what is shown is in ``timeline_model.py``,
how it is painted in ``timeline_canvas.py``, what is edited in ``timeline_edits.py``. Keys are in
``actions/timeline.py``. Other panes ask nothing of it; the window takes its units where a pane has none.
"""

from __future__ import annotations

import msgspec
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QGridLayout, QLineEdit, QScrollBar, QWidget

from workstation.app.finding_places import FindingPlaces
from workstation.app.lane_layout import LaneChoice, LaneLayout, keep_layout, read_layout
from workstation.app.lanes import LaneKind
from workstation.app.sample_view import SampleView
from workstation.app.units import stepped
from workstation.app.viewport import Viewport
from workstation.core.clock import TransportChanged
from workstation.core.selection import SelectionChanged
from workstation.core.timebase import TimeRange
from workstation.store.changes import ChangeSet
from workstation.ui.panes.base_buttons import header_button, header_toggle
from workstation.ui.panes.base_marks import MarkedIn
from workstation.ui.panes.base_time import TimePane
from workstation.ui.panes.timeline_canvas import LanesCanvas
from workstation.ui.panes.timeline_edits import Edits
from workstation.ui.panes.timeline_gestures import Drag, Table
from workstation.ui.panes.timeline_heads import HEAD_PX, LaneHeads, Wish
from workstation.ui.panes.timeline_keys import TimelineKeys
from workstation.ui.panes.timeline_model import SPECTROGRAM, Row, TimelineModel
from workstation.ui.panes.timeline_ruler import MiniMap, Ruler
from workstation.ui.panes.timeline_scenes import SceneMaker
from workstation.ui.scenes.film_scene import FilmScene
from workstation.ui.scenes.finding_scene import FindingScene
from workstation.ui.scenes.ruler import in_words
from workstation.ui.scenes.tier_scene import TierScene
from workstation.ui.theme import DARK, Theme
from workstation.ui.tools.state import Hand, Sight
from workstation.ui.workbench import Workbench

_KEEP_MS = 800
_TYPED_MS = 120
"""A pause in typing, after which labels are sought."""


class TimelinePane(TimePane):
    """The one timeline of the window."""

    kind = "timeline"
    title = "Timeline"
    canvas: LanesCanvas

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model: TimelineModel | None = None
        self.edits: Edits | None = None
        self.keys = TimelineKeys(self)
        self.layout_kept = LaneLayout()
        self._keep_soon = QTimer(self)
        self._keep_soon.setSingleShot(True)
        self._keep_soon.setInterval(_KEEP_MS)
        self._keep_soon.timeout.connect(self._keep_layout)
        self._renew_soon = QTimer(self)
        self._renew_soon.setSingleShot(True)
        self._renew_soon.timeout.connect(self._renew)
        self._build_controls()
        self._build_body()

    # --- building ---------------------------------------------------------------------------------------------

    def _build_controls(self) -> None:
        self.filter = QLineEdit()
        self.filter.setObjectName("timeline_filter")
        self.filter.setAccessibleName("Filter lanes and labels")
        self.filter.setPlaceholderText("Filter lanes, labels…")
        self.filter.setClearButtonEnabled(True)
        self.filter.setMinimumWidth(60)
        self.filter.setMaximumWidth(170)
        self.filter.setToolTip("Lanes and labels called so; other labels are dimmed")
        self._filter_soon = QTimer(self)
        self._filter_soon.setSingleShot(True)
        self._filter_soon.setInterval(_TYPED_MS)
        self._filter_soon.timeout.connect(self._filter_changed)
        self.filter.textChanged.connect(self._filter_soon.start)
        snaps = "Snap to frames, sweeps, onsets and boundaries (@timeline.snapping)"
        self.snap_button = header_toggle("timeline_snap", "Snap", snaps, on=True)
        self.snap_button.toggled.connect(self._snap_toggled)
        self._out = header_button("timeline_zoom_out", "−", "Zoom out (@timeline.zoom_out)")
        self._in = header_button("timeline_zoom_in", "+", "Zoom in (@timeline.zoom_in)")
        self._fit = header_button("timeline_fit", "Fit", "Show the whole sample (@timeline.fit)")
        self._out.clicked.connect(self.zoom_out)
        self._in.clicked.connect(self.zoom_in)
        self._fit.clicked.connect(self.fit)
        for widget in (self.filter, self.snap_button, self._out, self._in, self._fit):
            self.header.extra.addWidget(widget)

    def _build_body(self) -> None:
        self.ruler, self.canvas, self.minimap, self.heads = Ruler(), LanesCanvas(), MiniMap(), LaneHeads()
        self.canvas.lag = self.lag
        self._bar = QScrollBar(Qt.Orientation.Vertical)
        self._bar.setObjectName("timeline_scroll")
        self._bar.setAccessibleName("Scroll lanes")
        self._bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._bar.valueChanged.connect(self._scrolled)
        grid = QGridLayout(self.body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self.ruler, 0, 1)
        grid.addWidget(self.heads, 1, 0)
        grid.addWidget(self.canvas, 1, 1)
        grid.addWidget(self._bar, 1, 2)
        grid.addWidget(self.minimap, 2, 1)
        grid.setColumnMinimumWidth(0, HEAD_PX)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(1, 1)
        self.heads.wished.connect(self._on_wish)
        self.marked = MarkedIn(self.canvas, self._unmarked)
        for source in (self.canvas, self.ruler):
            source.gesture_changed.connect(self._on_gesture)
            source.zoom_wanted.connect(self.zoom)
            source.pan_wanted.connect(self.pan)
        self.canvas.scroll_wanted.connect(self._scroll_by)
        self.canvas.resized.connect(self._fit_size)
        self.minimap.view_wanted.connect(self.show_view)
        self.minimap.zoom_wanted.connect(self.zoom)

    # --- the workbench ----------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self.layout_kept = read_layout(bench.session.project.path)
        self.hear(bench.stream_focused, self._on_focused)
        self.hear(bench.theme_changed, self._on_theme)
        self.hear(bench.sight.changed, self._on_sight)
        self.hear(bench.hand.changed, self._on_hand)
        self.hear(bench.clock.transport_changed, self._on_transport)
        self.hear(bench.reveal_wanted, self.reveal)
        self.hear(bench.window_changed, self._on_window)
        self.hear(bench.findings_placed, self._on_findings)
        self.hear(bench.calmed, self._on_calm)
        bench.check_soon()

    def unbound(self, bench: Workbench) -> None:
        if self._keep_soon.isActive():
            self._keep_soon.stop()
            keep_layout(bench.session.project.path, self.layout_kept)
        self._let_go()

    def _let_go(self) -> None:
        self._renew_soon.stop()
        self.canvas.end_drag()
        self.ruler.end_drag()
        for widget in (self.canvas, self.ruler, self.minimap):
            widget.table = None
        self.canvas.waiting = self.canvas.edge = self.canvas.mark_in_ns = None
        if self.model is not None:
            self.model.close()
        self.model = self.edits = None

    def sample_opened(self, view: SampleView | None) -> None:
        self._let_go()
        bench = self.bench
        if bench is None or view is None:
            self.heads.place([], 0, self._theme(), {})
            self.header.say(item="" if view is not None else "nothing here")
            self.canvas.update()
            return
        maker = SceneMaker(bench, view)
        self.model = TimelineModel(bench, view, self.layout_kept, maker, max(1, self.canvas.width()))
        self.model.snapping = self.snap_button.isChecked()
        self.model.filter = self.filter.text()
        self.model.lane_changed = self._lane_changed
        self.model.rebuild()
        if bench.places is not None:
            self._on_findings(bench.places)
        self.edits = Edits(bench, self.model)
        table = Table(bench, self.model, self.edits, self.redraw)
        for widget in (self.canvas, self.ruler, self.minimap):
            widget.table = table
        self._placed()

    def show_time(self, time_ns: int) -> None:
        model = self.model
        if model is None or self.bench is None:
            return
        if not isinstance(self.gesture, Drag) and (self.bench.clock.playing or not self.in_view(time_ns)):
            turned = model.viewport.turned_to(time_ns, self.bench.clock.span)
            if turned != model.viewport:
                self.show_view(turned)
        self.canvas.show_playhead()
        self.ruler.update()
        self.minimap.update()
        self._say(time_ns)

    def in_view(self, time_ns: int) -> bool:
        """Whether the page shows that time."""
        return self.model is not None and self.model.viewport.start_ns <= time_ns < self.model.viewport.end_ns

    def _say(self, time_ns: int) -> None:
        units = None if self.model is None else self.model.focused_units
        if units is None:
            self.header.say(own=in_words(time_ns))
            return
        index = units.at_or_before(time_ns)
        if index < 0 or not units.shows(index, time_ns):
            self.header.say(item="nothing here", own=in_words(time_ns))
            return
        own = units.session_ns(index)
        self.header.say(
            item=f"{units.name} #{index}", own=f"{own / 1e9:.3f} s", distance=f"{(own - time_ns) / 1e6:+.0f} ms"
        )

    def show_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed:
            active = change.after.active
            if self.canvas.edge is not None and self.canvas.edge.annotation != active:
                self.canvas.edge = None
            if self.edits is not None:
                self.edits.end_run()
            self.canvas.refresh()
            self._describe(active)
            if change.cause != self.kind and self.bench is not None and self.model is not None and change.after.ids:
                self._follow_selection(change)
        elif change.hover_changed:
            self.canvas.update()

    def _follow_selection(self, change: SelectionChanged) -> None:
        """Something was selected elsewhere: bring it into view, or a label of the same thing; while playing, stay."""
        assert self.bench is not None
        assert self.model is not None
        if not self.bench.clock.playing and len(change.after.ids) == 1:
            self.reveal(self.model.view.to_show(change.after.ids))

    def _describe(self, active: str | None) -> None:
        """What assistive technology reads of the label that has the focus."""
        text = "" if active is None else self.canvas.describe(active)
        count = 0 if self.bench is None else len(self.bench.selected)
        more = f"; {count} selected" if count > 1 else ""
        self.setAccessibleDescription(text + more)
        self.canvas.setAccessibleDescription(text + more)

    def apply(self, changes: ChangeSet) -> None:
        if self.model is None or self.bench is None:
            return
        if isinstance(self.gesture, Drag):
            self.gesture.cancel()
        self.model.apply(changes)
        self.minimap.renew()
        self._placed()

    def step_time(self, steps: int) -> int | None:
        units = None if self.model is None else self.model.focused_units
        if units is None or self.bench is None:
            return None
        return stepped(units, self.bench.clock.time_ns, steps)

    def settled(self) -> bool:
        """Whether every small picture in view has come."""
        rows = [] if self.model is None else self.model.rows
        top, bottom = self.canvas.offset, self.canvas.offset + self.canvas.height()
        seen = [row.scene for row in rows if row.shown and row.bottom > top and row.top < bottom]
        awaiting = self.model is not None and self.model.awaiting
        return not awaiting and not any(scene.missing for scene in seen if isinstance(scene, FilmScene))

    def _on_calm(self, _: None) -> None:
        """The window is painted: lanes whose streams were let wait are opened."""
        if self.model is not None and self.bench is not None and self.model.open_awaited():
            self._placed()
            self._say(self.bench.clock.time_ns)

    def unit_name(self) -> str:
        units = None if self.model is None else self.model.focused_units
        return "" if units is None else units.name

    # --- the view ---------------------------------------------------------------------------------------------

    def _on_window(self, shown: TimeRange) -> None:
        """A linked pane looks elsewhere."""
        if self.model is not None and shown != self.model.viewport.shown:
            self.show_view(Viewport(shown.start_ns, shown.duration_ns, self.model.viewport.width_px))

    def where(self, ids: frozenset[str]) -> list[tuple[str, QRectF]]:
        model, canvas = self.model, self.canvas
        if model is None:
            return []
        corner, inside = QPointF(canvas.mapTo(self, QPoint())), QRectF(canvas.rect())
        found = []
        for row, scene in model.tiers():
            for key in () if row.folded else ids & scene.tier.numbers.keys():
                rect = scene.item_rect(scene.tier.numbers[key], model.viewport, row.height - 1)
                placed = rect.translated(0, row.top - canvas.offset)
                if placed.intersects(inside):
                    found.append((key, placed.intersected(inside).translated(corner)))
        return found

    def reveal(self, ids: tuple[str, ...]) -> None:
        """Bring the first of these into view: page to its time, scroll to its lane."""
        if self.model is None or self.bench is None:
            return
        place = next((found for each in ids if (found := self.model.place_of(each)) is not None), None)
        if place is None:
            return
        row, scene, number = place
        start, end = int(scene.tier.items.starts[number]), int(scene.tier.items.ends[number])
        view = self.model.viewport
        if end < view.start_ns or start >= view.end_ns:
            self.show_view(view.turned_to(start, self.bench.clock.span))
        top, each = scene.row_rect(int(scene.tier.items.rows[number]), row.height)
        if row.top + top < self.canvas.offset:
            self._bar.setValue(round(row.top + top))
        elif row.top + top + each > self.canvas.offset + self.canvas.height():
            self._bar.setValue(round(row.top + top + each - self.canvas.height()))

    # --- placing ----------------------------------------------------------------------------------------------

    def _fit_size(self) -> None:
        if self.model is not None:
            self.model.viewport = self.model.viewport.resized(max(1, self.canvas.width()))
            self._placed()

    def _placed(self) -> None:
        """Lanes are where they are now: scroll bar, heads, picture."""
        if self.model is None or self.bench is None:
            return
        room = max(1, self.canvas.height())
        self._bar.setRange(0, max(0, self.model.height - room))
        self._bar.setPageStep(room)
        self._bar.setSingleStep(24)
        self._place_heads()
        self.redraw()

    def _place_heads(self) -> None:
        if self.model is None or self.bench is None:
            return
        sight = self.bench.sight
        states = {}
        for row in self.model.rows:
            key = self._sight_key(row)
            focused = row.lane.stream is not None and row.lane.stream == self.bench.focused_stream
            states[row.lane.key] = (
                sight.is_hidden(key) or not row.shown,
                sight.is_solo(key),
                sight.is_locked(key),
                focused and not row.lane.is_tier,
            )
        self.heads.place(self.model.rows, self.canvas.offset, self._theme(), states)

    def _sight_key(self, row: Row) -> str:
        """A recorded lane stands for its whole stream in every pane; a tier only for itself."""
        return row.lane.key if row.lane.is_tier or row.lane.stream is None else row.lane.stream

    def _scrolled(self, value: int) -> None:
        self.canvas.offset = value
        self._place_heads()
        self.canvas.refresh()

    def _scroll_by(self, pixels: float) -> None:
        self._bar.setValue(self._bar.value() + round(pixels))

    def redraw(self) -> None:
        if self.bench is not None and self.model is not None and self.canvas.width() == self.model.viewport.width_px:
            self.bench.show_window(self.model.viewport.shown)
        self.canvas.refresh()
        self.ruler.update()
        self.minimap.update()

    def _theme(self) -> Theme:
        return DARK if self.bench is None else self.bench.theme

    # --- what is told -----------------------------------------------------------------------------------------

    def _on_focused(self, stream: str | None) -> None:
        del stream
        self._place_heads()
        self.redraw()
        if self.bench is not None:
            self._say(self.bench.clock.time_ns)

    def _on_theme(self, theme: Theme) -> None:
        del theme
        self.minimap.renew()
        self._place_heads()
        self.redraw()

    def _on_sight(self, sight: Sight) -> None:
        del sight
        if self.model is not None:
            self.model.renew_tiers()
            self.model.rebuild()
            self.minimap.renew()
            self._placed()

    def _on_hand(self, hand: Hand) -> None:
        if not hand.waiting:
            self.canvas.waiting = None
        elif self.edits is not None and self.edits.waits() and not isinstance(self.gesture, Drag):
            self.canvas.waiting = self.edits.waiting  # also where redo brings it back
        self.canvas.update()

    def _on_findings(self, places: FindingPlaces) -> None:
        scene = None if self.model is None else self.model.scene_of(LaneKind.FINDINGS)
        if isinstance(scene, FindingScene) and self.model is not None and places.told:
            scene.show(places.all)
            self.minimap.renew()

    def _on_transport(self, change: TransportChanged) -> None:
        del change
        self.canvas.update()

    def mark_in(self, session_ns: int) -> None:
        """A span begins there; mark out makes it."""
        self.marked.set(session_ns)
        self.gesture = self.gesture or self.marked

    def _unmarked(self) -> None:
        if self.gesture is self.marked:
            self.gesture = None

    def _on_gesture(self, drag: Drag | None) -> None:
        if drag is not None:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.gesture = drag if drag is not None else self.marked if self.marked.begun else None
        if drag is None and self.bench is not None:
            waiting = None if self.edits is None else self.edits.waiting
            self.canvas.waiting = waiting if self.bench.hand.waiting else None

    def _lane_changed(self) -> None:
        """A lane has more to show: soon, once for all that changed."""
        if not self._renew_soon.isActive():
            self._renew_soon.start(30)

    def _renew(self) -> None:
        self._place_heads()
        self.canvas.update()

    # --- controls and heads -----------------------------------------------------------------------------------

    def _filter_changed(self) -> None:
        if self.model is not None:
            self.model.filter = self.filter.text()
            self.model.rebuild()
            self._placed()

    def _snap_toggled(self, on: bool) -> None:
        if self.model is not None:
            self.model.snapping = on

    def toggle_snapping(self) -> None:
        self.snap_button.toggle()

    def _on_wish(self, wish: Wish) -> None:
        row = None if self.model is None else self.model.row_of(wish.key)
        if row is None or self.bench is None or self.model is None:
            return
        sight, key = self.bench.sight, self._sight_key(row)
        if wish.act == "hide":
            sight.toggle_hidden(key)
        elif wish.act == "solo":
            sight.toggle_solo(key)
        elif wish.act == "lock":
            sight.toggle_locked(key)
            self._place_heads()
        elif wish.act == "focus":
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.bench.focus_on(row.lane.stream)
        else:
            self._arrange(wish, row)

    def _arrange(self, wish: Wish, row: Row) -> None:
        """Fold, height and order: kept with the project."""
        assert self.model is not None
        choice = self.layout_kept.choice(wish.key)
        if wish.act in ("up", "down"):
            keys = [each.lane.key for each in self.model.rows]
            self.layout_kept = self.layout_kept.moved(keys, wish.key, -1 if wish.act == "up" else 1)
        elif wish.act == "fold":
            self._choose(wish.key, msgspec.structs.replace(choice, folded=not choice.folded))
        elif wish.act == "mode":
            self._choose(wish.key, msgspec.structs.replace(choice, mode="" if choice.mode else SPECTROGRAM))
        elif wish.act == "height":
            self._choose(wish.key, msgspec.structs.replace(choice, height=wish.amount, folded=False))
        elif wish.act == "all_rows" and isinstance(row.scene, TierScene):
            full = row.scene.full_height()
            self._choose(wish.key, msgspec.structs.replace(choice, height=None if row.height >= full else full))
        self._arranged()

    def _arranged(self) -> None:
        if self.model is None:
            return
        self.model.layout = self.layout_kept
        self.model.rebuild()
        self._placed()
        self._keep_soon.start()

    def _choose(self, key: str, choice: LaneChoice) -> None:
        self.layout_kept = self.layout_kept.with_choice(key, choice)

    def _keep_layout(self) -> None:
        if self.bench is not None:
            keep_layout(self.bench.session.project.path, self.layout_kept)

    # --- all lanes --------------------------------------------------------------------------------------------

    def toggle_spectrograms(self) -> None:
        """All sounds the other way than the first one is drawn now."""
        rows = [] if self.model is None else [row for row in self.model.rows if row.lane.kind is LaneKind.SOUND]
        mode = "" if rows and self.layout_kept.choice(rows[0].lane.key).mode else SPECTROGRAM
        for row in rows:
            choice = self.layout_kept.choice(row.lane.key)
            self._choose(row.lane.key, msgspec.structs.replace(choice, mode=mode))
        self._arranged()

    def fold_all(self) -> None:
        """All lanes flat, or none."""
        rows = [] if self.model is None else self.model.rows
        fold = not all(row.folded for row in rows)
        for row in rows:
            choice = self.layout_kept.choice(row.lane.key)
            self._choose(row.lane.key, msgspec.structs.replace(choice, folded=fold))
        self._arranged()

    # --- focus ------------------------------------------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.canvas.focused = True
        self.canvas.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.canvas.focused = False
        self.canvas.update()
