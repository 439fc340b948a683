"""Our own icons: line drawings in ``resources/icons`` that take the theme's colour and any scale.

A name without a drawing gives an empty icon, and whoever shows it shows its words instead.
"""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from workstation.app.resources import resources_folder
from workstation.ui.theme import Theme

_SIZES_PX = (16, 24, 32, 48, 64)
"""For 100 % to 300 % scale; Qt takes the nearest above."""
_LARGEST_PX = 24
"""Of a button at 100 %. The two largest sizes are most of the work, and seen on fine screens only."""
_OFF = (QIcon.Mode.Normal, QIcon.State.Off)
_GREYED = (QIcon.Mode.Disabled, QIcon.State.Off)
_ON = (QIcon.Mode.Normal, QIcon.State.On)


@lru_cache(maxsize=512)
def icon(name: str, theme: Theme, *, on_accent: bool = False) -> QIcon:
    """The drawing in the ink of the theme, quiet where it is greyed, in the accent's own ink where it is pressed."""
    drawing = _drawing(name)
    made = QIcon()
    if drawing is None:
        return made
    plain = theme.on_accent if on_accent else theme.ink
    inks = ((plain, 1.0, _OFF), (theme.quiet, 0.5, _GREYED), (theme.on_accent, 1.0, _ON))
    black = QSvgRenderer(QByteArray(drawing.encode()))
    for size in _sizes_px() if name != "app" else _SIZES_PX:
        drawn = None if "#" in drawing else _painted(black, size)
        for ink, opacity, (mode, state) in inks:
            if drawn is not None:
                picture = _inked(drawn, ink, opacity)
            else:  # one with a colour of its own beside the ink
                own = QSvgRenderer(QByteArray(drawing.replace("currentColor", ink).encode()))
                picture = _painted(own, size, opacity)
            made.addPixmap(picture, mode, state)
    return made


def has_icon(name: str) -> bool:
    """Whether there is a drawing of that name."""
    return _drawing(name) is not None


@lru_cache(maxsize=1)
def _sizes_px() -> tuple[int, ...]:
    """Those that the finest screen there is can show."""
    finest = max((screen.devicePixelRatio() for screen in QGuiApplication.screens()), default=1.0)
    return tuple(size for size in _SIZES_PX if size <= max(32, _LARGEST_PX * finest))


@lru_cache(maxsize=256)
def _drawing(name: str) -> str | None:
    path = resources_folder() / "icons" / f"{name}.svg"
    return path.read_text(encoding="utf-8") if name and path.is_file() else None


def _painted(renderer: QSvgRenderer, size_px: int, opacity: float = 1.0) -> QPixmap:
    picture = QPixmap(size_px, size_px)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setOpacity(opacity)
    renderer.render(painter, QRectF(0, 0, size_px, size_px))
    painter.end()
    return picture


def _inked(drawn: QPixmap, colour: str, opacity: float = 1.0) -> QPixmap:
    """A drawing of one ink in another one: drawing it again would take much longer."""
    picture = QPixmap(drawn)
    ink = QColor(colour)
    ink.setAlphaF(opacity)
    painter = QPainter(picture)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(picture.rect(), ink)
    painter.end()
    return picture
