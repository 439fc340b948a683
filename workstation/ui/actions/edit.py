"""Actions that edit through commands of the registry: undo and redo, and what is done to the selection."""

from __future__ import annotations

from workstation.ui.actions.action import Hands, action

EDIT = "Edit"


@action("edit.undo", title="Undo", keys="Ctrl+Z", menu=EDIT, icon="undo", repeats=True)
def undo(hands: Hands) -> None:
    """Take back my last step on the open sample, and go back to where it was."""
    result = hands.bench.session.undo()
    hands.bench.tell("There is nothing to take back." if result is None else f"Took back: {result.label}.")


@action("edit.redo", title="Redo", keys=("Ctrl+Shift+Z", "Ctrl+Y"), menu=EDIT, icon="redo", repeats=True)
def redo(hands: Hands) -> None:
    """Do again what was taken back last."""
    result = hands.bench.session.redo()
    hands.bench.tell("There is nothing to do again." if result is None else f"Did again: {result.label}.")
