"""A small project to try the store on: two people, the driving ontology locked, one sample with four streams."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from workstation.core.annotation import Annotation, Entity, Keyframe, Link, LinkEnd, Record, State, TargetKind
from workstation.core.geometry import Box, ShapeKind, Span
from workstation.core.ids import AnnotationId, EntityId, LinkId, RecordId, SampleId, StreamId, deterministic_ids
from workstation.core.records import RecordKind
from workstation.core.rights import Actor, ActorKind
from workstation.core.sample import OntologyState, OntologyVersion, Person, Project, Role, Sample, Stream, StreamKind
from workstation.core.timemap import IDENTITY
from workstation.store.store import Store

ONTOLOGY_TEXT = (Path(__file__).parents[2] / "resources/ontologies/driving/ontology.yaml").read_text(encoding="utf-8")
SECOND_NS = 1_000_000_000


class World:
    """The store with what tests need to write their records in one line."""

    def __init__(self, path: Path, *, seed: int = 0, locked: bool = True) -> None:
        self.ids = deterministic_ids(seed)
        self.clock = 1_700_000_000_000
        self.lead = Actor(name="Lea", role=Role.LEAD, person=RecordId(self.ids.new()))
        self.anna = Actor(name="Anna", role=Role.ANNOTATOR, person=RecordId(self.ids.new()))
        self.ben = Actor(name="Ben", role=Role.ANNOTATOR, person=RecordId(self.ids.new()))
        self.model = Actor(name="detector", kind=ActorKind.MODEL, role=Role.ML_ENGINEER, tool="detector 1.0")
        self.importer = Actor(name="coco", kind=ActorKind.IMPORT, role=Role.ML_ENGINEER)
        self.path = path
        self.store = Store.create(path, actor=self.anna, ids=self.ids, now_ms=self.now_ms)
        self.sample = SampleId(self.ids.new())
        self.other = SampleId(self.ids.new())
        self.camera = StreamId(self.ids.new())
        self.sound = StreamId(self.ids.new())
        self.text = StreamId(self.ids.new())
        self.other_camera = StreamId(self.ids.new())
        self._furnish(locked)

    def now_ms(self) -> int:
        """A clock that ticks when it is looked at."""
        self.clock += 1
        return self.clock

    def _furnish(self, locked: bool) -> None:
        with self.store.transaction("New project", actor=self.lead) as tx:
            tx.put(Project(id=RecordId(tx.new_id()), name="Small world", profile="driving"))
            for actor in (self.lead, self.anna, self.ben):
                assert actor.person is not None
                roles = (Role.LEAD, Role.ANNOTATOR) if actor is self.lead else (Role.ANNOTATOR, Role.REVIEWER)
                tx.put(Person(id=actor.person, name=actor.name, roles=roles))
            tx.put(self.ontology_version(1, OntologyState.LOCKED if locked else OntologyState.DRAFT))
            tx.put(Sample(id=self.sample, key="drive"))
            tx.put(Sample(id=self.other, key="other"))
            for stream, sample, key, kind in (
                (self.camera, self.sample, "camera", StreamKind.VIDEO),
                (self.sound, self.sample, "sound", StreamKind.AUDIO),
                (self.text, self.sample, "text", StreamKind.TEXT),
                (self.other_camera, self.other, "camera", StreamKind.VIDEO),
            ):
                tx.put(Stream(id=stream, sample=sample, key=key, kind=kind, time_map=IDENTITY))

    def ontology_version(self, number: int, state: OntologyState, text: str = ONTOLOGY_TEXT) -> OntologyVersion:
        """A version with a text of its own hash."""
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        return OntologyVersion(
            id=RecordId(self.ids.new()), number=number, text=text, sha256=sha256, state=state, reviewer="Rob"
        )

    def box(self, x: float = 10.0, y: float = 20.0, **fields: Any) -> Annotation:
        """A car's box on the camera."""
        given: dict[str, Any] = {
            "id": AnnotationId(self.ids.new()), "sample": self.sample, "stream": self.camera, "class_id": "car",
            "kind": ShapeKind.BOX, "shape": Box(x, y, 100.0, 80.0), "start_ns": 0, "end_ns": SECOND_NS,
            "ontology_version": 1,
        }  # fmt: skip
        return Annotation(**{**given, **fields})

    def horn(self, start_ns: int = 0, end_ns: int = SECOND_NS, **fields: Any) -> Annotation:
        """A horn on the sound."""
        given: dict[str, Any] = {
            "id": AnnotationId(self.ids.new()), "sample": self.sample, "stream": self.sound, "class_id": "horn",
            "kind": ShapeKind.SPAN, "shape": Span(), "start_ns": start_ns, "end_ns": end_ns,
            "ontology_version": 1,
        }  # fmt: skip
        return Annotation(**{**given, **fields})

    def entity(self, class_id: str = "car", number: int = 0, **fields: Any) -> Entity:
        """A thing of the sample."""
        given = {"ontology_version": 1, **fields}
        return Entity(id=EntityId(self.ids.new()), sample=self.sample, class_id=class_id, number=number, **given)

    def keyframe(self, track: Annotation, time_ns: int, x: float = 0.0) -> Keyframe:
        """A box of a track."""
        shape = Box(x, 0.0, 100.0, 80.0)
        return Keyframe(id=RecordId(self.ids.new()), annotation=track.id, time_ns=time_ns, shape=shape)

    def link(self, sound: Annotation, thing: Annotation, state: State = State.DRAFT, **fields: Any) -> Link:
        """The horn comes from the car."""
        ends = (
            LinkEnd(role="sound", kind=TargetKind.ANNOTATION, target=sound.id),
            LinkEnd(role="source", kind=TargetKind.ANNOTATION, target=thing.id),
        )
        given: dict[str, Any] = {
            "id": LinkId(self.ids.new()), "sample": self.sample, "type_id": "sound_source", "ends": ends,
            "state": state, "ontology_version": 1,
        }  # fmt: skip
        return Link(**{**given, **fields})

    def put(self, *records: Record, label: str = "Put", actor: Actor | None = None, **options: Any) -> None:
        """One transaction that puts these."""
        with self.store.transaction(label, actor=actor, **options) as tx:
            for record in records:
                tx.put(record)

    def reopen(self) -> None:
        """Close and open again, as a restart does."""
        self.store.close()
        self.store = Store.open(self.path, actor=self.anna, ids=self.ids, now_ms=self.now_ms)

    def state(self) -> dict[tuple[RecordKind, str], Record]:
        """Every record there is."""
        return {
            (kind, record.id): record  # type: ignore[attr-defined]
            for kind in RecordKind
            for record in self.store.records(kind)
        }
