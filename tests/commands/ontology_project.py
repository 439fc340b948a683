"""A project in which an ontology can live: a store, its people, one sample with a camera, a scanner and a sound."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workstation.commands import ontology as commands
from workstation.commands.answers import answer_question
from workstation.commands.ontology import Applied
from workstation.core.annotation import Annotation, Entity, Record
from workstation.core.geometry import Box, Cuboid, ShapeKind, Span
from workstation.core.ids import AnnotationId, EntityId, RecordId, SampleId, StreamId, deterministic_ids
from workstation.core.ontology_migration import Step
from workstation.core.records import RecordKind
from workstation.core.rights import Actor
from workstation.core.sample import QueueItem, Role, Sample, Stream, StreamKind
from workstation.core.timemap import IDENTITY
from workstation.store.store import Store

TEXT = """\
# small, for tests
version: 1
name: Small
language: en
modalities: [image, cloud, audio]
shapes: {sample: [tag]}
classes:
  vehicle:
    name: Vehicle
    shapes: {image: [box], cloud: [cuboid], audio: [span]}
    children:
      car: {}
      sedan: {}
      motorcycle: {}
      van: {shapes: {image: [box], cloud: [], audio: []}, not_in: {cloud: test, audio: test}}
  person: {shapes: {image: [box], cloud: [cuboid]}}
attributes:
  colour: {type: choice, options: [red, crimson, blue], applies_to: [vehicle]}
  lights: {type: choices, options: [brake, stop, hazard], applies_to: [vehicle]}
  riders: {type: integer, min: 0, applies_to: [motorcycle]}
link_types:
  same: {symmetric: true, roles: {view: {min: 2, max: null, targets: [annotation], classes: [vehicle, person]}}}
  chases: {roles: {hunter: {classes: [vehicle]}, hunted: {classes: [person]}}}
"""


class OntologyProject:
    """The store with the acts of the people who look after the ontology."""

    def __init__(self, path: Path, *, seed: int = 0, text: str = TEXT) -> None:
        self.ids = deterministic_ids(seed)
        self.lead = Actor(name="Lea", role=Role.LEAD)
        self.anna = Actor(name="Anna", role=Role.ANNOTATOR)
        self.reviewer = Actor(name="Rob", role=Role.REVIEWER)
        self.store = Store.create(path, actor=self.lead, ids=self.ids)
        self.sample = SampleId(self.ids.new())
        self.camera = StreamId(self.ids.new())
        self.scanner = StreamId(self.ids.new())
        self.sound = StreamId(self.ids.new())
        self.advance(text=text)
        self.put(
            Sample(id=self.sample, key="drive"),
            *(
                Stream(id=stream, sample=self.sample, key=kind.value, kind=kind, time_map=IDENTITY)
                for stream, kind in (
                    (self.camera, StreamKind.IMAGE),
                    (self.scanner, StreamKind.CLOUD),
                    (self.sound, StreamKind.AUDIO),
                )
            ),
        )

    def put(self, *records: Record) -> None:
        """Store records as the lead."""
        with self.store.transaction("Put") as tx:
            tx.put_many(records)

    def draft(self, text: str | None = None, steps: tuple[Step, ...] = (), number: int | None = None) -> int:
        """Bring in a draft."""
        with self.store.transaction("Draft") as tx:
            return commands.draft(tx, text=text, steps=steps, number=number)

    def submit(self, number: int) -> None:
        """Hand it to the reviewer."""
        with self.store.transaction("Submit") as tx:
            commands.submit(tx, number=number)

    def review(self, number: int, *, accept: bool = True, reasons: dict[str, str] | None = None) -> None:
        """Let the reviewer say yes or no."""
        with self.store.transaction("Review", actor=self.reviewer) as tx:
            commands.review(tx, number=number, accept=accept, reasons=reasons or {})

    def lock(self, number: int) -> Applied:
        """Put it in force."""
        with self.store.transaction("Lock") as tx:
            return commands.lock(tx, number=number)

    def advance(self, text: str | None = None, steps: tuple[Step, ...] = ()) -> Applied:
        """All of it at once."""
        number = self.draft(text, steps)
        self.submit(number)
        self.review(number)
        return self.lock(number)

    def box(self, class_id: str | None, **fields: Any) -> Annotation:
        """A box on the camera."""
        return self._annotation(self.camera, class_id, ShapeKind.BOX, Box(1.0, 1.0, 9.0, 9.0), fields)

    def cuboid(self, class_id: str | None, **fields: Any) -> Annotation:
        """A cuboid in the scan."""
        return self._annotation(
            self.scanner,
            class_id,
            ShapeKind.CUBOID,
            Cuboid((0.0, 0.0, 0.0), (4.0, 2.0, 1.5)),
            {"frame": "ego", **fields},
        )

    def span(self, class_id: str | None, **fields: Any) -> Annotation:
        """A stretch of sound."""
        return self._annotation(self.sound, class_id, ShapeKind.SPAN, Span(), {"start_ns": 0, "end_ns": 10, **fields})

    def entity(self, class_id: str, number: int, **attributes: Any) -> Entity:
        """A thing."""
        return Entity(
            id=EntityId(self.ids.new()), sample=self.sample, class_id=class_id, number=number, attributes=attributes,
            ontology_version=self.number(),
        )  # fmt: skip

    def number(self) -> int:
        """The version in force."""
        ontology = self.store.ontology()
        return 0 if ontology is None else ontology.number

    def _annotation(
        self, stream: StreamId, class_id: str | None, kind: ShapeKind, shape: Any, fields: dict[str, Any]
    ) -> Annotation:
        plain: dict[str, Any] = {
            "id": AnnotationId(self.ids.new()), "sample": self.sample, "stream": stream, "class_id": class_id,
            "kind": kind, "shape": shape, "ontology_version": self.number(),
        }  # fmt: skip
        return Annotation(**{**plain, **fields})

    def all(self, kind: RecordKind) -> dict[str, Any]:
        """Every record of a kind by its id."""
        return {record.id: record for record in self.store.records(kind)}  # type: ignore[attr-defined]

    def queue(self) -> list[QueueItem]:
        """The questions, in the order they were asked."""
        return sorted(self.all(RecordKind.QUEUE_ITEM).values(), key=lambda item: item.id)

    def answer(self, item: QueueItem, answer: str, without: Iterable[str] = ()) -> None:
        """Let an annotator answer."""
        with self.store.transaction("Answer", actor=self.anna) as tx:
            found = tx.require(RecordKind.QUEUE_ITEM, RecordId(item.id))
            assert isinstance(found, QueueItem)
            answer_question(tx, found, answer, without=tuple(without))
