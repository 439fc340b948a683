"""The sounds of the open sample for everything that draws them: one waveform and one tile maker for timeline and pane.

Held by the workbench. ``begin`` builds waveforms that no earlier run left behind, as a job where the window has jobs;
tiles of spectrograms are made on one thread for whoever misses them. Scenes register and are told on the window's
thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer

from workstation.app.background import Background
from workstation.app.jobs import Cancelled, Job, Jobs
from workstation.app.lane_sound import Building, SoundLane, Stretch, TileKey, lane_of
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError, UserError
from workstation.core.sample import Stream, StreamKind
from workstation.media.base import CancelToken, OpenContext
from workstation.ui.gui_thread import GuiThread

_PROGRESS_MS = 200
_LOOK_S = 0.1
Tile = NDArray[np.uint8]
Wanted = tuple[str, TileKey | Stretch]
"""Id of a stream, and what of it is missing."""


class Drawer(Protocol):
    """What draws a sound: a lane of the timeline, a strip of the sound pane."""

    sound: SoundLane

    def progressed(self) -> None:
        """More of the waveform is known."""
        ...

    def failed(self, reason: str) -> None:
        """The waveform could not be built."""
        ...

    def arrived(self, key: TileKey, tile: Tile) -> None:
        """A tile was made."""
        ...

    def brought(self, stretch: Stretch) -> None:
        """A stretch of compressed sound was decoded."""
        ...


class Sounds(QObject):
    """Of one sample; ``close`` when another is opened, after the panes let go."""

    def __init__(
        self,
        streams: Mapping[str, Stream],
        readers: OpenStreams,
        context: OpenContext,
        gui: GuiThread,
        parent: QObject | None = None,
        *,
        calm: threading.Event | None = None,
    ) -> None:
        super().__init__(parent)
        self._calm = calm
        self._streams = streams
        self._readers = readers
        self._gui = gui
        self._context = context
        self._lanes: dict[str, SoundLane] = {}
        self._drawers: list[Drawer] = []
        self._missed: dict[int, Sequence[Wanted]] = {}
        self._tiles: Background[Wanted, Tile | None] | None = None
        self._building: Building | None = None
        self._built: list[SoundLane] = []
        self._jobs: Jobs | None = None
        self._closed = False
        self._progress = QTimer(self)
        self._progress.setInterval(_PROGRESS_MS)
        self._progress.timeout.connect(self._show_progress)

    def lane(self, stream: Stream) -> SoundLane | None:
        """The one of a stream; ``None`` if its reader has no waveform. Raises ``DataError`` if it cannot be opened."""
        found = self._lanes.get(stream.id)
        if found is None:
            found = lane_of(stream, self._readers.reader(stream), self._context)
            if found is not None:
                self._lanes[stream.id] = found
        return found

    def begin(self, jobs: Jobs | None = None) -> None:
        """Build the waveforms of all sounds and find their onsets, once; progress and cancel are the job's."""
        if self._building is not None or self._closed:
            return
        for stream in self._streams.values():
            if stream.kind is StreamKind.AUDIO:
                self._try_lane(stream)
        self._built = list(self._lanes.values())
        if not self._built:
            return
        complete = all(lane.complete for lane in self._built)
        self._building = Building(self._built, self._lane_built, calm=self._calm)
        self._progress.start()
        if jobs is not None and not complete:
            self._jobs = jobs
            QTimer.singleShot(0, self, self._start_job)  # the window may be in the middle of opening

    def _start_job(self) -> None:
        if not self._closed and self._jobs is not None and self._building is not None:
            self._jobs.start("Waveforms", _Watched(self._building))

    def _try_lane(self, stream: Stream) -> None:
        try:
            self.lane(stream)
        except DataError:  # whoever draws the stream opens it too and says why it cannot
            return

    def register(self, drawer: Drawer) -> None:
        """Tell it what is made from now on."""
        self._drawers.append(drawer)

    def forget(self, drawer: Drawer) -> None:
        """Tell it nothing more; what it misses is not made."""
        if drawer in self._drawers:
            self._drawers.remove(drawer)
            self.miss(drawer, ())

    def miss(self, drawer: Drawer, missing: Sequence[TileKey | Stretch]) -> None:
        """These tiles and samples are not there, the most urgent first; earlier wishes of the drawer are forgotten."""
        stream = drawer.sound.stream.id
        if missing:
            self._missed[id(drawer)] = [(stream, key) for key in missing]
        elif self._missed.pop(id(drawer), None) is None:
            return
        wanted = [key for several in self._missed.values() for key in several]
        if self._closed or (self._tiles is None and not wanted):
            return
        if self._tiles is None:
            self._tiles = Background("spectrogram", self._make_tile, self._tile_made, calm=self._calm)
        self._tiles.want(wanted)

    def stop(self) -> None:
        """Tell the threads to end: ``close`` waits for them."""
        if self._tiles is not None:
            self._tiles.stop()
        if self._building is not None:
            self._building.cancel()

    def close(self) -> None:
        """End the threads; nothing arrives any more."""
        self._closed = True
        self._progress.stop()
        for worker in (self._tiles, self._building):
            if worker is not None:
                worker.close()
        for lane in self._lanes.values():
            lane.close()
        self._drawers.clear()
        self.deleteLater()

    # --- on the threads -----------------------------------------------------------------------------------------

    def _make_tile(self, key: Wanted, cancel: CancelToken) -> Tile | None:
        lane, wanted = self._lanes[key[0]], key[1]
        if isinstance(wanted, Stretch):
            lane.bring(wanted, cancel)
            return None
        return lane.tile(wanted, cancel)

    def _tile_made(self, key: Wanted, result: Tile | UserError | None) -> None:
        if not isinstance(result, UserError):
            self._gui.post(self._tile_arrived, (key, result))

    def _lane_built(self, number: int, problem: UserError | None) -> None:
        self._gui.post(self._build_ended, (number, problem))

    # --- back on the window's ----------------------------------------------------------------------------------

    def _tile_arrived(self, made: tuple[Wanted, Tile | None]) -> None:
        if self._closed:
            return
        (stream, key), tile = made
        if isinstance(key, Stretch):
            self._tell(lambda drawer: drawer.brought(key), stream)
        elif tile is not None:
            self._tell(lambda drawer: drawer.arrived(key, tile), stream)

    def _build_ended(self, ended: tuple[int, UserError | None]) -> None:
        if self._closed:
            return
        number, problem = ended
        stream = self._built[number].stream.id
        if problem is None:
            self._tell(lambda drawer: drawer.progressed(), stream)
        else:
            self._tell(lambda drawer: drawer.failed(str(problem)), stream)
        if number == len(self._built) - 1:
            self._progress.stop()

    def _show_progress(self) -> None:
        for lane in self._built:
            if not lane.complete:
                self._tell(lambda drawer: drawer.progressed(), lane.stream.id)

    def _tell(self, say: Callable[[Drawer], None], stream: str) -> None:
        for drawer in list(self._drawers):
            if drawer.sound.stream.id == stream:
                say(drawer)


class _Watched:
    """The building of waveforms as a job: the job's thread only looks how far it is, and passes a cancel on."""

    def __init__(self, building: Building) -> None:
        self._building = building

    def __call__(self, job: Job) -> None:
        try:
            while not self._building.wait(_LOOK_S):
                job.report(round(1000 * self._building.share_known), 1000)
        except Cancelled:
            self._building.cancel()
            raise
