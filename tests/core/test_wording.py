"""What a sentence says by the words of an ontology: classes, options, lengths, sides; and what it does not say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.ontology_compile import compile_ontology
from workstation.core.ontology_parse import parse_ontology
from workstation.core.wording import Wording, content_words, lengths_in, masked, sides_in
from workstation.store.yaml import load_yaml

TEXT = """\
version: 1
name: Words
language: en
modalities: [image, text]
shapes: {image: [box], text: [text_span]}
classes:
  thing:
    children:
      vehicle: {children: {car: {}, bicycle: {}}}
      household_item: {children: {cup: {}, vase: {}}}
  step: {children: {lift: {}, push: {}}}
attributes:
  colour: {type: choices, options: {red: {name: {en: Red, de: rot}}, navy: {}, blue: {}}, applies_to: [thing]}
lexicon:
  car: {en: {synonyms: [car, automobile], narrower: [sedan], broader: [vehicle]}, de: {synonyms: [Auto]}}
  cup: {en: {synonyms: [cup], narrower: [mug], related: [{word: bowl, policy: conflict}]}}
  household_item: {en: {narrower: [book, bowl]}}
  lift: {en: {synonyms: [lift], broader: [pick up]}}
"""
ONTOLOGY = compile_ontology(parse_ontology(load_yaml(TEXT, source="o"), source="o"))
WORDING = Wording(ONTOLOGY)


def quotes(text: str, language: str = "en") -> list[str]:
    return [each.quote for each in WORDING.classes_in(text, language)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Two CARS and a mug", ["CARS", "mug"]),
        ("He picks up the cups", ["picks up", "cups"]),
        ("a household item", ["household item"]),
        ("scarves, cartons and acupuncture", []),
        ("", []),
        ("¡¿?! 🚗 \x00", []),
    ],
)
def test_classes_are_named_by_whole_words_in_any_number(text: str, found: list[str]) -> None:
    assert quotes(text) == found


def test_a_language_has_its_own_words_and_a_region_of_it_too() -> None:
    assert quotes("ein Auto", "de-AT") == ["Auto"]
    assert quotes("ein Auto", "en") == []
    assert quotes("a car", "tlh") == []


def test_what_is_negated_is_told_apart() -> None:
    cup, car = WORDING.classes_in("There is no red cup, a car", "en")
    assert (cup.negated, car.negated) == (True, False)


@pytest.mark.parametrize(
    ("word", "class_id", "fits", "contradicts"),
    [
        ("car", "car", True, False), ("sedan", "car", True, False), ("vehicle", "car", True, False),
        ("car", "vehicle", True, False), ("car", "bicycle", False, True), ("cup", "car", False, True),
        ("book", "cup", False, False), ("book", "household_item", True, False), ("bowl", "cup", False, True),
        ("lift", "cup", False, False), ("lift", "push", False, True),
    ],
)  # fmt: skip
def test_words_fit_a_class_contradict_it_or_say_nothing(
    word: str, class_id: str, fits: bool, contradicts: bool
) -> None:
    (named,) = WORDING.classes_in(word, "en")
    assert (WORDING.fits(named, class_id), WORDING.contradicts(named, class_id, "en")) == (fits, contradicts)


def test_options_are_named_in_the_language_of_the_text() -> None:
    assert [each.option for each in WORDING.options_in("Navy blue, not red", "en", "colour")] == ["navy", "blue", "red"]
    assert [each.option for each in WORDING.options_in("ein rotes Auto", "de", "colour")] == ["red"]
    assert WORDING.options_in("red", "en", "no_such_attribute") == []


def test_lengths_and_sides() -> None:
    assert [each.mm for each in lengths_in("2.3 cm, 23 mm and 2,5 cm; 1 m")] == [23.0, 23.0, 25.0, 1000.0]
    assert lengths_in("3 mL, 40 years, cm") == []
    assert [each.option for each in sides_in("the right upper lobe, left-sided", "en")] == ["right", "left"]
    assert [each.option for each in sides_in("im rechten Oberlappen", "de")] == ["right"]


def test_a_template_is_what_is_left_of_a_sentence() -> None:
    texts = ("There is a car in the image.", "There is a cup in the image!")
    assert {masked(text, WORDING.classes_in(text, "en")) for text in texts} == {"there is a _ in the image"}


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    for each in WORDING.classes_in(text, "en"):
        assert text[each.start : each.end] == each.quote
    assert all(each.mm >= 0 for each in lengths_in(text))
    content_words(text, "de")
    masked(text, [])
