"""Whether labels that go together are as fine as each other: events beside one label for all, classes that drift apart.

A project that wants different levels says so with the tolerance ``clip_level_allowed`` (1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workstation.core.annotation import Annotation, Link
from workstation.core.findings import Item
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import CLIP_LEVEL_TOLERANCE, named_limit
from workstation.qa.findings import LABEL_KINDS, Fault, Sees, rule, shaped
from workstation.qa.remembered import of_each_link, remembered
from workstation.qa.rules.items import (
    annotation_item,
    class_of,
    judged_annotations,
    link_item,
    ontology_of,
    streams_by_id,
)
from workstation.qa.rules.said import ends_of, stands

PAIRS = frozenset({"describes", "refers_to", "same_object", "grounded_in_time", "synchronized_with"})
WHOLE, PART = 0.9, 0.6
"""A label of the whole covers nine tenths of all that is labelled in time, one of an event at most six."""
_FEWEST_EVENTS = 3
_TIMED = frozenset({StreamKind.AUDIO, StreamKind.VIDEO})
_SPANS = Sees(labels=shaped(ShapeKind.SPAN, on=_TIMED), links=frozenset())
PERIOD = "week"
"""The property of samples that orders them in time."""
DRIFT_SHARE = 0.5
_FEWEST_LABELS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timed:
    label: Annotation
    start_ns: int
    end_ns: int

    def share_of(self, extent: tuple[int, int]) -> float:
        return (self.end_ns - self.start_ns) / max(1, extent[1] - extent[0])


@rule(
    "granularity.levels",
    error_type=ErrorType.GRANULARITY,
    severity=Severity.WARNING,
    looks_at=LABEL_KINDS,
    sees=Sees(links=PAIRS),
)
def levels(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Sound and picture, or the two ends of a link, are labelled at different levels: event by event on one side, one
    label for the whole clip on the other. The tolerance ``clip_level_allowed`` of 1 declares that this is meant.
    """
    if named_limit(snapshot.project(), CLIP_LEVEL_TOLERANCE, 0.0) >= 1:
        return
    streams = streams_by_id(snapshot, sample)
    spans = remembered(snapshot, ("spans in time", sample.id), lambda: _spans(snapshot, sample, streams), _SPANS)
    inside = of_each_link(snapshot, sample, "one end inside the other", lambda link: _inside(snapshot, link, streams))
    extent = _extent(snapshot, sample, streams) if inside or len(spans) > 1 else None
    if extent is None:
        return
    yield from _between_streams(snapshot, streams, spans, extent)
    yield from _between_ends(snapshot, inside.values(), streams, extent)


def _spans(snapshot: Snapshot, sample: Sample, streams: dict[str, Stream]) -> dict[StreamKind, list[_Timed]]:
    """The spans on streams with time, by kind."""
    found: defaultdict[StreamKind, list[_Timed]] = defaultdict(list)
    for label in judged_annotations(snapshot, sample):
        stream = streams.get(label.stream or "")
        if label.kind is ShapeKind.SPAN and stream is not None and stream.kind in _TIMED:
            timed = _timed(label, streams)
            if timed is not None:
                found[stream.kind].append(timed)
    return dict(found)


def _timed(label: Annotation, streams: dict[str, Stream]) -> _Timed | None:
    stream = streams.get(label.stream or "")
    if stream is None or label.start_ns is None or label.end_ns is None or label.kind is ShapeKind.TAG:
        return None
    to_session = stream.time_map.to_session
    return _Timed(label=label, start_ns=to_session(label.start_ns), end_ns=to_session(label.end_ns))


def _extent(snapshot: Snapshot, sample: Sample, streams: dict[str, Stream]) -> tuple[int, int] | None:
    """From the first to the last of all that is labelled in time; clocks only go forward, so a stream's ends do."""
    own: dict[str, tuple[int, int]] = {}
    for label in judged_annotations(snapshot, sample):
        start_ns, end_ns, stream = label.start_ns, label.end_ns, label.stream or ""
        if start_ns is None or end_ns is None or label.kind is ShapeKind.TAG:
            continue
        first, last = own.get(stream, (start_ns, end_ns))
        if start_ns <= first or end_ns >= last:
            own[stream] = min(first, start_ns), max(last, end_ns)
    known = [(streams[key].time_map, ends) for key, ends in own.items() if key in streams]
    if not known:
        return None
    firsts, lasts = zip(*((time_map.to_session(a), time_map.to_session(b)) for time_map, (a, b) in known), strict=True)
    return min(firsts), max(lasts)


def _between_streams(
    snapshot: Snapshot,
    streams: dict[str, Stream],
    by_kind: Mapping[StreamKind, Sequence[_Timed]],
    extent: tuple[int, int],
) -> Iterator[Fault]:
    """A modality of which everything is one label for the whole, beside one that is labelled in events."""
    for kind, labels in by_kind.items():
        if any(each.share_of(extent) < WHOLE for each in labels):
            continue
        for other, others in by_kind.items():
            events = [each for each in others if each.share_of(extent) <= PART]
            if other is kind or len(events) < _FEWEST_EVENTS:
                continue
            for each in labels:
                named = annotation_item(each.label, streams, class_of(snapshot, each.label))
                yield Fault(
                    text=f"{named.label} is one label for all of the {kind.value}, beside {len(events)} events in the "
                    f"{other.value}",
                    items=(named, *(annotation_item(one.label, streams, one.label.class_id) for one in events[:3])),
                    measured=f"{kind.value}: clip",
                    limit=f"{other.value}: event",
                    suggestion=f"label the {kind.value} event by event, or allow it (clip_level_allowed)",
                    aspect=other.value,
                )


