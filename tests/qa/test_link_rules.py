"""Planted faults of links, also those that the gate never lets in."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from plain_snapshot import PlainStale, Scene

from workstation.core.annotation import State, TargetKind
from workstation.core.ontology import ErrorType
from workstation.core.sample import Sample, SampleState


@pytest.fixture
def scene() -> Scene:
    return Scene()


def pair(scene: Scene) -> dict[str, Any]:
    return {"hunter": scene.label("image", "dog"), "hunted": scene.label("image", "cat")}


def chase(scene: Scene, **more: Any) -> Any:
    return scene.link("chases", {**pair(scene), **more.pop("ends", {})}, attributes={"strength": "weak"}, **more)


def test_a_sound_link_is_silent(scene: Scene) -> None:
    chase(scene)
    scene.link("absent", {"item": scene.label("image", "dog"), "missing_from": (TargetKind.MODALITY, "cloud")}, reason="hidden")  # noqa: E501  # fmt: skip
    assert scene.found() == []


def test_a_link_with_two_changed_ends_is_one_finding(scene: Scene) -> None:
    link = chase(scene)
    scene.snapshot.stale += [
        PlainStale(link, link.ends[0], "box moved 40 px"),
        PlainStale(link, link.ends[1], "class changed from cat to dog"),
    ]
    (found,) = scene.found()
    assert (found.rule, found.error_type) == ("links.stale", ErrorType.SEMANTIC_DRIFT)
    assert "review needed: box moved 40 px (hunter); class changed from cat to dog (hunted)" in found.text
    assert len(found.items) == 3


def test_ends_that_lead_nowhere_or_elsewhere_are_named(scene: Scene) -> None:
    gone = scene.ids.new()
    chase(scene, ends={"hunted": (TargetKind.ANNOTATION, gone)})
    other: Any = scene.ids.new()
    scene.add(Sample(id=other, key="other"))
    moved = scene.label("image", "cat", sample=other)
    chase(scene, ends={"hunted": moved})
    said = [each.text for each in scene.found("links")]
    assert [text.rpartition(", which ")[2] for text in said] == ["does not exist", "belongs to another sample"]
    assert gone in said[0]
    assert {each.rule for each in scene.found("links")} == {"links.dangling"}


def test_an_absence_needs_its_reason(scene: Scene) -> None:
    item = scene.label("image", "dog")
    scene.link("absent", {"item": item, "missing_from": (TargetKind.MODALITY, "cloud")}, reason=" ")
    (found,) = scene.found()
    assert (found.rule, found.error_type) == ("links.absence_reason", ErrorType.MISSING_REFERENCE)
    assert found.suggestion.endswith("hidden, off")


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ({"hunter": "truck"}, "needs a hunter of class dog"),
        ({"hunted": None}, "needs exactly 1 hunted"),
    ],
)
def test_what_the_ontology_does_not_allow_any_more(scene: Scene, ends: dict[str, Any], words: str) -> None:
    given = {**pair(scene), **{role: class_id and scene.label("image", class_id) for role, class_id in ends.items()}}
    scene.link("chases", {role: end for role, end in given.items() if end}, attributes={"strength": "weak"})
    (found,) = scene.found("links")
    assert (found.rule, found.error_type) == ("links.illegal", ErrorType.INCORRECT_PAIRING)
    assert words in found.text


@pytest.mark.parametrize("state", [SampleState.SUBMITTED, SampleState.APPROVED])
def test_drafts_that_were_handed_in(state: SampleState) -> None:
    scene = Scene(state=state)
    draft = chase(scene, state=State.DRAFT)
    chase(scene, state=State.DONE)
    chase(scene, state=State.REJECTED)
    (found,) = scene.found()
    assert (found.rule, found.items[0].id) == ("links.unconfirmed", draft.id)
    held = scene.snapshot.held
    held[0] = replace(held[0], state=SampleState.IN_PROGRESS)
    assert scene.found() == []
