"""Words of a text as the lexicon may hold them, in German, English, Hindi and Arabic: phrases with their usual endings
taken off. For finding what a phrase names; nothing here decides whether a word is right (``qa/rules/words.py`` does).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_LONGEST_PHRASE = 4
_INNER = frozenset("-'’‑\u200c\u200d")
"""Kept inside a word: hyphens, apostrophes, and the joiners of Indic and Persian writing."""
_ENDINGS = {
    "en": ("'s", "’s", "es", "s"),
    "de": ("es", "en", "er", "s", "n", "e"),
    "hi": ("ियों", "ियाँ", "ियां", "ाओं", "ों", "ें", "े", "ी"),
    "ar": ("ات", "ين", "ان", "ون", "ة", "ه"),
}
_BEGINNINGS = {"ar": ("وال", "بال", "كال", "فال", "لل", "ال", "و", "ب", "ل", "ف", "ك")}
_PUT_BACK = {"hi": ("", "ा", "ी"), "ar": ("", "ة"), "en": ("",), "de": ("", "e")}
_SHORTEST = 2


def words_of(text: str) -> list[str]:
    """The words in order. Vowel signs belong to their letters, which a plain pattern of letters would cut apart."""
    found: list[str] = []
    word = ""
    for sign in text:
        if unicodedata.category(sign)[0] in "LMN" or (sign in _INNER and word):
            word += sign
        elif word:
            found.append(word)
            word = ""
    found.append(word)
    return [kept for each in found if (kept := each.rstrip("".join(_INNER)))]


def phrases_of(text: str) -> Iterator[str]:
    """Runs of one to four words, longest first: "police car" goes before "car"."""
    words = words_of(text)
    for length in range(min(_LONGEST_PHRASE, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def forms_of(phrase: str, language: str) -> Iterator[str]:
    """A phrase as it stands, then without the endings and (Arabic) the article and particles of its words."""
    yield phrase
    base = language.partition("-")[0].casefold()
    *before, last = phrase.split(" ")
    seen = {phrase}
    for stem in _without_beginnings(last, base):
        for form in _without_endings(stem, base):
            whole = " ".join((*before, form))
            if whole not in seen:
                seen.add(whole)
                yield whole


def _without_beginnings(word: str, base: str) -> Iterator[str]:
    yield word
    for beginning in _BEGINNINGS.get(base, ()):
        if word.startswith(beginning) and len(word) - len(beginning) >= _SHORTEST:
            yield word[len(beginning) :]


def _without_endings(word: str, base: str) -> Iterator[str]:
    yield word
    folded = word.casefold()
    for ending in _ENDINGS.get(base, ()):
        if folded.endswith(ending) and len(word) - len(ending) >= _SHORTEST:
            stem = word[: -len(ending)]
            for back in _PUT_BACK[base]:
                yield stem + back
