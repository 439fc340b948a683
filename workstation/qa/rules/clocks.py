"""Whether clocks agree: what maps and their evidence leave, sound against picture, captions against what they tell.

Three limits with names of their own (``core/tolerances.py``): a clock 10 ms, sound and picture 100 ms, a caption 0.5 s;
the project may set each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workstation.core.annotation import Annotation, Link, State, TargetKind
from workstation.core.findings import Item
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import GateState, Sample, Stream, StreamKind
from workstation.core.seen_and_heard import seen_and_heard
from workstation.core.snapshot import Snapshot
from workstation.core.sync_state import SYNC_GATE, clocks_off
from workstation.core.tolerances import (
    CAPTION_MS,
    CAPTION_TOLERANCE,
    CLOCK_MS,
    CLOCK_TOLERANCE,
    SOUND_MS,
    SOUND_TOLERANCE,
    time_limit_ms,
)
from workstation.qa.findings import LABEL_KINDS, Fault, Fix, Reach, rule
from workstation.qa.rules.items import annotation_item, link_item, ontology_of, streams_by_id

_TELLING = frozenset({"refers_to", "describes", "grounded_in_time"})


@rule("clocks.off", error_type=ErrorType.TEMPORAL, severity=Severity.ERROR, limit=CLOCK_MS, unit="ms", looks_at=())
def off(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A stream's clock is off or drifts by more than labelling allows: as measured and not corrected, as its map leaves
    of its own evidence, or as the clock said itself. It must be corrected or waived first.
    """
    gate = sample.gates.get(SYNC_GATE)
    if gate is not None and gate.state is GateState.WAIVED:
        return
    limit = time_limit_ms(snapshot.project(), sample, CLOCK_TOLERANCE, CLOCK_MS)
    for left in clocks_off(snapshot.project(), sample, snapshot.streams(sample.id)):
        off_ms = left.left_ns / 1e6
        yield Fault(
            text=f"{left.stream.key} is {off_ms:+.1f} ms off, {left.words}",
            items=(Item(RecordKind.STREAM.value, left.stream.id, left.stream.key),),
            measured=round(abs(off_ms), 3),
            limit=limit,
            suggestion="measure and correct it (panel Synchronise, or workstation sync), or sign a waiver (gate.waive)",
        )


