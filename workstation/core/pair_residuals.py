"""What is left between the two labels of every fused pair: milliseconds between their captures, and pixels and metres
between box and projected cuboid, at the range of the thing.

Two things apart: the *sampling distance* between picture and sweep, with what the thing moves meanwhile, is no error of
anybody's; the *offset* of the drawn box from the cuboid's projection at the time of the picture is one of labels,
clocks or calibration. Shown by ``sync pairs``, the list of links and the inspector.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workstation.core.annotation import Annotation, Link, State, TargetKind
from workstation.core.evidence import Unmeasured
from workstation.core.fused_pairs import FLAT, SOLID, SolidPlaces, fused_pairs
from workstation.core.fused_pairs import moved_m as way_m
from workstation.core.ids import LinkId
from workstation.core.pair_fit import PairSeen, pairs_seen
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot

_Capture = tuple[int | None, int | None, float | None]
"""When the picture was taken, how much later the sweep, and how far the thing moves meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairResidual:
    """One flat and one solid end of a link. Of tracks the pixels and metres are medians over ``moments`` pictures, and
    the capture is the one of them that lies farthest from its sweep. What cannot be known is ``None``."""

    link: LinkId
    flat: str
    solid: str
    at_ns: int | None
    """When the picture was taken, in session time."""
    apart_ns: int | None
    """The sweep minus the picture."""
    moved_m: float | None
    """How far the thing moves between the two."""
    moved_px: float | None
    """The same in the picture, at most: seen from the side."""
    moments: int
    offset_px: float | None
    """From the middle of the drawn box to that of the projected cuboid."""
    offset_m: float | None
    """The same at the thing's range."""
    overlap: float | None
    """Intersection over union of box and projection."""
    range_m: float | None
    stood: bool = False
    """Whether the cuboid was taken as standing between its only sweep and the picture, so that what the thing moves is
    in the offset."""

    def words(self) -> str:
        """In one line, without what is not known."""
        said = []
        if self.apart_ns is not None:
            said.append(f"captures {self.apart_ns / 1e6:+.1f} ms apart")
        if self.moved_m is not None:
            pixels = "" if self.moved_px is None else f" ({self.moved_px:.1f} px)"
            said.append(f"moved {self.moved_m:.2f} m{pixels} meanwhile")
        if self.offset_px is not None and self.offset_m is not None and self.range_m is not None:
            cuboid = "the cuboid of its only sweep" if self.stood else "the cuboid"
            said.append(f"box {self.offset_px:.1f} px off {cuboid}, {self.offset_m:.2f} m at {self.range_m:.1f} m")
        if self.overlap is not None:
            said.append(f"overlap {self.overlap:.2f}")
        return "; ".join(said)


def pair_residuals(snapshot: Snapshot, sample: Sample) -> Iterator[PairResidual]:
    """Of every standing link with a flat and a solid end, in the order of making. Asks ``snapshot.evidence``."""
    links = [each for each in snapshot.links(sample.id) if each.holds and each.state is not State.REJECTED]
    pairs = [(link, flat, solid) for link in links for flat, solid in _ends(snapshot, link)]
    if not pairs:
        return
    captured = {(each.link.id, each.flat.id, each.solid.id): each for each in fused_pairs(snapshot, sample)}
    seen = _seen(snapshot, sample)
    streams: dict[str, Stream] = {stream.id: stream for stream in snapshot.streams(sample.id)}
    places = SolidPlaces(snapshot, sample)
    for link, flat, solid in pairs:
        looks = seen.get((flat.id, solid.id), [])
        pair = captured.get((link.id, flat.id, solid.id))
        capture: _Capture = (None, None, None)
        if pair is not None:
            capture = (pair.flat_ns, pair.residual_ns, pair.distance_m)
        else:
            stood = any(each.stood for each in looks)  # then only its own sweep says where it was
            captures = _captures(snapshot, sample, streams.get(solid.stream or "")) if looks and not stood else None
            pictures = [each.at_ns for each in looks]
            if captures is None:
                pictures, captures = (_keyed(snapshot, streams, each) for each in (flat, solid))
            at_ns, apart_ns = _apart(pictures, captures, farthest=bool(looks))
            if at_ns is not None and apart_ns is not None:
                capture = (at_ns, apart_ns, way_m(places.of(solid), at_ns, at_ns + apart_ns))
        yield _residual(link, flat, solid, looks, capture)


