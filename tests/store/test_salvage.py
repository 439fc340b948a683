"""Salvage: damage of every sort, and a new project that holds what can be had and says what cannot.

What a damaged file still holds is known from the undamaged project the test kept; recovered records must equal its.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from chain_oracle import chain_problems
from hypothesis import given, settings
from hypothesis import strategies as st
from projects import add_sample, new_project, opened

from workstation.core.annotation import Comment, Record, TargetKind
from workstation.core.errors import UserError
from workstation.core.ids import RecordId, SampleId
from workstation.core.records import RecordKind, decode
from workstation.core.sample import Parked, Person, Sample, Stream, StreamKind
from workstation.core.timebase import TimeMap
from workstation.store.db import DATABASE_NAME
from workstation.store.salvage import SalvageReport, salvage
from workstation.store.salvage_pages import Pages, committed_pages

SAMPLES = 60


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with samples, streams, comments, edits, deletions and large records, closed."""
    folder = new_project(tmp_path_factory.mktemp("intact") / "p")
    with opened(folder) as project:
        store = project.store
        person = Person(id=RecordId("0" * 25 + "1"), name="Ana")
        with store.transaction("Person") as tx:
            tx.put(person)
        for number in range(SAMPLES):
            sample = add_sample(store, f"sample {number}", notes="n" * (number * 120))
            with store.transaction("Stream") as tx:
                tx.put(
                    Stream(id=tx.new_id(), sample=sample.id, key="cam", kind=StreamKind.VIDEO, time_map=TimeMap())  # type: ignore[arg-type]
                )
                first = comment(tx.new_id(), sample.id, person, "question")
                tx.put(first)
                tx.put(comment(tx.new_id(), sample.id, person, "answer", reply_to=first.id))
            with store.transaction("Rename") as tx:
                tx.put(msgspec.structs.replace(sample, key=f"renamed {number}"))
            if number % 10 == 9:
                gone = add_sample(store, f"deleted {number}")
                with store.transaction("Delete") as tx:
                    tx.delete(RecordKind.SAMPLE, gone.id)
    return folder


def comment(record_id: str, sample: SampleId, person: Person, text: str, reply_to: RecordId | None = None) -> Comment:
    return Comment(
        id=RecordId(record_id), sample=sample, target_kind=TargetKind.SAMPLE, target=sample, text=text,
        person=person.id, reply_to=reply_to,
    )  # fmt: skip


def current_records(folder: Path) -> dict[str, Record]:
    with opened(folder, read_only=True) as project:
        return {
            record.id: record
            for kind in RecordKind
            for record in project.store.records(kind)  # type: ignore[attr-defined]
        }


def every_state(folder: Path) -> dict[str, list[Record]]:
    """All after-images of every record, straight from the table."""
    states: dict[str, list[Record]] = {}
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as db:
        for kind, payload in db.execute("SELECT kind, payload FROM change WHERE payload IS NOT NULL ORDER BY seq"):
            record = decode(RecordKind(kind), payload)
            states.setdefault(record.id, []).append(record)  # type: ignore[attr-defined]
    return states


