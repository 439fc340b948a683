"""What the hand holds: the tool, the class the next shape gets, and what is hidden or locked. One for all panes.

Owned by the workbench. Panes read it when a gesture starts; the tool bar, class keys and lanes change it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from workstation.core.signal import Signal

SELECT = "select"
"""The tool that picks and edits what is there; every other tool is named by the shape it makes, as ``box``."""


class Hand:
    """The tool that stays until another is taken, and the class of the next shape."""

    def __init__(self) -> None:
        self.changed: Signal[Hand] = Signal("hand_changed")
        self._tool = SELECT
        self._class_id: str | None = None
        self._drawn: Callable[[str], None] | None = None

    @property
    def tool(self) -> str:
        return self._tool

    @property
    def class_id(self) -> str | None:
        """Class of the next shape; ``None``: it is asked for after drawing."""
        return self._class_id

    def take(self, tool: str) -> None:
        """Hold another tool."""
        if tool != self._tool:
            self._tool = tool
            self.changed.emit(self)

    def set_class(self, class_id: str | None) -> None:
        """The next shape gets this class."""
        if class_id != self._class_id:
            self._class_id = class_id
            self.changed.emit(self)

    @property
    def waiting(self) -> bool:
        """Whether a shape was drawn and its class is still to be said."""
        return self._drawn is not None

    def ask_class(self, drawn: Callable[[str], None]) -> None:
        """A shape was drawn without a class: ``drawn`` makes it once the class is known. The next shape replaces it."""
        self._drawn = drawn
        self.changed.emit(self)

    def forget_drawn(self) -> None:
        """The shape that waits for a class is given up."""
        if self._drawn is not None:
            self._drawn = None
            self.changed.emit(self)

    def say_class(self, class_id: str) -> bool:
        """The class of the shape that waits; whether there was one."""
        drawn, self._drawn = self._drawn, None
        if drawn is None:
            return False
        drawn(class_id)
        self.changed.emit(self)
        return True


class Sight:
    """What is hidden, shown alone or locked: classes, tracks (annotation or entity ids) and lanes (stream ids)."""

    def __init__(self) -> None:
        self.changed: Signal[Sight] = Signal("sight_changed")
        self._hidden: frozenset[str] = frozenset()
        self._solo: frozenset[str] = frozenset()
        self._locked: frozenset[str] = frozenset()

    def visible(self, keys: Iterable[str | None]) -> bool:
        """Whether something known under these keys (its class, entity, stream and own id) is to be drawn."""
        known = {key for key in keys if key is not None}
        return not known & self._hidden and (not self._solo or bool(known & self._solo))

    def locked(self, keys: Iterable[str | None]) -> bool:
        """Whether gestures leave it alone."""
        return any(key in self._locked for key in keys)

    def is_hidden(self, key: str) -> bool:
        return key in self._hidden

    def is_solo(self, key: str) -> bool:
        return key in self._solo

    def is_locked(self, key: str) -> bool:
        return key in self._locked

    def toggle_hidden(self, key: str) -> None:
        self._hidden ^= {key}
        self.changed.emit(self)

    def toggle_solo(self, key: str) -> None:
        self._solo ^= {key}
        self.changed.emit(self)

    def toggle_locked(self, key: str) -> None:
        self._locked ^= {key}
        self.changed.emit(self)

    def show_all(self) -> None:
        """Nothing hidden, nothing alone; locks stay."""
        self._hidden = self._solo = frozenset()
        self.changed.emit(self)
