"""The colour that words name beside the colour that the picture shows in the region they are linked to.

A phrase is judged when the colour stands right before the thing it names ("the red car") or is all it says ("navy
blue"); a colour of something else in the phrase ("a man in a red coat") is left alone. Measured is the mask where there
is one, else the middle of the box: which share of its pixels comes nearest to the named colour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from workstation.core.annotation import Annotation, Keyframe, Link, Presence, TargetKind
from workstation.core.colour_names import borne_out, measurable, shares, swatch, swatch_of
from workstation.core.geometry import Box, Mask, Shape, ShapeKind
from workstation.core.ontology import ErrorType, Severity
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import COLOUR_TOLERANCE, named_limit
from workstation.core.wording import WORD, Chosen, Named
from workstation.qa.findings import LABEL_KINDS, Fault, Sees, rule, shaped
from workstation.qa.remembered import of_each_link, remembered
from workstation.qa.rules.items import (
    annotation_item,
    class_of,
    judged_annotations,
    link_item,
    ontology_of,
    streams_by_id,
)
from workstation.qa.rules.said import FLAT, PICTURES, annotation_at, language_of, stands, text_of, wording_of

if TYPE_CHECKING:
    from workstation.core.evidence import Colours

NAMING = frozenset({"refers_to", "attribute_of", "describes"})
_COLOURED = Sees(labels=shaped(*FLAT, on=PICTURES), links=NAMING)
COLOUR = "colour"
"""The attribute whose options are names of colours."""
LEAST_SHARE = 0.10
"""A thing is of a colour when a tenth of it is: windows, wheels and shade are of others."""
CLEAR_SHARE = 0.25
_BETWEEN = 2
"""So many words may stand between a colour and its thing: "a red sports car"."""
_JOINING = frozenset({"and", "with", "in", "of", "und", "mit", "aus"})
_MIDDLE = 0.6
_LEAST_PIXELS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """Words that say a colour of a labelled thing."""

    link: Link
    phrase: Annotation
    thing: Annotation
    colour: str
    quote: str
    head: Named | None


@rule("colours.wrong_thing", error_type=ErrorType.INCORRECT_PAIRING, severity=Severity.ERROR,
      limit=LEAST_SHARE * 100, unit="% of the pixels", looks_at=LABEL_KINDS, sees=_COLOURED)  # fmt: skip
def wrong_thing(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A phrase that names a colour is linked to a thing of another colour, and the picture holds one that fits:
    "the red car" on the blue car. The finding names the one that fits. Both labels may be right by themselves.
    """
    for claim, measured, colours in _differing(snapshot, sample):
        better = _better(snapshot, sample, claim)
        if better is not None:
            yield _fault(snapshot, sample, claim, measured, colours, better)


@rule("colours.differ", error_type=ErrorType.SEMANTIC, severity=Severity.ERROR,
      limit=LEAST_SHARE * 100, unit="% of the pixels", looks_at=LABEL_KINDS, sees=_COLOURED)  # fmt: skip
