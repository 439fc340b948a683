"""Files of the reference library, files written by the specification, and files that lie."""

from __future__ import annotations

import base64
import io
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap_bytes import MAGIC, Writer, channel, chunk, index, message, record, schema, whole
from PIL import Image

from workstation.app.proposing import proposed
from workstation.app.reading import Formats
from workstation.core.errors import DataError, UserError
from workstation.core.sample import StreamKind
from workstation.media.base import (
    AudioReader,
    CloudReader,
    OpenContext,
    OptionValue,
    Reader,
    SeriesReader,
    TextReader,
    TrajectoryReader,
    VideoReader,
    View,
)
from workstation.media.held import HeldText
from workstation.media.probe import open_stream
from workstation.media.proposal import StreamProposal

HERE = Path(__file__).parent
START = 1_700_000_000_000_000_000
STEP = 100_000_000


Opened = Callable[..., Reader]


@pytest.fixture
def opened(plugin: ModuleType) -> Iterator[Opened]:
    """Opens proposed streams and closes them after the test."""
    readers: list[Reader] = []

    def open_one(stream: StreamProposal, **more: OptionValue) -> Reader:
        options = {**stream.options, **more}
        reader = open_stream(stream.files, plugin.READERS, reader=stream.reader, options=options, context=OpenContext())
        readers.append(reader)
        return reader

    yield open_one
    for reader in readers:
        reader.close()


def streams(plugin: ModuleType, path: Path) -> dict[str, StreamProposal]:
    return {stream.key: stream for stream in plugin.propose_recording(path).streams}


@pytest.mark.parametrize("name", ["ros2_lz4.mcap", "ros2_zstd.mcap"])
def test_a_recording_of_the_reference_library(plugin: ModuleType, opened: Opened, name: str) -> None:
    sample = plugin.propose_recording(HERE / name)
    found = {stream.key: stream for stream in sample.streams}
    assert {key: stream.kind for key, stream in found.items()} == {
        "cam_image_compressed": StreamKind.VIDEO,
        "imu": StreamKind.SERIES,
        "lidar": StreamKind.CLOUD,
        "say": StreamKind.TEXT,
        "tf_base": StreamKind.TRAJECTORY,
    }
    camera = opened(found["cam_image_compressed"])
    assert isinstance(camera, VideoReader)
    assert [camera.value_at(i, 3, 3)[0] for i in range(6)] == [0, 40, 80, 120, 160, 200]
    assert camera.picture(2, View(width_px=4)).pixels.shape == (3, 4, 3)
    assert camera.table.times_ns.tolist() == [STEP * i for i in range(6)]
    lidar = opened(found["lidar"])
    assert isinstance(lidar, CloudReader)
    cloud = lidar.cloud(4)
    assert cloud.points.tolist() == [[4, i, 0] for i in range(5)]
    assert cloud.fields["time_ns"].tolist() == [4 * STEP + 1000 * i for i in range(5)]
    assert cloud.frame == "lidar"
    imu = opened(found["imu"])
    assert isinstance(imu, SeriesReader)
    assert np.allclose(imu.values("angular_velocity.x"), np.arange(6) * 0.1)
    assert {channel.name: channel.unit for channel in imu.channels}["linear_acceleration.z"] == "m/s²"
    said = opened(found["say"])
    assert isinstance(said, TextReader)
    assert said.text == "Grüß 0\nGrüß 3\n"
    moved = opened(found["tf_base"])
    assert isinstance(moved, TrajectoryReader)
    assert (moved.parent_frame, moved.child_frame) == ("odom", "base")
    assert np.allclose(moved.positions_m[:, 0], np.arange(6) * 0.1)
    mounts = {mount.frame.name: mount for mount in sample.rig.mounts}
    assert mounts["cam"].frame.parent_from_child.translation == (1.0, 0.0, 1.5)
    assert mounts["cam"].stated == "/tf_static: base from cam"
    assert mounts["base"].frame.trajectory == "tf_base"


def test_the_sensors_own_stamps_can_be_used(plugin: ModuleType, opened: Opened) -> None:
    stream = streams(plugin, HERE / "ros2_lz4.mcap")["cam_image_compressed"]
    by_stamp = opened(stream, stamp="header")
    assert by_stamp.info.epoch_ns == START - 5_000_000
    assert opened(stream).info.epoch_ns == START
    with pytest.raises(DataError, match="'stamp' is 'log' or 'header'"):
        opened(stream, stamp="best")
    with pytest.raises(DataError, match="stamp of its sensor"):
        opened(streams(plugin, HERE / "ros2_lz4.mcap")["say"], stamp="header")


