"""Signals: who hears what, in what order, and what happens when a listener goes or fails."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from functools import partial

import pytest

from workstation.core.signal import Signal

heard_by_module: list[int] = []


def module_listener(value: int) -> None:
    heard_by_module.append(value)


class Listener:
    def __init__(self, on_hear: Callable[[int], object] | None = None) -> None:
        self.heard: list[int] = []
        self._on_hear = on_hear

    def hear(self, value: int) -> None:
        self.heard.append(value)
        if self._on_hear is not None:
            self._on_hear(value)


def fail(value: int) -> None:
    raise RuntimeError(f"no {value}")


def test_everyone_hears_in_the_order_of_connecting() -> None:
    signal: Signal[int] = Signal("counted")
    order: list[str] = []
    first, second = Listener(lambda _: order.append("first")), Listener(lambda _: order.append("second"))
    signal.connect(first.hear)
    signal.connect(second.hear)
    signal.connect(first.hear)
    signal.emit(7)
    assert (first.heard, second.heard, order) == ([7], [7], ["first", "second"])


def test_a_listener_is_not_kept_alive() -> None:
    signal: Signal[int] = Signal("counted")
    listener = Listener()
    signal.connect(listener.hear)
    signal.emit(1)
    gone = weakref.ref(listener)
    del listener
    gc.collect()
    assert gone() is None
    signal.emit(2)
    assert len(signal) == 0


def test_functions_of_a_module_are_taken() -> None:
    signal: Signal[int] = Signal("counted")
    heard_by_module.clear()
    signal.connect(module_listener)
    signal.emit(3)
    signal.disconnect(module_listener)
    signal.emit(4)
    assert heard_by_module == [3]


def test_what_nobody_else_holds_is_refused() -> None:
    signal: Signal[int] = Signal("counted")

    def local(value: int) -> None:
        raise AssertionError(value)

    heard: list[int] = []
    refused: list[Callable[[int], object]] = [lambda value: None, local, partial(module_listener), heard.append, str]
    for listener in refused:
        with pytest.raises(TypeError, match="counted takes bound methods"):
            signal.connect(listener)
    assert len(signal) == 0


def test_disconnecting_during_emit_is_obeyed_at_once() -> None:
    signal: Signal[int] = Signal("counted")
    later = Listener()
    first = Listener(lambda _: signal.disconnect(later.hear))
    itself = Listener(lambda _: signal.disconnect(itself.hear))
    last = Listener()
    for listener in (first, itself, later, last):
        signal.connect(listener.hear)
    signal.emit(1)
    signal.emit(2)
    assert (first.heard, itself.heard, later.heard, last.heard) == ([1, 2], [1], [], [1, 2])


def test_connecting_during_emit_hears_the_next_one() -> None:
    signal: Signal[int] = Signal("counted")
    late = Listener()
    first = Listener(lambda _: signal.connect(late.hear))
    signal.connect(first.hear)
    signal.emit(1)
    signal.emit(2)
    assert late.heard == [2]


def test_a_listener_that_dies_during_emit_is_passed_over() -> None:
    signal: Signal[int] = Signal("counted")
    doomed = [Listener()]
    first, last = Listener(lambda _: doomed.clear()), Listener()
    for listener in (first, doomed[0], last):
        signal.connect(listener.hear)
    del listener
    signal.connect(last.hear)
    signal.emit(1)
    gc.collect()
    assert last.heard == [1]
    assert len(signal) == 2


def test_one_that_fails_does_not_stop_the_rest() -> None:
    signal: Signal[int] = Signal("counted")
    bad, good, worse = Listener(fail), Listener(), Listener(fail)
    for listener in (bad, good, worse):
        signal.connect(listener.hear)
    with pytest.raises(ExceptionGroup, match=r"2 listener.* of counted failed") as caught:
        signal.emit(5)
    assert [str(error) for error in caught.value.exceptions] == ["no 5", "no 5"]
    assert good.heard == [5]


def test_errors_go_to_the_owner_who_wants_them() -> None:
    reported: list[Exception] = []
    signal: Signal[int] = Signal("counted", on_error=reported.append)
    bad, good = Listener(fail), Listener()
    signal.connect(bad.hear)
    signal.connect(good.hear)
    signal.emit(5)
    assert [str(error) for error in reported] == ["no 5"]
    assert good.heard == [5]


def test_emitting_inside_emit() -> None:
    signal: Signal[int] = Signal("counted")
    echo = Listener(lambda value: signal.emit(value - 1) if value else None)
    after = Listener()
    signal.connect(echo.hear)
    signal.connect(after.hear)
    signal.emit(2)
    assert (echo.heard, after.heard) == ([2, 1, 0], [0, 1, 2])


def test_disconnecting_a_stranger_is_nothing() -> None:
    signal: Signal[int] = Signal("counted")
    signal.disconnect(Listener().hear)
    assert len(signal) == 0
