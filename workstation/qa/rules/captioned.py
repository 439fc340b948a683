"""What captions name beside what is labelled in their pictures, and which sample one fits. For ``captions.py``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workstation.core.annotation import Annotation, Link, TargetKind
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.core.wording import Named, Wording
from workstation.qa.remembered import remembered
from workstation.qa.rules.items import ontology_of, streams_by_id
from workstation.qa.rules.said import (
    FLAT,
    PICTURES,
    Thing,
    annotation_at,
    language_of,
    part_in,
    pictures_of,
    standing_links,
    text_of,
    things_in,
    wording_of,
)
from workstation.qa.sees import Sees, shaped

HALF = 0.5
DESCRIBED = Sees(labels=shaped(*FLAT, on=PICTURES), links=frozenset({"describes", "refers_to"}))
"""What rules look at that hold captions against the labels of their pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A caption, the pictures it describes, and how what it names stands to what is labelled there."""

    link: Link
    label: Annotation
    text: str
    language: str
    pictures: tuple[str, ...]
    things: tuple[Thing, ...]
    present: tuple[Named, ...]
    missing: tuple[Named, ...]
    linked: frozenset[str]
    """Keys of the things that a phrase of the caption is linked to."""
    phrases: tuple[tuple[int, int], ...]
    """From where to where its linked phrases go."""

    @property
    def namings(self) -> int:
        """How many times it names something that is there."""
        return len(self.present) + len(self.phrases)

    @property
    def share(self) -> float:
        """Which share of what it names is there; 1 if it names nothing."""
        named = len(self.present) + len(self.linked) + len(self.missing)
        return 1.0 if not named else 1 - len(self.missing) / named


def captions_of(snapshot: Snapshot, sample: Sample) -> Sequence[Caption]:
    """The captions of a sample, judged against what is labelled in their pictures."""
    return remembered(snapshot, ("captions", sample.id), lambda: tuple(_captions(snapshot, sample)), DESCRIBED)


def _captions(snapshot: Snapshot, sample: Sample) -> list[Caption]:
    told = list(described(snapshot, sample))
    if not told:
        return []
    ontology = ontology_of(snapshot)
    wording = wording_of(ontology)
    phrases = _linked_phrases(snapshot, sample)
    found = []
    for link, label, pictures in told:
        mine = _phrases_within(label, phrases)
        things = things_in(snapshot, sample, pictures) or _shown_elsewhere(snapshot, sample, mine)
        if not things:
            continue
        text, language = text_of(label), language_of(snapshot, label, ontology)
        sorts = {wording.root(thing.class_id) for thing in things}
        named = [
            each
            for each in wording.classes_in(text, language)
            if not each.negated
            and any(
                wording.root(class_id) in sorts and not _says_nothing(ontology, class_id) for class_id in each.classes
            )
            and not any(_meant(wording, each, phrase, things) for phrase in mine)
        ]
        present = tuple(each for each in named if any(wording.fits(each, thing.class_id) for thing in things))
        linked = frozenset(key for *_, keys in mine for key in keys)
        found.append(
            Caption(
                link=link, label=label, text=text, language=language, pictures=pictures, things=tuple(things),
                present=present, missing=tuple(each for each in named if each not in present), linked=linked,
                phrases=tuple((start, end) for start, end, _ in mine),
            )
        )  # fmt: skip
    return found


def _shown_elsewhere(
    snapshot: Snapshot, sample: Sample, phrases: Sequence[tuple[int, int, tuple[str, ...]]]
) -> list[Thing]:
    """What the phrases of a caption are linked to in other pictures, where its own hold no labels."""
    keys = {key for *_, keys in phrases for key in keys}
    pictures = pictures_of(snapshot.streams(sample.id))
    return [each for each in things_in(snapshot, sample, pictures) if each.key in keys] if keys else []


def _meant(wording: Wording, named: Named, phrase: tuple[int, int, tuple[str, ...]], things: Sequence[Thing]) -> bool:
    """Whether words lie in a linked phrase and the link tells for them.

    It does not where they name something else that is there, so that the phrase is linked to the wrong thing; a coat
    in "a man in a red coat" belongs to the man's phrase.
    """
    start, end, keys = phrase
    if not (start <= named.start and named.end <= end):
        return False
    linked = [thing for thing in things if thing.key in keys]
    if any(wording.fits(named, thing.class_id) for thing in linked):
        return True
    return not any(wording.fits(named, thing.class_id) for thing in things if thing not in linked)


def _says_nothing(ontology: CompiledOntology, class_id: str) -> bool:
    """Whether a class is the top of many, so that its word ("thing") names nothing in particular."""
    return len(ontology.above(class_id)) == 1 and len(ontology.below(class_id)) > 1


def described(snapshot: Snapshot, sample: Sample) -> Iterator[tuple[Link, Annotation, tuple[str, ...]]]:
    """Texts with the pictures that they are about as a whole."""
    streams = streams_by_id(snapshot, sample)
    for link in standing_links(snapshot, sample, ("describes",)):
        pictures: list[str] = []
        for end in link.ends:
            if end.kind is TargetKind.SAMPLE:
                pictures += pictures_of(streams.values())
            elif end.kind is TargetKind.STREAM and end.target in streams and streams[end.target].kind in PICTURES:
                pictures.append(end.target)
        texts = [found for end in link.ends if (found := annotation_at(snapshot, end)) is not None and text_of(found)]
        if pictures and len(texts) == 1:
            yield link, texts[0], tuple(sorted(set(pictures)))


def _linked_phrases(snapshot: Snapshot, sample: Sample) -> list[tuple[str, int, int, tuple[str, ...]]]:
    """Phrases that mean labelled things: the text they are in, from where to where, and the things' keys."""
    found: list[tuple[str, int, int, tuple[str, ...]]] = []
    for link in standing_links(snapshot, sample, ("refers_to",)):
        keys: list[str] = []
        places = []
        for end in link.ends:
            label = annotation_at(snapshot, end)
            place = None if label is None else part_in(label)
            if place is not None:
                places.append(place)
            elif label is not None:
                keys.append(label.entity or label.id)
            elif end.kind is TargetKind.ENTITY:
                keys.append(end.target)
        found += [(*place, tuple(keys)) for place in places]
    return found


