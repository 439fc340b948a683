"""Who is where when: the scripted traffic of FX-DRIVE, and the map it happens on.

Called by ``stage`` (pictures, LiDAR, radar, sound) and by the truth. World axes: x along the first road, y left, z up.
The own car comes down the first road (A) at 60 km/h, turns left into the second (B) and brakes at exactly
14.327 s for a pedestrian 12 m ahead on a crossing, while a taxi at +30° sounds its horn. Beyond the crossing two cars
pass each other on a third road (C), one of them at 60 km/h.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workstation.synth.machines import MACHINE_SIZES, machine
from workstation.synth.mesh import Color, Finish, Mesh, MeshBuilder
from workstation.synth.motion import along_heading, along_line, grid, integrate, pulse, speed
from workstation.synth.people import PERSON_SIZE, pedestrian
from workstation.synth.pose import Floats, Path6, resting
from workstation.synth.vehicles import SIZES, Size, vehicle

KEY_MOMENT_NS = 14_327_000_000
"""Horn, braking and pedestrian coincide here."""
KEY_MOMENT_S = KEY_MOMENT_NS / 1e9
PEDESTRIAN_RANGE_M = 12.0
HORN_BEARING_DEG = 30.0
FAST_MPS = 60 / 3.6
LANE_M = 1.75
HALF_ROAD_M = 5.5
WALK_MPS = 1.4
MARKER_PLACE = (26.0, 4.6)
MARKER_SIZE: Size = (0.6, 0.6, 0.6)
MARKER_COLOR: Color = (255, 0, 255)
"""A glowing magenta cube at a known place proves the axes: nothing else has its colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """One real thing that is labelled: an entity of the truth."""

    key: str
    number: int
    """Its value in the picture of ids; 1 and up."""
    label: str
    kind: str
    """Which mesh: a vehicle class or ``pedestrian``."""
    size: Size
    path: Path6
    color: Color = (128, 128, 128)
    plate: str = ""
    states: tuple[tuple[float, float, str], ...] = ()
    """(from s, to s, scene state)."""

    def walked_m(self, time_s: float) -> float:
        """How far it has gone since its path began, in whole centimetres (legs need no more)."""
        start = self.path.values[:2, 0]
        here = self.path.at(time_s)[:2, 0]
        return round(float(np.hypot(*(here - start))), 2)

    def mesh_at(self, time_s: float) -> Mesh:
        """Its shape at one instant."""
        if self.kind == "pedestrian":
            return pedestrian(self.walked_m(time_s), coat=self.color)
        if self.kind == "marker":
            return _marker()
        if self.kind in MACHINE_SIZES:
            return machine(self.kind, self.color)
        return vehicle(self.kind, self.color, self.plate)

    def braking_at(self, time_s: float) -> bool:
        """Whether its brake lamps burn: it slows by more than 0.4 m/s², or stands after having braked."""
        if self.kind in ("pedestrian", "marker"):
            return False
        before, after = (float(np.hypot(*self.path.velocity_at(time_s + d)[:2, 0])) for d in (-0.1, 0.1))
        return (after - before) / 0.2 < -0.4

    def state_at(self, time_s: float) -> str:
        """The scene state (moving, parked, waiting, crossing…)."""
        for start, end, state in self.states:
            if start <= time_s < end:
                return state
        return "standing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roads:
    """The roads: A along y = 0, B along x = ``b_x``, C along y = ``c_y``; the crossing is on B at ``crossing_y``."""

    b_x: float
    crossing_y: float
    c_y: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The whole play."""

    seconds: float
    ego: Path6
    actors: tuple[Actor, ...]
    roads: Roads
    horn: Actor
    brake_speed: Floats
    """Own speed on ``grid``, m/s."""
    key_moment: bool = True
    """Whether horn, braking and pedestrian are part of this play."""
    hall: bool = False
    """Indoors: the place is a warehouse, and there is no GPS."""


def street_script(seconds: float = 20.0) -> Script:
    """The standard play of 20 s; a shorter one is its beginning."""
    times = grid(max(seconds, 20.0))
    ego, velocity = _own_motion(times)
    roads, actors = _cast(times, ego)
    horn = next(actor for actor in actors if actor.key == "taxi_1")
    return Script(seconds=seconds, ego=ego, actors=actors, roads=roads, horn=horn, brake_speed=velocity)


def _own_motion(times: Floats) -> tuple[Path6, Floats]:
    velocity = speed(
        times,
        [
            (-2, FAST_MPS),
            (5.0, FAST_MPS),
            (8.2, 6.0),
            (10.6, 6.0),
            (12.8, 8.0),
            (KEY_MOMENT_S, 8.0),
            (17.9, 0.0),
            (18.4, 0.0),
            (21.0, 4.0),
        ],
    )
    # The pedal goes down at the key moment and the car stops 1.8 s later: a firm, even braking after a 0.2 s ramp.
    braking = np.where(times >= KEY_MOMENT_S, np.minimum((times - KEY_MOMENT_S) / 0.2, 1.0) * 4.8, 0.0)
    braked = np.maximum(8.0 - integrate(braking, times, zero_at=KEY_MOMENT_S), 0.0)
    velocity = np.where((times >= KEY_MOMENT_S) & (times < 18.4), braked, velocity)
    turning = pulse(times, 8.4, 10.9, math.pi / 2)
    for start, sign in ((1.2, 1), (2.4, -1), (3.6, -1), (4.8, 1)):  # a change of place within the lane, and back
        turning = turning + pulse(times, start, start + 1.1, sign * math.radians(1.6))
    heading = integrate(turning, times)
    return along_heading((0.0, -LANE_M), velocity, heading, times), velocity


def _marker() -> Mesh:
    build = MeshBuilder()
    build.box((0.0, 0.0, MARKER_SIZE[2] / 2), MARKER_SIZE, MARKER_COLOR, Finish.GLOWING)
    return build.build()


def _cast(times: Floats, ego: Path6) -> tuple[Roads, tuple[Actor, ...]]:
    at_key = ego.pose_at(KEY_MOMENT_S)
    here = at_key.translation
    b_x = float(here[0]) - LANE_M
    side = 1.2
    ahead = math.sqrt(PEDESTRIAN_RANGE_M**2 - side**2)
    crossing_y = float(here[1]) + ahead
    roads = Roads(
        b_x=b_x,
        crossing_y=crossing_y,
        c_y=crossing_y + 36.0,
        x_range=(-40.0, b_x + 70.0),
        y_range=(-30.0, crossing_y + 130.0),
    )
    cast = _Cast()
    _on_the_first_road(cast, times)
    _at_the_crossing(cast, times, roads, here, side)
    _on_the_second_road(cast, times, roads)
    _beyond(cast, times, roads)
    return roads, tuple(cast.actors)


NORTH, SOUTH, EAST, WEST = math.pi / 2, -math.pi / 2, 0.0, math.pi
MOVING = ((-1.0, 1e9, "moving"),)


class _Cast:
    """Collects the actors."""

    def __init__(self) -> None:
        self.actors: list[Actor] = []

    def add(
        self,
        key: str,
        kind: str,
        path: Path6,
        *,
        label: str | None = None,
        color: Color = (128, 128, 128),
        plate: str = "",
        states: Sequence[tuple[float, float, str]] = ((-1.0, 1e9, "parked"),),
    ) -> None:
        """One more actor, numbered in order."""
        size = {"pedestrian": PERSON_SIZE, "marker": MARKER_SIZE}.get(kind) or SIZES[kind]
        self.actors.append(
            Actor(
                key=key,
                number=len(self.actors) + 1,
                label=label or kind,
                kind=kind,
                size=size,
                path=path,
                color=color,
                plate=plate,
                states=tuple(states),
            )
        )


def _on_the_first_road(cast: _Cast, times: Floats) -> None:
    cast.add(
        "car_1",
        "car",
        along_line((24.0, -LANE_M), EAST, integrate(np.full_like(times, FAST_MPS), times)),
        color=(178, 34, 40),
        plate="RX 204",
        states=MOVING,
    )
    cast.add(
        "van_1",
        "van",
        along_line((120.0, LANE_M), WEST, integrate(np.full_like(times, 12.0), times)),
        color=(232, 232, 228),
        plate="VN 118",
        states=MOVING,
    )
    cast.add("truck_1", "truck", resting(47.0, -4.5, yaw=EAST), color=(52, 92, 148), plate="TK 771")
    cast.add("car_2", "car", resting(66.0, 4.5, yaw=WEST), color=(40, 70, 150), plate="BL 902")


def _at_the_crossing(cast: _Cast, times: Floats, roads: Roads, here: Floats, side: float) -> None:
    b_x, crossing_y = roads.b_x, roads.crossing_y
    walk_start = KEY_MOMENT_S - (HALF_ROAD_M + 0.4 - LANE_M - side) / WALK_MPS
    walking = np.where(times > walk_start, WALK_MPS, 0.0)
    walked = integrate(walking, times, zero_at=KEY_MOMENT_S)
    cast.add(
        "pedestrian_1",
        "pedestrian",
        along_line((b_x + LANE_M + side, crossing_y), WEST, walked),
        color=(196, 52, 48),
        states=((-1.0, walk_start, "waiting"), (walk_start, 1e9, "crossing")),
    )
    bearing = math.radians(HORN_BEARING_DEG)
    lateral = 4.9
    taxi = (float(here[0]) - lateral, float(here[1]) + lateral / math.tan(bearing))
    cast.add(
        "taxi_1",
        "car",
        resting(*taxi, yaw=SOUTH + 0.2),
        color=(238, 190, 30),
        plate="TX 300",
        states=((-1.0, 1e9, "standing"),),
    )


def _on_the_second_road(cast: _Cast, times: Floats, roads: Roads) -> None:
    b_x, crossing_y = roads.b_x, roads.crossing_y
    slowing = speed(times, [(-2, 7.0), (12.0, 7.0), (15.4, 0.0), (30, 0.0)])
    cast.add(
        "auto_rickshaw_1",
        "auto_rickshaw",
        along_line((b_x - LANE_M, crossing_y + 4.6 + 0.0), SOUTH, integrate(slowing, times, zero_at=20.0)),
        color=(236, 196, 40),
        plate="AR 55",
        states=((-1.0, 15.4, "moving"), (15.4, 1e9, "waiting")),
    )
    cast.add(
        "motorcycle_1",
        "motorcycle",
        along_line((b_x + LANE_M, crossing_y + 2.0), NORTH, integrate(np.full_like(times, 8.5), times, zero_at=12.0)),
        color=(30, 90, 60),
        plate="MC 81",
        states=MOVING,
    )
    cast.add(
        "electric_scooter_1",
        "electric_scooter",
        along_line((b_x + 4.5, crossing_y + 3.0), NORTH, integrate(np.full_like(times, 3.2), times, zero_at=14.0)),
        color=(40, 160, 150),
        states=MOVING,
    )


def _beyond(cast: _Cast, times: Floats, roads: Roads) -> None:
    b_x, crossing_y = roads.b_x, roads.crossing_y
    cross_s = 17.0
    cast.add(
        "car_3",
        "car",
        along_line(
            (b_x + 1.0, roads.c_y - LANE_M), EAST, integrate(np.full_like(times, FAST_MPS), times, zero_at=cross_s)
        ),
        color=(34, 120, 74),
        plate="GN 460",
        states=MOVING,
    )
    cast.add(
        "car_4",
        "car",
        along_line((b_x + 1.0, roads.c_y + LANE_M), WEST, integrate(np.full_like(times, 11.0), times, zero_at=cross_s)),
        color=(225, 226, 230),
        plate="WH 117",
        states=MOVING,
    )
    cast.add("car_5", "car", resting(b_x + 4.5, crossing_y + 12.0, yaw=NORTH), color=(110, 112, 118), plate="GR 315")
    cast.add("car_6", "car", resting(b_x - 4.5, crossing_y + 24.0, yaw=SOUTH), color=(126, 44, 96), plate="PU 640")
    cast.add("car_far", "car", resting(b_x + 1.9, crossing_y + 92.0, yaw=SOUTH), color=(60, 66, 72), plate="FA 999")
    strolling = integrate(np.full_like(times, 1.3), times)
    cast.add(
        "marker_1",
        "marker",
        resting(*MARKER_PLACE),
        label="calibration_target",
        color=MARKER_COLOR,
        states=((-1.0, 1e9, "standing"),),
    )
    cast.add(
        "pedestrian_2",
        "pedestrian",
        along_line((36.0, 7.2), EAST, strolling),
        color=(60, 110, 170),
        states=((-1.0, 1e9, "walking"),),
    )
