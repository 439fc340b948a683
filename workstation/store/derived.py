"""Rebuildable data (findings, job states, indexes): a door of its own, without revision, undo or ChangeSet.

Deleting all of it loses time, never work.
"""

from __future__ import annotations

from workstation.core.ids import SampleId
from workstation.store.db import Connection
from workstation.store.rows import key_of

_PROJECT = b""


class DerivedWriter:
    """Writes of one ``Store.derived`` block. An area is a name such as ``finding``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def put(self, area: str, key: str, data: bytes, sample: SampleId | None = None) -> None:
        """Keep a value, in place of the one under this key."""
        self._db.execute("INSERT OR REPLACE INTO derived VALUES (?, ?, ?, ?)", (area, _scope(sample), key, data))

    def clear(self, area: str, sample: SampleId | None = None) -> None:
        """Forget an area of a sample, or of the project."""
        self._db.execute("DELETE FROM derived WHERE area = ? AND sample = ?", (area, _scope(sample)))


def derived_values(connection: Connection, area: str, sample: SampleId | None) -> dict[str, bytes]:
    """What is kept of an area, by key."""
    rows = connection.execute("SELECT key, data FROM derived WHERE area = ? AND sample = ?", (area, _scope(sample)))
    return {key: bytes(data) for key, data in rows}


def derived_keys(connection: Connection, area: str) -> list[str]:
    """The keys of an area, of the project and of all samples."""
    return [row[0] for row in connection.execute("SELECT key FROM derived WHERE area = ?", (area,))]


def _scope(sample: SampleId | None) -> bytes:
    return _PROJECT if sample is None else key_of(sample)


def derived_counts(connection: Connection, prefix: str) -> dict[bytes, int]:
    """How many values each sample has in all areas whose name begins with ``prefix``."""
    sql = "SELECT sample, count(*) FROM derived WHERE area >= ? AND area < ? AND sample <> ? GROUP BY sample"
    return {bytes(row[0]): row[1] for row in connection.execute(sql, (prefix, prefix + "\U0010ffff", _PROJECT))}
