"""Whether what is linked as one moment is one: captures of fused pairs, and spans that begin and end together.

Limits are those of ``core/tolerances.py``: the kind of work decides, and the project may.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping

import numpy as np

from workstation.core.annotation import Annotation, Link, State, TargetKind
from workstation.core.evidence import Unmeasured
from workstation.core.fused_pairs import SOLID, FusedPair, fused_pairs, links_into_space
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import ErrorType, LinkType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.seen_and_heard import seen_and_heard
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import DISTANCE_TOLERANCE, allowed_ms, same_scan_limit_ms, sync_limit_ms
from workstation.qa.findings import LABEL_KINDS, Fault, Sees, rule, shaped
from workstation.qa.remembered import remembered
from workstation.qa.rules.items import annotation_item, end_item, link_item, ontology_of, streams_by_id
from workstation.qa.rules.patterns import Lateness, patterns_of
from workstation.qa.rules.sightings import OVERLAID
from workstation.qa.rules.views import LINKED, late_views, one_frame_ms

_AS_NEAR_NS = 1_000_000
_JOINING = Sees(labels=shaped(*SOLID), ends=False)
"""What says which links lead into space."""


@rule(
    "moments.same_scan",
    error_type=ErrorType.TEMPORAL,
    severity=Severity.ERROR,
    version=3,
    limit="the nearest scan; the project's distance_m at the thing's speed, else the link type's time_ms",
    unit="ms",
    looks_at=LABEL_KINDS,
    sees=Sees(labels=(*OVERLAID, *shaped(*SOLID))),
)
def same_scan(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A label in a picture and one in space are linked across captures that are too far apart: another sweep or frame.

    It says how many milliseconds, and how many metres the thing moves meanwhile; also where they are near enough, but
    another scan is nearer to the picture.
    """
    types = ontology_of(snapshot).link_types
    project = snapshot.project()
    streams = streams_by_id(snapshot, sample)
    key = ("links into space", sample.id)
    joining = remembered(snapshot, key, lambda: links_into_space(snapshot, sample), _JOINING)
    pairs = list(fused_pairs(snapshot, sample, joining))
    late = _late(snapshot, sample) if pairs else {}
    taken = _taken(snapshot, sample, {pair.solid.stream or "" for pair in pairs}, streams)
    for pair in pairs:
        link_type = types.get(pair.link.type_id)
        limit = same_scan_limit_ms(project, {} if link_type is None else link_type.tolerance)
        clock = late.get(pair.solid.stream or "")
        clock_ns = 0 if clock is None else int(clock.at_ns(np.array([pair.solid_ns], np.int64))[0])
        apart_ms = abs(pair.residual_ns - clock_ns) / 1e6
        nearer = _nearer(taken, pair, streams)
        required = None if project is None else project.tolerances.get(DISTANCE_TOLERANCE)
        if required is not None and pair.distance_m is not None and apart_ms > 0:
            # What counts is how far it moves meanwhile: a slow thing has more time than a fast one.
            limit = allowed_ms(required, pair.distance_m / apart_ms * 1000) or float("inf")
        if apart_ms <= limit and nearer is None:
            continue
        moved = "how far it moved is not known" if pair.distance_m is None else f"it moved {pair.distance_m:.2f} m"
        yield Fault(
            text=f"{pair.link.type_id}: the captures are {apart_ms:.1f} ms apart, meanwhile {moved}"
            + ("" if nearer is None else f"; {nearer[1]} has one {nearer[0]:.1f} ms away"),
            items=(link_item(pair.link), annotation_item(pair.flat, streams), annotation_item(pair.solid, streams)),
            measured=round(apart_ms, 3),
            limit=limit if nearer is None else min(limit, round(nearer[0], 3)),
            suggestion="link the labels of the nearest captures",
            aspect=f"{pair.flat.id} {pair.solid.id}",
        )


