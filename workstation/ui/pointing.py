"""Qt's pointer and keys as the values that tools get. Used by every pane with tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent

from workstation.ui.tools.canvas import Button, Canvas, Cursor, KeyPress, Modifier, PointerEvent

_BUTTONS = (
    (Qt.MouseButton.LeftButton, Button.LEFT),
    (Qt.MouseButton.RightButton, Button.RIGHT),
    (Qt.MouseButton.MiddleButton, Button.MIDDLE),
)
_MODIFIERS = (
    (Qt.KeyboardModifier.ShiftModifier, Modifier.SHIFT),
    (Qt.KeyboardModifier.ControlModifier, Modifier.CTRL),
    (Qt.KeyboardModifier.AltModifier, Modifier.ALT),
)
CURSORS = {
    Cursor.ARROW: Qt.CursorShape.ArrowCursor,
    Cursor.CROSS: Qt.CursorShape.CrossCursor,
    Cursor.MOVE: Qt.CursorShape.SizeAllCursor,
    Cursor.HAND: Qt.CursorShape.OpenHandCursor,
    Cursor.FORBIDDEN: Qt.CursorShape.ForbiddenCursor,
    Cursor.SIZE_HORIZONTAL: Qt.CursorShape.SizeHorCursor,
    Cursor.SIZE_VERTICAL: Qt.CursorShape.SizeVerCursor,
    Cursor.SIZE_DOWN: Qt.CursorShape.SizeFDiagCursor,
    Cursor.SIZE_UP: Qt.CursorShape.SizeBDiagCursor,
    Cursor.TURN: Qt.CursorShape.PointingHandCursor,
    Cursor.NOTHING: Qt.CursorShape.BlankCursor,
}


def buttons_of(given: Qt.MouseButton) -> Button:
    """One button, or several that are down."""
    found: Button = _flags(given, _BUTTONS, Button.NONE)
    return found


def modifiers_of(given: Qt.KeyboardModifier) -> Modifier:
    """Shift, Ctrl and Alt."""
    found: Modifier = _flags(given, _MODIFIERS, Modifier.NONE)
    return found


def pointer_of(event: QMouseEvent, canvas: Canvas, *, clicks: int = 1) -> PointerEvent:
    """A mouse event in picture pixels."""
    x, y = canvas.to_picture((event.position().x(), event.position().y()))
    return PointerEvent(
        x=x, y=y, button=buttons_of(event.button()), held=buttons_of(event.buttons()),
        modifiers=modifiers_of(event.modifiers()), clicks=clicks, scale=canvas.scale,
    )  # fmt: skip


def key_of(event: QKeyEvent) -> KeyPress:
    """A key event as tools get it."""
    names = {Qt.Key.Key_Escape: "Escape", Qt.Key.Key_Return: "Return", Qt.Key.Key_Enter: "Return"}
    key = Qt.Key(event.key())
    name = names.get(key) or QKeySequence(event.key()).toString(QKeySequence.SequenceFormat.PortableText)
    return KeyPress(key=name, text=event.text(), modifiers=modifiers_of(event.modifiers()))


def _flags(given: Any, pairs: Sequence[tuple[Any, Any]], none: Any) -> Any:
    found = none
    for theirs, ours in pairs:
        if given & theirs:
            found |= ours
    return found
