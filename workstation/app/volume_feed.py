"""Brings the slices of a volume's planes to a pane: one worker per volume, the newest wish of each plane first.

What is shown is answered before the rest of the volume is read; then the worker reads on, from the slice looked at
outwards, and says so from time to time, so that cuts across the slices fill up. ``deliver`` is called on the worker.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from workstation.app.volume_block import Greys, Screen, Slab, VolumeBlock
from workstation.app.volume_planes import Plane
from workstation.core.errors import DataError
from workstation.media.base import VolumeReader, Window

_TELL_S = 0.25
"""How often a volume that is being read is shown anew."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wish:
    """Show this slice of a plane through this window."""

    number: int
    plane: Plane
    index: int
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Brought:
    """The answer: a cut with its picture, or why there is none."""

    wish: Wish
    slab: Slab | None = None
    screen: Screen | None = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How far the volume is read; sent when cuts across it would look different."""

    complete: bool
    thinned: int


class VolumeFeed:
    """``close`` ends the worker and waits for it; the reader belongs to whoever opened it."""

    def __init__(
        self, name: str, reader: VolumeReader, deliver: Callable[[Brought | Reading], None], *, inverted: bool = False,
        calm: threading.Event | None = None,
    ) -> None:  # fmt: skip
        """Nothing but what is shown is read before ``calm`` is set."""
        self.reader = reader
        self._block = VolumeBlock(reader)
        self._greys = Greys(inverted=inverted)
        self._deliver = deliver
        self._calm = calm
        self._changed = threading.Condition()
        self._wishes: dict[str, Wish] = {}
        self._number = 0
        self._near = reader.shape[0] // 2
        self._closing = self._resting = False
        self._thread = threading.Thread(target=self._work, name=f"volume {name}", daemon=True)
        self._thread.start()

    def show(self, plane: Plane, index: int, window: Window) -> int:
        """Ask for a slice; an older wish for the same plane that was not begun is forgotten. Answers its number."""
        with self._changed:
            self._number += 1
            self._wishes.pop(plane.name, None)
            self._wishes[plane.name] = Wish(number=self._number, plane=plane, index=index, window=window)
            if plane.acquired:
                self._near = index
            self._changed.notify_all()
            return self._number

    def rest(self, *, resting: bool) -> None:
        """Read no further than what is asked for, or go on reading."""
        with self._changed:
            self._resting = resting
            self._changed.notify_all()

    def close(self) -> None:
        """May be called twice, not from ``deliver``."""
        with self._changed:
            self._closing = True
            self._wishes.clear()
            self._changed.notify_all()
        self._thread.join()

    def _work(self) -> None:
        told = time.monotonic()
        reading = True
        while not self._closing:
            wish = self._next_wish(wait=not reading or not self._may_read())
            if wish is not None:
                self._answer(wish)
            elif reading and self._may_read():
                reading = self._read_on()
                if not reading or time.monotonic() - told > _TELL_S:
                    told = time.monotonic()
                    self._deliver(Reading(self._block.complete, self._block.thinned))

    def _may_read(self) -> bool:
        return not self._resting and (self._calm is None or self._calm.is_set())

    def _next_wish(self, *, wait: bool) -> Wish | None:
        with self._changed:
            if wait and not self._wishes and not self._closing:
                self._changed.wait(None if self._resting or self._may_read() else 0.05)
            name = next(iter(self._wishes), None)
            return None if name is None else self._wishes.pop(name)

    def _read_on(self) -> bool:
        try:
            return self._block.load_next(self._near)
        except DataError:
            return True  # a slice that cannot be read is told when somebody looks at it; the others are read on

    def _answer(self, wish: Wish) -> None:
        try:
            slab = self._block.slab(wish.plane, wish.index)
            screen = self._greys.screen(slab, wish.window)
        except Exception as problem:  # noqa: BLE001 - a border: whatever went wrong is the pane's to show
            self._deliver(Brought(wish=wish, error=problem))
        else:
            self._deliver(Brought(wish=wish, slab=slab, screen=screen))
