"""History: viewed, compared, restored, audited, told per record, taken out, and carried to another project."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from small_world import World

from workstation.core.annotation import (
    Annotation,
    Record,
    Source,
    SourceKind,
    State,
    TargetKind,
    Track,
    Verdict,
    VerdictLevel,
    VerdictValue,
)
from workstation.core.errors import DataError, UserError
from workstation.core.geometry import Box, Mask, ShapeKind
from workstation.core.ids import RecordId
from workstation.core.records import RecordKind
from workstation.core.rights import Actor
from workstation.core.sample import Role
from workstation.store.counts import Count
from workstation.store.foreign import RawRevision
from workstation.store.gate import NotAllowed
from workstation.store.queries import Reads
from workstation.store.store import Reader, Store

State_ = dict[tuple[RecordKind, str], Record]


def everything(reads: Reads) -> State_:
    """Every record."""
    return {(k, r.id): r for k in RecordKind for r in reads.records(k)}  # type: ignore[attr-defined]


def busy(world: World) -> list[tuple[State_, list[Count]]]:
    """A history of eleven revisions of many kinds; what stood after each of them."""
    seen: list[tuple[State_, list[Count]]] = [({}, [])]

    def note() -> None:
        seen.append((world.state(), world.store.counts()))

    note()
    box, horn, thing = world.box(), world.horn(), world.entity("car", number=1)
    track = world.box(shape=None, track=Track(), class_id=None, entity=thing.id)
    link = world.link(horn, box)
    steps: list[list[Record]] = [
        [box, horn, thing],
        [track, world.keyframe(track, 0), world.keyframe(track, 1000, 50.0)],
        [link, msgspec.structs.replace(box, shape=Box(1, 1, 50, 50))],
        [msgspec.structs.replace(thing, class_id="truck")],
        [msgspec.structs.replace(link, ends=(link.ends[0], msgspec.structs.replace(link.ends[1], target=track.id)))],
    ]
    for step in steps:
        world.put(*step)
        note()
    with world.store.transaction("Delete box") as tx:
        tx.delete(RecordKind.ANNOTATION, box.id)
    note()
    world.store.undo()
    note()
    world.store.redo()
    note()
    world.put(world.horn(), actor=world.ben)
    note()
    return seen


def test_every_revision_can_be_viewed(world: World) -> None:
    seen = busy(world)
    for rev, (state, counts) in enumerate(seen):
        with world.store.view(rev) as view:
            assert everything(view) == state
            assert view.counts() == counts
            for link in view.links(world.sample):
                assert all(link in view.links_of(end.target) for end in link.ends)
            assert [one.rev for one in view.revisions()] == list(range(rev, 0, -1))
    with pytest.raises(UserError, match="no revision 99"):
        world.store.view(99)


def test_a_view_stays_while_the_project_goes_on(world: World) -> None:
    seen = busy(world)
    with world.store.view(4) as view:
        world.put(world.box())
        assert everything(view) == seen[4][0]
        assert view.annotations_between(world.camera, 0, 10) == [
            r for r in seen[4][0].values() if isinstance(r, Annotation) and r.stream == world.camera
        ]


def test_a_view_of_one_sample(world: World) -> None:
    seen = busy(world)
    there = world.box(sample=world.other, stream=world.other_camera)
    world.put(there)
    with world.store.view(3, sample=world.sample) as view:
        assert {r.id for r in view.annotations(world.sample)} == {
            r.id for r in seen[3][0].values() if isinstance(r, Annotation)
        }
        assert list(view.annotations(world.other)) == [there]


def test_any_two_revisions_can_be_compared(world: World) -> None:
    seen = busy(world)
    for a in range(len(seen)):
        for b in range(len(seen)):
            old, new = seen[a][0], seen[b][0]
            expected = {
                place: (old.get(place), new.get(place))
                for place in old.keys() | new.keys()
                if old.get(place) != new.get(place)
            }
            found = {(one.kind, one.id): (one.before, one.after) for one in world.store.difference(a, b)}
            assert found == expected
    assert list(world.store.difference(2, len(seen) - 1, world.other)) == []
    here = {one.kind for one in world.store.difference(2, len(seen) - 1, world.sample)}
    assert here == {RecordKind.ANNOTATION, RecordKind.KEYFRAME, RecordKind.LINK, RecordKind.ENTITY}


@pytest.mark.parametrize("rev", range(1, 11))
def test_an_earlier_revision_is_restored_as_a_new_one(world: World, rev: int) -> None:
    seen = busy(world)
    before = world.store.head()
    world.store.restore(rev, actor=world.lead)
    assert world.state() == seen[rev][0]
    assert world.store.counts() == seen[rev][1]
    assert world.store.head() == before + (seen[rev][0] != seen[-1][0])
    assert world.store.verify().entries == []
    if world.store.head() > before:
        world.store.undo(world.lead)
        assert world.state() == seen[-1][0]


def test_one_sample_is_restored_and_the_other_stays(world: World) -> None:
    seen = busy(world)
    there = world.box(sample=world.other, stream=world.other_camera)
    world.put(there)
    world.store.restore(2, sample=world.sample, actor=world.lead)
    assert world.state() == {**seen[2][0], (RecordKind.ANNOTATION, there.id): there}


def test_the_audit_passes_and_counts_what_it_read(world: World) -> None:
    busy(world)
    report = world.store.verify()
    assert report.intact
    assert (report.revisions, report.records) == (world.store.head(), len(world.state()))
    assert report.head == world.store.head_hash()
    with Reader(world.path) as reader:
        assert reader.verify(against=report.head).intact
    world.put(world.box())
    assert world.store.verify(against=report.head).intact
    bad = world.store.verify(against="ab" * 32)
    assert "cut off or rewritten" in str(bad.first)


def _tamper(world: World, *statements: str) -> Any:
    """Change the file behind the program's back, then audit."""
    world.store.close()
    with sqlite3.connect(world.path / "project.db") as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            raw.execute(statement)
    raw.close()
    world.store = Store.open(world.path, actor=world.anna, ids=world.ids, now_ms=world.now_ms)
    return world.store.verify()


