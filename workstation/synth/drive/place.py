"""The street of FX-DRIVE: three roads with kerbs, marks, houses, trees, lamps and signs, and its map polygons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from workstation.synth.backdrop import Backdrop, sky_panorama
from workstation.synth.drive.script import HALF_ROAD_M, LANE_M, Roads
from workstation.synth.raster import Packed, Piece, pack, shadow_points
from workstation.synth.scenery import (
    SHOPS,
    WALLS,
    Block,
    Ground,
    GroundPainter,
    house,
    kerb,
    lamp_post,
    sign_post,
    tree,
)

WALK_WIDTH_M = 3.0
WHITE = (222, 222, 216)
Area = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Place:
    """Everything that stands still."""

    blocks: tuple[Block, ...]
    ground: Ground
    backdrop: Backdrop
    packed: Packed


def build_place(roads: Roads, seed: int) -> Place:
    """The street, always the same for the same seed."""
    rng = np.random.default_rng([seed, 11])
    kerbs = _kerbs(roads)
    standing = _furniture(roads, rng)
    ground = _ground(roads, rng, standing)
    packed = pack([Piece(b.mesh, None, floor=True) for b in kerbs] + [Piece(b.mesh, None) for b in standing])
    return Place((*kerbs, *standing), ground, Backdrop(ground, sky_panorama(rng)), packed)


def _ground(roads: Roads, rng: np.random.Generator, standing: list[Block]) -> Ground:
    x0, x1 = roads.x_range[0] - 20, roads.x_range[1] + 60
    y0, y1 = roads.y_range[0] - 10, roads.y_range[1] + 20
    painter = GroundPainter((x0, x1), (y0, y1), 0.06, rng)
    walk, tar = HALF_ROAD_M + WALK_WIDTH_M, HALF_ROAD_M
    strips = [(x0, x1, 0.0), (x0, x1, roads.c_y)]
    for a, b, y in strips:
        painter.rectangle(a, b, y - walk, y + walk, (168, 164, 158))
    painter.rectangle(roads.b_x - walk, roads.b_x + walk, 0.0, y1, (168, 164, 158))
    for a, b, y in strips:
        painter.rectangle(a, b, y - tar, y + tar, (92, 93, 96))
    painter.rectangle(roads.b_x - tar, roads.b_x + tar, 0.0, y1, (92, 93, 96))
    for a, b, y in strips:
        painter.roughen(rng, (a, b), (y - walk, y + walk), 3.5)
    painter.roughen(rng, (roads.b_x - walk, roads.b_x + walk), (walk, y1), 3.5)
    _marks(painter, roads, x0, x1, y1)
    for block in standing:
        painter.shade(shadow_points(block.mesh.vertices)[:, :2])
    return painter.finish()


def _marks(painter: GroundPainter, roads: Roads, x0: float, x1: float, y1: float) -> None:
    clear = HALF_ROAD_M + 2.0
    for y, junctions in ((0.0, [roads.b_x]), (roads.c_y, [roads.b_x])):
        for x in np.arange(x0, x1, 6.0):
            if all(abs(x + 1.5 - j) > clear for j in junctions):
                painter.rectangle(x, x + 3.0, y - 0.07, y + 0.07, WHITE)
        for side in (-1, 1):
            for x in np.arange(x0, x1, 2.0):
                if all(abs(x + 1.0 - j) > clear for j in junctions):
                    painter.rectangle(
                        x, x + 2.05, y + side * 2 * LANE_M - 0.05, y + side * 2 * LANE_M + 0.05, (200, 200, 196)
                    )
    for y in np.arange(clear, y1, 6.0):
        if abs(y + 1.5 - roads.c_y) > clear and abs(y + 1.5 - roads.crossing_y) > 4.0:
            painter.rectangle(roads.b_x - 0.07, roads.b_x + 0.07, y, y + 3.0, WHITE)
    for x in np.arange(roads.b_x - HALF_ROAD_M + 0.3, roads.b_x + HALF_ROAD_M - 0.4, 1.0):
        painter.rectangle(x, x + 0.5, roads.crossing_y - 1.5, roads.crossing_y + 1.5, (232, 232, 228))
    painter.rectangle(roads.b_x + 0.2, roads.b_x + 2 * LANE_M, roads.crossing_y - 3.4, roads.crossing_y - 3.0, WHITE)
    arrow = [
        (-1.6, 0.1),
        (0.2, 0.1),
        (0.2, 0.9),
        (0.0, 0.9),
        (0.5, 1.7),
        (1.0, 0.9),
        (0.75, 0.9),
        (0.75, -0.1),
        (-1.6, -0.1),
    ]
    for x in (roads.b_x - 24.0, roads.b_x - 14.0):
        painter.polygon([(x + a, -LANE_M - 0.5 + b) for a, b in arrow], WHITE)


def _kerbs(roads: Roads) -> list[Block]:
    out: list[Block] = []
    edge, gap = HALF_ROAD_M + 0.09, HALF_ROAD_M + WALK_WIDTH_M * 0.4
    step = 5.0
    for y in (0.0, roads.c_y):
        for x in np.arange(roads.x_range[0], roads.x_range[1], step):
            for side in (-1, 1):
                opening = abs(x - roads.b_x) < gap + step / 2
                if opening and not (y == 0.0 and side < 0):
                    continue
                out.append(kerb(float(x), y + side * edge, 0.0, step))
    for y in np.arange(gap + step / 2, roads.y_range[1], step):
        if abs(y - roads.c_y) < gap + step / 2 or abs(y - roads.crossing_y) < 2.0 + step / 2:
            continue
        out += [kerb(roads.b_x + side * edge, float(y), math.pi / 2, step) for side in (-1, 1)]
    return out


def _furniture(roads: Roads, rng: np.random.Generator) -> list[Block]:
    out: list[Block] = []
    walk = HALF_ROAD_M + WALK_WIDTH_M
    houses = 0

    def row(start: float, end: float, at: float, facing: float, *, along_x: bool, shops: bool) -> None:
        nonlocal houses
        place = start
        while place < end - 7.0:
            width = float(rng.uniform(8.0, 13.0))
            middle = place + width / 2
            x, y = (middle, at) if along_x else (at, middle)
            shop = SHOPS[houses % len(SHOPS)] if shops and houses % 2 == 0 else None
            out.append(
                house(
                    x,
                    y,
                    facing,
                    width,
                    float(rng.uniform(7, 10)),
                    int(rng.integers(2, 5)),
                    WALLS[int(rng.integers(len(WALLS)))],
                    shop,
                )
            )
            houses += 1
            place += width + float(rng.uniform(0.4, 5.0))

    b_side = roads.b_x - walk - 0.6
    row(roads.x_range[0], b_side - 1.0, walk + 0.6, -math.pi / 2, along_x=True, shops=True)
    row(roads.x_range[0], roads.x_range[1], -walk - 0.6, math.pi / 2, along_x=True, shops=True)
    row(roads.b_x + walk + 1.6, roads.x_range[1], walk + 0.6, -math.pi / 2, along_x=True, shops=False)
    for start, end in ((walk + 11.5, roads.c_y - walk - 1.0), (roads.c_y + walk + 11.0, roads.y_range[1])):
        row(start, end, b_side, 0.0, along_x=False, shops=True)
        row(start, end, roads.b_x + walk + 0.6, math.pi, along_x=False, shops=True)
    row(b_side - 36.0, b_side - 10.0, roads.c_y + walk + 0.6, -math.pi / 2, along_x=True, shops=False)
    row(
        roads.b_x + walk + 11.0,
        roads.b_x + walk + 40.0,
        roads.c_y + walk + 0.6,
        -math.pi / 2,
        along_x=True,
        shops=False,
    )
    curb = HALF_ROAD_M + 0.9
    for x in np.arange(roads.x_range[0] + 6, b_side - 6, 15.0):
        out.append(tree(float(x), curb, float(rng.uniform(5, 7)), rng))
        out.append(tree(float(x) + 7.0, -curb, float(rng.uniform(5, 7)), rng))
        out.append(lamp_post(float(x) + 3.5, -curb, math.pi / 2))
    for y in np.arange(walk + 16, roads.y_range[1], 17.0):
        if abs(y - roads.c_y) > walk + 3 and abs(y - roads.crossing_y) > 5:
            out.append(tree(roads.b_x + curb, float(y), float(rng.uniform(5, 7)), rng))
            out.append(tree(roads.b_x - curb, float(y) + 6.0, float(rng.uniform(5, 7)), rng))
            out.append(lamp_post(roads.b_x + curb, float(y) + 8.0, math.pi))
    out.append(sign_post(roads.b_x - 40.0, -curb, math.pi, "left"))
    out.append(sign_post(20.0, -curb, math.pi, "limit 50"))
    out.append(sign_post(roads.b_x + curb, roads.crossing_y - 2.6, -math.pi / 2, "crossing"))
    out.append(sign_post(roads.b_x + curb, roads.c_y - walk - 1.0, -math.pi / 2, "stop"))
    return out


def map_polygons(roads: Roads) -> list[dict[str, Any]]:
    """Lanes and the crossing as polygons in the world frame, metres."""
    x0, x1 = roads.x_range
    y1 = roads.y_range[1]

    def area(key: str, kind: str, a: Area, direction: str) -> dict[str, Any]:
        ring = [[a[0], a[2], 0.0], [a[1], a[2], 0.0], [a[1], a[3], 0.0], [a[0], a[3], 0.0]]
        return {"key": key, "kind": kind, "direction": direction, "polygon": [[round(v, 3) for v in p] for p in ring]}

    wide, b = 2 * LANE_M, roads.b_x
    return [
        area("lane_a_east", "lane", (x0, x1, -wide, 0.0), "east"),
        area("lane_a_west", "lane", (x0, x1, 0.0, wide), "west"),
        area("lane_b_north", "lane", (b, b + wide, HALF_ROAD_M, y1), "north"),
        area("lane_b_south", "lane", (b - wide, b, HALF_ROAD_M, y1), "south"),
        area("lane_c_east", "lane", (x0, x1, roads.c_y - wide, roads.c_y), "east"),
        area("lane_c_west", "lane", (x0, x1, roads.c_y, roads.c_y + wide), "west"),
        area(
            "crossing_b",
            "crossing",
            (b - HALF_ROAD_M, b + HALF_ROAD_M, roads.crossing_y - 1.5, roads.crossing_y + 1.5),
            "",
        ),
        area("junction_ab", "junction", (b - HALF_ROAD_M, b + HALF_ROAD_M, -HALF_ROAD_M, HALF_ROAD_M), ""),
    ]
