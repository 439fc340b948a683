"""Whether what one modality shows is accounted for in the others: things seen by a camera, numbers of things.

``space.missing`` asks for the cuboid of what pictures show; here pictures are asked for what scans hold, and things
without an identity are counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from workstation.core.annotation import Annotation, State, TargetKind
from workstation.core.cameras import Bools, Camera
from workstation.core.findings import Item
from workstation.core.fused_pairs import FLAT, SOLID
from workstation.core.ontology import ErrorType, Severity
from workstation.core.ratio import Int64s
from workstation.core.records import RecordKind
from workstation.core.rotation import Floats
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import SAME_SCAN_MS
from workstation.qa.findings import LABEL_KINDS, Fault, Sees, rule, shaped
from workstation.qa.remembered import labels_by
from workstation.qa.rules.items import (
    JUDGED,
    annotation_item,
    class_of,
    entities_by_id,
    entity_item,
    judged_annotations,
    ontology_of,
    streams_by_id,
)
from workstation.qa.rules.sightings import OVERLAID, PICTURES, Views, views_of

_LEAST_PX = 16.0
_SAME_SCAN_NS = round(SAME_SCAN_MS * 1e6)
_Counted = tuple[str, int, str]
"""The picture ("" for what is in space), the time in the session, and the class."""
_LONG_NS = 1_000_000_000
"""What shows for a second is overlooked; what shows for less may well be left out."""
_FARTHEST_M = 60.0
_NEAREST_M = 2.0
_COVERED = 0.3


@rule(
    "space.unseen",
    error_type=ErrorType.MISSING_REFERENCE,
    severity=Severity.WARNING,
    limit=_LONG_NS / 1e9,
    unit="s",
    looks_at=LABEL_KINDS,
    sees=Sees(labels=(*OVERLAID, *shaped(*FLAT))),
)
def unseen(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A thing has a cuboid that stands free before a camera for a second or longer, whose other things are labelled,
    and has no label there; and nobody said that the camera does not see it. What is outside the picture, small, far
    or behind other things is not asked for.
    """
    views = views_of(snapshot, sample)
    if not views.solids:
        return
    entities = entities_by_id(snapshot, sample)
    labelled: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    customary: defaultdict[str, set[str | None]] = defaultdict(set)
    for each in judged_annotations(snapshot, sample):
        if each.kind in FLAT and each.stream is not None:
            labelled[each.stream, each.layer].add(each.entity or each.id)
            customary[each.stream].add(class_of(snapshot, each))
    absent = _absent(snapshot, sample)
    standing: dict[str, _Standing] = {}
    for solid in views.solids.values():
        entity = entities.get(solid.entity or "")
        if entity is None:
            continue
        for stream in views.streams.values():
            there = labelled.get((stream.id, solid.layer))
            camera = views.placed.camera_of(stream) if stream.kind in PICTURES else None
            if not there or camera is None or entity.id in there:
                continue
            if absent & {(owner, place) for owner in (entity.id, solid.id) for place in (stream.id, stream.kind.value)}:
                continue
            if class_of(snapshot, solid) not in customary[stream.id]:
                continue  # nobody is asked for what nobody labels there
            if stream.id not in standing:
                standing[stream.id] = _Standing(views, camera)
            shown_s = _shown_s(views, camera, solid, standing[stream.id])
            if shown_s >= _LONG_NS / 1e9:
                item = annotation_item(solid, views.streams, entity.class_id)
                yield Fault(
                    text=f"{entity_item(entity).label} stands free before {stream.key} for {shown_s:.1f} s and is not "
                    "labelled there, and nothing says why",
                    items=(entity_item(entity), item, _stream_item(stream)),
                    measured=round(shown_s, 2),
                    suggestion="draw its box, or state that the camera does not see it, with the reason (link.absent)",
                    aspect=stream.id,
                )


