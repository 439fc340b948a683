"""Which column of a table is time, in which unit, and its exact nanoseconds. No float ever carries a time from text.

Used by the readers of series, trajectories and sweeps. What was decided, and from what, is said in words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.timebase import LIMIT_NS

UNITS_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1000, "ns": 1}
_DIGITS = {"s": 9, "ms": 6, "us": 3, "ns": 0}
_WORDS = {
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "ms": "ms", "msec": "ms", "millis": "ms",
    "milliseconds": "ms", "us": "us", "µs": "us", "μs": "us", "usec": "us", "micros": "us", "microseconds": "us",
    "ns": "ns", "nsec": "ns", "nanos": "ns", "nanoseconds": "ns",
}  # fmt: skip
_TIME = re.compile(
    r"^(?:time|times|timestamp|timestamps|time_?stamp|t|ts|stamp|date|datetime|date_?time|utc|epoch|elapsed|sys_?time|"
    r"capture_?time|unix(?:_?time)?)(?:[_ \[(./-]+(?P<unit>\w+)[\])]?)?$",
    re.IGNORECASE,
)
_COUNTERS = re.compile(
    r"^(?:frame|frames|index|idx|id|row|n|no|nr|seq|sequence|count|cycle|sweep|number|#|)$", re.IGNORECASE
)
EPOCH_S = 1e8
"""Later than this in seconds (1973), a time counts from 1970: no recording lasts three years."""
_MISSING = ("", "nan", "na", "n/a", "null", "none", "-", "nat")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimeColumn:
    """Times of rows in nanoseconds as the file counts them, and how they were recognised."""

    name: str
    times_ns: NDArray[np.int64]
    known: NDArray[np.bool_]
    """(n,) whether the row has a time."""
    since_epoch: bool
    evidence: str


def name_unit(name: str) -> tuple[bool, str]:
    """(whether a column of that name is a time, the unit the name gives or empty)."""
    match = _TIME.match(name.strip())
    if match is None:
        return False, ""
    return True, _WORDS.get((match["unit"] or "").lower(), "")


def find_time(
    columns: Mapping[str, pa.ChunkedArray | pa.Array], *, path: Path, wanted: str = "", unit: str = ""
) -> TimeColumn:
    """The time among these columns: the one asked for, else by name, else the only one that always grows."""
    if unit and unit not in UNITS_NS:
        raise DataError(f"'{unit}' is no unit of time; it is one of {', '.join(UNITS_NS)}", path=path)
    if wanted:
        if wanted not in columns:
            raise DataError(f"it has no column '{wanted}'; it has: {', '.join(columns)}", path=path)
        return read_time(wanted, columns[wanted], path=path, unit=unit, why="named by the option")
    named = [name for name in columns if name_unit(name)[0]]
    if named:
        # A column that names its unit says more than one that does not.
        best = min(named, key=lambda name: (not name_unit(name)[1], named.index(name)))
        others = f"; also looks like time: {', '.join(n for n in named if n != best)}" if len(named) > 1 else ""
        return read_time(best, columns[best], path=path, unit=unit, why=f"its name{others}")
    growing = [name for name, values in columns.items() if not _COUNTERS.match(name.strip()) and _grows(values)]
    if len(growing) == 1:
        return read_time(growing[0], columns[growing[0]], path=path, unit=unit, why="the only column that always grows")
    listed = ", ".join(columns) or "none"
    raise DataError(
        f"no column is clearly its time; name it with the option 'time_column' (columns: {listed})", path=path
    )


def read_time(name: str, values: pa.ChunkedArray | pa.Array, *, path: Path, unit: str, why: str) -> TimeColumn:
    """Exact nanoseconds of one column of text, numbers or dates."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    place = f"column {name}"
    if pa.types.is_temporal(values.type):
        known, times = _from_dates(values)
        return _checked(name, times, known, f"{why}; dates", path, epoch=True)
    given = name_unit(name)[1]
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        values, is_date = _from_text(values, path, place)
        if is_date:
            known, times = _from_dates(values)
            return _checked(name, times, known, f"{why}; dates", path, epoch=True)
    rough = _rough(values, path, place)
    chosen, unit_why = (
        (unit, "unit from the option") if unit else (given, "unit from its name") if given else guess_unit(rough)
    )
    times, known = _exact(values, chosen, path, place)
    epoch = bool(len(rough)) and float(np.abs(rough).max()) * UNITS_NS[chosen] / 1e9 >= EPOCH_S
    return _checked(name, times, known, f"{why}; {chosen}: {unit_why}", path, epoch=epoch)


def guess_unit(values: NDArray[np.float64]) -> tuple[str, str]:
    """(unit, why) from the numbers alone: the epoch gives it away, else the step."""
    if not len(values):
        return "s", "nothing to judge it by"
    largest = float(np.abs(values).max())
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)):
        if EPOCH_S * factor <= largest < 100 * EPOCH_S * factor:
            return unit, f"counted in {unit} since 1970 they are dates between 1973 and 2286"
    steps = np.diff(values)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    if (values != np.rint(values)).any() or step == 0:
        return "s", "fractions, and no unit is named"
    for unit, least in (("ns", 1e6), ("us", 1e3), ("ms", 4.0)):
        if step >= least:
            return unit, f"whole numbers {step:g} apart, and no unit is named"
    return "s", f"whole numbers {step:g} apart, and no unit is named"


