"""Where a cuboid's projection would make a 2D box: at the picture a camera shows, or along the whole track.

Asked by the action "Adopt as 2D box" (``ui/actions/one_space.py``), which hands what is found to the command
``cuboid.adopt_boxes``. Boxes are tight around what shows, clipped to the picture, at each picture's own exposure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from workstation.app.moment import table_of
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.core.annotation import Presence
from workstation.core.cameras import Camera
from workstation.core.errors import DataError
from workstation.core.frametable import shown_capture
from workstation.core.geometry import Box
from workstation.core.sample import Stream
from workstation.core.timebase import FrameTable
from workstation.core.values import dataclass

_LEAST_PX = 2.0
"""What shows as less than this is not seen."""
_OFF_PX = 1.0
"""Between two keyframes a box may be off its projection by so much."""
_STEP = 16
"""Pictures between two looks along a track; what comes and goes between them is found if it stays as long."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A cuboid in one picture."""

    own_ns: int
    """The picture's own time."""
    box: Box | None
    """``None`` where nothing shows of it."""
    occluded: bool = False

    def as_moment(self) -> dict[str, Any]:
        """As ``cuboid.adopt_boxes`` takes it."""
        if self.box is None:
            return {"time_ns": self.own_ns, "presence": Presence.ABSENT}
        presence = Presence.OCCLUDED if self.occluded else Presence.VISIBLE
        return {"time_ns": self.own_ns, "shape": self.box, "presence": presence}


@dataclass(frozen=True, slots=True)
class Onlooker:
    """A calibrated camera with its pictures in time."""

    stream: Stream
    camera: Camera
    table: FrameTable


def onlookers(view: SampleView, readers: OpenStreams, placed: PlacedCuboids) -> Iterator[Onlooker]:
    """The cameras of a sample into which cuboids can be projected."""
    for stream in view.streams.values():
        camera = placed.camera_of(stream)
        if camera is None:
            continue
        try:
            table = table_of(readers.reader(stream))
        except DataError:  # a camera that cannot be read says so in its own view
            continue
        if table is not None and len(table):
            yield Onlooker(stream, camera, table)


def seen_at(placed: PlacedCuboids, onlooker: Onlooker, cuboid: str, session_ns: int) -> Seen | None:
    """The cuboid in the picture that the camera shows then; ``None`` without a picture or where it does not show."""
    shown = shown_capture(onlooker.table, onlooker.stream.time_map, session_ns)
    seen = None if shown is None else _seen(placed, onlooker, cuboid, shown.index)
    return seen if seen is not None and seen.box is not None else None


def seen_along(placed: PlacedCuboids, onlooker: Onlooker, cuboid: str) -> list[Seen]:
    """The keyframes of a box track that stays within a pixel of the projection over the cuboid's whole life, with
    absences where it does not show. Empty if the camera never sees it."""
    life = placed.life_of(cuboid)
    if life is None:
        return []
    known: dict[int, Seen] = {}

    def at(index: int) -> Seen:
        if index not in known:
            known[index] = _seen(placed, onlooker, cuboid, index)
        return known[index]

    own = onlooker.stream.time_map.to_session_array(onlooker.table.times_ns)
    there = np.flatnonzero((own >= life[0]) & (own <= life[1])).tolist()
    if not there:
        return []
    looks = sorted({*there[::_STEP], there[-1]})
    kept = {looks[0], looks[-1]}
    for first, last in pairwise(looks):
        kept |= {first, last, *_between(at, first, last)}
    return _without_repeats([at(index) for index in sorted(kept)])


def _between(at: Callable[[int], Seen], first: int, last: int) -> Iterator[int]:
    """Pictures that need a keyframe of their own for the straight way between two to be near enough."""
    if last - first < 2:
        return
    middle = (first + last) // 2
    one, two, there = at(first), at(last), at(middle)
    if one.box is None and two.box is None and there.box is None:
        return
    if one.box is not None and two.box is not None and there.box is not None:
        share = (there.own_ns - one.own_ns) / (two.own_ns - one.own_ns)
        if _apart(there.box, one.box, two.box, share) <= _OFF_PX and one.occluded == there.occluded:
            return
    yield middle
    yield from _between(at, first, middle)
    yield from _between(at, middle, last)


def _apart(box: Box, one: Box, two: Box, share: float) -> float:
    """How far the edges of a box are from where they would be on the way between two."""
    sides = [np.array((each.x, each.y, each.x + each.width, each.y + each.height)) for each in (box, one, two)]
    return float(np.abs(sides[0] - (sides[1] * (1 - share) + sides[2] * share)).max())


def _without_repeats(seen: list[Seen]) -> list[Seen]:
    """Absence is said once and holds to the next keyframe; before the first box and after the last nothing is said."""
    shown = [i for i, each in enumerate(seen) if each.box is not None]
    if not shown:
        return []
    inner = seen[shown[0] : shown[-1] + 1]
    return [each for i, each in enumerate(inner) if each.box is not None or inner[i - 1].box is not None]


def _seen(placed: PlacedCuboids, onlooker: Onlooker, cuboid: str, index: int) -> Seen:
    own_ns = int(onlooker.table.times_ns[index])
    taken_ns = onlooker.stream.time_map.to_session(own_ns)
    found = next(iter(placed.projected(onlooker.camera, taken_ns, only={cuboid})), None)
    box = None if found is None else placed.box_of(onlooker.camera, taken_ns, found)
    if found is None or box is None or min(box.right - box.left, box.bottom - box.top) < _LEAST_PX:
        return Seen(own_ns, None)
    return Seen(own_ns, Box(box.left, box.top, box.right - box.left, box.bottom - box.top), found.occluded)
