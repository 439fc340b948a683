"""Undo and redo: persisted, own, refusing in words, and revisions themselves."""

from __future__ import annotations

import msgspec
import pytest
from small_world import World

from workstation.core.annotation import State
from workstation.core.errors import UserError
from workstation.core.geometry import Box
from workstation.core.records import RecordKind
from workstation.core.sample import OntologyState
from workstation.core.timemap import TimeMap
from workstation.store.revisions import RevisionKind


def test_undo_and_redo_across_kinds_and_restarts(world: World) -> None:
    states = [world.state()]
    box, horn, thing = world.box(), world.horn(), world.entity(number=1)
    link = world.link(horn, box)
    world.put(box, horn, thing, label="One")
    states.append(world.state())
    world.put(link, msgspec.structs.replace(box, entity=thing.id), label="Two")
    states.append(world.state())
    with world.store.transaction("Three") as tx:
        tx.delete(RecordKind.LINK, link.id)
        tx.delete(RecordKind.ANNOTATION, horn.id)
    states.append(world.state())
    for expected, label in zip(reversed(states[:-1]), ("Three", "Two", "One"), strict=True):
        assert world.store.undo_label() == label
        result = world.store.undo()
        assert result is not None
        assert result.label == label
        assert world.state() == expected
        world.reopen()
    assert world.store.undo() is None
    for expected in states[1:]:
        assert world.store.redo() is not None
        assert world.state() == expected
        world.reopen()
    assert world.store.redo() is None
    assert world.store.head() == 1 + 3 + 3 + 3  # every undo and redo is a revision


def test_undo_tells_where_to_look(world: World) -> None:
    box = world.box()
    world.put(box, label="Add", sample=world.sample, time_ns=17, selection=(box.id,))
    result = world.store.undo()
    assert result is not None
    assert (result.sample, result.time_ns, result.selection) == (world.sample, 17, (box.id,))
    assert result.changes.removed == {RecordKind.ANNOTATION: {box.id}}


def test_only_ones_own_and_a_new_edit_clears_only_ones_own_redo(world: World) -> None:
    mine, theirs = world.box(), world.box()
    world.put(mine, label="Mine")
    world.put(theirs, label="Theirs", actor=world.ben)
    world.store.undo(world.anna)
    assert world.store.get(RecordKind.ANNOTATION, mine.id) is None
    assert world.store.get(RecordKind.ANNOTATION, theirs.id) == theirs
    world.store.undo(world.ben)
    world.put(world.box(), actor=world.ben)
    assert world.store.redo(world.ben) is None
    assert world.store.redo(world.anna) is not None
    assert world.store.get(RecordKind.ANNOTATION, mine.id) == mine


def test_undo_of_the_open_sample_leaves_the_others(world: World) -> None:
    here = world.box()
    there = world.box(sample=world.other, stream=world.other_camera)
    world.put(here, label="Here")
    world.put(there, label="There")
    assert world.store.undo_label(sample=world.sample) == "Here"
    world.store.undo(sample=world.sample)
    assert world.store.get(RecordKind.ANNOTATION, here.id) is None
    assert world.store.get(RecordKind.ANNOTATION, there.id) == there
    assert world.store.undo(sample=world.sample) is None
    assert world.store.redo(sample=world.other) is None
    assert world.store.redo(sample=world.sample) is not None


def test_a_group_is_one_step(world: World) -> None:
    boxes = [world.box() for _ in range(5)]
    before = world.state()
    for box in boxes:
        world.put(box, group="gesture", label="Drag")
    after = world.state()
    result = world.store.undo()
    assert result is not None
    assert len(result.revisions) == 5
    assert world.state() == before
    world.store.redo()
    assert world.state() == after


def test_a_models_job_is_undone_by_its_group_whoever_worked_meanwhile(world: World) -> None:
    source = {"kind": "model", "name": "detector"}
    proposals = [
        world.box(state=State.PROPOSED, source=msgspec.convert(source, type(world.box().source))) for _ in range(3)
    ]
    mine = world.box()
    world.put(proposals[0], actor=world.model, group="job")
    world.put(mine)
    for proposal in proposals[1:]:
        world.put(proposal, actor=world.model, group="job")
    assert world.store.undo_label() == "Put"
    world.store.undo(world.anna, group="job")
    assert list(world.store.annotations(world.sample)) == [mine]
    world.store.redo(world.anna, group="job")
    assert len(list(world.store.annotations(world.sample))) == 4


def test_a_later_edit_stands_in_the_way_and_is_named(world: World) -> None:
    box = world.box()
    world.put(box, label="Add")
    world.put(msgspec.structs.replace(box, shape=Box(1, 1, 9, 9)), label="Resize", actor=world.ben)
    with pytest.raises(UserError, match=r"revision 3 “Resize” by Ben changed"):
        world.store.undo(world.anna)
    world.put(box, label="Back", actor=world.ben)  # the same value again: nothing stands in the way
    assert world.store.undo(world.anna) is not None


