"""Background work: results and failures come back to the owner, progress is told, cancelled work calls nobody."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from workstation.app.jobs import Job, Jobs, JobState
from workstation.core.errors import UserError


class Owner:
    """A thread that takes in what is posted, by hand."""

    def __init__(self) -> None:
        self.posted: queue.Queue[tuple[Callable[[Any], None], object]] = queue.Queue()
        self.jobs = Jobs(self.post)
        self.heard: list[tuple[str, JobState, float | None]] = []
        self.got: list[tuple[object, str]] = []
        self.jobs.changed.connect(self.hear)

    def post(self, receive: Callable[[Any], None], value: object) -> None:
        self.posted.put((receive, value))

    def hear(self, job: Job) -> None:
        self.heard.append((job.title, job.state, job.share))

    def take(self, value: object) -> None:
        self.got.append((value, threading.current_thread().name))

    def drain_until_idle(self) -> None:
        while self.jobs.running():
            receive, value = self.posted.get(timeout=10)
            receive(value)


@pytest.fixture
def owner() -> Iterator[Owner]:
    made = Owner()
    yield made
    made.jobs.close()


def test_the_result_comes_back_on_the_owners_thread(owner: Owner) -> None:
    def work(job: Job) -> str:
        for done in range(1, 5):
            job.report(done, 4)
        return threading.current_thread().name

    owner.jobs.start("Count", work, done=owner.take)
    owner.drain_until_idle()
    ((worker, here),) = owner.got
    assert here == threading.current_thread().name != worker
    assert owner.heard[0] == ("Count", JobState.RUNNING, None) or owner.heard[0][1] is JobState.RUNNING
    assert owner.heard[-1] == ("Count", JobState.DONE, 1.0)


def test_a_refusal_is_a_sentence_and_no_log(owner: Owner) -> None:
    def work(_job: Job) -> None:
        raise UserError("the disk is full")

    owner.jobs.start("Copy", work, done=owner.take, failed=owner.take)
    owner.drain_until_idle()
    assert [value for value, _ in owner.got] == ["the disk is full"]
    assert owner.heard[-1][1] is JobState.FAILED


@pytest.mark.expect_log("ERROR workstation.app.jobs: the job Divide failed")
def test_a_bug_is_logged_and_said(owner: Owner) -> None:
    def work(_job: Job) -> float:
        return 1 / 0

    owner.jobs.start("Divide", work, done=owner.take, failed=owner.take)
    owner.drain_until_idle()
    assert "ZeroDivisionError" in str(owner.got[0][0])


def test_a_cancelled_job_calls_nobody_back(owner: Owner) -> None:
    started = threading.Event()
    cancelled = threading.Event()

    def work(job: Job) -> None:
        started.set()
        assert cancelled.wait(10)
        job.report(1, 2)
        pytest.fail("went on after it was cancelled")

    job = owner.jobs.start("Long", work, done=owner.take, failed=owner.take)
    assert started.wait(10)
    job.cancel()
    cancelled.set()
    owner.drain_until_idle()
    assert owner.got == []
    assert job.state is JobState.CANCELLED


def test_work_that_takes_a_token_ends_where_it_looks_at_it(owner: Owner) -> None:
    started = threading.Event()

    def work(job: Job) -> None:
        started.set()
        for _ in job.stop.over(itertools.count()):
            pass

    job = owner.jobs.start("Long", work, done=owner.take, failed=owner.take)
    assert started.wait(10)
    job.cancel()
    owner.drain_until_idle()
    assert owner.got == []
    assert job.state is JobState.CANCELLED


def test_a_result_that_comes_after_the_cancel_is_dropped(owner: Owner) -> None:
    job = owner.jobs.start("Short", lambda _job: 7, done=owner.take)
    receive, value = owner.posted.get(timeout=10)
    job.cancel()  # between the work's end and its arrival here
    receive(value)
    assert owner.got == []
    assert owner.jobs.running() == []


def test_a_hundred_thousand_reports_tell_a_hundred_times(owner: Owner) -> None:
    def work(job: Job) -> None:
        for done in range(100_000):
            job.report(done, 100_000)

    owner.jobs.start("Many", work)
    owner.drain_until_idle()
    assert 100 <= len(owner.heard) <= 103
