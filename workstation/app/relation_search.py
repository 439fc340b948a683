"""Searching a project by a sentence about relations, and trying a check before it is switched on.

Called by ``workstation find`` and by the window, which show the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workstation.app.validation import OpenEvidence, Validation
from workstation.core.errors import UserError
from workstation.core.evidence import Unmeasured
from workstation.core.findings import Finding
from workstation.core.ontology import ErrorType, Severity
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.sample import OwnRule, Sample, SavedSearch, SearchUse
from workstation.core.statement import Mode, Statement, parse
from workstation.core.statement_match import Match, Thing, matches
from workstation.qa.own import own_rule
from workstation.qa.remembered import RememberedSnapshot
from workstation.store.queries import Reads


@dataclass(frozen=True, slots=True)
class Hit:
    """One match in one sample."""

    sample: Sample
    match: Match


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A sample that could not answer, and why; it counts neither as found nor as empty."""

    sample: Sample
    reason: str


def read_sentence(reads: Reads, text: str) -> Statement:
    """The sentence in the words of the ontology in force."""
    return parse(text, _ontology(reads))


def find(
    reads: Reads,
    statement: Statement,
    evidence: OpenEvidence,
    samples: Sequence[Sample] | None = None,
    look: Callable[[], None] = lambda: None,
) -> Iterator[Hit | Unanswered]:
    """Every match, sample by sample; ``look`` may end it in the middle of one, by raising."""
    if statement.mode is not Mode.FIND:
        raise UserError(
            "a search finds things; a sentence with 'every' or 'no' is a check (workstation validate --try)"
        )
    for sample in reads.samples() if samples is None else samples:
        with evidence(sample) as known:
            try:
                for match in matches(RememberedSnapshot(reads, known), sample, statement, look):
                    yield Hit(sample, match)
            except Unmeasured as reason:
                yield Unanswered(sample, str(reason))


def saved_search(reads: Reads, name: str) -> SavedSearch:
    """A search that was saved in the project."""
    project = reads.project()
    searches = () if project is None else project.searches
    for each in searches:
        if each.name == name:
            return each
    known = ", ".join(repr(each.name) for each in searches) or "none"
    raise UserError(f"there is no saved search {name[:60]!r}; there are {known}")


def drawn(reads: Reads, evidence: OpenEvidence, name: str) -> list[Sample]:
    """The samples that a saved rule of sampling chooses, in their order."""
    saved = saved_search(reads, name)
    if saved.use is not SearchUse.SAMPLING:
        raise UserError(f"the search {name!r} is saved as {saved.use.value}, not as a rule of sampling")
    found: dict[str, Sample] = {}
    for each in find(reads, read_sentence(reads, saved.says), evidence):
        if isinstance(each, Unanswered):
            raise UserError(
                f"sample {each.sample.key}: {each.reason}; so nobody knows whether it belongs to the sample"
            )
        found[each.sample.id] = each.sample
    return list(found.values())


def hit_row(hit: Hit) -> dict[str, Any]:
    """A match as plain values."""
    when = hit.match.when
    return {
        "sample": hit.sample.key,
        "at_s": None if when is None else when.start_ns / 1e9,
        "until_s": None if when is None else when.end_ns / 1e9,
        "things": [thing_row(each) for each in hit.match.things],
    }


def thing_row(thing: Thing) -> dict[str, Any]:
    """What people call a thing, and its record."""
    kind, record = ("entity", thing.entity.id) if thing.entity is not None else ("annotation", thing.labels[0].id)
    return {"kind": kind, "id": record, "name": thing.class_id if thing.entity is None else thing.entity.called()}


def tried(
    reads: Reads,
    says: str,
    evidence: OpenEvidence,
    *,
    sample: Sample | None = None,
    severity: Severity = Severity.WARNING,
    error_type: ErrorType = ErrorType.SEMANTIC,
) -> tuple[list[tuple[Sample | None, list[Finding]]], Validation]:
    """What a check would find if it were on; nothing is kept."""
    if read_sentence(reads, says).mode is Mode.FIND:
        raise UserError("a check says how it must be: begin with 'every' or 'no'")
    written = OwnRule(id="trial", says=says, severity=severity, error_type=error_type, on=True)
    run = Validation(reads, sample=sample, evidence=evidence, rules=[own_rule(written)])
    return list(run.findings()), run


def _ontology(reads: Reads) -> CompiledOntology:
    found = reads.ontology()
    if found is None:
        raise UserError("no version of the ontology is locked yet, so there are no words to search by")
    return found
