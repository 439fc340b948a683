"""Clouds on the screen without a graphics card, against VTK over the processor's OpenGL: goals P1, P2 and P3.

    python tests/bench/bench_space.py [--sizes 100000 1000000 10000000] [--rounds 3] [--no-peer]

A street-like cloud in 1280 × 720, orbited. Prints per size: a whole frame against VTK's of the same round (P1); frames
while the camera moves, as the cloud pane asks for them, and the time to full detail at rest (P2); picking (P3) against
VTK's selector; lines and faces that follow the mouse; and memory against the cloud's own size. Needs no display.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from workstation.ui.scenes.cloud_scene import EMPTY, FaceLayer, LineLayer, PointLayer
from workstation.ui.scenes.space_scene import SpaceScene
from workstation.ui.scenes.space_view import SpaceView
from workstation.ui.scenes.splat_scene import SplatPainter

WIDTH, HEIGHT = 1280, 720
VIEW = SpaceView(eye=(0, -60, 35), target=(0, 0, 0), fov_deg=30, width_px=WIDTH, height_px=HEIGHT)
ORBIT_PX = 7.5  # 3°
REQUESTS = 200
MOVING_MS = 18.0
"""What the pane lets points take while the view moves."""


def street(count: int) -> PointLayer:
    """Ground thinning outwards, two walls, forty things; nothing in order."""
    rng = np.random.default_rng(3)
    points = np.empty((count, 3), np.float32)
    ground, walls = int(count * 0.6), int(count * 0.3)
    away, turn = 3 + 70 * rng.random(ground) ** 2, rng.random(ground) * 2 * np.pi
    points[:ground] = np.stack([away * np.cos(turn), away * np.sin(turn), rng.normal(0, 0.03, ground)], 1)
    wall = slice(ground, ground + walls)
    points[wall, 0] = rng.uniform(-60, 60, walls)
    points[wall, 1] = rng.choice([-12, 12], walls) + rng.normal(0, 0.05, walls)
    points[wall, 2] = rng.uniform(0, 9, walls)
    rest = count - ground - walls
    points[ground + walls :, :2] = rng.uniform(-50, 50, (40, 2))[rng.integers(0, 40, rest)]
    points[ground + walls :, :2] += rng.normal(0, 0.9, (rest, 2))
    points[ground + walls :, 2] = rng.uniform(0, 1.7, rest)
    points = points[rng.permutation(count)]
    height = np.clip((points[:, 2] + 0.2) / 9, 0, 1)
    colours = np.empty((count, 3), np.uint8)
    colours[:, 0], colours[:, 2] = 255 * height, 255 * (1 - height)
    colours[:, 1] = rng.integers(90, 250, count)
    return PointLayer("street", points, colours)


class Peer:
    """VTK as one would use it first: a cell for each point, coloured directly, off screen. Read back as a pane must."""

    def __init__(self, layer: PointLayer) -> None:
        from vtkmodules import vtkRenderingOpenGL2
        from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
        from vtkmodules.vtkCommonCore import vtkPoints
        from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
        from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer, vtkRenderWindow

        count = len(layer.points)
        places, cells, data = vtkPoints(), vtkCellArray(), vtkPolyData()
        places.SetData(numpy_to_vtk(layer.points, deep=0))
        data.SetPoints(places)
        self._kept = np.arange(count + 1, dtype=np.int64), np.arange(count, dtype=np.int64)
        cells.SetData(*(numpy_to_vtkIdTypeArray(each) for each in self._kept))
        data.SetVerts(cells)
        data.GetPointData().SetScalars(numpy_to_vtk(layer.colours, deep=0))
        mapper, actor = vtkPolyDataMapper(), vtkActor()
        mapper.SetInputData(data)
        actor.SetMapper(mapper)
        actor.GetProperty().SetPointSize(2)
        actor.GetProperty().LightingOff()
        self._renderer = vtkRenderer()
        self._renderer.AddActor(actor)
        self.window: Any = getattr(vtkRenderingOpenGL2, "vtkEGLRenderWindow", vtkRenderWindow)()
        self.window.SetMultiSamples(0)
        self.window.SetOffScreenRendering(1)
        self.window.SetSize(WIDTH, HEIGHT)
        self.window.AddRenderer(self._renderer)
        camera = self._renderer.GetActiveCamera()
        camera.SetPosition(*VIEW.eye)
        camera.SetFocalPoint(*VIEW.target)
        camera.SetViewUp(0, 0, 1)
        self._renderer.ResetCameraClippingRange()

    def frame(self) -> np.ndarray:
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

        self._renderer.GetActiveCamera().Azimuth(3.0)
        self.window.Render()
        pixels = vtkUnsignedCharArray()
        self.window.GetRGBACharPixelData(0, 0, WIDTH - 1, HEIGHT - 1, 0, pixels)
        return vtk_to_numpy(pixels).reshape(HEIGHT, WIDTH, 4)[::-1]

    def pick(self, x: int, y: int) -> None:
        from vtkmodules.vtkRenderingCore import vtkHardwareSelector

        selector = vtkHardwareSelector()
        selector.SetRenderer(self._renderer)
        selector.SetArea(x - 3, y - 3, x + 3, y + 3)
        selector.SetFieldAssociation(0)
        selector.Select()

    @property
    def name(self) -> str:
        lines = self.window.ReportCapabilities().splitlines()
        return next((line.partition(":")[2].strip() for line in lines if "renderer string" in line), "?")

    def close(self) -> None:
        self.window.Finalize()


Spent = tuple[float, float]


def timed(work: Callable[[], object]) -> Spent:
    """(wall, CPU of all threads) milliseconds."""
    begin, busy = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - begin) * 1000, (time.process_time() - busy) * 1000


def of(times: list[Spent]) -> str:
    """Median, p95 and worst; the CPU's own time says what a machine with nothing else to do would take."""
    wall, cpu = np.array(times).T
    return (
        f"median {np.median(wall):7.2f} ms, p95 {np.percentile(wall, 95):7.2f}, most {wall.max():7.2f} "
        f"(CPU {np.median(cpu):7.2f}, p95 {np.percentile(cpu, 95):7.2f})"
    )


