"""Things made, merged, split and agreed upon: what the preview says beforehand is what the commands then do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.one_sample import one_sample, view_of
from workstation.app.entity_preview import Preview, merged, split
from workstation.app.session import Session
from workstation.core.annotation import Comment
from workstation.core.records import RecordKind

MS = 1_000_000


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with one_sample(tmp_path / "p", cam="video") as opened:
        opened.run("stream.add", key="lidar", kind="cloud", frame="lidar")
        yield opened


def track(session: Session, stream: str, start_ms: int, end_ms: int, **said: object) -> str:
    shape = {"kind": "cuboid", "center": [9, 0, 0], "size": [4, 2, 2]}
    if stream == "cam":
        shape = {"kind": "box", "x": 1, "y": 1, "width": 9, "height": 9}
    keyframes = [{"time_ns": each * MS, "shape": shape} for each in (start_ms, (start_ms + end_ms) // 2, end_ms)]
    made: str = session.run("track.add", stream=stream, keyframes=keyframes, **said)
    return made


def thing_of(session: Session, label: str) -> str:
    found = view_of(session).annotations[label].entity
    assert found is not None
    return str(found)


def said(preview: Preview, *, warns: bool | None = None) -> str:
    lines = (line for part in preview.parts for line in part.lines)
    return "\n".join(line.text for line in lines if warns is None or line.warns is warns)


def test_a_merge_is_shown_before_it_is_done_and_one_undo_takes_it_back(session: Session) -> None:
    first, second = track(session, "cam", 0, 1000, class_id="car"), track(session, "cam", 600, 2000, class_id="van")
    third = track(session, "lidar", 0, 1000, class_id="van")
    car, van, other = (thing_of(session, each) for each in (first, second, third))
    session.run("link.add", type_id="absent", ends={"item": f"entity:{van}", "missing_from": "stream:lidar"},
                reason="occluded")  # fmt: skip
    view = view_of(session)
    preview = merged(view, car, van)
    assert "box track on cam, 0.60–2.00 s, 3 keyframes → Car 1" in said(preview)
    assert "two boxes on cam from 0.60 to 1.00 s: 1 keyframe inside the other's" in said(preview, warns=True)
    assert "its labels keep Van" in said(preview, warns=True)
    assert "will end at Car 1" in said(preview)
    assert "Van 2 goes; the number 2 is never used again" in said(preview)
    session.run("entity.merge", entity=car, other=van)
    view = view_of(session)
    assert van not in view.entities
    assert view.annotations[second].entity == car
    assert view.annotations[second].class_id == "van"
    assert next(end.target for link in view.links.values() for end in link.ends) == car
    session.undo()
    assert view_of(session).annotations[second].entity == van
    assert other in view_of(session).entities


def test_an_agreed_class_is_in_the_preview_and_everywhere_afterwards(session: Session) -> None:
    """VAL-12: one act sets the class in camera and cloud, and history says who decided."""
    box, cuboid = track(session, "cam", 0, 1000, class_id="van"), track(session, "lidar", 0, 1000, class_id="truck")
    van, truck = thing_of(session, box), thing_of(session, cuboid)
    assert "all labels become Truck" in said(merged(view_of(session), van, truck, "truck"))
    assert merged(view_of(session), van, truck, "truck").conflicts == 0
    session.run("entity.merge", entity=van, other=truck)
    before = session.store.head()
    session.run("entity.decide_class", entity=van, class_id="truck", reason="the box body shows in the rear camera")
    view = view_of(session)
    assert {view.class_of(each) for each in view.annotations.values()} == {"truck"}
    assert all(each.class_id is None for each in view.annotations.values())
    assert session.store.head() == before + 1
    (comment,) = session.store.records(RecordKind.COMMENT)
    assert isinstance(comment, Comment)
    assert (comment.target, comment.text) == (van, "the box body shows in the rear camera")
    session.undo()
    view = view_of(session)
    assert {view.class_of(each) for each in view.annotations.values()} == {"van", "truck"}


def test_a_split_says_what_goes_and_what_a_link_would_then_join(session: Session) -> None:
    box, cuboid = track(session, "cam", 0, 1000, class_id="car"), track(session, "lidar", 0, 1000, class_id="car")
    car = thing_of(session, box)
    session.run("entity.merge", entity=car, other=thing_of(session, cuboid))
    session.run("link.add", type_id="same_object", ends={"view": [f"annotation:{box}", f"annotation:{cuboid}"]})
    preview = split(view_of(session), [cuboid], "van")
    assert "cuboid track on lidar, 0.00–1.00 s, 3 keyframes → the new Van" in said(preview)
    assert "box track on cam, 0.00–1.00 s, 3 keyframes stays Car 1" in said(preview)
    assert "what goes becomes Van" in said(preview)
    assert "would then join two things" in said(preview, warns=True)
    made = session.run("entity.split", annotations=[cuboid], class_id="van")
    view = view_of(session)
    assert view.annotations[cuboid].entity == made
    assert view.entities[made].number == 3  # 1 and 2 were given
    session.undo()
    assert thing_of(session, cuboid) == car


@pytest.mark.parametrize("which", ["nothing", "all", "of two things"])
def test_a_split_that_cannot_be_says_why(which: str, session: Session) -> None:
    box, other = track(session, "cam", 0, 1000, class_id="car"), track(session, "cam", 0, 1000, class_id="car")
    chosen = {"nothing": [], "all": [box], "of two things": [box, other]}[which]
    assert split(view_of(session), chosen).why_not
    assert not split(view_of(session), chosen).parts


def test_a_thing_is_not_merged_with_itself(session: Session) -> None:
    car = thing_of(session, track(session, "cam", 0, 1000, class_id="car"))
    assert merged(view_of(session), car, car).why_not
    assert merged(view_of(session), car, "").why_not
