"""Whether labels that go together are as fine as each other: events beside one label for all, classes that drift apart.

A project that wants different levels says so with the tolerance ``clip_level_allowed`` (1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workstation.core.annotation import Annotation
from workstation.core.findings import Item
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import CLIP_LEVEL_TOLERANCE, named_limit
from workstation.qa.findings import LABEL_KINDS, Fault, Sees, rule
from workstation.qa.rules.items import (
    annotation_item,
    class_of,
    judged_annotations,
    link_item,
    ontology_of,
    streams_by_id,
)
from workstation.qa.rules.said import annotation_at, standing_links

PAIRS = frozenset({"describes", "refers_to", "same_object", "grounded_in_time", "synchronized_with"})
WHOLE, PART = 0.9, 0.6
"""A label of the whole covers nine tenths of all that is labelled in time, one of an event at most six."""
_FEWEST_EVENTS = 3
_TIMED = frozenset({StreamKind.AUDIO, StreamKind.VIDEO})
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
    paired = any(True for _ in standing_links(snapshot, sample, PAIRS))
    if not paired and len(_spanned(snapshot, sample, streams)) < 2:
        return
    timed = _timed(snapshot, sample, streams)
    if not timed:
        return
    extent = min(each.start_ns for each in timed), max(each.end_ns for each in timed)
    yield from _between_streams(snapshot, streams, timed, extent)
    yield from _between_ends(snapshot, sample, streams, {each.label.id: each for each in timed}, extent)


def _spanned(snapshot: Snapshot, sample: Sample, streams: dict[str, Stream]) -> set[StreamKind]:
    """The kinds of streams with time on which spans are labelled."""
    spans = (each for each in judged_annotations(snapshot, sample) if each.kind is ShapeKind.SPAN)
    return {streams[each.stream].kind for each in spans if each.stream in streams} & _TIMED


def _timed(snapshot: Snapshot, sample: Sample, streams: dict[str, Stream]) -> list[_Timed]:
    """All labels that have a time, by stream."""
    import numpy as np

    by_stream: defaultdict[str, list[tuple[Annotation, int, int]]] = defaultdict(list)
    for label in judged_annotations(snapshot, sample):
        if label.start_ns is not None and label.end_ns is not None and label.kind is not ShapeKind.TAG:
            by_stream[label.stream or ""].append((label, label.start_ns, label.end_ns))
    found = []
    for stream_id, those in by_stream.items():
        if stream_id in streams:
            own = np.array([(start, end) for _, start, end in those], np.int64)
            times = streams[stream_id].time_map.to_session_array(own.ravel()).reshape(-1, 2).tolist()
            found += [
                _Timed(label=label, start_ns=start, end_ns=end)
                for (label, _, _), (start, end) in zip(those, times, strict=True)
            ]
    return found


def _between_streams(
    snapshot: Snapshot, streams: dict[str, Stream], timed: Sequence[_Timed], extent: tuple[int, int]
) -> Iterator[Fault]:
    """A modality of which everything is one label for the whole, beside one that is labelled in events."""
    by_kind: defaultdict[StreamKind, list[_Timed]] = defaultdict(list)
    for each in timed:
        kind = streams[each.label.stream or ""].kind
        if kind in _TIMED and each.label.kind is ShapeKind.SPAN:
            by_kind[kind].append(each)
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


def _between_ends(
    snapshot: Snapshot, sample: Sample, streams: dict[str, Stream], timed: dict[str, _Timed], extent: tuple[int, int]
) -> Iterator[Fault]:
    """A label for the whole that is linked to one of an event in it."""
    for link in standing_links(snapshot, sample, PAIRS):
        ends = [found for end in link.ends if (found := annotation_at(snapshot, end)) is not None]
        both = [timed[each.id] for each in ends if each.id in timed and each.track is None]
        if len(both) != 2:
            continue
        part, whole = sorted(both, key=lambda each: each.end_ns - each.start_ns)
        inside = whole.start_ns <= part.start_ns and part.end_ns <= whole.end_ns
        if inside and part.end_ns > part.start_ns and whole.share_of(extent) >= WHOLE and part.share_of(extent) <= PART:
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
