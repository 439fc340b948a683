"""What a graph answered, checked before a decoder reads it, and a decoder's picks made into boxes of the picture.

The two ends of every family in ``families/``: ``tensor`` refuses what cannot be read (``BadOutput`` says which tensor
and why), ``Limits`` reads the manifest's thresholds, ``found`` goes back through the resize and gives things names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.prelabel.api import Arrays, BadOutput, FoundBox, ModelCard
from workstation.prelabel.fitting import Fit
from workstation.prelabel.overlap import suppressed

MOST_VALUES = 200_000_000
"""More numbers than any detector answers for a batch; reading more would take the memory before the sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A card's thresholds as a decoder uses them."""

    score: float
    iou: float
    agnostic: bool
    most: int

    @classmethod
    def of(cls, card: ModelCard, *, score: float = 0.25, iou: float = 0.45) -> Limits:
        """The card's own, else the family's."""
        score, iou = float(card.thresholds.get("score", score)), float(card.thresholds.get("iou", iou))
        for name, value in (("score", score), ("iou", iou)):
            if not 0.0 <= value <= 1.0:
                raise DataError(f"model.yaml: threshold {name} is {value}; it must be between 0 and 1")
        most = card.options.get("most", 300)
        if not isinstance(most, int) or not 1 <= most <= 3000:
            raise DataError(f"model.yaml: option most is {most!r}; it must be a whole number from 1 to 3000")
        return cls(score=score, iou=iou, agnostic=bool(card.options.get("agnostic", False)), most=most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picks:
    """Candidates of one picture: ``edges`` (n, 4) in the graph's pixels, and what else is known of each."""

    edges: NDArray[Any]
    scores: NDArray[Any]
    classes: NDArray[np.integer]
    extra: NDArray[np.float32] | None = None
    """One row a candidate, carried along: coefficients of a mask."""

    def at(self, places: NDArray[Any]) -> Picks:
        """The candidates at these places."""
        extra = None if self.extra is None else self.extra[places]
        return Picks(edges=self.edges[places], scores=self.scores[places], classes=self.classes[places], extra=extra)


def tensor(outputs: Arrays, name: str, shape: Sequence[int | None]) -> NDArray[Any]:
    """The output ``name`` as finite float32 of this shape (``None`` where any length will do), or ``BadOutput``."""
    if name not in outputs:
        raise BadOutput(f"the graph answered {', '.join(sorted(outputs)) or 'nothing'}, but not {name!r}")
    values = np.asarray(outputs[name])
    if values.ndim != len(shape) or any(want not in (None, got) for want, got in zip(shape, values.shape, strict=True)):
        wanted = " × ".join("any" if side is None else str(side) for side in shape)
        raise BadOutput(f"output {name!r} is {' × '.join(map(str, values.shape)) or 'one number'}, not {wanted}")
    if values.dtype.kind not in "fiu":
        raise BadOutput(f"output {name!r} holds {values.dtype}, not numbers")
    if values.size > MOST_VALUES:
        raise BadOutput(f"output {name!r} holds {values.size:,} numbers; no detector answers that many")
    # A sum in double precision is finite unless something in it is not: one pass, no mask as large as the tensor.
    with np.errstate(over="ignore", invalid="ignore"):
        values = values.astype(np.float32, copy=False)
        sound = bool(np.isfinite(values.sum(dtype=np.float64)))
    if not sound:
        raise BadOutput(f"output {name!r} holds values that are infinite or no numbers at all")
    return values


def sized(outputs: Arrays, dimensions: int) -> list[str]:
    """Names of the outputs with this many dimensions, in the graph's order."""
    return [name for name, values in outputs.items() if np.asarray(values).ndim == dimensions]


def shares(values: NDArray[Any], name: str) -> NDArray[Any]:
    """The same values, when each is a probability; else ``BadOutput``, for the graph is of another family."""
    if values.size and (float(values.min()) < -1e-3 or float(values.max()) > 1.001):
        raise BadOutput(f"output {name!r} holds scores that are not between 0 and 1; is this the right family?")
    return values


def sigmoid(values: NDArray[Any]) -> NDArray[np.float64]:
    """Logits to probabilities without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(values, np.float64)))


def above(scores: NDArray[Any], least: float) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[Any]]:
    """Of (candidates, classes): rows, best class and its score, where that reaches ``least``."""
    if scores.shape[1] == 0:
        raise BadOutput("the graph answers no class at all")
    best = scores.argmax(axis=1)
    values = np.take_along_axis(scores, best[:, None], axis=1)[:, 0]
    rows = np.flatnonzero(values >= least)
    return rows, best[rows], values[rows]


def edges_of_middles(middles: NDArray[Any]) -> NDArray[np.float64]:
    """(n, 4) centre x, centre y, width, height -> left, top, right, bottom."""
    middles = np.asarray(middles, np.float64)
    half = np.clip(middles[:, 2:], 0.0, None) / 2
    return np.concatenate([middles[:, :2] - half, middles[:, :2] + half], axis=1)


def labels_of(card: ModelCard, classes: int) -> tuple[str, ...]:
    """A name for each of the graph's classes. Empty names are gaps in the numbering: no such class."""
    if not card.labels:
        return tuple(f"class {number}" for number in range(classes))
    if len(card.labels) != classes:
        raise BadOutput(f"the graph answers {classes} classes, but the model names {len(card.labels)}")
    return card.labels


def named_classes(card: ModelCard, numbers: NDArray[Any], name: str) -> tuple[NDArray[np.int64], Sequence[str]]:
    """Class numbers as a graph wrote them among its results, and the names they point into."""
    least, most = float(numbers.min(initial=0)), float(numbers.max(initial=0))
    labels = card.labels or (labels_of(card, int(most) + 1) if most < 10_000 else ())
    if least < -0.5 or most >= len(labels) - 0.5:
        raise BadOutput(f"output {name!r} holds class {least if least < 0 else most:g}; the model names {len(labels)}")
    return np.rint(numbers).astype(np.int64), labels


def best_first(scores: NDArray[Any], limits: Limits) -> NDArray[np.intp]:
    """Places of finished boxes above the threshold, best first, no more than the limit."""
    rows = np.flatnonzero(scores >= limits.score)
    return rows[np.argsort(-scores[rows], kind="stable")][: limits.most]


def chosen(picks: Picks, limits: Limits) -> Picks:
    """Those that stay after suppression, best first."""
    edges = np.clip(np.asarray(picks.edges, np.float64), -1e6, 1e6)  # areas of nonsense must not run over
    return picks.at(suppressed(edges, picks.scores, picks.classes, iou=limits.iou, agnostic=limits.agnostic,
                               limit=limits.most))  # fmt: skip


def found(fit: Fit, picks: Picks, labels: Sequence[str],
          masks: Sequence[NDArray[np.bool_]] | None = None) -> list[FoundBox]:  # fmt: skip
    """Boxes of the picture; what lies wholly outside it, is no class or has no area is left out."""
    boxes = fit.to_picture(picks.edges)
    out = []
    for place, (left, top, right, bottom) in enumerate(boxes.tolist()):
        label = labels[int(picks.classes[place])]
        if not label or right - left <= 0 or bottom - top <= 0:
            continue
        score = min(max(float(picks.scores[place]), 0.0), 1.0)
        out.append(FoundBox(left=left, top=top, width=right - left, height=bottom - top, label=label, score=score,
                            mask=None if masks is None else masks[place]))  # fmt: skip
    return out
