"""Box to mask: what stands out in a box becomes a mask, and strokes of plus and minus mend it.

No model of the SAM class, and not called one. A small saliency graph (U²-Net) says for each pixel of the crop how much
it stands out, GrabCut draws the border along the colours, a person's strokes bind it. Without the graph GrabCut starts
from the box alone. Things that touch inside the box, and pale borders, need strokes.

Called by the tools that make masks, on a worker; pure: the same picture, box and strokes give the same mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workstation.media.opencv import cv2
from workstation.prelabel.api import BadOutput, InputSpec, Pixels, Runs
from workstation.prelabel.fitting import stacked

INPUT = InputSpec(width=320, height=320, scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225),
                  resize="stretch")  # fmt: skip
"""U²-Net and U²-Netp."""
_MARGIN = 0.08
_LONG_SIDE_PX = 400  # GrabCut's cost is the pixels: 4.7 s at 1280 × 720, 0.6 s at 448 × 252
_SURE, _SURELY_NOT, _LIKELY = 0.9, 0.05, 0.5
_ROUNDS = 3
_REFINED_MARGIN, _SOFT = 0.15, 0.03  # of the mask's sides: how far its border may be off
_SEED = 7

Area = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels of the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMask:
    """Pixels of one thing: ``mask[0, 0]`` is the pixel (left, top) of the picture."""

    left: int
    top: int
    mask: NDArray[np.bool_]
    score: float

    @property
    def empty(self) -> bool:
        return not self.mask.any()


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line drawn over the picture: (n, 2) pixels, what it is wide, and whether it says "this too" or "not this"."""

    points: NDArray[np.float64]
    radius_px: float
    plus: bool


@dataclass(frozen=True, slots=True)
class Crop:
    """A box with a margin, and how much each of its pixels stands out, 0 to 1: kept while strokes are drawn."""

    area: Area
    box: Area
    likely: NDArray[np.float32]
    looked: bool
    """Whether a graph said so; else it is the box's own shape."""


