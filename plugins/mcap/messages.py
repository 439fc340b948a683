"""What the bytes of a message mean: ROS 2 (CDR) and ROS 1 by their message definitions, and JSON.

A decoder is made once per topic from its schema and turns bytes into plain dictionaries; arrays of numbers become
NumPy arrays, byte arrays stay views. Every count is checked against the bytes that are left before anything is made.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from workstation.core.errors import DataError
from workstation.core.untrusted import parse_json

Message = dict[str, Any]
Decoder = Callable[[memoryview], Message]
_DEEPEST = 24
_MOST_FIELDS = 5_000
_NUMBERS = {
    "bool": "?", "byte": "B", "char": "B", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i",
    "uint32": "I", "int64": "q", "uint64": "Q", "float32": "f", "float64": "d",
}  # fmt: skip
_TIME = "int32 sec\nuint32 nanosec"
_FIELD = re.compile(
    r"(?P<type>[A-Za-z][\w/]*)(?:<=\d+)?(?P<array>\[(?P<bound><=)?(?P<count>\d*)\])?\s+(?P<name>[A-Za-z]\w*)(?P<rest>.*)"
)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    type: str
    count: int | None
    """``None`` a single value, −1 a sequence, else a fixed array."""


def decoder_of(encoding: str, schema_name: str, schema_encoding: str, schema: bytes) -> Decoder:
    """How to read the messages of a topic; a ``DataError`` says what stands in the way."""
    if encoding == "json":
        return _read_json
    if encoding in ("cdr", "ros1") and schema_encoding in ("ros2msg", "ros1msg"):
        types = parse_definitions(schema_name, schema)
        root = _short(schema_name)
        if encoding == "cdr":
            return lambda data: _read_cdr(data, types, root)
        return lambda data: _Reader(data, types, aligned=False, order="<").struct(root, 0)
    what = encoding or "not named"
    raise DataError(f"messages are encoded as {what!r} by {schema_encoding!r}; ROS 2, ROS 1 and JSON can be read")


def parse_definitions(name: str, schema: bytes) -> dict[str, tuple[_Field, ...]]:
    """Fields of a message type and of every type it holds."""
    try:
        text = schema.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError("the definition of its messages is no text") from error
    types: dict[str, tuple[_Field, ...]] = {}
    for i, section in enumerate(re.split(r"^={10,}[ \t]*$", text, flags=re.MULTILINE)):
        own = _short(name)
        body = section.strip("\r\n")
        if i:
            head, _, body = body.partition("\n")
            if not head.startswith("MSG:"):
                raise DataError(f"the definition of its messages has a part without a name: {head[:60]!r}")
            own = _short(head[4:].strip())
        types[own] = _fields(body, own.partition("/")[0], name)
    for missing, definition in (("builtin_interfaces/Time", _TIME), ("builtin_interfaces/Duration", _TIME)):
        types.setdefault(missing, _fields(definition, "builtin_interfaces", name))
    if sum(map(len, types.values())) > _MOST_FIELDS:
        raise DataError(f"its messages have more than {_MOST_FIELDS:,} fields")
    return types


def _fields(body: str, package: str, name: str) -> tuple[_Field, ...]:
    fields = []
    for line in body.split("\n"):
        line = line.partition("#")[0].strip()
        if not line or line.startswith("@"):
            continue
        found = _FIELD.fullmatch(line)
        if found is None:
            raise DataError(f"the definition of {name[:80]!r} has a line that cannot be read: {line[:60]!r}")
        if found["rest"].lstrip().startswith("="):
            continue  # a constant
        kind = found["type"]
        if kind not in _NUMBERS and kind not in ("string", "wstring", "time", "duration"):
            kind = "std_msgs/Header" if kind == "Header" else _short(kind if "/" in kind else f"{package}/{kind}")
        count = None if not found["array"] else -1 if found["bound"] or not found["count"] else int(found["count"])
        fields.append(_Field(found["name"], kind, count))
    return tuple(fields)


def _short(name: str) -> str:
    """``sensor_msgs/msg/Image`` and ``sensor_msgs/Image`` are one."""
    parts = name.split("/")
    return f"{parts[0]}/{parts[-1]}" if len(parts) > 1 else name


def _read_cdr(data: memoryview, types: dict[str, tuple[_Field, ...]], root: str) -> Message:
    if len(data) < 4 or data[0] != 0 or data[1] > 1:
        raise DataError("a message does not begin as plain CDR does")
    return _Reader(data[4:], types, aligned=True, order="<" if data[1] == 1 else ">").struct(root, 0)


class _Reader:
    """A position in the bytes of one message."""

    def __init__(self, data: memoryview, types: dict[str, tuple[_Field, ...]], *, aligned: bool, order: str) -> None:
        self._data = data
        self._types = types
        self._aligned = aligned
        self._order = order
        self._at = 0

    def struct(self, name: str, depth: int) -> Message:
        fields = self._types.get(name)
        if fields is None:
            raise DataError(f"the type {name[:80]!r} is not defined")
        if depth > _DEEPEST:
            raise DataError("a message is nested too deeply")
        return {field.name: self._value(field, depth) for field in fields}

    def _value(self, field: _Field, depth: int) -> Any:
        if field.count is None:
            return self._single(field.type, depth)
        count = self._number("I") if field.count < 0 else field.count
        left = len(self._data) - self._at
        code = _NUMBERS.get(field.type)
        if count > left:  # every element has at least one byte
            raise DataError(f"a list of {count:,} items in a message of {len(self._data):,} bytes")
        if code is None:
            return [self._single(field.type, depth) for _ in range(count)]
        size = struct.calcsize(code)
        if count:
            self._align(size)
        end = self._at + count * size
        if end > len(self._data):
            raise DataError(f"a list of {count:,} numbers is longer than its message")
        view = self._data[self._at : end]
        self._at = end
        return view if code == "B" else np.frombuffer(view, np.dtype(self._order + code))

    def _single(self, kind: str, depth: int) -> Any:
        code = _NUMBERS.get(kind)
        if code is not None:
            return self._number(code)
        if kind == "string":
            return self._string()
        if kind in ("time", "duration"):  # of ROS 1
            codes = "II" if kind == "time" else "ii"
            return {"sec": self._number(codes[0]), "nanosec": self._number(codes[1])}
        if kind == "wstring":
            raise DataError("messages with wide text cannot be read")
        return self.struct(kind, depth + 1)

    def _number(self, code: str) -> Any:
        size = struct.calcsize(code)
        self._align(size)
        if self._at + size > len(self._data):
            raise DataError("a message is cut off")
        value = struct.unpack_from(self._order + code, self._data, self._at)[0]
        self._at += size
        return value

    def _string(self) -> str:
        length = self._number("I")
        if self._at + length > len(self._data):
            raise DataError("a text is longer than its message")
        raw = bytes(self._data[self._at : self._at + length])
        self._at += length
        return (raw[:-1] if self._aligned and raw.endswith(b"\0") else raw).decode("utf-8", "replace")

    def _align(self, size: int) -> None:
        if self._aligned:
            self._at += -self._at % size


def _read_json(data: memoryview) -> Message:
    found = parse_json(bytes(data), path="message")
    return found.mapping()


def bytes_of(message: Message, name: str) -> memoryview:
    """A byte array: a view, a list of small numbers, or base 64 where the message is JSON."""
    value = message.get(name)
    if isinstance(value, memoryview):
        return value
    if isinstance(value, str):
        try:
            return memoryview(base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError) as error:
            raise DataError(f"{name!r} is no base 64") from error
    if isinstance(value, np.ndarray):
        return memoryview(value.tobytes())
    raise DataError(f"a message has no bytes {name!r}")


def number_of(message: Message, name: str) -> float:
    """A number of a message."""
    value = message.get(name)
    try:
        if isinstance(value, str | bool) or value is None:
            raise TypeError
        return float(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"a message has no number {name!r}") from error


def whole_of(message: Message, name: str) -> int:
    """A whole number of a message, at least zero."""
    value = number_of(message, name)
    if not 0 <= value < 1 << 53 or value != int(value):
        raise DataError(f"{name!r} is {value}, which cannot be")
    return int(value)


def part_of(message: Message, *names: str) -> Message:
    """A message inside a message."""
    inner: Any = message
    for name in names:
        inner = inner.get(name) if isinstance(inner, dict) else None
    if not isinstance(inner, dict):
        raise DataError(f"a message has no {'.'.join(names)!r}")
    return inner


def stamp_ns(message: Message) -> int | None:
    """The sensor's own time: of the header, of the first transform, or of the message; ``None`` if it has none."""
    moved = message.get("transforms")
    header = message.get("header", moved[0].get("header") if isinstance(moved, list) and moved else None)
    places = [header.get("stamp")] if isinstance(header, dict) else []
    for place in (*places, message.get("timestamp"), message.get("stamp")):
        if isinstance(place, dict):
            seconds, part = place.get("sec"), place.get("nanosec", place.get("nsec"))
            if isinstance(seconds, int) and isinstance(part, int) and 0 <= part < 10**9 and abs(seconds) < 1 << 32:
                return seconds * 10**9 + part
    return None


def frame_of(message: Message) -> str:
    """The name of the frame its places are in."""
    header = message.get("header")
    for place in (header, message):
        if isinstance(place, dict) and isinstance(place.get("frame_id"), str):
            return str(place["frame_id"])[:200].lstrip("/")
    return ""
