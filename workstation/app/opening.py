"""Making and opening projects: who acts, in which role, and the session that comes of it.

``open_project`` is what scripts import; the window and the command line come through here as well.
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from workstation.app.resources import resource
from workstation.app.session import Session
from workstation.commands.ontology import parsed
from workstation.commands.registry import load_registry
from workstation.core.errors import DataError, UserError
from workstation.core.files import read_bounded
from workstation.core.ids import IdSource, RecordId
from workstation.core.ontology_history import cross_modal_gaps
from workstation.core.rights import Actor, ActorKind
from workstation.core.sample import Person, Role
from workstation.store.effective import compiled
from workstation.store.lock import FolderReadOnlyError, LockHeldError
from workstation.store.project import create_project, open_project_folder
from workstation.store.store import Store

E = TypeVar("E", bound=StrEnum)
ONTOLOGY_FILE = "ontology.yaml"
GUIDELINE_FILE = "guideline.md"
_LARGEST_ONTOLOGY = 16 * 1024 * 1024


def open_project(
    path: str | Path,
    *,
    person: str | None = None,
    role: Role | str | None = None,
    kind: ActorKind | str = ActorKind.SCRIPT,
    tool: str = "",
    read_only: bool = False,
) -> Session:
    """Open a project for a person, a script, an import or a model.

    ``person`` is a name the project knows (the only one, or the one logged in, when left out); ``role`` one of hers.
    Names are attested, not authenticated. Use it in a ``with`` block.
    """
    wanted = None if role is None else _choice(Role, role)
    kind = _choice(ActorKind, kind)
    watching = Actor(name=person or login(), kind=kind, role=wanted or Role.AUDITOR, tool=tool)
    project = open_project_folder(Path(path), watching, read_only=read_only, rules_of=compiled)
    try:
        actor = actor_for(project.store, person=person, role=wanted, kind=kind, tool=tool, needed=not read_only)
        project.store.actor = actor
        return Session(project, load_registry())
    except BaseException:
        project.close()
        raise


def open_or_watch(
    path: Path, *, person: str | None, role: str | None, kind: ActorKind = ActorKind.PERSON
) -> tuple[Session, str | None]:
    """Open for writing; where somebody else has it, to look at, together with why."""
    try:
        return open_project(path, person=person, role=role, kind=kind, tool="open"), None
    except (LockHeldError, FolderReadOnlyError) as held:
        return open_project(path, person=person, role=role, kind=kind, tool="open", read_only=True), held.why_to_look


def actor_for(
    store: Store, *, person: str | None, role: Role | None, kind: ActorKind, tool: str, needed: bool
) -> Actor:
    """Who acts. To look at a project, nobody has to be known in it."""
    people = [each for each in store.people() if each.active]
    found = _person(people, person)
    if found is None:
        if not needed and person is None:
            return Actor(name=login(), kind=kind, role=role or Role.AUDITOR, tool=tool)
        known = ", ".join(each.name for each in people) or "nobody"
        said = f"{person!r} is not among the people of this project" if person else "say who you are (--person)"
        raise UserError(f"{said}; it knows {known}")
    if role is not None and role not in found.roles:
        has = ", ".join(each.value for each in found.roles)
        raise UserError(f"{found.name} may not act as {role.value}; her roles here: {has}")
    return Actor(name=found.name, kind=kind, role=role or found.roles[0], person=found.id, tool=tool)


def _person(people: Sequence[Person], name: str | None) -> Person | None:
    if name is not None:
        wanted = [each for each in people if name in (each.id, each.name)]
        near = wanted or [each for each in people if each.name.casefold() == name.casefold()]
        return near[0] if len(near) == 1 else None
    if len(people) == 1:
        return people[0]
    mine = [each for each in people if each.name == login()]
    return mine[0] if len(mine) == 1 else None


def new_project(
    folder: Path,
    *,
    name: str = "",
    profile: str = "general",
    ontology: str | None = None,
    in_force: bool = False,
    person: str | None = None,
) -> Path:
    """Make a project that ``person`` leads. ``ontology`` is a file or a starter's name; the profile's own if left out.

    A starter ontology is reviewed by its makers and comes locked, with its guideline, and so does another of ours
    (``in_force``); a file of your own comes in as a draft.
    """
    starters = starter_ontologies()
    chosen = ontology or (profile if profile in starters else None)
    text = None if chosen is None else _ontology_text(chosen, starters)
    lead = RecordId(IdSource().new())
    actor = Actor(name=person or login(), role=Role.LEAD, person=lead, tool="new")
    made = create_project(
        folder,
        name=name or folder.resolve().name,
        profile=profile,
        actor=actor,
        ontology_text=text,
        rules_of=compiled,
    )
    if chosen is not None and (in_force or chosen in starters):
        with (
            open_project(made, person=lead, role=Role.LEAD, kind=ActorKind.PERSON, tool="new") as session,
            session.together("Put the starter ontology in force") as run,
        ):
            note = f"starter ontology {chosen if chosen in starters else profile}, as it comes"
            run("ontology.submit", number=1)
            run("ontology.review", number=1, accept=True, reasons=_makers_reasons(session, note), note=note)
            run("ontology.lock", number=1)
            guideline = starters.get(chosen, Path(chosen)).with_name(GUIDELINE_FILE)
            if guideline.is_file():
                run("guideline.publish", text=read_ontology_text(guideline))
    return made


def _makers_reasons(session: Session, note: str) -> dict[str, str]:
    """Where a starter leaves open why a class has no place in a modality, its makers answer for it."""
    ontology = parsed(session.store.ontology_versions()[0])
    return {gap.key: note for gap in cross_modal_gaps(ontology, None, {})}


def starter_ontologies() -> dict[str, Path]:
    """The ontologies that come with the program, by name."""
    folders = sorted(path for path in resource("ontologies").iterdir() if (path / ONTOLOGY_FILE).is_file())
    return {folder.name: folder / ONTOLOGY_FILE for folder in folders}


def _ontology_text(chosen: str, starters: dict[str, Path]) -> str:
    path = starters.get(chosen, Path(chosen))
    if not path.is_file():
        raise UserError(f"there is no ontology {chosen!r}: give a file, or one of {', '.join(starters)}")
    return read_ontology_text(path)


def read_ontology_text(path: Path) -> str:
    """The text of an ontology file."""
    try:
        return read_bounded(path, _LARGEST_ONTOLOGY).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"is no UTF-8 text (byte {error.start})", path=path) from error


def _choice(choices: type[E], text: str) -> E:
    try:
        return choices(text)
    except ValueError:
        known = ", ".join(str(each.value) for each in choices)
        raise UserError(f"there is no {choices.__name__.lower()} {text!r}; there are {known}") from None


def login() -> str:
    """The name of whoever is logged in, or "somebody" where the machine does not say."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "somebody"
