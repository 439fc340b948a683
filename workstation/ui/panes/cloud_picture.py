"""One moment of the cloud pane put together: which sweeps, which cuboids, and the lines around them.

Asked by the pane whenever time, records, sight or look have changed. What it answers is a value that travels with the
picture (``Wish.about``): header, labels and tools speak of that and of nothing newer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workstation.app.cloud_ground import Ground, PlacedSweep
from workstation.app.cloud_moment import NO_BOXES, Boxes, Coloured, Painting, SweepWanted, counts, moving_rows
from workstation.app.cloud_paint import STREAMS, ColourBy, Scales
from workstation.app.cloud_view import CloudLayer, CloudLayers
from workstation.app.looks import proposed_name
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.previews import Previews
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation, State
from workstation.core.geometry import Cuboid, PointSet, ShapeKind
from workstation.core.poses import RigidTransform
from workstation.core.rotation import multiply, unit
from workstation.core.sample import Stream, StreamKind
from workstation.ui.panes.cloud_colours import CloudColours
from workstation.ui.panes.cloud_look import CloudLook
from workstation.ui.scenes.cloud_scene import LineLayer, PointLayer
from workstation.ui.scenes.space_things import (
    NO_CUBOIDS,
    CuboidsDrawn,
    axes_lines,
    axis_length,
    doppler_lines,
    frustum_lines,
    grid_lines,
    grid_step,
    rgb_of,
    together,
    way_lines,
)
from workstation.ui.theme import Theme
from workstation.ui.tools.canvas import NEW
from workstation.ui.tools.space_tool import PointsShown, Shown
from workstation.ui.tools.state import Sight

_RADAR_PX = 5
_GROUND_STEP_M = 0.2
_MOST_PX = 8
"""The largest point that scenes draw."""
_FRUSTUM_M = 3.0
_GRID, _FRUSTUM = (104, 114, 130), (132, 142, 158)
_HELD_MOMENTS = 64


class SweepPoints:
    """Points on their way to the scene: coloured on the render thread, then known to the window as they are drawn."""

    def __init__(self, wanted: Sequence[SweepWanted], painting: Painting, coloured: Coloured) -> None:
        self.wanted, self.painting = tuple(wanted), painting
        self._coloured = coloured
        self.count = sum(len(each.sweep.points) for each in wanted)
        self.made: dict[str, tuple[NDArray[np.float32], NDArray[np.int64] | None]] = {}

    def layers(self) -> Sequence[PointLayer]:
        found = []
        for each in self.wanted:
            points, rows, colours = self._coloured.get(each, self.painting)
            self.made[each.key] = (points, rows)
            found.append(PointLayer(key=each.key, points=points, colours=colours, size_px=each.size_px))
        return found

    @property
    def waiting(self) -> bool:
        """Whether colours from cameras are still being made."""
        found = self.painting.from_cameras
        if self.painting.by is not ColourBy.CAMERA or found is None:
            return False
        return any(each.sweep.session_ns is not None and found(each.sweep) is None for each in self.wanted)

    def same_as(self, other: SweepPoints | None) -> bool:
        """Whether nothing would look different."""
        if other is None or len(other.wanted) != len(self.wanted):
            return False
        mine, theirs = self.painting, other.painting
        if (mine.by, mine.sets, mine.from_cameras) != (theirs.by, theirs.sets, theirs.from_cameras):
            return False
        if abs(mine.ground_m - theirs.ground_m) > 1e-3 or (mine.of_things and mine.boxes is not theirs.boxes):
            return False
        return all(
            a.sweep is b.sweep and a.size_px == b.size_px and a.without == b.without and a.current == b.current
            for a, b in zip(self.wanted, other.wanted, strict=True)
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class CloudMoment:
    """What is drawn together."""

    session_ns: int
    """The moment cuboids stand at: the capture of the sweep that leads."""
    ground: Ground
    lead: CloudLayer | None
    """The layer the header speaks of; ``None``: no sweep is shown at all."""
    sweeps: tuple[tuple[CloudLayer, PlacedSweep], ...]
    """The current ones, one a stream."""
    points: SweepPoints
    cuboids: CuboidsDrawn
    names: tuple[str, ...]
    """Beside each cuboid."""
    vehicle: RigidTransform | None
    """``scene_from_vehicle``, or from the sensor where nothing moves; ``None`` where no pose is known."""
    low: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    high: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    being_read: bool = False
    """Whether a stream's first sweep is still being read: until it is there nothing is empty."""

    @property
    def lead_sweep(self) -> PlacedSweep | None:
        """The sweep of the layer that leads."""
        return next((sweep for layer, sweep in self.sweeps if layer is self.lead), None)

    @cached_property
    def shown(self) -> Shown | None:
        """The same as tools see it. Asked once the picture is drawn: then the points are known as they were drawn."""
        lead, sweep = self.lead, self.lead_sweep
        if lead is None or sweep is None:
            return None
        table = lead.table
        at = sweep.index

        def own(index: int) -> int | None:
            return int(table.times_ns[index]) if table is not None and 0 <= index < len(table) else None

        made = self.points.made
        layers = tuple(
            PointsShown(
                key=each.key,
                stream=each.sweep.stream,
                item=each.sweep.index,
                own_ns=each.sweep.own_ns or 0,
                points=made[each.key][0],
                rows=made[each.key][1],
                current=each.current,
            )
            for each in self.points.wanted
            if each.key in made
        )
        return Shown(
            session_ns=self.session_ns,
            frame=self.ground.frame,
            origin=self.ground.origin,
            stream=lead.stream.id,
            own_ns=sweep.own_ns if table is not None else 0,
            next_ns=own(at + 1),
            before_ns=own(at - 1),
            layers=layers,
        )

    def counted(self, row: int) -> int:
        """How many points of the current sweeps lie in a cuboid."""
        boxes = Boxes(self.cuboids.ids, self.cuboids.centers, self.cuboids.sizes, self.cuboids.rotations)
        current = (each for each in self.points.wanted if each.current)
        return sum(int((boxes.inside(each.sweep.points, (row,), by_x=each.sweep.by_x) >= 0).sum()) for each in current)

    def prepare(self) -> None:
        """On the render thread: what takes a while and is painted with the picture."""
        _ = self.counts

    @cached_property
    def counts(self) -> NDArray[np.int64] | None:
        """The same for all cuboids at once; ``None`` where there are too many points for that."""
        boxes = Boxes(self.cuboids.ids, self.cuboids.centers, self.cuboids.sizes, self.cuboids.rotations)
        return counts(boxes, [each.sweep for each in self.points.wanted if each.current])

    def range_m(self, row: int) -> float:
        """From the leading sensor to the middle of a cuboid, on the ground."""
        sweep = self.lead_sweep
        start = (0.0, 0.0, 0.0) if sweep is None else sweep.sensor
        return float(np.linalg.norm(self.cuboids.centers[row, :2] - np.array(start[:2])))


