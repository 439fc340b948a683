"""Relations of several ends, why others are refused, where ends may move, what is near what, and what went stale."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workstation.app.absences import absence_kinds, absent_of
from workstation.app.end_cards import ends_to_show
from workstation.app.lines_between import bundles
from workstation.app.link_graph import graph_of
from workstation.app.link_rows import UNLINKED, class_choices, link_rows, stream_choices
from workstation.app.linking import moves, offers, refusals
from workstation.app.moments_of import moments_of_ends
from workstation.app.opening import new_project, open_project
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.app.stale_now import StaleNow
from workstation.app.walking import next_end
from workstation.core.errors import Refused

SECOND = 1_000_000_000


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A microphone, a camera and a bus, without files."""
    new_project(tmp_path / "p", profile="driving", person="Ada")
    with open_project(tmp_path / "p", role="lead", kind="person") as opened:
        opened.run("sample.add", key="s")
        opened.open_sample("s")
        for key, kind in (("mic", "audio"), ("cam", "video"), ("can", "series")):
            opened.run("stream.add", key=key, kind=kind)
        yield opened


def viewed(session: Session) -> SampleView:
    assert session.sample is not None
    return SampleView(session.store, session.sample)


def span(session: Session, class_id: str, stream: str, start_s: float = 1.0) -> str:
    start = round(start_s * SECOND)
    return str(session.run("annotation.add", stream=stream, class_id=class_id, kind="span", start_ns=start,
                           end_ns=start + SECOND))  # fmt: skip


def box(session: Session, class_id: str = "car", x: float = 10.0, **more: Any) -> str:
    shape = {"kind": "box", "x": x, "y": 20.0, "width": 30.0, "height": 40.0}
    return str(session.run("annotation.add", stream="cam", class_id=class_id, start_ns=SECOND, end_ns=2 * SECOND,
                           shape=shape, **more))  # fmt: skip


def link(session: Session, type_id: str, *picks: str) -> str:
    offer = next(each for each in offers(viewed(session), *picks) if each.type_id == type_id)
    return str(session.run("link.add", type_id=type_id, ends=offer.ends, rationale="as seen and heard"))


# --- making -----------------------------------------------------------------------------------------------------


def test_four_ends_are_offered_what_takes_four_and_the_gate_agrees(session: Session) -> None:
    picks = [span(session, "horn", "mic"), span(session, "braking", "can"), box(session, "pedestrian"), box(session)]
    offered = {each.type_id: each for each in offers(viewed(session), *picks)}
    assert "coincides_with" in offered
    assert not {"sound_source", "before", "speaks", "absent"} & offered.keys()  # each of them takes two
    for each in offered.values():
        session.run("link.add", type_id=each.type_id, ends=each.ends)
    for made in viewed(session).links.values():
        assert {end.target for end in made.ends} <= set(picks)


def test_what_is_refused_says_the_very_sentence_of_the_gate(session: Session) -> None:
    car, horn = box(session), span(session, "horn", "mic")
    view = viewed(session)
    (why,) = [each.text for each in refusals(view, car, horn) if each.type_id == "speaks"]
    assert why == "'speaks' needs a voice of class speech; 'Horn' is a horn"  # it is heard, so it might have been one
    with pytest.raises(Refused) as refused:
        session.run("link.add", type_id="speaks", ends={"voice": f"annotation:{horn}", "speaker": f"annotation:{car}"})
    assert any(why.partition(";")[0] in each for each in refused.value.problems)
    legal = {each.type_id for each in offers(view, car, horn)}
    assert not legal & {each.type_id for each in refusals(view, car, horn)}


def test_only_what_may_be_denied_is_offered_as_a_negative_link(session: Session) -> None:
    one, other = box(session), box(session, x=200.0)
    view = viewed(session)
    denied = offers(view, one, other, holds=False)
    assert "same_object" in {each.type_id for each in denied}
    for each in denied:
        session.run("link.add", type_id=each.type_id, ends=each.ends, holds=False)
    assert all("cannot be negated" in each.text for each in refusals(view, one, other, holds=False)
               if each.type_id in {offer.type_id for offer in offers(view, one, other)})  # fmt: skip


