"""Where a model and people disagree, and by how much: the order of a queue. Pure; asked by ``app/disagreements.py``.

The amount is 0 to 1 and grows with how sure the model is: a thing called otherwise, one that nobody labelled, one that
the model does not see although it finds others of its kind, one whose outline lies elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from workstation.prelabel.evaluate import Overlap, Thing


class Difference(StrEnum):
    """What the two say differently."""

    CLASS = "another class"
    UNLABELLED = "not labelled"
    UNSEEN = "not seen by the model"
    PLACE = "another place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """One difference. Numbers are rows of what was compared; ``None`` where one side has nothing."""

    kind: Difference
    amount: float
    found: int | None
    true: int | None
    overlap: float


_SAME = 0.5
"""Overlap from which two outlines mean one thing."""
_NEAR = 0.1
_CLOSE = 0.75
"""Overlap from which nobody need look at the place."""
_UNSEEN = 0.6
"""What a label that the model does not see weighs: it says nothing of how sure it is that nothing is there."""


def disagreements(found: Sequence[Thing], true: Sequence[Thing], overlap: Overlap[Thing]) -> list[Disagreement]:
    """Of one picture or sweep, the largest first."""
    table = overlap(found, true) if found and true else np.zeros((len(found), len(true)))
    pairs = _pairs(table)
    out = []
    for row, column in pairs.items():
        shared = float(table[row, column])
        score = min(max(found[row].score, 0.0), 1.0)
        if found[row].label != true[column].label:
            out.append(Disagreement(kind=Difference.CLASS, amount=score, found=row, true=column, overlap=shared))
        elif shared < _CLOSE:
            amount = score * (1 - shared)
            out.append(Disagreement(kind=Difference.PLACE, amount=amount, found=row, true=column, overlap=shared))
    for row, each in enumerate(found):
        if row not in pairs:
            best = float(table[row].max(initial=0.0))
            score = min(max(each.score, 0.0), 1.0)
            doubled = best >= _SAME  # a second box on a labelled thing is the model's trouble, not the label's
            amount = score * (0.3 if doubled else 1 - best)
            out.append(Disagreement(kind=Difference.UNLABELLED, amount=amount, found=row, true=None, overlap=best))
    taken = set(pairs.values())
    for column in range(len(true)):
        if column not in taken:
            best = float(table[:, column].max(initial=0.0))
            amount = _UNSEEN * (1 - best)
            out.append(Disagreement(kind=Difference.UNSEEN, amount=amount, found=None, true=column, overlap=best))
    return sorted(out, key=lambda each: (-each.amount, each.kind, each.found or 0, each.true or 0))


def _pairs(table: np.ndarray) -> dict[int, int]:
    """Who means the same thing: the largest overlaps first, each once."""
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    rows, columns = np.nonzero(table > _NEAR)
    order = np.argsort(-table[rows, columns], kind="stable")
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in pairs and column not in taken:
            pairs[row] = column
            taken.add(column)
    return pairs
