"""A project's own checks and saved searches: sentences in the words of its ontology (``core/statement.py``)."""

from __future__ import annotations

from msgspec.structs import replace

from workstation.commands.reading import ontology_of
from workstation.commands.registry import command
from workstation.commands.settings import project_of
from workstation.commands.transaction import Transaction
from workstation.core.errors import UserError
from workstation.core.ontology import ErrorType, Severity
from workstation.core.rights import Right
from workstation.core.sample import OwnRule, SavedSearch, SearchUse
from workstation.core.statement import Mode, Statement, parse


@command("rule.set", title="Write own check", right=Right.CHANGE_SETTINGS)
def set_rule(
    tx: Transaction,
    *,
    rule: str,
    says: str | None = None,
    severity: Severity | None = None,
    error_type: ErrorType | None = None,
    on: bool | None = None,
    note: str | None = None,
) -> None:
    """Write a check of the project's own, change it, or switch it on or off; what is not mentioned stays.

    rule: its name among the findings, after "own."
    says: the sentence, as "every horn links to a vehicle" or "no pedestrian within 2 m"
    severity: how grave it is when the sentence is broken
    error_type: which of the eight kinds of error that is
    on: whether it is checked
    note: why the project has it
    """
    project = project_of(tx)
    old = next((each for each in project.rules if each.id == rule), None)
    if old is None and says is None:
        raise UserError(f"there is no own check {rule[:60]!r}; give its sentence to write it")
    base = OwnRule(id=rule, says=says or "") if old is None else old
    made = replace(
        base,
        says=base.says if says is None else says,
        severity=base.severity if severity is None else severity,
        error_type=base.error_type if error_type is None else error_type,
        on=base.on if on is None else on,
        note=base.note if note is None else note,
    )
    if _read(tx, made.says).mode is Mode.FIND:
        raise UserError("a check says how it must be: begin with 'every' or 'no'")
    kept = tuple(made if each.id == rule else each for each in project.rules)
    tx.put(replace(project, rules=kept if old is not None else (*project.rules, made)))


@command("rule.remove", title="Remove own check", right=Right.CHANGE_SETTINGS)
def remove_rule(tx: Transaction, *, rule: str) -> None:
    """Remove a check that the project wrote itself.

    rule: its name, without "own."
    """
    project = project_of(tx)
    kept = tuple(each for each in project.rules if each.id != rule)
    if len(kept) == len(project.rules):
        raise UserError(f"there is no own check {rule[:60]!r}")
    tx.put(replace(project, rules=kept))


@command("search.save", title="Save search", right=Right.CHANGE_SETTINGS)
def save_search(tx: Transaction, *, name: str, says: str, use: SearchUse = SearchUse.VIEW) -> None:
    """Keep a search over relations under a name; one of that name is replaced.

    name: what people call it
    says: the sentence, as "horn within 0.5 s of braking while a pedestrian is within 15 m"
    use: view to look at it, sampling to draw samples by it, alert to be told when it finds something
    """
    _read(tx, says)
    project = project_of(tx)
    made = SavedSearch(name=name, says=says, use=use)
    others = tuple(each for each in project.searches if each.name != name)
    tx.put(replace(project, searches=(*others, made)))


@command("search.remove", title="Remove saved search", right=Right.CHANGE_SETTINGS)
def remove_search(tx: Transaction, *, name: str) -> None:
    """Forget a saved search.

    name: what it is called
    """
    project = project_of(tx)
    kept = tuple(each for each in project.searches if each.name != name)
    if len(kept) == len(project.searches):
        raise UserError(f"there is no saved search {name[:60]!r}")
    tx.put(replace(project, searches=kept))


def _read(tx: Transaction, says: str) -> Statement:
    ontology = ontology_of(tx)
    if ontology is None:
        raise UserError("no version of the ontology is locked yet, so a sentence has no words")
    return parse(says, ontology)
