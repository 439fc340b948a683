"""The volume pane on volumes of many kinds: what is painted, said and refused."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from strict_windows import show, wait_for
from workstation.app.opening import new_project, open_project
from workstation.store.media_files import record_file
from workstation.synth.ct import CtOptions, write_series
from workstation.ui.panes.camera import CameraPane
from workstation.ui.panes.volume import VolumePane
from workstation.ui.panes.volume_view import PlaneView
from workstation.ui.workbench import Workbench

OPTIONS = CtOptions(size=40, slices=20, spacing_mm=8.0, slice_mm=11.0)
Open = Callable[..., Workbench]


def series(folder: Path, options: CtOptions = OPTIONS, change: Callable[[pydicom.Dataset, int], None] | None = None
           ) -> list[Path]:  # fmt: skip
    write_series(folder, options, 2)
    paths = sorted(folder.glob("*.dcm"))
    for number, path in enumerate(paths):
        if change is not None:
            file = pydicom.dcmread(path)
            change(file, number)
            file.save_as(path, enforce_file_format=True)
    return paths


@pytest.fixture
def opened(qapp: QApplication, tmp_path: Path) -> Generator[Open, None, None]:
    """Opens files as the only stream of a project's sample."""
    assert qapp is not None
    benches = []
    sessions = []

    def open_files(files: list[Path], *, kind: str = "volume") -> Workbench:
        project = new_project(tmp_path / "scan", name="scan", person="somebody", in_force=True)
        session = open_project(project, kind="person", role="lead").__enter__()
        sessions.append(session)
        copies = []
        for path in files:
            session.project.media_folder.mkdir(exist_ok=True)
            copies.append(session.project.media_folder / path.name)
            shutil.copy2(path, copies[-1])
        session.run("sample.add", key="scan")
        records = tuple(record_file(session.project.path, path) for path in copies)
        session.run("stream.add", sample="scan", key="series", kind=kind, files=records)
        bench = Workbench(session)
        benches.append(bench)
        assert bench.open_sample("scan")
        return bench

    yield open_files
    for bench in benches:
        bench.close()
    for session in sessions:
        session.__exit__(None, None, None)


@pytest.fixture
def pane(qapp: QApplication) -> Generator[VolumePane, None, None]:
    assert qapp is not None
    made = VolumePane()
    show(made, 900, 560)
    yield made
    made.unbind()
    made.hide()
    made.deleteLater()


def bound(pane: VolumePane, bench: Workbench) -> VolumePane:
    pane.bind(bench)
    wait_for(pane.settled, what="the slices")
    QApplication.processEvents()
    return pane


def plane(pane: VolumePane, name: str) -> PlaneView:
    return next(each for each in pane.views if each.name == name)


def greys(view: PlaneView) -> np.ndarray:
    image = view.area.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width()].copy()


def test_every_plane_shows_the_body_as_wide_and_high_as_it_is(opened: Open, pane: VolumePane, tmp_path: Path) -> None:
    """Without the fat under its skin the body is 286 × 196 mm, and it goes through all slices: 20 of 11 mm."""
    bound(pane, opened(series(tmp_path / "s")))
    pane.set_look(cross_hair=False, overlays=False)
    pane.choose_window(pane.volumes[0].windows[1])
    wait_for(lambda: all(each.cut and each.cut.window.name == "SOFT" for each in pane.views), what="the window")
    for name, across, down in (("axial", 286.0, 196.0), ("coronal", 286.0, 220.0), ("sagittal", 196.0, 220.0)):
        view = plane(pane, name)
        QTest.mouseMove(view.area, QPoint(1, 1))
        picture = greys(view)[24:-24, 24:-24] > 100
        found = np.ptp(np.flatnonzero(picture.any(0))) + 1, np.ptp(np.flatnonzero(picture.any(1))) + 1
        per_mm = view.viewport.per_mm
        assert found[0] / per_mm == pytest.approx(across, abs=12), name
        assert found[1] / per_mm == pytest.approx(down, abs=14), name


