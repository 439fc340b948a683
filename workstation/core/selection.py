"""What is selected, active, hovered and pointed at in space, and who caused it: one for all panes.

A pane asks the session to select; the session calls ``Selection``; every pane hears ``selection_changed`` and draws.
The state is a value, so that a history step can keep it.
How a pick changes what is selected is a mode: a small function from two tuples of ids to one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from workstation.core.signal import Signal

Ids = tuple[str, ...]
Mode = Callable[[Ids, Ids], Ids]


def replace(_selected: Ids, picked: Ids) -> Ids:
    """Only what was picked."""
    return picked


def add(selected: Ids, picked: Ids) -> Ids:
    """What was selected, then what is new."""
    already = set(selected)
    return selected + tuple(item for item in picked if item not in already)


def subtract(selected: Ids, picked: Ids) -> Ids:
    """What was selected without what was picked."""
    gone = set(picked)
    return tuple(item for item in selected if item not in gone)


def toggle(selected: Ids, picked: Ids) -> Ids:
    """Picked ones change sides."""
    return subtract(selected, picked) + subtract(picked, selected)


class SpaceCursor(msgspec.Struct, frozen=True):
    """The shared 3D cursor: a point, or a ray from that point if the place along it is not known."""

    frame: str
    """Name of the frame the numbers are in."""
    point: tuple[float, float, float]
    direction: tuple[float, float, float] | None = None
    """Unit vector of the ray a pixel casts; ``None`` for a point."""
    session_ns: int | None = None
    """When the frame stood so; ``None`` for a frame that stands still."""


class SelectionState(msgspec.Struct, frozen=True):
    """Ids of any kind of record; ids are unique across kinds."""

    ids: Ids = ()
    """Selected, in the order of picking, each once."""
    active: str | None = None
    """The selected one that panels show and keys act on."""
    hovered: str | None = None
    cursor: SpaceCursor | None = None
    cursor_held: bool = False
    """The cursor stays where it is, wherever the pointer goes."""


class SelectionChanged(msgspec.Struct, frozen=True):
    """One change; panes redraw only for what differs and may skip what they caused."""

    before: SelectionState
    after: SelectionState
    cause: str

    @property
    def ids_changed(self) -> bool:
        """Whether other ids are selected or another one is active."""
        return (self.before.ids, self.before.active) != (self.after.ids, self.after.active)

    @property
    def hover_changed(self) -> bool:
        return self.before.hovered != self.after.hovered

    @property
    def cursor_changed(self) -> bool:
        before, after = self.before, self.after
        return (before.cursor, before.cursor_held) != (after.cursor, after.cursor_held)


class Selection:
    """Holds the state and tells about changes. ``cause`` names the pane or command that asked."""

    def __init__(self) -> None:
        self.selection_changed: Signal[SelectionChanged] = Signal("selection_changed")
        self._state = SelectionState()
        self._cause = ""

    @property
    def state(self) -> SelectionState:
        return self._state

    @property
    def cause(self) -> str:
        """Who caused the latest change."""
        return self._cause

    def select(self, ids: Iterable[str], *, cause: str, mode: Mode = replace, active: str | None = None) -> None:
        """Change what is selected. The active one is ``active``, else the last one picked, if it is selected."""
        picked = tuple(dict.fromkeys(ids))
        selected = tuple(dict.fromkeys(mode(self._state.ids, picked)))
        wanted = (active, *reversed(picked), self._state.active)
        self._change(cause, ids=selected, active=_first_selected(wanted, selected))

    def clear(self, *, cause: str) -> None:
        self.select((), cause=cause)

    def activate(self, item: str, *, cause: str) -> None:
        """Make one active, selecting it beside the others if it was not."""
        self.select((item,), cause=cause, mode=add)

    def hover(self, item: str | None, *, cause: str) -> None:
        """The thing under the pointer, or nothing."""
        self._change(cause, hovered=item)

    def point_at(self, cursor: SpaceCursor | None, *, cause: str) -> None:
        """Move the shared 3D cursor, or take it away; while it is held it stays."""
        if not self._state.cursor_held:
            self._change(cause, cursor=cursor)

    def hold_cursor(self, held: bool, *, cause: str) -> None:
        """Let the 3D cursor stay where it is, or follow the pointer again: then it is gone until the next move."""
        if held != self._state.cursor_held:
            self._change(cause, cursor=self._state.cursor if held else None, cursor_held=held)

    def restore(self, state: SelectionState, *, exists: Callable[[str], bool], cause: str) -> None:
        """Go back to a remembered selection, as far as its items still exist; hover and cursor stay as they are."""
        selected = tuple(item for item in state.ids if exists(item))
        self._change(cause, ids=selected, active=_first_selected((state.active,), selected))

    def forget(self, vanished: Iterable[str], *, cause: str) -> None:
        """These records are gone: drop them wherever they appear."""
        gone = set(vanished)
        self._keep(lambda item: item not in gone, cause)

    def repair(self, exists: Callable[[str], bool], *, cause: str) -> None:
        """Another sample or another revision is shown: drop whatever is not there."""
        self._keep(exists, cause)

    def _keep(self, exists: Callable[[str], bool], cause: str) -> None:
        selected = tuple(item for item in self._state.ids if exists(item))
        hovered = self._state.hovered
        self._change(
            cause,
            ids=selected,
            active=_first_selected((self._state.active,), selected),
            hovered=hovered if hovered is not None and exists(hovered) else None,
        )

    def _change(self, cause: str, **fields: object) -> None:
        before = self._state
        after = msgspec.structs.replace(before, **fields)
        if after != before:
            self._state, self._cause = after, cause
            self.selection_changed.emit(SelectionChanged(before, after, cause))


def _first_selected(wanted: Iterable[str | None], selected: Ids) -> str | None:
    """The first wanted one that is selected, else the one selected last."""
    inside = set(selected)
    for item in wanted:
        if item in inside:
            return item
    return selected[-1] if selected else None
