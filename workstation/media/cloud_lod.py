"""Level of detail of big clouds: points in an order of which every beginning shows the whole cloud evenly.

The octree of the cloud, coarsest first: one point of each voxel of the top level, then of the next, at random within a
level. A pane draws the first hundred thousand while the camera moves and the rest when it stands. Built once with one
sort, kept on disk in that order, so that a beginning is one read. Used by ``cloud.py``.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from workstation.media.base import Cloud, OpenContext

_KIND = "cloud_lod"
_VERSION = 1
_AXIS_BITS = 10
_LEVELS = _AXIS_BITS
_INDEX_BITS = 34
_MAX_POINTS = 1 << _INDEX_BITS
_SIZE = struct.Struct("<Q")


def lod_order(points: NDArray[np.float32], *, seed: int = 0) -> NDArray[np.uint32]:
    """(n,) indices of points (n, 3), coarse to fine. Points without a place come last."""
    count = len(points)
    placed = np.isfinite(points).all(axis=1)
    everywhere = bool(placed.all())
    chosen = np.arange(count, dtype=np.uint64) if everywhere else np.flatnonzero(placed).astype(np.uint64)
    if not len(chosen):
        return np.arange(count, dtype=np.uint32)
    keys = _morton(points if everywhere else points[placed])
    # One sort of key and index in one word: three times as fast as an argsort.
    keys <<= np.uint64(_INDEX_BITS)
    keys |= chosen
    keys.sort()
    index = keys & np.uint64(_MAX_POINTS - 1)
    keys >>= np.uint64(_INDEX_BITS)
    order = _by_level(keys, index, np.random.default_rng(seed))
    if everywhere:
        return order
    return np.concatenate((order, np.flatnonzero(~placed).astype(np.uint32)))


def level_sizes(points: NDArray[np.float32]) -> list[int]:
    """How many points the beginning must have to hold one of each voxel, coarsest level first."""
    keys = np.sort(_morton(points[np.isfinite(points).all(axis=1)]))
    return [len(np.unique(keys >> np.uint64(3 * (_AXIS_BITS - level)))) for level in range(_LEVELS + 1)]


def reordered(cloud: Cloud, order: NDArray[np.uint32]) -> Cloud:
    """The cloud in that order, with each point's index in the file as the field ``index``."""
    fields = {name: np.ascontiguousarray(values[order]) for name, values in cloud.fields.items()}
    points = np.ascontiguousarray(cloud.points[order])
    return _with(cloud, points, {**fields, "index": order})


def beginning(cloud: Cloud, count: int) -> Cloud:
    """The first points of a cloud that is in order of detail; nothing is copied."""
    fields = {name: values[:count] for name, values in cloud.fields.items()}
    return _with(cloud, cloud.points[:count], fields)


class _Head(msgspec.Struct):
    """What stands before the arrays on disk."""

    count: int
    total: int
    origin: tuple[float, float, float]
    frame: str
    arrays: list[tuple[str, str, tuple[int, ...]]]
    """(name, dtype, shape) of ``points`` and of every field, in file order."""


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_DECODER = msgspec.msgpack.Decoder(_Head)


def store(cloud: Cloud, key: str, context: OpenContext) -> None:
    """Keep a reordered cloud on disk."""
    if context.disk is None:
        return
    arrays = {"points": cloud.points, **cloud.fields}
    described = [(name, values.dtype.newbyteorder("<").str, values.shape) for name, values in arrays.items()]
    head = msgspec.msgpack.encode(
        _Head(count=len(cloud.points), total=cloud.total, origin=cloud.origin, frame=cloud.frame, arrays=described)
    )
    head += b" " * (-(len(head) + _SIZE.size) % 64)
    with context.disk.writing(_KIND, key, _VERSION) as write:
        write(_SIZE.pack(len(head)) + head)
        for values in arrays.values():
            packed = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False)
            write(packed.tobytes() + bytes(-packed.nbytes % 64))


def stored(key: str, context: OpenContext) -> Cloud | None:
    """The kept cloud, mapped; ``None`` if there is none."""
    data = None if context.disk is None else context.disk.mapped(_KIND, key, _VERSION)
    if data is None:
        return None
    (size,) = _SIZE.unpack_from(data)
    head = _DECODER.decode(bytes(data[_SIZE.size : _SIZE.size + size]).rstrip(b" "))
    arrays: dict[str, NDArray[Any]] = {}
    at = _SIZE.size + size
    for name, kind, shape in head.arrays:
        count = int(np.prod(shape, dtype=np.int64))
        values = np.frombuffer(data, kind, count, at)
        arrays[name] = values.reshape(shape)
        at += values.nbytes + -values.nbytes % 64
    points = arrays.pop("points")
    return Cloud(points=points, origin=head.origin, fields=arrays, frame=head.frame, total=head.total)


def _with(cloud: Cloud, points: NDArray[np.float32], fields: dict[str, NDArray[Any]]) -> Cloud:
    return Cloud(points=points, origin=cloud.origin, fields=fields, frame=cloud.frame, total=cloud.total)


def _morton(points: NDArray[np.float32]) -> NDArray[np.uint64]:
    """(n,) keys: the bits of the three voxel numbers interleaved, one cube of voxels around all points."""
    low = points.min(axis=0)
    extent = float((points.max(axis=0).astype(np.float64) - low).max())
    scale = np.float32(((1 << _AXIS_BITS) - 1e-3) / extent) if extent > 0 else np.float32(0)
    keys = np.zeros(len(points), np.uint64)
    for axis in range(3):
        with np.errstate(invalid="ignore", over="ignore"):
            cells = ((points[:, axis] - low[axis]) * scale).astype(np.uint32)
        keys |= _spread(np.minimum(cells, (1 << _AXIS_BITS) - 1)).astype(np.uint64) << np.uint64(axis)
    return keys


def _spread(cells: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Ten bits to every third bit."""
    for shift, mask in ((16, 0x030000FF), (8, 0x0300F00F), (4, 0x030C30C3), (2, 0x09249249)):
        cells = (cells | cells << np.uint32(shift)) & np.uint32(mask)
    return cells


def _by_level(keys: NDArray[np.uint64], index: NDArray[np.uint64], rng: np.random.Generator) -> NDArray[np.uint32]:
    """Sorted keys: a point is the first of its voxel at every level from where its key differs from the one before."""
    changed = keys.copy()
    changed[1:] ^= keys[:-1]
    changed[0] = np.uint64(1) << np.uint64(3 * _AXIS_BITS - 1)
    _, exponent = np.frexp(changed.astype(np.float64))  # exact below 2**53
    level = np.where(changed == 0, _LEVELS, _LEVELS - (exponent + 2) // 3).astype(np.uint64)
    level[0] = 0
    chance = rng.integers(0, 1 << 24, len(keys), dtype=np.uint64)
    words = (level << np.uint64(58)) | (chance << np.uint64(_INDEX_BITS)) | index
    words.sort()
    order: NDArray[np.uint32] = (words & np.uint64(_MAX_POINTS - 1)).astype(np.uint32)
    return order
