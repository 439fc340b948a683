"""The type module of checks: what a rule is, what it says, and the register of rules. Plug-ins speak this language.

A rule is a plain function ``(snapshot, sample)`` under ``@rule`` that yields a ``Fault`` for each thing it finds; the
runner makes findings of them, with the rule's own data, so that no rule repeats it. Rules of one subject share a
module in ``rules/``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from workstation.core.errors import UserError
from workstation.core.findings import Finding, FindingState, Item, Measure, fingerprint_of
from workstation.core.ontology import ErrorType, Severity
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot


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
) -> Callable[[Check], Check]:
    """Mark a function as a rule; its docstring is its help. ``version`` grows whenever it may judge differently."""

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
        )
        check.__rule__ = made  # type: ignore[attr-defined]
        return check

    return mark


@cache
def load_rules() -> tuple[Rule, ...]:
    """Every rule that comes with the program, by subject: a new module in ``rules/`` is found by itself."""
    package = importlib.import_module("workstation.qa.rules")
    found: dict[str, Rule] = {}
    for module_info in sorted(pkgutil.iter_modules(package.__path__), key=lambda each: each.name):
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
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
    "CannotRunError",
    "Check",
    "Fault",
    "Finding",
    "FindingState",
    "Item",
    "Rule",
    "choose_rules",
    "load_rules",
    "rule",
]
