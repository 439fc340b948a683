"""The log of what was refused for want of a right: append-only, each entry hashed together with the one before.

The next revision's header names the head of this log, so cutting it short shows in the audit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from workstation.core.rights import Actor
from workstation.core.values import dataclass
from workstation.store.db import Connection


class Refusal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who wanted what, when, and why it was refused."""

    made_ms: int
    actor: Actor
    label: str
    problems: tuple[str, ...]
    previous: str = ""


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(Refusal)


@dataclass(frozen=True, slots=True)
class StoredRefusal:
    """An entry as it is kept."""

    number: int
    data: bytes
    hash: bytes

    @property
    def refusal(self) -> Refusal:
        """The entry, read."""
        return _READ.decode(self.data)


def refusal_head(connection: Connection) -> str:
    """The hash of the newest entry, "" if there is none."""
    row = connection.execute("SELECT hash FROM refusal ORDER BY number DESC LIMIT 1").fetchone()
    return "" if row is None else bytes(row[0]).hex()


def append_refusal(
    connection: Connection, *, made_ms: int, actor: Actor, label: str, problems: tuple[str, ...]
) -> None:
    """Write one entry; the caller commits."""
    entry = Refusal(made_ms=made_ms, actor=actor, label=label, problems=problems, previous=refusal_head(connection))
    data = msgspec.json.encode(entry)
    connection.execute("INSERT INTO refusal(entry, hash) VALUES (?, ?)", (data, hashlib.sha256(data).digest()))


def read_refusals(connection: Connection) -> Iterator[StoredRefusal]:
    """All entries, oldest first."""
    for number, data, digest in connection.execute("SELECT number, entry, hash FROM refusal ORDER BY number"):
        yield StoredRefusal(number, bytes(data), bytes(digest))


def refusal_problems(connection: Connection) -> Iterator[str]:
    """What is wrong with the log: a changed entry, or one that does not follow the one before."""
    previous = ""
    expected = 1
    for stored in read_refusals(connection):
        if stored.number != expected:
            yield f"refusal {expected} is missing"
        if hashlib.sha256(stored.data).digest() != stored.hash:
            yield f"refusal {stored.number} was changed: its hash does not fit"
        else:
            try:
                fits = stored.refusal.previous == previous
            except msgspec.MsgspecError as error:
                yield f"refusal {stored.number} cannot be read: {error}"
            else:
                if not fits:
                    yield f"refusal {stored.number} does not follow the one before it"
        previous = stored.hash.hex()
        expected = stored.number + 1
