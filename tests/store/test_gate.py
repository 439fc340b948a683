"""The gate: what is stored is well-formed, allowed, and leads nowhere wrong; what is not is refused in words."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import msgspec
import pytest
from small_world import World

from workstation.core.annotation import (
    DecisionValue,
    EndValue,
    FindingDecision,
    Interpolation,
    Keyframe,
    LinkEnd,
    Source,
    SourceKind,
    State,
    TargetKind,
    Track,
    Verdict,
    VerdictLevel,
    VerdictValue,
    Word,
)
from workstation.core.errors import Refused
from workstation.core.geometry import Box, Cuboid, Mask, Point, ShapeKind, Span, TextSpan
from workstation.core.ids import RecordId, SampleId
from workstation.core.records import RecordKind
from workstation.core.rights import Actor, ActorKind
from workstation.core.sample import Gate, GateState, OntologyState, Person, Role, Sample, SampleState
from workstation.store.gate import NotAllowed

_DONE = {"occlusion": "none", "truncated": False}
_MODEL = Source(kind=SourceKind.MODEL, name="detector", weights_sha256="ab")


def refusal(world: World, *records: Any, actor: Actor | None = None) -> str:
    """Why these are refused; nothing may have been stored."""
    before, head = world.state(), world.store.head()
    with pytest.raises(Refused) as caught:
        world.put(*records, actor=actor)
    assert world.state() == before
    assert world.store.head() == head
    assert all(problem.strip() for problem in caught.value.problems)
    return str(caught.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"id": "not-an-id"}, "no id"),
        ({"id": "Z" * 26}, "no id"),
        ({"shape": Box(math.nan, 0, 1, 1)}, "cannot be stored"),
        ({"shape": Box(0, 0, math.inf, 1)}, "cannot be stored"),
        ({"confidence": math.nan}, "would not come back"),
        ({"confidence": 1.5}, "between 0 and 1"),
        ({"attributes": {"colour": ["red"]}}, "would not come back"),
        ({"shape": Box("1", 0, 1, 1)}, "cannot be stored"),
        ({"start_ns": 1.5}, "cannot be stored"),
        ({"start_ns": 5, "end_ns": 4}, "ends (4 ns) before it starts"),
        ({"start_ns": None, "end_ns": 4}, "or neither"),
        ({"start_ns": -(1 << 70), "end_ns": 4}, "outside the times"),
        ({"shape": Box(0, 0, -1, 1)}, "positive width"),
        ({"shape": Point(1, 1)}, "declared as box but holds a point"),
        ({"shape": None}, "needs its box"),
        ({"track": Track()}, "is a track"),
        ({"class_id": "no_such_class"}, "no class 'no_such_class'"),
        ({"class_id": "horn"}, "horn"),
        ({"kind": ShapeKind.CUBOID, "shape": Cuboid((0, 0, 0), (1, 1, 1))}, "may not be drawn as cuboid"),
        ({"attributes": {"mood": "happy"}}, "mood"),
        ({"layer": "  "}, "layer must not be empty"),
        ({"layer": "two\nlines"}, "control characters"),
        ({"class_id": "x" * 10_000_000}, "one line of at most"),
        ({"state": State.DONE}, "occlusion"),
        ({"ontology_version": 7}, "claims ontology version 7; the newest in force is 1"),
        ({"kind": ShapeKind.MASK, "shape": Mask("ab" * 32, 0, 0, 2, 2, 3)}, "blob"),
    ],
)
def test_malformed_annotations_are_refused(world: World, fields: dict[str, Any], words: str) -> None:
    assert words in refusal(world, world.box(**fields))


def test_what_is_referred_to_must_exist_and_belong_together(world: World) -> None:
    stranger = world.ids.new()
    assert f"stream {stranger}, which does not exist" in refusal(world, world.box(stream=stranger))
    assert f"entity {stranger}, which does not exist" in refusal(world, world.box(entity=stranger))
    assert f"sample {stranger}, which does not exist" in refusal(
        world, world.box(sample=stranger, stream=None, class_id=None)
    )
    assert "another sample" in refusal(world, world.box(stream=world.other_camera))
    span = TextSpan(((0, 3),), "the", stranger)
    words = refusal(world, world.box(stream=world.text, kind=ShapeKind.TEXT_SPAN, shape=span, class_id=None))
    assert f"annotation {stranger}, which does not exist" in words
    keyframe = Keyframe(id=RecordId(world.ids.new()), annotation=stranger, time_ns=0)  # type: ignore[arg-type]
    assert "does not exist" in refusal(world, keyframe)


def test_order_inside_a_transaction_does_not_matter(world: World) -> None:
    track = world.box(shape=None, track=Track(), class_id=None)
    thing = world.entity(number=1)
    track = msgspec.structs.replace(track, entity=thing.id)
    horn = world.horn()
    world.put(world.link(horn, track), world.keyframe(track, 0), track, thing, horn)
    assert len(world.store.keyframes(track.id)) == 1
    assert {c.class_id: c.n for c in world.store.counts(kind=RecordKind.ANNOTATION)} == {"car": 1, "horn": 1}


def test_keyframes_fit_their_track(world: World) -> None:
    box = world.box()
    track = world.box(shape=None, track=Track())
    world.put(box, track, world.keyframe(track, 5))
    assert "is no track" in refusal(world, world.keyframe(box, 0))
    point = msgspec.structs.replace(world.keyframe(track, 0), shape=Point(1, 1))
    assert "made of box" in refusal(world, point)
    assert "would share" in refusal(world, world.keyframe(track, 5))
    assert "delete them first" in refusal(world, msgspec.structs.replace(track, track=None, shape=Box(0, 0, 1, 1)))
    held = msgspec.structs.replace(track, track=Track(interpolation=Interpolation.HOLD))
    world.put(held)
    other = msgspec.structs.replace(world.store.keyframes(track.id)[0], annotation=box.id)
    assert "another annotation" in refusal(world, other)


def test_deleting_what_others_point_at_is_refused_and_named(world: World) -> None:
    track, horn, thing = world.box(shape=None, track=Track()), world.horn(), world.entity(number=1)
    shown = world.box(entity=thing.id)
    link = world.link(horn, track)
    world.put(track, horn, thing, shown, link, world.keyframe(track, 0))
    for kind, target, pointing in (
        (RecordKind.ANNOTATION, track.id, "keyframe"),
        (RecordKind.ANNOTATION, horn.id, f"link {link.id}"),
        (RecordKind.ENTITY, thing.id, f"annotation {shown.id}"),
        (RecordKind.STREAM, world.sound, f"annotation {horn.id}"),
        (RecordKind.SAMPLE, world.sample, "stream"),
    ):
        with (
            pytest.raises(Refused, match=pointing),
            world.store.transaction("Delete", actor=world.lead) as tx,
        ):
            tx.delete(kind, target)
        assert world.store.get(kind, target) is not None
    ways = {(one.kind, one.way) for one in world.store.dependents(RecordKind.ANNOTATION, track.id)}
    assert ways == {(RecordKind.KEYFRAME, "annotation"), (RecordKind.LINK, "source")}
    with world.store.transaction("All of it") as tx:  # in any order, as long as the end is whole
        tx.delete(RecordKind.ANNOTATION, track.id)
        tx.delete(RecordKind.LINK, link.id)
        for keyframe in tx.keyframes(track.id):
            tx.delete(RecordKind.KEYFRAME, keyframe.id)
    assert world.store.get(RecordKind.ANNOTATION, track.id) is None


def test_an_end_can_be_deleted_once_the_link_is_retargeted_or_an_absence(world: World) -> None:
    box, better, horn = world.box(), world.box(), world.horn()
    link = world.link(horn, box)
    world.put(box, better, horn, link)
    with world.store.transaction("Re-target") as tx:
        tx.delete(RecordKind.ANNOTATION, box.id)
        tx.put(msgspec.structs.replace(world.link(horn, better), id=link.id))
    absence = msgspec.structs.replace(
        link,
        type_id="absent",
        ends=(
            LinkEnd(role="item", kind=TargetKind.ANNOTATION, target=horn.id),
            LinkEnd(role="missing_from", kind=TargetKind.MODALITY, target="video"),
        ),
        reason="source_off_screen",
    )
    with world.store.transaction("Absence") as tx:
        tx.delete(RecordKind.ANNOTATION, better.id)
        tx.put(absence)
    assert world.store.verify().intact


def test_link_types_are_enforced_and_quoted(world: World) -> None:
    box, horn, elsewhere = world.box(), world.horn(), world.box(sample=world.other, stream=world.other_camera)
    world.put(box, horn, elsewhere)
    assert "'sound_source' needs" in refusal(world, world.link(box, horn))
    assert "no link type" in refusal(world, world.link(horn, box, type_id="friend_of"))
    assert "another sample" in refusal(world, world.link(horn, elsewhere))
    assert "does not exist" in refusal(world, world.link(horn, world.box()))
    one = world.link(horn, box)
    assert "at least two" in refusal(world, msgspec.structs.replace(one, ends=one.ends[:1]))
    future = msgspec.structs.replace(one.ends[0], confirmed_revision=99, confirmed=EndValue())
    assert "still to come" in refusal(world, msgspec.structs.replace(one, ends=(future, one.ends[1])))


def test_unique_keys_are_kept_and_numbers_never_come_back(world: World) -> None:
    sample = Sample(id=SampleId(world.ids.new()), key="drive")
    assert "would share key drive" in refusal(world, sample, actor=world.lead)
    camera = world.store.stream_by_key(world.sample, "camera")
    twin = msgspec.structs.replace(camera, id=world.ids.new())
    assert "would share" in refusal(world, twin, actor=world.lead)
    thing = world.entity(number=world.store.next_entity_number(world.sample))
    world.put(thing)
    with world.store.transaction("Delete") as tx:
        tx.delete(RecordKind.ENTITY, thing.id)
    assert world.store.next_entity_number(world.sample) == 2
    assert "never used again" in refusal(world, world.entity(number=1))
    world.store.undo()
    assert world.store.get(RecordKind.ENTITY, thing.id) == thing


def test_a_record_stays_in_its_sample(world: World) -> None:
    box = world.box()
    world.put(box)
    moved = msgspec.structs.replace(box, sample=world.other, stream=world.other_camera)
    assert "another sample" in refusal(world, moved)


def test_a_model_only_proposes(world: World) -> None:
    proposal = world.box(state=State.PROPOSED, source=_MODEL)
    world.put(proposal, actor=world.model)
    for state in (State.DRAFT, State.DONE, State.APPROVED, State.REJECTED):
        assert "only the state proposed" in refusal(world, world.box(state=state, source=_MODEL), actor=world.model)
    assert "name the model" in refusal(world, world.box(state=State.PROPOSED), actor=world.model)
    mine = msgspec.structs.replace(proposal, state=State.DRAFT)
    world.put(mine)  # a person takes it over
    assert "may not change what is draft" in refusal(
        world, msgspec.structs.replace(proposal, shape=Box(0, 0, 1, 1)), actor=world.model
    )
    with pytest.raises(NotAllowed), world.store.transaction("Delete", actor=world.model) as tx:
        tx.delete(RecordKind.ANNOTATION, mine.id)
    sample = Sample(id=SampleId(world.ids.new()), key="made up")
    assert "may not write a sample" in refusal(world, sample, actor=world.model)


def test_only_a_person_confirms_a_link(world: World) -> None:
    box, horn = world.box(), world.horn()
    world.put(box, horn)
    robot = Actor(name="robot", kind=ActorKind.SCRIPT)
    with world.store.transaction("Look") as tx:
        confirmed = tx.confirmed_ends(world.link(horn, box).ends)
    for actor in (world.model, world.importer, robot):
        link = world.link(horn, box, ends=confirmed, state=State.PROPOSED, source=_MODEL)
        assert "only a person may" in refusal(world, link, actor=actor)
        done = world.link(horn, box, state=State.DONE, source=_MODEL)
        assert "may not" in refusal(world, done, actor=actor)
        with pytest.raises(NotAllowed), world.store.transaction("Confirm", actor=actor) as tx:
            tx.confirmed_ends(done.ends)
    scripted = Actor(name="script", kind=ActorKind.SCRIPT, person=world.anna.person)
    world.put(world.link(horn, box, state=State.DONE), actor=scripted)


def test_an_import_brings_labels_but_approves_nothing(world: World) -> None:
    world.put(world.box(state=State.DONE, attributes=_DONE), actor=world.importer)
    approved = world.box(state=State.APPROVED, attributes=_DONE)
    assert "may not approve" in refusal(world, approved, actor=world.importer)


def test_approval_needs_the_right_and_refusals_are_logged(world: World) -> None:
    approved = world.box(state=State.APPROVED, attributes=_DONE)
    assert "may not review" in refusal(world, approved)
    assert "roles may: expert" in world.store.refusals()[-1].problems[0]
    reviewer = msgspec.structs.replace(world.ben, role=Role.REVIEWER)
    world.put(approved, actor=reviewer)
    world.put(msgspec.structs.replace(approved, state=State.DRAFT))
    assert world.store.undo(world.anna) is not None  # one's own slip gives back the approval
    log = world.store.refusals()
    assert [(entry.actor.name, entry.label) for entry in log] == [("Anna", "Put")]
    world.reopen()
    assert world.store.refusals() == log
    assert world.store.verify().intact


def test_rights_of_roles(world: World) -> None:
    anna, lead = world.anna, world.lead
    assert anna.person is not None
    person = Person(id=RecordId(world.ids.new()), name="Cem")
    draft = world.ontology_version(2, OntologyState.DRAFT)
    verdict = Verdict(
        id=RecordId(world.ids.new()), sample=world.sample, target_kind=TargetKind.SAMPLE, target=world.sample,
        target_revision=1, level=VerdictLevel.HOLISTIC, value=VerdictValue.APPROVED, person=anna.person,
    )  # fmt: skip
    sample = world.store.require(RecordKind.SAMPLE, world.sample)
    waived = msgspec.structs.replace(sample, gates={"sync": Gate(state=GateState.WAIVED, reason="one clock")})
    returned = msgspec.structs.replace(sample, state=SampleState.RETURNED)
    confirmed = FindingDecision(
        id=RecordId(world.ids.new()), sample=world.sample, fingerprint="f", rule="r",
        decision=DecisionValue.CONFIRMED, person=anna.person,
    )  # fmt: skip
    for record, words in (
        (person, "add people"),
        (draft, "change the ontology"),
        (msgspec.structs.replace(draft, state=OntologyState.LOCKED), "lock an ontology"),
        (verdict, "review"),
        (waived, "sign a waiver"),
        (returned, "review"),
        (confirmed, "confirm a finding"),
        (Sample(id=SampleId(world.ids.new()), key="new"), "add or remove samples"),
    ):
        assert words in refusal(world, record)
        world.put(record, actor=lead)
    world.put(msgspec.structs.replace(sample, state=SampleState.IN_PROGRESS, gates=waived.gates), actor=lead)
    dismissed = msgspec.structs.replace(confirmed, id=world.ids.new(), decision=DecisionValue.DISMISSED)
    assert "only with a reason" in refusal(world, dismissed)
    assert len(world.store.refusals()) == 8


def test_a_role_must_be_the_persons_own(world: World) -> None:
    pretender = msgspec.structs.replace(world.anna, role=Role.LEAD)
    assert "may not act as lead" in refusal(world, world.box(), actor=pretender)
    stranger = msgspec.structs.replace(world.anna, person=world.ids.new())
    assert "not among the people" in refusal(world, world.box(), actor=stranger)


def test_nothing_is_labelled_before_an_ontology_is_locked(tmp_path: Any) -> None:
    world = World(tmp_path, locked=False)
    try:
        assert "workstation ontology lock" in refusal(world, world.box())
        assert "workstation ontology lock" in refusal(world, world.entity())
        draft = world.store.ontology_versions()[0]
        world.put(msgspec.structs.replace(draft, state=OntologyState.LOCKED), actor=world.lead)
        world.put(world.box())
    finally:
        world.store.close()


def test_a_locked_ontology_version_never_changes(world: World) -> None:
    version = world.store.effective_ontology()
    assert version is not None
    other = world.ontology_version(1, OntologyState.LOCKED, version.text + "# more\n")
    changed = msgspec.structs.replace(other, id=version.id)
    assert "is locked" in refusal(world, changed, actor=world.lead)
    broken = world.ontology_version(2, OntologyState.DRAFT)
    assert "SHA-256" in refusal(world, msgspec.structs.replace(broken, text="other"), actor=world.lead)


def test_a_class_of_an_entity_changes_only_where_its_annotations_may_follow(world: World) -> None:
    thing = world.entity("car", number=1)
    shown = world.box(entity=thing.id, class_id=None)
    world.put(thing, shown)
    world.put(msgspec.structs.replace(thing, class_id="truck"))
    assert [(c.class_id, c.n) for c in world.store.counts(kind=RecordKind.ANNOTATION)] == [("truck", 1)]
    assert shown.id in refusal(world, msgspec.structs.replace(thing, class_id="horn"))


def test_words_of_a_transcript(world: World) -> None:
    turn = world.horn(class_id=None, text="the red car", shape=Span())
    words = [
        Word(id=RecordId(world.ids.new()), annotation=turn.id, position=i, text=text)
        for i, text in enumerate(["the", "red", "car"])
    ]
    world.put(turn, *words)
    assert world.store.words(turn.id) == words
    assert "the position" in refusal(world, msgspec.structs.replace(words[0], position=-1))


def test_many_problems_are_told_at_once_and_bounded(world: World) -> None:
    with pytest.raises(Refused) as caught, world.store.transaction("Many") as tx:
        tx.put_many([world.box(class_id="no_such_class") for _ in range(500)])
    *first, last = caught.value.problems
    assert len(first) == 2
    assert all("there is no class 'no_such_class'" in problem for problem in (*first, last))
    assert last.endswith("… and 497 more")


def test_what_is_said_of_few_records_or_differs_is_said_in_full(world: World) -> None:
    wrong = [world.box(class_id=f"nothing_{number}") for number in range(5)]
    with pytest.raises(Refused) as caught, world.store.transaction("Many") as tx:
        tx.put_many(wrong)
    assert len(caught.value.problems) == 5
    assert all(box.id in problem for box, problem in zip(wrong, caught.value.problems, strict=True))


def test_work_done_under_another_version_waits_until_it_is_brought_up_to_date(world: World) -> None:
    old, untouched = world.box(), world.box()
    world.put(old, untouched)
    world.put(world.ontology_version(2, OntologyState.LOCKED), actor=world.lead)
    assert "was made under ontology version 1; version 2 is in force" in refusal(world, world.box())
    assert "claims ontology version 3; the newest in force is 2" in refusal(world, world.box(ontology_version=3))
    world.put(msgspec.structs.replace(old, text="seen again"))  # what lies here is checked by today's rules
    world.put(world.box(ontology_version=0, text="claims nothing"), world.box(ontology_version=2))
    stored = {box.text: box.ontology_version for box in world.store.annotations(world.sample)}
    assert stored["seen again"] == stored["claims nothing"] == 2
    assert world.store.get(RecordKind.ANNOTATION, untouched.id) == untouched
    before = world.store.head()
    world.put(untouched)
    assert world.store.head() == before, "what changes nothing is not stamped either"


def test_undo_gives_back_the_version_that_stood_there(world: World) -> None:
    box = world.box()
    world.put(box)
    world.put(world.ontology_version(2, OntologyState.LOCKED), actor=world.lead)
    world.put(msgspec.structs.replace(box, text="later"))
    world.store.undo(world.anna)
    assert world.store.get(RecordKind.ANNOTATION, box.id) == box


def test_a_version_is_locked_only_after_its_review_and_as_it_was_reviewed(world: World) -> None:
    version = world.ontology_version(2, OntologyState.LOCKED)
    nobody = msgspec.structs.replace(version, reviewer=" ")
    assert "which nobody has reviewed" in refusal(world, nobody, actor=world.lead)
    draft = world.ontology_version(2, OntologyState.IN_REVIEW)
    world.put(draft, actor=world.lead)
    changed = msgspec.structs.replace(
        version,
        id=draft.id,
        text=draft.text + "# more\n",
        sha256=hashlib.sha256((draft.text + "# more\n").encode()).hexdigest(),
    )
    assert "is not the one that was reviewed" in refusal(world, changed, actor=world.lead)
    world.put(msgspec.structs.replace(draft, state=OntologyState.LOCKED), actor=world.lead)
    in_force = world.store.effective_ontology()
    assert in_force is not None
    assert in_force.number == 2
