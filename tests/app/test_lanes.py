"""Lanes and tiers of a small sample: what is drawn where agrees with what the records say, before and after edits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workstation.app.lanes import (
    Lane,
    LaneKind,
    Palette,
    Style,
    changed_tier,
    item_at,
    lanes_of,
    make_tier,
    stretches,
    styles_in,
    touching,
)
from workstation.app.opening import new_project, open_project
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.core.records import RecordKind
from workstation.core.tracks import MomentKind

SECOND = 1_000_000_000


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A project with one sample of two streams that need no files for their labels."""
    new_project(tmp_path / "p", profile="driving", person="Ada")
    with open_project(tmp_path / "p", role="lead", kind="person") as opened:
        opened.run("sample.add", key="s")
        opened.open_sample("s")
        opened.run("stream.add", key="mic", kind="audio", time_map={"knots": [[0, 5 * SECOND]]})
        opened.run("stream.add", key="cam", kind="video")
        yield opened


def span(session: Session, start_s: float, end_s: float, stream: str = "mic", class_id: str = "horn") -> str:
    made: str = session.run(
        "annotation.add", stream=stream, class_id=class_id, kind="span",
        start_ns=round(start_s * SECOND), end_ns=round(end_s * SECOND),
    )  # fmt: skip
    return made


def viewed(session: Session) -> SampleView:
    assert session.sample is not None
    return SampleView(session.store, session.sample)


def lane_of(view: SampleView, kind: LaneKind) -> Lane:
    return next(lane for lane in lanes_of(view) if lane.kind is kind)


def test_every_stream_has_a_lane_and_labels_have_tiers_below_it(session: Session) -> None:
    view = viewed(session)
    assert [lane.key for lane in lanes_of(view)] == ["cam/film", "mic/sound", "links", "findings"]
    span(session, 1, 2)
    assert [lane.key for lane in lanes_of(viewed(session))] == [
        "cam/film", "mic/sound", "mic/spans", "links", "findings",
    ]  # fmt: skip


def test_spans_lie_in_session_time_and_overlapping_ones_in_rows_of_their_own(session: Session) -> None:
    ids = [span(session, *each) for each in ((1, 3), (2, 4), (3, 5), (6, 6))]
    view = viewed(session)
    tier = make_tier(view, lane_of(view, LaneKind.SPANS), Palette())
    assert set(tier.ids) == set(ids)
    for record_id in ids:
        number = tier.numbers[record_id]
        shown = view.session_range(view.annotations[record_id])
        assert shown is not None
        assert (tier.items.starts[number], tier.items.ends[number]) == (shown.start_ns, shown.end_ns)
    rows = [int(tier.items.rows[tier.numbers[each]]) for each in ids]
    assert rows == [0, 1, 0, 0]
    assert tier.ticks.times.tolist() == [11 * SECOND]  # the instant
    assert touching(tier, tier.numbers[ids[0]], at_end=True) == tier.numbers[ids[2]]
    assert touching(tier, tier.numbers[ids[1]], at_end=True) is None


def test_a_commit_changes_the_columns_as_if_they_were_made_anew(session: Session) -> None:
    ids = [span(session, i, i + 0.5) for i in range(5)]
    view = viewed(session)
    lane = lane_of(view, LaneKind.SPANS)
    palette = Palette()
    heard = []
    tier = make_tier(view, lane, palette)

    def edits() -> None:
        session.run("annotation.set_interval", annotation=ids[3], start_ns=0, end_ns=SECOND // 4)
        session.run("annotation.delete", annotations=[ids[1]])
        span(session, 2.2, 9)
        session.run("annotation.set_state", annotations=[ids[0]], state="rejected")

    head = session.store.head()
    edits()
    for rev in range(head + 1, session.store.head() + 1):
        heard += [change.id for change in session.store.changes(rev) if change.kind is RecordKind.ANNOTATION]
    now = viewed(session)
    changed = changed_tier(now, lane, palette, tier, set(heard))
    anew = make_tier(now, lane, Palette())
    assert changed.ids == anew.ids
    assert changed.items.starts.tolist() == anew.items.starts.tolist()
    assert changed.items.ends.tolist() == anew.items.ends.tolist()
    assert styles_in(changed.items.codes).tolist() == styles_in(anew.items.codes).tolist()
    kept = ids[2]
    assert changed.items.rows[changed.numbers[kept]] == tier.items.rows[tier.numbers[kept]]
    assert changed_tier(now, lane, palette, changed, {"unknown"}) is changed


def test_a_tracks_stretches_say_what_the_track_shows_at_every_moment(session: Session) -> None:
    def box(x: float) -> dict[str, object]:
        return {"kind": "box", "x": x, "y": 1.0, "width": 5.0, "height": 5.0}

    keyframes = [{"time_ns": t, "shape": box(t / SECOND)} for t in (0, SECOND, 3 * SECOND, 4 * SECOND)]
    track = session.run("track.add", stream="cam", class_id="car", keyframes=keyframes)
    session.run("keyframe.set", annotation=track, time_ns=2 * SECOND, presence="absent")
    session.run("track.add_gap", annotation=track, start_ns=SECOND // 2, end_ns=SECOND + SECOND // 2)
    view = viewed(session)
    held = view.annotations[track]
    parts = list(stretches(held, view.keyframes(track)))
    expected = {
        MomentKind.INTERPOLATED: Style.INTERPOLATED, MomentKind.GAP: Style.GAP, MomentKind.ABSENT: Style.ABSENT,
    }  # fmt: skip
    for time_ns in range(-SECOND, 5 * SECOND, SECOND // 20):
        kind = view.moment(held, time_ns).kind
        there = [style for start_ns, end_ns, style in parts if start_ns <= time_ns < end_ns]
        if kind in expected:
            assert there == [expected[kind]], time_ns
        elif kind is MomentKind.OUTSIDE:
            assert there == [], time_ns
    tier = make_tier(view, lane_of(view, LaneKind.TRACKS), Palette())
    assert tier.ticks.times.tolist() == [0, SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND]
    assert tier.ids == (track,)


def test_what_is_hidden_is_left_out(session: Session) -> None:
    kept, hidden = span(session, 1, 2), span(session, 3, 4)
    view = viewed(session)
    tier = make_tier(view, lane_of(view, LaneKind.SPANS), Palette(), lambda annotation: annotation.id != hidden)
    assert tier.ids == (kept,)


def test_picking_finds_what_is_there_and_what_is_near(session: Session) -> None:
    first, second = span(session, 1, 2), span(session, 2, 3)
    view = viewed(session)
    tier = make_tier(view, lane_of(view, LaneKind.SPANS), Palette())
    offset = 5 * SECOND
    assert item_at(tier, offset + SECOND, 0) == tier.numbers[first]
    assert item_at(tier, offset + 2 * SECOND, 0) == tier.numbers[second]
    assert item_at(tier, offset + 3 * SECOND, 0) is None
    assert item_at(tier, offset + 3 * SECOND + 5, 0, slack_ns=10) == tier.numbers[second]
    assert item_at(tier, offset, 1, slack_ns=SECOND) is None
