"""Review flags: damped, folded into one, gone with an undo (COMP-08); closed by confirming, fixing or dismissing with a
reason (VER-02, VER-03); every flag says rule, measure, limit, items and what helps, and changes no label (VAL-28)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workstation.app.findings_shown import said, shown
from workstation.app.opening import new_project, open_project
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.app.validation import Validation, finding_row
from workstation.core.errors import UserError
from workstation.core.findings import Finding
from workstation.core.records import RecordKind
from workstation.core.sample import Sample

BOX = {"kind": "box", "x": 200.0, "y": 150.0, "width": 120.0, "height": 90.0}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A red car's box that a phrase refers to; the link was confirmed by a person."""
    made = new_project(tmp_path / "p", profile="driving", person="Ada")
    with open_project(made, role="lead") as opened:
        opened.run("guideline.acknowledge")
        opened.run("sample.add", key="s")
        opened.open_sample("s")
        for key, kind in (("front", "video"), ("caption", "text")):
            opened.run("stream.add", key=key, kind=kind)
        car = opened.run("entity.add", class_id="car")
        box = opened.run("annotation.add", stream="front", entity=car, shape=BOX, start_ns=0, end_ns=1)
        span = {"kind": "text_span", "parts": [[0, 11]], "quote": "the red car"}
        words = opened.run("annotation.add", stream="caption", kind="text_span", shape=span)
        link = opened.run("link.add", type_id="refers_to", ends={"phrase": words, "thing": box}, state="done")
        opened.run("link.confirm", links=[link])
        opened.box, opened.words, opened.link = box, words, link  # type: ignore[attr-defined]
        yield opened


def flags(session: Session) -> list[Finding]:
    (sample,) = (each for each in session.store.records(RecordKind.SAMPLE) if isinstance(each, Sample))
    return [each for _, some in Validation(session.store, sample=sample).findings() for each in some
            if each.rule == "links.stale"]  # fmt: skip


def nudge(session: Any, px: float, times: int) -> None:
    for _ in range(times):
        session.run("annotation.move", annotations=[session.box], by=[px, 0.0])


def test_small_nudges_raise_no_flag_large_ones_one_and_undoing_takes_it_away(session: Any) -> None:
    nudge(session, 1.0, 10)
    assert flags(session) == []
    for _ in range(10):
        session.undo()
    nudge(session, 4.0, 10)
    (flag,) = flags(session)
    assert "review needed: box moved 40 px" in flag.text
    view = SampleView(session.store, session.store.sample_by_key("s").id)
    assert shown(view, flag).labels == {session.words, session.box}, "the phrase shows it as well as the box"
    assert any("review needed: box moved 40 px" in line for line in said(flag))
    for _ in range(10):
        session.undo()
    assert flags(session) == []


def test_a_flag_is_closed_by_confirming_or_by_a_reason_that_history_keeps(session: Any) -> None:
    nudge(session, 40.0, 1)
    (flag,) = flags(session)
    told = {"sample": "s", "fingerprint": flag.fingerprint, "rule": flag.rule, "decision": "dismissed"}
    with pytest.raises(UserError, match="dismissed with a reason"):
        session.run("finding.decide", **told)
    session.run("finding.decide", **told, reason="the caption still fits")
    (settled,) = flags(session)
    assert (settled.settled, settled.reason) == (True, "the caption still fits")
    last = next(iter(session.store.revisions(limit=1)))
    (change,) = session.store.changes(last.rev)
    assert change.record.reason == "the caption still fits"
    session.undo()
    (flag,) = flags(session)
    assert flag.fix is not None
    session.run(flag.fix.command, **flag.fix.arguments)
    assert flags(session) == []


def test_every_flag_says_all_five_things_and_checking_changes_no_label(session: Any) -> None:
    nudge(session, 40.0, 1)
    odd = session.run("annotation.add", stream="front", class_id="bus", shape=BOX, start_ns=0, end_ns=1,
                      entity=session.store.require(RecordKind.ANNOTATION, session.box).entity)  # fmt: skip
    assert odd
    before = [[*session.store.records(kind)] for kind in RecordKind]
    head = session.store.head()
    rows = [finding_row(each, sample) for sample, some in Validation(session.store).findings(keep_in=session.store)
            for each in some]  # fmt: skip
    assert {"links.stale", "ontology.labels_conflict"} <= {row["rule"] for row in rows}
    for row in rows:
        assert {"rule", "measured", "limit", "items", "suggestion", "fix"} <= row.keys()
        assert row["rule"]
        assert row["items"]
        assert row["suggestion"], row["rule"]
    assert [[*session.store.records(kind)] for kind in RecordKind] == before
    assert session.store.head() == head
