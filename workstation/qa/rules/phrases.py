"""Phrases that are linked to a thing of another kind than they name, while one of that kind is there."""

from __future__ import annotations

from collections.abc import Iterator

from workstation.core.annotation import Annotation, Entity, Link, TargetKind
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import LABEL_KINDS, Fault, rule
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

MEANING = ("refers_to",)


@rule("phrases.other_thing", error_type=ErrorType.INCORRECT_PAIRING, severity=Severity.ERROR, looks_at=LABEL_KINDS)
def other_thing(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A phrase is linked to a thing of another class than it names, and the sample holds one that it could mean: "the
    van" on a car, beside a van. The finding names the one that fits. Both labels may be right by themselves.
    """
    ontology, streams = ontology_of(snapshot), streams_by_id(snapshot, sample)
    wording, entities = wording_of(ontology), entities_by_id(snapshot, sample)
    for link in standing_links(snapshot, sample, MEANING):
        phrase = next(
            (found for end in link.ends if end.role == "phrase" if (found := annotation_at(snapshot, end))), None
        )
        meant = _meant(snapshot, link, entities)
        if phrase is None or len(meant) != 1:
            continue
        language = language_of(snapshot, phrase, ontology)
        named = wording.classes_in(text_of(phrase), language)
        if not named or not all(wording.contradicts(each, meant[0].class_id, language) for each in named):
            continue
        fitting = [each for each in entities.values() if all(wording.fits(one, each.class_id) for one in named)]
        if fitting:
            better, said = entity_item(fitting[0]), text_of(phrase).strip()
            yield Fault(
                text=f"'{said[:60]}' is linked to {entity_item(meant[0]).label} and could mean {better.label}",
                items=(link_item(link), annotation_item(phrase, streams, class_of(snapshot, phrase)),
                       entity_item(meant[0]), better),
                measured=meant[0].class_id,
                limit=fitting[0].class_id,
                suggestion=f"move the end of the link to {better.label}, if that is meant (link.retarget)",
                aspect=phrase.id,
            )  # fmt: skip


def _meant(snapshot: Snapshot, link: Link, entities: dict[str, Entity]) -> list[Entity]:
    """The things at the other ends, labels by what they show."""
    found: dict[str, Entity] = {}
    for end in link.ends:
        if end.role == "phrase":
            continue
        target = end.target
        if end.kind is TargetKind.ANNOTATION:
            label = snapshot.get(RecordKind.ANNOTATION, end.target)
            target = str(label.entity) if isinstance(label, Annotation) and label.entity else ""
        if target in entities:
            found[target] = entities[target]
    return list(found.values())
