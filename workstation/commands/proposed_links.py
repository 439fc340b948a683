"""What a person does with proposed links: accept them or reject them. Where labels are said to be one thing, they are
one from then on.
"""

from __future__ import annotations

from msgspec.structs import replace

from workstation.commands.arguments import LinkRef
from workstation.commands.entities import add, attach, merge
from workstation.commands.reading import fetch, may_confirm, refuse_unsaid
from workstation.commands.registry import command, needs_selection
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, Entity, Link, State, TargetKind
from workstation.core.errors import UserError
from workstation.core.ids import EntityId, LinkId
from workstation.core.rights import Right
from workstation.core.suggestion import SAME_OBJECT


@command("link.accept", title="Accept proposed links", right=Right.LABEL, enabled=needs_selection)
def accept(tx: Transaction, *, links: tuple[LinkRef, ...], join: bool = True) -> None:
    """Look at proposed links and say that they hold. Only a person can. Labels said to be one thing become one entity.

    links: the link: its id or the beginning of it; only one, as a link joins what people judge
    join: false to leave the entities of a same-object link as they are
    """
    tx.confirmed_ends(())  # refused to whatever is no person, and kept in the log of refusals
    proposed = _proposed(tx, links)
    if len(proposed) > 1:
        raise UserError(f"links are accepted one at a time, each looked at; these are {len(proposed)}")
    for link in proposed:
        if join and link.type_id == SAME_OBJECT and link.holds:
            _join(tx, link)
        now = fetch(tx, Link, link.id)
        made = replace(now, ends=tx.confirmed_ends(now.ends), state=State.DONE)
        refuse_unsaid(tx, made, now)
        tx.put(made)


@command("link.reject", title="Reject proposed links", right=Right.LABEL, enabled=needs_selection)
def reject(tx: Transaction, *, links: tuple[LinkRef, ...]) -> None:
    """Refuse proposed links. They are kept as rejected, so that no rule proposes them again.

    links: the links: ids or the beginnings of them
    """
    if not may_confirm(tx.actor):
        raise UserError(f"only a person can reject a proposed link, not a {tx.actor.kind.value}")
    tx.put_many([replace(link, state=State.REJECTED) for link in _proposed(tx, links)])


def _proposed(tx: Transaction, links: tuple[LinkId, ...]) -> list[Link]:
    found = [fetch(tx, Link, each) for each in dict.fromkeys(links)]
    for link in found:
        if link.state is not State.PROPOSED:
            raise UserError(f"link {link.id} is no proposal: it is {link.state.value}")
    return found


def _join(tx: Transaction, link: Link) -> None:
    """What the ends show becomes one entity: the one with a name, else the one with the lowest number."""
    labels = [fetch(tx, Annotation, end.target) for end in link.ends if end.kind is TargetKind.ANNOTATION]
    things = {each.entity: fetch(tx, Entity, each.entity) for each in labels if each.entity is not None}
    alone = tuple(each.id for each in labels if each.entity is None)
    ordered = sorted(things.values(), key=lambda each: (not each.name, each.number))
    if not ordered:
        class_id = next((each.class_id for each in labels if each.class_id is not None), None)
        if class_id is not None:
            add(tx, sample=link.sample, class_id=class_id, annotations=alone)
        return
    keeper = EntityId(ordered[0].id)
    for other in ordered[1:]:
        merge(tx, entity=keeper, other=EntityId(other.id))
    if alone:
        attach(tx, entity=keeper, annotations=alone)
