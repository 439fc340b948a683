"""One thing in camera and LiDAR: its three parts, what each sensor says of it, and what an export keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from workstation.app.inspecting import sections_of
from workstation.app.inspecting_edits import Change, make_change
from workstation.app.opening import new_project, open_project
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.app.three_parts import three_parts
from workstation.app.transfer import export_history, import_history
from workstation.app.usual_sizes import usual_size
from workstation.core.annotation import Entity, State
from workstation.core.geometry import Cuboid
from workstation.core.poses import RigidTransform
from workstation.core.space import Calibration, Frame, FrameTree
from workstation.formats.native import NATIVE

MS = 1_000_000


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A camera and a LiDAR that need no files for their labels."""
    new_project(tmp_path / "p", profile="driving", person="Ada")
    with open_project(tmp_path / "p", role="lead", kind="person") as opened:
        opened.run("sample.add", key="s")
        opened.open_sample("s")
        opened.run("stream.add", key="cam", kind="video", frame="cam")
        opened.run("stream.add", key="lidar", kind="cloud", frame="lidar")
        yield opened


def view_of(session: Session) -> SampleView:
    assert session.sample is not None
    return SampleView(session.store, session.sample)


def car(session: Session, *, size: tuple[float, float, float] = (4.4, 1.8, 1.5), yaw: Any = (1, 0, 0, 0)) -> Entity:
    """A car with a cuboid that goes 10 m ahead in a second, and a box."""
    keyframes = [
        {"time_ns": ms * MS, "shape": {"kind": "cuboid", "center": [x, 0, 0.7], "size": size, "rotation": yaw}}
        for ms, x in ((0, 5.0), (1000, 15.0))
    ]
    track = session.run("track.add", stream="lidar", class_id="car", keyframes=keyframes, frame="lidar")
    made = view_of(session)
    thing = made.annotations[track].entity
    assert thing is not None
    box = {"kind": "box", "x": 10, "y": 10, "width": 40, "height": 30}
    session.run("annotation.add", stream="cam", entity=thing, shape=box, start_ns=0, end_ns=500 * MS)
    return view_of(session).entities[thing]


def tree() -> FrameTree:
    frames = (Frame(name="lidar", parent="world", parent_from_child=RigidTransform()),)
    return FrameTree(Calibration(frames=frames))


def ticks(session: Session, thing: Entity, ms: int = 0) -> list[bool]:
    return [part.fits for part in three_parts(view_of(session), thing, ms * MS, tree())]


def test_a_whole_thing_has_three_ticks_and_loses_the_one_for_its_box(session: Session) -> None:
    """PC-10."""
    thing = car(session)
    assert ticks(session, thing) == [True, True, True]
    assert ticks(session, thing, 700) == [True, False, True]  # the box ends before
    (box,) = [each for each in view_of(session).annotations.values() if each.kind.value == "box"]
    session.run("annotation.delete", annotations=[box.id])
    assert ticks(session, thing) == [True, False, True]
    (section,) = [
        each
        for each in sections_of(view_of(session), (next(iter(view_of(session).annotations)),), 0, tree())
        if each.title.startswith("This thing")
    ]
    assert [field.wrong for field in section.fields] == [False, True, False]


def test_a_wrong_size_a_wrong_heading_and_another_class_are_said(session: Session) -> None:
    assert ticks(session, car(session, size=(12.0, 1.8, 1.5))) == [False, True, True]
    sideways = car(session, yaw=(0.7071067811865476, 0, 0, 0.7071067811865476))
    part = three_parts(view_of(session), sideways, 0, tree())[0]
    assert not part.fits
    assert "90° off its heading" in part.text
    backing = car(session, yaw=(0, 0, 0, 1))
    assert ticks(session, backing)[0]  # backing up is no mistake
    (box,) = [e for e in view_of(session).annotations_of_entity(backing.id) if e.kind.value == "box"]
    session.run("annotation.relabel", annotations=[box.id], class_id="van", here=True)
    parts = three_parts(view_of(session), backing, 0, tree())
    assert [part.fits for part in parts] == [True, True, False]
    assert parts[2].text == "also Van"


