"""Where models and labels disagree most: what orders the work of looking again.

Called by ``report disagreement`` and the panel of samples.

A sample's measure is the share of claims that stand alone: a sure proposal where nobody labelled anything of its class,
and a label where the same model, which knows the class, saw nothing. Nothing is judged by it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from workstation.app.prelabel_report import class_of, same_place
from workstation.core.annotation import Annotation, SourceKind, State
from workstation.core.ids import SampleId
from workstation.core.proposals import unseen
from workstation.core.values import dataclass
from workstation.store.queries import Reads

SURE = 0.5
"""Proposals below it claim too little to disagree."""
_LABELS = frozenset({State.DRAFT, State.DONE, State.APPROVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Of one sample; ``ids`` are the claims that stand alone, the surest proposals first."""

    sample: str
    claims: int
    alone: int
    other_class: int
    ids: tuple[str, ...]

    @property
    def share(self) -> float:
        return self.alone / self.claims if self.claims else 0.0


def disagreements(reads: Reads, tell: Callable[[int, int], None] = lambda *_: None) -> list[Disagreement]:
    """Samples with proposals that a person has labelled as well, those that disagree most first."""
    found: list[Disagreement] = []
    for number, sample in enumerate(reads.samples()):
        tell(number, 0)
        one = _of(reads, sample.id, sample.key)
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda each: (-each.share, -each.alone, each.sample))


def _of(reads: Reads, sample: SampleId, key: str) -> Disagreement | None:
    project = reads.project()
    entities: dict[str, str] = {each.id: each.class_id for each in reads.entities(sample)}
    proposals: dict[str | None, list[Annotation]] = defaultdict(list)
    labels: dict[str | None, list[Annotation]] = defaultdict(list)
    for each in reads.annotations(sample):
        if each.source.kind is SourceKind.MODEL and each.state in (State.PROPOSED, State.REJECTED):
            if (each.confidence or 0.0) >= SURE and not unseen(project, each):
                proposals[each.stream].append(each)
        elif each.source.kind is SourceKind.PERSON and each.state in _LABELS:
            labels[each.stream].append(each)
    streams = [each for each in proposals if each in labels]
    if not streams:
        return None
    lonely: list[Annotation] = []
    claims = other_class = 0
    for stream in streams:
        classes = {class_of(each, entities) for each in proposals[stream]}
        ours = [each for each in labels[stream] if class_of(each, entities) in classes]
        claims += len(proposals[stream]) + len(ours)
        lonely += _alone(proposals[stream], labels[stream], entities, reads)
        lonely += _alone(ours, proposals[stream], entities, reads)
        other_class += len(list(_contradicted(proposals[stream], labels[stream], entities, reads)))
    ordered = sorted(lonely, key=lambda each: -(each.confidence or 0.0))
    return Disagreement(
        sample=key, claims=claims, alone=len(lonely), other_class=other_class, ids=tuple(each.id for each in ordered)
    )


def _alone(
    these: list[Annotation], those: list[Annotation], entities: Mapping[str, str], reads: Reads
) -> list[Annotation]:  # fmt: skip
    return [one for one in these if not any(same_place(one, other, entities, reads) for other in those)]


def _contradicted(
    proposals: list[Annotation], labels: list[Annotation], entities: Mapping[str, str], reads: Reads
) -> Iterator[Annotation]:
    """Proposals that lie on a label of another class."""
    for one in proposals:
        on = [each for each in labels if same_place(one, each, entities, reads, any_class=True)]
        if on and not any(same_place(one, each, entities, reads) for each in on):
            yield one
