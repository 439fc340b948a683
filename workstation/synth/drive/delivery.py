"""What FX-DRIVE hands over: streams with clocks and calibration, labels with links, and the truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from workstation.synth.drive.media import frame_times, sweep_count
from workstation.synth.drive.rig import DriveOptions, cameras, lidars, microphone_places, radar_mount, ultrasonic
from workstation.synth.drive.script import KEY_MOMENT_NS, MARKER_PLACE, MARKER_SIZE, Actor, Script
from workstation.synth.drive.stage import cuboid_corners
from workstation.synth.pose import pose, quaternion
from workstation.synth.raycast import SWEEP_NS
from workstation.synth.truth import Bundle, Json, link, span, track

FEWEST_POINTS = 5
"""An actor with fewer LiDAR points has no cuboid; its absence is declared."""
FEWEST_PIXELS = 60
LICENCE = "CC0-1.0 (generated)"
BOX_COLUMNS = [
    "frame",
    "number",
    "full_x",
    "full_y",
    "full_w",
    "full_h",
    "hull_x",
    "hull_y",
    "hull_w",
    "hull_h",
    "visible_x",
    "visible_y",
    "visible_w",
    "visible_h",
    "pixels",
    "truncated",
]


def bundle_of(script: Script, options: DriveOptions, knowledge: Json) -> Bundle:
    """The clean hand-over."""
    sample = {
        "fixture": "FX-DRIVE",
        "key": f"drive-{options.scene}",
        "profile": "driving",
        "streams": _streams(options, script),
        "attachments": [
            {"path": "media/can.log", "about": "the raw CAN log (candump -L) behind the stream can, not decoded"},
            {"path": "media/can.dbc", "about": "what its frames mean"},
        ],
        "rig": _rig(options),
    }
    labels = _Labels(script, options, knowledge).all()
    return Bundle(sample=sample, labels=labels, truth=_truth(script, options, knowledge))


def _clock(source: str, *, locked: bool = True) -> Json:
    return {"source": source, "locked": locked, "reported_offset_ns": 0 if locked else None, "origin": "session zero"}


def _streams(options: DriveOptions, script: Script) -> list[Json]:
    ptp, free = _clock("ptp"), _clock("free-running", locked=False)
    out: list[Json] = []

    def add(key: str, kind: str, path: str, *, clock: Json, **more: Any) -> None:
        out.append(
            {
                "key": key,
                "kind": kind,
                "path": f"media/{path}",
                "clock": dict(clock),
                "offset_ns": 0,
                "recording": "session_1",
                "licence": LICENCE,
                **more,
            }
        )

    for camera in cameras(options):
        add(
            camera.key,
            "video",
            f"{camera.key}.mp4",
            clock=ptp,
            role="camera",
            times=f"media/{camera.key}.times.csv",
            rate_hz=camera.rate_hz,
            frame=camera.key,
            first_ns=camera.phase_ns,
        )
    for lidar in lidars(options):
        add(
            lidar.key,
            "cloud",
            lidar.key,
            clock=ptp,
            role="lidar",
            times=f"media/{lidar.key}.times.csv",
            rate_hz=10,
            frame=lidar.key,
            time_meaning="time_ns is when the beam looks forward; the field time of a point is seconds from it",
            spin="clockwise seen from above",
        )
    if options.scene != "long":
        add("radar_front", "radar", "radar_front.csv", clock=ptp, role="radar", rate_hz=1e9 / 75e6, frame="radar_front")
        add("ultrasonic", "series", "ultrasonic.csv", clock=ptp, role="ultrasonic", rate_hz=20, unit="m")
    add("imu", "series", "imu.csv", clock=ptp, role="imu", rate_hz=100, frame="ego")
    if not script.hall:
        add("gps", "series", "gps.csv", clock=_clock("gnss"), role="gps", rate_hz=10)
    add("can", "series", "can.csv", clock=_clock("gateway"), role="can", rate_hz=50)
    add("ego_pose", "trajectory", "ego_pose.csv", clock=ptp, role="pose", rate_hz=100, frame="world_from_ego")
    add(
        "microphone",
        "audio",
        "microphone.wav",
        clock=free,
        role="street",
        rate_hz=16000,
        channels=options.microphones,
        places_m=microphone_places(options).tolist(),
    )
    add("map", "map", "map.json", clock=free, role="map", frame="world")
    add("navigation", "text", "navigation.vtt", clock=free, role="navigation", language="en")
    return out


def _rig(options: DriveOptions) -> Json:
    frames: list[Json] = [
        {"name": "world", "parent": None},
        {"name": "ego", "parent": "world", "from": "stream ego_pose (world_from_ego)"},
    ]
    mounts = {camera.key: camera.ego_from_camera for camera in cameras(options)}
    mounts |= {lidar.key: lidar.ego_from_lidar for lidar in lidars(options)}
    if options.scene != "long":
        mounts |= {sensor.key: sensor.ego_from_lidar for sensor in ultrasonic(options)}
        mounts["radar_front"] = radar_mount(options)
    frames += [{"name": key, "parent": "ego", "parent_from_child": mount.matrix()} for key, mount in mounts.items()]
    return {
        "version": 1,
        "unit": "m",
        "axes": "x forward, y left, z up",
        "direction": "parent_from_child",
        "frames": frames,
        "cameras": {camera.key: camera.calibration() for camera in cameras(options)},
    }


class _Labels:
    """Builds the clean labels from what the cameras and the LiDAR really saw."""

    def __init__(self, script: Script, options: DriveOptions, knowledge: Json) -> None:
        self._script, self._options, self._knowledge = script, options, knowledge
        self._lidar = lidars(options)[0].key
        self._points = {(row[0], row[1]): row[2] for row in knowledge["points"].get(self._lidar, [])}
        self._cameras = cameras(options)
        self._times = {camera.key: np.array(frame_times(camera, script.seconds)) for camera in self._cameras}
        self._boxes = {key: {(row[0], row[1]): row for row in rows} for key, rows in knowledge["boxes"].items()}

    def all(self) -> Json:
        entities = [
            {"id": a.key, "class": a.label, "size": list(a.size), "plate": a.plate} for a in self._script.actors
        ]
        cuboids = [c for c in map(self._cuboid_track, self._script.actors) if c is not None]
        boxes = [
            b
            for camera in self._cameras
            for a in self._script.actors
            if (b := self._box_track(camera.key, a)) is not None
        ]
        spans = self._spans()
        links = self._same_object(cuboids, boxes) + self._absences(boxes) + self._key_links(spans)
        return {"entities": entities, "annotations": cuboids + boxes + spans, "links": links}

    def _cuboid_track(self, actor: Actor) -> Json | None:
        keys: list[Json] = []
        for sweep in range(sweep_count(self._script)):
            count = self._points.get((sweep, actor.number), 0)
            if count < FEWEST_POINTS:
                if keys and keys[-1]["visible"]:
                    keys.append({"time_ns": sweep * SWEEP_NS, "visible": False})
                continue
            t = sweep * SWEEP_NS / 1e9
            body = actor.path.pose_at(t)
            center = body.apply(np.array([[0.0, 0.0, actor.size[2] / 2]]))[0]
            shape = {
                "kind": "cuboid",
                "center": [round(float(v), 4) for v in center],
                "size": list(actor.size),
                "rotation": [round(q, 9) for q in quaternion(body.rotation)],
            }
            keys.append(
                {
                    "time_ns": sweep * SWEEP_NS,
                    "visible": True,
                    "shape": shape,
                    "points": count,
                    "attributes": {"state": actor.state_at(t)},
                }
            )
        if not any(k["visible"] for k in keys):
            return None
        return track(f"cuboid/{actor.key}", self._lidar, actor.key, actor.label, keys, frame="world")

    def _box_track(self, camera: str, actor: Actor) -> Json | None:
        keys: list[Json] = []
        times = self._times[camera]
        for sweep in range(sweep_count(self._script)):
            frame = int(np.abs(times - sweep * SWEEP_NS).argmin())
            row = self._boxes[camera].get((frame, actor.number))
            if row is None or row[14] < FEWEST_PIXELS:
                if keys and keys[-1]["visible"]:
                    keys.append({"time_ns": int(times[frame] - times[0]), "frame": frame, "visible": False})
                continue
            t = float(times[frame]) / 1e9
            shape = {"kind": "box", "x": row[2], "y": row[3], "width": row[4], "height": row[5]}
            share = min(1.0, row[12] * row[13] / max(row[4] * row[5], 1.0))
            attributes = {
                "state": actor.state_at(t),
                "brake_lights": actor.braking_at(t),
                "occluded": bool(share < 0.6),
                "truncated": bool(row[15]),
            }
            keys.append(
                {
                    "time_ns": int(times[frame] - times[0]),
                    "frame": frame,
                    "visible": True,
                    "shape": shape,
                    "attributes": attributes,
                }
            )
        if not any(k["visible"] for k in keys):
            return None
        return track(f"box/{camera}/{actor.key}", camera, actor.key, actor.label, keys)

    def _spans(self) -> list[Json]:
        out = [
            span(
                f"sound/{e['key']}",
                "microphone",
                e["class"],
                e["start_ns"],
                e["end_ns"],
                entity=e["source"] if e["source"] != "ego" else None,
                attributes={"bearing_deg": e["bearing_deg"]},
            )
            for e in self._knowledge["sound_events"]
        ]
        end = round(self._script.seconds * 1e9)
        out.append(span("sound/clip", "microphone", "street_traffic", 0, end, level="clip"))
        if self._script.key_moment:
            if end > KEY_MOMENT_NS:
                out.append(
                    span(
                        "can/braking",
                        "can",
                        "braking",
                        KEY_MOMENT_NS,
                        min(16_194_000_000, end),
                        attributes={"state": "braking"},
                    )
                )
            if end > 8_400_000_000:
                out.append(
                    span(
                        "can/turn_left",
                        "can",
                        "turning_left",
                        8_400_000_000,
                        min(10_900_000_000, end),
                        attributes={"state": "turning_left"},
                    )
                )
        return out

    def _same_object(self, cuboids: list[Json], boxes: list[Json]) -> list[Json]:
        """Once a second, box and cuboid of the same thing from the captures nearest to each other."""
        out: list[Json] = []
        solid = {c["entity"]: {k["time_ns"]: k for k in c["keyframes"]} for c in cuboids}
        for box in boxes:
            first = int(self._times[box["stream"]][0])
            for key in box["keyframes"]:
                sweep = round((key["time_ns"] + first) / SWEEP_NS)
                cuboid = solid.get(box["entity"], {}).get(sweep * SWEEP_NS)
                if sweep % 10 or not key["visible"] or cuboid is None or not cuboid["visible"]:
                    continue
                ends = [
                    {"role": "box", "annotation": box["id"], "time_ns": key["time_ns"]},
                    {"role": "cuboid", "annotation": f"cuboid/{box['entity']}", "time_ns": sweep * SWEEP_NS},
                ]
                out.append(
                    link(
                        f"same/{box['stream']}/{box['entity']}/{sweep:04d}",
                        "same-object",
                        ends,
                        residual_ns=key["time_ns"] + first - sweep * SWEEP_NS,
                    )
                )
        return out

    def _absences(self, boxes: list[Json]) -> list[Json]:
        """Seen by a camera, but with too few points: said so, with the reason, per run of sweeps."""
        out: list[Json] = []
        for box in boxes:
            number = next(a.number for a in self._script.actors if a.key == box["entity"])
            first = int(self._times[box["stream"]][0])
            lacking = [
                s
                for k in box["keyframes"]
                if k["visible"]
                and self._points.get((s := round((k["time_ns"] + first) / SWEEP_NS), number), 0) < FEWEST_POINTS
            ]
            for run in _runs(lacking):
                some = any(self._points.get((s, number), 0) for s in run)
                ends = [{"role": "item", "annotation": box["id"]}, {"role": "absent_in", "stream": self._lidar}]
                out.append(
                    link(
                        f"absent/{box['stream']}/{box['entity']}/{run[0]:04d}",
                        "absent",
                        ends,
                        reason="sparse" if some else "occluded or out of range",
                        start_ns=run[0] * SWEEP_NS,
                        end_ns=(run[-1] + 1) * SWEEP_NS,
                    )
                )
        return out

    def _key_links(self, spans: list[Json]) -> list[Json]:
        out: list[Json] = []
        known = {s["id"] for s in spans}
        if "sound/horn" in known:
            out.append(
                link(
                    "horn-source",
                    "sound-source",
                    [
                        {"role": "sound", "annotation": "sound/horn"},
                        {"role": "source", "entity": self._script.horn.key},
                    ],
                    text="The horn comes from the taxi on the left.",
                )
            )
            ends = [
                {"role": "item", "annotation": key, "time_ns": KEY_MOMENT_NS}
                for key in ("sound/horn", "can/braking", "cuboid/pedestrian_1")
            ]
            ends.insert(
                2,
                {
                    "role": "item",
                    "annotation": "box/camera_front/pedestrian_1",
                    "time_ns": KEY_MOMENT_NS - int(self._times["camera_front"][0]),
                },
            )
            out.append(link("key-moment", "coincides-with", ends, time_ns=KEY_MOMENT_NS))
        if "can/turn_left" in known:
            out.append(
                link(
                    "turn-words",
                    "grounded-in-time",
                    [
                        {"role": "text", "stream": "navigation", "cue": "cue_2", "quote": "Turn left."},
                        {"role": "moment", "annotation": "can/turn_left"},
                    ],
                )
            )
        return out


def _runs(numbers: list[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return runs


def _truth(script: Script, options: DriveOptions, knowledge: Json) -> Json:
    sweeps = sweep_count(script)
    poses: list[list[Any]] = []
    for actor in script.actors:
        at = actor.path.at(np.arange(sweeps) * SWEEP_NS / 1e9)
        speed = np.hypot(*actor.path.velocity_at(np.arange(sweeps) * SWEEP_NS / 1e9)[:2])
        poses += [
            [s, actor.number, *(round(float(v), 4) for v in at[:4, s]), round(float(speed[s]), 3)]
            for s in range(sweeps)
        ]
    offsets = {s["key"]: {"offset_ns": 0, "rate_error": 0.0} for s in _streams(options, script)}
    return {
        "fixture": "FX-DRIVE",
        "key_moment_ns": KEY_MOMENT_NS,
        "clocks": offsets,
        "clock_note": "offset_ns is what must be added to a delivered time to get session time",
        "calibration": _rig(options),
        "entities": [
            {"key": a.key, "number": a.number, "class": a.label, "size": list(a.size), "plate": a.plate}
            for a in script.actors
        ],
        "ego_poses": {
            "columns": ["x", "y", "z", "yaw", "pitch", "roll"],
            "at": "reference time of sweep = row",
            "rows": knowledge["ego"],
        },
        "poses": {
            "columns": ["sweep", "number", "x", "y", "z", "yaw", "speed_mps"],
            "frame": "world, on the ground below the middle",
            "rows": poses,
        },
        "boxes": {key: {"columns": BOX_COLUMNS, "rows": rows} for key, rows in knowledge["boxes"].items()},
        "lidar_points": {
            key: {"columns": ["sweep", "number", "points", "mean_time_s"], "rows": rows}
            for key, rows in knowledge["points"].items()
        },
        "radar_numbers": knowledge["radar_numbers"],
        "sound_events": knowledge["sound_events"],
        "cues": knowledge["cues"],
        "planted_object": _marker(script, options),
    }


def _marker(script: Script, options: DriveOptions) -> Json:
    """The magenta cube: its corners in world, and in the first camera at its first frame."""
    corners = pose(*MARKER_PLACE, 0.0).apply(cuboid_corners(MARKER_SIZE))
    camera = cameras(options)[0]
    t = camera.phase_ns / 1e9
    local = script.ego.pose_at(t).then(camera.ego_from_camera).inverse().apply(corners)
    seen = bool(local[:, 2].min() > 0.5)
    return {
        "corners_world": corners.round(6).tolist(),
        "camera": camera.key,
        "frame": 0,
        "corners_camera": local.round(6).tolist(),
        "pixels": camera.project(local).round(4).tolist() if seen else None,
    }
