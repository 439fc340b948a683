"""Relations between things beside what is drawn: left of, right of, above, below, on, in, touching.

Depth (behind, in front of, nearer than) cannot be told from flat shapes, and what people do with things (holding,
looking at) cannot be told from any; such relations are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from workstation.core.annotation import Annotation, Link, LinkEnd, TargetKind
from workstation.core.geometry import Box, Mask, Polygon
from workstation.core.ontology import ErrorType, Severity
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import LABEL_KINDS, Fault, Reach, rule
from workstation.qa.rules.items import JUDGED, annotation_item, class_of, judged_annotations, link_item, streams_by_id
from workstation.qa.rules.said import annotation_at

PREDICATE = "predicate"
ALLOWED_PX = 2.0
"""What boxes may contradict a relation by: nobody draws them more exactly."""
Bounds = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""


def _middle(bounds: Bounds) -> tuple[float, float]:
    return (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2


def _gap(a: Bounds, b: Bounds) -> float:
    across = max(a[0] - b[2], b[0] - a[2], 0.0)
    down = max(a[1] - b[3], b[1] - a[3], 0.0)
    return float((across**2 + down**2) ** 0.5)


def _off_top(a: Bounds, b: Bounds) -> float:
    """How far the lower edge of what lies on something is above its upper or below its lower edge, or beside it."""
    return max(b[1] - a[3], a[3] - b[3], a[0] - b[2], b[0] - a[2], 0.0)


def _outside(a: Bounds, b: Bounds) -> float:
    """How far the middle of what is in something lies outside of it."""
    x, y = _middle(a)
    return max(b[0] - x, x - b[2], b[1] - y, y - b[3], 0.0)


_WRONG_BY: dict[str, Callable[[Bounds, Bounds], float]] = {
    "left_of": lambda a, b: _middle(a)[0] - _middle(b)[0],
    "right_of": lambda a, b: _middle(b)[0] - _middle(a)[0],
    "above": lambda a, b: _middle(a)[1] - _middle(b)[1],
    "below": lambda a, b: _middle(b)[1] - _middle(a)[1],
    "on": _off_top,
    "in": _outside,
    "inside": _outside,
    "touching": _gap,
}
_OPPOSITE = {"left_of": "right_of", "right_of": "left_of", "above": "below", "below": "above"}


@rule(
    "relations.geometry",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.ERROR,
    limit=ALLOWED_PX,
    unit="px",
    looks_at=LABEL_KINDS,
    reach=Reach.NEAR,
)
def geometry(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A relation of place contradicts the shapes it joins: "right of", and the subject's middle lies to the left.

    The finding says where both middles are.
    """
    streams = streams_by_id(snapshot, sample)
    for link in snapshot.links(sample.id):
        predicate = str(link.attributes.get(PREDICATE, ""))
        wrong_by = _WRONG_BY.get(predicate)
        if wrong_by is None or not link.holds or link.state not in JUDGED:
            continue
        for subject, other in _drawn_pairs(snapshot, sample, link):
            a, b = _bounds(subject), _bounds(other)
            if a is None or b is None or wrong_by(a, b) <= ALLOWED_PX:
                continue
            names = [annotation_item(each, streams, class_of(snapshot, each)) for each in (subject, other)]
            (ax, ay), (bx, by) = _middle(a), _middle(b)
            yield Fault(
                text=f"{names[0].label} is said to be {predicate.replace('_', ' ')} {names[1].label}, and the middle "
                f"of the first is at {ax:.0f}, {ay:.0f} px, of the second at {bx:.0f}, {by:.0f} px",
                items=(link_item(link), *names),
                measured=round(wrong_by(a, b), 1),
                suggestion=f"change it to {_OPPOSITE[predicate].replace('_', ' ')}, or exchange its ends"
                if predicate in _OPPOSITE
                else "change the relation, or the shapes",
                aspect=predicate,
            )


def _drawn_pairs(snapshot: Snapshot, sample: Sample, link: Link) -> Iterator[tuple[Annotation, Annotation]]:
    """Subject and object as they are drawn in one picture."""
    ends = {end.role: end for end in link.ends}
    if len(link.ends) != 2 or not {"subject", "object"} <= ends.keys():
        return
    for subject in _drawn(snapshot, sample, ends["subject"]):
        for other in _drawn(snapshot, sample, ends["object"]):
            if (subject.stream, subject.item, subject.start_ns) == (other.stream, other.item, other.start_ns):
                yield subject, other
                return


def _drawn(snapshot: Snapshot, sample: Sample, end: LinkEnd) -> list[Annotation]:
    if end.kind is TargetKind.ENTITY:
        return [each for each in judged_annotations(snapshot, sample) if each.entity == end.target]
    label = annotation_at(snapshot, end)
    return [] if label is None else [label]


def _bounds(label: Annotation) -> Bounds | None:
    shape = label.shape
    if isinstance(shape, Box) and not shape.angle_deg:
        return shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
    if isinstance(shape, Mask):
        return shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
    if isinstance(shape, Polygon):
        across, down = zip(*shape.outer, strict=True)
        return min(across), min(down), max(across), max(down)
    return None
