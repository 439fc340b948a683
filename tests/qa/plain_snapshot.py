"""A snapshot made of plain records, so that rules meet what no gate would let in; and a small world to plant faults in.

Truth is what a test plants by hand: nothing here knows any rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from workstation.core.annotation import Annotation, Entity, Keyframe, Link, LinkEnd, Record, State, TargetKind, Word
from workstation.core.evidence import Evidence, NoEvidence
from workstation.core.geometry import Box, Cuboid, ShapeKind, Span, TextSpan
from workstation.core.ids import deterministic_ids
from workstation.core.ontology_compile import CompiledOntology, compile_ontology
from workstation.core.ontology_parse import parse_ontology
from workstation.core.records import RecordKind, record_kind
from workstation.core.sample import Person, Project, Sample, Stream, StreamKind
from workstation.core.timemap import IDENTITY
from workstation.qa.findings import Finding, load_rules
from workstation.qa.runner import run_rules
from workstation.store.yaml import load_yaml

TEXT = """\
version: 2
name: Scene
language: en
modalities: [image, cloud, audio, text]
shapes: {image: [box], cloud: [cuboid], audio: [span], text: [text_span], sample: [tag]}
classes:
  vehicle:
    children:
      car:
        children:
          sedan: {}
          hatchback: {}
      truck: {}
      van: {}
      omnibus: {retired: {reason: renamed, replacements: [van], since: 2}}
  animal:
    children:
      dog: {}
      cat: {}
  sound: {}
attributes:
  colour: {type: choice, options: {red: {}, blue: {}, crimson: {retired: {reason: one red, replacements: [red]}}}}
  occlusion: {type: choice, options: [none, partly], applies_to: [truck], required: true, per_stream: true}
  plate: {type: text, applies_to: [van], required: true}
  signal: {type: choice, options: [on, off], applies_to: [cat], required: true, over_time: true}
  strength: {type: choice, options: [weak, strong], required: true, applies_to: [sound]}
link_types:
  same_object: {symmetric: true, roles: {view: {min: 2, max: null, targets: [annotation]}}}
  refers_to: {negatable: true, roles: {phrase: {targets: [annotation], shapes: [text_span]}, thing: {}}}
  causes: {roles: {cause: {}, effect: {}}}
  chases: {roles: {hunter: {classes: [dog]}, hunted: {classes: [cat]}}, attributes: [strength]}
  near: {retired: {reason: vague}, roles: {a: {}, b: {}}}
  absent:
    absence: true
    roles: {item: {}, missing_from: {targets: [stream, modality]}}
    reasons: {hidden: Hidden, off: Off-screen}
lexicon:
  dog: {en: {synonyms: [dog], narrower: [puppy], broader: [animal], related: [{word: wolf, policy: conflict}]}}
  cat: {en: {synonyms: [cat]}, de: {synonyms: [Katze]}}
