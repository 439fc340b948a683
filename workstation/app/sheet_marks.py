"""The panels of a contact sheet for what stands still: a picture, a slice of a volume, a text; and marks on pictures.

Each panel function answers a picture of the asked size; ``contact_sheet.py`` puts them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from workstation.app.drawn_marks import Mark, Marks
from workstation.app.scenery import Scenery
from workstation.app.sheet_canvas import PAPER, Canvas, Size, empty_panel, light
from workstation.core.errors import DataError
from workstation.core.geometry import Box, Mask, Polygon, TextSpan
from workstation.core.pixels import mask_pixels
from workstation.core.sample import Stream
from workstation.media.base import ImageReader, TextReader, View, VolumeReader

Placed = tuple[float, float, float]
"""Left, top and scale of a picture in its panel."""
_TINT = 0.3
_MOST_LINES = 14


def picture_panel(scenery: Scenery, marks: Marks, stream: Stream, session_ns: int, size: Size) -> Image.Image:
    """A still picture with its boxes, outlines and masks."""
    del session_ns  # a picture shows always
    canvas, title = Canvas(size), stream.role or stream.key
    try:
        reader = scenery.readers.reader(stream)
        if not isinstance(reader, ImageReader):
            raise DataError("it has no picture", path=stream.key)
        pixels = np.asarray(Image.fromarray(_eight_bits(reader.picture(View()).pixels)).convert("RGB")).copy()
    except DataError as error:
        return empty_panel(canvas, title, str(error))
    shown = list(marks.on(stream))
    for each in shown:
        if isinstance(each.shape, Mask):
            _tint(pixels, each, marks)
    placed = paste_fitted(canvas, pixels)
    draw_marks(canvas, shown, placed)
    tags = [each.name for each in shown if each.annotation.kind == "tag"]
    canvas.label(10, 8, "   ".join([title, *tags]))
    return canvas.finished()


def slice_panel(scenery: Scenery, marks: Marks, stream: Stream, session_ns: int, size: Size) -> Image.Image:
    """The slice of a volume on which most is labelled, the middle one without labels, in the first window."""
    del session_ns
    canvas, title = Canvas(size), stream.role or stream.key
    try:
        reader = scenery.readers.reader(stream)
        if not isinstance(reader, VolumeReader):
            raise DataError("it is no volume", path=stream.key)
        number, on_it = _labelled_slice(reader, list(marks.on(stream)))
        values = reader.slab(0, number)
    except DataError as error:
        return empty_panel(canvas, title, str(error))
    window = reader.windows[0] if reader.windows else None
    low = float(np.nanmin(values)) if window is None else window.centre - window.width / 2
    high = float(np.nanmax(values)) if window is None else window.centre + window.width / 2
    grey = (np.clip((np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-6), 0, 1) * 255).astype(np.uint8)
    placed = paste_fitted(canvas, np.repeat(grey[:, :, None], 3, axis=2))
    draw_marks(canvas, on_it, placed)
    canvas.label(10, 8, f"{title}   slice {number + 1} of {reader.shape[0]}   {'' if window is None else window.name}")
    return canvas.finished()


def text_panel(scenery: Scenery, marks: Marks, stream: Stream, session_ns: int, size: Size) -> Image.Image:
    """A text with what is labelled in it underlined and named."""
    del session_ns
    canvas, title = Canvas(size), stream.role or stream.key
    try:
        reader = scenery.readers.reader(stream)
        if not isinstance(reader, TextReader):
            raise DataError("it has no text", path=stream.key)
    except DataError as error:
        return empty_panel(canvas, title, str(error))
    spans = [each for each in marks.on(stream) if isinstance(each.shape, TextSpan) and each.shape.of is None]
    top = 36.0
    for start, line in _lines(reader.text, canvas, size[0] - 24)[:_MOST_LINES]:
        canvas.text(12, top, line, size=14)
        for each in sorted(spans, key=_length, reverse=True):
            assert isinstance(each.shape, TextSpan)
            for first, end in each.shape.parts:
                first, end = max(first, start), min(end, start + len(line))
                if first < end:
                    left = 12 + canvas.width_of(line[: first - start], 14)
                    right = 12 + canvas.width_of(line[: end - start], 14)
                    down = top + (23 if _length(each) > 24 else 19)
                    canvas.line([(left, down), (right, down)], each.colour, 2.4)
        top += 30
        if top > size[1] - 20:
            break
    canvas.label(10, 8, title)
    return canvas.finished()


def draw_marks(canvas: Canvas, marks: Iterable[Mark], placed: Placed) -> None:
    """Boxes and outlines with their names, in the pixels of a picture that stands at ``placed``."""
    left, top, scale = placed
    for each in marks:
        ring = _ring(each)
        if ring:
            points = [(left + x * scale, top + y * scale) for x, y in ring]
            canvas.line([*points, points[0]], each.colour, 2.0)
            x, y = min(p[0] for p in points), min(p[1] for p in points)
            canvas.label(max(x, 4.0) + 4, max(y - 20, 34.0), each.name, size=12, colour=light(each.colour))


def name_spans(canvas: Canvas, spans: Sequence[Mark]) -> None:
    """What goes on at a moment, named at the foot of a panel."""
    if spans:
        said = ", ".join(dict.fromkeys(each.name for each in spans))
        canvas.label(10, canvas.height - 26, said, size=14, colour=light(spans[0].colour))


def paste_fitted(canvas: Canvas, pixels: NDArray[np.uint8]) -> Placed:
    """A picture as large as the panel takes it, in the middle."""
    scale = min(canvas.width / pixels.shape[1], canvas.height / pixels.shape[0])
    left, top = (canvas.width - pixels.shape[1] * scale) / 2, (canvas.height - pixels.shape[0] * scale) / 2
    canvas.box(0, 0, canvas.width, canvas.height, PAPER)
    whole = Image.fromarray(pixels).convert("RGB")
    canvas.paste(whole, left, top, (pixels.shape[1] * scale, pixels.shape[0] * scale))
    return left, top, scale


def _ring(mark: Mark) -> list[tuple[float, float]]:
    shape = mark.shape
    if isinstance(shape, Polygon):
        return list(shape.outer)
    if isinstance(shape, Box):
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (shape.width / 2, shape.height / 2)
        turn, middle = np.radians(shape.angle_deg), np.array([shape.x + shape.width / 2, shape.y + shape.height / 2])
        turned = corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        return [(float(x), float(y)) for x, y in turned + middle]
    return []


def _tint(pixels: NDArray[np.uint8], mark: Mark, marks: Marks) -> None:
    shape = mark.shape
    assert isinstance(shape, Mask)
    blob = marks.blob(shape.blob)
    if blob is None:
        return
    inside = mask_pixels(blob, shape.width, shape.height)
    part = pixels[shape.y : shape.y + shape.height, shape.x : shape.x + shape.width]
    inside = inside[: part.shape[0], : part.shape[1]]
    colour = np.array(ImageColor.getrgb(mark.colour)[:3])
    part[inside] = (part[inside] * (1 - _TINT) + colour * _TINT).astype(np.uint8)


def _labelled_slice(reader: VolumeReader, marks: Sequence[Mark]) -> tuple[int, list[Mark]]:
    by_item: dict[str, list[Mark]] = {}
    for each in marks:
        if each.annotation.item is not None:
            by_item.setdefault(each.annotation.item, []).append(each)
    instances = reader.instances
    known = {item: instances.index(item) for item in by_item if item in instances}
    if not known:
        return reader.shape[0] // 2, []
    fullest = max(known, key=lambda item: len(by_item[item]))
    return known[fullest], by_item[fullest]


def _lines(text: str, canvas: Canvas, width: float) -> list[tuple[int, str]]:
    """The text cut into lines that fit, with where each starts."""
    found: list[tuple[int, str]] = []
    start = 0
    for paragraph in text.split("\n"):
        at = start
        while at < start + len(paragraph):
            line = text[at : start + len(paragraph)]
            while line and canvas.width_of(line, 14) > width:
                cut = line.rfind(" ", 0, len(line) - 1)
                line = line[: cut if cut > 0 else max(1, len(line) - 8)]
            found.append((at, line))
            at += len(line)
            while text[at : at + 1] == " ":
                at += 1
        if not paragraph:
            found.append((start, ""))
        start += len(paragraph) + 1
    return found


def _length(mark: Mark) -> int:
    assert isinstance(mark.shape, TextSpan)
    return sum(end - first for first, end in mark.shape.parts)


def _eight_bits(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels.view(np.uint8)
    values = pixels.astype(np.float64)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    scaled: NDArray[np.uint8] = (np.nan_to_num((values - low) / max(high - low, 1e-9)) * 255).astype(np.uint8)
    return scaled
