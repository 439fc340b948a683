"""The chapter of the manual that lists every action and key of the window, written from the table.

``python -m workstation.ui.key_page > resources/manual/keys.md`` writes it; a test holds the chapter to the table.
"""

from __future__ import annotations

import sys
from collections import defaultdict

from workstation.ui.actions.action import WINDOW, Action
from workstation.ui.actions.table import load_actions
from workstation.ui.keymap import bounds_of, key_map_of

_HEAD = """\
# Every key and action of the window

Where a key works: text that is being edited has it first, then the gesture in progress, then the focused pane, then
the window. While text is edited only chords with Ctrl and the function keys leave it.
`Esc` leaves the text, then cancels the gesture, then clears the selection; `Tab` always moves the focus.
All keys can be changed (Help, Change keys…). Every command of the [list of commands](commands.md) is in the menus or
the palette as well, and can be given a key. Classes have the keys that the ontology gives them.
This chapter is written by `python -m workstation.ui.key_page`.
"""
_TITLES = {WINDOW: "Everywhere", "review": "In the workspace Review"}


def key_page() -> str:
    """The whole chapter, as Markdown."""
    keys = key_map_of(bounds_of(load_actions()))
    by_scope: dict[str, list[Action]] = defaultdict(list)
    for action in load_actions():
        by_scope[action.scope].append(action)
    parts = [_HEAD]
    for scope in sorted(by_scope, key=lambda each: (each != WINDOW, each)):
        parts += [
            f"## {_TITLES.get(scope, f'In the pane {scope}')}",
            "",
            "| key | action | what it does |",
            "|---|---|---|",
        ]
        for action in sorted(by_scope[scope], key=lambda each: (each.menu, each.id)):
            shown = " ".join(f"`{each}`" for each in keys.keys_of(action.id)).replace("|", "\\|")
            words = [each.replace("|", "/") for each in (action.title, keys.spelled(action.help))]
            parts.append(f"| {shown} | {' | '.join(words)} |")
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(key_page())
