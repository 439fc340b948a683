"""One sample's labels held in memory between checks, and what is near what. Made by ``incremental.py``.

``begin`` says where to read from now (connections come and go between checks), ``renew`` reads again what was touched.
Near is counted in steps: from a label to a link on it, and from a link to what stands at its ends. Everything of one
entity stands together, at no step from each other; a text and what quotes it are two steps apart, as if linked.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from workstation.core.annotation import Annotation, Entity, FindingDecision, Keyframe, Link, Record, TargetKind, Word
from workstation.core.evidence import Evidence
from workstation.core.geometry import TextSpan
from workstation.core.ids import AnnotationId, SampleId
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.records import RecordKind
from workstation.core.sample import Person, Project, Sample, Stream
from workstation.core.snapshot import Snapshot, StaleEnd

Touched = Mapping[RecordKind, Collection[str]]
"""Ids of records that came, changed or went."""
_NODES = frozenset({TargetKind.ANNOTATION, TargetKind.ENTITY, TargetKind.LINK})


class HeldSample:
    """The records of one sample. Fits ``Snapshot``; what belongs to no sample is asked of the snapshot behind."""

    def __init__(self, sample: SampleId, behind: Snapshot, evidence: Evidence) -> None:
        self.id = sample
        self._behind = behind
        self._evidence = evidence
        self._held: dict[RecordKind, dict[str, Any]] = {
            RecordKind.ENTITY: {each.id: each for each in behind.entities(sample)},
            RecordKind.ANNOTATION: {each.id: each for each in behind.annotations(sample)},
            RecordKind.LINK: {each.id: each for each in behind.links(sample)},
            RecordKind.FINDING_DECISION: {
                each.id: each
                for each in behind.records(RecordKind.FINDING_DECISION, sample=sample)
                if isinstance(each, FindingDecision)
            },
        }
        self._lists: dict[RecordKind, Sequence[Any]] = {}
        self._shown: Collection[str] | None = None
        self._streams = tuple(behind.streams(sample))
        self._ontology = behind.ontology()
        self._project = behind.project()
        self._keyframes: dict[str, Sequence[Keyframe]] = {}
        self._words: dict[str, Sequence[Word]] = {}
        self._of_entity: defaultdict[str, set[str]] = defaultdict(set)
        self._at_end: defaultdict[str, set[str]] = defaultdict(set)
        self._quoting: defaultdict[str, set[str]] = defaultdict(set)
        for kind in (RecordKind.ANNOTATION, RecordKind.LINK):
            for record in self._held[kind].values():
                self._enter(record)

    # --- staying true -------------------------------------------------------------------------------------------

    def begin(self, behind: Snapshot, evidence: Evidence) -> None:
        """Read from here from now on."""
        self._behind, self._evidence = behind, evidence

    def renew(self, touched: Touched) -> None:
        """Read these again: labels and decisions only; other records call for a new ``HeldSample``."""
        for kind in self._held:
            for record_id in touched.get(kind, ()):
                self._take(kind, record_id)
        for record_id in touched.get(RecordKind.ANNOTATION, ()):
            self._keyframes.pop(record_id, None)
            self._words.pop(record_id, None)

    def _take(self, kind: RecordKind, record_id: str) -> None:
        held = self._held[kind]
        before = held.get(record_id)
        after: Any = self._behind.get(kind, record_id)
        if after is not None and after.sample != self.id:
            after = None
        if before is not None:
            self._leave(before)
        if after is None:
            held.pop(record_id, None)
        else:
            late = before is None and bool(held) and record_id < next(reversed(held))
            held[record_id] = after
            self._enter(after)
            if late:  # what comes back stands where it stood: in the order of making
                ordered = sorted(held)
                self._held[kind] = {each: held[each] for each in ordered}
        self._lists.pop(kind, None)

    def _enter(self, record: Record) -> None:
        for index, key, own in self._edges(record):
            index[key].add(own)

    def _leave(self, record: Record) -> None:
        for index, key, own in self._edges(record):
            index[key].discard(own)

    def _edges(self, record: Record) -> Iterator[tuple[defaultdict[str, set[str]], str, str]]:
        if isinstance(record, Annotation):
            if record.entity is not None:
                yield self._of_entity, record.entity, record.id
            if isinstance(record.shape, TextSpan) and record.shape.of is not None:
                yield self._quoting, record.shape.of, record.id
        elif isinstance(record, Link):
            for end in record.ends:
                if end.kind in _NODES:
                    yield self._at_end, end.target, record.id

    # --- what is near -------------------------------------------------------------------------------------------

    def near(self, ids: Iterable[str], steps: int) -> set[str]:
        """The annotations, entities and links within so many steps of these, themselves among them."""
        found: set[str] = set()
        fronts: list[set[str]] = [set(ids), *(set() for _ in range(steps))]
        for step, front in enumerate(fronts):
            new = self._together(front - found) - found
            found |= new
            if step < steps:
                fronts[step + 1].update(*(self._next(each) for each in new))
            if step + 2 <= steps:
                fronts[step + 2].update(*(self._texts(each) for each in new))
        return found

    def _together(self, ids: set[str]) -> set[str]:
        annotations = self._held[RecordKind.ANNOTATION]
        things = {annotations[each].entity or "" for each in ids if each in annotations} | ids
        return ids.union(things, *(self._of_entity[each] for each in things if each in self._of_entity)) - {""}

    def _next(self, record_id: str) -> Iterable[str]:
        """Links at a label (or at another link), and what a link joins."""
        found = set(self._at_end.get(record_id, ()))
        link = self._held[RecordKind.LINK].get(record_id)
        if link is not None:
            found.update(end.target for end in link.ends if end.kind in _NODES)
        return found

    def _texts(self, record_id: str) -> Iterable[str]:
        """What quotes a text, and the text that is quoted."""
        found = set(self._quoting.get(record_id, ()))
        annotation = self._held[RecordKind.ANNOTATION].get(record_id)
        if annotation is not None and isinstance(annotation.shape, TextSpan) and annotation.shape.of is not None:
            found.add(annotation.shape.of)
        return found

    def some(self, kind: RecordKind, ids: Iterable[str]) -> tuple[Any, ...]:
        """The records of a kind among these, in the order of making."""
        held = self._held[kind]
        return tuple(held[each] for each in sorted(each for each in ids if each in held))

    def only(self, ids: Collection[str]) -> HeldSample:
        """The same sample, of which lists show only these records; what is asked for by id is all there."""
        view = copy.copy(self)
        view._shown = ids
        view._lists = {
            kind: self.some(kind, ids) for kind in (RecordKind.ENTITY, RecordKind.ANNOTATION, RecordKind.LINK)
        }
        return view

    def __len__(self) -> int:
        """How many entities, annotations and links the lists show."""
        if self._shown is not None:
            return sum(len(some) for some in self._lists.values())
        return sum(len(self._held[kind]) for kind in (RecordKind.ENTITY, RecordKind.ANNOTATION, RecordKind.LINK))

    def stands_on(self, kind: RecordKind, record_id: str) -> bool:
        """Whether a record that is no label is one that all labels of this sample stand on."""
        if kind is RecordKind.SAMPLE:
            return record_id == self.id
        if kind is RecordKind.STREAM and any(each.id == record_id for each in self._streams):
            return True
        now = self._behind.get(kind, record_id)
        return now is None or getattr(now, "sample", self.id) == self.id

    def decisions(self) -> Iterable[FindingDecision]:
        """What people have decided about findings of this sample."""
        return cast("Iterable[FindingDecision]", self._held[RecordKind.FINDING_DECISION].values())

    # --- what rules ask -----------------------------------------------------------------------------------------

    def _list(self, kind: RecordKind) -> Sequence[Any]:
        if kind not in self._lists:
            self._lists[kind] = tuple(self._held[kind].values())
        return self._lists[kind]

    def project(self) -> Project | None:
        """Asked once."""
        return self._project

    def people(self) -> Iterable[Person]:
        """As the snapshot behind says."""
        return self._behind.people()

    def ontology(self) -> CompiledOntology | None:
        """Asked once."""
        return self._ontology

    def get(self, kind: RecordKind, record_id: str) -> Record | None:
        """What is held, else from behind."""
        found = self._held.get(kind, {}).get(record_id)
        if found is not None:
            return cast("Record", found)
        if kind is RecordKind.STREAM:
            for each in self._streams:
                if each.id == record_id:
                    return each
        return self._behind.get(kind, record_id)

    def records(self, kind: RecordKind, *, sample: SampleId | None = None) -> Iterable[Record]:
        """What is held, else from behind."""
        if sample == self.id and kind in self._held:
            return self._list(kind)
        return self._behind.records(kind, sample=sample)

    def samples(self) -> Iterable[Sample]:
        """As the snapshot behind says."""
        return self._behind.samples()

    def sample_by_key(self, key: str) -> Sample | None:
        """As the snapshot behind says."""
        return self._behind.sample_by_key(key)

    def streams(self, sample: SampleId) -> Iterable[Stream]:
        """The streams of a sample."""
        return self._streams if sample == self.id else self._behind.streams(sample)

    def entities(self, sample: SampleId) -> Iterable[Entity]:
        """The entities of a sample."""
        return self._list(RecordKind.ENTITY) if sample == self.id else self._behind.entities(sample)

    def annotations(self, sample: SampleId) -> Iterable[Annotation]:
        """The annotations of a sample."""
        return self._list(RecordKind.ANNOTATION) if sample == self.id else self._behind.annotations(sample)

    def links(self, sample: SampleId) -> Iterable[Link]:
        """The links of a sample."""
        return self._list(RecordKind.LINK) if sample == self.id else self._behind.links(sample)

    def keyframes(self, annotation: AnnotationId) -> Iterable[Keyframe]:
        """Read once, until the track is touched."""
        if annotation not in self._keyframes:
            self._keyframes[annotation] = tuple(self._behind.keyframes(annotation))
        return self._keyframes[annotation]

    def words(self, annotation: AnnotationId) -> Iterable[Word]:
        """Read once, until the turn is touched."""
        if annotation not in self._words:
            self._words[annotation] = tuple(self._behind.words(annotation))
        return self._words[annotation]

    def links_of(self, target: str) -> Iterable[Link]:
        """The links with this end; those of another sample are asked for behind."""
        if target in self._at_end or any(target in held for held in self._held.values()):
            return self.some(RecordKind.LINK, self._at_end.get(target, ()))
        return self._behind.links_of(target)

    def stale_links(self, sample: SampleId, *, targets: Iterable[str] | None = None) -> Iterable[StaleEnd]:
        """As the snapshot behind says; of the links that are shown, where only some are."""
        shown = self._shown
        if sample != self.id or shown is None:
            return self._behind.stale_links(sample, targets=targets)
        if targets is None:
            targets = sorted({end.target for link in self.links(sample) for end in link.ends if end.kind in _NODES})
        return [each for each in self._behind.stale_links(sample, targets=targets) if each.link.id in shown]

    def blob(self, sha256: str) -> bytes | None:
        """As the snapshot behind says."""
        return self._behind.blob(sha256)

    def evidence(self, sample: SampleId) -> Evidence:
        """What knows the media of this sample."""
        return self._evidence if sample == self.id else self._behind.evidence(sample)
