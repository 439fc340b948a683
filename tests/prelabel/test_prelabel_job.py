"""A whole job from the command line: a real process, a tiny model, pictures whose truth is drawn by the test."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.tiny_graphs import Node, bright_box, expanding, graph_bytes, logarithm, model_folder
from workstation.app import prelabelling
from workstation.app.models import add, models_shelf
from workstation.app.opening import new_project, open_project
from workstation.app.prelabelling import Wish, chunks_of, marks, plan, store
from workstation.cli.main import main
from workstation.core.annotation import Annotation, SourceKind, State
from workstation.core.errors import Refused, UserError
from workstation.core.geometry import Box
from workstation.core.rights import ActorKind

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bright_family", "models_home")]
COUNT = 70
ONTOLOGY = """
version: 1
name: bright things
language: en
modalities: [video, image]
classes:
  lamp:
    name: {en: Lamp}
    definition: Something bright.
    shapes: {video: [box], image: [box]}
"""


def truth(number: int) -> Box | None:
    """Where the bright thing is in a frame; in every seventh there is none."""
    return None if number % 7 == 6 else Box(number % 30, number % 20, 5 + number % 11, 4 + number % 9)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A sample with seventy frames, of which each shows at most one bright thing."""
    (tmp_path / "ontology.yaml").write_text(ONTOLOGY, encoding="utf-8")
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(COUNT):
        pixels = np.zeros((48, 64, 3), np.uint8)
        box = truth(number)
        if box is not None:
            x, y = int(box.x), int(box.y)
            pixels[y : y + int(box.height), x : x + int(box.width)] = (250, 240, 255)
        Image.fromarray(pixels).save(frames / f"f_{number:04}.png")
    folder = new_project(tmp_path / "p", ontology=str(tmp_path / "ontology.yaml"), in_force=True, person="ann")
    files = [str(each) for each in sorted(frames.iterdir())]
    assert main(["add", str(folder), *files, "--sample", "s", "--stream", "front", "--kind", "video"]) == 0
    return folder


def model(tmp_path: Path, data: bytes | None = None, name: str = "bright") -> None:
    extra = "map: {bright: lamp}\nruntime: {batch: 4}\n"
    add(model_folder(tmp_path / f"model-{name}", data or bright_box(), model_id=name, extra=extra), models_shelf())


def labels(folder: Path) -> list[Annotation]:
    with open_project(folder, read_only=True) as session:
        return [each for sample in session.store.samples() for each in session.store.annotations(sample.id)]


