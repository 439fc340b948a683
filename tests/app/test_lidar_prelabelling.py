"""Cuboid tracks proposed in a generated drive: what they say for themselves, how good they are, that none comes twice,
and that a detector's boxes land where the sensor was. Truth is the generator's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drive_projects import SAMPLE

from strict_turn import iou_3d
from strict_windows import copy_of
from tests.prelabel.planted_heads import KNOWN, LABELS, ROOM, ROTATIONS, anchored, centred
from tests.tiny_graphs import Node, Shape, graph_bytes
from workstation import open_project
from workstation.app import label_lidar, prelabelling
from workstation.app.lidar_prelabelling import FoundTracks, propose_tracks
from workstation.app.models import add, models_shelf
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.prelabelling import Wish, chunks_of, plan, store
from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.cli.main import main
from workstation.core.annotation import Annotation, SourceKind, State
from workstation.core.geometry import Cuboid
from workstation.core.rights import ActorKind
from workstation.core.rotation import about_z
from workstation.core.space import NoTransform
from workstation.prelabel.lidar_tracks import TrackedCuboid

pytestmark = pytest.mark.slow
BOX = (12.0, 3.0, -0.5, 4.0, 2.0, 1.5, 0.25)
"""Where the detector of this test sees a car in every sweep, about the sensor."""


@pytest.fixture(scope="module")
def folder(short_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The drive without one of its cars, and an empty place for models."""
    base = tmp_path_factory.mktemp("lidar")
    made = copy_of(short_template, base / "p")
    with open_project(made, kind="person") as session:
        view = SampleView(session.store, session.open_sample(SAMPLE))
        cuboids = [each for each in view.annotations.values() if each.kind == "cuboid"]
        car = next(each for each in cuboids if view.class_of(each) == "car")
        session.run("annotation.delete", annotations=(car.id,), links="remove")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("WORKSTATION_HOME", str(base / "home"))
        patched.delenv("WORKSTATION_MODELS", raising=False)
        yield made


def proposals(folder: Path, name: str) -> list[tuple[Annotation, str | None]]:
    """What a model proposed, with its class."""
    with open_project(folder, read_only=True) as session:
        view = SampleView(session.store, session.open_sample(SAMPLE))
        found = [each for each in view.annotations.values() if each.source.kind is SourceKind.MODEL]
    return [(each, view.class_of(each)) for each in found if each.source.name == name]


