"""One writer: the lock names its holder, outlives a suspension, dies with its process."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_disks import read_only_view

from workstation.core.errors import DataError
from workstation.store import lock as lock_module
from workstation.store.lock import (
    LOCK_FILE,
    FolderReadOnlyError,
    Holder,
    LockHeldError,
    LockUnsupportedError,
    ProjectLock,
    can_lock,
    current_holder,
)

HOLD = """
import sys
from pathlib import Path
from workstation.store.lock import ProjectLock
lock = ProjectLock.acquire(Path(sys.argv[1]), name="Ana Díaz", now_ms=1_800_000_000_000)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process_holds(folder: Path) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.kill()
            child.communicate()


def take(folder: Path) -> ProjectLock:
    return ProjectLock.acquire(folder, name="Ben", now_ms=1_800_000_001_000)


def test_a_second_writer_is_told_who_holds_the_project_and_what_to_do(tmp_path: Path) -> None:
    with another_process_holds(tmp_path) as child:
        with pytest.raises(LockHeldError) as caught:
            take(tmp_path)
        holder = caught.value.holder
        assert holder is not None
        assert (holder.name, holder.pid, holder.since_ms) == ("Ana Díaz", child.pid, 1_800_000_000_000)
        assert "Ana Díaz" in str(caught.value)
        assert str(child.pid) in str(caught.value)
        assert "read-only" in str(caught.value)
        assert current_holder(tmp_path) == holder


def test_a_killed_holder_frees_the_lock(tmp_path: Path) -> None:
    with another_process_holds(tmp_path) as child:
        child.send_signal(signal.SIGKILL)
        child.wait()
        with take(tmp_path):
            pass


def test_a_suspended_holder_still_holds_and_is_shown_as_suspended(tmp_path: Path) -> None:
    with another_process_holds(tmp_path) as child:
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED)
        with pytest.raises(LockHeldError, match="suspended"):
            take(tmp_path)
        child.send_signal(signal.SIGCONT)


def test_after_release_the_next_takes_it_and_nobody_is_named(tmp_path: Path) -> None:
    first = take(tmp_path)
    assert current_holder(tmp_path) is not None
    first.release()
    first.release()
    assert not first.held
    assert current_holder(tmp_path) is None
    take(tmp_path).release()


def test_asking_who_holds_changes_nothing(tmp_path: Path) -> None:
    assert current_holder(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[1,2]",
        b'{"name": 3}',
        b"[" * 4000,
        b"x" * 100_000,
        b'{"name":"a","host":"b","pid":1e999}',
    ],
)
def test_any_text_in_the_lock_file_is_survived(tmp_path: Path, text: bytes) -> None:
    (tmp_path / LOCK_FILE).write_bytes(text)
    with take(tmp_path), (tmp_path / LOCK_FILE).open("r+b") as file:
        file.truncate(0)
        file.write(text)
        file.flush()
        with pytest.raises(LockHeldError, match="did not leave its name"):
            take(tmp_path)


def test_control_characters_of_a_name_do_not_reach_the_screen(tmp_path: Path) -> None:
    with ProjectLock.acquire(tmp_path, name="A\x1b[31m\nroot", now_ms=0), pytest.raises(LockHeldError) as caught:
        take(tmp_path)
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_absurd_times_in_the_lock_file_are_survived() -> None:
    for since in (-(1 << 62), 1 << 62):
        held = lock_module._parse_holder(b'{"name":"a","host":"b","pid":1,"since_ms":%d,"program":"c"}' % since)
        assert isinstance(held, Holder)
        assert "a on b" in held.describe()


def test_a_linked_lock_file_is_refused_and_the_target_untouched(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_bytes(b"precious")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / LOCK_FILE).symlink_to(target)
    with pytest.raises(DataError, match="symbolic link"):
        take(folder)
    assert target.read_bytes() == b"precious"


def test_a_folder_named_like_the_lock_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).mkdir()
    with pytest.raises(DataError, match="move it away"):
        take(tmp_path)


def test_a_folder_that_can_lock_has_no_problem_and_no_litter(tmp_path: Path) -> None:
    assert can_lock(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_that_refuses_locks_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(LockUnsupportedError, match=r"cannot lock files .*local disk"):
        take(tmp_path)
    assert "No locks available" in (can_lock(tmp_path) or "")


def test_a_file_system_that_gives_the_same_lock_twice_is_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    assert "given out twice" in (can_lock(tmp_path) or "")


def test_byte_range_locks_that_do_not_hold_are_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "fcntl", lambda *_: 0)
    assert "byte-range lock was given out twice" in (can_lock(tmp_path) or "")


def test_a_network_file_system_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_module, "network_file_system", lambda _: "nfs4")
    assert "nfs4" in (can_lock(tmp_path) or "")


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    with read_only_view(tmp_path / "project", tmp_path / "view") as folder:
        with pytest.raises(FolderReadOnlyError, match="read-only"):
            take(folder)
        assert "cannot be written" in (can_lock(folder) or "")
        assert current_holder(folder) is None


def test_the_holder_is_seen_through_a_read_only_mount(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    with take(tmp_path / "project"), read_only_view(tmp_path / "project", tmp_path / "view") as folder:
        holder = current_holder(folder)
        assert holder is not None
        assert holder.name == "Ben"
