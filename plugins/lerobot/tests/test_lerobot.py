"""Both layouts written here by their own rules: episodes, joints, films, templates that lie."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workstation.core.errors import DataError
from workstation.core.timebase import shown_capture
from workstation.media.base import OpenContext, Reader, SeriesReader, VideoReader
from workstation.media.probe import built_in_readers, open_stream
from workstation.media.proposal import StreamProposal

CAMERA = "observation.images.top"
RATE = 10


def info(version: str) -> dict[str, Any]:
    two = version.startswith("v2")
    return {
        "codebase_version": version,
        "robot_type": "arm",
        "fps": RATE,
        "chunks_size": 2,
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
        if two
        else "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"
        if two
        else "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
        "features": {
            "observation.state": {"dtype": "float32", "shape": [2], "names": [["shoulder", "elbow"]]},
            "action": {"dtype": "float32", "shape": [2], "names": {"motors": ["shoulder", "elbow"]}},
            "next.reward": {"dtype": "float32", "shape": [1], "names": None},
            CAMERA: {"dtype": "video", "shape": [16, 16, 3], "names": ["height", "width", "channel"]},
            "observation.images.side": {"dtype": "image", "shape": [16, 16, 3], "names": None},
            "timestamp": {"dtype": "float32", "shape": [1], "names": None},
            "episode_index": {"dtype": "int64", "shape": [1], "names": None},
        },
    }


def rows(episode: int, frames: int) -> pa.Table:
    values = np.arange(frames, dtype=np.float32)
    pairs = np.column_stack([values + 100 * episode, -values]).ravel()
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(pairs), 2)
    return pa.table(
        {
            "observation.state": fixed,
            "action": pa.ListArray.from_arrays(pa.array(np.arange(frames + 1) * 2, pa.int32()), pa.array(pairs * 2)),
            "next.reward": pa.array(values),
            "timestamp": pa.array((values / RATE).astype(np.float32)),
            "episode_index": pa.array(np.full(frames, episode)),
        }
    )


def film(path: Path, levels: list[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.width = stream.height = 16
        for level in levels:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((16, 16, 3), level, np.uint8), "rgb24")))
        container.mux(stream.encode(None))


def table(path: Path, content: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(content, path)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    folder = tmp_path / "v2"
    (folder / "meta").mkdir(parents=True)
    (folder / "meta" / "info.json").write_text(json.dumps(info("v2.1")))
    lines = [json.dumps({"episode_index": i, "tasks": [f"Task {i}"], "length": 6}) for i in range(5)]
    (folder / "meta" / "episodes.jsonl").write_text("\n".join(lines))
    for i in (0, 3):
        table(folder / f"data/chunk-{i // 2:03}/episode_{i:06}.parquet", rows(i, 6))
        film(folder / f"videos/chunk-{i // 2:03}/{CAMERA}/episode_{i:06}.mp4", [20 * k for k in range(6)])
    return folder


@pytest.fixture
def three(tmp_path: Path) -> Path:
    folder = tmp_path / "v3"
    (folder / "meta").mkdir(parents=True)
    (folder / "meta" / "info.json").write_text(json.dumps(info("v3.0")))
    table(folder / "data/chunk-000/file-000.parquet", pa.concat_tables([rows(0, 4), rows(1, 6)]))
    film(folder / f"videos/{CAMERA}/chunk-000/file-000.mp4", [20 * k for k in range(10)])
    index = {
        "episode_index": [0, 1],
        "tasks": [["Pick"], ["Place", "Wait"]],
        "length": [4, 6],
        "data/chunk_index": [0, 0],
        "data/file_index": [0, 0],
        f"videos/{CAMERA}/chunk_index": [0, 0],
        f"videos/{CAMERA}/file_index": [0, 0],
        f"videos/{CAMERA}/from_timestamp": [0.0, 0.4],
        f"videos/{CAMERA}/to_timestamp": [0.4, 1.0],
    }
    table(folder / "meta/episodes/chunk-000/file-000.parquet", pa.table(index))
    return folder


def opened(plugin: ModuleType, stream: StreamProposal) -> Reader:
    readers = (*built_in_readers(), *plugin.READERS)
    return open_stream(stream.files, readers, reader=stream.reader, options=stream.options, context=OpenContext())


def test_version_two_has_a_sample_for_each_episode_that_is_there(plugin: ModuleType, two: Path) -> None:
    assert plugin.recognise(two) > 0.9
    proposal = plugin.propose(two)
    assert [sample.key for sample in proposal.samples] == ["episode_000000", "episode_000003"]
    assert proposal.samples[1].properties == {"task": "Task 3", "robot": "arm"}
    assert "3 of 5 episodes have no files here" in proposal.notes
    assert any("observation.images.side (image)" in note for note in proposal.notes)
    streams = {stream.key: stream for stream in proposal.samples[1].streams}
    assert set(streams) == {"observation.state", "action", "next.reward", CAMERA}
    state, action = opened(plugin, streams["observation.state"]), opened(plugin, streams["action"])
    assert isinstance(state, SeriesReader)
    assert isinstance(action, SeriesReader)
    assert [channel.name for channel in state.channels] == ["shoulder", "elbow"]
    assert state.values("shoulder").tolist() == [300 + i for i in range(6)]
    assert action.values("elbow").tolist() == [-2 * i for i in range(6)]
    assert np.abs(state.times_ns - np.arange(6) * 100_000_000).max() < 100  # single precision in the file
    assert isinstance(opened(plugin, streams[CAMERA]), VideoReader)


def test_version_three_finds_each_episode_in_shared_files(plugin: ModuleType, three: Path) -> None:
    proposal = plugin.propose(three)
    assert [sample.properties["task"] for sample in proposal.samples] == ["Pick", "Place\nWait"]
    streams = {stream.key: stream for stream in proposal.samples[1].streams}
    state, camera = opened(plugin, streams["observation.state"]), opened(plugin, streams[CAMERA])
    assert isinstance(state, SeriesReader)
    assert isinstance(camera, VideoReader)
    assert state.values("shoulder").tolist() == [100 + i for i in range(6)]
    shown = shown_capture(camera.table, streams[CAMERA].time_map, 200_000_000 + 1)
    assert shown is not None
    assert shown.index == 6  # the third frame of the second episode is the seventh of the film
    assert abs(int(camera.picture(6).pixels[8, 8, 0]) - 120) < 12
    camera.close()


def test_every_file_is_accounted_for(plugin: ModuleType, two: Path, three: Path) -> None:
    for folder in (two, three):
        (folder / "README.md").write_text("hello")
        proposal = plugin.propose(folder)
        named = {path for path, _ in proposal.destinations()}
        assert [p for p in folder.rglob("*") if p.is_file() and not ({p, *p.parents} & named)] == []


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("data_path", "../../{episode_index}.parquet", "leads out of"),
        ("data_path", "/etc/{episode_index:06d}", "leads out of"),
        ("data_path", "{episode_index.__class__}", "cannot be read"),
        ("data_path", "{nonsense}", "asks for 'nonsense'"),
        ("video_path", "{video_key}/../../../{episode_index}", "leads out of"),
        ("codebase_version", "v1.6", "2.0, 2.1 and 3.0 can be read"),
        ("features", [], "must be an object"),
        ("features", {"a": {"dtype": "float32", "shape": [99999, 99999]}}, "numbers a frame"),
        ("chunks_size", "many", "must be a whole number"),
    ],
)
def test_a_description_that_lies_is_one_sentence(
    plugin: ModuleType, two: Path, key: str, value: object, sentence: str
) -> None:
    content = info("v2.1") | {key: value}
    (two / "meta" / "info.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=sentence):
        plugin.propose(two)


def test_a_width_in_a_template_is_bounded(plugin: ModuleType) -> None:
    assert len(plugin.fill("{a:099d}", {"a": 1}, Path("x"))) <= 20


@pytest.mark.parametrize("content", [b"", b"PAR1", bytes(100), b"PAR1" + bytes(50) + b"\xff\xff\xff\x7fPAR1"])
def test_broken_tables_are_a_sentence(plugin: ModuleType, two: Path, content: bytes) -> None:
    path = two / "data/chunk-000/episode_000000.parquet"
    path.write_bytes(content)
    stream = next(s for s in plugin.propose(two).samples[0].streams if s.key == "action")
    with pytest.raises(DataError, match="no usable Parquet file"):
        opened(plugin, stream)


@pytest.mark.parametrize(
    ("column", "values", "sentence"),
    [
        ("action", pa.array([[1.0], [1.0, 2.0]] * 3), "not equally long"),
        ("action", pa.array(["x"] * 6), "not numbers"),
        ("action", pa.array([[1.0], None] * 3), "holds nothing"),
        ("timestamp", pa.array([float("nan")] * 6, pa.float32()), "time stamp is no usable number"),
        ("timestamp", pa.array([float("inf")] * 6, pa.float32()), "time stamp is no usable number"),
        ("episode_index", pa.array([7] * 6), "no row of episode 0"),
    ],
)
def test_columns_that_lie_are_a_sentence(
    plugin: ModuleType, two: Path, column: str, values: pa.Array, sentence: str
) -> None:
    content = rows(0, 6)
    at = content.schema.get_field_index(column)
    table(two / "data/chunk-000/episode_000000.parquet", content.set_column(at, column, values))
    stream = next(s for s in plugin.propose(two).samples[0].streams if s.key == "action")
    with pytest.raises(DataError, match=sentence):
        opened(plugin, stream)


def test_missing_values_are_gaps(plugin: ModuleType, two: Path) -> None:
    content = rows(0, 6)
    rewards = pa.array([0.0, None, 2.0, 3.0, 4.0, 5.0], pa.float32())
    at = content.schema.get_field_index("next.reward")
    table(two / "data/chunk-000/episode_000000.parquet", content.set_column(at, "next.reward", rewards))
    stream = next(s for s in plugin.propose(two).samples[0].streams if s.key == "next.reward")
    reader = opened(plugin, stream)
    assert isinstance(reader, SeriesReader)
    assert np.isnan(reader.values("next.reward")[1])


def test_other_folders_are_not_recognised(plugin: ModuleType, tmp_path: Path) -> None:
    assert plugin.recognise(tmp_path) == 0
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "info.json").write_text("[]")
    assert plugin.recognise(tmp_path) == 0
