"""The packet table of a video: what each packet is, which frame it becomes, and where decoding can start.

Built once by demuxing without decoding, kept by content hash, used by ``video_decode.py``. Frame number is rank of
presentation time. Where the container's presentation times are missing, repeated or contradict the decoder, the
order is taken from the decoder in one pass over the file, because nothing else knows it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.timebase import FrameTable, ns_from_units
from workstation.media.base import OpenContext
from workstation.media.video_source import FrameLook, PresentationOrder, Source, decoded_order

Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]

NONE = -(1 << 63)
"""Stands for a number the container does not give."""
_KIND, _VERSION = "frame_table", 1
_SAMPLE_PACKETS = 64
_TELL_EVERY = 4096


@dataclass(frozen=True, kw_only=True, eq=False)
class PacketTable:
    """One row per packet in decoding order, and the frames in order of presentation."""

    frames: FrameTable
    packet_of_frame: Int64s
    """(frames,) row of the packet that becomes it."""
    frame_of_packet: Int64s
    """(packets,) −1 for packets that are decoded but never shown."""
    key: Bools
    pts: Int64s
    dts: Int64s
    pos: Int64s
    size: Int64s
    look: FrameLook
    notes: tuple[str, ...] = ()

    @cached_property
    def reorder_units(self) -> int:
        """Largest distance from decoding to presentation; what FFmpeg's mp4 demuxer subtracts before it seeks."""
        known = (self.pts != NONE) & (self.dts != NONE)
        return max(0, int((self.pts[known] - self.dts[known]).max())) if known.any() else 0

    @cached_property
    def _starts(self) -> tuple[list[int], list[int]]:
        """(first frame that decoding from there shows, row of the key packet), both rising; the first row is one."""
        rows = np.flatnonzero(self.key)
        if not len(rows) or rows[0] != 0:
            rows = np.append(0, rows)
        hidden = self.frame_of_packet[rows] < 0  # outside the edit list: the frames after its time can be decoded
        ranks = np.where(hidden, np.searchsorted(self.frames.units, self.pts[rows]), self.frame_of_packet[rows])
        ranks[0] = 0
        usable = (ranks >= np.maximum.accumulate(ranks)) & (~hidden | (self.pts[rows] != NONE) | (rows == 0))
        return ranks[usable].tolist(), rows[usable].tolist()

    @property
    def group_starts(self) -> list[int]:
        """The frames from which on decoding can start, rising."""
        return self._starts[0]

    def start_for(self, frame: int) -> int:
        """Row of the last packet from which decoding reaches the frame: its key frame is not shown after it."""
        ranks, rows = self._starts
        at = bisect_right(ranks, frame) - 1
        while at > 0 and rows[at] > self.packet_of_frame[frame]:
            at -= 1
        return rows[max(at, 0)]

    def start_before(self, row: int) -> int | None:
        """The start before that one, for what the nearer one cannot decode (gradual refresh); ``None`` at the first."""
        _, rows = self._starts
        at = bisect_left(rows, row) - 1
        return rows[at] if at >= 0 else None

    def first_frame_from(self, row: int) -> int:
        """The first frame that decoding from this start shows correctly: those before it lean on an earlier group."""
        ranks, rows = self._starts
        return ranks[bisect_left(rows, row)]

    @cached_property
    def _identity(self) -> tuple[Int64s, Int64s] | None:
        """(sorted values that name a packet, their rows): byte positions, else presentation times."""
        for values in (self.pos, self.pts):
            if (values != NONE).all() and len(np.unique(values)) == len(values):
                order = np.argsort(values)
                return values[order], order
        return None

    @property
    def seekable(self) -> bool:
        """Whether a packet read after a seek can be recognised."""
        return self._identity is not None

    def row_of(self, pts: int | None, pos: int | None, size: int) -> int | None:
        """Which packet this is; ``None`` if it is none of the table."""
        if self._identity is None:
            return None
        values, rows = self._identity
        value = pos if self._named_by_position else pts
        if value is None:
            return None
        at = int(np.searchsorted(values, value))
        if at == len(values) or values[at] != value:
            return None
        row = int(rows[at])
        return row if self.size[row] == size else None

    @cached_property
    def _named_by_position(self) -> bool:
        return bool((self.pos != NONE).all()) and len(np.unique(self.pos)) == len(self.pos)


def packet_table(path: Path, track: int, context: OpenContext, *, sha256: str = "") -> PacketTable:
    """The table from the disk cache, or built and put there."""
    disk = context.disk
    content = sha256 or (disk.known_hash(path) if disk else None)
    if disk and content:
        stored = disk.read(_KIND, _cache_key(content, track), _VERSION)
        if stored is not None:
            return _from_bytes(stored)
    table = build_table(path, track, context)
    if disk:
        # Hashed after building: a film of two hours is shown before its ten gigabytes are read a second time.
        content = content or disk.content_hash(path, tick=lambda _: context.cancel.check())
        disk.write(_KIND, _cache_key(content, track), _VERSION, _to_bytes(table))
    return table


