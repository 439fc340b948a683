"""The heads of the lanes: name, fold, hide, show alone, lock, move up and down, height. One widget a lane, since each
control has a name of its own for those who do not see it; the lanes themselves are one canvas.
"""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import QEvent, QPointF, QSize, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QEnterEvent,
    QIcon,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QLabel, QMenu, QToolButton, QWidget

from workstation.app.lanes import LaneKind
from workstation.core.values import dataclass
from workstation.ui.icons import icon
from workstation.ui.panes.timeline_model import Row
from workstation.ui.theme import Theme

_Button = TypeVar("_Button", bound=QToolButton)
HEAD_PX = 196
_GRIP_PX = 4
_BUTTON_PX = 18
_ICON_PX = 16
_FOLD_PX = 16
_GAP_PX = 2
_BAND_PX = 26


@dataclass(frozen=True, slots=True)
class Wish:
    """What a head asks of the pane: ``act`` is ``fold``, ``hide``, ``solo``, ``lock``, ``up``, ``down``, ``focus``,
    ``height``, ``mode`` or ``all_rows``."""

    key: str
    act: str
    amount: int = 0


class _HeadButton(QToolButton):
    """A button that is there for keys and for assistive technology always, and is seen when it says something: while
    the pointer is over its lane, while it has the focus, and while it is on. The name has the room otherwise."""

    def __init__(self, parent: LaneHead) -> None:
        super().__init__(parent)
        self._head = parent

    @property
    def seen(self) -> bool:
        return self.isChecked() or self.hasFocus() or self._head.under_pointer

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.seen:
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._head.ground)
        painter.end()
        super().paintEvent(event)


class LaneHead(QWidget):
    """One lane's name and buttons."""

    wished = QtSignal(object)

    def __init__(self, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = key
        self.under_pointer = False
        self.setObjectName(f"lane_head_{key}")
        self._theme: Theme | None = None
        self._row: Row | None = None
        self._stands: tuple[object, ...] | None = None
        self._says: tuple[object, ...] | None = None
        self._grabbed: int | None = None
        self._focused = False
        self._fold = self._dressed(QToolButton(self), "fold", "Fold or unfold")
        self._name = QLabel(self)
        self._name.setObjectName(f"lane_name_{key}")
        self._note = QLabel(self)
        self._note.setObjectName(f"lane_note_{key}")
        self._hide = self._dressed(_HeadButton(self), "hide", "Hide or show")
        self._solo = self._dressed(_HeadButton(self), "solo", "Show alone")
        self._lock = self._dressed(_HeadButton(self), "lock", "Lock or unlock")
        for button in (self._hide, self._solo, self._lock):
            button.setCheckable(True)
        self.setMouseTracking(True)

    @property
    def ground(self) -> QColor:
        """What the head is painted on."""
        assert self._theme is not None
        return QColor(self._theme.raised if self._focused else self._theme.panel)

    def _dressed(self, button: _Button, act: str, text: str) -> _Button:
        button.setObjectName(f"lane_{act}_{self.key}")
        button.setAutoRaise(True)
        button.setStyleSheet("padding: 0; margin: 0; min-width: 0; min-height: 0")  # the window's leave no room here
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
        stands = (row.lane, row.folded, theme, hidden, solo, locked)
        says = (*stands, focused, row.scene.note)
        if stands != self._stands:  # mostly it only scrolls
            self._stands = stands
            self._wear(row, theme, hidden=hidden, solo=solo, locked=locked)
        if says != self._says:
            self._says = says
            self._arrange()
            self.update()

    def _wear(self, row: Row, theme: Theme, *, hidden: bool, solo: bool, locked: bool) -> None:
        title = row.lane.title
        self._name.setToolTip(f"{row.lane.key}. Drag the lower edge to make the lane higher; right-click for more")
        self._name.setStyleSheet(f"color: {theme.quiet if row.lane.is_tier or hidden else theme.ink}; font-size: 11px")
        self._note.setStyleSheet(f"color: {theme.quiet}; font-size: 10px")
        self._fold.setIcon(_fold_icon("folded" if row.folded else "unfolded", theme.ink))
        states = (
            (self._hide, "eye_off" if hidden else "eye", "Show" if hidden else "Hide", hidden),
            (self._solo, "solo", "Show with the others" if solo else "Show alone", solo),
            (self._lock, "lock" if locked else "unlock", "Unlock" if locked else "Lock", locked),
        )
        for button, sign, text, on in states:
            button.setIcon(icon(sign, theme))
            button.setChecked(on)
            button.setToolTip(f"{text} {title}")
            button.setAccessibleName(f"{text} {row.lane.key}")
        self._fold.setToolTip(f"{'Unfold' if row.folded else 'Fold'} {title}")
        self._fold.setAccessibleName(f"{'Unfold' if row.folded else 'Fold'} {row.lane.key}")
        self.setAccessibleName(f"Lane {row.lane.key}")

    def _arrange(self) -> None:
        """Fold, name and note from the left; the other buttons over them at the right, the name clear of those on."""
        row = self._row
        if row is None:
            return
        high = min(max(1, self.height() - 1), _BAND_PX)  # at the top: a lane that is cut off below keeps its name
        left = _GAP_PX + (10 if row.lane.is_tier else 0)
        side = min(_BUTTON_PX, high)
        self._fold.setGeometry(left, (high - min(_FOLD_PX, high)) // 2, _FOLD_PX, min(_FOLD_PX, high))
        self._fold.setIconSize(QSize(14, 14))
        right, free = self.width() - _GAP_PX, self.width() - _GAP_PX
        for button in (self._lock, self._solo, self._hide):
            right -= _BUTTON_PX
            button.setGeometry(right, (high - side) // 2, _BUTTON_PX, side)
            button.setIconSize(QSize(min(_ICON_PX, side - 2), min(_ICON_PX, side - 2)))
            if button.isChecked():
                free = right
            right -= 1
        left += _FOLD_PX + _GAP_PX
        room = free - left
        metrics = self._note.fontMetrics()
        note = row.scene.note
        note_px = min(metrics.horizontalAdvance(note) + 6, room // 2) if note else 0
        self._name.setText(
            self._name.fontMetrics().elidedText(row.lane.title, Qt.TextElideMode.ElideMiddle, room - note_px)
        )
        self._name.setGeometry(left, 0, room - note_px, high)
        self._note.setText(metrics.elidedText(note, Qt.TextElideMode.ElideRight, note_px))
        self._note.setToolTip(note)
        self._note.setGeometry(free - note_px, 0, note_px, high)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._point(over=True)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point(over=False)

    def _point(self, *, over: bool) -> None:
        self.under_pointer = over
        for button in (self._hide, self._solo, self._lock):
            button.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None:
            return
        painter = QPainter(self)
        painter.fillRect(event.rect(), self.ground)
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


def _fold_icon(sign: str, colour: str) -> QIcon:
    """A triangle drawn here, sharp at any scale."""
    picture = QPixmap(48, 48)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.scale(4, 4)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    points = [(4, 2), (9, 6), (4, 10)] if sign == "folded" else [(2, 4), (6, 9), (10, 4)]
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))
    painter.end()
    return QIcon(picture)


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
        if theme != self._theme:
            self._theme = theme
            self.update()
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

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is not None:
            painter = QPainter(self)
            painter.fillRect(event.rect(), QColor(self._theme.paper))
            painter.end()
