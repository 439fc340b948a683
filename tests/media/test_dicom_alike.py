"""Reading one header after the other says of every file what reading it alone says, whatever the files are like."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dicom_files import enhanced, picture_file, save, voxels, write_series
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from workstation.core.errors import DataError
from workstation.media import dicom_alike
from workstation.media.dicom_alike import HeaderReader
from workstation.media.dicom_header import FileHeader, read_header

Said = tuple[FileHeader, bool, bool] | str


def told(header: FileHeader) -> Said:
    """What can be compared: tables of numbers only as being there."""
    tables = (header.value_table is None, header.grey_table is None)
    return replace(header, value_table=None, grey_table=None), *tables


def alone(path: Path) -> Said:
    try:
        return told(read_header(path))
    except DataError as error:
        return str(error)


def in_turn(paths: list[Path]) -> list[Said]:
    reader, found = HeaderReader(), list[Said]()
    for path in paths:
        try:
            found.append(told(reader.read(path)))
        except DataError as error:
            found.append(str(error))
    return found


def places(count: int) -> np.ndarray:
    return np.array((-100.25, -120, 30)) + np.outer(np.arange(count) * 2.5, (0, 0, 1))


def window() -> Sequence:
    item = Dataset()
    item.LUTDescriptor = [2, 0, 8]
    item.LUTData = b"\x00\xff"
    return Sequence([item])


def test_a_plain_series_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = write_series(tmp_path, voxels(6), places=places(6))
    expected = [alone(path) for path in paths]
    parsed: list[Path] = []

    def counted(path: Path) -> FileHeader:
        parsed.append(path)
        return read_header(path)

    monkeypatch.setattr(dicom_alike, "read_header", counted)
    assert in_turn(paths) == expected
    assert parsed == paths[:1]


@pytest.mark.parametrize(
    "elements",
    [
        {"WindowCenter": 40, "WindowWidth": 400}, {"RescaleSlope": 3}, {"SliceThickness": 7}, {"AcquisitionNumber": 9},
        {"ImageType": ["DERIVED", "SECONDARY"]}, {"PatientOrientation": ["L", "P"]}, {"InstanceNumber": None},
        {"ImagePositionPatient": None}, {"ImagePositionPatient": [1e-7, -2.5e3, 4]}, {"AcquisitionTime": "101112.5"},
        {"SeriesDescription": "other"}, {"VOILUTSequence": window()}, {"Laterality": "R"}, {"BitsStored": 12},
        {"FrameOfReferenceUID": "1.2.3"}, {"PatientName": "Doe^Jane"}, {"InstanceNumber": 2**31 - 1},
    ],
)  # fmt: skip
def test_what_differs_is_never_taken_from_the_file_before(tmp_path: Path, elements: dict[str, object]) -> None:
    own: tuple[dict[str, object], ...] = ({}, elements, {}, elements, elements)
    paths = write_series(tmp_path, voxels(5), places=places(5), elements=own)
    assert in_turn(paths) == [alone(path) for path in paths]


def test_files_of_all_kinds_in_one_folder(tmp_path: Path) -> None:
    plain = write_series(tmp_path / "a", voxels(2), places=places(2))
    other = write_series(tmp_path / "b", voxels(2, 4, 3), places=places(2))
    files = [plain[0], other[0], plain[1], other[1]]
    for syntax in (ImplicitVRLittleEndian, ExplicitVRBigEndian):
        for number in range(3):
            made = picture_file(voxels(1)[0])
            made.file_meta.TransferSyntaxUID = syntax
            made.InstanceNumber = number
            if syntax == ExplicitVRBigEndian:
                made["PixelData"].VR = "OW"
            path = tmp_path / f"{syntax}_{number}.dcm"
            made.save_as(
                path,
                enforce_file_format=True,
                little_endian=syntax != ExplicitVRBigEndian,
                implicit_vr=syntax == ImplicitVRLittleEndian,
            )
            files.append(path)
    files.append(save(enhanced(voxels(3), places=places(3), spacing=(0.8, 0.5)), tmp_path / "many.dcm"))
    empty = tmp_path / "empty.dcm"
    empty.write_bytes(b"")
    files += [empty, plain[0], tmp_path / "nowhere.dcm"]
    assert in_turn(files) == [alone(path) for path in files]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_is_read_as_if_alone(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp() / "damaged"
    if not folder.exists():
        write_series(folder, voxels(2), places=places(2))
    first, second = sorted(folder.glob("*.dcm"))[:2]
    whole = second.read_bytes()
    spoiled = folder / "spoiled.bin"
    if data.draw(st.booleans()):
        spoiled.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    else:
        changed = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 4))):
            changed[data.draw(st.integers(128, len(whole) - 1))] = data.draw(st.integers(0, 255))
        spoiled.write_bytes(changed)
    assert in_turn([first, spoiled, second]) == [alone(first), alone(spoiled), alone(second)]
