"""Models of several files, brought as a folder without a manifest and run in processes of their own: by what the graphs
take and answer the program knows which is which. Their arithmetic is so plain that the test knows every answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.tiny_graphs import Node, bright_box, graph_bytes, logarithm, prompt_pair
from workstation.app.likeness import LikenessModels
from workstation.app.models import add, models_shelf
from workstation.app.prompted_masks import PromptedModel, promptable_model
from workstation.cli.main import main
from workstation.core.errors import UserError
from workstation.prelabel.api import Pixels
from workstation.prelabel.masks import FoundMask, Stroke

pytestmark = pytest.mark.usefixtures("models_home")


def put(folder: Path, **files: bytes | str) -> Path:
    """Files by stem: graphs end in onnx, texts in json or csv as they begin."""
    folder.mkdir()
    for stem, content in files.items():
        if isinstance(content, bytes):
            (folder / f"{stem}.onnx").write_bytes(content)
        else:
            (folder / f"{stem}.{'json' if content.startswith('{') else 'csv'}").write_text(content, encoding="utf-8")
    return folder


def tokenizer(*words: str) -> str:
    vocabulary = {each: number for number, each in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", *words))}
    return json.dumps({"model": {"type": "WordPiece", "vocab": vocabulary, "unk_token": "[UNK]"}})


def half() -> tuple[Pixels, np.ndarray]:
    """Bright on the right, dark on the left; twice as wide as high."""
    bright = np.broadcast_to(np.arange(96) >= 60, (48, 96))
    return np.repeat(np.where(bright, 220, 40).astype(np.uint8)[..., None], 3, axis=2), bright


def laid(found: FoundMask, shape: tuple[int, ...]) -> np.ndarray:
    whole = np.zeros(shape, np.bool_)
    height, width = found.mask.shape
    whole[found.top : found.top + height, found.left : found.left + width] = found.mask
    return whole


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "family"), [("sam", "sam"), ("sam2", "sam2"), ("plain", "sam")])
def test_a_pair_that_takes_prompts_is_known_by_its_decoder(kind: str, family: str, tmp_path: Path) -> None:
    eyes, hand = prompt_pair(kind)
    made = add(put(tmp_path / f"My {kind}", a_second=eyes, b_first=hand), models_shelf())
    assert (made.manifest.id, made.manifest.family) == (f"my-{kind}", family)
    assert made.file("encoder").read_bytes() == eyes
    picture, bright = half()
    model = promptable_model(models_shelf())
    assert model is not None
    with PromptedModel(models_shelf(), model) as running:
        clicked = running.mask(
            1, lambda: picture, box=None, strokes=(Stroke(np.array([[80.0, 20.0]]), 1.0, plus=True),)
        )
        boxed = running.mask(1, lambda: picture, box=(10.0, 10.0, 20.0, 20.0), strokes=())
    # The masks of SAM 2 are a quarter as fine: one of its pixels is six of the picture.
    border = 6 if kind == "sam2" else 2
    for found, truth in ((clicked, bright), (boxed, ~bright)):
        wrong = (laid(found, truth.shape) != truth)[:-1]  # the last row is half filled up
        assert np.abs(np.nonzero(wrong)[1] - 60).max(initial=0) <= border, kind
        assert found.score == pytest.approx(0.9)


CLIP_MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
CLIP_STD = np.array([0.26862954, 0.26130258, 0.27577711])
"""As CLIP was trained and published with."""
COLOURS = np.array([[0, 0, 0]] * 4 + [[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)


@pytest.mark.slow
def test_two_towers_say_which_word_fits_a_picture(tmp_path: Path) -> None:
    """One graph answers the mean colour, the other the sum of the colours named."""
    image = graph_bytes(
        [Node("ReduceMean", ["pixel_values"], ["image_embeds"], {"axes": [2, 3], "keepdims": 0})],
        inputs={"pixel_values": ["n", 3, 16, 16]}, outputs={"image_embeds": ["n", 3]},
    )  # fmt: skip
    text = graph_bytes(
        [Node("Gather", ["colours", "input_ids"], ["each"], {"axis": 0}),
         Node("ReduceSum", ["each", "places"], ["text_embeds"], {"keepdims": 0})],
        inputs={"input_ids": ["n", 12]}, outputs={"text_embeds": ["n", 3]}, whole=("input_ids",),
        weights={"colours": COLOURS, "places": np.array([1], np.int64)},
    )  # fmt: skip
    folder = put(tmp_path / "clip", towards=text, sees=image, tokenizer=tokenizer("red", "green", "blue"))
    assert add(folder, models_shelf()).manifest.family == "clip"
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[..., 1] = 250
    found = LikenessModels().picture_likeness(lambda: picture, ["a red thing", "green grass", "blue green"])
    assert found.model.startswith("clip ")
    red, green, both = found.scores
    assert green > both > red
    seen = (np.array([0, 250 / 255, 0]) - CLIP_MEAN) / CLIP_STD
    assert green == pytest.approx(seen[1] / np.linalg.norm(seen), abs=1e-4)


def test_the_files_of_one_kind_are_told_from_those_of_another(tmp_path: Path) -> None:
    reads = graph_bytes(
        [Node("Cast", ["input_ids"], ["y"], {"to": 1})], inputs={"input_ids": ["n", "m"]}, outputs={"y": ["n", "m"]},
        whole=("input_ids",),
    )  # fmt: skip
    hears = graph_bytes([Node("Identity", ["x"], ["y"])], inputs={"x": ["n"]}, outputs={"y": ["f", 2]})
    sweeps = graph_bytes([Node("Identity", ["f"], ["y"])], inputs={"f": ["k", 32, 9]}, outputs={"y": ["k", 1, 9]})
    heads = {
        "lidar-anchors": ("cls_score", "bbox_pred"), "lidar-centers": ("heatmap", "reg", "height", "dim", "rot"),
    }  # fmt: skip
    words = tokenizer("a")
    csv = "index,mid,display_name\n0,/m/1,Horn\n1,/m/2,Bell\n"
    made = {
        "sentence-embedding": put(tmp_path / "s", m=reads, tokenizer=words),
        "token-classification": put(tmp_path / "t", m=reads, tokenizer=words, config="{}"),
        "wave-tagger": put(tmp_path / "w", m=hears, class_map=csv),
    }
    for family, names in heads.items():
        after = graph_bytes(
            [Node("Identity", ["map"], [name]) for name in names], inputs={"map": [1, 9, 40, 64]},
            outputs={name: [1, 9, 40, 64] for name in names},
        )  # fmt: skip
        made[family] = put(tmp_path / family, first=sweeps, second=after)
    for family, folder in made.items():
        found = add(folder, models_shelf()).manifest
        assert found.family == family
        if family == "wave-tagger":
            assert found.labels == ("Horn", "Bell")
        if family in heads:
            assert {role: file.path for role, file in found.files.items()} == {
                "encoder": "encoder.onnx", "model": "model.onnx",
            }  # fmt: skip
    with pytest.raises(UserError, match=r"is 2 files \(encoder, model\).*add the folder"):
        add(made["lidar-centers"] / "second.onnx", models_shelf(), family="lidar-centers")


def test_a_folder_that_makes_no_model_is_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["models", "add", str(tmp_path / "empty")]) == 2
    assert "no model.yaml and no ONNX file" in capsys.readouterr().err
    two = put(tmp_path / "two", one=logarithm(), other=bright_box())
    for words, why in (([], "say which family"), (["--family", "sam"], "the family sam is 2 files (encoder, decoder)")):
        assert main(["models", "add", str(two), *words]) == 2
        said = capsys.readouterr().err
        assert "one.onnx takes x; other.onnx takes x" in said
        assert why in said
    (two / "other.onnx").write_bytes(b"\x08 no graph")
    assert main(["models", "add", str(two)]) == 2
    assert "other.onnx" in capsys.readouterr().err
    assert models_shelf().models() == ([], [])
