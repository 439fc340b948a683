"""Tables pickled by real pandas, pickles that attack, drives in both forms."""

from __future__ import annotations

import gzip
import json
import pickle
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import pytest
from panda_tables import TABLES
from PIL import Image

from workstation.core.errors import DataError
from workstation.core.poses import Trajectory
from workstation.core.projection import project
from workstation.core.sample import StreamKind
from workstation.core.space import FrameTree, NoTransform
from workstation.media.base import CloudReader, OpenContext, Reader, TrajectoryReader, VideoReader
from workstation.media.cache import DiskCache
from workstation.media.probe import built_in_readers, open_stream
from workstation.media.proposal import StreamProposal

START_S = 1557539924.5


@pytest.fixture
def tables(plugin: ModuleType) -> ModuleType:
    return sys.modules[f"{plugin.__name__}.tables"]


@pytest.mark.parametrize("version", TABLES)
def test_tables_of_real_pandas_are_read(tables: ModuleType, tmp_path: Path, version: str) -> None:
    path = tmp_path / "00.pkl.gz"
    path.write_bytes(TABLES[version])
    columns, values = tables.read_pickle(path)
    assert columns == ["x", "y", "z", "i", "t", "d"]
    i = np.arange(6)
    assert np.array_equal(values[:, :4], np.column_stack([i + 0.5, -i, np.full(6, 2), 10 * i]))
    assert np.allclose(values[:, 4] - START_S, i * 1e-3, atol=1e-6)
    assert values[:, 5].tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("attack", "name"),
    [
        (b"cposix\nsystem\n(Vtouch owned\ntR.", "posix.system"),
        (b"cbuiltins\neval\n(V1+1\ntR.", "builtins.eval"),
        (b"cbuiltins\ngetattr\n(Vx\nVupper\ntR.", "builtins.getattr"),
        (b"cbuiltins\nopen\n(Vowned\nVw\ntR.", "builtins.open"),
        (b"cbuiltins\n__import__\n(Vos\ntR.", "builtins.__import__"),
        (b"cnumpy\nload\n(Vx\ntR.", "numpy.load"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.", "os.system"),
    ],
)
def test_a_pickle_cannot_call_anything(tables: ModuleType, tmp_path: Path, attack: bytes, name: str) -> None:
    path = tmp_path / "00.pkl"
    path.write_bytes(attack)
    with pytest.raises(DataError, match=f"asks for the name {name}; it is not read"):
        tables.read_pickle(path)
    assert [item.name for item in tmp_path.iterdir()] == ["00.pkl"]


def bomb() -> bytes:
    """Made when it is needed: it takes two seconds."""
    pack = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join(pack.compress(bytes(8 << 20)) for _ in range(70)) + pack.flush()


