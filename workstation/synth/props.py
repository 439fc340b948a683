"""Things on tables and in rooms: cup, bowl, keyboard, book, vase, table, drawer chest, seated person, robot arm."""

from __future__ import annotations

import math

import numpy as np

from workstation.synth.heads import head
from workstation.synth.lettering import panel
from workstation.synth.mesh import Color, Mesh, MeshBuilder, Point3, sides_of_box

WOOD: Color = (166, 120, 78)


def prism(
    build: MeshBuilder,
    center: Point3,
    radii: tuple[float, float],
    height: float,
    color: Color,
    *,
    sides: int = 14,
    inside: Color | None = None,
) -> int:
    """An upright round body, ``radii`` at bottom and top; ``inside`` makes it look open. Returns its top face."""
    angles = np.linspace(0, 2 * math.pi, sides, endpoint=False)
    x, y, z = center
    low = [(x + radii[0] * math.cos(a), y + radii[0] * math.sin(a), z) for a in angles]
    high = [(x + radii[1] * math.cos(a), y + radii[1] * math.sin(a), z + height) for a in angles]
    for i in range(sides):
        j = (i + 1) % sides
        build.polygon([low[i], low[j], high[j], high[i]], color)
    top = build.polygon(high, color)
    if inside is not None:
        rim = [(x + 0.88 * radii[1] * math.cos(a), y + 0.88 * radii[1] * math.sin(a), z + height) for a in angles]
        build.polygon(rim, inside, on=top)
    return top


def beam(build: MeshBuilder, a: Point3, b: Point3, thick: float, color: Color) -> None:
    """A square bar between two places: arms, legs, robot links."""
    start, end = np.array(a), np.array(b)
    along = end - start
    length = float(np.linalg.norm(along))
    along = along / max(length, 1e-9)
    across = _crossed(along, np.array([0.0, 0.0, 1.0] if abs(along[2]) < 0.9 else [1.0, 0.0, 0.0]))
    across /= np.linalg.norm(across)
    turn = np.stack([along, across, _crossed(along, across)], axis=1)
    sides = np.array(sides_of_box(length / 2, thick / 2, thick / 2)).reshape(24, 3) + np.array([length / 2, 0.0, 0.0])
    corners = (sides @ turn.T + start).tolist()
    for first in range(0, 24, 4):
        build.polygon([(x, y, z) for x, y, z in corners[first : first + 4]], color)


def _crossed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The cross product of two directions; ``np.cross`` takes ten times as long for one pair."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def cup(color: Color = (200, 60, 50), *, height: float = 0.1, radius: float = 0.042) -> Mesh:
    """A cup with a handle along +x."""
    build = MeshBuilder()
    prism(build, (0.0, 0.0, 0.0), (radius * 0.85, radius), height, color, inside=(50, 34, 26))
    for a, b in (
        ((radius * 0.9, 0.75), (radius * 1.55, 0.72)),
        ((radius * 1.55, 0.72), (radius * 1.5, 0.3)),
        ((radius * 1.5, 0.3), (radius * 0.85, 0.26)),
    ):
        beam(build, (a[0], 0.0, a[1] * height), (b[0], 0.0, b[1] * height), radius * 0.22, color)
    return build.build()


def bowl(color: Color = (70, 110, 170)) -> Mesh:
    """A wide open bowl."""
    build = MeshBuilder()
    prism(build, (0.0, 0.0, 0.0), (0.045, 0.085), 0.06, color, inside=tuple_of(np.array(color) * 0.55))
    return build.build()


def vase(color: Color = (90, 150, 120)) -> Mesh:
    """A vase with a narrow neck."""
    build = MeshBuilder()
    prism(build, (0.0, 0.0, 0.0), (0.04, 0.07), 0.12, color)
    prism(build, (0.0, 0.0, 0.12), (0.07, 0.03), 0.08, color)
    prism(build, (0.0, 0.0, 0.20), (0.03, 0.04), 0.04, color, inside=(30, 40, 36))
    return build.build()


def keyboard() -> Mesh:
    """A keyboard: four rows of keys."""
    build = MeshBuilder()
    top = build.box((0.0, 0.0, 0.012), (0.16, 0.42, 0.024), (62, 64, 70)) + 4
    for row in range(4):
        for key in range(12):
            x, y = -0.06 + row * 0.038, -0.19 + key * 0.0335
            build.polygon(
                [(x, y, 0.024), (x + 0.028, y, 0.024), (x + 0.028, y + 0.026, 0.024), (x, y + 0.026, 0.024)],
                (206, 208, 212),
                on=top,
            )
    return build.build()


