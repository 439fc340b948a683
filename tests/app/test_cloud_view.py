"""Where sweeps lie in a scene and which are shown: against numbers worked out here, with gaps, bad files and maps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from workstation.app.cloud_ground import Correction, Ground
from workstation.app.cloud_moment import Boxes, Coloured, Painting, SweepWanted, counts, moving_rows
from workstation.app.cloud_paint import ColourBy, Scale, Scales, available, colours_of
from workstation.app.cloud_view import CloudLayers, Ways
from workstation.app.opening import new_project, open_project
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError
from workstation.core.ids import SampleId, StreamId
from workstation.core.poses import RigidTransform, Trajectory
from workstation.core.rights import ActorKind
from workstation.core.rotation import about_z
from workstation.core.sample import Stream, StreamKind
from workstation.core.space import Calibration, Frame, FrameTree
from workstation.core.timebase import TimeMap
from workstation.media.base import Cloud
from workstation.store.media_files import record_file
from workstation.synth.writers import write_pcd

MOUNT = RigidTransform(about_z(0.5), (1.0, 0.2, 1.8))
SPEED = np.array([18.0, -4.0, 0.0])
REAR = RigidTransform(about_z(2.6), (-3.1, -0.4, 1.1))
MAP = np.array([512_345.0, 5_412_345.0, 310.0])
MS = 1_000_000


def stream(frame: str, key: str = "lidar", at_ns: int = 0) -> Stream:
    return Stream(
        id=StreamId(key), sample=SampleId("s"), key=key, kind=StreamKind.CLOUD, time_map=TimeMap(knots=((0, at_ns),)),
        frame=frame,
    )  # fmt: skip


@pytest.fixture
def ground() -> Ground:
    """A vehicle that drives straight through a map for a second, and a sensor on its roof."""
    times = np.arange(0, 1_001 * MS, 50 * MS)
    poses = Trajectory(
        times_ns=times, rotations=np.tile([1.0, 0, 0, 0], (len(times), 1)),
        translations=MAP + (times / 1e9)[:, None] * SPEED, max_gap_ns=60 * MS,
    )  # fmt: skip
    calibration = Calibration(
        frames=(Frame(name="ego", parent="map", trajectory="pose"),
                Frame(name="lidar", parent="ego", parent_from_child=MOUNT),
                Frame(name="lidar_rear", parent="ego", parent_from_child=REAR))
    )  # fmt: skip
    tree = FrameTree(calibration, {"pose": poses})
    return Ground.of(calibration, tree, {"pose": poses}, lead="lidar", first_ns=0)


def measured_while_driving(
    yaw: float = 0.5, mount: RigidTransform = MOUNT, frame: str = "lidar", count: int = 200
) -> tuple[Cloud, np.ndarray]:
    """Fixed places of the map as the moving sensor sees them, each at a time of its own; and these places."""
    rng = np.random.default_rng(3)
    places = MAP + rng.uniform(-40, 40, (count, 3))
    own_ns = rng.integers(-50, 50, count) * MS + 400 * MS
    cos, sin = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    in_vehicle = places - MAP - (own_ns / 1e9)[:, None] * SPEED
    points = (in_vehicle - np.array(mount.translation)) @ turn
    return Cloud(points=points.astype(np.float32), fields={"time_ns": own_ns}, frame=frame, total=count), places


def test_corrected_points_lie_where_they_are_in_the_map_within_millimetres(ground: Ground) -> None:
    cloud, places = measured_while_driving()
    assert np.abs(np.array(ground.origin) - MAP).max() < 3
    placed = ground.place(cloud, stream("lidar"), 4, 400 * MS, correct=True)
    assert placed.correction is Correction.ON
    assert np.abs(placed.points + np.array(ground.origin) - places).max() < 2e-3 + 0.03  # UTM in float32 would be 0.5
    assert np.median(np.abs(placed.points + np.array(ground.origin) - places)) < 1e-4
    raw = ground.place(cloud, stream("lidar"), 4, 400 * MS, correct=False)
    late = (cloud.fields["time_ns"] - 400 * MS) / 1e9
    assert np.abs((placed.points - raw.points) - late[:, None] * SPEED).max() < 0.01


def test_two_lidars_see_the_same_places_in_one_scene(ground: Ground) -> None:
    for cloud, places in (measured_while_driving(), measured_while_driving(2.6, REAR, "lidar_rear")):
        placed = ground.place(cloud, stream(cloud.frame), 4, 400 * MS, correct=True)
        assert np.median(np.abs(placed.points + np.array(ground.origin) - places)) < 1e-4
        x, y, z = (np.array(placed.sensor) + ground.origin - MAP).tolist()
        mount = MOUNT if cloud.frame == "lidar" else REAR
        assert np.allclose((x, y, z), np.array(mount.translation) + 0.4 * SPEED, atol=1e-6)


def test_a_stream_with_another_clock_is_corrected_on_its_own(ground: Ground) -> None:
    cloud, places = measured_while_driving()
    shifted = Cloud(
        points=cloud.points, fields={"time_ns": cloud.fields["time_ns"] - 7_000 * MS}, frame="lidar", total=cloud.total
    )
    placed = ground.place(shifted, stream("lidar", at_ns=7_000 * MS), 4, -6_600 * MS, correct=True)
    assert placed.session_ns == 400 * MS
    assert np.median(np.abs(placed.points + np.array(ground.origin) - places)) < 1e-4


@pytest.mark.parametrize(
    ("fields", "own_ns", "said"),
    [({}, 400 * MS, Correction.NO_TIMES), ({"time_ns": np.full(3, 9_000 * MS)}, 400 * MS, Correction.NO_POSES)],
)
def test_what_cannot_be_corrected_says_so_and_stays(
    ground: Ground, fields: dict[str, np.ndarray], own_ns: int, said: Correction
) -> None:
    cloud = Cloud(points=np.ones((3, 3), np.float32), fields=fields, frame="lidar", total=3)
    placed = ground.place(cloud, stream("lidar"), 0, own_ns, correct=True)
    assert placed.correction is said
    same = ground.place(cloud, stream("lidar"), 0, own_ns, correct=False)
    assert np.array_equal(placed.points, same.points)


def test_a_sweep_that_has_no_place_is_refused_with_the_reason(ground: Ground) -> None:
    cloud = Cloud(points=np.ones((3, 3), np.float32), frame="lidar", total=3)
    with pytest.raises(DataError, match=r"sweep 7 cannot be placed.*no pose"):
        ground.place(cloud, stream("lidar"), 7, 5_000 * MS, correct=True)
    lost = Cloud(points=np.ones((3, 3), np.float32), frame="roof", total=3)
    with pytest.raises(DataError, match="no frame is called 'roof'"):
        ground.place(lost, stream("roof"), 0, 0, correct=True)


def test_points_without_a_place_are_left_out_and_the_others_keep_their_number() -> None:
    ground = Ground.of(Calibration(), FrameTree(Calibration()), {}, lead="", first_ns=0)
    points = np.array([[1, 2, 3], [np.nan, 0, 0], [4, 5, np.inf], [7, 8, 9]], np.float32)
    intensity = np.arange(4.0)
    cloud = Cloud(points=points, origin=tuple(MAP), fields={"intensity": intensity}, total=4)  # type: ignore[arg-type]
    placed = ground.place(cloud, stream(""), 0, None, correct=True)
    assert ground.origin == tuple(MAP)
    assert placed.points.tolist() == [[1, 2, 3], [7, 8, 9]]
    assert placed.rows is not None
    assert placed.rows.tolist() == [0, 3]
    assert placed.columns["intensity"].tolist() == [0, 3]
    assert (placed.low, placed.high) == ((1, 2, 3), (7, 8, 9))
    nothing = Cloud(points=np.full((2, 3), np.nan, np.float32), total=2)
    assert len(ground.place(nothing, stream(""), 0, None, correct=True).points) == 0


# --- which are shown -----------------------------------------------------------------------------------------------


@pytest.fixture
def sweeps(tmp_path: Path) -> Iterator[Session]:
    """Six sweeps of two points, 0.1 s apart; the third file is cut off, and the fifth is missing."""
    project = new_project(tmp_path / "p", profile="driving", ontology="driving", in_force=True, person="Ana")
    with open_project(project, kind=ActorKind.IMPORT, tool="demo") as session:
        media = session.project.media_folder / "s"
        files = []
        for sweep in (0, 1, 2, 3, 5):
            path = media / f"{sweep:03d}.pcd"
            x = np.array([sweep, sweep + 0.5], np.float32)
            write_pcd(path, {"x": x, "y": x * 0, "z": x * 0})
            if sweep == 2:
                path.write_bytes(path.read_bytes()[:-7])
            files.append(path)
        (media / "times.csv").write_text("sweep,time_ns\n" + "".join(f"{i},{i * 100 * MS}\n" for i in (0, 1, 2, 3, 5)))
        with session.together("Build") as run:
            run("sample.add", key="s")
            held = [record_file(session.project.path, path) for path in files]
            run("stream.add", sample="s", key="lidar", kind=StreamKind.CLOUD, files=_plain(held), frame="lidar",
                options={"times": "times.csv", "frame": "lidar"})  # fmt: skip
        yield session


def _plain(files: list[object]) -> object:
    import msgspec

    return msgspec.to_builtins(tuple(files))


class Owner:
    """Receives what workers bring, as the window's thread does."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._waiting: list[tuple[Callable[[object], None], object]] = []

    def carry(self, receive: Callable[[object], None], value: object) -> None:
        with self._arrived:
            self._waiting.append((receive, value))
            self._arrived.notify_all()

    def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            with self._arrived:
                assert self._arrived.wait_for(lambda: bool(self._waiting), 20)
                receive, value = self._waiting.pop(0)
            receive(value)


