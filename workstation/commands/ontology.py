"""The life of an ontology version: draft, review, lock, withdraw. A locked version is in force everywhere at once.

What the new version does to labels is a migration, carried out in the same revision that locks it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from workstation.commands.reading import ontology_of
from workstation.commands.registry import command
from workstation.commands.transaction import Reads, Transaction
from workstation.core.errors import DataError, Refused, UserError
from workstation.core.ids import RecordId
from workstation.core.ontology import Ontology
from workstation.core.ontology_compile import CompiledOntology, compile_ontology
from workstation.core.ontology_forecast import Forecast, SamplePlan
from workstation.core.ontology_history import cross_modal_gaps, history_problems
from workstation.core.ontology_migration import (
    Migration,
    Step,
    complete_migration,
    decode_migration,
    encode_migration,
    migration_problems,
    with_steps,
)
from workstation.core.ontology_parse import ontology_to_plain, with_version
from workstation.core.ontology_place import Problem
from workstation.core.ontology_plan import Planner, forecast
from workstation.core.records import RecordKind
from workstation.core.rights import Right
from workstation.core.sample import OntologyState, OntologyVersion, QueueItem
from workstation.store.ontology_text import ontology_of_text
from workstation.store.yaml import dump_yaml

_OPEN = (OntologyState.DRAFT, OntologyState.IN_REVIEW)


class Applied(msgspec.Struct, frozen=True):
    """What locking a version did to the labels."""

    number: int
    rewritten: int
    queued: int
    lines: tuple[str, ...]


@command("ontology.draft", title="Draft an ontology version", right=Right.CHANGE_ONTOLOGY)
def draft(
    tx: Transaction, *, text: str | None = None, steps: tuple[Step, ...] = (), note: str = "", number: int | None = None
) -> int:
    """Bring an edited ontology in as a draft, or change one; it counts once it is locked. Answers its number.

    text: the YAML of the ontology; left out, the version in force changed by the steps
    steps: what becomes of the labels (merge_classes, split_class, retire_class, move_class, add_class, …); changes
      the steps do not speak of rewrite nothing
    note: what changed and why
    number: the draft to change; left out, a new one is made
    """
    versions = versions_of(tx)
    current = _in_force(versions)
    found = None if number is None else _version(versions, number)
    if found is not None and found.state is not OntologyState.DRAFT:
        raise UserError(f"ontology version {found.number} is {_words(found.state)}; only a draft can be changed")
    new_number = found.number if found else max((version.number for version in versions), default=0) + 1
    if text is None:
        text = _text_by_steps(current, steps, new_number, note)
    ontology = _read_edited(text, current, new_number)
    made = OntologyVersion(
        id=found.id if found else RecordId(tx.new_id()),
        number=new_number,
        text=_numbered(text, ontology, new_number),
        sha256="",
        author=tx.actor.name,
        note=note or (found.note if found else ""),
        parent=current.number if current else None,
        migration=encode_migration(_migration(steps, current, ontology)),
    )
    _refuse(problems_of(versions, made))
    tx.put(replace(made, sha256=hashlib.sha256(made.text.encode()).hexdigest()))
    return new_number


@command("ontology.submit", title="Submit the ontology for review", right=Right.CHANGE_ONTOLOGY)
def submit(tx: Transaction, *, number: int) -> None:
    """Hand a draft to a reviewer; it cannot be changed while it is looked at.

    number: the version
    """
    versions = versions_of(tx)
    version = _expect(versions, number, OntologyState.DRAFT)
    _refuse(_outdated(versions, version) + problems_of(versions, version))
    tx.put(replace(version, state=OntologyState.IN_REVIEW))


@command("ontology.review", title="Review the ontology", right=Right.REVIEW_ONTOLOGY)
def review(tx: Transaction, *, number: int, accept: bool, reasons: Mapping[str, str] = {}, note: str = "") -> None:
    """Accept a version, or send it back to its author.

    number: the version
    accept: false sends it back as a draft
    reasons: for classes of one modality only, why they have no place in another ("siren/cloud": "makes no echo")
    note: what the reviewer says
    """
    versions = versions_of(tx)
    version = _expect(versions, number, OntologyState.IN_REVIEW)
    noted = "\n".join(part for part in (version.note, note) if part)
    if not accept:
        tx.put(replace(version, state=OntologyState.DRAFT, note=noted, reviewer=""))
        return
    known = {**version.cross_modal_reasons, **{key: text.strip() for key, text in reasons.items()}}
    version = replace(version, cross_modal_reasons=known, reviewer=tx.actor.name, note=noted)
    ontology = parsed(version)
    classes = {cls.id for cls in ontology.classes}
    modalities = {surface.value for surface in ontology.modalities}
    for key in reasons:
        class_id, _, modality = key.partition("/")
        if class_id not in classes or modality not in modalities:
            raise UserError(f"{key!r} is no class and modality of the version; write them like 'siren/cloud'")
    gaps = cross_modal_gaps(ontology, _parent_of(versions, version), known)
    if gaps:
        raise Refused(tuple(str(gap) for gap in gaps))
    tx.put(version)


@command("ontology.lock", title="Lock the ontology", right=Right.LOCK_ONTOLOGY)
def lock(tx: Transaction, *, number: int) -> Applied:
    """Put a reviewed version in force for every modality, and carry out what it does to the labels, as one revision.

    number: the version
    """
    versions = versions_of(tx)
    version = _expect(versions, number, OntologyState.IN_REVIEW)
    if not version.reviewer:
        raise UserError(f"ontology version {number} has not been accepted by a reviewer yet")
    _refuse(_outdated(versions, version) + problems_of(versions, version))
    old = ontology_of(tx)
    tx.put(replace(version, state=OntologyState.LOCKED, locked_ms=_moment_of(tx.new_id())))
    done = Forecast()
    if old is not None:
        new = compile_ontology(parsed(version))
        for plan in _plans(tx, old, new, decode_migration(version.migration)):
            _carry_out(tx, plan, number)
            done.add(plan)
    return Applied(number, done.rewritten, done.queued, tuple(done.in_words()))


@command("ontology.withdraw", title="Withdraw an ontology draft", right=Right.CHANGE_ONTOLOGY)
def withdraw(tx: Transaction, *, number: int, reason: str = "") -> None:
    """Give up a version that is not locked; its number is not used again.

    number: the version
    """
    version = _version(versions_of(tx), number)
    if version.state not in _OPEN:
        raise UserError(f"ontology version {number} is {_words(version.state)} and stays so")
    noted = "\n".join(part for part in (version.note, reason) if part)
    tx.put(replace(version, state=OntologyState.WITHDRAWN, note=noted))


def forecast_lock(reads: Reads, number: int) -> Forecast:
    """What locking the version would do to the labels, by modality, without doing it."""
    version = _version(versions_of(reads), number)
    old = ontology_of(reads)
    if old is None:
        return Forecast()
    return forecast(reads, old, compile_ontology(parsed(version)), decode_migration(version.migration))


def versions_of(reads: Reads) -> list[OntologyVersion]:
    """Every version, by number."""
    found = [record for record in reads.records(RecordKind.ONTOLOGY) if isinstance(record, OntologyVersion)]
    return sorted(found, key=lambda version: version.number)


def parsed(version: OntologyVersion) -> Ontology:
    """The ontology of a version's text."""
    return ontology_of_text(version.text, f"ontology version {version.number}")


