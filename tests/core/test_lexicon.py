"""Words beside classes, and candidates for foreign values."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_ontologies import driving, minimal, ontologies, parsed

from workstation.core.lexicon import Candidate, Lexicon, MatchReason, folded
from workstation.core.ontology import Ontology, WordPolicy


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon(driving())


@pytest.mark.parametrize(
    ("class_id", "word", "language", "policy"),
    [
        ("dog", "puppy", "en", WordPolicy.ALLOWED),
        ("dog", "animal", "en", WordPolicy.WARN),
        ("dog", "cat", "en", WordPolicy.CONFLICT),
        ("dog", "Hound", "en", WordPolicy.SAME),
        ("dog", "Welpe", "de", WordPolicy.ALLOWED),
        ("dog", "Welpe", "en", None),
        ("car", "automobile", "en", WordPolicy.SAME),
        ("car", "sedan", "en", WordPolicy.ALLOWED),
        ("car", "saloon", "en", WordPolicy.ALLOWED),
        ("sedan", "car", "en", WordPolicy.WARN),
        ("sedan", "vehicle", "en-GB", WordPolicy.WARN),
        ("sedan", "truck", "en", WordPolicy.CONFLICT),
        ("car", "lorry", "en", WordPolicy.CONFLICT),
        ("car", "taxi", "en", WordPolicy.ALLOWED),
        ("truck", "pedestrian  crossing", "en", WordPolicy.CONFLICT),
        ("car", "flibbertigibbet", "en", None),
        ("vehicle", "pick_up", "en", WordPolicy.ALLOWED),
    ],
)
def test_a_word_is_judged_for_a_class(
    lexicon: Lexicon, class_id: str, word: str, language: str, policy: WordPolicy | None
) -> None:
    assert lexicon.policy(class_id, word, language) is policy


def test_a_word_of_several_classes_is_judged_mildly() -> None:
    small = Lexicon(
        parsed(minimal(lexicon={"car": {"en": {"synonyms": ["jaguar"]}}, "person": {"en": {"synonyms": ["jaguar"]}}}))
    )
    assert small.policy("car", "Jaguar", "en") is WordPolicy.SAME
    assert small.policy("vehicle", "jaguar", "en") is WordPolicy.ALLOWED


@pytest.mark.parametrize(
    ("raw", "origin", "expected"),
    [
        ("car", "", [("car", MatchReason.ID)]),
        ("Traffic-Light", "", [("traffic_light", MatchReason.ID)]),
        ("automobil", "", [("car", MatchReason.SPELLING)]),
        ("Wagen", "", [("car", MatchReason.SYNONYM)]),
        ("Auto", "", [("car", MatchReason.NAME)]),
        ("Person_sitting", "kitti", [("pedestrian", MatchReason.MAPPING)]),
        ("person_SITTING", "kitti", [("pedestrian", MatchReason.MAPPING)]),
        ("commercial vehicle", "fleet_list", [("van", MatchReason.MAPPING), ("truck", MatchReason.MAPPING)]),
        ("taxi", "", [("vehicle", MatchReason.NARROWER), ("car", MatchReason.NARROWER)]),
        ("xyzzy", "", []),
        ("", "", []),
    ],
)  # fmt: skip
def test_candidates_are_offered_with_their_reason(
    lexicon: Lexicon, raw: str, origin: str, expected: list[tuple[str, MatchReason]]
) -> None:
    assert [(item.class_id, item.reason) for item in lexicon.candidates(raw, origin)] == expected


def test_a_retired_class_is_shown_as_such() -> None:
    small = Lexicon(parsed(minimal(classes={"car": {}, "auto": {"retired": {"replacements": ["car"]}}})))
    assert small.candidates("auto") == (Candidate("auto", MatchReason.ID, "auto", retired=True),)


@given(st.text(max_size=30))
def test_folding_is_done_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@settings(max_examples=60, deadline=None)
@given(ontologies(), st.text(max_size=20))
def test_any_text_gives_classes_of_the_ontology_each_once(ontology: Ontology, raw: str) -> None:
    found = [item.class_id for item in Lexicon(ontology).candidates(raw)]
    assert len(set(found)) == len(found)
    assert set(found) <= {cls.id for cls in ontology.classes}


@settings(max_examples=60, deadline=None)
@given(ontologies(), st.data())
def test_the_name_of_a_class_is_the_same_word_for_it(ontology: Ontology, data: st.DataObject) -> None:
    cls = data.draw(st.sampled_from(ontology.classes))
    policy = Lexicon(ontology).policy(cls.id, cls.names["en"], "en")
    listed = [
        word.policy
        for word in ontology.lexicon
        if word.class_id == cls.id and folded(word.word) == folded(cls.names["en"])
    ]
    assert policy is (listed[0] if listed else WordPolicy.SAME)
