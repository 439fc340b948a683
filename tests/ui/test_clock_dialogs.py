"""The dialogs about clocks: limits for all work or one profile as one step, offsets of all samples as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from main_windows import bench_of, main_window
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QPushButton

from strict_windows import wait_for
from workstation.app.opening import new_project, open_project
from workstation.core.sample import Project
from workstation.ui.dialogs.limits import Limits
from workstation.ui.dialogs.offsets import Offsets
from workstation.ui.main_window import MainWindow

_S = 1_000_000_000
_LATE_MS = (21, 19, 22, 18, 20)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five samples in which the same thing is heard about 20 ms after it is seen: none fails by itself."""
    folder = new_project(tmp_path_factory.mktemp("late") / "late", profile="driving", person="Ana")
    with open_project(folder, kind="person", role="lead") as session:
        for number, late_ms in enumerate(_LATE_MS):
            key = f"s{number}"
            session.run("sample.add", key=key)
            for name, kind in (("front", "video"), ("mic", "audio")):
                session.run("stream.add", sample=key, key=name, kind=kind)
            session.open_sample(key)
            span = {"kind": "span", "sample": key, "state": "done"}
            seen = session.run("annotation.add", stream="front", class_id="braking", start_ns=_S, end_ns=2 * _S, **span)
            heard_ns = _S + late_ms * 1_000_000
            heard = session.run(
                "annotation.add", stream="mic", class_id="tyre_squeal", start_ns=heard_ns, end_ns=2 * _S, **span
            )
            session.run("link.add", sample=key, type_id="coincides_with", ends={"item": [seen, heard]})
    return folder


@pytest.fixture(scope="module")
def window(qapp: QApplication, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    assert qapp is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(tmp_path_factory.mktemp("home")))
        with main_window(project) as made:
            yield made


def opened(window: MainWindow, action: str) -> QDialog:
    window.perform(action)
    (found,) = [each for each in window.findChildren(QDialog) if each.isVisible()]
    return found


def press(dialog: QDialog, name: str) -> None:
    button = dialog.findChild(QPushButton, f"{dialog.objectName()}_{name}")
    assert button is not None
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_limits_are_set_for_all_work_or_one_profile_as_one_step(window: MainWindow) -> None:
    store = bench_of(window).session.store
    before = store.project()
    assert isinstance(before, Project)
    dialog = opened(window, "sync.limits")
    assert isinstance(dialog, Limits)
    dialog.exact.setValue(0.3)
    assert "0.3 m leave 18 ms at 60 km/h and 216 ms at 5 km/h" in dialog._said.text()
    dialog.boxes["clock_ms"].setValue(18)
    dialog.profile.setCurrentIndex(dialog.profile.findData("driving"))
    assert dialog.boxes["clock_ms"].text() == "18 ms, as usual"  # what holds for all holds here
    dialog.boxes["video_sound_ms"].setValue(80)
    assert dict(before.tolerances) == dict(getattr(store.project(), "tolerances", {}))  # nothing before it is done
    press(dialog, "do")
    said = {"distance_m": 0.3, "clock_ms": 18.0, "video_sound_ms:driving": 80.0}
    assert said.items() <= dict(getattr(store.project(), "tolerances", {})).items()
    bench_of(window).session.undo()
    assert dict(getattr(store.project(), "tolerances", {})) == dict(before.tolerances)


def test_a_lateness_that_all_samples_share_is_seen_though_none_fails(window: MainWindow) -> None:
    """SYNC-16 in the window: the mean of five samples that are each far below the limit."""
    dialog = opened(window, "sync.offsets")
    assert isinstance(dialog, Offsets)
    wait_for(lambda: dialog.table.rowCount() == len(_LATE_MS), what="the offsets")
    assert dialog.words is not None
    assert "sound is 20.0 ms late on average" in dialog.words.text()
    assert "Systematic" in dialog.words.text()
    rows = [(dialog.table.item(row, 0), dialog.table.item(row, 1)) for row in range(len(_LATE_MS))]
    assert [each.text() for _, each in rows if each is not None] == [f"+{each:.1f} ms" for each in (22, 21, 20, 19, 18)]
    assert dialog.bars.spread is not None
    assert dialog.bars.x_of(0) < dialog.bars.x_of(18) < dialog.bars.x_of(dialog.bars.spread.mean_ms)
    first = dialog.table.item(0, 0)
    assert first is not None
    dialog.table.itemActivated.emit(first)
    view = bench_of(window).view
    assert view is not None
    assert view.sample.key == "s2"
