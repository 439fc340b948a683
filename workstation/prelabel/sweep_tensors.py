"""Sweeps into tensors, and boxes out of them: what the families of LiDAR detectors share.

A finished answer is ``boxes`` (n, 7), ``scores`` (n,), ``labels`` (n,), whatever the manifest's options call them; the
families of raw heads make such rows themselves. How a row is to be read, the options say too, since makers differ:
``box`` orders its seven numbers, ``z`` says which height is meant, ``yaw_sign`` and ``yaw_offset`` which way a heading
turns and from where.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.rotation import about_z
from workstation.prelabel.api import Arrays, BadOutput, FoundCuboid, ModelCard, SensorSweep
from workstation.prelabel.lidar_detect import apart

BOX = ("x", "y", "z", "l", "w", "h", "yaw")
FEATURES = ("x", "y", "z", "intensity", "time")
_USUAL_RANGE = (-75.2, -75.2, -2.0, 75.2, 75.2, 4.0)
_USUAL_SCORE = 0.3
_MOST_SHARED = 0.1
_LARGEST_M = 60.0
_MOST_BOXES = 2000


@dataclass(frozen=True, slots=True)
class SweepInput:
    """How a model wants its points, as its manifest's options say."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    lift_m: float
    features: tuple[str, ...]
    intensity_scale: float

    @classmethod
    def of(cls, card: ModelCard) -> SweepInput:
        """``range`` is what it sees, ``lift_m`` how much lower its sensor was mounted, ``features`` the columns."""
        reach = numbers(card, "range", _USUAL_RANGE)
        low, high = np.array(reach[:3]), np.array(reach[3:])
        if not (low < high).all():
            raise wrong("range", "must be six numbers: the lowest x, y, z, then the highest")
        listed = card.options.get("features", FEATURES[:4])
        if not isinstance(listed, list | tuple) or not listed or not set(listed) <= set(FEATURES):
            raise wrong("features", f"must list some of {', '.join(FEATURES)}")
        return cls(
            low, high, number(card, "lift_m", 0.0), tuple(str(each) for each in listed),
            number(card, "intensity_scale", 1.0),
        )  # fmt: skip

    def rows(self, sweep: SensorSweep) -> NDArray[np.float32]:
        """(m, features) of the points that the model looks at, in their order."""
        raised = sweep.points.astype(np.float64) + np.array([0.0, 0.0, self.lift_m])
        seen = ((raised >= self.low) & (raised < self.high)).all(axis=1)
        columns = {
            "x": raised[:, 0], "y": raised[:, 1], "z": raised[:, 2],
            "intensity": sweep.intensity * self.intensity_scale, "time": np.zeros(len(raised)),
        }  # fmt: skip
        found: NDArray[np.float32] = np.stack([columns[each][seen] for each in self.features], axis=1).astype("f4")
        return found


def cuboids_of(card: ModelCard, outputs: Arrays) -> list[FoundCuboid]:
    """The boxes of a finished answer above the threshold, best first, without those that stand in a better one."""
    boxes, scores, labels = _answer(card, outputs)
    return solid(card, boxes, scores, labels, bottom=card.options.get("z", "middle") == "bottom")


def solid(
    card: ModelCard, boxes: NDArray[np.float64], scores: NDArray[np.float64], labels: NDArray[np.int64],
    *, bottom: bool = False,
) -> list[FoundCuboid]:  # fmt: skip
    """Boxes (n, 7), as x, y, z, l, w, h, heading of the model, brought where the sensor is: those above the threshold,
    best first, without those that stand in a better one. ``bottom``: z is that of the bottom."""
    lift_m = number(card, "lift_m", 0.0)
    sign, offset = number(card, "yaw_sign", 1.0), number(card, "yaw_offset", 0.0)
    keep = np.flatnonzero(scores >= card.thresholds.get("score", _USUAL_SCORE))
    keep = keep[np.argsort(-scores[keep], kind="stable")][:_MOST_BOXES]
    found = []
    for row in keep.tolist():
        x, y, z, length, width, height, yaw = boxes[row].tolist()
        if not (0 < length < _LARGEST_M and 0 < width < _LARGEST_M and 0 < height < _LARGEST_M):
            raise BadOutput(f"a box of {length:.3g} × {width:.3g} × {height:.3g} m")
        found.append(
            FoundCuboid(
                center=(x, y, z - lift_m + (height / 2 if bottom else 0.0)), size=(length, width, height),
                rotation=about_z(math.remainder(sign * yaw + offset, math.tau)), label=_label(card, int(labels[row])),
                score=float(scores[row]),
            )
        )  # fmt: skip
    return apart(found, card.thresholds.get("iou", _MOST_SHARED))


