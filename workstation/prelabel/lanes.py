"""Where the parts of a large job are worked on: here, one after another. A cluster's scheduler fits the same protocol.

A part is a plain value that can be sent to another machine, and the work a function that can be imported there; the
pipeline inside knows nothing of it. Called by ``app/prelabelling.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


class Lanes(Protocol):
    """Runs ``work`` over parts; answers (part, result) as results come, those of one part in their order."""

    def run(self, work: Callable[[Part], Iterator[Result]], parts: Iterable[Part]) -> Iterator[tuple[Part, Result]]:
        """Ends when all parts are done; raises what a part raises."""
        ...


class LocalLanes:
    """This machine. One part at a time: a model uses all its cores."""

    def run(self, work: Callable[[Part], Iterator[Result]], parts: Iterable[Part]) -> Iterator[tuple[Part, Result]]:
        """The parts in their order."""
        for part in parts:
            for result in work(part):
                yield part, result
