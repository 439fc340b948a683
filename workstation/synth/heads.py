"""Rounded heads for the people of the generated scenes. Called by ``people`` (walkers) and ``props`` (the sitter)."""

from __future__ import annotations

import math
from itertools import pairwise

from workstation.synth.mesh import Color, MeshBuilder, Point3

HAIR: Color = (66, 44, 30)
_AROUND = 14


def head(
    build: MeshBuilder, center: Point3, size: Point3, skin: Color, *, hair: Color = HAIR, toward: int = 1, fine: bool
) -> None:
    """An egg of ``size`` that looks along ``toward`` × x, with hair above and behind, eyes, nose and mouth.

    ``fine`` adds brows and lips, for somebody who is seen from close by.
    """
    down = (-90, -62, -38, -14, 10, 34, 58, 90)
    rings = [[_egg(center, size, around, up, toward) for around in range(_AROUND)] for up in down]
    for (low, lower), (high, upper) in pairwise(zip(down, rings, strict=True)):
        for i in range(_AROUND):
            j = (i + 1) % _AROUND
            ahead = math.cos(2 * math.pi * (i + 0.5) / _AROUND)
            color = hair if (low + high) / 2 > 14 + 30 * ahead or (ahead < -0.2 and low > -40) else skin
            ring = [lower[i], lower[j], upper[j], upper[i]]
            if toward < 0:
                ring.reverse()
            build.polygon([p for n, p in enumerate(ring) if p not in ring[:n]], color)
    x, y, z = center
    front, half_y, half_z = size[0] / 2, size[1] / 2, size[2] / 2

    def feature(away: float, across: float, up: float, extent: tuple[float, float, float], color: Color) -> None:
        build.box((x + toward * front * away, y + across * half_y, z + up * half_z), extent, color)

    for side in (-0.38, 0.38):
        feature(0.9, side, 0.1, (0.012, half_y * 0.34, half_z * 0.13), (240, 240, 236))
        feature(0.945, side, 0.1, (0.012, half_y * 0.15, half_z * 0.13), (44, 32, 28))
        if fine:
            feature(0.93, side, 0.27, (0.01, half_y * 0.42, half_z * 0.05), hair)
    shade = tuple(int(v * 0.9) for v in skin)
    feature(0.99, 0.0, -0.1, (front * 0.2, half_y * 0.18, half_z * 0.26), (shade[0], shade[1], shade[2]))
    feature(0.88, 0.0, -0.45, (0.012, half_y * 0.5, half_z * 0.09), (158, 78, 74))
    if fine:
        feature(0.9, 0.0, -0.45, (0.012, half_y * 0.42, half_z * 0.03), (96, 40, 40))
        for side in (-1.0, 1.0):
            feature(0.0, side, 0.0, (front * 0.3, 0.014, half_z * 0.3), (shade[0], shade[1], shade[2]))


def _egg(center: Point3, size: Point3, around: int, up_deg: float, toward: int) -> Point3:
    turn, up = 2 * math.pi * around / _AROUND, math.radians(up_deg)
    wide = math.cos(up) ** 0.7 if abs(up_deg) < 90 else 0.0
    chin = 1.0 - 0.18 * max(0.0, -math.sin(up))
    return (
        center[0] + toward * size[0] / 2 * wide * math.cos(turn),
        center[1] + size[1] / 2 * wide * chin * math.sin(turn),
        center[2] + size[2] / 2 * math.sin(up),
    )