def ratio(ours: list[Spent], theirs: list[Spent], which: int) -> float:
    return statistics.median(each[which] for each in theirs) / statistics.median(each[which] for each in ours)


def resident_mb(field: str = "VmRSS") -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{field}:")[1].split()[0]) / 1024


def cuboid_edges(center: np.ndarray, yaw: float) -> tuple[np.ndarray, np.ndarray]:
    """(12, 2, 3) edges and (6, 4, 3) sides of a car."""
    corners = np.array([(x, y, z) for x in (-2.2, 2.2) for y in (-0.9, 0.9) for z in (-0.8, 0.8)])
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    corners = (corners @ turn.T + center).astype(np.float32)
    edges = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1]
    sides = [(0, 1, 3, 2), (4, 5, 7, 6), (0, 1, 5, 4), (2, 3, 7, 6), (0, 2, 6, 4), (1, 3, 7, 5)]
    return corners[np.array(edges)], corners[np.array(sides)]


def furniture() -> list[LineLayer]:
    """A ground grid and fifty cuboids."""
    rng = np.random.default_rng(4)
    steps = np.arange(-50.0, 51, 5)
    ends = np.full(len(steps), 50.0)
    across = np.stack([np.stack([steps, sign * ends, 0 * steps], 1) for sign in (-1, 1)], 1)
    grid = np.concatenate([across, across[..., [1, 0, 2]]]).astype(np.float32)
    places = rng.uniform((-40, -40, 0.8), (40, 40, 0.9), (50, 3))
    cars = np.concatenate(
        [cuboid_edges(place, turn)[0] for place, turn in zip(places, rng.random(50) * 6, strict=True)]
    )
    white, blue = np.array([[255, 255, 255, 60]], np.uint8), np.array([[90, 200, 255]], np.uint8)
    return [
        LineLayer("grid", grid, np.repeat(white, len(grid), 0), 1.0),
        LineLayer("cars", cars, np.repeat(blue, len(cars), 0), behind=0.25),
    ]


def frames(scene: SpaceScene, peer: Peer | None, rounds: int, count: int) -> None:
    """P1."""
    view = VIEW
    ratios: list[Spent] = []
    ours: list[Spent] = []
    theirs: list[Spent] = []
    for _ in range(rounds):
        mine = []
        for _ in range(20 if count < 5_000_000 else 6):
            view = view.orbit(ORBIT_PX, 0)
            mine.append(timed(lambda view=view: scene.render(view)))  # type: ignore[misc]
        ours += mine
        if peer is not None:
            other = [timed(peer.frame) for _ in range(5 if count < 5_000_000 else 1)]
            theirs += other
            ratios.append((ratio(mine, other, 0), ratio(mine, other, 1)))
    goal = "16.7 ms" if count <= 100_000 else ""
    print(f"P1 {count:>10,} points, whole frame: {of(ours)}   {'goal ' + goal if goal else ''}")
    if peer is not None:
        wall, cpu = zip(*ratios, strict=True)
        print(
            f"   VTK on {peer.name}: {of(theirs)}\n   1/{statistics.median(wall):.1f} of VTK's time (rounds "
            f"1/{min(wall):.1f} to 1/{max(wall):.1f}), 1/{statistics.median(cpu):.1f} of its CPU; goal at 1 M: 1/4, "
            f"compiled 1/8"
        )


