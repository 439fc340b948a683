"""Previews of films: small pictures of the right frame, at hand in about a millisecond while the exact one decodes.

A pane opens one ``VideoProxy`` a stream and gives it to its ``VideoLoader``; the stream's worker answers from it and
builds it in its spare time, around the cursor first and then outward. The timeline asks ``covered``.

The pictures lie in chunks beside the other caches, found by the film's content, so they survive a restart and a film
that was moved. A chunk that is damaged, or belongs to another frame table, is dropped and built again.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from workstation.core.timebase import TimeRange
from workstation.media.base import CancelToken, OpenContext, Picture, Progress, View
from workstation.media.cache import DiskCache
from workstation.media.proxy_chunk import Chunk, chunk_bytes, chunk_from, encoded, preview_of
from workstation.media.proxy_plan import CHUNK_FRAMES, chunk_plan

if TYPE_CHECKING:
    import av

    from workstation.media.video import VideoFile
    from workstation.media.video_decode import FrameDecoder

PROXY_BYTES = 4 << 30
_KIND, _VERSION = "proxy", 1
_LONG_SIDE_PX = 640
_SIZE = View(width_px=_LONG_SIDE_PX, height_px=_LONG_SIDE_PX)
_TYPICAL_FRAME_BYTES = 60_000
_USABLE = 0.8
"""Part of the limit that films plan to fill: what nobody has looked at for long goes, not what was just built."""
_TURN_PAUSE_S = 0.25


class ProxyFolder:
    """Where the previews of all films lie: one folder, one limit, one builder at a time. One for a session."""

    def __init__(self, folder: Path, limit_bytes: int = PROXY_BYTES) -> None:
        self.disk = DiskCache(folder, limit_bytes)
        self._lock = threading.Lock()
        self._films = 0
        self._building = threading.Lock()
        self._builder: VideoProxy | None = None
        """Whose turn it is or was last."""

    def join(self) -> None:
        """One more film shares the limit."""
        with self._lock:
            self._films += 1

    def leave(self, film: VideoProxy) -> None:
        with self._lock:
            self._films -= 1
            if self._builder is film:
                self._builder = None

    @property
    def bytes_for_a_film(self) -> int:
        """What one film may plan for, now: two that each took everything would push each other out for ever."""
        return int(self.disk.limit_bytes * _USABLE) // max(1, self._films)

    @contextmanager
    def turn(self, film: VideoProxy) -> Iterator[bool]:
        """Whether it is the film's turn to build: twelve cameras that build at once would get in everyone's way.

        The one whose turn it was before lets go of its decoder: a dozen of them hold more than the cache does.
        """
        got = self._building.acquire(blocking=False)
        try:
            if got:
                self._pass_on(film)
            yield got
        finally:
            if got:
                self._building.release()

    def _pass_on(self, film: VideoProxy) -> None:
        with self._lock:
            before, self._builder = self._builder, film
        if before is not None and before is not film:
            before.end_decoder()


class VideoProxy:
    """The previews of one film. ``picture``, ``covered`` from any thread; one thread at a time builds."""

    def __init__(
        self, video: VideoFile, content: str, folder: ProxyFolder, changed: Callable[[], None] | None = None
    ) -> None:
        self._video = video
        self._content = content
        self._folder = folder
        self._changed = changed
        self._plan = chunk_plan(video.packets.group_starts, len(video.table))
        self._present: set[int] = set()
        self._dropped_seen = -1
        self._decoder: FrameDecoder | None = None
        self._ending = threading.Lock()
        self._part: dict[int, bytes] = {}
        """Pictures of the chunk in hand, so that an interrupted one goes on where it stopped."""
        self._part_of = -1
        self._built_around: tuple[tuple[int, int], set[int]] = ((0, 0), set())
        """The run at the cursor, and what was built since it is there: never twice, were the limit ever so small."""
        self._frame_bytes = float(_TYPICAL_FRAME_BYTES)
        self._closed = False
        folder.join()
        self._look_what_is_there()

    def picture(self, index: int, view: View) -> Picture | None:
        """A small picture of just this frame, marked as a preview; ``None`` if there is none."""
        chunk = self._chunk(self._plan.chunk_of(index)) if 0 <= index < self._plan.count else None
        if chunk is None:
            return None
        video = self._video
        return preview_of(chunk.pictures[index - chunk.first], view, width_px=video.width_px, height_px=video.height_px)

    def covered_frames(self) -> tuple[range, ...]:
        """The frames that have a preview."""
        present = frozenset(self._present)
        return self._plan.covered(present.__contains__)

    def covered(self) -> tuple[TimeRange, ...]:
        """When frames with a preview show, in stream time: what the timeline paints."""
        shown = self._video.table.shown
        return tuple(TimeRange(shown(r[0]).start_ns, shown(r[-1]).end_ns) for r in self.covered_frames())

    def build_next(self, index: int, cancel: CancelToken) -> float | None:
        """Build the next missing chunk around the frame. Seconds to wait before asking again; ``None``: all is there.

        Cancelling keeps what was decoded for the chunk in hand.
        """
        if self._dropped_seen != self._folder.disk.dropped:
            self._look_what_is_there()
        chunk = self._next(index)
        if chunk is None or self._closed:
            self.end_decoder()
            return None
        with self._folder.turn(self) as ours:
            if not ours:
                return _TURN_PAUSE_S
            stored = self._build(chunk, cancel)
        if not stored:
            return None  # the disk cannot be written; the cache has said so
        if self._changed is not None:
            self._changed()
        return 0.0

    def build(self, index: int, *, cancel: CancelToken, progress: Progress | None = None) -> None:
        """Build everything the limit allows around the frame, as a job; a stream's worker does it in its spare time."""
        wanted = min(self._plan.count, self._most_frames)
        while (pause := self.build_next(index, cancel)) is not None:
            cancel.check()
            if pause:
                threading.Event().wait(pause)
            if progress is not None:
                progress(min(0.99, sum(map(len, self.covered_frames())) / wanted))
        if progress is not None:
            progress(1.0)

    def close(self) -> None:
        """Let go of the decoder; the pictures stay. Not while somebody builds. May be called twice."""
        if not self._closed:
            self._closed = True
            self._folder.leave(self)
            self.end_decoder()

    def end_decoder(self) -> None:
        """Let go of the decoder until the next turn. Not while it builds; any thread."""
        with self._ending:
            decoder, self._decoder = self._decoder, None
        if decoder is not None:
            decoder.close()

    @property
    def _most_frames(self) -> int:
        return max(CHUNK_FRAMES, int(self._folder.bytes_for_a_film / self._frame_bytes))

    def _next(self, index: int) -> int | None:
        nearest = min(max(index, 0), self._plan.count - 1)
        run = self._plan.runs_from(nearest)[0]
        if run != self._built_around[0]:
            self._built_around = (run, set())
        done = self._present | self._built_around[1]
        return self._plan.next_chunk(nearest, done.__contains__, most_frames=self._most_frames)

    def _key(self, chunk: int) -> str:
        frames = self._plan.frames_of(chunk)
        named = f"{self._content}\0{self._video.track}\0{frames.start}\0{frames.stop}\0{_LONG_SIDE_PX}"
        return hashlib.sha256(named.encode()).hexdigest()

    def _look_what_is_there(self) -> None:
        disk = self._folder.disk
        self._dropped_seen = disk.dropped
        chunks = range(len(self._plan.starts))
        self._present = {chunk for chunk in chunks if disk.holds(_KIND, self._key(chunk), _VERSION)}

    def _chunk(self, number: int) -> Chunk | None:
        if number not in self._present:
            return None
        share = self._video.share
        held: Chunk | None = share.get(("proxy", number))
        if held is not None:
            return held
        disk, key = self._folder.disk, self._key(number)
        data = disk.read(_KIND, key, _VERSION)
        frames = self._plan.frames_of(number)
        units = self._video.table.units[frames.start : frames.stop].tolist()
        chunk = None if data is None else chunk_from(data, first=frames.start, units=units)
        if chunk is None or data is None:
            disk.forget(_KIND, key, _VERSION)
            self._present.discard(number)
            return None
        share.put(("proxy", number), chunk, len(data))
        return chunk

    def _build(self, number: int, cancel: CancelToken) -> bool:
        from workstation.media.video_convert import picture_of

        frames = self._plan.frames_of(number)
        if number != self._part_of:
            self._part, self._part_of = {}, number
        look = self._video.packets.look

        def keep(index: int, frame: av.VideoFrame) -> None:
            self._part[index] = encoded(picture_of(frame, look, _SIZE).pixels)

        first = max(self._part, default=frames.start - 1) + 1
        if first < frames.stop:
            if self._decoder is None:
                self._decoder = self._video.another_decoder()
            self._decoder.decode(first, frames.stop - 1, keep, cancel)
        pictures = [self._part.get(index, b"") for index in frames]
        units = self._video.table.units[frames.start : frames.stop].tolist()
        data = chunk_bytes(frames.start, units, pictures)
        self._part, self._part_of = {}, -1
        if not self._folder.disk.write(_KIND, self._key(number), _VERSION, data):
            return False
        self._frame_bytes = 0.9 * self._frame_bytes + 0.1 * len(data) / len(frames)
        self._present = self._present | {number}
        self._built_around[1].add(number)
        return True


def open_proxy(
    video: VideoFile, folder: ProxyFolder, context: OpenContext, *, changed: Callable[[], None] | None = None
) -> VideoProxy:
    """The previews of an open film. ``changed`` is called by whoever builds, after each chunk.

    Reads the film once if its content hash is not known yet; not on the thread that paints.
    """
    path = video.paths[0]
    known = context.hashes.get(path, "")
    disk = context.disk or folder.disk
    content = known or disk.content_hash(path, tick=lambda _: context.cancel.check())
    return VideoProxy(video, content, folder, changed)
