"""Long work in slices: short work is done at once, long work lets others in between, new work replaces old."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from strict_windows import wait_for
from workstation.ui.slices import Slices


@pytest.fixture
def slices(qapp: QApplication) -> Slices:
    return Slices(qapp)


def steps(done: list[int], upto: int) -> Iterator[None]:
    for number in range(upto):
        done.append(number)
        yield


def test_what_is_short_is_done_before_it_returns(slices: Slices) -> None:
    done, told = list[int](), list[str]()
    slices.start(steps(done, 3), lambda: told.append("done"))
    assert (done, told, slices.busy) == ([0, 1, 2], ["done"], False)


def test_others_are_served_while_it_goes_on(slices: Slices) -> None:
    """Work that ends only when a timer of somebody else has run ends."""
    waiting, told = [True], list[str]()
    other = QTimer()
    other.setSingleShot(True)
    other.timeout.connect(waiting.clear)

    def endless() -> Iterator[None]:
        while waiting:
            yield

    slices.start(endless(), lambda: told.append("done"))
    assert slices.busy
    other.start(0)
    wait_for(lambda: told == ["done"], what="the end of the work")
    assert not slices.busy


def test_new_work_takes_the_place_of_what_is_not_done(slices: Slices) -> None:
    def endless() -> Iterator[None]:
        while True:
            yield

    told = list[str]()
    slices.start(endless(), lambda: told.append("never"))
    slices.start(steps([], 5), lambda: told.append("done"))
    assert (told, slices.busy) == (["done"], False)
    slices.start(endless(), lambda: told.append("never"))
    slices.stop()
    assert (told, slices.busy) == (["done"], False)
