"""Films whose every frame says its own number, for tests and benchmarks: one per way a container can lie.

The number is a grid of black and white cells in the top left corner: 20 bits and a 12-bit check, read from luma.
x264 and x265 are used here only; the program itself never encodes with them.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 8, 4
WHITE, BLACK = 210, 40
Plane = NDArray[np.uint8]


def code_of(number: int) -> NDArray[np.bool_]:
    """The cells of a number, row by row: its 20 bits, then 12 bits that tell a damaged one from a whole one."""
    check = (number * 0x9E3779B1 >> 7 ^ number >> 3 ^ 0x5A5) & 0xFFF
    word = number | check << 20
    return np.array([word >> bit & 1 for bit in range(32)], bool).reshape(ROWS, COLUMNS)


def draw_code(luma: Plane, number: int, *, low: int = BLACK, high: int = WHITE) -> None:
    """Burn the number into a luma (or grey) plane."""
    cell = _cell(luma.shape)
    cells = np.where(code_of(number), high, low).astype(luma.dtype)
    luma[: cell * ROWS, : cell * COLUMNS] = cells.repeat(cell, 0).repeat(cell, 1)


def read_code(pixels: NDArray[np.generic]) -> int | None:
    """The number burned into a grey or RGB picture of any size with the same shape; ``None`` if it is damaged."""
    grey = pixels[..., 1] if pixels.ndim == 3 else pixels
    height, width = grey.shape
    cell = min(height / 8, width / 12)
    top, left = ((np.arange(count) + 0.3) * cell for count in (ROWS, COLUMNS))
    (first_row, first_column), (end_row, end_column) = (
        [(corner + more * cell).astype(int) for corner in (top, left)] for more in (0.0, 0.4)
    )
    sums = np.zeros((end_row[-1] + 2, end_column[-1] + 2))  # of everything above and left of a place
    sums[1:, 1:] = grey[: end_row[-1] + 1, : end_column[-1] + 1].cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    low, high = (sums[np.ix_(rows, first_column)] for rows in (first_row, end_row + 1))
    low_end, high_end = (sums[np.ix_(rows, end_column + 1)] for rows in (first_row, end_row + 1))
    cells = (high_end - high - low_end + low) / np.outer(end_row + 1 - first_row, end_column + 1 - first_column)
    bits = cells > (cells.min() + cells.max()) / 2
    word = sum(1 << bit for bit, on in enumerate(bits.ravel()) if on)
    number = word & 0xFFFFF
    return number if np.array_equal(code_of(number), bits) else None


def _cell(shape: tuple[int, ...]) -> int:
    return min(shape[0] // 8, shape[1] // 12)


def picture_planes(number: int, width: int, height: int) -> tuple[Plane, Plane, Plane]:
    """Luma and 4:2:0 chroma of a moving, textured picture with its number."""
    y, x = np.mgrid[0:height, 0:width]
    luma = 118 + 50 * np.sin((x + 3 * number) / 17.0) * np.cos((y - 2 * number) / 11.0)
    luma += np.random.default_rng(number % 16).normal(0, 4, (height, width))
    luma = luma.clip(16, 235).astype(np.uint8)
    left = int((0.5 + 0.4 * math.sin(number / 23)) * (width - width // 6))
    luma[height * 5 // 8 : height * 7 // 8, left : left + width // 6] = 70
    draw_code(luma, number)
    chroma = np.full((height // 2, width // 2), 128, np.uint8)
    blue, red = chroma.copy(), chroma.copy()
    blue[height // 4 :, :] = 100 + (number * 3) % 60
    red[height // 4 :, : width // 4] = 150
    return luma, blue, red


def yuv_frame(number: int, width: int, height: int) -> av.VideoFrame:
    """That picture as a frame of yuv420p."""
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, values in zip(frame.planes, picture_planes(number, width, height), strict=True):
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        rows[:, : plane.width] = values
    return frame


@dataclass(frozen=True, kw_only=True)
class Film:
    """One conformance file: how it is encoded, and when its frames are shown."""

    name: str
    codec: str
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    pixel_format: str = "yuv420p"
    frames: int = 150
    size: tuple[int, int] = (192, 128)
    unit: Fraction = Fraction(1, 90000)
    rate: int = 30
    pts: Callable[[int], int] = lambda i: i * 3000
    first_shown: int = 0
    """Frames before it are in the file but outside its edit list."""
    gop: int = 50
    b_frames: int | None = None
    rotation: int = 0
    aspect: Fraction | None = None
    colour: tuple[int, int] | None = None
    """Matrix and range as FFmpeg numbers them."""
    exact_times: bool = True
    """Whether the container keeps the times as they were given."""

    @property
    def shown(self) -> range:
        return range(self.first_shown, self.frames)


def make_film(film: Film, folder: Path) -> Path:
    """Write the file, unless it is there."""
    path = folder / film.name
    if path.exists():
        return path
    with _usual_priority():
        _write(film, path)
    return path


@contextmanager
def _usual_priority() -> Iterator[None]:
    """SVT-AV1 makes the thread that calls it a real-time one where it may, and all threads begun later inherit that:
    a test run as root would leave nothing of the machine to anybody else."""
    if not hasattr(os, "sched_setscheduler"):  # Linux only, as is the trouble
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def _write(film: Film, path: Path) -> None:
    folder = path.parent
    part = folder / f"part-{os.getpid()}-{film.name}"
    with av.open(str(part), "w", container_options=film.container_options) as container:
        stream = container.add_stream(film.codec, rate=film.rate)
        stream.width, stream.height = film.size
        stream.pix_fmt = film.pixel_format
        stream.time_base = film.unit
        context = stream.codec_context
        context.time_base = film.unit
        context.gop_size = film.gop
        context.thread_count = 1  # so that the same film is the same file every time
        if film.b_frames is not None:
            context.max_b_frames = film.b_frames
        if film.aspect is not None:
            context.sample_aspect_ratio = film.aspect
        if film.colour is not None:
            context.colorspace, context.color_range = film.colour
        context.options = film.options
        if film.rotation:
            stream.set_display_rotation(film.rotation)
        for packet in _packets(film, stream):
            container.mux(packet)
    part.rename(path)


def _packets(film: Film, stream: av.VideoStream) -> Iterator[av.Packet]:
    for number in range(film.frames):
        frame = yuv_frame(number, *film.size)
        if film.pixel_format != "yuv420p":
            frame = frame.reformat(format=film.pixel_format)
        frame.pts = film.pts(number)
        frame.time_base = film.unit
        yield from stream.encode(frame)
    yield from stream.encode(None)


def irregular(i: int) -> int:
    """Times that no constant rate explains: jitter, and a pause every 40 frames."""
    return i * 3000 + int(900 * math.sin(i * 1.7)) + i // 40 * 40000


X264 = {"preset": "veryfast", "crf": "24", "sc_threshold": "0"}

FILMS: tuple[Film, ...] = (
    Film(name="h264_constant.mp4", codec="libx264", options=X264, b_frames=3),
    Film(name="h264_variable.mp4", codec="libx264", options=X264, b_frames=3, pts=irregular),
    Film(
        name="h264_open_gop.mp4",
        codec="libx264",
        options=X264 | {"x264-params": "open-gop=1:keyint=40:bframes=3"},
        gop=40,
    ),
    Film(
        name="h264_intra_refresh.mp4",
        codec="libx264",
        options=X264 | {"x264-params": "intra-refresh=1:keyint=30:bframes=0"},
    ),
    Film(
        name="h264_pyramid.mkv",
        codec="libx264",
        options=X264 | {"x264-params": "b-pyramid=normal:bframes=7:keyint=60"},
        unit=Fraction(1, 1000),
        pts=lambda i: i * 33 + i % 3,
    ),
    Film(name="h264_late.mp4", codec="libx264", options=X264, b_frames=3, pts=lambda i: 45000 + i * 3000),
    Film(
        name="h264_edit_list.mp4",
        codec="libx264",
        options=X264,
        b_frames=3,
        pts=lambda i: (i - 17) * 3000,
        first_shown=17,
        container_options={"avoid_negative_ts": "disabled"},
    ),
    Film(name="h264.ts", codec="libx264", options=X264, b_frames=3, exact_times=False),
    Film(
        name="h264.avi",
        codec="libx264",
        options=X264,
        b_frames=2,
        unit=Fraction(1, 30),
        pts=lambda i: i,
        exact_times=False,
    ),
    Film(name="h264_10bit_422.mp4", codec="libx264", options=X264, b_frames=3, pixel_format="yuv422p10le"),
    Film(
        name="h264_444.mkv",
        codec="libx264",
        options=X264,
        b_frames=3,
        pixel_format="yuv444p",
        unit=Fraction(1, 1000),
        pts=lambda i: i * 40,
    ),
    Film(
        name="hevc.mp4",
        codec="libx265",
        options={"preset": "ultrafast", "x265-params": "log-level=error:keyint=40:bframes=4:open-gop=1"},
        gop=40,
    ),
    Film(
        name="hevc_layers.mp4",
        codec="libx265",
        options={
            "preset": "ultrafast",
            "x265-params": "log-level=error:keyint=48:bframes=3:b-pyramid=1:temporal-layers=2:rc-lookahead=12",
        },
        gop=48,
    ),
    Film(
        name="vp9.webm",
        codec="libvpx-vp9",
        options={
            "deadline": "realtime",
            "cpu-used": "8",
            "auto-alt-ref": "1",
            "lag-in-frames": "16",
            "crf": "30",
            "b": "0",
        },
        unit=Fraction(1, 1000),
        pts=lambda i: i * 33 + i % 3,
    ),
    Film(
        name="vp8.webm",
        codec="libvpx",
        options={"deadline": "realtime", "cpu-used": "8", "b": "600k"},
        unit=Fraction(1, 1000),
        pts=lambda i: i * 33 + i % 3,
    ),
    Film(
        name="av1.mkv",
        codec="libsvtav1",
        options={"preset": "9", "crf": "12", "svtav1-params": "lp=1"},
        unit=Fraction(1, 1000),
        pts=lambda i: i * 33 + i % 3,
    ),
    Film(
        name="mpeg4.avi",
        codec="mpeg4",
        options={"q:v": "4"},
        b_frames=2,
        gop=30,
        unit=Fraction(1, 30),
        pts=lambda i: i,
        exact_times=False,
    ),
    Film(
        name="mpeg4.mp4",
        codec="mpeg4",
        options={"qmin": "2", "qmax": "6"},
        b_frames=2,
        gop=30,
        unit=Fraction(1, 30000),
        pts=lambda i: i * 1001,
    ),
    Film(
        name="mpeg2.mpg",
        codec="mpeg2video",
        options={"qmin": "2", "qmax": "6"},
        b_frames=2,
        gop=15,
        unit=Fraction(1, 30),
        pts=lambda i: i,
        exact_times=False,
    ),
    Film(
        name="mpeg2.ts",
        codec="mpeg2video",
        options={"qmin": "2", "qmax": "6"},
        b_frames=2,
        gop=15,
        unit=Fraction(1, 30),
        pts=lambda i: i,
        exact_times=False,
    ),
    Film(name="mjpeg.avi", codec="mjpeg", pixel_format="yuvj420p", unit=Fraction(1, 30), pts=lambda i: i, frames=60),
    Film(
        name="prores.mov",
        codec="prores_ks",
        pixel_format="yuv422p10le",
        unit=Fraction(1, 30),
        pts=lambda i: i,
        frames=60,
    ),
    Film(
        name="prores_alpha.mov",
        codec="prores_ks",
        options={"profile": "4"},
        pixel_format="yuva444p10le",
        unit=Fraction(1, 30),
        pts=lambda i: i,
        frames=40,
    ),
    Film(name="ffv1.mkv", codec="ffv1", unit=Fraction(1, 1000), pts=lambda i: i * 40, frames=60, gop=1),
    Film(name="raw.avi", codec="rawvideo", unit=Fraction(1, 30), pts=lambda i: i, frames=40),
    Film(name="rotated.mp4", codec="libx264", options=X264, b_frames=3, rotation=90, frames=60),
    Film(
        name="h264.h264",
        codec="libx264",
        options=X264,
        b_frames=3,
        unit=Fraction(1, 30),
        pts=lambda i: i,
        exact_times=False,
    ),
    Film(
        name="gray.mkv",
        codec="ffv1",
        pixel_format="gray16le",
        unit=Fraction(1, 1000),
        pts=lambda i: i * 40,
        frames=40,
        gop=1,
    ),
    Film(
        name="rgb.mkv",
        codec="ffv1",
        pixel_format="bgra",
        unit=Fraction(1, 1000),
        pts=lambda i: i * 40,
        frames=40,
        gop=1,
    ),
)
