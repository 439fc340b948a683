"""Actions on shapes: taking a tool, how it draws, and what is done to the selected shapes of the focused picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from workstation.ui.actions.action import NO_CLASS_FOR_IT, NO_STREAM_FOR_IT, READ_ONLY, Hands, action, needs_sample
from workstation.ui.actions.camera import SCOPE, canvas_of
from workstation.ui.actions.picture_acts import act_on_picture
from workstation.ui.tools.catalogue import TOOLS, ToolInfo

if TYPE_CHECKING:
    pass

TOOLS_MENU, MENU = "Tools", "Label"
_OF_PIXELS = ("mask", "keypoints")
"""What is drawn on pictures alone; everything else also on the pages of a document."""


# --- tools ------------------------------------------------------------------------------------------------------


def _why_not_tool(info: ToolInfo) -> Callable[[Hands], str | None]:
    def why_not(hands: Hands) -> str | None:
        from workstation.app.shown_kinds import PICTURE_KINDS
        from workstation.core.geometry import ShapeKind
        from workstation.core.sample import StreamKind
        from workstation.core.sync_state import why_locked

        view = hands.bench.view
        if view is None:
            return needs_sample(hands)
        drawn_on = PICTURE_KINDS if info.makes in _OF_PIXELS else PICTURE_KINDS | {StreamKind.DOCUMENT}
        if info.makes is None:  # what edits, edits in space too
            drawn_on = drawn_on | {StreamKind.CLOUD, StreamKind.RADAR}
        kinds = {each.kind for each in view.streams.values()} & drawn_on
        if not kinds:
            return f"{NO_STREAM_FOR_IT} pictures"
        if info.makes is None:
            return None
        if hands.bench.session.read_only:
            return READ_ONLY
        if (locked := why_locked(hands.bench.session.store.project(), view.sample, view.streams.values())) is not None:
            return locked
        ontology = view.ontology
        if ontology is not None and not any(ontology.classes_for(kind, ShapeKind(info.makes)) for kind in kinds):
            return f"{NO_CLASS_FOR_IT} may be drawn as {info.makes} on these pictures"
        return None

    return why_not


def _taking(tool_id: str) -> Callable[[Hands], object]:
    info = TOOLS[tool_id]

    def take(hands: Hands) -> None:
        hands.bench.hand.forget_drawn()
        hands.bench.hand.take(info.id)

    take.__doc__, take.__module__ = info.help, __name__
    return action(
        f"tool.{info.id}", title=info.title, keys=info.keys, menu=TOOLS_MENU, icon=info.icon,
        enabled=_why_not_tool(info),
    )(take)  # fmt: skip


select = _taking("select")
box = _taking("box")
extreme_box = _taking("extreme_box")
rotated_box = _taking("rotated_box")
polygon = _taking("polygon")
polyline = _taking("polyline")
point = _taking("point")
keypoints = _taking("keypoints")
brush = _taking("brush")
eraser = _taking("eraser")
mask_fill = _taking("mask_fill")
box_mask = _taking("box_mask")
measure = _taking("measure")
measure_angle = _taking("measure_angle")
measure_ellipse = _taking("measure_ellipse")
measure_outline = _taking("measure_outline")


# --- how they draw ----------------------------------------------------------------------------------------------


def _brush_by(hands: Hands, steps: float) -> None:
    from workstation.ui.tools.draw_mask import size_brush

    canvas = canvas_of(hands)
    if canvas is not None:
        size_brush(canvas, steps)
        hands.bench.tell(f"The brush is {canvas.hand.ways.brush_px:g} px wide.")


def _needs_brush(hands: Hands) -> str | None:
    return None if hands.bench.view is not None and hands.bench.hand.tool in ("brush", "eraser") else "take the brush"


@action("brush.smaller", title="Smaller brush", keys="[", scope=SCOPE, menu=TOOLS_MENU, enabled=_needs_brush,
        repeats=True)  # fmt: skip
def brush_smaller(hands: Hands) -> None:
    """A narrower brush and eraser (also Ctrl and the wheel)."""
    _brush_by(hands, -1)


@action("brush.larger", title="Larger brush", keys="]", scope=SCOPE, menu=TOOLS_MENU, enabled=_needs_brush,
        repeats=True)  # fmt: skip
def brush_larger(hands: Hands) -> None:
    """A wider brush and eraser (also Ctrl and the wheel)."""
    _brush_by(hands, 1)


@action("brush.square", title="Square or round brush", keys="Ctrl+Shift+B", scope=SCOPE, menu=TOOLS_MENU)
def brush_square(hands: Hands) -> None:
    """Paint and wipe with a square, or with a round."""
    hand = hands.bench.hand
    hand.set_ways(brush_square=not hand.ways.brush_square)
    hands.bench.tell("The brush is square." if hand.ways.brush_square else "The brush is round.")


@action("brush.take", title="Painting takes pixels of others", keys="Ctrl+Shift+P", scope=SCOPE, menu=TOOLS_MENU)
def brush_take(hands: Hands) -> None:
    """Painting over another instance takes its pixels, or leaves them alone."""
    hand = hands.bench.hand
    hand.set_ways(take_pixels=not hand.ways.take_pixels)
    taking = (
        "takes pixels of other instances" if hand.ways.take_pixels else "leaves the pixels of other instances alone"
    )
    hands.bench.tell(f"Painting {taking}.")


@action("shape.snap", title="Snap to outlines", keys="Ctrl+Shift+G", scope=SCOPE, menu=TOOLS_MENU)
def snap(hands: Hands) -> None:
    """Draw points to the corners and edges beside, so that borders are shared; corners shared so are moved together."""
    hand = hands.bench.hand
    hand.set_ways(snap=not hand.ways.snap)
    hands.bench.tell("Points snap to outlines." if hand.ways.snap else "Points stay where they are set.")


# --- the selected shapes ----------------------------------------------------------------------------------------


def _edits() -> ModuleType:
    """With geometry and pixels: a start does not pay for what is done to shapes later."""
    from workstation.ui.tools import shape_edits

    return shape_edits


def _needs_shape(hands: Hands) -> str | None:
    if hands.bench.session.read_only:
        return READ_ONLY
    canvas = canvas_of(hands)
    if canvas is None:
        return needs_sample(hands) or "this sample has no pictures, or their pane is closed"
    return None if _edits().shown_here(canvas) else "select a shape of this picture first"


_doing = partial(act_on_picture, enabled=_needs_shape, menu=MENU, module=__name__)


def _nudging(side: str, by: tuple[float, float], keys: str) -> Callable[[Hands], object]:
    far = "Shift" in keys
    name = f"shape.nudge_{side}" + ("_far" if far else "")
    title = f"Nudge {side} by {10 if far else 1} px"
    text = f"Move the selected shapes {10 if far else 1} px; nudges within half a second are one step."
    return act_on_picture(
        name, title, text, lambda canvas: _edits().nudge(canvas, by), keys, enabled=_needs_shape, menu="",
        module=__name__, repeats=True,
    )  # fmt: skip


nudge_left, nudge_right = _nudging("left", (-1, 0), "Left"), _nudging("right", (1, 0), "Right")
nudge_up, nudge_down = _nudging("up", (0, -1), "Up"), _nudging("down", (0, 1), "Down")
far_left, far_right = _nudging("left", (-10, 0), "Shift+Left"), _nudging("right", (10, 0), "Shift+Right")
far_up, far_down = _nudging("up", (0, -10), "Shift+Up"), _nudging("down", (0, 10), "Shift+Down")

clip = _doing(
    "shape.clip", "Clip to the picture", "Cut the selected shapes at the edge of the picture.",
    lambda canvas: _edits().clip(canvas), "Ctrl+Shift+X",
)  # fmt: skip
flip_sides = _doing(
    "shape.flip_sides", "Exchange left and right", "Exchange the left and right joints of the selected skeletons.",
    lambda canvas: _edits().flip_sides(canvas), "Ctrl+Shift+F",
)  # fmt: skip
fill_holes = _doing(
    "mask.fill_holes",
    "Fill holes",
    "Fill what the selected masks enclose.",
    lambda canvas: _edits().fill_holes(canvas),
    "Ctrl+Shift+H",
)
part_masks = _doing(
    "mask.part", "Part mask", "Make every connected piece of the selected masks an instance of its own.",
    lambda canvas: _edits().part_masks(canvas), "Ctrl+Shift+I",
)  # fmt: skip
to_masks = _doing(
    "shape.to_mask", "Polygon to mask", "Put masks in place of the selected polygons; class, thing and links stay.",
    lambda canvas: _edits().to_masks(canvas), "Ctrl+Shift+M",
)  # fmt: skip
to_polygons = _doing(
    "shape.to_polygon", "Mask to polygon", "Put polygons in place of the selected masks; class, thing and links stay.",
    lambda canvas: _edits().to_polygons(canvas), "Ctrl+Shift+O",
)  # fmt: skip
