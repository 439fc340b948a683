"""Names in texts (persons, places, organisations …) with their code points, from a graph or a spaCy folder.

Called by the job that proposes entities. Family ``token-classification``: ids and mask in, one row of classes per piece
out, classes in the BIO manner. A spaCy folder runs code of its own, so it is opened only after somebody said that they
trust it.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError, UserError
from workstation.prelabel.api import BadOutput, FoundText, Runs
from workstation.prelabel.texts_tokens import Tokenizes, Tokens

FAMILY = "token-classification"
MISSING = (
    "a spaCy folder cannot be used here: the package spacy is not installed "
    "(pip install 'workstation-annotation[texts]')"
)
MOST_TOKENS = 256
_MOST_CODE_POINTS = 900_000
_PART = 1000


class NamesEntities(Protocol):
    """Whoever finds names in a text."""

    name: str

    def entities(self, text: str) -> list[FoundText]:
        """In the order of the text, none overlapping another."""
        ...


class TokenClassifier:
    """A graph that gives each piece of a text a class."""

    def __init__(
        self,
        runs: Runs,
        tokenizer: Tokenizes,
        classes: Sequence[str],
        *,
        name: str,
        inputs: Sequence[str] = (),
        most: int = MOST_TOKENS,
        score: float = 0.5,
    ) -> None:
        if not classes:
            raise DataError(
                "the entity model names no classes; its manifest needs labels, or a config.json with id2label"
            )
        self.name = name
        self._runs, self._tokenizer, self._classes = runs, tokenizer, tuple(classes)
        self._inputs, self._most, self._score = frozenset(inputs), most, score

    def entities(self, text: str) -> list[FoundText]:
        """Long texts go through in parts that end between sentences or words."""
        found: list[FoundText] = []
        for start, part in _parts(text):
            tokens = self._tokenizer.tokens(part, self._most)
            found += [
                FoundText(start=each.start + start, stop=each.stop + start, label=each.label, score=each.score)
                for each in self._named(part, tokens)
            ]
        return found

    def _named(self, text: str, tokens: Tokens) -> Iterator[FoundText]:
        ids = np.array([tokens.ids], np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        if self._inputs:
            feeds = {name: values for name, values in feeds.items() if name in self._inputs}
        shares = _shares(self._runs.run(feeds), len(tokens.ids), len(self._classes))
        return (each for each in joined(text, tokens, shares, self._classes) if each.score >= self._score)


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Cut behind the last full stop, else the last space, of each thousand letters."""
    start = 0
    while start < len(text):
        end = min(len(text), start + _PART)
        if end < len(text):
            near = text[start:end]
            stop = max(near.rfind(". "), near.rfind("\n"), near.rfind("! "), near.rfind("? ")) + 1
            end = start + (stop if stop > _PART // 4 else (near.rfind(" ") + 1 or len(near)))
        if text[start:end].strip():
            yield start, text[start:end]
        start = end


def _shares(outputs: Any, pieces: int, classes: int) -> NDArray[np.float64]:
    wide = [np.asarray(each) for each in outputs.values() if np.shape(each) == (1, pieces, classes)]
    if len(wide) != 1:
        shapes = ", ".join(f"{name} {np.shape(each)}" for name, each in outputs.items())
        raise BadOutput(f"the graph answers {shapes or 'nothing'} instead of one tensor (1, {pieces}, {classes})")
    if not np.isfinite(wide[0]).all():
        raise BadOutput("the classes hold what is not a number")
    raised = np.exp(wide[0][0].astype(np.float64) - wide[0][0].max(axis=1, keepdims=True))
    found: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return found


def joined(text: str, tokens: Tokens, shares: NDArray[np.float64], classes: Sequence[str]) -> list[FoundText]:
    """Pieces of one name together: a word is what its first piece says, I- goes on what B- or I- of its kind began."""
    found: list[FoundText] = []
    open_: tuple[int, int, str, list[float]] | None = None
    previous_end = -1
    for (start, end), row in zip(tokens.places, shares, strict=True):
        if start == end:
            continue
        within_word = start == previous_end and start > 0 and text[start - 1].isalnum() and text[start].isalnum()
        if within_word and open_ is not None and open_[1] == start:
            open_ = (open_[0], end, open_[2], open_[3])
        previous_end = end
        if within_word:
            continue
        best = int(row.argmax())
        begins, kind = _kind(classes[best])
        if open_ is not None and (begins or kind != open_[2]):
            found.append(_closed(open_))
            open_ = None
        if kind:
            first, _, _, scores = open_ or (start, end, kind, [])
            open_ = (first, end, kind, [*scores, float(row[best])])
    if open_ is not None:
        found.append(_closed(open_))
    return found


def _kind(name: str) -> tuple[bool, str]:
    if name in ("O", ""):
        return False, ""
    mark, dash, kind = name.partition("-")
    return (mark in "BSU", kind) if dash and len(mark) == 1 else (False, name)


def _closed(name: tuple[int, int, str, list[float]]) -> FoundText:
    return FoundText(start=name[0], stop=name[1], label=name[2], score=float(np.mean(name[3])))


class SpacyEntities:
    """A spaCy pipeline. It gives no probability, so every name has the score 1 and says so by ``scored``."""

    scored = False

    def __init__(self, pipeline: Any, name: str) -> None:
        self.name = name
        self._pipeline = pipeline

    def entities(self, text: str) -> list[FoundText]:
        """Offsets are code points, as spaCy counts."""
        if len(text) > _MOST_CODE_POINTS:
            raise UserError(
                f"the text has {len(text)} letters; names are looked for in texts of up to {_MOST_CODE_POINTS}"
            )
        found = [
            (*_trimmed(text, int(each.start_char), int(each.end_char)), str(each.label_))
            for each in self._pipeline(text).ents
        ]
        return [
            FoundText(start=start, stop=stop, label=label, score=1.0) for start, stop, label in found if start < stop
        ]


def _trimmed(text: str, start: int, stop: int) -> tuple[int, int]:
    """Without the spaces at both ends: spaCy takes the end of a line for a word, and often for one of the name."""
    part = text[start:stop]
    return start + len(part) - len(part.lstrip()), stop - len(part) + len(part.rstrip())


def open_spacy(folder: Path, *, trusted: bool) -> SpacyEntities:
    """The pipeline in a folder (one with ``config.cfg``). ``trusted``: a person was asked, because it may run code."""
    if not trusted:
        raise UserError(
            f"{folder.name} is a spaCy folder, which may run code when it is opened; "
            "open it only if you trust where it comes from, and say so"
        )
    if importlib.util.find_spec("spacy") is None:
        raise UserError(MISSING)
    if not (folder / "config.cfg").is_file():
        raise DataError("is no spaCy folder: there is no config.cfg", path=folder)
    spacy = importlib.import_module("spacy")
    try:
        # Only what finds names is run: the rest takes most of the time.
        pipeline = spacy.load(folder, exclude=["parser", "lemmatizer", "tagger", "attribute_ruler", "senter"])
    except (OSError, ValueError, KeyError, ImportError) as problem:
        raise DataError(f"cannot be opened as a spaCy folder: {problem}", path=folder) from problem
    if "ner" not in pipeline.pipe_names:
        raise DataError("has no part that finds names (ner)", path=folder)
    return SpacyEntities(pipeline, str(pipeline.meta.get("name", folder.name)))