def test_an_end_moves_only_where_it_may_stand(session: Session) -> None:
    horn, car, van, walker = (span(session, "horn", "mic"), box(session), box(session, "van"),
                              span(session, "braking", "can"))  # fmt: skip
    made = link(session, "sound_source", horn, car)
    view = viewed(session)
    (move,), why = moves(view, view.links[made], van)
    assert (move.role, move.old, why) == ("source", car, "")
    session.run("link.retarget", link=made, old=move.old, new=move.new)
    assert {end.target for end in viewed(session).links[made].ends} == {horn, van}
    refused, why = moves(view, view.links[made], walker)
    assert refused == []
    assert "'sound_source' needs" in why
    assert "already" in moves(view, view.links[made], car)[1]


def test_an_absence_offers_the_places_and_reasons_of_the_ontology(session: Session) -> None:
    car = box(session)
    (kind,) = absence_kinds(viewed(session), car)
    places, reasons = dict(kind.places), dict(kind.reasons)
    assert {"stream:mic", "stream:can"} <= places.keys()
    assert "stream:cam" not in places  # it is there
    thing = str(session.run("entity.add", class_id="car", annotations=[car]))
    view = viewed(session)
    (kind,) = absence_kinds(view, thing)
    streams = [place for place, _ in kind.places if place.startswith("stream:")]
    assert streams[-1] == "stream:cam"  # where it is labelled comes last
    assert absent_of(view, [thing, car, "gone"]) == [thing]
    assert absent_of(view, [car]) == [car]
    (kind,) = absence_kinds(view, car)
    assert "too_far" in reasons
    (offer,) = offers(viewed(session), car)
    assert offer.absence
    session.run("link.absent", of=f"annotation:{car}", missing_in="stream:can", reason="too_far", type_id=kind.type_id)


# --- seeing -----------------------------------------------------------------------------------------------------


def test_partners_are_marked_but_not_what_is_said_to_be_unrelated(session: Session) -> None:
    horn, car, van = span(session, "horn", "mic"), box(session), box(session, "van", x=300.0)
    link(session, "sound_source", horn, car)
    session.run("link.add", type_id="sound_source", holds=False, rationale="it is far away",
                ends={"sound": f"annotation:{horn}", "source": f"annotation:{van}"})  # fmt: skip
    view = viewed(session)
    assert car in view.marked([horn])
    assert van not in view.marked([horn])
    assert horn in view.marked([car])
    assert view.to_show([horn])[0] == horn
    assert [(each.name, each.holds) for each in bundles(view, [horn])] == [("Comes from", True), ("Comes from", False)]
    assert [role for role, _ in ends_to_show(view, (), [horn])] == ["", "source", "not source"]


def test_a_key_goes_past_every_linked_label_and_comes_round(session: Session) -> None:
    picks = [span(session, "horn", "mic", 3), box(session, "pedestrian"), span(session, "braking", "can", 5)]
    link(session, "coincides_with", *picks)
    view, passed = viewed(session), []
    here: tuple[str, ...] = (picks[0],)
    for _ in range(3):
        stop = next_end(view, here, 0, 1)
        assert stop is not None
        here = stop.ids
        passed.append((stop.ids[0], stop.time_ns))
    assert passed == [(picks[2], 5 * SECOND), (picks[1], SECOND), (picks[0], 3 * SECOND)]
    back = next_end(view, here, 0, -1)
    assert back is not None
    assert back.ids == (picks[1],)
    assert next_end(view, (box(session),), 0, 1) is None


