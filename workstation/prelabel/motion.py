"""Where boxes are and how fast they go: a Kalman filter of constant velocity for many boxes at once.

Middle x, middle y, width and height are filtered each on its own with its velocity; the noise grows with the size of
the box, so near and far things are treated alike. Called by ``tracking.py`` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]
_PLACE_NOISE, _SPEED_NOISE = 1 / 20, 1 / 160
"""Of the box's side, each frame: as in SORT and its heirs."""


def _none() -> Rows:
    return np.zeros((0, 4))


@dataclass(slots=True)
class Motion:
    """The state of n boxes; each array is (n, 4)."""

    place: Rows = field(default_factory=_none)
    speed: Rows = field(default_factory=_none)
    place_var: Rows = field(default_factory=_none)
    both_var: Rows = field(default_factory=_none)
    speed_var: Rows = field(default_factory=_none)

    def predict(self, frames: float = 1.0) -> None:
        """Let time go on. A side never shrinks below a pixel."""
        sides = _sides(self.place)
        self.place = self.place + self.speed * frames
        self.place[:, 2:] = np.maximum(self.place[:, 2:], 1.0)
        self.place_var = self.place_var + frames * (2 * self.both_var + frames * self.speed_var)
        self.both_var = self.both_var + frames * self.speed_var
        self.place_var = self.place_var + frames * (_PLACE_NOISE * sides) ** 2
        self.speed_var = self.speed_var + frames * (_SPEED_NOISE * sides) ** 2

    def correct(self, rows: NDArray[np.intp], measured: Rows) -> None:
        """These boxes were seen at these places (middle and size)."""
        noise = (_PLACE_NOISE * _sides(measured)) ** 2
        whole = self.place_var[rows] + noise
        gain, speed_gain = self.place_var[rows] / whole, self.both_var[rows] / whole
        off = measured - self.place[rows]
        self.place[rows] += gain * off
        self.speed[rows] += speed_gain * off
        self.speed_var[rows] -= speed_gain * self.both_var[rows]
        self.place_var[rows] *= 1 - gain
        self.both_var[rows] *= 1 - gain

    def far(self, measured: Rows) -> Rows:
        """Squared distance of each box to each measured place, in standard deviations: (n, m)."""
        noise = self.place_var[:, None, :] + ((_PLACE_NOISE * _sides(measured)) ** 2)[None]
        total: Rows = ((measured[None] - self.place[:, None, :]) ** 2 / noise).sum(axis=-1)
        return total

    def add(self, measured: Rows) -> None:
        """New boxes, behind the others; how fast they go is not known."""
        sides = _sides(measured)
        self.place = np.concatenate([self.place, measured])
        self.speed = np.concatenate([self.speed, np.zeros_like(measured)])
        self.place_var = np.concatenate([self.place_var, (2 * _PLACE_NOISE * sides) ** 2])
        self.both_var = np.concatenate([self.both_var, np.zeros_like(measured)])
        self.speed_var = np.concatenate([self.speed_var, (10 * _SPEED_NOISE * sides) ** 2])

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Forget the others."""
        self.place, self.speed = self.place[rows], self.speed[rows]
        self.place_var, self.both_var, self.speed_var = self.place_var[rows], self.both_var[rows], self.speed_var[rows]

    def edges(self) -> Rows:
        """Left, top, right, bottom."""
        half = self.place[:, 2:] / 2
        return np.concatenate([self.place[:, :2] - half, self.place[:, :2] + half], axis=1)


def _sides(places: Rows) -> Rows:
    return np.maximum(places[:, [2, 3, 2, 3]], 1.0)
