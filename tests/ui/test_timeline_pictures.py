"""Golden pictures of lanes, without letters, which differ from machine to machine; and the scale of the ruler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from strict_golden import assert_golden
from workstation.app.lanes import LaneKind, Palette, Standing, Style, Ticks, Tier, code_of, styles_in
from workstation.app.looks import Paint
from workstation.app.span_columns import bars
from workstation.app.viewport import Viewport
from workstation.core.ontology import Mark, Pattern
from workstation.ui.scenes.lane_scene import Look
from workstation.ui.scenes.ruler import in_words, marks, time_step
from workstation.ui.scenes.tier_scene import TierScene
from workstation.ui.theme import DARK, LIGHT, Theme

if TYPE_CHECKING:
    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QApplication

COLOURS = ("#56b4e9", "#e69f00", "#2fb58a", "#cc79a7", "#d55e00")

LOOKS = (
    (Style.INTERPOLATED, Standing.SURE), (Style.HELD, Standing.SURE), (Style.GAP, Standing.SURE),
    (Style.ABSENT, Standing.SURE), (Style.FULL, Standing.PROPOSED), (Style.INTERPOLATED, Standing.PROPOSED),
    (Style.FULL, Standing.REJECTED), (Style.INTERPOLATED, Standing.REJECTED),
)  # fmt: skip


def no_label(_record_id: str) -> str:
    return ""


def tick_of(code: int) -> int:
    """A keyframe of a stretch, as solid and as sure as that."""
    codes = np.array([code], np.int32)
    return code - int(styles_in(codes)[0]) * (styles_in(codes)[0] != Style.ABSENT)


def tier_of_everything(palette: Palette) -> Tier:
    """A row for each pattern of a class, then one for each style and standing; a keyframe in every stretch of those."""
    codes = []
    for colour, pattern in zip(COLOURS, Pattern, strict=True):
        codes.append(code_of(palette.number(Paint(colour, Mark.CIRCLE, pattern)), Style.FULL))
    codes += [code_of(0, *look) for look in LOOKS]
    starts, ends, rows, drawn, ticks = [], [], [], [], []
    for row, code in enumerate(codes):
        for k in range(4):
            starts.append(1000 * k + 100)
            ends.append(1000 * k + 100 + (900, 300, 3, 600)[k])
            rows.append(row)
            drawn.append(code)
        if row >= len(COLOURS):
            ticks.append((3100, row, tick_of(code)))
    columns = [np.array(each, np.int64) for each in (starts, ends)]
    small = [np.array(each, np.int32) for each in (rows, drawn, range(len(rows)))]
    items = bars(*columns, *small)
    times = np.array([time for time, _, _ in ticks], np.int64)
    tick_rows, tick_codes = (np.array([each[k] for each in ticks], np.int32) for k in (1, 2))
    return Tier(
        tuple(str(i) for i in range(len(rows))), items, items,
        Ticks(times, tick_rows, tick_codes, np.zeros(len(ticks), np.int32)), len(codes),
    )  # fmt: skip


def painted(theme: Theme, ratio: float, ground: str) -> QImage:
    """All of it on a plain ground."""
    from PySide6.QtGui import QColor, QImage, QPainter

    palette = Palette()
    scene = TierScene(LaneKind.TRACKS, tier_of_everything(palette), palette, no_label)
    lane = scene.image(Look(Viewport(0, 4200, 420), 286, ratio, theme))
    picture = QImage(lane.size(), QImage.Format.Format_RGB32)
    picture.fill(QColor(ground))
    painter = QPainter(picture)
    lane.setDevicePixelRatio(1.0)
    painter.drawImage(0, 0, lane)
    painter.end()
    return picture


@pytest.mark.parametrize(("name", "theme", "ratio"), [("tier_dark", DARK, 1.0), ("tier_light_200", LIGHT, 2.0)])
def test_every_pattern_and_every_style_of_a_tier(qapp: QApplication, name: str, theme: Theme, ratio: float) -> None:
    assert qapp is not None
    assert_golden(painted(theme, ratio, theme.panel), __file__, name, count=120)


def test_styles_are_told_apart_without_their_colour(qapp: QApplication) -> None:
    """Each style and standing of one class, in grey, differs from each other one in many pixels."""
    from strict_golden import pixels_of

    assert qapp is not None
    light = pixels_of(painted(DARK, 1.0, "#000000")).max(axis=2)
    rows = [light[22 * row : 22 * row + 20, 12:95] for row in (0, *range(len(COLOURS), len(COLOURS) + len(LOOKS)))]
    full, interpolated, held, gap, absent, proposed, proposed_track, rejected, _rejected_track = (
        (row > 20).mean() for row in rows
    )
    assert full > 0.9
    assert interpolated < held < 0.5 < full
    assert gap < 0.5
    assert absent < interpolated
    assert interpolated < proposed_track
    assert rejected < 0.5 < proposed
    pale, frame = rows[5][8:12], rows[5][0]
    assert pale.max() < 0.5 * rows[0].max() < frame.max()  # pale inside, and a frame as bright as the class
    assert 0.3 < (frame > 20).mean() < 0.7  # with as much of a gap as of a dash
    assert (rows[7][8:12] > 150).all(axis=1).any()  # one line through all of it
    for i, one in enumerate(rows):
        for other in rows[i + 1 :]:
            assert ((one > 60) != (other > 60)).sum() > 40


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
