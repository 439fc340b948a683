"""Levels of detail: words, sentences and documents beside regions and whole pictures, and pairs a project declares."""

from __future__ import annotations

from typing import Any

import pytest
from plain_snapshot import TEXT, PlainSnapshot, Scene, ontology

from workstation.core.annotation import TargetKind
from workstation.core.geometry import ShapeKind, TextSpan
from workstation.core.sample import Project

SENTENCE = "The red car brakes hard behind the van."
REPORT = "There is a car. It is red. Behind it a van waits, and nobody moves."


@pytest.fixture(scope="module")
def rules() -> Any:
    return ontology(TEXT.replace("  causes:", "  describes: {roles: {text: {}, of: {}}}\n  causes:"))


@pytest.fixture
def scene(rules: Any) -> Scene:
    return Scene(rules)


def marked(scene: Scene, quote: str, start: int = 0) -> Any:
    return scene.label("text", shape=TextSpan(((start, start + len(quote)),), quote))


def found(scene: Scene) -> list[tuple[object, object]]:
    return [(each.measured, each.limit) for each in scene.found("granularity")]


@pytest.mark.parametrize(("quote", "said"), [
    ("car", []), ("the red car in front", []), (SENTENCE, [("sentence", "region")]), (REPORT, [("document", "region")]),
])  # fmt: skip
def test_a_phrase_refers_to_a_region_and_a_sentence_does_not(scene: Scene, quote: str, said: list[Any]) -> None:
    scene.link("refers_to", {"phrase": marked(scene, quote), "thing": scene.label("image", "car")})
    assert found(scene) == said


def test_a_sentence_may_describe_a_region_and_a_report_may_not(scene: Scene) -> None:
    box = scene.label("image", "car")
    scene.link("describes", {"text": marked(scene, SENTENCE), "of": box})
    assert found(scene) == []
    scene.link("describes", {"text": marked(scene, REPORT, 100), "of": box})
    assert found(scene) == [("document", "region")]


def test_two_words_describe_a_picture_only_where_they_are_the_whole_text(scene: Scene) -> None:
    picture = (TargetKind.STREAM, scene.streams["image"])
    whole: Any = {"kind": ShapeKind.TAG, "shape": None, "text": "red car"}
    caption = scene.label("text", **whole)
    scene.link("describes", {"text": caption, "of": picture})
    scene.link("describes", {"text": marked(scene, "red car"), "of": picture})
    assert found(scene) == []  # as far as anybody knows the text says no more
    marked(scene, "stands there", 40)
    assert found(scene) == [("phrase", "whole")]


def test_a_project_declares_which_pairs_it_means(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.link("refers_to", {"phrase": marked(scene, SENTENCE), "thing": scene.label("image", "car")})
    given: Any = {"id": scene.ids.new(), "name": "p"}
    for tolerances, left in (({"level:document/region": 1.0}, 1), ({"level:sentence/region": 1.0}, 0)):
        project = Project(**given, tolerances=tolerances)
        monkeypatch.setattr(PlainSnapshot, "project", lambda _self, said=project: said)
        assert len(found(scene)) == left
