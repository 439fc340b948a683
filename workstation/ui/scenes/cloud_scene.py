"""What a 3-D view shows and how it is asked for: layers in, a picture with depth and point numbers out.

Two painters draw points, the splat (``splat_scene``, no graphics card needed) and VTK (``vtk_scene``);
``scene_for_this_machine`` (in ``space_scene``) chooses. Lines and faces are drawn over a picture of points by
``space_strokes``, for both alike, so that a cuboid which follows the mouse redraws no points.

Panes that show space (the cloud, its side views, the strip) own a scene each. ``paint_points`` belongs to one worker
at a time; everything else is cheap, reads finished pictures only and may be called from the window's thread meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from workstation.core.poses import Vector
from workstation.ui.scenes.space_view import SpaceView

EMPTY: Final = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
"""A packed pixel that shows nothing: farther than anything."""
REACH_M: Final = 1e9
"""What lies farther from the origin is no place and is not drawn: float32 would be off by 64 m there."""
BACKGROUND: Final = np.uint32(0xFF101418)
LARGEST_PX: Final = 8
LAYER_SHIFT: Final = 40
"""``Rendered.index`` is ``layer << LAYER_SHIFT | point``, or -1."""


@dataclass(frozen=True, slots=True, eq=False)
class PointLayer:
    """Points that are shown together, such as the sweep of one LiDAR. Arrays are not copied: do not write to them."""

    key: str
    points: NDArray[np.float32]
    """(n, 3) metres in the scene's frame; points that are not finite are not shown."""
    colours: NDArray[np.uint8]
    """(n, 3) red, green, blue."""
    size_px: int = 2
    """Side of the square a point is drawn as, 1 to 8."""

    def __post_init__(self) -> None:
        if self.points.ndim != 2 or self.points.shape[1] != 3 or self.colours.shape != self.points.shape:
            raise ValueError(f"layer {self.key!r}: {self.points.shape} points with {self.colours.shape} colours")


@dataclass(frozen=True, slots=True, eq=False)
class LineLayer:
    """Straight lines: cuboids, frusta, the grid, the cursor."""

    key: str
    segments: NDArray[np.float32]
    """(m, 2, 3) metres: begin and end."""
    colours: NDArray[np.uint8]
    """(m, 3) or (m, 4) with opacity."""
    width_px: float = 1.5
    dashed: bool = False
    on_top: bool = False
    """Seen through points too."""
    behind: float = 0.0
    """Opacity of what points hide, 0 to 1; what is ``on_top`` nothing hides."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceLayer:
    """Flat faces, faintly filled: sides of the selected cuboid."""

    key: str
    quads: NDArray[np.float32]
    """(m, 4, 3) metres, corners in order."""
    colours: NDArray[np.uint8]
    """(m, 4) red, green, blue, opacity."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PointPicture:
    """The points of a scene from one view. Finished: nobody writes to it any more."""

    view: SpaceView
    image: NDArray[np.uint32]
    """(h, w) 0xFFRRGGBB: the bytes of ``QImage.Format_RGB32``."""
    packed: NDArray[np.uint64]
    """(h, w) bits of the float32 ``depth + depth_shift``, then the point's number in the scene; or ``EMPTY``."""
    depth_shift: float
    """What was added to keep depths positive; zero in a perspective view."""
    layers: tuple[PointLayer, ...]
    starts: NDArray[np.int64]
    """(layers + 1,) number in the scene of each layer's first point, then their sum."""
    orders: tuple[NDArray[np.uint32], ...]
    """Which point of its layer a number means, counted from the layer's first: painters draw in their own order."""
    drawn: int
    """How many points were drawn; fewer than all while the camera moves or after a cancel."""
    coarse: bool = False
    """Whether an even part of the points stands for all, which are still being put in order."""

    @property
    def complete(self) -> bool:
        """Every point has been drawn."""
        return not self.coarse and self.drawn >= int(self.starts[-1])


@dataclass(frozen=True, eq=False, kw_only=True)
class Hit:
    """A point under the pointer."""

    key: str
    """Of its layer."""
    index: int
    """Its number in the layer."""
    point: Vector
    depth_m: float


@dataclass(frozen=True, eq=False)
class Rendered:
    """What is on the screen: points with lines and faces over them. ``depth`` and ``index`` are those of the points."""

    points: PointPicture
    image: NDArray[np.uint8] = field(repr=False)
    """(h, w, 4) blue, green, red, 255: ready for ``QImage.Format_RGB32``."""

    @property
    def view(self) -> SpaceView:
        """The view it was drawn from."""
        return self.points.view

    @cached_property
    def depth(self) -> NDArray[np.float32]:
        """(h, w) metres along the view; infinite where no point is."""
        return depth_of(self.points.packed, self.points.depth_shift)

    @cached_property
    def index(self) -> NDArray[np.int64]:
        """(h, w) ``layer << LAYER_SHIFT | point``, or -1. Made when first asked for; picking does not need it."""
        packed = self.points.packed
        number = (packed & np.uint64(0xFFFF_FFFF)).astype(np.int64)
        index = np.full(packed.shape, -1, np.int64)
        for layer, order in enumerate(self.points.orders):
            here = number - self.points.starts[layer]
            inside = (here >= 0) & (here < len(order))
            index[inside] = order[here[inside]].astype(np.int64) | layer << LAYER_SHIFT
        return index


