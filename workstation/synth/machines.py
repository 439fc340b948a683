"""Meshes of what drives and stands about in a warehouse. Called by the indoor play of FX-DRIVE."""

from __future__ import annotations

import math

import numpy as np

from workstation.synth.mesh import Color, Finish, Mesh, MeshBuilder
from workstation.synth.vehicles import Size, fitted

MACHINE_SIZES: dict[str, Size] = {
    "forklift": (2.6, 1.15, 2.1),
    "mobile_robot": (1.0, 0.7, 0.42),
    "pallet": (1.2, 0.8, 1.15),
}
_DARK: Color = (52, 54, 58)


def machine(kind: str, color: Color) -> Mesh:
    """The mesh of one kind of machine or load."""
    builders = {"forklift": _forklift, "mobile_robot": _mobile_robot, "pallet": _pallet}
    return fitted(builders[kind](color), MACHINE_SIZES[kind])


def _forklift(color: Color) -> Mesh:
    build = MeshBuilder()
    build.box((-0.35, 0.0, 0.55), (1.5, 1.05, 0.6), color)
    build.box((-0.9, 0.0, 1.0), (0.4, 1.0, 0.3), _DARK)
    build.box((-0.35, 0.0, 1.02), (0.5, 0.5, 0.2), (36, 36, 40))
    for x in (0.25, -0.75):
        for y in (0.45, -0.45):
            build.box((x, y, 1.45), (0.06, 0.06, 1.2), _DARK)
    build.box((-0.25, 0.0, 2.06), (1.2, 1.0, 0.08), _DARK)
    for y in (0.3, -0.3):
        build.box((0.48, y, 1.05), (0.08, 0.1, 2.1), (90, 92, 96))
        build.box((1.1, y, 0.08), (1.2, 0.12, 0.05), (70, 72, 76))
    build.box((0.56, 0.0, 0.5), (0.06, 0.9, 0.35), (70, 72, 76))
    build.box((0.44, 0.36, 0.75), (0.04, 0.18, 0.12), (250, 246, 220), Finish.HEAD_LAMP)
    build.box((-1.12, 0.36, 0.75), (0.04, 0.14, 0.12), (200, 30, 28), Finish.BRAKE_LAMP)
    for x in (0.2, -0.8):
        for y, outward in ((0.5, 1), (-0.5, -1)):
            build.wheel(x, y, 0.26, 0.16, outward)
    return build.build()


def _mobile_robot(color: Color) -> Mesh:
    build = MeshBuilder()
    build.box((0.0, 0.0, 0.2), (1.0, 0.7, 0.24), color)
    build.box((0.0, 0.0, 0.34), (0.9, 0.62, 0.05), _DARK)
    build.box((0.5, 0.0, 0.26), (0.02, 0.5, 0.05), (120, 220, 240), Finish.GLOWING)
    build.box((0.35, 0.0, 0.4), (0.12, 0.12, 0.08), (30, 30, 34))
    for x in (0.3, -0.3):
        for y, outward in ((0.32, 1), (-0.32, -1)):
            build.wheel(x, y, 0.1, 0.06, outward)
    return build.build()


def _pallet(color: Color) -> Mesh:
    """Boxes on a pallet."""
    build = MeshBuilder()
    for y in (-0.34, 0.0, 0.34):
        build.box((0.0, y, 0.05), (1.2, 0.12, 0.1), (150, 116, 74))
    build.box((0.0, 0.0, 0.13), (1.2, 0.8, 0.04), (168, 132, 86))
    rng = np.random.default_rng(sum(color))
    for x in (-0.3, 0.3):
        for y in (-0.2, 0.2):
            for z in (0.4, 0.9):
                tone = float(rng.uniform(0.86, 1.1))
                paper = (min(255, int(color[0] * tone)), min(255, int(color[1] * tone)), min(255, int(color[2] * tone)))
                build.box((x, y, z), (0.58, 0.38, 0.49), paper)
    return build.build()


def rack(length: float, *, high: float = 3.6, depth: float = 1.0, seed: int = 0) -> Mesh:
    """A shelf along x with goods on three levels, standing around the origin."""
    build = MeshBuilder()
    rng = np.random.default_rng([seed, 3])
    for x in np.linspace(-length / 2, length / 2, max(2, math.ceil(length / 2.5) + 1)):
        for y in (-depth / 2, depth / 2):
            build.box((float(x), y, high / 2), (0.09, 0.09, high), (36, 74, 150))
    for level in (0.12, 1.3, 2.5):
        build.box((0.0, 0.0, level), (length, depth, 0.09), (226, 120, 32))
        at = -length / 2 + 0.5
        while at < length / 2 - 0.4:
            wide, tall = float(rng.uniform(0.5, 0.9)), float(rng.uniform(0.45, 0.95))
            tone = int(rng.integers(120, 205))
            build.box(
                (at, 0.0, level + 0.05 + tall / 2), (wide, depth * 0.8, tall), (tone, int(tone * 0.82), int(tone * 0.6))
            )
            at += wide + float(rng.uniform(0.1, 0.5))
    return build.build()