def relative(times: TimeColumn) -> tuple[NDArray[np.int64], int | None]:
    """(stream times, Unix time of their zero): times since 1970 count from the first one, others as they are."""
    if not times.since_epoch or not times.known.any():
        return times.times_ns, None
    first = int(times.times_ns[times.known].min())
    return times.times_ns - first, first


def texts(lines: Sequence[str]) -> pa.Array:
    """Lines of text as a column."""
    return pa.array(list(lines), pa.string())


def _checked(
    name: str, times: NDArray[np.int64], known: NDArray[np.bool_], evidence: str, path: Path, *, epoch: bool
) -> TimeColumn:
    if not known.any():
        raise DataError("no row has a time", path=path, place=f"column {name}")
    held = times[known]
    if int(held.max()) >= LIMIT_NS or int(held.min()) <= -LIMIT_NS:
        raise DataError("times reach more than 146 years from zero; check the unit", path=path, place=f"column {name}")
    return TimeColumn(name=name, times_ns=np.where(known, times, 0), known=known, since_epoch=epoch, evidence=evidence)


def _from_text(values: pa.Array, path: Path, place: str) -> tuple[pa.Array, bool]:
    """Text as whole numbers, as decimals with 18 places, or as dates; (values, whether dates)."""
    trimmed = pc.utf8_trim_whitespace(values)
    trimmed = pc.if_else(pc.is_in(pc.utf8_lower(trimmed), pa.array(_MISSING)), None, trimmed)
    for kind in (pa.int64(), pa.decimal128(38, 18), pa.float64()):
        try:
            return pc.cast(trimmed, kind), False
        except pa.ArrowInvalid:
            continue  # another kind of number, or a date
    # Arrow reads "2011-09-26 13:02:25.594360375" only with a zone named: without one it is taken as UTC.
    zoned = pc.match_substring_regex(trimmed, r"(?i)(z|[+-]\d\d:?\d\d)$")
    utc = pc.if_else(zoned, trimmed, pc.binary_join_element_wise(trimmed, "Z", ""))
    try:
        return pc.cast(utc, pa.timestamp("ns", "UTC")), True
    except pa.ArrowInvalid as error:
        shown = next((text for text in trimmed.to_pylist() if text and not text[:1].isdigit()), trimmed[0].as_py())
        raise DataError(f"'{str(shown)[:60]}' is neither a number nor a date", path=path, place=place) from error


def _from_dates(values: pa.Array) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    if pa.types.is_date(values.type):
        values = pc.cast(values, pa.timestamp("ns"))
    unit = getattr(values.type, "unit", "ns")
    whole = values.view(pa.int64()) if values.type.bit_width == 64 else pc.cast(values.view(pa.int32()), pa.int64())
    known = np.asarray(whole.is_valid())
    return known, np.asarray(whole.fill_null(0)) * np.int64(UNITS_NS[unit])


def _rough(values: pa.Array, path: Path, place: str) -> NDArray[np.float64]:
    try:
        numbers = np.asarray(pc.cast(values, pa.float64(), safe=False).fill_null(np.nan), np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"values of kind {values.type} are no times", path=path, place=place) from error
    return numbers[np.isfinite(numbers)]


def _exact(values: pa.Array, unit: str, path: Path, place: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    known = np.array(values.is_valid())
    try:
        if pa.types.is_integer(values.type):
            whole = pc.cast(values, pa.int64())
            scaled = pc.multiply_checked(whole, pa.scalar(UNITS_NS[unit], pa.int64()))
            return np.asarray(scaled.fill_null(0)), known
        if pa.types.is_decimal(values.type):
            rounded = pc.round(values, ndigits=_DIGITS[unit], round_mode="half_up")
            fixed = pc.cast(rounded, pa.decimal128(38, _DIGITS[unit]), safe=False)
            return _unscaled(fixed, path, place), known
    except pa.ArrowInvalid as error:
        raise DataError(
            f"times do not fit in 64 bits of nanoseconds; check the unit ({unit})", path=path, place=place
        ) from error
    numbers = np.asarray(pc.cast(values, pa.float64(), safe=False).fill_null(np.nan), np.float64)
    known &= np.isfinite(numbers)
    numbers = np.where(known, numbers, 0)
    if np.abs(numbers).max(initial=0) * UNITS_NS[unit] >= LIMIT_NS:
        raise DataError("times reach more than 146 years from zero; check the unit", path=path, place=place)
    base = np.trunc(numbers)
    rest = np.rint((numbers - base) * UNITS_NS[unit]).astype(np.int64)
    return base.astype(np.int64) * UNITS_NS[unit] + rest, known


def _unscaled(values: pa.Array, path: Path, place: str) -> NDArray[np.int64]:
    """The whole numbers a decimal column holds; its 128 bits are two words, the upper one the sign of the lower."""
    words = np.frombuffer(values.buffers()[1], "<i8", count=2 * (len(values) + values.offset)).reshape(-1, 2)
    words = words[values.offset :]
    known = np.asarray(values.is_valid())
    low, high = np.where(known, words[:, 0], 0), np.where(known, words[:, 1], 0)
    if (high != (low >> 63)).any():
        raise DataError("times do not fit in 64 bits of nanoseconds; check the unit", path=path, place=place)
    return low


def _grows(values: Any) -> bool:
    try:
        numbers = np.asarray(pc.cast(values, pa.float64(), safe=False).fill_null(np.nan), np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False  # text: not a time by its values
    return len(numbers) > 2 and bool((np.diff(numbers) > 0).all())
