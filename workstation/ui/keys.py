"""Who gets a key: text being edited, then the gesture in progress, then the focused pane, then the window.

One filter on the application. Panes install no shortcuts; actions of the table are run from here alone, so that a key
never does two things and never depends on who was made first.
"""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QMenuBar,
    QPlainTextEdit,
    QTabBar,
    QTextEdit,
    QWidget,
)  # fmt: skip

from workstation.ui.actions.action import WINDOW
from workstation.ui.chords import has_ctrl
from workstation.ui.collecting import at_work
from workstation.ui.keymap import KeyMap
from workstation.ui.panes.base import Pane

UNDO_OF_WINDOW = "undo_of_window"
"""Dynamic property of a text field whose Ctrl+Z takes back steps of the project and not letters of its own."""

_BARE = (
    Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr, Qt.Key.Key_unknown,
    Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock, Qt.Key.Key_ScrollLock, Qt.Key.Key_Super_L, Qt.Key.Key_Super_R,
)  # fmt: skip
_NAMES = {
    Qt.Key.Key_Return: "Enter", Qt.Key.Key_Enter: "Enter", Qt.Key.Key_Escape: "Esc", Qt.Key.Key_PageUp: "PgUp",
    Qt.Key.Key_PageDown: "PgDn", Qt.Key.Key_Delete: "Delete", Qt.Key.Key_Insert: "Insert", Qt.Key.Key_Tab: "Tab",
    Qt.Key.Key_Backtab: "Tab", Qt.Key.Key_Space: "Space", Qt.Key.Key_Backspace: "Backspace",
}  # fmt: skip
_HELD = (
    (Qt.KeyboardModifier.ControlModifier, "Ctrl"), (Qt.KeyboardModifier.AltModifier, "Alt"),
    (Qt.KeyboardModifier.ShiftModifier, "Shift"), (Qt.KeyboardModifier.MetaModifier, "Meta"),
)  # fmt: skip
_OF_TEXT = (
    QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo, QKeySequence.StandardKey.Copy,
    QKeySequence.StandardKey.Cut, QKeySequence.StandardKey.Paste, QKeySequence.StandardKey.SelectAll,
    QKeySequence.StandardKey.MoveToNextWord, QKeySequence.StandardKey.MoveToPreviousWord,
    QKeySequence.StandardKey.SelectNextWord, QKeySequence.StandardKey.SelectPreviousWord,
    QKeySequence.StandardKey.DeleteStartOfWord, QKeySequence.StandardKey.DeleteEndOfWord,
    QKeySequence.StandardKey.MoveToStartOfDocument, QKeySequence.StandardKey.MoveToEndOfDocument,
    QKeySequence.StandardKey.SelectStartOfDocument, QKeySequence.StandardKey.SelectEndOfDocument,
)  # fmt: skip
_STEPS = {"edit.undo": Qt.Key.Key_Undo, "edit.redo": Qt.Key.Key_Redo}
_UNDO = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
_DIGIT_SCAN_CODES = {code: digit for digit, code in zip("1234567890", range(10, 20), strict=True)}
_ARROWS = frozenset({"Left", "Right", "Up", "Down"})
_OWN_KEYS: tuple[tuple[type[QWidget], frozenset[str]], ...] = (
    (QAbstractButton, frozenset({"Space", "Enter"})),
    (QComboBox, frozenset({"Space", "Enter", "Up", "Down"})),
    (QAbstractItemView, _ARROWS | {"Home", "End", "Enter", "Shift+Up", "Shift+Down"}),
    (QAbstractSlider, _ARROWS | {"Home", "End"}),
    (QTabBar, frozenset({"Left", "Right"})),
)
"""What a control needs for itself, so that everything works without a mouse."""


class Desk(Protocol):
    """What the dispatcher asks of the window."""

    keymap: KeyMap

    def perform(self, action_id: str, pane: Pane | None = None) -> None: ...
    def scopes(self, pane: Pane | None) -> tuple[str, ...]:
        """The scopes that hear a key, the nearest first."""
        ...

    def can(self, action_id: str, pane: Pane | None = None) -> bool:
        """Whether it could be done now."""
        ...

    def repeats(self, action_id: str) -> bool: ...
    def gesturing(self, pane: Pane | None) -> Pane | None:
        """The pane in which something is begun and not ended; the given one first."""
        ...

    def class_key(self, text: str) -> bool: ...
    def class_goes_first(self, text: str) -> bool:
        """Whether this key names the class of a drawn shape that waits, or of what is selected: then it goes before
        the pane's own keys."""
        ...

    def leave(self) -> None:
        """``Esc`` with nothing to leave and nothing to cancel."""
        ...

    def leave_text(self, field: QWidget) -> None: ...


