"""Silero: where somebody speaks."""

from __future__ import annotations

from workstation.prelabel.api import Task
from workstation.prelabel.manifest import Manifest, ModelFile, Runtime
from workstation.prelabel.recipes import Package, Recipe, Taken

_SHA256 = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"
_PACKAGE = Package("pip", "silero-vad", "6.2.3")

RECIPE = Recipe(
    manifest=Manifest(
        id="silero-vad", name="Silero VAD", version="6.2.3", task=Task.VAD, family="silero-vad",
        files={"model": ModelFile("silero_vad_16k_sequence.onnx", _SHA256)}, license="MIT", labels=("speech",),
        origin="silero-vad 6.2.3", thresholds={"score": 0.5}, options={"sample_rate_hz": 16000},
        runtime=Runtime(batch=1, max_abs_diff=0.001),
    ),
    takes={"model": Taken(_PACKAGE, "silero_vad/data/silero_vad_16k_sequence.onnx", _SHA256)},
    size_mb=11,
    sizes={"sequence_length": 8},
)  # fmt: skip
