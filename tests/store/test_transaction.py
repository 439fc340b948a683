"""A transaction is one revision, one undo step and one ChangeSet, or nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from small_world import World

from workstation.core.errors import DataError, Refused, UserError
from workstation.core.geometry import Box
from workstation.core.records import RecordKind
from workstation.core.rights import Actor
from workstation.store import db
from workstation.store.changes import ChangeSet
from workstation.store.store import Reader, Store


class Ear:
    """Hears what the store tells."""

    def __init__(self) -> None:
        self.heard: list[ChangeSet] = []

    def hear(self, changes: ChangeSet) -> None:
        """Keep it."""
        self.heard.append(changes)


def test_what_was_put_is_read_back_after_a_restart(world: World) -> None:
    box, horn = world.box(text="the red car", attributes={"colour": "red"}), world.horn()
    link = world.link(horn, box)
    world.put(box, horn, link)
    world.reopen()
    assert world.store.get(RecordKind.ANNOTATION, box.id) == box
    assert world.store.links_of(box.id) == [link]
    assert world.store.find_id(None, box.id[:25]) != []


def test_one_transaction_is_one_revision_and_one_change_set(world: World) -> None:
    ear = Ear()
    world.store.changed.connect(ear.hear)
    kept, going = world.box(), world.box()
    world.put(kept, going)
    moved = msgspec.structs.replace(kept, shape=Box(0, 0, 5, 5))
    with world.store.transaction("Mixed", initiator="timeline") as tx:
        fleeting = world.box()
        tx.put(fleeting)
        tx.put(moved)
        tx.delete(RecordKind.ANNOTATION, going.id)
        tx.delete(RecordKind.ANNOTATION, fleeting.id)
        new = world.horn()
        tx.put(new)
        assert tx.get(RecordKind.ANNOTATION, kept.id) == moved
        assert tx.get(RecordKind.ANNOTATION, going.id) is None
    changes = ear.heard[-1]
    assert len(ear.heard) == 2
    assert changes.rev == world.store.head() == 3
    assert (changes.label, changes.initiator, changes.actor) == ("Mixed", "timeline", world.anna)
    assert changes.added == {RecordKind.ANNOTATION: {new.id}}
    assert changes.changed == {RecordKind.ANNOTATION: {kept.id}}
    assert changes.removed == {RecordKind.ANNOTATION: {going.id}}
    assert changes.samples == {world.sample}


def test_nothing_changed_is_no_revision(world: World) -> None:
    ear = Ear()
    box = world.box(shape=Box(1, 2, 3, 4))
    world.put(box)
    world.store.changed.connect(ear.hear)
    head = world.store.head_hash()
    world.put(box)
    world.put(msgspec.structs.replace(box, shape=Box(1.0, 2.0, 3.0, 4.0)))
    world.put()
    assert world.store.head_hash() == head
    assert ear.heard == []


def test_an_exception_takes_everything_back(world: World) -> None:
    ear = Ear()
    world.store.changed.connect(ear.hear)
    before, head = world.state(), world.store.head_hash()

    def fail() -> None:
        with world.store.transaction("Fails") as tx:
            tx.put(world.box())
            tx.put_blob(b"pixels")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (world.state(), world.store.head_hash(), ear.heard) == (before, head, [])
    world.put(world.box())  # and the store still works
    assert len(ear.heard) == 1


class _Failing:
    """A connection that fails at its n-th statement, as a full disk would."""

    def __init__(self, real: db.Connection, at: int) -> None:
        self._real = real
        self._left = at

    def _count(self, sql: str) -> None:
        self._left -= 1
        if self._left == 0 and not sql.startswith("ROLLBACK"):
            raise db.OperationalError("database or disk is full")

    def execute(self, sql: str, *values: Any) -> Any:
        self._count(sql)
        return self._real.execute(sql, *values)

    def executemany(self, sql: str, rows: Any) -> Any:
        self._count(sql)
        return self._real.executemany(sql, rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.mark.slow
def test_a_failure_at_any_statement_leaves_nothing_behind(world: World) -> None:
    box, horn, thing = world.box(), world.horn(), world.entity(number=1)
    link = world.link(horn, box)
    world.put(box, horn, thing, link)
    ear = Ear()
    world.store.changed.connect(ear.hear)
    before, head = world.state(), world.store.head_hash()
    counts = world.store.counts()
    real = world.store._db
    failures = 0
    for at in range(1, 1000):
        world.store._connection = _Failing(real, at)  # type: ignore[assignment]
        try:
            with world.store.transaction("Edit") as tx:
                tx.put(msgspec.structs.replace(box, entity=thing.id, class_id=None))
                tx.delete(RecordKind.LINK, link.id)
                tx.delete(RecordKind.ANNOTATION, horn.id)
                tx.put_many([world.horn(), world.entity(number=2)])
        except UserError:
            failures += 1
        finally:
            world.store._connection = real
        if ear.heard:
            break
        assert not real.in_transaction
        assert (world.state(), world.store.head_hash(), world.store.counts()) == (before, head, counts)
    assert failures > 15  # every statement was tried
    assert len(ear.heard) == 1
    assert world.store.undo() is not None
    assert world.state() == before


def test_a_transaction_inside_another_is_our_bug(world: World) -> None:
    def nest() -> None:
        with world.store.transaction("Outer") as tx:
            tx.put(world.box())
            with world.store.transaction("Inner"):
                pass

    with pytest.raises(RuntimeError, match="open already"):
        nest()
    assert world.store.head() == 1


def test_a_listener_may_not_write(world: World) -> None:
    class Meddler:
        def hear(self, _changes: ChangeSet) -> None:
            with world.store.transaction("Meddle"):
                pass

    meddler = Meddler()
    world.store.changed.connect(meddler.hear)
    with pytest.raises(ExceptionGroup) as caught:
        world.put(world.box())
    assert "listener" in str(caught.value.exceptions[0])
    assert world.store.head() == 2  # what was committed stays


def test_a_store_belongs_to_its_thread(world: World) -> None:
    caught: list[BaseException] = []

    def meddle() -> None:
        try:
            world.store.get(RecordKind.SAMPLE, world.sample)
        except RuntimeError as error:
            caught.append(error)
        with Reader(world.path) as reader:
            assert reader.sample_by_key("drive") is not None

    thread = threading.Thread(target=meddle)
    thread.start()
    thread.join()
    assert "thread" in str(caught[0])


def test_a_reader_sees_one_moment(world: World) -> None:
    with Reader(world.path) as reader:
        world.put(world.box())
        assert list(reader.annotations(world.sample)) == []
        assert len(list(world.store.annotations(world.sample))) == 1


def test_a_swallowed_refusal_of_many_keeps_nothing(world: World) -> None:
    good = [world.box() for _ in range(2500)]
    bad = world.box(class_id="no_such_class")

    def swallow() -> None:
        with world.store.transaction("Many") as tx:
            with pytest.raises(Refused):
                tx.put_many([*good, bad])
            tx.put(world.box())

    with pytest.raises(RuntimeError, match="put_many"):
        swallow()
    assert world.store.head() == 1


def test_a_refused_record_can_be_left_out(world: World) -> None:
    good = world.box()
    with world.store.transaction("Some") as tx:
        tx.put(good)
        with pytest.raises(Refused):
            tx.put(world.box(class_id="no_such_class"))
    assert list(world.store.annotations(world.sample)) == [good]


def test_what_was_refused_is_not_looked_at_again(world: World) -> None:
    stranger = world.ids.new()
    bad = Box(0, 0, -1, 1)
    twin = msgspec.structs.replace(world.store.streams(world.sample)[0], id=world.ids.new(), files=(3,))
    with world.store.transaction("Some", actor=world.lead) as tx:
        for record in (world.box(entity=stranger, shape=bad), world.box(stream=stranger, shape=bad), twin):
            with pytest.raises(Refused):
                tx.put(record)
        tx.put(world.box())
    assert world.store.head() == 2


def test_several_states_of_a_record_are_journalled_in_order(world: World) -> None:
    box = world.box()
    states = [msgspec.structs.replace(box, shape=Box(x, 0, 9, 9)) for x in (1.0, 2.0, 3.0)]
    with world.store.transaction("Drag") as tx:
        tx.put_many([box, *states])
    assert world.store.get(RecordKind.ANNOTATION, box.id) == states[-1]
    world.store.undo()
    assert world.store.get(RecordKind.ANNOTATION, box.id) is None
    world.store.redo()
    assert world.store.get(RecordKind.ANNOTATION, box.id) == states[-1]


def test_writing_while_reading_comes_to_an_end(world: World) -> None:
    world.put(*(world.box() for _ in range(3)))
    with world.store.transaction("Copy") as tx:
        for box in tx.annotations(world.sample):
            tx.put(msgspec.structs.replace(box, id=tx.new_id()))
    assert len(list(world.store.annotations(world.sample))) == 6


def test_a_transaction_that_is_over_does_nothing_more(world: World) -> None:
    with world.store.transaction("Kept") as tx:
        tx.put(world.box())
    with pytest.raises(UserError, match="over"):
        tx.put(world.box())


def test_read_only_refuses_to_write_and_sees_everything(world: World) -> None:
    box = world.box()
    world.put(box)
    with Store.open(world.path, actor=world.anna, read_only=True) as store:
        assert store.get(RecordKind.ANNOTATION, box.id) == box
        with pytest.raises(UserError, match="read-only"), store.transaction("No"):
            pass


@pytest.mark.parametrize("content", [b"", b"not a database at all, but longer than a header" * 40])
def test_what_is_no_project_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "project.db"
    file.write_bytes(content)
    with pytest.raises(DataError, match="not"):
        Store.open(tmp_path, actor=Actor(name="Anna"))
    assert file.read_bytes() == content


def test_a_missing_project_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        Store.open(tmp_path / "project.db", actor=Actor(name="Anna"))
    assert list(tmp_path.iterdir()) == []


def test_a_newer_schema_opens_read_only(world: World) -> None:
    world.store._db.execute("PRAGMA user_version = 99")
    world.store.close()
    with pytest.raises(DataError, match="newer"):
        Store.open(world.path, actor=world.anna)
    with Store.open(world.path, actor=world.anna, read_only=True) as store:
        assert store.sample_by_key("drive") is not None
