"""What the sound pane shows, without widgets: strips of waveform, spectrogram and labels, and what lies where.

Made by ``sound.py`` for each sample; canvas, heads and gestures ask it. It changes no record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from workstation.app.lane_sound import Frequencies
from workstation.app.lanes import Lane, LaneKind, Palette, item_at, lanes_of, make_tier
from workstation.app.moods import moods_of
from workstation.app.sample_view import SampleView
from workstation.app.snapping import Target, nearest, nearest_item, nearest_moment
from workstation.app.transcript import PlacedWords, SpokenLabel
from workstation.app.units import Units, units_of
from workstation.app.viewport import Int64s, whole
from workstation.core.annotation import Annotation
from workstation.core.errors import DataError
from workstation.core.geometry import Band
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import TimeRange
from workstation.ui.scenes.lane_scene import LaneScene
from workstation.ui.scenes.sound_scene import SoundScene
from workstation.ui.scenes.tier_scene import TierScene
from workstation.ui.workbench import Workbench

EDGE_PX, SNAP_PX = 5, 8
LEAST_WAVE_PX = 36
_MOST_OVER = 400
_TEXTS = (StreamKind.TEXT, StreamKind.TURNS)


class Part(StrEnum):
    """What of a label is under the pointer."""

    BODY = "body"
    START = "start"
    END = "end"
    LOW = "low"
    HIGH = "high"


@dataclass(slots=True)
class Strip:
    """One row of the pane; ``top`` counts from the first."""

    key: str
    stream: str | None
    scene: LaneScene
    title: str
    top: int = 0
    height: int = 0

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def is_spectrogram(self) -> bool:
        return isinstance(self.scene, SoundScene) and self.scene.spectrogram


@dataclass(frozen=True, slots=True)
class Hit:
    """What lies at a place."""

    strip: Strip | None
    session_ns: int
    annotation: str | None = None
    part: Part = Part.BODY


@dataclass(frozen=True, slots=True)
class Choice:
    """How the sounds are drawn."""

    waveform: bool = True
    spectrogram: bool = True
    mel: bool = False
    floor_db: float = -90.0
    taller: float = 1.0


class SoundModel:
    """One sample in the sound pane."""

    def __init__(self, bench: Workbench, view: SampleView, width_px: int, changed: Callable[[], None]) -> None:
        self.bench = bench
        self.view = view
        self.viewport = whole(bench.clock.span, width_px)
        self.choice = Choice()
        self.snapping = True
        self.strips: list[Strip] = []
        self.troubles: list[str] = []
        self.palette = Palette()
        self._changed = changed
        self._scenes: dict[str, LaneScene] = {}
        self._units: dict[str, Units | None] = {}
        self._sounds = bench.sounds
        self.streams = [each for each in view.streams.values() if each.kind is StreamKind.AUDIO]
        self.streams.sort(key=lambda each: each.key)

    # --- strips -------------------------------------------------------------------------------------------------

    def rebuild(self, height_px: int) -> None:
        """Make the strips and share the height among them: sounds get what labels leave."""
        self.strips = [*self._sound_strips(), *self._tier_strips()]
        kept = {strip.key for strip in self.strips}
        for key in [key for key in self._scenes if key not in kept]:
            self._let_go(self._scenes.pop(key))
        self.place(height_px)

    def place(self, height_px: int) -> None:
        """Another height."""
        tiers = [strip for strip in self.strips if isinstance(strip.scene, TierScene)]
        for strip in tiers:
            strip.height = strip.scene.natural_height() + 1
        sounds = [strip for strip in self.strips if strip not in tiers]
        left = height_px - sum(strip.height for strip in tiers)
        each = max(LEAST_WAVE_PX, left // max(1, len(sounds)))
        top = 0
        for strip in self.strips:
            strip.height = strip.height if strip in tiers else each
            strip.top = top
            top += strip.height

    def _sound_strips(self) -> Iterator[Strip]:
        self.troubles = []
        for stream in self.streams:
            try:
                sound = None if self._sounds is None else self._sounds.lane(stream)
            except DataError as problem:
                self.troubles.append(str(problem))
                continue
            if sound is None or self._sounds is None:
                self.troubles.append(f"{stream.key}: its reader has no waveform")
                continue
            for channel in range(sound.channels):
                for spectrogram in (False, True):
                    if not (self.choice.spectrogram if spectrogram else self.choice.waveform):
                        continue
                    name = "spectrogram" if spectrogram else "waveform"
                    key = f"{stream.key}/{channel}/{name}"
                    scene = self._scenes.get(key)
                    if not isinstance(scene, SoundScene):
                        scene = SoundScene(
                            sound, self._gaps(stream), self._sounds.miss, channel=channel, spectrogram=spectrogram
                        )
                        self._sounds.register(scene)
                        scene.changed = self._changed
                        self._scenes[key] = scene
                    axis = Frequencies(low_hz=0.0, high_hz=sound.highest_hz, mel=self.choice.mel)
                    scene.show_moods(moods_of(self.view, stream.id))
                    scene.look_at(axis, (self.choice.floor_db, 0.0), self.choice.taller)
                    title = stream.key if sound.channels == 1 else f"{stream.key} {channel + 1}"
                    yield Strip(key, stream.id, scene, title)

    def _gaps(self, stream: Stream) -> list[TimeRange]:
        assert self.bench.readers is not None
        reader = self.bench.readers.reader(stream)
        return [stream.time_map.range_to_session(gap) for gap in reader.info.gaps]

    def _tier_strips(self) -> Iterator[Strip]:
        mine = {each.id for each in self.view.streams.values() if each.kind in (*_TEXTS, StreamKind.AUDIO)}
        for lane in lanes_of(self.view):
            if lane.stream not in mine or lane.kind not in (LaneKind.TURNS, LaneKind.SPANS):
                continue
            tier = make_tier(self.view, lane, self.palette, _Keeper(self.bench, self.view, lane))
            scene = self._scenes.get(lane.key)
            if isinstance(scene, TierScene):
                scene.show(tier)
                scene.invalidate()
            else:
                turns = lane.kind is LaneKind.TURNS
                words = PlacedWords(self.view) if turns else None
                scene = TierScene(lane.kind, tier, self.palette, SpokenLabel(self.view, turns), words)
                scene.changed = self._changed
                self._scenes[lane.key] = scene
            stream = self.view.streams[lane.stream or ""].key
            yield Strip(lane.key, lane.stream, scene, f"{lane.kind} · {stream}" if len(mine) > 1 else str(lane.kind))

    @property
    def height(self) -> int:
        return self.strips[-1].bottom if self.strips else 0

    def strip_at(self, y: float) -> Strip | None:
        return next((strip for strip in self.strips if strip.top <= y < strip.bottom), None)

    def tiers(self) -> Iterator[tuple[Strip, TierScene]]:
        for strip in self.strips:
            if isinstance(strip.scene, TierScene):
                yield strip, strip.scene

    def sounds(self) -> Iterator[tuple[Strip, SoundScene]]:
        for strip in self.strips:
            if isinstance(strip.scene, SoundScene):
                yield strip, strip.scene

    def close(self) -> None:
        for scene in self._scenes.values():
            self._let_go(scene)
        self._scenes.clear()

    def _let_go(self, scene: LaneScene) -> None:
        if isinstance(scene, SoundScene) and self._sounds is not None:
            self._sounds.forget(scene)
        scene.close()

    # --- what lies where ----------------------------------------------------------------------------------------

    def over(self, strip: Strip) -> list[Annotation]:
        """The labels in view that lie over a sound: spans on all its strips, bands on spectrograms."""
        found: list[Annotation] = []
        for other, scene in self.tiers():
            if other.stream != strip.stream or scene.kind is not LaneKind.SPANS:
                continue
            seen = scene.tier.items.visible(self.viewport)
            ids = scene.tier.ids[seen.start : seen.stop][:_MOST_OVER]
            found += [self.view.annotations[each] for each in ids if each in self.view.annotations]
        return found

    def frequencies(self, strip: Strip, annotation: Annotation) -> tuple[float, float]:
        """Top and bottom of a label on a strip, in pixels from the strip's top."""
        scene = strip.scene
        if isinstance(annotation.shape, Band) and isinstance(scene, SoundScene) and scene.spectrogram:
            room = strip.height - 1
            high, low = (scene.axis.share_of(hz) for hz in (annotation.shape.high_hz, annotation.shape.low_hz))
            return room * (1 - min(high, 1.0)), room * (1 - max(low, 0.0))
        return 0.0, float(strip.height - 1)

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
        return self._hit_over(strip, x, y - strip.top, now)

    def _hit_over(self, strip: Strip, x: float, y: float, now: int) -> Hit:
        """Edges of the selected first; what is shorter lies on top."""
        chosen = set(self.bench.selected)
        found: list[tuple[bool, float, Hit]] = []
        for annotation in self.over(strip):
            shown = self.view.session_range(annotation)
            if shown is None:
                continue
            left, right = self.viewport.x_of(shown.start_ns), self.viewport.x_of(shown.end_ns)
            top, bottom = self.frequencies(strip, annotation)
            if not (left - EDGE_PX <= x <= right + EDGE_PX and top - EDGE_PX <= y <= bottom + EDGE_PX):
                continue
            part = _side(x, left, right)
            if part is Part.BODY and isinstance(annotation.shape, Band) and strip.is_spectrogram:
                part = Part.HIGH if abs(y - top) <= EDGE_PX else Part.LOW if abs(y - bottom) <= EDGE_PX else part
            hit = Hit(strip, now, annotation.id, part)
            found.append((annotation.id not in chosen, right - left, hit))
        return min(found, key=lambda each: each[:2])[2] if found else Hit(strip, now)

    def locked(self, annotation: Annotation) -> bool:
        """Whether gestures leave it alone."""
        keys = (annotation.id, annotation.entity, annotation.stream, self.view.class_of(annotation))
        return self.bench.sight.locked(keys)

    # --- units and snapping -------------------------------------------------------------------------------------

    def stream(self) -> str | None:
        """The sound that the header tells of and marks are made on: the one last worked on, else the first."""
        focused = self.bench.focused_stream
        if focused is not None and any(each.id == focused for each in self.streams):
            return focused
        return self.streams[0].id if self.streams else None

    def units(self, stream: str | None) -> Units | None:
        """A stream's own units; ``None`` where it has none or cannot be opened."""
        if stream is None or stream not in self.view.streams or self.bench.readers is None:
            return None
        if stream not in self._units:
            record = self.view.streams[stream]
            try:
                self._units[stream] = units_of(record, self.bench.readers.reader(record))
            except DataError:  # ``troubles`` says what is wrong with it
                self._units[stream] = None
        return self._units[stream]

    def own_ns(self, stream: str | None, session_ns: int) -> int:
        """A moment on a stream's own axis."""
        return session_ns if stream is None else self.view.streams[stream].time_map.first_stream_at(session_ns)

    def snapped(self, session_ns: int, stream: str | None, leave_out: tuple[int, ...] = ()) -> Target | None:
        """What a boundary is drawn to: other boundaries, the playhead, onsets; samples where they can be seen."""
        reach = self.viewport.distance_ns(SNAP_PX)
        bounds = self.boundaries()
        bounds = bounds[~np.isin(bounds, leave_out)] if leave_out else bounds
        onsets = [scene.onsets for strip, scene in self.sounds() if strip.stream == stream and len(scene.onsets)]
        found = nearest(
            session_ns,
            reach,
            (
                nearest_moment(bounds, session_ns, "boundary"),
                Target(self.bench.clock.time_ns, "playhead"),
                nearest_moment(onsets[0], session_ns, "onset") if onsets else None,
            ),
        )
        return (
            found if found is not None else nearest(session_ns, reach, [nearest_item(self.units(stream), session_ns)])
        )

    def boundaries(self) -> Int64s:
        ends = [part for _, scene in self.tiers() for part in (scene.tier.items.starts, scene.tier.items.ends)]
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
