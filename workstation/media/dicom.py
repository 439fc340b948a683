"""DICOM: series of slices as volumes, ultrasound and other films with their frame times, single pictures.

Opening reads headers once; pixels are decoded when asked for and kept within the shared memory limit. Which files
belong together is decided by ``dicom_series.scan``. Opened through ``READERS``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import FrameTable, frame_table
from workstation.media.base import (
    CancelToken,
    MediaInfo,
    OpenContext,
    Options,
    OptionValue,
    Picture,
    ReaderSpec,
    Region,
    View,
    Window,
)
from workstation.media.dicom_alike import HeaderReader
from workstation.media.dicom_header import FileHeader, read_header
from workstation.media.dicom_kept import keep_headers, kept_headers
from workstation.media.dicom_pixels import check_syntax, decode_frame, describe_syntax, frame_values
from workstation.media.dicom_series import group, kind_of, stack
from workstation.media.items import TimedItems, info_of_table
from workstation.media.volume import (
    CT_WINDOWS,
    StackVolume,
    StoredSlice,
    VolumeLook,
    check_geometry,
    edge_letters,
    plane_name,
    spacing_mm,
)
from workstation.media.windowing import grey, shares_of_range, shares_of_window

_VIEW = View()
_UNTIMED_MS = Decimal(40)


def open_volume(paths: Sequence[Path], options: Options, context: OpenContext) -> StackVolume:
    """The volume of one series: its files, or a multi-frame file, or a folder of them."""
    files = _headers(_files_of(paths), context)
    parts = [series for series in group(files) if series.kind is StreamKind.VOLUME]
    if not parts:
        raise DataError("its pictures do not say where they lie in the patient, so they make no volume", path=paths[0])
    if len(parts) > 1:
        raise DataError(f"the files make {len(parts)} volumes; choose the files of one", path=paths[0])
    files = list(parts[0].files)
    by_path = {file.path: file for file in files}
    slices = stack(files)
    first = files[0]
    check_geometry(slices.patient_from_voxel, first.path)
    context.limits.check_items(len(slices.frames), path=first.path)
    for header in {file.transfer_syntax: file for file in files}.values():
        check_syntax(header)

    def load(index: int) -> StoredSlice:
        frame = slices.frames[index]
        if frame is None:
            raise IndexError(f"slice {index} is missing")
        header = by_path[frame.path]
        pixels = decode_frame(header, frame.frame, context.limits)
        if header.value_table is not None:
            return StoredSlice(header.value_table.applied(pixels))
        return StoredSlice(pixels, frame.slope, frame.intercept)

    notes = slices.notes + tuple(dict.fromkeys(note for file in files for note in file.notes))
    if any(file.grey_table is not None for file in files):
        notes += ("its table for showing the values is not used in a volume; windows are",)
    look = VolumeLook(
        paths=tuple(file.path for file in files),
        info=_volume_info(first, slices.patient_from_voxel, len(slices.frames), len(slices.missing), notes),
        shape=(len(slices.frames), first.rows, first.columns),
        patient_from_voxel=slices.patient_from_voxel,
        unit=first.unit,
        windows=_windows(first),
        instances=tuple("" if frame is None else frame.instance for frame in slices.frames),
        missing=slices.missing,
        frame_of_reference=first.frame_of_reference,
    )
    return StackVolume(look, load, context, lambda: None)


class DicomFilm(TimedItems):
    """A ``VideoReader`` of a multi-frame file, and an ``ImageReader`` of a single picture's only frame."""

    def __init__(self, header: FileHeader, context: OpenContext) -> None:
        self._header = header
        self._limits = context.limits
        self._share = context.memory.share()
        self._lock = threading.RLock()
        self._closed = False
        self.width_px, self.height_px = header.columns, header.rows
        times = header.frame_times_ms or tuple(_UNTIMED_MS * i for i in range(len(header.frames)))
        units = [int((time * 1_000_000 + Decimal("0.5")).__floor__()) for time in times]
        self.table: FrameTable = frame_table(units, unit_num=1, unit_den=1_000_000_000)
        self.info = _film_info(header, self.table)
        self.pixel_aspect = _pixel_aspect(header)
        self._range: tuple[float, float] | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self._header.path,)

    def held(self, index: int, view: View = _VIEW) -> bool:
        return index in self._share

    def held_picture(self, index: int, view: View = _VIEW) -> Picture | None:
        return self.picture(index, view) if index in self._share else None

    def picture(self, index: int, view: View = _VIEW, *, cancel: CancelToken | None = None) -> Picture:
        stored = self._stored(index)
        region = (view.region or Region(0, 0, self.width_px, self.height_px)).clipped(self.width_px, self.height_px)
        pixels = stored[region.top : region.bottom, region.left : region.right]
        if pixels.ndim == 2:
            values = frame_values(self._header, index, pixels)
            pixels = grey(self._shares(index, values), inverted=self._header.photometric == "MONOCHROME1")
        return Picture(pixels=_shrunk(pixels, view), region=region, width_px=self.width_px, height_px=self.height_px)

    def value_at(self, index: int, x_px: int, y_px: int) -> tuple[int | float, ...]:
        if not (0 <= x_px < self.width_px and 0 <= y_px < self.height_px):
            raise IndexError(f"pixel {x_px}, {y_px} of {self.width_px} × {self.height_px}")
        value = self._stored(index)[y_px, x_px]
        return tuple(value.tolist()) if np.ndim(value) else (value.item(),)

    def read_ahead(self, index: int, direction: int, count: int, *, cancel: CancelToken, view: View = _VIEW) -> None:
        step = 1 if direction > 0 else -1
        affordable = max(1, self._share.fair_bytes // (2 * max(1, self.width_px * self.height_px * 3)))
        for i in range(index, index + step * min(count, affordable), step):
            if not 0 <= i < len(self.table):
                return
            cancel.check()
            self._stored(i)

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._share.close()

    def _shares(self, index: int, values: NDArray[Any]) -> NDArray[np.float32]:
        """Black to white as the file wants it shown: its table, its window, or the range of its values."""
        table, windows = self._header.grey_table, self._header.frames[index].windows
        if table is not None:
            return shares_of_range(table.applied(values), 0, table.largest)
        if windows:
            return shares_of_window(values, windows[0])
        if self._range is None:
            self._range = _value_range(self._header, lambda: frame_values(self._header, 0, self._stored(0)))
        return shares_of_range(values, *self._range)

    def _stored(self, index: int) -> NDArray[np.generic]:
        index = self.item(index).index
        found: NDArray[np.generic] | None = self._share.get(index)
        if found is None:
            with self._lock:
                if self._closed:
                    raise DataError("the film was closed", path=self._header.path)
                found = decode_frame(self._header, index, self._limits)
                self._share.put(index, found, found.nbytes)
        return found


class DicomPicture:
    """An ``ImageReader`` of one picture."""

    def __init__(self, film: DicomFilm, info: MediaInfo) -> None:
        self._film = film
        self.info = info
        self.width_px, self.height_px = film.width_px, film.height_px
        self.pixel_aspect = film.pixel_aspect

    @property
    def paths(self) -> tuple[Path, ...]:
        return self._film.paths

    def picture(self, view: View = _VIEW) -> Picture:
        return self._film.picture(0, view)

    def value_at(self, x_px: int, y_px: int) -> tuple[int | float, ...]:
        return self._film.value_at(0, x_px, y_px)

    def close(self) -> None:
        self._film.close()


def open_film(paths: Sequence[Path], options: Options, context: OpenContext) -> DicomFilm:
    """The frames of one file at their times."""
    header = _single(paths, context)
    if len(header.frames) < 2:
        raise DataError("holds one picture and is no film", path=header.path)
    return DicomFilm(header, context)


def open_picture(paths: Sequence[Path], options: Options, context: OpenContext) -> DicomPicture:
    """One picture, in colour or with its own window."""
    header = _single(paths, context)
    if len(header.frames) > 1:
        raise DataError(f"holds {len(header.frames)} pictures; open it as a film", path=header.path)
    film = DicomFilm(header, context)
    details = {key: value for key, value in film.info.details.items() if key != "times_from"}
    info = MediaInfo(kind=StreamKind.IMAGE, count=1, clock_source="none", details=details, notes=header.notes)
    return DicomPicture(film, info)


def _pixel_aspect(header: FileHeader) -> float:
    """How many times as high as wide a pixel is in the patient."""
    frame = header.frames[0]
    if frame.row_mm is None or frame.column_mm is None:
        return header.pixel_aspect
    return frame.row_mm / frame.column_mm


def _single(paths: Sequence[Path], context: OpenContext) -> FileHeader:
    if len(paths) != 1:
        raise DataError(f"a DICOM film or picture is one file, not {len(paths)}")
    header = read_header(paths[0])
    check_syntax(header)
    context.limits.check_picture(header.columns, header.rows, bytes_per_pixel=8, path=header.path)
    return header


def _files_of(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        files += sorted(inner for inner in path.iterdir() if inner.is_file()) if path.is_dir() else [path]
    if not files:
        raise DataError("holds no files", path=paths[0] if paths else None)
    return files


def _headers(paths: Sequence[Path], context: OpenContext) -> list[FileHeader]:
    kept = kept_headers(paths, context)
    if kept is not None:
        return kept
    headers, reader = [], HeaderReader()
    for i, path in enumerate(paths):
        context.cancel.check()
        headers.append(reader.read(path))
        if context.progress is not None:
            context.progress((i + 1) / len(paths))
    keep_headers(headers, context)
    return headers


def _windows(header: FileHeader) -> tuple[Window, ...]:
    own = header.frames[0].windows
    return own + (CT_WINDOWS if header.unit == "HU" else ())


def _value_range(header: FileHeader, first: Callable[[], NDArray[Any]]) -> tuple[float, float]:
    """Black and white of a file without a window: all that its bits hold if they are few, else its first picture's."""
    if header.value_table is not None:
        return 0.0, float(header.value_table.largest)
    if header.bits_stored <= 8 and not header.signed:
        ends = frame_values(header, 0, np.array([0, (1 << header.bits_stored) - 1]))
        return float(ends.min()), float(ends.max())
    values = first()
    return float(values.min()), float(values.max())


def _shrunk(pixels: NDArray[np.generic], view: View) -> NDArray[np.generic]:
    height, width = pixels.shape[:2]
    scale = min(1.0, (view.width_px or width) / width, (view.height_px or height) / height)
    if scale >= 1:
        return np.ascontiguousarray(pixels)
    from workstation.media.opencv import cv2

    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA))


