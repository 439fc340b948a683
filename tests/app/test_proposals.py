"""Proposals as people meet them: which are shown, which are accepted together, what became of them and how fast.
Truth is what the tests place by hand; the clock of the history is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workstation.app.edge_cases import edge_case_rows
from workstation.app.next_samples import next_samples
from workstation.app.opening import new_project, open_project
from workstation.app.prelabel_report import automation_rows, judged, prelabel_rows
from workstation.app.proposal_rows import batch_of, by_doubt, proposal_rows
from workstation.app.sample_disagreement import disagreements
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.app.shown_proposals import ShownProposals
from workstation.app.submitting import missing_before_submitting
from workstation.app.walking import nearest, shows_at
from workstation.core.annotation import Source, SourceKind, State
from workstation.core.errors import Refused, UserError
from workstation.core.proposals import is_blind

ONTOLOGY = """\
version: 1
name: Road
language: en
modalities: [image, audio]
shapes: {image: [box], audio: [span]}
classes:
  car: {name: car}
  pedestrian: {name: pedestrian}
  mood: {name: mood, proposals: false}
  speech: {name: speech}
link_types:
  same_object:
    name: {en: Same object}
    definition: Both show one thing.
    roles:
      a: {targets: [annotation]}
      b: {targets: [annotation]}
attributes:
  other_language: {type: text, name: other language, applies_to: [speech], per_stream: true}
edge_cases:
  EC-1: {text: "somebody on a scooter is a pedestrian", classes: [pedestrian]}
