"""Boxes of one frame after the other become tracks: which of them are the same thing.

Two ways on one interface. ``bytetrack`` matches sure boxes by overlap with where things should be by now, and then
offers what is left of the tracks the doubtful boxes too: a thing half hidden is doubtful, not gone. ``deepsort``
compares what things look like first, within what their motion allows, those seen last first; where boxes carry no
features it goes by overlap alone. Both are written after the published methods; neither is their authors' code.

A tracker is fed in the order of time. It numbers a thing when it first sees it; ``without_strays`` takes the numbers
away again from what was seen too seldom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from workstation.core.errors import UserError
from workstation.prelabel.api import FoundBox
from workstation.prelabel.motion import Motion, Rows
from workstation.prelabel.overlap import overlaps

Places = NDArray[np.intp]
_NEVER = 1e6
_GATE = 9.4877  # 95 % of a chi-squared distribution of four degrees of freedom, as in DeepSORT
_GALLERY = 50
_ONCE_FRAMES = 2.0
_MOST_TRACKS = 2000  # alive at once; a flood of noise must not make the matching grow without end


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerSettings:
    """What a person may turn. Shares are of 1."""

    sure: float = 0.5
    """Boxes of at least this score are matched first, and only they are trusted on their own."""
    doubtful: float = 0.1
    """Boxes below this are not looked at."""
    begin: float = 0.55
    """A box begins a track from this score on."""
    overlap: float = 0.2
    doubtful_overlap: float = 0.5
    look: float = 0.25
    """The largest cosine distance between things that look the same."""
    other_label: float = 0.2
    """What another class adds to the cost: detectors waver between car and truck. 1 forbids it."""
    lost_frames: int = 30


class Tracker(Protocol):
    """Numbers boxes through time."""

    def step(self, boxes: Sequence[FoundBox], frames: float = 1.0) -> list[FoundBox]:
        """The boxes of the next frame, ``frames`` after the last; the same, in the same order, with ``track`` set."""
        ...


@dataclass(slots=True)
class _Alive:
    """One track: everything but where it is."""

    number: int
    label: str
    seen: int = 1
    lost: float = 0.0
    looks: list[NDArray[np.float64]] = field(default_factory=list)


class Associating:
    """Both trackers: they differ in the rounds of matching alone."""

    def __init__(self, settings: TrackerSettings, rounds: Callable[[Associating, _Frame], None]) -> None:
        self._settings, self._rounds = settings, rounds
        self._motion, self._tracks, self._next = Motion(), list[_Alive](), 1

    def step(self, boxes: Sequence[FoundBox], frames: float = 1.0) -> list[FoundBox]:
        self._motion.predict(frames)
        for track in self._tracks:
            track.lost += frames
        frame = _Frame(boxes, frames)
        self._rounds(self, frame)
        numbers = {box: self._tracks[track].number for track, box in frame.matched.items()}
        self._saw(frame)
        self._forget(frame)
        numbers |= self._begin(frame)
        return [replace(box, track=numbers.get(place)) for place, box in enumerate(boxes)]

    def by_overlap(self, frame: _Frame, tracks: Places, boxes: Places, least: float) -> None:
        """A round: boxes go to the tracks that they overlap best."""
        if tracks.size and boxes.size:
            shared = overlaps(self._motion.edges()[tracks], frame.edges[boxes])
            frame.match(tracks, boxes, (1 - shared) + self._estranged(frame, tracks, boxes), 1 - least)

    def by_look(self, frame: _Frame, tracks: Places, boxes: Places) -> None:
        """A round: boxes go to the tracks that look like them, where their motion allows it."""
        boxes = boxes[[frame.looks[box] is not None for box in boxes]] if boxes.size else boxes
        tracks = tracks[[bool(self._tracks[track].looks) for track in tracks]] if tracks.size else tracks
        if not (tracks.size and boxes.size):
            return
        seen = np.stack([look for box in boxes if (look := frame.looks[box]) is not None])
        cost = np.stack([(1 - np.stack(self._tracks[track].looks) @ seen.T).min(axis=0) for track in tracks])
        cost += self._estranged(frame, tracks, boxes)
        cost[self._motion.far(frame.places)[np.ix_(tracks, boxes)] > _GATE] = _NEVER
        frame.match(tracks, boxes, cost, self._settings.look)

    def free(self, frame: _Frame, *, lost: float = np.inf, seen: int = 1) -> Places:
        """Tracks without a box so far, unseen for at most ``lost`` frames, seen at least ``seen`` times."""
        return np.array([place for place, track in enumerate(self._tracks) if place not in frame.matched
                         and track.lost <= lost and track.seen >= seen], np.intp)  # fmt: skip

    def unknown(self, tracks: Places) -> Places:
        """Those of which nobody knows what they look like."""
        return np.array([track for track in tracks if not self._tracks[track].looks], np.intp)

    def waits(self) -> list[float]:
        """For how long the tracks have been unseen, each length once, the shortest first."""
        return sorted({track.lost for track in self._tracks})

    @property
    def settings(self) -> TrackerSettings:
        return self._settings

    def _estranged(self, frame: _Frame, tracks: Places, boxes: Places) -> Rows:
        labels = np.array([self._tracks[track].label for track in tracks])
        other: Rows = np.where(labels[:, None] != frame.labels[boxes][None], self._settings.other_label, 0.0)
        return np.where(other >= 1, _NEVER, other)

    def _saw(self, frame: _Frame) -> None:
        if not frame.matched:
            return
        tracks, boxes = np.array(list(frame.matched), np.intp), np.array(list(frame.matched.values()), np.intp)
        self._motion.correct(tracks, frame.places[boxes])
        for track, box in frame.matched.items():
            alive = self._tracks[track]
            alive.seen, alive.lost = alive.seen + 1, 0.0
            look = frame.looks[box]
            if look is not None:
                alive.looks = [*alive.looks[1 - _GALLERY :], look]

    def _forget(self, frame: _Frame) -> None:
        """A thing seen once and not soon again was noise; the others are waited for."""
        waits = {True: float(self._settings.lost_frames), False: max(_ONCE_FRAMES, frame.frames)}
        kept = np.array([track.lost <= waits[track.seen > 1] for track in self._tracks], np.bool_)
        self._motion.keep(kept)
        self._tracks = [track for track, stays in zip(self._tracks, kept, strict=True) if stays]

    def _begin(self, frame: _Frame) -> dict[int, int]:
        room = _MOST_TRACKS - len(self._tracks)
        new = frame.free(self._settings.begin)[: max(room, 0)]
        numbers = {}
        for box in new.tolist():
            look = frame.looks[box]
            self._tracks.append(_Alive(self._next, str(frame.labels[box]), looks=[] if look is None else [look]))
            numbers[box] = self._next
            self._next += 1
        self._motion.add(frame.places[new])
        return numbers


class _Frame:
    """The boxes of one frame as arrays, and who got which."""

    def __init__(self, boxes: Sequence[FoundBox], frames: float) -> None:
        self.frames = frames
        rows = np.array([(box.left, box.top, box.width, box.height) for box in boxes], np.float64).reshape(-1, 4)
        self.edges = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:]], axis=1)
        self.places = np.concatenate([rows[:, :2] + rows[:, 2:] / 2, rows[:, 2:]], axis=1)
        self.scores = np.array([box.score for box in boxes], np.float64)
        self.labels = np.array([box.label for box in boxes], np.str_)
        self.looks = [_unit(box.features) for box in boxes]
        self.matched: dict[int, int] = {}

    def free(self, least: float, below: float = np.inf) -> Places:
        """Boxes without a track so far, by score."""
        taken = set(self.matched.values())
        fit = np.flatnonzero((self.scores >= least) & (self.scores < below))
        return np.array([box for box in fit if box not in taken], np.intp)

    def match(self, tracks: Places, boxes: Places, cost: Rows, most: float) -> None:
        """The cheapest pairs overall, none dearer than ``most``."""
        # Capped: pairs that may not be must not push the sum towards fewer good pairs.
        rows, columns = linear_sum_assignment(np.where(cost > most, _NEVER, cost))
        for row, column in zip(rows, columns, strict=True):
            if cost[row, column] <= most:
                self.matched[int(tracks[row])] = int(boxes[column])


def _unit(features: NDArray[np.float32] | None) -> NDArray[np.float64] | None:
    if features is None:
        return None
    values = np.asarray(features, np.float64).reshape(-1)
    length = float(np.linalg.norm(values))
    return values / length if np.isfinite(length) and length > 0 else None


def _two_stages(tracker: Associating, frame: _Frame) -> None:
    settings = tracker.settings
    tracker.by_overlap(frame, tracker.free(frame, seen=2), frame.free(settings.sure), settings.overlap)
    # Only what was seen a frame ago is offered doubtful boxes: what is long lost would be pulled away by noise.
    doubtful = frame.free(settings.doubtful, settings.sure)
    tracker.by_overlap(frame, tracker.free(frame, lost=frame.frames), doubtful, settings.doubtful_overlap)
    tracker.by_overlap(frame, tracker.free(frame), frame.free(settings.sure), settings.overlap)


def _looks_first(tracker: Associating, frame: _Frame) -> None:
    settings = tracker.settings
    for lost in tracker.waits():
        tracker.by_look(frame, tracker.free(frame, lost=lost), frame.free(settings.sure))
    tracker.by_overlap(frame, tracker.free(frame, lost=frame.frames), frame.free(settings.sure), settings.overlap)
    tracker.by_overlap(frame, tracker.unknown(tracker.free(frame)), frame.free(settings.sure), settings.overlap)


TRACKERS: Mapping[str, Callable[[TrackerSettings], Tracker]] = MappingProxyType(
    {
        "bytetrack": lambda settings: Associating(settings, _two_stages),
        "deepsort": lambda settings: Associating(settings, _looks_first),
    }
)


def tracker_named(name: str, settings: TrackerSettings | None = None) -> Tracker:
    """A fresh tracker."""
    if name not in TRACKERS:
        raise UserError(f"No tracker is called {name!r}; known are {', '.join(TRACKERS)}.")
    return TRACKERS[name](settings or TrackerSettings())


def without_strays(frames: Iterable[Sequence[FoundBox]], least: int = 3) -> list[list[FoundBox]]:
    """The same frames; tracks seen fewer than ``least`` times are no tracks, and their boxes stay as boxes."""
    kept = [list(boxes) for boxes in frames]
    seen = Counter(box.track for boxes in kept for box in boxes)
    return [[box if seen[box.track] >= least else replace(box, track=None) for box in boxes] for boxes in kept]


def label_of(boxes: Iterable[FoundBox]) -> str:
    """What a track is: the class whose boxes have the most score together."""
    weights: Counter[str] = Counter()
    for box in boxes:
        weights[box.label] += box.score  # type: ignore[assignment]  # a Counter adds floats as well
    return max(weights, key=lambda label: (weights[label], label))
