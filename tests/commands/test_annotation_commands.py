"""Making, labelling, moving, copying and deleting annotations, as a person would notice it."""

from __future__ import annotations

import pytest
from command_work import MS, Work

from workstation.core.annotation import Annotation, Link, State, TargetKind
from workstation.core.errors import Refused, UserError
from workstation.core.geometry import Box
from workstation.core.rights import Actor, ActorKind
from workstation.core.sample import Role


def test_a_box_is_made_with_what_was_said_and_the_ontologys_defaults(work: Work) -> None:
    made = work.annotation(work.box(attributes={"truncated": True}))
    assert made.shape == Box(100, 50, 40, 30)
    assert (made.class_id, made.state, made.layer) == ("car", State.DRAFT, "main")
    assert made.attributes == {"occlusion": "none", "truncated": True}
    assert made.ontology_version == 1
    assert (made.start_ns, made.end_ns) == (0, 0)


@pytest.mark.parametrize("kind", [ActorKind.MODEL, ActorKind.IMPORT])
def test_nothing_is_said_for_a_model_or_an_import_that_it_did_not_say(work: Work, kind: ActorKind) -> None:
    work.actor = Actor(name="robot", kind=kind, role=Role.LEAD)
    made = work.annotation(work.box(attributes={"truncated": True}))
    assert made.attributes == {"truncated": True}, "occlusion none would be a label that nobody made"


def test_a_class_may_be_named_and_a_stream_by_its_path(work: Work) -> None:
    made = work.run("annotation.add", stream="drive-1/front", class_id="Auto", shape={"kind": "point", "x": 1, "y": 2})
    assert work.annotation(made).class_id == "car"


def test_an_unknown_class_is_refused_with_the_near_ones_and_nothing_is_kept(work: Work) -> None:
    head = work.store.head()
    with pytest.raises(Refused, match="there is no class 'automobil'"):
        work.box(class_id="automobil")
    assert work.store.head() == head


def test_relabelling_one_view_of_a_thing_relabels_the_thing_everywhere(work: Work) -> None:
    box, cuboid = work.box(), work.run(
        "annotation.add", stream="drive-1/lidar", class_id="car", start_ns=0,
        shape={"kind": "cuboid", "center": [1, 2, 3], "size": [4, 2, 1.5]},
    )  # fmt: skip
    thing = work.run("entity.add", sample="drive-1", class_id="car", annotations=[box, cuboid])
    work.run("annotation.relabel", annotations=[box], class_id="van")
    assert work.entity(thing).class_id == "van"
    assert work.annotation(box).class_id is None
    assert work.annotation(cuboid).class_id is None


def test_relabelling_only_here_leaves_the_thing_alone(work: Work) -> None:
    box = work.box()
    thing = work.run("entity.add", sample="drive-1", class_id="car", annotations=[box])
    work.run("annotation.relabel", annotations=[box], class_id="van", here=True)
    assert work.annotation(box).class_id == "van"
    assert work.entity(thing).class_id == "car"


def test_attributes_are_laid_over_the_old_ones_and_null_takes_one_away(work: Work) -> None:
    box = work.box(attributes={"motion": "moving"})
    work.run("annotation.set_attributes", annotations=[box], attributes={"occlusion": "heavy", "motion": None})
    assert work.annotation(box).attributes == {"occlusion": "heavy", "truncated": False}
    with pytest.raises(Refused, match="occlusion"):
        work.run("annotation.set_attributes", annotations=[box], attributes={"occlusion": "very"})


def test_moving_is_exact_in_space_and_time(work: Work) -> None:
    box = work.box(start_ns=5, end_ns=9)
    work.run("annotation.move", annotations=[box], by=[3, -2], by_ns=4)
    moved = work.annotation(box)
    assert moved.shape == Box(103, 48, 40, 30)
    assert (moved.start_ns, moved.end_ns) == (9, 13)


def test_what_has_no_place_moves_only_in_time(work: Work) -> None:
    horn = work.span(0, 10)
    with pytest.raises(UserError, match="by_ns"):
        work.run("annotation.move", annotations=[horn], by=[1, 1])
    with pytest.raises(UserError, match="by, by_ns or both"):
        work.run("annotation.move", annotations=[horn])


