"""An independent way from a place in space to a pixel of the window: the rig's numbers as stored, SciPy for poses,
OpenCV for the lens, arithmetic for where the picture lies. Nothing of the projection under test is used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage
from scipy.spatial.transform import Rotation, Slerp

from strict_windows import show, wait_for
from workstation.app.opening import open_project
from workstation.media.opencv import cv2
from workstation.ui.panes.camera import CameraPane
from workstation.ui.panes.camera_view import CameraView
from workstation.ui.workbench import Workbench

Floats = NDArray[np.float64]


class Truth:
    """The rig of the open sample and its one trajectory, ``ego`` under ``world``."""

    def __init__(self, bench: Workbench) -> None:
        view = bench.view
        assert view is not None
        assert bench.readers is not None
        rig = view.rig()
        assert rig is not None
        self._frames: dict[str, Any] = {each["name"]: each for each in rig.frames}  # type: ignore[misc]
        self._cameras: dict[str, Any] = {each["name"]: each for each in rig.cameras}  # type: ignore[misc]
        poses = view.stream_by_key("ego_pose")
        assert poses is not None
        reader: Any = bench.readers.reader(poses)
        times = np.array([poses.time_map.to_session(int(each)) for each in reader.times_ns], np.float64)
        self._times, self._places = times, np.asarray(reader.positions_m, np.float64)
        self._turns = Slerp(times, Rotation.from_quat(np.asarray(reader.rotations)[:, [1, 2, 3, 0]]))

    def in_world(self, points: Floats, frame: str, session_ns: int) -> Floats:
        """Points (n, 3) of a frame, as it stood then, in the world."""
        while frame != "world":
            entry = self._frames[frame]
            if entry["parent_from_child"] is None:
                place = [np.interp(session_ns, self._times, self._places[:, axis]) for axis in range(3)]
                points = self._turns(session_ns).apply(points) + place
            else:
                w, x, y, z = entry["parent_from_child"]["rotation"]
                points = Rotation.from_quat([x, y, z, w]).apply(points) + entry["parent_from_child"]["translation"]
            frame = entry["parent"]
        return points

    def in_camera(self, world: Floats, camera: str, session_ns: int) -> Floats:
        """Points of the world in a camera as it stood then: the way above, backwards, by its matrix."""
        axes = self.in_world(np.vstack([np.zeros(3), np.eye(3)]), camera, session_ns)
        return (world - axes[0]) @ np.linalg.inv(axes[1:] - axes[0])

    def pixels(self, world: Floats, camera: str, session_ns: int) -> Floats:
        """Pixels (n, 2) of the picture; NaN behind the camera, where OpenCV would mirror them into it."""
        seen = self.in_camera(world, camera, session_ns)
        lens = self._cameras[camera]["lens"]
        matrix = np.array([[lens["fx"], 0, lens["cx"] - 0.5], [0, lens["fy"], lens["cy"] - 0.5], [0, 0, 1.0]])
        bent = np.array([lens.get(name, 0.0) for name in ("k1", "k2", "p1", "p2", "k3")])
        ahead = seen[:, 2] > 0.02
        found = np.full((len(seen), 2), np.nan)
        if ahead.any():
            flat, _ = cv2.projectPoints(seen[ahead][:, None], np.zeros(3), np.zeros(3), matrix, bent)
            found[ahead] = flat[:, 0] + 0.5
        return found

    def ray(self, camera: str, pixel: tuple[float, float]) -> Floats:
        """Where a pixel of a camera without distortion looks, at a depth of one metre."""
        lens = self._cameras[camera]["lens"]
        assert lens["type"] == "pinhole"
        return np.array([(pixel[0] - lens["cx"]) / lens["fx"], (pixel[1] - lens["cy"]) / lens["fy"], 1.0])

    def bounds(self, pixels: Floats, camera: str) -> Floats | None:
        """Left, top, right, bottom of the part inside the picture of the area that corners span, without distortion."""
        width, height = self.size_px(camera)
        frame = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
        _, shown = cv2.intersectConvexConvex(cv2.convexHull(pixels.astype(np.float32)), frame)
        if shown is None or len(shown) < 3:
            return None
        return np.concatenate([shown[:, 0].min(0), shown[:, 0].max(0)]).astype(np.float64)

    def focal_px(self, camera: str) -> float:
        return float(self._cameras[camera]["lens"]["fx"])

    def size_px(self, camera: str) -> tuple[int, int]:
        return self._cameras[camera]["width_px"], self._cameras[camera]["height_px"]


def on_screen(camera: CameraView, truth: Truth, pixels: Floats) -> Floats:
    """Pixels of the picture in pixels of the camera's area, where all of the picture is seen, in the middle."""
    width, height = truth.size_px(camera.stream.frame or "")
    area = camera.area
    scale = min(area.width() / width, area.height() / height)
    left, top = round((area.width() - width * scale) / 2), round((area.height() - height * scale) / 2)
    return pixels * scale + (left, top)


def grabbed(pane: CameraPane) -> dict[str, Floats]:
    """Each camera's area (height, width, 3), by stream key, out of one grab of the whole window."""
    image = pane.window().grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    height, width = image.height(), image.width()
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    pixels = flat[:, : width * 3].reshape(height, width, 3).astype(np.float64)
    found = {}
    for camera in pane.views:
        corner = camera.area.mapTo(pane.window(), camera.area.rect().topLeft())
        rows = slice(corner.y(), corner.y() + camera.area.height())
        found[camera.stream.key] = pixels[rows, corner.x() : corner.x() + camera.area.width()]
    return found


class Opened:
    """A bench, its cameras on the screen, and the independent way to their pixels."""

    def __init__(self, bench: Workbench, pane: CameraPane) -> None:
        self.bench, self.pane, self.truth = bench, pane, Truth(bench)
        assert bench.view is not None
        self.lidar = next(each for each in bench.view.streams.values() if each.kind == "cloud")

    def camera(self, key: str) -> CameraView:
        return next(each for each in self.pane.views if each.stream.key == key)

    def taken_ns(self, camera: CameraView) -> int:
        """When the painted picture was taken."""
        assert camera.frames.frame is not None
        assert camera.frames.frame.session_ns is not None
        return camera.frames.frame.session_ns


def opened(folder: Path, sample: str, time_ns: int) -> Iterator[Opened]:
    with open_project(folder, kind="person", role="lead") as session:
        bench = Workbench(session)
        assert bench.open_sample(sample)
        pane = CameraPane()
        pane.bind(bench)
        pane.set_look(cuboids=False)
        show(pane, 1280, 800)
        bench.clock.seek(time_ns)
        settle(pane)
        pane.views[0].space.sweeps()  # its worker lives as long as the pane, and so as this fixture
        yield Opened(bench, pane)
        pane.unbind()
        pane.close()
        bench.close()


def settle(pane: CameraPane) -> None:
    wait_for(lambda: all(v.frames.frame is not None and not v.frames.pending for v in pane.views if v.isVisible()))
