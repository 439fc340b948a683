"""A snapshot that reads the lists of a sample once, since a dozen rules ask for the same ones. Made by the runner.

It is true only while nobody writes; it lives for the run over one sample.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from workstation.core.annotation import Annotation, Entity, Keyframe, Link, Record, Word
from workstation.core.evidence import Evidence
from workstation.core.ids import AnnotationId, SampleId
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.records import RecordKind
from workstation.core.sample import Person, Project, Sample, Stream
from workstation.core.snapshot import Snapshot, StaleEnd
from workstation.core.stopping import StopToken
from workstation.qa.each import Each, Grouped
from workstation.qa.sees import Sees

T = TypeVar("T")
E = TypeVar("E", bound=Each[Any])


@runtime_checkable
class Remembers(Protocol):
    """A snapshot that keeps what rules work out of it, as long as it is true, and knows whether they are to go on."""

    def once(self, key: Hashable, make: Callable[[], T], sees: Sees | None = None) -> T: ...
    def each(
        self,
        into: type[E],
        key: Hashable,
        kind: RecordKind,
        sample: SampleId,
        make: Callable[[Any], Any],
        given: object = None,
    ) -> E: ...
    def look(self) -> None: ...


class RememberedSnapshot:
    """The answers of another snapshot, each list read once. Fits ``Snapshot``."""

    def __init__(self, behind: Snapshot, evidence: Evidence | None = None, stop: StopToken | None = None) -> None:
        self._behind = behind
        self._stop = stop or StopToken()
        self._evidence = evidence
        self._known: dict[Hashable, Any] = {}
        self._by_id: dict[RecordKind, dict[str, Record]] = {}

    def _list(self, key: Hashable, found: Iterable[T] | None = None) -> Sequence[T]:
        if key not in self._known:
            self._known[key] = tuple(found or ())
        return cast("Sequence[T]", self._known[key])

    def _of_sample(self, kind: RecordKind, sample: SampleId, read: Any) -> Sequence[Any]:
        self._stop.look()
        if (kind, sample) not in self._known:
            records = self._list((kind, sample), read(sample))
            self._by_id.setdefault(kind, {}).update({record.id: record for record in records})
        return self._list((kind, sample))

    def project(self) -> Project | None:
        """As the snapshot behind says."""
        return self._behind.project()

    def people(self) -> Iterable[Person]:
        """As the snapshot behind says."""
        return self._behind.people()

    def ontology(self) -> CompiledOntology | None:
        """As the snapshot behind says, asked once."""
        if "ontology" not in self._known:
            self._known["ontology"] = self._behind.ontology()
        return cast("CompiledOntology | None", self._known["ontology"])

    def get(self, kind: RecordKind, record_id: str) -> Record | None:
        """From the lists that were read, else from behind."""
        self._stop.look()
        found = self._by_id.get(kind, {}).get(record_id)
        return self._behind.get(kind, record_id) if found is None else found

    def records(self, kind: RecordKind, *, sample: SampleId | None = None) -> Iterable[Record]:
        """As the snapshot behind says."""
        return self._behind.records(kind, sample=sample)

    def samples(self) -> Iterable[Sample]:
        """As the snapshot behind says."""
        return self._behind.samples()

    def sample_by_key(self, key: str) -> Sample | None:
        """As the snapshot behind says."""
        return self._behind.sample_by_key(key)

    def streams(self, sample: SampleId) -> Sequence[Stream]:
        """The streams of a sample."""
        return self._of_sample(RecordKind.STREAM, sample, self._behind.streams)

    def entities(self, sample: SampleId) -> Sequence[Entity]:
        """The entities of a sample."""
        return self._of_sample(RecordKind.ENTITY, sample, self._behind.entities)

    def annotations(self, sample: SampleId) -> Sequence[Annotation]:
        """The annotations of a sample."""
        return self._of_sample(RecordKind.ANNOTATION, sample, self._behind.annotations)

    def links(self, sample: SampleId) -> Sequence[Link]:
        """The links of a sample."""
        return self._of_sample(RecordKind.LINK, sample, self._behind.links)

    def keyframes(self, annotation: AnnotationId) -> Sequence[Keyframe]:
        """The keyframes of a track."""
        self._stop.look()
        key = (RecordKind.KEYFRAME, annotation)
        return self._list(key, () if key in self._known else self._behind.keyframes(annotation))

    def words(self, annotation: AnnotationId) -> Iterable[Word]:
        """As the snapshot behind says."""
        return self._behind.words(annotation)

    def links_of(self, target: str) -> Iterable[Link]:
        """As the snapshot behind says."""
        return self._behind.links_of(target)

    def stale_links(self, sample: SampleId, *, targets: Iterable[str] | None = None) -> Iterable[StaleEnd]:
        """As the snapshot behind says."""
        return self._behind.stale_links(sample, targets=targets)

    def blob(self, sha256: str) -> bytes | None:
        """As the snapshot behind says."""
        return self._behind.blob(sha256)

    def evidence(self, sample: SampleId) -> Evidence:
        """What was given for the sample that is checked, else as the snapshot behind says."""
        return self._behind.evidence(sample) if self._evidence is None else self._evidence

    def once(self, key: Hashable, make: Callable[[], T], sees: Sees | None = None) -> T:
        """What several rules work out of the same records, made once; a failure is not kept."""
        self._stop.look()
        if key not in self._known:
            self._known[key] = make()
        return cast("T", self._known[key])

    def each(
        self,
        into: type[E],
        key: Hashable,
        kind: RecordKind,
        sample: SampleId,
        make: Callable[[Any], Any],
        given: object = None,
    ) -> E:
        """A question asked of every record of a kind, once a run."""
        return self.once((into, key, kind, sample), lambda: _asked(into, _listed(self, kind, sample), make))

    def look(self) -> None:
        """Raises ``Stopped`` if nobody wants the run any more."""
        self._stop.look()


def look_up(snapshot: Snapshot) -> None:
    """For rules that think for long without asking the snapshot anything: ends them where nobody wants to know."""
    if isinstance(snapshot, Remembers):
        snapshot.look()


def remembered(snapshot: Snapshot, key: Hashable, make: Callable[[], T], sees: Sees | None = None) -> T:
    """``make()``, once for all rules of a run; anew where nothing remembers.

    While people edit it is kept until something changes of what it ``sees``; where that is not said, of what the rule
    sees that asks. All rules that ask must see as much.
    """
    return snapshot.once(key, make, sees) if isinstance(snapshot, Remembers) else make()


def of_each_label(
    snapshot: Snapshot, sample: Sample, key: str, make: Callable[[Annotation], T | None], given: object = None
) -> Mapping[str, T]:
    """What is worked out of each label that the rule sees, by the label's id, where it is not ``None``.

    While people edit, only labels are asked again that stand near what was touched: ``make`` may look at what a rule of
    reach near may look at from that label. All are asked again where ``given`` is not as before: a value that says what
    else the answers depend on.
    """
    return _ask(snapshot, sample, Each, key, RecordKind.ANNOTATION, make, given).answers


def of_each_link(snapshot: Snapshot, sample: Sample, key: str, make: Callable[[Link], T | None]) -> Mapping[str, T]:
    """The same of each link that the rule sees."""
    return _ask(snapshot, sample, Each, key, RecordKind.LINK, make).answers


def labels_by(
    snapshot: Snapshot, sample: Sample, key: str, make: Callable[[Annotation], Hashable | None]
) -> Mapping[Any, Sequence[str]]:
    """The ids of the labels that the rule sees, in the order of making, by what is worked out of each in that way."""
    return _ask(snapshot, sample, Grouped, key, RecordKind.ANNOTATION, make).groups


def _ask(
    snapshot: Snapshot,
    sample: Sample,
    into: type[E],
    key: str,
    kind: RecordKind,
    make: Callable[[Any], Any],
    given: object = None,
) -> E:
    if isinstance(snapshot, Remembers):
        return snapshot.each(into, key, kind, sample.id, make, given)
    return _asked(into, _listed(snapshot, kind, sample.id), make)


def _listed(snapshot: Snapshot, kind: RecordKind, sample: SampleId) -> Iterable[Any]:
    return snapshot.annotations(sample) if kind is RecordKind.ANNOTATION else snapshot.links(sample)


def _asked(into: type[E], listed: Iterable[Any], make: Callable[[Any], Any]) -> E:
    records = {each.id: each for each in listed}
    asked = into(records)
    asked.renew(records, make)
    return asked
