"""The window's thread while playing (U2), selection to painted, and the sound pane over ten hours (A2).

    python tests/bench/bench_playing.py [--seconds 8] [--hours 10] [--folder DIR] [--panes sound,timeline,cloud]

Run from the repository's root with a display (``xvfb-run -a``). Figures of one run on this machine; no part of pass
or fail. The stall of a moment is how much later a one-millisecond timer fires than it should.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "bench")]

from bench_audio import make  # noqa: E402
from PySide6.QtCore import Qt, QTimer  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from workstation.app.demo import make_demo  # noqa: E402
from workstation.app.lane_sound import SoundLane  # noqa: E402
from workstation.app.settings import Settings  # noqa: E402
from workstation.app.viewport import SHORTEST_NS, Viewport  # noqa: E402
from workstation.core.ids import SampleId, StreamId  # noqa: E402
from workstation.core.sample import Stream, StreamKind  # noqa: E402
from workstation.core.timebase import SECOND_NS, TimeMap  # noqa: E402
from workstation.media.audio import open_audio  # noqa: E402
from workstation.media.base import CancelToken, OpenContext  # noqa: E402
from workstation.ui.application import make_application, wear  # noqa: E402
from workstation.ui.main_window import MainWindow  # noqa: E402
from workstation.ui.panes.cloud import CloudPane  # noqa: E402
from workstation.ui.scenes.lane_scene import Look  # noqa: E402
from workstation.ui.scenes.sound_scene import SoundScene  # noqa: E402
from workstation.ui.theme import DARK  # noqa: E402

WIDTH, HEIGHT, REQUESTS = 1600, 120, 240
LIMITS_MS = (8, 16, 30, 60)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def wait(application: QApplication, seconds: float) -> None:
    """Let the window work; the loop is Qt's own, which lets other threads run."""
    QTimer.singleShot(round(seconds * 1000), application.exit)
    application.exec()


