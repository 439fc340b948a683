"""Meshes of what drives: car, van, truck, auto-rickshaw, motorcycle and electric scooter with their riders.

Each builder returns a mesh whose bounds are (length, width, height) exactly, because the cuboid of the truth is
those bounds; ``fitted`` sees to it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workstation.synth.lettering import plate
from workstation.synth.mesh import Color, Finish, Mesh, MeshBuilder, Point3

GLASS: Color = (52, 66, 80)
Size = tuple[float, float, float]

SIZES: dict[str, Size] = {
    "car": (4.4, 1.8, 1.45),
    "van": (5.4, 2.0, 2.3),
    "truck": (7.2, 2.4, 3.0),
    "auto_rickshaw": (2.7, 1.35, 1.75),
    "motorcycle": (2.1, 0.75, 1.65),
    "electric_scooter": (1.2, 0.55, 1.75),
}


def vehicle(kind: str, color: Color, plate_text: str) -> Mesh:
    """The mesh of one vehicle class."""
    builders = {
        "car": _car,
        "van": _van,
        "truck": _truck,
        "auto_rickshaw": _rickshaw,
        "motorcycle": _motorcycle,
        "electric_scooter": _scooter,
    }
    return fitted(builders[kind](color, plate_text), SIZES[kind])


def fitted(mesh: Mesh, size: Size) -> Mesh:
    """The mesh moved and stretched so that it fills ±length/2, ±width/2 and 0…height."""
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    scale = np.array(size) / (high - low)
    middle = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    return replace(mesh, vertices=(mesh.vertices - middle) * scale)


def _side_decal(build: MeshBuilder, face: int, y: float, ring: list[tuple[float, float]], color: Color) -> None:
    """A decal on the right (y < 0) or left side; ``ring`` is counter-clockwise in (x, z) as seen from the right."""
    order = ring if y < 0 else list(reversed(ring))
    build.polygon([(x, y, z) for x, z in order], color, Finish.GLASS, on=face)


def _strip_decal(
    build: MeshBuilder,
    on: int,
    edge: tuple[Point3, Point3],
    share: tuple[float, float, float, float],
    half_width: float,
    color: Color,
    finish: Finish,
) -> None:
    """A decal on a strip face between profile points a and b: shares (from, to) along it and (from, to) across."""
    a, b = (np.array(p) for p in edge)
    p, q = a + (b - a) * share[0], a + (b - a) * share[1]
    y0, y1 = -half_width + 2 * half_width * share[2], -half_width + 2 * half_width * share[3]
    ring = [(q[0], y0, q[2]), (p[0], y0, p[2]), (p[0], y1, p[2]), (q[0], y1, q[2])]
    build.polygon([(float(x), float(y), float(z)) for x, y, z in ring], color, finish, on=on)


def _lamps(
    build: MeshBuilder, strip: dict[str, int], front: tuple[Point3, Point3], back: tuple[Point3, Point3], half: float
) -> None:
    for a, b in ((0.02, 0.2), (0.8, 0.98)):
        _strip_decal(build, strip["front"], front, (0.62, 0.86, a, b), half, (235, 235, 215), Finish.HEAD_LAMP)
        _strip_decal(build, strip["back"], back, (0.14, 0.42, a, b), half, (140, 20, 22), Finish.BRAKE_LAMP)


def _plates(build: MeshBuilder, strip: dict[str, int], front_x: float, back_x: float, z: float, text: str) -> None:
    image = plate(text)
    w, h = 0.26, 0.065
    build.picture(
        [(front_x, -w, z + h), (front_x, w, z + h), (front_x, w, z - h), (front_x, -w, z - h)], image, on=strip["front"]
    )
    build.picture(
        [(back_x, w, z + h), (back_x, -w, z + h), (back_x, -w, z - h), (back_x, w, z - h)], image, on=strip["back"]
    )


def _car(color: Color, text: str) -> Mesh:
    build = MeshBuilder()
    half = 0.88
    profile = [
        (-2.2, 0.32),
        (2.2, 0.32),
        (2.2, 0.72),
        (1.1, 0.9),
        (0.45, 1.42),
        (-1.0, 1.45),
        (-1.75, 0.98),
        (-2.2, 0.92),
    ]
    right, left, strip = build.extrude(profile, half, color)
    named = {"front": strip[1], "back": strip[7]}
    dark = tuple(int(c * 0.35) for c in color)
    for face, y in ((right, -half), (left, half)):
        _side_decal(build, face, y, [(0.0, 0.93), (0.95, 0.93), (0.42, 1.34), (0.0, 1.36)], GLASS)
        _side_decal(build, face, y, [(-1.5, 0.98), (-0.08, 0.93), (-0.08, 1.36), (-0.95, 1.37)], GLASS)
        _side_decal(build, face, y, [(-2.15, 0.33), (2.15, 0.33), (2.15, 0.42), (-2.15, 0.42)], (40, 40, 42))
        _side_decal(
            build, face, y, [(-0.06, 0.45), (-0.03, 0.45), (-0.03, 0.92), (-0.06, 0.92)], (dark[0], dark[1], dark[2])
        )
    points: list[Point3] = [(x, 0.0, z) for x, z in profile]
    _strip_decal(build, strip[3], (points[3], points[4]), (0.08, 0.95, 0.07, 0.93), half, GLASS, Finish.GLASS)
    _strip_decal(build, strip[5], (points[5], points[6]), (0.08, 0.92, 0.08, 0.92), half, GLASS, Finish.GLASS)
    _lamps(build, named, (points[1], points[2]), (points[7], points[0]), half)
    _plates(build, named, 2.2, -2.2, 0.47, text)
    _four_wheels(build, 1.35, -1.35, 0.8, 0.33, 0.22)
    return build.build()


def _four_wheels(build: MeshBuilder, front: float, back: float, y: float, radius: float, width: float) -> None:
    for x in (front, back):
        build.wheel(x, y, radius, width, +1)
        build.wheel(x, -y, radius, width, -1)


def _van(color: Color, text: str) -> Mesh:
    build = MeshBuilder()
    half = 0.98
    profile = [(-2.7, 0.35), (2.7, 0.35), (2.7, 0.95), (2.2, 1.2), (1.55, 2.2), (-2.65, 2.3), (-2.7, 2.2)]
    right, left, strip = build.extrude(profile, half, color)
    named = {"front": strip[1], "back": strip[6]}
    for face, y in ((right, -half), (left, half)):
        _side_decal(build, face, y, [(0.9, 1.2), (1.95, 1.2), (1.45, 1.95), (0.9, 1.98)], GLASS)
        _side_decal(build, face, y, [(-2.68, 0.36), (2.65, 0.36), (2.65, 0.5), (-2.68, 0.5)], (45, 45, 48))
        _side_decal(build, face, y, [(-2.3, 1.1), (0.5, 1.1), (0.5, 1.18), (-2.3, 1.18)], (90, 92, 95))
    points: list[Point3] = [(x, 0.0, z) for x, z in profile]
    _strip_decal(build, strip[3], (points[3], points[4]), (0.08, 0.92, 0.06, 0.94), half, GLASS, Finish.GLASS)
    _strip_decal(build, strip[6], (points[6], points[0]), (0.12, 0.42, 0.12, 0.88), half, GLASS, Finish.GLASS)
    _lamps(build, named, (points[1], points[2]), (points[6], points[0]), half)
    for a, b in ((0.02, 0.12), (0.88, 0.98)):
        _strip_decal(
            build, strip[6], (points[6], points[0]), (0.62, 0.78, a, b), half, (140, 20, 22), Finish.BRAKE_LAMP
        )
    _plates(build, named, 2.7, -2.7, 0.6, text)
    _four_wheels(build, 1.75, -1.6, 0.9, 0.36, 0.24)
    return build.build()


def _truck(color: Color, text: str) -> Mesh:
    build = MeshBuilder()
    half = 1.2
    profile = [(2.0, 0.5), (3.6, 0.5), (3.6, 1.3), (3.3, 2.5), (2.0, 2.55)]
    right, left, strip = build.extrude(profile, half, color)
    for face, y in ((right, -half), (left, half)):
        _side_decal(build, face, y, [(2.3, 1.4), (3.35, 1.4), (3.15, 2.2), (2.3, 2.2)], GLASS)
    points: list[Point3] = [(x, 0.0, z) for x, z in profile]
    _strip_decal(build, strip[2], (points[2], points[3]), (0.1, 0.85, 0.05, 0.95), half, GLASS, Finish.GLASS)
    cargo = build.box((-0.9, 0.0, 1.85), (5.4, 2.4, 2.3), (214, 216, 212))
    named = {"front": strip[1], "back": cargo + 1}
    build.box((-0.4, 0.0, 0.6), (6.2, 1.6, 0.25), (60, 60, 62))
    back: tuple[Point3, Point3] = ((-3.6, 0.0, 1.5), (-3.6, 0.0, 0.7))
    _lamps(build, named, (points[1], points[2]), back, half)
    _plates(build, named, 3.6, -3.6, 0.85, text)
    _four_wheels(build, 2.7, -2.4, 1.05, 0.48, 0.3)
    return build.build()


def _rickshaw(color: Color, text: str) -> Mesh:
    build = MeshBuilder()
    half = 0.62
    body = [(-1.3, 0.3), (0.75, 0.3), (1.3, 0.62), (1.05, 0.95), (0.75, 1.0), (-1.3, 1.0)]
    right, left, strip = build.extrude(body, half, color)
    hood = [(-1.25, 1.02), (0.65, 1.02), (0.5, 1.7), (-1.0, 1.72), (-1.3, 1.5)]
    hood_right, hood_left, hood_strip = build.extrude(hood, half * 0.97, (40, 42, 40))
    for face, y in ((hood_right, -half * 0.97), (hood_left, half * 0.97)):
        _side_decal(build, face, y, [(-0.6, 1.04), (0.5, 1.04), (0.42, 1.6), (-0.6, 1.6)], (96, 84, 66))
    for face, y in ((right, -half), (left, half)):
        _side_decal(build, face, y, [(-1.25, 0.62), (0.9, 0.62), (0.9, 0.72), (-1.25, 0.72)], (30, 120, 60))
    _strip_decal(
        build, hood_strip[1], ((0.65, 0.0, 1.02), (0.5, 0.0, 1.7)), (0.1, 0.85, 0.08, 0.92), half, GLASS, Finish.GLASS
    )
    named = {"front": strip[1], "back": strip[5]}
    _lamps(build, named, ((0.75, 0.0, 0.3), (1.3, 0.0, 0.62)), ((-1.3, 0.0, 1.0), (-1.3, 0.0, 0.3)), half)
    build.picture(
        [(-1.3, 0.25, 0.56), (-1.3, -0.25, 0.56), (-1.3, -0.25, 0.44), (-1.3, 0.25, 0.44)], plate(text), on=strip[5]
    )
    build.wheel(1.0, 0.0, 0.22, 0.12, 1)
    for y, side in ((0.55, 1), (-0.55, -1)):
        build.wheel(-0.85, y, 0.24, 0.14, side)
    return build.build()


def _rider(build: MeshBuilder, x: float, seat: float, shirt: Color, helmet: Color) -> None:
    build.box((x, 0.0, seat + 0.28), (0.26, 0.42, 0.58), shirt)
    build.box((x + 0.3, 0.24, seat + 0.38), (0.5, 0.1, 0.1), shirt)
    build.box((x + 0.3, -0.24, seat + 0.38), (0.5, 0.1, 0.1), shirt)
    build.box((x + 0.02, 0.0, seat + 0.7), (0.26, 0.24, 0.26), helmet)


def _motorcycle(color: Color, text: str) -> Mesh:
    build = MeshBuilder()
    build.wheel(0.72, 0.0, 0.31, 0.12, 1)
    build.wheel(-0.72, 0.0, 0.31, 0.12, 1)
    build.box((0.15, 0.0, 0.62), (0.9, 0.28, 0.36), color)
    build.box((-0.5, 0.0, 0.74), (0.7, 0.26, 0.12), (30, 30, 32))
    build.box((0.62, 0.0, 0.78), (0.1, 0.7, 0.08), (60, 60, 62))
    back = build.box((-0.92, 0.0, 0.62), (0.06, 0.24, 0.16), (60, 60, 62)) + 1
    build.polygon(
        [(-0.951, 0.1, 0.64), (-0.951, -0.1, 0.64), (-0.951, -0.1, 0.69), (-0.951, 0.1, 0.69)],
        (140, 20, 22),
        Finish.BRAKE_LAMP,
        on=back,
    )
    build.picture(
        [(-0.951, 0.1, 0.62), (-0.951, -0.1, 0.62), (-0.951, -0.1, 0.56), (-0.951, 0.1, 0.56)], plate(text), on=back
    )
    for side in (0.18, -0.18):
        build.box((0.0, side, 0.6), (0.5, 0.12, 0.14), (50, 60, 90))
    _rider(build, -0.15, 0.78, (170, 60, 40), (230, 230, 235))
    return build.build()


def _scooter(color: Color, text: str) -> Mesh:
    del text  # a kick scooter carries no plate
    build = MeshBuilder()
    build.wheel(0.45, 0.0, 0.12, 0.06, 1)
    build.wheel(-0.45, 0.0, 0.12, 0.06, 1)
    build.box((0.0, 0.0, 0.17), (0.95, 0.16, 0.06), color)
    build.box((0.48, 0.0, 0.62), (0.06, 0.06, 0.95), (60, 60, 64))
    build.box((0.46, 0.0, 1.1), (0.06, 0.52, 0.05), (40, 40, 42))
    for side in (0.09, -0.09):
        build.box((-0.12, side, 0.6), (0.16, 0.14, 0.8), (46, 60, 96))
    build.box((-0.1, 0.0, 1.26), (0.24, 0.4, 0.56), (60, 130, 90))
    for side in (0.22, -0.22):
        build.box((0.18, side, 1.22), (0.5, 0.09, 0.09), (60, 130, 90))
    build.box((-0.08, 0.0, 1.68), (0.22, 0.2, 0.26), (206, 160, 130))
    return build.build()
