"""How a camera turned, from where points of streets that were made up went, against the turns they were made with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workstation.sync.curves import Curve, curve_offset
from workstation.sync.film_turns import FilmTurns, Sight, film_turns, plain_sight
from workstation.sync.patches import Followed

Floats = NDArray[np.floating[Any]]
FOCAL, WIDTH, HEIGHT = 333.0, 320, 180
MIDDLE = np.array([WIDTH, HEIGHT]) / 2
STEP_S = 1 / 30
STEPS = 150
AHEAD_M = 1.2
"""The camera before the axle."""


def heading(time_s: Floats) -> Floats:
    """A right angle to the left in a bit more than two seconds, about the middle of five."""
    share = np.clip((time_s - 1.3) / 2.4, 0, 1)
    return np.asarray(np.pi / 2 * (share - np.sin(2 * np.pi * share) / (2 * np.pi)))


def places(time_s: Floats) -> Floats:
    """(n, 2) of the axle, 6 m/s the way it heads."""
    fine = np.arange(0, time_s[-1] + 0.01, 0.001)
    steps = 0.006 * np.stack([np.cos(heading(fine)), np.sin(heading(fine))], 1)
    along = np.cumsum(steps, axis=0)
    return np.stack([np.interp(time_s, fine, along[:, axis]) for axis in (0, 1)], 1)


def world(rng: np.random.Generator) -> Floats:
    """Points of walls to both sides of the way, whose distance changes along it, and of the road."""
    time_s = np.linspace(0, 12, 2500)
    at, facing = places(time_s), heading(time_s)
    side = np.where(rng.random(2500) < 0.5, 1.0, -1.0) * (6 + 4 * np.sin(time_s * 2) + rng.uniform(0, 1, 2500))
    walls = np.column_stack(
        [at[:, 0] - np.sin(facing) * side, at[:, 1] + np.cos(facing) * side, rng.uniform(-1.5, 6, 2500)]
    )
    far = np.column_stack([rng.uniform(-150, 150, (400, 2)), rng.uniform(-1.5, 15, 400)])
    return np.concatenate([walls, far])


def seen(points: Floats, at_m: Floats, facing: float, yaw: float) -> tuple[Floats, NDArray[np.bool_]]:
    """(n, 2) pixels from a camera that looks ``yaw`` beside the way the vehicle heads; and which it sees."""
    turned = facing + yaw
    eye = at_m + AHEAD_M * np.array([np.cos(facing), np.sin(facing)])
    away = points[:, :2] - eye
    z = away @ [np.cos(turned), np.sin(turned)]
    x = away @ [np.sin(turned), -np.cos(turned)]
    ahead = z > 2
    depth = np.where(ahead, z, 1.0)
    pixels = np.stack([x / depth, -points[:, 2] / depth], 1) * FOCAL + MIDDLE
    inside = ahead & (pixels > 0).all(axis=1) & (pixels < [WIDTH, HEIGHT]).all(axis=1)
    return pixels, inside


def film(rng: np.random.Generator, *, yaw: float = 0.0, movers: int = 0) -> list[Followed | None]:
    points = world(rng)
    time_s = np.arange(STEPS + 1) * STEP_S
    at, facing = places(time_s), heading(time_s)
    steps: list[Followed | None] = []
    for number in range(STEPS):
        before, one = seen(points, at[number], facing[number], yaw)
        after, two = seen(points, at[number + 1], facing[number + 1], yaw)
        both = np.flatnonzero(one & two)
        kept = rng.permutation(both)[:36]
        went = after[kept] + rng.normal(0, 0.08, (len(kept), 2))
        went[:movers] += [3.0, 0.5]
        steps.append(Followed(before_px=before[kept], after_px=went, sharpness=np.full(len(kept), 20.0)))
    return steps


def pinhole(yaw: float = 0.0) -> Sight:
    def rays(pixels: Floats) -> Floats:
        found = np.column_stack([(pixels - MIDDLE) / FOCAL, np.ones(len(pixels))])
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))

    return Sight(rays=rays, up=np.array([0.0, -1.0, 0.0]), ahead=np.array([np.sin(yaw), 0.0, np.cos(yaw)]))


def turns_of(steps: list[Followed | None], sight: Sight) -> FilmTurns:
    return film_turns(steps, np.full(len(steps), STEP_S), sight, MIDDLE)


def late_ms(found: FilmTurns) -> float:
    """Of the turn that was found against the one that was driven."""
    fine = np.arange(0, STEPS * STEP_S, 0.01)
    truth = Curve(np.round(fine * 1e9).astype(np.int64), np.gradient(heading(fine), 0.01))
    middles = (np.arange(STEPS) + 0.5) * STEP_S
    offset = curve_offset(truth, Curve(np.round(middles * 1e9).astype(np.int64), found.turned_rad / STEP_S))
    assert offset is not None
    return -offset.offset_ns / 1e6


@pytest.mark.parametrize("movers", [0, 8])
def test_a_turn_is_found_when_it_was_though_near_walls_go_with_it(movers: int) -> None:
    found = turns_of(film(np.random.default_rng(1), movers=movers), pinhole())
    truth = np.diff(heading(np.arange(STEPS + 1) * STEP_S))
    assert float(np.abs(found.turned_rad - truth).max()) < 0.12 * truth.max()
    assert abs(late_ms(found)) < 4
    plain = turns_of(film(np.random.default_rng(1), movers=movers), plain_sight(WIDTH, HEIGHT))
    assert abs(late_ms(plain)) < 6  # a camera that nobody calibrated


def test_a_camera_that_looks_half_aside_sees_the_turn_too() -> None:
    yaw = np.radians(40.0)
    found = turns_of(film(np.random.default_rng(2), yaw=float(yaw)), pinhole(float(yaw)))
    truth = np.diff(heading(np.arange(STEPS + 1) * STEP_S))
    assert np.corrcoef(found.turned_rad, truth)[0, 1] > 0.97


def test_a_long_film_is_the_same_as_its_pieces_and_what_shows_nothing_says_nothing() -> None:
    steps = film(np.random.default_rng(3))
    alone = turns_of(steps, pinhole()).turned_rad
    empty = Followed(before_px=np.zeros((0, 2)), after_px=np.zeros((0, 2)), sharpness=np.zeros(0))
    gaps: list[Followed | None] = [None, empty] * 600
    whole = turns_of([*gaps, *steps], pinhole()).turned_rad
    assert np.isnan(whole[: len(gaps)]).all()
    np.testing.assert_allclose(whole[len(gaps) :], alone, atol=2e-4)
    assert turns_of([], pinhole()).turned_rad.shape == (0,)

    def blind(pixels: Floats) -> Floats:
        return np.full((len(pixels), 3), np.nan)

    nothing = turns_of(steps, Sight(rays=blind, up=np.array([0.0, -1, 0]), ahead=np.array([0.0, 0, 1])))
    assert np.isnan(nothing.turned_rad).all()


def test_it_is_told_from_which_rows_the_turn_was_seen() -> None:
    """What a rolling shutter needs: points only in the upper third of the picture."""
    steps: list[Followed | None] = []
    for each in film(np.random.default_rng(4)):
        assert each is not None
        high = each.before_px[:, 1] < HEIGHT / 3
        steps.append(Followed(each.before_px[high], each.after_px[high], each.sharpness[high]))
    found = turns_of(steps, pinhole())
    rows = found.below_px[np.isfinite(found.turned_rad)]
    assert len(rows) > 50
    assert (rows < -HEIGHT / 6).all()
    assert (rows > -HEIGHT / 2).all()
