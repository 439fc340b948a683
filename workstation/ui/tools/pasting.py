"""Copied shapes put on the painted picture: what a track showed there becomes a keyframe here, or a track of the same
thing on another camera. Called by the camera pane for the action that pastes; knows no Qt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from workstation.app.session import Run
from workstation.core.annotation import Annotation
from workstation.core.geometry import Shape
from workstation.core.tracks import MomentKind
from workstation.ui.tools.canvas import Canvas
from workstation.ui.tools.edits import keyframe_here

PaintedAt = Callable[[str], int | None]
"""Stream time of the picture that a stream showed when it was copied."""


def paste(canvas: Canvas, copied: Iterable[str], painted_at: PaintedAt) -> bool:
    """Put copied shapes here as one step; whether it was for this picture to do: it is not where no track was copied,
    or onto the very picture it came from."""
    records = [canvas.view.annotations[each] for each in copied if each in canvas.view.annotations]
    fits = [each for each in records if _fits(canvas, each)]
    shown = [(each, _shape_at(canvas, each, painted_at)) for each in fits if each.track is not None]
    tracks = [(each, shape) for each, shape in shown if shape is not None and not _is_here(canvas, each, painted_at)]
    if canvas.own_ns is None or not tracks:
        return False
    loose = [each for each in fits if each.track is None and each.start_ns is not None]

    def act(run: Run, /) -> list[str]:
        made = [_put(canvas, track, shape, run) for track, shape in tracks]
        return made + _copies(canvas, loose, painted_at, run)

    made = canvas.together("Paste" if len(fits) == 1 else f"Paste {len(fits)}", act)
    if made is not None:
        canvas.select(made)
    return True


def _fits(canvas: Canvas, record: Annotation) -> bool:
    source = None if record.stream is None else canvas.view.streams.get(record.stream)
    return source is not None and source.kind is canvas.stream.kind


def _is_here(canvas: Canvas, record: Annotation, painted_at: PaintedAt) -> bool:
    assert record.stream is not None
    return record.stream == canvas.stream.id and painted_at(record.stream) == canvas.own_ns


def _shape_at(canvas: Canvas, record: Annotation, painted_at: PaintedAt) -> Shape | None:
    assert record.stream is not None
    own_ns = painted_at(record.stream)
    return None if own_ns is None else canvas.view.moment(record, own_ns).shape


def _put(canvas: Canvas, track: Annotation, shape: Shape, run: Run) -> str:
    """The same track at this picture; on another camera a track of the same thing."""
    if track.stream != canvas.stream.id:
        whose = {"entity": track.entity, "class_id": track.class_id, "attributes": track.attributes}
        keyframe = {"time_ns": canvas.own_ns, "shape": shape}
        return str(run("track.add", stream=canvas.stream.id, keyframes=(keyframe,), **whose))
    moment = canvas.moment_of(track.id)
    if moment is not None and moment.kind is not MomentKind.OUTSIDE:
        run("keyframe.set", **{**keyframe_here(canvas, track.id), "shape": shape})
    else:
        run("track.extend", annotation=track.id, to_ns=canvas.own_ns, shape=shape)
    return track.id


def _copies(canvas: Canvas, loose: Sequence[Annotation], painted_at: PaintedAt, run: Run) -> list[str]:
    made: list[str] = []
    for each in loose:
        assert each.stream is not None
        there = painted_at(each.stream)
        if there is not None and canvas.own_ns is not None:
            where = {"stream": canvas.stream.id, "by_ns": canvas.own_ns - there}
            made += run("annotation.copy", annotations=(each.id,), **where)
    return made