def test_the_graph_holds_things_as_groups_with_what_leads_to_them_on_the_left(session: Session) -> None:
    horn, car, braking = span(session, "horn", "mic"), box(session), span(session, "braking", "can")
    thing = session.run("entity.add", class_id="car", annotations=[car])
    second = box(session, x=200.0, entity=thing)
    link(session, "same_object", car, second)
    link(session, "sound_source", horn, car)
    link(session, "causes", horn, braking)
    graph = graph_of(viewed(session), [car])
    names = [node.key for node in graph.nodes]
    assert names[graph.focus or 0] == thing
    assert graph.nodes[graph.focus or 0].own_links == 1  # between its own labels: no line
    (columns,) = graph.groups
    assert (
        [[names[each] for each in column] for column in columns] == [[horn], [thing], [braking]]
        or [[names[each] for each in column] for column in columns] == [[braking, horn], [thing]]
        or columns[-1] == [graph.focus]
    )
    assert sorted(each.name for each in graph.relations) == ["Causes", "Comes from"]
    whole = graph_of(viewed(session))
    assert {node.key for node in whole.nodes} == {horn, thing, braking}


def test_a_stream_that_many_things_lack_ties_none_of_them_together(session: Session) -> None:
    cars = [session.run("entity.add", class_id="car", annotations=[box(session, x=100.0 * each)]) for each in range(3)]
    horn = span(session, "horn", "mic")
    link(session, "sound_source", horn, cars[0])
    lacks = [
        session.run("link.absent", of=f"entity:{each}", missing_in="stream:mic", reason="silent",
                    rationale=f"nobody hears it at {at}")
        for each, at in ((cars[0], 0), (cars[0], 5 * SECOND), (cars[1], 0))
    ]  # fmt: skip
    for graph in (graph_of(viewed(session)), graph_of(viewed(session), [cars[0]]), graph_of(viewed(session), lacks)):
        notes = {node.key: node.notes for node in graph.nodes}
        assert "absent from mic (2)" in notes[cars[0]]
        assert [(each.name, len(each.nodes)) for each in graph.relations] == [("Comes from", 2)]
    assert "absent from mic" in {node.key: node.notes for node in graph_of(viewed(session), [cars[1]]).nodes}[cars[1]]


def test_an_arc_stands_on_a_track_at_the_moment_the_link_is_about(session: Session) -> None:
    shape = {"kind": "box", "x": 10.0, "y": 20.0, "width": 30.0, "height": 40.0}
    track = str(session.run("track.add", stream="cam", class_id="car", keyframes=[
        {"time_ns": at, "shape": shape} for at in (0, 8 * SECOND)]))  # fmt: skip
    early, late = span(session, "horn", "mic", 3), span(session, "braking", "can", 4)
    made = link(session, "coincides_with", early, late, track)
    view = viewed(session)
    assert moments_of_ends(view, view.links[made]) == {early: 3 * SECOND, late: 4 * SECOND, track: 4 * SECOND}
    gone = span(session, "horn", "mic", 20)
    made = link(session, "sound_source", gone, track)
    view = viewed(session)
    (at_ns,) = {each for end, each in moments_of_ends(view, view.links[made]).items() if end != gone}
    assert at_ns == view.session_range(view.annotations[track]).end_ns  # type: ignore[union-attr]


def test_what_two_tracks_are_at_every_second_is_one_line(session: Session) -> None:
    car = box(session)
    thing = session.run("entity.add", class_id="car", annotations=[car])
    again = box(session, x=99.0, entity=thing)
    made = [link(session, "same_object", car, again) for _ in range(20)]
    horn = span(session, "horn", "mic")
    link(session, "sound_source", horn, car)
    view = viewed(session)
    assert sorted(each.name for each in bundles(view, [car])) == ["Comes from", "Same object"]
    assert [each.link for each in bundles(view, made[3:5])] == made[3:5]  # links that are looked at themselves


def test_links_of_one_thing_say_where_its_labels_are(session: Session) -> None:
    car = box(session)
    thing = session.run("entity.add", class_id="car", name="RX 204", annotations=[car])
    again = box(session, x=99.0, entity=thing)
    made = link(session, "same_object", car, again)
    other = link(session, "sound_source", span(session, "horn", "mic"), car)
    said = {row.key: row.cells[1].text for row in link_rows(viewed(session), (), only=(made, other))}
    assert said == {made: "RX 204: cam → cam", other: "Horn → RX 204"}


