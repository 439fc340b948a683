"""What becomes of painted pixels: written as a mask, kept apart from other instances or taken from them, in one step.

Used by brush, eraser and the tool that fills an outline, and by the actions on masks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workstation.app.mask_edits import cropped
from workstation.core.geometry import Mask, ShapeKind
from workstation.core.pixels import runs_of_mask
from workstation.ui.tools.canvas import Canvas, Pixels
from workstation.ui.tools.edits import Given, keep_all_changed, keep_new
from workstation.ui.tools.slice_masks import SliceCanvas

Bits = NDArray[np.bool_]


def given_mask(pixels: Pixels) -> Mapping[str, object]:
    """Pixels as commands take them."""
    height, width = pixels.inside.shape
    counts = runs_of_mask(np.ascontiguousarray(pixels.inside))
    return {"kind": "mask_rle", "x": pixels.x, "y": pixels.y, "width": width, "height": height, "counts": counts}


def target_mask(canvas: Canvas) -> str | None:
    """The selected mask of the painted picture, into which is painted."""
    if isinstance(canvas, SliceCanvas):
        return canvas.slice_target()
    active = canvas.active
    if active is None or not isinstance(canvas.shape_of(active), Mask) or canvas.locked(active):
        return None
    record = canvas.view.annotations.get(active)
    return active if record is not None and record.stream == canvas.stream.id else None


def other_masks(canvas: Canvas, target: str | None) -> dict[str, Pixels]:
    """The other instances on the painted picture."""
    found: dict[str, Pixels] = {}
    for record in canvas.view.annotations_of(canvas.stream.id):
        if record.id != target and record.kind is ShapeKind.MASK:
            pixels = canvas.mask_of(record.id)
            if pixels is not None:
                found[record.id] = pixels
    return found


def laid(layer: Bits, pixels: Pixels) -> None:
    """Put pixels into a layer of the whole picture, in place."""
    height, width = layer.shape
    left, top = max(0, pixels.x), max(0, pixels.y)
    right = min(width, pixels.x + pixels.inside.shape[1])
    bottom = min(height, pixels.y + pixels.inside.shape[0])
    if right > left and bottom > top:
        part = pixels.inside[top - pixels.y : bottom - pixels.y, left - pixels.x : right - pixels.x]
        layer[top:bottom, left:right] |= part


def minus(pixels: Pixels, other: Pixels) -> Pixels | None:
    """Without the other's pixels, cut to what is left; itself if they do not meet, ``None`` if nothing is left."""
    height, width = pixels.inside.shape
    left, top = max(pixels.x, other.x), max(pixels.y, other.y)
    right = min(pixels.x + width, other.x + other.inside.shape[1])
    bottom = min(pixels.y + height, other.y + other.inside.shape[0])
    if right <= left or bottom <= top:
        return pixels
    there = other.inside[top - other.y : bottom - other.y, left - other.x : right - other.x]
    mine = pixels.inside[top - pixels.y : bottom - pixels.y, left - pixels.x : right - pixels.x]
    if not (there & mine).any():
        return pixels
    rest = pixels.inside.copy()
    rest[top - pixels.y : bottom - pixels.y, left - pixels.x : right - pixels.x] &= ~there
    return cut(Pixels(pixels.x, pixels.y, rest))


def cut(pixels: Pixels) -> Pixels | None:
    """Without empty rows and columns around; ``None`` if nothing is inside."""
    found = cropped(pixels.inside, pixels.x, pixels.y)
    return None if found is None else Pixels(*found)


def keep_pixels(canvas: Canvas, target: str | None, pixels: Pixels, *, fresh: bool = False) -> None:
    """Write painted pixels into the target, or as a new instance; others lose what was painted over, if the person
    has said so (the painting tools never paint over them else). ``fresh``: a new instance was asked for."""
    also: dict[str, Given | None] = {}
    if canvas.hand.ways.take_pixels:
        for other, theirs in other_masks(canvas, target).items():
            rest = theirs if canvas.locked(other) else minus(theirs, pixels)
            if rest is not theirs:
                also[other] = None if rest is None else given_mask(rest)
    given = given_mask(pixels)
    if isinstance(canvas, SliceCanvas) and canvas.keep_slice(given, fresh=fresh, also=also):
        canvas.preview({})
    elif target is None:
        keep_new(canvas, given, preview=pixels, also=also)
    else:
        keep_all_changed(canvas, also | {target: given}, label="Paint mask")
        canvas.preview({})
