"""How the previews of a film are cut into chunks, and which chunk is built next. Pure; used by ``proxy.py``.

A chunk never crosses a key frame that decoding can start from, so that none needs two groups. Chunks of one group are
built in order: whoever wants the last one has decoded the others anyway.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

CHUNK_FRAMES = 32
RUN_FRAMES = 512
"""The longest stretch that is built before the cursor is looked at again; a film may be one single group."""


@dataclass(frozen=True, slots=True)
class ChunkPlan:
    """Where the chunks of a film begin, and the runs of chunks that are decoded in one go."""

    count: int
    """Frames of the film."""
    starts: tuple[int, ...]
    """First frame of each chunk, rising from 0."""
    runs: tuple[tuple[int, int], ...]
    """(first chunk, chunk after the last)."""

    def chunk_of(self, frame: int) -> int:
        return bisect_right(self.starts, frame) - 1

    def frames_of(self, chunk: int) -> range:
        end = self.starts[chunk + 1] if chunk + 1 < len(self.starts) else self.count
        return range(self.starts[chunk], end)

    def runs_from(self, frame: int) -> list[tuple[int, int]]:
        """The runs, nearest to the frame first; of two as near the later one, since films are watched forwards."""

        def distance(run: tuple[int, int]) -> tuple[int, int]:
            first, last = self.starts[run[0]], self.frames_of(run[1] - 1)[-1]
            return (0, 0) if first <= frame <= last else (first - frame, 0) if first > frame else (frame - last, 1)

        return sorted(self.runs, key=distance)

    def next_chunk(self, frame: int, present: Callable[[int], bool], *, most_frames: int) -> int | None:
        """The first missing chunk of the nearest run that misses one; whole runs until so many frames are reached."""
        seen = 0
        for first, end in self.runs_from(frame):
            if seen >= most_frames:
                break
            for chunk in range(first, end):
                if not present(chunk):
                    return chunk
                seen += len(self.frames_of(chunk))
        return None

    def covered(self, present: Callable[[int], bool]) -> tuple[range, ...]:
        """The frames of all chunks that are there, as few ranges."""
        found: list[range] = []
        for chunk in range(len(self.starts)):
            if present(chunk):
                frames = self.frames_of(chunk)
                if found and found[-1].stop == frames.start:
                    found[-1] = range(found[-1].start, frames.stop)
                else:
                    found.append(frames)
        return tuple(found)


def chunk_plan(group_starts: Sequence[int], count: int) -> ChunkPlan:
    """``group_starts``: the first frame of each group, rising; frame 0 is one whether it is named or not."""
    groups = sorted({0, *(start for start in group_starts if 0 <= start < count)})
    starts: list[int] = []
    runs: list[tuple[int, int]] = []
    for first, end in zip(groups, [*groups[1:], count], strict=True):
        # Short groups (every frame a key frame) share a chunk: decoding may start anywhere in it.
        if starts and end - starts[-1] <= CHUNK_FRAMES:
            continue
        at_chunk = len(starts)
        starts.extend(range(first, end, CHUNK_FRAMES))
        step = RUN_FRAMES // CHUNK_FRAMES
        runs.extend((at, min(at + step, len(starts))) for at in range(at_chunk, len(starts), step))
    return ChunkPlan(count, tuple(starts), tuple(runs))
