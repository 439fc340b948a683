"""Points of a cloud for cameras: the sweep that shows then, thinned, from a worker of its own.

One per camera pane, opened when points are first switched on. A camera projects them with its own capture time, so that
what moved between sweep and picture is carried through the poses.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError
from workstation.core.frametable import nearest_capture
from workstation.core.sample import Stream
from workstation.media.base import CancelToken, CloudReader, View
from workstation.media.prefetch import Delivery, Worker

Carry = Callable[[Callable[[Any], None], object], None]
MOST_POINTS = 16_000
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


class _Loader:
    """A cloud reader for a worker: a few thousand points of a sweep, evenly."""

    ahead = 2

    def __init__(self, reader: CloudReader, turn: threading.Lock) -> None:
        self._reader, self._turn = reader, turn

    def load(self, index: int, view: View, cancel: CancelToken) -> NDArray[np.float64]:
        with self._turn:  # the cloud pane reads the same stream
            cloud = self._reader.cloud(index, max_points=MOST_POINTS, cancel=cancel)
        points = cloud.points.astype(np.float64) + cloud.origin
        kept: NDArray[np.float64] = points[np.isfinite(points).all(axis=1)]
        return kept

    def at_once(self, index: int, view: View) -> NDArray[np.float64] | None:
        return None

    def preview(self, index: int, view: View) -> NDArray[np.float64] | None:
        return None

    def read_ahead(self, index: int, direction: int, count: int, view: View, cancel: CancelToken) -> None:
        """The pane holds the latest sweeps itself."""

    def spare(self, index: int, cancel: CancelToken) -> float | None:
        return None


class CloudSweeps:
    """The sweeps of one cloud stream."""

    def __init__(self, stream: Stream, readers: OpenStreams, carry: Carry, changed: Callable[[], None]) -> None:
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
        self._worker: Worker[NDArray[np.float64]] = Worker(
            stream.key, _Loader(reader, readers.turn(stream)), self._deliver
        )

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

    def close(self) -> None:
        """End the worker."""
        self._closed = True
        self._worker.close()

    def _deliver(self, delivery: Delivery[NDArray[np.float64]]) -> None:
        self._carry(self._take, delivery)

    def _take(self, delivery: Delivery[NDArray[np.float64]]) -> None:
        if self._closed or delivery.value is None:
            return
        index = delivery.request.index
        session_ns = self._stream.time_map.to_session(int(self._table.times_ns[index]))
        self._held[index] = Sweep(index, delivery.value, self._stream.frame or "", session_ns)
        while len(self._held) > _HELD:
            self._held.popitem(last=False)
        self._changed()
