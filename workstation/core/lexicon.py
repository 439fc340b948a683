"""Words and classes: what a word in a text means beside a label, and which classes a foreign value may stand for.

Called through ``CompiledOntology``. Nothing here decides for a person: matching gives candidates with their reason.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from workstation.core.ontology import (
    ClassRelation,
    Ontology,
    Word,
    WordPolicy,
    WordRelation,
    parents_of,
    relation_between,
)

_GAPS = re.compile(r"[\s_\-‐‑‒–]+")
_MILDEST_FIRST = (WordPolicy.SAME, WordPolicy.ALLOWED, WordPolicy.WARN, WordPolicy.CONFLICT)
_BY_CLASS = {
    ClassRelation.SAME: WordPolicy.SAME,
    ClassRelation.COARSER: WordPolicy.WARN,
    ClassRelation.FINER: WordPolicy.ALLOWED,
    ClassRelation.CONFLICT: WordPolicy.CONFLICT,
}
_NEAR = 0.8


class MatchReason(StrEnum):
    """Why a class is offered for a foreign value."""

    MAPPING = "mapping"
    ID = "id"
    NAME = "name"
    SYNONYM = "synonym"
    NARROWER = "narrower"
    BROADER = "broader"
    SPELLING = "spelling"


class Candidate(msgspec.Struct, frozen=True):
    """A class that a foreign value may stand for. ``retired`` ones are shown but cannot be chosen."""

    class_id: str
    reason: MatchReason
    matched: str
    retired: bool = False


_REASONS = {
    WordRelation.SYNONYMS: MatchReason.SYNONYM,
    WordRelation.NARROWER: MatchReason.NARROWER,
    WordRelation.BROADER: MatchReason.BROADER,
}


def folded(text: str) -> str:
    """The form in which words are compared: case, width, blanks, hyphens and underscores make no difference."""
    return _GAPS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


class Lexicon:
    """The words of one ontology version, indexed by language and by word."""

    def __init__(self, ontology: Ontology) -> None:
        self._ontology = ontology
        self._parents = parents_of(ontology)
        self._retired = {cls.id for cls in ontology.classes if cls.retired is not None}
        self._listed: dict[tuple[str, str], list[Word]] = {}
        for word in ontology.lexicon:
            self._listed.setdefault((word.language, folded(word.word)), []).append(word)
        for cls in ontology.classes:
            for language, name in cls.names.items():
                self._add_name(cls.id, language, name)
        self._by_word = self._words_in_any_language()

    def _add_name(self, class_id: str, language: str, name: str) -> None:
        """A class's name counts as a synonym, unless the lexicon says something else of the word for that class."""
        words = self._listed.setdefault((language, folded(name)), [])
        if all(word.class_id != class_id for word in words):
            words.append(
                Word(
                    class_id=class_id,
                    language=language,
                    word=name,
                    relation=WordRelation.SYNONYMS,
                    policy=WordPolicy.SAME,
                )
            )

    def _words_in_any_language(self) -> dict[str, list[Word]]:
        found: dict[str, list[Word]] = {}
        for (_, key), words in self._listed.items():
            found.setdefault(key, []).extend(words)
        return found

    def policy(self, class_id: str, word: str, language: str) -> WordPolicy | None:
        """How ``word`` goes with a thing of the class; ``None`` if no entry tells.

        What is listed under the class itself decides. Otherwise the word is judged by the classes it belongs to,
        and the mildest judgement counts, since a word may have several meanings. "en-GB" falls back on "en".
        """
        words = self._listed.get((language, folded(word)))
        if words is None:
            shorter, _, rest = language.rpartition("-")
            return self.policy(class_id, word, shorter) if rest and shorter else None
        own = [entry.policy for entry in words if entry.class_id == class_id]
        if own:
            return own[0]
        judged = {self._judged(class_id, entry) for entry in words}
        return next((policy for policy in _MILDEST_FIRST if policy in judged), None)

    def _judged(self, class_id: str, entry: Word) -> WordPolicy | None:
        relation = relation_between(entry.class_id, class_id, self._parents)
        if entry.relation is WordRelation.SYNONYMS:
            return _BY_CLASS[relation]
        if entry.relation is WordRelation.BROADER:
            # A word broader than a class above is broader still; of a class below or beside it says nothing.
            return WordPolicy.WARN if relation is ClassRelation.COARSER else None
        if entry.relation is WordRelation.NARROWER:
            if relation is ClassRelation.FINER:
                return WordPolicy.ALLOWED
            return WordPolicy.CONFLICT if relation is ClassRelation.CONFLICT else None
        return None

    def candidates(self, raw: str, origin: str = "") -> tuple[Candidate, ...]:
        """The classes that ``raw`` may mean, best reason first, each class once. Empty: nothing comes near."""
        found: dict[str, Candidate] = {}

        def offer(class_id: str, reason: MatchReason, matched: str) -> None:
            found.setdefault(class_id, Candidate(class_id, reason, matched, class_id in self._retired))

        for class_id in self._mapped(raw, origin):
            offer(class_id, MatchReason.MAPPING, raw)
        key = folded(raw)
        by_folded_id = {folded(class_id): class_id for class_id in self._parents}
        if key in by_folded_id:
            offer(by_folded_id[key], MatchReason.ID, by_folded_id[key])
        for relation, reason in _REASONS.items():
            for word in self._by_word.get(key, ()):
                if word.relation is relation:
                    named = relation is WordRelation.SYNONYMS and self._is_name(word)
                    offer(word.class_id, MatchReason.NAME if named else reason, word.word)
        if not found:
            known: Mapping[str, object] = {**by_folded_id, **self._by_word}
            for near in difflib.get_close_matches(key[:100], known, n=5, cutoff=_NEAR):
                if near in by_folded_id:
                    offer(by_folded_id[near], MatchReason.SPELLING, by_folded_id[near])
                for word in self._by_word.get(near, ()):
                    offer(word.class_id, MatchReason.SPELLING, word.word)
        return tuple(found.values())

    def _mapped(self, raw: str, origin: str) -> tuple[str, ...]:
        table = self._ontology.mappings.get(origin, {})
        if raw in table:
            return table[raw]
        return next((ids for value, ids in table.items() if folded(value) == folded(raw)), ())

    def _is_name(self, word: Word) -> bool:
        cls = next(cls for cls in self._ontology.classes if cls.id == word.class_id)
        return cls.names.get(word.language) == word.word
