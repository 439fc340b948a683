"""Workers: newest first, what is held at once, reading ahead where the requests go, errors as values, a clean end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from films import FILMS, Film, read_code

from workstation.core.errors import DataError
from workstation.media.base import CancelToken, OpenContext, Picture, View
from workstation.media.cache import MemoryCache
from workstation.media.prefetch import Delivery, Request, Screen, Together, VideoLoader, Worker
from workstation.media.video import VideoFile, open_video

Made = Callable[[Film], Path]
WAIT_S = 20.0


class Inbox:
    """What was delivered, and a way to wait for it."""

    def __init__(self) -> None:
        self.got: list[Delivery[object]] = []
        self._changed = threading.Condition()

    def __call__(self, delivery: Delivery[object]) -> None:
        with self._changed:
            self.got.append(delivery)
            self._changed.notify_all()

    def wait_for(self, request: Request) -> Delivery[object]:
        with self._changed:
            assert self._changed.wait_for(lambda: any(d.request == request for d in self.got), WAIT_S)
            return next(d for d in self.got if d.request == request)

    @property
    def indices(self) -> list[int]:
        return [delivery.request.index for delivery in self.got]


class Slow:
    """A stream whose items come when the test lets them; asks its token while it works, as a decoder does."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may_go_on = threading.Semaphore(0)
        self.kept: set[int] = set()
        self.sketched: set[int] = set()
        self.built = 0
        self.all_built = threading.Event()
        self.loaded: list[int] = []
        self.read: list[tuple[int, int]] = []
        self.broken: set[int] = set()
        self.ahead = 8

    def load(self, index: int, view: View, cancel: CancelToken) -> int:
        self.begun.release()
        assert self.may_go_on.acquire(timeout=WAIT_S)
        cancel.check()
        if index in self.broken:
            raise DataError("this item is damaged", path="slow", place=f"item {index}")
        self.loaded.append(index)
        return index

    def at_once(self, index: int, view: View) -> int | None:
        return index if index in self.kept else None

    def preview(self, index: int, view: View) -> int | None:
        return -index if index in self.sketched else None

    def read_ahead(self, index: int, direction: int, count: int, view: View, cancel: CancelToken) -> None:
        self.read.append((index, direction, count))
        cancel.check()

    def spare(self, index: int, cancel: CancelToken) -> float | None:
        cancel.check()
        self.built += 1
        if self.built == 3:
            self.all_built.set()
        return 0.0 if self.built < 3 else None


@contextmanager
def working(loader: Slow, together: Together | None = None) -> Iterator[tuple[Worker[int], Inbox]]:
    inbox = Inbox()
    worker = Worker("test", loader, inbox, together=together)
    try:
        yield worker, inbox
    finally:
        for _ in range(50):
            loader.may_go_on.release()
        worker.close()


def test_requests_that_were_not_begun_give_way_to_the_newest() -> None:
    loader = Slow()
    with working(loader) as (worker, inbox):
        worker.show(1)
        assert loader.begun.acquire(timeout=WAIT_S)
        for index in range(2, 100):
            last = worker.show(index)
        for _ in range(2):
            loader.may_go_on.release()
        inbox.wait_for(last)
        assert inbox.indices == [1, 99]  # the one that was begun is shown on the way


def test_what_is_held_is_answered_while_something_else_is_decoded() -> None:
    loader = Slow()
    loader.kept = {7}
    with working(loader) as (worker, inbox):
        worker.show(1)
        assert loader.begun.acquire(timeout=WAIT_S)
        inbox.wait_for(worker.show(7))
        loader.may_go_on.release()
        assert worker.wait_idle(WAIT_S)
        assert inbox.indices == [7]  # the older one, not finished yet, is no longer wanted


def test_errors_arrive_as_values_and_the_worker_lives_on() -> None:
    loader = Slow()
    loader.broken = {3}
    with working(loader) as (worker, inbox):
        for _ in range(2):
            loader.may_go_on.release()
        failed = inbox.wait_for(worker.show(3))
        assert failed.value is None
        assert str(failed.error) == "slow, item 3: this item is damaged"
        assert inbox.wait_for(worker.show(4)).value == 4