def _details(header: FileHeader) -> dict[str, OptionValue]:
    details: dict[str, OptionValue] = {
        "modality": header.modality,
        "columns": header.columns,
        "rows": header.rows,
        "photometric": header.photometric,
        "stored": f"{header.bits_stored} bits, {'signed' if header.signed else 'unsigned'}",
        "compression": describe_syntax(header.transfer_syntax, header.path),
        "series": header.series,
        "study": header.study,
    }
    said = {"description": header.description, "laterality": header.laterality}
    details |= {name: text for name, text in said.items() if text}
    if header.edges is not None:
        details["edges"] = " ".join(header.edges)
    return details


def _film_info(header: FileHeader, table: FrameTable) -> MediaInfo:
    notes = header.notes
    if not header.frame_times_ms:
        notes = (*notes, "the file gives no frame times; frames are laid 40 ms apart so that they can be shown")
    frame = header.frames[0]
    details = _details(header) | {"times_from": header.times_from or "nowhere"}
    if frame.row_mm is not None and frame.column_mm is not None:
        details["pixel_mm"] = f"{frame.row_mm:.4g} × {frame.column_mm:.4g}"
    return info_of_table(
        StreamKind.VIDEO,
        table,
        clock_source=header.times_from or "none",
        details=details,
        notes=notes,
    )


