"""Reading clouds and their level of detail against the obvious library. Ratios of one run; no part of pass or fail.

    python tests/bench/bench_cloud.py [--folder DIR] [--points 1000000] [--rounds 3]

Run from the repository's root. Obvious: ``numpy.fromfile``, pypcd4, laspy; for detail, ``numpy.unique`` over
voxels of 0.2 m, which is one level where ours are all.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import laspy
import numpy as np

try:
    from pypcd4 import Encoding, PointCloud
except ImportError:  # the program has no use for it; only this comparison has
    sys.exit("this benchmark compares with pypcd4, which is not installed: pip install pypcd4")

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from workstation.media.base import OpenContext  # noqa: E402
from workstation.media.cache import DiskCache, MemoryCache  # noqa: E402
from workstation.media.cloud import open_clouds  # noqa: E402
from workstation.media.cloud_lod import lod_order  # noqa: E402


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def street(count: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    rng = np.random.default_rng(1)
    places = np.concatenate((rng.normal(0, 30, (count, 2)), rng.normal(0, 2, (count, 1))), axis=1)
    return np.concatenate((places, rng.random((count, 1))), axis=1).astype(np.float32)


def write(folder: Path, count: int) -> dict[str, Path]:
    points = street(count)
    paths = {kind: folder / f"cloud_{count}.{kind}" for kind in ("bin", "pcd", "ascii.pcd", "packed.pcd", "las")}
    points.tofile(paths["bin"])
    cloud = PointCloud.from_points(points, ("x", "y", "z", "intensity"), (np.float32,) * 4)
    for kind, encoding in (
        ("pcd", Encoding.BINARY),
        ("packed.pcd", Encoding.BINARY_COMPRESSED),
        ("ascii.pcd", Encoding.ASCII),
    ):
        cloud.save(paths[kind], encoding=encoding)
    las = laspy.LasData(laspy.LasHeader(point_format=3, version="1.2"))
    las.header.scales = [0.001] * 3
    las.x, las.y, las.z = points[:, 0], points[:, 1], points[:, 2]
    las.write(paths["las"])
    return paths


def cpu_ms(work: Callable[[], object], rounds: int) -> float:
    """Median CPU time."""
    spent = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        spent.append((time.process_time() - begin) * 1000)
    return statistics.median(spent)


def ours(path: Path, *, max_points: int | None = None, disk: DiskCache | None = None) -> None:
    reader = open_clouds(
        [path], options={"layout": "kitti"}, context=OpenContext(memory=MemoryCache(0), disk=disk)
    )  # fmt: skip
    reader.cloud(0, max_points=max_points)
    reader.close()


def voxels(points: np.ndarray[Any, np.dtype[np.float32]]) -> object:
    cells = np.floor((points - points.min(axis=0)) / 0.2).astype(np.int64)
    return np.unique(cells[:, 0] << 42 | cells[:, 1] << 21 | cells[:, 2], return_index=True)


def every_dimension(path: Path) -> object:
    las = laspy.read(path)
    return las.xyz, [np.asarray(las[name]) for name in las.point_format.dimension_names]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path)
    options.add_argument("--points", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        paths = write(folder, chosen.points)
        obvious: dict[str, tuple[str, Callable[[Path], object]]] = {
            "bin": ("numpy.fromfile, copied", lambda path: np.fromfile(path, np.float32).reshape(-1, 4)[:, :3].copy()),
            "pcd": ("pypcd4 numpy()", lambda path: PointCloud.from_path(path).numpy()),
            "packed.pcd": ("pypcd4 numpy()", lambda path: PointCloud.from_path(path).numpy()),
            "ascii.pcd": ("pypcd4 numpy()", lambda path: PointCloud.from_path(path).numpy()),
            "las": ("laspy, every dimension", every_dimension),
        }
        for kind, path in paths.items():
            name, read = obvious[kind]
            rounds = 1 if kind == "ascii.pcd" else chosen.rounds
            theirs = cpu_ms(lambda read=read, path=path: read(path), rounds)  # type: ignore[misc]
            mine = cpu_ms(lambda path=path: ours(path), rounds)  # type: ignore[misc]
            say(f"{kind:11} {mine:8.1f} ms, {mine / theirs:5.2f} x {name} ({theirs:.1f} ms)")
        points = street(chosen.points)[:, :3].copy()
        theirs = cpu_ms(lambda: voxels(points), chosen.rounds)
        mine = cpu_ms(lambda: lod_order(points), chosen.rounds)
        say(f"detail, all levels {mine:.0f} ms, {mine / theirs:.2f} x numpy.unique of one level ({theirs:.0f} ms)")
        disk = DiskCache(Path(scratch) / "cache")
        first = cpu_ms(lambda: ours(paths["las"], max_points=100_000, disk=disk), 1)
        later = cpu_ms(lambda: ours(paths["las"], max_points=100_000, disk=disk), chosen.rounds)
        say(f"100,000 points of a LAS: first time {first:.0f} ms, from the cache {later:.1f} ms")


if __name__ == "__main__":
    main()
