"""A pan moves what was painted: the picture is the one that a fresh painting makes, and little is painted for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workstation.app.lanes import Palette, Standing, Style, Ticks, Tier, code_of
from workstation.app.looks import Paint
from workstation.app.span_columns import bars, packed_rows
from workstation.app.viewport import Viewport
from workstation.core.ontology import Mark, Pattern
from workstation.ui.scenes.lane_scene import Look
from workstation.ui.scenes.tier_pixels import TierPixels, tables_of
from workstation.ui.theme import DARK, LIGHT

WIDTH, HEIGHT, SCALE = 240, 90, 1000
VIEW = Viewport(7 * SCALE, WIDTH * SCALE, WIDTH)
PANS = st.lists(st.integers(-150, 150), min_size=1, max_size=6)


def tier_of(seed: int, count: int) -> tuple[Tier, Palette]:
    """Bars of every pattern, style and standing, some of a pixel, and ticks of three styles."""
    rng = np.random.default_rng(seed)
    palette = Palette()
    for i, pattern in enumerate(Pattern):
        palette.number(Paint(f"#{40 + 30 * i:02x}90c0", Mark.CIRCLE, pattern))
    starts = np.sort(rng.integers(-400_000, 700_000, count)).astype(np.int64)
    ends = starts + rng.choice([0, 300, 2500, 30_000, 400_000], count, p=[0.2, 0.3, 0.3, 0.15, 0.05])
    rows, row_count = packed_rows(starts, ends)
    styles = rng.choice(list(Style), count)
    standings = rng.choice(list(Standing), count)
    looks = zip(styles, standings, strict=True)
    codes = np.array([code_of(int(rng.integers(0, 5)), Style(one), Standing(two)) for one, two in looks], np.int32)
    owners = np.arange(count, dtype=np.int32)
    items = bars(starts, ends, rows, codes, owners, in_order=True)
    kinds = [code_of(int(rng.integers(0, 5)), (Style.FULL, Style.ABSENT)[i % 2]) for i in range(count)]
    ticks = Ticks(starts, rows, np.array(kinds, np.int32), owners)
    return Tier(tuple(map(str, range(count))), items, items, ticks, row_count), palette


def look_of(view: Viewport, ratio: float = 1.0) -> Look:
    return Look(view, HEIGHT, ratio, DARK)


@given(st.integers(0, 50), st.integers(0, 120), PANS, st.sampled_from([1.0, 2.0]), st.booleans())
def test_a_moved_picture_is_a_fresh_one(seed: int, count: int, pans: list[int], ratio: float, some: bool) -> None:
    tier, palette = tier_of(seed, count)
    tables = tables_of(palette, DARK)
    sought = np.arange(count) % 3 == 0 if some else None
    kept = TierPixels()
    view = VIEW
    kept.pixels(tier, sought, tables, look_of(view, ratio))
    for pan in pans:
        view = replace(view, start_ns=view.start_ns + pan * SCALE)
        moved = kept.pixels(tier, sought, tables, look_of(view, ratio))
        assert np.array_equal(moved, TierPixels().pixels(tier, sought, tables, look_of(view, ratio)))


def test_a_pan_paints_only_what_came_into_view() -> None:
    tier, palette = tier_of(1, 80)
    tables = tables_of(palette, DARK)
    kept = TierPixels()
    kept.pixels(tier, None, tables, look_of(VIEW))
    for step in range(1, 9):
        kept.pixels(tier, None, tables, look_of(replace(VIEW, start_ns=VIEW.start_ns + 20 * step * SCALE)))
    assert kept.columns_made == WIDTH + 8 * 20


def test_roundings_of_many_pans_do_not_add_up() -> None:
    """Each begins half a nanosecond beside its pixel; at seven nanoseconds a pixel that soon is a pixel."""
    tier, palette = tier_of(2, 80)
    tables = tables_of(palette, DARK)
    view = Viewport(0, 7 * WIDTH + 3, WIDTH)
    kept = TierPixels()
    kept.pixels(tier, None, tables, look_of(view))
    moved = kept.pixels(tier, None, tables, look_of(view))
    for _ in range(40):
        view = replace(view, start_ns=view.start_ns + view.distance_ns(3))
        moved = kept.pixels(tier, None, tables, look_of(view))
    fresh = TierPixels().pixels(tier, None, tables, look_of(view))
    assert np.count_nonzero(moved != fresh) <= moved.size // 20


def test_whatever_else_changes_is_painted_anew() -> None:
    tier, palette = tier_of(3, 80)
    other, _ = tier_of(4, 80)
    dark, light = tables_of(palette, DARK), tables_of(palette, LIGHT)
    sought = np.arange(80) % 2 == 0
    zoomed = Viewport(VIEW.start_ns, VIEW.duration_ns // 2, WIDTH)
    kept = TierPixels()
    kept.pixels(tier, None, dark, look_of(VIEW))
    for now, seek, tables, look in (
        (other, None, dark, look_of(VIEW)),
        (other, sought, dark, look_of(VIEW)),
        (other, sought, light, look_of(VIEW)),
        (other, sought, light, look_of(zoomed)),
        (other, sought, light, replace(look_of(zoomed), height_px=HEIGHT + 9)),
        (other, sought, light, look_of(zoomed, 2.0)),
        (tier, None, dark, look_of(VIEW.resized(WIDTH // 2))),
    ):
        shown = kept.pixels(now, seek, tables, look)
        assert np.array_equal(shown, TierPixels().pixels(now, seek, tables, look))
