"""KITTI and nuScenes ``.bin``: float32 after float32, without a header.

Four or five numbers a point cannot be told from the size. The option decides, then the name and folder the dataset
gives its files, then whether the numbers make sense. Used by ``cloud.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import Limits, Options
from workstation.media.cloud_columns import CloudFormat, RawCloud, file_size, named_columns

_LAYOUTS = {
    "kitti": ("x", "y", "z", "intensity"),
    "nuscenes": ("x", "y", "z", "intensity", "ring"),
}
_SAMPLE_POINTS = 4096
_FARTHEST_M = 2000.0


def load(path: Path, options: Options, limits: Limits) -> RawCloud:
    """Mapped, not read."""
    size = file_size(path)
    names, why = _layout(path, size, options)
    width = 4 * len(names)
    if size % width:
        raise DataError(
            f"{size} bytes are no whole number of points of {len(names)} numbers ({', '.join(names)}); "
            "it is truncated or has another layout: give the option 'columns'",
            path=path,
        )
    limits.check_items(size // width, path=path)
    values = np.memmap(path, "<f4", mode="r").reshape(-1, len(names))
    return RawCloud(
        columns={name: values[:, column] for column, name in enumerate(names)},
        details={"format": "float32 columns", "columns": ",".join(names), "columns_from": why},
    )


def _layout(path: Path, size: int, options: Options) -> tuple[tuple[str, ...], str]:
    names = named_columns(options)
    if names is not None:
        return names, "the option 'columns'"
    chosen = options.get("layout")
    if chosen is not None:
        if chosen not in _LAYOUTS:
            raise DataError(f"the option 'layout' is one of {', '.join(_LAYOUTS)}, not '{chosen}'", path=path)
        return _LAYOUTS[str(chosen)], "the option 'layout'"
    for layout, by_name in (("nuscenes", _named_by_nuscenes(path)), ("kitti", _named_by_kitti(path))):
        if by_name and size % (4 * len(_LAYOUTS[layout])) == 0:
            return _LAYOUTS[layout], f"the file's name, as {layout} gives it"
    fitting = [layout for layout, names in _LAYOUTS.items() if size % (4 * len(names)) == 0 and _sensible(path, names)]
    if len(fitting) == 1:
        return _LAYOUTS[fitting[0]], "the ranges of the values"
    if not fitting:
        raise DataError(
            "its numbers make no sense as points of 4 (KITTI) or 5 (nuScenes) numbers; "
            "give the option 'columns' if it has another layout",
            path=path,
        )
    raise DataError("it could have 4 or 5 numbers a point; give the option 'layout': kitti or nuscenes", path=path)


def _named_by_nuscenes(path: Path) -> bool:
    return path.name.endswith(".pcd.bin") or "LIDAR_TOP" in str(path)


def _named_by_kitti(path: Path) -> bool:
    return any(part.startswith("velodyne") for part in path.parts[-4:-1])


def _sensible(path: Path, names: tuple[str, ...]) -> bool:
    with path.open("rb") as file:
        head = np.frombuffer(file.read(4 * len(names) * _SAMPLE_POINTS), "<f4")
    points = head[: len(head) // len(names) * len(names)].reshape(-1, len(names))
    if not np.isfinite(points).all():
        return False
    place, intensity = points[:, :3], points[:, 3]
    if np.abs(place).max(initial=0) > _FARTHEST_M or intensity.min(initial=0) < 0 or intensity.max(initial=0) > 65535:
        return False
    return len(names) == 4 or _is_ring(points[:, 4])


def _is_ring(values: NDArray[Any]) -> bool:
    return bool((values == np.rint(values)).all() and values.min(initial=0) >= 0 and values.max(initial=0) < 1024)


def _probe(path: Path, head: bytes) -> float:
    return 0.6 if path.suffix.lower() == ".bin" and len(head) >= 16 else 0.0


FORMAT = CloudFormat(name="bin", suffixes=(".bin",), probe=_probe, load=load)
