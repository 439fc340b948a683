"""Colours, range, turning, pixel aspect, sizes: what a person sees against numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from films import X264, Film, draw_code, read_code

from workstation.media.base import OpenContext, Region, View
from workstation.media.video import VideoFile, open_video

Made = Callable[[Film], Path]
WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 9: (0.2627, 0.0593)}


def opened(path: Path) -> VideoFile:
    return open_video([path], {}, OpenContext())


def flat_film(
    path: Path, kind: str, values: tuple[int, ...], *, matrix: int, full: bool, size: tuple[int, int]
) -> Path:
    """Two lossless frames of one colour, given plane by plane."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = kind
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, 2 if full else 1
        for i in range(2):
            frame = av.VideoFrame(*size, kind)
            for plane, value in zip(frame.planes, values, strict=True):
                deep = frame.format.components[0].bits > 8
                np.frombuffer(plane, np.uint16 if deep else np.uint8)[:] = value
            frame.pts = i
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def rgb_of(y: int, u: int, v: int, *, matrix: int, full: bool, bits: int = 8) -> list[float]:
    """The definition in ITU-R BT.601, BT.709 and BT.2020."""
    red, blue = WEIGHTS[matrix]
    scale = 1 << (bits - 8)
    if full:
        top = (1 << bits) - 1
        luma, cb, cr = y / top, (u - 128 * scale) / top, (v - 128 * scale) / top
    else:
        luma, cb, cr = (y / scale - 16) / 219, (u / scale - 128) / 224, (v / scale - 128) / 224
    r, b = luma + 2 * (1 - red) * cr, luma + 2 * (1 - blue) * cb
    g = (luma - red * r - blue * b) / (1 - red - blue)
    return [min(255.0, max(0.0, 255 * c)) for c in (r, g, b)]


@pytest.mark.parametrize("matrix", [1, 5, 9])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("kind", "bits"), [("yuv420p", 8), ("yuv422p", 8), ("yuv444p", 8), ("yuv422p10le", 10)])
def test_colours_follow_the_matrix_and_range_of_the_file(
    tmp_path: Path, matrix: int, full: bool, kind: str, bits: int
) -> None:
    colour = tuple(value << (bits - 8) for value in (130, 90, 180))
    path = flat_film(tmp_path / "flat.mkv", kind, colour, matrix=matrix, full=full, size=(64, 48))
    video = opened(path)
    try:
        for view in (View(), View(width_px=31)):
            got = video.picture(1, view).pixels[10, 10].astype(float)
            assert np.abs(got - rgb_of(*colour, matrix=matrix, full=full, bits=bits)).max() <= 2.5
        assert video.value_at(1, 20, 20) == colour
        assert ("full range" in str(video.info.details["colours"])) == full
    finally:
        video.close()


def test_an_unstated_matrix_is_guessed_from_the_size_and_said(tmp_path: Path) -> None:
    for size, matrix in (((320, 240), 5), ((1280, 720), 1)):
        path = flat_film(tmp_path / f"{size[0]}.mkv", "yuv420p", (130, 90, 180), matrix=2, full=False, size=size)
        video = opened(path)
        try:
            got = video.picture(0, View(width_px=32)).pixels[5, 5].astype(float)
            assert np.abs(got - rgb_of(130, 90, 180, matrix=matrix, full=False)).max() <= 2.5
            assert "guessed" in str(video.info.details["colours"])
        finally:
            video.close()


def test_alpha_is_kept(tmp_path: Path) -> None:
    path = flat_film(tmp_path / "a.mkv", "yuva420p", (130, 128, 128, 77), matrix=5, full=False, size=(64, 48))
    video = opened(path)
    try:
        pixels = video.picture(0).pixels
        assert pixels.shape == (48, 64, 4)
        assert int(pixels[3, 3, 3]) == 77
    finally:
        video.close()


