"""Golden pictures of lanes, without letters, which differ from machine to machine; and the scale of the ruler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from strict_golden import assert_golden
from workstation.app.lanes import LaneKind, Palette, Style, Ticks, Tier, code_of
from workstation.app.looks import Paint
from workstation.app.span_columns import bars
from workstation.app.viewport import Viewport
from workstation.core.ontology import Mark, Pattern
from workstation.ui.scenes.lane_scene import Look
from workstation.ui.scenes.ruler import in_words, marks, time_step
from workstation.ui.scenes.tier_scene import TierScene
from workstation.ui.theme import DARK, LIGHT, Theme

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

COLOURS = ("#56b4e9", "#e69f00", "#2fb58a", "#cc79a7", "#d55e00")


def no_label(_record_id: str) -> str:
    return ""


def tier_of_everything(palette: Palette) -> Tier:
    """A row for each pattern of a class, then one for each style; a keyframe at the start of every stretch."""
    codes = []
    for colour, pattern in zip(COLOURS, Pattern, strict=True):
        codes.append(code_of(palette.number(Paint(colour, Mark.CIRCLE, pattern)), Style.FULL))
    codes += [code_of(0, style) for style in Style if style is not Style.FULL]
    starts, ends, rows, drawn, ticks = [], [], [], [], []
    for row, code in enumerate(codes):
        for k in range(4):
            starts.append(1000 * k + 100)
            ends.append(1000 * k + 100 + (900, 300, 3, 600)[k])
            rows.append(row)
            drawn.append(code)
        if row >= len(COLOURS):
            ticks.append((3100, row, code_of(0, Style.ABSENT if code & 7 == Style.ABSENT else Style.FULL)))
    columns = [np.array(each, np.int64) for each in (starts, ends)]
    small = [np.array(each, np.int32) for each in (rows, drawn, range(len(rows)))]
    items = bars(*columns, *small)
    times = np.array([time for time, _, _ in ticks], np.int64)
    tick_rows, tick_codes = (np.array([each[k] for each in ticks], np.int32) for k in (1, 2))
    return Tier(
        tuple(str(i) for i in range(len(rows))), items, items,
        Ticks(times, tick_rows, tick_codes, np.zeros(len(ticks), np.int32)), len(codes),
    )  # fmt: skip


@pytest.mark.parametrize(("name", "theme", "ratio"), [("tier_dark", DARK, 1.0), ("tier_light_200", LIGHT, 2.0)])
def test_every_pattern_and_every_style_of_a_tier(qapp: QApplication, name: str, theme: Theme, ratio: float) -> None:
    from PySide6.QtGui import QColor, QImage, QPainter

    assert qapp is not None
    palette = Palette()
    scene = TierScene(LaneKind.TRACKS, tier_of_everything(palette), palette, no_label)
    lane = scene.image(Look(Viewport(0, 4200, 420), 220, ratio, theme))
    picture = QImage(lane.size(), QImage.Format.Format_RGB32)
    picture.fill(QColor(theme.panel))
    painter = QPainter(picture)
    lane.setDevicePixelRatio(1.0)
    painter.drawImage(0, 0, lane)
    painter.end()
    assert_golden(picture, __file__, name, count=120)


def test_styles_are_told_apart_without_their_colour(qapp: QApplication) -> None:
    """Each style of one class, in grey, differs from each other one in many pixels."""
    from strict_golden import pixels_of

    assert qapp is not None
    palette = Palette()
    scene = TierScene(LaneKind.TRACKS, tier_of_everything(palette), palette, no_label)
    grey = pixels_of(scene.image(Look(Viewport(0, 4200, 420), 220, 1.0, DARK))).max(axis=2) > 20
    rows = [grey[20 * row : 20 * row + 18, 10:95] for row in (0, *range(len(COLOURS), len(COLOURS) + 6))]
    shapes = [row.mean() for row in rows]
    full, _proposed, interpolated, held, gap, absent, _rejected = shapes
    assert full > 0.9
    assert interpolated < held < 0.5 < full
    assert gap < 0.5
    assert absent < interpolated


@pytest.mark.parametrize(
    ("start", "duration", "width"), [(0, 36_000 * 10**9, 1200), (5, 8 * 10**9, 300), (123_456_789, 30_000, 1000)]
)
def test_the_ruler_marks_round_times_with_room_for_their_words(start: int, duration: int, width: int) -> None:
    view = Viewport(start, duration, width)
    step = time_step(view, 90)
    found = list(marks(view, step))
    assert found
    assert all(view.start_ns <= time < view.end_ns and time % step == 0 for time in found)
    assert step / view.ns_per_px >= 90
    assert len({in_words(time, step) for time in found}) == len(found)


@pytest.mark.parametrize(
    ("time_ns", "step", "said"),
    [
        (0, 10**9, "0"), (14_327_000_000, 10**6, "14.327"), (3_723_250_000_000, 10**7, "1:02:03.25"),
        (61 * 10**9, 10**9, "1:01"), (-1_500_000_000, 10**8, "−1.5"), (1_000_000_005, 1, "1.000000005"),
    ],
)  # fmt: skip
def test_times_in_words(time_ns: int, step: int, said: str) -> None:
    assert in_words(time_ns, step) == said
