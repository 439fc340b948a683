"""Which reader a file is for. Asked by whatever adds media to a project; knows no format itself.

Every module of this package, or of a plug-in, that has a ``READERS`` tuple takes part. Those of this package are
listed by kind, so that a project of films never imports the readers of volumes; a test holds the list to the modules.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import overload

import workstation.media
from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.values import dataclass
from workstation.media.base import HEAD_BYTES, OpenContext, Options, Reader, ReaderSpec, check_options


@dataclass(frozen=True, slots=True)
class Match:
    """A reader that may fit a file, and how sure its probe is (0 to 1)."""

    spec: ReaderSpec
    confidence: float


READER_MODULES: dict[StreamKind, tuple[str, ...]] = {
    StreamKind.AUDIO: ("audio",),
    StreamKind.CLOUD: ("cloud", "timed_files"),
    StreamKind.DOCUMENT: ("document",),
    StreamKind.IMAGE: ("dicom", "image"),
    StreamKind.RADAR: ("cloud_table", "radar", "timed_files"),
    StreamKind.SERIES: ("series",),
    StreamKind.TEXT: ("report", "subtitles", "text", "transcripts"),
    StreamKind.TRAJECTORY: ("trajectory",),
    StreamKind.TURNS: ("turns",),
    StreamKind.VIDEO: ("dicom", "image", "timed_files", "video"),
    StreamKind.VOLUME: ("dicom", "nifti"),
}
"""Where the readers of each kind of stream are."""


def built_in_readers(kind: StreamKind | None = None) -> tuple[ReaderSpec, ...]:
    """The formats of this package: all of them, or those for one kind of stream, which imports no others."""
    every = sorted({name for some in READER_MODULES.values() for name in some})
    names = every if kind is None else READER_MODULES.get(kind, ())
    found = [spec for name in names for spec in _module_readers(name)]
    return tuple(spec for spec in found if kind is None or spec.kind is kind)


def _module_readers(name: str) -> Iterable[ReaderSpec]:
    readers: Iterable[ReaderSpec] = importlib.import_module(f"{workstation.media.__name__}.{name}").READERS
    return readers


class ReaderShelf(Sequence[ReaderSpec]):
    """Every reader there is, this package's first; imported when they are asked for, kind by kind where that does."""

    def __init__(self, more: Callable[[], Iterable[ReaderSpec]] = tuple, stamp: str = "") -> None:
        """``more`` are those of plug-ins; of two with one name the program's own counts."""
        self._more = more
        self.stamp = stamp
        """Says which plug-ins there are, without importing them."""
        self._all: tuple[ReaderSpec, ...] | None = None

    def of_kind(self, kind: StreamKind) -> tuple[ReaderSpec, ...]:
        """All for one kind of stream."""
        own = built_in_readers(kind)
        known = {spec.name for spec in own}
        return own + tuple(spec for spec in self._more() if spec.kind is kind and spec.name not in known)

    def named(self, kind: StreamKind, name: str) -> ReaderSpec | None:
        """The one of that name; plug-ins are imported only if it is none of this package's."""
        return _named(built_in_readers(kind), name) or _named(self.of_kind(kind), name)

    @property
    def _every(self) -> tuple[ReaderSpec, ...]:
        if self._all is None:
            found = {spec.name: spec for spec in built_in_readers()}
            for spec in self._more():
                found.setdefault(spec.name, spec)
            self._all = tuple(found.values())
        return self._all

    @overload
    def __getitem__(self, index: int) -> ReaderSpec: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[ReaderSpec, ...]: ...
    def __getitem__(self, index: int | slice) -> ReaderSpec | tuple[ReaderSpec, ...]:
        return self._every[index]

    def __len__(self) -> int:
        return len(self._every)


def _named(readers: Iterable[ReaderSpec], name: str) -> ReaderSpec | None:
    return next((spec for spec in readers if spec.name == name), None)


def matches(path: Path, readers: Iterable[ReaderSpec]) -> tuple[Match, ...]:
    """Readers that may fit the file, the surest first. The bytes count; the suffix only decides between equals."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", path=path) from error
    if not head:
        raise DataError("the file is empty", path=path)
    found = [Match(spec, spec.probe(path, head)) for spec in readers]
    suffix = path.suffix.lower()
    likely = [match for match in found if match.confidence > 0]
    return tuple(sorted(likely, key=lambda match: (-match.confidence, suffix not in match.spec.suffixes)))


def choose(path: Path, readers: Iterable[ReaderSpec]) -> ReaderSpec:
    """The reader for the file; ``DataError`` if no format knows it."""
    found = matches(path, readers)
    if not found:
        raise DataError("no reader knows this kind of file", path=path)
    return found[0].spec


def spec_for(paths: Sequence[Path], readers: Sequence[ReaderSpec], reader: str = "") -> ReaderSpec:
    """The reader named, or the one that the first file asks for; ``DataError`` if there is none."""
    if not paths:
        raise DataError("a stream needs at least one file")
    if not reader:
        return choose(paths[0], readers)
    spec = _named(readers, reader)
    if spec is None:
        raise DataError(f"there is no reader '{reader}'; is a plug-in missing?", path=paths[0])
    return spec


def open_stream(
    paths: Sequence[Path], readers: Sequence[ReaderSpec], *, reader: str = "", options: Options, context: OpenContext
) -> Reader:
    """Open a stream with the reader named, or with the one its first file asks for."""
    return open_with(spec_for(paths, readers, reader), paths, options=options, context=context)


def open_with(spec: ReaderSpec, paths: Sequence[Path], *, options: Options, context: OpenContext) -> Reader:
    """Open a stream with this reader."""
    check_options(spec, options)
    return spec.open(paths, options, context)
