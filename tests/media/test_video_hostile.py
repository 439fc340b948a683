"""Files that are cut, empty, lying, renamed or stitched: one clear sentence or the frames that are there."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from films import FILMS, Film, make_film, read_code
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workstation.core.errors import DataError, UserError
from workstation.media.base import Cancelled, CancelToken, Limits, OpenContext
from workstation.media.cache import DiskCache
from workstation.media.video import VideoFile, open_video, probe

Made = Callable[[Film], Path]
BY_NAME = {film.name: film for film in FILMS}


def opened(path: Path, context: OpenContext | None = None) -> VideoFile:
    return open_video([path], {}, context or OpenContext())


def tried(action: Callable[[], object], *, names: str) -> bool:
    """Whether it worked; if not, the sentence must name the file or the place."""
    try:
        action()
    except UserError as error:
        sentence = str(error)
    else:
        return True
    assert names in sentence
    return False


def numbers(video: VideoFile) -> list[int | None]:
    """The number of every frame; ``None`` where the file cannot give it."""
    read: list[int | None] = []
    for index in range(len(video.table)):
        try:
            read.append(read_code(video.picture(index).pixels))
        except DataError:
            read.append(None)
    return read


@pytest.mark.parametrize("name", ["h264_pyramid.mkv", "h264.ts", "vp9.webm", "mpeg4.avi", "mpeg2.mpg", "h264.h264"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
def test_a_cut_file_shows_what_is_left_of_it(made: Made, tmp_path: Path, name: str, share: float) -> None:
    whole = made(BY_NAME[name]).read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: int(len(whole) * share)])
    video = opened(path)
    try:
        read = numbers(video)
    finally:
        video.close()
    assert len(read) > 5
    good = [(index, number) for index, number in enumerate(read) if number is not None]
    # Near the cut a reordered frame may be missing; what is shown is in order and never another frame's number.
    # Nor one patched by the decoder from its neighbours: whether the cut frame is such a one depends on the encoder.
    order = [number for _, number in good]
    if name.endswith(".h264"):
        # No container tells where the last frame should have ended: FFmpeg may patch that one without a word.
        order = order[:-1] + [number for number in order[-1:] if number != order[-2]]
    assert order == sorted(set(order))
    assert all(index == number for index, number in good[: int(len(good) * 0.9)])
    assert len(good) >= len(read) - 8


def test_a_cut_mp4_without_its_index_says_so(made: Made, tmp_path: Path) -> None:
    whole = made(BY_NAME["h264_constant.mp4"]).read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.mp4: not a video this program can read"):
        opened(path)


def test_a_cut_mp4_with_its_index_first_shows_what_is_left(made: Made, tmp_path: Path) -> None:
    film = Film(
        name="index_first.mp4",
        codec="libx264",
        options={"preset": "veryfast"},
        container_options={"movflags": "faststart"},
    )
    whole = made(film).read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: int(len(whole) * 0.7)])
    video = opened(path)
    try:
        read = numbers(video)
    finally:
        video.close()
    assert 60 < sum(number is not None for number in read) < 150
    assert all(number in (None, index) for index, number in enumerate(read))


@pytest.mark.parametrize(
    "content", [b"", b"\x00", bytes(10_000), b"RIFF\xff\xff\xff\xffAVI LIST", b"#EXTM3U\nhttp://x/y.ts\n"]
)
def test_what_is_no_video_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(DataError) as refused:
        opened(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        opened(tmp_path / "absent.mp4")
    with pytest.raises(DataError):
        opened(tmp_path)


@pytest.mark.parametrize(
    "text", ["ffconcat version 1.0\nfile 'other.mp4'\n", "#EXTM3U\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n"]
)
def test_a_playlist_cannot_pull_in_other_files(made: Made, tmp_path: Path, text: str) -> None:
    for name, film in (("other.mp4", "h264_constant.mp4"), ("other.ts", "h264.ts")):
        (tmp_path / name).write_bytes(made(BY_NAME[film]).read_bytes())
    for suffix in (".mp4", ".m3u8", ".ffconcat"):
        path = tmp_path / f"list{suffix}"
        path.write_text(text)
        with pytest.raises(DataError):
            opened(path)


def test_the_wrong_extension_does_not_matter(made: Made, tmp_path: Path) -> None:
    source = made(BY_NAME["h264_pyramid.mkv"])
    path = tmp_path / "film.png"
    path.write_bytes(source.read_bytes())
    assert probe(path, path.read_bytes()[:4096]) > 0.8
    video = opened(path)
    video.close()
    assert len(video.table) == 150


def test_a_name_that_looks_like_a_protocol_is_a_name(made: Made, tmp_path: Path) -> None:
    for name in ("concat:a|b.mkv", "http:x.mkv", "100%d.mkv", "ä \u202eö.mkv"):
        path = tmp_path / name
        path.write_bytes(made(BY_NAME["ffv1.mkv"]).read_bytes())
        video = opened(path)
        video.close()
        assert len(video.table) == 60


def test_a_picture_larger_than_the_limit_is_refused_before_it_is_decoded(made: Made, tmp_path: Path) -> None:
    raw = bytearray(made(BY_NAME["mjpeg.avi"]).read_bytes())
    at = raw.find(b"\xff\xc0")
    while at >= 0:  # every frame claims 60,000 × 60,000 pixels
        raw[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
        at = raw.find(b"\xff\xc0", at + 1)
    path = tmp_path / "huge.avi"
    path.write_bytes(bytes(raw))
    with pytest.raises(DataError):
        opened(path)
    with pytest.raises(DataError, match="limit"):
        opened(made(BY_NAME["h264_constant.mp4"]), OpenContext(limits=Limits(max_bytes=1000)))


def test_more_frames_than_the_limit_are_refused(made: Made) -> None:
    with pytest.raises(DataError, match="150 items, more than the limit of 100"):
        opened(made(BY_NAME["h264_constant.mp4"]), OpenContext(limits=Limits(max_items=100)))


def test_opening_can_be_cancelled(made: Made) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        opened(made(BY_NAME["h264.h264"]), OpenContext(cancel=token))


def test_a_cancelled_seek_leaves_the_reader_good(made: Made) -> None:
    video = opened(made(BY_NAME["h264_constant.mp4"]))
    try:
        token = CancelToken()
        token.cancel()
        with pytest.raises(Cancelled):
            video.picture(120, cancel=token)
        assert read_code(video.picture(120).pixels) == 120
        assert read_code(video.picture(119).pixels) == 119
    finally:
        video.close()


def test_the_clock_of_a_stitched_stream_never_falls_back(made: Made, tmp_path: Path) -> None:
    part = made(BY_NAME["h264.ts"]).read_bytes()
    path = tmp_path / "twice.ts"
    path.write_bytes(part + part)
    video = opened(path)
    try:
        assert len(video.table) == 300
        assert bool((np.diff(video.table.times_ns) > 0).all())
        assert [read_code(video.picture(i).pixels) for i in (0, 149, 150, 299, 151, 3)] == [0, 149, 0, 149, 1, 3]
        assert any("falls back" in note for note in video.info.notes)
    finally:
        video.close()


def test_repeated_times_keep_every_frame_in_order(made: Made, tmp_path: Path) -> None:
    """The container gives two frames one time; both are there, in the order in which they were written."""
    source = made(BY_NAME["vp8.webm"])
    raw = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    # A block is: track number, 16 bits of time in its cluster, flags. Frame 21 gets the time of frame 20.
    assert raw[places[20]] == raw[places[21]] == 0x81
    raw[places[21] + 1 : places[21] + 3] = raw[places[20] + 1 : places[20] + 3]
    path = tmp_path / "repeated.mkv"
    path.write_bytes(bytes(raw))
    video = opened(path)
    try:
        assert int(video.table.times_ns[21]) == int(video.table.times_ns[20])
        assert numbers(video) == list(range(150))
        assert any("repeat" in note for note in video.info.notes)
    finally:
        video.close()


@pytest.mark.parametrize("name", ["h264_constant.mp4", "hevc.mp4", "vp9.webm"])
def test_damage_in_the_middle_costs_only_what_leans_on_it(made: Made, tmp_path: Path, name: str) -> None:
    raw = bytearray(made(BY_NAME[name]).read_bytes())
    with av.open(str(made(BY_NAME[name]))) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    start, size = packets[60]
    raw[start + 4 : start + size] = bytes(size - 4)
    path = tmp_path / name
    path.write_bytes(bytes(raw))
    video = opened(path)
    try:
        read = [read_code(video.picture(i).pixels) if i < 40 or i >= 105 else None for i in range(150)]
        for index in range(55, 75):
            tried(lambda index=index: video.picture(index), names=f"frame {index}")
        assert read_code(video.picture(149).pixels) == 149
    finally:
        video.close()
    assert all(number == index for index, number in enumerate(read) if number is not None)
    assert None not in read[:40] + read[105:]


@pytest.mark.parametrize("options", [{"track": 1}, {"track": "x"}, {"threads": 0}, {"track": -1}])
def test_options_that_make_no_sense_are_refused(made: Made, options: dict[str, int | str]) -> None:
    with pytest.raises(DataError):
        open_video([made(BY_NAME["h264_constant.mp4"])], options, OpenContext())


def test_the_table_is_built_once_and_again_when_its_cache_rots(made: Made, tmp_path: Path) -> None:
    source = made(BY_NAME["h264.avi"])
    context = OpenContext(disk=DiskCache(tmp_path))
    first = opened(source, context)
    first.close()
    (entry,) = tmp_path.glob("frame_table/*/*")
    stamp = entry.read_bytes()
    second = opened(source, context)
    assert np.array_equal(first.table.times_ns, second.table.times_ns)
    assert first.info == second.info
    assert read_code(second.picture(77).pixels) == 77
    second.close()
    entry.write_bytes(stamp[:-5])
    third = opened(source, context)
    third.close()
    assert np.array_equal(first.table.times_ns, third.table.times_ns)
    assert entry.read_bytes() == stamp


def test_a_film_changed_under_its_old_name_gets_a_new_table(made: Made, tmp_path: Path) -> None:
    context = OpenContext(disk=DiskCache(tmp_path / "cache"))
    path = tmp_path / "film.mkv"
    path.write_bytes(made(BY_NAME["ffv1.mkv"]).read_bytes())
    opened(path, context).close()
    path.write_bytes(made(BY_NAME["vp9.webm"]).read_bytes())
    video = opened(path, context)
    video.close()
    assert len(video.table) == 150


_FUZZED = ("h264_constant.mp4", "h264_pyramid.mkv", "h264.ts", "mpeg4.avi", "vp9.webm")


@pytest.mark.slow
@pytest.mark.parametrize("name", _FUZZED)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_damage_ends_in_frames_or_a_sentence(
    film_folder: Path, tmp_path: Path, name: str, data: st.DataObject
) -> None:
    raw = bytearray(make_film(BY_NAME[name], film_folder).read_bytes())
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(raw) - 1) | st.integers(0, 600) | st.integers(len(raw) - 3000, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    path = tmp_path / name
    path.write_bytes(bytes(raw[: data.draw(st.integers(len(raw) // 2, len(raw)))]))
    context = OpenContext(limits=Limits(max_pixels=1 << 22))
    if not tried(lambda: opened(path, context).close(), names=str(path)):
        return
    video = opened(path, context)
    try:
        for index in {0, len(video.table) // 2, len(video.table) - 1}:
            tried(lambda index=index: video.picture(index), names=str(path))
    finally:
        video.close()
