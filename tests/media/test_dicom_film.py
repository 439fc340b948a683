"""Films with their frame times, single pictures, and files that lie."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from dicom_files import AXIAL, US_MULTIFRAME, picture_file, save, voxels, write_series
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from workstation.core.errors import DataError
from workstation.media.base import ImageReader, Limits, OpenContext, Region, VideoReader, View
from workstation.media.dicom import READERS, open_film, open_picture, open_volume
from workstation.media.dicom_header import read_header
from workstation.media.dicom_pixels import compressed_size


def film(tmp_path: Path, frames: int = 4, **elements: object) -> Path:
    pixels = np.arange(frames * 6 * 8 * 3, dtype=np.uint32).reshape(frames, 6, 8, 3) % 251
    dataset = picture_file(pixels.astype(np.uint8), SOPClassUID=US_MULTIFRAME, Modality="US", **elements)
    return save(dataset, tmp_path / "film.dcm")


@pytest.mark.parametrize(
    ("elements", "times_ns", "source"),
    [
        ({"FrameTime": "33.333"}, [0, 33_333_000, 66_666_000, 99_999_000], "frame time"),
        ({"FrameTimeVector": ["0", "10", "20.5", "5"]}, [0, 10_000_000, 30_500_000, 35_500_000], "frame time vector"),
        ({"FrameTimeVector": ["0", "10"], "FrameTime": "40"}, [0, 40_000_000, 80_000_000, 120_000_000], "frame time"),
        ({"CineRate": "30"}, [0, 33_333_333, 66_666_667, 100_000_000], "nominal rate"),
        ({}, [0, 40_000_000, 80_000_000, 120_000_000], "none"),
    ],
)
def test_frames_have_the_files_times(
    tmp_path: Path, elements: dict[str, object], times_ns: list[int], source: str
) -> None:
    reader = open_film([film(tmp_path, **elements)], {}, OpenContext())
    assert isinstance(reader, VideoReader)
    assert reader.table.times_ns.tolist() == times_ns
    assert reader.info.clock_source == source
    told = source in ("nominal rate", "none") or len(elements) > 1
    assert bool(reader.info.notes) is told
    found = reader.item_at(times_ns[2] + 1)
    assert found is not None
    assert found.index == 2


def test_frames_hold_their_own_pixels(tmp_path: Path) -> None:
    context = OpenContext()
    reader = open_film([film(tmp_path, FrameTime="40")], {}, context)
    whole = reader.picture(2)
    assert whole.pixels.shape == (6, 8, 3)
    assert whole.pixels[0, 0].tolist() == [(2 * 144 + i) % 251 for i in range(3)]
    assert reader.value_at(2, 1, 0) == tuple((2 * 144 + 3 + i) % 251 for i in range(3))
    part = reader.picture(2, View(region=Region(2, 1, 6, 5), width_px=2))
    assert part.pixels.shape == (2, 2, 3)
    assert (part.region.left, part.width_px, part.height_px) == (2, 8, 6)
    assert reader.held(2)
    assert not reader.held(3)
    reader.close()
    assert context.memory.used_bytes == 0


@pytest.mark.parametrize(("photometric", "first", "last"), [("MONOCHROME2", 0, 255), ("MONOCHROME1", 255, 0)])
def test_a_grey_picture_is_shown_through_its_window(tmp_path: Path, photometric: str, first: int, last: int) -> None:
    pixels = np.linspace(1000, 2000, 20, dtype=np.uint16).reshape(4, 5)
    dataset = picture_file(
        pixels, Modality="CR", PhotometricInterpretation=photometric, WindowCenter="1500", WindowWidth="1000"
    )
    reader = open_picture([save(dataset, tmp_path / "a.dcm")], {}, OpenContext())
    assert isinstance(reader, ImageReader)
    shown = reader.picture().pixels
    assert (shown[0, 0], shown[-1, -1]) == (first, last)
    assert reader.value_at(0, 0) == (1000,)


def test_jpeg_and_colour_spaces_by_another_writer(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[..., 0] = 200
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "JPEG", quality=95, subsampling=0)
    dataset = picture_file(pixels, Modality="US", PhotometricInterpretation="YBR_FULL_422")
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PixelData = encapsulate([packed.getvalue()])
    dataset["PixelData"].is_undefined_length = True
    reader = open_picture([save(dataset, tmp_path / "a.dcm")], {}, OpenContext())
    assert np.abs(reader.picture().pixels.astype(int) - pixels).max() <= 6


def test_a_palette_becomes_colours(tmp_path: Path) -> None:
    dataset = picture_file(
        np.array([[0, 1], [2, 3]], np.uint8), Modality="US", PhotometricInterpretation="PALETTE COLOR"
    )
    for name, values in (("Red", (0, 255, 0, 0)), ("Green", (0, 0, 255, 0)), ("Blue", (0, 0, 0, 255))):
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [4, 0, 16])
        table = struct.pack("<4H", *(value << 8 for value in values))
        setattr(dataset, f"{name}PaletteColorLookupTableData", table)
    reader = open_picture([save(dataset, tmp_path / "a.dcm")], {}, OpenContext())
    assert reader.picture().pixels.reshape(4, 3).tolist() == [[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]]


def test_the_header_chooses_the_reader(tmp_path: Path) -> None:
    files = {
        "dicom_film": film(tmp_path, FrameTime="40"),
        "dicom_picture": save(picture_file(voxels(1)[0]), tmp_path / "p.dcm"),
        "dicom_volume": write_series(tmp_path / "v", voxels(2), places=np.zeros((2, 3)))[0],
    }
    for name, path in files.items():
        sure = {reader.name: reader.probe(path, path.read_bytes()[:4096]) for reader in READERS}
        assert max(sure, key=lambda key: sure[key]) == name
        assert sure[name] > 0.9
        other = path.with_name("holiday.jpg")
        other.write_bytes(path.read_bytes())
        assert READERS[0].probe(other, b"\xff\xd8\xff") == 0


def slice_file(tmp_path: Path) -> Dataset:
    return picture_file(
        voxels(1, 64, 64)[0],
        SeriesInstanceUID="1.2.3",
        ImagePositionPatient=[0, 0, 0],
        ImageOrientationPatient=list(AXIAL),
        PixelSpacing=[1, 1],
    )


def refused(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(DataError) as caught:
        open_volume([path], {}, OpenContext(limits=limits or Limits())).slab(0, 0)
    text = str(caught.value)
    assert path.name in text
    assert "\n" not in text
    return text


@pytest.mark.parametrize("data", [b"", bytes(5000), b"\x89PNG\r\n\x1a\n" + bytes(500), bytes(128) + b"DICM", b"DICM"])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(data)
    assert "DICOM" in refused(path)


def test_truncated_pixels_are_a_sentence(tmp_path: Path) -> None:
    path = save(slice_file(tmp_path), tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes()[:-100])
    assert "cannot be decoded" in refused(path)


@pytest.mark.parametrize(
    ("element", "value", "sentence"),
    [
        ("NumberOfFrames", "999999999", "claims 999,999,999 frames"),
        ("Rows", 60_000, "cannot be decoded"),
        ("PixelSpacing", ["1.5", "1"], "spacing of pixels is not given"),
        ("ImageOrientationPatient", [1, 0, 0, 1, 0, 0], "do not say where they lie"),
        ("ImagePositionPatient", ["1e300", "0", "0"], "do not say where they lie"),
    ],
)
def test_headers_that_lie(tmp_path: Path, element: str, value: object, sentence: str) -> None:
    dataset = slice_file(tmp_path)
    setattr(dataset, element, value)
    path = save(dataset, tmp_path / "a.dcm")
    if element == "PixelSpacing":
        path.write_bytes(path.read_bytes().replace(b"1.5\\1 ", b"NaN\\1 "))
        assert sentence in " ".join(open_volume([path], {}, OpenContext()).info.notes)
    else:
        assert sentence in refused(path)


def test_a_length_that_lies_asks_for_no_memory(tmp_path: Path) -> None:
    path = save(slice_file(tmp_path), tmp_path / "a.dcm")
    data = bytearray(path.read_bytes())
    at = data.index(b"\xe0\x7f\x10\x00OW")
    data[at + 8 : at + 12] = struct.pack("<I", 0xFFFFFFF0)
    path.write_bytes(bytes(data))
    open_volume([path], {}, OpenContext())
    private = b"\x09\x00\x01\x00OB\x00\x00" + struct.pack("<I", 0xFFFFFFF0)
    path.write_bytes(bytes(data[:at]) + private + b"abc")
    read_header(path)


def test_a_deflated_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workstation.media.dicom_header._MOST_INFLATED", 1 << 22)
    path = save(slice_file(tmp_path), tmp_path / "a.dcm")
    data = path.read_bytes()
    meta = data[: 144 + struct.unpack("<I", data[140:144])[0]]
    uid = b"1.2.840.10008.1.2.1.99"
    at = meta.index(b"\x02\x00\x10\x00UI")
    meta = meta[:at] + b"\x02\x00\x10\x00UI" + struct.pack("<H", len(uid)) + uid
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    path.write_bytes(meta + pack.compress(bytes(16 << 20)) + pack.flush())
    assert "unpacks to more than" in refused(path)


def test_a_compressed_picture_larger_than_its_header_is_not_decoded(tmp_path: Path) -> None:
    dataset = slice_file(tmp_path)
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    data = bytearray(save(dataset, tmp_path / "a.dcm").read_bytes())
    at = data.index(b"\xff\x4f\xff\x51")
    data[at + 8 : at + 16] = struct.pack(">2I", 60_000, 60_000)
    path = tmp_path / "b.dcm"
    path.write_bytes(bytes(data))
    assert "60000 × 60000 pixels, its header says 64 × 64" in refused(path)
    assert compressed_size(bytes(data[at:])) == (60_000, 60_000)


def test_a_broken_compressed_picture_is_a_sentence_without_noise(tmp_path: Path) -> None:
    dataset = slice_file(tmp_path)
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    data = bytearray(save(dataset, tmp_path / "a.dcm").read_bytes())
    at = data.index(b"\xff\x4f\xff\x51")
    data[at + 50 : at + 120] = bytes(70)
    (tmp_path / "a.dcm").write_bytes(bytes(data))
    assert "cannot be decoded" in refused(tmp_path / "a.dcm")


def test_a_run_length_bomb_is_not_unpacked(tmp_path: Path) -> None:
    dataset = slice_file(tmp_path)
    dataset.file_meta.TransferSyntaxUID = RLELossless
    dataset.PixelData = encapsulate([struct.pack("<16I", 2, 64, 64, *[0] * 13) + b"\x81\x00" * 100_000])
    dataset["PixelData"].is_undefined_length = True
    assert "run-length picture" in refused(save(dataset, tmp_path / "a.dcm"))


def test_compression_that_needs_an_extra_says_so(tmp_path: Path) -> None:
    dataset = slice_file(tmp_path)
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    dataset.PixelData = encapsulate([bytes(100)])
    dataset["PixelData"].is_undefined_length = True
    assert "JPEG-LS Lossless" in refused(save(dataset, tmp_path / "a.dcm"))


def test_sequences_without_end_are_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    data = save(slice_file(tmp_path), path).read_bytes()
    at = data.index(b"\x28\x00\x02\x00")
    nest = (b"\x00\x52\x29\x92SQ\x00\x00\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff") * 5000
    path.write_bytes(data[:at] + nest)
    refused(path)


def test_limits_hold(tmp_path: Path) -> None:
    path = save(slice_file(tmp_path), tmp_path / "a.dcm")
    assert "more than the limit" in refused(path, Limits(max_pixels=100))


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.booleans())
def test_damaged_files_are_a_volume_or_a_sentence(tmp_path: Path, at: int, byte: int, cut: bool) -> None:
    path = tmp_path / "fuzz.dcm"
    data = bytearray(save(slice_file(tmp_path), path).read_bytes())
    at %= len(data)
    data[at] = byte
    path.write_bytes(bytes(data[:at] if cut else data))
    try:
        open_volume([path], {}, OpenContext()).slab(0, 0)
    except DataError:
        return
