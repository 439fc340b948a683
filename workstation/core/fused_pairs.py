"""Fused pairs: a label in a picture linked with one in space. How far apart their captures are, in time and in metres.

The residual of every pair is shown (``workstation sync pairs``); the check ``moments.same_scan`` judges it. It is a
sampling distance between two captures in session time, not an error of the clocks. The metres are how far the thing
moves meanwhile in the frame its cuboids are in, from its positions before and after.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workstation.core.annotation import Annotation, Link, State, TargetKind
from workstation.core.geometry import Cuboid, Point3D, Shape, ShapeKind
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot

FLAT = frozenset({ShapeKind.BOX, ShapeKind.POLYGON, ShapeKind.MASK, ShapeKind.POINT, ShapeKind.KEYPOINTS})
SOLID = frozenset({ShapeKind.CUBOID, ShapeKind.POINT_SET, ShapeKind.POINT_3D})
Place = tuple[int, tuple[float, float, float]]
"""Session time and metres."""
SolidKey = tuple[str, str | None, str | None, ShapeKind]
"""The thing, and what its labels have in common: stream, frame and kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedPair:
    """One flat and one solid end of a link at the captures they lie on, in session time."""

    link: Link
    flat: Annotation
    solid: Annotation
    flat_ns: int
    solid_ns: int
    distance_m: float | None
    """How far the thing moves between the two; ``None`` where it has one position only."""

    @property
    def residual_ns(self) -> int:
        """The solid end's capture minus the flat one's."""
        return self.solid_ns - self.flat_ns


def links_into_space(snapshot: Snapshot, sample: Sample) -> tuple[Link, ...]:
    """The standing links of a sample with an end in space, among which the pairs are."""
    solids = {each.id for each in snapshot.annotations(sample.id) if each.kind in SOLID}
    return tuple(
        link
        for link in snapshot.links(sample.id)
        if not solids.isdisjoint([end.target for end in link.ends]) and link.holds and link.state is not State.REJECTED
    )


def fused_pairs(
    snapshot: Snapshot, sample: Sample, links: Iterable[Link] | None = None, places: SolidPlaces | None = None
) -> Iterator[FusedPair]:
    """Every pair of a sample's standing links whose captures are known. ``links`` are those into space, and ``places``
    where things are, where these are known already.

    A label of one capture lies there; a track lies on its first keyframe in the interval that the link speaks of (from
    the first of the captures to the last), or on the one nearest to the moment that it speaks of; without either the
    pair is one of whole tracks, which have no residual.
    """
    streams: dict[str, Stream] = {stream.id: stream for stream in snapshot.streams(sample.id)}
    places = SolidPlaces(snapshot, sample) if places is None else places
    for link in links_into_space(snapshot, sample) if links is None else links:
        flat, solid = _ends(snapshot, link)
        for first in flat:
            for second in solid:
                first_ns = _capture_ns(snapshot, first, streams, link)
                second_ns = _capture_ns(snapshot, second, streams, link)
                if first_ns is None or second_ns is None:
                    continue
                yield FusedPair(
                    link=link, flat=first, solid=second, flat_ns=first_ns, solid_ns=second_ns,
                    distance_m=moved_m(places.of(second), first_ns, second_ns),
                )  # fmt: skip


def moved_m(places: Sequence[Place], first_ns: int, second_ns: int) -> float | None:
    """How far something moves between two times, by its positions (sorted by time) and its last speed beyond them."""
    if len(places) < 2:
        return None
    return math.dist(_position(places, first_ns), _position(places, second_ns))


def _position(places: Sequence[Place], time_ns: int) -> list[float]:
    after = min(max(bisect_left(places, time_ns, key=_time_ns), 1), len(places) - 1)
    (t0, p0), (t1, p1) = places[after - 1], places[after]
    share = (time_ns - t0) / (t1 - t0)
    return [a + (b - a) * share for a, b in zip(p0, p1, strict=True)]