def problems_of(versions: Sequence[OntologyVersion], version: OntologyVersion) -> list[Problem]:
    """What keeps a draft from being submitted and locked: ids that vanish or return, steps that do not fit."""
    earlier = [parsed(item) for item in versions if item.state is OntologyState.LOCKED]
    ontology = parsed(version)
    problems = history_problems(ontology, earlier)
    if earlier:
        problems += migration_problems(decode_migration(version.migration), earlier[-1], ontology)
    return problems


def _plans(tx: Transaction, old: CompiledOntology, new: CompiledOntology, migration: Migration) -> Iterable[SamplePlan]:
    planner = Planner(old, new, migration)
    # The ids first: what follows writes while it reads.
    for sample in [sample.id for sample in tx.samples()]:
        yield planner.plan(tx, sample)


def _carry_out(tx: Transaction, plan: SamplePlan, number: int) -> None:
    tx.put_many(plan.rewrites)
    tx.put_many(
        QueueItem(
            id=RecordId(tx.new_id()),
            sample=plan.sample,
            target_kind=decision.target_kind,
            target=decision.target,
            question=decision.question,
            options=decision.options,
            aspect=decision.aspect,
            ontology_number=number,
        )
        for decision in plan.decisions
    )


def _text_by_steps(current: OntologyVersion | None, steps: tuple[Step, ...], number: int, note: str) -> str:
    if current is None or not steps:
        raise UserError("give the text of the ontology, or the steps that change the version in force")
    changed = with_steps(parsed(current), steps, version=number, reason=note)
    return dump_yaml(ontology_to_plain(changed))


