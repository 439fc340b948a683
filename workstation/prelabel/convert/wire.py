"""The wire format of protocol buffers, both ways: all that is needed to read a frozen graph and to write ONNX."""

from __future__ import annotations

import struct
from collections.abc import Iterator

Value = int | bytes


def fields(buffer: bytes) -> Iterator[tuple[int, Value]]:
    """Field numbers and values: whole numbers as they are, everything else as bytes. ``ValueError`` when cut off."""
    place = 0
    while place < len(buffer):
        key, place = varint(buffer, place)
        kind = key & 7
        if kind == 0:
            number, place = varint(buffer, place)
            yield key >> 3, number
            continue
        if kind not in (1, 2, 5):
            raise ValueError("no protocol buffer")
        size, place = varint(buffer, place) if kind == 2 else (8 if kind == 1 else 4, place)
        if place + size > len(buffer):
            raise ValueError("the file is cut off")
        yield key >> 3, buffer[place : place + size]
        place += size


def varint(buffer: bytes, place: int) -> tuple[int, int]:
    """A whole number and the place behind it."""
    number = shift = 0
    while shift < 70:
        if place >= len(buffer):
            raise ValueError("the file is cut off")
        byte = buffer[place]
        place += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, place
        shift += 7
    raise ValueError("no protocol buffer")


def signed(number: int) -> int:
    """A 64-bit number with its sign."""
    return number - (1 << 64) if number >> 63 else number


def whole(value: Value) -> int:
    """A number field as the signed number it is."""
    if not isinstance(value, int):
        raise ValueError("a number is missing")
    return signed(value)


def raw(value: Value) -> bytes:
    """A field of bytes as such."""
    if isinstance(value, int):
        raise ValueError("a part is missing")
    return value


def wholes(value: Value) -> list[int]:
    """One number, or many packed into bytes."""
    if isinstance(value, int):
        return [signed(value)]
    found, place = [], 0
    while place < len(value):
        number, place = varint(value, place)
        found.append(signed(number))
    return found


def write_varint(number: int) -> bytes:
    """The bytes of a whole number; negative ones take ten."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def write_field(number: int, value: int | float | str | bytes) -> bytes:
    """One field: whole numbers as varints, real ones as 32 bits, the rest with its length before it."""
    if isinstance(value, int):
        return write_varint(number << 3) + write_varint(value)
    if isinstance(value, float):
        return write_varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return write_varint(number << 3 | 2) + write_varint(len(data)) + data
