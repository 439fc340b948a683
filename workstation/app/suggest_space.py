"""Links proposed because a cuboid projects onto a label in a picture: they show one thing. Rule ``projection``.

Each label in a calibrated camera is compared with what all cuboids project to in the same pictures, at each picture's
own exposure. A pair is proposed where each is the other's best, and the overlap is at least what the link type wants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from workstation.app.sample_view import SampleView
from workstation.app.sightings import Sightings, overlaps
from workstation.core.annotation import State, TargetKind
from workstation.core.ontology import ClassRelation
from workstation.core.suggestion import SAME_OBJECT, SuggestedEnd, Suggestion

NAME = "projection"
_IOU = 0.5
_SURE_IOU = 0.7
"""What the overlap must be where the classes contradict each other, or one label of many pictures is compared only."""


def by_projection(seen: Sightings) -> Iterator[Suggestion]:
    """Labels in pictures with the cuboids that lie behind them."""
    view = seen.view
    link_type = None if view.ontology is None else view.ontology.link_types.get(SAME_OBJECT)
    if link_type is None or not seen.cameras:
        return
    limit = link_type.tolerance.get("iou", _IOU)
    role = link_type.roles[0].id
    found: list[tuple[float, int, str, str]] = []
    for label in seen.flat():
        if label.stream in seen.cameras:
            for cuboid, values in _beside(seen, label.id).items():
                iou = float(np.median(values))
                if iou >= max(limit, _SURE_IOU if _conflict(view, label.id, cuboid) else 0.0):
                    found.append((iou, len(values), label.id, cuboid))
    taken: set[tuple[str, str]] = set()
    for iou, looks, label_id, cuboid in sorted(found, key=lambda each: (-each[0], each[2:])):
        stream = view.annotations[label_id].stream or ""
        keys = {(label_id, ""), (cuboid, stream)}
        if keys & taken:
            continue
        taken |= keys
        yield Suggestion(
            rule=NAME,
            type_id=SAME_OBJECT,
            ends=tuple(SuggestedEnd(role, TargetKind.ANNOTATION, each) for each in (label_id, cuboid)),
            evidence=_evidence(view, iou, looks, label_id, cuboid),
            confidence=round(min(iou, 0.95) * (0.6 if _conflict(view, label_id, cuboid) else 1.0), 2),
        )


def _beside(seen: Sightings, label_id: str) -> dict[str, list[float]]:
    """By cuboid, the overlap in each picture that shows both; where the cuboid is missing in most there is none."""
    found: dict[str, list[float]] = defaultdict(list)
    label = seen.view.annotations[label_id]
    looks = seen.looks(label)
    for look in looks:
        ids, bounds = seen.cuboids_in(label.stream or "", look.session_ns)
        for cuboid, iou in zip(ids, overlaps(look.bounds, bounds).tolist(), strict=True):
            record = seen.view.annotations[cuboid]
            if iou > 0 and record.state is not State.REJECTED:
                found[cuboid].append(iou)
    return {cuboid: values for cuboid, values in found.items() if 2 * len(values) >= len(looks)}


def _conflict(view: SampleView, first: str, second: str) -> bool:
    one, other = (view.class_of(view.annotations[each]) for each in (first, second))
    ontology = view.ontology
    if ontology is None or one not in ontology.classes or other not in ontology.classes:
        return False
    return ontology.relation(one, other) is ClassRelation.CONFLICT


def _evidence(view: SampleView, iou: float, looks: int, label_id: str, cuboid: str) -> str:
    label, solid = view.annotations[label_id], view.annotations[cuboid]
    key = view.streams[label.stream or ""].key
    pictures = "one picture" if looks == 1 else f"{looks} pictures"
    said = f"the cuboid of {view.name_of(cuboid)} projects onto the label in {key}: overlap {iou:.2f} over {pictures}"
    if label.entity is not None and label.entity == solid.entity:
        return f"{said}; both show {view.name_of(label.entity)} already"
    one, other = view.class_name(view.class_of(label)), view.class_name(view.class_of(solid))
    return f"{said}; class {one}" + ("" if one == other else f" here, {other} there")
