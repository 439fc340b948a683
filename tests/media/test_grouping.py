"""Folders as people have them: what becomes a sample, what a stream, and what is left out and why."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from dicom_files import picture_file, save, voxels, write_series
from PIL import Image

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import IDENTITY
from workstation.media.base import OpenContext, ReaderSpec
from workstation.media.grouping import epoch_in, propose, propose_folder
from workstation.media.probe import built_in_readers, open_stream
from workstation.media.proposal import DatasetSpec, Proposal

READERS: tuple[ReaderSpec, ...] = built_in_readers()


def picture(path: Path, value: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 6), value, np.uint8)).save(path)


def sound(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1600))


def text(path: Path, content: str = "Some words.\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def cloud(path: Path) -> None:
    text(
        path,
        "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH 1\nHEIGHT 1\n"
        "VIEWPOINT 0 0 0 1 0 0 0\nPOINTS 1\nDATA ascii\n1 2 3\n",
    )


def shape(proposal: Proposal) -> dict[str, dict[str, tuple[StreamKind, int]]]:
    return {
        sample.key: {stream.key: (stream.kind, len(stream.files)) for stream in sample.streams}
        for sample in proposal.samples
    }


def everything_is_accounted_for(proposal: Proposal, folder: Path) -> bool:
    named = [path for path, _ in proposal.destinations()]
    files = {path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")}
    return set(named) >= files and len(named) == len(set(named))


def test_files_of_one_stem_are_a_sample(tmp_path: Path) -> None:
    for name in ("alpha", "beta"):
        picture(tmp_path / f"{name}.png")
        text(tmp_path / f"{name}.txt")
    proposal = propose_folder(tmp_path, READERS)
    expected = {"image": (StreamKind.IMAGE, 1), "text": (StreamKind.TEXT, 1)}
    assert shape(proposal) == {"alpha": expected, "beta": expected}
    assert everything_is_accounted_for(proposal, tmp_path)


def test_folders_by_modality_are_joined_by_stem(tmp_path: Path) -> None:
    for name in ("a1", "b7", "c"):
        picture(tmp_path / "images" / f"{name}.png")
        text(tmp_path / "captions" / f"{name}.txt")
    proposal = propose_folder(tmp_path, READERS)
    expected = {"images": (StreamKind.IMAGE, 1), "captions": (StreamKind.TEXT, 1)}
    assert shape(proposal) == {"a1": expected, "b7": expected, "c": expected}


def test_folders_by_session_are_samples(tmp_path: Path) -> None:
    for session in ("session_1", "session_2"):
        sound(tmp_path / session / "mic.wav")
        text(tmp_path / session / "notes.txt")
        for i in range(4):
            picture(tmp_path / session / "cam" / f"{i:04}.png")
    proposal = propose_folder(tmp_path, READERS)
    expected = {"mic": (StreamKind.AUDIO, 1), "notes": (StreamKind.TEXT, 1), "cam": (StreamKind.VIDEO, 4)}
    assert shape(proposal) == {"session_1": expected, "session_2": expected}
    assert everything_is_accounted_for(proposal, tmp_path)


def test_names_with_a_shared_beginning(tmp_path: Path) -> None:
    for name in ("rec1", "rec2"):
        sound(tmp_path / f"{name}_left.wav")
        sound(tmp_path / f"{name}_right.wav")
        text(tmp_path / f"{name}_words.txt")
    proposal = propose_folder(tmp_path, READERS)
    assert set(shape(proposal)) == {"rec1", "rec2"}
    assert set(shape(proposal)["rec1"]) == {"left", "right", "words"}


def test_one_recording_of_several_things(tmp_path: Path) -> None:
    sound(tmp_path / "talk.wav")
    text(tmp_path / "minutes.txt")
    picture(tmp_path / "whiteboard.png")
    proposal = propose_folder(tmp_path, READERS)
    assert list(shape(proposal)) == ["sample"]
    assert set(shape(proposal)["sample"]) == {"talk", "minutes", "whiteboard"}


def test_single_pictures_are_samples_of_their_own(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        picture(tmp_path / f"{name}.png")
    assert list(shape(propose_folder(tmp_path, READERS))) == ["cat", "dog"]


def test_numbered_files_are_sequences_with_the_times_beside_them(tmp_path: Path) -> None:
    for i in range(5):
        picture(tmp_path / "cam" / "data" / f"frame_{i:05}.png", i)
        cloud(tmp_path / "lidar" / "data" / f"{i:05}.pcd")
    text(tmp_path / "cam" / "timestamps.txt", "".join(f"{i / 10}\n" for i in range(5)))
    text(tmp_path / "lidar" / "timestamps.txt", "".join(f"{i / 10 + 0.05}\n" for i in range(5)))
    proposal = propose_folder(tmp_path, READERS)
    assert [len(sample.streams) for sample in proposal.samples] == [2]
    by_kind = {stream.kind: stream for stream in proposal.samples[0].streams}
    assert len(by_kind[StreamKind.VIDEO].files) == len(by_kind[StreamKind.CLOUD].files) == 5
    assert [item.reason for item in proposal.skipped] == [
        "is the list of times of 'frame'",
        "is the list of times of 'lidar'",
    ]
    for stream in by_kind.values():
        reader = open_stream(stream.files, READERS, reader=stream.reader, options=stream.options, context=OpenContext())
        assert reader.info.rate_hz == pytest.approx(10)
        reader.close()
    assert everything_is_accounted_for(proposal, tmp_path)


def test_recordings_with_their_start_in_the_name_are_laid_on_one_axis(tmp_path: Path) -> None:
    for hour, late in ((10, 3), (11, 5)):
        sound(tmp_path / f"mic_20260301_{hour}0000.wav")
        sound(tmp_path / f"boom_20260301_{hour}00{late:02}.wav")
    proposal = propose_folder(tmp_path, READERS)
    assert list(shape(proposal)) == ["20260301_100000", "20260301_110000"]
    streams = {stream.key: stream for stream in proposal.samples[1].streams}
    assert streams["mic"].time_map.to_session(0) == 0
    assert streams["boom"].time_map.to_session(0) == 5_000_000_000
    assert streams["boom"].epoch_ns == epoch_in("20260301_110005")


def test_studies_are_samples_and_series_streams(tmp_path: Path) -> None:
    places = np.outer(np.arange(4.0), (0, 0, 2))
    write_series(tmp_path / "x", voxels(4), places=places, SeriesDescription="Chest")
    write_series(tmp_path / "y", voxels(3), places=places[:3], Modality="MR")
    save(picture_file(voxels(1)[0], StudyInstanceUID="1.2.3", Modality="CR"), tmp_path / "x" / "scan")
    text(tmp_path / "x" / "history.txt")
    report = picture_file(voxels(1)[0], Modality="SR")
    del report.Rows
    save(report, tmp_path / "y" / "report.dcm")
    proposal = propose_folder(tmp_path, READERS)
    kinds = sorted((stream.kind.value, len(stream.files)) for sample in proposal.samples for stream in sample.streams)
    assert kinds == [("image", 1), ("text", 1), ("volume", 3), ("volume", 4)]
    assert {stream.key for sample in proposal.samples for stream in sample.streams} >= {"ct_chest", "mr"}
    assert [item.reason for item in proposal.skipped] == ["holds no pictures (SR)"]
    assert everything_is_accounted_for(proposal, tmp_path)


def test_what_is_left_out_is_named_with_its_reason(tmp_path: Path) -> None:
    text(tmp_path / "a.txt")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "weights.bin2").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / ".hidden").write_text("x")
    outside = tmp_path.parent / f"{tmp_path.name}_outside.txt"
    outside.write_text("secret")
    (tmp_path / "link.txt").symlink_to(outside)
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    proposal = propose_folder(tmp_path, READERS)
    reasons = {item.path.name: item.reason for item in proposal.skipped}
    assert reasons["empty.wav"] == "the file is empty"
    assert reasons["weights.bin2"] == "no reader knows this kind of file"
    assert "leads out of the folder" in reasons["link.txt"]
    assert reasons["loop"] == "is a link to a folder; it is not followed"
    assert reasons["pipe"] == "is no plain file"
    shown = {path.name for path, where in proposal.destinations() if not where.startswith("skipped")}
    assert "a.txt" in shown
    assert not {"link.txt", "pipe"} & shown


def test_content_counts_before_the_suffix(tmp_path: Path) -> None:
    text(tmp_path / "captions.dat", "WEBVTT\n\n00:00.000 --> 00:01.000\nHi\n")
    (stream,) = propose_folder(tmp_path, READERS).samples[0].streams
    assert stream.reader == "vtt"


def test_the_sound_of_a_film_is_a_stream_on_the_same_clock(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "talk_20260301_100000.mkv"), "w") as container:
        film = container.add_stream("mpeg4", rate=10)
        film.width = film.height = 16
        speech = container.add_stream("pcm_s16le", rate=8000)
        for _ in range(3):
            container.mux(film.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")))
        sound_frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound_frame.sample_rate = 8000
        container.mux(speech.encode(sound_frame))
        container.mux(film.encode(None))
    streams = propose_folder(tmp_path, READERS).samples[0].streams
    assert [(stream.key, stream.kind, stream.reader) for stream in streams] == [
        ("video", StreamKind.VIDEO, "video"),
        ("video_sound", StreamKind.AUDIO, "audio"),
    ]
    assert streams[0].epoch_ns == streams[1].epoch_ns


def test_a_layout_that_recognises_the_folder_is_asked(tmp_path: Path) -> None:
    text(tmp_path / "a.txt")

    def known(folder: Path) -> Proposal:
        return Proposal(folder=folder, layout="mine", title="Mine", samples=())

    mine = DatasetSpec(name="mine", title="Mine", recognise=lambda folder: 0.9, propose=known)
    other = DatasetSpec(name="other", title="Other", recognise=lambda folder: 0.1, propose=known)
    assert propose(tmp_path, READERS, [other, mine]).layout == "mine"
    assert propose(tmp_path, READERS, [other]).layout == "folder"
    with pytest.raises(DataError, match="is no folder"):
        propose(tmp_path / "a.txt", READERS)


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    proposal = propose_folder(tmp_path, READERS)
    assert proposal.samples == ()
    assert proposal.notes[-1] == "no file of the folder can be shown"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cam_1532402927612460", 1_532_402_927_612_460_000),
        ("1532402927612460123", 1_532_402_927_612_460_123),
        ("x1532402927612.a", 1_532_402_927_612_000_000),
        ("2018-07-24T11-22-45.5", 1_532_431_365_500_000_000),
        ("20180732_112245", None),
        ("take_12", None),
    ],
)
def test_times_in_names(name: str, expected: int | None) -> None:
    assert epoch_in(name) == expected


def test_streams_without_known_clocks_keep_their_own_time(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    text(tmp_path / "b.txt")
    sample = propose_folder(tmp_path, READERS).samples[0]
    assert all(stream.time_map == IDENTITY for stream in sample.streams)
    assert sample.notes == ("the streams' clocks are not known to agree",)
