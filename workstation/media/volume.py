"""Volumes: a stack of slices in a patient, loaded slice by slice, and where its voxels and sides are.

``dicom`` and ``nifti`` give the slices and the geometry; panes, measurements and exports ask here. Voxel indices are
(slice, row, column), patient coordinates LPS millimetres. A slice that the files lack is a plane of NaN, never a
neighbour moved closer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import MediaInfo, OpenContext, Window

Matrix = NDArray[np.float64]
CT_WINDOWS = (
    Window("soft tissue", 40, 400),
    Window("lung", -600, 1500),
    Window("bone", 400, 1800),
    Window("brain", 40, 80),
)
_SIDES = (("R", "L"), ("A", "P"), ("I", "S"))
_OBLIQUE = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class StoredSlice:
    """Pixels as stored, and the line that leads to the volume's unit."""

    pixels: NDArray[np.generic]
    slope: float = 1.0
    intercept: float = 0.0

    def values(self) -> NDArray[np.float32]:
        values = self.pixels.astype(np.float32)
        if self.slope != 1.0:
            values *= np.float32(self.slope)
        if self.intercept != 0.0:
            values += np.float32(self.intercept)
        return values


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VolumeLook:
    """Everything about a volume except its voxels."""

    paths: tuple[Path, ...]
    info: MediaInfo
    shape: tuple[int, int, int]
    patient_from_voxel: Matrix
    unit: str
    windows: tuple[Window, ...]
    instances: tuple[str, ...] = ()
    """Per slice the UID of its image, with ``/frame`` (from 1) in a multi-frame one; empty for a missing slice."""
    missing: tuple[int, ...] = ()
    """Slices that the files lack."""
    frame_of_reference: str = ""
    """Volumes that name the same one share their patient coordinates; empty: nobody said."""


class StackVolume:
    """A ``VolumeReader`` over slices that are loaded when asked for and kept within the shared memory limit."""

    def __init__(
        self, look: VolumeLook, load: Callable[[int], StoredSlice], context: OpenContext, close: Callable[[], None]
    ) -> None:
        """``load`` gives a slice that is not missing, ``close`` lets go of the files."""
        self._look = look
        self._load = load
        self._close = close
        self._share = context.memory.share()
        self._closed = False
        context.limits.check_picture(look.shape[2], look.shape[1], bytes_per_pixel=4, path=look.paths[0])
        for axis in (1, 2):
            height, width = (size for i, size in enumerate(look.shape) if i != axis)
            context.limits.check_picture(width, height, bytes_per_pixel=4, path=look.paths[0])

    @property
    def look(self) -> VolumeLook:
        return self._look

    @property
    def info(self) -> MediaInfo:
        return self._look.info

    @property
    def paths(self) -> tuple[Path, ...]:
        return self._look.paths

    @property
    def shape(self) -> tuple[int, int, int]:
        return self._look.shape

    @property
    def patient_from_voxel(self) -> Matrix:
        return self._look.patient_from_voxel

    @property
    def unit(self) -> str:
        return self._look.unit

    @property
    def windows(self) -> tuple[Window, ...]:
        return self._look.windows

    @property
    def instances(self) -> tuple[str, ...]:
        """Per slice the UID of its image, as ``item`` of an annotation names it; none for other than DICOM."""
        return self._look.instances

    def stored(self, index: int) -> StoredSlice | None:
        """A slice as stored, not kept; ``None`` where the files lack it."""
        return self._slice(index, keep=False)

    def slab(self, axis: int, index: int) -> NDArray[np.float32]:
        if axis not in (0, 1, 2) or not 0 <= index < self.shape[axis]:
            raise IndexError(f"plane {index} across axis {axis} of a volume of {self.shape}")
        if axis == 0:
            found = self._slice(index)
            return np.full(self.shape[1:], np.nan, np.float32) if found is None else found.values()
        slices, rows, columns = self.shape
        plane = np.full((slices, columns if axis == 1 else rows), np.nan, np.float32)
        for i in range(slices):
            found = self._slice(i)
            if found is not None:
                line = found.pixels[index] if axis == 1 else found.pixels[:, index]
                plane[i] = StoredSlice(line, found.slope, found.intercept).values()
        return plane

    def value_at(self, slice_index: int, row: int, column: int) -> float:
        place = (slice_index, row, column)
        if not all(0 <= i < size for i, size in zip(place, self.shape, strict=True)):
            raise IndexError(f"voxel {place} of a volume of {self.shape}")
        found = self._slice(slice_index)
        if found is None:
            return float("nan")
        return float(found.pixels[row, column]) * found.slope + found.intercept

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._share.close()
            self._close()

    def _slice(self, index: int, *, keep: bool = True) -> StoredSlice | None:
        if self._closed:
            raise DataError("the volume was closed", path=self.paths[0])
        if index in self._look.missing:
            return None
        found: StoredSlice | None = self._share.get(index)
        if found is None:
            found = self._load(index)
            if found.pixels.shape != self.shape[1:]:
                shape = " × ".join(str(size) for size in found.pixels.shape)
                raise DataError(f"a slice of {shape} does not fit the others", path=self.paths[0])
            if keep:
                self._share.put(index, found, found.pixels.nbytes + 128)
        return found


