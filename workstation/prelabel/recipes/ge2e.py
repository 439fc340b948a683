"""The GE2E speaker encoder: who speaks, as a vector. Its checkpoint is turned into ONNX here, without torch."""

from __future__ import annotations

from workstation.prelabel.api import Task
from workstation.prelabel.manifest import Manifest, ModelFile, Runtime
from workstation.prelabel.recipes import Package, Recipe, Taken
from workstation.prelabel.speaker_weights import ge2e_files

_PACKAGE = Package("pip", "resemblyzer", "0.1.4")
_SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"
_ONNX = "a8ab320d1a4f1dd5abdf242c5b4632ef8cf99d0ed5ebda6296d8f52f22bb152a"
"""Of what is made: byte for byte the same everywhere."""

RECIPE = Recipe(
    manifest=Manifest(
        id="ge2e", name="GE2E speaker encoder", version="0.1.4", task=Task.SPEAKER_EMBED, family="ge2e",
        files={"model": ModelFile("ge2e.onnx", _ONNX)}, license="Apache-2.0", origin="resemblyzer 0.1.4",
        labels=("speaker", "speech"),
        thresholds={"distance": 0.33}, options={"sample_rate_hz": 16000}, runtime=Runtime(batch=32, max_abs_diff=0.001),
    ),
    takes={"weights": Taken(_PACKAGE, "resemblyzer/pretrained.pt", _SHA256)},
    convert=ge2e_files,
    size_mb=16,
    sizes={"batch": 2},
)  # fmt: skip
