"""Adding a folder: first what it would become, then, if agreed, all of it in one step."""

from __future__ import annotations

import json
import shutil
import wave
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from workstation import open_project
from workstation.app.opening import new_project
from workstation.cli.main import main
from workstation.core.rights import ActorKind


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return new_project(tmp_path / "project", profile="driving", person="Ana")


@pytest.fixture
def folder(tmp_path: Path, published: Path) -> Path:
    """Three takes, each a film, its sound and its words; one broken film; notes nobody can show."""
    made = tmp_path / "takes"
    for number in (1, 2, 3):
        take = made / f"take_{number}"
        take.mkdir(parents=True)
        shutil.copyfile(published / "camera" / "back_camera.mp4", take / "camera.mp4")
        shutil.copyfile(published / "text" / "narration.vtt", take / "words.vtt")
        with wave.open(str(take / "sound.wav"), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(b"\x01\x02" * 8000)
    whole = (published / "camera" / "front_camera.mp4").read_bytes()
    (made / "take_2" / "broken.mp4").write_bytes(whole[:2000])
    (made / "take_1" / "lens.xyz123").write_bytes(bytes(range(256)))
    return made


def revisions(project: Path) -> int:
    with open_project(project, read_only=True) as session:
        return session.store.head()


def test_nothing_is_written_before_somebody_agrees(
    project: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = revisions(project)
    assert main(["add", str(project), str(folder)]) == 0
    out = capsys.readouterr().out
    assert "take_1" in out
    assert "skipped: take_1/lens.xyz123: " in out
    assert "skipped: take_2/broken.mp4: " in out
    assert "Nothing was written" in out
    assert revisions(project) == before


def test_agreed_it_is_written_as_one_step(project: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = revisions(project)
    assert main(["add", str(project), str(folder), "--yes", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    goes = {row["file"]: row["goes"] for row in said["files"]}
    assert goes["take_1/camera.mp4"] == "take_1 / camera"
    assert goes["take_2/broken.mp4"].startswith("skipped: ")
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(goes) == files, "every file is accounted for"
    assert revisions(project) == before + 1
    with open_project(project, kind=ActorKind.PERSON) as session:
        kinds = {
            sample.key: sorted(f"{each.key}: {each.kind}" for each in session.store.streams(sample.id))
            for sample in session.store.samples()
        }
        assert kinds == {
            key: ["camera: video", "sound: audio", "words: text"] for key in ("take_1", "take_2", "take_3")
        }
        session.undo()
        assert list(session.store.samples()) == []


def test_texts_in_an_older_encoding_come_with_its_name(
    project: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "take_2" / "words.vtt").write_bytes("WEBVTT\n\n00:01.000 --> 00:02.000\nSchöne Grüße\n".encode("cp1252"))
    assert main(["add", str(project), str(folder)]) == 0
    assert "skipped: take_2/words.vtt: is not UTF-8" in capsys.readouterr().out
    assert main(["add", str(project), str(folder), "--encoding", "cp1252", "--yes"]) == 0
    with open_project(project, read_only=True) as session:
        stored = {
            sample.key: stream.options
            for sample in session.store.samples()
            for stream in session.store.streams(sample.id)
            if stream.reader == "vtt"
        }
    assert stored == {"take_1": {}, "take_2": {"encoding": "cp1252"}, "take_3": {}}


def test_a_sample_of_that_name_is_not_written_over(
    project: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", str(project), str(folder), "--yes"]) == 0
    after = revisions(project)
    assert main(["add", str(project), str(folder), "--yes"]) == 2
    assert "there is a sample 'take_1' already" in capsys.readouterr().err
    assert revisions(project) == after


def test_what_cannot_be_added_says_why(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "rubbish").mkdir()
    (tmp_path / "rubbish" / "a.mp4").write_bytes(b"\x00\xff" * 50)
    for name, reason in (("empty", "it is empty"), ("rubbish", "a.mp4: ")):
        assert main(["add", str(project), str(tmp_path / name), "--yes"]) == 2
        assert reason in capsys.readouterr().err
    assert main(["add", str(project), str(tmp_path / "rubbish"), "--sample", "s"]) == 2
    assert main(["add", str(project), str(tmp_path / "rubbish" / "a.mp4")]) == 2
    assert "--sample KEY" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("modality", "sop_class", "reason"),
    [
        ("SR", "1.2.840.10008.5.1.4.1.1.88.11", "holds no pictures (SR)"),
        ("SEG", "1.2.840.10008.5.1.4.1.1.66.4", "holds a segmentation"),
    ],
)
def test_a_dicom_file_without_pictures_of_its_own_is_no_stream(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], modality: str, sop_class: str, reason: str
) -> None:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = sop_class, generate_uid(), modality
    dataset.StudyInstanceUID = dataset.SeriesInstanceUID = generate_uid()
    if modality == "SEG":
        dataset.Rows = dataset.Columns = 4
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
        dataset.BitsAllocated = dataset.BitsStored = 8
        dataset.HighBit, dataset.PixelData = 7, bytes(16)
    path = tmp_path / "report.dcm"
    dataset.save_as(path, enforce_file_format=True)
    before = revisions(project)
    assert main(["add", str(project), str(path), "--sample", "patient"]) == 2
    assert f"report.dcm: {reason}" in capsys.readouterr().err
    assert revisions(project) == before


def test_a_raw_can_log_by_itself_is_named_for_what_it_is(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "drive.log"
    log.write_text("(1436509052.249713) can0 1A0#E803000000000000\n")
    assert main(["add", str(project), str(log), "--sample", "drive"]) == 2
    assert "raw CAN log (candump)" in capsys.readouterr().err
