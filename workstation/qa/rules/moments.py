"""Whether what is linked as one moment is one: captures of fused pairs, and spans that begin and end together.

Limits are those of ``core/tolerances.py``: the kind of work decides, and the project may.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from workstation.core.annotation import Annotation, Link, State, TargetKind
from workstation.core.evidence import Unmeasured
from workstation.core.fused_pairs import SOLID, FusedPair, SolidPlaces, fused_pairs, solid_key
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import ErrorType, LinkType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.seen_and_heard import seen_and_heard
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import DISTANCE_TOLERANCE, allowed_ms, same_scan_limit_ms, sync_limit_ms
from workstation.qa.findings import LABEL_KINDS, NO_LABELS, Fault, Sees, rule, shaped
from workstation.qa.remembered import labels_by, of_each_link, remembered
from workstation.qa.rules.items import annotation_item, end_item, link_item, ontology_of, streams_by_id
from workstation.qa.rules.patterns import Lateness, patterns_of
from workstation.qa.rules.sightings import OVERLAID
from workstation.qa.rules.views import LINKED, late_views, one_frame_ms

_AS_NEAR_NS = 1_000_000


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
    judge = _SameScan(snapshot, sample)
    pairs = of_each_link(snapshot, sample, "pairs judged", judge.pairs_at)
    late = _late(snapshot, sample) if pairs else {}
    for those in pairs.values():
        for pair, fault in those:
            clock = late.get(pair.solid.stream or "")
            # What a clock that is off explains is ``calibration.late``'s finding.
            if clock is None:
                told = fault
            else:
                told = judge.judge(pair, int(clock.at_ns(np.array([pair.solid_ns], np.int64))[0]))
            if told is not None:
                yield told


class _SameScan:
    """Judges pairs one by one, by what is near each."""

    def __init__(self, snapshot: Snapshot, sample: Sample) -> None:
        self._snapshot, self._sample = snapshot, sample
        self._types = ontology_of(snapshot).link_types
        self._project = snapshot.project()
        self._streams = streams_by_id(snapshot, sample)
        self._places = SolidPlaces(snapshot, sample, labels_by(snapshot, sample, "solid views", solid_key))

    def pairs_at(self, link: Link) -> tuple[tuple[FusedPair, Fault | None], ...] | None:
        """The pairs of a link, each with its fault where its clocks are right; ``None`` of a link without pairs."""
        if not link.holds or link.state is State.REJECTED:
            return None
        pairs = fused_pairs(self._snapshot, self._sample, (link,), self._places)
        return tuple((pair, self.judge(pair, 0)) for pair in pairs) or None

    def judge(self, pair: FusedPair, clock_ns: int) -> Fault | None:
        """Whether the captures are too far apart, with the scanner's clock late by so much."""
        link_type = self._types.get(pair.link.type_id)
        limit = same_scan_limit_ms(self._project, {} if link_type is None else link_type.tolerance)
        apart_ms = abs(pair.residual_ns - clock_ns) / 1e6
        nearer = _nearer(self._taken(pair.solid.stream or ""), pair)
        required = None if self._project is None else self._project.tolerances.get(DISTANCE_TOLERANCE)
        if required is not None and pair.distance_m is not None and apart_ms > 0:
            # What counts is how far it moves meanwhile: a slow thing has more time than a fast one.
            limit = allowed_ms(required, pair.distance_m / apart_ms * 1000) or float("inf")
        if apart_ms <= limit and nearer is None:
            return None
        moved = "how far it moved is not known" if pair.distance_m is None else f"it moved {pair.distance_m:.2f} m"
        scan = "" if nearer is None else f"; {self._streams[pair.solid.stream or ''].key} has one {nearer:.1f} ms away"
        return Fault(
            text=f"{pair.link.type_id}: the captures are {apart_ms:.1f} ms apart, meanwhile {moved}{scan}",
            items=(
                link_item(pair.link),
                annotation_item(pair.flat, self._streams),
                annotation_item(pair.solid, self._streams),
            ),
            measured=round(apart_ms, 3),
            limit=limit if nearer is None else min(limit, round(nearer, 3)),
            suggestion="link the labels of the nearest captures",
            aspect=f"{pair.flat.id} {pair.solid.id}",
        )

    def _taken(self, scanner: str) -> Sequence[int]:
        """When the scans of a stream were taken, where its media are at hand; without, pairs are judged all the same.

        A scan that stands alone has no other that could be nearer.
        """

        def read() -> Sequence[int]:
            try:
                taken = self._snapshot.evidence(self._sample.id).captures(self._streams[scanner])
            except Unmeasured:
                return ()
            return sorted(taken.tolist()) if len(taken) > 1 else ()

        return remembered(self._snapshot, ("scans", scanner), read, NO_LABELS) if scanner in self._streams else ()


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
    one_moment = {key: kind for key, kind in types.items() if _is_one_moment(kind)}

    def judge(link: Link) -> Fault | None:
        link_type = one_moment.get(link.type_id)
        if link_type is None or link.state is State.REJECTED or not link.holds:
            return None
        if seen_and_heard(snapshot, link, streams) is not None:
            return None  # judged by clocks.sound_and_picture, whose limit is that of picture and sound
        allowed = max(min(limit, link_type.tolerance["time_ms"]), _picture_ms(snapshot, sample, link, streams))
        measured = _spread_ms(snapshot, link, streams, ends_too=link_type.symmetric)
        if measured <= allowed:
            return None
        return Fault(
            text=f"{link.type_id}: what is one moment lies {measured:.1f} ms apart ({whose})",
            items=(link_item(link), *map(end_item, link.ends)),
            measured=round(measured, 3),
            limit=allowed,
            suggestion="mend the labels, or the time map of the stream that is off (sync status)",
        )

    apart = of_each_link(snapshot, sample, "moments apart", judge)
    # Where a whole view is late (views.late), that is found, and not its events.
    explained = {link for view in late_views(snapshot, sample) for link in view.links} if apart else set()
    yield from (fault for link, fault in apart.items() if link not in explained)


def _nearer(taken: Sequence[int], pair: FusedPair) -> float | None:
    """How far the nearest scan is from the picture, in ms, if the pair does not use that one."""
    if not taken:
        return None
    after = bisect_left(taken, pair.flat_ns)
    best_ns = min(abs(each - pair.flat_ns) for each in taken[max(after - 1, 0) : after + 1])
    return best_ns / 1e6 if abs(pair.residual_ns) > best_ns + _AS_NEAR_NS else None


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
