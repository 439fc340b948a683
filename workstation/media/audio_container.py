"""The sound of files that only FFmpeg reads: M4A, the tracks of video files, and whatever else it knows.

Used through ``audio_decode.open_source``. A seek is never believed: the packet that comes out is looked up.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.media.audio_decode import Samples, to_int16
from workstation.media.audio_packets import SoundTrack, find_packets
from workstation.media.base import OpenContext, OptionValue

_WALK_PACKETS = 256
"""So many packets ahead are decoded rather than sought."""


class ContainerSource:
    """One sound track through FFmpeg, placed by its table of packets."""

    def __init__(self, path: Path, track: int, context: OpenContext) -> None:
        self._table = table = find_packets(path, track, context)
        self._path, self._number = path, track
        self._decoder = _Decoder(SoundTrack(path, track))
        self._left: list[tuple[int, Samples]] = []
        self.sample_rate_hz, self.channels, self.frames = table.sample_rate_hz, table.channels, table.frames
        self.origin_ns, self.silent, self.notes = table.origin_ns, table.silent, table.notes
        container = self._decoder.track.container.format
        self.details: dict[str, OptionValue] = {
            "container": container.long_name or container.name,
            "codec": table.codec,
            "track": track,
        }

    def read(self, start: int, count: int) -> Samples:
        out = np.zeros((count, self.channels), np.float32)
        stop = start + count
        left, self._left = self._left, []
        at = start
        for begin, block in left:
            self._keep(begin, block, out, start)
            if begin <= at:
                at = max(at, begin + len(block))
        row = self._row_of(at)
        if at < stop and row is not None and int(self._table.start[row]) < stop:
            if not self._decoder.can_reach(row, self._table.preroll):
                self._stand_at(max(0, row - self._table.preroll))
            self._decode_until(out, start, stop)
        return out

    def read_int16(self, start: int, count: int) -> NDArray[np.int16]:
        return to_int16(self.read(start, count))

    def close(self) -> None:
        self._decoder.track.close()

    def _row_of(self, sample: int) -> int | None:
        """The packet that holds it, or the next one that holds anything if it falls into a gap."""
        table = self._table
        row = max(0, int(table.start.searchsorted(sample, side="right")) - 1)
        while row < len(table.start) and sample >= table.start[row] + table.kept[row]:
            row += 1
        return row if row < len(table.start) else None

    def _keep(self, begin: int, block: Samples, out: Samples, start: int) -> None:
        """Copy what is asked for; hold what reaches beyond for the next request."""
        low, high = max(start, begin), min(start + len(out), begin + len(block))
        if low < high:
            out[low - start : high - start] = block[low - begin : high - begin]
        if begin + len(block) > start + len(out):
            self._left.append((begin, block))

    def _stand_at(self, row: int) -> None:
        if row:
            track = self._decoder.track
            packet = track.seek(int(self._table.pts[row]))
            found = None if packet is None else self._recognise(packet, row)
            if found is not None:
                self._decoder = _Decoder(track, next_row=found, fed_from=found, pending=packet)
                return
        self.close()
        self._decoder = _Decoder(SoundTrack(self._path, self._number))

    def _recognise(self, packet: Any, wanted: int) -> int | None:
        """The packet's row, if it is unmistakable and not after the wanted one."""
        if packet.pts is None:
            return None
        rows = np.flatnonzero(self._table.pts == packet.pts)
        if len(rows) != 1 or rows[0] > wanted or self._table.size[rows[0]] != packet.size:
            return None
        return int(rows[0])

    def _decode_until(self, out: Samples, start: int, stop: int) -> None:
        table, decoder = self._table, self._decoder
        for packet in decoder.packets():
            if decoder.next_row >= len(table.start):
                break
            packet.opaque = decoder.next_row
            decoder.next_row += 1
            for frame in decoder.track.decode(packet):
                self._take(frame, out, start)
            if decoder.next_row < len(table.start) and table.start[decoder.next_row] >= stop:
                return
        for frame in decoder.track.decode(None):
            self._take(frame, out, start)
        decoder.drained = True

    def _take(self, frame: Any, out: Samples, start: int) -> None:
        row = frame.opaque
        if row is None or frame.layout.nb_channels != self.channels:
            return  # the file changes its shape in the middle: what does not fit stays silent
        first = self._decoder.given_of(row, frame.samples)
        low = max(first, int(self._table.lead[row]))
        high = min(first + frame.samples, int(self._table.lead[row] + self._table.kept[row]))
        if low < high:
            begin = int(self._table.start[row]) + low - int(self._table.lead[row])
            self._keep(begin, _as_float(frame)[low - first : high - first], out, start)


class _Decoder:
    """An open track and where its decoder stands."""

    def __init__(self, track: SoundTrack, *, next_row: int = 0, fed_from: int = 0, pending: Any = None) -> None:
        self.track = track
        self.next_row = next_row
        self.drained = False
        self._fed_from = fed_from
        self._pending = pending
        self._row, self._given = -1, 0

    def can_reach(self, row: int, preroll: int) -> bool:
        """Whether going on gives ``row`` as a decode from the start would, and without a long walk."""
        settled = self._fed_from == 0 or row - self._fed_from >= preroll
        return not self.drained and settled and self.next_row <= row < self.next_row + _WALK_PACKETS

    def packets(self) -> Iterator[Any]:
        """From the next row on."""
        pending, self._pending = self._pending, None
        if pending is not None:
            yield pending
        yield from self.track.packets()

    def given_of(self, row: int, samples: int) -> int:
        """How many samples of that packet came before these: one packet may give several frames."""
        before = self._given if row == self._row else 0
        self._row, self._given = row, before + samples
        return before


_FULL_SCALE = {"i2": np.float32(1 / 32768), "i4": np.float32(1 / 2147483648), "i8": np.float32(2.0**-63)}


def _as_float(frame: Any) -> Samples:
    """(samples, channels) float32, full scale ±1."""
    values = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
    if values.dtype == np.uint8:
        unsigned: Samples = (values.astype(np.float32) - 128) / 128
        return unsigned
    scale = _FULL_SCALE.get(values.dtype.str[1:])
    samples: Samples = values.astype(np.float32)
    if scale is not None:
        samples *= scale
        return samples
    finite: Samples = np.nan_to_num(samples, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
    return finite
