"""The queue of places where a model's proposals and the labels of people disagree, the largest difference first.

Asked by ``workstation predictions compare`` and the window's queue. Nothing is changed.
"""

from __future__ import annotations

from typing import Any

from workstation.app.judged_frames import Judged, judged_boxes, judged_cuboids
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.prelabel.disagreement import Disagreement, disagreements
from workstation.prelabel.evaluate import Overlap, box_overlap, cuboid_overlap_from_above

COLUMNS = ("sample", "stream", "at_s", "difference", "amount", "proposal", "label", "overlap")


def queue(
    view: SampleView, readers: OpenStreams, *, model: str | None = None, layer: str = "main"
) -> list[dict[str, Any]]:
    """One row a difference: where it is, what it is, and the ids of proposal and label."""
    rows: list[dict[str, Any]] = []
    sides: tuple[tuple[list[Judged], Overlap[Any]], ...] = (
        (judged_boxes(view, model=model, layer=layer), box_overlap),
        (judged_cuboids(view, PlacedCuboids(view, readers), model=model, layer=layer), cuboid_overlap_from_above),
    )
    for judged, overlap in sides:
        for frame in judged:
            rows += [_row(view, frame, each) for each in disagreements(frame.found, frame.true, overlap)]  # type: ignore[type-var]
    return sorted(rows, key=lambda each: (-each["amount"], each["stream"], each["at_s"] or 0.0))


def _row(view: SampleView, frame: Judged, each: Disagreement) -> dict[str, Any]:
    stream = view.streams[frame.stream]
    session_ns = None if frame.time_ns is None else stream.time_map.to_session(frame.time_ns)
    found = None if each.found is None else frame.found_ids[each.found]
    true = None if each.true is None else frame.true_ids[each.true]
    return {
        "sample": view.sample.key,
        "stream": stream.key,
        "at_s": None if session_ns is None else round(session_ns / 1e9, 6),
        "session_ns": session_ns,
        "item": frame.item,
        "difference": each.kind.value,
        "amount": round(each.amount, 3),
        "proposal": _said(view, found),
        "label": _said(view, true),
        "overlap": round(each.overlap, 3),
        "proposal_id": found,
        "label_id": true,
    }


def _said(view: SampleView, annotation: str | None) -> str:
    if annotation is None:
        return ""
    record = view.annotations[annotation]
    sure = "" if record.confidence is None else f" {record.confidence:.2f}"
    return f"{view.class_name(view.class_of(record))}{sure}"
