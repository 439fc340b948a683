"""Dialogues, prompts with responses, and agent steps: JSON, or JSON one record a line.

Such a file is no running text, so the text of the stream is what was said, one turn after the other, each verbatim.
Every turn is a part with its role as the speaker; pictures, sounds and films it refers to are named, never opened.
Opened through ``READERS``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import TimeRange
from workstation.core.untrusted import Found, parse_json, parse_json_lines
from workstation.media.base import HEAD_BYTES, OpenContext, Options, OptionValue, ReaderSpec, TextPart, one_path
from workstation.media.held import HeldText, Origin, held_text
from workstation.media.text import ENCODING_OPTION, head_text, read_text

MOST_TURNS = 1_000_000
_LISTS = ("messages", "conversations", "conversation", "dialog", "dialogue", "turns", "chat")
_STEPS = ("steps", "trajectory", "history")
_STEP_KEYS = (
    "thought",
    "reasoning",
    "action",
    "action_input",
    "arguments",
    "observation",
    "result",
    "output",
    "content",
)
_SINGLES = (
    ("system", "system"), ("prompt", "prompt"), ("instruction", "prompt"), ("question", "prompt"), ("input", "prompt"),
    ("response", "response"), ("answer", "response"), ("completion", "response"), ("output", "response"),
    ("chosen", "response"), ("rejected", "response"),
)  # fmt: skip
_SEVERAL = ("responses", "completions", "candidates", "answers")
_MEDIA_KEYS = ("image", "images", "video", "videos", "audio", "audios")
_SPEAKERS = {"human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One thing said, asked, thought or done."""

    text: str
    speaker: str
    part: str
    media: tuple[str, ...] = ()
    span: TimeRange | None = None
    properties: dict[str, OptionValue] = field(default_factory=dict)


def turns_of(record: Found) -> list[Turn]:
    """The turns of one record, whichever of the known shapes it has. Empty if it has none."""
    if isinstance(record.value, list):
        return [_message(item) for item in record if _is_message(item)]
    if not isinstance(record.value, dict):
        return []
    media = tuple(_media_of(record))
    turns: list[Turn] = []
    for key in _LISTS:
        items = record.get(key)
        if items is not None and isinstance(items.value, list):
            turns += [_message(item) for item in items if _is_message(item)]
    for key in _STEPS:
        steps = record.get(key)
        if steps is not None and isinstance(steps.value, list):
            for number, step in enumerate(steps):
                turns += _step(step, number)
    turns += _prompt_and_responses(record)
    if not turns and _is_message(record):
        return [_message(record)]
    if turns and media:
        turns[0] = Turn(
            text=turns[0].text,
            speaker=turns[0].speaker,
            part=turns[0].part,
            media=media + turns[0].media,
            span=turns[0].span,
            properties=turns[0].properties,
        )
    return turns


def _prompt_and_responses(record: Found) -> list[Turn]:
    turns: list[Turn] = []
    for key, part in _SINGLES:
        value = record.get(key)
        if value is None:
            continue
        speaker = "system" if part == "system" else "user" if part == "prompt" else "assistant"
        properties: dict[str, OptionValue] = {"field": key}
        if isinstance(value.value, str) and value.value:
            turns.append(Turn(text=value.value, speaker=speaker, part=part, properties=properties))
        elif isinstance(value.value, list):
            for item in value:
                if _is_message(item):
                    said = _message(item)
                    turns.append(
                        Turn(text=said.text, speaker=said.speaker, part=part, media=said.media, properties=properties)
                    )
    for key in _SEVERAL:
        values = record.get(key)
        if values is None or not isinstance(values.value, list):
            continue
        for number, item in enumerate(values):
            properties = {"field": key, "response": number}
            text, media = _content(item)
            if text:
                turns.append(
                    Turn(text=text, speaker="assistant", part="response", media=media, properties=dict(properties))
                )
    return turns


