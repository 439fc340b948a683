"""Whether what links say of the order of events holds by their times: before, during, cause before effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workstation.core.annotation import Annotation, Link, State, TargetKind
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import LABEL_KINDS, Fault, Reach, rule
from workstation.qa.rules.items import annotation_item, class_of, link_item, streams_by_id

_AS_GOOD_MS = 1.0
"""Times of two streams meet to the nearest item, not to the nanosecond."""
Times = tuple[int, int]


@rule(
    "order.broken",
    error_type=ErrorType.TEMPORAL,
    severity=Severity.ERROR,
    limit=_AS_GOOD_MS,
    unit="ms",
    looks_at=LABEL_KINDS,
    reach=Reach.NEAR,
)
def broken(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A link says that one event is before another, goes on during another or causes it, and the times of
    the two say otherwise.
    """
    streams = streams_by_id(snapshot, sample)
    for link in snapshot.links(sample.id):
        judge = _JUDGES.get(link.type_id)
        if judge is None or not link.holds or link.state is State.REJECTED:
            continue
        first_role, second_role, said, rule_of = judge
        for first in _at(snapshot, link, first_role):
            for second in _at(snapshot, link, second_role):
                one, other = _times(first, streams), _times(second, streams)
                off_ms = 0.0 if one is None or other is None else rule_of(one, other) / 1e6
                if one is None or other is None or off_ms <= _AS_GOOD_MS:
                    continue
                items = [annotation_item(each, streams, class_of(snapshot, each)) for each in (first, second)]
                yield Fault(
                    text=f"{items[0].label} is said to {said} {items[1].label}, but lies at {_shown(one)} and that one "
                    f"at {_shown(other)}: {off_ms:.1f} ms off",
                    items=(link_item(link), *items),
                    measured=round(off_ms, 3),
                    suggestion="mend the times, or delete the link or choose the relation that holds",
                    aspect=f"{first.id} {second.id}",
                )


def _before(one: Times, other: Times) -> int:
    """How long the first still goes on when the second begins."""
    return one[1] - other[0]


def _during(one: Times, other: Times) -> int:
    """How far the first reaches out of the second."""
    return max(other[0] - one[0], one[1] - other[1])


def _causes(one: Times, other: Times) -> int:
    """How much later than its effect the cause begins."""
    return one[0] - other[0]


_JUDGES = {
    "before": ("earlier", "later", "end before", _before),
    "during": ("inner", "outer", "go on during", _during),
    "causes": ("cause", "effect", "cause", _causes),
}
"""By link type: the two roles, what is said, and by how much times break it (ns, 0 or less: they do not)."""


def _at(snapshot: Snapshot, link: Link, role: str) -> list[Annotation]:
    ends = [end for end in link.ends if end.role == role and end.kind is TargetKind.ANNOTATION]
    found = [snapshot.get(RecordKind.ANNOTATION, end.target) for end in ends]
    return [each for each in found if isinstance(each, Annotation)]


def _times(annotation: Annotation, streams: Mapping[str, Stream]) -> Times | None:
    """Only spans say when something happens; a word or a box is somewhere."""
    if annotation.kind is not ShapeKind.SPAN or annotation.start_ns is None or annotation.end_ns is None:
        return None
    stream = streams.get(annotation.stream or "")
    if stream is None:
        return annotation.start_ns, annotation.end_ns
    return stream.time_map.to_session(annotation.start_ns), stream.time_map.to_session(annotation.end_ns)


def _shown(times: Times) -> str:
    return f"{times[0] / 1e9:.3f} to {times[1] / 1e9:.3f} s"
