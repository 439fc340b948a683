"""Captions beside what is labelled in the pictures they describe: another picture's, invented things, things left out.

A caption is a text that a ``describes`` link joins to a picture, a clip or the sample. Compared are the words that the
lexicon knows with the classes of the labels; words of sorts that nobody labels in that picture count for nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from workstation.core.annotation import Annotation, TargetKind
from workstation.core.findings import Item
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import CAPTION_EACH_TOLERANCE, CAPTION_SET_TOLERANCE, named_limit
from workstation.core.wording import masked
from workstation.qa.findings import LABEL_KINDS, Fault, Sees, rule
from workstation.qa.rules.captioned import DESCRIBED, HALF, Caption, captions_of, described, partner_of
from workstation.qa.rules.items import annotation_item, link_item, ontology_of, streams_by_id
from workstation.qa.rules.said import Thing, language_of, plural, standing_links, text_of, wording_of

_DESCRIBED_OR_NOT = Sees(labels=DESCRIBED.labels)
FULL_CAPTIONS = frozenset({"full_caption"})
"""Classes of captions that promise to name everything that matters."""
LISTED = 3
"""A caption that names so many things lists what is there; one that names fewer may be about those alone."""
ALIKE, ALIKE_SHARE, FIXED_WORDS = 5, 0.05, 3
"""So many samples (and so great a share of all) with one sentence, but for what it names, and so many words besides,
are a template."""


@rule(
    "captions.pairing",
    error_type=ErrorType.INCORRECT_PAIRING,
    severity=Severity.ERROR,
    limit=50.0,
    unit="%",
    looks_at=LABEL_KINDS,
)
def pairing(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A caption fits another sample of the project better than its own: less than half of what it names is labelled
    here, and there it is. The finding names that sample.
    """
    streams = streams_by_id(snapshot, sample)
    for caption in captions_of(snapshot, sample):
        partner = partner_of(snapshot, sample, caption)
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


@rule("captions.absent", error_type=ErrorType.HALLUCINATION, severity=Severity.ERROR, looks_at=LABEL_KINDS)
def absent(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A caption names a thing that is labelled nowhere in its picture, although most of what it names is."""
    streams = streams_by_id(snapshot, sample)
    for caption in captions_of(snapshot, sample):
        if not caption.missing or partner_of(snapshot, sample, caption) is not None:
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


@rule(
    "captions.partial",
    error_type=ErrorType.PARTIAL_ALIGNMENT,
    severity=Severity.WARNING,
    limit=100.0,
    unit="%",
    looks_at=LABEL_KINDS,
    sees=DESCRIBED,
)
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


@rule(
    "captions.omitted",
    error_type=ErrorType.MISSING_REFERENCE,
    severity=Severity.WARNING,
    limit=100.0,
    unit="%",
    looks_at=LABEL_KINDS,
    sees=_DESCRIBED_OR_NOT,
)
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
    "captions.unlinked",
    error_type=ErrorType.MISSING_REFERENCE,
    severity=Severity.INFO,
    looks_at=LABEL_KINDS,
    sees=DESCRIBED,
)
def unlinked(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """In a caption some of whose phrases are linked to regions, a word names a labelled thing and is linked to none."""
    streams = streams_by_id(snapshot, sample)
    for caption in captions_of(snapshot, sample):
        for named in caption.present if caption.phrases else ():
            if any(start <= named.start and named.end <= end for start, end in caption.phrases):
                continue
            yield Fault(
                text=f"'{named.quote}' in the caption '{_short(caption.text)}' is linked to no region",
                items=(annotation_item(caption.label, streams),),
                measured=named.quote,
                suggestion="mark the phrase and link it to the region it means (refers_to)",
                aspect=f"{named.quote.casefold()} {named.start}",
            )


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
    """One sentence describes many samples (five, and a twentieth of those with captions) and differs only in the things
    and colours it names.
    """
    ontology = ontology_of(snapshot)
    wording = wording_of(ontology)
    alike: defaultdict[str, dict[str, tuple[Sample, Annotation]]] = defaultdict(dict)
    captioned = set()
    for sample in snapshot.samples():
        for _, label, _ in described(snapshot, sample):
            captioned.add(sample.id)
            text, language = text_of(label), language_of(snapshot, label, ontology)
            said = [*wording.classes_in(text, language), *wording.options_in(text, language, "colour")]
            pattern = masked(text, said)
            words = pattern.split()
            if "_" in words and sum(word != "_" and not word.isdigit() for word in words) >= FIXED_WORDS:
                alike[pattern].setdefault(sample.id, (sample, label))
    for pattern, found in alike.items():
        if len(found) >= max(ALIKE, ALIKE_SHARE * len(captioned)):
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
