"""How keys are written: one spelling per chord, as ``Ctrl+Shift+Z``. Read by the key map, the menus and the dispatcher.

No Qt here: the dispatcher (``keys.py``) turns an event into this spelling.
"""

from __future__ import annotations

from workstation.core.errors import UserError

_MODIFIERS = ("Ctrl", "Alt", "Shift", "Meta")
_OTHER_NAMES = {
    "return": "Enter", "escape": "Esc", "pageup": "PgUp", "pagedown": "PgDn", "del": "Delete", "ins": "Insert",
    "control": "Ctrl", "cmd": "Ctrl", "command": "Ctrl", "option": "Alt", "win": "Meta", "super": "Meta",
    "spacebar": "Space",
}  # fmt: skip
_NAMED = (
    "Enter", "Esc", "PgUp", "PgDn", "Delete", "Insert", "Home", "End", "Left", "Right", "Up", "Down", "Space", "Tab",
    "Backtab", "Backspace", "Menu", "Print", "Pause", *(f"F{number}" for number in range(1, 25)), *_MODIFIERS,
)  # fmt: skip
_BY_NAME = {name.casefold(): name for name in _NAMED} | _OTHER_NAMES
_LONGEST = 60
FIXED = frozenset({"Tab", "Shift+Tab", "Backtab", "Esc"})
"""Keys that nobody may take: Tab always moves focus, Esc always leaves."""


def chord(text: str) -> str:
    """The one spelling of a chord; ``UserError`` for what is none."""
    words = _split(text)
    modifiers = {_name(word) for word in words[:-1]}
    key = _name(words[-1]) if words else ""
    if not key or key in _MODIFIERS or not modifiers <= set(_MODIFIERS) or not _is_key(key):
        raise UserError(f"{text[:_LONGEST]!r} is no key: write it like Ctrl+K, Shift+Left or F2")
    return "+".join([each for each in _MODIFIERS if each in modifiers] + [key])


def is_plain(text: str) -> bool:
    """Whether a chord would type a letter while text is edited: no Ctrl, Alt or Meta, and no function key."""
    *modifiers, key = _split(text)
    return not {"Ctrl", "Alt", "Meta"} & set(modifiers) and not (key[:1] == "F" and key[1:].isdigit())


def has_ctrl(text: str) -> bool:
    """Whether the chord holds Ctrl or is a function key: what leaves text that is being edited."""
    *modifiers, key = _split(text)
    return "Ctrl" in modifiers or (key[:1] == "F" and key[1:].isdigit())


def _split(text: str) -> list[str]:
    if text.endswith("++"):
        return [*text[:-2].split("+"), "+"]
    return [text] if text == "+" else text.split("+")


def _name(word: str) -> str:
    word = word.strip()
    known = _BY_NAME.get(word.casefold())
    if known is not None:
        return known
    return word.upper() if len(word) == 1 and len(word.upper()) == 1 else word


def _is_key(key: str) -> bool:
    return key in _BY_NAME.values() or (len(key) == 1 and key.isprintable() and not key.isspace())