def test_boxes_come_in_as_proposals_with_all_they_came_from(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model(tmp_path)
    assert main(["prelabel", str(project), "--models", "bright", "--json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    wanted = [truth(number) for number in range(COUNT)]
    assert said["proposed"] == sum(each is not None for each in wanted)
    found = sorted(labels(project), key=lambda each: each.start_ns or 0)
    assert [each.shape for each in found] == [each for each in wanted if each is not None]
    sha256 = models_shelf().find("bright").manifest.weights_sha256
    for each in found:
        assert each.state is State.PROPOSED
        assert each.class_id == "lamp"
        assert each.confidence == pytest.approx(1.0)
        assert each.source.kind is SourceKind.MODEL
        assert (each.source.name, each.source.version, each.source.device) == ("bright", "3", "CPU")
        assert each.source.weights_sha256 == sha256
        assert each.source.parameters["every"] == 1
    with open_project(project, read_only=True) as session:
        assert session.store.head() > 0


def test_it_goes_on_where_it_was_stopped_and_says_nothing_twice(project: Path, tmp_path: Path) -> None:
    model(tmp_path)
    wish = Wish(models=("bright",))
    with open_project(project, person="ann", tool="prelabel") as session:
        progress = plan(session, models_shelf(), wish).work[0]
        first = next(iter(chunks_of(progress.assignment)))
        store(session, progress, first)
        assert 0 < first.position < COUNT
    before = {each.id for each in labels(project)}
    assert before
    with open_project(project, person="ann", tool="prelabel") as session:
        planned = plan(session, models_shelf(), wish)
        assert planned.work[0].assignment.position == first.position
        # As if the program had been killed after the labels were stored and before that was remembered.
        assert store(session, planned.work[0], first) == 0
        planned = plan(session, models_shelf(), wish)
        assert prelabelling.run(session, planned) == []
        assert planned.work[0].mark.finished
    everything = labels(project)
    assert before < {each.id for each in everything}
    assert len(everything) == sum(truth(number) is not None for number in range(COUNT))
    with open_project(project, person="ann", kind=ActorKind.PERSON) as session:
        session.run("annotation.reject", annotations=[everything[0].id])
    assert main(["prelabel", str(project), "--models", "bright", "--again"]) == 0
    assert len(labels(project)) == len(everything)


def test_tracks_are_few_keyframes_and_a_stopped_job_joins_what_it_found_before(project: Path, tmp_path: Path) -> None:
    model(tmp_path)
    wish = Wish(models=("bright",), tracker="bytetrack")
    with open_project(project, person="ann", tool="prelabel") as session:
        progress = plan(session, models_shelf(), wish).work[0]
        store(session, progress, next(iter(chunks_of(progress.assignment))))
    with open_project(project, person="ann", tool="prelabel") as session:
        planned = plan(session, models_shelf(), wish)
        assert planned.work[0].assignment.position > 0
        assert prelabelling.run(session, planned) == []
        stopped = tracks_of(session)
    with open_project(project, person="ann", tool="prelabel") as session:
        planned = plan(session, models_shelf(), Wish(models=("bright",), tracker="bytetrack", layer="whole"))
        for chunk in chunks_of(planned.work[0].assignment):
            store(session, planned.work[0], chunk)
        whole = tracks_of(session, "whole")
    assert stopped == whole
    assert stopped
    frames = sum(truth(number) is not None for number in range(COUNT))
    assert sum(len(each) for each in stopped) < frames
    said = [each.source.parameters for each in labels(project)]
    assert {(each["tracker"], each["called"]) for each in said} == {("bytetrack", "bright")}
    assert {each.state for each in labels(project)} == {State.PROPOSED}


def tracks_of(session: Any, layer: str = "main") -> list[list[Any]]:
    """The keyframes of every track, without their ids."""
    found = [
        [(key.time_ns, key.presence, key.shape) for key in session.store.keyframes(each.id)]
        for sample in session.store.samples()
        for each in session.store.annotations(sample.id, layer=layer)
        if each.track is not None
    ]
    return sorted(found, key=lambda rows: (rows[0][0], len(rows)))


def test_labels_without_a_class_are_listed_and_never_guessed(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(model_folder(tmp_path / "m", bright_box()), models_shelf())
    assert main(["prelabel", str(project), "--models", "bright", "--every", "10"]) == 0
    assert "No class stands for: bright" in capsys.readouterr().out
    assert labels(project) == []
    assert main(["prelabel", str(project), "--models", "bright", "--map", "bright=car"]) == 2
    arguments = ["prelabel", str(project), "--models", "bright", "--every", "10", "--again"]
    assert main([*arguments, "--map", "bright=Lamp"]) == 0
    assert len(labels(project)) == 6
    with open_project(project, person="ann", tool="prelabel") as session:  # the choice was kept
        work = plan(session, models_shelf(), Wish(models=("bright",), layer="second")).work[0]
        assert (work.assignment.classes, work.unmapped) == ({"bright": "lamp"}, ())


def test_the_job_may_write_proposals_and_nothing_else(project: Path, tmp_path: Path) -> None:
    model(tmp_path)
    with open_project(project, person="ann", tool="prelabel") as session:
        progress = plan(session, models_shelf(), Wish(models=("bright",))).work[0]
        chunk = next(iter(chunks_of(progress.assignment)))
        forged = prelabelling.Call("annotation.add", {**chunk.calls[0].arguments, "state": State.DONE})
        with pytest.raises(Refused):
            store(session, progress, prelabelling.Chunk(position=1, done=1, total=2, calls=(*chunk.calls, forged)))
        assert marks(session, progress.sample) == {}
    assert labels(project) == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (logarithm, "the model was refused"),
        (lambda: expanding(10**12), "the model was refused"),
        (lambda: graph_bytes([], inputs={"x": ["n", 3, "h", "w"]}, outputs={"x": ["n", 3, "h", "w"]}), "columns"),
        (lambda: b"junk", "refused"),
    ],
)
def test_a_model_that_does_not_work_is_not_run(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], data: Any, why: str
) -> None:
    model(tmp_path, data())
    assert main(["prelabel", str(project), "--models", "bright"]) in (1, 2)
    said = capsys.readouterr().err
    assert why in said
    assert "fault of the program" not in said
    assert labels(project) == []


def test_weights_that_are_not_those_of_the_manifest_are_not_run(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model(tmp_path)
    shelved = models_shelf().find("bright")
    shelved.file().write_bytes(bright_box({"changed": "yes"}))
    assert main(["prelabel", str(project), "--models", "bright"]) == 2
    assert "other content than its manifest says" in capsys.readouterr().err
    assert labels(project) == []


def test_one_that_dies_in_the_middle_leaves_whole_chunks_and_a_reason(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model(tmp_path)
    from workstation.prelabel.families import family_named

    family: Any = family_named("bright-box")
    usual, seen = family.decode, []

    def decode(card: Any, outputs: Any, prepared: Any) -> Any:
        seen.extend(outputs["columns"])
        if len(seen) > 45:
            outputs = {"rows": outputs["rows"], "columns": outputs["columns"][0]}
        return usual(card, outputs, prepared)

    monkeypatch.setattr(family, "decode", decode, raising=False)
    assert main(["prelabel", str(project), "--models", "bright"]) == 1
    assert "answers what cannot be read: the output 'columns' has the wrong shape" in capsys.readouterr().err
    with open_project(project, read_only=True) as session:
        sample = next(iter(session.store.samples()))
        mark = next(iter(marks(session, sample.id).values()))
    assert mark.position == 32
    assert "wrong shape" in mark.fault
    assert len(labels(project)) == sum(truth(number) is not None for number in range(32))
    monkeypatch.undo()


def test_it_is_scored_against_a_layer_that_people_labelled(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model(tmp_path)
    assert main(["prelabel", str(project), "--models", "bright", "--eval", "gold", "--json"]) == 0
    said = capsys.readouterr()
    assert "nothing is labelled in the layer 'gold'" in said.err
    assert "score" not in [json.loads(each).get("t") for each in said.out.splitlines()]
    found = sorted(labels(project), key=lambda each: each.start_ns or 0)
    boxes = [box for number in range(COUNT) if (box := truth(number)) is not None]
    with open_project(project, person="ann") as session, session.together("gold") as add_one:
        for number, (each, box) in enumerate(zip(found, boxes, strict=True)):
            y = int(box.y) if number % 3 else 40  # a third of the truth lies elsewhere
            shape = {"kind": "box", "x": box.x, "y": y, "width": box.width, "height": box.height}
            add_one("annotation.add", sample=each.sample, stream=each.stream, class_id="lamp", layer="gold",
                    shape=shape, start_ns=each.start_ns, end_ns=each.end_ns)  # fmt: skip
    assert main(["prelabel", str(project), "--models", "bright", "--eval", "gold", "--json"]) == 0
    rows = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    score = next(each for each in rows if each.get("t") == "score" and each["iou"] == 0.5)
    assert (score["model"], score["class"], score["truths"], score["found"]) == ("bright", "Lamp", 60, 60)
    assert (score["recall"], score["precision"]) == (pytest.approx(2 / 3, abs=0.001), pytest.approx(2 / 3, abs=0.001))
    assert main(["prelabel", str(project), "--models", "bright", "--eval", "gold"]) == 0
    assert "0.667" in capsys.readouterr().out


def test_the_program_of_a_plug_in_runs_in_a_job(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--json"]) == 0
    rows = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert [each["state"] for each in rows if each["model"] == "bright-boxes"] == ["plug-in"]
    line = ["prelabel", str(project), "--models", "bright-boxes", "--map", "bright=lamp"]
    assert main(line) == 0
    found = sorted(labels(project), key=lambda each: each.start_ns or 0)
    assert [each.shape for each in found] == [box for number in range(COUNT) if (box := truth(number)) is not None]
    assert {(each.state, each.source.kind, each.source.name, each.source.version) for each in found} == {
        (State.PROPOSED, SourceKind.MODEL, "bright-boxes", "1.0")
    }
    assert main([*line, "--again"]) == 0
    assert len(labels(project)) == len(found)


def test_the_family_of_a_plug_in_reads_a_model_in_a_job(project: Path, tmp_path: Path) -> None:
    graph = graph_bytes(
        [Node("ReduceMax", ["pictures"], ["least"], {"keepdims": 1}), Node("Mul", ["least", "nothing"], ["none"]),
         Node("ReduceMax", ["none"], ["row"], {"axes": [2, 3], "keepdims": 1}),
         Node("ReduceMax", ["row"], ["flat"], {"axes": [3], "keepdims": 0}), Node("Add", ["flat", "box"], ["y"])],
        inputs={"pictures": [1, 3, 48, 64]}, outputs={"y": [1, 1, 6]},
        weights={"nothing": np.zeros((1, 1, 1, 1), np.float32),
                 "box": np.array([[[8, 6, 40, 30, 0.75, 0]]], np.float32)},
    )  # fmt: skip
    (tmp_path / "plain.onnx").write_bytes(graph)
    bare = ["models", "add", str(tmp_path / "plain.onnx"), "--family", "plain-boxes"]
    (tmp_path / "labels.txt").write_text("bright\n", encoding="utf-8")
    assert main([*bare, "--labels", str(tmp_path / "labels.txt")]) == 0
    assert main(["prelabel", str(project), "--models", "plain", "--every", "35", "--map", "bright=lamp"]) == 0
    assert [(each.shape, each.confidence) for each in labels(project)] == [(Box(8, 6, 32, 24), 0.75)] * 2


def test_what_is_asked_wrongly_is_said(project: Path, tmp_path: Path) -> None:
    with open_project(project, person="ann") as session:
        with pytest.raises(UserError, match="there is no model 'nothing'"):
            plan(session, models_shelf(), Wish(models=("nothing",)))
        model(tmp_path)
        with pytest.raises(UserError, match="there is no sample 'x'"):
            plan(session, models_shelf(), Wish(models=("bright",), samples=("x",)))


LEFTS, SIDE = (8, 28), 24
"""Of the two things; their tops are at 16."""
HIDDEN = range(20, 32)
"""In which frames they are, to come back each in the other's place."""


def two_spots() -> bytes:
    """Finds something at either of two places where it is not dark there, as YOLO v8 answers it."""
    nodes = [
        node
        for place, left in enumerate(LEFTS)
        for node in (
            Node("Slice", ["x", f"from {left}", f"to {left}", "across"], [f"there {left}"]),
            Node("ReduceMax", [f"there {left}"], [f"most {left}"], {"axes": [1, 2, 3], "keepdims": 0}),
            Node("Unsqueeze", [f"most {left}", "last"], [f"column {left}"]),
            Node("Mul", [f"column {left}", f"of {place}"], [f"score {left}"]),
        )
    ]
    nodes += [
        Node("Add", [f"score {left}" for left in LEFTS], ["scores"]), Node("Mul", ["scores", "score row"], ["rows"]),
        Node("Add", ["rows", "boxes"], ["output0"]),
    ]  # fmt: skip
    weights: dict[str, np.ndarray] = {
        "across": np.array([2, 3], np.int64), "last": np.array([1, 2], np.int64),
        "score row": np.array([[[0], [0], [0], [0], [0.9]]], np.float32),
    }  # fmt: skip
    boxes = np.zeros((1, 5, 12), np.float32)
    for place, left in enumerate(LEFTS):
        weights[f"from {left}"] = np.array([16, left + 8], np.int64)
        weights[f"to {left}"] = np.array([32, left + 16], np.int64)
        weights[f"of {place}"] = np.eye(12, dtype=np.float32)[None, place : place + 1]
        boxes[0, :4, place] = (left + SIDE / 2, 16 + SIDE / 2, SIDE, SIDE)
    weights["boxes"] = boxes
    return graph_bytes(nodes, inputs={"x": ["n", 3, 48, 64]}, outputs={"output0": ["n", 5, 12]}, weights=weights)


def mean_colour() -> bytes:
    """What a crop looks like: its mean colour."""
    return graph_bytes(
        [Node("ReduceMean", ["crops"], ["looks"], {"axes": [2, 3], "keepdims": 0})],
        inputs={"crops": ["n", 3, 32, 16]}, outputs={"looks": ["n", 3]},
    )  # fmt: skip


@pytest.fixture
def traded(tmp_path: Path) -> Path:
    """A film of a red and a blue thing that trade places while nobody sees them."""
    (tmp_path / "ontology.yaml").write_text(ONTOLOGY, encoding="utf-8")
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(44):
        pixels = np.zeros((48, 64, 3), np.uint8)
        if number not in HIDDEN:
            for left, channel in zip(LEFTS, (0, 2) if number < HIDDEN.start else (2, 0), strict=True):
                pixels[16 : 16 + SIDE, left : left + SIDE] = 0
                pixels[16 : 16 + SIDE, left : left + SIDE, channel] = 255
        Image.fromarray(pixels).save(frames / f"f_{number:04}.png")
    folder = new_project(tmp_path / "p", ontology=str(tmp_path / "ontology.yaml"), in_force=True, person="ann")
    files = [str(each) for each in sorted(frames.iterdir())]
    assert main(["add", str(folder), *files, "--sample", "s", "--stream", "front", "--kind", "video"]) == 0
    (tmp_path / "spots.onnx").write_bytes(two_spots())
    (tmp_path / "colour.onnx").write_bytes(mean_colour())
    return folder


def ways(folder: Path, layer: str) -> list[tuple[float, float]]:
    """Where each track begins and where it ends."""
    with open_project(folder, read_only=True) as session:
        return [
            (next(iter(shapes)).x, list(shapes)[-1].x)
            for rows in tracks_of(session, layer)
            if (shapes := [shape for _, _, shape in rows if isinstance(shape, Box)])
        ]


def test_a_tracker_that_compares_looks_is_told_them_also_after_a_stop(traded: Path, tmp_path: Path) -> None:
    """By place they stayed where they were, by looks they traded; a model of looks serves where one is there."""
    detector = add(tmp_path / "spots.onnx", models_shelf(), family="yolo-v8", labels=("bright",))
    models_shelf().rewrite(detector, replace(detector.manifest, map={"bright": "lamp"}))
    stay, trade = [(8.0, 8.0), (28.0, 28.0)], [(8.0, 28.0), (28.0, 8.0)]
    job = ["prelabel", str(traded), "--models", "spots", "--tracker"]
    assert main([*job, "bytetrack", "--layer", "place"]) == 0
    assert sorted(ways(traded, "place")) == stay
    wish = Wish(models=("spots",), tracker="deepsort", layer="colours")
    with open_project(traded, person="ann", tool="prelabel") as session:
        progress = plan(session, models_shelf(), wish).work[0]
        store(session, progress, next(iter(chunks_of(progress.assignment))))
        assert 0 < progress.mark.position < 44  # the rest goes on from what was kept
        assert prelabelling.run(session, plan(session, models_shelf(), wish)) == []
    assert sorted(ways(traded, "colours")) == trade
    add(tmp_path / "colour.onnx", models_shelf(), family="reid")
    assert main([*job, "deepsort", "--layer", "model"]) == 0
    assert sorted(ways(traded, "model")) == trade
    with open_project(traded, read_only=True) as session:
        (sample,) = session.store.samples()
        told = {each.layer: each.source.parameters.get("looks") for each in session.store.annotations(sample.id)}
    sha256 = models_shelf().find("colour").manifest.weights_sha256
    assert told == {"place": None, "colours": "colours", "model": f"colour  {sha256}"}


def test_a_model_of_looks_alone_says_what_it_serves(traded: Path, tmp_path: Path) -> None:
    model(tmp_path)
    add(tmp_path / "colour.onnx", models_shelf(), family="reid")
    with open_project(traded, person="ann", tool="prelabel") as session:
        with pytest.raises(UserError, match="name a detector with it"):
            plan(session, models_shelf(), Wish(models=("colour",), tracker="deepsort"))
        with pytest.raises(UserError, match="--tracker deepsort"):
            plan(session, models_shelf(), Wish(models=("bright", "colour"), tracker="bytetrack"))
