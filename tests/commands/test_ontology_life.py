"""An ontology version from draft to lock, and what it does to the labels: the whole way through a real store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from ontology_project import TEXT, OntologyProject

from workstation.commands import ontology as commands
from workstation.commands.ontology import forecast_lock
from workstation.commands.settings import publish_guideline
from workstation.core.annotation import EndValue, Link, LinkEnd, State, TargetKind
from workstation.core.errors import DataError, Refused, UserError
from workstation.core.ids import LinkId
from workstation.core.ontology_migration import (
    AddClass,
    MergeClasses,
    MergeOptions,
    MoveClass,
    RetireClass,
    RetireOption,
    SplitClass,
    Step,
)
from workstation.core.records import RecordKind
from workstation.core.sample import OntologyState, QueueState, StreamKind
from workstation.store.yaml import load_yaml


@pytest.fixture
def project(tmp_path: Path) -> Iterator[OntologyProject]:
    made = OntologyProject(tmp_path)
    yield made
    made.store.close()


def in_force(project: OntologyProject) -> int:
    ontology = project.store.ontology()
    return 0 if ontology is None else ontology.number


SCOOTER = TEXT.replace("      motorcycle: {}\n", "      motorcycle: {}\n      electric_scooter: {}\n")


def test_a_draft_counts_for_nothing_until_it_is_locked(project: OntologyProject) -> None:
    number = project.draft(SCOOTER)
    assert number == 2
    for act in (lambda: project.submit(number), lambda: project.review(number)):
        assert in_force(project) == 1
        with pytest.raises(Refused, match="no class 'electric_scooter'"):
            project.put(project.box("electric_scooter"))
        act()
    done = project.lock(number)
    assert (done.number, in_force(project)) == (2, 2)
    project.put(project.box("electric_scooter"))
    ontology = project.store.ontology()
    assert ontology is not None
    for kind in (StreamKind.IMAGE, StreamKind.CLOUD, StreamKind.AUDIO):
        assert "electric_scooter" in ontology.classes_for(kind)


def test_the_record_says_who_wrote_reviewed_and_locked_it_and_keeps_the_text(project: OntologyProject) -> None:
    project.advance(SCOOTER)
    version = commands.versions_of(project.store)[-1]
    assert (version.number, version.state, version.parent) == (2, OntologyState.LOCKED, 1)
    assert (version.author, version.reviewer) == ("Lea", "Rob")
    assert version.locked_ms is not None
    assert version.text == SCOOTER.replace("version: 1", "version: 2")
    assert version.text.startswith("# small, for tests\n")


def test_each_step_waits_for_the_one_before(project: OntologyProject) -> None:
    number = project.draft(SCOOTER)
    with pytest.raises(UserError, match="is draft, not in review"):
        project.lock(number)
    with pytest.raises(UserError, match="is draft, not in review"):
        project.review(number)
    project.submit(number)
    with pytest.raises(UserError, match="not been accepted by a reviewer"):
        project.lock(number)
    with pytest.raises(UserError, match="is in review; only a draft"):
        project.draft(SCOOTER, number=number)
    project.review(number, accept=False)
    project.draft(SCOOTER.replace("Vehicle", "Machine"), number=number)
    project.submit(number)
    project.review(number)
    project.lock(number)
    with pytest.raises(UserError, match="is locked and stays so"), project.store.transaction("x") as tx:
        commands.withdraw(tx, number=number)
    with pytest.raises(UserError, match="no ontology version 9"):
        project.submit(9)


def test_a_withdrawn_number_is_not_used_again(project: OntologyProject) -> None:
    number = project.draft(SCOOTER)
    with project.store.transaction("Withdraw") as tx:
        commands.withdraw(tx, number=number, reason="too early")
    assert project.draft(SCOOTER) == number + 1


def test_an_annotator_may_not_draft_review_or_lock_and_the_refusal_is_logged(project: OntologyProject) -> None:
    with (
        pytest.raises(Refused, match="Anna acts as annotator and may not change the ontology"),
        project.store.transaction("Draft", actor=project.anna) as tx,
    ):
        commands.draft(tx, text=SCOOTER)
    number = project.draft(SCOOTER)
    project.submit(number)
    with (
        pytest.raises(Refused, match="may not review an ontology draft"),
        project.store.transaction("Review", actor=project.anna) as tx,
    ):
        commands.review(tx, number=number, accept=True)
    project.review(number)
    with (
        pytest.raises(Refused, match="may not lock an ontology version"),
        project.store.transaction("Lock", actor=project.reviewer) as tx,
    ):
        commands.lock(tx, number=number)
    assert [refusal.actor.name for refusal in project.store.refusals()] == ["Anna", "Anna", "Rob"]
    assert in_force(project) == 1


def test_a_text_edited_from_an_older_version_would_take_changes_back(project: OntologyProject) -> None:
    project.advance(SCOOTER)
    with pytest.raises(UserError, match="edited from version 1, but version 2 is in force"):
        project.draft(TEXT.replace("Vehicle", "Machine"))


def test_two_drafts_of_one_version_cannot_both_be_locked(project: OntologyProject) -> None:
    first = project.draft(SCOOTER)
    second = project.draft(TEXT.replace("Vehicle", "Machine"))
    for number in (first, second):
        project.submit(number)
        project.review(number)
    project.lock(first)
    with pytest.raises(Refused, match="version 2 was locked since; draft the change again"):
        project.lock(second)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("      sedan: {}\n", "", r"classes\.sedan: was removed"),
        ("crimson, ", "", r"options\.crimson: was removed"),
        ("type: integer, min: 0", "type: text", "changed from integer to text"),
        ("parent", "parent", None),
        ("  person: {", "  person: {parent: car, ", None),
    ],
)
def test_a_draft_that_takes_ids_away_is_refused(
    project: OntologyProject, old: str, new: str, words: str | None
) -> None:
    if words is None:
        project.draft(TEXT.replace(old, new))
        return
    with pytest.raises(Refused, match=words):
        project.draft(TEXT.replace(old, new))


def test_a_broken_text_is_refused_with_its_place(project: OntologyProject) -> None:
    with pytest.raises(DataError, match=r"ontology\.yaml, line 6, column 1: not YAML"):
        project.draft(TEXT.replace("modalities: [", "modalities: [["))
    with pytest.raises(DataError, match=r"ontology\.yaml, classes\.car: "):
        project.draft(TEXT.replace("      car: {}", "      car: {colr: red}"))
    with pytest.raises(UserError, match="give the text"):
        project.draft()


def test_a_text_in_one_line_is_accepted_too(project: OntologyProject) -> None:
    number = project.draft(json.dumps(load_yaml(TEXT, source="x")))
    assert commands.parsed(commands.versions_of(project.store)[-1]).version == number


def test_a_class_for_one_modality_waits_for_the_reviewers_reasons(project: OntologyProject) -> None:
    number = project.draft(TEXT.replace("  person: {", "  glare: {shapes: {image: [box]}}\n  person: {"))
    project.submit(number)
    with pytest.raises(Refused, match=r"'glare' is for image only; say why it has no place in cloud"):
        project.review(number)
    with pytest.raises(Refused, match="no place in audio"):
        project.review(number, reasons={"glare/cloud": "no return"})
    with pytest.raises(UserError, match="'glare/smell' is no class and modality"):
        project.review(number, reasons={"glare/smell": "x"})
    project.review(number, reasons={"glare/cloud": "no return", "glare/audio": "no sound"})
    project.lock(number)
    version = commands.versions_of(project.store)[-1]
    assert version.cross_modal_reasons == {"glare/cloud": "no return", "glare/audio": "no sound"}
    assert version.reviewer == "Rob"


def test_a_new_class_beside_another_queues_its_items_in_every_modality(project: OntologyProject) -> None:
    bike = project.entity("motorcycle", 1)
    project.put(
        bike, project.box(None, entity=bike.id), project.cuboid(None, entity=bike.id), project.box("motorcycle")
    )
    project.put(project.box("car"))
    done = project.advance(SCOOTER, (AddClass(class_id="electric_scooter", beside=("motorcycle",)),))
    assert (done.rewritten, done.queued) == (0, 2)
    assert [item.options for item in project.queue()] == [("electric_scooter",)] * 2
    assert "cloud: 1 annotation following, 1 entity queued" in done.lines
    assert "image: 1 annotation following, 1 annotation queued, 1 entity queued" in done.lines
    for item, answer in zip(project.queue(), ("electric_scooter", "keep"), strict=True):
        project.answer(item, answer)
    found = project.all(RecordKind.ENTITY)[bike.id]
    assert (found.class_id, found.ontology_version) == ("electric_scooter", 2)
    assert [item.state for item in project.queue()] == [QueueState.CHANGED, QueueState.KEPT]
    with pytest.raises(UserError, match="answered already"):
        project.answer(project.queue()[0], "keep")


def test_merging_rewrites_in_one_revision_that_can_be_undone(project: OntologyProject) -> None:
    thing = project.entity("sedan", 1, colour="red")
    seen = project.box(None, entity=thing.id, state=State.DONE)
    alone = project.cuboid("sedan", state=State.APPROVED)
    other = project.box("car")
    project.put(thing, seen, alone, other)
    before = project.store.head()
    number = project.draft(steps=(MergeClasses(sources=("sedan",), into="car"),))
    project.submit(number)
    project.review(number)
    shown = forecast_lock(project.store, number)
    done = project.lock(number)
    assert project.store.head() == before + 4
    assert (shown.rewritten, shown.queued) == (done.rewritten, done.queued) == (2, 0)
    after = project.all(RecordKind.ANNOTATION)
    assert project.all(RecordKind.ENTITY)[thing.id].class_id == "car"
    assert (after[alone.id].class_id, after[alone.id].state, after[alone.id].ontology_version) == (
        "car",
        State.APPROVED,
        2,
    )
    assert after[seen.id] == seen
    assert after[other.id] == other
    with pytest.raises(Refused, match="class 'sedan' is retired; use 'car'"):
        project.put(project.box("sedan"))
    assert project.store.undo() is not None
    assert in_force(project) == 1
    assert project.all(RecordKind.ENTITY)[thing.id] == thing
    assert project.all(RecordKind.ANNOTATION)[alone.id] == alone
    assert project.store.redo() is not None
    assert in_force(project) == 2
    assert project.all(RecordKind.ENTITY)[thing.id].class_id == "car"


def test_a_merge_that_a_label_cannot_follow_is_left_to_a_person(project: OntologyProject) -> None:
    scan = project.cuboid("sedan")
    bike = project.box("motorcycle", attributes={"riders": 2})
    truck = project.entity("sedan", 1)
    project.put(scan, bike, truck, project.span(None, entity=truck.id))
    done = project.advance(steps=(MergeClasses(sources=("sedan", "motorcycle"), into="van"),))
    assert (done.rewritten, done.queued) == (0, 3)
    after = project.all(RecordKind.ANNOTATION)
    assert after[scan.id] == scan
    assert after[bike.id] == bike
    questions = {item.target: item for item in project.queue()}
    assert "'van' has no place on cloud" in questions[scan.id].question
    assert "'van' has no attribute 'riders'" in questions[bike.id].question
    with pytest.raises(Refused, match="'van' has no attribute 'riders'"):
        project.answer(questions[bike.id], "van")
    project.answer(questions[bike.id], "van", without=["riders"])
    assert project.all(RecordKind.ANNOTATION)[bike.id].class_id == "van"
    with pytest.raises(Refused, match="no place on audio"):
        project.answer(questions[truck.id], "van")
    project.answer(questions[truck.id], "car")


def test_options_are_merged_everywhere_and_retired_ones_are_asked_about(project: OntologyProject) -> None:
    red = project.box("car", attributes={"colour": "crimson", "lights": ("stop", "brake", "hazard")})
    thing = project.entity("car", 1, colour="crimson")
    project.put(red, thing)
    done = project.advance(
        steps=(
            MergeOptions(attribute="colour", sources=("crimson",), into="red"),
            MergeOptions(attribute="lights", sources=("stop",), into="brake"),
            RetireOption(attribute="lights", option="hazard"),
        )
    )
    assert (done.rewritten, done.queued) == (2, 1)
    assert project.all(RecordKind.ANNOTATION)[red.id].attributes == {"colour": "red", "lights": ("brake", "hazard")}
    assert project.all(RecordKind.ENTITY)[thing.id].attributes == {"colour": "red"}
    (item,) = project.queue()
    assert item.aspect == "attribute:lights"
    project.answer(item, "brake")
    assert project.all(RecordKind.ANNOTATION)[red.id].attributes["lights"] == ("brake",)


def test_what_is_asked_about_does_not_stop_what_is_certain(project: OntologyProject) -> None:
    thing = project.entity("sedan", 1)
    seen = project.box(None, entity=thing.id, attributes={"lights": ("stop",)})
    project.put(thing, seen)
    done = project.advance(
        steps=(MergeClasses(sources=("sedan",), into="car"), RetireOption(attribute="lights", option="stop"))
    )
    assert (done.rewritten, done.queued) == (1, 1)
    assert project.all(RecordKind.ENTITY)[thing.id].class_id == "car"
    assert project.all(RecordKind.ANNOTATION)[seen.id] == seen


def test_a_move_asks_only_about_what_no_longer_fits(project: OntologyProject) -> None:
    thing, person = project.box("car"), project.box("person")
    hunter, hunted = (LinkEnd(role=role, kind=TargetKind.ANNOTATION, target=target.id)
                      for role, target in (("hunter", thing), ("hunted", person)))  # fmt: skip
    link = Link(id=LinkId(project.ids.new()), sample=project.sample, type_id="chases", ends=(hunter, hunted))
    coloured, heard = project.box("car", attributes={"colour": "red"}), project.span("car")
    project.put(thing, person, coloured, heard, link)
    done = project.advance(steps=(MoveClass(class_id="car", parent="person"),))
    assert (done.rewritten, done.queued) == (0, 3)
    assert {item.target for item in project.queue()} == {coloured.id, heard.id, link.id}
    assert all("no longer fits" in item.question for item in project.queue())


def test_what_was_confirmed_of_a_merged_class_stays_confirmed(project: OntologyProject) -> None:
    one, two = project.box("sedan"), project.cuboid("sedan")
    ends = tuple(LinkEnd(role="view", kind=TargetKind.ANNOTATION, target=item.id) for item in (one, two))
    link = Link(id=LinkId(project.ids.new()), sample=project.sample, type_id="same", ends=ends, state=State.DONE)
    project.put(one, two)
    with project.store.transaction("Confirm") as tx:
        tx.put(replace(link, ends=tx.confirmed_ends(ends)))
    project.advance(steps=(MergeClasses(sources=("sedan",), into="car"),))
    found = project.all(RecordKind.LINK)[link.id]
    assert [end.confirmed.class_id for end in found.ends if isinstance(end.confirmed, EndValue)] == ["car", "car"]
    assert list(project.store.stale_links(project.sample)) == []


def test_a_new_required_attribute_is_asked_of_finished_labels(project: OntologyProject) -> None:
    done_box, draft_box = project.box("car", state=State.DONE), project.box("car")
    thing = project.entity("car", 1)
    project.put(done_box, draft_box, thing)
    attribute = "  damaged: {type: flag, required: true, applies_to: [car]}\nlink_types:"
    done = project.advance(TEXT.replace("link_types:", attribute))
    assert (done.rewritten, done.queued) == (0, 2)
    assert {item.target for item in project.queue()} == {done_box.id, thing.id}
    for item in project.queue():
        assert (item.aspect, item.options) == ("attribute:damaged", ("true", "false"))
        with pytest.raises(UserError, match="true or false"):
            project.answer(item, "maybe")
        project.answer(item, "true")
    assert project.all(RecordKind.ANNOTATION)[done_box.id].attributes == {"damaged": True}
    assert project.all(RecordKind.ENTITY)[thing.id].attributes == {"damaged": True}


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((MergeClasses(sources=("ship",), into="car"),), "there was no class 'ship'"),
        ((MergeClasses(sources=("sedan",), into="ship"),), "there is no class 'ship'"),
        ((SplitClass(source="sedan", into=("car", "van")), RetireClass(class_id="sedan")), "subject of two steps"),
        ((MergeOptions(attribute="colour", sources=("red",), into="pink"),), "no option 'pink'"),
        ((MergeOptions(attribute="smell", sources=("a",), into="b"),), "no attribute 'smell'"),
        ((AddClass(class_id="ship"),), "no class 'ship'"),
    ],
)
def test_steps_that_do_not_fit_are_refused(project: OntologyProject, steps: tuple[Step, ...], words: str) -> None:
    with pytest.raises(UserError, match=words):
        project.draft(steps=steps)


CLASSES = ["vehicle", "car", "sedan", "motorcycle", "van", "person"]
_STEPS = st.permutations(["car", "sedan", "motorcycle", "van"]).flatmap(
    lambda names: st.tuples(
        st.sampled_from(
            [
                MergeClasses(sources=(names[0],), into=names[1]),
                MergeClasses(sources=(names[0], names[2]), into=names[1]),
                SplitClass(source=names[0], into=(names[1], names[2])),
                RetireClass(class_id=names[0], replacements=(names[1],)),
            ]
        ),
        st.sampled_from(
            [
                MoveClass(class_id=names[3], parent="person"),
                MergeOptions(attribute="colour", sources=("crimson",), into="red"),
                RetireOption(attribute="lights", option="stop", replacements=("brake",)),
            ]
        ),
    )
)
_COLOURS = st.sampled_from([{}, {"colour": "crimson"}, {"colour": "blue"}, {"lights": ("stop", "hazard")}])


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.data(), _STEPS)
def test_what_was_forecast_is_what_happens(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, steps: tuple[Step, ...]
) -> None:
    project = OntologyProject(tmp_path_factory.mktemp("project"))
    try:
        labels = _random_labels(project, data)
        number = project.draft(steps=steps)
        project.submit(number)
        project.review(number)
        before = {kind: project.all(kind) for kind in (RecordKind.ENTITY, RecordKind.ANNOTATION, RecordKind.LINK)}
        shown = forecast_lock(project.store, number)
        assert {kind: project.all(kind) for kind in before} == before
        done = project.lock(number)
        changed: Counter[str] = Counter()
        for kind, records in before.items():
            after = project.all(kind)
            assert after.keys() == records.keys()
            changed[kind.value] = sum(after[record_id] != record for record_id, record in records.items())
        asked = Counter(target_kind for target_kind, _ in {(item.target_kind, item.target) for item in project.queue()})
        for kind in before:
            assert shown.total(kind.value, "rewritten") == changed[kind.value]
            assert shown.total(kind.value, "queued") == asked[TargetKind(kind.value)]
        assert (done.rewritten, done.queued) == (shown.rewritten, shown.queued)
        _nothing_else_changed(project, steps, before)
        assert labels == sum(len(records) for records in before.values())
    finally:
        project.store.close()


def _random_labels(project: OntologyProject, data: st.DataObject) -> int:
    """Labels that fit the first version, by asking the gate."""
    kept = 0
    entities = []
    for index in range(data.draw(st.integers(0, 3))):
        thing = project.entity(data.draw(st.sampled_from(CLASSES)), index + 1)
        project.put(thing)
        entities.append(thing)
        kept += 1
    boxes = []
    for _ in range(data.draw(st.integers(0, 6))):
        make = data.draw(st.sampled_from([project.box, project.cuboid, project.span]))
        own = data.draw(st.none() | st.sampled_from(CLASSES))
        thing_id = data.draw(st.sampled_from([None, *(item.id for item in entities)]))
        label = make(own, entity=thing_id, attributes=data.draw(_COLOURS))
        try:
            project.put(label)
        except Refused:
            continue
        boxes.append(label)
        kept += 1
    if len(boxes) > 1:
        ends = tuple(LinkEnd(role="view", kind=TargetKind.ANNOTATION, target=item.id) for item in boxes[:2])
        try:
            project.put(Link(id=LinkId(project.ids.new()), sample=project.sample, type_id="same", ends=ends))
            kept += 1
        except Refused:
            return kept
    return kept


def _nothing_else_changed(
    project: OntologyProject, steps: tuple[Step, ...], before: dict[RecordKind, dict[str, object]]
) -> None:
    """A class changes only by a merge, an attribute only by a merge of options."""
    merged = {source: step.into for step in steps if isinstance(step, MergeClasses) for source in step.sources}
    options = {source: step.into for step in steps if isinstance(step, MergeOptions) for source in step.sources}
    for kind in (RecordKind.ENTITY, RecordKind.ANNOTATION):
        for record_id, now in project.all(kind).items():
            was = before[kind][record_id]
            assert now.class_id in {was.class_id, merged.get(was.class_id)}  # type: ignore[attr-defined]
            for name, value in was.attributes.items():  # type: ignore[attr-defined]
                assert now.attributes[name] in (value, options.get(value) if isinstance(value, str) else value)


def test_a_guideline_that_explains_something_unknown_is_refused(project: OntologyProject) -> None:
    with project.store.transaction("Publish") as tx:
        assert publish_guideline(tx, text="## Car {#car}\nFour wheels.\n") == 1
    with pytest.raises(Refused, match="#ship: explains nothing"), project.store.transaction("Publish") as tx:
        publish_guideline(tx, text="## Ship {#ship}\nFloats.\n")
