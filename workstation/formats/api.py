"""What a format is: the protocol that built-in formats and plug-ins implement. Core and typing only.

A format writes from, or reads into, one of two faces of a project: its labels as they stand (most formats), or its
whole history (the native form). A format never touches the store: the program hands it a face and keeps what it
refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from workstation.core.records import RecordKind


@dataclass(slots=True)
class LossReport:
    """What a format could not carry, counted and with the first few cases named. Silence means nothing was lost."""

    lost: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, what: str, example: str) -> None:
        """One thing was lost."""
        self.lost[what] = self.lost.get(what, 0) + 1
        named = self.examples.setdefault(what, [])
        if len(named) < 5:
            named.append(example)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectImage:
    """What identifies a project and its history."""

    project_id: str
    name: str
    head: bytes
    revisions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionImage:
    """One revision as kept: its exact header bytes, the hashes that chain it, and how many changes it holds."""

    rev: int
    previous_hash: bytes
    hash: bytes
    header: bytes
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeImage:
    """One change as kept. ``payload`` is the exact bytes; ``None`` for a deletion, and where content was removed."""

    kind: RecordKind
    id: str
    op: str
    schema_version: int
    digest: bytes
    payload: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalImage:
    """One entry of the log of refusals as kept."""

    number: int
    entry: bytes
    hash: bytes


class HistorySource(Protocol):
    """The whole history of a project, to be read in order and without holding it in memory."""

    def project(self) -> ProjectImage: ...
    def revisions(self) -> Iterator[tuple[RevisionImage, Iterable[ChangeImage]]]: ...
    def blobs(self) -> Iterator[tuple[str, int, bytes | None]]: ...
    def refusals(self) -> Iterator[RefusalImage]: ...
    def current(self) -> Iterator[tuple[RecordKind, str]]: ...
    def times(self) -> Iterable[Mapping[str, object]]:
        """When every record is, as in the form ``times``; nothing where nobody asked for it."""
        ...


class HistorySink(Protocol):
    """An empty project that takes a history over word for word. Each call verifies what it is given."""

    def append(self, revision: RevisionImage, changes: Iterable[ChangeImage]) -> None: ...
    def blob(self, sha256: str, size: int, data: bytes | None) -> None: ...
    def refusal(self, refusal: RefusalImage) -> None: ...
    def current(self) -> Iterator[tuple[RecordKind, str]]: ...


Progress = Callable[[int], None]
"""Told the bytes read or written so far, now and then."""

WriteTimes = Callable[[Iterable[Mapping[str, object]], BinaryIO], None]
"""Rows of streams and records with their times, as ``app/record_times.py`` makes them."""
WriteHistory = Callable[[HistorySource, BinaryIO, Progress], None]
ReadHistory = Callable[[BinaryIO, HistorySink, Progress], ProjectImage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format. ``lossless`` says that what was written comes back identical."""

    name: str
    title: str
    extensions: tuple[str, ...]
    lossless: bool = False
    write_history: WriteHistory | None = None
    read_history: ReadHistory | None = None
    write_times: WriteTimes | None = None