def build_table(path: Path, track: int, context: OpenContext) -> PacketTable:
    """Demux the whole file once, without decoding more than the start unless the times cannot be trusted."""
    with Source(path, track, max_pixels=context.limits.max_pixels) as source:
        columns = _demux(source, context)
        unit_num, unit_den = source.unit
        nominal = source.nominal_step_units
        reorders = source.reorders
    if not len(columns.pts):
        raise source.error("there is no picture in it")
    order, doubt = _order(path, track, context, columns, reorders=reorders)
    if order.look is None:
        raise source.error("no frame of it can be decoded; the file is damaged or its codec is not supported")
    times, notes = _steady(columns)
    if doubt:
        shown, units = _times_from_decoder(columns, times, order, nominal)
        notes.append(f"{doubt}: the order of the frames was taken from the decoder")
        lost = int((~columns.discard).sum()) - len(shown)
        if lost:
            notes.append(f"{lost} packets give no frame of their own")
    else:
        shown = np.flatnonzero(~columns.discard)
        shown = shown[np.argsort(times[shown], kind="stable")]
        units = times[shown]
    if not len(shown):
        raise source.error("the edit list hides every frame")
    try:
        frames = FrameTable(
            times_ns=ns_from_units(units, unit_num, unit_den),
            durations_ns=ns_from_units(np.maximum(columns.duration[shown], 0), unit_num, unit_den),
            key=columns.key[shown],
            units=units,
            unit_num=unit_num,
            unit_den=unit_den,
        )
    except DataError as error:  # it knows the frame and not the file
        raise DataError(error.reason, path=path, place=error.place) from error
    return _assembled(columns, frames, shown, order.look, notes)


def _order(
    path: Path, track: int, context: OpenContext, columns: _Columns, *, reorders: bool
) -> tuple[PresentationOrder, str]:
    """What the decoder says, as far as it must be asked, and why the whole of it counts; empty if it does not."""
    doubt = _doubt(columns, reorders=reorders)
    if not doubt:
        return decoded_order(path, track, context, stop_after=1), ""
    if doubt == _MAYBE:
        order = decoded_order(path, track, context, stop_after=_SAMPLE_PACKETS)
        if not bool((np.diff(columns.pts[order.rows]) < 0).any()):
            return order, ""
        doubt = "the container's presentation times contradict the decoder"
    return decoded_order(path, track, context, stop_after=None), doubt


