"""Windows that a test made are taken apart after it, parents first.

The collector would do it child by child, in any order: PySide then gives a part that its parent still holds back to
Python, which deletes it while the parent is half gone (seen with 6.11 as a crash in ``QWidget::~QWidget`` in some later
test that happened to collect). The program is not concerned: its panes and dialogs belong to a window, and Qt deletes
them with it.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


@pytest.fixture(autouse=True)
def _windows_of_a_test() -> Generator[None, None, None]:
    with taken_apart():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Before the first test of a module has made what its module shares."""
    if _module.path != item.path:
        _module.path, _module.before = item.path, {key for key, _ in _tops()}
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, None, None]:
    """After the last test of a module, what it shared."""
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path != item.path:
            _module.path = None
            _take_apart(_module.before)


class _Module:
    """The one whose tests run, and the windows there were before it."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.before: set[int] = set()


_module = _Module()


@contextmanager
def taken_apart() -> Generator[None, None, None]:
    """Widgets without a parent that were made meanwhile are deleted, with all that is in them."""
    before = {key for key, _ in _tops()}
    try:
        yield
    finally:
        _take_apart(before)


def _take_apart(but: set[int]) -> None:
    made = [widget for key, widget in _tops() if key not in but]
    if made:
        import shiboken6

        for widget in made:
            if shiboken6.isValid(widget):
                shiboken6.delete(widget)


def _tops() -> list[tuple[int, QWidget]]:
    """The windows that Python made and nothing owns, each with its address; none where Qt was not loaded."""
    widgets = sys.modules.get("PySide6.QtWidgets")
    if widgets is None or widgets.QApplication.instance() is None:
        return []
    import shiboken6

    return [
        (shiboken6.getCppPointer(each)[0], each)
        for each in widgets.QApplication.topLevelWidgets()
        if each.parent() is None and shiboken6.createdByPython(each)
    ]
