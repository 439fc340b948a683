"""One line over a pane: its name, the item shown, the item's own time, how far that is from the playhead; its controls.

Made by ``panes/base.py``. A pane may be as narrow as a person makes it: controls that have no room go into a menu at
the end of the line, the last ones first, and come back when there is room.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QComboBox, QFrame, QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from workstation.ui.eliding import ShortLabel

_SQUEEZED_PX = 24
_NARROW_PX = 110
_ITEM_PX = 90
"""So much of what the pane says of its item is to be read before controls have room."""
_AWAY = "without_room"
_LOOK_MS = 250


class PaneHeader(QFrame):
    """The line; the title bar of the pane's dock."""

    maximise_wanted = QtSignal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane_header")
        self._wants: QSize | None = None
        self._needs: QSize | None = None
        """Asked for by the window's layout a hundred times each time it is laid out."""
        self._title = QLabel(title)
        self._title.setObjectName("pane_title")
        self._item, self._own, self._distance, self._lag = ShortLabel(), QLabel(), QLabel(), QLabel()
        for label, name in (
            (self._item, "pane_item"), (self._own, "pane_own_time"), (self._distance, "pane_distance"),
            (self._lag, "pane_lag"),
        ):  # fmt: skip
            label.setObjectName(name)
        self._lag.setToolTip("How far what is painted here is behind the clock, and how many pictures were left out")
        self._lag.hide()
        self._item.setMinimumWidth(_SQUEEZED_PX)  # this gives way before name and times do
        self._line = QWidget(self)  # without a layout around it, so that the window is not laid out for every word
        outer = QHBoxLayout(self._line)
        outer.setContentsMargins(8, 2, 8, 2)
        outer.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self._title)
        row.addStretch(1)
        for label in (self._lag, self._item, self._own, self._distance):
            row.addWidget(label)
        self._labels = row.count()
        self.extra = row
        """More controls of the pane go in here with ``addWidget``."""
        outer.addLayout(row, 1)
        self._more = QToolButton()
        self._more.setObjectName("pane_more")
        self._more.setText("»")
        self._more.setAutoRaise(True)
        self._more.setAccessibleName(f"{title}: controls that have no room")
        self._more.setToolTip("Controls that have no room here")
        self._more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill_menu)
        self._more.setMenu(self._menu)
        self._more.hide()
        outer.addWidget(self._more)
        self._fit_soon = QTimer(self)
        self._fit_soon.setSingleShot(True)
        self._fit_soon.timeout.connect(self._fit)

    def say(self, *, item: str = "", own: str = "", distance: str = "") -> None:
        """What is shown; all empty says nothing is there to say."""
        if distance.startswith("-"):  # a minus is as wide as a plus: nothing moves as it changes
            distance = f"−{distance[1:]}"
        for label, text in ((self._item, item), (self._own, own), (self._distance, distance)):
            if label.text() != text:
                label.setText(text)
                if label.isHidden():
                    self._fit_soon.start()
        self.setAccessibleName(" ".join(filter(None, (self._title.text(), item, own, distance))))

    def say_lag(self, text: str) -> None:
        """How far behind the clock the pane is; empty while nobody would notice."""
        if text != self._lag.text():
            self._lag.setText(text)
            self._lag.setVisible(bool(text))
            self._fit_soon.start()

    def offer(self, control: QWidget, *, offered: bool) -> None:
        """Whether a control that was put in is there at all now: one that was away for want of room must not come
        back with the room."""
        control.setProperty(_AWAY, False)
        control.setVisible(offered)
        self._fit_soon.start()

    # --- room -----------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        if self._wants is None:
            self._wants = self._line.sizeHint().grownBy(self.contentsMargins())
        return self._wants

    def minimumSizeHint(self) -> QSize:
        """As narrow as its name and the menu; what the controls want does not make the window wider."""
        if self._needs is None:
            self._needs = QSize(_NARROW_PX, self._line.minimumSizeHint().grownBy(self.contentsMargins()).height())
        return self._needs

    def controls(self) -> Iterator[QWidget]:
        """What the pane put in, from left to right."""
        for place in range(self._labels, self.extra.count()):
            item = self.extra.itemAt(place)
            widget: QWidget | None = None if item is None else item.widget()
            if widget is not None:
                yield widget

    @Slot()
    def _fit(self) -> None:
        """Show the controls that have room."""
        wanted = [each for each in self.controls() if not each.isHidden() or each.property(_AWAY)]
        step = self.extra.spacing()
        said = min(self._item.sizeHint().width(), _ITEM_PX) + step if self._item.text() else _SQUEEZED_PX
        said += sum(each.sizeHint().width() + step for each in (self._own, self._distance, self._lag) if each.text())
        room = self.width() - 16 - self._title.sizeHint().width() - said - step
        widths = [_width_of(each) + step for each in wanted]
        short = sum(widths) > room
        if short:
            room -= self._more.sizeHint().width() + 4
        gone = False
        for each, width in zip(wanted, widths, strict=True):
            room -= width
            gone = short and (gone or room < 0)
            away = gone and isinstance(each, QAbstractButton | QComboBox)
            if bool(each.property(_AWAY)) != away:
                each.setProperty(_AWAY, away)
                each.setVisible(not away)
        more = any(each.property(_AWAY) for each in wanted)
        self._more.setVisible(more)
        stay = sum(width for each, width in zip(wanted, widths, strict=True) if not each.property(_AWAY))
        room = self.width() - 16 - self._title.sizeHint().width() - stay
        room -= self._more.sizeHint().width() + 4 if more else 0
        room -= self._lag.sizeHint().width() + step if self._lag.text() else 0
        for label in (self._distance, self._own, self._item):  # how far off it is counts most
            wide = label.sizeHint().width() if label is not self._item else _SQUEEZED_PX
            room -= wide + step if label.text() else 0
            label.setVisible(room >= 0)

    @Slot()
    def _fill_menu(self) -> None:
        self._menu.clear()
        for each in self.controls():
            if not each.property(_AWAY):
                continue
            if isinstance(each, QComboBox):
                inner = self._menu.addMenu(each.accessibleName() or each.toolTip())
                for number in range(each.count()):
                    chosen = inner.addAction(each.itemText(number))
                    chosen.setCheckable(True)
                    chosen.setChecked(number == each.currentIndex())
                    chosen.triggered.connect(partial(_choose, each, number))
            elif isinstance(each, QAbstractButton):
                entry = self._menu.addAction(each.accessibleName() or each.text())
                entry.setToolTip(each.toolTip())
                entry.setEnabled(each.isEnabled())
                entry.setCheckable(each.isCheckable())
                entry.setChecked(each.isChecked())
                entry.triggered.connect(partial(_press, each))

    # --- Qt -------------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._line.setGeometry(self.contentsRect())
        self._fit()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            if not self._fit_soon.isActive():
                self._fit_soon.start(_LOOK_MS)  # a control came or says more; times change too while it plays
            before, self._wants, self._needs = self._needs, None, None
            if self.minimumSizeHint() != before:
                self.updateGeometry()
        return super().event(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.maximise_wanted.emit()
        event.accept()


def _width_of(widget: QWidget) -> int:
    wide = widget.sizeHint().width()
    return min(max(wide, widget.minimumWidth()), widget.maximumWidth())


def _choose(box: QComboBox, number: int, _checked: bool = False) -> None:
    box.setCurrentIndex(number)
    box.activated.emit(number)


def _press(button: QAbstractButton, _checked: bool = False) -> None:
    menu = button.menu() if isinstance(button, QToolButton) else None
    if menu is not None and not button.isCheckable():
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))
        return
    button.click()
