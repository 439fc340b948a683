"""A model in a process of its own: it may crash, hang or eat memory there, and its owner gets a sentence.

Called by ``pipeline.py`` and ``providers.py``. Two batches may be under way at once, so that the device works while the
answer before is read. One thread owns a worker; ``close`` may come from another.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError, UserError
from workstation.prelabel.api import Arrays, BadOutput
from workstation.prelabel.frames import Block, sweep
from workstation.prelabel.messages import (
    LONGEST,
    Done,
    Failed,
    Fetch,
    FromWorker,
    NeedsRoom,
    Offered,
    Opened,
    Run,
    ToWorker,
    Trouble,
    from_worker,
    packed,
)
from workstation.prelabel.onnx_read import Port
from workstation.prelabel.worker_process import Setup, serve

CPU = "CPUExecutionProvider"
_LOOK_S = 0.05
_AT_ONCE = 2
_ADDRESS_SPACE = 3
"""Halves of the allowed memory: addresses are spent more freely than memory, which is watched as well."""
_LAST_WORDS = 4000
_LONGEST_REASON = 400
_WANTED = re.compile(r"requested buffer of size (\d{1,18})")
_OF_THE_RUNTIME = re.compile(r"^\w+: |\[ONNXRuntimeError\] : \d+ : \w+ : |/onnxruntime_src/\S+ .*?\)\s")


class WorkerFailed(UserError):
    """The model's process could not do it; the sentence says why. What it was doing left nothing behind."""


class MemoryRanOut(WorkerFailed):
    """For want of memory: a smaller batch may fit."""


