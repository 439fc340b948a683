"""One volume in the volume pane: its planes, the place looked at, its window, and the slices that came for it.

Made by ``volume.py`` per stream; knows no widget. What comes from the worker is posted to the window's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from workstation.app.feeds import slice_item
from workstation.app.light import whole_window
from workstation.app.volume_block import Screen, Slab
from workstation.app.volume_feed import Brought, Reading, VolumeFeed, Wish
from workstation.app.volume_planes import Plane, PlaneName, Vec3, planes_of, straight_planes
from workstation.core.errors import DataError
from workstation.core.sample import Stream
from workstation.media.base import VolumeReader, Window
from workstation.ui.workbench import Workbench


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """What is painted of a plane."""

    plane: Plane
    index: int
    slab: Slab
    screen: Screen
    window: Window


class _Carrier:
    """Runs on the worker: posts what came to the window's thread."""

    def __init__(self, bench: Workbench, receive: Callable[[Brought | Reading], None]) -> None:
        self._post, self._receive = bench.gui.post, receive

    def __call__(self, brought: Brought | Reading) -> None:
        self._post(self._receive, brought)


class VolumeShown:
    """``changed(name)`` is called when a plane has another picture, ``changed(None)`` when all may have."""

    def __init__(self, bench: Workbench, stream: Stream, changed: Callable[[PlaneName | None], None]) -> None:
        self.stream = stream
        self.title = stream.role or stream.key
        self._changed = changed
        self.trouble = ""
        """Why nothing is shown."""
        self.reader: VolumeReader | None = None
        self._feed: VolumeFeed | None = None
        self.planes: dict[PlaneName, Plane] = {}
        self.position: Vec3 = (0.0, 0.0, 0.0)
        """Where the cross-hair is, LPS millimetres."""
        self.window = Window("", 0.0, 1.0)
        self.windows: tuple[Window, ...] = ()
        self.cuts: dict[PlaneName, Cut] = {}
        self.complete = False
        self.thinned = 1
        self.straight = False
        self.frame_of_reference = ""
        self._asked: dict[PlaneName, tuple[Plane, int]] = {}
        self._shown: dict[PlaneName, int] = {}
        self._open(bench)

    def _open(self, bench: Workbench) -> None:
        assert bench.readers is not None
        try:
            reader = bench.readers.reader(self.stream)
            if not isinstance(reader, VolumeReader):
                raise DataError("it holds no volume", path=self.stream.key)
            self.reader = reader
            self.windows = reader.windows
            first = reader.slab(0, reader.shape[0] // 2) if not self.windows else None
        except DataError as problem:
            self.trouble = str(problem)
            return
        self.window = self.windows[0] if first is None else whole_window(first)
        if first is not None:
            self.windows = (self.window,)
        self._cut()
        corner = np.array([size // 2 for size in reader.shape] + [1.0])
        x, y, z = (reader.patient_from_voxel @ corner)[:3].tolist()
        self.position = (x, y, z)
        look = getattr(reader, "look", None)
        inverted = bool(reader.info.details.get("inverted", False))
        self.frame_of_reference = str(getattr(look, "frame_of_reference", ""))
        self._feed = VolumeFeed(
            self.stream.key, reader, _Carrier(bench, self._arrived), inverted=inverted, calm=bench.calm
        )

    def close(self) -> None:
        """End the worker."""
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.close()

    def rest(self, *, resting: bool) -> None:
        """Nobody sees it: read no further, or go on."""
        if self._feed is not None:
            self._feed.rest(resting=resting)

    # --- where it is looked at ----------------------------------------------------------------------------------

    @property
    def acquired(self) -> Plane | None:
        """The plane of the stored images, while the planes follow them."""
        return next((plane for plane in self.planes.values() if plane.acquired), None)

    @property
    def main(self) -> PlaneName:
        """The plane that is shown largest."""
        acquired = self.acquired
        return PlaneName.AXIAL if acquired is None else acquired.name

    def index(self, name: PlaneName) -> int:
        """The slice of a plane through the place looked at."""
        return self.planes[name].index_of(self.position)

    def instance(self, name: PlaneName, index: int) -> str | None:
        """What an annotation names that slice by; ``None`` for what is no stored image."""
        if not self.planes[name].acquired or self.reader is None:
            return None
        return slice_item(tuple(self.reader.instances), index)

    def slice_numbers(self) -> dict[str, int]:
        """Every stored slice by what annotations name it by."""
        reader = self.reader
        if reader is None:
            return {}
        items = (slice_item(tuple(reader.instances), index) for index in range(reader.shape[0]))
        return {item: number for number, item in enumerate(items) if item is not None}

    def on_slice(self, name: PlaneName, index: int) -> Vec3:
        """The place looked at, moved along a plane's slices to the middle of that one."""
        plane = self.planes[name]
        x, y, _ = plane.from_patient(self.position)
        return plane.to_patient(x, y, min(max(index, 0), plane.count - 1))

    def set_straight(self, straight: bool) -> None:
        """Cut along the patient's axes, or along the slices."""
        if straight != self.straight:
            self.straight = straight
            self._cut()
            self.ask()

    def _cut(self) -> None:
        assert self.reader is not None
        make = straight_planes if self.straight else planes_of
        self.planes = {plane.name: plane for plane in make(self.reader.shape, self.reader.patient_from_voxel)}
        self.cuts, self._asked = {}, {}

    # --- pictures -----------------------------------------------------------------------------------------------

    def ask(self) -> None:
        """See to it that every plane shows the place looked at; the largest first."""
        if self._feed is None:
            return
        for name in sorted(self.planes, key=lambda each: each is not self.main):
            index = self.index(name)
            if self._asked.get(name) != (self.planes[name], index):
                self._asked[name] = (self.planes[name], index)
                self._feed.show(self.planes[name], index, self.window)

    def pending(self, name: PlaneName) -> bool:
        """Whether another picture than the painted one is on its way."""
        cut = self.cuts.get(name)
        return self._feed is not None and (cut is None or cut.index != self.index(name))

    def set_window(self, window: Window) -> None:
        """Show through this window from now on."""
        self.window = window
        self._again()

    def _again(self) -> None:
        if self._feed is not None:
            for name in sorted(self.planes, key=lambda each: each is not self.main):
                self._feed.show(self.planes[name], self.index(name), self.window)

    def shift_window(self, across: float, down: float) -> None:
        """A drag: to the right wider, downwards brighter."""
        window = self.window
        width = max(window.width * (1.0 + 2.0 * across), 1e-6)
        if self.reader is not None and self.reader.unit == "HU":
            width = max(round(width), 1)
        centre = window.centre + down * window.width
        self.set_window(replace(window, name="by hand", centre=round(centre, 3), width=width))

    def _arrived(self, brought: Brought | Reading) -> None:
        if self._feed is None:
            return  # of a sample that is closed
        if isinstance(brought, Reading):
            self.complete, self.thinned = brought.complete, brought.thinned
            for name, plane in self.planes.items():
                if not plane.acquired:
                    self._feed.show(plane, self.index(name), self.window)
            self._changed(None)
            return
        self._take(brought.wish, brought)

    def _take(self, wish: Wish, brought: Brought) -> None:
        name = wish.plane.name
        if wish.plane is not self.planes.get(name) or wish.number <= self._shown.get(name, 0):
            return
        self._shown[name] = wish.number
        if brought.error is not None:
            self.trouble = str(brought.error)
            self.cuts.pop(name, None)
        else:
            assert brought.slab is not None
            assert brought.screen is not None
            self.trouble = ""
            self.cuts[name] = Cut(
                plane=wish.plane, index=wish.index, slab=brought.slab, screen=brought.screen, window=wish.window
            )
        self._changed(name)
