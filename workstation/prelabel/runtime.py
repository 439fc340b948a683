"""The one import of onnxruntime, used in the worker process: sessions, what this build offers, and its devices.

A provider in a list proves nothing; ``providers.py`` tries them.
"""

from __future__ import annotations

import errno
import importlib.metadata
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from workstation.prelabel.api import Arrays
from workstation.prelabel.onnx_read import Port

CPU = "CPUExecutionProvider"
PLUGIN_PREFIX = "plugin:"
"""Before the name of a provider that comes as a package of its own."""
_PLUGINS = {"onnxruntime-ep-webgpu": ("onnxruntime_ep_webgpu", "WebGpuExecutionProvider")}
_ERROR_ONLY = 3


class OrtSession:
    """One graph on one provider (and the CPU for what that one cannot do)."""

    def __init__(self, path: Path, provider: str, *, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERROR_ONLY
        # Threads that spin between two runs take the processor from whoever decodes the next frames.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if provider == "DmlExecutionProvider":
            options.enable_mem_pattern = False
            options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        names: list[str] = []
        if provider.startswith(PLUGIN_PREFIX):
            _use_plugin(options, provider.removeprefix(PLUGIN_PREFIX))
        else:
            names = [provider] if provider == CPU else [provider, CPU]
        with warnings.catch_warnings():
            # An absent provider is only warned about; it is read back below instead.
            warnings.simplefilter("ignore")
            self._session = ort.InferenceSession(str(path), options, providers=names or None)
        self._outputs = [port.name for port in self._session.get_outputs()]

    @property
    def providers(self) -> tuple[str, ...]:
        """What it really runs on, the first first."""
        return tuple(self._session.get_providers())

    @property
    def inputs(self) -> tuple[Port, ...]:
        return tuple(_port(each) for each in self._session.get_inputs())

    @property
    def outputs(self) -> tuple[Port, ...]:
        return tuple(_port(each) for each in self._session.get_outputs())

    def run(self, feeds: Arrays) -> dict[str, NDArray[Any]]:
        """One batch; what is no plain tensor (a sequence, a map, text) is left out."""
        answers = self._session.run(self._outputs, dict(feeds))
        return {
            name: np.ascontiguousarray(each)
            for name, each in zip(self._outputs, answers, strict=True)
            if isinstance(each, np.ndarray) and each.dtype.kind in "biuf"
        }


def version() -> str:
    """Of onnxruntime."""
    return str(ort.__version__)


def offered() -> tuple[str, ...]:
    """What this build was made for, and packages that bring a provider of their own."""
    return (*ort.get_available_providers(), *(PLUGIN_PREFIX + name for name in plugin_packages()))


def plugin_packages() -> tuple[str, ...]:
    """Installed packages that bring a GPU provider for the plain build."""
    return tuple(name for name in _PLUGINS if _installed(name))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of the runtime means that memory ran out."""
    words = str(error).casefold()
    told = ("bad_alloc", "bad allocation", "failed to allocate", "out of memory", "cannot allocate", "alloc failed")
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, MemoryError) or any(each in words for each in told)


def load_gpu_libraries() -> None:
    """Make CUDA and cuDNN that came as packages findable; prints what is missing, which the parent reads."""
    preload = getattr(ort, "preload_dlls", None)
    if preload is not None:
        preload()


def threads_here(cores: int | None = None) -> int:
    """All cores but one, which the interface keeps."""
    return max(1, (cores or os.cpu_count() or 2) - 1)


def _use_plugin(options: Any, package: str) -> None:
    module_name, provider = _PLUGINS[package]
    module = __import__(module_name)
    ort.register_execution_provider_library(provider, module.get_library_path())
    devices: Sequence[Any] = [each for each in ort.get_ep_devices() if each.ep_name == provider]
    if not devices:
        raise RuntimeError(f"{provider} finds no device here")
    options.add_provider_for_devices(devices[:1], {})


def _port(argument: Any) -> Port:
    kinds: Mapping[str, str] = {"float": "float32", "double": "float64", "string": "str"}
    inner = str(argument.type).removeprefix("tensor(").removesuffix(")")
    shape = tuple(side if isinstance(side, int) else str(side or "") for side in argument.shape)
    return Port(argument.name, kinds.get(inner, inner), shape)


def _installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
