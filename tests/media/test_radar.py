"""Radar cycles as nuScenes writes them, added by themselves: every return, its own fields, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from clouds import Columns, radar_returns, street, write_pcd, write_ply

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.base import CloudReader, OpenContext
from workstation.media.probe import built_in_readers, choose, open_stream, spec_for

START_US = 1_531_883_530_449_377


def opened(paths: list[Path], kind: StreamKind | None = None) -> CloudReader:
    reader = open_stream(paths, built_in_readers(kind), options={}, context=OpenContext())
    assert isinstance(reader, CloudReader)
    return reader


def cycles(folder: Path, each: Sequence[Columns]) -> list[Path]:
    """75 ms apart, named as the data set names them."""
    paths = [folder / f"n015-2018-07-18__RADAR_FRONT__{START_US + 75_000 * i}.pcd" for i in range(len(each))]
    for path, columns in zip(paths, each, strict=True):
        write_pcd(path, columns)
    return paths


def test_every_field_of_every_return_comes_out_as_it_was_written(tmp_path: Path) -> None:
    written = [radar_returns(40 + i, seed=i) for i in range(3)]
    radar = opened(cycles(tmp_path, written))
    assert radar.info.kind is StreamKind.RADAR
    assert radar.info.epoch_ns == START_US * 1000
    assert radar.table.times_ns.tolist() == [0, 75_000_000, 150_000_000]
    assert radar.info.notes == ()
    for i, columns in enumerate(written):
        cycle = radar.cloud(i)
        assert np.array_equal(cycle.points, np.column_stack([columns[axis] for axis in "xyz"]))
        assert np.array_equal(cycle.fields["velocity"], np.column_stack([columns["vx"], columns["vy"]]))
        for name in set(columns) - {"x", "y", "z", "vx", "vy"}:
            assert np.array_equal(cycle.fields[name], columns[name]), name
            assert cycle.fields[name].dtype == columns[name].dtype


def test_its_fields_say_that_it_is_a_radar_and_a_scanner_stays_one(tmp_path: Path) -> None:
    write_pcd(tmp_path / "echo.pcd", radar_returns())
    write_pcd(tmp_path / "lidar.pcd", street(50))
    write_ply(tmp_path / "echo.ply", {name: radar_returns()[name] for name in ("x", "y", "z", "rcs", "vx")})
    readers = built_in_readers()
    assert choose(tmp_path / "echo.pcd", readers).kind is StreamKind.RADAR
    assert choose(tmp_path / "echo.ply", readers).kind is StreamKind.RADAR
    assert choose(tmp_path / "lidar.pcd", readers).kind is StreamKind.CLOUD
    assert spec_for([tmp_path / "lidar.pcd"], built_in_readers(StreamKind.RADAR)).name == "radar"
    assert spec_for([tmp_path / "echo.pcd"], built_in_readers(StreamKind.CLOUD)).name == "cloud"
    assert opened([tmp_path / "lidar.pcd"], StreamKind.RADAR).info.kind is StreamKind.RADAR


def test_what_the_data_sets_own_tools_leave_out_is_kept_and_said(tmp_path: Path) -> None:
    returns = radar_returns(6)
    returns["invalid_state"][0] = 4
    returns["ambig_state"][1] = 1
    returns["dyn_prop"][2] = 7
    returns["dyn_prop"][3] = 6
    radar = opened(cycles(tmp_path, [returns, radar_returns(5)]))
    assert len(radar.cloud(0).points) == 6
    (note,) = radar.info.notes
    assert note.startswith("3 of 6 returns")


def test_a_cycle_whose_first_place_is_nan_is_empty(tmp_path: Path) -> None:
    nothing = radar_returns(1)
    nothing["x"][0] = np.nan
    odd = radar_returns(3)
    odd["x"][2] = np.nan
    radar = opened(cycles(tmp_path, [nothing, odd, nothing]))
    assert [len(radar.cloud(i).points) for i in range(3)] == [0, 3, 0]
    assert radar.cloud(0, max_points=10).total == 0
    assert "empty" in radar.info.notes[0]


def test_a_cycle_that_is_cut_is_refused_by_name(tmp_path: Path) -> None:
    paths = cycles(tmp_path, [radar_returns(), radar_returns()])
    paths[1].write_bytes(paths[1].read_bytes()[:-10])
    radar = opened(paths)
    with pytest.raises(DataError, match=f"{paths[1].name}.*promises 40 points"):
        radar.cloud(1)
