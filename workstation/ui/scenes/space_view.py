"""Where a person looks from in a 3-D view: a value, turned, moved and asked by the panes that show space.

Right-handed metres, z up. Pixels are device pixels with the centre of the top-left one at (0.5, 0.5).
The cloud pane keeps one per view and replaces it at every gesture; the scenes draw from it; tools ask it for rays.
No view ever holds a number that is not finite: what cannot be gone to is left where it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workstation.core.poses import Vector

Floats = NDArray[np.float64]
_Mixed = TypeVar("_Mixed", float, Floats)

NEAREST_M: Final = 0.01
"""A perspective view shows nothing nearer to the eye than this."""
FARTHEST_M: Final = 1e7
_BEYOND_M: Final = 1e12
"""No number of a view may be larger, nor what it is led to."""
_SMALLEST_M: Final = 1e-3
_HALF_TURN_PX: Final = 450.0
"""Dragging that far turns the view by 180°."""
_MOST_PX: Final = 1e7
"""No hand moves further; what is more, or no number, moves nothing."""
_MARGIN: Final = 1.1


class Side(StrEnum):
    """A straight look at a thing along one of its own axes."""

    TOP = "top"
    """From above, its front up on the screen."""
    SIDE = "side"
    """From its right, its front to the right on the screen."""
    FRONT = "front"
    """From before it, its left to the right on the screen."""


class Projected(NamedTuple):
    """Points as a view sees them."""

    px: Floats
    """(n, 2); NaN where there is no picture of the point."""
    depth: Floats
    """(n,) metres along the view from the eye's plane; negative behind it."""
    in_front: NDArray[np.bool_]
    """(n,) where ``px`` holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceView:
    """An eye, what it looks at, and the picture it looks through."""

    eye: Vector = (-20.0, 0.0, 12.0)
    target: Vector = (0.0, 0.0, 0.0)
    up: Vector = (0.0, 0.0, 1.0)
    """Roughly; only what stands square to the look counts."""
    fov_deg: float | None = 50.0
    """Angle seen from top to bottom; ``None``: orthographic."""
    height_m: float = 20.0
    """What is seen from top to bottom, orthographic."""
    width_px: int = 1
    height_px: int = 1

    def __post_init__(self) -> None:
        numbers = (*self.eye, *self.target, *self.up, self.fov_deg or 0.0, self.height_m)
        if not _are_places(numbers):
            raise ValueError(f"a view must be finite: {self}")

    # -- what the picture is made with

    def axes(self) -> Floats:
        """(3, 3) rows: right, down and forward of the picture, unit vectors. An eye at its target looks along x."""
        return _axes(self.eye, self.target, self.up)

    @property
    def distance_m(self) -> float:
        """From the eye to its target; never zero."""
        return float(np.clip(math.dist(self.eye, self.target), NEAREST_M, FARTHEST_M))

    @property
    def metres_per_px(self) -> float:
        """At the target."""
        return self._height_at(self.distance_m) / max(1, self.height_px)

    def _height_at(self, depth_m: float) -> float:
        return self.height_m if self.fov_deg is None else 2 * depth_m * _half_tan(self.fov_deg)

    def matrix(self) -> Floats:
        """(4, 4): leads (x, y, z, 1) to (px_x · w, px_y · w, depth, w); w is 1 in an orthographic view."""
        axes = self.axes()
        camera = np.eye(4)
        camera[:3, :3] = axes
        camera[:3, 3] = -axes @ np.asarray(self.eye)
        width, height = max(1, self.width_px), max(1, self.height_px)
        # Perspective: x/z pixels, the middle of the picture carried along by w = depth.
        flat = self.fov_deg is None
        scale = height / max(self.height_m, _SMALLEST_M) if flat else height / (2 * _half_tan(self.fov_deg))
        middle, last = (3, (0.0, 0.0, 0.0, 1.0)) if flat else (2, (0.0, 0.0, 1.0, 0.0))
        lens = np.zeros((4, 4))
        lens[0, 0] = lens[1, 1] = scale
        lens[0, middle], lens[1, middle] = width / 2, height / 2
        lens[2, 2] = 1.0
        lens[3] = last
        return lens @ camera

    def project(self, points: ArrayLike) -> Projected:
        """Points (n, 3) on the picture, inside it or not. Behind the eye of a perspective view there is no picture."""
        points = np.asarray(points, np.float64).reshape(-1, 3)
        matrix = self.matrix()
        with np.errstate(all="ignore"):
            mapped = points @ matrix[:, :3].T + matrix[:, 3]
            depth, w = mapped[:, 2], mapped[:, 3]
            seen = np.isfinite(mapped).all(axis=1)
            seen &= depth > (-np.inf if self.fov_deg is None else NEAREST_M)
            px = np.where(seen[:, None], mapped[:, :2] / w[:, None], np.nan)
        return Projected(px, depth, seen)

    def ray(self, x_px: float, y_px: float) -> tuple[Vector, Vector]:
        """(origin, unit direction) of what lies under a pixel."""
        right, down, forward = self.axes()
        step = self._height_at(1.0) / max(1, self.height_px)
        offset = (x_px - self.width_px / 2) * step * right + (y_px - self.height_px / 2) * step * down
        eye = np.asarray(self.eye)
        if self.fov_deg is None:
            return _vector(eye + offset), _vector(forward)
        return self.eye, _vector(_unit(forward + offset, (1.0, 0.0, 0.0)))

    def at_depth(self, x_px: float, y_px: float, depth_m: float) -> Vector:
        """The point that a pixel shows at that depth along the view."""
        origin, direction = self.ray(x_px, y_px)
        forward = self.axes()[2]
        return _vector(np.asarray(origin) + np.asarray(direction) * (depth_m / float(forward @ direction)))

    def clip(self, low: ArrayLike, high: ArrayLike) -> tuple[float, float]:
        """(near, far): depths between which everything of the box lies that can be seen; always near < far.

        An orthographic view shows what is behind its eye too, so near may be negative there.
        """
        depths = self.project(_corners(low, high)).depth
        depths = depths[np.abs(depths) < _BEYOND_M]
        if not len(depths):
            return (-1.0, 1.0) if self.fov_deg is None else (NEAREST_M, 1.0)
        near, far = float(depths.min()), float(depths.max())
        slack = 1e-3 * (far - near) + 1e-6 * max(abs(near), abs(far)) + 1e-3
        near, far = near - slack, far + slack
        if self.fov_deg is not None:
            near = max(near, NEAREST_M)
        return near, max(far, near * 1.001 + _SMALLEST_M)

    # -- gestures: each answers with the view after it

    def orbit(self, dx_px: float, dy_px: float) -> SpaceView:
        """Turn round the target; the world turns with the pointer. Stops looking straight down or up."""
        if not (abs(dx_px) <= _MOST_PX and abs(dy_px) <= _MOST_PX):
            return self
        axes = self.axes()
        back = -axes[2] * self.distance_m
        turn = _rotation((0.0, 0.0, 1.0), -math.pi * dx_px / _HALF_TURN_PX)
        right = turn @ axes[0]
        back, up = turn @ back, turn @ -axes[1]
        raised = math.atan2(back[2], float(up[2]) * self.distance_m)
        tilt = float(np.clip(raised + math.pi * dy_px / _HALF_TURN_PX, -math.pi / 2, math.pi / 2)) - raised
        lift = _rotation(_vector(right), -tilt)
        return self._moved(eye=np.asarray(self.target) + lift @ back, up=lift @ up)

    def pan(self, dx_px: float, dy_px: float) -> SpaceView:
        """Shift so that what lies at the target's depth stays under the pointer."""
        if not (abs(dx_px) <= _MOST_PX and abs(dy_px) <= _MOST_PX):
            return self
        right, down, _ = self.axes()
        shift = -self.metres_per_px * (dx_px * right + dy_px * down)
        return self._moved(eye=self.eye + shift, target=self.target + shift)

    def zoom_to(self, x_px: float, y_px: float, factor: float, at: Vector | None = None) -> SpaceView:
        """Come nearer by a factor (below one: go away); the point under the pointer stays under it.

        ``at`` is that point where something was hit; otherwise the one at the target's depth is taken.
        """
        if not (math.isfinite(factor) and factor > 0):
            return self
        held = self.at_depth(x_px, y_px, self.distance_m)
        if at is not None and _are_places(at) and self.project([at]).in_front[0]:
            held = at
        size = self.distance_m if self.fov_deg is not None else self.height_m
        factor = size / float(np.clip(size / factor, 10 * NEAREST_M, FARTHEST_M))
        eye, target, still = np.asarray(self.eye), np.asarray(self.target), np.asarray(held)
        # Shrinking the space between the point and the eye keeps every direction, so the point keeps its pixel.
        moved = self._moved(eye=still + (eye - still) / factor, target=still + (target - still) / factor)
        return replace(moved, height_m=self.height_m / factor)

    def fly_to(self, center: ArrayLike, radius_m: float) -> SpaceView:
        """Look at a ball from the same side, so that all of it is seen."""
        radius = max(float(radius_m), _SMALLEST_M) if math.isfinite(radius_m) else self.distance_m / 4
        shape = max(1.0, max(1, self.height_px) / max(1, self.width_px))
        if self.fov_deg is None:
            return self._placed(center, self.distance_m, 2 * radius * shape * _MARGIN)
        half = math.atan(_half_tan(self.fov_deg) / shape)
        return self._placed(center, _MARGIN * radius / math.sin(half), self.height_m)

    def fit(self, low: ArrayLike, high: ArrayLike) -> SpaceView:
        """Look at the middle of a box from the same side, just far enough away to see all of it."""
        corners = _corners(low, high)
        if not _are_places(corners):
            return self
        center = corners.mean(axis=0)
        wide, tall, deep = np.abs(self.axes() @ (corners - center).T).max(axis=1)
        aspect = max(1, self.width_px) / max(1, self.height_px)
        half_height = max(tall, wide / aspect, _SMALLEST_M) * _MARGIN
        if self.fov_deg is None:
            return self._placed(center, max(self.distance_m, 2 * deep), 2 * half_height)
        return self._placed(center, half_height / _half_tan(self.fov_deg) + deep, self.height_m)

    def look(self, side: Side, turn: ArrayLike | None = None) -> SpaceView:
        """Straight at the target along an axis. ``turn`` (3, 3): columns are the axes of the thing looked at."""
        own = np.eye(3) if turn is None else np.asarray(turn, np.float64)
        x, y, z = own.T
        back, up = {Side.TOP: (z, x), Side.SIDE: (-y, z), Side.FRONT: (x, z)}[side]
        return self._moved(eye=np.asarray(self.target) + back * self.distance_m, up=up)

    def straight_at(self, side: Side, center: ArrayLike, size: ArrayLike, turn: ArrayLike | None = None) -> SpaceView:
        """An orthographic look at a cuboid along one of its axes, all of it in the picture."""
        own = np.eye(3) if turn is None else np.asarray(turn, np.float64)
        wide, tall = {Side.TOP: (1, 0), Side.SIDE: (0, 2), Side.FRONT: (1, 2)}[side]
        size = np.asarray(size, np.float64)
        aspect = max(1, self.width_px) / max(1, self.height_px)
        height = max(float(size[tall]), float(size[wide]) / aspect, _SMALLEST_M) * _MARGIN
        flat = self.flat()._placed(center, max(self.distance_m, 2 * float(size.max())), height)
        return flat.look(side, own)

    def flat(self) -> SpaceView:
        """The same view, orthographic; the target keeps its size on the screen."""
        return self if self.fov_deg is None else replace(self, fov_deg=None, height_m=self._height_at(self.distance_m))

    def deep(self, fov_deg: float = 50.0) -> SpaceView:
        """The same view with perspective; the target keeps its size on the screen."""
        distance = float(np.clip(self._height_at(self.distance_m) / (2 * _half_tan(fov_deg)), NEAREST_M, FARTHEST_M))
        back = -self.axes()[2] * distance
        return replace(self._moved(eye=np.asarray(self.target) + back), fov_deg=fov_deg)

    def sized(self, width_px: int, height_px: int) -> SpaceView:
        """The same view in a picture of another size."""
        return replace(self, width_px=max(0, width_px), height_px=max(0, height_px))

    def towards(self, other: SpaceView, share: float) -> SpaceView:
        """A view on the way to another one, for a flight; 0 is this one, 1 the other."""
        if share <= 0 or share >= 1 or (self.fov_deg is None) != (other.fov_deg is None):
            return self if share <= 0 else other
        distance = math.exp(_mix(math.log(self.distance_m), math.log(other.distance_m), share))
        mine, theirs = self.axes(), other.axes()
        target = _mix(np.asarray(self.target), np.asarray(other.target), share)
        forward = _unit(_mix(mine[2], theirs[2], share), _vector(theirs[2]))
        height = math.exp(
            _mix(math.log(max(self.height_m, _SMALLEST_M)), math.log(max(other.height_m, _SMALLEST_M)), share)
        )
        up = _unit(-_mix(mine[1], theirs[1], share), _vector(-theirs[1]))
        moved = other._moved(eye=target - forward * distance, target=target, up=up)
        fov = None if other.fov_deg is None or self.fov_deg is None else _mix(self.fov_deg, other.fov_deg, share)
        return replace(moved, height_m=height, fov_deg=fov)

    def _placed(self, center: ArrayLike, distance_m: float, height_m: float) -> SpaceView:
        place = np.asarray(center, np.float64)
        if not (_are_places(place) and math.isfinite(distance_m) and math.isfinite(height_m)):
            return self
        back = -self.axes()[2] * float(np.clip(distance_m, 10 * NEAREST_M, FARTHEST_M))
        height = float(np.clip(height_m, _SMALLEST_M, FARTHEST_M))
        return replace(self._moved(eye=place + back, target=place), height_m=height)

    def _moved(
        self, *, eye: ArrayLike | None = None, target: ArrayLike | None = None, up: ArrayLike | None = None
    ) -> SpaceView:
        values = [self.eye if eye is None else eye, self.target if target is None else target]
        places = np.asarray([*values, self.up if up is None else up], np.float64)
        if not _are_places(places):
            return self
        return replace(self, eye=_vector(places[0]), target=_vector(places[1]), up=_vector(places[2]))


