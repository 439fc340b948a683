"""The indoor play of FX-DRIVE: a mobile robot drives down an aisle between shelves, with people and forklifts about.

Called by ``scenes`` (who is where when) and by ``media`` (what stands there). World axes: x along the aisle, y left.
There is no sky and no satellite reception: the scene has no GPS.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workstation.synth.backdrop import PER_RADIAN, Backdrop
from workstation.synth.drive.place import Place, build_place
from workstation.synth.drive.script import (
    EAST,
    MARKER_COLOR,
    MARKER_PLACE,
    MARKER_SIZE,
    MOVING,
    SOUTH,
    WEST,
    Actor,
    Roads,
    Script,
)
from workstation.synth.lettering import Picture
from workstation.synth.machines import MACHINE_SIZES, rack
from workstation.synth.mesh import Color, Mesh, MeshBuilder
from workstation.synth.motion import along_heading, along_line, grid, integrate, pulse, speed
from workstation.synth.people import PERSON_SIZE
from workstation.synth.pose import Floats, Path6, resting
from workstation.synth.raster import Piece, pack
from workstation.synth.scenery import Block, GroundPainter

HALL_X, HALL_Y, HALL_HIGH = (-8.0, 46.0), (-11.0, 11.0), 6.0
AISLE_M = 2.2
"""From the middle of the aisle to the shelves."""
_RACKS = ((-3.0, 20.0), (24.0, 42.0))
_AISLE_ROADS = Roads(b_x=22.0, crossing_y=0.0, c_y=0.0, x_range=HALL_X, y_range=HALL_Y)


def place_of(script: Script, seed: int) -> Place:
    """Where a play happens: the street, or the hall."""
    return build_hall(seed) if script.hall else build_place(script.roads, seed)


def hall_script(seconds: float) -> Script:
    """The robot drives along the aisle at walking speed, slows for a worker who steps out, and turns at its end."""
    times = grid(max(seconds, 20.0))
    velocity = speed(times, [(-2, 1.4), (7.0, 1.4), (8.5, 0.3), (10.5, 0.3), (12.0, 1.5), (30, 1.5)])
    heading = integrate(pulse(times, 15.0, 18.0, math.pi / 2), times)
    ego = along_heading((0.0, 0.0), velocity, heading, times)
    return Script(
        seconds=seconds, ego=ego, actors=_cast(times), roads=_AISLE_ROADS, horn=_cast(times)[0],
        brake_speed=velocity, key_moment=False, hall=True,
    )  # fmt: skip


def _cast(times: Floats) -> tuple[Actor, ...]:
    steady = np.ones_like(times)
    crossing = integrate(np.where(times > 6.5, 1.2, 0.0), times, zero_at=6.5)
    rows: list[tuple[str, str, str, Path6, Color, tuple[tuple[float, float, str], ...]]] = [
        ("forklift_1", "forklift", "forklift", along_line((40.0, 0.9), WEST, integrate(0.9 * steady, times)),
         (222, 168, 30), MOVING),
        ("worker_1", "pedestrian", "pedestrian", along_line((13.6, 1.9), SOUTH, np.clip(crossing, 0.0, 3.4)),
         (226, 118, 30), ((-1.0, 6.5, "waiting"), (6.5, 9.4, "crossing"), (9.4, 1e9, "standing"))),
        ("worker_2", "pedestrian", "pedestrian", along_line((30.0, -1.2), EAST, integrate(1.1 * steady, times)),
         (40, 110, 170), ((-1.0, 1e9, "walking"),)),
        ("robot_1", "mobile_robot", "mobile_robot", along_line((21.5, 9.0), SOUTH, integrate(0.8 * steady, times)),
         (232, 232, 228), MOVING),
        ("pallet_1", "pallet", "pallet", resting(8.5, -1.55, yaw=0.05), (188, 150, 104), ((-1.0, 1e9, "standing"),)),
        ("pallet_2", "pallet", "pallet", resting(26.5, 1.5, yaw=-0.1), (176, 140, 98), ((-1.0, 1e9, "standing"),)),
        ("forklift_2", "forklift", "forklift", resting(22.4, -6.5, yaw=math.pi / 2), (200, 60, 44),
         ((-1.0, 1e9, "parked"),)),
        ("marker_1", "marker", "calibration_target", resting(*MARKER_PLACE), MARKER_COLOR,
         ((-1.0, 1e9, "standing"),)),
    ]  # fmt: skip
    sizes = {**MACHINE_SIZES, "pedestrian": PERSON_SIZE, "marker": MARKER_SIZE}
    return tuple(
        Actor(key=key, number=i + 1, label=label, kind=kind, size=sizes[kind], path=path, color=color, states=states)
        for i, (key, kind, label, path, color, states) in enumerate(rows)
    )


def build_hall(seed: int) -> Place:
    """Concrete, shelves on both sides of the aisle, walls; the same for the same seed."""
    rng = np.random.default_rng([seed, 12])
    painter = GroundPainter((HALL_X[0] - 2, HALL_X[1] + 2), (HALL_Y[0] - 2, HALL_Y[1] + 2), 0.03, rng)
    painter.rectangle(HALL_X[0] - 2, HALL_X[1] + 2, HALL_Y[0] - 2, HALL_Y[1] + 2, (150, 150, 148))
    painter.roughen(rng, (HALL_X[0] - 2, HALL_X[1] + 2), (HALL_Y[0] - 2, HALL_Y[1] + 2), 3.0)
    for side in (-1, 1):
        for start, end in _RACKS:
            y = side * (AISLE_M - 0.12)
            painter.rectangle(start, end, y - 0.05, y + 0.05, (226, 190, 40))
    for x in np.arange(20.6, 23.6, 0.8):
        painter.rectangle(float(x), float(x) + 0.4, -1.9, 1.9, (228, 228, 224))
    standing = [*_racks(seed), *_walls()]
    for block in standing[: len(_RACKS) * 2]:
        painter.shade(block.mesh.vertices[:, :2], 0.3)
    packed = pack([Piece(block.mesh, None) for block in standing])
    return Place(tuple(standing), (ground := painter.finish()), Backdrop(ground, _ceiling()), packed)


def aisle_polygons() -> list[dict[str, Any]]:
    """The aisle and its crossing as polygons in the world frame, metres."""

    def area(key: str, kind: str, x: tuple[float, float], y: tuple[float, float]) -> dict[str, Any]:
        ring = [[x[0], y[0], 0.0], [x[1], y[0], 0.0], [x[1], y[1], 0.0], [x[0], y[1], 0.0]]
        return {"key": key, "kind": kind, "direction": "", "polygon": ring}

    wide = (-AISLE_M, AISLE_M)
    return [
        *(area(f"aisle_{i + 1}", "lane", span, wide) for i, span in enumerate(_RACKS)),
        area("cross_aisle", "junction", (_RACKS[0][1], _RACKS[1][0]), HALL_Y),
        area("walkway", "crossing", (20.6, 23.6), (-1.9, 1.9)),
    ]


def _racks(seed: int) -> list[Block]:
    """In pieces of a few metres, which hide each other rightly."""
    out: list[Block] = []
    for number, (start, end) in enumerate(_RACKS):
        count = round((end - start) / 4.6)
        length = (end - start) / count
        for i in range(count):
            for side in (-1, 1):
                mesh = rack(length - 0.1, seed=seed * 100 + number * 20 + i * 2 + (side > 0))
                out.append(Block(_at(mesh, start + (i + 0.5) * length, side * (AISLE_M + 0.55)), 0.5))
    return out


def _walls() -> list[Block]:
    out: list[Block] = []
    step = 6.0
    for x in np.arange(HALL_X[0] + step / 2, HALL_X[1], step):
        out += [_panel((float(x), y), (step, 0.2)) for y in HALL_Y]
    for y in np.arange(HALL_Y[0] + 2.75, HALL_Y[1], 5.5):
        out += [_panel((x, float(y)), (0.2, 5.5)) for x in HALL_X]
    return out


def _panel(at: tuple[float, float], size: tuple[float, float]) -> Block:
    build = MeshBuilder()
    build.box((*at, HALL_HIGH / 2), (*size, HALL_HIGH), (196, 198, 200))
    build.box((*at, 0.5), (size[0] + 0.02, size[1] + 0.02, 1.0), (116, 128, 140))
    return Block(build.build(), 0.45)


def _at(mesh: Mesh, x: float, y: float) -> Mesh:
    moved = mesh.vertices + np.array([x, y, 0.0])
    return Mesh(moved, mesh.faces, mesh.colors, mesh.finishes, mesh.parents, mesh.pictures)


def _ceiling() -> Picture:
    """What is above, as a panorama: grey sheet with rows of lamps, darker towards the far end."""
    width, top, low = int(2 * math.pi * PER_RADIAN), math.radians(60), math.radians(-10)
    height = int((top - low) * PER_RADIAN)
    rise = np.linspace(top, low, height)[:, None]
    bearing = np.arange(width)[None, :] / PER_RADIAN
    away = HALL_HIGH / np.tan(np.maximum(rise, 0.03))
    x, y = away * np.cos(bearing), away * np.sin(bearing)
    lamp = (np.abs(np.mod(y + 2.5, 5.0) - 2.5) < 0.16) & (np.mod(x, 4.0) < 2.2) & (rise > 0.06)
    image = np.repeat((104 + 44 * np.clip(rise / top, 0, 1))[..., None], width, axis=1) * np.array([1.0, 1.01, 1.03])
    beams = (np.mod(x, 6.0) < 0.25) & (rise > 0.06)
    image[beams] *= 0.8
    image[lamp] = (250, 250, 242)
    ceiling: Picture = np.clip(image, 0, 255).astype(np.uint8)
    return ceiling
