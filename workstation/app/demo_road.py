"""One real scan of a road with the picture taken with it, and the calibration that lays one on the other.

Called by ``demo.py``. The files travel in ``resources/demo/road`` as published; where they come from is in
THIRD_PARTY.md. Their publisher labels nothing, so nothing is labelled.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.app.demo_generated import Json, add_sample, copied
from workstation.app.session import Session
from workstation.core.cameras import Camera, opencv_lens
from workstation.core.errors import DataError
from workstation.core.files import read_bounded
from workstation.core.poses import RigidTransform, transform_of_matrix
from workstation.core.space import Calibration, Frame, as_json_values
from workstation.media.probe import built_in_readers

KEY = "road"
CAMERA, LIDAR = "camera", "lidar"
_LICENCE = "Apache-2.0, SensorsCalibration (PJLab-ADG)"
_LARGEST = 1 << 16
_SIZE_PX = (1920, 1200)
_NUMBERS = {"K": 9, "D": 4, "T": 12}
_CLOCKS = (
    "the publisher gives picture and scan as of one moment; neither says when the picture was taken, so how far apart "
    "they are is not known"
)


def build(session: Session, folder: Path) -> None:
    """Scan and picture on one clock, and a rig of the two."""
    media = session.project.media_folder / KEY
    cloud: Json = {
        "key": LIDAR, "kind": "cloud", "role": "roof LiDAR", "frame": LIDAR, "options": {"frame": LIDAR},
        "licence": _LICENCE,
    }  # fmt: skip
    picture: Json = {"key": CAMERA, "kind": "image", "role": "front camera", "frame": CAMERA, "licence": _LICENCE}
    streams = [(cloud, copied(folder / "cloud.pcd", media)), (picture, copied(folder / "image.jpg", media))]
    camera, lidar_from_camera = read_calibration(folder / "calib.txt")
    calibration = Calibration(
        frames=(Frame(name=CAMERA, parent=LIDAR, parent_from_child=lidar_from_camera),), cameras=(camera,)
    )
    with session.together("Build the demo road") as run:
        notes = "One scan of a road and the picture taken with it, made to try calibrations. Nothing is labelled."
        add_sample(
            session, run, KEY, streams, built_in_readers(), notes=notes, in_sync=_CLOCKS, sync="declared"
        )  # fmt: skip
        run(
            "rig.add", sample=KEY, key="vehicle", frames=as_json_values(calibration.frames),
            cameras=as_json_values(calibration.cameras),
            note="published K, D and camera_from_lidar (3x4), the last inverted to lidar_from_camera",
        )  # fmt: skip
        run("gate.set", sample=KEY, gate="calibration", state="declared", reason="published with scan and picture")


def read_calibration(path: Path) -> tuple[Camera, RigidTransform]:
    """The camera, and where it sits in the LiDAR's frame (x forward, y left, z up)."""
    lines = read_bounded(path, _LARGEST).decode("ascii", "replace").splitlines()
    said = {name.strip(): numbers for name, _, numbers in (line.partition(":") for line in lines)}
    given = {name: _numbers(said.get(name, ""), count, path, name) for name, count in _NUMBERS.items()}
    lens = opencv_lens(given["K"].reshape(3, 3), given["D"].tolist())
    camera_from_lidar = transform_of_matrix(np.vstack([given["T"].reshape(3, 4), (0, 0, 0, 1)]))
    width, height = _SIZE_PX
    return Camera(name=CAMERA, frame=CAMERA, width_px=width, height_px=height, lens=lens), camera_from_lidar.inverted()


def _numbers(text: str, count: int, path: Path, name: str) -> NDArray[np.float64]:
    try:
        found = np.array([float(word) for word in text.split()])
    except ValueError as error:
        raise DataError(f"is no line of numbers ({error})", path=path, place=name) from error
    if len(found) != count or not np.isfinite(found).all():
        raise DataError(f"holds {len(found)} numbers where {count} belong", path=path, place=name)
    return found
