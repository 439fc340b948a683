"""The whole window on the drive demo, against the goals U2 and "next sample painted".

    python tests/bench/bench_window.py [--selections 60] [--openings 6] [--play 6]

* a selection elsewhere, and a step in time → the last paint event of any pane that it caused;
* another sample chosen → what the window's thread takes, and until every camera shows its picture and all panes are
  painted (thumbnails and spectrograms may follow); back and forth between the demo and a second sample of its media;
* the turns of the event loop while the drive plays with cameras, sound and timeline, as a histogram.

Needs Xvfb or a display. Times are wall clock: say the load of the machine with them, which is printed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time, thread_time

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "media"))

from bench_camera import p95, with_display
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

from workstation.app.demo import make_demo
from workstation.app.opening import open_project
from workstation.ui.application import make_application
from workstation.ui.main_window import MainWindow
from workstation.ui.workbench import Workbench

_STEPS_MS = (4, 8, 16.7, 30, 50, 100, float("inf"))
SECOND = "aa_again"


class Paints(QObject):
    """When anything in the window was painted last. One for the whole run: each filter in Python costs what it sees."""

    def __init__(self, window: QWidget) -> None:
        super().__init__()
        self.last = 0.0
        self._window = window

    def watch(self) -> None:
        """Whatever is in the window by now; a filter that is there already stays one."""
        for widget in self._window.findChildren(QWidget):
            widget.installEventFilter(self)

    def rest(self) -> None:
        """Cost nothing while something else is measured."""
        for widget in self._window.findChildren(QWidget):
            widget.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.last = perf_counter()
        return False


def turn(app: QApplication, seconds: float) -> None:
    """Let the window work."""
    end = perf_counter() + seconds
    while perf_counter() < end:
        app.processEvents()
        time.sleep(0.0005)


def told(name: str, values: list[float], goal: str) -> None:
    print(
        f"  {name:<38} median {median(values):7.1f} ms   p95 {p95(values):7.1f} ms   most {max(values):7.1f} ms"
        f"   n {len(values)}   goal {goal}"
    )


def changes(app: QApplication, paints: Paints, name: str, count: int, act: Callable[[int], None], goal: str) -> None:
    """Do something ``count`` times; each time until the last paint event of any pane that it caused."""
    painted, own = [], []
    for number in range(count):
        turn(app, 0.05)
        paints.watch()
        begun, cpu = perf_counter(), thread_time()
        act(number)
        worked, quiet = thread_time() - cpu, perf_counter() + 0.06
        while perf_counter() < quiet:
            before, cpu = paints.last, thread_time()
            app.processEvents()
            worked += thread_time() - cpu
            time.sleep(0.0005)
            if paints.last != before:
                quiet = perf_counter() + 0.06
        painted.append((max(paints.last, begun) - begun) * 1e3)
        own.append(worked * 1e3)
    told(f"{name} → all panes painted", painted, goal)
    told("of it, processor of the window's thread", own, "—")


def selections(app: QApplication, paints: Paints, bench: Workbench, count: int) -> None:
    """Select labels one after the other, as a list would."""
    assert bench.view is not None
    ids = list(bench.view.annotations)

    def select(number: int) -> None:
        bench.select([ids[number * 7919 % len(ids)]], cause="bench")

    changes(app, paints, "selection", count, select, "≤ 50 (U2)")


def steps(app: QApplication, paints: Paints, bench: Workbench, count: int) -> None:
    """Step from sweep to sweep, forwards and back, with every camera and the cloud in view."""
    bench.clock.seek(2_000_000_000)
    turn(app, 2.0)

    def step(number: int) -> None:
        forwards = number // 20 % 2 == 0
        bench.clock.seek(bench.clock.time_ns + (100_000_000 if forwards else -100_000_000))

    changes(app, paints, "one step of 0.1 s", count, step, "≤ 250 (V6, a jump)")


def second_sample(project: Path) -> None:
    """The demo's media once more, with the same labels' streams, as the next sample."""
    with open_project(project, kind="person", role="lead") as session:
        (first,) = session.store.samples()
        session.run("sample.add", key=SECOND)
        for stream in session.store.streams(first.id):
            session.run(
                "stream.add", sample=SECOND, key=stream.key, kind=stream.kind.value, files=stream.files,
                reader=stream.reader, options=stream.options, clock=stream.clock,
            )  # fmt: skip


def openings(app: QApplication, window: MainWindow, bench: Workbench, count: int, first: str) -> None:
    """Choose the other sample, and the first again."""
    camera = window.pane("camera")
    assert camera is not None
    for key in (SECOND, first):
        own, wall, painted = [], [], []
        for _ in range(count):
            bench.open_sample(first if key == SECOND else SECOND)
            turn(app, 2.0)  # the next one is made ready meanwhile
            begun, cpu = perf_counter(), thread_time()
            bench.open_sample(key)
            wall.append((perf_counter() - begun) * 1e3)
            own.append((thread_time() - cpu) * 1e3)
            while not camera.settled():
                app.processEvents()
                time.sleep(0.0003)
            app.processEvents()
            painted.append((perf_counter() - begun) * 1e3)
        print(f"sample {key}")
        told("in one turn, wall", wall, "—")
        told("in one turn, processor", own, "—")
        told("chosen → all painted", painted, "≤ 300")


def playing(app: QApplication, bench: Workbench, seconds: float) -> None:
    """Play; how long the window's thread is away."""
    bench.clock.seek(500_000_000)
    turn(app, 2.0)
    gaps: list[float] = []
    own: list[float] = []
    cpu, begun = process_time(), perf_counter()
    bench.clock.play()
    while perf_counter() - begun < seconds:
        at, busy = perf_counter(), thread_time()
        app.processEvents()
        own.append((thread_time() - busy) * 1e3)
        gaps.append((perf_counter() - at) * 1e3)
        time.sleep(0.0005)
    bench.clock.pause()
    share = (process_time() - cpu) / (perf_counter() - begun)
    print(f"drive played with {seconds:.0f} s, CPU {share:.0%} of a core; turns of the event loop")
    low = 0.0
    for high in _STEPS_MS:
        number = sum(low <= gap < high for gap in gaps)
        busy = sum(low <= each < high for each in own)
        print(f"  {low:6.1f} – {high:6.1f} ms  {number:6d} by the wall  {busy:6d} of processor")
        low = high
    over = sum(gap > 30 for gap in gaps)
    print(f"  over 30 ms: {over} of {len(gaps)}, most {max(gaps):.1f} ms   goal none (U2)")
    print(f"  of processor over 30 ms: {sum(each > 30 for each in own)}, most {max(own):.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--selections", type=int, default=60)
    parser.add_argument("--openings", type=int, default=6)
    parser.add_argument("--play", type=float, default=6.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["WORKSTATION_HOME"] = f"{scratch}/home"
        project = make_demo(Path(scratch) / "drive").folder
        second_sample(project)
        app = make_application()
        window = MainWindow()
        window.resize(1600, 1000)
        window.show()
        assert window.open_project(project)
        assert window.opened is not None
        bench = window.opened.bench
        first = next(each.key for each in bench.session.store.samples() if each.key != SECOND)
        assert bench.open_sample(first)
        turn(app, 4.0)
        print(f"load of the machine now: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        shown = ", ".join(sorted(each.kind for each in window.docks.panes() if each.awake))
        print(f"on the screen: {shown}")
        paints = Paints(window)
        selections(app, paints, bench, options.selections)
        steps(app, paints, bench, options.selections)
        paints.rest()
        playing(app, bench, options.play)
        openings(app, window, bench, options.openings, first)
        print(f"load of the machine now: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        window.close()


if __name__ == "__main__":
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        sys.exit(with_display())
    main()
