"""LeRobot episodes: cameras as films, states and actions as series with the names of their joints, tasks as text.

``meta/info.json`` says which version it is and where files lie, by templates; names are never guessed. In version 2 an
episode has files of its own; in version 3 many episodes share a table and a film, and an index says which part is
whose. Times are seconds from the start of the episode, single precision as the format has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.files import read_bounded
from workstation.core.sample import StreamKind
from workstation.core.timebase import IDENTITY, SECOND_NS, offset_map
from workstation.core.untrusted import Found, inside, parse_json_lines, read_json
from workstation.media.base import Channel, OpenContext, Options, ReaderSpec, one_path
from workstation.media.held import HeldSeries, Origin, held_series
from workstation.media.proposal import (
    DatasetSpec,
    Proposal,
    SampleProposal,
    Skipped,
    StreamProposal,
    left_over,
)

_BOOKKEEPING = ("timestamp", "frame_index", "episode_index", "index", "task_index")
_NUMBERS = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "bool")
_MOST_EPISODES = 200_000
_MOST_CHANNELS = 4096
_FIELD = re.compile(r"\{([a-z_]+)(?::0?(\d{1,2})d)?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Feature:
    """One column of the data set that holds numbers."""

    name: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Info:
    """What ``meta/info.json`` says."""

    path: Path
    version: int
    robot: str
    data_path: str
    video_path: str
    chunk_size: int
    features: tuple[_Feature, ...]
    videos: tuple[str, ...]
    others: tuple[str, ...]
    """Features that are neither numbers nor films."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Episode:
    """One episode, and the fields that its templates need."""

    index: int
    tasks: tuple[str, ...]
    data: dict[str, int]
    videos: dict[str, dict[str, int]]
    begins_ns: dict[str, int]
    """Where in each film it begins."""


def recognise(folder: Path) -> float:
    """``meta/info.json`` that names templates."""
    try:
        info = read_json(folder / "meta" / "info.json", max_bytes=4 << 20)
    except DataError:
        return 0.0
    return 0.95 if info.has("codebase_version", "data_path", "features") else 0.0


def propose(folder: Path) -> Proposal:
    """One sample an episode whose files are there."""
    info = read_info(folder)
    samples: list[SampleProposal] = []
    skipped: list[Skipped] = []
    count = 0
    for episode in _episodes(folder, info):
        count += 1
        if count > _MOST_EPISODES:
            raise DataError(f"lists more than {_MOST_EPISODES:,} episodes", path=info.path)
        streams = tuple(_streams(folder, info, episode))
        if streams:
            tasks = "\n".join(episode.tasks)[:4000]
            properties = {name: text for name, text in (("task", tasks), ("robot", info.robot)) if text}
            samples.append(SampleProposal(key=f"episode_{episode.index:06}", streams=streams, properties=properties))
    notes = [f"LeRobot version {info.version}"]
    if count > len(samples):
        notes.append(f"{count - len(samples)} of {count} episodes have no files here")
    if info.others:
        notes.append(f"not shown, because they hold neither numbers nor films: {', '.join(info.others)[:500]}")
    used = {path for sample in samples for stream in sample.streams for path in stream.files}
    skipped += left_over(folder, used, _why)
    return Proposal(
        folder=folder,
        layout="lerobot",
        title=f"LeRobot {info.version}, {info.robot or 'robot not named'}",
        samples=tuple(samples),
        skipped=tuple(skipped),
        notes=tuple(notes),
    )


def _why(path: Path) -> str:
    return "describes the data set" if path.name == "meta" else "belongs to no episode of the index"


def read_info(folder: Path) -> _Info:
    """The description of the data set, or a ``DataError``."""
    path = folder / "meta" / "info.json"
    found = read_json(path, max_bytes=4 << 20)
    said = found["codebase_version"].text()
    version = re.fullmatch(r"v?([23])\.\d+.*", said)
    if version is None:
        raise DataError(f"is version {said[:20]!r}; 2.0, 2.1 and 3.0 can be read", path=path)
    features, videos, others = [], [], []
    for name, value in found["features"].mapping().items():
        feature = Found(value, path, f"features.{name}")
        kind = feature["dtype"].text()
        if name in _BOOKKEEPING:
            continue
        if kind == "video":
            videos.append(name)
        elif kind in _NUMBERS:
            features.append(_Feature(name=name, channels=_channels(name, feature)))
        else:
            others.append(f"{name} ({kind[:20]})")
    chunk, video_path, robot = found.get("chunks_size"), found.get("video_path"), found.get("robot_type")
    return _Info(
        path=path,
        version=int(version[1]),
        robot="" if robot is None else robot.text()[:100],
        data_path=found["data_path"].text(),
        video_path="" if video_path is None else video_path.text(),
        chunk_size=max(1, 1000 if chunk is None else chunk.whole()),
        features=tuple(features),
        videos=tuple(videos),
        others=tuple(others),
    )


