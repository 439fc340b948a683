"""Which sweeps show at a session time, per stream, placed in one scene: what the cloud pane asks.

One ``CloudLayer`` per LiDAR or radar, with a worker that reads and places sweeps; ``CloudLayers`` holds all of a
sample, says which one leads (the header, the steps and new cuboids follow it) and what of each is shown. A stream that
has nothing at a time says so; an old sweep is never left standing. What is placed is kept within a limit of bytes.

The window's thread, except ``_Loader``, which runs on workers. No Qt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from workstation.app.cloud_ground import Correction, Ground, PlacedSweep
from workstation.app.feeds import Now
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.app.shown_kinds import CLOUD_KINDS
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError
from workstation.core.frametable import nearest_capture, shown_capture
from workstation.core.sample import Stream
from workstation.core.timebase import FrameTable
from workstation.media.base import CancelToken, CloudReader, View
from workstation.media.cache import MemoryCache
from workstation.media.prefetch import Delivery, Screen, Worker

MOST_POINTS = 10_000_000
"""Of one cloud; a larger one is shown by an even part of it, and says so."""
MOST_AROUND = 20
_HELD_BYTES = 384 << 20
_AHEAD = 6

Carry = Callable[[Callable[[Any], None], object], None]
"""Brings a value to a receiver on the window's thread, as ``GuiThread.post``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How sweeps are shown."""

    before: int = 0
    """How many sweeps before the one that shows are laid under it."""
    after: int = 0
    correct: bool = True
    """Whether points with times of their own are put where they would have been seen at the sweep's time."""


@dataclass(frozen=True, slots=True, eq=False)
class Swept:
    """What a stream shows: the sweep of the moment, and those laid under it."""

    now: PlacedSweep
    around: tuple[PlacedSweep, ...] = ()
    left_out: str = ""
    """Why one of those to be laid under it is missing."""


class _Loader:
    """Reads and places sweeps for a worker. ``ways`` is changed by the window's thread, whole."""

    ahead = _AHEAD

    def __init__(
        self, stream: Stream, reader: CloudReader, ground: Ground, cache: MemoryCache, readers: OpenStreams
    ) -> None:
        self.ways = Ways()
        self._stream, self._reader, self._ground = stream, reader, ground
        self._turn = readers.turn(stream)
        self._timed = reader.info.span is not None
        self._held = cache.share()

    def load(self, index: int, view: View, cancel: CancelToken) -> Swept:
        ways = self.ways
        now = self._sweep(index, ways, cancel)
        around, left_out = [], ""
        for each in self._around(index, ways):
            try:
                around.append(self._sweep(each, ways, cancel))
            except DataError as problem:
                left_out = str(problem)
        return Swept(now, tuple(around), left_out)

    def at_once(self, index: int, view: View) -> Swept | None:
        ways = self.ways
        wanted = (index, *self._around(index, ways))
        found = [each for each in (self._held.get((at, ways.correct)) for at in wanted) if each is not None]
        return Swept(found[0], tuple(found[1:])) if len(found) == len(wanted) else None

    def preview(self, index: int, view: View) -> Swept | None:
        return None

    def read_ahead(self, index: int, direction: int, count: int, view: View, cancel: CancelToken) -> None:
        ways = self.ways
        for each in range(index, index + direction * count, direction):
            cancel.check()
            if 0 <= each < len(self._reader.table):
                self._sweep(each, ways, cancel)

    def spare(self, index: int, cancel: CancelToken) -> float | None:
        return None

    def close(self) -> None:
        self._held.close()

    def _around(self, index: int, ways: Ways) -> list[int]:
        first, last = max(0, index - ways.before), min(len(self._reader.table) - 1, index + ways.after)
        return [each for each in range(first, last + 1) if each != index]

    def _sweep(self, index: int, ways: Ways, cancel: CancelToken) -> PlacedSweep:
        key = (index, ways.correct)
        found: PlacedSweep | None = self._held.get(key)
        if found is None:
            with self._turn:
                cloud = self._reader.cloud(index, max_points=MOST_POINTS, cancel=cancel)
            own_ns = int(self._reader.table.times_ns[index]) if self._timed else None
            found = self._ground.place(cloud, self._stream, index, own_ns, correct=ways.correct)
            self._held.put(key, found, found.nbytes)
        return found


