"""The open readers of a sample's streams, each opened once when first asked for. Used by ``moment`` and the pictures.

A stream that cannot be opened says why and does not keep the others from being seen.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from workstation.app.extents import Extent, extent_of, keep_extent, read_extent
from workstation.core.errors import DataError
from workstation.core.sample import Stream
from workstation.media.base import OpenContext, Reader, ReaderSpec
from workstation.media.cache import DiskCache
from workstation.media.prefetch import Together
from workstation.media.probe import ReaderShelf, open_with, spec_for
from workstation.store.media_files import locate
from workstation.store.project import ProjectFolder

if TYPE_CHECKING:
    from workstation.media.proxy import ProxyFolder, VideoProxy


class OpenStreams:
    """Readers of some streams of a project. Close it, or use it in a ``with`` block; one thread at a time."""

    def __init__(
        self,
        project: Path,
        *,
        readers: Sequence[ReaderSpec] | None = None,
        context: OpenContext | None = None,
        calm: threading.Event | None = None,
    ) -> None:
        self.calm = calm
        """Set once there is time for more than what is shown now; ``None``: there always is."""
        self.together = Together()
        """Which of them are still making what the playhead shows."""
        self._project = project
        self._specs = readers if readers is not None else ReaderShelf()
        self._context = context or OpenContext()
        self._extents: dict[str, Extent] = {}
        self._open: dict[str, Reader] = {}
        self._turns: dict[str, threading.Lock] = {}
        self._previews: dict[str, VideoProxy] = {}
        self._preview_folder: ProxyFolder | None = None

    def previews(self, stream: Stream) -> VideoProxy | None:
        """Small pictures of a film's frames for while the exact ones decode, kept in the project's cache folder.

        ``None`` for what is no film, where nothing may be kept, and where the content is not known yet.
        """
        from workstation.media.proxy import ProxyFolder, open_proxy
        from workstation.media.video import VideoFile

        reader, disk = self.reader(stream), self._context.disk
        if not isinstance(reader, VideoFile) or disk is None or reader.paths[0] not in self._context.hashes:
            return None
        if stream.id not in self._previews:
            if self._preview_folder is None:
                self._preview_folder = ProxyFolder(disk.folder / "previews")
            self._previews[stream.id] = open_proxy(reader, self._preview_folder, self._context)
        return self._previews[stream.id]

    def reader(self, stream: Stream) -> Reader:
        """The reader of a stream; ``DataError`` with the reason if there can be none."""
        found = self._open.get(stream.id)
        if found is None:
            found = self._open[stream.id] = self._opened(stream)
        return found

    def extent(self, stream: Stream) -> Extent:
        """From when to when it has something, without opening it where that is remembered; ``DataError`` as above."""
        known = self._extents.get(stream.id) or self._remembered(stream)
        if known is None:
            self.reader(stream)
            known = self._extents[stream.id]
        self._extents[stream.id] = known
        return known

    def turn(self, stream: Stream) -> threading.Lock:
        """Held while a worker reads, where several workers share a reader that takes one thread at a time."""
        return self._turns.setdefault(stream.id, threading.Lock())

    def opened(self, stream: Stream) -> Reader | None:
        """The reader of a stream if somebody has asked for it."""
        return self._open.get(stream.id)

    def close(self) -> None:
        """Close what was opened; a second call does nothing."""
        while self._previews:
            self._previews.popitem()[1].close()
        while self._open:
            self._open.popitem()[1].close()

    def __enter__(self) -> OpenStreams:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _opened(self, stream: Stream) -> Reader:
        if not stream.files:
            raise DataError("it has no file", path=stream.key)
        paths = [locate(self._project, file.path) for file in stream.files]
        known = self._extents.get(stream.id) or self._remembered(stream)
        spec = self._spec(stream, paths, "" if known is None else known.reader)
        reader = open_with(spec, paths, options=stream.options, context=self._context)
        extent = extent_of(reader, spec.name)
        if extent != known and self._context.disk is not None:
            keep_extent(self._context.disk, stream, self._plugins, extent)
        self._extents[stream.id] = extent
        return reader

    def _spec(self, stream: Stream, paths: Sequence[Path], known: str) -> ReaderSpec:
        """The stream's own reader, else the one that read it before, else the one its first file asks for."""
        shelf = self._specs if isinstance(self._specs, ReaderShelf) else None
        name = stream.reader or known
        found = shelf.named(stream.kind, name) if shelf is not None and name else None
        if found is not None:
            return found
        fitting = shelf.of_kind(stream.kind) if shelf is not None else [
            spec for spec in self._specs if spec.kind is stream.kind
        ]  # fmt: skip
        if not fitting:
            raise DataError(f"no reader for streams of the kind {stream.kind.value} is there", path=stream.key)
        return spec_for(paths, fitting, stream.reader)

    @property
    def _plugins(self) -> str:
        return self._specs.stamp if isinstance(self._specs, ReaderShelf) else ""

    def _remembered(self, stream: Stream) -> Extent | None:
        disk = self._context.disk
        if disk is None or not isinstance(self._specs, ReaderShelf):
            return None
        return read_extent(disk, stream, self._plugins)


def reading_context(project: ProjectFolder, streams: Iterable[Stream], *, shared: OpenContext) -> OpenContext:
    """How a project's streams are read: what can be built again is kept in its cache folder, and no file whose content
    the project knows is read again only to hash it. Memory and limits are the shared ones."""
    hashes = {
        locate(project.path, file.path): file.sha256 for stream in streams for file in stream.files if file.sha256
    }
    disk = None if project.read_only else DiskCache(project.cache_folder)
    return dataclasses.replace(shared, disk=disk, hashes=hashes)


def digest_of(stream: Stream) -> str:
    """SHA-256 of a stream's files: the file's own, or of the list of them in order."""
    if len(stream.files) == 1:
        return stream.files[0].sha256
    return _listed(file.sha256 for file in stream.files) if stream.files else ""


def _listed(digests: Iterable[str]) -> str:
    import hashlib

    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
