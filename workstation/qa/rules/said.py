"""What rules about texts share: what a label says, in which language, and what pictures hold that a text may name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from workstation.core.annotation import Annotation, Link, LinkEnd, TargetKind
from workstation.core.geometry import ShapeKind, TextSpan
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.core.wording import Named, Wording
from workstation.qa.remembered import of_each_link
from workstation.qa.rules.items import JUDGED, class_of, judged_annotations, ontology_of

PICTURES = frozenset({StreamKind.IMAGE, StreamKind.VIDEO})
FLAT = frozenset({ShapeKind.BOX, ShapeKind.POLYGON, ShapeKind.MASK, ShapeKind.KEYPOINTS, ShapeKind.POINT})


@lru_cache(maxsize=4)
def wording_of(ontology: CompiledOntology) -> Wording:
    """The words of a version of the ontology, indexed once."""
    return Wording(ontology)


def text_of(annotation: Annotation) -> str:
    """What a span quotes, else what the label itself says."""
    if isinstance(annotation.shape, TextSpan) and annotation.shape.quote:
        return annotation.shape.quote
    return annotation.text or ""


def language_of(snapshot: Snapshot, annotation: Annotation, ontology: CompiledOntology) -> str:
    """The label's own language, that of the text it quotes, that of its stream, else the ontology's."""
    if annotation.language:
        return annotation.language
    if isinstance(annotation.shape, TextSpan) and annotation.shape.of is not None:
        quoted = snapshot.get(RecordKind.ANNOTATION, annotation.shape.of)
        if isinstance(quoted, Annotation) and quoted.language:
            return quoted.language
    for stream in snapshot.streams(annotation.sample):
        if stream.id == annotation.stream and stream.language:
            return stream.language
    return ontology.ontology.language


def standing_links(snapshot: Snapshot, sample: Sample, types: Iterable[str]) -> Iterator[Link]:
    """The positive links of some types that somebody stands behind."""
    wanted = frozenset(types)
    return (link for link in snapshot.links(sample.id) if link.type_id in wanted and stands(link))


def stands(link: Link) -> bool:
    """Whether it is positive, and somebody stands behind it."""
    return link.holds and link.state in JUDGED


def ends_of(snapshot: Snapshot, link: Link) -> list[Annotation]:
    """The labels at a link's ends that somebody stands behind."""
    return [found for end in link.ends if (found := annotation_at(snapshot, end)) is not None]


def annotation_at(snapshot: Snapshot, end: LinkEnd) -> Annotation | None:
    """The label at an end of a link, if it is one that somebody stands behind."""
    found = snapshot.get(RecordKind.ANNOTATION, end.target) if end.kind is TargetKind.ANNOTATION else None
    return found if isinstance(found, Annotation) and found.state in JUDGED else None


Naming = tuple[Annotation, str, list[Named]]
"""A phrase, its language, and the words in it that name classes."""


def phrases_linked(snapshot: Snapshot, sample: Sample) -> list[tuple[Link, list[Naming], list[Annotation]]]:
    """Links from phrases that name something to what they refer to, with all labels at the links' ends."""
    ontology = ontology_of(snapshot)

    def ask(link: Link) -> tuple[Link, list[Naming], list[Annotation]] | None:
        ends, naming = phrases_of(snapshot, ontology, link)
        return (link, naming, ends) if naming else None

    found = of_each_link(snapshot, sample, "phrases", ask)
    return [found[link] for link in sorted(found)]


def phrases_of(snapshot: Snapshot, ontology: CompiledOntology, link: Link) -> tuple[list[Annotation], list[Naming]]:
    """The labels at the ends of a link from phrases to what they refer to, and what these phrases name."""
    if link.type_id != "refers_to" or not stands(link):
        return [], []
    ends, naming = ends_of(snapshot, link), list[Naming]()
    for phrase in (each for each in ends if each.kind is ShapeKind.TEXT_SPAN):
        language = language_of(snapshot, phrase, ontology)
        named = [each for each in wording_of(ontology).classes_in(text_of(phrase), language) if not each.negated]
        if named:
            naming.append((phrase, language, named))
    return ends, naming


def part_in(annotation: Annotation) -> tuple[str, int, int] | None:
    """Where a text span lies: the text it is in (a label's id, else the stream's), and from where to where."""
    if not isinstance(annotation.shape, TextSpan):
        return None
    start = min(part[0] for part in annotation.shape.parts)
    end = max(part[1] for part in annotation.shape.parts)
    return annotation.shape.of or annotation.stream or "", start, end


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One thing labelled in pictures: the labels that show it, the first of them with a shape of its own."""

    class_id: str
    labels: tuple[Annotation, ...]
    background: bool = False

    @property
    def key(self) -> str:
        """The entity, or the label where there is none."""
        return self.labels[0].entity or self.labels[0].id


def things_in(snapshot: Snapshot, sample: Sample, streams: Iterable[str]) -> list[Thing]:
    """What is labelled in some pictures, thing by thing."""
    places = frozenset(streams)
    shown: dict[str, list[Annotation]] = {}
    for each in judged_annotations(snapshot, sample):
        if each.stream in places and each.kind in FLAT:
            shown.setdefault(each.entity or each.id, []).append(each)
    found = []
    for labels in shown.values():
        class_id = class_of(snapshot, labels[0])
        if class_id is not None:
            salience = [_salience(snapshot, each) for each in labels]
            found.append(Thing(class_id=class_id, labels=tuple(labels), background="background" in salience))
    return found


def _salience(snapshot: Snapshot, annotation: Annotation) -> str:
    own = annotation.attributes.get("salience")
    if own is None and annotation.entity is not None:
        entity = snapshot.get(RecordKind.ENTITY, annotation.entity)
        own = getattr(entity, "attributes", {}).get("salience")
    return str(own or "")


def pictures_of(streams: Iterable[Stream]) -> list[str]:
    """The ids of the streams that are pictures."""
    return [each.id for each in streams if each.kind in PICTURES]


def plural(named: Named, wording: Wording, language: str) -> bool:
    """Whether the words speak of several: they are known only without their ending."""
    return not wording.is_listed(named.quote, language)
