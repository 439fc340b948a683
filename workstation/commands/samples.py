"""Samples and their streams: adding, describing, removing. How a sample travels through the work is in ``work.py``."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from workstation.commands.arguments import PersonRef, SampleRef, StreamRef
from workstation.commands.reading import fetch, record_id
from workstation.commands.registry import command, needs_sample
from workstation.commands.removal import remove_links
from workstation.commands.transaction import Transaction
from workstation.core.errors import UserError
from workstation.core.ids import SampleId, StreamId
from workstation.core.records import RecordKind
from workstation.core.rights import Right
from workstation.core.sample import MediaFile, Sample, Stream, StreamKind
from workstation.core.sync_state import SYNC_GATE, combined_gate
from workstation.core.timebase import TimeMap

_OF_A_SAMPLE = (
    RecordKind.VERDICT, RecordKind.COMMENT, RecordKind.FINDING_DECISION, RecordKind.QUEUE_ITEM,
    RecordKind.PARKED, RecordKind.ANNOTATION, RecordKind.ENTITY, RecordKind.RIG, RecordKind.STREAM,
)  # fmt: skip
_LABELS = (RecordKind.LINK, RecordKind.ANNOTATION, RecordKind.ENTITY)


@command("sample.add", title="Add sample", right=Right.MANAGE_SAMPLES)
def add(
    tx: Transaction,
    *,
    key: str,
    profile: str = "",
    notes: str = "",
    properties: Mapping[str, str] = {},
    assigned_to: PersonRef | None = None,
) -> SampleId:
    """Add a sample: the streams of one moment under one key.

    key: the name people use, unique in the project
    profile: the kind of work, if it differs from the project's
    notes: anything worth knowing
    properties: facts by name, such as weather or device
    assigned_to: who works on it
    """
    made = Sample(
        id=SampleId(tx.new_id()),
        key=_key(key),
        profile=profile,
        notes=notes,
        properties=properties,
        assigned_to=assigned_to,
    )
    tx.put(made)
    return made.id


@command("sample.set", title="Describe sample", right=Right.MANAGE_SAMPLES, enabled=needs_sample)
def set_sample(
    tx: Transaction,
    *,
    sample: SampleRef,
    key: str | None = None,
    profile: str | None = None,
    notes: str | None = None,
    properties: Mapping[str, str | None] = {},
) -> None:
    """Rename or describe a sample; what is not mentioned stays.

    key: the new name, unique in the project
    profile: the kind of work
    notes: anything worth knowing
    properties: facts by name; null takes one away
    """
    old = fetch(tx, Sample, sample)
    kept = {name: value for name, value in {**old.properties, **properties}.items() if value is not None}
    tx.put(
        replace(
            old,
            key=old.key if key is None else _key(key),
            profile=old.profile if profile is None else profile,
            notes=old.notes if notes is None else notes,
            properties=kept,
        )
    )


@command("sample.remove", title="Remove sample", right=Right.MANAGE_SAMPLES, enabled=needs_sample)
def remove(tx: Transaction, *, sample: SampleRef, with_labels: bool = False) -> None:
    """Take a sample out of the project. Media files are never touched, and history keeps what was there.

    with_labels: true to remove the labels on it too; otherwise a labelled sample is refused
    """
    old = fetch(tx, Sample, sample)
    counted = {kind: len(list(tx.records(kind, sample=old.id))) for kind in _LABELS}
    if any(counted.values()) and not with_labels:
        said = ", ".join(f"{count} {kind.value}s" for kind, count in counted.items() if count)
        raise UserError(
            f"sample {old.key} holds {said.replace('entitys', 'entities')}; say with_labels to remove them too"
        )
    for annotation in list(tx.annotations(old.id)):
        for keyframe in list(tx.keyframes(annotation.id)):
            tx.delete(RecordKind.KEYFRAME, keyframe.id)
        for word in list(tx.words(annotation.id)):
            tx.delete(RecordKind.WORD, word.id)
    remove_links(tx, list(tx.links(old.id)))
    # Newest first: an answer goes before the comment it answers, a span before the text it lies on.
    for kind in _OF_A_SAMPLE:
        for each in sorted((record_id(record) for record in tx.records(kind, sample=old.id)), reverse=True):
            tx.delete(kind, each)
    tx.delete(RecordKind.SAMPLE, old.id)


@command("stream.add", title="Add stream", right=Right.MANAGE_SAMPLES, enabled=needs_sample)
def add_stream(
    tx: Transaction,
    *,
    sample: SampleRef,
    key: str,
    kind: StreamKind,
    role: str = "",
    files: tuple[MediaFile, ...] = (),
    reader: str = "",
    options: Mapping[str, str | bool | int | float] = {},
    clock: str = "",
    clock_locked: bool | None = None,
    clock_offset_ns: int | None = None,
    epoch_ns: int | None = None,
    time_map: TimeMap | None = None,
    frame: str = "",
    recording: str = "",
    language: str = "",
    consent: str = "",
    licence: str = "",
    transformations: tuple[str, ...] = (),
) -> StreamId:
    """Add one modality to a sample.

    key: the name people use, unique in the sample
    kind: image, video, audio, cloud, radar, series, text, document, volume, trajectory, map or turns
    role: what it is for, such as front camera or caption
    files: the files behind it, as {"path": …, "sha256": …, "size": …}
    reader: the name of the reader that opens them; left out, the one that knows the first file
    options: what its reader must know
    clock: the clock its times come from, such as ptp or free-running
    clock_locked: whether that clock was locked to its master while recording, where known
    clock_offset_ns: how far off its master it said it was, where known
    epoch_ns: Unix time of the stream's own zero, where known
    time_map: how its time leads to session time; left out, they are the same
    frame: the named frame of its coordinates
    recording: the recording it comes from
    language: of its text or speech
    consent: the consent it was recorded under
    licence: the licence it may be used under
    transformations: what was done to it before it came here
    """
    made = Stream(
        id=StreamId(tx.new_id()),
        sample=sample,
        key=_key(key),
        kind=kind,
        role=role,
        files=files,
        reader=reader,
        options=options,
        clock=clock,
        clock_locked=clock_locked,
        clock_offset_ns=clock_offset_ns,
        epoch_ns=epoch_ns,
        time_map=time_map if time_map is not None else TimeMap(),
        frame=frame,
        recording=recording,
        language=language,
        consent=consent,
        licence=licence,
        transformations=transformations,
    )
    tx.put(made)
    _unverify_mixture(tx, made)
    return made.id


@command("stream.set", title="Describe stream", right=Right.MANAGE_SAMPLES, enabled=needs_sample)
def set_stream(
    tx: Transaction,
    *,
    stream: StreamRef,
    key: str | None = None,
    role: str | None = None,
    files: tuple[MediaFile, ...] | None = None,
    frame: str | None = None,
    recording: str | None = None,
    language: str | None = None,
    consent: str | None = None,
    licence: str | None = None,
    transformations: tuple[str, ...] | None = None,
) -> None:
    """Rename or describe a stream; what is not mentioned stays.

    key: the new name, unique in the sample
    role: what it is for
    files: the files behind it, as {"path": …, "sha256": …, "size": …}
    frame: the named frame of its coordinates
    recording: the recording it comes from
    language: of its text or speech
    consent: the consent it was recorded under
    licence: the licence it may be used under
    transformations: what was done to it before it came here
    """
    given = {
        "key": None if key is None else _key(key), "role": role, "files": files, "frame": frame,
        "recording": recording, "language": language, "consent": consent, "licence": licence,
        "transformations": transformations,
    }  # fmt: skip
    old = fetch(tx, Stream, stream)
    made = replace(old, **{name: value for name, value in given.items() if value is not None})
    tx.put(made)
    if made.recording != old.recording:
        _unverify_mixture(tx, made)


@command("stream.set_time", title="Set time map", right=Right.CHANGE_SYNC, enabled=needs_sample)
def set_time(
    tx: Transaction,
    *,
    stream: StreamRef,
    time_map: TimeMap,
    clock: str | None = None,
    clock_locked: bool | None = None,
    clock_offset_ns: int | None = None,
    epoch_ns: int | None = None,
) -> None:
    """Correct how a stream's time leads to session time. Labels keep the stream's time, and so move rightly.

    time_map: the new map
    clock: the clock its times come from; what is not mentioned stays, an empty name takes back all that was said of it
    clock_locked: whether that clock was locked to its master
    clock_offset_ns: how far off its master it said it was
    epoch_ns: Unix time of the stream's own zero
    """
    said = {"clock": clock, "clock_locked": clock_locked, "clock_offset_ns": clock_offset_ns, "epoch_ns": epoch_ns}
    old = fetch(tx, Stream, stream)
    if clock == "":
        old = replace(old, clock_locked=None, clock_offset_ns=None)
    tx.put(replace(old, time_map=time_map, **{name: value for name, value in said.items() if value is not None}))


@command("stream.remove", title="Remove stream", right=Right.MANAGE_SAMPLES, enabled=needs_sample)
def remove_stream(tx: Transaction, *, stream: StreamRef) -> None:
    """Take a stream out of its sample; refused while labels lie on it. The media files are never touched."""
    old = fetch(tx, Stream, stream)
    count = len(list(tx.annotations(old.sample, stream=old.id)))
    if count:
        raise UserError(f"{count} annotations lie on stream {old.key}; delete or copy them first (bulk.delete)")
    tx.delete(RecordKind.STREAM, old.id)


LATENCY = "latency"


@command("stream.set_latency", title="Declare latency", right=Right.CHANGE_SYNC, enabled=needs_sample)
def set_latency(tx: Transaction, *, stream: StreamRef, latency_ns: int, granularity_ns: int | None = None) -> None:
    """Say by how much a stream's times are late; its labels move earlier by as much on the session's timeline.

    It takes the place of a latency declared before. The files are not touched.

    latency_ns: how long after the fact its times are; below zero if before
    granularity_ns: how finely its times are told, where that is known
    """
    old = fetch(tx, Stream, stream)
    said = dict(old.time_map.evidence_values)
    before = said.get("latency_ns", 0)
    if not isinstance(before, int):
        raise UserError(f"the latency kept with stream {old.key} is no number; set its time map anew")
    if granularity_ns is not None and granularity_ns < 0:
        raise UserError("a granularity is not below zero")
    said |= {"latency_ns": latency_ns} | ({} if granularity_ns is None else {"granularity_ns": granularity_ns})
    methods = [each for each in old.time_map.method.split(" + ") if each not in (LATENCY, "identity")]
    moved = old.time_map.moved(before - latency_ns)
    found = moved.found_by(
        " + ".join([*methods, *([LATENCY] if latency_ns else [])]) or "identity",
        evidence=said,
        residual_ns=old.time_map.residual_ns,
    )
    tx.put(replace(old, time_map=found))


def _unverify_mixture(tx: Transaction, stream: Stream) -> None:
    """Streams of two recordings are on one timeline only by software, whatever was verified before."""
    gate = combined_gate(tx.streams(stream.sample), stream, person=tx.actor.name)
    if gate is not None:
        sample = fetch(tx, Sample, stream.sample)
        tx.put(replace(sample, gates={**sample.gates, SYNC_GATE: gate}))


def _key(key: str) -> str:
    if not key or key != key.strip() or len(key) > 200 or not key.isprintable():
        raise UserError(f"a key is 1 to 200 visible characters without blanks around them, not {key[:40]!r}")
    return key
