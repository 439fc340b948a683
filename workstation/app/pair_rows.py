"""The residual of fused pairs as rows of ``sync pairs``, and of one link in words for the list of links and the
inspector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workstation.app.evidence import MediaEvidence
from workstation.app.inspecting import InspectorField, Section
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.core.annotation import Annotation, Link
from workstation.core.evidence import Evidence, Unmeasured
from workstation.core.fused_pairs import FLAT, SOLID
from workstation.core.geometry import ShapeKind
from workstation.core.ids import SampleId
from workstation.core.pair_fit import LooseLink, loose_links, thing_name
from workstation.core.pair_residuals import PairResidual, pair_residuals
from workstation.core.records import RecordKind
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import OVERRUN_PX, OVERRUN_TOLERANCE, named_limit
from workstation.qa.remembered import RememberedSnapshot
from workstation.store.store import Store

Row = dict[str, Any]


def pair_rows(session: Session, sample: Sample, readers: OpenStreams) -> Iterator[Row]:
    """Every fused pair of a sample with the residual between its captures, and what it means in picture and space."""
    streams: dict[str, str] = {stream.id: stream.key for stream in session.store.streams(sample.id)}
    snapshot = RememberedSnapshot(session.store, MediaEvidence(session.store, sample.id, readers))
    loose = _loose(snapshot, sample)
    for pair in pair_residuals(snapshot, sample):
        flat, solid = (session.store.get(RecordKind.ANNOTATION, each) for each in (pair.flat, pair.solid))
        yield {
            "sample": sample.key,
            "thing": thing_name(snapshot, solid) if isinstance(solid, Annotation) else "",
            "link": pair.link,
            "flat": streams[getattr(flat, "stream", None) or ""],
            "solid": streams[getattr(solid, "stream", None) or ""],
            "flat_id": pair.flat,
            "solid_id": pair.solid,
            "session_ns": pair.at_ns,
            "residual_ns": pair.apart_ns,
            "distance_m": pair.moved_m,
            "distance_px": pair.moved_px,
            "offset_px": pair.offset_px,
            "offset_m": pair.offset_m,
            "overlap": None if pair.overlap is None else round(pair.overlap, 3),
            "range_m": pair.range_m,
            "pictures": pair.moments,
            "stood": pair.stood,
            "flag": loose[pair.link].off.words() if pair.link in loose else "",
            "session time": "" if pair.at_ns is None else f"{pair.at_ns / 1e9:.6f} s",
            "residual": "not known" if pair.apart_ns is None else f"{pair.apart_ns / 1e6:+.3f} ms",
            "distance": "not known" if pair.moved_m is None else _metres(pair.moved_m, pair.moved_px),
            "offset": "" if pair.offset_px is None else _metres(pair.offset_m or 0.0, pair.offset_px),
            "range": "" if pair.range_m is None else f"{pair.range_m:.1f} m",
        }


def _loose(snapshot: Snapshot, sample: Sample) -> dict[str, LooseLink]:
    try:
        return loose_links(snapshot, sample, named_limit(snapshot.project(), OVERRUN_TOLERANCE, OVERRUN_PX))
    except Unmeasured:
        return {}


def _metres(metres: float, pixels: float | None) -> str:
    return f"{metres:.3f} m" + ("" if pixels is None else f" ({pixels:.1f} px)")


def link_residuals(view: SampleView, reads: Snapshot, link: Link, evidence: Evidence) -> list[PairResidual]:
    """Of the pairs of one link, at the cost of that link and not of the sample."""
    return list(pair_residuals(_OneLink(view, reads, evidence, link), view.sample))


def is_fused(view: SampleView, link: Link) -> bool:
    """Whether a link joins a label in a picture with one in space."""
    kinds = {view.annotations[end.target].kind for end in link.ends if end.target in view.annotations}
    return bool(kinds & FLAT) and bool(kinds & SOLID)


def residual_section(view: SampleView, reads: Store, readers: OpenStreams, link: Link) -> Section | None:
    """What the inspector shows of a link with such ends: a line a pair; ``None`` where nothing is known."""
    found = link_residuals(view, reads, link, MediaEvidence(reads, view.id, readers))
    fields = []
    for each in found:
        flat = view.annotations.get(each.flat)
        stream = None if flat is None else view.streams.get(flat.stream or "")
        title = "Pair" if stream is None else stream.key
        if words := each.words():
            fields.append(InspectorField(key=f"residual:{each.flat} {each.solid}", title=title, value=words))
    return Section(title="Residual", fields=tuple(fields)) if fields else None


class _OneLink(RememberedSnapshot):
    """A snapshot in which there is one link, and what it takes to judge it."""

    def __init__(self, view: SampleView, behind: Snapshot, evidence: Evidence, link: Link) -> None:
        super().__init__(behind, evidence)
        self._view = view
        self._link = link

    def links(self, sample: SampleId) -> Sequence[Link]:
        """That link."""
        return (self._link,)

    def annotations(self, sample: SampleId) -> Sequence[Annotation]:
        """The labels at its ends, and the cuboids of the same things: they say where a thing was before and after."""
        view = self._view
        ends = [view.annotations[end.target] for end in self._link.ends if end.target in view.annotations]
        things = {each.entity for each in ends if each.kind is ShapeKind.CUBOID and each.entity is not None}
        others = [each for thing in sorted(things) for each in view.annotations_of_entity(thing)]
        return [*ends, *(each for each in others if each.kind is ShapeKind.CUBOID and each not in ends)]