def spacing_mm(patient_from_voxel: Matrix) -> tuple[float, float, float]:
    """Millimetres from one slice, row and column to the next."""
    slices, rows, columns = np.linalg.norm(patient_from_voxel[:3, :3], axis=0).tolist()
    return slices, rows, columns


def patient_at(patient_from_voxel: Matrix, voxels: NDArray[np.floating]) -> NDArray[np.float64]:
    """Voxel indices (…, 3), fractions allowed, to LPS millimetres; the centre of a voxel is its whole index."""
    return np.asarray(voxels, np.float64) @ patient_from_voxel[:3, :3].T + patient_from_voxel[:3, 3]


def voxel_at(patient_from_voxel: Matrix, points_mm: NDArray[np.floating]) -> NDArray[np.float64]:
    """LPS millimetres (…, 3) to voxel indices with fractions."""
    away = np.asarray(points_mm, np.float64) - patient_from_voxel[:3, 3]
    return away @ np.linalg.inv(patient_from_voxel[:3, :3]).T


def direction_letters(direction: Sequence[float] | NDArray[np.floating]) -> str:
    """Where a direction in the patient leads: ``L``, or ``LP`` if it is oblique, the stronger letter first."""
    unit = np.asarray(direction, np.float64)
    unit = unit / np.linalg.norm(unit)
    order = np.argsort(-np.abs(unit), kind="stable")
    return "".join(_SIDES[i][int(unit[i] > 0)] for i in order if abs(unit[i]) > _OBLIQUE)


def edge_letters(patient_from_voxel: Matrix, axis: int) -> tuple[str, str, str, str]:
    """What lies beyond the left, right, top and bottom edge of the plane that ``slab`` gives across an axis."""
    down, across = (patient_from_voxel[:3, i] for i in range(3) if i != axis)
    return direction_letters(-across), direction_letters(across), direction_letters(-down), direction_letters(down)


def plane_name(patient_from_voxel: Matrix) -> str:
    """What the slices are: ``axial``, ``coronal`` or ``sagittal``, ``oblique`` added where they lean."""
    normal = np.cross(patient_from_voxel[:3, 2], patient_from_voxel[:3, 1])
    normal = np.abs(normal / np.linalg.norm(normal))
    name = ("sagittal", "coronal", "axial")[int(np.argmax(normal))]
    return name if normal.max() > 0.99 else f"{name}, oblique"


def check_geometry(patient_from_voxel: Matrix, path: Path | str) -> None:
    """Refuse a matrix that cannot place voxels: NaN, or directions that fall together."""
    if not np.isfinite(patient_from_voxel).all() or np.abs(patient_from_voxel).max() > 1e7:
        raise DataError("the place of the voxels in the patient is no usable number", path=path)
    lengths = np.linalg.norm(patient_from_voxel[:3, :3], axis=0)
    if lengths.min() <= 1e-9 or abs(np.linalg.det(patient_from_voxel[:3, :3] / lengths)) < 1e-3:
        raise DataError("the directions of slices, rows and columns fall together; the spacing may be zero", path=path)
