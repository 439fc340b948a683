"""Whether labels of one moment say the same of what a thing does, and whether it moves as they say.

States are the attributes of a class that may change over time and are no matter of the sensor (``over_time``, not
``per_stream``). Speeds come from cuboids, carried through the poses.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from workstation.core.annotation import Annotation, AttributeValue, Presence
from workstation.core.cuboid_rows import Rows
from workstation.core.evidence import Evidence, Unmeasured
from workstation.core.ontology import ErrorType, Severity
from workstation.core.rigs import newest_calibration
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import LABEL_KINDS, Fault, Reach, rule
from workstation.qa.remembered import look_up
from workstation.qa.rules.items import annotation_item, class_of, judged_annotations, ontology_of, streams_by_id
from workstation.qa.rules.patterns import patterns_of
from workstation.qa.rules.sightings import views_of

_LASTING_S = 0.25
"""Two labels may notice a change one capture apart."""
_STILL = frozenset({"parked", "stopped", "waiting", "standing", "sitting", "lying"})
_GOING = frozenset({"moving", "walking", "running"})
_STANDS_MPS, _GOES_MPS = 0.1, 1.0
"""What stands seems to move a little from sweep to sweep, and what goes slows down before it stands."""
_OVER_NS, _LONG_NS = 1_000_000_000, 1_500_000_000
"""Long enough that the small clock errors which labelling allows do not look like motion where the vehicle turns."""
_SPEEDS = ("speed_kph", "speed_kmh", "speed_mps", "speed")
_BRAKES = ("brake_switch", "brake")
_CHANGE = {"braking": -1, "accelerating": 1}
_CLEAR_MPS2 = 0.5
Course = list[tuple[int, str]]
"""From when on a label says what, in session time."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What one label says of one attribute."""

    annotation: Annotation
    course: Course
    end_ns: int


