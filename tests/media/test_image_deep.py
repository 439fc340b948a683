"""Pictures that one of the decoding libraries would show turned twice, cut to eight bits or with other numbers."""

from __future__ import annotations

import base64
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import OpenContext, Pixels
from workstation.media.image import open_image
from workstation.media.opencv import cv2


def shown(path: Path) -> Pixels:
    reader = open_image([path], {}, OpenContext())
    try:
        return reader.picture().pixels
    finally:
        reader.close()


def noise(shape: tuple[int, ...], dtype: str) -> NDArray[np.generic]:
    rng = np.random.default_rng(5)
    if dtype.startswith("float"):
        return rng.normal(0, 3, shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def tiff(path: Path, pixels: NDArray[np.generic], *, tags: dict[int, int] | None = None, apart: bool = False) -> None:
    """A TIFF of one strip (or one for each channel) written by hand, little-endian and not compressed."""
    height, width = pixels.shape[:2]
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    planes = [pixels] if not apart else [pixels[..., i] for i in range(samples)]
    strips = [np.ascontiguousarray(plane).astype(plane.dtype.newbyteorder("<")).tobytes() for plane in planes]
    floating = pixels.dtype.kind == "f"
    bits = (8 * pixels.dtype.itemsize,) * samples
    entries: dict[int, tuple[int, ...]] = {
        256: (width,), 257: (height,), 258: bits, 259: (1,), 262: (2 if samples > 2 else 1,), 277: (samples,),
        278: (height,), 284: (2 if apart else 1,), 339: (3 if floating else 1,) * samples,
    }  # fmt: skip
    if samples in (2, 4):
        entries[338] = (2,)
    entries |= {tag: (value,) for tag, value in (tags or {}).items()}
    starts, at = [], 8
    for strip in strips:
        starts.append(at)
        at += len(strip)
    entries |= {273: tuple(starts), 279: tuple(map(len, strips))}
    extra_at = at + 2 + 12 * len(entries) + 4
    directory, extra = struct.pack("<H", len(entries)), b""
    for tag, values in sorted(entries.items()):
        code, kind = ("I", 4) if tag in (256, 257, 273, 278, 279) else ("H", 3)
        packed = struct.pack(f"<{len(values)}{code}", *values)
        if len(packed) > 4:
            directory += struct.pack("<HHII", tag, kind, len(values), extra_at + len(extra))
            extra += packed
        else:
            directory += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    path.write_bytes(struct.pack("<2sHI", b"II", 42, at) + b"".join(strips) + directory + bytes(4) + extra)


TURNED = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).swapaxes(0, 1),
    8: lambda stored: np.rot90(stored, 1),
}
"""What each orientation means, as EXIF 2.3 says where row 0 and column 0 belong."""


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_turned_tiff_is_turned_once(tmp_path: Path, dtype: str, orientation: int) -> None:
    """Pillow and OpenCV turn a TIFF on their own; a second turn would undo a half and double a quarter."""
    stored = noise((20, 33, 3), dtype)
    tiff(tmp_path / "scan.tif", stored, tags={274: orientation})
    assert np.array_equal(shown(tmp_path / "scan.tif"), TURNED[orientation](stored))


@pytest.mark.parametrize("orientation", [5, 8])
def test_planes_that_lie_apart_are_turned_once_too(tmp_path: Path, orientation: int) -> None:
    stored = noise((20, 33, 3), "uint16")
    tiff(tmp_path / "scan.tif", stored, tags={274: orientation}, apart=True)
    assert np.array_equal(shown(tmp_path / "scan.tif"), TURNED[orientation](stored))


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(("channels", "dtype"), [(3, "uint8"), (3, "uint16"), (4, "uint16"), (3, "float32")])
def test_channels_come_as_they_are_stored(tmp_path: Path, channels: int, dtype: str, apart: bool) -> None:
    stored = noise((20, 33, channels), dtype)
    tiff(tmp_path / "scan.tif", stored, apart=apart)
    assert np.array_equal(shown(tmp_path / "scan.tif"), stored)


