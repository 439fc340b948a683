"""What a search found, and the checks and searches that a project keeps, as rows. For the panel of searches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import count

from workstation.app.evidence import media_evidence
from workstation.app.jobs import Job
from workstation.app.relation_search import Hit, Unanswered, find, read_sentence, thing_row, tried
from workstation.app.rows import Cell, Column, Row
from workstation.core.findings import Finding
from workstation.core.records import RecordKind
from workstation.core.sample import OwnRule, Sample, SavedSearch
from workstation.core.statement import Mode
from workstation.store.project import ProjectFolder
from workstation.store.store import Reader

COLUMNS = (
    Column(title="Sample", width=14),
    Column(title="When", width=10, numeric=True, help="Where it begins, in session time"),
    Column(title="What", width=24, stretch=True),
)
OWN_COLUMNS = (
    Column(title="Kept as", width=10),
    Column(title="Sentence", width=30, stretch=True),
    Column(title="Name", width=12, spare=1),
)
_MOST = 2000
"""Rows; whoever finds more asks more closely."""


@dataclass(frozen=True, slots=True)
class Searched:
    """What came of a search: rows, and the samples that could not answer."""

    rows: tuple[Row, ...]
    unanswered: tuple[str, ...]
    more: bool


def searching(
    project: ProjectFolder, open_reader: Callable[[], Reader], text: str, sample: str | None
) -> Callable[[Job], Searched]:
    """The work of a job: a search, or a trial of a check, over all samples or one."""

    def work(job: Job) -> Searched:
        with open_reader() as reads:
            evidence = media_evidence(reads, project)
            statement = read_sentence(reads, text)
            samples = [each for each in reads.samples() if sample in (None, each.id)]
            rows: list[Row] = []
            unanswered: list[str] = []
            for done, one in enumerate(samples):
                job.report(done, len(samples), one.key)
                if statement.mode is Mode.FIND:
                    for hit in find(reads, statement, evidence, [one], job.check):
                        if isinstance(hit, Unanswered):
                            unanswered.append(f"{one.key}: {hit.reason}")
                        else:
                            rows.append(hit_as_row(hit, len(rows)))
                else:
                    found, run = tried(reads, text, evidence, sample=one)
                    unanswered += [f"{one.key}: {each.reason}" for each in run.summary().not_run]
                    rows += [_broken(one, each) for _, findings in found for each in findings]
                if len(rows) > _MOST:
                    break
        return Searched(tuple(rows[:_MOST]), tuple(unanswered), len(rows) > _MOST)

    return work


def hit_as_row(hit: Hit, number: int) -> Row:
    """One match; going there selects what it found."""
    things = [thing_row(each) for each in hit.match.things]
    when = hit.match.instant_ns
    return Row(
        key=f"{hit.sample.id}/{number}",
        cells=(
            Cell(text=hit.sample.key),
            Cell(text="" if when is None else f"{when / 1e9:.3f} s", sort=float(when or 0)),
            Cell(text=", ".join(each["name"] for each in things)),
        ),
        ids=tuple(each["id"] for each in things),
        time_ns=when,
        sample=hit.sample.key,
    )


def _broken(sample: Sample, finding: Finding) -> Row:
    return Row(
        key=finding.fingerprint,
        cells=(Cell(text=sample.key), Cell(), Cell(text=finding.text, tip=finding.text, tone="warning")),
        ids=tuple(each.id for each in finding.items if each.kind != RecordKind.STREAM.value),
        sample=sample.key,
    )


def check_name(given: str, held: Collection[str]) -> str:
    """The name that a check gets from what somebody typed: letters and digits; without any, the first free number."""
    name = "".join(each if each.isascii() and each.isalnum() else "_" for each in given.casefold()).strip("_")
    if not name:
        return next(each for number in count(1) if (each := f"check_{number}") not in held)
    return name if name[0].isalpha() else f"check_{name}"


def kept_rows(rules: Sequence[OwnRule], searches: Sequence[SavedSearch]) -> list[Row]:
    """The checks and searches of the project; keys are ``rule/ID`` and ``search/NAME``."""
    made = [
        Row(
            key=f"rule/{each.id}",
            cells=(
                Cell(text="check, on" if each.on else "check, off", tone="good" if each.on else "quiet"),
                Cell(text=each.says, tip=each.note or each.says),
                Cell(text=each.id),
            ),
            group="rule",
        )
        for each in rules
    ]
    return made + [
        Row(
            key=f"search/{each.name}",
            cells=(Cell(text=each.use.value), Cell(text=each.says, tip=each.says), Cell(text=each.name)),
            group="search",
        )
        for each in searches
    ]
