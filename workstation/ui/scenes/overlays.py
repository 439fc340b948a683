"""What lies over a picture: outlines, fills, masks, skeletons, projected cuboids and their names.

A camera view collects everything of one picture in an ``Overlay`` and paints it into a layer that it keeps until
something changes. Dark casings keep lines readable on any ground; what is selected, hovered or belongs to the
selected thing is told by the casing, what is interpolated or occluded by the dash, the class by sign and fill.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QImage, QPainter, QPainterPath, QPolygonF, QTransform

from workstation.app.looks import Paint, proposed_name
from workstation.app.picture_scene import Drawn, OnPicture
from workstation.app.picture_shapes import Ring, bounds_of
from workstation.app.placed_cuboids import Projected
from workstation.core.geometry import Keypoints, Mask, Measurement, Point, PointState
from workstation.core.ontology import Pattern, Skeleton
from workstation.core.projection import EDGES, PictureBox
from workstation.core.tracks import MomentKind
from workstation.core.values import dataclass
from workstation.ui.scenes.glyphs import paint_plate, plate_font, plate_size
from workstation.ui.scenes.labels import Wanted, placed
from workstation.ui.scenes.strokes import Dash, Standing, Stroke, Strokes
from workstation.ui.scenes.viewport import Affine

_BRUSHES = {
    Pattern.SOLID: Qt.BrushStyle.SolidPattern,
    Pattern.DASHED: Qt.BrushStyle.HorPattern,
    Pattern.DOTTED: Qt.BrushStyle.Dense6Pattern,
    Pattern.HATCHED: Qt.BrushStyle.BDiagPattern,
    Pattern.CROSSHATCHED: Qt.BrushStyle.DiagCrossPattern,
}
_FRONT = np.array([bool(a & b & 4) for a, b in EDGES])
"""Which edges belong to the front face."""
_FAR_M, _SMALL_PX = 35.0, 26.0
_WIDTHS = {Standing.PLAIN: 1.6, Standing.RELATED: 1.8, Standing.HOVERED: 2.0, Standing.SELECTED: 2.2}
_JOINT_PX = 3.2
_HATCH = 0.3
_FREE_PX = 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayLook:
    """What a person has set: how strong fills are, per class how strong everything is, whether names show."""

    fill: float = 0.18
    opacity: Mapping[str, float] = field(default_factory=dict)
    names: bool = True
    calm: bool = False
    """For pictures whose greys are judged: no fills but the hatching of what is interpolated, and names only of what is
    selected or hovered, and of measurements, whose name is their value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Who is looked at."""

    selected: frozenset[str] = frozenset()
    related: frozenset[str] = frozenset()
    hovered: str | None = None

    def standing(self, annotation: str) -> Standing:
        if annotation in self.selected:
            return Standing.SELECTED
        if annotation == self.hovered:
            return Standing.HOVERED
        return Standing.RELATED if annotation in self.related else Standing.PLAIN

    def differing(self, other: Marks) -> frozenset[str]:
        """Whatever is looked at otherwise in the other ones."""
        both = frozenset(filter(None, (self.hovered, other.hovered)))
        both = both.union(self.selected, self.related, other.selected, other.related)
        return frozenset(each for each in both if self.standing(each) is not other.standing(each))


@dataclass(frozen=True, slots=True, eq=False)
class Shadow:
    """A projected cuboid with how it is painted."""

    seen: Projected
    paint: Paint
    name: str
    class_id: str | None


@dataclass(frozen=True, slots=True, eq=False)
class DraggedShadow:
    """A projected cuboid in the hand, with the tight box around it."""

    shadow: Shadow
    box: PictureBox | None


class Placing(Protocol):
    """Where a picture lies on the screen: ``Viewport``, or that of a plane of a volume."""

    @property
    def area(self) -> tuple[float, float]: ...
    @property
    def affine(self) -> Affine: ...
    def screen_of(self, places: Ring) -> Ring: ...
    def to_screen(self, place: tuple[float, float]) -> tuple[float, float]: ...


MaskOf = Callable[[Mask], NDArray[np.bool_] | None]
SkeletonOf = Callable[[str | None], Skeleton | None]


@dataclass(frozen=True, slots=True, eq=False)
class _Plate:
    id: str
    text: str
    paint: Paint
    bounds: tuple[float, float, float, float]
    standing: Standing
    valued: bool = False
    """It says a value, not only a name."""


class Overlay:
    """One picture's worth of shapes, on a painter in screen pixels."""

    def __init__(
        self, painter: QPainter, viewport: Placing, marks: Marks, look: OverlayLook, mask_of: MaskOf,
        skeleton_of: SkeletonOf,
    ) -> None:  # fmt: skip
        self._painter = painter
        self._viewport = viewport
        self._marks = marks
        self._look = look
        self._mask_of = mask_of
        self._skeleton_of = skeleton_of
        self._strokes = Strokes()
        self._plates: list[_Plate] = []
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def paint(self, scene: OnPicture, shadows: list[Shadow]) -> None:
        """Everything: fills, then lines, then names."""
        self._shadows(shadows)
        for drawn in scene.drawn:
            self._shape(drawn)
        self._strokes.paint(self._painter)
        for drawn in scene.drawn:
            self._joints(drawn)
        if self._look.names:
            self._names()

    def paint_dragged(self, dragged: list[DraggedShadow]) -> None:
        """What is being dragged, over all the rest: as something selected, its box dashed around it."""
        for each in dragged:
            seen = each.shadow.seen
            self._marks = replace(self._marks, selected=self._marks.selected | {seen.annotation})
            self._shadows([each.shadow])
            if each.box is not None:
                corners = np.array([(each.box.left, each.box.top), (each.box.right, each.box.bottom)])
                (left, top), (right, bottom) = self._screen(corners).tolist()
                stroke = Stroke(each.shadow.paint.colour, 1.2, Dash.DASHED, Standing.PLAIN)
                self._strokes.ring(stroke, ((left, top), (right, top), (right, bottom), (left, bottom)))
        self._strokes.paint(self._painter)
        if self._look.names:
            self._names()

    # --- shapes -------------------------------------------------------------------------------------------------

    def _screen(self, ring: Ring) -> Ring:
        there: Ring = self._viewport.screen_of(ring)
        return there

    def _shape(self, drawn: Drawn) -> None:
        standing = self._marks.standing(drawn.id)
        opacity = self._look.opacity.get(drawn.class_id or "", 1.0)
        if opacity <= 0.0 and standing is Standing.PLAIN:
            return
        places = drawn.lines.every()
        if not len(places):
            return
        stroke = _stroke(drawn, standing, opacity)
        rings = [self._screen(ring) for ring in drawn.lines.rings]
        if isinstance(drawn.shape, Mask):
            self._mask(drawn, opacity, standing)
        elif rings:
            self._fill(rings, drawn, opacity, standing)
            for ring in rings:
                self._strokes.ring(stroke, ring.tolist())
        for line in drawn.lines.open:
            self._strokes.line(stroke, self._screen(line).tolist())
        if isinstance(drawn.shape, Keypoints):
            self._bones(drawn, stroke)
        text = proposed_name(drawn.name, drawn.confidence) if drawn.proposed and drawn.name else drawn.name
        valued = isinstance(drawn.shape, Measurement)
        left, top, right, bottom = bounds_of(self._screen(places))
        free = _FREE_PX if valued else 0.0  # a value does not stand on what it measures
        bounds = (left - free, top - free, right + free, bottom + free)
        self._plates.append(_Plate(drawn.id, text, drawn.paint, bounds, standing, valued))

    def _fill(self, rings: list[Ring], drawn: Drawn, opacity: float, standing: Standing) -> None:
        paint = drawn.paint
        share = self._look.fill * opacity * (1.5 if standing in (Standing.SELECTED, Standing.HOVERED) else 1.0)
        if self._look.calm:
            share = _HATCH if drawn.kind is MomentKind.INTERPOLATED else 0.0
        if share <= 0.0:
            return
        path = QPainterPath()
        for ring in rings:
            path.addPolygon(QPolygonF([QPointF(x, y) for x, y in ring.tolist()]))
            path.closeSubpath()
        colour = QColor(paint.colour)
        patterned = paint.pattern is not Pattern.SOLID
        colour.setAlphaF(min(1.0, share * (2.0 if patterned else 1.0)))
        self._painter.fillPath(path, QBrush(colour, _BRUSHES[paint.pattern]))

    def _mask(self, drawn: Drawn, opacity: float, standing: Standing) -> None:
        shape = drawn.shape
        assert isinstance(shape, Mask)
        inside = self._mask_of(shape)
        if inside is None:
            return
        share = min(1.0, max(0.25, self._look.fill * 2.2) * opacity)
        image = mask_image(inside, drawn.paint.colour, share, edge=standing is not Standing.PLAIN)
        self._painter.save()
        self._painter.setTransform(QTransform(*self._viewport.affine), True)
        self._painter.drawImage(QRectF(shape.x, shape.y, shape.width, shape.height), image)
        self._painter.restore()

    def _bones(self, drawn: Drawn, stroke: Stroke) -> None:
        assert isinstance(drawn.shape, Keypoints)
        skeleton = self._skeleton_of(drawn.class_id)
        at = {each.name: each for each in drawn.shape.points if each.state is not PointState.ABSENT}
        pairs = () if skeleton is None else skeleton.edges
        ends = [(at[a].x, at[a].y, at[b].x, at[b].y) for a, b in pairs if a in at and b in at]
        if ends:
            pieces = self._screen(np.array(ends).reshape(-1, 2))
            self._strokes.pieces(stroke, pieces.reshape(-1, 4).tolist())

    def _joints(self, drawn: Drawn) -> None:
        """Dots over lines: filled where seen, open where occluded."""
        if isinstance(drawn.shape, Keypoints):
            points = [(p.x, p.y, p.state) for p in drawn.shape.points if p.state is not PointState.ABSENT]
        elif isinstance(drawn.shape, Point):
            points = [(drawn.shape.x, drawn.shape.y, PointState.VISIBLE)]
        else:
            return
        strong = self._marks.standing(drawn.id) in (Standing.SELECTED, Standing.HOVERED)
        colour = QColor(drawn.paint.colour)
        self._painter.setPen(QColor("#ffffff" if strong else "#101216"))
        for x, y, state in points:
            self._painter.setBrush(colour if state is PointState.VISIBLE else Qt.BrushStyle.NoBrush)
            self._painter.drawEllipse(QPointF(*self._viewport.to_screen((x, y))), _JOINT_PX, _JOINT_PX)

    def _shadows(self, shadows: Sequence[Shadow]) -> None:
        """All brought to the screen at once: dozens of small arrays would cost more than painting their lines."""
        shadows = [each for each in shadows if len(each.seen.segments)]
        if not shadows:
            return
        counts = [len(each.seen.segments) for each in shadows]
        every = np.concatenate([each.seen.segments for each in shadows])
        ends = self._screen(every.reshape(-1, 2)).reshape(-1, 4)
        starts = np.cumsum([0, *counts[:-1]])
        lows = np.minimum.reduceat(np.minimum(ends[:, :2], ends[:, 2:]), starts)
        highs = np.maximum.reduceat(np.maximum(ends[:, :2], ends[:, 2:]), starts)
        pieces, bounds = ends.tolist(), np.concatenate([lows, highs], axis=1).tolist()
        for shadow, start, count, around in zip(shadows, starts.tolist(), counts, bounds, strict=True):
            self._shadow(shadow, pieces[start : start + count], tuple(around))

    def _shadow(
        self, shadow: Shadow, pieces: list[list[float]], bounds: tuple[float, float, float, float]
    ) -> None:  # fmt: skip
        seen = shadow.seen
        standing = self._marks.standing(seen.annotation)
        opacity = self._look.opacity.get(shadow.class_id or "", 1.0)
        if opacity <= 0.0 and standing is Standing.PLAIN:
            return
        wide = bounds[2] - bounds[0]
        plain = standing is Standing.PLAIN and (seen.depth_m > _FAR_M or wide < _SMALL_PX)
        dash = _dash(between=seen.between, occluded=seen.occluded)
        width = 1.0 if plain else _WIDTHS[standing] * 0.8
        stroke = Stroke(shadow.paint.colour, width, dash, standing, round(255 * opacity), not plain)
        if plain:
            self._strokes.pieces(stroke, pieces)
        else:
            front = _FRONT[seen.edges].tolist()
            self._strokes.pieces(stroke, [each for each, ahead in zip(pieces, front, strict=True) if not ahead])
            wider = stroke._replace(width=width * 1.7)
            self._strokes.pieces(wider, [each for each, ahead in zip(pieces, front, strict=True) if ahead])
        if standing is not Standing.PLAIN or wide > 14:
            self._plates.append(_Plate(seen.annotation, shadow.name, shadow.paint, bounds, standing))

    # --- names --------------------------------------------------------------------------------------------------

    def _names(self) -> None:
        font = plate_font()
        metrics = QFontMetricsF(font)
        important = (Standing.SELECTED, Standing.HOVERED)
        seen = [plate for plate in self._plates if plate.text and self._is_seen(plate.bounds)]
        if self._look.calm:
            seen = [plate for plate in seen if plate.standing in important or plate.valued]
        plates = sorted(seen, key=lambda plate: plate.standing not in important)
        sizes = [plate_size(metrics, plate.text) for plate in plates]
        wanted = [
            Wanted(*size, plate.bounds, needed=plate.standing in important)
            for plate, size in zip(plates, sizes, strict=True)
        ]
        self._painter.setFont(font)
        for plate, size, place in zip(plates, sizes, placed(wanted, self._viewport.area), strict=True):
            if place is not None:
                strong = plate.standing is Standing.SELECTED
                paint_plate(
                    self._painter, QRectF(*place, *size), plate.text, plate.paint.colour, plate.paint.mark,
                    strong=strong,
                )  # fmt: skip

    def _is_seen(self, bounds: tuple[float, float, float, float]) -> bool:
        width, height = self._viewport.area
        return bounds[0] < width and bounds[2] > 0 and bounds[1] < height and bounds[3] > 0


def mask_image(inside: NDArray[np.bool_], colour: str, share: float, *, edge: bool) -> QImage:
    """A mask as a see-through picture; ``edge`` draws its inner border in full."""
    paint = QColor(colour)
    alpha = np.where(inside, round(255 * share), 0).astype(np.uint32)
    if edge:
        padded = np.pad(inside, 1)
        inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        alpha = np.where(inside & ~inner, np.uint32(255), alpha)
    rgb = np.uint32(paint.red() << 16 | paint.green() << 8 | paint.blue())
    pixels = np.ascontiguousarray(alpha << np.uint32(24) | rgb)
    height, width = pixels.shape
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32).copy()


def _stroke(drawn: Drawn, standing: Standing, opacity: float) -> Stroke:
    dash = _dash(between=drawn.proposed or drawn.kind is MomentKind.INTERPOLATED, occluded=drawn.occluded)
    return Stroke(drawn.paint.colour, _WIDTHS[standing], dash, standing, round(255 * max(opacity, 0.25)))


def _dash(*, between: bool, occluded: bool) -> Dash:
    if between:
        return Dash.BOTH if occluded else Dash.DASHED
    return Dash.DOTTED if occluded else Dash.SOLID
