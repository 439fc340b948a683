"""Radar returns in a table come out as the sweeps they were, with their Doppler velocity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workstation.core.errors import DataError
from workstation.media.base import CloudReader
from workstation.media.cloud_table import PointTable, open_points


def _open(tmp_path: Path, text: str) -> PointTable:
    (tmp_path / "radar.csv").write_text(text, encoding="utf-8")
    radar = open_points(tmp_path / "radar.csv")
    assert isinstance(radar, CloudReader)
    return radar


def test_cycles_are_sweeps_and_a_missing_one_is_a_gap(tmp_path: Path) -> None:
    header = "cycle,time_ns,range_m,azimuth_rad,elevation_rad,doppler_mps,rcs_dbsm,x_m,y_m,z_m\n"
    rows = [
        f"{c},{c * 75_000_000},{5 + i},0.1,0.0,{c + i / 10},{i},{c},{i},1\n"
        for c in (0, 1, 2, 5, 6)
        for i in range(c + 1)
    ]
    radar = _open(tmp_path, header + "".join(rows))
    assert radar.info.count == 5
    assert radar.table.times_ns.tolist() == [c * 75_000_000 for c in (0, 1, 2, 5, 6)]
    third = radar.cloud(2)
    assert third.points.tolist() == [[2, 0, 1], [2, 1, 1], [2, 2, 1]]
    assert third.fields["velocity"] == pytest.approx([2.0, 2.1, 2.2])
    assert third.fields["rcs"].tolist() == [0, 1, 2]
    assert [(gap.start_ns, gap.end_ns) for gap in radar.info.gaps] == [(150_000_000, 375_000_000)]
    assert radar.item_at(320_000_000) is None
    with pytest.raises(IndexError):
        radar.cloud(5)


def test_places_follow_from_range_and_angles(tmp_path: Path) -> None:
    radar = _open(
        tmp_path,
        "t_s,range [m],azimuth [rad],elevation [rad],velocity [m/s]\n0,10,1.5707963267948966,0,-3\n0,2,0,0.5,4\n",
    )
    cloud = radar.cloud(0)
    assert cloud.points[0] == pytest.approx([0, 10, 0], abs=1e-5)  # left of ahead
    assert cloud.points[1] == pytest.approx([2 * np.cos(0.5), 0, 2 * np.sin(0.5)], abs=1e-6)
    assert cloud.fields["velocity"].tolist() == [-3, 4]


def test_a_table_without_places_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"radar\.csv.*range and azimuth"):
        _open(tmp_path, "t_s,rcs\n0,1\n")
