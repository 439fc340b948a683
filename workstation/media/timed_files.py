"""Pictures and sweeps whose times a data set states in an index of its own: the proposal carries them in an option.

The plain ``image_sequence`` and ``cloud`` find times themselves in names, numbers or a list beside the files; these are
for layouts that keep them elsewhere. Opened through ``READERS``, chosen by a data set and never by content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import SECOND_NS, FrameTable, frame_table
from workstation.media.base import CancelToken, Cloud, Item, MediaInfo, OpenContext, Options, ReaderSpec
from workstation.media.cloud import READERS as _CLOUD_READERS
from workstation.media.cloud import CloudFiles
from workstation.media.gaps import find_gaps, longest_step_ns
from workstation.media.image_sequence import ImageSequence
from workstation.media.proposal import TIMES_OPTION, times_of_option


class TimedClouds:
    """A ``CloudReader`` of files at given times: the sweeps of ``CloudFiles`` on another table."""

    def __init__(self, files: CloudFiles, table: FrameTable, clock_source: str) -> None:
        self._files = files
        self.table = table
        inner = files.info
        self.info = MediaInfo(
            kind=inner.kind,
            span=table.span,
            count=len(table),
            rate_hz=table.rate_hz(),
            gaps=find_gaps(table),
            clock_source=clock_source,
            details=inner.details,
            notes=inner.notes,
        )

    @property
    def paths(self) -> tuple[Path, ...]:
        return self._files.paths

    def item(self, index: int) -> Item:
        if not 0 <= index < len(self.table):
            raise IndexError(index)
        shown = self.table.shown(index)
        return Item(index, shown.start_ns, shown.end_ns)

    def item_at(self, time_ns: int) -> Item | None:
        index = self.table.index_at(time_ns)
        return None if index is None else self.item(index)

    def cloud(self, index: int, *, max_points: int | None = None, cancel: CancelToken | None = None) -> Cloud:
        cloud = self._files.cloud(index, max_points=max_points, cancel=cancel)
        if "time_ns" not in cloud.fields:
            return cloud
        late_ns = int(self.table.times_ns[index]) - int(self._files.table.times_ns[index])
        return replace(cloud, fields={**cloud.fields, "time_ns": cloud.fields["time_ns"] + late_ns})

    def close(self) -> None:
        self._files.close()


def open_timed_images(paths: Sequence[Path], options: Options, context: OpenContext) -> ImageSequence:
    """The pictures in the order of their times."""
    files, table = _in_order(paths, options)
    return ImageSequence(files, table, context, clock_source=_source(options))


def open_timed_clouds(paths: Sequence[Path], options: Options, context: OpenContext) -> TimedClouds:
    """The sweeps in the order of their times."""
    files, table = _in_order(paths, options)
    passed = {name: value for name, value in options.items() if name not in _OPTIONS}
    # CloudFiles wants times of its own: numbers at any rate keep the order, and their times are replaced here.
    inner = CloudFiles(files, {**passed, "rate_hz": 1}, context)
    if inner.paths != tuple(files):
        ranks = {path: i for i, path in enumerate(files)}
        order = [ranks[path] for path in inner.paths]
        if (np.diff(table.times_ns[order]) < 0).any():
            inner.close()
            raise DataError("the files' numbers and their times do not rise together", path=files[0].parent)
    return TimedClouds(inner, table, _source(options))


def _source(options: Options) -> str:
    return str(options.get("clock_source", "data set"))


def _in_order(paths: Sequence[Path], options: Options) -> tuple[list[Path], FrameTable]:
    if not paths:
        raise DataError("a sequence needs at least one file")
    times = times_of_option(str(options.get(TIMES_OPTION, "")), place=f"option {TIMES_OPTION}")
    if len(times) != len(paths):
        raise DataError(f"{len(times)} times are given for {len(paths)} files", path=paths[0].parent)
    order = sorted(range(len(times)), key=lambda i: (times[i], i))
    units = np.array([times[i] for i in order], np.int64)
    hold = options.get("hold_ns", longest_step_ns(units))
    if hold is not None and (isinstance(hold, bool) or not isinstance(hold, int) or hold <= 0):
        raise DataError(f"'hold_ns' is a whole number of nanoseconds, not {hold!r}", path=paths[0].parent)
    table = frame_table(units, unit_num=1, unit_den=SECOND_NS, hold_ns=hold)
    return [paths[i] for i in order], table


_OPTIONS = {
    TIMES_OPTION: "nanoseconds of the first file, then the step to each next one",
    "hold_ns": "longest time one is shown if no next one comes, so that a missing one stays a gap",
    "clock_source": "where the times come from, in words",
}
_CLOUD_OPTIONS = {
    name: line for name, line in _CLOUD_READERS[0].options.items() if name not in ("times", "time_unit", "rate_hz")
}
READERS = (
    ReaderSpec(
        name="timed_images",
        kind=StreamKind.VIDEO,
        title="Picture sequence with times of a data set",
        suffixes=(".png", ".jpg", ".jpeg"),
        probe=lambda path, head: 0.0,
        open=open_timed_images,
        options=_OPTIONS,
        several=True,
    ),
    ReaderSpec(
        name="timed_clouds",
        kind=StreamKind.CLOUD,
        title="Sweeps with times of a data set",
        suffixes=(".bin", ".pcd"),
        probe=lambda path, head: 0.0,
        open=open_timed_clouds,
        options={**_OPTIONS, **_CLOUD_OPTIONS},
        several=True,
    ),
)
