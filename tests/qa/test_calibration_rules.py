"""A turned camera, a misplaced cuboid, cuboids that are short: which of them it is, and how much."""

from __future__ import annotations

import numpy as np
import pytest
from space_world import PLACES, SIZE, World, projected, street


@pytest.mark.parametrize(("deg", "found"), [(0.3, 1), (-0.3, 1), (0.08, 0)])
def test_a_turned_camera_is_one_finding_with_its_angle(deg: float, found: int) -> None:
    world = World(yaw_deg=deg)  # held to look so far to the left, while boxes say straight ahead
    street(world)
    findings = [each for each in world.found() if each.rule.partition(".")[0] in ("boxes", "calibration")]
    assert [each.rule for each in findings] == ["calibration.turned"] * found
    if findings:
        assert findings[0].measured == pytest.approx(abs(deg), abs=0.01)
        assert f"too far {'left' if deg > 0 else 'right'}" in findings[0].text
        assert f"{50 * np.tan(np.radians(abs(deg))):.2f} m at 50 m" in findings[0].text


@pytest.mark.parametrize(("off_m", "found"), [(0.5, 1), (0.15, 0)])
def test_one_cuboid_off_is_that_cuboids_and_not_the_calibrations(off_m: float, found: int) -> None:
    world = World({"containment_px": 20.0})
    street(world, places=PLACES[1:])
    thing, (x, y, z) = world.thing(number=9), PLACES[0]
    world.cuboid(thing, dict.fromkeys(range(0, 800, 100), (x, y + off_m, z)))
    world.seen(thing, dict.fromkeys(range(0, 800, 100), PLACES[0]))
    findings = world.found("calibration")
    assert [each.rule for each in findings] == ["calibration.misplaced"] * found
    if findings:
        assert findings[0].measured == pytest.approx(off_m, abs=0.05)
        assert "the 5 other things fit" in findings[0].text
        assert "move the cuboid by (" in findings[0].suggestion


def test_few_things_accuse_neither_camera_nor_clock() -> None:
    world = World({"iou": 0.01, "containment_px": 99.0}, yaw_deg=2.0)
    street(world, places=PLACES[:2])
    assert world.found("calibration") == []


@pytest.mark.parametrize(("short_m", "found"), [(0.1, 1), (0.04, 0)])
def test_cuboids_that_are_all_narrow_are_one_finding(short_m: float, found: int) -> None:
    world = World({"containment_px": 99.0})
    narrow = (SIZE[0], SIZE[1] - short_m, SIZE[2])
    for number, place in enumerate(PLACES, 1):
        thing = world.thing(number=number)
        times = dict.fromkeys(range(0, 800, 100), place)
        world.cuboid(thing, dict(times), size=narrow)
        world.seen(thing, times)
    findings = world.found("calibration")
    assert [each.rule for each in findings] == ["calibration.size"] * found
    if findings:
        assert findings[0].measured == pytest.approx(short_m, abs=0.02)
        assert "too narrow" in findings[0].text


def test_two_narrow_cuboids_are_no_rule() -> None:
    world = World({"containment_px": 99.0})
    for number, place in enumerate(PLACES[:2], 1):
        thing, times = world.thing(number=number), dict.fromkeys(range(0, 800, 100), place)
        world.cuboid(thing, dict(times), size=(SIZE[0], SIZE[1] - 0.1, SIZE[2]))
        world.seen(thing, times)
    assert world.found("calibration") == []


@pytest.mark.parametrize(
    ("lacking_m", "rules"),
    [((0.5, 0.15, 0.0), []), ((0.5, 0.25, 0.25), ["calibration.size"]), ((0.2, 0.2, 0.0), ["calibration.size"])],
)
def test_one_thing_that_is_wrong_by_itself_makes_no_rule_of_another_s_noise(
    lacking_m: tuple[float, ...], rules: list[str]
) -> None:
    world = World({"containment_px": 99.0, "iou": 0.01})
    for number, (place, lack) in enumerate(zip(PLACES, lacking_m, strict=False), 1):
        thing, times = world.thing(number=number), dict.fromkeys(range(0, 800, 100), place)
        world.cuboid(thing, dict(times), size=(SIZE[0], SIZE[1] - lack, SIZE[2]))
        world.seen(thing, times)
    assert [each.rule for each in world.found("calibration")] == rules


@pytest.mark.parametrize(("aside_m", "found"), [(0.3, 1), (-0.3, 1), (0.03, 0)])
def test_a_camera_that_sits_elsewhere_is_one_finding_with_its_metres(aside_m: float, found: int) -> None:
    world = World()
    for number, (x, y, z) in enumerate(PLACES, 1):
        thing = world.thing(number=number)
        world.cuboid(thing, dict.fromkeys(range(0, 800, 100), (x, y - aside_m, z)))  # as a camera more to the left sees
        world.seen(thing, dict.fromkeys(range(0, 800, 100), (x, y, z)))
    findings = [each for each in world.found() if each.rule.partition(".")[0] in ("boxes", "calibration")]
    assert [each.rule for each in findings] == ["calibration.shifted"] * found
    if findings:
        assert findings[0].measured == pytest.approx(abs(aside_m), abs=0.02)
        assert f"too far {'left' if aside_m > 0 else 'right'}" in findings[0].text


@pytest.mark.parametrize(("late_ms", "found"), [(50, 1), (-50, 1), (12, 1), (8, 0)])
def test_a_late_scanner_is_told_by_what_moves(late_ms: int, found: int) -> None:
    world = World()
    for number, (x, y, z) in enumerate(PLACES, 1):
        speed = (-1) ** number * (3.0 + number)  # metres a second across the view
        thing = world.thing(number=number)
        # Stamped late: what it shows for a time is where things were before.
        world.cuboid(thing, {at: (x, y + speed * (at - late_ms - 400) / 1e3, z) for at in range(-200, 1100, 100)})
        world.boxed(thing, {at: projected((x, y + speed * (at - 400) / 1e3, z)) for at in range(4, 804, 100)})
    findings = [each for each in world.found() if each.rule.partition(".")[0] in ("boxes", "calibration")]
    assert [each.rule for each in findings] == ["calibration.late"] * found
    if findings:
        assert findings[0].measured == pytest.approx(abs(late_ms), abs=1.0)
        assert ("is +" if late_ms > 0 else "is -") in findings[0].text


@pytest.mark.parametrize(("late_ms", "claimed"), [(500, True), (-500, True), (900, False), (-900, False)])
def test_no_more_lateness_is_claimed_than_things_were_watched_for(late_ms: int, claimed: bool) -> None:
    """Boxes of seven tenths of a second tell how things moved for as long; what lies further is guessed."""
    world = World({"iou": 0.01, "containment_px": 500.0})
    for number, (x, y, z) in enumerate(PLACES, 1):
        speed = (-1) ** number * 2.0
        thing = world.thing(number=number)
        world.cuboid(thing, {at: (x, y + speed * (at - late_ms - 400) / 1e3, z) for at in range(-1500, 2400, 100)})
        world.boxed(thing, {at: projected((x, y + speed * (at - 400) / 1e3, z)) for at in range(4, 804, 100)})
    found = world.found("calibration.late")
    assert bool(found) is claimed
    for each in found:
        assert each.measured == pytest.approx(500, abs=20)
