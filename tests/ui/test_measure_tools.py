"""Measuring tools without a window, on a canvas whose pixels are 2 × 3 mm: figures come out in millimetres, values are
computed, nothing is made before its class is said, and ends are pulled in one step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from workstation.core.geometry import Figure, Measurement
from workstation.core.measured import value_of
from workstation.ui.tools.canvas import Button, Canvas, Cursor, KeyPress, Modifier, Place, PointerEvent, Preview, Tool
from workstation.ui.tools.catalogue import make_tool
from workstation.ui.tools.measure_edit import SelectOnSlices
from workstation.ui.tools.measuring import Lying
from workstation.ui.tools.state import Hand

SHIFT, NOTHING = Modifier.SHIFT, Modifier.NONE


class Flat:
    """A canvas of a picture that lies in no patient."""

    scale, stream, item, instance, active, own_ns = (
        2.0,
        SimpleNamespace(id="series", kind="volume"),
        4,
        "1.2.3",
        None,
        None,
    )
    size_px = (100, 100)

    def __init__(self) -> None:
        self.hand = Hand()
        self.view = SimpleNamespace(ontology=None, annotations={}, class_name=str)
        self.done: list[dict[str, Any]] = []
        self.previews: dict[str, Preview] = {}
        self.selected: tuple[str, ...] = ()
        self.told: list[str] = []

    def hit(self, place: Place, *, reach_px: float = 6.0) -> list[str]:
        return []

    def shape_of(self, annotation: str) -> None:
        return None

    def locked(self, annotation: str) -> bool:
        return False

    def preview(self, shapes: Mapping[str, Preview], *, class_id: str | None = None) -> None:
        self.previews = dict(shapes)

    def repaint(self) -> None: ...

    def run(self, command_id: str, /, **arguments: Any) -> str:
        self.done.append({"command": command_id, **arguments})
        return "made"

    def select(self, ids: Iterable[str], *, mode: object = None, active: str | None = None) -> None:
        self.selected = tuple(ids)

    def tell(self, text: str) -> None:
        self.told.append(text)


class Slice(Flat):
    """Pixels 2 mm wide and 3 mm high, on a slice 50 mm up."""

    frame = "patient"

    def __init__(self, lying: Sequence[Lying] = ()) -> None:
        super().__init__()
        self._lying = list(lying)

    def in_patient(self, place: Place) -> tuple[float, float, float]:
        return (2.0 * place[0], 3.0 * place[1], 50.0)

    def measured(
        self, figure: Figure, points: Sequence[Sequence[float]], *, like: Measurement | None = None
    ) -> Measurement:
        quantity, value, unit = value_of(figure, points)
        return Measurement(quantity, value, unit, tuple(tuple(each) for each in points), figure)

    def lying(self) -> Sequence[Lying]:
        return self._lying


def tool_on(canvas: Flat, name: str) -> Tool:
    return make_tool(name, cast(Canvas, canvas))


def at(place: Place, *, held: Button = Button.LEFT, modifiers: Modifier = NOTHING) -> PointerEvent:
    return PointerEvent(x=place[0], y=place[1], button=Button.LEFT, held=held, modifiers=modifiers, scale=2.0)


def click(tool: Tool, *places: Place, modifiers: Modifier = NOTHING) -> None:
    for place in places:
        tool.move(at(place, held=Button.NONE, modifiers=modifiers))
        tool.press(at(place, modifiers=modifiers))
        tool.release(at(place, held=Button.NONE, modifiers=modifiers))


def pull(tool: Tool, start: Place, end: Place, modifiers: Modifier = NOTHING) -> None:
    tool.press(at(start, modifiers=modifiers))
    tool.move(at(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), modifiers=modifiers))
    tool.move(at(end, modifiers=modifiers))
    tool.release(at(end, held=Button.NONE, modifiers=modifiers))


def made(canvas: Flat) -> Measurement:
    (done,) = canvas.done
    assert done["command"] == "annotation.add"
    assert (done["item"], done["frame"], done["stream"]) == ("1.2.3", "patient", "series")
    return cast(Measurement, done["shape"])


@pytest.mark.parametrize("pulling", [True, False])
def test_a_distance_is_pulled_or_clicked_and_waits_for_its_class(pulling: bool) -> None:
    canvas = Slice()
    tool = tool_on(canvas, "measure")
    if pulling:
        pull(tool, (10, 10), (40, 30))
    else:
        click(tool, (10, 10), (40, 30))
    assert canvas.done == []
    assert canvas.hand.waiting
    assert canvas.hand.say_class("long_axis")
    shape = made(canvas)
    assert shape.value == pytest.approx(math.hypot(60, 60))
    assert shape.unit == "mm"
    assert canvas.selected == ("made",)
    assert canvas.previews == {}


def test_with_a_class_in_the_hand_it_is_made_at_once_and_escape_gives_up() -> None:
    canvas = Slice()
    canvas.hand.set_class("long_axis")
    tool = tool_on(canvas, "measure")
    tool.press(at((10, 10)))
    assert tool.busy
    tool.cancel()
    assert not tool.busy
    assert canvas.done == []
    click(tool, (1, 1), (20, 20))
    assert tool.key(KeyPress(key="Backspace")) is False
    assert made(canvas).figure is Figure.LINE


def test_an_angle_takes_three_clicks_and_backspace_takes_one_back() -> None:
    canvas = Slice()
    canvas.hand.set_class("angle")
    tool = tool_on(canvas, "measure_angle")
    click(tool, (50, 10), (90, 90))
    assert tool.key(KeyPress(key="Backspace"))
    click(tool, (10, 10), (10, 40))
    shape = made(canvas)
    assert shape.figure is Figure.ANGLE
    assert (shape.value, shape.unit) == (pytest.approx(90.0), "°")


def test_an_ellipse_spans_what_was_pulled_and_shift_makes_it_round_in_the_patient() -> None:
    canvas = Slice()
    canvas.hand.set_class("density")
    pull(tool_on(canvas, "measure_ellipse"), (10, 10), (30, 20))
    shape = made(canvas)
    assert shape.value == pytest.approx(math.pi / 4 * 40 * 30)
    canvas.done.clear()
    pull(tool_on(canvas, "measure_ellipse"), (10, 10), (30, 12), SHIFT)
    assert made(canvas).value == pytest.approx(math.pi / 4 * 40 * 40)
    canvas.done.clear()
    pull(tool_on(canvas, "measure_ellipse"), (10, 10), (10.5, 10.5))
    assert canvas.done == [], "a click measures nothing"


def test_an_outline_is_clicked_and_closed() -> None:
    canvas = Slice()
    canvas.hand.set_class("density")
    tool = tool_on(canvas, "measure_outline")
    click(tool, (10, 10), (30, 10), (30, 30), (10, 30))
    tool.key(KeyPress(key="Return"))
    shape = made(canvas)
    assert shape.figure is Figure.OUTLINE
    assert shape.value == pytest.approx(40 * 60)


@pytest.mark.parametrize("name", ["measure", "measure_angle", "measure_ellipse", "measure_outline"])
def test_where_there_is_no_patient_it_says_so(name: str) -> None:
    canvas = Flat()
    tool = tool_on(canvas, name)
    assert tool.cursor(at((10, 10))) is Cursor.FORBIDDEN
    tool.press(at((10, 10)))
    assert not tool.busy
    assert "Measuring needs a volume" in canvas.told[0]


def lying(canvas_to_be: type[Slice] = Slice) -> Lying:
    points = ((20.0, 30.0, 50.0), (60.0, 30.0, 50.0))
    return Lying("m", Measurement("distance", 40.0, "mm", points, Figure.LINE), Figure.LINE, ((10, 10), (30, 10)))


def test_an_end_is_pulled_in_one_step_and_the_value_follows() -> None:
    canvas = Slice([lying()])
    tool = SelectOnSlices(cast(Canvas, canvas))
    tool.press(at((30, 10)))
    tool.move(at((30, 20)))
    preview = canvas.previews["m"]
    assert isinstance(preview, Measurement)
    assert preview.value == pytest.approx(50.0)
    assert tool.busy
    assert canvas.done == []
    tool.release(at((30, 20), held=Button.NONE))
    (done,) = canvas.done
    assert (done["command"], done["annotation"]) == ("annotation.set_shape", "m")
    assert done["shape"].points == ((20.0, 30.0, 50.0), (60.0, 60.0, 50.0))
    assert canvas.previews == {}


def test_escape_leaves_a_measurement_as_it_was() -> None:
    canvas = Slice([lying()])
    tool = SelectOnSlices(cast(Canvas, canvas))
    tool.press(at((10, 10)))
    tool.move(at((40, 40)))
    tool.cancel()
    tool.release(at((40, 40), held=Button.NONE))
    assert canvas.done == []
    assert canvas.previews == {}


def test_the_line_moves_all_of_it() -> None:
    canvas = Slice([lying()])
    canvas.hit = lambda place, reach_px=6.0: ["m"]  # type: ignore[method-assign,assignment]
    tool = SelectOnSlices(cast(Canvas, canvas))
    tool.press(at((20, 10)))
    tool.move(at((25, 12)))
    tool.release(at((25, 12), held=Button.NONE))
    (done,) = canvas.done
    assert done["shape"].points == ((30.0, 36.0, 50.0), (70.0, 36.0, 50.0))
    assert done["shape"].value == pytest.approx(40.0)
