"""A camera on the timeline: small pictures at their own times, each shown as soon as it is made."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from workstation.app.film_strip import Place, Thumbnail, places
from workstation.app.lane_media import Moments
from workstation.app.viewport import Viewport
from workstation.core.timebase import TimeRange
from workstation.media.base import Pixels
from workstation.ui.scenes.lane_scene import LaneScene, Look, blank, draw_gap, painter_on
from workstation.ui.scenes.stream_scenes import gap_label

_HELD_BYTES = 24 << 20
_HEIGHTS_PX = ((2, 46), (4, 26), (1 << 30, 20))
"""Up to so many cameras, so high."""


def film_height(cameras: int) -> int:
    """How high the film of one of so many cameras is."""
    return next(high for most, high in _HEIGHTS_PX if cameras <= most)


class FilmScene(LaneScene):
    """``miss`` is told which pictures are needed and not there, the leftmost first."""

    def __init__(
        self, stream: str, moments: Moments, aspect: float, miss: Callable[[str, Sequence[Thumbnail]], None]
    ) -> None:
        super().__init__()
        self._stream = stream
        self._moments = moments
        self._aspect = aspect
        self._miss = miss
        self._held: OrderedDict[Thumbnail, QImage] = OrderedDict()
        self._bytes = 0
        self._failed: set[Thumbnail] = set()
        self.cameras = 1
        """How many share the room: with many each gets less, so that sound, words and sweeps are seen too."""
        self.covered: Callable[[], Sequence[TimeRange]] | None = None
        """When pictures show of which a small one is kept: a thin line says where stepping is quick at once."""
        self._covered: tuple[TimeRange, ...] = ()
        self._asked: tuple[Viewport, float] | None = None
        self._places: list[Place] = []
        """Of what was asked last: pictures come one by one into the same view."""
        self.missing = 0
        """How many pictures of what was painted last are still to come."""

    def natural_height(self) -> int:
        return film_height(self.cameras)

    def look_again(self) -> None:
        """Whether more previews are kept now."""
        covered = () if self.covered is None else tuple(self.covered())
        if covered != self._covered:
            self._covered = covered
            self.invalidate()

    def arrived(self, thumbnail: Thumbnail, pixels: Pixels | None) -> None:
        """A picture was made, or could not be."""
        if pixels is None:
            self._failed.add(thumbnail)
            self.invalidate()
            return
        image = image_of(pixels)
        self._held[thumbnail] = image
        self._bytes += image.sizeInBytes()
        while self._bytes > _HELD_BYTES and len(self._held) > 1:
            self._bytes -= self._held.popitem(last=False)[1].sizeInBytes()
        self.invalidate()

    def paint(self, look: Look) -> QImage:
        image = blank(look)
        painter = painter_on(image, look)
        high = look.height_px - 2
        if high >= 16:
            wanted_px = _height_for(round(high * look.ratio))
            self._paint_pictures(painter, look, high, wanted_px)
        for gap in self._moments.gaps:
            draw_gap(painter, look, gap, gap_label(gap))
        for shown in self._covered:
            left, right = look.view.x_of(shown.start_ns), look.view.x_of(shown.end_ns)
            painter.fillRect(QRectF(left, look.height_px - 2, max(1.0, right - left), 2), QColor(look.theme.good))
        painter.end()
        return image

    def _paint_pictures(self, painter: QPainter, look: Look, high: int, wanted_px: int) -> None:
        wide = high * self._aspect
        missing: list[Thumbnail] = []
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        asked = (look.view, wide)
        if asked != self._asked:
            self._asked, self._places = asked, places(self._moments, look.view, wide + 2)
        for place in self._places:
            thumbnail = Thumbnail(self._stream, place.frame, wanted_px)
            left, right = look.view.x_of(place.start_ns), look.view.x_of(place.end_ns)
            room = QRectF(left, 1, min(wide, max(1.0, right - left)), high)
            held = self._held.get(thumbnail)
            if held is None:
                painter.fillRect(room.adjusted(0, 0, -1, 0), QColor(look.theme.picture))
                if thumbnail not in self._failed:
                    missing.append(thumbnail)
                continue
            self._held.move_to_end(thumbnail)
            share = room.width() / wide
            painter.drawImage(room.adjusted(0, 0, -1, 0), held, QRectF(0, 0, held.width() * share, held.height()))
            painter.fillRect(QRectF(left, 1, 1, high), QColor(look.theme.line))
        self.missing = len(missing)
        self._miss(self._stream, missing)


def _height_for(pixels: int) -> int:
    """A few heights only, so that dragging a lane's edge does not decode everything at every pixel."""
    return max(32, -(-pixels // 32) * 32)


def image_of(pixels: Pixels) -> QImage:
    """A small picture as Qt paints it."""
    if pixels.ndim == 2:
        held = np.ascontiguousarray(pixels.astype(np.uint8))
        return QImage(held.data, held.shape[1], held.shape[0], held.shape[1], QImage.Format.Format_Grayscale8).copy()
    form = QImage.Format.Format_RGB888 if pixels.shape[2] == 3 else QImage.Format.Format_RGBA8888
    held = np.ascontiguousarray(pixels)
    height, width, parts = held.shape
    return QImage(held.data, width, height, parts * width, form).copy()
