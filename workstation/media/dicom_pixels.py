"""Decodes one picture of a DICOM file, after asking whether it is as large as its header says. Used by ``dicom``.

pydicom decodes with its own plug-ins (JPEG 2000 and HTJ2K through OpenJPEG, baseline JPEG through Pillow, RLE);
lossless JPEG and JPEG-LS need the extra ``medical``, and the sentence says so.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import Limits
from workstation.media.dicom_header import DEFLATED, FileHeader, InsideFile, check_deflated, parsing

_NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
_IMPLICIT, _EXPLICIT = _NATIVE[:2]
_KINDS: dict[tuple[int, bool], np.dtype[Any]] = {
    (8, False): np.dtype("u1"), (8, True): np.dtype("i1"), (16, False): np.dtype("<u2"), (16, True): np.dtype("<i2"),
}  # fmt: skip
_RLE = "1.2.840.10008.1.2.5"
_ALWAYS_READ = (*_NATIVE, _RLE, "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")
"""What needs no asking for a decoder, so that opening a series does not wait for pydicom's."""
_NOT_SIZES = (0xC4, 0xC8, 0xCC)


def decode_frame(header: FileHeader, frame: int, limits: Limits) -> NDArray[Any]:
    """(rows, columns) as stored, or (rows, columns, 3) RGB."""
    path = header.path
    width = header.samples * max(1, header.bits_allocated // 8)
    limits.check_picture(header.columns, header.rows, bytes_per_pixel=width, path=path)
    place = f"frame {frame + 1}" if len(header.frames) > 1 else None
    plain = _plain_frame(header, frame)
    if plain is not None:
        return plain
    try:
        with InsideFile(path) as file, parsing(path, what="its pixels cannot be decoded"):
            import pydicom
            from pydicom.pixels.decoders.base import get_decoder
            from pydicom.pixels.processing import apply_color_lut
            from pydicom.pixels.utils import pixel_array

            _check_decoder(header, get_decoder)
            if header.transfer_syntax not in _NATIVE:
                _check_compressed(file, header, frame, width)
            file.seek(0)
            dataset = pydicom.Dataset()
            source: Any = file
            if header.transfer_syntax == DEFLATED:  # pydicom looks for the pixels of a file without inflating it
                check_deflated(file, path)
                source = dataset = pydicom.dcmread(file)
            pixels: NDArray[Any] = pixel_array(source, ds_out=None if source is dataset else dataset, index=frame)
            if header.photometric == "PALETTE COLOR":
                pixels = _eight_bits(apply_color_lut(pixels, dataset))
    except DataError as error:
        raise DataError(error.reason, path=path, place=place) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path=path, place=place) from error
    if pixels.shape[:2] != (header.rows, header.columns):
        raise DataError(
            f"its pixels have the shape {pixels.shape}, not the one its header says", path=path, place=place
        )
    return pixels


def check_syntax(header: FileHeader) -> None:
    """Refuse pictures that nothing installed here can decompress: when they are opened, not when they are wanted."""
    if header.transfer_syntax in _ALWAYS_READ:
        return
    with parsing(header.path, what="its compression is unknown"):
        from pydicom.pixels.decoders.base import get_decoder

        _check_decoder(header, get_decoder)


def _plain_frame(header: FileHeader, frame: int) -> NDArray[Any] | None:
    """The pixels of one grey picture that lie in the file as they are; ``None`` where pydicom is to decode.

    A tenth of pydicom's time, which parses the file anew for each picture. Only what leaves no choice is read so:
    whole bytes, one sample, the element where the header said, of exactly the size it must have, and no bits beyond
    the stored ones.
    """
    kind = _KINDS.get((header.bits_allocated, header.signed))
    if kind is None or header.samples != 1 or not header.photometric.startswith("MONOCHROME"):
        return None
    explicit = header.transfer_syntax == _EXPLICIT
    if header.pixels_at <= 0 or not (explicit or header.transfer_syntax == _IMPLICIT):
        return None
    size = header.rows * header.columns * kind.itemsize
    whole = size * len(header.frames)
    try:
        with header.path.open("rb") as file:
            file.seek(header.pixels_at)
            head = file.read(12 if explicit else 8)
            length = int.from_bytes(head[-4:], "little")
            named = head[:4] == b"\xe0\x7f\x10\x00" and (not explicit or head[4:6] in (b"OW", b"OB"))
            if not named or length not in (whole, whole + whole % 2):
                return None
            file.seek(frame * size, 1)
            data = file.read(size)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path=header.path) from error
    if len(data) != size:
        return None
    pixels: NDArray[Any] = np.frombuffer(data, kind).reshape(header.rows, header.columns)
    if header.bits_stored < header.bits_allocated:
        least = -(1 << (header.bits_stored - 1)) if header.signed else 0
        if pixels.min() < least or pixels.max() >= least + (1 << header.bits_stored):
            return None
    return pixels


