"""The one table of everything the window can do, by id: actions of this folder and commands of the registry.

Asked by menus, toolbar, keys, palette and cheat sheet. A new module in this folder is found by itself.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

import workstation.ui.actions as folder
from workstation.core.values import dataclass
from workstation.ui.actions.action import Action

if TYPE_CHECKING:
    from workstation.commands.registry import Registry


@dataclass(frozen=True, slots=True)
class ActionTable:
    """Every action by id."""

    actions: Mapping[str, Action]

    def find(self, action_id: str) -> Action:
        return self.actions[action_id]

    def __iter__(self) -> Iterator[Action]:
        return iter(self.actions.values())

    def with_commands(self, registry: Registry) -> ActionTable:
        """The same and every command that has no action of its own."""
        from workstation.ui.actions.commands import actions_of

        return ActionTable({**{each.id: each for each in actions_of(registry)}, **self.actions})

    def in_scope(self, scope: str) -> Iterator[Action]:
        """Those whose keys work there."""
        return (each for each in self if each.scope == scope)


@cache
def load_actions() -> ActionTable:
    """All actions of the window."""
    found: dict[str, Action] = {}
    for module_info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda each: each.name):
        module = importlib.import_module(f"{folder.__name__}.{module_info.name}")
        for value in vars(module).values():
            made = getattr(value, "__action__", None)
            if isinstance(made, Action) and made.run.__module__ == module.__name__:
                if made.id in found:
                    raise ValueError(f"two actions are called {made.id}")
                found[made.id] = made
    return ActionTable(found)
