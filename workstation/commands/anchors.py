"""Anchors: marks of other streams are set to a moment that was heard, keep the tie, and go along when it moves."""

from __future__ import annotations

from msgspec.structs import replace

from workstation.commands.arguments import AnnotationRef, LinkTypeRef, SampleRef
from workstation.commands.links import add, confirmed
from workstation.commands.reading import fetch, ontology_of
from workstation.commands.registry import command, needs_sample, needs_selection
from workstation.commands.resolve import Target
from workstation.commands.shapes import move_one
from workstation.commands.transaction import Transaction
from workstation.core.anchors import left_behind, tie_type
from workstation.core.annotation import Annotation, State, TargetKind
from workstation.core.errors import UserError
from workstation.core.records import RecordKind
from workstation.core.rights import Right
from workstation.core.sample import Stream


@command("anchor.snap", title="Snap to anchor", right=Right.LABEL, enabled=needs_sample)
def snap(
    tx: Transaction,
    *,
    sample: SampleRef,
    anchor: AnnotationRef,
    annotations: tuple[AnnotationRef, ...],
    type_id: LinkTypeRef | None = None,
) -> int:
    """Move labels so that they begin when a sound begins, and tie them to it; how many moved.

    anchor: the label of the sound
    annotations: the labels that are to begin with it; each keeps its length
    type_id: the relation that ties them; left out, the ontology's for what is one instant
    """
    ontology = ontology_of(tx)
    chosen = type_id or (None if ontology is None else tie_type(ontology))
    if ontology is None or chosen is None:
        raise UserError("the ontology has no symmetric relation with a tolerance of time to tie labels with; name one")
    own = fetch(tx, Annotation, anchor)
    at_ns = _session_start(tx, own)
    role = ontology.link_types[chosen].roles[0].id
    for each in annotations:
        label = fetch(tx, Annotation, each)
        if label.id == own.id:
            raise UserError("a label cannot be its own anchor")
        by_ns = _own_ns(tx, label, at_ns) - _start(label)
        if by_ns:
            move_one(tx, label, by=None, by_ns=by_ns)
        joined = any(
            link.type_id == chosen and any(end.target == label.id for end in link.ends) for link in tx.links_of(own.id)
        )
        if not joined:
            ends = tuple(Target(TargetKind.ANNOTATION, one) for one in (own.id, label.id))
            add(tx, sample=sample, type_id=chosen, ends={role: ends}, state=State.DONE)
    return len(annotations)


@command("anchor.follow", title="Move dependents along", right=Right.LABEL, enabled=needs_selection)
def follow(tx: Transaction, *, anchor: AnnotationRef) -> int:
    """Move everything that is tied to a sound's label by as much as that label was moved since; how many moved.

    anchor: the label of the sound
    """
    behind = list(left_behind(tx, ontology_of(tx), [anchor]))
    if not behind:
        raise UserError("nothing that is tied to this label stayed behind")
    for each in behind:
        move_one(tx, fetch(tx, Annotation, each.dependent), by=None, by_ns=each.moved_ns)
    for link in {each.link.id: each.link for each in behind}.values():
        tx.put(replace(link, ends=confirmed(tx, link.ends)))
    return len(behind)


def _start(label: Annotation) -> int:
    if label.start_ns is None:
        raise UserError(f"annotation {label.id} has no time that could be moved")
    return label.start_ns


def _session_start(tx: Transaction, label: Annotation) -> int:
    stream = _stream(tx, label)
    return _start(label) if stream is None else stream.time_map.to_session(_start(label))


def _own_ns(tx: Transaction, label: Annotation, session_ns: int) -> int:
    stream = _stream(tx, label)
    return session_ns if stream is None else stream.time_map.first_stream_at(session_ns)


def _stream(tx: Transaction, label: Annotation) -> Stream | None:
    found = None if label.stream is None else tx.get(RecordKind.STREAM, label.stream)
    return found if isinstance(found, Stream) else None
