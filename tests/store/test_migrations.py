"""Migrations: a backup first, each step whole or not at all, history as it was; old payloads read in today's shape."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from projects import LEAD, add_sample, new_project, opened, sample_keys

from workstation.core.errors import DataError, UserError
from workstation.core.ids import SampleId
from workstation.core.records import RecordKind, encode
from workstation.core.sample import Sample
from workstation.store import rows, schema
from workstation.store import store as store_module
from workstation.store.backup import BackupReason, check_snapshot, list_snapshots
from workstation.store.db import DATABASE_NAME, Connection, connect
from workstation.store.migrations import migrate, records_of_migrations
from workstation.store.project import open_project_folder
from workstation.store.upcast import upcast

NOW = 1_800_000_000_000


def add_colour(connection: Connection) -> None:
    connection.execute("ALTER TABLE sample ADD COLUMN colour TEXT")
    connection.execute("UPDATE sample SET colour = 'blue'")


def add_table(connection: Connection) -> None:
    connection.execute("CREATE TABLE extra(n)")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = new_project(tmp_path / "p")
    with opened(folder) as project:
        for number in range(20):
            add_sample(project.store, f"s{number}")
    return folder


def run(folder: Path, steps: schema.Mapping[int, object], target: int) -> tuple[object, ...]:
    return migrate(
        folder / DATABASE_NAME,
        folder / "backups",
        now_ms=lambda: NOW,
        steps=steps,
        target=target,  # type: ignore[arg-type]
    )


def version(folder: Path) -> int:
    with closing(connect(folder / DATABASE_NAME, read_only=True)) as connection:
        return schema.version_of(connection)


def test_the_steps_run_in_order_after_a_backup_and_leave_their_records(folder: Path) -> None:
    with opened(folder) as project:
        head = project.store.head_hash()
    assert len(run(folder, {1: add_colour, 2: add_table}, 3)) == 2
    with closing(connect(folder / DATABASE_NAME, read_only=True)) as connection:
        assert schema.version_of(connection) == 3
        assert connection.execute("SELECT DISTINCT colour FROM sample").fetchall() == [("blue",)]
        first, second = records_of_migrations(connection)
    snapshot = list_snapshots(folder / "backups")[0]
    assert (first.from_version, second.from_version) == (1, 2)
    assert first.backup == second.backup == snapshot.file
    assert first.head_hash == head == snapshot.head_hash
    assert (snapshot.reason, snapshot.schema_version) == (BackupReason.MIGRATION, 1)
    assert check_snapshot(folder / "backups", snapshot) is None
    assert run(folder, {1: add_colour, 2: add_table}, 3) == ()


def test_a_failing_step_leaves_the_version_before_it(folder: Path) -> None:
    def fails(connection: Connection) -> None:
        connection.execute("CREATE TABLE half(n)")
        connection.execute("SELECT no_such_function()")

    with pytest.raises(DataError, match="no such function"):
        run(folder, {1: add_colour, 2: fails}, 3)
    with closing(connect(folder / DATABASE_NAME, read_only=True)) as connection:
        assert schema.version_of(connection) == 2
        assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchone() is None


def test_a_step_may_neither_touch_history_nor_end_the_transaction(folder: Path) -> None:
    def writes_history(connection: Connection) -> None:
        connection.execute(
            "INSERT INTO change SELECT max(seq) + 1, 1, 'sample', id, op, NULL, 1, digest, NULL FROM change"
        )

    def commits(connection: Connection) -> None:
        connection.execute("COMMIT")

    for step, words in ((writes_history, "changed the history"), (commits, "ended the transaction")):
        with pytest.raises(RuntimeError, match=words):
            run(folder, {1: step}, 2)
        assert version(folder) == 1


def test_without_a_backup_nothing_is_migrated(folder: Path) -> None:
    with opened(folder):
        pass
    for path in (folder / "backups").iterdir():
        path.unlink()
    (folder / "backups").rmdir()
    (folder / "backups").write_bytes(b"in the way")
    with pytest.raises(OSError, match="backups"):
        run(folder, {1: add_colour}, 2)
    assert version(folder) == 1


def test_a_missing_step_and_a_newer_project_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="step from version 2"):
        run(folder, {1: add_colour}, 3)
    assert version(folder) == 1
    run(folder, {1: add_table}, 2)
    with pytest.raises(UserError, match="newer version"):
        run(folder, {}, 1)
    with pytest.raises(UserError, match=r"newer version.*read-only"):
        opened(folder)
    with opened(folder, read_only=True) as project:
        assert len(sample_keys(project.store)) == 20


def test_opening_an_older_project_migrates_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 2)
    monkeypatch.setattr(store_module, "SCHEMA_VERSION", 2)
    monkeypatch.setattr(schema, "MIGRATIONS", {1: add_table})
    with open_project_folder(folder, LEAD) as project:
        assert [record.from_version for record in project.migrations] == [1]
        assert len(sample_keys(project.store)) == 20
    with open_project_folder(folder, LEAD) as project:
        assert project.migrations == ()


KILLED = """
import sys
from pathlib import Path
from workstation.store.migrations import migrate

