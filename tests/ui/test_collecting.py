"""While there is a window nothing is freed on another thread: a worker makes garbage, the window's thread frees it."""

from __future__ import annotations

import gc
import threading
from typing import ClassVar

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from strict_windows import wait_for
from workstation.ui.collecting import begin_collecting


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
