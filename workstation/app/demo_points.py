"""Point classes beside sweeps, as SemanticKITTI keeps them: one little-endian uint32 a point, in the sweep's order.

Called by ``demo_drive.py``. The lower half of a number is the class, the upper half the instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from workstation.core.errors import DataError
from workstation.core.files import read_bounded

_LARGEST = 64 << 20
_CLASS_BITS = 0xFFFF


def points_by_class(path: Path, *, points: int, names: Mapping[int, str]) -> dict[str, list[int]]:
    """By class name the indices of its points, ascending; classes that ``names`` leaves out are left out."""
    data = read_bounded(path, _LARGEST)
    if len(data) != 4 * points:
        raise DataError(f"holds {len(data):,} bytes; {points:,} points have {4 * points:,} (a uint32 each)", path=path)
    classes = np.frombuffer(data, "<u4") & _CLASS_BITS
    found: dict[str, list[int]] = {}
    for number in np.unique(classes).tolist():
        if number in names:
            found.setdefault(names[number], []).extend(np.flatnonzero(classes == number).tolist())
    return {name: sorted(indices) for name, indices in found.items()}