def test_a_later_reference_stands_in_the_way_and_is_named(world: World) -> None:
    box, horn = world.box(), world.horn()
    world.put(horn, actor=world.ben)
    world.put(box, label="Add")
    world.put(world.link(horn, box), label="Link up", actor=world.ben)
    with pytest.raises(UserError, match=r"revision 4 “Link up” by Ben"):
        world.store.undo(world.anna)
    assert world.store.get(RecordKind.ANNOTATION, box.id) == box


def test_undoing_a_delete_needs_what_it_hung_on(world: World) -> None:
    box = world.box()
    thing = world.entity(number=3)
    with_thing = msgspec.structs.replace(box, entity=thing.id)
    world.put(thing, with_thing)
    with world.store.transaction("Delete box") as tx:
        tx.delete(RecordKind.ANNOTATION, box.id)
    with world.store.transaction("Delete thing", actor=world.ben) as tx:
        tx.delete(RecordKind.ENTITY, thing.id)
    with pytest.raises(UserError, match=r"revision 4 “Delete thing” by Ben"):
        world.store.undo(world.anna)


def test_somebody_elses_ontology_is_a_barrier(world: World) -> None:
    world.put(world.box(), label="Add")
    world.put(world.ontology_version(2, OntologyState.LOCKED), label="Version 2", actor=world.lead)
    with pytest.raises(UserError, match=r"revision 3 “Version 2” by Lea changed the ontology"):
        world.store.undo(world.anna)
    world.put(world.box(ontology_version=2), label="After")
    assert world.store.undo(world.anna) is not None  # what came after it is not behind it
    assert world.store.undo(world.lead) is not None  # one's own is no barrier


def test_somebody_elses_sync_is_a_barrier_in_its_sample_only(world: World) -> None:
    there = world.box(sample=world.other, stream=world.other_camera)
    world.put(world.box(), label="Here")
    world.put(there, label="There")
    stream = world.store.stream_by_key(world.sample, "camera")
    moved = msgspec.structs.replace(stream, clock="gps", time_map=TimeMap())
    world.put(moved, label="New clock", actor=world.lead)
    assert world.store.undo(world.anna) is not None
    with pytest.raises(UserError, match="clocks or calibration"):
        world.store.undo(world.anna)


def test_nobody_takes_back_another_persons_work_by_number(world: World) -> None:
    world.put(world.box(), actor=world.ben)
    with pytest.raises(UserError, match="Ben's"):
        world.store.undo(world.anna, rev=2)
    assert world.store.undo(world.ben, rev=2) is not None
    with pytest.raises(UserError, match="undone already"):
        world.store.undo(world.ben, rev=2)


def test_undo_of_a_swap_of_unique_keys(world: World) -> None:
    camera = world.store.stream_by_key(world.sample, "camera")
    sound = world.store.stream_by_key(world.sample, "sound")
    assert camera is not None
    assert sound is not None
    before = world.state()
    with world.store.transaction("Swap", actor=world.lead) as tx:
        tx.put(msgspec.structs.replace(camera, key="sound"))
        tx.put(msgspec.structs.replace(sound, key="camera"))
    assert world.store.undo(world.lead) is not None
    assert world.state() == before


def test_undo_writes_what_stood_there_even_if_todays_ontology_forbids_it(world: World) -> None:
    sedan = world.box(class_id="sedan")
    world.put(sedan, actor=world.lead)
    with world.store.transaction("Delete", actor=world.lead) as tx:
        tx.delete(RecordKind.ANNOTATION, sedan.id)
    text = (world.store.effective_ontology() or world.ontology_version(9, OntologyState.DRAFT)).text
    stricter = text.replace(
        "image: [box, polygon, mask, point]\n      video: [box,", "image: [polygon]\n      video: ["
    )
    assert stricter != text
    world.put(world.ontology_version(2, OntologyState.LOCKED, stricter), actor=world.lead)
    with pytest.raises(UserError, match="may not be drawn"):
        world.put(world.box())
    world.store.undo(world.lead, rev=3)
    assert world.store.get(RecordKind.ANNOTATION, sedan.id) == sedan


def test_created_revision_survives_delete_and_undo(world: World) -> None:
    box = world.box()
    world.put(box)
    with world.store.transaction("Delete") as tx:
        tx.delete(RecordKind.ANNOTATION, box.id)
    world.store.undo()
    info = world.store.info(RecordKind.ANNOTATION, box.id)
    assert info is not None
    assert (info.created_rev, info.rev) == (2, 4)


def test_undo_revisions_say_what_they_undo(world: World) -> None:
    world.put(world.box(), label="Add")
    world.store.undo()
    newest = next(iter(world.store.revisions(limit=1)))
    assert (newest.header.kind, newest.header.undoes) == (RevisionKind.UNDO, (2,))
