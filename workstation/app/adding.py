"""Recording media files as streams of a sample: where they lie, what they hold, what kind they seem to be.

Readers that look inside come later; here the name's ending decides, and what was guessed is told.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workstation.app.session import Session
from workstation.core.errors import DataError, UserError
from workstation.core.sample import MediaFile, StreamKind
from workstation.store.media_files import record_file

Progress = Callable[[int, int], None]

_ENDINGS: dict[StreamKind, str] = {
    StreamKind.IMAGE: "png jpg jpeg bmp tif tiff webp gif",
    StreamKind.VIDEO: "mp4 mov mkv avi webm m4v mpg mpeg ts h264 h265 hevc",
    StreamKind.AUDIO: "wav flac mp3 ogg opus m4a aac aiff aif",
    StreamKind.CLOUD: "pcd las laz ply bin e57 xyz",
    StreamKind.SERIES: "csv tsv parquet mf4 dbc",
    StreamKind.TEXT: "txt md srt vtt textgrid eaf",
    StreamKind.DOCUMENT: "pdf",
    StreamKind.VOLUME: "dcm nii mha nrrd",
    StreamKind.TURNS: "jsonl",
    StreamKind.MAP: "osm xodr geojson",
}
KIND_OF_ENDING = {f".{ending}": kind for kind, endings in _ENDINGS.items() for ending in endings.split()}


@dataclass(frozen=True, slots=True)
class Added:
    """One stream that was added; ``guessed`` says that its kind comes from the file's name."""

    id: str
    key: str
    kind: StreamKind
    guessed: bool
    files: tuple[MediaFile, ...]


def guess_kind(path: Path) -> StreamKind:
    """The kind of stream that the ending of a file's name speaks for."""
    name = path.name.casefold().removesuffix(".gz")
    kind = KIND_OF_ENDING.get(Path(name).suffix)
    if kind is None:
        kinds = ", ".join(each.value for each in StreamKind)
        raise UserError(f"{path}: the ending says nothing about what it holds; give --kind ({kinds})")
    return kind


def add_files(
    session: Session,
    paths: Sequence[Path],
    *,
    sample: str,
    stream: str | None = None,
    kind: StreamKind | None = None,
    role: str = "",
    recording: str = "",
    copy: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> list[Added]:
    """Add files to a sample, which is made if it is new: one stream each, or all as one when ``stream`` is named.

    Everything is read before anything is written, and written in one step.
    """
    if not paths:
        raise UserError("name at least one file")
    groups = [(stream, list(paths))] if stream is not None else [(_key_of(path), [path]) for path in paths]
    kinds = [_kind_of(files, kind) for _, files in groups]
    recorded = [_recorded(session, sample, files, copy=copy, progress=progress) for _, files in groups]
    known = session.store.sample_by_key(sample)
    added = []
    with session.together(f"Add to {sample}") as run:
        if known is None:
            run("sample.add", key=sample)
        for (key, _), found, files in zip(groups, kinds, recorded, strict=True):
            made = run(
                "stream.add", sample=sample, key=key, kind=found, role=role, files=msgspec.to_builtins(files),
                recording=recording,
            )  # fmt: skip
            added.append(Added(made, key, found, kind is None, files))
    return added


def _kind_of(files: Sequence[Path], given: StreamKind | None) -> StreamKind:
    if given is not None:
        return given
    kinds = {guess_kind(path) for path in files}
    if len(kinds) > 1:
        raise UserError(f"these files look like {', '.join(sorted(kinds))}; one stream has one kind: give --kind")
    return kinds.pop()


def _key_of(path: Path) -> str:
    return path.name.partition(".")[0] or path.name


def _recorded(
    session: Session, sample: str, files: Sequence[Path], *, copy: bool, progress: Progress
) -> tuple[MediaFile, ...]:
    project = session.project
    found = []
    for path in files:
        source = _copied(path, project.media_folder / _folder_name(sample)) if copy else path
        found.append(record_file(project.path, source, progress=progress))
    return tuple(found)


def _copied(path: Path, folder: Path) -> Path:
    """A copy in the project's media folder. Nothing there is ever written over."""
    target = folder / path.name
    if target.exists():
        raise UserError(f"{target} exists already; rename one of the two files")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    except OSError as error:
        raise DataError(f"cannot be copied into the project: {error.strerror}", path=path) from error
    return target


def _folder_name(sample: str) -> str:
    """A sample's key as a folder: what could lead elsewhere or does not exist on every system is replaced."""
    safe = "".join(char if char.isalnum() or char in "-_ " else "_" for char in sample).strip()
    return safe or "sample"
