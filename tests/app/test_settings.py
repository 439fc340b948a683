from __future__ import annotations

import os
from pathlib import Path

import pytest

from workstation.app.settings import Settings, read_settings, settings_or_usual, settings_path, write_settings
from workstation.core.errors import DataError


def test_no_file_means_the_usual_settings(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "none") == Settings()


def test_settings_come_back(tmp_path: Path) -> None:
    settings = (
        Settings(person="Zoë").with_recent(tmp_path / "a").with_recent(tmp_path / "b").with_recent(tmp_path / "a")
    )
    write_settings(settings, tmp_path / "deep" / "folder")
    again = read_settings(tmp_path / "deep" / "folder")
    assert again.person == "Zoë"
    assert [Path(path).name for path in again.recent_projects] == ["a", "b"]


def test_only_so_many_projects_are_remembered(tmp_path: Path) -> None:
    settings = Settings()
    for number in range(50):
        settings = settings.with_recent(tmp_path / str(number))
    assert [Path(path).name for path in settings.recent_projects] == [str(n) for n in range(49, 29, -1)]


def test_a_newer_programs_file_can_be_read(tmp_path: Path) -> None:
    settings_path(tmp_path).write_text('{"person": "A", "invented_later": [1, 2]}', encoding="utf-8")
    assert read_settings(tmp_path).person == "A"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"person": 7}',
        b'{"recent_projects": "x"}',
        b'{"person": "\xff"}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
@pytest.mark.expect_log("WARNING workstation.app.settings: using the usual settings")
def test_a_damaged_file_is_named_and_does_not_stop_work(tmp_path: Path, content: bytes) -> None:
    settings_path(tmp_path).write_bytes(content)
    with pytest.raises(DataError, match="settings.json"):
        read_settings(tmp_path)
    assert settings_or_usual(tmp_path) == Settings()
    assert settings_path(tmp_path).read_bytes() == content


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    settings_path(tmp_path).write_bytes(b" " * 2_000_000)
    with pytest.raises(DataError, match="too large"):
        read_settings(tmp_path)


def test_a_failed_write_leaves_the_old_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_settings(Settings(person="old"), tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_settings(Settings(person="new"), tmp_path)
    assert read_settings(tmp_path).person == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]
