"""Killed, out of space, read-only, suspended: what was acknowledged is there, and the project opens and verifies.

``WORKSTATION_KILLS=200 pytest tests/store/test_kill.py -s`` is the long run; ``python tests/store/test_kill.py`` too.
"""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from chain_oracle import chain_problems
from editing_child import COUNTER, MANY
from projects import LEAD_BY_ID, add_sample, new_project, opened, sample_keys
from small_disks import small_disk

from workstation.store.backup import check_snapshot, list_snapshots
from workstation.store.db import DATABASE_NAME
from workstation.store.lock import LOCK_FILE, FolderReadOnlyError, LockHeldError

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
ROUNDS_PER_PROJECT = 15
WITH_BACKUPS, QUIETLY, ANNOTATE = "0", "1e9", "annotate"


@dataclass
class Promises:
    """What a project's editors have acknowledged."""

    keys: set[str] = field(default_factory=set)
    batches: set[str] = field(default_factory=set)
    count: int = 0
    name: str = ""
    refusals: list[str] = field(default_factory=list)
    mirror_reports: int = 0
    acknowledged: int = 0
    editor: str = ""

    def hear_annotate(self, line: str) -> None:
        """Take one acknowledgement of ``workstation annotate --json``."""
        said = json.loads(line)
        if not said["ok"]:
            self.refusals.append(said["error"])
            return
        self.acknowledged += 1
        if said["do"] == "sample.add":
            self.keys.add(f"{self.editor}-{said['line']}")
        else:
            self.count += 1

    def hear(self, line: str) -> None:
        """Take one line of the editor."""
        if line.startswith("{"):
            self.hear_annotate(line)
            return
        word, _, rest = line.partition(" ")
        if word == "add":
            self.keys.add(rest)
        elif word == "count":
            self.count = int(rest)
        elif word == "name":
            self.name = rest
        elif word == "many":
            self.batches.add(rest)
        elif word == "refused":
            self.refusals.append(rest)
        elif word == "mirror":
            self.mirror_reports += 1
        else:
            return
        self.acknowledged += word in ("add", "count", "name", "many")

    def broken(self, folder: Path) -> list[str]:
        """What was promised and is not so, in a project nobody has open."""
        problems = chain_problems(folder / DATABASE_NAME)
        with opened(folder, read_only=True) as project:
            problems += [str(entry) for entry in project.store.verify().entries]
            keys = sample_keys(project.store)
            counter = project.store.sample_by_key(COUNTER)
            settings = project.store.project()
        problems += [f"{key} is lost" for key in self.keys - keys]
        for batch in self.batches:
            if len({key for key in keys if key.startswith(f"{batch}/")}) != MANY:
                problems.append(f"the batch {batch} is not whole")
        parts = Counter(key.partition("/")[0] for key in keys if "/" in key)
        problems += [f"half a batch: {name} has {n}" for name, n in parts.items() if n != MANY]
        stored = int(counter.notes) if counter is not None else 0
        if not self.count <= stored <= self.count + 1:
            problems.append(f"the counter says {stored}, acknowledged was {self.count}")
        self.count = stored
        if settings is None or (self.name and order_of(settings.name) < order_of(self.name)):
            problems.append(f"the name is {settings}, acknowledged was {self.name}")
        self.name = ""
        return problems


def order_of(name: str) -> tuple[int, int]:
    """When an editor gave the project this name: which editor, which of its edits. Other names came before."""
    editor_number, _, edit_number = name.partition("-")
    return (int(editor_number), int(edit_number)) if editor_number.isdecimal() else (-1, -1)