def crop_of(picture: Pixels, box: tuple[float, float, float, float], saliency: Runs | None = None,
            input_name: str = "input.1") -> Crop:  # fmt: skip
    """What stands out around a box (left, top, width, height). Once for each box; about 0.2 s with the graph."""
    inner = _whole(picture, box, 0.0)
    area = _whole(picture, box, _MARGIN)
    if saliency is None:
        return Crop(area, inner, _from_the_box(area, inner), looked=False)
    part = np.ascontiguousarray(picture[area[1] : area[3], area[0] : area[2]])
    values, _ = stacked([part], INPUT, (INPUT.width, INPUT.height))
    outputs = saliency.run({input_name: values})
    if not outputs:
        raise BadOutput("the graph answered nothing")
    name, answer = next(iter(outputs.items()))  # the first of seven maps is the finest
    plane = np.asarray(answer)
    if plane.ndim != 4 or plane.shape[:2] != (1, 1) or 0 in plane.shape or plane.dtype.kind != "f":
        raise BadOutput(f"output {name!r} is {' × '.join(map(str, plane.shape))}, not one map of what stands out")
    if not np.isfinite(plane).all():
        raise BadOutput(f"output {name!r} holds values that are infinite or no numbers at all")
    size = (area[2] - area[0], area[3] - area[1])
    likely = cv2.resize(plane[0, 0].astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return Crop(area, inner, np.clip(np.asarray(likely), 0.0, 1.0), looked=True)


def box_to_mask(picture: Pixels, crop: Crop, strokes: Sequence[Stroke] = ()) -> FoundMask:
    """The mask of what is in the box, as strokes so far have it.

    Without a stroke and with a graph the graph's own border stands; GrabCut is asked once a stroke disagrees or where
    there was no graph.
    """
    if crop.looked and not strokes:
        large = crop.likely >= _LIKELY
    else:
        large = _bound(_grown(picture, crop, strokes), crop, strokes)
    left, top, right, bottom = crop.box
    inner = slice(top - crop.area[1], bottom - crop.area[1]), slice(left - crop.area[0], right - crop.area[0])
    mask = np.ascontiguousarray(large[inner])
    score = float(crop.likely[inner][mask].mean()) if mask.any() else 0.0
    return FoundMask(left=left, top=top, mask=mask, score=min(max(score, 0.0), 1.0))


def refined(picture: Pixels, mask: FoundMask) -> FoundMask:
    """A mask that is nearly right, as one carried here by flow, with its border drawn anew along the colours.

    The score falls with what had to be changed; where little of the mask is left, it stays as it was, with that score.
    """
    if mask.empty:
        return mask
    height, width = mask.mask.shape
    area = _whole(picture, (float(mask.left), float(mask.top), float(width), float(height)), _REFINED_MARGIN)
    top, left = mask.top - area[1], mask.left - area[0]
    before = np.zeros((area[3] - area[1], area[2] - area[0]), np.bool_)
    before[top : top + height, left : left + width] = mask.mask
    soft = max(1.0, min(height, width) * _SOFT)
    likely = np.asarray(cv2.GaussianBlur(before.astype(np.float32), (0, 0), soft), np.float32)
    after = _grown(picture, Crop(area, area, likely, looked=True), ())
    kept = float((before & after).sum() / max(int((before | after).sum()), 1))
    score = mask.score * kept
    if kept < 0.5:
        return replace(mask, score=score)
    rows, columns = np.flatnonzero(after.any(axis=1)), np.flatnonzero(after.any(axis=0))
    inner = np.ascontiguousarray(after[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    return FoundMask(left=area[0] + int(columns[0]), top=area[1] + int(rows[0]), mask=inner, score=score)


def _grown(picture: Pixels, crop: Crop, strokes: Sequence[Stroke]) -> NDArray[np.bool_]:
    """GrabCut over the crop, made small for it and large again."""
    small, seeds = _seeded(picture, crop, strokes)
    if _both(seeds):
        cv2.setRNGSeed(_SEED)  # its colour clusters begin at random; the same strokes must give the same mask
        colours = np.ascontiguousarray(small[..., ::-1])
        cv2.grabCut(colours, seeds, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    inside = (seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)
    size = crop.likely.shape[1], crop.likely.shape[0]
    return np.asarray(cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)) >= 0.5


def _whole(picture: Pixels, box: tuple[float, float, float, float], margin: float) -> Area:
    height, width = picture.shape[:2]
    left, top, across, down = box
    if not np.isfinite(box).all() or across <= 0 or down <= 0:
        raise ValueError("a box has a finite place and a size above nought")
    x, y = across * margin, down * margin
    area = (max(int(np.floor(left - x)), 0), max(int(np.floor(top - y)), 0),
            min(int(np.ceil(left + across + x)), width), min(int(np.ceil(top + down + y)), height))  # fmt: skip
    if area[2] <= area[0] or area[3] <= area[1]:
        raise ValueError("the box lies outside the picture")
    return area


def _from_the_box(area: Area, inner: Area) -> NDArray[np.float32]:
    """Without a graph: an ellipse in the box may be the thing, its core more so."""
    down, across = np.mgrid[area[1] : area[3], area[0] : area[2]] + 0.5
    x = (across - (inner[0] + inner[2]) / 2) / max((inner[2] - inner[0]) / 2, 0.5)
    y = (down - (inner[1] + inner[3]) / 2) / max((inner[3] - inner[1]) / 2, 0.5)
    return np.asarray(np.clip(0.85 - 0.35 * (x * x + y * y), 0.06, 0.85), np.float32)


def _seeded(picture: Pixels, crop: Crop, strokes: Sequence[Stroke]) -> tuple[Pixels, NDArray[np.uint8]]:
    """The crop made small, and what GrabCut is told of each of its pixels."""
    left, top, right, bottom = crop.area
    scale = min(1.0, _LONG_SIDE_PX / max(right - left, bottom - top))
    size = max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1)
    small = cv2.resize(picture[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    likely = cv2.resize(crop.likely, size, interpolation=cv2.INTER_AREA)
    seeds = np.where(likely >= _LIKELY, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[likely >= _SURE] = cv2.GC_FGD
    seeds[likely < _SURELY_NOT] = cv2.GC_BGD
    down, across = np.mgrid[: size[1], : size[0]] + 0.5
    x, y = across * (right - left) / size[0] + left, down * (bottom - top) / size[1] + top
    box = crop.box
    seeds[(x < box[0]) | (x > box[2]) | (y < box[1]) | (y > box[3])] = cv2.GC_BGD
    for stroke in strokes:
        value = cv2.GC_FGD if stroke.plus else cv2.GC_BGD
        seeds[_drawn(stroke, crop.area, (size[1], size[0]))] = value
    return np.asarray(small, np.uint8), seeds


def _drawn(stroke: Stroke, area: Area, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels under a stroke, in the crop made as large as ``shape``."""
    canvas = np.zeros(shape, np.uint8)
    scale = np.array([shape[1] / (area[2] - area[0]), shape[0] / (area[3] - area[1])])
    points = (np.asarray(stroke.points, np.float64).reshape(-1, 2) - area[:2]) * scale
    points = np.clip(points[np.isfinite(points).all(axis=1)], -1e5, 1e5).astype(np.int32)
    radius = max(round(min(stroke.radius_px, 1e4) * float(scale.mean())), 1)
    for begin, end in zip(points, [*points[1:], points[-1]] if len(points) else [], strict=True):
        cv2.line(canvas, tuple(begin.tolist()), tuple(end.tolist()), 1, 2 * radius)
        cv2.circle(canvas, tuple(begin.tolist()), radius, 1, -1)
    return np.asarray(canvas, np.bool_)


def _bound(mask: NDArray[np.bool_], crop: Crop, strokes: Sequence[Stroke]) -> NDArray[np.bool_]:
    """What was drawn holds to the pixel, however small the picture was that GrabCut saw; the last stroke wins."""
    bound = mask.copy()
    for stroke in strokes:
        bound[_drawn(stroke, crop.area, (mask.shape[0], mask.shape[1]))] = stroke.plus
    return bound


def _both(seeds: NDArray[np.uint8]) -> bool:
    """GrabCut needs pixels of both kinds to learn their colours from, some more than clusters."""
    inside = int(((seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)).sum())
    return inside >= 10 and seeds.size - inside >= 10
