"""An even part of very many points, shown while all of them are put in order on a thread of its own.

Ten million points take a second to put in order; a person who opens them sees them at once, thinned, may turn the view,
and the rest comes when it is ready. Used by the render thread (``cloud_render.py``) alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workstation.ui.scenes.cloud_scene import PointLayer, PointPicture
from workstation.ui.scenes.splat_kernels import OrderedCloud, in_order, is_in_order

MANY = 2_000_000
"""Fewer points are in order before an eye could see the difference."""
_SHOWN = 400_000


@dataclass(frozen=True, slots=True, eq=False)
class Thinned:
    """Layers and the part of them that stands for them: every so manieth point."""

    layers: tuple[PointLayer, ...]
    part: tuple[PointLayer, ...]
    stride: int

    def told(self, picture: PointPicture) -> PointPicture:
        """A picture of the part as one of the whole: what is picked in it is a point of the whole."""
        orders = tuple((order * np.uint32(self.stride)).astype(np.uint32) for order in picture.orders)
        return replace(picture, layers=self.layers, orders=orders, coarse=True)


def thinned(layers: Sequence[PointLayer]) -> Thinned:
    """An even part of them."""
    stride = max(1, -(-sum(len(each.points) for each in layers) // _SHOWN))
    part = tuple(
        replace(
            each,
            points=np.ascontiguousarray(each.points[::stride]),
            colours=np.ascontiguousarray(each.colours[::stride]),
        )
        for each in layers
    )
    return Thinned(tuple(layers), part, stride)


class Ordering:
    """Puts clouds in order, one after the other; ``done`` is called on its thread after each."""

    def __init__(self, done: Callable[[], None]) -> None:
        self._done = done
        self._wanted: list[NDArray[np.float32]] = []
        self._made: list[OrderedCloud] = []
        """Held until they are painted: before that nobody else holds them."""
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False

    def waits_for(self, layers: Sequence[PointLayer]) -> bool:
        """Whether these are too many to wait for and not in order yet; then they are put in order."""
        late = [each.points for each in layers if not is_in_order(each.points)]
        if sum(map(len, late)) < MANY:
            return False
        with self._changed:
            if not any(each is late[0] for each in self._wanted):
                self._wanted = late
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="points in order", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return True

    def forget(self) -> None:
        """What was put in order has been painted, and is held by whoever painted it."""
        with self._changed:
            self._made = []

    def close(self) -> None:
        """End the thread and wait for it."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self._made = []

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or bool(self._wanted))
                if self._closing:
                    return
                points = self._wanted[0]
            made = in_order(points)
            with self._changed:
                self._made.append(made)
                self._wanted = [each for each in self._wanted if each is not points]
            self._done()
