"""Cuboids of single sweeps as tracks, in the world. Fed by ``app/lidar_prelabelling.py`` sweep by sweep.

Each track foretells where it will be by its own speed; found and foretold are paired so that the whole is nearest. A
track keeps one size (that of its best sweeps) and one class; what is as small as somebody on foot and faster than
anybody runs is a rider, of whom mostly the back is seen. Each of its boxes is laid anew so that the faces that were
seen stay where they were. What never moves gets one pose. What was seen too seldom is dropped.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from workstation.core.geometry import Cuboid
from workstation.core.rotation import about_z
from workstation.prelabel.api import FoundCuboid
from workstation.prelabel.cuboid_overlap import bird_eye_iou, rows_of
from workstation.prelabel.lidar_headings import headings

Floats = NDArray[np.float64]
Vec3 = tuple[float, float, float]
_LOOK_M, _LOOK_SHARE = 0.3, 0.07
"""How far off the middle of a box mostly is, and more by a share of its length: parts of things are hidden."""
_GATE = 3.0
"""So many spreads beside where it was foretold a thing may be found."""
_FASTEST_M_S = 40.0
_NEW_SPEED_M_S = 8.0
"""How fast a thing that was seen once mostly is."""
_PUSH_M_S2 = 4.0
"""How hard things brake and turn."""
_LOST_NS = 700_000_000
_OTHER_CLASS_M = 1.0
"""A pair of two classes counts as so much farther apart: size alone often mistakes one for another."""
_STILL_M = 0.8
_STILL_SHARE = 0.35
_STILL_M_S = 0.35
_MOST_LOOKS = 60
_ALIKE_RAD = math.radians(10)
_SAME_PLACE = 0.15
_MANY_LOOKS, _MOST_OF_THEM = 10, 0.7
_JUMPY_M = 0.7
_ALIKE, _MOST_ALIKE = math.log(1.3), 0.8
"""Looks as long as the track's box, or nearly, and how many of them are enough."""
_ON_FOOT_M, _ON_FOOT_M_S = 1.3, 4.0
"""What is no longer than that is on foot, and so fast at most."""
_PEDALLED_M_S = 9.0
"""Who is faster rides on a motor."""
_STRAIGHT = 0.85
"""So much of the way that somebody rides is the straight line from its beginning to its end, or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedCuboid:
    """One thing over sweeps. ``cuboids`` at ``times_ns``, all of one size."""

    number: int
    label: str
    score: float
    times_ns: tuple[int, ...]
    cuboids: tuple[Cuboid, ...]
    static: bool


@dataclass(slots=True, eq=False)
class _Open:
    """A track that may go on: where it is and how fast, with how far off both may be (a Kalman filter whose two axes
    share one spread)."""

    number: int
    found: list[tuple[int, FoundCuboid, Vec3]]
    place: Floats
    spread: tuple[float, float, float]
    """Of place, of place with speed, of speed."""
    speed: Floats = field(default_factory=lambda: np.zeros(2))

    @classmethod
    def of(cls, number: int, time_ns: int, found: FoundCuboid, eye: Vec3) -> _Open:
        return cls(
            number, [(time_ns, found, eye)], np.array(found.center[:2]), (_off_m(found) ** 2, 0.0, _NEW_SPEED_M_S**2)
        )

    def foretold(self, time_ns: int) -> tuple[Floats, tuple[float, float, float]]:
        step_s = (time_ns - self.found[-1][0]) / 1e9
        a, b, c = self.spread
        pushed = _PUSH_M_S2**2
        spread = (
            a + 2 * step_s * b + step_s**2 * c + pushed * step_s**4 / 4,
            b + step_s * c + pushed * step_s**3 / 2,
            c + pushed * step_s**2,
        )
        return self.place + self.speed * step_s, spread

    def take(self, time_ns: int, found: FoundCuboid, eye: Vec3) -> None:
        place, (a, b, c) = self.foretold(time_ns)
        off = np.array(found.center[:2]) - place
        whole = a + _off_m(found) ** 2
        self.place, self.speed = place + off * (a / whole), self.speed + off * (b / whole)
        self.spread = (a - a * a / whole, b - a * b / whole, c - b * b / whole)
        fast = float(np.linalg.norm(self.speed))
        if fast > _FASTEST_M_S:
            self.speed = self.speed * (_FASTEST_M_S / fast)
        self.found.append((time_ns, found, eye))


def _off_m(found: FoundCuboid) -> float:
    """How far off the middle of a look may be."""
    return _LOOK_M + _LOOK_SHARE * max(found.size[:2])


class CuboidTracker:
    """Sweeps in the order of time through ``add``; then ``tracks``. Cost per sweep does not grow with their number."""

    def __init__(self, *, fewest: int = 3, riders: Mapping[str, Vec3] = {}) -> None:
        """``fewest``: sweeps in which a thing must be found; ``riders``: length, width and height of the classes on
        two wheels that are looked for."""
        self._fewest = fewest
        self._riders = tuple(sorted(riders.items(), key=lambda each: each[1]))
        self._open: list[_Open] = []
        self._done: list[_Open] = []
        self._count = 0
        self._times: list[int] = []

    def add(self, time_ns: int, found: Sequence[FoundCuboid], *, eye: Vec3) -> None:
        """One sweep, in a frame that does not move. ``eye``: where the sensor was."""
        self._times.append(time_ns)
        self._close(time_ns - _LOST_NS)
        taken: set[int] = set()
        for track, number in self._paired(time_ns, found):
            self._open[track].take(time_ns, found[number], eye)
            taken.add(number)
        for number, each in enumerate(found):
            if number not in taken:
                self._open.append(_Open.of(self._count, time_ns, each, eye))
                self._count += 1

    def tracks(self) -> list[TrackedCuboid]:
        """What was seen often enough, best first."""
        whole = [each for each in (*self._done, *self._open) if len(each.found) >= self._fewest]
        step_ns = int(np.median(np.diff(self._times))) if len(self._times) > 1 else 0
        made = (_finished(each, step_ns, self._riders) for each in whole)
        return _joined(sorted(made, key=lambda each: (-each.score, each.number)))

    def _close(self, before_ns: int) -> None:
        gone = [each for each in self._open if each.found[-1][0] < before_ns]
        self._done += [each for each in gone if len(each.found) >= self._fewest]
        self._open = [each for each in self._open if each.found[-1][0] >= before_ns]

    def _paired(self, time_ns: int, found: Sequence[FoundCuboid]) -> list[tuple[int, int]]:
        from scipy.optimize import linear_sum_assignment

        if not found or not self._open:
            return []
        ahead = [each.foretold(time_ns) for each in self._open]
        foretold = np.array([place for place, _ in ahead])
        lasts = [each.found[-1][1] for each in self._open]
        spreads = [spread[0] + _off_m(last) ** 2 for last, (_, spread) in zip(lasts, ahead, strict=True)]
        gates = _GATE * np.sqrt(np.array(spreads))
        here = rows_of(found)[:, :2]
        apart = np.linalg.norm(foretold[:, None] - here[None], axis=-1)
        labels = np.array([each.label for each in found])
        same = np.array([each.label for each in lasts])[:, None] == labels[None]
        cost = apart + np.where(same, 0.0, _OTHER_CLASS_M)
        allowed = apart <= gates[:, None]
        # Every pair that may be is dearer by its distance only; one that may not be is dearer than all of those.
        cost = np.where(allowed, cost, 1e6)
        rows, columns = linear_sum_assignment(cost)
        return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if allowed[row, column]]


def _finished(track: _Open, step_ns: int, riders: Sequence[tuple[str, Vec3]]) -> TrackedCuboid:
    """``step_ns``: from one sweep to the next; ``riders``: the classes on two wheels, the smallest first."""
    label = _label(track)
    own = [each for _, each, _ in track.found if each.label == label]
    best = sorted(own, key=lambda each: -(0 if each.points is None else len(each.points)))[: max(3, len(own) // 3)]
    length, width, height = np.median(np.array([each.size for each in best]), axis=0).tolist()
    seen: Vec3 = (length, width, height)
    times = [time_ns for time_ns, _, _ in track.found]
    still = _standing(track, seen)
    rides = bool(riders) and still is None and _is_on_foot(seen) and _goes_straight_m_s(track) > _ON_FOOT_M_S
    fastest = _ON_FOOT_M_S if _is_on_foot(seen) and not rides else _FASTEST_M_S
    sure = _sureness(track, seen, step_ns=step_ns, fastest=fastest)
    if rides:
        label, seen = riders[0] if _pace_m_s(track) < _PEDALLED_M_S else riders[-1]
    if still is not None:
        laid = [still] * len(times)
    else:
        yaws = _headings(track).tolist()
        laid = [laid_anew(each, yaw, seen, eye) for (_, each, eye), yaw in zip(track.found, yaws, strict=True)]
    score = float(np.mean(sorted((each.score for each in own), reverse=True)[: max(3, len(own) // 2)]))
    return TrackedCuboid(
        number=track.number, label=label, score=round(score * sure, 4), times_ns=tuple(times), cuboids=tuple(laid),
        static=still is not None,
    )  # fmt: skip


def _is_on_foot(size: Vec3) -> bool:
    return max(size[:2]) < _ON_FOOT_M


def _pace_m_s(track: _Open) -> float:
    """How fast it mostly goes."""
    times = np.array([time_ns for time_ns, _, _ in track.found], np.float64) / 1e9
    centers = np.array([each.center[:2] for _, each, _ in track.found])
    if len(times) > 3:
        return float(np.median(np.linalg.norm(np.diff(centers[::3], axis=0), axis=1) / np.diff(times[::3])))
    return float(np.linalg.norm(centers[-1] - centers[0]) / max(times[-1] - times[0], 1e-3))


def _goes_straight_m_s(track: _Open) -> float:
    """How fast it goes if it goes on as whoever rides does; 0 of what only jumps about."""
    centers = np.array([each.center[:2] for _, each, _ in track.found])
    way_m = float(np.linalg.norm(np.diff(centers[::3], axis=0), axis=1).sum())
    far_m = float(np.linalg.norm(centers[::3][-1] - centers[0]))
    return _pace_m_s(track) if len(centers) >= _MANY_LOOKS and far_m > _STRAIGHT * way_m else 0.0


def _sureness(track: _Open, size: Vec3, *, step_ns: int, fastest: float) -> float:
    """How much a track is to be believed beside what its single looks say, 0 to 1.

    A thing is there in most sweeps between the first and the last, goes on as it went, and no faster than its kind
    can, and looks much the same each time. Pieces of a wall come and go, jump from one corner to the next, and are a
    person now and a lorry then.
    """
    times = np.array([time_ns for time_ns, _, _ in track.found], np.float64) / 1e9
    centers = np.array([each.center[:2] for _, each, _ in track.found])
    looks = 1 + (round((times[-1] - times[0]) * 1e9 / step_ns) if step_ns else len(times) - 1)
    off_m = _jumps_m(times, centers)
    often = min(1.0, len(times) / _MANY_LOOKS) * min(1.0, len(times) / looks / _MOST_OF_THEM)
    lengths = np.array([max(each.size[:2]) for _, each, _ in track.found])
    alike = float((np.abs(np.log(lengths / max(size[:2]))) <= _ALIKE).mean())
    one = min(1.0, alike / _MOST_ALIKE)
    return often * one * math.exp(-((off_m / _JUMPY_M) ** 2)) * (1.0 if _pace_m_s(track) <= fastest else 0.3)


def _jumps_m(times: Floats, centers: Floats) -> float:
    """How far a look mostly lies from the middle between the looks before and after it, however the way bends."""
    if len(times) < 3:
        return 0.0
    share = ((times[1:-1] - times[:-2]) / (times[2:] - times[:-2]))[:, None]
    between = centers[:-2] * (1 - share) + centers[2:] * share
    return float(np.median(np.linalg.norm(centers[1:-1] - between, axis=1)))


def _label(track: _Open) -> str:
    """By the sum of scores, so that one near look counts more than many far ones."""
    votes: dict[str, float] = defaultdict(float)
    for _, each, _ in track.found:
        votes[each.label] += _weight(each)
    return max(votes, key=lambda each: (votes[each], each))


def _headings(track: _Open) -> Floats:
    rows = rows_of([each for _, each, _ in track.found])
    times = np.array([time_ns for time_ns, _, _ in track.found], np.float64) / 1e9
    weights = np.array([_weight(each) for _, each, _ in track.found])
    return headings(times - times[0], rows[:, :2], rows[:, 6], np.maximum(weights / weights.max(initial=1e-9), 0.02))


def _weight(found: FoundCuboid) -> float:
    """How much one look says: more of many points than of few."""
    return found.score * (1.0 if found.points is None else math.sqrt(len(found.points)))


def _standing(track: _Open, size: Vec3) -> Cuboid | None:
    """The one box of a thing that stands still; ``None`` of one that moves.

    Most looks have it in one place. What is passed closely is hidden in part, and its middle then seems to wander; that
    makes it no thing that moves.
    """
    rows = rows_of([each for _, each, _ in track.found])
    weights = np.array([_weight(each) for _, each, _ in track.found])
    step = 1 + len(rows) // _MOST_LOOKS
    away = np.linalg.norm(rows[::step, None, :2] - rows[None, :, :2], axis=-1)
    worth = np.where(away <= _STILL_M, weights, 0.0).sum(axis=1)
    near = away[int(np.argmax(worth))] <= _STILL_M
    times = np.array([time_ns for time_ns, _, _ in track.found])
    if near.mean() < _STILL_SHARE or _speed(rows[near], times[near]) >= _STILL_M_S:
        return None
    turned = np.abs(_half_turn(rows[near, None, 6] - rows[None, near, 6])) <= _ALIKE_RAD
    best = int(np.argmax(np.where(turned, weights[near], 0.0).sum(axis=1)))
    kept = rows[near][turned[best]]
    yaw = float(kept[0, 6] + np.median(_half_turn(kept[:, 6] - kept[0, 6])))
    x, y = np.median(kept[:, :2], axis=0).tolist()
    bottom = float(np.median(kept[:, 2] - kept[:, 5] / 2))
    return Cuboid(center=(x, y, bottom + size[2] / 2), size=size, rotation=about_z(yaw))


def _half_turn(angles: Floats) -> Floats:
    """Angles as boxes know them, which look alike from front and back: -90° to 90°."""
    found: Floats = (angles + np.pi / 2) % np.pi - np.pi / 2
    return found


def _speed(centers: Floats, times: NDArray[np.int64]) -> float:
    """Metres a second, by the median of the speeds between all pairs of looks."""
    step = 1 + len(times) // _MOST_LOOKS
    flat, seconds = centers[::step, :2], times[::step].astype(np.float64) / 1e9
    one, other = np.triu_indices(len(seconds), 1)
    if not len(one):
        return 0.0
    speeds = (flat[other] - flat[one]) / (seconds[other] - seconds[one])[:, None]
    return float(np.linalg.norm(np.median(speeds, axis=0)))


def _joined(tracks: Sequence[TrackedCuboid]) -> list[TrackedCuboid]:
    """Best first; what stands where a better one stands is the same thing, lost from sight for a while."""
    kept: list[TrackedCuboid] = []
    for each in tracks:
        still = [row for row, other in enumerate(kept) if other.static]
        if each.static and still:
            shared = bird_eye_iou(rows_of(each.cuboids[:1]), rows_of([kept[row].cuboids[0] for row in still]))[0]
            best = int(np.argmax(shared))
            if shared[best] > _SAME_PLACE:
                kept[still[best]] = _longer(kept[still[best]], each)
                continue
        kept.append(each)
    return kept


def _longer(track: TrackedCuboid, other: TrackedCuboid) -> TrackedCuboid:
    times = tuple(sorted({*track.times_ns, *other.times_ns}))
    return replace(track, times_ns=times, cuboids=(track.cuboids[0],) * len(times))


def laid_anew(found: FoundCuboid, yaw: float, size: Vec3, eye: Vec3) -> Cuboid:
    """A box of that size and heading whose faces towards the sensor are where those of ``found`` were; its bottom
    too."""
    old = rows_of([found])[0]
    quarter = round((yaw - float(old[6])) / (math.pi / 2))
    length, width = (old[3], old[4]) if quarter % 2 == 0 else (old[4], old[3])
    off = np.array(eye[:2]) - old[:2]
    ahead = np.array([math.cos(yaw), math.sin(yaw)])
    left = np.array([-ahead[1], ahead[0]])
    middle = old[:2].copy()
    for way, was, now in ((ahead, length, size[0]), (left, width, size[1])):
        side = float(off @ way)
        if abs(side) > was / 2:  # that face is seen: it stays
            middle += way * math.copysign(1.0, side) * (was - now) / 2
    bottom = old[2] - old[5] / 2
    return Cuboid(
        center=(float(middle[0]), float(middle[1]), float(bottom + size[2] / 2)), size=size, rotation=about_z(yaw)
    )  # fmt: skip


def keyframes_of(track: TrackedCuboid, *, most_m: float = 0.15, most_rad: float = 0.05) -> list[int]:
    """Which of its boxes are enough to draw the others between them: fewer are fewer to correct.

    A stretch is cut where the box lies farthest from the straight line, as Douglas and Peucker do.
    """
    last = len(track.times_ns) - 1
    if track.static or last == 0:
        return [0] if last == 0 else [0, last]
    rows = rows_of(track.cuboids)
    times = np.array(track.times_ns, np.float64)
    # One number for place and heading: 1 is as far off as may be.
    track_of = np.column_stack([rows[:, :3] / most_m, np.unwrap(rows[:, 6]) / most_rad])
    kept, open_now = {0, last}, [(0, last)]
    while open_now:
        start, end = open_now.pop()
        if end - start < 2:
            continue
        share = ((times[start + 1 : end] - times[start]) / (times[end] - times[start]))[:, None]
        straight = track_of[start] * (1 - share) + track_of[end] * share
        off = track_of[start + 1 : end] - straight
        apart = np.maximum(np.linalg.norm(off[:, :3], axis=1), np.abs(off[:, 3]))
        worst = int(np.argmax(apart))
        if apart[worst] > 1:
            middle = start + 1 + worst
            kept.add(middle)
            open_now += [(start, middle), (middle, end)]
    return sorted(kept)
