"""The line over each camera: stream, number of the picture painted, its own time, its distance from the playhead.

What it says is set in the same step that takes a picture for painting, so both always speak of the same one.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from workstation.ui.panes.base_view_header import ViewHeader
from workstation.ui.theme import Theme

_GAP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a header says. ``item`` is the picture painted, nothing else."""

    item: str = ""
    own: str = ""
    distance: str = ""
    note: str = ""
    """What is not as it should be: decoding, lag, an error."""
    best: bool = False
    """This camera sees the selection best."""
    locked: bool = False


class CameraHeader(ViewHeader[Said]):
    """One line."""

    hint = "Double-click: enlarge this camera, or go back to all"

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Said(), theme, parent)
        self._title = title

    def words(self, said: Said) -> tuple[str, ...]:
        return (self._title, said.item, said.own, said.distance, said.note, "sees it best" if said.best else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme, said = self.theme, self.said
        self.paint_ground(painter)
        metrics = self.fontMetrics()
        right = self.width() - 8
        parts = (
            (said.note, theme.warning),
            (said.distance, theme.quiet),
            (said.own, theme.ink),
            (said.item, theme.ink),
        )
        room = self.width() - 9 - metrics.horizontalAdvance(self._title) - _GAP
        room -= sum(metrics.horizontalAdvance(text) + _GAP for text, _ in parts if text)
        left_out = set()
        # Which camera and which picture matter more; the times are the tool tip's and the reader's.
        for text in (said.own, said.distance if said.note else "") if said.item else ():
            if room < 0 and text:
                left_out.add(text)
                room += metrics.horizontalAdvance(text) + _GAP
        for text, colour in parts:
            if text and text not in left_out and right > 40:
                right = self._right(painter, metrics, right, text, colour)
        left = self._left(painter, metrics, 9, self._title, theme.ink, right)
        if said.best:
            left = self._left(painter, metrics, left, "★ best view", theme.accent, right)
        if said.locked:
            self._left(painter, metrics, left, "zoom locked", theme.quiet, right)

    def _right(self, painter: QPainter, metrics: QFontMetrics, right: int, text: str, colour: str) -> int:
        width = metrics.horizontalAdvance(text)
        painter.setPen(QColor(colour))
        painter.drawText(QRect(right - width, 0, width, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
        return right - width - _GAP

    def _left(self, painter: QPainter, metrics: QFontMetrics, left: int, text: str, colour: str, right: int) -> int:
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, right - left))
        painter.setPen(QColor(colour))
        width = metrics.horizontalAdvance(shown)
        painter.drawText(QRect(left, 0, width + 1, self.height()), Qt.AlignmentFlag.AlignVCenter, shown)
        return left + width + _GAP