def _is_message(found: Found) -> bool:
    if not isinstance(found.value, dict):
        return False
    return any(found.has(who, what) for who in ("role", "from", "speaker") for what in ("content", "value", "text"))


def _message(found: Found) -> Turn:
    who = _first_plain(found, "role", "from", "speaker")
    said = next((value for key in ("content", "value", "text") if (value := found.get(key)) is not None), None)
    no_media: tuple[str, ...] = ()
    text, media = ("", no_media) if said is None else _content(said)
    speaker = _SPEAKERS.get(who.lower(), who)
    parts = {"user": "prompt", "assistant": "response", "system": "system", "tool": "tool", "function": "tool"}
    properties: dict[str, OptionValue] = {}
    calls = found.get("tool_calls")
    if calls is not None and isinstance(calls.value, list):
        names = [_call_name(call) for call in calls]
        properties["calls"] = ", ".join(name for name in names if name)
    return Turn(
        text=text,
        speaker=speaker,
        part=parts.get(speaker.lower(), "turn"),
        media=media + tuple(_media_of(found)),
        span=_span(found),
        properties=properties,
    )


def _call_name(call: Found) -> str:
    inner = call.get("function") if isinstance(call.value, dict) else None
    return (_plain(inner, "name") if inner is not None else None) or ""


def _plain(found: Found, key: str) -> str | None:
    value = found.value.get(key) if isinstance(found.value, dict) else None
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else None


def _first_plain(found: Found, *keys: str) -> str:
    return next((text for key in keys if (text := _plain(found, key)) is not None), "")


def _content(found: Found) -> tuple[str, tuple[str, ...]]:
    """Text and media of a message: text, an object, or a list of text, picture and sound parts."""
    if isinstance(found.value, str):
        return found.value, ()
    if isinstance(found.value, dict):
        return _first_plain(found, "text", "content", "value"), tuple(_media_of(found))
    if not isinstance(found.value, list):
        return "", ()
    texts: list[str] = []
    media: list[str] = []
    for item in found:
        if isinstance(item.value, str):
            texts.append(item.value)
        elif isinstance(item.value, dict):
            piece = _plain(item, "text")
            texts += [] if piece is None else [piece]
            media += _media_of(item)
    return "\n".join(texts), tuple(media)


def _media_of(found: Found) -> Iterator[str]:
    if not isinstance(found.value, dict):
        return
    for key, value in found.value.items():
        if key not in _MEDIA_KEYS and not key.endswith(("_url", "_path")):
            continue
        for item in value if isinstance(value, list) else [value]:
            name = item.get("url") or item.get("path") if isinstance(item, dict) else item
            if isinstance(name, str):  # a picture may be written into the file itself: name it, do not copy it
                yield "(inside the file)" if name.startswith("data:") else name[:1000]


def _step(found: Found, number: int) -> list[Turn]:
    if _is_message(found):
        return [_message(found)]
    if not isinstance(found.value, dict):
        return []
    turns = []
    for key in _STEP_KEYS:
        value = found.get(key)
        if value is None:
            continue
        text, media = _content(value)
        if not text and isinstance(value.value, dict):
            text = ", ".join(f"{name}: {inner}" for name, inner in value.value.items())
        if text or media:
            speaker = "environment" if key in ("observation", "result", "output") else "agent"
            properties: dict[str, OptionValue] = {"step": number}
            turns.append(
                Turn(text=text, speaker=speaker, part=key, media=media, span=_span(found), properties=properties)
            )
    return turns


def _span(found: Found) -> TimeRange | None:
    if not isinstance(found.value, dict):
        return None
    start, end = found.get("start"), found.get("end")
    if start is None or end is None:
        return None
    start_ns, end_ns = start.seconds_ns(), end.seconds_ns()
    if end_ns < start_ns:
        found.fail("ends before it starts; swap the two times")
    return TimeRange(start_ns, end_ns)


