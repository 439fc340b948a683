"""VTK and the splat draw the same picture; who draws is chosen by what the machine proves.

VTK runs over the processor's OpenGL here, off screen.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from workstation.app.doctor_probes import Answer, ask_child
from workstation.ui.scenes import vtk_scene
from workstation.ui.scenes.cloud_scene import EMPTY, LineLayer, PointLayer, Rendered
from workstation.ui.scenes.space_scene import SpaceScene, accelerated_window, is_hardware
from workstation.ui.scenes.space_view import SpaceView
from workstation.ui.scenes.splat_scene import SplatPainter
from workstation.ui.scenes.vtk_scene import VtkPainter

VIEW = SpaceView(eye=(0, -40, 20), target=(0, 0, 0), fov_deg=40, width_px=640, height_px=360)


@pytest.fixture(scope="module")
def street() -> list[PointLayer]:
    """Ground, two walls, and a radar's few large points; somewhere far from the origin of all."""
    rng = np.random.default_rng(3)
    away, turn = 3 + 40 * rng.random(60_000) ** 2, rng.random(60_000) * 2 * np.pi
    ground = np.stack([away * np.cos(turn), away * np.sin(turn), rng.normal(0, 0.03, 60_000)], 1)
    walls = np.stack([rng.uniform(-40, 40, 30_000), rng.choice([-12, 12], 30_000), rng.uniform(0, 9, 30_000)], 1)
    lidar = np.concatenate([ground, walls, [(np.nan, 0, 0), (1e30, 0, 0)]]).astype(np.float32)
    radar = rng.uniform((-30, -30, 0), (30, 30, 2), (300, 3)).astype(np.float32)
    return [
        PointLayer("lidar", lidar, rng.integers(40, 255, lidar.shape, np.uint8)),
        PointLayer("nothing", np.empty((0, 3), np.float32), np.empty((0, 3), np.uint8)),
        PointLayer("radar", radar, np.tile(np.array([[255, 60, 60]], np.uint8), (300, 1)), 5),
    ]


@pytest.fixture(scope="module")
def scenes(street: list[PointLayer]) -> Iterator[tuple[SpaceScene, SpaceScene]]:
    pair = SpaceScene(SplatPainter()), SpaceScene(VtkPainter("vtkEGLRenderWindow"))
    for scene in pair:
        scene.set_points(street)
    yield pair
    for scene in pair:
        scene.close()


VIEWS = {
    "from above": VIEW,
    "close by": replace(VIEW, eye=(-6.0, -10.0, 1.5), target=(5.0, -12.0, 1.0)),
    "in the middle": replace(VIEW, eye=(0.0, 0.0, 1.5), target=(10.0, 3.0, 1.0), fov_deg=80.0),
    "flat": VIEW.flat(),
    "flat, from the middle": replace(VIEW, eye=(0.0, 0.0, 0.0), target=(0.0, 0.0, -1.0), fov_deg=None, height_m=60.0),
    "narrow": VIEW.sized(111, 333),
}


@pytest.mark.parametrize("name", VIEWS)
def test_both_draw_the_same_points(scenes: tuple[SpaceScene, SpaceScene], name: str) -> None:
    """Coverage within 0.3 % of the picture; the same point on 98 % of what is covered by either."""
    splat, vtk = (scene.render(VIEWS[name]) for scene in scenes)
    covered = [rendered.points.packed != EMPTY for rendered in (splat, vtk)]
    assert covered[0].mean() > 0.02
    assert covered[0].mean() == pytest.approx(covered[1].mean(), abs=0.003)
    either = covered[0] | covered[1]
    assert (splat.index == vtk.index)[either].mean() > 0.98
    assert (splat.image == vtk.image).all(axis=2)[either].mean() > 0.98
    same = (splat.index == vtk.index) & either
    assert splat.depth[same] == pytest.approx(vtk.depth[same], abs=1e-3)


def test_both_draw_the_same_lines_over_the_points(scenes: tuple[SpaceScene, SpaceScene]) -> None:
    fence = np.array([[(x, 11, z), (x + 30, 13, z)] for x in (-40, 0) for z in (0.5, 3, 6)], np.float32)
    lines = LineLayer("fence", fence, np.tile(np.array([[0, 255, 0]], np.uint8), (len(fence), 1)), width_px=3)
    pictures: list[Rendered] = []
    for scene in scenes:
        scene.set_lines([lines])
        pictures.append(scene.render(VIEW))
        scene.set_lines([])
    green = [(rendered.image[..., 1] > 200) & (rendered.image[..., 2] < 60) for rendered in pictures]
    assert green[0].sum() > 500
    assert (green[0] != green[1]).sum() < 0.02 * green[0].sum()