class WorkerDied(WorkerFailed):
    """The process is gone. ``log`` holds what it, or a driver in it, said last."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class Stopped(WorkerFailed):
    """Its owner does not want it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a model may use. The memory is that of the process, above what an idle one has."""

    memory_bytes: int = 4 << 30
    load_s: float = 120.0
    run_s: float = 120.0
    answer_bytes: int = 2 << 30


class Worker:
    """One graph on one provider in a process of its own. Close it, or use it in a ``with`` block."""

    def __init__(
        self,
        path: Path,
        *,
        provider: str = CPU,
        threads: int = 0,
        limits: Limits = Limits(),
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Starts it and waits until the graph is loaded."""
        sweep()
        self._name = f"{path.parent.name}/{path.name}"  # most files are called model.onnx
        self._limits = limits
        self._cancelled = cancelled
        self._slots = [(Block(), Block()) for _ in range(_AT_ONCE)]
        self._pending: list[int] = []
        self._next = 0
        self._kept: list[FromWorker] = []
        self._closing = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="workstation-model-")
        self._log = Path(self._folder.name) / "said.txt"
        on_cpu = provider == CPU
        self._process, self._pipe = _started(
            Setup(
                path=str(path), provider=provider, threads=threads or _threads(),
                memory_bytes=limits.memory_bytes * _ADDRESS_SPACE // 2 if on_cpu else 0, log=str(self._log),
                ask_gpu=not on_cpu,
            )
        )  # fmt: skip
        self.run_seconds = 0.0
        """How long the graph itself took for the last answer."""
        try:
            opened = self._receive(limits.load_s, "load")
            if isinstance(opened, Failed):
                raise self._failure(opened)
            if not isinstance(opened, Opened):
                raise WorkerFailed(f"{self._name}: the model's process said something unexpected while loading")
        except BaseException:
            self.close()
            raise
        self.providers = opened.providers
        self.load_seconds = opened.seconds
        self.inputs = tuple(Port(each.name, each.dtype, each.shape) for each in opened.inputs)
        self.outputs = tuple(Port(each.name, each.dtype, each.shape) for each in opened.outputs)

    @property
    def pid(self) -> int | None:
        """Of the process, for a test or a monitor."""
        pid: int | None = self._process.pid
        return pid

    @property
    def resident_bytes(self) -> int:
        """Memory the process has now; 0 where the system does not say."""
        return _resident(self._process.pid)

    @property
    def room_bytes(self) -> int:
        """How much more it may take."""
        return max(0, self._limits.memory_bytes + _IDLE_BYTES - self.resident_bytes)

    @property
    def log(self) -> str:
        """What the process, or a driver in it, has said so far."""
        with contextlib.suppress(OSError):
            return self._log.read_bytes()[-_LAST_WORDS:].decode("utf-8", "replace")
        return ""

    def run(self, feeds: Arrays) -> Arrays:
        """One batch through the graph."""
        self.submit(feeds)
        return self.answer()

    @property
    def has_room(self) -> bool:
        """Whether another batch may be submitted before an answer is taken."""
        return len(self._pending) < _AT_ONCE

    def submit(self, feeds: Arrays) -> None:
        """Hand over a batch; answers come in the same order."""
        if not self.has_room:
            raise RuntimeError("two batches are under way already")
        inputs, outputs = self._slots[self._next % _AT_ONCE]
        plain = {name: np.ascontiguousarray(array) for name, array in feeds.items()}
        placed = inputs.write(plain)
        self._send(Run(self._next, inputs.name, placed, outputs.name))
        self._pending.append(self._next)
        self._next += 1

    def answer(self) -> dict[str, NDArray[Any]]:
        """The answer to the oldest batch under way. Raises ``BadOutput`` for one that holds no numbers."""
        ticket = self._pending.pop(0)
        outputs = self._slots[ticket % _AT_ONCE][1]
        message = self._receive(self._limits.run_s, "answer")
        if isinstance(message, NeedsRoom) and message.ticket == ticket:
            message = self._with_room(ticket, message.size, outputs)
        if isinstance(message, Failed):
            raise self._failure(message)
        if not isinstance(message, Done) or message.ticket != ticket:
            self._kill()
            raise WorkerDied(f"{self._name}: the model's process lost count of its batches")
        self.run_seconds = message.seconds or self.run_seconds
        try:
            found = outputs.read(message.placed)
        except (DataError, TypeError, ValueError) as error:
            self._kill()
            raise WorkerDied(f"{self._name}: the model's process answered nonsense: {error}") from error
        check_numbers(found)
        return found

    def _with_room(self, ticket: int, size: int, outputs: Block) -> FromWorker:
        if not 0 <= size <= self._limits.answer_bytes:
            self._kill()
            raise MemoryRanOut(
                f"{self._name}: one answer would take {size:,} bytes, more than the limit of "
                f"{self._limits.answer_bytes:,}"
            )
        outputs.room(size)
        # Another batch may be under way: its answer must not be taken for this one's.
        later = [self._receive(self._limits.run_s, "answer") for _ in self._pending]
        self._send(Fetch(ticket, outputs.name))
        message = self._receive(self._limits.run_s, "answer")
        self._kept += later
        return message

    def close(self) -> None:
        """End the process and give the memory back; a second call does nothing."""
        with self._closing:
            with contextlib.suppress(OSError):
                self._pipe.close()
            self._process.join(0.5)
            self._end()
            for pair in self._slots:
                for block in pair:
                    block.close()
            self._folder.cleanup()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, message: ToWorker) -> None:
        try:
            self._pipe.send_bytes(packed(message))
        except (OSError, ValueError) as error:
            raise self._death() from error

    def _receive(self, limit_s: float, doing: str) -> FromWorker:
        if self._kept:
            return self._kept.pop(0)
        until = time.monotonic() + limit_s
        while not self._has_said_something():
            if self._cancelled():
                self._kill()
                raise Stopped(f"{self._name}: stopped, as was asked")
            used = _resident(self._process.pid)
            if used > self._limits.memory_bytes + _IDLE_BYTES:
                self._kill()
                raise MemoryRanOut(
                    f"{self._name}: the model took {used / 1e9:.1f} GB of memory, more than it is allowed "
                    f"({self._limits.memory_bytes / 1e9:.1f} GB); its process was ended"
                )
            if time.monotonic() > until:
                self._kill()
                raise WorkerDied(f"{self._name}: no {doing} within {limit_s:g} s; its process was ended", self.log)
        try:
            return from_worker(self._pipe.recv_bytes(LONGEST))
        except (EOFError, OSError) as error:
            raise self._death() from error
        except msgspec.MsgspecError as error:
            self._kill()
            raise WorkerDied(f"{self._name}: the model's process said something unreadable") from error

    def _has_said_something(self) -> bool:
        try:
            return self._pipe.poll(_LOOK_S)
        except (OSError, EOFError) as error:
            raise self._death() from error

    def _death(self) -> WorkerFailed:
        self._process.join(1.0)
        code: int | None = self._process.exitcode
        log = self.log
        if "bad_alloc" in log or "MemoryError" in log:
            return MemoryRanOut(f"{self._name}: the model's process ran out of memory and ended")
        if code is None:
            how = "hung up"
        elif code < 0:
            how = f"was ended by signal {-code}"
        else:
            how = f"ended with code {code}"
        last = log.strip().splitlines()[-1:] or [""]
        said = f"; it said: {last[0][:300]}" if last[0] else ""
        return WorkerDied(f"{self._name}: the model's process {how}{said}", log)

    def _failure(self, failed: Failed) -> WorkerFailed:
        if failed.trouble is not Trouble.MEMORY:
            return WorkerFailed(f"{self._name}: the model was refused: {in_short(failed.reason)}")
        wanted = _WANTED.search(failed.reason)
        said = f"it asked for {int(wanted.group(1)) / 1e9:.1f} GB at once, and " if wanted else ""
        allowed = f"{self._limits.memory_bytes / 1e9:.1f} GB"
        return MemoryRanOut(f"{self._name}: the model ran out of memory: {said}{allowed} are allowed")

    def _kill(self) -> None:
        self._process.kill()
        self._process.join(5.0)

    def _end(self) -> None:
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(1.0)
        if self._process.is_alive():
            self._kill()
        self._process.close()


