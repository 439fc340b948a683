"""Pieces of media through a model with nobody waiting: read, prepared, run and decoded side by side, in order.

One thread reads (and so decodes media), one prepares batches, the model works in its own process, and the caller's
thread decodes answers and takes what is found. Queues are bounded, so memory and the cost of a piece do not grow with
the length of the job. Called by the labellers of ``app``.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from workstation.core.errors import UserError
from workstation.prelabel.api import Arrays, BadOutput, Prepared
from workstation.prelabel.onnx_read import Port
from workstation.prelabel.worker import MemoryRanOut, Stopped, WorkerDied, WorkerFailed

P = TypeVar("P")
R = TypeVar("R")
P_in_contra = TypeVar("P_in_contra", contravariant=True)
R_out_co = TypeVar("R_out_co", covariant=True)
_AHEAD = 2
_LOOK_S = 0.1
_SHARE_OF_ROOM = 0.7
_MOST_DEATHS = 2


class Engine(Protocol):
    """What runs batches: ``worker.Worker``, or a stand-in."""

    @property
    def inputs(self) -> tuple[Port, ...]: ...
    @property
    def has_room(self) -> bool: ...
    @property
    def resident_bytes(self) -> int: ...
    @property
    def room_bytes(self) -> int: ...
    def submit(self, feeds: Arrays) -> None: ...
    def answer(self) -> Arrays: ...
    def close(self) -> None: ...


class Work(Protocol[P_in_contra, R_out_co]):
    """What a family does with pieces: pure, and called from any thread."""

    def prepare(self, pieces: Sequence[P_in_contra]) -> Prepared:
        """Tensors for a batch."""
        ...

    def decode(self, outputs: Arrays, prepared: Prepared) -> Sequence[R_out_co]:
        """One result a piece, in their order."""
        ...


@dataclass(slots=True)
class _Batch(Generic[P]):
    keys: list[Any]
    pieces: list[P]
    prepared: Prepared | None = None
    deaths: int = 0


@dataclass(slots=True)
class Account:
    """What a job did, for its report: batches as they were, and what went wrong on the way."""

    pieces: int = 0
    batches: int = 0
    batch: int = 0
    restarts: int = 0
    notes: list[str] = field(default_factory=list)


_END = object()


class Pipeline(Generic[P, R]):
    """One model over many pieces. Use it in a ``with`` block.

    ``engines`` start the model: the one proven best first, then what to fall back to (the processor).
    """

    def __init__(
        self, work: Work[P, R], engines: Sequence[Callable[[], Engine]], *, batch: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        self.account = Account(batch=max(1, batch))
        self._work = work
        self._engines = deque(engines)
        self._cancelled = cancelled
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._engine: Engine | None = None
        self._wanted = max(1, batch)
        self._batch = 1
        """The first piece goes alone, to see what one costs."""
        self._fixed = 0

    def run(self, pieces: Iterable[tuple[Any, P]]) -> Iterator[tuple[Any, R]]:
        """(key, result) of every piece, in their order. What the reading raises is raised here."""
        self._start_engine()
        read: queue.Queue[Any] = queue.Queue(max(_AHEAD, 2 * self._wanted))
        ready: queue.Queue[Any] = queue.Queue(_AHEAD)
        self._begin("read", self._read, pieces, read)
        self._begin("prepare", self._prepare, read, ready)
        under_way: deque[_Batch[P]] = deque()
        ended = False
        while not ended or under_way:
            self._check()
            while not ended and len(under_way) < _AHEAD:
                batch = self._next(ready, wait=not under_way)
                if batch is None:
                    break
                if batch is _END:
                    ended = True
                    break
                if not self._submitted(batch):
                    # What is under way died with the process: all of it is done again, one by one.
                    under_way.append(batch)
                    yield from self._again(under_way)
                    continue
                under_way.append(batch)
            if under_way:
                yield from self._answered(under_way)

    def close(self) -> None:
        """Stop the threads and the model; a second call does nothing."""
        self._stop.set()
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def __enter__(self) -> Pipeline[P, R]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- reading and preparing, on threads of their own -----------------------------------------------------------

    def _begin(self, name: str, function: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=function, args=arguments, name=f"prelabel {name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _read(self, pieces: Iterable[tuple[Any, P]], into: queue.Queue[Any]) -> None:
        try:
            for keyed in pieces:
                if not self._put(into, keyed):
                    return
        except BaseException as error:  # noqa: BLE001 - a border of a thread: raised where the results are taken
            self._put(into, error)
            return
        self._put(into, _END)

    def _prepare(self, read: queue.Queue[Any], into: queue.Queue[Any]) -> None:
        batch: _Batch[P] = _Batch([], [])
        try:
            while True:
                found = self._take(read)
                if found is _END or isinstance(found, BaseException):
                    if batch.keys:
                        batch.prepared = self._work.prepare(batch.pieces)
                        self._put(into, batch)
                    self._put(into, found)
                    return
                if found is None:
                    return
                batch.keys.append(found[0])
                batch.pieces.append(found[1])
                if len(batch.keys) >= self._batch:
                    batch.prepared = self._work.prepare(batch.pieces)
                    if not self._put(into, batch):
                        return
                    batch = _Batch([], [])
        except BaseException as error:  # noqa: BLE001 - a border of a thread: raised where the results are taken
            self._put(into, error)

    def _put(self, into: queue.Queue[Any], value: Any) -> bool:
        while not self._stop.is_set():
            try:
                into.put(value, timeout=_LOOK_S)
            except queue.Full:
                continue
            return True
        return False

    def _take(self, out_of: queue.Queue[Any]) -> Any:
        while not self._stop.is_set():
            try:
                return out_of.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
        return None

    # --- the model, on the caller's thread ------------------------------------------------------------------------

    def _next(self, ready: queue.Queue[Any], *, wait: bool) -> Any:
        """The next batch; ``None`` if there is none yet and something else can be done meanwhile."""
        while True:
            try:
                found = ready.get(timeout=_LOOK_S) if wait else ready.get_nowait()
            except queue.Empty:
                if not wait:
                    return None
                self._check()
                continue
            if isinstance(found, BaseException):
                raise found
            return found

    def _submitted(self, batch: _Batch[P]) -> bool:
        if len(batch.keys) > self._batch:
            return False  # prepared before memory ran out; it goes again in smaller parts
        try:
            self._running().submit(_prepared(batch).feeds)
        except WorkerDied as death:
            self._revive(death, batch)
            return False
        return True

    def _answered(self, under_way: deque[_Batch[P]]) -> Iterator[tuple[Any, R]]:
        engine = self._running()
        before = engine.resident_bytes
        try:
            outputs = engine.answer()
        except MemoryRanOut as problem:
            self._halve(problem)
            yield from self._again(under_way)
            return
        except WorkerDied as death:
            self._revive(death, under_way[0])
            yield from self._again(under_way)
            return
        batch = under_way.popleft()
        if self.account.batches == 0:
            self._size_batch(engine, before)
        yield from self._decoded(batch, outputs)

    def _again(self, under_way: deque[_Batch[P]]) -> Iterator[tuple[Any, R]]:
        """Everything under way once more, in its order, in parts of today's size, on a fresh process."""
        self._restart()
        waiting = deque(_Batch(list(each.keys), list(each.pieces), None, each.deaths) for each in under_way)
        under_way.clear()
        while waiting:
            self._check()
            batch = waiting.popleft()
            if len(batch.keys) > self._batch:
                waiting.extendleft(reversed(_parts(batch, self._batch)))
                continue
            batch.prepared = self._work.prepare(batch.pieces)
            try:
                self._running().submit(batch.prepared.feeds)
                outputs = self._running().answer()
            except MemoryRanOut as problem:
                self._halve(problem)
                self._restart()
                waiting.appendleft(batch)
                continue
            except WorkerDied as death:
                self._revive(death, batch)
                self._restart()
                waiting.appendleft(batch)
                continue
            yield from self._decoded(batch, outputs)

    def _decoded(self, batch: _Batch[P], outputs: Arrays) -> Iterator[tuple[Any, R]]:
        found = self._work.decode(outputs, _prepared(batch))
        if len(found) != len(batch.keys):
            raise BadOutput(f"the model answered {len(found)} results for {len(batch.keys)} pieces")
        self.account.batches += 1
        self.account.pieces += len(batch.keys)
        yield from zip(batch.keys, found, strict=True)

    def _running(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("the pipeline is closed")
        return self._engine

    def _start_engine(self) -> None:
        self._engine = self._engines[0]()
        shape = self._engine.inputs[0].shape if self._engine.inputs else ()
        if shape and shape[0] == 1:
            self._wanted = self._batch = self._fixed = 1

    def _restart(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
        self.account.restarts += 1
        self._start_engine()

    def _size_batch(self, engine: Engine, before: int) -> None:
        """As many at once as was asked for, or as few as the memory holds, by what the first one took."""
        size = self._wanted
        one = engine.resident_bytes - before
        if one > 0:
            size = max(1, min(size, int(engine.room_bytes * _SHARE_OF_ROOM) // one))
        self._batch = self.account.batch = size

    def _halve(self, problem: MemoryRanOut) -> None:
        if self._batch > 1:
            self._batch = max(1, self._batch // 2)
            self._wanted = self.account.batch = self._batch
            self.account.notes.append(f"memory ran out; batches of {self._batch} from then on")
            return
        self._fall_back(problem)

    def _revive(self, death: WorkerDied, batch: _Batch[P]) -> None:
        batch.deaths += 1
        if batch.deaths >= _MOST_DEATHS:
            self._fall_back(death)
            batch.deaths = 0

    def _fall_back(self, problem: WorkerFailed) -> None:
        if len(self._engines) < 2:
            raise problem
        self._engines.popleft()
        self.account.notes.append(f"went on with the next device: {problem}")

    def _check(self) -> None:
        if self._cancelled():
            raise Stopped("stopped, as was asked; what was found so far is kept")


def _prepared(batch: _Batch[Any]) -> Prepared:
    if batch.prepared is None:
        raise UserError("a batch was not prepared")
    return batch.prepared


def _parts(batch: _Batch[P], size: int) -> list[_Batch[P]]:
    places = range(0, len(batch.keys), size)
    return [_Batch(batch.keys[at : at + size], batch.pieces[at : at + size], None, batch.deaths) for at in places]
