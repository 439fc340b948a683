"""The lookup tables of DICOM pictures: stored values to values (modality), values to grey (VOI). Used by ``dicom``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError

_MOST_ENTRIES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LookupTable:
    """Entry ``i`` stands for the value ``first + i``; values before and after take the first and the last entry."""

    first: int
    entries: NDArray[np.uint16]
    bits: int
    """An entry of all these bits set is the largest there is."""
    name: str = ""

    def applied(self, values: NDArray[Any]) -> NDArray[np.uint16]:
        """The entry of every value; fractions count as the whole number below."""
        places = np.floor(np.asarray(values, np.float64)) - self.first
        found: NDArray[np.uint16] = self.entries[np.clip(np.nan_to_num(places), 0, len(self.entries) - 1).astype(int)]
        return found

    @property
    def largest(self) -> int:
        return (1 << self.bits) - 1


def table_of(dataset: Any, sequence: str) -> LookupTable | None:
    """The first table of a sequence; ``None`` without one. A table that contradicts itself is a ``DataError``."""
    items = dataset.get(sequence)
    if items is None or not len(items):
        return None
    item = items[0]
    described = [int(number) for number in item.get("LUTDescriptor") or ()]
    if len(described) != 3:
        raise DataError("the table for its values does not say how many entries it has")
    count, first, bits = described[0] or _MOST_ENTRIES, described[1], described[2]
    signed = dataset.get("PixelRepresentation") == 1
    if signed and first >= 1 << 15:
        first -= 1 << 16  # written as unsigned: the first value stored is negative
    if not (0 < count <= _MOST_ENTRIES and 8 <= bits <= 16):
        raise DataError(f"the table for its values claims {count} entries of {bits} bits")
    entries = _entries(item.get("LUTData"), count, dataset)
    name = item.get("LUTExplanation") or item.get("ModalityLUTType") or ""
    return LookupTable(first=first, entries=entries, bits=bits, name=str(name)[:100])


def _entries(data: Any, count: int, dataset: Any) -> NDArray[np.uint16]:
    if isinstance(data, bytes):
        big = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", "") == "1.2.840.10008.1.2.2"
        kind = "u1" if len(data) in (count, count + count % 2) and count > 1 else ">u2" if big else "<u2"
        found = np.frombuffer(data[: count * np.dtype(kind).itemsize], kind)
    else:
        listed = [data] if isinstance(data, int) else list(data or ())
        found = np.array([min(max(int(number), 0), 0xFFFF) for number in listed[:count]], np.uint16)
    if len(found) < count:
        raise DataError(f"the table for its values has {len(found)} of {count} entries")
    return found.astype(np.uint16)
