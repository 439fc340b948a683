"""Sweeps that a format reads one by one: kept within the shared memory, thinned evenly when fewer points are wanted.

For formats that hold many sweeps of their own making, built in or in a plug-in: ``load`` gives the points of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from workstation.core.errors import DataError
from workstation.core.timebase import FrameTable
from workstation.media.base import CancelToken, Cloud, MediaInfo, OpenContext
from workstation.media.cloud_lod import beginning, lod_order, reordered
from workstation.media.items import TimedItems


class LoadedSweeps(TimedItems):
    """A ``CloudReader`` over a function; one thread at a time."""

    def __init__(
        self,
        paths: Sequence[Path],
        table: FrameTable,
        load: Callable[[int], Cloud],
        context: OpenContext,
        *,
        describe: Callable[[Cloud], MediaInfo],
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """``describe`` makes the stream's description from its first sweep; ``close`` lets go of the files."""
        if not len(table):
            raise DataError("holds no sweeps", path=paths[0])
        self.paths = tuple(paths)
        self.table = table
        self._load, self._close = load, close
        self._share = context.memory.share()
        self.info = describe(self.cloud(0))

    def cloud(self, index: int, *, max_points: int | None = None, cancel: CancelToken | None = None) -> Cloud:
        """Sweep ``index`` in the file's order; with ``max_points`` an even part of it and the field ``index``."""
        self.item(index)
        whole = self._held(("whole", index), lambda: self._load(index), cancel)
        if max_points is None or whole.total <= max_points:
            return whole
        ordered = self._held(("lod", index), lambda: reordered(whole, lod_order(whole.points)), cancel)
        return beginning(ordered, max(0, max_points))

    def close(self) -> None:
        self._share.close()
        self._close()

    def _held(self, key: tuple[str, int], make: Callable[[], Cloud], cancel: CancelToken | None) -> Cloud:
        found: Cloud | None = self._share.get(key)
        if found is None:
            if cancel is not None:
                cancel.check()
            found = make()
            size = found.points.nbytes + sum(values.nbytes for values in found.fields.values())
            self._share.put(key, found, size)
        return found
