"""Deleting what others point at: one place that decides what becomes of links, so that none is ever left dangling.

Used by every command that deletes an annotation, an entity or a link. The gate would refuse a dangling reference
anyway; here the person's choice is carried out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec.structs import replace

from workstation.commands.absence import absence_of
from workstation.commands.resolve import Target
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, Entity, Link, LinkEnd
from workstation.core.errors import UserError
from workstation.core.geometry import TextSpan
from workstation.core.records import RecordKind


class LinkPolicy(StrEnum):
    """What becomes of the links of something that is deleted."""

    REFUSE = "refuse"
    REMOVE = "remove"
    RETARGET = "retarget"
    ABSENCE = "absence"


def remove_labels(
    tx: Transaction,
    labels: Sequence[Annotation | Entity],
    *,
    links: LinkPolicy,
    to: Target | None,
    reason: str,
) -> None:
    """Delete annotations and entities with all that is part of them, after seeing to their links."""
    gone: set[str] = {label.id for label in labels}
    annotations = [label for label in labels if isinstance(label, Annotation)]
    _refuse_anchored(tx, annotations, gone)
    _see_to_links(tx, labels, gone, links=links, to=to, reason=reason)
    for annotation in annotations:
        for keyframe in list(tx.keyframes(annotation.id)):
            tx.delete(RecordKind.KEYFRAME, keyframe.id)
        for word in list(tx.words(annotation.id)):
            tx.delete(RecordKind.WORD, word.id)
    # Spans over a text go before the text, annotations before the entity they show.
    for annotation in sorted(annotations, key=lambda each: not isinstance(each.shape, TextSpan)):
        tx.delete(RecordKind.ANNOTATION, annotation.id)
    for label in labels:
        if isinstance(label, Entity):
            tx.delete(RecordKind.ENTITY, label.id)


def remove_links(tx: Transaction, links: Iterable[Link]) -> None:
    """Delete links, and the links that lead to them. What was said or judged about them stays as said."""
    for link in links:
        if tx.get(RecordKind.LINK, link.id) is None:
            continue  # a link on a link removed a moment ago
        remove_links(tx, list(tx.links_of(link.id)))
        tx.delete(RecordKind.LINK, link.id)


def retargeted(link: Link, old: str, new: Target) -> Link:
    """``link`` with every end at ``old`` moved to ``new``; those ends are to be confirmed again."""
    ends = tuple(
        LinkEnd(role=end.role, kind=new.kind, target=new.id) if end.target == old else end for end in link.ends
    )
    return replace(link, ends=ends)


def _see_to_links(
    tx: Transaction,
    labels: Sequence[Annotation | Entity],
    gone: set[str],
    *,
    links: LinkPolicy,
    to: Target | None,
    reason: str,
) -> None:
    for label in labels:
        touched = list(tx.links_of(label.id))
        if not touched:
            continue
        if links is LinkPolicy.REFUSE:
            raise UserError(_refusal(label, touched))
        for link in touched:
            remains = any(end.target not in gone for end in link.ends)
            if links is LinkPolicy.RETARGET:
                _retarget(tx, link, label.id, to)
            else:
                if links is LinkPolicy.ABSENCE and remains:
                    tx.put(absence_of(tx, link, gone=label, to=to, reason=reason))
                remove_links(tx, [link])


def _retarget(tx: Transaction, link: Link, old: str, to: Target | None) -> None:
    if to is None:
        raise UserError("links=retarget needs to: the end that takes the place of the deleted one")
    moved = retargeted(link, old, to)
    if len({(end.role, end.target) for end in moved.ends}) < len(moved.ends) or _ends_meet(moved):
        remove_links(tx, [link])  # it led from one to the other, and now says nothing
    else:
        tx.put(moved)


def _ends_meet(link: Link) -> bool:
    return len(link.ends) > 1 and len({end.target for end in link.ends}) == 1


def _refusal(label: Annotation | Entity, links: Sequence[Link]) -> str:
    kind = "annotation" if isinstance(label, Annotation) else "entity"
    named = ", ".join(f"{link.type_id} {link.id}" for link in links[:3])
    more = f" and {len(links) - 3} more" if len(links) > 3 else ""
    return (
        f"{kind} {label.id} is an end of {named}{more}; say what becomes of them: "
        "links=remove, links=retarget with to, or links=absence with a reason"
    )


def _refuse_anchored(tx: Transaction, annotations: Sequence[Annotation], gone: set[str]) -> None:
    """A text cannot go while spans that stay are anchored in it."""
    for annotation in annotations:
        anchored = [span for span in tx.annotations_on_text(annotation.id) if span.id not in gone]
        if anchored:
            raise UserError(
                f"{len(anchored)} text spans are anchored in annotation {annotation.id}; delete them with it"
            )