def _residual(
    link: Link, flat: Annotation, solid: Annotation, looks: list[PairSeen], capture: _Capture
) -> PairResidual:  # fmt: skip
    at_ns, apart_ns, moved_m = capture
    whole = [
        (float(np.hypot(across, down)), each) for each in looks
        if (across := each.sideways_px) is not None and (down := each.downwards_px) is not None
    ]  # fmt: skip
    per_m = [each.px_per_rad / each.range_m for each in looks]
    return PairResidual(
        link=link.id, flat=flat.id, solid=solid.id, at_ns=at_ns, apart_ns=apart_ns, moved_m=moved_m,
        moved_px=None if moved_m is None or not per_m else moved_m * float(np.median(per_m)),
        moments=len(looks),
        offset_px=float(np.median([px for px, _ in whole])) if whole else None,
        offset_m=float(np.median([each.metres_of(px) for px, each in whole])) if whole else None,
        overlap=float(np.median([each.overlap for each in looks])) if looks else None,
        range_m=float(np.median([each.range_m for each in looks])) if looks else None,
        stood=any(each.stood for each in looks),
    )  # fmt: skip


def _ends(snapshot: Snapshot, link: Link) -> Iterator[tuple[Annotation, Annotation]]:
    found = [snapshot.get(RecordKind.ANNOTATION, e.target) for e in link.ends if e.kind is TargetKind.ANNOTATION]
    labels = [each for each in found if isinstance(each, Annotation)]
    for flat in labels:
        for solid in labels:
            if flat.kind in FLAT and solid.kind in SOLID:
                yield flat, solid


def _seen(snapshot: Snapshot, sample: Sample) -> dict[tuple[str, str], list[PairSeen]]:
    """Box and cuboid in the same pictures; nothing without poses, or where the media are not at hand."""
    found: dict[tuple[str, str], list[PairSeen]] = defaultdict(list)
    try:
        for each in pairs_seen(snapshot, sample, standing=True):
            found[each.flat, each.solid].append(each)
    except Unmeasured:
        return {}
    return found


def _captures(snapshot: Snapshot, sample: Sample, stream: Stream | None) -> list[int] | None:
    """When the sweeps were taken; ``None`` where the media are not at hand."""
    try:
        return None if stream is None else snapshot.evidence(sample.id).captures(stream).tolist()
    except Unmeasured:
        return None


def _keyed(snapshot: Snapshot, streams: dict[str, Stream], label: Annotation) -> list[int]:
    """When a track has keyframes with a shape, or a single label stands, in session time."""
    stream = streams.get(label.stream or "")
    own = [each.time_ns for each in snapshot.keyframes(label.id) if each.shape is not None]
    own += [label.start_ns] if label.track is None and label.start_ns is not None else []
    return [] if stream is None else [stream.time_map.to_session(time_ns) for time_ns in own]


def _apart(pictures: list[int], captures: list[int], *, farthest: bool) -> tuple[int | None, int | None]:
    """A picture, and how far its nearest capture is: of all pictures the farthest, or the nearest."""
    if not pictures or not captures:
        return None, None
    times, taken = np.array(pictures, np.int64), np.sort(np.array(captures, np.int64))
    after = np.minimum(np.searchsorted(taken, times), len(taken) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(taken[before] - times) <= np.abs(taken[after] - times)
    apart = np.where(nearer, taken[before], taken[after]) - times
    chosen = int(np.abs(apart).argmax() if farthest else np.abs(apart).argmin())
    return int(times[chosen]), int(apart[chosen])
