"""A cuboid for a label in a picture, from the sweep that shows: what the action "Cuboid from the 2D box" asks.

The box is taken where its track has it at the time of the sweep, through the camera as it stood then, so that what
moves between sweep and picture does not shift it; a box of one picture is taken as it is, at most half a turn away.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workstation.app.box_fitting import Scene
from workstation.app.frustum_boxes import Frustum, FrustumFit, cuboid_in_frustum
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.app.sightings import FLAT, bounds_of
from workstation.app.usual_sizes import usual_size
from workstation.core.annotation import Annotation
from workstation.core.errors import UserError
from workstation.core.poses import RigidTransform
from workstation.core.tolerances import SAME_SCAN_MS

Vec3 = tuple[float, float, float]
_LEAST_OVERLAP = 0.4
"""What projects worse onto the box than this is something else."""


def cuboid_of_label(
    view: SampleView,
    placed: PlacedCuboids,
    label: Annotation,
    points: NDArray[np.floating],
    *,
    frame: str,
    origin: Vec3,
    session_ns: int,
    eye: Vec3,
    heading_rad: float,
) -> FrustumFit:
    """The cuboid about ``origin`` in ``frame``, as the points are (n, 3). ``UserError`` says why there is none."""
    stream = view.streams.get(label.stream or "")
    camera = None if stream is None else placed.camera_of(stream)
    if label.kind not in FLAT or stream is None or camera is None:
        raise UserError("a cuboid can be made from a box, polygon or mask in a calibrated camera")
    shape = _shape_at(view, label, session_ns)
    camera_from_frame = placed.transform(camera.frame, frame, session_ns)
    if shape is None or camera_from_frame is None:
        raise UserError(f"{view.name_of(label.id)} is not in {stream.key} at this sweep, or the rig does not say where")
    fit = cuboid_in_frustum(
        Frustum(
            bounds=shape, camera=camera,
            camera_from_points=camera_from_frame @ RigidTransform(translation=origin),
        ),
        Scene(points=points, ground=None, eye=eye, heading_rad=_heading(view, placed, label, session_ns, heading_rad)),
        usual_size(view, view.class_of(label)),
    )  # fmt: skip
    if fit is None:
        raise UserError("too few points above the ground project into the box to fit a cuboid to")
    if fit.overlap < _LEAST_OVERLAP:
        raise UserError(f"no cuboid around its points projects onto the box (the best overlaps by {fit.overlap:.2f})")
    return fit


def _shape_at(view: SampleView, label: Annotation, session_ns: int) -> tuple[float, float, float, float] | None:
    if label.track is not None:
        shape = view.moment(label, view.own_ns(label, session_ns)).shape
    else:
        shape, there = label.shape, view.session_range(label)
        if there is not None and not (
            there.start_ns - SAME_SCAN_MS * 1e6 <= session_ns <= there.end_ns + SAME_SCAN_MS * 1e6
        ):
            return None
    return None if shape is None else bounds_of(shape)


def _heading(view: SampleView, placed: PlacedCuboids, label: Annotation, session_ns: int, usual_rad: float) -> float:
    """Where the thing looks by its own cuboids nearest in time, else where the vehicle looks."""
    from workstation.app.cuboid_edits import yaw_of

    for each in view.annotations_of_entity(label.entity or ""):
        life = placed.life_of(each.id)
        if life is not None:
            found = placed.placed(each.id, min(max(session_ns, life[0]), life[1]))
            if found is not None:
                return yaw_of(found[0])
    return usual_rad
