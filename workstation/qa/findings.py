"""The type module of checks: what a rule is, what it says, and the register of rules. Plug-ins speak this language.

A rule is a plain function ``(snapshot, sample)`` under ``@rule`` that yields a ``Fault`` for each thing it finds; the
runner makes findings of them, with the rule's own data, so that no rule repeats it. Rules of one subject share a
module in ``rules/``.

**What a rule looks at.** While people edit, only what a change touches is checked again (``incremental.py``), and the
rest of the findings stay. A rule that says nothing is run over the whole sample after every change, which is always
right and slow in large samples. A rule that is dear says up to three things:

* ``looks_at``: the kinds of record among labels (``LABEL_KINDS``) and papers (``PAPER_KINDS``) that its findings depend
  on; a change of other ones leaves it alone. A change of the project, the ontology, the sample, a stream or a rig
  always runs it anew; what people decide about findings never does.
* ``sees``: which labels and links it takes from the lists of a sample: shapes on kinds of streams, types of links. Its
  lists then hold no others, and it is left alone where neither they nor what they refer to (the ends of its links
  unless it says ``ends=False``, their entity, a text that is quoted) changed. What it asks for by id is all there,
  and so are entities.
* ``reach=Reach.NEAR``: each finding depends on its *first item* and what is near it alone. The first item is an
  annotation, entity or link; near it are its keyframes and words, its entity with all annotations of that, the links of
  these, and what stands at their other ends with *its* entity and annotations (from a link: its ends, their entities
  and annotations, and the links of those). A text that a span quotes counts as linked to it. Streams, rig, ontology,
  project and evidence may always be asked. Whether a finding is there may not depend on anything else: not on how many
  there are in the sample, not on what lies at the same time.

A law test holds every declaration against full runs after random edits (``tests/qa/test_incremental.py``).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from types import ModuleType
from typing import Any

from workstation.core.errors import UserError
from workstation.core.findings import Finding, FindingState, Fix, Item, Measure, fingerprint_of
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.core.values import dataclass
from workstation.qa.sees import EVERYTHING, NO_LABELS, Sees, shaped


class CannotRunError(UserError):
    """A rule lacks what it needs to judge; the message says what. It then counts as not run, never as passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that a rule found, before it has the rule's name on it.

    ``text`` is a whole sentence without its full stop; ``aspect`` tells several faults of the same items apart.
    """

    text: str
    items: tuple[Item, ...]
    measured: Measure = None
    limit: Measure = None
    suggestion: str = ""
    aspect: str = ""
    fix: Fix | None = None
    """A command that would settle it, where there is one that needs no more to be said. Nobody runs it but a person."""


LABEL_KINDS = frozenset(
    {RecordKind.ENTITY, RecordKind.ANNOTATION, RecordKind.KEYFRAME, RecordKind.WORD, RecordKind.LINK}
)
"""What labels are made of."""
PAPER_KINDS = frozenset({RecordKind.VERDICT, RecordKind.COMMENT, RecordKind.QUEUE_ITEM, RecordKind.PARKED})
"""What is said about labels."""


class Reach(StrEnum):
    """How far a rule looks from the first item of a finding: anywhere in the sample, or at what is near."""

    SAMPLE = "sample"
    NEAR = "near"


Check = Callable[[Snapshot, Any], Iterable[Fault]]
"""``sample`` is a ``Sample``, or ``None`` when a rule of the project is asked about what belongs to no sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A check with what people must know of it. ``per_sample`` and ``per_project`` say what it is asked about."""

    id: str
    version: int
    error_type: ErrorType
    severity: Severity
    help: str
    check: Check
    limit: Measure = None
    unit: str = ""
    per_sample: bool = True
    per_project: bool = False
    looks_at: frozenset[RecordKind] = LABEL_KINDS | PAPER_KINDS
    reach: Reach = Reach.SAMPLE
    sees: Sees = EVERYTHING

    @property
    def subject(self) -> str:
        """The group that the rule belongs to: what stands before the point of its id."""
        return self.id.partition(".")[0]

    def finding(self, fault: Fault, sample: Sample | None) -> Finding:
        """The fault with the rule's name on it."""
        return Finding(
            rule=self.id,
            version=self.version,
            error_type=self.error_type,
            severity=self.severity,
            sample=None if sample is None else sample.id,
            items=fault.items,
            text=fault.text,
            measured=fault.measured,
            limit=self.limit if fault.limit is None else fault.limit,
            unit=self.unit,
            suggestion=fault.suggestion,
            fix=fault.fix,
            fingerprint=fingerprint_of(self.id, fault.items, fault.aspect),
        )


