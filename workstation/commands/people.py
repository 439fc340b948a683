"""People and the roles they may act in. Roles are attested, not authenticated."""

from __future__ import annotations

from msgspec.structs import replace

from workstation.commands.arguments import PersonRef
from workstation.commands.reading import fetch
from workstation.commands.registry import command
from workstation.commands.transaction import Transaction
from workstation.core.errors import UserError
from workstation.core.ids import RecordId
from workstation.core.rights import Right, may
from workstation.core.sample import Person, Role


@command("person.add", title="Add person", right=Right.MANAGE_PEOPLE)
def add(tx: Transaction, *, name: str, roles: tuple[Role, ...] = (Role.ANNOTATOR,)) -> RecordId:
    """Add somebody who works in the project.

    name: as shown on screen; one person has one name
    roles: every role she may act in
    """
    _refuse_taken(tx, name, None)
    made = Person(id=RecordId(tx.new_id()), name=name.strip(), roles=_roles(roles))
    tx.put(made)
    return made.id


@command("person.set", title="Change person", right=Right.MANAGE_PEOPLE)
def set_person(
    tx: Transaction,
    *,
    person: PersonRef,
    name: str | None = None,
    roles: tuple[Role, ...] | None = None,
    active: bool | None = None,
) -> None:
    """Rename a person, change her roles, or say that she has left. What she did keeps her name as it was.

    name: the new name
    roles: every role she may act in from now on
    active: false when she has left
    """
    old = fetch(tx, Person, person)
    if name is not None:
        _refuse_taken(tx, name, old.id)
    new = replace(
        old,
        name=old.name if name is None else name.strip(),
        roles=old.roles if roles is None else _roles(roles),
        active=old.active if active is None else active,
    )
    _refuse_nobody_left(tx, new)
    tx.put(new)


def _roles(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    if not roles:
        raise UserError("a person needs at least one role")
    return tuple(dict.fromkeys(roles))


def _refuse_taken(tx: Transaction, name: str, own: str | None) -> None:
    if not name.strip():
        raise UserError("a person needs a name")
    if any(other.name.casefold() == name.strip().casefold() and other.id != own for other in tx.people()):
        raise UserError(f"there already is a person called {name.strip()!r}")


def _refuse_nobody_left(tx: Transaction, changed: Person) -> None:
    """Somebody must be left who can manage people, or the project could never be handed on."""
    after = [changed if person.id == changed.id else person for person in tx.people()]
    if not any(person.active and any(may(role, Right.MANAGE_PEOPLE) for role in person.roles) for person in after):
        raise UserError("then nobody could manage people any more; make somebody else a lead first")
