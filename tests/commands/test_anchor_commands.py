"""Marks of other streams begin with a sound, keep the tie, and go along when the sound's label is moved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workstation.app.opening import new_project, open_project
from workstation.app.session import Session
from workstation.core.anchors import left_behind
from workstation.core.annotation import Annotation
from workstation.core.errors import UserError
from workstation.core.records import RecordKind
from workstation.core.rights import ActorKind
from workstation.core.timebase import TimeMap

MS = 1_000_000
LATE_MS = 30


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    project = new_project(tmp_path / "anchored", profile="driving", person="Ana")
    with open_project(project, kind=ActorKind.PERSON, person="Ana") as opened:
        opened.run("sample.add", key="drive")
        for key, kind, late in (("microphone", "audio", 0), ("can", "series", LATE_MS)):
            opened.run("stream.add", sample="drive", key=key, kind=kind, time_map=TimeMap(knots=((0, late * MS),)))
        opened.open_sample("drive")
        yield opened


def mark(session: Session, stream: str, class_id: str, start_ms: int, end_ms: int) -> str:
    return str(
        session.run(
            "annotation.add", sample="drive", stream=stream, class_id=class_id, kind="span", shape={"kind": "span"},
            start_ns=start_ms * MS, end_ns=end_ms * MS,
        )
    )  # fmt: skip


def span(session: Session, label: str) -> tuple[float, float]:
    found = session.store.get(RecordKind.ANNOTATION, label)
    assert isinstance(found, Annotation)
    assert found.start_ns is not None
    assert found.end_ns is not None
    return found.start_ns / MS, found.end_ns / MS


def test_a_braking_mark_snaps_to_the_horn_keeps_the_tie_and_goes_along(session: Session) -> None:
    horn, braking = mark(session, "microphone", "horn", 14_327, 15_300), mark(session, "can", "braking", 14_500, 15_000)
    session.run("anchor.snap", anchor=horn, annotations=[braking])
    assert span(session, braking) == (14_327 - LATE_MS, 14_827 - LATE_MS)  # by its own clock, as long as it was
    assert len(list(session.store.links_of(horn))) == 1
    session.run("anchor.snap", anchor=horn, annotations=[braking])
    assert len(list(session.store.links_of(horn))) == 1  # tied already
    assert list(left_behind(session.store, session.store.ontology(), [horn])) == []

    session.run("bulk.move", sample="drive", by_ns=-200 * MS, annotations=[horn])
    (behind,) = left_behind(session.store, session.store.ontology(), [horn])
    assert (behind.dependent, behind.moved_ns) == (braking, -200 * MS)
    assert (
        list(left_behind(session.store, session.store.ontology(), [braking])) == []
    )  # a mark of the bus is nobody's anchor
    session.run("anchor.follow", anchor=horn)
    assert span(session, braking) == (14_127 - LATE_MS, 14_627 - LATE_MS)
    assert list(left_behind(session.store, session.store.ontology(), [horn])) == []
    session.undo()
    assert span(session, braking) == (14_327 - LATE_MS, 14_827 - LATE_MS)
    assert len(list(left_behind(session.store, session.store.ontology(), [horn]))) == 1


def test_what_cannot_be_tied_is_refused(session: Session) -> None:
    horn = mark(session, "microphone", "horn", 1_000, 2_000)
    with pytest.raises(UserError, match="its own anchor"):
        session.run("anchor.snap", anchor=horn, annotations=[horn])
    with pytest.raises(UserError, match="stayed behind"):
        session.run("anchor.follow", anchor=horn)
