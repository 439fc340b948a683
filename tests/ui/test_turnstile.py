"""What comes together is let through one a turn, and nobody waits for ever."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from strict_windows import wait_for
from workstation.ui.turnstile import Turnstile


def test_one_a_turn_and_the_newest_of_each_in_the_place_of_its_first(qapp: QApplication) -> None:
    turnstile, told, turns = Turnstile(), list[str](), list[int]()

    def a(what: str) -> None:
        told.append(f"a{what}")

    def b(what: str) -> None:
        told.append(f"b{what}")
        turnstile.enter(a, "3")  # comes again while others wait

    def c(what: str) -> None:
        told.append(f"c{what}")

    counting = QTimer()
    counting.timeout.connect(lambda: turns.append(len(told)))
    counting.start(0)
    turnstile.enter(a, "1")
    turnstile.enter(b, "1")
    turnstile.enter(c, "1")
    turnstile.enter(a, "2")
    wait_for(lambda: len(told) == 4, what="all let through")
    counting.stop()
    assert told == ["a2", "b1", "c1", "a3"]
    steps = [later - before for before, later in zip([0, *turns], turns, strict=False)]
    assert max(steps) == 1
    turnstile.close()


def test_closed_it_lets_nothing_through(qapp: QApplication) -> None:
    turnstile, told = Turnstile(), list[str]()
    turnstile.enter(told.append, "late")
    turnstile.close()
    done = list[int]()
    QTimer.singleShot(0, lambda: done.append(1))
    wait_for(lambda: bool(done), what="a turn of the loop")
    qapp.processEvents()
    assert told == []
