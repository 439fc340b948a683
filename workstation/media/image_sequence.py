"""Numbered or time-stamped pictures as a stream with exact times, the way a video is one. Used by ``image.py``.

A missing number and a long silence between time stamps are gaps: nothing is shown in them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import SECOND_NS, FrameTable
from workstation.media.base import CancelToken, Limits, OpenContext, Options, Picture, Pixels, View
from workstation.media.image_decode import decode, read_header
from workstation.media.image_levels import single_level
from workstation.media.items import TimedItems, info_of_table, table_of_times

_VIEW = View()
_UNITS = ("s", "ms", "us", "ns")


class ImageSequence(TimedItems):
    """Pictures with times. Upright, in the depth of the files; any thread."""

    def __init__(
        self,
        files: Sequence[Path],
        table: FrameTable,
        context: OpenContext,
        *,
        clock_source: str,
        epoch_ns: int | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        """``files[i]`` is frame ``i`` of ``table``. Readers of datasets that know their capture times call this."""
        if len(files) != len(table) or not files:
            raise DataError(f"{len(files)} pictures and {len(table)} times: there must be one time for each")
        self._files = tuple(files)
        self.table = table
        self._limits = context.limits
        self._share = context.memory.share()
        self._lock = threading.RLock()
        self._item_bytes = 1
        first = read_header(self._files[0], context.limits)
        self.width_px, self.height_px = first.width_px, first.height_px
        self.info = info_of_table(
            StreamKind.VIDEO,
            table,
            clock_source=clock_source,
            epoch_ns=epoch_ns,
            details={
                "format": first.format,
                "width_px": first.width_px,
                "height_px": first.height_px,
                "depth": first.depth,
            },
            notes=notes + first.notes,
        )

    @property
    def paths(self) -> tuple[Path, ...]:
        return self._files

    def held(self, index: int, view: View = _VIEW) -> bool:
        return index in self._share

    def held_picture(self, index: int, view: View = _VIEW) -> Picture | None:
        return self.picture(index, view) if index in self._share else None

    def picture(self, index: int, view: View = _VIEW, *, cancel: CancelToken | None = None) -> Picture:
        pixels = self._pixels(index, cancel or CancelToken())
        return single_level(pixels).picture(view)

    def value_at(self, index: int, x_px: int, y_px: int) -> tuple[int | float, ...]:
        return single_level(self._pixels(index, CancelToken())).value_at(x_px, y_px)

    def read_ahead(self, index: int, direction: int, count: int, *, cancel: CancelToken, view: View = _VIEW) -> None:
        affordable = max(1, self._share.fair_bytes // (2 * self._item_bytes))
        for step in range(min(count, affordable)):
            at = index + step * (1 if direction > 0 else -1)
            if not 0 <= at < len(self._files):
                return
            if at not in self._share:
                cancel.check()
                try:
                    self._pixels(at, cancel)
                except DataError:
                    continue  # whoever asks for that picture is told

    def close(self) -> None:
        self._share.close()

    def _pixels(self, index: int, cancel: CancelToken) -> Pixels:
        found: Pixels | None = self._share.get(self.item(index).index)
        if found is None:
            cancel.check()
            found = decode(read_header(self._files[index], self._limits))
            self._item_bytes = max(1, found.nbytes)
            self._share.put(index, found, found.nbytes)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    nanoseconds: list[int]
    source: str
    absolute: bool = False
    """Unix time."""
    hold_ns: int | None = None
    notes: tuple[str, ...] = ()


def sequence_from_files(paths: Sequence[Path], options: Options, context: OpenContext) -> ImageSequence:
    """Order the pictures by their times and open them; a folder stands for the pictures in it."""
    files = _listed(paths)
    context.limits.check_items(len(files), path=files[0].parent)
    if "times_file" in options:
        return _with_listed_times(files, options, context)
    times = _times(files, options)
    order = sorted(range(len(files)), key=lambda i: (times.nanoseconds[i], files[i].name))
    ordered = [times.nanoseconds[i] for i in order]
    start = ordered[0] if times.absolute else 0
    units = np.array([time - start for time in ordered], np.int64)
    table = table_of_times(units, hold_ns=times.hold_ns)
    return ImageSequence(
        [files[i] for i in order],
        table,
        context,
        clock_source=times.source,
        epoch_ns=start if times.absolute else None,
        notes=times.notes,
    )


def _with_listed_times(files: list[Path], options: Options, context: OpenContext) -> ImageSequence:
    """The times that a file beside the pictures lists: as text, table or JSON, seconds or dates."""
    from workstation.media.sweep_times import listed_times  # brings Arrow, which other sequences go without

    unit = str(options.get("times_unit", ""))
    if unit and unit not in _UNITS:
        raise DataError(f"'times_unit' is one of {', '.join(_UNITS)}, not {unit!r}", path=files[0].parent)
    name, _, inside = str(options["times_file"]).partition("#")
    files.sort()
    times = listed_times(files, files[0].parent / name, inside=inside, unit=unit, paced=False)
    return ImageSequence(
        [files[i] for i in times.order],
        times.table,
        context,
        clock_source=times.source,
        epoch_ns=times.epoch_ns,
        notes=times.notes,
    )


def _listed(paths: Sequence[Path]) -> list[Path]:
    from workstation.media.image import _SUFFIXES

    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files.extend(sorted(entry for entry in path.iterdir() if entry.suffix.lower() in _SUFFIXES))
        else:
            files.append(path)
    if not files:
        place = paths[0] if paths else None
        raise DataError("there are no pictures in it", path=place)
    return files


def _times(files: list[Path], options: Options) -> _Times:
    wanted = options.get("times")
    if wanted not in (None, "names", "numbers", "exif"):
        raise DataError(f"'times' is 'names', 'numbers' or 'exif', not {wanted!r}", path=files[0].parent)
    if wanted == "exif":
        return _from_exif(files)
    if wanted in (None, "names") and "rate_hz" not in options:
        stamped = _from_names(files)
        if stamped is not None:
            return stamped
        if wanted == "names":
            raise DataError("the file names hold no time stamps of one kind", path=files[0].parent)
    return _from_numbers(files, options)


# Unix time by its number of digits, which tells the unit until the year 2286; then calendar dates.
_EPOCH = re.compile(r"(?<!\d)(?:([1-9]\d{18})|([1-9]\d{15})|([1-9]\d{12})|([1-9]\d{9})[._](\d{1,9}))(?!\d)")
_CALENDAR = re.compile(
    r"(?<!\d)(\d{4})[-_]?(\d\d)[-_]?(\d\d)[-_T ]?(\d\d)[-_:]?(\d\d)[-_:]?(\d\d)(?:[._-]?(\d{1,9}))?(?!\d)"
)


def _from_names(files: list[Path]) -> _Times | None:
    epoch = [_epoch_ns(path.stem) for path in files]
    if None not in epoch:
        return _Times(nanoseconds=[time for time in epoch if time is not None], source="file names", absolute=True)
    calendar = [_calendar_ns(path.stem) for path in files]
    if None not in calendar:
        return _Times(
            nanoseconds=[time for time in calendar if time is not None],
            source="file names",
            absolute=True,
            notes=("the dates in the file names state no time zone and were taken as UTC",),
        )
    return None


def _epoch_ns(stem: str) -> int | None:
    found = _EPOCH.search(stem)
    if not found:
        return None
    nano, micro, milli, seconds, fraction = found.groups()
    if seconds:
        return int(seconds) * SECOND_NS + int(fraction.ljust(9, "0"))
    return int(nano) if nano else int(micro) * 1000 if micro else int(milli) * 1_000_000


def _calendar_ns(stem: str) -> int | None:
    found = _CALENDAR.search(stem)
    if not found:
        return None
    try:
        moment = datetime(*(int(part) for part in found.groups()[:6]), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    return int(moment.timestamp()) * SECOND_NS + int((found[7] or "0").ljust(9, "0"))


def _from_numbers(files: list[Path], options: Options) -> _Times:
    numbers: list[int] = []
    for path in files:
        digits = re.findall(r"\d+", path.stem)
        if not digits:
            raise DataError("the file name holds no number, so its place in the sequence is unknown", path=path)
        numbers.append(int(digits[-1]))
    if len(set(numbers)) != len(numbers):
        raise DataError("two files have the same number; open them as two streams", path=files[0].parent)
    rate = options.get("rate_hz", 1)
    if isinstance(rate, bool | str) or not 1e-6 <= rate <= 1e6:
        raise DataError(f"'rate_hz' is a number of pictures a second, not {rate!r}", path=files[0].parent)
    step = SECOND_NS / Fraction(str(rate))
    first = min(numbers)
    if (max(numbers) - first) * step > 1 << 60:
        raise DataError("the numbers are too far apart to be one sequence", path=files[0].parent)
    stated = "rate_hz" in options
    return _Times(
        # Each time is rounded once from its number: a rate such as 29.97 does not drift.
        nanoseconds=[int((number - first) * step + Fraction(1, 2)) for number in numbers],
        source=f"file numbers at {rate} a second",
        hold_ns=max(1, -int(-step // 1)),
        notes=() if stated else ("no rate was stated for the numbered pictures; one a second was assumed",),
    )


def _from_exif(files: list[Path]) -> _Times:
    times: list[int] = []
    notes: tuple[str, ...] = ()
    for path in files:
        header = read_header(path, Limits())
        if header.taken_ns is not None:
            times.append(header.taken_ns)
            continue
        local = _calendar_ns(header.taken.replace(":", "-"))
        if local is None:
            raise DataError("its EXIF block does not say when it was taken", path=path)
        times.append(local)
        notes = ("the cameras' times state no time zone and were taken as UTC",)
    return _Times(nanoseconds=times, source="EXIF", absolute=True, notes=notes)