def test_a_recording_cut_off_is_read_as_far_as_it_goes(plugin: ModuleType, opened: Opened, tmp_path: Path) -> None:
    data = (HERE / "ros2_zstd.mcap").read_bytes()
    path = tmp_path / "cut.mcap"
    counts = []
    for share in (0.4, 0.6, 0.8):
        path.write_bytes(data[: int(len(data) * share)])
        sample = plugin.propose_recording(path)
        assert any("ends before its summary" in note for note in sample.notes)
        counts.append(opened({s.key: s for s in sample.streams}["imu"]).info.count)
    assert counts == sorted(counts)
    assert 0 < counts[0] <= counts[-1] <= 6


def jpeg(value: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(file, "JPEG", quality=95)
    return file.getvalue()


def json_file() -> bytes:
    writer = Writer()
    picture = writer.topic("/cam", "foxglove.CompressedImage")
    sound = writer.topic("/mic", "foxglove.RawAudio")
    place = writer.topic("/fix", "foxglove.LocationFix")
    log = writer.topic("/log", "foxglove.Log")
    for i in range(4):
        at = START + STEP * i
        stamp = {"sec": at // 10**9, "nsec": at % 10**9}
        writer.say(picture, at, {"timestamp": stamp, "frame_id": "cam", "format": "jpeg", "data": _b64(jpeg(50 * i))})
        pcm = (np.arange(800, dtype="<i2") + 800 * i).tobytes()
        fields = {"timestamp": stamp, "format": "pcm-s16", "sample_rate": 8000, "number_of_channels": 1}
        writer.say(sound, at, {**fields, "data": _b64(pcm)})
        writer.say(place, at, {"timestamp": stamp, "latitude": 50.5 + i, "longitude": 8.25, "altitude": 100})
        writer.say(log, at, {"timestamp": stamp, "level": 2, "message": f"line {i}", "name": "planner"})
    return writer.bytes()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_json_messages_without_chunks(plugin: ModuleType, opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    path.write_bytes(json_file())
    found = streams(plugin, path)
    camera = opened(found["cam"])
    assert isinstance(camera, VideoReader)
    assert abs(camera.value_at(3, 4, 4)[0] - 150) <= 2
    sound = opened(found["mic"])
    assert isinstance(sound, AudioReader)
    assert (sound.frames, sound.sample_rate_hz, sound.channels) == (3200, 8000, 1)
    assert np.array_equal(sound.read(799, 1602)[:, 0] * 32768, np.arange(799, 1602))
    assert sound.sample_at(sound.time_of(1234)) == 1234
    assert sound.read(3000, 9999).shape == (200, 1)
    fix = opened(found["fix"])
    assert isinstance(fix, SeriesReader)
    assert fix.values("latitude").tolist() == [50.5, 51.5, 52.5, 53.5]
    words = opened(found["log"])
    assert isinstance(words, HeldText)
    assert words.parts[2].speaker == "planner"
    assert words.text.splitlines()[2] == "line 2"


RAW = "Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\nuint8[] data\n"
ROS1_HEADER = f"{'=' * 80}\nMSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id\n"


def ros1_image(encoding: str, width: int, height: int, step: int, data: bytes) -> bytes:
    word = lambda value: struct.pack("<I", len(value)) + value  # noqa: E731
    return (
        struct.pack("<III", 7, 1700000000, 5)
        + word(b"/cam")
        + struct.pack("<II", height, width)
        + word(encoding.encode())
        + struct.pack("<BI", 0, step)
        + word(data)
    )


@pytest.mark.parametrize(
    ("encoding", "pixel", "expected"),
    [
        ("rgb8", bytes([1, 2, 3]), (1, 2, 3)),
        ("bgr8", bytes([1, 2, 3]), (3, 2, 1)),
        ("bgra8", bytes([1, 2, 3, 4]), (3, 2, 1)),
        ("mono8", bytes([9]), (9,)),
        ("16UC1", struct.pack("<H", 1234), (1234,)),
        ("32FC1", struct.pack("<f", 2.5), (2.5,)),
    ],
)
def test_raw_pictures_of_ros_1(
    plugin: ModuleType, opened: Opened, tmp_path: Path, encoding: str, pixel: bytes, expected: tuple[float, ...]
) -> None:
    writer = Writer()
    number = writer.topic("/camera/image_raw", "sensor_msgs/Image", RAW + ROS1_HEADER, "ros1")
    row = pixel * 4 + b"\xee\xee"  # two bytes of padding a row
    for i in range(3):
        writer.say(number, START + i, ros1_image(encoding, 4, 3, len(row), row * 3))
    path = tmp_path / "a.mcap"
    path.write_bytes(writer.bytes())
    reader = opened(streams(plugin, path)["camera_image_raw"])
    assert isinstance(reader, VideoReader)
    assert (reader.width_px, reader.height_px) == (4, 3)
    assert reader.value_at(1, 3, 2) == expected
    assert reader.picture(1).pixels.dtype == np.uint8


INFO = (
    "std_msgs/Header header\nuint32 height\nuint32 width\nstring distortion_model\nfloat64[] d\nfloat64[9] k\n"
    f"{'=' * 80}\nMSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n"
)


def test_cameras_come_from_camera_info(plugin: ModuleType, tmp_path: Path) -> None:
    body = bytearray(struct.pack("<iI", 5, 6))
    for value in ("optical", "plumb_bob"):
        if value == "plumb_bob":
            body += bytes(-len(body) % 4) + struct.pack("<II", 480, 640)
        body += bytes(-len(body) % 4) + struct.pack("<I", len(value) + 1) + value.encode() + b"\0"
    body += bytes(-len(body) % 4) + struct.pack("<I", 5)
    body += bytes(-len(body) % 8) + struct.pack("<14d", -0.1, 0.01, 0, 0, 0, 500, 0, 320, 0, 510, 240, 0, 0, 1)
    writer = Writer()
    number = writer.topic("/front/camera_info", "sensor_msgs/msg/CameraInfo", INFO, "cdr")
    writer.say(number, START, b"\0\1\0\0" + bytes(body))
    text = writer.topic("/note", "std_msgs/msg/String", "string data\n", "cdr")
    writer.say(text, START, b"\0\1\0\0" + struct.pack("<I", 3) + b"hi\0")
    path = tmp_path / "a.mcap"
    path.write_bytes(writer.bytes())
    (camera,) = plugin.propose_recording(path).rig.cameras
    assert (camera.name, camera.frame, camera.width_px, camera.height_px) == ("optical", "optical", 640, 480)
    assert (camera.lens.fx, camera.lens.cx, camera.lens.k1) == (500, 320.5, -0.1)


def test_a_folder_of_recordings(plugin: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.mcap").write_bytes(json_file())
    (tmp_path / "broken.mcap").write_bytes(b"nothing")
    (tmp_path / "metadata.yaml").write_text("x: 1")
    assert plugin.recognise(tmp_path) > 0.5
    proposal = plugin.propose(tmp_path)
    assert [sample.key for sample in proposal.samples] == ["a"]
    assert {item.path.name: item.reason for item in proposal.skipped} == {
        "broken.mcap": "is no MCAP file",
        "metadata.yaml": "is no MCAP recording",
    }
    (tmp_path / "film.mp4").write_bytes(b"x")
    assert plugin.recognise(tmp_path) == 0


def test_a_topic_that_cannot_be_shown_is_told(plugin: ModuleType, tmp_path: Path) -> None:
    writer = Writer()
    unknown = writer.topic("/proto", "foxglove.CompressedImage", "x", "protobuf")
    writer.say(unknown, START, b"\x0a\x02hi")
    empty = writer.topic("/empty", "std_msgs/Empty")
    writer.say(empty, START, {})
    good = writer.topic("/speed", "std_msgs/Float64")
    writer.say(good, START, {"data": 1.5})
    path = tmp_path / "a.mcap"
    path.write_bytes(writer.bytes())
    sample = plugin.propose_recording(path)
    assert [stream.key for stream in sample.streams] == ["speed"]
    assert any(
        "/proto (foxglove.CompressedImage) is not shown: messages are encoded as 'protobuf'" in note
        for note in sample.notes
    )
    assert any("/empty" in note for note in sample.notes)


TOPIC = schema(1, "std_msgs/Float64", "jsonschema", b"") + channel(1, 1, "/x", "json")
SAID = message(1, START, json.dumps({"data": 1.5}).encode())


def test_chunks_with_and_without_an_index(plugin: ModuleType, opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    inner = TOPIC + SAID
    for parts in ((chunk(inner),), (chunk(inner), index(1, [(START, len(TOPIC))])), (chunk(TOPIC), chunk(SAID))):
        path.write_bytes(whole(*parts))
        reader = opened(streams(plugin, path)["x"])
        assert isinstance(reader, SeriesReader)
        assert reader.values("data").tolist() == [1.5]


HOSTILE = {
    "empty": (b"", "is no MCAP file"),
    "zeros": (bytes(200), "is no MCAP file"),
    "only the mark": (MAGIC, "holds no topic that can be shown"),
    "no topics": (whole(), "holds no topic that can be shown"),
    "a chunk bomb": (whole(chunk(TOPIC + SAID, size=1 << 40, compression="zstd")), "would unpack to"),
    "a wrong size": (whole(chunk(TOPIC + SAID, size=5)), "does not unpack to the size"),
    "broken packing": (whole(chunk(b"", size=100, compression="lz4", packed=bytes(50))), "cannot be unpacked"),
    "unknown packing": (whole(chunk(TOPIC, compression="brotli")), "is packed as 'brotli'"),
    "an index beyond": (whole(chunk(TOPIC + SAID), index(1, [(START, 10**9)])), "does not fit the chunk"),
    "a time beyond": (whole(TOPIC, message(1, (1 << 64) - 1, b"{}")), "has the time"),
    "a record in a record": (whole(chunk(TOPIC + b"\x05" + struct.pack("<Q", 1 << 50))), "longer than its chunk"),
    "a text too long": (whole(record(4, struct.pack("<HHI", 1, 1, 1 << 31))), "a record is damaged"),
    "a huge record": (whole(record(4, bytes((64 << 20) + 1))), "a record of"),
    "a schema that loops": (
        whole(
            schema(1, "a/B", "ros2msg", b"a/B b\n") + channel(1, 1, "/x", "cdr"),
            message(1, START, b"\0\1\0\0" + bytes(50)),
        ),
        "nested too deeply",
    ),
    "a list too long": (
        whole(
            schema(1, "a/B", "ros2msg", b"uint8[] b\n") + channel(1, 1, "/x", "cdr"),
            message(1, START, b"\0\1\0\0" + struct.pack("<I", 0xFFFFFFFF)),
        ),
        "a list of 4,294,967,295 items",
    ),
    "an unknown type": (
        whole(schema(1, "a/B", "ros2msg", b"c/D d\n") + channel(1, 1, "/x", "cdr"), message(1, START, b"\0\1\0\0")),
        "the type 'c/D' is not defined",
    ),
    "no message definition": (
        whole(schema(1, "a/B", "ros2msg", b"!?\n") + channel(1, 1, "/x", "cdr"), message(1, START, b"\0\1\0\0")),
        "has a line that cannot be read",
    ),
    "broken JSON": (whole(TOPIC, message(1, START, b"{")), "is not JSON"),
    "deep JSON": (whole(TOPIC, message(1, START, b"[" * 100_000)), "nested too deeply"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_are_one_sentence(plugin: ModuleType, tmp_path: Path, case: tuple[bytes, str]) -> None:
    data, sentence = case
    path = tmp_path / "a.mcap"
    path.write_bytes(data)
    with pytest.raises(DataError, match=sentence) as caught:
        plugin.propose_recording(path)
    assert "a.mcap" in str(caught.value)


@pytest.mark.parametrize(
    ("patch", "sentence"),
    [
        ({"width": 10**6}, "more than the limit|are not 1 rows"),
        ({"point_step": 0}, "are not 1 rows"),
        ({"row_step": 10**9}, "are not 1 rows"),
        ({"fields": [{"name": "x", "offset": 99, "datatype": 7, "count": 1}]}, "lies outside its point"),
        ({"fields": [{"name": "x", "offset": 0, "datatype": 99, "count": 1}]}, "unknown type"),
        ({"fields": []}, "not x, y, z"),
        ({"fields": "none"}, "does not say what its points hold"),
        ({"height": -1}, "which cannot be"),
        ({"data": "!"}, "no base 64"),
    ],
)
def test_clouds_that_lie_are_one_sentence(
    plugin: ModuleType, opened: Opened, tmp_path: Path, patch: dict[str, object], sentence: str
) -> None:
    fields = [{"name": name, "offset": 4 * i, "datatype": 7, "count": 1} for i, name in enumerate("xyz")]
    cloud: dict[str, object] = {
        "height": 1, "width": 2, "fields": fields, "is_bigendian": False, "point_step": 12, "row_step": 24,
        "data": _b64(np.arange(6, dtype="<f4").tobytes()),
    }  # fmt: skip
    writer = Writer()
    number = writer.topic("/lidar", "sensor_msgs/PointCloud2")
    writer.say(number, START, cloud | patch)
    path = tmp_path / "a.mcap"
    path.write_bytes(writer.bytes())
    with pytest.raises(DataError, match=sentence):
        opened(streams(plugin, path)["lidar"])


SMALL = (HERE / "ros2_lz4.mcap").read_bytes()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(at=st.integers(0, len(SMALL) - 1), byte=st.integers(0, 255), cut=st.booleans())
def test_damaged_files_are_streams_or_a_sentence(
    plugin: ModuleType, opened: Opened, tmp_path: Path, at: int, byte: int, cut: bool
) -> None:
    data = bytearray(SMALL)
    data[at] = byte
    path = tmp_path / "fuzz.mcap"
    path.write_bytes(bytes(data[:at] if cut else data))
    try:
        for stream in plugin.propose_recording(path).streams:
            opened(stream).close()
    except DataError:
        return


@pytest.mark.parametrize("inverted", [False, True])
def test_a_camera_mounted_the_wrong_way_round_is_doubted(plugin: ModuleType, tmp_path: Path, inverted: bool) -> None:
    """A camera that looks ahead has its x to the right and its y down: base from optical is (½, −½, ½, −½)."""
    place = {"x": 0.0, "y": 1.5, "z": -1.7} if inverted else {"x": 1.7, "y": 0.0, "z": 1.5}
    sign = -1 if inverted else 1
    turn = {"w": 0.5, "x": -0.5 * sign, "y": 0.5 * sign, "z": -0.5 * sign}
    transform = {"translation": place, "rotation": turn}
    moved = {"transforms": [{"header": {"frame_id": "base"}, "child_frame_id": "front", "transform": transform}]}
    info = {
        "header": {"frame_id": "front"}, "width": 640, "height": 480, "distortion_model": "plumb_bob", "d": [0.0] * 5,
        "k": [500, 0, 320, 0, 510, 240, 0, 0, 1],
    }  # fmt: skip
    writer = Writer()
    for topic, kind, said in (
        ("/tf_static", "tf2_msgs/TFMessage", moved),
        ("/front/camera_info", "sensor_msgs/CameraInfo", info),
        ("/state", "arm.State", {"grip": 1.0}),
    ):
        writer.say(writer.topic(topic, kind), START, json.dumps(said).encode())
    path = tmp_path / "a.mcap"
    path.write_bytes(writer.bytes())
    (mount,) = plugin.propose_recording(path).rig.mounts
    assert ("invert it" in mount.doubt) is inverted
    if inverted:
        mended = mount.inverted().frame.parent_from_child
        assert np.allclose(mended.rotation, (0.5, -0.5, 0.5, -0.5))


def test_the_sensors_own_stamps_are_taken_where_asked(tmp_path: Path) -> None:
    """A recorder that writes 40 ms late, and words that no sensor stamped."""
    writer = Writer()
    imu, said = writer.topic("/imu", "arm.State"), writer.topic("/said", "std_msgs/String")
    for i in range(5):
        stamp = {"sec": START // 10**9 + i, "nanosec": START % 10**9}
        message = {"header": {"stamp": stamp, "frame_id": "imu"}, "value": float(i)}
        writer.say(imu, START + i * 10**9 + 40_000_000, json.dumps(message).encode())
        writer.say(said, START + i * 10**9 + 40_000_000, json.dumps({"data": f"word {i}"}).encode())
    (tmp_path / "a.mcap").write_bytes(writer.bytes())
    formats = Formats()

    def streams(**options: OptionValue) -> dict[str, StreamProposal]:
        (sample,) = proposed(tmp_path, formats, options=options).samples
        return {stream.key: stream for stream in sample.streams}

    plain, stamped = streams(), streams(stamp="header")
    assert "40.0 ms after its sensor's stamps" in plain["imu"].notes[0]
    assert plain["said"].notes == ()
    assert [plain[key].time_map.to_session(0) for key in ("imu", "said")] == [0, 0]
    assert stamped["imu"].time_map.to_session(0) == -40_000_000
    assert "stamp is of no use here" in stamped["said"].notes[0]
    assert stamped["said"].time_map.to_session(0) == 0
    with pytest.raises(UserError, match="has an option stamps"):
        streams(stamps="header")
