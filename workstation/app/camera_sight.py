"""How a camera of the rig looks out of its vehicle, for whoever takes a vehicle's turning from its film.

Called by ``sync_signals.py``.
"""

from __future__ import annotations

import numpy as np

from workstation.core.cameras import Camera
from workstation.core.projection import unproject
from workstation.core.space import Calibration
from workstation.sync.delay import Floats
from workstation.sync.film_turns import Sight, plain_sight

_MOST_FRAMES = 32
_ALONG = 0.82


def camera_of(calibration: Calibration, frame: str) -> Camera | None:
    """The rig's camera that sits in a frame, or is called like it."""
    found = [each for each in calibration.cameras if frame and frame in (each.frame, each.name)]
    return found[0] if found else None


def sight_of(calibration: Calibration, camera: Camera | None, width_px: int, height_px: int) -> Sight:
    """Of a camera whose pictures are followed at some size; an ordinary one, looking ahead, where it is silent."""
    plain = plain_sight(width_px, height_px)
    if camera is None:
        return plain
    larger = np.array([camera.width_px / width_px, camera.height_px / height_px])

    def rays(pixels: Floats) -> Floats:
        found = unproject(camera, pixels * larger)
        return np.where(found.valid[:, None], found.directions, np.nan)

    turned = _vehicle_from_camera(calibration, camera.frame)
    if turned is None:
        return Sight(rays=rays, up=plain.up, ahead=plain.ahead)
    return Sight(rays=rays, up=turned[2], ahead=turned[0])


def looks_aside(calibration: Calibration, camera: Camera | None) -> bool:
    """Whether the rig says that a camera looks neither the way the vehicle goes nor back, by 35° or more."""
    turned = None if camera is None else _vehicle_from_camera(calibration, camera.frame)
    return turned is not None and abs(float(turned[0, 2])) < _ALONG


def _vehicle_from_camera(calibration: Calibration, frame: str) -> Floats | None:
    """(3, 3) from the camera to the frame that carries it, x forward and z up; ``None`` where that is another camera's,
    whose axes point elsewhere, or there is none."""
    frames = {each.name: each for each in calibration.frames}
    turned, at = np.eye(3), frame
    for _ in range(_MOST_FRAMES):
        here = frames.get(at)
        if here is None or here.parent_from_child is None:
            break
        turned, at = here.parent_from_child.matrix[:3, :3] @ turned, here.parent
    looks = {each.frame for each in calibration.cameras}
    # A camera with the very axes of a vehicle would look straight up: nobody said how it is mounted.
    unsaid = at == frame or at in looks or np.allclose(turned, np.eye(3))
    return None if unsaid else turned
