"""Sentences about what is labelled: "horn within 0.5 s of braking while a pedestrian is within 15 m". Read, not judged.

One language for searching relations, for a project's own checks and for rules of sampling; the same text works in the
window and on the command line. What a sample answers is worked out by ``statement_match.py``.

    [every | no] THING [CONDITION] {while THING [CONDITION]}

    THING      [a | any] CLASS [with ATTRIBUTE = VALUE] [on STREAM]
    CONDITION  [is | not] within 0.5 s of THING | within 15 m [of THING] | during, overlaps, before, after THING
               | links to THING [as LINK TYPE] | has a link [as LINK TYPE] | PREDICATE THING
               | faster, slower than 10 km/h | longer, shorter than 2 s

Classes are named by id, by name in any language or by a synonym of the lexicon, and count with all classes below.
Predicates are the choices that links of a type have: "cup left of keyboard", "person holding a cup"; the thing stands
in the first role of the link, the other in another.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from workstation.core.errors import UserError
from workstation.core.lexicon import folded
from workstation.core.ontology import WordRelation
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.values import dataclass

LONGEST = 1000
"""Characters of a sentence."""
MOST_CLAUSES = 8
_LONGEST_NAME = 6
_WORDS = re.compile(r"\"[^\"]*\"|\d+(?:[.,]\d+)?|[^\W\d]+/[^\W\d]+|[\w'’\-]+|=|\S")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_ARTICLES = frozenset({"a", "an", "the", "any", "some"})
_FILLERS = frozenset({"is", "are", "does", "that", "which", "and"})
_SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "min": 60.0, "minutes": 60.0}
_METRES = {"m": 1.0, "metre": 1.0, "metres": 1.0, "meter": 1.0, "meters": 1.0, "cm": 0.01, "km": 1000.0}
_SPEEDS = {"m/s": 1.0, "km/h": 1 / 3.6, "mph": 0.44704}


class StatementError(UserError):
    """A sentence that cannot be read; the message says what is wrong where, and what could stand there."""


class Mode(StrEnum):
    """Whether the sentence asks, or says how it must be."""

    FIND = "find"
    EVERY = "every"
    NO = "no"


class Relation(StrEnum):
    """What is said of a thing."""

    EXISTS = "exists"
    NEAR_IN_TIME = "near in time"
    NEAR_IN_SPACE = "near in space"
    DURING = "during"
    OVERLAPS = "overlaps"
    BEFORE = "before"
    AFTER = "after"
    LINKS = "links"
    FASTER = "faster"
    SLOWER = "slower"
    LONGER = "longer"
    SHORTER = "shorter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The things that are meant: of these classes (``None``: any), with these values, on that stream."""

    words: str
    classes: frozenset[str] | None
    attributes: tuple[tuple[str, str], ...] = ()
    stream: str = ""


@dataclass(frozen=True, slots=True)
class Predicate:
    """A choice that links of a type have, said of what stands in their first role."""

    link_type: str
    role: str
    attribute: str
    option: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One thing and what is said of it. ``amount`` is seconds, metres or metres a second."""

    thing: Named
    relation: Relation = Relation.EXISTS
    other: Named | None = None
    amount: float = 0.0
    link_type: str = ""
    predicates: tuple[Predicate, ...] = ()
    """Any of these, where the link must say so."""
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A sentence that was read: the first clause is what it is about, the others must hold at the same time."""

    text: str
    mode: Mode
    clauses: tuple[Clause, ...]

    @property
    def head(self) -> Clause:
        """What it is about."""
        return self.clauses[0]

    @property
    def needs_places(self) -> bool:
        """Whether somebody must know where things are, so poses have to be read."""
        return any(each.relation in _ABOUT_PLACES for each in self.clauses)


_ABOUT_PLACES = frozenset({Relation.NEAR_IN_SPACE, Relation.FASTER, Relation.SLOWER})
_PLAIN = {
    "during": Relation.DURING, "overlaps": Relation.OVERLAPS, "overlap": Relation.OVERLAPS,
    "overlapping": Relation.OVERLAPS, "before": Relation.BEFORE, "after": Relation.AFTER,
}  # fmt: skip
_COMPARED = {
    "faster": (Relation.FASTER, _SPEEDS), "slower": (Relation.SLOWER, _SPEEDS),
    "longer": (Relation.LONGER, _SECONDS), "shorter": (Relation.SHORTER, _SECONDS),
}  # fmt: skip
_LINKING = frozenset({"link", "links", "linked", "linking"})
_OTHER_WORDS = frozenset(
    {"within", "with", "without", "on", "while", "has", "have", "not", "is", "are", "as", "that", "which"}
)
_ENDS_A_NAME = frozenset({*_PLAIN, *_COMPARED, *_LINKING, *_OTHER_WORDS})


