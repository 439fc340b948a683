"""One identity proposed for labels of several cameras, by geometry: the rays through both labels meet where the thing
is, at the same time, and it is as tall there from either side. Rule ``identity``. Where one of them has a cuboid as
well, the rays must meet in it; what would be much smaller or larger than its class is none of it.

Where a camera has no calibration, only what is the one thing of its class in both pictures at the same time is
proposed, and the sentence says that nothing was measured.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from workstation.app.sample_view import SampleView
from workstation.app.sightings import Look, Sightings
from workstation.app.usual_sizes import usual_size
from workstation.core.annotation import Annotation, State, TargetKind
from workstation.core.ontology import ClassRelation
from workstation.core.rays import meeting
from workstation.core.rotation import Floats
from workstation.core.suggestion import SAME_OBJECT, SuggestedEnd, Suggestion

NAME = "identity"
_APART_NS = 60_000_000
"""Two pictures farther apart in time do not show one moment."""
_GAP_M, _GAP_SHARE = 0.2, 0.015
"""How far apart the rays may pass: so much, and more by this share of the range."""
_LEAST_ANGLE = np.radians(1.1)
"""Rays that run side by side meet anywhere."""
_TALLER = 2.0
_SMALLER, _LARGER = 0.4, 2.5
"""How tall a thing may be seen, of what its class usually is: half hidden in both pictures, or a tall one."""
_ALWAYS_NS = 1 << 61
_CLEAR = 0.8
"""A second candidate whose score comes nearer than this share of the best makes the choice unclear."""


@dataclass(frozen=True, slots=True)
class Match:
    """Two labels that may show one thing, with what speaks for it. Medians over the moments compared."""

    first: Annotation
    second: Annotation
    moments: int
    gap_m: float
    range_m: float
    heights_m: tuple[float, float]
    apart_ms: float

    @property
    def limit_m(self) -> float:
        """How far apart the rays may pass at that range."""
        return _GAP_M + _GAP_SHARE * self.range_m

    @property
    def score(self) -> float:
        """1: the rays meet and the thing is as tall from both sides; 0: at the limit."""
        low, high = sorted(self.heights_m)
        tall = 1 - (high / max(low, 1e-9) - 1) / (_TALLER - 1)
        return float(max(0.0, 1 - self.gap_m / self.limit_m) * max(tall, 0.0) ** 0.25)


def by_identity(seen: Sightings) -> Iterator[Suggestion]:
    """Labels of different things in different cameras that are one, best first."""
    view = seen.view
    link_type = None if view.ontology is None else view.ontology.link_types.get(SAME_OBJECT)
    if link_type is None:
        return
    role = link_type.roles[0].id
    labels = [each for each in seen.flat() if view.class_of(each) is not None]
    measured = ranked(seen, [each for each in labels if each.stream in seen.cameras])
    for match in chosen(measured):
        ends = tuple(SuggestedEnd(role, TargetKind.ANNOTATION, each.id) for each in (match.first, match.second))
        yield Suggestion(
            rule=NAME, type_id=SAME_OBJECT, ends=ends, evidence=_evidence(view, match),
            confidence=round(0.5 + 0.45 * match.score, 2),
        )  # fmt: skip
    yield from _only_ones(view, seen, labels, role)


def ranked(seen: Sightings, labels: Iterable[Annotation]) -> list[Match]:
    """Every pair of labels of two cameras whose rays meet near enough, best first."""
    by_stream: dict[str, list[Annotation]] = defaultdict(list)
    for each in labels:
        by_stream[each.stream or ""].append(each)
    found = []
    for one, other in combinations(sorted(by_stream), 2):
        for first, second in _at_one_time(seen.view, by_stream[one], by_stream[other]):
            if _may_be_one(seen.view, first, second):
                match = _match(seen, first, second)
                if match is not None:
                    found.append(match)
    return sorted(found, key=lambda each: (-each.score, each.first.id, each.second.id))


def chosen(matches: Sequence[Match]) -> Iterator[Match]:
    """Of ranked matches those that are each other's best, and clearly so."""
    best: dict[tuple[str, str], list[Match]] = defaultdict(list)
    for each in matches:
        best[each.first.id, each.second.stream or ""].append(each)
        best[each.second.id, each.first.stream or ""].append(each)
    for each in matches:
        rivals = (best[each.first.id, each.second.stream or ""], best[each.second.id, each.first.stream or ""])
        if all(held[0] is each and (len(held) < 2 or held[1].score < _CLEAR * each.score) for held in rivals):
            yield each