@rule(
    "moments.apart",
    error_type=ErrorType.TEMPORAL,
    severity=Severity.ERROR,
    version=3,
    limit="the profile's sync limit, or the project's sync_ms; between pictures never below one picture",
    unit="ms",
    looks_at=LABEL_KINDS,
    sees=LINKED,
)
def apart(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Spans that are linked as one moment begin (or, in symmetric links, end) further apart than the work allows."""
    types = ontology_of(snapshot).link_types
    limit, whose = sync_limit_ms(snapshot.project(), sample)
    streams = streams_by_id(snapshot, sample)
    explained = {link for view in late_views(snapshot, sample) for link in view.links}
    one_moment = {key: kind for key, kind in types.items() if _is_one_moment(kind)}
    for link in snapshot.links(sample.id):
        link_type = one_moment.get(link.type_id)
        if link.id in explained:
            continue  # found by views.late: the view is late, and not its events
        if link_type is None or link.state is State.REJECTED or not link.holds:
            continue
        if seen_and_heard(snapshot, link, streams) is not None:
            continue  # judged by clocks.sound_and_picture, whose limit is that of picture and sound
        allowed = max(min(limit, link_type.tolerance["time_ms"]), _picture_ms(snapshot, sample, link, streams))
        measured = _spread_ms(snapshot, link, streams, ends_too=link_type.symmetric)
        if measured > allowed:
            yield Fault(
                text=f"{link.type_id}: what is one moment lies {measured:.1f} ms apart ({whose})",
                items=(link_item(link), *map(end_item, link.ends)),
                measured=round(measured, 3),
                limit=allowed,
                suggestion="mend the labels, or the time map of the stream that is off (sync status)",
            )


def _taken(snapshot: Snapshot, sample: Sample, scans: set[str], streams: dict[str, Stream]) -> dict[str, list[int]]:
    """When the scans of some streams were taken, where their media are at hand; without, pairs are judged all the same.

    A scan that stands alone has no other that could be nearer.
    """
    found = {}
    for key in scans & streams.keys():
        try:
            taken = snapshot.evidence(sample.id).captures(streams[key])
        except Unmeasured:
            continue
        if len(taken) > 1:
            found[key] = sorted(taken.tolist())
    return found


def _nearer(taken: dict[str, list[int]], pair: FusedPair, streams: dict[str, Stream]) -> tuple[float, str] | None:
    """How far the nearest scan is from the picture, in ms, and its stream, if the pair does not use that one."""
    scan = pair.solid.stream or ""
    if scan not in taken:
        return None
    after = bisect_left(taken[scan], pair.flat_ns)
    best_ns = min(abs(each - pair.flat_ns) for each in taken[scan][max(after - 1, 0) : after + 1])
    return (best_ns / 1e6, streams[scan].key) if abs(pair.residual_ns) > best_ns + _AS_NEAR_NS else None


def _late(snapshot: Snapshot, sample: Sample) -> Mapping[str, Lateness]:
    """Scanners whose clock is found to be off (``calibration.late``): that is not what their links are blamed for."""
    try:
        return patterns_of(snapshot, sample).late
    except Unmeasured:
        return {}


def _picture_ms(snapshot: Snapshot, sample: Sample, link: Link, streams: dict[str, Stream]) -> float:
    """The step between pictures, where all ends lie on pictures."""
    ends = [snapshot.get(RecordKind.ANNOTATION, end.target) for end in link.ends]
    places = [streams.get(end.stream or "") for end in ends if isinstance(end, Annotation)]
    known = [place for place in places if place is not None and place.kind is StreamKind.VIDEO]
    if len(known) < len(ends):
        return 0.0
    frame = one_frame_ms(snapshot, sample, {each.id: each for each in known}.values())
    return frame + 1.0 if frame else 0.0


def _is_one_moment(link_type: LinkType) -> bool:
    """Whether its ends are to be at one time: it has a tolerance of time, and joins labels, none of them a phrase."""
    return "time_ms" in link_type.tolerance and all(
        role.targets == (TargetKind.ANNOTATION,) and role.shapes != (ShapeKind.TEXT_SPAN,) for role in link_type.roles
    )


def _spread_ms(snapshot: Snapshot, link: Link, streams: dict[str, Stream], *, ends_too: bool) -> float:
    """The largest distance between the spans' beginnings (and ends) in session time; 0 with fewer than two spans."""
    starts, ends = [], []
    for end in link.ends:
        found = snapshot.get(RecordKind.ANNOTATION, end.target)
        if not isinstance(found, Annotation) or found.kind is not ShapeKind.SPAN or found.track is not None:
            continue
        stream = None if found.stream is None else streams.get(found.stream)
        if found.start_ns is not None and found.end_ns is not None:
            times = (found.start_ns, found.end_ns)
            start_ns, end_ns = times if stream is None else map(stream.time_map.to_session, times)
            starts.append(start_ns)
            ends.append(end_ns)
    if len(starts) < 2:
        return 0.0
    spread = max(starts) - min(starts)
    return max(spread, max(ends) - min(ends) if ends_too else 0) / 1e6
