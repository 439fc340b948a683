"""Cameras: how a direction becomes a pixel, and back.

A camera is a lens on an image with a place in the frame tree. Its frame is x right, y down, z into the picture.
Pixels: the centre of the top-left pixel is (0.5, 0.5), so the picture spans [0, width] × [0, height].
OpenCV, KITTI and nuScenes put that centre at (0, 0): their principal points are half a pixel smaller, which
``opencv_lens`` and ``opencv_matrix`` put right.

Each lens knows where it ends. A distortion polynomial bends back beyond some radius and would put points from
outside the picture into it; beyond that radius, and behind the camera, nothing is projected.
``projection`` is the only module that calls the lens functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import atan, inf, isfinite, pi, sqrt
from typing import ClassVar

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from workstation.core.errors import DataError
from workstation.core.ratio import Int64s
from workstation.core.rotation import Floats

Bools = NDArray[np.bool_]
_STEPS = 30
"""Newton steps of an inversion; a lens inside its valid radius needs three to six."""
_CLOSE = 1e-12
"""Step on the plane one metre away that is too small to go on for."""
_ARRIVED = 1e-9
"""Distance there at which an inversion counts as found: a millionth of a pixel."""


_LARGEST = 1e9
"""No lens has such numbers, and products of them stay far from the end of floating point."""


class Pinhole(msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag="pinhole", kw_only=True):
    """No distortion."""

    fx: float
    fy: float
    cx: float
    cy: float

    straight: ClassVar[bool] = True
    """Straight lines stay straight."""
    sees_behind: ClassVar[bool] = False
    """Directions at a right angle to the axis and beyond may have a pixel."""

    @property
    def limit_rad(self) -> float:
        """Largest angle from the axis that has a pixel."""
        return pi / 2

    def distort(self, points: Floats) -> tuple[Floats, Bools]:
        """Points in the camera's frame (n, 3) to the plane (n, 2); and which are in front."""
        return _flat(points)

    def undistort(self, plane: Floats) -> tuple[Floats, Bools]:
        """The plane (n, 2) to directions (n, 3), not of unit length; and which are on the lens."""
        return _directions(plane), _finite(plane)


class BrownConrady(
    msgspec.Struct,
    omit_defaults=True,
    forbid_unknown_fields=True,
    frozen=True,
    tag="brown-conrady",
    kw_only=True,
    dict=True,
):
    """Radial (a fraction of two cubics in r²) and tangential distortion, as OpenCV's first eight coefficients."""

    fx: float
    fy: float
    cx: float
    cy: float
    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0
    k4: float = 0.0
    k5: float = 0.0
    k6: float = 0.0

    straight: ClassVar[bool] = False
    sees_behind: ClassVar[bool] = False

    @property
    def limit_rad(self) -> float:
        """Largest angle from the axis that has a pixel."""
        return atan(self.valid_radius)

    @cached_property
    def valid_radius(self) -> float:
        """Tangent of the angle from the axis up to which farther out in the world is farther out on the image."""
        top = np.polynomial.Polynomial([1, self.k1, self.k2, self.k3])
        bottom = np.polynomial.Polynomial([1, self.k4, self.k5, self.k6])
        square = np.polynomial.Polynomial([0, 1])
        slope = (top + 2 * square * top.deriv()) * bottom - 2 * square * top * bottom.deriv()
        return sqrt(min(_first_root(slope), _first_root(bottom)))

    def distort(self, points: Floats) -> tuple[Floats, Bools]:
        """Points in the camera's frame (n, 3) to the plane (n, 2); and which are in front, inside the valid radius."""
        flat, ahead = _flat(points)
        ahead &= np.hypot(flat[:, 0], flat[:, 1]) <= self.valid_radius
        return self._bend(flat), ahead

    def undistort(self, plane: Floats) -> tuple[Floats, Bools]:
        """The plane (n, 2) to directions (n, 3), not of unit length; and which are on the lens."""
        flat = plane.copy()
        with np.errstate(all="ignore"):  # pixels off the lens run away; they are found out below
            for _ in range(_STEPS):
                step = _solve(self._slopes(flat), self._bend(flat) - plane)
                flat -= step
                if not (np.abs(step) > _CLOSE).any():
                    break
            arrived = np.abs(self._bend(flat) - plane).max(-1, initial=0) < _ARRIVED
            arrived &= np.hypot(flat[:, 0], flat[:, 1]) <= self.valid_radius
        return _directions(flat), arrived

    def _bend(self, flat: Floats) -> Floats:
        x, y = flat[:, 0], flat[:, 1]
        s = x * x + y * y
        radial = (1 + s * (self.k1 + s * (self.k2 + s * self.k3))) / (1 + s * (self.k4 + s * (self.k5 + s * self.k6)))
        bent = np.empty_like(flat)
        bent[:, 0] = x * radial + 2 * self.p1 * x * y + self.p2 * (s + 2 * x * x)
        bent[:, 1] = y * radial + self.p1 * (s + 2 * y * y) + 2 * self.p2 * x * y
        return bent

    def _slopes(self, flat: Floats) -> tuple[Floats, Floats, Floats]:
        """The symmetric Jacobian of ``_bend``: dx/dx, dx/dy = dy/dx, dy/dy."""
        x, y = flat[:, 0], flat[:, 1]
        s = x * x + y * y
        top = 1 + s * (self.k1 + s * (self.k2 + s * self.k3))
        bottom = 1 + s * (self.k4 + s * (self.k5 + s * self.k6))
        top_slope = self.k1 + s * (2 * self.k2 + s * 3 * self.k3)
        bottom_slope = self.k4 + s * (2 * self.k5 + s * 3 * self.k6)
        radial, turn = top / bottom, 2 * (top_slope * bottom - top * bottom_slope) / bottom**2
        xx = radial + turn * x * x + 2 * self.p1 * y + 6 * self.p2 * x
        xy = turn * x * y + 2 * self.p1 * x + 2 * self.p2 * y
        yy = radial + turn * y * y + 6 * self.p1 * y + 2 * self.p2 * x
        return xx, xy, yy


