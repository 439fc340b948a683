"""The demo drive holds what was published, where and when it was published; computed here from the files alone."""

from __future__ import annotations

import json
import re
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from workstation import open_project
from workstation.app import demo as demos
from workstation.app import demo_drive
from workstation.app.demo import make_demo
from workstation.app.demo_points import points_by_class
from workstation.app.jobs import Cancelled
from workstation.app.scenery import Scenery
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.core.annotation import Annotation, State
from workstation.core.errors import DataError, UserError
from workstation.core.geometry import Cuboid, PointSet
from workstation.core.ids import AnnotationId
from workstation.core.pixels import point_indices
from workstation.core.projection import cuboid_corners, project
from workstation.core.records import RecordKind
from workstation.core.rights import ActorKind
from workstation.core.sample import GateState, Stream

CAMERAS = ("back_camera", "front_camera", "front_left_camera", "front_right_camera")
LEAD_CAR = "8ac00bad"
Json = dict[str, Any]


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def stream_of(session: Session, key: str) -> Stream:
    (sample,) = session.store.samples()
    found = session.store.stream_by_key(sample.id, key)
    assert found is not None
    return found


def tracks_of(session: Session) -> dict[str, Annotation]:
    """By the published id of the track."""
    (sample,) = session.store.samples()
    found = session.store.annotations(sample.id)
    return {str(each.source.parameters["uuid"]): each for each in found if each.track is not None}


def published_tracks(published: Path) -> dict[str, list[tuple[int, Json]]]:
    tracks = defaultdict(list)
    for frame in read_json(published / "labels" / "cuboids.json")["frames"]:
        for each in frame["objects"]:
            tracks[each["uuid"]].append((round(frame["t_s"] * 1e9), each))
    return dict(tracks)


