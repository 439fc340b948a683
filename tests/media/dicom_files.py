"""DICOM files written for tests by pydicom, with every number chosen by the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
US_MULTIFRAME = "1.2.840.10008.5.1.4.1.1.3.1"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"


def picture_file(pixels: NDArray[Any], **elements: object) -> Dataset:
    """A data set with these pixels: (rows, columns), (rows, columns, 3), or (frames, rows, columns[, 3])."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    colours = pixels.ndim >= 3 and pixels.shape[-1] == 3
    frames = pixels.shape[0] if pixels.ndim == (4 if colours else 3) else 1
    dataset.SOPClassUID = CT_STORAGE
    dataset.SOPInstanceUID = generate_uid()
    dataset.Modality = "CT"
    dataset.Rows, dataset.Columns = pixels.shape[-3:-1] if colours else pixels.shape[-2:]
    dataset.SamplesPerPixel = 3 if colours else 1
    dataset.PhotometricInterpretation = "RGB" if colours else "MONOCHROME2"
    if colours:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = pixels.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    if frames > 1:
        dataset.NumberOfFrames = frames
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW" if pixels.dtype.itemsize > 1 else "OB"
    for name, value in elements.items():
        setattr(dataset, name, value)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def save(dataset: Dataset, path: Path) -> Path:
    dataset.save_as(path, enforce_file_format=True)
    return path


def voxels(slices: int, rows: int = 6, columns: int = 5) -> NDArray[np.int16]:
    """Every voxel has a value of its own."""
    return np.arange(slices * rows * columns, dtype=np.int16).reshape(slices, rows, columns) - 40


def write_series(
    folder: Path,
    pixels: NDArray[Any],
    *,
    places: NDArray[np.float64],
    orientation: tuple[float, ...] = AXIAL,
    spacing: tuple[float, float] = (0.8, 0.5),
    elements: tuple[dict[str, object], ...] = (),
    **common: object,
) -> list[Path]:
    """One file a slice at ``places`` (slices, 3), numbered backwards: only the places tell the order."""
    folder.mkdir(parents=True, exist_ok=True)
    series = generate_uid()
    study = generate_uid()
    paths = []
    for i, plane in enumerate(pixels):
        own = elements[i] if elements else {}
        dataset = picture_file(
            plane,
            **{
                "SeriesInstanceUID": series,
                "StudyInstanceUID": study,
                "InstanceNumber": len(pixels) - i,
                "ImagePositionPatient": places[i].tolist(),
                "ImageOrientationPatient": list(orientation),
                "PixelSpacing": list(spacing),
                "RescaleSlope": 2,
                "RescaleIntercept": -1000,
                **common,
                **own,
            },
        )
        paths.append(save(dataset, folder / f"IM{(7 * i) % len(pixels):04}_{i}.dcm"))
    return paths


def enhanced(pixels: NDArray[Any], places: NDArray[np.float64], spacing: tuple[float, float]) -> Dataset:
    """An enhanced CT: places per frame, spacing and orientation shared."""
    dataset = picture_file(pixels, SOPClassUID=ENHANCED_CT, SeriesInstanceUID=generate_uid())
    shared, measures, orientation, values = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = list(spacing)
    orientation.ImageOrientationPatient = list(AXIAL)
    values.RescaleSlope, values.RescaleIntercept, values.RescaleType = 1, -24, "HU"
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PlaneOrientationSequence = Sequence([orientation])
    shared.PixelValueTransformationSequence = Sequence([values])
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for place in places:
        group, position = Dataset(), Dataset()
        position.ImagePositionPatient = place.tolist()
        group.PlanePositionSequence = Sequence([position])
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    return dataset
