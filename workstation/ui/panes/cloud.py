"""The cloud pane: LiDARs and radars of the sample in one space, on the one clock, with what is labelled in it.

It asks ``CloudLayers`` which sweeps show, puts a moment together (``cloud_picture.py``), lets a ``SpaceCanvas`` draw
it, and speaks, in header, labels and to tools, only of the moment that is painted.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from workstation.app.cloud_paint import ColourBy, available
from workstation.app.cloud_view import CloudLayer, CloudLayers
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.previews import PreviewsChanged
from workstation.app.sample_view import SampleView
from workstation.app.units import stepped, units_of
from workstation.core.poses import RigidTransform
from workstation.core.records import RecordKind
from workstation.core.rotation import matrix_of
from workstation.core.selection import Ids, SelectionChanged, SpaceCursor
from workstation.store.changes import ChangeSet
from workstation.ui.panes.base import Pane
from workstation.ui.panes.cloud_canvas import CanvasSource, SpaceCanvas
from workstation.ui.panes.cloud_carried import behind, carried, upright
from workstation.ui.panes.cloud_colours import CloudColours
from workstation.ui.panes.cloud_gesture import ToolGesture
from workstation.ui.panes.cloud_look import CloudLook, Follow, keep_look, read_look
from workstation.ui.panes.cloud_menus import CloudMenus
from workstation.ui.panes.cloud_over import CloudOver
from workstation.ui.panes.cloud_painted import tell_painted
from workstation.ui.panes.cloud_picture import CloudMoment, CloudPicture, StillLines
from workstation.ui.panes.cloud_render import SpaceRenderer
from workstation.ui.panes.cloud_sides import CloudSides, SideSplit
from workstation.ui.panes.cloud_words import empty_words, header_line, note
from workstation.ui.panes.cloud_work import SpaceWork
from workstation.ui.scenes.cloud_scene import FaceLayer, LineLayer
from workstation.ui.scenes.space_things import cuboid_faces, cuboid_lines
from workstation.ui.scenes.space_view import Side, SpaceView
from workstation.ui.theme import Theme
from workstation.ui.tools.space_catalogue import make_space_tool
from workstation.ui.tools.space_edits import carry_on
from workstation.ui.tools.space_tool import SpacePointer
from workstation.ui.tools.state import Hand, Sight
from workstation.ui.workbench import Workbench

_LEAST_FLIGHT_M = 2.5
_NARROW_PX = 560
_SPOT = QPointF(9.0, 9.0)
"""From the middle of a cuboid: where lines to other panes end."""
_TOGETHER_MS = 3
"""Sweeps of several streams that come within this are drawn as one picture."""


class CloudPane(Pane):
    """All clouds of the sample in one space."""

    kind = "cloud"
    title = "Cloud"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.look = CloudLook()
        self.layers = CloudLayers()
        self.placed: PlacedCuboids | None = None
        self.moment: CloudMoment | None = None
        """What is painted."""
        self.canvas: SpaceCanvas | None = None
        self.sides: CloudSides | None = None
        self.tool_name = ""
        self._renderer: SpaceRenderer | None = None
        self._picture: CloudPicture | None = None
        self._work: SpaceWork | None = None
        self._asked: CloudMoment | None = None
        """What is on its way to the screen."""
        self._stood: RigidTransform | None = None
        """Where the vehicle was when the view was last put in its place."""
        self._kept: tuple[SpaceView, RigidTransform] | None = None
        """Over samples: from where one looked, and where the vehicle stood then."""
        self.time_ns = 0
        """Where the playhead is."""
        self._build()

    def _build(self) -> None:
        self._column = QVBoxLayout(self.body)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.note = QLabel()
        self.note.setObjectName("pane_distance")
        self.note.setMinimumWidth(24)
        self.header.extra.addWidget(self.note)
        self.menus = CloudMenus(self)
        for button in self.menus.buttons:
            self.header.extra.addWidget(button)
        self.over = CloudOver(self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_TOGETHER_MS)
        self._soon.timeout.connect(self._renew_now)
        self._keep_soon = QTimer(self)
        self._keep_soon.setSingleShot(True)
        self._keep_soon.setInterval(500)
        self._keep_soon.timeout.connect(self._keep)

    # --- the workbench ------------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self.look = read_look(bench.session.project.path)
        self._renderer = SpaceRenderer(bench.gui.post)
        self.canvas = SpaceCanvas(self._renderer, "cloud_canvas", "Point cloud", self.body, turnstile=bench.turnstile)
        self.canvas.guard = self.guard
        self.canvas.zoom_locked = self.look.zoom_locked
        self.canvas.over.append(self.over.paint)
        self.canvas.has_painted = self._has_painted
        self.canvas.painted.connect(self._painted)
        self.canvas.pointed.connect(self._pointed)
        self.canvas.tool_moved.connect(self.tool_moved)
        self.canvas.taken.connect(self._taken)
        self.canvas.view_changed.connect(self._view_moved)
        self.sides = CloudSides(self, self._renderer)
        self.split = SideSplit(self.canvas, self.sides, wanted=self.look.sides)
        self._column.addWidget(self.split)
        self.hear(bench.hand.changed, self._hand_changed)
        self.hear(bench.sight.changed, self._sight_changed)
        self.hear(bench.theme_changed, self._theme_changed)
        self.hear(bench.reveal_wanted, self._reveal)
        self.hear(bench.previews.changed, self._previewed)

    def unbound(self, bench: Workbench) -> None:
        self._soon.stop()
        if self._keep_soon.isActive():
            self._keep_soon.stop()
            keep_look(bench.session.project.path, self.look)
        self._clear()
        canvas, self.canvas = self.canvas, None
        sides, self.sides = self.sides, None
        if canvas is not None and sides is not None:
            canvas.close_canvas()
            sides.close_sides()
            self._column.removeWidget(self.split)
            self.split.hide()
            self.split.deleteLater()
        renderer, self._renderer = self._renderer, None
        if renderer is not None:
            renderer.close()

    def sample_opened(self, view: SampleView | None) -> None:
        self._clear()
        bench, canvas = self.bench, self.canvas
        if view is None or bench is None or bench.readers is None or canvas is None:
            self._say()
            return
        self.placed = bench.placed
        if self.placed is None:
            return
        self.layers = CloudLayers.open(view, bench.readers, self.placed, bench.gui.post, self._layer_changed)
        self._picture = CloudPicture(view, self.layers, self.placed, bench.sight, bench.previews)
        self._picture.colours = CloudColours(bench, self.placed, self.layers.ground, self._renew)
        self._work = SpaceWork(bench, CanvasSource(canvas, self._shown), self.placed, self.kind)
        self._take_tool()
        if self.sides is not None:
            self.sides.sample_opened()
        self._say()

    def show_time(self, time_ns: int) -> None:
        self.time_ns = time_ns
        if not self.isVisible():
            return
        for layer in self.layers.layers:
            layer.seek(time_ns, self.look.ways)
        self._say()
        if self._timeless():
            return
        if self.moment is not None and all(each.now.index is None for each in self.layers.layers):
            self._renew()

    def showEvent(self, event: object) -> None:
        if self.bench is not None and not self.failed:
            self.guard(self.show_time, self.bench.clock.time_ns)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.menus.set_narrow(self.width() < _NARROW_PX)

    def show_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed or change.hover_changed:
            self._renew_lines()
        if change.ids_changed and change.cause != self.kind:
            self._bring_in(change.after.ids)
        if change.cursor_changed and self.canvas is not None:
            self.canvas.update()

    def apply(self, changes: ChangeSet) -> None:
        if self.placed is None or self.bench is None:
            return
        if self._picture is not None:
            self._picture.records_changed()
        if changes.kinds & {RecordKind.RIG, RecordKind.STREAM}:
            self.sample_opened(self.bench.view)
            self.show_time(self.time_ns)
        else:
            self._renew()

    def step_time(self, steps: int) -> int | None:
        """So many sweeps of the leading stream away."""
        lead, bench = self.layers.lead, self.bench
        units = None if lead is None or lead.table is None else units_of(lead.stream, lead.reader)
        return None if units is None or bench is None else stepped(units, bench.clock.time_ns, steps)

    def unit_name(self) -> str:
        return "sweep" if self.layers.lead is not None and not self._timeless() else ""

    def settled(self) -> bool:
        if self.canvas is None or not self.isVisible():
            return True
        waiting = self._soon.isActive() or any(each.pending for each in self.layers.layers)
        waiting = waiting or (self._asked is not None and self._asked.points.waiting)
        return not waiting and not self.canvas.pending and (self.sides is None or not self.sides.pending)

    @property
    def work(self) -> SpaceWork | None:
        """The painted picture as tools and actions see it."""
        return self._work

    @property
    def newest(self) -> CloudMoment | None:
        """What is on its way to the screen, or on it."""
        return self._asked

    def take_focus(self) -> None:
        """Somebody works here now."""
        self._taken()

    def propagate(self) -> None:
        """Carry the selected cuboids on to the next sweep and go there."""
        bench, lead = self.bench, self.layers.lead
        next_ns = None if self._work is None else carry_on(self._work)
        if bench is not None and lead is not None and next_ns is not None:
            bench.clock.pause()
            bench.clock.seek(lead.stream.time_map.to_session(next_ns))

    # --- what actions call --------------------------------------------------------------------------------------

    def set_look(self, **changes: Any) -> None:
        """See it another way from now on; kept for this project."""
        before, self.look = self.look, msgspec.structs.replace(self.look, **changes)
        if self.look == before or self.canvas is None:
            return
        self._keep_soon.start()
        self.canvas.zoom_locked = self.look.zoom_locked
        self.split.wanted = self.look.sides
        if self.look.flat != before.flat:
            view = self.canvas.view
            self.canvas.set_view(view.flat() if self.look.flat else view.deep())
        if self.look.ways != before.ways:
            self.show_time(self.time_ns)
        if self.look.follow != before.follow:
            self._stood = None if self.moment is None else self.moment.vehicle
        self._renew()
        self._say()

    def show_stream(self, key: str, visible: bool) -> None:
        """Show the points of a stream, or not."""
        others = tuple(each for each in self.look.hidden if each != key)
        self.set_look(hidden=others if visible else (*others, key))

    def colourings(self) -> list[ColourBy]:
        """What points can be coloured by here."""
        sweeps = [each.shown.now for each in self.layers.layers if each.shown is not None]
        found = available(sweeps, from_cameras=self._picture is not None and self._picture.in_cameras)
        return [*found, ColourBy.STREAM] if len(self.layers.layers) > 1 else found

    def look_from(self, side: Side) -> None:
        """Straight at what is selected, else at the target, along one of its own axes, or the vehicle's."""
        canvas, moment = self.canvas, self.moment
        if canvas is None or moment is None:
            return
        row = self._selected_row()
        if row is not None:
            turn = matrix_of(moment.cuboids.rotations[row])
            reach = float(np.linalg.norm(moment.cuboids.sizes[row])) / 2
            canvas.fly(canvas.view.fly_to(moment.cuboids.centers[row], reach).look(side, turn))
            return
        turn = np.eye(3) if moment.vehicle is None else upright(moment.vehicle)
        canvas.fly(canvas.view.look(side, turn))

    def fit_all(self) -> None:
        """All points of the moment."""
        if self.canvas is not None and self.moment is not None:
            self.canvas.fly(self.canvas.view.fit(self.moment.low, self.moment.high))

    def home(self) -> None:
        """Behind and above the vehicle, looking ahead; where nothing moves, all of it."""
        if self.canvas is not None and self.moment is not None:
            self.canvas.fly(self._first_view(self.moment, self.canvas.view))

    def fly_to(self, ids: Ids) -> bool:
        """To the first of these that is here; whether there was one."""
        moment, canvas = self.moment, self.canvas
        row = None if moment is None else self._row_of(ids)
        if canvas is None or moment is None or row is None:
            return False
        reach = max(float(np.linalg.norm(moment.cuboids.sizes[row])) * 1.4, _LEAST_FLIGHT_M)
        canvas.fly(canvas.view.fly_to(moment.cuboids.centers[row], reach))
        return True

    # --- the moment ---------------------------------------------------------------------------------------------

    def _layer_changed(self, _layer: CloudLayer) -> None:
        self._renew()

    def _renew(self) -> None:
        """Put the moment together anew, once a turn of the event loop."""
        if not self._soon.isActive():
            self._soon.start()

    def _renew_now(self) -> None:
        if not self.failed:
            self.guard(self._renew_moment)

    def _renew_moment(self) -> None:
        canvas, picture = self.canvas, self._picture
        if canvas is None or picture is None:
            return
        moment = picture.at(self.time_ns, self.look, canvas.devicePixelRatioF())
        self._asked = moment
        if self.sides is not None:
            self.sides.renew()
        if moment is None:
            self.moment = None
            canvas.forget()
            self._say()
            return
        view = self._view_for(moment, canvas.view)
        lines, faces = self._lines(moment)
        still = self._still(moment, view or canvas.view)
        canvas.show_things(points=moment.points, lines=lines, faces=faces, still=still, about=moment, view=view)

    def _renew_lines(self) -> None:
        """Other things are selected or hovered: the same points."""
        canvas, moment = self.canvas, self._asked
        if self.sides is not None:
            self.sides.renew()
        if canvas is not None and moment is not None:
            self.over.forget()
            canvas.show_lines(*self._lines(moment))  # and is painted when they are drawn, names and all

    def _still(self, moment: CloudMoment, view: SpaceView) -> StillLines | None:
        bench, picture = self.bench, self._picture
        if bench is None or picture is None:
            return None
        return picture.still(moment, self.look, bench.theme, self._scale_m(view), self._ratio)

    @property
    def _ratio(self) -> float:
        return 1.0 if self.canvas is None else self.canvas.devicePixelRatioF()

    def _lines(self, moment: CloudMoment) -> tuple[list[LineLayer], list[FaceLayer]]:
        """The cuboids: what is selected strongest, its sides filled faintly."""
        bench, ratio = self.bench, self._ratio
        assert bench is not None
        cuboids = moment.cuboids
        if not len(cuboids):
            return [], []
        related = self._related()
        strong = np.array([each in related for each in cuboids.ids], np.bool_)
        hovered = np.array([each == bench.selection.state.hovered for each in cuboids.ids], np.bool_) & ~strong
        lines = cuboid_lines(cuboids, ~strong & ~hovered, "things", width_px=1.2 * ratio)
        lines += cuboid_lines(cuboids, hovered, "hovered", width_px=2.2 * ratio)
        lines += cuboid_lines(cuboids, strong, "selected", width_px=2.6 * ratio)
        return lines, cuboid_faces(cuboids, strong)

    def _view_for(self, moment: CloudMoment, view: SpaceView) -> SpaceView | None:
        """The view for this moment: carried along with the vehicle, or the first one of a sample."""
        stood, self._stood = self._stood, moment.vehicle
        if self.moment is None and stood is None:
            kept, drives = self._kept, moment.vehicle is not None and self._drives(moment)
            if kept is not None and drives and moment.vehicle is not None:
                return carried(kept[0], kept[1], moment.vehicle)
            first = self._first_view(moment, view)
            return first.flat() if self.look.flat else first
        if stood is None or moment.vehicle is None or self.look.follow is not Follow.VEHICLE:
            return None
        return None if stood == moment.vehicle else carried(view, stood, moment.vehicle)

    @staticmethod
    def _drives(moment: CloudMoment) -> bool:
        """Whether it is of sweeps of something that may move, and no still survey."""
        sweep = moment.lead_sweep
        return moment.vehicle is not None and sweep is not None and sweep.own_ns is not None

    def _first_view(self, moment: CloudMoment, view: SpaceView) -> SpaceView:
        if moment.vehicle is None or not self._drives(moment):
            side = SpaceView(eye=(-1.0, -1.0, 0.9), width_px=view.width_px, height_px=view.height_px)
            return side.fit(moment.low, moment.high)
        return behind(moment.vehicle, view)

    def _scale_m(self, view: SpaceView) -> float:
        return view.distance_m if view.fov_deg is not None else view.height_m

    def _painted(self) -> None:
        canvas = self.canvas
        about = None if canvas is None or canvas.drawn is None else canvas.drawn.wish.about
        if isinstance(about, CloudMoment) and about is not self.moment:
            self.moment = about
            self.over.forget()
            if canvas is not None and canvas.tool is not None:
                self.guard(canvas.tool.scene_changed)
            if self.sides is not None:
                self.sides.scene_changed()
        else:
            self.over.forget_places()
        self._say()

    def _has_painted(self) -> None:
        tell_painted(self.bench, self.lag, self.moment, self.canvas)

    def _shown(self) -> Any:
        return None if self.moment is None else self.moment.shown

    # --- what is said -------------------------------------------------------------------------------------------

    def _say(self) -> None:
        self.header.say(**header_line(self.moment, self.layers.lead, self.time_ns)._asdict())
        rendered = None if self.canvas is None else self.canvas.rendered
        coarse = rendered is not None and rendered.points.coarse
        text, more = note(self.moment, self.look, coarse=coarse)
        self.note.setText(text)  # the same again is nothing to a label
        self.note.setToolTip(more)

    def empty_text(self) -> str:
        """What stands where no points are."""
        return "" if self.moment is not None else empty_words(self.layers, self.newest)

    # --- selection and pointing ---------------------------------------------------------------------------------

    def related(self) -> frozenset[str]:
        """What belongs to the selection."""
        return self._related()

    def _related(self) -> frozenset[str]:
        bench = self.bench
        return frozenset() if bench is None or bench.view is None else bench.view.marked(bench.selected)

    def _row_of(self, ids: Ids, *, linked: bool = True) -> int | None:
        """The first cuboid of these, of the same thing, or (``linked``) of what links relate them to."""
        bench, moment = self.bench, self.moment
        if bench is None or bench.view is None or moment is None:
            return None
        wanted = bench.view.to_show(ids) if linked else (*ids, *sorted(bench.view.related(ids)))
        rows = (moment.cuboids.row(each) for each in wanted)
        return next((row for row in rows if row is not None), None)

    def where(self, ids: frozenset[str]) -> list[tuple[str, QRectF]]:
        canvas, moment = self.canvas, self.moment
        rows = [] if moment is None else [row for each in ids if (row := moment.cuboids.row(each)) is not None]
        if canvas is None or moment is None or not rows:
            return []
        corner, inside = QPointF(canvas.mapTo(self, QPoint())), QRectF(canvas.rect())
        px, _, seen = canvas.look.project(moment.cuboids.centers[rows])
        spots = [(row, canvas.to_widget(*at)) for row, at, good in zip(rows, px.tolist(), seen, strict=True) if good]
        return [(moment.cuboids.ids[row], QRectF(at + corner - _SPOT, at + corner + _SPOT))
                for row, at in spots if inside.contains(at)]  # fmt: skip

    def _selected_row(self) -> int | None:
        bench = self.bench
        if bench is None:
            return None
        active = bench.selection.state.active
        return self._row_of((() if active is None else (active,)) + bench.selected, linked=False)

    def _bring_in(self, ids: Ids) -> None:
        """What was selected elsewhere comes into the picture, from where one stands, if it is not in it."""
        canvas, moment = self.canvas, self.moment
        row = self._row_of(ids)
        if canvas is None or moment is None or row is None or self.look.zoom_locked:
            return
        center = moment.cuboids.centers[row]
        px, _, seen = canvas.view.project(center[None])
        inside = bool(seen[0]) and 0 <= px[0, 0] < canvas.view.width_px and 0 <= px[0, 1] < canvas.view.height_px
        if not inside:
            canvas.fly(canvas.view.fly_to(center, max(self._scale_m(canvas.view) / 4, _LEAST_FLIGHT_M)))

    def _reveal(self, ids: Ids) -> None:
        self.guard(self.fly_to, ids)

    def _pointed(self, pointer: SpacePointer | None) -> None:
        bench, moment, work = self.bench, self.moment, self._work
        if bench is None or bench.view is None or work is None:
            return
        if pointer is None or moment is None:
            bench.selection.hover(None, cause=self.kind)
            bench.selection.point_at(None, cause=self.kind)
            return
        bench.selection.hover(self._under(pointer), cause=self.kind)
        if pointer.hit is not None:
            x, y, z = (a + b for a, b in zip(pointer.hit.place, moment.ground.origin, strict=True))
            bench.selection.point_at(SpaceCursor(moment.ground.frame, (x, y, z)), cause=self.kind)

    def _under(self, pointer: SpacePointer) -> str | None:
        from workstation.ui.tools.space_picking import under

        assert self._work is not None
        return next(iter(under(self._work.cuboids(), pointer)), None)

    def _taken(self) -> None:
        bench, moment = self.bench, self.moment
        if bench is not None and moment is not None and moment.lead is not None:
            bench.focus_on(moment.lead.stream.id)
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def _view_moved(self, _view: SpaceView) -> None:
        if self._asked is not None and self.canvas is not None:
            lines, faces = self._lines(self._asked)
            self.canvas.show_lines(lines, faces, still=self._still(self._asked, self.canvas.view))
        self.over.forget_places()

    # --- the hand -----------------------------------------------------------------------------------------------

    def _take_tool(self) -> None:
        bench, canvas, work = self.bench, self.canvas, self._work
        if bench is None or canvas is None or work is None:
            return
        if canvas.tool is not None:
            canvas.tool.cancel()
        self.tool_name = bench.hand.tool
        canvas.tool = make_space_tool(self.tool_name, work)

    def _hand_changed(self, hand: Hand) -> None:
        if hand.tool != self.tool_name:
            self._take_tool()
            self.tool_moved()
        if self._work is not None and not hand.waiting and self.gesture is None:
            self._work.preview({})  # what waited was given up
        if self.canvas is not None:
            self.canvas.update()

    def tool_moved(self) -> None:
        """The tool has begun or ended something."""
        tool = None if self.canvas is None else self.canvas.tool
        held = self.gesture
        if tool is not None and tool.busy:
            if held is None:
                self.gesture = ToolGesture(tool, self.tool_moved)
        elif isinstance(held, ToolGesture) and held.tool is tool:
            self.gesture = None
        if self.canvas is not None:
            self.canvas.update()

    def _previewed(self, _change: PreviewsChanged) -> None:
        """A cuboid is dragged somewhere: other lines, the same points."""
        if self._asked is not None:
            self.guard(self._renew_moment)

    def _sight_changed(self, _sight: Sight) -> None:
        self._renew()

    def _theme_changed(self, _theme: Theme) -> None:
        self._renew()

    # --- inside -------------------------------------------------------------------------------------------------

    def _timeless(self) -> bool:
        return all(each.table is None for each in self.layers.layers)

    def _keep(self) -> None:
        if self.bench is not None:
            keep_look(self.bench.session.project.path, self.look)

    def _clear(self) -> None:
        self.gesture = None
        if (canvas := self.canvas) is not None:
            if canvas.tool is not None:
                canvas.tool.cancel()
            canvas.tool = None
            canvas.forget()
        self._soon.stop()
        if (
            self.canvas is not None
            and self.moment is not None
            and self._stood is not None
            and self._drives(self.moment)
        ):
            self._kept = (self.canvas.view, self._stood)
        if self._picture is not None:
            self._picture.close()
        self.layers.close()
        self.layers = CloudLayers()
        self.placed = self._picture = self._work = None
        if self.sides is not None:
            self.sides.sample_opened()
        self.moment = self._asked = None
        self._stood = None
