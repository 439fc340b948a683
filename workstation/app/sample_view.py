"""The open sample as the window draws it: its records held in memory, kept true by every ChangeSet, with the questions
that panes ask of them. Made by the session's window (``ui/workbench.py``) and by whatever draws pictures of a sample.

It reads the store on the thread that owns it and hands out the store's own frozen records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from workstation.app.looks import Paint, paint_of
from workstation.core.annotation import Annotation, Entity, Keyframe, Link, State, Word, effective_class
from workstation.core.errors import UserError
from workstation.core.geometry import ShapeKind
from workstation.core.ids import AnnotationId, SampleId
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.records import RecordKind
from workstation.core.sample import Rig, Sample, Stream
from workstation.core.timebase import TimeMap, TimeRange
from workstation.core.tracks import Moment, MomentKind, moment
from workstation.store.changes import ChangeSet
from workstation.store.queries import Reads

_Rows = TypeVar("_Rows", Sequence[Keyframe], Sequence[Word])
_HELD = (RecordKind.STREAM, RecordKind.ENTITY, RecordKind.ANNOTATION, RecordKind.LINK)


class SampleView:
    """One sample's streams, entities, annotations and links by id. ``apply`` after every commit."""

    def __init__(self, store: Reads, sample: SampleId) -> None:
        self._store = store
        self.id = sample
        self.sample = _sample(store, sample)
        self.ontology: CompiledOntology | None = store.ontology()
        self.streams: dict[str, Stream] = {each.id: each for each in store.streams(sample)}
        self.entities: dict[str, Entity] = {each.id: each for each in store.entities(sample)}
        self.annotations: dict[str, Annotation] = {each.id: each for each in store.annotations(sample)}
        self.links: dict[str, Link] = {each.id: each for each in store.links(sample)}
        self._keyframes: dict[str, Sequence[Keyframe]] = {}
        self._keyframes_held = False
        self._counts: dict[str, int] | None = None
        self._words: dict[str, Sequence[Word]] = {}
        self._by_stream: dict[str | None, dict[str, None]] = defaultdict(dict)
        self._by_entity: dict[str, dict[str, None]] = defaultdict(dict)
        self._by_end: dict[str, dict[str, None]] = defaultdict(dict)
        for annotation in self.annotations.values():
            self._enter(annotation)
        for link in self.links.values():
            self._enter_link(link)

    def hand_over(self, store: Reads) -> None:
        """What was read elsewhere belongs to this thread now; the caller knows that nothing changed meanwhile."""
        self._store = store

    @property
    def reads(self) -> Reads:
        """Where it reads from: for whoever measures the media of the sample beside it."""
        return self._store

    # --- what is there ------------------------------------------------------------------------------------------

    def stream_by_key(self, key: str) -> Stream | None:
        """The stream of that key."""
        return next((each for each in self.streams.values() if each.key == key), None)

    def annotations_of(self, stream: str | None) -> Iterator[Annotation]:
        """What lies on a stream; ``None``: on the sample as a whole."""
        return (self.annotations[each] for each in self._by_stream.get(stream, ()))

    def annotations_of_entity(self, entity: str) -> Iterator[Annotation]:
        """What shows an entity, on all streams."""
        return (self.annotations[each] for each in self._by_entity.get(entity, ()))

    def links_of(self, target: str) -> Iterator[Link]:
        """The links with an end on this record."""
        return (self.links[each] for each in self._by_end.get(target, ()))

    def hold_keyframes(self) -> None:
        """Read the keyframes of all tracks that are not held, at once: for whoever goes through most of them."""
        if self._keyframes_held:
            return
        self._keyframes_held = True
        found = self._store.keyframes_of_sample(self.id)
        for annotation in self.annotations.values():
            if annotation.track is not None and annotation.id not in self._keyframes:
                self._keyframes[annotation.id] = tuple(found.get(annotation.id, ()))

    def keyframes(self, annotation: str) -> Sequence[Keyframe]:
        """The keyframes of a track by time."""
        found = self._keyframes.get(annotation)
        if found is None:
            found = self._keyframes[annotation] = tuple(self._store.keyframes(AnnotationId(annotation)))
        return found

    def keyframe_counts(self) -> Mapping[str, int]:
        """How many keyframes each track has."""
        if self._counts is None:
            self._counts = {str(key): count for key, count in self._store.keyframe_counts(self.id).items()}
        return self._counts

    def words(self, annotation: str) -> Sequence[Word]:
        """The words of a turn in order."""
        found = self._words.get(annotation)
        if found is None:
            found = self._words[annotation] = tuple(self._store.words(AnnotationId(annotation)))
        return found

    def blob(self, sha256: str) -> bytes | None:
        """The content behind a mask or a point set."""
        return self._store.blob(sha256)

    def rig(self) -> Rig | None:
        """The newest calibration of the sample."""
        rigs = [each for each in self._store.records(RecordKind.RIG, sample=self.id) if isinstance(each, Rig)]
        return max(rigs, key=lambda rig: rig.version, default=None)

    def exists(self, record_id: str) -> bool:
        """Whether a selected id is still a record of this sample."""
        return any(record_id in held for held in (self.annotations, self.entities, self.links, self.streams))

    # --- how it looks -------------------------------------------------------------------------------------------

    def entity_of(self, annotation: Annotation) -> Entity | None:
        """The real thing an annotation shows."""
        return None if annotation.entity is None else self.entities.get(annotation.entity)

    def class_of(self, annotation: Annotation) -> str | None:
        """The class an annotation counts under."""
        return effective_class(annotation, self.entity_of(annotation))

    def class_name(self, class_id: str | None) -> str:
        """A class as a person reads it."""
        if class_id is None:
            return "no class"
        return class_id if self.ontology is None else self.ontology.class_name(class_id)

    def name_of(self, record_id: str) -> str:
        """``car 17`` for what shows an entity, the class for the rest; a link by its type and ends."""
        annotation = self.annotations.get(record_id)
        if annotation is not None:
            entity = self.entity_of(annotation)
            if entity is not None:
                return self.name_of(entity.id)
            return self.class_name(annotation.class_id)
        entity = self.entities.get(record_id)
        if entity is not None:
            return entity.called(self.class_name(entity.class_id))
        link = self.links.get(record_id)
        if link is not None:
            return " – ".join(self.name_of(end.target) for end in link.ends)
        stream = self.streams.get(record_id)
        return stream.key if stream is not None else record_id

    def may_be_drawn(self, class_id: str, stream: str | None, kinds: frozenset[ShapeKind]) -> bool:
        """Whether the ontology lets the class be marked as one of these on that stream; without one the gate says."""
        if self.ontology is None or class_id not in self.ontology.classes:
            return True
        found = None if stream is None else self.streams.get(stream)
        return bool(kinds & self.ontology.shapes_for(class_id, None if found is None else found.kind))

    def paint_of(self, annotation: Annotation) -> Paint:
        """Colour, mark and pattern: a track's own colour in every pane, else the class's."""
        return paint_of(self.ontology, self.class_of(annotation), self.entity_of(annotation))

    def paint_of_class(self, class_id: str | None) -> Paint:
        """Colour, mark and pattern of a class, for pickers and lanes."""
        return paint_of(self.ontology, class_id, None)

    # --- when it is ---------------------------------------------------------------------------------------------

    def time_map(self, annotation: Annotation) -> TimeMap | None:
        """From the annotation's own time to session time; ``None`` where both are the same."""
        stream = None if annotation.stream is None else self.streams.get(annotation.stream)
        return None if stream is None else stream.time_map

    def session_range(self, annotation: Annotation) -> TimeRange | None:
        """When an annotation is, in session time; ``None`` for what is always there."""
        if annotation.start_ns is None or annotation.end_ns is None:
            return None
        own, time_map = TimeRange(annotation.start_ns, annotation.end_ns), self.time_map(annotation)
        return own if time_map is None else time_map.range_to_session(own)

    def own_ns(self, annotation: Annotation, session_ns: int) -> int:
        """A session time on the annotation's own axis: the last of its nanoseconds that is not later."""
        time_map = self.time_map(annotation)
        return session_ns if time_map is None else time_map.first_stream_at(session_ns + 1) - 1

    def moment(self, annotation: Annotation, own_ns: int) -> Moment:
        """What a shape or track shows at a time of its own stream."""
        if annotation.track is not None:
            return moment(annotation.track, self.keyframes(annotation.id), own_ns)
        start, end = annotation.start_ns, annotation.end_ns
        if start is not None and end is not None and not (start <= own_ns < end or start == own_ns):
            return Moment(MomentKind.OUTSIDE)
        return Moment(MomentKind.KEYFRAME, annotation.shape)

    # --- what belongs together ----------------------------------------------------------------------------------

    def related(self, ids: Iterable[str]) -> frozenset[str]:
        """What every pane marks when these are selected: the entity and all that shows it, both ends of a link."""
        found: set[str] = set()
        for record_id in ids:
            found.add(record_id)
            link = self.links.get(record_id)
            for target in [end.target for end in link.ends] if link is not None else [record_id]:
                found |= self._same_thing(target)
        return frozenset(found)

    def partners(self, ids: Iterable[str]) -> frozenset[str]:
        """What links relate these to, and all that shows the same; not what is said not to be related."""
        ids = tuple(ids)
        own = self.related(ids)
        found: set[str] = set()
        for record_id in own:
            for link in self.links_of(record_id):
                if link.holds and link.state is not State.REJECTED:
                    for end in link.ends:
                        found |= self._same_thing(end.target)
        return frozenset(found) - own

    def marked(self, ids: Iterable[str]) -> frozenset[str]:
        """What every pane marks when these are selected: what is ``related``, and its ``partners`` by links."""
        ids = tuple(ids)
        return self.related(ids) | self.partners(ids)

    def to_show(self, ids: Iterable[str]) -> tuple[str, ...]:
        """The same in the order in which a pane that shows only one of them looks for it: nearest first."""
        ids = tuple(ids)
        near = self.related(ids) - set(ids)
        return (*ids, *sorted(near), *sorted(self.partners(ids)))

    def _same_thing(self, record_id: str) -> set[str]:
        annotation = self.annotations.get(record_id)
        entity = record_id if annotation is None else annotation.entity
        if entity is None or entity not in self.entities:
            return {record_id}
        return {record_id, entity, *self._by_entity.get(entity, ())}

    # --- staying true -------------------------------------------------------------------------------------------

    def apply(self, changes: ChangeSet) -> None:
        """Take in what a commit changed; costs what changed, not what is there."""
        if changes.touched(RecordKind.ONTOLOGY) or changes.touched(RecordKind.PROJECT):
            self.ontology = self._store.ontology()
        if self.id in changes.touched(RecordKind.SAMPLE):
            self.sample = _sample(self._store, self.id)
        for kind in _HELD:
            for record_id in changes.touched(kind):
                self._renew(kind, record_id)
        if changes.touched(RecordKind.KEYFRAME):
            self._counts = None
        self._forget_rows(self._keyframes, RecordKind.KEYFRAME, changes)
        self._forget_rows(self._words, RecordKind.WORD, changes)

    def _forget_rows(self, held: dict[str, _Rows], kind: RecordKind, changes: ChangeSet) -> None:
        """Rows of what was touched are read again when asked for; those of all others stay."""
        touched = changes.touched(kind)
        if not touched:
            return
        stale = {owner for owner, rows in held.items() if any(row.id in touched for row in rows)}
        for row_id in touched:
            row = self._store.get(kind, row_id)
            if isinstance(row, Keyframe | Word):
                stale.add(row.annotation)
        for owner in stale:
            held.pop(owner, None)

    def _renew(self, kind: RecordKind, record_id: str) -> None:
        self._leave(record_id)
        record = self._store.get(kind, record_id)
        if record is None or getattr(record, "sample", None) != self.id:
            return
        if isinstance(record, Annotation):
            self.annotations[record_id] = record
            self._enter(record)
        elif isinstance(record, Link):
            self.links[record_id] = record
            self._enter_link(record)
        elif isinstance(record, Entity):
            self.entities[record_id] = record
        elif isinstance(record, Stream):
            self.streams[record_id] = record

    def _leave(self, record_id: str) -> None:
        annotation = self.annotations.pop(record_id, None)
        if annotation is not None:
            self._by_stream[annotation.stream].pop(record_id, None)
            if annotation.entity is not None:
                self._by_entity[annotation.entity].pop(record_id, None)
        link = self.links.pop(record_id, None)
        for end in () if link is None else link.ends:
            self._by_end[end.target].pop(record_id, None)
        self.entities.pop(record_id, None)
        self.streams.pop(record_id, None)
        self._keyframes.pop(record_id, None)
        self._words.pop(record_id, None)

    def _enter(self, annotation: Annotation) -> None:
        self._by_stream[annotation.stream][annotation.id] = None
        if annotation.entity is not None:
            self._by_entity[annotation.entity][annotation.id] = None

    def _enter_link(self, link: Link) -> None:
        for end in link.ends:
            self._by_end[end.target][link.id] = None


def _sample(store: Reads, sample: SampleId) -> Sample:
    record = store.get(RecordKind.SAMPLE, sample)
    if not isinstance(record, Sample):
        raise UserError(f"there is no sample {sample}")
    return record