def published_corners(cuboid: Json) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(8, 3) in the published axes: x right, y forward, z up; the length along y."""
    width, length, height = cuboid["size_wlh"]
    signs = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
    local = signs * np.array([width, length, height]) / 2
    c, s = np.cos(cuboid["yaw_ego"]), np.sin(cuboid["yaw_ego"])
    turned: np.ndarray[Any, np.dtype[np.float64]] = local @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T
    turned += np.array(cuboid["center_ego"])
    return turned


def alike(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], within: float) -> bool:
    """The same points in any order."""
    away = np.linalg.norm(a[:, None] - b[None], axis=-1)
    return bool(away.min(axis=0).max() < within and away.min(axis=1).max() < within)


def test_every_picture_is_placed_at_its_published_capture_time(demo_session: Session, published: Path) -> None:
    times = read_json(published / "timestamps.json")
    for key in CAMERAS:
        stream = stream_of(demo_session, key)
        with av.open(str(demo_session.project.path / stream.files[0].path)) as film:
            track = film.streams.video[0]
            pts = sorted(packet.pts for packet in film.demux(track) if packet.pts is not None)
            assert track.time_base is not None
            own = [round(each * track.time_base * 1_000_000_000) for each in pts]
        assert len(own) == 80
        for own_ns, seconds in zip(own, times[key]["t_s"], strict=True):
            assert abs(stream.time_map.to_session(own_ns) - round(seconds * 1e9)) <= 1000
        assert stream.time_map.residual_ns is not None
        assert stream.epoch_ns == 1557539956_400135000 + round(times[key]["t_s"][0] * 1e9)


def test_missing_sweeps_are_gaps_and_nothing_stands_in_for_them(demo_session: Session, published: Path) -> None:
    times = read_json(published / "timestamps.json")["lidar"]
    stream = stream_of(demo_session, "lidar")
    there = [round(t * 1e9) for i, t in enumerate(times["t_s"]) if i not in times["missing_sweeps"]]
    with OpenStreams(demo_session.project.path) as readers:
        reader: Any = readers.reader(stream)
        assert reader.table.times_ns.tolist() == there
        gaps = [(round(times["t_s"][a] * 1e9), round(times["t_s"][b] * 1e9)) for a, b in ((55, 59), (70, 72))]
        assert [(gap.start_ns, gap.end_ns) for gap in reader.info.gaps] == gaps
        for sweep in times["missing_sweeps"]:
            assert reader.item_at(round(times["t_s"][sweep] * 1e9) + 1_000_000) is None


def test_points_are_the_published_ones_turned_to_face_forward(demo_session: Session, published: Path) -> None:
    with OpenStreams(demo_session.project.path) as readers:
        reader: Any = readers.reader(stream_of(demo_session, "lidar"))
        for index, name in ((0, "00.pcd"), (56, "59.pcd"), (75, "79.pcd")):
            data = (published / "lidar" / name).read_bytes()
            given = np.frombuffer(data[data.index(b"DATA binary\n") + 12 :], "<f4").reshape(-1, 4)
            cloud = reader.cloud(index)
            assert cloud.frame == "ego"
            assert np.array_equal(cloud.points, np.column_stack([given[:, 1], -given[:, 0], given[:, 2]]))
            assert np.array_equal(cloud.fields["intensity"], given[:, 3])


def test_every_published_cuboid_is_there_with_its_corners(demo_session: Session, published: Path) -> None:
    stored, given = tracks_of(demo_session), published_tracks(published)
    assert stored.keys() == given.keys()
    assert sum(map(len, given.values())) == 9365
    for uuid, cuboids in given.items():
        keyframes = demo_session.store.keyframes(stored[uuid].id)
        assert [each.time_ns for each in keyframes] == [time_ns for time_ns, _ in cuboids]
        for keyframe, (_, cuboid) in list(zip(keyframes, cuboids, strict=True))[::13]:
            assert isinstance(keyframe.shape, Cuboid)
            x, y, z = published_corners(cuboid).T
            assert alike(cuboid_corners(keyframe.shape), np.column_stack([y, -x, z]), 1e-6)


def test_the_lead_car_is_as_far_ahead_as_was_measured(demo_session: Session) -> None:
    (track,) = [each for uuid, each in tracks_of(demo_session).items() if uuid.startswith(LEAD_CAR)]
    keyframes = demo_session.store.keyframes(track.id)
    for sweep, metres in ((0, 12.93), (20, 17.76), (40, 20.99), (60, 21.57), (79, 23.95)):
        shape = keyframes[sweep].shape
        assert isinstance(shape, Cuboid)
        assert np.hypot(*shape.center[:2]) == pytest.approx(metres, abs=0.02)
        assert abs(shape.center[1]) < 0.1 * shape.center[0], "straight ahead"


def test_both_sensors_cuboids_stay_and_their_pairing_is_only_proposed(demo_session: Session, published: Path) -> None:
    given = published_tracks(published)
    (sample,) = demo_session.store.samples()
    stored = tracks_of(demo_session)
    uuid_of = {each.id: uuid for uuid, each in stored.items()}
    pairs = {
        frozenset((uuid, each["sibling_uuid"]))
        for uuid, rows in given.items()
        for _, each in rows
        if each.get("sibling_uuid") in given and each["sibling_uuid"] != uuid
    }
    links = demo_session.store.links(sample.id)
    assert {frozenset(uuid_of[AnnotationId(end.target)] for end in link.ends) for link in links} == pairs
    assert {link.state for link in links} == {State.PROPOSED}
    assert len({stored[uuid].entity for uuid in given}) == 128
    entities = {each.id: each.class_id for each in demo_session.store.entities(sample.id)}
    rider = [each for uuid, each in stored.items() if uuid[:8] in ("410fda6c", "554fda8c")]
    assert {entities[each.entity] for each in rider if each.entity is not None} == {"motorcycle", "bicycle"}


def test_what_a_thing_does_is_said_and_changes_where_it_was_published(demo_session: Session, published: Path) -> None:
    words = {"Parked": "parked", "Stopped": "stopped", "Moving": "moving", "Walking": "walking", "Standing": "standing"}
    stored = tracks_of(demo_session)
    changing = 0
    for uuid, cuboids in published_tracks(published).items():
        keyframes = {each.time_ns: each for each in demo_session.store.keyframes(stored[uuid].id)}
        for theirs, ours in (("object_motion", "motion"), ("pedestrian_behavior", "pedestrian_state")):
            now = stored[uuid].attributes.get(ours)
            changing += len({each.get(theirs) for _, each in cuboids}) > 1
            for time_ns, each in cuboids:
                now = keyframes[time_ns].attributes.get(ours, now)
                assert now == (words[each[theirs]] if each.get(theirs) else None)
    assert changing == 4


@pytest.mark.slow
def test_a_standing_thing_falls_where_the_published_matrices_put_it(demo_session: Session, published: Path) -> None:
    """The static mounting and the poses do what the publisher's own matrix for every sweep does."""
    numbers = read_json(published / "calibration.json")["cameras"]
    times = read_json(published / "timestamps.json")
    (sample,) = demo_session.store.samples()
    compared = 0
    with OpenStreams(demo_session.project.path) as readers:
        scenery = Scenery(demo_session, sample.id, readers)
        for key in CAMERAS:
            camera, lens = scenery.calibration.camera(key), numbers[key]
            for sweep in (3, 30, 50, 57, 70):
                taken_ns = round(times[key]["t_s"][sweep] * 1e9)
                placed = {str(p.annotation.source.parameters["uuid"]): p for p in scenery.cuboids_at(taken_ns)}
                matrix = np.array(lens["T_cam_from_ego_per_sweep"][sweep])
                frame = read_json(published / "labels" / "cuboids.json")["frames"][sweep]
                for cuboid in [each for each in frame["objects"] if each.get("object_motion") == "Parked"]:
                    corners = np.column_stack([published_corners(cuboid), np.ones(8)]) @ matrix.T
                    if corners[:, 2].min() < 6 or cuboid["uuid"] not in placed:
                        continue
                    wanted = corners[:, :2] / corners[:, 2:3] * (lens["fx"], lens["fy"]) + (lens["cx"], lens["cy"])
                    ours = placed[cuboid["uuid"]]
                    camera_from_frame = scenery.transform(key, ours.frame, taken_ns)
                    assert camera_from_frame is not None
                    if not ((wanted > -100) & (wanted < (1060, 640))).all():
                        continue
                    found = project(camera, cuboid_corners(ours.cuboid), camera_from_frame=camera_from_frame)
                    # OpenCV counts pixels from the middle of the first one, we from its corner.
                    assert alike(found.pixels - 0.5, wanted, 6.0), (key, sweep, cuboid["uuid"])
                    compared += 1
    assert compared > 100


