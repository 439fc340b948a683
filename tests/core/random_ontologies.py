"""Random but consistent ontologies, and the driving ontology, for the tests of everything about ontologies."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from workstation.core.ontology import Ontology
from workstation.core.ontology_parse import parse_ontology
from workstation.store.yaml import load_yaml

ROOT = Path(__file__).parents[2]
DRIVING = ROOT / "resources" / "ontologies" / "driving" / "ontology.yaml"
SURFACES = ["image", "video", "audio", "cloud", "text"]
KINDS = ["span", "tag", "box", "mask", "cuboid", "text_span"]
IDS = [f"{letter}{number}" for number in range(3) for letter in "abcdefgh"]
NAMES = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12)


@cache
def driving() -> Ontology:
    """The driving ontology of the resources."""
    return read(DRIVING.read_text(encoding="utf-8"))


def read(text: str) -> Ontology:
    """The ontology of a YAML text."""
    return parse_ontology(load_yaml(text, source="ontology.yaml"), source="ontology.yaml")


def minimal(**changes: Any) -> dict[str, Any]:
    """The plain object of a small ontology, changed at the top."""
    return {
        "name": "Small",
        "language": "en",
        "modalities": ["image", "audio", "text"],
        "classes": {
            "vehicle": {"shapes": {"image": ["box", "mask"], "audio": ["span"]}, "children": {"car": {}, "van": {}}},
            "person": {"shapes": {"image": ["box"]}},
        },
        **changes,
    }


@st.composite
def plain_ontologies(draw: st.DrawFn) -> dict[str, Any]:
    """The plain object of a consistent ontology with a tree, attributes, a link type, words and rules."""
    ids = draw(st.lists(st.sampled_from(IDS), min_size=1, max_size=10, unique=True))
    classes: dict[str, Any] = {}
    for index, class_id in enumerate(ids):
        item: dict[str, Any] = {}
        if index and draw(st.booleans()):
            item["parent"] = draw(st.sampled_from(ids[:index]))
        if draw(st.booleans()):
            item["name"] = draw(NAMES | st.fixed_dictionaries({"en": NAMES, "de": NAMES}))
        if draw(st.booleans()):
            kinds = st.lists(st.sampled_from(KINDS), max_size=3, unique=True)
            item["shapes"] = draw(st.dictionaries(st.sampled_from([*SURFACES, "sample"]), kinds, max_size=3))
        if draw(st.booleans()):
            item["colour"] = draw(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
        if draw(st.booleans()):
            item["usual_size_m"] = draw(st.lists(st.floats(0.01, 1000), min_size=3, max_size=3))
        classes[class_id] = item
    subset = st.lists(st.sampled_from(ids), max_size=3, unique=True)
    attributes = draw(
        st.dictionaries(
            st.sampled_from(["colour", "size", "count", "lit", "tags"]),
            st.fixed_dictionaries({"applies_to": subset, "required": st.booleans(), "per_stream": st.booleans()}),
            max_size=4,
        )
    )
    types = {"colour": "choice", "size": "number", "count": "integer", "lit": "flag", "tags": "choices"}
    for name, attribute in attributes.items():
        attribute["type"] = types[name]
        if types[name].startswith("choice"):
            attribute["options"] = draw(
                st.lists(st.sampled_from(["red", "no", "green", "off"]), min_size=1, unique=True)
            )
    words = st.fixed_dictionaries(
        {}, optional={key: st.lists(NAMES, max_size=2, unique_by=str.casefold) for key in ("narrower", "broader")}
    )
    return {
        "name": draw(NAMES),
        "language": "en",
        "version": draw(st.integers(1, 9)),
        "modalities": SURFACES,
        "shapes": {"sample": ["tag"]},
        "classes": classes,
        "attributes": attributes,
        "link_types": {
            "joins": {"symmetric": True, "roles": {"end": {"min": 2, "max": None, "classes": draw(subset)}}}
        },
        "lexicon": {class_id: {"en": draw(words)} for class_id in draw(subset)},
        "rules": {"G-1": {"title": "One", "text": draw(NAMES), "error_type": "temporal", "classes": draw(subset)}},
    }


def parsed(plain: dict[str, Any]) -> Ontology:
    """The ontology of a plain object."""
    return parse_ontology(plain, source="random.yaml")


def ontologies() -> st.SearchStrategy[Ontology]:
    """Consistent ontologies."""
    return plain_ontologies().filter(_words_are_unique).map(parsed)


def _words_are_unique(plain: dict[str, Any]) -> bool:
    for languages in plain["lexicon"].values():
        words = [word.casefold() for lists in languages.values() for group in lists.values() for word in group]
        if len(set(words)) != len(words):
            return False
    return True
