"""Corrections by number and by file: a stream moved by so many milliseconds, a calibration turned or replaced.

Called by ``workstation sync shift`` and ``sync calibrate``, and by the panel of synchronisation. Each is one step that
undo takes back; ``sync_forecast.py`` says beforehand which verdicts it changes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from workstation.app.session import Session
from workstation.core.errors import UserError
from workstation.core.ids import RigId
from workstation.core.poses import RigidTransform
from workstation.core.records import RecordKind
from workstation.core.rigs import newest_calibration
from workstation.core.rotation import unit
from workstation.core.sample import Rig, Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.core.space import Calibration
from workstation.core.sync_state import SYNC_GATE
from workstation.core.timebase import TimeMap
from workstation.core.timemap import offset_map
from workstation.media.rig_file import read_rig

METHOD = "by_hand"
_MOST_MS = 3_600_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCalibration:
    """A calibration that is to become the newest version of a sample's rig."""

    calibration: Calibration
    note: str

    def rig(self, snapshot: Snapshot, sample: Sample) -> Rig:
        """As the record that ``rig.add`` would make."""
        frames, cameras = self.plain()
        older = [each.version for each in _rigs(snapshot, sample)]
        return Rig(
            id=RigId("0" * 26), sample=sample.id, key=_key(snapshot, sample), version=max(older, default=0) + 1,
            frames=tuple(frames), cameras=tuple(cameras), note=self.note,
        )  # fmt: skip

    def plain(self) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
        """Frames and cameras as JSON keeps them."""
        held = msgspec.json.decode(msgspec.json.encode(self.calibration))
        return list(held["frames"]), list(held["cameras"])


def shifted(stream: Stream, milliseconds: float, *, reason: str = "") -> TimeMap:
    """The stream's map when everything on it stands so many milliseconds later (earlier below 0)."""
    if not (math.isfinite(milliseconds) and abs(milliseconds) <= _MOST_MS):
        raise UserError(f"{milliseconds} ms is no correction; an hour either way is the most")
    by_ns = round(milliseconds * 1e6)
    said = {key: value for key, value in stream.time_map.evidence_values.items() if key == "latency_ns"}
    evidence = {**said, "shifted_ns": by_ns, **({"reason": reason} if reason else {})}
    return stream.time_map.then(offset_map(by_ns)).found_by(METHOD, evidence=evidence, residual_ns=None)


def shift(session: Session, sample: Sample, stream: Stream, milliseconds: float, *, reason: str = "") -> None:
    """Move a stream by a number. Nobody measured anything, so the sample's clocks are unverified afterwards."""
    time_map = shifted(stream, milliseconds, reason=reason)
    said = f"{stream.key} was moved by {milliseconds:+g} ms by hand" + (f": {reason}" if reason else "")
    with session.together(f"Move {stream.key} by {milliseconds:+g} ms") as run:
        run("stream.set_time", stream=stream.id, sample=sample.id, time_map=msgspec.to_builtins(time_map))
        run("gate.set", sample=sample.id, gate=SYNC_GATE, state="unverified", reason=said)


def calibration_from(path: Path) -> NewCalibration:
    """The calibration of a JSON file of frames and cameras."""
    return NewCalibration(calibration=read_rig(path).calibration(), note=f"from {path.name}")


def turned_camera(snapshot: Snapshot, sample: Sample, camera: str, degrees: float) -> NewCalibration:
    """The newest calibration with one camera turned to the left about its own upright axis."""
    if not (math.isfinite(degrees) and abs(degrees) <= 180):
        raise UserError(f"{degrees} degrees is no turn of a camera")
    found = newest_calibration(snapshot, sample.id)
    frame = found.camera(camera).frame
    if not any(each.name == frame and each.parent_from_child is not None for each in found.frames):
        raise UserError(f"camera {camera} is not mounted fast to anything, so that it cannot be turned")
    half = math.radians(degrees) / 2
    # In the camera's own axes y looks down, so that a turn to the left is one about -y.
    turn = RigidTransform(unit((math.cos(half), 0.0, -math.sin(half), 0.0)), (0.0, 0.0, 0.0))
    frames = tuple(
        msgspec.structs.replace(each, parent_from_child=each.parent_from_child @ turn)
        if each.name == frame and each.parent_from_child is not None else each
        for each in found.frames
    )  # fmt: skip
    made = msgspec.structs.replace(found, frames=frames)
    return NewCalibration(calibration=made, note=f"{camera} turned by {degrees:+g}° to the left")


def calibrate(session: Session, sample: Sample, new: NewCalibration) -> None:
    """Make it the newest version of the sample's rig; the ones before stay, and undo brings them back to use."""
    frames, cameras = new.plain()
    session.run(
        "rig.add", sample=sample.id, key=_key(session.store, sample), frames=frames, cameras=cameras, note=new.note
    )


def _rigs(snapshot: Snapshot, sample: Sample) -> list[Rig]:
    return [each for each in snapshot.records(RecordKind.RIG, sample=sample.id) if isinstance(each, Rig)]


def _key(snapshot: Snapshot, sample: Sample) -> str:
    rigs = _rigs(snapshot, sample)
    return max(rigs, key=lambda each: each.version).key if rigs else "rig"
