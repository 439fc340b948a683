"""Which samples each packet of a sound track holds, found by demuxing once; only ``audio_container.py`` uses it.

Containers count time in their own units (a millisecond in Matroska), too coarse to place a sample: packets are
counted instead, and their times only say where something is missing. What an encoder put before the first sample
and after the last one comes as side data of the packets and is left out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.context import Flags2
from av.error import FFmpegError
from av.sidedata.sidedata import Type
from av.stream import Discard
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.ratio import Int64s, scale
from workstation.core.timebase import SECOND_NS
from workstation.media.audio_decode import check_shape
from workstation.media.base import OpenContext

# Playlists name other files and addresses; a sound is one file.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,wav,w64,aiff,au,caf,flac,mp3,aac,ac3,eac3,dts,"
    "amr,amrnb,amrwb,ape,tta,wv,loas,latm,mxf,nut,rm,xwma,voc,dsf,gsm,g722,spdif"
)
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
_NONE = np.iinfo(np.int64).min
_PROBE_PACKETS = 8
_TELL_EVERY = 4096
_LONGEST_S = 3_600_000
_LOSSLESS = ("pcm_", "flac", "alac", "adpcm_", "tta", "ape", "wavpack")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoundPackets:
    """Row ``i`` is packet ``i`` in file order; all arrays are (n,)."""

    pts: Int64s
    size: Int64s
    count: Int64s
    """Samples that come out of the decoder."""
    lead: Int64s
    """Of these, how many at the front are left out."""
    kept: Int64s
    start: Int64s
    """Sample number of the first kept one."""
    frames: int
    sample_rate_hz: int
    channels: int
    origin_ns: int
    codec: str
    preroll: int
    """Packets a decoder must be given before the wanted one."""
    silent: tuple[tuple[int, int], ...]
    notes: tuple[str, ...]


class SoundTrack:
    """One open container and one of its sound tracks; one thread at a time."""

    def __init__(self, path: Path, track: int) -> None:
        self.path = path
        try:
            if not path.stat().st_size:
                raise DataError("the file is empty", path=path)
            # "file:" keeps a name such as "concat:a|b" from being taken for a protocol.
            self.container = av.open(f"file:{path.absolute()}", container_options=_OPTIONS)
        except (FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise DataError(f"not a sound this program can read ({reason})", path=path) from error
        try:
            self.stream = self._stream(track)
        except BaseException:
            self.container.close()
            raise
        self.codec = self.stream.codec_context
        # A packet's row travels with it through the decoder, and nothing is trimmed behind our back.
        self.codec.copy_opaque = True
        self.codec.flags2 |= Flags2.skip_manual
        for other in self.container.streams:
            if other.index != self.stream.index:
                other.discard = Discard.all

    def _stream(self, track: int) -> Any:
        tracks = self.container.streams.audio
        if not tracks:
            raise DataError("it holds no sound", path=self.path)
        if not 0 <= track < len(tracks):
            reason = f"it has {len(tracks)} sound tracks; there is no track {track} (they count from 0)"
            raise DataError(reason, path=self.path)
        if tracks[track].codec_context is None:
            raise DataError("its sound codec is not known to this program", path=self.path)
        return tracks[track]

    def packets(self) -> Iterator[av.Packet[Any]]:
        """The packets from here on. A damaged end ends them."""
        try:
            for packet in self.container.demux(self.stream):
                if packet.size:
                    yield packet
        except FFmpegError:
            return  # truncated: what came before is good

    def seek(self, pts: int) -> av.Packet[Any] | None:
        """The packet FFmpeg takes for the one at or before that time, the decoder emptied; ``None`` if it cannot."""
        try:
            self.container.seek(pts, stream=self.stream, backward=True)
        except FFmpegError:
            return None
        self.codec.flush_buffers()
        return next(self.packets(), None)

    def decode(self, packet: av.Packet[Any] | None) -> list[Any]:
        """The frames that come out; a damaged packet gives none, and its place stays silent."""
        try:
            frames: list[Any] = self.codec.decode(packet)
        except (FFmpegError, EOFError, ValueError):
            return []
        return frames

    def close(self) -> None:
        self.container.close()


def find_packets(path: Path, track: int, context: OpenContext) -> SoundPackets:
    """Demux the whole track once; decode all of it only where packets do not tell how much they hold."""
    source = SoundTrack(path, track)
    try:
        rows = _demux(source, context)
        unit = Fraction(source.stream.time_base)
        codec, fixed = source.codec.name, int(source.codec.frame_size or 0)
    finally:
        source.close()
    if not len(rows.pts):
        raise DataError("there is no sound in it", path=path)
    look = _decode_counts(path, track, context, stop_after=_PROBE_PACKETS)
    if look.rate == 0:
        raise DataError("none of it can be decoded; the file is damaged or its codec is not supported", path=path)
    check_shape(look.rate, look.channels, path=path)
    guesses = (rows.opus_samples, _by_duration(rows, unit, look.rate), _by_frame_size(rows, fixed))
    for count in guesses:
        if count is not None and look.agrees(count):
            break
    else:
        look = _decode_counts(path, track, context, stop_after=None)
        count = np.zeros(len(rows.pts), np.int64)
        for row, samples in look.counts.items():
            count[row] = samples
    return _place(rows, count, unit, look, codec, path)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    """Packets as the container gives them."""

    pts: Int64s
    duration: Int64s
    size: Int64s
    lead: Int64s
    tail: Int64s
    dropped: NDArray[np.bool_]
    opus_samples: Int64s | None


def _demux(source: SoundTrack, context: OpenContext) -> _Rows:
    rows: list[tuple[int, int, int, int, int, bool, int]] = []
    opus = source.codec.name in ("opus", "libopus")
    total = max(1, source.path.stat().st_size)
    for packet in source.packets():
        lead, tail = _trimmed(packet)
        held = _opus_samples(bytes(memoryview(packet)[:2])) if opus else 0
        pts = _NONE if packet.pts is None else packet.pts
        rows.append((pts, packet.duration or 0, packet.size, lead, tail, packet.is_discard, held))
        if len(rows) % _TELL_EVERY == 0:
            context.cancel.check()
            context.limits.check_items(len(rows), path=source.path)
            if context.progress is not None and packet.pos is not None:
                context.progress(min(0.99, packet.pos / total))
    values = np.array(rows, np.int64).reshape(-1, 7)
    times, duration, size, leads, tails, dropped, opus_held = (np.ascontiguousarray(column) for column in values.T)
    return _Rows(
        pts=times, duration=duration, size=size, lead=leads, tail=tails, dropped=dropped.astype(bool),
        opus_samples=opus_held if opus else None,
    )  # fmt: skip


def _trimmed(packet: av.Packet[Any]) -> tuple[int, int]:
    """Samples to leave out at the front and at the end of what this packet gives."""
    if not packet.has_sidedata("skip_samples"):
        return 0, 0
    raw = bytes(packet.get_sidedata("skip_samples"))
    lead, tail = struct.unpack_from("<II", raw) if len(raw) >= 8 else (0, 0)
    return lead, tail


def _opus_samples(start: bytes) -> int:
    """Samples at 48 kHz in an Opus packet, from its first bytes (RFC 6716, 3.1)."""
    kind, frames = start[0] >> 3, (1, 2, 2, 0)[start[0] & 3]
    if frames == 0:
        frames = start[1] & 0x3F if len(start) > 1 else 0
    if kind < 12:
        return frames * (480, 960, 1920, 2880)[kind & 3]
    if kind < 16:
        return frames * (480, 960)[kind & 1]
    return frames * (120, 240, 480, 960)[kind & 3]


def _by_duration(rows: _Rows, unit: Fraction, rate: int) -> Int64s | None:
    """Durations as samples, where the container's unit can say them exactly."""
    factor = unit * rate
    if factor > 1:  # coarser than a sample: a whole number of them is an accident
        return None
    samples, rest = np.divmod(rows.duration * factor.numerator, factor.denominator)
    return samples if not rest.any() and (rows.duration > 0).all() else None


