"""The project folder as people meet it: made, opened twice, copied, moved, and refused in clear words."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from projects import ANNOTATOR, LEAD, ONTOLOGY, add_sample, new_project, opened, sample_keys
from small_disks import read_only_view

from workstation.core.errors import DataError, UserError
from workstation.core.records import RecordKind
from workstation.core.sample import Role
from workstation.store.db import DATABASE_NAME
from workstation.store.lock import LOCK_FILE, FolderReadOnlyError, LockHeldError
from workstation.store.project import copy_project, create_project, open_project_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_project(tmp_path / "Projekt Ä")


def test_a_new_project_is_one_folder_with_what_the_documentation_says(folder: Path) -> None:
    with opened(folder) as project:
        add_sample(project.store, "one")
    names = {path.name for path in folder.iterdir()}
    assert names == {"project.db", "project.yaml", "ontology.yaml", "project.lock", "backups"}
    with opened(folder) as project:
        assert sample_keys(project.store) == {"one"}
        settings = project.store.project()
        assert settings is not None
        assert settings.name == "Test drive"


def test_whoever_makes_a_project_leads_it(tmp_path: Path) -> None:
    person = "0" * 25 + "1"
    actor = ANNOTATOR.__class__(name="Ben", role=Role.ANNOTATOR, person=person)  # type: ignore[arg-type]
    folder = create_project(tmp_path / "p", name="Mine", actor=actor)
    with opened(folder) as project:
        (someone,) = project.store.people()
        assert (someone.name, set(someone.roles)) == ("Ben", {Role.LEAD, Role.ANNOTATOR})


def test_media_may_lie_in_the_folder_before_but_nothing_of_ours(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"x")
    new_project(tmp_path)
    assert (tmp_path / "clip.mp4").read_bytes() == b"x"
    with pytest.raises(UserError, match=r"already holds project\.db"):
        new_project(tmp_path)


def test_a_wrong_ontology_makes_no_project(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="ontology"):
        create_project(tmp_path / "p", name="x", actor=LEAD, ontology_text="classes: [")
    assert not (tmp_path / "p").exists()


def test_the_second_writer_is_refused_by_name_and_may_look(folder: Path) -> None:
    with opened(folder) as first:
        add_sample(first.store, "one")
        with pytest.raises(LockHeldError, match="Ana Díaz"):
            opened(folder, actor=ANNOTATOR)
        with opened(folder, read_only=True, actor=ANNOTATOR) as second:
            holder = second.holder()
            assert holder is not None
            assert holder.name == "Ana Díaz"
            assert sample_keys(second.store) == {"one"}
            add_sample(first.store, "two")
            assert sample_keys(second.store) == {"one", "two"}
            with pytest.raises(UserError, match="read-only"):
                add_sample(second.store, "three")


def test_a_failed_opening_gives_the_lock_back(folder: Path) -> None:
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as connection:
        connection.execute("PRAGMA user_version = 99")
    for _ in range(2):
        with pytest.raises(UserError, match="newer version"):
            opened(folder)
    with opened(folder, read_only=True) as project:
        assert project.store.project() is not None


def test_nothing_runs_on_after_closing(folder: Path) -> None:
    before = set(threading.enumerate())
    for read_only in (False, True):
        project = opened(folder, read_only=read_only)
        project.close()
        project.close()
        assert set(threading.enumerate()) == before
    with opened(folder):
        pass


def test_a_read_only_disk_is_read_and_not_written(folder: Path, tmp_path: Path) -> None:
    with opened(folder) as project:
        add_sample(project.store, "one")
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    with read_only_view(folder, tmp_path / "view") as view:
        with pytest.raises(FolderReadOnlyError):
            opened(view)
        with opened(view, read_only=True) as project:
            assert sample_keys(project.store) == {"one"}
            assert project.integrity is not None
            assert project.integrity.wait(30) is not None
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before


def test_the_check_in_the_background_finds_a_damaged_page_and_says_what_to_do(folder: Path) -> None:
    with opened(folder) as project:
        for number in range(100):
            add_sample(project.store, f"s{number}", notes="x" * 500)
    with (folder / DATABASE_NAME).open("r+b") as file:
        file.seek(-4096 * 5, os.SEEK_END)
        file.write(bytes(4096))
    with opened(folder) as project:
        assert project.integrity is not None
        result = project.integrity.wait(30)
        assert result is not None
        assert "salvage" in (result.problem or "")


def test_a_sound_project_has_no_problem(folder: Path) -> None:
    told: list[object] = []
    with open_project_folder(folder, LEAD, on_integrity=told.append) as project:
        assert project.integrity is not None
        result = project.integrity.wait(30)
        assert result is not None
        assert result.problem is None
    assert told == [result]


CRASH = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from projects import add_sample, opened
project = opened(Path(sys.argv[1]))
add_sample(project.store, "before the crash")
os._exit(9)
"""


def crash_in(folder: Path) -> None:
    here = str(Path(__file__).parent)
    assert subprocess.run([sys.executable, "-c", CRASH, str(folder), here], check=False).returncode == 9


def test_after_a_crash_the_check_comes_before_opening(folder: Path) -> None:
    crash_in(folder)
    assert (folder / LOCK_FILE).read_bytes() != b""
    with opened(folder) as project:
        assert project.integrity is None
        assert sample_keys(project.store) == {"before the crash"}
    with opened(folder) as project:
        assert project.integrity is not None


