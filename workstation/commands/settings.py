"""The project's own settings, and the one guideline for all modalities."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from workstation.commands.arguments import PersonRef
from workstation.commands.reading import ontology_number, ontology_of
from workstation.commands.registry import command, did_you_mean
from workstation.commands.transaction import Transaction
from workstation.core.errors import Refused, UserError
from workstation.core.guideline import guideline_problems
from workstation.core.ids import RecordId
from workstation.core.records import RecordKind
from workstation.core.rights import Right
from workstation.core.sample import Acknowledgement, Guideline, Project


@command("project.set", title="Project settings", right=Right.CHANGE_SETTINGS)
def set_project(
    tx: Transaction,
    *,
    name: str | None = None,
    profile: str | None = None,
    tolerances: Mapping[str, float | None] = {},
    gates: Mapping[str, str | None] = {},
    modalities: tuple[str, ...] | None = None,
    causes: tuple[str, ...] | None = None,
    main_link: str | None = None,
    links_off: tuple[str, ...] | None = None,
) -> None:
    """Change the project's settings; what is not mentioned stays.

    name: the project's name
    profile: the kind of work, such as driving
    tolerances: limits by name; null takes one away
    gates: what must be sure before labelling, by gate; null takes one away
    modalities: the kinds of streams a complete sample has
    causes: what may lead to findings, beside the usual causes
    main_link: the link type that counts most and leads the reports; empty for none
    links_off: link types that nobody makes here
    """
    old = project_of(tx)
    main = old.main_link if main_link is None else main_link
    off = old.links_off if links_off is None else tuple(dict.fromkeys(links_off))
    _check_links(tx, main, off)
    tx.put(
        replace(
            old,
            name=old.name if name is None else name,
            profile=old.profile if profile is None else profile,
            tolerances={k: v for k, v in {**old.tolerances, **tolerances}.items() if v is not None},
            gates={k: v for k, v in {**old.gates, **gates}.items() if v is not None},
            modalities=old.modalities if modalities is None else modalities,
            causes=old.causes if causes is None else causes,
            main_link=main,
            links_off=off,
        )
    )


def _check_links(tx: Transaction, main: str, off: tuple[str, ...]) -> None:
    """The link types named are those of the ontology, and the one that counts most can be made."""
    if main in off:
        raise UserError(f"'{main}' counts most in this project and cannot be switched off")
    ontology = ontology_of(tx)
    known = {} if ontology is None else ontology.link_types
    for name in filter(None, (main, *off)):
        if name not in known:
            raise UserError(f"the ontology has no link type {name[:40]!r}{did_you_mean(name, known)}")


def project_of(tx: Transaction) -> Project:
    """The one record of the project."""
    found = tx.project()
    if found is not None:
        return found
    raise UserError("this project has no settings record; make the project with workstation new")


@command("guideline.publish", title="Publish guideline", right=Right.CHANGE_ONTOLOGY)
def publish_guideline(tx: Transaction, *, text: str) -> int:
    """Publish a new version of the guideline; everybody has to read and acknowledge it.

    text: the whole guideline, in Markdown; headings end in the id or code they explain, as in ## Car {#car}
    """
    ontology = ontology_of(tx)
    problems = [] if ontology is None else list(guideline_problems(text, ontology.ontology))
    if problems:
        raise Refused(tuple(f"guideline, {problem}" for problem in problems))
    number = max((each.number for each in guidelines(tx)), default=0) + 1
    made = Guideline(
        id=RecordId(tx.new_id()),
        number=number,
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        ontology_number=ontology_number(tx),
    )
    tx.put(made)
    return number


@command("guideline.acknowledge", title="I have read the guideline", right=Right.COMMENT)
def acknowledge_guideline(tx: Transaction, *, person: PersonRef | None = None) -> RecordId:
    """Record that a person has read the newest guideline.

    person: who has read it; left out, the person who acts, and nobody can say it for another
    """
    reader = tx.actor.person
    if reader is None or (person is not None and person != reader):
        raise UserError("only the reader can say that she has read the guideline: act under her name")
    newest = max((each.number for each in guidelines(tx)), default=None)
    if newest is None:
        raise UserError("the project has no guideline yet")
    made = Acknowledgement(id=RecordId(tx.new_id()), person=reader, guideline_number=newest)
    tx.put(made)
    return made.id


def guidelines(tx: Transaction) -> Iterable[Guideline]:
    """Every version of the guideline."""
    return (record for record in tx.records(RecordKind.GUIDELINE) if isinstance(record, Guideline))
