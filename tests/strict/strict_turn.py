"""A dozen sweeps of the generated street while the own car turns left, with a parked car, a driven one and a walker
near it: as points with exact truth, and as a project without a label. Used by all who test labelling in space.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from workstation.app.opening import new_project, open_project
from workstation.core.geometry import Cuboid
from workstation.core.poses import transform_of_matrix
from workstation.core.rights import ActorKind
from workstation.core.rotation import about_z, matrix_of
from workstation.core.sample import StreamKind
from workstation.core.space import Calibration, Frame, as_json_values
from workstation.store.media_files import record_file
from workstation.synth.drive.rig import DriveOptions, lidars
from workstation.synth.drive.scenes import script_of
from workstation.synth.drive.script import Actor
from workstation.synth.drive.stage import Stage
from workstation.synth.drive.warehouse import place_of
from workstation.synth.motion import along_line, grid, integrate
from workstation.synth.people import PERSON_SIZE
from workstation.synth.pose import resting
from workstation.synth.raycast import Body, Caster
from workstation.synth.vehicles import SIZES
from workstation.synth.writers import write_csv, write_pcd

SWEEPS = 12
FIRST_S = 9.2
"""Of the play: the wheel is turned most at 9.65 s."""
STEP_NS = 100_000_000
SAMPLE, STREAM, EGO, WORLD = "turn", "lidar_top", "ego", "world"
PARKED, DRIVEN, WALKER = "parked", "driven", "walker"


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """What was measured, and what is true."""

    points: tuple[NDArray[np.float32], ...]
    """In the sensor's frame, each at its own time."""
    times_s: tuple[NDArray[np.float32], ...]
    """Of each point, from the sweep's own time."""
    whose: tuple[NDArray[np.uint8], ...]
    """Number of what was hit; see ``numbers``."""
    numbers: Mapping[str, int]
    cuboids: tuple[Mapping[str, Cuboid], ...]
    """True cuboids in the world by sweep and thing."""
    ego: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]
    """Rotation (3, 3) and place of the vehicle in the world at each sweep."""
    in_world: tuple[NDArray[np.float64], ...]
    """The points in the world, each from where the sensor was at its own time."""


@cache
def turn() -> Turn:
    """Made once a run; 0.1 s a sweep."""
    street = script_of(DriveOptions())
    times = grid(20.0)
    cars = {each.kind: each for each in street.actors}
    drive = along_line((121.5, 2.0), 0.15, integrate(np.full_like(times, 2.5), times, zero_at=FIRST_S))
    actors = (
        replace(cars["car"], key=PARKED, number=1, path=resting(134.5, 9.0, yaw=math.radians(70))),
        replace(cars["van"], key=DRIVEN, number=2, path=drive),
        replace(cars["pedestrian"], key=WALKER, number=3, path=resting(131.0, -6.5, yaw=2.0)),
    )
    street = replace(street, actors=actors)
    place = place_of(street, 0)
    stage, caster = Stage(street, place), Caster(place.blocks, place.ground, street.ego)
    lidar = replace(lidars(DriveOptions())[0], rings=64, columns=1024)
    sensor = lidar.ego_from_lidar
    found: dict[str, list] = {name: [] for name in ("points", "times", "whose", "cuboids", "ego", "world")}
    for sweep in range(SWEEPS):
        now = FIRST_S + sweep * STEP_NS / 1e9
        bodies = [Body(stage.mesh(each, now), each.path, each.number, 0.6) for each in actors]
        got = caster.sweep(lidar, now, bodies, np.random.default_rng([7, sweep]))
        ego = street.ego.pose_at(now)
        found["points"].append(got.points)
        found["times"].append(got.time_s)
        found["whose"].append(got.number)
        found["cuboids"].append({each.key: _cuboid(each, now) for each in actors})
        found["ego"].append((ego.rotation, ego.translation))
        moments, which = np.unique(got.time_s, return_inverse=True)
        there = [street.ego.pose_at(now + float(each)).then(sensor) for each in moments]
        turns = np.array([each.rotation for each in there])[which]
        places = np.array([each.translation for each in there])[which]
        found["world"].append(np.einsum("nij,nj->ni", turns, got.points.astype(np.float64)) + places)
    return Turn(
        points=tuple(found["points"]),
        times_s=tuple(found["times"]),
        whose=tuple(found["whose"]),
        numbers={each.key: each.number for each in actors},
        cuboids=tuple(found["cuboids"]),
        ego=tuple(found["ego"]),
        in_world=tuple(found["world"]),
    )


