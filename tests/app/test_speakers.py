"""The tier of speakers against the conversation that was generated, and turns that change hands by either way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from strict_windows import copy_of
from workstation.app.lanes import LaneKind, Palette, lanes_of
from workstation.app.opening import open_project
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.app.speakers import (
    Speakers,
    give,
    give_to_new,
    name_of_row,
    paint_of_row,
    speakers_of,
    speaking_classes,
)
from workstation.app.transcript import speaker_of
from workstation.core.ids import EntityId

pytestmark = pytest.mark.slow
"""The conversation takes seconds to generate."""


@pytest.fixture(scope="module")
def talk(talk_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    project = copy_of(talk_template, tmp_path_factory.mktemp("speakers") / "talk")
    with open_project(project, kind="person", role="lead") as session:
        session.open_sample("talk")
        yield session


def seen(session: Session) -> tuple[SampleView, Speakers]:
    assert session.sample is not None
    view = SampleView(session.store, session.sample)
    lane = next(each for each in lanes_of(view) if each.kind is LaneKind.TURNS)
    found = speakers_of(view, lane, Palette())
    assert found is not None
    return view, found


def spoken(view: SampleView) -> dict[str, str]:
    """Turn to speaker, from the links alone."""
    found = {}
    for link in view.links.values():
        if link.type_id == "speaks":
            ends = {end.role: end.target for end in link.ends}
            found[ends["voice"]] = ends["speaker"]
    return found


def test_every_turn_lies_in_the_row_of_whoever_a_link_says_and_each_has_a_colour(talk: Session) -> None:
    view, speakers = seen(talk)
    truth = spoken(view)
    assert len(speakers.tier.ids) > 4
    for turn in speakers.tier.ids:
        row = speakers.row_of(turn)
        assert row is not None
        assert speakers.rows[row] == truth[turn]
    names = [name_of_row(view, each) for each in speakers.rows]
    assert [name[:9] for name in names] == ["Speaker A", "Speaker B", "Speaker C"]
    paints = [paint_of_row(view, each) for each in speakers.rows]
    assert len({(each.colour, each.mark) for each in paints if each is not None}) == 3


def test_a_turn_changes_hands_by_its_link_and_comes_back_with_one_undo(talk: Session) -> None:
    view, speakers = seen(talk)
    turn, truth = speakers.tier.ids[0], spoken(view)
    other = next(each for each in speakers.rows if each != truth[turn])
    give(talk, view, {turn: other})
    after, moved = seen(talk)
    assert spoken(after) == truth | {turn: other}
    assert moved.rows[moved.row_of(turn) or 0] == other
    assert after.annotations[turn].start_ns == view.annotations[turn].start_ns
    talk.undo()
    assert spoken(seen(talk)[0]) == truth


def test_nobody_and_back_again_removes_the_link_and_makes_one(talk: Session) -> None:
    view, speakers = seen(talk)
    turn, truth = speakers.tier.ids[1], spoken(view)
    give(talk, view, {turn: None})
    without, moved = seen(talk)
    assert turn not in spoken(without)
    assert moved.rows[-1] is None
    assert moved.row_of(turn) == len(moved.rows) - 1
    give(talk, without, {turn: truth[turn]})
    assert spoken(seen(talk)[0]) == truth
    talk.undo()
    talk.undo()
    assert spoken(seen(talk)[0]) == truth


def test_a_turn_that_is_attached_to_its_speaker_is_attached_to_the_next(talk: Session) -> None:
    view, speakers = seen(talk)
    first, second = speakers.rows[0], speakers.rows[1]
    turn = next(each for each, who in spoken(view).items() if who == first)
    talk.run("entity.attach", entity=first, annotations=[turn])
    give(talk, seen(talk)[0], {turn: second})
    after, _ = seen(talk)
    assert after.annotations[turn].entity == second
    assert speaker_of(after, after.annotations[turn]) == second
    talk.undo()
    talk.undo()
    assert spoken(seen(talk)[0]) == spoken(view)


def test_the_same_speaker_again_is_no_step(talk: Session) -> None:
    view, _ = seen(talk)
    head = talk.store.head()
    give(talk, view, {**spoken(view)})
    assert talk.store.head() == head


def test_rows_stay_where_they_were_when_the_first_turn_is_given_away(talk: Session) -> None:
    view, speakers = seen(talk)
    give(talk, view, {speakers.tier.ids[0]: speakers.rows[1]})
    assert talk.sample is not None
    after = SampleView(talk.store, talk.sample)
    lane = next(each for each in lanes_of(after) if each.kind is LaneKind.TURNS)
    kept = speakers_of(after, lane, Palette(), before=speakers.rows)
    assert kept is not None
    assert kept.rows == speakers.rows
    talk.undo()


def test_turns_go_to_somebody_new_who_gets_a_row_a_number_and_the_class_of_those_who_speak(talk: Session) -> None:
    view, speakers = seen(talk)
    turns, truth = list(speakers.tier.ids[:2]), spoken(view)
    assert speakers.new_row == len(speakers.rows)
    assert speakers.tier.row_count == len(speakers.rows) + 1
    classes = {view.entities[each].class_id for each in truth.values()}
    assert set(speaking_classes(view, view.annotations[turns[0]])) == classes
    class_id = speaking_classes(view, view.annotations[turns[0]])[0]
    made = give_to_new(talk, view, turns, class_id)
    after, wider = seen(talk)
    assert made not in view.entities
    assert after.entities[EntityId(made)].number > max(each.number for each in view.entities.values())
    assert spoken(after) == truth | dict.fromkeys(turns, made)
    assert {wider.rows[wider.row_of(each) or 0] for each in turns} == {made}
    talk.undo()
    assert spoken(seen(talk)[0]) == truth
    assert EntityId(made) not in seen(talk)[0].entities
