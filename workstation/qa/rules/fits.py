"""How labels in pictures fit the cuboids of their own things, and which single cuboids stand elsewhere.

Worked out once for the rules of boxes and of calibration. What a turned camera or a late clock explains is taken off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workstation.core.annotation import Annotation
from workstation.core.cameras import Bools
from workstation.core.cuboid_views import overlap
from workstation.core.misalignment import Displaced, displacement_of
from workstation.core.ontology import LinkType
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.rotation import Floats
from workstation.core.sample import Project, Sample
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import MISPLACED_M, MISPLACED_TOLERANCE, iou_limit, named_limit_ms
from workstation.qa.remembered import remembered
from workstation.qa.rules.items import class_of, ontology_of
from workstation.qa.rules.ontology import SAME_THING
from workstation.qa.rules.patterns import Patterns, patterns_of
from workstation.qa.rules.sightings import LAID, Flat, Ints, Sighting

BETTER = 0.2
"""Another cuboid fits better if it overlaps by so much more."""
_NEAREST_M = 1.0
_TRIED_M = 0.1
_SLIVER_PX = 8.0
_FEWEST_EXCHANGED = 3
"""One box alone that fits another thing may be a passer-by; so many one after another are another thing."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A label in pictures beside its own cuboid: overlap and limit at each moment, and where another fits better."""

    sighting: Sighting
    projected: Floats
    iou: Floats
    limits: Floats
    usable: Bools
    other: dict[str, Ints]
    """Annotation of another cuboid → the moments at which the boxes are that one's."""

    @property
    def exchanged(self) -> Bools:
        """(n,) moments that belong to another cuboid."""
        found = np.zeros(len(self.iou), np.bool_)
        for rows in self.other.values():
            found[rows] = True
        return found


def fits_of(snapshot: Snapshot, sample: Sample) -> tuple[Fit, ...]:
    """Every label of a picture beside its own cuboid, worked out once."""
    return remembered(snapshot, ("fits", sample.id), lambda: tuple(_fits(snapshot, sample)), LAID)


def _fits(snapshot: Snapshot, sample: Sample) -> Iterator[Fit]:
    patterns = patterns_of(snapshot, sample)
    if not patterns.views.own:
        return
    ontology, project = ontology_of(snapshot), snapshot.project()
    for sighting in patterns.views.own:
        projected = patterns.boxes(sighting)
        iou = overlap(sighting.flat.boxes, projected)
        usable = (
            sighting.seen.shows
            & np.isfinite(projected[:, 0])
            & (sighting.seen.depth_m > _NEAREST_M)
            & ~sighting.flat.hidden
            & ~_slivers(sighting.flat)
        )
        limits = _limits(snapshot, ontology, project, sighting, projected)
        other = _others(snapshot, sample, patterns, sighting, iou, usable & (iou < limits))
        yield Fit(sighting, projected, iou, limits, usable, other)


def _slivers(flat: Flat) -> Bools:
    """(n,) of what the picture's border leaves only a few pixels: an arm, and not the middle of the thing."""
    shown = flat.boxes[:, 2:] - flat.boxes[:, :2]
    cut = flat.cut[:, :2] | flat.cut[:, 2:]
    return np.asarray((cut & (shown < _SLIVER_PX)).any(1))


def _limits(
    snapshot: Snapshot, ontology: CompiledOntology, project: Project | None, sighting: Sighting, projected: Floats
) -> Floats:
    class_id = class_of(snapshot, sighting.solid) or ""
    known = class_id in ontology.classes
    chain = ontology.above(class_id) if known else ()
    tolerance = same_thing_tolerance(ontology.link_types)
    sizes = np.nan_to_num(projected[:, 2:] - projected[:, :2])
    return np.array(
        [
            iou_limit(
                project, tolerance, chain, deformable=known and ontology.deformable(class_id), range_m=range_m,
                width_px=width, height_px=height,
            )
            for range_m, (width, height) in zip(sighting.seen.range_m.tolist(), sizes.tolist(), strict=True)
        ]
    )  # fmt: skip


def same_thing_tolerance(types: Mapping[str, LinkType]) -> Mapping[str, float]:
    """What the ontology allows between labels of one thing."""
    return next((types[name].tolerance for name in sorted(SAME_THING) if name in types), {})


