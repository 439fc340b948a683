"""The series pane: the channels of every sensor, vehicle bus and medical recording as lanes on one time axis, to read
values off and to mark spans, moments and values on.

It owns the stretch of time it shows, the timeline's or its own, and passes gestures on; what is shown is in
``series_model.py``, how in ``series_canvas.py``, what a hand does in ``series_gestures.py``. Keys are in
``actions/series.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from workstation.app.sample_view import SampleView
from workstation.app.series_curves import ScaleMode
from workstation.app.series_layout import ChannelChoice, SeriesLayout, keep_series_layout, read_series_layout
from workstation.app.series_values import typed_value
from workstation.core.annotation import Annotation
from workstation.core.errors import UserError
from workstation.core.geometry import Curve
from workstation.core.selection import SelectionChanged
from workstation.core.timebase import TimeRange
from workstation.ui.key_tips import set_tip
from workstation.ui.keymap import keyless
from workstation.ui.panes.base_buttons import header_button, header_toggle
from workstation.ui.panes.base_strips import Part
from workstation.ui.panes.base_strips_canvas import RULER_PX
from workstation.ui.panes.base_strips_pane import StripsPane
from workstation.ui.panes.series_canvas import SeriesCanvas
from workstation.ui.panes.series_channels import ChannelList
from workstation.ui.panes.series_edits import SeriesEdits
from workstation.ui.panes.series_gestures import Table
from workstation.ui.panes.series_heads import SeriesHeads, Wish
from workstation.ui.panes.series_model import Hit, SeriesModel, Strip
from workstation.ui.scenes.ruler import in_words
from workstation.ui.tools.state import Hand
from workstation.ui.workbench import Workbench

_LIMITS = re.compile(r"\s*(.+?)\s*(?:…|\.\.+|\bto\b|;)\s*(.+?)\s*\Z")
_SCALES = ((ScaleMode.AUTO, "Auto"), (ScaleMode.FIXED, "Fixed"), (ScaleMode.LOG, "Log"))

_NO_VALUE = "Select a label that has a number, or draw values (@series.draw)"


class SeriesPane(StripsPane[SeriesModel]):
    """All series of the sample."""

    kind = "series"
    title = "Series"
    canvas: SeriesCanvas
    heads: SeriesHeads
    no_length = "The end is where the beginning is: move the playhead, or mark a moment (@series.mark_moment)."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model: SeriesModel | None = None
        self.edits: SeriesEdits | None = None
        self.layout_kept = SeriesLayout()
        self._limits_of: str | None = None
        self._looked_at: TimeRange | None = None
        """The stretch that was told to linked panes last: only one that the person changed is told."""
        self._build_controls()
        self._build_body()

    # --- building -----------------------------------------------------------------------------------------------

    def _build_controls(self) -> None:
        self.choose = header_button("series_choose", "Channels…", "Choose and order the channels (@series.channels)")
        self.choose.clicked.connect(self.choose_channels)
        self.scale = QComboBox()
        self.scale.setObjectName("series_scale")
        self.scale.setAccessibleName("Scale of the channel in hand")
        self.scale.setToolTip("Scale of the channel in hand (@series.scale)")
        for mode, title in _SCALES:
            self.scale.addItem(title, mode)
        self.scale.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.scale.activated.connect(self._scale_chosen)
        draws, snaps = (
            "Draw values over time in place of spans (@series.draw)",
            "Snap to rows, boundaries and the playhead (@series.snapping)",
        )
        self.draw = header_toggle("series_draw", "Draw", draws, on=False)
        self.draw.toggled.connect(self._draw_changed)
        self.value = QLineEdit()
        self.value.setObjectName("series_value")
        self.value.setAccessibleName("Value with unit")
        self.value.setFixedWidth(150)
        self.value.returnPressed.connect(self._typed)
        self.linked = header_toggle("series_linked", "Link", "Show the same stretch of time as the timeline", on=True)
        self.snap = header_toggle("series_snap", "Snap", snaps, on=True)
        for widget in (self.choose, self.scale, self.draw, self.value, self.linked, self.snap):
            self.header.extra.addWidget(widget)
        self._channel_list = ChannelList(self)
        self._channel_list.chosen.connect(self._channels_chosen)

    def _build_body(self) -> None:
        self.canvas, self.heads = SeriesCanvas(), SeriesHeads()
        self.canvas.lag = self.lag
        self.build_strips("Scroll channels")
        self.canvas.instant_wanted.connect(self._on_double)
        self.heads.wished.connect(self._on_wish)

    # --- the workbench ------------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self.layout_kept = read_series_layout(bench.session.project.path)
        super().bound(bench)
        self.hear(bench.stream_focused, self._on_focused)
        self.hear(bench.hand.changed, self._on_hand)

    def unbound(self, bench: Workbench) -> None:
        del bench
        self._let_go()

    def _let_go(self) -> None:
        self.canvas.end_drag()
        self.canvas.table = None
        self.canvas.mark_in_ns = None
        self.heads.model = None
        if self.model is not None:
            self.model.close()
        self.model = self.edits = None

    def sample_opened(self, view: SampleView | None) -> None:
        self._let_go()
        bench = self.bench
        if bench is None or view is None:
            self.header.say(item="" if view is not None else "nothing here")
            self.say_instead("")
            self.canvas.update()
            return
        self.model = SeriesModel(bench, view, self.layout_kept, max(1, self.canvas.width()), self._redraw_all)
        self.model.snapping, self.model.drawing = self.snap.isChecked(), self.draw.isChecked()
        if self.linked.isChecked() and bench.window is not None:
            shown = bench.window
            self.model.viewport = replace(self.model.viewport, start_ns=shown.start_ns, duration_ns=shown.duration_ns)
        self._looked_at = self.model.viewport.shown
        self.edits = SeriesEdits(bench, self.model)
        self.canvas.table = Table(bench, self.model, self.edits, self.redraw)
        self.heads.model = self.model
        self.renew()

    def renew(self) -> None:
        model = self.model
        if model is not None:
            model.layout = self.layout_kept
            model.rebuild(self.room())
            self.say_instead("\n".join(model.troubles) if model.streams else "This sample has no series.")
            self.placed()

    def placed(self) -> None:
        self._show_hand()
        super().placed()

    def show_time(self, time_ns: int) -> None:
        super().show_time(time_ns)
        self.heads.update()

    def say(self, model: SeriesModel, time_ns: int) -> None:
        stream, units = model.stream(), model.own_units()
        index = -1 if units is None else units.at_or_before(time_ns)
        if stream is None or units is None or index < 0 or not units.shows(index, time_ns):
            self.header.say(item="nothing here", own=in_words(time_ns))
            return
        away = units.session_ns(index) - time_ns
        self.header.say(
            item=f"{stream.key} {units.name} #{index:,}",
            own=f"{units.own_ns(index) / 1e9:.3f} s",
            distance=f"{away / 1e6:+.1f} ms",
        )

    def show_selection(self, change: SelectionChanged) -> None:
        if not change.ids_changed:
            return
        self._show_hand()
        bench, model = self.bench, self.model
        elsewhere = change.cause != self.kind and len(change.after.ids) == 1
        if bench is not None and model is not None and elsewhere and not bench.clock.playing:
            self.reveal(model.view.to_show(change.after.ids))
        self.canvas.update()

    def unit_name(self) -> str:
        units = None if self.model is None else self.model.own_units()
        return "" if units is None else units.name

    def settled(self) -> bool:
        """Whether every channel in view has been read."""
        return self.model is None or not self.model.feed.waiting

    # --- the view -----------------------------------------------------------------------------------------------

    def reveal(self, ids: tuple[str, ...]) -> None:
        """Bring the first of these that lies on a series into view, its lane too."""
        model, bench = self.model, self.bench
        if model is None or bench is None:
            return
        streams = {each.id for each in model.streams}
        for each in ids:
            annotation = model.view.annotations.get(each)
            shown = None if annotation is None else model.view.session_range(annotation)
            if annotation is None or shown is None or annotation.stream not in streams:
                continue
            if shown.end_ns < model.viewport.start_ns or shown.start_ns >= model.viewport.end_ns:
                self.show_view(model.viewport.turned_to(shown.start_ns, bench.clock.span))
            strip = self._lane_of(model, annotation)
            if strip is not None:
                self._scroll_to(strip)
            return

    def _lane_of(self, model: SeriesModel, annotation: Annotation) -> Strip | None:
        mine = [each for each in model.strips if each.stream.id == annotation.stream]
        if annotation.item is not None:
            return next((each for each in mine if each.channel == annotation.item), None)
        return mine[0] if mine else None

    def _scroll_to(self, strip: Strip) -> None:
        if strip.top < self._bar.value():
            self._bar.setValue(strip.top)
        elif strip.bottom > self._bar.value() + self.room():
            self._bar.setValue(strip.bottom - self.room())

    def redraw(self) -> None:
        model, bench = self.model, self.bench
        if model is not None and bench is not None and model.viewport.shown != self._looked_at:
            self._looked_at = model.viewport.shown
            if self.linked.isChecked():
                bench.show_window(model.viewport.shown)
        self.drop_cancelled()
        self._redraw_all()

    def _redraw_all(self) -> None:
        self.canvas.update()
        self.heads.update()

    # --- marks and values ---------------------------------------------------------------------------------------

    def maker(self) -> Callable[[TimeRange], None] | None:
        """On the lane in hand."""
        edits, strip = self.edits, None if self.model is None else self.model.active_strip()
        if edits is None or strip is None:
            return None
        return lambda marked: edits.make(strip, marked)

    def mark_moment(self) -> None:
        """Mark an instant at the playhead on the lane in hand."""
        strip = None if self.model is None else self.model.active_strip()
        if strip is not None and self.edits is not None and self.bench is not None:
            now = self.bench.clock.time_ns
            self.edits.make(strip, TimeRange(now, now))

    def _on_double(self, hit: Hit) -> None:
        model, edits, strip = self.model, self.edits, hit.strip
        if model is None or edits is None or strip is None:
            return
        annotation = model.view.annotations.get(hit.annotation or "")
        if annotation is not None and hit.part is Part.POINT:
            assert self.bench is not None
            self.bench.attempt(lambda: edits.remove_point(annotation, hit.point))
        elif strip.class_id is None:
            found = model.snapped(hit.session_ns, strip.stream) if model.snapping else None
            at = hit.session_ns if found is None else found.session_ns
            edits.make(strip, TimeRange(at, at))

    def ask_value(self) -> None:
        """Take the keyboard to the field where values are typed."""
        self._limits_of = None
        self._show_hand()
        self.value.setFocus()
        self.value.selectAll()

    def _typed(self) -> None:
        text, bench, model = self.value.text(), self.bench, self.model
        if bench is None or model is None or self.edits is None or not text.strip():
            return
        key = self._limits_of
        done = bench.attempt(lambda: self._take_limits(key, text)) if key else self.edits.type_value(text)
        if done:
            self.value.clear()
            self._limits_of = None
            self._show_hand()
            self.setFocus()

    def _take_limits(self, key: str, text: str) -> bool:
        model, strip = self.model, None if self.model is None else self.model.strip(key)
        found = _LIMITS.match(text)
        if model is None or strip is None or found is None:
            raise UserError(f"'{text[:40]}' are no limits; type two numbers with … between: 0 … 10")
        unit = model.unit(strip)
        low, high = typed_value(found[1], unit), typed_value(found[2], unit)
        if low >= high:
            raise UserError(f"the lower limit {low:g} must be below the upper one, {high:g}")
        mode = self.layout_kept.choice(key).mode
        if mode is ScaleMode.LOG and low <= 0:
            raise UserError("a logarithmic scale begins above zero")
        mode = ScaleMode.FIXED if mode is ScaleMode.AUTO else mode
        self._change(key, mode=mode, low=low, high=high)
        return True

    # --- lanes --------------------------------------------------------------------------------------------------

    def take(self, step: int) -> None:
        """The lane above or below becomes the one in hand."""
        model = self.model
        if model is None or not model.strips:
            return
        active = model.active_strip()
        at = -1 if active is None else model.strips.index(active)
        self._take(model.strips[min(max(at + step, 0), len(model.strips) - 1)])

    def _take(self, strip: Strip) -> None:
        if self.model is None or self.bench is None:
            return
        self.model.active = strip.key
        self.bench.focus_on(strip.stream.id)
        self._scroll_to(strip)
        self._show_hand()
        self.say(self.model, self.bench.clock.time_ns)
        self._redraw_all()

    def move_lane(self, step: int) -> None:
        """Put the channel in hand further up or down."""
        strip = None if self.model is None else self.model.active_strip()
        if strip is not None and strip.channel is not None:
            self._on_wish(strip.key, Wish.UP if step < 0 else Wish.DOWN)

    def hide_lane(self) -> None:
        """Hide the channel in hand; the list of channels brings it back."""
        strip = None if self.model is None else self.model.active_strip()
        if strip is not None and strip.channel is not None:
            self._on_wish(strip.key, Wish.HIDE)

    def next_scale(self) -> None:
        """Auto, fixed, logarithmic, and from the beginning."""
        strip = None if self.model is None else self.model.active_strip()
        if strip is not None and strip.channel is not None:
            modes = [mode for mode, _ in _SCALES]
            now = self.layout_kept.choice(strip.key).mode
            self._change(strip.key, mode=modes[(modes.index(now) + 1) % len(modes)])

    def _scale_chosen(self, index: int) -> None:
        strip = None if self.model is None else self.model.active_strip()
        if strip is not None and strip.channel is not None:
            self._change(strip.key, mode=ScaleMode(self.scale.itemData(index)))

    def _on_wish(self, key: str, wish: Wish) -> None:
        model = self.model
        strip = None if model is None else model.strip(key)
        if model is None or strip is None:
            return
        if wish is Wish.TAKE:
            self._take(strip)
        elif wish in (Wish.AUTO, Wish.FIXED, Wish.LOG):
            self._change(key, mode=ScaleMode(wish.value), low=None, high=None)
        elif wish is Wish.LIMITS:
            self._limits_of = key
            self._show_hand()
            self.value.setFocus()
        elif wish is Wish.HIDE:
            self._change(key, shown=False)
        else:
            keys = [each.key for each in model.channels() if each.stream is strip.stream]
            self._keep(self.layout_kept.moved(keys, key, -1 if wish is Wish.UP else 1))

    def _change(self, key: str, **changes: Any) -> None:
        choice: ChannelChoice = msgspec.structs.replace(self.layout_kept.choice(key), **changes)
        self._keep(self.layout_kept.with_choice(key, choice))

    def _keep(self, layout: SeriesLayout) -> None:
        self.layout_kept = layout
        if self.bench is not None:
            keep_series_layout(self.bench.session.project.path, layout)
        self.renew()

    def choose_channels(self) -> None:
        """Open the list of channels."""
        model = self.model
        if model is None or not model.streams:
            return
        offered: list[tuple[str, str, bool]] = []
        for stream in model.streams:
            try:
                channels = model.feed.channels(stream.id)
            except UserError:  # the pane says what is wrong with it
                continue
            keys = {f"{stream.key}/{each.name}": each for each in channels}
            shown = set(self.layout_kept.shown(list(keys)))
            for key in self.layout_kept.ordered(keys):
                unit = f" [{keys[key].unit}]" if keys[key].unit else ""
                offered.append((key, f"{stream.key}: {keys[key].name}{unit}", key in shown))
        self._channel_list.offer(offered)
        self._channel_list.move(self.choose.mapToGlobal(QPoint(0, self.choose.height())))
        self._channel_list.show()
        self._channel_list.list.setFocus()

    def _channels_chosen(self, chosen: list[tuple[str, bool]]) -> None:
        layout = self.layout_kept
        channels = dict(layout.channels)
        for key, shown in chosen:
            channels[key] = msgspec.structs.replace(layout.choice(key), shown=shown)
        self._keep(SeriesLayout(order=tuple(key for key, _ in chosen), channels=channels))

    def _show_hand(self) -> None:
        """What the scale and the field of values speak of now."""
        model, bench = self.model, self.bench
        strip = None if model is None else model.active_strip()
        on_channel = strip is not None and strip.channel is not None
        self.scale.setEnabled(on_channel)
        if strip is not None and on_channel:
            mode = self.layout_kept.choice(strip.key).mode
            self.scale.setCurrentIndex([each for each, _ in _SCALES].index(mode))
        words = "" if model is None or bench is None else self._wanted_value(model, bench)
        self.value.setEnabled(bool(words))
        self.value.setPlaceholderText(words or "value")
        tip = f"Type {words} (@series.type_value)" if words else _NO_VALUE
        set_tip(self.value, tip, keyless if bench is None else bench.spelled)

    def _wanted_value(self, model: SeriesModel, bench: Workbench) -> str:
        """What a typed value would be, with its unit; empty where there is none."""
        if self._limits_of is not None:
            return "low … high"
        active = model.view.annotations.get(bench.selection.state.active or "")
        if active is not None and isinstance(active.shape, Curve):
            return f"value now {active.shape.unit}".rstrip()
        if active is not None and self.edits is not None:
            found = self.edits.attribute_of(active)
            return "" if found is None else f"{found[0]} {found[1]}".rstrip()
        strip = model.active_strip()
        return f"value now {model.unit(strip)}".rstrip() if model.drawing and strip is not None else ""

    # --- what is told -------------------------------------------------------------------------------------------

    def _draw_changed(self, wanted: bool) -> None:
        if self.model is not None:
            self.model.drawing = wanted
            self.renew()

    def _on_focused(self, stream: str | None) -> None:
        model, bench = self.model, self.bench
        if model is None or bench is None:
            return
        active = model.active_strip()
        other = next((each for each in model.channels() if each.stream.id == stream), None)
        if other is not None and (active is None or active.stream.id != stream):
            model.active = other.key
            self._show_hand()
        self.say(model, bench.clock.time_ns)
        self._redraw_all()

    def _on_hand(self, hand: Hand) -> None:
        del hand
        if self.model is not None and self.model.drawing:
            self.renew()  # the lane of the class in hand
        self.canvas.update()

    def read_out(self, x: float, y: float) -> str:
        """What the read-out says of a place on the canvas."""
        return self.canvas.read_out(QPointF(x, y - RULER_PX + self.canvas.offset))
