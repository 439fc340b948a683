"""The container: an index of every message of an MCAP file, and each message's bytes when asked for.

Own code on purpose: a recorder that lost power leaves no summary, and every length in a file is a claim. The file is
walked once by its record headers; chunks are unpacked only when a message of theirs is wanted, to exactly the size
they state and no further. Used by ``mcap_log`` and ``streams``; knows nothing of what messages mean.
"""

from __future__ import annotations

import os
import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import OpenContext

MAGIC = b"\x89MCAP0\r\n"
_MOST_CHUNK_BYTES = 1 << 30
_MOST_RECORD_BYTES = 64 << 20
_MOST_CHANNELS = 10_000
_HEADER, _FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _MESSAGE_INDEX, _DATA_END = 1, 2, 3, 4, 5, 6, 7, 15
_UNPACK = {"lz4": "lz4", "zstd": "zstd"}


@dataclass(frozen=True, slots=True)
class Schema:
    """What the messages of a channel look like, in the file's own words."""

    name: str
    encoding: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Topic:
    """One channel."""

    id: int
    name: str
    encoding: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class _Chunk:
    start: int
    """Where its packed records begin in the file."""
    packed: int
    size: int
    compression: str


@dataclass(slots=True)
class _Found:
    """What the walk collects."""

    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, tuple[int, str, str]] = field(default_factory=dict)
    chunks: list[_Chunk] = field(default_factory=list)
    places: dict[int, list[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(list))
    """Channel -> (log time, chunk or −1, offset)."""
    messages: int = 0
    unindexed: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


class Recording:
    """One open file. Messages of a topic are numbered by their log time."""

    def __init__(self, path: Path, context: OpenContext) -> None:
        self.path = path
        self._limits = context.limits
        self._share = context.memory.share()
        try:
            self._file: IO[bytes] = path.open("rb")
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror or error}", path=path) from error
        try:
            self._size = os.fstat(self._file.fileno()).st_size
            self._found = _Found()
            self._walk(context)
            self._learn_channels(context)
            self._places = self._sorted()
        except BaseException:
            self.close()
            raise

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._found.notes)

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Channels that hold messages and whose schema is known, by name."""
        none = Schema("", "", b"")
        topics = [
            Topic(number, name, encoding, self._found.schemas.get(schema, none))
            for number, (schema, name, encoding) in self._found.channels.items()
            if number in self._places
        ]
        return tuple(sorted(topics, key=lambda topic: (topic.name, topic.id)))

    def topic(self, name: str) -> Topic:
        """The channel of that name; of several the one with most messages."""
        named = [topic for topic in self.topics if topic.name == name]
        if not named:
            raise DataError(f"holds no topic {name!r}", path=self.path)
        return max(named, key=lambda topic: len(self._places[topic.id]))

    def log_times(self, topic: Topic) -> NDArray[np.int64]:
        """(n,) int64 nanoseconds since 1970, rising: when each message was recorded."""
        return self._places[topic.id][:, 0]

    def message(self, topic: Topic, index: int) -> memoryview:
        """The bytes of message ``index`` of a topic."""
        _, chunk, offset = self._places[topic.id][index].tolist()
        place = f"{topic.name}, message {index}"
        if chunk < 0:
            self._file.seek(offset)
            length = struct.unpack("<Q", self._read(8, place))[0]
            self._check(length, place)
            return memoryview(self._read(length, place))[22:]
        records = self._records(chunk)
        if offset + 9 > len(records) or records[offset] != _MESSAGE:
            raise DataError("the index of messages does not fit the chunk", path=self.path, place=place)
        length = struct.unpack_from("<Q", records, offset + 1)[0]
        if length < 22 or offset + 9 + length > len(records):
            raise DataError("the message is longer than its chunk", path=self.path, place=place)
        return records[offset + 31 : offset + 9 + length]

    def close(self) -> None:
        self._share.close()
        self._file.close()

    def _read(self, size: int, place: str = "") -> bytes:
        data = self._file.read(size) if size <= self._size else b""
        if len(data) < size:
            raise DataError("is cut off", path=self.path, place=place or None)
        return data

    def _check(self, length: int, place: str) -> None:
        if length < 22 or length > self._limits.max_bytes:
            raise DataError(f"a message of {length:,} bytes cannot be read", path=self.path, place=place)

    def _walk(self, context: OpenContext) -> None:
        """Every record of the data section by its header; a cut end is noted and what is before it is used."""
        if self._file.read(len(MAGIC)) != MAGIC:
            raise DataError("is no MCAP file", path=self.path)
        at = len(MAGIC)
        while at + 9 <= self._size:
            context.cancel.check()
            self._file.seek(at)
            opcode, length = struct.unpack("<BQ", self._read(9))
            if opcode in (_FOOTER, 0):
                return
            if at + 9 + length > self._size:
                break
            try:
                self._take(opcode, at + 9, length)
            except (struct.error, UnicodeDecodeError) as error:
                raise DataError("a record is damaged", path=self.path, place=f"byte {at}") from error
            at += 9 + length
            if context.progress is not None:
                context.progress(at / self._size)
        self._found.notes.append("the file ends before its summary, as after a lost recording; what is there is shown")

    def _take(self, opcode: int, at: int, length: int) -> None:
        if opcode == _CHUNK:
            self._take_chunk(at, length)
        elif opcode == _MESSAGE_INDEX:
            self._take_index(self._small(length))
        elif opcode == _MESSAGE and length >= 22:
            channel, _, log_time = struct.unpack("<HIQ", self._read(14))
            self._place(channel, log_time, -1, at - 8)
        elif opcode in (_SCHEMA, _CHANNEL):
            self._define(opcode, self._small(length))

    def _small(self, length: int) -> bytes:
        if length > _MOST_RECORD_BYTES:
            raise DataError(f"a record of {length:,} bytes cannot be read", path=self.path)
        return self._read(length)

    def _take_chunk(self, at: int, length: int) -> None:
        _, _, size, _ = struct.unpack("<QQQI", self._read(28))
        name_length = struct.unpack("<I", self._read(4))[0]
        if name_length > 32:
            raise DataError("a chunk is packed in an unknown way", path=self.path, place=f"byte {at}")
        compression = self._read(name_length).decode()
        packed = struct.unpack("<Q", self._read(8))[0]
        if packed + 40 + name_length > length:
            raise DataError("a chunk is longer than its record", path=self.path, place=f"byte {at}")
        self._found.chunks.append(_Chunk(at + 40 + name_length, packed, size, compression))
        self._found.unindexed.add(len(self._found.chunks) - 1)

    def _take_index(self, data: bytes) -> None:
        channel, length = struct.unpack_from("<HI", data)
        if not self._found.chunks or length % 16 or 6 + length > len(data):
            return
        chunk = len(self._found.chunks) - 1
        self._found.unindexed.discard(chunk)
        for log_time, offset in struct.iter_unpack("<QQ", data[6 : 6 + length]):
            self._place(channel, log_time, chunk, offset)

    def _place(self, channel: int, log_time: int, chunk: int, offset: int) -> None:
        if log_time >= 1 << 62 or offset >= 1 << 62:
            raise DataError(f"a message has the time {log_time}", path=self.path)
        self._found.messages += 1
        self._limits.check_items(self._found.messages, path=self.path)
        self._found.places[channel].append((log_time, chunk, offset))

    def _define(self, opcode: int, data: bytes) -> None:
        if opcode == _SCHEMA:
            number = struct.unpack_from("<H", data)[0]
            name, at = _string(data, 2)
            encoding, at = _string(data, at)
            length = struct.unpack_from("<I", data, at)[0]
            self._found.schemas[number] = Schema(name, encoding, data[at + 4 : at + 4 + length])
        else:
            number, schema = struct.unpack_from("<HH", data)
            name, at = _string(data, 4)
            encoding, at = _string(data, at)
            self._found.channels[number] = (schema, name, encoding)
        if len(self._found.channels) > _MOST_CHANNELS:
            raise DataError(f"claims more than {_MOST_CHANNELS:,} topics", path=self.path)

    def _learn_channels(self, context: OpenContext) -> None:
        """Chunks hold the channels' definitions: unpack as few as it takes to know all, and those without an index."""
        for number in range(len(self._found.chunks)):
            unindexed = number in self._found.unindexed
            if not unindexed and not self._unknown():
                continue
            context.cancel.check()
            for opcode, offset, data in self._inner(number):
                if opcode in (_SCHEMA, _CHANNEL):
                    try:
                        self._define(opcode, bytes(data))
                    except (struct.error, UnicodeDecodeError) as error:
                        reason = "the definition of a topic is damaged"
                        raise DataError(reason, path=self.path, place=f"chunk {number}") from error
                elif opcode == _MESSAGE and unindexed and len(data) >= 22:
                    channel, _, log_time = struct.unpack_from("<HIQ", data)
                    self._place(channel, log_time, number, offset)

    def _unknown(self) -> bool:
        channels, schemas = self._found.channels, self._found.schemas
        if any(number not in channels for number in self._found.places):
            return True
        return any(schema and schema not in schemas for schema, _, _ in channels.values())

    def _inner(self, number: int) -> Iterator[tuple[int, int, memoryview]]:
        records = self._records(number)
        at = 0
        while at + 9 <= len(records):
            opcode, length = struct.unpack_from("<BQ", records, at)
            if at + 9 + length > len(records):
                raise DataError("a record is longer than its chunk", path=self.path, place=f"chunk {number}")
            yield opcode, at, records[at + 9 : at + 9 + length]
            at += 9 + length

    def _records(self, number: int) -> memoryview:
        """A chunk unpacked, to exactly the size it states."""
        held: memoryview | None = self._share.get(number)
        if held is not None:
            return held
        chunk = self._found.chunks[number]
        place = f"chunk {number}"
        if chunk.size > _MOST_CHUNK_BYTES:
            raise DataError(f"a chunk would unpack to {chunk.size:,} bytes", path=self.path, place=place)
        self._file.seek(chunk.start)
        packed = self._read(chunk.packed, place)
        if not chunk.compression:
            unpacked = packed
        elif chunk.compression in _UNPACK:
            unpacked = self._unpack(packed, chunk, place)
        else:
            raise DataError(f"a chunk is packed as {chunk.compression[:20]!r}", path=self.path, place=place)
        if len(unpacked) != chunk.size:
            raise DataError("a chunk does not unpack to the size it states", path=self.path, place=place)
        held = memoryview(unpacked)
        self._share.put(number, held, len(held))
        return held

    def _unpack(self, packed: bytes, chunk: _Chunk, place: str) -> bytes:
        import pyarrow as pa

        try:
            unpacked: bytes = pa.decompress(packed, chunk.size, codec=_UNPACK[chunk.compression], asbytes=True)
        except (pa.ArrowException, OSError) as error:
            raise DataError("a chunk is damaged and cannot be unpacked", path=self.path, place=place) from error
        return unpacked

    def _sorted(self) -> dict[int, NDArray[np.int64]]:
        places: dict[int, NDArray[np.int64]] = {}
        for channel, rows in self._found.places.items():
            table = np.array(rows, np.int64).reshape(-1, 3)
            places[channel] = table[np.argsort(table[:, 0], kind="stable")]
        self._found.places.clear()
        return places


def _string(data: bytes, at: int) -> tuple[str, int]:
    length = struct.unpack_from("<I", data, at)[0]
    if at + 4 + length > len(data):
        raise struct.error("a text is longer than its record")
    return data[at + 4 : at + 4 + length].decode(), at + 4 + length
