"""Which device a model runs on: candidates in order, each proven before it is believed, and the verdict remembered.

Called before a job. A candidate must really be what the session reports first, answer as the processor does within the
model's bound, and is timed; on any failure the reason is kept and the next is tried. The verdict counts for one model,
one provider and this machine; it is asked again when runtime, driver or devices change.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError, UserError
from workstation.core.files import read_bounded, write_whole
from workstation.prelabel.api import Arrays, BadOutput
from workstation.prelabel.messages import Offered
from workstation.prelabel.onnx_read import Port
from workstation.prelabel.worker import CPU, Limits, Stopped, Worker, WorkerDied, WorkerFailed

PLUGIN_PREFIX = "plugin:"
_ORDER = ("CUDAExecutionProvider", PLUGIN_PREFIX, "DmlExecutionProvider", "CoreMLExecutionProvider", CPU)
_NAMES = {
    "CUDAExecutionProvider": "CUDA", "TensorrtExecutionProvider": "TensorRT", "DmlExecutionProvider": "DirectML",
    "CoreMLExecutionProvider": "CoreML", "ROCMExecutionProvider": "ROCm", "OpenVINOExecutionProvider": "OpenVINO",
    "WebGpuExecutionProvider": "WebGPU", f"{PLUGIN_PREFIX}onnxruntime-ep-webgpu": "WebGPU", CPU: "CPU",
}  # fmt: skip
_SAID = (
    (re.compile(r"CUDA driver version is insufficient"), "the graphics driver is too old for this CUDA"),
    (re.compile(r"no CUDA-capable device|CUDA failure 100|cudaErrorNoDevice", re.I), "no NVIDIA GPU was found"),
    (re.compile(r"finds no device"), "no GPU was found"),
)  # fmt: skip
_LIBRARY = re.compile(
    r"(?:lib)?(nvcuda|cudart|cuda|cudnn|cublas|cufft|curand|nvrtc)[A-Za-z_]*(?:\.so\.(\d+)|64_(\d+)\w*\.dll|\.dll)"
)
_LIBRARY_NAMES = {
    "cudart": "CUDA", "cudnn": "cuDNN", "cublas": "cuBLAS", "cufft": "cuFFT", "curand": "cuRAND", "nvrtc": "NVRTC",
}  # fmt: skip
_LACKS = ("cannot open shared object", "Failed to load", "LoadLibrary failed", "missing", "not found")
_WANTS = re.compile(r"Require cuDNN (\d+)\S* and CUDA (\d+)")
_TIMED_RUNS = 3
_MOST_STORED = 4 << 20
_FREE = 1
"""The length given to a free dimension when nobody says more."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate and what came of it; ``reason`` says why it was not taken."""

    provider: str
    milliseconds: float = 0.0
    difference: float = 0.0
    reason: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a model runs on here, and what was tried before it."""

    provider: str
    milliseconds: float
    attempts: tuple[Attempt, ...]
    runtime: str = ""
    remembered: bool = False

    @property
    def words(self) -> str:
        """``CUDA, 3.1 ms``, or ``CPU, 21.0 ms, because cuDNN 9 was not found``."""
        name = provider_name(self.provider)
        said = f"{name}, {self.milliseconds:.1f} ms" if self.milliseconds > 0 else name
        failed = [each for each in self.attempts if each.reason]
        if self.provider == CPU and failed:
            said += f", because {failed[0].reason}"
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a verdict counts for besides the model: the runtime and what it offers, the driver."""

    runtime: str
    offered: tuple[str, ...]
    driver: str = ""

    @property
    def key(self) -> str:
        return "|".join((sys.platform, self.runtime, ",".join(self.offered), self.driver))


def this_machine(said: Offered) -> Machine:
    """The same, with the driver where the system tells."""
    return Machine(runtime=said.version, offered=said.providers, driver=_driver())


def provider_name(provider: str) -> str:
    """In words a person knows."""
    return _NAMES.get(provider, provider.removesuffix("ExecutionProvider").removeprefix(PLUGIN_PREFIX))


