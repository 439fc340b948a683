"""Writes MCAP files byte by byte by the specification, right ones and wrong ones, for the tests."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field

MAGIC = b"\x89MCAP0\r\n"


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<I", len(data)) + data


def record(opcode: int, content: bytes) -> bytes:
    return struct.pack("<BQ", opcode, len(content)) + content


def schema(number: int, name: str, encoding: str, data: bytes) -> bytes:
    return record(3, struct.pack("<H", number) + text(name) + text(encoding) + struct.pack("<I", len(data)) + data)


def channel(number: int, schema_number: int, topic: str, encoding: str) -> bytes:
    head = struct.pack("<HH", number, schema_number)
    return record(4, head + text(topic) + text(encoding) + struct.pack("<I", 0))


def message(number: int, log_time: int, data: bytes) -> bytes:
    return record(5, struct.pack("<HIQQ", number, 0, log_time, log_time) + data)


def chunk(records: bytes, *, compression: str = "", size: int | None = None, packed: bytes | None = None) -> bytes:
    data = records if packed is None else packed
    head = struct.pack("<QQQI", 0, 0, len(records) if size is None else size, 0)
    return record(6, head + text(compression) + struct.pack("<Q", len(data)) + data)


def index(number: int, entries: list[tuple[int, int]]) -> bytes:
    rows = b"".join(struct.pack("<QQ", *entry) for entry in entries)
    return record(7, struct.pack("<HI", number, len(rows)) + rows)


def whole(*records: bytes) -> bytes:
    footer = record(2, struct.pack("<QQI", 0, 0, 0))
    return MAGIC + record(1, text("") + text("")) + b"".join(records) + record(15, bytes(4)) + footer + MAGIC


@dataclass
class Writer:
    """Topics and messages of one file."""

    parts: list[bytes] = field(default_factory=list)
    count: int = 0

    def topic(self, name: str, kind: str, definition: str = "", encoding: str = "json") -> int:
        self.count += 1
        by = {"json": "jsonschema", "cdr": "ros2msg", "ros1": "ros1msg"}.get(encoding, encoding)
        self.parts += [
            schema(self.count, kind, by, definition.encode()),
            channel(self.count, self.count, name, encoding),
        ]
        return self.count

    def say(self, number: int, log_time: int, data: bytes | dict[str, object]) -> None:
        body = json.dumps(data).encode() if isinstance(data, dict) else data
        self.parts.append(message(number, log_time, body))

    def bytes(self) -> bytes:
        return whole(*self.parts)
