"""Pictures into a graph's picture and boxes back out of it: the one place that knows how a resize was done.

Every family of picture models prepares with ``stacked`` and finds its way back with ``Fit``. A letterbox rounds the
picture to whole pixels, so each axis keeps the scale that was really used, and the way back is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.opencv import cv2
from workstation.prelabel.api import BadOutput, InputSpec, ModelCard, Pixels, Prepared

LONGEST_PX = 8192
"""No graph for pictures has a longer side; a manifest that says so would take gigabytes a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Where one picture lies in the graph's: ``graph = picture * scale + offset``, for edges of pixels."""

    scale_x: float
    scale_y: float
    offset_x: float
    offset_y: float
    width: int
    """Of the picture, pixels."""
    height: int

    def to_picture(self, edges: NDArray[Any]) -> NDArray[np.float64]:
        """Boxes (n, 4) as left, top, right, bottom in the graph's pixels -> in the picture's, cut at its border."""
        boxes = np.asarray(edges, np.float64).reshape(-1, 4)
        boxes = (boxes - self._offsets()) / self._scales()
        return np.clip(boxes, 0.0, (self.width, self.height, self.width, self.height))

    def to_graph(self, edges: NDArray[Any]) -> NDArray[np.float64]:
        """The other way, uncut."""
        return np.asarray(edges, np.float64).reshape(-1, 4) * self._scales() + self._offsets()

    def _scales(self) -> NDArray[np.float64]:
        return np.array((self.scale_x, self.scale_y) * 2)

    def _offsets(self) -> NDArray[np.float64]:
        return np.array((self.offset_x, self.offset_y) * 2)


@dataclass(frozen=True, slots=True)
class Back:
    """The way back for a batch: how each picture lies in the graph's, whose (width, height) is ``size``."""

    fits: tuple[Fit, ...]
    size: tuple[int, int]


def prepared(card: ModelCard, pictures: Sequence[Pixels], usual: InputSpec, name: str) -> Prepared:
    """Feeds for a batch. The graph's input has the name of the card's option ``input_name``, else the family's."""
    size = size_of(card.input, usual)
    values, fits = stacked(pictures, card.input, size)
    return Prepared({str(card.options.get("input_name", name)): values}, Back(fits, size))


def back_of(done: Prepared) -> Back:
    """What ``prepared`` kept; anything else is a mix-up of batches."""
    if not isinstance(done.back, Back):
        raise BadOutput("the answer belongs to a batch that this family did not prepare")
    return done.back


def size_of(spec: InputSpec, default: InputSpec) -> tuple[int, int]:
    """Width and height of the graph's picture: the manifest's, else the family's."""
    width, height = spec.width or default.width, spec.height or default.height
    if not (0 < width <= LONGEST_PX and 0 < height <= LONGEST_PX):
        raise DataError(f"model.yaml: input size {width} × {height} is not between 1 and {LONGEST_PX} pixels a side")
    return width, height


def fitted(picture: tuple[int, int], graph: tuple[int, int], resize: str) -> Fit:
    """How a picture of (width, height) goes into a graph's of (width, height)."""
    if resize == "stretch":
        return _fit(picture, graph, (0, 0))
    if resize not in ("letterbox", "letterbox-corner"):
        raise DataError(f"model.yaml: input resize is {resize!r}; known are letterbox, letterbox-corner and stretch")
    scale = min(graph[0] / picture[0], graph[1] / picture[1])
    inner = (max(round(picture[0] * scale), 1), max(round(picture[1] * scale), 1))
    middle = resize == "letterbox"
    return _fit(picture, inner, ((graph[0] - inner[0]) // 2, (graph[1] - inner[1]) // 2) if middle else (0, 0))


def stacked(pictures: Sequence[Pixels], spec: InputSpec, size: tuple[int, int]) -> tuple[NDArray[Any], tuple[Fit, ...]]:
    """One tensor for a batch, in the manifest's layout, and how each picture lies in it.

    ``(value * scale - mean) / std``, with mean and std in the order of the tensor's own channels.
    """
    for picture in pictures:
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or 0 in picture.shape:
            raise ValueError(f"a picture is (height, width, 3) of uint8, not {picture.shape} of {picture.dtype}")
    fits = tuple(fitted((picture.shape[1], picture.shape[0]), size, spec.resize) for picture in pictures)
    tables = _tables(spec)
    shape = (len(pictures), 3, size[1], size[0]) if spec.layout == "NCHW" else (len(pictures), size[1], size[0], 3)
    tensor = np.empty(shape, tables.dtype)
    order = (2, 1, 0) if spec.color == "BGR" else (0, 1, 2)
    for place, picture, fit in zip(tensor, pictures, fits, strict=True):
        canvas = _canvas(picture, fit, size, spec.pad)
        for channel, source in enumerate(order):
            plane = place[channel] if spec.layout == "NCHW" else place[..., channel]
            np.take(tables[channel], canvas[..., source], out=plane, mode="clip")
    return tensor, fits


def _fit(picture: tuple[int, int], inner: tuple[int, int], offset: tuple[int, int]) -> Fit:
    return Fit(scale_x=inner[0] / picture[0], scale_y=inner[1] / picture[1], offset_x=offset[0], offset_y=offset[1],
               width=picture[0], height=picture[1])  # fmt: skip


def _canvas(picture: Pixels, fit: Fit, size: tuple[int, int], pad: float) -> Pixels:
    inner = (round(fit.scale_x * fit.width), round(fit.scale_y * fit.height))
    # Linear, as the detectors were trained: with area averaging their scores fall.
    small = np.asarray(cv2.resize(picture, inner, interpolation=cv2.INTER_LINEAR), np.uint8)
    if inner == size:
        return small
    canvas = np.full((size[1], size[0], 3), int(np.clip(pad, 0, 255)), np.uint8)
    left, top = int(fit.offset_x), int(fit.offset_y)
    canvas[top : top + inner[1], left : left + inner[0]] = small
    return canvas


def _tables(spec: InputSpec) -> NDArray[Any]:
    """What each of the 256 values of each channel becomes: (3, 256). Exact, and faster than arithmetic on pixels."""
    for name, numbers in (("mean", spec.mean), ("std", spec.std)):
        if len(numbers) not in (0, 1, 3) or not np.all(np.isfinite(numbers)) or (name == "std" and 0 in numbers):
            raise DataError(f"model.yaml: input {name} takes three finite numbers, one for each channel")
    if spec.layout not in ("NCHW", "NHWC") or spec.color not in ("RGB", "BGR"):
        raise DataError(f"model.yaml: input layout {spec.layout!r} or color {spec.color!r} is unknown")
    if spec.dtype not in ("float32", "float16", "uint8"):
        raise DataError(f"model.yaml: input dtype {spec.dtype!r}; known are float32, float16 and uint8")
    mean = np.asarray(spec.mean or (0.0,), np.float64).reshape(-1, 1)
    std = np.asarray(spec.std or (1.0,), np.float64).reshape(-1, 1)
    values = (np.arange(256.0) * spec.scale - mean) / std
    return np.ascontiguousarray(np.broadcast_to(values, (3, 256)).astype(spec.dtype))
