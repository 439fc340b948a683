"""Absence links: "this has no counterpart there, and why". Made by hand, or in place of a link whose end is deleted."""

from __future__ import annotations

from workstation.commands.reading import (
    fetch,
    first_state,
    may_confirm,
    ontology_number,
    ontology_of,
    refuse_if_off,
    source_of,
)
from workstation.commands.resolve import Target
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, Entity, Link, LinkEnd, TargetKind
from workstation.core.errors import UserError
from workstation.core.ids import LinkId, StreamId
from workstation.core.ontology import EndRole, LinkType
from workstation.core.sample import Stream

_MISSING_IN = (TargetKind.STREAM, TargetKind.MODALITY)


def make_absence(
    tx: Transaction,
    *,
    sample: str,
    of: Target,
    missing_in: Target,
    reason: str,
    type_id: str | None = None,
    rationale: str = "",
    layer: str = "main",
) -> Link:
    """The absence link of ``of`` in a stream or modality; not written yet."""
    if not reason.strip():
        raise UserError("an absence needs a reason")
    if missing_in.kind not in _MISSING_IN:
        raise UserError(f"something is absent from a stream or a modality, not from a {missing_in.kind.value}")
    link_type = _absence_type(tx, of, missing_in, type_id)
    refuse_if_off(tx, link_type.id)
    item_role, other_role = _roles(link_type)
    ends = (
        LinkEnd(role=item_role.id, kind=of.kind, target=of.id),
        LinkEnd(role=other_role.id, kind=missing_in.kind, target=missing_in.id),
    )
    return Link(
        id=LinkId(tx.new_id()),
        sample=sample,  # type: ignore[arg-type]  # a sample's id
        type_id=link_type.id,
        ends=tx.confirmed_ends(ends) if may_confirm(tx.actor) else ends,
        reason=reason,
        rationale=rationale,
        state=first_state(tx),
        layer=layer,
        source=source_of(tx),
        ontology_version=ontology_number(tx),
    )


def absence_of(tx: Transaction, link: Link, *, gone: Annotation | Entity, to: Target | None, reason: str) -> Link:
    """The absence that takes the place of ``link`` when its end ``gone`` is deleted: the other has no counterpart."""
    left = [end for end in link.ends if end.target != gone.id and end.kind not in _MISSING_IN]
    if not left:
        raise UserError(f"{link.type_id} {link.id} has no other end that could be missing a counterpart")
    of = Target(left[0].kind, left[0].target)
    return make_absence(tx, sample=link.sample, of=of, missing_in=to or _place_of(tx, gone), reason=reason)


def _place_of(tx: Transaction, gone: Annotation | Entity) -> Target:
    if isinstance(gone, Annotation) and gone.stream is not None:
        return Target(TargetKind.STREAM, fetch(tx, Stream, StreamId(gone.stream)).id)
    raise UserError("links=absence needs to: the stream or modality in which the counterpart is missing")


def _absence_type(tx: Transaction, of: Target, missing_in: Target, type_id: str | None) -> LinkType:
    ontology = ontology_of(tx)
    known = [] if ontology is None else [each for each in ontology.ontology.link_types if each.absence]
    if type_id is not None:
        known = [each for each in known if each.id == type_id]
    fitting = [each for each in known if not each.retired and _fits(each, of, missing_in)]
    if not fitting:
        said = f"link type {type_id!r} is no absence" if type_id else "the ontology has no absence link type"
        raise UserError(f"{said} that leads from a {of.kind.value} to a {missing_in.kind.value}")
    return fitting[0]


def _fits(link_type: LinkType, of: Target, missing_in: Target) -> bool:
    try:
        item, other = _roles(link_type)
    except UserError:
        return False
    return of.kind in item.targets and missing_in.kind in other.targets


def _roles(link_type: LinkType) -> tuple[EndRole, EndRole]:
    """The role of the item and the role of where it is missing."""
    places = [role for role in link_type.roles if any(kind in _MISSING_IN for kind in role.targets)]
    items = [role for role in link_type.roles if role not in places]
    if len(places) != 1 or len(items) != 1:
        raise UserError(f"link type {link_type.id} does not say which role is the place of absence")
    return items[0], places[0]
