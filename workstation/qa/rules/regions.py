"""Boxes beside the masks of the same things, and beside what their own descriptions say."""

from __future__ import annotations

from collections.abc import Iterator

from workstation.core.annotation import Annotation
from workstation.core.colour_names import swatch, swatch_of
from workstation.core.evidence import Unmeasured
from workstation.core.geometry import Box, Mask
from workstation.core.ontology import ErrorType, Severity
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import COLOUR_TOLERANCE, LOOSE_TOLERANCE, named_limit
from workstation.qa.findings import LABEL_KINDS, Fault, Reach, rule
from workstation.qa.rules.colours import LEAST_SHARE, colours_of, colours_said, share_of
from workstation.qa.rules.items import annotation_item, class_of, judged_annotations, ontology_of, streams_by_id
from workstation.qa.rules.said import FLAT, PICTURES, language_of, wording_of

LOOSE_PX = 3.0
_HIDDEN = frozenset({"partial", "partly", "heavy", "full"})
"""Values of occlusion with which a box may go on where the mask ends."""


@rule(
    "regions.loose",
    error_type=ErrorType.PARTIAL_ALIGNMENT,
    severity=Severity.WARNING,
    limit=LOOSE_PX,
    unit="px",
    looks_at=LABEL_KINDS,
    reach=Reach.NEAR,
)
def loose(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """An edge of a box lies off the edge of the mask of the same thing, by more than 3 px (tolerance ``loose_px``).

    Where the thing is said to be hidden in part, the box may be larger, for it may go round what cannot be seen.
    """
    limit = named_limit(snapshot.project(), LOOSE_TOLERANCE, LOOSE_PX)
    streams = streams_by_id(snapshot, sample)
    masks: dict[tuple[object, ...], Annotation] = {}
    boxes = []
    for each in judged_annotations(snapshot, sample):
        if each.entity is None or each.track is not None:
            continue
        if isinstance(each.shape, Mask):
            masks[_place(each)] = each
        elif isinstance(each.shape, Box) and not each.shape.angle_deg:
            boxes.append(each)
    for box in boxes:
        mask = masks.get(_place(box))
        if mask is None:
            continue
        off = {edge: px for edge, px in _off(box, mask).items() if abs(px) > limit}
        if off:
            said = ", ".join(
                f"{edge} {abs(px):g} px {'too wide' if px > 0 else 'too tight'}" for edge, px in off.items()
            )
            named = annotation_item(box, streams, class_of(snapshot, box))
            yield Fault(
                text=f"{named.label} is not tight: {said}",
                items=(named, annotation_item(mask, streams, class_of(snapshot, mask))),
                measured=round(max(map(abs, off.values())), 2),
                limit=limit,
                suggestion="draw the box to the edges of the mask, or mend the mask",
            )


@rule(
    "regions.description",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.ERROR,
    looks_at=LABEL_KINDS,
    reach=Reach.NEAR,
)
def description(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """The text of a region names another class or another colour than the region has: "a red sedan" on a blue truck.

    One finding names both. The class is the label's, the colour is measured in the picture where that can be looked at.
    """
    ontology = ontology_of(snapshot)
    wording = wording_of(ontology)
    streams = streams_by_id(snapshot, sample)
    for label in judged_annotations(snapshot, sample):
        class_id, stream = class_of(snapshot, label), streams.get(label.stream or "")
        if not label.text or label.kind not in FLAT or stream is None or stream.kind not in PICTURES:
            continue
        if class_id not in ontology.classes:
            continue
        language = language_of(snapshot, label, ontology)
        named = [each for each in wording.classes_in(label.text, language) if not each.negated]
        wrong = [each.quote for each in named if wording.contradicts(each, class_id, language)]
        if any(wording.fits(each, class_id) for each in named):
            wrong = []
        problems = [f"class {class_id}, not '{wrong[0]}'"] if wrong else []
        problems += _wrong_colours(snapshot, sample, label)
        if problems:
            yield Fault(
                text=f"'{label.text[:60]}' does not describe its region, which has {' and '.join(problems)}",
                items=(annotation_item(label, streams, class_id),),
                measured=label.text[:60],
                limit="; ".join(problems),
                suggestion="correct the description, or the class of the region",
            )


def _wrong_colours(snapshot: Snapshot, sample: Sample, label: Annotation) -> list[str]:
    """Colours that the text names and the region does not show; none where nobody can look."""
    ontology = ontology_of(snapshot)
    said = list(colours_said(snapshot, ontology, label))
    if not said:
        return []
    try:
        colours = colours_of(snapshot, sample, label)
    except Unmeasured:
        return []  # the class can be judged all the same
    if colours is None:
        return []
    least = named_limit(snapshot.project(), COLOUR_TOLERANCE, LEAST_SHARE)
    return [
        f"colour {swatch(colours)}, not {colour} ({swatch_of(colour)})"
        for colour, _, _ in said
        if share_of(colours, ontology, colour) < least
    ]


def _place(each: Annotation) -> tuple[object, ...]:
    return each.entity, each.stream, each.item, each.start_ns, each.layer


def _off(box: Annotation, mask: Annotation) -> dict[str, float]:
    """Per edge, in pixels: how far the box goes beyond the mask; what is hidden cannot be too wide."""
    b, m = box.shape, mask.shape
    assert isinstance(b, Box)
    assert isinstance(m, Mask)
    off = {
        "left": m.x - b.x,
        "top": m.y - b.y,
        "right": b.x + b.width - m.x - m.width,
        "bottom": b.y + b.height - m.y - m.height,
    }
    if str(box.attributes.get("occlusion", "")) in _HIDDEN:
        return {edge: min(px, 0.0) for edge, px in off.items()}
    return off
