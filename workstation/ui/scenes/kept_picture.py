"""A picture that is painted once for as long as what it shows is the same: rulers, over which only a playhead moves."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QPainter, QPixmap

from workstation.ui.scenes.letters import small_font


class KeptPicture:
    """One picture. The window's thread."""

    def __init__(self) -> None:
        self._picture = QPixmap()
        self._of: tuple[object, ...] = ()
        self._units: object = None

    def draw(
        self,
        painter: QPainter,
        size: QSize,
        of: tuple[object, ...],
        units: object,
        paint: Callable[[QPainter], None],
    ) -> None:
        """Draw it at the origin; ``paint`` makes it where anything in ``of``, or which ``units`` it shows, is new."""
        ratio = painter.device().devicePixelRatioF()
        wanted = (size, ratio, *of)
        if wanted != self._of or units is not self._units:
            self._of, self._units = wanted, units
            self._picture = QPixmap(round(size.width() * ratio), round(size.height() * ratio))
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(Qt.GlobalColor.transparent)
            on_it = QPainter(self._picture)
            on_it.setFont(small_font())
            paint(on_it)
            on_it.end()
        painter.drawPixmap(QPoint(), self._picture)