PLAIN = gzip.decompress(TABLES["1.0.5"])
HOSTILE: dict[str, bytes | Callable[[], bytes]] = {
    "empty": b"",
    "no pickle": b"hello",
    "a list": pickle.dumps([1, 2, 3]),
    "an object array": pickle.dumps(np.array([{}], object)),
    "cut": gzip.compress(PLAIN)[:200],
    "cut pickle": PLAIN[:-200],
    "not gzip": b"\x1f\x8b" + bytes(50),
    "deep": b"(" * 2_000_000,
    "a long claim": b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
    "memory": b"\x80\x04" + b"\x95" + bytes([0, 0, 0, 0, 0, 1, 0, 0]) + b"}.",
    "a bomb": bomb,
    "more numbers than data": PLAIN.replace(b"K\x06", b"K\x60"),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_tables_are_one_sentence(tables: ModuleType, tmp_path: Path, data: bytes | Callable[[], bytes]) -> None:
    path = tmp_path / "00.pkl"
    path.write_bytes(data() if callable(data) else data)
    with pytest.raises(DataError, match="it is not read") as caught:
        tables.read_pickle(path)
    assert str(path) in str(caught.value)


def poses(count: int, step: float) -> list[dict[str, Any]]:
    """Cameras look along world y (forward): right is x, down is −z."""
    half = float(np.sqrt(0.5))
    return [
        {"position": {"x": 0.0, "y": step * i, "z": 1.5}, "heading": {"w": half, "x": -half, "y": 0.0, "z": 0.0}}
        for i in range(count)
    ]


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    folder = tmp_path / "002"
    camera, lidar, meta = folder / "camera" / "front_camera", folder / "lidar", folder / "meta"
    for place in (camera, lidar, meta, folder / "annotations" / "cuboids"):
        place.mkdir(parents=True)
    for i in range(4):
        Image.fromarray(np.full((10, 20, 3), 30 * i, np.uint8)).save(camera / f"{i:02}.jpg")
        if i != 2:
            (lidar / f"{i:02}.pkl.gz").write_bytes(TABLES["1.0.5"])
    (camera / "timestamps.json").write_text(json.dumps([START_S + 0.05 + 0.1 * i for i in range(4)]))
    (camera / "poses.json").write_text(json.dumps(poses(4, 1.0)))
    (camera / "intrinsics.json").write_text(json.dumps({"fx": 100.0, "fy": 100.0, "cx": 10.0, "cy": 5.0}))
    (lidar / "timestamps.json").write_text(json.dumps([START_S + 0.1 * i for i in range(4)]))
    level = [row | {"heading": {"w": 1.0, "x": 0.0, "y": 0.0, "z": 0.0}} for row in poses(4, 1.0)]
    (lidar / "poses.json").write_text(json.dumps(level))
    (meta / "timestamps.json").write_text(json.dumps([START_S + 0.1 * i for i in range(4)]))
    fix = {"lat": 37.7, "long": -122.4, "height": 3.0, "xvel": 0.1, "yvel": 0.2}
    (meta / "gps.json").write_text(json.dumps([fix] * 4))
    (folder / "annotations" / "cuboids" / "00.pkl.gz").write_bytes(b"x")
    return folder


def opened(plugin: ModuleType, stream: StreamProposal, context: OpenContext | None = None) -> Reader:
    readers = (*built_in_readers(), *plugin.READERS)
    return open_stream(
        stream.files, readers, reader=stream.reader, options=stream.options, context=context or OpenContext()
    )


def test_a_published_drive(plugin: ModuleType, drive: Path, tmp_path: Path) -> None:
    assert plugin.recognise(drive) > 0.9
    assert plugin.recognise(drive.parent) > 0.9
    proposal = plugin.propose(drive.parent)
    (sample,) = proposal.samples
    streams = {stream.key: stream for stream in sample.streams}
    assert sample.key == "002"
    assert {key: stream.kind for key, stream in streams.items()} == {
        "lidar_spinning": StreamKind.CLOUD,
        "lidar_forward": StreamKind.CLOUD,
        "front_camera": StreamKind.VIDEO,
        "front_camera_pose": StreamKind.TRAJECTORY,
        "ego_pose": StreamKind.TRAJECTORY,
        "gps": StreamKind.SERIES,
    }
    context = OpenContext(disk=DiskCache(tmp_path / "cache"))
    forward = opened(plugin, streams["lidar_forward"], context)
    assert isinstance(forward, CloudReader)
    assert forward.item_at(250_000_000) is None  # the sweep that is missing
    cloud = forward.cloud(2)
    places = cloud.points + np.array(cloud.origin, np.float32)
    assert places.tolist() == [[3.5, -3, 2], [4.5, -4, 2], [5.5, -5, 2]]
    assert np.abs(cloud.fields["time_ns"] - np.array([3, 4, 5]) * 1_000_000).max() < 1000  # a double of seconds
    few = forward.cloud(2, max_points=2)
    assert (len(few.points), few.total, few.fields["index"].tolist()) == (2, 3, [0, 2])
    assert context.disk is not None
    assert list(context.disk.folder.glob("pandaset/*/*"))
    again = opened(plugin, streams["lidar_spinning"], context)
    assert isinstance(again, CloudReader)
    assert again.cloud(0).fields["sensor"].tolist() == [0, 0, 0]
    camera = opened(plugin, streams["front_camera"])
    assert isinstance(camera, VideoReader)
    # The file holds doubles of seconds since 1970: a quarter of a microsecond is all they can say.
    assert np.abs(camera.table.times_ns - 50_000_000 - 100_000_000 * np.arange(4)).max() < 250
    assert proposal.doubts == ()


def test_a_point_falls_on_its_pixel_through_the_moving_camera(plugin: ModuleType, drive: Path) -> None:
    sample = plugin.propose(drive).samples[0]
    streams = {stream.key: stream for stream in sample.streams}
    reader = opened(plugin, streams["front_camera_pose"])
    assert isinstance(reader, TrajectoryReader)
    moves = Trajectory(
        times_ns=reader.times_ns, rotations=reader.rotations, translations=reader.positions_m, max_gap_ns=10**9
    )
    calibration = sample.rig.calibration()
    tree = FrameTree(calibration, {"front_camera_pose": moves})
    at = tree.transform("front_camera", "world", 250_000_000)  # the third picture: the camera stands at y = 2
    assert not isinstance(at, NoTransform)
    seen = project(calibration.camera("front_camera"), np.array([[1.0, 12.0, 1.0]]), camera_from_frame=at)
    assert np.allclose(seen.pixels[0], (10 + 100 * 1 / 10 + 0.5, 5 + 100 * 0.5 / 10 + 0.5), atol=1e-6)


def test_poses_read_the_wrong_way_round_are_doubted(plugin: ModuleType, drive: Path) -> None:
    turned = {"w": 0.5, "x": -0.5, "y": 0.5, "z": -0.5}  # looking along x; inverted it would stand upright
    inverse = {"w": 0.5, "x": 0.5, "y": -0.5, "z": 0.5}
    path = drive / "camera" / "front_camera" / "poses.json"
    for heading, doubted in ((turned, False), (inverse, True)):
        path.write_text(json.dumps([row | {"heading": heading} for row in poses(4, 1.0)]))
        assert bool(plugin.propose(drive).doubts) is doubted


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("camera/front_camera/timestamps.json", "[1, 2", "is not JSON"),
        ("camera/front_camera/timestamps.json", "[NaN, 1, 2, 3]", "NaN is no usable number"),
        ("camera/front_camera/timestamps.json", "[1.5]", "there are 1 times, but a file 01.jpg"),
        ("camera/front_camera/intrinsics.json", '{"fx": 1}', "lacks 'fy'"),
        ("camera/front_camera/poses.json", "[]", "holds no poses"),
        ("camera/front_camera/poses.json", '[{"position": {"x": 0, "y": 0, "z": 0}, "heading": {}}]', "lacks 'w'"),
        ("camera/front_camera/00.jpg", "x", "first picture cannot be read"),
        ("lidar/timestamps.json", "[]", "there are 0 times"),
    ],
)
def test_what_cannot_be_used_is_left_out_with_its_reason(
    plugin: ModuleType, drive: Path, name: str, content: str, sentence: str
) -> None:
    (drive / name).write_text(content)
    proposal = plugin.propose(drive)
    assert any(sentence in item.reason for item in proposal.skipped)
    assert "front_camera" not in {stream.key for sample in proposal.samples for stream in sample.streams}


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    folder = tmp_path / "a_drive"
    for name in ("camera", "lidar", "sensors"):
        (folder / name).mkdir(parents=True)
    with av.open(str(folder / "camera" / "front_camera.mp4"), "w") as container:
        film = container.add_stream("mpeg4", rate=10)
        film.width = film.height = 16
        for _ in range(4):
            container.mux(film.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")))
        container.mux(film.encode(None))
    head = (
        "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z intensity\nSIZE 4 4 4 4\nTYPE F F F F\nCOUNT 1 1 1 1\nWIDTH 1\n"
        "HEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS 1\nDATA ascii\n"
    )
    for i in (0, 1, 3):
        (folder / "lidar" / f"{i:02}.pcd").write_text(f"{head}{i} 10 0 0.5\n")
    matrix = [[1, 0, 0, 0.2], [0, 0, -1, 1.8], [0, 1, 0, -0.8], [0, 0, 0, 1]]
    camera = {"file": "camera/front_camera.mp4", "fx": 10, "fy": 10, "cx": 8, "cy": 8, "T_cam_from_ego_static": matrix}
    (folder / "calibration.json").write_text(json.dumps({"image_size": [16, 16], "cameras": {"front_camera": camera}}))
    times = {
        "epoch_s_of_t0": 1557539956.400135,
        "lidar": {"t_s": [0.1, 0.2, 0.3, 0.4], "missing_sweeps": [2]},
        "front_camera": {"t_s": [0.05, 0.15, 0.25, 0.35]},
    }
    (folder / "timestamps.json").write_text(json.dumps(times))
    rows = [{"sweep": i, "t_s": 0.1 * (i + 1)} | row for i, row in enumerate(poses(4, 0.5))]
    (folder / "sensors" / "ego_pose.json").write_text(json.dumps(rows))
    (folder / "labels").mkdir()
    (folder / "labels" / "cuboids.json").write_text("{}")
    return folder


def test_a_scene_of_films_and_sweeps(plugin: ModuleType, scene: Path) -> None:
    assert plugin.recognise(scene) > 0.9
    proposal = plugin.propose(scene)
    (sample,) = proposal.samples
    assert sample.epoch_ns == 1_557_539_956_400_135_000
    streams = {stream.key: stream for stream in sample.streams}
    assert set(streams) == {"front_camera", "lidar", "ego_pose"}
    assert streams["front_camera"].time_map.to_session(0) == 50_000_000
    assert streams["lidar"].notes == ("sweeps 2 have no file: gaps",)
    sweeps = opened(plugin, streams["lidar"])
    assert isinstance(sweeps, CloudReader)
    assert sweeps.table.times_ns.tolist() == [100_000_000, 200_000_000, 400_000_000]
    assert sweeps.item_at(360_000_000) is None
    calibration = sample.rig.calibration()
    tree = FrameTree(calibration)
    camera_from_vehicle = tree.transform("front_camera", "vehicle", 0)
    assert not isinstance(camera_from_vehicle, NoTransform)
    # Ten metres ahead, one to the left, at the height of the ego frame: in the file's axes (−1, 10, 0).
    seen = project(
        calibration.camera("front_camera"), np.array([[10.0, 1.0, 0.0]]), camera_from_frame=camera_from_vehicle
    )
    x, y, z = np.array([[1, 0, 0, 0.2], [0, 0, -1, 1.8], [0, 1, 0, -0.8]]) @ (-1, 10, 0, 1)
    assert np.allclose(seen.pixels[0], (8 + 10 * x / z + 0.5, 8 + 10 * y / z + 0.5), atol=1e-9)
    named = {path for path, _ in proposal.destinations()}
    assert [p for p in scene.rglob("*") if p.is_file() and not ({p, *p.parents} & named)] == []


@pytest.mark.parametrize("name", ["../../film.mp4", "/etc/passwd"])
def test_a_calibration_cannot_name_files_outside(plugin: ModuleType, scene: Path, name: str) -> None:
    content = json.loads((scene / "calibration.json").read_text())
    content["cameras"]["front_camera"]["file"] = name
    (scene / "calibration.json").write_text(json.dumps(content))
    proposal = plugin.propose(scene)
    assert "front_camera" not in {stream.key for stream in proposal.samples[0].streams}
    assert any("leads out of" in item.reason for item in proposal.skipped)


def test_a_matrix_the_wrong_way_round_is_doubted(plugin: ModuleType, scene: Path) -> None:
    content = json.loads((scene / "calibration.json").read_text())
    forward = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])  # ego from a camera along x
    content["cameras"]["front_camera"]["T_cam_from_ego_static"] = forward.tolist()
    (scene / "calibration.json").write_text(json.dumps(content))
    (doubt,) = plugin.propose(scene).doubts
    assert "invert it" in doubt
