"""Plain text as a stream, and what every text format shares: bytes to code points, exactly.

Text is kept verbatim: line ends, normal form and odd blanks as in the file; only a byte order mark is no part of it.
Opened through ``READERS``; ``subtitles``, ``transcripts``, ``turns`` and ``report`` build on ``read_text``.
"""

from __future__ import annotations

import codecs
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
ENCODING_OPTION = {"encoding": "how the text is written, such as cp1252; UTF-8, or UTF-16 by its mark, if not given"}
"""What every reader of a text understands; handed to ``read_text``."""
_ENCODINGS = frozenset((
    *(f"cp125{page}" for page in range(9)), *(f"iso8859-{part}" for part in (1, 2, 5, 7, 8, 9, 15)),
    "cp437", "cp850", "cp852", "cp866", "cp874", "koi8-r", "koi8-u", "mac-roman", "tis-620", "shift_jis", "cp932",
    "euc_jp", "gbk", "gb18030", "gb2312", "big5", "euc_kr", "cp949",
))  # fmt: skip
"""Those in which every character stands for itself; names as Python's, which knows their other names as well."""
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


def decode_text(data: bytes, *, path: Path | str, encoding: OptionValue = "") -> DecodedText:
    """What a byte order mark says, else the encoding given, else UTF-8; others are never guessed, many would fit.

    Anything else is a ``DataError`` that says where and what to do.
    """
    mark, marked = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", ""))
    given = encoding_named(encoding, path)
    if marked == "utf-32":
        raise DataError("is UTF-32 text; save it as UTF-8", path=path)
    used = marked or given or "utf-8"
    try:
        text = data[len(mark) :].decode(used)
    except UnicodeDecodeError as error:
        at = len(mark) + error.start
        found = " ".join(f"{byte:02X}" for byte in data[at : at + 2])
        do = "name another encoding" if used == given else "save it as UTF-8, or add it with --encoding, such as cp1252"
        raise DataError(f"is not {used.upper()}: byte {at} ({found}) fits no character; {do}", path=path) from error
    control = _CONTROLS.search(text)
    if control is not None:
        raise DataError(
            f"holds the control character U+{ord(control[0]):04X}, so it is no text",
            path=path,
            place=f"character {control.start()}",
        )
    return DecodedText(text, used, len(mark))


def encoding_named(given: OptionValue, path: Path | str) -> str:
    """The codec that the option ``encoding`` names; empty if it names none, ``DataError`` if that is none of ours."""
    if not given:
        return ""
    try:
        name = codecs.lookup(str(given)[:40]).name
    except LookupError:
        name = ""
    if name not in _ENCODINGS:
        raise DataError(f"{str(given)[:40]!r} is no encoding known here; known are {_known_encodings()}", path=path)
    return name


def _known_encodings() -> str:
    return ", ".join(sorted(_ENCODINGS))


def read_text(path: Path, options: Options) -> DecodedText:
    """The text of a plain file of at most 64 MB, in the encoding that the options of its reader name."""
    return decode_text(read_bounded(path, MOST_TEXT_BYTES), path=path, encoding=options.get("encoding", ""))


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

    Of an older encoding the ASCII in it still says what kind of file it is; who opens it is told what to do.
    Remembered, because eight readers ask about the same file one after the other.
    """
    text = _unicode_head(head)
    if text is not None or head.startswith((b"\xff", b"\xfe")):
        return text
    text = head.decode("latin-1")
    return None if _CONTROLS.search(text) else text


@lru_cache(maxsize=4)
def _unicode_head(head: bytes) -> str | None:
    for cut in range(4):  # the head may end inside a character
        try:
            return decode_text(head[: len(head) - cut] if cut else head, path="head").text
        except DataError:
            continue
    return None


def probe(path: Path, head: bytes) -> float:
    """Anything that decodes may be plain text, so every format that knows better comes first."""
    if not head:
        return 0.0
    if path.suffix.lower() in (".txt", ".text", ".log"):
        return 0.0 if head_text(head) is None else 0.5
    return 0.0 if _unicode_head(head) is None else 0.1


def open_plain(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldText:
    """Plain text with its paragraphs."""
    path = one_path(paths, "a text")
    decoded = read_text(path, options)
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
        options=ENCODING_OPTION,
    ),
)
