"""Proposals, things and cuboids from boxes in the real main window, on the real drive, by keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from main_windows import bench_of, main_window, press
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QListWidget, QPushButton, QTreeWidget

from strict_turn import iou_3d
from strict_windows import wait_for
from workstation.app.adopting import onlookers, seen_at
from workstation.core.annotation import Annotation, State
from workstation.core.geometry import Cuboid, ShapeKind
from workstation.ui.class_keys import give_class
from workstation.ui.dialogs.entities import MergeThings, SplitThing
from workstation.ui.panes.cloud import CloudPane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QDialog

    from workstation.ui.main_window import MainWindow
    from workstation.ui.workbench import Workbench

NOW_NS = 4_000_000_000


@pytest.fixture(scope="module")
def window(qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    """The real drive at four seconds, with a car of the front camera labelled there as a thing of its own."""
    from strict_windows import copy_of

    assert qapp is not None
    folder = copy_of(demo_template, tmp_path_factory.mktemp("things") / "drive")
    with main_window(folder, checked=False) as opened:
        bench_of(opened).clock.seek(NOW_NS)
        yield opened


@pytest.fixture(scope="module")
def boxed(window: MainWindow) -> tuple[str, str]:
    """A cuboid of a car ahead, and the box around it in a camera, which shows a thing of its own."""
    bench = bench_of(window)
    view, placed, readers = bench.view, bench.placed, bench.readers
    assert view is not None
    assert placed is not None
    assert readers is not None
    cameras = [each for each in onlookers(view, readers, placed) if each.stream.key == "front_camera"]
    for seen in placed.projected(cameras[0].camera, NOW_NS):
        box = placed.box_of(cameras[0].camera, NOW_NS, seen)
        here = seen_at(placed, cameras[0], seen.annotation, NOW_NS)
        if box is None or here is None or box.clipped or seen.occluded or not 8 < seen.depth_m < 20:
            continue
        if view.class_of(view.annotations[seen.annotation]) == "car" and box.right - box.left > 60:
            bench.run("cuboid.adopt_boxes", cuboid=seen.annotation, stream=cameras[0].stream.id,
                      boxes=[here.as_moment()], whole=False)  # fmt: skip
            found = [each for each in view.annotations.values() if each.kind is ShapeKind.BOX]
            bench.run("entity.split", annotations=[found[-1].id])
            return seen.annotation, found[-1].id
    pytest.fail("no car stands free before the front camera")


def dialog(window: MainWindow, name: str) -> QDialog:
    wait_for(lambda: _dialog(window, name) is not None, what=name)
    found = _dialog(window, name)
    assert found is not None
    return found


def _dialog(window: MainWindow, name: str) -> QDialog | None:
    from workstation.ui.dialogs.sheet import Sheet

    return next((each for each in window.findChildren(Sheet) if each.objectName() == name and each.isVisible()), None)


def record(bench: Workbench, label: str) -> Annotation:
    assert bench.view is not None
    return bench.view.annotations[label]


@pytest.mark.slow
def test_a_proposal_is_accepted_in_the_list_by_enter_and_makes_one_thing(
    window: MainWindow, boxed: tuple[str, str]
) -> None:  # fmt: skip
    bench, (cuboid, box) = bench_of(window), boxed
    view = bench.view
    assert view is not None
    assert record(bench, box).entity != record(bench, cuboid).entity
    before = set(view.links)
    window.perform("link.suggest")
    wait_for(lambda: not window.jobs.running() and bool(set(view.links) - before), what="proposals")
    made = [view.links[each] for each in set(view.links) - before]
    (link,) = [each for each in made if {end.target for end in each.ends} == {cuboid, box}]
    assert link.state is State.PROPOSED
    assert "projects onto the label in front_camera" in link.rationale
    assert record(bench, box).entity != record(bench, cuboid).entity
    bench.select([link.id], cause="window")
    panel = window.pane("links")
    assert panel is not None
    panel.setFocus()
    wait_for(lambda: bool(panel.table.selected_rows()), what="the row")  # type: ignore[attr-defined]
    press(window, Qt.Key.Key_Return)
    assert view.links[link.id].state is State.DONE
    assert record(bench, box).entity == record(bench, cuboid).entity
    window.perform("edit.undo")
    assert view.links[link.id].state is State.PROPOSED
    assert record(bench, box).entity != record(bench, cuboid).entity
    bench.select([link.id], cause="window")
    press(window, Qt.Key.Key_Backspace)
    assert view.links[link.id].state is State.REJECTED
    count = len(view.links)
    window.perform("link.suggest")
    wait_for(lambda: not window.jobs.running(), what="rules")
    wait_for(lambda: "rejected already" in window.status.said, what="the sentence")
    assert len(view.links) == count


@pytest.mark.slow
def test_a_cuboid_from_the_box_is_shown_first_and_lies_on_the_labelled_one(
    window: MainWindow, boxed: tuple[str, str]
) -> None:  # fmt: skip
    """The box shows a thing that has no cuboid; the one a person labelled there is the truth."""
    bench, (cuboid, box) = bench_of(window), boxed
    view, placed = bench.view, bench.placed
    assert view is not None
    assert placed is not None
    window.show_pane("cloud")
    pane = window.pane("cloud")
    assert isinstance(pane, CloudPane)
    wait_for(lambda: pane.work is not None and pane.work.shown is not None and len(pane.work.points()) > 1000, what="s")
    bench.select([box], cause="window")
    before = dict(view.annotations)
    window.perform("cuboid.from_box")
    assert bench.hand.waiting, window.status.said
    assert "new" in bench.previews.shapes
    assert "Enter keeps it" in window.status.said
    assert view.annotations.keys() == before.keys()
    press(window, Qt.Key.Key_Escape)
    assert not bench.hand.waiting
    assert not bench.previews.shapes
    assert view.annotations.keys() == before.keys()
    bench.select([box], cause="window")
    window.perform("cuboid.from_box")
    window.show_pane("camera")
    press(window, Qt.Key.Key_Return)
    (made,) = view.annotations.keys() - before.keys()
    assert record(bench, made).entity == record(bench, box).entity
    assert any({end.target for end in link.ends} == {box, made} for link in view.links_of(made))
    shown = pane.work
    assert shown is not None
    assert shown.shown is not None
    now_ns = shown.shown.session_ns
    here, truth = placed.placed(made, now_ns), placed.placed(cuboid, now_ns)
    assert here is not None
    assert truth is not None
    assert _shifted_iou(here[0], truth[0]) > 0.5
    window.perform("edit.undo")
    assert made not in view.annotations


def _shifted_iou(first: Cuboid, second: Cuboid) -> float:
    """About the second's middle: shapely loses digits at map coordinates."""
    off = np.array(second.center)
    moved = [
        Cuboid(tuple((np.array(each.center) - off).tolist()), each.size, each.rotation) for each in (first, second)
    ]
    return iou_3d(moved[0], moved[1])


