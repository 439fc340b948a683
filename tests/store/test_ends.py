"""Links and their confirmed ends in a project: stale by value, fresh again by undo."""

from __future__ import annotations

import msgspec
from small_world import World

from workstation.core.annotation import Annotation, Link, Track, Word
from workstation.core.geometry import Box
from workstation.core.ids import RecordId
from workstation.core.records import RecordKind
from workstation.core.sample import Project


def confirmed(world: World, sound: Annotation, thing: Annotation) -> Link:
    """A link that Anna has looked at."""
    link = world.link(sound, thing)
    with world.store.transaction("Confirm") as tx:
        link = msgspec.structs.replace(link, ends=tx.confirmed_ends(link.ends))
        tx.put(link)
    return link


def reasons(world: World) -> list[str]:
    """Why links are stale."""
    return [stale.reason for stale in world.store.stale_links(world.sample)]


def nudge(world: World, box: Annotation, by: float, times: int) -> None:
    """Move a box in small steps, each a transaction of its own."""
    for i in range(1, times + 1):
        assert isinstance(box.shape, Box)
        shape = msgspec.structs.replace(box.shape, x=box.shape.x + by * i)
        world.put(msgspec.structs.replace(box, shape=shape), label="Nudge")


def test_ten_nudges_no_flag_forty_pixels_one_flag_undo_none(world: World) -> None:
    box, horn = world.box(), world.horn()
    world.put(box, horn)
    link = confirmed(world, horn, box)
    assert link.ends[0].confirmed_revision == world.store.head() == 3
    nudge(world, box, 1.0, 10)
    assert reasons(world) == []
    nudge(world, box, 4.0, 10)
    assert reasons(world) == ["box moved 40 px"]
    stale = next(iter(world.store.stale_links(world.sample, targets=[box.id])))
    assert (stale.link, stale.ordinal, stale.end.target) == (link, 1, box.id)
    assert list(world.store.stale_links(world.sample, targets=[horn.id, world.ids.new()])) != []
    for _ in range(20):
        world.store.undo()
    assert reasons(world) == []
    assert world.store.get(RecordKind.ANNOTATION, box.id) == box


def test_confirming_again_makes_fresh(world: World) -> None:
    box, horn = world.box(), world.horn()
    world.put(box, horn)
    link = confirmed(world, horn, box)
    world.put(msgspec.structs.replace(box, class_id="truck"))
    assert reasons(world) == ["class changed from car to truck"]
    with world.store.transaction("Look again") as tx:
        tx.put(msgspec.structs.replace(link, ends=tx.confirmed_ends(link.ends)))
    assert reasons(world) == []


def test_the_class_of_the_entity_counts(world: World) -> None:
    thing = world.entity("car", number=1)
    box, horn = world.box(entity=thing.id, class_id=None), world.horn()
    world.put(thing, box, horn)
    confirmed(world, horn, box)
    world.put(msgspec.structs.replace(thing, name="the red one"))
    assert reasons(world) == []
    world.put(msgspec.structs.replace(thing, class_id="bus"))
    assert reasons(world) == ["class changed from car to bus"]


def test_tracks_and_words_count(world: World) -> None:
    track, turn = world.box(shape=None, track=Track()), world.horn()
    keyframes = [world.keyframe(track, t, float(t)) for t in (0, 100)]
    word = Word(id=RecordId(world.ids.new()), annotation=turn.id, position=0, text="honk")
    world.put(track, turn, word, *keyframes)
    confirmed(world, turn, track)
    world.put(world.keyframe(track, 50, 50.0))  # on the path
    assert reasons(world) == []
    world.put(msgspec.structs.replace(keyframes[1], shape=Box(160, 0, 100, 80)))
    assert [reason.split(" at ")[0] for reason in reasons(world)] == ["box moved 60 px"]
    world.store.undo()
    world.put(msgspec.structs.replace(word, text="beep"))
    assert reasons(world) == ["text changed"]


def test_the_projects_tolerances_hold(world: World) -> None:
    box, horn = world.box(), world.horn()
    world.put(box, horn)
    confirmed(world, horn, box)
    nudge(world, box, 4.0, 10)
    project = world.store.project()
    assert isinstance(project, Project)
    wide = msgspec.structs.replace(project, tolerances={"stale_box_px": 100.0, "stale_box_share": 1.0})
    world.put(wide, actor=world.lead)
    assert reasons(world) == []
