"""The cuboids of one sweep without a trained model: ground, things that hang together, boxes by size of class.

Called by ``app/lidar_prelabelling.py`` sweep by sweep; ``lidar_tracks.py`` makes tracks of them. Deterministic, on any
machine, and honest about what it is: it knows sizes and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workstation.core.box_fitting import Size
from workstation.core.cuboid_edits import inside
from workstation.core.geometry import Cuboid
from workstation.prelabel.api import FoundCuboid
from workstation.prelabel.cuboid_overlap import bird_eye_iou, rows_of
from workstation.prelabel.lidar_boxes import Boxer
from workstation.prelabel.lidar_clusters import parts, standing, things
from workstation.prelabel.lidar_ground import CLEAR_M, ground_of, usable
from workstation.prelabel.lidar_merging import merged

Vec3 = tuple[float, float, float]
NAME = "lidar-clusters"
"""By which its proposals name it."""
VERSION = "3"
_FEWEST_OF_A_PART = 3
_MOST_SHARED = 0.1
_BESIDE_M = 0.3


def cuboids_in(
    points: NDArray[np.floating],
    sizes: Mapping[str, Size],
    *,
    eye: Vec3 = (0.0, 0.0, 0.0),
    heading_rad: float = 0.0,
    common: Mapping[str, float] = {},
) -> list[FoundCuboid]:
    """What stands on the ground in a sweep (n, 3), metres with z up, best first.

    ``sizes``: length, width and height of the classes that may be proposed. ``eye``: where the sensor was.
    ``common``: how much a class is to be believed where size alone leaves several, 1 if not said.
    """
    if not sizes:
        return []
    kept = np.flatnonzero(usable(points, eye))
    near = np.asarray(points[kept], np.float64)
    ground = ground_of(near)
    if ground is None:
        return []
    stands = standing(near, ground, eye)
    above = np.flatnonzero(stands)
    clear = near[above]
    over = near[~stands & (near[:, 2] - ground.at(near) > CLEAR_M)]
    boxer = Boxer.of(clear, ground, sizes, eye=eye, heading_rad=heading_rad, common=common, over=over)
    whole = merged(clear, parts(things(clear, eye), fewest=_FEWEST_OF_A_PART), boxer.worth)
    found = _whole_ones(apart(boxer.boxes(whole)), clear)
    rows = kept[above]
    return [replace(each, points=None if each.points is None else rows[each.points]) for each in found]


def apart(found: Sequence[FoundCuboid], most: float = _MOST_SHARED) -> list[FoundCuboid]:
    """Without those that share ground with one that is better: two things do not stand in one place. Best first."""
    ordered = sorted(found, key=lambda each: -each.score)
    shared = bird_eye_iou(rows_of(ordered), rows_of(ordered)) > most
    kept: list[int] = []
    for number in range(len(ordered)):
        if not shared[number, kept].any():
            kept.append(number)
    return [ordered[number] for number in kept]


def _whole_ones(found: Sequence[FoundCuboid], points: NDArray[np.float64]) -> list[FoundCuboid]:
    """Without those whose own points lie in a better one: strips of a flank that few rays graze."""
    kept: list[FoundCuboid] = []
    free = np.ones(len(points), np.bool_)
    for each in found:
        if each.points is not None and 2 * free[each.points].sum() >= len(each.points):
            kept.append(each)
            free &= ~inside(Cuboid(each.center, each.size, each.rotation), points, grown_m=_BESIDE_M)
    return kept
