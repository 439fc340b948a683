"""Memory that was freed goes back to the system, so that what a task manager shows is what is held.

The C library of Linux keeps freed frames of films in heaps of its own, one for each thread: a cache of 256 MiB over
twelve cameras stood at 950 MiB and stayed there when all was closed. Giving it back takes some 10 ms, so it is done
on a thread, when much has come or in a pause. Larger pieces straight from the system (``M_MMAP_THRESHOLD``) need none
of this and cost more than they save: 1 to 2 ms for every picture that is made, for its pages come anew each time.
Four heaps for all threads (``M_ARENA_MAX``) hold 70 MiB less; the window's thread then shares its own with decoders.

Asked by the window's timer (``ui/collecting.py``); elsewhere than on Linux nothing is done.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

GROWN_BYTES = 24 << 20
"""So much more than after the last time, and it is looked whether that is held or only kept."""
REST_S = 15.0
"""So long between two times: what is given back and needed again comes page by page, 0.6 ms a megabyte."""
_STATM = Path("/proc/self/statm")


def give_back() -> None:
    """What the C library keeps and nobody holds, back to the system. Any thread; other threads go on meanwhile."""
    trim = _trim()
    if trim is not None:
        trim(0)


def resident_bytes() -> int:
    """What the process has in memory now; 0 where that is not told."""
    try:
        return int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


class FreedMemory:
    """When it is time to give back. One for the process, asked on one thread."""

    def __init__(
        self,
        *,
        give_back: Callable[[], None] = give_back,
        resident: Callable[[], int] = resident_bytes,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._give_back = give_back
        self._resident = resident
        self._now = now
        self._last = now() - REST_S
        self._least = resident()
        """The least that was resident since the last time; what is above it may be held, or only kept."""
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Give back if the process has grown by much. Some microseconds if not."""
        resident = self._resident()
        self._least = min(self._least, resident)
        if resident - self._least >= GROWN_BYTES and self._now() - self._last >= REST_S:
            self.begin()

    def begin(self) -> None:
        """Give back now, on a thread; once if asked again meanwhile."""
        if self._thread is None or not self._thread.is_alive():
            self._last = self._now()
            self._thread = threading.Thread(target=self._work, name="freed memory", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Until what was begun is done."""
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        self._give_back()
        self._least = self._resident()


def _trim() -> Callable[[int], int] | None:
    """glibc's own; other C libraries of Linux have none, and need none."""
    if sys.platform != "linux":
        return None
    found: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found
