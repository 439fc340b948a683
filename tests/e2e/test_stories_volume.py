"""Stories of reading a scan: a nodule measured in three planes, on a flipped display, in a mirrored series; masks over
slices; prior and current. Edges are found in the pixels of the screen, truth comes from the files through pydicom."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hands import LEFT, PLAIN, Person, Stored, sit_down
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from scipy import ndimage

from strict_windows import copy_of
from workstation.app.adding import add_files
from workstation.app.demo import make_demo
from workstation.app.opening import open_project
from workstation.core.sample import StreamKind
from workstation.synth.ct import CtOptions, write_series
from workstation.ui.panes.volume import VolumePane
from workstation.ui.panes.volume_view import PlaneView

DIAMETER_MM = 23.0
CENTER_MM = (-62.0, -18.0, 58.0)
SMALL = CtOptions(size=96, slices=40, spacing_mm=3.5, slice_mm=5.4)
HALFWAY = round(255 * ((45 - 820) / 2 + 1350) / 1500)
"""The grey between lung (−820 HU) and nodule (45 HU) in the lung window, −600 / 1500."""
VOXEL_MM = {"axial": 1.75, "coronal": 1.75, "sagittal": 1.75}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chest of the demo."""
    made = tmp_path_factory.mktemp("volume_stories") / "ct"
    make_demo(made, scene="ct")
    return made


@pytest.fixture(scope="module")
def others(project: Path) -> Path:
    """Another project: a mirrored series, and one patient's two series in a sample."""
    folder = project.parent
    made: Path = copy_of(project, folder / "others")
    write_series(folder / "mirrored", SMALL, 7, mirrored=True)
    write_series(folder / "current", SMALL, 3)
    write_series(folder / "prior", SMALL, 3)
    with open_project(made, kind="person", role="lead") as session:
        for sample, stream, role in (
            ("mirrored", "mirrored", "ct"), ("pair", "current", "current"), ("pair", "prior", "prior"),
        ):  # fmt: skip
            files = sorted((folder / stream).glob("*.dcm"))
            add_files(session, files, sample=sample, stream=stream, kind=StreamKind.VOLUME, role=role)
    return made


@pytest.fixture(scope="module")
def seat(qapp: QApplication, project: Path) -> Generator[Person, None, None]:
    """One window for all stories of this file, the volume over all of it."""
    assert qapp is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(project.parent / "home"))
        with sit_down(project) as person:
            person.window.resize(1500, 940)
            enlarge(person)
            person.waits(lambda: any(each.name == "checks" for each in threading.enumerate()), "the checks to begin")
            yield person


@pytest.fixture
def elsewhere(qapp: QApplication, others: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Person, None, None]:
    """A window on the other project."""
    assert qapp is not None
    monkeypatch.setenv("WORKSTATION_HOME", str(others.parent / "home"))
    with sit_down(others) as person:
        person.window.resize(1500, 940)
        yield person


@pytest.fixture
def stored(project: Path) -> Stored:
    return Stored(project)


@pytest.fixture
def me(seat: Person, stored: Stored, request: pytest.FixtureRequest) -> Generator[Person, None, None]:
    """At the volume with nothing selected; afterwards everything done is taken back with Ctrl+Z."""
    enlarge(seat)
    before, edits = stored.state(), stored.edits()
    seat.press("Esc", "Esc", "F2")
    yield seat
    seat.keep_picture(request.node.name)
    seat.window.show_pane("volume")
    seat.bench.hand.set_class(None)
    for _ in range(stored.edits() - edits):
        if stored.state() == before:
            break
        seat.press("Ctrl+Z")
    assert stored.state() == before


def open_sample(person: Person, key: str) -> None:
    person.bench.open_sample(key)
    enlarge(person)


def enlarge(person: Person) -> None:
    """The volume over the whole window."""
    person.window.show_pane("volume")
    person.press("F11")
    person.waits(lambda: pane_of(person).width() > 1400 and pane_of(person).settled(), "the slices")


