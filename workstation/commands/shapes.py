"""Moving, resizing, cutting and joining annotations. Making and labelling them is in ``annotations.py``."""

from __future__ import annotations

from enum import StrEnum

from msgspec.structs import replace

from workstation.commands.arguments import AnnotationRef
from workstation.commands.event_views import carry_along, views_of
from workstation.commands.given_shapes import GivenShape, stored_shape
from workstation.commands.reading import fetch, fetch_all, ontology_number, source_of, state_after_edit
from workstation.commands.registry import command, needs_selection
from workstation.commands.removal import LinkPolicy, remove_labels
from workstation.commands.resolve import Target
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, TargetKind
from workstation.core.errors import UserError
from workstation.core.geometry import kind_of
from workstation.core.ids import AnnotationId
from workstation.core.resizing import resized
from workstation.core.rights import Right
from workstation.core.translation import later, translated


class Edge(StrEnum):
    """Which boundary of an interval is meant."""

    START = "start"
    END = "end"


@command("annotation.set_shape", title="Edit shape", right=Right.LABEL, enabled=needs_selection)
def set_shape(tx: Transaction, *, annotation: AnnotationRef, shape: GivenShape) -> None:
    """Replace an annotation's shape by another of the same kind.

    shape: the new shape, as {"kind": "box", "x": …}
    """
    old = fetch(tx, Annotation, annotation)
    if old.track is not None:
        raise UserError(f"annotation {annotation} is a track; set the shape of a moment with keyframe.set")
    drawn = stored_shape(tx, shape)
    if kind_of(drawn) is not old.kind:
        raise UserError(f"annotation {annotation} is a {old.kind.value} and cannot become a {kind_of(drawn).value}")
    tx.put(_edited(tx, replace(old, shape=drawn)))


@command("annotation.set_interval", title="Set interval", right=Right.LABEL, enabled=needs_selection)
def set_interval(
    tx: Transaction,
    *,
    annotation: AnnotationRef,
    start_ns: int | None = None,
    end_ns: int | None = None,
    alone: bool = False,
) -> None:
    """Set where an annotation begins, ends, or both, in its stream's own time. The other views of one event follow.

    start_ns: the new beginning; left out, it stays
    end_ns: the new end, half-open; left out, it stays
    alone: true to leave the other views of the event where they are
    """
    old = fetch(tx, Annotation, annotation)
    start = old.start_ns if start_ns is None else start_ns
    end = old.end_ns if end_ns is None else end_ns
    _put_interval(tx, old, start, end, alone=alone)


@command("annotation.nudge", title="Nudge boundary", right=Right.LABEL, enabled=needs_selection)
def nudge(tx: Transaction, *, annotation: AnnotationRef, edge: Edge, by_ns: int, alone: bool = False) -> None:
    """Move one boundary of an interval a little. The other views of one event follow.

    edge: start or end
    by_ns: how far; negative is earlier
    alone: true to leave the other views of the event where they are
    """
    old = fetch(tx, Annotation, annotation)
    if old.start_ns is None or old.end_ns is None:
        raise UserError(f"annotation {annotation} has no boundary to nudge: it counts for all of the item")
    start = old.start_ns + (by_ns if edge is Edge.START else 0)
    end = old.end_ns + (by_ns if edge is Edge.END else 0)
    _put_interval(tx, old, start, end, alone=alone)


def _put_interval(
    tx: Transaction, old: Annotation, start_ns: int | None, end_ns: int | None, *, alone: bool
) -> None:  # fmt: skip
    views = [] if alone else views_of(tx, old)
    new = _edited(tx, _with_interval(old, start_ns, end_ns))
    tx.put(new)
    carry_along(tx, views, new)


def _with_interval(old: Annotation, start_ns: int | None, end_ns: int | None) -> Annotation:
    if old.track is not None:
        raise UserError(f"annotation {old.id} is a track: it lives from its first to its last keyframe (track.extend)")
    if start_ns is not None and end_ns is not None and end_ns < start_ns:
        raise UserError(f"an annotation cannot end ({end_ns} ns) before it begins ({start_ns} ns)")
    return replace(old, start_ns=start_ns, end_ns=end_ns)


@command("annotation.move", title="Move", right=Right.LABEL, enabled=needs_selection)
def move(
    tx: Transaction,
    *,
    annotations: tuple[AnnotationRef, ...],
    by: tuple[float, ...] | None = None,
    by_ns: int = 0,
) -> None:
    """Move annotations in space, in time, or both. A track moves as a whole, with every keyframe, and an event in all
    its views.

    by: [x, y] in pixels, or [x, y, z] in metres
    by_ns: how much later; negative is earlier
    """
    if by is None and by_ns == 0:
        raise UserError("annotation.move needs by, by_ns or both")
    chosen = fetch_all(tx, annotations)
    views = {each.id: views_of(tx, each) for each in chosen} if by_ns else {}
    for annotation in chosen:
        move_one(tx, annotation, by=by, by_ns=by_ns)
    for annotation in chosen if by_ns else ():
        carry_along(tx, views[annotation.id], fetch(tx, Annotation, annotation.id), but=views.keys())


