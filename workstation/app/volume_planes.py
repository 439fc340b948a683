"""The three planes in which a volume is looked at: where each of their pixels lies in the patient, and which way up.

Pure geometry; panes, measurements and pictures ask here. A plane's own pixels are those of the stored slices, or of the
cuts across them; the centre of the top left one is at (0.5, 0.5), ``k`` counts the plane's slices from 0. How they are
turned on the screen (``turn``) follows the patient: feet down, front up or left, the patient's right on the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Vec3 = tuple[float, float, float]
_SHEARED = 0.01
_OBLIQUE = 0.99
_MOST_PX = 2048
LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))
"""The sides of a patient along the three axes, where coordinates fall and where they grow."""
_WEAK = 0.2
"""A direction that leans less than this to a side is not called after it."""


class PlaneName(StrEnum):
    """Across the body, from front to back, or from side to side."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


_NORMAL = {PlaneName.SAGITTAL: 0, PlaneName.CORONAL: 1, PlaneName.AXIAL: 2}
_RIGHT_DOWN = {
    PlaneName.AXIAL: ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    PlaneName.CORONAL: ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    PlaneName.SAGITTAL: ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
}
"""Where right and down on the screen lead in the patient."""
_TURNS = tuple(
    np.array(each)
    for each in (
        ((1, 0), (0, 1)), ((-1, 0), (0, 1)), ((1, 0), (0, -1)), ((-1, 0), (0, -1)),
        ((0, 1), (1, 0)), ((0, -1), (1, 0)), ((0, 1), (-1, 0)), ((0, -1), (-1, 0)),
    )
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Plane:
    """One way to cut a volume."""

    name: PlaneName
    axis: int | None
    """The volume's axis it cuts across; ``None`` where it lies askew to the voxels and is put together from them."""
    size_px: tuple[int, int]
    count: int
    patient_from_plane: Matrix
    """(4, 4): (x px, y px, k, 1) to LPS millimetres."""
    turn: NDArray[np.int64]
    """(2, 2): right and down on the screen from right and down in the plane's pixels."""

    @property
    def acquired(self) -> bool:
        """Whether its slices are the stored images."""
        return self.axis == 0

    @cached_property
    def spacing_mm(self) -> tuple[float, float, float]:
        """From one pixel to the next across and down, and from one slice to the next along the normal."""
        across, down = (float(np.linalg.norm(self.patient_from_plane[:3, i])) for i in (0, 1))
        return across, down, abs(float(self.normal @ self.patient_from_plane[:3, 2]))

    @cached_property
    def normal(self) -> Matrix:
        """Unit vector at right angles to it, towards growing ``k``."""
        across, down, along = self.patient_from_plane[:3, :3].T
        normal: Any = np.cross(across, down)
        sign = 1.0 if float(normal @ along) >= 0 else -1.0
        return np.array(normal * (sign / float(np.linalg.norm(normal))), np.float64)

    @property
    def oblique(self) -> bool:
        """Whether it leans against the body."""
        return bool(np.abs(self.normal).max() < _OBLIQUE)

    @cached_property
    def plane_from_patient(self) -> Matrix:
        found: Matrix = np.array(np.linalg.inv(self.patient_from_plane), np.float64)
        return found

    def to_patient(self, x: float, y: float, k: float) -> Vec3:
        """Where a place of a slice lies."""
        found = self.patient_from_plane @ (x, y, k, 1.0)
        return float(found[0]), float(found[1]), float(found[2])

    def from_patient(self, point: Vec3 | Matrix) -> Vec3:
        """Pixels and slice (with fractions) of a place in the patient."""
        found = self.plane_from_patient @ (*point, 1.0)
        return float(found[0]), float(found[1]), float(found[2])

    def all_from_patient(self, points: Matrix) -> Matrix:
        """The same of many: (n, 3) to (n, 3)."""
        inverse = self.plane_from_patient
        found: Matrix = np.asarray(points, np.float64) @ inverse[:3, :3].T + inverse[:3, 3]
        return found

    def index_of(self, point: Vec3) -> int:
        """The slice nearest to a place, kept inside."""
        return min(max(round(self.from_patient(point)[2]), 0), self.count - 1)

    def edges(self, turn: NDArray[np.int64]) -> tuple[str, str, str, str]:
        """What lies beyond the left, right, top and bottom edge of the screen."""
        across, down = (self.patient_from_plane[:3, i] / np.linalg.norm(self.patient_from_plane[:3, i]) for i in (0, 1))
        right = turn[0, 0] * across + turn[0, 1] * down
        below = turn[1, 0] * across + turn[1, 1] * down
        return letters(-right), letters(right), letters(-below), letters(below)

    def place_text(self, point: Vec3) -> str:
        """Where along the body a slice through that place lies: ``H 58.0 mm``."""
        axis = int(np.argmax(np.abs(self.normal)))
        value = point[axis]
        side = LETTERS[axis][int(value >= 0)]
        return f"{side} {abs(value):.1f} mm" if abs(value) >= 0.05 else "0.0 mm"


def letters(direction: Matrix) -> str:
    """Where a direction in the patient leads: ``L``; ``LP`` where it is oblique, the stronger letter first."""
    unit = direction / np.linalg.norm(direction)
    order = np.argsort(-np.abs(unit), kind="stable")
    return "".join(LETTERS[i][int(unit[i] > 0)] for i in order if abs(unit[i]) > _WEAK)


def planes_of(shape: tuple[int, int, int], patient_from_voxel: Matrix) -> tuple[Plane, Plane, Plane]:
    """The stored slices and the two cuts across them, named by what they are nearest to, the stored ones first.

    Voxels whose axes do not stand at right angles (a tilted gantry) are cut straight, not shown sheared.
    """
    natural = [_natural(axis, shape, patient_from_voxel) for axis in range(3)]
    names = _names([plane[1] for plane in natural])
    return tuple(  # type: ignore[return-value]
        _straightened(name, axis, shape, matrix, patient_from_voxel)
        for axis, ((matrix, _), name) in enumerate(zip(natural, names, strict=True))
    )


def straight_planes(shape: tuple[int, int, int], patient_from_voxel: Matrix) -> tuple[Plane, Plane, Plane]:
    """Axial, coronal and sagittal as the patient lies, whatever way the slices lean."""
    corners = _corners(shape) @ patient_from_voxel[:3, :3].T + patient_from_voxel[:3, 3]
    pixel = float(np.linalg.norm(patient_from_voxel[:3, :3], axis=0).min())
    found = []
    for name in PlaneName:
        right, down = (np.array(each) for each in _RIGHT_DOWN[name])
        normal = np.eye(3)[_NORMAL[name]]
        found.append(_boxed(name, corners, (right, down, normal), pixel, pixel))
    return tuple(found)  # type: ignore[return-value]


def _natural(axis: int, shape: tuple[int, int, int], patient_from_voxel: Matrix) -> tuple[Matrix, Matrix]:
    """The plane of the voxels across an axis: its matrix and its normal."""
    down, across = (i for i in range(3) if i != axis)
    matrix = np.eye(4)
    matrix[:3, 0] = patient_from_voxel[:3, across]
    matrix[:3, 1] = patient_from_voxel[:3, down]
    matrix[:3, 2] = patient_from_voxel[:3, axis]
    matrix[:3, 3] = patient_from_voxel[:3, 3] - (matrix[:3, 0] + matrix[:3, 1]) / 2
    normal = np.cross(matrix[:3, 0], matrix[:3, 1])
    return matrix, normal / np.linalg.norm(normal)


def _names(normals: list[Matrix]) -> tuple[PlaneName, ...]:
    """Each name once, given so that the planes lean as little as they can."""

    def fits(names: tuple[PlaneName, ...]) -> float:
        return sum(abs(float(normal[_NORMAL[name]])) for normal, name in zip(normals, names, strict=True))

    return max(permutations(PlaneName), key=fits)


def _straightened(
    name: PlaneName, axis: int, shape: tuple[int, int, int], matrix: Matrix, patient_from_voxel: Matrix
) -> Plane:
    across, down = (matrix[:3, i] / np.linalg.norm(matrix[:3, i]) for i in (0, 1))
    if abs(float(across @ down)) <= _SHEARED:
        size = [shape[i] for i in range(3) if i != axis]
        return Plane(
            name=name, axis=axis, size_px=(size[1], size[0]), count=shape[axis], patient_from_plane=matrix,
            turn=_turn(name, across, down),
        )  # fmt: skip
    corners = _corners(shape) @ patient_from_voxel[:3, :3].T + patient_from_voxel[:3, 3]
    straight = across - (across @ down) * down
    straight /= np.linalg.norm(straight)
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    axes = (straight, down, np.cross(straight, down))
    return _boxed(name, corners, axes, float(lengths[:2].min()), float(lengths[2]))


def _boxed(
    name: PlaneName, corners: Matrix, axes: tuple[Matrix, Matrix, Matrix], pixel_mm: float, step_mm: float
) -> Plane:
    """A plane of square pixels, as large as the volume seen along those axes."""
    along = corners @ np.column_stack(axes)
    low, high = along.min(0), along.max(0)
    pixel_mm = max(pixel_mm, float((high - low)[:2].max()) / _MOST_PX)
    sizes = [max(1, round(float(far - near) / pixel_mm)) for near, far in zip(low[:2], high[:2], strict=True)]
    count = max(1, round(float(high[2] - low[2]) / step_mm))
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = axes[0] * pixel_mm, axes[1] * pixel_mm, axes[2] * step_mm
    matrix[:3, 3] = axes[0] * low[0] + axes[1] * low[1] + axes[2] * (low[2] + step_mm / 2)
    return Plane(
        name=name, axis=None, size_px=(sizes[0], sizes[1]), count=count, patient_from_plane=matrix,
        turn=_turn(name, axes[0], axes[1]),
    )  # fmt: skip


def _corners(shape: tuple[int, int, int]) -> Matrix:
    """The outer corners of the voxels, (8, 3)."""
    ends = [(-0.5, size - 0.5) for size in shape]
    return np.array([(a, b, c) for a in ends[0] for b in ends[1] for c in ends[2]])


def _turn(name: PlaneName, across: Matrix, down: Matrix) -> NDArray[np.int64]:
    """How the plane's pixels are to be turned so that the patient stands as radiologists look at him."""
    right, below = (np.array(each) for each in _RIGHT_DOWN[name])

    def fits(turn: NDArray[np.int64]) -> float:
        shown = turn @ np.vstack([across, down])
        return float(shown[0] @ right + shown[1] @ below)

    return max(_TURNS, key=fits)