class Keys(QObject):
    """The filter. ``desk`` owns it and takes it off again with ``stop``."""

    def __init__(self, desk: Desk, window: QWidget) -> None:
        super().__init__(window)
        self._desk = desk
        self._window = window
        self._passed_on: tuple[QWidget, int, int] | None = None
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self)

    def stop(self) -> None:
        """Let all keys go where Qt sends them."""
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys for our window are answered here; everything else goes on."""
        if not isinstance(event, QKeyEvent):  # first: asking every event of the program for its type costs a tenth
            return False
        kind = event.type()
        if kind not in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride):
            return False
        at_work()
        if not isinstance(watched, QWidget) or not self._is_ours(watched):
            return False
        if kind == QEvent.Type.ShortcutOverride:
            if self._wanted(watched, event):
                event.accept()  # no shortcut of Qt's fires; the press itself comes next
                return True
            return False
        press = (event.key(), event.timestamp())
        if self._passed_on is not None and self._passed_on[1:] == press and self._passed_on[0] is not watched:
            return False  # the same press on its way up: who had it first may have given the focus away
        taken = self._press(watched, event)
        self._passed_on = None if taken else (watched, *press)
        return taken

    def _is_ours(self, watched: QWidget) -> bool:
        popup: QWidget | None = QApplication.activePopupWidget()
        if watched.window() is not self._window or popup is not None or isinstance(watched, (QMenu, QMenuBar)):
            return False
        focus: QWidget | None = self._window.focusWidget()
        return watched is (self._window if focus is None else focus)

    def _wanted(self, focus: QWidget, event: QKeyEvent) -> bool:
        """Whether a press of this key would be ours: all but what belongs to Qt (Alt+letter opens a menu)."""
        texts = texts_of(event)
        if not texts:
            return False
        pane = pane_around(focus)
        scopes = self._desk.scopes(pane)
        return texts[0] == "Esc" or any(self._desk.keymap.action_for(t, s) for t in texts for s in scopes)

    def _press(self, focus: QWidget, event: QKeyEvent) -> bool:
        texts = texts_of(event)
        if not texts or "Tab" in texts[0].split("+"):
            return False
        pane = pane_around(focus)
        if edits_text(focus):
            if texts[0] == "Esc":
                self._desk.leave_text(focus)
                return True
            if not has_ctrl(texts[0]) or _stays_in_text(focus, event):
                return False
            return self._run(texts, event, pane)
        gesturing = self._desk.gesturing(pane)
        if gesturing is not None and gesturing.gesture is not None:
            if texts[0] == "Esc":
                gesturing.gesture.cancel()
                return True
            if gesturing.guard(gesturing.gesture.key, event) or self._within(gesturing, texts):
                return True
        if texts[0] == "Esc":
            self._desk.leave()
            return True
        if any(isinstance(focus, kind) and texts[0] in own for kind, own in _OWN_KEYS):
            return False
        held = event.isAutoRepeat()
        if not held and self._desk.class_goes_first(texts[0]) and self._class_key(texts):
            return True
        return self._run(texts, event, pane) or (not held and self._class_key(texts))

    def _within(self, pane: Pane, texts: tuple[str, ...]) -> bool:
        """Undo and redo in the middle of something are about that, not about what was stored before: the gesture hears
        them as keys of their own, and a drag is given up. Whether it was so."""
        bound = (self._desk.keymap.action_for(text, WINDOW) for text in texts)
        key = next((_STEPS[each] for each in bound if each in _STEPS), None)
        gesture = pane.gesture
        if key is None or gesture is None:
            return False
        if pane.guard(gesture.key, QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)):
            return True
        if QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton:
            return False
        gesture.cancel()
        return True

    def _run(self, texts: tuple[str, ...], event: QKeyEvent, pane: Pane | None) -> bool:
        """The nearest action of that chord that can be done; where none can, the nearest says why."""
        bound = [self._desk.keymap.action_for(text, scope) for scope in self._desk.scopes(pane) for text in texts]
        found = [each for each in bound if each is not None]
        if not found:
            return False
        action_id = found[0]
        if len(found) > 1:
            action_id = next((each for each in found if self._desk.can(each, pane)), action_id)
        if not event.isAutoRepeat() or self._desk.repeats(action_id):
            self._desk.perform(action_id, pane)
        return True

    def _class_key(self, texts: tuple[str, ...]) -> bool:
        return len(texts[0]) == 1 and self._desk.class_key(texts[0])


def pane_around(widget: QWidget | None) -> Pane | None:
    """The pane a widget stands in; its header counts, wherever the dock has put it."""
    while widget is not None:
        if isinstance(widget, Pane):
            return widget
        owner = widget.property("pane")
        if isinstance(owner, Pane):
            return owner
        widget = widget.parentWidget()
    return None


def edits_text(widget: QWidget) -> bool:
    """Whether letters typed there become text."""
    if isinstance(widget, (QLineEdit, QPlainTextEdit, QTextEdit)):
        return not widget.isReadOnly() or bool(widget.property("edits_text"))
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    return isinstance(widget, QAbstractSpinBox) or bool(widget.property("edits_text"))


def texts_of(event: QKeyEvent) -> tuple[str, ...]:
    """How the chord may be written, likeliest first: ``Shift+1`` is also ``!``, where a keyboard makes that of it."""
    key = event.key()
    if key in _BARE:
        return ()
    modifiers = event.modifiers()
    held = [name for flag, name in _HELD if modifiers & flag]
    name = _key_name(key)
    if not name:
        return ()
    found = ["+".join([*held, name])]
    symbol = len(name) == 1 and not name.isalnum()
    if "Shift" in held and symbol:
        without = [each for each in held if each != "Shift"]
        found.append("+".join([*without, name]))
        digit = _unshifted_digit(event)
        if digit:
            found.insert(0, "+".join([*held, digit]))
    return tuple(found)


def _key_name(key: int) -> str:
    try:
        named = _NAMES.get(Qt.Key(key))
    except ValueError:
        return ""
    return named or QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)


def _unshifted_digit(event: QKeyEvent) -> str:
    if QGuiApplication.platformName() in ("xcb", "wayland"):
        return _DIGIT_SCAN_CODES.get(event.nativeScanCode(), "")
    virtual = event.nativeVirtualKey()  # on Windows the unshifted digit
    return chr(virtual) if 0x30 <= virtual <= 0x39 else ""


def _stays_in_text(focus: QWidget, event: QKeyEvent) -> bool:
    if focus.property(UNDO_OF_WINDOW) and any(event.matches(each) for each in _UNDO):
        return False
    return any(event.matches(each) for each in _OF_TEXT)


__all__ = ["UNDO_OF_WINDOW", "WINDOW", "Desk", "Keys", "edits_text", "pane_around", "texts_of"]
