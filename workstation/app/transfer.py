"""Whole projects out and in: the faces that formats read from and write into, over the store; and the new folder.

An import goes into a folder of its own beside the final place and is moved there when all of it has proved sound,
so that a bad file leaves nothing behind.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workstation.app.leaving_out import LeftOut, as_it_leaves
from workstation.app.reading import Formats
from workstation.app.record_times import time_rows
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.commands.reading import record_id
from workstation.core.errors import DataError, UserError
from workstation.core.files import sync_file, sync_folder
from workstation.core.records import RecordKind
from workstation.core.rights import Actor, ActorKind
from workstation.core.sample import Role
from workstation.formats.api import (
    ChangeImage,
    Format,
    ProjectImage,
    RefusalImage,
    RevisionImage,
)
from workstation.formats.registry import load_formats
from workstation.store.db import DATABASE_NAME
from workstation.store.foreign import HistoryImport, RawBlob, RawChange, RawRevision
from workstation.store.refusals import StoredRefusal
from workstation.store.store import Store

Progress = Callable[[int, int], None]


class StoreSource:
    """The history of an open store, for formats that write it all."""

    def __init__(self, store: Store, times: Iterable[Mapping[str, object]] = ()) -> None:
        self._store = store
        self._times = times

    def project(self) -> ProjectImage:
        """What identifies it."""
        project = self._store.project()
        return ProjectImage(
            project_id="" if project is None else project.id,
            name="" if project is None else project.name,
            head=bytes.fromhex(self._store.head_hash()),
            revisions=self._store.head(),
        )

    def revisions(self) -> Iterator[tuple[RevisionImage, Iterable[ChangeImage]]]:
        """Every revision with its changes, oldest first."""
        previous = bytes(32)
        for raw in self._store.raw_history():
            image = RevisionImage(
                rev=raw.rev, previous_hash=previous, hash=raw.hash, header=raw.header, changes=len(raw.changes)
            )
            yield image, map(_change_image, raw.changes)
            previous = raw.hash

    def blobs(self) -> Iterator[tuple[str, int, bytes | None]]:
        """Every blob, by name."""
        for blob in self._store.raw_blobs():
            yield blob.sha256, blob.size, blob.data

    def refusals(self) -> Iterator[RefusalImage]:
        """The log of refusals, oldest first."""
        for entry in self._store.raw_refusals():
            yield RefusalImage(number=entry.number, entry=entry.data, hash=entry.hash)

    def current(self) -> Iterator[tuple[RecordKind, str]]:
        """What is there now."""
        return _current(self._store)

    def times(self) -> Iterable[Mapping[str, object]]:
        """When every record is, if that was asked for."""
        return self._times


class StoreSink:
    """An empty store that takes a history over."""

    def __init__(self, store: Store, incoming: HistoryImport) -> None:
        self._store = store
        self._incoming = incoming

    def append(self, revision: RevisionImage, changes: Iterable[ChangeImage]) -> None:
        """The next revision, verified as it goes in."""
        raw = tuple(
            RawChange(each.kind, each.id, each.op, each.schema_version, each.digest, each.payload) for each in changes
        )
        if bytes.fromhex(self._store.head_hash()) != revision.previous_hash:
            raise DataError("this revision does not follow the one before it")
        self._incoming.append(RawRevision(revision.rev, revision.header, revision.hash, raw))

    def blob(self, sha256: str, size: int, data: bytes | None) -> None:
        """One blob, or what is left of it."""
        self._incoming.blob(RawBlob(sha256, size, data))

    def refusal(self, refusal: RefusalImage) -> None:
        """The next refusal."""
        try:
            self._incoming.refusal(StoredRefusal(refusal.number, refusal.entry, refusal.hash))
        except msgspec.MsgspecError as error:
            raise DataError(f"not a readable refusal: {error}") from error

    def current(self) -> Iterator[tuple[RecordKind, str]]:
        """What is there now."""
        return _current(self._store)


def _change_image(raw: RawChange) -> ChangeImage:
    return ChangeImage(
        kind=raw.kind, id=raw.id, op=raw.op, schema_version=raw.schema_version, digest=raw.digest, payload=raw.payload
    )


def _current(store: Store) -> Iterator[tuple[RecordKind, str]]:
    for kind in RecordKind:
        for record in store.records(kind):
            yield kind, record_id(record)


def find_format(name: str) -> Format:
    """The format of that name."""
    return load_formats().find(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written: its size, the head of the history in it, and what was left out of it."""

    size: int
    head: str
    left_out: LeftOut


def export_history(
    session: Session, form: Format, path: Path, *, progress: Progress, times: bool = False, proposals: bool = False
) -> Exported:
    """Write the project to ``path``, which appears only when it is complete.

    ``times`` adds to a whole history when every record is in the units of the media, which are read for it.
    ``proposals`` keeps in a whole history what nobody has confirmed; without it, it holds none of that.
    """
    if times and form.write_history is None:
        raise UserError(f"format {form.name!r} takes no times beside it")
    if form.write_history is None and form.write_times is None:
        raise UserError(f"format {form.name!r} cannot be written")
    if proposals and form.write_history is None:
        raise UserError(f"format {form.name!r} never holds proposals")
    if path.exists():
        raise UserError(f"{path} exists already; nothing is written over it")
    try:
        with tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as temporary:
            partial = Path(temporary) / path.name
            with partial.open("wb") as file, OpenStreams(session.project.path, readers=Formats().readers) as readers:
                rows, head, left_out = time_rows(session, readers), session.store.head_hash(), LeftOut()
                if form.write_history is not None:
                    with as_it_leaves(session.store, proposals=proposals) as (store, left_out):
                        head = store.head_hash()
                        source = StoreSource(store, rows if times else ())
                        form.write_history(source, file, lambda done: progress(done, 0))
                elif form.write_times is not None:
                    form.write_times(rows, file)
            sync_file(partial)
            partial.replace(path)
    except OSError as error:
        raise DataError(f"cannot be written: {error.strerror}", path=path) from error
    sync_folder(path.parent)
    return Exported(size=path.stat().st_size, head=head, left_out=left_out)


def import_history(form: Format, source: Path, folder: Path, *, progress: Progress) -> ProjectImage:
    """Make a new project in ``folder`` from a file that holds a whole history."""
    if form.read_history is None:
        raise UserError(f"format {form.name!r} cannot be read")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists and is not empty; import into a new folder")
    actor = Actor(name="import", kind=ActorKind.SYSTEM, role=Role.LEAD)
    try:
        total = source.stat().st_size
        folder.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as file, tempfile.TemporaryDirectory(prefix=".import-", dir=folder.parent) as temporary:
            database = Path(temporary) / DATABASE_NAME
            with Store.create(database, actor=actor) as store, store.import_history() as incoming:
                image = form.read_history(file, StoreSink(store, incoming), lambda done: progress(done, total))
            sync_file(database)
            folder.mkdir(exist_ok=True)
            database.replace(folder / DATABASE_NAME)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", path=error.filename or source) from error
    sync_folder(folder)
    sync_folder(folder.parent)
    return image
