"""However many labels share a lane, all of them show, and a rare one is neither hidden nor out of reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workstation.app.lanes import LaneKind, Palette, Ticks, Tier, code_of, item_at
from workstation.app.looks import Paint
from workstation.app.span_columns import bars, packed_rows
from workstation.app.viewport import Viewport
from workstation.core.ontology import Mark, Pattern
from workstation.ui.panes.base_strips_crowd import MOST_TOLD_APART, crowded, part_of, reaching, told_apart
from workstation.ui.scenes.lane_scene import Look
from workstation.ui.scenes.tier_scene import TierScene
from workstation.ui.theme import DARK

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

COMMON, RARE = Paint("#56b4e9", Mark.CIRCLE, Pattern.SOLID), Paint("#e69f00", Mark.CIRCLE, Pattern.SOLID)


def tier(intervals: list[tuple[int, int, Paint]], palette: Palette) -> Tier:
    """A tier of spans as a stream has it; ids are the numbers in order of time."""
    ordered = sorted(intervals, key=lambda each: each[:2])
    starts, ends = (np.array([each[k] for each in ordered], np.int64) for k in (0, 1))
    rows, count = packed_rows(starts, ends)
    codes = np.array([code_of(palette.number(paint), 0) for _, _, paint in ordered], np.int32)  # type: ignore[arg-type]
    owners = np.arange(len(ordered), dtype=np.int32)
    items = bars(starts, ends, rows, codes, owners, in_order=True)
    at = np.flatnonzero(starts == ends)
    ids = tuple(str(i) for i in range(len(ordered)))
    ticks = Ticks(starts[at], rows[at], codes[at], owners[at])
    return Tier(ids, items, items, ticks, count, {each: i for i, each in enumerate(ids)})


def test_a_rare_instant_stands_out_of_a_solid_band_of_others_and_can_be_picked(qapp: QApplication) -> None:
    from strict_golden import pixels_of

    assert qapp is not None
    palette = Palette()
    crowd = [(i * 100, i * 100, COMMON) for i in range(5000)]
    held = tier([*crowd, (250_050, 250_050, RARE)], palette)
    view = Viewport(0, 500_000, 500)  # ten of them in each pixel
    scene = TierScene(LaneKind.SPANS, held, palette, lambda _each: "")
    picture = pixels_of(scene.image(Look(view, 20, 1.0, DARK)))
    assert tuple(picture[10, 250]) == (0xE6, 0x9F, 0x00)
    assert tuple(picture[10, 240]) == (0x56, 0xB4, 0xE9)
    found = item_at(held, view.ns_at(250.5), 0, view.distance_ns(4))
    assert found is not None
    assert held.items.starts[found] == 250_050
    row = crowded(held, palette, view)
    assert row is not None
    assert row[250] != row[240] == row[249]
    assert row[250] >> 24 > 128 > 64 > row[240] >> 24  # the curve is seen behind the band, the rare one stands out


@given(st.integers(0, 3000), st.integers(0, 400), st.integers(1, 3))
def test_every_label_is_drawn_by_itself_or_in_a_column(extra: int, start: int, length: int) -> None:
    palette = Palette()
    held = tier([(i * 10, i * 10 + length, COMMON) for i in range(extra)], palette)
    view = Viewport(start, 20_000, 700)
    apart = set(told_apart(held, view, ()))
    columns = crowded(held, palette, view)
    seen = [i for i in range(extra) if i * 10 + length > start and i * 10 < view.end_ns]
    if len(seen) <= MOST_TOLD_APART:
        assert apart == {str(i) for i in seen}
        assert columns is None
    else:
        assert columns is not None
        drawn = [i for i in seen if columns[max(0, int(view.x_of(i * 10)))] == 0 and str(i) not in apart]
        assert not drawn
    for i in seen[:5] + seen[-5:]:
        assert reaching(held, i * 10, i * 10 + 1) == [str(i)]


def test_the_broadest_and_the_selected_are_told_apart_among_very_many() -> None:
    palette = Palette()
    many = [(i * 10, i * 10 + 3, COMMON) for i in range(2000)]
    held = tier([*many, (5000, 9000, RARE)], palette)
    broad = next(each for each in held.ids if held.items.ends[int(each)] == 9000)
    assert set(told_apart(held, Viewport(0, 20_000, 700), ("7",))) == {broad, "7"}


def test_some_of_a_tier_keep_their_rows_and_moments() -> None:
    held = tier([(0, 50, COMMON), (10, 10, RARE), (20, 80, RARE)], Palette())
    mine = part_of(held, np.array([True, False, True]))
    assert mine.ids == ("0", "2")
    assert mine.items.rows.tolist() == [held.items.rows[0], held.items.rows[2]]
    assert not len(mine.ticks.times)
    instant = part_of(held, np.array([False, True, False]))
    assert instant.ticks.owners.tolist() == [0]
    assert instant.ticks.times.tolist() == [10]
