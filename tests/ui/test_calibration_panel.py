"""The panel of calibration in the real main window, on a drive whose camera is said to look too far to the left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from main_windows import main_window
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from strict_windows import copy_of, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication, QPushButton

TURNED_DEG = 1.5


@pytest.fixture(scope="module")
def turned_drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from workstation.app.demo_street import build
    from workstation.app.opening import new_project, open_project
    from workstation.core.rights import ActorKind
    from workstation.synth.drive.fixture import drive
    from workstation.synth.drive.rig import DriveOptions

    folder = tmp_path_factory.mktemp("turned")
    options = DriveOptions(seconds=1.2, cameras=1, scale=0.25, workers=1)
    made = drive(folder / "made", variant=f"yaw@{TURNED_DEG}", options=options)
    project = new_project(folder / "turned", profile="driving", person="Ana")
    with open_project(project, kind=ActorKind.IMPORT, tool="demo") as session:
        build(session, made)
    return project


def click(button: QPushButton) -> None:
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.mark.slow
def test_a_person_sees_the_evidence_says_the_cause_and_corrects_the_camera(
    qapp: QApplication, turned_drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workstation.core.annotation import FindingDecision
    from workstation.core.records import RecordKind
    from workstation.ui.panels.calibration import CalibrationPanel

    assert qapp is not None
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    with main_window(copy_of(turned_drive, tmp_path / "turned")) as window:
        assert window.opened is not None
        bench = window.opened.bench
        window.resize(1500, 950)
        window.take_workspace("sync")
        window.show_pane("calibration")
        window.show_pane("findings")
        panel = window.pane("calibration")
        assert isinstance(panel, CalibrationPanel)
        wait_for(lambda: panel.isVisible() and panel.check.isEnabled(), what="the panel")
        assert not panel.correct.isEnabled()

        click(panel.check)
        wait_for(lambda: panel.report is not None, what="the report", timeout_ms=30_000)
        assert f"angular, about {TURNED_DEG}° to the left" in panel.words.text()
        assert panel.correct.text() == f"Turn camera_front by −{TURNED_DEG:.2f}°".replace("−", "-")
        wait_for(lambda: "settles" in panel.forecast.text(), what="the forecast", timeout_ms=30_000)

        # A click on the farthest thing of the plot chooses it, with the evidence; it is then selected everywhere.
        camera = panel.shown()
        assert camera is not None
        far = camera.things[-1]
        at = panel.plot.place(far.range_m, far.off_m).toPoint()
        QTest.mouseClick(panel.plot, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
        found = panel.suspect()
        assert found is not None
        assert found.thing == far.thing
        assert "other things in camera_front are off like it" in panel.evidence.text()
        assert set(bench.selected) == set(far.labels)

        wait_for(lambda: panel.flag() is not None, what="the finding about it", timeout_ms=30_000)
        wait_for(panel.off.isEnabled, what="the button")
        click(panel.off)
        sample = bench.view.sample.id if bench.view is not None else None
        decided = [
            each for each in bench.session.store.records(RecordKind.FINDING_DECISION, sample=sample)
            if isinstance(each, FindingDecision)
        ]  # fmt: skip
        assert [each.cause for each in decided] == ["calibration off"]

        def found_now() -> set[str] | None:
            checks = bench.checks
            return {each.fingerprint for each in checks.findings} if checks.sample == sample and checks.whole else None

        wait_for(lambda: found_now() is not None, what="the whole check", timeout_ms=30_000)
        turned = found_now()
        rigs = len(list(bench.session.store.records(RecordKind.RIG, sample=sample)))
        panel.correct.setFocus()
        click(panel.correct)
        assert len(list(bench.session.store.records(RecordKind.RIG, sample=sample))) == rigs + 1
        assert panel.report is None  # it was of the calibration before
        click(panel.check)
        wait_for(lambda: panel.report is not None, what="the second report", timeout_ms=30_000)
        assert "none" in panel.words.text()
        assert panel.suspects.count() == 0
        wait_for(
            lambda: (now := found_now()) is not None and now < (turned or set()),
            what="fewer findings",
            timeout_ms=30_000,
        )
        # The next key takes it back, and every finding returns.
        focus = window.focusWidget()
        assert focus is not None
        QTest.keyClick(focus, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert len(list(bench.session.store.records(RecordKind.RIG, sample=sample))) == rigs
        wait_for(lambda: found_now() == turned, what="the findings of before", timeout_ms=30_000)
