"""The files behind streams: record them, check that they are unchanged, find them again when they moved.

Called by the commands that add and relink, by ``verify`` and by the readers, which ask ``locate`` for a path.
Media are only ever opened for reading; nothing here writes, moves or touches them.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Protocol

import msgspec

from workstation.core.annotation import Record
from workstation.core.errors import DataError, Refused, StoppedError
from workstation.core.ids import StreamId
from workstation.core.records import RecordKind
from workstation.core.sample import MediaFile, Stream
from workstation.core.values import dataclass

_CHUNK = 1 << 20

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all, from the thread that reads."""

Cancelled = Callable[[], bool]
"""Asked between chunks; true ends the work with ``StoppedError``."""


def _never() -> bool:
    return False


def _silent(_done: int, _total: int) -> None:
    return


def _shifted(progress: Progress, start: int, total: int) -> Progress:
    """Progress of one file as a part of the progress of many."""
    return lambda done, _size: progress(start + done, total)


# --- recording -----------------------------------------------------------------------------------------------------


def record_file(project: Path, path: Path, *, progress: Progress = _silent, cancelled: Cancelled = _never) -> MediaFile:
    """What a stream keeps of ``path``: where it lies, what it holds, how large it is."""
    stored = stored_path(project, path)
    sha256, size = content_of(path, progress=progress, cancelled=cancelled)
    return MediaFile(path=stored, sha256=sha256, size=size)


