"""One plane of one volume: a header, the slice with everything drawn over it, the tool in the hand.

Made by the pane (``volume.py``), three per volume. What is painted is ``cut``; header and scene change with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workstation.app.volume_planes import Plane, PlaneName, Vec3
from workstation.app.volume_texts import window_text
from workstation.ui.panes.base_drawn import on_screen
from workstation.ui.panes.volume_area import PlaneArea
from workstation.ui.panes.volume_canvas import PlaneCanvas
from workstation.ui.panes.volume_header import PlaneHeader
from workstation.ui.panes.volume_look import VolumeLook
from workstation.ui.panes.volume_scene import PlaneScene, VolumeMarks
from workstation.ui.panes.volume_shown import Cut, VolumeShown
from workstation.ui.scenes.overlays import Marks
from workstation.ui.scenes.plane_viewport import LARGEST_SCALE, PlaneViewport, PlaneZoom, fit_per_mm
from workstation.ui.theme import Theme
from workstation.ui.tools.canvas import Button, Modifier, Place, PointerEvent, Preview, Tool, Wheels
from workstation.ui.tools.catalogue import make_tool
from workstation.ui.tools.drawing import SLACK_PX
from workstation.ui.tools.measure_edit import SelectOnSlices
from workstation.ui.tools.state import SELECT
from workstation.ui.workbench import Workbench

_WHEEL = 1.2


class PlaneView(QWidget):
    """One plane."""

    taken = QtSignal()
    """A person works on this plane now."""
    tool_moved = QtSignal()
    """The tool may have begun or ended something."""
    zoomed = QtSignal(object)
    """The person has zoomed or moved to this ``PlaneZoom``."""
    looked = QtSignal(object)
    """The person looks at this place of the volume, LPS millimetres."""
    previewed = QtSignal(object, object)
    """These shapes are in the making here, of that class."""
    windowed = QtSignal(float, float)
    """The person has changed the window by these shares of the picture."""

    def __init__(
        self, bench: Workbench, volume: VolumeShown, name: PlaneName, marks: VolumeMarks, look: VolumeLook,
        guard: Callable[..., Any], parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.bench, self.volume, self.name, self.marks, self.look, self.guard = bench, volume, name, marks, look, guard
        self.scene = PlaneScene(marks)
        self.canvas = PlaneCanvas(self)
        self.shown_marks = Marks()
        self.cut: Cut | None = None
        self.whose = ""
        """Which volume it is, where there are several."""
        self.note = ""
        """What the header says beside the slice: how the volume is linked."""
        self._common_per_mm = math.inf
        self._viewport: PlaneViewport | None = None
        self._tool_name = bench.hand.tool
        self.tool = self._make_tool()
        self._pressed: PointerEvent | None = None
        self.setObjectName(f"plane_{volume.stream.key}_{name}")
        self.setAccessibleName(f"{volume.title}, {name}")
        self.header = PlaneHeader(bench.theme)
        self.header.setObjectName(f"plane_header_{volume.stream.key}_{name}")
        self.header.taken.connect(self.taken)
        self.area = PlaneArea(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.area, 1)
        self.painted_index = -1
        """Of the slice on the screen."""

    # --- what is to be shown ------------------------------------------------------------------------------------

    @property
    def plane(self) -> Plane:
        return self.volume.planes[self.name]

    @property
    def plane_painted(self) -> tuple[Plane, int]:
        """The plane and slice on the screen, or about to be."""
        cut = self.cut
        return (self.plane, self.volume.index(self.name)) if cut is None else (cut.plane, cut.index)

    def picture_came(self) -> None:
        """Another slice, or none: header, scene and screen follow in one step."""
        before = self.cut
        self.cut = self.volume.cuts.get(self.name)
        if self.cut is None or before is None or (before.plane, before.index) != (self.cut.plane, self.cut.index):
            self.tool.picture_changed()
            self.renew_scene()
        self.say()
        self.area.update()

    def renew_scene(self) -> None:
        """What is drawn may be something else."""
        if self.cut is not None:
            instance = self.volume.instance(self.name, self.cut.index)
            self.scene.set_slice(self.cut.plane, self.cut.index, instance)
        self._viewport = None
        self.area.forget_layer()

    def show_preview(self, shapes: Mapping[str, Preview], class_id: str | None) -> None:
        """Something is being drawn or pulled here; the other planes are told."""
        self.scene.preview(shapes, class_id)
        self.area.forget_layer()
        self.previewed.emit(shapes, class_id)

    def take_preview(self, shapes: Mapping[str, Preview], class_id: str | None) -> None:
        """Something is being drawn or pulled in another plane."""
        if self.scene.previews_differ(shapes):
            self.scene.preview(shapes, class_id)
            self.area.forget_layer()

    def painted(self, cut: Cut) -> None:
        """It is on the screen."""
        self.painted_index = cut.index
        plane = self.plane_painted[0]
        if plane.acquired and self.volume.complete and self.bench.seen is not None:
            self.bench.seen.saw_item(self.volume.stream.id, cut.index)

    def empty_text(self) -> str:
        """What stands where no slice is."""
        return f"This volume cannot be shown:\n{self.volume.trouble}" if self.volume.trouble else ""

    def say(self) -> None:
        """Put the slice's number, its place and the window into the header."""
        plane, index = self.plane_painted
        title = " · ".join(filter(None, (self.whose, self.name.capitalize() + (", oblique" if plane.oblique else ""))))
        x, y, _ = plane.from_patient(self.volume.position)
        said = window_text(self.volume.window)
        note = "reading…" if not self.volume.complete and not plane.acquired else self.note
        place = plane.place_text(plane.to_patient(x, y, index))
        self.header.say((title, f"slice {index + 1} / {plane.count}", place, said, note))

    @property
    def sides(self) -> tuple[str, str, str, str]:
        """What lies beyond the left, right, top and bottom edge of the screen."""
        plane = self.plane_painted[0]
        return plane.edges(self.look.turn(plane))

    def value_text(self, pointer: QPointF | None) -> str:
        """The voxel under the pointer with its place."""
        cut = self.cut
        if pointer is None or cut is None:
            return ""
        x, y = self.viewport.to_picture((pointer.x(), pointer.y()))
        value = cut.slab.value_at(x / cut.plane.size_px[0], y / cut.plane.size_px[1])
        if math.isnan(value):
            return ""
        unit = "" if self.volume.reader is None or not self.volume.reader.unit else f" {self.volume.reader.unit}"
        return f"{value:.4g}{unit}".replace("-", "−")

    # --- where it lies ------------------------------------------------------------------------------------------

    @property
    def viewport(self) -> PlaneViewport:
        """Where the slice lies now."""
        if self._viewport is None:
            plane = self.plane_painted[0]
            zoom = self.look.zoom(self.name)
            middle = (plane.size_px[0] / 2, plane.size_px[1] / 2)
            if zoom.centre_mm is not None:
                x, y, _ = plane.from_patient(zoom.centre_mm)
                middle = (x, y)
            self._viewport = PlaneViewport(
                size_px=plane.size_px, spacing_mm=plane.spacing_mm[:2], turn=self.look.turn(plane), area=self._area(),
                per_mm=min(min(self.fit_per_mm(), self._common_per_mm) * zoom.factor, LARGEST_SCALE), middle=middle,
            )  # fmt: skip
        return self._viewport

    def _area(self) -> tuple[float, float]:
        return float(max(1, self.area.width())), float(max(1, self.area.height()))

    def fit_per_mm(self) -> float:
        """Screen pixels per millimetre at which all of it is seen."""
        plane = self.plane_painted[0]
        return fit_per_mm(plane.size_px, plane.spacing_mm[:2], self.look.turn(plane), self._area())

    def share_scale(self, per_mm: float) -> None:
        """Be no larger than the same plane of the volumes beside it."""
        if per_mm != self._common_per_mm:
            self._common_per_mm = per_mm
            self.forget_place()

    def forget_place(self) -> None:
        """Size, zoom or turn are not what they were."""
        self._viewport = None
        self.area.forget_layer()

    def resized(self) -> None:
        """The area has another size: volumes beside each other keep one scale."""
        self.forget_place()
        self.zoomed.emit(self.look.zoom(self.name))

    def cross_on_screen(self) -> Place:
        """Where the place looked at is."""
        x, y, _ = self.plane_painted[0].from_patient(self.volume.position)
        return self.viewport.to_screen((x, y))

    # --- moving -------------------------------------------------------------------------------------------------

    def look_at_screen(self, at: Place) -> None:
        """Look at what is under a place of the screen."""
        plane, index = self.plane_painted
        x, y = self.viewport.to_picture(at)
        x, y = min(max(x, 0.0), plane.size_px[0] - 1e-6), min(max(y, 0.0), plane.size_px[1] - 1e-6)
        self.looked.emit(plane.to_patient(x, y, index))

    def step(self, by: int) -> None:
        """So many slices on; from where it was asked to be, not from what is painted."""
        self.looked.emit(self.volume.on_slice(self.name, self.volume.index(self.name) + by))

    def wheel(self, steps: float, at: Place, *, ctrl: bool) -> None:
        """Through the slices; with Ctrl nearer or farther, or a wider brush."""
        self.taken.emit()
        if not ctrl:
            self.step(-1 if steps > 0 else 1)
        elif not (isinstance(self.tool, Wheels) and self.tool.wheel(steps)):
            self.zoom_by(_WHEEL**steps, at)

    def zoom_by(self, times: float, at: Place | None = None) -> None:
        """Nearer, with what is under a place staying there."""
        if at is None:
            pointer = self.area.pointer
            at = (self.area.width() / 2, self.area.height() / 2) if pointer is None else (pointer.x(), pointer.y())
        viewport, zoom = self.viewport, self.look.zoom(self.name)
        factor = min(max(zoom.factor * times, 1.0), LARGEST_SCALE / viewport.per_mm * zoom.factor)
        if factor <= 1.0:
            self.zoomed.emit(PlaneZoom())
            return
        under, middle = np.array(viewport.to_picture(at)), np.array(viewport.middle)
        there = under + (middle - under) * (zoom.factor / factor)
        self.zoomed.emit(PlaneZoom(factor, self._in_patient((float(there[0]), float(there[1])))))

    def pan(self, by: Place) -> None:
        """Pull the picture by so many screen pixels."""
        width, height = self._area()
        middle = self.viewport.to_picture((width / 2 - by[0], height / 2 - by[1]))
        self.zoomed.emit(PlaneZoom(self.look.zoom(self.name).factor, self._in_patient(middle)))

    def _in_patient(self, place: Place) -> Vec3:
        plane, index = self.plane_painted
        return plane.to_patient(place[0], place[1], index)

    def shift_window(self, across: float, down: float) -> None:
        self.windowed.emit(across, down)

    # --- the hand -----------------------------------------------------------------------------------------------

    @property
    def selects(self) -> bool:
        """Whether the hand holds no drawing tool."""
        return isinstance(self.tool, SelectOnSlices)

    def _make_tool(self) -> Tool:
        made = make_tool(self._tool_name, self.canvas)
        return SelectOnSlices(self.canvas) if self._tool_name == SELECT else made

    def hand_changed(self) -> None:
        """Another tool is held, or the drawn shape got its class."""
        if self.bench.hand.tool != self._tool_name:
            self.tool.cancel()
            self._tool_name = self.bench.hand.tool
            self.tool = self._make_tool()
        if not self.bench.hand.waiting and not self.tool.busy:
            self.canvas.preview({})
        self.area.update()

    def hover(self, event: PointerEvent | None) -> None:
        """The pointer is over the slice, or has left it."""
        hit = [] if event is None else self.canvas.hit(event.place)
        self.bench.selection.hover(hit[0] if hit else None, cause="volume")

    def pressed(self, event: PointerEvent) -> None:
        """Remember where, to tell a click from a pull."""
        self._pressed = event

    def clicked(self, event: PointerEvent) -> None:
        """A click on nothing, with no tool that draws, moves the cross-hair there."""
        start, self._pressed = self._pressed, None
        if start is None or event.button is not Button.LEFT or not self.selects or self.tool.busy:
            return
        still = math.dist(start.place, event.place) * event.scale <= SLACK_PX
        held = event.modifiers & (Modifier.SHIFT | Modifier.CTRL | Modifier.ALT)
        if still and not held and not self.canvas.hit(event.place):
            self.look_at_screen(self.viewport.to_screen(event.place))

    # --- looks --------------------------------------------------------------------------------------------------

    def where(self, ids: frozenset[str]) -> list[tuple[str, QRectF]]:
        """Where these show in the area, as far as they do."""
        shown = self.scene.where(ids)
        return on_screen(shown, self.viewport, QRectF(self.area.rect()))

    def show_marks(self, marks: Marks) -> None:
        """Other things are selected or hovered."""
        if marks != self.shown_marks:
            self.shown_marks = marks
            self.area.forget_layer()

    def set_look(self, look: VolumeLook) -> None:
        """Other switches, another zoom, another turn."""
        self.look = look
        self.forget_place()
        self.say()

    def set_theme(self, theme: Theme, *, focused: bool) -> None:
        self.header.set_look(theme, focused=focused)
        self.area.update()
