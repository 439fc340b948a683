"""Every cloud format gives back the numbers that were written, with the fields under their names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clouds import las_bytes, street, write_bin, write_pcd, write_ply
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import Cloud, CloudReader, OpenContext
from workstation.media.cache import DiskCache, MemoryCache
from workstation.media.cloud import READERS, open_clouds
from workstation.media.cloud_lod import level_sizes, lod_order


def _points(columns: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    return np.stack([columns[name] for name in "xyz"], axis=1)


def _one(path: Path, **options: str | bool | int | float) -> Cloud:
    reader = open_clouds([path], options=options)
    assert isinstance(reader, CloudReader)
    cloud = reader.cloud(0)
    reader.close()
    return cloud


@pytest.mark.parametrize("data", ["binary", "ascii", "binary_compressed"])
def test_pcd(tmp_path: Path, data: str) -> None:
    truth = street()
    write_pcd(tmp_path / "a.pcd", truth, data)
    cloud = _one(tmp_path / "a.pcd")
    assert np.array_equal(cloud.points, _points(truth))
    assert np.array_equal(cloud.fields["intensity"], truth["intensity"])
    assert np.array_equal(cloud.fields["ring"], truth["ring"])
    assert np.abs(cloud.fields["time_ns"] - truth["time"].astype(float) * 1e9).max() <= 1
    assert cloud.total == 1000


def test_a_pcd_whose_sensor_stands_elsewhere_says_so_and_others_do_not(tmp_path: Path) -> None:
    write_pcd(tmp_path / "a.pcd", street(), "binary")
    raw = (tmp_path / "a.pcd").read_bytes()
    assert raw.count(b"VIEWPOINT 0 0 0 1 0 0 0\n") == 1
    for pose, notes in (("0.0 0.0 -0 1.000 0.0 0.0 0e0", 0), ("0 0 1.8 1 0 0 0", 1)):
        path = tmp_path / f"{notes}.pcd"
        path.write_bytes(raw.replace(b"0 0 0 1 0 0 0", pose.encode()))
        reader = open_clouds([path], options={})
        reader.cloud(0)
        assert len(reader.info.notes) == notes
        reader.close()


@pytest.mark.parametrize("blank", [" ", "\t", "  "])
def test_a_long_ascii_pcd_is_the_same_numbers(tmp_path: Path, blank: str) -> None:
    truth = street(12_000)
    write_pcd(tmp_path / "a.pcd", truth, "ascii")
    header, _, body = (tmp_path / "a.pcd").read_bytes().partition(b"DATA ascii\n")
    (tmp_path / "a.pcd").write_bytes(header + b"DATA ascii\n" + body.replace(b" ", blank.encode()))
    cloud = _one(tmp_path / "a.pcd")
    assert np.array_equal(cloud.points, _points(truth))
    assert np.array_equal(cloud.fields["ring"], truth["ring"])


@pytest.mark.parametrize("order", ["<", ">", ""])
def test_ply_with_doubles_and_colours(tmp_path: Path, order: str) -> None:
    rng = np.random.default_rng(0)
    columns: dict[str, NDArray[Any]] = {
        "x": rng.uniform(500_000, 500_100, 300), "y": rng.uniform(4_100_000, 4_100_050, 300),
        "z": rng.uniform(0, 9, 300),
        "red": rng.integers(0, 256, 300).astype(np.uint8), "green": rng.integers(0, 256, 300).astype(np.uint8),
        "blue": rng.integers(0, 256, 300).astype(np.uint8), "label": rng.integers(-9, 99, 300).astype(np.int32),
        "scalar_Intensity": rng.uniform(0, 255, 300).astype(np.float32),  # CloudCompare's name for it
    }  # fmt: skip
    write_ply(tmp_path / "a.ply", columns, order, extra="element face 0\nproperty list uchar int vertex_indices\n")
    cloud = _one(tmp_path / "a.ply")
    back = cloud.points.astype(float) + cloud.origin
    assert np.abs(back - np.stack([columns[n] for n in "xyz"], axis=1)).max() < 4e-6  # float32 alone is off by 0.125
    assert np.array_equal(cloud.fields["rgb"], np.stack([columns[n] for n in ("red", "green", "blue")], axis=1))
    assert np.array_equal(cloud.fields["label"], columns["label"])
    assert np.array_equal(cloud.fields["intensity"], columns["scalar_Intensity"])
    assert all(values.dtype.isnative for values in cloud.fields.values())  # the panes hand them to C as they are


def test_las_keeps_its_steps_however_far_away(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    stored = rng.integers(-40_000, 40_000, (500, 3)) + np.array([50_000_000, 410_000_000, 1000])
    (tmp_path / "a.las").write_bytes(
        las_bytes([tuple(row) for row in stored.tolist()], scale=0.01, offset=(7.0, -3.0, 0.0))
    )
    cloud = _one(tmp_path / "a.las")
    truth = stored * 0.01 + np.array([7.0, -3.0, 0.0])
    assert np.abs(cloud.points.astype(float) + cloud.origin - truth).max() < 3e-5
    assert cloud.fields["intensity"].tolist() == list(range(500))
    assert cloud.fields["classification"].tolist() == [2] * 500
    assert np.array_equal(np.diff(cloud.fields["time_ns"]), [125_000_000] * 499)


def test_laz_is_the_same_cloud(tmp_path: Path) -> None:
    import laspy

    rows = [(i * 3, -i, i % 77) for i in range(2000)]
    (tmp_path / "a.las").write_bytes(las_bytes(rows, scale=0.001, offset=(0.0, 0.0, 0.0)))
    laspy.read(tmp_path / "a.las").write(tmp_path / "a.laz")
    plain, packed = _one(tmp_path / "a.las"), _one(tmp_path / "a.laz")
    assert np.array_equal(plain.points, packed.points)
    assert plain.origin == packed.origin
    assert np.array_equal(plain.fields["intensity"], packed.fields["intensity"])


def test_npy_and_npz(tmp_path: Path) -> None:
    truth = street(200)
    np.save(tmp_path / "rows.npy", np.stack([truth[n] for n in ("x", "y", "z", "intensity")], axis=1))
    np.savez(tmp_path / "columns.npz", **truth)
    np.savez_compressed(tmp_path / "points.npz", points=_points(truth), ring=truth["ring"])
    record = np.zeros(200, [(name, values.dtype) for name, values in truth.items()])
    for name, values in truth.items():
        record[name] = values
    np.save(tmp_path / "record.npy", record)
    for name in ("rows.npy", "columns.npz", "points.npz", "record.npy"):
        assert np.array_equal(_one(tmp_path / name).points, _points(truth)), name
    assert np.array_equal(_one(tmp_path / "rows.npy").fields["intensity"], truth["intensity"])
    assert np.array_equal(_one(tmp_path / "points.npz").fields["ring"], truth["ring"])
    named = _one(tmp_path / "rows.npy", columns="y,x,z,echo")
    assert np.array_equal(named.points[:, 0], truth["y"])
    assert np.array_equal(named.fields["echo"], truth["intensity"])


def test_four_or_five_numbers_are_told_apart_by_option_name_or_values(tmp_path: Path) -> None:
    truth = street(1000)  # 16,000 or 20,000 bytes: both divide by 4 and by 5 numbers
    kitti = [truth["x"], truth["y"], truth["z"], truth["intensity"] / 255]
    nuscenes = [truth["x"], truth["y"], truth["z"], truth["intensity"], truth["ring"]]
    write_bin(tmp_path / "a.bin", kitti)
    write_bin(tmp_path / "b.bin", nuscenes)
    assert np.array_equal(_one(tmp_path / "a.bin").points, _points(truth))
    assert np.array_equal(_one(tmp_path / "b.bin").fields["ring"], truth["ring"])
    flat = [np.zeros(100, np.float32)] * 4  # could be either
    write_bin(tmp_path / "flat.bin", flat)
    with pytest.raises(DataError, match="option 'layout'"):
        _one(tmp_path / "flat.bin")
    assert len(_one(tmp_path / "flat.bin", layout="kitti").points) == 100
    assert len(_one(tmp_path / "flat.bin", columns="x,y,z,intensity,ring").points) == 80
    write_bin(tmp_path / "flat.pcd.bin", flat)
    assert len(_one(tmp_path / "flat.pcd.bin").points) == 80  # nuScenes names its files so


def test_radar_keeps_velocity_and_cross_section(tmp_path: Path) -> None:
    truth = {name: street(50)[name] for name in "xyz"}
    truth |= {name: np.arange(50, dtype=np.float32) * i for i, name in enumerate(("vx", "vy", "rcs"), 1)}
    write_pcd(tmp_path / "radar.pcd", truth)
    cloud = _one(tmp_path / "radar.pcd")
    assert np.array_equal(cloud.fields["velocity"], np.stack([truth["vx"], truth["vy"]], axis=1))
    assert np.array_equal(cloud.fields["rcs"], truth["rcs"])


def test_colour_hidden_in_the_bits_of_a_float(tmp_path: Path) -> None:
    truth = {name: street(3)[name] for name in "xyz"}
    truth["rgb"] = np.array([0x00FF8001, 0x00010203, 0], np.uint32).view(np.float32)
    write_pcd(tmp_path / "a.pcd", truth)
    assert _one(tmp_path / "a.pcd").fields["rgb"].tolist() == [[255, 128, 1], [1, 2, 3], [0, 0, 0]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 50_000_000, 99_000_000], np.uint32), [0, 50_000_000, 99_000_000]),  # Ouster: ns from the sweep
        (np.array([0.0, 0.05, 0.1], np.float32), [0, 50_000_000, 100_000_000]),  # Velodyne: s
        (np.array([0, 50_000, 99_000], np.uint32), [0, 50_000_000, 99_000_000]),  # Livox style: µs
        (1_700_000_000 + np.array([0.0, 0.05, 0.0999]), [0, 50_000_000, 99_900_000]),  # s since 1970
        (np.array([0, 50_000_000], np.int64) + 1_700_000_000_123_456_789, [0, 50_000_000]),  # ns since 1970
    ],
)
def test_points_have_times_in_nanoseconds_whatever_the_sensor_counts_in(
    tmp_path: Path, values: NDArray[Any], expected: list[int]
) -> None:
    truth = {name: street(len(values))[name] for name in "xyz"} | {"timestamp": values}
    write_pcd(tmp_path / "a.pcd", truth)
    assert np.abs(_one(tmp_path / "a.pcd").fields["time_ns"] - np.array(expected)).max() <= 300


def test_point_times_and_sweep_times_on_one_clock_since_1970(tmp_path: Path) -> None:
    first = 1_700_000_000_500_000_000
    for sweep in range(3):
        stamps = first + sweep * 100_000_000 + np.array([-40_000_000, 0, 40_000_000], np.int64)
        columns = {name: street(3)[name] for name in "xyz"} | {"t": stamps}
        write_pcd(tmp_path / f"{first + sweep * 100_000_000}.pcd", columns)
    reader = open_clouds(sorted(tmp_path.glob("*.pcd")))
    assert reader.info.epoch_ns == first
    assert reader.table.times_ns.tolist() == [0, 100_000_000, 200_000_000]
    assert reader.cloud(1).fields["time_ns"].tolist() == [60_000_000, 100_000_000, 140_000_000]


def _sweeps(folder: Path, numbers: list[int]) -> list[Path]:
    for number in numbers:
        write_pcd(folder / f"{number:04d}.pcd", street(10, seed=number))
    return sorted(folder.glob("*.pcd"))


def test_missing_sweeps_stay_gaps(tmp_path: Path) -> None:
    paths = _sweeps(tmp_path, [0, 1, 2, 5, 6, 7])
    times = {"lidar": {"t_s": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]}}
    (tmp_path / "times.json").write_text(json.dumps(times))
    (tmp_path / "times.csv").write_text("sweep,time_ns\n" + "".join(f"{i},{(i + 1) * 100_000_000}\n" for i in range(8)))
    (tmp_path / "times.txt").write_text("".join(f"2011-09-26 13:02:25.{i + 1}00000000\n" for i in range(8)))
    for name, start in (("times.json#lidar/t_s", 100_000_000), ("times.csv", 100_000_000), ("times.txt", 0)):
        reader = open_clouds(paths, options={"times": name})
        assert reader.info.count == 6
        assert [gap.start_ns - start for gap in reader.info.gaps] == [200_000_000]
        assert reader.item_at(start + 400_000_000) is None
        shown = reader.item_at(start + 510_000_000)
        assert shown is not None
        assert np.array_equal(reader.cloud(shown.index).points, _points(street(10, seed=5)))
        assert "3, 4" in " ".join(reader.info.notes)
    at_rate = open_clouds(paths, options={"rate_hz": 10})
    assert at_rate.table.times_ns.tolist() == [0, 100_000_000, 200_000_000, 500_000_000, 600_000_000, 700_000_000]
    with pytest.raises(DataError, match="without times"):
        open_clouds(paths)


def test_a_list_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    paths = _sweeps(tmp_path, [0, 1, 9])
    (tmp_path / "t.txt").write_text("0.1\n0.2\n")
    with pytest.raises(DataError, match="lists 2 times for 3 files"):
        open_clouds(paths, options={"times": "t.txt"})


def test_unknown_options_and_formats_are_refused(tmp_path: Path) -> None:
    (path,) = _sweeps(tmp_path, [0])
    with pytest.raises(DataError, match="no option colour"):
        READERS[0].open([path], {"colour": "red"}, OpenContext())
    with pytest.raises(DataError, match="no cloud format"):
        open_clouds([path], options={"format": "e57"})


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_beginning_shows_the_whole_cloud(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 3000))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    points = (rng.standard_normal((count, 3)) * rng.choice([0, 0.1, 10, 100], 3)).astype(np.float32)
    points[rng.random(count) < 0.05] = np.nan
    order = lod_order(points)
    assert sorted(order.tolist()) == list(range(count))
    placed = points[np.isfinite(points).all(axis=1)]
    if not len(placed):
        return
    low = placed.min(axis=0)
    size = float((placed.max(axis=0).astype(float) - low).max()) or 1.0
    for level, beginning in enumerate(level_sizes(points)[:6]):
        chosen = points[order[:beginning]]
        scale = np.float32((1024 - 1e-3) / size)
        voxels = ((chosen - low) * scale).astype(int) >> (10 - level)
        assert len(np.unique(voxels, axis=0)) == beginning  # one point in each voxel that has any
    assert not np.isfinite(points[order[len(placed) :]]).all(axis=1).any()


def test_detail_is_built_once_and_kept(tmp_path: Path) -> None:
    truth = street(600_000)
    np.save(tmp_path / "big.npy", np.stack([truth[n] for n in ("x", "y", "z", "intensity")], axis=1))
    disk = DiskCache(tmp_path / "cache")
    for memory in (MemoryCache(0), MemoryCache()):
        reader = open_clouds([tmp_path / "big.npy"], context=OpenContext(disk=disk, memory=memory))
        few = reader.cloud(0, max_points=5000)
        assert few.total == 600_000
        assert len(few.points) == 5000
        index = few.fields["index"]
        assert np.array_equal(few.points, _points(truth)[index])
        assert np.array_equal(few.fields["intensity"], truth["intensity"][index])
        assert len(reader.cloud(0, max_points=10**9).points) == 600_000
        reader.close()
    assert len(list((tmp_path / "cache" / "cloud_lod").rglob("*.1"))) == 1
