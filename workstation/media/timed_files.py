"""Pictures and sweeps whose times a data set states in an index of its own: the proposal carries them in an option.

The plain ``image_sequence`` and ``cloud`` find times themselves in names, numbers or a list beside the files; these are
for layouts that keep them elsewhere. Opened through ``READERS``, chosen by a data set and never by content.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import FrameTable
from workstation.media.base import OpenContext, Options, ReaderSpec
from workstation.media.cloud import READERS as _CLOUD_READERS
from workstation.media.cloud import CloudFiles
from workstation.media.image_sequence import ImageSequence
from workstation.media.items import table_of_times
from workstation.media.proposal import TIMES_HELP, times_given
from workstation.media.radar import RadarFiles

if TYPE_CHECKING:
    from workstation.media.sweep_times import SweepTimes


def open_timed_images(paths: Sequence[Path], options: Options, context: OpenContext) -> ImageSequence:
    """The pictures in the order of their times."""
    files, table = _in_order(paths, options)
    return ImageSequence(files, table, context, clock_source=_source(options))


def open_timed_clouds(paths: Sequence[Path], options: Options, context: OpenContext) -> CloudFiles:
    """The sweeps in the order of their times."""
    files, passed, times = _stated(paths, options)
    return CloudFiles(files, passed, context, times=times)


def open_timed_radar(paths: Sequence[Path], options: Options, context: OpenContext) -> RadarFiles:
    """The cycles of a radar in the order of their times."""
    files, passed, times = _stated(paths, options)
    return RadarFiles(files, passed, context, times=times)


def _stated(paths: Sequence[Path], options: Options) -> tuple[list[Path], Options, SweepTimes]:
    """The files in order, what is left of the options, and the times."""
    from workstation.media.sweep_times import SweepTimes  # brings Arrow, which a list of readers goes without

    files, table = _in_order(paths, options)
    passed = {name: value for name, value in options.items() if name not in _OPTIONS}
    times = SweepTimes(table=table, order=tuple(range(len(files))), epoch_ns=None, source=_source(options))
    return files, passed, times


def _source(options: Options) -> str:
    return str(options.get("clock_source", "data set"))


def _in_order(paths: Sequence[Path], options: Options) -> tuple[list[Path], FrameTable]:
    if not paths:
        raise DataError("a sequence needs at least one file")
    times = times_given(options, len(paths), paths[0].parent)
    order = np.argsort(times, kind="stable")
    units = times[order]
    hold = options.get("hold_ns")
    if hold is not None and (isinstance(hold, bool) or not isinstance(hold, int) or hold <= 0):
        raise DataError(f"'hold_ns' is a whole number of nanoseconds, not {hold!r}", path=paths[0].parent)
    table = table_of_times(units, hold_ns=hold, paced=True)
    return [paths[i] for i in order.tolist()], table


_OPTIONS = {
    **TIMES_HELP,
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
        open=open_timed_images,
        options=_OPTIONS,
        several=True,
    ),
    ReaderSpec(
        name="timed_clouds",
        kind=StreamKind.CLOUD,
        title="Sweeps with times of a data set",
        suffixes=(".bin", ".pcd"),
        open=open_timed_clouds,
        options={**_OPTIONS, **_CLOUD_OPTIONS},
        several=True,
    ),
    ReaderSpec(
        name="timed_radar",
        kind=StreamKind.RADAR,
        title="Radar cycles with times of a data set",
        suffixes=(".pcd",),
        open=open_timed_radar,
        options={**_OPTIONS, **_CLOUD_OPTIONS},
        several=True,
    ),
)