"""
MODEL = Source(kind=SourceKind.MODEL, name="stand-in", version="1", weights_sha256="cd" * 32, device="CPU")
SECOND = 1_000_000_000


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    (tmp_path / "o.yaml").write_text(ONTOLOGY)
    new_project(tmp_path / "p", ontology=str(tmp_path / "o.yaml"), in_force=True, person="Ana")
    with open_project(tmp_path / "p", kind="person") as opened:
        opened.run("sample.add", key="s")
        opened.open_sample("s")
        opened.run("stream.add", key="front", kind="image")
        opened.run("stream.add", key="mic", kind="audio")
    return tmp_path / "p"


@pytest.fixture
def session(project: Path) -> Iterator[Session]:
    with open_project(project, kind="person") as opened:
        opened.open_sample("s")
        yield opened


def box(x: float = 0.0) -> dict[str, Any]:
    return {"kind": "box", "x": x, "y": 10, "width": 40, "height": 30}


def proposed(session: Session, class_id: str = "car", x: float = 0.0, confidence: float | None = 0.5) -> str:
    made: str = session.run(
        "annotation.add", stream="front", class_id=class_id, shape=box(x), state="proposed", source=MODEL,
        confidence=confidence,
    )  # fmt: skip
    return made


def turn(session: Session, start_s: float, language: str, **more: Any) -> str:
    made: str = session.run(
        "annotation.add", stream="mic", class_id="speech", shape={"kind": "span"}, state="proposed", source=MODEL,
        start_ns=round(start_s * SECOND), end_ns=round((start_s + 1) * SECOND), language=language, text="…", **more,
    )  # fmt: skip
    return made


def view_of(session: Session) -> SampleView:
    assert session.sample is not None
    return SampleView(session.store, session.sample)


def state(session: Session, key: str) -> State:
    return view_of(session).annotations[key].state


# --- order and sight --------------------------------------------------------------------------------------------


def test_the_most_doubtful_comes_first_and_what_says_nothing_is_the_most_doubtful(session: Session) -> None:
    sure, unsaid, doubted = proposed(session, confidence=0.9), proposed(session, confidence=None), proposed(session)
    view = view_of(session)
    assert [each.id for each in by_doubt(view, view.annotations.values())] == [unsaid, doubted, sure]
    assert [row.cells[1].text for row in proposal_rows(view, view.annotations.values())] == ["–", "0.50", "0.90"]


def test_the_least_confidence_is_kept_for_the_project_and_hides_proposals_alone(session: Session) -> None:
    low, high, unsaid = proposed(session, confidence=0.2), proposed(session, confidence=0.8), proposed(session)
    mine = session.run("annotation.add", stream="front", class_id="car", shape=box(), confidence=0.1)
    path, settings = session.project.path, session.store.project()
    held = ShownProposals(path, view_of(session), settings)
    held.set_least(0.5)
    again = ShownProposals(path, view_of(session), settings)
    assert again.kept_from_sight() == {low}
    assert {each.id for each in again.shown()} == {high, unsaid}
    assert mine not in again.kept_from_sight()
    assert again.counts() == (2, 3)


def test_the_view_of_proposals_follows_what_is_stored(session: Session) -> None:
    view = view_of(session)
    held = ShownProposals(session.project.path, view, session.store.project())
    heard = []

    class Ear:
        def take(self, changes: Any) -> None:
            view.apply(changes)
            heard.append(held.apply(changes, session.store.project()))

    ear = Ear()
    session.changed.connect(ear.take)
    one = proposed(session)
    assert {each.id for each in held.shown()} == {one}
    session.run("annotation.accept", annotations=[one])
    assert not list(held.shown())
    session.run("annotation.add", stream="front", class_id="car", shape=box())
    assert heard == [True, True, False]  # a label of a hand is nothing to it


# --- accepting --------------------------------------------------------------------------------------------------


def test_an_edit_takes_a_proposal_over_in_one_step_and_one_undo_gives_it_back(session: Session) -> None:
    one = proposed(session)
    session.run("annotation.set_shape", annotation=one, shape=box(5.0))
    assert state(session, one) is State.DRAFT
    assert view_of(session).annotations[one].source == MODEL
    session.undo()
    assert state(session, one) is State.PROPOSED


def test_another_class_of_the_thing_is_an_edit_of_the_proposal_that_shows_it(session: Session) -> None:
    """The class lives on the thing: saying another takes the proposal over and counts as edited, not as accepted."""
    seen, twice, beside, agreed = (
        session.run("track.add", stream="front", class_id="car", keyframes=[{"time_ns": 0, "shape": box()}],
                    state="proposed", source=MODEL)
        for _ in range(4)
    )  # fmt: skip
    things = {key: each.entity for key, each in view_of(session).annotations.items()}
    session.run("entity.relabel", entity=things[seen], class_id="pedestrian")
    assert state(session, seen) is State.DRAFT
    session.undo()
    assert state(session, seen) is State.PROPOSED
    session.run("entity.relabel", entity=things[seen], class_id="pedestrian")
    session.run("annotation.accept", annotations=[twice])
    session.run("entity.relabel", entity=things[twice], class_id="pedestrian")
    assert state(session, twice) is State.DONE
    made = session.run("annotation.add", stream="front", class_id="car", shape=box(), entity=things[beside])
    session.run("entity.relabel", entity=things[beside], class_id="pedestrian")
    assert state(session, beside) is State.PROPOSED  # somebody's own label shows the thing; nobody judged this one
    session.run("annotation.accept", annotations=[agreed])
    session.run("entity.relabel", entity=things[agreed], class_id="car")  # says nothing new
    outcomes = {each.id: each.outcome for each in judged(session.store)}
    assert outcomes == {seen: "edited", twice: "edited", beside: "waiting", agreed: "accepted", made: "made"}


def test_one_goes_to_where_a_track_shows_and_not_into_its_gap(session: Session) -> None:
    frames = [{"time_ns": at * SECOND, "shape": box()} for at in (0, 1, 8, 9)]
    key = session.run("track.add", stream="front", class_id="car", keyframes=frames, state="proposed", source=MODEL)
    session.run("track.add_gap", annotation=key, start_ns=SECOND + 1, end_ns=8 * SECOND)
    view = view_of(session)
    assert [shows_at(view, key, at * SECOND) for at in (0, 1, 3, 7, 8, 9, 12)] == [1, 1, 0, 0, 1, 1, 0]
    assert [nearest(view, key, at * SECOND) for at in (3, 7, 12)] == [SECOND, 8 * SECOND, 0]


def test_what_is_tagged_as_an_edge_case_is_accepted_by_itself_and_forms_a_set(session: Session) -> None:
    cars, walker = [proposed(session), proposed(session)], proposed(session, "pedestrian")
    with pytest.raises(UserError, match="has no edge case 'EC-9'; it has: EC-1"):
        session.run("edge_case.tag", target=walker, case="EC-9")
    with pytest.raises(UserError, match="in words what makes it one"):
        session.run("edge_case.tag", target=walker)
    session.run("edge_case.tag", target=walker, case="EC-1", text="a scooter with a seat")
    session.run("edge_case.tag", target=cars[0], text="half a car")
    with pytest.raises(UserError, match="already"):
        session.run("edge_case.tag", target=walker, text="again")
    with pytest.raises(UserError, match=r"tagged as an edge case \(EC-1\)"):
        session.run("annotation.accept", annotations=[cars[1], walker])
    assert {state(session, each) for each in (*cars, walker)} == {State.PROPOSED}  # all or none
    every = list(view_of(session).annotations.values())
    batch = batch_of(view_of(session), every)
    assert set(batch.fit) == {cars[1]}
    assert sorted(each[:40] for each in batch.left) == [
        "1 left: it is tagged as an edge case (EC", "1 left: it is tagged as an edge case, so",
    ]  # fmt: skip
    found = edge_case_rows(session.store)
    assert [(each["id"], each["case"], each["by"]) for each in found] == [
        (walker, "EC-1", "Ana"), (cars[0], "not in the guideline", "Ana"),
    ]  # fmt: skip
    session.run("edge_case.untag", target=walker)
    with pytest.raises(UserError, match="not tagged"):
        session.run("edge_case.untag", target=walker)
    assert [each["id"] for each in edge_case_rows(session.store)] == [cars[0]]
    assert len(edge_case_rows(session.store, settled=True)) == 2
    batch = batch_of(view_of(session), every)
    assert set(batch.fit) == {cars[1], walker}
    assert batch.hints == (
        "EC-1 of the guideline (somebody on a scooter is a pedestrian) is about the class of 1 of them.",
    )
    session.run("annotation.accept", annotations=[cars[0]])  # by itself it is


def test_speech_in_two_languages_is_accepted_one_at_a_time(session: Session) -> None:
    """AMB-26."""
    plain, mixed = turn(session, 0, "en"), turn(session, 5, "en")
    session.run(
        "annotation.add", stream="mic", class_id="speech", shape={"kind": "span"}, start_ns=5_200_000_000,
        end_ns=5_500_000_000, language="hi",
    )  # fmt: skip
    with pytest.raises(UserError, match="en and hi: models tend to normalise or translate"):
        session.run("annotation.accept", annotations=[plain, mixed])
    tagged = turn(session, 9, "en", attributes={"other_language": "es"})
    batch = batch_of(view_of(session), [view_of(session).annotations[each] for each in (plain, mixed, tagged)])
    assert batch.fit == (plain,)
    session.run("annotation.accept", annotations=[mixed])
    assert state(session, mixed) is State.DONE


def test_a_model_cannot_propose_a_class_that_takes_no_proposals_and_a_person_may_label_it(session: Session) -> None:
    """AI-14."""
    with pytest.raises(Refused, match="takes no proposals"):
        proposed(session, "mood")
    assert session.run("annotation.add", stream="front", class_id="mood", shape=box())


# --- the blind share --------------------------------------------------------------------------------------------


def test_the_draw_is_by_lot_stays_and_a_larger_share_only_adds() -> None:
    keys = [f"sample-{number}" for number in range(2000)]
    some = {each for each in keys if is_blind("p", each, "front", 0.2)}
    more = {each for each in keys if is_blind("p", each, "front", 0.5)}
    assert 320 < len(some) < 480  # twelve standard deviations would be 430 wide; this is about four
    assert some < more
    assert not any(is_blind("p", each, "front", 0.0) for each in keys)
    assert all(is_blind("p", each, "front", 1.0) for each in keys)
    assert some != {each for each in keys if is_blind("other", each, "front", 0.2)}


def test_on_a_blind_stream_nothing_is_shown_and_nothing_is_asked(session: Session) -> None:
    one = proposed(session)
    assert session.sample is not None
    assert [each.ids for each in missing_before_submitting(session.store, session.sample)] == [(one,)]
    session.run("project.set", tolerances={"blind_share": 1.0})
    held = ShownProposals(session.project.path, view_of(session), session.store.project())
    assert held.kept_from_sight() == {one}
    assert held.blind_streams() == ["front"]
    assert held.counts() == (0, 0)
    assert missing_before_submitting(session.store, session.sample) == []
    session.run("sample.submit")


def test_a_model_that_says_a_link_holds_is_refused_and_that_is_logged(project: Path) -> None:
    """AI-11: models take volume; only people set a relation to verified."""
    with open_project(project, kind="person") as session:
        session.open_sample("s")
        ends = {"a": [f"annotation:{proposed(session)}"], "b": [f"annotation:{proposed(session, x=90.0)}"]}
        link = session.run("link.add", type_id="same_object", ends=ends, state="proposed", source=MODEL)
    for command in ("link.confirm", "link.accept"):
        with open_project(project, kind="model") as machine, pytest.raises(UserError, match="only a person may"):
            machine.run(command, links=[link])
    with open_project(project, kind="person") as session:
        session.open_sample("s")
        assert view_of(session).links[link].state is State.PROPOSED
        assert [each.actor.kind.value for each in session.store.refusals()] == ["model", "model"]


# --- the report -------------------------------------------------------------------------------------------------


def test_the_report_counts_accepted_edited_and_rejected_as_they_stand(session: Session) -> None:
    """SYSE-02: 5 accepted, 3 edited, 2 rejected; what was taken back does not count."""
    keys = [proposed(session, x=number) for number in range(11)]
    for each in keys[:5]:
        session.run("annotation.accept", annotations=[each])
    for each in keys[5:8]:
        session.run("annotation.set_shape", annotation=each, shape=box(99.0))
    session.run("annotation.reject", annotations=keys[8:10])
    session.run("annotation.set_shape", annotation=keys[10], shape=box(50.0))
    session.undo()
    (row,) = prelabel_rows(session.store)
    assert (row["model"], row["proposed"]) == ("stand-in 1", 11)
    assert [row[name] for name in ("accepted", "edited", "rejected", "waiting")] == [5, 3, 2, 1]
    assert row["acceptance"] == 0.8
    assert row["share_edited"] == round(3 / 8, 3)
    assert row["saved"] == "not enough data"
    assert {each["class"] for each in prelabel_rows(session.store, "class")} == {"car"}
    turn(session, 0, "hi")
    assert {each["language"] for each in prelabel_rows(session.store, "language")} == {"hi", "no language said"}
    assert len(judged(session.store)) == 12


def test_who_accepts_everything_is_marked_where_the_unaided_share_disagrees(project: Path) -> None:
    """COMP-11: on one stream of two nothing is shown; what she draws there by herself is elsewhere."""
    with open_project(project, kind="person") as session:
        session.open_sample("s")
        shown = [proposed(session, x=100.0 * number) for number in range(6)]
        session.run("stream.add", key="rear", kind="image")
        settings, view = session.store.project(), view_of(session)
        assert settings is not None
        ids = {each.key: each.id for each in view.streams.values()}
        share = next(
            (each / 1000 for each in range(1, 1001)
             if is_blind(settings.id, view.id, ids["rear"], each / 1000)
             != is_blind(settings.id, view.id, ids["front"], each / 1000)), 0.0,
        )  # fmt: skip
        session.run("project.set", tolerances={"blind_share": share})
        blind = "rear" if is_blind(settings.id, view.id, ids["rear"], share) else "front"
        aided = "front" if blind == "rear" else "rear"
        shown += [
            session.run("annotation.add", stream="rear", class_id="car", shape=box(100.0 * number), state="proposed",
                        source=MODEL, confidence=0.6)
            for number in range(6)
        ]  # fmt: skip
        view = view_of(session)
        for each in shown:
            if view.annotations[each].stream == ids[aided]:
                session.run("annotation.accept", annotations=[each])
        for x in (0.0, 533.0, 900.0):  # the first agrees with a proposal that she was not shown
            session.run("annotation.add", stream=blind, class_id="car", shape=box(x))
        (row,) = automation_rows(session.store)
    assert row["unedited"] == 1.0
    assert row["blind_proposals"] == 6
    assert row["blind_agreement"] == pytest.approx(1 / 6, abs=0.001)
    assert "accepts 100% unedited" in row["marked"]


def test_samples_where_model_and_labels_disagree_come_first(session: Session) -> None:
    session.run("annotation.add", stream="front", class_id="car", shape=box(0.0))
    proposed(session, x=2.0, confidence=0.9)  # the same car
    session.run("sample.add", key="t")
    session.open_sample("t")
    session.run("stream.add", key="front", kind="image")
    session.run("annotation.add", stream="front", class_id="pedestrian", shape=box(0.0))
    disputed = proposed(session, x=1.0, confidence=0.9)  # a car to the model, a pedestrian to a person
    proposed(session, x=500.0, confidence=0.1)  # too unsure to disagree
    first, second = disagreements(session.store)
    assert (first.sample, first.share, first.other_class, first.ids) == ("t", 1.0, 1, (disputed,))
    assert (second.sample, second.share, second.claims) == ("s", 0.0, 2)


def test_word_errors_are_told_by_language_for_sound_and_text_apart(session: Session) -> None:
    """LNG-07: of a recogniser that is worse on Hindi; what people left standing is the truth."""
    session.run("stream.add", key="notes", kind="text")

    def heard(at_s: float, language: str, text: str, truth: str, stream: str = "mic") -> None:
        key = session.run(
            "annotation.add", stream=stream, class_id="speech", shape={"kind": "span"}, state="proposed", source=MODEL,
            start_ns=round(at_s * SECOND), end_ns=round((at_s + 1) * SECOND), language=language, text=text,
        )  # fmt: skip
        if truth != text:
            session.run("text.edit", annotation=key, text=truth)
        elif truth:
            session.run("annotation.accept", annotations=[key])

    heard(0, "en", "Go to the left", "go to the left")  # one sign is no word
    heard(1, "en", "and stop here now", "and stop here now")
    heard(2, "hi", "यह गाड़ी है", "वह गाड़ी नहीं है")
    rows = {(each["language"], each["modality"]): each["wer"] for each in prelabel_rows(session.store, "language")}
    assert rows == {("en", "sound"): 0.0, ("hi", "sound"): 0.5}
    assert prelabel_rows(session.store)[0]["wer"] == round(2 / 12, 3)


# --- what to do next ----------------------------------------------------------------------------------------------


def test_the_next_sample_is_chosen_with_its_reasons_and_decisions_change_the_order(session: Session) -> None:
    """ACT-03, SYSE-02: doubt, disagreement, rarity and gaps, each said; the same seed gives the same order."""
    streams = {}
    for key in ("t", "u", "v"):
        session.run("sample.add", key=key)
        session.open_sample(key)
        streams[key] = session.run("stream.add", key=f"front_{key}", kind="image")

    def add(key: str, class_id: str, **more: Any) -> str:
        session.open_sample(key)
        made: str = session.run(
            "annotation.add", stream=streams[key], class_id=class_id, shape=box(), **{"state": "done", **more}
        )
        return made

    for _ in range(8):
        add("t", "car")
    doubted = add("u", "car", state="proposed", source=MODEL, confidence=0.1)
    rare = add("v", "pedestrian", state="proposed", source=MODEL, confidence=0.9)
    order = next_samples(session.store)
    assert [each.sample for each in order[:2]] == ["v", "u"]
    assert order[0].reasons[0].startswith("pedestrian is rare: 1 of 10")
    assert "nobody has finished a label of pedestrian" in order[0].reasons
    assert "the proposal that waits is sure to 0.10" in order[1].reasons
    last = [each.sample for each in order[2:]]
    assert sorted(last) == ["s", "t"]
    assert [each.sample for each in next_samples(session.store)] == ["v", "u", *last]
    session.run("annotation.accept", annotations=[rare])
    after = {each.sample: each for each in next_samples(session.store)}
    assert next(iter(after)) == "u"  # what was decided there asks for nobody any more
    assert not any("nobody has finished" in each for each in after["v"].reasons)
    session.run("annotation.reject", annotations=[doubted])
    assert {each.sample: each.reasons for each in next_samples(session.store)}["u"] == ()
    session.open_sample("v")
    session.run("sample.submit")
    assert "v" not in {each.sample for each in next_samples(session.store)}


def test_what_is_equal_is_drawn_by_lot_and_a_thing_of_two_classes_is_said(session: Session) -> None:
    for number in range(6):
        session.run("sample.add", key=f"more{number}")
    orders = {tuple(each.sample for each in next_samples(session.store, seed=seed)) for seed in (0, 0, 1, 2)}
    assert len(orders) == 3
    thing = session.run("entity.add", class_id="car")
    session.run("annotation.add", stream="front", class_id="pedestrian", shape=box(), entity=thing)
    first = next_samples(session.store)[0]
    assert (first.sample, first.reasons[0]) == ("s", "1 thing with another class in one of the streams")
