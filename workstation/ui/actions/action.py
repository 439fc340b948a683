"""An action: one thing a person can do in the window, known by id, with its title, keys, menu and when it can be done.

Edits are commands of the one registry (``commands/registry.py``); what only moves the window, the clock or the hand is
a plain function under ``@action`` in a module of this folder. Menus, toolbar, keys, palette and the cheat sheet are
built from one table (``table.py``) that holds both; so a command and an action never exist twice under two names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from workstation.core.values import dataclass

if TYPE_CHECKING:
    from workstation.ui.panes.base import Pane
    from workstation.ui.workbench import Workbench

WINDOW = "window"
"""Scope of keys that work wherever the focus is. Every other scope is a pane's ``kind``, or ``gesture``."""


class Frame(Protocol):
    """What an action may ask of the main window."""

    def pane(self, kind: str) -> Pane | None:
        """The pane of that kind, if it is open."""
        ...

    def show_pane(self, kind: str) -> None:
        """Bring a pane to the front and give it the focus."""
        ...

    def open_dialog(self, name: str) -> None:
        """Open one of ``dialogs/catalogue.py``."""
        ...

    def take_workspace(self, name: str) -> None:
        """Change to another workspace; an empty name puts this one back as it comes."""
        ...

    def maximise(self, pane: Pane | None) -> None:
        """This pane alone, or all again."""
        ...

    def focus_next(self, pane: Pane | None, step: int) -> None:
        """Give the focus to the pane after (before) this one."""
        ...

    def open_label_menu(self, pane: Pane | None) -> None:
        """The menu of what is selected: where it is linked to, and what may be linked."""
        ...

    def turn_lines(self) -> bool:
        """Draw lines between panes, or none; which of both it is now."""
        ...

    def turn_findings(self) -> bool:
        """Draw findings in place, or not; which of both it is now."""
        ...

    def turn_theme(self) -> None:
        """Dark to light and back."""
        ...

    def perform(self, action_id: str, pane: Pane | None = None) -> None:
        """Do another action, as if its key had been pressed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What an action works with: the workbench, the pane that has the focus, the frame around them."""

    bench: Workbench
    pane: Pane | None
    frame: Frame


Run = Callable[[Hands], Any]
WhyNot = Callable[[Hands], str | None]


NO_PROJECT = "open a project first"
READ_ONLY = "the project is open to look at only"
NO_SAMPLE = "open a sample first"
NO_LABEL_SELECTED = "select something first"
HANDED_IN = "it is handed in already"
NOT_HANDED_IN = "it is not handed in yet"
NO_STREAM_FOR_IT, NO_CLASS_FOR_IT = "this sample has no", "no class of this ontology"
"""How reasons begin that no key or click takes away: there is nothing of the kind in the sample, or no word for it."""
SHOW_PANE = "pane.show_"
"""Ids of the actions that show a pane begin so."""
UNLOCKS = {
    NO_PROJECT: "project.open",
    READ_ONLY: "project.edit",
    NO_SAMPLE: "sample.next",
    NO_LABEL_SELECTED: "edit.select_where",
    HANDED_IN: "sample.reopen",
    NOT_HANDED_IN: "sample.submit",
}
"""What takes away a reason, wherever it is given: the id of the action."""


def always(_hands: Hands) -> str | None:
    """Never greyed."""
    return None


def needs_sample(hands: Hands) -> str | None:
    """Greyed until a sample is open."""
    return None if hands.bench.view is not None else NO_SAMPLE


def needs_selection(hands: Hands) -> str | None:
    """Greyed until something is selected."""
    return None if hands.bench.selected else NO_LABEL_SELECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """``keys`` are the defaults, as Qt writes them (``Ctrl+K``); the key map may say others."""

    id: str
    title: str
    help: str
    keys: tuple[str, ...]
    scope: str
    menu: str
    """Name of the menu it stands in, as ``Play``; empty: keys and palette only."""
    icon: str
    run: Run
    why_not: WhyNot
    repeats: bool
    """Whether holding the key repeats it."""
    project_free: bool = False
    """Whether it can be done with no project open; then ``hands.bench`` is not to be touched."""
    unlocked_by: str = ""
    """Id of the action that a greyed entry offers instead: what makes it possible. Empty: what the reason itself says
    (``UNLOCKS``)."""


def action(
    action_id: str,
    *,
    title: str,
    keys: str | tuple[str, ...] = (),
    scope: str = WINDOW,
    menu: str = "",
    icon: str = "",
    enabled: WhyNot = always,
    repeats: bool = False,
    project_free: bool = False,
    unlocked_by: str = "",
) -> Callable[[Run], Run]:
    """Mark a function as an action; its docstring is its help."""

    def mark(function: Run) -> Run:
        made = Action(
            id=action_id,
            title=title,
            help=" ".join((function.__doc__ or "").split()),
            keys=(keys,) if isinstance(keys, str) else keys,
            scope=scope,
            menu=menu,
            icon=icon,
            run=function,
            why_not=enabled,
            repeats=repeats,
            project_free=project_free,
            unlocked_by=unlocked_by,
        )
        function.__action__ = made  # type: ignore[attr-defined]
        return function

    return mark