@rule("clocks.turning", error_type=ErrorType.TEMPORAL, severity=Severity.ERROR, limit=CLOCK_MS, unit="ms", looks_at=())
def turning(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A gyro turns earlier or later than the poses of the same vehicle by more than labelling allows, and by more than
    the measurement may be wrong: its clock is off. No label need lie on it.
    """
    gate = sample.gates.get(SYNC_GATE)
    if gate is not None and gate.state is GateState.WAIVED:
        return
    limit = time_limit_ms(snapshot.project(), sample, CLOCK_TOLERANCE, CLOCK_MS)
    streams = list(snapshot.streams(sample.id))
    if all(each.kind is not StreamKind.TRAJECTORY for each in streams):
        return
    known = {left.stream.id for left in clocks_off(snapshot.project(), sample, streams)}  # found by clocks.off
    for stream in streams:
        if stream.kind is not StreamKind.SERIES or stream.id in known:
            continue
        found = snapshot.evidence(sample.id).turning(stream)
        if found is None or (abs(found.late_ns) - found.half_width_ns) / 1e6 <= limit:
            continue
        late_ms = found.late_ns / 1e6
        yield Fault(
            text=f"{stream.key} turns {abs(late_ms):.1f} ms {'later' if late_ms > 0 else 'earlier'} than "
            f"{found.against.key} says, give or take {found.half_width_ns / 1e6:.1f} ms",
            items=tuple(Item(RecordKind.STREAM.value, each.id, each.key) for each in (stream, found.against)),
            measured=round(abs(late_ms), 1),
            limit=limit,
            suggestion=f"measure and correct it (panel Synchronise, or workstation sync imu PROJECT "
            f"{found.against.key} {stream.key}), or sign a waiver (gate.waive)",
        )


@rule(
    "clocks.sound_and_picture",
    error_type=ErrorType.TEMPORAL,
    severity=Severity.ERROR,
    limit=SOUND_MS,
    unit="ms",
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def sound_and_picture(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A sound and something seen are linked as one moment and begin further apart than that."""
    types = ontology_of(snapshot).link_types
    streams = streams_by_id(snapshot, sample)
    named = time_limit_ms(snapshot.project(), sample, SOUND_TOLERANCE, SOUND_MS)
    for link in snapshot.links(sample.id):
        link_type = types.get(link.type_id)
        if link_type is None or "time_ms" not in link_type.tolerance or not _stands(link):
            continue
        pair = seen_and_heard(snapshot, link, streams)
        if pair is None:
            continue
        limit = min(named, link_type.tolerance["time_ms"])
        late_ms = pair.late_ns / 1e6
        if abs(late_ms) > limit:
            yield Fault(
                text=f"{link.type_id}: the sound begins at {pair.heard_ns / 1e9:.3f} s, what is seen at "
                f"{pair.seen_ns / 1e9:.3f} s, {abs(late_ms):.1f} ms {'later' if late_ms < 0 else 'earlier'}",
                items=(link_item(link), annotation_item(pair.heard, streams), annotation_item(pair.seen, streams)),
                measured=round(abs(late_ms), 3),
                limit=limit,
                suggestion="mend the labels, or the clock of the stream that is off (panel Synchronise)",
            )


@rule(
    "clocks.caption",
    error_type=ErrorType.TEMPORAL,
    severity=Severity.ERROR,
    limit=CAPTION_MS,
    unit="ms",
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def caption(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A caption or sentence with a time of its own stands half a second or more before or after what it tells of."""
    streams = streams_by_id(snapshot, sample)
    limit = time_limit_ms(snapshot.project(), sample, CAPTION_TOLERANCE, CAPTION_MS)
    for link in snapshot.links(sample.id):
        if link.type_id not in _TELLING or not _stands(link):
            continue
        ends = [found for each in link.ends if each.kind is TargetKind.ANNOTATION
                if isinstance(found := snapshot.get(RecordKind.ANNOTATION, each.target), Annotation)]  # fmt: skip
        told = [each for each in ends if not _is_text(each, streams)]
        for text in ends:
            if not _is_text(text, streams):
                continue
            for event in told:
                yield from _judged(link, text, event, streams, limit)


def _judged(
    link: Link, text: Annotation, event: Annotation, streams: Mapping[str, Stream], limit: float
) -> Iterator[Fault]:
    said, happened = _window(text, streams), _window(event, streams)
    if said is None or happened is None:
        return
    late_ms = _late_ns(said, happened) / 1e6
    if abs(late_ms) >= limit:
        side = "after" if late_ms > 0 else "before"
        yield Fault(
            text=f"{link.type_id}: the text stands {abs(late_ms) / 1e3:.2f} s {side} what it tells of, which is at "
            f"{happened[0] / 1e9:.3f} to {happened[1] / 1e9:.3f} s",
            items=(link_item(link), annotation_item(text, streams), annotation_item(event, streams)),
            measured=round(abs(late_ms), 3),
            limit=limit,
            suggestion=f"move the text by {-late_ms / 1e3:+.2f} s",
            fix=Fix(
                "annotation.move",
                {"annotations": [text.id], "by_ns": -round(late_ms * 1e6)},
                f"Move the text by {-late_ms / 1e3:+.2f} s",
            ),
            aspect=f"{text.id} {event.id}",
        )


def _late_ns(said: tuple[int, int], happened: tuple[int, int]) -> int:
    """0 for a text that begins or ends with the event or lies in it; a moment counts from the event's nearer end."""
    if said[1] - said[0] <= 1:
        return min(0, said[0] - happened[0]) or max(0, said[0] - happened[1])
    first, last = said[0] - happened[0], said[1] - happened[1]
    if first * last <= 0:
        return 0
    return min(first, last, key=abs)


def _window(annotation: Annotation, streams: Mapping[str, Stream]) -> tuple[int, int] | None:
    if annotation.start_ns is None or annotation.end_ns is None:
        return None
    stream = None if annotation.stream is None else streams.get(annotation.stream)
    if stream is None:
        return annotation.start_ns, annotation.end_ns
    return stream.time_map.to_session(annotation.start_ns), stream.time_map.to_session(annotation.end_ns)


def _is_text(annotation: Annotation, streams: Mapping[str, Stream]) -> bool:
    stream = None if annotation.stream is None else streams.get(annotation.stream)
    return annotation.kind is ShapeKind.TEXT_SPAN or (stream is not None and stream.kind is StreamKind.TEXT)


def _stands(link: Link) -> bool:
    return link.holds and link.state is not State.REJECTED