def _are_places(values: ArrayLike) -> bool:
    return bool((np.abs(np.asarray(values, np.float64)) < _BEYOND_M).all())


@lru_cache(maxsize=64)
def _axes(eye: Vector, target: Vector, up_vector: Vector) -> Floats:
    """Kept: a view is asked for it dozens of times while it is painted."""
    forward = _unit(np.subtract(target, eye), (1.0, 0.0, 0.0))
    up = np.asarray(up_vector, np.float64)
    right = np.cross(forward, _unit(up, (0.0, 0.0, 1.0)))
    if np.linalg.norm(right) < 1e-6:
        # Looking along `up`: forward of the world is up on the screen, as in a top view.
        right = np.cross(forward, (1.0, 0.0, 0.0) if abs(forward[0]) < 0.9 else (0.0, 0.0, 1.0))
    right = right / np.linalg.norm(right)
    found = np.stack([right, np.cross(forward, right), forward])
    found.flags.writeable = False
    return found


def _half_tan(fov_deg: float | None) -> float:
    return math.tan(math.radians(float(np.clip(fov_deg or 50.0, 1.0, 170.0))) / 2)


def _mix(a: _Mixed, b: _Mixed, share: float) -> _Mixed:
    return a + (b - a) * share


def _vector(values: ArrayLike) -> Vector:
    x, y, z = np.asarray(values, np.float64).tolist()
    return (x, y, z)


def _unit(values: ArrayLike, otherwise: Vector) -> Floats:
    vector = np.asarray(values, np.float64)
    length = float(np.linalg.norm(vector))
    return vector / length if 1e-12 < length < math.inf else np.asarray(otherwise, np.float64)


def _rotation(axis: Vector, angle: float) -> Floats:
    """Rodrigues' formula; the axis is a unit vector."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross, np.float64)


def _corners(low: ArrayLike, high: ArrayLike) -> Floats:
    ends = np.stack([np.asarray(low, np.float64), np.asarray(high, np.float64)])
    return np.array([[ends[i, 0], ends[j, 1], ends[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
