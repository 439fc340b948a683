"""Folders as laboratories, robots, clinics and phones leave them: samples and streams, with and without an odd file."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dicom_files import voxels, write_series
from PIL import Image

from workstation.core.timebase import SECOND_NS
from workstation.media.base import OpenContext, ReaderSpec, TimedReader
from workstation.media.grouping import propose_folder
from workstation.media.probe import built_in_readers, open_stream
from workstation.media.proposal import Proposal, StreamProposal

READERS: tuple[ReaderSpec, ...] = built_in_readers()
Shape = dict[str, set[tuple[str, str, int]]]
"""Sample -> (stream, kind, files)."""


def put(root: Path, *names: str) -> None:
    """Files with the smallest content their ending asks for."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        match path.suffix:
            case ".png" | ".jpg":
                Image.fromarray(np.full((4, 6), 90, np.uint8)).save(path)
            case ".wav":
                with wave.open(str(path), "wb") as file:
                    file.setparams((1, 2, 8000, 0, "NONE", ""))
                    file.writeframes(bytes(1600))
            case ".pcd":
                path.write_text(
                    "VERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH 1\nHEIGHT 1\n"
                    "VIEWPOINT 0 0 0 1 0 0 0\nPOINTS 1\nDATA ascii\n1 2 3\n"
                )
            case ".bin":
                np.arange(40, dtype=np.float32).tofile(path)
            case ".csv":
                path.write_text("t_s,force_n\n" + "".join(f"{i / 10},{i}\n" for i in range(5)))
            case ".vtt":
                path.write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n")
            case _:
                path.write_text("Some words.\n")


def words_beside_pictures(root: Path) -> Shape:
    for i in range(6):
        put(root, f"images/{i:06}.jpg", f"captions/{i:06}.txt")
    return {f"{i:06}": {("images", "image", 1), ("captions", "text", 1)} for i in range(6)}


def sessions_with_a_missing_stream(root: Path) -> Shape:
    for i in range(5):
        put(root, f"session_{i}/mic.wav", f"session_{i}/notes.txt", f"session_{i}/force.csv")
    (root / "session_3/notes.txt").unlink()
    full = {("mic", "audio", 1), ("notes", "text", 1), ("force", "series", 1)}
    return {f"session_{i}": full - ({("notes", "text", 1)} if i == 3 else set()) for i in range(5)}


def people_with_numbered_cameras(root: Path) -> Shape:
    for person in ("alice", "bob", "chris"):
        put(root, f"{person}/cam0.wav", f"{person}/cam1.wav", f"{person}/{person}.txt")
    return {
        person: {("cam0", "audio", 1), ("cam1", "audio", 1), ("text", "text", 1)}
        for person in ("alice", "bob", "chris")
    }


def two_sides(root: Path) -> Shape:
    for take in ("jump", "run", "sit"):
        put(root, f"left/{take}.wav", f"right/{take}.wav")
    return {take: {("left", "audio", 1), ("right", "audio", 1)} for take in ("jump", "run", "sit")}


def days_with_sessions(root: Path) -> Shape:
    for day in ("2026-03-01", "2026-03-02"):
        for run in ("run1", "run2"):
            put(root, f"{day}/{run}/mic.wav", f"{day}/{run}/imu.csv")
    return {
        f"{day}_{run}".replace("-", "_"): {("mic", "audio", 1), ("imu", "series", 1)}
        for day in ("2026-03-01", "2026-03-02")
        for run in ("run1", "run2")
    }


def train_and_test(root: Path) -> Shape:
    for split, names in (("train", ("p01", "p02", "p03")), ("test", ("p04", "p05"))):
        for name in names:
            put(root, f"{split}/{name}_speech.wav", f"{split}/{name}_words.txt")
    return {f"p{i:02}": {("speech", "audio", 1), ("words", "text", 1)} for i in range(1, 6)}


def phones_that_date_their_files(root: Path) -> Shape:
    for hour in (9, 10, 11):
        put(root, f"REC_20260301_{hour:02}0000.wav", f"NOTE_20260301_{hour:02}0002.txt")
    return {f"20260301_{hour:02}0000": {("rec", "audio", 1), ("note", "text", 1)} for hour in (9, 10, 11)}


