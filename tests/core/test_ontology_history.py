"""Ids are never used again, meanings do not change, and a class for one modality has its reasons."""

from __future__ import annotations

from typing import Any

import pytest
from random_ontologies import driving, minimal, parsed

from workstation.core.ontology_history import cross_modal_gaps, history_problems


def problems(*versions: dict[str, Any]) -> list[str]:
    *earlier, new = [parsed(minimal(**version)) for version in versions]
    return [str(problem) for problem in history_problems(new, earlier)]


GONE = {"retired": {"reason": "x", "since": 2}}


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        (({"classes": {"a": {}, "b": {}}}, {"classes": {"a": {}}}), "classes.b: was removed"),
        (({"classes": {"a": {}, "b": GONE}}, {"classes": {"a": {}, "b": {}}}), "classes.b: was retired in version 2"),
        (
            ({"classes": {"a": {}, "b": {}}}, {"classes": {"a": {}}}, {"classes": {"a": {}, "b": {}}}),
            "classes.b: was used in version 1",
        ),
        (
            (
                {"attributes": {"c": {"type": "choice", "options": ["x", "y"]}}},
                {"attributes": {"c": {"type": "choice", "options": ["x"]}}},
            ),
            "attributes.c.options.y: was removed",
        ),
        (
            ({"attributes": {"c": {"type": "flag"}}}, {"attributes": {"c": {"type": "number"}}}),
            "changed from flag to number",
        ),
        (
            ({"link_types": {"l": {"roles": {"a": {}, "b": {}}}}}, {"link_types": {"l": {"roles": {"a": {"max": 2}}}}}),
            "link_types.l.roles.b: was removed",
        ),
        (
            ({"rules": {"G-1": {"title": "t", "text": "x", "error_type": "temporal"}}}, {}),
            "rules.G-1: was removed",
        ),
        (({"edge_cases": {"A-1": {"text": "x"}}}, {}), "edge_cases.A-1: was removed"),
    ],
)
def test_what_no_version_may_do_is_named(versions: tuple[dict[str, Any], ...], words: str) -> None:
    found = problems(*versions)
    assert len(found) == 1
    assert words in found[0]


def test_renaming_retiring_and_adding_are_free() -> None:
    old = {"classes": {"a": {"name": "A"}, "b": {}}, "attributes": {"n": {"type": "integer"}}}
    new = {
        "classes": {"a": {"name": "Z", "children": {"c": {}}}, "b": GONE},
        "attributes": {"n": {"type": "number"}, "m": {"type": "text"}},
    }
    assert problems(old, new) == []
    assert problems(new) == []


def test_a_class_for_the_camera_alone_needs_a_reason_for_each_other_modality() -> None:
    old = parsed(minimal())
    classes = minimal()["classes"] | {"glare": {"shapes": {"image": ["mask"]}}}
    new = parsed(minimal(classes=classes))
    gaps = cross_modal_gaps(new, old, {})
    assert [gap.key for gap in gaps] == ["glare/audio", "glare/text"]
    assert str(gaps[0]) == "class 'glare' is for image only; say why it has no place in audio"
    assert [gap.key for gap in cross_modal_gaps(new, old, {"glare/text": "nobody writes of it"})] == ["glare/audio"]
    assert cross_modal_gaps(new, old, {"glare/text": "nobody writes of it", "glare/audio": " "})
    assert not cross_modal_gaps(new, old, {"glare/text": "nobody writes of it", "glare/audio": "light makes no sound"})


def test_the_reason_may_stand_in_the_file_and_is_inherited() -> None:
    glare = {
        "shapes": {"image": ["mask"]},
        "not_in": {"audio": "light makes no sound", "text": "nobody writes of it"},
        "children": {"flare": {}},
    }
    assert cross_modal_gaps(parsed(minimal(classes={"glare": glare})), None, {}) == []


def test_pictures_and_videos_count_as_one_modality() -> None:
    plain = minimal(
        modalities=["image", "video", "audio"], classes={"a": {"shapes": {"image": ["box"], "video": ["box"]}}}
    )
    assert [gap.key for gap in cross_modal_gaps(parsed(plain), None, {})] == ["a/audio"]


def test_what_every_class_may_have_does_not_make_a_class_multimodal() -> None:
    plain = minimal(shapes={"text": ["text_span"]}, classes={"a": {"shapes": {"image": ["box"]}}})
    assert [gap.key for gap in cross_modal_gaps(parsed(plain), None, {})] == ["a/audio"]


def test_a_class_that_was_reviewed_before_is_not_asked_about_again() -> None:
    old = parsed(minimal())
    assert [gap.class_id for gap in cross_modal_gaps(old, None, {})] == ["person", "person"]
    assert cross_modal_gaps(parsed(minimal(name="Renamed")), old, {}) == []


def test_the_driving_ontology_can_be_reviewed_as_it_is() -> None:
    assert cross_modal_gaps(driving(), None, {}) == []
