"""The voxels of an open volume in one block of memory, from which any plane is cut: filled slice by slice, bounded.

A volume larger than the bound is held thinned in its slices' plane; the stored slices themselves are then read when
they are shown. Used by ``volume_feed`` on its worker alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.app.volume_planes import Plane
from workstation.media.base import VolumeReader, Window
from workstation.media.volume import StackVolume, StoredSlice
from workstation.media.windowing import grey, shares_of_window

LIMIT_BYTES = 1 << 29
Screen = NDArray[np.uint32]
"""(height, width) as the screen takes it: 0xffRRGGBB."""
_TO_GREY = np.uint32(0x010101)
_OPAQUE = np.uint32(0xFF000000)
_UNKNOWN = np.uint32(0xFF2A2D33)
"""Where a slice is missing or not read yet: no grey of the picture's own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slab:
    """One cut: values as stored with the line that leads to the unit, and which of them are there (``None``: all).

    It may have fewer pixels than its plane where the volume is held thinned.
    """

    pixels: NDArray[np.generic]
    slope: float = 1.0
    intercept: float = 0.0
    known: NDArray[np.bool_] | None = None

    def values(self) -> NDArray[np.float32]:
        """In the volume's unit; NaN where nothing is known."""
        found = StoredSlice(self.pixels, self.slope, self.intercept).values()
        if self.known is not None:
            found[~self.known] = np.nan
        return found

    def value_at(self, x_share: float, y_share: float) -> float:
        """By the share of the width and height; NaN outside and where nothing is known."""
        height, width = self.pixels.shape
        column, row = int(np.floor(x_share * width)), int(np.floor(y_share * height))
        if not (0 <= column < width and 0 <= row < height) or (self.known is not None and not self.known[row, column]):
            return float("nan")
        return float(self.pixels[row, column]) * self.slope + self.intercept


class Greys:
    """Values to the screen through a window. Whole numbers of at most 16 bits go through a table that is kept."""

    def __init__(self, *, inverted: bool = False) -> None:
        self._inverted = inverted
        self._key: object = None
        self._table: NDArray[np.uint32] = np.empty(0, np.uint32)

    def screen(self, slab: Slab, window: Window) -> Screen:
        """The slab as the screen takes it."""
        pixels = slab.pixels
        if pixels.dtype.kind in "iu" and pixels.dtype.itemsize <= 2:
            places = np.ascontiguousarray(pixels).view(f"u{pixels.dtype.itemsize}")
            shown: Screen = self._table_of(slab, window)[places]
        else:
            shown = self._coloured(slab.values(), window)
        if slab.known is not None:
            shown[~slab.known] = _UNKNOWN
        return shown

    def _table_of(self, slab: Slab, window: Window) -> NDArray[np.uint32]:
        dtype = slab.pixels.dtype
        key = (dtype, slab.slope, slab.intercept, window)
        if key != self._key:
            every = np.arange(1 << (8 * dtype.itemsize), dtype=f"u{dtype.itemsize}").view(dtype)
            self._table = self._coloured(StoredSlice(every, slab.slope, slab.intercept).values(), window)
            self._key = key
        return self._table

    def _coloured(self, values: NDArray[np.float32], window: Window) -> NDArray[np.uint32]:
        levels = grey(shares_of_window(values, window), inverted=self._inverted)
        coloured: NDArray[np.uint32] = levels.astype(np.uint32) * _TO_GREY | _OPAQUE
        return coloured


