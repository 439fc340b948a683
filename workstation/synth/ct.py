"""FX-CT: a small chest series with a 23 mm nodule in the right upper lobe, a report, a lab table and a note.

Patient axes are LPS millimetres: x to the patient's left, y to the back, z to the head. The nodule's truth is the
sphere itself; voxels hold how much of each of them it fills, so its volume is right below the size of a voxel.
Everybody in it is invented; names are there to be found by de-identification.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.synth.pose import Floats
from workstation.synth.truth import Bundle, Json, Planted, Truth, Variant, chosen, deliver, link, shared_media
from workstation.synth.writers import write_csv, write_text

DIAMETER_MM = 23.0
CENTER_MM = (-62.0, -18.0, 58.0)
"""In the right lung (negative x), near its top."""
ROOT = "1.2.826.0.1.3680043.10.9999"
PATIENT = "Example^Robin"
HU_NODULE, HU_LUNG, HU_BODY, HU_BONE, HU_AIR = 45.0, -820.0, 40.0, 500.0, -1000.0
REPORT = """CT chest, {date}
Patient: Robin Example

Findings:
There is a round {kind} in the {side} upper lobe measuring {size}.
No enlarged lymph nodes. No pleural effusion.
The heart is of normal size.

Impression:
{Kind} of the {side} upper lobe, {size}. Follow-up is advised.
"""
NOTE = """Physician note
Robin Example, 58 years, cough for three weeks.
Former smoker. Referred for CT of the chest to look at a nodule in the right upper lobe seen on a plain film.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CtOptions:
    """Voxels: ``size`` columns and rows, ``slices``; ``oblique_deg`` tilts the series about the x axis."""

    size: int = 192
    slices: int = 72
    spacing_mm: float = 1.75
    slice_mm: float = 3.0
    oblique_deg: float = 0.0


def ct(folder: Path, *, seed: int = 0, variant: str = "clean", options: CtOptions | None = None) -> Truth:
    """Makes FX-CT in ``folder``."""
    options = options or CtOptions()
    chosen(VARIANTS, variant)
    shared_media(
        folder, {"fixture": "ct", "seed": seed, "options": asdict(options)}, lambda media: _make(media, seed, options)
    )
    return deliver(folder, _bundle(options, seed), VARIANTS, variant)


def _axes(options: CtOptions) -> tuple[Floats, Floats, Floats, Floats]:
    """Directions of columns, rows and slices, and the centre of the first voxel, LPS mm."""
    a = math.radians(options.oblique_deg)
    along_row = np.array([1.0, 0.0, 0.0])
    down_column = np.array([0.0, math.cos(a), math.sin(a)])
    normal = np.cross(along_row, down_column)
    half_plane = (options.size - 1) * options.spacing_mm / 2
    half_stack = (options.slices - 1) * options.slice_mm / 2
    first = -half_plane * along_row - half_plane * down_column - half_stack * normal
    return along_row, down_column, normal, first


def volume(options: CtOptions, rng: np.random.Generator, *, grain: float = 14.0) -> NDArray[np.int16]:
    """Slices×rows×columns in Hounsfield units."""
    along_row, down_column, normal, first = _axes(options)
    columns = np.arange(options.size) * options.spacing_mm
    slices: list[NDArray[np.int16]] = []
    for k in range(options.slices):
        corner = first + k * options.slice_mm * normal
        points = corner + columns[None, :, None] * along_row + columns[:, None, None] * down_column
        plane = _anatomy(points)
        share = _sphere_share(points, options)
        plane = plane * (1 - share) + HU_NODULE * share
        slices.append(np.round(plane + rng.normal(0, grain, plane.shape)).astype(np.int16))
    return np.stack(slices)


