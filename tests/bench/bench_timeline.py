"""Goals U3 and A2 on the timeline's own painting: 100,000 spans, and ten hours of sound, panned and zoomed; and the
whole pane, with heads, ruler and minimap, on the demo drive with 100,000 spans more.

    python tests/bench/bench_timeline.py [--spans 100000] [--hours 10] [--no-peer] [--pane-only]

Prints median, p95 and p99 of one redraw against the goals, and the same pan with pyqtgraph's region items (2,000 of
them, as in the goal's peer figure). Needs a display (Xvfb will do).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SECOND = 1_000_000_000
WIDTH, HEIGHT = 1200, 132
ROUNDS = 240


def timed(act: Callable[[int], object], rounds: int = ROUNDS) -> np.ndarray:
    """Wall and CPU milliseconds of each round, (2, rounds), after three that warm up."""
    for i in range(3):
        act(i)
    found = []
    for i in range(rounds):
        begin, busy = time.perf_counter(), time.thread_time()
        act(i)
        found.append(((time.perf_counter() - begin) * 1000, (time.thread_time() - busy) * 1000))
    return np.array(found).T


def say(name: str, times: np.ndarray, goal: str) -> None:
    wall, cpu = ([float(np.percentile(part, each)) for each in (50, 95, 99)] for part in times)
    figures = "  ".join(f"{kind} {p[0]:7.2f} {p[1]:7.2f} {p[2]:7.2f}" for kind, p in (("wall", wall), ("cpu", cpu)))
    print(f"{name:58} {figures} ms (median, p95, p99)   goal {goal}")


def spans(count: int, span_ns: int) -> object:
    """A tier of spans in a few rows and colours, some overlapping."""
    from workstation.app.lanes import Palette, Style, Ticks, Tier, code_of
    from workstation.app.looks import Paint
    from workstation.app.span_columns import bars, packed_rows
    from workstation.core.ontology import Mark, Pattern

    rng = np.random.default_rng(7)
    starts = np.sort(rng.integers(0, span_ns, count)).astype(np.int64)
    lengths = (rng.exponential(3.0, count) * span_ns / count).astype(np.int64)
    ends = starts + lengths
    rows, row_count = packed_rows(starts, ends)
    palette = Palette()
    for i, pattern in enumerate(Pattern):
        palette.number(Paint(f"#{40 + 30 * i:02x}90c0", Mark.CIRCLE, pattern))
    codes = np.array([code_of(int(each), Style.FULL) for each in rng.integers(0, 5, count)], np.int32)
    items = bars(starts, ends, rows, codes, np.arange(count, dtype=np.int32), in_order=True)
    none = np.zeros(0, np.int32)
    ids = tuple(f"{i:026d}" for i in range(count))
    numbers = {each: i for i, each in enumerate(ids)}
    tier = Tier(ids, items, items, Ticks(np.zeros(0, np.int64), none, none, none), row_count, numbers)
    return tier, palette


def bench_spans(count: int) -> None:
    from PySide6.QtGui import QImage, QPainter

    from workstation.app.lanes import LaneKind
    from workstation.app.viewport import Viewport
    from workstation.ui.scenes.lane_scene import Look
    from workstation.ui.scenes.tier_scene import TierScene
    from workstation.ui.theme import DARK

    span_ns = 36_000 * SECOND
    tier, palette = spans(count, span_ns)  # type: ignore[misc]
    scene = TierScene(LaneKind.SPANS, tier, palette, lambda record_id: record_id[-6:])
    screen = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
    for share, name in ((1.0, "all of it"), (0.1, "a tenth"), (0.001, "a thousandth"), (0.0001, "seconds")):
        duration = int(span_ns * share)

        def pan(i: int, duration: int = duration) -> None:
            view = Viewport(int(span_ns * 0.4) + i * max(1, duration // WIDTH) * 5 - duration // 3, duration, WIDTH)
            painter = QPainter(screen)
            painter.drawImage(0, 0, scene.image(Look(view, HEIGHT, 1.0, DARK)))
            painter.end()

        say(f"U3 pan, {count:,} spans in {tier.row_count} rows, {name} in view", timed(pan), "p95 ≤ 16.7 ms")


def with_spans(session: object, count: int) -> None:
    """So many more spans on the drive's commentary, as an import would bring them."""
    from workstation.app.session import Session
    from workstation.core.annotation import Annotation, State
    from workstation.core.geometry import ShapeKind
    from workstation.core.ids import AnnotationId
    from workstation.core.sample import StreamKind
    from workstation.core.timebase import TimeRange

    assert isinstance(session, Session)
    store = session.store
    sample = store.sample_by_key("sf_drive")
    ontology = store.ontology()
    assert sample is not None
    assert ontology is not None
    stream = next(each for each in store.streams(sample.id) if each.kind is StreamKind.AUDIO)
    classes = list(ontology.classes_for(StreamKind.AUDIO, ShapeKind.SPAN))[:5]
    rng = np.random.default_rng(7)
    whole = TimeRange(0, 8 * SECOND)
    starts = np.sort(rng.integers(0, whole.end_ns - SECOND // 10, count)).tolist()
    lengths = (rng.exponential(3.0, count) * whole.end_ns / count).astype(np.int64).clip(1, SECOND // 10).tolist()
    number = ontology_number(store)
    with store.transaction("Many spans") as tx:
        tx.put_many(
            Annotation(
                id=AnnotationId(tx.new_id()), sample=sample.id, stream=stream.id, kind=ShapeKind.SPAN,
                class_id=classes[i % len(classes)], start_ns=start, end_ns=start + length, state=State.DRAFT,
                ontology_version=number,
            )
            for i, (start, length) in enumerate(zip(starts, lengths, strict=True))
        )  # fmt: skip


def ontology_number(store: object) -> int:
    from workstation.commands.reading import ontology_number as number

    return number(store)  # type: ignore[arg-type]


def check_now(bench: object) -> None:
    """What the checks find of so many spans, at once: beside the work they may take a minute to come."""
    from PySide6.QtWidgets import QApplication

    from workstation.app.evidence import KeptEvidence
    from workstation.ui.workbench import Workbench

    assert isinstance(bench, Workbench)
    assert bench.view is not None
    evidence = KeptEvidence(bench.session.project)
    found = list(bench.checks._checked(bench.view.id, evidence))
    begin = time.thread_time()
    bench.checks._take(found[-1])
    turns = [time.thread_time() - begin]
    while bench._placing.busy:
        begin = time.thread_time()
        QApplication.processEvents()
        turns.append(time.thread_time() - begin)
    whole, most = sum(turns) * 1000, max(turns) * 1000
    print(f"findings are told and placed: {whole:.0f} ms in {len(turns)} turns, {most:.0f} the longest")
    evidence.forget()


def bench_pane(count: int) -> None:
    """The pane in a window of its own: pan, zoom and the playhead, everything that is repainted counted."""
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from workstation.app.demo import make_demo
    from workstation.app.opening import open_project
    from workstation.ui.panes.timeline import TimelinePane
    from workstation.ui.workbench import Workbench

    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKSTATION_HOME"] = folder + "/home"
        made = make_demo(Path(folder) / "drive").folder
        with open_project(made, kind="person", role="lead") as session:
            with_spans(session, count)
            bench = Workbench(session)
            begin = time.perf_counter()
            bench.open_sample("sf_drive")
            pane = TimelinePane()
            pane.bind(bench)
            pane.resize(WIDTH, 600)
            pane.show()
            QTest.qWaitForWindowExposed(pane)
            print(f"opened with {count:,} spans in {time.perf_counter() - begin:.2f} s")
            QTest.qWait(4000)  # small pictures and waveform are made beside it
            check_now(bench)
            print(f"with {len(bench.checks.findings):,} findings")
            pane._bar.setValue(120)
            for share in (1.0, 0.25, 0.02, 0.0005):
                pane.fit()
                pane.zoom(share, WIDTH / 2)

                def pan(i: int) -> None:
                    pane.pan(37 if (i // 30) % 2 else -37)
                    QApplication.processEvents()

                say(f"the pane, {count:,} spans, pan at {share:g} of the time", timed(pan, 200), "16.7 ms p95 (U3)")
            pane.fit()

            def zoom(i: int) -> None:
                pane.zoom(0.8 if (i // 20) % 2 else 1.25, WIDTH / 3)
                QApplication.processEvents()

            say("the pane, zoom", timed(zoom, 200), "16.7 ms p95 (U3)")

            def all_of_it(i: int) -> None:
                pane.pan(37 if (i // 30) % 2 else -37)
                pane.repaint()

            pane.fit()
            say("the same with header and heads, which no pan repaints", timed(all_of_it, 200), "none")
            pane.fit()

            def play(i: int) -> None:
                bench.clock.seek(i * SECOND // 60)
                QApplication.processEvents()

            say("the playhead goes on", timed(play, 200), "16.7 ms p95 (U3)")
            pane.unbind()
            pane.close()
            bench.close()


def bench_sound(hours: float) -> None:
    import soundfile
    from PySide6.QtGui import QImage, QPainter

    from workstation.app.lane_sound import SoundLane
    from workstation.app.viewport import Viewport
    from workstation.core.ids import IdSource, SampleId, StreamId
    from workstation.core.sample import Stream, StreamKind
    from workstation.core.timebase import TimeMap
    from workstation.media.audio import open_audio
    from workstation.media.base import CancelToken, OpenContext
    from workstation.ui.scenes.lane_scene import Look
    from workstation.ui.scenes.sound_scene import SoundScene
    from workstation.ui.theme import DARK

    rate = 16_000
    ids = IdSource()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.wav"
        rng = np.random.default_rng(1)
        minute = (rng.normal(0, 3000, rate * 60) * np.abs(np.sin(np.arange(rate * 60) / 9000))).astype(np.int16)
        with soundfile.SoundFile(path, "w", rate, 1, "PCM_16") as file:
            for _ in range(round(hours * 60)):
                file.write(minute)
        sound = open_audio(path)
        stream = Stream(
            id=StreamId(ids.new()), sample=SampleId(ids.new()), key="mic", kind=StreamKind.AUDIO, time_map=TimeMap()
        )
        lane = SoundLane(stream, sound, OpenContext())
        begin = time.perf_counter()
        lane.build(CancelToken())
        print(f"pyramid and onsets of {hours:g} h: {time.perf_counter() - begin:.1f} s, {len(lane.onsets):,} onsets")
        scene = SoundScene(lane, (), lambda _scene, _keys: None)
        screen = QImage(WIDTH, 56, QImage.Format.Format_RGB32)
        span_ns = round(hours * 3600) * SECOND
        for seconds in (hours * 3600, 3600, 600, 60, 10, 1, 0.1, 0.01):
            duration = round(seconds * SECOND)

            def pan(i: int, duration: int = duration) -> None:
                view = Viewport(int(span_ns * 0.3) + i * max(1, duration // WIDTH) * 5, duration, WIDTH)
                painter = QPainter(screen)
                painter.drawImage(0, 0, scene.image(Look(view, 56, 1.0, DARK)))
                painter.end()

            say(f"A2 pan, {hours:g} h of sound, {seconds:g} s in view", timed(pan), "median ≤ 1, p99 ≤ 16.7 ms")
        lane.close()
        sound.close()


def bench_peer(count: int = 2000) -> None:
    """pyqtgraph with one region item a span."""
    import pyqtgraph as pg
    from PySide6.QtWidgets import QApplication

    plot = pg.PlotWidget()
    plot.resize(WIDTH, 300)
    rng = np.random.default_rng(7)
    for start in np.sort(rng.uniform(0, 1000, count)):
        plot.addItem(pg.LinearRegionItem((start, start + 0.3), movable=True))
    plot.show()
    application = QApplication.instance()

    def pan(i: int) -> None:
        plot.setXRange(i, 1000 + i, padding=0)
        plot.repaint()
        application.processEvents()  # type: ignore[union-attr]

    say(f"peer: pyqtgraph, {count:,} region items, all in view", timed(pan, 6), "1.1 s measured before")
    plot.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--pane-only", action="store_true")
    chosen = parser.parse_args()
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance() or QApplication([])
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    bench_pane(chosen.spans)
    if chosen.pane_only:
        return
    bench_spans(chosen.spans)
    if chosen.hours > 0:
        bench_sound(chosen.hours)
    if not chosen.no_peer:
        bench_peer()
    application.quit()


if __name__ == "__main__":
    main()
