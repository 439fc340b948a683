"""Which tools there are, as data: tool bar, menus, palette and keys are built from it. A new tool is one entry here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from workstation.core.values import dataclass
from workstation.ui.tools.state import SELECT

if TYPE_CHECKING:
    from workstation.ui.tools.canvas import Canvas, Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolInfo:
    """One tool. ``keys`` are defaults; letters and digits belong to the classes, so tools have function keys."""

    id: str
    title: str
    help: str
    icon: str
    keys: tuple[str, ...]
    makes: str | None
    """The ``ShapeKind`` it draws; ``None``: it edits what is there."""
    make: str
    """``module:Class`` in this folder: imported when the tool is taken, so that a start does not pay for all."""

    def on(self, canvas: Canvas) -> Tool:
        """The tool at work on a picture."""
        module, _, name = self.make.partition(":")
        made: Tool = getattr(importlib.import_module(f"workstation.ui.tools.{module}"), name)(canvas)
        return made


CATALOGUE: tuple[ToolInfo, ...] = (
    ToolInfo(
        id=SELECT, title="Select and edit", icon="select", keys=("F2",), makes=None, make="select:Select",
        help="Pick, move, resize, turn; click again for what lies under it. Pull points; Alt+click takes one out.",
    ),
    ToolInfo(
        id="box", title="Box", icon="box", keys=("F3",), makes="box", make="draw_box:DrawBox",
        help="Pull from corner to corner, or click both. Shift continues the selected track.",
    ),
    ToolInfo(
        id="extreme_box", title="Box by four points", icon="extreme_box", keys=("Shift+F3",), makes="box",
        make="draw_points:DrawExtremes",
        help="Click the leftmost, highest, rightmost and lowest point of the thing, in any order.",
    ),
    ToolInfo(
        id="rotated_box", title="Turned box", icon="rotated_box", keys=("Ctrl+F3",), makes="box",
        make="draw_points:DrawTurnedBox", help="Click both ends of a side, then how far the box reaches.",
    ),
    ToolInfo(
        id="polygon", title="Polygon", icon="polygon", keys=("F4",), makes="polygon", make="draw_path:DrawPolygon",
        help="Click points or pull by hand; Enter, a double click or the first point closes. "
        "Begun with Ctrl it is a hole in the selected polygon.",
    ),
    ToolInfo(
        id="polyline", title="Line", icon="polyline", keys=("Shift+F4",), makes="polyline",
        make="draw_path:DrawPolyline", help="Click points or pull by hand; Enter or a double click ends it.",
    ),
    ToolInfo(
        id="point", title="Point", icon="point", keys=("Ctrl+F4",), makes="point", make="draw_points:DrawPoint",
        help="Click where it is.",
    ),
    ToolInfo(
        id="keypoints", title="Skeleton", icon="keypoints", keys=("F8",), makes="keypoints",
        make="draw_skeleton:DrawSkeleton",
        help="Click the joints in the order named. Shift or O: occluded; X: absent; Enter: no more of them.",
    ),
    ToolInfo(
        id="brush", title="Brush", icon="brush", keys=("F9",), makes="mask", make="draw_mask:Brush",
        help="Paint into the selected mask, or a new one (Ctrl). Alt wipes, Shift pulls straight; "
        "smaller (@brush.smaller), larger (@brush.larger).",
    ),
    ToolInfo(
        id="eraser", title="Eraser", icon="erase", keys=("Shift+F9",), makes="mask", make="draw_mask:Eraser",
        help="Wipe pixels of the selected mask out. Alt paints.",
    ),
    ToolInfo(
        id="mask_fill", title="Mask by outline", icon="mask_fill", keys=("Ctrl+F9",), makes="mask",
        make="draw_mask:FillMask",
        help="Draw an outline whose inside becomes the mask. Alt takes away, Ctrl begins a new one.",
    ),
    ToolInfo(
        id="box_mask", title="Mask from a box or a click", icon="box_mask", keys=("Ctrl+Shift+F9",), makes="mask",
        make="box_mask:MaskFromBox",
        help="From the selected box, or one you click or pull; with a model of the SAM class from a click (Ctrl: not "
        "the box under it). A stroke adds, Alt+stroke takes away; Enter keeps it.",
    ),
    ToolInfo(
        id="measure", title="Measure a distance", icon="measure", keys=("F10",), makes="measurement",
        make="measure:MeasureByPoints", help="Pull or click from end to end on a slice: millimetres of the patient.",
    ),
    ToolInfo(
        id="measure_angle", title="Measure an angle", icon="measure_angle", keys=("Shift+F10",), makes="measurement",
        make="measure:MeasureAngle", help="Click an arm's end, the corner and the other arm's end.",
    ),
    ToolInfo(
        id="measure_ellipse", title="Measure an ellipse", icon="measure_ellipse", keys=("Ctrl+F10",),
        makes="measurement", make="measure:MeasureEllipse",
        help="Pull from corner to corner: area, mean and spread of the values inside. Shift makes it round.",
    ),
    ToolInfo(
        id="measure_outline", title="Measure an outline", icon="measure_outline", keys=("Ctrl+Shift+F10",),
        makes="measurement", make="measure:MeasureOutline",
        help="Click points or pull by hand: area, mean and spread of the values inside.",
    ),
)  # fmt: skip
TOOLS: Mapping[str, ToolInfo] = {each.id: each for each in CATALOGUE}


def make_tool(name: str, canvas: Canvas) -> Tool:
    """The tool of that name on a canvas; the one that selects for a tool that has no business on pictures."""
    return TOOLS.get(name, TOOLS[SELECT]).on(canvas)