def damaged_copy(intact: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "damaged"
    folder.mkdir()
    shutil.copyfile(intact / DATABASE_NAME, folder / DATABASE_NAME)
    return folder


def check_outcome(intact: Path, report: SalvageReport, destination: Path) -> dict[str, Record]:
    """What always holds: the new project verifies, invents nothing, and its report adds up."""
    assert chain_problems(destination / DATABASE_NAME) == []
    found = current_records(destination)
    truth, states = current_records(intact), every_state(intact)
    parked = {i: r for i, r in found.items() if isinstance(r, Parked) and i not in truth}
    for record_id, record in found.items():
        if record_id not in parked:
            assert record in states[record_id]
    for record in parked.values():
        assert isinstance(record, Parked)
        assert decode(RecordKind(record.kind), record.payload.encode()) in [
            state for past in states.values() for state in past
        ]
    for kind in RecordKind:
        of_kind = [i for i, r in found.items() if i not in parked and type(r).__name__.lower() == kind.value]
        if kind in (RecordKind.SAMPLE, RecordKind.STREAM, RecordKind.COMMENT, RecordKind.PERSON):
            assert report.kinds[kind].recovered == len(of_kind)
    with opened(destination) as project:
        add_sample(project.store, "work goes on")
        assert project.store.head() == report.last_revision + 2
    assert chain_problems(destination / DATABASE_NAME) == []
    with opened(destination, read_only=True) as project:
        assert project.store.verify().entries == []
    return found


def test_a_history_with_its_beginning_cut_off_is_no_salvage(intact: Path, tmp_path: Path) -> None:
    folder = damaged_copy(intact, tmp_path)
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as db:
        (kept,) = db.execute("SELECT hash FROM revision WHERE rev = 1").fetchone()
        for trigger in ("change_is_kept", "revision_is_kept"):
            db.execute(f"DROP TRIGGER {trigger}")
        db.execute("DELETE FROM revision WHERE rev = 1")
        db.execute("DELETE FROM change WHERE rev = 1")
        start = msgspec.json.encode({"rev": 1, "hash": kept.hex()}).decode()
        db.execute("INSERT INTO meta VALUES ('chain_start', ?)", (start,))
        db.commit()
    with opened(folder, read_only=True) as project:
        first = project.store.verify().first
    assert first is not None
    assert "no salvage" in first.reason


def test_an_undamaged_project_comes_through_whole(intact: Path, tmp_path: Path) -> None:
    report = salvage(intact, tmp_path / "new")
    found = check_outcome(intact, report, tmp_path / "new")
    assert found == current_records(intact)
    with opened(intact, read_only=True) as project:
        assert (report.revisions_verified, report.last_good_hash) == (project.store.head(), project.store.head_hash())
    with closing(sqlite3.connect(tmp_path / "new" / DATABASE_NAME)) as db:
        (previous, header) = db.execute("SELECT prev_hash, header FROM revision ORDER BY rev LIMIT 1").fetchone()
    assert previous.hex() == report.last_good_hash
    assert report.last_good_hash in header.decode()
    assert report.changes_missing == 0
    assert sum(kind.lost + kind.older + kind.parked for kind in report.kinds.values()) == 0


def pages_of(path: Path) -> int:
    return path.stat().st_size // 4096


@pytest.mark.parametrize("seed", range(12))
def test_pages_of_zeros(intact: Path, tmp_path: Path, seed: int) -> None:
    folder = damaged_copy(intact, tmp_path)
    chance = random.Random(seed)
    database = folder / DATABASE_NAME
    count = pages_of(database)
    hit = chance.sample(range(1 if seed % 3 else 0, count), 1 + seed % 4)
    with database.open("r+b") as file:
        for page in hit:
            file.seek(page * 4096)
            file.write(bytes(4096))
    before = database.read_bytes()
    report = salvage(folder, tmp_path / "new")
    assert database.read_bytes() == before
    found = check_outcome(intact, report, tmp_path / "new")
    truth = current_records(intact)
    # A page holds a few dozen rows at most: most of the project must survive any few pages, some of it parked
    # (all comments are, when the person who wrote them is lost).
    kept = {i for i in found if i in truth} | {
        msgspec.json.decode(record.payload)["id"] for record in found.values() if isinstance(record, Parked)
    }
    assert len(kept & truth.keys()) > len(truth) * 0.6


def test_a_file_cut_short(intact: Path, tmp_path: Path) -> None:
    folder = damaged_copy(intact, tmp_path)
    size = (folder / DATABASE_NAME).stat().st_size
    os.truncate(folder / DATABASE_NAME, size // 2 + 777)
    report = salvage(folder, tmp_path / "new")
    found = check_outcome(intact, report, tmp_path / "new")
    assert len(found) > 20
    assert report.sentences()


@pytest.mark.parametrize("rubbish", [16, 100, 4096])
def test_a_header_of_rubbish(intact: Path, tmp_path: Path, rubbish: int) -> None:
    folder = damaged_copy(intact, tmp_path)
    with (folder / DATABASE_NAME).open("r+b") as file:
        file.write(random.Random(1).randbytes(rubbish))
    report = salvage(folder, tmp_path / "new")
    # Only the first page is gone, and it holds no records.
    assert check_outcome(intact, report, tmp_path / "new") == current_records(intact)
    assert report.revisions_verified == report.last_revision


def crashed_with_log(intact: Path, tmp_path: Path) -> tuple[Path, set[str]]:
    """A project whose last edits are in the write-ahead log only."""
    folder = tmp_path / "crashed"
    live = tmp_path / "live"
    live.mkdir()
    folder.mkdir()
    shutil.copyfile(intact / DATABASE_NAME, live / DATABASE_NAME)
    with opened(live) as project:
        keys = {add_sample(project.store, f"in the log {n}").key for n in range(5)}
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{live / DATABASE_NAME}{suffix}", f"{folder / DATABASE_NAME}{suffix}")
    return folder, keys


def keys_in(folder: Path) -> set[str]:
    return {record.key for record in current_records(folder).values() if isinstance(record, Sample)}


@pytest.mark.parametrize("header", ["whole", "rubbish"])
def test_the_log_is_read_with_and_without_sqlite(intact: Path, tmp_path: Path, header: str) -> None:
    folder, keys = crashed_with_log(intact, tmp_path)
    if header == "rubbish":
        with (folder / DATABASE_NAME).open("r+b") as file:
            file.write(os.urandom(4096))
    report = salvage(folder, tmp_path / "new")
    assert keys <= keys_in(tmp_path / "new")
    assert report.changes_missing == 0


def test_a_missing_log_loses_only_what_was_in_it(intact: Path, tmp_path: Path) -> None:
    folder, keys = crashed_with_log(intact, tmp_path)
    (folder / f"{DATABASE_NAME}-wal").unlink()
    report = salvage(folder, tmp_path / "new")
    assert keys_in(tmp_path / "new") >= keys_in(intact) - keys
    check = current_records(intact)
    assert len(current_records(tmp_path / "new")) >= len(check)
    assert report.revisions_verified >= 1


def test_our_reading_of_the_log_agrees_with_sqlite(intact: Path, tmp_path: Path) -> None:
    folder, _ = crashed_with_log(intact, tmp_path)
    pages = Pages(folder / DATABASE_NAME, folder / f"{DATABASE_NAME}-wal")
    ours = [pages.page(number) for number in range(1, pages.count + 1)]
    pages.close()
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as db:
        assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    theirs = (folder / DATABASE_NAME).read_bytes()
    assert b"".join(ours) == theirs


def test_every_row_is_read_as_sqlite_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "values.db"
    chance = random.Random(3)
    rows = [
        (n * 7 - 100, chance.choice([None, 0, 1, -1, 127, 128, 1 << 14, 1 << 22, 1 << 30, 1 << 46, 1 << 62, -(1 << 63),
         1.5, "ä" * n, b"\0" * (n * 37), "x" * 20_000])) for n in range(200)
    ]  # fmt: skip
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, value)")
        db.executemany("INSERT INTO t VALUES (?, ?)", rows)
        db.commit()
    pages = Pages(path)
    assert sorted((rowid, row[1]) for rowid, row in pages.leaf_rows() if len(row) == 2) == rows
    pages.close()


def test_a_lost_parent_parks_its_children_word_for_word(intact: Path, tmp_path: Path) -> None:
    folder = damaged_copy(intact, tmp_path)
    victim = next(r for r in current_records(intact).values() if isinstance(r, Sample) and r.key == "renamed 7")
    key = int(victim.id, 32).to_bytes(16, "big")
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as db:
        db.execute("DROP TRIGGER change_is_kept")
        db.execute("DELETE FROM change WHERE id = ?", (key,))
        db.commit()
    report = salvage(folder, tmp_path / "new")
    found = check_outcome(intact, report, tmp_path / "new")
    assert victim.id not in found
    assert (report.kinds[RecordKind.SAMPLE].lost, victim.id in report.kinds[RecordKind.SAMPLE].examples) == (1, True)
    parked = [record for record in found.values() if isinstance(record, Parked)]
    assert sorted(record.kind for record in parked) == ["comment", "comment", "stream"]
    assert all("lost" in record.problems[0] for record in parked)
    assert report.revisions_verified < report.last_revision


def test_an_unreadable_newest_state_gives_the_one_before_and_says_so(intact: Path, tmp_path: Path) -> None:
    folder = damaged_copy(intact, tmp_path)
    victim = next(r for r in current_records(intact).values() if isinstance(r, Sample) and r.key == "renamed 7")
    key = int(victim.id, 32).to_bytes(16, "big")
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as db:
        db.execute("DROP TRIGGER change_stays")
        db.execute("UPDATE change SET payload = x'00' WHERE seq = (SELECT max(seq) FROM change WHERE id = ?)", (key,))
        db.commit()
    report = salvage(folder, tmp_path / "new")
    found = check_outcome(intact, report, tmp_path / "new")
    sample = found[victim.id]
    assert isinstance(sample, Sample)
    assert sample.key == "sample 7"
    assert report.kinds[RecordKind.SAMPLE].older == 1


def test_a_salvaged_project_can_be_salvaged_again(intact: Path, tmp_path: Path) -> None:
    first = salvage(intact, tmp_path / "one")
    second = salvage(tmp_path / "one", tmp_path / "two")
    assert second.revisions_verified == first.last_revision + 1
    assert current_records(tmp_path / "two") == current_records(intact)


@pytest.mark.parametrize("content", [b"", b"x", os.urandom(50_000), bytes(100_000), b"SQLite format 3\0" + bytes(9000)])
def test_a_file_with_nothing_in_it_says_so_and_leaves_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / DATABASE_NAME).write_bytes(content)
    with pytest.raises(UserError, match="nothing of a project"):
        salvage(tmp_path / "p", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_salvage_never_writes_over_anything(intact: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not empty"):
        salvage(intact, intact)
    with pytest.raises(UserError, match=r"no project\.db"):
        salvage(tmp_path, tmp_path / "new")


@settings(max_examples=200)
@given(st.binary(max_size=3000))
def test_any_bytes_as_pages_or_log_are_survived(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "rubbish.db"
    for start in (b"", b"SQLite format 3\0\x02\x00", b"\x0d"):
        path.write_bytes(start + data)
        pages = Pages(path)
        list(pages.leaf_rows())
        pages.close()
    assert committed_pages(data)[1] == {}


def test_a_loop_in_an_overflow_chain_ends(tmp_path: Path) -> None:
    path = tmp_path / "loop.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t(value)")
        db.execute("INSERT INTO t VALUES (?)", ("x" * 40_000,))
        db.commit()
    data = bytearray(path.read_bytes())
    for page in range(2, len(data) // 4096):
        struct.pack_into(">I", data, page * 4096, page + 1)
    path.write_bytes(data)
    pages = Pages(path)
    assert len(list(pages.leaf_rows())) <= 2
    pages.close()