def _read_edited(text: str, current: OntologyVersion | None, number: int) -> Ontology:
    """The ontology of an edited text. A text edited from an older version would take back what came after it."""
    ontology = ontology_of_text(text, "ontology.yaml")
    if current is not None and ontology.version not in (current.number, number):
        raise UserError(
            f"this text was edited from version {ontology.version}, but version {current.number} is in force; "
            f"make the change in that text, or set 'version: {current.number}' if it holds everything"
        )
    return ontology


def _numbered(text: str, ontology: Ontology, number: int) -> str:
    """The text as it was written, with its own number; rewritten whole only where that is not enough."""
    numbered = with_version(text.removeprefix("\ufeff"), number)
    wanted = replace(ontology, version=number)
    try:
        if ontology_of_text(numbered, "ontology.yaml") == wanted:
            return numbered
    except DataError:
        # A text in flow style or with a quoted key has no line that could be replaced.
        return dump_yaml(ontology_to_plain(wanted))
    return dump_yaml(ontology_to_plain(wanted))


def _migration(steps: tuple[Step, ...], current: OntologyVersion | None, ontology: Ontology) -> Migration:
    return Migration() if current is None else complete_migration(steps, parsed(current), ontology)


def _in_force(versions: Iterable[OntologyVersion]) -> OntologyVersion | None:
    locked = [version for version in versions if version.state is OntologyState.LOCKED]
    return max(locked, key=lambda version: version.number, default=None)


def _parent_of(versions: Iterable[OntologyVersion], version: OntologyVersion) -> Ontology | None:
    return next((parsed(item) for item in versions if item.number == version.parent), None)


def _outdated(versions: Sequence[OntologyVersion], version: OntologyVersion) -> list[Problem]:
    current = _in_force(versions)
    if version.parent == (current.number if current else None):
        return []
    newest = current.number if current else 0
    return [Problem("", f"version {newest} was locked since; draft the change again on top of it")]


def _version(versions: Iterable[OntologyVersion], number: int) -> OntologyVersion:
    found = next((version for version in versions if version.number == number), None)
    if found is None:
        raise UserError(f"there is no ontology version {number}")
    return found


def _expect(versions: Iterable[OntologyVersion], number: int, state: OntologyState) -> OntologyVersion:
    version = _version(versions, number)
    if version.state is not state:
        raise UserError(f"ontology version {number} is {_words(version.state)}, not {_words(state)}")
    return version


def _words(state: OntologyState) -> str:
    return state.value.replace("_", " ")


def _refuse(problems: Iterable[Problem]) -> None:
    found = tuple(map(str, problems))
    if found:
        raise Refused(found)


def _moment_of(new_id: str) -> int:
    """Unix milliseconds from a new id: ids carry the time of the same clock as the revision."""
    return int(new_id, 32) >> 80
