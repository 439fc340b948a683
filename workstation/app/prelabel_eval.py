"""How good the proposals of a model are against a layer taken as truth: rows for ``workstation prelabel --eval``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from workstation.app.judged_frames import Judged, judged_boxes, judged_cuboids
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.prelabel.evaluate import (
    COCO_LEVELS,
    Overlap,
    average_precision,
    box_overlap,
    cuboid_overlap,
    cuboid_overlap_from_above,
    identity,
    mean_average_precision,
)

COLUMNS = (
    "stream", "what", "class", "iou", "ap", "recall", "precision", "mean_iou", "truths", "found", "switches", "mota",
    "idf1",
)  # fmt: skip


def evaluated(
    view: SampleView, readers: OpenStreams, *, model: str | None = None, layer: str = "main", level: float = 0.5
) -> list[dict[str, Any]]:  # fmt: skip
    """Of each stream on which the model proposed something: each class at one overlap, the mean over COCO's ten levels
    for boxes, seen from above as well for cuboids; and identity over time where proposals are tracks."""
    rows: list[dict[str, Any]] = []
    for stream, frames in _by_stream(judged_boxes(view, model=model, layer=layer)):
        rows += _scored(view, stream, frames, box_overlap, "boxes", level)
        pairs = _pairs(frames)
        means = [mean_average_precision(average_precision(pairs, box_overlap, level=each)) for each in COCO_LEVELS]
        known = [each for each in means if not math.isnan(each)]
        rows.append(_row(view, stream, "boxes", "all", "0.50:0.95", ap=sum(known) / len(known) if known else None))
    for stream, frames in _by_stream(judged_cuboids(view, PlacedCuboids(view, readers), model=model, layer=layer)):
        rows += _scored(view, stream, frames, cuboid_overlap, "cuboids", level)
        rows += _scored(view, stream, frames, cuboid_overlap_from_above, "cuboids from above", level, whole=False)
    return rows


def _by_stream(judged: Sequence[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    for stream in dict.fromkeys(each.stream for each in judged):
        yield stream, [each for each in judged if each.stream == stream]


def _pairs(frames: Sequence[Judged]) -> list[tuple[Sequence[Any], Sequence[Any]]]:
    return [(each.found, each.true) for each in frames]


def _scored(
    view: SampleView, stream: str, frames: Sequence[Judged], overlap: Overlap[Any], what: str, level: float, *,
    whole: bool = True,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    pairs = _pairs(frames)
    for score in average_precision(pairs, overlap, level=level):
        yield _row(
            view, stream, what, score.label, level, ap=score.ap, recall=score.recall, precision=score.precision,
            mean_iou=score.mean_overlap, truths=score.truths, found=score.found,
        )  # fmt: skip
    tracked = any(each.track is not None for found, _ in pairs for each in found)
    if whole and tracked:
        for track in identity(pairs, overlap, level=level):
            yield _row(
                view, stream, f"{what}, identity", track.label or "all", level, truths=track.truths,
                found=track.found, switches=track.switches, mota=track.mota, idf1=track.idf1,
            )  # fmt: skip


def _row(
    view: SampleView, stream: str, what: str, label: str, level: float | str, **figures: float | None
) -> dict[str, Any]:  # fmt: skip
    known = view.ontology is not None and label in view.ontology.classes
    row: dict[str, Any] = {
        "sample": view.sample.key, "stream": view.streams[stream].key, "what": what,
        "class": view.class_name(label) if known else label, "iou": level,
    }  # fmt: skip
    for name, value in figures.items():
        row[name] = None if value is None or math.isnan(value) else round(value, 3)
    return row
