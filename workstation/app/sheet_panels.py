"""The panels of a contact sheet: a camera, a cloud from above, lanes of items, sound with its turns.

Each function answers one panel as a picture of the asked size; ``contact_sheet.py`` puts them together.
What cannot be read, or is not there at that moment, says so in its place.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workstation.app.drawn_marks import Marks
from workstation.app.moment import table_of
from workstation.app.scenery import PlacedCuboid, Scenery
from workstation.app.sheet_canvas import GRID, INK, MISSING, PLAYHEAD, QUIET, WAVE, Canvas, Size, empty_panel, light
from workstation.app.sheet_marks import draw_marks, name_spans, paste_fitted
from workstation.core.annotation import Annotation
from workstation.core.cameras import Camera
from workstation.core.errors import DataError
from workstation.core.frametable import shown_capture
from workstation.core.geometry import Span
from workstation.core.projection import cuboid_corners
from workstation.core.sample import Stream
from workstation.core.timebase import TimeRange
from workstation.media.base import AudioReader, CloudReader, TextReader, VideoReader, View

_AHEAD_M, _BEHIND_M = 62.0, 26.0
_NEAREST_NAMED = 9


def camera_panel(scenery: Scenery, marks: Marks, stream: Stream, session_ns: int, size: Size) -> Image.Image:
    """The picture that shows then with the outlines of all cuboids, as they were when it was taken."""
    canvas = Canvas(size)
    title = stream.role or stream.key
    try:
        reader = scenery.readers.reader(stream)
        if not isinstance(reader, VideoReader):
            raise DataError("it has no pictures with times", path=stream.key)
        found = shown_capture(reader.table, stream.time_map, session_ns)
        if found is None:
            return empty_panel(canvas, title, "nothing here")
        pixels = reader.picture(found.index, View()).pixels
    except DataError as error:
        return empty_panel(canvas, title, str(error))
    placed = paste_fitted(canvas, np.asarray(Image.fromarray(pixels).convert("RGB")))
    camera = next((each for each in scenery.calibration.cameras if each.name == stream.frame), None)
    if camera is not None:
        _outlines(canvas, scenery, camera, found.session_ns, placed)
    draw_marks(canvas, marks.at(stream, found.session_ns), placed)
    canvas.label(10, 8, f"{title}   frame {found.index}   {found.distance_ns / 1e6:+.1f} ms")
    name_spans(canvas, marks.spans_at(stream, found.session_ns))
    return canvas.finished()


def _outlines(
    canvas: Canvas, scenery: Scenery, camera: Camera, taken_ns: int, placed: tuple[float, float, float]
) -> None:
    left, top, scale = placed
    if camera.row_time_ns:
        canvas.label(10, 34, f"rolling shutter, {camera.row_time_ns / 1e3:g} µs a row", size=12)
    seen: list[tuple[float, PlacedCuboid, NDArray[np.float64]]] = []
    for each, outline, away in scenery.outlines(camera, taken_ns):
        seen.append((away, each, outline.segments * scale + (left, top)))
    for away, each, segments in sorted(seen, key=lambda row: -row[0]):
        for piece in segments:
            canvas.line([tuple(piece[0]), tuple(piece[1])], each.colour, 1.6 if away < 30 else 0.9)
    taken: list[tuple[float, float, float]] = []
    for _, each, segments in sorted(seen, key=lambda row: row[0]):
        x, y = segments.reshape(-1, 2).min(0)
        x, y, width = max(float(x), 4.0), max(float(y) - 16, 34.0), canvas.width_of(each.name, 12)
        if len(taken) < _NEAREST_NAMED and all(
            abs(y - b) > 13 or x > a + w + 4 or a > x + width + 4 for a, b, w in taken
        ):
            canvas.text(x, y, each.name, size=12, colour=light(each.colour))
            taken.append((x, y, width))


def cloud_panel(scenery: Scenery, stream: Stream, session_ns: int, size: Size) -> Image.Image:
    """The sweep that shows then, from above, x to the right, with the cuboids as they were at its time."""
    canvas = Canvas(size)
    title = stream.role or stream.key
    try:
        reader = scenery.readers.reader(stream)
        if not isinstance(reader, CloudReader):
            raise DataError("it has no sweeps", path=stream.key)
        found = shown_capture(reader.table, stream.time_map, session_ns)
        taken_ns = session_ns if found is None else found.session_ns
        scale = size[0] / (_AHEAD_M + _BEHIND_M)
        _ground(canvas, scale)
        if found is not None:
            cloud = reader.cloud(found.index)
            x, y = _from_above(cloud.points.astype(np.float64) + cloud.origin, size, scale)
            canvas.dots(x, y, _by_height(cloud.points[:, 2]))
    except DataError as error:
        return empty_panel(canvas, title, str(error))
    for each in scenery.cuboids_at(taken_ns):
        sensor_from_frame = scenery.transform(stream.frame, each.frame, taken_ns)
        if sensor_from_frame is not None:
            corners = sensor_from_frame @ cuboid_corners(each.cuboid)
            x, y = _from_above(corners, size, scale)
            ring = [(float(x[i]), float(y[i])) for i in (1, 3, 7, 5, 1)]
            canvas.line(ring, each.colour, 1.6)
            middle = (float(x.mean()), float(y.mean()))
            nose = (float(x[5] + x[7]) / 2, float(y[5] + y[7]) / 2)
            canvas.line([middle, nose], each.colour, 1.2)
    said = "nothing here: no sweep"
    if found is not None:
        said = f"sweep {reader.paths[found.index].stem}   {found.distance_ns / 1e6:+.1f} ms"
    canvas.label(10, 8, f"{title} from above   {said}", colour=MISSING if found is None else INK)
    return canvas.finished()


def lanes_panel(scenery: Scenery, streams: Sequence[Stream], session_ns: int, size: Size) -> Image.Image:
    """A lane for every stream with a tick for every item, its gaps marked, over the time of the whole sample."""
    canvas = Canvas(size)
    span = sample_span(scenery, streams)
    named = 150
    lane = (size[1] - 30) / max(1, len(streams))
    for number, stream in enumerate(streams):
        top = 6 + number * lane
        canvas.text(8, top + lane / 2, stream.key, size=12, colour=QUIET, anchor="lm")
        _lane(canvas, scenery, stream, (top + 2, top + lane - 2), _across(span, named, size[0] - 10))
    _axis(canvas, span, named, size[0] - 10, size[1] - 22)
    _playhead(canvas, span, session_ns, named, size[0] - 10, 2, size[1] - 20)
    return canvas.finished()


def _lane(canvas: Canvas, scenery: Scenery, stream: Stream, edge: tuple[float, float], across: _Across) -> None:
    top, bottom = edge
    try:
        reader = scenery.readers.reader(stream)
    except DataError:
        canvas.text(across.left + 4, (top + bottom) / 2, "cannot be read", size=11, colour=MISSING, anchor="lm")
        return
    table = table_of(reader)
    if table is not None and reader.info.span is not None:
        for time_ns in stream.time_map.to_session_array(table.times_ns).tolist():
            canvas.line([(across(time_ns), top), (across(time_ns), bottom)], WAVE, 1)
    elif isinstance(reader, TextReader):
        for part in reader.parts:
            if part.span is not None and part.kind != "word":
                said = stream.time_map.range_to_session(part.span)
                canvas.box(across(said.start_ns), top + 2, across(said.end_ns), bottom - 2, WAVE)
    elif reader.info.span is not None:
        said = stream.time_map.range_to_session(reader.info.span)
        canvas.box(across(said.start_ns), top + 2, across(said.end_ns), bottom - 2, WAVE)
    for gap in reader.info.gaps:
        lost = stream.time_map.range_to_session(gap)
        canvas.box(across(lost.start_ns) + 2, top, across(lost.end_ns) - 2, bottom, MISSING)


def sound_panel(scenery: Scenery, marks: Marks, stream: Stream, session_ns: int, size: Size) -> Image.Image:
    """The loudness of the whole sample with the turns that are said in it."""
    canvas = Canvas(size)
    span = sample_span(scenery, list(scenery.streams.values()))
    left, right, bottom = 150, size[0] - 10, size[1] - 26
    try:
        reader = scenery.readers.reader(stream)
        if not isinstance(reader, AudioReader):
            raise DataError("it has no sound", path=stream.key)
        low, high = _envelope(reader, stream, span, right - left)
    except DataError as error:
        return empty_panel(canvas, stream.role or stream.key, str(error))
    canvas.text(8, 20, stream.role or stream.key, size=13)
    canvas.text(8, 40, f"{reader.sample_rate_hz:,} Hz", size=12, colour=QUIET)
    middle, half = 34 + (bottom - 34) / 2, (bottom - 40) / 2
    for column, (least, most) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        if least == least:  # NaN where the sound is over
            canvas.line([(left + column, middle - most * half), (left + column, middle - least * half + 0.5)], WAVE, 1)
    for turn in scenery.spoken(stream):
        _turn(canvas, turn, stream, session_ns, _across(span, left, right))
    for each in marks.on(stream):
        if isinstance(each.shape, Span) and each.annotation.text is None and each.annotation.start_ns is not None:
            ends = stream.time_map.range_to_session(
                TimeRange(each.annotation.start_ns, each.annotation.end_ns or each.annotation.start_ns)
            )
            across = _across(span, left, right)
            canvas.box(across(ends.start_ns), bottom - 8, across(ends.end_ns), bottom, each.colour)
            canvas.text(across(ends.start_ns), bottom - 10, each.name, size=11, colour=light(each.colour), anchor="ld")
    _axis(canvas, span, left, right, bottom + 4)
    _playhead(canvas, span, session_ns, left, right, 2, bottom + 4)
    return canvas.finished()


def _turn(canvas: Canvas, turn: Annotation, stream: Stream, session_ns: int, across: _Across) -> None:
    start_ns, end_ns = stream.time_map.to_session(turn.start_ns or 0), stream.time_map.to_session(turn.end_ns or 0)
    left, right = across(start_ns), across(end_ns)
    now = start_ns <= session_ns < end_ns
    canvas.box(left, 8, right, 30, (70, 96, 64) if now else GRID)
    words = f"{turn.text} ({turn.language})" if turn.language else turn.text or ""
    while words and canvas.width_of(words, 12) > right - left - 8:
        words = words[:-2].rstrip() + "…" if len(words) > 2 else ""
    canvas.text(left + 5, 19, words, size=12, anchor="lm")


def sample_span(scenery: Scenery, streams: Sequence[Stream]) -> TimeRange:
    """The session time that the readable streams of a sample cover together."""
    spans = []
    for stream in streams:
        try:
            span = scenery.readers.reader(stream).info.span
        except DataError:
            continue
        if span is not None:
            spans.append(stream.time_map.range_to_session(span))
    if not spans:
        return TimeRange(0, 1_000_000_000)
    return TimeRange(min(each.start_ns for each in spans), max(each.end_ns for each in spans))


class _Across:
    """Where a session time lies between two sides."""

    def __init__(self, span: TimeRange, left: float, right: float) -> None:
        self.left = left
        self._start_ns, self._scale = span.start_ns, (right - left) / max(1, span.duration_ns)

    def __call__(self, session_ns: int) -> float:
        return self.left + (session_ns - self._start_ns) * self._scale


def _across(span: TimeRange, left: float, right: float) -> _Across:
    return _Across(span, left, right)


def _axis(canvas: Canvas, span: TimeRange, left: float, right: float, y: float) -> None:
    across = _across(span, left, right)
    step = next((s for s in (1, 2, 5, 10, 30, 60, 300, 1800, 3600, 36000) if span.duration_ns / 1e9 / s <= 16), 86400)
    first = -(-span.start_ns // (step * 1_000_000_000)) * step
    for second in range(first, span.end_ns // 1_000_000_000 + 1, step):
        x = across(second * 1_000_000_000)
        canvas.line([(x, y), (x, y + 4)], QUIET, 1)
        canvas.text(x, y + 6, f"{second} s", size=11, colour=QUIET, anchor="ma" if x < right - 12 else "ra")


def _playhead(
    canvas: Canvas, span: TimeRange, session_ns: int, left: float, right: float, top: float, bottom: float
) -> None:
    if span.contains(session_ns):
        x = _across(span, left, right)(session_ns)
        canvas.line([(x, top), (x, bottom)], PLAYHEAD, 1.6)


def _envelope(
    reader: AudioReader, stream: Stream, span: TimeRange, width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lowest and highest sample in every column, NaN outside of the sound."""
    low, high = np.full(width, np.nan, np.float32), np.full(width, np.nan, np.float32)
    edges = span.start_ns + np.arange(width + 1) * (span.duration_ns / width)
    times = stream.time_map.to_stream_array(np.clip(edges, span.start_ns, span.end_ns).astype(np.int64))
    samples = np.clip(times * reader.sample_rate_hz // 1_000_000_000, 0, reader.frames)
    for column in range(width):
        heard = reader.read(int(samples[column]), int(samples[column + 1]))
        if len(heard):
            low[column], high[column] = heard.min(), heard.max()
    return low, high


def _ground(canvas: Canvas, scale: float) -> None:
    """Rings every 10 m, and the vehicle."""
    x, y = _BEHIND_M * scale, canvas.height / 2
    around = np.linspace(0, 2 * np.pi, 181)
    for radius in range(10, 100, 10):
        ring = [(x + radius * scale * np.cos(a), y + radius * scale * np.sin(a)) for a in around]
        canvas.line(ring, GRID, 1)
        canvas.text(x + radius * scale + 3, y - 2, f"{radius} m", size=11, colour=QUIET, anchor="ld")
    canvas.box(x - 2.4 * scale, y - 1.0 * scale, x + 2.4 * scale, y + 1.0 * scale, QUIET)


def _from_above(
    points: NDArray[np.float64], size: Size, scale: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return (points[:, 0] + _BEHIND_M) * scale, size[1] / 2 - points[:, 1] * scale


def _by_height(z: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Blue on the ground, green at a car's height, yellow above."""
    share = np.clip((np.nan_to_num(z) + 0.5) / 4.0, 0, 1)[:, None]
    low, middle, high = (np.array(c, np.float64) for c in ((92, 124, 200), (84, 204, 150), (250, 224, 120)))
    mixed = np.where(share < 0.5, low + (middle - low) * share * 2, middle + (high - middle) * (share * 2 - 1))
    colours: NDArray[np.uint8] = mixed.astype(np.uint8)
    return colours
