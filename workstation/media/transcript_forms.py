"""The shapes in which recognisers write their JSON, one small reader each. Used by ``transcripts`` alone.

A form says whether a document is of its shape and turns it into segments. Adding a recogniser adds a function and a
line to ``FORMS``; more particular shapes stand before more general ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from workstation.core.untrusted import Found
from workstation.media.base import OptionValue


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word. Without both times it only stands in the text."""

    text: str
    start_ns: int | None = None
    end_ns: int | None = None
    confidence: float | None = None
    speaker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of speech. Without ``text`` its words, parted by blanks, are the text."""

    text: str = ""
    start_ns: int | None = None
    end_ns: int | None = None
    speaker: str = ""
    confidence: float | None = None
    words: tuple[Word, ...] = ()
    properties: Mapping[str, OptionValue] = field(default_factory=dict)


def _no_details(found: Found) -> dict[str, OptionValue]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One shape."""

    name: str
    fits: Callable[[Found], bool]
    read: Callable[[Found], list[Segment]]
    details: Callable[[Found], Mapping[str, OptionValue]] = _no_details


def _first(found: Found, *keys: str) -> Found | None:
    if not isinstance(found.value, dict):
        return None
    return next((value for key in keys if (value := found.get(key)) is not None), None)


def _text(found: Found, *keys: str) -> str:
    value = _first(found, *keys)
    if value is None:
        return ""
    return str(value.value) if isinstance(value.value, int) else value.text()


def _seconds(found: Found, *keys: str) -> int | None:
    value = _first(found, *keys)
    if value is None:
        return None
    if isinstance(value.value, str) and value.value.endswith("s"):  # Google: "1.300s"
        return Found(value.value[:-1], value.path, value.place).seconds_ns()
    return value.seconds_ns()


def _milliseconds(found: Found, *keys: str) -> int | None:
    value = _first(found, *keys)
    return None if value is None else value.milliseconds_ns()


def _share(found: Found, *keys: str) -> float | None:
    value = _first(found, *keys)
    if value is None:
        return None
    number = value.decimal()
    return float(number) if 0 <= number <= 1 else None


def _list(found: Found, key: str) -> Iterator[Found]:
    value = found.get(key) if isinstance(found.value, dict) else None
    return iter(()) if value is None else iter(value)


def _word(found: Found) -> Word:
    return Word(
        _text(found, "punctuated_word", "word", "text", "content"),
        start_ns=_seconds(found, "start", "start_time", "startTime", "startOffset", "start_s"),
        end_ns=_seconds(found, "end", "end_time", "endTime", "endOffset", "end_s"),
        confidence=_share(found, "probability", "score", "confidence", "conf"),
        speaker=_text(found, "speaker", "speakerTag", "speaker_label"),
    )


def _segment(found: Found) -> Segment:
    language = _text(found, "lang", "language")
    return Segment(
        text=_text(found, "text", "transcript", "sentence"),
        start_ns=_seconds(found, "start", "start_time", "start_s"),
        end_ns=_seconds(found, "end", "end_time", "end_s"),
        speaker=_text(found, "speaker", "speaker_label"),
        confidence=_share(found, "confidence"),
        words=tuple(_word(word) for word in _list(found, "words")),
        properties={"language": language} if language else {},
    )


def _is_list_of(found: Found | None, *keys: str) -> bool:
    return (
        found is not None
        and isinstance(found.value, list)
        and bool(found.value)
        and all(isinstance(item, dict) and all(key in item for key in keys) for item in found.value[:50])
    )


def _under(key: str, *inner: str) -> Callable[[Found], bool]:
    return lambda found: found.has(key) and _is_list_of(found.get(key), *inner)


def _whisper_cpp(found: Found) -> list[Segment]:
    segments = []
    for item in found["transcription"]:
        offsets = item["offsets"]
        words = tuple(
            Word(
                _text(token, "text"),
                start_ns=_milliseconds(token["offsets"], "from"),
                end_ns=_milliseconds(token["offsets"], "to"),
                confidence=_share(token, "p"),
            )
            for token in _list(item, "tokens")
            if not _text(token, "text").startswith("[_") and token.has("offsets")
        )
        segments.append(
            Segment(
                text=_text(item, "text"),
                start_ns=_milliseconds(offsets, "from"),
                end_ns=_milliseconds(offsets, "to"),
                words=words,
            )
        )
    return segments


def _vosk(found: Found) -> list[Segment]:
    return [Segment(text=_text(found, "text"), words=tuple(_word(word) for word in found["result"]))]


def _gentle(found: Found) -> list[Segment]:
    """Gentle and Kaldi aligners; a word that was not found in the sound has no times."""
    words = tuple(
        Word(
            _text(item, "word"),
            start_ns=_seconds(item, "start") if _text(item, "case") in ("", "success") else None,
            end_ns=_seconds(item, "end") if _text(item, "case") in ("", "success") else None,
        )
        for item in found["words"]
    )
    return [Segment(text=_text(found, "transcript"), words=words)]


def _amazon(found: Found) -> list[Segment]:
    results = found["results"]
    text = " ".join(_text(item, "transcript") for item in results["transcripts"])
    words = []
    for item in results["items"]:
        best = item["alternatives"][0]
        words.append(
            Word(
                _text(best, "content"),
                start_ns=_seconds(item, "start_time"),
                end_ns=_seconds(item, "end_time"),
                confidence=_share(best, "confidence"),
                speaker=_text(item, "speaker_label"),
            )
        )
    return [Segment(text=text, words=tuple(words))]