def _answer(
    card: ModelCard, outputs: Arrays
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:  # fmt: skip
    boxes, scores, labels = (tensor(card, outputs, name) for name in ("boxes", "scores", "labels"))
    if boxes.ndim == 3 and boxes.shape[0] == 1:
        boxes = boxes[0]
    scores, labels = scores.reshape(-1), labels.reshape(-1)
    if boxes.ndim != 2 or boxes.shape[1] < len(BOX) or not len(boxes) == len(scores) == len(labels):
        raise BadOutput(f"boxes {boxes.shape}, scores {scores.shape} and labels {labels.shape} do not go together")
    return boxes[:, box_order(card)], scores, labels.astype(np.int64)


def box_order(card: ModelCard) -> list[int]:
    """Where in a row of the model each of x, y, z, l, w, h and heading stands."""
    order = str(card.options.get("box", " ".join(BOX))).split()
    if sorted(order) != sorted(BOX):
        raise wrong("box", f"must order {' '.join(BOX)}")
    return [order.index(each) for each in BOX]


def likely(card: ModelCard, raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores of 0 to 1 of what a graph answers, whether it has made them itself (``activated``) or not."""
    if flag(card, "activated", usual=False):
        return raw
    found: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.clip(raw, -60.0, 60.0)))
    return found


def tensor(card: ModelCard, outputs: Arrays, name: str) -> NDArray[np.float64]:
    """What the graph answers under a name, or what the manifest says it calls that; only numbers."""
    named = card.options.get("outputs", {})
    wanted = str(named.get(name, name)) if isinstance(named, Mapping) else name
    if wanted not in outputs:
        raise BadOutput(f"the graph answers {', '.join(outputs) or 'nothing'} and no {wanted!r}")
    found: NDArray[np.float64] = np.asarray(outputs[wanted], np.float64)
    if not np.isfinite(found).all():
        raise BadOutput(f"{wanted} holds what is not a number")
    return found


def _label(card: ModelCard, number: int) -> str:
    if not 0 <= number < len(card.labels):
        raise BadOutput(f"label {number} of {len(card.labels)}")
    return card.labels[number]


def input_name(card: ModelCard, name: str) -> str:
    """What the graph calls an input."""
    named = card.options.get("inputs", {})
    return str(named.get(name, name)) if isinstance(named, Mapping) else name


def number(card: ModelCard, name: str, usual: float) -> float:
    """A finite number among the options."""
    found: Any = card.options.get(name, usual)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise wrong(name, "must be a number")
    return float(found)


def whole(card: ModelCard, name: str, usual: int, most: int) -> int:
    """A count among the options."""
    found = number(card, name, usual)
    if not (found.is_integer() and 0 < found <= most):
        raise wrong(name, f"must be a whole number from 1 to {most}")
    return int(found)


def flag(card: ModelCard, name: str, *, usual: bool) -> bool:
    """Yes or no among the options."""
    found = card.options.get(name, usual)
    if not isinstance(found, bool):
        raise wrong(name, "must be true or false")
    return found


def numbers(card: ModelCard, name: str, usual: tuple[float, ...]) -> tuple[float, ...]:
    """As many finite numbers as are usual."""
    found = card.options.get(name, usual)
    fits = isinstance(found, list | tuple) and len(found) == len(usual)
    if not fits or not all(isinstance(each, int | float) and math.isfinite(each) for each in found):
        raise wrong(name, f"must be {len(usual)} numbers")
    return tuple(float(each) for each in found)


def wrong(name: str, why: str) -> DataError:
    """An option of a manifest that cannot be used."""
    return DataError(why, path="model.yaml", place=f"options.{name}")
