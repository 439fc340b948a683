"""A sentence about relations (``core/statement.py``) as fields of a form, and back. What fields cannot say stays text.

Used by the panel of searches, so that nobody has to know the words to begin with.
"""

from __future__ import annotations

from dataclasses import dataclass

from workstation.core.ontology_compile import CompiledOntology
from workstation.core.statement import Clause, Mode, Named, Relation, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One way of saying how things stand: its words, and what it needs besides."""

    key: str
    words: str
    relation: Relation
    other: bool = False
    unit: str = ""
    most: float = 0.0
    link: bool = False
    negated: bool = False


CONDITIONS: tuple[Condition, ...] = (
    Condition(key="there", words="is there", relation=Relation.EXISTS),
    Condition(key="links", words="links to", relation=Relation.LINKS, other=True, link=True),
    Condition(key="unlinked", words="is not linked to", relation=Relation.LINKS, other=True, link=True, negated=True),
    Condition(key="near_time", words="within … s of", relation=Relation.NEAR_IN_TIME, other=True, unit="s", most=3600),
    Condition(key="near_car", words="within … m", relation=Relation.NEAR_IN_SPACE, unit="m", most=1000),
    Condition(key="near", words="within … m of", relation=Relation.NEAR_IN_SPACE, other=True, unit="m", most=1000),
    Condition(key="during", words="during", relation=Relation.DURING, other=True),
    Condition(key="overlaps", words="overlaps", relation=Relation.OVERLAPS, other=True),
    Condition(key="before", words="before", relation=Relation.BEFORE, other=True),
    Condition(key="after", words="after", relation=Relation.AFTER, other=True),
    Condition(key="faster", words="faster than", relation=Relation.FASTER, unit="km/h", most=1000),
    Condition(key="slower", words="slower than", relation=Relation.SLOWER, unit="km/h", most=1000),
    Condition(key="longer", words="longer than", relation=Relation.LONGER, unit="s", most=86400),
    Condition(key="shorter", words="shorter than", relation=Relation.SHORTER, unit="s", most=86400),
)
BY_KEY = {each.key: each for each in CONDITIONS}
_KMH = 3.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One clause as fields. ``thing`` and ``other`` are words of the ontology; empty means anything."""

    thing: str = ""
    condition: str = "there"
    other: str = ""
    amount: float = 1.0
    link_type: str = ""

    def words(self) -> str:
        """As it stands in the sentence."""
        chosen, thing = BY_KEY[self.condition], self.thing or "thing"
        other = f"a {self.other}" if self.other else "anything"
        amount = f"{self.amount:g} {chosen.unit}"
        if chosen.relation is Relation.EXISTS:
            return thing
        if chosen.relation is Relation.LINKS:
            verb = "is not linked to" if chosen.negated else "links to"
            return f"{thing} {verb} {other}{f' as {self.link_type}' if self.link_type else ''}"
        if chosen.relation in (Relation.NEAR_IN_TIME, Relation.NEAR_IN_SPACE):
            return f"{thing} within {amount}{f' of {other}' if chosen.other else ''}"
        return f"{thing} {chosen.words} {other if chosen.other else amount}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A sentence as fields: how it is meant, what it is about, and what must hold at the same time."""

    mode: Mode = Mode.FIND
    head: Part = Part()
    beside: Part | None = None

    def sentence(self) -> str:
        """The sentence that the fields say."""
        start = "" if self.mode is Mode.FIND else f"{self.mode.value} "
        beside = "" if self.beside is None else f" while {self.beside.words()}"
        return f"{start}{self.head.words()}{beside}"


def form_of(statement: Statement) -> Form | None:
    """The fields of a sentence; ``None`` if it says more than they can."""
    parts = [_part(each) for each in statement.clauses]
    if len(parts) > 2 or any(each is None for each in parts):
        return None
    head, beside = parts[0], parts[1] if len(parts) > 1 else None
    return None if head is None else Form(mode=statement.mode, head=head, beside=beside)


def _part(clause: Clause) -> Part | None:
    if clause.predicates or _is_narrowed(clause.thing) or (clause.other is not None and _is_narrowed(clause.other)):
        return None
    for each in CONDITIONS:
        same = (each.relation, each.negated, each.other) == (clause.relation, clause.negated, clause.other is not None)
        if same:
            amount = clause.amount * (_KMH if each.unit == "km/h" else 1.0)
            other = "" if clause.other is None else _words(clause.other)
            return Part(
                thing=_words(clause.thing), condition=each.key, other=other, amount=round(amount, 6) or 1.0,
                link_type=clause.link_type,
            )  # fmt: skip
    return None


def _is_narrowed(named: Named) -> bool:
    return bool(named.attributes or named.stream)


def _words(named: Named) -> str:
    return "" if named.classes is None else named.words


def things_to_say(ontology: CompiledOntology) -> list[str]:
    """What a thing may be called in the form: every class in force by its id, by name."""
    return sorted(each.id for each in ontology.classes.values() if each.retired is None)


def links_to_say(ontology: CompiledOntology) -> list[str]:
    """The link types in force that may join two labels."""
    return sorted(each.id for each in ontology.link_types.values() if each.retired is None and not each.absence)
