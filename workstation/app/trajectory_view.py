"""Paths on the ground seen from above: poses of the sample's trajectories, where one is at a time, and the way between
metres and pixels. Without Qt; for the trajectory pane.

A pose that is missing leaves a gap: nothing is drawn across it and nothing is there in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from workstation.app.viewport import Int64s
from workstation.core.poses import Trajectory
from workstation.core.rotation import Floats
from workstation.core.sample import Stream
from workstation.media.base import TrajectoryReader
from workstation.media.gaps import longest_shown_ns, longest_step_ns

_NEVER = 1 << 62
_LEAST_M_PER_PX, _MOST_M_PER_PX = 1e-4, 1e5
_FIT = 0.86


@dataclass(frozen=True, slots=True)
class PlaneView:
    """The ground from above: x to the right, y up, the same scale both ways. Pixels count from the top left."""

    x_m: float
    y_m: float
    """The place in the middle."""
    m_per_px: float
    width_px: float
    height_px: float

    def to_px(self, places_m: Floats) -> Floats:
        """(n, 2) pixels of (n, 2 or more) metres."""
        x = self.width_px / 2 + (places_m[:, 0] - self.x_m) / self.m_per_px
        y = self.height_px / 2 - (places_m[:, 1] - self.y_m) / self.m_per_px
        return np.column_stack((x, y))

    def to_m(self, x_px: float, y_px: float) -> tuple[float, float]:
        """The place under a pixel."""
        x = self.x_m + (x_px - self.width_px / 2) * self.m_per_px
        return x, self.y_m - (y_px - self.height_px / 2) * self.m_per_px

    def resized(self, width_px: float, height_px: float) -> PlaneView:
        """The same middle and scale on another size."""
        return replace(self, width_px=max(1.0, width_px), height_px=max(1.0, height_px))

    def panned(self, dx_px: float, dy_px: float) -> PlaneView:
        """What was under the hand goes with it."""
        return replace(self, x_m=self.x_m - dx_px * self.m_per_px, y_m=self.y_m + dy_px * self.m_per_px)

    def zoomed(self, factor: float, x_px: float, y_px: float) -> PlaneView:
        """``factor`` times as many metres a pixel; what is at a pixel stays there."""
        x, y = self.to_m(x_px, y_px)
        scale = min(max(self.m_per_px * factor, _LEAST_M_PER_PX), _MOST_M_PER_PX)
        share = scale / self.m_per_px
        return replace(self, x_m=x + (self.x_m - x) * share, y_m=y + (self.y_m - y) * share, m_per_px=scale)

    def centred(self, x_m: float, y_m: float) -> PlaneView:
        """Another place in the middle."""
        return replace(self, x_m=x_m, y_m=y_m)

    def showing(self, low: tuple[float, float], high: tuple[float, float]) -> PlaneView:
        """A rectangle of the ground with a little air around it."""
        wide, tall = high[0] - low[0], high[1] - low[1]
        scale = max(wide / self.width_px, tall / self.height_px) / _FIT
        scale = min(max(scale, 0.01), _MOST_M_PER_PX)
        return replace(self, x_m=(low[0] + high[0]) / 2, y_m=(low[1] + high[1]) / 2, m_per_px=scale)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one is: interpolated between two poses where the recording allows it."""

    place_m: tuple[float, float, float]
    heading_rad: float | None
    """From x towards y; ``None`` where nothing says it."""
    index: int
    """The pose at or before."""


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """The known poses of one trajectory."""

    stream: Stream
    frame: str
    north_up: bool
    """Whether y is north: the file gave latitudes."""
    sessions: Int64s
    own_ns: Int64s
    places_m: Floats
    """(n, 3), finite."""
    rows: Int64s
    """Number of each pose in the file."""
    starts: NDArray[np.bool_]
    """Whether a piece of the path begins there."""
    poses: Trajectory | None
    """With rotations; ``None`` for places alone."""
    longest_ns: int
    hold_ns: int
    lengths_m: Floats
    """(n,) the way gone until there."""
    _levels: dict[int, Int64s] = field(default_factory=dict)

    def at(self, session_ns: int) -> Standing | None:
        """Where it is then; ``None`` before the first pose, in a gap, and after the last."""
        now = self.stream.time_map.first_stream_at(session_ns + 1) - 1
        index = int(self.own_ns.searchsorted(now, side="right")) - 1
        if index < 0:
            return None
        since = now - int(self.own_ns[index])
        if index + 1 == len(self.own_ns) or self.starts[index + 1]:
            if since > self.hold_ns:
                return None
            return Standing(_place(self.places_m[index]), self._heading(int(self.own_ns[index])), index)
        share = since / max(1, int(self.own_ns[index + 1]) - int(self.own_ns[index]))
        place = self.places_m[index] + share * (self.places_m[index + 1] - self.places_m[index])
        return Standing(_place(place), self._heading(now), index)

    def _heading(self, own_ns: int) -> float | None:
        pose = None if self.poses is None else self.poses.pose_at(own_ns)
        if pose is None:
            return None
        forward = pose.turn(np.array([[1.0, 0.0, 0.0]]))[0]
        return None if math.hypot(forward[0], forward[1]) < 1e-6 else math.atan2(forward[1], forward[0])

    def nearest(self, x_m: float, y_m: float) -> tuple[int, float]:
        """The pose closest to a place on the ground, and how far it is in metres."""
        away = np.hypot(self.places_m[:, 0] - x_m, self.places_m[:, 1] - y_m)
        index = int(np.argmin(away))
        return index, float(away[index])

    def drawn(self, m_per_px: float) -> Int64s:
        """The poses it takes to draw the path true to half a pixel; each piece keeps its ends."""
        level = math.floor(math.log2(max(m_per_px, 1e-6) / 2))
        found = self._levels.get(level)
        if found is None:
            found = self._levels[level] = self._thinned(2.0**level)
        return found

    def _thinned(self, step_m: float) -> Int64s:
        buckets = np.floor(self.lengths_m / step_m)
        kept = np.append(True, np.diff(buckets) > 0) | self.starts
        kept |= np.append(self.starts[1:], True)
        return np.flatnonzero(kept)