# Where the top left corner of the decoded picture goes when the player turns it counterclockwise.
CORNERS = {0: (0, 0), 90: (0, -1), 180: (-1, -1), 270: (-1, 0)}


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_film_is_shown_upright(made: Made, degrees: int) -> None:
    name = f"turned{degrees}.mp4"
    film = Film(name=name, codec="libx264", options=X264, rotation=degrees, frames=12, size=(192, 128))
    video = opened(made(film))
    try:
        picture = video.picture(5)
        assert (video.width_px, video.height_px) == ((128, 192) if degrees in (90, 270) else (192, 128))
        assert picture.pixels.shape[:2] == (video.height_px, video.width_px)
        assert read_code(np.rot90(picture.pixels, -degrees // 90)) == 5
        whole = picture.pixels
        part = video.picture(5, View(region=Region(31, 17, 77, 101)))
        r = part.region
        assert r.left <= 31 <= 77 <= r.right
        assert r.top <= 17 <= 101 <= r.bottom
        assert np.array_equal(part.pixels, whole[r.top : r.bottom, r.left : r.right])
        # The value read at a pixel is the one under it: luma follows the grey of the picture.
        for x, y in ((3, 3), (100, 40), (60, 120)):
            luma = video.value_at(5, x, y)[0]
            assert abs((luma - 16) * 255 / 219 - float(whole[y, x].mean())) < 40
    finally:
        video.close()


@pytest.mark.parametrize(
    ("aspect", "size"), [(Fraction(4, 3), (256, 128)), (Fraction(1, 2), (192, 256)), (Fraction(10, 11), (192, 141))]
)
def test_pixels_that_are_not_square_are_stretched_never_dropped(
    made: Made, aspect: Fraction, size: tuple[int, int]
) -> None:
    name = f"aspect{aspect.numerator}_{aspect.denominator}.mp4"
    video = opened(made(Film(name=name, codec="libx264", options=X264, aspect=aspect, frames=6)))
    try:
        assert (video.width_px, video.height_px) == size
        assert video.picture(3).pixels.shape[:2] == (size[1], size[0])
        part = video.picture(3, View(region=Region(40, 30, 120, 90), width_px=40))
        assert part.pixels.shape[1] in range(38, 43)
    finally:
        video.close()


@pytest.mark.parametrize("kind", ["yuv420p", "yuv422p", "yuv410p", "gray", "bgra"])
def test_odd_sizes_keep_every_pixel(tmp_path: Path, kind: str) -> None:
    grey = np.full((101, 195), 60, np.uint8)
    draw_code(grey, 4242)
    path = tmp_path / "odd.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 195, 101, kind
        frame = av.VideoFrame.from_ndarray(grey, "gray").reformat(format=kind)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    video = opened(path)
    try:
        assert video.picture(0).pixels.shape[:2] == (101, 195)
        assert read_code(video.picture(0).pixels) == 4242
        corner = video.picture(0, View(region=Region(190, 95, 195, 101)))
        assert corner.region.right == 195
        assert corner.region.bottom == 101
        assert corner.pixels.shape[:2] == (corner.region.height_px, corner.region.width_px)
        assert video.picture(0, View(width_px=64)).pixels.shape[:2] == (33, 64)
    finally:
        video.close()


def test_a_view_never_enlarges_and_never_leaves_the_picture(made: Made) -> None:
    video = opened(made(Film(name="h264_constant.mp4", codec="libx264", options=X264, b_frames=3)))
    try:
        assert video.picture(0, View(width_px=10_000, height_px=9000)).pixels.shape == (128, 192, 3)
        outside = video.picture(0, View(region=Region(-500, -500, 9000, 9000)))
        assert outside.region == Region(0, 0, 192, 128)
        far = video.picture(0, View(region=Region(5000, 5000, 6000, 6000), width_px=100))
        assert far.pixels.size > 0
        assert far.region.right == 192
        assert video.picture(0, View(width_px=1, height_px=1)).pixels.shape == (1, 1, 3)
        with pytest.raises(IndexError):
            video.picture(150)
        with pytest.raises(IndexError):
            video.picture(-1)
    finally:
        video.close()
