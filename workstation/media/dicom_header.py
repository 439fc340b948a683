"""Reads what a DICOM file says about its pictures, and not the pictures. Used by the other ``dicom`` modules.

pydicom parses; this module keeps it inside the file (lengths that lie, deflated bombs, sequences without end), turns
whatever it raises into one sentence, and leaves a small value per file, so that 400 slices cost no memory.
Names and birth dates of patients are not read.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import warnings
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from workstation.core.errors import DataError
from workstation.media.base import Window, WindowShape
from workstation.media.dicom_tables import LookupTable, table_of

Triple = tuple[float, float, float]
Six = tuple[float, float, float, float, float, float]
DEFLATED = "1.2.840.10008.1.2.1.99"
_MOST_INFLATED = 1 << 31
_MOST_FRAMES = 200_000
_SMALL = 1 << 16
TAGS = (
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "Modality",
    "SeriesDescription", "SeriesNumber", "InstanceNumber", "ImageType", "AcquisitionNumber", "EchoNumbers",
    "TemporalPositionIdentifier", "TriggerTime", "AcquisitionTime", "FrameOfReferenceUID", "Rows", "Columns",
    "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "NumberOfFrames", "PixelAspectRatio", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
    "ImagerPixelSpacing", "NominalScannedPixelSpacing", "SliceThickness", "SpacingBetweenSlices",
    "GridFrameOffsetVector", "DoseGridScaling", "RescaleSlope", "RescaleIntercept", "RescaleType",
    "WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction", "PatientOrientation", "Laterality",
    "ImageLaterality", "VOILUTSequence", "ModalityLUTSequence", "FrameTime", "FrameTimeVector",
    "CineRate", "RecommendedDisplayFrameRate", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
_LETTERS = {"R": "R", "L": "L", "A": "A", "P": "P", "H": "S", "F": "I"}
_OPPOSITE = {"R": "L", "L": "R", "A": "P", "P": "A", "S": "I", "I": "S"}
_SHAPES = {"LINEAR_EXACT": WindowShape.LINEAR_EXACT, "SIGMOID": WindowShape.SIGMOID}
_PARSING = threading.RLock()
"""pydicom's settings and Python's warning filters belong to the process: one parser at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameHeader:
    """One picture of a file: where it lies in the patient and what its values mean."""

    path: Path
    frame: int
    """From 0."""
    instance: str
    position: Triple | None
    orientation: Six | None
    """Direction of growing columns, then of growing rows."""
    row_mm: float | None
    column_mm: float | None
    slope: float
    intercept: float
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHeader:
    """One file of pictures."""

    path: Path
    sop_class: str
    instance: str
    series: str
    study: str
    frame_of_reference: str
    modality: str
    description: str
    series_number: int | None
    number: int | None
    transfer_syntax: str
    rows: int
    columns: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    signed: bool
    unit: str
    thickness_mm: float | None
    between_mm: float | None
    discriminators: tuple[tuple[str, str], ...]
    """What may tell apart pictures at the same place: time, echo, acquisition, kind of picture."""
    frame_times_ms: tuple[Decimal, ...]
    """Presentation times from the first frame on, where the file says; else empty."""
    times_from: str
    value_table: LookupTable | None
    """From stored values to values, instead of slope and intercept."""
    grey_table: LookupTable | None
    """From values to grey, before any window."""
    edges: tuple[str, str, str, str] | None
    """What lies beyond the left, right, top and bottom edge, of a picture whose place in the patient is not given."""
    pixel_aspect: float
    """Height of a pixel to its width, where only that is stated."""
    laterality: str
    """``R``, ``L`` or ``B``: the side of a paired part of the body."""
    frames: tuple[FrameHeader, ...]
    notes: tuple[str, ...]
    pixels_at: int = 0
    """Where in the file the element of the pixels seems to begin; whoever reads there looks whether it does."""


@contextmanager
def parsing(path: Path, *, what: str = "is no DICOM file or is damaged") -> Iterator[None]:
    """Run pydicom: whatever it raises becomes a ``DataError``, whatever it would print is left unsaid.

    Its parser raises almost any exception on damaged files, so this one place catches them all.
    """
    logs = [logging.getLogger(name) for name in ("pydicom", "openjpeg", "pylibjpeg")]
    with _PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        levels = [log.level for log in logs]
        for log in logs:
            log.setLevel(logging.CRITICAL + 1)
        try:
            yield
        except (DataError, OSError, ImportError):
            raise
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            raise DataError(f"{what}: {reason or type(error).__name__}", path=path) from error
        finally:
            for log, level in zip(logs, levels, strict=True):
                log.setLevel(level)