def in_short(reason: str) -> str:
    """What a runtime says, without its own names for it and without where in its sources it says so."""
    plain = _OF_THE_RUNTIME.sub("", reason)
    return " ".join(plain.split())[:_LONGEST_REASON]


def check_numbers(arrays: Arrays) -> None:
    """Raise ``BadOutput`` for the first array that holds something other than finite numbers."""
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            what = "values that are not a number" if np.isnan(array).any() else "infinite values"
            raise BadOutput(f"the output {name!r} holds {what}")


def offered(*, limit_s: float = 60.0) -> Offered:
    """What the model runtime of this machine says it was built for, asked in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="workstation-model-") as folder:
        process, pipe = _started(Setup(log=str(Path(folder) / "said.txt")))
        try:
            said = from_worker(pipe.recv_bytes(LONGEST)) if pipe.poll(limit_s) else None
        except (EOFError, OSError, msgspec.MsgspecError):
            said = None
        finally:
            pipe.close()
            process.join(5.0)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
    if isinstance(said, Offered):
        return said
    reason = f": {said.reason}" if isinstance(said, Failed) else ""
    raise WorkerFailed(f"the model runtime does not start here{reason}; look at: workstation doctor")


def _started(setup: Setup) -> tuple[Any, Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, msgspec.msgpack.encode(setup)), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _threads() -> int:
    return max(1, (os.cpu_count() or 2) - 1)


_IDLE_BYTES = 200 << 20
"""What a process with the runtime in it takes before it has a model."""


def _resident(pid: int | None) -> int:
    """Bytes of memory a process really has; 0 where the system does not say."""
    if pid is None or not sys.platform.startswith("linux"):
        return 0
    try:
        words = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE") if len(words) > 1 else 0
