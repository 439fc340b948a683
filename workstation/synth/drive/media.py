"""Makes the media of FX-DRIVE, in two worker processes, and remembers what only the maker can know.

A job is one camera or a part of a LiDAR's sweeps. Workers build the same street from the seed, so nothing big is sent.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from workstation.media.opencv import cv2
from workstation.synth.camera import Camera
from workstation.synth.drive import signals
from workstation.synth.drive.can_log import DBC, candump
from workstation.synth.drive.place import Place, map_polygons
from workstation.synth.drive.rig import SOUND_RATE_HZ, DriveOptions, cameras, lidars
from workstation.synth.drive.scenes import script_of
from workstation.synth.drive.script import Script
from workstation.synth.drive.stage import Stage
from workstation.synth.drive.warehouse import aisle_polygons, place_of
from workstation.synth.raycast import SWEEP_NS, Body, Caster, Lidar
from workstation.synth.truth import Json
from workstation.synth.writers import (
    VideoWriter,
    rounded,
    write_bin,
    write_csv,
    write_json,
    write_parquet,
    write_pcd,
    write_text,
    write_wav,
)

SHELL_REFLECTIVITY = 0.6
BIN_SWEEPS = 10
"""So many sweeps of the first LiDAR are written a second time in the nuScenes form."""
Job = tuple[str, str, int, int]


def make_media(folder: Path, seed: int, options: DriveOptions) -> Json:
    """Writes everything below ``folder`` and returns what the truth needs."""
    script = script_of(options)
    sweeps = sweep_count(script)
    parts = 4 if options.workers > 1 else 1
    jobs: list[Job] = [("camera", camera.key, 0, 0) for camera in cameras(options)]
    for lidar in lidars(options):
        edges = np.linspace(0, sweeps, parts + 1).astype(int).tolist()
        jobs += [("lidar", lidar.key, a, b) for a, b in pairwise(edges) if b > a]
    knowledge: Json = {"boxes": {}, "points": {}}
    if options.workers > 1:
        with (
            _one_thread_each(),
            ProcessPoolExecutor(
                min(options.workers, len(jobs)),
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_one_thread,
            ) as pool,
        ):
            futures = [pool.submit(run_job, folder, seed, options, job) for job in jobs]
            light = _light_streams(folder, seed, options, script, place_of(script, seed))
            results = [future.result() for future in futures]
    else:
        try:
            results = [run_job(folder, seed, options, job) for job in jobs]
            light = _light_streams(folder, seed, options, script, _stage(options, seed)[1])
        finally:
            _stage.cache_clear()  # workers take theirs with them
    for job, rows in zip(jobs, results, strict=True):
        knowledge["boxes" if job[0] == "camera" else "points"].setdefault(job[1], []).extend(rows)
    return {**knowledge, **light}


def _one_thread() -> None:
    cv2.setNumThreads(1)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Workers fill the cores; threads inside them only get in each other's way (a third more CPU was measured).

    NumPy's BLAS reads this when it is first imported, so only children see it; it is put back afterwards.
    """
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OPENBLAS_NUM_THREADS"]
        else:
            os.environ["OPENBLAS_NUM_THREADS"] = before


def sweep_count(script: Script) -> int:
    """Sweeps whose reference time lies in the recording."""
    return int(np.ceil(script.seconds * 1e9 / SWEEP_NS))