@pytest.mark.slow
def test_merging_and_splitting_show_first_what_goes_where(window: MainWindow, boxed: tuple[str, str]) -> None:
    bench, (cuboid, box) = bench_of(window), boxed
    view = bench.view
    assert view is not None
    one, other = record(bench, cuboid).entity, record(bench, box).entity
    assert one is not None
    assert other is not None
    bench.select([one, other], cause="window")
    window.perform("entity.merge")
    sheet = dialog(window, "dialog_merge")
    assert isinstance(sheet, MergeThings)
    stays, goes = (sheet.findChild(QComboBox, name) for name in ("merge_stays", "merge_goes"))
    assert (stays.currentData(), goes.currentData()) == (one, other)
    tree = sheet.findChild(QTreeWidget, "dialog_merge_changes") or sheet.changes
    titles = [tree.topLevelItem(row).text(0) for row in range(tree.topLevelItemCount())]
    assert titles[0].startswith("Labels (")
    assert other in view.entities  # nothing is stored yet
    sheet.findChild(QPushButton, "dialog_merge_do").click()
    assert other not in view.entities
    assert record(bench, box).entity == one

    bench.select([box], cause="window")
    window.perform("entity.split")
    part = dialog(window, "dialog_split")
    assert isinstance(part, SplitThing)
    listed = part.findChild(QListWidget, "split_labels")
    assert [each.text().startswith("box") for each in listed.selectedItems()] == [True]
    listed.clearSelection()
    assert not part.findChild(QPushButton, "dialog_split_do").isEnabled()
    part.reject()
    assert record(bench, box).entity == one
    window.perform("edit.undo")
    assert record(bench, box).entity == other


@pytest.mark.slow
def test_a_new_thing_is_made_of_what_is_selected_and_labels_leave_it_by_a_key(
    window: MainWindow, boxed: tuple[str, str]
) -> None:  # fmt: skip
    bench, (_, box) = bench_of(window), boxed
    view = bench.view
    assert view is not None
    held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    window.show_pane("timeline")
    bench.select([box], cause="window")
    press(window, Qt.Key.Key_E, held)
    assert record(bench, box).entity is None
    assert record(bench, box).class_id == "car"
    things = set(view.entities)
    press(window, Qt.Key.Key_N, held)
    (made,) = set(view.entities) - things
    assert record(bench, box).entity == made
    window.perform("edit.undo")
    window.perform("edit.undo")
    assert record(bench, box).entity not in (None, made)


@pytest.mark.slow
def test_a_class_key_settles_a_conflict_for_all_labels_of_a_thing(window: MainWindow, boxed: tuple[str, str]) -> None:
    """VAL-12."""
    bench, (cuboid, _) = bench_of(window), boxed
    view = bench.view
    assert view is not None
    bench.run("annotation.relabel", annotations=[cuboid], class_id="van", here=True)
    assert record(bench, cuboid).class_id == "van"
    bench.select([cuboid], cause="window")
    give_class(bench, "truck")
    assert record(bench, cuboid).class_id is None
    thing = record(bench, cuboid).entity
    assert thing is not None
    assert {view.class_of(each) for each in view.annotations_of_entity(thing)} == {"truck"}
    window.perform("edit.undo")
    assert record(bench, cuboid).class_id == "van"
    window.perform("edit.undo")
