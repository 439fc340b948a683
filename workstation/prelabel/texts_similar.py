"""How alike two texts are: vectors from a small sentence model, mean-pooled, compared by their cosine.

Asked by the checks of captions through ``app/likeness.py``, for duplicates and for finding the class that a word means.
Family ``sentence-embedding``: ids, mask and types in, one vector per piece out. A score ranks and flags; it never
confirms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.prelabel.api import BadOutput, Runs
from workstation.prelabel.texts_tokens import Tokenizes, padded

FAMILY = "sentence-embedding"
MOST_TOKENS = 256
_BATCH = 16
_BLOCK = 1024
Vectors = NDArray[np.float32]


class SentenceModel:
    """Texts to unit vectors; each text is looked at once for as long as this lives.

    ``inputs`` are the graph's own with their kinds of numbers: some want no types, some 32 bits.
    """

    def __init__(
        self,
        runs: Runs,
        tokenizer: Tokenizes,
        *,
        most: int = MOST_TOKENS,
        inputs: Mapping[str, str] = MappingProxyType({}),
        kept: int = 20_000,
    ) -> None:
        self._runs, self._tokenizer = runs, tokenizer
        self._most, self._inputs, self._most_kept = most, dict(inputs), kept
        self._known: dict[str, Vectors] = {}

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """(texts, n) unit vectors; zeros for a text without a word in it."""
        told = {text for text in texts if any(letter.isalnum() for letter in text)}
        new = sorted(told - self._known.keys(), key=lambda text: (len(text), text))
        if len(self._known) + len(new) > self._most_kept:
            self._known.clear()
            new = sorted(told, key=lambda text: (len(text), text))
        for start in range(0, len(new), _BATCH):
            some = new[start : start + _BATCH]
            self._known.update(zip(some, self._run(some), strict=True))
        width = next((len(self._known[text]) for text in told), 1)
        found = np.zeros((len(texts), width), np.float32)
        for row, text in enumerate(texts):
            if text in told:
                found[row] = self._known[text]
        return found

    def _run(self, texts: Sequence[str]) -> Vectors:
        ids, mask, _ = padded(self._tokenizer, texts, self._most)
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        if self._inputs:
            feeds = {name: values.astype(self._inputs[name]) for name, values in feeds.items() if name in self._inputs}
        return pooled(self._runs.run(feeds), mask)


def pooled(outputs: Mapping[str, NDArray[Any]], mask: NDArray[np.int64]) -> Vectors:
    """The mean over the pieces of each text, of length one; a graph may have pooled by itself."""
    for name, values in outputs.items():
        if values.ndim == 3 and values.shape[:2] == mask.shape:
            weights = mask[..., None].astype(np.float32)
            vectors = (values.astype(np.float32) * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
        elif values.ndim == 2 and len(values) == len(mask) and values.shape[1] > 1:
            vectors = values.astype(np.float32)
        else:
            continue
        if not np.isfinite(vectors).all():
            raise BadOutput(f"{name} holds what is not a number")
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Vectors = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
        return unit
    shapes = ", ".join(f"{name} {values.shape}" for name, values in outputs.items())
    raise BadOutput(
        f"the graph answers {shapes or 'nothing'}; a sentence model answers (texts, pieces, n) or (texts, n)"
    )


def alike(model: SentenceModel, texts: Sequence[str], others: Sequence[str]) -> NDArray[np.float64]:
    """The cosine of each text with each other one, -1 to 1."""
    vectors = model.vectors([*texts, *others]).astype(np.float64)
    return np.clip(vectors[: len(texts)] @ vectors[len(texts) :].T, -1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two texts, by their numbers, and how alike they are."""

    first: int
    second: int
    score: float


def duplicates(model: SentenceModel, texts: Sequence[str], *, above: float = 0.9) -> list[Duplicate]:
    """Pairs that say nearly the same, the most alike first."""
    vectors = model.vectors(texts).astype(np.float32)
    found: list[Duplicate] = []
    for start in range(0, len(texts), _BLOCK):
        score = vectors[start : start + _BLOCK] @ vectors.T
        for row, column in zip(*np.nonzero(score >= above), strict=True):
            first, second = start + int(row), int(column)
            if first < second:
                found.append(Duplicate(first, second, float(score[row, column])))
    return sorted(found, key=lambda each: (-each.score, each.first, each.second))


@dataclass(frozen=True, slots=True)
class Match:
    """A label that a word may mean."""

    label: str
    score: float


def matching_labels(
    model: SentenceModel, word: str, labels: Mapping[str, Sequence[str]], *, most: int = 5, above: float = 0.3
) -> list[Match]:
    """The labels whose own words are nearest to a word, best first. ``labels`` is label -> its words."""
    named = [(label, text) for label, words in labels.items() for text in words]
    if not named or not word.strip():
        return []
    scores = alike(model, [word], [text for _, text in named])[0]
    best: dict[str, float] = {}
    for (label, _), score in zip(named, scores.tolist(), strict=True):
        best[label] = max(best.get(label, -1.0), score)
    ranked = sorted(best.items(), key=lambda each: (-each[1], each[0]))
    return [Match(label, score) for label, score in ranked[:most] if score >= above]