def test_each_moment_shows_its_own_sweep_and_a_gap_or_a_broken_file_shows_none(sweeps: Session) -> None:
    sample = sweeps.open_sample("s")
    view, owner = SampleView(sweeps.store, sample), Owner()
    with OpenStreams(sweeps.project.path) as readers:
        layers = CloudLayers.open(view, readers, PlacedCuboids(view, readers), owner.carry, lambda layer: None)
        lead = layers.lead
        assert lead is not None
        for at_ms, expected in ((0, 0), (99, 0), (100, 1), (340, 3), (510, 4), (20, 0)):
            lead.seek(at_ms * MS, Ways())
            owner.until(lambda: not lead.pending)
            assert lead.shown is not None
            assert lead.shown.now.index == expected
            number = (0, 1, 2, 3, 5)[expected]
            assert lead.shown.now.points[:, 0].tolist() == [number, number + 0.5]
        lead.seek(450 * MS, Ways())
        assert lead.shown is None  # at once, not when something comes
        assert lead.now.nearest is not None
        assert lead.now.nearest.index == 4
        lead.seek(250 * MS, Ways())
        owner.until(lambda: not lead.pending)
        assert lead.shown is None
        assert "002.pcd" in lead.trouble
        lead.seek(300 * MS, Ways(before=5, after=5))
        owner.until(lambda: not lead.pending)
        assert lead.shown is not None
        assert [each.index for each in lead.shown.around] == [0, 1, 4]
        assert "002.pcd" in lead.shown.left_out  # it is left out, and that is said
        layers.close()


