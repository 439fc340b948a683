"""Proving devices: believed only when the model really runs there and answers as the processor does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workstation.core.errors import UserError
from workstation.prelabel.onnx_read import Port
from workstation.prelabel.providers import (
    Machine,
    Trial,
    Verdict,
    Verdicts,
    candidates,
    known_devices,
    made_up,
    prove,
    reason_in_words,
)
from workstation.prelabel.worker import CPU, WorkerDied, WorkerFailed

CUDA, DML = "CUDAExecutionProvider", "DmlExecutionProvider"
BOTH = Machine(runtime="1.0", offered=("TensorrtExecutionProvider", CUDA, CPU))
TRIAL = Trial(path=Path("m.onnx"), weights_sha256="ab", max_abs_diff=0.01)


class Session:
    """A model that adds ``error`` to what it should answer."""

    inputs = (Port("x", "float32", (1, 4)),)
    log = ""

    def __init__(self, provider: str, error: float) -> None:
        self.providers = (provider,)
        self._error = error

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def run(self, feeds: dict[str, Any]) -> dict[str, Any]:
        return {"y": feeds["x"] + self._error}


def starting(real: dict[str, str | float | Exception]) -> Callable[..., Any]:
    """By the provider asked for: another that comes instead, an error of the answer, or why it fails."""

    def start(path: Path, *, provider: str, **_: object) -> Session:
        found = real.get(provider, 0.0)
        if isinstance(found, Exception):
            raise found
        return Session(found, 0.0) if isinstance(found, str) else Session(provider, found)

    return start


def test_the_order_is_fixed_and_ends_with_the_processor() -> None:
    offered = (CPU, "CoreMLExecutionProvider", DML, "plugin:onnxruntime-ep-webgpu", CUDA, "TensorrtExecutionProvider")
    assert candidates(offered) == (CUDA, "plugin:onnxruntime-ep-webgpu", DML, "CoreMLExecutionProvider", CPU)
    assert candidates(offered, ("cpu",)) == (CPU,)
    assert candidates((CPU,), ("cuda",)) == (CUDA, CPU)
    assert candidates(("AzureExecutionProvider", CPU)) == (CPU,)


def test_a_name_that_means_no_device_is_refused_with_those_that_do() -> None:
    known_devices(("cuda", "WebGPU", "cpu", "XnnpackExecutionProvider"), (CPU,))
    with pytest.raises(UserError, match="no device 'graphics'; say one of cuda, .*cpu"):
        known_devices(("graphics",), (CPU,))


def test_a_device_that_answers_alike_is_taken() -> None:
    found = prove(TRIAL, BOTH, start=starting({CUDA: 0.001}))
    assert found.provider == CUDA
    assert found.words.startswith("CUDA, ")
    assert found.attempts[-1].difference == pytest.approx(0.001, rel=0.01)


@pytest.mark.parametrize(
    ("real", "why"),
    [
        (0.5, "CUDA answers differently: 0.5 where 0.01 is allowed"),
        (CPU, "CUDA was asked for and CPU came"),
        (
            WorkerDied("it died", "Failed to load libcudnn.so.9: cannot open shared object file"),
            "cuDNN 9 was not found",
        ),
        (WorkerDied("the model's process was ended by signal 11"), "ended by signal 11"),
    ],
)
def test_one_that_does_not_hold_is_passed_over_with_the_reason(real: Any, why: str) -> None:
    found = prove(TRIAL, BOTH, start=starting({CUDA: real}))
    assert found.provider == CPU
    assert why in found.words
    assert found.words.startswith("CPU, ")


def test_a_pinned_device_that_is_not_there_is_said() -> None:
    found = prove(TRIAL, Machine(runtime="1", offered=(CPU,)), pinned=("cuda",), start=starting({}))
    assert "because CUDA is not part of the installed runtime" in found.words


def test_what_does_not_even_run_on_the_processor_is_refused() -> None:
    with pytest.raises(WorkerFailed, match="nonsense"):
        prove(TRIAL, BOTH, start=starting({CPU: WorkerFailed("nonsense"), CUDA: WorkerFailed("x")}))


REFUSED = (
    "2026-11-22 [E:onnxruntime:Default, provider_bridge_ort.cc:2458 operator()] ProviderLibrary::Get() "
    "[ONNXRuntimeError] : 1 : FAIL : Failed to load library capi/libonnxruntime_providers_cuda.so with error: {}: "
    "cannot open shared object file: No such file or directory\n"
    "[W:onnxruntime:Default, CreateExecutionProviderFactoryInstance] Failed to create CUDAExecutionProvider. Require "
    "cuDNN 9.* and CUDA 13.*. Please install all dependencies as mentioned in the GPU requirements page"
)
"""What onnxruntime-gpu 1.31 said where a library was lacking: the sentence behind it names cuDNN, whatever lacks."""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Error loading cublas64_12.dll which is missing", "cuBLAS 12 was not found"),
        (REFUSED.format("libcublasLt.so.13"), "cuBLAS 13 was not found"),
        (REFUSED.format("libcudnn.so.9"), "cuDNN 9 was not found"),
        (REFUSED.format("libcuda.so.1"), "no NVIDIA driver was found"),
        ("Failed to load cufft64_11.dll: no such file", "cuFFT 11 was not found"),
        (REFUSED.splitlines()[1], "CUDA 13 or cuDNN 9 was not found"),
        ("CUDA failure 100: no CUDA-capable device is detected", "no NVIDIA GPU was found"),
        ("CUDA driver version is insufficient for CUDA runtime", "the graphics driver is too old for this CUDA"),
    ],
)
def test_drivers_are_put_into_words(said: str, words: str) -> None:
    assert reason_in_words(WorkerDied("x", said)) == words


def test_verdicts_are_remembered_for_one_machine(tmp_path: Path) -> None:
    kept = Verdicts(tmp_path / "deep" / "verdicts.json")
    assert kept.get("ab", BOTH) is None
    verdict = Verdict(provider=CUDA, milliseconds=3.1, attempts=())
    kept.keep("ab", BOTH, verdict)
    found = Verdicts(tmp_path / "deep" / "verdicts.json").get("ab", BOTH)
    assert found is not None
    assert (found.provider, found.remembered, found.words) == (CUDA, True, "CUDA, 3.1 ms")
    assert kept.get("ab", Machine(runtime="2.0", offered=BOTH.offered)) is None
    assert kept.get("ab", Machine(runtime="1.0", offered=BOTH.offered, driver="570.1")) is None
    assert kept.get("cd", BOTH) is None
    assert kept.get("ab", BOTH, ("cpu",)) is None


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"[]", b'{"a": 3}'])
def test_a_damaged_memory_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "verdicts.json"
    path.write_bytes(damage)
    kept = Verdicts(path)
    assert kept.get("ab", BOTH) is None
    kept.keep("ab", BOTH, Verdict(provider=CPU, milliseconds=1.0, attempts=()))
    assert kept.get("ab", BOTH) is not None


def test_made_up_batches_have_the_shape_and_are_always_the_same() -> None:
    ports = (Port("x", "float32", ("n", 3, "w")), Port("ids", "int64", (2,)), Port("m", "bool", ("n",)))
    one, other = made_up(ports, {"w": 7}, batch=2), made_up(ports, {"w": 7}, batch=2)
    assert one["x"].shape == (2, 3, 7)
    assert one["m"].dtype == np.bool_
    assert all(np.array_equal(one[name], other[name]) for name in one)
    with pytest.raises(WorkerFailed, match="takes str"):
        made_up((Port("words", "str", (1,)),))
