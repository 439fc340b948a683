"""Whether every box and cuboid of one thing that could be linked are, where others of the same captures are linked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workstation.core.annotation import Annotation, Link, LinkEnd, Presence, State, TargetKind
from workstation.core.fused_pairs import FLAT, SOLID
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import LABEL_KINDS, Fault, Sees, rule, shaped
from workstation.qa.remembered import labels_by, of_each_label, of_each_link
from workstation.qa.rules.items import JUDGED, annotation_item, class_of, streams_by_id
from workstation.qa.rules.ontology import SAME_THING

_FEWEST = 2
"""So many things linked at one capture make a habit that the others are held to; one does for what is linked at other
captures."""
Streams = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Said:
    """What one link says of a box and a cuboid: the streams, and their captures, if it speaks of any."""

    flat: str
    solid: str
    streams: Streams
    flat_ns: int | None
    solid_ns: int | None
    always: bool
    """Whether it joins the labels without a time."""


@rule(
    "pairs.unlinked",
    error_type=ErrorType.MISSING_REFERENCE,
    severity=Severity.WARNING,
    looks_at=LABEL_KINDS,
    sees=Sees(labels=shaped(*FLAT, *SOLID), links=SAME_THING),
)
def unlinked(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A box and a cuboid of one thing are both there at captures whose other things are linked, and no link joins
    them.
    """
    judge = _Unlinked(snapshot, sample)
    if not judge.usual:
        return
    for faults in of_each_label(snapshot, sample, "unlinked", judge.faults_of, judge.usual).values():
        yield from faults


class _Unlinked:
    """Judges boxes one by one, by what is near each and what is usual in the sample."""

    def __init__(self, snapshot: Snapshot, sample: Sample) -> None:
        self._snapshot = snapshot
        self._streams = streams_by_id(snapshot, sample)
        self._said = of_each_link(snapshot, sample, "boxes and cuboids", self._said_by)
        self._solids = labels_by(snapshot, sample, "solids of a thing", _place_of_solid)
        self._said_of: defaultdict[str, list[_Said]] = defaultdict(list)
        for link in sorted(self._said):
            for each in self._said[link]:
                self._said_of[each.flat].append(each)
                self._said_of[each.solid].append(each)
        self.usual = self._usual()
        """By streams: capture of a picture → the capture of a scan that most are linked to, with how many."""

    def _said_by(self, link: Link) -> tuple[_Said, ...] | None:
        if link.type_id not in SAME_THING or link.state is State.REJECTED:
            return None
        found = [self._snapshot.get(RecordKind.ANNOTATION, end.target) for end in link.ends if _is_label(end)]
        ends = [
            each for each in found
            if isinstance(each, Annotation) and each.entity is not None and each.state in JUDGED
        ]  # fmt: skip
        solids = [each for each in ends if each.kind in SOLID]
        return tuple(self._say(link, flat, each) for flat in ends if flat.kind in FLAT for each in solids) or None

    def _say(self, link: Link, flat: Annotation, solid: Annotation) -> _Said:
        streams = flat.stream or "", solid.stream or ""
        if link.start_ns is None and flat.track is not None:
            return _Said(flat.id, solid.id, streams, None, None, True)
        both = [_within(link, _times(self._snapshot, each, self._streams), each) for each in (flat, solid)]
        first = [each[0] if each else None for each in both]
        return _Said(flat.id, solid.id, streams, first[0], first[1], False)

    def _usual(self) -> dict[Streams, dict[int, tuple[int, int]]]:
        counted: defaultdict[Streams, defaultdict[int, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
        for link in sorted(self._said):
            for each in self._said[link]:
                captures = counted[each.streams]
                if each.flat_ns is not None and each.solid_ns is not None:
                    captures[each.flat_ns][each.solid_ns] += 1
        return {
            streams: {at_ns: scans.most_common(1)[0] for at_ns, scans in captures.items()}
            for streams, captures in counted.items()
        }

    def faults_of(self, flat: Annotation) -> tuple[Fault, ...] | None:
        """What one box is not linked to; ``None`` of any other label, and where there is nothing to say."""
        if flat.kind not in FLAT or flat.entity is None or flat.state not in JUDGED:
            return None
        found: list[Fault] = []
        for streams in self.usual:
            solids = self._solids.get((flat.entity, streams[1], flat.layer)) if flat.stream == streams[0] else None
            if solids:
                found += self._against_habit(flat, streams, solids)
        return tuple(found) or None

    def _against_habit(self, flat: Annotation, streams: Streams, solids: Sequence[str]) -> Iterator[Fault]:
        own, always = set[int](), set[str]()
        for said in (said for label in (flat.id, *solids) for said in self._said_of.get(label, ())):
            if said.streams == streams:
                always |= {said.flat, said.solid} if said.always else set()
                own |= {said.flat_ns} if said.flat == flat.id and said.flat_ns is not None else set()
        usual, fewest = self.usual[streams], 1 if own else _FEWEST
        at = sorted(each for each in _times(self._snapshot, flat, self._streams) if each in usual and each not in own)
        against = [(each, usual[each][0]) for each in at if usual[each][1] >= fewest]
        for solid in solids if against and flat.id not in always else ():
            other = self._snapshot.get(RecordKind.ANNOTATION, solid)
            if isinstance(other, Annotation) and solid not in always:
                solid_at = _times(self._snapshot, other, self._streams)
                moments = [flat_ns for flat_ns, usual_ns in against if usual_ns in solid_at]
                if moments:
                    yield self._fault(flat, other, moments)

    def _fault(self, flat: Annotation, solid: Annotation, moments: Sequence[int]) -> Fault:
        items = tuple(annotation_item(each, self._streams, class_of(self._snapshot, each)) for each in (flat, solid))
        more = f" and at {len(moments) - 1} more" if len(moments) > 1 else ""
        return Fault(
            text=f"{items[0].label} and {items[1].label} show one thing and are not linked at "
            f"{moments[0] / 1e9:.3f} s{more}, where others are",
            items=items,
            measured=float(len(moments)),
            limit=0.0,
            suggestion="link them (same_object), or say that they are not the same",
        )


def _is_label(end: LinkEnd) -> bool:
    return end.kind is TargetKind.ANNOTATION


def _place_of_solid(label: Annotation) -> tuple[str, str, str] | None:
    if label.kind not in SOLID or label.entity is None or label.state not in JUDGED:
        return None
    return label.entity, label.stream or "", label.layer


def _within(link: Link, times: set[int], label: Annotation) -> list[int]:
    """The captures of a label that a link speaks of."""
    if label.track is None or link.start_ns is None:
        return sorted(times)
    end_ns = link.start_ns + 1 if link.end_ns is None else link.end_ns
    return sorted(each for each in times if link.start_ns <= each < end_ns)


def _times(snapshot: Snapshot, label: Annotation, streams: dict[str, Stream]) -> set[int]:
    """When a label was given a shape by somebody, in session time."""
    stream = streams.get(label.stream or "")
    if label.track is None:
        own = [] if label.start_ns is None else [label.start_ns]
    else:
        own = [
            each.time_ns
            for each in snapshot.keyframes(label.id)
            if each.shape is not None and each.presence is not Presence.ABSENT
        ]
    return set(own) if stream is None else {stream.time_map.to_session(each) for each in own}