class InsideFile:
    """A binary file that never asks the system for more than it holds, whatever length an element claims."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._file = path.open("rb")
        self._size = os.fstat(self._file.fileno()).st_size

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and 0 <= size <= _SMALL:
            return self._file.read(size)  # nearly all of them; asking where the file stands costs more than reading
        left = max(0, self._size - self._file.tell())
        return self._file.read(left if size is None or size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    @property
    def closed(self) -> bool:
        return self._file.closed

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> InsideFile:
        return self

    def __exit__(self, *problem: object) -> None:
        self._file.close()


def read_header(path: Path) -> FileHeader:
    """The header of one file. A ``DataError`` if it is no DICOM file or holds no pictures."""
    try:
        with InsideFile(path) as file, parsing(path):
            import pydicom

            check_deflated(file, path)
            dataset = pydicom.dcmread(file, stop_before_pixels=True, force=True, specific_tags=_wanted_tags())
            return _header(path, _Said(dataset), file.tell())
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path=path) from error


@cache
def _wanted_tags() -> list[Any]:
    """What is read of a header, as pydicom's own tags: it would make them anew for every file."""
    from pydicom.tag import Tag

    return [Tag(name) for name in TAGS]


def check_deflated(file: InsideFile, path: Path) -> None:
    """pydicom inflates a deflated file without a limit: do it here first, in pieces, and count."""
    file.seek(128)
    if file.read(4) != b"DICM":
        file.seek(0)
        return
    at, syntax = 132, b""
    while (start := file.read(8))[:2] == b"\x02\x00" and len(start) == 8:  # the elements of group 2, as pydicom walks
        long = start[4:6] in (b"OB", b"OW", b"UN", b"UT", b"SQ")
        length = int.from_bytes(file.read(4) if long else start[6:8], "little")
        value = file.read(min(length, 64))
        syntax = value.strip(b"\0 ") if start[2:4] == b"\x10\x00" else syntax
        at += (12 if long else 8) + length
        file.seek(at)
    if syntax == DEFLATED.encode():
        file.seek(at)
        inflate, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
        data = file.read(1 << 20)
        while data and total <= _MOST_INFLATED:
            total += len(inflate.decompress(data, 1 << 24))
            data = inflate.unconsumed_tail or file.read(1 << 20)
        if total > _MOST_INFLATED:
            raise DataError(f"unpacks to more than {_MOST_INFLATED:,} bytes", path=path)
    file.seek(0)


class _Said:
    """The elements of a data set by name, each converted once: asking pydicom by name costs more than parsing."""

    def __init__(self, dataset: Any) -> None:
        from pydicom.datadict import keyword_for_tag

        self.file_meta = dataset.file_meta
        self._values = {keyword_for_tag(tag): dataset[tag].value for tag in dataset.keys()}  # noqa: SIM118 - its own

    def get(self, name: str) -> Any:
        return self._values.get(name)


def _header(path: Path, dataset: Any, pixels_at: int) -> FileHeader:
    rows, columns = _whole(dataset.get("Rows")), _whole(dataset.get("Columns"))
    if not rows or not columns:
        kind = _text(dataset.get("Modality")) or "no modality"
        if not _text(dataset.get("SOPClassUID")) and kind == "no modality":
            raise DataError("is no DICOM file", path=path)
        raise DataError(f"holds no pictures ({kind})", path=path)
    if rows < 0 or columns < 0 or rows > 1 << 16 or columns > 1 << 16:
        raise DataError(f"claims pictures of {columns} × {rows} pixels", path=path)
    count = _whole(dataset.get("NumberOfFrames")) or 1
    if not 1 <= count <= _MOST_FRAMES:
        raise DataError(f"claims {count:,} frames; at most {_MOST_FRAMES:,} can be read", path=path)
    notes: list[str] = []
    times, times_from = _frame_times(dataset, count, notes)
    value_table, grey_table = table_of(dataset, "ModalityLUTSequence"), table_of(dataset, "VOILUTSequence")
    return FileHeader(
        path=path,
        sop_class=_text(dataset.get("SOPClassUID")),
        instance=_text(dataset.get("SOPInstanceUID")),
        series=_text(dataset.get("SeriesInstanceUID")),
        study=_text(dataset.get("StudyInstanceUID")),
        frame_of_reference=_text(dataset.get("FrameOfReferenceUID")),
        modality=_text(dataset.get("Modality")),
        description=_text(dataset.get("SeriesDescription")),
        series_number=_whole(dataset.get("SeriesNumber")),
        number=_whole(dataset.get("InstanceNumber")),
        transfer_syntax=_text(getattr(dataset.file_meta, "TransferSyntaxUID", "")) or "1.2.840.10008.1.2",
        rows=rows,
        columns=columns,
        samples=_whole(dataset.get("SamplesPerPixel")) or 1,
        photometric=_text(dataset.get("PhotometricInterpretation")),
        bits_allocated=_whole(dataset.get("BitsAllocated")) or 8,
        bits_stored=_whole(dataset.get("BitsStored")) or _whole(dataset.get("BitsAllocated")) or 8,
        signed=_whole(dataset.get("PixelRepresentation")) == 1,
        unit=_unit(dataset),
        thickness_mm=_positive(dataset.get("SliceThickness")),
        between_mm=_positive(dataset.get("SpacingBetweenSlices")),
        discriminators=tuple(
            (name, _text(dataset.get(name)))
            for name in ("TemporalPositionIdentifier", "EchoNumbers", "AcquisitionNumber", "TriggerTime", "ImageType")
        ),
        frame_times_ms=times,
        times_from=times_from,
        value_table=value_table,
        grey_table=grey_table,
        edges=_edges(dataset),
        pixel_aspect=_aspect(_numbers(dataset.get("PixelAspectRatio"))),
        laterality=_text(dataset.get("ImageLaterality")) or _text(dataset.get("Laterality")),
        frames=tuple(_frames(path, dataset, count)),
        notes=tuple(notes),
        pixels_at=pixels_at,
    )