class Editor:
    """The nursery process and the lines its editors write."""

    def __init__(self, folder: Path, how: str) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1])])}
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "editing_child.py"), str(folder), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self._rest = b""
        self.pid = 0

    def start(self, name: str, promises: Promises) -> None:
        """Let an editor loose."""
        assert self._process.stdin is not None
        promises.editor = name
        self._process.stdin.write(f"go {name} {promises.count}\n".encode())
        self._process.stdin.flush()
        self.pid = 0
        while not self.pid:
            self.read(promises, 30)

    def read(self, promises: Promises, timeout_s: float) -> int:
        """Take what has been written, waiting for it at most so long; how many lines there were."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], timeout_s)
        if not ready:
            return 0
        *lines, self._rest = (self._rest + os.read(self._process.stdout.fileno(), 1 << 16)).split(b"\n")
        for line in lines:
            text = line.decode()
            if text.startswith("pid "):
                self.pid = int(text.split()[1])
            elif text == "ended":
                self.pid = -1
            promises.hear(text)
        return len(lines)

    def read_until_ended(self, promises: Promises, timeout_s: float = 60) -> None:
        """Take everything until the editor is gone."""
        while self.pid != -1:
            assert self.read(promises, timeout_s), "the editor neither writes nor ends"

    def kill(self) -> None:
        """SIGKILL the editor."""
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the nursery and whatever it raised."""
        if self.pid > 0:
            self.kill()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@contextmanager
def editor(folder: Path, how: str = QUIETLY) -> Iterator[Editor]:
    nursery = Editor(folder, how)
    try:
        yield nursery
    finally:
        nursery.close()


def kill_many(rounds: int, base: Path, seed: int = 5) -> Counter[str]:
    """Kill editors at random moments; every promise is checked after every kill."""
    chance = random.Random(seed)
    counts: Counter[str] = Counter()
    while counts["kills"] < rounds:
        how = (ANNOTATE, WITH_BACKUPS, QUIETLY)[counts["projects"] % 3]
        folder = new_project(base / f"p{counts['projects']}", actor=LEAD_BY_ID)
        counts["projects"] += 1
        promises = Promises()
        with opened(folder, actor=LEAD_BY_ID) as project:
            add_sample(project.store, COUNTER, notes="0")
        with editor(folder, how) as nursery:
            for number in range(min(ROUNDS_PER_PROJECT, rounds - counts["kills"])):
                one_kill(nursery, folder, f"{number}", promises, chance, counts)
                counts[f"kills of {'annotate' if how == ANNOTATE else 'a script'}"] += 1
        counts["acknowledged edits"] += promises.acknowledged
        snapshots = list_snapshots(folder / "backups")
        counts["snapshots"] += len(snapshots)
        assert [check_snapshot(folder / "backups", s) for s in snapshots[:2]] == [None] * len(snapshots[:2])
        shutil.rmtree(folder)
    return counts


def one_kill(
    nursery: Editor, folder: Path, name: str, promises: Promises, chance: random.Random, counts: Counter[str]
) -> None:
    nursery.start(name, promises)
    heard, wanted = 0, chance.choice((0, 1, 5, 20, 60))
    while heard < wanted:
        heard += nursery.read(promises, 30)
    nursery.read(promises, chance.random() * 0.02)
    nursery.kill()
    nursery.read_until_ended(promises)
    counts["kills"] += 1
    counts["kills with unfinished work in the log"] += (folder / f"{DATABASE_NAME}-wal").exists()
    counts["kills inside a snapshot"] += any((folder / "backups").glob(".partial*"))
    counts["kills with the lock taken"] += (folder / LOCK_FILE).exists() and (folder / LOCK_FILE).stat().st_size > 0
    counts["kills inside a mirror"] += any(folder.glob(".project.yaml.*"))
    with opened(folder) as project:
        assert project.integrity is None or not heard
        assert not list(folder.glob(".project.yaml.*"))
        assert not list(folder.glob("backups/.partial*"))
    assert promises.broken(folder) == []
    assert promises.refusals == []


def test_killed_at_random_moments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rounds = int(os.environ.get("WORKSTATION_KILLS", "45"))
    counts = kill_many(rounds, tmp_path)
    with capsys.disabled():
        sys.stdout.write("\n" + "".join(f"{value:8,} {name}\n" for name, value in counts.items()))
    assert counts["kills"] == rounds
    assert counts["acknowledged edits"] > rounds
    assert counts["kills inside a snapshot"] > 0