def test_a_sample_is_left_while_its_sweep_is_still_being_read(sweeps: Session) -> None:
    sample = sweeps.open_sample("s")
    view, owner = SampleView(sweeps.store, sample), Owner()
    changed: list[object] = []
    with OpenStreams(sweeps.project.path) as readers:
        layers = CloudLayers.open(view, readers, PlacedCuboids(view, readers), owner.carry, changed.append)
        lead = layers.lead
        assert lead is not None
        with readers.turn(lead.stream):  # the file takes its time
            lead.seek(0, Ways())
            layers.close()
            assert not layers.layers
        owner.until(lambda: True)
    assert changed == []


# --- colours, and what moves ---------------------------------------------------------------------------------------


def test_colours_rise_with_what_they_stand_for_and_no_value_is_grey() -> None:
    scale = Scale(ColourBy.INTENSITY, 0.0, 10.0)
    low, high, beyond, unknown = scale.colouring()(np.array([0.0, 10.0, 99.0, np.nan])).tolist()
    assert low == scale.stops[0].tolist()
    assert high == beyond == scale.stops[-1].tolist()
    assert len(set(unknown)) <= 3
    assert unknown not in (low, high)
    lightness = scale.colouring()(np.linspace(0, 10, 50)).astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > -2).all()  # also told apart by those who see no colour


def test_classes_of_a_survey_are_told_apart_and_unclassified_points_are_grey(ground: Ground) -> None:
    fields = {"classification": np.array([0, 1, 2, 6, 2], np.uint8), "rgb": np.zeros((5, 3), np.uint8)}
    cloud = Cloud(points=np.ones((5, 3), np.float32), fields=fields, frame="lidar", total=5)
    sweep = ground.place(cloud, stream("lidar"), 0, 0, correct=False)
    never, unclassified, soil, roof, soil_too = colours_of(ColourBy.CLASS, sweep, Scales(), 0.0, (9, 9, 9)).tolist()
    assert never == unclassified
    assert soil == soil_too
    assert soil not in (roof, never)
    assert roof != never
    assert colours_of(ColourBy.FILE, sweep, Scales(), 0.0, (9, 9, 9)).min() > 16  # black is seen on the dark ground


def test_a_point_among_very_many_has_the_colour_it_has_among_few(ground: Ground) -> None:
    rng = np.random.default_rng(6)
    points = rng.uniform(-60, 60, (140_001, 3)).astype(np.float32)
    fields = {"intensity": rng.integers(0, 65_536, len(points)).astype(np.uint16)}
    some = rng.permutation(len(points))[:900]
    scales = Scales()
    all_of_them, few = (
        ground.place(
            Cloud(points=points[rows], fields={"intensity": fields["intensity"][rows]}, frame="lidar"),
            stream("lidar"), 0, 0, correct=False,
        )
        for rows in (np.arange(len(points)), some)
    )  # fmt: skip
    for by in (ColourBy.HEIGHT, ColourBy.DISTANCE, ColourBy.INTENSITY, ColourBy.STREAM):
        whole, part = (colours_of(by, each, scales, 0.0, (9, 8, 7)) for each in (all_of_them, few))
        assert np.array_equal(whole[some], part), by
        assert by is ColourBy.STREAM or len(np.unique(whole, axis=0)) > 50


