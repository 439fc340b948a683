"""Models of the models folder that compare texts and pictures: tiny graphs written here, in the process they run in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workstation.app.likeness import LikenessModels
from workstation.app.models import models_shelf
from workstation.core.evidence import Unmeasured
from workstation.prelabel.api import InputSpec, Task
from workstation.prelabel.convert.onnx_file import OnnxGraph
from workstation.prelabel.manifest import Manifest, ModelFile
from workstation.prelabel.shelf import sha256_of

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "dog", "puppy", "cat", "car"]
VECTORS = np.array([[0, 0]] * 4 + [[1, 0], [0.9, 0.1], [0.8, 0.2], [0, 1]], np.float32)
TAGS = ("dog", "puppy", "cat")


def tokenizer() -> str:
    vocabulary = {each: number for number, each in enumerate(PIECES)}
    return json.dumps({"model": {"type": "WordPiece", "vocab": vocabulary, "unk_token": "[UNK]"}})


def sentences() -> bytes:
    """Each piece has its vector; it reads neither mask nor types, and wants its ids as 32-bit reals."""
    graph = OnnxGraph()
    ids = graph.add("Cast", ["input_ids"], to=7)
    graph.add("Gather", [graph.constant(VECTORS), ids], "last_hidden_state", axis=0)
    return graph.file({"input_ids": (-1, -1)}, {"last_hidden_state": None})


def put(folder: Path, task: Task, family: str, files: dict[str, tuple[str, bytes]]) -> None:
    sources = {}
    for role, (name, content) in files.items():
        sources[role] = folder / name
        sources[role].write_bytes(content)
    listed = {role: ModelFile(path.name, sha256_of(path)) for role, path in sources.items()}
    manifest = Manifest(
        id="tiny", name="Tiny", version="7", task=task, family=family, files=listed, license="MIT",
        input=InputSpec(width=16, height=16, scale=1 / 255),
    )  # fmt: skip
    models_shelf().put(manifest, sources)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKSTATION_MODELS", str(tmp_path / "models"))
    (tmp_path / "from").mkdir()
    return tmp_path / "from"


def test_without_a_model_it_says_how_to_bring_one_and_gives_no_score(shelf: Path) -> None:
    models = LikenessModels()
    with pytest.raises(Unmeasured, match="models install minilm"):
        models.tag_likeness(TAGS, ["a dog"])
    looked: list[Any] = []
    with pytest.raises(Unmeasured, match="CLIP"):
        models.picture_likeness(lambda: looked.append(1), ["a dog"])  # type: ignore[arg-type,return-value]
    assert looked == []


@pytest.mark.slow
def test_a_sentence_model_of_the_folder_is_asked_and_named(shelf: Path) -> None:
    put(shelf, Task.TEXT_EMBED, "sentence-embedding",
        {"model": ("m.onnx", sentences()), "tokenizer": ("tokenizer.json", tokenizer().encode())})  # fmt: skip
    models = LikenessModels()
    found = models.tag_likeness(TAGS, ["a dog", "a car"])
    assert found.model == "tiny 7"
    assert found.scores[0] > 0.9 > 0.2 > found.scores[1]
    with pytest.raises(Unmeasured, match="not enough evidence"):
        models.tag_likeness(("dog",), ["a dog"])


def test_a_file_that_is_not_what_its_manifest_says_is_never_run(shelf: Path) -> None:
    put(shelf, Task.TEXT_EMBED, "sentence-embedding",
        {"model": ("m.onnx", sentences()), "tokenizer": ("tokenizer.json", tokenizer().encode())})  # fmt: skip
    models_shelf().find("tiny").file().write_bytes(b"something else")
    with pytest.raises(Unmeasured, match="other content"):
        LikenessModels().tag_likeness(TAGS, ["a dog"])


def test_a_model_that_is_not_there_is_looked_for_once() -> None:
    asked: list[int] = []

    def nothing() -> None:
        asked.append(1)

    models = LikenessModels(sentences=nothing)
    for _ in range(3):
        with pytest.raises(Unmeasured, match="minilm"):
            models.tag_likeness(TAGS, ["a dog"])
    assert asked == [1]
