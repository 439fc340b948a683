"""The sensors of FX-DRIVE: what is mounted where, and which options there are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from workstation.core.errors import UserError
from workstation.synth.camera import Camera, mounted
from workstation.synth.pose import Floats, Pose, pose
from workstation.synth.raycast import Lidar

SOUND_RATE_HZ = 16_000
IMU_RATE_HZ = 100
GPS_RATE_HZ = 10
CAN_RATE_HZ = 50
RADAR_STEP_NS = 75_000_000
ULTRASONIC_RATE_HZ = 20
SCENES = ("street", "long", "drone", "indoor")
BROWN = (-0.22, 0.05, 0.0006, -0.0004, 0.0)
FISHEYE = (-0.02, 0.004, -0.001, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveOptions:
    """What may differ between two drives. All but ``workers`` change the media."""

    scene: str = "street"
    """street, long (10 minutes at the kerb: one small camera, a thin LiDAR), drone or indoor (a warehouse, no GPS)."""
    seconds: float | None = None
    """Length; the scene's own if left out (20 s, or 600 s)."""
    cameras: int = 3
    """1, 3, 6 or 12."""
    lidars: int = 1
    microphones: int = 1
    """1, or 4 in a square of 20 cm."""
    camera_rate_hz: int = 30
    scale: float = 1.0
    """Picture size and focal length by this factor (tests use a quarter)."""
    row_time_ns: int = 0
    """Rolling shutter: time from row to row; 0 is a global shutter."""
    codec: str = "mpeg4"
    workers: int = 2

    def length_s(self) -> float:
        """Seconds of recording."""
        if self.seconds is not None:
            return self.seconds
        return 600.0 if self.scene == "long" else 20.0


def cameras(options: DriveOptions) -> tuple[Camera, ...]:
    """The cameras; they fire one after another, 7 ms apart at most, so that captures of two never coincide."""
    places = [
        ("front", 0.0, 1000.0, "pinhole"),
        ("left", 50.0, 600.0, "pinhole"),
        ("right", -50.0, 600.0, "brown"),
        ("rear", 180.0, 700.0, "fisheye"),
        ("rear_left", 125.0, 600.0, "pinhole"),
        ("rear_right", -125.0, 600.0, "brown"),
        ("front_wide", 0.0, 520.0, "fisheye"),
        ("front_tele", 0.0, 1800.0, "pinhole"),
        ("side_left", 90.0, 600.0, "pinhole"),
        ("side_right", -90.0, 600.0, "pinhole"),
        ("rear_wide", 180.0, 520.0, "fisheye"),
        ("rear_tele", 180.0, 1400.0, "pinhole"),
    ]
    if options.cameras not in (1, 3, 6, 12):
        raise UserError(f"a drive has 1, 3, 6 or 12 cameras, not {options.cameras}")
    if options.scene == "long":
        return (_kerb_camera(options),)
    high, ahead = {"drone": (0.05, 0.2), "indoor": (0.95, 0.3)}.get(options.scene, (1.5, 1.2))
    out: list[Camera] = []
    for i, (key, yaw, focal, model) in enumerate(places[: options.cameras]):
        a = math.radians(yaw)
        place = mounted(
            ahead * math.cos(a),
            0.6 * math.sin(a),
            high,
            yaw_deg=yaw,
            pitch_deg=25.0 if options.scene == "drone" else 0.0,
        )
        out.append(
            Camera(
                key=f"camera_{key}",
                width=even(960 * options.scale),
                height=even(540 * options.scale),
                focal_px=focal * options.scale,
                ego_from_camera=place,
                model=model,
                distortion={"brown": BROWN, "fisheye": FISHEYE}.get(model, ()),
                rate_hz=options.camera_rate_hz,
                phase_ns=4_000_000 + 2_000_000 * (i * 3 % 7),
                row_time_ns=options.row_time_ns,
            )
        )
    return tuple(out)


def _kerb_camera(options: DriveOptions) -> Camera:
    """The one camera of the long scene: five pictures a second of the road beside it."""
    return Camera(
        key="camera_front",
        width=even(320 * options.scale),
        height=even(180 * options.scale),
        focal_px=190.0 * options.scale,
        ego_from_camera=mounted(1.2, 0.0, 1.5, yaw_deg=50.0),
        rate_hz=5,
        phase_ns=4_000_000,
    )


def lidars(options: DriveOptions) -> tuple[Lidar, ...]:
    """The LiDARs: one on the roof, and two narrow ones at the bumper on request."""
    if options.lidars not in (1, 2, 3):
        raise UserError(f"a drive has 1 to 3 LiDARs, not {options.lidars}")
    high = {"drone": -0.1, "indoor": 1.25}.get(options.scene, 1.9)
    if options.scene == "long":  # thin, and only the side of the road: six thousand sweeps are many
        mount = pose(0.0, 0.0, high, yaw=math.pi / 2)
        return (Lidar(key="lidar_top", ego_from_lidar=mount, rings=8, columns=90, highest_deg=4.0, field_deg=150.0),)
    steep, indoor = options.scene == "drone", options.scene == "indoor"
    lowest, highest = (-60.0, -5.0) if steep else (-24.0, 6.0)
    top = Lidar(key="lidar_top", ego_from_lidar=pose(0.0, 0.0, high), lowest_deg=lowest, highest_deg=highest)
    low = [
        Lidar(
            key=f"lidar_{side}",
            ego_from_lidar=pose(
                0.5 if indoor else 2.0, sign * (0.3 if indoor else 0.7), 0.6, yaw=math.radians(sign * 35.0)
            ),
            rings=16,
            columns=200,
            lowest_deg=-8.0,
            highest_deg=8.0,
            field_deg=120.0,
            range_m=60.0,
        )
        for side, sign in (("front_left", 1), ("front_right", -1))
    ]
    return (top, *low)[: options.lidars]


def radar_mount(options: DriveOptions) -> Pose:
    """``ego_from_radar``."""
    return pose({"drone": 0.3, "indoor": 0.5}.get(options.scene, 2.1), 0.0, 0.5)


def ultrasonic(options: DriveOptions) -> tuple[Lidar, ...]:
    """Four parking sensors, each a small fan of beams whose nearest echo counts."""
    far, wide = (0.55, 0.3) if options.scene == "indoor" else (2.2, 0.6)
    return tuple(
        Lidar(
            key=f"ultrasonic_{name}",
            ego_from_lidar=pose(x, y, 0.5, yaw=math.radians(yaw)),
            rings=3,
            columns=7,
            lowest_deg=-6.0,
            highest_deg=12.0,
            field_deg=50.0,
            range_m=5.0,
            noise_m=0.01,
            nearest_m=0.15,
            weakest=0.0,
        )
        for name, x, y, yaw in (
            ("front_left", far, wide, 20.0),
            ("front_right", far, -wide, -20.0),
            ("rear_left", -far, wide, 160.0),
            ("rear_right", -far, -wide, -160.0),
        )
    )


def microphone_places(options: DriveOptions) -> Floats:
    """C×2 metres in the ego frame (x forward, y left)."""
    if options.microphones == 1:
        return np.zeros((1, 2))
    if options.microphones != 4:
        raise UserError(f"a drive has 1 or 4 microphones, not {options.microphones}")
    return np.array([[0.1, 0.1], [0.1, -0.1], [-0.1, 0.1], [-0.1, -0.1]])


def even(value: float) -> int:
    """The nearest even number: video planes are halved."""
    return max(2, round(value / 2) * 2)