def open_turns(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldText:
    """Turns of all records, or of the one that the option ``record`` names by its number from 0."""
    path = one_path(paths, "a file of turns")
    wanted = options.get("record")
    if wanted is not None and (isinstance(wanted, bool) or not isinstance(wanted, int)):
        raise DataError("the option 'record' is a whole number from 0", path=path)
    decoded = read_text(path, options)
    pieces: list[str] = []
    parts: list[TextPart] = []
    notes: list[str] = []
    length = count = 0
    for number, record in enumerate(_records(decoded.text, path)):
        count += 1
        if wanted is not None and number != wanted:
            continue
        turns = turns_of(record)
        if not turns and len(notes) < 100:
            notes.append(f"record {number} holds no turn of a known shape and is left out")
        for turn in turns:
            parts.append(_part(turn, length, number))
            pieces += [turn.text, "\n"]
            length += len(turn.text) + 1
        if len(parts) > MOST_TURNS:
            raise DataError(f"holds more than {MOST_TURNS:,} turns; split it", path=path)
    if wanted is not None and wanted >= count:
        raise DataError(f"holds {count} records; there is no record {wanted}", path=path)
    if not parts:
        raise DataError("holds no dialogue, prompt or agent step of a known shape", path=path)
    details = {"records": count, "turns": len(parts)}
    origin = Origin(paths=(path,), clock_source="none", details=details, notes=tuple(notes))
    return held_text(path, "".join(pieces), parts, kind=StreamKind.TURNS, origin=origin)


def _part(turn: Turn, start: int, record: int) -> TextPart:
    properties: dict[str, OptionValue] = {"record": record, "part": turn.part, **turn.properties}
    if turn.media:
        properties["media"] = "\n".join(turn.media)
    return TextPart(
        start=start,
        stop=start + len(turn.text),
        kind="turn",
        span=turn.span,
        speaker=turn.speaker,
        properties=properties,
    )


def _records(text: str, path: Path) -> Iterator[Found]:
    """JSON of one record or a list of them; else one record a line."""
    try:
        whole = parse_json(text, path=path)
    except DataError as whole_error:
        lines = parse_json_lines(text, path=path)
        try:
            first = next(lines, Found({}, path))
        except DataError:
            raise whole_error from None  # one broken JSON, not JSON a line: say where in the whole
        yield from _one_dialogue([first, *lines], path)
        return
    if isinstance(whole.value, list) and not all(_is_message(item) for item in whole):
        yield from whole
    else:
        yield whole


def _one_dialogue(lines: list[Found], path: Path) -> Iterator[Found]:
    """Lines that are single messages make one dialogue; other lines are records of their own."""
    if lines and all(_is_message(line) and not _prompt_and_responses(line) for line in lines):
        yield Found([line.value for line in lines], path)
    else:
        yield from lines


def probe(path: Path, head: bytes) -> float:
    """JSON that begins with one of the known keys."""
    text = head_text(head[:HEAD_BYTES])
    if text is None or not text.lstrip().startswith(("{", "[")):
        return 0.0
    keys = [*_LISTS, *_STEPS, "prompt", "instruction", "chosen", "responses"]
    pairs = (('"role"', '"content"'), ('"from"', '"value"'), ('"speaker"', '"text"'), ('"question"', '"answer"'))
    if any(first in text and second in text for first, second in pairs):
        return 0.7 if '"start"' not in text else 0.5
    return 0.65 if any(f'"{key}":' in text or f'"{key}" :' in text for key in keys) else 0.0


READERS = (
    ReaderSpec(
        name="turns",
        kind=StreamKind.TURNS,
        title="Dialogue, prompts and responses, agent steps",
        suffixes=(".jsonl", ".json", ".ndjson"),
        probe=probe,
        open=open_turns,
        options={"record": "only this record of the file, counted from 0"} | ENCODING_OPTION,
    ),
)
