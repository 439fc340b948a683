"""The native form: one JSON Lines file that holds a whole project, with history and hashes; it comes back identical.

The first line names the form; then come content-addressed blobs, every revision followed by its changes, the log of
refusals, the current records, if wanted their times in every unit, and an end line with the SHA-256 of everything
before it. Texts stand in it exactly as kept, so that anybody's JSON reader gets at them; the manual's
``native-format.md`` describes every field. Written and read as a stream: memory does not grow with the project.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Literal

import msgspec

from workstation.core.errors import DataError
from workstation.core.ids import is_id
from workstation.core.records import RecordKind
from workstation.formats.api import (
    ChangeImage,
    Format,
    HistorySink,
    HistorySource,
    Progress,
    ProjectImage,
    RefusalImage,
    RevisionImage,
)

FORMAT = "workstation-native"
VERSION = 1
LONGEST_LINE = 256 * 1024 * 1024
_BLOB_PART = 1 << 20
_TELL_EVERY = 10_000


class _Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="t"):
    """Base of the lines; the field ``t`` says which."""


class HeaderLine(_Line, frozen=True, kw_only=True, tag="header"):
    """The first line: the form, its version, and whose history this is."""

    format: Literal["workstation-native"]
    version: int
    project: str
    name: str
    revisions: int
    head: str


class BlobLine(_Line, frozen=True, kw_only=True, tag="blob"):
    """A piece of a blob, base64; pieces of one blob follow each other. ``removed``: only the hash is left."""

    sha256: str
    size: int
    data: bytes = b""
    removed: bool = False


class RevisionLine(_Line, frozen=True, kw_only=True, tag="revision"):
    """One revision; ``changes`` lines of changes follow. ``header`` is its exact text, which the hash covers."""

    rev: int
    prev: str
    hash: str
    header: str
    changes: int


class ChangeLine(_Line, frozen=True, kw_only=True, tag="change"):
    """One change of the revision above. ``payload`` is the record's exact text, which ``digest`` covers.

    A put without a payload is a tombstone: the content was removed, its digest still verifies the chain.
    """

    kind: RecordKind
    id: str
    op: Literal["put", "delete"]
    schema: int
    digest: str
    payload: str | None = None


class RefusalLine(_Line, frozen=True, kw_only=True, tag="refusal"):
    """One refused attempt, as logged."""

    number: int
    entry: str
    hash: str


class CurrentLine(_Line, frozen=True, kw_only=True, tag="current"):
    """A record that is there now: the last change with this kind and id is its content."""

    kind: RecordKind
    id: str


class TimesLine(_Line, frozen=True, kw_only=True, tag="times"):
    """What the form ``times`` says of a stream or a record (``times-format.md``): when it is in every unit, with the
    maps. Derived from the media where the file was written; nothing that reads the project takes it over."""

    row: dict[str, Any]


class EndLine(_Line, frozen=True, kw_only=True, tag="end"):
    """The last line: how many lines stand before it, and their SHA-256."""

    lines: int
    sha256: str


AnyLine = HeaderLine | BlobLine | RevisionLine | ChangeLine | RefusalLine | CurrentLine | TimesLine | EndLine
_DECODER = msgspec.json.Decoder(AnyLine)
_ENCODER = msgspec.json.Encoder()


def native_schema() -> dict[str, Any]:
    """The JSON Schema of one line."""
    schema = msgspec.json.schema(AnyLine)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = f"One line of {FORMAT} version {VERSION}"
    return schema


class _Writer:
    """Writes lines and keeps their running hash."""

    def __init__(self, out: BinaryIO, progress: Progress) -> None:
        self._out = out
        self._progress = progress
        self._hash = hashlib.sha256()
        self._lines = 0
        self._bytes = 0

    def line(self, line: _Line) -> None:
        data = _ENCODER.encode(line) + b"\n"
        self._out.write(data)
        self._hash.update(data)
        self._lines += 1
        self._bytes += len(data)
        if self._lines % _TELL_EVERY == 0:
            self._progress(self._bytes)

    def end(self) -> None:
        self.line(EndLine(lines=self._lines, sha256=self._hash.hexdigest()))
        self._progress(self._bytes)


def write_native(source: HistorySource, out: BinaryIO, progress: Progress) -> None:
    """Write the whole of ``source``."""
    project = source.project()
    writer = _Writer(out, progress)
    writer.line(
        HeaderLine(
            format="workstation-native",
            version=VERSION,
            project=project.project_id,
            name=project.name,
            revisions=project.revisions,
            head=project.head.hex(),
        )
    )
    for sha256, size, data in source.blobs():
        for line in _blob_lines(sha256, size, data):
            writer.line(line)
    for revision, changes in source.revisions():
        writer.line(_revision_line(revision))
        for change in changes:
            writer.line(_change_line(change))
    for refusal in source.refusals():
        writer.line(RefusalLine(number=refusal.number, entry=_text(refusal.entry), hash=refusal.hash.hex()))
    for kind, record_id in source.current():
        writer.line(CurrentLine(kind=kind, id=record_id))
    for row in source.times():
        writer.line(TimesLine(row=dict(row)))
    writer.end()


def _blob_lines(sha256: str, size: int, data: bytes | None) -> Iterator[BlobLine]:
    if data is None:
        yield BlobLine(sha256=sha256, size=size, removed=True)
        return
    for start in range(0, max(len(data), 1), _BLOB_PART):
        yield BlobLine(sha256=sha256, size=size, data=data[start : start + _BLOB_PART])


def _revision_line(revision: RevisionImage) -> RevisionLine:
    return RevisionLine(
        rev=revision.rev,
        prev=revision.previous_hash.hex(),
        hash=revision.hash.hex(),
        header=_text(revision.header),
        changes=revision.changes,
    )


def _change_line(change: ChangeImage) -> ChangeLine:
    return ChangeLine(
        kind=change.kind,
        id=change.id,
        op="put" if change.op == "put" else "delete",
        schema=change.schema_version,
        digest=change.digest.hex(),
        payload=None if change.payload is None else _text(change.payload),
    )


def _text(data: bytes) -> str:
    """Kept bytes are JSON in UTF-8, which a JSON string carries exactly."""
    return data.decode("utf-8")


class _Reader:
    """Lines with their numbers; every fault names its line."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._file = file
        self._progress = progress
        self._hash = hashlib.sha256()
        self._bytes = 0
        self.number = 0
        self.kept: AnyLine | None = None

    def next(self) -> AnyLine:
        if self.kept is not None:
            line, self.kept = self.kept, None
            return line
        data = self._file.readline(LONGEST_LINE + 1)
        self.number += 1
        if not data:
            raise self.fault("the file ends before its end line; it is cut off")
        if len(data) > LONGEST_LINE:
            raise self.fault(f"the line is longer than {LONGEST_LINE} bytes")
        line = self._decoded(data)
        if isinstance(line, EndLine):
            self._check_end(line)
        self._hash.update(data)
        self._bytes += len(data)
        if self.number % _TELL_EVERY == 0:
            self._progress(self._bytes)
        return line

    def _decoded(self, data: bytes) -> AnyLine:
        try:
            line: AnyLine = _DECODER.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self.fault(f"not a line of {FORMAT}: {error}") from error
        return line

    def _check_end(self, line: EndLine) -> None:
        if line.lines != self.number - 1 or line.sha256 != self._hash.hexdigest():
            raise self.fault("the lines before do not have the SHA-256 that the end line names")
        if self._file.read(1):
            raise self.fault("something follows the end line")

    def fault(self, reason: str) -> DataError:
        return DataError(reason, path=getattr(self._file, "name", None), place=f"line {max(self.number, 1)}")


