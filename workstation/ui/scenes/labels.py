"""Where labels go so that none lies over another. Knows no Qt; asked by whoever paints names beside shapes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Rect = tuple[float, float, float, float]
"""Left, top, width, height."""
_CELL = 64.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A label of a size beside a shape's bounds (left, top, right, bottom)."""

    width: float
    height: float
    bounds: tuple[float, float, float, float]
    needed: bool = False
    """Shown even where there is no room: what is selected always has its name."""


def placed(wanted: Iterable[Wanted], area: tuple[float, float]) -> list[tuple[float, float] | None]:
    """Top left corners in the order given, first come first served; ``None`` where there is no room."""
    taken = _Taken()
    found: list[tuple[float, float] | None] = []
    for label in wanted:
        places = [_inside(label, place, area) for place in _candidates(label)]
        free = next((p for p in places if taken.free((*p, label.width, label.height))), None)
        if free is None and label.needed:
            free = places[0]
        if free is not None:
            taken.take((*free, label.width, label.height))
        found.append(free)
    return found


def _candidates(label: Wanted) -> list[tuple[float, float]]:
    left, top, right, bottom = label.bounds
    above, below = top - label.height, bottom
    return [(left, above), (right - label.width, above), (left, below), (left, top), (right, top)]


def _inside(label: Wanted, place: tuple[float, float], area: tuple[float, float]) -> tuple[float, float]:
    x = min(max(place[0], 0.0), max(0.0, area[0] - label.width))
    return x, min(max(place[1], 0.0), max(0.0, area[1] - label.height))


class _Taken:
    """Rectangles in a coarse grid, so that a thousand labels stay cheap."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[Rect]] = {}

    def free(self, rect: Rect) -> bool:
        return not any(
            rect[0] < x + w and x < rect[0] + rect[2] and rect[1] < y + h and y < rect[1] + rect[3]
            for cell in self._touched(rect)
            for x, y, w, h in self._cells.get(cell, ())
        )

    def take(self, rect: Rect) -> None:
        for cell in self._touched(rect):
            self._cells.setdefault(cell, []).append(rect)

    def _touched(self, rect: Rect) -> list[tuple[int, int]]:
        left, top = int(rect[0] // _CELL), int(rect[1] // _CELL)
        right, bottom = int((rect[0] + rect[2]) // _CELL), int((rect[1] + rect[3]) // _CELL)
        return [(x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)]
