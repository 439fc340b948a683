"""A thread that makes what is wanted now: small pictures and spectrogram tiles for lanes.

Whoever shows something names what it misses, the nearest first, each time the view moves; what is no longer wanted is
not made. Results go to ``deliver`` on the thread; the window carries them over to its own (``ui/gui_thread.py``).

The thread has as much right to a core as the window's: with less (``nice``), it is put aside beside busy programs while
it holds Python's lock, and the window waits for it (``tests/bench/bench_neighbours.py``). What comes first is settled
by ``calm``, by small pieces of work and by the short turns of ``ui/application.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from workstation.core.errors import UserError
from workstation.media.base import Cancelled, CancelToken

_LOOK_S = 0.02


def at_rest() -> threading.Event:
    """What work without a window waits for: nothing."""
    calm = threading.Event()
    calm.set()
    return calm


Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Background(Generic[Key, Value]):
    """``make`` runs on the thread; a ``UserError`` of it is delivered as the value. The thread starts when needed."""

    def __init__(
        self,
        name: str,
        make: Callable[[Key, CancelToken], Value],
        deliver: Callable[[Key, Value | UserError], None],
        *,
        at_end: Callable[[], None] | None = None,
        calm: threading.Event | None = None,
    ) -> None:
        """Nothing is made before ``calm`` is set: a window that is being built and painted comes first."""
        self._name = name
        self._make = make
        self._deliver = deliver
        self._at_end = at_end
        self._calm = calm or at_rest()
        self._changed = threading.Condition()
        self._wanted: dict[Key, None] = {}
        self._closing = False
        self._token = CancelToken()
        self._thread: threading.Thread | None = None

    def want(self, keys: Iterable[Key]) -> None:
        """These are missed now, the most urgent first; earlier wishes are forgotten."""
        wanted = dict.fromkeys(keys)
        with self._changed:
            if self._closing:
                return
            self._wanted = wanted
            if wanted and self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def stop(self) -> None:
        """End what is being made, without waiting for it; ``close`` is still to come."""
        with self._changed:
            self._closing = True
            self._wanted = {}
            self._token.cancel()
            self._changed.notify_all()

    def close(self) -> None:
        """Stop what is being made, and the thread; a second call does nothing. Not from ``deliver``."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while not self._closing and not self._calm.wait(_LOOK_S):
            pass
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._wanted) or self._closing)
                if self._closing:
                    break
                key = next(iter(self._wanted))
                del self._wanted[key]
            self._answer(key)
        if self._at_end is not None:
            self._at_end()

    def _answer(self, key: Key) -> None:
        result: Value | UserError
        try:
            result = self._make(key, self._token)
        except Cancelled:
            return
        except UserError as problem:
            result = problem
        if not self._closing:
            self._deliver(key, result)
