"""Calibration that lies beside the media of a folder of no known layout, as JSON of frames and cameras.

``{"frames": [{"name", "parent", "parent_from_child" or "child_from_parent": …}], "cameras": […]}``, a transform being
``{"rotation": [w, x, y, z], "translation": [x, y, z]}`` or a 4 × 4 matrix. The key is the direction; where the numbers
speak against it, the proposal offers to invert it. Called by ``grouping.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from workstation.core.errors import DataError
from workstation.core.mounts import camera_doubt
from workstation.core.poses import RigidTransform, transform_of, transform_of_matrix
from workstation.core.space import Frame, calibration_of
from workstation.core.untrusted import Found, read_json
from workstation.media.proposal import Mount, RigProposal

NAMES = ("calibration.json", "rig.json", "calib.json")
_MOST_BYTES = 16 << 20
_DIRECTIONS = ("parent_from_child", "child_from_parent")


def read_rig(path: Path) -> RigProposal:
    """The rig of a file; ``DataError`` if it is none or contradicts itself."""
    found = read_json(path, max_bytes=_MOST_BYTES)
    if not found.has("frames"):
        raise DataError("is no calibration of this program: it has no 'frames'", path=path)
    listed = found.get("cameras")
    cameras = () if listed is None else tuple(item.mapping() for item in listed)
    mounts = [_mount(item, path) for item in found["frames"]]
    try:
        calibration = calibration_of((), cameras)
        rig = RigProposal(mounts=tuple(mounts), cameras=calibration.cameras)
        rig.calibration()
    except DataError as error:
        raise DataError(error.reason, path=path) from error
    carrying = {camera.frame for camera in calibration.cameras}
    return replace(rig, mounts=tuple(_with_doubt(mount, carrying) for mount in rig.mounts))


def _mount(item: Found, path: Path) -> Mount:
    name, parent = item["name"].text(), item["parent"].text()
    stated = [direction for direction in _DIRECTIONS if item.has(direction)]
    moving = item.get("trajectory")
    if moving is not None and not stated:
        frame = Frame(name=name, parent=parent, trajectory=moving.text())
        return Mount(frame=frame, stated=f"{parent} from {name}, by the trajectory {moving.text()}", source=path)
    if len(stated) != 1 or moving is not None:
        item.fail(f"the frame {name!r} needs one of {', '.join(_DIRECTIONS)} or trajectory, which says the direction")
    transform = _transform(item[stated[0]])
    if stated[0] == "child_from_parent":
        frame = Frame(name=name, parent=parent, parent_from_child=transform.inverted())
        return Mount(frame=frame, stated=f"{name} from {parent}, turned round", source=path)
    return Mount(
        frame=Frame(name=name, parent=parent, parent_from_child=transform), stated=f"{parent} from {name}", source=path
    )


def _transform(found: Found) -> RigidTransform:
    try:
        if isinstance(found.value, Mapping):
            w, i, j, k = found["rotation"].numbers(4)
            x, y, z = found["translation"].numbers(3)
            return transform_of((w, i, j, k), (x, y, z))
        return transform_of_matrix(np.array([row.numbers(4) for row in found]))
    except DataError as error:
        if error.path:
            raise
        found.fail(error.reason)


def _with_doubt(mount: Mount, carrying: Iterable[str]) -> Mount:
    """Cameras stand upright in a parent whose z is up; one that hangs on another camera is not judged."""
    placed = mount.frame.parent_from_child
    if placed is None or mount.frame.name not in carrying or mount.frame.parent in carrying:
        return mount
    return replace(mount, doubt=camera_doubt(mount.frame.name, placed))
