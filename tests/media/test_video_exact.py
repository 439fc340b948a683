"""Every frame shown is the frame asked for: the number in the picture against the frame table, for every film."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from films import FILMS, Film, read_code

from workstation.core.timebase import ns_from_units
from workstation.media.base import OpenContext, VideoReader, View
from workstation.media.cache import MemoryCache
from workstation.media.video import VideoFile, open_video

Made = Callable[[Film], Path]
every_film = pytest.mark.parametrize("film", FILMS, ids=lambda film: film.name)


def shown_number(video: VideoReader, film: Film, index: int, view: View = View()) -> int | None:  # noqa: B008
    pixels = video.picture(index, view).pixels
    if film.rotation:
        pixels = np.rot90(pixels, -film.rotation // 90)
    return read_code(pixels)


def opened(path: Path, *, megabytes: int = 64) -> VideoFile:
    return open_video([path], {}, OpenContext(memory=MemoryCache(megabytes << 20)))


def requests(count: int, seeks: int, steps: int, seed: int) -> Iterator[int]:
    """Random seeks, steps back, a scrub each way with pauses, and steps forward over the end of what is held."""
    rnd = random.Random(seed)
    yield from (rnd.randrange(count) for _ in range(seeks))
    at = rnd.randrange(count)
    yield from (max(0, at - i) % count for i in range(steps))
    for direction in (1, -1):
        at = count // 2
        for _ in range(steps // 2):
            at = min(count - 1, max(0, at + direction * rnd.randrange(0, 7)))
            yield at
    for i in range(steps // 2):
        yield (count - steps // 3 + i) % count


def check(film: Film, path: Path, *, seeks: int, steps: int, megabytes: int) -> None:
    video = opened(path, megabytes=megabytes)
    try:
        assert len(video.table) == len(film.shown)
        asked = list(requests(len(video.table), seeks, steps, seed=len(film.name)))
        wrong = [(i, n) for i in asked if (n := shown_number(video, film, i)) != film.shown[i]]
        assert wrong == [], f"{len(wrong)} of {len(asked)} wrong: {wrong[:5]}"
    finally:
        video.close()


@every_film
def test_the_frame_asked_for_is_the_frame_shown(film: Film, made: Made) -> None:
    check(film, made(film), seeks=25, steps=20, megabytes=64)


@pytest.mark.slow
@every_film
def test_a_thousand_seeks_and_two_hundred_steps_back(film: Film, made: Made) -> None:
    check(film, made(film), seeks=1000, steps=200, megabytes=64)
    check(film, made(film), seeks=200, steps=60, megabytes=1)  # hardly anything can be held


@every_film
def test_times_are_those_that_were_encoded(film: Film, made: Made) -> None:
    video = opened(made(film))
    video.close()
    first = film.pts(film.first_shown) if film.first_shown else 0
    units = np.array([film.pts(i) - first for i in film.shown], np.int64)
    expected = ns_from_units(units, film.unit.numerator, film.unit.denominator)
    if film.exact_times:
        assert np.abs(video.table.times_ns - expected).max() <= 1
    else:  # the container moves or rounds the start; the steps stay
        assert np.abs(np.diff(video.table.times_ns) - np.diff(expected)).max() <= 12_000
    assert video.info.count == len(film.shown)
    assert video.info.span == video.table.span


@every_film
def test_what_is_shown_at_a_time_is_the_frame_presented_then(film: Film, made: Made) -> None:
    video = opened(made(film))
    try:
        times = video.table.times_ns
        assert video.item_at(int(times[0]) - 1) is None
        assert video.item_at(video.table.end_ns) is None
        for index in (0, 1, len(times) // 2, len(times) - 1):
            item = video.item_at(int(times[index]))
            assert item is not None
            assert (item.index, item.time_ns) == (index, int(times[index]))
            last = video.item_at(item.end_ns - 1)
            assert last is not None
            assert last.index == index
    finally:
        video.close()


@pytest.mark.parametrize("film", FILMS[:6] + FILMS[10:16], ids=lambda film: film.name)
def test_a_random_frame_has_the_same_pixels_as_when_read_in_order(film: Film, made: Made) -> None:
    straight, jumping = opened(made(film)), opened(made(film))
    try:
        order = [straight.picture(i).pixels for i in range(len(straight.table))]
        rnd = random.Random(5)
        for index in [rnd.randrange(len(order)) for _ in range(25)]:
            assert np.array_equal(jumping.picture(index).pixels, order[index]), index
    finally:
        straight.close()
        jumping.close()


def test_small_and_cropped_pictures_show_the_same_frame(made: Made) -> None:
    film = FILMS[1]
    video = opened(made(film))
    try:
        for index in (3, 77, 149):
            assert shown_number(video, film, index, View(width_px=120)) == index
            assert shown_number(video, film, index, View(height_px=100)) == index
    finally:
        video.close()