def _frames(path: Path, dataset: Any, count: int) -> Iterator[FrameHeader]:
    instance = _text(dataset.get("SOPInstanceUID"))
    shared = _first(dataset.get("SharedFunctionalGroupsSequence"))
    each = list(dataset.get("PerFrameFunctionalGroupsSequence") or ())
    offsets = _numbers(dataset.get("GridFrameOffsetVector"))
    for i in range(count):
        groups = [group for group in (each[i] if i < len(each) else None, shared) if group is not None]
        orientation = _six(_in_groups(groups, "PlaneOrientationSequence", "ImageOrientationPatient", dataset))
        position = triple_of(_in_groups(groups, "PlanePositionSequence", "ImagePositionPatient", dataset))
        if not groups and count > 1:
            position = _offset_position(position, orientation, offsets, i)
        spacing = _numbers(_in_groups(groups, "PixelMeasuresSequence", "PixelSpacing", dataset))
        slope = _number(_in_groups(groups, "PixelValueTransformationSequence", "RescaleSlope", dataset))
        intercept = _number(_in_groups(groups, "PixelValueTransformationSequence", "RescaleIntercept", dataset))
        dose = _positive(dataset.get("DoseGridScaling"))
        yield FrameHeader(
            path=path,
            frame=i,
            instance=instance if count == 1 else f"{instance}/{i + 1}",
            position=position,
            orientation=orientation,
            row_mm=spacing[0] if len(spacing) == 2 and spacing[0] > 0 else None,
            column_mm=spacing[1] if len(spacing) == 2 and spacing[1] > 0 else None,
            slope=dose or (1.0 if slope is None or slope == 0 else slope),
            intercept=intercept or 0.0,
            windows=_windows(_first_with(groups, "FrameVOILUTSequence") or dataset),
        )


def _aspect(stated: Sequence[float]) -> float:
    """Vertical to horizontal size; square where it is not stated, or not to be believed."""
    if len(stated) != 2 or min(stated) <= 0:
        return 1.0
    aspect = stated[0] / stated[1]
    return aspect if 0.05 <= aspect <= 20 else 1.0


def _in_groups(groups: Iterable[Any], sequence: str, name: str, dataset: Any) -> Any:
    """A value of the frame, of all frames, or of the file."""
    for group in groups:
        item = _first(group.get(sequence))
        if item is not None and item.get(name) is not None:
            return item.get(name)
    return dataset.get(name)


def _first_with(groups: Iterable[Any], sequence: str) -> Any:
    return next((item for group in groups if (item := _first(group.get(sequence))) is not None), None)


def _first(sequence: Any) -> Any:
    return sequence[0] if sequence is not None and len(sequence) else None


def _offset_position(position: Triple | None, orientation: Six | None, offsets: list[float], i: int) -> Triple | None:
    """Frames of a dose grid: the first one's place, moved along the normal. Without offsets there are no places."""
    if position is None or orientation is None or i >= len(offsets):
        return None
    a, b = orientation[:3], orientation[3:]
    normal = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    # Offsets count from the first plane, or are places along the normal of their own: the two differ by a constant.
    along = offsets[i] - offsets[0]
    x, y, z = (place + along * direction for place, direction in zip(position, normal, strict=True))
    return x, y, z


