"""Previews: of the right frame always, around the cursor first, within the disk limit, whatever befalls the files."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from films import FILMS, Film, read_code
from hypothesis import given
from hypothesis import strategies as st

from workstation.media.base import Cancelled, CancelToken, OpenContext, Picture, Region, View
from workstation.media.cache import DiskCache
from workstation.media.prefetch import Delivery, Screen, VideoLoader, Worker
from workstation.media.proxy import ProxyFolder, VideoProxy, open_proxy
from workstation.media.proxy_plan import CHUNK_FRAMES, chunk_plan
from workstation.media.video import VideoFile, open_video

Made = Callable[[Film], Path]
WAIT_S = 20.0
LONG = Film(name="proxied.mp4", codec="libx264", options={"preset": "veryfast"}, gop=100, frames=240)
VIEW = View(width_px=96)


@contextmanager
def proxied(path: Path, folder: Path, *, limit: int = 1 << 30) -> Iterator[tuple[VideoFile, VideoProxy]]:
    proxies = ProxyFolder(folder / "proxies", limit)
    context = OpenContext(disk=DiskCache(folder / "cache"))
    video = open_video([path], {}, context)
    proxy = open_proxy(video, proxies, context)
    try:
        yield video, proxy
    finally:
        proxy.close()
        video.close()


def number_in(picture: Picture | None) -> int | None:
    return None if picture is None else read_code(picture.pixels)


@pytest.mark.parametrize("film", [FILMS[1], FILMS[2], FILMS[6], FILMS[9], FILMS[11], FILMS[20], FILMS[28]])
def test_every_preview_shows_the_frame_of_its_number(film: Film, made: Made, tmp_path: Path) -> None:
    with proxied(made(film), tmp_path) as (video, proxy):
        proxy.build(0, cancel=CancelToken())
        assert proxy.covered_frames() == (range(len(video.table)),)
        assert proxy.covered() == (video.table.span,)
        for index in range(len(video.table)):
            picture = proxy.picture(index, View())
            assert picture is not None
            assert picture.preview
            assert read_code(picture.pixels) == film.shown[index]
            assert (picture.width_px, picture.height_px) == (video.width_px, video.height_px)
        assert proxy.picture(len(video.table), View()) is None


def test_a_preview_looks_like_its_frame(made: Made, tmp_path: Path) -> None:
    with proxied(made(FILMS[25]), tmp_path) as (video, proxy):  # turned by 90°
        proxy.build(0, cancel=CancelToken())
        exact, small = video.picture(17), proxy.picture(17, View())
        assert small is not None
        assert small.pixels.shape == exact.pixels.shape
        assert np.abs(small.pixels.astype(int) - exact.pixels).mean() < 4
        part = proxy.picture(17, View(region=Region(10, 20, 74, 100)))
        assert part is not None
        cut = part.region
        assert (cut.left, cut.top, cut.right, cut.bottom) == (10, 20, 74, 100)
        assert np.array_equal(part.pixels, small.pixels[20:100, 10:74])


def test_the_group_at_the_cursor_comes_first_then_outward(made: Made, tmp_path: Path) -> None:
    with proxied(made(LONG), tmp_path) as (_, proxy):
        seen: list[tuple[range, ...]] = []
        while proxy.build_next(150, CancelToken()) is not None:
            seen.append(proxy.covered_frames())
        assert seen[0] == (range(100, 132),)
        assert seen[3] == (range(100, 200),)
        assert seen[4] == (range(100, 232),)  # as near on both sides: forwards
        assert seen[-1] == (range(240),)


def test_they_are_there_after_a_restart_and_under_another_name(made: Made, tmp_path: Path) -> None:
    path = made(FILMS[0])
    with proxied(path, tmp_path) as (_, proxy):
        proxy.build(0, cancel=CancelToken())
    moved = tmp_path / "moved.mp4"
    shutil.copy(path, moved)
    with proxied(moved, tmp_path) as (_, proxy):
        assert proxy.covered_frames() == (range(150),)
        assert number_in(proxy.picture(99, VIEW)) == 99
        assert proxy.build_next(0, CancelToken()) is None


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"", lambda raw: raw[:-9] + b"damage!!!"]
)
def test_a_damaged_chunk_is_not_shown_and_built_again(
    damage: Callable[[bytes], bytes], made: Made, tmp_path: Path
) -> None:
    path = made(FILMS[0])
    with proxied(path, tmp_path) as (_, proxy):
        proxy.build(0, cancel=CancelToken())
    for chunk in tmp_path.glob("proxies/proxy/*/*"):
        chunk.write_bytes(damage(chunk.read_bytes()))
    with proxied(path, tmp_path) as (_, proxy):
        assert [proxy.picture(index, VIEW) for index in range(150)] == [None] * 150
        assert proxy.covered_frames() == ()
        proxy.build(0, cancel=CancelToken())
        assert [number_in(proxy.picture(index, VIEW)) for index in range(150)] == list(range(150))


def test_a_chunk_under_a_wrong_name_is_not_believed(made: Made, tmp_path: Path) -> None:
    with proxied(made(LONG), tmp_path) as (_, proxy):
        proxy.build(0, cancel=CancelToken())
        for chunk in range(2):  # as long as each other: only what is inside tells them apart
            keys = [proxy._key(chunk), proxy._key(chunk + 4)]
            names = [next(tmp_path.glob(f"proxies/proxy/*/{key}.*")) for key in keys]
            contents = [name.read_bytes() for name in names]
            for name, content in zip(names, contents[::-1], strict=True):
                name.write_bytes(content)
    with proxied(made(LONG), tmp_path) as (_, proxy):
        shown = [number_in(proxy.picture(index, VIEW)) for index in range(240)]
        assert [index for index, number in enumerate(shown) if number not in (None, index)] == []
        assert shown.count(None) == 4 * CHUNK_FRAMES


def test_the_folder_may_vanish_while_it_is_used(made: Made, tmp_path: Path) -> None:
    with proxied(made(FILMS[0]), tmp_path) as (video, proxy):
        proxy.build(0, cancel=CancelToken())
        shutil.rmtree(tmp_path / "proxies")
        video.share.discard(lambda key: True)
        assert proxy.picture(3, VIEW) is None
        assert number_in(video.picture(3)) == 3


def test_the_disk_limit_holds_and_films_share_it(made: Made, tmp_path: Path) -> None:
    limit = 600_000
    proxies = ProxyFolder(tmp_path / "proxies", limit)
    context = OpenContext(disk=DiskCache(tmp_path / "cache"))
    videos = [open_video([made(film)], {}, context) for film in (FILMS[0], LONG)]
    opened = [open_proxy(video, proxies, context) for video in videos]
    try:
        for cursor in (0, 140, 70):
            for proxy in opened:
                proxy.build(cursor, cancel=CancelToken())  # ends, though not everything fits
                files = [path for path in (tmp_path / "proxies").rglob("*") if path.is_file()]
                assert sum(path.stat().st_size for path in files) <= limit
                assert number_in(proxy.picture(cursor, VIEW)) == cursor
        assert 0 < sum(map(len, opened[1].covered_frames())) < 240
    finally:
        for proxy, video in zip(opened, videos, strict=True):
            proxy.close()
            video.close()


class _After(CancelToken):
    """Cancels at the n-th question."""

    __slots__ = ("_left",)

    def __init__(self, left: int) -> None:
        super().__init__()
        self._left = left

    def check(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Cancelled


def test_an_interrupted_build_goes_on_where_it_stopped(made: Made, tmp_path: Path) -> None:
    with proxied(made(LONG), tmp_path) as (_, proxy):
        interruptions = decoded = 0
        while True:
            try:
                if proxy.build_next(0, _After(11)) is None:
                    break
            except Cancelled:
                interruptions += 1
            assert proxy._decoder is not None
            decoded = proxy._decoder.packets_decoded
        assert interruptions > 8
        assert decoded < 2 * LONG.frames
        assert [number_in(proxy.picture(index, VIEW)) for index in range(240)] == list(range(240))


def test_a_worker_builds_in_spare_time_and_shows_previews_before_exact_frames(made: Made, tmp_path: Path) -> None:
    got: list[Delivery[Picture]] = []
    changed = threading.Condition()

    def deliver(delivery: Delivery[Picture]) -> None:
        with changed:
            got.append(delivery)
            changed.notify_all()

    def built() -> None:
        with changed:
            changed.notify_all()

    with proxied(made(LONG), tmp_path) as (video, proxy):
        proxy._changed = built
        worker = Worker("proxied", VideoLoader(video, previews=proxy), deliver)
        try:
            worker.show(150, VIEW)
            with changed:
                assert changed.wait_for(lambda: proxy.covered_frames() == (range(240),), WAIT_S)
            video.share.discard(lambda key: not (isinstance(key, tuple) and key[0] == "proxy"))
            request = worker.show(20, VIEW)
            with changed:
                assert changed.wait_for(lambda: got[-1].request == request and not got[-1].preview, WAIT_S)
            answers = [d for d in got if d.request == request]
            assert [d.preview for d in answers] == [True, False]
            assert [d.value is not None and d.value.preview for d in answers] == [True, False]
            assert [number_in(d.value) for d in answers] == [20, 20]
            screen = Screen()
            assert [screen.accepts(d.request, preview=d.preview) for d in answers] == [True, True]
        finally:
            worker.close()


@given(st.lists(st.integers(0, 2000), max_size=40), st.integers(1, 2000), st.data())
def test_chunks_cover_every_frame_once_and_short_ones_only_where_groups_end(
    groups: list[int], count: int, data: st.DataObject
) -> None:
    plan = chunk_plan(groups, count)
    frames = [frame for chunk in range(len(plan.starts)) for frame in plan.frames_of(chunk)]
    assert frames == list(range(count))
    assert [c for first, end in plan.runs for c in range(first, end)] == list(range(len(plan.starts)))
    assert all(len(plan.frames_of(chunk)) <= CHUNK_FRAMES for chunk in range(len(plan.starts)))
    cursor = data.draw(st.integers(0, count - 1))
    present: set[int] = set()
    while (chunk := plan.next_chunk(cursor, present.__contains__, most_frames=count + 1)) is not None:
        present.add(chunk)
    assert plan.covered(present.__contains__) == (range(count),)
    few = {plan.next_chunk(cursor, set().__contains__, most_frames=1)}
    assert few == {next(first for first, _ in plan.runs_from(cursor))}
    assert plan.chunk_of(cursor) in range(len(plan.starts))
    assert cursor in plan.frames_of(plan.chunk_of(cursor))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted where the system tells them")
def test_only_the_film_whose_turn_it_is_keeps_a_decoder_for_its_previews(made: Made, tmp_path: Path) -> None:
    def open_files() -> int:
        return sum(path.resolve() == made(LONG).resolve() for path in Path("/proc/self/fd").iterdir())

    proxies = ProxyFolder(tmp_path / "proxies", 1 << 30)
    context = OpenContext(disk=DiskCache(tmp_path / "cache"))
    videos = [open_video([made(LONG)], {}, context) for _ in range(2)]
    first, second = (VideoProxy(video, letter * 64, proxies) for video, letter in zip(videos, "ab", strict=True))
    before = open_files()
    assert first.build_next(40, CancelToken()) == 0.0
    assert open_files() == before + 1
    assert second.build_next(40, CancelToken()) == 0.0
    assert open_files() == before + 1
    first.build(0, cancel=CancelToken())
    assert open_files() == before
    assert [number_in(first.picture(index, View())) for index in range(0, 240, 7)] == list(range(0, 240, 7))
    for each in (first, second, *videos):
        each.close()