def _anatomy(p: Floats) -> Floats:
    x, y, z = p[..., 0], p[..., 1], p[..., 2]

    def inside(cx: float, cy: float, cz: float, rx: float, ry: float, rz: float) -> NDArray[np.bool_]:
        return np.asarray(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2 < 1)

    hu = np.full(x.shape, HU_AIR)
    body = (x / 150.0) ** 2 + (y / 105.0) ** 2 < 1
    hu[body] = HU_BODY
    hu[body & ((x / 143.0) ** 2 + (y / 98.0) ** 2 > 1)] = -90.0  # fat under the skin
    ribs = (
        ((x / 132.0) ** 2 + (y / 90.0) ** 2 < 1)
        & ((x / 124.0) ** 2 + (y / 83.0) ** 2 > 1)
        & (np.mod(z + 0.35 * y + 400, 26.0) < 9.0)
    )
    hu[ribs] = HU_BONE
    for side in (-1, 1):
        hu[inside(side * 66.0, -4.0, -6.0, 52.0, 70.0, 108.0)] = HU_LUNG
    vessels = np.sin(x / 5.3 + y / 7.1) * np.sin(y / 6.1 - z / 8.3) * np.sin(z / 5.7 + x / 9.1)
    clear = (x - CENTER_MM[0]) ** 2 + (y - CENTER_MM[1]) ** 2 + (
        z - CENTER_MM[2]
    ) ** 2 > 20.0**2  # no vessel touches the nodule
    hu[(hu == HU_LUNG) & (vessels > 0.72) & (np.abs(x) < 95) & clear] = -60.0
    hu[inside(22.0, -24.0, -48.0, 44.0, 40.0, 50.0)] = 60.0  # heart, to the left
    hu[inside(0.0, 62.0, 0.0, 18.0, 18.0, 900.0)] = HU_BONE * 0.8  # spine
    hu[inside(0.0, 62.0 + 14.0, 0.0, 8.0, 8.0, 900.0)] = 20.0
    hu[inside(0.0, 4.0, 120.0, 9.0, 9.0, 100.0)] = HU_AIR  # windpipe
    hu[inside(-70.0, -10.0, -118.0, 66.0, 70.0, 40.0)] = 90.0  # liver, right below
    density: Floats = hu
    return density


def _sphere_share(points: Floats, options: CtOptions) -> Floats:
    """How much of each voxel the nodule fills, by 5×5×5 sub-samples where it matters."""
    along_row, down_column, normal, _ = _axes(options)
    away = np.linalg.norm(points - np.array(CENTER_MM), axis=-1)
    reach = 0.9 * max(options.spacing_mm, options.slice_mm) + 0.01
    share = (away < DIAMETER_MM / 2 - reach).astype(np.float64)
    edge = np.abs(away - DIAMETER_MM / 2) <= reach
    if edge.any():
        steps = (np.arange(5) - 2) / 5
        total = np.zeros(int(edge.sum()))
        for a in steps:
            for b in steps:
                for c in steps:
                    moved = (
                        points[edge]
                        + a * options.spacing_mm * along_row
                        + b * options.spacing_mm * down_column
                        + c * options.slice_mm * normal
                    )
                    total += np.linalg.norm(moved - np.array(CENTER_MM), axis=-1) < DIAMETER_MM / 2
        share[edge] = total / 125
    filled: Floats = share
    return filled


def write_series(folder: Path, options: CtOptions, seed: int, *, mirrored: bool = False) -> None:
    """The DICOM files; ``mirrored`` flips the pixels from side to side and leaves the header as it was."""
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    along_row, down_column, normal, first = _axes(options)
    voxels = volume(options, np.random.default_rng([seed, 81]))
    if mirrored:
        voxels = voxels[:, :, ::-1]
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(options.slices):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.2")
        meta.MediaStorageSOPInstanceUID = UID(f"{ROOT}.{seed}.3.{k + 1}")
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.ImplementationClassUID = UID(f"{ROOT}.1")
        path = folder / f"slice_{k:03d}.dcm"
        ds: Dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = (f"{ROOT}.{seed}.{n}" for n in (1, 2, 4))
        ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = PATIENT, "EX-0001", "19680211", "O"
        ds.PatientPosition, ds.Modality, ds.Manufacturer = "HFS", "CT", "Generated"
        ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20260302", "101500", "1", "A1"
        ds.StudyDescription, ds.SeriesDescription, ds.SeriesNumber, ds.InstanceNumber = (
            "CT chest",
            "Lung 3 mm (generated)",
            1,
            k + 1,
        )
        ds.ImageOrientationPatient = [round(float(v), 6) for v in (*along_row, *down_column)]
        ds.ImagePositionPatient = [round(float(v), 6) for v in first + k * options.slice_mm * normal]
        ds.PixelSpacing = [options.spacing_mm, options.spacing_mm]
        ds.SliceThickness, ds.SpacingBetweenSlices = options.slice_mm, options.slice_mm
        ds.Rows = ds.Columns = options.size
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 1
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = -1024, 1, "HU"
        ds.WindowCenter, ds.WindowWidth, ds.WindowCenterWidthExplanation = [-600, 40], [1500, 400], ["LUNG", "SOFT"]
        ds.PixelData = (voxels[k] + 1024).astype("<i2").tobytes()
        ds.save_as(path, enforce_file_format=True)


