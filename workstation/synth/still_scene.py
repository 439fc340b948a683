"""What stands still, packed once and cut to what a camera can see before anything is worked out for a picture.

Used by the stages of the drives: of some 350 things of a street a camera sees 40 to 120.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workstation.synth.pose import Floats
from workstation.synth.raster import NEAR_M, Packed, View


def in_sight(view: View, centers: Floats, radii: Floats) -> NDArray[np.bool_]:
    """Which balls (N×3 middles in the world, N radii, metres) reach into the view; never says no wrongly."""
    x, y, z = view.camera_from_world.apply(centers).T
    left, top = view.center
    seen: NDArray[np.bool_] = z + radii > NEAR_M
    for across, before, behind in ((x, left, view.width - left), (y, top, view.height - top)):
        for sign, reach in ((1, before + 1.0), (-1, behind + 1.0)):  # a pixel more than the picture
            seen &= (sign * view.focal_px * across + reach * z) / math.hypot(view.focal_px, reach) > -radii
    return seen


class StillScene:
    """A pack whose objects can be left out; what is left keeps its order."""

    def __init__(self, packed: Packed) -> None:
        self._packed = packed
        self._face_starts = np.searchsorted(packed.objects, np.arange(int(packed.objects.max(initial=-1)) + 2))
        count = len(self._face_starts) - 1
        self._owners = np.zeros(len(packed.vertices), np.int32)
        self._owners[packed.faces] = packed.objects[:, None]
        self._centers, self._radii = np.zeros((count, 3)), np.zeros(count)
        for number in range(count):
            faces = packed.faces[self._face_starts[number] : self._face_starts[number + 1]]
            points = packed.vertices[faces.ravel()]
            self._centers[number] = (points.min(axis=0) + points.max(axis=0)) / 2
            self._radii[number] = np.linalg.norm(points - self._centers[number], axis=1).max()

    def seen(self, view: View) -> Packed:
        """The part of it that may be in the picture."""
        packed, kept = self._packed, in_sight(view, self._centers, self._radii)
        vertices, faces = np.flatnonzero(kept[self._owners]), np.flatnonzero(kept[packed.objects])
        new_vertex = np.zeros(len(packed.vertices), np.int32)
        new_vertex[vertices] = np.arange(len(vertices), dtype=np.int32)
        new_face = np.zeros(len(packed.faces), np.int32)
        new_face[faces] = np.arange(len(faces), dtype=np.int32)
        return Packed(
            packed.vertices[vertices],
            new_vertex[packed.faces[faces]],
            packed.colors[faces],
            new_face[packed.parents[faces]],
            packed.normals[faces],
            packed.centers[faces],
            packed.anchors[faces],
            packed.objects[faces],
            packed.ids[faces],
            packed.nearer_m[faces],
            packed.floor[faces],
            {int(new_face[face]): image for face, image in packed.pictures.items() if kept[packed.objects[face]]},
        )
