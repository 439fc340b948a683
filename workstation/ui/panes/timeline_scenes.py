"""Makes the scene of each lane from what the workbench holds, and keeps the threads that make what lanes show.

One for each sample: pictures come on a thread that is begun when some are missed; waveforms and spectrograms are the
workbench's (``ui/sounds.py``), shared with the sound pane. A stream that cannot be opened says why in its lane.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer

from workstation.app.doubts import Doubt
from workstation.app.film_strip import Thumbnail, Thumbnails
from workstation.app.lane_media import curves_of, moments_of, said_in
from workstation.app.lane_sound import is_sound
from workstation.app.lanes import Lane, LaneKind, Palette, Tier
from workstation.app.moods import moods_of
from workstation.app.sample_view import SampleView
from workstation.app.streams import reading_context
from workstation.app.transcript import PlacedWords, SpokenLabel
from workstation.core.errors import DataError, UserError
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import TimeRange
from workstation.media.base import OpenContext, Picture, Reader, VideoReader
from workstation.ui.scenes.film_scene import FilmScene, film_height
from workstation.ui.scenes.lane_scene import LaneScene
from workstation.ui.scenes.sound_scene import SoundScene
from workstation.ui.scenes.stream_scenes import AwaitedScene, PlotScene, SaidScene, SweepScene, TextScene
from workstation.ui.scenes.tier_scene import TierScene
from workstation.ui.workbench import Workbench

_HEIGHTS_PX = {LaneKind.SOUND: 56, LaneKind.PLOT: 40, LaneKind.POSES: 40}
_PREVIEWS_MS = 1500
"""How often it is looked whether more previews are kept."""


class SceneMaker:
    """Scenes of one sample. ``begin`` when all lanes are made; ``close`` ends the threads."""

    def __init__(self, bench: Workbench, view: SampleView) -> None:
        self._bench = bench
        self._view = view
        self._context = reading_context(bench.session.project, view.streams.values(), shared=OpenContext())
        self._films: dict[str, FilmScene] = {}
        self._looked = 0
        self._missed: dict[str, Sequence[Thumbnail]] = {}
        self._thumbnails: Thumbnails | None = None
        self._shared = bench.sounds
        self._sounds: list[SoundScene] = []
        self._closed = False
        self._previews_soon = QTimer()
        self._previews_soon.setInterval(_PREVIEWS_MS)
        self._previews_soon.timeout.connect(self._look_for_previews)

    # --- lanes ------------------------------------------------------------------------------------------------

    def tier(self, lane: Lane, tier: Tier, palette: Palette) -> TierScene:
        """Labels, named as everywhere else."""
        turns = lane.kind is LaneKind.TURNS
        words = PlacedWords(self._view) if turns else None
        return TierScene(lane.kind, tier, palette, SpokenLabel(self._view, turns), words, Doubt(self._view))

    def recorded(self, lane: Lane) -> LaneScene:
        """What was recorded."""
        stream = self._view.streams[lane.stream or ""]
        if self._bench.readers is None:
            return SaidScene("no reader")
        if not self._bench.may_open(stream):
            return AwaitedScene(self._usual_height(lane.kind))
        try:
            return self._of(stream, lane.kind, self._bench.readers.reader(stream))
        except DataError as problem:
            return SaidScene(str(problem))

    def _usual_height(self, kind: LaneKind) -> int:
        """Of a lane whose stream is not open yet."""
        if kind is LaneKind.FILM:
            return film_height(sum(each.kind is StreamKind.VIDEO for each in self._view.streams.values()))
        return _HEIGHTS_PX.get(kind, 24)

    def _of(self, stream: Stream, kind: LaneKind, reader: Reader) -> LaneScene:
        if kind is LaneKind.SOUND and is_sound(reader):
            return self._sound(stream, reader)
        moments = moments_of(stream, reader)
        if kind in (LaneKind.PLOT, LaneKind.POSES):
            return PlotScene(curves_of(stream, reader), () if moments is None else moments.gaps)
        if kind is LaneKind.TEXT:
            said = said_in(stream, reader)
            return TextScene(said) if said else SaidScene("the text has no times")
        if moments is None:
            return SaidScene("there at any time")
        if kind is LaneKind.FILM and isinstance(reader, VideoReader):
            aspect = min(max(reader.width_px / max(1, reader.height_px), 0.3), 4.0)
            film = self._films[stream.id] = FilmScene(stream.id, moments, aspect, self._miss_pictures)
            cameras = [each for each in self._view.streams.values() if each.kind is StreamKind.VIDEO]
            film.cameras = len(cameras)
            film.covered = partial(self._covered, stream)
            film.look_again()
            self._previews_soon.start(_PREVIEWS_MS // len(self._films))
            return film
        return SweepScene(moments)

    def _covered(self, stream: Stream) -> list[TimeRange]:
        """Session time of the frames that have a preview."""
        kept = None if self._bench.readers is None else self._bench.readers.previews(stream)
        return [] if kept is None else [stream.time_map.range_to_session(each) for each in kept.covered()]

    def _look_for_previews(self) -> None:
        """One film after the other: each that has more is painted anew, and all at once would be felt."""
        films = list(self._films.values())
        self._looked = (self._looked + 1) % len(films)
        films[self._looked].look_again()

    def _sound(self, stream: Stream, reader: Any) -> LaneScene:
        sounds = self._shared
        sound = None if sounds is None else sounds.lane(stream)
        if sounds is None or sound is None:
            return SaidScene("no waveform")
        gaps = [stream.time_map.range_to_session(gap) for gap in reader.info.gaps]
        scene = SoundScene(sound, gaps, sounds.miss)
        scene.show_moods(moods_of(self._view, stream.id))
        sounds.register(scene)
        self._sounds.append(scene)
        return scene

    def begin(self) -> None:
        """Build what waveforms are not known from an earlier time, and find onsets."""
        if self._sounds and self._shared is not None:
            self._shared.begin(self._bench.jobs)

    def close(self) -> None:
        """End the threads; nothing arrives any more."""
        self._closed = True
        self._previews_soon.stop()
        if self._thumbnails is not None:
            self._thumbnails.close()
        for scene in self._sounds:
            if self._shared is not None:
                self._shared.forget(scene)

    # --- pictures ---------------------------------------------------------------------------------------------

    def _miss_pictures(self, stream: str, missing: Sequence[Thumbnail]) -> None:
        self._missed[stream] = missing
        wanted = [each for several in _in_turn(list(self._missed.values())) for each in several]
        if self._thumbnails is None:
            if not wanted:
                return
            self._thumbnails = Thumbnails(
                self._bench.session.project.path,
                tuple(self._view.streams.values()),
                self._picture_made,
                readers=self._bench.formats.readers,
                context=self._context,
                calm=self._bench.calm,
            )
        self._thumbnails.want(wanted)

    def _picture_made(self, key: Thumbnail, result: Picture | UserError) -> None:
        """On the thread."""
        self._bench.gui.post(self._picture_arrived, (key, result))

    def _picture_arrived(self, made: tuple[Thumbnail, Picture | UserError]) -> None:
        key, result = made
        scene = self._films.get(key.stream)
        if scene is not None and not self._closed:
            scene.arrived(key, result.pixels if isinstance(result, Picture) else None)


def _in_turn(several: list[Sequence[Thumbnail]]) -> Iterator[list[Thumbnail]]:
    """The first of each, then the second of each: every camera shows something soon."""
    for place in range(max(map(len, several), default=0)):
        yield [each[place] for each in several if place < len(each)]