class Stalls:
    """Fires every millisecond and keeps how late it was."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self.busy_ms: list[float] = []
        """What the window's thread itself worked between two firings: the machine's other work does not count."""
        self._last = self._worked = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._fired)

    def begin(self) -> None:
        self.late_ms.clear()
        self.busy_ms.clear()
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._timer.start(1)

    def end(self) -> None:
        self._timer.stop()

    def _fired(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.late_ms.append(1000 * (now - self._last) - 1)
        self.busy_ms.append(1000 * (worked - self._worked))
        self._last, self._worked = now, worked


class Sweeps:
    """Which sweeps the cloud pane has painted, and how late each was against the playhead."""

    def __init__(self, window: MainWindow) -> None:
        pane = window.pane("cloud")
        assert isinstance(pane, CloudPane)
        assert pane.canvas is not None
        self._pane = pane
        self._painted: dict[int, float] = {}
        pane.canvas.painted.connect(self._saw)

    def begin(self) -> None:
        self._painted.clear()

    def told(self) -> None:
        lead = self._pane.layers.lead
        assert lead is not None
        assert lead.table is not None
        late = list(self._painted.values())
        first, last = min(self._painted), max(self._painted)
        say(
            f"cloud: {len(self._painted)} of {last - first + 1} sweeps painted, after their own time: "
            f"median {statistics.median(late):.0f}, most {max(late):.0f} ms"
        )

    def _saw(self) -> None:
        moment = self._pane.moment
        sweep = None if moment is None else moment.lead_sweep
        if sweep is not None and sweep.session_ns is not None and sweep.index not in self._painted:
            bench = self._pane.bench
            assert bench is not None
            self._painted[sweep.index] = (bench.clock.time_ns - sweep.session_ns) / 1e6


def told(name: str, late_ms: list[float]) -> None:
    values = np.array(late_ms)
    over = ", ".join(f"> {limit} ms: {int((values > limit).sum())}" for limit in LIMITS_MS)
    say(
        f"{name}: {len(values)} turns of the loop, p99 {np.percentile(values, 99):.1f} ms, "
        f"longest {values.max():.1f} ms; {over}"
    )


def playing(application: QApplication, folder: Path, seconds: float, kinds: list[str]) -> None:
    project = folder / "drive"
    if not project.exists():
        make_demo(project)
    window = MainWindow(Settings())
    window.resize(1600, 1000)
    window.show()
    assert window.open_project(project), window.status.said
    for kind in kinds:
        window.show_pane(kind)
    if "cloud" not in kinds:
        dock = window.docks.dock("cloud")
        assert dock is not None
        dock.hide()
    wait(application, 6)
    assert window.opened is not None
    bench = window.opened.bench
    kinds = ", ".join(pane.kind for pane in window.docks.panes() if pane.isVisible())
    say(f"panes: {kinds}")
    sweeps = Sweeps(window) if "cloud" in kinds else None
    stalls = Stalls()
    stalls.begin()
    wait(application, 2)
    stalls.end()
    told("idle", stalls.late_ms)
    bench.clock.play()
    wait(application, 1.0)  # the first sound opens the device
    bench.clock.seek(0)
    bench.clock.play()
    if sweeps is not None:
        sweeps.begin()
    stalls.begin()
    wait(application, min(seconds, bench.clock.span.duration_ns / 1e9 - 0.5))
    stalls.end()
    told("playing (goal: none above 30 ms)", stalls.late_ms)
    told("  of it the window's own work in one turn", stalls.busy_ms)
    say(f"  moved by: {bench.session.player.status.source.value}")
    if sweeps is not None:
        sweeps.told()
    bench.clock.pause()
    wait(application, 1)
    selecting(application, window)
    window.close()


def selecting(application: QApplication, window: MainWindow) -> None:
    assert window.opened is not None
    bench = window.opened.bench
    assert bench.view is not None
    ids = list(bench.view.annotations)[:: max(1, len(bench.view.annotations) // 200)][:200]
    spent = []
    for each in ids:
        begin = time.perf_counter()
        bench.select([each], cause="bench")
        application.processEvents()  # every repaint that the change asked for
        spent.append(1000 * (time.perf_counter() - begin))
    p95 = float(np.percentile(spent, 95))
    say(
        f"selection to all panes painted (goal 50 ms): "
        f"median {statistics.median(spent):.1f}, p95 {p95:.1f} ms, n {len(spent)}"
    )


def ten_hours(folder: Path, hours: float) -> None:
    sound = open_audio(make(folder / f"{hours:g}h.wav", hours))
    stream = Stream(id=StreamId("s"), sample=SampleId("s"), key="s", kind=StreamKind.AUDIO, time_map=TimeMap())
    lane = SoundLane(stream, sound, OpenContext())
    begin = time.perf_counter()
    lane.build(CancelToken())
    say(f"{hours:g} h: waveform and onsets built in {time.perf_counter() - begin:.1f} s")
    scene = SoundScene(lane, (), lambda scene, missing: None, channel=0)
    length, rng, every = round(hours * 3600 * SECOND_NS), np.random.default_rng(1), []
    duration = length
    while duration >= SHORTEST_NS:
        spent = []
        for _ in range(REQUESTS // 12):
            start = int(rng.integers(0, max(1, length - duration)))
            view = Viewport(start, duration, WIDTH)
            begin = time.perf_counter()
            scene.image(Look(view, HEIGHT, 1.0, DARK))
            spent.append(1000 * (time.perf_counter() - begin))
        every += spent
        say(f"  {duration / 1e9:12.5f} s in view: median {statistics.median(spent):6.2f}, most {max(spent):6.2f} ms")
        duration //= 8
    say(f"pan and zoom, all levels (goal median 1, p99 16.7 ms): median {statistics.median(every):.2f}, "
        f"p99 {np.percentile(every, 99):.2f} ms, n {len(every)}")  # fmt: skip
    sound.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--panes", default="sound,timeline,cloud", help="which are brought to the front")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="playing-") as made:
        folder = chosen.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["WORKSTATION_HOME"] = str(folder / "home")
        application = make_application()
        wear(application, DARK)
        application.setQuitOnLastWindowClosed(False)
        playing(application, folder, chosen.seconds, chosen.panes.split(","))
        if chosen.hours > 0:
            ten_hours(folder, chosen.hours)


if __name__ == "__main__":
    main()