def test_deep_grey_with_transparency_keeps_its_bits(tmp_path: Path) -> None:
    stored = noise((20, 33, 2), "uint16")
    tiff(tmp_path / "scan.tif", stored)
    assert np.array_equal(shown(tmp_path / "scan.tif"), stored[..., [0, 0, 0, 1]])


def test_a_deep_negative_is_shown_as_a_positive(tmp_path: Path) -> None:
    """Zero is white: a film scanner's and some microscopes' form. Up to eight bits everybody turns it round."""
    for dtype, most in (("uint8", 255), ("uint16", 65535)):
        stored = noise((20, 33), dtype)
        tiff(tmp_path / "film.tif", stored, tags={262: 0})
        assert np.array_equal(shown(tmp_path / "film.tif"), most - stored)


@pytest.mark.parametrize(("stored", "said"), [
    (noise((9, 8, 5), "uint8"), "5 numbers of 8 bits"), (noise((9, 8), "float16"), "floating point numbers of 16 bits"),
    (noise((9, 8, 3), "float64"), ""), (noise((9, 8, 2), "float32"), "2 floating point numbers of 32 bits"),
])  # fmt: skip
def test_pixels_nobody_reads_rightly_are_refused_with_what_they_are(
    tmp_path: Path, stored: NDArray[np.generic], said: str
) -> None:
    tiff(tmp_path / "odd.tif", stored)
    if not said:
        assert np.allclose(shown(tmp_path / "odd.tif"), stored, rtol=1e-6)
        return
    with pytest.raises(DataError, match=said):
        shown(tmp_path / "odd.tif")


def test_packed_bits_are_refused_and_not_shown_as_other_numbers(tmp_path: Path) -> None:
    tiff(tmp_path / "packed.tif", noise((20, 40), "uint16"), tags={258: 10})
    with pytest.raises(DataError, match="10 bits"):
        shown(tmp_path / "packed.tif")


def written_exr(path: Path, pixels: NDArray[np.float32], *, half: bool = False) -> None:
    kind = "grayf32le" if pixels.ndim == 2 else "gbrpf32le"
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("exr", rate=1, options={"format": "half"} if half else {})
        stream.height, stream.width = pixels.shape[:2]
        stream.pix_fmt = kind
        frame = av.VideoFrame.from_ndarray(pixels, kind)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def test_half_floats_below_nought_and_above_one_are_kept(tmp_path: Path) -> None:
    """The usual form of an EXR; FFmpeg's own conversion cuts such numbers to 0 … 1."""
    pixels = noise((16, 32, 3), "float32").astype(np.float16).astype(np.float32)
    written_exr(tmp_path / "light.exr", pixels, half=True)
    assert np.array_equal(shown(tmp_path / "light.exr"), pixels)


def test_a_depth_map_with_one_channel_is_shown_and_layers_are_named(tmp_path: Path) -> None:
    pixels = noise((16, 32), "float32").astype(np.float32)
    written_exr(tmp_path / "depth.exr", pixels)
    raw = (tmp_path / "depth.exr").read_bytes()
    assert raw.count(b"\0Y\0\2") == 1
    (tmp_path / "depth.exr").write_bytes(raw.replace(b"\0Y\0\2", b"\0Z\0\2"))
    assert np.array_equal(shown(tmp_path / "depth.exr"), pixels)
    written_exr(tmp_path / "layers.exr", np.dstack([pixels] * 3))
    raw = (tmp_path / "layers.exr").read_bytes()
    for letter, other in ((b"B", b"U"), (b"G", b"V"), (b"R", b"W")):
        raw = raw.replace(b"\0" + letter + b"\0\2", b"\0" + other + b"\0\2")
    (tmp_path / "layers.exr").write_bytes(raw)
    with pytest.raises(DataError, match=r"channels are"):
        shown(tmp_path / "layers.exr")


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_colour_pfm(tmp_path: Path, sign: int) -> None:
    pixels = noise((11, 17, 3), "float32")
    body = pixels[::-1].astype("<f4" if sign < 0 else ">f4").tobytes()
    (tmp_path / "light.pfm").write_bytes(f"PF\n17 11\n{sign}.0\n".encode() + body)
    assert np.array_equal(shown(tmp_path / "light.pfm"), pixels)
    (tmp_path / "cut.pfm").write_bytes(f"PF\n17 11\n{sign}.0\n".encode() + body[:-1])
    with pytest.raises(DataError, match="cut"):
        shown(tmp_path / "cut.pfm")


