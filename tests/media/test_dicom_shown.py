"""What a DICOM picture looks like, held against pydicom's own tables and windows, and its sides against its header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_files import ENHANCED_CT, picture_file, save, voxels, write_series
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence

from workstation.core.errors import DataError
from workstation.media.base import OpenContext, Region, View, Window, WindowShape
from workstation.media.dicom import open_film, open_picture, open_volume
from workstation.media.windowing import grey, shares_of_window

UNSIGNED = (np.arange(48, dtype=np.uint16) * 83).reshape(6, 8)
SIGNED = (np.arange(48, dtype=np.int16) * 83 - 1500).reshape(6, 8)


def table(entries: list[int], first: int, bits: int) -> Sequence:
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item.LUTData = entries
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    return Sequence([item])


def as_pydicom_shows(dataset: Dataset, *, largest: float | None = None) -> NDArray[Any]:
    """0 to 255, by pydicom alone. A table's own range is that of its bits, a window's that of the stored bits."""
    values = apply_modality_lut(dataset.pixel_array, dataset)
    shown = np.asarray(apply_voi_lut(values, dataset), np.float64)
    if largest is not None:
        low, high = 0.0, largest
    else:
        whole = 1 << dataset.BitsStored
        ends = np.array([0, whole - 1]) - (whole // 2 if dataset.PixelRepresentation else 0)
        low, high = ends * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
        if "ModalityLUTSequence" in dataset:
            low, high = 0, 2 ** dataset.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    share = np.clip((shown - low) / (high - low), 0, 1)
    return np.rint(255 * (1 - share if dataset.PhotometricInterpretation == "MONOCHROME1" else share))


def shown(dataset: Dataset, folder: Path) -> NDArray[Any]:
    reader = open_picture([save(dataset, folder / "a.dcm")], {}, OpenContext())
    pixels = reader.picture().pixels.astype(int)
    reader.close()
    return pixels


WINDOWED: list[dict[str, object]] = [
    {},
    {"WindowCenter": 1500, "WindowWidth": 900},
    {"WindowCenter": [1500, 200], "WindowWidth": [900, 50], "VOILUTFunction": "LINEAR_EXACT"},
    {"WindowCenter": 1500, "WindowWidth": 900, "VOILUTFunction": "SIGMOID"},
    {"WindowCenter": 1500, "WindowWidth": 900, "PhotometricInterpretation": "MONOCHROME1"},
    {"WindowCenter": 2000, "WindowWidth": 1700, "RescaleSlope": 2.5, "RescaleIntercept": -1024},
    {"WindowCenter": 1500, "WindowWidth": 1},
    {"WindowCenter": 700, "WindowWidth": 60, "VOILUTFunction": "SIGMOID", "PhotometricInterpretation": "MONOCHROME1"},
]


@pytest.mark.parametrize("pixels", [UNSIGNED, SIGNED], ids=["unsigned", "signed"])
@pytest.mark.parametrize("elements", WINDOWED[1:], ids=lambda each: ",".join(f"{k}={v}" for k, v in each.items())[:60])
def test_windows_as_pydicom_applies_them(tmp_path: Path, pixels: NDArray[Any], elements: dict[str, object]) -> None:
    dataset = picture_file(pixels, Modality="CR", **elements)
    expected = as_pydicom_shows(dataset)
    assert np.abs(shown(dataset, tmp_path) - expected).max() <= 1
    assert len(np.unique(expected)) > 1


@pytest.mark.parametrize("inverted", [False, True])
def test_a_table_for_showing_counts_before_a_window(tmp_path: Path, inverted: bool) -> None:
    bent = [int(4095 * (i / 255) ** 2.2) for i in range(256)]
    dataset = picture_file(
        (np.arange(48, dtype=np.uint16) * 9).reshape(6, 8),
        Modality="DX",
        VOILUTSequence=table(bent, 100, 12),
        WindowCenter=3,
        WindowWidth=2,
        PhotometricInterpretation="MONOCHROME1" if inverted else "MONOCHROME2",
    )
    assert np.abs(shown(dataset, tmp_path) - as_pydicom_shows(dataset, largest=4095)).max() <= 1


def test_a_table_of_values_comes_first(tmp_path: Path) -> None:
    steps = [3 * i + (i % 7) for i in range(512)]
    dataset = picture_file(
        (np.arange(48, dtype=np.uint16) * 12).reshape(6, 8),
        Modality="MG",
        ModalityLUTSequence=table(steps, 20, 16),
        WindowCenter=800,
        WindowWidth=1200,
    )
    dataset.ModalityLUTSequence[0].ModalityLUTType = "OD"
    values = apply_modality_lut(dataset.pixel_array, dataset).astype(np.float64)
    expected = np.rint(255 * np.clip((values - 799.5) / 1199 + 0.5, 0, 1))  # PS3.3 C.11.2.1.2
    assert np.abs(shown(dataset, tmp_path) - expected).max() <= 1


def test_a_volumes_values_go_through_its_table(tmp_path: Path) -> None:
    steps = [5 * i for i in range(200)]
    pixels = voxels(3).astype(np.uint16) % 150
    paths = write_series(
        tmp_path, pixels, places=np.outer(np.arange(3.0), (0, 0, 1)), ModalityLUTSequence=table(steps, 10, 16)
    )
    volume = open_volume(paths, {}, OpenContext())
    assert np.array_equal(volume.slab(0, 1), np.array(steps)[np.clip(pixels[1].astype(int) - 10, 0, 199)])
    assert volume.value_at(2, 3, 4) == steps[max(0, int(pixels[2, 3, 4]) - 10)]


def test_without_a_window_the_whole_picture_gives_black_and_white(tmp_path: Path) -> None:
    """Not the part a pane asks for: a picture must not change its look when it is moved."""
    dataset = picture_file(UNSIGNED, Modality="CR", RescaleSlope=2, RescaleIntercept=-100)
    reader = open_picture([save(dataset, tmp_path / "a.dcm")], {}, OpenContext())
    whole = reader.picture().pixels
    assert (whole.min(), whole.max()) == (0, 255)
    assert np.array_equal(reader.picture(View(region=Region(2, 1, 6, 5))).pixels, whole[1:5, 2:6])


def test_each_frame_has_its_own_window(tmp_path: Path) -> None:
    dataset = picture_file(np.stack([UNSIGNED, UNSIGNED]), Modality="XA", SOPClassUID=ENHANCED_CT, FrameTime=40)
    frames = []
    for centre in (500, 3000):
        group, look = Dataset(), Dataset()
        look.WindowCenter, look.WindowWidth, look.VOILUTFunction = centre, 400, "LINEAR_EXACT"
        group.FrameVOILUTSequence = Sequence([look])
        frames.append(group)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    film = open_film([save(dataset, tmp_path / "a.dcm")], {}, OpenContext())
    for index, centre in enumerate((500, 3000)):
        expected = np.rint(255 * np.clip((UNSIGNED - float(centre)) / 400 + 0.5, 0, 1))
        assert np.abs(film.picture(index).pixels - expected).max() <= 1


def test_a_window_of_an_enhanced_volume_keeps_its_shape(tmp_path: Path) -> None:
    paths = write_series(
        tmp_path, voxels(2), places=np.outer(np.arange(2.0), (0, 0, 1)), WindowCenter=40, WindowWidth=80,
        VOILUTFunction="SIGMOID",
    )  # fmt: skip
    assert open_volume(paths, {}, OpenContext()).windows[0] == Window("file", 40, 80, WindowShape.SIGMOID)


@pytest.mark.parametrize(
    ("orientation", "edges"), [(["L", "F"], "R L S I"), (["P", "FR"], "A P SL IR"), (["A", "H"], "P A I S")]
)
def test_a_picture_says_which_side_is_which(tmp_path: Path, orientation: list[str], edges: str) -> None:
    dataset = picture_file(UNSIGNED, Modality="CR", PatientOrientation=orientation, ImageLaterality="L")
    reader = open_picture([save(dataset, tmp_path / "a.dcm")], {}, OpenContext())
    assert (reader.info.details["edges"], reader.info.details["laterality"]) == (edges, "L")


@pytest.mark.parametrize("orientation", [None, ["L"], ["X", "F"], ["L", ""]])
def test_sides_that_are_not_given_are_not_made_up(tmp_path: Path, orientation: list[str] | None) -> None:
    dataset = picture_file(UNSIGNED, Modality="CR", PatientOrientation=orientation)
    reader = open_picture([save(dataset, tmp_path / "a.dcm")], {}, OpenContext())
    assert "edges" not in reader.info.details


@pytest.mark.parametrize(
    ("descriptor", "entries"), [([300, 0, 16], [1, 2, 3]), ([3, 0, 40], [1, 2, 3]), ([3, 0, 16], [])]
)
def test_tables_that_lie_are_a_sentence(tmp_path: Path, descriptor: list[int], entries: list[int]) -> None:
    item = Dataset()
    item.LUTDescriptor, item.LUTData = descriptor, entries
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    for sequence in ("ModalityLUTSequence", "VOILUTSequence"):
        dataset = picture_file(UNSIGNED, Modality="CR", **{sequence: Sequence([item])})
        with pytest.raises(DataError, match="table for its values"):
            open_picture([save(dataset, tmp_path / "a.dcm")], {}, OpenContext())


@pytest.mark.parametrize(
    ("syntax", "sentence"),
    [
        ("1.2.840.10008.1.2.4.70", "JPEG Lossless.*install the extra 'medical'"),
        ("1.2.840.10008.1.2.4.80", "JPEG-LS.*install the extra 'medical'"),
        ("1.2.840.10008.1.2.4.102", r"MPEG-4 AVC/H.264.*; export it in another way"),
        ("1.2.3.4", r"compressed as 1\.2\.3\.4"),
    ],
)
def test_compression_that_cannot_be_read_is_named(tmp_path: Path, syntax: str, sentence: str) -> None:
    dataset = picture_file(UNSIGNED, Modality="US")
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([bytes(100)])
    dataset["PixelData"].is_undefined_length = True
    path = tmp_path / "a.dcm"
    dataset.save_as(path, implicit_vr=False, little_endian=True, enforce_file_format=False)
    with pytest.raises(DataError, match=sentence):
        open_picture([path], {}, OpenContext())


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=20),
    centre=st.floats(-1e4, 1e4),
    width=st.floats(0.01, 1e5),
    shape=st.sampled_from(list(WindowShape)),
)
def test_more_is_never_darker(values: list[float], centre: float, width: float, shape: WindowShape) -> None:
    levels = grey(shares_of_window(np.sort(np.array(values)), Window("w", centre, width, shape)))
    known = levels[~np.isnan(np.sort(np.array(values)))]
    assert (np.diff(known.astype(int)) >= 0).all()
    assert (levels[np.isnan(np.sort(np.array(values)))] == 0).all()
