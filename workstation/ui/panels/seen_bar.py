"""The bar of the review panel: which seconds and slices of each stream were really seen or heard.

A line a stream: seen is filled, not seen is hatched, what the stream lacks is left out. A click goes there.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from workstation.app.seen import SeenRow
from workstation.ui.scenes.letters import small_font
from workstation.ui.theme import DARK, Theme

ROW_PX = 17
_NAME_PX, _SAID_PX = 92, 92


class SeenBar(QWidget):
    """All lines in one widget."""

    wanted = QtSignal(object, int)
    """A ``SeenRow``, and the session time or item to go to."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("review_seen")
        self.setAccessibleName("What was seen and heard")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.rows: list[SeenRow] = []
        self.theme: Theme = DARK

    def show_rows(self, rows: list[SeenRow], theme: Theme) -> None:
        """Say these."""
        if rows != self.rows or theme != self.theme:
            taller = len(rows) != len(self.rows)
            self.rows, self.theme = rows, theme
            said = "; ".join(f"{each.name} {each.share:.0%}, {each.words}" for each in rows)
            self.setAccessibleDescription(said)
            if taller:
                self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, len(self.rows) * ROW_PX + (8 if self.rows else 0))

    def _bar(self, number: int) -> QRectF:
        room = self.width() - _NAME_PX - _SAID_PX
        return QRectF(_NAME_PX, 4 + number * ROW_PX + 3, max(20, room), ROW_PX - 7)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(self.theme.panel))
        painter.setFont(small_font())
        metrics = painter.fontMetrics()
        for number, row in enumerate(self.rows):
            bar = self._bar(number)
            line = QRectF(6, bar.top() - 3, _NAME_PX - 12, ROW_PX)
            painter.setPen(QColor(self.theme.ink))
            name = metrics.elidedText(row.name, Qt.TextElideMode.ElideRight, int(line.width()))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
            self._paint_bar(painter, row, bar)
            painter.setPen(QColor(self.theme.quiet))
            said = QRectF(bar.right() + 6, line.top(), _SAID_PX - 10, ROW_PX)
            painter.drawText(said, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, row.words)
        if self.hasFocus():
            painter.setPen(QColor(self.theme.accent))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _paint_bar(self, painter: QPainter, row: SeenRow, bar: QRectF) -> None:
        painter.fillRect(bar, QColor(self.theme.raised))
        painter.save()
        painter.setClipRect(bar)
        painter.setPen(QColor(self.theme.quiet))
        x = bar.left() - bar.height()
        while x < bar.right():
            painter.drawLine(QPointF(x, bar.bottom()), QPointF(x + bar.height(), bar.top()))
            x += 6
        for pieces, colour in ((row.gaps, self.theme.panel), (row.pieces, self.theme.good)):
            for start, end in pieces:
                left, right = self._x(row, bar, start), self._x(row, bar, end)
                painter.fillRect(QRectF(left, bar.top(), max(1.0, right - left), bar.height()), QColor(colour))
        painter.restore()
        painter.setPen(QColor(self.theme.line))
        painter.drawRect(bar)

    @staticmethod
    def _x(row: SeenRow, bar: QRectF, at: int) -> float:
        return bar.left() + bar.width() * (at - row.start) / max(1, row.end - row.start)

    def _row_at(self, at: QPoint | QPointF) -> SeenRow | None:
        number = int((at.y() - 4) // ROW_PX)
        return self.rows[number] if 0 <= number < len(self.rows) else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position())
        if row is None or event.button() is not Qt.MouseButton.LeftButton:
            return
        bar = self._bar(self.rows.index(row))
        share = (event.position().x() - bar.left()) / bar.width()
        if 0 <= share < 1:
            self.wanted.emit(row, row.start + int(share * (row.end - row.start)))
        elif row.first_unseen is not None:
            self.wanted.emit(row, row.first_unseen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter goes to what was not seen yet."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            for row in self.rows:
                if row.timed and row.first_unseen is not None:
                    self.wanted.emit(row, row.first_unseen)
                    return
        super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            row = self._row_at(event.pos())
            if row is not None:
                said = f"{row.name}: {row.words} were painted on the screen or heard ({row.share:.0%})."
                QToolTip.showText(event.globalPos(), f"{said}\nClick: go there. Beside the bar: what was not seen yet.")
                return True
        return super().event(event)
