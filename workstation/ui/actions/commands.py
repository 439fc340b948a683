"""Every command of the registry as an action, so that all edits can be reached from menus, palette and keys.

Where the selection and the playhead say all that a command must know, it is done at once; else a form asks for the
rest. Commands that have an action of their own keep it. Called by ``table.py`` when a project is open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from workstation.ui.actions.action import WINDOW, Action, Hands

if TYPE_CHECKING:
    from workstation.app.forms import Place
    from workstation.commands.registry import Command, Registry

_MENUS = {
    "annotation": "Label", "bulk": "Label", "entity": "Label", "text": "Label", "turn": "Label", "word": "Label",
    "keyframe": "Track", "track": "Track", "link": "Link", "sample": "Sample", "stream": "Sync", "rig": "Sync",
    "anchor": "Sync", "gate": "Sync", "verdict": "Review", "comment": "Review", "question": "Review",
    "edge_case": "Review", "finding": "Review",
}  # fmt: skip
"""The others are in the palette only."""
AT_ONCE = frozenset({
    "annotation.split", "annotation.merge", "entity.detach", "entity.merge", "entity.split", "track.make",
    "track.extend", "track.split", "track.join", "track.swap", "track.remove_gap", "keyframe.set", "link.confirm",
    "link.negate", "link.remove", "turn.join", "sample.start", "sample.reopen",
    "anchor.follow",
})  # fmt: skip
"""Commands to which the selection and the playhead say all that matters. Every other one asks: what may be left out of
a command of many labels means all of them."""


def actions_of(registry: Registry) -> Iterator[Action]:
    """One action per command."""
    for command in registry:
        at_once = command.id in AT_ONCE
        yield Action(
            id=command.id,
            title=command.title.rstrip("…") + ("" if at_once else "…"),
            help=command.help,
            keys=(),
            scope=WINDOW,
            menu=_MENUS.get(command.id.partition(".")[0], ""),
            icon="",
            run=_runner(command),
            why_not=_why_not(command),
            repeats=False,
        )


def place_of(hands: Hands) -> Place:
    """Where the hand is."""
    from workstation.app.forms import Place

    bench = hands.bench
    state = bench.selection.state
    ahead = tuple(each for each in state.ids if each != state.active)
    ordered = (*ahead, state.active) if state.active is not None else ahead
    return Place(view=bench.view, selected=ordered, time_ns=bench.clock.time_ns)


def _runner(command: Command) -> Callable[[Hands], object]:
    def run(hands: Hands) -> object:
        from workstation.app.forms import filled

        given = filled(command, place_of(hands)) if command.id in AT_ONCE else None
        if given is None:
            hands.frame.open_dialog(f"command {command.id}")
            return None
        return hands.bench.run(command.id, **given)

    return run


def _why_not(command: Command) -> Callable[[Hands], str | None]:
    def why_not(hands: Hands) -> str | None:
        return hands.bench.session.why_not(command)

    return why_not
