"""Reading an ontology: what comes back, what is refused and where, and the way back to YAML."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_ontologies import DRIVING, driving, minimal, ontologies, parsed, read

from workstation.core.annotation import TargetKind
from workstation.core.errors import DataError
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import Ontology, Surface, WordPolicy
from workstation.core.ontology_form import ontology_schema
from workstation.core.ontology_parse import ontology_to_plain, parse_ontology, read_ontology, with_version
from workstation.core.sample import StreamKind
from workstation.store.yaml import dump_yaml, load_yaml


def test_the_driving_ontology_is_read_with_its_tree_words_and_rules() -> None:
    ontology = driving()
    by_id = {cls.id: cls for cls in ontology.classes}
    assert by_id["sedan"].parent == "car"
    assert by_id["car"].parent == "vehicle"
    assert by_id["car"].names == {"en": "Car", "de": "Auto"}
    assert by_id["traffic_cone"].names["en"] == "Traffic cone"
    assert by_id["car"].colour == "#1f77b4"
    speaks = next(item for item in ontology.link_types if item.id == "speaks")
    assert [role.id for role in speaks.roles] == ["voice", "speaker"]
    assert speaks.roles[1].classes == ("person",)
    assert speaks.roles[1].targets == (TargetKind.ANNOTATION, TargetKind.ENTITY)
    words = {(word.class_id, word.language, word.word): word.policy for word in ontology.lexicon}
    assert words["dog", "en", "cat"] is WordPolicy.CONFLICT
    assert words["dog", "en", "puppy"] is WordPolicy.ALLOWED
    assert ontology.mappings["fleet_list"]["commercial vehicle"] == ("van", "truck")


def test_surfaces_are_the_kinds_of_stream_and_the_sample() -> None:
    assert {surface.value for surface in Surface} == {kind.value for kind in StreamKind} | {"sample"}


def test_a_class_without_a_name_shows_its_id() -> None:
    ontology = parsed(minimal(classes={"traffic_light": None}))
    assert ontology.classes[0].names == {"en": "Traffic light"}


def test_nesting_and_parent_say_the_same() -> None:
    nested = minimal(classes={"a": {"children": {"b": {"children": {"c": {}}}, "d": {}}}})
    flat = minimal(classes={"c": {"parent": "b"}, "d": {"parent": "a"}, "a": {}, "b": {"parent": "a"}})
    assert {(c.id, c.parent) for c in parsed(nested).classes} == {(c.id, c.parent) for c in parsed(flat).classes}


def test_a_class_and_an_attribute_may_each_name_the_other() -> None:
    by_class = minimal(
        classes={"car": {"attributes": ["doors"]}, "van": {}}, attributes={"doors": {"type": "integer", "min": 0}}
    )
    by_attribute = minimal(
        classes={"car": {}, "van": {}}, attributes={"doors": {"type": "integer", "min": 0, "applies_to": ["car"]}}
    )
    assert parsed(by_class) == parsed(by_attribute)


_LONG = "x" * 10_000_000


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        ({"classes": {"car": {"attributes": ["a", "b", 3]}}}, "classes.car.attributes[2]", "expected text"),
        ({"classes": {"car": {"attributes": ["nope"]}}}, "classes.car.attributes[0]", "no attribute 'nope'"),
        ({"classes": {"car": {"name": 3}}}, "classes.car.name", "expected text"),
        (
            {"classes": {"a": {}, "car": {"children": {"b": {}, "c": {"key": "cc"}}}}},
            "classes.c.key",
            "key",
        ),
        ({"classes": {"Car": {}}}, "classes.Car", "an id"),
        ({"classes": {"1car": {}}}, "classes.1car", "an id"),
        ({"classes": {"car\n": {}}}, "classes", "control character"),
        ({"classes": {"car": {"colour": "red"}}}, "classes.car.colour", "colour like"),
        ({"classes": {"car": {"usual_size_m": [4.4, 1.8]}}}, "classes.car.usual_size_m", "3"),
        ({"classes": {"car": {"usual_size_m": [4.4, 0, 1.5]}}}, "classes.car.usual_size_m[1]", "0"),
        ({"classes": {"car": {"usual_size_m": [4.4, 1.8, 5000]}}}, "classes.car.usual_size_m[2]", "1000"),
        ({"classes": {"car": {"usual_size_m": "large"}}}, "classes.car.usual_size_m", "expected"),
        ({"classes": {"car": {"color": "#ffffff"}}}, "classes.car", "'color' is not known"),
        ({"classes": {"car": {"shapes": {"image": ["boxx"]}}}}, "classes.car.shapes.image[0]", "'boxx'"),
        ({"classes": {"car": {"shapes": {"smell": ["box"]}}}}, "classes.car.shapes.smell", "'smell'"),
        ({"classes": {"car": {"shapes": {"cloud": ["cuboid"]}}}}, "classes.car.shapes.cloud", "modalities"),
        ({"classes": {"car": {"parent": "vehicle"}}}, "classes.car.parent", "no class 'vehicle'"),
        ({"classes": {"a": {"parent": "b"}, "b": {"parent": "a"}}}, "classes.a.parent", "circle: a → b → a"),
        ({"classes": {"a": {"parent": "a"}}}, "classes.a.parent", "circle"),
        ({"classes": {"a": {"children": {"a": {}}}}}, "classes.a", "defined twice"),
        ({"classes": {"a": {"children": {"b": {}}}, "b": {}}}, "classes.b", "defined twice"),
        ({"classes": {"a": {"children": {"b": {"parent": "c"}}}, "c": {}}}, "classes.b.parent", "stands below 'a'"),
        ({"classes": {"a": {"name": _LONG}}}, "classes.a.name", "at most 200"),
        ({"classes": {"a" * 65: {}}}, f"classes.{'a' * 57}…", "at most 64"),
        ({"classes": {"a": {"name": "x\x00y"}}}, "classes.a.name", "U+0000"),
        ({"classes": {"a": {"name": "abc\u202egnp"}}}, "classes.a.name", "U+202E"),
        ({"classes": {"a": {"name": "two\nlines"}}}, "classes.a.name", "one line"),
        ({"classes": {"a": {"name": {"de": "Auto"}}}}, "classes.a.name", "lacks the name in 'en'"),
        ({"classes": {"a": {"name": {"english": "A"}}}}, "classes.a.name.english", ""),
        ({"classes": {"a": {"key": "c"}, "b": {"key": "c"}}}, "classes.b.key", "belongs to 'a'"),
        ({"classes": {"a": {"key": "r"}}}, "classes.a.key", "taken by the program"),
        ({"classes": {"a": {"key": "Shift+3"}}}, "classes.a.key", "taken by the program"),
        ({"classes": {"a": {"skeleton": "body"}}}, "classes.a.skeleton", "no skeleton 'body'"),
        ({"classes": {"a": {"retired": {"replacements": ["b"]}}}}, "classes.a.retired.replacements[0]", "no class 'b'"),
        ({"classes": {"a": {"retired": {}, "children": {"b": {}}}}}, "classes.b.parent", "is retired"),
        ({"classes": "car"}, "classes", "expected a mapping"),
        ({"attributes": {"c": {"type": "choice"}}}, "attributes.c.options", "at least one option"),
        ({"attributes": {"c": {"type": "flag", "options": ["a"]}}}, "attributes.c.options", "takes no options"),
        ({"attributes": {"c": {"type": "colour"}}}, "attributes.c.type", "'colour'"),
        ({"attributes": {"c": {"type": "choice", "options": ["a", "a"]}}}, "attributes.c.options", "twice"),
        (
            {"attributes": {"c": {"type": "choice", "options": ["a"], "default": "b"}}},
            "attributes.c.default",
            "not a value",
        ),
        ({"attributes": {"n": {"type": "number", "min": 3, "max": 1}}}, "attributes.n", "min is larger"),
        ({"attributes": {"n": {"type": "number", "min": float("nan")}}}, "attributes.n", "finite"),
        ({"attributes": {"n": {"type": "text", "applies_to": ["x"]}}}, "attributes.n.applies_to[0]", "no class 'x'"),
        ({"link_types": {"l": {"roles": {"a": {}}}}}, "link_types.l.roles", "at least two ends"),
        (
            {"link_types": {"l": {"roles": {"a": {"classes": ["x"], "max": 2}}}}},
            "link_types.l.roles.a.classes[0]",
            "'x'",
        ),
        ({"link_types": {"l": {"roles": {"a": {"min": 3, "max": 2}}}}}, "link_types.l.roles.a", "smaller than min"),
        ({"link_types": {"l": {"symmetric": True, "roles": {"a": {}, "b": {}}}}}, "link_types.l.symmetric", "one role"),
        ({"link_types": {"l": {"absence": True, "roles": {"a": {}, "b": {}}}}}, "link_types.l", "absence"),
        ({"link_types": {"l": {}}}, "link_types.l", "'roles' is missing"),
        ({"lexicon": {"cat": {"en": {"synonyms": ["x"]}}}}, "lexicon.cat", "no class 'cat'"),
        ({"lexicon": {"car": {"en": {"synonyms": ["x"], "broader": ["X"]}}}}, "lexicon.car.en.broader", "twice"),
        (
            {"lexicon": {"car": {"en": {"synonyms": [{"word": "x", "policy": "no"}]}}}},
            "lexicon.car.en.synonyms[0].policy",
            "",
        ),
        ({"rules": {"g-12": {"title": "t", "text": "x", "error_type": "temporal"}}}, "rules.g-12", "code like"),
        ({"rules": {"G-1": {"title": "t", "text": "x", "error_type": "typo"}}}, "rules.G-1.error_type", "'typo'"),
        ({"edge_cases": {"A-1": {"text": "x", "rules": ["G-9"]}}}, "edge_cases.A-1.rules[0]", "no rule 'G-9'"),
        ({"mappings": {"kitti": {"Car": "auto"}}}, "mappings.kitti.Car[0]", "no class 'auto'"),
        ({"modalities": []}, "modalities", "at least 1"),
        ({"modalities": ["sample"]}, "modalities", "no modality"),
        ({"version": 0}, "version", ">= 1"),
        ({"version": "1"}, "version", "whole number"),
        ({"language": "English"}, "language", "language code"),
        ({"surprise": 1}, None, "'surprise' is not known"),
    ],
)
def test_a_fault_is_named_with_its_place(change: dict[str, Any], place: str | None, reason: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_ontology(minimal(**change), source="my/ontology.yaml")
    assert caught.value.path == "my/ontology.yaml"
    assert (caught.value.place or None) == place
    assert reason in caught.value.reason
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("plain", [None, [], "x", 3, {}, {"name": "x"}, {1: 2}])
def test_what_is_no_ontology_at_all_is_refused(plain: object) -> None:
    with pytest.raises(DataError):
        parse_ontology(plain, source="x")


def test_endless_nesting_is_refused() -> None:
    classes: dict[str, Any] = {}
    for number in range(5000):
        classes = {f"c{number}": {"children": classes}}
    with pytest.raises(DataError, match="nested deeper"):
        parse_ontology(minimal(classes=classes), source="x")


def test_a_chain_of_parents_is_bounded() -> None:
    classes = {f"c{number}": {"parent": f"c{number - 1}"} if number else {} for number in range(40)}
    with pytest.raises(DataError, match="more than 32 classes deep"):
        parse_ontology(minimal(classes=classes), source="x")


def test_all_faults_can_be_listed() -> None:
    _, problems = read_ontology(
        minimal(classes={"a": {"parent": "x"}, "b": {"key": "i"}}, rules={
            "G-1": {"title": "t", "text": "x", "error_type": "temporal", "classes": ["zz"]}}),
        source="x",
    )  # fmt: skip
    assert [problem.place for problem in problems] == ["classes.a.parent", "rules.G-1.classes[0]", "classes.b.key"]


def test_five_thousand_classes_are_read_soon() -> None:
    classes = {f"c{number}": {"name": f"Class {number}", "shapes": {"image": ["box"]}} for number in range(5000)}
    assert len(parsed(minimal(classes=classes)).classes) == 5000
    classes["c4999"] = {"name": 7}  # type: ignore[dict-item]
    with pytest.raises(DataError) as caught:
        parsed(minimal(classes=classes))
    assert caught.value.place == "classes.c4999.name"


@settings(max_examples=100, deadline=None)
@given(ontologies())
def test_an_ontology_survives_the_way_to_yaml_and_back(ontology: Ontology) -> None:
    text = dump_yaml(ontology_to_plain(ontology))
    assert read(text) == ontology


def test_the_driving_ontology_survives_the_way_to_yaml_and_back() -> None:
    assert read(dump_yaml(ontology_to_plain(driving()))) == driving()


_PLAIN = load_yaml(DRIVING.read_bytes(), source=DRIVING)
_WRONG = st.sampled_from([None, 3, -1, 1.5, True, "", "x", [], {}, [1], {"a": 1}, "\x00", "ä" * 300])


def _paths(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for key, item in value.items():
            found += _paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _paths(item, (*path, index))
    return found


_ALL_PATHS = _paths(_PLAIN)[1:]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_ALL_PATHS), _WRONG)
def test_one_wrong_value_anywhere_is_read_or_refused_in_a_sentence(path: tuple[Any, ...], wrong: object) -> None:
    plain: Any = copy.deepcopy(_PLAIN)
    parent = plain
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = wrong
    try:
        parse_ontology(plain, source="x.yaml")
    except DataError as error:
        refusal = str(error)
    else:
        return
    assert refusal.startswith("x.yaml")
    assert "`" not in refusal


def test_the_schema_accepts_the_driving_ontology_and_refuses_a_wrong_type() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(json.dumps(ontology_schema())))
    assert not list(validator.iter_errors(_PLAIN))
    broken: Any = copy.deepcopy(_PLAIN)
    broken["attributes"]["colour"]["type"] = "colour"
    assert [list(error.absolute_path) for error in validator.iter_errors(broken)] == [["attributes", "colour", "type"]]


def test_setting_the_version_keeps_the_rest_of_the_text() -> None:
    text = "# mine\nversion: 3   # old\nname: x\nnested:\n  version: 7\n"
    assert with_version(text, 12) == "# mine\nversion: 12\nname: x\nnested:\n  version: 7\n"
    assert with_version("name: x\n", 2) == "version: 2\nname: x\n"


def test_shapes_of_a_class_are_kept_per_modality() -> None:
    ontology = parsed(minimal())
    assert ontology.classes[0].shapes[Surface.IMAGE] == (ShapeKind.BOX, ShapeKind.MASK)