def test_what_no_label_shows_is_proposed_once_and_scored(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*typed: str) -> list[dict[str, object]]:
        assert main([*typed[:1], str(folder), *typed[1:], "--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    job = ("prelabel", "--models", "lidar-clusters", "--every", "2")
    total = run(*job)[-1]
    assert total["proposed"]
    made = proposals(folder, "lidar-clusters")
    assert len(made) == total["proposed"]
    assert {each.state for each, _ in made} == {State.PROPOSED}
    assert all(0 < (each.confidence or 0) <= 1 and each.track is not None for each, _ in made)
    assert "car" in {class_id for _, class_id in made}
    assert run(*job, "--again")[-1]["proposed"] == 0
    assert main(["predictions", "score", str(folder), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"cuboids", "cuboids from above", "cuboids, identity"} <= {str(each["what"]) for each in rows}


def test_what_a_picture_shows_gets_its_cuboid(folder: Path) -> None:
    """The things whose cuboids are taken away are proposed again from their boxes, as the same things."""
    with open_project(folder, kind="person", person="Ana") as session, OpenStreams(folder) as readers:
        view = SampleView(session.store, session.open_sample(SAMPLE))
        placed, stream = PlacedCuboids(view, readers), view.stream_by_key("lidar_top")
        assert stream is not None
        boxed = {each.entity for each in view.annotations.values() if each.kind == "box" and each.entity}
        solid = [each for each in view.annotations_of(stream.id) if each.kind == "cuboid" and each.entity in boxed]
        chosen = [each for each in solid if view.class_of(each) in ("car", "truck")]
        assert chosen
        times = [stream.time_map.to_session(each) for each in readers.reader(stream).table.times_ns.tolist()]  # type: ignore[attr-defined]
        truth = {each.entity: {t: placed.placed(each.id, t) for t in times} for each in chosen}
        session.run("annotation.delete", annotations=tuple(each.id for each in chosen), links="remove")
    with open_project(folder, person="Ana", tool="prelabel") as session:
        wish = Wish(models=("lidar-frustums",), every=2)
        assert prelabelling.run(session, plan(session, models_shelf(), wish)) == []
    made = [each for each, _ in proposals(folder, "lidar-frustums") if each.entity in truth]
    assert "truck" in {class_id for each, class_id in proposals(folder, "lidar-frustums")}  # not all are in the picture
    assert all(str(each.source.parameters["from_label"]) for each in made)
    with open_project(folder, read_only=True) as session, OpenStreams(folder) as readers:
        view = SampleView(session.store, session.open_sample(SAMPLE))
        placed = PlacedCuboids(view, readers)
        overlaps = []
        for each in made:
            for key in view.keyframes(each.id):
                session_ns = stream.time_map.to_session(key.time_ns)
                there, true = placed.placed(each.id, session_ns), truth[each.entity].get(session_ns)
                if there is not None and true is not None:
                    overlaps.append(iou_3d(there[0], true[0]))
    assert float(np.median(overlaps)) > 0.7


def sees_a_car() -> bytes:
    """The same box whatever the sweep: its numbers, plus nothing times the points."""
    return graph_bytes(
        [
            Node("ReduceMax", ["points"], ["most"], {"keepdims": 0}),
            Node("Mul", ["most", "zero"], ["nothing"]),
            Node("Add", ["box", "nothing"], ["boxes"]),
            Node("Add", ["score", "nothing"], ["scores"]),
            Node("Add", ["label", "nothing"], ["labels"]),
        ],
        inputs={"points": ["n", 4]}, outputs={"boxes": [1, 7], "scores": [1], "labels": [1]},
        weights={"zero": np.array(0, np.float32), "box": np.array([BOX], np.float32),
                 "score": np.array([0.75], np.float32), "label": np.array([0], np.float32)},
    )  # fmt: skip


def test_a_detector_s_boxes_lie_where_the_sensor_saw_them(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_lidar, "SWEEPS_A_CHUNK", 5)
    data = sees_a_car()
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "model.onnx").write_bytes(data)
    (tmp_path / "m" / "model.yaml").write_text(
        "schema: 1\nid: sees-cars\nversion: '1'\ntask: lidar-detect\nfamily: lidar-points\n"
        f"files: {{model: {{path: model.onnx, sha256: {hashlib.sha256(data).hexdigest()}}}}}\n"
        "labels: [vehicle]\nmap: {vehicle: car}\n",
        encoding="utf-8",
    )
    add(tmp_path / "m", models_shelf())
    with open_project(folder, person="Ana", tool="prelabel") as session:
        work = plan(session, models_shelf(), Wish(models=("sees-cars",))).work[0]
        store(session, work, next(iter(chunks_of(work.assignment))))  # stopped on the way
        planned = plan(session, models_shelf(), Wish(models=("sees-cars",)))
        assert 0 < planned.work[0].assignment.position < 12
        assert prelabelling.run(session, planned) == []
    ((track, class_id),) = proposals(folder, "sees-cars")
    assert (class_id, track.state) == ("car", State.PROPOSED)
    assert track.source.weights_sha256 == hashlib.sha256(data).hexdigest()
    stands_where_it_was_seen(folder, track, BOX)


def stands_where_it_was_seen(folder: Path, track: Annotation, box: tuple[float, ...]) -> None:
    """About the sensor, in every sweep that has a keyframe."""
    with open_project(folder, read_only=True) as session, OpenStreams(folder) as readers:
        view = SampleView(session.store, session.open_sample(SAMPLE))
        stream, tree = view.streams[track.stream or ""], PlacedCuboids(view, readers).tree
        for key in view.keyframes(track.id):
            assert isinstance(key.shape, Cuboid)
            session_ns = stream.time_map.to_session(key.time_ns)
            sensor = tree.transform(stream.frame or "", track.frame or "", session_ns)
            assert not isinstance(sensor, NoTransform)
            assert np.abs((sensor @ np.array([key.shape.center]))[0] - box[:3]).max() < 0.2  # tracks are smoothed
            ahead = sensor.matrix[:3, :3] @ _ahead(key.shape.rotation)
            assert np.degrees(np.arccos(abs(float(ahead @ _ahead(about_z(box[6])))))) < 3
            assert key.shape.size == pytest.approx(box[3:6], abs=1e-3)


def planted(tensors: Mapping[str, np.ndarray], fed: Mapping[str, Shape], whole: Sequence[str] = ()) -> bytes:
    """A head that answers these tensors where it is given anything but zeros, and its quietest everywhere else."""
    nodes = [
        Node("Abs", [next(iter(fed))], ["size"]), Node("ReduceMax", ["size"], ["most"], {"keepdims": 0}),
        Node("Sign", ["most"], ["given"]),
    ]  # fmt: skip
    weights: dict[str, np.ndarray] = {}
    for name, values in tensors.items():
        low = values.min()
        weights |= {f"{name} low": np.array([low], np.float32), f"{name} rest": (values - low).astype(np.float32)}
        nodes += [
            Node("Mul", [f"{name} rest", "given"], [f"{name} now"]),
            Node("Add", [f"{name} now", f"{name} low"], [name]),
        ]
    shapes = {name: list(values.shape) for name, values in tensors.items()}
    return graph_bytes(nodes, inputs=fed, outputs=shapes, weights=weights, whole=whole)


def test_raw_heads_in_one_file_and_in_two_find_what_is_planted(folder: Path, tmp_path: Path) -> None:
    """An anchor head that takes cells, and a centre head behind an encoder of points, as their makers export them."""
    boxes = {"anchors": (20.3, 7.2, -0.5, 4.0, 2.0, 1.5, 0.25), "centres": (22.5, -7.0, -0.5, 4.2, 1.9, 1.6, -0.2)}
    cells: dict[str, Shape] = {"voxels": ["n", 32, 4], "num_points": ["n"], "coors": ["n", 4]}
    (tmp_path / "anchors.onnx").write_bytes(
        planted(anchored([(2, *boxes["anchors"])]), cells, whole=("num_points", "coors"))
    )
    (tmp_path / "centres").mkdir()
    (tmp_path / "centres" / "pts_encoder.onnx").write_bytes(
        graph_bytes(
            [Node("ReduceMax", ["input_features"], ["pillar_features"], {"axes": [1], "keepdims": 1})],
            inputs={"input_features": ["n", 32, 9]}, outputs={"pillar_features": ["n", 1, 9]},
        )
    )  # fmt: skip
    (tmp_path / "centres" / "pts_head.onnx").write_bytes(
        planted(centred([(2, *boxes["centres"])]), {"spatial_features": [1, 9, 40, 64]})
    )
    shelf = models_shelf()
    for path, family in ((tmp_path / "anchors.onnx", "lidar-anchors"), (tmp_path / "centres", "lidar-centers")):
        made = add(path, shelf, labels=LABELS)
        assert made.manifest.family == family
        anchors = {"anchors": KNOWN, "rotations": list(ROTATIONS), "index_type": "int64"}
        options = ROOM | (anchors if family == "lidar-anchors" else {})
        shelf.rewrite(made, replace(made.manifest, options=options, map={"car": "car"}, thresholds={"score": 0.5}))
    assert shelf.find("centres").manifest.files.keys() == {"encoder", "model"}
    with open_project(folder, person="Ana", tool="prelabel") as session:
        assert prelabelling.run(session, plan(session, shelf, Wish(models=tuple(boxes), every=3))) == []
    for name, box in boxes.items():
        ((track, class_id),) = proposals(folder, name)
        assert (class_id, track.source.weights_sha256) == ("car", shelf.find(name).manifest.weights_sha256)
        stands_where_it_was_seen(folder, track, box)


def _ahead(rotation: tuple[float, ...]) -> np.ndarray:
    w, x, y, z = rotation
    return np.array([1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)])


def test_the_verb_writes_as_the_model_and_one_undo_takes_it_back(folder: Path) -> None:
    box = Cuboid((20.0, 9.0, 0.8), (4.4, 1.8, 1.5))
    with open_project(folder, person="Ana", tool="predictions lidar") as session:
        view = SampleView(session.store, session.open_sample(SAMPLE))
        stream = view.stream_by_key("lidar_top")
        assert stream is not None
        track = TrackedCuboid(number=0, label="car", score=0.9, times_ns=(0, 10), cuboids=(box, box), static=True)
        found = FoundTracks(stream=stream.id, frame="", origin=(0.0, 0.0, 0.0), tracks=(track,), sweeps=2)
        before = len(view.annotations)
        propose_tracks(session, view, found, found.tracks)
        newest = next(iter(session.store.revisions()))
        assert newest.header.actor.kind is ActorKind.MODEL
        assert newest.header.actor.name == "Ana"
        assert len(list(session.store.annotations(view.id))) == before + 1
        session.undo(rev=newest.rev)
        assert len(list(session.store.annotations(view.id))) == before
