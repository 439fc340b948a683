"""Arrays in memory that two processes share: made, grown and unlinked by the parent, attached by its worker.

Only names, dtypes, shapes and offsets travel through the pipe. What a program that died left behind is swept away.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
from collections.abc import Mapping
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError, UserError
from workstation.prelabel.api import Arrays

_PREFIX = "wsinfer"
_ALIGN = 64
_NAME = re.compile(_PREFIX + r"-(\d+)-[0-9a-f]+")
_SHARED_FOLDER = Path("/dev/shm")
KINDS = "biuf"


class Placed(msgspec.Struct, frozen=True):
    """Where one array lies in a block."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int


class Block:
    """One piece of shared memory that its owner may grow; a grown block has a new name."""

    def __init__(self) -> None:
        self._memory: SharedMemory | None = None

    @property
    def name(self) -> str:
        """What the other process attaches by; empty before the first ``room``."""
        return "" if self._memory is None else self._memory.name

    @property
    def size(self) -> int:
        return 0 if self._memory is None else self._memory.size

    def room(self, size: int) -> None:
        """Make sure of so many bytes; what was in it may be gone."""
        if size > self.size:
            self.close()
            name = f"{_PREFIX}-{os.getpid()}-{secrets.token_hex(6)}"
            wanted = max(size + size // 4, 1 << 16)
            self._memory = SharedMemory(name=name, create=True, size=wanted)
            _really_there(name, wanted)

    def write(self, arrays: Arrays) -> tuple[Placed, ...]:
        """Lay arrays into the block, growing it."""
        placed = laid_out(arrays)
        self.room(needed(placed))
        assert self._memory is not None
        copy_into(self._memory, arrays, placed)
        return placed

    def read(self, placed: tuple[Placed, ...]) -> dict[str, NDArray[Any]]:
        """Copies of what the other process laid there; its word is checked against the block's bounds."""
        if self._memory is None:
            raise DataError("the model's process answered before it was given room")
        return {each.name: view_of(self._memory, each).copy() for each in placed}

    def close(self) -> None:
        """Give the memory back; a second call does nothing."""
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()
            # A worker that fails to attach takes the name away, as Python's own class does.
            with contextlib.suppress(FileNotFoundError):
                memory.unlink()


def laid_out(arrays: Arrays) -> tuple[Placed, ...]:
    """Offsets for arrays, one after the other."""
    placed, offset = [], 0
    for name, array in arrays.items():
        placed.append(Placed(name, array.dtype.str, array.shape, offset))
        offset += -(-array.nbytes // _ALIGN) * _ALIGN
    return tuple(placed)


def needed(placed: tuple[Placed, ...]) -> int:
    """How many bytes a block needs for them."""
    return max((each.offset + _bytes(each) for each in placed), default=0)


def copy_into(memory: SharedMemory, arrays: Mapping[str, NDArray[Any]], placed: tuple[Placed, ...]) -> None:
    """Copy arrays to their places."""
    for each in placed:
        view_of(memory, each)[...] = arrays[each.name]


def view_of(memory: SharedMemory, placed: Placed) -> NDArray[Any]:
    """The array in place. Raises ``DataError`` for one that does not lie inside the block."""
    dtype = np.dtype(placed.dtype)
    if dtype.kind not in KINDS or any(side < 0 for side in placed.shape):
        raise DataError(f"the array {placed.name!r} is not made of plain numbers")
    if placed.offset < 0 or placed.offset + _bytes(placed) > memory.size:
        raise DataError(f"the array {placed.name!r} does not lie in its block")
    return np.ndarray(placed.shape, dtype, memory.buf, placed.offset)


def _really_there(name: str, size: int) -> None:
    """Claim the memory now: a full shared-memory folder would end this process with a signal at the first write."""
    path = _SHARED_FOLDER / name
    if not hasattr(os, "posix_fallocate") or not path.exists():
        return
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        raise UserError(
            f"there is no room for {size:,} bytes of shared memory in {_SHARED_FOLDER} ({error.strerror}); "
            "make it larger, or run the model with a smaller batch"
        ) from error
    finally:
        os.close(descriptor)


def _bytes(placed: Placed) -> int:
    size = np.dtype(placed.dtype).itemsize
    for side in placed.shape:
        size *= side
    return size


def sweep(folder: Path = _SHARED_FOLDER) -> int:
    """Take away blocks whose owner is no longer there; answers how many. Where blocks are no files, none is left."""
    if not sys.platform.startswith("linux") or not folder.is_dir():
        return 0
    gone = 0
    for path in folder.glob(f"{_PREFIX}-*"):
        found = _NAME.fullmatch(path.name)
        if found is not None and not Path(f"/proc/{found.group(1)}").exists():
            path.unlink(missing_ok=True)
            gone += 1
    return gone
