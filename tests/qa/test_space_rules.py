"""What a camera shows and a scan does not: labelled there, or said to be absent, never left out."""

from __future__ import annotations

import pytest
from plain_snapshot import Scene

from workstation.core.annotation import State, TargetKind
from workstation.core.ontology import ErrorType


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_thing_in_the_camera_only_is_asked_for(scene: Scene) -> None:
    thing = scene.entity("car", 7)
    scene.label("image", entity=thing.id)
    (found,) = scene.found("space")
    assert (found.rule, found.error_type) == ("space.missing", ErrorType.MISSING_REFERENCE)
    assert "car 7 is labelled on image and not in cloud" in found.text
    assert "link.absent" in found.suggestion
    scene.label("cloud", entity=thing.id)
    assert scene.found("space") == []


@pytest.mark.parametrize("place", ["stream", "modality"])
@pytest.mark.parametrize("of", ["entity", "label"])
def test_saying_that_the_scanner_does_not_see_it_clears_the_finding(scene: Scene, place: str, of: str) -> None:
    thing = scene.entity("car")
    label = scene.label("image", entity=thing.id)
    where = (TargetKind.STREAM, scene.streams["cloud"]) if place == "stream" else (TargetKind.MODALITY, "cloud")
    item = (TargetKind.ENTITY, thing.id) if of == "entity" else label
    scene.link("absent", {"item": item, "missing_from": where}, reason="hidden")
    assert scene.found("space") == []


def test_an_absence_elsewhere_or_rejected_says_nothing_of_the_scan(scene: Scene) -> None:
    thing = scene.entity("car")
    scene.label("image", entity=thing.id)
    item = (TargetKind.ENTITY, thing.id)
    scene.link("absent", {"item": item, "missing_from": (TargetKind.MODALITY, "audio")}, reason="off")
    scene.link(
        "absent", {"item": item, "missing_from": (TargetKind.MODALITY, "cloud")}, reason="off", state=State.REJECTED
    )
    assert len(scene.found("space")) == 1


def test_proposals_and_what_has_no_place_in_scans_are_left_alone(scene: Scene) -> None:
    scene.label("image", entity=scene.entity("car").id, state=State.PROPOSED)
    scene.label("audio", entity=scene.entity("sound").id)
    assert scene.found("space") == []