def test_what_an_inverted_or_lost_slice_looks_like(opened: Open, pane: VolumePane, tmp_path: Path) -> None:
    paths = series(tmp_path / "s")
    bound(pane, opened([path for number, path in enumerate(paths) if number != 8]))
    view = plane(pane, "axial")
    pane.go_to(pane.volumes[0], pane.volumes[0].on_slice(view.name, 8))
    wait_for(lambda: view.painted_index == 8, what="the lost slice")
    assert view.header.said[1] == "slice 9 / 20", "the others keep their places"
    assert view.cut is not None
    assert view.cut.slab.known is not None
    assert not view.cut.slab.known.any()
    assert view.canvas.instance is None, "nothing can be bound to an image that is not there"


def test_a_single_slice_is_a_volume_of_one(opened: Open, pane: VolumePane, tmp_path: Path) -> None:
    bound(pane, opened(series(tmp_path / "s")[9:10]))
    view = plane(pane, "axial")
    assert view.header.said[1] == "slice 1 / 1"
    assert greys(view).std() > 5
    pane.focus(view)
    pane.step_time(5)
    assert view.header.said[1] == "slice 1 / 1"


def test_a_volume_in_one_file_binds_marks_to_its_frames(opened: Open, pane: VolumePane, tmp_path: Path) -> None:
    bound(pane, opened([enhanced(tmp_path / "enhanced.dcm")]))
    view = plane(pane, "axial")
    assert view.header.said[1] == "slice 2 / 3"
    assert view.canvas.instance == "1.2.3.4.5/2"
    assert view.plane.spacing_mm == pytest.approx((2.0, 3.0, 4.0))


def enhanced(path: Path) -> Path:
    """Three slices with places of their own in one file, rows 3 mm apart."""
    file = pydicom.dcmread(series(path.parent / "seed")[0])
    rows, columns = 12, 16
    file.NumberOfFrames, file.Rows, file.Columns = 3, rows, columns
    file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID("1.2.3.4.5")
    shared, places = pydicom.Dataset(), []
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [pydicom.Dataset()], [pydicom.Dataset()]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence[0].PixelSpacing = [3.0, 2.0]
    for number in range(3):
        place = pydicom.Dataset()
        place.PlanePositionSequence = [pydicom.Dataset()]
        place.PlanePositionSequence[0].ImagePositionPatient = [-16, -18, 4 * number]
        places.append(place)
    file.SharedFunctionalGroupsSequence, file.PerFrameFunctionalGroupsSequence = [shared], places
    file.PixelData = np.arange(3 * rows * columns, dtype="<i2").tobytes()
    file.save_as(path, enforce_file_format=True)
    return path


def test_a_file_that_is_cut_off_says_so_and_the_pane_lives(opened: Open, pane: VolumePane, tmp_path: Path) -> None:
    paths = series(tmp_path / "s")
    broken = paths[10]
    broken.write_bytes(broken.read_bytes()[:-900])
    pane.bind(opened(paths))
    view = plane(pane, "axial")
    pane.go_to(pane.volumes[0], pane.volumes[0].on_slice(view.name, 10))
    wait_for(lambda: bool(pane.volumes[0].trouble), what="the reason")
    assert broken.name in view.empty_text()
    pane.go_to(pane.volumes[0], pane.volumes[0].on_slice(view.name, 4))
    wait_for(lambda: view.painted_index == 4, what="another slice")
    assert not pane.failed


def test_what_is_no_volume_is_told(opened: Open, pane: VolumePane, tmp_path: Path) -> None:
    path = tmp_path / "nothing.dcm"
    path.write_bytes(b"\0" * 4000)
    pane.bind(opened([path]))
    (said,) = [each.text() for each in pane.findChildren(QLabel, "volume_nothing")]
    assert "nothing.dcm: no reader knows this kind of file" in said
    assert pane.views == []
    assert not pane.failed


def test_oblique_slices_can_be_cut_along_the_patient(opened: Open, pane: VolumePane, tmp_path: Path) -> None:
    options = CtOptions(size=40, slices=20, spacing_mm=8.0, slice_mm=11.0, oblique_deg=20.0)
    bound(pane, opened(series(tmp_path / "s", options)))
    assert plane(pane, "axial").header.said[0] == "Axial, oblique"
    assert plane(pane, "axial").sides == ("R", "L", "AF", "PH")
    pane.set_straight(True)
    wait_for(pane.settled, what="the straight planes")
    assert plane(pane, "axial").header.said[0] == "Axial"
    assert plane(pane, "axial").sides == ("R", "L", "A", "P")
    assert plane(pane, "axial").canvas.item is None, "shapes in pixels need a stored image"
    x, y, _ = plane(pane, "axial").plane.from_patient((0.0, 0.0, 0.0))
    assert plane(pane, "axial").canvas.in_patient((x, y))[:2] == pytest.approx((0.0, 0.0), abs=1e-6)