class PointPainter(Protocol):
    """Draws points; lines come over them afterwards. Called from one thread at a time."""

    @property
    def name(self) -> str:
        """For doctor and the about box: "splat", "splat, compiled", "VTK on …"."""
        ...

    def set_points(self, layers: Sequence[PointLayer]) -> None:
        """Show these from now on. A layer whose arrays are the same objects as before costs nothing."""
        ...

    def paint(
        self, view: SpaceView, *, budget: int | None = None, cancelled: Callable[[], bool] | None = None
    ) -> PointPicture:
        """Draw at most ``budget`` points, spread over the cloud. Goes on from the last picture of the same view.

        ``cancelled`` is asked every few milliseconds; the picture is then what has been drawn so far.
        """
        ...

    def close(self) -> None:
        """Let go of memory and windows. Nothing may be called afterwards."""
        ...


class CloudScene(Protocol):
    """Everything a 3-D view shows, whoever draws the points."""

    @property
    def name(self) -> str:
        """Who draws the points."""
        ...

    def set_points(self, layers: Sequence[PointLayer]) -> None:
        """Show these points from the next ``paint_points`` on."""
        ...

    def set_lines(self, layers: Sequence[LineLayer]) -> None:
        """Show these lines from the next ``draw`` on."""
        ...

    def set_faces(self, layers: Sequence[FaceLayer]) -> None:
        """Show these faces from the next ``draw`` on: over the lines, under those that are on top."""
        ...

    def paint_points(
        self, view: SpaceView, *, budget: int | None = None, cancelled: Callable[[], bool] | None = None
    ) -> PointPicture:
        """The points alone; see ``PointPainter.paint``. For one worker at a time."""
        ...

    def draw(self, points: PointPicture) -> Rendered:
        """Faces and lines of now over a picture of points. On any thread; takes a few milliseconds."""
        ...

    def render(self, view: SpaceView, *, budget: int | None = None) -> Rendered:
        """Both at once. Where view and points are those of last time, only the lines are drawn anew."""
        ...

    def pick(self, rendered: Rendered, x_px: float, y_px: float, radius_px: int = 4) -> Hit | None:
        """The point under a pixel, or the frontmost one at most ``radius_px`` away."""
        ...

    def close(self) -> None:
        """Let go of memory and windows; on the worker that paints."""
        ...


def depth_of(packed: NDArray[np.uint64], shift: float = 0.0) -> NDArray[np.float32]:
    """Metres of packed pixels, infinite where empty."""
    bits = np.ascontiguousarray((packed >> np.uint64(32)).astype(np.uint32))
    return np.where(packed == EMPTY, np.float32(np.inf), bits.view(np.float32) - np.float32(shift))


def size_of(layer: PointLayer) -> int:
    """Side in pixels that its points are drawn with."""
    return min(max(layer.size_px, 1), LARGEST_PX)


def packed_colours(colours: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """(n,) 0xFFRRGGBB of (n, 3) red, green, blue."""
    packed = np.full(len(colours), 0xFF000000, np.uint32)
    for channel, shift in ((0, 16), (1, 8), (2, 0)):
        packed |= colours[:, channel].astype(np.uint32) << np.uint32(shift)
    return packed


def pick(rendered: Rendered, x_px: float, y_px: float, radius_px: int = 4) -> Hit | None:
    """The point under a pixel, or the frontmost one at most ``radius_px`` away."""
    found = _nearest(rendered.points, x_px, y_px, radius_px)
    if found is None:
        return None
    picture, (number, depth) = rendered.points, found
    layer = int(np.searchsorted(picture.starts, number, side="right")) - 1
    index = int(picture.orders[layer][number - int(picture.starts[layer])])
    x, y, z = picture.layers[layer].points[index].tolist()
    return Hit(key=picture.layers[layer].key, index=index, point=(x, y, z), depth_m=depth)


def _nearest(picture: PointPicture, x_px: float, y_px: float, radius_px: int) -> tuple[int, float] | None:
    """(number in the scene, depth): of the pixel itself, otherwise the frontmost about it."""
    height, width = picture.packed.shape
    if not (np.isfinite(x_px) and np.isfinite(y_px)):
        return None
    column, row = int(np.floor(x_px)), int(np.floor(y_px))
    for reach in (0, max(0, radius_px)):
        rows = slice(max(0, row - reach), min(height, row + reach + 1))
        columns = slice(max(0, column - reach), min(width, column + reach + 1))
        near = picture.packed[rows, columns] if rows.start < rows.stop and columns.start < columns.stop else None
        if near is None or near.size == 0:
            continue
        down, across = np.ogrid[rows, columns]
        round_about = (down - row) ** 2 + (across - column) ** 2 <= reach**2
        best = near[round_about].min(initial=EMPTY)
        if best != EMPTY:
            depth = float(depth_of(np.array([best]), picture.depth_shift)[0])
            return int(best & np.uint64(0xFFFF_FFFF)), depth
    return None
