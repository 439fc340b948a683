"""Exact random access: frame number in, decoded frame out, through the shortest honest way.

``FrameDecoder`` owns one container and decoder and belongs to one thread at a time; ``video.py`` guards it.

* A seek is verified: the first packets read are looked up in the packet table and dropped, undecoded, until the key
  packet. FFmpeg's mp4 demuxer subtracts the file's largest reorder delay from the time asked for, so that asking for
  the key frame's own time lands a whole group early; asking for its decoding time plus that delay lands on it.
* Every packet carries its row through the decoder, so a frame is known by its packet, never by its time.
* Before the first frame that is kept, packets that no other frame leans on are skipped: 18 to 26 % of the CPU of a
  seek. Only for H.264 and HEVC: libdav1d reads the setting once, and others ignore it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import av
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from workstation.core.errors import DataError
from workstation.media.base import CancelToken, OptionValue
from workstation.media.video_source import Source, decode, mark, row_of
from workstation.media.video_table import NONE, PacketTable

Keep = Callable[[int, av.VideoFrame], None]
_SKIPPABLE = ("h264", "hevc")
_Mode = Literal["DEFAULT", "NONREF"]
_ALL: _Mode = "DEFAULT"
_REFERENCES: _Mode = "NONREF"
_STARTS_TRIED = 3
_MOST_STRANGERS = 8


class _Lost(Exception):
    """The packets read do not follow the table: seek again, or read from the start."""


class FrameDecoder:
    """Decodes ranges of frames of one video."""

    def __init__(
        self, path: Path, track: int, table: PacketTable, *, max_pixels: int, threads: int = 2, hardware: str = ""
    ) -> None:
        self._path, self._track, self._threads, self._max_pixels = path, track, threads, max_pixels
        self._table = table
        self._hardware = hardware
        self._source = self._opened()
        self._skip = self._source.codec.name in _SKIPPABLE
        self._packets: Iterator[Packet[VideoStream]] | None = None
        self._row = 0
        """Of the next packet to be read."""
        self._floor = 0
        """First frame that the last seek can show correctly."""
        self._whole_from = 0
        """From this frame on none is out yet and no packet was skipped: what reading on can still give."""
        self._out = deque[tuple[int, av.VideoFrame]]()
        """Decoded, in order, not yet asked for."""
        self._flushed = False
        self._mode: _Mode = _ALL
        self.packets_decoded = 0

    def close(self) -> None:
        self._packets = None
        self._out.clear()
        self._source.close()

    @property
    def description(self) -> dict[str, OptionValue]:
        """What the container says of itself, for people."""
        source = self._source
        described: dict[str, OptionValue] = {
            "container": source.container.format.long_name or source.container.format.name,
            "codec": source.codec.codec.long_name or source.codec.name,
            "decoder": self._hardware or "processor",
        }
        told = source.container.metadata
        return described | {name: told[name] for name in ("creation_time", "title", "encoder") if name in told}

    def decode(self, first: int, last: int, keep: Keep, cancel: CancelToken) -> bool:
        """Hand frames ``first`` to ``last`` to ``keep`` as they come; whether ``last`` came.

        Frames that the file cannot give are left out. Cancelling leaves the decoder ready to go on.
        """
        came: list[int] = []

        def kept(index: int, frame: av.VideoFrame) -> None:
            came.append(index)
            keep(index, frame)

        if self.can_go_on(first) and self._run(first, last, kept, cancel):
            return True
        start: int | None = self._table.start_for(first)
        end = last
        for _ in range(_STARTS_TRIED):
            if start is None:
                break
            came.clear()
            self._seek(start)
            reached = self._run(first, end, kept, cancel)
            if reached and came[0] == first:
                return True
            # Gradual refresh: the stream says "start here", and what follows still leans on earlier frames.
            end = came[0] - 1 if reached else last
            start = self._table.start_before(start)
        return end < last

    @property
    def next_frame(self) -> int:
        """From this frame on reading on gives every one."""
        return self._whole_from

    def can_go_on(self, first: int) -> bool:
        """Whether reading on gives the frame, and with less work than from its key packet."""
        going = self._packets is not None and not (self._flushed and not self._out)
        return going and first >= self._whole_from and self._table.start_for(first) <= self._row

    def _run(self, first: int, last: int, keep: Keep, cancel: CancelToken) -> bool:
        try:
            return self._run_through(first, last, keep, cancel)
        except _Lost:
            # The demuxer gave other packets than when the table was built; only the way from the start is sure.
            self._reopen()
            try:
                return self._run_through(first, last, keep, cancel)
            except _Lost as lost:
                raise DataError("the file changed while it was open; open it again", path=self._path) from lost

    def _run_through(self, first: int, last: int, keep: Keep, cancel: CancelToken) -> bool:
        while True:
            while self._out and self._out[0][0] <= last:
                index, frame = self._out.popleft()
                self._whole_from = max(self._whole_from, index + 1)
                if index >= first:
                    keep(index, frame)
                if index == last:
                    return True
            if self._out or self._flushed:
                return False  # passed it, or at the end: its packet gave no frame
            cancel.check()
            self._feed(first)

    def _feed(self, first: int) -> None:
        """Put the next packet into the decoder."""
        table = self._table
        assert self._packets is not None
        packet = next(self._packets, None)
        if packet is None or self._row >= len(table.size):
            self._collect(None)
            self._flushed = True
            return
        row = self._row
        if packet.size != table.size[row]:
            raise _Lost
        self._row += 1
        mark(packet, row)
        if self._skip:
            frame = int(table.frame_of_packet[row])
            mode = _REFERENCES if 0 <= frame < first else _ALL
            if mode != self._mode:
                self._source.codec.skip_frame = self._mode = mode
            if mode == _REFERENCES:
                self._whole_from = max(self._whole_from, frame + 1)
        self._collect(packet)

    def _collect(self, packet: Packet[VideoStream] | None) -> None:
        self.packets_decoded += packet is not None
        for frame in decode(self._source, packet):
            row = row_of(frame)
            index = -1 if row is None else int(self._table.frame_of_packet[row])
            # A concealed frame may be its neighbour's picture with this one's number: better none.
            if index >= self._floor and not frame.is_corrupt:
                if self._hardware:  # the card's own layout, and from here on nobody knows it was the card
                    frame = frame.reformat(format=self._table.look.pixel_format)
                self._out.append((index, frame))

    def _reset(self, row: int) -> None:
        self._out.clear()
        self._flushed = False
        self._row = row
        self._floor = self._whole_from = self._table.first_frame_from(row)
        if self._mode != _ALL:
            self._source.codec.skip_frame = self._mode = _ALL

    def _seek(self, row: int) -> None:
        """Stand right before the packet of that row."""
        table, source = self._table, self._source
        for time, by_bytes in self._targets(row) if table.seekable else ():
            try:
                if by_bytes:
                    source.container.seek(time, unsupported_byte_offset=True)
                else:
                    source.container.seek(time, stream=source.stream, backward=True)
            except FFmpegError:
                continue
            found = self._find(row)
            if found is not None:
                self._packets = found
                self._reset(row)
                return
        self._reopen()
        # Not found by any seek: read, without decoding, from the start.
        assert self._packets is not None
        for _ in range(row):
            if next(self._packets, None) is None:
                break
        self._reset(row)

    def _targets(self, row: int) -> Iterator[tuple[int, bool]]:
        """What to ask the demuxer for, best first: (time or byte, whether it is a byte)."""
        table = self._table
        pts, dts, pos = int(table.pts[row]), int(table.dts[row]), int(table.pos[row])
        seen = set()
        if dts != NONE:
            seen.add(dts + table.reorder_units)
            yield dts + table.reorder_units, False
        earlier = table.start_before(row)
        before = NONE if earlier is None else int(table.pts[earlier])
        for time in (pts, dts, before):
            if time != NONE and time not in seen:
                seen.add(time)
                yield time, False
        if pos != NONE:
            yield pos, True

    def _find(self, row: int) -> Iterator[Packet[VideoStream]] | None:
        """The packets from that row on, if they come after what the demuxer stands at."""
        table = self._table
        packets = self._source.packets()
        strangers = 0
        for packet in packets:
            here = table.row_of(packet.pts, packet.pos, packet.size)
            if here == row:
                return _with_first(packet, packets)
            if here is None:
                strangers += 1  # a transport stream may begin in the middle of a picture
            if (here is not None and here > row) or strangers > _MOST_STRANGERS:
                return None
        return None

    def _opened(self) -> Source:
        return Source(
            self._path, self._track, max_pixels=self._max_pixels, threads=self._threads, hardware=self._hardware
        )

    def _reopen(self) -> None:
        self._source.close()
        self._source = self._opened()
        self._mode = _ALL
        self._packets = self._source.packets()
        self._reset(0)


def _with_first(first: Packet[VideoStream], rest: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
    yield first
    yield from rest
