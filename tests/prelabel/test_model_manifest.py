"""``model.yaml``: what it says comes back, and what is wrong in it is said with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.prelabel.api import InputSpec, Task
from workstation.prelabel.manifest import Manifest, ModelFile, Runtime, as_values, parse_manifest
from workstation.prelabel.recipes import recipes
from workstation.store.yaml import dump_yaml, load_yaml

PATH = Path("somewhere") / "model.yaml"
SHA = "0123456789abcdef" * 4
GOOD = f"""
schema: 1
id: acme-yolo11s
name: ACME YOLO11s
task: detect
family: yolo-v8
files: {{model: {{path: model.onnx, sha256: "{SHA}"}}}}
license: AGPL-3.0
input: {{size: [640, 320], layout: NCHW, color: RGB, scale: 0.00392157, mean: [0, 0, 0], std: [1, 1, 1], pad: 114}}
labels: [person, car]
map: {{car: Vehicle}}
thresholds: {{score: 0.25, iou: 0.45}}
runtime: {{providers: auto, batch: 8, max_abs_diff: 0.01}}
"""


def read(text: str) -> Manifest:
    return parse_manifest(load_yaml(text, source=PATH), PATH)


def test_the_example_of_the_manual_is_read() -> None:
    found = read(GOOD)
    assert (found.id, found.task, found.family, found.license) == ("acme-yolo11s", Task.DETECT, "yolo-v8", "AGPL-3.0")
    assert found.files == {"model": ModelFile("model.onnx", SHA)}
    assert (found.input.width, found.input.height) == (640, 320)
    assert found.map == {"car": "Vehicle"}
    assert found.thresholds == {"score": 0.25, "iou": 0.45}
    assert found.runtime == Runtime(batch=8, max_abs_diff=0.01)
    assert found.weights_sha256 == SHA
    assert found.card.labels == ("person", "car")


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
NUMBER = st.floats(-1e6, 1e6, allow_nan=False)
MANIFESTS = st.builds(
    Manifest,
    id=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True),
    task=st.sampled_from(Task),
    family=TEXT,
    name=TEXT | st.just(""),
    files=st.dictionaries(TEXT, st.builds(ModelFile, st.sampled_from(["a.onnx", "b/c.bin"]), st.just(SHA)), min_size=1),
    labels=st.lists(TEXT | st.just(""), max_size=5).map(tuple),
    map=st.dictionaries(TEXT, TEXT, max_size=3),
    thresholds=st.dictionaries(TEXT, NUMBER, max_size=3),
    options=st.dictionaries(TEXT, TEXT | st.integers(-9, 9) | st.booleans(), max_size=3),
    input=st.builds(
        InputSpec, width=st.just(64), height=st.integers(1, 99), scale=NUMBER, mean=st.just((1.0, 2.0)),
        layout=st.sampled_from(["NCHW", "NHWC"]), resize=st.sampled_from(["stretch", "letterbox"]),
    ),
    runtime=st.builds(Runtime, providers=st.sampled_from([(), ("cpu",)]), batch=st.integers(1, 64)),
)  # fmt: skip


@given(MANIFESTS)
def test_what_is_written_reads_as_the_same(manifest: Manifest) -> None:
    assert read(dump_yaml(as_values(manifest))) == manifest


def test_every_recipe_makes_a_manifest_that_can_be_read() -> None:
    assert {"nanodet-g", "u2netp", "silero-vad", "minilm", "whisper-tiny-en"} <= recipes().keys()
    for recipe in recipes().values():
        assert read(dump_yaml(as_values(recipe.manifest))) == recipe.manifest
        assert recipe.manifest.license
        for package in recipe.packages:
            assert package.version[0].isdigit()


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("schema: 1", "schema: 2", "schema: is of schema 2"),
        ("schema: 1", "", "lacks 'schema'"),
        ("id: acme-yolo11s", "id: ../../etc", "id: must be lower-case"),
        ("task: detect", "task: mindreading", "task: is no task; there are detect"),
        ("path: model.onnx", "path: ../model.onnx", "leads out of"),
        ("path: model.onnx", "path: /etc/passwd", "leads out of"),
        (SHA, "abc", "must be a SHA-256"),
        ("labels: [person, car]", "labels: {a: b}", "labels: must be a list"),
        ("batch: 8", "batch: 0", r"runtime\.batch: must be 1 to 1024"),
        ("batch: 8", "batch: .5", r"runtime\.batch: must be a whole number"),
        ("max_abs_diff: 0.01", "max_abs_diff: -1", "must not be negative"),
        ("size: [640, 320]", "size: [640, -1]", r"input\.size: must be \[width, height\]"),
        ("std: [1, 1, 1]", "std: [1, 0, 1]", r"input\.std: must not hold zero"),
        ("layout: NCHW", "layout: CHWN", "must be one of NCHW, NHWC"),
        ("score: 0.25", "score: high", r"thresholds\.score: must be a number"),
        ("score: 0.25", "score: .nan", "not a finite number"),
        ("name: ACME", "run: rm -rf\nname: ACME", "unknown keys: run"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(old: str, new: str, why: str) -> None:
    assert old in GOOD
    with pytest.raises(DataError, match=why):
        read(GOOD.replace(old, new))


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "schema: 1", "id: [a", "\x00", "a: &a [*a]", "!!python/object:os.system x"]
)
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        read(text)
