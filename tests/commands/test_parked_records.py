"""Records from outside that did not fit: parked word for word, mapped by a person, never bent and never dropped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ontology_project import OntologyProject

from workstation.commands.parked import Mapped, discard, map_value, park
from workstation.core.annotation import Annotation, Link, LinkEnd, Record, TargetKind
from workstation.core.errors import Refused, UserError
from workstation.core.ids import LinkId, RecordId
from workstation.core.records import RecordKind, encode, record_kind
from workstation.core.sample import Parked, ParkedState


@pytest.fixture
def project(tmp_path: Path) -> Iterator[OntologyProject]:
    made = OntologyProject(tmp_path)
    yield made
    made.store.close()


def bring(project: OntologyProject, *records: Record, origin: str = "kitti") -> list[RecordId]:
    """What an importer does: what the gate refuses is parked."""
    parked = []
    for record in records:
        try:
            project.put(record)
        except Refused as refusal:
            with project.store.transaction("Park") as tx:
                parked.append(
                    park(
                        tx,
                        origin=origin,
                        kind=record_kind(record).value,
                        payload=encode(record).decode(),
                        problems=refusal.problems,
                        sample=project.sample,
                    )
                )
    return parked


def say(project: OntologyProject, value: str, meaning: str, origin: str = "kitti") -> Mapped:
    with project.store.transaction("Map", actor=project.anna) as tx:
        return map_value(tx, origin=origin, value=value, meaning=meaning)


def parked(project: OntologyProject, parked_id: RecordId) -> Parked:
    found = project.all(RecordKind.PARKED)[parked_id]
    assert isinstance(found, Parked)
    return found


def test_an_unknown_value_is_parked_and_comes_in_once_it_is_mapped(project: OntologyProject) -> None:
    known, unknown = project.box("car"), project.box("automobil", text="word for word ä")
    (waiting,) = bring(project, known, unknown)
    assert set(project.all(RecordKind.ANNOTATION)) == {known.id}
    kept = parked(project, waiting)
    assert kept.payload == encode(unknown).decode()
    assert "no class 'automobil'" in kept.problems[0]
    assert say(project, "automobil", "car") == Mapped((waiting,), ())
    found = project.all(RecordKind.ANNOTATION)[unknown.id]
    assert isinstance(found, Annotation)
    assert (found.class_id, found.text, found.ontology_version) == ("car", "word for word ä", 1)
    after = parked(project, waiting)
    assert (after.state, after.resolution) == (ParkedState.MAPPED, "automobil → car")
    assert after.payload == kept.payload


def test_what_belongs_to_a_parked_thing_comes_in_with_it(project: OntologyProject) -> None:
    thing = project.entity("automobil", 1)
    seen = project.box(None, entity=thing.id)
    other = project.box("Fussgaenger")
    ends = tuple(LinkEnd(role="view", kind=TargetKind.ANNOTATION, target=item.id) for item in (seen, other))
    link = Link(id=LinkId(project.ids.new()), sample=project.sample, type_id="same", ends=ends)
    waiting = bring(project, link, seen, thing, other)
    assert len(waiting) == 4
    done = say(project, "automobil", "car")
    assert len(done.resolved) == 2
    assert set(project.all(RecordKind.ANNOTATION)) == {seen.id}
    assert project.all(RecordKind.ENTITY)[thing.id].class_id == "car"
    say(project, "Fussgaenger", "person")
    say(project, "same", "same")
    assert set(project.all(RecordKind.LINK)) == {link.id}
    assert {parked(project, item).state for item in waiting} == {ParkedState.MAPPED}


def test_what_still_does_not_fit_stays_parked_with_the_new_reason(project: OntologyProject) -> None:
    scan = project.cuboid("Lieferwagen")
    (waiting,) = bring(project, scan)
    assert say(project, "Lieferwagen", "van") == Mapped((), (waiting,))
    kept = parked(project, waiting)
    assert kept.state is ParkedState.OPEN
    assert "'van' has no place on cloud" in kept.problems[0]
    assert say(project, "Lieferwagen", "car") == Mapped((waiting,), ())


@pytest.mark.parametrize(
    ("value", "meaning", "origin", "words"),
    [
        ("automobil", "ship", "kitti", "neither a class nor a link type"),
        ("automobil", "car", "coco", "no open record from 'coco'"),
        ("ship", "car", "kitti", "carries the value 'ship'"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(
    project: OntologyProject, value: str, meaning: str, origin: str, words: str
) -> None:
    bring(project, project.box("automobil"))
    with pytest.raises(UserError, match=words):
        say(project, value, meaning, origin)


@pytest.mark.parametrize("payload", ["", "{", "[]", '{"class_id": "automobil"}', "\x00", '"x"', "[" * 100_000])
def test_a_payload_that_is_no_record_is_kept_and_harms_nothing(project: OntologyProject, payload: str) -> None:
    with project.store.transaction("Park") as tx:
        waiting = park(tx, origin="kitti", kind="annotation", payload=payload, problems=("x",))
    bring(project, project.box("automobil"))
    say(project, "automobil", "car")
    kept = parked(project, waiting)
    assert (kept.payload, kept.state) == (payload, ParkedState.OPEN)


def test_discarding_needs_a_reason_and_keeps_the_record(project: OntologyProject) -> None:
    (waiting,) = bring(project, project.box("automobil"))
    with pytest.raises(UserError, match="with a reason"), project.store.transaction("Discard") as tx:
        discard(tx, parked=waiting, reason=" ")
    with project.store.transaction("Discard") as tx:
        discard(tx, parked=waiting, reason="not our street")
    kept = parked(project, waiting)
    assert (kept.state, kept.resolution) == (ParkedState.DISCARDED, "not our street")
    with pytest.raises(UserError, match="discarded already"), project.store.transaction("Discard") as tx:
        discard(tx, parked=waiting, reason="again")
    with pytest.raises(UserError, match="no open record"):
        say(project, "automobil", "car")
