"""Cuboids of single sweeps as tracks, in the world. Fed by ``app/lidar_prelabelling.py`` sweep by sweep.

Each track foretells where it will be by its own speed; found and foretold are paired so that the whole is nearest. A
track keeps one size (that of its best sweeps) and one class; each of its boxes is laid anew so that the faces that were
seen stay where they were. What never moves gets one pose. What was seen too seldom is dropped.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workstation.core.geometry import Cuboid
from workstation.core.rotation import about_z
from workstation.prelabel.api import FoundCuboid
from workstation.prelabel.cuboid_overlap import rows_of

Floats = NDArray[np.float64]
Vec3 = tuple[float, float, float]
_GATE_M = 2.0
"""How far beside where it was foretold a thing may be found; and more the faster it may be."""
_FASTEST_M_S = 40.0
_NEW_SPEED_M_S = 15.0
"""What a thing seen once may do."""
_LOST_NS = 700_000_000
_OTHER_CLASS_M = 1.0
"""A pair of two classes counts as so much farther apart: size alone often mistakes one for another."""
_STILL_M = 0.8
_STILL_M_S = 0.4
_MOVES_M_S = 1.0
_SMOOTH = 0.5
"""How much of a new speed is believed at once."""


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
    number: int
    found: list[tuple[int, FoundCuboid, Vec3]]
    speed: Floats = field(default_factory=lambda: np.zeros(2))

    def foretold(self, time_ns: int) -> Floats:
        last_ns, last, _ = self.found[-1]
        place: Floats = np.array(last.center[:2]) + self.speed * (time_ns - last_ns) / 1e9
        return place

    def gate_m(self, time_ns: int) -> float:
        step_s = (time_ns - self.found[-1][0]) / 1e9
        free = _NEW_SPEED_M_S if len(self.found) == 1 else 4.0
        return _GATE_M + free * step_s

    def take(self, time_ns: int, found: FoundCuboid, eye: Vec3) -> None:
        last_ns, last, _ = self.found[-1]
        step_s = max((time_ns - last_ns) / 1e9, 1e-3)
        seen = (np.array(found.center[:2]) - np.array(last.center[:2])) / step_s
        share = 1.0 if len(self.found) == 1 else _SMOOTH
        speed = (1 - share) * self.speed + share * seen
        fast = float(np.linalg.norm(speed))
        self.speed = speed if fast <= _FASTEST_M_S else speed * (_FASTEST_M_S / fast)
        self.found.append((time_ns, found, eye))


class CuboidTracker:
    """Sweeps in the order of time through ``add``; then ``tracks``. Cost per sweep does not grow with their number."""

    def __init__(self, *, fewest: int = 3) -> None:
        """``fewest``: sweeps in which a thing must be found."""
        self._fewest = fewest
        self._open: list[_Open] = []
        self._done: list[_Open] = []
        self._count = 0

    def add(self, time_ns: int, found: Sequence[FoundCuboid], *, eye: Vec3) -> None:
        """One sweep, in a frame that does not move. ``eye``: where the sensor was."""
        self._close(time_ns - _LOST_NS)
        taken: set[int] = set()
        for track, number in self._paired(time_ns, found):
            self._open[track].take(time_ns, found[number], eye)
            taken.add(number)
        for number, each in enumerate(found):
            if number not in taken:
                self._open.append(_Open(self._count, [(time_ns, each, eye)]))
                self._count += 1

    def tracks(self) -> list[TrackedCuboid]:
        """What was seen often enough, best first."""
        whole = [each for each in (*self._done, *self._open) if len(each.found) >= self._fewest]
        return sorted((_finished(each) for each in whole), key=lambda each: (-each.score, each.number))

    def _close(self, before_ns: int) -> None:
        gone = [each for each in self._open if each.found[-1][0] < before_ns]
        self._done += [each for each in gone if len(each.found) >= self._fewest]
        self._open = [each for each in self._open if each.found[-1][0] >= before_ns]

    def _paired(self, time_ns: int, found: Sequence[FoundCuboid]) -> list[tuple[int, int]]:
        from scipy.optimize import linear_sum_assignment

        if not found or not self._open:
            return []
        foretold = np.array([each.foretold(time_ns) for each in self._open])
        gates = np.array([each.gate_m(time_ns) for each in self._open])
        here = rows_of(found)[:, :2]
        apart = np.linalg.norm(foretold[:, None] - here[None], axis=-1)
        labels = np.array([each.label for each in found])
        lasts = np.array([each.found[-1][1].label for each in self._open])
        cost = apart + np.where(lasts[:, None] == labels[None], 0.0, _OTHER_CLASS_M)
        allowed = apart <= gates[:, None]
        # Every pair that may be is dearer by its distance only; one that may not be is dearer than all of those.
        cost = np.where(allowed, cost, 1e6)
        rows, columns = linear_sum_assignment(cost)
        return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if allowed[row, column]]


def _finished(track: _Open) -> TrackedCuboid:
    label = _label(track)
    own = [each for _, each, _ in track.found if each.label == label]
    best = sorted(own, key=lambda each: -(0 if each.points is None else len(each.points)))[: max(3, len(own) // 3)]
    length, width, height = np.median(np.array([each.size for each in best]), axis=0).tolist()
    seen: Vec3 = (length, width, height)
    yaws = _headings(track)
    laid = [laid_anew(each, yaw, seen, eye) for (_, each, eye), yaw in zip(track.found, yaws.tolist(), strict=True)]
    centers = np.array([each.center for each in laid])
    times = [time_ns for time_ns, _, _ in track.found]
    static = _is_still(centers, times)
    if static:
        middle = np.median(centers, axis=0).tolist()
        turn = about_z(_mean_axis(yaws))
        one = Cuboid(center=(middle[0], middle[1], middle[2]), size=seen, rotation=turn)
        laid = [one] * len(laid)
    score = float(np.mean(sorted((each.score for each in own), reverse=True)[: max(3, len(own) // 2)]))
    sure = min(1.0, 0.5 + 0.1 * len(track.found))
    return TrackedCuboid(
        number=track.number, label=label, score=round(score * sure, 4), times_ns=tuple(times), cuboids=tuple(laid),
        static=static,
    )  # fmt: skip


def _label(track: _Open) -> str:
    """By the sum of scores, so that one near look counts more than many far ones."""
    votes: dict[str, float] = defaultdict(float)
    for _, each, _ in track.found:
        votes[each.label] += each.score * (1 if each.points is None else math.sqrt(len(each.points)))
    return max(votes, key=lambda each: (votes[each], each))


def _headings(track: _Open) -> Floats:
    """Of each sweep; front and back as the thing moves, else as in its best sweep."""
    centers = np.array([each.center[:2] for _, each, _ in track.found])
    times = np.array([time_ns for time_ns, _, _ in track.found], np.float64) / 1e9
    yaws = rows_of([each for _, each, _ in track.found])[:, 6]
    if len(times) > 1:
        line = np.polyfit(times - times[0], centers, 1)[0]
        if float(np.linalg.norm(line)) > _MOVES_M_S:
            ways = np.gradient(centers, times, axis=0)
            ways = np.where(np.linalg.norm(ways, axis=1, keepdims=True) > _MOVES_M_S, ways, line)
            smooth = np.array([ways[max(0, i - 3) : i + 4].mean(axis=0) for i in range(len(ways))])
            found: Floats = np.arctan2(smooth[:, 1], smooth[:, 0])
            return found
    lead = float(yaws[int(np.argmax([each.score for _, each, _ in track.found]))])
    flipped: Floats = np.where(np.cos(yaws - lead) < 0, yaws + np.pi, yaws)
    return flipped


def _mean_axis(yaws: Floats) -> float:
    return float(np.arctan2(np.median(np.sin(yaws)), np.median(np.cos(yaws))))


def _is_still(centers: Floats, times: Sequence[int]) -> bool:
    seconds = (times[-1] - times[0]) / 1e9
    span = float(np.linalg.norm(np.median(centers[-3:, :2], axis=0) - np.median(centers[:3, :2], axis=0)))
    return span < _STILL_M and (seconds <= 0 or span / max(seconds, 1e-3) < _STILL_M_S)


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
            middle += way * math.copysign((was - now) / 2, side)
    bottom = old[2] - old[5] / 2
    return Cuboid(
        center=(float(middle[0]), float(middle[1]), float(bottom + size[2] / 2)), size=size, rotation=about_z(yaw)
    )  # fmt: skip
