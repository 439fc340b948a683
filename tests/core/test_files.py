"""Whole files: a crash leaves the old or the new one, and nothing but a plain file is read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from workstation.core.errors import DataError
from workstation.core.files import read_bounded, write_whole


def test_a_written_file_holds_exactly_the_bytes_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "größe.yaml"
    write_whole(path, b"one\r\n\x00two")
    write_whole(path, b"three")
    assert path.read_bytes() == b"three"
    assert [p.name for p in tmp_path.iterdir()] == ["größe.yaml"]


def test_the_mode_of_the_replaced_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_whole(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_symbolic_link_is_replaced_and_its_target_untouched(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_bytes(b"precious")
    link = tmp_path / "mirror"
    link.symlink_to(target)
    write_whole(link, b"ours")
    assert target.read_bytes() == b"precious"
    assert not link.is_symlink()
    assert link.read_bytes() == b"ours"


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_reading_is_bounded_and_refuses_what_is_no_plain_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_bounded(path, limit=5) == b"12345"
    with pytest.raises(DataError, match="larger than the 4 bytes"):
        read_bounded(path, limit=4)
    with pytest.raises(DataError, match="No such file"):
        read_bounded(tmp_path / "missing", limit=4)
    with pytest.raises(DataError, match="regular file"):
        read_bounded(tmp_path, limit=4)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(DataError, match="symbolic link"):
        read_bounded(tmp_path / "link", limit=4)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="regular file"):
        read_bounded(tmp_path / "pipe", limit=4)
