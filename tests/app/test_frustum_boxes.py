"""A cuboid from a 2D box and the points in its frustum, against the generated street's own truth, by an IoU of
shapely's. The generator made the boxes; its cuboids, and so sizes and headings, are kept from the code under test."""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from drive_projects import SAMPLE
from msgspec.structs import replace

from strict_turn import iou_3d
from workstation import open_project
from workstation.app.cloud_ground import Ground
from workstation.app.frustum_boxes import Frustum, cuboid_in_frustum
from workstation.app.frustum_labels import cuboid_of_label
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.reading import Formats
from workstation.app.sample_view import SampleView
from workstation.app.sightings import Sightings, bounds_of
from workstation.app.streams import OpenStreams
from workstation.core.box_fitting import Scene
from workstation.core.cameras import Camera, Pinhole
from workstation.core.errors import UserError
from workstation.core.geometry import Box, Cuboid
from workstation.core.poses import RigidTransform
from workstation.core.rotation import about_z
from workstation.media.base import CloudReader

CAR = (4.4, 1.8, 1.5)
CAMERA = Camera(name="c", frame="c", width_px=960, height_px=540, lens=Pinhole(fx=800.0, fy=800.0, cx=480.0, cy=270.0))
LOOKING_AHEAD = RigidTransform(rotation=(0.5, 0.5, -0.5, 0.5), translation=(0.0, 0.0, 0.0))
"""x right, y down, z ahead from x ahead, y left, z up: the camera stands at the origin."""


def rays(boxes: list[Cuboid], *, step_deg: float = 0.2) -> np.ndarray:
    """Where rays from the origin first meet a box or the ground 1.6 m below; every box upright."""
    up, side = np.radians(np.arange(-14, 4, 0.4)), np.radians(np.arange(-28, 28, step_deg))
    pitch, yaw = (each.ravel() for each in np.meshgrid(up, side))
    ways = np.column_stack([np.cos(pitch) * np.cos(yaw), np.cos(pitch) * np.sin(yaw), np.sin(pitch)])
    with np.errstate(divide="ignore"):
        nearest = np.where(ways[:, 2] < 0, -1.6 / ways[:, 2], np.inf)
    for box in boxes:
        turn = 2 * math.atan2(box.rotation[3], box.rotation[0])
        cos, sin = math.cos(-turn), math.sin(-turn)
        matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        start, along = matrix @ -np.array(box.center), ways @ matrix.T
        with np.errstate(divide="ignore", invalid="ignore"):
            sides = [(sign * np.array(box.size) / 2 - start) / along for sign in (-1, 1)]
        enter, leave = np.minimum(*sides).max(1), np.maximum(*sides).min(1)
        hit = (enter <= leave) & (enter > 0)
        nearest = np.where(hit, np.minimum(nearest, enter), nearest)
    kept = nearest < 80
    found: np.ndarray = ways[kept] * nearest[kept, None]
    return found


def drawn(box: Cuboid) -> tuple[float, float, float, float]:
    """The box a person draws around it: by the pinhole formula."""
    signs = np.array([[(i >> 2 & 1) - 0.5, (i >> 1 & 1) - 0.5, (i & 1) - 0.5] for i in range(8)]) * box.size
    turn = 2 * math.atan2(box.rotation[3], box.rotation[0])
    x = signs[:, 0] * math.cos(turn) - signs[:, 1] * math.sin(turn) + box.center[0]
    y = signs[:, 0] * math.sin(turn) + signs[:, 1] * math.cos(turn) + box.center[1]
    z = signs[:, 2] + box.center[2]
    u, v = 480 - 800 * y / x, 270 - 800 * z / x
    return float(u.min()), float(v.min()), float(u.max()), float(v.max())


def car_at(x: float, y: float, yaw_deg: float) -> Cuboid:
    return Cuboid(center=(x, y, -0.85), size=CAR, rotation=about_z(math.radians(yaw_deg)))


def fit(truth: Cuboid, *beside: Cuboid, jitter: tuple[float, float, float, float] = (0, 0, 0, 0)) -> Cuboid:
    bounds = tuple(edge + by for edge, by in zip(drawn(truth), jitter, strict=True))
    frustum = Frustum(bounds=bounds, camera=CAMERA, camera_from_points=LOOKING_AHEAD)  # type: ignore[arg-type]
    scene = Scene(points=rays([truth, *beside]), ground=None, eye=(0.0, 0.0, 0.0))
    found = cuboid_in_frustum(frustum, scene, (4.5, 1.8, 1.6))
    assert found is not None
    assert found.overlap > 0.8
    return found.cuboid


@pytest.mark.parametrize(
    ("x", "y", "yaw"), [(12.0, 2.0, 0.0), (20.0, -3.0, 25.0), (30.0, 4.0, 90.0), (16.0, 0.0, 60.0)]
)
def test_a_car_in_the_open_gets_its_cuboid(x: float, y: float, yaw: float) -> None:
    truth = car_at(x, y, yaw)
    assert iou_3d(fit(truth), truth) > 0.75


