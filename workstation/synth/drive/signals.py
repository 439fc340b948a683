"""The signals of FX-DRIVE beside pictures and clouds: motion sensors, CAN, radar, ultrasound, sound, words.

Each function takes the script and returns arrays; nothing here writes a file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.synth import sound
from workstation.synth.drive.rig import (
    CAN_RATE_HZ,
    GPS_RATE_HZ,
    IMU_RATE_HZ,
    RADAR_STEP_NS,
    SOUND_RATE_HZ,
    ULTRASONIC_RATE_HZ,
    DriveOptions,
    microphone_places,
    radar_mount,
    ultrasonic,
)
from workstation.synth.drive.script import HORN_BEARING_DEG, KEY_MOMENT_NS, KEY_MOMENT_S, Script
from workstation.synth.drive.stage import Stage
from workstation.synth.motion import LEAD_S, STEP_S
from workstation.synth.pose import Floats, rotations
from workstation.synth.raycast import Body, Caster

Columns = dict[str, NDArray[Any]]
_ROADSIDE = (((18.0, 6.0), (31.0, -6.4), (52.0, 6.2)), ((5.0, 2.3), (9.0, -2.3), (14.0, 2.3)))
"""What stands beside the way and echoes, ahead and left of the vehicle in m: in the street, in the hall."""
HORN_S = 0.9
SQUEAL_S = 1.7
SIREN = (13.6, 18.5)
LATITUDE, LONGITUDE = 52.0, 5.0
GRAVITY = 9.80665


def even_times(seconds: float, rate_hz: int) -> NDArray[np.int64]:
    """Session times of an even series, ns, rounded once each."""
    count = int(seconds * rate_hz)
    return np.array([(i * 1_000_000_000 + rate_hz // 2) // rate_hz for i in range(count)], dtype=np.int64)


def imu(script: Script, rng: np.random.Generator) -> Columns:
    """Specific force (m/s²) and turn rate (rad/s) in the ego frame at 100 Hz, with a little noise."""
    times = even_times(script.seconds, IMU_RATE_HZ)
    s = times / 1e9
    half = 0.02
    speed = (script.ego.velocity_at(s + half)[:3] - script.ego.velocity_at(s - half)[:3]) / (2 * half)
    at, rate = script.ego.at(s), script.ego.velocity_at(s, 0.02)
    turns = rotations(at[3], at[4], at[5])
    force = np.einsum("nji,nj->ni", turns, speed.T + np.array([0.0, 0.0, GRAVITY]))
    spin = np.stack([rate[5], rate[4], rate[3]], axis=1)
    force = force + rng.normal(0, 0.03, force.shape)
    spin = spin + rng.normal(0, 0.0015, spin.shape)
    names = ("accel_x_mps2", "accel_y_mps2", "accel_z_mps2", "gyro_x_radps", "gyro_y_radps", "gyro_z_radps")
    values = np.round(np.concatenate([force, spin], axis=1), 5)
    return {"time_ns": times, **{name: values[:, i] for i, name in enumerate(names)}}


def gps(script: Script, rng: np.random.Generator) -> Columns:
    """Positions at 10 Hz with 0.3 m of noise; one second without reception is missing rows, not zeros."""
    times = even_times(script.seconds, GPS_RATE_HZ)
    times = times[(times < 6_000_000_000) | (times >= 7_000_000_000)]
    at, rate = script.ego.at(times / 1e9), script.ego.velocity_at(times / 1e9, 0.1)
    east, north = at[0] + rng.normal(0, 0.3, len(times)), at[1] + rng.normal(0, 0.3, len(times))
    return {
        "time_ns": times,
        "latitude_deg": np.round(LATITUDE + np.degrees(north / 6_371_000.0), 8),
        "longitude_deg": np.round(LONGITUDE + np.degrees(east / (6_371_000.0 * math.cos(math.radians(LATITUDE)))), 8),
        "altitude_m": np.round(at[2] + 14.0 + rng.normal(0, 0.5, len(times)), 2),
        "speed_mps": np.round(np.hypot(rate[0], rate[1]), 3),
        "course_deg": np.round(np.degrees(np.arctan2(rate[0], rate[1])) % 360, 2),
    }


def can(script: Script) -> Columns:
    """Decoded CAN at 50 Hz; the message that says "brake" is sent at once, between two ticks."""
    times = even_times(script.seconds, CAN_RATE_HZ)
    brakes = script.key_moment and script.seconds > KEY_MOMENT_S
    if brakes:
        times = np.sort(np.append(times, KEY_MOMENT_NS))
    s = times / 1e9
    grid = -LEAD_S + STEP_S * np.arange(len(script.brake_speed))
    speed = np.interp(s, grid, script.brake_speed)
    push = (np.interp(s + 0.02, grid, script.brake_speed) - np.interp(s - 0.02, grid, script.brake_speed)) / 0.04
    braking = (times >= KEY_MOMENT_NS) & (s < 18.4) & brakes
    turn = script.ego.velocity_at(s, 0.02)[3]
    steer = np.degrees(np.arctan2(turn * 2.7, np.maximum(speed, 0.5))) * 15.0
    pedal = np.where(braking, np.clip((s - KEY_MOMENT_S) / 0.2, 0.02, 1.0) * 62.0, np.clip(-push - 0.6, 0, None) * 12.0)
    return {
        "time_ns": times,
        "speed_kph": np.round(speed * 3.6, 2),
        "brake_pedal_pct": np.round(pedal, 1),
        "brake_switch": (pedal > 0.5).astype(np.int64),
        "throttle_pct": np.round(np.clip(push + 0.4, 0, None) * 14.0 * (pedal < 0.5), 1),
        "steering_wheel_deg": np.round(steer, 2),
        "turn_signal_left": ((s > 6.8) & (s < 10.8) & script.key_moment).astype(np.int64),
    }


def ego_poses(script: Script) -> Columns:
    """``world_from_ego`` at 100 Hz: metres and a unit quaternion."""
    times = even_times(script.seconds, 100)
    at = script.ego.at(times / 1e9)
    half = at[3:] / 2
    (cy, cp, cr), (sy, sp, sr) = np.cos(half), np.sin(half)
    quat = [
        cr * cp * cy + sr * sp * sy,
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
    ]
    columns: Columns = {"time_ns": times}
    columns |= {name: np.round(at[i], 6) for i, name in enumerate(("x_m", "y_m", "z_m"))}
    columns |= {name: np.round(q, 9) for name, q in zip(("qw", "qx", "qy", "qz"), quat, strict=True)}
    return columns


def radar(
    script: Script, stage: Stage, caster: Caster, options: DriveOptions, rng: np.random.Generator
) -> tuple[Columns, NDArray[np.int64]]:
    """4-D radar returns in the radar's frame, and per return the actor it came from (0: scenery), which is truth."""
    rows: list[list[float]] = []
    numbers: list[int] = []
    for cycle, time_ns in enumerate(range(0, int(script.seconds * 1e9), RADAR_STEP_NS)):
        t = time_ns / 1e9
        world_from_radar = script.ego.pose_at(t).then(radar_mount(options))
        motion = script.ego.velocity_at(t)[:3, 0]
        for actor in script.actors:
            body = actor.path.pose_at(t)
            points = body.apply(stage.mesh(actor, t).vertices)
            local = world_from_radar.inverse().apply(points)
            if (
                local[:, 0].min() < 1.0
                or np.linalg.norm(local.mean(axis=0)) > 120
                or abs(math.atan2(local[:, 1].mean(), local[:, 0].mean())) > 1.0
            ):
                continue
            if not caster.clear(world_from_radar.translation, points.mean(axis=0)):
                continue
            near = np.argsort(np.linalg.norm(local, axis=1))[: max(len(local) // 3, 6)]
            count = 1 if actor.kind in ("pedestrian", "electric_scooter", "marker") else int(rng.integers(2, 5))
            velocity = actor.path.velocity_at(t)[:3, 0] - motion
            for i in rng.choice(near, count, replace=False):
                rows.append(
                    [
                        cycle,
                        time_ns,
                        *_return(
                            local[i],
                            points[i] - world_from_radar.translation,
                            velocity,
                            9.0 if count > 1 else -2.0,
                            rng,
                        ),
                    ]
                )
                numbers.append(actor.number)
        for x, y in _ROADSIDE[script.hall]:  # what stands at the roadside moves towards us
            place = script.ego.pose_at(t).apply(np.array([[x, y, 1.0]]))
            local = world_from_radar.inverse().apply(place)
            rows.append(
                [cycle, time_ns, *_return(local[0], place[0] - world_from_radar.translation, -motion, 2.0, rng)]
            )
            numbers.append(0)
    table = np.array(rows)
    names = ("range_m", "azimuth_rad", "elevation_rad", "doppler_mps", "rcs_dbsm", "x_m", "y_m", "z_m")
    columns: Columns = {"cycle": table[:, 0].astype(np.int64), "time_ns": table[:, 1].astype(np.int64)}
    columns |= {name: np.round(table[:, 2 + i], 4) for i, name in enumerate(names)}
    return columns, np.array(numbers)


def _return(local: Floats, sight: Floats, velocity: Floats, strength: float, rng: np.random.Generator) -> list[float]:
    away = float(np.linalg.norm(local)) + rng.normal(0, 0.12)
    azimuth = math.atan2(local[1], local[0]) + rng.normal(0, 0.004)
    rise = math.atan2(local[2], math.hypot(local[0], local[1])) + rng.normal(0, 0.006)
    doppler = float(velocity @ sight / np.linalg.norm(sight)) + rng.normal(0, 0.06)
    place = [
        away * math.cos(rise) * math.cos(azimuth),
        away * math.cos(rise) * math.sin(azimuth),
        away * math.sin(rise),
    ]
    return [away, azimuth, rise, doppler, strength + rng.normal(0, 1.5), *place]


def ultrasound(
    script: Script, stage: Stage, caster: Caster, options: DriveOptions, rng: np.random.Generator
) -> dict[str, list[Any]]:
    """Distances of four sensors at 20 Hz; no echo within 5 m is an empty cell."""
    times = even_times(script.seconds, ULTRASONIC_RATE_HZ)
    columns: dict[str, list[Any]] = {"time_ns": times.tolist()}
    sensors = ultrasonic(options)
    for sensor in sensors:
        columns[f"{sensor.key}_m"] = []
    for t in (times / 1e9).tolist():
        here = script.ego.pose_at(t).translation
        bodies = [
            Body(stage.mesh(a, t), a.path, a.number, 0.6)
            for a in script.actors
            if np.hypot(*(a.path.pose_at(t).translation - here)[:2]) < 12.0
        ]
        for sensor in sensors:
            points = caster.sweep(sensor, t, bodies, rng, ground=False).points
            gaps = np.linalg.norm(points, axis=1) if len(points) else np.array([])
            columns[f"{sensor.key}_m"].append(round(float(gaps.min()), 2) if len(gaps) else "")
    return columns


def street_sound(
    script: Script, options: DriveOptions, rng: np.random.Generator
) -> tuple[NDArray[np.float64], list[Mapping[str, Any]]]:
    """N×C samples at 16 kHz and the sound events with their exact first sample."""
    rate = SOUND_RATE_HZ
    count = int(script.seconds * rate)
    s = np.arange(count) / rate
    grid = -LEAD_S + STEP_S * np.arange(len(script.brake_speed))
    base = sound.engine(np.interp(s, grid, script.brake_speed), rate, rng) * 0.05 + sound.room(count, rate, rng)
    ego = script.ego.at(s[::160])
    for actor in script.actors:
        if actor.kind in ("pedestrian", "electric_scooter", "marker"):
            continue
        at = actor.path.at(s[::160])
        gap = np.interp(s, s[::160], np.hypot(*(at[:2] - ego[:2])))
        moving = np.interp(s, s[::160], np.hypot(*actor.path.velocity_at(s[::160])[:2]))
        base += sound.passing(gap, rate, rng) * 0.03 * np.minimum(moving / 8.0, 1.0)
    places = microphone_places(options)
    tracks = np.repeat(base[:, None], len(places), axis=1)
    bearing = math.radians(HORN_BEARING_DEG)
    events: list[Mapping[str, Any]] = []

    def event(
        key: str, label: str, wave: NDArray[np.float64], start: int, angle: float, gain: float, source: str | None
    ) -> None:
        if start >= count or not script.key_moment:
            return
        heard = sound.microphones(wave, angle, places, rate) if len(places) > 1 else wave[:, None]
        for c in range(len(places)):
            sound.add(tracks[:, c], heard[:, c], start, gain)
        end = min(start + len(wave), count)
        events.append(
            {
                "key": key,
                "class": label,
                "start_sample": start,
                "end_sample": end,
                "start_ns": start * 1_000_000_000 // rate,
                "end_ns": end * 1_000_000_000 // rate,
                "bearing_deg": math.degrees(angle),
                "source": source,
            }
        )

    onset = KEY_MOMENT_NS * rate // 1_000_000_000
    event("horn", "horn", sound.horn(HORN_S, rate), onset, bearing, 0.5, script.horn.key)
    event("squeal", "brake_noise", sound.squeal(SQUEAL_S, rate, rng), onset, 0.0, 0.05, "ego")
    t = np.arange(int((SIREN[1] - SIREN[0]) * rate)) / rate
    wail = np.sin(2 * math.pi * np.cumsum(720 + 240 * np.sign(np.sin(2 * math.pi * 0.9 * t))) / rate) * np.minimum(
        t / 0.8, 1.0
    )
    event("siren", "siren", wail, int(SIREN[0] * rate), math.radians(-100), 0.02, None)
    return np.clip(tracks, -0.99, 0.99), events


def navigation(script: Script) -> list[dict[str, Any]]:
    """What the navigation says and when."""
    cues = [
        (0.5, 3.0, "Continue straight for one hundred metres."),
        (4.0, 6.5, "In fifty metres, turn left."),
        (7.5, 9.0, "Turn left."),
        (11.5, 13.5, "Continue straight. Caution, crossing ahead."),
    ]
    return [
        {"key": f"cue_{i}", "start_ns": round(a * 1e9), "end_ns": round(b * 1e9), "text": text}
        for i, (a, b, text) in enumerate(cues)
        if b <= script.seconds and script.key_moment
    ]
