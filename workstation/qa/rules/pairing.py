"""Labels that are linked and cannot belong together: exchanged with others, of other classes, one side missing.

What texts say of pictures is judged in ``captions.py``, times of one moment in ``moments.py`` and ``clocks.py``.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from workstation.core.annotation import Annotation, Entity, Link, State, TargetKind
from workstation.core.findings import Item
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import ClassRelation, ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.core.wording import Named, content_words
from workstation.qa.findings import LABEL_KINDS, Fault, Reach, Sees, rule, shaped
from workstation.qa.remembered import labels_by, of_each_link, remembered
from workstation.qa.rules.items import (
    JUDGED,
    annotation_item,
    class_of,
    entity_item,
    judged_annotations,
    link_item,
    ontology_of,
    streams_by_id,
)
from workstation.qa.rules.said import (
    ends_of,
    language_of,
    phrases_of,
    standing_links,
    stands,
    text_of,
    wording_of,
)

MOMENT = frozenset({"synchronized_with", "grounded_in_time", "coincides_with", "describes"})
"""Link types that make one event of what they join."""
SAME = frozenset({"describes", "refers_to"})
"""Link types whose two labels are of one class, if both are classes of one sort."""


_Where = tuple[str | None, ShapeKind, str | None] | None
"""Stream, kind of shape and item of a label; ``None`` for entities."""
_SOUNDS = Sees(labels=shaped(ShapeKind.SPAN, on=[StreamKind.AUDIO]), links=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """Labels that links make one event: what is seen or heard, and the texts that tell it."""

    shown: tuple[Annotation, ...]
    told: frozenset[str]
    texts: tuple[Annotation, ...]


@rule(
    "pairing.exchanged",
    error_type=ErrorType.INCORRECT_PAIRING,
    severity=Severity.ERROR,
    looks_at=LABEL_KINDS,
    sees=Sees(labels=(), links=MOMENT),
)
def exchanged(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Two labels of one stream have changed places: each is told by the other's caption and not by its own.

    Compared are a label's own words (its text, else what the lexicon has for its class) with the texts that links make
    one event with it. The finding names the label that belongs there.
    """
    streams = streams_by_id(snapshot, sample)
    known = [(event, label, _words(snapshot, label)) for event in _events(snapshot, sample) for label in event.shown]
    by_stream: defaultdict[str, list[tuple[_Event, Annotation, frozenset[str]]]] = defaultdict(list)
    for event, label, words in known:
        if event.texts and words and not words & event.told:
            by_stream[label.stream or ""].append((event, label, words))
    for odd in by_stream.values():
        for event, label, words in odd:
            for other_event, other, other_words in odd:
                if label.id == other.id or not (words & other_event.told and other_words & event.told):
                    continue
                mine, partner = annotation_item(label, streams), annotation_item(other, streams)
                yield Fault(
                    text=f"{mine.label} says '{_own(label)}', and the text beside it says "
                    f"'{_short(text_of(event.texts[0]))}', which fits '{_own(other)}'",
                    items=(mine, annotation_item(event.texts[0], streams), partner),
                    measured=_own(label),
                    limit=_own(other),
                    suggestion=f"exchange it with {partner.label} {other.id}",
                    aspect=label.id,
                )


