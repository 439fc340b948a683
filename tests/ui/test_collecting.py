"""While there is a window nothing is freed on another thread: a worker makes garbage, the window's thread frees it."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import ClassVar

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from strict_windows import wait_for
from workstation.app.freed_memory import FreedMemory
from workstation.ui.collecting import Collecting, begin_collecting


class Tracked(QObject):
    """In a cycle with itself; says where it was freed."""

    freed_on: ClassVar[list[int]] = []

    def __init__(self) -> None:
        super().__init__()
        self.me = self

    def __del__(self) -> None:
        self.freed_on.append(threading.get_ident())


def churn() -> None:
    """More young objects than the collector lets pass, were it on."""
    for _ in range(50):
        kept = [[] for _ in range(2_000)]
        del kept


def test_a_cycle_of_qt_objects_is_freed_on_the_windows_thread(qapp: QApplication) -> None:
    Tracked.freed_on.clear()
    Tracked()
    worker = threading.Thread(target=churn)
    worker.start()
    worker.join()
    assert Tracked.freed_on == []
    assert not gc.isenabled()
    collecting = begin_collecting(qapp)

    def freed() -> bool:
        held = [[] for _ in range(5_000)]
        collecting.collect_due()
        del held
        return bool(Tracked.freed_on)

    wait_for(freed, what="the cycle to be freed")
    assert set(Tracked.freed_on) == {threading.get_ident()}


class Kept:
    """In a cycle with itself, and it can be asked whether it is still there."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def collecting(qapp: QApplication) -> Iterator[Collecting]:
    """One that looks only when it is told to."""
    assert qapp is not None
    gc.unfreeze()
    found = Collecting()
    found._timer.stop()
    yield found
    gc.unfreeze()  # not ``stop``: the collector stays off for the application's own


def pause(collecting: Collecting) -> None:
    for _ in range(5):
        collecting.collect_due()


def test_what_came_with_a_sample_is_not_looked_through_while_someone_works(collecting: Collecting) -> None:
    left = weakref.ref(Kept())
    collecting.sample_came()
    for _ in range(6):
        collecting.worked()
        collecting.collect_due()
    assert gc.get_freeze_count() > 10_000
    gc.collect()
    assert left() is not None
    pause(collecting)
    assert left() is None
    assert gc.get_freeze_count() > 10_000


def test_nothing_is_looked_through_in_a_pause_in_which_something_plays(collecting: Collecting) -> None:
    left = weakref.ref(Kept())
    collecting.sample_came()
    collecting.young_only = True
    pause(collecting)
    assert left() is not None
    collecting.young_only = False
    pause(collecting)
    assert left() is None


def test_samples_without_a_pause_do_not_pile_up(collecting: Collecting) -> None:
    left = weakref.ref(Kept())
    for _ in range(20):
        collecting.sample_came()
        collecting.worked()
        collecting.collect_due()
    assert left() is None


def test_what_a_sample_left_goes_back_to_the_system_in_a_pause(collecting: Collecting) -> None:
    given_back = []
    collecting._freed = FreedMemory(give_back=lambda: given_back.append(1), resident=lambda: 1 << 28)
    collecting.sample_came()
    for _ in range(6):
        collecting.worked()
        collecting.collect_due()
    assert given_back == []
    pause(collecting)
    collecting._freed.wait()
    assert given_back == [1]


def test_a_thread_that_works_in_python_gives_the_window_its_turn_soon(qapp: QApplication) -> None:
    """At Python's usual 5 ms a paint that asks for its turn a dozen times waits longer than a person overlooks."""
    assert begin_collecting(qapp) is not None
    assert sys.getswitchinterval() <= 0.001
