"""How a person wants the lanes: their order, which are folded, how high. Kept per project in the settings.

Written by the timeline pane when something was changed, read when a project opens. It says nothing about what is in the
lanes, so a lane that is new takes its usual place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from workstation.app.lanes import Lane
from workstation.app.settings import Settings, read_settings, settings_or_usual, write_settings
from workstation.core.errors import DataError

_MOST_PROJECTS = 100


class LaneChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One lane. ``place`` counts from the top among the lanes that were moved by hand; ``height`` in pixels."""

    folded: bool = False
    height: int | None = None
    mode: str = ""


class LaneLayout(msgspec.Struct, frozen=True, omit_defaults=True):
    """The lanes of a project by key."""

    order: tuple[str, ...] = ()
    lanes: Mapping[str, LaneChoice] = {}

    def choice(self, key: str) -> LaneChoice:
        return self.lanes.get(key, LaneChoice())

    def with_choice(self, key: str, choice: LaneChoice) -> LaneLayout:
        """The same with one lane otherwise."""
        return msgspec.structs.replace(self, lanes={**self.lanes, key: choice})

    def moved(self, keys: Iterable[str], key: str, by: int) -> LaneLayout:
        """The lanes in the order they have now, with one ``by`` places further down."""
        order = list(keys)
        at = order.index(key)
        order.insert(min(max(at + by, 0), len(order) - 1), order.pop(at))
        return msgspec.structs.replace(self, order=tuple(order))


def ordered(lanes: Iterable[Lane], layout: LaneLayout) -> tuple[Lane, ...]:
    """The lanes as wanted; one that the layout does not know stays behind the lane it usually follows."""
    places = {key: place for place, key in enumerate(layout.order)}
    ranked: list[tuple[int, int, Lane]] = []
    last = -1
    for number, lane in enumerate(lanes):
        last = places.get(lane.key, last)
        ranked.append((last, number, lane))
    return tuple(lane for _, _, lane in sorted(ranked, key=lambda each: each[:2]))


def read_layout(project: Path) -> LaneLayout:
    """The layout of a project, or the usual one."""
    kept = settings_or_usual().lanes.get(_name(project))
    if kept is None:
        return LaneLayout()
    try:
        return msgspec.convert(kept, LaneLayout)
    except msgspec.ValidationError:  # written by a newer program, or by hand: the usual order does no harm
        return LaneLayout()


def keep_layout(project: Path, layout: LaneLayout) -> None:
    """Remember the layout. A damaged settings file is left as it is: its owner is told where it is read."""
    try:
        settings = read_settings()
    except DataError:
        return
    others = {name: kept for name, kept in settings.lanes.items() if name != _name(project)}
    while len(others) >= _MOST_PROJECTS:
        del others[next(iter(others))]
    lanes = {**others, _name(project): msgspec.to_builtins(layout)}
    write_settings(_with_lanes(settings, lanes))


def _with_lanes(settings: Settings, lanes: Mapping[str, object]) -> Settings:
    return msgspec.structs.replace(settings, lanes=lanes)


def _name(project: Path) -> str:
    return str(project.absolute())
