"""One act on many labels, as one step that one undo takes back."""

from __future__ import annotations

from msgspec.structs import replace

from workstation.commands.annotations import relabel as relabel_annotations
from workstation.commands.arguments import AnnotationRef, ClassRef, SampleRef, StreamRef, TargetRef, argument_group
from workstation.commands.reading import entity_of, fetch_all
from workstation.commands.registry import command, needs_sample
from workstation.commands.removal import LinkPolicy, remove_labels
from workstation.commands.shapes import move_one
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, State, effective_class
from workstation.core.errors import UserError
from workstation.core.ids import SampleId
from workstation.core.rights import Right
from workstation.core.values import dataclass


@argument_group
@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which annotations a command is about: those named, or all that fit.

    of_class: only annotations that are of this class now
    layer: only this layer
    state: only those in this state now
    """

    annotations: tuple[AnnotationRef, ...] = ()
    of_class: ClassRef | None = None
    stream: StreamRef | None = None
    layer: str | None = None
    state: State | None = None


@command("bulk.relabel", title="Change class of many", right=Right.LABEL, enabled=needs_sample)
def relabel(
    tx: Transaction,
    *,
    sample: SampleRef,
    class_id: ClassRef,
    which: Which,
    here: bool = False,
) -> int:
    """Give many annotations another class in one step: those named, or all that the other arguments fit.

    class_id: the new class
    here: true to leave their entities alone
    """
    found = chosen(tx, sample, which)
    relabel_annotations(tx, annotations=tuple(each.id for each in found), class_id=class_id, here=here)
    return len(found)


@command("bulk.move", title="Move many", right=Right.LABEL, enabled=needs_sample)
def move(
    tx: Transaction,
    *,
    sample: SampleRef,
    by: tuple[float, ...] | None = None,
    by_ns: int = 0,
    which: Which,
) -> int:
    """Move many annotations in space or time in one step: those named, or all that the other arguments fit.

    by: [x, y] in pixels, or [x, y, z] in metres
    by_ns: how much later; negative is earlier
    """
    if by is None and by_ns == 0:
        raise UserError("bulk.move needs by, by_ns or both")
    found = chosen(tx, sample, which)
    for annotation in found:
        move_one(tx, annotation, by=by, by_ns=by_ns)
    return len(found)


@command("bulk.set_state", title="Set state of many", right=Right.LABEL, enabled=needs_sample)
def set_state(
    tx: Transaction,
    *,
    sample: SampleRef,
    to: State,
    which: Which,
) -> int:
    """Set the state of many annotations in one step: those named, or all that the other arguments fit.

    to: the new state
    """
    found = chosen(tx, sample, which)
    tx.put_many([replace(annotation, state=to) for annotation in found])
    return len(found)


@command("bulk.delete", title="Delete many", right=Right.LABEL, enabled=needs_sample)
def delete(
    tx: Transaction,
    *,
    sample: SampleRef,
    which: Which,
    links: LinkPolicy = LinkPolicy.REFUSE,
    to: TargetRef | None = None,
    reason: str = "",
) -> int:
    """Delete many annotations in one step: those named, or all that the other arguments fit.

    links: refuse, remove the links too, retarget them to another end, or turn them into an absence
    to: the new end for retarget; for absence the stream or modality where the counterpart is missing
    reason: for absence, why there is no counterpart
    """
    found = chosen(tx, sample, which)
    remove_labels(tx, found, links=links, to=to, reason=reason)
    return len(found)


def chosen(tx: Transaction, sample: SampleId, which: Which) -> list[Annotation]:
    """The annotations meant; refused if nothing narrows them down, so that a slip cannot hit a whole sample."""
    if which == Which():
        raise UserError("say which: annotations, of_class, stream, layer or state")
    named = which.annotations
    found = fetch_all(tx, named) if named else list(tx.annotations(sample, stream=which.stream))
    kept = [
        each
        for each in found
        if (which.stream is None or each.stream == which.stream)
        and (which.layer is None or each.layer == which.layer)
        and (which.state is None or each.state is which.state)
        and (which.of_class is None or effective_class(each, entity_of(tx, each)) == which.of_class)
    ]
    if not kept:
        raise UserError("nothing fits")
    return kept