def parse(text: str, ontology: CompiledOntology) -> Statement:
    """Read a sentence in the words of an ontology; ``StatementError`` says where it stops making sense."""
    if len(text) > LONGEST:
        raise StatementError(f"a sentence of {len(text)} characters is too long; {LONGEST} at most")
    reading = _Reading(text, ontology)
    if not reading.tokens:
        raise StatementError("say what to look for, such as: horn within 0.5 s of braking")
    mode = Mode.FIND
    if reading.take("every", "each", "all"):
        mode = Mode.EVERY
    elif reading.take("no"):
        mode = Mode.NO
    clauses = [reading.clause()]
    while reading.left:
        if not reading.take("while"):
            raise reading.stuck("'while' and another thing, or the end")
        clauses.append(reading.clause())
        if len(clauses) > MOST_CLAUSES:
            raise StatementError(f"more than {MOST_CLAUSES} parts joined by 'while' are too many")
    if mode is Mode.EVERY and clauses[0].relation is Relation.EXISTS:
        raise StatementError("say what every one of them must be or do, such as: every horn links to a vehicle")
    return Statement(text=text.strip(), mode=mode, clauses=tuple(clauses))


class _Reading:
    """Words left to right."""

    def __init__(self, text: str, ontology: CompiledOntology) -> None:
        self.tokens = [each.group() for each in _WORDS.finditer(text)]
        self._ontology = ontology
        self._classes = _class_names(ontology)
        self._links = _link_names(ontology)
        self._predicates = _predicates(ontology)
        self._at = 0

    @property
    def left(self) -> bool:
        return self._at < len(self.tokens)

    def peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self.tokens[at].casefold() if at < len(self.tokens) else ""

    def take(self, *words: str) -> bool:
        if self.left and self.peek() in words:
            self._at += 1
            return True
        return False

    def skip(self, words: Iterable[str]) -> None:
        while self.left and self.peek() in words:
            self._at += 1

    def stuck(self, wanted: str) -> StatementError:
        before = " ".join(self.tokens[max(0, self._at - 3) : self._at])
        here = f"{self.tokens[self._at]!r}" if self.left else "the end"
        where = f" after {before!r}" if before else ""
        return StatementError(f"{here}{where} is not understood; {wanted} could stand there")

    def clause(self) -> Clause:
        thing = self.thing()
        self.skip(_FILLERS)
        negated = self.take("not")
        self.skip(_FILLERS)
        if self.take("without"):
            self.take("a")
            if not self.take(*_LINKING):
                raise self.stuck("'link'")
            return self._linking(thing, negated=True)
        word = self.peek()
        if word in ("has", "have"):
            self._at += 1
            negated = self.take("no") or negated
            self.skip(_ARTICLES)
            if not self.take(*_LINKING):
                raise self.stuck("'link'")
            return self._linking(thing, negated=negated)
        if word in _LINKING:
            self._at += 1
            return self._linking(thing, negated=negated)
        if word == "within":
            self._at += 1
            return self._within(thing, negated=negated)
        if word in _PLAIN:
            self._at += 1
            return Clause(thing=thing, relation=_PLAIN[word], other=self.thing(), negated=negated)
        if word in _COMPARED:
            self._at += 1
            relation, units = _COMPARED[word]
            self.take("than")
            return Clause(thing=thing, relation=relation, amount=self._amount(units)[0], negated=negated)
        predicates, count = self._predicate()
        if predicates:
            self._at += count
            return Clause(
                thing=thing, relation=Relation.LINKS, other=self.thing(), predicates=predicates, negated=negated
            )  # fmt: skip
        if negated:
            raise self.stuck("what it is not")
        return Clause(thing=thing)

    def _predicate(self) -> tuple[tuple[Predicate, ...], int]:
        """The predicate that stands here, and of how many words it is."""
        for count in range(_LONGEST_NAME, 0, -1):
            said = folded(" ".join(self.tokens[self._at : self._at + count]))
            if self._at + count <= len(self.tokens) and said in self._predicates:
                return self._predicates[said], count
        return (), 0

    def _before_a_class(self) -> bool:
        """Whether "on" and "in" are said of a thing: a class stands behind them, and no stream."""
        ahead = 1
        while self.peek(ahead) in _ARTICLES:
            ahead += 1
        said = [folded(" ".join(self.tokens[self._at + ahead : self._at + ahead + count])) for count in range(1, 4)]
        return any(each in self._classes or _singular(each, self._classes) for each in said)

    def _linking(self, thing: Named, *, negated: bool) -> Clause:
        other = self.thing() if self.take("to", "with") else None
        link_type = ""
        if self.take("as"):
            self.skip(_ARTICLES)
            link_type = self._name(self._links, "a link type")[0]
        return Clause(thing=thing, relation=Relation.LINKS, other=other, link_type=link_type, negated=negated)

    def _within(self, thing: Named, *, negated: bool) -> Clause:
        amount, unit = self._amount({**_SECONDS, **_METRES})
        in_time = unit in _SECONDS
        other = self.thing() if self.take("of", "from") else None
        if in_time and other is None:
            raise self.stuck("'of' and what it is near in time")
        relation = Relation.NEAR_IN_TIME if in_time else Relation.NEAR_IN_SPACE
        return Clause(thing=thing, relation=relation, other=other, amount=amount, negated=negated)

    def _amount(self, units: Mapping[str, float]) -> tuple[float, str]:
        if not self.left or not _NUMBER.fullmatch(self.peek()):
            raise self.stuck("a number")
        value = float(self.peek().replace(",", "."))
        self._at += 1
        unit = self.peek()
        if unit not in units:
            raise self.stuck(f"a unit ({', '.join(dict.fromkeys(units))})")
        self._at += 1
        return value * units[unit], unit

    def thing(self) -> Named:
        self.skip(_ARTICLES)
        start = self._at
        if self.take("thing", "things", "anything", "something"):
            classes = None
        else:
            named = self._name(self._classes, "a class")
            classes = frozenset(below for each in named for below in self._ontology.below(each))
        words = " ".join(self.tokens[start : self._at])
        attributes = []
        while self.take("with"):
            attributes.append(self._value())
            while self.peek() == "," and self._at + 1 < len(self.tokens):
                self._at += 1
                attributes.append(self._value())
        stream = ""
        if self._predicate()[1] and self._before_a_class():
            pass  # "cup on a table", in the words of an ontology that has it
        elif self.take("on", "in"):
            self.skip(_ARTICLES)
            if not self.left:
                raise self.stuck("a stream or a kind of stream")
            stream = self.tokens[self._at].strip('"')
            self._at += 1
        return Named(words=words, classes=classes, attributes=tuple(attributes), stream=stream)

    def _value(self) -> tuple[str, str]:
        known = {folded(each): each for each in self._ontology.attributes}
        known |= {folded(name): each.id for each in self._ontology.attributes.values() for name in each.names.values()}
        name = self._name({key: (value,) for key, value in known.items()}, "an attribute")[0]
        if not self.take("=", "is", "of"):
            raise self.stuck("'=' and a value")
        if not self.left:
            raise self.stuck("a value")
        self._at += 1
        return name, self.tokens[self._at - 1].strip('"')

    def _name(self, names: Mapping[str, tuple[str, ...]], what: str) -> tuple[str, ...]:
        """The longest run of words that is a name."""
        most = 0
        while most < _LONGEST_NAME and self.peek(most) and self.peek(most) not in ("=", ","):
            most += 1
            if most > 1 and self.peek(most - 1) in _ENDS_A_NAME:
                most -= 1
                break
        for count in range(most, 0, -1):
            said = folded(" ".join(self.tokens[self._at : self._at + count]).strip('"'))
            found = names.get(said) or _singular(said, names)
            if found:
                self._at += count
                return found
        said = folded(" ".join(self.tokens[self._at : self._at + max(1, most)]))
        near = difflib.get_close_matches(said, names, 3, 0.6)
        hint = f"{what} such as {', '.join(near)}" if near else what
        raise self.stuck(hint)


