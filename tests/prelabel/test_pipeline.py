"""The pipeline: every piece once, in order, whatever the model does on the way; bounded, and ended when asked."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.prelabel.api import Arrays, BadOutput, Prepared
from workstation.prelabel.onnx_read import Port
from workstation.prelabel.pipeline import Pipeline
from workstation.prelabel.worker import MemoryRanOut, Stopped, WorkerDied


class Doubling:
    """Answers twice what it is given."""

    def prepare(self, pieces: Sequence[int]) -> Prepared:
        return Prepared({"x": np.array(pieces, np.float32)}, len(pieces))

    def decode(self, outputs: Arrays, prepared: Prepared) -> list[float]:
        return [float(each) for each in outputs["y"]]


class Fake:
    """A model in this process; ``most`` pieces fit, and batches whose number is in ``dies`` end it."""

    def __init__(self, *, most: int = 1000, poison: frozenset[int] = frozenset(), first: int | str = "n") -> None:
        self.inputs: tuple[Port, ...] = (Port("x", "float32", (first,)),)
        self.sizes: list[int] = []
        self.closed = False
        self._most = most
        self._poison = poison
        self._waiting: deque[Arrays] = deque()

    @property
    def has_room(self) -> bool:
        return len(self._waiting) < 2

    resident_bytes = 0
    room_bytes = 0

    def submit(self, feeds: Arrays) -> None:
        assert self.has_room
        self._waiting.append(feeds)

    def answer(self) -> Arrays:
        values = self._waiting.popleft()["x"]
        self.sizes.append(len(values))
        if len(values) > self._most:
            raise MemoryRanOut("the model ran out of memory")
        if self._poison & {int(each) for each in values}:
            raise WorkerDied("the model's process was ended by signal 11")
        return {"y": values * 2}

    def close(self) -> None:
        self.closed = True


def results(pieces: Sequence[int], *engines: Fake | Any, batch: int = 4) -> list[tuple[int, float]]:
    starts = [each if callable(each) else (lambda each=each: each) for each in engines]
    with Pipeline(Doubling(), starts, batch=batch) as pipeline:
        return list(pipeline.run(enumerate(pieces)))


@given(count=st.integers(0, 40), batch=st.integers(1, 9), most=st.integers(1, 9))
def test_every_piece_comes_once_and_in_order_whatever_fits(count: int, batch: int, most: int) -> None:
    made: list[Fake] = []

    def start() -> Fake:
        made.append(Fake(most=most))
        return made[-1]

    assert results(range(count), start, batch=batch) == [(i, 2.0 * i) for i in range(count)]
    assert all(each.closed for each in made)
    assert max((size for each in made for size in each.sizes), default=0) <= batch


def test_the_batch_is_halved_until_it_fits_and_stays_so() -> None:
    made: list[Fake] = []

    def start() -> Fake:
        made.append(Fake(most=3))
        return made[-1]

    with Pipeline(Doubling(), [start], batch=8) as pipeline:
        assert len(list(pipeline.run(enumerate(range(60))))) == 60
        assert pipeline.account.batch == 2
        assert any("batches of 2" in note for note in pipeline.account.notes)
    assert all(size <= 2 for size in made[-1].sizes)


def test_where_not_even_one_fits_the_next_device_is_taken() -> None:
    assert results([5, 6], lambda: Fake(most=0), Fake()) == [(0, 10.0), (1, 12.0)]


def test_where_no_device_is_left_it_says_why() -> None:
    with pytest.raises(MemoryRanOut, match="ran out of memory"):
        results([5], lambda: Fake(most=0))


def test_one_death_is_forgiven_and_the_batch_done_again() -> None:
    deaths = [frozenset({3}), frozenset()]
    assert results(range(9), lambda: Fake(poison=deaths.pop(0))) == [(i, 2.0 * i) for i in range(9)]


def test_a_piece_that_always_kills_it_ends_the_job_with_what_was_found_before() -> None:
    found: list[tuple[int, float]] = []
    pipeline = Pipeline(Doubling(), [lambda: Fake(poison=frozenset({20}))], batch=2)
    with pipeline, pytest.raises(WorkerDied, match="signal 11"):
        found.extend(pipeline.run(enumerate(range(40))))
    assert found == [(i, 2.0 * i) for i in range(len(found))]
    assert 17 <= len(found) <= 20


def test_a_graph_of_one_picture_gets_one() -> None:
    engine = Fake(first=1)
    assert len(results(range(7), engine, batch=8)) == 7
    assert set(engine.sizes) == {1}


def test_what_the_reading_raises_comes_out_after_what_was_read() -> None:
    def pieces() -> Iterator[tuple[int, int]]:
        yield 0, 1
        yield 1, 2
        raise DataError("the film is damaged")

    found: list[tuple[int, float]] = []
    with Pipeline(Doubling(), [Fake], batch=1) as pipeline, pytest.raises(DataError, match="film is damaged"):
        found.extend(pipeline.run(pieces()))
    assert found == [(0, 2.0), (1, 4.0)]


def test_a_model_that_answers_fewer_results_than_pieces_is_refused() -> None:
    class Short(Doubling):
        def decode(self, outputs: Arrays, prepared: Prepared) -> list[float]:
            return []

    with Pipeline(Short(), [Fake], batch=2) as pipeline, pytest.raises(BadOutput, match="0 results for 1 pieces"):
        list(pipeline.run(enumerate(range(4))))


def test_it_reads_no_further_ahead_than_its_queues() -> None:
    read = 0
    most = 0

    def pieces() -> Iterator[tuple[int, int]]:
        nonlocal read
        for i in range(3000):
            read += 1
            yield i, i

    with Pipeline(Doubling(), [Fake], batch=4) as pipeline:
        for done, _ in enumerate(pipeline.run(pieces())):
            most = max(most, read - done)
    assert most < 60


def test_closing_in_the_middle_leaves_no_thread() -> None:
    before = threading.active_count()
    with Pipeline(Doubling(), [Fake], batch=2) as pipeline:
        run = pipeline.run(enumerate(range(10**9)))
        assert next(run) == (0, 0.0)
    assert threading.active_count() == before


def test_it_stops_when_asked() -> None:
    answers = iter([False] * 10)
    pipeline = Pipeline(Doubling(), [Fake], batch=2, cancelled=lambda: next(answers, True))
    with pipeline, pytest.raises(Stopped):
        deque(pipeline.run(enumerate(range(10**9))), maxlen=0)
