"""How a line of a Markdown text is to look: headings, lists, emphasis, code; marks stay where they are, only quieter.

The source is shown as it is written, so every offset stays the source's own. Asked by the text pane for reports.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Style(Enum):
    """What a stretch is."""

    MARK = "mark"
    STRONG = "strong"
    EMPHASIS = "emphasis"
    CODE = "code"
    HEADING = "heading"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class Styled:
    """A stretch of a line, in code points of the line."""

    start: int
    end: int
    style: Style
    level: int = 0


@dataclass(frozen=True, slots=True)
class LineLook:
    """A line's stretches, and how far its later rows stand in (in characters)."""

    styled: tuple[Styled, ...] = ()
    hang: int = 0
    heading: int = 0


PLAIN = LineLook()
_HEADING = re.compile(r"( {0,3}#{1,6}[ \t]+)(.*?)([ \t]+#+[ \t]*)?$")
_ITEM = re.compile(r"([ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)")
_QUOTE = re.compile(r"( {0,3}>[ \t]?)+")
_RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_SPANS = (
    (re.compile(r"(`+)([^`]{1,400})(\1)"), Style.CODE),
    (re.compile(r"(\*\*|__)(?=\S)(.{1,400}?\S?)(\1)"), Style.STRONG),
    (re.compile(r"(?<![\w*_])([*_])(?=[^\s*_])([^*_]{1,400}?)(\1)(?![\w*_])"), Style.EMPHASIS),
)


def line_look(line: str) -> LineLook:
    """Of one line. Underlined headings need the line below and are told by the reader's own parts."""
    heading = _HEADING.match(line)
    if heading:
        level = heading[1].strip().count("#")
        found = [Styled(0, heading.end(1), Style.MARK), Styled(heading.start(2), heading.end(2), Style.HEADING, level)]
        if heading[3]:
            found.append(Styled(heading.start(3), heading.end(3), Style.MARK))
        return LineLook(tuple(found), 0, level)
    if _RULE.match(line):
        return LineLook((Styled(0, len(line), Style.MARK),))
    found, hang = [], 0
    quote = _QUOTE.match(line)
    if quote:
        found += [Styled(0, quote.end(), Style.MARK), Styled(quote.end(), len(line), Style.QUOTE)]
        hang = quote.end()
    item = _ITEM.match(line, hang)
    if item:
        found.append(Styled(item.start(1), item.end(1), Style.MARK))
        hang = item.end(1)
    return LineLook((*found, *_inline(line, hang)), hang)


def _inline(line: str, begin: int) -> list[Styled]:
    found: list[Styled] = []
    taken: list[tuple[int, int]] = []
    for pattern, style in _SPANS:
        for match in pattern.finditer(line, begin):
            if style is not Style.CODE and any(a < match.end() and match.start() < b for a, b in taken):
                continue
            if style is Style.CODE:
                taken.append(match.span())
            found.append(Styled(*match.span(1), Style.MARK))
            found.append(Styled(*match.span(2), style))
            found.append(Styled(*match.span(3), Style.MARK))
    return found
