"""Whole panes on the demo, dark and light, as a person has looked at them and approved.

The letters come from a font that travels with Pillow, without hinting, so that they are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import ImageFont
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget
from timeline_window import wait_until_filled

from strict_golden import assert_golden
from strict_windows import copy_of, let_work, show, wait_for
from workstation.app.opening import open_project
from workstation.ui.application import wear
from workstation.ui.panels.inspector import InspectorPanel
from workstation.ui.panels.samples import SamplesPanel
from workstation.ui.panes.base import Pane
from workstation.ui.panes.camera import CameraPane
from workstation.ui.panes.sound import SoundPane
from workstation.ui.panes.timeline import TimelinePane
from workstation.ui.scenes.film_scene import FilmScene
from workstation.ui.scenes.sound_scene import SoundScene
from workstation.ui.theme import DARK, LIGHT, Theme
from workstation.ui.workbench import Workbench

pytestmark = pytest.mark.slow
"""The timeline waits for its pictures."""

SIZES = {
    "timeline": (800, 400),
    "camera": (640, 400),
    "sound": (700, 300),
    "samples": (230, 240),
    "inspector": (360, 480),
}
PANES: dict[str, type[Pane]] = {
    "timeline": TimelinePane, "camera": CameraPane, "sound": SoundPane, "samples": SamplesPanel,
    "inspector": InspectorPanel,
}  # fmt: skip
FOURTH_NS = 4_000_000_000


@pytest.fixture(scope="module")
def letters(qapp: QApplication) -> Iterator[None]:
    """The same letters everywhere; as they were afterwards."""
    before, sheet = qapp.font(), qapp.styleSheet()
    palette = qapp.palette()
    held = ImageFont.load_default(12)
    assert isinstance(held, ImageFont.FreeTypeFont)
    assert isinstance(held.path, BytesIO)
    number = QFontDatabase.addApplicationFontFromData(QByteArray(held.path.getvalue()))
    font = QFont(QFontDatabase.applicationFontFamilies(number)[0])
    font.setPointSizeF(10)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    font.setStyleStrategy(QFont.StyleStrategy.NoSubpixelAntialias)
    qapp.setFont(font)
    yield
    qapp.setStyleSheet(sheet)
    qapp.setPalette(palette)
    qapp.setFont(before)
    QFontDatabase.removeApplicationFont(number)


@pytest.fixture(scope="module")
def window(
    qapp: QApplication, letters: None, demo_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Workbench, dict[str, Pane]]]:
    """Every pane in one window on the drive with a car selected, with all that it waits for."""
    folder = tmp_path_factory.mktemp("golden")
    wear(qapp, DARK, 10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        project = copy_of(demo_template, folder / "drive")
        with open_project(project, kind="person", role="lead") as session:
            bench = Workbench(session)
            assert bench.open_sample("sf_drive")
            assert bench.view is not None
            bench.clock.seek(FOURTH_NS)
            car = next(each for each in bench.view.annotations if bench.view.name_of(each) == "Car 68")
            bench.select([car], cause="test")
            frame = QWidget()
            panes = _panes(bench, frame)
            yield bench, panes
            for pane in panes.values():
                pane.unbind()
            frame.close()
            frame.deleteLater()
            bench.close()


def _panes(bench: Workbench, frame: QWidget) -> dict[str, Pane]:
    row = QHBoxLayout(frame)
    made = {name: kind() for name, kind in PANES.items()}
    for name, pane in made.items():
        pane.setFixedSize(*SIZES[name])
        row.addWidget(pane)
        pane.bind(bench)
    show(frame, 200, 200)
    timeline, sound = made["timeline"], made["sound"]
    assert isinstance(timeline, TimelinePane)
    assert isinstance(sound, SoundPane)
    wait_until_filled(timeline)
    wait_for(lambda: _previewed(timeline), what="the small pictures of every film")
    wait_for(timeline.settled, what="the lanes")
    wait_for(made["camera"].settled, what="the cameras")
    wait_for(lambda: _tiles_made(sound), what="the spectrogram")
    return made


def _previewed(pane: TimelinePane) -> bool:
    """Whether the line of kept pictures goes along the whole of every film."""
    assert pane.model is not None
    films = [row.scene for row in pane.model.rows if isinstance(row.scene, FilmScene)]
    return all(sum(kept.end_ns - kept.start_ns for kept in film._covered) > 7.9e9 for film in films)


def _tiles_made(pane: SoundPane) -> bool:
    """Whether every spectrogram has what it paints."""
    assert pane.model is not None
    scenes = [strip.scene for strip in pane.model.strips if isinstance(strip.scene, SoundScene)]
    return all(scene.sound.complete and (scene._tiles or not scene.spectrogram) for scene in scenes)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("name", list(PANES))
def test_a_pane_looks_as_approved(
    window: tuple[Workbench, dict[str, Pane]], qapp: QApplication, name: str, theme: Theme
) -> None:
    bench, panes = window
    if bench.theme != theme:
        bench.set_theme(theme)
        wear(qapp, theme, 10)
        let_work(50)
    pane = panes[name]
    wait_for(pane.settled, what="the pane")
    width, height = SIZES[name]
    assert_golden(pane.grab().toImage(), __file__, f"pane_{name}_{theme.name}", count=width * height // 100)
