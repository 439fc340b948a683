"""Random commands of two people, undo, redo, restarts, views, restores and ontology migrations against a plain model.

After every step the store's records, the change report, the history and (where it was asked) the view of an old
revision equal what the model says. The model is in ``plain_model.py`` and shares no code with the program.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

import plain_model as plain
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from plain_model import Key, PlainModel

from workstation.app.opening import new_project, open_project
from workstation.app.session import Session
from workstation.core.annotation import Annotation, Entity, Keyframe, Link
from workstation.core.errors import UserError
from workstation.core.geometry import Box
from workstation.core.records import RecordKind
from workstation.core.rights import Actor
from workstation.core.sample import OntologyVersion
from workstation.store.changes import ChangeSet
from workstation.store.queries import Reads

CLASSES = ("sedan", "hatchback", "suv", "van", "truck")
MERGES = (("hatchback", "sedan"), ("suv", "sedan"))
SHOWN = (RecordKind.ANNOTATION, RecordKind.ENTITY, RecordKind.KEYFRAME, RecordKind.LINK, RecordKind.ONTOLOGY)
PEOPLE = ("Ana", "Ben")
ONTOLOGY = """
version: 1
name: Cars
language: en
modalities: [video]
classes:
  vehicle:
    name: Vehicle
    shapes: {video: [box]}
    children:
      sedan: {name: Sedan}
      hatchback: {name: Hatchback}
      suv: {name: SUV}
      van: {name: Van}
      truck: {name: Truck}
link_types:
  same_object:
    name: Same object
    symmetric: true
    negatable: true
    roles:
      view: {min: 2, max: null, targets: [annotation], classes: [vehicle], shapes: [box], streams: [video]}
