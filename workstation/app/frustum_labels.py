"""A cuboid for a label in a picture, from the sweep that shows: what the action "Cuboid from the 2D box" asks.

The box is taken where its track has it at the time of the sweep, through the camera as it stood then, so that what
moves between sweep and picture does not shift it; a box of one picture is taken through the camera as it stood when
that was taken, at most a turn of the LiDAR away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workstation.app.frustum_boxes import Frustum, FrustumFit, cuboid_in_frustum
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.app.sightings import FLAT, bounds_of
from workstation.app.usual_sizes import usual_size
from workstation.core.annotation import Annotation
from workstation.core.box_fitting import Scene
from workstation.core.errors import UserError
from workstation.core.geometry import Shape
from workstation.core.poses import RigidTransform

Vec3 = tuple[float, float, float]
_NEAR_NS = 100_000_000
"""A whole turn of a LiDAR at 10 Hz."""
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
    there = _shape_at(view, label, session_ns)
    camera_from_frame = None if there is None else placed.carried(camera.frame, there[1], frame, session_ns)
    if there is None or camera_from_frame is None:
        near = f"{_NEAR_NS / 1e6:.0f} ms"
        raise UserError(
            f"{view.name_of(label.id)} is in no picture of {stream.key} within {near} of this sweep, "
            "or the rig does not say where the camera was"
        )
    fit = cuboid_in_frustum(
        Frustum(
            bounds=there[0], camera=camera,
            camera_from_points=camera_from_frame @ RigidTransform(translation=origin),
        ),
        Scene(points=points, ground=None, eye=eye, heading_rad=_heading(view, placed, label, session_ns, heading_rad)),
        usual_size(view, view.class_of(label)),
    )  # fmt: skip
    if fit is None:
        raise UserError("too few points above the ground project into the box to fit a cuboid to")
    if fit.overlap < _LEAST_OVERLAP:
        raise UserError(f"no cuboid around its points projects onto the box (the best overlaps by {fit.overlap:.2f})")
    return replace(fit, apart_ms=(session_ns - there[1]) / 1e6)


def _shape_at(
    view: SampleView, label: Annotation, session_ns: int
) -> tuple[tuple[float, float, float, float], int] | None:  # fmt: skip
    """The label's bounds at the time of the sweep, or in its picture nearest to it, and the time they are for."""
    if label.track is not None:
        shape = view.moment(label, view.own_ns(label, session_ns)).shape
        if shape is not None:
            bounds = bounds_of(shape)
            return None if bounds is None else (bounds, session_ns)
    found = []
    for own_ns, shape in _drawn(view, label):
        time_map, bounds = view.time_map(label), bounds_of(shape)
        at_ns = session_ns if own_ns is None else own_ns if time_map is None else time_map.to_session(own_ns)
        if bounds is not None and abs(at_ns - session_ns) <= _NEAR_NS:
            found.append((abs(at_ns - session_ns), bounds, at_ns))
    return min(found)[1:] if found else None


def _drawn(view: SampleView, label: Annotation) -> Iterator[tuple[int | None, Shape]]:
    """Where somebody drew it; without a time it is there always."""
    if label.track is None:
        if label.shape is not None:
            yield label.start_ns, label.shape
        return
    for each in view.keyframes(label.id):
        if each.shape is not None:
            yield each.time_ns, each.shape


def _heading(view: SampleView, placed: PlacedCuboids, label: Annotation, session_ns: int, usual_rad: float) -> float:
    """Where the thing looks by its own cuboids nearest in time, else where the vehicle looks."""
    from workstation.core.cuboid_edits import yaw_of

    for each in view.annotations_of_entity(label.entity or ""):
        life = placed.life_of(each.id)
        if life is not None:
            found = placed.placed(each.id, min(max(session_ns, life[0]), life[1]))
            if found is not None:
                return yaw_of(found[0])
    return usual_rad