class VolumeBlock:
    """``limit_bytes`` bounds what is held."""

    def __init__(self, reader: VolumeReader, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._reader = reader
        self._limit_bytes = limit_bytes
        self._voxels: NDArray[np.generic] | None = None
        self._line = (1.0, 0.0)
        self._there = np.zeros(reader.shape[0], np.bool_)
        self._asked = np.zeros(reader.shape[0], np.bool_)
        self.thinned = 1
        """Only every so manieth column and row is held."""

    @property
    def complete(self) -> bool:
        """Whether every slice was read."""
        return bool(self._asked.all())

    @property
    def held_bytes(self) -> int:
        return 0 if self._voxels is None else self._voxels.nbytes

    def load_next(self, near: int) -> bool:
        """Read the slice nearest to ``near`` that was not read yet; whether there was one."""
        left = np.flatnonzero(~self._asked)
        if not left.size:
            return False
        self._load(int(left[np.argmin(np.abs(left - near))]))
        return True

    def slab(self, plane: Plane, index: int) -> Slab:
        """A slice of a plane: a stored one at once, any other from what is held by now."""
        if plane.axis == 0:
            return self._stored(index)
        if self._voxels is None:
            self._load(self._reader.shape[0] // 2)
        if plane.axis is None:
            return self._askew(plane, index)
        voxels, at = self._block(), index // self.thinned
        pixels = voxels[:, at] if plane.axis == 1 else voxels[:, :, at]
        known = None if self._there.all() else np.repeat(self._there[:, None], pixels.shape[1], axis=1)
        return Slab(pixels=np.ascontiguousarray(pixels), slope=self._line[0], intercept=self._line[1], known=known)

    def _stored(self, index: int) -> Slab:
        if self.thinned == 1 and self._there[index]:
            return Slab(pixels=self._block()[index], slope=self._line[0], intercept=self._line[1])
        found = self._load(index)
        if found is None:
            nothing = np.zeros(self._reader.shape[1:], np.int16)
            return Slab(pixels=nothing, known=np.zeros(nothing.shape, np.bool_))
        return Slab(pixels=found.pixels, slope=found.slope, intercept=found.intercept)

    def _load(self, index: int) -> StoredSlice | None:
        """Read a slice and keep it in the block."""
        reader = self._reader
        self._asked[index] = True
        found = reader.stored(index) if isinstance(reader, StackVolume) else StoredSlice(reader.slab(0, index))
        if found is not None:
            self._keep(index, found)
        return found

    def _keep(self, index: int, found: StoredSlice) -> None:
        if self._voxels is None:
            self._voxels = self._room(found.pixels.dtype)
            self._line = (found.slope, found.intercept)
        part = found.pixels[:: self.thinned, :: self.thinned]
        same = (found.slope, found.intercept) == self._line and np.can_cast(part.dtype, self._voxels.dtype)
        if not same:
            self._to_values()
            part = StoredSlice(part, found.slope, found.intercept).values()
        self._voxels[index] = part
        self._there[index] = True

    def _to_values(self) -> None:
        """Slices differ in what their numbers mean: hold values in the volume's unit from now on."""
        assert self._voxels is not None
        if self._voxels.dtype != np.float32 or self._line != (1.0, 0.0):
            self._voxels = StoredSlice(self._voxels, *self._line).values()
            self._line = (1.0, 0.0)

    def _room(self, dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
        slices, rows, columns = self._reader.shape
        itemsize = max(dtype.itemsize, 2)
        while slices * -(-rows // self.thinned) * -(-columns // self.thinned) * itemsize > self._limit_bytes:
            self.thinned += 1
        size = (slices, -(-rows // self.thinned), -(-columns // self.thinned))
        return np.zeros(size, dtype.newbyteorder("="))

    def _block(self) -> NDArray[np.generic]:
        assert self._voxels is not None
        return self._voxels

    def _askew(self, plane: Plane, index: int) -> Slab:
        """A plane that no slice lies in, put together from the voxels around each of its pixels."""
        from scipy import ndimage  # a tenth of a second, which only those pay who cut askew

        width, height = plane.size_px
        voxel_from_plane = np.linalg.inv(self._reader.patient_from_voxel) @ plane.patient_from_plane
        y, x = np.mgrid[0:height, 0:width].reshape(2, -1) + 0.5
        places = voxel_from_plane[:3, :2] @ np.stack([x, y]) + (voxel_from_plane[:3, 2:3] * index)
        places += voxel_from_plane[:3, 3:4]
        sizes = np.array(self._reader.shape)[:, None]
        inside = ((places >= -0.5) & (places <= sizes - 0.5)).all(0)
        nearest = np.clip(np.rint(places[0]), 0, sizes[0, 0] - 1).astype(np.int64)
        inside &= self._there[nearest]
        voxels = self._block()
        places[1:] /= self.thinned
        limits = np.array(voxels.shape)[:, None] - 1
        values = ndimage.map_coordinates(voxels, np.clip(places, 0, limits), np.float32, order=1, prefilter=False)
        known = inside.reshape(height, width)
        return Slab(
            pixels=values.reshape(height, width), slope=self._line[0], intercept=self._line[1],
            known=None if known.all() else known,
        )  # fmt: skip
