"""Whether every box and cuboid of one thing that could be linked are, where others of the same captures are linked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from workstation.core.annotation import Annotation, Link, Presence, State, TargetKind
from workstation.core.fused_pairs import FLAT, SOLID
from workstation.core.ontology import ErrorType, Severity
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import LABEL_KINDS, Fault, Sees, rule, shaped
from workstation.qa.rules.items import annotation_item, class_of, judged_annotations, streams_by_id
from workstation.qa.rules.ontology import SAME_THING

_FEWEST = 2
"""So many things linked at one capture make a habit that the others are held to; one does for what is linked at other
captures."""
Streams = tuple[str, str]


@dataclass(slots=True)
class _Linked:
    """Links between a stream of pictures and one of scans: at which captures, and of which labels."""

    captures: defaultdict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """Capture of a picture → captures of scans that its boxes are linked to, with how many."""
    boxes: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Boxes that are linked to something, at which captures."""
    always: set[str] = field(default_factory=set)
    """Labels that a link without a time joins."""

    def usual(self) -> dict[int, tuple[int, int]]:
        """Capture of a picture → the capture of a scan that most are linked to, with how many."""
        return {at_ns: scans.most_common(1)[0] for at_ns, scans in self.captures.items()}


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
    if not any(link.type_id in SAME_THING for link in snapshot.links(sample.id)):
        return
    streams = streams_by_id(snapshot, sample)
    judged = judged_annotations(snapshot, sample)
    labels: dict[str, Annotation] = {each.id: each for each in judged if each.entity is not None}
    linked = _links(snapshot, sample, labels, streams)
    if not linked:
        return
    by_place: defaultdict[tuple[str, str, str], list[Annotation]] = defaultdict(list)
    for each in labels.values():
        if each.kind in SOLID:
            by_place[each.entity or "", each.stream or "", each.layer].append(each)
    usual = {places: those.usual() for places, those in linked.items()}
    for flat in labels.values():
        if flat.kind not in FLAT:
            continue
        for (picture, scan), those in linked.items():
            solids = by_place.get((flat.entity or "", scan, flat.layer), ()) if flat.stream == picture else ()
            if not solids or flat.id in those.always:
                continue
            against = _against_habit(snapshot, flat, those, usual[picture, scan], streams)
            for solid in solids if against else ():
                solid_at = _times(snapshot, solid, streams)
                moments = [flat_ns for flat_ns, usual_ns in against if usual_ns in solid_at]
                if solid.id in those.always or not moments:
                    continue
                items = tuple(annotation_item(each, streams, class_of(snapshot, each)) for each in (flat, solid))
                more = f" and at {len(moments) - 1} more" if len(moments) > 1 else ""
                yield Fault(
                    text=f"{items[0].label} and {items[1].label} show one thing and are not linked at "
                    f"{moments[0] / 1e9:.3f} s{more}, where others are",
                    items=items,
                    measured=float(len(moments)),
                    limit=0.0,
                    suggestion="link them (same_object), or say that they are not the same",
                )


def _against_habit(
    snapshot: Snapshot, flat: Annotation, linked: _Linked, usual: dict[int, tuple[int, int]], streams: dict[str, Stream]
) -> list[tuple[int, int]]:
    """Captures of pictures at which the box is linked to nothing and others are, with the scans these are linked to."""
    own = linked.boxes.get(flat.id, ())
    fewest = 1 if own else _FEWEST
    at = sorted(each for each in _times(snapshot, flat, streams) if each in usual and each not in own)
    return [(each, usual[each][0]) for each in at if usual[each][1] >= fewest]


def _links(
    snapshot: Snapshot, sample: Sample, labels: dict[str, Annotation], streams: dict[str, Stream]
) -> dict[Streams, _Linked]:
    found: defaultdict[Streams, _Linked] = defaultdict(_Linked)
    for link in snapshot.links(sample.id):
        if link.type_id not in SAME_THING or link.state is State.REJECTED:
            continue
        ends = [labels[end.target] for end in link.ends if end.kind is TargetKind.ANNOTATION and end.target in labels]
        for flat in (each for each in ends if each.kind in FLAT):
            for solid in (each for each in ends if each.kind in SOLID):
                _note(snapshot, found[flat.stream or "", solid.stream or ""], link, flat, solid, streams)
    return dict(found)


def _note(
    snapshot: Snapshot, linked: _Linked, link: Link, flat: Annotation, solid: Annotation, streams: dict[str, Stream]
) -> None:
    if link.start_ns is None and flat.track is not None:
        linked.always |= {flat.id, solid.id}
        return
    flat_at, solid_at = (_within(link, _times(snapshot, each, streams), each) for each in (flat, solid))
    for flat_ns in flat_at[:1]:
        linked.boxes[flat.id].add(flat_ns)
        for solid_ns in solid_at[:1]:
            linked.captures[flat_ns][solid_ns] += 1


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
