"""Everything a view into space shows at one moment, put together from sweeps, cuboids and the rig. No Qt.

Made by the cloud pane for each picture and handed back with it, so that header, labels and tools speak of what is
painted. Points get their colours on the render thread (``SweepPoints.layers``); what was coloured is kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workstation.app.cloud_ground import PlacedSweep
from workstation.app.cloud_paint import ColourBy, Colours, Rgb, Scales, colours_of
from workstation.core.rotation import Floats, matrix_of

Order = NDArray[np.intp]
_HELD_BYTES = 192 << 20
_MOVED_M = 0.15
_MOVED_RAD = 0.03
_ROUNDED_M = 1e-2
"""More than single precision loses a few kilometres away from the origin."""
_AROUND_M = 0.1
"""How much larger than its cuboid a moving thing is taken to be where its points are left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Cuboids of one moment in the scene, by annotation; rows of centres, sizes and rotations."""

    ids: tuple[str, ...]
    centers: Floats
    sizes: Floats
    rotations: Floats

    def inside(
        self, points: NDArray[np.float32], rows: Sequence[int], margin_m: float = 0.0, *, by_x: Order | None = None
    ) -> NDArray[np.intp]:
        """(n,) the last of these rows a point lies in, or -1. ``by_x`` is the order of the points by their x."""
        found = np.full(len(points), -1, np.intp)
        for row, there in self.within(points, rows, margin_m, by_x=by_x):
            found[there] = row
        return found

    def within(
        self, points: NDArray[np.float32], rows: Sequence[int], margin_m: float = 0.0, *, by_x: Order | None = None
    ) -> Iterator[tuple[int, NDArray[np.intp]]]:
        """The points in each of these rows. In order, only those near a box are looked at."""
        chosen = np.asarray(rows, np.intp)
        half, turns = self.sizes[chosen] / 2 + margin_m, matrix_of(self.rotations[chosen].reshape(-1, 4))
        reach = np.linalg.norm(half, axis=1)
        order = np.arange(len(points)) if by_x is None else by_x
        ordered = points if by_x is None else points[by_x]
        starts, ends = np.zeros(len(chosen), np.intp), np.full(len(chosen), len(points))
        if by_x is not None:
            x = np.ascontiguousarray(ordered[:, 0])
            starts = np.searchsorted(x, self.centers[chosen, 0] - reach, "left")
            ends = np.searchsorted(x, self.centers[chosen, 0] + reach, "right")
        for number, (row, start, end) in enumerate(zip(rows, starts.tolist(), ends.tolist(), strict=True)):
            if start < end:
                some, center = ordered[start:end], self.centers[row]
                near = np.abs(some[:, 1] - np.float32(center[1])) <= reach[number] + _ROUNDED_M
                if by_x is None:
                    near &= np.abs(some[:, 0] - np.float32(center[0])) <= reach[number] + _ROUNDED_M
                near = np.flatnonzero(near)
                own = np.abs((some[near] - center) @ turns[number])
                yield row, order[start + near[(own <= half[number]).all(axis=1)]]


def counts(boxes: Boxes, sweeps: Iterable[PlacedSweep]) -> NDArray[np.int64] | None:
    """How many points lie in each box, all at once; ``None`` where there are too many to count while painting."""
    found = np.zeros(len(boxes.ids), np.int64)
    for sweep in sweeps:
        if sweep.by_x is None:
            return None
        for row, there in boxes.within(sweep.points, range(len(boxes.ids)), by_x=sweep.by_x):
            found[row] += len(there)
    return found


NO_BOXES = Boxes((), np.empty((0, 3)), np.empty((0, 3)), np.empty((0, 4)))


def moving_rows(then: Boxes, now: Boxes) -> list[int]:
    """Rows of ``then`` that stand elsewhere now. Of what is not labelled now nothing says that it moves."""
    where = {key: row for row, key in enumerate(now.ids)}
    pairs = [(row, where[key]) for row, key in enumerate(then.ids) if key in where]
    if not pairs:
        return []
    rows, others = np.array(pairs).T
    far = np.linalg.norm(then.centers[rows] - now.centers[others], axis=1)
    alike = np.abs((then.rotations[rows] * now.rotations[others]).sum(axis=1))
    turned = 2 * np.arccos(np.minimum(1.0, alike))
    found: list[int] = rows[(far > _MOVED_M) | (turned > _MOVED_RAD)].tolist()
    return found


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SweepWanted:
    """One sweep to be shown."""

    key: str
    sweep: PlacedSweep
    current: bool
    stream_colour: Rgb
    size_px: int
    without: tuple[Boxes, tuple[int, ...]] | None = None
    """Leave out what lies in these rows: things that moved since."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Painting:
    """How points are coloured. Two equal ones colour alike: it is part of the key of what is kept."""

    by: ColourBy
    ground_m: float
    scales: Scales
    boxes: Boxes = NO_BOXES
    box_colours: NDArray[np.uint8] = field(default_factory=lambda: np.empty((0, 3), np.uint8))
    sets: Mapping[str, Sequence[tuple[NDArray[np.int64], Rgb]]] = field(default_factory=dict)
    """By ``SweepWanted.key``: points of the sweep (by their number in the file) and their colour, for what is labelled
    point by point."""
    from_cameras: Callable[[PlacedSweep], Colours | None] | None = None

    @property
    def of_things(self) -> bool:
        """Whether colours depend on what is labelled."""
        return self.by is ColourBy.CLASS