def test_the_white_lead_car_is_inside_of_its_projected_cuboid(demo_session: Session) -> None:
    (sample,) = demo_session.store.samples()
    stream = stream_of(demo_session, "front_camera")
    with OpenStreams(demo_session.project.path) as readers:
        scenery = Scenery(demo_session, sample.id, readers)
        reader: Any = readers.reader(stream)
        for index in (5, 30, 50, 75):
            taken_ns = stream.time_map.to_session(int(reader.table.times_ns[index]))
            (car,) = [
                each
                for each in scenery.cuboids_at(taken_ns)
                if str(each.annotation.source.parameters["uuid"]).startswith(LEAD_CAR)
            ]
            way = scenery.transform("front_camera", car.frame, taken_ns)
            assert way is not None
            corners = project(
                scenery.calibration.camera("front_camera"), cuboid_corners(car.cuboid), camera_from_frame=way
            )
            left, top = corners.pixels.min(axis=0)
            right, bottom = corners.pixels.max(axis=0)
            grey = reader.picture(index).pixels.astype(float).mean(axis=2)
            width, height = right - left, bottom - top

            def bright(x0: float, x1: float, y0: float, y1: float, grey: Any = grey) -> float:
                part = grey[round(y0) : round(y1), round(x0) : round(x1)]
                return float(np.percentile(part, 80))

            tailgate = bright(left + 0.3 * width, left + 0.7 * width, top + 0.45 * height, top + 0.75 * height)
            road = bright(left + 0.3 * width, left + 0.7 * width, bottom + 0.15 * height, bottom + 0.4 * height)
            assert tailgate > road + 40, index