_SEQ = 17
"""A change of the third revision of ``busy``."""


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            f"UPDATE change SET payload = CAST(replace(payload, '1000', '1001') AS BLOB) WHERE seq = {_SEQ}",
            f"revision 3, change {_SEQ}, keyframe",
        ),
        (f"UPDATE change SET digest = zeroblob(32) WHERE seq = {_SEQ}", f"revision 3, change {_SEQ}, keyframe"),
        (f"UPDATE change SET payload = NULL WHERE seq = {_SEQ}", "no revision says that it was removed"),
        (f"UPDATE change SET id = zeroblob(16) WHERE seq = {_SEQ}", "revision 3"),
        (f"UPDATE change SET kind = 'word' WHERE seq = {_SEQ}", f"revision 3, change {_SEQ}"),
        (f"UPDATE change SET op = 'delete' WHERE seq = {_SEQ}", "revision 3"),
        (f"UPDATE change SET schema_version = 2 WHERE seq = {_SEQ}", f"revision 3, change {_SEQ}"),
        (f"UPDATE change SET rev = 4 WHERE seq = {_SEQ}", "part of revision 4"),
        (f"DELETE FROM change WHERE seq = {_SEQ}", "revision 3"),
        ("UPDATE change SET prev_seq = NULL WHERE prev_seq IS NOT NULL", ""),
        ("UPDATE revision SET header = CAST(replace(header, 'Anna', 'Anne') AS BLOB) WHERE rev = 5", "revision 5"),
        ("UPDATE revision SET actor = 'Anne' WHERE rev = 5", "revision 5: the column actor says 'Anne'"),
        ("UPDATE revision SET hash = zeroblob(32) WHERE rev = 5", "revision 5"),
        ("UPDATE revision SET made_ms = 0 WHERE rev = 6", "revision 6: the column made_ms"),
        ("DELETE FROM revision WHERE rev = 5", "revision 5: is missing"),
        ("DELETE FROM revision WHERE rev = (SELECT max(rev) FROM revision)", "belong to no revision"),
        ("UPDATE annotation SET start_ns = start_ns + 1", "the column start_ns says 1, history says 0"),
        ("UPDATE entity SET class_id = 'bus'", "the column class_id says 'bus', history says 'truck'"),
        ("DELETE FROM keyframe WHERE time_ns = 0", "in no table"),
        ("DELETE FROM removed", "in no table"),
        ("DELETE FROM link_end WHERE ordinal = 1", "its ends are listed wrongly"),
        ("UPDATE count SET n = n + 1 WHERE kind = 'keyframe'", "are counted"),
        ("DELETE FROM count WHERE kind = 'annotation'", "none are counted"),
        ("DELETE FROM stream WHERE key = 'camera'", "in no table"),
    ],
)
def test_the_audit_names_what_was_changed(world: World, statement: str, words: str) -> None:
    busy(world)
    report = _tamper(world, statement)
    assert not report.intact
    assert any(words in str(entry) for entry in report.entries), [str(entry) for entry in report.entries]
    if words.startswith("revision"):
        assert str(report.first).startswith(words), str(report.first)


