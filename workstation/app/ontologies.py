"""What the command line shows and does about ontology versions, over the commands and the core's comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from workstation.app.opening import read_ontology_text
from workstation.app.session import Run, Session
from workstation.commands.ontology import forecast_lock, parsed, problems_of, versions_of
from workstation.core.errors import UserError
from workstation.core.files import write_whole
from workstation.core.moments import moment
from workstation.core.ontology_diff import diff_ontologies
from workstation.core.ontology_parse import read_ontology
from workstation.core.sample import OntologyState, OntologyVersion
from workstation.store.yaml import load_yaml

Row = dict[str, Any]


def version_rows(session: Session) -> Iterator[Row]:
    """Every version, oldest first."""
    for version in versions_of(session.store):
        yield {
            "number": version.number, "state": version.state.value, "author": version.author,
            "reviewer": version.reviewer, "locked": None if version.locked_ms is None else moment(version.locked_ms),
            "parent": version.parent, "note": version.note, "sha256": version.sha256, "id": version.id,
        }  # fmt: skip


def find_version(session: Session, number: int | None) -> OntologyVersion:
    """The version of that number; left out, the one in force, or the newest if none is."""
    versions = versions_of(session.store)
    if not versions:
        raise UserError("this project has no ontology; bring one in with workstation ontology draft")
    if number is None:
        locked = [version for version in versions if version.state is OntologyState.LOCKED]
        return (locked or versions)[-1]
    found = [version for version in versions if version.number == number]
    if not found:
        raise UserError(
            f"there is no ontology version {number}; there are {', '.join(str(v.number) for v in versions)}"
        )
    return found[0]


def class_rows(version: OntologyVersion) -> Iterator[Row]:
    """The class tree, each below its parent."""
    ontology = parsed(version)
    parents = {each.id: each.parent for each in ontology.classes}
    below: dict[str | None, list[str]] = {}
    for class_id, parent in parents.items():
        below.setdefault(parent, []).append(class_id)
    classes = {each.id: each for each in ontology.classes}
    waiting = [(class_id, 0) for class_id in reversed(below.get(None, []))]
    while waiting:
        class_id, depth = waiting.pop()
        found = classes[class_id]
        yield {
            "class": "  " * depth + class_id, "name": next(iter(found.names.values()), ""), "key": found.key,
            "retired": found.retired is not None, "definition": found.definition,
        }  # fmt: skip
        waiting += [(child, depth + 1) for child in reversed(below.get(class_id, []))]


def describe_version(version: OntologyVersion) -> Row:
    """The facts of one version."""
    ontology = parsed(version)
    return {
        "number": version.number, "state": version.state.value, "name": ontology.name,
        "language": ontology.language, "modalities": [each.value for each in ontology.modalities],
        "classes": len(ontology.classes), "attributes": len(ontology.attributes),
        "link_types": [each.id for each in ontology.link_types], "words": len(ontology.lexicon),
        "rules": len(ontology.rules), "edge_cases": len(ontology.edge_cases), "sha256": version.sha256,
    }  # fmt: skip


def check_file(path: Path) -> list[Row]:
    """Everything that is wrong with an ontology file, place by place."""
    text = read_ontology_text(path)
    _, problems = read_ontology(load_yaml(text, source=path), source=path)
    return [{"place": problem.place, "problem": problem.reason} for problem in problems]


def check_version(session: Session, number: int | None) -> list[Row]:
    """What keeps a version from being locked."""
    version = find_version(session, number)
    found = problems_of([each for each in versions_of(session.store) if each.number != version.number], version)
    return [{"place": problem.place, "problem": problem.reason} for problem in found]


def difference_rows(session: Session, a: int, b: int) -> list[Row]:
    """What changed from one version to another, in words."""
    old, new = (parsed(find_version(session, number)) for number in (a, b))
    return [{"kind": each.kind.value, "place": each.place, "text": each.text} for each in diff_ontologies(old, new)]


def forecast_lines(session: Session, number: int) -> list[str]:
    """What locking a version would do to the labels, by modality."""
    return forecast_lock(session.store, find_version(session, number).number).in_words()


def submit_if_draft(session: Session, run: Run, number: int) -> None:
    """Hand a draft in for review, if it is one."""
    if find_version(session, number).state is OntologyState.DRAFT:
        run("ontology.submit", number=number)


def apply_file(
    session: Session, path: Path, *, note: str, reasons: Mapping[str, str], really: bool
) -> tuple[int, list[str]]:
    """Draft, submit, review and lock a file as one step; or go through it all, say what it did, and take it back."""
    try:
        with session.together(f"Apply {path.name}") as run:
            number = run("ontology.draft", text=read_ontology_text(path), note=note)
            run("ontology.submit", number=number)
            run("ontology.review", number=number, accept=True, reasons=reasons, note=note)
            applied = run("ontology.lock", number=number)
            if not really:
                raise _TakenBack(number, list(applied.lines))
    except _TakenBack as tried:
        return tried.number, tried.lines
    return number, list(applied.lines)


class _TakenBack(Exception):
    """Leaves the transaction without keeping anything."""

    def __init__(self, number: int, lines: list[str]) -> None:
        super().__init__(f"version {number} was only tried")
        self.number = number
        self.lines = lines


def export_version(session: Session, number: int | None, path: Path) -> int:
    """Write the text of a version to a new file, word for word."""
    version = find_version(session, number)
    if path.exists():
        raise UserError(f"{path} exists already; nothing is written over it")
    write_whole(path, version.text.encode())
    return version.number
