"""The layer under the files bites: what SQLite promises holds on it, and what it does not promise is lost."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from crash_states import CrashStates, Entry, build_layer, layer_environment, read_log

pytestmark = pytest.mark.slow

WRITER = """
import os, sqlite3, sys
folder, level = sys.argv[1:]
db = sqlite3.connect(folder + "/a.db", isolation_level=None)
db.execute("PRAGMA journal_mode=WAL")
db.execute("PRAGMA synchronous=" + level)
db.execute("PRAGMA wal_autocheckpoint=20")
db.execute("CREATE TABLE t(n, filler)")
handle = os.open(folder, os.O_RDONLY)
os.fsync(handle)
for n in range(60):
    db.execute("INSERT INTO t VALUES(?, ?)", (n, os.urandom(3000)))
    print(n, flush=True)
db.close()
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_layer(tmp_path_factory.mktemp("layer"))


def crash(tmp_path: Path, library: Path, level: str) -> tuple[int, int, int]:
    """States tried, states that lost an acknowledged row, states that did not open or check."""
    root = tmp_path / "root"
    root.mkdir()
    subprocess.run(
        [sys.executable, "-c", WRITER, str(root), level],
        env=layer_environment(library, root=root, log=tmp_path / "log"),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    states = CrashStates(read_log(tmp_path / "log"))
    first = states.point_after("0")
    chance = random.Random(7)
    lost = broken = 0
    for number in range(80):
        point = chance.randrange(first, len(states.entries) + 1)
        into = tmp_path / f"state{number}"
        into.mkdir()
        states.build(point, chance, into)
        try:
            with closing(sqlite3.connect(into / "a.db")) as db:
                rows = {n for (n,) in db.execute("SELECT n FROM t")}
                broken += db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]
        except sqlite3.DatabaseError as error:
            if "no such table" not in str(error):  # the table itself was an unsynced write: lost, not broken
                broken += 1
                continue
            rows = set()
        lost += not rows >= {int(line) for line in states.acknowledged(point)}
    return 80, lost, broken


def test_full_sync_loses_nothing(tmp_path: Path, library: Path) -> None:
    assert crash(tmp_path, library, "FULL") == (80, 0, 0)


def test_no_sync_loses_rows_or_the_database(tmp_path: Path, library: Path) -> None:
    _, lost, broken = crash(tmp_path, library, "OFF")
    assert lost + broken > 20


def test_normal_sync_loses_acknowledged_rows_but_no_database(tmp_path: Path, library: Path) -> None:
    _, lost, broken = crash(tmp_path, library, "NORMAL")
    assert lost > 5
    assert broken == 0


def test_only_synced_writes_and_names_are_certain(tmp_path: Path) -> None:
    entries = [
        Entry("C", 1, 0, b"new"),
        Entry("W", 1, 0, b"one"),
        Entry("S", 1, 0, b""),
        Entry("D", 9, 0, b""),
        Entry("W", 1, 1, b"XX"),
        Entry("R", 0, 0, b"new\nfinal"),
    ]
    found = set()
    for number in range(200):
        into = tmp_path / str(number)
        into.mkdir()
        CrashStates(entries).build(len(entries), random.Random(number), into)
        (file,) = into.iterdir()
        if (content := file.read_bytes()) in (b"one", b"oXX"):
            found.add((file.name, content))
    assert found == {(name, content) for name in ("new", "final") for content in (b"one", b"oXX")}
