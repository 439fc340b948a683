"""What a worker process and its owner say to each other: plain values through a pipe, tensors through shared memory.

Nothing is pickled: a model file that takes over the worker must not be able to hand its owner code.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from workstation.prelabel.frames import Placed


class Trouble(StrEnum):
    """Why something did not work, as far as the program acts on it."""

    MEMORY = "memory"
    REFUSED = "refused"
    PROVIDER = "provider"
    BUG = "bug"


class PortMessage(msgspec.Struct, frozen=True):
    name: str
    dtype: str
    shape: tuple[int | str, ...]


class Run(msgspec.Struct, frozen=True, tag=True):
    """One batch, lying in the block ``inputs``; the answer belongs into ``outputs``."""

    ticket: int
    inputs: str
    placed: tuple[Placed, ...]
    outputs: str


class Fetch(msgspec.Struct, frozen=True, tag=True):
    """There is room now: lay the answer to ``ticket`` into this block."""

    ticket: int
    outputs: str


class Opened(msgspec.Struct, frozen=True, tag=True):
    """The model is loaded."""

    providers: tuple[str, ...]
    inputs: tuple[PortMessage, ...]
    outputs: tuple[PortMessage, ...]
    seconds: float


class Done(msgspec.Struct, frozen=True, tag=True):
    """An answer lies in the output block."""

    ticket: int
    placed: tuple[Placed, ...]
    seconds: float


class NeedsRoom(msgspec.Struct, frozen=True, tag=True):
    """The answer is there, but the block is too small."""

    ticket: int
    size: int


class Failed(msgspec.Struct, frozen=True, tag=True):
    """It did not work; ``ticket`` is −1 where no batch was being run."""

    ticket: int
    trouble: Trouble
    reason: str


class Offered(msgspec.Struct, frozen=True, tag=True):
    """What the runtime of this process was built for."""

    version: str
    providers: tuple[str, ...]


ToWorker = Run | Fetch
FromWorker = Opened | Done | NeedsRoom | Failed | Offered
_ENCODER = msgspec.msgpack.Encoder()
_TO_WORKER: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_FROM_WORKER: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
LONGEST = 16 << 20
"""Bytes of one message: more comes only from a worker that has lost its mind."""


def packed(message: ToWorker | FromWorker) -> bytes:
    """The bytes of a message."""
    return _ENCODER.encode(message)


def to_worker(data: bytes) -> ToWorker:
    """What the owner asks."""
    return _TO_WORKER.decode(data)


def from_worker(data: bytes) -> FromWorker:
    """What the worker answers; ``msgspec.MsgspecError`` if it is nothing we know."""
    return _FROM_WORKER.decode(data)
