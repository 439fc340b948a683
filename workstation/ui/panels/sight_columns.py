"""Three small columns of eye, solo and lock in a list, by click and by key: for classes and streams alike."""

from __future__ import annotations

from collections.abc import Iterable

from workstation.ui.tools.state import Sight

HIDE, SOLO, LOCK = "hide", "solo", "lock"


def toggle(sight: Sight, what: str, keys: Iterable[str]) -> None:
    """Turn it for all of these."""
    act = {HIDE: sight.toggle_hidden, SOLO: sight.toggle_solo, LOCK: sight.toggle_locked}[what]
    for key in keys:
        act(key)


def standing(sight: Sight, keys: Iterable[str]) -> dict[str, tuple[bool, bool, bool]]:
    """Hidden, alone, locked, for those of which any is so."""
    found = {key: (sight.is_hidden(key), sight.is_solo(key), sight.is_locked(key)) for key in keys}
    return {key: state for key, state in found.items() if any(state)}
