"""How well the checks see what was planted: recall and precision by type of error. Called by ``validate --score``.

A planted error is found when a finding of its type names one of its records. A finding that names nothing that was
planted, and was not there before, is false. Errors near their limit are counted apart: there noise decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

from workstation.core.errors import DataError
from workstation.core.findings import Finding
from workstation.inject.plan import Plan, Planted, decoded

_Z = 1.96


@dataclass(slots=True)
class Tally:
    """Of one type of error (or one kind)."""

    planted: int = 0
    found: int = 0
    otherwise: int = 0
    """Found, but named as another type of error."""
    silent: int = 0
    """Planted below the limit, where nothing may be said."""
    spoke: int = 0
    near: int = 0
    near_found: int = 0
    true: int = 0
    false: int = 0
    missed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """By type of error and by kind, and the false findings themselves."""

    types: Mapping[str, Tally]
    kinds: Mapping[str, Tally]
    false: Sequence[Finding]


def read_plan(path: Path) -> Plan:
    """The plan of a file; ``DataError`` names what is wrong."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"the plan cannot be read: {error.strerror}", path=path) from error
    return decoded(data, path)


def score(plan: Plan, found: Iterable[tuple[str | None, Sequence[Finding]]]) -> Score:
    """Hold findings (by key of their sample) against the plan."""
    types: defaultdict[str, Tally] = defaultdict(Tally)
    kinds: defaultdict[str, Tally] = defaultdict(Tally)
    by_sample: defaultdict[str, list[Planted]] = defaultdict(list)
    for planted in plan.planted:
        by_sample[planted.sample].append(planted)
    known, false = frozenset(plan.baseline), []
    for key, findings in found:
        fresh = [each for each in findings if each.fingerprint not in known and not each.settled]
        here = by_sample.pop(key or "", [])
        for planted in here:
            _judge(planted, fresh, (types[planted.error_type], kinds[planted.kind]))
        for finding in fresh:
            tally = types[finding.error_type.value]
            if any(each.expected and _concerns(finding, each) for each in here):
                tally.true += 1
            elif not any(each.near and _concerns(finding, each) for each in here):
                tally.false += 1
                false.append(finding)
    for rest in by_sample.values():
        for planted in rest:
            _judge(planted, (), (types[planted.error_type], kinds[planted.kind]))
    return Score(types=dict(types), kinds=dict(kinds), false=false)


def _judge(planted: Planted, findings: Sequence[Finding], tallies: Iterable[Tally]) -> None:
    about = [each for each in findings if _concerns(each, planted)]
    seen = any(each.error_type.value == planted.error_type for each in about)
    for tally in tallies:
        if planted.near:
            tally.near += 1
            tally.near_found += seen
        elif planted.expected:
            tally.planted += 1
            tally.found += seen
            tally.otherwise += bool(about) and not seen
            if not seen:
                tally.missed.append(f"{planted.sample}: {planted.note or planted.kind}")
        else:
            tally.silent += 1
            tally.spoke += bool(about)


def _concerns(finding: Finding, planted: Planted) -> bool:
    named = {item.id for item in finding.items}
    return any(each.id in named for each in planted.items)


def interval(hits: int, of: int) -> tuple[float, float]:
    """Wilson's, at 95 %."""
    if not of:
        return 0.0, 1.0
    share, z2 = hits / of, _Z * _Z
    middle, half = share + z2 / (2 * of), _Z * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, (middle - half) / (1 + z2 / of)), min(1.0, (middle + half) / (1 + z2 / of))


def score_rows(made: Score) -> Iterator[dict[str, Any]]:
    """A row for every type of error, then for every kind, then for all."""
    whole = Tally()
    for name, tally in sorted(made.types.items()):
        for attribute in ("planted", "found", "otherwise", "silent", "spoke", "near", "near_found", "true", "false"):
            setattr(whole, attribute, getattr(whole, attribute) + getattr(tally, attribute))
        yield _row("type", name, tally, precise=True)
    for name, tally in sorted(made.kinds.items()):
        yield _row("kind", name, tally, precise=False)
    yield _row("all", "all", whole, precise=True)


def _row(scope: str, name: str, tally: Tally, *, precise: bool) -> dict[str, Any]:
    said = tally.true + tally.false
    return {
        "scope": scope, "name": name, "planted": tally.planted, "found": tally.found,
        "named_otherwise": tally.otherwise, "recall": _share(tally.found, tally.planted),
        "recall_interval": _bounds(tally.found, tally.planted),
        "true_findings": tally.true if precise else None, "false_findings": tally.false if precise else None,
        "precision": _share(tally.true, said) if precise else None,
        "precision_interval": _bounds(tally.true, said) if precise else None,
        "below_limit": tally.silent, "spoke_below": tally.spoke,
        "near_limit": tally.near, "near_found": tally.near_found,
    }  # fmt: skip


def _share(hits: int, of: int) -> float | None:
    return round(hits / of, 4) if of else None


def _bounds(hits: int, of: int) -> list[float] | None:
    return [round(each, 4) for each in interval(hits, of)] if of else None