def pane_of(me: Person) -> VolumePane:
    pane = me.pane("volume")
    assert isinstance(pane, VolumePane)
    return pane


def plane(me: Person, name: str, stream: str = "") -> PlaneView:
    return next(e for e in pane_of(me).views if e.name == name and stream in e.volume.stream.key)


def slice_of(view: PlaneView) -> tuple[int, int]:
    found = re.fullmatch(r"slice (\d+) / (\d+)", view.header.said[1])
    assert found is not None
    return int(found[1]), int(found[2])


def wheel(area: QWidget, steps: int, held: Qt.KeyboardModifier = PLAIN) -> None:
    at = QPointF(area.rect().center())
    for _ in range(abs(steps)):
        event = QWheelEvent(
            at, area.mapToGlobal(at), QPoint(), QPoint(0, 120 if steps > 0 else -120), Qt.MouseButton.NoButton, held,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(area, event)


def grey(view: PlaneView) -> NDArray[np.uint8]:
    """The picture of a plane as it stands on the screen, without what lies over it."""
    image = view.area.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width()].copy()


def seen_nodule(me: Person, view: PlaneView) -> tuple[QPoint, QPoint]:
    """Its left and right end on the screen: the bright round thing of that size in the dark of a lung."""
    me.press("H", "Shift+H")  # nothing over the picture
    QTest.mouseMove(view.area, QPoint(2, 2))
    picture = grey(view)
    me.press("H", "Shift+H")
    parts, count = ndimage.label(picture > HALFWAY)
    best, found = math.inf, None
    for number, (rows, columns) in enumerate(ndimage.find_objects(parts), start=1):
        high, wide = rows.stop - rows.start, columns.stop - columns.start
        share = np.count_nonzero(parts[rows, columns] == number) / (high * wide)
        apart = abs(high / wide - 1) + abs(share - math.pi / 4)
        if min(high, wide) >= 12 and apart < best:
            best, found = apart, (rows, columns)
    assert found is not None, f"no round thing among {count}"
    assert best < 0.45
    rows, columns = found
    middle = (rows.start + rows.stop) // 2
    line = picture[middle, columns.start - 6 : columns.stop + 6].astype(float)
    edges = np.flatnonzero(line > HALFWAY)
    first = columns.start - 6 + edges[0]
    last = columns.start - 6 + edges[-1]
    return QPoint(int(first), middle), QPoint(int(last) + 1, middle)


def measurements(stored: Stored) -> list[dict[str, Any]]:
    return stored.content("annotation", "k.kind = 'measurement' ORDER BY k.id")


def to_nodule(me: Person) -> None:
    """Select it in the list of entities: the planes go there."""
    view = me.bench.view
    assert view is not None
    entity = next(each for each in view.entities.values() if each.class_id == "nodule")
    region = next(a.id for a in view.annotations_of_entity(entity.id) if a.kind == "cuboid")
    me.bench.select((region,), cause="entities")
    me.waits(pane_of(me).settled, "the slices").press("Esc")


def inspected(me: Person) -> dict[str, str]:
    """What the inspector says of the selected mark in the patient."""
    me.window.show_pane("volume")  # and all the others
    inspector: Any = me.pane("inspector")
    inspector.refresh()  # what it does a moment after it is shown
    said = {}
    for name in ("side", "size", "slice", "volume", "area"):
        widget = me.window.findChild(QWidget, f"inspector_form_patient_{name}")
        said[name] = "" if widget is None else str(widget.property("text"))
    enlarge(me)
    return said


