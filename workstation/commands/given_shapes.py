"""Shapes as they are given to commands: those of the records, and masks and point sets written out.

``{"kind": "mask_rle", …}`` and ``{"kind": "point_indices", …}`` become a mask and a point set whose content is stored
as a blob in the same step, so that a script needs no other way to bring pixels in.
"""

from __future__ import annotations

from typing import overload

import msgspec

from workstation.commands.transaction import Transaction
from workstation.core.errors import UserError
from workstation.core.geometry import Mask, PointSet, Shape
from workstation.core.pixels import mask_area, mask_blob, points_blob, runs_problem


class MaskRle(msgspec.Struct, frozen=True, tag_field="kind", tag="mask_rle", forbid_unknown_fields=True):
    """A mask written out: run lengths along its rows from the top left, outside first, and its corner in px."""

    x: int
    y: int
    width: int
    height: int
    counts: tuple[int, ...]


class PointIndices(msgspec.Struct, frozen=True, tag_field="kind", tag="point_indices", forbid_unknown_fields=True):
    """A point set written out: the indices of its points in the sweep."""

    indices: tuple[int, ...]


GivenShape = Shape | MaskRle | PointIndices


@overload
def stored_shape(tx: Transaction, given: None) -> None: ...
@overload
def stored_shape(tx: Transaction, given: GivenShape) -> Shape: ...
@overload
def stored_shape(tx: Transaction, given: GivenShape | None) -> Shape | None: ...


def stored_shape(tx: Transaction, given: GivenShape | None) -> Shape | None:
    """The shape as records hold it; what was written out is stored as a blob."""
    if isinstance(given, MaskRle):
        problem = runs_problem(given.counts, given.width, given.height)
        if problem is not None:
            raise UserError(problem)
        blob = tx.put_blob(mask_blob(given.counts))
        return Mask(blob, given.x, given.y, given.width, given.height, mask_area(given.counts))
    if isinstance(given, PointIndices):
        return PointSet(tx.put_blob(points_blob(given.indices)), len(given.indices))
    return given
