"""What the timeline shows, without widgets: lanes with their scenes, the stretch of time in view, what lies where.

Made by ``timeline.py`` for each sample; canvas, ruler, heads and gestures ask it. It reads the workbench and changes no
record: edits are in ``timeline_edits.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

import numpy as np

from workstation.app.lane_layout import LaneChoice, LaneLayout, ordered
from workstation.app.lanes import (
    Lane,
    LaneKind,
    Palette,
    changed_tier,
    item_at,
    lanes_of,
    make_tier,
    tier_of,
)
from workstation.app.moods import moods_of
from workstation.app.sample_view import SampleView
from workstation.app.snapping import Target, nearest, nearest_item, nearest_moment
from workstation.app.transcript import SPEAKS
from workstation.app.units import Units, units_of
from workstation.app.viewport import Int64s, whole
from workstation.core.annotation import Annotation
from workstation.core.errors import DataError
from workstation.core.records import RecordKind
from workstation.core.values import dataclass
from workstation.store.changes import ChangeSet
from workstation.ui.panes.base_strips import EDGE_PX, SNAP_PX, Keeper
from workstation.ui.panes.timeline_scenes import SceneMaker
from workstation.ui.scenes.finding_scene import FindingScene
from workstation.ui.scenes.lane_scene import LaneScene
from workstation.ui.scenes.link_scene import LinkScene
from workstation.ui.scenes.sound_scene import SoundScene
from workstation.ui.scenes.stream_scenes import AwaitedScene
from workstation.ui.scenes.tier_scene import TierScene
from workstation.ui.workbench import Workbench

FOLDED_PX = 17
SPECTROGRAM = "spectrogram"
"""The other way to draw a lane of sound."""
KEYFRAME_PX = 4
LEAST_PX, MOST_PX = 17, 900
NOTHING: Int64s = np.zeros(0, np.int64)


class Part(StrEnum):
    """What of an item is under the pointer."""

    BODY = "body"
    START = "start"
    END = "end"


@dataclass(slots=True)
class Row:
    """One lane where it stands now; ``top`` counts from the first lane, whatever is scrolled away."""

    lane: Lane
    scene: LaneScene
    top: int
    height: int
    folded: bool
    shown: bool

    @property
    def bottom(self) -> int:
        return self.top + self.height


@dataclass(frozen=True, slots=True)
class Hit:
    """What lies at a place: a lane, and perhaps something in it. ``ids`` are what a click selects."""

    row: Row | None
    session_ns: int
    ids: tuple[str, ...] = ()
    item: int | None = None
    part: Part = Part.BODY
    go_to_ns: int | None = None
    """Where a click on it leads the playhead."""
    text: str = ""
    keyframe_ns: int | None = None
    """Session time of the keyframe under the pointer."""


class TimelineModel:
    """One sample on the timeline."""

    def __init__(
        self, bench: Workbench, view: SampleView, layout: LaneLayout, maker: SceneMaker, width_px: int
    ) -> None:
        self.bench = bench
        self.view = view
        self.layout = layout
        self.viewport = whole(bench.clock.span, width_px)
        self.rows: list[Row] = []
        self.snapping = True
        self.filter = ""
        self.lane_changed: Callable[[], None] | None = None
        """Told when a scene has something new to show."""
        self.palette = Palette()
        self._maker = maker
        self._scenes: dict[str, LaneScene] = {}
        self._units: dict[str, Units | None] = {}
        self._boundaries: Int64s | None = None
        self._lanes: tuple[Lane, ...] | None = None
        self.rebuild()
        maker.begin()

    # --- lanes ------------------------------------------------------------------------------------------------

    def rebuild(self) -> None:
        """Lanes came, went or are wanted otherwise. Scenes of lanes that stay are kept."""
        if self._lanes is None:
            self._lanes = lanes_of(self.view)
        lanes = ordered(self._lanes, self.layout)
        present = {lane.key for lane in lanes}
        for key in [key for key in self._scenes if key not in present]:
            self._scenes.pop(key).close()
        self.rows, top = [], 0
        alone = any(self._solo(lane) for lane in lanes)
        for lane in lanes:
            if not self._wanted(lane):
                continue
            scene = self._scene(lane)
            choice = self.layout.choice(lane.key)
            if isinstance(scene, SoundScene):
                scene.show_spectrogram(choice.mode == SPECTROGRAM)
            shown = self._shown(lane, alone=alone)
            folded = choice.folded or not shown
            height = FOLDED_PX if folded else self._height(scene, choice)
            self.rows.append(Row(lane, scene, top, height, folded, shown))
            top += height

    def open_awaited(self) -> bool:
        """Make the lanes whose streams were not to be opened yet; whether there were any."""
        awaited = [key for key, scene in self._scenes.items() if isinstance(scene, AwaitedScene)]
        for key in awaited:
            del self._scenes[key]
        if awaited:
            self.rebuild()
            self._maker.begin()
        return bool(awaited)

    @property
    def awaiting(self) -> bool:
        """Whether a lane stands empty until its stream may be opened."""
        return any(isinstance(scene, AwaitedScene) for scene in self._scenes.values())

    def _shown(self, lane: Lane, *, alone: bool) -> bool:
        """A class that is shown alone hides no lane; a lane that is, hides the others."""
        sight = self.bench.sight
        hidden = sight.is_hidden(lane.key) or (lane.stream is not None and sight.is_hidden(lane.stream))
        return not hidden and (not alone or self._solo(lane))

    def _solo(self, lane: Lane) -> bool:
        sight = self.bench.sight
        return sight.is_solo(lane.key) or (lane.stream is not None and sight.is_solo(lane.stream))

    def _height(self, scene: LaneScene, choice: LaneChoice) -> int:
        return min(max(choice.height or scene.natural_height(), LEAST_PX), MOST_PX)

    def _wanted(self, lane: Lane) -> bool:
        """Whether the text that is sought is in the lane's name or in what one of its labels is called; labels that
        are called otherwise are dimmed, unless it is the lane's name."""
        text = self.filter.casefold().strip()
        stream = self.view.streams.get(lane.stream or "")
        named = text in f"{lane.title} {lane.kind} {stream.key if stream is not None else ''}".casefold()
        scene = self._scene(lane) if lane.is_tier and (text or lane.key in self._scenes) else None
        if not isinstance(scene, TierScene):
            return named
        return scene.seek("" if named else text) or named

    def _scene(self, lane: Lane) -> LaneScene:
        found = self._scenes.get(lane.key)
        if found is None:
            found = self._scenes[lane.key] = self._make(lane)
        found.changed = self.lane_changed
        return found

    def _make(self, lane: Lane) -> LaneScene:
        if lane.is_tier:
            tier = make_tier(self.view, lane, self.palette, self._keeper(lane))
            return self._maker.tier(lane, tier, self.palette)
        if lane.kind is LaneKind.LINKS:
            return LinkScene(self.view)
        if lane.kind is LaneKind.FINDINGS:
            return FindingScene(self.view)
        return self._maker.recorded(lane)

    def _keeper(self, lane: Lane) -> Keeper:
        return Keeper(self.bench, self.view, lane)

    @property
    def height(self) -> int:
        """Of all lanes together."""
        return self.rows[-1].bottom if self.rows else 0

    def row_at(self, y: float) -> Row | None:
        """The lane at a place below the first lane's top."""
        return next((row for row in self.rows if row.top <= y < row.bottom), None)

    def row_of(self, key: str) -> Row | None:
        return next((row for row in self.rows if row.lane.key == key), None)

    def tiers(self) -> Iterator[tuple[Row, TierScene]]:
        """The lanes that hold labels."""
        for row in self.rows:
            if isinstance(row.scene, TierScene):
                yield row, row.scene

    def place_of(self, record_id: str) -> tuple[Row, TierScene, int] | None:
        """Where a label is."""
        for row, scene in self.tiers():
            number = scene.tier.numbers.get(record_id)
            if number is not None:
                return row, scene, number
        return None

    def scene_of(self, kind: LaneKind) -> LaneScene | None:
        """The one lane of links or of findings."""
        return next((scene for key, scene in self._scenes.items() if key == str(kind)), None)

    def close(self) -> None:
        """Let go of every worker."""
        self._maker.close()
        for scene in self._scenes.values():
            scene.close()
        self._scenes.clear()

    # --- staying true -----------------------------------------------------------------------------------------

    def apply(self, changes: ChangeSet) -> None:
        """A commit changed records; costs what changed."""
        annotations = set(changes.touched(RecordKind.ANNOTATION))
        looks = (RecordKind.ENTITY, RecordKind.ONTOLOGY, RecordKind.STREAM, RecordKind.KEYFRAME)
        if any(changes.touched(kind) for kind in looks):
            self._units.clear()
            self.renew_tiers()
        elif annotations:
            for key, scene in self._scenes.items():
                if isinstance(scene, TierScene):
                    lane = self._lane(key)
                    scene.show(changed_tier(self.view, lane, self.palette, scene.tier, annotations, self._keeper(lane)))
        self._renew_speakers(changes)
        if annotations:
            self._renew_moods()
        if annotations or changes.touched(RecordKind.LINK):
            self._boundaries = None
            arcs = self.scene_of(LaneKind.LINKS)
            if arcs is not None:
                arcs.invalidate()
        if self._other_lanes(changes):
            self._lanes = None
        if changes.touched(RecordKind.WORD):
            for _, tier in self.tiers():
                if tier.kind is LaneKind.TURNS:
                    tier.invalidate()
        self.rebuild()

    def _renew_speakers(self, changes: ChangeSet) -> None:
        """A link says that somebody else speaks, or that nobody does who is named."""
        links = (self.view.links.get(each) for each in changes.touched(RecordKind.LINK))
        if any(each is None or each.type_id == SPEAKS for each in links):
            self.renew_tiers(LaneKind.TURNS)

    def _renew_moods(self) -> None:
        """Waveforms take the colour of what is said there."""
        for key, scene in self._scenes.items():
            stream = self._lane(key).stream if isinstance(scene, SoundScene) else None
            if isinstance(scene, SoundScene) and stream is not None:
                scene.show_moods(moods_of(self.view, stream))

    def _other_lanes(self, changes: ChangeSet) -> bool:
        """Whether a lane came or went; asks what was touched, not everything."""
        if changes.touched(RecordKind.STREAM) or self._lanes is None:
            return True
        if any(not scene.tier.ids for scene in self._scenes.values() if isinstance(scene, TierScene)):
            return True
        touched = (self.view.annotations.get(each) for each in changes.touched(RecordKind.ANNOTATION))
        wanted = {(each.stream, tier_of(each)) for each in touched if each is not None}
        known = {(lane.stream, lane.kind) for lane in self._lanes}
        return any(kind is not None and (stream, kind) not in known for stream, kind in wanted)

    def renew_tiers(self, kind: LaneKind | None = None) -> None:
        """What is drawn of every label, or of all of a kind of lane, may be otherwise: classes, colours, what is
        hidden."""
        for key, scene in self._scenes.items():
            if isinstance(scene, TierScene) and kind in (None, scene.kind):
                lane = self._lane(key)
                scene.show(make_tier(self.view, lane, self.palette, self._keeper(lane)))
        self._boundaries = None

    def _lane(self, key: str) -> Lane:
        title, _, kind = key.rpartition("/")
        stream = self.view.stream_by_key(title)
        return Lane(key, LaneKind(kind), kind, None if stream is None else stream.id)

    # --- what lies where --------------------------------------------------------------------------------------

    def hit(self, x: float, y: float) -> Hit:
        """What is at a place; ``y`` counts from the first lane."""
        row, now = self.row_at(y), self.viewport.ns_at(x)
        if row is None or row.folded:
            return Hit(row, now)
        if isinstance(row.scene, TierScene):
            return self._hit_item(row, row.scene, x, y - row.top, now)
        if isinstance(row.scene, LinkScene | FindingScene):
            found = row.scene.hit(x, y - row.top, self.viewport, row.height)
            if found is not None:
                return Hit(row, now, found.ids, go_to_ns=found.session_ns, text=found.text)
        return Hit(row, now)

    def _hit_item(self, row: Row, scene: TierScene, x: float, y: float, now: int) -> Hit:
        number = item_at(scene.tier, now, scene.row_at(y, row.height), self.viewport.distance_ns(4))
        if number is None:
            return Hit(row, now)
        rect = scene.item_rect(number, self.viewport, row.height)
        part = Part.BODY
        if scene.kind is not LaneKind.TRACKS and rect.width() >= 3:
            reach = min(EDGE_PX, rect.width() / 3)
            if abs(x - rect.right()) <= reach:
                part = Part.END
            elif abs(x - rect.left()) <= reach:
                part = Part.START
        record_id = scene.tier.ids[number]
        keyframe_ns = self._keyframe_at(scene, number, x) if scene.kind is LaneKind.TRACKS else None
        return Hit(row, now, (record_id,), number, part, int(scene.tier.items.starts[number]), keyframe_ns=keyframe_ns)

    def _keyframe_at(self, scene: TierScene, number: int, x: float) -> int | None:
        """The keyframe of a track nearest to a place, if it is within reach."""
        ticks, reach_ns = scene.tier.ticks, self.viewport.distance_ns(KEYFRAME_PX)
        pointed = self.viewport.ns_at(x)
        first, last = ticks.times.searchsorted([pointed - reach_ns, pointed + reach_ns + 1])
        times = ticks.times[first:last][ticks.owners[first:last] == number]
        return int(times[np.abs(times - pointed).argmin()]) if len(times) else None

    def inside(self, left: float, top: float, right: float, bottom: float) -> list[str]:
        """The labels that a rubber band touches."""
        found: list[str] = []
        start, end = self.viewport.ns_at(left), self.viewport.ns_at(right)
        for row, scene in self.tiers():
            if row.folded or row.bottom <= top or row.top >= bottom or not scene.tier.ids:
                continue
            items = scene.tier.items
            first = scene.row_at(max(0.0, top - row.top), row.height)
            last = scene.row_at(min(row.height - 1.0, bottom - row.top), row.height)
            touched = (items.starts < end) & (np.maximum(items.ends, items.starts + 1) > start)
            touched &= (items.rows >= first) & (items.rows <= last)
            found += [scene.tier.ids[i] for i in np.flatnonzero(touched).tolist()]
        return found

    # --- walking ----------------------------------------------------------------------------------------------

    def first_label(self, session_ns: int) -> str | None:
        """Where walking begins: the label at the playhead, else the next one, in the first lane that has labels."""
        for row, scene in self.tiers():
            if not row.folded and scene.tier.ids:
                items = scene.tier.items
                away = np.maximum(items.starts - session_ns, session_ns - items.ends)
                return scene.tier.ids[int(np.argmin(np.maximum(away, 0)))]
        return None

    def beside(self, place: tuple[Row, TierScene, int], along: int) -> str | None:
        """The next label of the lane in the order of time."""
        _, scene, number = place
        at = number + along
        return scene.tier.ids[at] if 0 <= at < len(scene.tier.ids) else None

    def above_or_below(self, place: tuple[Row, TierScene, int], across: int) -> str | None:
        """The label nearest in time in the next row that has one, of this lane or the next."""
        row, scene, number = place
        middle = (int(scene.tier.items.starts[number]) + int(scene.tier.items.ends[number])) // 2
        stops = [(r, s, k) for r, s in self.tiers() if not r.folded for k in range(s.tier.row_count)]
        here = stops.index((row, scene, int(scene.tier.items.rows[number])))
        for _, other, line in stops[here + across :: across] if here + across >= 0 else ():
            mine = np.flatnonzero(other.tier.items.rows == line)
            if len(mine):
                items = other.tier.items
                away = np.maximum(items.starts[mine] - middle, middle - items.ends[mine])
                return other.tier.ids[int(mine[int(np.argmin(np.maximum(away, 0)))])]
        return None

    def usual_stream(self) -> str | None:
        """Where a span is made when no lane has the focus: the first sound, else the first stream with units."""
        sounds = [row.lane.stream for row in self.rows if row.lane.kind is LaneKind.SOUND]
        return sounds[0] if sounds else next(self._streams_by_lane(), None)

    def locked(self, annotation: Annotation) -> bool:
        """Whether gestures leave it alone."""
        kind = tier_of(annotation)
        lane = None if kind is None else self._key(annotation.stream, kind)
        keys = (annotation.id, annotation.entity, annotation.stream, self.view.class_of(annotation), lane)
        return self.bench.sight.locked(keys)

    def _key(self, stream: str | None, kind: LaneKind) -> str:
        return f"{'sample' if stream is None else self.view.streams[stream].key}/{kind}"

    # --- units and snapping -----------------------------------------------------------------------------------

    def units(self, stream: str | None) -> Units | None:
        """A stream's own units; ``None`` where it has none or cannot be opened."""
        if stream is None or stream not in self.view.streams or self.bench.readers is None:
            return None
        if stream not in self._units:
            record = self.view.streams[stream]
            if not self.bench.may_open(record):
                return None
            try:
                self._units[stream] = units_of(record, self.bench.readers.reader(record))
            except DataError:  # the lane's head says what is wrong with it
                self._units[stream] = None
        return self._units[stream]

    @property
    def focused_units(self) -> Units | None:
        """The units of the stream last worked on, else of the first that has frames."""
        focused = self.units(self.bench.focused_stream)
        if focused is not None:
            return focused
        return next((each for each in map(self.units, self._streams_by_lane()) if each is not None), None)

    def _streams_by_lane(self) -> Iterator[str]:
        return (row.lane.stream for row in self.rows if row.lane.stream is not None)

    def own_ns(self, stream: str | None, session_ns: int) -> int:
        """A moment on a stream's own axis: of a frame exactly the frame's own time, whatever the map's rounding."""
        if stream is None:
            return session_ns
        units = self.units(stream)
        if units is not None and units.count:
            index = units.at_or_before(session_ns)
            if index >= 0 and units.session_ns(index) == session_ns:
                return units.own_ns(index)
        return self.view.streams[stream].time_map.first_stream_at(session_ns)

    def snapped(self, session_ns: int, stream: str | None, *, leave_out: Iterable[int] = ()) -> Target | None:
        """What a boundary is drawn to from there, if anything is near. ``leave_out`` are the moved ones' own times."""
        reach = self.viewport.distance_ns(SNAP_PX)
        boundaries = self.boundaries()
        left_out = list(leave_out)
        if left_out:
            boundaries = boundaries[~np.isin(boundaries, left_out)]
        units, focused = self.units(stream), self.focused_units
        # Units closer than a few pixels draw from everywhere: they count only where nothing else is near.
        sparse = [each for each in (units, focused) if each is not None and each.typical_ns >= reach / 2]
        found = nearest(
            session_ns,
            reach,
            [
                *(nearest_item(each, session_ns) for each in sparse),
                nearest_moment(boundaries, session_ns, "boundary"),
                Target(self.bench.clock.time_ns, "playhead"),
                nearest_moment(self._onsets(), session_ns, "onset"),
            ],
        )
        return found if found is not None else nearest(session_ns, reach, [nearest_item(units, session_ns)])

    def boundaries(self) -> Int64s:
        """Every start and end of a label, sorted, each once."""
        if self._boundaries is None:
            ends = [part for _, scene in self.tiers() for part in (scene.tier.items.starts, scene.tier.items.ends)]
            self._boundaries = np.unique(np.concatenate(ends)) if ends else NOTHING
        return self._boundaries

    def _onsets(self) -> Int64s:
        found = [row.scene.onsets for row in self.rows if isinstance(row.scene, SoundScene)]
        return np.unique(np.concatenate(found)) if found else NOTHING