def _singular(said: str, names: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """English plurals: cars, buses, bodies."""
    for end, instead in (("ies", "y"), ("es", ""), ("s", "")):
        if said.endswith(end) and (found := names.get(said[: -len(end)] + instead)):
            return found
    return ()


def _class_names(ontology: CompiledOntology) -> dict[str, tuple[str, ...]]:
    """Classes by what people call them; a word of several classes means them all, an id or name only its own."""
    found: dict[str, tuple[str, ...]] = {}
    for word in ontology.ontology.lexicon:
        if word.relation is WordRelation.SYNONYMS:
            key = folded(word.word)
            found[key] = tuple(dict.fromkeys((*found.get(key, ()), word.class_id)))
    for cls in ontology.classes.values():
        for name in cls.names.values():
            found[folded(name)] = (cls.id,)
    for class_id in ontology.classes:
        found[folded(class_id)] = (class_id,)
    return found


def _link_names(ontology: CompiledOntology) -> dict[str, tuple[str, ...]]:
    found = {folded(name): (each.id,) for each in ontology.link_types.values() for name in each.names.values()}
    return {**found, **{folded(each): (each,) for each in ontology.link_types}}


def _predicates(ontology: CompiledOntology) -> dict[str, tuple[Predicate, ...]]:
    """What links may say besides their type, by id and by name in any language: "left_of" is also said "left of"."""
    found: dict[str, tuple[Predicate, ...]] = {}
    for link_type in ontology.link_types.values():
        for name in link_type.attributes if link_type.roles else ():
            attribute = ontology.attributes.get(name)
            for option in () if attribute is None else attribute.options:
                predicate = Predicate(link_type.id, link_type.roles[0].id, name, option.id)
                for said in {folded(each) for each in (option.id, option.id.replace("_", " "), *option.names.values())}:
                    found[said] = (*found.get(said, ()), predicate)
    return found
