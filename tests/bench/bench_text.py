"""Text: 100,000 words with 10,000 spans scrolled in the text pane's canvas, beside Qt's own text edit.

Goal: 16.7 ms p95 a step of scrolling, laying out and painting included. The yardstick is a ``QTextEdit`` that holds the
same words with the same spans as underlined formats, scrolled by the same steps.

    xvfb-run -a env PYTHONPATH=.:tests/strict python tests/bench/bench_text.py [--words 100000] [--spans 10000]
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QAbstractScrollArea, QTextEdit

from strict_texts import text_project
from workstation.app.opening import open_project
from workstation.app.streams import OpenStreams
from workstation.app.text_marks import Marks
from workstation.app.text_source import Sheet, choices_of, sheet_of
from workstation.ui.application import make_application
from workstation.ui.panes.text_canvas import TextCanvas
from workstation.ui.workbench import Workbench

GOAL_MS = 16.7
STEPS = 240
SIZE = (1000, 900)
CLASSES = ("mention", "person_name", "amount", "product", "date_time", "organisation")


def written(words: int) -> str:
    """Lines of forty to two hundred words, now and then in another script."""
    rng = random.Random(5)
    stock = [
        "the",
        "red",
        "car",
        "brakes",
        "while",
        "somebody",
        "shouts",
        "watch",
        "out",
        "mittens",
        "नमस्ते",
        "سيارة",
        "भी",
    ]
    lines, left = [], words
    while left > 0:
        count = min(left, rng.randint(8, 60))
        lines.append(" ".join(rng.choice(stock[:10] if rng.random() < 0.97 else stock) for _ in range(count)))
        left -= count
    return "\n".join(lines)


def places(text: str, spans: int) -> list[tuple[int, int]]:
    """One to eight words each, some over others."""
    rng = random.Random(6)
    starts = [0] + [at + 1 for at, char in enumerate(text) if char.isspace()]
    found = []
    for _ in range(spans):
        first = rng.randrange(len(starts) - 9)
        last = first + rng.randint(1, 8)
        found.append((starts[first], starts[last] - 1))
    return found


@contextmanager
def benched(folder: Path, text: str, marks: list[tuple[int, int]], links: int) -> Iterator[Workbench]:
    """A real project with all of it stored."""
    project = text_project(folder, {"words.txt": text})
    with open_project(project, kind="person", role="lead") as session:
        with session.together("Mark") as run:
            made = [
                run("annotation.add", sample="one", stream="words", class_id=CLASSES[number % len(CLASSES)],
                    shape={"kind": "text_span", "parts": [each], "quote": text[slice(*each)]})
                for number, each in enumerate(sorted(marks))
            ]  # fmt: skip
            for number in range(links):
                at = (number * 37) % (len(made) - 4)
                ends = {"phrase": [f"annotation:{made[at]}", f"annotation:{made[at + 1 + number % 3]}"]}
                run("link.add", sample="one", type_id="same_referent", ends=ends)
        bench = Workbench(session)
        assert bench.open_sample("one")
        yield bench
        bench.close()


def scrolled(widget: QAbstractScrollArea, by: int) -> np.ndarray:
    """(2, steps) milliseconds by the wall and of the processor: the bar moves, and the viewport is painted before the
    clocks are read."""
    bar, found = widget.verticalScrollBar(), []
    bar.setValue(bar.maximum() // 3)
    QCoreApplication.processEvents()
    for _ in range(STEPS):
        begin, busy = time.perf_counter(), time.thread_time()
        bar.setValue(bar.value() + by)
        widget.viewport().repaint()
        found.append(((time.perf_counter() - begin) * 1000, (time.thread_time() - busy) * 1000))
        QCoreApplication.processEvents()
    return np.array(found).T


def told(name: str, times: np.ndarray) -> tuple[float, float]:
    """The p95 by the wall and of the processor; on a busy machine only the second says something."""
    figures = [np.percentile(part, [50, 95, 100]) for part in times]
    said = "  ".join(
        f"{kind} {p[0]:6.2f} {p[1]:6.2f} {p[2]:6.2f}" for kind, p in zip(("wall", "cpu"), figures, strict=True)
    )
    print(f"  {name:28} {said}  ms (median, p95, worst)")
    return float(figures[0][1]), float(figures[1][1])


def once(act: Callable[[], object]) -> tuple[float, object]:
    begin = time.perf_counter()
    made = act()
    return (time.perf_counter() - begin) * 1000, made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=100_000)
    parser.add_argument("--spans", type=int, default=10_000)
    parser.add_argument("--links", type=int, default=1_000)
    given = parser.parse_args()
    app = make_application()
    text = written(given.words)
    marks = places(text, given.spans)
    with TemporaryDirectory() as folder, benched(Path(folder), text, marks, given.links) as bench:
        assert bench.view is not None
        assert isinstance(bench.readers, OpenStreams)
        view, readers = bench.view, bench.readers
        choice = choices_of(view)[0]
        took, made = once(lambda: sheet_of(view, choice, readers.reader))
        sheet = made[0]  # type: ignore[index]
        print(f"{given.words:,} words in {len(sheet.passages):,} lines, {given.spans:,} spans, {given.links:,} links")
        print(f"  the sheet is read in {took:.0f} ms")
        took, lying = once(lambda: Marks(view, sheet))
        assert isinstance(lying, Marks)
        print(f"  spans are placed in {took:.0f} ms")
        canvas = TextCanvas()
        canvas.resize(*SIZE)
        canvas.show()
        app.processEvents()
        took, _ = once(lambda: shown(canvas, sheet, lying))
        print(f"  the first screen stands after {took:.0f} ms")
        ours = [told(f"canvas, {by:+5} px a step", scrolled(canvas, by)) for by in (60, -60, 900)]
        edit = QTextEdit()
        edit.setReadOnly(True)
        edit.setFont(canvas.letters())
        edit.resize(*SIZE)
        took, _ = once(lambda: filled(edit, text, marks))
        edit.show()
        app.processEvents()
        print(f"  QTextEdit is filled and formatted in {took:.0f} ms")
        theirs = [told(f"QTextEdit, {by:+5} px a step", scrolled(edit, by)) for by in (60, -60, 900)]
        canvas.close()
        edit.close()
    for mine, peer, by in zip(ours, theirs, (60, -60, 900), strict=True):
        met = "met" if mine[0] <= GOAL_MS else "NOT met" if mine[1] > GOAL_MS else "NOT met on a busy machine"
        ratio = f"{mine[1] / peer[1]:.2f} × QTextEdit's processor time"
        print(f"{by:+5} px: p95 {mine[0]:.1f} ms ({mine[1]:.1f} of the processor), goal {GOAL_MS} ms {met}; {ratio}")


def shown(canvas: TextCanvas, sheet: Sheet, lying: Marks) -> None:
    """The first screen, painted."""
    canvas.show_sheet(sheet, lying)
    canvas.viewport().repaint()


def filled(edit: QTextEdit, text: str, marks: list[tuple[int, int]]) -> None:
    """The same words with the spans as underlines: what QTextEdit can do of it."""
    edit.setPlainText(text)
    cursor = QTextCursor(edit.document())
    form = QTextCharFormat()
    form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
    form.setUnderlineColor(QColor("#d55e00"))
    cursor.beginEditBlock()
    for start, end in marks:
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        cursor.mergeCharFormat(form)
    cursor.endEditBlock()


if __name__ == "__main__":
    main()
