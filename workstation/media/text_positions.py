"""Places in a text: code points, bytes of the file, UTF-16 units, and where a person sees one character end.

Annotations count code points of the text as it stands. A window counts UTF-16 units and must not put a cursor inside
a flag or a syllable; an exporter may want bytes. Called by panes, exports and tests; pure functions.

Characters as a person sees them follow Unicode's extended grapheme clusters (UAX #29, with conjuncts of Indic
scripts), from Python's own character data and the short tables below.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]


@dataclass(frozen=True)
class TextPositions:
    """Converts places of one decoded text. Offsets lie from 0 to ``len(text)``; anything else is an ``IndexError``."""

    text: str
    encoding: str
    """``utf-8``, ``utf-16-le``, ``utf-16-be``, or an older one in which every character stands for itself."""
    mark_bytes: int = 0
    """Length of the byte order mark, which is no part of the text."""

    def byte_of(self, offset: int) -> int:
        """Where in the file the code point begins."""
        return self.mark_bytes + int(self._bytes[self._checked(offset)])

    def offset_of_byte(self, byte: int) -> int:
        """The code point that the byte of the file belongs to."""
        if not self.mark_bytes <= byte <= self.mark_bytes + int(self._bytes[-1]):
            raise IndexError(f"byte {byte} lies outside the text")
        return int(self._bytes.searchsorted(byte - self.mark_bytes, side="right")) - 1

    def utf16_of(self, offset: int) -> int:
        """UTF-16 units before the code point, as a window counts."""
        return int(self._units[self._checked(offset)])

    def offset_of_utf16(self, unit: int) -> int:
        """The code point that the UTF-16 unit belongs to."""
        if not 0 <= unit <= int(self._units[-1]):
            raise IndexError(f"unit {unit} lies outside the text")
        return int(self._units.searchsorted(unit, side="right")) - 1

    def character_at(self, offset: int) -> tuple[int, int]:
        """Start and end of the character, as a person sees it, that the code point belongs to."""
        line = self.text.rfind("\n", 0, self._checked(offset)) + 1  # a line feed always ends a character
        end = self.text.find("\n", offset)
        end = len(self.text) if end < 0 else end + 1
        if line and self.text[offset : offset + 1] == "\n" and line == offset and self.text[offset - 1] == "\r":
            line -= 1
        starts = [line + start for start in character_starts(self.text[line:end])]
        i = bisect_right(starts, offset) - 1
        if i < 0:
            return offset, offset
        return starts[i], starts[i + 1] if i + 1 < len(starts) else end

    def _checked(self, offset: int) -> int:
        if not 0 <= offset <= len(self.text):
            raise IndexError(f"offset {offset} of {len(self.text)}")
        return offset

    @cached_property
    def _code_points(self) -> NDArray[np.uint32]:
        return np.frombuffer(self.text.encode("utf-32-le", "surrogatepass"), np.uint32)

    @cached_property
    def _units(self) -> Int64s:
        return _cumulated(1 + (self._code_points > 0xFFFF))

    @cached_property
    def _bytes(self) -> Int64s:
        if self.encoding.startswith("utf-16"):
            return self._units * 2
        points = self._code_points
        if self.encoding != "utf-8":
            used, places = np.unique(points, return_inverse=True)
            lengths = np.array([len(chr(point).encode(self.encoding)) for point in used.tolist()], np.int64)
            return _cumulated(lengths[places])
        return _cumulated(1 + (points > 0x7F) + (points > 0x7FF).astype(np.int64) + (points > 0xFFFF))


def character_starts(text: str) -> list[int]:
    """Where each character, as a person sees it, begins. For a line or a stretch on the screen, not for a book."""
    starts: list[int] = []
    state = _State()
    for i, character in enumerate(text):
        kind = _kind(character)
        if i == 0 or state.breaks_before(kind, character):
            starts.append(i)
        state.pass_over(kind, character)
    return starts


class _Kind(Enum):
    OTHER = auto()
    CR = auto()
    LF = auto()
    CONTROL = auto()
    EXTEND = auto()
    ZWJ = auto()
    FLAG = auto()
    PREPEND = auto()
    SPACING = auto()
    L = auto()
    V = auto()
    T = auto()
    LV = auto()
    LVT = auto()
    PICTURE = auto()


_JOINS_NEXT = {
    _Kind.L: (_Kind.L, _Kind.V, _Kind.LV, _Kind.LVT),
    _Kind.LV: (_Kind.V, _Kind.T),
    _Kind.V: (_Kind.V, _Kind.T),
    _Kind.LVT: (_Kind.T,),
    _Kind.T: (_Kind.T,),
}
_ALONE = (_Kind.CR, _Kind.LF, _Kind.CONTROL)


class _State:
    """What of the characters before decides whether the next one begins a new cluster."""

    def __init__(self) -> None:
        self.last = _Kind.CONTROL
        self.flags = 0
        self.after_picture = False
        """A picture, then only extending marks, then perhaps a joiner."""
        self.conjunct = 0
        """1 after an Indic consonant and its marks, 2 once one of them was a linker."""

    def breaks_before(self, kind: _Kind, character: str) -> bool:
        last = self.last
        if last is _Kind.CR and kind is _Kind.LF:
            return False
        if last in _ALONE or kind in _ALONE:
            return True
        if kind in (_Kind.EXTEND, _Kind.ZWJ, _Kind.SPACING) or last is _Kind.PREPEND:
            return False
        if kind in _JOINS_NEXT.get(last, ()):
            return False
        if self.conjunct == 2 and _is_consonant(character):
            return False
        if last is _Kind.ZWJ and kind is _Kind.PICTURE and self.after_picture:
            return False
        return not (last is _Kind.FLAG and kind is _Kind.FLAG and self.flags % 2 == 1)

    def pass_over(self, kind: _Kind, character: str) -> None:
        self.flags = self.flags + 1 if kind is _Kind.FLAG else 0
        extends = kind in (_Kind.EXTEND, _Kind.ZWJ)
        if kind is _Kind.PICTURE:
            self.after_picture = True
        elif not extends or self.last is _Kind.ZWJ:
            self.after_picture = False
        if _is_consonant(character):
            self.conjunct = 1
        elif character in _LINKERS:
            self.conjunct = 2 if self.conjunct else 0
        elif not extends or character == "\u200c":
            self.conjunct = 0
        self.last = kind


def _ranges(text: str) -> tuple[tuple[int, int], ...]:
    pairs = (word.split("-") for word in text.split())
    return tuple((int(pair[0], 16), int(pair[-1], 16)) for pair in pairs)


_PICTURES = _ranges(
    "A9 AE 203C 2049 2122 2139 2194-2199 21A9-21AA 231A-231B 2328 2388 23CF 23E9-23F3 23F8-23FA 24C2 25AA-25AB 25B6 "
    "25C0 25FB-25FE 2600-2605 2607-2612 2614-2685 2690-2705 2708-2712 2714 2716 271D 2721 2728 2733-2734 2744 2747 "
    "274C 274E 2753-2755 2757 2763-2767 2795-2797 27A1 27B0 27BF 2934-2935 2B05-2B07 2B1B-2B1C 2B50 2B55 3030 303D "
    "3297 3299 1F000-1F0FF 1F10D-1F10F 1F12F 1F16C-1F171 1F17E-1F17F 1F18E 1F191-1F19A 1F1AD-1F1E5 1F201-1F20F 1F21A "
    "1F22F 1F232-1F23A 1F23C-1F23F 1F249-1F3FA 1F400-1F53D 1F546-1F64F 1F680-1F6FF 1F774-1F77F 1F7D5-1F7FF "
    "1F80C-1F80F 1F848-1F84F 1F85A-1F85F 1F888-1F88F 1F8AE-1F8FF 1F90C-1F93A 1F93C-1F945 1F947-1FAFF 1FC00-1FFFD"
)
_PREPENDS = _ranges("600-605 6DD 70F 890-891 8E2 D4E 110BD 110CD 111C2-111C3 1193F 11941 11A3A 11A84-11A89 11D46")
_EXTENDS = _ranges(
    "9BE 9D7 B3E B57 BBE BD7 CC2 CD5-CD6 D3E D57 DCF DDF 1B35 200C 302E-302F FF9E-FF9F 1133E 11357 114B0 114BD 115AF "
    "11930 1D165 1D16E-1D172 1F3FB-1F3FF E0020-E007F"
)
_NOT_SPACING = _ranges(
    "102B-102C 1038 1062-1064 1067-106D 1083 1087-108C 108F 109A-109C 1A61 1A63-1A64 AA7B AA7D 11720-11721"
)
_HANGUL = (
    (_Kind.L, _ranges("1100-115F A960-A97C")),
    (_Kind.V, _ranges("1160-11A7 D7B0-D7C6")),
    (_Kind.T, _ranges("11A8-11FF D7CB-D7FB")),
)
_CONSONANTS = _ranges(
    "915-939 958-95F 978-97F 995-9A8 9AA-9B0 9B2 9B6-9B9 9DC-9DD 9DF 9F0-9F1 A95-AA8 AAA-AB0 AB2-AB3 AB5-AB9 AF9 "
    "B15-B28 B2A-B30 B32-B33 B35-B39 B5C-B5D B5F B71 C15-C28 C2A-C39 C58-C5A D15-D3A"
)
_LINKERS = frozenset("\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d")


def _within(point: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= point <= last for first, last in ranges)


@lru_cache(maxsize=4096)
def _is_consonant(character: str) -> bool:
    return _within(ord(character), _CONSONANTS)


@lru_cache(maxsize=4096)
def _kind(character: str) -> _Kind:
    point = ord(character)
    fixed = {0x0D: _Kind.CR, 0x0A: _Kind.LF, 0x200D: _Kind.ZWJ, 0xE33: _Kind.SPACING, 0xEB3: _Kind.SPACING}.get(point)
    if fixed is not None:
        return fixed
    tables = ((_Kind.PREPEND, _PREPENDS), (_Kind.EXTEND, _EXTENDS), *_HANGUL, (_Kind.PICTURE, _PICTURES))
    for kind, ranges in tables:
        if _within(point, ranges):
            return kind
    if 0x1F1E6 <= point <= 0x1F1FF:
        return _Kind.FLAG
    if 0xAC00 <= point <= 0xD7A3:
        return _Kind.LV if (point - 0xAC00) % 28 == 0 else _Kind.LVT
    category = unicodedata.category(character)
    if category in ("Mn", "Me"):
        return _Kind.EXTEND
    if category == "Mc":
        return _Kind.OTHER if _within(point, _NOT_SPACING) else _Kind.SPACING
    return _Kind.CONTROL if category in ("Cc", "Cf", "Zl", "Zp", "Cs") else _Kind.OTHER


def _cumulated(widths: NDArray[np.integer]) -> Int64s:
    ends = np.zeros(len(widths) + 1, np.int64)
    np.cumsum(widths, out=ends[1:])
    return ends
