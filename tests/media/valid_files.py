"""The smallest valid file of every registered reader, and a use of whatever such a reader gives out."""

from __future__ import annotations

import base64
import io
import json
import struct
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from clouds import pcd_header, radar_returns, rows_of
from dicom_files import picture_file, voxels, write_series
from PIL import Image

from workstation.media.base import (
    AudioReader,
    CloudReader,
    DocumentReader,
    ImageReader,
    OptionValue,
    Reader,
    SeriesReader,
    TextReader,
    TimedReader,
    TrajectoryReader,
    VideoReader,
    View,
    VolumeReader,
)

ROOT = Path(__file__).resolve().parents[2]
TIMES = {"times_ns": "0 100000000 100000000"}


@dataclass(frozen=True, slots=True)
class Valid:
    """A file's name and content, and what else opening it takes."""

    name: str
    content: bytes
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    copies: int = 1
    """How many such files make the stream."""
    beside: Mapping[str, bytes] = field(default_factory=dict)
    """Other files that belong to the stream."""


def use(reader: Reader) -> None:
    """Ask for a little of everything; whatever the file claims, this stays small."""
    info = reader.info
    assert info.count >= 0
    assert reader.paths
    assert info.rate_hz is None or np.isfinite(info.rate_hz)
    for kind, ask in USES:
        if isinstance(reader, kind):
            ask(reader)


def _use_items(reader: TimedReader) -> None:
    for index in {0, len(reader.table) // 2, len(reader.table) - 1}:
        item = reader.item(index)
        assert item.time_ns <= item.end_ns
        if isinstance(reader, VideoReader):
            reader.picture(index, View(width_px=64))
            reader.value_at(index, 0, 0)
        elif isinstance(reader, CloudReader):
            assert reader.cloud(index, max_points=100).points.dtype == np.float32


def _use_picture(reader: ImageReader) -> None:
    if not isinstance(reader, TimedReader):
        reader.picture(View(width_px=64))
        reader.value_at(0, 0)


def _use_sound(reader: AudioReader) -> None:
    assert reader.read(0, 1000).shape[1] == reader.channels


def _use_numbers(reader: SeriesReader) -> None:
    for channel in islice(reader.channels, 5):
        times, values = reader.samples(channel.name)
        assert len(times) == len(values)
        assert (np.diff(times) >= 0).all()
        assert not np.isinf(reader.values(channel.name)).any()


def _use_poses(reader: TrajectoryReader) -> None:
    assert len(reader.times_ns) == len(reader.positions_m) == len(reader.rotations)


def _use_text(reader: TextReader) -> None:
    for part in islice(reader.parts, 100):
        assert 0 <= part.start <= part.stop <= len(reader.text)


def _use_pages(reader: DocumentReader) -> None:
    reader.tokens(0)
    reader.picture(0, View(width_px=64), pixels_per_point=0.2)


def _use_planes(reader: VolumeReader) -> None:
    for axis in range(3):
        reader.slab(axis, 0)


USES: tuple[tuple[type, Callable[..., None]], ...] = (
    (TimedReader, _use_items),
    (ImageReader, _use_picture),
    (AudioReader, _use_sound),
    (SeriesReader, _use_numbers),
    (TrajectoryReader, _use_poses),
    (TextReader, _use_text),
    (DocumentReader, _use_pages),
    (VolumeReader, _use_planes),
)


def _wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(np.arange(800, dtype=np.int16).tobytes())
    return file.getvalue()


def _film() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 16
        for level in (0, 90, 200):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((16, 16, 3), level, np.uint8), "rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def _png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.arange(96, dtype=np.uint8).reshape(8, 12)).save(file, "PNG")
    return file.getvalue()


def _pcd() -> bytes:
    head = (
        "VERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH 20\nHEIGHT 1\n"
        "VIEWPOINT 0 0 0 1 0 0 0\nPOINTS 20\nDATA binary\n"
    )
    return head.encode() + np.arange(60, dtype=np.float32).tobytes()


def _radar_pcd() -> bytes:
    returns = radar_returns(20)
    return pcd_header(returns, "binary") + rows_of(returns)


def _dicom(**elements: object) -> bytes:
    pixels = elements.pop("pixels", voxels(1)[0])
    file = io.BytesIO()
    assert isinstance(pixels, np.ndarray)
    picture_file(pixels, **elements).save_as(file, enforce_file_format=True)
    return file.getvalue()


def _dicom_slice(folder: Path) -> bytes:
    return write_series(folder, voxels(1), places=np.zeros((1, 3)))[0].read_bytes()


def _nifti() -> bytes:
    head = bytearray(352)
    struct.pack_into("<i8h", head, 0, 348, *[0] * 8)
    struct.pack_into("<8h", head, 40, 3, 4, 5, 6, 1, 1, 1, 1)
    struct.pack_into("<h", head, 70, 4)
    struct.pack_into("<4f", head, 76, 1, 2, 3, 4)
    struct.pack_into("<f", head, 108, 352)
    struct.pack_into("<2h", head, 252, 0, 1)
    struct.pack_into("<12f", head, 280, 2, 0, 0, 1, 0, 3, 0, 1, 0, 0, 4, 1)
    head[344:348] = b"n+1\0"
    return bytes(head) + np.arange(120, dtype="<i2").tobytes()


def _pdf() -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    drawing = b"BT /F1 20 Tf 100 700 Td (Hello) Tj ET"
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 5 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawing), drawing),
    ]
    places = []
    for number, body in enumerate(bodies, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % table)


