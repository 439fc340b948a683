"""What is shown at a moment, against times computed here from timestamps.json and the packets of the films."""

from __future__ import annotations

import json
from bisect import bisect_right
from pathlib import Path
from typing import Any

import av
import pytest

from workstation.app.moment import Shown, facts_of, map_in_words, moment_of
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.core.sample import MediaFile, Stream, StreamKind
from workstation.core.timebase import TimeMap

STEP_NS = 101_000_000
"""No step between two items of the drive is longer."""


def streams_of(session: Session) -> list[Stream]:
    (sample,) = session.store.samples()
    return session.store.streams(sample.id)


def at(session: Session, time_ns: int) -> dict[str, Shown]:
    with OpenStreams(session.project.path) as readers:
        return {each.key: each for each in moment_of(streams_of(session), readers, time_ns)}


def packet_times_ns(path: Path) -> list[int]:
    with av.open(str(path)) as film:
        track = film.streams.video[0]
        pts = sorted(packet.pts for packet in film.demux(track) if packet.pts is not None)
        assert track.time_base is not None
        return [round(each * track.time_base * 1_000_000_000) for each in pts]


@pytest.mark.parametrize("time_ns", [0, 45_000_000, 4_000_000_000, 5_720_000_000, 7_200_000_000, 7_999_000_000])
def test_every_stream_shows_the_last_item_captured_before(demo_session: Session, published: Path, time_ns: int) -> None:
    times = json.loads((published / "timestamps.json").read_text())
    found = at(demo_session, time_ns)
    for key in ("back_camera", "front_camera", "front_left_camera", "front_right_camera"):
        first_ns = round(times[key]["t_s"][0] * 1e9)
        own = packet_times_ns(published / "camera" / f"{key}.mp4")
        index = bisect_right([each + first_ns for each in own], time_ns) - 1
        if index < 0:
            assert found[key].item == ""
            continue
        assert (found[key].index, found[key].own_ns) == (index, own[index])
        assert found[key].session_ns == own[index] + first_ns
        assert found[key].distance_ns == own[index] + first_ns - time_ns
        assert abs((found[key].session_ns or 0) - round(times[key]["t_s"][index] * 1e9)) <= 1000
    for key, missing in (("lidar", times["lidar"]["missing_sweeps"]), ("gps", []), ("ego_pose", [])):
        there = [round(t * 1e9) for i, t in enumerate(times["lidar"]["t_s"]) if i not in missing]
        index = bisect_right(there, time_ns) - 1
        if index < 0 or time_ns - there[index] > STEP_NS:
            assert found[key].item == "", key
            assert found[key].distance_ns is None
        elif key == "lidar" or index < len(there) - 1:
            assert (found[key].index, found[key].session_ns) == (index, there[index])
            assert found[key].distance_ns == there[index] - time_ns
    assert found["commentary"].index == time_ns * 16_000 // 1_000_000_000


def test_the_gap_names_what_is_nearest(demo_session: Session) -> None:
    lidar = at(demo_session, 5_720_000_000)["lidar"]
    assert "55.pcd" in lidar.nearest
    assert "5.599754 s" in lidar.nearest


def test_the_transcript_shows_what_is_being_said(demo_session: Session) -> None:
    said = at(demo_session, 5_900_000_000)["transcript"]
    assert "“Cuidado con la moto.”" in said.item
    assert said.own_ns == 5_350_000_000
    assert at(demo_session, 5_100_000_000)["transcript"].item == ""


def test_rates_are_measured_and_gaps_are_told(demo_session: Session, published: Path) -> None:
    times = json.loads((published / "timestamps.json").read_text())
    with OpenStreams(demo_session.project.path) as readers:
        facts = {each.key: each for each in facts_of(streams_of(demo_session), readers)}
    own = packet_times_ns(published / "camera" / "front_camera.mp4")
    assert facts["front_camera"].rate_hz == pytest.approx(79e9 / (own[-1] - own[0]), rel=1e-9)
    assert facts["front_camera"].rate_hz != 10.0
    sweeps = times["lidar"]["t_s"]
    assert facts["lidar"].count == 76
    assert facts["lidar"].rate_hz == pytest.approx(75 / (sweeps[79] - sweeps[0]), rel=1e-9)
    assert [(gap.start_ns, gap.end_ns) for gap in facts["lidar"].gaps] == [
        (round(sweeps[a] * 1e9), round(sweeps[b] * 1e9)) for a, b in ((55, 59), (70, 72))
    ]
    assert facts["front_camera"].span is not None
    assert facts["front_camera"].span.start_ns == round(times["front_camera"]["t_s"][0] * 1e9)
    assert all(not each.trouble and len(each.sha256) == 64 for each in facts.values())


def test_a_file_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    (tmp_path / "b.txt").write_text("hello")

    def stream(key: str, kind: StreamKind, *files: str) -> Stream:
        media = tuple(MediaFile(path=file, sha256="0" * 64, size=1) for file in files)
        fields: Any = {"id": key, "sample": "s"}
        return Stream(key=key, kind=kind, files=media, time_map=TimeMap(), **fields)

    streams = [
        stream("empty", StreamKind.VIDEO, "a.mp4"),
        stream("gone", StreamKind.AUDIO, "gone.wav"),
        stream("none", StreamKind.SERIES),
        stream("words", StreamKind.TEXT, "b.txt"),
    ]
    with OpenStreams(tmp_path) as readers:
        facts = {each.key: each for each in facts_of(streams, readers)}
        shown = {each.key: each for each in moment_of(streams, readers, 0)}
    assert "empty" in facts["empty"].trouble
    assert "gone.wav" in facts["gone"].trouble
    assert facts["none"].trouble
    assert not facts["words"].trouble
    assert shown["words"].item == "the whole of it, at any time"
    assert shown["gone"].trouble


def test_a_map_is_told_in_words() -> None:
    assert map_in_words(TimeMap()) == "+0.000000 s (identity)"
    drifting = TimeMap(
        knots=((0, -5_000_000), (1_000_000_000, 1_000_000_000)), rate_after=(1001, 1000), method="clap",
        residual_ns=2_500_000,
    )  # fmt: skip
    assert map_in_words(drifting) == "2 knots, rate 1.001000000 (clap, residual 2.5 ms)"
