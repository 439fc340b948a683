"""Tools without a window: laws of the handles of a box, and gestures on a canvas that only remembers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.geometry import Box, Shape
from workstation.ui.tools import box_handles
from workstation.ui.tools.box_handles import GRIPS, Grip
from workstation.ui.tools.canvas import Button, Modifier, Place, PointerEvent, Preview
from workstation.ui.tools.catalogue import make_tool
from workstation.ui.tools.state import Hand

if TYPE_CHECKING:
    from workstation.ui.tools.canvas import Canvas, Tool

BOXES = st.builds(
    Box, x=st.floats(-500, 500), y=st.floats(-500, 500), width=st.floats(2, 400), height=st.floats(2, 400),
    angle_deg=st.floats(-180, 180),
)  # fmt: skip
PLACES = st.tuples(st.floats(-600, 600), st.floats(-600, 600))


@given(BOXES, st.sampled_from(GRIPS), PLACES)
def test_the_opposite_side_or_corner_stays(box: Box, grip: Grip, place: Place) -> None:
    made = box_handles.dragged(box, grip, place)
    opposite = Grip(-grip.across, -grip.down)
    before, after = (box_handles.place_of(each, opposite, 1.0) for each in (box, made))
    assert math.dist(before, after) < 1e-6 * max(1.0, *map(abs, (*before, *place)))
    assert made.angle_deg == box.angle_deg
    assert min(made.width, made.height) >= box_handles.LEAST_PX - 1e-9


@given(BOXES, st.sampled_from(GRIPS))
def test_a_grip_that_is_not_moved_changes_nothing(box: Box, grip: Grip) -> None:
    made = box_handles.dragged(box, grip, box_handles.place_of(box, grip, 1.0))
    for name in ("x", "y", "width", "height"):
        assert getattr(made, name) == pytest.approx(getattr(box, name), abs=1e-6)


@given(BOXES, st.floats(0.2, 40))
def test_every_corner_can_be_taken_hold_of(box: Box, scale: float) -> None:
    for grip in (each for each in GRIPS if each.across and each.down):
        place = box_handles.place_of(box, grip, scale)
        found = box_handles.grip_at(box, place, scale, reach_px=7)
        assert found is not None
        if min(box.width, box.height) * scale > 30:
            assert found == grip


def test_turning_puts_the_handle_under_the_pointer() -> None:
    box = Box(100.0, 100.0, 50.0, 20.0)
    made = box_handles.dragged(box, box_handles.TURN, (225.0, 110.0))  # to the right of the middle
    assert made.angle_deg == pytest.approx(90)
    assert box_handles.dragged(box, box_handles.TURN, (210.0, 108.0), straight=True).angle_deg == 90


class Remembering:
    """A canvas over a picture of 200 × 100 with boxes, none of them a track; remembers what tools do."""

    scale = 2.0
    stream = SimpleNamespace(id="stream")
    item: int | None = 3
    size_px = (200, 100)
    active: str | None = None

    def __init__(self, boxes: Mapping[str, Box]) -> None:
        self.boxes: dict[str, Shape] = dict(boxes)
        self.hand = Hand()
        self.done: list[tuple[str, dict[str, Any]]] = []
        self.previews: dict[str, Preview] = {}
        self.selected: tuple[str, ...] = ()

    def hit(self, place: Place, *, reach_px: float = 6.0) -> list[str]:
        return [key for key, box in self.boxes.items() if isinstance(box, Box) and _inside(box, place)]

    def within(self, ring: Sequence[Place]) -> list[str]:
        return sorted(self.boxes)

    def shape_of(self, annotation: str) -> Shape | None:
        return self.boxes.get(annotation)

    def preview(self, shapes: Mapping[str, Preview], *, class_id: str | None = None) -> None:
        self.previews = dict(shapes)

    def select(self, ids: Iterable[str], *, mode: Any = None, active: str | None = None) -> None:
        picked = tuple(ids)
        self.selected = picked if mode is None else mode(self.selected, picked)

    def run(self, command_id: str, /, **arguments: object) -> Any:
        self.done.append((command_id, dict(arguments)))
        return "made"

    def repaint(self) -> None:
        """Nothing is painted here."""

    def tell(self, text: str) -> None:
        self.done.append(("told", {"text": text}))


def _inside(box: Box, place: Place) -> bool:
    return box.x <= place[0] <= box.x + box.width and box.y <= place[1] <= box.y + box.height


def pointer(x: float, y: float, *, button: Button = Button.LEFT, modifiers: Modifier = Modifier.NONE) -> PointerEvent:
    return PointerEvent(x=x, y=y, button=button, held=Button.LEFT, modifiers=modifiers, scale=2.0)


def held(name: str, canvas: Remembering) -> Tool:
    return make_tool(name, cast("Canvas", canvas))


def pull(tool: Tool, start: Place, end: Place) -> None:
    tool.press(pointer(*start))
    for share in (0.3, 0.7, 1.0):
        tool.move(pointer(start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share))
    tool.release(pointer(*end))


def test_a_box_is_cut_at_the_picture_and_waits_for_its_class() -> None:
    canvas = Remembering({})
    pull(held("box", canvas), (150, 40), (260, 140))
    assert canvas.hand.waiting
    (shown,) = canvas.previews.values()
    assert shown == Box(150, 40, 50, 60)


def test_a_click_and_another_click_draw_a_box_too() -> None:
    canvas = Remembering({})
    tool = held("box", canvas)
    tool.press(pointer(10, 10))
    tool.release(pointer(10, 10))
    states = [tool.busy]
    tool.move(pointer(60, 40, button=Button.NONE))
    tool.press(pointer(60, 40))
    tool.release(pointer(60, 40))
    assert [*states, tool.busy] == [True, False]
    assert list(canvas.previews.values()) == [Box(10, 10, 50, 30)]


def test_nothing_is_drawn_where_no_picture_is() -> None:
    canvas = Remembering({})
    canvas.item = None
    pull(held("box", canvas), (10, 10), (60, 40))
    assert not canvas.hand.waiting
    assert canvas.previews == {}


def test_escape_while_drawing_forgets_the_box() -> None:
    canvas = Remembering({})
    tool = held("box", canvas)
    tool.press(pointer(10, 10))
    tool.move(pointer(60, 40))
    tool.cancel()
    tool.release(pointer(60, 40))
    assert (tool.busy, canvas.previews, canvas.hand.waiting, canvas.done) == (False, {}, False, [])


def test_a_rubber_band_selects_and_a_click_beside_clears() -> None:
    canvas = Remembering({"a": Box(20, 20, 10, 10), "b": Box(60, 20, 10, 10)})
    tool = held("select", canvas)
    pull(tool, (5, 5), (190, 90))
    assert set(canvas.selected) == {"a", "b"}
    tool.press(pointer(150, 80))
    tool.release(pointer(150, 80))
    assert not canvas.selected


def test_control_changes_sides() -> None:
    canvas = Remembering({"a": Box(20, 20, 10, 10), "b": Box(60, 20, 10, 10)})
    tool = held("select", canvas)
    for x, expected in ((25, ("a",)), (65, ("a", "b")), (25, ("b",))):
        tool.press(pointer(x, 25, modifiers=Modifier.CTRL))
        tool.release(pointer(x, 25, modifiers=Modifier.CTRL))
        assert canvas.selected == expected