def moving(scene: SpaceScene, count: int) -> None:
    """P2."""
    scene.set_lines(furniture())
    view, rate, shown = VIEW, 12_000.0, []
    took: list[Spent] = []
    picture = scene.paint_points(view, budget=60_000)

    def paint() -> None:
        nonlocal picture
        picture = scene.paint_points(view, budget=max(60_000, int(rate * MOVING_MS)))

    for _ in range(REQUESTS):
        view = view.orbit(ORBIT_PX / 3, 0.1)
        points, lines = timed(paint), timed(lambda: scene.draw(picture))
        took.append((points[0] + lines[0], points[1] + lines[1]))
        rate += 0.3 * (picture.drawn / points[0] - rate)
        shown.append(picture.drawn)
    rest, _ = timed(lambda: scene.render(view))
    print(
        f"P2 {count:>10,} points, moving, with a grid and 50 cuboids: {of(took)} (goal p95 33; {REQUESTS} frames, "
        f"{statistics.median(shown):,.0f} points each); at rest full detail after {rest:.0f} ms (goal 1000)"
    )


def picks(scene: SpaceScene, peer: Peer | None, count: int) -> None:
    """P3."""
    rendered = scene.render(VIEW)
    places = np.random.default_rng(2).uniform((0, 0), (WIDTH, HEIGHT), (REQUESTS, 2))
    found: list[object] = []
    took = [timed(lambda x=x, y=y: found.append(scene.pick(rendered, x, y))) for x, y in places]  # type: ignore[misc]
    hits = sum(hit is not None for hit in found)
    print(f"P3 {count:>10,} points, pick: {of(took)} (goal 5; {hits} of {REQUESTS} found a point)")
    if peer is not None and count < 5_000_000:
        print(f"   VTK's selector: {of([timed(lambda: peer.pick(600, 300)) for _ in range(2)])}")


def following(scene: SpaceScene, count: int) -> None:
    """Lines and faces that follow the mouse over points that stay."""
    picture = scene.paint_points(VIEW)
    still, took = furniture(), list[Spent]()
    yellow = np.array([[255, 220, 80, 255]], np.uint8)
    for number in range(REQUESTS):
        edges, sides = cuboid_edges(np.array([0.1 * number - 10, -20, 0.8]), 0.02 * number)
        scene.set_lines([*still, LineLayer("chosen", edges, np.repeat(yellow, 12, 0), 2.5, on_top=True)])
        scene.set_faces([FaceLayer("sides", sides, np.repeat(yellow // 8, 6, 0))])
        took.append(timed(lambda: scene.draw(picture)))
    print(f"   {count:>10,} points, a cuboid follows the mouse among 50: {of(took)} (goal 16.7)")
    scene.set_faces([])


def measured(count: int, rounds: int, *, with_peer: bool) -> None:
    layer = street(count)
    gc.collect()
    own = (layer.points.nbytes + layer.colours.nbytes) / (1 << 20)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    before = resident_mb()
    scene = SpaceScene(SplatPainter())
    scene.set_points([layer])
    first, _ = timed(lambda: scene.render(VIEW))
    filled = float((scene.render(VIEW).points.packed != EMPTY).mean())
    after, peak = resident_mb(), resident_mb("VmHWM")
    print(f"\n{count:,} points: first picture, put in order once, {first:.0f} ms; covers {filled:.3f} of the picture")
    if own > 64:  # less would be lost among what Python keeps
        print(
            f"   memory beside the cloud's own {own:.0f} MB: {after - before:.0f} MB ({(after - before) / own:.1f} x), "
            f"at most {peak - before:.0f} MB ({(peak - before) / own:.1f} x)"
        )
    peer = Peer(layer) if with_peer else None
    if peer is not None:
        peer.frame()
    frames(scene, peer, rounds, count)
    moving(scene, count)
    picks(scene, peer, count)
    following(scene, count)
    if peer is not None:
        peer.close()
    scene.close()


def noise() -> None:
    """The same work again and again: what else runs here shows in the spread."""
    numbers = np.random.default_rng(1).random(200_000)
    took = [timed(lambda: np.sort(numbers))[0] for _ in range(40)]
    low, high = np.percentile(took, (5, 95))
    print(
        f"noise of this machine now: the same sort takes {low:.2f} to {high:.2f} ms (5 % to 95 %), {high / low:.2f} x"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--no-peer", action="store_true")
    chosen = options.parse_args()
    noise()
    for count in chosen.sizes:
        measured(count, chosen.rounds if count < 5_000_000 else min(chosen.rounds, 2), with_peer=not chosen.no_peer)
    noise()


if __name__ == "__main__":
    main()
