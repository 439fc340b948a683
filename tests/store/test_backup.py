"""Backups: of one moment, checked before they count, thinned by age, restored beside and never over."""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import LEAD, add_sample, new_project, opened, sample_keys
from small_disks import small_disk

from workstation.core.errors import DataError, StoppedError, UserError
from workstation.store.backup import (
    DAY_MS,
    HOUR_MS,
    BackupReason,
    Snapshot,
    check_snapshot,
    clear_litter,
    list_snapshots,
    make_snapshot,
    restore_snapshot,
    thinned,
)
from workstation.store.backup_service import BackupService
from workstation.store.db import DATABASE_NAME
from workstation.store.project import open_project_folder

NOW = 1_800_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_project(tmp_path / "p")


def snapshot_of(folder: Path, now_ms: int = NOW) -> Snapshot:
    return make_snapshot(folder / DATABASE_NAME, folder / "backups", reason=BackupReason.ASKED, now_ms=now_ms)


def test_a_snapshot_holds_the_moment_while_others_write(folder: Path, tmp_path: Path) -> None:
    with opened(folder) as project:
        for number in range(200):
            add_sample(project.store, f"s{number}", notes="x" * 2000)
        head = project.store.head_hash()
        pieces = 0

        def edit_meanwhile() -> bool:
            nonlocal pieces
            pieces += 1
            return True

        # A writer in the same process commits between the pieces of the copy.
        def goes_on() -> bool:
            if pieces < 3:
                add_sample(project.store, f"later {pieces}")
            return edit_meanwhile()

        snapshot = make_snapshot(
            folder / DATABASE_NAME, folder / "backups", reason=BackupReason.ASKED, now_ms=NOW, goes_on=goes_on
        )
        assert pieces > 0
        assert "later 0" in sample_keys(project.store)
    assert (snapshot.head_hash, snapshot.rev) == (head, 201)
    assert check_snapshot(folder / "backups", snapshot) is None
    restored = restore_snapshot(folder / "backups", snapshot, tmp_path / "restored")
    with opened(restored) as project:
        assert project.store.head_hash() == head
        assert sample_keys(project.store) == {f"s{number}" for number in range(200)}


def test_a_restored_project_is_another_replica_and_the_original_is_untouched(folder: Path, tmp_path: Path) -> None:
    snapshot = snapshot_of(folder)
    with opened(folder) as project:
        add_sample(project.store, "after the backup")
        replica = project.store.replica
    data = (folder / DATABASE_NAME).read_bytes()
    restored = restore_snapshot(folder / "backups", snapshot, tmp_path / "a" / "restored")
    with opened(restored) as project:
        assert project.store.replica != replica
        add_sample(project.store, "another way")
    assert (folder / DATABASE_NAME).read_bytes() == data
    with pytest.raises(UserError, match="not empty"):
        restore_snapshot(folder / "backups", snapshot, folder)


