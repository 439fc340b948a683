"""NPY and NPZ files without pickle and without believing their headers. Used by the cloud and series readers."""

from __future__ import annotations

import math
import struct
import tokenize
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.media.base import Limits

_MAX_HEADER = 1 << 16
_MOST_NAMES = 10_000
_BAD_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
)
_BAD_HEADER = (
    ValueError, TypeError, KeyError, SyntaxError, RecursionError, MemoryError, OverflowError, AttributeError,
    tokenize.TokenError,
)  # fmt: skip
"""What NumPy's parser of headers, which is Python's own, is led into by damaged ones."""


def read_npy(path: Path, limits: Limits) -> NDArray[Any]:
    """Mapped, not read."""
    try:
        with path.open("rb") as file:
            shape, fortran, kind = _header(file, path, path.name)
            start = file.tell()
            size = file.seek(0, 2) - start
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", path=path) from error
    need = math.prod(shape) * kind.itemsize
    if need > size:
        raise DataError(f"the header promises {need} bytes for {shape}, {size} follow; it is truncated", path=path)
    if shape:
        limits.check_items(shape[0], path=path)
    if not need:
        return np.zeros(shape, kind)
    return np.memmap(path, kind, mode="r", offset=start, shape=shape, order="F" if fortran else "C")


def array_names(path: Path) -> set[str]:
    """The arrays of the file by name in lower case, without reading any; none if it cannot be opened."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy").lower() for name in archive.namelist()[:_MOST_NAMES]}
    except _BAD_ARCHIVE:
        return set()


def read_npz(path: Path, limits: Limits) -> dict[str, NDArray[Any]]:
    """Every array of the file; their sizes together stay within the limit of one item."""
    arrays: dict[str, NDArray[Any]] = {}
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.filename.endswith(".npy") or "/" in member.filename:
                    continue
                total += member.file_size
                limits.check_bytes(total, path=path)
                with archive.open(member) as file:
                    name = member.filename.removesuffix(".npy")
                    arrays[name] = _member(file, path, name, member.file_size, limits)
    except _BAD_ARCHIVE as error:
        raise DataError(f"not an NPZ file this program can read ({error})", path=path) from error
    if not arrays:
        raise DataError("it holds no arrays", path=path)
    return arrays


def _member(file: IO[bytes], path: Path, name: str, claimed: int, limits: Limits) -> NDArray[Any]:
    shape, fortran, kind = _header(file, path, name)
    need = math.prod(shape) * kind.itemsize
    limits.check_bytes(need, path=path)
    if need > claimed:
        raise DataError(f"the header promises {need} bytes for {shape}, the entry has {claimed}", path=path, place=name)
    data = file.read(need)
    if len(data) < need:
        raise DataError(f"{len(data)} bytes follow instead of {need}; it is truncated", path=path, place=name)
    return np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C")


def _header(file: IO[bytes], path: Path, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # written by Python 2, or with odd escapes: no concern of who opens it
        try:
            version = np.lib.format.read_magic(file)
            if version == (1, 0):
                shape, fortran, kind = np.lib.format.read_array_header_1_0(file, _MAX_HEADER)
            elif version in ((2, 0), (3, 0)):
                shape, fortran, kind = np.lib.format.read_array_header_2_0(file, _MAX_HEADER)
            else:
                raise DataError(f"NPY version {version} is unknown", path=path, place=name)
        except _BAD_HEADER as error:
            words = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise DataError(f"not an array file ({words})", path=path, place=name) from error
    if kind.hasobject:
        raise DataError("it holds Python objects, which are never loaded: they could run code", path=path, place=name)
    if any(length < 0 for length in shape):
        raise DataError(f"the shape {shape} is negative", path=path, place=name)
    return shape, fortran, kind