def long_step(connection):
    connection.execute("CREATE TABLE filled(n, filler)")
    for n in range(2000):
        connection.execute("INSERT INTO filled VALUES (?, zeroblob(3000))", (n,))
        print("row", n, flush=True)

folder = Path(sys.argv[1])
print("start", flush=True)
migrate(folder / "project.db", folder / "backups", now_ms=lambda: 1, steps={1: long_step}, target=2)
print("done", flush=True)
"""


@pytest.mark.slow
def test_a_migration_killed_anywhere_is_whole_or_not_at_all(tmp_path: Path) -> None:
    chance = random.Random(11)
    outcomes = []
    for number in range(int(os.environ.get("WORKSTATION_KILLS", "12")) // 4 + 1):
        folder = new_project(tmp_path / str(number))
        with opened(folder) as project:
            add_sample(project.store, "one")
            head = project.store.head_hash()
        child = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, text=True)
        with child:
            assert child.stdout is not None
            for _ in range(chance.choice((1, 2, 500, 1500, 2001))):
                child.stdout.readline()
            child.send_signal(signal.SIGKILL)
            done = "done" in child.stdout.read()
        now = version(folder)
        outcomes.append(now)
        with closing(connect(folder / DATABASE_NAME)) as connection:
            there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'filled'").fetchone()
            assert (there is not None) == (now == 2)
            assert now == 2 or not done
            if now == 2:
                assert connection.execute("SELECT count(*) FROM filled").fetchone() == (2000,)
        if now == 1:
            with opened(folder) as project:
                assert project.store.head_hash() == head
    assert 1 in outcomes


# --- payloads ------------------------------------------------------------------------------------------------------


def test_an_old_payload_passes_every_step_of_its_kind() -> None:
    steps = {
        (RecordKind.SAMPLE, 1): lambda value: {**value, "key": value["name"], "name": None},
        (RecordKind.SAMPLE, 3): lambda value: {name: item for name, item in value.items() if name != "name"},
    }
    old = msgspec.json.encode({"id": "0" * 26, "name": "Müller"})
    new = upcast(RecordKind.SAMPLE, old, 1, current=4, upcasters=steps)
    assert msgspec.json.decode(new) == {"id": "0" * 26, "key": "Müller"}
    assert upcast(RecordKind.SAMPLE, old, 4, current=4, upcasters=steps) is old
    assert upcast(RecordKind.STREAM, old, 1, current=4, upcasters=steps) is old


@pytest.mark.parametrize("payload", [b"", b"[]", b"\xff", b"{", b"[" * 50_000])
def test_rubbish_under_an_old_version_is_a_data_error(payload: bytes) -> None:
    with pytest.raises(DataError, match="of version 1"):
        upcast(RecordKind.SAMPLE, payload, 1, current=2, upcasters={(RecordKind.SAMPLE, 1): dict})


def test_newer_and_impossible_versions_are_refused_and_reading_goes_through_here() -> None:
    payload = encode(Sample(id=SampleId("0" * 26), key="a"))
    for wrong, words in ((2, "newer version"), (0, "never existed")):
        with pytest.raises(DataError, match=words):
            rows.read(RecordKind.SAMPLE, payload, wrong)
    assert rows.read(RecordKind.SAMPLE, payload, 1) == Sample(id=SampleId("0" * 26), key="a")
