"""The volume pane: every volume of the sample in three linked planes, prior and current side by side.

One ``VolumeShown`` per volume and three ``PlaneView``s each; this pane lays them out, keeps the place looked at the
same in all that are linked, and gives the focused plane's gesture its keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from workstation.app.sample_view import SampleView
from workstation.app.volume_linking import VolumeLinks
from workstation.app.volume_planes import PlaneName, Vec3
from workstation.app.volume_sections import points_of
from workstation.app.volume_texts import window_text
from workstation.core.annotation import Annotation
from workstation.core.sample import Stream, StreamKind
from workstation.core.selection import Ids, SelectionChanged, SpaceCursor
from workstation.media.base import Window
from workstation.store.changes import ChangeSet
from workstation.ui.panes.base_views import ViewsPane
from workstation.ui.panes.volume_canvas import FRAME
from workstation.ui.panes.volume_layout import MOST_VOLUMES, VolumeLayout, in_time_order
from workstation.ui.panes.volume_look import VolumeLook
from workstation.ui.panes.volume_scene import VolumeMarks
from workstation.ui.panes.volume_shown import VolumeShown
from workstation.ui.panes.volume_view import PlaneView
from workstation.ui.scenes.plane_viewport import WHOLE, PlaneZoom
from workstation.ui.theme import Theme
from workstation.ui.tools.canvas import Pixels, Preview
from workstation.ui.tools.state import Sight
from workstation.ui.workbench import Workbench


class VolumePane(ViewsPane[PlaneView]):
    """All volumes of the sample."""

    kind = "volume"
    title = "Volume"
    view_kind = PlaneView

    def __init__(self, parent: QWidget | None = None) -> None:
        self.enlarged: PlaneName | None = None
        super().__init__(parent)
        self.volumes: list[VolumeShown] = []
        self.views: list[PlaneView] = []
        self.marks: dict[str, VolumeMarks] = {}
        self.links = VolumeLinks()
        self.focused: PlaneView | None = None
        self.look = VolumeLook()
        self._layout = VolumeLayout(self.body)
        self._build_header()

    def _build_header(self) -> None:
        self.window_button = QToolButton()
        self.window_button.setText("Window")
        self.window_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.window_menu = QMenu(self.window_button)
        self.window_menu.setObjectName("volume_windows")
        self.window_menu.triggered.connect(self._window_chosen)
        self.window_button.setMenu(self.window_menu)
        self._named(self.window_button, "window", "Window", "Windows of the file and the usual ones (right-drag)")
        flips = "Exchange left and right of the display; sides stay (@volume.flip_sides)"
        self.flip_button = self._switch("flip", "Flip", flips)
        self.flip_button.clicked.connect(self._flip_pressed)
        self.cross_button = self._switch("cross_hair", "Cross-hair", "Show where the planes cross (@volume.cross_hair)")
        self.cross_button.setChecked(True)
        self.cross_button.clicked.connect(self._cross_pressed)

    def _switch(self, name: str, title: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(title)
        button.setCheckable(True)
        self._named(button, name, title, tip)
        return button

    def _named(self, button: QToolButton, name: str, title: str, tip: str) -> None:
        button.setObjectName(f"volume_{name}")
        button.setAccessibleName(f"{title} of volumes")
        button.setToolTip(tip)
        button.setAutoRaise(True)
        self.header.extra.addWidget(button)

    # --- the workbench ------------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self.hear(bench.hand.changed, self._hand_changed)
        self.hear(bench.sight.changed, self._sight_changed)
        self.hear(bench.theme_changed, self._theme_changed)
        self.hear(bench.stream_focused, self._stream_focused)
        self.hear(bench.reveal_wanted, self._reveal)

    def unbound(self, bench: Workbench) -> None:
        self._clear()

    def woken(self) -> None:
        for volume in self.volumes:
            volume.rest(resting=False)

    def laid_aside(self) -> None:
        for volume in self.volumes:
            volume.rest(resting=True)

    def sample_opened(self, view: SampleView | None) -> None:
        self._clear()
        bench = self.bench
        if view is not None and bench is not None and bench.readers is not None:
            streams = in_time_order([each for each in view.streams.values() if each.kind is StreamKind.VOLUME])
            for stream in streams[:MOST_VOLUMES]:
                self._add(bench, view, stream)
            if len(streams) > MOST_VOLUMES:
                bench.tell(f"{len(streams)} streams are volumes; the first {MOST_VOLUMES} are shown.")
        self.focused = next((each for each in self.views if each.name is each.volume.main), None)
        self._lay_out()
        self._fill_windows()
        self._mark()
        self._say()
        if bench is not None and view is not None:
            self._reveal(bench.selected)
        for volume in self.volumes:
            volume.ask()

    def _add(self, bench: Workbench, view: SampleView, stream: Stream) -> None:
        volume = VolumeShown(bench, stream, self._picture_came)
        self.volumes.append(volume)
        self.links.add(stream.id, volume.frame_of_reference)
        acquired = volume.acquired
        spacing = (1.0, 1.0) if acquired is None else acquired.spacing_mm[:2]
        numbers, reader = volume.slice_numbers(), volume.reader
        matrix = None if reader is None else np.linalg.inv(reader.patient_from_voxel).astype(np.float64)
        self.marks[stream.id] = VolumeMarks(view, stream.id, numbers, spacing, bench.sight, matrix)
        for name in volume.planes:
            plane = PlaneView(bench, volume, name, self.marks[stream.id], self.look, self.guard, self.body)
            plane.taken.connect(self._taken)
            plane.tool_moved.connect(self._tool_moved)
            plane.zoomed.connect(self._zoomed)
            plane.looked.connect(self._looked)
            plane.windowed.connect(self._windowed)
            plane.previewed.connect(self._previewed)
            plane.header.enlarge_wanted.connect(self._enlarge_wanted)
            self.views.append(plane)

    def show_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed or change.hover_changed:
            self._mark()
        if change.ids_changed and change.cause != self.kind:
            active = change.after.active
            self._reveal(() if active is None else (active,))
        cursor = change.after.cursor
        if change.cursor_changed and change.cause != self.kind and cursor is not None and cursor.direction is None:
            shown = next((each for each in self.volumes if (each.stream.frame or FRAME) == cursor.frame), None)
            if shown is not None:
                self.go_to(shown, cursor.point)

    def apply(self, changes: ChangeSet) -> None:
        for marks in self.marks.values():
            marks.renew()
        for plane in self.views:
            plane.renew_scene()
        self._mark()

    def step_time(self, steps: int) -> int | None:
        """So many slices of the focused plane; time stays where it is."""
        if self.focused is None or self.bench is None:
            return None
        self.focused.step(steps)
        return self.bench.clock.time_ns

    def unit_name(self) -> str:
        return "slice" if self.volumes else ""

    def settled(self) -> bool:
        """Whether every plane on the screen shows what is looked at."""
        seen = [each for each in self.views if each.isVisible() and not each.volume.trouble]
        return all(not each.volume.pending(each.name) and each.volume.complete for each in seen)

    # --- what actions call --------------------------------------------------------------------------------------

    def go_to(self, volume: VolumeShown, place: Vec3) -> None:
        """Look at a place of a volume, and at the same place of those linked to it."""
        moved = {volume.stream.id: place, **self.links.others(volume.stream.id, place)}
        for each in self.volumes:
            if each.stream.id in moved:
                each.position = moved[each.stream.id]
                each.ask()
        for plane in self.views:
            if not plane.volume.pending(plane.name):  # what waits for another slice is painted when that comes
                plane.say()
                plane.area.cross_moved()

    def focus(self, plane: PlaneView) -> None:
        """This plane is worked on now."""
        if plane is self.focused and self.bench is not None and self.bench.focused_stream == plane.volume.stream.id:
            return
        self.focused = plane
        if self.bench is not None:
            self.bench.focus_on(plane.volume.stream.id)
        self._focus_look()
        self._fill_windows()

    def show_all(self) -> None:
        self.enlarge(None)

    def enlarge(self, name: PlaneName | None) -> None:
        """One plane alone, of every volume; or all again."""
        self.enlarged = name
        self._lay_out()
        self._say()

    def set_look(self, **changes: Any) -> None:
        """Switch something for all planes."""
        self.look = replace(self.look, **changes)
        for plane in self.views:
            plane.set_look(self.look)
        self._show_switches()

    def flip(self, *, up: bool = False) -> None:
        """Exchange left and right (or up and down) of the focused plane on the screen."""
        if self.focused is None:
            return
        field = "flipped_up" if up else "flipped_sides"
        self.set_look(**{field: getattr(self.look, field) ^ {self.focused.name}})

    def fit(self) -> None:
        """All of the focused plane."""
        if self.focused is not None:
            self._set_zoom(self.focused.name, WHOLE)

    def set_straight(self, straight: bool) -> None:
        """Cut along the patient's axes, or along the slices."""
        for volume in self.volumes:
            if volume.reader is not None:
                volume.set_straight(straight)
        for plane in self.views:
            plane.picture_came()
        self._lay_out()

    @property
    def straight(self) -> bool:
        return any(volume.reader is not None and volume.straight for volume in self.volumes)

    def choose_window(self, window: Window) -> None:
        """Show the focused volume, and those linked to it, through this window."""
        if self.focused is None:
            return
        chosen = self.focused.volume
        for volume in self.volumes:
            if volume is chosen or (volume.reader and chosen.reader and volume.reader.unit == chosen.reader.unit):
                volume.set_window(window)
        for plane in self.views:
            plane.say()

    def link_here(self) -> None:
        """The places looked at now are the same place of the patient."""
        self.links.lay_together({volume.stream.id: volume.position for volume in self.volumes})
        self._say()

    def part(self) -> None:
        """Every volume goes its own way."""
        self.links.part()
        self._say()

    # --- inside -------------------------------------------------------------------------------------------------

    def _clear(self) -> None:
        self.gesture = None
        self.focused = None
        views, self.views = self.views, []
        for plane in views:
            plane.tool.cancel()
            self._layout.forget(plane)
            plane.hide()
            plane.deleteLater()
        volumes, self.volumes = self.volumes, []
        for volume in volumes:
            volume.close()
        self.marks, self.links = {}, VolumeLinks()
        self.look = replace(self.look, zooms={}, flipped_sides=frozenset(), flipped_up=frozenset())
        self._show_switches()

    def _lay_out(self) -> None:
        self._layout.arrange(self.volumes, self.views, self.enlarged)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another shape of the pane may want the cuts elsewhere."""
        super().resizeEvent(event)
        if self._layout.stands_wrong(self.volumes):
            self._lay_out()

    def _say(self) -> None:
        several = len(self.volumes) > 1
        for plane in self.views:
            main = plane.name is (self.enlarged or plane.volume.main)
            plane.whose = plane.volume.title.capitalize() if several and main else ""
            plane.note = self.links.said(plane.volume.stream.id) if main else ""
            plane.say()
        volume = None if self.focused is None else self.focused.volume
        count = len(self.volumes)
        thinned = volume is not None and volume.thinned > 1
        self.header.say(
            item=f"{count} volumes" if several else "" if volume is None else volume.title,
            distance="cuts at less detail: the volume is large" if thinned else "",
        )

    def _picture_came(self, name: PlaneName | None) -> None:
        for plane in self.views:
            if name is None or plane.name is name:
                plane.picture_came()
        if name is None:
            self._say()

    def _reveal(self, ids: Ids) -> None:
        """Go to the slice on which something lies, or through the middle of what lies in the patient; for what lies in
        no volume, to what shows the same thing."""
        view = None if self.bench is None else self.bench.view
        if view is None or not ids:
            return
        related = view.to_show(ids)
        places = [found for each in related if (found := self._place_of(view.annotations.get(each))) is not None]
        if places:
            self.go_to(*places[0])

    def _place_of(self, record: Annotation | None) -> tuple[VolumeShown, Vec3] | None:
        volume = None if record is None else next((v for v in self.volumes if v.stream.id == record.stream), None)
        if record is None or volume is None or volume.reader is None:
            return None
        points = () if record.shape is None else points_of(record.shape)
        if points:
            x, y, z = np.mean(np.array(points, np.float64), axis=0).tolist()
            return volume, (x, y, z)
        number = self.marks[volume.stream.id].numbers.get(record.item or "")
        if number is None or volume.acquired is None:
            return None
        return volume, volume.on_slice(volume.acquired.name, number)

    def _fill_windows(self) -> None:
        self.window_menu.clear()
        volume = None if self.focused is None else self.focused.volume
        for number, window in enumerate(() if volume is None else volume.windows):
            entry = QAction(window_text(window), self.window_menu)
            entry.setData(number)
            self.window_menu.addAction(entry)
        self.window_button.setEnabled(bool(self.window_menu.actions()))

    def _window_chosen(self, entry: QAction) -> None:
        if self.focused is not None:
            self.choose_window(self.focused.volume.windows[int(entry.data())])

    def _show_switches(self) -> None:
        name = None if self.focused is None else self.focused.name
        for button, on in ((self.flip_button, name in self.look.flipped_sides),
                           (self.cross_button, self.look.cross_hair)):  # fmt: skip
            button.blockSignals(True)
            button.setChecked(on)
            button.blockSignals(False)

    def _flip_pressed(self) -> None:
        self.flip()

    def _cross_pressed(self) -> None:
        self.set_look(cross_hair=self.cross_button.isChecked())

    def _focus_look(self) -> None:
        if self.bench is not None:
            for plane in self.views:
                plane.set_theme(self.bench.theme, focused=plane is self.focused)
        self._show_switches()

    def _looked(self, place: Vec3) -> None:
        plane = self._sender_view()
        if plane is not None and self.bench is not None:
            self.go_to(plane.volume, place)
            frame = plane.volume.stream.frame or FRAME
            self.bench.selection.point_at(SpaceCursor(frame, place), cause=self.kind)

    def _windowed(self, across: float, down: float) -> None:
        plane = self._sender_view()
        if plane is not None:
            plane.volume.shift_window(across, down)
            self.choose_window(plane.volume.window)

    def _previewed(self, shapes: Mapping[str, Preview], class_id: str | None) -> None:
        """What is pulled in one plane is seen in the others too, where it lies in the patient."""
        source = self._sender_view()
        solid = {key: shape for key, shape in shapes.items() if not isinstance(shape, Pixels) and points_of(shape)}
        for plane in self.views:
            if source is not None and plane is not source and plane.volume is source.volume:
                plane.take_preview(solid, class_id)

    def _zoomed(self, zoom: PlaneZoom) -> None:
        plane = self._sender_view()
        if plane is not None:
            self._set_zoom(plane.name, zoom)

    def _set_zoom(self, name: PlaneName, zoom: PlaneZoom) -> None:
        same = [each for each in self.views if each.name is name]
        if zoom != self.look.zoom(name):
            self.look = replace(self.look, zooms={**self.look.zooms, name: zoom})
            for plane in self.views:
                plane.look = self.look
            for plane in same:
                plane.forget_place()
        if len(same) > 1:
            scale = min(each.fit_per_mm() for each in same)
            for plane in same:
                plane.share_scale(scale)

    def _enlarge_wanted(self) -> None:
        plane = self._sender_view()
        if plane is not None:
            self.enlarge(None if self.enlarged is plane.name else plane.name)

    def _sight_changed(self, _sight: Sight) -> None:
        for plane in self.views:
            plane.renew_scene()

    def _theme_changed(self, _theme: Theme) -> None:
        self._focus_look()

    def _stream_focused(self, stream: str | None) -> None:
        if self.focused is None or self.focused.volume.stream.id == stream:
            return
        found = next((e for e in self.views if e.volume.stream.id == stream and e.name is e.volume.main), None)
        if found is not None:
            self.focused = found
            self._focus_look()
            self._fill_windows()
