"""Meshes of people and a dog whose legs swing while they walk."""

from __future__ import annotations

import math

import numpy as np

from workstation.synth.heads import head
from workstation.synth.mesh import Color, Mesh, MeshBuilder
from workstation.synth.vehicles import Size

PERSON_SIZE: Size = (0.9, 0.62, 1.75)
DOG_SIZE: Size = (0.95, 0.3, 0.7)
STEP_M = 0.75
"""Length of one step; a full swing of the legs is two."""


def pedestrian(walked_m: float, *, coat: Color = (196, 52, 48), trousers: Color = (44, 52, 84)) -> Mesh:
    """A person who has walked so far; the legs stand together at every whole step."""
    build = MeshBuilder()
    swing = math.sin(math.pi * walked_m / STEP_M) * 0.33
    for side, sign in ((0.1, 1.0), (-0.1, -1.0)):
        _limb(build, (0.0, side, 0.86), sign * swing, 0.84, (0.16, 0.15), trousers)
        _limb(build, (0.0, side * 2.45, 1.42), -sign * swing, 0.62, (0.11, 0.11), coat)
        foot = (math.sin(sign * swing) * 0.82 + 0.05, side, 0.05)
        build.box(foot, (0.26, 0.12, 0.1), (30, 28, 28))
    build.box((0.0, 0.0, 1.15), (0.26, 0.4, 0.6), coat)
    build.box((0.0, 0.0, 1.47), (0.1, 0.12, 0.08), (206, 160, 130))
    head(build, (0.0, 0.0, 1.62), (0.22, 0.19, 0.26), (214, 168, 138), fine=False)
    return build.build()


def dog(walked_m: float, *, coat: Color = (150, 104, 60), mouth_open: float = 0.0) -> Mesh:
    """A dog; ``mouth_open`` from 0 to 1 drops its jaw."""
    build = MeshBuilder()
    swing = math.sin(math.pi * walked_m / 0.35) * 0.5
    for x, sign in ((0.26, 1.0), (-0.28, -1.0)):
        for side in (0.09, -0.09):
            _limb(build, (x, side, 0.34), sign * swing * (1 if side > 0 else -1), 0.33, (0.08, 0.08), coat)
    build.box((0.0, 0.0, 0.44), (0.7, 0.24, 0.24), coat)
    build.box((0.37, 0.0, 0.57), (0.18, 0.18, 0.2), coat)
    build.box((0.47, 0.0, 0.585 + 0.02 * mouth_open), (0.14, 0.11, 0.07), (120, 80, 46))
    build.box((0.45, 0.0, 0.54 - 0.05 * mouth_open), (0.12, 0.09, 0.03), (120, 80, 46))
    build.box((0.54, 0.0, 0.61), (0.03, 0.05, 0.04), (20, 18, 18))
    for side in (0.07, -0.07):
        build.box((0.34, side, 0.68), (0.05, 0.06, 0.09), (90, 58, 34))
    build.box((-0.42, 0.0, 0.56), (0.2, 0.05, 0.05), coat)
    return build.build()


def _limb(
    build: MeshBuilder,
    hip: tuple[float, float, float],
    angle: float,
    length: float,
    thick: tuple[float, float],
    color: Color,
) -> None:
    """A leg or arm hanging from ``hip``, swung forward by ``angle``."""
    part = MeshBuilder()
    part.box((0.0, 0.0, -length / 2), (thick[0], thick[1], length), color)
    mesh = part.build()
    c, s = math.cos(angle), math.sin(angle)
    turn = np.array([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]])
    points = mesh.vertices @ turn.T + np.array(hip)
    points[:, 2] = np.maximum(points[:, 2], 0.0)
    for face in mesh.faces:
        build.polygon([(float(p[0]), float(p[1]), float(p[2])) for p in points[face]], color)