@pytest.mark.slow
def test_the_nodule_measures_23_mm_in_three_planes_and_undo_takes_it_back(me: Person, stored: Stored) -> None:
    to_nodule(me)
    before = len(measurements(stored))
    me.press("M")
    for number, name in enumerate(("axial", "coronal", "sagittal"), start=1):
        view = plane(me, name)
        start, end = seen_nodule(me, view)
        me.drag(view.area, start, end)
        assert len(measurements(stored)) == before + number - 1, "nothing is made before its class is said"
        me.press("7")
        made = measurements(stored)
        assert len(made) == before + number
        shape = made[-1]["shape"]
        assert shape["unit"] == "mm"
        assert shape["value"] == pytest.approx(DIAMETER_MM, abs=VOXEL_MM[name])
        assert math.dist(*shape["points"]) == pytest.approx(shape["value"], abs=1e-3)
        middle = np.mean(shape["points"], axis=0)
        assert np.abs(middle - CENTER_MM).max() < 2.0, "it lies where the nodule is in the patient"
        assert (made[-1].get("item") is not None) == (name == "axial"), "bound to the image, where it lies on one"
        me.press("Esc")
    headers = [part for e in pane_of(me).views for part in e.header.said]
    assert "H 58.5 mm" in headers
    assert not any(" ms" in part for part in headers)
    for left in (2, 1, 0):
        me.press("Ctrl+Z")
        assert len(measurements(stored)) == before + left


def slice_file(project: Path, item: str) -> pydicom.FileDataset:
    for path in project.glob("media/**/*.dcm"):
        header = pydicom.dcmread(path)
        if header.SOPInstanceUID == item:
            return header
    raise AssertionError(f"no image is called {item}")


@pytest.mark.slow
def test_a_measurement_lies_on_the_image_it_names_and_is_edited_by_its_ends(
    me: Person, stored: Stored, project: Path
) -> None:
    to_nodule(me)
    view = plane(me, "axial")
    start, end = seen_nodule(me, view)
    me.press("M").drag(view.area, start, end).press("7", "F2")
    before = measurements(stored)[-1]
    file = slice_file(project, before["item"])
    across = np.subtract(before["shape"]["points"], [float(c) for c in file.ImagePositionPatient])
    normal = np.cross(file.ImageOrientationPatient[:3], file.ImageOrientationPatient[3:])
    assert np.abs(across @ normal).max() < 1e-3, "in the plane of the image"
    columns = across @ np.array(file.ImageOrientationPatient[:3], float) / float(file.PixelSpacing[1])
    rows = across @ np.array(file.ImageOrientationPatient[3:], float) / float(file.PixelSpacing[0])
    hu = file.pixel_array * float(file.RescaleSlope) + float(file.RescaleIntercept)
    row = round(rows.mean())
    assert (hu[row, round(columns[0]) + 2 : round(columns[1]) - 1] > -100).all(), "inside is the nodule"
    assert hu[row, round(columns[0]) - 2] < -500
    assert hu[row, round(columns[1]) + 2] < -500
    edits = stored.edits()
    longer = end + (end - start)
    me.drag(view.area, end, longer)
    after = measurements(stored)[-1]
    assert stored.edits() == edits + 1, "one pull is one step"
    assert after["shape"]["value"] == pytest.approx(2 * before["shape"]["value"], abs=1.0)
    assert after["shape"]["points"][0] == before["shape"]["points"][0]
    assert f"{after['shape']['value']:.1f} mm" in [d.name.split(" axis ")[-1] for d in view.scene.shown.drawn]
    me.press("Ctrl+Z")
    assert measurements(stored)[-1]["shape"] == before["shape"]


@pytest.mark.slow
def test_flipping_the_display_changes_letters_and_no_side(me: Person, stored: Stored) -> None:
    to_nodule(me)
    view = plane(me, "axial")
    QTest.mouseClick(view.header, LEFT, PLAIN, QPoint(20, 8))
    plain = seen_nodule(me, view)
    assert view.sides == ("R", "L", "A", "P")
    assert plain[0].x() < view.area.width() / 2, "the patient's right is on the left"
    me.press("Ctrl+F")
    assert view.sides == ("L", "R", "A", "P")
    flipped = seen_nodule(me, view)
    assert flipped[0].x() > view.area.width() / 2
    me.press("M").drag(view.area, *flipped).press("7")
    made = measurements(stored)[-1]
    assert made["shape"]["value"] == pytest.approx(DIAMETER_MM, abs=1.75)
    assert np.abs(np.mean(made["shape"]["points"], axis=0) - CENTER_MM).max() < 2.0
    said = inspected(me)
    assert said["side"] == "right"
    assert said["size"].endswith("(2.3 cm)")
    view = plane(me, "axial")
    QTest.mouseClick(view.header, LEFT, PLAIN, QPoint(20, 8))
    me.press("Ctrl+F")
    assert view.sides == ("R", "L", "A", "P")