def _at_one_time(
    view: SampleView, firsts: Sequence[Annotation], seconds: Sequence[Annotation]
) -> Iterator[tuple[Annotation, Annotation]]:  # fmt: skip
    """Pairs that are there at one time: of boxes of single pictures few, however many there are."""
    there = sorted(((_life(view, each), each) for each in seconds), key=lambda each: each[0])
    starts = [life[0] for life, _ in there]
    longest = max((life[1] - life[0] for life, _ in there), default=0)
    for first in firsts:
        start, end = _life(view, first)
        low, high = bisect_left(starts, start - longest - _APART_NS), bisect_left(starts, end + _APART_NS)
        yield from ((first, second) for life, second in there[low:high] if life[1] >= start - _APART_NS)


def _life(view: SampleView, label: Annotation) -> tuple[int, int]:
    there = view.session_range(label)
    return (-_ALWAYS_NS, _ALWAYS_NS) if there is None else (there.start_ns, there.end_ns)


def _may_be_one(view: SampleView, first: Annotation, second: Annotation) -> bool:
    if first.entity is not None and first.entity == second.entity:
        return False
    one, other, ontology = view.class_of(first), view.class_of(second), view.ontology
    if ontology is None or one not in ontology.classes or other not in ontology.classes:
        return one == other
    return ontology.relation(one, other) is not ClassRelation.CONFLICT


