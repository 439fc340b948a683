"""Words that are shortened with three dots where they have no room, never cut: a box of choices and a label.

Used by panels, headers and the toolbar, which people make as narrow as they like. The whole is in the tool tip.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QLabel, QStyle, QStyleOptionComboBox, QStylePainter, QToolTip, QWidget

_AIR_PX = 6


class ChoiceBox(QComboBox):
    """A ``QComboBox`` whose current choice is shortened, not cut."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cut = False

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.isEditable():
            super().paintEvent(event)
            return
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        room = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        icon_px = 0 if option.currentIcon.isNull() else option.iconSize.width() + 4
        whole = self.currentText()
        text = self.fontMetrics().elidedText(whole, Qt.TextElideMode.ElideRight, room.width() - icon_px - _AIR_PX)
        self._cut = text != whole
        option.currentText = text
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and self._cut:
            said = "\n".join(filter(None, (self.currentText(), self.toolTip())))
            QToolTip.showText(self.mapToGlobal(self.rect().bottomLeft()), said, self)
            return True
        return super().event(event)


class ShortLabel(QLabel):
    """A ``QLabel`` of one line that is shortened, not cut."""

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        room = self.contentsRect()
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        if text == self.text():
            super().paintEvent(event)
            return
        painter = QPainter(self)
        self.style().drawItemText(
            painter, room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), self.palette(),
            self.isEnabled(), text, self.foregroundRole(),
        )  # fmt: skip
        painter.end()
