"""What stands beside a cuboid under the hand: how many points it holds, how far away and how large it is."""

from __future__ import annotations

import math

from workstation.core.cuboid_edits import inside, range_m, yaw_of
from workstation.core.geometry import Cuboid
from workstation.ui.tools.space_tool import Space

SPARSE_POINTS = 5
"""A thing with fewer points than this is marked as sparse."""


def measured(space: Space, cuboid: Cuboid) -> str:
    """``213 points · 14.2 m · 4.40 × 1.80 × 1.45 m · 12.5°``."""
    length, width, height = cuboid.size
    size = f"{length:.2f} × {width:.2f} × {height:.2f} m"
    return f"{counted(space, cuboid)} · {size} · {math.degrees(yaw_of(cuboid)):.1f}°"


def counted(space: Space, cuboid: Cuboid) -> str:
    """``213 points · 14.2 m``."""
    count = int(inside(cuboid, space.points()).sum())
    sparse = " (sparse)" if count < SPARSE_POINTS else ""
    return f"{count:,} point{'' if count == 1 else 's'}{sparse} · {range_m(cuboid, space.eye()):.1f} m"
