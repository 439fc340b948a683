"""The power fails at any moment, and what was not synced is lost, torn, garbled or reordered: acknowledged edits stay.

``WORKSTATION_CRASH_STATES=2000 pytest tests/store/test_durability.py`` tries more states.
Every state is built by ``crash_states.py`` from what one run really wrote; see there what it may do.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from chain_oracle import chain_problems
from crash_states import CrashStates, build_layer, layer_environment, read_log
from projects import opened
from test_kill import Promises

from workstation.core.errors import UserError
from workstation.store.backup import check_snapshot, list_snapshots
from workstation.store.db import DATABASE_NAME
from workstation.store.mirrors import MirrorEvent

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
STATES = int(os.environ.get("WORKSTATION_CRASH_STATES", "250"))
FALSE_ALARMS = {MirrorEvent.BROUGHT_IN, MirrorEvent.REFUSED, MirrorEvent.SET_ASIDE}


def recorded(life: str, tmp_path: Path) -> CrashStates:
    library = build_layer(tmp_path)
    root = tmp_path / "root"
    root.mkdir()
    environment = layer_environment(library, root=root, log=tmp_path / "log")
    environment["PYTHONPATH"] = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    subprocess.run(
        [sys.executable, str(HERE / "durable_child.py"), str(root / "p"), life],
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return CrashStates(read_log(tmp_path / "log"))


def heard(lines: list[str]) -> Promises:
    promises = Promises()
    for line in lines:
        promises.hear(line)
    return promises


@pytest.fixture(scope="module")
def edits(tmp_path_factory: pytest.TempPathFactory) -> CrashStates:
    """What a project's life of edits wrote."""
    return recorded("edits", tmp_path_factory.mktemp("edits"))


def ordered_points(chance: random.Random, first: int, end: int, count: int) -> list[int]:
    """Random points of a log, earliest first: the states are built in that order."""
    return sorted(chance.randrange(first, end) for _ in range(count))


def test_acknowledged_edits_survive_lost_torn_and_reordered_writes(
    edits: CrashStates, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    created = edits.point_after("created")
    chance = random.Random(23)
    counts: Counter[str] = Counter()
    for number, point in enumerate(ordered_points(chance, created, len(edits.entries) + 1, STATES)):
        into = tmp_path / f"state{number}"
        into.mkdir()
        how = edits.build(point, chance, into)
        lines = edits.acknowledged(point)
        promises = heard(lines)
        folder = into / "p"
        with opened(folder) as project:
            alarms = [report for report in project.take_reports() if report.event in FALSE_ALARMS]
        assert alarms == [], (number, point, how)
        assert promises.broken(folder) == [], (number, point, how)
        snapshots = list_snapshots(folder / "backups")
        assert [check_snapshot(folder / "backups", each) for each in snapshots] == [None] * len(snapshots)
        counts["crash states"] += 1
        counts["acknowledged edits checked"] += promises.acknowledged
        counts["snapshots checked"] += len(snapshots)
        shutil.rmtree(into)
    with capsys.disabled():
        sys.stdout.write("\n" + "".join(f"{value:8,} {name}\n" for name, value in counts.items()))
    assert counts["acknowledged edits checked"] > STATES


def test_while_a_project_is_made_there_is_none_or_a_whole_one(edits: CrashStates, tmp_path: Path) -> None:
    created = edits.point_after("created")
    chance = random.Random(29)
    outcomes: Counter[str] = Counter()
    for number, point in enumerate(ordered_points(chance, 0, created, 100)):
        into = tmp_path / f"state{number}"
        into.mkdir()
        edits.build(point, chance, into)
        try:
            with opened(into / "p") as project:
                assert len(project.store.ontology_versions()) == 1
                assert project.store.project() is not None
            outcomes["whole"] += 1
        except UserError:
            outcomes["none"] += 1
            assert not (into / "p" / DATABASE_NAME).exists()
        shutil.rmtree(into)
    assert outcomes["none"] > 10


def test_a_migration_is_whole_or_not_at_all_and_keeps_the_history(tmp_path: Path) -> None:
    states = recorded("migrate", tmp_path)
    first = states.point_after("add s0")
    chance = random.Random(31)
    versions: Counter[int] = Counter()
    for number in range(max(100, STATES // 5)):
        end = len(states.entries) + 1
        point = chance.randrange(first if number % 2 else end - 40, end)  # the last steps are the migration itself
        into = tmp_path / f"state{number}"
        into.mkdir()
        how = states.build(point, chance, into)
        lines = states.acknowledged(point)
        database = into / "p" / DATABASE_NAME
        assert chain_problems(database) == [], (number, how)
        with closing(sqlite3.connect(database)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            keys = {key for (key,) in db.execute("SELECT key FROM sample")}
            columns = {row[1] for row in db.execute("PRAGMA table_info(sample)")}
            assert (version == 2) == ("colour" in columns)
            if version == 2:
                assert db.execute("SELECT count(*) FROM sample WHERE colour IS NOT 'blue'").fetchone() == (0,)
                assert db.execute("SELECT count(*) FROM meta WHERE key = 'migration:1'").fetchone() == (1,)
        assert keys >= {line.split()[1] for line in lines if line.startswith("add ")}
        assert version == 2 or "migrated" not in lines
        versions[version] += 1
        shutil.rmtree(into)
    assert versions[1] > 5
    assert versions[2] > 5