def _frame_times(dataset: Any, count: int, notes: list[str]) -> tuple[tuple[Decimal, ...], str]:
    """Times of the frames in milliseconds from the first one."""
    if count < 2:
        return (), ""
    vector = _decimals(dataset.get("FrameTimeVector"))
    if len(vector) == count and min(vector) >= 0:
        times, at = [], Decimal(0)
        for after in (Decimal(0), *vector[1:]):
            at += after
            times.append(at)
        return tuple(times), "frame time vector"
    if vector:
        notes.append(f"the frame time vector has {len(vector)} usable steps for {count} frames and is not used")
    step = next(iter(_decimals(dataset.get("FrameTime"))), None)
    if step is not None and step > 0:
        return tuple(step * i for i in range(count)), "frame time"
    for name in ("CineRate", "RecommendedDisplayFrameRate"):
        rate = next(iter(_decimals(dataset.get(name))), None)
        if rate is not None and rate > 0:
            notes.append("only a nominal rate is given; the frames' times are that rate's, not measured ones")
            return tuple(Decimal(1000) * i / rate for i in range(count)), "nominal rate"
    return (), ""


def _windows(found: Any) -> tuple[Window, ...]:
    centres, widths = _numbers(found.get("WindowCenter")), _numbers(found.get("WindowWidth"))
    words = found.get("WindowCenterWidthExplanation")
    names = [words] if isinstance(words, str) else list(words or ())
    shape = _SHAPES.get(_text(found.get("VOILUTFunction")).upper(), WindowShape.LINEAR)
    return tuple(
        Window(str(names[i]).strip() if i < len(names) and str(names[i]).strip() else "file", centre, width, shape)
        for i, (centre, width) in enumerate(zip(centres, widths, strict=False))
        if width > 0
    )


def _edges(dataset: Any) -> tuple[str, str, str, str] | None:
    """From where rows and columns lead (``L``, ``F``): in letters of the patient's sides, feet and head as I and S."""
    value = dataset.get("PatientOrientation")
    words = [_text(word).upper() for word in value] if _is_several(value) else []
    if len(words) != 2 or not all(word and set(word) <= set(_LETTERS) for word in words):
        return None
    right, bottom = ("".join(_LETTERS[letter] for letter in word) for word in words)
    left, top = ("".join(_OPPOSITE[letter] for letter in word) for word in (right, bottom))
    return left, right, top, bottom


def _unit(dataset: Any) -> str:
    kind = _text(dataset.get("RescaleType")).upper()
    if _positive(dataset.get("DoseGridScaling")):
        return "Gy"
    if kind == "HU" or (not kind and _text(dataset.get("Modality")) == "CT"):
        return "HU"
    return "" if kind in ("", "US") else kind


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else "\\".join(map(str, value)) if _is_several(value) else str(value)
    return text.strip("\0 ")[:200]


def _is_several(value: Any) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, str | bytes)


def _decimals(value: Any) -> list[Decimal]:
    """Numbers exactly as written; an empty list if one of them is none."""
    items = list(value) if _is_several(value) else [] if value is None else [value]
    found = []
    for item in items:
        try:
            number = Decimal(str(getattr(item, "original_string", item)).strip("\0 "))
        except InvalidOperation:
            return []
        if not number.is_finite() or abs(number) > Decimal(10) ** 12:
            return []
        found.append(number)
    return found


def _numbers(value: Any) -> list[float]:
    return [float(number) for number in _decimals(value)]


def _number(value: Any) -> float | None:
    found = _numbers(value)
    return found[0] if len(found) == 1 else None


def _positive(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and number > 0 else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None or not math.isfinite(number) else int(number)


def triple_of(value: Any) -> Triple | None:
    """A place in millimetres, else nothing."""
    found = _numbers(value)
    return (found[0], found[1], found[2]) if len(found) == 3 and max(map(abs, found)) < 1e7 else None


def _six(value: Any) -> Six | None:
    """Two directions of unit length at a right angle, else nothing."""
    found = _numbers(value)
    if len(found) != 6:
        return None
    a, b = found[:3], found[3:]
    across = sum(x * y for x, y in zip(a, b, strict=True))
    lengths = (math.hypot(*a), math.hypot(*b))
    if max(abs(length - 1) for length in lengths) > 0.01 or abs(across) > 0.01:
        return None
    return (a[0], a[1], a[2], b[0], b[1], b[2])
