"""What is done to the selected shapes of the painted picture by a key: nudged, clipped, converted, filled, parted.

Called by the actions (``actions/shapes.py``); knows no Qt. Each act is one undo step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from workstation.app.mask_edits import outlined, parts, polygon_pixels, without_holes
from workstation.app.outlines import clipped
from workstation.app.session import Run
from workstation.core.annotation import Annotation
from workstation.core.errors import UserError
from workstation.core.geometry import Keypoints, Mask, Polygon, Shape
from workstation.core.pixels import mask_pixels
from workstation.core.translation import translated
from workstation.ui.tools.canvas import Canvas, Pixels
from workstation.ui.tools.edits import Changing, Given, keep_all_changed
from workstation.ui.tools.mask_keeping import cut, given_mask
from workstation.ui.tools.vertices import mirrored

_SMOOTH_PX = 0.75
"""How far the outline of a mask may stand off its pixels."""


def shown_here(canvas: Canvas, kind: type[Shape] | tuple[type, ...] | None = None) -> dict[str, Shape]:
    """The selected shapes of this picture (of these types) that may be edited."""
    found: dict[str, Shape] = {}
    for each in canvas.selected:
        record, shape = canvas.view.annotations.get(each), canvas.shape_of(each)
        if record is None or shape is None or record.stream != canvas.stream.id or canvas.locked(each):
            continue
        if kind is None or isinstance(shape, kind):
            found[each] = shape
    return found


def nudge(canvas: Canvas, by: tuple[float, float]) -> None:
    """Move the selected shapes a little; a run of nudges is one step."""
    shapes = shown_here(canvas)
    if not shapes:
        canvas.tell("Nothing that is selected shows on this picture, or it is locked.")
        return
    group = canvas.hand.bursts.group(("nudge", canvas.item, *shapes))
    moved = {each: translated(shape, by) for each, shape in shapes.items()}
    keep_all_changed(canvas, moved, label="Nudge", group=group)


def clip(canvas: Canvas) -> None:
    """Cut the selected shapes at the edge of the picture."""
    changed: dict[str, Given] = {}
    outside = 0
    for each, shape in shown_here(canvas).items():
        new = _clipped_mask(canvas, each) if isinstance(shape, Mask) else clipped(shape, canvas.size_px)
        if new is None:
            outside += 1
        elif new != shape:
            changed[each] = new
    if changed:
        keep_all_changed(canvas, changed, label="Clip to the picture")
    if outside:
        canvas.tell(f"{outside} of them {'lies' if outside == 1 else 'lie'} wholly outside and stayed.")
    elif not changed:
        canvas.tell("Nothing that is selected reaches over the edge.")


def _clipped_mask(canvas: Canvas, annotation: str) -> Given | None:
    pixels, shape = canvas.mask_of(annotation), canvas.shape_of(annotation)
    if pixels is None:
        return shape
    width, height = canvas.size_px
    left, top = max(0, pixels.x), max(0, pixels.y)
    part = pixels.inside[top - pixels.y : height - pixels.y, left - pixels.x : width - pixels.x]
    if part.shape == pixels.inside.shape:
        return shape
    kept = cut(Pixels(left, top, part)) if part.size else None
    return None if kept is None else given_mask(kept)


def flip_sides(canvas: Canvas) -> None:
    """Exchange left and right in the selected skeletons."""
    changed: dict[str, Given] = {}
    for each, shape in shown_here(canvas, Keypoints).items():
        record = canvas.view.annotations[each]
        class_id, ontology = canvas.view.class_of(record), canvas.view.ontology
        skeleton = None if ontology is None or class_id is None else ontology.skeleton_of(class_id)
        if skeleton is not None and skeleton.mirror and isinstance(shape, Keypoints):
            changed[each] = mirrored(shape, skeleton.mirror)
    if changed:
        keep_all_changed(canvas, changed, label="Exchange left and right")
    else:
        canvas.tell("Select a skeleton that has a left and a right.")


# --- masks ------------------------------------------------------------------------------------------------------


def fill_holes(canvas: Canvas) -> None:
    """Fill what is enclosed by the selected masks."""
    changed: dict[str, Given] = {}
    for each in shown_here(canvas, Mask):
        pixels = canvas.mask_of(each)
        closed = None if pixels is None else without_holes(pixels.inside)
        if pixels is not None and closed is not None and not np.array_equal(closed, pixels.inside):
            changed[each] = given_mask(Pixels(pixels.x, pixels.y, closed))
    if changed:
        keep_all_changed(canvas, changed, label="Fill holes")
    else:
        canvas.tell("No selected mask has a hole.")


def part_masks(canvas: Canvas) -> None:
    """Each connected piece of the selected masks becomes an instance of its own; the largest keeps the name."""
    pieces = {each: _pieces(canvas, each) for each in shown_here(canvas, Mask)}
    pieces = {each: found for each, found in pieces.items() if len(found) > 1}
    if not pieces:
        canvas.tell("The selected masks are each in one piece.")
        return
    label = "Part masks"

    def act(run: Run, /) -> list[str]:
        Changing(canvas, {each: given_mask(found[0]) for each, found in pieces.items()})(run)
        made = [_like(canvas, each, given_mask(piece), run) for each, found in pieces.items() for piece in found[1:]]
        return [*pieces, *made]

    made = canvas.together(label, act)
    if made is not None:
        canvas.select(made)


def _pieces(canvas: Canvas, annotation: str) -> list[Pixels]:
    pixels = canvas.mask_of(annotation)
    return (
        [] if pixels is None else [Pixels(pixels.x + x, pixels.y + y, inside) for x, y, inside in parts(pixels.inside)]
    )


def _like(canvas: Canvas, annotation: str, shape: Given, run: Run) -> str:
    """Another thing of the same class on the painted picture."""
    class_id = canvas.view.class_of(canvas.view.annotations[annotation])
    if canvas.own_ns is None:
        return str(run("annotation.add", stream=canvas.stream.id, class_id=class_id, shape=shape, item=canvas.instance))
    keyframe = {"time_ns": canvas.own_ns, "shape": shape}
    return str(run("track.add", stream=canvas.stream.id, class_id=class_id, keyframes=(keyframe,)))


def to_masks(canvas: Canvas) -> None:
    """The selected polygons become masks."""
    _convert(canvas, Polygon, "Polygon to mask", partial(_as_mask, canvas))


def to_polygons(canvas: Canvas) -> None:
    """The selected masks become polygons around their largest piece."""
    _convert(canvas, Mask, "Mask to polygon", partial(_as_polygon, canvas))


def _as_mask(canvas: Canvas, shape: Shape) -> Given:
    assert isinstance(shape, Polygon)
    found = polygon_pixels(shape, canvas.size_px)
    if found is None:
        raise UserError("the middle of no pixel lies inside the polygon, so no mask can be made of it")
    return given_mask(Pixels(*found))


def _as_polygon(canvas: Canvas, shape: Shape) -> Given:
    assert isinstance(shape, Mask)
    blob = canvas.view.blob(shape.blob)
    if blob is None:
        raise UserError("the pixels of this mask are gone")
    return outlined(mask_pixels(blob, shape.width, shape.height), shape.x, shape.y, _SMOOTH_PX)[0]


def _convert(canvas: Canvas, kind: type, label: str, change: Callable[[Shape], Given]) -> None:
    chosen = [canvas.view.annotations[each] for each in shown_here(canvas, kind)]
    if not chosen:
        canvas.tell(f"Select a {'polygon' if kind is Polygon else 'mask'} of this picture first.")
        return
    several = kind is Mask and any(len(_pieces(canvas, each.id)) > 1 for each in chosen)

    def act(run: Run, /) -> list[str]:
        return [_converted(canvas, each, change, run) for each in chosen]

    made = canvas.together(label, act)
    if made is not None:
        canvas.select(made)
        if several:
            canvas.tell("Only the largest piece became a polygon; part the mask first to keep them all.")


def _converted(canvas: Canvas, record: Annotation, change: Callable[[Shape], Given], run: Run) -> str:
    """A record keeps its kind for good, so another takes its place: its class, thing, links and times stay."""
    whose: dict[str, Any] = {"stream": record.stream, "entity": record.entity, "class_id": record.class_id}
    what: dict[str, Any] = {
        "attributes": record.attributes, "state": record.state, "layer": record.layer, "confidence": record.confidence,
    }  # fmt: skip
    if record.track is None:
        assert record.shape is not None
        made = run(
            "annotation.add", shape=change(record.shape), start_ns=record.start_ns, end_ns=record.end_ns,
            item=record.item, text=record.text, language=record.language, **whose, **what,
        )  # fmt: skip
    else:
        keyframes = [_moment(each.time_ns, each.shape, each.presence, change) for each in _keyframes(canvas, record)]
        rule = record.track.interpolation
        made = run("track.add", keyframes=keyframes, interpolation=rule, **whose, **what)
        for gap in record.track.gaps:
            run("track.add_gap", annotation=made, start_ns=gap.start_ns, end_ns=gap.end_ns, reason=gap.reason)
        _carry_attributes(canvas, record, made, run)
    run("annotation.delete", annotations=(record.id,), links="retarget", to=made)
    return str(made)


def _keyframes(canvas: Canvas, record: Annotation) -> list[Any]:
    return list(canvas.view.keyframes(record.id))


def _moment(
    time_ns: int, shape: Shape | None, presence: object, change: Callable[[Shape], Given]
) -> Mapping[str, object]:
    return {"time_ns": time_ns, "shape": None if shape is None else change(shape), "presence": presence}


def _carry_attributes(canvas: Canvas, record: Annotation, made: str, run: Run) -> None:
    """What changes along the track is said at the same moments of the new one."""
    for each in _keyframes(canvas, record):
        if each.attributes:
            said = {"time_ns": each.time_ns, "presence": each.presence, "attributes": dict(each.attributes)}
            run("keyframe.set", annotation=made, **said)