def book(color: Color) -> Mesh:
    """A closed book lying down."""
    build = MeshBuilder()
    build.box((0.0, 0.0, 0.018), (0.2, 0.14, 0.036), (236, 230, 214))
    build.box((0.0, 0.0, 0.038), (0.21, 0.15, 0.006), color)
    return build.build()


def apple(color: Color = (190, 40, 40)) -> Mesh:
    """An apple."""
    build = MeshBuilder()
    prism(build, (0.0, 0.0, 0.0), (0.022, 0.038), 0.03, color)
    prism(build, (0.0, 0.0, 0.03), (0.038, 0.02), 0.035, color)
    beam(build, (0.0, 0.0, 0.062), (0.006, 0.0, 0.085), 0.005, (80, 56, 34))
    return build.build()


def table(width: float = 1.6, depth: float = 0.9, height: float = 0.74) -> Mesh:
    """A table; the top is a slab, so that what lies on it can be painted after it."""
    build = MeshBuilder()
    build.box((0.0, 0.0, height - 0.02), (depth, width, 0.04), WOOD)
    for x in (-depth / 2 + 0.05, depth / 2 - 0.05):
        for y in (-width / 2 + 0.05, width / 2 - 0.05):
            build.box((x, y, (height - 0.04) / 2), (0.06, 0.06, height - 0.04), tuple_of(np.array(WOOD) * 0.7))
    return build.build()


def chest(opened: float) -> tuple[Mesh, Mesh]:
    """A chest of drawers and its top drawer, pulled out along −x by ``opened`` (0 to 1)."""
    body = MeshBuilder()
    front = body.box((0.0, 0.0, 0.45), (0.5, 0.7, 0.9), (120, 92, 66)) + 1
    for z in (0.08, 0.36):
        body.polygon(
            [(-0.2501, 0.32, z), (-0.2501, -0.32, z), (-0.2501, -0.32, z + 0.24), (-0.2501, 0.32, z + 0.24)],
            (140, 108, 78),
            on=front,
        )
    drawer = MeshBuilder()
    x = -0.27 - 0.3 * opened
    drawer.box((x, 0.0, 0.76), (0.03, 0.64, 0.22), (152, 118, 86))
    drawer.box((x - 0.025, 0.0, 0.76), (0.03, 0.14, 0.03), (60, 56, 50))
    if opened > 0.02:
        depth = 0.3 * opened
        top = drawer.box((x + depth / 2, 0.0, 0.74), (depth, 0.6, 0.16), (176, 146, 112)) + 4
        drawer.polygon(
            [
                (x + 0.01, -0.27, 0.8201),
                (x + depth, -0.27, 0.8201),
                (x + depth, 0.27, 0.8201),
                (x + 0.01, 0.27, 0.8201),
            ],
            (74, 56, 40),
            on=top,
        )
    return body.build(), drawer.build()


SKIN: Color = (214, 168, 138)


def sitter(*, shirt: Color = (60, 100, 150)) -> Mesh:
    """A person behind a table who looks along −x, without the right arm (see ``arm``)."""
    build = MeshBuilder()
    skin = SKIN
    build.box((0.0, 0.0, 0.92), (0.25, 0.42, 0.56), shirt)
    prism(build, (0.0, 0.0, 1.2), (0.2, 0.1), 0.07, shirt)
    prism(build, (-0.01, 0.0, 1.25), (0.055, 0.05), 0.12, skin)
    head(build, (0.0, 0.0, 1.47), (0.21, 0.19, 0.29), skin, toward=-1, fine=True)
    beam(build, (-0.02, -0.27, 1.18), (-0.1, -0.32, 0.86), 0.1, shirt)
    return build.build()


def arm(hand: Point3, *, shirt: Color = (60, 100, 150)) -> Mesh:
    """The sitter's right arm, its hand at ``hand`` in the sitter's own frame."""
    build = MeshBuilder()
    skin = SKIN
    shoulder = np.array([-0.02, 0.27, 1.18])
    target = np.array(hand)
    elbow = (shoulder + target) / 2 + np.array([0.02, 0.1, -0.14])
    beam(build, tuple3(shoulder), tuple3(elbow), 0.1, shirt)
    beam(build, tuple3(elbow), tuple3(target), 0.075, skin)
    build.box(tuple3(target), (0.09, 0.08, 0.06), skin)
    return build.build()


