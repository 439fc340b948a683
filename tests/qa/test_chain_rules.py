"""What links say together: the same and not the same, other things, other classes at the two ends of a chain."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_snapshot import Scene

from workstation.core.annotation import Source, SourceKind, State
from workstation.core.chains import Chains


@pytest.fixture
def scene() -> Scene:
    return Scene()


def joined(scene: Scene, *views: Any, holds: bool = True, state: State = State.DONE, **more: Any) -> Any:
    link = scene.same(*views)
    scene.snapshot.held.remove(link)
    given = {name: getattr(link, name) for name in link.__struct_fields__}
    return scene.add(type(link)(**given | {"holds": holds, "state": state, **more}))


def test_the_same_and_not_the_same_is_one_flag_with_three_links_and_their_ages(scene: Scene) -> None:
    a, b, c = (scene.label("image") for _ in range(3))
    sure = joined(scene, a, b, state=State.APPROVED)
    weak = joined(scene, b, c, source=Source(kind=SourceKind.IMPORT), state=State.DRAFT)
    denied = joined(scene, a, c, holds=False)
    (found,) = scene.found("chains")
    assert found.rule == "chains.contradiction"
    assert {item.id for item in found.items} == {sure.id, weak.id, denied.id}
    assert found.items[0].id == weak.id  # the weakest is named first
    assert "the weakest of them is same_object (draft, 2023-11-14" in found.text
    assert found.measured == 3
    scene.snapshot.held.remove(weak)
    assert scene.found("chains") == []


def test_what_is_only_proposed_or_rejected_contradicts_nobody(scene: Scene) -> None:
    a, b = scene.label("image"), scene.label("image")
    joined(scene, a, b)
    joined(scene, a, b, holds=False, state=State.PROPOSED)
    joined(scene, a, b, holds=False, state=State.REJECTED)
    assert scene.found("chains") == []


def test_a_link_between_labels_of_two_things_is_found_and_of_one_is_not(scene: Scene) -> None:
    one, two = scene.entity("car", 1), scene.entity("car", 2)
    a, b, c = (scene.label("image", entity=each.id) for each in (one, one, two))
    joined(scene, a, b)
    assert scene.found("chains") == []
    joined(scene, b, c)
    assert scene.rules_found("chains") == ["chains.other_thing"]


def test_classes_that_conflict_only_along_a_chain_are_one_flag(scene: Scene) -> None:
    dog, plain, cat = scene.label("image", "dog"), scene.label("image"), scene.label("image", "cat")
    joined(scene, dog, plain)
    joined(scene, plain, cat)
    (found,) = scene.found("chains")
    assert (found.rule, found.measured) == ("chains.classes", "dog, cat")
    fine = Scene()
    joined(fine, fine.label("image", "car"), nothing := fine.label("image"))
    joined(fine, nothing, fine.label("image", "sedan"))
    assert fine.found("chains") == []


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=14), st.integers(0, 7), st.integers(0, 7))
def test_a_way_is_found_exactly_where_there_is_one(pairs: list[tuple[int, int]], start: int, goal: int) -> None:
    chains = Chains([(number, (str(a), str(b))) for number, (a, b) in enumerate(pairs)])
    reached = {start}
    for _ in range(8):
        reached |= {b for a, b in pairs if a in reached} | {a for a, b in pairs if b in reached}
    way = chains.way(str(start), str(goal))
    assert (way is not None) == (goal in reached)
    here = {start}
    for number in way or ():
        assert here & set(pairs[number])
        here = set(pairs[number])
    assert goal in here or way is None or not way


def test_groups_are_what_hangs_together() -> None:
    chains = Chains([("x", ("a", "b", "c")), ("y", ("d", "e")), ("z", ("c", "f"))])
    assert [(sorted(members), edges) for members, edges in chains.groups()] == [
        (["a", "b", "c", "f"], ["x", "z"]),
        (["d", "e"], ["y"]),
    ]
