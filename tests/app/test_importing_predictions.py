"""Predictions from elsewhere: what lands, as what, what is left out and why, where they disagree with the labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from workstation.app.opening import new_project, open_project
from workstation.app.reading import Formats
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.cli.main import main
from workstation.core.annotation import SourceKind, State
from workstation.store.media_files import record_file

HEADER = {"model": {"name": "elsewhere", "version": "3", "weights_sha256": "ab" * 32, "device": "CUDA"}}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One picture with two labelled cars, and a sound."""
    folder = tmp_path / "p"
    new_project(folder, profile="driving", person="Ana")
    (folder / "media").mkdir(exist_ok=True)
    picture = folder / "media" / "one.png"
    Image.fromarray(np.zeros((100, 200, 3), np.uint8)).save(picture)
    with open_project(folder, kind="person") as session:
        session.run("sample.add", key="s")
        session.run("gate.waive", sample="s", gate="sync", reason="one picture")
        session.run(
            "stream.add", sample="s", key="cam", kind="image", files=[msgspec.to_builtins(record_file(folder, picture))]
        )
        session.run("stream.add", sample="s", key="mic", kind="audio")
        for x in (10, 100):
            session.run(
                "annotation.add", sample="s", stream="cam", class_id="car", state="done",
                shape={"kind": "box", "x": x, "y": 10, "width": 40, "height": 40},
            )  # fmt: skip
    return folder


@pytest.fixture
def session(project: Path) -> Iterator[Session]:
    with open_project(project, read_only=True) as opened:
        yield opened


def write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


def box(x: float, *, class_id: str = "car", score: float = 0.9, **more: Any) -> dict[str, Any]:
    return {"class": class_id, "score": score, "box": [x, 10, 40, 40], **more}


def run(capsys: pytest.CaptureFixture[str], *typed: object) -> tuple[int, list[dict[str, Any]], str]:
    code = main([*map(str, typed), "--json"])
    said = capsys.readouterr()
    return code, [json.loads(line) for line in said.out.splitlines()], said.err


def proposals(project: Path) -> list[Any]:
    with open_project(project, read_only=True) as session:
        view = SampleView(session.store, next(iter(session.store.samples())).id)
        return [each for each in view.annotations.values() if each.source.kind is SourceKind.MODEL]


def test_lines_land_as_proposals_of_the_model_that_made_them(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "p.jsonl", HEADER, box(12), {
        "stream": "mic", "class": "horn", "score": 0.25, "start_s": 1.5, "end_s": 2,
    })  # fmt: skip
    code, (total,), _ = run(capsys, "predictions", "add", project, file)
    assert (code, total["read"], total["proposed"], total["left_out"]) == (0, 2, 2, 0)
    car, horn = proposals(project)
    assert {car.state, horn.state} == {State.PROPOSED}
    assert (car.confidence, car.shape.x, car.class_id) == (0.9, 12, "car")
    assert (horn.start_ns, horn.end_ns) == (1_500_000_000, 2_000_000_000)
    assert (car.source.name, car.source.version, car.source.device) == ("elsewhere", "3", "CUDA")
    assert car.source.weights_sha256 == "ab" * 32
    assert car.source.parameters == {"imported_from": "p.jsonl", "called": "car"}


def test_again_they_do_not_come_twice_nor_after_they_were_rejected(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "p.jsonl", HEADER, box(12))
    run(capsys, "predictions", "add", project, file)
    with open_project(project, kind="person") as session:
        session.run("annotation.reject", annotations=(proposals(project)[0].id,))
    _, (total,), _ = run(capsys, "predictions", "add", project, file)
    assert (total["proposed"], total["known"]) == (0, 1)
    assert [each.state for each in proposals(project)] == [State.REJECTED]