def test_reading_ahead_goes_where_the_requests_go_and_then_the_other_way() -> None:
    loader = Slow()
    loader.kept = set(range(1000))
    with working(loader) as (worker, inbox):
        for index in (500, 501, 500, 900):
            inbox.wait_for(worker.show(index))
            assert worker.wait_idle(WAIT_S)
        # A jump reads a little forwards, then back, where the next frame costs a whole group, then on.
        assert loader.read == [
            *[(501, 1, 2), (499, -1, 8), (501, 1, 8)],
            *[(502, 1, 8), (500, -1, 8)],
            *[(499, -1, 8), (501, 1, 8)],
            *[(901, 1, 2), (899, -1, 8), (901, 1, 8)],
        ]


def test_a_preview_comes_first_and_the_exact_item_follows_under_the_same_number() -> None:
    loader = Slow()
    loader.sketched = {5}
    with working(loader) as (worker, inbox):
        request = worker.show(5)
        first = inbox.wait_for(request)
        assert (first.value, first.preview) == (-5, True)
        assert loader.begun.acquire(timeout=WAIT_S)
        loader.may_go_on.release()
        assert worker.wait_idle(WAIT_S)
        assert [(d.value, d.preview) for d in inbox.got] == [(-5, True), (5, False)]
        screen = Screen()
        assert [screen.accepts(d.request, preview=d.preview) for d in inbox.got] == [True, True]
        assert not screen.accepts(request, preview=True)  # never back to the small one


def test_work_for_what_a_newer_preview_has_replaced_is_given_up() -> None:
    loader = Slow()
    loader.sketched = {7}
    with working(loader) as (worker, inbox):
        worker.show(1)
        assert loader.begun.acquire(timeout=WAIT_S)
        newer = worker.show(7)
        assert inbox.wait_for(newer).preview
        for _ in range(2):
            loader.may_go_on.release()
        assert worker.wait_idle(WAIT_S)
        assert [d.value for d in inbox.got] == [-7, 7]
        assert loader.loaded == [7]


def test_spare_time_is_used_until_there_is_nothing_more_to_do() -> None:
    loader = Slow()
    loader.kept = {1}
    with working(loader) as (worker, inbox):
        inbox.wait_for(worker.show(1))
        assert loader.all_built.wait(WAIT_S)
    assert loader.built == 3


def test_an_older_picture_never_replaces_a_newer_one() -> None:
    screen = Screen()
    requests = [Request(number, 10 * number, View()) for number in range(1, 6)]
    painted = [
        request.number
        for request in (requests[1], requests[0], requests[3], requests[3], requests[4])
        if screen.accepts(request)
    ]
    assert painted == [2, 4, 5]


def test_closing_ends_the_thread_even_in_the_middle_of_work() -> None:
    loader = Slow()
    inbox = Inbox()
    worker = Worker("closing", loader, inbox)
    worker.show(1)
    assert loader.begun.acquire(timeout=WAIT_S)
    ending = threading.Thread(target=worker.close)
    ending.start()
    loader.may_go_on.release()
    ending.join(WAIT_S)
    assert not ending.is_alive()
    assert "stream closing" not in {thread.name for thread in threading.enumerate()}
    worker.close()
    assert inbox.got == [] or inbox.indices == [1]


@contextmanager
def film_worker(path: Path, memory: MemoryCache) -> Iterator[tuple[VideoFile, Worker[Picture], Inbox]]:
    video = open_video([path], {}, OpenContext(memory=memory))
    inbox = Inbox()
    worker = Worker(path.name, VideoLoader(video), inbox)
    try:
        yield video, worker, inbox
    finally:
        worker.close()
        video.close()


def number_in(delivery: Delivery[object]) -> int | None:
    assert isinstance(delivery.value, Picture), delivery.error
    return read_code(delivery.value.pixels)


def test_every_picture_of_a_drag_is_the_one_of_its_request(made: Made) -> None:
    film = FILMS[1]
    with film_worker(made(film), MemoryCache(64 << 20)) as (_, worker, inbox):
        for index in [*range(100, 20, -3), *range(20, 149, 5), 3, 149, 70]:
            last = worker.show(index)
        inbox.wait_for(last)
        assert [number_in(delivery) for delivery in inbox.got] == inbox.indices
        screen = Screen()
        assert [d.request.number for d in inbox.got if screen.accepts(d.request)][-1] == last.number


