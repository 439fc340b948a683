"""Recording media files as streams of a sample: where they lie, what they hold, and what reads them.

The readers look inside, and what one of them knows is opened once before anything is written. What none of them knows
may be a format still to come: then the name's ending decides, and it is told that it was guessed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from workstation.app.proposing import NO_OPTIONS
from workstation.app.reading import Formats
from workstation.app.session import Session
from workstation.core.errors import DataError, UserError
from workstation.core.sample import MediaFile, StreamKind
from workstation.media.base import HEAD_BYTES, OpenContext, Options, ReaderSpec
from workstation.media.grouping import has_sound, why_no_stream, with_companion
from workstation.media.probe import Match, built_in_readers, matches, open_with
from workstation.store.media_files import record_file

_SURE = 0.3
"""What a probe must say at least to be believed without a word about the kind."""

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
    """One stream that was added; ``guessed`` says that its kind comes from the file's name, ``reader`` what knew it."""

    id: str
    key: str
    kind: StreamKind
    guessed: bool
    files: tuple[MediaFile, ...]
    reader: str = ""


@dataclass(frozen=True, slots=True)
class _Stream:
    """What files would become."""

    key: str
    paths: tuple[Path, ...]
    kind: StreamKind
    guessed: bool
    reader: str = ""
    options: Options = field(default_factory=dict)


def guess_kind(path: Path) -> StreamKind:
    """The kind of stream that the ending of a file's name speaks for."""
    name = path.name.casefold().removesuffix(".gz")
    kind = KIND_OF_ENDING.get(Path(name).suffix)
    if kind is None:
        kinds = ", ".join(each.value for each in StreamKind)
        raise UserError(
            f"{path}: no reader knows it, and the ending says nothing about what it holds; give --kind ({kinds})"
        )
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
    encoding: str = "",
    options: Options = NO_OPTIONS,
    progress: Progress = lambda _done, _total: None,
) -> list[Added]:
    """Add files to a sample, which is made if it is new: one stream each, or all as one when ``stream`` is named.

    A film whose kind is left open brings its sound as a stream of its own. ``encoding`` is that of texts which are no
    UTF-8, ``options`` are what their reader is told. Everything is read before anything is written, and written in one
    step.
    """
    if not paths:
        raise UserError("name at least one file")
    stated = {**options, **({"encoding": encoding} if encoding else {})}
    groups = [(stream, list(paths))] if stream is not None else [(_key_of(path), [path]) for path in paths]
    streams = [each for key, files in groups for each in _streams(key, files, kind, stated, alone=stream is None)]
    recorded: dict[tuple[Path, ...], tuple[MediaFile, ...]] = {}
    for each in streams:
        if each.paths not in recorded:
            recorded[each.paths] = _recorded(session, sample, each.paths, copy=copy, progress=progress)
    known = session.store.sample_by_key(sample)
    added = []
    with session.together(f"Add to {sample}") as run:
        if known is None:
            run("sample.add", key=sample)
        for each in streams:
            files = recorded[each.paths]
            made = run(
                "stream.add", sample=sample, key=each.key, kind=each.kind, role=role, files=msgspec.to_builtins(files),
                recording=recording, reader=each.reader, options=dict(each.options),
            )  # fmt: skip
            added.append(Added(made, each.key, each.kind, each.guessed, files, each.reader))
    return added


def _streams(
    key: str, files: Sequence[Path], kind: StreamKind | None, options: Options, *, alone: bool
) -> Iterator[_Stream]:
    """The stream of these files, and that of its sound."""
    paths = tuple(files)
    spec = _spec_for(paths, kind)
    if kind is None or spec is None:
        _refuse_what_shows_nothing(paths)
    if spec is not None and len(paths) == 1:
        paths = with_companion(paths[0], spec)
    if spec is None:
        if options:
            raise UserError(f"{paths[0]}: no reader knows it, so {', '.join(options)} says nothing")
        yield _Stream(key, paths, _kind_of_names(paths) if kind is None else kind, kind is None)
        return
    unknown = sorted(set(options) - set(spec.options))
    if unknown:
        known = "; ".join(f"{name}: {what}" for name, what in spec.options.items()) or "none"
        raise UserError(
            f"{paths[0]}: is read as {spec.title.lower()}, which has no {', '.join(unknown)}; it has {known}"
        )
    try:
        open_with(spec, paths, options=options, context=OpenContext()).close()
    except DataError:
        if _known_by_content(spec, paths[0]):
            raise
        yield _Stream(key, paths, _kind_of_names(paths) if kind is None else kind, kind is None)
        return
    yield _Stream(key, paths, spec.kind, guessed=False, reader=spec.name, options=options)
    if alone and kind is None and spec.name == "video" and has_sound(paths[0]):
        yield _Stream(f"{key}_sound", paths, StreamKind.AUDIO, guessed=False, reader="audio")


def _refuse_what_shows_nothing(paths: Sequence[Path]) -> None:
    """A report or a segmentation in DICOM, a raw CAN log: nothing would ever be seen of it."""
    for path in paths:
        reason = None if path.is_dir() else why_no_stream(path)
        if reason is not None:
            raise DataError(reason, path=path)


def _spec_for(paths: Sequence[Path], kind: StreamKind | None) -> ReaderSpec | None:
    """The reader that knows the first file and takes so many; those of plug-ins are asked after the program's own."""
    folder = paths[0].is_dir()
    for readers in (built_in_readers(kind), Formats().readers):
        found: list[Match] = [] if folder else [
            match
            for match in matches(paths[0], readers)
            if (len(paths) == 1 or match.spec.several) and (kind is None or match.spec.kind is kind)
        ]  # fmt: skip
        if found and (kind is not None or found[0].confidence >= _SURE):
            return found[0].spec
    return None


def _known_by_content(spec: ReaderSpec, path: Path) -> bool:
    """Whether it is certainly such a file, so that one that cannot be opened is damaged; a name proves nothing."""
    with path.open("rb") as file:
        return "encoding" in spec.options or spec.probe(Path("nameless"), file.read(HEAD_BYTES)) >= _SURE


def _kind_of_names(files: Sequence[Path]) -> StreamKind:
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
