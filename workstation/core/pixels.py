"""What the blobs behind masks and point sets hold: the one form in which pixels and point indices are stored.

A mask is stored as run lengths along its rows, from the top left, outside first: little-endian unsigned 32-bit
integers whose sum is width times height. A point set is stored as the sorted indices of its points, each once, in the
same integers. Called by the commands that take masks, and by whoever draws or exports them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import UserError

_STORED = np.dtype("<u4")
LARGEST_MASK_PX = 1 << 30
_LARGEST_INDEX = (1 << 32) - 1


def runs_problem(runs: Sequence[int], width: int, height: int) -> str | None:
    """Why these run lengths are no mask of that size; ``None`` if they are one."""
    if width <= 0 or height <= 0 or width * height > LARGEST_MASK_PX:
        return f"a mask is at least 1 and at most {LARGEST_MASK_PX:,} pixels large, not {width} × {height}"
    if any(run < 0 for run in runs):
        return "a mask's run lengths are not negative"
    if sum(runs) != width * height:
        return f"a mask's run lengths add up to {sum(runs):,}; {width} × {height} pixels are {width * height:,}"
    if not any(runs[1::2]):
        return "a mask needs at least one pixel inside: every second run length counts pixels inside"
    return None


def mask_blob(runs: Sequence[int]) -> bytes:
    """The stored form of run lengths that have no problem; one mask has one form, however its runs were cut up."""
    joined: list[int] = [0]
    for number, run in enumerate(runs):
        if number % 2 == (len(joined) - 1) % 2:
            joined[-1] += run
        elif run:
            joined.append(run)
    return np.array(joined, dtype=_STORED).tobytes()


def mask_area(runs: Sequence[int]) -> int:
    """How many pixels lie inside."""
    return sum(runs[1::2])


def runs_of_mask(inside: NDArray[np.bool_]) -> list[int]:
    """The run lengths of a picture of booleans, shape (height, width)."""
    flat = inside.ravel()
    edges = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    bounds = np.concatenate(([0], edges, [flat.size]))
    runs: list[int] = np.diff(bounds).tolist()
    return [0, *runs] if flat.size and flat[0] else runs


def mask_pixels(blob: bytes, width: int, height: int) -> NDArray[np.bool_]:
    """The stored mask as booleans of shape (height, width)."""
    if len(blob) % _STORED.itemsize:
        raise UserError("a stored mask is cut off: its length is no multiple of four bytes")
    runs = np.frombuffer(blob, dtype=_STORED).astype(np.int64)
    problem = runs_problem(runs.tolist(), width, height)
    if problem is not None:
        raise UserError(problem)
    values = np.arange(runs.size) % 2 == 1
    pixels: NDArray[np.bool_] = np.repeat(values, runs).reshape(height, width)
    return pixels


def points_blob(indices: Sequence[int]) -> bytes:
    """The stored form of point indices."""
    if not indices:
        raise UserError("a point set needs at least one point")
    if min(indices) < 0 or max(indices) > _LARGEST_INDEX:
        raise UserError(f"a point's index lies between 0 and {_LARGEST_INDEX:,}")
    if len(set(indices)) != len(indices):
        raise UserError("a point set names each point once")
    return np.sort(np.array(indices, dtype=np.int64)).astype(_STORED).tobytes()


def point_indices(blob: bytes) -> NDArray[np.uint32]:
    """The stored point indices, ascending, shape (count,)."""
    if not blob or len(blob) % _STORED.itemsize:
        raise UserError("a stored point set is empty or cut off")
    return np.frombuffer(blob, dtype=_STORED)