"""
MS = 1_000_000


def facts_of(record: object) -> plain.Facts:
    """A stored record as the model speaks of it."""
    match record:
        case Annotation():
            x = record.shape.x if isinstance(record.shape, Box) else None
            assert record.start_ns is not None
            assert record.end_ns is not None
            return plain.Box(
                record.class_id, record.entity, x, record.start_ns, record.end_ns, record.state.value,
                record.ontology_version,
            )  # fmt: skip
        case Entity():
            return plain.Thing(record.class_id, record.number, record.ontology_version)
        case Keyframe():
            assert isinstance(record.shape, Box)
            return plain.Moment(record.annotation, record.time_ns, record.shape.x)
        case Link():
            ends = []
            for end in record.ends:
                assert end.confirmed is not None
                assert end.confirmed_revision is not None
                shape = end.confirmed.shape
                x = shape.x if isinstance(shape, Box) else None
                ends.append(plain.Seen(end.target, end.confirmed_revision, end.confirmed.class_id, x))
            return plain.Relation(tuple(ends), record.state.value, record.holds, record.ontology_version)
        case OntologyVersion():
            return plain.Version(record.number, record.state.value)
    raise AssertionError(record)


def world_of(reads: Reads) -> plain.World:
    """All that is stored, of the kinds the model speaks of."""
    return {
        Key(kind.value, record.id): facts_of(record)  # type: ignore[attr-defined]
        for kind in SHOWN
        for record in reads.records(kind)
    }


class ProjectMachine(RuleBasedStateMachine):
    """The rules; each is something a person does."""

    boxes = Bundle("boxes")
    tracks = Bundle("tracks")
    things = Bundle("things")
    links = Bundle("links")

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        (self.folder / "cars.yaml").write_text(ONTOLOGY, encoding="utf-8")
        new_project(self.folder / "p", ontology=str(self.folder / "cars.yaml"), person="Lea")
        self.session = open_project(self.folder / "p", person="Lea", role="lead", kind="person")
        with self.session.together("Lock") as run:
            run("ontology.submit", number=1)
            run("ontology.review", number=1, accept=True)
            run("ontology.lock", number=1)
        self.session.run("person.add", name="Ana", roles=["lead"])
        self.session.run("person.add", name="Ben", roles=["annotator"])
        self.session.run("sample.add", key="drive")
        self.session.run("stream.add", sample="drive", key="front", kind="video")
        people = {person.name: person for person in self.session.store.people()}
        self.actors = {
            name: Actor(name=name, role=person.roles[0], person=person.id) for name, person in people.items()
        }
        self.model = PlainModel(world=world_of(self.session.store))
        self.first = self.session.store.head()
        self.model.snapshots = [dict(self.model.world) for _ in range(self.first + 1)]
        self.numbers = 0
        self.merge_of: dict[Key, tuple[str, str]] = {}
        self.told: list[ChangeSet] = []
        self.session.changed.connect(self._hear)

    def _hear(self, changes: ChangeSet) -> None:
        self.told.append(changes)

    def teardown(self) -> None:
        if hasattr(self, "session"):
            report = self.session.store.verify()
            self.session.close()
            shutil.rmtree(self.folder, ignore_errors=True)
            assert report.intact, report.first

    def _as(self, person: str) -> Session:
        self.session.store.actor = self.actors[person]
        return self.session

    def _told(self, delta: plain.Delta) -> None:
        """The change report says what the model says, and nothing is reported when nothing changed."""
        told, self.told = self.told, []
        assert len(told) == bool(delta)
        if not told:
            return
        (changes,) = told
        for said, wanted in (
            (changes.added, {key for key, (before, _) in delta.items() if before is None}),
            (changes.removed, {key for key, (_, after) in delta.items() if after is None}),
            (changes.changed, {key for key, (before, after) in delta.items() if before and after}),
        ):
            reported = {Key(kind.value, one) for kind, ids in said.items() if kind in SHOWN for one in ids}
            assert reported == wanted
        assert changes.rev == self.model.head

    def _set(self, person: str, changes: dict[Key, plain.Facts | None]) -> None:
        after = dict(self.model.world)
        for key, facts in changes.items():
            if facts is None:
                after.pop(key)
            else:
                after[key] = facts
        self._told(self.model.edit(person, after))

    def _refused(self, command: str, **arguments: Any) -> None:
        with pytest.raises(UserError):
            self.session.run(command, **arguments)
        self._told({})

    def _class_of(self, box: plain.Box) -> str | None:
        if box.owner_class is not None or box.entity is None:
            return box.owner_class
        thing = self.model.world[Key("entity", box.entity)]
        assert isinstance(thing, plain.Thing)
        return thing.class_id

    def _seen(self, target: str) -> plain.Seen:
        """What is confirmed by the command that is just being done."""
        box = self._box(target)
        assert box is not None
        return plain.Seen(target, self.model.head + 1, self._class_of(box), box.x)

    @property
    def merged(self) -> set[tuple[str, str]]:
        """The merges of the versions that are there."""
        return {self.merge_of[key] for key in self.model.world if key in self.merge_of}

    def _retired(self, class_id: str) -> bool:
        return class_id in {source for source, _ in self.merged}

    def _box(self, box_id: str) -> plain.Box | None:
        found = self.model.world.get(Key("annotation", box_id))
        assert found is None or isinstance(found, plain.Box)
        return found

    def _links_of(self, target: str) -> list[Key]:
        return [
            key
            for key, facts in self.model.world.items()
            if isinstance(facts, plain.Relation) and any(end.target == target for end in facts.ends)
        ]

    # ---------------------------------------------------------------- making

    @rule(target=things, person=st.sampled_from(PEOPLE), class_id=st.sampled_from(CLASSES))
    def add_thing(self, person: str, class_id: str) -> Any:
        self._as(person)
        if self._retired(class_id):
            self._refused("entity.add", sample="drive", class_id=class_id)
            return multiple()
        made = self.session.run("entity.add", sample="drive", class_id=class_id)
        self.numbers += 1
        self._set(person, {Key("entity", made): plain.Thing(class_id, self.numbers, self.model.version())})
        return made

    @rule(
        target=boxes, person=st.sampled_from(PEOPLE), class_id=st.sampled_from(CLASSES), x=st.integers(0, 500),
        thing=st.none() | things, start=st.integers(0, 5),
    )  # fmt: skip
    def add_box(self, person: str, class_id: str, x: int, thing: str | None, start: int) -> Any:
        self._as(person)
        there = thing is not None and Key("entity", thing) in self.model.world
        arguments: dict[str, Any] = {"entity": thing} if thing is not None else {"class_id": class_id}
        shape = {"kind": "box", "x": x, "y": 10, "width": 40, "height": 30}
        arguments |= {"sample": "drive", "stream": "front", "shape": shape, "start_ns": start * MS}
        if (thing is not None and not there) or (thing is None and self._retired(class_id)):
            self._refused("annotation.add", **arguments)
            return multiple()
        made = self.session.run("annotation.add", **arguments)
        own = None if there else class_id
        box = plain.Box(own, thing if there else None, float(x), start * MS, start * MS, "draft", self.model.version())
        self._set(person, {Key("annotation", made): box})
        return made

    @rule(
        target=tracks,
        person=st.sampled_from(PEOPLE),
        thing=things,
        xs=st.lists(st.integers(0, 99), min_size=2, max_size=4),
    )
    def add_track(self, person: str, thing: str, xs: list[int]) -> Any:
        self._as(person)
        keyframes = [
            {"time_ns": at * MS, "shape": {"kind": "box", "x": x, "y": 0, "width": 9, "height": 9}}
            for at, x in enumerate(xs)
        ]
        arguments = {"sample": "drive", "stream": "front", "entity": thing, "keyframes": keyframes}
        if Key("entity", thing) not in self.model.world:
            self._refused("track.add", **arguments)
            return multiple()
        made = self.session.run("track.add", **arguments)
        end_ns = (len(xs) - 1) * MS + 1
        changes: dict[Key, plain.Facts | None] = {
            Key("annotation", made): plain.Box(None, thing, None, 0, end_ns, "draft", self.model.version())
        }
        for keyframe in self.session.store.keyframes(made):
            x = xs[keyframe.time_ns // MS]
            changes[Key("keyframe", keyframe.id)] = plain.Moment(made, keyframe.time_ns, float(x))
        assert len(changes) == 1 + len(xs)
        self._set(person, changes)
        return made

    @rule(target=links, person=st.sampled_from(PEOPLE), one=boxes, other=boxes)
    def relate(self, person: str, one: str, other: str) -> Any:
        self._as(person)
        arguments = {
            "sample": "drive",
            "type_id": "same_object",
            "ends": {"view": [f"annotation:{one}", f"annotation:{other}"]},
        }
        a, b = self._box(one), self._box(other)
        if a is None or b is None or one == other:
            self._refused("link.add", **arguments)
            return multiple()
        made = self.session.run("link.add", **arguments)
        ends = (self._seen(one), self._seen(other))
        self._set(person, {Key("link", made): plain.Relation(ends, "draft", True, self.model.version())})
        return made

    # ---------------------------------------------------------------- changing

    @rule(person=st.sampled_from(PEOPLE), box=boxes, by=st.integers(-30, 30))
    def move_box(self, person: str, box: str, by: int) -> None:
        self._as(person)
        old = self._box(box)
        if old is None:
            self._refused("annotation.move", annotations=[box], by=[by, 0])
            return
        self.session.run("annotation.move", annotations=[box], by=[by, 0])
        assert old.x is not None
        self._set(person, {Key("annotation", box): old._replace(x=old.x + by, version=self.model.version())})

    @rule(person=st.sampled_from(PEOPLE), box=boxes, class_id=st.sampled_from(CLASSES))
    def relabel(self, person: str, box: str, class_id: str) -> None:
        self._as(person)
        old = self._box(box)
        if old is None or self._retired(class_id):
            self._refused("annotation.relabel", annotations=[box], class_id=class_id)
            return
        self.session.run("annotation.relabel", annotations=[box], class_id=class_id)
        version = self.model.version()
        changes: dict[Key, plain.Facts | None] = {}
        if old.entity is None:
            changes[Key("annotation", box)] = old._replace(owner_class=class_id, version=version)
        else:
            thing = self.model.world[Key("entity", old.entity)]
            assert isinstance(thing, plain.Thing)
            changes[Key("entity", old.entity)] = thing._replace(class_id=class_id, version=version)
            changes[Key("annotation", box)] = old._replace(owner_class=None, version=version)
        self._set(person, changes)

    @rule(person=st.sampled_from(PEOPLE), track=tracks, at=st.integers(0, 3), x=st.integers(0, 99))
    def set_keyframe(self, person: str, track: str, at: int, x: int) -> None:
        self._as(person)
        shape = {"kind": "box", "x": x, "y": 0, "width": 9, "height": 9}
        arguments = {"annotation": track, "time_ns": at * MS, "shape": shape}
        old = self._box(track)
        if old is None or at * MS >= old.end_ns:
            self._refused("keyframe.set", **arguments)
            return
        made = self.session.run("keyframe.set", **arguments)
        self._set(
            person,
            {
                Key("keyframe", made): plain.Moment(track, at * MS, float(x)),
                Key("annotation", track): old._replace(version=self.model.version()),
            },
        )

    @rule(person=st.sampled_from(PEOPLE), link=links)
    def confirm(self, person: str, link: str) -> None:
        self._as(person)
        old = self.model.world.get(Key("link", link))
        if old is None:
            self._refused("link.confirm", links=[link])
            return
        assert isinstance(old, plain.Relation)
        self.session.run("link.confirm", links=[link])
        ends = tuple(self._seen(end.target) for end in old.ends)
        self._set(person, {Key("link", link): old._replace(ends=ends, state="done")})

    @rule(person=st.sampled_from(PEOPLE), box=consumes(boxes), links=st.sampled_from(["refuse", "remove"]))
    def delete_box(self, person: str, box: str, links: str) -> None:
        self._as(person)
        touched = self._links_of(box)
        if self._box(box) is None or (touched and links == "refuse"):
            self._refused("annotation.delete", annotations=[box], links=links)
            return
        self.session.run("annotation.delete", annotations=[box], links=links)
        self._set(person, {Key("annotation", box): None, **dict.fromkeys(touched)})

    @rule(merge=st.sampled_from(MERGES))
    def migrate(self, merge: tuple[str, str]) -> None:
        """Ana merges one class into another; every label of the one follows, in one revision."""
        source, into = merge
        if merge in self.merged:
            return
        self._as("Ana")
        versions = [key for key in self.model.world if key.kind == "ontology"]
        number = 1 + max(
            facts.number for facts in (self.model.world[key] for key in versions) if isinstance(facts, plain.Version)
        )
        with self.session.together("Merge classes") as run:
            made = run(
                "ontology.draft", steps=[{"step": "merge_classes", "sources": [source], "into": into}], note="merge"
            )
            assert made == number
            run("ontology.submit", number=number)
            run("ontology.review", number=number, accept=True)
            run("ontology.lock", number=number)
        (new,) = {version.id for version in self.session.store.ontology_versions()} - {key.id for key in versions}
        self.merge_of[Key("ontology", new)] = merge
        changes: dict[Key, plain.Facts | None] = {Key("ontology", new): plain.Version(number, "locked")}
        for key, facts in self.model.world.items():
            if isinstance(facts, plain.Box) and facts.owner_class == source:
                changes[key] = facts._replace(owner_class=into, version=number)
            elif isinstance(facts, plain.Thing) and facts.class_id == source:
                changes[key] = facts._replace(class_id=into, version=number)
            elif isinstance(facts, plain.Relation) and any(end.class_id == source for end in facts.ends):
                ends = tuple(end._replace(class_id=into) if end.class_id == source else end for end in facts.ends)
                changes[key] = facts._replace(ends=ends, version=number)
        self._set("Ana", changes)

    # ---------------------------------------------------------------- history

    @rule(person=st.sampled_from(PEOPLE), times=st.integers(1, 4), forward=st.booleans())
    def go(self, person: str, times: int, forward: bool) -> None:
        """Undo or redo a few times."""
        self._as(person)
        for _ in range(times):
            step = self.model.next_step(person, forward=forward)
            act = self.session.redo if forward else self.session.undo
            if step is None:
                assert act() is None
                self._told({})
                return
            if not self.model.may_move(step, forward=forward):
                with pytest.raises(UserError):
                    act()
                self._told({})
                return
            result = act()
            assert result is not None
            self._told(self.model.move(step, forward=forward))

    @rule(rev=st.integers(0, 200))
    def look_back(self, rev: int) -> None:
        rev = max(self.first, rev % (self.model.head + 1))
        with contextlib.closing(self.session.store.view(rev)) as then:
            assert world_of(then) == self.model.snapshots[rev]

    @rule(rev=st.integers(0, 200))
    def restore(self, rev: int) -> None:
        """Bring an earlier state back as a new revision."""
        rev = max(self.first, rev % (self.model.head + 1))
        self._as("Ana")
        self.session.store.restore(rev)
        self._told(self.model.edit("Ana", dict(self.model.snapshots[rev])))

    @rule()
    def restart(self) -> None:
        """Close the program and open it again."""
        head = self.session.store.head_hash()
        self.session.close()
        self.session = open_project(self.folder / "p", person="Ana", role="lead", kind="person")
        self.session.changed.connect(self._hear)
        assert self.session.store.head_hash() == head

    @invariant()
    def the_store_is_what_the_model_says(self) -> None:
        if hasattr(self, "session"):
            store = self.session.store
            assert world_of(store) == self.model.world
            assert store.head() == self.model.head
            for kind in SHOWN:
                assert store.total(kind) == sum(key.kind == kind.value for key in self.model.world)


TestProject = pytest.mark.slow(ProjectMachine.TestCase)
TestProject.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
