"""What labels say that things do: against each other, against their speed, against the vehicle's own signals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from plain_snapshot import Scene, ontology
from space_world import CAR, MS, World, projected

from workstation.core.annotation import Entity
from workstation.core.evidence import NoEvidence, Unmeasured
from workstation.core.geometry import ShapeKind, Span
from workstation.core.sample import Stream, StreamKind

RULES = CAR.replace(
    "  colour:",
    "  motion: {type: choice, options: [moving, parked], over_time: true}\n"
    "  doing: {type: choice, options: [waiting, walking], over_time: true}\n  colour:",
).replace("  sound: {}\n", "  sound: {}\n  braking: {}\n  accelerating: {}\n")
AT = range(0, 3_000, 100)


def walker(speed: float, camera: str, scan: str, change_ms: int = 10_000, notices_ms: int = 0) -> World:
    """Somebody who crosses the view; from ``change_ms`` on the scan says waiting, the camera so much later."""
    world = World(rules=RULES)
    thing = world.thing()
    places = {at: (20.0, 4.0 - speed * at / 1e3, 0.0) for at in AT}
    world.cuboid(thing, dict(places), said={0: {"doing": scan}, change_ms: {"doing": "waiting"}})
    said = {0: {"doing": camera}, change_ms + notices_ms: {"doing": "waiting"}}
    world.boxed(thing, {at: projected(place) for at, place in places.items()}, said=said)
    return world


def test_waiting_in_the_camera_and_walking_in_the_scan_is_one_flag_with_the_speed() -> None:
    (found,) = walker(1.4, "waiting", "walking").found("states")
    assert found.rule == "states.conflict"
    assert "waiting" in found.text
    assert "it moves at 1.4 m/s" in found.text
    assert found.measured == pytest.approx(2.9, abs=0.01)
    assert walker(1.4, "walking", "walking").found("states") == []


def test_one_label_against_several_is_one_flag_that_names_them_all() -> None:
    world = walker(1.4, "waiting", "walking")
    solid = next(each for each in world.snapshot.held if getattr(each, "kind", None) is ShapeKind.CUBOID)
    again = world.boxed(solid_thing(world), dict.fromkeys(AT, (10, 10, 50, 90)), said={0: {"doing": "walking"}})
    (found,) = world.found("states.conflict")
    assert found.items[0].id not in (solid.id, again.id)  # what says waiting comes first
    assert {each.id for each in found.items[1:]} == {solid.id, again.id}


def solid_thing(world: World) -> Any:
    return next(each for each in world.snapshot.held if isinstance(each, Entity))


@pytest.mark.parametrize(("notices_ms", "found"), [(0, 0), (200, 0), (400, 1)])
def test_two_labels_may_notice_a_change_one_capture_apart(notices_ms: int, found: int) -> None:
    world = walker(0.05, "walking", "walking", change_ms=2_000, notices_ms=notices_ms)
    assert len(world.found("states.conflict")) == found


@pytest.mark.parametrize(
    ("speed", "said", "found"), [(1.4, "waiting", 1), (0.5, "waiting", 0), (0.02, "walking", 1), (0.3, "walking", 0)]
)
def test_what_both_say_is_held_against_how_it_moves(speed: float, said: str, found: int) -> None:
    world = walker(speed, said, said)
    assert world.rules_found("states") == ["states.motion"] * found


class Readings(NoEvidence):
    """A speed that falls by 4 m/s² and a brake that is on."""

    def readings(self, stream: Stream, channel: str) -> Any:
        times = np.arange(0, 3_000, 20, dtype=np.int64) * MS
        if channel == "speed_kph":
            return times, 60.0 - 3.6 * 4.0 * times / 1e9
        if channel == "brake_switch":
            return times, np.ones(len(times))
        raise Unmeasured(f"{stream.key} has no {channel}")


@pytest.mark.parametrize(("class_id", "found"), [("accelerating", 1), ("braking", 0)])
def test_a_span_that_says_the_opposite_of_the_bus_is_found(class_id: str, found: int) -> None:
    scene = Scene(ontology(RULES))
    scene.snapshot.known = Readings()
    bus = next(each for each in scene.snapshot.held if isinstance(each, Stream) and each.key == "audio")
    scene.snapshot.held[scene.snapshot.held.index(bus)] = replace(bus, kind=StreamKind.SERIES, key="can")
    scene.label("audio", class_id, kind=ShapeKind.SPAN, shape=Span(), start_ns=500 * MS, end_ns=2_000 * MS)
    findings = scene.found("states")
    assert [each.rule for each in findings] == ["states.signal"] * found
    if findings:
        assert findings[0].measured == pytest.approx(-4.0, abs=0.01)
        assert "the brake is on for 100 %" in findings[0].text