def _match(seen: Sightings, first: Annotation, second: Annotation) -> Match | None:
    one_life, other_life = _life(seen.view, first), _life(seen.view, second)
    shared = (max(one_life[0], other_life[0]) - _APART_NS, min(one_life[1], other_life[1]) + _APART_NS)
    looks = seen.looks(first, shared)
    middle = looks[len(looks) // 2 : len(looks) // 2 + 1]
    if len(looks) > 1 and not _near(seen, first, second, middle):
        return None
    pairs = [(look, seen.look_at(second, look.session_ns)) for look in looks]
    both = [
        (one, other) for one, other in pairs
        if other is not None and abs(other.session_ns - one.session_ns) <= _APART_NS
        and seen.ray(first, one) is not None and seen.ray(second, other) is not None
    ]  # fmt: skip
    if not both:
        return None
    one_side, other_side = _rays(seen, first, [one for one, _ in both]), _rays(seen, second, [two for _, two in both])
    if one_side is None or other_side is None:
        return None
    (start, along, tall), (other_start, beside, other_tall) = one_side, other_side
    met = meeting((start, along), (other_start, beside))
    there = (met.first_m > 0) & (met.second_m > 0) & (met.angle_rad >= _LEAST_ANGLE)
    if 2 * there.sum() <= len(both):
        return None
    meets = start + met.first_m[:, None] * along
    range_m = float(np.median(met.first_m[there]))
    found = Match(
        first=first, second=second, moments=int(there.sum()),
        gap_m=float(np.median(met.gap_m[there])), range_m=range_m,
        heights_m=(float(np.median((tall * met.first_m)[there])), float(np.median((other_tall * met.second_m)[there]))),
        apart_ms=max(abs(one.session_ns - other.session_ns) for one, other in both) / 1e6,
    )  # fmt: skip
    at_ns = [one.session_ns for one, _ in both]
    if found.score <= 0 or not _of_its_class(seen.view, found) or _is_elsewhere(seen, found, at_ns, meets, there):
        return None
    return found


def _of_its_class(view: SampleView, match: Match) -> bool:
    """Whether it is about as tall as things of its class are, as far as that is known."""
    sizes = [usual_size(view, view.class_of(each)) for each in (match.first, match.second)]
    known = [size[2] for size in sizes if size is not None]
    return not known or all(_SMALLER * min(known) <= tall <= _LARGER * max(known) for tall in match.heights_m)


def _is_elsewhere(
    seen: Sightings, match: Match, at_ns: Sequence[int], meets: Floats, there: NDArray[np.bool_]
) -> bool:  # fmt: skip
    """Whether a cuboid of either thing stands apart from where the rays meet, at most of the moments."""
    things = {each.entity for each in (match.first, match.second) if each.entity is not None}
    if seen.placed is None or not things:
        return False
    apart = beside = 0
    for row in np.flatnonzero(there).tolist():
        for placed in seen.placed.at(at_ns[row]):
            for number, cuboid in enumerate(placed.ids):
                record = seen.view.annotations.get(cuboid)
                if record is not None and record.entity in things and record.state is not State.REJECTED:
                    reach = float(np.linalg.norm(placed.sizes[number])) / 2 + match.limit_m
                    away = float(np.linalg.norm(placed.centers[number] - meets[row]))
                    apart, beside = apart + (away > reach), beside + (away <= reach)
    return apart > beside


def _near(seen: Sightings, first: Annotation, second: Annotation, middle: Sequence[Look]) -> bool:
    """Whether the rays of one moment pass within reach, or the second is not there then: most pairs end here."""
    other = [found for look in middle if (found := seen.look_at(second, look.session_ns)) is not None]
    if not other:
        return True
    one_side, other_side = _rays(seen, first, middle), _rays(seen, second, other)
    if one_side is None or other_side is None:
        return True
    met = meeting(one_side[:2], other_side[:2])
    limit = 4 * (_GAP_M + _GAP_SHARE * np.abs(met.first_m))
    return not bool((met.gap_m > limit).all())


def _rays(seen: Sightings, label: Annotation, looks: Sequence[Look]) -> tuple[Floats, Floats, Floats] | None:
    """Origins and directions through the middle of the label, in the root, and how tall it is a metre away."""
    found = [ray for look in looks if (ray := seen.ray(label, look)) is not None]
    if len(found) < len(looks) or not found:
        return None
    rows = np.array([(*ray.start, *ray.direction, ray.tall) for ray in found])
    return rows[:, :3], rows[:, 3:6], rows[:, 6]


def _evidence(view: SampleView, match: Match) -> str:
    names = [
        f"{view.name_of(each.id)} in {view.streams[each.stream or ''].key}" for each in (match.first, match.second)
    ]
    moments = "one moment" if match.moments == 1 else f"{match.moments} moments"
    one, other = match.heights_m
    return (
        f"the rays through {names[0]} and {names[1]} pass {match.gap_m:.2f} m apart at {match.range_m:.1f} m "
        f"over {moments}; there it is {one:.2f} and {other:.2f} m tall; pictures at most {match.apart_ms:.0f} ms apart"
    )


# --- without calibration ----------------------------------------------------------------------------------------


def _only_ones(view: SampleView, seen: Sightings, labels: Sequence[Annotation], role: str) -> Iterator[Suggestion]:
    """What is the one thing of its class in two cameras at the same time, where nothing can be measured."""
    by_class: dict[tuple[str, str], list[Annotation]] = defaultdict(list)
    for each in labels:
        by_class[each.stream or "", view.class_of(each) or ""].append(each)
    alone = {key: held[0] for key, held in by_class.items() if len({each.entity or each.id for each in held}) == 1}
    for (one, class_id), (other, second_class) in combinations(sorted(alone), 2):
        first, second = alone[one, class_id], alone[other, second_class]
        if one == other or class_id != second_class or not _may_be_one(view, first, second):
            continue
        if (one in seen.cameras and other in seen.cameras) or not _together(view, first, second):
            continue
        keys = [view.streams[each].key for each in (one, other)]
        said = f"it is the only {view.class_name(class_id)} in {keys[0]} and in {keys[1]} at the same time"
        yield Suggestion(
            rule=NAME, type_id=SAME_OBJECT,
            ends=tuple(SuggestedEnd(role, TargetKind.ANNOTATION, each.id) for each in (first, second)),
            evidence=f"{said}; the cameras are not calibrated, so nothing was measured", confidence=0.4,
        )  # fmt: skip


def _together(view: SampleView, first: Annotation, second: Annotation) -> bool:
    one, other = view.session_range(first), view.session_range(second)
    return one is None or other is None or (one.start_ns <= other.end_ns and other.start_ns <= one.end_ns)
