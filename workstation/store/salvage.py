"""What is left of a damaged project, in a new one, with a report of what was recovered and what was not.

Called by ``workstation salvage``. The damaged folder is copied first and never written. The new project starts a
history of its own that names the last revision of the old one whose chain still verifies, and keeps counting from
the old one's revisions, so that what records say about revisions stays true.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from workstation.core.annotation import Annotation, Keyframe, Link, Record, TargetKind
from workstation.core.errors import DataError, Refused, UserError
from workstation.core.files import sync_folder
from workstation.core.geometry import Mask, PointSet
from workstation.core.ids import IdSource, RecordId, id_from_bytes, id_to_bytes
from workstation.core.ontology import Ontology
from workstation.core.ontology_compile import CompiledOntology, compile_ontology
from workstation.core.records import RecordKind
from workstation.core.rights import Actor, ActorKind
from workstation.core.sample import OntologyVersion, Parked
from workstation.store.db import DATABASE_NAME, Connection, connect
from workstation.store.gate import UNIQUE, compiled
from workstation.store.place import MEDIA_FOLDER, check_closed_whole, encode_location, location_of
from workstation.store.references import HOLDING_OF
from workstation.store.revisions import SALVAGE_TOOL, ChainStart, ChangeHasher, revision_hash
from workstation.store.rows import KINDS, TABLES, read
from workstation.store.salvage_read import SCRATCH, Damage, gather
from workstation.store.store import Store, now_in_ms
from workstation.store.transaction import Transaction

_BATCH = 2000
_SHOWN = 200
_TARGET_KIND = {kind: RecordKind(kind.value) for kind in TargetKind if kind is not TargetKind.MODALITY}


@dataclass(slots=True)
class KindReport:
    """What became of the records of one kind. ``lost`` is the least number that is certain.

    ``older``: recovered in an earlier state, because the newest was unreadable. ``parked``: readable, but what they
    belong to is lost; kept word for word until a person decides.
    """

    recovered: int = 0
    older: int = 0
    parked: int = 0
    lost: int = 0
    removed_on_purpose: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class SalvageReport:
    """The whole outcome; ``sentences`` says it for a person."""

    source: str
    destination: str
    kinds: dict[RecordKind, KindReport]
    revisions_found: int
    revisions_verified: int
    last_revision: int
    last_good_hash: str
    blobs_recovered: int
    blobs_missing: int
    changes_missing: int
    damage: list[str]

    def sentences(self) -> list[str]:
        """The report in plain sentences, worst first."""
        recovered, older, parked, lost = (
            sum(getattr(kind, name) for kind in self.kinds.values())
            for name in ("recovered", "older", "parked", "lost")
        )
        summary = (
            f"Recovered {recovered:,} records into {self.destination}; at least {lost:,} are lost, {older:,} came back "
            f"in an older state, {parked:,} are parked because what they belong to is lost."
        )
        lines = [summary]
        for kind, counts in self.kinds.items():
            if counts.lost or counts.older or counts.parked:
                some = f" ({', '.join(counts.examples[:3])}, …)" if counts.examples else ""
                lines.append(
                    f"{kind.value}: {counts.recovered:,} recovered, {counts.older:,} in an older state, "
                    f"{counts.parked:,} parked, {counts.lost:,} lost{some}"
                )
        if self.changes_missing:
            lines.append(f"{self.changes_missing:,} entries of the history could not be read.")
        if self.blobs_missing:
            lines.append(
                f"{self.blobs_missing:,} masks or point sets lost their content; their annotations are parked."
            )
        lines.append(
            f"The old history verifies up to revision {self.revisions_verified} of {self.last_revision} "
            f"(hash {self.last_good_hash[:12]}); the new history starts from that hash. "
            "The log of refusals and the undo steps were not carried over."
        )
        return lines + self.damage


def salvage(
    source: Path,
    destination: Path,
    *,
    actor: Actor | None = None,
    ids: IdSource | None = None,
    now_ms: Callable[[], int] = now_in_ms,
) -> SalvageReport:
    """Make a new project in ``destination`` from whatever the project folder (or database) ``source`` still holds."""
    database = source / DATABASE_NAME if source.is_dir() else source
    if not database.is_file():
        raise UserError(f"{source}: there is no {DATABASE_NAME} to save anything from")
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise UserError(f"{destination} exists and is not empty; salvage into a new folder")
    destination.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".salvage-", dir=destination) as temporary:
            return _salvage(database, destination, Path(temporary), actor, ids, now_ms)
    except BaseException:
        if not any(destination.iterdir()):
            destination.rmdir()
        raise


def _salvage(
    database: Path, destination: Path, work: Path, actor: Actor | None, ids: IdSource | None, now_ms: Callable[[], int]
) -> SalvageReport:
    copy, log = work / "damaged.db", work / "damaged.db-wal"
    shutil.copyfile(database, copy)
    old_log = database.with_name(database.name + "-wal")
    if old_log.is_file():
        shutil.copyfile(old_log, log)
        shutil.copyfile(old_log, work / "log")  # SQLite may take its own copy apart
    with contextlib.closing(connect(work / "scratch.db", create=True)) as scratch:
        scratch.execute("PRAGMA synchronous = OFF")
        scratch.executescript(SCRATCH)
        damage = gather(copy, work / "log", scratch)
        rescue = _Rescue(scratch)
        if rescue.nothing:
            raise DataError(
                "nothing of a project could be read from this file; restore a backup if there is one. "
                + "; ".join(damage.sentences),
                path=database,
            )
        new = work / DATABASE_NAME
        who = actor if actor is not None else Actor(name="salvage")
        who = msgspec.structs.replace(who, kind=ActorKind.SYSTEM, tool=SALVAGE_TOOL)
        with Store.create(new, actor=who, ids=ids, now_ms=now_ms, rules_of=_rules_or_none) as store:
            try:
                rescue.write(store, database)
            except Refused:
                # Records in an older state may not fit together with newer ones: then they are parked, not the others.
                rescue = _Rescue(scratch, park_older=True)
                rescue.write(store, database)
        check_closed_whole(new)
        new.replace(destination / DATABASE_NAME)
        sync_folder(destination)
        with contextlib.closing(connect(destination / DATABASE_NAME)) as connection:
            here = encode_location(location_of(destination))
            connection.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('location', ?)", (here,))
        _copy_media(database.parent, destination)
        return rescue.report(database, destination, damage)


class _Rescue:
    """Sorts what was gathered and writes it into a new store."""

    def __init__(self, scratch: Connection, *, park_older: bool = False) -> None:
        self._db = scratch
        self._park_older = park_older
        self._older: set[bytes] = set()
        self._taken: set[tuple[RecordKind, tuple[Any, ...]]] = set()
        self.kinds = {kind: KindReport() for kind in RecordKind}
        self._kept: dict[RecordKind, set[bytes]] = {kind: set() for kind in RecordKind}
        self._blobs = {key for (key,) in scratch.execute("SELECT sha256 FROM blob WHERE data IS NOT NULL")}
        self._blobs_missing: set[str] = set()
        self._verified, self._good_hash = _verified_chain(scratch)
        (self._last,) = scratch.execute(
            "SELECT max(r) FROM (SELECT max(rev) r FROM revision UNION ALL SELECT max(rev) FROM change)"
        ).fetchone()

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to make a project of."""
        return self._last is None

    def write(self, store: Store, database: Path) -> None:
        """Everything that still makes sense, in one revision."""
        start = ChainStart(rev=int(self._last or 0), hash=self._good_hash)
        with store.restoring(
            "Salvage a damaged project", start=start,
            reason=f"salvaged from {database.name}; its chain verified up to revision {self._verified}, "
            f"hash {self._good_hash}",
        ) as tx:  # fmt: skip
            for (data,) in self._db.execute("SELECT data FROM blob WHERE data IS NOT NULL"):
                tx.put_blob(data)
            for kind in RecordKind:
                self._write_kind(tx, kind)

    def _write_kind(self, tx: Transaction, kind: RecordKind) -> None:
        """Those whose surroundings are there go in; the others wait for a second look, then are parked."""
        waiting: list[Record] = []
        batch: list[Record] = []
        for record in self._newest(kind):
            if self._problem(record, kind) is not None:
                waiting.append(record)
                continue
            if not self._is_alone(kind, record):
                self._park(tx, kind, record, "another record has the same key")
                continue
            batch.append(record)
            self._kept[kind].add(id_to_bytes(_id(record)))
            if len(batch) >= _BATCH:
                self._put(tx, kind, batch)
                batch = []
        self._put(tx, kind, batch)
        while waiting:  # comments that answer comments, links between links
            ready = [record for record in waiting if self._problem(record, kind) is None]
            if not ready:
                break
            self._kept[kind].update(id_to_bytes(_id(record)) for record in ready)
            self._put(tx, kind, ready)
            waiting = [record for record in waiting if record not in ready]
        for record in waiting:
            self._park(tx, kind, record, self._problem(record, kind) or "")

    def _put(self, tx: Transaction, kind: RecordKind, records: list[Record]) -> None:
        """Write them; one that the gate refuses is parked and the others go in."""
        if not records:
            return
        try:
            tx.put_many(records)
            self.kinds[kind].recovered += len(records)
        except Refused as error:
            if len(records) == 1:
                self._kept[kind].discard(id_to_bytes(_id(records[0])))
                self._park(tx, kind, records[0], str(error))
                return
            middle = len(records) // 2
            self._put(tx, kind, records[:middle])
            self._put(tx, kind, records[middle:])

    def _park(self, tx: Transaction, kind: RecordKind, record: Record, problem: str) -> None:
        report = self.kinds[kind]
        if kind is RecordKind.PARKED:  # it was kept for a sample that is lost; keep it for none
            tx.put(msgspec.structs.replace(record, sample=None))
        else:
            sample = getattr(record, "sample", None)
            there = isinstance(sample, str) and id_to_bytes(sample) in self._kept[RecordKind.SAMPLE]
            tx.put(
                Parked(
                    id=RecordId(tx.new_id()), sample=sample if there else None, origin="salvage", kind=kind.value,
                    payload=msgspec.json.encode(record).decode(), problems=(problem,),
                )
            )  # fmt: skip
        report.parked += 1
        if len(report.examples) < _SHOWN:
            report.examples.append(_id(record))

    def _is_alone(self, kind: RecordKind, record: Record) -> bool:
        """Whether nobody has its unique key; two may share one when the newest state of either is lost."""
        if kind not in UNIQUE:
            return True
        row = TABLES[kind].values(record)
        key = (kind, tuple(row[position] for position in UNIQUE[kind]))
        if kind is RecordKind.ENTITY and not key[1][1]:
            return True  # an entity without a number
        if key in self._taken:
            return False
        self._taken.add(key)
        return True

    def _newest(self, kind: RecordKind) -> Iterator[Record]:
        """The newest readable state of every record that was not deleted, oldest id first."""
        report = self.kinds[kind]
        rows = self._db.execute(
            "SELECT c.id, c.seq, c.op, c.payload, c.schema_version, k.seq FROM change c"
            " JOIN (SELECT max(seq) seq FROM change WHERE kind = ? GROUP BY id) newest ON newest.seq = c.seq"
            " LEFT JOIN known k ON k.kind = c.kind AND k.id = c.id ORDER BY c.id",
            (kind.value,),
        )
        for key, seq, op, payload, version, current in rows:
            if op != "put":
                if current is not None and current > seq:  # deleted, made again, and that is unreadable
                    self._lose(report, key)
                continue
            if payload is None:
                report.removed_on_purpose += 1
                continue
            try:
                record = read(kind, payload, version)
            except DataError:
                self._lose(report, key)
                continue
            if current is not None and current > seq:
                report.older += 1
                self._older.add(key)
            yield record
        for (key,) in self._db.execute(
            "SELECT k.id FROM known k LEFT JOIN change c ON c.kind = k.kind AND c.id = k.id"
            " WHERE k.kind = ? AND c.seq IS NULL",
            (kind.value,),
        ):
            self._lose(report, key)

    def _lose(self, report: KindReport, key: bytes) -> None:
        report.lost += 1
        if len(report.examples) < _SHOWN:
            report.examples.append(id_from_bytes(key))

    def _problem(self, record: Record, kind: RecordKind) -> str | None:
        """What the record belongs to and what is lost, if anything."""
        row = TABLES[kind].values(record)
        if self._park_older and id_to_bytes(_id(record)) in self._older:
            return "its newest state is lost, and this older one does not fit the rest"
        for position, pointer in HOLDING_OF[kind]:
            key = row[position]
            if key is not None and key not in self._kept[pointer.target]:
                return f"its {pointer.column} ({pointer.target.value} {id_from_bytes(key)}) is lost"
        if isinstance(record, Link):
            for end in record.ends:
                if end.kind is TargetKind.MODALITY:
                    continue
                if id_to_bytes(end.target) not in self._kept[_TARGET_KIND[end.kind]]:
                    return f"its end {end.role} ({end.kind.value} {end.target}) is lost"
        blob = _blob_of(record)
        if blob is not None and bytes.fromhex(blob) not in self._blobs:
            self._blobs_missing.add(blob)
            return f"the content of its shape (blob {blob[:12]}…) is lost"
        return None

    def report(self, database: Path, destination: Path, damage: Damage) -> SalvageReport:
        """The outcome, after ``write``."""
        (revisions,) = self._db.execute("SELECT count(*) FROM revision").fetchone()
        (found, last) = self._db.execute("SELECT count(*), ifnull(max(seq), 0) FROM change").fetchone()
        (announced,) = self._db.execute("SELECT ifnull(max(first_seq + changes - 1), 0) FROM revision").fetchone()
        return SalvageReport(
            source=str(database), destination=str(destination), kinds=self.kinds, revisions_found=revisions,
            revisions_verified=self._verified, last_revision=int(self._last or 0), last_good_hash=self._good_hash,
            blobs_recovered=len(self._blobs), blobs_missing=len(self._blobs_missing),
            changes_missing=max(last, announced) - found, damage=damage.sentences,
        )  # fmt: skip


