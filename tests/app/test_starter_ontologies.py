"""The ontologies that come with the program: complete, consistent, usable, and told apart without seeing colours."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from workstation.app.opening import starter_ontologies
from workstation.core.annotation import TargetKind
from workstation.core.guideline import guideline_problems, sections_of
from workstation.core.ontology import AttributeType, EndRole, Ontology, Surface, WordPolicy, WordRelation
from workstation.core.ontology_compile import CompiledOntology, compile_ontology
from workstation.core.ontology_history import cross_modal_gaps
from workstation.core.ontology_parse import parse_ontology, read_ontology
from workstation.core.sample import StreamKind
from workstation.store.yaml import load_yaml

NAMES = ("dialogue", "driving", "manipulation", "radiology", "vision_language")
# What the ledger asks of a project of this kind (LINK-02 to LINK-16, TXT-04 to TXT-06, HAL-02).
EVERYWHERE = {"refers_to", "describes", "grounded_in_time", "before", "causes", "absent"}
LEDGER = {
    "driving": {
        "same_object",
        "synchronized_with",
        "sound_source",
        "speaks",
        "coincides_with",
        "attribute_of",
        "concept",
    },
    "dialogue": {"speaks", "synchronized_with", "sound_source", "coincides_with", "rests_on", "responds_to", "during"},
    "vision_language": {"attribute_of", "concept", "same_object", "relation", "contrasts_with", "preferred_to"},
    "radiology": {"finding", "field_of", "located_in", "same_object", "attribute_of", "measures"},
    "manipulation": {"same_object", "attribute_of", "synchronized_with", "coincides_with", "sound_source", "during"},
}

Rgb = tuple[float, float, float]
# Linear light as people without red or green cones see it (Viénot, Brettel and Mollon 1999).
_WITHOUT_RED = ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0))
_WITHOUT_GREEN = ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0))


def ontology_of(name: str) -> Ontology:
    path = starter_ontologies()[name]
    return parse_ontology(load_yaml(path.read_text(encoding="utf-8"), source=path), source=path)


@pytest.fixture(scope="module", params=NAMES)
def starter(request: pytest.FixtureRequest) -> tuple[str, CompiledOntology]:
    name: str = request.param
    return name, compile_ontology(ontology_of(name))


def test_these_five_come_with_the_program() -> None:
    assert tuple(sorted(starter_ontologies())) == NAMES


def test_the_files_have_no_problems(starter: tuple[str, CompiledOntology]) -> None:
    name, _ = starter
    path = starter_ontologies()[name]
    _, problems = read_ontology(load_yaml(path.read_text(encoding="utf-8"), source=path), source=path)
    assert problems == []


def test_every_starter_is_large_enough_to_begin_with(starter: tuple[str, CompiledOntology]) -> None:
    _, compiled = starter
    ontology = compiled.ontology
    assert len(ontology.classes) >= 25
    assert max(len(compiled.above(cls.id)) for cls in ontology.classes) >= 3, "a tree, not a list"
    assert len(ontology.lexicon) >= 40
    assert len({word.language for word in ontology.lexicon}) >= 2
    assert {word.relation for word in ontology.lexicon} >= {
        WordRelation.SYNONYMS, WordRelation.NARROWER, WordRelation.BROADER,
    }  # fmt: skip
    assert {word.policy for word in ontology.lexicon} == set(WordPolicy)
    assert len(ontology.rules) >= 5
    assert len(ontology.edge_cases) >= 5
    choices = [a for a in ontology.attributes if a.type in (AttributeType.CHOICE, AttributeType.CHOICES)]
    assert len(choices) >= 3
    assert any(a.required for a in ontology.attributes)
    assert any(a.per_stream for a in ontology.attributes)


def test_every_class_and_link_type_says_what_it_is(starter: tuple[str, CompiledOntology]) -> None:
    _, compiled = starter
    silent = [each.id for each in compiled.ontology.classes if not each.definition]
    silent += [each.id for each in compiled.ontology.link_types if not each.definition]
    assert silent == []


def test_every_class_is_in_all_modalities_or_says_why_not(starter: tuple[str, CompiledOntology]) -> None:
    _, compiled = starter
    assert [str(gap) for gap in cross_modal_gaps(compiled.ontology, None, {})] == []


def test_the_link_types_of_the_ledger_are_there(starter: tuple[str, CompiledOntology]) -> None:
    name, compiled = starter
    assert (EVERYWHERE | LEDGER[name]) - set(compiled.link_types) == set()
    assert any(link_type.negatable for link_type in compiled.ontology.link_types)
    assert any(link_type.absence and link_type.reasons for link_type in compiled.ontology.link_types)


def test_every_role_can_be_filled_on_every_stream_it_names(starter: tuple[str, CompiledOntology]) -> None:
    _, compiled = starter
    empty = [
        f"{link_type.id}.{role.id} on {surface}"
        for link_type in compiled.ontology.link_types
        for role in link_type.roles
        if TargetKind.ANNOTATION in role.targets
        for surface in role.streams or [None]
        if not _can_be_filled(compiled, role, surface)
    ]
    assert empty == []


def _can_be_filled(compiled: CompiledOntology, role: EndRole, surface: Surface | None) -> bool:
    classes = {below for class_id in role.classes for below in compiled.below(class_id)} or set(compiled.classes)
    streams = [StreamKind(each.value) for each in ([surface] if surface else compiled.ontology.modalities)]
    return any(
        not role.shapes or set(role.shapes) & shapes
        for class_id in classes
        for stream in streams
        if (shapes := compiled.shapes_for(class_id, stream))
    )


def test_every_word_of_the_lexicon_means_what_is_written_there(starter: tuple[str, CompiledOntology]) -> None:
    _, compiled = starter
    for word in compiled.ontology.lexicon:
        assert compiled.word_policy(word.class_id, word.word, word.language) is word.policy, word
        offered = {candidate.class_id for candidate in compiled.match_value(word.word)}
        if word.relation is not WordRelation.RELATED:
            assert word.class_id in offered, word


def test_a_word_is_a_synonym_of_one_class_only(starter: tuple[str, CompiledOntology]) -> None:
    _, compiled = starter
    seen: dict[tuple[str, str], str] = {}
    for word in compiled.ontology.lexicon:
        if word.relation is WordRelation.SYNONYMS:
            key = (word.language, word.word.casefold())
            assert seen.setdefault(key, word.class_id) == word.class_id, word


def test_foreign_lists_are_mapped_and_keep_their_ambiguities(starter: tuple[str, CompiledOntology]) -> None:
    _, compiled = starter
    sizes = {len(ids) for table in compiled.ontology.mappings.values() for ids in table.values()}
    assert 1 in sizes
    assert max(sizes) >= 2


def test_classes_can_be_told_apart_without_seeing_red_or_green(starter: tuple[str, CompiledOntology]) -> None:
    _, compiled = starter
    own = [cls for cls in compiled.ontology.classes if cls.colour or cls.mark or cls.pattern]
    alike = []
    for a, b in combinations(own, 2):
        if a.id in compiled.above(b.id) or b.id in compiled.above(a.id) or not _meet(compiled, a.id, b.id):
            continue
        one, two = compiled.look(a.id), compiled.look(b.id)
        if (one.mark, one.pattern) == (two.mark, two.pattern) and _seen_distance(one.colour, two.colour) < 0.12:
            alike.append((a.id, b.id))
    assert alike == []


def _meet(compiled: CompiledOntology, a: str, b: str) -> bool:
    """Whether both may be drawn in one picture, lane or scene."""
    return any(
        compiled.shapes_for(a, StreamKind(each.value)) and compiled.shapes_for(b, StreamKind(each.value))
        for each in compiled.ontology.modalities
        if each is not Surface.TEXT
    )


def _seen_distance(a: str, b: str) -> float:
    """The smallest distance of two colours (0 to 1 per channel) for normal eyes, and without red or green cones."""
    eyes = [(_linear(a), _linear(b))]
    eyes += [(_through(_linear(a), view), _through(_linear(b), view)) for view in (_WITHOUT_RED, _WITHOUT_GREEN)]
    return min(max(abs(_shown(x) - _shown(y)) for x, y in zip(one, two, strict=True)) for one, two in eyes)


def _linear(colour: str) -> Rgb:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red**2.2, green**2.2, blue**2.2


def _shown(linear: float) -> float:
    return float(max(linear, 0.0) ** (1 / 2.2))


def _through(colour: Rgb, view: tuple[Rgb, Rgb, Rgb]) -> Rgb:
    one, two, three = (sum(part * light for part, light in zip(row, colour, strict=True)) for row in view)
    return one, two, three


def test_the_guideline_explains_every_rule_and_nothing_unknown(starter: tuple[str, CompiledOntology]) -> None:
    name, compiled = starter
    path: Path = starter_ontologies()[name].with_name("guideline.md")
    text = path.read_text(encoding="utf-8")
    assert [str(problem) for problem in guideline_problems(text, compiled.ontology)] == []
    explained = {section.key for section in sections_of(text) if section.keyed and section.text}
    assert {rule.id for rule in compiled.ontology.rules} - explained == set()
    assert explained & set(compiled.classes)
    assert explained & {case.id for case in compiled.ontology.edge_cases}
