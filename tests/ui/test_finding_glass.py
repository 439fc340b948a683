"""Findings in place, in the real window: both sides drawn in panes beside each other, gone when they are settled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from main_windows import bench_of, main_window, press
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from strict_windows import copy_of, wait_for
from workstation.app.opening import open_project
from workstation.core.geometry import ShapeKind
from workstation.ui.main_window import MainWindow

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def window(qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    """The drive in which one cuboid is called otherwise than its thing, and its points are linked to it."""
    assert qapp is not None
    folder = tmp_path_factory.mktemp("glass")
    project = copy_of(demo_template, folder / "drive")
    with open_project(project, kind="person", role="lead") as session:
        sample = session.open_sample("sf_drive")
        session.run("guideline.acknowledge")
        cars = {each.id for each in session.store.entities(sample) if each.class_id == "car"}
        cuboid = next(
            each for each in session.store.annotations(sample)
            if each.kind is ShapeKind.CUBOID and each.entity in cars and session.store.links_of(each.id)
        )  # fmt: skip
        session.run("annotation.relabel", annotations=[cuboid.id], class_id="bus", here=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        with main_window(project) as made:
            made.resize(1500, 950)
            bench = bench_of(made)
            wait_for(
                lambda: bench.checks.sample is not None and bench.checks.whole, what="the checks", timeout_ms=60_000
            )
            yield made


def conflict(window: MainWindow) -> Any:
    found = bench_of(window).checks.findings
    return next(each for each in found if each.rule == "ontology.labels_conflict" and not each.settled)


def test_n_draws_the_finding_where_its_label_is_and_says_rule_measure_and_help(window: MainWindow) -> None:
    bench, glass = bench_of(window), window.finding_glass
    window.activateWindow()
    wait_for(lambda: _come_to(window, conflict(window).fingerprint), what="the finding by N")
    wait_for(lambda: any(each.pane == "cloud" for each in glass.drawn.brackets), what="brackets in the cloud")
    wait_for(lambda: any(each.pane == "timeline" for each in glass.drawn.brackets), what="brackets on the timeline")
    callout = next(each for each in glass.drawn.callouts if each.fingerprint == bench.finding)
    assert callout.lines[0].startswith("ontology.labels_conflict")
    assert any("cannot both be true" in line for line in callout.lines)
    assert any("one class" in line for line in callout.lines)
    pane = window.pane("cloud")
    assert pane is not None
    assert window.rect().contains(callout.box.toRect())
    seen = window.grab().toImage()
    bench.look_at(None)
    bench.selection.clear(cause="test")
    wait_for(lambda: not glass.drawn.callouts, what="the callout to go")
    assert window.grab().toImage() != seen


def _come_to(window: MainWindow, fingerprint: str) -> bool:
    press(window, Qt.Key.Key_N)
    return bench_of(window).finding == fingerprint


def test_pointing_at_a_label_says_its_findings_and_switching_off_hides_them(window: MainWindow) -> None:
    bench, glass = bench_of(window), window.finding_glass
    label = next(item.id for item in conflict(window).items if item.kind == "annotation")
    bench.reveal([label])
    bench.selection.hover(label, cause="test")
    wait_for(lambda: bool(glass.drawn.callouts), what="the callout")
    assert {each.label for each in glass.drawn.brackets} >= {label}
    window.perform("view.findings_in_place")
    wait_for(lambda: not glass.drawn and not glass.isVisible(), what="the glass to be clear")
    window.perform("view.findings_in_place")
    bench.selection.hover(None, cause="test")


def test_a_fix_is_one_step_back_and_the_finding_comes_back_with_it(window: MainWindow) -> None:
    bench = bench_of(window)
    finding = conflict(window)
    bench.look_at(finding.fingerprint)
    before = bench.session.store.head()
    window.perform("finding.fix")
    assert bench.session.store.head() == before + 1
    wait_for(lambda: all(each.fingerprint != finding.fingerprint for each in bench.checks.findings), what="the check")
    window.perform("edit.undo")
    wait_for(lambda: any(each.fingerprint == finding.fingerprint for each in bench.checks.findings), what="it again")
