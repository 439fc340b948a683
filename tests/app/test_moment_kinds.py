"""What every kind of stream has at a session time, against values computed here from the files by other means."""

from __future__ import annotations

import csv
import json
import re
import struct
import wave
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workstation.app.moment import Shown, moment_of
from workstation.app.reading import Formats
from workstation.app.streams import OpenStreams
from workstation.core.sample import MediaFile, Stream, StreamKind
from workstation.core.timebase import TimeMap

START_NS = 5_000_000_000
RATE = Fraction(1_000_050, 1_000_000)
MAP = TimeMap(knots=((0, START_NS),), rate_before=(1_000_050, 1_000_000), rate_after=(1_000_050, 1_000_000))
"""The stream's clock runs slow by 50 parts in a million, and its zero is five seconds into the session."""
MOMENTS = (5_000_000_000, 5_149_999_999, 5_333_333_333, 6_000_000_000, 14_327_000_000)
FORMATS = Formats()


def session_ns(stream_ns: int) -> int:
    """The map by its own rule, in fractions."""
    extra = stream_ns * (RATE - 1)
    return START_NS + stream_ns + int((extra + Fraction(1, 2)) // 1)


@dataclass(frozen=True)
class Made:
    """A stream, the stream times of its items, and what is to be read of item ``i``."""

    kind: StreamKind
    files: list[str]
    times_ns: list[int]
    says: Callable[[int], str]
    reader: str = ""
    options: dict[str, Any] | None = None


def csv_series(folder: Path) -> Made:
    """100 readings a second, decimals that no float holds."""
    with (folder / "imu.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time_s", "accel_x (m/s^2)"])
        writer.writerows([f"{i // 100}.{i % 100:02}0000001", f"{i * 0.25}"] for i in range(1000))
    with (folder / "imu.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    times = [int(Fraction(row["time_s"]) * 10**9) for row in rows]
    return Made(
        StreamKind.SERIES, ["imu.csv"], times, lambda i: f"accel_x {float(rows[i]['accel_x (m/s^2)']):.9g} m/s^2"
    )


def can_log(folder: Path) -> Made:
    """One row a value: the brake every 200 ms, the speed every 100 ms."""
    rows = [(i * 100, "speed", f"{i}", "km/h") for i in range(100)] + [
        (i * 200 + 50, "brake", f"{i % 3}", "bar") for i in range(50)
    ]
    rows.sort()
    with (folder / "can.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["timestamp_ms", "signal", "value", "unit"])
        writer.writerows(rows)
    times = sorted({row[0] for row in rows})

    def says(i: int) -> str:
        last = {
            name: next((r for r in reversed(rows) if r[1] == name and r[0] <= times[i]), None)
            for name in ("brake", "speed")
        }
        parts = []
        for name, row in last.items():
            late = "" if row is None or row[0] == times[i] else f" ({times[i] - row[0]} ms before)"
            parts.append(f"{name} missing" if row is None else f"{name} {row[2]} {row[3]}{late}")
        return ", ".join(parts)

    return Made(StreamKind.SERIES, ["can.csv"], [t * 1_000_000 for t in times], says)


def poses(folder: Path) -> Made:
    lines = ["t_ns,x,y,z,qw,qx,qy,qz"] + [f"{i * 33_333_333},{i * 0.5},{-i},2,1,0,0,0" for i in range(300)]
    (folder / "poses.csv").write_text("\n".join(lines) + "\n")
    times = [int(line.split(",")[0]) for line in lines[1:]]
    return Made(
        StreamKind.TRAJECTORY, ["poses.csv"], times, lambda i: f"{i * 0.5:.3f}, {-i:.3f}, 2.000 m", reader="trajectory"
    )


def radar(folder: Path) -> Made:
    lines = ["time_us,range,azimuth,doppler_mps"]
    lines += [f"{i * 65_000},{10 + k},0.1,3" for i in range(150) for k in range(2)]
    (folder / "radar.csv").write_text("\n".join(lines) + "\n")
    times = sorted({int(line.split(",")[0]) * 1000 for line in lines[1:]})
    return Made(StreamKind.RADAR, ["radar.csv"], times, lambda i: f"sweep {i}")


def pictures(folder: Path) -> Made:
    """Named by microseconds since 1970, of an uneven camera."""
    stamps = [1_700_000_000_000_000 + i * 33_000 + (i * 7919) % 900 for i in range(300)]
    for stamp in stamps:
        (folder / f"{stamp}.png").touch()
    Image.new("L", (4, 4)).save(folder / f"{stamps[0]}.png")
    names = [f"{stamp}.png" for stamp in stamps]
    times = [(int(Path(name).stem) - stamps[0]) * 1000 for name in names]
    return Made(StreamKind.VIDEO, names, times, lambda i: f"frame {i} ({names[i]})", reader="image_sequence")


def sweeps(folder: Path) -> Made:
    """With a list in JSON; one sweep in the middle has no file."""
    listed = [f"{i // 10}.{i % 10}37" for i in range(100)]
    (folder / "times.json").write_text("[" + ", ".join(listed) + "]")
    numbers = [i for i in range(100) if i != 40]
    for number in numbers:
        np.full(40, number, np.float32).tofile(folder / f"{number:06}.bin")
    names = [f"{number:06}.bin" for number in numbers]
    times = [int(Fraction(listed[int(Path(name).stem)]) * 10**9) for name in names]
    options = {"times": "times.json", "layout": "kitti"}
    return Made(StreamKind.CLOUD, names, times, lambda i: f"sweep {i} ({names[i]})", reader="cloud", options=options)


def recording(folder: Path) -> Made:
    """An MCAP file of JSON messages, whose times are taken from its bytes by a walk of its records."""

    def record(code: int, content: bytes) -> bytes:
        return struct.pack("<BQ", code, len(content)) + content

    def text(value: bytes) -> bytes:
        return struct.pack("<I", len(value)) + value

    head = record(1, text(b"") + text(b""))
    head += record(3, struct.pack("<H", 1) + text(b"arm.State") + text(b"jsonschema") + text(b"{}"))
    head += record(4, struct.pack("<HH", 1, 1) + text(b"/state") + text(b"json") + struct.pack("<I", 0))
    body = b"".join(
        record(5, struct.pack("<HIQQ", 1, i, at, at) + json.dumps({"grip": i / 4}).encode())
        for i, at in enumerate(i * 50_000_000 + i * i * 1000 for i in range(200))
    )
    magic = b"\x89MCAP0\r\n"
    (folder / "log.mcap").write_bytes(magic + head + body + record(15, bytes(4)) + record(2, bytes(20)) + magic)
    data, at, found = (folder / "log.mcap").read_bytes(), 8, []
    while at + 9 < len(data) - 8:
        code, length = struct.unpack_from("<BQ", data, at)
        if code == 5:
            found.append((struct.unpack_from("<Q", data, at + 9 + 6)[0], json.loads(data[at + 31 : at + 9 + length])))
        at += 9 + length
    return Made(
        StreamKind.SERIES, ["log.mcap"], [stamp for stamp, _ in found], lambda i: f"grip {found[i][1]['grip']:.9g}",
        reader="mcap_series", options={"topic": "/state"},
    )  # fmt: skip


def stream_of(made: Made, key: str = "s") -> Stream:
    media = tuple(MediaFile(path=name, sha256="0" * 64, size=1) for name in made.files)
    fields: dict[str, Any] = {"id": key, "sample": "x", "reader": made.reader, "options": made.options or {}}
    return Stream(key=key, kind=made.kind, files=media, time_map=MAP, **fields)


def shown_at(folder: Path, stream: Stream, moments: tuple[int, ...]) -> list[Shown]:
    with OpenStreams(folder, readers=FORMATS.readers) as readers:
        return [next(iter(moment_of([stream], readers, time_ns))) for time_ns in moments]


@pytest.mark.parametrize("make", [csv_series, can_log, poses, radar, pictures, sweeps, recording])
def test_the_last_item_before_with_its_own_time_and_distance(make: Callable[[Path], Made], tmp_path: Path) -> None:
    made = make(tmp_path)
    mapped = [session_ns(time) for time in made.times_ns]
    longest = max(b - a for a, b in pairwise(mapped) if b - a < 190_000_000)
    for time_ns, shown in zip(MOMENTS, shown_at(tmp_path, stream_of(made), MOMENTS), strict=True):
        assert shown.trouble == ""
        index = sum(each <= time_ns for each in mapped) - 1
        if index < 0 or time_ns - mapped[index] > longest:
            assert (shown.item, shown.distance_ns) == ("", None)
            continue
        assert (shown.index, shown.own_ns) == (index, made.times_ns[index])
        assert (shown.session_ns, shown.distance_ns) == (mapped[index], mapped[index] - time_ns)
        assert made.says(index) in shown.item


def test_a_missing_sweep_is_not_stood_in_for(tmp_path: Path) -> None:
    made = sweeps(tmp_path)
    (shown,) = shown_at(tmp_path, stream_of(made), (session_ns(4_090_000_000),))
    assert shown.item == ""
    assert shown.nearest.startswith("sweep 40 (000041.bin)")


def test_the_sample_that_sounds(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "mic.wav"), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes(bytes(2 * 44_100 * 10))
    made = Made(StreamKind.AUDIO, ["mic.wav"], [], str)
    for time_ns, shown in zip(MOMENTS, shown_at(tmp_path, stream_of(made), MOMENTS), strict=True):
        # The last sample whose own session time is not later.
        sample = int(Fraction(time_ns - START_NS, 10**9) / RATE * 44_100)
        near = [
            i
            for i in range(max(0, sample - 2), sample + 3)
            if session_ns(round(Fraction(i * 10**9, 44_100))) <= time_ns
        ]
        assert shown.index == near[-1]
        assert shown.session_ns == session_ns(round(Fraction(near[-1] * 10**9, 44_100)))
        assert shown.distance_ns == (shown.session_ns or 0) - time_ns


def test_the_cue_that_is_said(tmp_path: Path) -> None:
    said = "".join(f"00:00:{i:02}.250 --> 00:00:{i:02}.900\nCue number {i}\n\n" for i in range(10))
    (tmp_path / "talk.vtt").write_text("WEBVTT\n\n" + said)
    cues = [
        (int(a) * 10**9 + int(b) * 10**6, int(c) * 10**9 + int(d) * 10**6, text)
        for a, b, c, d, text in re.findall(r"00:00:(\d+)\.(\d+) --> 00:00:(\d+)\.(\d+)\n(.*)\n", said)
    ]
    for time_ns, shown in zip(
        MOMENTS, shown_at(tmp_path, stream_of(Made(StreamKind.TEXT, ["talk.vtt"], [], str)), MOMENTS), strict=True
    ):
        now = [text for start, end, text in cues if session_ns(start) <= time_ns < session_ns(end)]
        assert shown.item == (f"cue “{now[0]}”" if now else "")