def rule(
    rule_id: str,
    *,
    error_type: ErrorType,
    severity: Severity,
    version: int = 1,
    limit: Measure = None,
    unit: str = "",
    per_sample: bool = True,
    per_project: bool = False,
    looks_at: Iterable[RecordKind] = LABEL_KINDS | PAPER_KINDS,
    reach: Reach = Reach.SAMPLE,
    sees: Sees = EVERYTHING,
) -> Callable[[Check], Check]:
    """Mark a function as a rule; its docstring is its help. ``version`` grows whenever it may judge differently.

    ``looks_at``, ``reach`` and ``sees`` spare work while people edit; the module's text says what they promise.
    """

    def mark(check: Check) -> Check:
        made = Rule(
            id=rule_id,
            version=version,
            error_type=error_type,
            severity=severity,
            help=" ".join((check.__doc__ or "").split()),
            check=check,
            limit=limit,
            unit=unit,
            per_sample=per_sample,
            per_project=per_project,
            looks_at=frozenset(looks_at),
            reach=reach,
            sees=sees,
        )
        check.__rule__ = made  # type: ignore[attr-defined]
        return check

    return mark


def rule_modules() -> Iterator[ModuleType]:
    """The modules of the rules that come with the program, each loaded when it is asked for: all take some tenths of a
    second the first time."""
    package = importlib.import_module("workstation.qa.rules")
    for module_info in sorted(pkgutil.iter_modules(package.__path__), key=lambda each: each.name):
        yield importlib.import_module(f"{package.__name__}.{module_info.name}")


@cache
def load_rules() -> tuple[Rule, ...]:
    """Every rule that comes with the program, by subject: a new module in ``rules/`` is found by itself."""
    found: dict[str, Rule] = {}
    for module in rule_modules():
        for value in vars(module).values():
            made = getattr(value, "__rule__", None)
            if isinstance(made, Rule) and made.check.__module__ == module.__name__:
                if made.id in found:
                    raise ValueError(f"two rules are called {made.id}")
                found[made.id] = made
    return tuple(found.values())


def choose_rules(rules: Sequence[Rule], only: Iterable[str]) -> tuple[Rule, ...]:
    """The rules of these ids and subjects; all of them if none is named."""
    wanted = list(only)
    if not wanted:
        return tuple(rules)
    for name in wanted:
        if all(name not in (each.id, each.subject) for each in rules):
            raise UserError(f"there is no rule or subject {name[:60]!r}; there are {', '.join(_names(rules))}")
    return tuple(each for each in rules if each.id in wanted or each.subject in wanted)


def _names(rules: Sequence[Rule]) -> Iterator[str]:
    yield from dict.fromkeys(each.subject for each in rules)
    yield from (each.id for each in rules)


__all__ = [
    "EVERYTHING",
    "LABEL_KINDS",
    "NO_LABELS",
    "PAPER_KINDS",
    "CannotRunError",
    "Check",
    "Fault",
    "Finding",
    "FindingState",
    "Fix",
    "Item",
    "Reach",
    "Rule",
    "Sees",
    "choose_rules",
    "load_rules",
    "rule",
    "shaped",
]