def _inside(snapshot: Snapshot, link: Link, streams: dict[str, Stream]) -> tuple[Link, _Timed, _Timed] | None:
    """The two ends of a standing link, where one lasts and lies in the time of the other: that one last."""
    if link.type_id not in PAIRS or not stands(link):
        return None
    ends = ends_of(snapshot, link)
    both = [timed for each in ends if each.track is None and (timed := _timed(each, streams)) is not None]
    if len(both) != 2:
        return None
    part, whole = sorted(both, key=lambda each: each.end_ns - each.start_ns)
    inside = whole.start_ns <= part.start_ns < part.end_ns <= whole.end_ns
    return (link, part, whole) if inside else None


def _between_ends(
    snapshot: Snapshot,
    inside: Iterable[tuple[Link, _Timed, _Timed]],
    streams: dict[str, Stream],
    extent: tuple[int, int],
) -> Iterator[Fault]:
    """A label for the whole that is linked to one of an event in it."""
    for link, part, whole in inside:
        if whole.share_of(extent) >= WHOLE and part.share_of(extent) <= PART:
            names = [annotation_item(each.label, streams, class_of(snapshot, each.label)) for each in (whole, part)]
            lasts = [(each.end_ns - each.start_ns) / 1e9 for each in (whole, part)]
            yield Fault(
                text=f"{link.type_id}: {names[0].label} is about the whole ({lasts[0]:.2f} s), {names[1].label} about "
                f"an event in it ({lasts[1]:.2f} s)",
                items=(link_item(link), *names),
                measured="clip",
                limit="event",
                suggestion="give both the same level, or allow it (clip_level_allowed)",
            )


@rule(
    "granularity.drift",
    version=2,
    error_type=ErrorType.SEMANTIC_DRIFT,
    severity=Severity.WARNING,
    limit=DRIFT_SHARE * 100,
    unit="%",
    per_sample=False,
    per_project=True,
)
def drift(snapshot: Snapshot, _sample: Sample | None) -> Iterator[Fault]:
    """From some week on, one modality uses finer classes than another for the same things: sedan and hatchback in
    pictures, car in texts. Samples say their week in the property ``week``; the share of labels below a class is
    compared between modalities.
    """
    used = _used_by_period(snapshot)
    for class_id, periods in used.items():
        kinds = sorted({kind for counts in periods.values() for kind in counts})
        for finer in kinds:
            for other in kinds:
                since = _first_apart(periods, finer, other)
                if since is not None:
                    period, share, labels = since
                    names = ", ".join(dict.fromkeys(class_of(snapshot, label) or "" for label in labels))
                    yield Fault(
                        text=f"since {PERIOD} {period} {finer} labels say {names} where {other} labels stay at "
                        f"{class_id}",
                        items=tuple(
                            Item(RecordKind.ANNOTATION.value, label.id, label.class_id or "") for label in labels[:6]
                        ),
                        measured=round(share * 100, 1),
                        suggestion="agree on one level of detail, and bring the labels of both to it",
                        aspect=f"{class_id} {finer} {other} {period}",
                    )


_Counts = dict[str, dict[str, tuple[int, list[Annotation]]]]
"""Period → modality → how many labels stand at or below a class, and those below it."""


def _used_by_period(snapshot: Snapshot) -> dict[str, _Counts]:
    ontology = ontology_of(snapshot)
    tops = [class_id for class_id in ontology.classes if len(ontology.below(class_id)) > 1]
    found: dict[str, _Counts] = {class_id: {} for class_id in tops}
    for sample in snapshot.samples():
        period = sample.properties.get(PERIOD)
        if period is None:
            continue
        streams = streams_by_id(snapshot, sample)
        for label in judged_annotations(snapshot, sample):
            class_id, stream = class_of(snapshot, label), streams.get(label.stream or "")
            if stream is None or class_id not in ontology.classes:
                continue
            for above in ontology.above(class_id):
                if above in found:
                    counts = found[above].setdefault(period, {})
                    total, finer = counts.setdefault(stream.kind.value, (0, []))
                    counts[stream.kind.value] = total + 1, [*finer, label] if above != class_id else finer
    return found


def _first_apart(periods: _Counts, finer: str, other: str) -> tuple[str, float, list[Annotation]] | None:
    """The first period in which one modality is so much finer beside the other than it was in all periods before."""
    known: list[tuple[int, int, int, int]] = []
    for period in sorted(periods, key=lambda each: (len(each), each)):
        counts = periods[period]
        if finer not in counts or other not in counts or finer == other:
            continue
        (many, labels), (others, fine) = counts[finer], counts[other]
        if min(many, others) < _FEWEST_LABELS:
            continue
        share = len(labels) / many - len(fine) / others
        if known:
            before = [sum(each) for each in zip(*known, strict=True)]
            if share - (before[0] / before[1] - before[2] / before[3]) > DRIFT_SHARE:
                return period, share, labels
        known.append((len(labels), many, len(fine), others))
    return None
