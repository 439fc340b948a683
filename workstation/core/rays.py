"""Where rays from two cameras come nearest to each other: whether two pictures can show one thing. Pure NumPy.

Used by the rule that proposes one identity for labels of several cameras (``app/suggest_identity.py``). Metres, in one
frame; a label far away has rays that meet no better than its pixels, so limits grow with the range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_PARALLEL = 1e-12


@dataclass(frozen=True, slots=True)
class Meeting:
    """Of n pairs of rays: how near they pass (m), how far along each that is (m), and their angle (radians)."""

    gap_m: Floats
    first_m: Floats
    second_m: Floats
    angle_rad: Floats


def meeting(first: tuple[Floats, Floats], second: tuple[Floats, Floats]) -> Meeting:
    """Origins (n, 3) and unit directions (n, 3) of both sides. What lies behind a camera has a negative range; rays
    that run side by side have none (NaN)."""
    (start, along), (other, beside) = first, second
    way = np.asarray(other, np.float64) - start
    cosine = np.clip((along * beside).sum(-1), -1.0, 1.0)
    sine2 = 1.0 - cosine**2
    ahead, across = (way * along).sum(-1), (way * beside).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        first_m = np.where(sine2 > _PARALLEL, (ahead - across * cosine) / sine2, np.nan)
        second_m = np.where(sine2 > _PARALLEL, (ahead * cosine - across) / sine2, np.nan)
    apart = (start + first_m[:, None] * along) - (other + second_m[:, None] * beside)
    return Meeting(np.linalg.norm(apart, axis=-1), first_m, second_m, np.arccos(cosine))
