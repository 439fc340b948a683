"""A picture at full size and at halves of it, so that a pane pays for what it shows. Used by ``image.py``.

Small pictures are held in the shared memory cache. Huge ones are decoded once and laid down on disk as tiles, level
by level; a view then reads the tiles it touches and nothing else.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workstation.media.base import Picture, Pixels, Region, View
from workstation.media.cache import DiskCache, Share
from workstation.media.opencv import cv2

TILE_PX = 512
_KIND, _VERSION = "picture_tiles", 1
_SMALLEST_PX = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """The shape of the decoded picture."""

    width_px: int
    height_px: int
    channels: int
    """0 for a picture of two dimensions."""
    dtype: str

    @property
    def levels(self) -> int:
        """Halvings until a side is small, the full size included."""
        return 1 + max(0, math.ceil(math.log2(max(1, min(self.width_px, self.height_px)) / _SMALLEST_PX)))

    def size(self, level: int) -> tuple[int, int]:
        return max(1, self.width_px >> level), max(1, self.height_px >> level)


def geometry_of(pixels: Pixels) -> Geometry:
    channels = pixels.shape[2] if pixels.ndim == 3 else 0
    return Geometry(width_px=pixels.shape[1], height_px=pixels.shape[0], channels=channels, dtype=str(pixels.dtype))


class Levels:
    """Where pixels of a level come from: ``read(level, region of that level)``."""

    def __init__(self, geometry: Geometry, read: Callable[[int, Region], Pixels], *, levels: int) -> None:
        self.geometry = geometry
        self._read = read
        self._levels = levels

    def picture(self, view: View) -> Picture:
        """The view, from the smallest level that still has its pixels."""
        shape = self.geometry
        whole = Region(0, 0, shape.width_px, shape.height_px)
        region = (view.region or whole).clipped(shape.width_px, shape.height_px)
        scale = fitting_scale(region, view)
        level = min(self._levels - 1, int(math.log2(1 / scale))) if scale < 1 else 0
        width, height = shape.size(level)
        fx, fy = width / shape.width_px, height / shape.height_px
        part = Region(
            int(region.left * fx), int(region.top * fy), math.ceil(region.right * fx), math.ceil(region.bottom * fy)
        ).clipped(width, height)
        target = (max(1, round(region.width_px * scale)), max(1, round(region.height_px * scale)))
        pixels = shrunk(self._read(level, part), *target)
        if level:
            # Whole pixels of the level: say which part of the picture they are.
            region = Region(
                round(part.left / fx), round(part.top / fy), round(part.right / fx), round(part.bottom / fy)
            )
        return Picture(pixels=pixels, region=region, width_px=shape.width_px, height_px=shape.height_px)

    def value_at(self, x_px: int, y_px: int) -> tuple[int | float, ...]:
        shape = self.geometry
        if not (0 <= x_px < shape.width_px and 0 <= y_px < shape.height_px):
            raise IndexError(f"({x_px}, {y_px}) lies outside {shape.width_px} × {shape.height_px} pixels")
        pixel = self._read(0, Region(x_px, y_px, x_px + 1, y_px + 1))[0, 0]
        return tuple(value.item() for value in np.atleast_1d(pixel))


def fitting_scale(region: Region, view: View) -> float:
    """How much the region is shrunk to fit; never above one."""
    scale = 1.0
    if view.width_px is not None:
        scale = min(scale, max(1, view.width_px) / region.width_px)
    if view.height_px is not None:
        scale = min(scale, max(1, view.height_px) / region.height_px)
    return scale


def shrunk(pixels: Pixels, width: int, height: int) -> Pixels:
    """Averaged down to that size; a side that is already smaller stays."""
    width, height = min(width, pixels.shape[1]), min(height, pixels.shape[0])
    if (height, width) == pixels.shape[:2]:
        return np.ascontiguousarray(pixels)
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))


def held_levels(full: Pixels, share: Share) -> Levels:
    """Levels of a picture in memory; the smaller ones are made when asked and may be dropped."""

    def level(number: int) -> Pixels:
        if number == 0:
            return full
        found: Pixels | None = share.get(("level", number))
        if found is None:
            geometry = geometry_of(full)
            found = shrunk(level(number - 1), *geometry.size(number))
            share.put(("level", number), found, found.nbytes)
        return found

    def read(number: int, region: Region) -> Pixels:
        return level(number)[region.top : region.bottom, region.left : region.right]

    shape = geometry_of(full)
    return Levels(shape, read, levels=shape.levels)


def single_level(full: Pixels) -> Levels:
    """A picture that is looked at once, such as one of a sequence: the halves would cost more than they save."""
    return Levels(
        geometry_of(full), lambda _, region: full[region.top : region.bottom, region.left : region.right], levels=1
    )


def tiles_key(content: str) -> str:
    return hashlib.sha256(f"{content}\0tiles {TILE_PX}".encode()).hexdigest()


def write_tiles(full: Pixels, disk: DiskCache, key: str) -> bool:
    """Lay all levels down as tiles; whether that worked."""
    shape = geometry_of(full)
    with disk.writing(_KIND, key, _VERSION) as write:
        level = full
        for number in range(shape.levels):
            if number:
                level = shrunk(level, *shape.size(number))
            for top in range(0, level.shape[0], TILE_PX):
                for left in range(0, level.shape[1], TILE_PX):
                    write(_padded(level[top : top + TILE_PX, left : left + TILE_PX]).tobytes())
    return disk.mapped(_KIND, key, _VERSION) is not None


def tiled_levels(shape: Geometry, disk: DiskCache, key: str) -> Levels | None:
    """Levels read from tiles on disk; ``None`` if they are not there or do not fit the picture."""
    mapped = disk.mapped(_KIND, key, _VERSION)
    if mapped is None:
        return None
    dtype = np.dtype(shape.dtype)
    depth = max(1, shape.channels)
    tile_bytes = TILE_PX * TILE_PX * depth * dtype.itemsize
    starts = [0]
    for number in range(shape.levels):
        width, height = shape.size(number)
        starts.append(starts[-1] + -(-width // TILE_PX) * -(-height // TILE_PX))
    if len(mapped) != starts[-1] * tile_bytes:
        disk.forget(_KIND, key, _VERSION)
        return None
    tiles = np.frombuffer(mapped, dtype).reshape(-1, TILE_PX, TILE_PX, depth)

    def read(number: int, region: Region) -> Pixels:
        across = -(-shape.size(number)[0] // TILE_PX)
        into = np.empty((region.height_px, region.width_px, depth), dtype)
        for row in range(region.top // TILE_PX, -(-region.bottom // TILE_PX)):
            for column in range(region.left // TILE_PX, -(-region.right // TILE_PX)):
                _place(tiles[starts[number] + row * across + column], row * TILE_PX, column * TILE_PX, region, into)
        return into if shape.channels else into[..., 0]

    return Levels(shape, read, levels=shape.levels)


def _place(tile: Pixels, top: int, left: int, region: Region, into: Pixels) -> None:
    """Copy what tile and region share."""
    y0, y1 = max(top, region.top), min(top + TILE_PX, region.bottom)
    x0, x1 = max(left, region.left), min(left + TILE_PX, region.right)
    into[y0 - region.top : y1 - region.top, x0 - region.left : x1 - region.left] = tile[
        y0 - top : y1 - top, x0 - left : x1 - left
    ]


def _padded(part: Pixels) -> Pixels:
    below, right = TILE_PX - part.shape[0], TILE_PX - part.shape[1]
    if not below and not right:
        return np.ascontiguousarray(part)
    return np.pad(part, [(0, below), (0, right), *[(0, 0)] * (part.ndim - 2)])
