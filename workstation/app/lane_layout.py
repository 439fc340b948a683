"""How a person wants the lanes: their order, which are folded, how high. Kept per project in the settings.

Written by the timeline pane when something was changed, read when a project opens. It says nothing about what is in the
lanes, so a lane that is new takes its usual place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from workstation.app.lanes import Lane
from workstation.app.settings import keep_for, kept_for


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
    return kept_for(project, "lanes", LaneLayout)


def keep_layout(project: Path, layout: LaneLayout) -> None:
    """Remember the layout."""
    keep_for(project, "lanes", layout)
