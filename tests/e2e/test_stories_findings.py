"""The story of a badly labelled drive: every planted fault is found, shown in place, and mended by following ``N``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hands import Person, sit_down
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QTableWidget

from strict_windows import wait_for
from workstation.app.demo_street import build
from workstation.app.opening import new_project, open_project
from workstation.app.session import Session
from workstation.core.annotation import Annotation
from workstation.core.geometry import Box
from workstation.core.ids import AnnotationId
from workstation.core.rights import ActorKind
from workstation.synth.drive.fixture import drive
from workstation.synth.drive.rig import DriveOptions
from workstation.synth.truth import Truth

pytestmark = pytest.mark.slow
SHORT = DriveOptions(seconds=1.2, cameras=1, scale=0.25, workers=1)
SAMPLE = "drive-street"
PICTURE_PX = (240, 136)


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
    """Nothing is dismissed: what is wrong is put right, by the suggested command, by the mouse, or by saying why."""
    wait_for(lambda: checked(me), what="the first check", timeout_ms=60_000)
    planted = {"ontology.labels_conflict", "links.stale", "boxes.apart", "space.missing", "clocks.caption"}
    assert open_rules(me) == planted
    glass: Any = me.window.finding_glass
    mended: list[str] = []
    for _ in range(4 * len(planted)):
        me.waits(lambda: checked(me), "the check after the last edit")
        if not open_rules(me):
            break
        me.press("N")
        finding = next(each for each in me.bench.checks.findings if each.fingerprint == me.bench.finding)
        me.waits(lambda found=finding: bool(shown(glass, found.fingerprint)), f"{finding.rule} in place")  # type: ignore[misc]
        lines = " ".join(shown(glass, finding.fingerprint)[0].lines)
        assert finding.rule in lines
        assert finding.text[1:] in lines
        me.keep_picture(f"finding {finding.rule}")
        if finding.rule == "links.stale" and not finding.text.startswith("grounded_in_time"):
            continue  # the box was moved by mistake: the link is as good as it was when that lies where it lay
        if finding.rule == "boxes.apart":
            put_back(me, finding.items[0].id)
        elif finding.rule == "space.missing":
            state_that_the_scanner_misses_it(me)
        else:
            assert finding.fix is not None
            me.press("Ctrl+.")
        mended.append(finding.rule)
        gone = finding.fingerprint
        me.waits(
            lambda gone=gone: all(each.settled for each in me.bench.checks.findings if each.fingerprint == gone),  # type: ignore[misc]
            f"{finding.rule} to go",
        )
    # The text was moved to what it tells of; that this link is still right is for a person to say, too.
    assert sorted(mended) == sorted(planted)
    me.waits(lambda: checked(me), "the last check")
    assert [each for each in me.bench.checks.findings if each.state.value != "fixed"] == []
    me.press("N")
    assert me.said == "No finding is open in this sample."
    me.waits(lambda: not glass.drawn, "the signs to go")
    me.window.perform("finding.rules")
    table = me.window.findChild(QTableWidget, "rules_list")
    assert table is not None
    rows = {table.item(row, 0).text(): row for row in range(table.rowCount())}
    assert [table.item(rows[each], 4).text() for each in ("ontology.labels_conflict", "clocks.caption")] == ["1", "1"]
    me.press("Esc")


def put_back(me: Person, box: str) -> None:
    """Take the box that was moved down by 14 px of the picture, and pull its whole track up again."""
    camera = me.camera("camera_front")
    at_ns = me.bench.view.streams[camera.stream.id].time_map.to_stream(me.bench.clock.time_ns)  # type: ignore[union-attr]
    frames = [each for each in me.bench.session.store.keyframes(AnnotationId(box)) if each.time_ns <= at_ns]
    shape = frames[-1].shape
    assert isinstance(shape, Box)
    scale = min(camera.area.width() / PICTURE_PX[0], camera.area.height() / PICTURE_PX[1])
    left, top = (
        (a - b * scale) / 2 for a, b in zip((camera.area.width(), camera.area.height()), PICTURE_PX, strict=True)
    )
    middle = QPoint(
        round(left + (shape.x + shape.width / 2) * scale), round(top + (shape.y + shape.height / 2) * scale)
    )
    me.press("Esc").click_at(camera.area, middle)
    me.waits(lambda: list(me.bench.selected) == [box], "the box to be taken")
    me.drag(camera.area, middle, middle - QPoint(0, round(14 * scale)), Qt.KeyboardModifier.AltModifier)


def state_that_the_scanner_misses_it(me: Person) -> None:
    me.press("Ctrl+Shift+A")
    assert me.dialog is not None, me.said
    me.keep_picture("absence")
    me.press("Enter")
    me.waits(lambda: me.dialog is None, "the absence to be taken")


def shown(glass: Any, fingerprint: str) -> list[Any]:
    return [each for each in glass.drawn.callouts if each.fingerprint == fingerprint]