@pytest.mark.parametrize("most", [4095, 65535])
def test_jpeg_2000_keeps_the_numbers_of_the_file(tmp_path: Path, most: int) -> None:
    """Pillow cuts deep colour to eight bits and widens deep grey to sixteen."""
    for shape in ((64, 80), (64, 80, 3)):
        pixels = noise(shape, "uint16").astype(np.uint16) & np.uint16(most)
        done, raw = cv2.imencode(".jp2", pixels, [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000])
        assert done
        (tmp_path / "deep.jp2").write_bytes(raw.tobytes())
        assert np.array_equal(shown(tmp_path / "deep.jp2"), pixels if pixels.ndim == 2 else pixels[..., ::-1])


def test_a_kind_people_have_and_nobody_here_reads_is_named(tmp_path: Path) -> None:
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(64))
    with pytest.raises(DataError, match=r"HEIC.*convert it"):
        shown(tmp_path / "phone.heic")
    (tmp_path / "new.jxl").write_bytes(b"\xff\x0a" + bytes(64))
    with pytest.raises(DataError, match=r"JPEG XL.*convert it"):
        shown(tmp_path / "new.jxl")


TEN_BITS = (
    "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUEAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAA"
    "AAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAAHwAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEA"
    "AGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAACAAAAAgAAAAQcGl4aQAAAAADCgoKAAAADGF2MUOBIEAA"
    "AAAAE2NvbHJuY2x4AAIAAgAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAAJ21kYXQSAAoIOAi/bwICBpAyEReCYwTAAPIAAACQ"
    "PT6zV48w"
)
"""Eight by eight pixels with ten bits a channel, written by libavif: nothing here can write such a file."""


def test_eight_bits_of_ten_are_said(tmp_path: Path) -> None:
    (tmp_path / "deep.avif").write_bytes(base64.b64decode(TEN_BITS))
    reader = open_image([tmp_path / "deep.avif"], {}, OpenContext())
    assert reader.info.notes == ("its 10 bits a channel are shown as 8",)
    reader.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["tif", "exr", "pfm"]), data=st.data())
def test_any_damage_ends_in_pixels_or_a_sentence(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    path = tmp_path / f"whole.{kind}"
    if not path.exists():
        if kind == "tif":
            tiff(path, noise((9, 8, 3), "uint16"), tags={274: 6}, apart=True)
        elif kind == "exr":
            written_exr(path, noise((16, 32, 3), "float32").astype(np.float32), half=True)
        else:
            path.write_bytes(b"PF\n5 4\n-1.0\n" + bytes(240))
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        # The directory of a TIFF lies at its end, the header of the others at their beginning.
        at = data.draw(st.integers(0, min(len(raw), 300) - 1))
        raw[-at - 1 if kind == "tif" and data.draw(st.booleans()) else at] = data.draw(st.integers(0, 255))
    (tmp_path / f"hurt.{kind}").write_bytes(bytes(raw[: data.draw(st.integers(0, len(raw)))] or raw))
    try:
        shown(tmp_path / f"hurt.{kind}")
    except DataError as error:
        sentence = str(error)
    else:
        return
    assert f"hurt.{kind}" in sentence
