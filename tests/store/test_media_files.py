"""Files behind streams: recorded, verified to the byte, found again, never written to."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_disks import read_only_view

from workstation.core.annotation import Record
from workstation.core.errors import DataError, Refused, StoppedError
from workstation.core.ids import SampleId, StreamId, deterministic_ids
from workstation.core.records import RecordKind
from workstation.core.sample import MediaFile, Stream, StreamKind
from workstation.core.timebase import TimeMap
from workstation.store.media_files import (
    FileTrouble,
    apply_relinks,
    check_files,
    content_of,
    leaves_project,
    locate,
    propose_relinks,
    record_file,
    stored_path,
)

_IDS = deterministic_ids(5)


def stream_of(*files: MediaFile, key: str = "front") -> Stream:
    return Stream(
        id=StreamId(_IDS.new()),
        sample=SampleId(_IDS.new()),
        key=key,
        kind=StreamKind.VIDEO,
        files=files,
        time_map=TimeMap(),
    )


class Kept:
    """A transaction over one dictionary."""

    def __init__(self, *streams: Stream) -> None:
        self.records: dict[str, Record] = {stream.id: stream for stream in streams}

    def require(self, kind: RecordKind, record_id: str, /) -> Record:
        return self.records[record_id]

    def put(self, record: Record, /) -> None:
        assert isinstance(record, Stream)
        self.records[record.id] = record


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "my-drive"
    folder.mkdir(parents=True)
    return folder


@given(st.binary(max_size=3_000_000))
def test_the_content_is_hashed_as_hashlib_does(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "hashed.bin"
    path.write_bytes(data)
    assert content_of(path) == (hashlib.sha256(data).hexdigest(), len(data))


def test_inside_the_project_a_path_is_relative_beside_it_too_and_far_away_absolute(project: Path) -> None:
    assert stored_path(project, project / "media" / "Äußeres ½.mp4") == "media/Äußeres ½.mp4"
    assert stored_path(project, project.parent / "recordings" / "a.mp4") == "../recordings/a.mp4"
    assert stored_path(project, Path("/elsewhere/a.mp4")) == "/elsewhere/a.mp4"
    assert stored_path(project, project / "media" / ".." / "a.mp4") == "a.mp4"


def test_a_stored_path_leads_back_to_the_file(project: Path) -> None:
    for path in (project / "in.bin", project.parent / "beside.bin"):
        path.write_bytes(b"x")
        assert locate(project, stored_path(project, path)).samefile(path)


def test_a_name_that_is_not_utf8_is_refused_with_advice(project: Path) -> None:
    bad = os.fsdecode(os.fsencode(project) + b"/caf\xe9.wav")
    Path(bad).write_bytes(b"x")
    with pytest.raises(DataError, match="UTF-8; rename"):
        record_file(project, Path(bad))


def test_a_symbolic_link_keeps_its_own_name(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "store" / "abc"
    target.parent.mkdir()
    target.write_bytes(b"annexed")
    (project / "clip.mp4").symlink_to(target)
    file = record_file(project, project / "clip.mp4")
    assert file.path == "clip.mp4"
    assert file.sha256 == hashlib.sha256(b"annexed").hexdigest()
    assert leaves_project(project, "clip.mp4")


def test_progress_reaches_the_size_and_cancel_stops(project: Path) -> None:
    path = project / "a.bin"
    path.write_bytes(bytes(3_500_000))
    seen: list[tuple[int, int]] = []
    record_file(project, path, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (3_500_000, 3_500_000)
    assert len(seen) == 4
    with pytest.raises(StoppedError):
        record_file(project, path, cancelled=lambda: True)


def test_a_file_that_grows_while_it_is_read_is_not_recorded(project: Path) -> None:
    path = project / "growing.bin"
    path.write_bytes(bytes(2_000_000))

    def grow(_done: int, _total: int) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    with pytest.raises(DataError, match="changed while it was read"):
        record_file(project, path, progress=grow)


@pytest.mark.parametrize("make", ["folder", "pipe", "missing", "loop"])
def test_what_is_no_file_is_refused_without_hanging(project: Path, make: str) -> None:
    path = project / make
    if make == "folder":
        path.mkdir()
    elif make == "pipe":
        os.mkfifo(path)
    elif make == "loop":
        path.symlink_to(path)
    with pytest.raises(DataError):
        record_file(project, path)
    (problem,) = check_files(project, [stream_of(MediaFile(path=make, sha256="0" * 64, size=0))])
    assert problem.trouble in (FileTrouble.MISSING, FileTrouble.UNREADABLE, FileTrouble.CHANGED)


def test_one_changed_byte_is_found_and_names_the_stream(project: Path) -> None:
    paths = [project / f"{n}.bin" for n in range(3)]
    for path in paths:
        path.write_bytes(os.urandom(10_000))
    streams = [stream_of(record_file(project, path), key=f"cam{n}") for n, path in enumerate(paths)]
    assert check_files(project, streams) == []
    data = bytearray(paths[1].read_bytes())
    data[5_000] ^= 1
    paths[1].write_bytes(data)
    (problem,) = check_files(project, streams)
    assert (problem.stream, problem.trouble) == (streams[1].id, FileTrouble.CHANGED)
    assert "cam1" in problem.sentence
    assert check_files(project, streams, content=False) == []
    paths[2].unlink()
    paths[0].write_bytes(b"short")
    troubles = [(p.stream, p.trouble) for p in check_files(project, streams, content=False)]
    assert troubles == [(streams[0].id, FileTrouble.CHANGED), (streams[2].id, FileTrouble.MISSING)]


@pytest.mark.parametrize("stored", ["", "a\x00b", "C:\\videos\\a.mp4", "x" * 5000, "../" * 600 + "a", "//host/share"])
def test_paths_that_mean_nothing_here_are_problems_not_crashes(project: Path, stored: str) -> None:
    (problem,) = check_files(project, [stream_of(MediaFile(path=stored, sha256="0" * 64, size=1))])
    assert problem.trouble in (FileTrouble.MISSING, FileTrouble.UNREADABLE)


def test_backslashes_of_windows_projects_are_read_as_separators(project: Path) -> None:
    (project.parent / "rec").mkdir()
    (project.parent / "rec" / "a.mp4").write_bytes(b"x")
    assert locate(project, "..\\rec\\a.mp4").samefile(project.parent / "rec" / "a.mp4")
    (project / "od\\d.mp4").write_bytes(b"y")
    assert locate(project, "od\\d.mp4").name == "od\\d.mp4"


def test_accents_in_either_unicode_spelling_find_the_file(project: Path) -> None:
    composed, apart = unicodedata.normalize("NFC", "café.wav"), unicodedata.normalize("NFD", "café.wav")
    (project / apart).write_bytes(b"x")
    assert locate(project, composed).exists()


def test_moved_and_renamed_files_are_proposed_and_applied_at_once(project: Path, tmp_path: Path) -> None:
    contents = {name: os.urandom(5_000) for name in ("a.bin", "b.bin", "c.bin")}
    for name, data in contents.items():
        (project / name).write_bytes(data)
    one = stream_of(record_file(project, project / "a.bin"), record_file(project, project / "b.bin"), key="one")
    two = stream_of(record_file(project, project / "c.bin"), key="two")
    archive = tmp_path / "data" / "archive" / "2024"
    archive.mkdir(parents=True)
    (project / "a.bin").rename(archive / "renamed.bin")
    (project / "b.bin").rename(archive / "b.bin")
    (project / "c.bin").unlink()
    (archive / "decoy.bin").write_bytes(os.urandom(5_000))
    (archive / "round").symlink_to(archive)
    problems = check_files(project, [one, two])
    proposal = propose_relinks(project, problems, [tmp_path / "data"])
    assert {(r.stream, r.index, r.new.path) for r in proposal.found} == {
        (one.id, 0, "../archive/2024/renamed.bin"),
        (one.id, 1, "../archive/2024/b.bin"),
    }
    assert [p.stream for p in proposal.not_found] == [two.id]
    kept = Kept(one, two)
    assert apply_relinks(kept, proposal.found) == 1
    mended = kept.records[one.id]
    assert isinstance(mended, Stream)
    assert check_files(project, [mended]) == []
    with pytest.raises(Refused, match="search again"):
        apply_relinks(kept, proposal.found)


def test_of_several_copies_the_most_similar_path_wins(project: Path, tmp_path: Path) -> None:
    (project / "cam0").mkdir()
    (project / "cam0" / "a.bin").write_bytes(b"same")
    stream = stream_of(record_file(project, project / "cam0" / "a.bin"))
    (project / "cam0" / "a.bin").unlink()
    for place in ("x/cam1", "y/cam0", "z"):
        folder = tmp_path / "data" / place
        folder.mkdir(parents=True)
        (folder / "a.bin").write_bytes(b"same")
    (relink,) = propose_relinks(project, check_files(project, [stream]), [tmp_path / "data"]).found
    assert relink.new.path == "../y/cam0/a.bin"
    assert relink.copies == 2


def test_read_only_media_are_recorded_and_nothing_about_them_changes(project: Path, tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.mkdir()
    (card / "a.bin").write_bytes(b"x" * 100)
    with read_only_view(card, tmp_path / "view") as view:
        before = (view / "a.bin").stat()
        file = record_file(project, view / "a.bin")
        assert check_files(project, [stream_of(file)]) == []
        after = (view / "a.bin").stat()
    assert (before.st_mtime_ns, before.st_ino, before.st_size) == (after.st_mtime_ns, after.st_ino, after.st_size)


def test_a_device_behind_a_hostile_path_is_never_read(project: Path) -> None:
    file = MediaFile(path="/dev/zero", sha256="0" * 64, size=0)
    (problem,) = check_files(project, [stream_of(file)])
    assert problem.trouble is FileTrouble.UNREADABLE
    assert "regular file" in problem.sentence
    assert msgspec.json.encode(problem.file)
