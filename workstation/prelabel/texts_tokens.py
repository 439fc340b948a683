"""Text into the numbers that graphs of the BERT kind read, with where each piece stands in the text.

WordPiece is read here out of a ``tokenizer.json``; other kinds go through the package ``tokenizers`` where it is
installed. Asked by ``texts_similar``, ``texts_entities`` and ``image_text``.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError, UserError

_MOST_BYTES = 64 << 20
_LONGEST_WORD = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The pieces of one text: their numbers, and from where to before where in code points; (0, 0) for added ones."""

    ids: tuple[int, ...]
    places: tuple[tuple[int, int], ...]


class Tokenizes(Protocol):
    """Whoever cuts texts into pieces."""

    @property
    def pad(self) -> int:
        """What fills up the shorter texts of a batch."""
        ...

    def tokens(self, text: str, most: int) -> Tokens:
        """At most ``most`` pieces, those added at both ends among them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WordPiece:
    """BERT's own: words at spaces and signs, then the longest known pieces from the left."""

    vocabulary: Mapping[str, int]
    lowercase: bool
    strip_accents: bool
    unknown: str = "[UNK]"
    first: str = "[CLS]"
    last: str = "[SEP]"
    prefix: str = "##"
    pad: int = 0

    def tokens(self, text: str, most: int) -> Tokens:
        """The pieces with those of both ends."""
        ids, places = [self.vocabulary[self.first]], [(0, 0)]
        for letters, where in _words(text, lowercase=self.lowercase, strip_accents=self.strip_accents):
            if len(ids) >= most - 1:
                break
            for number, start, end in self._pieces(letters):
                ids.append(number)
                places.append((where[start], where[end - 1] + 1))
        ids, places = ids[: most - 1], places[: most - 1]
        return Tokens(ids=(*ids, self.vocabulary[self.last]), places=(*places, (0, 0)))

    def _pieces(self, word: str) -> list[tuple[int, int, int]]:
        unknown = [(self.vocabulary[self.unknown], 0, len(word))]
        if len(word) > _LONGEST_WORD:
            return unknown
        found, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = word[start:end] if start == 0 else self.prefix + word[start:end]
                if (number := self.vocabulary.get(piece)) is not None:
                    found.append((number, start, end))
                    start = end
                    break
            else:
                return unknown
        return found


def _words(text: str, *, lowercase: bool, strip_accents: bool) -> Iterator[tuple[str, list[int]]]:
    """Words and single signs as the vocabulary spells them, with the place in the text of each letter."""
    letters: list[str] = []
    where: list[int] = []
    for place, sign in enumerate(text):
        if _dropped(sign):
            continue
        if sign.isspace() or _stands_alone(sign):
            if letters:
                yield "".join(letters), where
                letters, where = [], []
            if _stands_alone(sign):
                yield sign, [place]
            continue
        for each in _spelt(sign, lowercase=lowercase, strip_accents=strip_accents):
            letters.append(each)
            where.append(place)
    if letters:
        yield "".join(letters), where


def _spelt(sign: str, *, lowercase: bool, strip_accents: bool) -> str:
    if strip_accents:
        sign = "".join(each for each in unicodedata.normalize("NFD", sign) if unicodedata.category(each) != "Mn")
    return sign.lower() if lowercase else sign


def _dropped(sign: str) -> bool:
    """Control characters and marks of direction: as if they were not there."""
    return sign == "\ufffd" or (unicodedata.category(sign) in ("Cc", "Cf") and not sign.isspace())


def _stands_alone(sign: str) -> bool:
    code = ord(sign)
    if 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126:
        return True
    return unicodedata.category(sign).startswith("P") or 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF


def read_tokenizer(path: Path) -> Tokenizes:
    """The tokenizer of a ``tokenizer.json``. ``UserError`` says what is missing for one that is not WordPiece."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError("is larger than a tokenizer ever is", path=path)
        said = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as problem:
        raise DataError(f"cannot be read as a tokenizer: {problem}", path=path) from problem
    model = said.get("model") if isinstance(said, dict) else None
    kind = model.get("type") if isinstance(model, dict) else None
    if not isinstance(model, dict) or kind is None:
        raise DataError("names no model, so it is no tokenizer.json", path=path, place="model.type")
    if kind == "WordPiece":
        return _word_piece(said, model, path)
    return _by_package(path, str(kind))


def _word_piece(said: Mapping[str, Any], model: Mapping[str, Any], path: Path) -> WordPiece:
    listed = model.get("vocab")
    if not isinstance(listed, dict) or not all(isinstance(each, int) and each >= 0 for each in listed.values()):
        raise DataError("needs pieces with their numbers", path=path, place="model.vocab")
    unknown = str(model.get("unk_token", "[UNK]"))
    missing = [each for each in (unknown, "[CLS]", "[SEP]") if each not in listed]
    if missing:
        raise DataError(f"lacks the piece {missing[0]}", path=path, place="model.vocab")
    normal = said.get("normalizer")
    normal = normal if isinstance(normal, dict) else {}
    lowercase = bool(normal.get("lowercase", False))
    strip = normal.get("strip_accents")
    return WordPiece(
        vocabulary=listed,
        lowercase=lowercase,
        strip_accents=lowercase if strip is None else bool(strip),
        unknown=unknown,
        prefix=str(model.get("continuing_subword_prefix", "##")),
        pad=listed.get("[PAD]", 0),
    )


class _Package:
    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        tokenizer.no_padding()
        self.pad = int(next((number for each in ("<pad>", "[PAD]", "<|endoftext|>")
                             if (number := tokenizer.token_to_id(each)) is not None), 0))  # fmt: skip

    def tokens(self, text: str, most: int) -> Tokens:
        self._tokenizer.enable_truncation(most)
        made = self._tokenizer.encode(text)
        return Tokens(ids=tuple(made.ids), places=tuple((int(a), int(b)) for a, b in made.offsets))


def _by_package(path: Path, kind: str) -> Tokenizes:
    if importlib.util.find_spec("tokenizers") is None:
        raise UserError(
            f"{path.name} is a tokenizer of the kind {kind[:40]}, which needs the package tokenizers: "
            "pip install 'workstation-annotation[texts]'"
        )
    try:
        return _Package(importlib.import_module("tokenizers").Tokenizer.from_file(str(path)))
    except Exception as problem:  # the package raises bare Exception for every file it cannot read
        raise DataError(f"cannot be read as a tokenizer: {problem}", path=path) from problem


def padded(
    tokenizer: Tokenizes, texts: Sequence[str], most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[Tokens]]:
    """Numbers and mask (texts, longest) of a batch, and the tokens of each."""
    made = [tokenizer.tokens(text, most) for text in texts]
    longest = max((len(each.ids) for each in made), default=0)
    ids = np.full((len(made), longest), tokenizer.pad, np.int64)
    mask = np.zeros((len(made), longest), np.int64)
    for row, each in enumerate(made):
        ids[row, : len(each.ids)] = each.ids
        mask[row, : len(each.ids)] = 1
    return ids, mask, made
