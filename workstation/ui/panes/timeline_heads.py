"""The heads of the lanes: name, fold, hide, show alone, lock, move up and down, height. One widget a lane, since each
control has a name of its own for those who do not see it; the lanes themselves are one canvas.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QContextMenuEvent, QIcon, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from workstation.app.lanes import LaneKind
from workstation.ui.panes.timeline_model import FOLDED_PX, Row
from workstation.ui.theme import Theme

HEAD_PX = 196
_GRIP_PX = 4
_BUTTON_PX = 16


@dataclass(frozen=True, slots=True)
class Wish:
    """What a head asks of the pane: ``act`` is ``fold``, ``hide``, ``solo``, ``lock``, ``up``, ``down``, ``focus``,
    ``height``, ``mode`` or ``all_rows``."""

    key: str
    act: str
    amount: int = 0


class LaneHead(QWidget):
    """One lane's name and buttons."""

    wished = QtSignal(object)

    def __init__(self, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = key
        self.setObjectName(f"lane_head_{key}")
        self._theme: Theme | None = None
        self._row: Row | None = None
        self._grabbed: int | None = None
        self._focused = False
        self._fold = self._button("fold", "Fold or unfold")
        self._name = QLabel()
        self._name.setObjectName(f"lane_name_{key}")
        self._note = QLabel()
        self._note.setObjectName(f"lane_note_{key}")
        self._hide = self._button("hide", "Hide or show")
        self._solo = self._button("solo", "Show alone")
        self._lock = self._button("lock", "Lock or unlock")
        row = QHBoxLayout(self)
        row.setContentsMargins(3, 0, 3, 1)
        row.setSpacing(2)
        row.addWidget(self._fold)
        row.addWidget(self._name, 1)
        for widget in (self._note, self._hide, self._solo, self._lock):
            row.addWidget(widget)
        self.setMouseTracking(True)

    def _button(self, act: str, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"lane_{act}_{self.key}")
        button.setAutoRaise(True)
        button.setStyleSheet("padding: 0; margin: 0; min-width: 0; min-height: 0")  # the window's leave no room here
        button.setFixedSize(_BUTTON_PX, _BUTTON_PX)
        button.setIconSize(QSize(12, 12))
        button.setToolTip(text)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setProperty("act", act)
        button.clicked.connect(self._clicked)
        return button

    def _clicked(self) -> None:
        sender = self.sender()
        assert sender is not None
        self.wished.emit(Wish(self.key, str(sender.property("act"))))

    def show_row(self, row: Row, theme: Theme, *, hidden: bool, solo: bool, locked: bool, focused: bool) -> None:
        """Say how the lane stands."""
        self._row, self._theme, self._focused = row, theme, focused
        title = row.lane.title
        indent = 10 if row.lane.is_tier else 0
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(3 + indent, 0, 3, 1)
        self._name.setText(title)
        self._name.setToolTip(f"{row.lane.key}. Drag the lower edge to make the lane higher; right-click for more")
        self._name.setStyleSheet(f"color: {theme.quiet if row.lane.is_tier or hidden else theme.ink}; font-size: 11px")
        self._note.setText(row.scene.note)
        self._note.setStyleSheet(f"color: {theme.quiet}; font-size: 10px")
        states = (
            (self._fold, "unfolded" if not row.folded else "folded", "Unfold" if row.folded else "Fold", row.folded),
            (self._hide, "hidden" if hidden else "shown", "Show" if hidden else "Hide", hidden),
            (self._solo, "solo", "Show with the others" if solo else "Show alone", solo),
            (self._lock, "locked" if locked else "open", "Unlock" if locked else "Lock", locked),
        )
        for button, sign, text, on in states:
            button.setIcon(_icon(sign, theme.accent if on and button is not self._fold else theme.quiet))
            button.setToolTip(f"{text} {title}")
            button.setAccessibleName(f"{text} {row.lane.key}")
            button.setVisible(row.height >= FOLDED_PX)
        self.setAccessibleName(f"Lane {row.lane.key}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None:
            return
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(self._theme.raised if self._focused else self._theme.panel))
        painter.fillRect(0, self.height() - 1, self.width(), 1, QColor(self._theme.line))
        if self._focused:
            painter.fillRect(0, 0, 2, self.height() - 1, QColor(self._theme.accent))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            if event.position().y() >= self.height() - _GRIP_PX:
                self._grabbed = round(event.globalPosition().y()) - self.height()
            else:
                self.wished.emit(Wish(self.key, "focus"))
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at_grip = event.position().y() >= self.height() - _GRIP_PX
        self.setCursor(Qt.CursorShape.SizeVerCursor if at_grip else Qt.CursorShape.ArrowCursor)
        if self._grabbed is not None:
            self.wished.emit(Wish(self.key, "height", round(event.globalPosition().y()) - self._grabbed))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        del event
        self._grabbed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.wished.emit(Wish(self.key, "all_rows"))
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu().popup(event.globalPos())

    def menu(self) -> QMenu:
        """What else can be done with the lane."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        entries = [("up", "Move up"), ("down", "Move down"), ("all_rows", "All rows, or the usual height")]
        if self._row is not None and self._row.lane.kind is LaneKind.SOUND:
            entries.append(("mode", "Waveform or spectrogram"))
        for act, text in entries:
            action = menu.addAction(text)
            action.setProperty("act", act)
            action.triggered.connect(self._clicked)
        return menu


def _icon(sign: str, colour: str) -> QIcon:
    """Drawn here: twelve pixels, sharp at any scale."""
    picture = QPixmap(48, 48)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.scale(4, 4)
    painter.setPen(QPen(QColor(colour), 1.3))
    _draw_sign(painter, sign, QColor(colour))
    painter.end()
    return QIcon(picture)


def _draw_sign(painter: QPainter, sign: str, colour: QColor) -> None:
    if sign in ("folded", "unfolded"):
        points = [(4, 2), (9, 6), (4, 10)] if sign == "folded" else [(2, 4), (6, 9), (10, 4)]
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))
    elif sign in ("shown", "hidden"):
        painter.drawEllipse(QPointF(6, 6), 5, 3)
        if sign == "shown":
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(6, 6), 1.4, 1.4)
        else:
            painter.drawLine(QPoint(2, 11), QPoint(10, 1))
    elif sign == "solo":
        font = painter.font()
        font.setPixelSize(11)
        font.setBold(True)
        painter.setFont(font)
        painter.drawText(QRectF(0, 0, 12, 12), Qt.AlignmentFlag.AlignCenter, "S")
    else:
        painter.setBrush(colour)
        painter.drawRect(QRectF(2.5, 6, 7, 5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        shift = 0 if sign == "locked" else 3
        painter.drawArc(QRectF(3.8 + shift, 1.5, 4.4, 8), 0, 180 * 16)


class LaneHeads(QWidget):
    """The column of heads; scrolls with the lanes."""

    wished = QtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("timeline_heads")
        self.setAccessibleName("Lane heads")
        self.setFixedWidth(HEAD_PX)
        self._heads: dict[str, LaneHead] = {}
        self._theme: Theme | None = None

    def head(self, key: str) -> LaneHead | None:
        return self._heads.get(key)

    def place(
        self, rows: list[Row], offset: int, theme: Theme, states: dict[str, tuple[bool, bool, bool, bool]]
    ) -> None:
        """Put a head beside each lane. ``states``: hidden, alone, locked, focused by lane."""
        self._theme = theme
        keys = {row.lane.key for row in rows}
        for key in [key for key in self._heads if key not in keys]:
            gone = self._heads.pop(key)
            gone.hide()
            gone.deleteLater()
        for row in rows:
            head = self._heads.get(row.lane.key)
            if head is None:
                head = self._heads[row.lane.key] = LaneHead(row.lane.key, self)
                head.wished.connect(self.wished)
            hidden, solo, locked, focused = states[row.lane.key]
            head.show_row(row, theme, hidden=hidden, solo=solo, locked=locked, focused=focused)
            head.setGeometry(0, row.top - offset, self.width(), row.height)
            head.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is not None:
            painter = QPainter(self)
            painter.fillRect(event.rect(), QColor(self._theme.paper))
            painter.end()
