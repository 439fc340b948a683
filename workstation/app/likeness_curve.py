"""Where a project's own texts part from crossed ones, so that a person can set the limit. Shown by ``report likeness``.

A pair is a text and what is labelled in its picture; crossed is the same text with the labels of other samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workstation.app.validation import OpenEvidence
from workstation.core.evidence import Unmeasured
from workstation.core.pair_curve import FEWEST_PAIRS, CurvePoint, pair_curve, suggested_limit
from workstation.qa.rules.likeness import ToldPair, told_pairs
from workstation.store.queries import Reads

MOST_PAIRS = 500
_CROSSINGS = 8
"""Other samples that each text is held against."""
_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScore:
    """A text of a sample with its score beside its own labels and, on average, beside other samples'."""

    sample: str
    text: str
    own: float
    crossed: float

    def plain(self) -> dict[str, Any]:
        """As a row."""
        return {"own": round(self.own, 3), "crossed": round(self.crossed, 3), "sample": self.sample, "text": self.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class LikenessCurve:
    """The pairs by growing score, a point for each limit, and the limit that parts them best, if one does."""

    pairs: tuple[PairScore, ...]
    points: tuple[CurvePoint, ...]
    suggested: float | None
    model: str
    silent: int
    """Pairs of which nothing can be said: too few tags."""

    def flagged(self, limit: float) -> int:
        """How many pairs a limit flags."""
        return sum(pair.own < limit for pair in self.pairs)

    def plain(self, limit: float | None) -> dict[str, Any]:
        """What is known of the limit, as a row."""
        points = [{"limit": round(p.limit, 3), "flagged": p.flagged, "caught": round(p.caught, 3)} for p in self.points]
        return {
            "model": self.model, "pairs": len(self.pairs), "not_enough_evidence": self.silent,
            "suggested": None if self.suggested is None else round(self.suggested, 3), "limit": limit,
            "flagged": None if limit is None else self.flagged(limit), "curve": points,
        }  # fmt: skip

    def words(self, limit: float | None) -> Iterator[str]:
        """The same in sentences."""
        yield f"{len(self.pairs)} texts by {self.model}; {self.silent} more have too few labels to say anything."
        step = max(1, len(self.points) // _LINES)
        for point in self.points[step - 1 :: step]:
            yield f"  limit {point.limit:5.2f} flags {point.flagged:4d} texts and {point.caught:4.0%} of crossed ones"
        if self.suggested is None:
            yield f"No limit is suggested: it needs {FEWEST_PAIRS} texts, and crossed ones that score lower."
        else:
            yield f"The limit {self.suggested:.2f} parts texts from crossed ones best."
        if limit is not None:
            yield f"The limit {limit:.2f} flags {self.flagged(limit)} texts."


def likeness_curve(reads: Reads, evidence: OpenEvidence) -> LikenessCurve:
    """Of up to 500 texts of a project. Raises ``Unmeasured`` without a model, or where no text can be judged."""
    told = [(sample, pair) for sample in reads.samples() for pair in told_pairs(reads, sample)][:MOST_PAIRS]
    if not told:
        raise Unmeasured("no text of the project describes a picture, so there is nothing to compare")
    scores: list[PairScore] = []
    crossed: list[float] = []
    model, why = "", ""
    with evidence(told[0][0]) as known:
        for number, (sample, pair) in enumerate(told):
            others = _others(told, number)
            try:
                own = known.tag_likeness(pair.tags, [pair.text, *(other.text for other in others)])
            except Unmeasured as reason:
                why = str(reason)
                continue
            model, apart = own.model, own.scores[1:]
            crossed += apart
            mean = sum(apart) / len(apart) if apart else 0.0
            scores.append(PairScore(sample=sample.key, text=pair.text, own=own.scores[0], crossed=mean))
    if not scores:
        raise Unmeasured(why)
    scores.sort(key=lambda each: (each.own, each.sample))
    own_scores = [each.own for each in scores]
    return LikenessCurve(
        pairs=tuple(scores),
        points=pair_curve(own_scores, crossed),
        suggested=suggested_limit(own_scores, crossed),
        model=model,
        silent=len(told) - len(scores),
    )


def _others(told: Sequence[tuple[object, ToldPair]], number: int) -> list[ToldPair]:
    """Texts of other samples, spread over the project, none that says the same as this one."""
    step = max(1, len(told) // (_CROSSINGS + 1))
    mine = told[number]
    found = [told[(number + turn * step) % len(told)] for turn in range(1, _CROSSINGS + 1)]
    return list(
        {pair.text: pair for sample, pair in found if sample is not mine[0] and pair.text != mine[1].text}.values()
    )
