"""One sample's labels held in memory between checks, and what is near what. Made by ``incremental.py``.

``begin`` says where to read from now (connections come and go between checks), ``renew`` reads again what was touched.
Whatever a rule asks for, it looks up whether it is to go on (``core/stopping.py``); so do lists that it walks through.
Near is counted in steps: from a label to a link on it, and from a link to what stands at its ends. Everything of one
entity stands together, at no step from each other; a text and what quotes it are two steps apart, as if linked.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from workstation.core.annotation import Annotation, Entity, FindingDecision, Keyframe, Link, Record, TargetKind, Word
from workstation.core.evidence import Evidence
from workstation.core.geometry import TextSpan
from workstation.core.ids import AnnotationId, SampleId
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.records import RecordKind
from workstation.core.sample import Person, Project, Sample, Stream
from workstation.core.snapshot import Snapshot, StaleEnd
from workstation.core.stopping import Looking, StopToken
from workstation.qa.each import Each
from workstation.qa.sees import EVERYTHING, Sees
from workstation.qa.shelf import Shelf

T = TypeVar("T")
E = TypeVar("E", bound=Each[Any])
Touched = Mapping[RecordKind, Collection[str]]
"""Ids of records that came, changed or went."""
_LISTED = (RecordKind.ENTITY, RecordKind.ANNOTATION, RecordKind.LINK)
_NODES = frozenset({TargetKind.ANNOTATION, TargetKind.ENTITY, TargetKind.LINK})


@dataclass(slots=True)
class _Source:
    """Where to read from now; one for a sample and all views of it."""

    behind: Snapshot
    evidence: Evidence
    stop: StopToken


class HeldSample:
    """The records of one sample. Fits ``Snapshot``; what belongs to no sample is asked of the snapshot behind."""

    def __init__(self, sample: SampleId, behind: Snapshot, evidence: Evidence, stop: StopToken) -> None:
        self.id = sample
        self._source = _Source(behind, evidence, stop)
        self._held: dict[RecordKind, Shelf] = {
            RecordKind.ENTITY: Shelf(stop.over(behind.entities(sample))),
            RecordKind.ANNOTATION: Shelf(stop.over(behind.annotations(sample))),
            RecordKind.LINK: Shelf(stop.over(behind.links(sample))),
            RecordKind.FINDING_DECISION: Shelf(
                each
                for each in behind.records(RecordKind.FINDING_DECISION, sample=sample)
                if isinstance(each, FindingDecision)
            ),
        }
        self._shown: dict[RecordKind, Sequence[Any]] = {}
        """What lists hold where they do not hold everything."""
        self._ids: Collection[str] | None = None
        self._sees = EVERYTHING
        self._by_sees: dict[Sees, dict[RecordKind, Shelf]] = {}
        self._views: dict[Sees, HeldSample] = {}
        self._facts: defaultdict[Sees, dict[Hashable, Any]] = defaultdict(dict)
        """What rules worked out, by what it was worked out from."""
        self._each: dict[Hashable, Each[Any]] = {}
        """What rules worked out of single records."""
        self._streams = tuple(behind.streams(sample))
        self._ontology = behind.ontology()
        self._project = behind.project()
        self._keyframes: dict[str, Sequence[Keyframe]] = {}
        self._words: dict[str, Sequence[Word]] = {}
        self._of_entity: defaultdict[str, set[str]] = defaultdict(set)
        self._at_end: defaultdict[str, set[str]] = defaultdict(set)
        self._quoting: defaultdict[str, set[str]] = defaultdict(set)
        for kind in (RecordKind.ANNOTATION, RecordKind.LINK):
            for record in stop.over(self._held[kind].list()):
                self._enter(record)

    # --- staying true -------------------------------------------------------------------------------------------

    def begin(self, behind: Snapshot, evidence: Evidence, stop: StopToken) -> None:
        """Read from here from now on, until asked to ``stop``."""
        self._source.behind, self._source.evidence, self._source.stop = behind, evidence, stop

    def go_on(self, stop: StopToken) -> None:
        """The same, with another token."""
        self._source.stop = stop

    @property
    def stop(self) -> StopToken:
        """That of the check that is run now."""
        return self._source.stop

    def renew(self, touched: Touched, declared: Iterable[Sees]) -> frozenset[Sees]:
        """Read these again: labels and decisions only; other records call for a new ``HeldSample``.

        Given back are those declarations that see something of it, as it was or as it is.
        """
        nodes = {each for kind in _LISTED for each in touched.get(kind, ())}
        asked = {*declared, *self._facts}
        before = self._referring(nodes)
        seen = {each for each in asked if self._are_seen(each, nodes, before)}
        for kind in self._held:
            for record_id in touched.get(kind, ()):
                self._take(kind, record_id)
        for record_id in touched.get(RecordKind.ANNOTATION, ()):
            self._keyframes.pop(record_id, None)
            self._words.pop(record_id, None)
        after = self._referring(nodes)
        seen |= {each for each in asked - seen if self._are_seen(each, nodes, after)}
        for each in seen:
            self._facts.pop(each, None)
        self._views = {}
        return frozenset(seen)

    def _take(self, kind: RecordKind, record_id: str) -> None:
        held = self._held[kind]
        before = held.by_id.get(record_id)
        after: Any = self._source.behind.get(kind, record_id)
        if after is not None and after.sample != self.id:
            after = None
        if before is not None:
            self._leave(before)
        if after is not None:
            self._enter(after)
        held.put(record_id, after)
        for shelves in self._by_sees.values():
            if kind in shelves:
                shelves[kind].put(record_id, after)

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

    def _referring(self, ids: Iterable[str]) -> set[str]:
        """These, the labels of things among them, what quotes them, and the links at any of all that: whose verdicts
        ask for one of these by its id. Other labels of the same thing do not: who looks at both has both in its lists.
        """
        found = set(ids)
        found |= found.union(*(self._of_entity[each] for each in found if each in self._of_entity))
        found |= {text for each in found for text in self._texts(each)}
        return found.union(*(self._at_end.get(each, ()) for each in found))

    def _together(self, ids: set[str]) -> set[str]:
        annotations = self._held[RecordKind.ANNOTATION].by_id
        things = {annotations[each].entity or "" for each in ids if each in annotations} | ids
        return ids.union(things, *(self._of_entity[each] for each in things if each in self._of_entity)) - {""}

    def _next(self, record_id: str) -> Iterable[str]:
        """Links at a label (or at another link), and what a link joins."""
        found = set(self._at_end.get(record_id, ()))
        link = self._held[RecordKind.LINK].by_id.get(record_id)
        if link is not None:
            found.update(end.target for end in link.ends if end.kind in _NODES)
        return found

    def _texts(self, record_id: str) -> Iterable[str]:
        """What quotes a text, and the text that is quoted."""
        found = set(self._quoting.get(record_id, ()))
        annotation = self._held[RecordKind.ANNOTATION].by_id.get(record_id)
        if annotation is not None and isinstance(annotation.shape, TextSpan) and annotation.shape.of is not None:
            found.add(annotation.shape.of)
        return found

    def only(self, ids: Collection[str]) -> HeldSample:
        """The same sample, of which lists show only these records; what is asked for by id is all there."""
        view = copy.copy(self)
        view._ids, view._facts = ids, defaultdict(dict)
        view._shown = {kind: self._held[kind].some(ids) for kind in _LISTED}
        return view

    def seen_by(self, sees: Sees) -> HeldSample:
        """The same sample, of which lists show only what a rule sees; one for all rules that see the same."""
        if sees == EVERYTHING:
            return self
        if sees not in self._views:
            view = copy.copy(self)
            view._sees = sees
            view._shown = {kind: shelf.list() for kind, shelf in self._shelves(sees).items()}
            self._views[sees] = view
        return self._views[sees]

    def _are_seen(self, sees: Sees, touched: Collection[str], referring: Collection[str]) -> bool:
        """Whether a rule that sees no more than this would see any of what was touched or refers to it."""
        if sees == EVERYTHING:
            return any(each in self._held[kind] for each in referring for kind in _LISTED)
        declared = self._shelves(sees)  # an entity counts by its labels and links, which refer to it
        labels, links = (declared.get(kind, self._held[kind]) for kind in (RecordKind.ANNOTATION, RecordKind.LINK))
        if any(each in labels for each in referring):
            return True
        return any(each in links for each in (referring if sees.ends else touched))

    def _shelves(self, sees: Sees) -> dict[RecordKind, Shelf]:
        if sees not in self._by_sees:
            shelves: dict[RecordKind, Shelf] = {}
            stop = self._source.stop
            if sees.links is not None:
                types = sees.links
                links = stop.over(self._held[RecordKind.LINK].list())
                shelves[RecordKind.LINK] = Shelf(links, lambda link: link.type_id in types)
            if sees.labels is not None:
                sorts, kinds = sees.labels, {each.id: each.kind for each in self._streams}

                def wanted(label: Annotation) -> bool:
                    stream = None if label.stream is None else kinds.get(label.stream)
                    track, thing = label.track is not None, label.entity is not None
                    return any(sort.take(label.kind, stream, track=track, thing=thing) for sort in sorts)

                shelves[RecordKind.ANNOTATION] = Shelf(stop.over(self._held[RecordKind.ANNOTATION].list()), wanted)
            self._by_sees[sees] = shelves
        return self._by_sees[sees]

    def __len__(self) -> int:
        """How many entities, annotations and links the lists show."""
        return sum(len(self._shown.get(kind, self._held[kind])) for kind in _LISTED)

    def once(self, key: Hashable, make: Callable[[], T], sees: Sees | None = None) -> T:
        """What several rules work out of the same lists, made once for as long as nothing changes that it is made of:
        what it ``sees``, else what the rule sees. A failure is not kept.
        """
        self._source.stop.look()
        facts = self._facts[self._sees if sees is None else sees]
        if key not in facts:
            if sees is not None:
                self._shelves(sees)  # now, with the check of all, and not with the first edit after it
            facts[key] = make()
        return cast("T", facts[key])

    def each(
        self,
        into: type[E],
        key: Hashable,
        kind: RecordKind,
        sample: SampleId,
        make: Callable[[Any], Any],
        given: object = None,
    ) -> E:
        """A question asked of the records of a kind that lists show, and asked again of those that were ``mark``ed, or
        of all if it stands on something else than before.
        """
        if self._ids is not None or sample != self.id:
            read = self.annotations if kind is RecordKind.ANNOTATION else self.links
            shown: dict[str, Any] = {each.id: each for each in read(sample)}
            few = into(shown)
            few.renew(shown, make)
            return few
        records = self._shelves(self._sees).get(kind, self._held[kind]).by_id
        name = into, self._sees, kind, key
        if name not in self._each or self._each[name].given != given:
            self._each[name] = into(records, given)
        kept = cast("E", self._each[name])
        kept.renew(records, make)
        return kept

    def mark(self, ids: Collection[str]) -> None:
        """What stands near these may have to be worked out otherwise."""
        for each in self._each.values():
            each.mark(ids)

    def stands_on(self, kind: RecordKind, record_id: str) -> bool:
        """Whether a record that is no label is one that all labels of this sample stand on."""
        if kind is RecordKind.SAMPLE:
            return record_id == self.id
        if kind is RecordKind.STREAM and any(each.id == record_id for each in self._streams):
            return True
        now = self._source.behind.get(kind, record_id)
        return now is None or getattr(now, "sample", self.id) == self.id

    def decisions(self) -> Iterable[FindingDecision]:
        """What people have decided about findings of this sample."""
        return cast("Iterable[FindingDecision]", self._held[RecordKind.FINDING_DECISION].list())

    # --- what rules ask -----------------------------------------------------------------------------------------

    def _list(self, kind: RecordKind) -> Looking[Any]:
        shown = self._shown.get(kind)
        return Looking(self._held[kind].list() if shown is None else shown, self._source)

    def look(self) -> None:
        """Whether the rule is to go on: raises ``Stopped`` where nobody wants the findings any more."""
        self._source.stop.look()

    def project(self) -> Project | None:
        """Asked once."""
        return self._project

    def people(self) -> Iterable[Person]:
        """As the snapshot behind says."""
        return self._source.behind.people()

    def ontology(self) -> CompiledOntology | None:
        """Asked once."""
        return self._ontology

    def get(self, kind: RecordKind, record_id: str) -> Record | None:
        """What is held, else from behind."""
        self._source.stop.look()
        shelf = self._held.get(kind)
        found = None if shelf is None else shelf.by_id.get(record_id)
        if found is not None:
            return cast("Record", found)
        if kind is RecordKind.STREAM:
            for each in self._streams:
                if each.id == record_id:
                    return each
        return self._source.behind.get(kind, record_id)

    def records(self, kind: RecordKind, *, sample: SampleId | None = None) -> Iterable[Record]:
        """What is held, else from behind."""
        if sample == self.id and kind in self._held:
            return self._list(kind)
        return self._source.behind.records(kind, sample=sample)

    def samples(self) -> Iterable[Sample]:
        """As the snapshot behind says."""
        return self._source.behind.samples()

    def sample_by_key(self, key: str) -> Sample | None:
        """As the snapshot behind says."""
        return self._source.behind.sample_by_key(key)

    def streams(self, sample: SampleId) -> Iterable[Stream]:
        """The streams of a sample."""
        return self._streams if sample == self.id else self._source.behind.streams(sample)

    def entities(self, sample: SampleId) -> Iterable[Entity]:
        """The entities of a sample."""
        return self._list(RecordKind.ENTITY) if sample == self.id else self._source.behind.entities(sample)

    def annotations(self, sample: SampleId) -> Iterable[Annotation]:
        """The annotations of a sample."""
        return self._list(RecordKind.ANNOTATION) if sample == self.id else self._source.behind.annotations(sample)

    def links(self, sample: SampleId) -> Iterable[Link]:
        """The links of a sample."""
        return self._list(RecordKind.LINK) if sample == self.id else self._source.behind.links(sample)

    def keyframes(self, annotation: AnnotationId) -> Iterable[Keyframe]:
        """Read once, until the track is touched."""
        self._source.stop.look()
        if annotation not in self._keyframes:
            self._keyframes[annotation] = tuple(self._source.behind.keyframes(annotation))
        return self._keyframes[annotation]

    def words(self, annotation: AnnotationId) -> Iterable[Word]:
        """Read once, until the turn is touched."""
        self._source.stop.look()
        if annotation not in self._words:
            self._words[annotation] = tuple(self._source.behind.words(annotation))
        return self._words[annotation]

    def links_of(self, target: str) -> Iterable[Link]:
        """The links with this end; those of another sample are asked for behind."""
        self._source.stop.look()
        if target in self._at_end or any(target in held for held in self._held.values()):
            return self._held[RecordKind.LINK].some(self._at_end.get(target, ()))
        return self._source.behind.links_of(target)

    def stale_links(self, sample: SampleId, *, targets: Iterable[str] | None = None) -> Iterable[StaleEnd]:
        """As the snapshot behind says; of the links that are shown, where only some are."""
        self._source.stop.look()
        shown = self._ids
        if sample != self.id or shown is None:
            return self._source.behind.stale_links(sample, targets=targets)
        if targets is None:
            targets = sorted({end.target for link in self.links(sample) for end in link.ends if end.kind in _NODES})
        return [each for each in self._source.behind.stale_links(sample, targets=targets) if each.link.id in shown]

    def blob(self, sha256: str) -> bytes | None:
        """As the snapshot behind says."""
        self._source.stop.look()
        return self._source.behind.blob(sha256)

    def evidence(self, sample: SampleId) -> Evidence:
        """What knows the media of this sample."""
        self._source.stop.look()
        return self._source.evidence if sample == self.id else self._source.behind.evidence(sample)
