"""Actions of the transcript: cutting, joining, playing and adding turns, placing words; all work while typing."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from workstation.ui.actions.action import Hands, action, needs_sample

if TYPE_CHECKING:
    from workstation.ui.panes.text import TextPane

MENU = "Sound"
SCOPE = "text"


def _text(hands: Hands) -> TextPane | None:
    """The transcript, by its kind: its module is imported when it is first shown."""
    found = hands.pane if hands.pane is not None and hands.pane.kind == SCOPE else hands.frame.pane(SCOPE)
    return cast("TextPane | None", found)


@action("text.split", title="Split turn at the caret", keys="Ctrl+Enter", scope=SCOPE, menu=MENU, enabled=needs_sample)
def split(hands: Hands) -> None:
    """Cut the turn before the word at the caret; words keep their times."""
    pane = _text(hands)
    if pane is not None:
        pane.split()


@action("text.join", title="Join with the next turn", keys="Ctrl+J", scope=SCOPE, menu=MENU, enabled=needs_sample)
def join(hands: Hands) -> None:
    """Make one turn of the one with the caret and the next of the same speaker."""
    pane = _text(hands)
    if pane is not None:
        pane.join()


@action("text.play_turn", title="Play the turn", keys="Ctrl+Space", scope=SCOPE, menu=MENU, enabled=needs_sample)
def play_turn(hands: Hands) -> None:
    """Play exactly the turn with the caret, and stop."""
    pane = _text(hands)
    if pane is not None:
        pane.play_turn()


@action("text.place_word", title="Place the word at the playhead", keys="Ctrl+T", scope=SCOPE, menu=MENU,
        enabled=needs_sample)  # fmt: skip
def place_word(hands: Hands) -> None:
    """Give the word at the caret its time, from the playhead on, between its neighbours."""
    pane = _text(hands)
    if pane is not None:
        pane.place_word()


@action("text.add_turn", title="Add a turn here", keys="Ctrl+Shift+T", menu=MENU, enabled=needs_sample)
def add_turn(hands: Hands) -> None:
    """Add a turn where the selected span or the loop is, and type what is said."""
    if hands.frame.pane(SCOPE) is None:
        hands.frame.show_pane(SCOPE)
    pane = _text(hands)
    if pane is not None:
        pane.add_turn()
