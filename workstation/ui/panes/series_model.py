"""What the series pane shows, without widgets: for each stream a lane of its labels, lanes of its channels, lanes of
values given by hand; and what lies where. Made by ``series.py`` for each sample; it changes no record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from workstation.app.lanes import Lane, LaneKind, Palette, item_at, lanes_of, make_tier
from workstation.app.sample_view import SampleView
from workstation.app.series_curves import Axis, ChannelCurve
from workstation.app.series_feed import Key, SeriesFeed
from workstation.app.series_layout import SeriesLayout
from workstation.app.series_values import usual_range, usual_unit
from workstation.app.snapping import Target, nearest, nearest_item, nearest_moment
from workstation.app.streams import reading_context
from workstation.app.transcript import SpokenLabel
from workstation.app.units import Units, units_of
from workstation.app.viewport import Int64s, whole
from workstation.core.annotation import Annotation
from workstation.core.errors import DataError, UserError
from workstation.core.geometry import Curve, ShapeKind
from workstation.core.sample import Stream, StreamKind
from workstation.media.base import OpenContext
from workstation.ui.scenes.curve_scene import CurveScene
from workstation.ui.scenes.lane_scene import LaneScene
from workstation.ui.scenes.tier_scene import TierScene
from workstation.ui.scenes.values_scene import ValuesScene
from workstation.ui.workbench import Workbench

EDGE_PX, SNAP_PX, POINT_PX = 5, 8, 6
LEAST_LANE_PX, MOST_LANE_PX, GROUP_PX = 44, 150, 22
_MOST_OVER = 400
CURVES = frozenset({ShapeKind.CURVE})


class Part(StrEnum):
    """What of a label is under the pointer."""

    BODY = "body"
    START = "start"
    END = "end"
    POINT = "point"


class EmptyScene(LaneScene):
    """The lane of a stream that has no labels yet."""


@dataclass(slots=True)
class Strip:
    """One row of the pane; ``top`` counts from the first. ``channel`` is set for a channel, ``class_id`` for values."""

    key: str
    stream: Stream
    scene: LaneScene
    title: str
    channel: str | None = None
    class_id: str | None = None
    top: int = 0
    height: int = 0

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def is_group(self) -> bool:
        return self.channel is None and self.class_id is None


@dataclass(frozen=True, slots=True)
class Hit:
    """What lies at a place; ``point`` counts the points of a curve."""

    strip: Strip | None
    session_ns: int
    annotation: str | None = None
    part: Part = Part.BODY
    point: int = -1


class SeriesModel:
    """One sample in the series pane."""

    def __init__(
        self, bench: Workbench, view: SampleView, layout: SeriesLayout, width_px: int, changed: Callable[[], None]
    ) -> None:
        self.bench = bench
        self.view = view
        self.layout = layout
        self.viewport = whole(bench.clock.span, width_px)
        self.snapping = True
        self.drawing = False
        """Whether a drag draws values in place of a span."""
        self.strips: list[Strip] = []
        self.troubles: list[str] = []
        self.palette = Palette()
        self.active: str | None = None
        """Key of the lane that keys and the header speak of."""
        self._changed = changed
        self._scenes: dict[str, LaneScene] = {}
        self._units: dict[str, Units | None] = {}
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
        kept = {strip.key for strip in self.strips}
        for key in [key for key in self._scenes if key not in kept]:
            self._scenes.pop(key).close()
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
        if lane is None:
            scene = self._scenes.get(key)
            if not isinstance(scene, EmptyScene):
                scene = self._scenes[key] = EmptyScene()
            return Strip(key, stream, scene, stream.key)
        tier = make_tier(self.view, lane, self.palette, _Keeper(self.bench, self.view, lane))
        scene = self._scenes.get(key)
        if isinstance(scene, TierScene):
            scene.show(tier)
            scene.invalidate()
        else:
            scene = TierScene(lane.kind, tier, self.palette, SpokenLabel(self.view, False))
            scene.changed = self._changed
            self._scenes[key] = scene
        return Strip(key, stream, scene, stream.key)

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
        return Strip(key, stream, scene, f"{short} [{unit}]" if unit else short, channel=name)

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
        return Strip(key, stream, scene, f"{name} [{unit}]" if unit else name, class_id=class_id)

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

    @property
    def height(self) -> int:
        return self.strips[-1].bottom if self.strips else 0

    def strip_at(self, y: float) -> Strip | None:
        return next((strip for strip in self.strips if strip.top <= y < strip.bottom), None)

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
        for scene in self._scenes.values():
            scene.close()
        self._scenes.clear()

    # --- what lies where ----------------------------------------------------------------------------------------

    def over(self, strip: Strip) -> list[Annotation]:
        """The spans in view that lie over a lane: those of its channel, and those of the whole stream."""
        group = self.strip(f"{strip.stream.key}/spans")
        if group is None or not isinstance(group.scene, TierScene) or strip.is_group:
            return []
        tier = group.scene.tier
        seen = tier.items.visible(self.viewport)
        held = [self.view.annotations.get(each) for each in tier.ids[seen.start : seen.stop][:_MOST_OVER]]
        return [each for each in held if each is not None and each.item in (None, strip.channel)]

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

    def locked(self, annotation: Annotation) -> bool:
        """Whether gestures leave it alone."""
        keys = (annotation.id, annotation.entity, annotation.stream, self.view.class_of(annotation))
        return self.bench.sight.locked(keys)

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

    def hit(self, x: float, y: float) -> Hit:
        """What is at a place."""
        strip, now = self.strip_at(y), self.viewport.ns_at(x)
        if strip is None:
            return Hit(None, now)
        if isinstance(strip.scene, TierScene):
            scene = strip.scene
            number = item_at(scene.tier, now, scene.row_at(y - strip.top, strip.height), self.viewport.distance_ns(4))
            if number is None:
                return Hit(strip, now)
            rect = scene.item_rect(number, self.viewport, strip.height)
            return Hit(strip, now, scene.tier.ids[number], _side(x, rect.left(), rect.right()))
        return self._hit_curve(strip, x, y - strip.top, now) or self._hit_over(strip, x, now)

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

    def _hit_over(self, strip: Strip, x: float, now: int) -> Hit:
        """Edges of the selected first; what is shorter lies on top."""
        chosen = set(self.bench.selected)
        found: list[tuple[bool, float, Hit]] = []
        for annotation in self.over(strip):
            shown = self.view.session_range(annotation)
            if shown is None:
                continue
            left, right = self.viewport.x_of(shown.start_ns), self.viewport.x_of(shown.end_ns)
            if left - EDGE_PX <= x <= right + EDGE_PX:
                hit = Hit(strip, now, annotation.id, Part.BODY if shown.is_instant else _side(x, left, right))
                found.append((annotation.id not in chosen, right - left, hit))
        return min(found, key=lambda each: each[:2])[2] if found else Hit(strip, now)

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
        if stream is None or self.bench.readers is None:
            return None
        if stream.id not in self._units:
            try:
                self._units[stream.id] = units_of(stream, self.bench.readers.reader(stream))
            except DataError:  # ``troubles`` says what is wrong with it
                self._units[stream.id] = None
        return self._units[stream.id]

    def snapped(self, session_ns: int, stream: Stream, leave_out: tuple[int, ...] = ()) -> Target | None:
        """What a boundary is drawn to: other boundaries and the playhead; rows where they can be told apart."""
        reach = self.viewport.distance_ns(SNAP_PX)
        bounds = self.boundaries()
        bounds = bounds[~np.isin(bounds, leave_out)] if leave_out else bounds
        found = nearest(
            session_ns, reach,
            (nearest_moment(bounds, session_ns, "boundary"), Target(self.bench.clock.time_ns, "playhead")),
        )  # fmt: skip
        return found or nearest(session_ns, reach, [nearest_item(self.units(stream), session_ns)])

    def boundaries(self) -> Int64s:
        """Starts and ends of all labels of the series, in session time."""
        tiers = [strip.scene.tier.items for strip in self.strips if isinstance(strip.scene, TierScene)]
        ends = [part for each in tiers for part in (each.starts, each.ends)]
        return np.unique(np.concatenate(ends)) if ends else np.zeros(0, np.int64)


def _side(x: float, left: float, right: float) -> Part:
    reach = min(EDGE_PX, max(2.0, (right - left) / 3))
    if abs(x - right) <= reach:
        return Part.END
    return Part.START if abs(x - left) <= reach else Part.BODY


@dataclass(frozen=True, slots=True)
class _Keeper:
    """Says of a label whether it is shown."""

    bench: Workbench
    view: SampleView
    lane: Lane

    def __call__(self, annotation: Annotation) -> bool:
        return self.bench.sight.visible(
            (annotation.id, annotation.entity, annotation.stream, self.view.class_of(annotation), self.lane.key)
        )


__all__ = ["CURVES", "EmptyScene", "Hit", "LaneKind", "Part", "SeriesModel", "Strip"]