def nifti(path: Path, voxels: np.ndarray, steps: tuple[float, float, float]) -> Path:
    """A file as the standard describes it: sform, RAS millimetres."""
    import struct

    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, *voxels.shape, 1, 1, 1, 1)
    struct.pack_into("<hh", head, 70, 16, 32)
    struct.pack_into("<8f", head, 76, 1.0, *steps, 0, 0, 0, 0)
    struct.pack_into("<f", head, 108, 352.0)
    struct.pack_into("<f", head, 112, 1.0)
    head[123] = 2
    struct.pack_into("<hh", head, 252, 0, 1)
    for row in range(3):
        struct.pack_into("<4f", head, 280 + 16 * row, *(steps[row] if column == row else 0.0 for column in range(3)), 0)
    head[344:348] = b"n+1\0"
    path.write_bytes(bytes(head) + voxels.astype("<f4").tobytes(order="F"))
    return path


def test_a_nifti_volume_without_windows_shows_its_values(opened: Open, pane: VolumePane, tmp_path: Path) -> None:
    voxels = np.zeros((30, 24, 10))
    voxels[20:, :, :] = 1000.0  # the patient's right half is dark: RAS grows to the right side
    bound(pane, opened([nifti(tmp_path / "brain.nii", voxels, (2.0, 3.0, 4.0))]))
    view = plane(pane, "axial")
    assert view.sides == ("R", "L", "A", "P")
    pane.set_look(cross_hair=False)
    picture = greys(view)[view.area.height() // 2]
    middle = view.area.width() // 2
    away = round(20 * view.viewport.per_mm)
    assert picture[middle - away] > 200, "what lies to the right is on the left"
    assert picture[middle + away] < 50
    assert view.canvas.instance == "slice 6"


def test_the_camera_pane_shows_slices_with_their_true_aspect(opened: Open, qapp: QApplication, tmp_path: Path) -> None:
    assert qapp is not None
    voxels = np.zeros((40, 20, 3))
    voxels[10:30, 5:15] = 1000.0  # 20 × 1 mm wide, 10 × 3 mm high
    bench = opened([nifti(tmp_path / "flat.nii", voxels, (1.0, 3.0, 5.0))])
    cameras = CameraPane()
    show(cameras, 700, 600)
    cameras.bind(bench)
    wait_for(cameras.settled, what="the slice")
    (camera,) = cameras.views
    image = camera.area.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    bright = rows[:, : image.width()] > 128
    wide, high = np.ptp(np.flatnonzero(bright.any(0))) + 1, np.ptp(np.flatnonzero(bright.any(1))) + 1
    assert high / wide == pytest.approx(30 / 20, rel=0.03)
    place = (25.0, 8.0)
    assert camera.viewport.to_picture(camera.viewport.to_screen(place)) == pytest.approx(place)
    zoomed = camera.viewport.zoomed(2.0, (350.0, 300.0))
    under = camera.viewport.to_picture((350.0, 300.0))
    camera.set_zoom(zoomed)
    assert camera.viewport.to_picture((350.0, 300.0)) == pytest.approx(under), "what is under the pointer stays there"
    cameras.unbind()
    cameras.hide()
    cameras.deleteLater()


def test_dragging_the_middle_and_the_right_button(opened: Open, pane: VolumePane, tmp_path: Path) -> None:
    bound(pane, opened(series(tmp_path / "s")))
    view = plane(pane, "axial")
    before = view.viewport.to_picture((100.0, 100.0))
    for button in (Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton):
        QTest.mousePress(view.area, button, Qt.KeyboardModifier.NoModifier, QPoint(100, 100))
        QTest.mouseMove(view.area, QPoint(140, 130))
        QTest.mouseRelease(view.area, button, Qt.KeyboardModifier.NoModifier, QPoint(140, 130))
    assert view.viewport.to_picture((140.0, 130.0)) == pytest.approx(before), "it goes with the hand"
    window = pane.volumes[0].window
    assert window.width > 1500
    assert window.centre > -600
    assert math.isclose(view.volume.window.width, window.width)
