"""What is said, with a time and a probability for each word: pieces of speech through a recogniser, one at a time.

Called by the job that transcribes. Every piece is an answer of its own, so a job can stop after any of them and go on
with the next. The recogniser writes what it hears in the language it hears: it is never asked to translate.

A stretch with more than one language is marked with all of them (``FoundSpan.other_languages``): recognisers tend to
normalise or translate such speech, so it is never accepted in bulk (``takes_bulk``).
"""

from __future__ import annotations

import importlib.util
import math
import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from workstation.core.errors import DataError, UserError
from workstation.prelabel.api import FoundSpan, FoundWord
from workstation.prelabel.speech_sound import RATE_HZ, Piece, Sound, cut

SAID = "speech"
SECOND_LANGUAGE = 0.2
"""From this probability on a second language is taken to be spoken as well."""
_TELLING_S, _LEAST_S = 1.2, 0.6
"""Length of the parts whose language is asked; shorter sounds say nothing about it."""
MISSING = (
    "speech cannot be transcribed here: the package faster-whisper is not installed. "
    "Install the program with its extra: pip install 'workstation-annotation[speech]'"
)
_FILES = ("model.bin", "config.json", "tokenizer.json")
_SCRIPTS = {
    "LATIN": "", "DEVANAGARI": "hi", "CYRILLIC": "ru", "GREEK": "el", "ARABIC": "ar", "HEBREW": "he", "THAI": "th",
    "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh", "BENGALI": "bn", "TAMIL": "ta", "TELUGU": "te",
    "GUJARATI": "gu", "GURMUKHI": "pa", "KANNADA": "kn", "MALAYALAM": "ml", "GEORGIAN": "ka", "ARMENIAN": "hy",
}  # fmt: skip
_OWN_SCRIPT = frozenset(each for each in _SCRIPTS.values() if each) | {"uk", "bg", "sr", "fa", "ur", "mr", "ne"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a recogniser made of one piece; times count from the beginning of the piece."""

    spans: tuple[FoundSpan, ...]
    language: str
    languages: tuple[Mapping[str, float], ...] = ()
    """For each span how probable each language is in it, as far as it was asked."""


class Recogniser(Protocol):
    """Whatever turns speech into words: faster-whisper, an adapter, a stand-in in a test."""

    name: str

    def hear(self, sound: Sound, language: str) -> Heard:
        """One piece, at most half a minute. ``language`` is two letters, or empty to have it guessed."""
        ...


def transcribe(
    recogniser: Recogniser, sound: Sound, pieces: Iterable[Piece], *, language: str = "", after: int = 0
) -> Iterator[tuple[int, list[FoundSpan]]]:
    """The words of each piece from number ``after`` on, in seconds of the whole sound, with how many are done then."""
    for number, piece in enumerate(pieces):
        if number < after:
            continue
        part = cut(sound, piece)
        yield number + 1, [] if not len(part) else _placed(recogniser.hear(part, language), piece)


def takes_bulk(span: FoundSpan) -> bool:
    """Whether many of its kind may be accepted at once: not where two languages are mixed."""
    return not span.other_languages


def _placed(heard: Heard, piece: Piece) -> list[FoundSpan]:
    found = []
    for number, span in enumerate(heard.spans):
        start, end = _within(span.start_s, span.end_s, piece)
        if not span.text.strip() or end <= start:
            continue
        words = tuple(_word(word, piece) for word in span.words if word.text.strip())
        language = span.language or heard.language
        probable = heard.languages[number] if number < len(heard.languages) else {}
        others = mixed_languages(span.text, language, probable)
        placed = replace(span, start_s=start, end_s=end, text=span.text.strip(), words=words, language=language)
        found.append(replace(placed, score=_share(span.score), other_languages=others))
    return found


def _word(word: FoundWord, piece: Piece) -> FoundWord:
    start, end = _within(word.start_s, word.end_s, piece)
    return FoundWord(text=word.text.strip(), start_s=start, end_s=max(start, end), score=_share(word.score))


def _within(start_s: float, end_s: float, piece: Piece) -> tuple[float, float]:
    """Recognisers place words up to a second outside what they were given."""
    if not (math.isfinite(start_s) and math.isfinite(end_s)):
        return piece.start_s, piece.end_s
    held = [min(max(piece.start_s + each, piece.start_s), piece.end_s) for each in (start_s, end_s)]
    return held[0], held[1]


def _share(score: float) -> float:
    return min(max(score, 0.0), 1.0) if math.isfinite(score) else 0.0


def mixed_languages(text: str, language: str, languages: Mapping[str, float]) -> tuple[str, ...]:
    """The languages beside the main one: by how probable the model finds them, and by the scripts of the words."""
    found = [each for each, share in languages.items() if each != language and share >= SECOND_LANGUAGE]
    scripts = dict.fromkeys(_script(word) for word in text.split())
    written = [each for each in scripts if each is not None]
    if len(written) > 1 or (written and written[0] == "" and language in _OWN_SCRIPT):
        latin_is_foreign = language in _OWN_SCRIPT
        for script in written:
            name = script or ("en" if latin_is_foreign else "")
            if name and name != language and not (language in _OWN_SCRIPT and name in _shares_script(language)):
                found.append(name)
    return tuple(dict.fromkeys(found))


def _shares_script(language: str) -> frozenset[str]:
    for alike in ({"ru", "uk", "bg", "sr"}, {"ar", "fa", "ur"}, {"hi", "mr", "ne"}, {"ja", "zh"}):
        if language in alike:
            return frozenset(alike)
    return frozenset({language})


def _script(word: str) -> str | None:
    """Which language's script a word is written in: "" for Latin, ``None`` where it has no letter we know."""
    for letter in word:
        if letter.isalpha():
            known = _SCRIPTS.get(unicodedata.name(letter, "").partition(" ")[0].partition("-")[0])
            if known is not None:
                return known
    return None


def has_whisper() -> bool:
    """Whether the package that runs Whisper models is installed."""
    return importlib.util.find_spec("faster_whisper") is not None


class Whisper:
    """A Whisper model in CTranslate2's form, through faster-whisper; nothing is fetched, ever."""

    def __init__(self, model: Any, name: str, *, beam: int = 5) -> None:
        self.name = name
        self._model = model
        self._beam = beam

    def hear(self, sound: Sound, language: str) -> Heard:
        """One piece of speech."""
        own = bool(getattr(self._model, "model", self._model).is_multilingual)
        said, info = self._model.transcribe(
            np.ascontiguousarray(sound, np.float32),
            language=(language or None) if own else "en",
            task="transcribe",
            beam_size=self._beam,
            word_timestamps=True,
            condition_on_previous_text=False,  # each piece for itself: what comes out depends on no pause of the job
            vad_filter=False,
        )
        spans = tuple(_whisper_span(each) for each in said)
        probable = tuple(self._languages(sound, each) for each in spans) if own else ()
        return Heard(spans=spans, language=str(info.language or ""), languages=probable)

    def _languages(self, sound: Sound, span: FoundSpan) -> Mapping[str, float]:
        """Asked of parts of a second or two: in a longer stretch the main language hides four words in another one.

        Which other language it is may be wrong for so short a sound; that it is another is what matters.
        """
        found: dict[str, float] = {}
        edges = np.linspace(span.start_s, span.end_s, max(1, round((span.end_s - span.start_s) / _TELLING_S)) + 1)
        for start, end in pairwise(edges.tolist()):
            part = cut(sound, Piece(start, end))
            if len(part) >= _LEAST_S * RATE_HZ:
                said = self._model.detect_language(audio=np.ascontiguousarray(part, np.float32))[2]
                found.update((name, max(share, found.get(name, 0.0))) for name, share in said)
        return found


def _whisper_span(segment: Any) -> FoundSpan:
    words = tuple(
        FoundWord(text=str(each.word), start_s=float(each.start), end_s=float(each.end), score=float(each.probability))
        for each in segment.words or ()
    )
    score = float(np.mean([each.score for each in words])) if words else math.exp(min(0.0, float(segment.avg_logprob)))
    return FoundSpan(
        start_s=float(segment.start), end_s=float(segment.end), label=SAID, score=score, text=str(segment.text),
        words=words,
    )  # fmt: skip


def open_whisper(folder: Path, *, name: str = "", device: str = "cpu", threads: int = 1, beam: int = 5) -> Whisper:
    """The model in a folder. Raises ``UserError`` where the package or a file is missing."""
    if not has_whisper():
        raise UserError(MISSING)
    missing = [each for each in _FILES if not (folder / each).is_file()]
    if missing:
        raise DataError(f"is no Whisper model in CTranslate2's form: there is no {missing[0]}", path=folder)
    os.environ["HF_HUB_OFFLINE"] = "1"  # its hub client must not even try
    package = importlib.import_module("faster_whisper")
    kind = "float16" if device == "cuda" else "int8"
    try:
        model = package.WhisperModel(
            str(folder), device=device, compute_type=kind, cpu_threads=threads, local_files_only=True
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(f"cannot be opened as a Whisper model: {error}", path=folder) from error
    return Whisper(model, name or folder.name, beam=beam)
