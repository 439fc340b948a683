"""Real windows for tests: the application, the demo as a project of the test's own, a workbench on it, and the hand.

``qapp`` shows windows on the virtual display. Waiting is for a condition, never for a time.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from PySide6.QtCore import QPoint
    from PySide6.QtWidgets import QApplication, QWidget

    from workstation.ui.workbench import Workbench


@pytest.fixture(scope="session")
def qapp(virtual_display: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[QApplication, None, None]:
    """The one application of the run; what it would keep in the person's home goes to a folder of its own."""
    from workstation.ui.application import make_application

    before = os.environ.get("WORKSTATION_HOME")
    os.environ["WORKSTATION_HOME"] = str(tmp_path_factory.mktemp("home"))
    app = make_application()
    assert virtual_display is not None
    yield app
    app.closeAllWindows()
    if before is None:
        del os.environ["WORKSTATION_HOME"]
    else:
        os.environ["WORKSTATION_HOME"] = before


@pytest.fixture(scope="session")
def demo_template(demo_once: Callable[[str], Path]) -> Path:
    """The drive demo, built once, as after it was looked at once; take ``demo_project`` to change it."""
    made = demo_once("drive")
    keep_previews(made)
    return made


def keep_previews(project: Path) -> None:
    """Have the small pictures of the films in the project's cache, as a window has that stood open for a while: they
    are a second's work for each window on a copy."""
    from workstation.app.opening import open_project
    from workstation.app.streams import OpenStreams, reading_context
    from workstation.core.sample import StreamKind
    from workstation.media.base import CancelToken, OpenContext

    with open_project(project, kind="import", tool="demo") as session:
        streams = [each for sample in session.store.samples() for each in session.store.streams(sample.id)]
        context = reading_context(session.project, streams, shared=OpenContext())
        with OpenStreams(project, context=context) as opened:
            for stream in streams:
                previews = opened.previews(stream) if stream.kind is StreamKind.VIDEO else None
                if previews is not None:
                    previews.build(0, cancel=CancelToken())


@pytest.fixture(scope="session")
def talk_template(demo_once: Callable[[str], Path]) -> Path:
    """The generated conversation with its transcript, built once; take ``talk_project`` to change it."""
    return demo_once("talk")


def copy_of(template: Path, target: Path) -> Path:
    """A project of its own: media, which nobody writes to, are hard links; the rest is copied."""

    def copy(source: str, destination: str) -> None:
        if "media" in Path(source).relative_to(template).parts[:1]:
            os.link(source, destination)
        else:
            shutil.copy2(source, destination)

    shutil.copytree(template, target, copy_function=copy)
    return target


@pytest.fixture
def demo_project(demo_template: Path, tmp_path: Path) -> Path:
    """The drive demo as a project of this test's own."""
    return copy_of(demo_template, tmp_path / "drive")


@pytest.fixture(scope="module")
def shared_bench(
    qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Workbench, None, None]:
    """A workbench on the demo with its sample open, for all tests of a module; they take ``bench``."""
    from workstation.app.opening import open_project
    from workstation.ui.workbench import Workbench

    assert qapp is not None
    project = copy_of(demo_template, tmp_path_factory.mktemp("bench") / "drive")
    with open_project(project, kind="person", role="lead") as session:
        workbench = Workbench(session)
        assert workbench.open_sample("sf_drive")
        yield workbench
        workbench.close()


@pytest.fixture
def bench(shared_bench: Workbench) -> Generator[Workbench, None, None]:
    """A workbench on the demo, its sample open at the start; what a test does with it is taken back."""
    with taken_back(shared_bench):
        yield shared_bench


@contextmanager
def taken_back(bench: Workbench) -> Generator[None, None, None]:
    """What is stored, opened, chosen, hidden or played meanwhile is as it was afterwards."""
    assert bench.view is not None
    store, clock, hand = bench.session.store, bench.clock, bench.hand
    head, sample, now_ns, stream = store.head(), bench.view.sample.key, clock.time_ns, bench.focused_stream
    tool, class_id, ways, theme = hand.tool, hand.class_id, hand.ways, bench.theme
    yield
    bench.settle()
    clock.pause()
    clock.set_rate(1)
    clock.set_loop(None)
    hand.forget_drawn()
    if bench.view is None or bench.view.sample.key != sample:
        assert bench.open_sample(sample)
    if store.head() != head:
        store.restore(head)
    bench.selection.clear(cause="test")
    hand.take(tool)
    hand.set_class(class_id)
    hand.set_ways(**asdict(ways))
    bench.set_theme(theme)
    bench.sight.show_all()
    for locked in bench.sight._locked:
        bench.sight.toggle_locked(locked)
    bench.focus_on(stream)
    clock.seek(now_ns)


@pytest.fixture
def talk_project(talk_template: Path, tmp_path: Path) -> Path:
    """The generated conversation as a project of this test's own."""
    return copy_of(talk_template, tmp_path / "talk")


def wait_for(condition: Callable[[], bool], *, what: str = "", timeout_ms: int = 60_000) -> None:
    """Let the window work until the condition holds; the test fails if it does not."""
    from time import monotonic

    end = monotonic() + timeout_ms / 1000
    while not condition():
        assert monotonic() < end, f"waited in vain for {what or condition}"
        let_work(1)


def let_work(for_ms: int) -> None:
    """Let the window and its workers work so long. Unlike ``QTest.qWait``, which keeps Python's lock from workers."""
    from time import monotonic, sleep

    from PySide6.QtCore import QCoreApplication, QEvent

    end = monotonic() + for_ms / 1000
    while True:
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        sleep(0.001)
        if monotonic() >= end:
            return


def show(widget: QWidget, width: int = 900, height: int = 600) -> None:
    """Put a widget on the screen and wait until it is painted."""
    from PySide6.QtTest import QTest

    widget.resize(width, height)
    widget.show()
    assert QTest.qWaitForWindowExposed(widget)


def drag(widget: QWidget, start: QPoint, end: QPoint, *, steps: int = 8, release: bool = True) -> None:
    """Press the left button, move in steps as a hand does, and let go."""
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest

    left = Qt.MouseButton.LeftButton
    QTest.mouseMove(widget, start)
    QTest.mousePress(widget, left, Qt.KeyboardModifier.NoModifier, start)
    for step in range(1, steps + 1):
        share = step / steps
        here = QPoint(
            round(start.x() + (end.x() - start.x()) * share), round(start.y() + (end.y() - start.y()) * share)
        )
        QTest.mouseMove(widget, here)
    if release:
        QTest.mouseRelease(widget, left, Qt.KeyboardModifier.NoModifier, end)
