"""Readers over values already in memory: for formats that are read whole, built in or in a plug-in.

A plug-in may import this module beside ``media/base.py``: whoever has parsed its file hands the values over and is
done. Text, series and trajectories; what must stay on disk (video, clouds, sound, volumes) has readers of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import TimeRange
from workstation.media.base import Channel, MediaInfo, OptionValue, TextPart
from workstation.media.items import info_of_rows

_NOT_UNIT = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldText:
    """A ``TextReader`` of a text and its parts."""

    paths: tuple[Path, ...]
    text: str
    parts: tuple[TextPart, ...]
    info: MediaInfo

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldSeries:
    """A ``SeriesReader`` of columns: (n,) int64 times that never fall, (n, channels) float64 values, NaN for gaps."""

    paths: tuple[Path, ...]
    channels: tuple[Channel, ...]
    times_ns: NDArray[np.int64]
    table: NDArray[np.float64]
    info: MediaInfo

    def values(self, channel: str) -> NDArray[np.float64]:
        for i, known in enumerate(self.channels):
            if known.name == channel:
                return self.table[:, i]
        raise DataError(f"it has no channel '{channel}'", path=self.paths[0] if self.paths else None)

    def samples(self, channel: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """All channels share the times of the table."""
        return self.times_ns, self.values(channel)

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldTrajectory:
    """A ``TrajectoryReader`` of poses: (n,) rising times, (n, 3) metres, (n, 4) quaternions (w, x, y, z)."""

    paths: tuple[Path, ...]
    parent_frame: str
    child_frame: str
    times_ns: NDArray[np.int64]
    positions_m: NDArray[np.float64]
    rotations: NDArray[np.float64]
    info: MediaInfo

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where held values came from: files, clock, and what is worth telling."""

    paths: tuple[Path, ...]
    clock_source: str
    epoch_ns: int | None = None
    details: Mapping[str, OptionValue] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def held_text(
    path: Path, text: str, parts: Sequence[TextPart], *, kind: StreamKind = StreamKind.TEXT, origin: Origin
) -> HeldText:
    """Text with its parts; the span is measured from the parts that have times."""
    spans = [part.span for part in parts if part.span is not None]
    span = TimeRange(min(s.start_ns for s in spans), max(s.end_ns for s in spans)) if spans else None
    info = MediaInfo(
        kind=kind,
        span=span,
        count=len(text),
        clock_source=origin.clock_source,
        epoch_ns=origin.epoch_ns,
        details=origin.details,
        notes=origin.notes,
    )
    return HeldText(paths=(path,), text=text, parts=tuple(parts), info=info)


def held_series(
    channels: Sequence[Channel], times_ns: NDArray[np.int64], table: NDArray[np.float64], *, origin: Origin
) -> HeldSeries:
    """Columns over time. Rows are sorted by time if they were not, and that is noted."""
    if table.shape != (len(times_ns), len(channels)):
        raise DataError(
            f"{len(times_ns)} times and {len(channels)} channels do not fit a table of {table.shape}",
            path=origin.paths[0] if origin.paths else None,
        )
    order, notes = _rising_order(times_ns, origin.notes)
    times_ns, table = times_ns[order], table[order]
    return HeldSeries(
        paths=origin.paths,
        channels=tuple(channels),
        times_ns=times_ns,
        table=table,
        info=_info(StreamKind.SERIES, times_ns, origin, notes),
    )


def held_trajectory(
    frames: tuple[str, str],
    times_ns: NDArray[np.int64],
    positions_m: NDArray[np.float64],
    rotations: NDArray[np.float64],
    *,
    origin: Origin,
) -> HeldTrajectory:
    """Poses of ``frames[1]`` in ``frames[0]``. Of poses at the same time the first counts, which is noted."""
    order, notes = _rising_order(times_ns, origin.notes)
    times_ns, positions_m, rotations = times_ns[order], positions_m[order], rotations[order]
    fresh = np.append(True, np.diff(times_ns) > 0) if len(times_ns) else np.zeros(0, bool)
    if not fresh.all():
        notes = (*notes, f"{int((~fresh).sum())} poses repeat the time of the one before; the first of each counts")
    times_ns, positions_m, rotations = times_ns[fresh], positions_m[fresh], rotations[fresh]
    return HeldTrajectory(
        paths=origin.paths,
        parent_frame=frames[0],
        child_frame=frames[1],
        times_ns=times_ns,
        positions_m=positions_m,
        rotations=rotations,
        info=_info(StreamKind.TRAJECTORY, times_ns, origin, notes),
    )


def unit_rotations(turns: NDArray[np.float64], what: str = "poses") -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """(n, 4) quaternions at length one, and a note; rows that are no rotation within a hundredth become NaN."""
    # No part of a rotation is beyond one: damaged numbers are cut so that their squares fit.
    lengths = np.linalg.norm(np.clip(turns, -2.0, 2.0), axis=1)
    odd = ~(np.abs(lengths - 1) < _NOT_UNIT)
    scaled = turns / np.where(odd, 1.0, lengths)[:, None]
    scaled[odd] = np.nan
    return scaled, (f"{int(odd.sum())} {what} have no unit quaternion: gaps",) if odd.any() else ()


def _rising_order(times_ns: NDArray[np.int64], notes: tuple[str, ...]) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    backward = int((np.diff(times_ns) < 0).sum())
    if not backward:
        return np.arange(len(times_ns)), notes
    return np.argsort(times_ns, kind="stable"), (*notes, f"the time runs backward {backward} times; rows were sorted")


def _info(kind: StreamKind, times_ns: NDArray[np.int64], origin: Origin, notes: tuple[str, ...]) -> MediaInfo:
    return info_of_rows(
        kind,
        times_ns,
        clock_source=origin.clock_source,
        epoch_ns=origin.epoch_ns,
        details=origin.details,
        notes=notes,
    )