def test_dragging_an_edge_leaves_the_opposite_one(work: Work) -> None:
    box = work.box()
    work.run("annotation.resize", annotation=box, edge="left", by=10)
    assert work.annotation(box).shape == Box(90, 50, 50, 30)
    with pytest.raises(UserError, match="inside out"):
        work.run("annotation.resize", annotation=box, edge="top", by=-31)
    with pytest.raises(UserError, match="no edge 'front'"):
        work.run("annotation.resize", annotation=box, edge="front", by=1)


def test_nudging_a_boundary_and_refusing_to_turn_it_round(work: Work) -> None:
    horn = work.span(10, 20)
    work.run("annotation.nudge", annotation=horn, edge="end", by_ns=5 * MS)
    work.run("annotation.nudge", annotation=horn, edge="start", by_ns=-1)
    assert (work.annotation(horn).start_ns, work.annotation(horn).end_ns) == (10 * MS - 1, 25 * MS)
    with pytest.raises(UserError, match="cannot end"):
        work.run("annotation.set_interval", annotation=horn, end_ns=0)


def test_a_shape_keeps_its_kind(work: Work) -> None:
    box = work.box()
    with pytest.raises(UserError, match="is a box and cannot become a point"):
        work.run("annotation.set_shape", annotation=box, shape={"kind": "point", "x": 1, "y": 2})
    work.run("annotation.set_shape", annotation=box, shape={"kind": "box", "x": 1, "y": 2, "width": 3, "height": 4})
    assert work.annotation(box).shape == Box(1, 2, 3, 4)


def test_splitting_and_merging_a_span_gives_the_span_back(work: Work) -> None:
    horn = work.span(10, 20)
    second = work.run("annotation.split", annotation=horn, at_ns=14 * MS)
    assert (work.annotation(horn).end_ns, work.annotation(second).start_ns) == (14 * MS, 14 * MS)
    assert work.annotation(second).end_ns == 20 * MS
    assert work.run("annotation.merge", annotations=[second, horn]) == horn
    assert (work.annotation(horn).start_ns, work.annotation(horn).end_ns) == (10 * MS, 20 * MS)
    assert work.gone(Annotation, second)
    for outside in (10 * MS, 20 * MS, 5):
        with pytest.raises(UserError, match="does not lie inside"):
            work.run("annotation.split", annotation=horn, at_ns=outside)


def test_merging_moves_the_links_of_what_goes(work: Work) -> None:
    first, second, brake = work.span(0, 5), work.span(5, 9), work.span(0, 9, class_id="braking", stream="can")
    link = work.run("link.add", sample="drive-1", type_id="during", ends={"inner": second, "outer": brake})
    between = work.run("link.add", sample="drive-1", type_id="before", ends={"earlier": first, "later": second})
    work.run("annotation.merge", annotations=[first, second])
    assert [end.target for end in work.link(link).ends] == [first, brake]
    assert work.gone(Link, between)


def test_unlike_spans_are_not_merged(work: Work) -> None:
    with pytest.raises(UserError, match="differ in their class"):
        work.run("annotation.merge", annotations=[work.span(0, 5), work.span(5, 9, class_id="siren")])


def test_a_copy_is_new_and_the_persons_own(work: Work) -> None:
    box = work.box(state="done")
    (copy,) = work.run("annotation.copy", annotations=[box], by=[10, 0], by_ns=7)
    made = work.annotation(copy)
    assert copy != box
    assert made.shape == Box(110, 50, 40, 30)
    assert (made.start_ns, made.state) == (7, State.DRAFT)


def test_a_model_proposes_and_a_person_accepts_rejects_or_edits(work: Work) -> None:
    work.actor = Actor(name="detector", kind=ActorKind.MODEL, role=Role.ML_ENGINEER, person=None)
    source = {"kind": "model", "name": "detector", "version": "2", "weights_sha256": "ab" * 32}
    boxes = [work.box(x, source=source, confidence=0.5) for x in (0, 50, 100)]
    assert {work.annotation(box).state for box in boxes} == {State.PROPOSED}
    assert work.annotation(boxes[0]).attributes == {}, "the model did not say that nothing is hidden"
    with pytest.raises(Refused, match="only the state proposed"):
        work.box(source=source, state="done")
    work.actor = None
    work.run("annotation.accept", annotations=[boxes[0]])
    work.run("annotation.reject", annotations=[boxes[1]])
    work.run("annotation.move", annotations=[boxes[2]], by=[1, 1])
    assert [work.annotation(box).state for box in boxes] == [State.DONE, State.REJECTED, State.DRAFT]
    assert work.annotation(boxes[0]).source.weights_sha256 == "ab" * 32
    assert work.annotation(boxes[0]).attributes["occlusion"] == "none", "the person who accepts it says so"
    with pytest.raises(UserError, match="not a proposal"):
        work.run("annotation.accept", annotations=[boxes[2]])


