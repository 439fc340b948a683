"""Masks of boxes as a job: discs whose truth is drawn by the test, in a film and a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.tiny_graphs import prompt_folder
from workstation.app.models import add as add_model
from workstation.app.models import models_shelf
from workstation.app.opening import new_project, open_project
from workstation.cli.main import main
from workstation.core.annotation import SourceKind, State
from workstation.core.geometry import Mask
from workstation.core.pixels import mask_pixels

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("models_home")]
ONTOLOGY = """
version: 1
name: discs
language: en
modalities: [video, image]
classes:
  disc: {name: {en: Disc}, definition: Round., shapes: {video: [box, mask], image: [box, mask]}}
  frame: {name: {en: Frame}, definition: Has no pixels of its own., shapes: {video: [box], image: [box]}}
"""


def disc(number: int) -> np.ndarray:
    down, across = np.mgrid[:90, :140] + 0.5
    return np.hypot(across - 40 - 12 * number, down - 45) <= 18


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A film of five frames with a disc in each."""
    (tmp_path / "ontology.yaml").write_text(ONTOLOGY, encoding="utf-8")
    files = []
    for number in range(5):
        pixels = np.random.default_rng(number).integers(20, 60, (90, 140, 3), np.uint8)
        pixels[disc(number)] = (240, 200, 60)
        files.append(str(tmp_path / f"f_{number}.png"))
        Image.fromarray(pixels).save(files[-1])
    folder = new_project(tmp_path / "p", ontology=str(tmp_path / "ontology.yaml"), in_force=True, person="ann")
    assert main(["add", str(folder), *files, "--sample", "s", "--stream", "front", "--kind", "video"]) == 0
    return folder


def test_every_box_gets_a_mask_that_says_where_it_comes_from(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_project(project, person="ann", kind="person") as session:
        sample = next(iter(session.store.samples()))
        stream = next(iter(session.store.streams(sample.id)))
        thing = session.run("entity.add", sample=sample.id, class_id="disc", name="the disc")

        def box(number: int) -> dict[str, float | str]:
            return {"kind": "box", "x": 19 + 12 * number, "y": 24, "width": 42, "height": 42}

        def add(number: int, **more: object) -> str:
            times = {"start_ns": frame_ns(number), "end_ns": frame_ns(number)}
            made: str = session.run("annotation.add", sample=sample.id, stream=stream.id, shape=box(number),
                                    **times, **({"class_id": "disc"} | more))  # fmt: skip
            return made

        def frame_ns(number: int) -> int:
            return times_ns[number]

        from workstation.app.reading import Formats
        from workstation.app.streams import OpenStreams

        with OpenStreams(project, readers=Formats().readers) as readers:
            times_ns = readers.reader(stream).table.times_ns.tolist()  # type: ignore[attr-defined]
        first = add(0)
        add(1, entity=thing, class_id=None)
        track = session.run("track.add", sample=sample.id, stream=stream.id, class_id="disc",
                            keyframes=[{"time_ns": frame_ns(2), "shape": box(2)}])  # fmt: skip
        rejected = add(3)
        session.run("annotation.set_state", annotations=[rejected], state="rejected")
        add(4, class_id="frame")
        add(4, layer="gold")
    assert main(["prelabel", str(project), "--models", "grabcut"]) == 0
    assert "Frame (takes no masks)" in capsys.readouterr().out
    with open_project(project, read_only=True) as session:
        made = [each for each in session.store.annotations(sample.id) if each.source.kind is SourceKind.MODEL]
        made.sort(key=lambda each: each.start_ns or 0)
        assert [each.start_ns for each in made] == times_ns[:3]
        for number, each in enumerate(made):
            assert isinstance(each.shape, Mask)
            pixels = np.zeros((90, 140), bool)
            inside = mask_pixels(session.store.blob(each.shape.blob) or b"", each.shape.width, each.shape.height)
            x, y = each.shape.x, each.shape.y
            pixels[y : y + each.shape.height, x : x + each.shape.width] = inside
            both, either = (pixels & disc(number)).sum(), (pixels | disc(number)).sum()
            assert both / either > 0.9
            assert (each.state, each.source.name) == (State.PROPOSED, "grabcut")
        assert [each.source.parameters["from_box"] for each in made][::2] == [first, track]
        assert (made[1].entity, made[1].class_id) == (thing, None)
    assert main(["prelabel", str(project), "--models", "grabcut"]) == 0  # nothing new to fill
    # A pair of encoder and decoder as SAM has them, made of arithmetic: they are asked about every box as well.
    add_model(prompt_folder(tmp_path / "sam"), models_shelf())
    assert main(["prelabel", str(project), "--models", "tiny-sam", "--layer", "sam"]) == 0
    with open_project(project, person="ann", kind="person") as session:
        labels = list(session.store.annotations(sample.id))
        by_sam = [each for each in labels if each.source.name == "tiny-sam"]
        assert len(labels) == len(made) + 6 + len(by_sam)
        assert {each.start_ns for each in by_sam} == set(times_ns[:3])
        assert {each.layer for each in by_sam} == {"sam"}
        assert by_sam[0].source.weights_sha256
        session.run("annotation.accept", annotations=[made[0].id])
    for _ in range(2):  # what a person took is carried once; what is proposed only is not
        assert main(["prelabel", str(project), "--models", "optical-flow", "--frames", "2"]) == 0
    with open_project(project, read_only=True) as session:
        tracks = [each for each in session.store.annotations(sample.id) if each.source.name == "optical-flow"]
        (track,) = tracks
        assert (track.state, track.source.parameters["from_mask"]) == (State.PROPOSED, made[0].id)
        keys = session.store.keyframes(track.id)
        assert [each.time_ns for each in keys] == times_ns[1:3]
        for number, key in enumerate(keys, start=1):
            assert isinstance(key.shape, Mask)
            inside = mask_pixels(session.store.blob(key.shape.blob) or b"", key.shape.width, key.shape.height)
            pixels = np.zeros((90, 140), bool)
            pixels[key.shape.y : key.shape.y + key.shape.height, key.shape.x : key.shape.x + key.shape.width] = inside
            assert (pixels & disc(number)).sum() / (pixels | disc(number)).sum() > 0.8
