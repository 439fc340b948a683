"""Points drawn by a graphics card, through an off-screen window of VTK that is read back.

The card draws each point's number as its colour; picture, depth and picking follow from the numbers exactly as in the
splat, so that both show the same. ``space_scene`` makes one where OpenGL is not drawn by the processor anyway.
The window belongs to the thread that made it. Check the system's libraries first: without them VTK's import crashes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from vtkmodules import vtkRenderingOpenGL2  # before any window is made, or it is an abstract one
from vtkmodules.util import numpy_support
from vtkmodules.vtkCommonCore import vtkPoints, vtkUnsignedCharArray
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor, vtkRenderer, vtkRenderWindow

from workstation.ui.scenes.cloud_scene import BACKGROUND, EMPTY, PointLayer, PointPicture, packed_colours, size_of
from workstation.ui.scenes.space_view import NEAREST_M, SpaceView
from workstation.ui.scenes.splat_kernels import OrderedCloud, in_order, orthographic_shift, pieces_until

_to_vtk: Callable[..., Any] = numpy_support.numpy_to_vtk
_from_vtk: Callable[..., Any] = numpy_support.vtk_to_numpy
_DIGIT_BITS: Final = 24
"""Of a point's number, drawn as red, green and blue in one go. More points take a second go."""
_DEPTH_RANGE: Final = 2e4
"""Far over near at most, or near neighbours are drawn through each other."""


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """A level of a cloud on the card; one actor for each digit of the numbers."""

    actors: tuple[Any, ...]
    pieces: int
    """Pieces of the cloud up to its end."""
    kept: tuple[Any, ...]
    """Arrays that VTK reads without owning them."""


class VtkPainter:
    """See ``PointPainter``."""

    def __init__(self, window: str = "vtkRenderWindow") -> None:
        """``window``: a kind of VTK's; one that this system lacks becomes the usual one."""
        self._window: vtkRenderWindow = getattr(vtkRenderingOpenGL2, window, vtkRenderWindow)()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)
        self._renderer = vtkRenderer()
        self._renderer.SetBackground(0.0, 0.0, 0.0)
        self._window.AddRenderer(self._renderer)
        self._window.SetSize(8, 8)
        self._window.Render()
        lines = (line.partition(":") for line in self._window.ReportCapabilities().splitlines())
        renderer = next((said.strip() for name, _, said in lines if name.strip() == "OpenGL renderer string"), "")
        self._name = f"VTK on {renderer or 'an unnamed renderer'}"
        self._layers: tuple[PointLayer, ...] = ()
        self._clouds: tuple[OrderedCloud, ...] = ()
        self._levels: tuple[tuple[_Level, ...], ...] = ()
        self._starts = np.zeros(1, np.int64)
        self._colours = np.array([BACKGROUND])

    @property
    def name(self) -> str:
        """With the renderer that OpenGL names."""
        return self._name

    def set_points(self, layers: Sequence[PointLayer]) -> None:
        """Show these from now on."""
        self._renderer.RemoveAllViewProps()
        layers = tuple(layers)
        starts = np.cumsum([0, *(len(layer.points) for layer in layers)])
        digits = 1 if int(starts[-1]) < (1 << _DIGIT_BITS) - 1 else 2
        clouds = tuple(in_order(layer.points) for layer in layers)
        self._colours = np.concatenate(
            [
                *(packed_colours(layer.colours).take(cloud.order) for layer, cloud in zip(layers, clouds, strict=True)),
                np.array([BACKGROUND]),
            ]
        )
        self._levels = tuple(
            self._uploaded(cloud, start, size_of(layer), digits)
            for layer, cloud, start in zip(layers, clouds, starts.tolist(), strict=False)
        )
        self._layers, self._clouds, self._starts = layers, clouds, starts

    def _uploaded(self, cloud: OrderedCloud, start: int, size_px: int, digits: int) -> tuple[_Level, ...]:
        levels, begin = [], 0
        for pieces in cloud.levels.tolist():
            end = int(cloud.begins[pieces])
            if end > begin:
                points = np.ascontiguousarray(cloud.points[:, begin:end].T)
                there = ~np.isnan(points[:, 0])
                number = np.arange(start + begin + 1, start + end + 1, dtype=np.int64)[there]
                made = [
                    _actor(
                        points[there], (number >> _DIGIT_BITS * digit) & (1 << _DIGIT_BITS) - 1, cloud.center, size_px
                    )
                    for digit in range(digits)
                ]
                for actor, _ in made:
                    self._renderer.AddActor(actor)
                levels.append(_Level(tuple(actor for actor, _ in made), pieces, tuple(kept for _, kept in made)))
            begin = end
        return tuple(levels)

    def paint(
        self, view: SpaceView, *, budget: int | None = None, cancelled: Callable[[], bool] | None = None
    ) -> PointPicture:
        """Draw at most ``budget`` points. A card draws at once or not at all: nothing is left to go on with."""
        until = pieces_until(self._clouds, budget)
        shift = orthographic_shift(self._clouds, view)
        number = np.full((max(0, view.height_px), max(0, view.width_px)), -1, np.int64)
        stopped = cancelled is not None and cancelled()
        if number.size and not stopped:
            self._aim(view)
            number = self._numbers(number.shape, until)
        drawn = sum(int(cloud.begins[end]) for cloud, end in zip(self._clouds, until, strict=True))
        return PointPicture(
            view=view,
            image=self._colours.take(number, mode="wrap"),
            packed=self._packed(number, view, shift),
            depth_shift=shift,
            layers=self._layers,
            starts=self._starts,
            orders=tuple(cloud.order for cloud in self._clouds),
            drawn=0 if stopped else drawn,
        )

    def _aim(self, view: SpaceView) -> None:
        if self._window.GetSize() != (view.width_px, view.height_px):
            self._window.SetSize(view.width_px, view.height_px)
        camera = self._renderer.GetActiveCamera()
        _, down, forward = view.axes()
        near, far = _range(self._clouds, view)
        eye = np.asarray(view.eye)
        if view.fov_deg is None:
            # OpenGL shows nothing behind the eye, so it steps back to before everything.
            back = max(0.0, 1.0 - near)
            eye, near, far = eye - forward * back, near + back, far + back
            camera.SetParallelProjection(1)
            camera.SetParallelScale(view.height_m / 2)
        else:
            near = max(near, far / _DEPTH_RANGE)
            camera.SetParallelProjection(0)
            camera.SetViewAngle(view.fov_deg)
        camera.SetPosition(*eye.tolist())
        camera.SetFocalPoint(*(eye + forward * max(view.distance_m, 1.0)).tolist())
        camera.SetViewUp(*(-down).tolist())
        camera.SetClippingRange(near, far)

    def _numbers(self, shape: tuple[int, ...], until: Sequence[int]) -> NDArray[np.int64]:
        """(h, w) number of each pixel's point, -1 where there is none."""
        total = np.zeros(shape, np.int64)
        digits = max((len(level.actors) for levels in self._levels for level in levels), default=0)
        for digit in range(digits):
            for levels, end in zip(self._levels, until, strict=True):
                for level in levels:
                    for number, actor in enumerate(level.actors):
                        actor.SetVisibility(number == digit and level.pieces <= end)
            self._window.Render()
            total |= self._read(shape) << (_DIGIT_BITS * digit)
        return total - 1

    def _read(self, shape: tuple[int, ...]) -> NDArray[np.int64]:
        height, width = shape
        pixels = vtkUnsignedCharArray()
        self._window.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, pixels, 0)
        read = _from_vtk(pixels).reshape(height, width, 4)[::-1].astype(np.int64)
        return np.asarray(read[..., 0] | read[..., 1] << 8 | read[..., 2] << 16, np.int64)

    def _packed(self, number: NDArray[np.int64], view: SpaceView, shift: float) -> NDArray[np.uint64]:
        """Depth is worked out from the points: the card's own is coarse far away."""
        packed = np.full(number.shape, EMPTY)
        row = view.matrix()[2]
        for cloud, start in zip(self._clouds, self._starts.tolist(), strict=False):
            there = (number >= start) & (number < start + len(cloud.order))
            found = number[there]
            depth = row[:3].astype(np.float32) @ cloud.points[:, found - start]
            depth += np.float32(row[3] + row[:3] @ cloud.center + shift)
            bits = np.maximum(depth, np.float32(NEAREST_M)).view(np.uint32).astype(np.uint64)
            packed[there] = bits << np.uint64(32) | found.astype(np.uint64)
        return packed

    def close(self) -> None:
        """Let go of the points, then of the window."""
        self.set_points(())
        self._window.RemoveRenderer(self._renderer)
        self._window.Finalize()


