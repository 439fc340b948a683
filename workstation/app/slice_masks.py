"""Masks of one thing over the slices of a volume: which slices hold one, what is between them, how many millilitres.

Slices with a mask of their own are keys. Between two keys the shape is interpolated by signed distances, after the
keys were moved onto each other; nothing is stored for it until a person writes it out. Asked by the volume pane.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workstation.app.mask_edits import cropped
from workstation.app.volume_planes import Matrix, Plane
from workstation.core.annotation import Annotation, State
from workstation.core.geometry import Mask, ShapeKind

Bits = NDArray[np.bool_]
Placed = tuple[int, int, Bits]
"""Corner in pixels of the slice, and what is inside (height, width)."""
_MOST_HELD = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceGroup:
    """The masks of one thing: by slice, the annotations that lie there."""

    entity: str | None
    class_id: str | None
    layer: str
    slices: dict[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def first(self) -> int:
        return min(self.slices)

    @property
    def last(self) -> int:
        return max(self.slices)

    def keys_around(self, index: int) -> tuple[int, int] | None:
        """The nearest keys before and after a slice that is none; ``None`` outside, and on a key."""
        if index in self.slices or not self.first < index < self.last:
            return None
        before = max(each for each in self.slices if each < index)
        return before, min(each for each in self.slices if each > index)


def grouped(
    annotations: Iterable[Annotation], class_of: Callable[[Annotation], str | None], number_of: dict[str, int]
) -> list[SliceGroup]:
    """The masks of a volume by the thing they show; what shows no thing stands alone. ``number_of``: item to slice."""
    found: dict[tuple[str, str], SliceGroup] = {}
    for each in annotations:
        if each.kind is not ShapeKind.MASK or each.state is State.REJECTED or each.item not in number_of:
            continue
        key = (each.entity or each.id, each.layer)
        group = found.setdefault(key, SliceGroup(entity=each.entity, class_id=class_of(each), layer=each.layer))
        number = number_of[each.item]
        group.slices[number] = (*group.slices.get(number, ()), each.id)
    return list(found.values())


class SliceShapes:
    """The pixels of groups, slice by slice. ``pixels_of`` gives those of one annotation."""

    def __init__(self, pixels_of: Callable[[str], Placed | None], spacing_mm: tuple[float, float]) -> None:
        """``spacing_mm``: of a pixel across and down."""
        self._pixels_of = pixels_of
        self._spacing_mm = spacing_mm
        self._between: dict[tuple[object, ...], Placed | None] = {}

    def forget(self) -> None:
        """Records have changed."""
        self._between.clear()

    def at(self, group: SliceGroup, index: int) -> Placed | None:
        """What is inside on a slice, drawn or interpolated."""
        if index in group.slices:
            return joined(filter(None, map(self._pixels_of, group.slices[index])))
        around = group.keys_around(index)
        if around is None:
            return None
        key = (group.entity, group.layer, index)
        if key not in self._between:
            if len(self._between) >= _MOST_HELD:
                self._between.clear()
            before, after = (self.at(group, each) for each in around)
            share = (index - around[0]) / (around[1] - around[0])
            self._between[key] = None if before is None or after is None else between(
                before, after, share, self._spacing_mm
            )  # fmt: skip
        return self._between[key]

    def all_of(self, group: SliceGroup) -> Iterator[tuple[int, Placed]]:
        """Every slice that has something inside."""
        for index in range(group.first, group.last + 1):
            found = self.at(group, index)
            if found is not None:
                yield index, found

    def cut(self, group: SliceGroup, plane: Plane, index: int, voxel_from_patient: Matrix) -> Bits | None:
        """(height, width) what of it a slice of any plane cuts, each pixel by the voxel it lies in; ``None`` if
        nothing."""
        held = dict(self.all_of(group))
        if not held:
            return None
        left, top, right, bottom = _around(list(held.values()))
        solid = np.zeros((group.last - group.first + 1, bottom - top, right - left), np.bool_)
        for number, (x, y, inside) in held.items():
            rows, columns = inside.shape
            solid[number - group.first, y - top : y - top + rows, x - left : x - left + columns] = inside
        voxel_from_plane = voxel_from_patient @ plane.patient_from_plane
        width, height = plane.size_px
        origin = voxel_from_plane[:3, :2] @ (0.5, 0.5) + voxel_from_plane[:3, 2] * index + voxel_from_plane[:3, 3]
        origin -= (group.first, top, left)
        layer = np.ones((height, width), np.bool_)
        places = []
        for axis, size in enumerate(solid.shape):
            across, down = np.arange(width) * voxel_from_plane[axis, 0], np.arange(height) * voxel_from_plane[axis, 1]
            at = np.rint(origin[axis] + across[None, :] + down[:, None]).astype(np.int64)
            layer &= (at >= 0) & (at < size)
            places.append(at)
        layer[layer] = solid[places[0][layer], places[1][layer], places[2][layer]]
        return layer if layer.any() else None

    def volume_ml(self, group: SliceGroup, step_mm: float) -> float:
        """What it encloses; each slice stands for the room halfway to its neighbours."""
        voxel = self._spacing_mm[0] * self._spacing_mm[1] * step_mm
        return sum(int(np.count_nonzero(inside)) for _, (_, _, inside) in self.all_of(group)) * voxel / 1000


def joined(parts: Iterable[Placed]) -> Placed | None:
    """All of them in one."""
    placed = list(parts)
    if not placed:
        return None
    if len(placed) == 1:
        return placed[0]
    left, top, right, bottom = _around(placed)
    layer = np.zeros((bottom - top, right - left), np.bool_)
    for x, y, inside in placed:
        layer[y - top : y - top + inside.shape[0], x - left : x - left + inside.shape[1]] |= inside
    return left, top, layer


def between(before: Placed, after: Placed, share: float, spacing_mm: tuple[float, float]) -> Placed | None:
    """The shape at a share of the way from one to the other, by their signed distances; ``None`` if nothing is left.

    Both are first moved, by whole pixels, to where the middle of what lies between them would be.
    """
    middles = [_middle(each) for each in (before, after)]
    there = middles[0] + share * (middles[1] - middles[0])
    moved = [_moved(each, there - middle) for each, middle in zip((before, after), middles, strict=True)]
    left, top, right, bottom = _around(moved)
    left, top, right, bottom = left - 1, top - 1, right + 1, bottom + 1
    depth = np.zeros((bottom - top, right - left))
    for (x, y, inside), weight in zip(moved, (1 - share, share), strict=True):
        layer = np.zeros(depth.shape, np.bool_)
        layer[y - top : y - top + inside.shape[0], x - left : x - left + inside.shape[1]] = inside
        depth += weight * signed_distance(layer, spacing_mm)
    return cropped(depth > 0, left, top)


def signed_distance(inside: Bits, spacing_mm: tuple[float, float]) -> NDArray[np.float64]:
    """Millimetres to the border: positive inside, negative outside."""
    from scipy import ndimage  # a tenth of a second, which only those pay who interpolate

    sampling = (spacing_mm[1], spacing_mm[0])
    found: NDArray[np.float64] = ndimage.distance_transform_edt(inside, sampling)
    found -= ndimage.distance_transform_edt(~inside, sampling)
    return found


def pixels_on(mask: Mask, inside: Bits | None) -> Placed | None:
    """A mask's pixels with their corner."""
    return None if inside is None else (mask.x, mask.y, inside)


def _middle(placed: Placed) -> NDArray[np.float64]:
    x, y, inside = placed
    rows, columns = np.nonzero(inside)
    return np.array([x + columns.mean(), y + rows.mean()])


def _moved(placed: Placed, by: NDArray[np.float64]) -> Placed:
    return placed[0] + round(float(by[0])), placed[1] + round(float(by[1])), placed[2]


def _around(placed: Sequence[Placed]) -> tuple[int, int, int, int]:
    return (
        min(x for x, _, _ in placed),
        min(y for _, y, _ in placed),
        max(x + inside.shape[1] for x, _, inside in placed),
        max(y + inside.shape[0] for _, y, inside in placed),
    )
