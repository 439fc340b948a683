"""Takes the content of deleted records out of the history for good, when somebody withdraws consent.

The revisions, digests and hashes stay, so the chain still verifies; a revision says what was removed, by whom and
why. Backups and exports made before still hold the content: that is for the person who asks for this to know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from workstation.core.errors import UserError
from workstation.core.records import RecordKind
from workstation.core.values import dataclass
from workstation.store.db import Connection
from workstation.store.history import newest_seq
from workstation.store.references import exists
from workstation.store.rows import key_or_none

_BLOB = re.compile(rb'"blob":"([0-9a-f]{64})"')
_TARGET = re.compile(rb'"target":"([0-9a-v]{26})"')
_COPIES = (RecordKind.KEYFRAME, RecordKind.WORD, RecordKind.LINK)


@dataclass(frozen=True, slots=True)
class Removal:
    """What will be taken out: changes by number, their digests, and blobs nobody else names."""

    seqs: tuple[int, ...]
    digests: tuple[str, ...]
    blobs: tuple[str, ...]


def plan_removal(connection: Connection, kind: RecordKind, record_id: str) -> Removal:
    """Everything in the history that holds content of a deleted record.

    That is each of its states, its keyframes and words, and every earlier state of a link that kept what it looked like
    when it was confirmed.
    """
    found = _states(connection, kind, record_id)
    for copy in _COPIES:
        for other, digest, payload in connection.execute(
            "SELECT seq, digest, payload FROM change WHERE kind = ? AND payload IS NOT NULL AND instr(payload, ?)"
            f" AND NOT EXISTS (SELECT 1 FROM {copy.value} t WHERE t.id = change.id AND t.seq = change.seq)",
            (copy.value, record_id.encode()),
        ):
            found[other] = (bytes(digest).hex(), payload)
    if not found:
        raise UserError(f"the content of {kind.value} {record_id} was removed already")
    blobs = {match.decode() for _, payload in found.values() for match in _BLOB.findall(payload)}
    lonely = tuple(sorted(blob for blob in blobs if not _named_elsewhere(connection, blob, found.keys())))
    return Removal(tuple(sorted(found)), tuple(sorted({digest for digest, _ in found.values()})), lonely)


def _states(connection: Connection, kind: RecordKind, record_id: str) -> dict[int, tuple[str, bytes]]:
    """Each state of a deleted record that is still there: its change, its digest and its content."""
    key = key_or_none(record_id)
    if key is None:
        raise UserError(f"{record_id!r} is no id")
    if exists(connection, kind, key):
        raise UserError(f"{kind.value} {record_id} still exists: delete it first, then its content can be removed")
    seq = newest_seq(connection, kind, key)
    if seq is None:
        raise UserError(f"there never was a {kind.value} {record_id}")
    found: dict[int, tuple[str, bytes]] = {}
    while seq is not None:
        previous, digest, payload = connection.execute(
            "SELECT prev_seq, digest, payload FROM change WHERE seq = ?", (seq,)
        ).fetchone()
        if payload is not None:
            found[seq] = (bytes(digest).hex(), payload)
        seq = previous
    return found


def plan_removals(connection: Connection, gone: Iterable[tuple[RecordKind, str]]) -> Removal:
    """The same for many records that were deleted, in one walk over the history of links. Their keyframes and words
    are to be named with them.
    """
    found: dict[int, tuple[str, bytes]] = {}
    names = set()
    for kind, record_id in gone:
        names.add(record_id)
        found.update(_states(connection, kind, record_id))
    for seq, digest, payload in connection.execute(
        "SELECT seq, digest, payload FROM change WHERE kind = 'link' AND payload IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM link t WHERE t.id = change.id AND t.seq = change.seq)"
    ):
        if seq not in found and not names.isdisjoint(match.decode() for match in _TARGET.findall(payload)):
            found[seq] = (bytes(digest).hex(), payload)
    return Removal(
        tuple(sorted(found)), tuple(sorted({digest for digest, _ in found.values()})), _lonely(connection, found)
    )


def _lonely(connection: Connection, found: Mapping[int, tuple[str, bytes]]) -> tuple[str, ...]:
    """The blobs that are named by nothing but what goes, by one walk over what names any."""
    mine = {match for _, payload in found.values() for match in _BLOB.findall(payload)}
    if mine:
        for seq, payload in connection.execute(
            "SELECT seq, payload FROM change WHERE payload IS NOT NULL AND instr(payload, '\"blob\":')"
        ):
            if seq not in found:
                mine.difference_update(_BLOB.findall(payload))
    return tuple(sorted(blob.decode() for blob in mine))


def _named_elsewhere(connection: Connection, blob: str, leaving: object) -> bool:
    rows = connection.execute(
        "SELECT seq FROM change WHERE payload IS NOT NULL AND instr(payload, ?)", (blob.encode(),)
    )
    return any(seq not in leaving for (seq,) in rows)  # type: ignore[operator]


def carry_out_removal(connection: Connection, removal: Removal) -> None:
    """Take it out, inside the transaction whose revision announces it."""
    connection.execute("PRAGMA secure_delete = ON")
    connection.executemany("UPDATE change SET payload = NULL WHERE seq = ?", [(seq,) for seq in removal.seqs])
    connection.executemany(
        "UPDATE blob SET data = NULL WHERE sha256 = ?", [(bytes.fromhex(blob),) for blob in removal.blobs]
    )
