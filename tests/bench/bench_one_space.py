"""One space, live: a cuboid dragged until its outlines are painted in four cameras, the 3D cursor likewise, and the
table of entities at five thousand things on twelve streams.

    python tests/bench/bench_one_space.py [--moves 300] [--things 5000]

Prints median, p95 and most with the ratio of the p95 to its limit, and the noise: the same turn of the window with
nothing dragged. Limits: 33 ms from a move of the mouse to the last camera's paint (issue 5), 16.7 ms for the cursor,
50 ms until the table is true again after an edit. Needs Xvfb (or a display of its own).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, thread_time

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_camera import Painted, p95, turn, with_display
from msgspec.structs import replace
from PySide6.QtWidgets import QApplication

from workstation.app.demo import make_demo
from workstation.app.entity_table import EntityTable
from workstation.app.opening import new_project, open_project
from workstation.app.previews import Dragged
from workstation.app.sample_view import SampleView
from workstation.core.geometry import Cuboid
from workstation.core.selection import SpaceCursor
from workstation.ui.panes.camera import CameraPane
from workstation.ui.panes.cloud import CloudPane
from workstation.ui.workbench import Workbench

BOX = {"kind": "box", "x": 1.0, "y": 2.0, "width": 30.0, "height": 20.0}
DRAG_MS, CURSOR_MS, TABLE_MS = 33.0, 16.7, 50.0


Times = list[tuple[float, float]]
"""Milliseconds on the clock, and of the thread's own work."""


def told(name: str, times: Times, limit_ms: float | None) -> None:
    values, worked = [wall for wall, _ in times], [work for _, work in times]
    share = "" if limit_ms is None else f"   p95 is {p95(values) / limit_ms:5.2f} of the limit {limit_ms:g} ms"
    print(
        f"  {name:<44} median {median(values):6.1f} ms   p95 {p95(values):6.1f} ms   most {max(values):6.1f} ms"
        f"   own work p95 {p95(worked):5.1f} ms   n {len(values)}{share}"
    )


def moves(app: QApplication, count: int, act: Callable[[int], None], *, shown: Callable[[], None]) -> Times:
    """From each move until the window has painted everything that follows from it."""
    found: Times = []
    for number in range(count):
        app.processEvents()
        begun, worked = perf_counter(), thread_time()
        act(number)
        shown()
        found.append(((perf_counter() - begun) * 1e3, (thread_time() - worked) * 1e3))
    return found


def dragging(app: QApplication, bench: Workbench, pane: CameraPane, count: int, name: str) -> None:
    """The nearest cuboids that two cameras see, in turn, there and back."""
    view, placed = bench.view, bench.placed
    assert view is not None
    assert placed is not None

    def everything(_number: int) -> None:
        for camera in pane.views:
            camera.area.update()

    shown = app.processEvents  # what was marked to be painted is painted before it comes back
    told(f"{name}: noise, nothing happens", moves(app, count, lambda _: None, shown=shown), None)
    told(f"{name}: four cameras painted whole", moves(app, count, everything, shown=shown), None)
    front = next(each for each in pane.views if each.stream.key == "front_camera")
    nearest = front.scene.shadows[0].seen.annotation
    record = view.annotations[nearest]
    keyframe = [each for each in view.keyframes(nearest) if each.time_ns <= view.own_ns(record, bench.clock.time_ns)][
        -1
    ]
    shape = keyframe.shape
    assert isinstance(shape, Cuboid)
    x, y, z = shape.center

    def move(number: int) -> None:
        at = abs(number % 120 - 60) * 0.05
        moved = replace(shape, center=(x + at, y - at, z))
        bench.previews.show(
            [Dragged(annotation=nearest, shape=moved, stream=record.stream or "", own_ns=keyframe.time_ns)],
            cause="bench",
        )

    told(f"{name}: drag until painted in four cameras", moves(app, count, move, shown=shown), DRAG_MS)
    bench.previews.clear(cause="bench")

    def point(number: int) -> None:
        bench.selection.point_at(
            SpaceCursor("ego", (12.0, number * 0.02 - 3, 0.5), None, bench.clock.time_ns), cause="b"
        )

    told(f"{name}: cursor until painted in four cameras", moves(app, count, point, shown=shown), CURSOR_MS)
    bench.selection.point_at(None, cause="bench")


def table(folder: Path, things: int) -> None:
    """Things on twelve cameras, every third one labelled on each; an edit of one."""
    new_project(folder, name="table", profile="driving", person="bench", in_force=True)
    with open_project(folder, kind="person", role="lead") as session:
        session.run("sample.add", key="s")
        streams = [session.run("stream.add", sample="s", key=f"c{i:02d}", kind="video") for i in range(12)]
        made = []
        with session.together("Many") as run:
            for number in range(things):
                entity = run("entity.add", sample="s", class_id="car")
                for i in range(number % 3, 12, 3):
                    box = {"kind": "box", "x": 1.0, "y": 2.0, "width": 30.0, "height": 20.0}
                    made.append(
                        run("annotation.add", stream=streams[i], entity=entity, start_ns=0, end_ns=1, shape=box)
                    )
        found = session.store.sample_by_key("s")
        assert found is not None
        view = SampleView(session.store, found.id)
        session.changed.connect(view.apply)
        rows = EntityTable(view)
        begun = perf_counter()
        count = len(rows.rows(()))
        print(f"  {count} things on 12 streams: made in {(perf_counter() - begun) * 1e3:.0f} ms")
        edits: Times = []
        for number in range(40):
            session.run("annotation.move", annotations=[made[number * 7]], by=[1.0, 0.0])
            begun, worked = perf_counter(), thread_time()
            rows.rows(())
            edits.append(((perf_counter() - begun) * 1e3, (thread_time() - worked) * 1e3))
        told("table true again after an edit", edits, TABLE_MS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=300)
    parser.add_argument("--things", type=int, default=5000)
    options = parser.parse_args()
    app = QApplication([sys.argv[0]])
    print(f"load of the machine now: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_demo(folder / "drive")
        with open_project(folder / "drive", kind="person", role="lead") as session:
            bench = Workbench(session)
            bench.open_sample("sf_drive")
            pane, cloud = CameraPane(), CloudPane()
            for each, size in ((pane, (1400, 860)), (cloud, (900, 700))):
                each.bind(bench)
                each.resize(*size)
                each.show()
            bench.clock.seek(4_000_000_000)
            seen = Painted(pane)
            while len(seen.latest) < len(pane.views) or not cloud.settled():
                turn(app, 0.1)
            turn(app, 1.0)
            dragging(app, bench, pane, options.moves, "cameras and cloud")
            cloud.hide()
            dragging(app, bench, pane, options.moves, "cameras")
            for each in (cloud, pane):
                each.unbind()
                each.close()
            bench.close()
        table(folder / "table", options.things)


if __name__ == "__main__":
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        sys.exit(with_display())
    main()
