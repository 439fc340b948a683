"""Laws over random histories: undo takes back, redo gives again, windows and counts tell the truth."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_world import World

from workstation.core.annotation import Annotation, Entity, Link, State
from workstation.core.errors import UserError
from workstation.core.geometry import Box
from workstation.core.records import RecordKind

_EDITS = st.lists(
    st.tuples(st.sampled_from(["box", "horn", "entity", "link", "move", "class", "delete"]), st.integers(0, 50)),
    min_size=1,
    max_size=6,
)


def _pick(records: list[Any], number: int) -> Any:
    return records[number % len(records)] if records else None


def _edit(world: World, tx: Any, what: str, number: int) -> None:
    boxes = [a for a in tx.annotations(world.sample) if a.stream == world.camera]
    horns = [a for a in tx.annotations(world.sample) if a.stream == world.sound]
    box, horn, thing = _pick(boxes, number), _pick(horns, number), _pick(tx.entities(world.sample), number)
    if what == "box":
        tx.put(world.box(float(number), entity=None if thing is None else thing.id, class_id=[None, "car"][number % 2]))
    elif what == "horn":
        tx.put(world.horn(number, number + 10))
    elif what == "entity":
        tx.put(world.entity("car", number=tx.next_entity_number(world.sample)))
    elif what == "link" and box is not None and horn is not None and _class(tx, box) is not None:
        tx.put(world.link(horn, box))
    elif what == "move" and box is not None:
        tx.put(msgspec.structs.replace(box, shape=Box(float(number), 0, 9, 9), state=State.DRAFT))
    elif what == "class" and isinstance(thing, Entity):
        tx.put(msgspec.structs.replace(thing, class_id=["bus", "truck"][number % 2]))
    elif what == "delete":
        victim = _pick([*boxes, *horns, *tx.links(world.sample)], number)
        if isinstance(victim, Annotation):
            for link in tx.links_of(victim.id):
                tx.delete(RecordKind.LINK, link.id)
            tx.delete(RecordKind.ANNOTATION, victim.id)
        elif isinstance(victim, Link):
            tx.delete(RecordKind.LINK, victim.id)


def _class(tx: Any, box: Annotation) -> str | None:
    if box.class_id is not None or box.entity is None:
        return box.class_id
    return str(tx.get(RecordKind.ENTITY, box.entity).class_id)


def _counted(world: World) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for (kind, _), record in world.state().items():
        if kind is RecordKind.ANNOTATION:
            assert isinstance(record, Annotation)
            found[kind.value, _class(world.store, record) or "", record.state.value] += 1
        elif kind is RecordKind.ENTITY:
            found[kind.value, record.class_id, ""] += 1  # type: ignore[attr-defined]
        elif kind is RecordKind.LINK:
            found[kind.value, record.type_id, record.state.value] += 1  # type: ignore[attr-defined]
    return found


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(_EDITS, min_size=1, max_size=6), st.data())
def test_undo_takes_back_and_redo_gives_again(history: list[list[tuple[str, int]]], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            states = [world.state()]
            for edits in history:
                head = world.store.head()
                with world.store.transaction("Edit") as tx:
                    for what, number in edits:
                        _edit(world, tx, what, number)
                if world.store.head() > head:
                    states.append(world.state())
            at = len(states) - 1
            for forward in data.draw(st.lists(st.booleans(), max_size=10)):
                moved = world.store.redo() if forward else world.store.undo()
                assert (moved is None) == (at == (len(states) - 1 if forward else 0))
                at += 0 if moved is None else 1 if forward else -1
                assert world.state() == states[at]
            kinds = (RecordKind.ANNOTATION, RecordKind.ENTITY, RecordKind.LINK)
            kept = {(c.kind.value, c.class_id, c.state): c.n for c in world.store.counts() if c.kind in kinds}
            assert kept == _counted(world)
            assert world.store.counts(world.sample, RecordKind.ANNOTATION) == world.store.counts(
                kind=RecordKind.ANNOTATION
            )
            assert world.store.verify().entries == []
        finally:
            world.store.close()


_EDGE = st.integers(-(10**12), 10**12)
_INTERVALS = st.lists(st.tuples(_EDGE, st.one_of(st.just(0), st.integers(0, 10**12))), max_size=30)


@settings(max_examples=20, deadline=None)
@given(_INTERVALS, st.lists(st.tuples(_EDGE, st.integers(1, 10**12)), min_size=1, max_size=8))
def test_a_window_shows_exactly_what_overlaps_it(
    intervals: list[tuple[int, int]], windows: list[tuple[int, int]]
) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            horns = [world.horn(start, start + duration) for start, duration in intervals]
            always = world.horn(start_ns=None, end_ns=None)
            with world.store.transaction("Fill") as tx:
                tx.put_many([*horns, always, world.box()])
            for start, length in windows:
                end = start + length
                inside = {
                    horn.id
                    for horn in horns
                    if horn.start_ns < end and (horn.end_ns > start or horn.start_ns == horn.end_ns >= start)  # type: ignore[operator]
                }
                found = world.store.annotations_between(world.sound, start, end)
                assert {horn.id for horn in found} == inside | {always.id}
                spans = world.store.spans_between(world.sound, start, end)
                assert set(spans.ids) == inside
                assert list(spans.starts) == sorted(spans.starts)
                by_id = {horn.id: horn for horn in horns}
                assert [by_id[i].end_ns for i in spans.ids] == list(spans.ends)  # type: ignore[index]
        finally:
            world.store.close()


def test_annotations_on_the_whole_sample_have_a_window_of_their_own(world: World) -> None:
    event = world.horn(stream=None, class_id="braking")
    world.put(event, world.horn())
    assert world.store.annotations_between(world.sample, 0, 5) == [event]


def test_samples_are_paged_and_filtered(world: World) -> None:
    from workstation.core.ids import SampleId
    from workstation.core.sample import Sample, SampleState

    made = [
        Sample(id=SampleId(world.ids.new()), key=f"s{i:03}", state=[SampleState.NEW, SampleState.APPROVED][i % 2])
        for i in range(20)
    ]
    with world.store.transaction("Add", actor=world.lead) as tx:
        tx.put_many(made)
    page = [s.key for s in world.store.samples(state=SampleState.APPROVED, after_key="s004", limit=3)]
    assert page == ["s005", "s007", "s009"]
    assert world.store.total(RecordKind.SAMPLE) == 22
    taken = msgspec.structs.replace(made[3], assigned_to=world.anna.person)
    world.put(taken, actor=world.lead)
    assert list(world.store.samples(assigned_to=world.anna.person)) == [taken]
    with pytest.raises(UserError, match="assigned_to"), world.store.transaction("Fire", actor=world.lead) as tx:
        tx.delete(RecordKind.PERSON, world.anna.person)  # type: ignore[arg-type]