def path_of(stream: Stream, reader: TrajectoryReader) -> Path | None:
    """The path of a trajectory; ``None`` where it has no known place."""
    known: NDArray[np.bool_] = np.array(np.isfinite(reader.positions_m).all(axis=1), np.bool_)
    known[1:] &= np.diff(reader.times_ns) > 0  # of repeated times the first one counts
    rows = np.flatnonzero(known)
    if not len(rows):
        return None
    own, places = reader.times_ns[rows], np.asarray(reader.positions_m[rows], np.float64)
    limit = longest_step_ns(reader.times_ns)
    longest = _NEVER if limit is None else limit
    starts = np.append(True, (np.diff(own) > longest) | (np.diff(rows) > 1))
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    turned = np.isfinite(reader.rotations[rows]).all(axis=1)
    poses = None
    if turned.any():
        poses = Trajectory(
            times_ns=own[turned], rotations=reader.rotations[rows][turned], translations=places[turned],
            max_gap_ns=longest,
        )  # fmt: skip
    hold = longest_shown_ns(reader.times_ns)
    return Path(
        stream=stream, frame=reader.parent_frame, north_up="origin_latitude_deg" in reader.info.details,
        sessions=stream.time_map.to_session_array(own), own_ns=own, places_m=places, rows=rows.astype(np.int64),
        starts=starts, poses=poses, longest_ns=longest, hold_ns=hold or 0,
        lengths_m=np.concatenate(([0.0], np.cumsum(steps))),
    )  # fmt: skip


def bar_length(m_per_px: float, most_px: float) -> float:
    """A round number of metres that takes at most so many pixels: 1, 2 or 5 times a power of ten."""
    most = m_per_px * most_px
    power = 10.0 ** math.floor(math.log10(most))
    return next(factor * power for factor in (5.0, 2.0, 1.0) if factor * power <= most)


def length_in_words(metres: float) -> str:
    """``20 m``, ``5 cm``, ``2 km``."""
    if metres >= 1000:
        return f"{metres / 1000:g} km"
    return f"{metres:g} m" if metres >= 1 else f"{metres * 100:g} cm"


def _place(values: Floats) -> tuple[float, float, float]:
    x, y, z = values.tolist()
    return x, y, z