def test_the_project_is_ready_for_the_first_label(demo_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "mine"
    shutil.copytree(demo_folder, copy)
    with open_project(copy, kind=ActorKind.PERSON) as session:
        (sample,) = session.store.samples()
        assert session.store.ontology() is not None
        sync = sample.gates["sync"]
        assert sync.state is GateState.VERIFIED
        measured = re.search(r"beeps of the commentary begin within ([0-9.]+) ms", sync.reason)
        assert measured is not None
        assert float(measured[1]) < 2.0, "they were made to begin on the picture"
        assert sample.gates["calibration"].state is GateState.DECLARED
        made = session.run(
            "annotation.add", sample="sf_drive", stream="front_camera", class_id="car",
            shape={"kind": "box", "x": 430, "y": 200, "width": 60, "height": 50}, start_ns=0,
        )  # fmt: skip
        assert session.store.require(RecordKind.ANNOTATION, made) is not None
        assert session.undo() is not None


def test_the_labels_say_where_they_come_from(demo_session: Session) -> None:
    for uuid, track in tracks_of(demo_session).items():
        assert track.source.kind == "import"
        assert track.source.name == "PandaSet"
        assert uuid in track.source.parameters.values()
    (sample,) = demo_session.store.samples()
    for stream in demo_session.store.streams(sample.id):
        assert stream.licence.startswith(("CC BY 4.0", "CC0"))


def test_turns_are_placed_to_the_sample_and_keep_their_languages(demo_session: Session, published: Path) -> None:
    phrases = read_json(published / "text" / "narration.json")["phrases"]
    (sample,) = demo_session.store.samples()
    stream = stream_of(demo_session, "commentary")
    turns = sorted(demo_session.store.annotations(sample.id, stream=stream.id), key=lambda each: each.start_ns or 0)
    assert [(t.text, t.language, t.start_ns, t.end_ns) for t in turns] == [
        (p["text"], p["lang"], round(p["start_s"] * 1e9), round(p["end_s"] * 1e9)) for p in phrases
    ]
    assert [word.text for word in demo_session.store.words(turns[2].id)] == ["Cuidado", "con", "la", "moto."]


def test_a_demo_that_is_there_is_left_as_it_is(demo_folder: Path) -> None:
    before = (demo_folder / "project.yaml").stat().st_mtime_ns
    again = make_demo(demo_folder)
    assert not again.new
    assert (demo_folder / "project.yaml").stat().st_mtime_ns == before


def test_nothing_is_written_into_a_folder_in_use(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all my work")
    with pytest.raises(UserError, match="name another folder"):
        make_demo(tmp_path / "mine")
    assert [each.name for each in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]
    with pytest.raises(UserError, match="no scene"):
        make_demo(tmp_path / "other", scene="moon")


def test_a_demo_that_cannot_be_finished_leaves_nothing(
    tmp_path: Path, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    shutil.copytree(published, source)
    calibration = source / "calibration.json"
    calibration.write_text(calibration.read_text().replace('"fx"', '"focal"'))
    monkeypatch.setattr(demos, "resource", lambda *_parts: source)
    with pytest.raises(UserError, match=r"calibration\.json"):
        make_demo(tmp_path / "drive")
    (source / "lidar" / "10.pcd").unlink()
    with pytest.raises(UserError, match="sweeps 10 "):
        make_demo(tmp_path / "drive")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["source"]


def test_nothing_is_said_that_was_not_published(demo_session: Session) -> None:
    """The source knows nothing of occlusion or truncation: no label says "none" or "whole" for it."""
    for track in tracks_of(demo_session).values():
        assert track.attributes["occlusion"] == "unknown"
        assert "truncated" not in track.attributes


def test_point_classes_hold_exactly_the_published_points(demo_session: Session, published: Path) -> None:
    names = read_json(published / "labels" / "semseg_classes.json")["classes"]
    (sample,) = demo_session.store.samples()
    times = [round(each * 1e9) for each in read_json(published / "timestamps.json")["lidar"]["t_s"]]
    sets = [each for each in demo_session.store.annotations(sample.id) if isinstance(each.shape, PointSet)]
    assert {times.index(each.start_ns or 0) for each in sets} == set(range(0, 80, 10))
    for sweep, class_id, published_as in ((0, "car", ("Car",)), (40, "drivable_area", ("Road",))):
        (found,) = [e for e in sets if e.start_ns == times[sweep] and e.class_id == class_id]
        numbers = [int(number) for number, name in names.items() if name in published_as]
        stored = np.fromfile(published / "labels" / f"{sweep:02d}.label", "<u4")
        assert isinstance(found.shape, PointSet)
        blob = demo_session.store.blob(found.shape.blob)
        assert blob is not None
        assert np.array_equal(point_indices(blob), np.flatnonzero(np.isin(stored, numbers)))


@pytest.mark.parametrize("size", [0, 3, 41, 44])
def test_a_list_of_point_classes_that_does_not_fit_is_refused(tmp_path: Path, size: int) -> None:
    (tmp_path / "00.label").write_bytes(bytes(size))
    with pytest.raises(DataError, match="10 points have 40"):
        points_by_class(tmp_path / "00.label", points=10, names={0: "car"})


def test_the_instance_in_the_upper_half_of_a_number_is_no_class(tmp_path: Path) -> None:
    np.array([7 | 3 << 16, 7, 8, 9 | 1 << 16], "<u4").tofile(tmp_path / "00.label")
    found = points_by_class(tmp_path / "00.label", points=4, names={7: "car", 9: "truck"})
    assert found == {"car": [0, 1], "truck": [3]}


def test_making_it_says_how_far_it_is_and_leaves_nothing_when_it_is_stopped(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def stop_half_way(done: int, total: int) -> None:
        told.append((done, total))
        if done * 2 > total:
            raise Cancelled

    with pytest.raises(Cancelled):
        make_demo(tmp_path / "drive", report=stop_half_way)
    assert list(tmp_path.iterdir()) == []
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    told.clear()
    assert make_demo(tmp_path / "drive", report=lambda done, total: told.append((done, total))).new
    assert told[-2] == (demo_drive.STEPS, demo_drive.STEPS)  # neither too many nor too few
    assert told[-1] == (1, 1)
