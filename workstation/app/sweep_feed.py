"""Sweeps of a cloud for cameras, from a worker of its own: points drawn over pictures, returns under the pointer.

One per camera pane, opened when points are first wanted. They lie in the root of the frame tree, each point where it
would have been seen at the sweep's time if motion is corrected (``cloud_ground.py``, as in the cloud pane); a camera
projects them with its own capture time, so that what moved between sweep and picture is carried through the poses.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.app.cloud_ground import Correction, Ground
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError
from workstation.core.frametable import nearest_capture
from workstation.core.sample import Stream
from workstation.media.base import CancelToken, CloudReader, View
from workstation.media.prefetch import Delivery, Worker

Carry = Callable[[Callable[[Any], None], object], None]
MOST_POINTS = 120_000
"""Of a sweep; spread so that every beginning of them is spread evenly too."""
_HELD = 6
_NEAR_NS = 150_000_000
"""A sweep farther from the picture than this is not drawn on it."""


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Points (n, 3) in metres in ``frame``, captured then."""

    index: int
    points: NDArray[np.float64]
    frame: str
    session_ns: int
    correction: Correction
    """What became of the motion of its points."""
    corrected: bool
    """Whether its correction was wanted."""


class _Loader:
    """A cloud reader for a worker. ``correct`` is changed by the window's thread."""

    ahead = 2

    def __init__(self, stream: Stream, reader: CloudReader, ground: Ground, turn: threading.Lock) -> None:
        self.correct = True
        self._stream, self._reader, self._ground, self._turn = stream, reader, ground, turn

    def load(self, index: int, view: View, cancel: CancelToken) -> Sweep:
        own_ns, correct = int(self._reader.table.times_ns[index]), self.correct
        with self._turn:  # the cloud pane reads the same stream
            cloud = self._reader.cloud(index, max_points=MOST_POINTS, cancel=cancel)
        placed = self._ground.place(cloud, self._stream, index, own_ns, correct=correct)
        points = placed.points.astype(np.float64) + np.array(self._ground.origin)
        session_ns = self._stream.time_map.to_session(own_ns)
        return Sweep(index, points, self._ground.frame, session_ns, placed.correction, correct)

    def at_once(self, index: int, view: View) -> Sweep | None:
        return None

    def preview(self, index: int, view: View) -> Sweep | None:
        return None

    def read_ahead(self, index: int, direction: int, count: int, view: View, cancel: CancelToken) -> None:
        """The pane holds the latest sweeps itself."""

    def spare(self, index: int, cancel: CancelToken) -> float | None:
        return None


class CloudSweeps:
    """The sweeps of one cloud stream."""

    def __init__(
        self, stream: Stream, readers: OpenStreams, placed: PlacedCuboids, carry: Carry, changed: Callable[[], None]
    ) -> None:
        """``carry`` brings a value to a receiver on its owner; ``changed`` is called when another sweep has come.

        ``DataError`` if the stream has no sweeps.
        """
        reader = readers.reader(stream)
        if not isinstance(reader, CloudReader):
            raise DataError("it has no sweeps", path=stream.key)
        self._stream = stream
        self._table = reader.table
        self._carry = carry
        self._changed = changed
        self._held: OrderedDict[int, Sweep] = OrderedDict()
        self._asked: int | None = None
        self._closed = False
        self.trouble = ""
        """Why the latest sweep could not be had."""
        first_ns = stream.time_map.to_session(int(reader.table.times_ns[0])) if len(reader.table) else 0
        ground = Ground.of(
            placed.calibration, placed.tree, placed.trajectories, lead=stream.frame or "", first_ns=first_ns
        )
        self._loader = _Loader(stream, reader, ground, readers.turn(stream))
        self._worker: Worker[Sweep] = Worker(stream.key, self._loader, self._deliver)

    def correct(self, wanted: bool) -> None:
        """Whether each point is put where it would have been seen at the sweep's time."""
        if wanted != self._loader.correct:
            self._loader.correct = wanted
            self._held.clear()
            self._asked = None

    def at(self, session_ns: int) -> Sweep | None:
        """The sweep nearest to a picture's capture; asks for it if it is not here yet."""
        near = nearest_capture(self._table, self._stream.time_map, session_ns)
        if near is None or abs(near.distance_ns) > _NEAR_NS:
            return None
        found = self._held.get(near.index)
        if found is None and self._asked != near.index:
            self._asked = near.index
            self._worker.show(near.index)
        return found

    @property
    def correction(self) -> Correction | None:
        """What was done for the motion of the sweep that came last; ``None`` before the first."""
        return next((each.correction for each in reversed(self._held.values())), None)

    def close(self) -> None:
        """End the worker."""
        self._closed = True
        self._worker.close()

    def _deliver(self, delivery: Delivery[Sweep]) -> None:
        self._carry(self._take, delivery)

    def _take(self, delivery: Delivery[Sweep]) -> None:
        if self._closed or (delivery.value is not None and delivery.value.corrected != self._loader.correct):
            return  # of a sample that is closed, or asked for before correction was switched
        self.trouble = "" if delivery.error is None else str(delivery.error)
        if delivery.value is not None:
            self._held[delivery.request.index] = delivery.value
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
        self._changed()