def test_occlusion_and_confidence_differ_by_sensor_and_are_exported(session: Session, tmp_path: Path) -> None:
    """PC-08 and PC-13: strong in the camera, weak and occluded in LiDAR, on one thing."""
    thing = car(session)
    labels = {each.kind.value: each for each in view_of(session).annotations_of_entity(thing.id)}
    for kind, sure, hidden in (("box", 0.9, "none"), ("cuboid", 0.3, "heavy")):
        ids = (labels[kind].id,)
        with session.together("say") as run:
            make_change(run, Change(view=view_of(session), ids=ids, key="confidence", value=sure, now_ns=0))
            make_change(run, Change(view=view_of(session), ids=ids, key="attribute:occlusion", value=hidden, now_ns=0))
    target, again = tmp_path / "out.jsonl", tmp_path / "again"
    export_history(session, NATIVE, target, progress=lambda *_: None)
    import_history(NATIVE, target, again, progress=lambda *_: None)
    with open_project(again, read_only=True) as other:
        sample = next(iter(other.store.samples()))
        found = {each.kind.value: each for each in other.store.annotations(sample.id)}
    assert {kind: each.confidence for kind, each in found.items()} == {"box": 0.9, "cuboid": 0.3}
    assert {kind: each.attributes["occlusion"] for kind, each in found.items()} == {"box": "none", "cuboid": "heavy"}
    assert {each.entity for each in found.values()} == {thing.id}


def test_a_typed_number_is_the_tracks(session: Session) -> None:
    thing = car(session)
    (track,) = [e for e in view_of(session).annotations_of_entity(thing.id) if e.track is not None]
    with session.together("type") as run:
        make_change(run, Change(view=view_of(session), ids=(track.id,), key="shape:size.0", value=4.8, now_ns=0))
    shapes = [each.shape for each in view_of(session).keyframes(track.id)]
    assert [each.size[0] for each in shapes if isinstance(each, Cuboid)] == [4.8, 4.8]


def test_the_size_that_the_ontology_states_comes_first(tmp_path: Path) -> None:
    text = (
        "version: 1\nname: Own\nlanguage: en\nmodalities: [cloud]\nclasses:\n"
        "  car: {shapes: {cloud: [cuboid]}, usual_size_m: [4, 2, 1.25],\n"
        "    children: {taxi: {}, bus: {usual_size_m: [12, 3, 3]}}}\n"
        "  van: {shapes: {cloud: [cuboid]}}\n"
    )
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    new_project(tmp_path / "p", ontology=str(tmp_path / "own.yaml"), in_force=True, person="Ada")
    with open_project(tmp_path / "p", role="lead", kind="person") as session:
        session.run("sample.add", key="s")
        session.open_sample("s")
        session.run("stream.add", key="lidar", kind="cloud")
        shape = {"kind": "cuboid", "center": (0, 0, 0), "size": (5.0, 1.9, 1.6)}
        for class_id in ("car", "car", "car", "van", "van", "van"):
            session.run("annotation.add", stream="lidar", class_id=class_id, shape=shape)
        view = view_of(session)
        assert usual_size(view, "car") == usual_size(view, "taxi") == (4.0, 2.0, 1.25)
        assert usual_size(view, "bus") == (12.0, 3.0, 3.0)
        assert usual_size(view, "van") == (5.0, 1.9, 1.6)  # nothing is stated: as labelled


def test_the_usual_size_is_the_labelled_one_once_there_are_a_few(session: Session) -> None:
    assert usual_size(view_of(session), "sedan") == (4.7, 1.8, 1.45)
    assert usual_size(view_of(session), "officer") == (0.8, 0.65, 1.75)  # the nearest class above
    assert usual_size(view_of(session), None) is None
    for length in (5.0, 5.2, 5.1):
        car(session, size=(length, 1.9, 1.6))
    assert usual_size(view_of(session), "car") == pytest.approx((5.1, 1.9, 1.6))


def test_a_cuboid_that_was_rejected_stands_nowhere_as_in_pictures(session: Session) -> None:
    thing = car(session)
    track = next(each for each in view_of(session).annotations.values() if each.track is not None)

    def there() -> list[str]:
        with OpenStreams(session.project.path) as readers:
            return [key for placed in PlacedCuboids(view_of(session), readers).at(500 * MS) for key in placed.ids]

    assert thing.id == track.entity
    assert there() == [track.id]
    with session.store.transaction("Propose") as tx:
        tx.put(replace(track, state=State.PROPOSED, confidence=0.6))
    assert there() == [track.id]
    session.run("annotation.reject", annotations=[track.id])
    assert there() == []
    session.undo()
    assert there() == [track.id]
