"""Poses are read in every usual shape, with their gaps, and GPS tracks as places in metres."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from workstation.core.errors import DataError
from workstation.media.base import TrajectoryReader
from workstation.media.held import unit_rotations
from workstation.media.trajectory import TrajectoryFile, open_trajectory

HALF = float(np.sqrt(0.5))


def _write(tmp_path: Path, name: str, text: str, **options: str) -> TrajectoryFile:
    (tmp_path / name).write_text(text, encoding="utf-8")
    poses = open_trajectory(tmp_path / name, options=options)
    assert isinstance(poses, TrajectoryReader)
    return poses


def _same(poses: TrajectoryFile) -> None:
    assert poses.times_ns.tolist() == [0, 100_000_000, 200_000_000]
    assert poses.positions_m.tolist() == [[0, 0, 0], [1, 2, 3], [2, 4, 6]]
    assert np.abs(poses.rotations - [[1, 0, 0, 0], [HALF, 0, 0, HALF], [0, 0, 0, 1]]).max() < 1e-6


def test_csv_json_and_tum_are_the_same_poses(tmp_path: Path) -> None:
    rows = [(0.0, 0, 0, 0, 1, 0, 0, 0), (0.1, 1, 2, 3, HALF, 0, 0, HALF), (0.2, 2, 4, 6, 0, 0, 0, 1)]
    _same(
        _write(
            tmp_path, "a.csv", "time_s,x_m,y_m,z_m,qw,qx,qy,qz\n" + "".join(",".join(map(str, r)) + "\n" for r in rows)
        )
    )
    tum = "".join(f"{t} {x} {y} {z} {qx} {qy} {qz} {qw}\n" for t, x, y, z, qw, qx, qy, qz in rows)
    _same(_write(tmp_path, "b.txt", "# timestamp tx ty tz qx qy qz qw\n" + tum))
    _same(_write(tmp_path, "c.tum", tum))
    euroc = "#timestamp [ns], p_RS_R_x [m], p_RS_R_y [m], p_RS_R_z [m], q_RS_w [], q_RS_x [], q_RS_y [], q_RS_z []\n"
    euroc += "".join(f"{round(t * 1e9)},{x},{y},{z},{qw},{qx},{qy},{qz}\n" for t, x, y, z, qw, qx, qy, qz in rows)
    _same(_write(tmp_path, "d.csv", euroc))
    entries = [
        {"t_s": t, "position": {"x": x, "y": y, "z": z}, "heading": {"w": qw, "x": qx, "y": qy, "z": qz}}
        for t, x, y, z, qw, qx, qy, qz in rows
    ]
    _same(_write(tmp_path, "e.json", json.dumps(entries)))
    _same(_write(tmp_path, "f.json", json.dumps({"device": "x", "poses": entries})))
    nuscenes = [
        {"timestamp": 1_532_402_927_647_951 + round(t * 1e6), "translation": [x, y, z], "rotation": [qw, qx, qy, qz]}
        for t, x, y, z, qw, qx, qy, qz in rows
    ]
    poses = _write(tmp_path, "g.json", json.dumps(nuscenes))
    _same(poses)
    assert poses.info.epoch_ns == 1_532_402_927_647_951_000


def test_missing_and_broken_poses_stay_gaps(tmp_path: Path) -> None:
    rows = "".join(
        f"{i / 10},{i},0,0,{'' if i == 4 else 1},0,0,{0.7 if i == 6 else 0}\n" for i in range(20) if not 10 <= i < 13
    )
    poses = _write(tmp_path, "a.csv", "t_s,x,y,z,qw,qx,qy,qz\n" + rows)
    assert np.flatnonzero(np.isnan(poses.rotations[:, 0])).tolist() == [4, 6]
    assert [(gap.start_ns, gap.end_ns) for gap in poses.info.gaps] == [(900_000_000, 1_300_000_000)]
    trajectory = poses.trajectory()
    assert trajectory.pose_at(1_100_000_000) is None
    between = trajectory.pose_at(250_000_000)
    assert between is not None
    assert between.translation == pytest.approx((2.5, 0, 0))
    assert trajectory.pose_at(450_000_000) is None  # a pose is missing there: 0.2 s is more than the rhythm allows
    assert "2 poses have no unit quaternion" in " ".join(poses.info.notes)


def test_a_gps_track_is_metres_east_north_up(tmp_path: Path) -> None:
    # One thousandth of a degree: 111.32 m × cos φ east on the sphere; WGS 84 at 60° says 55.80 m and 111.41 m.
    track = "time_ns,latitude_deg,longitude_deg,altitude_m\n0,60,10,100\n"
    track += "1000000000,60,10.001,100\n2000000000,60.001,10,105\n"
    poses = _write(tmp_path, "gps.csv", track + "3000000000,0,0,0\n4000000000,,,\n")
    assert poses.positions_m[1] == pytest.approx([55.800, 0.0, 0.0], abs=0.01)
    assert poses.positions_m[2] == pytest.approx([0.0, 111.412, 5.0], abs=0.01)
    assert np.isnan(poses.positions_m[3:]).all()  # no fix is no place off Africa
    assert np.isnan(poses.rotations).all()
    with pytest.raises(DataError, match="no rotations"):
        poses.trajectory()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("no-place.csv", b"t_s,a,b\n0,1,2\n1,2,3\n"),
        ("no-time.json", b'[{"position": {"x": 1, "y": 2, "z": 3}}]'),
        ("not.json", b"{{{"),
        ("deep.json", b"[" * 100_000),
        ("number.json", b"12"),
        ("mixed.json", b'[{"t": 1}, 5]'),
        ("globe.csv", b"t_s,lat,lon\n0,4000,10\n1,5000,11\n"),
        ("latin.json", b'["\xff"]'),
    ],
)
def test_a_hopeless_file_is_named_in_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as refused:
        open_trajectory(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_numbers_no_rotation_can_have_are_gaps_without_a_word_from_numpy() -> None:
    turns = np.array([[1.0, 0, 0, 0], [1e300, 0, 0, 0], [np.inf, 0, 0, 0], [np.nan, 0, 0, 1], [0, 0, 0, 1.001]])
    scaled, notes = unit_rotations(turns)
    assert np.isnan(scaled).all(axis=1).tolist() == [False, True, True, True, False]
    assert notes == ("3 poses have no unit quaternion: gaps",)
    assert np.allclose(np.linalg.norm(scaled[[0, 4]], axis=1), 1)
