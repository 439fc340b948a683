"""What becomes of a shape when a gesture ends: the one command that keeps it. Shared by all tools.

A shape on a moving picture begins a track of a new thing; on a still one it is an annotation of the picture. A shape
that was changed is written where it belongs: into the annotation, or as the keyframe of the painted moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workstation.app.session import Run
from workstation.core.annotation import Annotation, Presence
from workstation.core.geometry import Shape
from workstation.core.tracks import MomentKind
from workstation.ui.tools.canvas import NEW, Canvas, Preview

Given = Shape | Mapping[str, object]
"""A shape as commands take it; a mask written out is ``{"kind": "mask_rle", …}``."""


def keep_changed(canvas: Canvas, annotation: str, shape: Given) -> None:
    """The shape of an annotation on the painted picture was changed."""
    canvas.together("Edit shape", _Changing(canvas, {annotation: shape}))


def keep_all_changed(canvas: Canvas, shapes: Mapping[str, Given]) -> None:
    """Several shapes of the painted picture were changed in one gesture."""
    canvas.together(f"Edit {len(shapes)} shapes", _Changing(canvas, shapes))


class _Changing:
    """The commands that write changed shapes."""

    def __init__(self, canvas: Canvas, shapes: Mapping[str, Given]) -> None:
        self._canvas, self._shapes = canvas, shapes

    def __call__(self, run: Run, /) -> None:
        for annotation, shape in self._shapes.items():
            record = self._canvas.view.annotations.get(annotation)
            if record is not None and record.track is not None:
                run("keyframe.set", shape=shape, **keyframe_here(self._canvas, annotation))
            elif record is not None:
                run("annotation.set_shape", annotation=annotation, shape=shape)


def shift_all(canvas: Canvas, annotations: Sequence[str], by: tuple[float, float]) -> None:
    """Move annotations with all their keyframes, as one step."""
    canvas.run("annotation.move", annotations=tuple(annotations), by=by)


def keep_new(canvas: Canvas, shape: Given, *, preview: Preview) -> None:
    """A new shape was drawn: make it, or ask for its class first, while its preview stays on the screen."""
    class_id = canvas.hand.class_id
    if class_id is not None:
        make(canvas, shape, class_id)
        return
    canvas.preview({NEW: preview})
    canvas.hand.ask_class(_Waiting(canvas, shape))


def make(canvas: Canvas, shape: Given, class_id: str) -> str | None:
    """Make a shape of a class on the painted picture, select it, and answer its id; ``None`` if it was refused."""
    if canvas.item is None:
        canvas.tell("There is no picture to draw on at this time.")
        return None
    if canvas.own_ns is None:
        made = canvas.run(
            "annotation.add", stream=canvas.stream.id, class_id=class_id, shape=shape, item=canvas.instance
        )
    else:
        keyframe = {"time_ns": canvas.own_ns, "shape": shape}
        made = canvas.run("track.add", stream=canvas.stream.id, class_id=class_id, keyframes=(keyframe,))
    canvas.preview({})
    if made is None:
        return None
    canvas.select((made,))
    return str(made)


def continue_track(canvas: Canvas, shape: Shape) -> bool:
    """Give the selected track this shape here, beyond its ends too; whether there is such a track."""
    record = _active(canvas)
    kind = str(shape.__struct_config__.tag)
    if record is None or record.track is None or canvas.own_ns is None or kind != record.kind.value:
        return False
    moment = canvas.moment_of(record.id)
    if moment is not None and moment.kind is not MomentKind.OUTSIDE:
        canvas.run("keyframe.set", shape=shape, **keyframe_here(canvas, record.id))
    else:
        canvas.run("track.extend", annotation=record.id, to_ns=canvas.own_ns, shape=shape)
    canvas.preview({})
    return True


def keyframe_here(canvas: Canvas, track: str) -> dict[str, object]:
    """Arguments of ``keyframe.set`` for the painted moment that leave everything but the shape as it is there."""
    moment = canvas.moment_of(track)
    there = next((each for each in canvas.view.keyframes(track) if each.time_ns == canvas.own_ns), None)
    presence = Presence.OCCLUDED if moment is not None and moment.presence is Presence.OCCLUDED else Presence.VISIBLE
    attributes = {} if there is None else dict(there.attributes)
    return {"annotation": track, "time_ns": canvas.own_ns, "presence": presence, "attributes": attributes}


class _Waiting:
    """A drawn shape until its class is said."""

    def __init__(self, canvas: Canvas, shape: Given) -> None:
        self._canvas, self._shape = canvas, shape
        self._item, self._stream = canvas.item, canvas.stream.id

    def __call__(self, class_id: str) -> None:
        if (self._canvas.item, self._canvas.stream.id) == (self._item, self._stream):
            make(self._canvas, self._shape, class_id)
        else:
            self._canvas.tell("The picture has changed since the shape was drawn, so it was given up.")


def _active(canvas: Canvas) -> Annotation | None:
    active = canvas.active
    record = None if active is None else canvas.view.annotations.get(active)
    return record if record is not None and record.stream == canvas.stream.id else None
