"""What may be on the disk after the power fails: built from a log of writes and syncs, worse than real disks are.

``faultlayer.c`` records; ``CrashStates`` replays. What was synced before the crash is there. Of what was not,
anything may be: each write lost, kept, torn at sectors of 512 bytes, filled with rubbish, or applied in another
order; each change of a name lost or kept, unless its folder was synced.
SQLite's shared-memory index is left out: nobody trusts it after a crash.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SECTOR = 512
NO_COMPILER = "needs a C compiler (cc) to build the layer under the files"
_HEAD = struct.Struct("<BIQI")
_SOURCE = Path(__file__).with_name("faultlayer.c")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log; see faultlayer.c for the kinds."""

    kind: str
    file: int
    offset: int
    data: bytes


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Entry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _NameChange:
    """``path`` now names ``file`` (or nothing, or a folder); ``gone`` is the name it had before."""

    path: str
    file: _File | str | None
    gone: str | None = None

    def apply(self, names: dict[str, _File | str]) -> None:
        if self.gone is not None:
            names.pop(self.gone, None)
        if self.file is None:
            names.pop(self.path, None)
        else:
            names[self.path] = self.file


FOLDER = "folder"


def build_layer(into: Path) -> Path:
    """Compile the layer. Skips the test where there is no compiler or no LD_PRELOAD."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip(NO_COMPILER)
    library = into / "faultlayer.so"
    subprocess.run(
        [
            compiler,
            "-O1",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-Wno-format-truncation",
            "-shared",
            "-fPIC",
            "-o",
            library,
            _SOURCE,
            "-ldl",
            "-lpthread",
        ],
        check=True,
    )
    return library


def layer_environment(library: Path, *, root: Path, log: Path) -> dict[str, str]:
    """The environment of a child whose writes below ``root`` are recorded in ``log``."""
    return {
        **os.environ,
        "LD_PRELOAD": str(library),
        "FAULTLAYER_ROOT": str(root),
        "FAULTLAYER_LOG": str(log),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def read_log(path: Path) -> list[Entry]:
    """All entries. A way to change files that the layer does not model fails here."""
    raw = path.read_bytes()
    entries, at = [], 0
    while at + _HEAD.size <= len(raw):
        kind, file, offset, length = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        entries.append(Entry(chr(kind), file, offset, raw[at : at + length]))
        at += length
    unknown = {entry.data for entry in entries if entry.kind == "?"}
    assert not unknown, f"the layer does not model {unknown}"
    return entries


class CrashStates:
    """Builds folders as they may be found after a crash at any point of the log."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self._walk = _Walk()

    def acknowledged(self, point: int) -> list[str]:
        """The whole lines written to standard output before ``point``."""
        text = b"".join(entry.data for entry in self.entries[:point] if entry.kind == "A")
        return text.decode().split("\n")[:-1]

    def point_after(self, line: str) -> int:
        """The first point at which ``line`` has been acknowledged."""
        return next(i for i in range(len(self.entries) + 1) if line in self.acknowledged(i))

    def build(self, point: int, chance: random.Random, into: Path) -> str:
        """Write one possible state to ``into``; says what was done to the unsynced rest."""
        if point < self._walk.at:
            self._walk = _Walk()
        self._walk.go_on(self.entries, point)
        files, names = self._walk.files, dict(self._walk.durable)
        keep = chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        torn, shuffled, rubbish = (chance.random() < share for share in (0.6, 0.5, 0.3))
        for change in self._walk.pending:
            if chance.random() < keep:
                change.apply(names)
        contents: dict[int, bytes] = {
            id(file): _crashed(file, chance, keep=keep, torn=torn, shuffled=shuffled, rubbish=rubbish) for file in files
        }
        for path in sorted(names):
            target = names[path]
            if path.endswith("-shm"):
                continue
            if isinstance(target, str):
                (into / path).mkdir(parents=True, exist_ok=True)
            else:
                (into / path).parent.mkdir(parents=True, exist_ok=True)
                (into / path).write_bytes(contents[id(target)])
        return f"{keep=} {torn=} {shuffled=} {rubbish=}"


class _Walk:
    """The disk at a point of the log; goes on from there, so ask for later and later points."""

    def __init__(self) -> None:
        self.at = 0
        self.files: list[_File] = []
        self.pending: list[_NameChange] = []
        """Changes of names that are not synced."""
        self.durable: dict[str, _File | str] = {}
        self._live: dict[str, _File | str] = {}
        self._of_inode: dict[int, _File] = {}

    def go_on(self, entries: list[Entry], point: int) -> None:
        """Take what was done until ``point``."""
        for entry in entries[self.at : point]:
            if entry.kind in "WT":
                self._of_inode[entry.file].pending.append(entry)
            elif entry.kind == "S":
                file = self._of_inode[entry.file]
                for write in file.pending:
                    _apply(file.durable, write)
                file.pending.clear()
            elif entry.kind == "D":
                self.pending = _sync_names(entry.data.decode(), self.pending, self.durable)
            elif entry.kind != "A":
                change = _name_change(entry, self._live)
                if isinstance(change.file, _File) and entry.kind == "C":
                    self._of_inode[entry.file] = change.file
                    self.files.append(change.file)
                change.apply(self._live)
                self.pending.append(change)
        self.at = point


def _name_change(entry: Entry, live: dict[str, _File | str]) -> _NameChange:
    text = entry.data.decode()
    if entry.kind == "C":
        return _NameChange(text, _File())
    if entry.kind == "M":
        return _NameChange(text, FOLDER)
    if entry.kind == "R":
        source, target = text.split("\n")
        return _NameChange(target, live[source], gone=source)
    assert entry.kind in "Ur", entry.kind
    return _NameChange(text, None)


def _sync_names(folder: str, pending: list[_NameChange], durable: dict[str, _File | str]) -> list[_NameChange]:
    rest = []
    for change in pending:
        if change.path.rpartition("/")[0] == folder:
            change.apply(durable)
        else:
            rest.append(change)
    return rest


def _apply(content: bytearray, write: Entry) -> None:
    if write.kind == "T":
        if len(content) > write.offset:
            del content[write.offset :]
        else:
            content.extend(bytes(write.offset - len(content)))
        return
    end = write.offset + len(write.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[write.offset : end] = write.data


def _crashed(file: _File, chance: random.Random, *, keep: float, torn: bool, shuffled: bool, rubbish: bool) -> bytes:
    content = bytearray(file.durable)
    pieces = [piece for write in file.pending for piece in (_sectors(write) if torn else [write])]
    if shuffled:
        chance.shuffle(pieces)
    for piece in pieces:
        if chance.random() < keep:
            _apply(content, piece)
        elif rubbish and piece.kind == "W":
            _apply(content, Entry("W", piece.file, piece.offset, chance.randbytes(len(piece.data))))
    return bytes(content)


def _sectors(write: Entry) -> list[Entry]:
    if write.kind == "T":
        return [write]
    pieces, at = [], 0
    while at < len(write.data):
        end = at + SECTOR - (write.offset + at) % SECTOR
        pieces.append(Entry("W", write.file, write.offset + at, write.data[at:end]))
        at = end
    return pieces
