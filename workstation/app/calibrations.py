"""The calibrations of a sample as rows: each sensor's matrices with version and validity; why a picture has none.

The figures of ``workstation info --calibration``. A rig of the same key is a new version of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workstation.app.session import Session
from workstation.core.cameras import Camera
from workstation.core.records import RecordKind
from workstation.core.sample import Rig, Sample, Stream, StreamKind
from workstation.core.space import Calibration, Frame, FrameTree, NoTransform, calibration_of

Row = dict[str, Any]
_PICTURES = frozenset({StreamKind.VIDEO, StreamKind.IMAGE})


def rigs_of(session: Session, sample: Sample) -> list[Rig]:
    """The calibrations of a sample by key and version."""
    found = [each for each in session.store.records(RecordKind.RIG, sample=sample.id) if isinstance(each, Rig)]
    return sorted(found, key=lambda rig: (rig.key, rig.version))


def calibration_rows(session: Session, sample: Sample) -> Iterator[Row]:
    """Every frame of every version with its matrix, cameras with their own; then pictures without projection."""
    rigs = rigs_of(session, sample)
    for rig in rigs:
        calibration = calibration_of(rig.frames, rig.cameras)
        cameras = {camera.frame: camera for camera in calibration.cameras}
        for frame in calibration.frames:
            yield _row(sample, rig, frame, cameras.get(frame.name))
    for stream in session.store.streams(sample.id):
        reason = no_projection(rigs, stream)
        if reason:
            yield {"sample": sample.key, "sensor": stream.key, "projection": f"off: {reason}"}


def no_projection(rigs: list[Rig], stream: Stream) -> str:
    """Why nothing can be projected into a picture stream; empty if it can, or if the stream is no picture."""
    if stream.kind not in _PICTURES:
        return ""
    if not rigs:
        return "the sample has no calibration"
    newest = max(rigs, key=lambda rig: rig.version)
    calibration = calibration_of(newest.frames, newest.cameras)
    if not any(camera.name == stream.frame for camera in calibration.cameras):
        wanted = repr(stream.frame) if stream.frame else "the stream names no frame, so no camera"
        known = ", ".join(camera.name for camera in calibration.cameras) or "none"
        said = f"no camera is called {wanted}" if stream.frame else wanted
        return f"{said}; rig {newest.key} version {newest.version} has {known}"
    found = FrameTree(_still(calibration)).transform(stream.frame, _root(calibration, stream.frame), 0)
    return found.reason if isinstance(found, NoTransform) else ""


def _still(calibration: Calibration) -> Calibration:
    """Fixed mounts only: whether a moving frame has a pose is asked at a time, not of the calibration."""
    return Calibration(frames=tuple(each for each in calibration.frames if each.trajectory is None))


def _root(calibration: Calibration, name: str) -> str:
    """The frame up to which a sensor is mounted fast."""
    parents = {each.name: each.parent for each in _still(calibration).frames}
    while name in parents:
        name = parents[name]
    return name


def _row(sample: Sample, rig: Rig, frame: Frame, camera: Camera | None) -> Row:
    mount = frame.parent_from_child
    row: Row = {
        "sample": sample.key,
        "sensor": frame.name,
        "rig": rig.key,
        "version": rig.version,
        "valid_ns": [rig.start_ns, rig.end_ns],
        "parent": frame.parent,
        "parent_from_child": None if mount is None else (mount.matrix.round(9) + 0.0).tolist(),
        "trajectory": frame.trajectory,
    }
    if camera is not None:
        lens = camera.lens
        row |= {
            "camera": camera.name,
            "model": type(lens).__struct_config__.tag,
            "width_px": camera.width_px,
            "height_px": camera.height_px,
            "camera_matrix": [[lens.fx, 0.0, lens.cx], [0.0, lens.fy, lens.cy], [0.0, 0.0, 1.0]],
            "distortion": {
                name: getattr(lens, name) for name in lens.__struct_fields__ if name not in ("fx", "fy", "cx", "cy")
            },
        }
    return row


def in_words(row: Row) -> Row:
    """The same row for a table: validity, matrices and lens as short texts."""
    if "projection" in row:
        return row
    start_ns, end_ns = row["valid_ns"]
    ends = ["…" if time_ns is None else f"{time_ns / 1e9:g} s" for time_ns in (start_ns, end_ns)]
    shown: Row = {**row, "valid": "always" if ends == ["…", "…"] else "–".join(ends)}
    if row["parent_from_child"] is None:
        shown["matrix"] = f"{row['parent']} from {row['sensor']}: moved by {row['trajectory']}"
    else:
        numbers = "; ".join(" ".join(f"{number:.6g}" for number in line) for line in row["parent_from_child"][:3])
        shown["matrix"] = f"{row['parent']} from {row['sensor']}: [{numbers}]"
    if "camera" in row:
        (fx, _, cx), (_, fy, cy), _ = row["camera_matrix"]
        bent = ", ".join(f"{name} {number:g}" for name, number in row["distortion"].items() if number)
        size = f"{row['width_px']}×{row['height_px']}"
        shown["lens"] = f"{row['model']} {size}, fx {fx:g} fy {fy:g} cx {cx:g} cy {cy:g}" + (
            f", {bent}" if bent else ""
        )
    return shown
