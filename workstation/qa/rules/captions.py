"""Captions beside what is labelled in the pictures they describe: another picture's, invented things, things left out.

A caption is a text that a ``describes`` link joins to a picture, a clip or the sample. Compared are the words that the
lexicon knows with the classes of the labels; words of sorts that nobody labels in that picture count for nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workstation.core.annotation import Annotation, Link, TargetKind
from workstation.core.findings import Item
from workstation.core.ontology import ErrorType, Severity
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import CAPTION_EACH_TOLERANCE, CAPTION_SET_TOLERANCE, named_limit
from workstation.core.wording import Named, Wording, masked
from workstation.qa.findings import Fault, rule
from workstation.qa.rules.items import annotation_item, link_item, ontology_of, streams_by_id
from workstation.qa.rules.said import (
    PICTURES,
    Thing,
    annotation_at,
    language_of,
    part_in,
    pictures_of,
    plural,
    standing_links,
    text_of,
    things_in,
    wording_of,
)

FULL_CAPTIONS = frozenset({"full_caption"})
"""Classes of captions that promise to name everything that matters."""
LISTED = 3
"""A caption that names so many things lists what is there; one that names fewer may be about those alone."""
HALF = 0.5
ALIKE, FIXED_WORDS = 5, 3
"""So many samples with one sentence, but for what it names, and so many words besides, are a template."""


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
    phrases: int
    """How many phrases are linked."""

    @property
    def namings(self) -> int:
        """How many times it names something that is there."""
        return len(self.present) + self.phrases

    @property
    def share(self) -> float:
        """Which share of what it names is there; 1 if it names nothing."""
        named = len(self.present) + len(self.linked) + len(self.missing)
        return 1.0 if not named else 1 - len(self.missing) / named


@rule("captions.pairing", error_type=ErrorType.INCORRECT_PAIRING, severity=Severity.ERROR, limit=50.0, unit="%")
def pairing(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A caption fits another sample of the project better than its own: less than half of what it names is labelled
    here, and there it is. The finding names that sample.
    """
    streams = streams_by_id(snapshot, sample)
    for caption in captions_of(snapshot, sample):
        partner = _partner(snapshot, sample, caption)
        if partner is None:
            continue
        absent = ", ".join(f"'{each.quote}'" for each in caption.missing)
        yield Fault(
            text=f"the caption '{_short(caption.text)}' names {absent}, which nobody labelled here; "
            f"it fits sample {partner.key}",
            items=(link_item(caption.link), annotation_item(caption.label, streams),
                   Item(RecordKind.SAMPLE.value, partner.id, partner.key)),
            measured=round(caption.share * 100, 1),
            limit=HALF * 100,
            suggestion=f"give this caption to {partner.key}, and write the right one here",
        )  # fmt: skip