def _channels(name: str, feature: Found) -> tuple[str, ...]:
    """A name for each number of the feature: the ones given where they are as many, else counted."""
    count = 1
    for size in feature["shape"]:
        count *= max(0, size.whole())
        if count > _MOST_CHANNELS:
            feature.fail(f"has more than {_MOST_CHANNELS:,} numbers a frame")
    names = feature.get("names")
    given = [] if names is None else list(_flat(names.value, 0))
    if len(given) == count:
        return tuple(given)
    return (name,) if count == 1 else tuple(f"{name}[{i}]" for i in range(count))


def _flat(value: object, depth: int) -> Iterator[str]:
    """Names come as a list, a list in a list, or an object of lists."""
    if isinstance(value, str):
        yield value[:200]
    elif isinstance(value, dict | list) and depth < 4:
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _flat(inner, depth + 1)


def _episodes(folder: Path, info: _Info) -> Iterator[_Episode]:
    yield from _episodes_2(folder, info) if info.version == 2 else _episodes_3(folder, info)


def _episodes_2(folder: Path, info: _Info) -> Iterator[_Episode]:
    path = folder / "meta" / "episodes.jsonl"
    for line in parse_json_lines(read_bounded(path, 512 << 20), path=path):
        index = line["episode_index"].whole()
        tasks = line.get("tasks")
        fields = {"episode_index": index, "episode_chunk": index // info.chunk_size}
        yield _Episode(
            index=index,
            tasks=() if tasks is None else tuple(task.text() for task in tasks),
            data=fields,
            videos=dict.fromkeys(info.videos, fields),
            begins_ns={},
        )


def _episodes_3(folder: Path, info: _Info) -> Iterator[_Episode]:
    index_folder = folder / "meta" / "episodes"
    files = sorted(index_folder.glob("chunk-*/file-*.parquet"))
    if not files:
        raise DataError("holds no index of episodes (meta/episodes/chunk-…/file-….parquet)", path=folder)
    for path in files:
        columns = ["episode_index", "tasks", "data/chunk_index", "data/file_index"]
        for key in info.videos:
            columns += [f"videos/{key}/{name}" for name in ("chunk_index", "file_index", "from_timestamp")]
        for row in _table(path, columns, _MOST_EPISODES).to_pylist():
            found = Found(row, path)
            yield _Episode(
                index=found["episode_index"].whole(),
                tasks=tuple(task.text() for task in found.get("tasks") or ()),
                data={name: found[f"data/{name}"].whole() for name in ("chunk_index", "file_index")},
                videos={
                    key: {name: found[f"videos/{key}/{name}"].whole() for name in ("chunk_index", "file_index")}
                    for key in info.videos
                },
                begins_ns={key: found[f"videos/{key}/from_timestamp"].seconds_ns() for key in info.videos},
            )


def _streams(folder: Path, info: _Info, episode: _Episode) -> Iterator[StreamProposal]:
    table = inside(folder, fill(info.data_path, episode.data, info.path), source=info.path)
    if table.is_file():
        for feature in info.features:
            yield StreamProposal(
                key=feature.name,
                kind=StreamKind.SERIES,
                files=(table,),
                reader="lerobot_series",
                options={"feature": feature.name, "episode": episode.index, "names": "\n".join(feature.channels)},
                clock="episode",
                clock_source="column timestamp, single precision",
                role="action" if feature.name.startswith("action") else "state",
            )
    for key in info.videos:
        if not info.video_path:
            raise DataError("lists films but no 'video_path'", path=info.path)
        name = fill(info.video_path, episode.videos[key], info.path, video_key=key)
        film = inside(folder, name, source=info.path)
        if not film.is_file():
            continue
        begins_ns = episode.begins_ns.get(key, 0)
        shared = info.version == 3
        time_map = offset_map(-begins_ns).found_by("declared", evidence={"from_timestamp_ns": begins_ns})
        yield StreamProposal(
            key=key,
            kind=StreamKind.VIDEO,
            files=(film,),
            reader="video",
            clock="episode",
            clock_source="container",
            time_map=time_map if begins_ns else IDENTITY,
            notes=("the film holds other episodes before and after this one",) if shared else (),
        )


def fill(template: str, fields: dict[str, int], path: Path, **texts: str) -> str:
    """``data/chunk-{episode_chunk:03d}/…`` with its fields. Only names and widths: never Python's own formatting."""

    def field(match: re.Match[str]) -> str:
        name, width = match[1], int(match[2] or 0)
        if name in texts:
            return texts[name]
        if name not in fields:
            raise DataError(f"the template {template[:200]!r} asks for {name!r}, which nothing gives", path=path)
        return f"{fields[name]:0{min(width, 20)}d}"

    filled = _FIELD.sub(field, template)
    if "{" in filled or "}" in filled:
        raise DataError(f"the template {template[:200]!r} cannot be read", path=path)
    return filled


def _table(path: Path, columns: list[str], most_rows: int, episode: int | None = None) -> Any:
    """Those columns of a Parquet file, of one episode if one is given."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            known = set(file.schema_arrow.names)
            rows = file.metadata.num_rows
        lacking = [name for name in columns if name not in known]
        if lacking:
            raise DataError(f"lacks the columns {', '.join(lacking)[:300]}", path=path)
        if rows > most_rows:
            raise DataError(f"holds {rows:,} rows, more than the limit of {most_rows:,}", path=path)
        filters = None if episode is None else [("episode_index", "=", episode)]
        return pq.read_table(path, columns=columns, filters=filters, partitioning=None)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"is no usable Parquet file: {' '.join(str(error).split())[:200]}", path=path) from error


def open_series(paths: Sequence[Path], options: Options, context: OpenContext) -> HeldSeries:
    """One feature of one episode."""
    path = one_path(paths, "a table of episodes")
    feature, episode = str(options.get("feature", "")), options.get("episode")
    if isinstance(episode, bool) or not isinstance(episode, int) or not feature:
        raise DataError("needs the options 'feature' and 'episode'", path=path)
    table = _table(path, ["timestamp", "episode_index", feature], context.limits.max_items, episode)
    if table.num_rows == 0:
        raise DataError(f"holds no row of episode {episode}", path=path)
    seconds = _matrix(table.column("timestamp"), path, "timestamp")[:, 0]
    if not np.isfinite(seconds).all() or np.abs(seconds).max() > 1e9:
        raise DataError("a time stamp is no usable number", path=path)
    times_ns = np.rint(seconds * SECOND_NS).astype(np.int64)
    values = _matrix(table.column(feature), path, feature)
    names = str(options.get("names", "")).split("\n")
    if len(names) != values.shape[1]:
        names = [f"{feature}[{i}]" for i in range(values.shape[1])]
    channels = [Channel(name=name) for name in _distinct(names)]
    origin = Origin(paths=(path,), clock_source="column timestamp, single precision", details={"episode": episode})
    return held_series(channels, times_ns, values, origin=origin)


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result


def _matrix(column: Any, path: Path, name: str) -> NDArray[np.float64]:
    """(rows, numbers) of a column of numbers or of lists of equal length, however nested; null is NaN."""
    import pyarrow as pa

    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    rows, width = len(array), 1
    while pa.types.is_list(array.type) or pa.types.is_large_list(array.type) or pa.types.is_fixed_size_list(array.type):
        before = len(array)
        if array.null_count:
            raise DataError("a row holds nothing", path=path, place=f"column {name}")
        array = array.flatten()
        if before == 0 or len(array) % before:
            raise DataError("its rows are not equally long", path=path, place=f"column {name}")
        width *= len(array) // before
        if width > _MOST_CHANNELS:
            raise DataError(f"a row holds more than {_MOST_CHANNELS:,} numbers", path=path, place=f"column {name}")
    if not (pa.types.is_integer(array.type) or pa.types.is_floating(array.type) or pa.types.is_boolean(array.type)):
        raise DataError(f"holds {array.type}, not numbers", path=path, place=f"column {name}")
    values = array.cast(pa.float64(), safe=False) if not pa.types.is_boolean(array.type) else array.cast(pa.int8())
    flat = np.asarray(values.to_numpy(zero_copy_only=False), np.float64)
    return flat.reshape(rows, width)


READERS = (
    ReaderSpec(
        name="lerobot_series",
        kind=StreamKind.SERIES,
        title="LeRobot states and actions",
        suffixes=(".parquet",),
        open=open_series,
        options={
            "feature": "which column",
            "episode": "number of the episode",
            "names": "names of its numbers, one a line",
        },
    ),
)
DATASETS = (DatasetSpec(name="lerobot", title="LeRobot", recognise=recognise, propose=propose),)