def _parquet() -> bytes:
    file = io.BytesIO()
    rows = {
        "timestamp": pa.array(np.arange(5, dtype=np.float32)),
        "episode_index": pa.array(np.zeros(5, np.int64)),
        "action": pa.FixedSizeListArray.from_arrays(pa.array(np.arange(10, dtype=np.float32)), 2),
    }
    pq.write_table(pa.table(rows), file)
    return file.getvalue()


def _cloud_npz() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, points=np.zeros((20, 4), np.float32))
    return file.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _pickle() -> bytes:
    """Six points that pandas wrote."""
    text = (ROOT / "plugins/pandaset/tests/panda_tables.py").read_text(encoding="utf-8")
    found: dict[str, object] = {}
    exec(compile(text, "panda_tables", "exec"), found)
    tables = found["TABLES"]
    assert isinstance(tables, dict)
    content: bytes = tables["2.3.3"]
    return content


def _mcap() -> bytes:
    return (ROOT / "plugins/mcap/tests/ros2_lz4.mcap").read_bytes()


def _sound_log() -> bytes:
    """An MCAP file of one topic of sound, record by record."""

    def record(opcode: int, content: bytes) -> bytes:
        return struct.pack("<BQ", opcode, len(content)) + content

    def text(value: bytes) -> bytes:
        return struct.pack("<I", len(value)) + value

    schema = struct.pack("<H", 1) + text(b"foxglove.RawAudio") + text(b"jsonschema") + text(b"")
    channel = struct.pack("<HH", 1, 1) + text(b"/mic") + text(b"json") + struct.pack("<I", 0)
    pcm = base64.b64encode(bytes(160)).decode()
    said = {"data": pcm, "format": "pcm-s16", "sample_rate": 8000, "number_of_channels": 1}
    messages = [record(5, struct.pack("<HIQQ", 1, 0, 10**9 + i * 10**7, 10**9) + _json(said)) for i in range(3)]
    body = record(1, text(b"") + text(b"")) + record(3, schema) + record(4, channel) + b"".join(messages)
    magic = b"\x89MCAP0\r\n"
    return magic + body + record(15, bytes(4)) + record(2, bytes(20)) + magic


def _poses() -> list[dict[str, object]]:
    return [{"position": {"x": i, "y": 0, "z": 0}, "heading": {"w": 1, "x": 0, "y": 0, "z": 0}} for i in range(3)]


