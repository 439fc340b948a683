"""A camera that stands at the origin of the world and looks along x, a scanner, and things with cuboids and boxes.

Boxes are worked out here by hand: eight corners of an upright cuboid through a pinhole, nothing of the program's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from plain_snapshot import TEXT, PlainSnapshot, Scene, ontology

from workstation.core.annotation import Annotation, Entity, Keyframe, Presence, Track
from workstation.core.cameras import Camera, Pinhole
from workstation.core.evidence import NoEvidence
from workstation.core.geometry import Box, Cuboid, ShapeKind
from workstation.core.ids import deterministic_ids
from workstation.core.poses import RigidTransform
from workstation.core.sample import Project, Rig, Stream
from workstation.core.space import Calibration, Frame, FrameTree, as_json_values

MS = 1_000_000
FOCAL, WIDE, HIGH = 500.0, 960, 540
SIZE = (4.4, 1.8, 1.5)
CAR = TEXT.replace(
    "same_object: {symmetric: true,",
    "same_object: {symmetric: true, negatable: true, tolerance: {time_ms: 50, iou: 0.5, containment_px: 5},",
)


class StillFrames(NoEvidence):
    """Frames that stand; nothing else is known."""

    def __init__(self, calibration: Calibration) -> None:
        self._tree = FrameTree(calibration)

    def frames(self) -> Any:
        return self._tree


def projected(center: tuple[float, float, float], size: tuple[float, float, float] = SIZE) -> tuple[float, ...]:
    """Left, top, right, bottom of an upright cuboid: x is ahead, y to the left, z up."""
    half = np.array(size) / 2
    corners = np.array([[sx, sy, sz] for sx in (-1, 1) for sy in (-1, 1) for sz in (-1, 1)]) * half + center
    u = WIDE / 2 - FOCAL * corners[:, 1] / corners[:, 0]
    v = HIGH / 2 - FOCAL * corners[:, 2] / corners[:, 0]
    return float(u.min()), float(v.min()), float(u.max()), float(v.max())


class World(Scene):
    """Things in the world of the module's text."""

    def __init__(self, tolerances: dict[str, float] | None = None, rules: str = CAR, yaw_deg: float = 0.0) -> None:
        super().__init__(ontology(rules))
        project = Project(id=deterministic_ids(9).new(), name="p", tolerances=tolerances or {})  # type: ignore[arg-type]

        class Snapshot(PlainSnapshot):
            def project(self) -> Project | None:
                return project

        # x right, y down, z ahead in a frame of x ahead, y left, z up; turned to the left by the yaw.
        half = np.radians(yaw_deg) / 2
        mount = RigidTransform((float(np.cos(half)), 0.0, 0.0, float(np.sin(half)))) @ RigidTransform(
            (0.5, -0.5, 0.5, -0.5)
        )
        lens = Pinhole(fx=FOCAL, fy=FOCAL, cx=WIDE / 2, cy=HIGH / 2)
        calibration = Calibration(
            frames=(Frame(name="cam", parent="world", parent_from_child=mount),),
            cameras=(Camera(name="cam", frame="cam", width_px=WIDE, height_px=HIGH, lens=lens),),
        )
        self.snapshot = Snapshot(self.snapshot.rules, self.snapshot.held, known=StillFrames(calibration))
        given: Any = {"id": self.ids.new(), "sample": self.sample}
        self.add(Rig(**given, frames=as_json_values(calibration.frames), cameras=as_json_values(calibration.cameras)))
        for number, each in enumerate(self.snapshot.held):
            if isinstance(each, Stream) and each.key in ("image", "cloud"):
                frame = {"image": "cam", "cloud": "world"}[each.key]
                self.snapshot.held[number] = type(each)(
                    **{name: getattr(each, name) for name in each.__struct_fields__} | {"frame": frame}
                )

    def thing(self, class_id: str = "car", number: int = 1) -> Entity:
        return self.entity(class_id, number)

    def cuboid(
        self, thing: Entity, places: dict[int, tuple[float, float, float] | None],
        size: tuple[float, float, float] = SIZE, **more: Any,
    ) -> Annotation:  # fmt: skip
        """A track of its places by millisecond; ``None``: gone."""
        shapes = {at: None if place is None else Cuboid(place, size) for at, place in places.items()}
        return self._track("cloud", ShapeKind.CUBOID, thing, shapes, frame="world", **more)

    def boxed(self, thing: Entity, sides: dict[int, tuple[float, ...] | None], **more: Any) -> Annotation:
        """A track of its boxes (left, top, right, bottom) by millisecond."""
        shapes = {at: None if box is None else Box(box[0], box[1], box[2] - box[0], box[3] - box[1])
                  for at, box in sides.items()}  # fmt: skip
        return self._track("image", ShapeKind.BOX, thing, shapes, **more)

    def seen(self, thing: Entity, places: dict[int, tuple[float, float, float]], **more: Any) -> Annotation:
        """The boxes that a perfect annotator draws of a thing that is at these places."""
        return self.boxed(thing, {at: projected(place) for at, place in places.items()}, **more)

    def _track(self, stream: str, kind: ShapeKind, thing: Entity, shapes: dict[int, Any], **more: Any) -> Annotation:
        said = more.pop("said", {})
        made = self.label(stream, entity=thing.id, kind=kind, shape=None, track=Track(), **more)
        for at, shape in shapes.items():
            given: Any = {"id": self.ids.new(), "annotation": made.id}
            presence = Presence.ABSENT if shape is None else Presence.VISIBLE
            self.add(Keyframe(**given, time_ns=at * MS, shape=shape, presence=presence, attributes=said.get(at, {})))
        return made


PLACES: tuple[tuple[float, float, float], ...] = (
    (12.0, 3.0, 0.0), (18.0, -4.0, 0.2), (25.0, 6.0, -0.2), (32.0, -8.0, 0.0), (40.0, 2.0, 0.3), (50.0, -3.0, 0.0),
)  # fmt: skip
"""Six things that stand in the picture, apart from each other."""


def street(world: World, *, places: tuple[tuple[float, float, float], ...] = PLACES) -> list[tuple[Any, Any, Any]]:
    """Things that stand at the places, each with a cuboid and its perfect boxes at eight captures."""
    made = []
    for number, place in enumerate(places, 1):
        thing = world.thing(number=number)
        times = dict.fromkeys(range(0, 800, 100), place)
        made.append((thing, world.cuboid(thing, dict(times)), world.seen(thing, times)))
    return made
