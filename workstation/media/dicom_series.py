"""Which DICOM files belong together, in which order, and where their slices lie. Used by ``dicom`` and ``probe``.

Order and spacing come from the slices' places in the patient along their common normal; numbers and spacing tags are
only compared with them. A place without a slice between two that have one is a missing slice. Pictures at the same
place are parted by time, echo, acquisition or kind; what cannot be told apart is left out and named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.dicom_alike import HeaderReader
from workstation.media.dicom_header import FileHeader, FrameHeader

_SAME_MM = 0.01
_REGULAR = 0.05
_MOST_FILL = 4
_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Files that make one stream."""

    kind: StreamKind
    files: tuple[FileHeader, ...]
    note: str = ""

    @property
    def first(self) -> FileHeader:
        return self.files[0]

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(file.path for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A file that makes no stream, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """Slices in order. ``frames`` holds ``None`` where a slice is missing."""

    frames: tuple[FrameHeader | None, ...]
    patient_from_voxel: NDArray[np.float64]
    notes: tuple[str, ...]

    @property
    def missing(self) -> tuple[int, ...]:
        return tuple(i for i, frame in enumerate(self.frames) if frame is None)


def scan(paths: Iterable[Path]) -> tuple[list[Series], list[LeftOut]]:
    """Read every header once and group the files into streams, by study and series."""
    headers: list[FileHeader] = []
    left_out: list[LeftOut] = []
    seen: dict[str, Path] = {}
    reader = HeaderReader()
    for path in paths:
        try:
            header = reader.read(path)
        except DataError as error:
            left_out.append(LeftOut(path=path, reason=error.reason))
            continue
        if header.sop_class == _SEGMENTATION:
            left_out.append(LeftOut(path=path, reason="holds a segmentation: an import, not a stream"))
        elif header.instance and header.instance in seen:
            left_out.append(LeftOut(path=path, reason=f"is a copy of {seen[header.instance].name}"))
        else:
            seen[header.instance] = path
            headers.append(header)
    return group(headers), left_out


def group(headers: Sequence[FileHeader]) -> list[Series]:
    """Files into streams: volumes by series, orientation, size and spacing; films and single pictures on their own."""
    stacks: dict[tuple[object, ...], list[FileHeader]] = {}
    streams: list[Series] = []
    for header in headers:
        kind = kind_of(header)
        if kind is StreamKind.VOLUME:
            stacks.setdefault(_stack_key(header), []).append(header)
        else:
            streams.append(Series(kind=kind, files=(header,)))
    for files in stacks.values():
        for name, part in _parted(files):
            streams.append(Series(kind=StreamKind.VOLUME, files=tuple(_in_order(part)), note=name))
    return sorted(
        streams, key=lambda series: (series.first.study, series.first.series_number or 0, series.first.series)
    )


def kind_of(header: FileHeader) -> StreamKind:
    """A volume if its pictures have places and values; else a film or a picture."""
    placed = all(frame.position is not None and frame.orientation is not None for frame in header.frames)
    if placed and header.samples == 1 and header.photometric.startswith("MONOCHROME"):
        return StreamKind.VOLUME
    return StreamKind.VIDEO if len(header.frames) > 1 else StreamKind.IMAGE


def _stack_key(header: FileHeader) -> tuple[object, ...]:
    frame = header.frames[0]
    turned = tuple(round(number, 3) + 0.0 for number in frame.orientation or ())
    alone = header.instance if len(header.frames) > 1 else ""
    return header.study, header.series, alone, turned, header.rows, header.columns, frame.row_mm, frame.column_mm


def _parted(files: list[FileHeader]) -> list[tuple[str, list[FileHeader]]]:
    """Files at the same places parted by the first thing that tells them apart; as they are if nothing does."""
    if len(files) == 1 or not _repeats(files):
        return [("", files)]
    for i, (name, _) in enumerate(files[0].discriminators):
        parts: dict[str, list[FileHeader]] = {}
        for file in files:
            parts.setdefault(file.discriminators[i][1], []).append(file)
        if len(parts) > 1 and not any(_repeats(part) for part in parts.values()):
            return [(f"{name} {value}", part) for value, part in sorted(parts.items(), key=_by_number)]
    return [("", files)]


def _by_number(item: tuple[str, list[FileHeader]]) -> tuple[float, str]:
    try:
        return float(item[0]), item[0]
    except ValueError:
        return float("inf"), item[0]


def _repeats(files: Sequence[FileHeader]) -> bool:
    along = np.sort(_along([file.frames[0] for file in files]))
    return bool((np.diff(along) < _SAME_MM).any())


def _in_order(files: list[FileHeader]) -> list[FileHeader]:
    along = _along([file.frames[0] for file in files])
    return [files[i] for i in np.argsort(along, kind="stable")]


def _along(frames: Sequence[FrameHeader]) -> NDArray[np.float64]:
    """Where each frame lies along the normal of the first, millimetres."""
    orientation = np.array(frames[0].orientation)
    normal = np.cross(orientation[:3], orientation[3:])
    return np.array([frame.position for frame in frames], np.float64) @ normal


def stack(files: Sequence[FileHeader]) -> Stack:
    """The slices of a volume in order along their normal, with the place of every voxel."""
    frames = [frame for file in files for frame in file.frames]
    path = files[0].path
    if not frames or any(frame.position is None or frame.orientation is None for frame in frames):
        raise DataError("its pictures do not say where they lie in the patient", path=path)
    _check_alike(files, frames)
    along = _along(frames)
    order = np.argsort(along, kind="stable")
    notes: list[str] = []
    kept: list[int] = []
    for i in order.tolist():
        if kept and along[i] - along[kept[-1]] < _SAME_MM:
            notes.append(f"{frames[i].path.name}, frame {frames[i].frame + 1}, lies where another one does; left out")
        else:
            kept.append(i)
    if len(notes) > 5:
        notes = [f"{len(notes)} pictures lie where another one does and are left out; the first: {notes[0]}"]
    slices = [frames[i] for i in kept]
    slots = _slots(along[kept], notes)
    filled: list[FrameHeader | None] = [None] * (slots[-1] + 1)
    for slot, frame in zip(slots, slices, strict=True):
        filled[slot] = frame
    return Stack(
        frames=tuple(filled),
        patient_from_voxel=_matrix(files[0], slices, slots, notes),
        notes=tuple(notes),
    )


def _check_alike(files: Sequence[FileHeader], frames: Sequence[FrameHeader]) -> None:
    first = files[0]
    for file in files:
        if (file.rows, file.columns) != (first.rows, first.columns):
            raise DataError(
                f"its pictures are {file.columns} × {file.rows} pixels, those of {first.path.name} "
                f"{first.columns} × {first.rows}; they make no volume",
                path=file.path,
            )
        if file.samples != 1:
            raise DataError("holds colours; a volume has one value a voxel", path=file.path)
    directions = np.array([frame.orientation for frame in frames])
    turned = np.abs(directions - directions[0]).max(axis=1)
    if turned.max() > 0.01:
        odd = frames[int(np.argmax(turned))]
        raise DataError("its picture is turned against the others; they make no volume", path=odd.path)


def _slots(along: NDArray[np.float64], notes: list[str]) -> list[int]:
    """The number of each slice, with room for missing ones."""
    steps = np.diff(along)
    if len(steps) < 2:
        return list(range(len(along)))
    typical = float(np.median(steps))
    multiples = np.maximum(1, np.rint(steps / typical))
    regular = np.abs(steps / typical - multiples) <= _REGULAR * multiples
    if not regular.all():
        odd = int(np.argmax(~regular))
        notes.append(
            f"slices lie {steps.min():.4g} to {steps.max():.4g} mm apart (first odd step after slice {odd}); "
            "they are shown as if evenly spaced"
        )
        return list(range(len(along)))
    if multiples.sum() > _MOST_FILL * len(along):
        notes.append(
            f"slices lie up to {steps.max():.4g} mm apart where {typical:.4g} mm is usual; gaps are not filled"
        )
        return list(range(len(along)))
    slots = [0, *np.cumsum(multiples).astype(int).tolist()]
    for i in np.flatnonzero(multiples > 1).tolist():
        count = int(multiples[i]) - 1
        which = f"slice {slots[i] + 1}" if count == 1 else f"slices {slots[i] + 1} to {slots[i + 1] - 1}"
        notes.append(f"{which} missing: {steps[i]:.4g} mm between neighbours where {typical:.4g} mm is usual")
    return slots


def _matrix(
    header: FileHeader, slices: Sequence[FrameHeader], slots: Sequence[int], notes: list[str]
) -> NDArray[np.float64]:
    first, last = slices[0], slices[-1]
    orientation = np.array(first.orientation)
    columns, rows = orientation[:3], orientation[3:]
    normal = np.cross(columns, rows)
    row_mm, column_mm = first.row_mm, first.column_mm
    if row_mm is None or column_mm is None:
        notes.append("the spacing of pixels is not given; 1 mm is assumed, so nothing can be measured")
        row_mm = column_mm = 1.0
    if len(slices) > 1:
        # The step as it is, which leans against the normal in a tilted gantry.
        step = (np.array(last.position) - np.array(first.position)) / slots[-1]
        _compare_spacing(header, float(step @ normal), notes)
        away = np.array([frame.position for frame in slices]) - first.position - np.outer(slots, step)
        worst = float(np.linalg.norm(away, axis=1).max())
        if worst > 0.5:
            notes.append(f"the even spacing is off by up to {worst:.3g} mm from the slices' own places")
    else:
        between = header.between_mm or header.thickness_mm
        if between is None:
            notes.append("a single slice without a thickness; 1 mm is assumed")
        step = normal * (between or 1.0)
    matrix = np.eye(4)
    matrix[:3] = np.column_stack([step, rows * row_mm, columns * column_mm, np.array(first.position)])
    return matrix


def _compare_spacing(header: FileHeader, measured_mm: float, notes: list[str]) -> None:
    said = header.between_mm
    if said is not None and abs(said - measured_mm) > 0.01 * measured_mm + 1e-3:
        notes.append(
            f"the header says {said:.4g} mm between slices, their places say {measured_mm:.4g} mm; places count"
        )
