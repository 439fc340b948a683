"""What becomes of a shape when a gesture ends: the one command that keeps it. Shared by all tools.

A shape on a moving picture begins a track of a new thing; on a still one it is an annotation of the picture. A shape
that was changed is written where it belongs: into the annotation, or as the keyframe of the painted moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from workstation.app.session import Run
from workstation.core.annotation import Annotation, Presence, Source
from workstation.core.geometry import Shape, ShapeKind, kind_of
from workstation.core.tracks import MomentKind
from workstation.ui.tools.canvas import NEW, Canvas, Pixels, Preview

Given = Shape | Mapping[str, object]
"""A shape as commands take it; a mask written out is ``{"kind": "mask_rle", …}``."""


def keep_changed(canvas: Canvas, annotation: str, shape: Given, *, group: str | None = None) -> None:
    """The shape of an annotation on the painted picture was changed."""
    canvas.together("Edit shape", Changing(canvas, {annotation: shape}), group=group)


def keep_all_changed(
    canvas: Canvas, shapes: Mapping[str, Given | None], *, label: str = "", group: str | None = None
) -> None:
    """Several shapes of the painted picture were changed in one gesture."""
    count = len(shapes)
    said = label or ("Edit shape" if count == 1 else f"Edit {count} shapes")
    canvas.together(said, Changing(canvas, shapes), group=group)


class Changing:
    """The commands that write changed shapes; ``None``: nothing is left of it on this picture."""

    def __init__(self, canvas: Canvas, shapes: Mapping[str, Given | None]) -> None:
        self._canvas, self._shapes = canvas, shapes

    def __call__(self, run: Run, /) -> None:
        for annotation, shape in self._shapes.items():
            record = self._canvas.view.annotations.get(annotation)
            if record is not None and record.track is not None:
                here = keyframe_here(self._canvas, annotation)
                run("keyframe.set", **({**here, "shape": shape} if shape is not None else _absent(here)))
            elif record is not None and shape is not None:
                run("annotation.set_shape", annotation=annotation, shape=shape)
            elif record is not None:
                run("annotation.delete", annotations=(annotation,))


def _absent(here: Mapping[str, object]) -> dict[str, object]:
    return {**here, "presence": Presence.ABSENT}


def shift_all(canvas: Canvas, annotations: Sequence[str], by: tuple[float, float]) -> None:
    """Move annotations with all their keyframes, as one step."""
    canvas.run("annotation.move", annotations=tuple(annotations), by=by)


def keep_new(
    canvas: Canvas, shape: Given, *, preview: Preview, also: Mapping[str, Given | None] = MappingProxyType({}),
    source: Source | None = None,
) -> None:  # fmt: skip
    """A new shape was drawn: make it, or ask for its class first, while its preview stays on the screen.

    ``also``: what changes on other annotations in the same step. ``source``: what helped the person to draw it.
    """
    class_id = canvas.hand.class_id
    waiting = _Waiting(canvas, shape, preview, also, source)
    if class_id is None:
        waiting.ask()
    elif waiting.fits(class_id):
        make(canvas, shape, class_id, also=also, source=source)
    else:
        name = canvas.view.class_name(class_id)
        canvas.tell(f"{name} may not be drawn as {waiting.kind.value} here; choose another class for it.")
        waiting.ask()


def make(
    canvas: Canvas, shape: Given, class_id: str, *, also: Mapping[str, Given | None] = MappingProxyType({}),
    source: Source | None = None,
) -> str | None:  # fmt: skip
    """Make a shape of a class on the painted picture, select it, and answer its id; ``None`` if it was refused."""
    if canvas.item is None:
        canvas.tell("There is no picture to draw on at this time.")
        return None
    made = canvas.together("Draw shape", _Making(canvas, shape, class_id, also, source))
    canvas.preview({})
    if made is None:
        return None
    canvas.select((made,))
    return str(made)


class _Making:
    """The commands that make a drawn shape."""

    def __init__(
        self, canvas: Canvas, shape: Given, class_id: str, also: Mapping[str, Given | None], source: Source | None
    ) -> None:
        self._canvas, self._shape, self._class_id, self._also, self._source = canvas, shape, class_id, also, source

    def __call__(self, run: Run, /) -> Any:
        Changing(self._canvas, self._also)(run)
        canvas = self._canvas
        where: dict[str, object] = {"stream": self._canvas.stream.id, "class_id": self._class_id}
        if self._source is not None:
            where["source"] = self._source
        if canvas.own_ns is None:
            return run("annotation.add", shape=self._shape, item=canvas.instance, **where)
        return run("track.add", keyframes=({"time_ns": canvas.own_ns, "shape": self._shape},), **where)


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

    def __init__(
        self, canvas: Canvas, shape: Given, preview: Preview, also: Mapping[str, Given | None], source: Source | None
    ) -> None:
        self._canvas, self._shape, self._preview, self._also, self._source = canvas, shape, preview, also, source
        self._item, self._stream = canvas.item, canvas.stream.id
        self.kind = ShapeKind.MASK if isinstance(preview, Pixels) else kind_of(preview)

    def ask(self) -> None:
        """Show it and wait."""
        self._canvas.preview({NEW: self._preview})
        self._canvas.hand.ask_class(self, fits=self.fits, again=self._ask_again)

    def _ask_again(self) -> None:
        if (self._canvas.item, self._canvas.stream.id) == (self._item, self._stream):
            self.ask()
        else:
            self._canvas.tell("The picture has changed since the shape was drawn, so it stays given up.")

    def fits(self, class_id: str) -> bool:
        """Whether the ontology lets the class be drawn as this on this kind of stream."""
        ontology = self._canvas.view.ontology
        if ontology is None or class_id not in ontology.classes:
            return True  # the gate will say what is wrong
        return self.kind in ontology.shapes_for(class_id, self._canvas.stream.kind)

    def __call__(self, class_id: str) -> None:
        if (self._canvas.item, self._canvas.stream.id) != (self._item, self._stream):
            self._canvas.tell("The picture has changed since the shape was drawn, so it was given up.")
        elif self.fits(class_id):
            make(self._canvas, self._shape, class_id, also=self._also, source=self._source)
        else:
            name = self._canvas.view.class_name(class_id)
            self._canvas.tell(f"{name} may not be drawn as {self.kind.value} here; choose another class.")
            self.ask()


def _active(canvas: Canvas) -> Annotation | None:
    active = canvas.active
    record = None if active is None else canvas.view.annotations.get(active)
    return record if record is not None and record.stream == canvas.stream.id else None
