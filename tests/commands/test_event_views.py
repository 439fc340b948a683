"""MV-01: one event has one set of boundaries over all views, and editing it in one view edits it in all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.one_sample import one_sample
from workstation.app.session import Session

MS = 1_000_000
FRAMES = 3 * 33_333_333


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Three views whose clocks begin a second apart, each with the same grasp; and the force that is no view."""
    with one_sample(tmp_path / "p", "manipulation", force="series") as opened:
        for number, key in enumerate(("wrist", "overhead", "side")):
            shift = {"knots": [[0, number * 1000 * MS]], "method": "declared"}
            opened.run("stream.add", key=key, kind="video", time_map=shift)
        yield opened


def grasps(session: Session) -> dict[str, str]:
    return {
        key: session.run(
            "annotation.add", stream=key, class_id="grasp", shape={"kind": "span"},
            start_ns=(5000 - 1000 * number) * MS, end_ns=(6000 - 1000 * number) * MS,
            attributes={"grasp_type": "precision"},
        )
        for number, key in enumerate(("wrist", "overhead", "side"))
    }  # fmt: skip


def together(session: Session, made: dict[str, str], how: str) -> None:
    if how == "entity":
        session.run("entity.add", class_id="grasp", annotations=list(made.values()))
    else:
        ends = {"item": [f"annotation:{each}" for each in made.values()]}
        session.run("link.add", type_id="coincides_with", ends=ends)


def shown(session: Session) -> dict[str, tuple[int, int]]:
    """By stream, the boundaries in session time, worked out by hand: view n is n seconds late."""
    assert session.sample is not None
    found = {}
    keys = {each.id: each.key for each in session.store.streams(session.sample)}
    for each in session.store.annotations(session.sample):
        key = keys[each.stream]  # type: ignore[index]
        late = {"wrist": 0, "overhead": 1000 * MS, "side": 2000 * MS, "force": 0}[key]
        assert each.start_ns is not None
        assert each.end_ns is not None
        found[key] = (each.start_ns + late, each.end_ns + late)
    return found


@pytest.mark.parametrize("how", ["entity", "link"])
def test_three_frames_in_one_view_are_three_frames_in_all_and_one_undo(how: str, session: Session) -> None:
    made = grasps(session)
    together(session, made, how)
    session.run("annotation.set_interval", annotation=made["wrist"], end_ns=6000 * MS + FRAMES)
    assert set(shown(session).values()) == {(5000 * MS, 6000 * MS + FRAMES)}
    session.run("annotation.nudge", annotation=made["side"], edge="start", by_ns=-FRAMES)
    assert set(shown(session).values()) == {(5000 * MS - FRAMES, 6000 * MS + FRAMES)}
    session.undo()
    session.undo()
    assert set(shown(session).values()) == {(5000 * MS, 6000 * MS)}


def test_moving_one_or_all_of_them_moves_each_once(session: Session) -> None:
    made = grasps(session)
    together(session, made, "entity")
    session.run("annotation.move", annotations=[made["overhead"]], by_ns=FRAMES)
    assert set(shown(session).values()) == {(5000 * MS + FRAMES, 6000 * MS + FRAMES)}
    session.run("annotation.move", annotations=list(made.values()), by_ns=FRAMES)
    assert set(shown(session).values()) == {(5000 * MS + 2 * FRAMES, 6000 * MS + 2 * FRAMES)}


def test_a_view_can_be_edited_alone_and_then_goes_its_own_way(session: Session) -> None:
    made = grasps(session)
    together(session, made, "entity")
    session.run("annotation.set_interval", annotation=made["wrist"], end_ns=6500 * MS, alone=True)
    assert shown(session)["wrist"] == (5000 * MS, 6500 * MS)
    session.run("annotation.nudge", annotation=made["side"], edge="end", by_ns=FRAMES)
    found = shown(session)
    assert found["overhead"] == found["side"] == (5000 * MS, 6000 * MS + FRAMES)
    assert found["wrist"] == (5000 * MS, 6500 * MS)


def test_what_is_no_view_of_it_stays(session: Session) -> None:
    """Another class, another kind of stream, another time, or nothing that joins them."""
    made = grasps(session)
    shape = {"kind": "span"}
    force = session.run(
        "annotation.add", stream="force", class_id="contact_start", shape=shape, start_ns=5000 * MS, end_ns=6000 * MS
    )
    ends = {"item": [f"annotation:{each}" for each in (made["wrist"], force)]}
    session.run("link.add", type_id="coincides_with", ends=ends)
    session.run("annotation.set_interval", annotation=made["wrist"], end_ns=7000 * MS)
    found = shown(session)
    assert found["force"] == found["overhead"] == found["side"] == (5000 * MS, 6000 * MS)
