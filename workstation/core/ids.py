"""Ids made offline: UUIDv7, sortable by the moment they were made, globally unique.

In memory, in JSON and on screen an id is 26 characters of base32 (digits and ``a``–``v``, RFC 4648
"extended hex" in lower case), which sorts like the 16 bytes the database keeps.
Two people working apart must never collide, so no counter and no central authority is involved.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from typing import NewType

RecordId = NewType("RecordId", str)
SampleId = NewType("SampleId", str)
StreamId = NewType("StreamId", str)
RigId = NewType("RigId", str)
EntityId = NewType("EntityId", str)
AnnotationId = NewType("AnnotationId", str)
LinkId = NewType("LinkId", str)

ID_LENGTH = 26
_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_PAIRS = tuple(a + b for a in _DIGITS for b in _DIGITS)
_MAX = 1 << 128


def id_from_int(value: int) -> str:
    """The 26 characters of a 128-bit number."""
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])


def id_to_bytes(text: str) -> bytes:
    """The 16 bytes kept in the database. Raises ``ValueError`` if ``text`` is no id."""
    if len(text) != ID_LENGTH:
        raise ValueError(f"an id has {ID_LENGTH} characters, this has {len(text)}")
    return int(text, 32).to_bytes(16, "big")


def id_from_bytes(raw: bytes) -> str:
    """The text of the 16 bytes kept in the database."""
    return id_from_int(int.from_bytes(raw, "big"))


def is_id(text: str) -> bool:
    """Whether ``text`` is a whole id (not a prefix), in its one canonical spelling."""
    return len(text) == ID_LENGTH and text[0] <= "7" and all(c in _DIGITS for c in text)


def id_range_of_prefix(prefix: str) -> tuple[bytes, bytes] | None:
    """First and last database key that start with ``prefix``; ``None`` if no id can."""
    if not prefix or len(prefix) > ID_LENGTH or any(c not in _DIGITS for c in prefix):
        return None
    missing = ID_LENGTH - len(prefix)
    low = int(prefix + "0" * missing, 32)
    high = int(prefix + "v" * missing, 32)
    if low >= _MAX:
        return None
    return low.to_bytes(16, "big"), min(high, _MAX - 1).to_bytes(16, "big")


def millisecond_of(text: str) -> int:
    """Unix time in milliseconds at which the id was made."""
    return int(text, 32) >> 80


class IdSource:
    """Makes ids. Within one millisecond they keep growing, so the order of making is the order of sorting.

    The clock and the random source can be given, so that fixtures come out the same every time.
    """

    def __init__(
        self,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._now_ms = now_ms
        self._random_bytes = random_bytes
        self._last_ms = -1
        self._tail = 0

    def new(self) -> str:
        """A new id."""
        now = self._now_ms()
        if now > self._last_ms:
            self._last_ms = now
            self._tail = int.from_bytes(self._random_bytes(10), "big") & ((1 << 73) - 1)
        else:  # same millisecond, or the machine's clock went back: count on
            self._tail += 1 + (int.from_bytes(self._random_bytes(2), "big") & 0xFFF)
            if self._tail >= 1 << 74:
                self._last_ms += 1
                self._tail &= (1 << 73) - 1
        random_a, random_b = self._tail >> 62, self._tail & ((1 << 62) - 1)
        return id_from_int((self._last_ms << 80) | (7 << 76) | (random_a << 64) | (2 << 62) | random_b)


def deterministic_ids(seed: int = 0, start_ms: int = 1_700_000_000_000) -> IdSource:
    """Ids that come out the same for the same seed: one a millisecond from ``start_ms``."""
    state = [start_ms, seed]

    def now_ms() -> int:
        state[0] += 1
        return state[0]

    def random_bytes(count: int) -> bytes:
        state[1] += 1
        return hashlib.shake_128(f"{seed}:{state[1]}".encode()).digest(count)

    return IdSource(now_ms, random_bytes)
