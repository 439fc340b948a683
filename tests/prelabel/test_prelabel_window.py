"""A model taken from the disk to proposals in the window: proved, its classes said, run as a job, reviewed.

The model is a tiny graph that finds what is bright; what is bright was drawn by the test.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QPushButton

from strict_windows import let_work, wait_for
from tests.tiny_graphs import bright_box, logarithm, model_folder
from workstation.app.models import models_shelf
from workstation.app.opening import new_project
from workstation.cli.main import main
from workstation.core.annotation import State
from workstation.core.rights import ActorKind
from workstation.ui.dialogs.add_model import AddModel
from workstation.ui.dialogs.predictions import ImportPredictions
from workstation.ui.dialogs.prelabel import ClassMapSheet, Prelabel
from workstation.ui.dialogs.try_model import TryModel
from workstation.ui.main_window import MainWindow
from workstation.ui.panels.models import ModelsPanel
from workstation.ui.panels.samples import SamplesPanel

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bright_family", "models_home")]
COUNT = 12
ONTOLOGY = """
version: 1
name: bright things
language: en
modalities: [video]
shapes: {video: [box]}
classes:
  lamp: {name: Lamp}
  mood: {name: Mood, proposals: false}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Twelve frames; the bright thing goes one pixel to the right in each."""
    (tmp_path / "o.yaml").write_text(ONTOLOGY)
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(COUNT):
        pixels = np.zeros((48, 64, 3), np.uint8)
        pixels[10:20, number : number + 8] = 255
        Image.fromarray(pixels).save(frames / f"f_{number:02}.png")
    folder = new_project(tmp_path / "p", ontology=str(tmp_path / "o.yaml"), in_force=True, person="ann")
    files = [str(each) for each in sorted(frames.iterdir())]
    assert main(["add", str(folder), *files, "--sample", "s", "--stream", "front", "--kind", "video"]) == 0
    return folder


@pytest.fixture
def window(qapp: QApplication, project: Path) -> Generator[MainWindow, None, None]:
    assert qapp is not None
    made = MainWindow()
    made.resize(1400, 900)
    made.show()
    assert QTest.qWaitForWindowExposed(made)
    try:
        assert made.open_project(project)
        wait_for(lambda: not made.jobs.running(), what="the jobs of opening")
        yield made
    finally:
        made.close()
        made.deleteLater()
        QApplication.sendPostedEvents()


def keep(window: MainWindow, name: str) -> None:
    folder = os.environ.get("WORKSTATION_STORY_PICTURES")
    if folder:
        let_work(300)
        dialogs = [each for each in window.findChildren(QDialog) if each.isVisible()]
        (dialogs[-1] if dialogs else window).grab().save(str(Path(folder) / f"{name}.png"))


def dialog(window: MainWindow, kind: type[QDialog]) -> QDialog:
    (found,) = [each for each in window.findChildren(kind) if each.isVisible()]
    return found


def test_from_a_file_to_reviewed_proposals(window: MainWindow, tmp_path: Path) -> None:
    assert window.opened is not None
    bench = window.opened.bench
    window.show_pane("models")
    panel = window.pane("models")
    assert isinstance(panel, ModelsPanel)
    folder = model_folder(tmp_path / "model", bright_box(), extra="runtime: {batch: 4}\n")
    manifest = folder / "model.yaml"
    manifest.write_text(manifest.read_text().replace("labels: [bright]", "labels: [bright, dim]"))
    panel.add_from(folder)

    def cells() -> list[str]:
        return next(([cell.text for cell in row.cells] for row in panel.model.rows if row.key == "bright"), [])

    wait_for(lambda: bool(cells()), what="the model on the list")
    assert cells()[0] == "bright  (2 labels without a class)"
    assert cells()[1] == "not proved yet"
    QTest.mouseClick(panel.prove_button, Qt.MouseButton.LeftButton)
    wait_for(lambda: cells()[1].startswith("CPU, "), what="the verdict")
    assert " ms" in cells()[1]
    assert "bright runs on CPU, " in panel.words.toPlainText()
    assert panel.words.isVisible()
    try_it(window, panel)

    window.perform("prelabel.run")
    asked = dialog(window, Prelabel)
    assert isinstance(asked, Prelabel)
    asked.frames.setValue(7)
    keep(window, "prelabel_dialog")
    QTest.mouseClick(asked.start_button, Qt.MouseButton.LeftButton)
    assert not window.jobs.running()  # what its labels mean was never said for this ontology: that is asked first
    sheet = dialog(window, ClassMapSheet)
    assert isinstance(sheet, ClassMapSheet)
    assert sheet.words is not None
    assert sheet.words.text() == "bright: 2 labels have no class and will be left out: bright, dim."
    box = sheet.choices["bright"]
    assert [box.itemText(each) for each in range(box.count())] == ["– left out –", "Lamp"]  # Mood takes no proposals
    assert box.currentData() == ""  # nothing is guessed
    box.setCurrentIndex(1)
    assert sheet.words.text() == "bright: One label has no class and will be left out: dim."
    keep(window, "class_map")
    QTest.mouseClick(sheet.findChild(QPushButton, "dialog_class_map_keep"), Qt.MouseButton.LeftButton)
    assert window.jobs.running()
    assert not [each for each in window.findChildren(QDialog) if each.isVisible()]
    wait_for(lambda: not window.jobs.running(), what="the job")
    assert bench.view is not None
    assert len(bench.view.annotations) == COUNT, window.status.said
    assert {each.state for each in bench.view.annotations.values()} == {State.PROPOSED}
    assert f"{COUNT} proposed on CPU" in window.status.said
    panel.refresh()
    keep(window, "models")

    window.perform("proposal.accept_listed")
    (ask,) = [each for each in window.findChildren(QDialog) if each.isVisible()]
    keep(window, "accept_proposals")
    QTest.mouseClick(ask.findChild(QPushButton, "dialog_accept_proposals_accept"), Qt.MouseButton.LeftButton)
    assert {each.state for each in bench.view.annotations.values()} == {State.DONE}
    window.perform("edit.undo")
    assert {each.state for each in bench.view.annotations.values()} == {State.PROPOSED}
    window.perform("prelabel.run")
    again = dialog(window, Prelabel)
    assert isinstance(again, Prelabel)
    assert again.frames.value() == 7  # it begins where it was left
    QTest.mouseClick(again.start_button, Qt.MouseButton.LeftButton)
    assert not [each for each in window.findChildren(QDialog) if each.isVisible()]  # it was asked once
    wait_for(lambda: not window.jobs.running(), what="the job that finds all done")
    bring_predictions(window, tmp_path / "elsewhere.jsonl")
    walk_what_is_disputed(window)


def try_it(window: MainWindow, panel: ModelsPanel) -> None:
    """On the picture that is shown: the bright thing, before any class was said for it."""
    panel.table.selectRow([row.key for row in panel.model.rows].index("bright"))
    window.perform("models.try")
    sheet = dialog(window, TryModel)
    assert isinstance(sheet, TryModel)
    wait_for(lambda: sheet.table.rowCount() == 1, what="what it finds")
    assert [sheet.table.item(0, column).text() for column in range(3)] == ["bright", "1.00", "– left out –"]
    assert sheet.words is not None
    assert sheet.words.text().startswith("It found 1 thing in ")
    keep(window, "try_model")
    QTest.keyClick(sheet, Qt.Key.Key_Escape)


def walk_what_is_disputed(window: MainWindow) -> None:
    """A person labels what no model saw, and the sample stands in the queue with what stands alone in it."""
    assert window.opened is not None
    bench = window.opened.bench
    assert bench.view is not None
    first = min(each.start_ns or 0 for each in bench.view.annotations.values())
    mine = bench.run(
        "annotation.add", stream="front", class_id="lamp", state="done", start_ns=first, end_ns=first,
        shape={"kind": "box", "x": 2, "y": 30, "width": 12, "height": 12},
    )  # fmt: skip
    window.show_pane("samples")
    panel = window.pane("samples")
    assert isinstance(panel, SamplesPanel)
    panel.set_choice("queue", "disputed")
    wait_for(lambda: bool(panel.pages.rows) and "%" in panel.pages.rows[0].cells[0].text, what="the queue")
    (row,) = panel.pages.rows
    assert "disagree on 17 of 17 claims" in row.cells[0].tip  # twelve that are bright, four from elsewhere, and mine
    panel.open_row(row)
    walked = []
    for _ in range(17):
        walked += bench.selected
        panel.next_claim()
    assert sorted(walked) == sorted(bench.view.annotations)
    assert walked[-1] == mine  # no model is sure of it
    keep(window, "disputed")
    panel.set_choice("queue", "")
    wait_for(lambda: panel.pages.rows[0].cells[0].text == "s", what="all samples")


def bring_predictions(window: MainWindow, file: Path) -> None:
    """Of a file with a header, three that are good, one of a class nobody knows and one that is broken."""
    assert window.opened is not None
    bench = window.opened.bench
    rows: list[dict[str, object]] = [{"model": {"name": "elsewhere", "version": "7"}}]
    rows += [{"class": "Lamp", "score": 0.8, "frame": at, "box": [40, 20, 10, 10]} for at in (1, 2, 3)]
    rows += [{"class": "bulb", "score": 0.6, "frame": 4, "box": [40, 20, 10, 10]}]
    rows += [{"class": "Lamp", "score": 7, "frame": 4, "box": [40, 20, 10, 10]}]
    file.write_text("\n".join(json.dumps(each) for each in rows))
    window.perform("predictions.import")
    sheet = dialog(window, ImportPredictions)
    assert isinstance(sheet, ImportPredictions)
    sheet.take_file(str(file))
    wait_for(lambda: sheet.propose_button.isEnabled(), what="the file looked through")
    assert sheet.propose_button.text() == "Propose 3"
    lines = [[sheet.lines.item(row, column).text() for column in range(5)] for row in range(sheet.lines.rowCount())]
    assert lines == [["s", "front", "Lamp", "3", "0.80"]]
    assert "elsewhere.jsonl, line 6" in sheet.left.item(0).text()
    box = sheet.unmapped.cellWidget(0, 2)
    assert isinstance(box, QComboBox)
    box.setCurrentIndex(1)
    box.activated.emit(1)
    wait_for(lambda: sheet.propose_button.text() == "Propose 4", what="the file looked through again")
    keep(window, "import_predictions")
    QTest.mouseClick(sheet.propose_button, Qt.MouseButton.LeftButton)
    wait_for(lambda: "4 predictions of elsewhere.jsonl are proposed" in window.status.said, what="the predictions")
    assert bench.view is not None
    came = [each for each in bench.view.annotations.values() if each.source.name == "elsewhere"]
    assert [(each.state, each.source.version) for each in came] == [(State.PROPOSED, "7")] * 4
    last = bench.session.store.head()
    assert bench.session.store.revision(last).header.actor.kind is ActorKind.MODEL


def test_a_model_that_cannot_run_leaves_the_window_and_says_why(window: MainWindow, tmp_path: Path) -> None:
    window.show_pane("models")
    panel = window.pane("models")
    assert isinstance(panel, ModelsPanel)
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"no graph at all")
    panel.add_from(bad)
    wait_for(lambda: not window.jobs.running(), what="the job")
    wait_for(lambda: "bad.onnx" in window.status.said, what="the reason")
    assert "bad.onnx" in panel.words.toPlainText()  # and there it stays
    assert not [row for row in panel.model.rows if row.key == "bad"]
    # Chosen by hand it is shown before: what is recognised, and what is asked where it is not.
    (tmp_path / "log.onnx").write_bytes(logarithm())
    (tmp_path / "My Lamp.onnx").write_bytes(bright_box({"names": "{0: 'lamp'}"}))
    window.perform("models.add")
    asked = dialog(window, AddModel)
    assert isinstance(asked, AddModel)
    assert asked.words is not None
    assert not asked.add_button.isEnabled()
    asked.file_chosen(str(bad))
    assert "not an ONNX model" in asked.words.text()
    asked.file_chosen(str(tmp_path / "log.onnx"))
    assert asked.words.text() == "Not recognised: in: x ['n']; out: y ['n']."
    assert not asked.add_button.isEnabled()
    asked.family.setCurrentIndex(asked.family.findData("yolo-v8"))
    assert asked.add_button.isEnabled()
    asked.file_chosen(str(tmp_path / "My Lamp.onnx"))
    assert asked.family.currentData() == "bright-box"
    assert asked.classes.text() == "1 class…"
    keep(window, "add_model_dialog")
    QTest.mouseClick(asked.add_button, Qt.MouseButton.LeftButton)
    wait_for(lambda: any(row.key == "my-lamp" for row in panel.model.rows), what="the model on the list")
    assert models_shelf().find("my-lamp").manifest.labels == ("lamp",)