def _assembled(columns: _Columns, frames: FrameTable, shown: Int64s, look: FrameLook, notes: list[str]) -> PacketTable:
    frame_of_packet = np.full(len(columns.pts), -1, np.int64)
    frame_of_packet[shown] = np.arange(len(shown))
    return PacketTable(
        frames=frames,
        packet_of_frame=shown,
        frame_of_packet=frame_of_packet,
        key=columns.key,
        pts=columns.pts,
        dts=columns.dts,
        pos=columns.pos,
        size=columns.size,
        look=look,
        notes=tuple(notes),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Columns:
    """Every packet as the container gives it."""

    pts: Int64s
    dts: Int64s
    pos: Int64s
    size: Int64s
    duration: Int64s
    key: Bools
    discard: Bools


def _demux(source: Source, context: OpenContext) -> _Columns:
    rows: list[tuple[int, int, int, int, int, bool, bool]] = []
    for packet in source.packets():
        position = packet.pos
        rows.append(
            (
                NONE if packet.pts is None else packet.pts,
                NONE if packet.dts is None else packet.dts,
                NONE if position is None else position,
                packet.size,
                packet.duration or 0,
                packet.is_keyframe,
                packet.is_discard,
            )
        )
        if len(rows) % _TELL_EVERY == 0:
            context.cancel.check()
            context.limits.check_items(len(rows), path=source.path)
            if context.progress is not None and position is not None:
                context.progress(min(0.99, position / source.size))
    context.limits.check_items(len(rows), path=source.path)
    values = np.array(rows, np.int64).reshape(-1, 7)
    pts, dts, pos, size, duration, key, discard = (np.ascontiguousarray(column) for column in values.T)
    return _Columns(
        pts=pts, dts=dts, pos=pos, size=size, duration=duration, key=key.astype(bool), discard=discard.astype(bool)
    )


_MAYBE = "maybe"


def _doubt(columns: _Columns, *, reorders: bool) -> str:
    """Why the presentation times cannot order the frames; empty if they can, ``_MAYBE`` if a sample must decide."""
    shown = columns.pts[~columns.discard]
    if (shown == NONE).any():
        return (
            "the container gives no presentation times" if (shown == NONE).all() else "presentation times are missing"
        )
    if len(np.unique(shown)) != len(shown):
        return "presentation times repeat"
    # Frames that are reordered cannot have rising times in decoding order: some muxers write decoding times instead.
    return _MAYBE if reorders and len(shown) > 1 and bool((np.diff(columns.pts) > 0).all()) else ""


def _steady(columns: _Columns) -> tuple[Int64s, list[str]]:
    """Presentation times (else decoding times) on one axis: where the file's clock falls back, it goes on instead."""
    times = np.where(columns.pts != NONE, columns.pts, columns.dts)
    known = np.flatnonzero(columns.dts != NONE)
    falls = known[1:][np.diff(columns.dts[known]) < 0]
    if not len(falls):
        return times, []
    times = times.copy()
    for row in falls.tolist():
        before = times[:row][times[:row] != NONE]
        step = int(np.median(columns.duration[:row])) or 1
        shift = int(before.max()) + step - int(times[row:][times[row:] != NONE].min())
        if shift > 0:
            times[row:][times[row:] != NONE] += shift
    return times, [f"the file's clock falls back {len(falls)} times; what follows is shown after what came before"]


def _times_from_decoder(
    columns: _Columns, times: Int64s, order: PresentationOrder, nominal: int
) -> tuple[Int64s, Int64s]:
    """(rows, times) in the decoder's order. Missing times lie evenly between known ones, else at the nominal rate."""
    shown = np.array([row for row in order.rows.tolist() if not columns.discard[row]], np.int64)
    if not len(shown):
        return shown, shown
    known = times[shown] != NONE
    if not known.any():
        steps = np.where(columns.duration[shown] > 0, columns.duration[shown], max(1, nominal))
        return shown, np.concatenate(([0], np.cumsum(steps)[:-1])).astype(np.int64)
    places = np.flatnonzero(known)
    held = np.sort(times[shown][known])
    step = float(np.median(np.diff(held))) if len(held) > 1 else float(max(1, nominal))
    # Before the first and after the last known one the typical step goes on.
    at = np.arange(len(shown), dtype=np.float64)
    filled = np.interp(at, places, held.astype(np.float64))
    filled[: places[0]] = held[0] - step * (places[0] - at[: places[0]])
    filled[places[-1] + 1 :] = held[-1] + step * (at[places[-1] + 1 :] - places[-1])
    units = np.rint(filled).astype(np.int64)
    units[places] = held
    return shown, units


def _cache_key(content: str, track: int) -> str:
    return hashlib.sha256(f"{content}\0{track}".encode()).hexdigest()


class _Stored(msgspec.Struct):
    """A table as bytes; the arrays are raw little-endian int64."""

    arrays: dict[str, bytes]
    unit: tuple[int, int]
    look: FrameLook
    notes: tuple[str, ...]


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_DECODER = msgspec.msgpack.Decoder(_Stored)
_ARRAYS = ("packet_of_frame", "frame_of_packet", "key", "pts", "dts", "pos", "size")


def _to_bytes(table: PacketTable) -> bytes:
    frames = table.frames
    arrays: dict[str, NDArray[Any]] = {name: getattr(table, name) for name in _ARRAYS}
    arrays |= {"units": frames.units, "times_ns": frames.times_ns, "durations_ns": frames.durations_ns}
    packed = {name: values.astype("<i8").tobytes() for name, values in arrays.items()}
    unit = (frames.unit_num, frames.unit_den)
    return msgspec.msgpack.encode(_Stored(arrays=packed, unit=unit, look=table.look, notes=table.notes))


def _from_bytes(data: bytes) -> PacketTable:
    stored = _DECODER.decode(data)
    arrays = {name: np.frombuffer(raw, "<i8").astype(np.int64) for name, raw in stored.arrays.items()}
    key = arrays["key"].astype(bool)
    frames = FrameTable(
        times_ns=arrays["times_ns"],
        durations_ns=arrays["durations_ns"],
        key=key[arrays["packet_of_frame"]],
        units=arrays["units"],
        unit_num=stored.unit[0],
        unit_den=stored.unit[1],
    )
    return PacketTable(
        frames=frames,
        packet_of_frame=arrays["packet_of_frame"],
        frame_of_packet=arrays["frame_of_packet"],
        key=key,
        pts=arrays["pts"],
        dts=arrays["dts"],
        pos=arrays["pos"],
        size=arrays["size"],
        look=stored.look,
        notes=stored.notes,
    )