def frame_times(camera: Camera, seconds: float) -> list[int]:
    """Exposure times of a camera, session ns, rounded once."""
    count = int(seconds * camera.rate_hz)
    return [camera.phase_ns + (i * 1_000_000_000 + camera.rate_hz // 2) // camera.rate_hz for i in range(count)]


@functools.lru_cache(maxsize=1)
def _stage(options: DriveOptions, seed: int) -> tuple[Script, Place, Stage]:
    """The street with everything on it, built once in each process: it takes as long as fifty pictures of it."""
    script = script_of(options)
    place = place_of(script, seed)
    return script, place, Stage(script, place)


def run_job(folder: Path, seed: int, options: DriveOptions, job: Job) -> list[Any]:
    """One camera's video or a run of sweeps; the rows are truth."""
    kind, key, first, last = job
    script, place, stage = _stage(options, seed)
    if kind == "camera":
        camera = next(c for c in cameras(options) if c.key == key)
        return _film(folder, camera, stage, script, options)
    lidar = next(x for x in lidars(options) if x.key == key)
    return _sweep_run(
        folder, seed, lidar, stage, script, Caster(place.blocks, place.ground, script.ego), first, last, options
    )


def _film(folder: Path, camera: Camera, stage: Stage, script: Script, options: DriveOptions) -> list[Any]:
    rows: list[Any] = []
    times = frame_times(camera, script.seconds)
    with VideoWriter(
        folder / f"{camera.key}.mp4", width=camera.width, height=camera.height, rate=camera.rate_hz, codec=options.codec
    ) as video:
        for frame, time_ns in enumerate(times):
            image, ids = stage.frame(camera, time_ns / 1e9)
            video.write(image)
            for seen in stage.shown(camera, time_ns / 1e9, ids):
                boxes = [round(v, 2) for v in (*seen.full, *seen.hull)]
                rows.append(
                    [frame, seen.number, *boxes, *(seen.visible or (0, 0, 0, 0)), seen.pixels, int(seen.truncated)]
                )
    write_csv(folder / f"{camera.key}.times.csv", ("frame", "time_ns"), enumerate(times))
    return rows


def _sweep_run(
    folder: Path,
    seed: int,
    lidar: Lidar,
    stage: Stage,
    script: Script,
    caster: Caster,
    first: int,
    last: int,
    options: DriveOptions,
) -> list[Any]:
    rows: list[Any] = []
    ordinal = [x.key for x in lidars(options)].index(lidar.key)
    for sweep in range(first, last):
        t = sweep * SWEEP_NS / 1e9
        here = script.ego.pose_at(t).translation
        bodies = [
            Body(stage.mesh(a, t), a.path, a.number, SHELL_REFLECTIVITY)
            for a in script.actors
            if np.hypot(*(a.path.pose_at(t).translation - here)[:2]) < lidar.range_m + 5
        ]
        got = caster.sweep(lidar, t, bodies, np.random.default_rng([seed, 21, ordinal, sweep]))
        x, y, z = got.points.T
        columns = {"x": x, "y": y, "z": z, "intensity": got.intensity, "ring": got.ring, "time": got.time_s}
        write_pcd(folder / lidar.key / f"{sweep:06d}.pcd", columns)
        if ordinal == 0 and sweep < BIN_SWEEPS:
            write_bin(folder / f"{lidar.key}_bin" / f"{sweep:06d}.bin", (x, y, z, got.intensity, got.ring))
        for number in np.unique(got.number[got.number > 0]):
            mine = got.number == number
            rows.append([sweep, int(number), int(mine.sum()), round(float(got.time_s[mine].mean()), 5)])
    return rows


def _light_streams(folder: Path, seed: int, options: DriveOptions, script: Script, place: Place) -> Json:
    """Everything that takes no time: series, sound, radar, map, words."""
    rng = np.random.default_rng([seed, 31])
    for lidar in lidars(options):
        rows = [
            (i, i * SWEEP_NS - SWEEP_NS // 2, i * SWEEP_NS, i * SWEEP_NS + SWEEP_NS // 2)
            for i in range(sweep_count(script))
        ]
        write_csv(folder / f"{lidar.key}.times.csv", ("sweep", "start_ns", "time_ns", "end_ns"), rows)
    imu, gps, can, poses = (
        signals.imu(script, rng),
        signals.gps(script, rng),
        signals.can(script),
        signals.ego_poses(script),
    )
    for name, columns in (("imu", imu), ("gps", gps), ("can", can), ("ego_pose", poses)):
        if name == "gps" and script.hall:
            continue  # no satellite is heard indoors
        write_csv(folder / f"{name}.csv", list(columns), zip(*(c.tolist() for c in columns.values()), strict=True))
    write_parquet(folder / "can.parquet", can)
    write_text(folder / "can.log", candump(can))
    write_text(folder / "can.dbc", DBC)
    stage, caster = Stage(script, place), Caster(place.blocks, place.ground, script.ego)
    knowledge: Json = {"radar_numbers": [], "radar_cycles": 0}
    if options.scene != "long":
        returns, numbers = signals.radar(script, stage, caster, options, rng)
        write_csv(folder / "radar_front.csv", list(returns), zip(*(c.tolist() for c in returns.values()), strict=True))
        near = signals.ultrasound(script, stage, caster, options, rng)
        write_csv(folder / "ultrasonic.csv", list(near), zip(*near.values(), strict=True))
        knowledge["radar_numbers"] = numbers.tolist()
    samples, events = signals.street_sound(script, options, np.random.default_rng([seed, 41]))
    write_wav(folder / "microphone.wav", samples[:, 0] if samples.shape[1] == 1 else samples, SOUND_RATE_HZ)
    write_json(
        folder / "map.json",
        {"frame": "world", "unit": "m", "areas": aisle_polygons() if script.hall else map_polygons(script.roads)},
    )
    cues = signals.navigation(script)
    write_text(
        folder / "navigation.vtt",
        "WEBVTT\n\n"
        + "\n".join(f"{c['key']}\n{_clock(c['start_ns'])} --> {_clock(c['end_ns'])}\n{c['text']}\n" for c in cues),
    )
    knowledge |= {
        "sound_events": events,
        "cues": cues,
        "ego": rounded(script.ego.at(np.arange(sweep_count(script)) * SWEEP_NS / 1e9).T, 6),
    }
    return knowledge


def _clock(time_ns: int) -> str:
    ms = time_ns // 1_000_000
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"