def stored_path(project: Path, path: Path) -> str:
    """The spelling kept in the database: forward slashes, relative to the project where both can move together.

    A symbolic link keeps its own name, so that what it points at may be exchanged by whoever manages the data.
    A file that shares nothing but the root of the disk with the project is named absolutely.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the links we want to keep
    folder = Path(os.path.abspath(project))  # noqa: PTH100
    try:
        str(absolute).encode()
    except UnicodeEncodeError as error:
        raise DataError("the name is not valid UTF-8; rename the file", path=repr(str(path))) from error
    if absolute.is_relative_to(folder):
        return absolute.relative_to(folder).as_posix()
    try:
        shared = Path(os.path.commonpath([absolute, folder]))
    except ValueError:  # another drive on Windows
        return absolute.as_posix()
    if shared == Path(shared.anchor):
        return absolute.as_posix()
    return Path(os.path.relpath(absolute, folder)).as_posix()


def content_of(path: Path, *, progress: Progress = _silent, cancelled: Cancelled = _never) -> tuple[str, int]:
    """SHA-256 and size of a regular file, read once in pieces. Raises ``DataError`` or ``StoppedError``."""
    digest = hashlib.sha256()
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    done = 0
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - the descriptor was opened so as not to hang on pipes
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise DataError("is not a regular file", path=path)
            # A recording that is still being written could keep us reading for ever.
            while done <= before.st_size and (count := file.readinto(buffer)):
                digest.update(view[:count])
                done += count
                progress(done, before.st_size)
                if cancelled():
                    raise StoppedError(f"{path}: stopped while reading")
            after = os.fstat(descriptor)
    except (OSError, ValueError) as error:
        raise DataError(_cannot_read(error), path=path) from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or done != after.st_size:
        raise DataError("changed while it was read; try again when it is complete", path=path)
    return digest.hexdigest(), done


# --- finding -------------------------------------------------------------------------------------------------------


def locate(project: Path, stored: str) -> Path:
    """The path a stored spelling means here. The file need not exist.

    Tried in order: as written; with backslashes read as separators, for projects from Windows; in the other
    Unicode spellings, for disks that store accents apart. Raises ``DataError`` for what can be no path here.
    """
    if not stored or "\x00" in stored:
        raise DataError("is no path", path=repr(stored))
    candidates = [stored]
    if os.name != "nt":
        if PureWindowsPath(stored).drive and not (project / stored).exists():
            raise DataError("is a path of a Windows machine; find the file again with relink", path=stored)
        candidates.append(stored.replace("\\", "/"))
    candidates += [unicodedata.normalize(form, text) for text in tuple(candidates) for form in ("NFC", "NFD")]
    for candidate in candidates:
        try:
            if (project / candidate).exists():
                return project / candidate
        except (OSError, ValueError):  # too long, or a loop of links: not this spelling
            continue
    return project / stored


def leaves_project(project: Path, stored: str) -> bool:
    """Whether the file a stored path means lies outside the project folder, links followed."""
    try:
        return not locate(project, stored).resolve().is_relative_to(project.resolve())
    except (OSError, RuntimeError):  # a loop of links leads nowhere in the project
        return True


# --- verifying -----------------------------------------------------------------------------------------------------


class FileTrouble(StrEnum):
    """What is wrong with a recorded file."""

    MISSING = "missing"
    CHANGED = "changed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProblem:
    """One recorded file that is not what the project knows; ``sentence`` says it in words."""

    stream: StreamId
    index: int
    file: MediaFile
    trouble: FileTrouble
    sentence: str


def check_files(
    project: Path,
    streams: Iterable[Stream],
    *,
    content: bool = True,
    progress: Progress = _silent,
    cancelled: Cancelled = _never,
) -> list[FileProblem]:
    """Every recorded file that is missing, changed or unreadable. Without ``content`` only presence and size count.

    ``progress`` counts the bytes of all files together.
    """
    chosen = [(stream, index, file) for stream in streams for index, file in enumerate(stream.files)]
    total = sum(file.size for _, _, file in chosen)
    problems: list[FileProblem] = []
    done = 0
    for stream, index, file in chosen:
        if cancelled():
            raise StoppedError("stopped while checking files")
        found = _trouble(
            project,
            file,
            content=content,
            progress=_shifted(progress, done, total),
            cancelled=cancelled,
        )
        done += file.size
        if found is not None:
            trouble, reason = found
            sentence = f"{file.path} (stream {stream.key}): {reason}"
            problems.append(FileProblem(stream=stream.id, index=index, file=file, trouble=trouble, sentence=sentence))
    return problems


def _trouble(
    project: Path, file: MediaFile, *, content: bool, progress: Progress, cancelled: Cancelled
) -> tuple[FileTrouble, str] | None:
    try:
        path = locate(project, file.path)
        size = path.stat().st_size
        if size != file.size:
            return FileTrouble.CHANGED, f"has {size:,} bytes instead of the recorded {file.size:,}"
        if content and content_of(path, progress=progress, cancelled=cancelled)[0] != file.sha256:
            return FileTrouble.CHANGED, "the content differs from what was recorded (same size, other bytes)"
    except DataError as error:
        return FileTrouble.UNREADABLE, error.reason
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return FileTrouble.MISSING, "is not there any more"
        return FileTrouble.UNREADABLE, _cannot_read(error)
    return None


# --- relinking -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Relink:
    """A file found again: the same bytes at another place. ``copies`` more places hold the same bytes."""

    stream: StreamId
    index: int
    old: MediaFile
    new: MediaFile
    copies: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RelinkProposal:
    """What a search found and what it did not; nothing is changed until it is applied."""

    found: tuple[Relink, ...]
    not_found: tuple[FileProblem, ...]
    searched_files: int
    unreadable: tuple[str, ...]


class StreamWriter(Protocol):
    """The part of a transaction that ``apply_relinks`` needs."""

    def require(self, kind: RecordKind, record_id: str, /) -> Record:
        """The record, or an error naming it."""
        ...

    def put(self, record: Record, /) -> None:
        """Store the record."""
        ...


def propose_relinks(
    project: Path,
    problems: Sequence[FileProblem],
    roots: Iterable[Path],
    *,
    progress: Progress = _silent,
    cancelled: Cancelled = _never,
) -> RelinkProposal:
    """Search ``roots`` for the bytes of the troubled files: by size first, and only then by content.

    Of several copies the one wins whose path ends most like the old one. Links to folders are not followed, so that
    a loop cannot trap the search.
    """
    unreadable: list[str] = []
    by_size, searched = _files_by_size(roots, {p.file.size for p in problems}, unreadable, cancelled)
    total, done = sum(size * len(paths) for size, paths in by_size.items()), 0
    by_content: dict[str, list[Path]] = defaultdict(list)
    for size, paths in by_size.items():
        for path in paths:
            try:
                sha256, _ = content_of(path, progress=_shifted(progress, done, total), cancelled=cancelled)
                by_content[sha256].append(path)
            except DataError as error:
                unreadable.append(str(error))
            done += size
    found, not_found = [], []
    for problem in problems:
        places = sorted(by_content[problem.file.sha256], key=lambda p: (-_alike(p, problem.file.path), str(p)))
        if not places:
            not_found.append(problem)
            continue
        new = msgspec.structs.replace(problem.file, path=stored_path(project, places[0]))
        found.append(
            Relink(stream=problem.stream, index=problem.index, old=problem.file, new=new, copies=len(places) - 1)
        )
    return RelinkProposal(
        found=tuple(found), not_found=tuple(not_found), searched_files=searched, unreadable=tuple(unreadable)
    )


def apply_relinks(tx: StreamWriter, relinks: Iterable[Relink]) -> int:
    """Write the new places in the caller's transaction; returns how many streams changed.

    Refuses when a stream no longer names the file that was searched for.
    """
    by_stream: dict[StreamId, list[Relink]] = defaultdict(list)
    for relink in relinks:
        by_stream[relink.stream].append(relink)
    for stream_id, changes in by_stream.items():
        stream = tx.require(RecordKind.STREAM, stream_id)
        assert isinstance(stream, Stream)
        files = list(stream.files)
        for change in changes:
            if change.index >= len(files) or files[change.index] != change.old:
                raise Refused((f"stream {stream.key} no longer names {change.old.path}; search again",))
            files[change.index] = change.new
        tx.put(msgspec.structs.replace(stream, files=tuple(files)))
    return len(by_stream)


def _files_by_size(
    roots: Iterable[Path], sizes: set[int], unreadable: list[str], cancelled: Cancelled
) -> tuple[dict[int, list[Path]], int]:
    by_size: dict[int, list[Path]] = defaultdict(list)
    seen: set[tuple[int, int]] = set()
    searched = 0
    for root in roots:
        for path in _walk(root, unreadable):
            if cancelled():
                raise StoppedError("stopped while searching")
            searched += 1
            try:
                status = path.stat()
                str(path).encode()
            except (OSError, UnicodeEncodeError) as error:
                unreadable.append(f"{str(path)!r}: {error}")
                continue
            place = (status.st_dev, status.st_ino)
            if stat.S_ISREG(status.st_mode) and status.st_size in sizes and place not in seen:
                seen.add(place)
                by_size[status.st_size].append(path)
    return by_size, searched


def _walk(root: Path, unreadable: list[str]) -> Iterator[Path]:
    if root.is_file():
        yield root
        return

    def note(error: OSError) -> None:
        unreadable.append(f"{error.filename}: {error.strerror}")

    for folder, _, names in os.walk(root, onerror=note):
        for name in sorted(names):
            yield Path(folder, name)


def _alike(path: Path, stored: str) -> int:
    """How many last parts of the two paths agree."""
    count = 0
    old = PurePosixPath(stored.replace("\\", "/")).parts
    for ours, theirs in zip(reversed(path.parts), reversed(old), strict=False):
        if ours != theirs:
            break
        count += 1
    return count


def _cannot_read(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        if error.errno == errno.ELOOP:
            return "is a loop of symbolic links"
        return f"cannot be read: {error.strerror or error}"
    return f"is no path: {error}"
