"""Snapshots of the database: made beside the work, checked before they count, thinned as they age.

The project folder owns one ``BackupService``; migrations call ``make_snapshot`` themselves. A snapshot is a single
database file with a text beside it that says when, why, at which revision and with which head hash it was made.
A snapshot is never written back over a project: ``restore_snapshot`` makes a new folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from workstation.core.errors import DataError, UserError
from workstation.core.files import read_bounded, sync_file, sync_folder, write_whole
from workstation.core.version import __version__
from workstation.store.db import (
    DATABASE_NAME,
    Connection,
    DatabaseError,
    connect,
    copy_into,
    damage,
    in_words,
    set_meta_in_copy,
)
from workstation.store.revisions import Head, read_head
from workstation.store.schema import version_of

BACKUP_FOLDER = "backups"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
DEFAULT_MAX_BYTES = 20 << 30
_PARTIAL = ".partial-"
_NOTE_LIMIT = 65_536
_SPARE_BYTES = 64 << 20


class BackupReason(StrEnum):
    """Why a snapshot was made."""

    INTERVAL = "interval"
    CLOSE = "close"
    MIGRATION = "migration"
    ASKED = "asked"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One verified snapshot, as the text beside it says. ``file`` is a bare name in the backup folder."""

    file: str
    made_ms: int
    reason: BackupReason
    rev: int
    head_hash: str
    schema_version: int
    size: int
    sha256: str
    seconds: float
    program: str = __version__


_DECODER = msgspec.json.Decoder(Snapshot)


def _always() -> bool:
    return True


def make_snapshot(
    database: Path, folder: Path, *, reason: BackupReason, now_ms: int, goes_on: Callable[[], bool] = _always
) -> Snapshot:
    """Copy ``database`` as it is now into ``folder``, check the copy, and only then give it its name.

    Works while others write. Raises ``UserError`` (full disk, damage) or ``StoppedError``; then nothing is left.
    """
    start = time.monotonic()
    folder.mkdir(exist_ok=True)
    free = shutil.disk_usage(folder).free
    needed = database.stat().st_size + _SPARE_BYTES
    if free < needed:  # a backup must not take the space that the next edit needs
        raise UserError(
            f"{folder}: no backup was made, the disk has {free >> 20:,} MiB free and {needed >> 20:,} MiB are needed; "
            "free some space or delete old backups"
        )
    with _partial(folder) as partial:
        head, version = _copy_of_moment(database, partial, goes_on)
        set_meta_in_copy(partial, location="", clean_close="1")
        problem = snapshot_damage(partial, head=head, goes_on=goes_on)
        if problem:
            raise DataError(f"no backup was made, the copy does not check: {problem}", path=database)
        sync_file(partial)
        moment = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%S")
        file = f"{moment}.{now_ms % 1000:03d}Z-r{head.rev:06d}.db"
        snapshot = Snapshot(
            file=file, made_ms=now_ms, reason=reason, rev=head.rev, head_hash=head.hash.hex(), schema_version=version,
            size=partial.stat().st_size, sha256=_sha256(partial), seconds=round(time.monotonic() - start, 3),
        )  # fmt: skip
        # The note first: a database file without one counts as litter, a note without a file is not listed.
        write_whole(_note_of(folder, file), msgspec.json.format(msgspec.json.encode(snapshot)))
        partial.replace(folder / file)
    sync_folder(folder)
    return snapshot


