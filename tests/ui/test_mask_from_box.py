"""A mask from a box in the real window with real mouse and keys: shown first, mended, dropped or kept in one step."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from main_windows import bench_of, main_window, press
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from strict_windows import copy_of, drag, wait_for
from tests.tiny_graphs import prompt_folder
from workstation.core.annotation import Annotation, SourceKind, State
from workstation.core.geometry import Mask, ShapeKind
from workstation.ui.dialogs.carry_mask import CarryMask
from workstation.ui.main_window import MainWindow
from workstation.ui.panes.camera import CameraPane
from workstation.ui.panes.camera_view import CameraView
from workstation.ui.tools.box_mask import MaskFromBox

ALT, CTRL, SHIFT = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
LEFT = Qt.MouseButton.LeftButton
X, Y, WIDTH, HEIGHT = 300.0, 270.0, 120.0, 90.0


@pytest.fixture
def desk(
    qapp: object, demo_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[tuple[MainWindow, CameraView], None, None]:
    assert qapp is not None
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    with main_window(copy_of(demo_template, tmp_path / "drive"), checked=False) as window:
        pane = window.pane("camera")
        assert isinstance(pane, CameraPane)
        camera = next(each for each in pane.views if each.stream.key == "front_camera")
        bench_of(window).clock.seek(1_000_000_000)
        pane.enlarge(camera)
        pane.set_look(cuboids=False)
        pane.setFocus()
        wait_for(lambda: camera.frames.frame is not None and not camera.frames.pending, what="the picture")
        yield window, camera


def masks(window: MainWindow, camera: CameraView) -> list[Annotation]:
    view = bench_of(window).view
    assert view is not None
    return [each for each in view.annotations_of(camera.stream.id) if each.kind is ShapeKind.MASK]


def at(camera: CameraView, x: float, y: float) -> QPoint:
    across, down = camera.viewport.to_screen((x, y))
    return QPoint(round(across), round(down))


def shown(camera: CameraView) -> bool:
    tool = camera.tool
    return isinstance(tool, MaskFromBox) and tool.busy and "finding" not in tool.hints().text


@pytest.mark.slow
def test_a_box_becomes_a_mask_that_is_shown_then_kept_in_one_step(desk: tuple[MainWindow, CameraView]) -> None:
    window, camera = desk
    bench = bench_of(window)
    where = {
        "time_ns": camera.canvas.own_ns,
        "shape": {"kind": "box", "x": X, "y": Y, "width": WIDTH, "height": HEIGHT},
    }
    box = bench.run("track.add", stream=camera.stream.id, class_id="car", keyframes=(where,))
    assert isinstance(box, str)
    bench.selection.select((box,), cause="test")
    press(window, Qt.Key.Key_F9, CTRL | SHIFT)
    button = window.toolbar.button("tool.box_mask")
    assert button is not None
    assert button.isChecked()
    assert button.accessibleName()
    wait_for(lambda: shown(camera), what="the mask to be shown")
    assert not masks(window, camera)  # only shown

    press(window, Qt.Key.Key_Escape)
    assert not camera.tool.busy
    assert not masks(window, camera)
    assert bench.selected == (box,)  # Esc left the preview, not yet the selection

    QTest.mouseClick(camera.area, LEFT, Qt.KeyboardModifier.NoModifier, at(camera, X, Y + HEIGHT / 2))
    wait_for(lambda: shown(camera), what="the mask to be shown again")
    drag(camera.area, at(camera, X + 40, Y + 45), at(camera, X + 80, Y + 45))  # this too
    wait_for(lambda: shown(camera), what="the plus stroke to be heard")
    QTest.mousePress(camera.area, LEFT, ALT, at(camera, X + 10, Y + 10))  # not this
    QTest.mouseMove(camera.area, at(camera, X + 20, Y + 10))
    QTest.mouseRelease(camera.area, LEFT, ALT, at(camera, X + 30, Y + 10))
    wait_for(lambda: shown(camera), what="the minus stroke to be heard")
    press(window, Qt.Key.Key_Return)

    (mask,) = masks(window, camera)
    view = bench.view
    assert view is not None
    assert mask.entity == view.annotations[box].entity
    assert mask.source.kind is SourceKind.PERSON
    assert mask.source.parameters == {"tool": "mask from box: GrabCut", "plus_strokes": 1, "minus_strokes": 1}
    assert bench.selected == (mask.id,)
    (keyframe,) = view.keyframes(mask.id)
    shape = keyframe.shape
    assert isinstance(shape, Mask)
    assert shape.x >= X
    assert shape.y >= Y
    assert shape.x + shape.width <= X + WIDTH
    assert shape.y + shape.height <= Y + HEIGHT
    pixels = camera.canvas.mask_of(mask.id)
    assert pixels is not None
    assert pixels.inside[int(Y + 45) - pixels.y, int(X + 60) - pixels.x]  # under the plus stroke
    row, column = int(Y + 10) - pixels.y, int(X + 20) - pixels.x
    assert row < 0 or column < 0 or not pixels.inside[row, column]  # under the minus stroke

    carried = carry_on(window, mask)
    assert [each.time_ns for each in view.keyframes(carried.id)] == later(camera, 3)
    assert (carried.state, carried.entity) == (State.PROPOSED, mask.entity)
    assert carried.source.name == "optical flow"
    press(window, Qt.Key.Key_Z, CTRL)
    assert [each.id for each in masks(window, camera)] == [mask.id]

    press(window, Qt.Key.Key_Z, CTRL)
    assert not masks(window, camera)
    assert box in view.annotations

    pulled = camera.viewport.to_screen((500.0, 300.0)), camera.viewport.to_screen((620.0, 380.0))
    drag(camera.area, *(QPoint(round(x), round(y)) for x, y in pulled))  # a box where none is labelled
    wait_for(lambda: shown(camera), what="the mask of the pulled box")
    press(window, Qt.Key.Key_Return)
    assert bench.hand.waiting  # for what it is
    assert not masks(window, camera)
    assert bench.hand.say_class("car")
    (drawn,) = masks(window, camera)
    assert drawn.entity not in (None, view.annotations[box].entity)
    assert drawn.source.parameters["tool"] == "mask from box: GrabCut"
    click_alone(window)


def click_alone(window: MainWindow) -> None:
    """Another camera finds its model when its first mask is asked for: one of the SAM class, brought just now."""
    pane, bench = window.pane("camera"), bench_of(window)
    assert isinstance(pane, CameraPane)
    prompt_folder(Path(os.environ["WORKSTATION_HOME"]) / "models" / "tiny-sam")
    other = next(each for each in pane.views if each.stream.key != "front_camera")
    pane.enlarge(other)
    wait_for(lambda: other.frames.frame is not None and not other.frames.pending, what="the other picture")
    bench.selection.select((), cause="test")
    bench.hand.set_class("car")
    wait_for(lambda: isinstance(other.tool, MaskFromBox) and not other.tool.busy, what="the tool")
    QTest.mouseClick(other.area, LEFT, CTRL, at(other, 480, 270))
    wait_for(lambda: shown(other), what="the mask of the click")
    assert other.tool.hints().text.startswith("tiny-sam · Enter keeps")
    press(window, Qt.Key.Key_Return)
    (made,) = masks(window, other)
    assert made.source.parameters["tool"] == "mask from prompts: tiny-sam"
    assert made.source.parameters["plus_strokes"] == 1
    assert str(made.source.parameters["device"]).startswith("CPU, ")
    pixels = other.canvas.mask_of(made.id)
    assert pixels is not None
    near = np.argwhere(pixels.inside) - np.array([270 - pixels.y, 480 - pixels.x])
    assert np.abs(near).max(axis=1).min() <= 15  # a pixel of the tiny model is fifteen of the picture


def carry_on(window: MainWindow, mask: Annotation) -> Annotation:
    """Over five pictures, of which three are kept."""
    window.perform("track.carry_mask")
    (sheet,) = [each for each in window.findChildren(CarryMask) if each.isVisible()]
    sheet.count.setValue(5)
    QTest.mouseClick(sheet.carry_button, LEFT)
    wait_for(lambda: sheet.strip.count() == 5, what="the mask on five pictures")
    assert not sheet.strip.item(0).icon().isNull()
    QTest.mouseClick(sheet.strip.viewport(), LEFT, pos=sheet.strip.visualItemRect(sheet.strip.item(2)).center())
    assert sheet.keep_button.text() == "Propose on 3 pictures"
    keep_picture(sheet)
    QTest.mouseClick(sheet.keep_button, LEFT)
    view = bench_of(window).view
    assert view is not None
    (made,) = [each for each in view.annotations.values() if each.source.name == "optical flow"]
    assert bench_of(window).selected == (made.id,)
    return made


def later(camera: CameraView, count: int) -> list[int]:
    """The times of the next pictures."""
    feed, item = camera.frames.feed, camera.canvas.item
    assert feed is not None
    assert feed.table is not None
    assert item is not None
    return [int(each) for each in feed.table.times_ns[item + 1 : item + 1 + count]]


def keep_picture(shown: QWidget) -> None:
    """For who wants to look at it."""
    folder = os.environ.get("WORKSTATION_STORY_PICTURES")
    if folder:
        shown.grab().save(str(Path(folder) / f"{shown.objectName()}.png"))
