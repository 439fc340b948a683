"""Does a calibration look the right way round? Asked by data set layouts when they propose a rig.

Half of the calibrations that people hand on say ``camera to vehicle`` and hold the other direction. Where the axes of
the two frames differ, the numbers tell: read the wrong way, a camera lies on its side.
"""

from __future__ import annotations

from workstation.core.poses import RigidTransform
from workstation.core.rotation import matrix_of

_UPRIGHT = 0.6
_AMBIGUOUS = 0.3


def camera_doubt(name: str, parent_from_camera: RigidTransform) -> str:
    """Why the mount of a camera in a frame whose z is up should be inverted; empty if nothing speaks for it.

    The picture's downward axis points down in the parent, give or take 50 degrees. If it does not as the mount is
    stated, but does when it is inverted, the direction is in doubt.
    """
    turn = matrix_of(parent_from_camera.rotation)
    down_as_stated, down_inverted = -float(turn[2, 1]), -float(turn[1, 2])
    if down_as_stated >= _UPRIGHT or down_inverted < _UPRIGHT or down_as_stated > down_inverted - _AMBIGUOUS:
        return ""
    return (
        f"as stated, the camera {name!r} lies on its side (its lower edge points {down_as_stated:+.2f} down); "
        f"inverted it stands upright ({down_inverted:+.2f}): invert it"
    )