def _phrases_within(
    label: Annotation, phrases: Sequence[tuple[str, int, int, tuple[str, ...]]]
) -> list[tuple[int, int, tuple[str, ...]]]:
    """Those in a caption, counted from its beginning: in the text it quotes, or in its own."""
    place = part_in(label)
    own = (label.id, 0, len(text_of(label))) if place is None else place
    return [
        (start - own[1], end - own[1], keys)
        for text, start, end, keys in phrases
        if (text == own[0] and own[1] <= start and end <= own[2])
    ]


def partner_of(snapshot: Snapshot, sample: Sample, caption: Caption) -> Sample | None:
    """The sample that a caption fits if it does not fit its own: the best one, exchanged and copied ones first."""
    if caption.share >= HALF:
        return None
    ontology = ontology_of(snapshot)
    wording = wording_of(ontology)
    named = [each for each in wording.classes_in(caption.text, caption.language) if not each.negated and each.classes]
    best: tuple[tuple[float, ...], Sample] | None = None
    for other in snapshot.samples():
        if other.id == sample.id:
            continue
        things = things_in(snapshot, other, pictures_of(snapshot.streams(other.id)))
        share, covered = _fit(wording, named, things)
        copied = _says(snapshot, other, caption.text)
        if not copied and (share < HALF or share <= caption.share):
            continue
        rank = (float(copied), float(_exchanged(snapshot, ontology, sample, other)),
                share, covered)  # fmt: skip
        if best is None or rank > best[0]:
            best = rank, other
    return None if best is None else best[1]


def _fit(wording: Wording, named: Sequence[Named], things: Sequence[Thing]) -> tuple[float, float]:
    """Which share of the words has a thing, and which share of the things a word."""
    sorts = {wording.root(thing.class_id) for thing in things}
    known = [each for each in named if any(wording.root(class_id) in sorts for class_id in each.classes)]
    if not known or not things:
        return 0.0, 0.0
    hits = sum(any(wording.fits(each, thing.class_id) for thing in things) for each in known)
    covered = sum(any(wording.fits(each, thing.class_id) for each in known) for thing in things)
    return hits / len(known), covered / len(things)


def _says(snapshot: Snapshot, sample: Sample, text: str) -> bool:
    """Whether a caption of the sample says just that."""
    return any(text_of(label) == text for _, label, _ in described(snapshot, sample))


def _exchanged(snapshot: Snapshot, ontology: CompiledOntology, sample: Sample, other: Sample) -> bool:
    """Whether a caption of the other sample fits this one and not its own."""
    wording = wording_of(ontology)
    here = things_in(snapshot, sample, pictures_of(snapshot.streams(sample.id)))
    there = things_in(snapshot, other, pictures_of(snapshot.streams(other.id)))
    for _, label, _ in described(snapshot, other):
        named = [
            each
            for each in wording.classes_in(text_of(label), language_of(snapshot, label, ontology))
            if not each.negated and each.classes
        ]
        if _fit(wording, named, here)[0] > HALF > _fit(wording, named, there)[0]:
            return True
    return False
