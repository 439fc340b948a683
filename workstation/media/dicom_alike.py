"""Reads the headers of many DICOM files, most of which differ from the one before in number and place only.

Parsing a header whole costs more than decoding plain pixels. The slices of a series say the same but for four elements,
so of the next file the elements are found where they lie, compared as bytes, and only those four are read. Whatever is
not plain, or differs in anything else that is read, is parsed whole. Used by ``dicom`` and ``dicom_series``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from workstation.core.errors import DataError
from workstation.media.dicom_header import TAGS, FileHeader, Triple, read_header, triple_of

_MOST_READ = 1 << 16
_UNDEFINED = 0xFFFFFFFF
_PIXELS = 0x7FE00000
_SYNTAX = 0x00020010
_INSTANCE, _NUMBER, _PLACE = 0x00080018, 0x00200013, 0x00200032
_MAY_DIFFER = frozenset({_INSTANCE, _NUMBER, _PLACE, 0x00080032})
"""The last, the time of acquisition, is in no header of ours."""
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_SHORT = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
     b"ST", b"TM", b"UI", b"UL", b"US"}
)  # fmt: skip
_IMPLICIT, _EXPLICIT = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1"
_UID = re.compile(rb"[0-9.]{1,64}[\0 ]?")
_WHOLE = re.compile(rb" *[+-]?\d{1,12} *")
_DECIMAL = re.compile(rb" *[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,2})? *")


@dataclass(frozen=True, slots=True)
class _Found:
    """What is read of a file, as bytes by tag, and where its pixels begin."""

    elements: Mapping[int, bytes]
    pixels_at: int


class HeaderReader:
    """Reads one header after the other."""

    def __init__(self) -> None:
        self._before: tuple[_Found, FileHeader] | None = None

    def read(self, path: Path) -> FileHeader:
        """The header of one file. A ``DataError`` if it is no DICOM file or holds no pictures."""
        try:
            found = _found(path)
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror or error}", path=path) from error
        if found is not None and self._before is not None:
            header = _like(path, found, *self._before)
            if header is not None:
                return header
        header = read_header(path)
        plain = found is not None and len(header.frames) == 1 and found.pixels_at == header.pixels_at
        self._before = (found, header) if plain and found is not None else None
        return header


def _like(path: Path, found: _Found, before: _Found, header: FileHeader) -> FileHeader | None:
    """The header of a file that says what the one before said but for number and place; ``None`` if it does not."""
    ours, theirs = found.elements, before.elements
    if ours.keys() != theirs.keys() or any(
        value != theirs[tag] for tag, value in ours.items() if tag not in _MAY_DIFFER
    ):
        return None
    instance, number, place = (ours.get(tag) for tag in (_INSTANCE, _NUMBER, _PLACE))
    position: Triple | None = None
    if place is not None:
        position = _place(place)
        if position is None:
            return None
    if instance is None or not _UID.fullmatch(instance):
        return None
    if number is not None and not _WHOLE.fullmatch(number):
        return None
    uid = instance.decode("ascii").strip("\0 ")
    frame = replace(header.frames[0], path=path, instance=uid, position=position)
    return replace(
        header, path=path, instance=uid, number=None if number is None else int(number), frames=(frame,),
        pixels_at=found.pixels_at,
    )  # fmt: skip


def _place(value: bytes) -> Triple | None:
    parts = value.split(b"\\")
    if len(parts) != 3 or not all(len(part) <= 17 and _DECIMAL.fullmatch(part) for part in parts):
        return None
    return triple_of([part.decode("ascii").strip() for part in parts])


def _found(path: Path) -> _Found | None:
    """The elements as they lie in a plain file; ``None`` if anything about it is not plain."""
    with path.open("rb") as file:
        data = file.read(_MOST_READ)
    begun = _begun(data)
    if begun is None:
        return None
    syntax, at = begun
    walk = _explicit if syntax == _EXPLICIT else _implicit
    wanted, elements, last = _wanted(), {_SYNTAX: syntax}, 0
    while (step := walk(data, at)) is not None:
        tag, start, end = step
        if tag & 0xFFFF0000 == _PIXELS:
            return _Found(elements, at)
        if tag <= last or end > len(data):
            return None  # out of order, or twice, or too large
        last, at = tag, end
        if tag in wanted:
            elements[tag] = data[start:end]
    return None


def _begun(data: bytes) -> tuple[bytes, int] | None:
    """The transfer syntax of a plain file, and where its elements begin."""
    if data[128:132] != b"DICM":
        return None
    at, syntax = 132, b""
    while data[at : at + 2] == b"\x02\x00":
        step = _explicit(data, at)
        if step is None:
            return None
        tag, start, at = step
        syntax = data[start:at].rstrip(b"\0 ") if tag == _SYNTAX else syntax
    says_kinds = data[at + 4 : at + 6] in _SHORT or data[at + 4 : at + 6] in _LONG
    plain = syntax == _EXPLICIT or (syntax == _IMPLICIT and not says_kinds)
    return (syntax, at) if plain else None


def _explicit(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Tag, where the value begins and where it ends, of the element that begins there."""
    kind = data[at + 4 : at + 6]
    if kind in _SHORT:
        start = at + 8
        length = int.from_bytes(data[at + 6 : start], "little")
    elif kind in _LONG:
        start = at + 12
        length = int.from_bytes(data[at + 8 : start], "little")
    else:
        return None
    return _stepped(data, at, start, length)


def _implicit(data: bytes, at: int) -> tuple[int, int, int] | None:
    return _stepped(data, at, at + 8, int.from_bytes(data[at + 4 : at + 8], "little"))


def _stepped(data: bytes, at: int, start: int, length: int) -> tuple[int, int, int] | None:
    if start > len(data) or length == _UNDEFINED:
        return None
    tag = int.from_bytes(data[at : at + 2], "little") << 16 | int.from_bytes(data[at + 2 : at + 4], "little")
    return tag, start, start + length


@cache
def _wanted() -> frozenset[int]:
    from pydicom.datadict import tag_for_keyword

    tags = {tag_for_keyword(name) for name in TAGS}
    return frozenset(int(tag) for tag in tags if tag is not None)
