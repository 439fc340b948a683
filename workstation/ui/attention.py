"""What a pane that nobody sees has missed: told once, when somebody looks again. Used by ``panes/base.py`` alone.

A pane behind another tab, or closed, is neither painted nor kept up to date: of everything the workbench tells, it is
remembered that it happened, many commits as one, many seeks as the last. So a window pays for the panes on the screen,
however many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from workstation.core.selection import SelectionChanged, SelectionState
from workstation.core.signal import Signal

if TYPE_CHECKING:
    from workstation.store.changes import ChangeSet

T = TypeVar("T")
_BULK = 5_000
"""Records touched while nobody looked, from which on the pane begins anew."""


class Missed:
    """What happened while nobody looked, as little as is needed to catch up."""

    def __init__(self) -> None:
        self.sample = False
        """Another sample was opened, or so much changed that the pane had better begin anew."""
        self.changes: ChangeSet | None = None
        """All commits as one."""
        self.time = False
        self.before: SelectionState | None = None
        """What was selected when it was last looked at; ``None``: nothing was selected or left since."""
        self.cause = ""

    def commit(self, changes: ChangeSet) -> None:
        """One more commit."""
        self.changes = changes if self.changes is None else self.changes.then(changes)
        self.sample = self.sample or len(self.changes) > _BULK

    def selection(self, change: SelectionChanged) -> None:
        """One more change of the selection."""
        self.before = change.before if self.before is None else self.before
        self.cause = change.cause

    def __bool__(self) -> bool:
        return self.sample or self.time or self.changes is not None or self.before is not None


class Listener(Protocol):
    """The pane that an ear belongs to."""

    @property
    def listening(self) -> bool:
        """Whether what is told is to be passed on now, rather than kept."""
        ...

    def guard(self, act: Callable[[T], object], value: T, /) -> object: ...


class Ear(Generic[T]):
    """One signal of the workbench and what the pane does about it: at once, or with the last value when it is seen."""

    def __init__(self, pane: Listener, signal: Signal[T], act: Callable[[T], object]) -> None:
        self._pane, self._signal, self._act = pane, signal, act
        self._kept: list[T] = []
        signal.connect(self.hear)

    def hear(self, value: T) -> None:
        """The signal was emitted."""
        if self._pane.listening:
            self._pane.guard(self._act, value)
        else:
            self._kept = [value]

    def catch_up(self) -> None:
        """Pass on what was kept."""
        kept, self._kept = self._kept, []
        for value in kept:
            self._pane.guard(self._act, value)

    def end(self) -> None:
        """Hear no more."""
        self._signal.disconnect(self.hear)
        self._kept = []