def provider_called(name: str) -> str:
    """The provider a person means by ``cpu``, ``cuda`` or ``webgpu``; unknown names are returned as they are."""
    for provider, word in _NAMES.items():
        if name.casefold() in (word.casefold(), provider.casefold()):
            return provider
    return name


def known_devices(pinned: Sequence[str], offered: Sequence[str]) -> None:
    """Raise ``UserError`` for a name that means no device, whether there is one here or not."""
    for name in pinned:
        provider = provider_called(name)
        if provider not in _NAMES and provider not in offered and not provider.endswith("ExecutionProvider"):
            words = ", ".join(dict.fromkeys(word.casefold() for word in _NAMES.values()))
            raise UserError(f"there is no device {name[:40]!r}; say one of {words}")


def candidates(offered: Sequence[str], pinned: Sequence[str] = ()) -> tuple[str, ...]:
    """In which order to try; the processor is always the last resort. What is pinned is tried even if not offered."""
    wanted = [provider_called(name) for name in pinned]
    ranked = [each for prefix in _ORDER for each in offered if each == prefix or _is_plugin(each, prefix)]
    return tuple(dict.fromkeys((*wanted, *([] if wanted else ranked), CPU)))


def _is_plugin(provider: str, prefix: str) -> bool:
    return prefix == PLUGIN_PREFIX and provider.startswith(prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What to prove: a graph, what to feed it, how far answers may differ."""

    path: Path
    weights_sha256: str
    max_abs_diff: float
    feeds: Arrays | None = None
    """A real batch; made up from the graph's own shapes when left out."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    reads: Callable[[Arrays], object] = lambda _answer: None
    """What reads the answer; raises ``BadOutput`` for one that cannot be read, whatever the device."""


Start = Callable[..., Worker]


def prove(
    trial: Trial, machine: Machine, *, pinned: Sequence[str] = (), start: Start = Worker,
    cancelled: Callable[[], bool] = lambda: False,
) -> Verdict:  # fmt: skip
    """Try candidates in order and take the first that holds; raises ``WorkerFailed`` if not even the processor does."""
    attempts: list[Attempt] = []
    reference: Arrays | None = None
    for provider in candidates(machine.offered, pinned):
        if provider != CPU and provider not in machine.offered:
            reason = f"{provider_name(provider)} is not part of the installed runtime"
            attempts.append(Attempt(provider=provider, reason=reason))
            continue
        if provider != CPU and reference is None:
            reference = _answers(trial, CPU, start, cancelled)[0]
        try:
            found, milliseconds = _answers(trial, provider, start, cancelled)
            difference = 0.0 if reference is None else largest_difference(reference, found)
        except Stopped:
            raise
        except (WorkerFailed, BadOutput) as problem:
            if provider == CPU:
                raise
            attempts.append(Attempt(provider=provider, reason=reason_in_words(problem)))
            continue
        if provider != CPU and difference > trial.max_abs_diff:
            allowed = f"{difference:.3g} where {trial.max_abs_diff:g} is allowed"
            reason = f"{provider_name(provider)} answers differently: {allowed}"
            attempts.append(Attempt(provider=provider, milliseconds=milliseconds, difference=difference, reason=reason))
            continue
        attempts.append(Attempt(provider=provider, milliseconds=milliseconds, difference=difference))
        return Verdict(provider=provider, milliseconds=milliseconds, attempts=tuple(attempts), runtime=machine.runtime)
    raise WorkerFailed(f"{trial.path.name} runs on nothing here")


def _answers(trial: Trial, provider: str, start: Start, cancelled: Callable[[], bool]) -> tuple[Arrays, float]:
    with start(trial.path, provider=provider, limits=trial.limits, cancelled=cancelled) as worker:
        first = worker.providers[0] if worker.providers else ""
        if not provider.startswith(PLUGIN_PREFIX) and first != provider:
            raise WorkerDied(f"{provider_name(provider)} was asked for and {provider_name(first)} came", worker.log)
        feeds = trial.feeds or made_up(worker.inputs, trial.sizes)
        answer = worker.run(feeds)  # warm-up: kernels are chosen and memory is planned
        times = []
        for _ in range(_TIMED_RUNS):
            began = time.perf_counter()
            answer = worker.run(feeds)
            times.append((time.perf_counter() - began) * 1000)
        trial.reads(answer)
        return answer, statistics.median(times)


def largest_difference(one: Arrays, other: Arrays) -> float:
    """Between two answers; infinite where names or shapes differ."""
    if one.keys() != other.keys():
        return float("inf")
    worst = 0.0
    for name, array in one.items():
        if array.shape != other[name].shape:
            return float("inf")
        if array.size:
            gap = np.abs(array.astype(np.float64) - other[name].astype(np.float64))
            worst = max(worst, float(gap.max()))
    return worst


def made_up(inputs: Sequence[Port], sizes: Mapping[str, int] = {}, *, batch: int = 1) -> dict[str, NDArray[Any]]:
    """A batch of plausible numbers, always the same, for graphs nobody has given a real one."""
    rng = np.random.default_rng(7)
    feeds: dict[str, NDArray[Any]] = {}
    for port in inputs:
        shape = tuple(
            side if isinstance(side, int) else sizes.get(side, batch if place == 0 else _FREE)
            for place, side in enumerate(port.shape)
        )
        if port.dtype.startswith("float"):
            feeds[port.name] = rng.random(shape).astype(port.dtype)
        elif port.dtype == "bool":
            feeds[port.name] = np.ones(shape, np.bool_)
        elif port.dtype.startswith(("int", "uint")):
            feeds[port.name] = rng.integers(0, 2, shape).astype(port.dtype)
        else:
            raise WorkerFailed(f"the input {port.name!r} takes {port.dtype or 'something unknown'}, not numbers")
    return feeds


def reason_in_words(problem: Exception) -> str:
    """What a person can act on, out of what a driver said."""
    said = f"{problem}\n{getattr(problem, 'log', '')}"
    for pattern, words in _SAID:
        if pattern.search(said):
            return words
    for line in said.splitlines():
        found = _LIBRARY.search(line) if any(each in line for each in _LACKS) else None
        if found is not None and found[1] in ("cuda", "nvcuda"):  # these come with the driver
            return "no NVIDIA driver was found"
        if found is not None:
            return " ".join(filter(None, (_LIBRARY_NAMES[found[1]], found[2] or found[3], "was not found")))
    wants = _WANTS.search(said)
    return str(problem) if wants is None else f"CUDA {wants[2]} or cuDNN {wants[1]} was not found"


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(dict[str, Verdict])


class Verdicts:
    """Remembered verdicts, in one small file. A damaged one is begun anew: everything in it can be asked again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, weights_sha256: str, machine: Machine, pinned: Sequence[str] = ()) -> Verdict | None:
        """What was found out here before."""
        found = self._read().get(_key(weights_sha256, machine, pinned))
        return None if found is None else msgspec.structs.replace(found, remembered=True)

    def keep(self, weights_sha256: str, machine: Machine, verdict: Verdict, pinned: Sequence[str] = ()) -> None:
        """Remember it."""
        stored = {**self._read(), _key(weights_sha256, machine, pinned): verdict}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._path, msgspec.json.format(msgspec.json.encode(stored), indent=1))

    def forget(self) -> None:
        """Ask again next time."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, Verdict]:
        if not self._path.is_file():
            return {}
        try:
            return _READ.decode(read_bounded(self._path, _MOST_STORED))
        except (DataError, msgspec.MsgspecError, UnicodeDecodeError):
            return {}


def _key(weights_sha256: str, machine: Machine, pinned: Sequence[str]) -> str:
    return "|".join((weights_sha256, machine.key, ",".join(pinned)))


def _driver() -> str:
    version = Path("/proc/driver/nvidia/version")
    try:
        found = re.search(r"\d+\.\d+(?:\.\d+)?", version.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""
    return found.group() if found else ""
