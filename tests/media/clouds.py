"""Cloud files written byte by byte, sharing no code with the readers."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PCD = {"f": "F", "i": "I", "u": "U"}
_PLY = {
    "f4": "float",
    "f8": "double",
    "i4": "int",
    "u1": "uchar",
    "u2": "ushort",
    "i2": "short",
    "u4": "uint",
    "i1": "char",
}

Columns = Mapping[str, NDArray[Any]]


def street(count: int = 1000, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Points with everything a sensor may give."""
    rng = np.random.default_rng(seed)
    return {
        "x": rng.uniform(-80, 80, count).astype(np.float32),
        "y": rng.uniform(-80, 80, count).astype(np.float32),
        "z": rng.uniform(-3, 12, count).astype(np.float32),
        "intensity": rng.integers(0, 256, count).astype(np.float32),
        "ring": rng.integers(0, 64, count).astype(np.uint16),
        "time": np.sort(rng.uniform(-0.05, 0.05, count)).astype(np.float32),
    }


def radar_returns(count: int = 40, seed: int = 0) -> dict[str, NDArray[Any]]:
    """One cycle of a radar with the 18 fields that nuScenes writes, all of them valid and moving."""
    rng = np.random.default_rng(seed)
    numbers = ("x", "y", "z", "rcs", "vx", "vy", "vx_comp", "vy_comp")
    small = (
        "dyn_prop", "is_quality_valid", "ambig_state", "x_rms", "y_rms", "invalid_state", "pdh0", "vx_rms", "vy_rms",
    )  # fmt: skip
    made: dict[str, NDArray[Any]] = {name: rng.uniform(-50, 50, count).astype(np.float32) for name in numbers}
    made |= {name: np.zeros(count, np.int8) for name in small}
    made |= {"z": np.zeros(count, np.float32), "id": np.arange(count, dtype=np.int16)}
    made["is_quality_valid"] += 1
    made["ambig_state"] += 3
    order = "x y z dyn_prop id rcs vx vy vx_comp vy_comp is_quality_valid ambig_state x_rms y_rms invalid_state pdh0"
    return {name: made[name] for name in (*order.split(), "vx_rms", "vy_rms")}


def _letter(values: NDArray[Any]) -> str:
    """For ``struct``, in which a long has four bytes."""
    return {"l": "q", "L": "Q"}.get(values.dtype.char, values.dtype.char)


def rows_of(columns: Columns, order: str = "<") -> bytes:
    """Point by point, field by field."""
    kind = struct.Struct(order + "".join(_letter(values) for values in columns.values()))
    return b"".join(kind.pack(*row) for row in zip(*(values.tolist() for values in columns.values()), strict=True))


def write_bin(path: Path, columns: list[NDArray[Any]]) -> None:
    flat = [value for row in zip(*(values.tolist() for values in columns), strict=True) for value in row]
    path.write_bytes(struct.pack(f"<{len(flat)}f", *flat))


def pcd_header(columns: Columns, data: str, points: int | None = None) -> bytes:
    count = len(next(iter(columns.values()))) if points is None else points
    return (
        "# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\n"
        f"FIELDS {' '.join(columns)}\n"
        f"SIZE {' '.join(str(values.dtype.itemsize) for values in columns.values())}\n"
        f"TYPE {' '.join(_PCD[values.dtype.kind] for values in columns.values())}\n"
        f"COUNT {' '.join('1' for _ in columns)}\nWIDTH {count}\nHEIGHT 1\n"
        f"VIEWPOINT 0 0 0 1 0 0 0\nPOINTS {count}\nDATA {data}\n"
    ).encode("ascii")


def write_pcd(path: Path, columns: Columns, data: str = "binary") -> None:
    if data == "binary":
        body = rows_of(columns)
    elif data == "ascii":
        body = "".join(
            " ".join(repr(v) for v in row) + "\n" for row in zip(*(c.tolist() for c in columns.values()), strict=True)
        ).encode()
    else:
        plain = b"".join(struct.pack(f"<{len(c)}{_letter(c)}", *c.tolist()) for c in columns.values())
        packed = literal_lzf(plain)
        body = struct.pack("<II", len(packed), len(plain)) + packed
    path.write_bytes(pcd_header(columns, data) + body)


def literal_lzf(plain: bytes) -> bytes:
    """LZF without any back reference: runs of up to 32 bytes, each behind its length."""
    return b"".join(bytes([len(plain[i : i + 32]) - 1]) + plain[i : i + 32] for i in range(0, len(plain), 32))


def write_ply(path: Path, columns: Columns, order: str = "<", extra: str = "") -> None:
    name = {"<": "binary_little_endian", ">": "binary_big_endian", "": "ascii"}[order]
    count = len(next(iter(columns.values())))
    properties = "".join(f"property {_PLY[values.dtype.str[1:]]} {key}\n" for key, values in columns.items())
    header = f"ply\nformat {name} 1.0\ncomment made by hand\nelement vertex {count}\n{properties}{extra}end_header\n"
    if order:
        body = rows_of(columns, order)
    else:
        lines = zip(*(values.tolist() for values in columns.values()), strict=True)
        body = "".join(" ".join(repr(v) for v in row) + "\n" for row in lines).encode()
    path.write_bytes(header.encode("ascii") + body)


def las_bytes(
    xyz: list[tuple[int, int, int]], *, scale: float, offset: tuple[float, float, float], claimed: int | None = None
) -> bytes:
    """LAS 1.2 with point format 1 (intensity and GPS time), coordinates as stored whole numbers."""
    count = len(xyz) if claimed is None else claimed
    header = b"LASF" + struct.pack("<HHIHH8sBB", 0, 1, 0, 0, 0, b"\0" * 8, 1, 2)
    header += b"\0" * 64 + struct.pack("<HHHIIBHI", 1, 2026, 227, 227, 0, 1, 28, count)
    header += struct.pack("<5I", count, 0, 0, 0, 0) + struct.pack("<3d", scale, scale, scale)
    header += struct.pack("<3d", *offset) + struct.pack("<6d", 0, 0, 0, 0, 0, 0)
    points = b"".join(
        struct.pack("<iiiHBBbBHd", x, y, z, i % 65536, 1, 2, 0, 0, 7, 1000 + i / 8) for i, (x, y, z) in enumerate(xyz)
    )
    return header + points
