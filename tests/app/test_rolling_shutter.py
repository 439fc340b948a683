"""A camera that reads its rows one after another, against a gyro: the clock that is found is that of the stamps.

The film is drawn row by row, each at the heading of its own moment; the gyro is the derivative of that heading.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from scipy import ndimage

from workstation.app.adding import add_files
from workstation.app.opening import new_project, open_project
from workstation.app.session import Session
from workstation.cli.main import cli
from workstation.core.rights import ActorKind
from workstation.core.sample import StreamKind
from workstation.synth.writers import VideoWriter, write_csv

pytestmark = pytest.mark.slow
Floats = NDArray[np.float64]
WIDTH, HEIGHT, FPS, SECONDS, FOCAL_PX = 256, 144, 20, 9.0, 300.0
ROW_NS = 280_000
READOUT_MS = ROW_NS * HEIGHT / 1e6
IMU_LATE_MS = 25.0
KNOWN_MS = 5.0
"""Within so much a camera of 20 pictures a second tells; the shutter's whole is eight times that."""


def heading(at_s: Floats) -> Floats:
    """Radians to the left: a drive with turns of changing length."""
    knots = np.arange(-1.0, SECONDS + 1.5, 0.5)
    rates = np.random.default_rng(4).normal(0, 0.35, len(knots))
    fine = np.arange(knots[0], knots[-1], 0.001)
    turned = np.cumsum(np.interp(fine, knots, rates)) * 0.001
    return np.asarray(np.interp(at_s, fine, turned))


def film(path: Path) -> None:
    rng = np.random.default_rng(5)
    scene = ndimage.gaussian_filter(rng.normal(size=(HEIGHT, 1600)), 2.0)
    scene = np.clip(128 + 40 * scene / scene.std(), 0, 255)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    with VideoWriter(path, width=WIDTH, height=HEIGHT, rate=FPS) as made:
        for number in range(int(SECONDS * FPS)):
            at_s = number / FPS + np.arange(HEIGHT) * ROW_NS / 1e9
            shift = FOCAL_PX * heading(at_s)[:, None]  # what is far away goes right while the camera turns left
            grey = ndimage.map_coordinates(scene, [rows, columns + 672 - shift], order=1, mode="wrap")
            made.write(np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2))


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rolling")
    film(folder / "front.mp4")
    at_s = np.arange(0, SECONDS, 0.01)
    rate = (heading(at_s + 0.005) - heading(at_s - 0.005)) / 0.01
    stamps = np.round((at_s + IMU_LATE_MS / 1e3) * 1e9).astype(np.int64)
    write_csv(folder / "imu.csv", ("time_ns", "gyro_z_radps"), zip(stamps.tolist(), rate.tolist(), strict=True))
    project = new_project(folder / "drive", profile="driving", person="Ana")
    with open_project(project, kind=ActorKind.IMPORT, tool="test") as session:
        for name, kind in (("front", StreamKind.VIDEO), ("imu", StreamKind.SERIES)):
            path = next(folder.glob(f"{name}.*"))
            add_files(session, (path,), sample="drive", stream=name, kind=kind)
    return project


def mounted(session: Session, row_time_ns: int) -> None:
    camera = {
        "name": "front", "frame": "front", "width_px": WIDTH, "height_px": HEIGHT, "row_time_ns": row_time_ns,
        "lens": {"type": "pinhole", "fx": FOCAL_PX, "fy": FOCAL_PX, "cx": WIDTH / 2, "cy": HEIGHT / 2},
    }  # fmt: skip
    frame = {"name": "front", "parent": "ego", "parent_from_child": {"rotation": [1.0, 0.0, 0.0, 0.0]}}
    session.run("rig.add", sample="drive", frames=[frame], cameras=[camera])
    session.run("stream.set", sample="drive", stream="front", frame="front")


def measured(drive: Path, row_time_ns: int) -> tuple[float, float]:
    with open_project(drive, kind=ActorKind.PERSON, person="Ana", role="lead") as session:
        mounted(session, row_time_ns)
    result = CliRunner().invoke(cli, ["sync", "imu", str(drive), "front", "imu", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    return found["late_ms"], found["give_or_take_ms"]


def test_the_rows_of_the_rig_are_what_sets_the_clock_right(drive: Path) -> None:
    """Without the readout in the rig the film seems to turn too early, and the gyro later, by when the rows that tell
    the turn were read."""
    late_ms, give_or_take_ms = measured(drive, ROW_NS)
    assert late_ms == pytest.approx(IMU_LATE_MS, abs=min(KNOWN_MS, give_or_take_ms))
    unknown_ms, _ = measured(drive, 0)
    assert KNOWN_MS < unknown_ms - IMU_LATE_MS < READOUT_MS
