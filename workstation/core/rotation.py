"""Unit quaternions, scalar first (w, x, y, z), and the matrices they stand for.

Used by ``space``, ``poses``, ``axes`` and the cuboid geometry. ``q`` and ``-q`` are the same rotation;
functions here return the one with ``w ≥ 0``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Quaternion = tuple[float, float, float, float]
NO_ROTATION: Quaternion = (1.0, 0.0, 0.0, 0.0)


def matrix_of(rotation: ArrayLike) -> Floats:
    """(…, 3, 3) rotation matrices of (…, 4) quaternions; a length that is off by rounding is divided out."""
    q = np.asarray(rotation, np.float64)
    if q.ndim == 1 and float(q @ q) > 0:
        return _matrix_of_one(*q.tolist())
    w, x, y, z = np.moveaxis(q, -1, 0)
    s = 2.0 / (q * q).sum(-1)
    rows = (
        (1 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y)),
        (s * (x * y + w * z), 1 - s * (x * x + z * z), s * (y * z - w * x)),
        (s * (x * z - w * y), s * (y * z + w * x), 1 - s * (x * x + y * y)),
    )
    return np.stack([np.stack(row, -1) for row in rows], -2)


def _matrix_of_one(w: float, x: float, y: float, z: float) -> Floats:
    """The same with plain numbers: 5 µs in place of 60, and every pose of a frame tree is one."""
    s = 2.0 / (w * w + x * x + y * y + z * z)
    return np.array(
        (
            (1 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y)),
            (s * (x * y + w * z), 1 - s * (x * x + z * z), s * (y * z - w * x)),
            (s * (x * z - w * y), s * (y * z + w * x), 1 - s * (x * x + y * y)),
        )
    )


def quaternion_of(matrix: ArrayLike) -> Quaternion:
    """The quaternion of one rotation matrix (3, 3), which must be one to within rounding."""
    m = np.asarray(matrix, np.float64)
    trace = m[0, 0] + m[1, 1] + m[2, 2]
    # Four equal ways; the one with the largest pivot loses no digits.
    columns = np.array(
        [
            (1 + trace, m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]),
            (m[2, 1] - m[1, 2], 1 + 2 * m[0, 0] - trace, m[0, 1] + m[1, 0], m[0, 2] + m[2, 0]),
            (m[0, 2] - m[2, 0], m[0, 1] + m[1, 0], 1 + 2 * m[1, 1] - trace, m[1, 2] + m[2, 1]),
            (m[1, 0] - m[0, 1], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], 1 + 2 * m[2, 2] - trace),
        ]
    )
    return unit(columns[int(np.argmax(np.diagonal(columns)))])


def unit(rotation: ArrayLike) -> Quaternion:
    """Length one, ``w ≥ 0``."""
    q = np.asarray(rotation, np.float64)
    w, x, y, z = (q / np.linalg.norm(q) * (-1.0 if q[0] < 0 else 1.0)).tolist()
    return w, x, y, z


def multiply(left: ArrayLike, right: ArrayLike) -> Quaternion:
    """The rotation ``right`` followed by ``left``."""
    a, b, c, d = np.asarray(left, np.float64).tolist()
    w, x, y, z = np.asarray(right, np.float64).tolist()
    return unit(
        (
            a * w - b * x - c * y - d * z,
            a * x + b * w + c * z - d * y,
            a * y - b * z + c * w + d * x,
            a * z + b * y - c * x + d * w,
        )
    )


def conjugate(rotation: Quaternion) -> Quaternion:
    """The rotation the other way."""
    w, x, y, z = rotation
    return w, -x, -y, -z


def about_z(yaw_rad: float) -> Quaternion:
    """Heading: ``yaw_rad`` about the z axis, from x towards y."""
    return unit((np.cos(yaw_rad / 2), 0.0, 0.0, np.sin(yaw_rad / 2)))


def slerp(start: Floats, end: Floats, share: Floats) -> Floats:
    """(n, 4) rotations at ``share`` (n,) of the shortest way from ``start`` to ``end`` (n, 4), at constant speed."""
    dot = (start * end).sum(-1, keepdims=True)
    end = np.where(dot < 0, -end, end)
    angle = np.arctan2(np.linalg.norm(end - start, axis=-1), np.linalg.norm(end + start, axis=-1))[:, None] * 2
    part = share[:, None]
    near = angle < 1e-6  # sin(angle) would be lost; the chord is the arc there
    safe = np.where(near, 1.0, np.sin(angle))
    from_start = np.where(near, 1 - part, np.sin((1 - part) * angle) / safe)
    from_end = np.where(near, part, np.sin(part * angle) / safe)
    mixed = from_start * start + from_end * end
    turned: Floats = mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)
    return turned
