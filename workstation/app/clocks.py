"""The clocks of a sample: the table of them, the odd one out, and alignment by time stamps where no hardware did it.

Called by ``workstation sync``. The estimators are in ``sync/``; here their signals are fetched from the streams and
what they find is written, in one step that can be taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from workstation.app.moment import map_in_words, table_of
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError, UserError
from workstation.core.ratio import Int64s
from workstation.core.sample import Sample, Stream
from workstation.core.sync_state import SYNC_GATE, SyncBasis, sync_basis, sync_state, timed
from workstation.core.timebase import TimeMap
from workstation.media.base import AudioReader, Reader
from workstation.media.sweep_times import listed_times
from workstation.store.media_files import locate
from workstation.sync.clock_reference import ClockReport, ClockSpan, find_odd_clocks
from workstation.sync.interpolation import METHOD, map_from_stamps, rhythm_residual_ns

STAMP_ENDINGS = tuple(
    f"{joint}{word}{ending}"
    for word in ("times", "timestamps")
    for joint in (".", "_")
    for ending in (".csv", ".txt", ".json")
)
"""What a list of stamps beside ``front.mp4`` is called: ``front.times.csv``, ``front_timestamps.txt`` …"""
Row = dict[str, Any]


def clock_rows(session: Session, sample: Sample) -> Iterator[Row]:
    """The clock table: what each stamped stream says of its clock, and how it is brought to session time."""
    streams = session.store.streams(sample.id)
    state = sync_state(sample, streams)
    for stream in timed(streams):
        said = stream.time_map.evidence_values
        yield {
            "sample": sample.key,
            "sync": state,
            "stream": stream.key,
            "kind": stream.kind.value,
            "recording": stream.recording,
            "clock": stream.clock,
            "lock": {True: "locked", False: "not locked", None: "not said"}[stream.clock_locked],
            "offset_ns": stream.clock_offset_ns,
            "latency_ns": said.get("latency_ns"),
            "granularity_ns": said.get("granularity_ns"),
            "map": map_in_words(stream.time_map),
            "method": stream.time_map.method,
            "residual_ns": stream.time_map.residual_ns,
        }


def check_clocks(sample: Sample, streams: Sequence[Stream], readers: OpenStreams) -> tuple[ClockReport, list[str]]:
    """Which streams of a sample are off as a whole; and what could not be read or judged, one sentence each."""
    spans, notes = [], []
    for stream in timed(streams):
        try:
            found = _span(stream, readers.reader(stream))
        except DataError as error:
            notes.append(f"{sample.key}/{stream.key} was not looked at: {error}")
            continue
        if found is None:
            notes.append(f"{sample.key}/{stream.key} has no times")
        else:
            spans.append(found)
    report = find_odd_clocks(spans)
    return report, notes + ([f"{sample.key}: {report.not_judged}"] if report.not_judged else [])


def clock_names(streams: Sequence[Stream]) -> dict[str, list[str]]:
    """The stamped streams by the clock they say they come from, locked ones first."""
    found: dict[str, list[str]] = {}
    for stream in sorted(timed(streams), key=lambda each: each.clock_locked is not True):
        found.setdefault(stream.clock or "no clock named", []).append(stream.key)
    return found


def _span(stream: Stream, reader: Reader) -> ClockSpan | None:
    info = reader.info
    if info.span is None:
        return None
    span = stream.time_map.range_to_session(info.span)
    epoch_ns = info.epoch_ns if stream.epoch_ns is None else stream.epoch_ns
    step_ns = 0 if not info.rate_hz or isinstance(reader, AudioReader) else round(1e9 / info.rate_hz)
    return ClockSpan(
        key=stream.key, start_ns=span.start_ns, end_ns=span.end_ns, step_ns=step_ns,
        zero_epoch_ns=None if epoch_ns is None else epoch_ns - stream.time_map.to_session(0),
    )  # fmt: skip


# --- alignment -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """What became of one stream: its new map, or why it keeps the one it has."""

    stream: Stream
    time_map: TimeMap | None = None
    reason: str = ""


def align_by_stamps(
    session: Session, sample: Sample, readers: OpenStreams, *, stamps: Mapping[str, Path] = {}
) -> list[Aligned]:
    """Bring every stream that no hardware locked to session time by its time stamps, in one step.

    ``stamps`` are lists of stamps by stream key, for streams that have none beside their file. The sync gate is then
    unverified: a residual says how well the stamps fit a line, not that they were right.
    """
    streams = session.store.streams(sample.id)
    unknown = sorted(set(stamps) - {stream.key for stream in streams})
    if unknown:
        raise UserError(f"sample {sample.key} has no stream {unknown[0]!r} to give time stamps to")
    if sync_basis(streams) is SyncBasis.HARDWARE and not stamps:
        raise UserError(
            f"most streams of {sample.key} were locked to a clock while recording, which is better than software; "
            "name the lists of stamps with --stamps for those that were not"
        )
    found = [_aligned(session, stream, readers, stamps.get(stream.key)) for stream in timed(streams)]
    moved = [(each.stream, each.time_map) for each in found if each.time_map is not None]
    if not moved:
        raise UserError("no stream has time stamps to align by: " + "; ".join(each.reason for each in found))
    worst = max(time_map.residual_ns or 0 for _, time_map in moved)
    with session.together(f"Align {sample.key} by time stamps") as run:
        for stream, time_map in moved:
            run("stream.set_time", stream=stream.id, sample=sample.id, time_map=msgspec.to_builtins(time_map))
        reason = f"software: {len(moved)} streams aligned by their time stamps, residual at most {worst / 1e6:.3g} ms"
        run("gate.set", sample=sample.id, gate=SYNC_GATE, state="unverified", reason=reason)
    return found


def _aligned(session: Session, stream: Stream, readers: OpenStreams, given: Path | None) -> Aligned:
    if stream.clock_locked is True and given is None:
        return Aligned(stream=stream, reason=f"{stream.key} was locked to {stream.clock or 'a clock'}")
    listed = given if given is not None else _stamps_beside(session.project.path, stream)
    try:
        reader = readers.reader(stream)
        table = table_of(reader)
        if table is None:
            return Aligned(stream=stream, reason=f"{stream.key} only counts its samples; align it by what it recorded")
        if listed is not None:
            stamped = _listed_ns(session, stream, listed, len(table))
            return Aligned(stream=stream, time_map=map_from_stamps(table.times_ns, stamped, source=listed.name))
    except DataError as error:
        if given is not None:
            raise
        return Aligned(stream=stream, reason=f"{stream.key}: {error}")
    if len(stream.files) == 1 and stream.kind.value == "video":
        return Aligned(
            stream=stream, reason=f"{stream.key} counts from its own first picture and has no list of stamps"
        )
    evidence = {"stamps": reader.info.clock_source or "its own", "items": len(table)}
    offset_ns = _epoch_offset(session, stream, reader.info.epoch_ns)
    found = TimeMap(knots=((0, offset_ns),))
    return Aligned(
        stream=stream,
        time_map=found.found_by(METHOD, evidence=evidence, residual_ns=rhythm_residual_ns(table.times_ns)),
    )


def _stamps_beside(project: Path, stream: Stream) -> Path | None:
    """The list of stamps that lies beside a stream's one file under its name."""
    if len(stream.files) != 1:
        return None
    path = locate(project, stream.files[0].path)
    return next((each for end in STAMP_ENDINGS if (each := path.with_name(path.stem + end)).is_file()), None)


def _listed_ns(session: Session, stream: Stream, path: Path, items: int) -> Int64s:
    """The stamps of a list in session time, in the order of the items."""
    found = listed_times([Path(str(number)) for number in range(items)], path)
    stamps = np.empty(items, np.int64)
    stamps[list(found.order)] = found.table.times_ns  # a late stamp may stand behind the next one's
    return stamps + np.int64(_epoch_offset(session, stream, found.epoch_ns))


def _epoch_offset(session: Session, stream: Stream, epoch_ns: int | None) -> int:
    """Where Unix times lie on the session's axis; times that count from session zero lie there already."""
    if epoch_ns is None:
        return 0
    zeros = [
        each.epoch_ns - each.time_map.to_session(0)
        for each in session.store.streams(stream.sample)
        if each.epoch_ns is not None
    ]
    if not zeros:
        raise DataError("its stamps are Unix times, and no stream says which one session zero has", path=stream.key)
    return epoch_ns - sorted(zeros)[len(zeros) // 2]
