"""Cameras of the generated rigs: where they sit, and pixels from metres.

Own arithmetic on purpose (see ``pose.py``). Camera axes are x right, y down, z along the view; pixels have the centre
of the top-left pixel at (0.5, 0.5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from workstation.synth.pose import Floats, Pose, rotation

OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""body_from_optical: optical x is body right, optical y body down, optical z body forward."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """One camera. ``model`` is pinhole, brown (k1, k2, p1, p2, k3) or fisheye (k1…k4, equidistant)."""

    key: str
    width: int
    height: int
    focal_px: float
    ego_from_camera: Pose
    model: str = "pinhole"
    distortion: tuple[float, ...] = ()
    rate_hz: int = 30
    phase_ns: int = 0
    """First exposure after session zero; cameras fire one after another."""
    row_time_ns: int = 0
    """Time between the exposures of two rows; zero is a global shutter."""

    @property
    def center(self) -> tuple[float, float]:
        """Principal point, px."""
        return self.width / 2, self.height / 2

    def project(self, points_in_camera: Floats) -> Floats:
        """N×2 pixels of N×3 points in front of the camera."""
        x, y, z = points_in_camera[:, 0], points_in_camera[:, 1], points_in_camera[:, 2]
        dx, dy = distort(self.model, self.distortion, x / z, y / z)
        cx, cy = self.center
        return np.stack([self.focal_px * dx + cx, self.focal_px * dy + cy], axis=1)

    def calibration(self) -> dict[str, Any]:
        """The calibration as it is handed over, direction and axes stated."""
        cx, cy = self.center
        return {
            "model": self.model,
            "width": self.width,
            "height": self.height,
            "fx": self.focal_px,
            "fy": self.focal_px,
            "cx": cx,
            "cy": cy,
            "distortion": list(self.distortion),
            "row_time_ns": self.row_time_ns,
            "ego_from_camera": self.ego_from_camera.matrix(),
            "direction": "parent_from_child: multiply a point in the camera frame to get the ego frame",
            "camera_axes": "x right, y down, z forward",
            "pixel_origin": "the centre of the top-left pixel is (0.5, 0.5)",
        }


def mounted(x: float, y: float, z: float, *, yaw_deg: float, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> Pose:
    """``ego_from_camera`` of a camera at a place that looks along a yaw (left positive) and a pitch (down positive)."""
    body = rotation(math.radians(yaw_deg), math.radians(pitch_deg), math.radians(roll_deg))
    return Pose(body @ OPTICAL, np.array([x, y, z]))


def distort(model: str, k: tuple[float, ...], x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Ideal normalised image coordinates to distorted ones."""
    if model == "pinhole":
        return x, y
    if model == "brown":
        k1, k2, p1, p2, k3 = k
        r2 = x * x + y * y
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        return (
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        )
    r = np.hypot(x, y)
    theta = np.arctan(r)
    t2 = theta * theta
    bent = theta * (1 + t2 * (k[0] + t2 * (k[1] + t2 * (k[2] + t2 * k[3]))))
    scale = np.where(r > 1e-9, bent / np.maximum(r, 1e-9), 1.0)
    return x * scale, y * scale


def undistort(model: str, k: tuple[float, ...], x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The inverse of ``distort`` by Newton steps with a numeric slope; good to 1e-9 for the lenses made here."""
    if model == "pinhole":
        return x, y
    u, v = x.copy(), y.copy()
    step = 1e-6
    for _ in range(30):
        fx, fy = distort(model, k, u, v)
        ax, ay = distort(model, k, u + step, v)
        bx, by = distort(model, k, u, v + step)
        j11, j21, j12, j22 = (ax - fx) / step, (ay - fy) / step, (bx - fx) / step, (by - fy) / step
        det = j11 * j22 - j12 * j21
        ex, ey = fx - x, fy - y
        u -= (j22 * ex - j12 * ey) / det
        v -= (j11 * ey - j21 * ex) / det
        if max(float(np.abs(ex).max()), float(np.abs(ey).max())) < 1e-10:
            break
    return u, v
