"""Links that were delivered and lead to another sample: found where they are parked; nothing odd takes them down."""

from __future__ import annotations

import json
from typing import Any

import pytest
from plain_snapshot import Scene

from workstation.core.annotation import Annotation
from workstation.core.findings import Finding
from workstation.core.geometry import ShapeKind, TextSpan
from workstation.core.ontology import ErrorType
from workstation.core.sample import Parked, ParkedState, Sample, Stream, StreamKind
from workstation.core.timemap import IDENTITY
from workstation.qa.findings import load_rules
from workstation.qa.runner import run_rules


def found(scene: Scene) -> list[Finding]:
    rules = [each for each in load_rules() if each.id in ("delivered.other_sample", "ontology.parked")]
    outcomes = list(run_rules(scene.snapshot, rules, scene.snapshot.samples(), project=False))
    assert [each.not_run for each in outcomes if each.not_run] == []
    return [each for outcome in outcomes for each in outcome.findings]


def park(scene: Scene, payload: str, *, kind: str = "link", state: ParkedState = ParkedState.OPEN) -> None:
    given: Any = {"id": scene.ids.new(), "sample": scene.sample, "kind": kind, "payload": payload, "state": state}
    scene.add(Parked(**given, origin="coco", problems=("joins a label of another sample",)))


def two_samples() -> tuple[Scene, Annotation, Annotation, Annotation]:
    """A box and its words, and the words of another sample."""
    scene = Scene()
    box, words = scene.label("image", "car"), scene.label("text", "car")
    other: Any = scene.ids.new()
    scene.add(Sample(id=other, key="elsewhere"))
    stream: Any = {"id": scene.ids.new(), "sample": other}
    held = {each.id: each.key for each in scene.snapshot.streams(scene.sample)}
    scene.add(Stream(**stream, key=held[words.stream or ""], kind=StreamKind.TEXT, time_map=IDENTITY))  # type: ignore[index]
    given: Any = {"id": scene.ids.new(), "sample": other, "stream": stream["id"], "class_id": "dog"}
    strange = Annotation(**given, kind=ShapeKind.TEXT_SPAN, shape=TextSpan(((0, 3),)))
    scene.add(strange)
    return scene, box, words, strange


def joining(*labels: Annotation) -> str:
    return json.dumps({"type_id": "refers_to", "ends": [{"role": "end", "target": each.id} for each in labels]})


def test_a_link_to_another_sample_is_found_with_the_label_it_should_have_met() -> None:
    scene, box, words, strange = two_samples()
    park(scene, joining(box, strange))
    (finding,) = found(scene)
    assert finding.rule == "delivered.other_sample"
    assert finding.error_type is ErrorType.INCORRECT_PAIRING
    assert [item.id for item in finding.items] == [box.id, strange.id, words.id]
    assert finding.measured == "elsewhere"
    assert words.id in finding.suggestion


def test_one_that_was_discarded_is_settled_and_one_within_the_sample_is_no_pairing_of_samples() -> None:
    scene, box, words, strange = two_samples()
    park(scene, joining(box, strange), state=ParkedState.DISCARDED)
    park(scene, joining(box, words))
    assert [each.rule for each in found(scene)] == ["ontology.parked"]


@pytest.mark.parametrize(
    "payload", ["", "{", "[]", "7", '{"ends": 3}', '{"ends": [{"target": 3}]}', "[" * 5_000, '{"ends": [{}]}']
)
def test_what_is_no_link_stays_parked_and_stops_nothing(payload: str) -> None:
    scene, *_ = two_samples()
    park(scene, payload)
    assert [each.rule for each in found(scene)] == ["ontology.parked"]