def _others(
    snapshot: Snapshot, sample: Sample, patterns: Patterns, sighting: Sighting, iou: Floats, wrong: Bools
) -> dict[str, Ints]:
    """Where a box that does not fit its own cuboid fits another one, by the one that fits best."""
    found: dict[str, Ints] = {}
    if wrong.sum() < min(_FEWEST_EXCHANGED, len(iou)):
        return found
    rivals = [each for each in patterns.views.solids.values()
              if each.layer == sighting.solid.layer and each.entity != sighting.solid.entity]  # fmt: skip
    if not rivals:
        return found
    boxes = sighting.flat.boxes
    fits = np.stack([overlap(boxes, projected_on(snapshot, sample, sighting.flat, each)) for each in rivals])
    best = fits.argmax(0)
    better = wrong & (fits.max(0) > iou + BETTER)
    for i in np.unique(best[better]).tolist():
        rows = np.flatnonzero(better & (best == i))
        if len(rows) >= min(_FEWEST_EXCHANGED, len(iou)):
            found[rivals[i].id] = rows
    return found


def projected_on(snapshot: Snapshot, sample: Sample, flat: Flat, solid: Annotation) -> Floats:
    """(n, 4) where a cuboid lies in the pictures of a label."""
    patterns = patterns_of(snapshot, sample)
    return patterns.boxes(patterns.views.sighting(flat, solid))


def displaced_of(snapshot: Snapshot, sample: Sample) -> Mapping[str, tuple[Displaced, list[Sighting]]]:
    """Single cuboids that surely stand elsewhere than their boxes say, by annotation; tracks that changed to another
    thing tell nothing of that.
    """
    return remembered(snapshot, ("displaced", sample.id), lambda: dict(_all_displaced(snapshot, sample)), LAID)


def _all_displaced(snapshot: Snapshot, sample: Sample) -> Iterator[tuple[str, tuple[Displaced, list[Sighting]]]]:
    patterns = patterns_of(snapshot, sample)
    limit = named_limit_ms(snapshot.project(), MISPLACED_TOLERANCE, MISPLACED_M)
    by_solid: defaultdict[str, list[Sighting]] = defaultdict(list)
    for each in fits_of(snapshot, sample):
        if patterns.of(each.sighting) is not None and not each.other:
            by_solid[each.sighting.solid.id].append(each.sighting)
    for solid, those in by_solid.items():
        found = _displaced(patterns, those)
        # A thing that fills its cuboid on one side only looks displaced, but never stands out of it.
        if found is not None and found.beyond(limit) and _beyond_m(patterns, those) > limit / 2:
            yield solid, (found, those)


def _beyond_m(patterns: Patterns, sightings: Sequence[Sighting]) -> float:
    """How far boxes usually go beyond the projected cuboid on the side where they do most, at its range."""
    found = []
    for each in sightings:
        beyond = (each.flat.boxes - patterns.boxes(each)) * np.array([-1.0, -1.0, 1.0, 1.0])
        whole = each.seen.whole & ~each.flat.cut.any(1) & np.isfinite(beyond).all(1)
        found.append(beyond.max(1)[whole] * each.seen.range_m[whole] / each.flat.camera.lens.fx)
    joined = np.concatenate(found)
    return float(np.median(joined)) if len(joined) else 0.0


def _displaced(patterns: Patterns, sightings: Sequence[Sighting]) -> Displaced | None:
    views = patterns.views
    off, moves, boxes, usable = [], [], [], []
    for each in sightings:
        camera, times = each.flat.camera, each.flat.times_ns
        steps = []
        for axis in np.eye(3) * _TRIED_M:
            seen = views.placed.seen(camera, each.solid.id, times, moved_m=axis.tolist(), cut=False)
            steps.append((seen.boxes - each.seen.boxes) / _TRIED_M)
        by_metre = np.stack(steps, 2)
        known = np.isfinite(by_metre).all(2) & each.seen.whole[:, None] & (each.seen.depth_m > _NEAREST_M)[:, None]
        usable.append(known & ~each.flat.cut)
        moves.append(np.nan_to_num(by_metre))
        off.append(np.nan_to_num(each.flat.boxes - patterns.boxes(each)))
        boxes.append(each.flat.boxes)
    return displacement_of(np.concatenate(off), np.concatenate(moves), np.concatenate(boxes), np.concatenate(usable))
