"""``workstation demo`` and ``info --at`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workstation.cli.main import main


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_info_prints_every_stream_at_a_moment(demo_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(demo_folder), "--at", "4.0", "--json"]) == 0
    rows = {row["key"]: row for row in lines(capsys.readouterr().out)}
    assert rows["lidar"]["session_ns"] == 3_900_060_000
    assert rows["lidar"]["distance_ns"] == -99_940_000
    assert rows["commentary"]["index"] == 64_000
    assert main(["info", str(demo_folder), "--at", "5.72"]) == 0
    assert "nothing here (nearest: sweep 55" in capsys.readouterr().out


def test_info_lists_the_streams_of_a_sample(demo_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(demo_folder), "--sample", "sf_drive", "--json"]) == 0
    rows = {row["key"]: row for row in lines(capsys.readouterr().out)}
    assert len(rows) == 9
    assert rows["lidar"]["gaps"] == [[5_599_754_000, 5_999_852_000], [7_100_035_000, 7_300_063_000]]
    assert main(["info", str(demo_folder), "--sample", "sf_drive"]) == 0
    assert "9.4932 Hz" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--at", "soon"], "no time in seconds"), (["--at", "nan"], "no time in seconds"), (["--at", "1e40"], "no time"),
     (["--sample", "moon"], "no sample 'moon'")],
)  # fmt: skip
def test_what_makes_no_sense_is_said_in_a_sentence(
    demo_folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["info", str(demo_folder), *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_the_demo_says_that_it_is_there_and_draws(
    demo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.png"
    assert main(["demo", str(demo_folder), "--at", "1", "--sheet", str(sheet)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("There already:")
    assert "front_camera" in out
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_the_demo_asks_for_another_folder_when_this_one_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["demo", str(tmp_path)]) == 2
    assert "name another folder" in capsys.readouterr().err
