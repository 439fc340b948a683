"""The story of a badly labelled drive: every planted fault is found, shown in place, and mended by following ``N``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hands import Person, sit_down
from PySide6.QtWidgets import QApplication, QLabel, QTableWidget

from strict_windows import wait_for
from workstation.app.demo_street import build
from workstation.app.opening import new_project, open_project
from workstation.app.session import Session
from workstation.core.annotation import Annotation
from workstation.core.rights import ActorKind
from workstation.synth.drive.fixture import drive
from workstation.synth.drive.rig import DriveOptions
from workstation.synth.truth import Truth

pytestmark = pytest.mark.slow
SHORT = DriveOptions(seconds=1.2, cameras=1, scale=0.25, workers=1)
SAMPLE = "drive-street"


@pytest.fixture(scope="module")
def clean(made_once: Callable[..., Truth], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = made_once(drive, options=SHORT)
    project = new_project(tmp_path_factory.mktemp("findings") / "drive", profile="driving", person="Ana")
    with open_project(project, kind=ActorKind.IMPORT, tool="demo") as session:
        build(session, made)
    return project


def plant(session: Session) -> None:
    """A wrong class, an end that moved after somebody confirmed the link, a label taken away, and a late text."""
    session.run("guideline.acknowledge")
    sample = session.open_sample(SAMPLE)
    store = session.store
    labels: dict[str, dict[str, Annotation]] = {}
    for each in store.annotations(sample):
        if each.entity is not None:
            labels.setdefault(each.entity, {})[each.kind.value] = each
    cars = [key for key, views in labels.items() if {"box", "cuboid"} <= views.keys()]
    wrong, moved, bare = cars[:3]
    session.run("annotation.relabel", annotations=[labels[wrong]["box"].id], class_id="bus", here=True)
    session.run("link.confirm", links=[each.id for each in store.links_of(labels[moved]["box"].id)])
    session.run("annotation.move", annotations=[labels[moved]["box"].id], by=[0.0, 14.0])
    session.run("link.remove", links=[each.id for each in store.links_of(labels[bare]["cuboid"].id)])
    session.run("annotation.delete", annotations=[labels[bare]["cuboid"].id])
    braking = session.run(
        "annotation.add", stream="can", class_id="braking", kind="span", start_ns=0, end_ns=200_000_000, state="done"
    )
    session.run("stream.add", key="navigation", kind="text")
    words = session.run(
        "annotation.add", stream="navigation", kind="text_span", shape={"kind": "text_span", "parts": [[0, 4]]},
        start_ns=1_000_000_000, end_ns=1_100_000_000,
    )  # fmt: skip
    session.run("link.add", type_id="grounded_in_time", ends={"phrase": words, "interval": braking}, state="done")


@pytest.fixture
def me(qapp: QApplication, clean: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Person, None, None]:
    assert qapp is not None
    monkeypatch.setenv("WORKSTATION_HOME", str(clean.parent / "home"))
    with open_project(clean, kind="person", person="Ana", role="lead") as session:
        plant(session)
    with sit_down(clean) as person:
        person.window.resize(1500, 950)
        person.waits(lambda: any(each.name == "checks" for each in threading.enumerate()), "the checks to begin")
        yield person


def checked(me: Person) -> bool:
    bench = me.bench
    return bench.view is not None and bench.checks.sample == bench.view.id and bench.checks.whole


def open_rules(me: Person) -> set[str]:
    return {each.rule for each in me.bench.checks.findings if not each.settled}


def test_a_bad_drive_is_mended_by_following_n_to_the_last_finding(me: Person) -> None:
    wait_for(lambda: checked(me), what="the first check", timeout_ms=60_000)
    planted = {"ontology.labels_conflict", "links.stale", "space.missing", "clocks.caption"}
    assert planted <= open_rules(me)
    glass: Any = me.window.finding_glass
    before = len(me.bench.checks.findings)
    done: set[str] = set()
    for _ in range(3 * before):
        if checked(me) and not open_rules(me):
            break
        me.press("N")
        finding = next((each for each in me.bench.checks.findings if each.fingerprint == me.bench.finding), None)
        if finding is None:
            me.waits(lambda: checked(me), "the check after the last edit")
            continue
        me.waits(lambda found=finding: bool(shown(glass, found.fingerprint)), f"{finding.rule} in place")  # type: ignore[misc]
        lines = " ".join(shown(glass, finding.fingerprint)[0].lines)
        assert finding.rule in lines
        assert finding.text[1:] in lines
        me.keep_picture(f"finding {finding.rule}")
        if finding.fix is not None:
            me.press("Ctrl+.")
        else:
            me.press("Alt+N")
            assert me.dialog is not None, me.said
            me.press("Enter")
            assert me.dialog is not None, "nobody dismisses without a reason"
            assert "with a reason" in " ".join(each.text() for each in me.dialog.findChildren(QLabel))
            me.type("seen and left as it is").press("Enter")
        done.add(finding.rule)
        gone = finding.fingerprint
        me.waits(
            lambda gone=gone: all(each.settled for each in me.bench.checks.findings if each.fingerprint == gone),  # type: ignore[misc]
            f"{finding.rule} to go",
        )
    assert planted <= done
    me.waits(lambda: checked(me), "the last check")
    assert open_rules(me) == set()
    me.press("N")
    assert me.said == "No finding is open in this sample."
    me.waits(lambda: not glass.drawn, "the signs to go")
    me.window.perform("finding.rules")
    table = me.window.findChild(QTableWidget, "rules_list")
    assert table is not None
    rows = {table.item(row, 0).text(): row for row in range(table.rowCount())}
    assert int(table.item(rows["links.stale"], 4).text()) >= 1
    assert int(table.item(rows["space.missing"], 5).text()) >= 1
    me.press("Esc")


def shown(glass: Any, fingerprint: str) -> list[Any]:
    return [each for each in glass.drawn.callouts if each.fingerprint == fingerprint]
