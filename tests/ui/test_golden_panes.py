"""Golden pictures of the panes for space, texts, volumes, series and documents, each a third of its size: letters,
which differ from machine to machine, become shades there, and what is drawn wrongly or not at all still shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from planes_project import SAMPLE, planes_project
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from strict_golden import assert_golden
from strict_windows import copy_of, let_work, show, wait_for
from workstation.app.opening import open_project
from workstation.ui.application import wear
from workstation.ui.panes.base import Pane
from workstation.ui.panes.catalogue import PANES
from workstation.ui.theme import DARK
from workstation.ui.workbench import Workbench

pytestmark = pytest.mark.slow
WIDTH, HEIGHT, PART = 720, 480, 3


@contextmanager
def _opened(project: Path, sample: str, moment_ns: int) -> Iterator[Workbench]:
    with open_project(project, kind="person", role="lead") as session:
        bench = Workbench(session)
        assert bench.open_sample(sample)
        bench.clock.seek(moment_ns)
        yield bench
        bench.close()


@pytest.fixture(scope="module", autouse=True)
def dressed(qapp: QApplication) -> Iterator[None]:
    """The program's dark colours; afterwards what was worn before."""
    palette, sheet, font = qapp.palette(), qapp.styleSheet(), qapp.font()
    wear(qapp, DARK)
    yield
    qapp.setPalette(palette)
    qapp.setStyleSheet(sheet)
    qapp.setFont(font)


@pytest.fixture(scope="module")
def drive(qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """The real drive at four seconds, a car in front of it selected."""
    assert qapp is not None
    folder = tmp_path_factory.mktemp("golden_drive")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        with _opened(copy_of(demo_template, folder / "drive"), "sf_drive", 4_000_000_000) as bench:
            assert bench.view is not None
            cuboids = [each for each in bench.view.annotations.values() if each.kind == "cuboid"]
            bench.select([min(cuboids, key=lambda each: bench.view.name_of(each.id)).id], cause="test")  # type: ignore[union-attr]
            yield bench


@pytest.fixture(scope="module")
def planes(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A recording, a scan and a form with the same thing in each, which is selected."""
    assert qapp is not None
    folder = tmp_path_factory.mktemp("golden_planes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        with _opened(planes_project(folder), SAMPLE, 3_000_000_000) as bench:
            assert bench.view is not None
            bench.select([next(iter(bench.view.entities))], cause="test")
            yield bench


def picture_of(kind: str, bench: Workbench) -> QImage:
    """The body of a pane of a fixed size, once it rests, at a third of its size."""
    pane: Pane = next(each for each in PANES if each.kind == kind).build()
    pane.body.setFixedSize(WIDTH, HEIGHT)
    pane.bind(bench)
    show(pane, WIDTH, HEIGHT + 60)
    try:
        before = QImage()
        for _ in range(60):
            wait_for(pane.settled, what=kind)
            let_work(50)
            now = pane.body.grab().toImage()
            if now == before:
                break
            before = now
        return now.scaled(
            WIDTH // PART, HEIGHT // PART, Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )  # fmt: skip
    finally:
        pane.unbind()
        pane.hide()
        pane.deleteLater()


@pytest.mark.parametrize("kind", ["cloud", "text", "trajectory", "entities"])
def test_the_drive_looks_as_approved(drive: Workbench, kind: str) -> None:
    assert_golden(picture_of(kind, drive), __file__, f"pane_{kind}", threshold=40, count=380)


@pytest.mark.parametrize("kind", ["series", "volume", "document"])
def test_recording_scan_and_form_look_as_approved(planes: Workbench, kind: str) -> None:
    assert_golden(picture_of(kind, planes), __file__, f"pane_{kind}", threshold=40, count=380)
