"""Which sample to work on next, and why: where models doubt, where modalities or model and label disagree, what is
rare, and what nobody has labelled yet. For ``workstation report next``; nothing is judged or changed by it.

Each of the four counts alike, from 0 to 1. What is equal is ordered by lot, the same for the same seed.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from workstation.app.prelabel_report import class_of
from workstation.app.sample_disagreement import Disagreement, disagreements
from workstation.core.annotation import Annotation, State
from workstation.core.proposals import doubt_of, is_proposal, unseen
from workstation.core.sample import Project, Sample, SampleState
from workstation.core.values import dataclass
from workstation.store.queries import Reads

_OPEN = frozenset({SampleState.NEW, SampleState.IN_PROGRESS, SampleState.RETURNED})
_FINISHED = frozenset({State.DONE, State.APPROVED})
_LOOKED_AT = 5
"""So many of the most doubtful proposals say how doubtful a sample is."""
_FINISHED_COUNTS = 0.5
"""What is rare and labelled already is worth a look, but less."""
_MANY_GAPS = 4
"""Classes that nobody has labelled anywhere: so many are as much as counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextSample:
    """A sample that waits, how much speaks for it, and what."""

    sample: str
    score: float
    reasons: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        return {"sample": self.sample, "score": round(self.score, 3), "reason": "; ".join(self.reasons) or "none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """What is known of all samples together."""

    project: Project | None
    disputed: Mapping[str, Disagreement]
    counts: Mapping[str, int]
    """How often each class is labelled or proposed."""
    finished: frozenset[str]


def next_samples(reads: Reads, *, seed: int = 0) -> list[NextSample]:
    """Samples that nobody has handed in, what is most worth a person's time first."""
    held = {each.id: _labels(reads, each) for each in reads.samples()}
    everything = [(label, said) for labels in held.values() for label, said in labels]
    whole = _Whole(
        project=reads.project(), disputed={each.sample: each for each in disagreements(reads)},
        counts=Counter(said for _, said in everything if said),
        finished=frozenset(said for label, said in everything if label.state in _FINISHED),
    )  # fmt: skip
    found = [_weighed(reads, each, held[each.id], whole) for each in reads.samples() if each.state in _OPEN]
    lot = {each.key: hashlib.sha256(f"{seed}\0{each.id}".encode()).digest() for each in reads.samples()}
    return sorted(found, key=lambda each: (-each.score, lot[each.sample]))


def _labels(reads: Reads, sample: Sample) -> list[tuple[Annotation, str]]:
    """What is not rejected, with its class."""
    things: dict[str, str] = {each.id: each.class_id for each in reads.entities(sample.id)}
    labels = (each for each in reads.annotations(sample.id) if each.state is not State.REJECTED)
    return [(each, class_of(each, things)) for each in labels]


def _weighed(reads: Reads, sample: Sample, labels: list[tuple[Annotation, str]], whole: _Whole) -> NextSample:
    waiting = [(each, said) for each, said in labels if is_proposal(each) and not unseen(whole.project, each)]
    parts = (
        _doubt([each for each, _ in waiting]),
        _between(reads, sample, labels, whole.disputed.get(sample.key)),
        max(
            _rarity((said for each, said in labels if said and each.state not in _FINISHED), whole.counts, 1.0),
            _rarity((said for _, said in labels if said), whole.counts, _FINISHED_COUNTS),
        ),
        _gaps((said for _, said in waiting if said), whole.finished),
    )
    reasons = [words for _, words in sorted(parts, key=lambda each: -each[0]) if words]
    return NextSample(sample=sample.key, score=sum(part for part, _ in parts) / len(parts), reasons=tuple(reasons))


def _doubt(waiting: list[Annotation]) -> tuple[float, str]:
    most = sorted((doubt_of(each) for each in waiting), reverse=True)[:_LOOKED_AT]
    if not most:
        return 0.0, ""
    mean = sum(most) / len(most)
    what = "the proposal that waits is" if len(waiting) == 1 else f"the most doubtful of {len(waiting)} proposals are"
    return mean, f"{what} sure to {1 - mean:.2f}"


def _between(
    reads: Reads, sample: Sample, labels: list[tuple[Annotation, str]], disputed: Disagreement | None
) -> tuple[float, str]:  # fmt: skip
    """Between what modalities say of one thing, and between model and label."""
    things: dict[str, str] = {each.id: each.class_id for each in reads.entities(sample.id)}
    shown = [each for each, _ in labels if each.entity in things]
    torn = {each.entity for each in shown if each.class_id is not None and each.class_id != things[each.entity or ""]}
    share = len(torn) / len({each.entity for each in shown}) if shown else 0.0
    said = []
    if torn:
        said.append(f"{len(torn)} thing{'' if len(torn) == 1 else 's'} with another class in one of the streams")
    if disputed is not None and disputed.alone:
        said.append(f"{disputed.alone} of {disputed.claims} claims of models and labels stand alone")
    return max(share, 0.0 if disputed is None else disputed.share), " and ".join(said)


def _rarity(classes: Iterable[str], counts: Mapping[str, int], weight: float) -> tuple[float, str]:
    rarest = min(set(classes), key=lambda each: (counts[each], each), default="")
    total = sum(counts.values())
    if not rarest or total < 2 or len(counts) < 2:  # where all are of one class none is rare
        return 0.0, ""
    part = 1 - math.log(counts[rarest]) / math.log(total)
    return weight * part, f"{rarest} is rare: {counts[rarest]} of {total}"


def _gaps(classes: Iterable[str], finished: frozenset[str]) -> tuple[float, str]:
    missing = sorted(set(classes) - finished)
    names = ", ".join(missing[:_MANY_GAPS]) + (" …" if len(missing) > _MANY_GAPS else "")
    return min(1.0, len(missing) / _MANY_GAPS), f"nobody has finished a label of {names}" if missing else ""
