"""Boxes beside the cuboids of the same things: overlap, sides that stick out, labels on the wrong thing."""

from __future__ import annotations

import pytest
from space_world import FOCAL, PLACES, WIDE, World, projected, street

from workstation.core.annotation import Keyframe
from workstation.core.ontology import ErrorType

AT = range(0, 800, 100)


def test_perfect_boxes_raise_nothing() -> None:
    world = World()
    street(world)
    assert world.found("boxes") == world.found("calibration") == world.found("space") == []


@pytest.mark.parametrize(("px", "found"), [(4.5, 0), (8.0, 1)])
@pytest.mark.parametrize(("side", "name"), [(0, "left"), (1, "top"), (2, "right"), (3, "bottom")])
def test_a_side_that_sticks_out_is_named_with_its_pixels(px: float, found: int, side: int, name: str) -> None:
    world = World()
    street(world, places=PLACES[1:])
    thing = world.thing(number=9)
    world.cuboid(thing, dict.fromkeys(AT, PLACES[0]))
    loose = list(projected(PLACES[0]))
    loose[side] += px if side > 1 else -px
    world.boxed(thing, {at: tuple(loose) if at == 300 else projected(PLACES[0]) for at in AT})
    findings = world.found("boxes")
    assert len(findings) == found
    if findings:
        assert (findings[0].rule, findings[0].error_type) == ("boxes.overrun", ErrorType.PARTIAL_ALIGNMENT)
        assert f"{name} 8 px" in findings[0].text
        assert "0.300 s" in findings[0].text
        assert (findings[0].measured, findings[0].limit) == (8.0, 5.0)


def test_the_tolerance_is_the_projects_where_it_has_one() -> None:
    for limit, found in ((10.0, 0), (6.0, 1)):
        world = World({"containment_px": limit})
        street(world, places=PLACES[1:])
        thing = world.thing(number=9)
        world.cuboid(thing, dict.fromkeys(AT, PLACES[0]))
        left, top, right, bottom = projected(PLACES[0])
        world.boxed(thing, dict.fromkeys(AT, (left, top, right + 8, bottom)))
        assert len(world.found("boxes.overrun")) == found


def overlapping(tolerances: dict[str, float], class_id: str = "car", place: tuple[float, float, float] = PLACES[0],
                share: float = 0.4) -> list[str]:  # fmt: skip
    """A box that is moved aside by a share of its width, in a project with these limits."""
    world = World({"misplaced_m": 50.0, **tolerances})
    street(world, places=PLACES[1:])
    thing = world.thing(class_id, number=9)
    world.cuboid(thing, dict.fromkeys(AT, place))
    left, top, right, bottom = projected(place)
    aside = share * (right - left)
    world.boxed(thing, dict.fromkeys(AT, (left + aside, top, right + aside, bottom)))
    return [f"{each.measured} {each.limit}" for each in world.found("boxes.apart")]


def test_too_little_overlap_is_measured_against_the_limit_in_force() -> None:
    moved = 0.6 / 1.4
    assert overlapping({}) == [f"{moved:.3f} 0.5"]
    assert overlapping({"iou": 0.4}) == []
    assert overlapping({"iou": 0.9}) == [f"{moved:.3f} 0.9"]


def test_the_limit_is_set_by_class_and_by_range() -> None:
    assert overlapping({"iou:vehicle": 0.3}) == []  # the nearest class above that says something
    assert overlapping({"iou:vehicle": 0.3, "iou:car": 0.6}) != []
    assert overlapping({"iou_far": 0.3, "far_m": 10.0}) == []
    assert overlapping({"iou_far": 0.3, "far_m": 30.0}) != []


def test_a_far_small_thing_is_not_judged_like_a_near_one() -> None:
    far = (190.0, 3.0, 0.0)  # some five pixels wide: nobody draws a side better than to two
    assert overlapping({}, place=far, share=0.4) == []
    assert overlapping({}, share=0.4) != []


def test_crossed_links_of_neighbours_are_two_flags_that_propose_the_other_one() -> None:
    world = World()
    (_, solid_1, flat_1), (_, solid_2, flat_2), *_ = street(world)
    world.same(flat_1, solid_2)
    world.same(flat_2, solid_1)
    found = world.found("boxes")
    assert [each.rule for each in found] == ["boxes.crossed"] * 2
    assert ["car 1" in each.suggestion for each in found] == [True, False]
    assert ["car 2" in each.suggestion for each in found] == [False, True]
    assert world.found("chains") == []  # one fault, told once
    right = World()
    (_, solid, flat), *_ = street(right)
    right.same(flat, solid)
    assert right.found("boxes") == []


def test_tracks_that_exchange_their_things_say_from_when_on() -> None:
    world = World()
    street(world, places=PLACES[2:])
    things = [world.thing(number=number) for number in (8, 9)]
    for thing, place in zip(things, PLACES, strict=False):
        world.cuboid(thing, dict.fromkeys(AT, place))
    here, there = projected(PLACES[0]), projected(PLACES[1])
    world.boxed(things[0], {at: here if at < 400 else there for at in AT})
    world.boxed(things[1], {at: there if at < 400 else here for at in AT})
    found = world.found("boxes")
    assert [each.rule for each in found] == ["boxes.exchanged"] * 2
    assert all("from 0.400 to 0.700 s" in each.text for each in found)
    assert ["car 9" in each.text for each in found] == [True, False]
    assert world.found("calibration") == []


def test_what_is_said_to_be_hidden_is_not_held_against_its_outline() -> None:
    world = World()
    street(world, places=PLACES[1:])
    thing = world.thing(number=9)
    world.cuboid(thing, dict.fromkeys(AT, PLACES[0]))
    left, top, right, bottom = projected(PLACES[0])
    part = (left, top, left + (right - left) / 5, bottom)
    flat = world.boxed(thing, dict.fromkeys(AT, part))
    assert world.rules_found("boxes") == ["boxes.apart"]
    held = world.snapshot.held
    held[held.index(flat)] = type(flat)(
        **{name: getattr(flat, name) for name in flat.__struct_fields__} | {"attributes": {"occlusion": "heavy"}}
    )
    assert any(isinstance(each, Keyframe) for each in held)
    assert world.found("boxes") == []


@pytest.mark.parametrize(("shown_px", "found"), [(4.0, []), (30.0, ["boxes.apart"])])
def test_a_few_pixels_at_the_border_are_not_held_against_the_cuboid(shown_px: float, found: list[str]) -> None:
    """What is left in the picture of a pedestrian who leaves it is an arm or a foot, whose height says nothing."""
    world = World({"misplaced_m": 50.0})
    street(world, places=PLACES[1:])
    thing = world.thing(number=9)
    place = (20.0, 20.0 * (WIDE / 2 - 20) / FOCAL, 0.0)
    left, top, right, bottom = projected(place)
    assert left < 0 < 30 < right
    world.cuboid(thing, dict.fromkeys(AT, place))
    world.boxed(thing, dict.fromkeys(AT, (0.0, top, shown_px, top + 0.1 * (bottom - top))))
    assert [each.rule for each in world.found("boxes.apart")] == found