def test_a_database_damaged_in_a_crash_is_not_opened_however_often(folder: Path) -> None:
    with opened(folder) as project:
        for number in range(100):
            add_sample(project.store, f"s{number}", notes="x" * 500)
    crash_in(folder)
    with (folder / DATABASE_NAME).open("r+b") as file:
        file.seek(4096 * 60)
        file.write(bytes(4096))
    for _ in range(2):
        with pytest.raises(DataError, match="salvage"):
            opened(folder)


def replica_of(folder: Path) -> str:
    with opened(folder) as project:
        return project.store.replica


def test_a_copied_folder_is_another_replica_and_a_moved_one_is_not(folder: Path, tmp_path: Path) -> None:
    with opened(folder) as project:
        add_sample(project.store, "one")
        original, head = project.store.replica, project.store.head_hash()
    shutil.copytree(folder, tmp_path / "copied")
    assert replica_of(tmp_path / "copied") != original
    assert replica_of(tmp_path / "copied") == replica_of(tmp_path / "copied")
    folder.rename(tmp_path / "moved")
    assert replica_of(tmp_path / "moved") == original
    with opened(tmp_path / "copied") as project:
        assert project.store.head_hash() == head


def test_copying_takes_database_mirrors_and_media_from_under_a_writer(folder: Path, tmp_path: Path) -> None:
    (folder / "media").mkdir()
    (folder / "media" / "é.wav").write_bytes(b"sound")
    (folder / "media" / "link").symlink_to("/etc/hostname")
    (folder / "cache").mkdir()
    with opened(folder) as project:
        add_sample(project.store, "one")
        copy = copy_project(folder, tmp_path / "copy")
        add_sample(project.store, "two")
        replica = project.store.replica
    assert (copy / "media" / "é.wav").read_bytes() == b"sound"
    assert (copy / "media" / "link").is_symlink()
    assert {p.name for p in copy.iterdir()} == {"project.db", "project.yaml", "ontology.yaml", "media"}
    with opened(copy) as project:
        assert sample_keys(project.store) == {"one"}
        assert project.store.replica != replica
        assert project.take_reports() == []


def test_a_copy_goes_neither_over_something_nor_into_itself(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_bytes(b"x")
    with pytest.raises(UserError, match="not empty"):
        copy_project(folder, tmp_path / "full")
    with pytest.raises(UserError, match="inside the project"):
        copy_project(folder, folder / "copy")


def test_copying_from_a_read_only_disk(folder: Path, tmp_path: Path) -> None:
    with read_only_view(folder, tmp_path / "view") as view:
        copy_project(view, tmp_path / "copy")
    with opened(tmp_path / "copy") as project:
        assert project.store.project() is not None


# --- what is no project --------------------------------------------------------------------------------------------


def write_database(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(statement)


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        ("missing", "no such folder"),
        ("file", "this is a file"),
        ("empty folder", "holds no project.db"),
        ("directory as database", "not a file"),
        ("empty database", "is empty"),
        ("text", "not a project database"),
        ("foreign database", "not one of a Workstation"),
        ("symlink", "symbolic link"),
        ("pipe", "not a file"),
        ("truncated", "cut short"),
        ("cut at a page", "damaged"),
        ("garbage header", "not a project database"),
    ],
)
def test_what_is_no_project_is_refused_in_one_sentence(
    folder: Path, tmp_path: Path, make: str, words: str, read_only: bool
) -> None:
    target = tmp_path / "target"
    database = target / DATABASE_NAME
    if make == "file":
        target.write_bytes(b"x")
    elif make != "missing":
        target.mkdir()
    if make == "directory as database":
        database.mkdir()
    elif make == "empty database":
        database.touch()
    elif make == "text":
        database.write_bytes(b"hello " * 1000)
    elif make == "foreign database":
        write_database(database, "CREATE TABLE t(x);")
    elif make == "symlink":
        database.symlink_to(folder / DATABASE_NAME)
    elif make == "pipe":
        os.mkfifo(database)
    elif make in ("truncated", "cut at a page", "garbage header"):
        data = (folder / DATABASE_NAME).read_bytes()
        cut = {"truncated": data[:1000], "cut at a page": data[:8192], "garbage header": os.urandom(100) + data[100:]}
        database.write_bytes(cut[make])
    before = sorted(target.iterdir()) if target.is_dir() else []
    with pytest.raises(UserError, match=words) as caught:
        opened(target, read_only=read_only)
    assert "\n" not in str(caught.value)
    assert str(target) in str(caught.value)
    if target.is_dir() and make != "cut at a page":  # there SQLite has to be asked, and leaves its index
        assert set(target.iterdir()) - set(before) <= {target / LOCK_FILE}


def test_a_database_with_two_names_is_read_but_not_written(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "twin").mkdir()
    (tmp_path / "twin" / DATABASE_NAME).hardlink_to(folder / DATABASE_NAME)
    with pytest.raises(DataError, match="hard links"):
        opened(tmp_path / "twin")
    with opened(tmp_path / "twin", read_only=True) as project:
        assert project.store.project() is not None


def test_the_path_of_the_database_opens_its_folder(folder: Path) -> None:
    with opened(folder / DATABASE_NAME) as project:
        assert project.path == folder
        assert [v.text for v in project.store.ontology_versions()] == [ONTOLOGY]
        assert len(list(project.store.records(RecordKind.PROJECT))) == 1
