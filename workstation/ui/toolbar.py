"""The bar over the panes: project, sample, tools, transport, time, undo and redo, palette.

Built from action ids, so that a button, its menu entry and its key are one thing. Made by the main window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from PySide6.QtCore import Qt, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QLineEdit, QToolBar, QToolButton, QWidget

from workstation.ui.actions.action import Action
from workstation.ui.eliding import ChoiceBox
from workstation.ui.icons import has_icon, icon
from workstation.ui.keymap import KeyMap
from workstation.ui.theme import Theme

RATES = tuple(Fraction(text) for text in ("1/10", "1/4", "1/2", "3/4", "1", "3/2", "2", "3", "4"))
_BEFORE_TOOLS = ("sample.previous", "sample.next")
_TRANSPORT = ("transport.start", "transport.step_back", "transport.play", "transport.step_forward", "transport.end")
_AFTER = ("edit.undo", "edit.redo", "window.palette")


class ToolBar(QToolBar):
    """``performed`` carries the id of the action a button stands for."""

    performed = QtSignal(str)
    time_entered = QtSignal(str)
    sample_chosen = QtSignal(str)
    rate_chosen = QtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Tools", parent)
        self.setObjectName("toolbar")
        self.setAccessibleName("Tool bar")
        self.setMovable(False)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self._buttons: dict[str, QToolButton] = {}
        self._icons: dict[str, str] = {}
        self._tools: dict[str, QToolButton] = {}
        self._entries: dict[str, QAction] = {}
        self._held = ""

    def build(self, actions: dict[str, Action], tools: Iterable[Action]) -> None:
        """Fill it; once."""
        self.project = self._menu_button()
        self._button(actions[_BEFORE_TOOLS[0]])
        self.samples = self._sample_box()
        self._button(actions[_BEFORE_TOOLS[1]])
        self.addSeparator()
        for tool in tools:
            self._tools[tool.id] = self._button(tool, checkable=True)
            self._entries[tool.id] = self.actions()[-1]
        self.addSeparator()
        for each in _TRANSPORT:
            self._button(actions[each])
        self.rate = self._rate_box()
        self.addSeparator()
        self.time = self._time_field()
        spring = QWidget()
        spring.setSizePolicy(spring.sizePolicy().Policy.Expanding, spring.sizePolicy().Policy.Preferred)
        self.addWidget(spring)
        for each in _AFTER:
            self._button(actions[each])

    def button(self, action_id: str) -> QToolButton | None:
        return self._buttons.get(action_id)

    def offer(self, fits: Callable[[str], bool]) -> None:
        """Show the tools that have something to work on in this sample; the others stay in menus and palette."""
        for tool_id, entry in self._entries.items():
            entry.setVisible(fits(tool_id))

    def hold(self, action_id: str) -> None:
        """Show which tool is in the hand."""
        self._held = action_id
        for tool_id, button in self._tools.items():
            button.setChecked(tool_id == action_id)

    def paint_icons(self, theme: Theme) -> None:
        """In the colours of the theme."""
        for action_id, name in self._icons.items():
            self._buttons[action_id].setIcon(icon(name, theme))
        more = self.findChild(QToolButton, "qt_toolbar_ext_button")  # Qt's own, whose arrow is black on every theme
        if more is not None:
            more.setIcon(icon("next", theme))
            more.setAccessibleName("Tools that have no room")
            more.setToolTip("Tools that have no room")

    def show_keys(self, keymap: KeyMap) -> None:
        """Each button says its key."""
        for action_id, button in self._buttons.items():
            keys = keymap.keys_of(action_id)
            button.setToolTip(f"{button.accessibleName()} ({keys[0]})" if keys else button.accessibleName())

    def set_icon(self, action_id: str, name: str, theme: Theme) -> None:
        """Another drawing on a button, as pause in place of play."""
        self._icons[action_id] = name
        self._buttons[action_id].setIcon(icon(name, theme))

    def _button(self, action: Action, *, checkable: bool = False) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"button_{action.id}")
        button.setAccessibleName(action.title)
        button.setToolTip(action.title)
        button.setCheckable(checkable)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # the pane keeps the keys when the mouse presses a button
        button.setProperty("action_id", action.id)
        button.clicked.connect(self._on_clicked)
        self._buttons[action.id] = button
        if has_icon(action.icon):
            self._icons[action.id] = action.icon
        else:
            button.setText(action.title)
        self.addWidget(button)
        return button

    def _menu_button(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("button_project")
        button.setAccessibleName("Project")
        button.setText("Project ▾")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.addWidget(button)
        return button

    def _sample_box(self) -> QComboBox:
        box = ChoiceBox()
        box.setObjectName("sample_box")
        box.setAccessibleName("Sample")
        box.setToolTip("The open sample")
        box.setMinimumContentsLength(14)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        box.setMaxVisibleItems(24)
        box.activated.connect(self._on_sample)
        self.addWidget(box)
        return box

    def _rate_box(self) -> QComboBox:
        box = QComboBox()
        box.setObjectName("rate_box")
        box.setAccessibleName("Playing rate")
        box.setToolTip("Playing rate")
        box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for rate in RATES:
            box.addItem(rate_text(rate), rate)
        box.setCurrentIndex(RATES.index(Fraction(1)))
        box.activated.connect(self._on_rate)
        self.addWidget(box)
        return box

    def _time_field(self) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName("time_field")
        field.setAccessibleName("Session time; type a time, frame 430 or sweep 143")
        field.setToolTip("Session time. Type 14.327, 1:02.5, frame 430 or sweep 143 (@transport.go_to)")
        field.setAlignment(Qt.AlignmentFlag.AlignCenter)
        field.setFixedWidth(field.fontMetrics().horizontalAdvance("00:00:00.000000") + 24)
        field.setFocusPolicy(Qt.FocusPolicy.ClickFocus | Qt.FocusPolicy.TabFocus)
        field.returnPressed.connect(self._on_time)
        self.addWidget(field)
        return field

    @Slot()
    def _on_clicked(self) -> None:
        sender = self.sender()
        if sender is not None:
            self.performed.emit(str(sender.property("action_id")))
            self.hold(self._held)  # a press has turned the button, whether the tool was taken or not

    @Slot()
    def _on_time(self) -> None:
        self.time_entered.emit(self.time.text())

    @Slot(int)
    def _on_sample(self, index: int) -> None:
        self.sample_chosen.emit(str(self.samples.itemData(index)))

    @Slot(int)
    def _on_rate(self, index: int) -> None:
        self.rate_chosen.emit(self.rate.itemData(index))


def rate_text(rate: Fraction) -> str:
    """``0.25×``."""
    return f"{float(rate):g}×"
