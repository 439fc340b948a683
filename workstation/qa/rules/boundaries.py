"""Boundaries between labels: where two labels meet, and their counterparts in another stream meet as well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from workstation.core.annotation import Annotation, Link
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import ErrorType, Severity
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import LABEL_KINDS, Fault, rule
from workstation.qa.remembered import of_each_link
from workstation.qa.rules.items import annotation_item, class_of, streams_by_id
from workstation.qa.rules.said import ends_of, stands
from workstation.qa.rules.views import LINKED, late_views

JOINING = frozenset({"synchronized_with", "coincides_with"})
MEET_NS = 1_000_000
"""Labels meet when one begins within a millisecond of the other's end."""
_SLACK = 1.01
Spans = tuple[Annotation, tuple[int, int]]


@rule("boundaries.shared", error_type=ErrorType.TEMPORAL, severity=Severity.WARNING, limit=1.0, unit="frames",
      looks_at=LABEL_KINDS, sees=LINKED)  # fmt: skip
def shared(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Two labels of a film meet at a boundary, what is linked to them as the same moment meets at another, and the two
    are more than one frame apart.
    """
    streams = streams_by_id(snapshot, sample)
    for (seen, _), pairs in _pairs(snapshot, sample, streams).items():
        ordered = sorted(pairs, key=lambda pair: pair[0][1])
        for ((a, a_at), (b, b_at)), ((c, c_at), (d, d_at)) in pairwise(ordered):
            if abs(a_at[1] - c_at[0]) > MEET_NS or abs(b_at[1] - d_at[0]) > MEET_NS:
                continue
            frame_ns = _frame_ns(snapshot, sample, streams[seen])
            off = (c_at[0] - d_at[0]) / frame_ns
            if abs(off) > _SLACK:
                names = [annotation_item(each, streams, class_of(snapshot, each)) for each in (a, c, b, d)]
                yield Fault(
                    text=f"{names[0].label} and {names[1].label} meet at {c_at[0] / 1e9:.3f} s, what goes with them "
                    f"meets at {d_at[0] / 1e9:.3f} s, {abs(off):.1f} frames {'earlier' if off > 0 else 'later'}",
                    items=tuple(names),
                    measured=round(abs(off), 2),
                    suggestion=f"move the boundary by {-off:+.0f} frames",
                )


def _pairs(
    snapshot: Snapshot, sample: Sample, streams: dict[str, Stream]
) -> dict[tuple[str, str], list[tuple[Spans, Spans]]]:
    """Spans of a film with what links call the same moment, by the two streams."""
    made = partial(_pairs_at, snapshot, streams)
    at_links = of_each_link(snapshot, sample, "boundaries", lambda link: tuple(made(link)) or None)
    # Where a whole view is late (views.late), its boundaries are where they belong.
    explained = {link for view in late_views(snapshot, sample) for link in view.links} if at_links else set()
    found: defaultdict[tuple[str, str], list[tuple[Spans, Spans]]] = defaultdict(list)
    for link in sorted(at_links.keys() - explained):
        for places, pair in at_links[link]:
            found[places].append(pair)
    return found


def _pairs_at(
    snapshot: Snapshot, streams: dict[str, Stream], link: Link
) -> Iterator[tuple[tuple[str, str], tuple[Spans, Spans]]]:
    if link.type_id not in JOINING or not stands(link):
        return
    spans = [(each, at) for each in ends_of(snapshot, link) if (at := _times(each, streams)) is not None]
    for one in spans:
        for other in spans:
            places = one[0].stream or "", other[0].stream or ""
            if places[0] != places[1] and streams[places[0]].kind is StreamKind.VIDEO:
                yield places, (one, other)


def _times(label: Annotation, streams: dict[str, Stream]) -> tuple[int, int] | None:
    stream = streams.get(label.stream or "")
    if stream is None or label.kind is not ShapeKind.SPAN or label.start_ns is None or label.end_ns is None:
        return None
    return stream.time_map.to_session(label.start_ns), stream.time_map.to_session(label.end_ns)


def _frame_ns(snapshot: Snapshot, sample: Sample, stream: Stream) -> float:
    """How long a frame of the film usually is shown."""
    import numpy as np

    times = snapshot.evidence(sample.id).captures(stream)
    return float(np.median(np.diff(times))) if len(times) > 1 else 1e9