CSV = b"t_s,force_n,gear\n" + b"".join(b"%.1f,%d,drive\n" % (i / 10, i) for i in range(8))
RADAR = b"time_s,range,azimuth,doppler_mps\n" + b"".join(b"%.1f,%d,0.1,3\n" % (i // 2 / 10, i) for i in range(8))
POSES = b"t_s,x,y,z,qw,qx,qy,qz\n" + b"".join(b"%.1f,%d,0,0,1,0,0,0\n" % (i / 10, i) for i in range(8))
CUE = b"00:00:01.000 --> 00:00:02.000\nHello\n\n"
WORDS = {"segments": [{"start": 0, "end": 1, "text": "hi", "words": [{"word": "hi", "start": 0, "end": 0.5}]}]}
TURNS = b'{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}\n'
OXTS = " ".join(str(49 + i / 10) for i in range(30)).encode()
EGO = [{"token": "a", "timestamp": i * 1000, "rotation": [1, 0, 0, 0], "translation": [i, 0, 0]} for i in range(3)]


def _npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, time_s=np.arange(9) / 10, force=np.arange(9.0))
    return file.getvalue()


OTHER_FORMS: dict[str, tuple[str, Callable[[], Valid]]] = {
    "series in Parquet": ("series", lambda: Valid("a.parquet", _parquet())),
    "series in NPZ": ("series", lambda: Valid("a.npz", _npz())),
    "points in NPZ": ("cloud", lambda: Valid("a.npz", _cloud_npz())),
    "poses in JSON": (
        "trajectory",
        lambda: Valid("a.json", _json([{"timestamp": i, **pose} for i, pose in enumerate(_poses())])),
    ),
}
"""Files of another form that a reader of ``VALID`` takes as well."""

VALID: dict[str, Callable[[Path], Valid]] = {
    "audio": lambda _: Valid("a.wav", _wav()),
    "cloud": lambda _: Valid("a.pcd", _pcd()),
    "points": lambda _: Valid("a.csv", RADAR),
    "radar": lambda _: Valid("a.pcd", _radar_pcd()),
    "dicom_volume": lambda folder: Valid("a.dcm", _dicom_slice(folder)),
    "dicom_film": lambda _: Valid("a.dcm", _dicom(pixels=voxels(3), Modality="XA", FrameTime=40)),
    "dicom_picture": lambda _: Valid("a.dcm", _dicom(Modality="CR", WindowCenter=0, WindowWidth=9)),
    "pdf": lambda _: Valid("a.pdf", _pdf()),
    "image": lambda _: Valid("a.png", _png()),
    "image_sequence": lambda _: Valid("a{}.png", _png(), {"rate_hz": 10}, 3),
    "nifti": lambda _: Valid("a.nii", _nifti()),
    "report": lambda _: Valid("a.md", b"# Findings\n\nNothing.\n\n## Impression\n\nAll well.\n"),
    "series": lambda _: Valid("a.csv", CSV),
    "vtt": lambda _: Valid("a.vtt", b"WEBVTT\n\n" + CUE),
    "srt": lambda _: Valid("a.srt", b"1\n" + CUE.replace(b".000", b",000")),
    "sbv": lambda _: Valid("a.sbv", b"0:00:01.000,0:00:02.000\nHello\n\n"),
    "plain_text": lambda _: Valid("a.txt", "Ein Wort, größer.\n\nNoch eins.\n".encode()),
    "timed_images": lambda _: Valid("a{}.png", _png(), TIMES, 3),
    "timed_clouds": lambda _: Valid("a{}.pcd", _pcd(), TIMES, 3),
    "timed_radar": lambda _: Valid("a{}.pcd", _pcd(), TIMES, 3),
    "trajectory": lambda _: Valid("a.csv", POSES),
    "transcript_json": lambda _: Valid("a.json", _json(WORDS)),
    "ctm": lambda _: Valid("a.ctm", b"talk 1 0.10 0.20 hello 0.9\ntalk 1 0.40 0.20 you 0.8\n"),
    "turns": lambda _: Valid("a.jsonl", TURNS),
    "video": lambda _: Valid("a.mkv", _film()),
    "kitti_oxts": lambda _: Valid("{}.txt", OXTS, TIMES, 3),
    "kitti_pose": lambda _: Valid("{}.txt", OXTS, TIMES, 3),
    "lerobot_series": lambda _: Valid("a.parquet", _parquet(), {"feature": "action", "episode": 0}),
    "mcap_video": lambda _: Valid("a.mcap", _mcap(), {"topic": "/cam/image/compressed"}),
    "mcap_cloud": lambda _: Valid("a.mcap", _mcap(), {"topic": "/lidar"}),
    "mcap_audio": lambda _: Valid("a.mcap", _sound_log(), {"topic": "/mic"}),
    "mcap_text": lambda _: Valid("a.mcap", _mcap(), {"topic": "/say"}),
    "mcap_series": lambda _: Valid("a.mcap", _mcap(), {"topic": "/imu"}),
    "mcap_pose": lambda _: Valid("a.mcap", _mcap(), {"topic": "/tf"}),
    "nuscenes_pose": lambda _: Valid("ego_pose.json", _json(EGO), {"from_us": 0, "to_us": 5000}),
    "pandaset_lidar": lambda _: Valid("{}.pkl.gz", _pickle(), {"times_ns": "0"}),
    "pandaset_pose": lambda _: Valid("poses.json", _json(_poses()), TIMES),
    "wfdb_signals": lambda _: Valid(
        "a.hea",
        b"a 1 360 8\na.dat 16 200 16 0 -4 -4 0 lead\n",
        beside={"a.dat": np.arange(-4, 4, dtype="<i2").tobytes()},
    ),
    "pandaset_gps": lambda _: Valid(
        "gps.json", _json([{"lat": 1, "long": 2, "height": 3, "xvel": 4, "yvel": 5}] * 3), TIMES
    ),
}
