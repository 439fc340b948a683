"""When records are, as rows for an export: own time, session time, and what every stream has then, by number.

Called by ``export --format times``. The numbers are those of the readers' tables, as ``info --at`` prints them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from workstation.app.moment import UNITS, table_of
from workstation.app.session import Session
from workstation.app.streams import OpenStreams, digest_of
from workstation.core.annotation import Annotation, Link, effective_class
from workstation.core.errors import DataError
from workstation.core.frametable import shown_capture
from workstation.core.sample import Sample, Stream
from workstation.core.settled import Settled
from workstation.core.timebase import FrameTable
from workstation.media.base import AudioReader, Reader

Row = dict[str, Any]


def time_rows(session: Session, readers: OpenStreams) -> Iterator[Row]:
    """Sample by sample: its streams, then its annotations and links that have a time; no proposals."""
    said = Settled(session.store)
    for sample in session.store.samples():
        streams: dict[str, Stream] = {stream.id: stream for stream in session.store.streams(sample.id)}
        opened: dict[str, tuple[Reader, FrameTable | None]] = {}
        for stream in streams.values():
            reader, trouble = _opened(readers, stream)
            if reader is not None:
                opened[stream.id] = (reader, table_of(reader))
            yield _stream_row(sample, stream, trouble)
        entities = {entity.id: entity for entity in session.store.entities(sample.id)}
        for annotation in said.annotations(sample.id):
            if annotation.start_ns is not None:
                thing = None if annotation.entity is None else entities.get(annotation.entity)
                yield _record_row(sample, annotation, effective_class(annotation, thing), streams, opened)
        for link in said.links(sample.id):
            if link.start_ns is not None:
                yield _record_row(sample, link, link.type_id, streams, opened)


def _opened(readers: OpenStreams, stream: Stream) -> tuple[Reader | None, str]:
    try:
        return readers.reader(stream), ""
    except DataError as error:
        return None, str(error)


def _stream_row(sample: Sample, stream: Stream, trouble: str) -> Row:
    return {
        "t": "stream", "sample": sample.key, "stream": stream.key, "kind": stream.kind.value,
        "unit": UNITS.get(stream.kind.value, "item"), "clock": stream.clock, "epoch_ns": stream.epoch_ns,
        "sha256": digest_of(stream), "time_map": msgspec.to_builtins(stream.time_map), "trouble": trouble,
    }  # fmt: skip


def _record_row(
    sample: Sample,
    record: Annotation | Link,
    name: str | None,
    streams: Mapping[str, Stream],
    opened: Mapping[str, tuple[Reader, FrameTable | None]],
) -> Row:
    own = streams.get(record.stream) if isinstance(record, Annotation) and record.stream is not None else None
    row: Row = {
        "t": "record", "kind": "annotation" if isinstance(record, Annotation) else "link", "id": record.id,
        "sample": sample.key, "stream": None if own is None else own.key, "class": name,
    }  # fmt: skip
    for edge, own_ns in (("start", record.start_ns), ("end", record.end_ns)):
        if own_ns is None:
            continue
        session_ns = own_ns if own is None else own.time_map.to_session(own_ns)
        at = {
            streams[key].key: found
            for key, (reader, table) in opened.items()
            if (found := _there(streams[key], reader, table, session_ns)) is not None
        }
        row[edge] = {"own_ns": own_ns, "session_ns": session_ns, "at": at}
    return row


def _there(stream: Stream, reader: Reader, table: FrameTable | None, session_ns: int) -> Row | None:
    """What a stream has at a session time; ``None`` where it has nothing."""
    time_map = stream.time_map
    if isinstance(reader, AudioReader):
        index = reader.sample_at(time_map.first_stream_at(session_ns + 1) - 1)
        own_ns = None if index is None else reader.time_of(index)
    elif table is not None and len(table):
        found = shown_capture(table, time_map, session_ns)
        index, own_ns = (None, None) if found is None else (found.index, found.stream_ns)
    else:
        return None
    if index is None or own_ns is None:
        return None
    mapped_ns = time_map.to_session(own_ns)
    return {
        "unit": UNITS.get(stream.kind.value, "item"), "index": index, "own_ns": own_ns, "session_ns": mapped_ns,
        "distance_ns": mapped_ns - session_ns,
    }  # fmt: skip