class Fisheye(msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag="fisheye", kw_only=True, dict=True):
    """OpenCV's equidistant model: the radius is ``θ (1 + k1 θ² + k2 θ⁴ + k3 θ⁶ + k4 θ⁸)``, θ the angle from the axis.

    Points beside and behind the camera are seen where ``max_angle_rad`` is more than a right angle.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    k1: float = 0.0
    k2: float = 0.0
    k3: float = 0.0
    k4: float = 0.0
    max_angle_rad: float = pi / 2
    """The lens's own limit: half its field of view."""

    straight: ClassVar[bool] = False
    sees_behind: ClassVar[bool] = True

    @cached_property
    def limit_rad(self) -> float:
        """Largest angle from the axis: the lens's limit, or where the polynomial bends back."""
        slope = np.polynomial.Polynomial([1, 3 * self.k1, 5 * self.k2, 7 * self.k3, 9 * self.k4])
        return min(self.max_angle_rad, sqrt(_first_root(slope)))

    def distort(self, points: Floats) -> tuple[Floats, Bools]:
        """Points in the camera's frame (n, 3) to the plane (n, 2); and which are inside the valid angle."""
        across = np.hypot(points[:, 0], points[:, 1])
        angle = np.arctan2(across, points[:, 2])
        seen = (angle <= self.limit_rad) & ((across > 0) | (points[:, 2] > 0)) & _finite(points)
        share = np.divide(self._bend(angle), across, out=np.ones_like(across), where=across > 0)
        return points[:, :2] * share[:, None], seen

    def undistort(self, plane: Floats) -> tuple[Floats, Bools]:
        """The plane (n, 2) to unit directions (n, 3); and which are on the lens."""
        bent = np.hypot(plane[:, 0], plane[:, 1])
        edge = self._bend(np.array([self.limit_rad]))[0]
        on_lens = bent <= edge  # False for NaN as well
        wanted = np.where(on_lens, bent, 0.0)
        low, high = np.zeros_like(wanted), np.full_like(wanted, self.limit_rad)
        angle = np.minimum(wanted, self.limit_rad)
        for _ in range(_STEPS):  # Newton, kept between the bounds that growing angles allow
            miss = self._bend(angle) - wanted
            if not (np.abs(miss) > _CLOSE).any():
                break
            low, high = np.where(miss < 0, angle, low), np.where(miss > 0, angle, high)
            with np.errstate(divide="ignore", invalid="ignore"):
                stepped = angle - miss / self._slope(angle)
            angle = np.where((stepped >= low) & (stepped <= high), stepped, (low + high) / 2)
        around = np.divide(plane, bent[:, None], out=np.zeros_like(plane), where=(bent > 0)[:, None] & on_lens[:, None])
        return np.column_stack([around * np.sin(angle)[:, None], np.cos(angle)]), on_lens

    def _bend(self, angle: Floats) -> Floats:
        s = angle * angle
        bent: Floats = angle * (1 + s * (self.k1 + s * (self.k2 + s * (self.k3 + s * self.k4))))
        return bent

    def _slope(self, angle: Floats) -> Floats:
        s = angle * angle
        slope: Floats = 1 + s * (3 * self.k1 + s * (5 * self.k2 + s * (7 * self.k3 + s * 9 * self.k4)))
        return slope


Lens = Pinhole | BrownConrady | Fisheye