def test_stepping_back_decodes_each_group_about_once(made: Made) -> None:
    film = Film(name="long_group.mp4", codec="libx264", options={"preset": "veryfast"}, gop=250, frames=240)
    with film_worker(made(film), MemoryCache(256 << 20)) as (video, worker, inbox):
        for index in range(230, 110, -1):
            assert number_in(inbox.wait_for(worker.show(index))) == index
            assert worker.wait_idle(WAIT_S)
        # 120 steps, each from the same key frame: one after the other would decode 120 × 170 packets.
        assert video._decoders.packets_decoded < 120 * 170 / 15


def test_what_comes_next_is_already_there(made: Made) -> None:
    film = FILMS[0]
    with film_worker(made(film), MemoryCache(64 << 20)) as (video, worker, inbox):
        inbox.wait_for(worker.show(10))
        assert worker.wait_idle(WAIT_S)
        assert all(video.held(index) for index in range(10, 60))
        before = video._decoders.packets_decoded
        for index in range(11, 40):
            assert number_in(inbox.wait_for(worker.show(index))) == index
        assert worker.wait_idle(WAIT_S)
        assert video._decoders.packets_decoded - before <= 200


@pytest.mark.slow
def test_twelve_streams_stay_within_one_limit(made: Made) -> None:
    memory = MemoryCache(8 << 20)
    with film_worker(made(FILMS[0]), memory) as (_, _, _):
        videos = [open_video([made(FILMS[i % 3])], {}, OpenContext(memory=memory)) for i in range(12)]
        inboxes = [Inbox() for _ in videos]
        workers = [Worker(f"camera {i}", VideoLoader(v), inboxes[i]) for i, v in enumerate(videos)]
        try:
            for index in (*range(0, 150, 13), *range(149, 0, -7)):
                asked = [worker.show(index) for worker in workers]
                for inbox, request in zip(inboxes, asked, strict=True):
                    assert number_in(inbox.wait_for(request)) == index
                assert memory.used_bytes <= memory.limit_bytes
        finally:
            for worker, video in zip(workers, videos, strict=True):
                worker.close()
                video.close()


def test_a_damaged_frame_is_an_answer_too(made: Made) -> None:
    with film_worker(made(FILMS[0]), MemoryCache(64 << 20)) as (_, worker, inbox):
        failed = inbox.wait_for(worker.show(4000))
        assert isinstance(failed.error, IndexError)
        assert number_in(inbox.wait_for(worker.show(5))) == 5


@pytest.mark.slow
def test_opening_and_closing_two_hundred_and_fifty_times_leaves_nothing_behind(made: Made) -> None:
    import resource

    memory = MemoryCache(16 << 20)
    sizes = []
    for round_number in range(250):
        with film_worker(made(FILMS[round_number % 6]), memory) as (_, worker, inbox):
            assert inbox.wait_for(worker.show(60)).error is None
        if round_number % 50 == 49:
            sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert memory.used_bytes == 0
    assert sizes[-1] - sizes[0] < 15_000  # kilobytes


def test_a_camera_that_has_its_picture_after_a_jump_leaves_the_cores_to_those_that_have_not() -> None:
    together, quick, slow = Together(patience_s=WAIT_S), Slow(), Slow()
    with working(quick, together) as (first, shown), working(slow, together) as (second, late):
        wanted = second.show(500)
        assert slow.begun.acquire(timeout=WAIT_S)
        quick.may_go_on.release()
        shown.wait_for(first.show(500))
        assert not first.wait_idle(0.2)
        assert quick.read == []
        slow.may_go_on.release()
        late.wait_for(wanted)
        assert first.wait_idle(WAIT_S)
        assert quick.read


def test_a_camera_that_waits_for_others_goes_on_when_it_is_asked_again() -> None:
    together, quick, slow = Together(patience_s=WAIT_S), Slow(), Slow()
    with working(quick, together) as (first, shown), working(slow, together) as (second, _):
        second.show(500)
        assert slow.begun.acquire(timeout=WAIT_S)
        quick.may_go_on.release()
        shown.wait_for(first.show(500))
        quick.may_go_on.release()
        shown.wait_for(first.show(501))  # a step, not a jump: what comes next is read at once
        assert first.wait_idle(WAIT_S)
        assert (502, 1) in [stretch[:2] for stretch in quick.read]
