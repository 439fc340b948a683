"""Sequences of pictures: times from names, numbers, cameras or a list; gaps stay gaps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workstation.core.errors import DataError
from workstation.core.timebase import TimeRange, frame_table
from workstation.media.base import Cancelled, CancelToken, OpenContext, Options, VideoReader, View
from workstation.media.cache import MemoryCache
from workstation.media.image import open_sequence
from workstation.media.image_sequence import ImageSequence
from workstation.media.probe import built_in_readers, choose, open_stream


def write(folder: Path, name: str, grey: int) -> Path:
    path = folder / name
    Image.new("L", (12, 8), grey).save(path)
    return path


def opened(paths: list[Path], options: Options | None = None, context: OpenContext | None = None) -> ImageSequence:
    return open_sequence(paths, options or {}, context or OpenContext())


def greys(sequence: ImageSequence) -> list[float]:
    return [sequence.value_at(i, 0, 0)[0] for i in range(len(sequence.table))]


@pytest.mark.parametrize(
    ("names", "times_ns"),
    [
        (["1700000000000000000.png", "1700000000100000003.png"], [0, 100_000_003]),
        (["cam_1700000000000000.png", "cam_1700000000033333.png"], [0, 33_333_000]),
        (["1700000000000.png", "1700000000250.png"], [0, 250_000_000]),
        (["a_1700000000_5.png", "a_1700000001_25.png"], [0, 750_000_000]),
        (["2023-11-14_22-13-20.png", "2023-11-14_22-13-20.500.png"], [0, 500_000_000]),
        (["20231114T221320_000001.png", "20231114T221321_000001.png"], [0, 1_000_000_000]),
    ],
)
def test_time_stamps_in_names_are_the_times(tmp_path: Path, names: list[str], times_ns: list[int]) -> None:
    files = [write(tmp_path, name, 10 + i) for i, name in enumerate(names)]
    sequence = opened(files[::-1])
    assert sequence.table.times_ns.tolist() == times_ns
    assert greys(sequence) == [10, 11]
    assert sequence.info.epoch_ns is not None
    assert abs(sequence.info.epoch_ns - 1_700_000_000_000_000_000) < 10**9
    sequence.close()


def test_a_missing_number_is_a_gap_and_the_rate_does_not_drift(tmp_path: Path) -> None:
    files = [write(tmp_path, f"frame_{n:05d}.png", n % 250) for n in (*range(100), *range(103, 3000, 300))]
    sequence = opened(files, {"rate_hz": 29.97})
    assert sequence.table.times_ns[99] == round(99 * 1e9 / 29.97)
    last = sequence.item(len(files) - 1)
    assert last.time_ns == round(2803 * 1e9 / 29.97)
    between = sequence.item_at(round(101.5 * 1e9 / 29.97))
    assert between is None
    shown = sequence.item_at(round(99.5 * 1e9 / 29.97))
    assert shown is not None
    assert shown.index == 99
    assert len(sequence.info.gaps) == 10
    assert isinstance(sequence.info.gaps[0], TimeRange)
    sequence.close()


def test_numbers_without_a_rate_say_what_was_assumed(tmp_path: Path) -> None:
    sequence = opened([write(tmp_path, f"{n}.png", n) for n in range(3)])
    assert sequence.table.times_ns.tolist() == [0, 10**9, 2 * 10**9]
    assert sequence.info.notes == ("no rate was stated for the numbered pictures; one a second was assumed",)
    sequence.close()


def test_a_folder_stands_for_its_pictures_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for n in (2, 10, 1):
        write(tmp_path, f"v{n}.png", n)
    (tmp_path / "notes.txt").write_text("not a picture")
    sequence = opened([tmp_path], {"rate_hz": 10})
    assert greys(sequence) == [1, 2, 10]
    sequence.close()


def test_times_from_a_list(tmp_path: Path) -> None:
    files = [write(tmp_path, f"{n}.png", n) for n in range(3)]
    (tmp_path / "times.txt").write_text("0.5\n0.600000001\n2\n")
    sequence = opened(files, {"times_file": "times.txt"})
    assert sequence.table.times_ns.tolist() == [500_000_000, 600_000_001, 2_000_000_000]
    sequence.close()
    for text in ("0.5\n1\n", "0.5\nnan\n1\n", "1\n2\ninf\n", "1\n2\n1e400\n"):
        (tmp_path / "times.txt").write_text(text)
        with pytest.raises(DataError, match=r"times\.txt"):
            opened(files, {"times_file": "times.txt"})
    (tmp_path / "times.txt").write_bytes(b"\xff\xfe1")
    with pytest.raises(DataError, match="not UTF-8"):
        opened(files, {"times_file": "times.txt"})


def test_times_from_the_cameras(tmp_path: Path) -> None:
    for n, stamp in enumerate(("2024:05:06 07:08:09", "2024:05:06 07:08:11")):
        exif = Image.Exif()
        exif.get_ifd(0x8769).update({36867: stamp, 36881: "+02:00"})
        Image.new("L", (8, 8), n).save(tmp_path / f"IMG{1 - n}.jpg", exif=exif)
    sequence = opened([tmp_path], {"times": "exif"})
    assert sequence.table.times_ns.tolist() == [0, 2 * 10**9]
    assert sequence.info.epoch_ns == 1_714_972_089 * 10**9
    sequence.close()


@pytest.mark.parametrize(
    "options",
    [{"times": "names"}, {"times": "moon"}, {"rate_hz": 0}, {"rate_hz": -3}, {"rate_hz": "fast"}, {"times": "exif"},
     {"times_file": "absent.txt"}, {"times_file": "0.png"}],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(tmp_path: Path, options: Options) -> None:
    files = [write(tmp_path, f"{n}.png", n) for n in range(3)]
    with pytest.raises(DataError):
        opened(files, options)


def test_names_that_cannot_be_ordered_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no number"):
        opened([write(tmp_path, "cover.png", 1), write(tmp_path, "1.png", 1)])
    with pytest.raises(DataError, match="same number"):
        opened([write(tmp_path, "a1.png", 1), write(tmp_path, "b1.png", 1)])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no pictures"):
        opened([tmp_path / "empty"])
    with pytest.raises(DataError, match="too far apart"):
        opened([write(tmp_path, "a0.png", 1), write(tmp_path, "a99999999999999.png", 1)])


def test_a_damaged_picture_is_one_error_and_the_rest_is_shown(tmp_path: Path) -> None:
    files = [write(tmp_path, f"{n}.png", n) for n in range(4)]
    files[2].write_bytes(files[2].read_bytes()[:40])
    sequence = opened(files)
    sequence.read_ahead(0, 1, 4, cancel=CancelToken())
    assert [sequence.held(i) for i in range(4)] == [True, True, False, True]
    with pytest.raises(DataError, match=r"2\.png"):
        sequence.picture(2)
    assert sequence.value_at(3, 0, 0) == (3,)
    sequence.close()


def test_it_is_a_video_like_stream_within_the_memory_limit(tmp_path: Path) -> None:
    files = [write(tmp_path, f"{n}.png", n) for n in range(50)]
    memory = MemoryCache(12 * 8 * 10)
    sequence = opened(files, {"rate_hz": 10}, OpenContext(memory=memory))
    assert isinstance(sequence, VideoReader)
    for index in (0, 49, 25, 3, 3):
        sequence.read_ahead(index, -1, 30, cancel=CancelToken())
        assert sequence.picture(index, View(width_px=6)).pixels.shape == (4, 6)
        assert memory.used_bytes <= memory.limit_bytes
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        sequence.read_ahead(40, 1, 5, cancel=token)
    with pytest.raises(IndexError):
        sequence.picture(50)
    sequence.close()


def test_a_dataset_gives_its_own_times(tmp_path: Path) -> None:
    files = [write(tmp_path, f"{name}.png", 9) for name in "abc"]
    table = frame_table(np.array([5, 70, 900]), unit_num=1, unit_den=1000)
    sequence = ImageSequence(files, table, OpenContext(), clock_source="hardware")
    assert sequence.info.clock_source == "hardware"
    assert sequence.item(1).shown == TimeRange(70_000_000, 900_000_000)
    sequence.close()
    with pytest.raises(DataError, match="one time for each"):
        ImageSequence(files[:2], table, OpenContext(), clock_source="hardware")


def test_the_probe_looks_at_the_bytes(tmp_path: Path) -> None:
    readers = built_in_readers()
    assert {"video", "image", "image_sequence"} <= {spec.name for spec in readers}
    png = write(tmp_path, "a.png", 1)
    named_wrong = tmp_path / "a.mp4"
    named_wrong.write_bytes(png.read_bytes())
    assert choose(named_wrong, readers).name == "image"
    unknown = tmp_path / "a.xyz"
    unknown.write_bytes(bytes(range(1, 200)))
    with pytest.raises(DataError, match="no reader knows"):
        choose(unknown, readers)
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(DataError, match="empty"):
        choose(tmp_path / "empty.png", readers)
    with pytest.raises(DataError, match="has no option rate"):
        open_stream([png], readers, reader="image_sequence", options={"rate": 3}, context=OpenContext())
    with pytest.raises(DataError, match="no reader 'holo'"):
        open_stream([png], readers, reader="holo", options={}, context=OpenContext())
    stream = open_stream([named_wrong], readers, options={}, context=OpenContext())
    assert stream.info.count == 1
    stream.close()
