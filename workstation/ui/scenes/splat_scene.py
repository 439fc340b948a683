"""Points drawn without a graphics card: every point is written into one picture of depths, the nearest one stays.

A pixel is one uint64 with the depth above and the point's number below, so drawing is a minimum and picking a read.
``space_scene`` makes one where OpenGL would be drawn by the processor anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workstation.ui.scenes.cloud_scene import EMPTY, PointLayer, PointPicture
from workstation.ui.scenes.space_view import NEAREST_M, SpaceView

BACKGROUND: Final = np.uint32(0xFF101418)
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A layer in the order it is drawn: shuffled, so that any beginning of it shows the whole."""

    source: PointLayer
    points: NDArray[np.float32]
    order: NDArray[np.uint32]


class SplatPainter:
    """See ``PointPainter``."""

    name = "splat"

    def __init__(self) -> None:
        self._layers: tuple[_Prepared, ...] = ()

    def set_points(self, layers: Sequence[PointLayer]) -> None:
        """Show these from now on."""
        self._layers = tuple(_prepared(layer) for layer in layers)

    def paint(
        self, view: SpaceView, *, budget: int | None = None, cancelled: Callable[[], bool] | None = None
    ) -> PointPicture:
        """Draw at most ``budget`` points."""
        height, width = max(0, view.height_px), max(0, view.width_px)
        packed = np.full(height * width, EMPTY)
        starts = np.cumsum([0, *(len(layer.source.points) for layer in self._layers)])
        total = int(starts[-1])
        share = 1.0 if budget is None or total == 0 else min(1.0, budget / total)
        matrix = view.matrix()
        shift = 0.0 if view.fov_deg is not None else 1e6
        drawn = 0
        for layer, start in zip(self._layers, starts, strict=False):
            for begin in range(0, int(len(layer.points) * share), _CHUNK):
                if cancelled is not None and cancelled():
                    break
                chunk = slice(begin, min(begin + _CHUNK, int(len(layer.points) * share)))
                _splat(packed, view, matrix, layer.points[chunk], layer.order[chunk] + np.uint32(start), shift)
            drawn += int(len(layer.source.points) * share)
        picture = packed.reshape(height, width)
        colours = np.concatenate([*(_packed_colours(layer.source.colours) for layer in self._layers), [BACKGROUND]])
        number = np.where(picture == EMPTY, np.uint64(total), picture & np.uint64(0xFFFF_FFFF))
        return PointPicture(
            view=view,
            image=colours[number.astype(np.int64)],
            packed=picture,
            depth_shift=shift,
            keys=tuple(layer.source.key for layer in self._layers),
            starts=starts,
            points=tuple(layer.source.points for layer in self._layers),
            drawn=drawn,
        )

    def close(self) -> None:
        """Let go of the points."""
        self._layers = ()


def _prepared(layer: PointLayer) -> _Prepared:
    finite = np.flatnonzero(np.isfinite(layer.points).all(axis=1))
    order = np.random.default_rng(len(finite)).permutation(finite).astype(np.uint32)
    return _Prepared(layer, layer.points[order], order)


def _packed_colours(colours: NDArray[np.uint8]) -> NDArray[np.uint32]:
    red, green, blue = colours.astype(np.uint32).T
    return np.asarray(np.uint32(0xFF000000) | red << np.uint32(16) | green << np.uint32(8) | blue)


def _splat(
    packed: NDArray[np.uint64],
    view: SpaceView,
    matrix: NDArray[np.float64],
    points: NDArray[np.float32],
    numbers: NDArray[np.uint32],
    shift: float,
) -> None:
    height, width = view.height_px, view.width_px
    with np.errstate(all="ignore"):
        mapped = points.astype(np.float64) @ matrix[:, :3].T + matrix[:, 3]
        x, y = mapped[:, 0] / mapped[:, 3], mapped[:, 1] / mapped[:, 3]
    depth = mapped[:, 2]
    with np.errstate(all="ignore"):
        seen = (x >= -1) & (x < width) & (y >= -1) & (y < height) & (depth + shift > NEAREST_M)
    there = np.flatnonzero(seen)
    column, row = np.round(x[there]).astype(np.int64) - 1, np.round(y[there]).astype(np.int64) - 1
    bits = (depth[there] + shift).astype(np.float32).view(np.uint32).astype(np.uint64)
    value = bits << np.uint64(32) | numbers[there]
    for down, across in ((0, 0), (0, 1), (1, 0), (1, 1)):
        here = (row + down >= 0) & (row + down < height) & (column + across >= 0) & (column + across < width)
        np.minimum.at(packed, (row[here] + down) * width + column[here] + across, value[here])
