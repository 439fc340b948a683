"""A calibration beside the media: its directions, and the offer to invert one that cannot be right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.base import ReaderSpec
from workstation.media.grouping import propose_folder
from workstation.media.probe import built_in_readers
from workstation.media.rig_file import read_rig

READERS: tuple[ReaderSpec, ...] = built_in_readers()
VEHICLE_FROM_CAMERA = [[0.0, 0, 1, 1.5], [-1, 0, 0, 0.2], [0, -1, 0, 1.6], [0, 0, 0, 1]]
"""A camera that looks ahead: its x is the vehicle's right, its y down."""


def content(key: str, matrix: Any) -> dict[str, Any]:
    return {"frames": [{"name": "front", "parent": "vehicle", key: matrix}], "cameras": []}


def camera(name: str) -> dict[str, Any]:
    from workstation.core.cameras import Camera, Pinhole
    from workstation.core.space import as_json_values

    lens = Pinhole(fx=100.0, fy=100.0, cx=50.0, cy=30.0)
    (made,) = as_json_values([Camera(name=name, frame=name, width_px=100, height_px=60, lens=lens)])
    return dict(made)


def write(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def inverse(matrix: list[list[float]]) -> list[list[float]]:
    inverted: list[list[float]] = np.linalg.inv(np.array(matrix)).tolist()
    return inverted


@pytest.mark.parametrize(
    ("key", "matrix"),
    [("parent_from_child", VEHICLE_FROM_CAMERA), ("child_from_parent", inverse(VEHICLE_FROM_CAMERA))],
)
def test_the_key_says_the_direction(tmp_path: Path, key: str, matrix: list[list[float]]) -> None:
    rig = read_rig(write(tmp_path / "rig.json", content(key, matrix) | {"cameras": [camera("front")]}))
    (mount,) = rig.mounts
    assert mount.frame.parent_from_child is not None
    assert np.allclose(mount.frame.parent_from_child.matrix, VEHICLE_FROM_CAMERA)
    assert mount.stated == ("vehicle from front" if key[0] == "p" else "front from vehicle, turned round")
    assert mount.doubt == ""


@pytest.mark.parametrize(
    ("key", "matrix"),
    [("parent_from_child", inverse(VEHICLE_FROM_CAMERA)), ("child_from_parent", VEHICLE_FROM_CAMERA)],
)
def test_the_wrong_direction_is_recognised_and_inverted(tmp_path: Path, key: str, matrix: list[list[float]]) -> None:
    rig = read_rig(write(tmp_path / "rig.json", content(key, matrix) | {"cameras": [camera("front")]}))
    assert "invert it" in rig.mounts[0].doubt
    mended = rig.inverted(["front"]).mounts[0]
    assert mended.doubt == ""
    assert mended.frame.parent_from_child is not None
    assert np.allclose(mended.frame.parent_from_child.matrix, VEHICLE_FROM_CAMERA)


def test_a_quaternion_and_a_trajectory(tmp_path: Path) -> None:
    frames = [
        {"name": "vehicle", "parent": "world", "trajectory": "ego_pose"},
        {
            "name": "lidar",
            "parent": "vehicle",
            "parent_from_child": {"rotation": [1, 0, 0, 0], "translation": [1, 2, 3]},
        },
    ]
    rig = read_rig(write(tmp_path / "rig.json", {"frames": frames}))
    assert rig.mounts[0].frame.trajectory == "ego_pose"
    assert rig.mounts[1].frame.parent_from_child is not None
    assert rig.mounts[1].frame.parent_from_child.translation == (1, 2, 3)


def test_the_calibration_of_a_folder_goes_to_its_samples(tmp_path: Path) -> None:
    for run in ("run_1", "run_2"):
        for name in ("front", "back"):
            path = tmp_path / run / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            Image.new("L", (10, 6)).save(path)
    write(tmp_path / "calibration.json", content("parent_from_child", VEHICLE_FROM_CAMERA))
    own = content("parent_from_child", inverse(VEHICLE_FROM_CAMERA)) | {"cameras": [camera("front")]}
    write(tmp_path / "run_2" / "calibration.json", own)
    proposal = propose_folder(tmp_path, READERS)
    rigs = {sample.key: sample.rig for sample in proposal.samples}
    assert {stream.kind for sample in proposal.samples for stream in sample.streams} == {StreamKind.IMAGE}
    assert rigs["run_1"] is not None
    assert rigs["run_1"].mounts[0].source == tmp_path / "calibration.json"
    assert rigs["run_2"] is not None
    assert rigs["run_2"].mounts[0].source == tmp_path / "run_2" / "calibration.json"
    assert len(proposal.doubts) == 1
    assert proposal.skipped == ()


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "JSON"),
        ("[]", "frames"),
        ({"frames": [{"name": "a"}]}, "parent"),
        ({"frames": [{"name": "a", "parent": "b"}]}, "says the direction"),
        (content("parent_from_child", [[1, 0], [0, 1]]), "4"),
        (content("parent_from_child", [[2.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "rotation"),
        (content("parent_from_child", {"rotation": [0, 0, 0, 0], "translation": [0, 0, 0]}), "rotation|quaternion"),
        (content("parent_from_child", {"rotation": [1, 0, 0, 0], "translation": ["x", 0, 0]}), "number"),
        ({"frames": [], "cameras": [{"name": "a"}]}, "calibration"),
        ('{"frames": [{"name": "a", "parent": "b", "parent_from_child": [[NaN]]}]}', "JSON|number"),
    ],
)
def test_what_is_no_calibration_is_a_sentence(tmp_path: Path, value: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        read_rig(write(tmp_path / "rig.json", value))