def read_native(file: BinaryIO, sink: HistorySink, progress: Progress) -> ProjectImage:
    """Read a whole file into an empty project. Any fault raises; the caller throws the half-made project away."""
    reader = _Reader(file, progress)
    header = reader.next()
    if not isinstance(header, HeaderLine):
        raise reader.fault(f"this is no {FORMAT} file: its first line is no header")
    if header.version != VERSION:
        raise reader.fault(f"version {header.version} of {FORMAT} is not known here; this program reads {VERSION}")
    head, revisions = _read_body(reader, sink)
    if head.hex() != header.head or revisions != header.revisions:
        raise reader.fault("the history does not end where the header says")
    return ProjectImage(project_id=header.project, name=header.name, head=head, revisions=revisions)


def _read_body(reader: _Reader, sink: HistorySink) -> tuple[bytes, int]:
    head, revisions = bytes(32), 0
    stands: Iterator[tuple[RecordKind, str]] | None = None
    stage = 0
    while not isinstance(line := reader.next(), EndLine):
        order = _ORDER.get(type(line), -1)
        if order < stage:
            raise reader.fault(f"a {_name(line)} line does not belong here")
        stage = order
        try:
            if isinstance(line, BlobLine):
                _read_blob(reader, sink, line)
            elif isinstance(line, RevisionLine):
                head, revisions = _read_revision(reader, sink, line), revisions + 1
            elif isinstance(line, RefusalLine):
                sink.refusal(_refusal(reader, line))
            elif isinstance(line, CurrentLine):
                stands = stands or sink.current()
                _check_current(reader, stands, line)
        except DataError as error:
            # What the project says of a content names no line of this file; the reader knows it.
            raise error if (error.place or "").startswith("line ") else reader.fault(str(error)) from error
    if next(stands or sink.current(), None) is not None:
        raise reader.fault("the list of current records leaves some out")
    return head, revisions