def differ(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """The colour that words name is not the one measured in the region they are linked to: navy on a royal-blue shirt.

    Limit: at least a tenth of the pixels must come nearest to the named colour (tolerance ``colour_share``).
    """
    for claim, measured, colours in _differing(snapshot, sample):
        if _better(snapshot, sample, claim) is None:
            yield _fault(snapshot, sample, claim, measured, colours, None)


def _fault(
    snapshot: Snapshot, sample: Sample, claim: _Claim, share: float, colours: Colours, better: Annotation | None
) -> Fault:
    streams = streams_by_id(snapshot, sample)
    named = annotation_item(claim.thing, streams, class_of(snapshot, claim.thing))
    items = [link_item(claim.link), annotation_item(claim.phrase, streams), named]
    suggestion = "correct the words or the colour, or link the phrase to the thing it means"
    if better is not None:
        partner = annotation_item(better, streams, class_of(snapshot, better))
        items.append(partner)
        suggestion = f"link the phrase to {partner.label} {better.id} instead"
    return Fault(
        text=f"the words say '{claim.quote}' (as {swatch_of(claim.colour)}), the region shows {swatch(colours)}",
        items=tuple(items),
        measured=round(share * 100, 1),
        suggestion=suggestion,
        aspect=f"{claim.phrase.id} {claim.thing.id} {claim.colour}",
    )


def _differing(snapshot: Snapshot, sample: Sample) -> Iterator[tuple[_Claim, float, Colours]]:
    ontology = ontology_of(snapshot)
    least = named_limit(snapshot.project(), COLOUR_TOLERANCE, LEAST_SHARE)
    for claim in _claims(snapshot, sample, ontology):
        colours = colours_of(snapshot, sample, claim.thing)
        if colours is None:
            continue
        share = share_of(colours, ontology, claim.colour)
        if share < least:
            yield claim, share, colours


def share_of(colours: Colours, ontology: CompiledOntology, colour: str) -> float:
    """Which share of some pixels bears a colour out, among those that the ontology has."""
    attribute = ontology.attributes.get(COLOUR)
    names = () if attribute is None else tuple(option.id for option in attribute.options)
    return borne_out(shares(colours, names), colour)


def _claims(snapshot: Snapshot, sample: Sample, ontology: CompiledOntology) -> Iterator[_Claim]:
    streams = streams_by_id(snapshot, sample)
    made = partial(_claims_at, snapshot, sample, ontology, streams)
    for claims in of_each_link(snapshot, sample, "colours said", lambda link: tuple(made(link)) or None).values():
        yield from claims


def _claims_at(
    snapshot: Snapshot, sample: Sample, ontology: CompiledOntology, streams: dict[str, Stream], link: Link
) -> Iterator[_Claim]:
    if link.type_id not in NAMING or not stands(link):
        return
    labels = [found for end in link.ends if (found := annotation_at(snapshot, end)) is not None]
    said = [
        (phrase, *each)
        for phrase in labels
        if not _is_shown(phrase, streams) and text_of(phrase)
        for each in colours_said(snapshot, ontology, phrase)
    ]
    if not said:
        return
    things = [each for each in labels if _is_shown(each, streams)]
    things += _shown_of_entities(snapshot, sample, link, streams)
    for phrase, colour, quote, head in said:
        for thing in things:
            if head is None or _fits(snapshot, ontology, head, thing):
                yield _Claim(link=link, phrase=phrase, thing=thing, colour=colour, quote=quote, head=head)


def colours_said(
    snapshot: Snapshot, ontology: CompiledOntology, phrase: Annotation
) -> Iterator[tuple[str, str, Named | None]]:
    """The measurable colours of a phrase, with the words and what they stand before; ``None`` if they are all it says.

    Of two colours side by side the first tells which of the second it is: navy blue is navy.
    """
    text, language = text_of(phrase), language_of(snapshot, phrase, ontology)
    wording = wording_of(ontology)
    chosen = wording.options_in(text, language, COLOUR)
    named = wording.classes_in(text, language) if chosen else []
    last: Chosen | None = None
    for said in chosen:
        beside = last is not None and not WORD.search(text[last.end : said.start])
        last = said
        if beside or not measurable(said.option):
            continue
        rest = list(WORD.finditer(text, said.end))
        if not named and len(list(WORD.finditer(text))) <= _BETWEEN:
            yield said.option, text, None
            continue
        head = next((each for each in named if each.start >= said.end), None)
        if head is None:
            continue
        between = [each.group().casefold() for each in rest if each.end() <= head.start]
        if len(between) <= _BETWEEN and not _JOINING & set(between) and "," not in text[said.end : head.start]:
            yield said.option, text[said.start : head.end], head


def _fits(snapshot: Snapshot, ontology: CompiledOntology, head: Named, thing: Annotation) -> bool:
    class_id = class_of(snapshot, thing)
    return class_id in ontology.classes and wording_of(ontology).fits(head, class_id)


def _is_shown(label: Annotation, streams: dict[str, Stream]) -> bool:
    stream = streams.get(label.stream or "")
    return label.kind in FLAT and stream is not None and stream.kind in PICTURES


def _shown_of_entities(
    snapshot: Snapshot, sample: Sample, link: Link, streams: dict[str, Stream]
) -> Iterator[Annotation]:
    """One label of each entity that the link names, where pictures show it."""
    named = [end.target for end in link.ends if end.kind is TargetKind.ENTITY]
    if named:
        shown = remembered(snapshot, ("first shown", sample.id), lambda: _first_shown(snapshot, sample, streams))
        yield from (shown[each] for each in named if each in shown)


def _first_shown(snapshot: Snapshot, sample: Sample, streams: dict[str, Stream]) -> dict[str, Annotation]:
    found: dict[str, Annotation] = {}
    for each in judged_annotations(snapshot, sample):
        if each.entity is not None and _is_shown(each, streams):
            found.setdefault(each.entity, each)
    return found


def _better(snapshot: Snapshot, sample: Sample, claim: _Claim) -> Annotation | None:
    """Another thing in the same picture that the words fit: by its class, and clearly by its colour."""
    ontology = ontology_of(snapshot)
    own = class_of(snapshot, claim.thing)
    best: tuple[float, Annotation | None] = (CLEAR_SHARE, None)
    for each in judged_annotations(snapshot, sample):
        if each.stream != claim.thing.stream or each.kind is not claim.thing.kind or each.id == claim.thing.id:
            continue
        if each.item != claim.thing.item or (each.entity is not None and each.entity == claim.thing.entity):
            continue
        fits = class_of(snapshot, each) == own if claim.head is None else _fits(snapshot, ontology, claim.head, each)
        colours = colours_of(snapshot, sample, each) if fits else None
        share = 0.0 if colours is None else share_of(colours, ontology, claim.colour)
        if share > best[0]:
            best = share, each
    return best[1]


def colours_of(snapshot: Snapshot, sample: Sample, thing: Annotation) -> Colours | None:
    """The pixels of a thing; ``None`` where nothing can be looked at (a keyframe that shows nothing, too few)."""
    stream = next((each for each in snapshot.streams(sample.id) if each.id == thing.stream), None)
    shape, at_ns = _region(snapshot, sample, thing)
    if stream is None or shape is None:
        return None
    time_ns = stream.time_map.to_session(0 if at_ns is None else at_ns)
    colours = snapshot.evidence(sample.id).pixels(stream, time_ns, shape)
    return colours if len(colours) >= _LEAST_PIXELS else None


def _region(snapshot: Snapshot, sample: Sample, thing: Annotation) -> tuple[Shape | None, int | None]:
    """The mask of the thing on the same picture, else its box's middle; of a track, its largest keyframe."""
    if thing.track is not None:
        seen = [each for each in snapshot.keyframes(thing.id) if each.presence is Presence.VISIBLE]
        largest = max(seen, key=_area, default=None)
        return (None, None) if largest is None else (_middle(largest.shape), largest.time_ns)
    if thing.entity is not None and not isinstance(thing.shape, Mask):
        masks = remembered(snapshot, ("first masks", sample.id), lambda: _first_masks(snapshot, sample))
        mask = masks.get((thing.entity, thing.stream, thing.item, thing.start_ns))
        if mask is not None:
            return mask.shape, mask.start_ns
    return _middle(thing.shape), thing.start_ns


def _first_masks(
    snapshot: Snapshot, sample: Sample
) -> dict[tuple[str, str | None, str | None, int | None], Annotation]:
    found: dict[tuple[str, str | None, str | None, int | None], Annotation] = {}
    for each in judged_annotations(snapshot, sample):
        if each.kind is ShapeKind.MASK and each.entity is not None:
            found.setdefault((each.entity, each.stream, each.item, each.start_ns), each)
    return found


def _area(keyframe: Keyframe) -> float:
    return keyframe.shape.width * keyframe.shape.height if isinstance(keyframe.shape, Box) else 0.0


def _middle(shape: Shape | None) -> Shape | None:
    if not isinstance(shape, Box):
        return shape
    edge = (1 - _MIDDLE) / 2
    return Box(
        shape.x + edge * shape.width, shape.y + edge * shape.height, shape.width * _MIDDLE, shape.height * _MIDDLE,
        shape.angle_deg,
    )  # fmt: skip