def report_text(*, size: str = "2.3 cm", side: str = "right", kind: str = "nodule") -> str:
    """The radiologist's report."""
    return REPORT.format(date="2026-03-02", size=size, side=side, kind=kind, Kind=kind.capitalize())


def _make(media: Path, seed: int, options: CtOptions) -> Json:
    write_series(media / "series", options, seed)
    write_text(media / "report.txt", report_text())
    write_text(media / "note.txt", NOTE)
    rows = [
        ("CRP", "4.1", "mg/L", "0-5"),
        ("Leukocytes", "7.2", "10^9/L", "4-10"),
        ("Haemoglobin", "8.9", "mmol/L", "7.5-10"),
        ("Creatinine", "78", "umol/L", "50-100"),
    ]
    write_csv(media / "labs.csv", ("test", "value", "unit", "reference"), rows)
    return {}


def voxel_of(options: CtOptions, point: tuple[float, float, float]) -> tuple[float, float, float]:
    """Slice, row and column (voxel centres are whole) of a place in the patient."""
    along_row, down_column, normal, first = _axes(options)
    away = np.array(point) - first
    return (
        float(away @ normal / options.slice_mm),
        float(away @ down_column / options.spacing_mm),
        float(away @ along_row / options.spacing_mm),
    )


def _bundle(options: CtOptions, seed: int) -> Bundle:
    common = {"offset_ns": 0, "licence": "CC0-1.0 (generated)"}
    streams: list[Json] = [
        {
            "key": "series",
            "kind": "volume",
            "path": "media/series",
            "role": "ct",
            "unit": "HU",
            "recording": "study_1",
            **common,
        },
        {"key": "report", "kind": "text", "path": "media/report.txt", "role": "report", "language": "en", **common},
        {"key": "note", "kind": "text", "path": "media/note.txt", "role": "note", "language": "en", **common},
        {"key": "labs", "kind": "document", "path": "media/labs.csv", "role": "labs", **common},
    ]
    links = [
        link(
            "finding-1",
            "describes-region",
            [{"role": "text", "annotation": "sentence"}, {"role": "region", "annotation": "region"}],
        )
    ]
    labels = {"entities": [{"id": "finding_1", "class": "nodule"}], "annotations": _marks(options), "links": links}
    options_json = asdict(options)
    return Bundle(
        sample={
            "fixture": "FX-CT",
            "key": "ct-chest",
            "profile": "radiology",
            "streams": streams,
            "series_options": options_json,
        },
        labels=labels,
        truth=_truth(options, seed),
    )


def _marks(options: CtOptions) -> list[Json]:
    k, row, column = voxel_of(options, CENTER_MM)
    text = report_text()
    sentence = "There is a round nodule in the right upper lobe measuring 2.3 cm."
    start = text.index(sentence)
    radius_px = DIAMETER_MM / 2 / options.spacing_mm
    return [
        {
            "id": "region",
            "stream": "series",
            "entity": "finding_1",
            "class": "nodule",
            "kind": "measurement",
            "slice": round(k),
            "shape": {
                "kind": "measurement",
                "quantity": "diameter",
                "value": DIAMETER_MM,
                "unit": "mm",
                "points": [
                    [CENTER_MM[0] - DIAMETER_MM / 2, CENTER_MM[1], CENTER_MM[2]],
                    [CENTER_MM[0] + DIAMETER_MM / 2, CENTER_MM[1], CENTER_MM[2]],
                ],
            },
            "attributes": {"side": "right", "lobe": "upper"},
        },
        {
            "id": "circle",
            "stream": "series",
            "entity": "finding_1",
            "class": "nodule",
            "kind": "box",
            "slice": round(k),
            "shape": {
                "kind": "box",
                "x": round(column + 0.5 - radius_px, 3),
                "y": round(row + 0.5 - radius_px, 3),
                "width": round(2 * radius_px, 3),
                "height": round(2 * radius_px, 3),
            },
        },
        {
            "id": "sentence",
            "stream": "report",
            "entity": "finding_1",
            "class": "nodule",
            "kind": "text_span",
            "shape": {"kind": "text_span", "parts": [[start, start + len(sentence)]], "quote": sentence},
            "attributes": {"size_mm": DIAMETER_MM, "side": "right", "lobe": "upper"},
        },
    ]


