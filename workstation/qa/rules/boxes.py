"""Whether boxes in pictures and cuboids in space agree: overlap, sides that stick out, boxes paired with other things.

Cuboids are projected at each picture's own capture time. What a turned camera or a late clock explains is found by
``calibration.py`` and taken off before boxes are judged, so that one fault is one finding.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workstation.core.annotation import Annotation, Entity, Link, State, TargetKind
from workstation.core.cuboid_views import overlap
from workstation.core.findings import Item
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.rotation import Floats
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import IOU, OVERRUN_PX, OVERRUN_TOLERANCE, named_limit_ms
from workstation.qa.findings import LABEL_KINDS, Fault, rule
from workstation.qa.remembered import remembered
from workstation.qa.rules.fits import BETTER, displaced_of, fits_of, projected_on, same_thing_tolerance
from workstation.qa.rules.items import annotation_item, class_of, entity_item, link_item, ontology_of
from workstation.qa.rules.ontology import SAME_THING
from workstation.qa.rules.patterns import patterns_of
from workstation.qa.rules.sightings import PLACED, Flat, Ints, Sighting

_SIDES = ("left", "top", "right", "bottom")


@rule(
    "boxes.apart",
    error_type=ErrorType.PARTIAL_ALIGNMENT,
    severity=Severity.WARNING,
    limit=IOU,
    unit="IoU",
    version=2,
    looks_at=LABEL_KINDS,
    sees=PLACED,
)
def apart(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A box and the projection of the same thing's cuboid overlap too little, for its class, range and size. Where the
    picture's border leaves only a few pixels of a thing, nothing is judged.
    """
    elsewhere = displaced_of(snapshot, sample)
    for each in fits_of(snapshot, sample):
        if each.sighting.solid.id in elsewhere:
            continue  # found by calibration.misplaced
        bad = np.flatnonzero(each.usable & ~each.exchanged & (each.iou < each.limits))
        if not len(bad):
            continue
        flat, worst = each.sighting.flat, int(bad[np.argmin((each.iou - each.limits)[bad])])
        item, other = _items(snapshot, sample, each.sighting)
        yield Fault(
            text=f"{item.label} and the projected cuboid overlap by {each.iou[worst]:.2f} at "
            f"{flat.times_ns[worst] / 1e9:.3f} s, {each.sighting.seen.range_m[worst]:.0f} m away" + _more(len(bad) - 1),
            items=(item, other),
            measured=round(float(each.iou[worst]), 3),
            limit=round(float(each.limits[worst]), 3),
            suggestion="look which of the two is wrong: move the box, or the cuboid",
        )