class CloudLayer:
    """One stream of sweeps. ``changed`` is called when another sweep, or none, is shown."""

    def __init__(
        self,
        stream: Stream,
        readers: OpenStreams,
        ground: Ground,
        cache: MemoryCache,
        carry: Carry,
        changed: Callable[[CloudLayer], None],
    ) -> None:
        """``DataError`` if the stream has no sweeps."""
        reader = readers.reader(stream)
        if not isinstance(reader, CloudReader):
            raise DataError("it has no sweeps", path=stream.key)
        self.stream = stream
        self.reader = reader
        self.now = Now()
        """What the playhead asks for."""
        self.shown: Swept | None = None
        self.trouble = ""
        self._carry, self._changed = carry, changed
        self._screen = Screen()
        self._asked: tuple[int, Ways] | None = None
        self._awaited = 0
        self._closed = False
        self._loader = _Loader(stream, reader, ground, cache, readers)
        self._worker: Worker[Swept] = Worker(stream.key, self._loader, self._deliver, calm=readers.calm)

    @property
    def table(self) -> FrameTable | None:
        """When each sweep shows, in stream time; ``None`` for a still cloud without a time."""
        return self.reader.table if self.reader.info.span is not None else None

    @property
    def pending(self) -> bool:
        """Whether another sweep than the one shown is on its way."""
        return self._awaited > self._screen.shown

    def at(self, session_ns: int) -> Now:
        """Which sweep shows then, or the nearest there is."""
        table = self.table
        if table is None:
            return Now(index=0)
        found = shown_capture(table, self.stream.time_map, session_ns)
        if found is not None:
            return Now(capture=found, index=found.index)
        return Now(nearest=nearest_capture(table, self.stream.time_map, session_ns))

    def seek(self, session_ns: int, ways: Ways) -> None:
        """The playhead is there, and sweeps are to be shown like that."""
        self.now = self.at(session_ns)
        if self.now.index is None:
            self._forget()
            return
        wanted = (self.now.index, ways)
        if wanted != self._asked:
            self._asked = wanted
            self._loader.ways = ways
            self._awaited = self._worker.show(self.now.index).number

    def forget(self) -> None:
        """Show nothing; the next ``seek`` asks again."""
        self._forget()

    def close(self) -> None:
        """End the worker; nobody waits for a large cloud that is just being read. The reader belongs to
        ``OpenStreams``."""
        self._closed = True
        if self.pending:
            threading.Thread(target=self._end, name=f"end of {self.stream.key}", daemon=True).start()
        else:
            self._end()

    def _end(self) -> None:
        self._worker.close()
        self._loader.close()

    def _forget(self) -> None:
        self._asked = None
        self._awaited = self._screen.shown
        if self.shown is not None or self.trouble:
            self.shown, self.trouble = None, ""
            self._changed(self)

    def _deliver(self, delivery: Delivery[Swept]) -> None:
        self._carry(self._take, delivery)

    def _take(self, delivery: Delivery[Swept]) -> None:
        if self._closed or not self._screen.accepts(delivery.request):
            return
        if self._asked is None:
            return  # the playhead has gone where the stream has nothing
        self.shown = delivery.value
        self.trouble = "" if delivery.error is None else str(delivery.error)
        self._changed(self)


@dataclass(slots=True, eq=False)
class CloudLayers:
    """All clouds of a sample, in the order they are drawn; empty where it has none."""

    layers: list[CloudLayer] = field(default_factory=list)
    ground: Ground | None = None
    troubles: dict[str, str] = field(default_factory=dict)
    """Why a stream cannot be shown at all, by its id."""

    @classmethod
    def open(
        cls,
        view: SampleView,
        readers: OpenStreams,
        space: PlacedCuboids,
        carry: Carry,
        changed: Callable[[CloudLayer], None],
    ) -> CloudLayers:
        """The layers of a sample, each with its worker."""
        streams = cloud_streams(view)
        made = cls()
        cache = MemoryCache(_HELD_BYTES)
        for stream in streams:
            try:
                reader = readers.reader(stream)
                if made.ground is None and isinstance(reader, CloudReader):
                    made.ground = _ground(stream, reader, space)
                assert made.ground is not None or not isinstance(reader, CloudReader)
                if made.ground is not None:
                    made.layers.append(CloudLayer(stream, readers, made.ground, cache, carry, changed))
            except DataError as problem:
                made.troubles[stream.id] = str(problem)
        return made

    @property
    def lead(self) -> CloudLayer | None:
        """The one that header, steps and new cuboids follow."""
        return self.layers[0] if self.layers else None

    def close(self) -> None:
        for each in self.layers:
            each.close()
        self.layers.clear()

    def layer(self, stream: str) -> CloudLayer | None:
        """The layer of a stream."""
        return next((each for each in self.layers if each.stream.id == stream), None)


def cloud_streams(view: SampleView) -> list[Stream]:
    """The streams of sweeps, LiDARs before radars, by key."""
    found = [each for each in view.streams.values() if each.kind in CLOUD_KINDS]
    return sorted(found, key=lambda each: (CLOUD_KINDS.index(each.kind), each.key))


def correction_in_words(sweeps: Sequence[PlacedSweep]) -> str:
    """What the header says about motion correction; empty where it is of no concern."""
    found = {each.correction for each in sweeps}
    if Correction.ON in found:
        return "motion corrected"
    if Correction.NO_POSES in found:
        return "as captured: no poses"
    if Correction.OFF in found and any("time_ns" in each.columns for each in sweeps):
        return "as captured"
    return ""


def _ground(stream: Stream, reader: CloudReader, space: PlacedCuboids) -> Ground:
    first_ns = 0
    if reader.info.span is not None and len(reader.table):
        first_ns = stream.time_map.to_session(int(reader.table.times_ns[0]))
    return Ground.of(space.calibration, space.tree, space.trajectories, lead=stream.frame or "", first_ns=first_ns)
