"""Which way a thing looks in each of the sweeps it was found in. Part of ``lidar_tracks.py``.

A box fitted to one look knows its sides and not which of them is the front, and often not even which is the longer.
Over many looks it can be told: nothing turns by a quarter from one sweep to the next, most looks have the longer side
right, and what moves goes ahead. The four ways of each look are weighed by these three, and the cheapest way through
all looks is taken (Viterbi's).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_QUARTER = math.pi / 2
_ASKEW = math.radians(20)
"""A moving thing whose sides lie farther from its way than this goes along its way."""
_SLOW_M_S, _MOVES_M_S = 1.0, 3.0
"""Slower than the first its middle seems to wander as much as it goes; faster than the second it is believed wholly."""
_STEADY_S = 0.5
_LINE_S = 1.0
_LENGTHWISE = 1.0
"""What it costs to call the shorter side the length, for a look that is wholly sure."""
_AHEAD = 3.0
_TURN, _FREE_RAD, _FREE_RAD_S = 3.0, math.radians(12), math.radians(40)
"""What the sharpest turn between two looks costs, and how far one may turn for much less."""


def headings(times_s: Floats, centers: Floats, yaws: Floats, weights: Floats) -> Floats:
    """Of each look; ``yaws`` (n,) are those of the boxes, ``weights`` (n,) from 0 to 1 how sure each of them is."""
    ways = np.array([_way(centers, times_s, row) for row in range(len(times_s))])
    fast = np.linalg.norm(ways, axis=1)
    ahead = np.arctan2(ways[:, 1], ways[:, 0])
    moving = np.clip((fast - _SLOW_M_S) / (_MOVES_M_S - _SLOW_M_S), 0.0, 1.0)
    turned = yaws[:, None] + _QUARTER * np.arange(4.0)
    cost = _LENGTHWISE * weights[:, None] * np.array([0.0, 1.0, 0.0, 1.0])
    cost = cost + _AHEAD * moving[:, None] * (1.0 - np.cos(turned - ahead[:, None])) / 2
    chosen = turned[np.arange(len(yaws)), _cheapest(cost, turned, times_s)]
    off = np.abs(_whole_turn(chosen - ahead))
    chosen = np.where((moving >= 1.0) & (off > _ASKEW), ahead, chosen)
    return _steadied(times_s, chosen, weights)


def _cheapest(cost: Floats, turned: Floats, times_s: Floats) -> NDArray[np.int64]:
    """Which of the four ways (n, 4) each look takes."""
    count = len(cost)
    total, came = cost[0].copy(), np.zeros((count, 4), np.int64)
    for row in range(1, count):
        free = _FREE_RAD + _FREE_RAD_S * (times_s[row] - times_s[row - 1])
        off = np.abs(_whole_turn(turned[row][None, :] - turned[row - 1][:, None]))
        through = total[:, None] + _TURN * np.minimum(1.0, (off / (free + _QUARTER / 2)) ** 2)
        came[row] = through.argmin(axis=0)
        total = through.min(axis=0) + cost[row]
    found = np.empty(count, np.int64)
    found[-1] = int(total.argmin())
    for row in range(count - 1, 0, -1):
        found[row - 1] = came[row, found[row]]
    return found


def _steadied(times_s: Floats, yaws: Floats, weights: Floats) -> Floats:
    """The middle of the headings within half a second, the surer ones counting more: a thing turns slowly, its outline
    jumps."""
    smooth = np.unwrap(yaws)
    found = np.empty(len(smooth))
    for row, at in enumerate(times_s):
        near = np.flatnonzero(np.abs(times_s - at) <= _STEADY_S)
        order = near[np.argsort(smooth[near], kind="stable")]
        reached = np.cumsum(weights[order])
        found[row] = smooth[order[int(np.searchsorted(reached, reached[-1] / 2))]]
    return found


def _way(centers: Floats, times_s: Floats, row: int) -> Floats:
    """Metres a second about one look, by a straight line through those within a second."""
    near = np.abs(times_s - times_s[row]) <= _LINE_S
    since = times_s[near] - times_s[near].mean()
    spread = float((since**2).sum())
    if spread <= 0:
        return np.zeros(2)
    way: Floats = (since[:, None] * (centers[near] - centers[near].mean(axis=0))).sum(axis=0) / spread
    return way


def _whole_turn(angles: Floats) -> Floats:
    """-180° to 180°."""
    found: Floats = (angles + np.pi) % (2 * np.pi) - np.pi
    return found
