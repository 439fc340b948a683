"""The history checked from outside: plain SQL and hashlib, after the documentation, sharing no code with the store.

revision hash = SHA-256(previous hash, length of header as 8 bytes, header, SHA-256 of the change entries);
change entry = kind, zero byte, id, ``p`` or ``d``, schema version as 2 bytes, digest.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path


def chain_problems(database: Path) -> list[str]:
    """Everything wrong with the database and its history; empty if all is well."""
    with closing(sqlite3.connect(database)) as db:
        found = [str(row[0]) for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        if found:
            return found
        start = db.execute("SELECT value FROM meta WHERE key = 'chain_start'").fetchone()
        begin = json.loads(start[0]) if start else {"rev": 0, "hash": "00" * 32}
        previous, expected_rev, next_seq = bytes.fromhex(begin["hash"]), begin["rev"] + 1, 1
        rows = db.execute(
            "SELECT rev, prev_hash, hash, header, first_seq, changes FROM revision ORDER BY rev"
        ).fetchall()
        for rev, prev_hash, own, header, first, count in rows:
            if (rev, prev_hash, first) != (expected_rev, previous, next_seq):
                found.append(f"revision {rev} does not follow the one before it")
            entries = hashlib.sha256()
            number = 0
            changes = db.execute(
                "SELECT kind, id, op, schema_version, digest, payload FROM change"
                " WHERE seq >= ? AND seq < ? ORDER BY seq",
                (first, first + count),
            )
            for kind, key, op, version, digest, payload in changes:
                number += 1
                if op == "put" and payload is not None and hashlib.sha256(payload).digest() != digest:
                    found.append(f"a payload of revision {rev} does not fit its digest")
                entries.update(kind.encode() + b"\0" + key + op[:1].encode() + version.to_bytes(2, "big") + digest)
            head = previous + len(header).to_bytes(8, "big") + header
            if number != count or hashlib.sha256(head + entries.digest()).digest() != own:
                found.append(f"revision {rev} does not have its hash")
            previous, expected_rev, next_seq = own, rev + 1, first + count
        (last,) = db.execute("SELECT ifnull(max(seq), 0) FROM change").fetchone()
        if last != next_seq - 1:
            found.append("there are changes without a revision")
        found += _projection_problems(db)
    return found


def _projection_problems(db: sqlite3.Connection) -> list[str]:
    """The current tables hold exactly the records whose newest change is a put."""
    newest: dict[tuple[str, bytes], tuple[int, str]] = {}
    for seq, kind, key, op in db.execute("SELECT seq, kind, id, op FROM change ORDER BY seq"):
        newest[kind, key] = (seq, op)
    found = []
    for kind in {kind for kind, _ in newest}:
        expected = {(key, seq) for (one, key), (seq, op) in newest.items() if one == kind and op == "put"}
        if set(db.execute(f"SELECT id, seq FROM {kind}")) != expected:
            found.append(f"the table of {kind} is not what the history says")
    return found