def test_classes_nobody_knows_are_listed_and_a_mapping_brings_them_in(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "p.jsonl", HEADER, box(12, class_id="automobile_7"), box(70, class_id="Car"))
    code, (total,), _ = run(capsys, "predictions", "add", project, file, "--dry-run")
    assert (code, total["proposed"], total["unmapped"]) == (1, 1, {"automobile_7": 1})
    assert proposals(project) == []
    code, (total,), _ = run(capsys, "predictions", "add", project, file, "--class", "automobile_7=car")
    assert (code, total["proposed"]) == (0, 2)


BAD = [
    ({"class": "car", "score": 2, "box": [0, 0, 5, 5]}, "score"),
    ({"class": "car", "score": "high", "box": [0, 0, 5, 5]}, "number"),
    ('{"class": "car", "score": NaN, "box": [0, 0, 5, 5]}', "usable"),
    ({"class": "car", "score": 0.5, "box": [0, 0, -5, 5]}, "drawn"),
    ({"class": "car", "score": 0.5, "box": [0, 0, 5]}, "4 numbers"),
    ({"class": "car", "score": 0.5, "box": [0, 0, 1e400, 5]}, "usable"),
    ({"class": "car", "score": 0.5}, "neither box"),
    ({"class": ["car"], "score": 0.5, "box": [0, 0, 5, 5]}, "text"),
    ({"class": "car", "score": 0.5, "box": [0, 0, 5, 5], "frame": 7}, "frame 7"),
    ({"class": "car", "score": 0.5, "box": [0, 0, 5, 5], "stream": "../x"}, "does not have"),
    ({"class": "horn", "score": 0.5, "stream": "mic", "start_s": 3, "end_s": 2}, "before it begins"),
    ({"class": "horn", "score": 0.5, "stream": "mic", "start_s": 1e30, "end_s": 1e31}, "usable time"),
    ({"class": "car", "score": 0.5, "cuboid": {"center": [0, 0, 0], "size": [1, 1, 1], "rotation": [0, 0, 0, 0]}},
     "quaternion"),
    ([1, 2], "object"),
]  # fmt: skip


