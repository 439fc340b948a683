"""Rules about texts, sounds and speech on small worlds made by hand: found where planted, silent where it is right."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from plain_snapshot import Scene

from workstation.app.resources import resource
from workstation.core.annotation import Annotation, Keyframe, State, TargetKind, Track, Word
from workstation.core.evidence import NoEvidence
from workstation.core.findings import Finding
from workstation.core.geometry import Box, ShapeKind, Span, TextSpan
from workstation.core.ids import deterministic_ids
from workstation.core.ontology import ErrorType
from workstation.core.ontology_compile import CompiledOntology, compile_ontology
from workstation.core.ontology_parse import parse_ontology
from workstation.core.sample import Project, Sample, SampleState, Stream, StreamKind
from workstation.core.timemap import IDENTITY
from workstation.qa.findings import load_rules
from workstation.qa.runner import run_rules
from workstation.store.yaml import load_yaml

MS = 1_000_000
IDS = deterministic_ids(77)


@cache
def starter(name: str) -> CompiledOntology:
    text = resource("ontologies", name, "ontology.yaml").read_text(encoding="utf-8")
    return compile_ontology(parse_ontology(load_yaml(text, source=name), source=name))


class Coloured(NoEvidence):
    """A picture of one colour, a sound of one loudness."""

    def __init__(self, *rgb: int, loudness: float = 0.1) -> None:
        self.rgb, self.level = rgb, loudness

    def pixels(self, stream: Stream, session_ns: int, shape: Any) -> Any:
        return np.tile(np.array(self.rgb, np.uint8), (100, 1))

    def loudness(self, stream: Stream, start_ns: int, end_ns: int, hop_ns: int) -> Any:
        return np.full((end_ns - start_ns) // hop_ns, self.level)


class World(Scene):
    """A scene in the words of a starter ontology, with a film as well."""

    def __init__(self, name: str, *, tolerances: dict[str, float] | None = None, **sample: Any) -> None:
        super().__init__(starter(name), **sample)
        self.streams["video"] = self.ids.new()
        given: Any = {"id": self.streams["video"], "sample": self.sample, "key": "video"}
        self.add(Stream(**given, kind=StreamKind.VIDEO, time_map=IDENTITY))
        if tolerances is not None:
            project = Project(id=self.ids.new(), name="p", tolerances=tolerances)  # type: ignore[arg-type]
            self.snapshot.project = lambda: project  # type: ignore[method-assign]

    def caption(self, text: str, class_id: str = "caption") -> Annotation:
        made = self.says(text, class_id=class_id)
        self.link("describes", {"text": made, "subject": (TargetKind.STREAM, self.streams["image"])})
        return made

    def span(self, stream: str, start_ms: float, end_ms: float, **more: Any) -> Annotation:
        times = {"start_ns": round(start_ms * MS), "end_ns": round(end_ms * MS)}
        shape = {"kind": ShapeKind.SPAN, "shape": Span(), "stream": self.streams[stream]}
        return self.label("audio", **{**shape, **times, **more})

    def turn(self, start_ms: float, end_ms: float, text: str, **more: Any) -> Annotation:
        turn = self.span("audio", start_ms, end_ms, text=text, class_id="turn", **more)
        for position, word in enumerate(text.split()):
            self.add(Word(id=self.ids.new(), annotation=turn.id, position=position, text=word))  # type: ignore[arg-type]
        return turn

    def face(self, entity: Any) -> Annotation:
        track = self.label("image", stream=self.streams["video"], entity=entity.id, shape=None, track=Track())
        given: Any = {"id": self.ids.new(), "annotation": track.id, "time_ns": 0}
        self.add(Keyframe(**given, shape=Box(0, 0, 10, 10)))
        return track

    def told(self, *rules: str) -> list[Finding]:
        wanted = [each for each in load_rules() if each.id in rules]
        assert len(wanted) == len(rules)
        outcomes = list(run_rules(self.snapshot, wanted, self.snapshot.samples()))
        assert [each.not_run for each in outcomes if each.not_run] == []
        return [finding for each in outcomes for finding in each.findings]


# ---------------------------------------------------------------- captions


def table_of_five(**more: Any) -> World:
    world = World("vision_language", **more)
    for class_id in ("table", "cup", "dog", "car", "vase"):
        world.label("image", entity=world.entity(class_id).id)
    return world


def test_a_list_of_three_of_five_is_partial_and_no_wrong_pair() -> None:
    world = table_of_five()
    world.caption("A table, a cup and a dog.")
    (found,) = world.told("captions.partial", "captions.pairing", "captions.absent", "captions.omitted")
    assert (found.error_type, found.measured) == (ErrorType.PARTIAL_ALIGNMENT, 60.0)
    assert "leaves out car, vase" in found.text


def test_short_captions_are_asked_for_their_share_only_where_the_project_says_so() -> None:
    world = table_of_five()
    world.caption("A cup on a table.")
    assert world.told("captions.partial", "captions.omitted") == []
    world = table_of_five(tolerances={"caption_each": 1.0})
    world.caption("A cup on a table.")
    assert [each.measured for each in world.told("captions.partial")] == [40.0]
    world = table_of_five(tolerances={"caption_each": 0.4})
    world.caption("A cup on a table.")
    assert world.told("captions.partial") == []


def test_what_no_caption_names_is_listed_until_it_is_named_or_set_to_background() -> None:
    world = table_of_five()
    world.caption("On the table a cup, a dog and a car.", class_id="full_caption")
    (found,) = world.told("captions.omitted")
    assert (found.measured, found.items[0].label) == (80.0, "vase (box on image)")
    world.caption("A vase.")
    assert world.told("captions.omitted") == []
    world = World("vision_language")
    world.label("image", entity=world.entity("cup").id)
    world.label("image", entity=world.entity("vase", attributes={"salience": "background"}).id)
    world.caption("A cup.", class_id="full_caption")
    assert world.told("captions.omitted", "captions.partial") == []


def test_what_is_negated_or_of_a_sort_that_nobody_labels_is_not_invented() -> None:
    world = table_of_five()
    world.caption("A table without a chair, on the road, under the sky.")
    assert world.told("captions.absent") == []
    world.caption("A table, and a chair.")
    (found,) = world.told("captions.absent")
    assert (found.error_type, found.measured) == (ErrorType.HALLUCINATION, "chair")


def test_a_caption_of_a_picture_without_labels_is_held_against_what_its_phrases_are_linked_to() -> None:
    world = World("vision_language")
    cup = world.label("image", entity=world.entity("cup").id, stream=world.streams["video"])
    world.caption("A cup, and a dog.")
    assert world.told("captions.absent") == [], "nobody labelled that picture"
    phrase = world.says("A cup")
    world.link("refers_to", {"phrase": phrase, "thing": cup})
    (found,) = world.told("captions.absent")
    assert found.measured == "dog"
    assert world.told("captions.partial", "captions.pairing") == []


@pytest.mark.parametrize("words", ["vehicle", "automobile", "sedan", "the red car in the foreground"])
def test_all_words_of_one_concept_link_without_a_flag(words: str) -> None:
    world = World("vision_language")
    world.snapshot.known = Coloured(180, 30, 30)
    box = world.label("image", entity=world.entity("car").id)
    phrase = world.says(words, class_id="car")
    world.link("refers_to", {"phrase": phrase, "thing": box})
    conflicts = ("ontology.word_conflicts", "pairing.classes", "colours.differ", "colours.wrong_thing")
    assert world.told(*conflicts) == []
    world.link("refers_to", {"phrase": world.says("the dog"), "thing": box})
    assert len(world.told("ontology.word_conflicts")) == 1


def test_a_description_that_fits_neither_class_nor_colour_is_one_finding() -> None:
    world = World("vision_language")
    world.snapshot.known = Coloured(40, 70, 200)
    world.label("image", entity=world.entity("bicycle").id, text="a red sedan")
    (found,) = world.told("regions.description")
    assert "class bicycle, not 'sedan'" in found.text
    assert "colour #2846c8, not red" in found.text
    right = World("vision_language")
    right.snapshot.known = Coloured(40, 70, 200)
    right.label("image", entity=right.entity("bicycle").id, text="a blue bike")
    assert right.told("regions.description") == []


def test_a_word_left_unlinked_among_linked_ones_is_shown() -> None:
    world = table_of_five()
    boxes = {each.entity: each for each in world.snapshot.annotations(world.sample)}
    cup = next(each for each in world.snapshot.entities(world.sample) if each.class_id == "cup")
    caption = world.caption("A cup beside a dog.")
    phrase = world.label("text", class_id="cup", shape=TextSpan(((0, 5),), "A cup"))
    world.link("refers_to", {"phrase": phrase, "thing": boxes[cup.id]})
    (found,) = world.told("captions.unlinked")
    assert (found.measured, found.items[0].id) == ("dog", caption.id)


# ---------------------------------------------------------------- relations, links


@pytest.mark.parametrize(
    ("predicate", "other", "found"),
    [
        ("left_of", Box(100, 0, 10, 10), 0), ("right_of", Box(100, 0, 10, 10), 1), ("above", Box(0, 90, 10, 10), 0),
        ("below", Box(0, 90, 10, 10), 1), ("on", Box(0, 8, 30, 30), 0), ("on", Box(0, 60, 30, 30), 1),
        ("in", Box(-5, -5, 40, 40), 0), ("in", Box(50, 50, 9, 9), 1), ("touching", Box(11, 0, 10, 10), 0),
        ("touching", Box(20, 0, 10, 10), 1), ("behind", Box(100, 0, 9, 9), 0), ("left_of", Box(-2, 0, 10, 10), 0),
    ],
)  # fmt: skip
def test_relations_of_place_are_held_against_the_boxes(predicate: str, other: Box, found: int) -> None:
    world = World("vision_language")
    one = world.label("image", entity=world.entity("cup").id, shape=Box(0, 0, 10, 10))
    two = world.label("image", entity=world.entity("table").id, shape=other)
    world.link("relation", {"subject": one, "object": two}, attributes={"predicate": predicate})
    assert len(world.told("relations.geometry")) == found


def test_words_of_another_thing_that_is_there_are_linked_to_the_wrong_one() -> None:
    world = World("vision_language")
    car, dog = (world.label("image", entity=world.entity(each).id) for each in ("car", "dog"))
    phrase = world.says("the old dog")
    world.link("refers_to", {"phrase": phrase, "thing": dog})
    assert world.told("pairing.wrong_thing") == []
    world.link("refers_to", {"phrase": world.says("a cat"), "thing": car})
    assert world.told("pairing.wrong_thing") == [], "no cat is labelled that could be meant"
    world.link("refers_to", {"phrase": world.says("a dog"), "thing": car})
    (found,) = world.told("pairing.wrong_thing")
    assert (found.error_type, found.items[-1].id) == (ErrorType.INCORRECT_PAIRING, dog.id)


def test_a_sound_of_a_sample_that_is_handed_in_needs_a_sentence_about_its_source() -> None:
    for state, rationale, count in (
        (SampleState.IN_PROGRESS, "", 0), (SampleState.SUBMITTED, "", 1), (SampleState.SUBMITTED, "The dog barks.", 0),
    ):  # fmt: skip
        world = World("vision_language", state=state)
        dog = world.label("image", entity=world.entity("dog").id)
        bark = world.span("audio", 0, 500, class_id="animal_call")
        world.link("sound_source", {"sound": bark, "source": dog}, rationale=rationale)
        assert len(world.told("sounds.source")) == count


def test_a_clip_level_sound_beside_events_is_found_until_the_project_allows_it() -> None:
    for tolerances, count in (({}, 1), ({"clip_level_allowed": 1.0}, 0)):
        world = World("vision_language", tolerances=tolerances)
        for start in (0, 3000, 9000):
            world.span("video", start, start + 1000, class_id="handling")
        world.span("audio", 0, 10_000, class_id="sound_event")
        assert len(world.told("granularity.levels")) == count


def test_a_class_that_gets_finer_in_one_modality_is_dated() -> None:
    world = Scene()
    for week in range(1, 5):
        for number in range(6):
            sample: Any = IDS.new()
            world.add(Sample(id=sample, key=f"{week}-{number}", properties={"week": str(week)}))
            for kind in ("image", "text"):
                stream: Any = IDS.new()
                world.add(Stream(id=stream, sample=sample, key=kind, kind=StreamKind(kind), time_map=IDENTITY))
                finer = kind == "image" and week >= 3
                world.label(kind, ("sedan", "hatchback")[number % 2] if finer else "car", sample=sample, stream=stream)
    wanted = [each for each in load_rules() if each.id == "granularity.drift"]
    findings = [f for each in run_rules(world.snapshot, wanted, []) for f in each.findings]
    (found,) = [each for each in findings if "stay at car" in each.text]
    assert (found.error_type, found.measured) == (ErrorType.SEMANTIC_DRIFT, 100.0)
    assert "since week 3 image labels say sedan, hatchback where text labels stay at car" in found.text


# ---------------------------------------------------------------- speech


def test_two_turns_of_one_voice_at_once_are_found_and_of_two_voices_are_not() -> None:
    world = World("dialogue")
    ana, ben = world.entity("customer", 1), world.entity("agent", 2)
    world.turn(0, 2000, "one two three", entity=ana.id)
    world.turn(1500, 3000, "four five", entity=ben.id)
    world.turn(1990, 3000, "within the twentieth", entity=ana.id)
    assert world.told("speech.overlap") == []
    world.turn(2900, 4000, "six", entity=ana.id)
    (found,) = world.told("speech.overlap")
    assert (found.measured, found.error_type) == (100.0, ErrorType.TEMPORAL)


def test_word_errors_between_two_layers_are_counted() -> None:
    said = "a b c d e f g h i j"
    for heard, count in (("a b c d e f g h x y", 0), ("a b c d e f g x y z", 1)):
        world = World("dialogue")
        world.turn(0, 5000, said)
        world.turn(0, 5000, heard, layer="second")
        found = world.told("speech.word_errors")
        assert [each.measured for each in found] == [30.0] * count


def test_exchanged_texts_of_neighbours_name_each_other() -> None:
    def world_with(texts: tuple[str, ...]) -> World:
        world = World("dialogue")
        at = 0
        for length, text in zip((2000, 4400, 3000, 2600, 3400), texts, strict=True):
            world.turn(at, at + length, text)
            at += length + 300
        return world

    right = tuple("word " * count for count in (7, 15, 10, 9, 12))
    assert world_with(right).told("speech.exchanged") == []
    swapped = (right[1], right[0], *right[2:])
    found = world_with(swapped).told("speech.exchanged")
    assert {(each.items[0].id, each.items[1].id) for each in found} == {
        (found[0].items[0].id, found[1].items[0].id), (found[1].items[0].id, found[0].items[0].id),
    }  # fmt: skip


def test_a_voice_without_a_face_is_asked_for_until_it_is_off_screen() -> None:
    world = World("dialogue")
    seen, heard = world.entity("agent", 1), world.entity("bystander", 2)
    world.face(seen)
    world.turn(0, 900, "good morning", entity=seen.id)
    world.turn(1000, 2000, "tea anyone", entity=heard.id)
    (found,) = world.told("speech.voice_without_face")
    assert found.items[0].id == heard.id
    away = {"item": (TargetKind.ENTITY, heard.id), "missing_from": (TargetKind.STREAM, world.streams["video"])}
    world.link("absent", away, reason="source_off_screen")
    assert world.told("speech.voice_without_face") == []


@pytest.mark.parametrize(("language", "text", "count"), [("hi", "next month", 1), ("hi", "अगले महीने", 0),
                                                          ("es", "mañana", 0), ("zh", "明天", 0)])  # fmt: skip
def test_a_code_switch_keeps_its_script(language: str, text: str, count: int) -> None:
    world = World("dialogue")
    world.label("audio", kind=ShapeKind.TEXT_SPAN, shape=TextSpan(((0, len(text)),), text), class_id="code_switch",
                attributes={"other_language": language})  # fmt: skip
    assert len(world.told("speech.code_switch")) == count


# ---------------------------------------------------------------- dialogue


@pytest.fixture
def cross() -> tuple[World, Annotation]:
    """A frustrated turn of somebody whose face is on film, with a frown, and a complaint on its words."""
    world = World("dialogue")
    who = world.entity("customer")
    world.face(who)
    turn = world.turn(0, 4000, "my order is late", entity=who.id,
                      attributes={"emotion": "frustration", "sentiment": "negative"})  # fmt: skip
    world.label("audio", kind=ShapeKind.TEXT_SPAN, shape=TextSpan(((0, 16),), "my order is late", turn.id),
                class_id="complaint", start_ns=0, end_ns=4000 * MS)  # fmt: skip
    world.span("video", 0, 4000, class_id="frown", entity=who.id)
    return world, turn


AFFECT = ("dialogue.voice_and_words", "dialogue.voice_and_face", "dialogue.face_missing")


def test_voice_face_and_words_that_agree_are_silent(cross: tuple[World, Annotation]) -> None:
    assert cross[0].told(*AFFECT) == []


def change(world: World, annotation: Annotation, **to: Any) -> None:
    held = world.snapshot.held
    held[[each.id for each in held].index(annotation.id)] = replace(annotation, **to)


def of_class(world: World, class_id: str) -> Annotation:
    return next(each for each in world.snapshot.annotations(world.sample) if each.class_id == class_id)


def test_a_smile_and_a_greeting_on_a_frustrated_voice_are_found_until_it_is_irony(
    cross: tuple[World, Annotation],
) -> None:
    world, turn = cross
    change(world, of_class(world, "frown"), class_id="smile")
    change(world, of_class(world, "complaint"), class_id="greeting")
    assert [each.rule for each in world.told(*AFFECT)] == ["dialogue.voice_and_words", "dialogue.voice_and_face"]
    change(world, turn, attributes={**turn.attributes, "tone": ("ironic",)})
    assert world.told(*AFFECT) == []


def test_a_face_that_nobody_labelled_is_missed_where_faces_are_labelled(cross: tuple[World, Annotation]) -> None:
    world, _ = cross
    change(world, of_class(world, "frown"), start_ns=8000 * MS, end_ns=9000 * MS)
    (found,) = world.told(*AFFECT)
    assert (found.rule, found.error_type) == ("dialogue.face_missing", ErrorType.MISSING_REFERENCE)


def test_what_a_turn_does_lies_on_it_and_not_on_its_neighbour(cross: tuple[World, Annotation]) -> None:
    world, turn = cross
    world.turn(4500, 8000, "I am sorry")
    assert world.told("dialogue.neighbour") == []
    change(world, of_class(world, "complaint"), start_ns=4500 * MS, end_ns=8000 * MS)
    (found,) = world.told("dialogue.neighbour")
    assert found.items[1].id == turn.id
    assert "0.000 to 4.000 s" in found.suggestion


# ---------------------------------------------------------------- two errors on one passage


def test_a_hallucination_and_a_factual_error_are_two_labels_and_both_may_apply() -> None:
    world = World("vision_language")
    city = world.says("in Rome", class_id="factual_error", state=State.DONE, attributes={"severity": "misleading"})
    dog = world.says("a dog", class_id="hallucinated_object", state=State.DONE, attributes={"severity": "misleading"})
    assert world.told("ontology.unknown", "ontology.missing_attribute") == []
    relation = starter("vision_language").relation(city.class_id or "", dog.class_id or "")
    assert relation.value == "conflict", "neither is a kind of the other"
