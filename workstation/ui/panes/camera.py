"""The camera pane: every stream of pictures of the sample in a grid, on the one clock, with what is drawn on them.

One ``CameraView`` per stream; this pane lays them out, enlarges one, links their zoom, marks the one that sees the
selection best, and gives the focused one's gesture its keys. Video, pictures (single and sequences) and slices.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QToolButton, QWidget

from workstation.app.cloud_ground import Correction
from workstation.app.feeds import PICTURE_KINDS
from workstation.app.lag import Lag
from workstation.app.previews import PreviewsChanged
from workstation.app.sample_view import SampleView
from workstation.app.sweep_feed import CloudSweeps
from workstation.core.errors import DataError
from workstation.core.sample import Stream, StreamKind
from workstation.core.selection import Ids, SelectionChanged
from workstation.store.changes import ChangeSet
from workstation.ui.panes.base_views import ViewsPane
from workstation.ui.panes.camera_look import CameraLook
from workstation.ui.panes.camera_settings import CameraSettings
from workstation.ui.panes.camera_view import CameraView
from workstation.ui.scenes.viewport import Zoom
from workstation.ui.theme import Theme
from workstation.ui.tools.pasting import paste
from workstation.ui.tools.state import Sight
from workstation.ui.tools.track_edits import carry_on
from workstation.ui.workbench import Workbench

MOST_CAMERAS = 12
_PICTURE_ASPECT = 16 / 9
_BY_KEY = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
_SIDES = ("front_left", "front_right", "front", "left", "right", "back", "rear")
_SWITCHES = (
    ("cuboids", "Cuboids", "Show cuboids projected into the cameras"),
    ("points", "Points", "Show points of the cloud, coloured by distance"),
    ("motion", "Motion", "Correct points for the vehicle's motion during their sweep"),
    ("cross_hair", "Cross-hair", "Show a cross-hair at the pointer"),
    ("magnifier", "Magnifier", "Show a magnifier at the pointer"),
    ("linked_zoom", "Link zoom", "Zoom and move all cameras together"),
)


_CORRECTIONS = {
    Correction.ON: "points motion corrected",
    Correction.OFF: "points as captured",
    Correction.NO_TIMES: "points as captured: they have no times",
    Correction.NO_POSES: "points as captured: no poses",
}
"""How the header says what became of the motion of the points."""


class CameraPane(ViewsPane[CameraView]):
    """All cameras of the sample."""

    kind = "camera"
    title = "Cameras"
    view_kind = CameraView

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kept: str | None = None
        """Key of the enlarged camera, over samples."""
        self.views: list[CameraView] = []
        self.focused: CameraView | None = None
        self.enlarged: CameraView | None = None
        self.look = CameraLook()
        self._zooms: dict[str, tuple[Zoom, bool]] = {}
        """By stream key, and whether it is locked: kept over samples."""
        self._across = 1
        self._sweeps: CloudSweeps | None = None
        self._no_sweeps = False
        self._build_grid()
        self._build_switches()

    def lags(self) -> list[Lag]:
        """Of every camera that is seen; its own header says it."""
        return [each.lag for each in self.views if each.isVisible()]

    def say_lag(self) -> None:
        for camera in self.views:
            camera.say_lag()

    def settled(self) -> bool:
        """Whether no camera waits for its picture."""
        return not any(view.isVisible() and view.frames.pending for view in self.views)

    def _build_grid(self) -> None:
        self._grid = QGridLayout(self.body)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(3)
        self._nothing = QLabel("This sample has no pictures.", self.body)
        self._nothing.setObjectName("camera_nothing")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.hide()

    def _build_switches(self) -> None:
        self.switches: dict[str, QToolButton] = {}
        for name, title, tip in _SWITCHES:
            button = QToolButton()
            button.setText(title)
            button.setObjectName(f"camera_{name}")
            button.setAccessibleName(title)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setChecked(bool(getattr(self.look, name)))
            button.setAutoRaise(True)
            button.toggled.connect(self._switched)
            self.switches[name] = button
            self.header.extra.addWidget(button)
        self.header.offer(self.switches["motion"], offered=self.look.points)
        self.settings_button = QToolButton()
        self.settings_button.setText("Picture…")
        self.settings_button.setObjectName("camera_picture")
        self.settings_button.setAccessibleName("Picture settings")
        self.settings_button.setToolTip("Brightness, contrast, gamma, strength of shapes, size of a step")
        self.settings_button.setAutoRaise(True)
        self.settings_button.clicked.connect(self._open_settings)
        self.header.extra.addWidget(self.settings_button)
        self.settings = CameraSettings(self)

    # --- the workbench ------------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self.hear(bench.hand.changed, self._hand_changed)
        self.hear(bench.sight.changed, self._sight_changed)
        self.hear(bench.theme_changed, self._theme_changed)
        self.hear(bench.stream_focused, self._stream_focused)
        self.hear(bench.previews.changed, self._dragged)
        self.hear(bench.reveal_wanted, self._reveal)

    def unbound(self, bench: Workbench) -> None:
        self._clear()

    def sample_opened(self, view: SampleView | None) -> None:
        self._zooms |= {each.stream.key: (each.zoom, each.zoom_locked) for each in self.views}
        self._clear()
        bench = self.bench
        if view is None or bench is None or bench.readers is None:
            return
        streams = in_view_order([each for each in view.streams.values() if each.kind in PICTURE_KINDS])
        placed = bench.placed if streams else None
        for stream in streams[:MOST_CAMERAS]:
            camera = CameraView(bench, view, stream, placed, self.look, self.guard, self.body)
            camera.taken.connect(self._taken)
            camera.tool_moved.connect(self._tool_moved)
            camera.zoomed.connect(self._zoomed)
            camera.reshown.connect(self._find_best)
            camera.space.sweeps = self._the_sweeps
            camera.header.enlarge_wanted.connect(self._enlarge_wanted)
            camera.set_theme(bench.theme, focused=False)
            self.views.append(camera)
            camera.open()
            if stream.key in self._zooms:
                zoom, camera.zoom_locked = self._zooms[stream.key]
                camera.set_zoom(zoom)
        if len(streams) > MOST_CAMERAS:
            bench.tell(f"{len(streams)} streams have pictures; the first {MOST_CAMERAS} are shown.")
        self.focused = self.views[0] if self.views else None
        self.enlarged = next((each for each in self.views if each.stream.key == self._kept), None)
        self._lay_out()
        self._mark()
        self._focus_look()

    def show_time(self, time_ns: int) -> None:
        for camera in self.views:
            camera.show_time(time_ns)

    def show_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed or change.hover_changed:
            self._mark()
        if change.ids_changed:
            self._find_best()
        if change.cursor_changed:
            for camera in self.views:
                camera.space.cursor_moved()

    def _reveal(self, ids: Ids) -> None:
        """A picture in which these are beside what is zoomed to is shown whole."""
        view = None if self.bench is None else self.bench.view
        wanted = frozenset() if view is None else frozenset(view.to_show(ids))
        for camera in self.views:
            if not camera.zoom_locked and camera.scene.where(wanted) and not camera.where(wanted):
                camera.fit()

    def apply(self, changes: ChangeSet) -> None:
        for camera in self.views:
            camera.records_changed()
        self._mark()
        self._find_best()

    def step_time(self, steps: int) -> int | None:
        """So many frames of the focused camera away, times the step that is set."""
        camera, bench = self.focused, self.bench
        if camera is None or bench is None or camera.frames.feed is None:
            return None
        feed = camera.frames.feed
        table = feed.table
        if table is None:
            if camera.stream.kind is not StreamKind.VOLUME:
                return None
            camera.choose_slice(steps)
            return bench.clock.time_ns
        now = feed.at(bench.clock.time_ns)
        if now.capture is not None:
            target = now.capture.index + steps
        elif now.nearest is not None:
            ahead = now.nearest.distance_ns > 0
            target = now.nearest.index + (
                steps - 1 if ahead and steps > 0 else steps + 1 if not ahead and steps < 0 else steps
            )
        else:
            return None
        target = min(max(target, 0), len(table) - 1)
        return camera.stream.time_map.to_session(int(table.times_ns[target]))

    def unit_name(self) -> str:
        feed = None if self.focused is None else self.focused.frames.feed
        return "" if feed is None else feed.item_name

    # --- what actions call --------------------------------------------------------------------------------------

    def show_all(self) -> None:
        self.enlarge(None)

    def enlarge(self, camera: CameraView | None) -> None:
        """Show one camera alone, or all again."""
        self.enlarged = camera
        if camera is not None:
            self.focus(camera)
        self._lay_out()

    def pick(self, number: int) -> None:
        """Camera number 1 to 9 by the order of the grid: enlarged; again: all."""
        if 1 <= number <= len(self.views):
            camera = self.views[number - 1]
            self.enlarge(None if self.enlarged is camera else camera)

    def focus(self, camera: CameraView) -> None:
        """This camera is worked on now."""
        self.focused = camera
        if self.bench is not None:
            self.bench.focus_on(camera.stream.id)
        self._focus_look()

    def propagate(self) -> None:
        """Put the selected shapes on the focused camera's next picture and go there."""
        camera, bench = self.focused, self.bench
        if camera is None or bench is None:
            return
        next_ns = carry_on(camera.canvas)
        if next_ns is not None:
            bench.clock.pause()
            bench.clock.seek(camera.stream.time_map.to_session(next_ns))

    def paste(self, ids: tuple[str, ...], copied_ns: int) -> bool:
        """Put what was copied on the focused camera's picture; whether it was for cameras to do."""
        if self.focused is None:
            return False

        def painted_at(stream: str) -> int | None:
            camera = next((each for each in self.views if each.stream.id == stream), None)
            feed = None if camera is None else camera.frames.feed
            now = None if feed is None else feed.at(copied_ns)
            if feed is None or feed.table is None or now is None or now.index is None:
                return None
            return int(feed.table.times_ns[now.index])

        return paste(self.focused.canvas, ids, painted_at)

    def set_look(self, **changes: Any) -> None:
        """Switch something for all cameras."""
        self.look = replace(self.look, **changes)
        for name, button in self.switches.items():
            button.blockSignals(True)
            button.setChecked(bool(getattr(self.look, name)))
            button.blockSignals(False)
        self.header.offer(self.switches["motion"], offered=self.look.points)
        if self._sweeps is not None:
            self._sweeps.correct(self.look.motion)
        if self.look.points and self._the_sweeps() is None and self.bench is not None and "points" in changes:
            self.bench.tell("This sample has no cloud whose points could be shown.")
        for camera in self.views:
            camera.set_look(self.look)
        self._say()

    def _the_sweeps(self) -> CloudSweeps | None:
        """The cloud behind points and cursor, read from when it is first wanted."""
        bench = self.bench
        if self._sweeps is None and not self._no_sweeps and bench is not None and bench.view is not None:
            cloud = next((each for each in bench.view.streams.values() if each.kind is StreamKind.CLOUD), None)
            if cloud is not None and bench.readers is not None and bench.placed is not None:
                try:
                    self._sweeps = CloudSweeps(cloud, bench.readers, bench.placed, bench.gui.post, self._sweep_came)
                    self._sweeps.correct(self.look.motion)
                except DataError as problem:
                    bench.tell(f"The points cannot be shown: {problem}")
            self._no_sweeps = self._sweeps is None
        return self._sweeps

    def _sweep_came(self) -> None:
        if self.look.points:
            for camera in self.views:
                camera.area.forget_layer()
        self._say()

    def _say(self) -> None:
        """How many cameras, and how the points over them came about."""
        count = len(self.views)
        item = "" if count < 2 else f"{count} cameras" if self.enlarged is None else f"1 of {count} cameras"
        points = ""
        if self.look.points and self.views:
            sweeps = self._sweeps
            points = "points" if sweeps is None or sweeps.correction is None else _CORRECTIONS[sweeps.correction]
            if sweeps is not None and sweeps.trouble:
                points = f"no points: {sweeps.trouble}"
        self.header.say(item=" · ".join(filter(None, (item, points))))

    # --- inside -------------------------------------------------------------------------------------------------

    def _begin(self, view: SampleView | None) -> None:
        if self.views:
            self._kept = None if self.enlarged is None else self.enlarged.stream.key  # before gestures are cancelled
        super()._begin(view)

    def _clear(self) -> None:
        self.gesture = None
        self.focused = self.enlarged = None
        views, self.views = self.views, []
        for camera in views:
            camera.frames.stop()  # all of them end beside each other
        for camera in views:
            self._grid.removeWidget(camera)
            camera.close_feed()
            camera.hide()
            camera.deleteLater()
        self._no_sweeps = False
        if self._sweeps is not None:
            self._sweeps.close()
            self._sweeps = None

    def _lay_out(self) -> None:
        for camera in self.views:
            self._grid.removeWidget(camera)
        shown = self.views if self.enlarged is None else [self.enlarged]
        across = self._across = columns(len(shown), self.body.width() / max(1, self.body.height()))
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 0)
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
        for number, camera in enumerate(shown):
            row, column = divmod(number, across)
            self._grid.addWidget(camera, row, column)
            self._grid.setRowStretch(row, 1)
            self._grid.setColumnStretch(column, 1)
        for camera in self.views:
            camera.setVisible(camera in shown)
        self._nothing.setVisible(not self.views)
        if not self.views:
            self._grid.addWidget(self._nothing, 0, 0)
            self._grid.setRowStretch(0, 1)
            self._grid.setColumnStretch(0, 1)
        self._say()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another shape of the pane may want another grid."""
        super().resizeEvent(event)
        shown = 1 if self.enlarged is not None else len(self.views)
        if shown and columns(shown, self.body.width() / max(1, self.body.height())) != self._across:
            self._lay_out()

    def _find_best(self) -> None:
        """Mark the camera in whose picture what is selected is largest; none while one camera sees nothing of it."""
        related = self.views[0].marks.related if self.views else frozenset()
        shares = [camera.scene.share_of(related) if related else 0.0 for camera in self.views]
        most = max(shares, default=0.0)
        for camera, share in zip(self.views, shares, strict=True):
            camera.set_best(len(self.views) > 1 and share > 0.0 and share == most)

    def _focus_look(self) -> None:
        if self.bench is not None:
            for camera in self.views:
                camera.set_theme(self.bench.theme, focused=camera is self.focused and len(self.views) > 1)

    def _zoomed(self, zoom: Zoom) -> None:
        source = self._sender_view()
        if self.look.linked_zoom:
            for camera in self.views:
                if camera is not source and not camera.zoom_locked:
                    camera.set_zoom(zoom)

    def _enlarge_wanted(self) -> None:
        camera = self._sender_view()
        if camera is not None:
            self.enlarge(None if self.enlarged is camera else camera)

    def _open_settings(self) -> None:
        self.settings.open_below(self.settings_button)

    def _switched(self) -> None:
        self.set_look(**{name: button.isChecked() for name, button in self.switches.items()})

    def _sight_changed(self, _sight: Sight) -> None:
        for camera in self.views:
            camera.sight_changed()

    def _dragged(self, change: PreviewsChanged) -> None:
        for camera in self.views:
            camera.space.dragged(change)

    def _theme_changed(self, _theme: Theme) -> None:
        self._focus_look()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Come to by key: the camera that is framed is worked on, and marks go to it."""
        super().focusInEvent(event)
        if self.focused is not None and event.reason() in _BY_KEY:
            self.focus(self.focused)

    def _stream_focused(self, stream: str | None) -> None:
        camera = next((each for each in self.views if each.stream.id == stream), None)
        if camera is not None and camera is not self.focused:
            self.focused = camera
            self._focus_look()


def columns(count: int, aspect: float = 1.78) -> int:
    """How many stand beside each other so that pictures are largest in a pane that is ``aspect`` times as wide as high;
    of equally good ones the squarest."""
    sizes = {
        across: min(aspect / across / _PICTURE_ASPECT, 1.0 / -(-count // across)) for across in range(1, count + 1)
    }
    best = max(sizes.values(), default=0.0)
    good = [across for across, size in sizes.items() if size > best * 0.999]
    return min(good, key=lambda across: abs(across - math.sqrt(count) - 0.01), default=1)


def in_view_order(streams: list[Stream]) -> list[Stream]:
    """From left to right as they look, the front first: by the sides that keys name, else by key."""

    def place(stream: Stream) -> tuple[int, str]:
        side = next((name for name in _SIDES if name in stream.key), "")
        order = ("front_left", "front", "front_right", "left", "", "right", "rear", "back")
        return (order.index(side), stream.key)

    return sorted(streams, key=place)
