"""Differences of two versions, in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace
from random_ontologies import driving, minimal, ontologies, parsed

from workstation.core.ontology import Ontology
from workstation.core.ontology_diff import DifferenceKind, diff_ontologies


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item.kind.value, item.text) for item in diff_ontologies(parsed(minimal(**old)), parsed(minimal(**new)))]


CAR = {"name": "Car"}
ATTRIBUTE = {"type": "choice", "options": {"red": "Red", "blue": "Blue"}}
LINK = {"roles": {"a": {}, "b": {}}}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            {"classes": {"car": CAR}},
            {"classes": {"car": CAR, "scooter": {}}},
            ("added", "class 'scooter' added at the top"),
        ),
        (
            {"classes": {"car": CAR}},
            {"classes": {"car": {**CAR, "children": {"suv": {}}}}},
            ("added", "class 'suv' added below 'car'"),
        ),
        ({"classes": {"car": CAR, "van": {}}}, {"classes": {"car": CAR}}, ("removed", "class 'van' removed")),
        (
            {"classes": {"car": CAR}},
            {"classes": {"car": {"name": "Motor car"}}},
            ("renamed", "class 'car' renamed (en): 'Car' → 'Motor car'"),
        ),
        (
            {"classes": {"car": CAR}},
            {"classes": {"car": {"name": {"en": "Car", "de": "Auto"}}}},
            ("renamed", "class 'car' renamed (de): nothing → 'Auto'"),
        ),
        (
            {"classes": {"a": {"children": {"b": {}}}, "c": {}}},
            {"classes": {"a": {}, "c": {"children": {"b": {}}}}},
            ("moved", "class 'b' moved from below 'a' to below 'c'"),
        ),
        (
            {"classes": {"car": CAR, "van": {}}},
            {"classes": {"car": CAR, "van": {"retired": {"replacements": ["car"]}}}},
            ("retired", "class 'van' retired; instead: car"),
        ),
        (
            {"classes": {"car": CAR}},
            {"classes": {"car": {**CAR, "definition": "Four wheels."}}},
            ("changed", "class 'car': definition nothing → 'Four wheels.'"),
        ),
        (
            {"classes": {"car": {"shapes": {"image": ["box"]}}}},
            {"classes": {"car": {"shapes": {"image": ["box", "mask"]}}}},
            ("changed", "class 'car': shapes image: [box] → [box, mask]"),
        ),
        (
            {"classes": {"car": {}, "van": {}}},
            {"classes": {"van": {}, "car": {}}},
            ("changed", "the order of classes changed"),
        ),
        (
            {"attributes": {"colour": ATTRIBUTE}},
            {"attributes": {"colour": {"type": "choice", "options": {"red": "Red", "blue": "Blue", "no": "None"}}}},
            ("added", "attribute 'colour': option 'no' added"),
        ),
        (
            {"attributes": {"colour": ATTRIBUTE}},
            {"attributes": {"colour": {"type": "choice", "options": {"red": "Crimson", "blue": "Blue"}}}},
            ("renamed", "attribute 'colour': option 'red' renamed (en): 'Red' → 'Crimson'"),
        ),
        (
            {"attributes": {"colour": ATTRIBUTE}},
            {"attributes": {"colour": {**ATTRIBUTE, "required": True}}},
            ("changed", "attribute 'colour': required no → yes"),
        ),
        (
            {"link_types": {"l": LINK}},
            {"link_types": {"l": {"roles": {"a": {}, "b": {"classes": ["car"]}}}}},
            ("changed", "link type 'l': role 'b': classes now with 'car'"),
        ),
        (
            {"lexicon": {}},
            {"lexicon": {"car": {"en": {"narrower": ["taxi"]}}}},
            ("added", "word 'taxi' (en) added to 'car': narrower, allowed"),
        ),
        (
            {"lexicon": {"car": {"en": {"narrower": ["taxi"]}}}},
            {"lexicon": {"car": {"en": {"related": [{"word": "taxi", "policy": "conflict"}]}}}},
            ("changed", "word 'taxi' (en) of 'car': narrower, allowed → related, conflict"),
        ),
        (
            {"mappings": {"kitti": {"Car": "car"}}},
            {"mappings": {"kitti": {"Car": ["car", "van"]}}},
            ("changed", "kitti: 'Car' is read as ['car', 'van'], before ['car']"),
        ),
    ],
)
def test_a_change_is_told_in_words(old: dict[str, Any], new: dict[str, Any], expected: tuple[str, str]) -> None:
    assert differences(old, new) == [expected]


def test_renaming_touches_nothing_but_the_name() -> None:
    ontology = driving()
    renamed = replace(
        ontology,
        classes=tuple(replace(cls, names={"en": f"{cls.names['en']}!"}) for cls in ontology.classes),
        version=9,
    )
    assert {item.kind for item in diff_ontologies(ontology, renamed)} == {DifferenceKind.RENAMED}


@settings(max_examples=60, deadline=None)
@given(ontologies(), ontologies())
def test_nothing_differs_exactly_if_nothing_changed(a: Ontology, b: Ontology) -> None:
    assert diff_ontologies(a, a) == []
    same = replace(a, version=0) == replace(b, version=0)
    assert (diff_ontologies(a, b) == []) == same


@settings(max_examples=60, deadline=None)
@given(ontologies(), ontologies())
def test_what_one_way_adds_the_other_way_removes(a: Ontology, b: Ontology) -> None:
    def places(old: Ontology, new: Ontology, kind: DifferenceKind) -> set[str]:
        return {item.place for item in diff_ontologies(old, new) if item.kind is kind and "lexicon" not in item.place}

    assert places(a, b, DifferenceKind.ADDED) == places(b, a, DifferenceKind.REMOVED)
    assert places(a, b, DifferenceKind.MOVED) == places(b, a, DifferenceKind.MOVED)
