"""Where findings are in time: against a plain look at every one of them, after edits too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from workstation.app.finding_places import FindingPlaces, placed
from workstation.app.finding_rows import FindingRows
from workstation.app.opening import new_project, open_project
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.core.findings import Finding, Item, fingerprint_of
from workstation.core.ontology import ErrorType, Severity

SECOND = 1_000_000_000
GRAVEST = (Severity.ERROR, Severity.WARNING, Severity.INFO)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_project(new_project(tmp_path / "p", profile="driving", person="Ada"), role="lead") as session:
        session.run("sample.add", key="s")
        session.open_sample("s")
        session.run("stream.add", key="cam", kind="video")
        yield session


def box(session: Session, start_s: int, entity: str | None = None) -> str:
    shape = {"kind": "box", "x": 1.0, "y": 1.0, "width": 5.0, "height": 5.0}
    made = session.run(
        "annotation.add", stream="cam", class_id=None if entity else "car", entity=entity, shape=shape,
        start_ns=start_s * SECOND, end_ns=(start_s + 1) * SECOND,
    )  # fmt: skip
    return str(made)


def found(rule: str, severity: Severity, *items: Item) -> Finding:
    return Finding(
        rule=rule, version=1, error_type=ErrorType.SEMANTIC, severity=severity, items=items, text=f"{rule} says so",
        fingerprint=fingerprint_of(rule, items),
    )  # fmt: skip


def take(places: FindingPlaces, findings: list[Finding]) -> None:
    for _ in places.take(findings):
        pass


def test_the_nearest_come_first_and_of_equally_near_ones_the_gravest(session: Session) -> None:
    chance = Random(3)
    starts = {box(session, second): second for second in chance.sample(range(100), 40)}
    view = SampleView(session.store, session.open_sample("s"))
    findings = [
        found(
            f"rule.{number}",
            chance.choice(GRAVEST),
            *(Item("annotation", each) for each in chance.sample([*starts], 2)),
        )
        for number in range(200)
    ]
    places = FindingPlaces(view)
    take(places, findings)
    now_s = 50

    def away(finding: Finding) -> tuple[int, int]:
        times = [starts[item.id] for item in finding.items]
        return min(max(start - now_s, now_s - start - 1, 0) for start in times), GRAVEST.index(finding.severity)

    told = [each.finding for each in places.nearest(now_s * SECOND, 30)]
    assert [away(each) for each in told] == sorted(map(away, findings))[:30]
    assert [each.session_ns for each in places.all] == [starts[each.items[0].id] * SECOND for each in findings]


def test_after_an_edit_only_what_it_touched_is_placed_and_written_again(session: Session) -> None:
    thing = str(session.run("entity.add", class_id="car"))
    of_thing, other = box(session, 10, thing), box(session, 20)
    view = SampleView(session.store, session.open_sample("s"))
    findings = [
        found("a.thing", Severity.ERROR, Item("entity", thing)),
        found("a.label", Severity.INFO, Item("annotation", of_thing)),
        found("another.label", Severity.WARNING, Item("annotation", other)),
    ]
    places, rows = FindingPlaces(view), FindingRows()
    session.changed.connect(view.apply)
    session.changed.connect(places.apply)

    def written() -> dict[str, object]:
        for _ in rows.make(places):
            pass
        return {row.key: row for row in rows.rows}

    take(places, findings)
    before, rows_before = places.all, written()
    box(session, 2, thing)  # its first label now
    take(places, findings)
    after, rows_after = places.all, written()
    assert [a is b for a, b in zip(before, after, strict=True)] == [False, True, True]
    assert after[0].session_ns == 2 * SECOND
    assert [rows_before[each.fingerprint] is rows_after[each.fingerprint] for each in findings] == [False, True, True]
    assert [row.key for row in rows.rows] == [each.fingerprint for each in (findings[0], findings[2], findings[1])]
    session.undo()
    next(places.take(findings))  # begun and left: what it knew of is not forgotten
    take(places, findings)
    assert [each.session_ns for each in places.all] == [placed(view, each).session_ns for each in findings]
    assert places.all[0].session_ns == 10 * SECOND
