"""Axes of other people's frames, exactly.

Readers and exports use it at the border: inside, vehicles are x forward, y left, z up, and patients are LPS.
Changing axes only swaps numbers and their signs, so it loses nothing and converting back gives the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.poses import RigidTransform, Vector
from workstation.core.rotation import Floats, Quaternion, quaternion_of

Axes = tuple[str, str, str]
"""Where x, y and z point, in words."""
VEHICLE: Axes = ("forward", "left", "up")
CAMERA: Axes = ("right", "down", "forward")
PATIENT: Axes = ("left", "posterior", "superior")

_OPPOSITES = (
    ("forward", "backward"),
    ("left", "right"),
    ("up", "down"),
    ("posterior", "anterior"),
    ("superior", "inferior"),
)
_LINE_OF = {
    word: (line, sign) for line, pair in enumerate(_OPPOSITES) for word, sign in zip(pair, (1, -1), strict=True)
}


@dataclass(frozen=True, slots=True)
class AxisChange:
    """Axis ``i`` of the target is axis ``order[i]`` of the source times ``signs[i]``."""

    order: tuple[int, int, int]
    signs: tuple[int, int, int]

    @property
    def mirrors(self) -> bool:
        """Whether one of the two is left-handed."""
        turned = np.zeros((3, 3))
        turned[range(3), self.order] = self.signs
        return bool(np.linalg.det(turned) < 0)

    def inverted(self) -> AxisChange:
        """The way back."""
        order = [0, 0, 0]
        signs = [0, 0, 0]
        for target, (source, sign) in enumerate(zip(self.order, self.signs, strict=True)):
            order[source], signs[source] = target, sign
        return AxisChange((order[0], order[1], order[2]), (signs[0], signs[1], signs[2]))

    def points(self, points: NDArray[np.floating]) -> Floats:
        """Points or directions (…, 3)."""
        changed: Floats = np.asarray(points, np.float64)[..., self.order] * self.signs
        return changed

    def extent(self, size: Vector) -> Vector:
        """A size along the axes of a box: swapped, never negative."""
        return size[self.order[0]], size[self.order[1]], size[self.order[2]]

    def rotation(self, rotation: Quaternion) -> Quaternion:
        """A rotation between two frames that both have the source's axes, for the same two with the target's."""
        w, *vector = rotation
        handed = -1.0 if self.mirrors else 1.0
        x, y, z = (handed * sign * vector[source] for source, sign in zip(self.order, self.signs, strict=True))
        return (w, x, y, z) if w >= 0 else (-w, -x, -y, -z)

    def transform(self, transform: RigidTransform) -> RigidTransform:
        """A transform between two frames that both have the source's axes, for the same two with the target's."""
        x, y, z = self.points(np.array(transform.translation)).tolist()
        return RigidTransform(self.rotation(transform.rotation), (x, y, z))

    def as_rotation(self) -> Quaternion:
        """The change as a rotation ``target_from_source``, to put between frames whose axes stay as they are.

        Its digits are rounded (half a right angle has no exact cosine); a mirror is refused.
        """
        if self.mirrors:
            raise DataError("left-handed axes cannot be reached by turning; convert the points instead")
        turned = np.zeros((3, 3))
        turned[range(3), self.order] = self.signs
        return quaternion_of(turned)


def axis_change(source: Axes, target: Axes = VEHICLE) -> AxisChange:
    """How to get from axes that point as in ``source`` to those of ``target``: ``("right", "forward", "up")``."""
    here, there = _lines(source), _lines(target)
    lines = [line for line, _ in here]
    if sorted(lines) != sorted(line for line, _ in there):
        raise DataError(f"{' '.join(source)} and {' '.join(target)} do not span the same space", place="axes")
    order = tuple(lines.index(line) for line, _ in there)
    signs = tuple(sign * here[lines.index(line)][1] for line, sign in there)
    return AxisChange((order[0], order[1], order[2]), (signs[0], signs[1], signs[2]))


def _lines(axes: Axes) -> list[tuple[int, int]]:
    for word in axes:
        if word not in _LINE_OF:
            raise DataError(f"no direction is called {word!r}; there are {', '.join(_LINE_OF)}", place="axes")
    lines = [_LINE_OF[word] for word in axes]
    if len(lines) != 3 or len({line for line, _ in lines}) != 3:
        raise DataError(f"{' '.join(axes)} must be three directions across each other", place="axes")
    return lines