def robot_arm(base: Point3, wrist: Point3, grip: float, *, hand_only: bool = False) -> Mesh:
    """A two-link arm whose wrist points down at ``wrist``; the fingers are ``grip`` metres apart.

    ``hand_only`` leaves out what a camera on the wrist has behind it.
    """
    build = MeshBuilder()
    if not hand_only:
        _links(build, base, wrist)
    build.box((wrist[0], wrist[1], wrist[2] + 0.06), (0.05, 0.15, 0.03), (90, 94, 100))
    for side in (-1, 1):
        build.box((wrist[0], wrist[1] + side * (grip / 2 + 0.008), wrist[2] + 0.01), (0.03, 0.015, 0.08), (40, 42, 46))
    return build.build()


def _links(build: MeshBuilder, base: Point3, wrist: Point3) -> None:
    prism(build, base, (0.09, 0.08), 0.12, (70, 74, 80))
    shoulder = np.array(base) + np.array([0.0, 0.0, 0.16])
    top = np.array(wrist) + np.array([0.0, 0.0, 0.12])
    reach = float(np.linalg.norm(top - shoulder))
    lift = math.sqrt(max(0.42**2 - (reach / 2) ** 2, 0.0))
    elbow = (shoulder + top) / 2 + np.array([0.0, 0.0, lift])
    beam(build, tuple3(shoulder), tuple3(elbow), 0.075, (236, 140, 36))
    beam(build, tuple3(elbow), tuple3(top), 0.06, (236, 140, 36))
    beam(build, tuple3(top), tuple3(np.array(wrist) + np.array([0.0, 0.0, 0.07])), 0.05, (70, 74, 80))


def room_shell(
    width: float = 6.0,
    depth: float = 5.0,
    height: float = 2.8,
    *,
    wall: Color = (206, 200, 188),
    floor: Color = (134, 110, 88),
) -> Mesh:
    """A floor and three walls around the origin, open towards −x."""
    build = MeshBuilder()
    w, d = width / 2, depth / 2
    build.polygon([(-d - 3, -w, 0.0), (d, -w, 0.0), (d, w, 0.0), (-d - 3, w, 0.0)], floor)
    back = build.polygon([(d, w, 0.0), (d, -w, 0.0), (d, -w, height), (d, w, height)], wall)
    build.polygon([(-d - 3, w, 0.0), (d, w, 0.0), (d, w, height), (-d - 3, w, height)], tuple_of(np.array(wall) * 0.92))
    build.polygon(
        [(d, -w, 0.0), (-d - 3, -w, 0.0), (-d - 3, -w, height), (d, -w, height)], tuple_of(np.array(wall) * 0.96)
    )
    build.polygon(
        [(d - 0.001, 1.9, 1.1), (d - 0.001, 0.7, 1.1), (d - 0.001, 0.7, 2.1), (d - 0.001, 1.9, 2.1)],
        (250, 250, 246),
        on=back,
    )
    build.polygon(
        [(d - 0.002, 1.8, 1.2), (d - 0.002, 0.8, 1.2), (d - 0.002, 0.8, 2.0), (d - 0.002, 1.8, 2.0)],
        (150, 190, 226),
        on=back,
    )
    build.picture(
        [(d - 0.002, -0.6, 1.9), (d - 0.002, -1.5, 1.9), (d - 0.002, -1.5, 1.3), (d - 0.002, -0.6, 1.3)],
        _painting(),
        on=back,
    )
    return build.build()


def _painting() -> np.ndarray:
    image = panel(90, 60, (80, 50, 30))
    image[5:-5, 5:-5] = (140, 176, 208)
    image[36:-5, 5:-5] = (96, 138, 70)
    image[12:22, 60:72] = (244, 214, 100)
    return image


def tuple_of(color: np.ndarray) -> Color:
    """A colour from numbers."""
    r, g, b = (int(v) for v in np.clip(color, 0, 255))
    return r, g, b


def tuple3(point: np.ndarray) -> Point3:
    """A place from numbers."""
    return float(point[0]), float(point[1]), float(point[2])