def test_three_hundred_links_around_one_thing_stay_readable(session: Session) -> None:
    hub = span(session, "horn", "mic")
    with session.together("many") as run:
        for number in range(60):
            start = number * SECOND
            end = run("annotation.add", stream="can", class_id="braking", kind="span", start_ns=start, end_ns=start + 9)
            for type_id, ends in (("before", ("earlier", "later")), ("during", ("inner", "outer"))):
                run("link.add", type_id=type_id,
                    ends={ends[0]: f"annotation:{hub}", ends[1]: f"annotation:{end}"})  # fmt: skip
    graph = graph_of(viewed(session), [hub])
    assert max(len(column) for columns in graph.groups for column in columns) <= 30
    assert graph.left_out > 0
    assert all(len(each.links) == 2 for each in graph.relations)  # two relations of the same two stand in one line
    whole = graph_of(viewed(session))
    assert whole.relations == []  # too many to be drawn: a table of things with their counts
    assert {node.links for node in whole.nodes} == {2, 120}


def test_what_has_no_link_is_filtered_by_class_and_stream(session: Session) -> None:
    horn, car, _ = span(session, "horn", "mic"), box(session), box(session, "van")
    view = viewed(session)
    rows = [row for row in link_rows(view, ()) if UNLINKED in row.group.split()]
    mic = next(each.id for each in view.streams.values() if each.key == "mic")
    assert [row.ids for row in rows if f"stream:{mic}" in row.group.split()] == [(horn,)]
    assert [row.ids for row in rows if "class:car" in row.group.split()] == [(car,)]
    assert {words for _, words in stream_choices(view)} == {"All streams", "mic", "cam"}
    assert {words for _, words in class_choices(view)} == {"All classes", "Horn", "Car", "Van"}


# --- what went stale ----------------------------------------------------------------------------------------------

EDITS = st.lists(st.tuples(st.sampled_from(["move", "undo", "relabel", "confirm", "remove", "add"]),
                           st.integers(0, 3)), max_size=8)  # fmt: skip


@given(edits=EDITS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_stale_now_is_what_comparing_everything_says(session: Session, edits: list[tuple[str, int]]) -> None:
    boxes = [box(session, x=200.0 * number) for number in range(4)]
    for one, other in pairwise(boxes):
        link(session, "same_object", one, other)
    view = viewed(session)
    held = StaleNow(session.store, view)
    held.ends()

    def take_in(changes: Any) -> None:
        view.apply(changes)
        held.apply(changes)

    class Ear:
        def hear(self, changes: Any) -> None:
            take_in(changes)

    ear = Ear()
    session.changed.connect(ear.hear)
    try:
        for what, number in edits:
            _edit(session, view, boxes, what, number)
            everything = session.store.stale_links(view.id)
            assert {(end.link.id, end.ordinal, end.reason) for end in held.ends()} == {
                (end.link.id, end.ordinal, end.reason) for end in everything
            }
    finally:
        session.changed.disconnect(ear.hear)
        session.run("annotation.delete", annotations=boxes, links="remove")


def _edit(session: Session, view: SampleView, boxes: list[str], what: str, number: int) -> None:
    links = sorted(view.links)
    if what == "move":
        session.run("annotation.move", annotations=[boxes[number]], by=[150.0, 0.0])
    elif what == "undo":
        if view.links:
            session.run("annotation.move", annotations=[boxes[number]], by=[90.0, 0.0])
            session.undo()
    elif what == "relabel":
        session.run("annotation.relabel", annotations=[boxes[number]], class_id="truck" if number % 2 else "van")
    elif what == "confirm" and links:
        session.run("link.confirm", links=links[:1])
    elif what == "remove" and links:
        session.run("link.remove", links=links[-1:])
    elif what == "add" and number:
        session.run("link.add", type_id="coincides_with",
                    ends={"item": [f"annotation:{each}" for each in boxes[: number + 1]]})  # fmt: skip