@pytest.mark.slow
def test_a_mirrored_series_reads_left(elsewhere: Person, others: Path) -> None:
    me, stored = elsewhere, Stored(others)
    open_sample(me, "mirrored")
    pane = pane_of(me)
    volume = pane.volumes[0]
    view = plane(me, "axial")
    QTest.mouseClick(view.header, LEFT, PLAIN, QPoint(20, 8))
    number, count = slice_of(view)
    wanted = round(58.0 / SMALL.slice_mm + (count - 1) / 2) + 1
    wheel(view.area, -(wanted - number) if wanted > number else number - wanted)
    me.waits(pane.settled, "the slice")
    assert slice_of(view)[0] == wanted
    start, end = seen_nodule(me, view)
    assert start.x() > view.area.width() / 2, "the letters are where they were, the nodule is not"
    assert view.sides == ("R", "L", "A", "P")
    me.press("M").drag(view.area, start, end).press("7")
    made = stored.content("annotation", "k.kind = 'measurement' ORDER BY k.id DESC")[0]
    assert made["stream"] == volume.stream.id
    assert np.mean(made["shape"]["points"], axis=0)[0] == pytest.approx(62.0, abs=SMALL.spacing_mm)
    assert inspected(me)["side"] == "left"


@pytest.mark.slow
def test_wheel_cross_hair_and_windows_move_what_they_should(me: Person, stored: Stored) -> None:
    edits = stored.edits()
    to_nodule(me)
    pane = pane_of(me)
    axial, coronal = plane(me, "axial"), plane(me, "coronal")
    wheel(axial.area, 1)  # onto the middle of a slice
    me.waits(pane.settled, "the slices")
    number, _ = slice_of(axial)
    crossed = coronal.cross_on_screen()
    wheel(axial.area, -3)
    me.waits(pane.settled, "the slices")
    assert slice_of(axial)[0] == number + 3
    moved = coronal.cross_on_screen()
    per_mm = coronal.viewport.per_mm
    assert crossed[1] - moved[1] == pytest.approx(3 * 3.0 * per_mm, abs=0.01), "9 mm to the head is up"
    QTest.mouseClick(axial.header, LEFT, PLAIN, QPoint(20, 8))
    me.press(",", ",", ",").waits(pane.settled, "the slices")
    assert slice_of(axial)[0] == number
    at = QPoint(axial.area.width() // 2 + 90, axial.area.height() // 2)
    me.click_at(axial.area, at)
    found = axial.cross_on_screen()
    assert (found[0], found[1]) == pytest.approx((at.x(), at.y()), abs=1.0)
    before = grey(axial)
    me.press("Alt+2").waits(lambda: axial.header.said[3] == "SOFT 40 / 400", "the window")
    me.waits(lambda: bool((grey(axial) != before).any()), "other greys")
    QTest.mousePress(axial.area, Qt.MouseButton.RightButton, PLAIN, at)
    QTest.mouseMove(axial.area, at - QPoint(120, 0))
    QTest.mouseRelease(axial.area, Qt.MouseButton.RightButton, PLAIN, at - QPoint(120, 0))
    assert axial.header.said[3].startswith("by hand")
    scale = axial.viewport.per_mm
    wheel(axial.area, 3, Qt.KeyboardModifier.ControlModifier)
    assert axial.viewport.per_mm == pytest.approx(scale * 1.2**3)
    me.press("Ctrl+0", "Alt+1")
    assert axial.viewport.per_mm == pytest.approx(scale)
    assert stored.edits() == edits, "looking changes nothing"


@pytest.mark.slow
def test_a_mask_goes_on_from_slice_to_slice_and_is_interpolated_between(me: Person, stored: Stored) -> None:
    to_nodule(me)
    pane, view = pane_of(me), plane(me, "axial")
    start, end = seen_nodule(me, view)
    middle = (start + end) / 2
    reach = (end - start).x() / 2
    me.press("F9")
    me.bench.hand.set_ways(brush_px=2 * reach / view.viewport.scale)
    before = stored.content("annotation", "k.kind = 'mask'")
    first, _ = slice_of(view)
    me.click_at(view.area, middle).press("D")
    for _ in range(4):
        me.press(",")
    me.waits(pane.settled, "the slice")
    me.bench.hand.set_ways(brush_px=reach / view.viewport.scale)
    me.click_at(view.area, middle)
    masks = stored.content("annotation", "k.kind = 'mask' ORDER BY k.id")
    assert len(masks) == len(before) + 2
    assert masks[-1]["entity"] == masks[-2]["entity"] is not None, "it is one thing on both slices"
    assert masks[-1]["item"] != masks[-2]["item"]
    me.press(".", ".").waits(pane.settled, "the slice")
    (between,) = [each for each in view.scene.shown.drawn if each.name.endswith("between")]
    ring = np.concatenate([each * view.plane.spacing_mm[:2] for each in between.lines.rings])
    wide = (np.ptp(ring, axis=0) / 2).mean()
    assert wide == pytest.approx(0.75 * reach / view.viewport.per_mm, abs=1.0), "halfway between both"
    number, _ = slice_of(view)
    assert number == first - 2
    me.bench.hand.set_ways(brush_px=2)
    me.press("Shift+F9").click_at(view.area, middle)
    assert len(stored.content("annotation", "k.kind = 'mask'")) == len(before) + 3, "wiping makes a key of it"
    edits = stored.edits()
    me.window.perform("volume.write_between", pane)
    assert "2 slices written" in me.said
    written = stored.content("annotation", "k.kind = 'mask'")
    assert len(written) == len(before) + 5
    assert stored.edits() == edits + 1
    assert [each.get("source", {}).get("kind") for each in written].count("interpolation") == 2
    assert not [each for each in view.scene.shown.drawn if each.name.endswith("between")]
    said = inspected(me)
    assert re.fullmatch(r"\d+\.\d\d ml", said["volume"])
    assert 1.0 < float(said["volume"].split()[0]) < 6.4, "a part of the 6.4 ml of the sphere"


@pytest.mark.slow
def test_prior_and_current_stand_side_by_side_and_go_together(elsewhere: Person) -> None:
    me = elsewhere
    open_sample(me, "pair")
    pane = pane_of(me)
    assert [volume.stream.key for volume in pane.volumes] == ["prior", "current"]
    prior, current = plane(me, "axial", "prior"), plane(me, "axial", "current")
    assert prior.mapTo(pane, QPoint(0, 0)).x() < current.mapTo(pane, QPoint(0, 0)).x()
    assert "linked" in current.header.said[4]
    number, _ = slice_of(current)
    wheel(prior.area, -4)
    me.waits(pane.settled, "the slices")
    assert slice_of(current)[0] == slice_of(prior)[0] == number + 4
    wheel(prior.area, 2, Qt.KeyboardModifier.ControlModifier)
    assert current.viewport.per_mm == pytest.approx(prior.viewport.per_mm)
    QTest.mouseClick(prior.header, LEFT, PLAIN, QPoint(20, 8))
    me.window.perform("volume.part", pane)
    wheel(prior.area, 3)
    me.waits(pane.settled, "the slices")
    assert slice_of(current)[0] == number + 4
    assert "not linked" in current.header.said[4]
    me.window.perform("volume.link", pane)
    wheel(prior.area, -1)
    me.waits(pane.settled, "the slices")
    assert (slice_of(prior)[0], slice_of(current)[0]) == (number + 2, number + 5)
    assert "by hand" in current.header.said[4]


@pytest.mark.slow
def test_an_area_has_the_mean_and_spread_of_the_voxels_inside(me: Person, stored: Stored, project: Path) -> None:
    to_nodule(me)
    view = plane(me, "axial")
    start, end = seen_nodule(me, view)
    quarter = (end.x() - start.x()) // 4
    me.press("M", "M", "M")
    me.drag(view.area, start + QPoint(quarter, -quarter), end - QPoint(quarter, -quarter)).press("W")
    made = measurements(stored)[-1]
    shape = made["shape"]
    assert (shape["figure"], shape["unit"]) == ("ellipse", "mm²")
    file = slice_file(project, made["item"])
    spacing = np.array([float(c) for c in file.PixelSpacing])[::-1]
    ends = (np.array(shape["points"])[:, :2] - [float(c) for c in file.ImagePositionPatient][:2]) / spacing
    middle, half = ends[:2].mean(0), np.abs(ends[[1, 3]] - ends[[0, 2]]).max(0) / 2
    assert shape["value"] == pytest.approx(math.pi * np.prod(half * spacing), rel=1e-3)
    rows, columns = np.mgrid[0 : file.Rows, 0 : file.Columns]
    inside = ((columns - middle[0]) / half[0]) ** 2 + ((rows - middle[1]) / half[1]) ** 2 <= 1
    hu = (file.pixel_array * float(file.RescaleSlope) + float(file.RescaleIntercept))[inside]
    said = {each["quantity"]: (each["value"], each["unit"]) for each in shape["also"]}
    assert said["mean"] == (pytest.approx(hu.mean(), abs=2.0), "HU"), "a voxel at the rim may fall to either side"
    assert said["standard deviation"][0] == pytest.approx(hu.std(), abs=2.0)
    assert abs(said["mean"][0] - 45) < 6, "the nodule's own density"


@pytest.mark.slow
def test_an_outline_drawn_on_a_flipped_slice_lies_in_the_images_own_pixels(
    me: Person, stored: Stored, project: Path
) -> None:
    to_nodule(me)
    view = plane(me, "axial")
    QTest.mouseClick(view.header, LEFT, PLAIN, QPoint(20, 8))
    me.press("Ctrl+F", "Ctrl+Shift+F")
    assert view.sides == ("L", "R", "P", "A")
    start, end = seen_nodule(me, view)
    middle, reach = (start + end) / 2, (end.x() - start.x()) / 2
    me.press("F4")
    for turn in range(12):
        angle = 2 * math.pi * turn / 12
        me.click_at(view.area, middle + QPoint(round(reach * math.cos(angle)), round(reach * math.sin(angle))))
    me.press("Enter", "D", "Ctrl+F", "Ctrl+Shift+F")
    (made,) = stored.content("annotation", "k.kind = 'polygon' ORDER BY k.id DESC LIMIT 1")
    file = slice_file(project, made["item"])
    hu = file.pixel_array * float(file.RescaleSlope) + float(file.RescaleIntercept)
    column, row = np.mean(made["shape"]["outer"], axis=0)
    parts, _ = ndimage.label(hu > -400)
    nodule = parts == parts[int(row), int(column)]
    assert 80 < np.count_nonzero(nodule) < 200, "it lies on the nodule and not on its mirror image"
    truth_row, truth_column = np.mean(np.nonzero(nodule), axis=1) + 0.5
    assert (column, row) == pytest.approx((truth_column, truth_row), abs=0.6)
    assert view.sides == ("R", "L", "A", "P")


@pytest.mark.slow
def test_what_is_selected_elsewhere_is_gone_to(me: Person) -> None:
    view = me.bench.view
    assert view is not None
    entity = next(each.id for each in view.entities.values() if each.class_id == "nodule")
    pane = pane_of(me)
    pane.go_to(pane.volumes[0], (0.0, 0.0, -40.0))
    me.waits(pane.settled, "the slices")
    me.bench.select((entity,), cause="entities")
    me.waits(pane.settled, "the slices")
    assert slice_of(plane(me, "axial"))[0] in (55, 56)
    assert np.abs(np.subtract(pane.volumes[0].position, CENTER_MM)).max() < 3.0
