"""Models over sounds: who speaks when, as spans of speech that belong to one proposed person each.

Voices can only be told apart once all of them were heard: minutes are listened to one by one, and the last one brings
all spans. Whose span it is stays a proposal: the person it belongs to is named by number, stream and model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from workstation.app.label_sounds import detector_of, moment, opened
from workstation.app.label_voices import SPEAKER, spoken_by, voices_of
from workstation.app.labellers import Assignment, Call, Chunk
from workstation.app.speech_blocks import Heard, blocks, length_s, moved, packed, unpacked
from workstation.core.errors import DataError, UserError
from workstation.core.sample import StreamKind
from workstation.media.base import AudioReader
from workstation.prelabel.api import FoundSpan, Task
from workstation.prelabel.speakers import FAMILY
from workstation.prelabel.speech_vad import SPEECH, SpeechLimits
from workstation.prelabel.worker import CPU, Worker


class _Kept(msgspec.Struct, frozen=True):
    heard: bytes
    spans: list[tuple[float, float, float]]


class SpeakerLabeller:
    """Spans of speech with the person who speaks."""

    tasks = frozenset({Task.SPEAKER_EMBED})
    kinds = frozenset({StreamKind.AUDIO})
    follows_labels = False

    def chunks(self, assignment: Assignment, cancelled: Callable[[], bool]) -> Iterator[Chunk]:
        """Minutes in their order; what is proposed comes with the last."""
        if assignment.model.manifest.family != FAMILY:
            raise UserError(f"{assignment.model.manifest.id} is no speaker encoder of the family {FAMILY}")
        detector = detector_of(assignment)
        limits = SpeechLimits.of(detector.manifest.thresholds)
        with opened(assignment) as reader:
            if not reader.frames:
                yield Chunk(position=1, done=1, total=1)
                return
            total = -int(-length_s(reader) // 1)
            parts = [_unpacked(each) for each in assignment.kept] if assignment.position else []
            spans = [FoundSpan(start_s=a, end_s=b, label=SPEECH, score=c) for each in parts for a, b, c in each.spans]
            heard = unpacked(parts[-1].heard) if parts else Heard()
            position = assignment.position if parts else 0
            with Worker(detector.file(), provider=CPU, threads=assignment.threads, cancelled=cancelled) as listener:
                for block in blocks(reader, listener, limits, position=position, heard=heard, cancelled=cancelled):
                    new = [moved(each, block.from_s) for each in block.spans]
                    spans += new
                    last = block.position >= total
                    calls, missing = _told_apart(assignment, reader, spans, cancelled) if last else ((), {})
                    kept = _Kept(packed(block.heard), [(each.start_s, each.end_s, each.score) for each in new])
                    yield Chunk(
                        position=block.position, done=block.position, total=total, calls=calls, left_out=missing,
                        kept=msgspec.msgpack.encode(kept),
                    )  # fmt: skip


LABELLER = SpeakerLabeller()


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.msgpack.Decoder(_Kept)


def _unpacked(data: bytes) -> _Kept:
    try:
        return _READ.decode(data)
    except msgspec.MsgspecError as problem:
        raise DataError(
            "what an earlier run kept of this sound cannot be read; run prelabel with --again", path="prelabel"
        ) from problem


def _told_apart(
    assignment: Assignment, reader: AudioReader, spans: list[FoundSpan], cancelled: Callable[[], bool]
) -> tuple[tuple[Call, ...], dict[str, int]]:
    speaker = assignment.speaker
    if speaker is None:
        return (), {SPEAKER: len(spans)} if spans else {}
    model = assignment.model
    provider = assignment.providers[0]
    found = voices_of(assignment, model, reader, spans, provider=provider, cancelled=cancelled)
    class_id = assignment.classes.get(SPEECH)
    calls = []
    for span in found:
        start_ns, end_ns = moment(reader, span.start_s), moment(reader, span.end_s)
        if end_ns > start_ns:
            said = {"stream": assignment.stream.id, "kind": "span", "start_ns": start_ns, "end_ns": end_ns}
            said |= {"confidence": min(1.0, max(0.0, span.score))} | (
                {} if class_id is None else {"class_id": class_id}
            )
            call = Call("annotation.add", said, called=span.label)
            calls.append(spoken_by(call, assignment, speaker, span.speaker, model, min(1.0, max(0.0, span.score))))
    return tuple(calls), {}
