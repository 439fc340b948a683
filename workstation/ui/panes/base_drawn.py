"""What is drawn over a picture or a plane, with what is in the making, and which of it lies at a place: as far as
cameras and planes of volumes agree. A subclass says what is stored there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF

from workstation.app.picture_scene import Drawn, Missing, OnPicture
from workstation.app.picture_shapes import bounds_of, distance, inside
from workstation.app.sample_view import SampleView
from workstation.core.geometry import Mask
from workstation.core.ontology import Skeleton
from workstation.ui.tools.canvas import NEW, Pixels, Place, Preview

_NOWHERE = (np.inf, np.inf, -np.inf, -np.inf)


Bounds = tuple[float, float, float, float]


class ShowsPlaces(Protocol):
    """What says where a place of the picture is on the screen."""

    def to_screen(self, place: Place, /) -> Place: ...


def on_screen(
    found: Iterable[tuple[str, Bounds]], viewport: ShowsPlaces, area: QRectF
) -> list[tuple[str, QRectF]]:  # fmt: skip
    """What of these bounds (left, top, right, bottom) is in sight in an area of the screen."""
    shown = []
    for key, (left, top, right, bottom) in found:
        corners = QPointF(*viewport.to_screen((left, top))), QPointF(*viewport.to_screen((right, bottom)))
        rect = QRectF(*corners).normalized()
        if rect.intersects(area) or area.contains(rect.center()):
            shown.append((key, rect if area.contains(rect) else rect.intersected(area)))
    return shown


class DrawnScene(ABC):
    """See the module; places and reaches are in pixels of the picture."""

    def __init__(self, view: SampleView) -> None:
        self.view = view
        self._previews: dict[str, Preview] = {}
        self._preview_class: str | None = None
        self.shown = OnPicture()
        """With previews, without what is hidden."""
        self._bounds: NDArray[np.float64] = np.empty((0, 4))

    @abstractmethod
    def _assemble(self) -> None:
        """Put together what is stored and what is in the making, and ``_show`` it."""

    @abstractmethod
    def mask(self, shape: Mask) -> NDArray[np.bool_] | None:
        """The pixels of a mask."""

    def preview(self, shapes: Mapping[str, Preview], class_id: str | None) -> None:
        """Show these in place of what is stored."""
        self._previews, self._preview_class = dict(shapes), class_id
        self._assemble()

    def _show(self, drawn: Iterable[Drawn], missing: tuple[Missing, ...] = ()) -> None:
        self.shown = OnPicture(tuple(drawn), missing)
        places = [each.lines.every() for each in self.shown.drawn]
        bounds = [bounds_of(each) if len(each) else _NOWHERE for each in places]
        self._bounds = np.array(bounds, np.float64).reshape(-1, 4)

    def where(self, ids: frozenset[str]) -> list[tuple[str, Bounds]]:
        """The bounds of these, as far as they are drawn: left, top, right, bottom."""
        rows = zip(self.shown.drawn, self._bounds.tolist(), strict=True)
        return [(each.id, (a, b, c, d)) for each, (a, b, c, d) in rows if each.id in ids and a <= c]

    def wet(self) -> list[tuple[Pixels, str]]:
        """Masks in the making with their colour."""
        found = []
        for key, shape in self._previews.items():
            if isinstance(shape, Pixels):
                record = self.view.annotations.get(key)
                paint = self.view.paint_of_class(self._preview_class) if record is None else self.view.paint_of(record)
                found.append((shape, paint.colour))
        return found

    def hit(self, place: Place, reach: float) -> list[str]:
        """Ids under a place within ``reach``, topmost first."""
        x, y = place
        low, high = self._bounds[:, :2] - reach, self._bounds[:, 2:] + reach
        near = (low[:, 0] <= x) & (x <= high[:, 0]) & (low[:, 1] <= y) & (y <= high[:, 1])
        found = [self.shown.drawn[i] for i in reversed(np.flatnonzero(near).tolist())]
        return list(dict.fromkeys(each.id for each in found if each.id != NEW and self._is_under(each, place, reach)))

    def _is_under(self, drawn: Drawn, place: Place, reach: float) -> bool:
        if isinstance(drawn.shape, Mask):
            pixels = self.mask(drawn.shape)
            x, y = int(place[0]) - drawn.shape.x, int(place[1]) - drawn.shape.y
            there = pixels is not None and 0 <= y < pixels.shape[0] and 0 <= x < pixels.shape[1]
            return bool(there and pixels is not None and pixels[y, x])
        return distance(drawn.lines, place) <= reach

    def within(self, ring: Sequence[Place]) -> list[str]:
        """Ids wholly inside a ring."""
        found = (each.id for each in self.shown.drawn if each.id != NEW and inside(each.lines.every(), ring))
        return list(dict.fromkeys(found))

    def skeleton_of(self, class_id: str | None) -> Skeleton | None:
        ontology = self.view.ontology
        return None if ontology is None or class_id is None else ontology.skeleton_of(class_id)
