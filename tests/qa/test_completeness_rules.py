"""What one modality holds and another lacks: things, numbers of things, links; and habits over many samples."""

from __future__ import annotations

from typing import Any

import pytest
from plain_snapshot import Scene
from space_world import MS, PLACES, World, street

from workstation.core.annotation import Annotation, Link, LinkEnd, Source, SourceKind, State, TargetKind
from workstation.core.geometry import Cuboid, ShapeKind, Span
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.timemap import IDENTITY
from workstation.qa.findings import load_rules
from workstation.qa.runner import run_rules

LONG = range(0, 2_000, 100)


def overlooked(place: tuple[float, float, float], times: range = LONG) -> World:
    """A thing with a cuboid and no box, in a camera whose other things are labelled."""
    world = World()
    street(world, places=PLACES[1:])
    world.cuboid(world.thing(number=9), dict.fromkeys(times, place))
    return world


def test_a_thing_that_stands_free_before_a_camera_is_asked_for() -> None:
    world = overlooked(PLACES[0])
    (found,) = world.found("space.unseen")
    assert "car 9 stands free before image for 1.9 s" in found.text
    item = (TargetKind.ENTITY, found.items[0].id)
    world.link("absent", {"item": item, "missing_from": (TargetKind.STREAM, world.streams["image"])}, reason="hidden")
    assert world.found("space") == []


@pytest.mark.parametrize(
    ("place", "times"),
    [
        ((-12.0, 3.0, 0.0), LONG),  # behind
        ((8.0, 30.0, 0.0), LONG),  # outside the picture
        ((75.0, 3.0, 0.0), LONG),  # far
        ((30.0, -4.0 * 30 / 18, 0.2 * 30 / 18), LONG),  # behind another car
        (PLACES[0], range(0, 600, 100)),  # for a moment only
    ],
)
def test_what_a_camera_does_not_well_see_is_not_asked_for(place: tuple[float, float, float], times: range) -> None:
    if place[0] != 30.0:
        assert overlooked(place, times).found("space") == []
        return
    world = World()
    thing = world.thing()
    world.cuboid(thing, dict.fromkeys(LONG, PLACES[1]))
    world.seen(thing, dict.fromkeys(LONG, PLACES[1]))
    world.cuboid(world.thing(number=9), dict.fromkeys(LONG, place))
    assert world.found("space") == []


@pytest.mark.parametrize(("cuboids", "absent", "found"), [(5, 0, 0), (4, 1, 0), (4, 0, 1)])
def test_five_cars_in_the_camera_are_five_in_the_scan_counting_absences(cuboids: int, absent: int, found: int) -> None:
    scene = Scene()
    now: dict[str, Any] = {"start_ns": 1_000 * MS, "end_ns": 1_000 * MS}
    flats = [scene.label("image", "car", **now) for _ in range(5)]
    for _ in range(cuboids):
        scene.label("cloud", "car", start_ns=1_016 * MS, end_ns=1_016 * MS)
    for flat in flats[:absent]:
        where = (TargetKind.MODALITY, "cloud")
        scene.link("absent", {"item": flat, "missing_from": where}, reason="hidden")
    findings = scene.found("space")
    assert [each.rule for each in findings] == ["space.counts"] * found
    if findings:
        assert (findings[0].measured, findings[0].limit) == (5.0, 4.0)
        assert "shows 5 car" in findings[0].text


def test_an_absence_for_a_while_excuses_that_while_only() -> None:
    world = World()
    thing = world.thing()
    flat = world.seen(thing, dict.fromkeys(range(0, 800, 100), PLACES[0]))
    where = (TargetKind.STREAM, world.streams["cloud"])
    for end_ms, found in ((400, 1), (800, 0)):
        link = world.link("absent", {"item": flat, "missing_from": where}, reason="hidden", start_ns=0,
                          end_ns=end_ms * MS)  # fmt: skip
        assert len(world.found("space.missing")) == found
        world.snapshot.held.remove(link)


