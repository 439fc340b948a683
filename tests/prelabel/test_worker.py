"""A model in a process of its own: answers come back, and whatever it does wrong is a sentence and no more."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from tests.tiny_graphs import bright_box, expanding, logarithm
from workstation.prelabel import frames
from workstation.prelabel.api import BadOutput
from workstation.prelabel.worker import Limits, MemoryRanOut, Stopped, Worker, WorkerDied, WorkerFailed, offered

pytestmark = pytest.mark.slow
SHARED = Path("/dev/shm")


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(data)
    return path


def ours() -> set[str]:
    return {path.name for path in SHARED.glob(f"wsinfer-{os.getpid()}-*")} if SHARED.is_dir() else set()


@pytest.fixture(autouse=True)
def no_shared_memory_is_left() -> object:
    before = ours()
    yield
    assert ours() == before


def test_answers_come_in_order_with_two_batches_under_way(tmp_path: Path) -> None:
    pictures = [np.full((2, 3, 8, 8), value, np.float32) for value in range(6)]
    with Worker(saved(tmp_path, bright_box())) as worker:
        assert worker.providers[0] == "CPUExecutionProvider"
        assert [port.shape for port in worker.inputs] == [("n", 3, "h", "w")]
        got = []
        for picture in pictures:
            if not worker.has_room:
                got.append(worker.answer())
            worker.submit({"x": picture})
        got += [worker.answer(), worker.answer()]
        assert [float(each["columns"].max()) for each in got] == [0, 1, 2, 3, 4, 5]
        assert got[0]["rows"].shape == (2, 8)
        large = np.zeros((4, 3, 600, 700), np.float32)
        large[3, 1, 599, 3] = 9
        assert worker.run({"x": large})["columns"][3, 3] == 9


def test_answers_larger_than_the_room_come_whole(tmp_path: Path) -> None:
    with Worker(saved(tmp_path, expanding(3_000_000))) as worker:
        worker.submit({"x": np.array([1.0], np.float32)})
        worker.submit({"x": np.array([2.0], np.float32)})
        first, second = worker.answer()["y"], worker.answer()["y"]
        assert first.shape == second.shape == (3_000_000,)
        assert first.min() == first.max() == 1
        assert second.min() == second.max() == 2


def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    with Worker(saved(tmp_path, logarithm())) as worker:
        with pytest.raises(BadOutput, match="'y' holds values that are not a number"):
            worker.run({"x": np.array([-1.0], np.float32)})
        with pytest.raises(BadOutput, match="'y' holds infinite values"):
            worker.run({"x": np.array([0.0], np.float32)})
        assert worker.run({"x": np.array([1.0], np.float32)})["y"] == [0.0]


def test_wrong_shapes_and_names_are_said_and_it_goes_on(tmp_path: Path) -> None:
    with Worker(saved(tmp_path, bright_box())) as worker:
        with pytest.raises(WorkerFailed, match="the model was refused"):
            worker.run({"x": np.zeros((1, 4, 8, 8), np.float32)})
        with pytest.raises(WorkerFailed, match="the model was refused"):
            worker.run({"strange": np.zeros((1, 3, 8, 8), np.float32)})
        assert worker.run({"x": np.ones((1, 3, 8, 8), np.float32)})["rows"].max() == 1


@pytest.mark.parametrize("data", [b"", b"hello", b"\x00" * 5000, bright_box()[:-40]])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(WorkerFailed, match=r"model\.onnx"):
        Worker(saved(tmp_path, data))


def test_one_that_allocates_without_end_is_stopped(tmp_path: Path) -> None:
    worker = Worker(saved(tmp_path, expanding(10**12)), limits=Limits(memory_bytes=1 << 30))
    with worker, pytest.raises(MemoryRanOut, match="ran out of memory"):
        worker.run({"x": np.ones(1, np.float32)})


def test_one_whose_answer_is_too_large_is_stopped(tmp_path: Path) -> None:
    worker = Worker(saved(tmp_path, expanding(3_000_000)), limits=Limits(answer_bytes=1 << 20))
    with worker, pytest.raises(MemoryRanOut, match="more than the limit"):
        worker.run({"x": np.ones(1, np.float32)})


def test_one_that_dies_says_how(tmp_path: Path) -> None:
    with Worker(saved(tmp_path, bright_box())) as worker:
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerDied, match="ended by signal 9"):
            worker.run({"x": np.zeros((1, 3, 8, 8), np.float32)})


def test_one_that_hangs_is_ended(tmp_path: Path) -> None:
    with Worker(saved(tmp_path, bright_box()), limits=Limits(run_s=0.2)) as worker:
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGSTOP)
        with pytest.raises(WorkerDied, match="no answer within"):
            worker.run({"x": np.zeros((1, 3, 8, 8), np.float32)})


def test_nobody_waits_for_one_that_is_not_wanted_any_more(tmp_path: Path) -> None:
    wanted = [True]
    with Worker(saved(tmp_path, bright_box()), cancelled=lambda: not wanted[0]) as worker:
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGSTOP)
        wanted[0] = False
        with pytest.raises(Stopped):
            worker.run({"x": np.zeros((1, 3, 8, 8), np.float32)})


def test_what_the_runtime_offers_is_asked_without_loading_it_here() -> None:
    said = offered()
    assert "CPUExecutionProvider" in said.providers


def test_blocks_of_dead_owners_are_swept_away(tmp_path: Path) -> None:
    (tmp_path / "wsinfer-4194305-abc0").write_bytes(b"x")
    (tmp_path / f"wsinfer-{os.getpid()}-abc0").write_bytes(b"x")
    (tmp_path / "somebody-elses").write_bytes(b"x")
    frames.sweep(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f"wsinfer-{os.getpid()}-abc0", "somebody-elses"}
