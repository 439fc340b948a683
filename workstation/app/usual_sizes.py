"""How large things of a class usually are: as the ontology states, else as they were labelled in this sample, else as
they mostly are.

For completing the box of a thing that is seen from one side only. Length, width and height in metres.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workstation.app.sample_view import SampleView
from workstation.core.annotation import State
from workstation.core.geometry import Cuboid, ShapeKind

Size = tuple[float, float, float]
_FEWEST = 3
"""So many labelled things of a class say more than the list."""
_MOSTLY: dict[str, Size] = {
    "car": (4.4, 1.8, 1.5), "sedan": (4.7, 1.8, 1.45), "hatchback": (4.1, 1.75, 1.5), "suv": (4.6, 1.85, 1.7),
    "van": (5.3, 2.0, 2.2), "truck": (7.5, 2.45, 3.1), "bus": (11.5, 2.55, 3.2), "tram": (28.0, 2.5, 3.4),
    "trailer": (6.5, 2.4, 2.8), "emergency_vehicle": (5.5, 2.0, 2.4), "motorcycle": (2.1, 0.8, 1.6),
    "bicycle": (1.8, 0.65, 1.7), "vehicle": (4.5, 1.8, 1.6), "person": (0.8, 0.65, 1.75), "child": (0.6, 0.5, 1.2),
    "animal": (1.0, 0.4, 0.7), "dog": (0.9, 0.35, 0.6), "deer": (1.6, 0.5, 1.4), "traffic_cone": (0.35, 0.35, 0.7),
    "traffic_sign": (0.2, 0.7, 0.7), "traffic_light": (0.4, 0.4, 1.0),
}  # fmt: skip
"""For ontologies that state no sizes: by the classes of the starter for driving, from the middle of their range."""


def usual_size(view: SampleView, class_id: str | None) -> Size | None:
    """The usual size of a class, or of the nearest class above that has one."""
    if class_id is None:
        return None
    stated = _stated(view, class_id)
    if stated is not None:
        return stated
    labelled = list(_labelled(view, class_id))
    if len(labelled) >= _FEWEST:
        length, width, height = np.median(np.array(labelled), axis=0).tolist()
        return (length, width, height)
    return mostly(view, class_id) or (labelled[0] if labelled else None)


def mostly(view: SampleView, class_id: str) -> Size | None:
    """The size the ontology states, or that of the list, of the class or the nearest one above it, whatever was
    labelled."""
    stated = _stated(view, class_id)
    if stated is not None:
        return stated
    return next((_MOSTLY[each] for each in _upward(view, class_id) if each in _MOSTLY), None)


def _stated(view: SampleView, class_id: str) -> Size | None:
    return None if view.ontology is None else view.ontology.usual_size(class_id)


def _upward(view: SampleView, class_id: str) -> Iterator[str]:
    at: str | None = class_id
    classes = {} if view.ontology is None else view.ontology.classes
    while at is not None:
        yield at
        known = classes.get(at)
        at = None if known is None else known.parent


def _labelled(view: SampleView, class_id: str) -> Iterator[Size]:
    for each in view.annotations.values():
        if each.kind is not ShapeKind.CUBOID or each.state is State.REJECTED or view.class_of(each) != class_id:
            continue
        shapes = [each.shape] if each.track is None else [key.shape for key in view.keyframes(each.id)]
        first = next((shape for shape in shapes if isinstance(shape, Cuboid)), None)
        if first is not None:
            yield first.size
