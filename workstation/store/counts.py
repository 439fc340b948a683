"""Counts by kind, class, state and layer, per sample and for the project: kept by the writer, never scanned.

An annotation without a class of its own counts under its entity's class, so a change of the entity moves its
annotations from one count to another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from workstation.core.records import RecordKind
from workstation.core.values import dataclass
from workstation.store.db import Connection
from workstation.store.rows import TABLES, Row

PROJECT_SCOPE = b""
CountKey = tuple[bytes, str, str, str, str]
_CACHE_LIMIT = 200_000


@dataclass(frozen=True, slots=True)
class Count:
    """How many records of a kind have this class, state and layer ("" where the kind has none)."""

    kind: RecordKind
    class_id: str
    state: str
    layer: str
    n: int


def _positions(kind: RecordKind) -> tuple[int, int, int, int]:
    table = TABLES[kind]
    places = [-1 if not column else table.position(column) for column in table.counted]
    return (places[0], places[1], places[2], places[3])


POSITIONS = {kind: _positions(kind) for kind in RecordKind}
_ENTITY = TABLES[RecordKind.ANNOTATION].position("entity")
_ENTITY_CLASS = TABLES[RecordKind.ENTITY].position("class_id")


class CountKeeper:
    """Collects the differences of one transaction and writes them at the commit."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._deltas: defaultdict[CountKey, int] = defaultdict(int)
        self._class_of_entity: dict[bytes, str] = {}

    def add(self, kind: RecordKind, rows: list[Row], sign: int) -> None:
        """Count ``rows`` in (``sign`` 1) or out (-1), as things stand now."""
        scope_at, class_at, state_at, layer_at = POSITIONS[kind]
        deltas, name = self._deltas, kind.value
        annotation = kind is RecordKind.ANNOTATION
        for row in rows:
            class_id = row[class_at] if class_at >= 0 else ""
            if class_id is None:
                class_id = self._entity_class(row[_ENTITY]) if annotation else ""
            scope = row[scope_at] if scope_at >= 0 else PROJECT_SCOPE
            state = row[state_at] if state_at >= 0 else ""
            layer = row[layer_at] if layer_at >= 0 else ""
            deltas[scope or PROJECT_SCOPE, name, class_id, state, layer] += sign

    def remember(self, classes: Iterable[tuple[bytes, str]]) -> None:
        """The classes that entities have now, where they cannot be looked up any more."""
        self._class_of_entity.update(classes)

    def entity_changes(self, key: bytes, row: Row | None) -> None:
        """An entity is about to become ``row`` (``None``: deleted): its annotations without a class move along."""
        old = self._entity_class(key)
        new = "" if row is None else str(row[_ENTITY_CLASS])
        if old != new:
            for scope, state, layer, n in self._db.execute(
                "SELECT sample, state, layer, count(*) FROM annotation WHERE entity = ? AND class_id IS NULL"
                " GROUP BY sample, state, layer",
                (key,),
            ):
                self._deltas[scope, RecordKind.ANNOTATION.value, old, state, layer] -= n
                self._deltas[scope, RecordKind.ANNOTATION.value, new, state, layer] += n
        self._class_of_entity[key] = new

    def _entity_class(self, key: bytes | None) -> str:
        if key is None:
            return ""
        known = self._class_of_entity.get(key)
        if known is None:
            row = self._db.execute("SELECT class_id FROM entity WHERE id = ?", (key,)).fetchone()
            known = "" if row is None else str(row[0])
            if len(self._class_of_entity) > _CACHE_LIMIT:
                self._class_of_entity.clear()
            self._class_of_entity[key] = known
        return known

    def flush(self) -> None:
        """Write what was collected."""
        rows = with_project_scope(self._deltas)
        self._db.executemany(
            "INSERT INTO count VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT(scope, kind, class_id, state, layer) DO UPDATE SET n = n + excluded.n",
            rows,
        )
        shrunk = [row[:5] for row in rows if row[5] < 0]
        self._db.executemany(
            "DELETE FROM count WHERE scope = ? AND kind = ? AND class_id = ? AND state = ? AND layer = ? AND n = 0",
            shrunk,
        )
        self._deltas.clear()

    def deltas(self) -> list[tuple[Any, ...]]:
        """What was collected, with the project's sums: rows of ``count``."""
        return with_project_scope(self._deltas)


def with_project_scope(deltas: dict[CountKey, int]) -> list[tuple[Any, ...]]:
    """Rows of ``count``: the given ones and their sums over the project, without zeros."""
    total: defaultdict[CountKey, int] = defaultdict(int)
    for (scope, *rest), n in deltas.items():
        total[(PROJECT_SCOPE, *rest)] += n  # type: ignore[index]
        if scope != PROJECT_SCOPE:
            total[(scope, *rest)] += n  # type: ignore[index]
    return [(*key, n) for key, n in total.items() if n]


def lane_states(connection: Connection, sample: bytes) -> list[tuple[bytes | None, str, int]]:
    """How many annotations of a sample stand in each state, by stream (``None``: on the sample as a whole)."""
    sql = "SELECT stream, state, count(*) FROM annotation WHERE sample = ? GROUP BY stream, state"
    return [(row[0], row[1], row[2]) for row in connection.execute(sql, (sample,))]