def test_history_cannot_be_changed_through_the_connection(world: World) -> None:
    busy(world)
    for statement in (
        "UPDATE change SET payload = x'00'",
        "DELETE FROM change",
        "UPDATE revision SET header = x'00'",
        "DELETE FROM revision",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            world.store._db.execute(statement)


def test_the_log_of_refusals_is_part_of_the_chain(world: World) -> None:
    for _ in range(2):
        with pytest.raises(NotAllowed):
            world.put(world.ontology_version(2, "draft"))  # type: ignore[arg-type]
    world.put(world.box())
    assert world.store.verify().intact
    cut = _tamper(world, "DELETE FROM refusal WHERE number = 2")
    assert "cut short" in str(cut.first)
    changed = _tamper(world, "UPDATE refusal SET entry = CAST(replace(entry, 'Anna', 'Ben') AS BLOB)")
    assert any("refusal 1 was changed" in str(entry) for entry in changed.entries)


def test_provenance_tells_the_whole_chain(world: World) -> None:
    model = Source(kind=SourceKind.MODEL, name="yolo", version="8", weights_sha256="cd" * 32, device="cpu")
    proposal = world.box(state=State.PROPOSED, source=model, confidence=0.8, attributes={"occlusion": "none"})
    world.put(proposal, actor=world.model, label="Pre-label", group="job")
    corrected = msgspec.structs.replace(proposal, shape=Box(1, 1, 90, 80), state=State.DRAFT)
    world.put(corrected, label="Correct")
    reviewer = msgspec.structs.replace(world.ben, role=Role.REVIEWER)
    assert world.ben.person is not None
    verdict = Verdict(
        id=RecordId(world.ids.new()), sample=world.sample, target_kind=TargetKind.ANNOTATION, target=proposal.id,
        target_revision=3, level=VerdictLevel.WITHIN, value=VerdictValue.APPROVED, person=world.ben.person,
    )  # fmt: skip
    horn = world.horn()
    link = world.link(horn, proposal)
    world.put(verdict, horn, link, actor=reviewer, label="Review")
    told = world.store.provenance(proposal.id)
    assert [(e.rev, e.label, e.actor.name, e.state) for e in told.entries] == [
        (2, "Pre-label", "detector", "proposed"),
        (3, "Correct", "Anna", "draft"),
    ]
    assert told.entries[0].source == model
    assert told.entries[0].ontology == 1
    assert set(told.entries[1].fields) == {"shape", "state"}
    assert [v.verdict for v in told.verdicts] == [verdict]
    assert told.verdicts[0].actor == "Ben"
    assert told.links == (link,)
    assert told.stream is not None
    with world.store.transaction("Delete") as tx:
        tx.delete(RecordKind.LINK, link.id)
        tx.delete(RecordKind.ANNOTATION, proposal.id)
    gone = world.store.provenance(proposal.id)
    assert not gone.exists
    assert gone.entries[-1].op == "delete"
    with pytest.raises(UserError, match="ever had the id"):
        world.store.provenance(world.ids.new())


def test_provenance_of_a_track_includes_its_keyframes(world: World) -> None:
    track, other = (world.box(shape=None, track=Track()) for _ in range(2))
    keyframe = world.keyframe(track, 0)
    world.put(track, other, keyframe, world.keyframe(other, 0))
    world.put(msgspec.structs.replace(keyframe, time_ns=5), label="Move")
    with world.store.transaction("Delete keyframe") as tx:
        tx.delete(RecordKind.KEYFRAME, keyframe.id)
    parts = [(e.rev, e.op, e.part) for e in world.store.provenance(track.id).entries if e.part]
    assert parts == [(rev, op, f"keyframe {keyframe.id}") for rev, op in ((2, "put"), (3, "put"), (4, "delete"))]


def _masked(world: World) -> tuple[Annotation, str]:
    with world.store.transaction("Mask") as tx:
        blob = tx.put_blob(b"a face")
        mask = world.box(kind=ShapeKind.MASK, shape=Mask(blob, 0, 0, 4, 4, 8), text="Jane Doe")
        tx.put(mask)
    return mask, blob


def test_content_is_removed_for_good_and_the_chain_still_verifies(world: World) -> None:
    mask, blob = _masked(world)
    horn = world.horn()
    with world.store.transaction("Link") as tx:
        tx.put(horn)
        link = world.link(horn, mask)
        link = msgspec.structs.replace(link, ends=tx.confirmed_ends(link.ends))
        tx.put(link)
    officer = Actor(name="Cleo", role=Role.COMPLIANCE)
    with pytest.raises(UserError, match="still exists"):
        world.store.remove_content(RecordKind.ANNOTATION, mask.id, reason="consent", actor=officer)
    with world.store.transaction("Delete") as tx:
        tx.delete(RecordKind.LINK, link.id)
        tx.delete(RecordKind.ANNOTATION, mask.id)
    with pytest.raises(NotAllowed):
        world.store.remove_content(RecordKind.ANNOTATION, mask.id, reason="consent withdrawn")
    with pytest.raises(UserError, match="reason"):
        world.store.remove_content(RecordKind.ANNOTATION, mask.id, reason=" ", actor=officer)
    world.store.remove_content(RecordKind.ANNOTATION, mask.id, reason="consent withdrawn", actor=officer)
    assert world.store.blob(blob) is None
    report = world.store.verify()
    assert report.entries == []
    assert report.tombstones == 2
    with pytest.raises(UserError, match="removed for good"):
        world.store.undo()
    with pytest.raises(UserError, match="removed"):
        world.store.restore(2, actor=world.lead)
    with world.store.view(2) as view:
        assert view.get(RecordKind.ANNOTATION, mask.id) is None
    newest = world.store.revision(world.store.head())
    assert newest is not None
    assert newest.header.reason == "consent withdrawn"
    world.store.close()
    content = b"".join(file.read_bytes() for file in world.path.iterdir())
    assert b"Jane Doe" not in content
    assert b"a face" not in content
    world.store = Store.open(world.path, actor=world.anna)


def test_a_history_is_carried_over_identically(world: World, tmp_path: Path) -> None:
    busy(world)
    mask, _blob = _masked(world)
    with world.store.transaction("Delete") as tx:
        tx.delete(RecordKind.ANNOTATION, mask.id)
    world.store.remove_content(
        RecordKind.ANNOTATION, mask.id, reason="consent", actor=Actor(name="Cleo", role=Role.COMPLIANCE)
    )
    with pytest.raises(NotAllowed):
        world.put(world.ontology_version(2, "draft"))  # type: ignore[arg-type]
    world.put(world.box(), label="Last")
    (tmp_path / "copy").mkdir()
    with Store.create(tmp_path / "copy", actor=world.anna) as copy:
        with copy.import_history() as incoming:
            for blob in world.store.raw_blobs():
                incoming.blob(blob)
            for refusal in world.store.raw_refusals():
                incoming.refusal(refusal)
            for revision in world.store.raw_history():
                incoming.append(revision)
        assert list(copy.raw_history()) == list(world.store.raw_history())
        assert list(copy.raw_blobs()) == list(world.store.raw_blobs())
        assert copy.head_hash() == world.store.head_hash()
        assert everything(copy) == world.state()
        assert copy.counts() == world.store.counts()
        assert copy.refusals() == world.store.refusals()
        assert copy.verify().entries == []
        assert copy.undo_label() == world.store.undo_label() == "Last"
        assert copy.undo() is not None
        with pytest.raises(UserError, match="empty project"), copy.import_history():
            pass


def test_a_history_that_does_not_fit_is_refused_whole(world: World, tmp_path: Path) -> None:
    busy(world)
    good = list(world.store.raw_history())
    payload = good[2].changes[-1].payload
    assert payload is not None
    forged = with_payload(good[2], payload.replace(b"1000", b"1001"))
    for history, words in (
        ([*good[:2], forged], "revision 3, change 3"),
        ([good[0], good[2]], "revision 2 should come next"),
        ([RawRevision(1, good[0].header, bytes(32), good[0].changes)], "hash does not fit"),
        ([RawRevision(1, good[0].header, good[0].hash, good[0].changes[1:])], "hash does not fit"),
    ):
        with Store.create(tmp_path / "copy.db", actor=world.anna) as copy:
            with pytest.raises(DataError, match=words):
                _take_in(copy, history)
            assert copy.head() == 0
            assert everything(copy) == {}
        (tmp_path / "copy.db").unlink()


def _take_in(store: Store, history: list[RawRevision]) -> None:
    with store.import_history() as incoming:
        for revision in history:
            incoming.append(revision)


def with_payload(revision: RawRevision, payload: bytes) -> RawRevision:
    """The revision with another payload in its last change."""
    last = dataclasses.replace(revision.changes[-1], payload=payload)
    return dataclasses.replace(revision, changes=(*revision.changes[:-1], last))


def test_derived_data_leaves_no_trace_in_history(world: World) -> None:
    head = world.store.head_hash()
    with world.store.derived() as derived:
        derived.put("finding", "a", b"1", world.sample)
        derived.put("job", "b", b"2")
    assert world.store.derived_values("finding", world.sample) == {"a": b"1"}
    with world.store.derived() as derived:
        derived.clear("finding", world.sample)
    assert world.store.derived_values("finding", world.sample) == {}
    assert world.store.derived_values("job") == {"b": b"2"}
    assert world.store.head_hash() == head


def test_revisions_of_a_sample(world: World) -> None:
    world.put(world.box())
    world.put(world.box(sample=world.other, stream=world.other_camera))
    assert [one.rev for one in world.store.revisions(world.sample)] == [2, 1]
    assert [one.rev for one in world.store.revisions(world.other, limit=1)] == [3]
    assert [one.rev for one in world.store.revisions(before=3, limit=1)] == [2]
    assert [(c.kind, c.op) for c in world.store.changes(2)] == [(RecordKind.ANNOTATION, "put")]
