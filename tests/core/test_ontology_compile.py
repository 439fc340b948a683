"""What the gate is told about labels, and what pickers offer, by the driving ontology and small ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from random_ontologies import driving, minimal, ontologies, parsed

from workstation.core.annotation import Annotation, Entity, Keyframe, Link, LinkEnd, State, TargetKind, Track
from workstation.core.geometry import Box, Keypoint, Keypoints, ShapeKind
from workstation.core.ids import AnnotationId, EntityId, LinkId, RecordId, SampleId, StreamId
from workstation.core.ontology import ClassRelation, Mark, Ontology, Pattern, ancestors, parents_of, relation_between
from workstation.core.ontology_compile import CompiledOntology, compile_ontology, missing_attributes
from workstation.core.ontology_links import EndView
from workstation.core.sample import StreamKind

SAMPLE = SampleId("s")


@pytest.fixture(scope="module")
def compiled() -> CompiledOntology:
    return compile_ontology(driving())


def box(class_id: str | None, **changes: Any) -> Annotation:
    plain: dict[str, Any] = {
        "id": AnnotationId("a"), "sample": SAMPLE, "stream": StreamId("cam"), "class_id": class_id,
        "kind": ShapeKind.BOX, "shape": Box(1.0, 1.0, 5.0, 5.0),
    }  # fmt: skip
    return Annotation(**{**plain, **changes})


def entity(class_id: str, **attributes: Any) -> Entity:
    return Entity(id=EntityId("e"), sample=SAMPLE, class_id=class_id, attributes=attributes)


def link(type_id: str, *ends: tuple[str, TargetKind, str], **changes: Any) -> Link:
    made = tuple(LinkEnd(role=role, kind=kind, target=target) for role, kind, target in ends)
    return Link(id=LinkId("l"), sample=SAMPLE, type_id=type_id, ends=made, **changes)


def test_a_fitting_label_has_no_problem(compiled: CompiledOntology) -> None:
    annotation = box("car", attributes={"occlusion": "partial", "colour": "red"}, state=State.DONE)
    assert compiled.check_annotation(annotation, StreamKind.IMAGE) == []


@pytest.mark.parametrize(
    ("class_id", "changes", "stream", "words"),
    [
        ("automobil", {}, StreamKind.IMAGE, "no class 'automobil'; did you mean 'car'?"),
        ("zzzzqqq", {}, StreamKind.IMAGE, "map it to a class"),
        ("car", {}, StreamKind.AUDIO, "'car' may not be drawn as box on audio; allowed there: band, span"),
        ("horn", {}, StreamKind.IMAGE, "'horn' has no place on image"),
        (
            "car",
            {"attributes": {"occlusion": "sideways"}},
            StreamKind.IMAGE,
            "no option 'sideways'; choose one of: none",
        ),
        ("car", {"attributes": {"signal_state": "red"}}, StreamKind.IMAGE, "'car' has no attribute 'signal_state'"),
        ("car", {"attributes": {"smell": "red"}}, StreamKind.IMAGE, "there is no attribute 'smell'"),
        ("car", {"attributes": {"truncated": "yes"}}, StreamKind.IMAGE, "is true or false, not 'yes'"),
        ("car", {"attributes": {"lights": "brake"}}, StreamKind.IMAGE, "is a list of options"),
        ("car", {"attributes": {"lights": ("brake", "brake")}}, StreamKind.IMAGE, "twice"),
        ("car", {"attributes": {"lights": ("brake", "disco")}}, StreamKind.IMAGE, "no option 'disco'"),
        ("bicycle", {"attributes": {"rider_count": 10}}, StreamKind.IMAGE, "is 10, outside of 0 to 9"),
        ("bicycle", {"attributes": {"rider_count": 1.5}}, StreamKind.IMAGE, "whole number"),
        ("bicycle", {"attributes": {"rider_count": True}}, StreamKind.IMAGE, "whole number"),
        ("horn", {"attributes": {"loudness": float("nan")}}, StreamKind.AUDIO, "finite"),
        ("horn", {"attributes": {"loudness": 200}}, StreamKind.AUDIO, "200 dB, outside of -20 to 120 dB"),
        ("car", {"state": State.DONE}, StreamKind.IMAGE, "'occlusion' is required before the label is done"),
        (None, {"state": State.APPROVED}, StreamKind.IMAGE, "needs a class"),
    ],
)
def test_a_misfit_is_told_in_a_sentence(
    compiled: CompiledOntology, class_id: str | None, changes: dict[str, Any], stream: StreamKind, words: str
) -> None:
    problems = compiled.check_annotation(box(class_id, **changes), stream)
    assert any(words in problem for problem in problems), problems


@pytest.mark.parametrize("state", [State.PROPOSED, State.DRAFT, State.REJECTED])
def test_proposals_and_drafts_may_lack_what_is_required(compiled: CompiledOntology, state: State) -> None:
    assert compiled.check_annotation(box("car", state=state), StreamKind.IMAGE) == []


def test_a_track_may_have_on_its_keyframes_what_changes_over_time(compiled: CompiledOntology) -> None:
    track = box("car", state=State.DONE, track=Track(), shape=None)
    assert compiled.check_annotation(track, StreamKind.VIDEO) == []


def test_the_class_of_the_entity_counts_where_the_label_has_none(compiled: CompiledOntology) -> None:
    annotation = box(None, entity=EntityId("e"), attributes={"occlusion": "none"}, state=State.DONE)
    assert compiled.check_annotation(annotation, StreamKind.IMAGE, "car") == []
    problems = compiled.check_annotation(annotation, StreamKind.IMAGE, "horn")
    assert any("'horn' has no place on image" in problem for problem in problems)


def test_what_the_thing_itself_must_have_is_not_asked_of_its_views() -> None:
    plain = minimal(attributes={"colour": {"type": "choice", "options": ["red"], "required": True}})
    small = compile_ontology(parsed(plain))
    alone = box("car", state=State.DONE)
    assert small.check_annotation(alone, StreamKind.IMAGE) == [
        "attribute 'colour' is required before the label is done"
    ]
    assert small.check_annotation(replace(alone, entity=EntityId("e")), StreamKind.IMAGE, "car") == []
    assert missing_attributes(small, entity("car")) == ("colour",)
    assert missing_attributes(small, entity("car", colour="red")) == ()


def test_an_entity_does_not_carry_what_each_stream_judges(compiled: CompiledOntology) -> None:
    assert compiled.check_entity(entity("car", colour="red")) == []
    assert "in each stream" in compiled.check_entity(entity("car", occlusion="none"))[0]
    assert "no class" in compiled.check_entity(entity("spaceship"))[0]


def _retired() -> CompiledOntology:
    plain = minimal(
        classes={
            "car": {"shapes": {"image": ["box"]}},
            "auto": {"shapes": {"image": ["box"]}, "retired": {"replacements": ["car"]}},
        },
        attributes={
            "colour": {"type": "choice", "options": {"red": None, "crimson": {"retired": {"replacements": ["red"]}}}},
            "old": {"type": "flag", "retired": {}},
        },
    )
    return compile_ontology(parsed(plain))


def test_what_is_retired_stays_where_it_is_and_comes_nowhere_new() -> None:
    small = _retired()
    old = box("auto", attributes={"colour": "crimson", "old": True})
    problems = small.check_annotation(old, StreamKind.IMAGE)
    assert problems == [
        "class 'auto' is retired; use 'car'",
        "option 'crimson' of attribute 'colour' is retired; use 'red'",
        "attribute 'old' is retired; leave it out",
    ]
    moved = replace(old, shape=Box(9.0, 9.0, 1.0, 1.0))
    assert small.check_annotation(moved, StreamKind.IMAGE, None, old) == []
    assert small.check_annotation(replace(moved, class_id="car"), StreamKind.IMAGE, None, old) == []
    assert small.check_annotation(old, StreamKind.IMAGE, None, box("car"))
    assert small.check_entity(entity("auto"))
    assert small.check_entity(entity("auto"), entity("auto")) == []
    assert small.classes_for(StreamKind.IMAGE) == ("car",)
    assert [item.id for item in small.attributes_of("car")] == ["colour"]


def test_a_keyframe_carries_only_what_changes_over_time(compiled: CompiledOntology) -> None:
    def keyframe(**attributes: Any) -> list[str]:
        made = Keyframe(
            id=RecordId("k"),
            annotation=AnnotationId("a"),
            time_ns=0,
            shape=Box(0.0, 0.0, 1.0, 1.0),
            attributes=attributes,
        )
        return compiled.check_keyframe(made, ShapeKind.BOX, StreamKind.VIDEO, "car")

    assert keyframe(occlusion="heavy", motion="moving") == []
    assert "does not change over time" in keyframe(colour="red")[0]
    assert "no option" in keyframe(motion="flying")[0]


def test_a_keyframe_has_the_shape_of_its_track(compiled: CompiledOntology) -> None:
    made = Keyframe(id=RecordId("k"), annotation=AnnotationId("a"), time_ns=0, shape=Box(0.0, 0.0, 1.0, 1.0))
    problems = compiled.check_keyframe(made, ShapeKind.CUBOID, StreamKind.CLOUD, "car")
    assert problems == ["holds a box; its track is made of cuboid"]


def test_keypoints_are_those_of_the_skeleton(compiled: CompiledOntology) -> None:
    def person(name: str) -> list[str]:
        shape = Keypoints((Keypoint(name, 1.0, 1.0),))
        return compiled.check_annotation(box("child", kind=ShapeKind.KEYPOINTS, shape=shape), StreamKind.IMAGE)

    assert person("nose") == []
    assert person("tail") == ["skeleton 'body' has no point 'tail'"]


A, E, M = TargetKind.ANNOTATION, TargetKind.ENTITY, TargetKind.MODALITY


def test_speaks_from_a_car_is_refused_quoting_the_rule(compiled: CompiledOntology) -> None:
    speaks = link("speaks", ("voice", A, "v"), ("speaker", E, "c"))
    voice = EndView("voice", A, "v", ShapeKind.SPAN, "speech", StreamKind.AUDIO)
    car = EndView("speaker", E, "c", None, "car", label="car 17")
    assert compiled.check_link(speaks, [voice, car]) == [
        "'speaks' needs a speaker of class person or one below it; 'car 17' is a car"
    ]
    child = EndView("speaker", E, "c", None, "child")
    assert compiled.check_link(speaks, [voice, child]) == []


@pytest.mark.parametrize(
    ("made", "ends", "words"),
    [
        (link("hugs", ("a", A, "1")), [], "there is no link type 'hugs'"),
        (
            link("same_object", ("view", A, "1")),
            [EndView("view", A, "1", ShapeKind.BOX, "car", StreamKind.IMAGE)],
            "needs at least 2 view, this has 1",
        ),
        (
            link("same_object", ("view", A, "1"), ("view", A, "1")),
            [EndView("view", A, "1", ShapeKind.BOX, "car", StreamKind.IMAGE)] * 2,
            "with itself",
        ),
        (
            link("same_object", ("view", A, "1"), ("thing", A, "2")),
            [
                EndView("view", A, "1", ShapeKind.BOX, "car", "image"),
                EndView("thing", A, "2", ShapeKind.BOX, "car", "image"),
            ],
            "has no role 'thing'; its roles are: view",
        ),
        (
            link("same_object", ("view", A, "1"), ("view", E, "2")),
            [EndView("view", A, "1", ShapeKind.BOX, "car", "image"), EndView("view", E, "2", None, "car")],
            "that is annotation; entity 2 is an entity",
        ),
        (
            link("same_object", ("view", A, "1"), ("view", A, "2")),
            [
                EndView("view", A, "1", ShapeKind.BOX, "car", "image"),
                EndView("view", A, "2", ShapeKind.SPAN, "car", "audio"),
            ],
            "drawn as box or",
        ),
        (
            link("refers_to", ("phrase", A, "1"), ("thing", E, "2")),
            [EndView("phrase", A, "1", ShapeKind.TEXT_SPAN, None, "image"), EndView("thing", E, "2", None, "car")],
            "on text or audio; annotation 1 is on image",
        ),
        (
            link("absent", ("item", E, "1"), ("missing_from", M, "audio")),
            [EndView("item", E, "1", None, "car"), EndView("missing_from", M, "audio")],
            "needs a reason",
        ),
        (
            link("absent", ("item", E, "1"), ("missing_from", M, "audio"), reason="because"),
            [EndView("item", E, "1", None, "car"), EndView("missing_from", M, "audio")],
            "has no reason 'because'; choose one of: occluded",
        ),
        (
            link("absent", ("item", E, "1"), ("missing_from", M, "smell"), reason="silent"),
            [EndView("item", E, "1", None, "car"), EndView("missing_from", M, "smell")],
            "no modality 'smell'",
        ),
        (
            link("speaks", ("voice", A, "1"), ("speaker", E, "2"), holds=False),
            [EndView("voice", A, "1", ShapeKind.SPAN, "speech", "audio"), EndView("speaker", E, "2", None, "person")],
            "cannot be negated",
        ),
        (
            link("speaks", ("voice", A, "1"), ("speaker", E, "2"), attributes={"colour": "red"}),
            [EndView("voice", A, "1", ShapeKind.SPAN, "speech", "audio"), EndView("speaker", E, "2", None, "person")],
            "'speaks' has no attribute 'colour'",
        ),
    ],
)
def test_a_link_that_does_not_fit_is_refused(
    compiled: CompiledOntology, made: Link, ends: list[EndView], words: str
) -> None:
    problems = compiled.check_link(made, ends)
    assert any(words in problem for problem in problems), problems


def test_absence_and_negation_are_accepted_where_they_are_meant(compiled: CompiledOntology) -> None:
    absent = link("absent", ("item", E, "1"), ("missing_from", M, "audio"), reason="silent")
    assert (
        compiled.check_link(absent, [EndView("item", E, "1", None, "car"), EndView("missing_from", M, "audio")]) == []
    )
    apart = link("same_object", ("view", A, "1"), ("view", A, "2"), holds=False)
    ends = [
        EndView("view", A, "1", ShapeKind.BOX, "car", "image"),
        EndView("view", A, "2", ShapeKind.CUBOID, "van", "cloud"),
    ]
    assert compiled.check_link(apart, ends) == []


def test_every_pane_is_offered_the_same_ids(compiled: CompiledOntology) -> None:
    assert "car" in compiled.classes_for(StreamKind.IMAGE, ShapeKind.BOX)
    assert "car" in compiled.classes_for(StreamKind.CLOUD, ShapeKind.CUBOID)
    assert "car" not in compiled.classes_for(StreamKind.IMAGE, ShapeKind.POLYLINE)
    assert "horn" in compiled.classes_for(StreamKind.AUDIO)
    assert "horn" not in compiled.classes_for(StreamKind.CLOUD)
    assert compiled.classes_for(None, ShapeKind.TAG) == tuple(cls.id for cls in driving().classes)


def test_the_picker_of_link_types_gives_each_end_its_role(compiled: CompiledOntology) -> None:
    region = EndView("", A, "1", ShapeKind.BOX, "car", "image")
    phrase = EndView("", A, "2", ShapeKind.TEXT_SPAN, None, "text")
    found = {choice.link_type.id: choice.roles for choice in compiled.link_types_for([region, phrase])}
    assert found["refers_to"] == ("thing", "phrase")
    assert "same_object" not in found
    assert "speaks" not in found


def test_look_skeleton_and_stiffness_come_from_the_nearest_class_above(compiled: CompiledOntology) -> None:
    assert compiled.look("sedan") == ("#1f77b4", Mark.SQUARE, Pattern.SOLID)
    assert compiled.look("child").mark is Mark.CIRCLE
    assert compiled.deformable("child")
    assert not compiled.deformable("sedan")
    skeleton = compiled.skeleton_of("child")
    assert skeleton is not None
    assert skeleton.id == "body"
    assert compiled.skeleton_of("car") is None
    assert compiled.defaults_of("car", per_stream=True) == {"occlusion": "none", "truncated": False}
    assert compiled.defaults_of("car", per_stream=False) == {}


def test_coarser_finer_and_conflicting(compiled: CompiledOntology) -> None:
    assert compiled.relation("car", "sedan") is ClassRelation.COARSER
    assert compiled.relation("sedan", "vehicle") is ClassRelation.FINER
    assert compiled.relation("sedan", "truck") is ClassRelation.CONFLICT
    assert compiled.relation("sedan", "sedan") is ClassRelation.SAME


_OPPOSITE = {
    ClassRelation.SAME: ClassRelation.SAME,
    ClassRelation.CONFLICT: ClassRelation.CONFLICT,
    ClassRelation.COARSER: ClassRelation.FINER,
    ClassRelation.FINER: ClassRelation.COARSER,
}


@settings(max_examples=60, deadline=None)
@given(ontologies(), st.data())
def test_laws_of_the_tree(ontology: Ontology, data: st.DataObject) -> None:
    small = compile_ontology(ontology)
    parents = parents_of(ontology)
    ids = st.sampled_from(list(parents))
    a, b, c = data.draw(ids), data.draw(ids), data.draw(ids)
    assert small.relation(b, a) is _OPPOSITE[small.relation(a, b)]
    assert small.relation(a, b) is relation_between(a, b, parents)
    assert (small.relation(a, b) is ClassRelation.SAME) == (a == b)
    if small.relation(a, b) is ClassRelation.COARSER and small.relation(b, c) is ClassRelation.COARSER:
        assert small.relation(a, c) is ClassRelation.COARSER
    assert small.below(a) == {item for item in parents if a in ancestors(item, parents)}
    assert small.above(a) == ancestors(a, parents)
