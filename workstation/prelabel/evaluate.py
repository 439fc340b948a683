"""How good proposals are against a truth: average precision, overlap of cuboids, identity over time. Pure functions;
``app/prelabel_eval.py`` brings records into this form and ``workstation prelabel --eval`` prints what comes out.

Precision and recall follow the arithmetic of COCO: detections best first, each takes the free truth that it overlaps
most if that is enough; precision is made to fall only, and read at 101 recalls. Identity follows CLEAR MOT (a match is
kept from frame to frame while it still overlaps enough) and IDF1 (one best assignment of whole tracks).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from workstation.core.geometry import Cuboid
from workstation.prelabel.api import FoundBox, FoundCuboid
from workstation.prelabel.cuboid_overlap import bird_eye_iou, rows_of, solid_iou

Floats = NDArray[np.float64]
Thing = TypeVar("Thing", FoundBox, FoundCuboid)
Frame = tuple[Sequence[Thing], Sequence[Thing]]
"""What was found and what is true in one picture or sweep."""
Overlap = Callable[[Sequence[Thing], Sequence[Thing]], Floats]
"""(n, m) intersection over union of found and true."""
COCO_LEVELS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
_RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """Of one class at one level of overlap."""

    label: str
    level: float
    truths: int
    found: int
    right: int
    ap: float
    """NaN where there is no truth of the class."""
    mean_overlap: float
    """Of what was right; NaN where nothing was."""

    @property
    def recall(self) -> float:
        return self.right / self.truths if self.truths else float("nan")

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackScore:
    """Identity over time, of one class or all together."""

    label: str
    truths: int
    """Boxes of the truth, over all frames."""
    misses: int
    false_positives: int
    switches: int
    id_right: int
    """Boxes under the best assignment of whole tracks."""
    found: int

    @property
    def mota(self) -> float:
        """1 minus misses, false ones and switches per truth; may be below zero."""
        if not self.truths:
            return float("nan")
        return 1 - (self.misses + self.false_positives + self.switches) / self.truths

    @property
    def idf1(self) -> float:
        both = self.truths + self.found
        return 2 * self.id_right / both if both else float("nan")


def box_overlap(found: Sequence[FoundBox], true: Sequence[FoundBox]) -> Floats:
    """Intersection over union of upright boxes in a picture."""
    one, other = _edges(found), _edges(true)
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=-1)
    whole = _area(one)[:, None] + _area(other)[None] - shared
    ratio: Floats = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
    return ratio


def cuboid_overlap(found: Sequence[FoundCuboid], true: Sequence[FoundCuboid]) -> Floats:
    """Intersection over union of cuboids in space."""
    return solid_iou(rows_of(found), rows_of(true))


def cuboid_overlap_from_above(found: Sequence[FoundCuboid], true: Sequence[FoundCuboid]) -> Floats:
    """Intersection over union of cuboids seen from above."""
    return bird_eye_iou(rows_of(found), rows_of(true))


def average_precision(
    frames: Sequence[Frame[Thing]], overlap: Overlap[Thing], *, level: float = 0.5
) -> list[ClassScore]:
    """For every class, by name. ``frames``: what was found and what is true in each picture or sweep."""
    labels = _labels(frames)
    return [_class_score(label, frames, overlap, level) for label in labels]


def mean_average_precision(scores: Sequence[ClassScore]) -> float:
    """Over the classes that have a truth; NaN if none has."""
    known = [each.ap for each in scores if each.truths]
    return float(np.mean(known)) if known else float("nan")


def _class_score(label: str, frames: Sequence[Frame[Thing]], overlap: Overlap[Thing], level: float) -> ClassScore:
    scores: list[float] = []
    hits: list[bool] = []
    shared: list[float] = []
    truths = 0
    for found, true in frames:
        mine = sorted((each for each in found if each.label == label), key=lambda each: -each.score)
        theirs = [each for each in true if each.label == label]
        truths += len(theirs)
        taken = greedy(overlap(mine, theirs), level) if mine and theirs else {}
        table = overlap(mine, theirs) if taken else np.empty((0, 0))
        for number, each in enumerate(mine):
            scores.append(each.score)
            hits.append(number in taken)
        shared += [float(table[number, partner]) for number, partner in taken.items()]
    order = np.argsort(-np.array(scores), kind="stable")
    right = np.array(hits, np.bool_)[order]
    return ClassScore(
        label=label, level=level, truths=truths, found=len(scores), right=int(right.sum()),
        ap=precision_area(right, truths), mean_overlap=float(np.mean(shared)) if shared else float("nan"),
    )  # fmt: skip


def greedy(table: Floats, level: float) -> dict[int, int]:
    """Which truth each of the found (rows, best first) takes: the free one that it overlaps most, if by ``level``."""
    taken: dict[int, int] = {}
    free = np.ones(table.shape[1], np.bool_)
    for row in range(table.shape[0]):
        open_now = np.where(free, table[row], -1.0)
        best = int(np.argmax(open_now)) if len(open_now) else -1
        if best >= 0 and open_now[best] >= level:
            taken[row] = best
            free[best] = False
    return taken


def precision_area(right: NDArray[np.bool_], truths: int) -> float:
    """Average precision of detections that are right or not, best first: the mean of 101 precisions, as COCO's."""
    if not truths:
        return float("nan")
    if not len(right):
        return 0.0
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(hits / truths, _RECALLS, side="left")
    found = np.where(at < len(precision), precision[np.minimum(at, len(precision) - 1)], 0.0)
    return float(found.mean())