def test_a_click_finds_the_same_point(scenes: tuple[SpaceScene, SpaceScene]) -> None:
    pictures = [scene.render(VIEW) for scene in scenes]
    found = 0
    for x, y in np.random.default_rng(1).uniform((0, 0), (640, 360), (60, 2)):
        splat, vtk = (scene.pick(picture, x, y, 3) for scene, picture in zip(scenes, pictures, strict=True))
        assert (splat is None) == (vtk is None)
        found += splat is not None and vtk is not None and (splat.key, splat.index) == (vtk.key, vtk.index)
    assert found >= 40


def test_both_draw_the_same_part_while_moving(scenes: tuple[SpaceScene, SpaceScene]) -> None:
    view = VIEW.orbit(33, 5)
    splat, vtk = (scene.render(view, budget=50_000) for scene in scenes)
    assert splat.points.drawn == vtk.points.drawn < 90_000
    either = (splat.index >= 0) | (vtk.index >= 0)
    assert (splat.index == vtk.index)[either].mean() > 0.98


def test_more_points_than_a_colour_can_count_are_drawn_in_two_goes(
    street: list[PointLayer], scenes: tuple[SpaceScene, SpaceScene], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with more than 16 million: here a colour counts to 4096 only."""
    expected = scenes[1].render(VIEW).index  # before: what it gives to the card it counts as colours do then
    with monkeypatch.context() as patched:
        patched.setattr(vtk_scene, "_DIGIT_BITS", 12)
        scene = SpaceScene(VtkPainter("vtkEGLRenderWindow"))
        scene.set_points(street)
        assert (scene.render(VIEW).index == expected).all()
        scene.close()


def test_vtk_survives_nothing_to_draw() -> None:
    painter = VtkPainter("vtkEGLRenderWindow")
    assert (painter.paint(VIEW).packed == EMPTY).all()
    painter.set_points([PointLayer("bad", np.full((3, 3), np.nan, np.float32), np.zeros((3, 3), np.uint8))])
    for view in (VIEW, VIEW.flat(), VIEW.sized(0, 0), replace(VIEW, eye=VIEW.target)):
        assert (painter.paint(view).packed == EMPTY).all()
    assert painter.paint(VIEW, cancelled=lambda: True).drawn == 0
    painter.close()


def test_vtk_draws_on_a_worker(street: list[PointLayer]) -> None:
    """As the cloud pane does: made, drawn with and let go of on one thread, while this one picks."""
    drawn: list[Rendered] = []

    def work() -> None:
        scene = SpaceScene(VtkPainter("vtkEGLRenderWindow"))
        scene.set_points(street)
        drawn.append(scene.render(VIEW))
        scene.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (drawn[0].points.packed != EMPTY).mean() > 0.02


def answering(renderer: str, *, right: bool = True) -> Answer:
    return Answer(facts={"renderer": renderer, "right": right})


def chosen(*answers: Answer, platform: str = "linux", devices: bool = True, lacking: bool = False) -> str | None:
    left = list(answers)
    return accelerated_window(
        ask=lambda _: left.pop(0), platform=platform, devices=lambda: devices, lacking=lambda: ["libGL"] * lacking
    )


def test_vtk_draws_only_where_a_card_proves_it() -> None:
    card, crashed = answering("NVIDIA RTX A2000/PCIe/SSE2"), Answer(facts={}, fault="crashed (SIGSEGV)")
    software = answering("llvmpipe (LLVM 15.0.6, 256 bits)")
    assert chosen(card) == "vtkEGLRenderWindow"
    assert chosen(crashed, card) == chosen(software, card) == "vtkRenderWindow"
    assert chosen(software, software) is None
    assert chosen(crashed, crashed) is None
    assert chosen(answering("NVIDIA", right=False), answering("NVIDIA", right=False)) is None


def test_nobody_is_asked_where_vtk_cannot_draw() -> None:
    assert chosen(devices=False) is None
    assert chosen(lacking=True) is None
    assert chosen(platform="darwin") is None
    assert chosen(answering("AMD Radeon"), platform="win32", devices=False) == "vtkEGLRenderWindow"


@pytest.mark.parametrize("name", ["", "llvmpipe (LLVM 15)", "softpipe", "Microsoft Basic Render Driver", "GDI Generic"])
def test_software_is_no_card(name: str) -> None:
    assert not is_hardware(name)


def test_the_proof_runs_in_a_child_and_names_the_renderer() -> None:
    said: list[Answer] = []

    def ask(program: str) -> Answer:
        said.append(ask_child(program))
        return said[-1]

    window = accelerated_window(ask=ask, platform="linux", devices=lambda: True)
    assert said[0].facts["right"]
    assert said[0].facts["renderer"]
    assert (window == "vtkEGLRenderWindow") == is_hardware(said[0].facts["renderer"])
