"""Whether a text and what it is said of are as fine as each other: a word, a sentence or a whole document, beside a
region (down to pixels) or a whole picture.

Which levels go together depends on the relation. A project declares that another pair is meant with a tolerance of its
own: ``level:sentence/region`` 1.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import partial

from workstation.core.annotation import Annotation, Link, LinkEnd, TargetKind
from workstation.core.findings import Item
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import LEVEL_TOLERANCE, named_limit
from workstation.core.wording import WORD
from workstation.qa.findings import LABEL_KINDS, Fault, Sees, rule, shaped
from workstation.qa.remembered import of_each_link
from workstation.qa.rules.items import annotation_item, judged_annotations, link_item, streams_by_id
from workstation.qa.rules.said import FLAT, PICTURES, annotation_at, part_in, stands, text_of

_REGIONS = FLAT | {ShapeKind.CUBOID, ShapeKind.POINT_SET}
_SENTENCE_ENDS = re.compile(r"[.!?…।؟。](?=\s|$)")
_LONG_PHRASE, _LONG_SENTENCE = 12, 60
"""Words above which a text without a full stop is a sentence, and one with few of them a document."""
_MANY_SENTENCES = 3


class Level(StrEnum):
    """How much a label is about."""

    TOKEN = "token"  # a word of a text
    PHRASE = "phrase"
    SENTENCE = "sentence"
    DOCUMENT = "document"
    REGION = "region"
    WHOLE = "whole"


_FINE = frozenset({Level.TOKEN, Level.PHRASE})
_COARSE = frozenset({Level.SENTENCE, Level.DOCUMENT})
_UNEQUAL: dict[str, tuple[tuple[frozenset[Level], Level], ...]] = {
    "refers_to": ((_COARSE, Level.REGION),),
    "attribute_of": ((_COARSE, Level.REGION),),
    "describes": ((frozenset({Level.DOCUMENT}), Level.REGION), (_FINE, Level.WHOLE)),
    "finding": ((frozenset({Level.DOCUMENT}), Level.REGION), (_FINE, Level.WHOLE)),
}
"""By relation: levels of a text that do not go with a level of what it is said of."""


@rule(
    "granularity.detail",
    error_type=ErrorType.GRANULARITY,
    severity=Severity.WARNING,
    looks_at=LABEL_KINDS,
    sees=Sees(labels=shaped(ShapeKind.TEXT_SPAN), links=frozenset(_UNEQUAL)),
)
def detail(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A text is linked to something of another level of detail: a whole sentence refers to a box, a report of many
    sentences describes one region, two words of a longer text describe the whole picture. The tolerance
    ``level:sentence/region`` of 1 declares that such a pair is meant (token, phrase, sentence or document, then region
    or whole).
    """
    streams = streams_by_id(snapshot, sample)
    made = partial(_unequal_at, snapshot, streams)
    unequal = of_each_link(snapshot, sample, "unequal levels", lambda link: tuple(made(link)) or None)
    if not unequal:
        return
    reaches = _reaches(snapshot, sample)
    for those in unequal.values():
        for link, text, level, end, place in those:
            if level in _FINE and not _is_part(snapshot, text, reaches):
                continue  # a caption of two words is a caption
            if named_limit(snapshot.project(), f"{LEVEL_TOLERANCE}:{level}/{place}", 0.0) >= 1:
                continue
            yield _fault(snapshot, link, text, level, end, place, streams)


def _unequal_at(
    snapshot: Snapshot, streams: Mapping[str, Stream], link: Link
) -> Iterator[tuple[Link, Annotation, Level, LinkEnd, Level]]:
    """Texts of a link with ends that they do not go with."""
    if link.type_id not in _UNEQUAL or not stands(link):
        return
    for text in (label for each in link.ends if (label := _text_at(snapshot, each, streams)) is not None):
        level = level_of(text_of(text))
        for end in link.ends:
            place = None if end.target == text.id else _place(snapshot, end, streams)
            if place is not None and _unequal(link, level, place):
                yield link, text, level, end, place


def level_of(text: str) -> Level:
    """A word, a phrase, a sentence, or more than that."""
    words = len(WORD.findall(text))
    sentences = len(_SENTENCE_ENDS.findall(text))
    if sentences >= _MANY_SENTENCES or words > _LONG_SENTENCE:
        return Level.DOCUMENT
    if words > _LONG_PHRASE or (sentences and words > 1):
        return Level.SENTENCE
    return Level.TOKEN if words <= 1 else Level.PHRASE


def _unequal(link: Link, text: Level, place: Level) -> bool:
    return any(text in levels and place is other for levels, other in _UNEQUAL[link.type_id])


def _text_at(snapshot: Snapshot, end: LinkEnd, streams: Mapping[str, Stream]) -> Annotation | None:
    """The text at an end: marked words, or a label that is its text. What is said in a region's own field is none."""
    label = annotation_at(snapshot, end)
    if label is None or not text_of(label) or (label.kind in _REGIONS and label.stream in streams):
        return None
    return label


def _place(snapshot: Snapshot, end: LinkEnd, streams: Mapping[str, Stream]) -> Level | None:
    """How much of what is seen an end is about; nothing for what is no picture."""
    if end.kind is TargetKind.SAMPLE:
        return Level.WHOLE
    if end.kind is TargetKind.STREAM:
        stream = streams.get(end.target)
        return Level.WHOLE if stream is not None and stream.kind in PICTURES else None
    label = annotation_at(snapshot, end)
    return Level.REGION if label is not None and label.kind in _REGIONS else None


def _reaches(snapshot: Snapshot, sample: Sample) -> dict[str, int]:
    """How far each text is known to go, by what is marked in it."""
    found: defaultdict[str, int] = defaultdict(int)
    for label in judged_annotations(snapshot, sample):
        part = part_in(label)
        if part is not None:
            found[part[0]] = max(found[part[0]], part[2])
    return dict(found)


def _is_part(snapshot: Snapshot, text: Annotation, reaches: Mapping[str, int]) -> bool:
    """Whether marked words are known to be less than half of their text."""
    part = part_in(text)
    if part is None:
        return False
    of, start, end = part
    quoted = snapshot.get(RecordKind.ANNOTATION, of)
    whole = len(quoted.text or "") if isinstance(quoted, Annotation) else reaches.get(of, end)
    return 2 * (end - start) < whole


def _fault(
    snapshot: Snapshot, link: Link, text: Annotation, level: Level, end: LinkEnd, place: Level,
    streams: Mapping[str, Stream],
) -> Fault:  # fmt: skip
    seen = annotation_at(snapshot, end)
    other = Item(end.kind.value, end.target) if seen is None else annotation_item(seen, dict(streams))
    quote = text_of(text)
    said = quote if len(quote) <= 60 else quote[:59] + "…"
    what = "one region" if place is Level.REGION else "all of a picture"
    return Fault(
        text=f"{link.type_id}: a {level} ('{said}') is linked to {what}",
        items=(link_item(link), annotation_item(text, dict(streams)), other),
        measured=level.value,
        limit=place.value,
        suggestion="mark the words that mean it, link what they are about, or declare that such pairs are meant "
        f"(tolerance {LEVEL_TOLERANCE}:{level}/{place} 1)",
        aspect=f"{text.id} {end.target}",
    )
