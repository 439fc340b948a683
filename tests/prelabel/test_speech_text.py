"""Transcripts: what a recogniser said, placed in the whole sound, and where languages are mixed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from speech_stand_ins import RATE, silence

from workstation.core.errors import DataError, UserError
from workstation.prelabel import speech_text
from workstation.prelabel.api import FoundSpan, FoundWord
from workstation.prelabel.speech_sound import Piece
from workstation.prelabel.speech_text import Heard, Whisper, mixed_languages, open_whisper, takes_bulk, transcribe


class Says:
    """Says one word per second of what it hears, and counts."""

    name = "stand-in"

    def __init__(self, *spans: FoundSpan, languages: tuple[dict[str, float], ...] = ()) -> None:
        self.spans, self.languages = spans, languages
        self.heard: list[int] = []

    def hear(self, sound: Any, language: str) -> Heard:
        self.heard.append(len(sound))
        return Heard(spans=self.spans, language=language or "en", languages=self.languages)


def said(text: str = " hello ", start: float = 0.5, end: float = 1.0, score: float = 0.8) -> FoundSpan:
    words = (FoundWord(text=" hello", start_s=start, end_s=end, score=score),)
    return FoundSpan(start_s=start, end_s=end, label="speech", score=score, text=text, words=words)


def test_times_are_those_of_the_whole_sound_and_stay_within_their_piece() -> None:
    pieces = [Piece(2.0, 4.0), Piece(10.0, 12.0)]
    found = list(transcribe(Says(said(), said(start=-1.0, end=9.0)), silence(20), pieces))
    assert [done for done, _ in found] == [1, 2]
    (first, wide), (second, _) = found[0][1], found[1][1]
    assert (first.start_s, first.end_s, first.text, first.words[0].text) == (2.5, 3.0, "hello", "hello")
    assert (wide.start_s, wide.end_s, wide.words[0].end_s) == (2.0, 4.0, 4.0)
    assert second.words[0].start_s == 10.5


def test_a_paused_job_goes_on_after_the_pieces_that_are_done() -> None:
    pieces = [Piece(float(n), n + 1.0) for n in range(5)]
    whole = list(transcribe(Says(said(start=0.0)), silence(5), pieces))
    again = Says(said(start=0.0))
    assert list(transcribe(again, silence(5), pieces, after=3)) == whole[3:]
    assert again.heard == [RATE, RATE]


def test_numbers_that_are_none_and_empty_words_do_no_harm() -> None:
    odd = said(start=float("nan"), end=float("inf"), score=float("nan"))
    ((_, found),) = transcribe(Says(odd, said(text="  ")), silence(3), [Piece(1.0, 3.0)])
    assert [(each.start_s, each.end_s, each.score, each.words[0].score) for each in found] == [(1.0, 3.0, 0.0, 0.0)]
    assert list(transcribe(Says(said()), silence(1), [Piece(5.0, 6.0)])) == [(1, [])]


def test_a_sentence_in_two_languages_is_marked_and_takes_no_bulk() -> None:
    mixed = Says(said(), said(start=1.2, end=1.6), languages=({"en": 0.6, "hi": 0.3}, {"en": 0.97, "hi": 0.02}))
    ((_, (one, other)),) = transcribe(mixed, silence(3), [Piece(0.0, 3.0)])
    assert (one.language, one.other_languages, takes_bulk(one)) == ("en", ("hi",), False)
    assert (other.other_languages, takes_bulk(other)) == ((), True)


@pytest.mark.parametrize(
    ("text", "language", "others"),
    [
        ("the red car", "en", ()),
        ("मैं कल office जाऊंगा", "hi", ("en",)),
        ("I said अच्छा and left", "en", ("hi",)),
        ("完全に OK です", "ja", ("en",)),
        ("東京へ行きます", "ja", ()),
        ("Москва слезам не верит", "uk", ()),
        ("12 % ... !", "hi", ()),
        ("hello there", "hi", ("en",)),
        ("", "en", ()),
    ],
)
def test_scripts_tell_languages_apart(text: str, language: str, others: tuple[str, ...]) -> None:
    assert mixed_languages(text, language, {}) == others


class Model:
    """As faster-whisper's, as far as it is asked."""

    def __init__(self, *, multilingual: bool) -> None:
        self.model = type("M", (), {"is_multilingual": multilingual})
        self.asked: dict[str, Any] = {}

    def transcribe(self, sound: Any, **asked: Any) -> Any:
        self.asked = asked
        word = type("W", (), {"word": " hola", "start": 0.1, "end": 0.9, "probability": 0.75})
        segment = type("S", (), {"start": 0.0, "end": 2.4, "text": " hola", "words": [word], "avg_logprob": -0.1})
        return iter([segment]), type("I", (), {"language": "es"})

    def detect_language(self, audio: Any) -> Any:
        """The second half is another language."""
        return ("es", 0.9, [("es", 0.9)]) if audio[0] == 0 else ("en", 0.7, [("en", 0.7), ("es", 0.2)])


def test_whisper_is_asked_to_write_what_it_hears_never_to_translate() -> None:
    sound = np.concatenate([silence(1.2), np.ones(round(1.2 * RATE), np.float32)])
    model = Model(multilingual=True)
    heard = Whisper(model, "w").hear(sound, "")
    assert model.asked["task"] == "transcribe"
    assert model.asked["language"] is None
    assert model.asked["word_timestamps"] is True
    assert heard.languages[0] == {"es": 0.9, "en": 0.7}
    assert heard.spans[0].score == 0.75
    english = Model(multilingual=False)
    assert Whisper(english, "w").hear(sound, "fr").languages == ()
    assert english.asked["language"] == "en"


def test_without_the_package_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_text, "has_whisper", lambda: False)
    with pytest.raises(UserError, match=r"faster-whisper is not installed.*\[speech\]"):
        open_whisper(tmp_path)
    monkeypatch.setattr(speech_text, "has_whisper", lambda: True)
    with pytest.raises(DataError, match=r"there is no model\.bin"):
        open_whisper(tmp_path)