def _verified_chain(scratch: Connection) -> tuple[int, str]:
    """The last revision up to which the recovered history hangs together from its first, and its hash."""
    good_rev, good_hash, next_seq = 0, bytes(32), 1
    revisions = scratch.execute("SELECT rev, prev_hash, hash, header, first_seq, changes FROM revision ORDER BY rev")
    for rev, previous, own, header, first, count in revisions:
        follows = (previous, rev, first) == (good_hash, good_rev + 1, next_seq)
        if not follows and (good_rev or not _may_start(rev, first)):
            break
        digest = _changes_digest(
            scratch.execute(
                "SELECT kind, id, op, schema_version, digest FROM change WHERE seq BETWEEN ? AND ? ORDER BY seq",
                (first, first + count - 1),
            ),
            count,
        )
        if digest is None or revision_hash(previous, header, digest) != own:
            break
        good_rev, good_hash, next_seq = rev, own, first + count
    return good_rev, good_hash.hex()


def _may_start(rev: int, first_seq: int) -> bool:
    """A project that was salvaged before starts its chain at a later revision, with its first change."""
    return rev > 1 and first_seq == 1


def _changes_digest(rows: Iterable[Any], count: int) -> bytes | None:
    hasher = ChangeHasher()
    found = 0
    for kind, key, op, version, digest in rows:
        hasher.add(KINDS[kind], key, op, version, digest)
        found += 1
    return hasher.digest() if found == count else None


def _rules_or_none(version: OntologyVersion) -> CompiledOntology:
    """Writing back asks the ontology nothing, so a text that does not compile any more must not stop it."""
    try:
        return compiled(version)
    except UserError:
        return compile_ontology(Ontology(name=f"version {version.number}", language="en", modalities=(), classes=()))


def _blob_of(record: Record) -> str | None:
    shape = record.shape if isinstance(record, Annotation | Keyframe) else None
    return shape.blob if isinstance(shape, Mask | PointSet) else None


def _id(record: Record) -> str:
    return str(record.id)  # type: ignore[attr-defined]


def _copy_media(folder: Path, destination: Path) -> None:
    """Copied-in media come along; their bytes are checked by hash when the project is verified."""
    media = folder / MEDIA_FOLDER
    if media.is_dir() and not media.is_symlink():
        shutil.copytree(media, destination / MEDIA_FOLDER, symlinks=True)
