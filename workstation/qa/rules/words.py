"""Words of texts against the classes of the things they name: the lexicon says what goes together.

A text names a thing when its span shows the thing's entity, or when a ``refers_to`` or ``describes`` link joins them.
The words of other links (causes, grounded_in_time) are about something else and are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workstation.core.annotation import Annotation, Link, LinkEnd, TargetKind
from workstation.core.findings import Item
from workstation.core.geometry import TextSpan
from workstation.core.ontology import ErrorType, Severity, WordPolicy
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.records import RecordKind
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import LABEL_KINDS, Fault, Reach, rule
from workstation.qa.rules.items import (
    JUDGED,
    annotation_item,
    class_of_end,
    end_item,
    entities_by_id,
    entity_item,
    judged_annotations,
    ontology_of,
    streams_by_id,
)
from workstation.qa.rules.said import language_of, text_of

NAMING = frozenset({"refers_to", "describes"})
"""Link types whose text is about the thing at their other end."""
_LONGEST_PHRASE = 4
_WORD = re.compile(r"[^\W_]+(?:['’\-‑][^\W_]+)*")
_FINE = (WordPolicy.SAME, WordPolicy.ALLOWED)


@dataclass(frozen=True, slots=True)
class _Naming:
    """A text beside the class of what it names."""

    text: str
    language: str
    class_id: str
    items: tuple[Item, Item]


@rule(
    "ontology.word_conflicts",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.ERROR,
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def word_conflicts(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A text names a thing by a word that contradicts its class, as cat for a dog."""
    yield from _judged(snapshot, sample, WordPolicy.CONFLICT)


@rule(
    "ontology.word_warns",
    error_type=ErrorType.GRANULARITY,
    severity=Severity.WARNING,
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def word_warns(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A text names a thing by a word that the lexicon warns about, mostly a broader one, as animal for a dog."""
    yield from _judged(snapshot, sample, WordPolicy.WARN)


def _judged(snapshot: Snapshot, sample: Sample, wanted: WordPolicy) -> Iterator[Fault]:
    ontology = ontology_of(snapshot)
    for naming in _namings(snapshot, sample, ontology):
        word, policy = _verdict(ontology, naming)
        if policy is wanted:
            what = "contradicts" if policy is WordPolicy.CONFLICT else "is not the word for"
            yield Fault(
                text=f"'{word}' {what} class {naming.class_id}: the text says '{_short(naming.text)}'",
                items=naming.items,
                measured=word,
                limit=naming.class_id,
                suggestion=f"correct the text or the class, or list the word under {naming.class_id} in the lexicon",
                aspect=f"{word.casefold()}/{naming.class_id}",
            )


def _verdict(ontology: CompiledOntology, naming: _Naming) -> tuple[str, WordPolicy | None]:
    """The word that decides. One right word is enough: the others may well speak of other things."""
    judged = list(_known_words(ontology, naming))
    for policy in (*_FINE, WordPolicy.WARN, WordPolicy.CONFLICT):
        for word, found in judged:
            if found is policy:
                return word, policy
    return "", None


def _known_words(ontology: CompiledOntology, naming: _Naming) -> Iterator[tuple[str, WordPolicy]]:
    """The words and phrases that the lexicon knows, longest first where they overlap ("police car" is no car)."""
    words = list(_WORD.finditer(naming.text))
    at = 0
    while at < len(words):
        for length in range(min(_LONGEST_PHRASE, len(words) - at), 0, -1):
            phrase = naming.text[words[at].start() : words[at + length - 1].end()]
            policy = ontology.word_policy(naming.class_id, phrase, naming.language)
            if policy is not None:
                yield phrase, policy
                at += length
                break
        else:
            at += 1


def _namings(snapshot: Snapshot, sample: Sample, ontology: CompiledOntology) -> Iterator[_Naming]:
    streams, entities = streams_by_id(snapshot, sample), entities_by_id(snapshot, sample)
    for annotation in judged_annotations(snapshot, sample):
        entity = None if annotation.entity is None else entities.get(annotation.entity)
        text = text_of(annotation) if entity is not None and isinstance(annotation.shape, TextSpan) else ""
        if entity is not None and text and entity.class_id in ontology.classes:
            items = (annotation_item(annotation, streams, entity.class_id), entity_item(entity))
            yield _Naming(text, language_of(snapshot, annotation, ontology), entity.class_id, items)
    for link in snapshot.links(sample.id):
        if link.type_id in NAMING and link.holds and link.state in JUDGED:
            yield from _linked(snapshot, link, ontology)


def _linked(snapshot: Snapshot, link: Link, ontology: CompiledOntology) -> Iterator[_Naming]:
    texts = [(end, annotation) for end in link.ends if (annotation := _text_at(snapshot, end)) is not None]
    spoken = {end.target for end, _ in texts}
    for end, annotation in texts:
        for other in link.ends:
            class_id = None if other.target in spoken else class_of_end(snapshot, other)
            if class_id in ontology.classes and not _shows(annotation, other):
                language = language_of(snapshot, annotation, ontology)
                yield _Naming(text_of(annotation), language, class_id, (end_item(end), end_item(other)))


def _shows(annotation: Annotation, end: LinkEnd) -> bool:
    """Whether the text itself shows the entity at the other end, which was judged without the link."""
    return isinstance(annotation.shape, TextSpan) and annotation.entity is not None and annotation.entity == end.target


def _text_at(snapshot: Snapshot, end: LinkEnd) -> Annotation | None:
    if end.kind is not TargetKind.ANNOTATION:
        return None
    annotation = snapshot.get(RecordKind.ANNOTATION, end.target)
    return annotation if isinstance(annotation, Annotation) and text_of(annotation) else None


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
