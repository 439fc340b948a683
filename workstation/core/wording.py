"""What a sentence says in the words of the ontology: classes it names, options (colours, predicates), lengths, sides.

No model and no grammar: the words of the lexicon and the names of options, in the text's language, with the regular
endings of English and German taken off. What the lexicon does not know is not understood, and nothing is said of it.
Called by the rules about texts (``qa/rules``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from workstation.core.lexicon import folded
from workstation.core.ontology import ClassRelation, WordPolicy, WordRelation
from workstation.core.ontology_compile import CompiledOntology

T = TypeVar("T")
WORD = re.compile(r"[^\W_]+(?:['’\-‑][^\W_]+)*")
_LONGEST_PHRASE = 4
_LONGEST_KEPT, _MOST_KEPT = 200, 10_000
"""Texts of so many letters are kept with what they name, so many of them."""
_ENDINGS = {
    "en": (("ies", "y"), ("es", ""), ("es", "e"), ("s", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e")),
    "de": (("en", ""), ("n", ""), ("e", ""), ("er", ""), ("es", ""), ("s", ""), ("em", "")),
}
_NEGATIONS = {
    "en": frozenset({"no", "not", "without", "never", "neither", "nor", "isn't", "aren't", "nothing"}),
    "de": frozenset({"kein", "keine", "keinen", "keinem", "keiner", "ohne", "nicht", "weder", "noch", "nichts"}),
}
_NEGATION_REACH = 3
"""A negation counts for so many words after it: "no red cup"."""
_LENGTH = re.compile(r"(\d+(?:[.,]\d+)?)\s*(mm|cm|m|millimet(?:er|re)s?|centimet(?:er|re)s?)\b", re.IGNORECASE)
_MM = {"mm": 1.0, "mi": 1.0, "cm": 10.0, "ce": 10.0, "m": 1000.0}
_SIDES = {
    "en": {"left": "left", "right": "right", "left-sided": "left", "right-sided": "right"},
    "de": {
        **dict.fromkeys(("links", "linke", "linken", "linker", "linkes", "linksseitig"), "left"),
        **dict.fromkeys(("rechts", "rechte", "rechten", "rechter", "rechtes", "rechtsseitig"), "right"),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Words of a text, from character ``start`` to ``end``."""

    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Named(Said):
    """Words that name classes: the class itself, a kind of it (``narrower``), or something above it (``wider``)."""

    itself: tuple[str, ...]
    narrower: tuple[str, ...]
    wider: tuple[str, ...] = ()
    negated: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes whose things the words may mean for sure."""
        return self.itself + self.narrower


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen(Said):
    """Words that name an option of an attribute."""

    option: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Length(Said):
    """A length with its unit."""

    mm: float


class Wording:
    """The words of one ontology, ready to be looked for. Made by whoever judges texts; cheap to keep."""

    def __init__(self, ontology: CompiledOntology) -> None:
        self._ontology = ontology
        self._classes: dict[str, dict[str, dict[str, WordRelation]]] = {}
        for word in ontology.ontology.lexicon:
            if word.relation is not WordRelation.RELATED:
                self._index(word.language, word.word, word.class_id, word.relation)
        for cls in ontology.ontology.classes:
            for language, name in cls.names.items():
                self._index(language, name, cls.id, WordRelation.SYNONYMS)
        self._options: dict[str, dict[str, dict[str, str]]] = {}
        self._named: dict[tuple[str, ...], tuple[Named, ...]] = {}
        self._chosen: dict[tuple[str, ...], tuple[Chosen, ...]] = {}
        """What texts name, since the same phrases are asked about by many rules, edit after edit."""

    def _index(self, language: str, word: str, class_id: str, relation: WordRelation) -> None:
        self._classes.setdefault(language, {}).setdefault(folded(word), {}).setdefault(class_id, relation)

    def classes_in(self, text: str, language: str) -> list[Named]:
        """What a text names, in its order; the longest phrases first where they overlap."""
        found = self._named.get((text, language))
        if found is None:
            found = tuple(self._classes_in(text, language))
            _keep(self._named, (text, language), found)
        return list(found)

    def _classes_in(self, text: str, language: str) -> list[Named]:
        known = self._for(self._classes, language)
        found = []
        for words, hit in _matches(text, known, language):
            found.append(
                Named(
                    start=words[0].start(), end=words[-1].end(), quote=text[words[0].start() : words[-1].end()],
                    itself=_of(hit, WordRelation.SYNONYMS), narrower=_of(hit, WordRelation.NARROWER),
                    wider=_of(hit, WordRelation.BROADER), negated=_negated(text, words[0].start(), language),
                )
            )  # fmt: skip
        return found

    def options_in(self, text: str, language: str, attribute: str) -> list[Chosen]:
        """Which options of an attribute a text names; none where the ontology has no such attribute."""
        found = self._chosen.get((text, language, attribute))
        if found is None:
            found = tuple(self._options_in(text, language, attribute))
            _keep(self._chosen, (text, language, attribute), found)
        return list(found)

    def _options_in(self, text: str, language: str, attribute: str) -> list[Chosen]:
        if attribute not in self._options:
            self._options[attribute] = self._words_of_options(attribute)
        known = self._for(self._options[attribute], language)
        return [
            Chosen(start=words[0].start(), end=words[-1].end(), quote=text[words[0].start() : words[-1].end()],
                   option=option)
            for words, option in _matches(text, known, language)
        ]  # fmt: skip

    def _words_of_options(self, attribute: str) -> dict[str, dict[str, str]]:
        own = self._ontology.ontology.language
        found: dict[str, dict[str, str]] = {}
        for option in getattr(self._ontology.attributes.get(attribute), "options", ()):
            found.setdefault(own, {})[folded(option.id)] = option.id
            for language, name in option.names.items():
                found.setdefault(language, {})[folded(name)] = option.id
        return found

    def _for(self, known: dict[str, dict[str, T]], language: str) -> dict[str, T]:
        """As "en-GB" falls back on "en"; nothing else is guessed."""
        return known.get(language) or known.get(language.partition("-")[0], {})

    def fits(self, named: Named, class_id: str) -> bool:
        """Whether the words may be said of a thing of that class: it, something above or something below."""
        relation = self._ontology.relation
        if any(relation(each, class_id) is not ClassRelation.CONFLICT for each in named.itself):
            return True
        # A kind of household item need not be the kind that was labelled: a book is no cup.
        if any(relation(each, class_id) in (ClassRelation.SAME, ClassRelation.FINER) for each in named.narrower):
            return True
        return any(self.root(each) == self.root(class_id) for each in named.wider)

    def contradicts(self, named: Named, class_id: str, language: str) -> bool:
        """Whether the words name another thing of the same sort: the lexicon says so, or a sibling class is named."""
        siblings = [each for each in named.classes if self.root(each) == self.root(class_id)]
        if not siblings:
            return False
        policy = self._ontology.word_policy(class_id, named.quote, language)
        if policy is not None:
            return policy is WordPolicy.CONFLICT
        relation = self._ontology.relation
        return not self.fits(named, class_id) and all(
            relation(each, class_id) is ClassRelation.CONFLICT for each in siblings
        )

    def is_listed(self, phrase: str, language: str) -> bool:
        """Whether the phrase stands in the lexicon as it is, without an ending taken off."""
        return folded(phrase) in self._for(self._classes, language)

    def root(self, class_id: str) -> str:
        """The topmost class over one; what has no common root is of another sort and never contradicts."""
        return self._ontology.above(class_id)[-1]


def _keep(known: dict[tuple[str, ...], T], key: tuple[str, ...], found: T) -> None:
    if len(known) >= _MOST_KEPT:
        known.clear()
    if len(key[0]) <= _LONGEST_KEPT:
        known[key] = found


def _of(hit: dict[str, WordRelation], wanted: WordRelation) -> tuple[str, ...]:
    return tuple(class_id for class_id, relation in hit.items() if relation is wanted)


def _matches(text: str, known: dict[str, T], language: str) -> Iterator[tuple[list[re.Match[str]], T]]:
    words = list(WORD.finditer(text))
    at = 0
    while at < len(words):
        for length in range(min(_LONGEST_PHRASE, len(words) - at), 0, -1):
            part = words[at : at + length]
            hit = _looked_up(text[part[0].start() : part[-1].end()], known, language)
            if hit is not None:
                yield part, hit
                at += length
                break
        else:
            at += 1


def _looked_up(phrase: str, known: dict[str, T], language: str) -> T | None:
    key = folded(phrase)
    first, gap, rest = key.partition(" ")
    forms = [*forms_of(key, language)]
    if gap:
        forms += [f"{form} {rest}" for form in forms_of(first, language)]  # picks up, laid down
    return next((known[form] for form in forms if form in known), None)


def forms_of(word: str, language: str) -> Iterator[str]:
    """The word, and what it may be without a regular ending of its language."""
    yield word
    for ending, instead in _ENDINGS.get(language.partition("-")[0], ()):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            bare = word[: len(word) - len(ending)]
            yield bare + instead
            if not instead and len(bare) > 3 and bare[-1] == bare[-2]:
                yield bare[:-1]  # gripped, running


def _negated(text: str, at: int, language: str) -> bool:
    """Whether a negation stands in the few words before, in the same clause."""
    clause = re.split(r"[.,;:!?]", text[:at])[-1]
    before = [folded(each.group()) for each in WORD.finditer(clause)][-_NEGATION_REACH:]
    return bool(_NEGATIONS.get(language.partition("-")[0], frozenset()) & set(before))


def lengths_in(text: str) -> list[Length]:
    """The lengths that a text states: "2.3 cm", "23 mm", "2,3 cm"."""
    found = []
    for match in _LENGTH.finditer(text):
        unit = match.group(2).casefold()
        factor = _MM.get(unit) or _MM[unit[:2]]
        found.append(
            Length(start=match.start(), end=match.end(), quote=match.group(),
                   mm=float(match.group(1).replace(",", ".")) * factor)
        )  # fmt: skip
    return found


def sides_in(text: str, language: str) -> list[Chosen]:
    """The sides that a text names: ``left`` and ``right``."""
    known = _SIDES.get(language.partition("-")[0], {})
    return [
        Chosen(start=each.start(), end=each.end(), quote=each.group(), option=known[said])
        for each in WORD.finditer(text)
        if (said := each.group().casefold()) in known
    ]


def content_words(text: str, language: str) -> frozenset[str]:
    """The words of a text in every form they may have, for asking whether two texts share one."""
    return frozenset(form for each in WORD.finditer(text) for form in forms_of(folded(each.group()), language))


def masked(text: str, said: Iterable[Said], sign: str = "_") -> str:
    """The text with some of its words replaced by one sign each, folded and without punctuation: its template."""
    out: list[str] = []
    at = 0
    for each in sorted(said, key=lambda one: one.start):
        if each.start >= at:
            out += [*(word.group() for word in WORD.finditer(text, at, each.start)), sign]
            at = each.end
    out += [word.group() for word in WORD.finditer(text, at)]
    return " ".join(word.casefold() for word in out)