def _volume_info(
    header: FileHeader, matrix: NDArray[np.float64], count: int, missing: int, notes: tuple[str, ...]
) -> MediaInfo:
    slices, rows, columns = spacing_mm(matrix)
    details = _details(header) | {
        "spacing_mm": f"{slices:.4g} × {rows:.4g} × {columns:.4g}",
        "plane": plane_name(matrix),
        "edges": " ".join(edge_letters(matrix, 0)),
        "inverted": header.photometric == "MONOCHROME1",
    }
    if missing:
        details["missing_slices"] = missing
    return MediaInfo(kind=StreamKind.VOLUME, count=count, clock_source="none", details=details, notes=notes)


def _probe_as(kind: StreamKind, path: Path, head: bytes) -> float:
    """DICOM by its mark, or by a first group that any old file without one begins with; the header says which kind."""
    marked = head[128:132] == b"DICM"
    if not marked and not (
        head[:2] in (b"\x08\x00", b"\x02\x00") and path.suffix.lower() in (".dcm", ".dicom", ".ima")
    ):
        return 0.0
    try:
        found = kind_of(read_header(path))
    except DataError:
        return 0.0
    return (
        0.97 if found is kind else 0.2 if len(head) and kind is StreamKind.VIDEO and found is StreamKind.VOLUME else 0.0
    )


_SUFFIXES = (".dcm", ".dicom", ".ima", "")
READERS = (
    ReaderSpec(
        name="dicom_volume",
        kind=StreamKind.VOLUME,
        title="DICOM series",
        suffixes=_SUFFIXES,
        probe=lambda path, head: _probe_as(StreamKind.VOLUME, path, head),
        open=open_volume,
        several=True,
    ),
    ReaderSpec(
        name="dicom_film",
        kind=StreamKind.VIDEO,
        title="DICOM film (ultrasound and other multi-frame pictures)",
        suffixes=_SUFFIXES,
        probe=lambda path, head: _probe_as(StreamKind.VIDEO, path, head),
        open=open_film,
    ),
    ReaderSpec(
        name="dicom_picture",
        kind=StreamKind.IMAGE,
        title="DICOM picture",
        suffixes=_SUFFIXES,
        probe=lambda path, head: _probe_as(StreamKind.IMAGE, path, head),
        open=open_picture,
    ),
)
