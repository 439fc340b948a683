"""Point clouds: one still cloud, or sweeps in files with times, whose gaps stay gaps.

The formats are in ``cloud_bin``, ``_pcd``, ``_ply``, ``_las`` and ``_npy``; adding one is a module and a name in
``FORMATS``. Motion correction (``motion_correction.py``) and drawing work on the ``Cloud`` given out here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media import cloud_bin, cloud_las, cloud_npy, cloud_pcd, cloud_ply
from workstation.media.base import (
    HEAD_BYTES,
    CancelToken,
    Cloud,
    Item,
    MediaInfo,
    OpenContext,
    Options,
    ReaderSpec,
    check_options,
)
from workstation.media.cloud_columns import CloudFormat, RawCloud, field_names, make_cloud, names_radar
from workstation.media.cloud_lod import beginning, lod_order, reordered, store, stored
from workstation.media.items import TimedItems, info_of_table

if TYPE_CHECKING:
    from workstation.media.sweep_times import SweepTimes

FORMATS: tuple[CloudFormat, ...] = (
    cloud_pcd.FORMAT,
    cloud_ply.FORMAT,
    cloud_las.FORMAT,
    cloud_npy.FORMAT,
    cloud_bin.FORMAT,
)
_RADARS = 0.9
"""How far a cloud with the fields of a radar may still be a LiDAR's."""
_BIG_POINTS = 500_000
"""From here on the level of detail is kept on disk: ordering takes longer than reading it."""


class CloudFiles(TimedItems):
    """Sweeps in files, one a moment; one thread at a time."""

    def __init__(
        self,
        paths: Sequence[Path],
        options: Options,
        context: OpenContext,
        *,
        times: SweepTimes | None = None,
        kind: StreamKind = StreamKind.CLOUD,
    ) -> None:
        """``times`` where a layout has stated them; else they are looked for in lists, names and options."""
        if not paths:
            raise DataError("a cloud stream needs at least one file")
        if times is None:
            from workstation.media.sweep_times import sweep_times  # brings Arrow, which a list of readers goes without

            times = sweep_times(paths, options)
        self._paths = tuple(Path(paths[i]) for i in times.order)
        self._times, self._options, self._context = times, options, context
        self.table = times.table
        self._cache = context.memory.share()
        self._frame = str(options.get("frame", ""))
        self._first: RawCloud | None = None
        first = self._load(0)
        self._first = first
        info = info_of_table(
            kind,
            self.table,
            clock_source=times.source,
            epoch_ns=times.epoch_ns,
            details={**first.details, "points": len(first), "fields": ",".join(field_names(first))},
            notes=(*times.notes, *first.notes),
        )
        timed = len(self._paths) > 1 or times.timed
        self.info: MediaInfo = info if timed else replace(info, span=None)

    @property
    def paths(self) -> tuple[Path, ...]:
        return self._paths

    def item_at(self, time_ns: int) -> Item | None:
        if self._timeless:
            return self.item(0)
        return super().item_at(time_ns)

    def cloud(self, index: int, *, max_points: int | None = None, cancel: CancelToken | None = None) -> Cloud:
        """Sweep ``index`` in the file's order; with ``max_points`` an even part of it and the field ``index``."""
        if not 0 <= index < len(self._paths):
            raise IndexError(index)
        if max_points is not None:
            detailed = self._detailed(index, max(0, max_points), cancel)
            if detailed is not None:
                return detailed
        held: Cloud | None = self._cache.get(index)
        if held is None:
            if cancel is not None:
                cancel.check()
            held = self._whole(index)
            self._cache.put(index, held, _bytes(held))
        return held

    def close(self) -> None:
        self._cache.close()

    @cached_property
    def _timeless(self) -> bool:
        return self.info.span is None

    def _whole(self, index: int) -> Cloud:
        made = make_cloud(
            self._load(index),
            slice(None),
            sweep_ns=int(self.table.times_ns[index]),
            epoch_ns=self._times.epoch_ns,
            time_unit=str(self._options.get("point_time_unit", "")),
        )
        for values in (made.points, *made.fields.values()):
            values.flags.writeable = False
        return Cloud(points=made.points, origin=made.origin, fields=made.fields, frame=self._frame, total=made.total)

    def _detailed(self, index: int, count: int, cancel: CancelToken | None) -> Cloud | None:
        """The first ``count`` points in order of detail; ``None`` if the cloud has no more than that."""
        ordered: Cloud | None = self._cache.get(("lod", index))
        if ordered is None:
            raw = self._load(index)
            if len(raw) <= count:
                return None
            ordered = self._ordered(index, len(raw), cancel)
            self._cache.put(("lod", index), ordered, _bytes(ordered))
        return beginning(ordered, count) if count < ordered.total else None

    def _ordered(self, index: int, total: int, cancel: CancelToken | None) -> Cloud:
        token = cancel or self._context.cancel
        disk, key = self._context.disk, ""
        if disk is not None and total >= _BIG_POINTS:
            content = disk.content_hash(self._paths[index], tick=lambda _: token.check())
            said = (
                f"{content}\0{int(self.table.times_ns[index])}\0{self._times.epoch_ns}\0{sorted(self._options.items())}"
            )
            key = hashlib.sha256(said.encode()).hexdigest()
            kept = stored(key, self._context)
            if kept is not None:
                return kept
        whole = self._whole(index)
        token.check()
        ordered = reordered(whole, lod_order(whole.points))
        if key:
            token.check()
            store(ordered, key, self._context)
        return ordered

    def _load(self, index: int) -> RawCloud:
        if index == 0 and self._first is not None:
            first, self._first = self._first, None  # read when the stream was opened; used once, then let go
            return first
        path = self._paths[index]
        return _format_of(path, str(self._options.get("format", ""))).load(path, self._options, self._context.limits)


