"""Whole files: after any failure the old or the new content is there, never a part."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from workstation.core.errors import DataError
from workstation.core.files import read_bounded, write_whole


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "größe 車.yaml"
    write_whole(path, "eins\n")
    write_whole(path, b"zwei\n")
    assert path.read_bytes() == b"zwei\n"
    assert _names(tmp_path) == {path.name}


def test_keeps_the_permissions_of_the_file_it_replaces(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o640)
    write_whole(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_gets_what_the_umask_leaves(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    write_whole(tmp_path / "ours", "x")
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("old")
    real_write = os.write
    written = [0]

    def full(descriptor: int, *data: bytes) -> int:
        if data and written[0] < 5:
            written[0] += 5
            return real_write(descriptor, data[0][:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new content")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert _names(tmp_path) == {"a.yaml"}


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file size")
def test_a_real_limit_on_file_size_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("old")
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from workstation.core.files import write_whole\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    write_whole(Path(sys.argv[1]), b'x' * 100_000)\n"
        "except OSError:\n"
        "    sys.exit(7)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False, timeout=60)
    assert done.returncode == 7
    assert path.read_text() == "old"
    assert _names(tmp_path) == {"a.yaml"}


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real_write(descriptor, bytes(data[:3])))
    write_whole(tmp_path / "a", "0123456789")
    assert (tmp_path / "a").read_text() == "0123456789"


def test_a_link_is_replaced_and_what_it_points_to_stays(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.yaml").symlink_to(precious)
    write_whole(project / "a.yaml", "new", inside=project)
    assert precious.read_text() == "precious"
    assert not (project / "a.yaml").is_symlink()
    assert (project / "a.yaml").read_text() == "new"


def test_a_folder_that_leads_out_is_refused(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (project / "sub").symlink_to(outside, target_is_directory=True)
    for path in (project / "sub" / "a", project / ".." / "a", project / ".."):
        with pytest.raises(DataError, match="leads out"):
            write_whole(path, "x", inside=project)
    assert _names(outside) == set()


def test_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "a", "x")
    assert _names(tmp_path) == {"a"}


def test_reading_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_bounded(path, 5) == b"12345"
    with pytest.raises(DataError, match="larger than the 4 bytes"):
        read_bounded(path, 4)


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path, tmp_path / "missing", pipe, Path("/dev/zero"), Path("a\0b"), tmp_path / ("x" * 5000)):
        with pytest.raises(DataError):
            read_bounded(path, 100)
