"""Texts beside what they are said of: reasons beside steps, facts beside things, descriptions beside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from workstation.core.annotation import Annotation, TargetKind
from workstation.core.findings import Item
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.core.wording import Named
from workstation.qa.findings import LABEL_KINDS, Fault, Reach, Sees, rule
from workstation.qa.rules.items import (
    annotation_item,
    class_of,
    entities_by_id,
    entity_item,
    link_item,
    ontology_of,
    streams_by_id,
)
from workstation.qa.rules.said import annotation_at, language_of, standing_links, text_of, wording_of


@rule("texts.step", error_type=ErrorType.SEMANTIC, severity=Severity.ERROR, looks_at=LABEL_KINDS, reach=Reach.NEAR)
def step(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A reason that explains a step tells another action than the step is labelled with: push for a lift."""
    ontology = ontology_of(snapshot)
    wording = wording_of(ontology)
    streams = streams_by_id(snapshot, sample)
    for link in standing_links(snapshot, sample, ("explains",)):
        ends = [found for end in link.ends if (found := annotation_at(snapshot, end)) is not None]
        reasons = [each for each in ends if text_of(each)]
        steps = [each for each in ends if not text_of(each)]
        done = dict.fromkeys(
            each for label in steps if (each := class_of(snapshot, label)) in ontology.classes and each
        )
        for reason in reasons:
            language = language_of(snapshot, reason, ontology)
            named = [each for each in wording.classes_in(text_of(reason), language) if not each.negated]
            for class_id in done:
                wrong = [each for each in named if wording.contradicts(each, class_id, language)]
                if not wrong or any(wording.fits(each, class_id) for each in named):
                    continue
                labels = [each for each in steps if class_of(snapshot, each) == class_id]
                yield Fault(
                    text=f"the step is {class_id}, and its reason tells {', '.join(each.quote for each in wrong)}: "
                    f"'{_short(text_of(reason))}'",
                    items=(annotation_item(reason, streams), link_item(link),
                           *(annotation_item(each, streams) for each in labels)),
                    measured=", ".join(each.quote for each in wrong),
                    limit=class_id,
                    suggestion="correct the reason or the step, or link the reason to the step it explains",
                    aspect=class_id,
                )  # fmt: skip


@rule("texts.fact", error_type=ErrorType.SEMANTIC, severity=Severity.ERROR, looks_at={RecordKind.ENTITY})
def fact(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A property of the sample (a category, a title) names another kind of thing than any that is labelled in it."""
    ontology = ontology_of(snapshot)
    wording = wording_of(ontology)
    entities = [each for each in entities_by_id(snapshot, sample).values() if each.class_id in ontology.classes]
    language = ontology.ontology.language
    for name, value in sample.properties.items():
        named = [each for each in wording.classes_in(value, language) if each.classes and not each.negated]
        if not named or not entities or any(wording.fits(n, e.class_id) for n in named for e in entities):
            continue
        wrong = [n for n in named if all(wording.contradicts(n, e.class_id, language) for e in entities)]
        if wrong:
            yield Fault(
                text=f"the sample's {name} is '{_short(value)}', and what is labelled in it is "
                f"{', '.join(dict.fromkeys(each.class_id for each in entities))}",
                items=(Item(RecordKind.SAMPLE.value, sample.id, sample.key), *map(entity_item, entities)),
                measured=wrong[0].quote,
                limit=entities[0].class_id,
                suggestion=f"correct the {name} (sample.set), or the label",
                aspect=name,
            )


@rule(
    "texts.contradiction",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.ERROR,
    looks_at=LABEL_KINDS,
    sees=Sees(labels=(), links=frozenset({"describes"})),
)
def contradiction(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Two descriptions of one sample contradict each other: after the same word ("picks up") one names a cup and the
    other a bowl.
    """
    streams = streams_by_id(snapshot, sample)
    told = [(label, _objects(snapshot, label)) for label in _descriptions(snapshot, sample)]
    for number, (label, mine) in enumerate(told):
        for other, theirs in told[:number]:
            for word in mine.keys() & theirs.keys():
                if _disagree(snapshot, other, mine[word], theirs[word]):
                    a, b = mine[word][0].quote, theirs[word][0].quote
                    yield Fault(
                        text=f"after '{word}' one description says '{b}' and the other '{a}': "
                        f"'{_short(text_of(other))}' and '{_short(text_of(label))}'",
                        items=(annotation_item(label, streams), annotation_item(other, streams)),
                        measured=a,
                        limit=b,
                        suggestion="look which of them is right, and correct the other",
                        aspect=word,
                    )


def _descriptions(snapshot: Snapshot, sample: Sample) -> list[Annotation]:
    """Texts about whole streams or the sample, each once."""
    found: dict[str, Annotation] = {}
    for link in standing_links(snapshot, sample, ("describes",)):
        if any(end.kind in (TargetKind.STREAM, TargetKind.SAMPLE) for end in link.ends):
            for end in link.ends:
                label = annotation_at(snapshot, end)
                if label is not None and text_of(label):
                    found[label.id] = label
    return list(found.values())


def _objects(snapshot: Snapshot, label: Annotation) -> dict[str, list[Named]]:
    """For each word that names something, what is named next, if it is of another sort (a deed and a thing)."""
    ontology = ontology_of(snapshot)
    wording = wording_of(ontology)
    named = wording.classes_in(text_of(label), language_of(snapshot, label, ontology))
    found: defaultdict[str, list[Named]] = defaultdict(list)
    for first, then in pairwise(named):
        roots = [{wording.root(each) for each in (*one.classes, *one.wider)} for one in (first, then)]
        if not roots[0] & roots[1] and then.classes and not then.negated:
            found[first.quote.casefold()].append(then)
    return dict(found)


def _disagree(snapshot: Snapshot, other: Annotation, mine: list[Named], theirs: list[Named]) -> bool:
    """Whether nothing that the one names may be what the other names."""
    ontology = ontology_of(snapshot)
    wording = wording_of(ontology)
    language = language_of(snapshot, other, ontology)
    return all(
        any(wording.contradicts(a, class_id, language) for class_id in b.classes)
        and not any(wording.fits(a, class_id) for class_id in b.classes)
        for a in mine
        for b in theirs
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