def open_clouds(
    paths: Sequence[Path], *, options: Options | None = None, context: OpenContext | None = None
) -> CloudFiles:
    """One cloud or a sequence of sweeps; ``options`` as in ``READERS``."""
    return CloudFiles(paths, options or {}, context or OpenContext())


def _bytes(cloud: Cloud) -> int:
    # A view of a mapped file costs nothing here; what it maps is counted, as the system would count it when read.
    return cloud.points.nbytes + sum(values.nbytes for values in cloud.fields.values())


def _format_of(path: Path, name: str = "") -> CloudFormat:
    if name:
        for each in FORMATS:
            if each.name == name:
                return each
        raise DataError(f"'{name}' is no cloud format; it is one of {', '.join(f.name for f in FORMATS)}", path=path)
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", path=path) from error
    if not head:
        raise DataError("the file is empty", path=path)
    best = max(FORMATS, key=lambda each: each.probe(path, head))
    if best.probe(path, head) <= 0:
        raise DataError("this is no point cloud that can be recognised; name it with the option 'format'", path=path)
    return best


def files_in(paths: Sequence[Path], suffixes: Sequence[str]) -> list[Path]:
    """The files, and those in the folders among them, by name."""
    return [
        each
        for path in paths
        for each in (sorted(p for p in path.iterdir() if p.suffix.lower() in suffixes) if path.is_dir() else [path])
    ]


def _probe(path: Path, head: bytes) -> float:
    known = max(each.probe(path, head) for each in FORMATS)
    return _RADARS * known if names_radar(head) else known


def _open(paths: Sequence[Path], options: Options, context: OpenContext) -> CloudFiles:
    check_options(READERS[0], options)
    return CloudFiles(files_in(paths, READERS[0].suffixes), options, context)


READERS = (
    ReaderSpec(
        name="cloud",
        kind=StreamKind.CLOUD,
        title="Point cloud",
        suffixes=tuple(suffix for each in FORMATS for suffix in each.suffixes),
        probe=_probe,
        open=_open,
        several=True,
        options={
            "format": "which format the files have: " + ", ".join(each.name for each in FORMATS),
            "layout": "of .bin files: kitti (4 numbers a point) or nuscenes (5)",
            "columns": "names of the numbers of a point where the file has none, as x,y,z,intensity,ring,time",
            "times": "a file with one time a sweep; file.json#key/key for a list inside",
            "time_unit": "unit of these times: s, ms, us or ns",
            "rate_hz": "sweeps a second, for numbered files without times",
            "point_time_unit": "unit of the points' own times: s, ms, us or ns",
            "frame": "name of the frame the points are in",
        },
    ),
)
