"""Sentences about relations: what they find in small scenes worked out by hand, and why others cannot be read."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_snapshot import TEXT, Scene, ontology

from workstation.core.annotation import Keyframe, Presence, State, Track
from workstation.core.evidence import NoEvidence
from workstation.core.geometry import Cuboid
from workstation.core.sample import OwnRule
from workstation.core.space import Calibration, FrameTree
from workstation.core.statement import Mode, Relation, StatementError, parse
from workstation.core.statement_match import Match, matches
from workstation.core.stopping import Stopped, StopToken
from workstation.qa.own import own_rule
from workstation.qa.runner import run_rules

MS, S = 1_000_000, 1_000_000_000


class Still(NoEvidence):
    """A world without poses: every frame stands for itself."""

    def frames(self) -> NoReturn:
        return FrameTree(Calibration())  # type: ignore[return-value]


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.snapshot.known = Still()
    return made


def found(scene: Scene, text: str) -> list[Match]:
    (sample,) = scene.snapshot.samples()
    return list(matches(scene.snapshot, sample, parse(text, ontology())))


def names(scene: Scene, text: str) -> list[list[str]]:
    return [[each.class_id for each in match.things] for match in found(scene, text)]


def sound(scene: Scene, start: float, end: float, class_id: str = "sound", **more: Any) -> Any:
    return scene.label("audio", class_id, start_ns=round(start * S), end_ns=round(end * S), **more)


def moving(scene: Scene, class_id: str, number: int, way: list[tuple[float, float]]) -> Any:
    """A cuboid track ahead of the origin: (seconds, metres)."""
    entity = scene.entity(class_id, number)
    label = scene.label("cloud", None, entity=entity.id, shape=None, track=Track(), frame="base")
    for at, ahead in way:
        shape = Cuboid((ahead, 0.0, 0.0), (4.0, 2.0, 1.5))
        scene.add(Keyframe(id=scene.ids.new(), annotation=label.id, time_ns=round(at * S), shape=shape))
    return label


STANDS = TEXT.replace(
    "attributes:\n",
    'attributes:\n  how: {type: choice, options: {left_of: {}, "on": {}, in: {name: {en: in, de: drinnen in}}}}\n', 1,
).replace("link_types:\n", "link_types:\n  stands: {roles: {one: {}, other: {}}, attributes: [how]}\n", 1)  # fmt: skip


def test_links_are_found_by_what_they_say_and_in_its_direction() -> None:
    """IMG-08: of two dogs only one is left of the cat."""
    scene = Scene()
    cat, left, right = (scene.label("image", each) for each in ("cat", "dog", "dog"))
    scene.link("stands", {"one": left, "other": cat}, attributes={"how": "left_of"})
    scene.link("stands", {"one": right, "other": cat}, attributes={"how": "on"})
    words = ontology(STANDS)
    (sample,) = scene.snapshot.samples()

    def told(text: str) -> list[set[str]]:
        found = matches(scene.snapshot, sample, parse(text, words))
        return [{str(label.id) for thing in each.things for label in thing.labels} for each in found]

    assert told("dog left of cat") == told("a dog is left_of the Katze") == [{str(left.id), str(cat.id)}]
    assert told("dog on a cat") == [{str(right.id), str(cat.id)}]
    assert told("dog not left of cat") == [{str(right.id)}]
    assert told("cat left of dog") == []
    assert told("dog drinnen in cat") == []
    assert told("every dog left of a cat") == [{str(right.id)}]
    assert len(told("dog on image")) == 2  # a stream, as ever
    for text in ("dog left of", "dog left of cat cat", "dog under cat"):
        with pytest.raises(StatementError):
            parse(text, words)
    with pytest.raises(StatementError, match="'left' after 'dog'"):
        parse("dog left of cat", ontology())


# --- reading -----------------------------------------------------------------------------------------------------


def test_the_sentence_of_the_ledger_is_read_clause_by_clause() -> None:
    said = parse("a sound within 0.5 s of a truck while any dog is within 15 m", ontology())
    assert said.mode is Mode.FIND
    first, second = said.clauses
    assert (first.relation, first.amount, first.thing.classes) == (Relation.NEAR_IN_TIME, 0.5, {"sound"})
    assert first.other is not None
    assert first.other.classes == {"truck"}
    assert (second.relation, second.amount, second.other) == (Relation.NEAR_IN_SPACE, 15.0, None)
    assert said.needs_places


def test_classes_count_with_those_below_and_are_named_in_any_language_and_number() -> None:
    vehicles = {"vehicle", "car", "sedan", "hatchback", "truck", "van", "omnibus"}
    assert parse("vehicles", ontology()).head.thing.classes == vehicles
    assert parse("Katze", ontology()).head.thing.classes == {"cat"}
    assert parse("some cats", ontology()).head.thing.classes == {"cat"}
    assert parse("thing", ontology()).head.thing.classes is None


@pytest.mark.parametrize(
    ("said", "amount"),
    [("within 500 ms of dog", 0.5), ("faster than 36 km/h", 10.0), ("within 1,5 m", 1.5), ("longer than 2 s", 2.0)],
)
def test_amounts_are_seconds_metres_and_metres_a_second(said: str, amount: float) -> None:
    assert parse(f"car {said}", ontology()).head.amount == pytest.approx(amount)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "say what to look for"),
        ("elephant", "'elephant' is not understood"),
        ("dgo", "such as dog"),
        ("car within", "a number"),
        ("car within 5 parsecs", "a unit"),
        ("car within 5 s", "'of'"),
        ("every car", "must be or do"),
        ("car links to", "the end after"),
        ("car links to dog as friendship", "a link type"),
        ("car with colour", "'='"),
        ("car car", "'while'"),
        ("car is not", "what it is not"),
        ("x" * 2000, "too long"),
        ("car while " * 9 + "car", "too many"),
    ],
)
def test_what_cannot_be_read_says_where_and_what_could_stand_there(said: str, reason: str) -> None:
    with pytest.raises(StatementError, match=reason):
        parse(said, ontology())


WORDS = (
    *("every", "no", "car", "dog", "while", "is", "not", "within", "5", "s", "m", "of", "links", "to", "as", "with"),
    *("colour", "=", "red", ",", '"', "(", "während", "٣", "faster", "than", "km/h", "on", "audio"),
)


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=14))
def test_any_words_are_a_statement_or_a_sentence_about_them(words: list[str]) -> None:
    text = " ".join(words)
    try:
        said = parse(text, ontology())
    except StatementError:
        with pytest.raises(StatementError, match="."):
            parse(text, ontology())
    else:
        assert 1 <= len(said.clauses) <= 8


# --- finding -----------------------------------------------------------------------------------------------------


def test_near_in_time_is_the_gap_between_and_the_limit_itself_is_near(scene: Scene) -> None:
    sound(scene, 1.0, 2.0)
    scene.label("audio", "dog", start_ns=2500 * MS, end_ns=2600 * MS)
    assert [m.instant_ns for m in found(scene, "sound within 0.5 s of dog")] == [S]
    assert found(scene, "sound within 0.499 s of dog") == []
    assert len(found(scene, "dog within 500 ms of sound")) == 1


@pytest.mark.parametrize(
    ("said", "times"),
    [
        ("sound during dog", []),
        ("sound overlaps dog", [1.0]),
        ("sound before dog", [0.0]),
        ("sound after dog", [4.0]),
        ("dog during sound", []),
        ("sound longer than 1.5 s", [4.0]),
        ("sound shorter than 0.9 s", [0.0]),
        ("sound while dog", [1.0]),
    ],
)
def test_order_and_length(scene: Scene, said: str, times: list[float]) -> None:
    sound(scene, 0.0, 0.5)
    sound(scene, 1.0, 2.0)
    sound(scene, 4.0, 6.0)
    scene.label("audio", "dog", start_ns=1500 * MS, end_ns=3 * S)
    starts = [(m.instant_ns or 0) / S for m in found(scene, said)]
    assert starts == (times if said != "sound while dog" else [1.5])


def test_distance_is_taken_between_keyframes_too_and_both_clauses_must_hold_at_once(scene: Scene) -> None:
    moving(scene, "dog", 1, [(0.0, 40.0), (4.0, 0.0)])  # ten metres a second: within 15 m from 2.5 s on
    sound(scene, 1.0, 1.2)
    sound(scene, 3.0, 3.2)
    (near,) = found(scene, "dog within 15 m")
    assert near.when is not None
    assert near.when.start_ns / S == pytest.approx(2.5, abs=0.06)
    assert [m.instant_ns for m in found(scene, "sound while a dog is within 15 m")] == [3 * S]
    assert [m.instant_ns for m in found(scene, "sound while a dog is not within 15 m")] == []


def test_distance_between_two_things_and_speed(scene: Scene) -> None:
    moving(scene, "car", 1, [(0.0, 0.0), (2.0, 20.0)])
    moving(scene, "cat", 2, [(0.0, 10.0), (2.0, 10.0)])
    (near,) = found(scene, "car within 2 m of a cat")
    assert near.when is not None
    assert (near.when.start_ns / S, near.when.end_ns / S) == (
        pytest.approx(0.8, abs=0.06),
        pytest.approx(1.2, abs=0.06),
    )
    assert [each.class_id for each in near.things] == ["car", "cat"]
    assert names(scene, "vehicle faster than 35 km/h") == [["car"]]
    assert names(scene, "thing slower than 1 m/s") == [["cat"]]


def test_where_a_thing_is_absent_it_is_near_nothing(scene: Scene) -> None:
    label = moving(scene, "dog", 1, [(0.0, 1.0)])
    scene.add(Keyframe(id=scene.ids.new(), annotation=label.id, time_ns=S, presence=Presence.ABSENT))
    sound(scene, 2.0, 3.0)
    assert found(scene, "sound while dog is within 15 m") == []


def test_links_join_things_whichever_of_their_labels_they_end_at(scene: Scene) -> None:
    dog = scene.entity("dog", 1)
    seen = scene.label("image", None, entity=dog.id)
    barks, other = sound(scene, 0.0, 1.0), sound(scene, 2.0, 3.0)
    scene.link("causes", {"cause": seen, "effect": barks})
    assert names(scene, "sound links to a dog") == [["sound", "dog"]]
    assert names(scene, "dog links to a sound as causes") == [["dog", "sound"]]
    assert found(scene, "dog links to a sound as near") == []
    assert [m.things[0].labels[0].id for m in found(scene, "sound without a link")] == [other.id]
    assert [m.things[0].labels[0].id for m in found(scene, "every sound links to a dog")] == [other.id]


def test_proposals_rejections_and_negative_links_count_for_nothing(scene: Scene) -> None:
    dog, barks = scene.entity("dog", 1), sound(scene, 0.0, 1.0)
    sound(scene, 5.0, 6.0, state=State.PROPOSED)
    scene.link("causes", {"cause": dog, "effect": barks}, state=State.PROPOSED)
    scene.link("causes", {"cause": dog, "effect": barks}, holds=False)
    assert found(scene, "sound links to dog") == []
    assert len(found(scene, "sound")) == 1


def test_values_and_streams_narrow_what_is_meant(scene: Scene) -> None:
    sound(scene, 0.0, 1.0, attributes={"strength": "weak"})
    sound(scene, 2.0, 3.0, attributes={"strength": "strong"})
    assert [m.instant_ns for m in found(scene, "sound with strength = Strong")] == [2 * S]
    assert len(found(scene, "sound on audio")) == 2
    assert found(scene, "sound on image") == []


# --- checks of a project's own ---------------------------------------------------------------------------------


def test_an_own_check_names_what_breaks_it_and_does_not_run_when_it_cannot(scene: Scene) -> None:
    lone = sound(scene, 1.0, 2.0)
    rules = [own_rule(OwnRule(id="heard", says="every sound links to an animal")),
             own_rule(OwnRule(id="old", says="no unicorn"))]  # fmt: skip
    broken, old = run_rules(scene.snapshot, rules, scene.snapshot.samples(), project=False)
    (finding,) = broken.findings
    assert finding.rule == "own.heard"
    assert finding.items[0].id == lone.id
    assert finding.measured
    assert finding.limit == "every sound links to an animal"
    assert finding.suggestion
    assert old.not_run is not None
    assert "unicorn" in old.not_run


def test_without_media_a_check_about_places_is_not_run(scene: Scene) -> None:
    scene.snapshot.known = NoEvidence()
    moving(scene, "dog", 1, [(0.0, 1.0), (1.0, 2.0)])
    rule = own_rule(OwnRule(id="far", says="no dog within 3 m"))
    (outcome,) = run_rules(scene.snapshot, [rule], scene.snapshot.samples(), project=False)
    assert outcome.not_run is not None
    assert "media" in outcome.not_run


def test_a_sentence_over_thousands_of_labels_ends_when_it_is_asked_to(scene: Scene) -> None:
    for _ in range(1500):
        sound(scene, 0, 1)
    (sample,) = scene.snapshot.samples()
    token, asked = StopToken(), 0

    def look() -> None:
        nonlocal asked
        asked += 1
        if asked == 3000:
            token.ask()
        token.look()

    statement = parse("no sound overlaps sound while sound overlaps sound", ontology())
    with pytest.raises(Stopped):
        list(matches(scene.snapshot, sample, statement, look))
    assert asked == 3000