@rule("captions.absent", error_type=ErrorType.HALLUCINATION, severity=Severity.ERROR)
def absent(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A caption names a thing that is labelled nowhere in its picture, although most of what it names is."""
    streams = streams_by_id(snapshot, sample)
    for caption in captions_of(snapshot, sample):
        if not caption.missing or _partner(snapshot, sample, caption) is not None:
            continue
        shown = ", ".join(dict.fromkeys(each.class_id for each in caption.things))
        for named in caption.missing:
            yield Fault(
                text=f"the caption '{_short(caption.text)}' names '{named.quote}', and nothing of that kind is "
                f"labelled in its picture",
                items=(annotation_item(caption.label, streams), link_item(caption.link)),
                measured=named.quote,
                limit=shown,
                suggestion="take it out of the text (mark it as invented), or label it if it is there",
                aspect=f"{named.quote.casefold()} {named.start}",
            )


@rule("captions.partial", error_type=ErrorType.PARTIAL_ALIGNMENT, severity=Severity.WARNING, limit=100.0, unit="%")
def partial(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A caption that lists what is there (a full caption, or one that names three things or more) leaves some out.

    With the project's tolerance ``caption_each`` every caption must name that share (0 to 1), long or short.
    Background (attribute salience) need not be named.
    """
    streams = streams_by_id(snapshot, sample)
    each_share = named_limit(snapshot.project(), CAPTION_EACH_TOLERANCE, 0.0)
    for caption in captions_of(snapshot, sample):
        wanted = [thing for thing in caption.things if not thing.background]
        if not wanted or caption.share < HALF:
            continue
        covered = _covered(snapshot, [caption], wanted)
        promised = caption.label.class_id in FULL_CAPTIONS or caption.namings >= LISTED
        limit = 1.0 if promised else each_share
        share = len(covered) / len(wanted)
        if share < limit:
            left = [thing for thing in wanted if thing.key not in covered]
            yield Fault(
                text=f"the caption '{_short(caption.text)}' is partial: it names {len(covered)} of {len(wanted)} "
                f"things and leaves out {_classes(left)}",
                items=(annotation_item(caption.label, streams),
                       *(annotation_item(thing.labels[0], streams, thing.class_id) for thing in left)),
                measured=round(share * 100, 1),
                limit=limit * 100,
                suggestion="name them, or set their salience to background",
            )  # fmt: skip


@rule("captions.omitted", error_type=ErrorType.MISSING_REFERENCE, severity=Severity.WARNING, limit=100.0, unit="%")
def omitted(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Things labelled in a picture that none of its captions names, where one of them is a full caption.

    With the project's tolerance ``caption_set`` captions of every kind must together name that share (0 to 1); 0
    switches the rule off. Background (attribute salience) need not be named.
    """
    chosen = named_limit(snapshot.project(), CAPTION_SET_TOLERANCE, -1.0)
    limit = 1.0 if chosen < 0 else chosen
    streams = streams_by_id(snapshot, sample)
    by_picture: defaultdict[tuple[str, ...], list[Caption]] = defaultdict(list)
    for caption in captions_of(snapshot, sample):
        if caption.share >= HALF:
            by_picture[caption.pictures].append(caption)
    unnamed = _stated_unnamed(snapshot, sample)
    for captions in by_picture.values():
        if chosen < 0 and all(each.label.class_id not in FULL_CAPTIONS for each in captions):
            continue
        wanted = [thing for thing in captions[0].things if not thing.background and not _ids(thing) & unnamed]
        covered = _covered(snapshot, captions, wanted)
        share = 1.0 if not wanted else len(covered) / len(wanted)
        if share >= limit:
            continue
        for thing in (each for each in wanted if each.key not in covered):
            yield Fault(
                text=f"{thing.class_id} is labelled on {streams[thing.labels[0].stream or ''].key} and no caption "
                f"names it; the captions name {len(covered)} of {len(wanted)} things",
                items=(annotation_item(thing.labels[0], streams, thing.class_id),
                       *(annotation_item(each.label, streams) for each in captions[:3])),
                measured=round(share * 100, 1),
                limit=limit * 100,
                suggestion="name it in a caption, set its salience to background, or state its absence (link.absent)",
            )  # fmt: skip


@rule(
    "captions.template",
    error_type=ErrorType.GRANULARITY,
    severity=Severity.WARNING,
    limit=float(ALIKE - 1),
    unit="samples",
    per_sample=False,
    per_project=True,
)
def template(snapshot: Snapshot, _sample: Sample | None) -> Iterator[Fault]:
    """One sentence describes many samples and differs only in the things, colours and numbers it names."""
    ontology = ontology_of(snapshot)
    wording = wording_of(ontology)
    alike: defaultdict[str, dict[str, tuple[Sample, Annotation]]] = defaultdict(dict)
    for sample in snapshot.samples():
        for _, label, _ in _described(snapshot, sample):
            text, language = text_of(label), language_of(snapshot, label, ontology)
            said = [*wording.classes_in(text, language), *wording.options_in(text, language, "colour")]
            pattern = masked(text, said)
            words = pattern.split()
            if "_" in words and sum(word != "_" and not word.isdigit() for word in words) >= FIXED_WORDS:
                alike[pattern].setdefault(sample.id, (sample, label))
    for pattern, found in alike.items():
        if len(found) >= ALIKE:
            keys = [sample.key for sample, _ in found.values()]
            yield Fault(
                text=f"{len(found)} samples are described by one sentence, '{pattern}': {', '.join(keys[:6])}"
                f"{' and more' if len(keys) > 6 else ''}",
                items=tuple(
                    Item(RecordKind.ANNOTATION.value, label.id, f"caption of {sample.key}")
                    for sample, label in found.values()
                ),
                measured=float(len(found)),
                suggestion="describe what is particular of each",
                aspect=pattern,
            )


def captions_of(snapshot: Snapshot, sample: Sample) -> list[Caption]:
    """The captions of a sample, judged against what is labelled in their pictures."""
    ontology = ontology_of(snapshot)
    wording = wording_of(ontology)
    phrases = _linked_phrases(snapshot, sample)
    found = []
    for link, label, pictures in _described(snapshot, sample):
        things = things_in(snapshot, sample, pictures)
        if not things:
            continue
        text, language = text_of(label), language_of(snapshot, label, ontology)
        mine = _phrases_within(label, phrases)
        sorts = {wording.root(thing.class_id) for thing in things}
        named = [
            each
            for each in wording.classes_in(text, language)
            if not each.negated
            and any(wording.root(class_id) in sorts for class_id in each.classes)
            and not any(start <= each.start and each.end <= end for start, end, _ in mine)
        ]
        present = tuple(each for each in named if any(wording.fits(each, thing.class_id) for thing in things))
        linked = frozenset(key for *_, keys in mine for key in keys)
        found.append(
            Caption(
                link=link, label=label, text=text, language=language, pictures=pictures, things=tuple(things),
                present=present, missing=tuple(each for each in named if each not in present), linked=linked,
                phrases=len(mine),
            )
        )  # fmt: skip
    return found


def _described(snapshot: Snapshot, sample: Sample) -> Iterator[tuple[Link, Annotation, tuple[str, ...]]]:
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


def _partner(snapshot: Snapshot, sample: Sample, caption: Caption) -> Sample | None:
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
    return any(text_of(label) == text for _, label, _ in _described(snapshot, sample))


def _exchanged(snapshot: Snapshot, ontology: CompiledOntology, sample: Sample, other: Sample) -> bool:
    """Whether a caption of the other sample fits this one and not its own."""
    wording = wording_of(ontology)
    here = things_in(snapshot, sample, pictures_of(snapshot.streams(sample.id)))
    there = things_in(snapshot, other, pictures_of(snapshot.streams(other.id)))
    for _, label, _ in _described(snapshot, other):
        named = [
            each
            for each in wording.classes_in(text_of(label), language_of(snapshot, label, ontology))
            if not each.negated and each.classes
        ]
        if _fit(wording, named, here)[0] > HALF > _fit(wording, named, there)[0]:
            return True
    return False


def _covered(snapshot: Snapshot, captions: Sequence[Caption], things: Sequence[Thing]) -> frozenset[str]:
    """Keys of the things that captions name: by a linked phrase, or by a word each (a plural names them all)."""
    wording = wording_of(ontology_of(snapshot))
    keys = {thing.key for thing in things}
    covered: set[str] = set()
    for caption in captions:
        mine = set(caption.linked & keys)
        for named in caption.present:
            fitting = [each.key for each in things if each.key not in mine and wording.fits(named, each.class_id)]
            mine.update(fitting if plural(named, wording, caption.language) else fitting[:1])
        covered |= mine
    return frozenset(covered)


def _stated_unnamed(snapshot: Snapshot, sample: Sample) -> set[str]:
    """What somebody said that the texts do not name."""
    types = ontology_of(snapshot).link_types
    texts = {each.id for each in snapshot.streams(sample.id) if each.kind is StreamKind.TEXT}
    found: set[str] = set()
    for link in standing_links(snapshot, sample, [key for key, each in types.items() if each.absence]):
        places = {end.target for end in link.ends if end.kind in (TargetKind.STREAM, TargetKind.MODALITY)}
        if places & {StreamKind.TEXT.value, *texts}:
            found |= {end.target for end in link.ends}
    return found


def _ids(thing: Thing) -> set[str]:
    return {thing.key, *(each.id for each in thing.labels)}


def _classes(things: Sequence[Thing]) -> str:
    return ", ".join(thing.class_id for thing in things)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
