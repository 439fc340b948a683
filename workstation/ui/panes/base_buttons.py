"""Buttons in the headers of panes: called by what their tool tip says, reached by the Tab key."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton


def header_button(name: str, text: str, tip: str) -> QToolButton:
    """A button; ``tip`` is its spoken name too, less the key in brackets."""
    button = QToolButton()
    button.setObjectName(name)
    button.setText(text)
    button.setToolTip(tip)
    button.setAccessibleName(tip.partition(" (")[0])
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def header_toggle(name: str, text: str, tip: str, *, on: bool) -> QToolButton:
    """A button that stays down, or not."""
    button = header_button(name, text, tip)
    button.setCheckable(True)
    button.setChecked(on)
    return button