def _google(found: Found) -> list[Segment]:
    return [_alternative(result["alternatives"][0]) for result in found["results"] if result.get("alternatives")]


def _alternative(found: Found, **properties: OptionValue) -> Segment:
    return Segment(
        text=_text(found, "transcript"),
        confidence=_share(found, "confidence"),
        words=tuple(_word(word) for word in _list(found, "words")),
        properties=properties,
    )


def _deepgram(found: Found) -> list[Segment]:
    channels = enumerate(found["results"]["channels"], start=1)
    return [_alternative(item["alternatives"][0], channel=number) for number, item in channels]


def _speechmatics(found: Found) -> list[Segment]:
    words = []
    for item in found["results"]:
        best = item["alternatives"][0]
        words.append(
            Word(
                _text(best, "content"),
                start_ns=_seconds(item, "start_time"),
                end_ns=_seconds(item, "end_time"),
                confidence=_share(best, "confidence"),
                speaker=_text(best, "speaker"),
            )
        )
    return _runs(words)


def _assembly(found: Found) -> list[Segment]:
    def word(item: Found) -> Word:
        return Word(
            _text(item, "text"),
            start_ns=_milliseconds(item, "start"),
            end_ns=_milliseconds(item, "end"),
            confidence=_share(item, "confidence"),
            speaker=_text(item, "speaker"),
        )

    if found.get("utterances") is not None:
        return [
            Segment(
                text=_text(item, "text"),
                start_ns=_milliseconds(item, "start"),
                end_ns=_milliseconds(item, "end"),
                speaker=_text(item, "speaker"),
                confidence=_share(item, "confidence"),
                words=tuple(word(inner) for inner in _list(item, "words")),
            )
            for item in found["utterances"]
        ]
    return [Segment(text=_text(found, "text"), words=tuple(word(item) for item in found["words"]))]


def _azure(found: Found) -> list[Segment]:
    segments = []
    for phrase in found["recognizedPhrases"]:
        start, length = phrase["offsetInTicks"].ticks_ns(), phrase["durationInTicks"].ticks_ns()
        best = phrase["nBest"][0]
        words = []
        for item in _list(best, "words"):
            begin = item["offsetInTicks"].ticks_ns()
            end = begin + item["durationInTicks"].ticks_ns()
            words.append(Word(_text(item, "word"), start_ns=begin, end_ns=end, confidence=_share(item, "confidence")))
        segments.append(
            Segment(
                text=_text(best, "display", "lexical"),
                start_ns=start,
                end_ns=start + length,
                speaker=_text(phrase, "speaker"),
                confidence=_share(best, "confidence"),
                words=tuple(words),
            )
        )
    return segments


def _runs(words: list[Word]) -> list[Segment]:
    """Words of one speaker after the other, as segments."""
    segments: list[Segment] = []
    run: list[Word] = []
    for word in words:
        if run and word.speaker != run[-1].speaker:
            segments.append(Segment(words=tuple(run), speaker=run[-1].speaker))
            run = []
        run.append(word)
    if run:
        segments.append(Segment(words=tuple(run), speaker=run[-1].speaker))
    return segments


def _plain_words(found: Found) -> list[Segment]:
    return _runs([_word(item) for item in found])


def _language(found: Found) -> dict[str, OptionValue]:
    language = _text(found, "language")
    return {"language": language} if language else {}


def _is_milliseconds(found: Found) -> bool:
    """AssemblyAI writes whole milliseconds and calls a word ``text``; nobody else does both."""
    words = found.get("words")
    if words is None or not _is_list_of(words, "text", "start", "end"):
        return False
    return all(
        isinstance(item[key], int) for item in words.items()[:50] if isinstance(item, dict) for key in ("start",)
    )


def _amazon_fits(found: Found) -> bool:
    results = found.get("results") if found.has("results") else None
    return results is not None and results.has("items", "transcripts")


def _deepgram_fits(found: Found) -> bool:
    results = found.get("results") if found.has("results") else None
    return results is not None and results.has("channels")


FORMS: tuple[Form, ...] = (
    Form(name="whisper.cpp", fits=_under("transcription", "offsets", "text"), read=_whisper_cpp),
    Form(
        name="Whisper",
        fits=_under("segments", "start", "end", "text"),
        read=lambda found: [_segment(item) for item in found["segments"]],
        details=_language,
    ),
    Form(name="Vosk", fits=_under("result", "word", "start", "end"), read=_vosk),
    Form(name="Azure", fits=_under("recognizedPhrases", "offsetInTicks", "nBest"), read=_azure),
    Form(name="Amazon", fits=_amazon_fits, read=_amazon),
    Form(name="Deepgram", fits=_deepgram_fits, read=_deepgram),
    Form(
        name="Speechmatics",
        fits=_under("results", "alternatives", "start_time"),
        read=_speechmatics,
    ),
    Form(name="Google", fits=_under("results", "alternatives"), read=_google),
    Form(name="AssemblyAI", fits=lambda found: found.has("words", "text") and _is_milliseconds(found), read=_assembly),
    Form(name="Gentle", fits=lambda found: found.has("transcript") and _under("words", "word")(found), read=_gentle),
    Form(
        name="phrases",
        fits=_under("phrases", "text"),
        read=lambda found: [_segment(item) for item in found["phrases"]],
    ),
    Form(
        name="list of segments",
        fits=lambda found: _is_list_of(found, "start", "end", "text"),
        read=lambda found: [_segment(item) for item in found],
    ),
    Form(name="list of words", fits=lambda found: _is_list_of(found, "word", "start", "end"), read=_plain_words),
)
