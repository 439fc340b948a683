"""Real samples as scenes: they hold what their publishers say of them, as other programs measured it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import pytest

from workstation import open_project
from workstation.app.calibrations import rigs_of
from workstation.app.demo import SCENES
from workstation.app.demo_ecg import Beat, read_beats
from workstation.app.demo_road import read_calibration
from workstation.app.reading import Formats
from workstation.app.resources import resource
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.core.annotation import SourceKind
from workstation.core.errors import DataError
from workstation.core.geometry import TextSpan
from workstation.core.poses import RigidTransform
from workstation.core.projection import project
from workstation.core.sample import GateState, Sample, Stream
from workstation.core.space import FrameTree, calibration_of
from workstation.media.base import AudioReader, CloudReader, ImageReader, SeriesReader, VideoReader, View

Opened = Callable[[str], tuple[Session, Sample, OpenStreams]]


@pytest.fixture(scope="module")
def opened(demo_once: Callable[[str], Path]) -> Iterator[Opened]:
    """A scene by name, made once, with its one sample and its readers."""
    with ExitStack() as stack:
        found: dict[str, tuple[Session, Sample, OpenStreams]] = {}

        def scene(name: str) -> tuple[Session, Sample, OpenStreams]:
            if name not in found:
                session = stack.enter_context(open_project(demo_once(name), read_only=True))
                readers = stack.enter_context(OpenStreams(session.project.path, readers=Formats().readers))
                (sample,) = session.store.samples()
                assert sample.key == SCENES[name].sample
                found[name] = session, sample, readers
            return found[name]

        yield scene


def stream_of(session: Session, sample: Sample, key: str) -> Stream:
    found = session.store.stream_by_key(sample.id, key)
    assert found is not None
    return found


@pytest.mark.slow
def test_the_electrocardiogram_has_its_leads_and_every_published_beat(opened: Opened) -> None:
    session, sample, readers = opened("ecg")
    reader = readers.reader(stream_of(session, sample, "leads"))
    assert isinstance(reader, SeriesReader)
    assert [(each.name, each.unit) for each in reader.channels] == [("MLII", "mV"), ("V5", "mV")]
    assert len(reader.times_ns) == 650_000
    marks = sorted(session.store.annotations(sample.id), key=lambda each: each.start_ns or 0)
    assert Counter(each.class_id for each in marks) == {
        "normal_beat": 2239, "atrial_premature_beat": 33, "ventricular_premature_beat": 1, "rhythm_change": 1,
    }  # fmt: skip
    times = reader.times_ns.tolist()
    assert [each.start_ns for each in marks[:5]] == [times[n] for n in (18, 77, 370, 662, 946)]
    assert all(each.start_ns == each.end_ns for each in marks)
    assert {each.source.kind for each in marks} == {SourceKind.IMPORT}
    assert marks[0].attributes == {"rhythm": "(N"}


@pytest.mark.slow
def test_the_scan_of_the_road_lies_on_its_picture(opened: Opened) -> None:
    session, sample, readers = opened("road")
    assert {name: gate.state for name, gate in sample.gates.items()} == {
        "sync": GateState.DECLARED, "calibration": GateState.DECLARED,
    }  # fmt: skip
    cloud = readers.reader(stream_of(session, sample, "lidar"))
    picture = readers.reader(stream_of(session, sample, "camera"))
    assert isinstance(cloud, CloudReader)
    assert isinstance(picture, ImageReader)
    points = cloud.cloud(0).points
    pixels = picture.picture(View()).pixels
    assert (len(points), pixels.shape) == (101_340, (1200, 1920, 3))
    (rig,) = rigs_of(session, sample)
    calibration = calibration_of(rig.frames, rig.cameras)
    camera_from_lidar = FrameTree(calibration).transform("camera", "lidar", 0)
    assert isinstance(camera_from_lidar, RigidTransform)
    x, y, z = points.T
    tail = points[(x > 29) & (x < 30.5) & (y > 3.4) & (y < 6.4) & (z > -0.8)]
    seen = project(calibration.camera("camera"), tail, camera_from_frame=camera_from_lidar)
    # By OpenCV, from the numbers as they stand in the file.
    lines = resource("demo", "road", "calib.txt").read_text(encoding="ascii").splitlines()
    k, d, t = (np.array(line.split(":")[1].split(), float) for line in lines)
    turn, _ = cv2.Rodrigues(t.reshape(3, 4)[:, :3])
    expected, _ = cv2.projectPoints(tail.astype(float), turn, t.reshape(3, 4)[:, 3], k.reshape(3, 3), d)
    assert np.abs(seen.pixels - (expected[:, 0] + 0.5)).max() < 0.01
    # The box of the lorry's back, read off the picture by eye.
    assert seen.pixels.min(axis=0) == pytest.approx((582, 560), abs=6)
    assert seen.pixels.max(axis=0) == pytest.approx((767, 699), abs=6)


@pytest.mark.parametrize("text", ["", "K: 1 2\nD: 0\nT: 0", "K: x", "K: 1 0 1 0 1 1 0 0 1\nD: nan 0 0 0\nT: 1"])
def test_a_calibration_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calib.txt"
    path.write_text(text, encoding="ascii")
    with pytest.raises(DataError, match=r"calib\.txt"):
        read_calibration(path)


@pytest.mark.slow
def test_the_ultrasound_is_a_film_of_thirty_pictures(opened: Opened) -> None:
    session, sample, readers = opened("ultrasound")
    reader = readers.reader(stream_of(session, sample, "film"))
    assert isinstance(reader, VideoReader)
    assert reader.table.times_ns.tolist() == [33_333_000 * i for i in range(30)]
    pictures = np.stack([reader.picture(i, View()).pixels for i in range(30)])
    assert pictures.shape == (30, 240, 320, 3)
    assert pictures.dtype == np.uint8
    assert (pictures.min(), pictures.max()) == (0, 220)
    assert pictures.mean() == pytest.approx(10.5034, abs=0.02), "pydicom rounds colours in another way"
    assert sample.gates["sync"].state is GateState.VERIFIED
    assert not list(session.store.annotations(sample.id))


@pytest.mark.slow
def test_the_robots_episode_has_a_row_of_joints_for_every_picture(opened: Opened) -> None:
    session, sample, readers = opened("pick")
    film = readers.reader(stream_of(session, sample, "observation.images.cam_high"))
    assert isinstance(film, VideoReader)
    assert (len(film.table), film.picture(100, View()).pixels.shape) == (221, (480, 640, 3))
    for key in ("observation.state", "action"):
        joints = readers.reader(stream_of(session, sample, key))
        assert isinstance(joints, SeriesReader)
        assert (len(joints.channels), joints.channels[10].name) == (26, "kRightElbow")
        assert len(joints.times_ns) == 221
        assert joints.times_ns[-1] == pytest.approx(7.333333492279053e9, abs=1)
        assert np.abs(joints.times_ns - film.table.times_ns).max() < 100_000
    assert sample.gates["sync"].state is GateState.DECLARED
    (said,) = session.store.annotations(sample.id)
    assert said.class_id == "instruction"
    assert isinstance(said.shape, TextSpan)
    assert said.shape.quote == "Pick up the yellow bottle on the table."


@pytest.mark.slow
def test_the_flight_keeps_every_picture_and_every_sample_of_its_sound(opened: Opened) -> None:
    session, sample, readers = opened("ride")
    film = readers.reader(stream_of(session, sample, "film"))
    sound = readers.reader(stream_of(session, sample, "sound"))
    assert isinstance(film, VideoReader)
    assert isinstance(sound, AudioReader)
    assert len(film.table) == 362
    # A picture is 1001/30000 s; the camera wrote 1/90000 s, 3003 of them.
    assert film.table.times_ns.tolist() == [round(3003 * i * 1e9 / 90_000) for i in range(362)]
    assert film.picture(100, View()).pixels.shape == (270, 480, 3)
    assert (sound.sample_rate_hz, sound.channels, sound.frames) == (48_000, 2, 579_584)
    assert np.abs(sound.read(0, 48_000)).max() > 0
    assert sample.gates["sync"].state is GateState.DECLARED


def words(*pairs: tuple[int, int]) -> bytes:
    return b"".join((code << 10 | number).to_bytes(2, "little") for code, number in pairs)


def test_annotations_of_a_record_are_read_as_the_format_says(tmp_path: Path) -> None:
    path = tmp_path / "r.atr"
    skip = words((59, 0)) + (1).to_bytes(2, "little") + (5).to_bytes(2, "little")
    aside = words((60, 3), (61, 1), (62, 1), (63, 3)) + b"(N\0\0"
    path.write_bytes(words((28, 18)) + aside + skip + words((1, 7), (5, 1023), (0, 0), (9, 9)))
    assert read_beats(path) == [Beat(28, 18, "(N"), Beat(1, 18 + 65536 + 5 + 7), Beat(5, 66589)]


@pytest.mark.parametrize(
    "data", [b"", b"\x01", words((1, 5)), words((1, 5), (63, 900)), words((59, 0)), words((63, 2)) + b"(N"]
)
def test_annotations_that_were_cut_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "r.atr"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"r\.atr"):
        read_beats(path)