def linked(work: Work) -> tuple[str, str, str]:
    horn, car = work.span(0, 500), work.box()
    link = work.run(
        "link.add",
        sample="drive-1",
        type_id="sound_source",
        ends={"sound": horn, "source": f"annotation:{car}"},
        rationale="it hoots",
    )
    return horn, car, link


def test_deleting_an_end_is_refused_until_somebody_says_what_becomes_of_the_link(work: Work) -> None:
    horn, car, link = linked(work)
    with pytest.raises(UserError, match=f"sound_source {link}.*links=remove.*retarget.*absence"):
        work.run("annotation.delete", annotations=[car])
    assert not work.gone(Annotation, car)
    work.run("annotation.delete", annotations=[car], links="remove")
    assert work.gone(Link, link)
    assert work.gone(Annotation, car)
    assert not work.gone(Annotation, horn)


def test_deleting_an_end_can_move_the_link(work: Work) -> None:
    horn, car, link = linked(work)
    other = work.box(300)
    with pytest.raises(UserError, match="needs to"):
        work.run("annotation.delete", annotations=[car], links="retarget")
    work.run("annotation.delete", annotations=[car], links="retarget", to=other)
    ends = work.link(link).ends
    assert [end.target for end in ends] == [horn, other]
    assert ends[0].confirmed is not None
    assert ends[1].confirmed is None


def test_deleting_an_end_can_leave_an_absence(work: Work) -> None:
    horn, car, link = linked(work)
    with pytest.raises(UserError, match="needs a reason"):
        work.run("annotation.delete", annotations=[car], links="absence")
    work.run("annotation.delete", annotations=[car], links="absence", reason="source_off_screen")
    assert work.gone(Link, link)
    (absence,) = work.store.links_of(horn)
    front = work.store.stream_by_key(absence.sample, "front")
    assert front is not None
    assert (absence.type_id, absence.reason) == ("absent", "source_off_screen")
    assert [(end.role, end.kind, end.target) for end in absence.ends] == [
        ("item", TargetKind.ANNOTATION, horn),
        ("missing_from", TargetKind.STREAM, front.id),
    ]


def test_deleting_both_ends_and_a_link_on_a_link_leaves_nothing_dangling(work: Work) -> None:
    horn, car, link = linked(work)
    work.run("annotation.delete", annotations=[horn, car], links="absence", reason="silent")
    assert work.store.links(work.annotation(work.box()).sample) == []
    assert work.gone(Link, link)


def test_one_undo_takes_back_a_deletion_with_its_links(work: Work) -> None:
    _, car, link = linked(work)
    before = work.link(link)
    work.run("annotation.delete", annotations=[car], links="remove")
    assert work.store.undo() is not None
    assert work.link(link) == before
    assert work.annotation(car).shape == Box(100, 50, 40, 30)


def test_many_are_changed_in_one_step(work: Work) -> None:
    boxes = [work.box(x) for x in (0, 50, 100)]
    work.box(200, class_id="van")
    assert work.run("bulk.relabel", sample="drive-1", of_class="car", class_id="truck") == 3
    assert work.run("bulk.move", sample="drive-1", of_class="truck", by=[1, 0]) == 3
    assert {work.annotation(box).class_id for box in boxes} == {"truck"}
    assert work.annotation(boxes[0]).shape == Box(1, 50, 40, 30)
    assert work.run("bulk.set_state", sample="drive-1", to="done", stream="front") == 4
    assert work.run("bulk.delete", sample="drive-1", state="done") == 4
    assert work.store.undo() is not None
    assert {work.annotation(box).state for box in boxes} == {State.DONE}
    assert work.store.undo() is not None
    assert work.store.undo() is not None
    assert work.annotation(boxes[0]).shape == Box(0, 50, 40, 30)
    assert work.annotation(boxes[0]).class_id == "truck"


def test_a_bulk_command_that_names_nothing_touches_nothing(work: Work) -> None:
    work.box()
    with pytest.raises(UserError, match="say which"):
        work.run("bulk.delete", sample="drive-1")
    with pytest.raises(UserError, match="nothing fits"):
        work.run("bulk.delete", sample="drive-1", of_class="bus")
