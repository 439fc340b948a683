"""Whether several views of one event agree: the same boundaries in each, and the same thing under each name.

Views are streams of pictures of one sample. Which thing is which is told by motion: what moves in one view moves in
the others at the same time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np

from workstation.core.annotation import Annotation, Link, Presence, State, TargetKind
from workstation.core.evidence import Unmeasured
from workstation.core.findings import Item
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.rotation import Floats
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import sync_limit_ms
from workstation.qa.findings import LABEL_KINDS, Fault, Sees, rule, shaped
from workstation.qa.remembered import of_each_link, remembered
from workstation.qa.rules.items import annotation_item, class_of, judged_annotations, ontology_of, streams_by_id
from workstation.qa.rules.sightings import PICTURES, bounds

LINKED = Sees(labels=())
"""What rules look at that go from link to link."""
_FEWEST_EVENTS = 3
_ROUNDED_MS = 1.0
_SHARE = 0.75
"""Of the events of a view, so many must be late alike."""
_STEP_S = 0.25
_FEWEST_STEPS = 8
_MOVES = 0.1
"""What moves by so much of its own size in a second moves."""
_STANDING = 0.8
"""A camera stands if at so many steps at least half of its things do."""
_CLEARER = 0.5
"""Two things are exchanged if motion fits so much better the other way round (correlations, summed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateView:
    """A view whose events begin and end late, all by the same time, against the other views."""

    stream: Stream
    late_ms: float
    events: int
    spans: tuple[Annotation, ...]
    links: frozenset[str]
    """The links that this explains."""


@rule(
    "views.late",
    error_type=ErrorType.TEMPORAL,
    severity=Severity.ERROR,
    limit="the profile's sync limit, or the project's sync_ms, and never below one picture",
    unit="ms",
    looks_at=LABEL_KINDS,
    sees=LINKED,
)
def late(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """The events of one view all begin and end later or earlier than the same events in the other views: the view
    itself is late, and not the events.
    """
    streams = streams_by_id(snapshot, sample)
    limit, whose = _view_limit(snapshot, sample)
    for each in late_views(snapshot, sample):
        yield Fault(
            text=f"{each.stream.key} shows all {each.events} events {abs(each.late_ms):.1f} ms "
            f"{'later' if each.late_ms > 0 else 'earlier'} than the other views ({whose})",
            items=(
                Item(RecordKind.STREAM.value, each.stream.id, each.stream.key),
                *(annotation_item(span, streams, class_of(snapshot, span)) for span in each.spans[:3]),
            ),
            measured=round(abs(each.late_ms), 1),
            limit=limit,
            suggestion=f"measure and correct the clock of {each.stream.key} (panel Synchronise, or workstation sync)",
        )


@rule(
    "views.exchanged",
    error_type=ErrorType.INCORRECT_PAIRING,
    severity=Severity.ERROR,
    limit=_CLEARER,
    unit="correlation",
    looks_at=LABEL_KINDS,
    sees=Sees(labels=shaped(on=PICTURES, tracks=True), links=frozenset()),
)
def exchanged(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Two things have changed names in one view: each moves there when the other one does in the other views."""
    streams = streams_by_id(snapshot, sample)
    motions = _motions(snapshot, sample, streams)
    for (layer, view), here in motions.items():
        others = {other: each for (at, other), each in motions.items() if at == layer and other != view}
        for one, two in combinations(sorted(here), 2):
            gains = {other: gain for other, each in others.items()
                     if (gain := _gain(here, each, one, two)) is not None}  # fmt: skip
            if not gains or min(gains.values()) <= _CLEARER or (len(others) == 1 and view > next(iter(others))):
                continue  # of two views nobody can say which is wrong: one finding, which names both, is enough
            against = [here[one][0], here[two][0]]
            against += [others[other][each][0] for other in gains for each in (one, two)]
            items = tuple(annotation_item(each, streams, class_of(snapshot, each)) for each in against)
            named = " and ".join(streams[other].key for other in gains)
            yield Fault(
                text=f"{items[0].label} and {items[1].label} have changed places against {named}: each moves here when "
                "the other one moves there",
                items=items,
                measured=round(min(gains.values()), 2),
                limit=_CLEARER,
                suggestion="look which view is wrong, and exchange the two things there (track.swap)",
            )


def _view_limit(snapshot: Snapshot, sample: Sample) -> tuple[float, str]:
    limit, whose = sync_limit_ms(snapshot.project(), sample)
    frame = one_frame_ms(snapshot, sample, streams_by_id(snapshot, sample).values())
    return (limit, whose) if limit >= frame else (frame + _ROUNDED_MS, "one picture")


def late_views(snapshot: Snapshot, sample: Sample) -> tuple[LateView, ...]:
    """The views that are late as a whole; asked by ``moments.apart``, which leaves their events alone."""
    return remembered(snapshot, ("late views", sample.id), lambda: tuple(_late_views(snapshot, sample)), LINKED)


def one_frame_ms(snapshot: Snapshot, sample: Sample, streams: Iterable[Stream]) -> float:
    """The longest step from picture to picture of these streams: nobody can place an event more exactly. 0 where the
    films are not at hand.
    """
    steps = [0.0]
    for stream in streams:
        try:
            taken = snapshot.evidence(sample.id).captures(stream) if stream.kind is StreamKind.VIDEO else None
        except Unmeasured:
            continue
        if taken is not None and len(taken) > 1:
            steps.append(float(np.median(np.diff(taken))) / 1e6)
    return max(steps)


def _late_views(snapshot: Snapshot, sample: Sample) -> Iterator[LateView]:
    streams = streams_by_id(snapshot, sample)
    limit, _ = _view_limit(snapshot, sample)
    late: defaultdict[str, list[tuple[float, Annotation, Link]]] = defaultdict(list)
    for link, spans in _events(snapshot, sample, streams):
        for view, (span, begin_ns, end_ns) in spans.items():
            others = [(b, e) for other, (_, b, e) in spans.items() if other != view]
            begins, ends = (float(np.median([each[i] for each in others])) for i in (0, 1))
            off = (begin_ns - begins) / 1e6, (end_ns - ends) / 1e6
            # An event that is only shorter or longer is a matter of the label.
            late[view].append((sum(off) / 2 if abs(off[0] - off[1]) <= limit else float("nan"), span, link))
    found = []
    for view, those in late.items():
        offs = np.array([each[0] for each in those])
        middle = float(np.nanmedian(offs)) if np.isfinite(offs).any() else 0.0
        alike = np.abs(offs - middle) <= limit
        if len(offs) >= _FEWEST_EVENTS and alike.mean() >= _SHARE and abs(middle) > limit:
            found.append((abs(middle), LateView(
                stream=streams[view], late_ms=middle, events=int(alike.sum()),
                spans=tuple(span for (_, span, _), like in zip(those, alike, strict=True) if like),
                links=frozenset(link.id for (_, _, link), like in zip(those, alike, strict=True) if like),
            )))  # fmt: skip
    # Beside a view that is late the others may look early by less: the one that is farthest off explains them.
    taken: set[str] = set()
    for _, each in sorted(found, key=lambda each: -each[0]):
        if not each.links & taken:
            taken |= each.links
            yield each


_Event = tuple[Link, dict[str, tuple[Annotation, int, int]]]
"""A link, and its span in each view with begin and end in session time."""


def _events(snapshot: Snapshot, sample: Sample, streams: Mapping[str, Stream]) -> list[_Event]:
    """Links that say that spans of several views are one moment."""
    found = of_each_link(snapshot, sample, "events of views", partial(_event, snapshot, streams))
    return [found[link] for link in sorted(found)]


def _event(snapshot: Snapshot, streams: Mapping[str, Stream], link: Link) -> _Event | None:
    kind = ontology_of(snapshot).link_types.get(link.type_id)
    if kind is None or not kind.symmetric or "time_ms" not in kind.tolerance or not link.holds:
        return None
    spans: dict[str, tuple[Annotation, int, int]] = {}
    for end in link.ends if link.state is not State.REJECTED else ():
        span = snapshot.get(RecordKind.ANNOTATION, end.target) if end.kind is TargetKind.ANNOTATION else None
        stream = streams.get(span.stream or "") if isinstance(span, Annotation) else None
        if not isinstance(span, Annotation) or stream is None or stream.kind not in PICTURES:
            continue
        if span.kind is ShapeKind.SPAN and span.start_ns is not None and span.end_ns is not None:
            to_session = stream.time_map.to_session
            spans[stream.id] = span, to_session(span.start_ns), to_session(span.end_ns)
    return (link, spans) if len(spans) > 1 else None


Motion = tuple[Annotation, Floats]
"""A track, and whether its box moves at each step of the sample: 1, 0, or NaN where it is not there."""


def _motions(
    snapshot: Snapshot, sample: Sample, streams: Mapping[str, Stream]
) -> dict[tuple[str, str], dict[str, Motion]]:
    """By layer and view, then by thing."""
    tracks: defaultdict[tuple[str, str], dict[str, tuple[Annotation, Floats, Floats]]] = defaultdict(dict)
    for each in judged_annotations(snapshot, sample):
        stream = streams.get(each.stream or "")
        if each.track is None or each.entity is None or stream is None or stream.kind not in PICTURES:
            continue
        shown = [
            (stream.time_map.to_session(keyframe.time_ns) / 1e9, box)
            for keyframe in snapshot.keyframes(each.id)
            if keyframe.presence is not Presence.ABSENT and (box := bounds(keyframe.shape)) is not None
        ]
        if len(shown) > 1:
            times, boxes = np.array([at for at, _ in shown]), np.array([box for _, box in shown])
            tracks[each.layer, stream.id][each.entity] = each, times, boxes
    if len(tracks) < 2:
        return {}
    every = [times for view in tracks.values() for _, times, _ in view.values()]
    steps = np.arange(min(each[0] for each in every), max(each[-1] for each in every), _STEP_S)
    found = {
        place: {entity: (label, _moves(times, boxes, steps)) for entity, (label, times, boxes) in view.items()}
        for place, view in tracks.items()
    }
    return {place: view for place, view in found.items() if _stands(view)}


def _stands(view: Mapping[str, Motion]) -> bool:
    """Whether a camera stands: where it moves itself, nearly everything does in its pictures."""
    moving = np.array([each for _, each in view.values()])
    known = np.isfinite(moving).sum(0)
    still = (moving == 0).sum(0)
    told = known >= 2
    return bool(told.any()) and float((still[told] * 2 >= known[told]).mean()) >= _STANDING


def _moves(times: Floats, boxes: Floats, steps: Floats) -> Floats:
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    size = float(np.median(np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)))) or 1.0
    at = np.stack([np.interp(steps, times, middles[:, i], left=np.nan, right=np.nan) for i in (0, 1)], 1)
    moved = np.linalg.norm(np.diff(at, axis=0), axis=1) / size / _STEP_S
    moves = np.where(np.isfinite(moved), (moved > _MOVES).astype(np.float64), np.nan)
    return np.append(moves, np.nan)


def _gain(here: Mapping[str, Motion], there: Mapping[str, Motion], one: str, two: str) -> float | None:
    """How much better the motion of two things fits another view the other way round."""
    if one not in there or two not in there:
        return None
    fits = np.array([[_alike(here[a][1], there[b][1]) for b in (one, two)] for a in (one, two)])
    gain = float(fits[0, 1] + fits[1, 0] - fits[0, 0] - fits[1, 1])
    if not np.isfinite(gain):
        return None
    # Two that merely move at other times in two views are no exchange: one must move as the other one does.
    return gain if max(fits[0, 1], fits[1, 0]) > _CLEARER else 0.0


def _alike(one: Floats, other: Floats) -> float:
    """Correlation of two motions where both are known; 0 where one of them stands still, NaN of too little."""
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < _FEWEST_STEPS:
        return float("nan")
    a, b = one[both], other[both]
    spread = float(a.std() * b.std())
    return 0.0 if spread < 1e-4 else float(((a - a.mean()) * (b - b.mean())).mean() / spread)