def list_snapshots(folder: Path) -> list[Snapshot]:
    """The snapshots of a backup folder, newest first. Notes that are not ours or have no file are passed over."""
    found = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for note in folder.glob("*.db.json"):
            try:
                snapshot = _DECODER.decode(read_bounded(note, _NOTE_LIMIT))
            except (DataError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            # The name inside must be the name outside: a note must not lead out of its folder.
            if snapshot.file + ".json" == note.name and (folder / snapshot.file).is_file():
                found.append(snapshot)
    return sorted(found, key=lambda s: (s.made_ms, s.rev), reverse=True)


def check_snapshot(folder: Path, snapshot: Snapshot) -> str | None:
    """Why a snapshot cannot be trusted any more, or ``None``. Reads the whole file."""
    path = folder / snapshot.file
    try:
        if _sha256(path) != snapshot.sha256:
            return f"{path}: the file is not the one that was made (its content changed)"
        return snapshot_damage(path, head=None, expected_hash=snapshot.head_hash)
    except OSError as error:
        return f"{path}: cannot be read: {error.strerror}"


def restore_snapshot(folder: Path, snapshot: Snapshot, destination: Path) -> Path:
    """Make a new project folder out of a snapshot. Never writes over anything; media are found again with relink.

    The mirrors are written when the new project is opened.
    """
    problem = check_snapshot(folder, snapshot)
    if problem:
        raise DataError(f"this backup is damaged and was not restored: {problem}", path=folder / snapshot.file)
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise UserError(f"{destination} exists and is not empty; restore into a new folder")
    destination.mkdir(parents=True, exist_ok=True)
    with _partial(destination) as partial:
        shutil.copyfile(folder / snapshot.file, partial)
        sync_file(partial)
        partial.replace(destination / DATABASE_NAME)
    sync_folder(destination)
    sync_folder(destination.parent)
    return destination


def thinned(snapshots: Iterable[Snapshot], *, now_ms: int, max_bytes: int = DEFAULT_MAX_BYTES) -> list[Snapshot]:
    """Which snapshots to delete: all of the last two hours stay, then the newest of each hour for a day, of each day
    for thirty days, of each week after that; those before a migration stay. Above ``max_bytes`` the oldest go, but
    never the newest of all. A snapshot from the future (the clock was set back) counts as made now.
    """
    ordered = sorted(snapshots, key=lambda s: (s.made_ms, s.rev), reverse=True)
    kept: list[Snapshot] = []
    dropped: list[Snapshot] = []
    taken: set[tuple[str, int]] = set()
    for snapshot in ordered:
        slot = _slot(snapshot, now_ms)
        if slot is not None and slot in taken:
            dropped.append(snapshot)
            continue
        if slot is not None:
            taken.add(slot)
        kept.append(snapshot)
    total = sum(snapshot.size for snapshot in kept)
    while len(kept) > 1 and total > max_bytes:
        oldest = kept.pop()
        total -= oldest.size
        dropped.append(oldest)
    return dropped


def delete_snapshots(folder: Path, snapshots: Iterable[Snapshot]) -> None:
    """Take snapshots away, the file before its note, so that a half-deleted one is not listed."""
    for snapshot in snapshots:
        (folder / snapshot.file).unlink(missing_ok=True)
        _note_of(folder, snapshot.file).unlink(missing_ok=True)


def clear_litter(folder: Path) -> None:
    """Delete what a killed program left half done. Only whoever holds the project's lock may call this."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        orphan_note = path.name.endswith(".db.json") and not (folder / path.name.removesuffix(".json")).exists()
        if path.name.startswith(_PARTIAL) or orphan_note:
            path.unlink(missing_ok=True)


def snapshot_damage(
    path: Path, *, head: Head | None, expected_hash: str = "", goes_on: Callable[[], bool] = _always
) -> str | None:
    """What is wrong with a copied database: SQLite's whole check, and the end of its history chain."""
    try:
        connection = connect(path, immutable=True)
    except UserError as error:
        return str(error)
    with contextlib.closing(connection):
        found = damage(connection, quick=False, goes_on=goes_on)
        if found:
            return found
        try:
            version_of(connection)
            ours = read_head(connection)
        except (DatabaseError, UserError) as error:
            return str(error)
    if ours.hash.hex() != (head.hash.hex() if head else expected_hash):
        return f"its history ends in {ours.hash.hex()[:12]}, not in the hash of the moment it was copied"
    return None


def _copy_of_moment(database: Path, target: Path, goes_on: Callable[[], bool]) -> tuple[Head, int]:
    """Copy through a connection of our own, inside one read transaction, so that the head belongs to the copy."""
    source: Connection = connect(database, read_only=True)
    with contextlib.closing(source):
        try:
            source.execute("BEGIN")
            head, version = read_head(source), version_of(source)
            copy_into(source, target, goes_on=goes_on)
            source.execute("ROLLBACK")
        except DatabaseError as error:
            raise in_words(error, database) from error
    return head, version


def _slot(snapshot: Snapshot, now_ms: int) -> tuple[str, int] | None:
    """The slot of which one snapshot stays; ``None`` for those that stay anyway."""
    age = now_ms - snapshot.made_ms
    if snapshot.reason is BackupReason.MIGRATION or age <= 2 * HOUR_MS:
        return None
    if age <= DAY_MS:
        return ("hour", snapshot.made_ms // HOUR_MS)
    if age <= 30 * DAY_MS:
        return ("day", snapshot.made_ms // DAY_MS)
    return ("week", snapshot.made_ms // (7 * DAY_MS))


def _note_of(folder: Path, file: str) -> Path:
    return folder / f"{file}.json"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _partial(folder: Path) -> Iterator[Path]:
    """A name for a file being made, gone afterwards unless it was renamed."""
    descriptor, name = tempfile.mkstemp(prefix=_PARTIAL, suffix=".db", dir=folder)
    path = Path(name)
    try:
        with open(descriptor, "rb"):  # noqa: PTH123 - only the name is wanted; SQLite opens it itself
            pass
        yield path
    finally:
        for litter in (path, path.with_name(path.name + "-journal")):
            litter.unlink(missing_ok=True)