def test_a_full_disk_refuses_in_words_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size_kib=6144) as disk:
        folder = new_project(disk / "p")
        promises = Promises()
        with editor(folder) as nursery:
            for name in ("1", "2"):
                nursery.start(name, promises)
                nursery.read_until_ended(promises)
            assert len(promises.refusals) == 2
            assert all("full" in sentence for sentence in promises.refusals)
            assert promises.acknowledged > 50
            promises_kept(folder, promises)
            # Space comes back: a larger disk under the same project.
            subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
            promises_kept(folder, promises)
            with opened(folder) as project:
                add_sample(project.store, "again")


def promises_kept(folder: Path, promises: Promises) -> None:
    assert promises.broken(folder) == []


def test_a_file_size_limit_is_met_like_a_full_disk(tmp_path: Path) -> None:
    folder = new_project(tmp_path / "p")
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, 3 << 20));"
        "from pathlib import Path; from editing_child import edit_until_killed;"
        "edit_until_killed(Path(sys.argv[1]), '1', 1e9)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1])])}
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], env=environment, capture_output=True, text=True, check=True
    )
    promises = Promises()
    for line in done.stdout.splitlines():
        promises.hear(line)
    assert len(promises.refusals) == 1
    assert promises.acknowledged > 20
    promises_kept(folder, promises)
    with opened(folder) as project:
        add_sample(project.store, "again")


@contextmanager
def immutable(*paths: Path) -> Iterator[None]:
    """Make files and folders unchangeable, even for root, which permissions do not bind."""
    if os.geteuid() == 0:
        done = subprocess.run(["chattr", "+i", *paths], capture_output=True, check=False)
        if done.returncode:
            subprocess.run(["chattr", "-i", *paths], capture_output=True, check=False)
            pytest.skip("root ignores permissions, and this file-system has no immutable files")
    else:
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        if os.geteuid() == 0:
            subprocess.run(["chattr", "-i", *paths], check=True)
        else:
            for path in paths:
                path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_folder_made_read_only_under_a_writer(tmp_path: Path) -> None:
    folder = new_project(tmp_path / "p")
    promises = Promises()
    with editor(folder) as nursery:
        nursery.start("1", promises)
        while promises.acknowledged < 20:
            nursery.read(promises, 30)
        (folder / "backups").mkdir(exist_ok=True)
        with immutable(folder):
            # The files that are open can still be written: edits go on, mirrors cannot be replaced and say so.
            before = promises.acknowledged
            while promises.acknowledged < before + 40:
                assert nursery.read(promises, 30)
            assert promises.mirror_reports > 0
            assert promises.refusals == []
            if os.geteuid() == 0:
                with immutable(folder / f"{DATABASE_NAME}-wal"):
                    nursery.read_until_ended(promises)
                assert len(promises.refusals) == 1
            else:
                nursery.kill()
                nursery.read_until_ended(promises)
            with opened(folder, read_only=True) as project:
                assert sample_keys(project.store) >= promises.keys
            with pytest.raises(FolderReadOnlyError):
                opened(folder)
    promises_kept(folder, promises)
    with opened(folder) as project:
        add_sample(project.store, "again")


def test_a_suspended_writer_keeps_the_project_and_loses_nothing(tmp_path: Path) -> None:
    folder = new_project(tmp_path / "p")
    promises = Promises()
    with editor(folder, WITH_BACKUPS) as nursery:
        for stop in range(10):
            nursery.start(str(stop), promises)
            wanted = promises.acknowledged + stop * 3 + 1
            while promises.acknowledged < wanted:
                nursery.read(promises, 30)
            os.kill(nursery.pid, signal.SIGSTOP)
            while nursery.read(promises, 0.05):
                pass
            with pytest.raises(LockHeldError, match="suspended"):
                opened(folder)
            with opened(folder, read_only=True) as project:
                assert sample_keys(project.store) >= promises.keys
            os.kill(nursery.pid, signal.SIGCONT)
            wanted = promises.acknowledged + 10
            while promises.acknowledged < wanted:
                assert nursery.read(promises, 30)
            nursery.kill()
            nursery.read_until_ended(promises)
            promises_kept(folder, promises)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        total = int(sys.argv[1]) if len(sys.argv) > 1 else 200
        for name, value in kill_many(total, Path(scratch)).items():
            sys.stdout.write(f"{value:8,} {name}\n")
