"""Written reports: Markdown headings and the capital headings of medical reports, with the section of every paragraph.

Text stays verbatim; headings and paragraphs are parts of it. Opened through ``READERS``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workstation.core.sample import StreamKind
from workstation.media.base import OpenContext, Options, OptionValue, ReaderSpec, TextPart, one_path
from workstation.media.held import HeldText, Origin, held_text
from workstation.media.text import ENCODING_OPTION, head_text, lines_of, read_text

_HEADING = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_CAPITALS = re.compile(r"([A-Z][A-Z0-9 /&()-]{2,58}[A-Z0-9)]):(?=\s|$)")
_CAPITAL_LEVEL = 2


@dataclass(slots=True)
class _Builder:
    parts: list[TextPart] = field(default_factory=list)
    path: list[tuple[int, str]] = field(default_factory=list)
    start: int | None = None
    end: int = 0
    last_line: tuple[int, str] | None = None

    def line(self, offset: int, line: str) -> None:
        if not line.strip():
            self.flush()
            return
        self.start = offset if self.start is None else self.start
        self.end = offset + len(line)
        self.last_line = (offset, line)

    def flush(self) -> None:
        if self.start is not None:
            section = " / ".join(title for _, title in self.path)
            properties: dict[str, OptionValue] = {"section": section} if section else {}
            self.parts.append(TextPart(start=self.start, stop=self.end, kind="paragraph", properties=properties))
        self.start = self.last_line = None

    def heading(self, start: int, stop: int, level: int, title: str) -> None:
        self.path = [step for step in self.path if step[0] < level] + [(level, title)]
        section = " / ".join(step[1] for step in self.path)
        self.parts.append(
            TextPart(start=start, stop=stop, kind="heading", properties={"level": level, "section": section})
        )

    def underlined(self, level: int) -> bool:
        """Make the paragraph above, if it is a single line, a heading."""
        if self.start is None or self.last_line is None or self.last_line[0] != self.start:
            return False
        offset, line = self.last_line
        title = line.strip()
        begin = offset + line.index(title)
        self.start = self.last_line = None
        self.heading(begin, begin + len(title), level, title)
        return True


def sections(text: str) -> list[TextPart]:
    """Headings and paragraphs in order. Lines in fences are text, whatever they begin with."""
    built = _Builder()
    fence = ""
    for offset, line in lines_of(text):
        mark = _FENCE.match(line)
        if fence:
            built.line(offset, line) if line.strip() else None
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif mark:
            fence = mark[1][:3]
            built.line(offset, line)
        else:
            _take_line(built, offset, line)
    built.flush()
    return built.parts


def _take_line(built: _Builder, offset: int, line: str) -> None:
    heading = _HEADING.match(line)
    if heading:
        built.flush()
        rest = line[heading.end() :]
        title = rest.strip(" \t")
        bare = title.rstrip("#")
        if not bare or bare[-1] in " \t":  # the closing marks, which are no part of the title
            title = bare.rstrip(" \t")
        begin = offset + heading.end() + len(rest) - len(rest.lstrip(" \t"))
        built.heading(begin, begin + len(title), len(heading[1]), title)
        return
    under = _UNDERLINE.fullmatch(line)
    if under and built.underlined(1 if under[1][0] == "=" else 2):
        return
    capitals = _CAPITALS.match(line)
    if capitals:
        built.flush()
        built.heading(offset, offset + capitals.end(1), _CAPITAL_LEVEL, capitals[1])
        rest = line[capitals.end() :]
        if rest.strip():
            lead = len(rest) - len(rest.lstrip())
            built.line(offset + capitals.end() + lead, rest.lstrip())
        return
    built.line(offset, line)


def probe(path: Path, head: bytes) -> float:
    """By the name, or by two capital headings at the beginning of lines."""
    text = head_text(head)
    if text is None:
        return 0.0
    if path.suffix.lower() in (".md", ".markdown"):
        return 0.8
    return 0.6 if sum(bool(_CAPITALS.match(line)) for _, line in lines_of(text)) >= 2 else 0.0


def open_report(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldText:
    """A report with its sections."""
    path = one_path(paths, "a report")
    decoded = read_text(path, options)
    parts = sections(decoded.text)
    details = dict(decoded.details) | {"sections": sum(part.kind == "heading" for part in parts)}
    return held_text(path, decoded.text, parts, origin=Origin(paths=(path,), clock_source="none", details=details))


READERS = (
    ReaderSpec(
        name="report",
        kind=StreamKind.TEXT,
        title="Report with sections (Markdown)",
        suffixes=(".md", ".markdown"),
        probe=probe,
        open=open_report,
        options=ENCODING_OPTION,
    ),
)