def _time_ns(place: Place) -> int:
    return place[0]


def _ends(snapshot: Snapshot, link: Link) -> tuple[list[Annotation], list[Annotation]]:
    found = [snapshot.get(RecordKind.ANNOTATION, e.target) for e in link.ends if e.kind is TargetKind.ANNOTATION]
    annotations = [each for each in found if isinstance(each, Annotation)]
    return [each for each in annotations if each.kind in FLAT], [each for each in annotations if each.kind in SOLID]


def _capture_ns(snapshot: Snapshot, annotation: Annotation, streams: dict[str, Stream], link: Link) -> int | None:
    stream = None if annotation.stream is None else streams.get(annotation.stream)
    if stream is None or annotation.start_ns is None:
        return None
    if annotation.track is None:
        return stream.time_map.to_session(annotation.start_ns)
    if link.start_ns is None:
        return None
    moments = [stream.time_map.to_session(each.time_ns) for each in snapshot.keyframes(annotation.id) if each.shape]
    if link.end_ns is not None and link.end_ns > link.start_ns:
        moments = [time_ns for time_ns in moments if link.start_ns <= time_ns < link.end_ns]
    return min(moments, key=lambda time_ns: abs(time_ns - (link.start_ns or 0)), default=None)


class SolidPlaces:
    """Where things in space are, by all labels of their kind on the same stream; each thing is looked up once.

    ``alike`` are the ids of these labels by ``solid_key``, where they are known already.
    """

    def __init__(
        self, snapshot: Snapshot, sample: Sample, alike: Mapping[SolidKey, Sequence[str]] | None = None
    ) -> None:
        self._snapshot, self._sample = snapshot, sample
        self._streams: dict[str, Stream] = {stream.id: stream for stream in snapshot.streams(sample.id)}
        self._views = alike
        self._known: dict[SolidKey, list[Place]] = {}

    def of(self, label: Annotation) -> list[Place]:
        """The places of a label's thing, by time; one a moment."""
        key = _key(label)
        if key not in self._known:
            stream = self._streams.get(label.stream or "")
            known: dict[int, tuple[float, float, float]] = {}
            for each in () if stream is None else self._alike(label):
                for time_ns, shape in _shapes(self._snapshot, each):
                    center = _center(shape)
                    if center is not None and stream is not None:
                        known.setdefault(stream.time_map.to_session(time_ns), center)
            self._known[key] = sorted(known.items())
        return self._known[key]

    def _alike(self, label: Annotation) -> Sequence[Annotation]:
        if label.entity is None:
            return [label]
        if self._views is None:
            views: defaultdict[SolidKey, list[str]] = defaultdict(list)
            for each in self._snapshot.annotations(self._sample.id):
                if (key := solid_key(each)) is not None:
                    views[key].append(each.id)
            self._views = views
        found = [self._snapshot.get(RecordKind.ANNOTATION, each) for each in self._views.get(_key(label), ())]
        return [each for each in found if isinstance(each, Annotation)] or [label]


def solid_key(label: Annotation) -> SolidKey | None:
    """What all labels of one thing in space have in common that say where it is; ``None`` of any other label."""
    return None if label.entity is None or label.kind not in SOLID else _key(label)


def _key(label: Annotation) -> SolidKey:
    return label.entity or label.id, label.stream, label.frame, label.kind


def _shapes(snapshot: Snapshot, annotation: Annotation) -> Iterator[tuple[int, Shape]]:
    if annotation.track is not None:
        yield from ((each.time_ns, each.shape) for each in snapshot.keyframes(annotation.id) if each.shape is not None)
    elif annotation.start_ns is not None and annotation.shape is not None:
        yield annotation.start_ns, annotation.shape


def _center(shape: Shape) -> tuple[float, float, float] | None:
    if isinstance(shape, Cuboid):
        return shape.center
    return (shape.x, shape.y, shape.z) if isinstance(shape, Point3D) else None
