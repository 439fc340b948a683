"""Checks that a project wrote itself, as rules like those that come with the program. Made anew for every run.

A sentence that cannot be read any more (the ontology has changed) is a rule that could not run.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from workstation.core.findings import Item
from workstation.core.sample import OwnRule, Sample
from workstation.core.snapshot import Snapshot
from workstation.core.statement import Mode, StatementError, parse
from workstation.core.statement_match import Match, Thing, matches
from workstation.qa.findings import LABEL_KINDS, CannotRunError, Fault, Rule
from workstation.qa.remembered import look_up
from workstation.qa.rules.items import ontology_of

SUBJECT = "own"


def own_rules(snapshot: Snapshot) -> tuple[Rule, ...]:
    """Those of the project that are switched on."""
    project = snapshot.project()
    return () if project is None else tuple(own_rule(each) for each in project.rules if each.on)


def own_rule(written: OwnRule) -> Rule:
    """One sentence as a rule; also to try it before it is switched on."""
    return Rule(
        id=f"{SUBJECT}.{written.id}",
        version=1,
        error_type=written.error_type,
        severity=written.severity,
        help=written.note or written.says,
        check=partial(_check, written),
        limit=written.says,
        looks_at=LABEL_KINDS,
    )


def _check(written: OwnRule, snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    try:
        statement = parse(written.says, ontology_of(snapshot))
    except StatementError as error:
        raise CannotRunError(f"{written.says!r}: {error}") from error
    for match in matches(snapshot, sample, statement, partial(look_up, snapshot)):
        things = match.things
        broken = "does not hold for" if statement.mode is Mode.EVERY else "is broken by"
        yield Fault(
            text=f"{written.says!r} {broken} {_name(things[0])}{_when(match)}",
            items=tuple(_item(each) for each in things),
            measured=f"{len(things)} things" if len(things) > 1 else _name(things[0]),
            suggestion=written.note
            or "mend the labels or their links so that the sentence holds, or dismiss with a reason",
            aspect=things[0].key,
        )


def _when(match: Match) -> str:
    return "" if match.instant_ns is None else f" at {match.instant_ns / 1e9:.3f} s"


def _name(thing: Thing) -> str:
    return thing.class_id if thing.entity is None else thing.entity.called()


def _item(thing: Thing) -> Item:
    if thing.entity is not None:
        return Item("entity", thing.entity.id, _name(thing))
    return Item("annotation", thing.labels[0].id, thing.class_id)