def test_one_flipped_bit_in_a_backup_is_found_and_it_is_not_restored(folder: Path, tmp_path: Path) -> None:
    snapshot = snapshot_of(folder)
    path = folder / "backups" / snapshot.file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "content changed" in (check_snapshot(folder / "backups", snapshot) or "")
    with pytest.raises(DataError, match="not restored"):
        restore_snapshot(folder / "backups", snapshot, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


def test_a_damaged_database_makes_no_backup_and_leaves_no_litter(folder: Path) -> None:
    with opened(folder) as project:
        for number in range(100):
            add_sample(project.store, f"s{number}", notes="x" * 500)
    kept = {path.name for path in (folder / "backups").iterdir()}
    with (folder / DATABASE_NAME).open("r+b") as file:
        file.seek(-4096 * 5, os.SEEK_END)
        file.write(bytes(4096))
    with pytest.raises(DataError, match="no backup was made"):
        snapshot_of(folder)
    assert {path.name for path in (folder / "backups").iterdir()} == kept


def test_a_stopped_backup_leaves_nothing(folder: Path) -> None:
    with pytest.raises(StoppedError):
        make_snapshot(
            folder / DATABASE_NAME, folder / "backups", reason=BackupReason.ASKED, now_ms=NOW, goes_on=lambda: False
        )
    assert list((folder / "backups").iterdir()) == []


def test_a_nearly_full_disk_is_left_to_the_edits(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        folder = new_project(disk / "p")
        with pytest.raises(UserError, match="MiB free"):
            snapshot_of(folder)
        with opened(folder) as project:
            add_sample(project.store, "one")
            assert project.backups is not None
            project.backups.request()
            assert project.backups.wait_for_attempts(1, 30)
            (report,) = project.take_backup_reports()
            assert report.snapshot is None
            assert "free" in (report.problem or "")


def test_notes_that_lie_or_are_rubbish_are_passed_over(folder: Path) -> None:
    snapshot = snapshot_of(folder)
    backups = folder / "backups"
    evil = msgspec.structs.replace(snapshot, file="../project.db")
    (backups / "evil.db.json").write_bytes(msgspec.json.encode(evil))
    (backups / "evil.db").write_bytes(b"")
    for number, text in enumerate((b"", b"{", b"[" * 9000, b"\xff", b"x" * 100_000)):
        (backups / f"{number}.db.json").write_bytes(text)
    (backups / "folder.db.json").mkdir()
    assert list_snapshots(backups) == [snapshot]


def test_litter_of_a_killed_program_is_cleared_and_snapshots_stay(folder: Path) -> None:
    snapshot = snapshot_of(folder)
    backups = folder / "backups"
    (backups / ".partial-abc.db").write_bytes(b"half")
    (backups / "20200101T000000.000Z-r000001.db.json").write_bytes(b"{}")
    clear_litter(backups)
    assert {path.name for path in backups.iterdir()} == {snapshot.file, f"{snapshot.file}.json"}


# --- the service ---------------------------------------------------------------------------------------------------


def test_edits_are_saved_after_the_interval_and_none_without_edits(folder: Path) -> None:
    with open_project_folder(folder, LEAD, backup_interval_s=0.0) as project:
        assert project.backups is not None
        add_sample(project.store, "one")
        assert project.backups.wait_for_attempts(1, 30)
        (snapshot, *_) = list_snapshots(project.backup_folder)
        assert snapshot.reason is BackupReason.INTERVAL
        assert snapshot.rev == project.store.head()
        assert snapshot.head_hash == project.store.head_hash()


def test_closing_saves_what_no_snapshot_holds_and_looking_saves_nothing(folder: Path) -> None:
    with opened(folder) as project:
        add_sample(project.store, "one")
    (snapshot,) = list_snapshots(folder / "backups")
    assert (snapshot.reason, snapshot.rev) == (BackupReason.CLOSE, 2)
    with opened(folder):
        pass
    with opened(folder) as project:
        add_sample(project.store, "two")  # within the minute: scripts that open and close do not copy each time
    assert list_snapshots(folder / "backups") == [snapshot]


def test_closing_while_a_snapshot_is_made_ends_the_thread(folder: Path) -> None:
    with opened(folder) as project:
        for number in range(50):
            add_sample(project.store, f"s{number}", notes="x" * 5000)
    before = threading.active_count()
    for _ in range(5):
        service = BackupService(folder / DATABASE_NAME, folder / "backups", now_ms=lambda: NOW)
        service.request()
        service.close()
        assert threading.active_count() == before
    assert not list((folder / "backups").glob(".partial*"))


# --- thinning ------------------------------------------------------------------------------------------------------


def fake(age_ms: int, size: int = 1, reason: BackupReason = BackupReason.INTERVAL) -> Snapshot:
    return Snapshot(
        file=f"{age_ms}.db", made_ms=NOW - age_ms, reason=reason, rev=1, head_hash="", schema_version=1, size=size,
        sha256="", seconds=0.1,
    )  # fmt: skip


def test_ten_minutes_for_a_year_leave_the_slots_people_expect() -> None:
    every = [fake(n * 600_000) for n in range(365 * 24 * 6)]
    dropped = set(thinned(every, now_ms=NOW))
    kept = [snapshot for snapshot in every if snapshot not in dropped]
    ages = [NOW - snapshot.made_ms for snapshot in kept]
    assert sum(age <= 2 * HOUR_MS for age in ages) == 13
    assert sum(2 * HOUR_MS < age <= DAY_MS for age in ages) in (22, 23)
    assert sum(DAY_MS < age <= 30 * DAY_MS for age in ages) in (29, 30)
    assert sum(age > 30 * DAY_MS for age in ages) in (48, 49)


def test_thinning_step_by_step_keeps_old_slots_alive() -> None:
    kept: list[Snapshot] = []
    for hour in range(24 * 60):
        now = NOW + hour * HOUR_MS
        kept.append(msgspec.structs.replace(fake(0), made_ms=now, file=f"{now}.db"))
        dropped = set(thinned(kept, now_ms=now))
        kept = [snapshot for snapshot in kept if snapshot not in dropped]
    ages = sorted((now - snapshot.made_ms) / DAY_MS for snapshot in kept)
    gaps = [later - earlier for earlier, later in itertools.pairwise(ages)]
    assert max(gap for gap, age in zip(gaps, ages, strict=False) if age < 29) <= 2
    assert max(gaps) <= 8
    assert ages[-1] > 50


def test_snapshots_before_a_migration_outlast_the_slots() -> None:
    old = [fake(100 * DAY_MS + n, reason=BackupReason.MIGRATION) for n in range(5)]
    assert thinned(old, now_ms=NOW) == []


@given(
    st.lists(st.tuples(st.integers(-HOUR_MS, 400 * DAY_MS), st.integers(1, 10)), max_size=60, unique_by=lambda t: t[0]),
    st.integers(1, 100),
)
def test_laws_of_thinning(given_ages: list[tuple[int, int]], max_bytes: int) -> None:
    snapshots = [fake(age, size) for age, size in given_ages]
    dropped = thinned(snapshots, now_ms=NOW, max_bytes=max_bytes)
    kept = [snapshot for snapshot in snapshots if snapshot not in dropped]
    assert len(dropped) == len(set(dropped))
    if snapshots:
        newest = max(snapshots, key=lambda snapshot: snapshot.made_ms)
        assert newest in kept
    assert sum(snapshot.size for snapshot in kept) <= max_bytes or len(kept) == 1
    assert thinned(kept, now_ms=NOW, max_bytes=max_bytes) == []
