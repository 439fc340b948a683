"""WFDB records, as PhysioNet publishes ECGs and other medical signals: a header (``100.hea``) and its signal file.

The header says sampling rate, and of each signal its file, format, gain, baseline, unit and name; the samples of all
signals of one file stand in turn. Values come out in the signal's unit; the code that stands for *no value* is a gap.
The header's checksum of each signal is compared with its samples: a record that was cut or damaged says so.
Left out, with the reason: records of several segments, signals with several samples a frame, and compressed ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.files import read_bounded
from workstation.core.sample import StreamKind
from workstation.core.timebase import SECOND_NS
from workstation.media.base import Channel, OpenContext, Options, ReaderSpec
from workstation.media.held import HeldSeries, Origin, held_series
from workstation.media.proposal import (
    DatasetSpec,
    Proposal,
    SampleProposal,
    Skipped,
    StreamProposal,
    left_over,
)

Int32s = NDArray[np.int32]
_HEADER_BYTES = 1 << 20
_MOST_SIGNALS = 256
_MOST_RATE_HZ = 1e6
_BYTES = {16: (2, 1), 24: (3, 1), 32: (4, 1), 80: (1, 1), 212: (3, 2)}
"""Format -> so many bytes hold so many samples."""
_NO_VALUE = {16: -(1 << 15), 24: -(1 << 23), 32: -(1 << 31), 80: -128, 212: -2048}
_GAIN = re.compile(r"(?P<gain>[-+]?[\d.]+(?:[eE][-+]?\d+)?)(?:\((?P<baseline>-?\d+)\))?(?:/(?P<unit>\S+))?\Z")
_UNITS = {"uV": "µV", "degC": "°C", "NU": "", "nd": ""}
_WHY_SKIPPED = {".atr": "holds annotations: an import, not a stream", ".qrs": "holds annotations: an import"}


@dataclass(frozen=True, slots=True)
class _Signal:
    """One line of a header."""

    file: str
    form: int
    offset: int
    gain: float
    baseline: int
    unit: str
    checksum: int | None
    name: str


@dataclass(frozen=True, slots=True)
class _Record:
    """A header. ``length`` is 0 where the signal file says how many samples there are."""

    name: str
    rate_hz: float
    length: int
    signals: tuple[_Signal, ...]


# --- the layout ---------------------------------------------------------------------------------------------------


def recognise(folder: Path) -> float:
    """A folder with at least one header that can be read, whose signal file is there."""
    return 0.9 if any(True for _ in _readable(folder, [])) else 0.0


def propose(folder: Path) -> Proposal:
    """One sample a record, one stream a signal file."""
    skipped: list[Skipped] = []
    samples, used = [], set()
    for header, record in _readable(folder, skipped):
        streams: list[StreamProposal] = []
        for file in dict.fromkeys(signal.file for signal in record.signals):
            path = header.parent / file
            used |= {header, path}
            key = "signals" if not streams else f"signals_{len(streams) + 1}"
            streams.append(
                StreamProposal(
                    key=key,
                    kind=StreamKind.SERIES,
                    files=(header, path),
                    reader="wfdb_signals",
                    clock="record",
                    clock_source="sample count",
                )
            )
        samples.append(SampleProposal(key=record.name, streams=tuple(streams)))
    named = used | {each.path for each in skipped}
    skipped += left_over(folder, named, lambda path: _WHY_SKIPPED.get(path.suffix, "is no part of a record"))
    return Proposal(folder=folder, layout="wfdb", title="WFDB records", samples=tuple(samples), skipped=tuple(skipped))


def _readable(folder: Path, skipped: list[Skipped]) -> Iterator[tuple[Path, _Record]]:
    headers = sorted([*folder.glob("*.hea"), *folder.glob("*/*.hea")])
    for header in headers:
        try:
            record = _read_header(header)
            for signal in record.signals:
                _signal_file(header, signal.file)
        except DataError as problem:
            skipped.append(Skipped(header, problem.reason))
            continue
        yield header, record


# --- the reader ---------------------------------------------------------------------------------------------------


def open_signals(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldSeries:
    """The signals of one file of a record: its header and that file, in either order."""
    del options
    header = next((each for each in paths if each.suffix.lower() == ".hea"), None)
    files = [each for each in paths if each is not header]
    if header is None or len(files) != 1:
        raise DataError("a stream of a record is its header (.hea) and one signal file", path=paths[0])
    record = _read_header(header)
    mine = [signal for signal in record.signals if signal.file == files[0].name]
    if not mine:
        raise DataError(f"its header does not speak of {files[0].name}", path=header)
    samples, notes = _read_samples(files[0], mine, record, context)
    table = np.empty(samples.shape, np.float64)
    for i, signal in enumerate(mine):
        column = samples[:, i]
        table[:, i] = (column - float(signal.baseline)) / signal.gain
        table[column == _NO_VALUE[signal.form], i] = np.nan
    names = _distinct([signal.name for signal in mine])
    channels = [Channel(name=name, unit=signal.unit) for name, signal in zip(names, mine, strict=True)]
    # Sample by sample, rounded once: a rate of 360 a second has no whole number of nanoseconds between two.
    times = np.rint(np.arange(len(table)) * (SECOND_NS / record.rate_hz)).astype(np.int64)
    origin = Origin(
        paths=(header, files[0]), clock_source="sample count", notes=notes,
        details={"record": record.name, "rate_hz": record.rate_hz},
    )  # fmt: skip
    return held_series(channels, times, table, origin=origin)


def _read_header(path: Path) -> _Record:
    text = read_bounded(path, _HEADER_BYTES).decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    words = lines[0].split() if lines else []
    if len(words) < 2:
        raise DataError("its first line names no record and number of signals", path=path)
    if "/" in words[0]:
        raise DataError("a record of several segments; join them first (xform of the WFDB tools)", path=path)
    count = _whole(words[1], path, "the number of signals", 1, _MOST_SIGNALS)
    rate = _number((words[2] if len(words) > 2 else "250").partition("/")[0], path, "the sampling rate")
    if not 0 < rate <= _MOST_RATE_HZ:
        raise DataError(f"{rate:g} samples a second is no usable rate", path=path)
    length = _whole(words[3], path, "the number of samples", 0, 1 << 40) if len(words) > 3 else 0
    if len(lines) < count + 1:
        raise DataError(f"it speaks of {count} signals and describes {len(lines) - 1}", path=path)
    signals = tuple(_signal(line, i, path) for i, line in enumerate(lines[1 : count + 1]))
    return _Record(words[0], rate, length, signals)


def _signal(line: str, number: int, path: Path) -> _Signal:
    words = line.split(maxsplit=8)
    place = f"signal {number}"
    if len(words) < 2:
        raise DataError("names no file and format", path=path, place=place)
    form, plus, offset = words[1].partition("+")
    if not form.isdigit() or int(form) not in _BYTES:
        known = ", ".join(map(str, _BYTES))
        raise DataError(f"format {words[1][:20]} cannot be read; can be: {known}", path=path, place=place)
    zero = _whole(words[4], path, place, -(1 << 31), 1 << 31) if len(words) > 4 else 0
    gain, baseline, unit = 200.0, zero, "mV"
    if len(words) > 2:
        found = _GAIN.match(words[2])
        if found is None:
            raise DataError(f"{words[2][:40]!r} is no gain", path=path, place=place)
        gain = _number(found["gain"], path, place) or 200.0
        baseline = int(found["baseline"]) if found["baseline"] is not None else zero
        unit = found["unit"] or "mV"
    checksum = _whole(words[6], path, place, -(1 << 31), 1 << 31) if len(words) > 6 else None
    return _Signal(
        file=words[0], form=int(form), offset=_whole(offset, path, place, 0, 1 << 40) if plus else 0, gain=gain,
        baseline=baseline, unit=_UNITS.get(unit, unit), checksum=checksum,
        name=words[8] if len(words) > 8 else f"signal {number}",
    )  # fmt: skip


def _signal_file(header: Path, name: str) -> Path:
    """Beside its header, and nowhere else: a header that names a path elsewhere is not followed."""
    if Path(name).name != name or name in ("", ".", "..", "-", "~"):
        raise DataError(f"its signal file {name[:60]!r} does not lie beside it", path=header)
    path = header.parent / name
    if not path.is_file():
        raise DataError(f"its signal file {name[:60]!r} is missing", path=header)
    return path


def _read_samples(
    path: Path, signals: Sequence[_Signal], record: _Record, context: OpenContext
) -> tuple[Int32s, tuple[str, ...]]:
    """(n, signals) as stored, and what is worth telling."""
    form, offset = signals[0].form, signals[0].offset
    if any((each.form, each.offset) != (form, offset) for each in signals):
        raise DataError("its signals are stored in different ways", path=path)
    context.limits.check_bytes(path.stat().st_size * 4, path=path)
    data = path.read_bytes()[offset:]
    bytes_each, samples_each = _BYTES[form]
    flat = _unpacked(np.frombuffer(data, np.uint8, len(data) // bytes_each * bytes_each), form)
    frames = len(flat) // len(signals)
    if samples_each == 2 and record.length and frames * len(signals) > record.length * len(signals):
        frames = record.length  # an odd number of samples leaves half of the last group over
    notes = []
    if record.length and frames != record.length:
        if frames < record.length:
            notes.append(f"the header speaks of {record.length:,} samples, the file holds {frames:,}: it was cut")
        frames = min(frames, record.length)
    table = flat[: frames * len(signals)].reshape(frames, len(signals))
    for i, signal in enumerate(signals):
        if signal.checksum is None or (record.length and frames < record.length):
            continue
        total = int(table[:, i].astype(np.int64).sum())
        if (total - signal.checksum) % (1 << 16):
            notes.append(f"{signal.name}: the samples do not have the checksum that the header names")
    return table, tuple(notes)


def _unpacked(data: NDArray[np.uint8], form: int) -> Int32s:
    if form == 80:
        return data.astype(np.int32) - 128
    if form in (16, 32):
        return data.view(f"<i{form // 8}").astype(np.int32)
    parts = data.reshape(-1, 3).astype(np.int32)
    if form == 24:
        joined: Int32s = parts[:, 0] | parts[:, 1] << 8 | parts[:, 2] << 16
        return np.where(joined >= 1 << 23, joined - (1 << 24), joined)
    pairs: Int32s = np.empty((len(parts), 2), np.int32)
    pairs[:, 0] = parts[:, 0] | (parts[:, 1] & 0x0F) << 8
    pairs[:, 1] = parts[:, 2] | (parts[:, 1] & 0xF0) << 4
    pairs[pairs >= 2048] -= 4096
    return pairs.reshape(-1)


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result


def _whole(text: str, path: Path, what: str, low: int, high: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise DataError(f"{text[:40]!r} is no usable number for {what}", path=path)
    return value


def _number(text: str, path: Path, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise DataError(f"{text[:40]!r} is no usable number for {what}", path=path)
    return value


READERS = (
    ReaderSpec(
        name="wfdb_signals",
        kind=StreamKind.SERIES,
        title="WFDB signals",
        suffixes=(".hea",),
        open=open_signals,
        several=True,
    ),
)
DATASETS = (DatasetSpec(name="wfdb", title="WFDB records", recognise=recognise, propose=propose),)