def test_each_bad_row_is_left_out_with_its_line_and_reason_and_the_good_one_comes_in(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "p.jsonl", HEADER, *(row for row, _ in BAD), box(12))
    code, (total,), _ = run(capsys, "predictions", "add", project, file)
    assert (code, total["proposed"], total["left_out"]) == (1, 1, len(BAD))
    for number, ((_, word), reason) in enumerate(zip(BAD, total["reasons"], strict=True), 2):
        assert f"line {number}" in reason
        assert word in reason


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_a_file_that_is_no_json_is_refused_and_nothing_is_stored(
    content: bytes, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("p.jsonl", "p.json"):
        (tmp_path / name).write_bytes(content)
        assert main(["predictions", "add", str(project), str(tmp_path / name), "--model", "m"]) == 2
        assert name in capsys.readouterr().err
    assert proposals(project) == []


def test_coco_results_find_their_picture_and_category_by_number(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "images.json"
    images.write_text(json.dumps({
        "images": [{"id": 7, "file_name": "sub/one.png"}, {"id": 8, "file_name": "elsewhere.png"}],
        "categories": [{"id": 3, "name": "car"}],
    }))  # fmt: skip
    results = tmp_path / "r.json"
    results.write_text(json.dumps([
        {"image_id": 7, "category_id": 3, "bbox": [12, 10, 40, 40], "score": 0.75},
        {"image_id": 8, "category_id": 3, "bbox": [12, 10, 40, 40], "score": 0.75},
        {"image_id": 9, "category_id": 3, "bbox": [12, 10, 40, 40], "score": 0.75},
    ]))  # fmt: skip
    code, (total,), _ = run(capsys, "predictions", "add", project, results, "--images", images, "--model", "m")
    assert (code, total["proposed"], total["left_out"]) == (1, 1, 1)
    assert "image 9" in total["reasons"][0]
    assert [each.shape.x for each in proposals(project)] == [12]


def test_results_without_a_model_are_refused(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r.json").write_text("[]")
    assert main(["predictions", "add", str(project), str(tmp_path / "r.json")]) == 2
    assert "--model" in capsys.readouterr().err


def test_disagreements_come_largest_first_with_what_they_are(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [box(10, class_id="van", score=0.95), box(150, score=0.7)]  # the label at 10 is a car; at 100 none is found
    run(capsys, "predictions", "add", project, write(tmp_path / "p.jsonl", HEADER, *rows))
    code, listed, _ = run(capsys, "predictions", "compare", project)
    assert code == 1
    assert [(each["difference"], each["amount"]) for each in listed] == [
        ("another class", 0.95), ("not labelled", 0.7), ("not seen by the model", 0.6),
    ]  # fmt: skip
    assert all(each["stream"] == "cam" for each in listed)


def test_proposals_are_scored_against_the_labels(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [box(10, score=0.9), box(60, score=0.8), box(102, score=0.7)]  # right, wrong, right (38/42)
    run(capsys, "predictions", "add", project, write(tmp_path / "p.jsonl", HEADER, *rows))
    _, listed, _ = run(capsys, "predictions", "score", project)
    car = next(each for each in listed if each["class"] == "Car")
    assert (car["truths"], car["found"], car["recall"]) == (2, 3, 1.0)
    assert car["ap"] == pytest.approx((51 * 1 + 50 * 2 / 3) / 101, abs=1e-3)
    assert car["mean_iou"] == pytest.approx((1 + 38 / 42) / 2, abs=1e-3)


def test_a_stream_whose_file_is_gone_says_so_in_the_row(project: Path, session: Session, tmp_path: Path) -> None:
    from workstation.app.importing_predictions import Report, Target, read_lines

    view = SampleView(session.store, next(iter(session.store.samples())).id)
    with OpenStreams(project, readers=Formats().readers) as readers:
        report = Report()
        (project / "media" / "one.png").unlink()
        found = read_lines(write(tmp_path / "p.jsonl", HEADER, box(12)), Target(view, readers, {}), report)
    assert found == []
    assert "one.png" in report.reasons[0]


@pytest.fixture
def captioned(tmp_path: Path) -> Path:
    """One picture to be described."""
    folder = tmp_path / "c"
    new_project(folder, profile="vision_language", person="Ana")
    (folder / "media").mkdir(exist_ok=True)
    picture = folder / "media" / "one.png"
    Image.fromarray(np.zeros((100, 200, 3), np.uint8)).save(picture)
    with open_project(folder, kind="person") as session:
        session.run("sample.add", key="s")
        session.run(
            "stream.add", sample="s", key="cam", kind="image", files=[msgspec.to_builtins(record_file(folder, picture))]
        )
    return folder


def test_a_caption_that_a_model_drafts_waits_for_a_person(
    captioned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = {"class": "full_caption", "score": 0.6, "text": "A red cup left of a keyboard.", "language": "en"}
    file = write(tmp_path / "p.jsonl", HEADER, draft, draft | {"text": "A cup."}, draft | {"text": " "},
                 draft | {"class": "cup"})  # fmt: skip
    code, rows, said = run(capsys, "predictions", "add", captioned, file)
    assert code == 1, said
    made = proposals(captioned)
    assert {(each.text, each.state, each.source.name, each.kind.value) for each in made} == {
        (text, State.PROPOSED, "elsewhere", "tag") for text in ("A red cup left of a keyboard.", "A cup.")
    }
    assert "nor text" in str(rows)
    assert "class 'cup' may not be drawn as tag on cam" in str(rows).replace("\\", "")
    with open_project(captioned, kind="person") as session:
        session.open_sample("s")
        first = next(each.id for each in made if each.text == "A cup.")
        session.run("text.edit", annotation=first, text="A cup of tea.")
    code, _, _ = run(capsys, "predictions", "add", captioned, file)
    assert sorted((each.text, each.state) for each in proposals(captioned)) == [
        ("A cup of tea.", State.DRAFT), ("A red cup left of a keyboard.", State.PROPOSED),
    ]  # fmt: skip