def a_recorder_that_failed_once(root: Path) -> Shape:
    put(root, "mic_20260301_090000.wav", "mic_20260301_100000.wav", "boom_20260301_110001.wav")
    put(root, "boom_20260301_090001.wav", "boom_20260301_100001.wav")
    both = {("mic", "audio", 1), ("boom", "audio", 1)}
    return {"20260301_090000": both, "20260301_100000": both, "20260301_110001": {("boom", "audio", 1)}}


def sensors_with_lists_of_dates(root: Path) -> Shape:
    """KITTI's own names: ten digits, and dates in the list."""
    for i in range(4):
        put(root, f"image_02/data/{i:010}.png")
    for i in (0, 1, 3):
        put(root, f"velodyne_points/data/{i:010}.bin")
    for folder in ("image_02", "velodyne_points"):
        lines = [f"2011-09-26 13:02:25.{594_360_375 + i * 100_000_000:09}\n" for i in range(4)]
        (root / folder / "timestamps.txt").write_text("".join(lines))
    return {"sample": {("image_02", "video", 4), ("velodyne_points", "cloud", 3)}}


def sweeps_beside_a_json_list(root: Path) -> Shape:
    put(root, *(f"lidar/{i:02}.pcd" for i in range(3)), *(f"camera/front/{i:02}.jpg" for i in range(3)))
    (root / "lidar/timestamps.json").write_text("[1557539924.49, 1557539924.59, 1557539924.69]")
    (root / "camera/front/timestamps.json").write_text("[1557539924.47, 1557539924.57, 1557539924.67]")
    return {"sample": {("lidar", "cloud", 3), ("front", "video", 3)}}


def unpadded_numbers_and_one_list(root: Path) -> Shape:
    put(root, *(f"cam/frame_{i}.png" for i in range(12)), "cam.wav")
    (root / "cam_timestamps.csv").write_text("frame,timestamp_ms\n" + "".join(f"{i},{100 * i}\n" for i in range(12)))
    return {"sample": {("frame", "video", 12), ("cam", "audio", 1)}}


def cases_of_a_clinic(root: Path) -> Shape:
    for case in ("case_a", "case_b"):
        write_series(
            root / case / "ct", voxels(3), places=np.outer(np.arange(3.0), (0, 0, 2)), SeriesDescription="Chest"
        )
    return {"study_1": {("ct_chest", "volume", 3)}, "study_2": {("ct_chest", "volume", 3)}}


def photos_without_a_partner(root: Path) -> Shape:
    put(root, *(f"{name}.jpg" for name in ("bridge", "castle", "forest", "lake", "meadow", "village", "well")))
    return {
        name: {("image", "image", 1)} for name in ("bridge", "castle", "forest", "lake", "meadow", "village", "well")
    }


def episodes_of_a_robot(root: Path) -> Shape:
    for i in range(3):
        put(root, *(f"episode_{i:03}/wrist/{n:04}.png" for n in range(3)), f"episode_{i:03}/joints.csv")
    return {f"episode_{i:03}": {("wrist", "video", 3), ("joints", "series", 1)} for i in range(3)}


def subtitles_in_languages(root: Path) -> Shape:
    for name in ("lecture_one", "lecture_two", "lecture_three"):
        put(root, f"{name}.wav", f"{name}_en.vtt", f"{name}_de.vtt")
    return {
        f"lecture_{n}": {("audio", "audio", 1), ("en", "text", 1), ("de", "text", 1)} for n in ("one", "two", "three")
    }


LAYOUTS: tuple[Callable[[Path], Shape], ...] = (
    words_beside_pictures, sessions_with_a_missing_stream, people_with_numbered_cameras, two_sides, days_with_sessions,
    train_and_test, phones_that_date_their_files, a_recorder_that_failed_once, sensors_with_lists_of_dates,
    sweeps_beside_a_json_list, unpadded_numbers_and_one_list, cases_of_a_clinic, photos_without_a_partner,
    episodes_of_a_robot, subtitles_in_languages,
)  # fmt: skip


def shape_of(proposal: Proposal) -> Shape:
    return {
        sample.key: {(stream.key, stream.kind.value, len(stream.files)) for stream in sample.streams}
        for sample in proposal.samples
    }


def all_named(proposal: Proposal, root: Path) -> bool:
    named = [path for path, _ in proposal.destinations()]
    return {path for path in root.rglob("*") if path.is_file()} == set(named) and len(named) == len(set(named))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_the_samples_are_those_a_person_sees(layout: Callable[[Path], Shape], tmp_path: Path) -> None:
    expected = layout(tmp_path)
    proposal = propose_folder(tmp_path, READERS)
    assert shape_of(proposal) == expected
    assert all_named(proposal, tmp_path)