def _by_frame_size(rows: _Rows, fixed: int) -> Int64s | None:
    return np.full(len(rows.pts), fixed, np.int64) if fixed > 0 else None


@dataclass(frozen=True, eq=False)
class _Look:
    """What the decoder really gives."""

    counts: dict[int, int]
    rate: int
    channels: int
    leads: dict[int, int]
    """Samples of a packet that the decoder itself says are to be left out (a Vorbis decoder's first block)."""

    def agrees(self, count: Int64s) -> bool:
        """Whether packets give what was guessed; the last one may be cut short by its duration."""
        last = len(count) - 1
        return all(
            samples == count[row] or (row == last and count[row] < samples) for row, samples in self.counts.items()
        )


def _decode_counts(path: Path, track: int, context: OpenContext, *, stop_after: int | None) -> _Look:
    counts: dict[int, int] = {}
    leads: dict[int, int] = {}
    rate = channels = 0
    source = SoundTrack(path, track)

    def take(frames: list[Any]) -> None:
        nonlocal rate, channels
        for frame in frames:
            if frame.opaque is not None:
                counts[frame.opaque] = counts.get(frame.opaque, 0) + frame.samples
                for data in frame.side_data:
                    if data.type == Type.SKIP_SAMPLES:
                        leads[frame.opaque] = int.from_bytes(bytes(data)[:4], "little")
            rate, channels = rate or frame.sample_rate, channels or frame.layout.nb_channels

    try:
        for row, packet in enumerate(source.packets()):
            packet.opaque = row
            take(source.decode(packet))
            context.cancel.check()
            if stop_after is not None and len(counts) >= stop_after:
                break
        else:
            take(source.decode(None))
    finally:
        source.close()
    return _Look(counts, rate, channels, leads)


