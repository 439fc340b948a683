"""Whether long work is still wanted: asked by the work at short intervals, told by whoever began it.

The checks beside the window run with one (``app/checking.py``): closing a project, or opening another sample, ends them
in the middle of a rule. Readers of media have a token of their own (``media/base.py``), and so have jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
_STRIDE = 64
"""Records between two looks: work of half a millisecond on each looks up every 32 ms, and nothing is felt of it."""


class Stopped(Exception):
    """Nobody wants the result any more. No error: whoever keeps something half made drops it and passes this on."""


class StopToken:
    """Asked on the thread that works, told on any."""

    __slots__ = ("asked",)

    def __init__(self) -> None:
        self.asked = False

    def ask(self) -> None:
        """End the work at its next look."""
        self.asked = True

    def look(self) -> None:
        """Raises ``Stopped`` if nobody wants the result any more. So cheap that loops may do it each time."""
        if self.asked:
            raise Stopped

    def over(self, records: Iterable[T]) -> Iterator[T]:
        """These, with a look now and then."""
        source = iter(records)
        return chain.from_iterable(iter(lambda: self._some(source), ()))

    def _some(self, source: Iterator[T]) -> tuple[T, ...]:
        self.look()
        return tuple(islice(source, _STRIDE))


class Stoppable(Protocol):
    """Somebody whose work has a token, a new one with each piece of work."""

    @property
    def stop(self) -> StopToken: ...


class Looking(Generic[T]):
    """Records whose reader looks up now and then whether it is to go on; read as often as wanted, like a list.

    It asks for the token each time: what is kept from one piece of work to the next must not hear of the first one's.
    """

    __slots__ = ("_of", "_records")

    def __init__(self, records: Sequence[T], of: Stoppable) -> None:
        self._records = records
        self._of = of

    def __iter__(self) -> Iterator[T]:
        return self._of.stop.over(self._records)

    def __len__(self) -> int:
        return len(self._records)
