"""Order that links claim against the times of their ends; shapes without a size, spans that run backwards, leaps."""

from __future__ import annotations

from typing import Any

import pytest
from plain_snapshot import TEXT, Scene, ontology
from space_world import MS, World, projected

from workstation.core.geometry import Box, ShapeKind, Span
from workstation.core.timemap import offset_map

RULES = TEXT.replace(
    "  near:",
    "  before: {roles: {earlier: {targets: [annotation]}, later: {targets: [annotation]}}}\n"
    "  during: {roles: {inner: {targets: [annotation]}, outer: {targets: [annotation]}}}\n  near:",
)


def span(scene: Scene, stream: str, start_ms: float, end_ms: float, **more: Any) -> Any:
    times = {"start_ns": round(start_ms * MS), "end_ns": round(end_ms * MS)}
    return scene.label(stream, "sound", kind=ShapeKind.SPAN, shape=Span(), **times, **more)


@pytest.mark.parametrize(
    ("type_id", "one", "other", "off_ms"),
    [
        ("before", (0, 100), (100, 200), 0),
        ("before", (0, 100.9), (100, 200), 0),
        ("before", (0, 130), (100, 200), 30),
        ("during", (110, 190), (100, 200), 0),
        ("during", (80, 190), (100, 200), 20),
        ("during", (110, 250), (100, 200), 50),
        ("causes", (100, 120), (100, 200), 0),
        ("causes", (140, 160), (100, 200), 40),
    ],
)
def test_a_relation_in_time_that_no_longer_holds_is_flagged(
    type_id: str, one: tuple[float, float], other: tuple[float, float], off_ms: float
) -> None:
    scene = Scene(ontology(RULES))
    roles = {"before": ("earlier", "later"), "during": ("inner", "outer"), "causes": ("cause", "effect")}[type_id]
    scene.link(type_id, dict(zip(roles, (span(scene, "audio", *one), span(scene, "image", *other)), strict=True)))
    found = scene.found("order")
    assert [each.measured for each in found] == ([off_ms] if off_ms else [])
    denied = Scene(ontology(RULES))
    ends = dict(zip(roles, (span(denied, "audio", *one), span(denied, "image", *other)), strict=True))
    denied.link(type_id, ends, holds=False)
    assert denied.found("order") == []


def test_times_are_compared_in_session_time() -> None:
    scene = Scene(ontology(RULES))
    for number, each in enumerate(scene.snapshot.held):
        if getattr(each, "key", "") == "audio":
            given = {name: getattr(each, name) for name in each.__struct_fields__}
            scene.snapshot.held[number] = type(each)(**given | {"time_map": offset_map(500 * MS)})
    scene.link("before", {"earlier": span(scene, "audio", 0, 100), "later": span(scene, "image", 100, 200)})
    assert [each.measured for each in scene.found("order")] == [500.0]


def test_a_box_without_a_size_and_a_span_that_runs_backwards_are_found() -> None:
    scene = Scene(ontology(RULES))
    scene.label("image", "car", shape=Box(5, 5, 0, 9))
    scene.label("image", "car", shape=Box(5, 5, float("nan"), 9))
    span(scene, "audio", 300, 100)
    assert scene.rules_found("geometry") == ["geometry.invalid"] * 3
    fine = Scene(ontology(RULES))
    fine.label("image", "car")
    span(fine, "audio", 100, 300)
    assert fine.found("geometry") == []


@pytest.mark.parametrize(("step_m", "found"), [(3.0, 0), (8.5, 0), (9.5, 1), (40.0, 1)])
def test_a_cuboid_that_leaps_is_found(step_m: float, found: int) -> None:
    world = World()
    world.cuboid(world.thing(), {0: (10, 0, 0), 100: (10 + step_m, 0, 0), 200: (10 + step_m, 0, 0)})
    findings = world.found("geometry")
    assert [each.rule for each in findings] == ["geometry.leap"] * found
    if findings:
        assert findings[0].measured == pytest.approx(step_m * 10)
        assert "at 0.100 s" in findings[0].text


def test_a_box_that_leaps_is_found_where_no_cuboid_tells_whose_it_is() -> None:
    world = World()
    here, there = projected((40.0, 8.0, 0.0)), projected((40.0, -8.0, 0.0))
    world.boxed(world.thing(), {0: here, 100: here, 200: there, 300: there})
    (found,) = world.found("geometry")
    assert "times its size a second" in found.text
    far = World()
    far.boxed(far.thing(), {0: here, 1_000: there})
    assert far.found("geometry") == []


def test_what_passes_a_turning_camera_steadily_does_not_leap_however_small_it_is() -> None:
    """A far car of 8 px that goes 75 px from picture to picture, as in a bend; one picture of it elsewhere does."""

    def passing(wrong_px: float = 0.0) -> list[str]:
        world = World()
        at = {step * 100: (100 + 75.0 * step + (wrong_px if step == 3 else 0), 280.0) for step in range(8)}
        boxes: dict[int, tuple[float, ...] | None] = {time: (x, y, x + 8.0, y + 7.0) for time, (x, y) in at.items()}
        world.boxed(world.thing(), boxes)
        return [each.rule for each in world.found("geometry")]

    assert passing() == []
    assert passing(60.0) == ["geometry.leap"]
