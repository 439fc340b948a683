"""Reading needs no writable folder, whatever the last writer left behind, and leaves no trace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from small_disks import read_only_view

from workstation.store import schema
from workstation.store.db import DATABASE_NAME, connect
from workstation.store.readable import readable_database


def new_database(folder: Path) -> Path:
    folder.mkdir()
    with closing(connect(folder / DATABASE_NAME, create=True)) as connection:
        schema.create(connection, replica="0" * 26)
    return folder / DATABASE_NAME


def mark(database: Path, value: str) -> None:
    with closing(connect(database)) as connection:
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('mark', ?)", (value,))


@contextmanager
def read(folder: Path) -> Iterator[str]:
    readable = readable_database(folder)
    with closing(connect(readable.database, read_only=True, immutable=readable.immutable)) as connection:
        yield connection.execute("SELECT value FROM meta WHERE key = 'mark'").fetchone()[0]
    readable.discard()


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {p.name: (p.stat().st_size, p.stat().st_mtime_ns) for p in folder.iterdir()}


def test_a_cleanly_closed_project_on_a_read_only_disk(tmp_path: Path) -> None:
    mark(new_database(tmp_path / "p"), "clean")
    before = listing(tmp_path / "p")
    with read_only_view(tmp_path / "p", tmp_path / "view") as view, read(view) as value:
        assert value == "clean"
    assert listing(tmp_path / "p") == before


@pytest.mark.parametrize("left", [("-wal",), ("-wal", "-shm")])
def test_unfinished_work_in_the_log_is_read_too(
    tmp_path: Path, left: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = new_database(tmp_path / "source")
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    with closing(connect(database)) as connection:
        connection.execute("INSERT INTO meta VALUES ('mark', 'in the log only')")
        for suffix in ("", *left):
            shutil.copyfile(f"{database}{suffix}", crashed / f"{DATABASE_NAME}{suffix}")
    before = listing(crashed)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()
    with read_only_view(crashed, tmp_path / "view") as view, read(view) as value:
        assert value == "in the log only"
    assert listing(crashed) == before
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_live_writer_is_seen_through_a_read_only_mount(tmp_path: Path) -> None:
    database = new_database(tmp_path / "p")
    with closing(connect(database)) as writer, read_only_view(tmp_path / "p", tmp_path / "view") as view:
        for value in ("one", "two"):
            writer.execute("INSERT OR REPLACE INTO meta VALUES ('mark', ?)", (value,))
            with read(view) as seen:
                assert seen == value


def test_in_a_writable_folder_nothing_is_copied(tmp_path: Path) -> None:
    mark(new_database(tmp_path / "p"), "here")
    readable = readable_database(tmp_path / "p")
    assert (readable.immutable, readable.temporary) == (False, None)
    assert os.access(readable.database, os.R_OK)