def _cuboid(actor: Actor, time_s: float) -> Cuboid:
    size = PERSON_SIZE if actor.kind == "pedestrian" else SIZES[actor.kind]
    body = actor.path.pose_at(time_s)
    x, y, z = body.apply(np.array([[0.0, 0.0, size[2] / 2]]))[0].tolist()
    return Cuboid(center=(x, y, z), size=size, rotation=about_z(math.atan2(*body.rotation[:2, 0][::-1])))


def turn_project(folder: Path) -> Path:
    """A project of Ana's with the sweeps, the poses and the rig, and no label."""
    made, street = turn(), script_of(DriveOptions())
    project = new_project(folder, profile="driving", ontology="driving", in_force=True, person="Ana")
    with open_project(project, kind=ActorKind.IMPORT, tool="demo") as session:
        media = session.project.media_folder / SAMPLE
        files = []
        for sweep, (points, times_s) in enumerate(zip(made.points, made.times_s, strict=True)):
            x, y, z = points.T
            path = media / STREAM / f"{sweep:06d}.pcd"
            write_pcd(path, {"x": x, "y": y, "z": z, "time": times_s})
            files.append(path)
        write_csv(media / "lidar.times.csv", ("sweep", "time_ns"), [(i, i * STEP_NS) for i in range(SWEEPS)])
        _write_poses(media / "ego_pose.csv", street.ego.at)
        mount = transform_of_matrix(np.array(lidars(DriveOptions())[0].ego_from_lidar.matrix()))
        frames = (
            Frame(name=EGO, parent=WORLD, trajectory="ego_pose"),
            Frame(name=STREAM, parent=EGO, parent_from_child=mount),
        )
        with session.together("Build the turn") as run:
            run("sample.add", key=SAMPLE)

            def add(key: str, kind: StreamKind, paths: list[Path], **said: object) -> None:
                held = tuple(record_file(session.project.path, path) for path in paths)
                run("stream.add", sample=SAMPLE, key=key, kind=kind, files=msgspec.to_builtins(held), **said)

            add(
                STREAM, StreamKind.CLOUD, files, frame=STREAM,
                options={"times": "../lidar.times.csv", "frame": STREAM},
            )  # fmt: skip
            add(
                "ego_pose", StreamKind.TRAJECTORY, [media / "ego_pose.csv"], frame=WORLD,
                options={"parent_frame": WORLD, "child_frame": EGO},
            )  # fmt: skip
            run("rig.add", sample=SAMPLE, key="vehicle", frames=as_json_values(Calibration(frames=frames).frames))
            run("gate.set", sample=SAMPLE, gate="sync", state="verified", reason="made on one clock")
    return project


def _write_poses(path: Path, ego_at: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> None:
    steps = np.arange(-10, 140)
    at = ego_at(FIRST_S + steps / 100.0)
    rows = []
    for step, (x, y, z, yaw, pitch, roll) in zip(steps.tolist(), at.T.tolist(), strict=True):
        (cy, cp, cr), (sy, sp, sr) = np.cos([yaw / 2, pitch / 2, roll / 2]), np.sin([yaw / 2, pitch / 2, roll / 2])
        w, i = cr * cp * cy + sr * sp * sy, sr * cp * cy - cr * sp * sy
        j, k = cr * sp * cy + sr * cp * sy, cr * cp * sy - sr * sp * cy
        rows.append((step * 10_000_000, x, y, z, w, i, j, k))
    write_csv(path, ("time_ns", "x_m", "y_m", "z_m", "qw", "qx", "qy", "qz"), rows)


def corners(cuboid: Cuboid) -> NDArray[np.float64]:
    """(4, 2) corners of the footprint, and nothing of the program in them but the quaternion's matrix."""
    turn_matrix = matrix_of(cuboid.rotation)
    length, width, _ = cuboid.size
    flat = np.array([[1, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]]) * (length / 2, width / 2, 0)
    return (flat @ turn_matrix.T + np.array(cuboid.center))[:, :2]


def iou_3d(first: Cuboid, second: Cuboid) -> float:
    """Intersection over union of two upright cuboids, by polygons (shapely) and heights."""
    from shapely.geometry import Polygon

    one, other = Polygon(corners(first)), Polygon(corners(second))
    low = max(each.center[2] - each.size[2] / 2 for each in (first, second))
    high = min(each.center[2] + each.size[2] / 2 for each in (first, second))
    shared = one.intersection(other).area * max(0.0, high - low)
    return float(shared / (one.area * first.size[2] + other.area * second.size[2] - shared))
