"""Boxes in pictures beside the cuboids of the same things, as each camera should see them: read once, asked by rules.

A box of a picture lies at that picture's capture time; the cuboid is interpolated to it through the poses. Times are
session time, pixels those of the picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workstation.core.annotation import Annotation, Keyframe, Presence
from workstation.core.cameras import Bools, Camera
from workstation.core.cuboid_views import PlacedTracks, Seen, overlap
from workstation.core.geometry import Box, Mask, Polygon, Shape, ShapeKind
from workstation.core.misalignment import Offs, directions
from workstation.core.ratio import Int64s
from workstation.core.rigs import newest_calibration
from workstation.core.rotation import Floats
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.qa.remembered import remembered
from workstation.qa.rules.items import judged_annotations, streams_by_id
from workstation.qa.rules.ontology import SAME_THING
from workstation.qa.sees import Sees, shaped

Ints = NDArray[np.intp]
Bounds = tuple[float, float, float, float]
_HIDDEN = frozenset({"partial", "heavy", "full"})
"""What the starter ontologies call occlusion that hides a part."""
PICTURES = frozenset({StreamKind.IMAGE, StreamKind.VIDEO})
_OUTLINED = frozenset({ShapeKind.BOX, ShapeKind.POLYGON, ShapeKind.MASK})
OVERLAID = (*shaped(ShapeKind.CUBOID), *shaped(*_OUTLINED, on=PICTURES))
"""Labels that are laid over each other."""
PLACED = Sees(labels=OVERLAID, links=SAME_THING)
"""What rules look at that compare boxes with cuboids, and with what links say of them."""
LAID = Sees(labels=OVERLAID, links=frozenset())
"""What that comparison itself is made of."""
_STEP_NS = 50_000_000
"""How far before and after a picture its things are looked at to see how fast they move."""
_AT_BORDER_PX = 1.0
"""A box that comes as near to the border may be cut by it."""


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """One label in the pictures of a calibrated camera: its outlines at their capture times, by time."""

    annotation: Annotation
    stream: Stream
    camera: Camera
    times_ns: Int64s
    boxes: Floats
    """(n, 4) left, top, right, bottom."""
    hidden: Bools
    """(n,) something stands in between, so the outline may show a part only."""

    @property
    def cut(self) -> Bools:
        """(n, 4) which sides lie at the picture's border, where the thing may go on."""
        far = np.array([self.camera.width_px, self.camera.height_px], np.float64)
        return np.concatenate([self.boxes[:, :2] <= _AT_BORDER_PX, self.boxes[:, 2:] >= far - _AT_BORDER_PX], 1)


@dataclass(frozen=True, eq=False)
class Sighting:
    """A label in pictures beside a cuboid, as the camera should see that one at the label's times."""

    flat: Flat
    solid: Annotation
    seen: Seen

    @cached_property
    def iou(self) -> Floats:
        """(n,) how well the two agree; NaN where the cuboid is not there."""
        return np.where(np.isfinite(self.seen.range_m), overlap(self.flat.boxes, self.seen.boxes), np.nan)