class Camera(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A lens on an image, at a frame of the rig."""

    name: str
    frame: str
    width_px: int
    height_px: int
    lens: Lens
    row_time_ns: int = 0
    """Rolling shutter: how much later each next row is exposed, below 0 if the last row is first; 0: all at once."""
    timed_row_px: float = 0.5
    """The row whose exposure the frame's time stamp is: 0.5 the first, ``height_px / 2`` the middle."""

    def __post_init__(self) -> None:
        place = f"camera {self.name}"
        if self.width_px <= 0 or self.height_px <= 0:
            raise DataError(f"a picture cannot be {self.width_px} × {self.height_px} pixels", place=place)
        numbers = msgspec.structs.astuple(self.lens)
        if not all(isfinite(number) and abs(number) < _LARGEST for number in (*numbers, self.timed_row_px)):
            raise DataError("the numbers of a lens must be finite and below a thousand million", place=place)
        if self.lens.fx <= 0 or self.lens.fy <= 0:
            raise DataError(f"focal lengths {self.lens.fx} and {self.lens.fy} must be more than zero", place=place)
        if isinstance(self.lens, Fisheye) and not 0 < self.lens.max_angle_rad <= pi:
            raise DataError("the widest angle of a fisheye lies between 0 and 180°", place=place)

    def row_times_ns(self, frame_time_ns: int, rows_px: ArrayLike) -> Int64s:
        """When the rows (…) of a frame were exposed, in the clock of ``frame_time_ns``."""
        late = (np.asarray(rows_px, np.float64) - self.timed_row_px) * self.row_time_ns
        return frame_time_ns + np.floor(late + 0.5).astype(np.int64)


def opencv_lens(matrix: ArrayLike, coefficients: Sequence[float] = (), *, fisheye: bool = False) -> Lens:
    """The lens of an OpenCV calibration: (3, 3) camera matrix and 0, 4, 5 or 8 coefficients (fisheye: 4).

    OpenCV's order is k1 k2 p1 p2 k3 k4 k5 k6. Twelve and fourteen (thin prism, tilt) are refused unless the rest is 0.
    """
    m = np.asarray(matrix, np.float64)
    if m.shape != (3, 3) or m[0, 1] != 0 or not np.array_equal(m[2], (0, 0, 1)) or m[1, 0] != 0:
        raise DataError("a camera matrix is fx 0 cx, 0 fy cy, 0 0 1 (no skew)")
    fx, fy, cx, cy = float(m[0, 0]), float(m[1, 1]), float(m[0, 2]) + 0.5, float(m[1, 2]) + 0.5
    k = [float(number) for number in coefficients]
    if fisheye:
        if len(k) != 4:
            raise DataError(f"a fisheye has 4 coefficients, not {len(k)}")
        return Fisheye(fx=fx, fy=fy, cx=cx, cy=cy, k1=k[0], k2=k[1], k3=k[2], k4=k[3])
    if len(k) not in (0, 4, 5, 8, 12, 14) or any(k[8:]):
        raise DataError(f"{len(k)} distortion coefficients: only 0, 4, 5 or 8 are understood")
    if not any(k):
        return Pinhole(fx=fx, fy=fy, cx=cx, cy=cy)
    k1, k2, p1, p2, k3, k4, k5, k6 = (*k, *(0.0,) * 8)[:8]
    return BrownConrady(fx=fx, fy=fy, cx=cx, cy=cy, k1=k1, k2=k2, p1=p1, p2=p2, k3=k3, k4=k4, k5=k5, k6=k6)


def opencv_matrix(lens: Lens) -> Floats:
    """The (3, 3) camera matrix as OpenCV and its relatives count pixels, for exports."""
    return np.array([(lens.fx, 0, lens.cx - 0.5), (0, lens.fy, lens.cy - 0.5), (0, 0, 1)])


def _finite(rows: Floats) -> Bools:
    return np.asarray(np.isfinite(rows).all(-1))


def _flat(points: Floats) -> tuple[Floats, Bools]:
    ahead = (points[:, 2] > 0) & _finite(points)
    flat = np.full((len(points), 2), np.nan)
    np.divide(points[:, :2], points[:, 2:], out=flat, where=ahead[:, None])
    return flat, ahead


def _directions(flat: Floats) -> Floats:
    return np.column_stack([flat, np.ones(len(flat))])


def _solve(slopes: tuple[Floats, Floats, Floats], miss: Floats) -> Floats:
    """Newton steps: the symmetric 2 × 2 systems, all at once."""
    xx, xy, yy = slopes
    determinant = xx * yy - xy * xy
    x, y = miss[:, 0], miss[:, 1]
    return np.column_stack([(yy * x - xy * y) / determinant, (xx * y - xy * x) / determinant])


def _first_root(polynomial: np.polynomial.Polynomial) -> float:
    """The smallest root above zero of a polynomial that begins with 1, or infinity.

    Its reciprocals are the roots of the reversed polynomial, which stay finite however small the last coefficient is.
    """
    reciprocals = np.polynomial.Polynomial(polynomial.coef[::-1]).roots()
    real = reciprocals.real[(np.abs(reciprocals.imag) <= 1e-9 * np.abs(reciprocals)) & (reciprocals.real > 0)]
    return 1 / float(real.max()) if len(real) else inf
