"""The scene of a 3-D view, put together: a painter of points, and lines and faces over its pictures."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.app.doctor_probes import Answer, ask_child
from workstation.app.system_libraries import Purpose, missing
from workstation.ui.scenes.cloud_scene import (
    CloudScene,
    FaceLayer,
    Hit,
    LineLayer,
    PointLayer,
    PointPainter,
    PointPicture,
    Rendered,
    pick,
)
from workstation.ui.scenes.space_strokes import Strokes, draw_faces
from workstation.ui.scenes.space_view import SpaceView
from workstation.ui.scenes.splat_scene import SplatPainter

_log = logging.getLogger(__name__)
_WINDOWS = ("vtkEGLRenderWindow", "vtkRenderWindow")
"""Tried in turn: the first needs no X server, and finds the card beside a display that is drawn in software."""
_PROOF = "from workstation.ui.scenes.vtk_scene import prove\nprove({window!r})"
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software", "swiftshader", "lavapipe", "basic render", "gdi generic")


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """A picture with the layers that did not change between the last two draws."""

    points: PointPicture
    layers: tuple[LineLayer | FaceLayer, ...]
    image: NDArray[np.uint32]


class SpaceScene:
    """See ``CloudScene``."""

    def __init__(self, painter: PointPainter) -> None:
        self._painter = painter
        self._points: tuple[PointLayer, ...] = ()
        self._painted: tuple[PointLayer, ...] | None = None
        self._lines: tuple[LineLayer, ...] = ()
        self._faces: tuple[FaceLayer, ...] = ()
        self._last: PointPicture | None = None
        self._drawn: tuple[LineLayer | FaceLayer, ...] = ()
        self._kept: _Kept | None = None
        self._strokes = Strokes()

    @property
    def name(self) -> str:
        """Who draws the points."""
        return self._painter.name

    def set_points(self, layers: Sequence[PointLayer]) -> None:
        """Show these points from the next ``paint_points`` on. The worker prepares them."""
        self._points = tuple(layers)

    def set_lines(self, layers: Sequence[LineLayer]) -> None:
        """Show these lines from the next ``draw`` on."""
        self._lines = tuple(layers)

    def set_faces(self, layers: Sequence[FaceLayer]) -> None:
        """Show these faces from the next ``draw`` on."""
        self._faces = tuple(layers)

    def paint_points(
        self, view: SpaceView, *, budget: int | None = None, cancelled: Callable[[], bool] | None = None
    ) -> PointPicture:
        """The points alone, on a worker."""
        wanted = self._points
        if wanted is not self._painted:
            self._painter.set_points(wanted)
            self._painted = wanted
            self._last = None
        last = self._last
        if last is not None and last.view == view and (last.complete or (budget is not None and last.drawn >= budget)):
            return last
        self._last = self._painter.paint(view, budget=budget, cancelled=cancelled)
        return self._last

    def draw(self, points: PointPicture) -> Rendered:
        """Faces and lines of now over a picture of points. Give the layers that move last: the rest is kept."""
        order: tuple[LineLayer | FaceLayer, ...] = (
            *(layer for layer in self._lines if not layer.on_top),
            *self._faces,
            *(layer for layer in self._lines if layer.on_top),
        )
        kept = self._kept
        if kept is None or kept.points is not points or kept.layers != order[: len(kept.layers)]:
            kept = _Kept(points, (), points.image)
        image = kept.image.copy()
        still = _common(order, self._drawn)
        for number in range(len(kept.layers), len(order)):
            layer = order[number]
            if isinstance(layer, FaceLayer):
                draw_faces(image, points, layer)
            else:
                self._strokes.draw_lines(image, points, layer)
            if number + 1 == still:
                # Layers up to here were the same last time: the next move of the mouse starts from this picture.
                kept = _Kept(points, order[:still], image.copy())
        self._kept = kept
        self._drawn = order
        height, width = image.shape
        return Rendered(points, image.view(np.uint8).reshape(height, width, 4))

    def render(self, view: SpaceView, *, budget: int | None = None) -> Rendered:
        """Both at once."""
        return self.draw(self.paint_points(view, budget=budget))

    def pick(self, rendered: Rendered, x_px: float, y_px: float, radius_px: int = 4) -> Hit | None:
        """The point under a pixel, or the frontmost one at most ``radius_px`` away."""
        return pick(rendered, x_px, y_px, radius_px)

    def close(self) -> None:
        """Let go of memory and windows."""
        self._points, self._painted, self._last, self._kept = (), None, None, None
        self._painter.close()


def scene_for_this_machine() -> CloudScene:
    """VTK where a graphics card draws, otherwise the splat. The first call may take a second: call it on a worker."""
    window = _window_of_this_machine()
    if window is None:
        return SpaceScene(SplatPainter())
    from workstation.ui.scenes.vtk_scene import VtkPainter

    return SpaceScene(VtkPainter(window))


@cache
def _window_of_this_machine() -> str | None:
    return accelerated_window()


def accelerated_window(
    *,
    ask: Callable[[str], Answer] = ask_child,
    platform: str = sys.platform,
    devices: Callable[[], bool] | None = None,
    lacking: Callable[[], Sequence[object]] = lambda: missing([Purpose.DRAWING]),
) -> str | None:
    """The kind of VTK's window that a graphics card draws into, proven in a child process; ``None`` for the splat.

    A Mac's windows belong to its main thread, so a worker cannot draw there; the splat can.
    """
    if platform == "darwin" or (platform.startswith("linux") and not (devices or has_graphics_device)()) or lacking():
        return None
    for window in _WINDOWS:
        answer = ask(_PROOF.format(window=window))
        if answer.facts.get("right") and is_hardware(str(answer.facts.get("renderer", ""))):
            return window
        _log.info("%s does not draw points here: %s", window, answer.fault or answer.facts)
    return None


def has_graphics_device() -> bool:
    """Whether Linux knows a device that could draw; without one OpenGL is drawn by the processor."""
    return any(any(Path("/dev").glob(pattern)) for pattern in ("dri/renderD*", "nvidia[0-9]*", "dxg"))


def is_hardware(renderer: str) -> bool:
    """Whether OpenGL's name for its renderer is that of a card."""
    name = renderer.lower()
    return bool(name) and not any(software in name for software in _SOFTWARE)


def _common(a: Sequence[object], b: Sequence[object]) -> int:
    """How many things at the beginning are the very same."""
    return next((i for i, (one, other) in enumerate(zip(a, b, strict=False)) if one is not other), min(len(a), len(b)))
