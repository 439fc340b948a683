"""The project folder: make one, open it, copy it. Everything around the database that keeps it safe meets here.

``app/session.py`` opens a folder and works with its store; the folder holds the lock, the mirrors, the backups and
the check in the background, and ends them all in the right order.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import msgspec

from workstation.core.errors import DataError, UserError
from workstation.core.files import sync_file, sync_folder
from workstation.core.ids import IdSource, RecordId
from workstation.core.rights import Actor
from workstation.core.sample import OntologyVersion, Person, Project, Role
from workstation.store.backup import BACKUP_FOLDER
from workstation.store.backup_service import DEFAULT_INTERVAL_S, BackupReport, BackupService
from workstation.store.changes import ChangeSet
from workstation.store.db import DATABASE_NAME, connect, copy_into, set_meta_in_copy
from workstation.store.effective import RulesOf, compiled
from workstation.store.integrity import IntegrityCheck, IntegrityResult, quick_problem
from workstation.store.lock import Holder, ProjectLock, current_holder
from workstation.store.migrations import MigrationRecord, migrate
from workstation.store.mirrors import (
    GUIDELINE_MIRROR,
    ONTOLOGY_MIRROR,
    PROJECT_MIRROR,
    MirrorReport,
    Mirrors,
    text_sha256,
)
from workstation.store.ontology_text import ontology_of_text
from workstation.store.place import (
    CACHE_FOLDER,
    MEDIA_FOLDER,
    check_closed_whole,
    check_database_file,
    check_sole_name,
    decode_location,
    encode_location,
    location_of,
    project_folder,
)
from workstation.store.readable import Readable, readable_database
from workstation.store.store import Store, now_in_ms

_OURS = (DATABASE_NAME, PROJECT_MIRROR, ONTOLOGY_MIRROR, GUIDELINE_MIRROR, BACKUP_FOLDER)


class ProjectFolder:
    """An open project: its store and what keeps it safe. Use ``open_project_folder``, and close it."""

    def __init__(
        self,
        path: Path,
        store: Store,
        readable: Readable,
        *,
        lock: ProjectLock | None,
        backups: BackupService | None,
        integrity: IntegrityCheck | None,
        migrations: tuple[MigrationRecord, ...],
        now_ms: Callable[[], int],
    ) -> None:
        self.path = path
        self.store = store
        self.lock = lock
        self.backups = backups
        self.integrity = integrity
        self.migrations = migrations
        self.mirrors = Mirrors(path, store, now_ms)
        self._readable = readable
        self._open = True

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed through this one."""
        return self.lock is None

    @property
    def media_folder(self) -> Path:
        """Where copied-in media lie."""
        return self.path / MEDIA_FOLDER

    @property
    def cache_folder(self) -> Path:
        """Where what can be made again lies."""
        return self.path / CACHE_FOLDER

    @property
    def backup_folder(self) -> Path:
        """Where the snapshots lie."""
        return self.path / BACKUP_FOLDER

    def holder(self) -> Holder | None:
        """Who writes to the project now, this program included."""
        return current_holder(self.path)

    def take_reports(self) -> list[MirrorReport]:
        """What there is to say about the mirrors since the last call."""
        return self.mirrors.take_reports()

    def take_backup_reports(self) -> list[BackupReport]:
        """What the backups led to since the last call."""
        return [] if self.backups is None else self.backups.take_reports()

    def close(self) -> None:
        """End everything: the check, the backups (saving what no snapshot holds), the store, and last the lock."""
        if not self._open:
            return
        self._open = False
        with contextlib.ExitStack() as stack:
            # The stack runs from the last to the first and lets no step keep the next from running.
            if self.lock is not None:
                stack.callback(self.lock.release)
            stack.callback(self._readable.discard)
            stack.callback(self.store.close)
            if self.backups is not None:
                self.store.changed.disconnect(self._note_edit)
                self.mirrors.end()
                stack.callback(self.backups.close)
            if self.integrity is not None:
                stack.callback(self.integrity.close)

    def __enter__(self) -> ProjectFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def follow(self) -> None:
        """Compare the mirrors with the database, and from now on note every edit. Called once, by the opener."""
        self.mirrors.compare()
        if not self.read_only:
            self.mirrors.follow()
            self.store.changed.connect(self._note_edit)

    def _note_edit(self, _changes: ChangeSet) -> None:
        if self.backups is not None:
            self.backups.edited()


