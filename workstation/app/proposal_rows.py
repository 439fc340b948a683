"""The list of proposals that wait for a person, the most doubtful first, and which may be accepted together.

Asked by the panel of proposals, by the actions that walk through them, and by tests; without Qt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workstation.app.inspecting import source_in_words
from workstation.app.rows import Cell, Column, Row
from workstation.app.sample_view import SampleView
from workstation.app.walking import when
from workstation.core.annotation import Annotation
from workstation.core.proposals import doubt_of, edge_case_for, is_open_tag, languages_in, why_one_at_a_time

_WAYS = "What is proposed: accept it (@annotation.accept) or reject it (@annotation.reject)"
COLUMNS = (
    Column(title="Proposal", stretch=True, help=_WAYS),
    Column(title="Sure", width=6, numeric=True, help="How sure the model is; the most doubtful first"),
    Column(title="Stream", width=13, spare=2),
    Column(title="Model", width=14, spare=1, help="What proposes it; the inspector says with which weights and where"),
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Proposals that may be accepted in one act, and why others are left to be looked at."""

    fit: tuple[str, ...]
    left: tuple[str, ...]
    """Sentences, one for each reason."""
    hints: tuple[str, ...] = ()
    """Edge cases of the guideline that classes among them may fall under: what one should have looked for."""


def by_doubt(view: SampleView, proposals: Iterable[Annotation]) -> list[Annotation]:
    """The most doubtful first; alike ones by time."""
    return sorted(proposals, key=lambda each: (-doubt_of(each), when(view, each.id) or 0, each.id))


def by_time(view: SampleView, proposals: Iterable[Annotation]) -> list[Annotation]:
    """As they come."""
    return sorted(proposals, key=lambda each: (when(view, each.id) or 0, each.id))


def proposal_rows(view: SampleView, proposals: Iterable[Annotation]) -> list[Row]:
    """One row each, the most doubtful first."""
    return [_row(view, each) for each in by_doubt(view, proposals)]


def confidence_in_words(annotation: Annotation) -> str:
    """``0.82``; a dash for what says nothing."""
    return "–" if annotation.confidence is None else f"{annotation.confidence:.2f}"


def model_key(annotation: Annotation) -> str:
    """How a filter calls what proposed it; one word."""
    return "model:" + "_".join((annotation.source.name or annotation.source.kind.value).split())


def batch_of(view: SampleView, proposals: Sequence[Annotation]) -> Batch:
    """Of these, what one act may accept. Links are never among them: each is looked at by itself."""
    reasons: Counter[str] = Counter()
    cases: Counter[str] = Counter()
    fit: list[str] = []
    tags = {each.target: each for each in view.reads.comments(view.id) if is_open_tag(each)}
    for each in proposals:
        beside = list(view.annotations_of(each.stream)) if each.kind.value in ("span", "text_span") else []
        reason = why_one_at_a_time(languages_in(each, beside), tags.get(each.id) or tags.get(each.entity or ""))
        if reason:
            reasons[reason] += 1
            continue
        fit.append(each.id)
        case = None if view.ontology is None else edge_case_for(view.ontology, view.class_of(each))
        if case is not None:
            cases[f"{case.id} of the guideline ({case.title or case.text})"] += 1
    hints = tuple(f"{case} is about the class of {count} of them." for case, count in cases.items())
    return Batch(tuple(fit), tuple(f"{count} left: {reason}." for reason, count in reasons.items()), hints)


def _row(view: SampleView, annotation: Annotation) -> Row:
    stream = None if annotation.stream is None else view.streams.get(annotation.stream)
    key = "the sample" if stream is None else stream.key
    source = annotation.source
    said = f" “{annotation.text[:60]}”" if annotation.text else ""
    sure = confidence_in_words(annotation)
    tip = f"{view.name_of(annotation.id)}{said}\nMade by {source_in_words(source)}"
    return Row(
        key=annotation.id,
        ids=(annotation.id,),
        group=f"class:{view.class_of(annotation)} stream:{'_'.join(key.split())} {model_key(annotation)}",
        cells=(
            Cell(text=f"{view.name_of(annotation.id)}{said}", paint=view.paint_of(annotation), tip=tip),
            Cell(text=sure, sort=-doubt_of(annotation), tip=f"Confidence {sure}"),
            Cell(text=key, tip=tip),
            Cell(text=f"{source.name or source.kind.value} {source.version}".strip(), tone="quiet", tip=tip),
        ),
    )
