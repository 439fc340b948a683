"""Ten hours of channels at 1 kHz in the series pane: a pan at every zoom, against pyqtgraph's own plot in the same run.

    python tests/bench/bench_series.py [--hours 10] [--channels 1] [--no-peer]

Prints median, p95 and p99 of one redraw (lane painted into a picture and drawn), its ratio to the peer, and what
preparing a channel costs once. Needs a display (Xvfb will do). The peer is ``PlotDataItem`` as a user would set it up
for long data: downsampled by peaks, clipped to the view, no finite check.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

SECOND = 1_000_000_000
WIDTH, HEIGHT = 1200, 120
ROUNDS = 240
GOAL_MS = 16.7


def timed(act: Callable[[int], object], rounds: int) -> np.ndarray:
    """Wall and processor milliseconds of each round, (2, rounds), after three that warm up."""
    for i in range(3):
        act(i)
    found = []
    for i in range(rounds):
        begin, busy = time.perf_counter(), time.thread_time()
        act(i)
        found.append(((time.perf_counter() - begin) * 1000, (time.thread_time() - busy) * 1000))
    return np.array(found).T


def signal(n: int) -> tuple[np.ndarray, np.ndarray]:
    """A slow wave with noise and spikes at 1 kHz, silent in two places, with a sentinel's holes."""
    rng = np.random.default_rng(3)
    times = np.arange(n, dtype=np.int64) * 1_000_000
    values = np.sin(np.arange(n) * (6.28 / 47_000)) * 3
    values += rng.standard_normal(n, dtype=np.float32)
    values[rng.integers(0, n, n // 100_000)] = 40.0
    values[n // 3 : n // 3 + n // 50] = np.nan
    values[rng.integers(0, n, 200)] = np.nan
    return times, values


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--hours", type=float, default=10.0)
    given.add_argument("--channels", type=int, default=1, help="lanes redrawn in each round")
    given.add_argument("--no-peer", action="store_true")
    options = given.parse_args()
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtWidgets import QApplication

    from workstation.app.series_curves import ScaleMode, curve_of
    from workstation.app.viewport import Viewport
    from workstation.core.timebase import offset_map
    from workstation.ui.scenes.curve_scene import CurveScene
    from workstation.ui.scenes.lane_scene import Look
    from workstation.ui.theme import DARK

    app = QApplication([])
    n = round(options.hours * 3_600_000)
    times, values = signal(n)
    begin = time.perf_counter()
    curve = curve_of("a", "m/s²", {}, offset_map(0), times, values)
    print(f"preparing {n:,} readings: {time.perf_counter() - begin:.2f} s, once, on a thread")
    scenes = [CurveScene(curve) for _ in range(options.channels)]
    screen = QImage(WIDTH, HEIGHT * options.channels, QImage.Format.Format_RGB32)
    peer = None if options.no_peer else Peer(times, values)
    worst = (0.0, 0.0)
    for mode in (ScaleMode.AUTO, ScaleMode.FIXED):
        for scene in scenes:
            scene.scale(mode, None)
        for share in (1.0, 0.1, 0.01, 0.001, 0.0001, 0.000_01):
            duration = max(SECOND, round(n * 1_000_000 * share))

            def pan(i: int, duration: int = duration) -> None:
                view = Viewport(n * 330_000 + i * (duration // WIDTH) * 7 - duration // 3, duration, WIDTH)
                painter = QPainter(screen)
                for k, scene in enumerate(scenes):
                    painter.drawImage(0, k * HEIGHT, scene.image(Look(view, HEIGHT, 1.0, DARK)))
                painter.end()

            ours = timed(pan, ROUNDS)
            wall, cpu = ([float(np.percentile(part, each)) for each in (50, 95, 99)] for part in ours)
            worst = max(worst, (wall[1], cpu[1]))
            line = f"{mode.value:5} {duration / SECOND:10,.1f} s in view:"
            for kind, p in (("wall", wall), ("cpu", cpu)):
                line += f"  {kind} {p[0]:6.2f} {p[1]:6.2f} {p[2]:6.2f}"
            if peer is not None and mode is ScaleMode.AUTO:
                rounds = 6 if share >= 0.1 else 40
                theirs = timed(lambda i, d=duration: peer.pan(n * 330_000, d, i), rounds)  # type: ignore[misc]
                middle = float(np.median(theirs[1]))
                line += f"   pyqtgraph cpu {middle:7.2f} (median of {rounds})  ratio 1/{middle / cpu[0]:.1f}"
            print(line)
    verdict = "met" if worst[0] <= GOAL_MS else "MISSED"
    print("ms: median, p95, p99")
    print(f"worst p95 {worst[0]:.2f} ms wall, {worst[1]:.2f} ms cpu; goal p95 ≤ {GOAL_MS} ms: {verdict}")
    app.quit()


class Peer:
    """pyqtgraph's plot in a window of the same size."""

    def __init__(self, times: np.ndarray, values: np.ndarray) -> None:
        import pyqtgraph

        self._widget = pyqtgraph.PlotWidget()
        self._widget.resize(WIDTH, HEIGHT)
        item = self._widget.plot(times / 1e9, values, pen="c", skipFiniteCheck=False, connect="finite")
        item.setDownsampling(auto=True, method="peak")
        item.setClipToView(True)
        self._widget.show()

    def pan(self, middle_ns: int, duration: int, i: int) -> None:
        """One step to the right, painted."""
        start = (middle_ns + i * (duration // WIDTH) * 7 - duration // 3) / 1e9
        self._widget.setXRange(start, start + duration / 1e9, padding=0)
        self._widget.grab()


if __name__ == "__main__":
    main()