@dataclass(frozen=True, slots=True, kw_only=True)
class StillLines:
    """What stands around the points at one moment. Compared by value: equal ones are drawn once."""

    ground: Ground
    placed: PlacedCuboids
    session_ns: int
    vehicle: RigidTransform | None
    sweeps: tuple[tuple[Stream, PlacedSweep], ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    grid: bool
    axes: bool
    way: bool
    frusta: bool
    accent: tuple[int, int, int]
    step_m: float
    axis_m: float
    ratio: float

    def lines(self) -> Sequence[LineLayer]:
        found: list[LineLayer] = []
        vehicle, (stream, sweep) = self.vehicle, self.sweeps[0]
        if self.grid:
            moves = vehicle is not None and sweep.own_ns is not None
            center = vehicle.translation if vehicle is not None and moves else _middle(self.low, self.high)
            floor = center[2] if moves else self.low[2]
            found.append(grid_lines(center, floor, self.step_m, _GRID))
        if self.axes and vehicle is not None:
            found.append(axes_lines(vehicle, self.axis_m))
        if self.way:
            way = way_lines(self.ground.way(self.ground.vehicle_of(stream.frame or "", self.session_ns)), self.accent)
            found += [] if way is None else [way]
        if self.frusta:
            for camera in self.placed.calibration.cameras:
                there = self.ground.in_scene(camera.frame, self.session_ns)
                if there is not None:
                    found.append(frustum_lines(camera, there, _FRUSTUM_M, _FRUSTUM))
        for of, each in self.sweeps:
            speeds = each.columns.get("velocity")
            if of.kind is StreamKind.RADAR and speeds is not None:
                signs = np.where(np.asarray(speeds)[:, None] < 0, (90, 165, 255), (255, 150, 60)).astype(np.uint8)
                lines = doppler_lines(each.points, each.sensor, speeds, signs)
                found += [] if lines is None else [lines]
        return together(found, self.ratio)


class CloudPicture:
    """Makes moments of one sample. The window's thread."""

    def __init__(
        self, view: SampleView, layers: CloudLayers, placed: PlacedCuboids, sight: Sight, previews: Previews
    ) -> None:
        self._view, self._layers, self._placed = view, layers, placed
        self._sight, self._previews = sight, previews
        self._coloured = Coloured()
        self.colours: CloudColours | None = None
        """Colours from the cameras, where there can be any."""
        self._scales = Scales()
        self._boxes: dict[int, Boxes] = {}
        self._sets: dict[str, NDArray[np.int64]] = {}
        self._points: SweepPoints | None = None
        self._still: StillLines | None = None

    @property
    def in_cameras(self) -> bool:
        """Whether points can have the colours of cameras."""
        return self.colours is not None and self.colours.possible

    def close(self) -> None:
        """Let go of threads."""
        if self.colours is not None:
            self.colours.close()

    def records_changed(self) -> None:
        """Cuboids may stand elsewhere."""
        self._boxes.clear()

    def at(self, playhead_ns: int, look: CloudLook, ratio: float = 1.0) -> CloudMoment | None:
        """What shows now, of what has been read; ``None`` where no stream has a sweep. ``ratio``: of device pixels."""
        ground = self._layers.ground
        visible = [each for each in self._layers.layers if self.stream_visible(each.stream, look)]
        swept = [(each, each.shown) for each in visible if each.shown is not None]
        if ground is None or not swept:
            return None
        being_read = any(each.shown is None and each.pending for each in visible)
        lead, found = swept[0]
        session_ns = playhead_ns if found.now.session_ns is None else found.now.session_ns
        vehicle = self.vehicle_at(lead.stream, session_ns)
        self._scales.on_vehicle = found.now.session_ns is not None
        cuboids, names = self._cuboids(session_ns) if look.cuboids else (NO_CUBOIDS, ())
        # In steps: a sweep that keeps its colours while the vehicle goes on need not be prepared anew.
        ground_m = 0.0 if vehicle is None else round(vehicle.translation[2] / _GROUND_STEP_M) * _GROUND_STEP_M
        points = self._swept(swept, session_ns, look, ground_m, ratio)
        sweeps = tuple((layer, each.now) for layer, each in swept)
        low = np.min([sweep.low for _, sweep in sweeps], axis=0)
        high = np.max([sweep.high for _, sweep in sweeps], axis=0)
        return CloudMoment(
            session_ns=session_ns, ground=ground, lead=lead, sweeps=sweeps, points=points, cuboids=cuboids,
            names=names, vehicle=vehicle, low=low, high=high, being_read=being_read,
        )  # fmt: skip

    def stream_visible(self, stream: Stream, look: CloudLook) -> bool:
        """Whether its points are to be seen: not switched off here, not hidden, none of the others alone."""
        alone = [each.stream.id for each in self._layers.layers if self._sight.is_solo(each.stream.id)]
        hidden = stream.key in look.hidden or self._sight.is_hidden(stream.id)
        return not hidden and (not alone or stream.id in alone)

    def vehicle_at(self, stream: Stream, session_ns: int) -> RigidTransform | None:
        """``scene_from_vehicle`` then."""
        ground = self._layers.ground
        frame = stream.frame or ""
        return None if ground is None else ground.in_scene(ground.vehicle_of(frame, session_ns), session_ns)

    def still(self, moment: CloudMoment, look: CloudLook, theme: Theme, distance_m: float, ratio: float) -> StillLines:
        """Grid, axes, frusta, way and speeds, to be made on the render thread; the last ones if they are the same."""
        made = StillLines(
            ground=moment.ground, placed=self._placed, session_ns=moment.session_ns, vehicle=moment.vehicle,
            sweeps=tuple((layer.stream, sweep) for layer, sweep in moment.sweeps), low=tuple(moment.low.tolist()),
            high=tuple(moment.high.tolist()), grid=look.grid, axes=look.axes, way=look.way, frusta=look.frusta,
            accent=rgb_of(theme.accent), step_m=grid_step(distance_m), axis_m=axis_length(distance_m), ratio=ratio,
        )  # fmt: skip
        if made != self._still:
            self._still = made
        return self._still

    # --- inside -------------------------------------------------------------------------------------------------

    def _swept(
        self,
        swept: Sequence[tuple[CloudLayer, object]],
        session_ns: int,
        look: CloudLook,
        ground_m: float,
        ratio: float,
    ) -> SweepPoints:
        wanted: list[SweepWanted] = []
        for number, (layer, _) in enumerate(swept):
            shown = layer.shown
            assert shown is not None
            colour = STREAMS[number % len(STREAMS)]
            size = _RADAR_PX if layer.stream.kind is StreamKind.RADAR else look.point_px
            for sweep in (shown.now, *shown.around):
                without = None
                if sweep is not shown.now and look.leave_moving and sweep.session_ns is not None:
                    then = self._boxes_at(sweep.session_ns)
                    rows = tuple(moving_rows(then, self._boxes_at(session_ns)))
                    without = (then, rows) if rows else None
                wanted.append(
                    SweepWanted(
                        key=f"{layer.stream.id}/{sweep.index}",
                        sweep=sweep,
                        current=sweep is shown.now,
                        stream_colour=colour,
                        size_px=min(round(size * ratio), _MOST_PX),
                        without=without,
                    )
                )
        seen = None
        if look.colour_by is ColourBy.CAMERA and self.colours is not None:
            ordered = sorted(wanted, key=lambda each: not each.current)
            seen = self.colours.known(each.sweep for each in ordered)
        painting = Painting(by=look.colour_by, ground_m=ground_m, scales=self._scales, from_cameras=seen)
        if painting.of_things:
            painting = self._of_things(painting, wanted, session_ns)
        made = SweepPoints(wanted, painting, self._coloured)
        if made.same_as(self._points) and self._points is not None:
            return self._points
        self._points = made
        return made

    def _of_things(self, painting: Painting, wanted: Sequence[SweepWanted], session_ns: int) -> Painting:
        boxes = self._boxes_at(session_ns)
        colours = [rgb_of(self._colour(each)) for each in boxes.ids]
        sets = {each.key: self._sets_of(each.sweep) for each in wanted if each.current}
        return Painting(
            by=painting.by, ground_m=painting.ground_m, scales=painting.scales, boxes=boxes,
            box_colours=np.array(colours, np.uint8).reshape(-1, 3), sets=sets,
        )  # fmt: skip

    def _colour(self, annotation: str) -> str:
        record = self._view.annotations.get(annotation)
        return "#9aa0a6" if record is None else self._view.paint_of(record).colour

    def _sets_of(self, sweep: PlacedSweep) -> list[tuple[NDArray[np.int64], tuple[int, int, int]]]:
        """What is labelled point by point in a sweep."""
        found = []
        for record in self._view.annotations_of(sweep.stream):
            if record.kind is not ShapeKind.POINT_SET or not self._visible(record) or sweep.own_ns is None:
                continue
            if record.state is State.REJECTED:
                continue
            shape = self._view.moment(record, sweep.own_ns).shape
            if isinstance(shape, PointSet):
                found.append((self._indices(shape), rgb_of(self._view.paint_of(record).colour)))
        return found

    def _indices(self, shape: PointSet) -> NDArray[np.int64]:
        if shape.blob not in self._sets:
            blob = self._view.blob(shape.blob)
            whole = b"" if blob is None else blob[: len(blob) // 4 * 4]
            self._sets[shape.blob] = np.frombuffer(whole, "<u4").astype(np.int64)
        return self._sets[shape.blob]

    def _boxes_at(self, session_ns: int) -> Boxes:
        found = self._boxes.get(session_ns)
        if found is None:
            while len(self._boxes) >= _HELD_MOMENTS:
                del self._boxes[next(iter(self._boxes))]
            found = self._boxes[session_ns] = self._boxes_then(session_ns)
        return found

    def _boxes_then(self, session_ns: int) -> Boxes:
        ground = self._layers.ground
        origin = np.zeros(3) if ground is None else np.array(ground.origin)
        for placed in self._placed.at(session_ns):
            if ground is not None and placed.root == ground.frame:
                return Boxes(placed.ids, placed.centers - origin, placed.sizes, placed.rotations)
        return NO_BOXES

    def _cuboids(self, session_ns: int) -> tuple[CuboidsDrawn, tuple[str, ...]]:
        """The cuboids to be drawn, what is dragged in place of what is stored."""
        ground = self._layers.ground
        assert ground is not None
        rows: dict[str, tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], bool]] = {}
        origin = np.array(ground.origin)
        for placed in self._placed.at(session_ns):
            if placed.root == ground.frame:
                each = zip(placed.ids, placed.centers - origin, placed.sizes, placed.rotations, placed.between.tolist(),
                           strict=True)  # fmt: skip
                rows |= {key: (c, s, r, between) for key, c, s, r, between in each}
        names: dict[str, str] = {}
        classes: dict[str, str | None] = {}
        for key, dragged in self._previews.shapes.items():
            if isinstance(dragged.shape, Cuboid):
                record = self._view.annotations.get(key)
                stream = self._view.streams.get(dragged.stream)
                frame = (
                    dragged.frame
                    or (record.frame if record is not None else None)
                    or ((stream.frame if stream is not None else None) or "")
                )
                when = session_ns if stream is None else stream.time_map.to_session(dragged.own_ns)
                there = ground.in_scene(frame, when)
                if there is not None:
                    rows[key] = _moved(dragged.shape, there)
                    classes[key] = dragged.class_id
        shown = [key for key in rows if self._is_seen(key)]
        if not shown:
            return NO_CUBOIDS, ()
        for key in shown:
            record = self._view.annotations.get(key)
            names[key] = self._view.class_name(classes.get(key)) if record is None else self._name(record)
        colours = [
            self._colour(key) if key in self._view.annotations else self._view.paint_of_class(classes.get(key)).colour
            for key in shown
        ]
        proposed = {
            key for key in shown
            if key in self._view.annotations and self._view.annotations[key].state is State.PROPOSED
        }  # fmt: skip
        drawn = CuboidsDrawn(
            ids=tuple(shown),
            centers=np.array([rows[key][0] for key in shown]),
            sizes=np.array([rows[key][1] for key in shown]),
            rotations=np.array([rows[key][2] for key in shown]),
            between=np.array([rows[key][3] or key in proposed for key in shown], np.bool_),
            colours=np.array([rgb_of(each) for each in colours], np.uint8),
        )
        return drawn, tuple(names[key] for key in shown)

    def _name(self, record: Annotation) -> str:
        """With a question mark and how sure its maker is while it is only proposed, as in cameras."""
        name = self._view.name_of(record.id)
        return proposed_name(name, record.confidence) if record.state is State.PROPOSED else name

    def _is_seen(self, key: str) -> bool:
        record = self._view.annotations.get(key)
        return (record is None and key.startswith(NEW)) or (record is not None and self._visible(record))

    def _visible(self, record: Annotation) -> bool:
        keys: Mapping[str, None] | tuple[str | None, ...]
        keys = (record.id, record.entity, record.stream, self._view.class_of(record))
        return self._sight.visible(keys)


def _moved(
    shape: Cuboid, there: RigidTransform
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], bool]:
    center = there @ np.array(shape.center)
    rotation = unit(multiply(there.rotation, shape.rotation))
    return center, np.array(shape.size), np.array(rotation), False


def _middle(low: Sequence[float], high: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = ((a + b) / 2 for a, b in zip(low, high, strict=True))
    return x, y, z