def _truth(options: CtOptions, seed: int) -> Json:
    k, row, column = voxel_of(options, CENTER_MM)
    along_row, down_column, normal, first = _axes(options)
    return {
        "fixture": "FX-CT",
        "seed": seed,
        "sphere": {
            "center_lps_mm": list(CENTER_MM),
            "diameter_mm": DIAMETER_MM,
            "volume_mm3": round(math.pi / 6 * DIAMETER_MM**3, 3),
            "side": "right",
            "lobe": "upper",
            "slice": round(k, 4),
            "row": round(row, 4),
            "column": round(column, 4),
            "hu": HU_NODULE,
            "around_hu": HU_LUNG,
        },
        "geometry": {
            "spacing_mm": [options.slice_mm, options.spacing_mm, options.spacing_mm],
            "shape": [options.slices, options.size, options.size],
            "first_voxel_lps_mm": first.round(6).tolist(),
            "row_direction": along_row.tolist(),
            "column_direction": down_column.round(9).tolist(),
            "normal": normal.round(9).tolist(),
            "letters": "columns run to the patient's left, rows to the back, slices to the head",
        },
        "private": {
            "names": ["Robin Example", "Example^Robin"],
            "ids": ["EX-0001"],
            "places": ["report", "note", "series headers"],
        },
    }


def _replace_report(bundle: Bundle, **changes: str) -> None:
    text = report_text(**changes)
    bundle.files["report.txt"] = lambda path: write_text(path, text)
    bundle.stream("report")["path"] = "{variant}/report.txt"
    sentence = next(line for line in text.splitlines() if line.startswith("There is a round"))
    start = text.index(sentence)
    bundle.label("sentence")["shape"] |= {"parts": [[start, start + len(sentence)]], "quote": sentence}


def _report_size(bundle: Bundle, size: float) -> None:
    _replace_report(bundle, size=f"{size:g} cm")
    bundle.label("sentence")["attributes"]["size_mm"] = size * 10
    bundle.planted.append(
        Planted(
            error="semantic",
            items=("sentence", "region"),
            size=abs(size - DIAMETER_MM / 10),
            unit="cm",
            limit=0.2,
            note=f"the report says {size:g} cm, it is 2.3 cm",
        )
    )


def _report_left(bundle: Bundle, size: float) -> None:
    del size
    _replace_report(bundle, side="left")
    bundle.label("sentence")["attributes"]["side"] = "left"
    bundle.planted.append(
        Planted(error="semantic", items=("sentence", "region"), note="the report says left, it is right")
    )


def _cyst(bundle: Bundle, size: float) -> None:
    del size
    _replace_report(bundle, kind="cyst")
    bundle.label("sentence")["class"] = "cyst"
    bundle.planted.append(
        Planted(error="semantic", items=("sentence", "region"), note="cyst in the report, nodule in the mark")
    )


def _mirrored(bundle: Bundle, size: float) -> None:
    del size
    options = CtOptions(**bundle.sample["series_options"])
    seed = bundle.truth["seed"]
    bundle.files["series"] = lambda path: write_series(path, options, seed, mirrored=True)
    bundle.stream("series")["path"] = "{variant}/series"
    bundle.planted.append(
        Planted(
            error="semantic",
            items=("series", "sentence"),
            note="the pixels are flipped from side to side: the nodule now lies left, the heart right",
        )
    )


_PLANTERS: tuple[tuple[str, str, Callable[[Bundle, float], None], float, str], ...] = (
    ("report_size", "the report gives another size", _report_size, 3.2, "cm"),
    ("report_left", "the report gives the other side", _report_left, 0.0, ""),
    ("mirrored", "the series is flipped from side to side", _mirrored, 0.0, ""),
    ("cyst", "cyst against nodule", _cyst, 0.0, ""),
)
VARIANTS: dict[str, Variant] = {
    name: Variant(name=name, about=about, plant=plant, size=size, unit=unit)
    for name, about, plant, size, unit in _PLANTERS
}