# --- identity ---------------------------------------------------------------------------------------------------


def identity(frames: Sequence[Frame[Thing]], overlap: Overlap[Thing], *, level: float = 0.5) -> list[TrackScore]:
    """Of each class by name, and of all together under ``""``. ``frames`` in the order of time; everything has its
    ``track`` number, and what has none is left out."""
    tracked: list[Frame[Thing]] = [_tracked(frame) for frame in frames]
    scores = [_identity("", tracked, overlap, level)]
    for label in _labels(tracked):
        own: list[Frame[Thing]] = [_only(frame, label) for frame in tracked]
        scores.append(_identity(label, own, overlap, level))
    return scores


def _labels(frames: Sequence[Frame[Thing]]) -> list[str]:
    names: set[str] = set()
    for found, true in frames:
        names.update(each.label for each in found)
        names.update(each.label for each in true)
    return sorted(names)


def _only(frame: Frame[Thing], label: str) -> Frame[Thing]:
    found, true = frame
    return [each for each in found if each.label == label], [each for each in true if each.label == label]


def _tracked(frame: Frame[Thing]) -> Frame[Thing]:
    found, true = frame
    return [each for each in found if each.track is not None], [each for each in true if each.track is not None]


def _identity(label: str, frames: Sequence[Frame[Thing]], overlap: Overlap[Thing], level: float) -> TrackScore:
    last: dict[int, int] = {}
    truths = found_count = misses = wrong = switches = 0
    together: dict[tuple[int, int], int] = defaultdict(int)
    for found, true in frames:
        table = overlap(found, true) if found and true else np.zeros((len(found), len(true)))
        truths, found_count = truths + len(true), found_count + len(found)
        pairs = _kept_and_new(table, found, true, last, level)
        misses += len(true) - len(pairs)
        wrong += len(found) - len(pairs)
        for row, column in pairs:
            mine, theirs = found[row].track or 0, true[column].track or 0
            switches += theirs in last and last[theirs] != mine
            last[theirs] = mine
        for row, column in zip(*np.nonzero(table >= level), strict=True):
            together[found[row].track or 0, true[column].track or 0] += 1
    return TrackScore(
        label=label, truths=truths, misses=misses, false_positives=wrong, switches=switches,
        id_right=_assigned(together), found=found_count,
    )  # fmt: skip


def _kept_and_new(
    table: Floats, found: Sequence[Thing], true: Sequence[Thing], last: Mapping[int, int], level: float
) -> list[tuple[int, int]]:
    """What goes together in a frame: who went together before and still may, then the best of the rest."""
    from scipy.optimize import linear_sum_assignment

    rows = {each.track: row for row, each in enumerate(found)}
    pairs: list[tuple[int, int]] = []
    for column, each in enumerate(true):
        row = rows.get(last.get(each.track or 0, -1)) if (each.track or 0) in last else None
        if row is not None and table[row, column] >= level and all(row != taken for taken, _ in pairs):
            pairs.append((row, column))
    free_rows = [row for row in range(len(found)) if all(row != taken for taken, _ in pairs)]
    free_columns = [column for column in range(len(true)) if all(column != taken for _, taken in pairs)]
    if free_rows and free_columns:
        rest = table[np.ix_(free_rows, free_columns)]
        worth = np.where(rest >= level, 1.0 + rest, 0.0)
        for row, column in zip(*linear_sum_assignment(-worth), strict=True):
            if worth[row, column] > 0:
                pairs.append((free_rows[row], free_columns[column]))
    return pairs


def _assigned(together: Mapping[tuple[int, int], int]) -> int:
    """Frames in which tracks agree under the one assignment of found to true tracks that agrees most."""
    from scipy.optimize import linear_sum_assignment

    if not together:
        return 0
    mine = {each: row for row, each in enumerate(sorted({pair[0] for pair in together}))}
    theirs = {each: column for column, each in enumerate(sorted({pair[1] for pair in together}))}
    table = np.zeros((len(mine), len(theirs)))
    for (found, true), count in together.items():
        table[mine[found], theirs[true]] = count
    rows, columns = linear_sum_assignment(-table)
    return int(table[rows, columns].sum())


def as_found(cuboid: Cuboid, label: str, *, score: float = 1.0, track: int | None = None) -> FoundCuboid:
    """A labelled cuboid in the form that is compared."""
    return FoundCuboid(
        center=cuboid.center, size=cuboid.size, rotation=cuboid.rotation, label=label, score=score, track=track
    )  # fmt: skip


def _edges(boxes: Sequence[FoundBox]) -> Floats:
    rows = np.array([(b.left, b.top, b.left + b.width, b.top + b.height) for b in boxes], np.float64)
    return rows.reshape(-1, 4)


def _area(edges: Floats) -> Floats:
    area: Floats = np.prod(np.maximum(edges[:, 2:] - edges[:, :2], 0.0), axis=1)
    return area
