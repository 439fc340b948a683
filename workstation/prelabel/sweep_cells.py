"""The points of a sweep sorted into the cells of a grid, as detectors of the kind of PointPillars take them. Used by
the families ``lidar_pillars``, ``lidar_anchors`` and ``lidar_centers``.

``voxels`` (cells, most, features) padded with zeros, ``num_points`` (cells,) and ``coors`` (cells, 4) as batch, z, y,
x. Option ``cell``: its size along x, y and z; a pillar is as high as the range. ``max_points`` a cell, ``max_cells``.
Cells come in the order in which a sweep first hits them, as these models are trained.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.api import ModelCard, Prepared, SensorSweep
from workstation.prelabel.sweep_tensors import SweepInput, input_name, numbers, whole, wrong

INPUTS = frozenset({"voxels", "num_points", "coors"})
_USUAL_CELL = (0.16, 0.16, 6.0)
MOST_CELLS = 1 << 20


def in_cells(card: ModelCard, sweep: SensorSweep) -> Prepared:
    """The three tensors, by the names the graph has for them."""
    wanted = SweepInput.of(card)
    if wanted.features[:3] != ("x", "y", "z"):
        raise wrong("features", "must begin with x, y, z")
    voxels, counts, places = sorted_in(
        wanted.rows(sweep), wanted.low, cell_of(card), most=whole(card, "max_points", 32, 4096),
        cells=whole(card, "max_cells", 40_000, MOST_CELLS),
    )  # fmt: skip
    kind = np.int64 if card.options.get("index_type") == "int64" else np.int32
    return Prepared(
        {
            input_name(card, "voxels"): voxels,
            input_name(card, "num_points"): counts.astype(kind),
            input_name(card, "coors"): places.astype(kind),
        },
        None,
    )


def cell_of(card: ModelCard) -> NDArray[np.float64]:
    """How large a cell is along x, y and z."""
    cell = np.array(numbers(card, "cell", _USUAL_CELL))
    if not (cell > 0).all():
        raise wrong("cell", "must be three lengths above nought")
    return cell


def takes_cells(inputs: Collection[str]) -> bool:
    """Whether a graph with these inputs is fed so."""
    return set(inputs) >= INPUTS


def sorted_in(
    rows: NDArray[np.float32], low: NDArray[np.float64], cell: NDArray[np.float64], *, most: int, cells: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Voxels (k, most, features), how many points each holds (k,), and their places (k, 4): batch, z, y, x."""
    at = np.floor((rows[:, :3].astype(np.float64) - low) / cell).astype(np.int64)
    held, first, which = np.unique(at, axis=0, return_index=True, return_inverse=True)
    # Numbered by first hit; of more than there is room for, the later are left out.
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(held), np.int64)
    rank[order] = np.arange(len(held))
    number = rank[which.ravel()]
    sort = np.argsort(number, kind="stable")
    starts = np.searchsorted(number[sort], np.arange(len(held)))
    slot = np.empty(len(rows), np.int64)
    slot[sort] = np.arange(len(rows)) - starts[number[sort]]
    kept = (slot < most) & (number < cells)
    count = min(len(held), cells)
    voxels = np.zeros((count, most, rows.shape[1]), np.float32)
    voxels[number[kept], slot[kept]] = rows[kept]
    counts = np.minimum(np.bincount(number, minlength=len(held)), most)[:count]
    places = np.zeros((count, 4), np.int64)
    places[:, 1:] = held[order[:count]][:, ::-1]
    return voxels, counts, places
