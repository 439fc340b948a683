"""Which mask can be carried on from the painted picture, and over how many pictures. Knows no Qt.

Asked by the action and the dialog ``carry_mask``.
"""

from __future__ import annotations

from pathlib import Path

from workstation.app.carried_masks import CarryWish, StartMask
from workstation.core.annotation import Annotation
from workstation.ui.tools.canvas import Canvas
from workstation.ui.tools.track_edits import NO_TIME

MOST = 200
NO_MASK = "select a mask of this picture first"


def why_not(canvas: Canvas | None) -> str | None:
    """Why none can."""
    if canvas is None:
        return "this sample has no pictures, or their pane is closed"
    if canvas.own_ns is None:
        return NO_TIME
    active = canvas.active
    return NO_MASK if active is None or canvas.mask_of(active) is None else None


def mask_to_carry(canvas: Canvas, project: Path) -> tuple[Annotation, CarryWish] | str:
    """The selected mask, with as many pictures as lie before its next keyframe; or why there is none."""
    reason, active = why_not(canvas), canvas.active
    pixels = None if active is None else canvas.mask_of(active)
    if reason is not None or active is None or pixels is None or canvas.item is None or canvas.own_ns is None:
        return reason or NO_MASK
    record, own_ns = canvas.view.annotations[active], canvas.own_ns
    mask = StartMask(left=pixels.x, top=pixels.y, mask=pixels.inside, score=1.0)
    count = MOST
    later = [each.time_ns for each in canvas.view.keyframes(active) if each.time_ns > own_ns]
    if later:
        step = (canvas.next_ns or own_ns) - own_ns
        count = 0 if step <= 0 else max(0, (min(later) - own_ns - 1) // step)
    if not count:
        return "the mask has a keyframe of its own on the next picture"
    return record, CarryWish(project=project, stream=canvas.stream, index=canvas.item, mask=mask, count=count)
