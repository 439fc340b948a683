"""Rows of lists as values: what each cell says, what the row is about, and how it is meant. Without Qt.

Made by the modules that answer lists (``link_rows.py``, ``entity_table.py``, …) and drawn by the panels of the window.
"""

from __future__ import annotations

from workstation.app.looks import Paint
from workstation.core.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``width`` in letters; one column of a list may take what room is left (``stretch``)."""

    title: str
    width: int = 10
    stretch: bool = False
    numeric: bool = False
    help: str = ""
    spare: int = 0
    """Goes away where the list is narrow, the highest first; 0 stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """``tone`` is ``quiet``, ``good``, ``warning`` or ``error``; ``icon`` a drawing of ``resources/icons``."""

    text: str = ""
    tip: str = ""
    tone: str = ""
    icon: str = ""
    paint: Paint | None = None
    ids: tuple[str, ...] = ()
    """What this cell alone is about, where that is less than its row."""
    sort: float | str | None = None
    """What to sort by, where the text would sort wrongly."""
    shares: tuple[float, ...] = ()
    """Parts that are done, 0 to 1, one per lane: drawn as a bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``key`` stays the same while the row is about the same thing; ``ids`` are the records a click selects."""

    key: str
    cells: tuple[Cell, ...]
    ids: tuple[str, ...] = ()
    time_ns: int | None = None
    """Where a click goes, if not to the beginning of ``ids``."""
    sample: str = ""
    """Key of another sample that has to be opened first."""
    group: str = ""
    """What filters by kind ask for."""
    enabled: bool = True
    depth: int = 0


def says(row: Row, typed: str) -> bool:
    """Whether all the words typed stand somewhere in the row."""
    there = " ".join(cell.text for cell in row.cells).casefold()
    return all(word in there for word in typed.casefold().split())


def plain(*texts: str) -> tuple[Cell, ...]:
    """Cells that only say something."""
    return tuple(Cell(text=text) for text in texts)