def test_scales_stay_the_same_from_sweep_to_sweep(ground: Ground) -> None:
    scales = Scales()
    first, second = (
        ground.place(
            Cloud(points=np.ones((50, 3), np.float32), fields={"intensity": np.linspace(0, top, 50)}, frame="lidar"),
            stream("lidar"), 0, 0, correct=False,
        )
        for top in (10.0, 90.0)
    )  # fmt: skip
    one = scales.scale(ColourBy.INTENSITY, first, 0.0)
    assert scales.scale(ColourBy.INTENSITY, second, 0.0) == one
    assert ColourBy.INTENSITY in available([first])
    assert ColourBy.RING not in available([first])


def test_velocities_of_a_radar_count_along_its_rays_and_can_be_coloured(ground: Ground) -> None:
    """Data sets give (vx, vy) in the sensor's axes; the speed away from it is what is drawn, red away, blue towards."""
    points = np.array([(10.0, 0.0, 0.0), (0.0, 20.0, 0.0), (-3.0, -4.0, 0.0), (5.0, 5.0, 1.0)], np.float32)
    velocity = np.array([(4.0, 1.0), (7.0, -2.5), (-3.0, -4.0), (np.nan, 0.0)], np.float32)
    cloud = Cloud(points=points, fields={"velocity": velocity}, frame="lidar", total=4)
    sweep = ground.place(cloud, stream("lidar"), 0, 0, correct=False)
    assert np.allclose(sweep.columns["velocity"], (4.0, -2.5, 5.0, np.nan), equal_nan=True)
    colours = colours_of(ColourBy.VELOCITY, sweep, Scales(), 0.0, (1, 2, 3)).astype(int)
    away, towards = colours[[0, 2]], colours[1]
    assert (away[:, 0] > away[:, 2]).all()
    assert towards[2] > towards[0]


def test_only_what_moved_is_left_out_of_the_sweeps_around() -> None:
    level = np.tile([1.0, 0, 0, 0], (3, 1))
    then = Boxes(
        ("parked", "driven", "gone"), np.array([[0.0, 0, 0], [10, 0, 0], [20, 0, 0]]), np.full((3, 3), 2.0), level
    )
    now = Boxes(("driven", "parked"), np.array([[11.0, 0, 0], [0.05, 0, 0]]), np.full((2, 3), 2.0), level[:2])
    assert moving_rows(then, now) == [1]
    ground = Ground.of(Calibration(), FrameTree(Calibration()), {}, lead="", first_ns=0)
    points = np.array([[0, 0, 0], [10.5, 0.5, 0], [5, 0, 0]], np.float32)
    sweep = ground.place(Cloud(points=points, total=3), stream(""), 0, None, correct=False)
    painting = Painting(by=ColourBy.HEIGHT, ground_m=0.0, scales=Scales())
    wanted = SweepWanted(key="k", sweep=sweep, current=False, stream_colour=(1, 2, 3), size_px=2, without=(then, (1,)))
    kept, rows, colours = Coloured().get(wanted, painting)
    assert kept[:, 0].tolist() == [0, 5]
    assert rows is not None
    assert rows.tolist() == [0, 2]
    assert len(colours) == 2


def test_counting_all_boxes_at_once_is_counting_each(ground: Ground) -> None:
    rng = np.random.default_rng(5)
    points = rng.uniform(-20, 20, (4_000, 3)).astype(np.float32)
    cloud = Cloud(points=points, origin=tuple(MAP), frame="map", total=4_000)  # type: ignore[arg-type]
    sweep = ground.place(cloud, stream("map"), 0, 0, correct=False)
    rotations = rng.normal(size=(12, 4))
    rotations /= np.linalg.norm(rotations, axis=1, keepdims=True)
    boxes = Boxes(tuple("abcdefghijkl"), rng.uniform(-30, 30, (12, 3)), rng.uniform(0.5, 9, (12, 3)), rotations)
    together = counts(boxes, [sweep, sweep])
    assert together is not None
    w, x, y, z = rotations.T
    for row in range(12):
        ahead = np.array([1 - 2 * (y[row] ** 2 + z[row] ** 2), 2 * (x[row] * y[row] + w[row] * z[row]),
                          2 * (x[row] * z[row] - w[row] * y[row])])  # fmt: skip
        within = np.abs((sweep.points - boxes.centers[row]) @ ahead) <= boxes.sizes[row, 0] / 2
        alone = boxes.inside(sweep.points, (row,)) >= 0
        assert together[row] == 2 * alone.sum()
        assert not (alone & ~within).any()
    assert together.sum() > 0