def test_a_post_before_it_and_a_wall_behind_it_are_not_the_car() -> None:
    truth = car_at(18.0, 1.0, 10.0)
    post = Cuboid(center=(9.0, 0.4, -0.6), size=(0.15, 0.15, 2.0))
    wall = Cuboid(center=(26.0, 0.0, 1.0), size=(0.5, 40.0, 5.2))
    assert iou_3d(fit(truth, post, wall), truth) > 0.7


def test_a_box_drawn_a_few_pixels_off_still_finds_it() -> None:
    truth = car_at(18.0, 1.0, 10.0)
    assert iou_3d(fit(truth, jitter=(-3, 2, 4, -2)), truth) > 0.65


def test_nothing_is_fitted_where_nothing_is() -> None:
    frustum = Frustum(bounds=(400, 200, 500, 300), camera=CAMERA, camera_from_points=LOOKING_AHEAD)
    for points in (np.empty((0, 3)), rays([]), np.full((9, 3), np.nan)):
        assert cuboid_in_frustum(frustum, Scene(points=points, ground=None, eye=(0.0, 0.0, 0.0)), CAR) is None


def test_corners_behind_the_camera_overlap_nothing() -> None:
    frustum = Frustum(bounds=(0, 0, 960, 540), camera=CAMERA, camera_from_points=LOOKING_AHEAD)
    assert frustum.overlap(Cuboid(center=(0.0, 0.0, 0.0), size=CAR)) == 0.0
    assert frustum.overlap(Cuboid(center=(-9.0, 0.0, 0.0), size=CAR)) == 0.0


@pytest.mark.slow
def test_on_the_generated_drive_cuboids_are_near_the_truth(three_cameras: Path) -> None:
    """Every label of a picture at every sweep: printed as it falls, and held to what it reached."""
    found: dict[str, list[tuple[float, int, float]]] = defaultdict(list)
    refused: dict[str, int] = defaultdict(int)
    with (
        open_project(three_cameras, read_only=True) as session,
        OpenStreams(three_cameras, readers=Formats().readers) as readers,
    ):
        view = SampleView(session.store, session.open_sample(SAMPLE))
        lidar, placed = view.stream_by_key("lidar_top"), PlacedCuboids(view, readers)
        assert lidar is not None
        reader = readers.reader(lidar)
        assert isinstance(reader, CloudReader)
        ground = Ground.of(placed.calibration, placed.tree, placed.trajectories, lead=lidar.frame, first_ns=0)
        for index, own_ns in enumerate(reader.table.times_ns.tolist()):
            sweep = ground.place(reader.cloud(index), lidar, index, own_ns, correct=True)
            now_ns = lidar.time_map.to_session(own_ns)
            for label in Sightings(view, placed, readers).flat():
                solid = next(each for each in view.annotations_of_entity(label.entity or "") if each.kind == "cuboid")
                true = placed.placed(solid.id, now_ns)
                if true is None or view.moment(label, view.own_ns(label, now_ns)).shape is None:
                    continue
                x, y, z = np.subtract(true[0].center, ground.origin).tolist()
                truth = Cuboid((x, y, z), true[0].size, true[0].rotation)
                class_id, key = view.class_of(label), view.streams[label.stream or ""].key
                name = f"{view.class_name(class_id)} {view.name_of(label.id)} in {key}"
                alone = replace(label, entity=None, class_id=class_id)  # else its cuboid would tell the heading
                try:
                    made = cuboid_of_label(
                        view, placed, alone, sweep.points, frame=ground.frame, origin=ground.origin,
                        session_ns=now_ns, eye=sweep.sensor, heading_rad=0.0,
                    )  # fmt: skip
                except UserError:
                    refused[name] += 1
                    continue
                found[name].append((iou_3d(made.cuboid, truth), made.points, made.range_m))
    for name, rows in sorted(found.items()):
        ious, points, ranges = np.array(rows).T
        sys.stdout.write(
            f"{name}: IoU median {np.median(ious):.2f}, least {ious.min():.2f} over {len(rows)} sweeps, "
            f"{int(np.median(points))} points at {np.median(ranges):.0f} m, {refused[name]} sweeps without a fit\n"
        )
    for name in sorted(set(refused) - set(found)):
        sys.stdout.write(f"{name}: no fit in {refused[name]} sweeps\n")
    vehicles = {name: rows for name, rows in found.items() if name.startswith(("Car", "Truck"))}
    assert len(vehicles) >= 2
    assert np.median([row[0] for rows in vehicles.values() for row in rows]) > 0.8


def test_bounds_of_a_turned_box_hold_its_corners() -> None:
    found = bounds_of(Box(x=0, y=0, width=4, height=2, angle_deg=90))
    assert found == pytest.approx((1, -1, 3, 3))
