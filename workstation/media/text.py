"""Plain text as a stream, and what every text format shares: bytes to code points, exactly.

Text is kept verbatim: line ends, normal form and odd blanks as in the file; only a byte order mark is no part of it.
Opened through ``READERS``; ``subtitles``, ``transcripts``, ``turns`` and ``report`` build on ``read_text``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from workstation.core.errors import DataError
from workstation.core.files import read_bounded
from workstation.core.sample import StreamKind
from workstation.media.base import OpenContext, Options, OptionValue, ReaderSpec, TextPart, one_path
from workstation.media.held import HeldText, Origin, held_text
from workstation.media.text_positions import TextPositions

MOST_TEXT_BYTES = 64 << 20
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True)
class DecodedText:
    """The code points of a file, and how they were written."""

    text: str
    encoding: str
    mark_bytes: int

    @property
    def positions(self) -> TextPositions:
        return TextPositions(self.text, self.encoding, self.mark_bytes)

    @property
    def details(self) -> dict[str, OptionValue]:
        """For ``MediaInfo.details``."""
        ends = {"\r\n": self.text.count("\r\n")}
        ends["\n"] = self.text.count("\n") - ends["\r\n"]
        ends["\r"] = self.text.count("\r") - ends["\r\n"]
        words = {"\r\n": "CRLF", "\n": "LF", "\r": "CR"}
        used = [words[end] for end, count in ends.items() if count]
        return {
            "encoding": self.encoding.upper() + (" with mark" if self.mark_bytes else ""),
            "line_ends": " and ".join(used) or "none",
        }


def decode_text(data: bytes, *, path: Path | str) -> DecodedText:
    """UTF-8, or UTF-16 with a byte order mark. Anything else is a ``DataError`` that says where and what to do."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    if encoding == "utf-32":
        raise DataError("is UTF-32 text; save it as UTF-8", path=path)
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        at = len(mark) + error.start
        found = " ".join(f"{byte:02X}" for byte in data[at : at + 2])
        raise DataError(
            f"is not {encoding.upper()}: byte {at} ({found}) fits no character; save it as UTF-8", path=path
        ) from error
    control = _CONTROLS.search(text)
    if control is not None:
        raise DataError(
            f"holds the control character U+{ord(control[0]):04X}, so it is no text",
            path=path,
            place=f"character {control.start()}",
        )
    return DecodedText(text, encoding, len(mark))


def read_text(path: Path) -> DecodedText:
    """The text of a plain file of at most 64 MB."""
    return decode_text(read_bounded(path, MOST_TEXT_BYTES), path=path)


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """(offset, line without its end): LF, CRLF and CR end a line, and nothing else does.

    ``str.splitlines`` also breaks at characters that stand inside sentences of some scripts.
    """
    position = 0
    for match in re.finditer("\r\n|\n|\r", text):
        yield position, text[position : match.start()]
        position = match.end()
    if position < len(text):
        yield position, text[position:]


def paragraphs(text: str) -> list[TextPart]:
    """Stretches of lines that hold something, parted by empty ones."""
    parts: list[TextPart] = []
    start: int | None = None
    end = 0
    for offset, line in lines_of(text):
        if line.strip():
            start = offset if start is None else start
            end = offset + len(line)
        elif start is not None:
            parts.append(TextPart(start=start, stop=end, kind="paragraph"))
            start = None
    if start is not None:
        parts.append(TextPart(start=start, stop=end, kind="paragraph"))
    return parts


@lru_cache(maxsize=4)
def head_text(head: bytes) -> str | None:
    """The beginning of a file as text, for a probe; ``None`` if it is none.

    Remembered, because eight readers ask about the same file one after the other.
    """
    for cut in range(4):  # the head may end inside a character
        try:
            return decode_text(head[: len(head) - cut] if cut else head, path="head").text
        except DataError:
            continue
    return None


def probe(path: Path, head: bytes) -> float:
    """Anything that decodes may be plain text, so every format that knows better comes first."""
    if not head or head_text(head) is None:
        return 0.0
    return 0.5 if path.suffix.lower() in (".txt", ".text", ".log") else 0.1


def open_plain(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldText:
    """Plain text with its paragraphs."""
    path = one_path(paths, "a text")
    decoded = read_text(path)
    origin = Origin(paths=(path,), clock_source="none", details=decoded.details)
    return held_text(path, decoded.text, paragraphs(decoded.text), origin=origin)


READERS = (
    ReaderSpec(
        name="plain_text",
        kind=StreamKind.TEXT,
        title="Plain text",
        suffixes=(".txt", ".text", ".log"),
        probe=probe,
        open=open_plain,
    ),
)
