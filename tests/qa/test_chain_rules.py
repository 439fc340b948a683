"""What links say together: the same and not the same, other things, other classes at the two ends of a chain."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_snapshot import TEXT, Scene, ontology

from workstation.core.annotation import Link, Source, SourceKind, State
from workstation.core.chains import Chains
from workstation.core.ids import IdSource
from workstation.qa.rules.chains import in_ages


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
    assert "2 links make two labels the same thing, and one denies it" in found.text
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


def test_a_chain_says_how_much_older_its_links_are() -> None:
    day = 86_400_000

    def made_at(ms: int) -> Link:
        given: Any = {"id": IdSource(lambda: ms).new(), "sample": "s", "type_id": "same_object", "ends": ()}
        return Link(**given, state=State.DONE)

    newest, hour, days = made_at(10 * day), made_at(10 * day - 3_600_000), made_at(7 * day)
    assert in_ages([days, hour, newest]) == (
        "same_object (done, 1970-01-08 00:00) 3 days older, same_object (done, 1970-01-10 23:00) 1 hour older, "
        "same_object (done, 1970-01-11 00:00)"
    )


HEARD = """\
  sound_source: {negatable: true, roles: {sound: {targets: [annotation]}, source: {}}}
  at_once: {symmetric: true, tolerance: {time_ms: 40}, roles: {item: {min: 2, max: null, targets: [annotation]}}}
lexicon:
  truck: {en: {synonyms: [truck]}}
"""


@pytest.fixture(scope="module")
def heard() -> Any:
    return ontology(TEXT.replace("lexicon:\n", HEARD))


def test_a_sound_that_comes_from_a_box_and_not_from_its_cuboid_is_one_flag(heard: Any) -> None:
    scene = Scene(heard)
    horn, box, cuboid, other = (scene.label(each) for each in ("audio", "image", "cloud", "cloud"))
    comes = scene.link("sound_source", {"sound": horn, "source": box}, rationale="it hoots")
    scene.link("sound_source", {"sound": horn, "source": other}, holds=False)
    assert scene.found("chains") == []
    same = joined(scene, box, cuboid, state=State.APPROVED)
    weak = scene.link("sound_source", {"sound": horn, "source": cuboid}, holds=False, state=State.DRAFT)
    (found,) = scene.found("chains")
    assert (found.rule, found.measured) == ("chains.denied", 3)
    assert [item.id for item in found.items] == [weak.id, comes.id, same.id]  # the weakest first
    scene.snapshot.held.remove(same)
    assert scene.found("chains") == []


def test_labels_of_one_thing_need_no_link_to_contradict_each_other(heard: Any) -> None:
    scene = Scene(heard)
    car = scene.entity("car")
    horn, box, cuboid = scene.label("audio"), scene.label("image", entity=car.id), scene.label("cloud", entity=car.id)
    scene.link("sound_source", {"sound": horn, "source": box}, rationale="it hoots")
    scene.link("sound_source", {"sound": horn, "source": cuboid}, holds=False)
    assert scene.rules_found("chains") == ["chains.denied"]


def test_a_phrase_must_fit_what_its_label_leads_to(heard: Any) -> None:
    scene = Scene(heard)
    box, cuboid = scene.label("image", "vehicle"), scene.label("cloud", "car")
    link = scene.link("refers_to", {"phrase": scene.says("the truck"), "thing": box})
    assert scene.found("chains") == []
    same = joined(scene, box, cuboid)
    (found,) = scene.found("chains")
    assert (found.rule, found.measured, found.limit) == ("chains.words", "truck", "car")
    assert {link.id, same.id} <= {item.id for item in found.items}
    fits = Scene(heard)
    fits.link("refers_to", {"phrase": fits.says("the truck"), "thing": (seen := fits.label("image", "vehicle"))})
    joined(fits, seen, fits.label("cloud", "truck"))
    assert fits.found("chains") == []


@pytest.mark.parametrize(("third_ms", "rules"), [(39, []), (41, ["chains.apart"]), (75, ["moments.apart"])])
def test_moments_that_are_one_by_way_of_another_must_be_one(heard: Any, third_ms: int, rules: list[str]) -> None:
    scene = Scene(heard)
    times = [(at * 10**6, 2 * 10**9) for at in (0, 30, third_ms)]
    a, b, c = (scene.label("audio", start_ns=start, end_ns=end) for start, end in times)
    for one, other in ((a, b), (b, c)):
        link = scene.link("at_once", {"item": one})
        scene.snapshot.held.remove(link)
        given = {name: getattr(link, name) for name in link.__struct_fields__}
        ends = (*link.ends, type(link.ends[0])(role="item", kind=link.ends[0].kind, target=other.id))
        scene.add(type(link)(**given | {"ends": ends}))
    found = [each for each in scene.found() if each.rule in ("chains.apart", "moments.apart")]
    assert [each.rule for each in found] == rules
    if rules == ["chains.apart"]:
        assert (found[0].measured, found[0].limit) == (41, 40)


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
