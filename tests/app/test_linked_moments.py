"""Captures of fused labels, and moments under a profile: the truth is the generator's, or what is planted here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from drive_projects import SAMPLE, drive_project, short_drive

from workstation import open_project
from workstation.app.session import Session
from workstation.cli.main import main
from workstation.core.rights import ActorKind
from workstation.synth.truth import Truth

pytestmark = pytest.mark.slow
MS = 1_000_000


@pytest.fixture(scope="module")
def media(short_media: Path) -> Path:
    return short_media


@pytest.fixture(scope="module")
def robot(demo_once: Callable[[str], Path]) -> Path:
    return demo_once("robot")


def write(project: Path) -> Session:
    return open_project(project, person="Ana", kind=ActorKind.PERSON)


def printed(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main([*words, "--json"]) == code
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def with_pairs(made: Truth, folder: Path) -> tuple[Path, dict[str, dict[str, Any]]]:
    """The drive with a label on each capture that its links name; and the delivered link by the id made for it."""
    project = drive_project(made, folder)
    labels = {each["id"]: each for each in made.labels["annotations"]}
    found: dict[str, dict[str, Any]] = {}
    with write(project) as session, session.together("Label the captures") as run:
        entities = entities_of(session, labels)
        for link in made.labels["links"]:
            ends = [(labels[end["annotation"]], end["time_ns"]) for end in link["ends"] if "time_ns" in end]
            if link["type"] != "same-object" or ends[0][0]["entity"] not in entities:
                continue
            views = [shot(run, track, time_ns, entities[track["entity"]]) for track, time_ns in ends]
            found[run("link.add", sample=SAMPLE, type_id="same_object", ends={"view": views})] = link
    return project, found


def entities_of(session: Session, labels: dict[str, Any]) -> dict[str, str]:
    """The project's entity of each actor, known by where its first cuboid stands."""
    (sample,) = session.store.samples()
    places = {}
    for each in session.store.annotations(sample.id):
        first = next(iter(session.store.keyframes(each.id)), None)
        if first is not None and first.shape is not None and hasattr(first.shape, "center") and each.entity:
            places[tuple(first.shape.center)] = str(each.entity)
    return {
        each["entity"]: places[tuple(each["keyframes"][0]["shape"]["center"])]
        for each in labels.values()
        if each["id"].startswith("cuboid/") and tuple(each["keyframes"][0]["shape"]["center"]) in places
    }


def shot(run: Any, track: dict[str, Any], time_ns: int, entity: str) -> str:
    """One label on one capture, as the delivered track has it there."""
    (key,) = [key for key in track["keyframes"] if key["visible"] and key["time_ns"] == time_ns]
    made = run(
        "annotation.add", sample=SAMPLE, stream=track["stream"], entity=entity, shape=key["shape"], start_ns=time_ns,
        end_ns=time_ns + 1, attributes={"occlusion": "unknown"}, frame=track.get("frame"),
    )  # fmt: skip
    return f"annotation:{made}"


