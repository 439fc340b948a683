"""What every lane of the timeline is to the pane: a picture of a stretch of time, kept until something changes.

A lane paints itself once per view, height, theme and content; a playhead that moves over it repaints nothing of it.
The lanes themselves are ``tier_scene.py``, ``sound_scene.py``, ``film_scene.py``, ``stream_scenes.py``,
``link_scene.py`` and ``finding_scene.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from workstation.app.viewport import Viewport
from workstation.core.timebase import TimeRange
from workstation.core.values import dataclass
from workstation.ui.scenes.letters import small_font
from workstation.ui.theme import Theme

Argb = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Look:
    """Everything besides its content that decides how a lane looks. ``view`` and ``height_px`` are logical pixels."""

    view: Viewport
    height_px: int
    ratio: float
    """Device pixels per logical one."""
    theme: Theme

    @property
    def fine(self) -> Viewport:
        """The same stretch on device pixels."""
        return self.view.resized(round(self.view.width_px * self.ratio))

    @property
    def fine_height(self) -> int:
        return max(1, round(self.height_px * self.ratio))


class LaneScene:
    """One lane's picture. A subclass overrides ``paint`` and ``natural_height``."""

    def __init__(self) -> None:
        self.changed: Callable[[], None] | None = None
        """Called when the picture is no longer right, for whoever shows it; on the window's thread."""
        self.note = ""
        """What the lane's head says beside its name: progress, or why there is nothing."""
        self._look: Look | None = None
        self._image: QImage | None = None
        self.painted = 0
        """How often the picture was made, for tests and benchmarks."""

    def natural_height(self) -> int:
        """Logical pixels, when nobody has chosen another height."""
        return 24

    def paint(self, look: Look) -> QImage:
        """Make the picture, in device pixels."""
        return blank(look)

    def image(self, look: Look) -> QImage:
        """The picture, made if need be."""
        if self._image is None or look != self._look:
            self._image, self._look = self.paint(look), look
            self._image.setDevicePixelRatio(look.ratio)
            self.painted += 1
        return self._image

    def invalidate(self) -> None:
        """The content is another one now."""
        self._image = None
        if self.changed is not None:
            self.changed()

    def close(self) -> None:
        """Let go of workers."""


def blank(look: Look) -> QImage:
    """A transparent picture of the lane's size."""
    image = QImage(look.fine.width_px, look.fine_height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    return image


def image_of(pixels: Argb) -> QImage:
    """A picture of its own from (height, width) premultiplied ARGB."""
    held = np.ascontiguousarray(pixels)
    height, width = held.shape
    return QImage(held.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()


@lru_cache(maxsize=4096)
def argb(colour: str, share: float = 1.0) -> int:
    """``#rrggbb`` with that much opacity, premultiplied."""
    value = QColor(colour)
    alpha = round(255 * share)
    red, green, blue = (round(part * share) for part in (value.red(), value.green(), value.blue()))
    return (alpha << 24) | (red << 16) | (green << 8) | blue


def mixed(one: str, other: str, share: float) -> str:
    """``share`` of the way from one colour to another."""
    a, b = QColor(one), QColor(other)
    parts = ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue()))
    return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in parts)


def painter_on(image: QImage, look: Look, *, smooth: bool = True) -> QPainter:
    """A painter in logical pixels; end it."""
    image.setDevicePixelRatio(look.ratio)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, smooth)
    painter.setFont(small_font())
    return painter


def draw_gap(painter: QPainter, look: Look, gap: TimeRange, label: str = "") -> None:
    """Where a stream has nothing although it should: hatched, never left to look like something."""
    left, right = look.view.x_of(gap.start_ns), look.view.x_of(gap.end_ns)
    if right < 0 or left > look.view.width_px:
        return
    rect = QRectF(max(left, -2.0), 0, max(1.0, min(right, look.view.width_px + 2.0) - max(left, -2.0)), look.height_px)
    painter.setPen(Qt.PenStyle.NoPen)
    colour = QColor(look.theme.missing)
    colour.setAlpha(36)
    painter.fillRect(rect, colour)
    painter.save()
    painter.setClipRect(rect)
    painter.setPen(QPen(QColor(look.theme.missing), 1.0))
    step = 7.0
    x = rect.left() - look.height_px
    while x < rect.right():
        painter.drawLine(QPointF(x, rect.bottom()), QPointF(x + look.height_px, rect.top()))
        x += step
    painter.restore()
    width = QFontMetricsF(painter.font()).horizontalAdvance(label)
    if label and rect.width() > width + 8 and look.height_px >= 14:
        box = QRectF(rect.center().x() - width / 2 - 3, rect.center().y() - 7, width + 6, 14)
        painter.fillRect(box, QColor(look.theme.panel))
        painter.setPen(QColor(look.theme.missing))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, label)
