"""Reading records: the same questions to a store, a transaction, a reader of its own, and a view of an old revision.

Times are the annotation's own (its stream's clock). Lists come in the order of making unless it says otherwise.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from workstation.core.annotation import (
    Annotation,
    Comment,
    Entity,
    Keyframe,
    Link,
    Record,
    State,
    Verdict,
    Word,
)
from workstation.core.errors import UserError
from workstation.core.evidence import Evidence, NoEvidence
from workstation.core.ids import AnnotationId, SampleId, StreamId, id_from_bytes, id_range_of_prefix
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.records import RecordKind
from workstation.core.sample import OntologyState, OntologyVersion, Person, Project, Sample, SampleState, Stream
from workstation.core.staleness import Limits
from workstation.core.values import dataclass
from workstation.store import history
from workstation.store.counts import PROJECT_SCOPE, Count, lane_states
from workstation.store.db import Connection
from workstation.store.derived import derived_counts, derived_keys, derived_values
from workstation.store.effective import EffectiveOntology
from workstation.store.ends import StaleEnd, stale_ends
from workstation.store.foreign import RawBlob, RawRevision, raw_blobs, raw_history
from workstation.store.history import Change, Difference, RecordInfo, Revision
from workstation.store.provenance import Provenance, provenance
from workstation.store.references import Dependent, dependents
from workstation.store.refusals import StoredRefusal, read_refusals
from workstation.store.rows import KINDS, TABLES, WHOLE, key_of, key_or_none, read

R = TypeVar("R", bound=Record)
_ORDERS = {RecordKind.KEYFRAME: "t.time_ns, t.id", RecordKind.WORD: "t.position, t.id", RecordKind.STREAM: "t.key"}
_HAS_SAMPLE = frozenset(kind for kind, table in TABLES.items() if any(name == "sample" for name, _ in table.columns))
_FETCH = 2000


@dataclass(frozen=True, slots=True)
class Spans:
    """Intervals as columns, for drawing many at once, in the order of their start.

    ``starts`` and ``ends`` are int64 nanoseconds of shape (n,). What has no interval is left out.
    """

    keys: list[bytes]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    class_ids: list[str | None]
    states: list[str]
    layers: list[str]

    def __len__(self) -> int:
        return len(self.keys)

    def id_at(self, index: int) -> AnnotationId:
        """The annotation of one interval; made on demand, since drawing needs only the one that is hit."""
        return AnnotationId(id_from_bytes(self.keys[index]))

    @property
    def ids(self) -> list[AnnotationId]:
        """The annotations, in order."""
        return [AnnotationId(id_from_bytes(key)) for key in self.keys]


class Reads:
    """Questions about records, over one connection, from one thread."""

    _closed = "the project is closed"

    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection
        self._thread: int | None = threading.get_ident()
        self._in_force = EffectiveOntology()

    @property
    def _db(self) -> Connection:
        """The connection, if this thread may use it."""
        if self._connection is None:
            raise UserError(self._closed)
        if self._thread != threading.get_ident():
            raise RuntimeError("a store belongs to the thread that opened it; open a reader in this thread")
        return self._connection

    def get(self, kind: RecordKind, record_id: str) -> Record | None:
        """One record, if it exists."""
        key = key_or_none(record_id)
        if key is None:
            return None
        return next(self._select(kind, "t.id = ?", (key,)), None)

    def require(self, kind: RecordKind, record_id: str) -> Record:
        """One record; a clear refusal if there is none."""
        record = self.get(kind, record_id)
        if record is None:
            raise UserError(f"there is no {kind.value} {record_id}")
        return record

    def find_id(self, kind: RecordKind | None, prefix: str, limit: int = 10) -> Sequence[tuple[RecordKind, str]]:
        """The records whose id starts with ``prefix``, so that a unique beginning is enough in commands."""
        edges = id_range_of_prefix(prefix)
        if edges is None:
            return []
        found: list[tuple[RecordKind, str]] = []
        for one in [kind] if kind is not None else list(RecordKind):
            sql = f"SELECT id FROM {one.value} WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
            found += [(one, id_from_bytes(row[0])) for row in self._db.execute(sql, (*edges, limit - len(found)))]
        return found

    def records(
        self, kind: RecordKind, *, sample: SampleId | None = None, after: str | None = None, limit: int = -1
    ) -> Iterator[Record]:
        """Every record of a kind, of one sample if given, streaming; ``after`` continues behind an id."""
        where, values = ["1"], []
        if sample is not None:
            if kind not in _HAS_SAMPLE:
                yield from self._of_sample(kind, sample)
                return
            where, values = ["t.sample = ?"], [key_or_none(sample)]
        if after is not None:
            where.append("t.id > ?")
            values.append(key_or_none(after))
        yield from self._select(kind, " AND ".join(where), tuple(values), order="t.id", limit=limit)

    def _of_sample(self, kind: RecordKind, sample: SampleId) -> Iterator[Record]:
        if kind is RecordKind.SAMPLE:
            yield from self._select(kind, "t.id = ?", (key_or_none(sample),))
        elif kind in (RecordKind.KEYFRAME, RecordKind.WORD):
            where = "t.annotation IN (SELECT id FROM annotation WHERE sample = ?)"
            yield from self._select(kind, where, (key_or_none(sample),), order="t.id")

    def samples(
        self,
        *,
        state: SampleState | None = None,
        assigned_to: str | None = None,
        after_key: str | None = None,
        limit: int = -1,
    ) -> Iterator[Sample]:
        """Samples in the order of their keys; ``after_key`` and ``limit`` page through a million of them."""
        where, values = ["1"], []
        if state is not None:
            where.append("t.state = ?")
            values.append(cast(Any, state.value))
        if assigned_to is not None:
            where.append("t.assigned_to = ?")
            values.append(key_or_none(assigned_to))
        if after_key is not None:
            where.append("t.key > ?")
            values.append(cast(Any, after_key))
        found = self._select(RecordKind.SAMPLE, " AND ".join(where), tuple(values), order="t.key", limit=limit)
        return cast(Iterator[Sample], found)

    def sample_by_key(self, key: str) -> Sample | None:
        """The sample with this human key."""
        return cast("Sample | None", next(self._select(RecordKind.SAMPLE, "t.key = ?", (key,)), None))

    def streams(self, sample: SampleId) -> list[Stream]:
        """The streams of a sample, by key."""
        return self._list(Stream, RecordKind.STREAM, "t.sample = ?", sample)

    def stream_by_key(self, sample: SampleId, key: str) -> Stream | None:
        """The stream with this key in a sample."""
        found = self._select(RecordKind.STREAM, "t.sample = ? AND t.key = ?", (key_or_none(sample), key))
        return cast("Stream | None", next(found, None))

    def annotations(
        self,
        sample: SampleId,
        *,
        stream: StreamId | None = None,
        layer: str | None = None,
        state: State | None = None,
        class_id: str | None = None,
    ) -> Iterator[Annotation]:
        """The annotations of a sample, fewer with each filter. ``class_id`` counts the entity's class too."""
        where, values = ["t.sample = ?"], [key_or_none(sample)]
        if stream is not None:
            where, values = [*where, "ifnull(t.stream, t.sample) = ?"], [*values, key_or_none(stream)]
        for column, value in (("layer", layer), ("state", None if state is None else state.value)):
            if value is not None:
                where.append(f"t.{column} = ?")
                values.append(cast(Any, value))
        if class_id is not None:
            where.append(
                "(t.class_id = ? OR (t.class_id IS NULL AND EXISTS"
                " (SELECT 1 FROM entity e WHERE e.id = t.entity AND e.class_id = ?)))"
            )
            values += [cast(Any, class_id), cast(Any, class_id)]
        found = self._select(RecordKind.ANNOTATION, " AND ".join(where), tuple(values), order="t.id")
        return cast(Iterator[Annotation], found)

    def annotations_of(self, entity: str) -> list[Annotation]:
        """The annotations that show an entity."""
        return self._list(Annotation, RecordKind.ANNOTATION, "t.entity = ?", entity)

    def annotations_on_text(self, annotation: str) -> list[Annotation]:
        """The annotations whose text spans are anchored in this annotation's text."""
        return self._list(Annotation, RecordKind.ANNOTATION, "t.text_of = ?", annotation)

    def annotations_between(self, stream: StreamId | SampleId, start_ns: int, end_ns: int) -> list[Annotation]:
        """What lies in ``[start_ns, end_ns)`` of a stream (of the sample: annotations without a stream).

        An interval that only touches the window is outside; what has no interval is everywhere.
        """
        keys = [row[0] for row in self._window(stream, start_ns, end_ns, "t.id", whole=True)]
        found: list[Annotation] = []
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            where = f"t.id IN ({', '.join('?' * len(part))})"
            found += cast(list[Annotation], list(self._select(RecordKind.ANNOTATION, where, tuple(part), order="t.id")))
        return found

    def spans_between(self, stream: StreamId | SampleId, start_ns: int, end_ns: int) -> Spans:
        """The intervals in a window as columns, without reading the records themselves."""
        columns = "t.start_ns, t.end_ns, t.id, t.class_id, t.entity, t.state, t.layer"
        rows = sorted(self._window(stream, start_ns, end_ns, columns, whole=False))
        classes = {row[4]: None for row in rows if row[3] is None and row[4] is not None}
        for key in classes:
            row = self._db.execute("SELECT class_id FROM entity WHERE id = ?", (key,)).fetchone()
            classes[key] = None if row is None else row[0]
        return Spans(
            [row[2] for row in rows],
            np.array([row[0] for row in rows], dtype=np.int64),
            np.array([row[1] for row in rows], dtype=np.int64),
            [row[3] if row[3] is not None else classes.get(row[4]) for row in rows],
            [row[5] for row in rows],
            [row[6] for row in rows],
        )

    def _window(
        self, axis: StreamId | SampleId, start_ns: int, end_ns: int, columns: str, *, whole: bool
    ) -> list[tuple[Any, ...]]:
        """Rows that overlap a window: one range of the index per class of durations that is present."""
        key = key_or_none(axis)
        rows: list[tuple[Any, ...]] = []
        bucket = WHOLE - 1 if whole else WHOLE
        execute = self._db.execute
        while True:
            (bucket,) = execute(_NEXT_BUCKET, (key, bucket)).fetchone()
            if bucket is None:
                return rows
            if bucket == WHOLE:
                rows += execute(
                    f"SELECT {columns} FROM annotation t WHERE ifnull(t.stream, t.sample) = ? AND t.bucket = ?",
                    (key, bucket),
                )
                continue
            longest = (1 << (2 * bucket)) - 1
            rows += execute(
                f"SELECT {columns} FROM annotation t WHERE ifnull(t.stream, t.sample) = ? AND t.bucket = ?"
                " AND t.start_ns >= ? AND t.start_ns < ? AND (t.end_ns > ? OR t.start_ns >= ?)",
                (key, bucket, max(start_ns - longest, -(1 << 63)), end_ns, start_ns, start_ns),
            )

    def keyframes(self, annotation: AnnotationId) -> list[Keyframe]:
        """The keyframes of a track, by time."""
        return self._list(Keyframe, RecordKind.KEYFRAME, "t.annotation = ?", annotation)

    def keyframes_of_sample(self, sample: SampleId) -> dict[AnnotationId, list[Keyframe]]:
        """The keyframes of every track of a sample, each by time: one question in place of one a track."""
        where = "t.annotation IN (SELECT id FROM annotation WHERE sample = ?)"
        found: dict[AnnotationId, list[Keyframe]] = {}
        key = key_or_none(sample)
        if key is not None:
            for each in self._select(RecordKind.KEYFRAME, where, (key,), order=_ORDERS[RecordKind.KEYFRAME]):
                keyframe = cast(Keyframe, each)
                found.setdefault(keyframe.annotation, []).append(keyframe)
        return found

    def keyframe_counts(self, sample: SampleId) -> dict[AnnotationId, int]:
        """How many keyframes each track of a sample has, without reading them."""
        sql = (
            "SELECT k.annotation, count(*) FROM keyframe k JOIN annotation a ON a.id = k.annotation"
            " WHERE a.sample = ? GROUP BY k.annotation"
        )
        rows = self._db.execute(sql, (key_or_none(sample),))
        return {AnnotationId(id_from_bytes(key)): count for key, count in rows}

    def words(self, annotation: AnnotationId) -> list[Word]:
        """The words of a transcript turn, in order."""
        return self._list(Word, RecordKind.WORD, "t.annotation = ?", annotation)

    def entities(self, sample: SampleId) -> list[Entity]:
        """The entities of a sample."""
        return self._list(Entity, RecordKind.ENTITY, "t.sample = ?", sample)

    def links(self, sample: SampleId) -> list[Link]:
        """The links of a sample."""
        return self._list(Link, RecordKind.LINK, "t.sample = ?", sample)

    def links_of(self, target: str) -> list[Link]:
        """The links that have ``target`` (an id, or a modality's name) as an end."""
        key = key_or_none(target)
        where = "t.id IN (SELECT link FROM link_end WHERE target = ?)"
        found = self._select(RecordKind.LINK, where, (target if key is None else key,), order="t.id")
        return cast(list[Link], list(found))

    def stale_links(self, sample: SampleId, *, targets: Iterable[str] | None = None) -> Iterator[StaleEnd]:
        """The ends of links that changed significantly since a person confirmed them.

        With ``targets`` only the links that have one of these as an end are looked at.
        """
        links: Iterable[Link]
        if targets is None:
            links = self.links(sample)
        else:
            links = {link.id: link for target in targets for link in self.links_of(target)}.values()
        project = self.project()
        limits = Limits() if project is None else Limits.of(project.tolerances)
        yield from stale_ends(self, links, limits)

    def verdicts(self, sample: SampleId) -> list[Verdict]:
        """The verdicts in a sample."""
        return self._list(Verdict, RecordKind.VERDICT, "t.sample = ?", sample)

    def verdicts_on(self, target: str) -> list[Verdict]:
        """The verdicts about one record."""
        return self._list(Verdict, RecordKind.VERDICT, "t.target = ?", target)

    def comments(self, sample: SampleId) -> list[Comment]:
        """The comments in a sample."""
        return self._list(Comment, RecordKind.COMMENT, "t.sample = ?", sample)

    def project(self) -> Project | None:
        """The project's own record."""
        return cast("Project | None", next(self._select(RecordKind.PROJECT, "1", (), limit=1), None))

    def people(self) -> list[Person]:
        """Everybody who works here or did."""
        return cast(list[Person], list(self._select(RecordKind.PERSON, "1", (), order="t.name")))

    def ontology_versions(self) -> list[OntologyVersion]:
        """Every version, by number."""
        return cast(list[OntologyVersion], list(self._select(RecordKind.ONTOLOGY, "1", (), order="t.number")))

    def effective_ontology(self) -> OntologyVersion | None:
        """The locked version with the highest number, the one in force."""
        where, values = "t.state = ?", (OntologyState.LOCKED.value,)
        found = self._select(RecordKind.ONTOLOGY, where, values, order="t.number DESC", limit=1)
        return cast("OntologyVersion | None", next(found, None))

    def ontology(self) -> CompiledOntology | None:
        """The ontology in force, compiled once; ``None`` before the first version is locked."""
        self._in_force.refresh(self._db)
        return self._in_force.rules

    def counts(self, sample: SampleId | None = None, kind: RecordKind | None = None) -> list[Count]:
        """How many records there are by kind, class, state and layer; kept, not counted."""
        scope = PROJECT_SCOPE if sample is None else key_or_none(sample)
        where, values = "scope = ?", [scope]
        if kind is not None:
            where, values = where + " AND kind = ?", [scope, cast(Any, kind.value)]
        sql = f"SELECT kind, class_id, state, layer, n FROM count WHERE {where} ORDER BY 1, 2, 3, 4"
        return [Count(KINDS[name], *rest) for name, *rest in self._db.execute(sql, values)]

    def total(self, kind: RecordKind, sample: SampleId | None = None) -> int:
        """How many records of a kind there are."""
        return sum(count.n for count in self.counts(sample, kind))

    def lane_states(self, sample: SampleId) -> list[tuple[StreamId | None, State, int]]:
        """How many annotations stand in each state on each stream (``None``: on the sample as a whole)."""
        rows = lane_states(self._db, key_of(sample))
        return [(StreamId(id_from_bytes(key)) if key else None, State(state), n) for key, state, n in rows]

    def derived_counts(self, prefix: str) -> dict[SampleId, int]:
        """How many rebuildable values each sample has in the areas that begin with ``prefix``."""
        found = derived_counts(self._db, prefix)
        return {SampleId(id_from_bytes(key)): count for key, count in found.items()}

    def dependents(self, kind: RecordKind, record_id: str, limit: int = 1000) -> list[Dependent]:
        """The records that point at this one and would be left hanging if it were deleted."""
        key = key_or_none(record_id)
        return [] if key is None else list(dependents(self._db, kind, key, limit))

    def next_entity_number(self, sample: SampleId) -> int:
        """A number no entity of the sample ever had."""
        sql = "SELECT max(number) FROM entity_number WHERE sample = ?"
        (highest,) = self._db.execute(sql, (key_or_none(sample),)).fetchone()
        return (highest or 0) + 1

    def revisions(
        self, sample: SampleId | None = None, limit: int | None = None, before: int | None = None
    ) -> Iterator[Revision]:
        """Revisions, newest first; those that touched a sample, if given; ``before`` pages on."""
        return history.revisions(self._db, sample, limit, before)

    def revision(self, rev: int) -> Revision | None:
        """One revision."""
        return history.revision(self._db, rev)

    def changes(self, rev: int) -> Iterator[Change]:
        """What a revision changed, in the order of writing."""
        return history.changes(self._db, rev)

    def touched_since(self, rev: int, most: int = 2000) -> dict[RecordKind, set[str]] | None:
        """The ids of what revisions after ``rev`` touched, and the labels whose keyframes or words they touched.

        ``None`` if there are more than ``most``: then reading everything anew is the shorter way.
        """
        return history.touched_since(self._db, rev, most)

    def past(self, kind: RecordKind, record_id: str) -> list[Change]:
        """Every change of one record, oldest first, also of one that was deleted."""
        return history.past(self._db, kind, record_id)

    def info(self, kind: RecordKind, record_id: str) -> RecordInfo | None:
        """When a record came and changed last, and on whose word."""
        return history.info(self._db, kind, record_id)

    def difference(self, a: int, b: int, sample: SampleId | None = None) -> Iterator[Difference]:
        """What is not the same in revision ``b`` as in ``a`` (0 is the empty project), in one sample if given."""
        return history.difference(self._db, a, b, sample)

    def provenance(self, record_id: str) -> Provenance:
        """Where a record comes from: every step of its life, verdicts, links and the files it was made on."""
        return provenance(self, self._db, record_id)

    def raw_history(self) -> Iterator[RawRevision]:
        """Every revision as it is kept, oldest first, for the native export."""
        return raw_history(self._db)

    def raw_blobs(self) -> Iterator[RawBlob]:
        """Every blob as it is kept."""
        return raw_blobs(self._db)

    def raw_refusals(self) -> Iterator[StoredRefusal]:
        """The log of refusals as it is kept."""
        return read_refusals(self._db)

    def derived_values(self, area: str, sample: SampleId | None = None) -> dict[str, bytes]:
        """Rebuildable data of an area (findings, job states), of one sample or of the project."""
        return derived_values(self._db, area, sample)

    def derived_keys(self, area: str) -> list[str]:
        """The keys of rebuildable data of an area, wherever it belongs."""
        return derived_keys(self._db, area)

    def blob(self, sha256: str) -> bytes | None:
        """A stored blob; ``None`` if it is not here or its content was removed."""
        try:
            key = bytes.fromhex(sha256)
        except ValueError:
            return None
        row = self._db.execute("SELECT data FROM blob WHERE sha256 = ?", (key,)).fetchone()
        return None if row is None or row[0] is None else bytes(row[0])

    def evidence(self, sample: SampleId) -> Evidence:
        """A store has records only; the runner of rules hands out what knows the media."""
        return NoEvidence()

    def _list(self, _type: type[R], kind: RecordKind, where: str, record_id: str) -> list[R]:
        key = key_or_none(record_id)
        if key is None:
            return []
        return cast(list[R], list(self._select(kind, where, (key,), order=_ORDERS.get(kind, "t.id"))))

    def _select(
        self, kind: RecordKind, where: str, values: tuple[Any, ...], *, order: str = "", limit: int = -1
    ) -> Iterator[Record]:
        sql = (
            f"SELECT c.payload, c.schema_version FROM {kind.value} t CROSS JOIN change c ON c.seq = t.seq"
            f" WHERE {where}{' ORDER BY ' + order if order else ''}{f' LIMIT {limit}' if limit >= 0 else ''}"
        )
        for payload, version in self._rows(sql, values):
            yield read(kind, payload, version)

    def _rows(self, sql: str, values: tuple[Any, ...]) -> Iterator[tuple[bytes, int]]:
        cursor = self._db.execute(sql, values)
        while rows := cursor.fetchmany(_FETCH):
            yield from rows


_NEXT_BUCKET = "SELECT min(bucket) FROM annotation WHERE ifnull(stream, sample) = ? AND bucket > ?"