"""


def ontology(text: str = TEXT) -> CompiledOntology:
    return compile_ontology(parse_ontology(load_yaml(text, source="o"), source="o"))


@dataclass(frozen=True)
class PlainStale:
    link: Link
    end: LinkEnd
    reason: str


@dataclass
class PlainSnapshot:
    """Records in the order they were added. Fits the protocol that rules get."""

    rules: CompiledOntology | None = field(default_factory=ontology)
    held: list[Record] = field(default_factory=list)
    stale: list[PlainStale] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    known: Evidence = field(default_factory=NoEvidence)

    def project(self) -> Project | None:
        return None

    def people(self) -> Iterable[Person]:
        return [each for each in self.held if isinstance(each, Person)]

    def ontology(self) -> CompiledOntology | None:
        return self.rules

    def get(self, kind: RecordKind, record_id: str) -> Record | None:
        return next((each for each in self._of(kind) if each.id == record_id), None)

    def _of(self, kind: RecordKind, sample: str | None = None) -> list[Any]:
        found: list[Any] = [each for each in self.held if record_kind(each) is kind]
        return [each for each in found if sample is None or each.sample == sample]

    def records(self, kind: RecordKind, *, sample: str | None = None) -> Iterable[Record]:
        return self._of(kind, sample)

    def samples(self) -> Iterable[Sample]:
        return self._of(RecordKind.SAMPLE)

    def sample_by_key(self, key: str) -> Sample | None:
        return next((each for each in self.samples() if each.key == key), None)

    def streams(self, sample: str) -> Iterable[Stream]:
        return self._of(RecordKind.STREAM, sample)

    def entities(self, sample: str) -> Iterable[Entity]:
        return self._of(RecordKind.ENTITY, sample)

    def annotations(self, sample: str) -> Iterable[Annotation]:
        self.reads.append("annotations")
        return self._of(RecordKind.ANNOTATION, sample)

    def keyframes(self, annotation: str) -> Iterable[Keyframe]:
        return [each for each in self._of(RecordKind.KEYFRAME) if each.annotation == annotation]

    def words(self, annotation: str) -> Iterable[Word]:
        return [each for each in self._of(RecordKind.WORD) if each.annotation == annotation]

    def links(self, sample: str) -> Iterable[Link]:
        return self._of(RecordKind.LINK, sample)

    def links_of(self, target: str) -> Iterable[Link]:
        return [each for each in self._of(RecordKind.LINK) if any(end.target == target for end in each.ends)]

    def stale_links(self, sample: str, *, targets: Iterable[str] | None = None) -> Iterable[PlainStale]:
        wanted = None if targets is None else set(targets)
        return [each for each in self.stale if wanted is None or wanted & {end.target for end in each.link.ends}]

    def blob(self, sha256: str) -> bytes | None:
        return None

    def evidence(self, sample: str) -> Evidence:
        return self.known


class Scene:
    """One sample with a camera, a scanner, a sound and a text, and hands to put labels into it."""

    def __init__(self, rules: CompiledOntology | None = None, **sample: Any) -> None:
        self.ids = deterministic_ids(5)
        self.snapshot = PlainSnapshot(rules or ontology())
        self.sample: Any = self.ids.new()
        self.streams: dict[str, Any] = {}
        self.add(Sample(id=self.sample, key="scene", **sample))
        for kind in ("image", "cloud", "audio", "text"):
            self.streams[kind] = self.ids.new()
            given: Any = {"id": self.streams[kind], "sample": self.sample, "key": kind, "kind": StreamKind(kind)}
            self.add(Stream(**given, time_map=IDENTITY))

    def add(self, record: Any) -> Any:
        self.snapshot.held.append(record)
        return record

    def entity(self, class_id: str, number: int = 1, **more: Any) -> Entity:
        made: Any = {"id": self.ids.new(), "sample": self.sample, "class_id": class_id, "number": number}
        return self.add(Entity(**made, **more))  # type: ignore[no-any-return]

    def label(self, stream: str, class_id: str | None = None, /, **more: Any) -> Annotation:
        shape: Any = {
            "image": (ShapeKind.BOX, Box(1, 1, 9, 9)),
            "cloud": (ShapeKind.CUBOID, Cuboid((0, 0, 0), (4, 2, 1))),
            "audio": (ShapeKind.SPAN, Span()),
            "text": (ShapeKind.TEXT_SPAN, TextSpan(((0, 3),))),
        }[stream]
        given: dict[str, Any] = {
            "id": self.ids.new(), "sample": self.sample, "stream": self.streams[stream], "class_id": class_id,
            "kind": shape[0], "shape": shape[1],
        }  # fmt: skip
        return self.add(Annotation(**{**given, **more}))  # type: ignore[no-any-return]

    def says(self, quote: str, **more: Any) -> Annotation:
        return self.label("text", shape=TextSpan(((0, max(1, len(quote))),), quote), **more)

    def link(self, type_id: str, ends: dict[str, Any], **more: Any) -> Link:
        made = tuple(
            LinkEnd(role=role, kind=TargetKind(record_kind(target).value), target=target.id)
            if isinstance(target, Record)
            else LinkEnd(role=role, kind=target[0], target=target[1])
            for role, target in ends.items()
        )
        given: Any = {"id": self.ids.new(), "sample": self.sample, "type_id": type_id, "ends": made}
        return self.add(Link(**given, **{"state": State.DONE, **more}))  # type: ignore[no-any-return]

    def same(self, *views: Annotation) -> Link:
        ends = tuple(LinkEnd(role="view", kind=TargetKind.ANNOTATION, target=view.id) for view in views)
        given: Any = {"id": self.ids.new(), "sample": self.sample, "type_id": "same_object", "ends": ends}
        return self.add(Link(**given, state=State.DRAFT))  # type: ignore[no-any-return]

    def found(self, subject: str = "") -> list[Finding]:
        """Everything that all rules find; none may fail to run but for want of media."""
        outcomes = list(run_rules(self.snapshot, load_rules(), self.snapshot.samples(), project=False))
        missed = [outcome.not_run for outcome in outcomes if outcome.not_run]
        assert [each for each in missed if "media of the sample are not at hand" not in each] == []
        return [each for outcome in outcomes for each in outcome.findings if each.rule.startswith(subject)]

    def rules_found(self, *only: str) -> list[str]:
        return [finding.rule for finding in self.found(*only)]
