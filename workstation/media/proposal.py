"""The type module of data sets: how the files of a folder group into samples and streams, before anything is written.

A data set plug-in holds a ``DATASETS`` tuple of ``DatasetSpec``; ``grouping.py`` proposes for folders nobody knows.
``workstation add`` shows a ``Proposal`` (which file goes where, which are skipped and why) and writes it only when a
person agrees. A proposal holds values alone: making one opens files to read them and changes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from workstation.core.cameras import Camera
from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.space import Calibration, Frame
from workstation.core.timebase import IDENTITY, TimeMap, TimeRange, check_ns, offset_map
from workstation.core.values import dataclass
from workstation.media.base import Options

TIMES_OPTION = "times_ns"
TIMES_HELP = {TIMES_OPTION: "nanoseconds of the first item, then the step to each next one"}
"""The option of readers whose times a layout states: written by ``times_option``, read by ``times_given``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamProposal:
    """One stream of a sample: its files, and the reader, clock, map and frame it would get."""

    key: str
    kind: StreamKind
    files: tuple[Path, ...]
    reader: str
    options: Options = field(default_factory=dict)
    clock: str = ""
    """Whose clock the stream's times are: streams of one clock need no offset between each other."""
    clock_source: str = ""
    """Where the times come from, in words: ``hardware trigger``, ``container``, ``file names``."""
    epoch_ns: int | None = None
    """Unix time of the stream's zero, where the data set says."""
    time_map: TimeMap = IDENTITY
    frame: str = ""
    role: str = ""
    language: str = ""
    recording: str = ""
    licence: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """Where a frame sits in its parent, with the direction in which the file gives it."""

    frame: Frame
    stated: str
    """What the file says it holds, in its own words: ``Tr_velo_to_cam: camera_from_velodyne``."""
    source: Path
    doubt: str = ""
    """Why the data speak against this direction, as a sentence that offers to invert it; empty if nothing does."""

    def inverted(self) -> Mount:
        """The same numbers read the other way round, which answers the doubt."""
        if self.frame.parent_from_child is None:
            raise DataError("moves with a trajectory; only a fixed mount can be inverted", place=self.frame.name)
        turned = msgspec.structs.replace(self.frame, parent_from_child=self.frame.parent_from_child.inverted())
        return replace(self, frame=turned, stated=f"{self.stated}, inverted", doubt="")


