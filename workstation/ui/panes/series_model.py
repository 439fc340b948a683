"""What the series pane shows, without widgets: for each stream a lane of its labels, lanes of its channels, lanes of
values given by hand; and what lies where. Made by ``series.py`` for each sample; it changes no record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from workstation.app.lanes import Tier, lanes_of
from workstation.app.sample_view import SampleView
from workstation.app.series_curves import Axis, ChannelCurve
from workstation.app.series_feed import Key, SeriesFeed
from workstation.app.series_layout import SeriesLayout
from workstation.app.series_values import usual_range, usual_unit
from workstation.app.snapping import Target
from workstation.app.streams import reading_context
from workstation.app.units import Units
from workstation.core.annotation import Annotation
from workstation.core.errors import DataError, UserError
from workstation.core.geometry import Curve, ShapeKind
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import TimeRange
from workstation.media.base import OpenContext
from workstation.ui.panes import base_strips as base
from workstation.ui.panes.base_strips import Part, StripsModel
from workstation.ui.panes.base_strips_crowd import part_of
from workstation.ui.scenes.curve_scene import CurveScene
from workstation.ui.scenes.lane_scene import LaneScene
from workstation.ui.scenes.tier_scene import TierScene
from workstation.ui.scenes.values_scene import ValuesScene
from workstation.ui.workbench import Workbench

POINT_PX = 6
LEAST_LANE_PX, MOST_LANE_PX, GROUP_PX = 44, 150, 22
CURVES = frozenset({ShapeKind.CURVE})


class EmptyScene(LaneScene):
    """The lane of a stream that has no labels yet."""


@dataclass(slots=True)
class Strip(base.Strip):
    """One row of the pane. ``channel`` is set for a channel, ``class_id`` for values."""

    stream: Stream
    channel: str | None = None
    class_id: str | None = None

    @property
    def is_group(self) -> bool:
        return self.channel is None and self.class_id is None


Hit = base.Hit[Strip]


class SeriesModel(StripsModel[Strip]):
    """One sample in the series pane."""

    def __init__(
        self, bench: Workbench, view: SampleView, layout: SeriesLayout, width_px: int, changed: Callable[[], None]
    ) -> None:
        super().__init__(bench, view, width_px, changed)
        self.layout = layout
        self.drawing = False
        """Whether a drag draws values in place of a span."""
        self._parted: dict[str, tuple[Tier, Tier]] = {}
        """Of each strip: the tier of its stream, and what of it lies over the strip."""
        self.active: str | None = None
        """Key of the lane that keys and the header speak of."""
        streams = [each for each in view.streams.values() if each.kind is StreamKind.SERIES]
        self.streams = sorted(streams, key=lambda each: each.key)
        assert bench.readers is not None
        self.feed = SeriesFeed(
            bench.session.project.path, self.streams, bench.readers, self._deliver, specs=bench.formats.readers,
            context=reading_context(bench.session.project, self.streams, shared=OpenContext()), calm=bench.calm,
        )  # fmt: skip

    # --- strips -------------------------------------------------------------------------------------------------

    def rebuild(self, height_px: int) -> None:
        """Make the strips and share the height among them."""
        self.troubles = []
        self.strips = [strip for stream in self.streams for strip in self._strips_of(stream)]
        self.feed.begin()
        self._forget_scenes()
        self.place(height_px)

    def place(self, height_px: int) -> None:
        """Another height."""
        lanes = [strip for strip in self.strips if not strip.is_group]
        groups = sum(self._group_height(strip) for strip in self.strips if strip.is_group)
        each = min(max(LEAST_LANE_PX, (height_px - groups) // max(1, len(lanes))), MOST_LANE_PX)
        top = 0
        for strip in self.strips:
            strip.height = self._group_height(strip) if strip.is_group else each
            strip.top = top
            top += strip.height

    @staticmethod
    def _group_height(strip: Strip) -> int:
        return max(GROUP_PX, strip.scene.natural_height() + 1) if isinstance(strip.scene, TierScene) else GROUP_PX

    def _strips_of(self, stream: Stream) -> Iterator[Strip]:
        try:
            channels = self.feed.channels(stream.id)
        except DataError as problem:
            self.troubles.append(str(problem))
            return
        yield self._group(stream)
        for class_id in self._classes_of_values(stream):
            yield self._values(stream, class_id)
        keys = {f"{stream.key}/{each.name}": each for each in channels}
        for key in self.layout.ordered(self.layout.shown(list(keys))):
            yield self._channel(stream, key, keys[key].name, keys[key].unit)

    def _group(self, stream: Stream) -> Strip:
        key = f"{stream.key}/spans"
        lane = next((each for each in lanes_of(self.view) if each.key == key), None)
        if lane is not None:
            return Strip(key, self._tier_scene(lane), stream.key, stream)
        scene = self._scenes.get(key)
        if not isinstance(scene, EmptyScene):
            scene = self._scenes[key] = EmptyScene()
        return Strip(key, scene, stream.key, stream)

    def _channel(self, stream: Stream, key: str, name: str, unit: str) -> Strip:
        scene = self._scenes.get(key)
        if not isinstance(scene, CurveScene):
            scene = CurveScene()
            scene.changed = self._changed
            self._scenes[key] = scene
        if scene.curve is None and not scene.trouble:
            try:
                scene.curve = self.feed.curve((stream.id, name))
            except UserError as problem:
                scene.trouble = str(problem)
        choice = self.layout.choice(key)
        scene.scale(choice.mode, choice.limits)
        short = name.removeprefix(f"{stream.key}_") or name  # the stream's name stands above
        return Strip(key, scene, f"{short} [{unit}]" if unit else short, stream, channel=name)

    def _values(self, stream: Stream, class_id: str) -> Strip:
        key = f"{stream.key}/values/{class_id}"
        scene = self._scenes.get(key)
        if not isinstance(scene, ValuesScene):
            scene = self._scenes[key] = ValuesScene()
            scene.changed = self._changed
        held = [each for each in self._curves(stream) if self.view.class_of(each) == class_id]
        scene.reach(*usual_range(self.view, class_id, held))
        unit = next((each.shape.unit for each in held if isinstance(each.shape, Curve) and each.shape.unit), "")
        unit = unit or usual_unit(self.view, class_id)
        name = self.view.class_name(class_id)
        return Strip(key, scene, f"{name} [{unit}]" if unit else name, stream, class_id=class_id)

    def _classes_of_values(self, stream: Stream) -> list[str]:
        """Classes with values that belong to no channel; while values are drawn, the one in the hand too."""
        found = {self.view.class_of(each) for each in self._curves(stream) if not self._on_channel(each)}
        hand = self.bench.hand.class_id
        if self.drawing and hand is not None and self.view.may_be_drawn(hand, stream.id, CURVES):
            found.add(hand)
        return sorted(each for each in found if each is not None)

    def _curves(self, stream: Stream) -> list[Annotation]:
        return [each for each in self.view.annotations_of(stream.id) if each.kind is ShapeKind.CURVE]

    @staticmethod
    def _on_channel(annotation: Annotation) -> bool:
        return bool(annotation.item)

    def strip(self, key: str | None) -> Strip | None:
        return next((strip for strip in self.strips if strip.key == key), None)

    def channels(self) -> list[Strip]:
        return [strip for strip in self.strips if strip.channel is not None]

    def axis(self, strip: Strip) -> Axis | None:
        """The heights of a lane; ``None`` for lanes of labels."""
        return strip.scene.axis(self.viewport) if isinstance(strip.scene, CurveScene | ValuesScene) else None

    def unit(self, strip: Strip) -> str:
        """The unit of a lane's values."""
        if isinstance(strip.scene, CurveScene):
            return "" if strip.scene.curve is None else strip.scene.curve.unit
        return strip.title.rpartition(" [")[2].rstrip("]") if strip.title.endswith("]") else ""

    def curve(self, strip: Strip) -> ChannelCurve | None:
        return strip.scene.curve if isinstance(strip.scene, CurveScene) else None

    def _deliver(self, key: Key, result: ChannelCurve | UserError) -> None:
        self.bench.gui.post(self._arrived, (key, result))

    def _arrived(self, made: tuple[Key, ChannelCurve | UserError]) -> None:
        key, result = made
        self.feed.arrived(key, result)
        stream = self.view.streams.get(key[0])
        scene = None if stream is None else self._scenes.get(f"{stream.key}/{key[1]}")
        if isinstance(scene, CurveScene):
            scene.fail(str(result)) if isinstance(result, UserError) else scene.show(result)
        self._changed()

    def close(self) -> None:
        self.feed.close()
        super().close()

    # --- what lies where ----------------------------------------------------------------------------------------

    def laid_over(self, strip: Strip) -> Iterator[Tier]:
        """The spans of its channel, and those of the whole stream."""
        group = self.strip(f"{strip.stream.key}/spans")
        if group is None or not isinstance(group.scene, TierScene) or strip.is_group:
            return
        whole = group.scene.tier
        held = self._parted.get(strip.key)
        if held is None or held[0] is not whole:
            mine = [self._lies_over(each, strip.channel) for each in whole.ids]
            held = self._parted[strip.key] = (whole, part_of(whole, np.array(mine, np.bool_)))
        yield held[1]

    def _lies_over(self, record_id: str, channel: str | None) -> bool:
        record = self.view.annotations.get(record_id)
        return record is not None and record.item in (None, channel)

    def curves_over(self, strip: Strip) -> list[tuple[Annotation, Curve]]:
        """The values given by hand that are drawn on a lane."""
        if strip.is_group:
            return []
        found = []
        for each in self._curves(strip.stream):
            mine = each.item == strip.channel if strip.channel else self._belongs(each, strip)
            if mine and isinstance(each.shape, Curve) and self.shown(each):
                found.append((each, each.shape))
        return found

    def _belongs(self, annotation: Annotation, strip: Strip) -> bool:
        return not self._on_channel(annotation) and self.view.class_of(annotation) == strip.class_id

    def shown(self, annotation: Annotation) -> bool:
        """Whether it is not hidden."""
        keys = (annotation.id, annotation.entity, annotation.stream, self.view.class_of(annotation))
        return self.bench.sight.visible(keys)

    def xy(
        self, strip: Strip, annotation: Annotation, curve: Curve
    ) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """(n, 2) places of a curve's points, from the strip's top left."""
        axis, time_map = self.axis(strip), self.view.time_map(annotation)
        times = np.array([time for time, _ in curve.points], np.int64)
        sessions = times if time_map is None else time_map.to_session_array(times)
        x = (sessions - self.viewport.start_ns) * (self.viewport.width_px / self.viewport.duration_ns)
        values = np.array([value for _, value in curve.points])
        y = np.zeros(len(values)) if axis is None else CurveScene.y_of(axis, values, strip.height - 1)
        return np.column_stack((x, y))

    def _hit_over(self, strip: Strip, x: float, y: float, now: int) -> Hit:
        return self._hit_curve(strip, x, y, now) or super()._hit_over(strip, x, y, now)

    def part_at(self, strip: Strip, annotation: Annotation, shown: TimeRange, x: float, y: float) -> Part | None:
        return Part.BODY if shown.is_instant else self._side_of(shown, x)

    def _hit_curve(self, strip: Strip, x: float, y: float, now: int) -> Hit | None:
        for annotation, curve in self.curves_over(strip):
            places = self.xy(strip, annotation, curve)
            away = np.hypot(places[:, 0] - x, places[:, 1] - y)
            nearest_point = int(np.argmin(away))
            if away[nearest_point] <= POINT_PX:
                return Hit(strip, now, annotation.id, Part.POINT, nearest_point)
            inside = len(places) > 1 and places[0, 0] <= x <= places[-1, 0]
            if inside and abs(float(np.interp(x, places[:, 0], places[:, 1])) - y) <= POINT_PX:
                return Hit(strip, now, annotation.id)
        return None

    # --- units and snapping -------------------------------------------------------------------------------------

    def active_strip(self) -> Strip | None:
        """The lane that keys speak of: the one worked on last, else the first channel of the stream in hand."""
        found = self.strip(self.active)
        if found is not None:
            return found
        lanes, focused = self.channels(), self.bench.focused_stream
        return next((each for each in lanes if each.stream.id == focused), lanes[0] if lanes else None)

    def stream(self) -> Stream | None:
        """The stream that the header tells of and marks are made on."""
        strip = self.active_strip()
        return strip.stream if strip is not None else (self.streams[0] if self.streams else None)

    def units(self, stream: Stream | None) -> Units | None:
        """A stream's own rows; ``None`` where it cannot be opened."""
        return None if stream is None else self._units_of(stream)

    def own_units(self) -> Units | None:
        return self.units(self.stream())

    def snapped(self, session_ns: int, stream: Stream, leave_out: tuple[int, ...] = ()) -> Target | None:
        """What a boundary is drawn to: other boundaries and the playhead; rows where they can be told apart."""
        return self._drawn_to(session_ns, self.units(stream), leave_out)