@rule("pairing.classes", error_type=ErrorType.SEMANTIC, severity=Severity.ERROR, looks_at=LABEL_KINDS, reach=Reach.NEAR)
def classes(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A text and what it describes carry classes of one sort that cannot both be true: words dog, box cup."""
    ontology = ontology_of(snapshot)
    streams = streams_by_id(snapshot, sample)
    wording = wording_of(ontology)
    for link in standing_links(snapshot, sample, SAME):
        ends = ends_of(snapshot, link)
        texts = [each for each in ends if each.kind is ShapeKind.TEXT_SPAN]
        for text in texts:
            for other in (each for each in ends if each not in texts):
                a, b = class_of(snapshot, text), class_of(snapshot, other)
                if a not in ontology.classes or b not in ontology.classes or wording.root(a) != wording.root(b):
                    continue
                if ontology.relation(a, b) is ClassRelation.CONFLICT:
                    yield Fault(
                        text=f"{link.type_id}: the words are labelled {a} and what they describe {b}",
                        items=(link_item(link), annotation_item(text, streams, a), annotation_item(other, streams, b)),
                        measured=a,
                        limit=b,
                        suggestion="give both the class that is true, or link the words to what they mean",
                        aspect=f"{text.id} {other.id}",
                    )


@rule(
    "pairing.wrong_thing",
    error_type=ErrorType.INCORRECT_PAIRING,
    severity=Severity.ERROR,
    looks_at=LABEL_KINDS,
    sees=Sees(links=frozenset({"refers_to"})),
)
def wrong_thing(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A phrase is linked to a thing of another class than its words name, and the same stream holds one that they
    name. The finding proposes it; both labels may be right by themselves.
    """
    streams = streams_by_id(snapshot, sample)
    found = of_each_link(snapshot, sample, "phrases of other things", partial(_contradicted, snapshot))
    others = _Others(snapshot, sample)
    for those in found.values():
        for link, phrase, thing, wrong in those:
            better = others.named_by(wrong, thing)
            if better is not None:
                own, partner = _class_of(snapshot, thing), _item(snapshot, better, streams)
                yield Fault(
                    text=f"'{_short(text_of(phrase))}' is linked to {own}, and {partner.label} is what it names",
                    items=(link_item(link), annotation_item(phrase, streams), _item(snapshot, thing, streams), partner),
                    measured=wrong[0].quote,
                    limit=own,
                    suggestion=f"link the phrase to {partner.label} {better.id} instead",
                    aspect=f"{phrase.id} {thing.id}",
                )


_Contradicted = tuple[Link, Annotation, Annotation | Entity, list[Named]]


def _contradicted(snapshot: Snapshot, link: Link) -> tuple[_Contradicted, ...] | None:
    """Phrases of a link, what it says that they refer to, and the words that name something else."""
    ontology = ontology_of(snapshot)
    ends, naming = phrases_of(snapshot, ontology, link)
    if not naming:
        return None
    wording, found = wording_of(ontology), list[_Contradicted]()
    things: list[Annotation | Entity] = [each for each in ends if each.kind is not ShapeKind.TEXT_SPAN]
    for end in link.ends:
        entity = snapshot.get(RecordKind.ENTITY, end.target) if end.kind is TargetKind.ENTITY else None
        things += [entity] if isinstance(entity, Entity) else []
    for thing in things:
        own = _class_of(snapshot, thing)
        for phrase, language, named in naming if own in ontology.classes else ():
            if not any(wording.fits(each, own) for each in named):
                wrong = [each for each in named if wording.contradicts(each, own, language)]
                found += [(link, phrase, thing, wrong)] if wrong else []
    return tuple(found) or None


def _class_of(snapshot: Snapshot, thing: Annotation | Entity) -> str:
    return thing.class_id if isinstance(thing, Entity) else class_of(snapshot, thing) or ""


def _item(snapshot: Snapshot, thing: Annotation | Entity, streams: Mapping[str, Stream]) -> Item:
    if isinstance(thing, Entity):
        return entity_item(thing)
    return annotation_item(thing, streams, class_of(snapshot, thing))


class _Others:
    """What a phrase may mean instead of what it is linked to."""

    def __init__(self, snapshot: Snapshot, sample: Sample) -> None:
        self._snapshot, self._sample = snapshot, sample
        self._ontology = ontology_of(snapshot)
        self._linked: frozenset[str] | None = None
        self._labels: defaultdict[_Where, dict[str, Sequence[str]]] = defaultdict(dict)
        self._first: dict[tuple[_Where, str], list[str]] = {}

    def named_by(self, named: Sequence[Named], beside: Annotation | Entity) -> Annotation | Entity | None:
        """What words name, of the same kind and in the same stream; what no phrase is linked to before others."""
        fits, linked, where = wording_of(self._ontology).fits, self._are_linked(), _where(beside)
        first = [
            next(each for each in (*those, "") if each != beside.id)
            for class_id in self._classes_at(where)
            if any(fits(word, class_id) for word in named)
            for those in [self._first_two(where, class_id)]
        ]
        best = min((each for each in first if each), key=lambda each: (each in linked, each), default=None)
        kind = RecordKind.ENTITY if where is None else RecordKind.ANNOTATION
        found = None if best is None else self._snapshot.get(kind, best)
        return found if isinstance(found, Annotation | Entity) else None

    def _are_linked(self) -> frozenset[str]:
        if self._linked is None:
            links = standing_links(self._snapshot, self._sample, ("refers_to",))
            self._linked = frozenset(end.target for link in links for end in link.ends)
        return self._linked

    def _first_two(self, where: _Where, class_id: str) -> list[str]:
        """Of one class in a place, what no phrase is linked to first."""
        if (where, class_id) not in self._first:
            linked, those = self._are_linked(), self._classes_at(where)[class_id]
            free = islice((each for each in those if each not in linked), 2)
            taken = (each for each in those if each in linked)
            self._first[where, class_id] = list(islice((*free, *islice(taken, 2)), 2))
        return self._first[where, class_id]

    def _classes_at(self, where: _Where) -> dict[str, Sequence[str]]:
        """What is in a place, by class, in the order of making."""
        if not self._labels:
            labels = labels_by(self._snapshot, self._sample, "class and place", self._place_of)
            for (place, class_id), those in labels.items():
                self._labels[place][class_id] = those
        if where is None and not self._labels[None]:
            things: defaultdict[str, list[str]] = defaultdict(list)
            for each in self._snapshot.entities(self._sample.id):
                if each.class_id in self._ontology.classes:
                    insort(things[each.class_id], each.id)
            self._labels[None] = dict(things)
        return self._labels[where]

    def _place_of(self, label: Annotation) -> tuple[_Where, str] | None:
        class_id = class_of(self._snapshot, label) if label.state in JUDGED else None
        return (_where(label), class_id) if class_id in self._ontology.classes else None


def _where(thing: Annotation | Entity) -> _Where:
    return None if isinstance(thing, Entity) else (thing.stream, thing.kind, thing.item)


@rule("pairing.alone", error_type=ErrorType.MISSING_REFERENCE, severity=Severity.WARNING, looks_at=LABEL_KINDS)
def alone(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Everything in a sample is labelled in one stream and linked to nothing, and beside it lies a stream that tells
    of the same (words beside a picture, a sound or a signal) without a single label. The finding names both sides.
    """
    known = ontology_of(snapshot).classes
    if any(True for _ in snapshot.links(sample.id)):
        return
    streams = streams_by_id(snapshot, sample)
    labels = [each for each in snapshot.annotations(sample.id) if each.state is not State.REJECTED]
    used = {each.stream for each in labels if each.stream is not None}
    if len(used) != 1:
        return
    place = streams.get(next(iter(used)))
    empty = [each for each in streams.values() if each.id not in used and _tells(each, place)]
    if place is None or not empty:
        return
    for label in labels:
        class_id = class_of(snapshot, label)
        if class_id in known and label.state in JUDGED and label.kind is not ShapeKind.TAG and not label.text:
            named = annotation_item(label, streams, class_id)
            missing = ", ".join(each.key for each in empty)
            yield Fault(
                text=f"{named.label} is labelled on {place.key} only; in {missing} nothing is labelled and nothing is "
                f"linked to it",
                items=(named, *(Item(RecordKind.STREAM.value, each.id, each.key) for each in empty)),
                measured=place.kind.value,
                limit=" and ".join((place.kind.value, *(each.kind.value for each in empty))),
                suggestion=f"label it in {missing} and link both, or state its absence with the reason (link.absent)",
            )


@rule(
    "pairing.unseen",
    error_type=ErrorType.MISSING_REFERENCE,
    severity=Severity.WARNING,
    looks_at=LABEL_KINDS,
    sees=Sees(labels=_SOUNDS.labels, ends=False),
)
def unseen(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """In a sample in which most sounds are linked to what makes them or is seen meanwhile, one is linked to nothing,
    and nothing says that its source is off-screen or unknown. Speech that is written down has its speaker.
    """
    streams = streams_by_id(snapshot, sample)
    if not any(each.kind is StreamKind.VIDEO for each in streams.values()):
        return
    sounds = remembered(
        snapshot,
        ("sounds", sample.id),
        lambda: [each for each in judged_annotations(snapshot, sample) if _is_sound(snapshot, each, streams)],
        _SOUNDS,
    )
    if not sounds:
        return
    joined = {
        end.target
        for link in snapshot.links(sample.id)
        if link.state is not State.REJECTED and link.holds
        for end in link.ends
    }
    alone = [each for each in sounds if each.id not in joined and (each.entity is None or each.entity not in joined)]
    if 2 * len(alone) >= len(sounds):
        return
    for label in alone:
        named = annotation_item(label, streams, class_of(snapshot, label))
        yield Fault(
            text=f"{named.label} has no counterpart in the picture, and nothing says why",
            items=(named,),
            suggestion="link it to what makes it (sound_source), or state that the source is off-screen or unknown",
        )


def _is_sound(snapshot: Snapshot, label: Annotation, streams: Mapping[str, Stream]) -> bool:
    stream = streams.get(label.stream or "")
    heard = stream is not None and stream.kind is StreamKind.AUDIO and label.kind is ShapeKind.SPAN
    return heard and not any(True for _ in snapshot.words(label.id))


def _tells(stream: Stream, beside: Stream | None) -> bool:
    """Whether a stream is words that go with something shown, heard or measured."""
    return stream.kind is StreamKind.TEXT and beside is not None and beside.kind is not StreamKind.TEXT


def _events(snapshot: Snapshot, sample: Sample) -> list[_Event]:
    """What links make one event, as groups."""
    group: dict[str, set[str]] = {}
    labels: dict[str, Annotation] = {}
    for found in of_each_link(snapshot, sample, "one event", partial(_joined, snapshot)).values():
        joined: set[str] = set()
        for each in found:
            labels[each.id] = each
            joined |= group.get(each.id, {each.id})
        for key in joined:
            group[key] = joined
    events = []
    ontology = ontology_of(snapshot)
    for keys in {id(each): each for each in group.values()}.values():
        mine = [labels[key] for key in sorted(keys)]
        texts = tuple(each for each in mine if each.kind is ShapeKind.TEXT_SPAN)
        if not texts:
            continue  # nothing tells of it
        told = frozenset().union(*(content_words(text_of(t), language_of(snapshot, t, ontology)) for t in texts))
        shown = tuple(each for each in mine if each.kind is ShapeKind.SPAN)
        events.append(_Event(shown=shown, told=told, texts=texts))
    return events


def _joined(snapshot: Snapshot, link: Link) -> list[Annotation] | None:
    """The labels that a link makes one event."""
    if link.type_id not in MOMENT or not stands(link):
        return None
    found = ends_of(snapshot, link)
    known = len(found) > 1 and all(end.kind is TargetKind.ANNOTATION for end in link.ends)
    return found if known else None


def _words(snapshot: Snapshot, label: Annotation) -> frozenset[str]:
    """The label's own words, else those that the lexicon lists under its class."""
    ontology = ontology_of(snapshot)
    language = language_of(snapshot, label, ontology)
    if label.text:
        return content_words(label.text, language)
    class_id = class_of(snapshot, label)
    listed = [word.word for word in ontology.ontology.lexicon if word.class_id == class_id]
    return content_words(" ".join(listed), language)


def _own(label: Annotation) -> str:
    return label.text or label.class_id or label.kind.value


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
