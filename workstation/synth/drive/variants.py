"""How FX-DRIVE can be wrong, as data: a name, what it plants, and a size that may be anything.

Nothing here is shared with the rules that look for such errors; limits are written down only for the reader.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import UserError
from workstation.core.rotation import matrix_of
from workstation.synth.pose import Pose, pose, quaternion, rotation
from workstation.synth.truth import Bundle, Json, Planted, Variant
from workstation.synth.writers import write_csv

SYNC_LIMIT_MS = 10.0


def _times_file(rows: Sequence[tuple[int, ...]], header: tuple[str, ...]) -> Callable[[Path], None]:
    return lambda path: write_csv(path, header, rows)


def _sweeps(bundle: Bundle) -> int:
    return len(bundle.truth["ego_poses"]["rows"])


def _lidar_key(bundle: Bundle) -> str:
    return next(str(s["key"]) for s in bundle.sample["streams"] if s["kind"] == "cloud")


def _replace_lidar_times(bundle: Bundle, shift_ns: Callable[[int], int]) -> str:
    key = _lidar_key(bundle)
    name = f"{key}.times.csv"
    rows = []
    for sweep in range(_sweeps(bundle)):
        t = sweep * 100_000_000
        rows.append((sweep, t - 50_000_000 + shift_ns(t), t + shift_ns(t), t + 50_000_000 + shift_ns(t)))
    bundle.files[name] = _times_file(rows, ("sweep", "start_ns", "time_ns", "end_ns"))
    bundle.stream(key)["times"] = f"{{variant}}/{name}"
    _label_by_wrong_stamps(bundle, key, shift_ns)
    return key


def _label_by_wrong_stamps(bundle: Bundle, key: str, shift_ns: Callable[[int], int]) -> None:
    """Labels were drawn around the points of the sweeps: they stand at the stamps of those, and in the world where the
    own car was at the stamp, not where it was when the points were taken."""
    poses = np.array(bundle.truth["ego_poses"]["rows"], float)
    for label in bundle.labels["annotations"]:
        if label["stream"] != key:
            continue
        for keyframe in label["keyframes"]:
            taken_ns = int(keyframe["time_ns"])
            stamped_ns = taken_ns + shift_ns(taken_ns)
            keyframe["time_ns"] = stamped_ns
            shape = keyframe.get("shape")
            if shape is None or label["frame"] != "world":
                continue
            taken, stamped = _ego(poses, taken_ns), _ego(poses, stamped_ns)
            move = stamped.then(taken.inverse())
            center = move.apply(np.array([shape["center"]]))[0]
            turned = move.rotation @ matrix_of(shape["rotation"])
            shape["center"] = [round(float(each), 6) for each in center]
            shape["rotation"] = [round(each, 9) for each in quaternion(turned)]
        for end in ("start_ns", "end_ns"):
            if end in label:
                label[end] += shift_ns(int(label[end]))


def _ego(poses: NDArray[np.float64], time_ns: int) -> Pose:
    """Between the poses of two sweeps in a straight line, beyond them as before."""
    at = np.clip(time_ns / 100_000_000, 0, len(poses) - 1)
    turned = np.unwrap(poses[:, 3])
    x, y, z, pitch, roll = (float(np.interp(at, np.arange(len(poses)), poses[:, each])) for each in (0, 1, 2, 4, 5))
    return pose(x, y, z, yaw=float(np.interp(at, np.arange(len(poses)), turned)), pitch=pitch, roll=roll)


def _lidar_offset(bundle: Bundle, size: float) -> None:
    shift = round(size * 1e6)
    key = _replace_lidar_times(bundle, lambda _t: shift)
    bundle.truth["clocks"][key]["offset_ns"] = -shift
    bundle.planted.append(
        Planted(
            error="temporal",
            items=(key,),
            size=size,
            unit="ms",
            limit=SYNC_LIMIT_MS,
            note=f"the LiDAR's clock is late: a car at 60 km/h is off by {abs(size) / 1e3 * 60 / 3.6:.2f} m",
        )
    )


def _drift(bundle: Bundle, size: float) -> None:
    length = _sweeps(bundle) * 100_000_000
    key = _replace_lidar_times(bundle, lambda t: round(size * 1e6 * t / length))
    bundle.truth["clocks"][key] = {"offset_ns": 0, "rate_error": size * 1e6 / length}
    bundle.planted.append(
        Planted(
            error="temporal",
            items=(key,),
            size=size,
            unit="ms over the recording",
            limit=SYNC_LIMIT_MS,
            note="the LiDAR's clock runs fast: no error at the start, the whole size at the end",
        )
    )


def _stream_offset(key: str, unit: str, factor: float, limit: float) -> Callable[[Bundle, float], None]:
    """A series whose every time stamp is off; the stream's declared offset stays zero, the file's times move."""

    def plant(bundle: Bundle, size: float) -> None:
        stream = bundle.stream(key)
        source, shift = str(stream["path"]), round(size * factor)
        name = Path(source).name
        bundle.files[name] = _shifted(source, shift)
        stream["path"] = f"{{variant}}/{name}"
        bundle.truth["clocks"][key]["offset_ns"] = -shift
        bundle.planted.append(
            Planted(error="temporal", items=(key,), size=size, unit=unit, limit=limit, note=f"{key} stamps are late")
        )

    return plant


def _shifted(source: str, shift_ns: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        lines = (path.parents[1] / source).read_text(encoding="utf-8").splitlines()
        header = lines[0].split(",")
        column = header.index("time_ns")
        rows = [line.split(",") for line in lines[1:]]
        for row in rows:
            row[column] = str(int(row[column]) + shift_ns)
        write_csv(path, header, rows)

    return write


def _yaw(bundle: Bundle, size: float) -> None:
    key = "camera_front"
    turn = rotation(math.radians(size))
    rig = bundle.sample["rig"]
    frame = next(f for f in rig["frames"] if f["name"] == key)
    for matrix in (frame["parent_from_child"], rig["cameras"][key]["ego_from_camera"]):
        turned = turn @ [row[:3] for row in matrix[:3]]
        for i in range(3):
            matrix[i][:3] = turned[i].tolist()
    bundle.planted.append(
        Planted(
            error="geometric",
            items=(key,),
            size=size,
            unit="deg",
            limit=0.1,
            note=f"delivered extrinsic is turned left: {50 * math.tan(math.radians(abs(size))):.2f} m at 50 m",
        )
    )


def _cuboids(bundle: Bundle) -> list[Json]:
    return [a for a in bundle.labels["annotations"] if a["id"].startswith("cuboid/")]


def _drop_links(bundle: Bundle, annotation: str) -> list[str]:
    gone = [k["id"] for k in bundle.labels["links"] if any(e.get("annotation") == annotation for e in k["ends"])]
    bundle.labels["links"] = [k for k in bundle.labels["links"] if k["id"] not in gone]
    return gone


def _dense(bundle: Bundle, label: str | None = None) -> Json:
    """The cuboid track with the most points (of a class)."""
    tracks = [
        t for t in _cuboids(bundle) if t["class"] != "calibration_target" and (label is None or t["class"] == label)
    ]
    if not tracks:
        raise UserError(
            "this drive is too short for the variant: it has no cuboid of the kind it needs; make it longer"
        )
    return max(tracks, key=lambda t: (sum(k.get("points", 0) for k in t["keyframes"]), t["id"]))


def _missing_label(bundle: Bundle, size: float) -> None:
    del size
    entity = _dense(bundle, "car")["entity"]
    bundle.labels["annotations"].remove(bundle.label(f"cuboid/{entity}"))
    _drop_links(bundle, f"cuboid/{entity}")
    boxes = tuple(a["id"] for a in bundle.labels["annotations"] if a["entity"] == entity and a["id"].startswith("box/"))
    bundle.planted.append(
        Planted(
            error="missing-reference",
            items=(f"cuboid/{entity}", *boxes),
            note=f"{entity} is boxed but has neither cuboid nor a declared absence",
        )
    )


def _class_conflict(bundle: Bundle, size: float) -> None:
    del size
    bundle.label("cuboid/van_1")["class"] = "truck"
    bundle.planted.append(
        Planted(
            error="semantic",
            items=("cuboid/van_1", "box/camera_front/van_1"),
            note="van in the camera, truck in the cloud",
        )
    )


def _front_links(bundle: Bundle) -> list[Json]:
    return [k for k in bundle.labels["links"] if k["type"] == "same-object"]


def _next_sweep(bundle: Bundle, size: float) -> None:
    steps = round(size)
    for chosen_link in _front_links(bundle):
        end = chosen_link["ends"][1]
        keys = {k["time_ns"] for k in bundle.label(end["annotation"])["keyframes"] if k["visible"]}
        if (
            end["time_ns"] + steps * 100_000_000 in keys
            and bundle.label(end["annotation"])["class"] != "calibration_target"
        ):
            end["time_ns"] += steps * 100_000_000
            bundle.planted.append(
                Planted(
                    error="temporal",
                    items=(chosen_link["id"],),
                    size=steps * 100.0,
                    unit="ms",
                    limit=16.7,
                    note="the cuboid end is of a later sweep",
                )
            )
            return
    raise UserError("no link of this drive has a later sweep to go to; make it longer")


def _crossed(bundle: Bundle, size: float) -> None:
    del size
    links = [k for k in _front_links(bundle) if bundle.label(k["ends"][0]["annotation"])["class"] == "car"]
    for i, a in enumerate(links):
        for b in links[i + 1 :]:
            ea, eb = a["ends"], b["ends"]
            if (
                ea[1]["time_ns"] == eb[1]["time_ns"]
                and ea[1]["annotation"] != eb[1]["annotation"]
                and a["id"].split("/")[1] == b["id"].split("/")[1]
            ):
                ea[1]["annotation"], eb[1]["annotation"] = eb[1]["annotation"], ea[1]["annotation"]
                bundle.planted.append(
                    Planted(
                        error="incorrect-pairing",
                        items=(a["id"], b["id"]),
                        note="each box is linked to the other car's cuboid",
                    )
                )
                return
    raise UserError("no two cars are linked at the same sweep; make the drive longer")


def _swapped_tracks(bundle: Bundle, size: float) -> None:
    del size
    a, b = bundle.label("box/camera_front/car_3"), bundle.label("box/camera_front/car_4")
    at = 17_000_000_000
    before = [[k for k in t["keyframes"] if k["time_ns"] < at] for t in (a, b)]
    after = [[k for k in t["keyframes"] if k["time_ns"] >= at] for t in (a, b)]
    a["keyframes"], b["keyframes"] = before[0] + after[1], before[1] + after[0]
    bundle.planted.append(
        Planted(
            error="incorrect-pairing",
            items=(a["id"], b["id"]),
            note=f"identities are exchanged from {at} ns of the camera on",
        )
    )


def _biased(bundle: Bundle, size: float) -> None:
    for tracked in _cuboids(bundle):
        for key in tracked["keyframes"]:
            if key["visible"]:
                key["shape"]["size"][0] -= size
    bundle.planted.append(
        Planted(
            error="geometric",
            items=tuple(t["id"] for t in _cuboids(bundle)),
            size=size,
            unit="m",
            limit=0.05,
            note="every cuboid is short by this length",
        )
    )


def _cuboid_off(bundle: Bundle, size: float) -> None:
    tracked = _dense(bundle)
    for key in tracked["keyframes"]:
        if key["visible"]:
            key["shape"]["center"][1] += size
    bundle.planted.append(
        Planted(
            error="geometric",
            items=(tracked["id"],),
            size=size,
            unit="m",
            limit=0.2,
            note="one cuboid is moved along world y; all others are right",
        )
    )


def _box_wide(bundle: Bundle, size: float) -> None:
    tracked = next(
        a
        for a in bundle.labels["annotations"]
        if a["id"].startswith("box/camera_front/") and a["class"] in ("car", "truck")
    )
    key = next(k for k in tracked["keyframes"] if k["visible"] and not k["attributes"]["truncated"])
    key["shape"]["width"] += size
    bundle.planted.append(
        Planted(
            error="geometric",
            items=(tracked["id"],),
            size=size,
            unit="px",
            limit=5.0,
            note=f"right side of frame {key['frame']}",
        )
    )


def _state_conflict(bundle: Bundle, size: float) -> None:
    del size
    tracked = bundle.label("box/camera_front/pedestrian_1")
    for key in tracked["keyframes"]:
        if key["visible"]:
            key["attributes"]["state"] = "waiting"
    bundle.planted.append(
        Planted(
            error="semantic",
            items=(tracked["id"], "cuboid/pedestrian_1"),
            note="waiting in the camera, walking at 1.4 m/s in the cloud",
        )
    )
    braking = bundle.label("can/braking")
    braking["attributes"]["state"] = "accelerating"
    bundle.planted.append(
        Planted(error="semantic", items=("can/braking",), note="the label says accelerating, the brake switch is on")
    )


def _missing_link(bundle: Bundle, size: float) -> None:
    del size
    gone = _front_links(bundle)[0]
    bundle.labels["links"].remove(gone)
    bundle.planted.append(
        Planted(
            error="missing-reference",
            items=tuple(e["annotation"] for e in gone["ends"]),
            note=f"the link {gone['id']} is not there",
        )
    )


def _contradiction(bundle: Bundle, size: float) -> None:
    del size
    first = _front_links(bundle)[0]
    ends = [dict(end) for end in first["ends"]]
    bundle.labels["links"].append({"id": "not-same", "type": "not-same-object", "ends": ends})
    bundle.planted.append(
        Planted(error="semantic", items=(first["id"], "not-same"), note="declared the same and not the same")
    )


VARIANTS: dict[str, Variant] = {
    v.name: v
    for v in (
        Variant(name="lidar_offset", about="LiDAR time stamps late", plant=_lidar_offset, size=50.0, unit="ms"),
        Variant(
            name="drift",
            about="LiDAR clock drifts from zero to this size over the recording",
            plant=_drift,
            size=50.0,
            unit="ms",
        ),
        Variant(
            name="imu_offset",
            about="IMU time stamps late",
            plant=_stream_offset("imu", "ms", 1e6, SYNC_LIMIT_MS),
            size=80.0,
            unit="ms",
        ),
        Variant(
            name="radar_local_time",
            about="radar stamps in local time",
            plant=_stream_offset("radar_front", "s", 1e9, 0.01),
            size=3600.0,
            unit="s",
        ),
        Variant(name="yaw", about="front camera's extrinsic turned", plant=_yaw, size=0.3, unit="deg"),
        Variant(name="missing_lidar_label", about="one car has no cuboid and no absence", plant=_missing_label),
        Variant(name="class_conflict", about="van against truck", plant=_class_conflict),
        Variant(name="next_sweep", about="a link ends at a later sweep", plant=_next_sweep, size=1.0, unit="sweeps"),
        Variant(name="crossed_links", about="two cars' links are crossed", plant=_crossed),
        Variant(name="swapped_tracks", about="two tracks exchange identity", plant=_swapped_tracks),
        Variant(name="biased_cuboids", about="all cuboids too short", plant=_biased, size=0.1, unit="m"),
        Variant(name="cuboid_off", about="one cuboid misplaced", plant=_cuboid_off, size=0.5, unit="m"),
        Variant(name="box_wide", about="one box too wide on the right", plant=_box_wide, size=8.0, unit="px"),
        Variant(name="state_conflict", about="scene states disagree", plant=_state_conflict),
        Variant(name="missing_link", about="one link left out", plant=_missing_link),
        Variant(name="contradiction", about="the same and not the same", plant=_contradiction),
    )
}
