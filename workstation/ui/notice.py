"""A line under the tool bar for what concerns the whole project: not closed cleanly, read-only, media missing.

It stays until it is answered or closed, takes no focus, and offers one act.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolBar, QToolButton, QWidget

_LEAST_PX = 240


class Notice(QToolBar):
    """Hidden while there is nothing to say."""

    performed = QtSignal(str)
    wanted = QtSignal(bool)
    """Whether the window shall show the bar, so that it can keep the panes as tall as they are."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Notice", parent)
        self.setObjectName("notice")
        self.setAccessibleName("Notice")
        self.setMovable(False)
        self._waiting: list[tuple[str, str, str]] = []
        self._text = _Sentence()
        self._text.setObjectName("notice_text")
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._act = self._button("notice_act", "")
        self._act.clicked.connect(self._on_act)
        self._close = self._button("notice_close", "Close")
        self._close.clicked.connect(self._next)
        for widget in (self._text, self._act, self._close):
            self.addWidget(widget)
        self.hide()

    @property
    def text(self) -> str:
        """What it says now; empty when it is hidden."""
        return self._waiting[0][0] if self._waiting else ""

    def say(self, text: str, action_id: str = "", action_title: str = "") -> None:
        """One more thing to say, with what can be done about it; it waits for those before it."""
        self._waiting.append((text, action_id, action_title))
        self.settle()

    def answered(self, action_id: str) -> None:
        """What this action was offered for is no longer so."""
        self._waiting = [each for each in self._waiting if each[1] != action_id]
        self.settle()

    def clear_all(self) -> None:
        """Nothing to say any more: another project."""
        self._waiting.clear()
        self.settle()

    @Slot()
    def settle(self) -> None:
        """Show what is to be said, after whatever may have shown or hidden the bar."""
        if self._waiting:
            text, action_id, title = self._waiting[0]
            others = len(self._waiting) - 1
            self._text.setText(f"▲ {text}" + (f"  ({others} more after this)" if others else ""))
            self._text.setAccessibleName(text)
            self._text.setToolTip(text)
            self._act.setText(title)
            self._act.setAccessibleName(title or "Nothing to do")
            self._act.setEnabled(bool(action_id))
        self.wanted.emit(bool(self._waiting))

    @Slot()
    def _next(self) -> None:
        del self._waiting[:1]
        self.settle()

    @Slot()
    def _on_act(self) -> None:
        action_id = self._waiting[0][1]
        self._next()
        self.performed.emit(action_id)

    def _button(self, name: str, text: str) -> QToolButton:
        made = QToolButton()
        made.setObjectName(name)
        made.setAccessibleName(text or name)
        made.setText(text)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return made


class _Sentence(QLabel):
    """Breaks its line where there is no room: a long one never makes the window wider than the screen."""

    def sizeHint(self) -> QSize:
        return QSize(_LEAST_PX, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(_LEAST_PX, super().minimumSizeHint().height())