@rule(
    "boxes.overrun",
    error_type=ErrorType.PARTIAL_ALIGNMENT,
    severity=Severity.WARNING,
    limit=OVERRUN_PX,
    unit="px",
    version=2,
    looks_at=LABEL_KINDS,
    sees=PLACED,
)
def overrun(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A box goes beyond the projected outline of its cuboid on some side: the box is loose, or the cuboid too small."""
    types = ontology_of(snapshot).link_types
    elsewhere = displaced_of(snapshot, sample)
    for each in fits_of(snapshot, sample):
        if each.sighting.solid.id in elsewhere:
            continue
        usual = same_thing_tolerance(types).get(OVERRUN_TOLERANCE, OVERRUN_PX)
        limit = named_limit_ms(snapshot.project(), OVERRUN_TOLERANCE, usual)
        flat = each.sighting.flat
        beyond = (flat.boxes - each.projected) * np.array([-1.0, -1.0, 1.0, 1.0])
        # Of what is cut at one side, people draw what shows, or the whole thing cut off: the other sides differ too.
        whole = each.sighting.seen.whole & ~flat.cut.any(1)
        beyond[~(whole & each.usable & ~each.exchanged & (each.iou >= each.limits))] = -np.inf
        worst = np.argmax(beyond, axis=0)
        sides = [
            (name, float(beyond[row, i]), int(row)) for i, (name, row) in enumerate(zip(_SIDES, worst, strict=True))
        ]
        sides = [each_side for each_side in sides if each_side[1] > limit]
        if not sides:
            continue
        item, other = _items(snapshot, sample, each.sighting)
        many = int((beyond > limit).any(1).sum())
        _, most_px, at = max(sides, key=lambda side: side[1])
        at_ns, range_m = flat.times_ns[at], float(each.sighting.seen.range_m[at])
        metres = most_px * range_m / flat.camera.lens.fx
        yield Fault(
            text=f"{item.label} goes beyond the projected cuboid: "
            + ", ".join(f"{name} {px:.0f} px" for name, px, _ in sides)
            + f" ({metres:.2f} m at its {range_m:.0f} m) at {at_ns / 1e9:.3f} s{_more(many - 1)}",
            items=(item, other),
            measured=round(max(px for _, px, _ in sides), 2),
            limit=limit,
            suggestion="draw the box to the thing's edge, or the cuboid to its size",
            aspect=" ".join(name for name, _, _ in sides),
        )


@rule(
    "boxes.exchanged",
    error_type=ErrorType.INCORRECT_PAIRING,
    severity=Severity.ERROR,
    limit=BETTER,
    unit="IoU",
    version=2,
    looks_at=LABEL_KINDS,
    sees=PLACED,
)
def exchanged(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """For a while the boxes of one thing lie on the cuboid of another: the track changed to another thing."""
    solids = patterns_of(snapshot, sample).views.solids
    for each in fits_of(snapshot, sample):
        for solid, rows in each.other.items():
            flat = each.sighting.flat
            item, own = _items(snapshot, sample, each.sighting)
            other = annotation_item(solids[solid], patterns_of(snapshot, sample).views.streams)
            begin, end = flat.times_ns[rows[0]] / 1e9, flat.times_ns[rows[-1]] / 1e9
            fits = float(
                np.median(overlap(flat.boxes[rows], projected_on(snapshot, sample, flat, solids[solid])[rows]))
            )
            yield Fault(
                text=f"from {begin:.3f} to {end:.3f} s {item.label} lies on another thing's cuboid "
                f"({_named(snapshot, solids[solid])}, overlap {fits:.2f}) and not on its own",
                items=(item, own, other),
                measured=round(fits - float(np.median(each.iou[rows])), 3),
                limit=BETTER,
                suggestion="swap the tracks from there on (track.swap), or attach the label to the other thing",
                aspect=solid,
            )


@rule(
    "boxes.crossed",
    error_type=ErrorType.INCORRECT_PAIRING,
    severity=Severity.ERROR,
    limit=BETTER,
    unit="IoU",
    looks_at=LABEL_KINDS,
    sees=PLACED,
)
def crossed(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A box is linked to the cuboid of another thing, while a cuboid that nobody linked it to fits much better."""
    for link, sighting, better, own, best in crossed_links(snapshot, sample):
        item, solid = _items(snapshot, sample, sighting)
        other = annotation_item(better, patterns_of(snapshot, sample).views.streams)
        yield Fault(
            text=f"{link.type_id}: {item.label} is linked to {solid.label} ({_named(snapshot, sighting.solid)}), which "
            f"it overlaps by {own:.2f}; it fits {_named(snapshot, better)} by {best:.2f}",
            items=(link_item(link), item, solid, other),
            measured=round(best - own, 3),
            limit=BETTER,
            suggestion=f"link it to {_named(snapshot, better)} (link.retarget)",
            aspect=f"{sighting.flat.annotation.id} {sighting.solid.id}",
        )


Crossed = tuple[Link, Sighting, Annotation, float, float]
"""Link, the pair it joins, the cuboid that fits better, both overlaps."""


def crossed_links(snapshot: Snapshot, sample: Sample) -> list[Crossed]:
    """Links between a box and a cuboid of different things, where another cuboid fits the box much better."""
    return remembered(snapshot, ("crossed", sample.id), lambda: list(_crossed(snapshot, sample)), PLACED)


def _crossed(snapshot: Snapshot, sample: Sample) -> Iterator[Crossed]:
    patterns = patterns_of(snapshot, sample)
    flats: dict[str, Flat] = {each.annotation.id: each for each in patterns.views.flats}
    if not flats:
        return
    for link in snapshot.links(sample.id):
        if link.type_id not in SAME_THING or not link.holds or link.state is State.REJECTED:
            continue
        ends = [end.target for end in link.ends if end.kind is TargetKind.ANNOTATION]
        for flat in (flats[end] for end in ends if end in flats):
            rows = _rows_of(flat, link)
            for solid in (patterns.views.solids[end] for end in ends if end in patterns.views.solids):
                if not len(rows) or (solid.entity is not None and solid.entity == flat.annotation.entity):
                    continue
                sighting = patterns.views.sighting(flat, solid)
                own = _fit(flat, projected_on(snapshot, sample, flat, solid), rows)
                rivals = [
                    (_fit(flat, projected_on(snapshot, sample, flat, other), rows), other)
                    for other in patterns.views.solids.values()
                    if other.id not in ends and other.layer == solid.layer
                ]
                best, better = max(rivals, key=lambda rival: rival[0], default=(0.0, solid))
                if best > own + BETTER and best >= BETTER:
                    yield link, sighting, better, own, best


def _rows_of(flat: Flat, link: Link) -> Ints:
    """The moments of a label that a link speaks of."""
    if link.start_ns is None:
        return np.arange(len(flat.times_ns))
    end_ns = link.start_ns + 1 if link.end_ns is None else link.end_ns
    return np.flatnonzero((flat.times_ns >= link.start_ns) & (flat.times_ns < end_ns))


def _fit(flat: Flat, projected: Floats, rows: Ints) -> float:
    return float(np.median(overlap(flat.boxes[rows], projected[rows])))


def _items(snapshot: Snapshot, sample: Sample, sighting: Sighting) -> tuple[Item, Item]:
    streams = patterns_of(snapshot, sample).views.streams
    flat, solid = (
        annotation_item(each, streams, class_of(snapshot, each)) for each in (sighting.flat.annotation, sighting.solid)
    )
    return flat, solid


def _named(snapshot: Snapshot, annotation: Annotation) -> str:
    """ "car 4", by its entity where it has one."""
    entity = None if annotation.entity is None else snapshot.get(RecordKind.ENTITY, annotation.entity)
    return entity_item(entity).label if isinstance(entity, Entity) else annotation.kind.value


def _more(count: int) -> str:
    return f", and at {count} other moment{'s' if count > 1 else ''}" if count > 0 else ""
