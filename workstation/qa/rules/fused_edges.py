"""Whether the edge of a box is where the thing's cuboid ends: an error of the picture that is metres out there.

On a thing that is labelled in a camera only, five pixels are a matter of taste; where the box is fused with a cuboid
they are a place, and too far from the camera a wrong one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from workstation.core.findings import Item
from workstation.core.ontology import ErrorType, Severity
from workstation.core.pair_fit import EdgeOff, PairSeen, pairs_seen
from workstation.core.records import RecordKind
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import EDGE_PX, EDGE_TOLERANCE, named_limit
from workstation.qa.findings import Fault, rule

_EVERY_MOMENT = 400


@rule("fused.edge", error_type=ErrorType.PARTIAL_ALIGNMENT, severity=Severity.WARNING, limit=EDGE_PX, unit="px")
def edge(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """An edge of a box reaches beyond the projected cuboid of the same thing, by so many pixels or more; it says how
    many metres that is at the thing's range. A box that is narrower may be drawn about what shows behind something
    else and is left alone. A thing that is labelled in pictures only is not judged.
    """
    limit = named_limit(snapshot.project(), EDGE_TOLERANCE, EDGE_PX)
    worst: dict[tuple[str, str], list[tuple[EdgeOff, PairSeen]]] = defaultdict(list)
    for pair in pairs_seen(snapshot, sample, most=_EVERY_MOMENT):
        outermost = max(pair.edges(), key=lambda each: each.off_px, default=None)
        if outermost is not None and outermost.off_px >= limit:
            worst[(pair.flat, pair.solid)].append((outermost, pair))
    for found in worst.values():
        off, pair = max(found, key=lambda each: each[0].off_px)
        times = "" if len(found) == 1 else f", the worst of {len(found)} moments"
        yield Fault(
            text=f"{pair.name} in {pair.camera} at {pair.at_ns / 1e9:.3f} s: {off.words()}{times}",
            items=(
                *(Item(RecordKind.LINK.value, each) for each in pair.links),
                Item(RecordKind.ANNOTATION.value, pair.flat, f"{pair.name} in {pair.camera}"),
                Item(RecordKind.ANNOTATION.value, pair.solid, f"cuboid of {pair.name}"),
            ),
            measured=round(off.off_px, 2),
            limit=limit,
            suggestion=f"draw the {off.edge} edge to where the cuboid ends, or mend the cuboid or the calibration",
            aspect=f"{pair.flat} {pair.solid}",
        )
