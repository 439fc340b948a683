"""Planted breaches of the ontology are found, each once and under its own name; their clean twins are clean."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from plain_snapshot import Scene

from workstation.core.annotation import Keyframe, State, TargetKind, Track
from workstation.core.ontology import ErrorType
from workstation.core.sample import Parked, ParkedState, QueueItem, QueueState


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_van_that_is_a_truck_in_the_scan_is_one_flag_with_both_labels(scene: Scene) -> None:
    thing = scene.entity("van", 17, attributes={"plate": "X"})
    scene.label("image", entity=thing.id)
    truck = scene.label("cloud", "truck", entity=thing.id)
    (found,) = scene.found("ontology")
    assert (found.rule, found.error_type) == ("ontology.labels_conflict", ErrorType.SEMANTIC)
    assert found.measured == "van, truck"
    assert "van 17 and truck (cuboid on cloud)" in found.text
    assert {item.id for item in found.items} == {thing.id, truck.id}


@pytest.mark.parametrize(
    ("first", "second", "rule", "error_type"),
    [
        ("sedan", "car", "ontology.labels_coarser", ErrorType.GRANULARITY),
        ("car", "sedan", "ontology.labels_coarser", ErrorType.GRANULARITY),
        ("sedan", "vehicle", "ontology.labels_coarser", ErrorType.GRANULARITY),
        ("sedan", "truck", "ontology.labels_conflict", ErrorType.SEMANTIC),
        ("sedan", "hatchback", "ontology.labels_conflict", ErrorType.SEMANTIC),
        ("sedan", "sedan", None, None),
    ],
)
@pytest.mark.parametrize("joined_by", ["entity", "link"])
def test_coarser_is_told_from_different(
    scene: Scene, first: str, second: str, rule: str | None, error_type: ErrorType | None, joined_by: str
) -> None:
    if joined_by == "entity":
        scene.label("text", second, entity=scene.entity(first).id)
    else:
        scene.same(scene.label("image", first), scene.label("text", second))
    found = scene.found("ontology")
    assert [(each.rule, each.error_type) for each in found] == ([] if rule is None else [(rule, error_type)])


def test_three_labels_of_which_two_contradict_are_one_conflict(scene: Scene) -> None:
    thing = scene.entity("car")
    scene.label("image", "sedan", entity=thing.id)
    scene.label("cloud", "hatchback", entity=thing.id)
    assert scene.rules_found("ontology") == ["ontology.labels_conflict"]


def test_proposals_rejected_labels_and_other_layers_are_no_contradiction(scene: Scene) -> None:
    thing = scene.entity("car")
    scene.label("image", "truck", entity=thing.id, state=State.PROPOSED)
    scene.label("image", "truck", entity=thing.id, state=State.REJECTED)
    scene.label("image", "sedan", entity=scene.entity("sedan", 2).id, layer="ana")
    assert scene.found("ontology") == []


def test_the_fingerprint_stays_while_the_fault_does_and_changes_with_it(scene: Scene) -> None:
    thing = scene.entity("car")
    label = scene.label("image", "truck", entity=thing.id)
    (first,) = scene.found("ontology.labels")
    held = scene.snapshot.held
    held[held.index(label)] = replace(label, start_ns=5, end_ns=9)
    assert scene.found("ontology.labels")[0].fingerprint == first.fingerprint
    held[-1] = replace(label, class_id="cat")
    assert scene.found("ontology.labels")[0].fingerprint != first.fingerprint


def test_what_the_version_in_force_does_not_know_is_listed(scene: Scene) -> None:
    scene.entity("automobil")
    scene.label("image", "lorry")
    scene.label("image", "car", attributes={"paint": "red", "colour": "green"})
    scene.link("adjoins", {"a": scene.label("image"), "b": scene.label("image")})
    said = [finding.measured for finding in scene.found("ontology")]
    assert said == [
        "class 'automobil'", "class 'lorry'", "attribute 'paint'", "option 'green' of attribute 'colour'",
        "link type 'adjoins'",
    ]  # fmt: skip
    assert set(scene.rules_found("ontology")) == {"ontology.unknown"}


def test_what_is_retired_and_still_used_is_listed_with_what_replaces_it(scene: Scene) -> None:
    scene.entity("omnibus")
    scene.label("image", "car", attributes={"colour": "crimson"})
    scene.link("near", {"a": scene.label("image"), "b": scene.label("image")})
    found = scene.found("ontology")
    assert {each.rule for each in found} == {"ontology.retired"}
    assert [(each.measured, each.suggestion) for each in found] == [
        ("class 'omnibus'", "use van"),
        ("option 'crimson' of attribute 'colour'", "use red"),
        ("link type 'near'", "leave it out"),
    ]


def test_required_attributes_are_asked_of_what_is_finished(scene: Scene) -> None:
    scene.label("image", "truck", state=State.DONE)
    scene.label("image", "truck", state=State.DONE, attributes={"occlusion": "none"})
    scene.label("image", "truck", state=State.DRAFT)
    van = scene.entity("van", 3)
    scene.label("image", entity=van.id, state=State.APPROVED)
    scene.label("cloud", entity=van.id, state=State.DONE)
    scene.entity("van", 4, attributes={"plate": "A"})
    scene.entity("van", 5)  # shown nowhere yet
    found = scene.found("ontology")
    assert [each.text for each in found] == [
        "truck (box on image) is done without the required attribute 'occlusion'",
        "van 3 is shown in finished labels without the required attribute 'plate'",
    ]


def test_what_a_thing_is_may_stand_on_its_label(scene: Scene) -> None:
    van = scene.entity("van", 3)
    scene.label("image", entity=van.id, state=State.DONE, attributes={"plate": "A"})
    assert scene.found("ontology") == []


def test_what_changes_over_time_may_stand_on_a_keyframe(scene: Scene) -> None:
    track: dict[str, Any] = {"shape": None, "track": Track(), "state": State.DONE}
    for attributes in ({"signal": "on"}, {}):
        label = scene.label("image", "cat", **track)
        made: Any = {"id": scene.ids.new(), "annotation": label.id, "time_ns": 0}
        scene.add(Keyframe(**made, attributes=attributes))
    assert [each.items[0].id for each in scene.found("ontology")] == [label.id]


def test_a_finished_link_lacks_its_attribute(scene: Scene) -> None:
    ends = {"hunter": scene.label("image", "dog"), "hunted": scene.label("image", "cat")}
    scene.link("chases", ends)
    scene.link("chases", ends, attributes={"strength": "weak"})
    scene.link("chases", ends, state=State.DRAFT)
    (found,) = scene.found("ontology")
    assert "without the required attribute 'strength'" in found.text


def test_parked_records_and_open_questions_are_findings_until_somebody_answers(scene: Scene) -> None:
    def parked(state: ParkedState, problems: tuple[str, ...]) -> None:
        made: Any = {"id": scene.ids.new(), "sample": scene.sample, "kind": "annotation", "payload": "{}"}
        scene.add(Parked(**made, origin="coco", problems=problems, state=state))

    def asked(state: QueueState) -> None:
        made: Any = {"id": scene.ids.new(), "sample": scene.sample, "target": scene.sample, "ontology_number": 2}
        target = TargetKind.SAMPLE
        scene.add(QueueItem(**made, target_kind=target, question="Is it a van?", options=("van",), state=state))

    parked(ParkedState.OPEN, ("there is no class 'automobil'", "it has no box"))
    parked(ParkedState.MAPPED, ())
    parked(ParkedState.DISCARDED, ())
    asked(QueueState.OPEN)
    asked(QueueState.KEPT)
    assert [each.text for each in scene.found("ontology")] == [
        "a annotation from coco is parked: there is no class 'automobil' (and 1 more)",
        "version 2 asks: Is it a van?",
    ]


@pytest.mark.parametrize(
    ("quote", "rule"),
    [
        ("puppy", None),
        ("the small brown Puppy", None),
        ("animal", "ontology.word_warns"),
        ("cat", "ontology.word_conflicts"),
        ("a CAT,", "ontology.word_conflicts"),
        ("the cat's dog", None),  # names the dog, and a cat as well
        ("wolf", "ontology.word_conflicts"),
        ("the brown one", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("joined_by", ["entity", "link", "link to entity"])
def test_the_words_for_a_dog(scene: Scene, quote: str, rule: str | None, joined_by: str) -> None:
    dog = scene.entity("dog")
    if joined_by == "entity":
        scene.says(quote, entity=dog.id)
    else:
        thing = dog if joined_by == "link to entity" else scene.label("image", entity=dog.id)
        scene.link("refers_to", {"phrase": scene.says(quote), "thing": thing})
    found = scene.found("ontology")
    assert [each.rule for each in found] == ([] if rule is None else [rule])
    assert all("class dog" in each.text for each in found)


def test_the_words_of_another_relation_and_of_a_denied_link_are_left_alone(scene: Scene) -> None:
    dog = scene.label("image", "dog")
    scene.link("causes", {"cause": scene.says("cat"), "effect": dog})
    scene.link("refers_to", {"phrase": scene.says("cat"), "thing": dog}, holds=False)
    scene.link("refers_to", {"phrase": scene.says("cat"), "thing": dog}, state=State.PROPOSED)
    assert scene.found("ontology") == []


def test_a_text_is_read_in_its_own_language(scene: Scene) -> None:
    dog = scene.label("image", "dog")
    scene.link("refers_to", {"phrase": scene.says("Katze", language="de-AT"), "thing": dog})
    scene.link("refers_to", {"phrase": scene.says("Katze"), "thing": dog})
    (found,) = scene.found("ontology")
    assert found.measured == "Katze"