_Entry = tuple[object, NDArray[np.float32], NDArray[np.int64] | None, Colours]


class Coloured:
    """What was coloured before, within a limit of bytes. The render thread's own."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[object, ...], _Entry] = OrderedDict()
        self._bytes = 0

    def get(
        self, wanted: SweepWanted, painting: Painting
    ) -> tuple[NDArray[np.float32], NDArray[np.int64] | None, Colours]:
        """Points, their rows in the sweep, and their colours."""
        boxes, rows = wanted.without or (None, ())
        key: tuple[object, ...] = (
            id(wanted.sweep), painting.by, round(painting.ground_m, 2), None if boxes is None else id(boxes), rows,
            id(painting.boxes) if painting.of_things else 0, id(painting.sets) if painting.of_things else 0,
            id(painting.from_cameras) if painting.by is ColourBy.CAMERA else 0,
        )  # fmt: skip
        found = self._held.get(key)
        if found is None:
            made = _coloured(wanted, painting)
            found = ((wanted.sweep, boxes, painting), *made)  # holding what the key names by its id
            self._held[key] = found
            self._bytes += _size(found)
            while self._bytes > _HELD_BYTES and len(self._held) > 1:
                self._bytes -= _size(self._held.popitem(last=False)[1])
        self._held.move_to_end(key)
        return found[1:]


def _size(entry: _Entry) -> int:
    return entry[1].nbytes + entry[3].nbytes


def _coloured(wanted: SweepWanted, painting: Painting) -> tuple[NDArray[np.float32], NDArray[np.int64] | None, Colours]:
    sweep = wanted.sweep
    colours = _all_colours(wanted, painting)
    if wanted.without is None:
        return sweep.points, sweep.rows, colours
    boxes, rows = wanted.without
    kept = np.flatnonzero(boxes.inside(sweep.points, rows, _AROUND_M, by_x=sweep.by_x) < 0)
    if len(kept) == len(sweep.points):
        return sweep.points, sweep.rows, colours
    of_file = kept if sweep.rows is None else sweep.rows[kept]
    return np.ascontiguousarray(sweep.points[kept]), of_file, np.ascontiguousarray(colours[kept])


def _all_colours(wanted: SweepWanted, painting: Painting) -> Colours:
    sweep = wanted.sweep
    if painting.by is ColourBy.CAMERA and painting.from_cameras is not None:
        seen = painting.from_cameras(sweep)
        if seen is not None:
            return seen
    colours = colours_of(painting.by, sweep, painting.scales, painting.ground_m, wanted.stream_colour)
    if not painting.of_things:
        return colours
    if len(painting.boxes.ids):
        which = painting.boxes.inside(sweep.points, range(len(painting.boxes.ids)), by_x=sweep.by_x)
        there = which >= 0
        colours[there] = painting.box_colours[which[there]]
    for indices, colour in painting.sets.get(wanted.key, ()):
        chosen = indices if sweep.rows is None else np.flatnonzero(np.isin(sweep.rows, indices))
        colours[chosen[(chosen >= 0) & (chosen < len(colours))]] = colour
    return colours
