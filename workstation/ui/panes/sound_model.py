"""What the sound pane shows, without widgets: strips of waveform, spectrogram and labels, and what lies where.

Made by ``sound.py`` for each sample; canvas, heads and gestures ask it. It changes no record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from workstation.app.doubts import Doubt
from workstation.app.lane_sound import Frequencies
from workstation.app.lanes import Lane, LaneKind, Tier, lanes_of
from workstation.app.moods import moods_of
from workstation.app.sample_view import SampleView
from workstation.app.snapping import Target, nearest_moment
from workstation.app.speakers import Speakers, name_of_row, speakers_of
from workstation.app.transcript import PlacedWords, speaker_of
from workstation.app.units import Units
from workstation.core.annotation import Annotation
from workstation.core.errors import DataError
from workstation.core.geometry import Band
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import TimeRange
from workstation.ui.panes import base_strips as base
from workstation.ui.panes.base_strips import EDGE_PX, Keeper, Part, StripsModel
from workstation.ui.scenes.lane_scene import LaneScene
from workstation.ui.scenes.sound_scene import SoundScene
from workstation.ui.scenes.tier_scene import TierScene
from workstation.ui.workbench import Workbench

LEAST_WAVE_PX = 36
_TEXTS = (StreamKind.TEXT, StreamKind.TURNS)


@dataclass(slots=True)
class Strip(base.Strip):
    """One row of the pane."""

    stream: str | None
    speakers: Speakers | None = None
    """Whose turns each row holds, where the strip is the tier of speakers."""

    @property
    def is_spectrogram(self) -> bool:
        return isinstance(self.scene, SoundScene) and self.scene.spectrogram


Hit = base.Hit[Strip]


@dataclass(frozen=True, slots=True)
class Choice:
    """How the sounds are drawn."""

    waveform: bool = True
    spectrogram: bool = True
    mel: bool = False
    floor_db: float = -90.0
    taller: float = 1.0


class SoundModel(StripsModel[Strip]):
    """One sample in the sound pane."""

    def __init__(self, bench: Workbench, view: SampleView, width_px: int, changed: Callable[[], None]) -> None:
        super().__init__(bench, view, width_px, changed)
        self.choice = Choice()
        self._sounds = bench.sounds
        self._speakers: dict[str, tuple[str | None, ...]] = {}
        self.streams = [each for each in view.streams.values() if each.kind is StreamKind.AUDIO]
        self.streams.sort(key=lambda each: each.key)

    # --- strips -------------------------------------------------------------------------------------------------

    def rebuild(self, height_px: int) -> None:
        """Make the strips and share the height among them: sounds get what labels leave."""
        self.strips = [*self._sound_strips(), *self._tier_strips()]
        self._forget_scenes()
        self.place(height_px)

    def place(self, height_px: int) -> None:
        """Another height."""
        tiers = [strip for strip in self.strips if isinstance(strip.scene, TierScene)]
        for strip in tiers:
            strip.height = strip.scene.natural_height() + 1
            if strip.speakers is not None and isinstance(strip.scene, TierScene):
                strip.height = strip.scene.full_height() + 1  # every row has a name to be read
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
                    yield Strip(key, scene, title, stream.id)

    def _gaps(self, stream: Stream) -> list[TimeRange]:
        assert self.bench.readers is not None
        reader = self.bench.readers.reader(stream)
        return [stream.time_map.range_to_session(gap) for gap in reader.info.gaps]

    def _tier_strips(self) -> Iterator[Strip]:
        mine = {each.id for each in self.view.streams.values() if each.kind in (*_TEXTS, StreamKind.AUDIO)}
        for lane in lanes_of(self.view):
            if lane.stream not in mine or lane.kind not in (LaneKind.TURNS, LaneKind.SPANS):
                continue
            stream = self.view.streams[lane.stream or ""].key
            title = f"{lane.kind} · {stream}" if len(mine) > 1 else str(lane.kind)
            if lane.kind is LaneKind.SPANS:
                yield Strip(lane.key, self._tier_scene(lane), title, lane.stream)
                continue
            speakers = list(self._speaker_strip(lane, f"speakers · {stream}" if len(mine) > 1 else "speakers"))
            said = self._text_of if speakers else None  # whose it is stands below, once
            yield Strip(lane.key, self._tier_scene(lane, PlacedWords(self.view), said), title, lane.stream)
            yield from speakers

    def _speaker_strip(self, lane: Lane, title: str) -> Iterator[Strip]:
        """The same turns, a row a speaker; rows stay where they are when turns change hands."""
        key = f"{lane.key}/speakers"
        before = self._speakers.get(key, ())
        found = speakers_of(self.view, lane, self.palette, Keeper(self.bench, self.view, lane), before)
        if found is None:
            return
        self._speakers[key] = found.rows
        scene = self._scenes.get(key)
        if isinstance(scene, TierScene):
            scene.show(found.tier)
            scene.invalidate()
        else:
            scene = TierScene(LaneKind.TURNS, found.tier, self.palette, self._speaker_name, None, Doubt(self.view))
            scene.changed = self._changed
            self._scenes[key] = scene
        yield Strip(key, scene, title, lane.stream, found)

    def _text_of(self, turn: str) -> str:
        annotation = self.view.annotations.get(turn)
        return "" if annotation is None else annotation.text or ""

    def _speaker_name(self, turn: str) -> str:
        annotation = self.view.annotations.get(turn)
        return "" if annotation is None else name_of_row(self.view, speaker_of(self.view, annotation))

    def sounds(self) -> Iterator[tuple[Strip, SoundScene]]:
        for strip in self.strips:
            if isinstance(strip.scene, SoundScene):
                yield strip, strip.scene

    def _let_go(self, scene: LaneScene) -> None:
        if isinstance(scene, SoundScene) and self._sounds is not None:
            self._sounds.forget(scene)
        super()._let_go(scene)

    # --- what lies where ----------------------------------------------------------------------------------------

    def laid_over(self, strip: Strip) -> Iterator[Tier]:
        """Spans on all its strips, bands on spectrograms."""
        for other, scene in self.tiers():
            if other.stream == strip.stream and scene.kind is LaneKind.SPANS:
                yield scene.tier

    def frequencies(self, strip: Strip, annotation: Annotation) -> tuple[float, float]:
        """Top and bottom of a label on a strip, in pixels from the strip's top."""
        scene = strip.scene
        if isinstance(annotation.shape, Band) and isinstance(scene, SoundScene) and scene.spectrogram:
            room = strip.height - 1
            high, low = (scene.axis.share_of(hz) for hz in (annotation.shape.high_hz, annotation.shape.low_hz))
            return room * (1 - min(high, 1.0)), room * (1 - max(low, 0.0))
        return 0.0, float(strip.height - 1)

    def part_at(self, strip: Strip, annotation: Annotation, shown: TimeRange, x: float, y: float) -> Part | None:
        top, bottom = self.frequencies(strip, annotation)
        if not top - EDGE_PX <= y <= bottom + EDGE_PX:
            return None
        part = self._side_of(shown, x)
        if part is Part.BODY and isinstance(annotation.shape, Band) and strip.is_spectrogram:
            part = Part.HIGH if abs(y - top) <= EDGE_PX else Part.LOW if abs(y - bottom) <= EDGE_PX else part
        return part

    # --- units and snapping -------------------------------------------------------------------------------------

    def stream(self) -> str | None:
        """The sound that the header tells of and marks are made on: the one last worked on, else the first."""
        focused = self.bench.focused_stream
        if focused is not None and any(each.id == focused for each in self.streams):
            return focused
        return self.streams[0].id if self.streams else None

    def units(self, stream: str | None) -> Units | None:
        """A stream's own units; ``None`` where it has none or cannot be opened."""
        record = self.view.streams.get(stream or "")
        return None if record is None else self._units_of(record)

    def own_units(self) -> Units | None:
        return self.units(self.stream())

    def own_ns(self, stream: str | None, session_ns: int) -> int:
        """A moment on a stream's own axis."""
        return session_ns if stream is None else self.view.streams[stream].time_map.first_stream_at(session_ns)

    def snapped(self, session_ns: int, stream: str | None, leave_out: tuple[int, ...] = ()) -> Target | None:
        """What a boundary is drawn to: other boundaries, the playhead, onsets; samples where they can be seen."""
        onsets = [scene.onsets for strip, scene in self.sounds() if strip.stream == stream and len(scene.onsets)]
        onset = nearest_moment(onsets[0], session_ns, "onset") if onsets else None
        return self._drawn_to(session_ns, self.units(stream), leave_out, (onset,))