_ORDER: dict[type, int] = {BlobLine: 1, RevisionLine: 2, RefusalLine: 3, CurrentLine: 4, TimesLine: 5}


def _name(line: AnyLine) -> str:
    return type(line).__name__.removesuffix("Line").lower()


def _read_blob(reader: _Reader, sink: HistorySink, first: BlobLine) -> None:
    if first.removed:
        sink.blob(first.sha256, first.size, None)
        return
    parts, length = [first.data], len(first.data)
    while length < first.size:
        line = reader.next()
        if not isinstance(line, BlobLine) or line.sha256 != first.sha256 or not line.data:
            raise reader.fault(f"blob {first.sha256} is cut off")
        parts.append(line.data)
        length += len(line.data)
    data = b"".join(parts)
    if length != first.size or hashlib.sha256(data).hexdigest() != first.sha256:
        raise reader.fault(f"blob {first.sha256[:64]} does not have the content that its name says")
    sink.blob(first.sha256, first.size, data)


def _read_revision(reader: _Reader, sink: HistorySink, line: RevisionLine) -> bytes:
    image = RevisionImage(
        rev=line.rev,
        previous_hash=_hash(reader, line.prev),
        hash=_hash(reader, line.hash),
        header=line.header.encode(),
        changes=line.changes,
    )
    if line.changes < 0:
        raise reader.fault("a revision has no negative number of changes")
    sink.append(image, _changes(reader, line.changes))
    return image.hash


def _changes(reader: _Reader, count: int) -> Iterator[ChangeImage]:
    for _ in range(count):
        line = reader.next()
        if not isinstance(line, ChangeLine):
            raise reader.fault(f"a {_name(line)} line stands where a change is missing")
        if not is_id(line.id):
            raise reader.fault(f"{line.id[:40]!r} is no id")
        payload = None if line.payload is None else line.payload.encode()
        digest = _hash(reader, line.digest)
        if payload is not None and hashlib.sha256(payload).digest() != digest:
            raise reader.fault("the text of this change does not have the digest beside it")
        if line.op == "delete" and payload is not None:
            raise reader.fault("a deletion carries no text")
        yield ChangeImage(
            kind=line.kind, id=line.id, op=line.op, schema_version=line.schema, digest=digest, payload=payload
        )


def _refusal(reader: _Reader, line: RefusalLine) -> RefusalImage:
    return RefusalImage(number=line.number, entry=line.entry.encode(), hash=_hash(reader, line.hash))


def _check_current(reader: _Reader, stands: Iterator[tuple[RecordKind, str]], line: CurrentLine) -> None:
    if next(stands, None) != (line.kind, line.id):
        raise reader.fault(f"{line.kind} {line.id[:40]} is not what the history leaves standing here")


def _hash(reader: _Reader, text: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != 32 or data.hex() != text:
        raise reader.fault(f"{text[:80]!r} is no SHA-256 in lower-case hexadecimal")
    return data


NATIVE = Format(
    name="native",
    title="Native form: the whole project with its history, as JSON Lines",
    extensions=(".jsonl",),
    lossless=True,
    write_history=write_native,
    read_history=read_native,
)

__all__ = ["FORMAT", "NATIVE", "VERSION", "native_schema", "read_native", "write_native"]
