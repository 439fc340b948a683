"""How far relations have come: coverage and agreement counted by hand, and link types that a project does without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.one_sample import one_sample
from workstation.app.linking import offers, refusals
from workstation.app.opening import open_project
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.app.sightings import Sightings
from workstation.app.suggesting import suggestions
from workstation.cli.main import main
from workstation.core.errors import UserError
from workstation.core.records import RecordKind
from workstation.core.sample import Parked

MS = 1_000_000
BOX = {"kind": "box", "x": 10, "y": 10, "width": 40, "height": 30}
CUBOID = {"kind": "cuboid", "center": [5, 0, 0], "size": [4, 2, 2]}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A drive with three horns and three cars in the picture, of which one has a cuboid."""
    with one_sample(tmp_path / "p", front="video", mic="audio", lidar="cloud") as opened:
        yield opened


def horn(session: Session, at_ms: int, **more: Any) -> str:
    times = {"start_ns": at_ms * MS, "end_ns": (at_ms + 500) * MS}
    made: str = session.run("annotation.add", stream="mic", class_id="horn", shape={"kind": "span"}, **times, **more)
    return made


def car(session: Session, number: int) -> str:
    made: str = session.run("entity.add", class_id="car", name=f"c{number}")
    session.run("annotation.add", stream="front", entity=made, start_ns=0, end_ns=MS, shape=BOX,
                attributes={"occlusion": "unknown"})  # fmt: skip
    return made


def comes_from(session: Session, sound: str, thing: str, **more: Any) -> str:
    ends = {"sound": f"annotation:{sound}", "source": f"entity:{thing}"}
    made: str = session.run("link.add", type_id="sound_source", ends=ends, rationale="it hoots", **more)
    return made


def report(session: Session, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["report", "links", str(session.project.path), "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_link_that_counts_most_comes_first_with_its_coverage(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """LINK-21. Of three horns one is linked and one has its source off-screen; of three cars one hoots."""
    sounds, cars = [horn(session, at) for at in (0, 1000, 2000)], [car(session, n) for n in range(3)]
    comes_from(session, sounds[0], cars[0])
    comes_from(session, sounds[2], cars[1], state="proposed")  # nobody stands for it yet
    session.run("link.absent", of=f"annotation:{sounds[1]}", missing_in="stream:front", reason="source_off_screen",
                rationale="from behind the vehicle")  # fmt: skip
    session.run("link.absent", of=f"entity:{cars[2]}", missing_in="stream:lidar", reason="no_return")
    session.run("project.set", main_link="sound_source")
    first, *rest = report(session, capsys)
    assert (first["link"], first["main"], first["made"]) == ("sound_source", True, 1)
    assert not any(each["main"] for each in rest)
    by_role = {each["role"]: each for each in first["coverage"]}
    assert (by_role["sound"]["may"], by_role["sound"]["linked"], by_role["sound"]["absent"]) == (3, 1, 1)
    assert (by_role["source"]["may"], by_role["source"]["linked"], by_role["source"]["absent"]) == (3, 1, 0)
    assert main(["report", "links", str(session.project.path)]) == 0
    line = capsys.readouterr().out.splitlines()[0]
    assert line.startswith("* Comes from: sound 67% (2 of 3, 1 of them absent with a reason); source 33% (1 of 3)")
    assert "agreement not measured: no sample was linked in two layers" in line


def test_lidar_and_camera_count_things_that_are_in_both(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    cars = [car(session, n) for n in range(4)]
    session.run("annotation.add", stream="lidar", entity=cars[0], start_ns=0, end_ns=MS, shape=CUBOID, frame="lidar")
    session.run("link.absent", of=f"entity:{cars[1]}", missing_in="stream:lidar", reason="no_return")
    session.run("project.set", main_link="same_object")
    (figure, *_) = report(session, capsys)
    (covered,) = figure["coverage"]
    assert (covered["may"], covered["linked"], covered["absent"], covered["share"]) == (4, 1, 1, 0.5)


def test_agreement_is_what_two_layers_linked_alike(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    """Ana and Ben: one horn alike (each marked it), one to another car, one that only Ana linked: 2 × 1 of 5."""
    cars = [car(session, n) for n in range(2)]
    ana = [horn(session, at) for at in (0, 1000, 2000)]
    ben = [horn(session, at + 20, layer="ben") for at in (0, 1000)]
    for sound, thing in zip(ana, (cars[0], cars[0], cars[1]), strict=True):
        comes_from(session, sound, thing)
    for sound, thing in zip(ben, (cars[0], cars[1]), strict=True):
        comes_from(session, sound, thing, layer="ben")
    figure = next(each for each in report(session, capsys) if each["link"] == "sound_source")
    assert (figure["agreement"], figure["agreement_samples"]) == (0.4, 1)


def test_relations_that_are_off_are_offered_and_proposed_to_nobody_and_stay_where_they_are(session: Session) -> None:
    sound, thing = horn(session, 0), car(session, 1)
    there = comes_from(session, sound, thing)
    session.run("link.remove", links=[comes_from(session, horn(session, 900), thing)])
    assert session.sample is not None
    view = SampleView(session.store, session.sample)
    picks = [each.id for each in view.annotations.values()][:2]
    known = {each.type_id for each in offers(view, *picks)} | {each.type_id for each in refusals(view, *picks)}
    off = [each for each in known if each != "same_object"]
    session.run("project.set", main_link="same_object", links_off=off)
    assert {each.type_id for each in offers(view, *picks)} | {each.type_id for each in refusals(view, *picks)} <= {
        "same_object"
    }
    assert suggestions(Sightings(view), ("time", "wording")).new == ()
    with pytest.raises(UserError, match="'sound_source' is switched off in this project"):
        comes_from(session, sound, thing)
    session.run("link.edit", link=there, rationale="it hoots twice")  # what is there is still looked after
    session.undo()
    session.run("project.set", links_off=[])
    comes_from(session, horn(session, 5000), thing)


@pytest.mark.parametrize(("said", "why"), [
    ({"main_link": "same_objekt"}, "no link type 'same_objekt'; did you mean same_object"),
    ({"links_off": ["nothing"]}, "no link type 'nothing'"),
    ({"main_link": "speaks", "links_off": ["speaks"]}, "counts most in this project and cannot be switched off"),
])  # fmt: skip
def test_a_slip_in_the_settings_is_told(session: Session, said: dict[str, Any], why: str) -> None:
    with pytest.raises(UserError, match=why):
        session.run("project.set", **said)


def test_the_choice_stands_in_project_yaml_and_can_be_edited_there(session: Session) -> None:
    path = session.project.path
    session.run("project.set", main_link="speaks", links_off=["during"])
    session.close()
    mirror = path / "project.yaml"
    text = mirror.read_text(encoding="utf-8")
    assert "main_link: speaks" in text
    mirror.write_text(text.replace("main_link: speaks", "main_link: same_object"), encoding="utf-8")
    with open_project(path, person="Ana", kind="person") as again:
        (parked,) = [each for each in again.store.records(RecordKind.PARKED) if isinstance(each, Parked)]
        again.run("proposal.accept", parked=parked.id)
        project = again.store.project()
        assert project is not None
        assert (project.main_link, project.links_off) == ("same_object", ("during",))
