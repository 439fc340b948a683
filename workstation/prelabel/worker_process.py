"""The inside of a worker process: loads a graph, answers batches until its owner hangs up. Started by ``worker.py``."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from numpy.typing import NDArray

from workstation.prelabel.frames import Placed, copy_into, laid_out, needed, view_of
from workstation.prelabel.messages import (
    Done,
    Failed,
    Fetch,
    FromWorker,
    NeedsRoom,
    Offered,
    Opened,
    PortMessage,
    ToWorker,
    Trouble,
    packed,
    to_worker,
)

if TYPE_CHECKING:
    from workstation.prelabel.runtime import OrtSession

_LONGEST_REASON = 2000
_NICE = 5


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is started with. An empty ``path`` asks only what the runtime offers."""

    path: str = ""
    provider: str = ""
    threads: int = 1
    memory_bytes: int = 0
    """Of address space on top of what an idle process has; 0 where a GPU's driver reserves far more than it uses."""
    log: str = ""
    """Where standard output and error go: drivers say there why they do not work."""
    ask_gpu: bool = False


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.msgpack.Decoder(Setup)


def serve(pipe: Connection, setup_bytes: bytes) -> None:
    """Everything a worker does."""
    setup = _READ.decode(setup_bytes)
    _redirect(setup.log)
    try:
        _serve(pipe, setup)
    except (EOFError, OSError):
        return  # the owner hung up, or died
    except MemoryError as error:
        _say(pipe, Failed(-1, Trouble.MEMORY, _words(error)))


def _serve(pipe: Connection, setup: Setup) -> None:
    # The interface comes first; not where the system knows no such thing.
    if hasattr(os, "nice"):
        os.nice(_NICE)
    try:
        from workstation.prelabel import runtime

        if setup.ask_gpu:
            runtime.load_gpu_libraries()
        if not setup.path:
            _say(pipe, Offered(runtime.version(), runtime.offered()))
            return
        _limit_memory(setup.memory_bytes)
        began = time.perf_counter()
        session = runtime.OrtSession(Path(setup.path), setup.provider, threads=setup.threads)
    except Exception as error:  # noqa: BLE001 - a border: whatever a model file causes is told to the owner
        from_memory = isinstance(error, MemoryError) or "alloc" in str(error).casefold()
        _say(pipe, Failed(-1, Trouble.MEMORY if from_memory else Trouble.REFUSED, _words(error)))
        return
    _say(pipe, Opened(session.providers, _ports(session.inputs), _ports(session.outputs), time.perf_counter() - began))
    _answer_all(pipe, session)


def _answer_all(pipe: Connection, session: OrtSession) -> None:
    blocks = _Attached()
    waiting: dict[int, dict[str, NDArray[Any]]] = {}
    try:
        while True:
            asked = to_worker(pipe.recv_bytes())
            _say(pipe, _answered(blocks, session, asked, waiting))
    finally:
        blocks.close()


def _answered(blocks: _Attached, session: OrtSession, asked: ToWorker, waiting: dict[int, Any]) -> FromWorker:
    from workstation.prelabel.runtime import is_out_of_memory

    try:
        if isinstance(asked, Fetch):
            return _laid(blocks, asked.ticket, waiting.pop(asked.ticket), asked.outputs, 0.0, waiting)
        memory = blocks.get(asked.inputs)
        feeds = {each.name: view_of(memory, each) for each in asked.placed}
        began = time.perf_counter()
        answers = session.run(feeds)
        seconds = time.perf_counter() - began
        return _laid(blocks, asked.ticket, answers, asked.outputs, seconds, waiting)
    except Exception as error:  # noqa: BLE001 - a border: whatever a model causes is told to the owner
        trouble = Trouble.MEMORY if is_out_of_memory(error) else Trouble.REFUSED
        return Failed(asked.ticket, trouble, _words(error))


def _laid(
    blocks: _Attached, ticket: int, answers: dict[str, NDArray[Any]], name: str, seconds: float, waiting: dict[int, Any]
) -> FromWorker:
    placed: tuple[Placed, ...] = laid_out(answers)
    size = needed(placed)
    memory = blocks.get(name) if name else None
    if memory is None or memory.size < size:
        waiting[ticket] = answers
        return NeedsRoom(ticket, size)
    copy_into(memory, answers, placed)
    return Done(ticket, placed, seconds)


class _Attached:
    """The owner's blocks, attached once each; the owner has few and replaces them rarely."""

    _MOST = 8

    def __init__(self) -> None:
        self._open: dict[str, SharedMemory] = {}

    def get(self, name: str) -> SharedMemory:
        found = self._open.get(name)
        if found is None:
            while len(self._open) >= self._MOST:
                self._drop(next(iter(self._open)))
            found = self._open[name] = SharedMemory(name=name)
        return found

    def close(self) -> None:
        for name in list(self._open):
            self._drop(name)

    def _drop(self, name: str) -> None:
        # A view that a tensor still holds keeps the mapping until it goes; the process ends soon anyway.
        with contextlib.suppress(BufferError):
            self._open.pop(name).close()


def _ports(ports: Any) -> tuple[PortMessage, ...]:
    return tuple(PortMessage(each.name, each.dtype, each.shape) for each in ports)


def _say(pipe: Connection, message: FromWorker) -> None:
    pipe.send_bytes(packed(message))


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:_LONGEST_REASON]


def _redirect(log: str) -> None:
    if log:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.close(descriptor)


def _limit_memory(extra: int) -> None:
    """No more address space than now and so many bytes more; where the system knows such a limit."""
    if extra <= 0 or not sys.platform.startswith("linux"):
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + extra
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
