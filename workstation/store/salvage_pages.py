"""Rows out of the bare pages of a damaged database, without SQLite: what every page still says by itself.

``salvage.py`` uses this when SQLite cannot open the file or reach a part of it: pages of zeros, a file cut short, a
header of rubbish. Only leaf pages of tables are read; where a page does not make sense it is passed over.
The file format is SQLite's, https://www.sqlite.org/fileformat2.html; nothing here trusts a length it finds.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

Value = int | float | str | bytes | None
Row = tuple[Value, ...]

MAGIC = b"SQLite format 3\x00"
_TABLE_LEAF = 0x0D
_BTREE_TYPES = frozenset({0x02, 0x05, 0x0A, 0x0D})
_INT_SIZES = (0, 1, 2, 3, 4, 6, 8)
_WAL_MAGIC = (0x377F0682, 0x377F0683)
_LONGEST_ROW = 1 << 30


class Pages:
    """The pages of a database file, with the committed part of its write-ahead log laid over them."""

    def __init__(self, database: Path, log: Path | None = None) -> None:
        with database.open("rb") as file:
            # Mapped, not read: a project may be larger than the memory. An empty file cannot be mapped.
            empty = database.stat().st_size == 0
            self._data: mmap.mmap | bytes = b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.page_size = _page_size(self._data)
        self._over: dict[int, bytes] = {}
        if log is not None and log.is_file():
            size, self._over = committed_pages(log.read_bytes())
            if self._over and size != self.page_size:
                self.page_size = size
        whole = -(-len(self._data) // self.page_size)
        self.count = max(whole, max(self._over, default=0))

    def page(self, number: int) -> bytes:
        """Page ``number`` (from 1), filled up with zeros where the file was cut; empty if there is none."""
        if number in self._over:
            return self._over[number]
        if not 1 <= number <= self.count:
            return b""
        start = (number - 1) * self.page_size
        return self._data[start : start + self.page_size].ljust(self.page_size, b"\0")

    def close(self) -> None:
        """Let the file go."""
        if isinstance(self._data, mmap.mmap):
            self._data.close()

    def leaf_rows(self) -> Iterator[tuple[int, Row]]:
        """Every row of every readable table leaf: its rowid and its values, from all tables mixed."""
        for number in range(1, self.count + 1):
            page = self.page(number)
            start = 100 if number == 1 else 0
            if page[start] == _TABLE_LEAF:
                yield from self._rows_of(page, start)

    def _rows_of(self, page: bytes, start: int) -> Iterator[tuple[int, Row]]:
        (cells,) = struct.unpack_from(">H", page, start + 3)
        for index in range(min(cells, (self.page_size - start - 8) // 2)):
            (at,) = struct.unpack_from(">H", page, start + 8 + 2 * index)
            try:
                yield self._cell(page, at)
            except (IndexError, ValueError, struct.error):
                continue  # not a cell: the page is damaged there, its other cells may be whole

    def _cell(self, page: bytes, at: int) -> tuple[int, Row]:
        length, at = _varint(page, at)
        rowid, at = _varint(page, at)
        if not 0 < length <= min(_LONGEST_ROW, self.count * self.page_size):
            raise ValueError("a row longer than the file")
        return rowid - (1 << 64) if rowid >= 1 << 63 else rowid, _values(self._payload(page, at, length))

    def _payload(self, page: bytes, at: int, length: int) -> bytes:
        usable = self.page_size
        if length <= usable - 35:
            return _exactly(page[at : at + length], length)
        least = (usable - 12) * 32 // 255 - 23
        local = least + (length - least) % (usable - 4)
        if local > usable - 35:
            local = least
        parts = [_exactly(page[at : at + local], local)]
        (following,) = struct.unpack_from(">I", page, at + local)
        missing = length - local
        while missing > 0:
            overflow = self.page(following)
            if not overflow:
                raise ValueError("the row goes on in a page that is not there")
            (following,) = struct.unpack_from(">I", overflow, 0)
            parts.append(_exactly(overflow[4 : 4 + min(missing, usable - 4)], min(missing, usable - 4)))
            missing -= usable - 4
        return b"".join(parts)


def committed_pages(log: bytes) -> tuple[int, dict[int, bytes]]:
    """Page size and newest committed pages of a write-ahead log; its checksums decide where it ends."""
    if len(log) < 32:
        return 0, {}
    magic, _, page_size, _, salt_1, salt_2, sum_1, sum_2 = struct.unpack_from(">8I", log)
    if magic not in _WAL_MAGIC or not _is_page_size(page_size):
        return 0, {}
    order = ">" if magic & 1 else "<"
    sums = _checksum(log[:24], (0, 0), order)
    if sums != (sum_1, sum_2):
        return 0, {}
    committed: dict[int, bytes] = {}
    waiting: dict[int, bytes] = {}
    frame = 24 + page_size
    for at in range(32, len(log) - frame + 1, frame):
        number, commit, first, second, frame_1, frame_2 = struct.unpack_from(">6I", log, at)
        if (first, second) != (salt_1, salt_2):
            break
        page = log[at + 24 : at + frame]
        sums = _checksum(page, _checksum(log[at : at + 8], sums, order), order)
        if sums != (frame_1, frame_2):
            break
        waiting[number] = page
        if commit:
            committed.update(waiting)
            waiting.clear()
    return page_size, committed


def _checksum(data: bytes, start: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def _page_size(data: mmap.mmap | bytes) -> int:
    """As the header says; where the header is rubbish, the size at which most pages look like pages."""
    if data[:16] == MAGIC and len(data) >= 18:
        (size,) = struct.unpack_from(">H", data, 16)
        size = 65536 if size == 1 else size
        if _is_page_size(size):
            return int(size)

    def score(size: int) -> float:
        starts = range(size, min(len(data), 2000 * size), size)
        return sum(_looks_like_leaf(data, start, size) for start in starts) / max(len(starts), 1)

    sizes = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)
    scores = {size: score(size) for size in sizes}
    # Twice the true size hits every other page and scores as well; half of it hits the middle of pages too.
    return next(size for size in sizes if scores[size] >= 0.75 * max(scores.values()))


def _looks_like_leaf(data: mmap.mmap | bytes, start: int, size: int) -> bool:
    if data[start] not in _BTREE_TYPES or start + 8 > len(data):
        return False
    _, cells, content = struct.unpack_from(">HHH", data, start + 1)
    return bool(cells * 2 + 8 <= (content or 65536) <= size)


def _is_page_size(size: int) -> bool:
    return 512 <= size <= 65536 and size & (size - 1) == 0


def _exactly(part: bytes, length: int) -> bytes:
    if len(part) != length:
        raise ValueError("the row runs out of its page")
    return part


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        byte = data[at + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    return value << 8 | data[at + 8], at + 9


def _values(record: bytes) -> Row:
    """The values of a record: a header of types, then the bytes."""
    end, at = _varint(record, 0)
    if not at <= end <= len(record):
        raise ValueError("no record header")
    types = []
    while at < end:
        kind, at = _varint(record, at)
        types.append(kind)
    values: list[Value] = []
    for kind in types:
        value, at = _value(record, at, kind)
        values.append(value)
    return tuple(values)


def _value(record: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind <= 6:
        size = _INT_SIZES[kind]
        return int.from_bytes(_exactly(record[at : at + size], size), "big", signed=True), at + size
    if kind == 7:
        (number,) = struct.unpack_from(">d", record, at)
        return float(number), at + 8
    if kind in (8, 9):
        return kind - 8, at
    if kind < 12:
        raise ValueError("a type that never occurs")
    size = (kind - 12) // 2
    part = _exactly(record[at : at + size], size)
    return (part.decode() if kind & 1 else part), at + size
