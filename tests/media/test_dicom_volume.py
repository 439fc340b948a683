"""Series of slices: order and spacing from places, gaps shown as gaps, sides of the patient, pixels when asked for."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from dicom_files import AXIAL, CORONAL, SAGITTAL, enhanced, picture_file, save, voxels, write_series
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, RLELossless, generate_uid

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.base import OpenContext, VolumeReader
from workstation.media.dicom import open_volume
from workstation.media.dicom_series import scan
from workstation.media.volume import edge_letters, patient_at, plane_name, spacing_mm, voxel_at


def up(count: int, step: float = 2.5, start: tuple[float, float, float] = (-100, -120, 30)) -> np.ndarray:
    return np.array(start) + np.outer(np.arange(count) * step, (0, 0, 1))


def test_slices_are_ordered_by_their_places_and_have_the_files_unit(tmp_path: Path) -> None:
    pixels = voxels(7)
    paths = write_series(tmp_path, pixels, places=up(7))
    volume = open_volume(paths[::-1], {}, OpenContext())
    assert isinstance(volume, VolumeReader)
    assert volume.shape == (7, 6, 5)
    assert volume.unit == "HU"
    expected = pixels.astype(np.float32) * 2 - 1000
    for axis in range(3):
        for index in range(volume.shape[axis]):
            assert np.array_equal(volume.slab(axis, index), expected.take(index, axis))
    assert volume.value_at(3, 2, 1) == expected[3, 2, 1]
    assert volume.info.notes == ()
    volume.close()
    volume.close()
    with pytest.raises(DataError, match="was closed"):
        volume.slab(0, 0)


def test_voxels_lie_where_the_standard_says(tmp_path: Path) -> None:
    volume = open_volume(write_series(tmp_path, voxels(4), places=up(4), spacing=(0.8, 0.5)), {}, OpenContext())
    # Part 3, C.7.6.2.1.1: place + column × column spacing × first direction + row × row spacing × second direction.
    assert np.allclose(patient_at(volume.patient_from_voxel, np.array([2, 3, 4])), (-98, -117.6, 35))
    assert np.allclose(voxel_at(volume.patient_from_voxel, np.array([[-98, -117.6, 35]])), [[2, 3, 4]])
    assert np.allclose(spacing_mm(volume.patient_from_voxel), (2.5, 0.8, 0.5))


@pytest.mark.parametrize(
    ("orientation", "direction", "plane", "edges"),
    [
        (AXIAL, (0, 0, 1), "axial", ("R", "L", "A", "P")),
        (CORONAL, (0, 1, 0), "coronal", ("R", "L", "S", "I")),
        (SAGITTAL, (-1, 0, 0), "sagittal", ("A", "P", "S", "I")),
        ((-1.0, 0.0, 0.0, 0.0, 1.0, 0.0), (0, 0, -1), "axial", ("L", "R", "A", "P")),
        ((0.8, 0.0, 0.6, 0.0, 1.0, 0.0), (-0.6, 0, 0.8), "axial, oblique", ("RI", "LS", "A", "P")),
    ],
)
def test_the_patients_sides(
    tmp_path: Path,
    orientation: tuple[float, ...],
    direction: tuple[float, float, float],
    plane: str,
    edges: tuple[str, str, str, str],
) -> None:
    places = np.outer(np.arange(3) * 3.0, direction)
    volume = open_volume(write_series(tmp_path, voxels(3), places=places, orientation=orientation), {}, OpenContext())
    assert np.array_equal(volume.slab(0, 0), voxels(3)[0] * 2.0 - 1000)
    assert plane_name(volume.patient_from_voxel) == plane
    assert edge_letters(volume.patient_from_voxel, 0) == edges
    assert volume.info.details["edges"] == " ".join(edges)


def test_missing_slices_are_gaps_and_not_closed_up(tmp_path: Path) -> None:
    pixels = voxels(10)
    paths = write_series(tmp_path, pixels, places=up(10))
    for gone in (3, 6, 7):
        paths[gone].unlink()
    volume = open_volume([path for path in paths if path.exists()], {}, OpenContext())
    assert volume.shape[0] == 10
    assert volume.look.missing == (3, 6, 7)
    assert np.isnan(volume.slab(0, 3)).all()
    assert np.isnan(volume.value_at(6, 0, 0))
    assert np.array_equal(volume.slab(0, 8), pixels[8] * 2.0 - 1000)
    coronal = volume.slab(1, 2)
    assert np.isnan(coronal[[3, 6, 7]]).all()
    assert not np.isnan(coronal[[0, 4, 9]]).any()
    assert any(note.startswith("slice 3 missing: 5 mm") for note in volume.info.notes)
    assert any(note.startswith("slices 6 to 7 missing") for note in volume.info.notes)
    assert volume.look.instances[3] == ""
    assert len({uid for uid in volume.look.instances if uid}) == 7


def test_places_count_and_a_spacing_tag_that_lies_is_told(tmp_path: Path) -> None:
    paths = write_series(tmp_path, voxels(5), places=up(5), SpacingBetweenSlices=5, SliceThickness=5)
    volume = open_volume(paths, {}, OpenContext())
    assert spacing_mm(volume.patient_from_voxel)[0] == pytest.approx(2.5)
    assert volume.info.notes == ("the header says 5 mm between slices, their places say 2.5 mm; places count",)


def test_a_tilted_gantry_leans_the_volume(tmp_path: Path) -> None:
    places = np.outer(np.arange(5), (0.0, 0.7, 2.4))
    volume = open_volume(write_series(tmp_path, voxels(5), places=places), {}, OpenContext())
    assert np.allclose(patient_at(volume.patient_from_voxel, np.array([4, 0, 0])), (0, 2.8, 9.6))


def test_uneven_slices_are_told(tmp_path: Path) -> None:
    places = up(5)
    places[3:, 2] += 1.2
    volume = open_volume(write_series(tmp_path, voxels(5), places=places), {}, OpenContext())
    assert any("first odd step after slice 2" in note for note in volume.info.notes)
    assert any("off by up to" in note for note in volume.info.notes)


@pytest.mark.parametrize("name", ["TemporalPositionIdentifier", "EchoNumbers", "AcquisitionNumber"])
def test_slices_at_the_same_places_are_parted(tmp_path: Path, name: str) -> None:
    places = np.concatenate([up(4), up(4)])
    elements = tuple({name: 1 + i // 4} for i in range(8))
    paths = write_series(tmp_path, voxels(8), places=places, elements=elements)
    streams, left_out = scan(paths)
    assert left_out == []
    assert [(stream.kind, len(stream.files), stream.note) for stream in streams] == [
        (StreamKind.VOLUME, 4, f"{name} 1"),
        (StreamKind.VOLUME, 4, f"{name} 2"),
    ]
    second = open_volume(streams[1].paths, {}, OpenContext())
    assert np.array_equal(second.slab(0, 0), voxels(8)[4] * 2.0 - 1000)
    with pytest.raises(DataError, match="make 2 volumes"):
        open_volume(paths, {}, OpenContext())


def test_slices_that_nothing_tells_apart_are_named(tmp_path: Path) -> None:
    paths = write_series(tmp_path, voxels(4), places=up(4)[[0, 1, 2, 2]])
    volume = open_volume(paths, {}, OpenContext())
    assert volume.shape[0] == 3
    assert any("lies where another one does; left out" in note for note in volume.info.notes)


def test_series_orientations_and_copies_are_kept_apart(tmp_path: Path) -> None:
    first = write_series(tmp_path / "a", voxels(3), places=up(3))
    second = write_series(tmp_path / "b", voxels(4), places=up(4))
    copy = tmp_path / "copy.dcm"
    copy.write_bytes(first[0].read_bytes())
    (tmp_path / "notes.txt").write_text("hello")
    scout = save(
        picture_file(
            voxels(1)[0],
            SeriesInstanceUID="1.2.3",
            ImagePositionPatient=[0, 0, 0],
            ImageOrientationPatient=list(CORONAL),
            PixelSpacing=[1, 1],
        ),
        tmp_path / "scout.dcm",
    )
    streams, left_out = scan([*first, *second, copy, tmp_path / "notes.txt", scout])
    assert sorted(len(stream.files) for stream in streams) == [1, 3, 4]
    assert {item.path.name: item.reason for item in left_out} == {
        "copy.dcm": f"is a copy of {first[0].name}",
        "notes.txt": "is no DICOM file",
    }


def test_an_enhanced_multi_frame_volume(tmp_path: Path) -> None:
    pixels = voxels(5)
    order = [3, 0, 4, 1, 2]
    dataset = enhanced(pixels[order], up(5)[order], (0.8, 0.5))
    volume = open_volume([save(dataset, tmp_path / "a.dcm")], {}, OpenContext())
    assert volume.unit == "HU" or volume.unit == ""
    assert np.array_equal(volume.slab(0, 4), pixels[4] - 24.0)
    assert np.allclose(spacing_mm(volume.patient_from_voxel), (2.5, 0.8, 0.5))
    assert volume.look.instances[0] == f"{dataset.SOPInstanceUID}/2"


def test_a_dose_grid_by_its_offsets(tmp_path: Path) -> None:
    pixels = voxels(3).astype(np.uint16) + 50
    dataset = picture_file(
        pixels,
        Modality="RTDOSE",
        ImagePositionPatient=[0, 0, 10],
        ImageOrientationPatient=list(AXIAL),
        PixelSpacing=[2, 2],
        GridFrameOffsetVector=[0, 3, 6],
        DoseGridScaling="0.001",
    )
    volume = open_volume([save(dataset, tmp_path / "a.dcm")], {}, OpenContext())
    assert (volume.unit, spacing_mm(volume.patient_from_voxel)[0]) == ("Gy", 3)
    assert volume.value_at(2, 1, 1) == pytest.approx(int(pixels[2, 1, 1]) * 0.001)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, DeflatedExplicitVRLittleEndian])
def test_compressed_slices(tmp_path: Path, syntax: str) -> None:
    pixels = voxels(3, 64, 64)
    paths = []
    for i in range(3):
        dataset = picture_file(
            pixels[i],
            SeriesInstanceUID="1.2.3",
            ImagePositionPatient=[0, 0, 2 * i],
            ImageOrientationPatient=list(AXIAL),
            PixelSpacing=[1, 1],
        )
        if syntax == DeflatedExplicitVRLittleEndian:
            dataset.file_meta.TransferSyntaxUID = syntax
        else:
            dataset.compress(syntax, generate_instance_uid=False)
        paths.append(save(dataset, tmp_path / f"{i}.dcm"))
    volume = open_volume(paths, {}, OpenContext())
    assert np.array_equal(volume.slab(0, 1), pixels[1])


def test_windows_of_the_file_and_presets(tmp_path: Path) -> None:
    paths = write_series(
        tmp_path,
        voxels(2),
        places=up(2),
        WindowCenter=[40, -600],
        WindowWidth=[400, 1500],
        WindowCenterWidthExplanation=["ABDOMEN", "LUNG"],
    )
    volume = open_volume(paths, {}, OpenContext())
    named = {window.name: (window.centre, window.width) for window in volume.windows}
    assert named["ABDOMEN"] == (40, 400)
    assert named["LUNG"] == (-600, 1500)
    assert "bone" in named


def test_opening_many_slices_reads_headers_and_keeps_no_pixels(tmp_path: Path) -> None:
    paths = write_series(tmp_path, np.zeros((60, 128, 128), np.int16), places=up(60))
    context = OpenContext()
    volume = open_volume(paths, {}, context)
    assert context.memory.used_bytes == 0
    volume.slab(0, 30)
    assert context.memory.used_bytes == pytest.approx(128 * 128 * 2, abs=1024)
    context.memory.limit_bytes = 10 * 128 * 128 * 2
    volume.slab(1, 0)
    assert context.memory.used_bytes <= context.memory.limit_bytes


def test_a_folder_is_a_series(tmp_path: Path) -> None:
    write_series(tmp_path, voxels(3), places=up(3))
    assert open_volume([tmp_path], {}, OpenContext()).shape[0] == 3


def test_what_cannot_be_one_volume_is_a_sentence(tmp_path: Path) -> None:
    unplaced = save(picture_file(voxels(1)[0]), tmp_path / "a.dcm")
    with pytest.raises(DataError, match="do not say where they lie"):
        open_volume([unplaced], {}, OpenContext())
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="holds no files"):
        open_volume([empty], {}, OpenContext())
    flat = picture_file(
        voxels(1)[0], ImagePositionPatient=[0, 0, 0], ImageOrientationPatient=list(AXIAL), PixelSpacing=[1e-12, 1]
    )
    with pytest.raises(DataError, match="spacing may be zero"):
        open_volume([save(flat, tmp_path / "flat.dcm")], {}, OpenContext())


def test_slices_far_apart_do_not_become_millions(tmp_path: Path) -> None:
    places = up(4)
    places[3, 2] = 9e6
    volume = open_volume(write_series(tmp_path, voxels(4), places=places), {}, OpenContext())
    assert volume.shape[0] == 4
    assert volume.info.notes


def test_every_slice_has_its_own_slope(tmp_path: Path) -> None:
    elements = tuple({"RescaleSlope": 1 + i, "RescaleIntercept": i} for i in range(3))
    volume = open_volume(write_series(tmp_path, voxels(3), places=up(3), elements=elements), {}, OpenContext())
    for i in range(3):
        assert np.array_equal(volume.slab(0, i), voxels(3)[i] * (1.0 + i) + i)


def test_the_step_between_slices_is_the_same_all_along(tmp_path: Path) -> None:
    volume = open_volume(write_series(tmp_path, voxels(9), places=up(9, 1.25)), {}, OpenContext())
    centres = patient_at(volume.patient_from_voxel, np.array([[i, 0, 0] for i in range(9)]))
    assert all(np.allclose(b - a, (0, 0, 1.25)) for a, b in pairwise(centres))


def test_uids_are_those_of_the_images(tmp_path: Path) -> None:
    uids = [generate_uid() for _ in range(3)]
    elements = tuple({"SOPInstanceUID": uid} for uid in uids)
    volume = open_volume(write_series(tmp_path, voxels(3), places=up(3), elements=elements), {}, OpenContext())
    assert volume.look.instances == tuple(uids)
