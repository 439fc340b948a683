"""How long a brush takes on a 4K picture: a move of the pointer, its repaint, and the work when it is let go.

Goal: no slot above 8 ms while painting. Run by hand: ``python tests/bench/bench_masks.py`` (needs no display).
"""

from __future__ import annotations

import math
import os
import time

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QGuiApplication, QImage, QPainter

from workstation.app.mask_edits import cropped, stroke
from workstation.core.pixels import runs_of_mask
from workstation.ui.scenes.overlays import mask_image
from workstation.ui.scenes.viewport import FIT, Viewport
from workstation.ui.scenes.wet_pixels import WetPixels
from workstation.ui.tools.canvas import Pixels

SIZE, AREA, GOAL_MS = (3840, 2160), (1200, 675), 8.0


def main() -> None:
    app = QGuiApplication.instance() or QGuiApplication([])
    layer = np.zeros((SIZE[1], SIZE[0]), np.bool_)
    pixels = Pixels(0, 0, layer, [(0, 0, 1, 1)])
    kept = np.zeros_like(layer)
    kept[:, 2000:2200] = True
    wet = WetPixels()
    viewport = Viewport(picture_px=SIZE, area=(float(AREA[0]), float(AREA[1])), zoom=FIT, device_ratio=1.0)
    screen = QImage(*AREA, QImage.Format.Format_RGB32)
    strokes, paints, at = [], [], (1900.0, 1000.0)
    for step in range(300):
        to = (1900 + 1500 * math.sin(step / 13), 1000 + 900 * math.sin(step / 7))
        begun = time.perf_counter()
        touched = stroke(layer, at, to, 40, square=False, inside=True, kept=kept)
        strokes.append(time.perf_counter() - begun)
        at = to
        if touched is not None:
            pixels.fresh.append(touched)
        begun = time.perf_counter()
        painter = QPainter(screen)
        wet.paint(painter, viewport, [(pixels, "#ff8800")])
        painter.end()
        paints.append(time.perf_counter() - begun)
    report("a move of the pointer", strokes)
    report("its repaint", paints)
    begun = time.perf_counter()
    found = cropped(layer)
    assert found is not None
    runs = runs_of_mask(np.ascontiguousarray(found[2]))
    print(f"let go: {len(runs):,} runs in {1e3 * (time.perf_counter() - begun):.1f} ms, once a stroke")
    begun = time.perf_counter()
    mask_image(layer, "#ff8800", 0.5, edge=False)
    whole = time.perf_counter() - begun
    print(f"the whole picture each time would be {1e3 * whole:.0f} ms, {whole / np.median(paints):.0f} times as long")
    del app


def report(what: str, seconds: list[float]) -> None:
    median, most = np.percentile(seconds, [50, 95]) * 1e3
    print(f"{what}: {median:.2f} ms, 95 % below {most:.2f} ms; goal {GOAL_MS:.0f} ms, {median / GOAL_MS:.2f} of it")


if __name__ == "__main__":
    main()
