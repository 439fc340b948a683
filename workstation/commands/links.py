"""Links: relations between labels as labels in their own right, absences and negative links included."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from workstation.commands.absence import make_absence
from workstation.commands.annotations import changed_attributes
from workstation.commands.arguments import LinkRef, LinkTypeRef, SampleRef, TargetRef
from workstation.commands.reading import (
    fetch,
    first_state,
    may_confirm,
    ontology_number,
    refuse_if_off,
    refuse_unsaid,
    refuse_unsaid_absence,
    source_of,
    state_after_edit,
)
from workstation.commands.registry import command, needs_sample, needs_selection
from workstation.commands.removal import remove_links, retargeted
from workstation.commands.resolve import Target
from workstation.commands.transaction import Transaction
from workstation.core.annotation import AttributeValue, Link, LinkEnd, Source, State
from workstation.core.errors import UserError
from workstation.core.ids import LinkId, RecordId
from workstation.core.rights import Right


@command("link.add", title="Link", shortcut="R", right=Right.LABEL, enabled=needs_sample)
def add(
    tx: Transaction,
    *,
    sample: SampleRef,
    type_id: LinkTypeRef,
    ends: Mapping[str, TargetRef | tuple[TargetRef, ...]],
    start_ns: int | None = None,
    end_ns: int | None = None,
    attributes: Mapping[str, AttributeValue] = {},
    holds: bool = True,
    reason: str = "",
    rationale: str = "",
    state: State | None = None,
    layer: str = "main",
    source: Source | None = None,
    confidence: float | None = None,
) -> LinkId:
    """Relate annotations, entities, streams, modalities or samples. A person's link remembers what she saw.

    type_id: the link type of the ontology
    ends: by role what it points at, as {"sound": "annotation:ID", "source": "entity:car 17"}; a list where a role
        takes several
    start_ns: where the relation begins, in session time
    end_ns: where it ends, half-open
    holds: false for a negative link: these are not related so
    rationale: why the person thinks so
    state: proposed, draft, done, approved or rejected
    layer: whose pass this is
    source: where it comes from; the person unless said
    confidence: 0 to 1
    """
    refuse_if_off(tx, type_id)
    made = Link(
        id=LinkId(tx.new_id()),
        sample=sample,
        type_id=type_id,
        ends=_ends(ends) if state is State.PROPOSED else confirmed(tx, _ends(ends)),
        start_ns=start_ns,
        end_ns=start_ns if end_ns is None else end_ns,
        attributes=attributes,
        holds=holds,
        reason=reason,
        rationale=rationale,
        state=first_state(tx, state),
        layer=layer,
        source=source_of(tx, source),
        confidence=confidence,
        ontology_version=ontology_number(tx),
    )
    refuse_unsaid(tx, made)
    tx.put(made)
    return made.id


def _ends(ends: Mapping[str, Target | tuple[Target, ...]]) -> tuple[LinkEnd, ...]:
    return tuple(
        LinkEnd(role=role, kind=target.kind, target=target.id)
        for role, targets in ends.items()
        for target in (targets if isinstance(targets, tuple) else (targets,))
    )


def confirmed(tx: Transaction, ends: tuple[LinkEnd, ...]) -> tuple[LinkEnd, ...]:
    """The ends with what they look like now, when a person acts or answers for the script; nobody else can confirm."""
    return tx.confirmed_ends(ends) if may_confirm(tx.actor) else ends


@command("link.absent", title="State an absence", right=Right.LABEL, enabled=needs_selection)
def absent(
    tx: Transaction,
    *,
    sample: SampleRef,
    of: TargetRef,
    missing_in: TargetRef,
    reason: str,
    type_id: LinkTypeRef | None = None,
    rationale: str = "",
    layer: str = "main",
) -> LinkId:
    """State that something has no counterpart in a stream or modality, and why. That is a label, and it completes.

    of: the annotation or entity without a counterpart
    missing_in: stream:KEY or modality:KIND
    type_id: the absence link type; left out, the first of the ontology that fits
    rationale: more words than the reason
    layer: whose pass this is
    """
    made = make_absence(
        tx,
        sample=sample,
        of=of,
        missing_in=missing_in,
        reason=reason,
        type_id=type_id,
        rationale=rationale,
        layer=layer,
    )
    refuse_unsaid_absence(tx, RecordId(of.id), rationale)
    tx.put(made)
    return made.id


@command("link.edit", title="Edit link", right=Right.LABEL, enabled=needs_selection)
def edit(
    tx: Transaction,
    *,
    link: LinkRef,
    type_id: LinkTypeRef | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    attributes: Mapping[str, AttributeValue | None] = {},
    holds: bool | None = None,
    reason: str | None = None,
    rationale: str | None = None,
    confidence: float | None = None,
) -> None:
    """Change what a link says; what is not mentioned stays. Its ends are moved with link.retarget.

    type_id: another link type that takes the same roles
    start_ns: where the relation begins, in session time
    end_ns: where it ends, half-open
    attributes: values by attribute name; null takes a value away
    holds: false for a negative link
    rationale: why the person thinks so
    confidence: 0 to 1
    """
    old = fetch(tx, Link, link)
    if type_id is not None and type_id != old.type_id:
        refuse_if_off(tx, type_id)
    given = {
        "type_id": type_id, "start_ns": start_ns, "end_ns": end_ns, "holds": holds, "reason": reason,
        "rationale": rationale, "confidence": confidence,
    }  # fmt: skip
    changed = replace(old, **{name: value for name, value in given.items() if value is not None})
    made = replace(
        changed,
        attributes=changed_attributes(old.attributes, attributes),
        state=state_after_edit(tx, old.state),
        ontology_version=ontology_number(tx),
    )
    refuse_unsaid(tx, made, old)
    tx.put(made)


@command("link.negate", title="Not related so", right=Right.LABEL, enabled=needs_selection)
def negate(tx: Transaction, *, link: LinkRef, rationale: str = "") -> None:
    """Turn a link into its negative, which says that the relation does not hold.

    rationale: why the person thinks so
    """
    old = fetch(tx, Link, link)
    said = rationale or old.rationale
    made = replace(old, holds=not old.holds, rationale=said, state=state_after_edit(tx, old.state))
    refuse_unsaid(tx, made, old)
    tx.put(made)


@command("link.confirm", title="Confirm link", right=Right.LABEL, enabled=needs_selection)
def confirm(tx: Transaction, *, links: tuple[LinkRef, ...], state: State = State.DONE) -> None:
    """Look at links again and say that they hold for their ends as they are now. Only a person can.

    links: the links: ids or the beginnings of them
    state: the state they have then
    """
    tx.confirmed_ends(())  # refused to whatever is no person, and kept in the log of refusals
    for link_id in links:
        old = fetch(tx, Link, link_id)
        made = replace(old, ends=tx.confirmed_ends(old.ends), state=state)
        refuse_unsaid(tx, made, old)
        tx.put(made)


@command("link.set_state", title="Set state of link", right=Right.LABEL, enabled=needs_selection)
def set_state(tx: Transaction, *, links: tuple[LinkRef, ...], state: State) -> None:
    """Say how far links have come, without confirming their ends.

    links: the links: ids or the beginnings of them
    state: proposed, draft, done, approved or rejected
    """
    found = [fetch(tx, Link, link) for link in links]
    made = [replace(old, state=state) for old in found]
    for old, new in zip(found, made, strict=True):
        refuse_unsaid(tx, new, old)
    tx.put_many(made)


@command("link.retarget", title="Move end of link", right=Right.LABEL, enabled=needs_selection)
def retarget(tx: Transaction, *, link: LinkRef, old: TargetRef, new: TargetRef) -> None:
    """Move an end of a link to something else; it is confirmed there when a person does it.

    old: what the end points at now
    new: what it shall point at
    """
    found = fetch(tx, Link, link)
    if not any(end.target == old.id for end in found.ends):
        raise UserError(f"link {link} has no end at {old.kind.value} {old.id}")
    moved = retargeted(found, old.id, new)
    ends = tuple(confirmed(tx, (end,))[0] if end.target == new.id else end for end in moved.ends)
    made = replace(moved, ends=ends, state=state_after_edit(tx, found.state))
    refuse_unsaid(tx, made, found)
    tx.put(made)


@command("link.remove", title="Remove link", right=Right.LABEL, enabled=needs_selection)
def remove(tx: Transaction, *, links: tuple[LinkRef, ...]) -> None:
    """Remove links, with the links that lead to them.

    links: the links: ids or the beginnings of them
    """
    remove_links(tx, [fetch(tx, Link, link) for link in links])
