"""Links proposed between voices and faces, sounds and vehicles, words and events. Truth is what the tests place, and
for mouths that move the generator of the talk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.one_sample import one_sample, view_of
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.reading import Formats
from workstation.app.session import Session
from workstation.app.sightings import Sightings
from workstation.app.streams import OpenStreams
from workstation.app.suggesting import propose, suggestions
from workstation.core.annotation import State
from workstation.core.suggestion import Suggestion

MS = 1_000_000


def opened(folder: Path, profile: str) -> Iterator[Session]:
    with one_sample(folder, profile, film="video", mic="audio", lidar="cloud", notes="text") as session:
        yield session


@pytest.fixture
def driving(tmp_path: Path) -> Iterator[Session]:
    yield from opened(tmp_path / "drive", "driving")


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Session]:
    yield from opened(tmp_path / "talk", "dialogue")


def found(session: Session, rule: str) -> tuple[Suggestion, ...]:
    view = view_of(session)
    with OpenStreams(session.project.path, readers=Formats().readers) as readers:
        return suggestions(Sightings(view, PlacedCuboids(view, readers)), (rule,)).new


def span(session: Session, stream: str, class_id: str, start_ms: int, end_ms: int, **said: Any) -> str:
    times = {"start_ns": start_ms * MS, "end_ns": end_ms * MS}
    made: str = session.run("annotation.add", stream=stream, class_id=class_id, shape={"kind": "span"}, **times, **said)
    return made


def face(session: Session, person: str, start_ms: int, end_ms: int) -> str:
    shape = {"kind": "box", "x": 10, "y": 10, "width": 40, "height": 50}
    made: str = session.run(
        "track.add", stream="film", entity=person,
        keyframes=[{"time_ns": each * MS, "shape": shape, "presence": "visible"} for each in (start_ms, end_ms)],
    )  # fmt: skip
    return made


# --- voices -----------------------------------------------------------------------------------------------------


def test_the_one_face_that_is_there_is_proposed_and_says_that_it_was_alone(talk: Session) -> None:
    ana = talk.run("entity.add", class_id="customer", name="Ana")
    ben = talk.run("entity.add", class_id="agent", name="Ben")
    face(talk, ana, 0, 5_000)
    face(talk, ben, 6_000, 9_000)
    turn = span(talk, "mic", "turn", 1_000, 3_000)
    (only,) = found(talk, "voice")
    assert (only.type_id, only.targets) == ("speaks", {turn, ana})
    assert "100%" in only.evidence
    assert "nobody else" in only.evidence


def test_two_faces_that_nobody_measured_are_not_told_apart(talk: Session) -> None:
    for name in ("Ana", "Ben"):
        face(talk, talk.run("entity.add", class_id="customer", name=name), 0, 5_000)
    span(talk, "mic", "turn", 1_000, 3_000)
    assert found(talk, "voice") == ()


def test_a_turn_with_its_speaker_is_left_alone_and_a_refused_one_stays_refused(talk: Session) -> None:
    ana = talk.run("entity.add", class_id="customer", name="Ana")
    face(talk, ana, 0, 5_000)
    turn = span(talk, "mic", "turn", 1_000, 3_000)
    with talk.together("Propose") as run:
        (link,) = propose(run, view_of(talk), found(talk, "voice"))
    talk.run("link.reject", links=(link,))
    assert view_of(talk).links[link].state is State.REJECTED
    assert found(talk, "voice") == ()
    span(talk, "mic", "turn", 3_000, 4_000, entity=ana)
    assert found(talk, "voice") == ()
    assert view_of(talk).annotations[turn].entity is None


# --- sounds -----------------------------------------------------------------------------------------------------


def car(session: Session, name: str, x: float, **said: Any) -> str:
    entity: str = session.run("entity.add", class_id=said.pop("class_id", "car"), name=name)
    shape = {"kind": "cuboid", "center": [x, 0, 0], "size": [4, 2, 1.5], "rotation": [1, 0, 0, 0]}
    session.run(
        "track.add", stream="lidar", entity=entity, frame="lidar",
        keyframes=[{"time_ns": at * MS, "shape": shape, "presence": "visible", **said} for at in (0, 9_000)],
    )  # fmt: skip
    return entity


def test_a_horn_is_the_nearest_vehicles(driving: Session) -> None:
    driving.run("stream.set", stream="lidar", frame="lidar")
    near, _far = car(driving, "near", 8.0), car(driving, "far", 20.0)
    car(driving, "cone", 2.0, class_id="traffic_cone")
    car(driving, "hidden", 5.0, presence="occluded")
    horn = span(driving, "mic", "horn", 2_000, 2_500)
    span(driving, "mic", "speech", 3_000, 4_000, text="watch out")  # said by somebody, and by no car
    (only,) = found(driving, "source")
    assert (only.type_id, only.targets) == ("sound_source", {horn, near})
    assert "8.0 m" in only.evidence
    assert "20.0 m" in only.evidence
    assert only.confidence == pytest.approx(0.6 - 0.35 * 8 / 20, abs=0.01)


def test_a_voice_does_not_come_from_the_nearest_car(driving: Session) -> None:
    """The starter for driving counts speech among the sounds; the commentary of a drive is nobody's horn."""
    driving.run("stream.set", stream="lidar", frame="lidar")
    near = car(driving, "near", 8.0)
    span(driving, "mic", "speech", 2_000, 2_500)
    assert found(driving, "source") == ()
    span(driving, "mic", "horn", 3_000, 3_500)
    (only,) = found(driving, "source")
    assert near in only.targets


def test_a_horn_is_no_walkers_and_a_siren_only_an_emergency_vehicles(driving: Session) -> None:
    driving.run("stream.set", stream="lidar", frame="lidar")
    car(driving, "walker", 4.0, class_id="pedestrian")
    near, help_comes = car(driving, "near", 8.0), car(driving, "ambulance", 20.0, class_id="emergency_vehicle")
    horn = span(driving, "mic", "horn", 2_000, 2_500)
    siren = span(driving, "mic", "siren", 5_000, 5_500)
    assert [each.targets for each in found(driving, "source")] == [{horn, near}, {siren, help_comes}]


def test_a_horn_out_of_reach_of_every_vehicle_is_left_open(driving: Session) -> None:
    driving.run("stream.set", stream="lidar", frame="lidar")
    car(driving, "far", 90.0)
    span(driving, "mic", "horn", 2_000, 2_500)
    assert found(driving, "source") == ()


# --- words ------------------------------------------------------------------------------------------------------


def test_words_are_joined_with_the_event_they_name_nearest_in_time(driving: Session) -> None:
    horn = span(driving, "mic", "horn", 2_000, 2_500)
    span(driving, "mic", "horn", 7_000, 7_500)
    span(driving, "mic", "siren", 2_600, 3_000)
    shape = {"kind": "text_span", "parts": [[0, 4]], "quote": "horn"}
    phrase = driving.run(
        "annotation.add", stream="notes", class_id="horn", shape=shape, start_ns=3_000 * MS, end_ns=3_400 * MS,
        language="en",
    )  # fmt: skip
    (only,) = found(driving, "spoken")
    assert only.targets == {phrase, horn}
    assert "0.50 s apart" in only.evidence
    assert "the next is 3.60 s apart" in only.evidence