class Views:
    """Everything of one sample that can be laid over each other."""

    def __init__(self, snapshot: Snapshot, sample: Sample) -> None:
        self.streams = streams_by_id(snapshot, sample)
        self._snapshot = snapshot
        self.solids: dict[str, Annotation] = {}
        self.flats: tuple[Flat, ...] = ()
        calibration = newest_calibration(snapshot, sample.id)
        if not calibration.cameras:
            return
        labels = list(judged_annotations(snapshot, sample))
        cuboids = [each for each in labels if each.kind is ShapeKind.CUBOID]
        if not cuboids:
            return
        tree = snapshot.evidence(sample.id).frames()
        self.placed = PlacedTracks(cuboids, self.keyframes, self.streams, tree, calibration)
        self.solids = {each.id: each for each in cuboids if each.id in self.placed.rows}
        self.flats = tuple(self._flats(labels))
        self._seen: dict[tuple[str, str], Seen] = {}

    def keyframes(self, annotation: Annotation) -> Sequence[Keyframe]:
        """The keyframes of a track, by time."""
        return tuple(self._snapshot.keyframes(annotation.id))

    def sighting(self, flat: Flat, solid: Annotation) -> Sighting:
        """A label and any cuboid."""
        key = (flat.annotation.id, solid.id)
        if key not in self._seen:
            self._seen[key] = self.placed.seen(flat.camera, solid.id, flat.times_ns)
        return Sighting(flat, solid, self._seen[key])

    @cached_property
    def own(self) -> tuple[Sighting, ...]:
        """Each label beside the cuboids of its own entity and layer."""
        by_entity: defaultdict[tuple[str, str], list[Annotation]] = defaultdict(list)
        for each in self.solids.values():
            if each.entity is not None:
                by_entity[each.entity, each.layer].append(each)
        return tuple(
            self.sighting(flat, solid)
            for flat in self.flats
            if flat.annotation.entity is not None
            for solid in by_entity[flat.annotation.entity, flat.annotation.layer]
        )

    def _flats(self, labels: Sequence[Annotation]) -> Iterator[Flat]:
        for each in labels:
            stream = self.streams.get(each.stream or "")
            if each.kind not in _OUTLINED or stream is None or stream.kind not in PICTURES:
                continue
            camera = self.placed.camera_of(stream)
            if camera is None:
                continue
            shown = [(time_ns, box, hidden) for time_ns, box, hidden in self._outlines(each) if box is not None]
            if shown:
                own_ns, boxes, hidden = zip(*shown, strict=True)
                times_ns = stream.time_map.to_session_array(np.array(own_ns, np.int64))
                yield Flat(each, stream, camera, times_ns, np.array(boxes), np.array(hidden))

    def _outlines(self, annotation: Annotation) -> Iterator[tuple[int, Bounds | None, bool]]:
        hidden = annotation.attributes.get("occlusion") in _HIDDEN
        if annotation.track is None:
            if annotation.start_ns is not None:
                yield annotation.start_ns, bounds(annotation.shape), hidden
            return
        for each in self.keyframes(annotation):
            hidden = each.attributes["occlusion"] in _HIDDEN if "occlusion" in each.attributes else hidden
            if each.presence is not Presence.ABSENT:
                yield each.time_ns, bounds(each.shape), hidden or each.presence is Presence.OCCLUDED


def views_of(snapshot: Snapshot, sample: Sample) -> Views:
    """The views of a sample, made once for all rules that ask while it is checked."""
    return remembered(snapshot, ("views", sample.id), lambda: Views(snapshot, sample), LAID)


def bounds(shape: Shape | None) -> Bounds | None:
    """The upright rectangle around an outline: left, top, right, bottom; ``None`` of a shape that has none."""
    if isinstance(shape, Mask):
        return shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
    if isinstance(shape, Polygon):
        corners = np.array(shape.outer)
        (left, top), (right, bottom) = corners.min(0).tolist(), corners.max(0).tolist()
        return left, top, right, bottom
    if not isinstance(shape, Box):
        return None
    angle = np.radians(shape.angle_deg)
    across = (abs(shape.width * np.cos(angle)) + abs(shape.height * np.sin(angle))) / 2
    down = (abs(shape.width * np.sin(angle)) + abs(shape.height * np.cos(angle))) / 2
    x, y = shape.x + shape.width / 2, shape.y + shape.height / 2
    return float(x - across), float(y - down), float(x + across), float(y + down)


def offs_of(views: Views, sightings: Sequence[Sighting]) -> tuple[Offs, tuple[str, ...]] | None:
    """How far boxes lie from their projected cuboids in one camera, wholly seen ones only, with the cuboids' ids in the
    order of ``Offs.thing``; ``None`` where there are none.
    """
    parts, solids = [], []
    for sighting in sightings:
        camera, times_ns = sighting.flat.camera, sighting.flat.times_ns
        before, after = (
            views.placed.seen(camera, sighting.solid.id, times_ns + step, cut=False) for step in (-_STEP_NS, _STEP_NS)
        )
        whole = sighting.seen.whole & before.whole & after.whole & ~sighting.flat.cut.any(1)
        rows = np.flatnonzero(whole)
        if not len(rows):
            continue
        boxed, projected, earlier, later = (
            directions(camera, (boxes[rows, :2] + boxes[rows, 2:]) / 2)
            for boxes in (sighting.flat.boxes, sighting.seen.boxes, before.boxes, after.boxes)
        )
        rate = (later - earlier) / (2 * _STEP_NS / 1e9)
        solids.append(sighting.solid.id)
        parts.append((times_ns[rows] / 1e9, boxed - projected, rate, sighting.seen.range_m[rows]))
    if not parts:
        return None
    times, off, rate, range_m = (np.concatenate([part[i] for part in parts]) for i in range(4))
    thing = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    return Offs(thing=thing, times_s=times, off=off, rate=rate, range_m=range_m), tuple(solids)
