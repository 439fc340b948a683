"""Our own icons: line drawings in ``resources/icons`` that take the theme's colour and any scale.

A name without a drawing gives an empty icon, and whoever shows it shows its words instead.
"""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from workstation.app.resources import resources_folder
from workstation.ui.theme import Theme

_SIZES_PX = (16, 24, 32, 48, 64)
"""For 100 % to 300 % scale; Qt takes the nearest above."""


@lru_cache(maxsize=512)
def icon(name: str, theme: Theme, *, on_accent: bool = False) -> QIcon:
    """The drawing in the ink of the theme, quiet where it is greyed, in the accent's own ink where it is pressed."""
    drawing = _drawing(name)
    made = QIcon()
    if drawing is None:
        return made
    plain = theme.on_accent if on_accent else theme.ink
    for size in _SIZES_PX:
        made.addPixmap(_painted(drawing, plain, size), QIcon.Mode.Normal, QIcon.State.Off)
        made.addPixmap(_painted(drawing, theme.quiet, size, opacity=0.5), QIcon.Mode.Disabled, QIcon.State.Off)
        made.addPixmap(_painted(drawing, theme.on_accent, size), QIcon.Mode.Normal, QIcon.State.On)
    return made


def has_icon(name: str) -> bool:
    """Whether there is a drawing of that name."""
    return _drawing(name) is not None


@lru_cache(maxsize=256)
def _drawing(name: str) -> str | None:
    path = resources_folder() / "icons" / f"{name}.svg"
    return path.read_text(encoding="utf-8") if name and path.is_file() else None


def _painted(drawing: str, colour: str, size_px: int, *, opacity: float = 1.0) -> QPixmap:
    renderer = QSvgRenderer(QByteArray(drawing.replace("currentColor", colour).encode()))
    picture = QPixmap(size_px, size_px)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setOpacity(opacity)
    renderer.render(painter, QRectF(0, 0, size_px, size_px))
    painter.end()
    return picture
