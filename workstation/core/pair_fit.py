"""How a box in a picture and the cuboid of the same thing agree there: side by side in pixels, in metres, in overlap.

``pairs_seen`` finds them in a sample, projected as everywhere by ``cuboid_views``; the report on calibration, the
residuals of pairs and the forecast of a change read them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workstation.core.annotation import Annotation, Entity, Link, State, TargetKind
from workstation.core.cameras import Camera
from workstation.core.cuboid_rows import Rows
from workstation.core.cuboid_views import PlacedTracks, Seen
from workstation.core.geometry import Box, Cuboid, ShapeKind
from workstation.core.ids import LinkId
from workstation.core.poses import RigidTransform
from workstation.core.projection import PictureBox, cuboid_box, project
from workstation.core.ratio import Int64s
from workstation.core.records import RecordKind
from workstation.core.rigs import newest_calibration
from workstation.core.rotation import Floats
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot

EDGES = ("left", "top", "right", "bottom")
MOST_MOMENTS = 40
"""Of one thing in one camera: neighbours say the same."""
_PICTURES = frozenset({StreamKind.VIDEO, StreamKind.IMAGE})
_TURN_RAD = 1e-3
_LONGEST_GAP_NS = 1_000_000_000
"""Keyframes further apart say nothing about between: a person set them, and the thing may have turned."""
_STANDS_NS = 150_000_000
"""A cuboid with one keyframe says so long before and after where the thing was, and nothing of its motion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeOff:
    """One edge of a box against the edge of the projected cuboid; outwards is positive."""

    edge: str
    off_px: float
    off_m: float
    """The same at the thing's range."""

    def words(self) -> str:
        """As people read it: what it is in the picture and what it is out there."""
        side = "wide" if self.off_px >= 0 else "narrow"
        return f"the {self.edge} edge is {abs(self.off_px):.1f} px too {side}, {abs(self.off_m):.2f} m at its range"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSeen:
    """A box and the cuboid of the same thing as they stand in one picture, at the time that picture was taken."""

    camera: str
    """Key of the picture stream."""
    thing: str
    """The entity, or the link's other end where the two have none."""
    name: str
    flat: str
    solid: str
    """Ids of the two labels."""
    links: tuple[str, ...] = ()
    """Ids of the links that join them."""
    stood: bool = False
    """Whether the cuboid is taken as standing since its only keyframe, a little before or after the picture."""
    at_ns: int
    """Session time of the picture."""
    box: Box
    seen: PictureBox
    """The tight box of the projected cuboid."""
    range_m: float
    px_per_rad: float
    """How many pixels a small turn of the camera moves the thing: the focal length, as the lens has it there."""

    @property
    def drawn(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the box as somebody drew it."""
        return self.box.x, self.box.y, self.box.x + self.box.width, self.box.y + self.box.height

    @property
    def sideways_px(self) -> float | None:
        """How far right of the projected cuboid the box stands; ``None`` where the cuboid is cut off."""
        left, _, right, _ = self.drawn
        return None if self.seen.clipped else (left + right - self.seen.left - self.seen.right) / 2

    @property
    def downwards_px(self) -> float | None:
        """How far below the projected cuboid the box stands; ``None`` where the cuboid is cut off."""
        _, top, _, bottom = self.drawn
        return None if self.seen.clipped else (top + bottom - self.seen.top - self.seen.bottom) / 2

    @property
    def overlap(self) -> float:
        """Intersection over union of the two boxes."""
        left, top, right, bottom = self.drawn
        wide = min(right, self.seen.right) - max(left, self.seen.left)
        high = min(bottom, self.seen.bottom) - max(top, self.seen.top)
        common = max(wide, 0.0) * max(high, 0.0)
        seen = (self.seen.right - self.seen.left) * (self.seen.bottom - self.seen.top)
        both = (right - left) * (bottom - top) + seen - common
        return common / both if both > 0 else 0.0

    def metres_of(self, pixels: float) -> float:
        """What so many pixels are at the thing's range."""
        return pixels * self.range_m / self.px_per_rad

    def edges(self) -> tuple[EdgeOff, ...]:
        """All four edges, the worst first; none where the cuboid is cut off, whose edges nobody can see."""
        if self.seen.clipped:
            return ()
        left, top, right, bottom = self.drawn
        off = (
            self.seen.left - left, self.seen.top - top, right - self.seen.right, bottom - self.seen.bottom,
        )  # fmt: skip
        found = [
            EdgeOff(edge=edge, off_px=each, off_m=self.metres_of(each)) for edge, each in zip(EDGES, off, strict=True)
        ]
        return tuple(sorted(found, key=lambda each: -abs(each.off_px)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LooseLink:
    """A link whose box reaches beyond its projected cuboid at the moment it speaks of, by the limit or more."""

    link: str
    name: str
    camera: str
    at_ns: int
    off: EdgeOff

    def words(self) -> str:
        """One line."""
        return f"{self.name} in {self.camera} at {self.at_ns / 1e9:.3f} s: {self.off.words()}"


def loose_links(snapshot: Snapshot, sample: Sample, limit_px: float) -> dict[str, LooseLink]:
    """The links of boxes and cuboids that are out of tolerance, whatever the cause: a label, a clock or a calibration.

    What changes by changing a map or a calibration is this list. The checks tell causes: a turned camera once, and not
    thing by thing.
    """
    found: dict[str, LooseLink] = {}
    moments = {each.id: each.start_ns for each in snapshot.links(sample.id)}
    nearest: dict[str, int] = {}
    for pair in pairs_seen(snapshot, sample):
        outermost = max(pair.edges(), key=lambda each: each.off_px, default=None)
        if outermost is None:
            continue
        for link in pair.links:
            at_ns = moments.get(LinkId(link))
            away = 0 if at_ns is None else abs(pair.at_ns - at_ns)
            if link in nearest and away >= nearest[link]:
                continue
            nearest[link] = away
            found.pop(link, None)
            if outermost.off_px >= limit_px:
                found[link] = LooseLink(
                    link=link, name=pair.name, camera=pair.camera, at_ns=pair.at_ns, off=outermost
                )  # fmt: skip
    return found


def pairs_seen(
    snapshot: Snapshot, sample: Sample, *, most: int = MOST_MOMENTS, standing: bool = False
) -> Iterator[PairSeen]:  # fmt: skip
    """Every thing with a box in a calibrated camera and a cuboid: at up to ``most`` of the box's moments, and at each
    moment that a link of the two speaks of.

    The cuboid stands where it was when the picture was taken, between its keyframes through the poses. Boxes that are
    turned, labels that somebody rejected, and moments without a pose are left out. ``standing``: where a cuboid has
    one keyframe, it is taken to have stood there a little before and after; no rule judges by that. Asks
    ``snapshot.evidence``.
    """
    calibration = newest_calibration(snapshot, sample.id)
    streams: dict[str, Stream] = {each.id: each for each in snapshot.streams(sample.id)}
    flat, solid = _labels(snapshot, sample)
    linked = _linked(snapshot, sample)
    both = [(box, cuboid) for thing, boxes in flat.items() for box in boxes for cuboid in solid.get(thing, ())]
    known = {(box.id, cuboid.id) for box, cuboid in both}
    every = [each for some in (flat, solid) for those in some.values() for each in those]
    by_id: dict[str, Annotation] = {each.id: each for each in every}
    both += [(by_id[a], by_id[b]) for a, b in linked if (a, b) not in known and a in by_id and b in by_id]
    if not both or not calibration.cameras:
        return
    tree = snapshot.evidence(sample.id).frames()
    cuboids = {cuboid.id: cuboid for _, cuboid in both if cuboid.kind is ShapeKind.CUBOID}
    placed = PlacedTracks(
        cuboids.values(), lambda each: tuple(snapshot.keyframes(each.id)), streams, tree, calibration
    )  # fmt: skip
    for box, cuboid in both:
        stream = streams.get(box.stream or "")
        camera = None if stream is None else placed.camera_of(stream)
        if stream is None or camera is None or stream.kind not in _PICTURES or cuboid.id not in placed.rows:
            continue
        links = linked.get((box.id, cuboid.id), [])
        moments = list(_moments(snapshot, box, stream, links, most))
        looks = _looks(placed, camera, cuboid, np.array([at_ns for at_ns, _ in moments], np.int64), standing=standing)
        for (at_ns, shape), seen in zip(moments, looks, strict=True):
            if seen is not None:
                projected, range_m, px_per_rad, stood = seen
                yield PairSeen(
                    camera=stream.key, thing=str(cuboid.entity or cuboid.id), name=thing_name(snapshot, cuboid),
                    flat=box.id, solid=cuboid.id, links=tuple(each.id for each in links), at_ns=at_ns, box=shape,
                    seen=projected, range_m=range_m, px_per_rad=px_per_rad, stood=stood,
                )  # fmt: skip


def _labels(snapshot: Snapshot, sample: Sample) -> tuple[dict[str, list[Annotation]], dict[str, list[Annotation]]]:
    """Boxes and cuboids by their thing; those without one by themselves."""
    flat: dict[str, list[Annotation]] = defaultdict(list)
    solid: dict[str, list[Annotation]] = defaultdict(list)
    for each in snapshot.annotations(sample.id):
        if each.state is State.REJECTED:
            continue
        if each.kind is ShapeKind.BOX:
            flat[str(each.entity or each.id)].append(each)
        elif each.kind is ShapeKind.CUBOID:
            solid[str(each.entity or each.id)].append(each)
    return flat, solid


def _linked(snapshot: Snapshot, sample: Sample) -> dict[tuple[str, str], list[Link]]:
    """Links that stand, by every two labels they join, in both orders."""
    found: dict[tuple[str, str], list[Link]] = defaultdict(list)
    for link in snapshot.links(sample.id):
        if link.state is State.REJECTED or not link.holds:
            continue
        ends = [end.target for end in link.ends if end.kind is TargetKind.ANNOTATION]
        for one in ends:
            for other in ends:
                if one != other:
                    found[(one, other)].append(link)
    return found


def _moments(
    snapshot: Snapshot, box: Annotation, stream: Stream, links: Sequence[Link], most: int
) -> Iterator[tuple[int, Box]]:
    """Session times of pictures in which somebody drew the box, with the box."""
    if box.track is None:
        if isinstance(box.shape, Box) and box.start_ns is not None and not box.shape.angle_deg:
            yield stream.time_map.to_session(box.start_ns), box.shape
        return
    drawn = [
        (stream.time_map.to_session(each.time_ns), each.shape)
        for each in snapshot.keyframes(box.id)
        if isinstance(each.shape, Box) and not each.shape.angle_deg
    ]
    if not drawn:
        return
    chosen = set(np.unique(np.linspace(0, len(drawn) - 1, min(most, len(drawn))).round().astype(int)).tolist())
    times = np.array([at for at, _ in drawn], np.int64)
    for link in links:
        if link.start_ns is not None:
            chosen.add(int(np.abs(times - link.start_ns).argmin()))
    for number in sorted(chosen):
        yield drawn[number]


def thing_name(snapshot: Snapshot, annotation: Annotation) -> str:
    """What a label shows, by the name that panes give it."""
    entity = None if annotation.entity is None else snapshot.get(RecordKind.ENTITY, annotation.entity)
    class_id = entity.class_id if isinstance(entity, Entity) else annotation.class_id or ""
    ontology = snapshot.ontology()
    name = class_id if ontology is None else ontology.class_name(class_id)
    return entity.called(name) if isinstance(entity, Entity) else name or annotation.kind.value


def _looks(
    placed: PlacedTracks, camera: Camera, cuboid: Annotation, times_ns: Int64s, *, standing: bool
) -> Iterator[tuple[PictureBox, float, float, bool] | None]:  # fmt: skip
    """For each picture the projected box, the range, how many pixels a turn of one radian is worth there, and whether
    the cuboid was taken as standing.
    """
    rows = placed.rows[cuboid.id]
    alone = standing and len(rows.times_ns) == 1 and cuboid.track is not None
    if cuboid.track is None or alone:  # it stands for its own moment, wherever that is; the camera looks from its own
        stands = placed.place(cuboid.id, np.full(len(times_ns), rows.times_ns[0], np.int64))
        seen = None
    else:
        stands = placed.place(cuboid.id, times_ns)
        seen = placed.seen(camera, cuboid.id, times_ns)
    for row, time_ns in enumerate(times_ns.tolist()):
        moved_on = alone and abs(time_ns - int(rows.times_ns[0])) > _STANDS_NS
        way = placed.camera_from_root(camera, cuboid.id, time_ns)
        if way is None or moved_on or not stands.there[row] or _too_far_between(rows, time_ns):
            yield None
            continue
        middle = (way @ stands.centers[row][None])[0]
        box = _box(camera, stands.cuboid(row), way) if seen is None else _shown(seen, row)
        pixels = project(camera, np.stack([middle, _turned(middle)])).pixels
        px_per_rad = float(np.hypot(*(pixels[1] - pixels[0]))) / _TURN_RAD
        if box is None or middle[2] <= 0 or not np.isfinite(px_per_rad) or px_per_rad <= 0:
            yield None
        else:
            yield box, float(np.linalg.norm(middle)), px_per_rad, alone and time_ns != int(rows.times_ns[0])


def _too_far_between(rows: Rows, time_ns: int) -> bool:
    after = int(rows.times_ns.searchsorted(time_ns))
    if after in (0, len(rows.times_ns)) or int(rows.times_ns[after]) == time_ns:
        return False
    return int(rows.times_ns[after] - rows.times_ns[after - 1]) > _LONGEST_GAP_NS


def _box(camera: Camera, cuboid: Cuboid, way: RigidTransform) -> PictureBox | None:
    return cuboid_box(camera, cuboid, camera_from_frame=way)


def _shown(seen: Seen, row: int) -> PictureBox | None:
    left, top, right, bottom = seen.boxes[row].tolist()
    return PictureBox(left, top, right, bottom, clipped=not seen.whole[row]) if np.isfinite(left) else None


def _turned(point: Floats) -> Floats:
    """A point of a camera's frame about its upright axis, by a little."""
    c, s = np.cos(_TURN_RAD), np.sin(_TURN_RAD)
    return np.array([c * point[0] + s * point[2], point[1], c * point[2] - s * point[0]])
