"""The native form with times: frames and sweeps by number are those of the published capture times, and the project
still comes back identical."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from workstation import open_project
from workstation.cli.main import main
from workstation.core.records import RecordKind

NS = 1_000_000_000
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rows(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    out = tmp_path_factory.mktemp("times") / "drive.jsonl"
    assert main(["export", str(demo_folder), "--times", "-o", str(out)]) == 0
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def test_records_have_frame_sweep_and_master_time(rows: list[dict[str, Any]], published: Path) -> None:
    captured = json.loads((published / "timestamps.json").read_text(encoding="utf-8"))
    frames = captured["front_camera"]["t_s"]
    times = [row["row"] for row in rows if row["t"] == "times"]
    streams = {each["stream"]: each for each in times if each["t"] == "stream"}
    records = [each for each in times if each["t"] == "record" and "front_camera" in each["start"]["at"]]
    assert len(records) >= 100
    for each in records:
        there = each["start"]["at"]["front_camera"]
        assert there["unit"] == "frame"
        # The first frame of the film has the time 0; the scene's clock begins before it.
        begins = [round(each_s * NS) for each_s in frames]
        wanted = max(i for i, begin in enumerate(begins) if begin <= each["start"]["session_ns"] + 1000)
        assert there["index"] == wanted
        assert there["distance_ns"] == there["session_ns"] - each["start"]["session_ns"]
        if each["stream"] in streams:
            assert mapped(streams[each["stream"]]["time_map"], each["start"]["own_ns"]) == each["start"]["session_ns"]
    assert sum("lidar" in each["start"]["at"] for each in records) >= 100


def mapped(time_map: dict[str, Any], own_ns: int) -> int:
    """As the manual of the times form says it, in fractions."""
    (s0, t0), *more = time_map["knots"]
    assert not more
    rate = Fraction(*time_map.get("rate_after" if own_ns >= s0 else "rate_before", (1, 1)))
    return int(t0 + (own_ns - s0) + round((own_ns - s0) * (rate - 1)))


def test_the_project_comes_back_identical_and_the_times_are_no_part_of_it(
    rows: list[dict[str, Any]], demo_folder: Path, tmp_path: Path
) -> None:
    plain, timed = tmp_path / "plain.jsonl", tmp_path / "timed.jsonl"
    assert main(["export", str(demo_folder), "--with-proposals", "-o", str(plain)]) == 0
    assert main(["export", str(demo_folder), "--times", "--with-proposals", "-o", str(timed)]) == 0
    without = [line for line in timed.read_bytes().splitlines() if not line.startswith(b'{"t":"times"')]
    assert without[:-1] == plain.read_bytes().splitlines()[:-1]
    assert len(rows) > len(without)
    assert main(["import", str(timed), str(tmp_path / "copy")]) == 0
    with open_project(demo_folder, read_only=True) as one, open_project(tmp_path / "copy", read_only=True) as two:
        assert two.store.head_hash() == one.store.head_hash()
        for kind in RecordKind:
            assert list(two.store.records(kind)) == list(one.store.records(kind)), kind
    assert main(["export", str(tmp_path / "copy"), "--with-proposals", "-o", str(tmp_path / "again.jsonl")]) == 0
    assert (tmp_path / "again.jsonl").read_bytes() == plain.read_bytes()


def test_the_times_form_takes_no_times_beside_it(demo_folder: Path, tmp_path: Path) -> None:
    assert main(["export", str(demo_folder), "--format", "times", "--times", "-o", str(tmp_path / "t.jsonl")]) == 2