@dataclass(frozen=True, slots=True, kw_only=True)
class RigProposal:
    """Frames and cameras of one sample."""

    mounts: tuple[Mount, ...] = ()
    cameras: tuple[Camera, ...] = ()
    valid: TimeRange | None = None
    """Session time it holds for; ``None``: always."""
    notes: tuple[str, ...] = ()

    def calibration(self) -> Calibration:
        """Frames and cameras checked together, as a rig record keeps them."""
        return Calibration(frames=tuple(mount.frame for mount in self.mounts), cameras=self.cameras)

    def inverted(self, names: Iterable[str]) -> RigProposal:
        """The rig with the mounts of these frames read the other way round."""
        wanted = set(names)
        unknown = wanted - {mount.frame.name for mount in self.mounts}
        if unknown:
            raise DataError(f"there is no mount of {', '.join(sorted(unknown))}", place="rig")
        turned = tuple(mount.inverted() if mount.frame.name in wanted else mount for mount in self.mounts)
        return replace(self, mounts=turned)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleProposal:
    """One sample with its streams."""

    key: str
    streams: tuple[StreamProposal, ...]
    rig: RigProposal | None = None
    epoch_ns: int | None = None
    """Unix time of the sample's session zero, where known."""
    properties: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file, or a folder with all in it, that goes into no sample, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Everything in a folder: what it would become, and what is left out."""

    folder: Path
    layout: str
    """Which ``DatasetSpec`` made it, or ``folder``."""
    title: str
    samples: tuple[SampleProposal, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _refuse_twice((sample.key for sample in self.samples), "samples", self.folder)
        for sample in self.samples:
            _refuse_twice((stream.key for stream in sample.streams), f"streams of {sample.key}", self.folder)

    @property
    def doubts(self) -> tuple[str, ...]:
        """What a person should look at before agreeing."""
        mounts = (mount for sample in self.samples if sample.rig for mount in sample.rig.mounts)
        return tuple(dict.fromkeys(mount.doubt for mount in mounts if mount.doubt))

    def destinations(self) -> tuple[tuple[Path, str], ...]:
        """(file, ``sample / stream`` or ``skipped: reason``) of every file, by path."""
        rows = [
            (path, f"{sample.key} / {stream.key}")
            for sample in self.samples
            for stream in sample.streams
            for path in stream.files
        ]
        rows += [
            (mount.source, f"{sample.key} / rig")
            for sample in self.samples
            if sample.rig is not None
            for mount in sample.rig.mounts
        ]
        rows += [(item.path, f"skipped: {item.reason}") for item in self.skipped]
        return tuple(sorted(dict.fromkeys(rows)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSpec:
    """One layout of folders. ``recognise`` looks at names only and is cheap; ``propose`` reads indexes and headers."""

    name: str
    title: str
    recognise: Callable[[Path], float]
    """Folder -> 0 not this layout … 1 certain."""
    propose: Callable[[Path], Proposal]


def left_over(folder: Path, named: Iterable[Path], why: Callable[[Path], str]) -> tuple[Skipped, ...]:
    """Everything of a folder that is not named yet, with why; a folder without any named file counts as one entry.

    Links are not followed.
    """
    known = set(named)
    branches = {parent for path in known for parent in path.parents}
    skipped: list[Skipped] = []
    stack = [folder]
    while stack:
        for path in sorted(stack.pop().iterdir()):
            if path in known:
                continue
            if path.is_dir() and not path.is_symlink() and path in branches:
                stack.append(path)
            else:
                skipped.append(Skipped(path, why(path)))
    return tuple(sorted(skipped, key=lambda item: item.path))


def map_from_epoch(epoch_ns: int, session_epoch_ns: int) -> TimeMap:
    """From a stream whose zero is at one Unix time to a session whose zero is at another."""
    return offset_map(epoch_ns - session_epoch_ns).found_by("declared", evidence={"epoch_ns": epoch_ns})


def aligned(sample: SampleProposal, epochs_ns: Mapping[str, int]) -> SampleProposal:
    """The sample with its streams laid on one axis by the Unix times of their zeros, as far as these are known.

    ``epochs_ns`` by stream key holds what readers said on opening (``MediaInfo.epoch_ns``); what the proposal itself
    states counts before it. The earliest becomes session zero unless the sample has one. Other streams stay.
    """
    known = {
        stream.key: stream.epoch_ns if stream.epoch_ns is not None else epochs_ns[stream.key]
        for stream in sample.streams
        if stream.epoch_ns is not None or stream.key in epochs_ns
    }
    if not known:
        return sample
    zero = min(known.values()) if sample.epoch_ns is None else sample.epoch_ns
    streams = tuple(
        replace(stream, epoch_ns=known[stream.key], time_map=map_from_epoch(known[stream.key], zero))
        if stream.key in known and stream.time_map == IDENTITY
        else stream
        for stream in sample.streams
    )
    return replace(sample, streams=streams, epoch_ns=zero)


def times_option(times_ns: Sequence[int]) -> str:
    """Times as the text of an option: the first, then the step to each next one."""
    steps = [later - earlier for earlier, later in pairwise(times_ns)]
    return " ".join(map(str, [*times_ns[:1], *steps]))


def times_given(options: Options, count: int, path: Path | None) -> NDArray[np.int64]:
    """(count,) nanoseconds: the times that the option states for that many files or rows."""
    times = _times_of(str(options.get(TIMES_OPTION, "")), place=f"option {TIMES_OPTION}")
    if not count or len(times) != count:
        raise DataError(f"{len(times)} times are given for {count} files or rows", path=path)
    return np.array(times, np.int64)


def _times_of(text: str, *, place: str) -> list[int]:
    times: list[int] = []
    at = 0
    for word in text.split():
        if not re.fullmatch(r"-?[0-9]{1,20}", word):
            raise DataError(f"{word[:40]!r} is no whole number of nanoseconds", place=place)
        at += int(word)
        times.append(check_ns(at, place=place))
    return times


def _refuse_twice(keys: Iterable[str], what: str, folder: Path) -> None:
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise DataError(f"two {what} would be called {twice[0]!r}", path=folder)
