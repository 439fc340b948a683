"""Headers kept for the next opening say what the files say, and nothing is kept that cannot be told apart."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from pathlib import Path

import numpy as np
import pydicom
import pytest

from workstation.media.base import Limits, OpenContext
from workstation.media.cache import DiskCache
from workstation.media.dicom import open_volume
from workstation.media.dicom_header import FileHeader, read_header
from workstation.media.dicom_kept import keep_headers, kept_headers
from workstation.media.dicom_pixels import decode_frame
from workstation.synth.ct import CtOptions, write_series


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("kept")
    write_series(folder, CtOptions(size=24, slices=5, oblique_deg=10), 4)
    return sorted(folder.glob("*.dcm"))


def context_of(paths: list[Path], folder: Path) -> OpenContext:
    hashes = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    return OpenContext(disk=DiskCache(folder), hashes=hashes)


def test_kept_headers_are_the_headers(series: list[Path], tmp_path: Path) -> None:
    context = context_of(series, tmp_path)
    assert kept_headers(series, context) is None
    headers = [read_header(path) for path in series]
    keep_headers(headers, context)
    again = kept_headers(series, context)
    assert again is not None
    for before, after in zip(headers, again, strict=True):
        for field in fields(FileHeader):
            assert getattr(after, field.name) == getattr(before, field.name), field.name
    assert kept_headers(series[:-1], context) is None
    assert kept_headers(series, OpenContext(disk=DiskCache(tmp_path))) is None, "of unknown content nothing is believed"


def test_what_cannot_be_read_back_is_read_from_the_files(series: list[Path], tmp_path: Path) -> None:
    context = context_of(series, tmp_path)
    first = open_volume(series, {}, context)
    (kept,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    kept.write_bytes(b"nonsense")
    again = open_volume(series, {}, context)
    assert np.array_equal(again.patient_from_voxel, first.patient_from_voxel)
    assert np.array_equal(again.slab(0, 2), first.slab(0, 2))
    assert again.look.frame_of_reference == pydicom.dcmread(series[0]).FrameOfReferenceUID


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("stored", [12, 16])
@pytest.mark.parametrize("implicit", [False, True])
def test_plain_pixels_are_those_pydicom_reads(
    series: list[Path], tmp_path: Path, signed: bool, stored: int, implicit: bool
) -> None:
    file = pydicom.dcmread(series[2])
    file.BitsStored, file.HighBit, file.PixelRepresentation = stored, stored - 1, int(signed)
    rng = np.random.default_rng(3)
    least = -(1 << (stored - 1)) if signed else 0
    pixels = rng.integers(least, least + (1 << stored), (24, 24)).astype("<i2" if signed else "<u2")
    file.PixelData = pixels.tobytes()
    if implicit:
        file.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    path = tmp_path / "one.dcm"
    pydicom.dcmwrite(path, file, enforce_file_format=True)
    found = decode_frame(read_header(path), 0, Limits())
    assert np.array_equal(found, pydicom.dcmread(path).pixel_array)
    assert np.array_equal(found, pixels)


def test_bits_beyond_the_stored_ones_and_wrong_lengths_go_to_pydicom(series: list[Path], tmp_path: Path) -> None:
    file = pydicom.dcmread(series[2])
    file.BitsStored, file.HighBit, file.PixelRepresentation = 12, 11, 0
    file.PixelData = np.full((24, 24), 0xF123, "<u2").tobytes()
    path = tmp_path / "overlay.dcm"
    file.save_as(path, enforce_file_format=True)
    assert np.array_equal(decode_frame(read_header(path), 0, Limits()), pydicom.dcmread(path).pixel_array)
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(Exception, match=r"cut\.dcm"):
        decode_frame(read_header(cut), 0, Limits())
