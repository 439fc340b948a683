"""Texts about pictures, scored by models: beside the labels of the picture (VAL-13), beside its pixels (VAL-14).

A score ranks and flags; only a person confirms. Scores depend on the model, so there is no usual limit: the project
sets its own where its true pairs part from crossed ones (``app/likeness_curve.py``). Without a model or a limit these
checks are *not run*, and so is one that has too few tags to say anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workstation.core.annotation import Annotation
from workstation.core.evidence import Likeness, Unmeasured
from workstation.core.findings import Item
from workstation.core.ontology import ErrorType, Severity
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import PICTURE_LIKENESS_TOLERANCE, TAG_LIKENESS_TOLERANCE
from workstation.qa.findings import LABEL_KINDS, CannotRunError, Fault, rule
from workstation.qa.rules.captioned import DESCRIBED, described
from workstation.qa.rules.items import annotation_item, ontology_of, streams_by_id
from workstation.qa.rules.said import text_of, things_in


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldPair:
    """A text and the pictures that it is about, with what is labelled there, as words."""

    label: Annotation
    text: str
    pictures: tuple[str, ...]
    tags: tuple[str, ...]


def told_pairs(snapshot: Snapshot, sample: Sample) -> list[ToldPair]:
    """Every text of a sample that describes pictures as a whole."""
    ontology = ontology_of(snapshot)
    found = []
    for _, label, pictures in described(snapshot, sample):
        classes = dict.fromkeys(thing.class_id for thing in things_in(snapshot, sample, pictures))
        tags = tuple(_word(ontology, class_id) for class_id in classes)
        found.append(ToldPair(label=label, text=text_of(label), pictures=pictures, tags=tags))
    return found


def _word(ontology: CompiledOntology, class_id: str) -> str:
    """The lexicon's first word for a class in the project's language, else its id as words."""
    language = ontology.ontology.language
    words = (each.word for each in ontology.ontology.lexicon if each.class_id == class_id and each.language == language)
    return next(words, class_id.replace("_", " "))


@rule("likeness.tags", error_type=ErrorType.SEMANTIC, severity=Severity.WARNING, looks_at=LABEL_KINDS, sees=DESCRIBED)
def tags(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A text about a picture is further in meaning from what is labelled there than the project's limit
    (``tag_likeness``), by a local language model.
    """
    pairs = told_pairs(snapshot, sample)
    if not pairs:
        return
    streams = streams_by_id(snapshot, sample)
    known, silent = snapshot.evidence(sample.id), 0
    for pair in pairs:
        try:
            found = known.tag_likeness(pair.tags, [pair.text])
        except Unmeasured as why:
            silent += 1
            if silent == len(pairs):
                raise CannotRunError(str(why)) from why
            continue
        limit = _limit(snapshot, TAG_LIKENESS_TOLERANCE)
        if found.scores[0] < limit:
            about = f"what is labelled in its picture ({', '.join(pair.tags)})"
            yield _fault(pair, streams, found, limit, about)


@rule(
    "likeness.picture",
    error_type=ErrorType.INCORRECT_PAIRING,
    severity=Severity.WARNING,
    looks_at=LABEL_KINDS,
    sees=DESCRIBED,
)
def picture(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A text fits the picture it is about worse than the project's limit (``picture_likeness``), by a local model that
    sees both.
    """
    pairs = told_pairs(snapshot, sample)
    if not pairs:
        return
    streams = streams_by_id(snapshot, sample)
    known = snapshot.evidence(sample.id)
    for pair in pairs:
        for place in pair.pictures:
            found = known.picture_likeness(streams[place], _moment(pair.label), [pair.text])
            limit = _limit(snapshot, PICTURE_LIKENESS_TOLERANCE)
            if found.scores[0] < limit:
                yield _fault(pair, streams, found, limit, f"the picture {streams[place].key}", place)


def _moment(label: Annotation) -> int:
    """In the middle of what a text speaks of, where it says so; else at the beginning."""
    if label.start_ns is None:
        return 0
    return label.start_ns if label.end_ns is None else (label.start_ns + label.end_ns) // 2


def _limit(snapshot: Snapshot, name: str) -> float:
    project = snapshot.project()
    limit = None if project is None else project.tolerances.get(name)
    if limit is None:
        raise CannotRunError(
            f"the project sets no limit for it; `workstation report likeness` shows how its pairs are spread, "
            f"then project.set takes the tolerance {name}"
        )
    return limit


def _fault(
    pair: ToldPair, streams: dict[str, Stream], found: Likeness, limit: float, about: str, place: str = ""
) -> Fault:
    shown = streams.get(place)
    extra = () if shown is None else (Item(RecordKind.STREAM.value, shown.id, shown.key),)
    short = pair.text if len(pair.text) <= 60 else pair.text[:59] + "…"
    return Fault(
        text=f"'{short}' is unlike {about}: {found.scores[0]:.2f} by {found.model}",
        items=(annotation_item(pair.label, streams), *extra),
        measured=round(found.scores[0], 3),
        limit=limit,
        suggestion="look whether the text belongs to this picture; the model only ranks",
        aspect=place,
    )