def move_one(tx: Transaction, annotation: Annotation, *, by: tuple[float, ...] | None, by_ns: int) -> None:
    """Move one annotation, keyframes and words with it."""
    moved = annotation
    if by is not None and annotation.shape is not None:
        moved = replace(moved, shape=translated(annotation.shape, by))
    if by_ns and annotation.start_ns is not None and annotation.end_ns is not None:
        moved = replace(
            moved,
            start_ns=annotation.start_ns + by_ns,
            end_ns=annotation.end_ns + by_ns,
            shape=later(moved.shape, by_ns),
        )
    if annotation.track is not None:
        gaps = tuple(replace(g, start_ns=g.start_ns + by_ns, end_ns=g.end_ns + by_ns) for g in annotation.track.gaps)
        moved = replace(moved, track=replace(annotation.track, gaps=gaps))
        _move_keyframes(tx, annotation.id, by=by, by_ns=by_ns)
    if by_ns:
        _move_words(tx, annotation.id, by_ns)
    tx.put(_edited(tx, moved))


def _move_keyframes(tx: Transaction, annotation: AnnotationId, *, by: tuple[float, ...] | None, by_ns: int) -> None:
    # The one that leads goes first: moving into a moment still taken would collide with the unique time.
    for keyframe in sorted(tx.keyframes(annotation), key=lambda k: k.time_ns, reverse=by_ns > 0):
        shape = keyframe.shape if by is None or keyframe.shape is None else translated(keyframe.shape, by)
        tx.put(replace(keyframe, shape=shape, time_ns=keyframe.time_ns + by_ns))


def _move_words(tx: Transaction, annotation: AnnotationId, by_ns: int) -> None:
    for word in list(tx.words(annotation)):
        if word.start_ns is not None and word.end_ns is not None:
            tx.put(replace(word, start_ns=word.start_ns + by_ns, end_ns=word.end_ns + by_ns))


@command("annotation.resize", title="Resize", right=Right.LABEL, enabled=needs_selection)
def resize(tx: Transaction, *, annotation: AnnotationRef, edge: str, by: float) -> None:
    """Drag one edge of a box or one face of a cuboid; the opposite one stays.

    edge: left, right, top or bottom; for a cuboid front and back as well
    by: how far outward, in pixels or metres; negative is inward
    """
    old = fetch(tx, Annotation, annotation)
    if old.shape is None:
        raise UserError(f"annotation {annotation} is a track; set the shape of a moment with keyframe.set")
    tx.put(_edited(tx, replace(old, shape=resized(old.shape, edge, by))))


@command("annotation.split", title="Split here", right=Right.LABEL, enabled=needs_selection)
def split(tx: Transaction, *, annotation: AnnotationRef, at_ns: int) -> AnnotationId:
    """Cut a span in two at a moment. The first part keeps its id and its links, the second part is new.

    at_ns: the moment, in the stream's own time, inside the span
    """
    old = fetch(tx, Annotation, annotation)
    if old.track is not None:
        raise UserError(f"annotation {annotation} is a track; cut it with track.split")
    if list(tx.words(annotation)):
        raise UserError(f"annotation {annotation} is a turn with words; split it at a word with turn.split")
    if old.start_ns is None or old.end_ns is None or not old.start_ns < at_ns < old.end_ns:
        raise UserError(f"{at_ns} ns does not lie inside annotation {annotation}")
    second = replace(old, id=AnnotationId(tx.new_id()), start_ns=at_ns, source=source_of(tx))
    tx.put(_edited(tx, replace(old, end_ns=at_ns)))
    tx.put(_edited(tx, second))
    return second.id


@command("annotation.merge", title="Merge spans", right=Right.LABEL, enabled=needs_selection)
def merge(tx: Transaction, *, annotations: tuple[AnnotationRef, ...]) -> AnnotationId:
    """Make one span of several on the same stream; it reaches from the first beginning to the last end.

    The earliest keeps its id; links of the others are moved to it.
    """
    parts = sorted(fetch_all(tx, annotations), key=lambda part: (part.start_ns or 0, part.id))
    _refuse_unlike(parts)
    first, others = parts[0], parts[1:]
    end_ns = max(part.end_ns for part in parts if part.end_ns is not None)
    tx.put(_edited(tx, replace(first, end_ns=end_ns)))
    remove_labels(tx, others, links=LinkPolicy.RETARGET, to=Target(TargetKind.ANNOTATION, first.id), reason="")
    return first.id


def _refuse_unlike(parts: list[Annotation]) -> None:
    if len(parts) < 2:
        raise UserError("annotation.merge needs at least two annotations")
    for name in ("stream", "class_id", "entity", "kind", "shape", "layer", "item"):
        if len({getattr(part, name) for part in parts}) > 1:
            raise UserError(f"these annotations differ in their {name.removesuffix('_id')} and cannot become one")
    if any(part.start_ns is None or part.track is not None for part in parts):
        raise UserError("only spans can be merged; join tracks with track.join")


def _edited(tx: Transaction, annotation: Annotation) -> Annotation:
    state = state_after_edit(tx, annotation.state)
    return replace(annotation, state=state, ontology_version=ontology_number(tx))