@rule(
    "states.conflict",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.ERROR,
    limit=_LASTING_S,
    unit="s",
    looks_at=LABEL_KINDS,
    reach=Reach.NEAR,
)
def conflict(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Two labels of one thing say for the same time that it does different things, as waiting and walking."""
    streams = streams_by_id(snapshot, sample)
    for (entity, _, attribute), those in _said(snapshot, sample, streams).items():
        for odd, others in _odd_ones(those):
            lasting = [(_differences(odd, other), other) for other in others]
            apart, first_other = max(lasting, key=lambda each: _longest(each[0]))
            start, end, first, second = max(apart, key=lambda each: each[1] - each[0])
            labels = [odd, first_other, *(other for other in others if other is not first_other)]
            items = tuple(annotation_item(each.annotation, streams, class_of(snapshot, each.annotation))
                          for each in labels)  # fmt: skip
            more = f" (and so do {len(others) - 1} more)" if len(others) > 1 else ""
            speed = _speed_said(snapshot, sample, entity, start)
            yield Fault(
                text=f"{items[0].label} says {attribute} {first}, {items[1].label} says {second}{more}, for "
                f"{(end - start) / 1e9:.1f} s from {start / 1e9:.2f} s on{speed}",
                items=items,
                measured=round((end - start) / 1e9, 3),
                limit=_LASTING_S,
                suggestion="look which is right, and say the same in both",
                aspect=attribute,
            )


def _odd_ones(those: Sequence[_Said]) -> Iterator[tuple[_Said, list[_Said]]]:
    """Labels that say otherwise for long, each with those that it disagrees with; the one that most disagree with is
    told once for all of them.
    """
    left = [pair for pair in combinations(those, 2) if _lasting(*pair) > _LASTING_S]
    while left:
        counts = Counter(each.annotation.id for pair in left for each in pair)
        odd_id = max(counts, key=lambda each: counts[each])
        mine = [pair for pair in left if odd_id in (pair[0].annotation.id, pair[1].annotation.id)]
        left = [pair for pair in left if pair not in mine]
        odd = next(each for each in mine[0] if each.annotation.id == odd_id)
        yield odd, [other for pair in mine for other in pair if other.annotation.id != odd_id]


@rule(
    "states.motion",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.WARNING,
    limit=_GOES_MPS,
    unit="m/s",
    looks_at=LABEL_KINDS,
)
def motion(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A thing is labelled as standing while its cuboid moves, or as moving while it stands, for a second or longer."""
    streams = streams_by_id(snapshot, sample)
    placed = any(each.kind is StreamKind.CLOUD for each in streams.values()) and (
        newest_calibration(snapshot, sample.id).cameras
    )
    said = _said(snapshot, sample, streams) if placed else {}
    if not said:
        return
    tracks = _tracks(snapshot, sample, but_late=True)
    for (entity, layer, attribute), those in said.items():
        rows = tracks.get((entity, layer))
        if rows is None or any(_lasting(one, other) > _LASTING_S for one, other in combinations(those, 2)):
            continue  # what labels say against each other is found by states.conflict
        look_up(snapshot)
        wrong = _moves_otherwise(those[0], rows)
        if wrong is not None:
            start_ns, state, speed = wrong
            item = annotation_item(those[0].annotation, streams, class_of(snapshot, those[0].annotation))
            yield Fault(
                text=f"{item.label} says {attribute} {state} at {start_ns / 1e9:.2f} s, and moves at {speed:.1f} m/s",
                items=(item,),
                measured=round(speed, 2),
                limit=_GOES_MPS if state in _STILL else _STANDS_MPS,
                suggestion="say what it does, or mend the cuboid",
                aspect=attribute,
            )


@rule(
    "states.signal",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.ERROR,
    limit=_CLEAR_MPS2,
    unit="m/s²",
    looks_at=LABEL_KINDS,
    reach=Reach.NEAR,
)
def signal(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A span says that the vehicle brakes or accelerates, and its own speed or brake switch says the opposite."""
    streams = streams_by_id(snapshot, sample)
    spans = [each for each in judged_annotations(snapshot, sample)
             if class_of(snapshot, each) in _CHANGE and each.start_ns is not None and each.end_ns is not None
             and each.stream in streams]  # fmt: skip
    if not spans:
        return
    evidence = snapshot.evidence(sample.id)
    for each in spans:
        stream, class_id = streams[each.stream or ""], class_of(snapshot, each) or ""
        to_session = stream.time_map.to_session
        start_ns, end_ns = to_session(each.start_ns or 0), to_session(each.end_ns or 0)
        change = _acceleration(evidence, [stream, *streams.values()], start_ns, end_ns)
        if change is None or change * _CHANGE[class_id] > -_CLEAR_MPS2:
            continue
        braked = _braked(evidence, [stream, *streams.values()], start_ns, end_ns)
        item = annotation_item(each, streams, class_id)
        yield Fault(
            text=f"{item.label} from {start_ns / 1e9:.2f} to {end_ns / 1e9:.2f} s, while the speed changes by "
            f"{change:+.1f} m/s²" + ("" if braked is None else f" and the brake is on for {100 * braked:.0f} % of it"),
            items=(item,),
            measured=round(change, 2),
            limit=_CLEAR_MPS2 * _CHANGE[class_id],
            suggestion="label what the vehicle does, or move the span",
        )


def _said(snapshot: Snapshot, sample: Sample, streams: Mapping[str, Stream]) -> dict[tuple[str, str, str], list[_Said]]:
    """By thing, layer and attribute."""
    ontology = ontology_of(snapshot)
    states = {each.id for each in ontology.attributes.values() if each.over_time and not each.per_stream}
    found: defaultdict[tuple[str, str, str], list[_Said]] = defaultdict(list)
    for label in judged_annotations(snapshot, sample) if states else ():
        stream = streams.get(label.stream or "")
        if label.entity is None or stream is None or (label.track is None and states.isdisjoint(label.attributes)):
            continue
        if label.track is None:
            moments = [(label.start_ns, False, label.attributes), (label.end_ns, True, {})]
        else:
            keyframes = snapshot.keyframes(label.id)
            moments = [(each.time_ns, each.presence is Presence.ABSENT, each.attributes) for each in keyframes]
        timed = [(stream.time_map.to_session(at), gone, said) for at, gone, said in moments if at is not None]
        whole = {} if label.track is None else label.attributes
        for name in states & {*whole, *(name for _, _, said in timed for name in said)}:
            course = _course([(at, gone, said.get(name)) for at, gone, said in timed], whole.get(name))
            found[label.entity, label.layer, name].append(_Said(label, course, timed[-1][0]))
    return found


def _course(moments: Sequence[tuple[int, bool, AttributeValue | None]], whole: AttributeValue | None = None) -> Course:
    """What is said from when on; nothing while the thing is gone, and the same as before when it is back.

    ``whole`` is said of all of the track, until a keyframe says something else.
    """
    course: Course = []
    known = "" if whole is None else str(whole)
    for at_ns, gone, value in moments:
        known = known if value is None else str(value)
        now = "" if gone else known
        if not course or course[-1][1] != now:
            course.append((at_ns, now))
    return course


def _differences(one: _Said, other: _Said) -> list[tuple[int, int, str, str]]:
    """Stretches of time in which both say something, and not the same: from, to, what each says."""
    end_ns = min(one.end_ns, other.end_ns)
    times = [*sorted({at for at, _ in (*one.course, *other.course) if at < end_ns}), end_ns]
    found: list[tuple[int, int, str, str]] = []
    for start, end in pairwise(times):
        first, second = _at(one.course, start), _at(other.course, start)
        if first and second and first != second:
            if found and found[-1][1:] == (start, first, second):
                start = found.pop()[0]
            found.append((start, end, first, second))
    return found


def _longest(apart: Sequence[tuple[int, int, str, str]]) -> int:
    return max((end - start for start, end, _, _ in apart), default=0)


def _lasting(one: _Said, other: _Said) -> float:
    return _longest(_differences(one, other)) / 1e9


def _at(course: Course, at_ns: int) -> str:
    before = bisect_right(course, at_ns, key=lambda each: each[0])
    return course[before - 1][1] if before else ""


def _tracks(snapshot: Snapshot, sample: Sample, *, but_late: bool = False) -> dict[tuple[str, str], Rows]:
    """The cuboids of things, by entity and layer; ``but_late``: without those whose clock is off, which stand where
    nothing stood.
    """
    views = views_of(snapshot, sample)
    late = patterns_of(snapshot, sample).late if but_late else {}
    found: dict[tuple[str, str], Rows] = {}
    for each in views.solids.values():
        if each.stream in late:
            continue
        if each.entity is not None and each.track is not None:
            found.setdefault((each.entity, each.layer), views.placed.rows[each.id])
    return found


def _moves_otherwise(said: _Said, rows: Rows) -> tuple[int, str, float] | None:
    """Where what is said differs most from how the thing moves, over a second or more: when, what, the speed."""
    worst: tuple[float, tuple[int, str, float]] | None = None
    for judged, over_ns in ((_STILL, _OVER_NS), (_GOING, _LONG_NS)):
        for start, end, speed in _speeds(rows, over_ns):
            states = {_at(said.course, at) for at in (start, (start + end) // 2, end - 1)}
            state = states.pop()
            if states or end > said.end_ns or state not in judged:
                continue
            off = speed - _GOES_MPS if judged is _STILL else _STANDS_MPS - speed
            if off > 0 and (worst is None or off > worst[0]):
                worst = off, (start, state, speed)
    return None if worst is None else worst[1]


def _speeds(rows: Rows, over_ns: int) -> Iterator[tuple[int, int, float]]:
    """From, to, metres a second, over stretches of such a length that keyframes fill."""
    times, there = rows.times_ns, rows.presence != 2
    ends = np.searchsorted(times, times + over_ns)
    for i, j in enumerate(ends.tolist()):
        if j >= len(times) or not there[i : j + 1].all() or times[j] - times[i] > 2 * over_ns:
            continue
        moved = float(np.linalg.norm(rows.centers[j] - rows.centers[i]))
        yield int(times[i]), int(times[j]), moved / ((times[j] - times[i]) / 1e9)


def _speed_said(snapshot: Snapshot, sample: Sample, entity: str, at_ns: int) -> str:
    """ ", which moves at 1.4 m/s", where a cuboid tells."""
    try:
        tracks = _tracks(snapshot, sample)
    except Unmeasured:
        return ""
    for (owner, _), rows in tracks.items():
        near = [speed for start, end, speed in _speeds(rows, _OVER_NS) if start <= at_ns + _OVER_NS and end >= at_ns]
        if owner == entity and near:
            return f"; it moves at {float(np.median(near)):.1f} m/s"
    return ""


def _acceleration(evidence: Evidence, streams: Sequence[Stream], start_ns: int, end_ns: int) -> float | None:
    """How the speed changes over a stretch, metres a second squared, by the first stream that tells."""
    for stream in streams:
        for channel in _SPEEDS if stream.kind is StreamKind.SERIES else ():
            try:
                times, values = evidence.readings(stream, channel)
            except Unmeasured:
                continue
            within = (times >= start_ns) & (times < end_ns)
            if within.sum() >= 2:
                factor = 1 / 3.6 if "k" in channel.removeprefix("speed") else 1.0
                seconds = (times[within] - start_ns) / 1e9
                return float(np.polyfit(seconds, values[within] * factor, 1)[0])
    return None


def _braked(evidence: Evidence, streams: Sequence[Stream], start_ns: int, end_ns: int) -> float | None:
    """For which share of a stretch the brake was on."""
    for stream in streams:
        for channel in _BRAKES if stream.kind is StreamKind.SERIES else ():
            try:
                times, values = evidence.readings(stream, channel)
            except Unmeasured:
                continue
            within = (times >= start_ns) & (times < end_ns)
            if within.any():
                return float((values[within] > 0).mean())
    return None