def _actor(
    points: NDArray[np.float32], digits: NDArray[np.int64], center: NDArray[np.float64], size_px: int
) -> tuple[Any, tuple[Any, ...]]:
    """(actor, what must live as long): squares of a size, each in the colour that says 24 bits of its number."""
    colours = np.empty((len(points), 3), np.uint8)
    for channel in range(3):
        colours[:, channel] = digits >> (8 * channel) & 0xFF
    places = vtkPoints()
    places.SetData(_to_vtk(points, deep=0))
    data = vtkPolyData()
    data.SetPoints(places)
    data.GetPointData().SetScalars(_to_vtk(colours, deep=0))
    mapper = vtkRenderingOpenGL2.vtkOpenGLPointGaussianMapper()  # draws points without a cell for each
    mapper.SetInputData(data)
    mapper.SetScaleFactor(0.0)
    mapper.EmissiveOff()
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.SetPosition(*center.tolist())
    actor.ForceOpaqueOn()
    actor.GetProperty().SetPointSize(size_px)
    actor.GetProperty().LightingOff()
    return actor, (points, colours)


def _range(clouds: Sequence[OrderedCloud], view: SpaceView) -> tuple[float, float]:
    ranges = [view.clip(*cloud.bounds) for cloud in clouds if cloud.bounds is not None]
    if not ranges:
        return NEAREST_M, 1.0
    return min(near for near, _ in ranges), max(far for _, far in ranges)


def prove(window: str) -> None:
    """Say as JSON who draws, and whether a point is drawn and found. For a child process: a bad driver crashes it."""
    painter = VtkPainter(window)
    middle = np.array([[5, 0, 0]], np.float32)
    painter.set_points([PointLayer("proof", middle, np.array([[10, 20, 30]], np.uint8))])
    view = SpaceView(eye=(0, 0, 0), target=(1, 0, 0), width_px=9, height_px=9)
    picture = painter.paint(view)
    seen = (picture.packed != EMPTY).sum() == 4 and picture.image[4, 4] == 0xFF0A141E
    print(json.dumps({"renderer": painter.name.removeprefix("VTK on "), "right": bool(seen)}))  # noqa: T201
    painter.close()