def create_project(
    folder: Path,
    *,
    name: str,
    profile: str = "general",
    actor: Actor,
    ontology_text: str | None = None,
    modalities: tuple[str, ...] = (),
    ids: IdSource | None = None,
    now_ms: Callable[[], int] = now_in_ms,
    rules_of: RulesOf = compiled,
) -> Path:
    """Make a project in ``folder``, which may exist and hold media but none of our files. Returns the folder.

    Whoever makes a project leads it. The database gets its name last, so a crash leaves no half project.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; a project needs a folder")
    taken = [name_ for name_ in _OURS if (folder / name_).exists() or (folder / name_).is_symlink()]
    if taken:
        raise UserError(f"{folder} already holds {', '.join(taken)}; choose another folder, or open the project there")
    if ontology_text is not None:
        ontology_of_text(ontology_text, ONTOLOGY_MIRROR)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-project-", dir=folder) as temporary:
            new = Path(temporary) / DATABASE_NAME
            with Store.create(new, actor=actor, ids=ids, now_ms=now_ms, rules_of=rules_of) as store:
                _first_records(store, name, profile, actor, ontology_text, modalities)
            check_closed_whole(new)
            new.replace(folder / DATABASE_NAME)
    except OSError as error:
        raise UserError(f"{folder}: the project could not be made: {error.strerror or error}") from error
    _set_location(folder / DATABASE_NAME)
    sync_folder(folder)
    sync_folder(folder.parent)
    return folder


def open_project_folder(
    path: Path,
    actor: Actor,
    *,
    read_only: bool = False,
    backup_interval_s: float = DEFAULT_INTERVAL_S,
    on_integrity: Callable[[IntegrityResult], None] | None = None,
    ids: IdSource | None = None,
    now_ms: Callable[[], int] = now_in_ms,
    rules_of: RulesOf = compiled,
    on_listener_error: Callable[[Exception], None] | None = None,
) -> ProjectFolder:
    """Open a project for writing, or to look at it.

    For writing: takes the lock (``LockHeldError`` names the holder), checks the database first if the last writer did
    not close it, migrates an older one, gives a copied one a name of its own. Read-only: writes nothing, needs no
    writable folder, and works beside a writer.
    """
    folder = project_folder(path)
    open_store = _StoreOpener(actor, ids, now_ms, rules_of, on_listener_error)
    if read_only:
        return _open_read_only(folder, open_store, on_integrity)
    with contextlib.ExitStack() as undo:
        lock = ProjectLock.acquire(folder, name=actor.name, now_ms=now_ms())
        undo.callback(lock.release)
        check_database_file(folder)
        check_sole_name(folder)
        database = folder / DATABASE_NAME
        here = Readable(database)
        if lock.last_holder_vanished:
            problem = quick_problem(here)
            if problem:
                lock.release(soundly=False)
                raise DataError(problem)
        done = migrate(database, folder / BACKUP_FOLDER, now_ms=now_ms)
        _settle(database, ids if ids is not None else IdSource(now_ms))
        store = open_store(database)
        undo.callback(store.close)
        backups = BackupService(database, folder / BACKUP_FOLDER, now_ms=now_ms, interval_s=backup_interval_s)
        undo.callback(backups.close, final=False)
        integrity = None if lock.last_holder_vanished else IntegrityCheck(here, on_integrity)
        project = ProjectFolder(
            folder, store, here, lock=lock, backups=backups, integrity=integrity, migrations=done, now_ms=now_ms
        )
        undo.pop_all()  # from here on the project closes them
    return _followed(project)


def copy_project(source: Path, destination: Path) -> Path:
    """Copy a project, also while somebody works on it: the database as it is at this moment, mirrors and media.

    Leaves out what can be made again, the backups and the lock. The copy gets its own name when it is first opened
    for writing.
    """
    folder = project_folder(source)
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise UserError(f"{destination} exists and is not empty; copy into a new folder")
    if destination.resolve().is_relative_to(folder.resolve()):
        raise UserError(f"{destination} lies inside the project; choose a folder outside it")
    readable = readable_database(folder)
    try:
        destination.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".copy-", dir=destination) as temporary:
            new = Path(temporary) / DATABASE_NAME
            with contextlib.closing(
                connect(readable.database, read_only=True, immutable=readable.immutable)
            ) as connection:
                connection.execute("BEGIN")
                copy_into(connection, new, goes_on=lambda: True)
            set_meta_in_copy(new, location="")
            _copy_others(folder, destination)
            sync_file(new)
            new.replace(destination / DATABASE_NAME)
    except OSError as error:
        raise UserError(f"{destination}: the copy could not be made: {error.strerror or error}") from error
    finally:
        readable.discard()
    sync_folder(destination)
    sync_folder(destination.parent)
    return destination


class _StoreOpener:
    """What every way of opening hands to the store."""

    def __init__(
        self,
        actor: Actor,
        ids: IdSource | None,
        now_ms: Callable[[], int],
        rules_of: RulesOf,
        on_listener_error: Callable[[Exception], None] | None,
    ) -> None:
        self.now_ms = now_ms
        self._actor, self._ids, self._rules_of, self._on_listener_error = actor, ids, rules_of, on_listener_error

    def __call__(self, database: Path, *, read_only: bool = False, immutable: bool = False) -> Store:
        return Store.open(
            database, actor=self._actor, read_only=read_only, immutable=immutable, ids=self._ids, now_ms=self.now_ms,
            rules_of=self._rules_of, on_listener_error=self._on_listener_error,
        )  # fmt: skip


def _open_read_only(
    folder: Path, open_store: _StoreOpener, on_integrity: Callable[[IntegrityResult], None] | None
) -> ProjectFolder:
    readable = readable_database(folder)
    with contextlib.ExitStack() as undo:
        undo.callback(readable.discard)
        store = open_store(readable.database, read_only=True, immutable=readable.immutable)
        undo.callback(store.close)
        project = ProjectFolder(
            folder, store, readable, lock=None, backups=None, integrity=IntegrityCheck(readable, on_integrity),
            migrations=(), now_ms=open_store.now_ms,
        )  # fmt: skip
        undo.pop_all()
    return _followed(project)


def _followed(project: ProjectFolder) -> ProjectFolder:
    try:
        project.follow()
    except BaseException:
        project.close()
        raise
    return project


def _first_records(
    store: Store, name: str, profile: str, actor: Actor, ontology_text: str | None, modalities: tuple[str, ...]
) -> None:
    leader = msgspec.structs.replace(actor, role=Role.LEAD)
    with store.transaction("Make the project", actor=leader) as tx:
        tx.put(Project(id=RecordId(tx.new_id()), name=name, profile=profile, modalities=modalities))
        if actor.person is not None:
            roles = (Role.LEAD,) if actor.role is Role.LEAD else (Role.LEAD, actor.role)
            tx.put(Person(id=actor.person, name=actor.name, roles=roles))
        if ontology_text is not None:
            tx.put(
                OntologyVersion(
                    id=RecordId(tx.new_id()), number=1, text=ontology_text, sha256=text_sha256(ontology_text),
                    author=actor.name,
                )
            )  # fmt: skip


def _settle(database: Path, ids: IdSource) -> None:
    """Give a copied project a name of its own: two copies must not write revisions under one."""
    with contextlib.closing(connect(database)) as connection:
        row = connection.execute("SELECT value FROM meta WHERE key = 'location'").fetchone()
        before, now = decode_location(row[0]) if row else None, location_of(database.parent)
        if before == now:
            return
        moved = before is not None and before.is_same_place(now)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('location', ?)", (encode_location(now),))
        if not moved:
            connection.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('replica', ?)", (ids.new(),))
        connection.execute("COMMIT")


def _set_location(database: Path) -> None:
    with contextlib.closing(connect(database)) as connection:
        connection.execute(
            "INSERT OR REPLACE INTO meta(key, value) VALUES ('location', ?)",
            (encode_location(location_of(database.parent)),),
        )


def _copy_others(folder: Path, destination: Path) -> None:
    """Mirrors and copied-in media; links are copied as links, so nothing from outside the project is drawn in."""
    for name in (PROJECT_MIRROR, ONTOLOGY_MIRROR, GUIDELINE_MIRROR):
        if (folder / name).is_file() and not (folder / name).is_symlink():
            shutil.copyfile(folder / name, destination / name)
    media = folder / MEDIA_FOLDER
    if media.is_dir() and not media.is_symlink():
        shutil.copytree(media, destination / MEDIA_FOLDER, symlinks=True)
