"""The sweeps of a LiDAR looked at one by one, in chunks that are kept so that a stopped job goes on. Used by the
labellers of sweeps (``label_lidar.py``, ``label_frustums.py``), which say what is found in one sweep and what all of
them together are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from workstation.app.labellers import Assignment, Call, Chunk
from workstation.app.lidar_prelabelling import LidarScene
from workstation.core.errors import DataError

Found = TypeVar("Found")
Proposals = tuple[tuple[Call, ...], Mapping[str, int]]
"""What is proposed, and labels that no class stands for with how often they were found."""


def sweep_indices(assignment: Assignment, scene: LidarScene) -> range:
    """Which sweeps a job looks at."""
    return range(0, len(scene.times_ns), max(1, int(assignment.options.get("every", 1))))


def chunked(
    assignment: Assignment, scene: LidarScene, look: Callable[[int], Sequence[Found]],
    finish: Callable[[list[Found]], Proposals], *, kept: msgspec.msgpack.Decoder[list[Found]], a_chunk: int,
    cancelled: Callable[[], bool],
) -> Iterator[Chunk]:  # fmt: skip
    """``look`` at each sweep by its index; the last chunk brings what ``finish`` makes of everything that was found,
    in earlier runs too. A sweep that cannot be read is a note."""
    indices = sweep_indices(assignment, scene)
    if not indices:
        yield Chunk(position=1, done=1, total=1)
        return
    seen = [each for part in assignment.kept for each in _unpacked(part, kept)] if assignment.position else []
    position = assignment.position if assignment.kept else 0
    new: list[Found] = []
    notes: list[str] = []
    for number, index in enumerate(indices):
        if index < position:
            continue
        if cancelled():
            return
        try:
            new += look(index)
        except DataError as problem:
            notes.append(str(problem))
        last = index == indices[-1]
        if last or (number + 1) % a_chunk == 0:
            seen += new
            calls, left_out = finish(seen) if last else ((), {})
            yield Chunk(
                position=index + 1, done=number + 1, total=len(indices), calls=calls, left_out=left_out,
                notes=tuple(notes), kept=msgspec.msgpack.encode(new),
            )  # fmt: skip
            new, notes = [], []


def _unpacked(data: bytes, kept: msgspec.msgpack.Decoder[list[Found]]) -> list[Found]:
    try:
        return kept.decode(data)
    except msgspec.MsgspecError as problem:
        raise DataError(
            "what an earlier run kept of these sweeps cannot be read; run prelabel with --again", path="prelabel"
        ) from problem
