"""What surrounds a record inside a transaction: its sample, stream, entity and track, looked up once and remembered.

Called by the gate, which checks a million records against a handful of streams. What a transaction writes is
forgotten here, so the next look finds it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TypeVar

from workstation.core.geometry import ShapeKind
from workstation.core.records import RecordKind
from workstation.core.sample import StreamKind
from workstation.core.values import dataclass
from workstation.store.db import Connection
from workstation.store.references import exists

_LIMIT = 100_000
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class StreamView:
    """What the gate needs of a stream."""

    sample: bytes
    kind: StreamKind


@dataclass(frozen=True, slots=True)
class EntityView:
    """What the gate needs of an entity."""

    sample: bytes
    class_id: str


@dataclass(frozen=True, slots=True)
class AnnotationView:
    """What the gate needs of an annotation; ``class_id`` is the one it counts under."""

    sample: bytes
    stream: bytes | None
    entity: bytes | None
    class_id: str | None
    kind: ShapeKind
    state: str
    tracked: bool


class Context:
    """Look-ups with a memory, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._streams: dict[bytes, StreamView | None] = {}
        self._entities: dict[bytes, EntityView | None] = {}
        self._annotations: dict[bytes, AnnotationView | None] = {}
        self._there: defaultdict[RecordKind, set[bytes]] = defaultdict(set)
        self._blobs: set[str] = set()

    def forget(self, kind: RecordKind, keys: list[bytes]) -> None:
        """These records were written or deleted."""
        there = self._there[kind]
        if there:
            there.difference_update(keys)
        if kind is RecordKind.STREAM:
            _forget(self._streams, keys)
        elif kind is RecordKind.ENTITY:
            _forget(self._entities, keys)
            self._annotations.clear()  # they carry the entity's class
        elif kind is RecordKind.ANNOTATION:
            _forget(self._annotations, keys)

    def exists(self, kind: RecordKind, key: bytes) -> bool:
        """Whether there is such a record."""
        there = self._there[kind]
        if key in there:
            return True
        found = self.stream(key) is not None if kind is RecordKind.STREAM else exists(self._db, kind, key)
        if found:
            if len(there) >= _LIMIT:
                there.clear()
            there.add(key)
        return found

    def has_blob(self, sha256: str) -> bool:
        """Whether the blob is stored."""
        if sha256 in self._blobs:
            return True
        try:
            key = bytes.fromhex(sha256)
        except ValueError:
            return False
        found = self._db.execute("SELECT 1 FROM blob WHERE sha256 = ?", (key,)).fetchone() is not None
        if found:
            if len(self._blobs) >= _LIMIT:
                self._blobs.clear()
            self._blobs.add(sha256)
        return found

    def stream(self, key: bytes) -> StreamView | None:
        """A stream, if it exists."""
        if key in self._streams:
            return self._streams[key]
        row = self._db.execute("SELECT sample, kind FROM stream WHERE id = ?", (key,)).fetchone()
        view = None if row is None else StreamView(row[0], StreamKind(row[1]))
        return _remember(self._streams, key, view)

    def entity(self, key: bytes) -> EntityView | None:
        """An entity, if it exists."""
        if key in self._entities:
            return self._entities[key]
        row = self._db.execute("SELECT sample, class_id FROM entity WHERE id = ?", (key,)).fetchone()
        return _remember(self._entities, key, None if row is None else EntityView(*row))

    def annotation(self, key: bytes) -> AnnotationView | None:
        """An annotation, if it exists."""
        if key in self._annotations:
            return self._annotations[key]
        row = self._db.execute(
            "SELECT sample, stream, entity, class_id, kind, state, tracked FROM annotation WHERE id = ?", (key,)
        ).fetchone()
        view = None
        if row is not None:
            sample, stream, entity, class_id, kind, state, tracked = row
            if class_id is None and entity is not None:
                owner = self.entity(entity)
                class_id = None if owner is None else owner.class_id
            view = AnnotationView(sample, stream, entity, class_id, ShapeKind(kind), state, bool(tracked))
        return _remember(self._annotations, key, view)


def _forget(cache: dict[bytes, _V], keys: list[bytes]) -> None:
    if cache:
        for key in keys:
            cache.pop(key, None)


def _remember(cache: dict[bytes, _V], key: bytes, value: _V) -> _V:
    if len(cache) >= _LIMIT:
        cache.clear()
    cache[key] = value
    return value
