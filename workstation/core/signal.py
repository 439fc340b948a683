"""A small observer: who wants to know is told, at once, in the order of asking.

Used by the clock, the selection, the store and the session; panes connect in ``bind`` and disconnect in ``unbind``.

* Listeners are bound methods, held weakly: a pane that is gone is no longer called and is not kept alive.
  Functions of a module are taken too. Lambdas, functions made inside functions and partials are refused:
  nobody else holds them, so they would be gone at once, or never.
* ``emit`` is synchronous. A listener that disconnects another one during ``emit`` is obeyed at once;
  one that connects during ``emit`` hears the next one.
* A listener that fails does not stop the others. What they raised comes out of ``emit`` as one ``ExceptionGroup``
  after all have run, or goes one by one to ``on_error`` where the owner gave one. ``KeyboardInterrupt`` and the like
  stop everything.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from types import FunctionType
from typing import Generic, TypeVar

T = TypeVar("T")


class Signal(Generic[T]):
    """Something that happens, told with one value."""

    def __init__(self, name: str, *, on_error: Callable[[Exception], None] | None = None) -> None:
        """``name`` is in the past tense and appears in errors."""
        self.name = name
        self._on_error = on_error
        self._listeners: list[Callable[[], Callable[[T], object] | None]] = []

    def connect(self, listener: Callable[[T], object]) -> None:
        """Call ``listener`` from now on. Connecting twice is the same as once."""
        reference = self._reference(listener)
        self._forget_the_dead()
        if reference not in self._listeners:
            self._listeners.append(reference)

    def disconnect(self, listener: Callable[[T], object]) -> None:
        """Stop calling ``listener``; nothing happens if it was not connected."""
        reference = self._reference(listener)
        if reference in self._listeners:
            self._listeners.remove(reference)

    def emit(self, value: T) -> None:
        """Tell everyone, then report those who failed."""
        self._forget_the_dead()
        errors: list[Exception] = []
        for reference in tuple(self._listeners):
            listener = reference()
            if listener is None or reference not in self._listeners:
                continue
            try:
                listener(value)
            except Exception as error:  # noqa: BLE001 - the others must hear too; raised together below
                errors.append(error)
            del listener  # else the last listener would outlive its owner by one emit
        if self._on_error is not None:
            for failure in errors:
                self._on_error(failure)
        elif errors:
            raise ExceptionGroup(f"{len(errors)} listener(s) of {self.name} failed", errors)

    def __len__(self) -> int:
        """How many listeners are alive and connected."""
        self._forget_the_dead()
        return len(self._listeners)

    def _forget_the_dead(self) -> None:
        self._listeners = [reference for reference in self._listeners if reference() is not None]

    def _reference(self, listener: Callable[[T], object]) -> Callable[[], Callable[[T], object] | None]:
        if inspect.ismethod(listener):
            return weakref.WeakMethod(listener)
        if isinstance(listener, FunctionType) and "<" not in listener.__qualname__:  # "<lambda>", "<locals>"
            return weakref.ref(listener)
        raise TypeError(f"{self.name} takes bound methods and functions of a module, not {listener!r}")
