"""Points drawn without a graphics card: every point is written into one picture of depths, the nearest one stays.

A pixel is one uint64 with the depth above and the point's number below, so drawing is a minimum and picking a read.
``space_scene`` makes one where OpenGL would be drawn by the processor anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workstation.ui.scenes.cloud_scene import BACKGROUND, LARGEST_PX, PointLayer, PointPicture, packed_colours, size_of
from workstation.ui.scenes.space_view import SpaceView
from workstation.ui.scenes.splat_kernels import (
    Canvas,
    OrderedCloud,
    finished,
    in_order,
    orthographic_shift,
    pieces_in_sight,
    pieces_until,
    runs,
)


@dataclass(slots=True, eq=False)
class _Begun:
    """A view that is being drawn: what is done stays, so that more points may come."""

    view: SpaceView
    matrix: NDArray[np.float64]
    shift: float
    canvases: dict[int, Canvas]
    done: list[int] = field(default_factory=list)
    """Pieces of each layer."""


class SplatPainter:
    """See ``PointPainter``."""

    name = "splat"

    def __init__(self) -> None:
        self._layers: tuple[PointLayer, ...] = ()
        self._clouds: tuple[OrderedCloud, ...] = ()
        self._starts = np.zeros(1, np.int64)
        self._colours = np.array([BACKGROUND])
        self._begun: _Begun | None = None

    def set_points(self, layers: Sequence[PointLayer]) -> None:
        """Show these from now on. Points that were there before are not put in order again."""
        layers = tuple(layers)
        clouds = tuple(in_order(layer.points) for layer in layers)
        starts = np.cumsum([0, *(len(layer.points) for layer in layers)])
        colours = np.empty(int(starts[-1]) + 1, np.uint32)
        painted = {
            (id(layer.points), id(layer.colours)): self._colours[start : start + len(layer.points)]
            for layer, start in zip(self._layers, self._starts.tolist(), strict=False)
        }
        for layer, cloud, start in zip(layers, clouds, starts.tolist(), strict=False):
            same = painted.get((id(layer.points), id(layer.colours)))
            into = colours[start : start + len(layer.points)]
            into[:] = packed_colours(layer.colours).take(cloud.order) if same is None else same
        colours[-1] = BACKGROUND
        self._layers, self._clouds, self._starts, self._colours = layers, clouds, starts, colours
        self._begun = None

    def paint(
        self, view: SpaceView, *, budget: int | None = None, cancelled: Callable[[], bool] | None = None
    ) -> PointPicture:
        """Draw at most ``budget`` points; of the same view, those that are not there yet."""
        begun = self._begun if self._begun is not None and self._begun.view == view else self._begin(view)
        self._begun = begun
        stopped = view.width_px <= 0 or view.height_px <= 0
        until = pieces_until(self._clouds, budget)
        for number, layer in enumerate(self._layers):
            if stopped:
                break
            stopped = self._splat(begun, number, layer, until[number], cancelled)
        drawn = sum(int(cloud.begins[end]) for cloud, end in zip(self._clouds, begun.done, strict=True))
        packed, image = finished(list(begun.canvases.values()), view.width_px, view.height_px, self._colours)
        return PointPicture(
            view=view,
            image=image,
            packed=packed,
            depth_shift=begun.shift,
            layers=self._layers,
            starts=self._starts,
            orders=tuple(cloud.order for cloud in self._clouds),
            drawn=drawn,
        )

    def _begin(self, view: SpaceView) -> _Begun:
        sizes = {size_of(layer) for layer in self._layers if len(layer.points)}
        kept = self._begun.canvases if self._begun is not None else {}
        if self._begun is not None and (self._begun.view.width_px, self._begun.view.height_px) != (
            view.width_px,
            view.height_px,
        ):
            kept = {}
        canvases = {size: kept.get(size) or Canvas(view.width_px, view.height_px, size) for size in sorted(sizes)}
        for canvas in canvases.values():
            canvas.clear()
        return _Begun(view, view.matrix(), orthographic_shift(self._clouds, view), canvases, [0] * len(self._layers))

    def _splat(
        self, begun: _Begun, number: int, layer: PointLayer, until: int, cancelled: Callable[[], bool] | None
    ) -> bool:
        """Draw pieces of one layer; True when cancelled."""
        cloud, canvas = self._clouds[number], begun.canvases.get(size_of(layer))
        if begun.done[number] >= until or canvas is None:
            return False
        matrix = begun.matrix.copy()
        matrix[:, 3] += matrix[:, :3] @ cloud.center
        sight = pieces_in_sight(cloud, begun.view, matrix, 2 * LARGEST_PX)
        matrix[2, 3] += begun.shift
        flat = begun.view.fov_deg is None
        start = int(self._starts[number])
        with np.errstate(all="ignore"):
            for begin, end, done in runs(cloud, begun.done[number], until, sight):
                if cancelled is not None and cancelled():
                    return True
                canvas.splat(cloud.points[:, begin:end], matrix, start + begin, flat=flat)
                begun.done[number] = done
        begun.done[number] = until
        return False

    def close(self) -> None:
        """Let go of the points."""
        self.set_points(())
