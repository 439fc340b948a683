"""A published episode of a real robot, and tables as other writers leave them, held against pyarrow and PyAV alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workstation.app.resources import resource
from workstation.media.base import OpenContext, Reader, SeriesReader, VideoReader
from workstation.media.probe import ReaderShelf, open_with
from workstation.media.proposal import StreamProposal

FEATURES = ("observation.state", "action")
CAMERA = "observation.images.cam_high"


def opened(plugin: ModuleType, stream: StreamProposal) -> Reader:
    """As the program opens it: by a reader of that name and that kind."""
    spec = ReaderShelf(lambda: plugin.READERS).named(stream.kind, stream.reader)
    assert spec is not None, (stream.kind, stream.reader)
    return open_with(spec, stream.files, options=stream.options, context=OpenContext())


def test_every_number_of_a_published_episode_is_the_files(plugin: ModuleType) -> None:
    folder = resource("demo", "pick")
    info = json.loads((folder / "meta" / "info.json").read_text())
    proposal = plugin.propose(folder)
    assert proposal.samples
    for sample in proposal.samples:
        number = int(sample.key.removeprefix("episode_"))
        streams = {stream.key: stream for stream in sample.streams}
        where = {"episode_chunk": number // info["chunks_size"], "episode_index": number}
        table = pq.read_table(folder / info["data_path"].format(**where))
        assert set(table.column("episode_index").to_pylist()) == {number}
        stamps = np.array(table.column("timestamp").to_pylist(), np.float64)
        for feature in FEATURES:
            series = opened(plugin, streams[feature])
            assert isinstance(series, SeriesReader)
            rows = np.array(table.column(feature).to_pylist(), np.float64)
            names = np.ravel(info["features"][feature]["names"]).tolist()
            assert [channel.name for channel in series.channels] == names
            for column, name in enumerate(names):
                assert np.array_equal(series.values(name), rows[:, column]), name
            assert np.abs(series.times_ns - stamps * 1e9).max() < 1
        film = opened(plugin, streams[CAMERA])
        assert isinstance(film, VideoReader)
        with av.open(str(folder / info["video_path"].format(**where, video_key=CAMERA))) as container:
            shown = container.streams.video[0]
            assert shown.time_base is not None
            first = shown.start_time or 0
            taken = sorted(float((packet.pts - first) * shown.time_base) for packet in container.demux(shown)
                           if packet.pts is not None)  # fmt: skip
        assert np.abs(film.table.times_ns - np.array(taken) * 1e9).max() <= 1
        assert np.abs(film.table.times_ns - stamps * 1e9).max() < 100_000, "a picture for every row, at its time"
        film.close()


@pytest.mark.parametrize(
    "writer",
    [
        {"compression": "none", "use_dictionary": False, "data_page_version": "2.0"},
        {"compression": "zstd", "row_group_size": 7},
        {"compression": "gzip", "write_statistics": False, "version": "1.0"},
    ],
    ids=lambda writer: writer["compression"],
)
@pytest.mark.parametrize("listed", [pa.list_, pa.large_list], ids=["list", "large_list"])
def test_tables_of_other_writers_hold_the_same_numbers(
    plugin: ModuleType, tmp_path: Path, writer: dict[str, object], listed: object
) -> None:
    """Lists of any kind, times in double precision, several row groups, three ways to pack: what the published file
    holds, written again as other programs do."""
    folder = tmp_path / "again"
    shutil.copytree(resource("demo", "pick"), folder)
    (path,) = folder.glob("data/*/*.parquet")
    table = pq.read_table(path)
    rows = np.array(table.column("action").to_pylist(), np.float64)
    changed = pa.table(
        {
            "index": table.column("index"),
            "action": pa.array(rows.tolist(), listed(pa.float64())),  # type: ignore[operator]
            "timestamp": pa.array(table.column("timestamp").to_pylist(), pa.float64()),
            "observation.state": table.column("observation.state"),
            "episode_index": table.column("episode_index").cast(pa.int32()),
        }
    )
    pq.write_table(changed, path, **writer)
    stream = next(each for sample in plugin.propose(folder).samples for each in sample.streams if each.key == "action")
    series = opened(plugin, stream)
    assert isinstance(series, SeriesReader)
    for column, channel in enumerate(series.channels):
        assert np.array_equal(series.values(channel.name), rows[:, column])