def timed(world: World, *views: Any, at_ms: int) -> Link:
    ends = tuple(LinkEnd(role="view", kind=TargetKind.ANNOTATION, target=view.id) for view in views)
    given: Any = {"id": world.ids.new(), "sample": world.sample, "type_id": "same_object", "ends": ends}
    return world.add(Link(**given, state=State.DONE, start_ns=at_ms * MS, end_ns=at_ms * MS + 1))  # type: ignore[no-any-return]


def test_a_pair_that_is_not_linked_where_the_others_are_is_found() -> None:
    world = World()
    things = street(world)[:3]
    links = [timed(world, flat, solid, at_ms=at) for _, solid, flat in things for at in (0, 400)]
    others = world.found("pairs")
    assert len(others) == 3  # the other three things of the street have the same captures and no link at all
    world = World()
    things = street(world, places=PLACES[:3])
    links = [timed(world, flat, solid, at_ms=at) for _, solid, flat in things for at in (0, 400)]
    assert world.found("pairs") == []
    world.snapshot.held.remove(links[0])
    (found,) = world.found("pairs")
    assert (found.rule, found.measured) == ("pairs.unlinked", 1.0)
    assert "0.000 s" in found.text
    world.same(things[0][1], things[0][2])  # a link of the whole tracks covers every moment
    assert world.found("pairs") == []


@pytest.mark.parametrize(("short_m", "found"), [(0.1, 1), (0.04, 0)])
def test_somebody_whose_cuboids_are_short_is_found_among_others(short_m: float, found: int) -> None:
    scene = Scene()
    another: Any = {"id": scene.ids.new(), "key": "another"}
    scene.add(Sample(**another))
    for number in range(60):
        who = "Ben" if number % 5 == 0 else f"p{number % 5}"
        length = 4.4 + 0.01 * (number % 7) - (short_m if who == "Ben" else 0.0)
        scene.label(
            "cloud", "car", shape=Cuboid((9, 0, 0), (length, 1.8, 1.5)),
            source=Source(kind=SourceKind.IMPORT, name="x", parameters={"person": who}),
        )  # fmt: skip
    rules = [each for each in load_rules() if each.id == "corpus.bias"]
    findings = [each for outcome in run_rules(scene.snapshot, rules, []) for each in outcome.findings]
    assert len(findings) == found
    if findings:
        assert findings[0].measured == pytest.approx(short_m, abs=0.02)
        assert findings[0].text.startswith("Ben makes cuboids")
        assert "too short" in findings[0].text


@pytest.mark.parametrize(("linked", "found"), [(0, 1), (1, 0)])
def test_a_modality_that_is_linked_nowhere_is_named_and_one_that_is_somewhere_is_not(linked: int, found: int) -> None:
    """Ten samples of picture and text are linked; in six of picture and sound the sound is not."""
    scene = Scene()
    for number in range(16):
        kind = StreamKind.TEXT if number < 10 else StreamKind.AUDIO
        sample: Any = scene.ids.new()
        scene.add(Sample(id=sample, key=f"s{number:02}"))
        ends = []
        for each in (StreamKind.IMAGE, kind):
            stream: Any = scene.ids.new()
            scene.add(Stream(id=stream, sample=sample, key=each.value, kind=each, time_map=IDENTITY))
            given: Any = {"id": scene.ids.new(), "sample": sample, "stream": stream, "class_id": "car"}
            ends.append(scene.add(Annotation(**given, kind=ShapeKind.SPAN, start_ns=0, end_ns=9, shape=Span())).id)
        if kind is StreamKind.TEXT or number - 10 < linked:
            joined: Any = {"id": scene.ids.new(), "sample": sample, "type_id": "near"}
            roles = zip(("one", "other"), ends, strict=True)
            held = tuple(LinkEnd(role=role, kind=TargetKind.ANNOTATION, target=end) for role, end in roles)
            scene.add(Link(**joined, ends=held, state=State.DRAFT))
    rules = [each for each in load_rules() if each.id == "corpus.isolated"]
    findings = [each for outcome in run_rules(scene.snapshot, rules, []) for each in outcome.findings]
    assert len(findings) == found
    for finding in findings:
        assert finding.text.startswith("audio labels are linked to nothing in 6 of 6 samples")
        assert finding.measured == 0.0