def _place(rows: _Rows, count: Int64s, unit: Fraction, look: _Look, codec: str, path: Path) -> SoundPackets:
    count = np.where(rows.dropped, 0, count)
    if not rows.lead.any():  # Matroska says nothing of what a Vorbis decoder needs before its first sample
        for row, samples in look.leads.items():
            rows.lead[row] = samples
    lead = _spread_lead(rows, count)
    kept = np.maximum(count - lead - np.where(rows.dropped, 0, rows.tail), 0)
    rate = look.rate
    first = int(np.argmax(kept > 0))
    if not kept[first]:
        raise DataError("the file says that none of its samples is to be heard", path=path)
    factor = unit * rate
    known = rows.pts != _NONE
    base = int(rows.pts[first]) if known[first] else 0
    # Where the container's clock puts the first kept sample of every packet, in samples after the first of all.
    clock = np.where(known, rows.pts - base, 0) * float(factor) + lead - lead[first]
    clock[~known | (kept == 0)] = -np.inf
    slack = max(2 * float(factor), float(np.median(count[kept > 0])) / 2, rate / 1000)
    starts, holes = _follow(clock, kept, slack, first)
    origin_ns = scale(base * unit.numerator, SECOND_NS, unit.denominator) + scale(int(lead[first]), SECOND_NS, rate)
    if factor > 1:
        before_hole = starts < (holes[0][0] if holes else np.iinfo(np.int64).max)
        origin_ns = _finer_origin(origin_ns, (clock - starts)[before_hole & np.isfinite(clock)], unit, rate)
    frames = int(starts[-1] + kept[-1])
    if frames > _LONGEST_S * rate:
        raise DataError(f"its packets lie up to {frames // rate // 3600} hours apart: its times are broken", path=path)
    notes = []
    if holes:
        lost = sum(stop - begin for begin, stop in holes) / rate
        notes.append(f"{len(holes)} pieces of sound are missing ({lost:.3f} s in all); they are silent")
    if not (rows.lead.any() or rows.dropped.any()) and codec in ("aac", "mp3", "mp3float", "mp2", "mp2float"):
        notes.append(
            "the file does not say how many samples the encoder put before the first one; "
            "positions may be late by some 1,000 to 2,300 samples"
        )
    return SoundPackets(
        pts=rows.pts, size=rows.size, count=count, lead=lead, kept=kept, start=starts, frames=frames,
        sample_rate_hz=rate, channels=look.channels, origin_ns=origin_ns, codec=codec,
        preroll=0 if codec.startswith(_LOSSLESS) else 12, silent=holes, notes=tuple(notes),
    )  # fmt: skip


def _finer_origin(origin_ns: int, off: NDArray[np.float64], unit: Fraction, rate: int) -> int:
    """Where sample 0 lies, from all packets together: each one's time is rounded to the container's coarse unit.

    ``off`` is by how many samples each packet's time is later than the count says. Of what agrees with all of them,
    zero if it is there (a container that starts at its beginning), else the middle.
    """
    half_ns = float(unit) * SECOND_NS / 2
    off_ns = off * (SECOND_NS / rate)
    low, high = origin_ns + off_ns.max() - half_ns, origin_ns + off_ns.min() + half_ns
    if low - half_ns / 100 <= 0 <= high + half_ns / 100:
        return 0
    return round((low + high) / 2) if low <= high else origin_ns


def _spread_lead(rows: _Rows, count: Int64s) -> Int64s:
    """What is to be left out may be more than one packet holds: the rest comes off the next ones."""
    lead = np.zeros(len(count), np.int64)
    pending = 0
    for row in np.flatnonzero(np.where(rows.dropped, 0, rows.lead)).tolist():
        pending = int(rows.lead[row])
        while pending and row < len(count):
            lead[row] = min(pending, int(count[row]))
            pending -= int(lead[row])
            row += 1
    return lead


def _follow(
    clock: NDArray[np.float64], kept: Int64s, slack: float, first: int
) -> tuple[Int64s, tuple[tuple[int, int], ...]]:
    """First sample of every packet: counted on, and moved where the clock runs ahead by more than ``slack``."""
    counted = np.concatenate(([0], np.cumsum(kept)[:-1])).astype(np.int64)
    holes: list[tuple[int, int]] = []
    shift = 0
    row = first
    starts = counted.copy()
    while len(found := np.flatnonzero(clock[row:] - counted[row:] > shift + slack)):
        row += int(found[0])
        shift = round(float(clock[row])) - int(counted[row])
        holes.append((int(starts[row]), int(counted[row]) + shift))
        starts[row:] = counted[row:] + shift
    return starts, tuple(holes)