@pytest.mark.parametrize("odd", ["README.md", "LICENSE", "docs/CITATION.cff"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_what_describes_the_folder_changes_nothing(layout: Callable[[Path], Shape], odd: str, tmp_path: Path) -> None:
    expected = layout(tmp_path)
    put(tmp_path, odd)
    proposal = propose_folder(tmp_path, READERS)
    assert shape_of(proposal) == expected
    assert [item.reason for item in proposal.skipped if item.path == tmp_path / odd] == [
        "is about the folder and no part of a recording"
    ]


ONE_RECORDING = (sensors_with_lists_of_dates, sweeps_beside_a_json_list, unpadded_numbers_and_one_list)
SEVERAL = tuple(layout for layout in LAYOUTS if layout not in (*ONE_RECORDING, cases_of_a_clinic))


@pytest.mark.parametrize("layout", SEVERAL, ids=lambda layout: layout.__name__)
def test_one_odd_stream_is_left_out_and_named(layout: Callable[[Path], Shape], tmp_path: Path) -> None:
    expected = layout(tmp_path)
    put(tmp_path, "thoughts of mine.txt")
    proposal = propose_folder(tmp_path, READERS)
    assert shape_of(proposal) == expected
    (reason,) = [item.reason for item in proposal.skipped if item.path.name == "thoughts of mine.txt"]
    assert reason.endswith("; add it by hand")
    assert all_named(proposal, tmp_path)


def stream_of(proposal: Proposal, key: str) -> StreamProposal:
    return next(stream for sample in proposal.samples for stream in sample.streams if stream.key == key)


def opened_times(stream: StreamProposal) -> tuple[list[int], int | None, list[str]]:
    """Session-independent times of a proposed stream, its epoch, and its files in the order shown."""
    reader = open_stream(stream.files, READERS, reader=stream.reader, options=stream.options, context=OpenContext())
    assert isinstance(reader, TimedReader)
    found = reader.table.times_ns.tolist(), reader.info.epoch_ns, [path.name for path in reader.paths]
    reader.close()
    return found


def test_dates_in_a_list_are_read_to_the_nanosecond_and_a_missing_sweep_keeps_its_neighbours_times(
    tmp_path: Path,
) -> None:
    sensors_with_lists_of_dates(tmp_path)
    proposal = propose_folder(tmp_path, READERS)
    epoch_ns = 1_317_042_145 * SECOND_NS + 594_360_375  # date -u -d '2011-09-26 13:02:25' +%s
    times, epoch, names = opened_times(stream_of(proposal, "image_02"))
    assert (times, epoch, names[1]) == ([0, 10**8, 2 * 10**8, 3 * 10**8], epoch_ns, "0000000001.png")
    times, epoch, names = opened_times(stream_of(proposal, "velodyne_points"))
    assert (times, epoch) == ([0, 10**8, 3 * 10**8], epoch_ns)
    assert names == [f"{i:010}.bin" for i in (0, 1, 3)]


def test_a_json_list_beside_sweeps_is_their_times(tmp_path: Path) -> None:
    sweeps_beside_a_json_list(tmp_path)
    proposal = propose_folder(tmp_path, READERS)
    times, epoch, _ = opened_times(stream_of(proposal, "lidar"))
    assert (times, epoch) == ([0, 10**8, 2 * 10**8], 1_557_539_924_490_000_000)
    assert opened_times(stream_of(proposal, "front"))[1] == 1_557_539_924_470_000_000


def test_a_list_of_another_length_is_not_taken(tmp_path: Path) -> None:
    sweeps_beside_a_json_list(tmp_path)
    (tmp_path / "lidar/timestamps.json").write_text("[1557539924.49, 1557539924.59]")
    stream = stream_of(propose_folder(tmp_path, READERS), "lidar")
    assert "times" not in stream.options
    assert stream.notes == ("no times were found: state a rate (--option rate_hz=10) or a list of times",)


def test_frame_ten_comes_after_frame_nine(tmp_path: Path) -> None:
    unpadded_numbers_and_one_list(tmp_path)
    times, _, names = opened_times(stream_of(propose_folder(tmp_path, READERS), "frame"))
    assert times == [i * 10**8 for i in range(12)]
    assert names == [f"frame_{i}.png" for i in range(12)]