def _eight_bits(colours: NDArray[Any]) -> NDArray[np.uint8]:
    """Colour tables have 8 or 16 bits; 16-bit ones keep their upper half."""
    return (colours >> 8).astype(np.uint8) if colours.dtype.itemsize > 1 else colours.astype(np.uint8)


def _check_decoder(header: FileHeader, get_decoder: Any) -> None:
    try:
        decoder = get_decoder(header.transfer_syntax)
    except NotImplementedError as error:
        name = " ".join(describe_syntax(header.transfer_syntax, header.path).split())
        raise DataError(
            f"is compressed as {name}, which cannot be read here; export it in another way", path=header.path
        ) from error
    if not decoder.is_available:
        name = decoder.UID.name.split(",")[0]
        raise DataError(f"is compressed as {name}; install the extra 'medical' to read it", path=header.path)


def _check_compressed(file: InsideFile, header: FileHeader, frame: int, width: int) -> None:
    """The size written inside the compressed picture must be that of the header: before anything is decoded."""
    import pydicom
    from pydicom.encaps import get_frame

    pydicom.dcmread(file, stop_before_pixels=True, force=True, specific_tags=["Rows"])
    file.seek(12, 1)  # tag, VR and length of the pixel data: compressed syntaxes are all explicit
    data = get_frame(file, frame, number_of_frames=len(header.frames))
    plain = header.rows * header.columns * width
    if header.transfer_syntax == _RLE:
        if len(data) > 2 * plain + 65_536:
            raise DataError(f"a run-length picture of {len(data):,} bytes for {plain:,}", path=header.path)
        return
    size = compressed_size(data)
    if size is not None and size != (header.columns, header.rows):
        raise DataError(
            f"the compressed picture is {size[0]} × {size[1]} pixels, its header says {header.columns} × {header.rows}",
            path=header.path,
        )


def compressed_size(data: bytes) -> tuple[int, int] | None:
    """(columns, rows) written in a JPEG, JPEG-LS or JPEG 2000 picture; ``None`` if none is found."""
    codestream = data.find(b"\xff\x4f\xff\x51", 0, 4096)
    if codestream >= 0 and len(data) >= codestream + 24:
        right, bottom, left, top = struct.unpack_from(">4I", data, codestream + 8)
        return right - left, bottom - top
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if (0xC0 <= marker <= 0xCF and marker not in _NOT_SIZES) or marker == 0xF7:
            rows, columns = struct.unpack_from(">2H", data, at + 5)
            return columns, rows
        if marker == 0xFF:
            at += 1
        elif 0xD0 <= marker <= 0xD8 or marker == 0x01:
            at += 2
        else:
            at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return None


def frame_values(header: FileHeader, frame: int, stored: NDArray[Any]) -> NDArray[Any]:
    """Stored pixels in the picture's unit: through its table if it has one, else by slope and intercept."""
    if header.value_table is not None:
        return header.value_table.applied(stored)
    line = header.frames[frame]
    if (line.slope, line.intercept) == (1.0, 0.0):
        return stored
    return stored.astype(np.float64) * line.slope + line.intercept


def describe_syntax(uid: str, path: Path) -> str:
    """The name of a transfer syntax for a person."""
    with parsing(path):
        from pydicom.uid import UID

        return str(UID(uid).name)