@rule(
    "space.counts",
    error_type=ErrorType.MISSING_REFERENCE,
    severity=Severity.WARNING,
    looks_at=LABEL_KINDS,
    sees=Sees(labels=shaped(*FLAT, *SOLID, tracks=False, things=False), ends=False),
)
def counts(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A picture shows more things of a class than the scan of the same moment holds, stated absences counted with it.

    Only labels without an identity are counted: a thing with one is asked for by itself (``space.missing``).
    """
    streams = streams_by_id(snapshot, sample)
    clouds = [each for each in streams.values() if each.kind is StreamKind.CLOUD]
    if not clouds:
        return
    ontology = ontology_of(snapshot)
    in_scans = {key for key in ontology.classes if ontology.shapes_for(key, StreamKind.CLOUD) & SOLID}
    counted = labels_by(snapshot, sample, "counted", partial(_counted_as, streams, in_scans))
    more = list(_more_than_scanned(counted))
    places = {StreamKind.CLOUD.value, *(each.id for each in clouds)}
    absent = {item for item, place in _absent(snapshot, sample) if place in places} if more else set()
    for (stream, at_ns, class_id), near in more:
        those = counted[stream, at_ns, class_id]
        excused = sum(each in absent for each in those)
        if len(those) > near + excused:
            found = [snapshot.get(RecordKind.ANNOTATION, each) for each in those]
            yield Fault(
                text=f"{streams[stream].key} shows {len(those)} {class_id} at {at_ns / 1e9:.3f} s, the scan holds "
                f"{near} and {excused} {'is' if excused == 1 else 'are'} stated to be absent",
                items=tuple(annotation_item(each, streams, class_id) for each in found if isinstance(each, Annotation)),
                measured=float(len(those)),
                limit=float(near + excused),
                suggestion="make the missing cuboids, or state which the scanner does not see (link.absent)",
                aspect=f"{stream} {at_ns} {class_id}",
            )


def _more_than_scanned(counted: Mapping[_Counted, Sequence[str]]) -> Iterator[tuple[_Counted, int]]:
    """The pictures that show more of a class than the scans of their moment hold, with how many these hold."""
    flats: defaultdict[str, list[_Counted]] = defaultdict(list)
    solids: defaultdict[str, list[_Counted]] = defaultdict(list)
    for key in counted:
        (flats if key[0] else solids)[key[2]].append(key)
    for class_id, those in flats.items():
        held = sorted(solids[class_id], key=_at_ns)
        held_ns = np.array([each[1] for each in held], np.int64)
        before = np.concatenate([[0], np.cumsum([len(counted[each]) for each in held], dtype=np.int64)])
        at_ns = np.array([each[1] for each in those], np.int64)
        upto = np.searchsorted(held_ns, at_ns + _SAME_SCAN_NS, "right")
        since = np.searchsorted(held_ns, at_ns - _SAME_SCAN_NS, "left")
        near = before[upto] - before[since]
        many = np.array([len(counted[each]) for each in those], np.int64)
        for row in np.flatnonzero(many > near).tolist():
            yield those[row], int(near[row])


def _at_ns(key: _Counted) -> int:
    return key[1]


def _counted_as(streams: dict[str, Stream], in_scans: set[str], label: Annotation) -> _Counted | None:
    """How a label without an identity is counted."""
    class_id = label.class_id
    if label.entity is not None or label.track is not None or label.state not in JUDGED or class_id not in in_scans:
        return None
    if label.start_ns is None or label.stream not in streams or label.kind not in FLAT | SOLID:
        return None
    return label.stream if label.kind in FLAT else "", _session_ns(label, streams), class_id


def _session_ns(label: Annotation, streams: dict[str, Stream]) -> int:
    return streams[label.stream or ""].time_map.to_session(label.start_ns or 0)


def _absent(snapshot: Snapshot, sample: Sample) -> set[tuple[str, str]]:
    """What somebody said that a stream or modality does not show."""
    ontology = ontology_of(snapshot)
    found: set[tuple[str, str]] = set()
    for link in snapshot.links(sample.id):
        kind = ontology.link_types.get(link.type_id)
        if kind is not None and kind.absence and link.holds and link.state is not State.REJECTED:
            places = [end.target for end in link.ends if end.kind in (TargetKind.STREAM, TargetKind.MODALITY)]
            found |= {(end.target, place) for end in link.ends for place in places}
    return found


def _shown_s(views: Views, camera: Camera, solid: Annotation, standing: _Standing) -> float:
    """For how long a cuboid stands free before a camera, by its keyframes one after another."""
    rows = views.placed.rows[solid.id]
    if solid.track is None or len(rows.times_ns) < 2:
        return 0.0
    seen = views.placed.seen(camera, solid.id, rows.times_ns, cut=False)
    size = np.min(seen.boxes[:, 2:] - seen.boxes[:, :2], axis=1)
    good = seen.whole & (size >= _LEAST_PX) & (seen.range_m < _FARTHEST_M) & (seen.depth_m > _NEAREST_M)
    good &= rows.presence == 0
    if good.any():
        good[good] = ~_covered(views, camera, solid, rows.times_ns[good], standing)
    runs = np.flatnonzero(np.diff(np.concatenate([[0], good.astype(np.int8), [0]])))
    lengths = [rows.times_ns[end - 1] - rows.times_ns[start] for start, end in runs.reshape(-1, 2).tolist()]
    return float(max(lengths, default=0)) / 1e9


class _Standing:
    """What one camera sees of every cuboid at the times of all keyframes, asked once however many it may stand before.

    Boxes that the picture's border cuts are the costly part: they are worked out where somebody needs them.
    """

    def __init__(self, views: Views, camera: Camera) -> None:
        self._views, self._camera = views, camera
        held = [views.placed.rows[each].times_ns for each in views.solids if each in views.placed.rows]
        self._times_ns: Int64s = np.unique(np.concatenate(held)) if held else np.zeros(0, np.int64)
        self._seen: dict[str, tuple[Floats, Floats, Bools]] = {}

    def boxes_before(self, other: str, times_ns: Int64s, range_m: Floats) -> Floats:
        """(n, 4) the boxes of a cuboid where it is nearer than that; NaN where it is not, or does not show."""
        if other not in self._seen:
            seen = self._views.placed.seen(self._camera, other, self._times_ns, cut=False)
            self._seen[other] = seen.boxes, seen.range_m, seen.whole.copy()
        boxes, ranges, known = self._seen[other]
        at = np.searchsorted(self._times_ns, times_ns)
        nearer = ranges[at] < range_m
        cut = at[nearer & ~known[at]]
        if len(cut):
            boxes[cut] = self._views.placed.seen(self._camera, other, self._times_ns[cut]).boxes
            known[cut] = True
        return np.where(nearer[:, None], boxes[at], np.nan)


def _covered(views: Views, camera: Camera, solid: Annotation, times_ns: Int64s, standing: _Standing) -> Bools:
    """(n,) where nearer cuboids cover a part of it."""
    mine = views.placed.seen(camera, solid.id, times_ns, cut=False)
    area = np.prod(mine.boxes[:, 2:] - mine.boxes[:, :2], axis=1)
    covered = np.zeros(len(times_ns))
    for other in views.solids.values():
        if other.id != solid.id and other.layer == solid.layer:
            boxes = standing.boxes_before(other.id, times_ns, mine.range_m)
            low, high = np.fmax(mine.boxes[:, :2], boxes[:, :2]), np.fmin(mine.boxes[:, 2:], boxes[:, 2:])
            covered += np.where(np.isnan(boxes[:, 0]), 0.0, np.clip(high - low, 0, None).prod(1) / area)
    return covered > _COVERED


def _stream_item(stream: Stream) -> Item:
    return Item(RecordKind.STREAM.value, stream.id, stream.key)