def test_a_correct_link_shows_its_residual_and_passes(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, links = with_pairs(short_drive(media), tmp_path / "p")
    rows = {row["link"]: row for row in printed(capsys, "sync", "pairs", str(project))}
    assert set(rows) >= set(links)  # those of whole tracks have one too
    assert all(abs(row["residual_ns"]) <= 50_000_000 for row in rows.values()), "half a turn of the LiDAR"
    assert len(links) >= 5
    for link, delivered in links.items():
        assert rows[link]["residual_ns"] == -delivered["residual_ns"], "the cuboid's capture minus the box's"
        assert abs(rows[link]["residual_ns"]) <= 16_700_000
        assert rows[link]["distance_m"] is not None
    found = printed(capsys, "validate", str(project), "--only", "moments")
    assert [each for each in found if "rule" in each and "text" in each] == []
    assert main(["sync", "pairs", str(project)]) == 0
    assert "ms" in capsys.readouterr().out


def test_a_link_to_the_next_sweep_is_flagged_with_milliseconds_and_metres(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = short_drive(media, "next_sweep")
    (planted,) = made.planted
    project, links = with_pairs(made, tmp_path / "p")
    (wrong,) = [link for link, delivered in links.items() if delivered["id"] in planted.items]
    found = [each for each in printed(capsys, "validate", str(project), "--only", "moments", code=1) if "text" in each]
    # The link as it was delivered, of whole tracks, and the one made here of its two captures.
    assert [each["rule"] for each in found] == ["moments.same_scan"] * 2
    (of_captures,) = (each for each in found if wrong in {item["id"] for item in each["items"]})
    residual_ms = planted.size - links[wrong]["residual_ns"] / 1e6
    for each in found:
        assert each["measured"] == pytest.approx(residual_ms, abs=0.001)
    assert f"meanwhile it moved {metres(made, links[wrong], residual_ms):.2f} m" in of_captures["text"]


def metres(made: Truth, link: dict[str, Any], residual_ms: float) -> float:
    """What the actor's own speed makes of it: a second source than the cuboids."""
    entity = link["ends"][0]["annotation"].rpartition("/")[2]
    (number,) = [each["number"] for each in made.truth["entities"] if each["key"] == entity]
    sweep = link["ends"][1]["time_ns"] // 100_000_000 - 1
    (speed,) = [row[6] for row in made.truth["poses"]["rows"] if row[:2] == [sweep, number]]
    return float(speed) * residual_ms / 1000


def test_one_sample_passes_as_dialogue_and_fails_as_robotics(
    robot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "p"
    shutil.copytree(robot, project)
    with open_project(project, kind=ActorKind.PERSON) as session:
        # Signals, which have no pictures whose length would allow more.
        session.open_sample("robot")
        for stream in ("joints", "force"):
            session.run("stream.set_latency", stream=f"robot/{stream}", latency_ns=15_000_000 * (stream == "force"))
        closing, contact = (
            session.run("annotation.add", stream=stream, class_id=class_id, shape=None, kind="span",
                        start_ns=500 * MS, end_ns=500 * MS)
            for stream, class_id in (("joints", "hand_closing"), ("force", "contact_start"))
        )  # fmt: skip
        session.run("link.add", type_id="coincides_with",
                    ends={"item": [f"annotation:{closing}", f"annotation:{contact}"]})  # fmt: skip
        session.run("project.set", profile="dialogue")
    assert [row for row in printed(capsys, "validate", str(project), "--only", "moments.apart") if "text" in row] == []
    with open_project(project, kind=ActorKind.PERSON) as session:
        session.run("project.set", profile="robotics")
    found = [
        row for row in printed(capsys, "validate", str(project), "--only", "moments.apart", code=1) if "text" in row
    ]
    assert {(row["measured"], row["limit"]) for row in found} == {(15.0, 10.0)}
    assert len(found) == 1
    with open_project(project, kind=ActorKind.PERSON) as session:
        session.run("project.set", tolerances={"sync_ms": 15.0})
    assert [row for row in printed(capsys, "validate", str(project), "--only", "moments.apart") if "text" in row] == []


def test_a_cup_said_to_be_occluded_in_a_view_needs_no_box_there(
    robot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """MV-06, with cameras that nobody calibrated."""
    project = tmp_path / "p"
    shutil.copytree(robot, project)
    with open_project(project, kind=ActorKind.PERSON) as session:
        sample = session.store.sample_by_key("robot")
        assert sample is not None
        wrist = next(each for each in session.store.streams(sample.id) if each.key == "wrist")
        cup = next(each for each in session.store.entities(sample.id) if each.class_id == "cup")
        boxes = [each.id for each in session.store.annotations(sample.id)
                 if each.entity == cup.id and each.stream == wrist.id and each.kind == "box"]  # fmt: skip
        session.run("annotation.delete", annotations=boxes, links="remove")
    (flag,) = [row for row in printed(capsys, "validate", str(project), "--only", "views", code=1) if "text" in row]
    assert flag["rule"] == "views.unlabelled"
    assert "cup is labelled on overhead, side and not on wrist" in flag["text"]
    with open_project(project, kind=ActorKind.PERSON) as session:
        session.open_sample("robot")
        session.run("link.absent", of=f"entity:{cup.id}", missing_in="stream:wrist", reason="occluded")
    assert [row for row in printed(capsys, "validate", str(project), "--only", "views") if "text" in row] == []
