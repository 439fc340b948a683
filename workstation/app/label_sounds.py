"""Models over sounds: where somebody speaks as spans, and what is said as turns with timed words.

A recogniser hears only where a voice detector of the same job found speech. Each minute is stored as it is done. Where
the job also has a model that tells voices apart, a turn ends where another speaks, and says who does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from workstation.app.label_voices import share_of, spoken_by, voices_of
from workstation.app.labellers import Assignment, Call, Chunk
from workstation.app.reading import Formats
from workstation.app.speech_blocks import Block, Heard, blocks, length_s, moved, packed, sound_of, unpacked
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError, UserError
from workstation.core.proposals import SEVERAL_LANGUAGES
from workstation.core.sample import StreamKind
from workstation.media.base import AudioReader
from workstation.prelabel.api import FoundSpan, Task
from workstation.prelabel.shelf import ShelvedModel
from workstation.prelabel.speakers import turns_of_words
from workstation.prelabel.speech_sound import Piece
from workstation.prelabel.speech_text import SAID, Recogniser, open_whisper, transcribe
from workstation.prelabel.speech_vad import FAMILY, SpeechLimits, chunks_of
from workstation.prelabel.worker import CPU, Worker

_NS = 1_000_000_000
Hears = Callable[[Block], list[FoundSpan]]


class SoundLabeller:
    """Spans of speech, and turns."""

    tasks = frozenset({Task.VAD, Task.ASR})
    kinds = frozenset({StreamKind.AUDIO})
    follows_labels = False

    def chunks(self, assignment: Assignment, cancelled: Callable[[], bool]) -> Iterator[Chunk]:
        """Minutes in their order."""
        detector = detector_of(assignment)
        provider = assignment.providers[0] if detector is assignment.model else CPU
        with opened(assignment) as reader:
            hears = _spans if detector is assignment.model else _transcript(assignment, reader)
            turns = _turns_of(assignment, detector, reader, cancelled)
            total = max(1, -int(-length_s(reader) // 1))
            if not reader.frames:
                yield Chunk(position=1, done=1, total=1)
                return
            heard = unpacked(assignment.kept[-1]) if assignment.position and assignment.kept else Heard()
            limits = SpeechLimits.of(detector.manifest.thresholds)
            position = assignment.position if assignment.kept else 0
            with Worker(detector.file(), provider=provider, threads=assignment.threads, cancelled=cancelled) as worker:
                for block in blocks(reader, worker, limits, position=position, heard=heard, cancelled=cancelled):
                    calls, left_out = _calls(assignment, reader, hears(block), turns)
                    yield Chunk(
                        position=block.position, done=min(block.position, total), total=total, calls=calls,
                        left_out=left_out, kept=packed(block.heard),
                    )  # fmt: skip


LABELLER = SoundLabeller()


@contextmanager
def opened(assignment: Assignment) -> Iterator[AudioReader]:
    """The sound of an assignment."""
    with OpenStreams(assignment.project, readers=Formats().readers) as readers:
        reader = readers.reader(assignment.stream)
        if not isinstance(reader, AudioReader):
            raise DataError("is no sound", path=assignment.stream.key)
        yield reader


def recogniser_of(assignment: Assignment) -> Recogniser:
    """What turns speech into words."""
    model = assignment.model
    return open_whisper(model.folder, name=model.manifest.id, threads=max(1, assignment.threads))


def detector_of(assignment: Assignment) -> ShelvedModel:
    """What says where somebody speaks: the model itself or one named beside it."""
    for model in (assignment.model, *assignment.beside):
        if model.manifest.task is Task.VAD:
            if model.manifest.family != FAMILY:
                raise UserError(f"{model.manifest.id} is no voice detector of the family {FAMILY}, so it is not run")
            return model
    raise UserError(
        f"{assignment.model.manifest.id} needs to know where somebody speaks: name a voice detector with it, as "
        f"--models silero-vad,{assignment.model.manifest.id}"
    )


def _spans(block: Block) -> list[FoundSpan]:
    return [moved(each, block.from_s) for each in block.spans]


def _transcript(assignment: Assignment, reader: AudioReader) -> Hears:
    recogniser = recogniser_of(assignment)
    language = str(assignment.model.manifest.options.get("language", ""))

    def hears(block: Block) -> list[FoundSpan]:
        found: list[FoundSpan] = []
        for piece in chunks_of(block.spans, block.probable):
            start = block.from_s + piece.start_s
            sound = sound_of(reader, Piece(start, start + piece.length_s))
            for _, said in transcribe(recogniser, sound, [Piece(0.0, piece.length_s)], language=language):
                found += [moved(each, start) for each in said]
        return found

    return hears


def _turns_of(
    assignment: Assignment, detector: ShelvedModel, reader: AudioReader, cancelled: Callable[[], bool]
) -> tuple[FoundSpan, ...]:  # fmt: skip
    """Who speaks when, where the job has a model that tells voices apart. The whole sound is heard for it before the
    first word is written: a hundredth of what the transcript costs, and the same wherever the job was stopped."""
    encoder = encoder_of(assignment)
    if assignment.model.manifest.task is not Task.ASR or encoder is None or assignment.speaker is None:
        return ()
    limits = SpeechLimits.of(detector.manifest.thresholds)
    with Worker(detector.file(), provider=CPU, threads=assignment.threads, cancelled=cancelled) as listener:
        spans = [
            moved(each, block.from_s)
            for block in blocks(reader, listener, limits, position=0, heard=Heard(), cancelled=cancelled)
            for each in block.spans
        ]
    if cancelled() or not spans:
        return ()
    return voices_of(assignment, encoder, reader, spans, provider=CPU, cancelled=cancelled)


def encoder_of(assignment: Assignment) -> ShelvedModel | None:
    """The model of the job that tells voices apart."""
    return next((each for each in assignment.beside if each.manifest.task is Task.SPEAKER_EMBED), None)


def _calls(
    assignment: Assignment, reader: AudioReader, spans: Sequence[FoundSpan], turns: Sequence[FoundSpan]
) -> tuple[tuple[Call, ...], Counter[str]]:
    calls: list[Call] = []
    left_out: Counter[str] = Counter()
    for span in turns_of_words(spans, turns) if turns else spans:
        class_id = assignment.classes.get(span.label)
        # A transcript stands without a class, as one that is imported does; a span without one says nothing.
        if class_id is None and not span.text:
            left_out[span.label] += 1
            continue
        made = _turn(assignment, reader, span) if span.text else _span(reader, span)
        if made["end_ns"] > made["start_ns"]:
            made |= {"stream": assignment.stream.id, "confidence": min(1.0, max(0.0, span.score))}
            made |= {} if class_id is None else {"class_id": class_id}
            call = Call("turn.add" if span.text else "annotation.add", made, called=span.label)
            calls.append(_said(call, assignment, span, turns))
        elif span.label == SAID and span.text:
            left_out["words without any time"] += 1
    return tuple(calls), left_out


def _said(call: Call, assignment: Assignment, span: FoundSpan, turns: Sequence[FoundSpan]) -> Call:
    """With who says it, where that was heard."""
    encoder = encoder_of(assignment)
    if not span.speaker or encoder is None or assignment.speaker is None:
        return call
    return spoken_by(call, assignment, assignment.speaker, span.speaker, encoder, share_of(span, turns))


def _span(reader: AudioReader, span: FoundSpan) -> dict[str, Any]:
    start_ns, end_ns = (moment(reader, each) for each in (span.start_s, span.end_s))
    return {"kind": "span", "start_ns": start_ns, "end_ns": end_ns}


def _turn(assignment: Assignment, reader: AudioReader, span: FoundSpan) -> dict[str, Any]:
    words = []
    for word in span.words:
        kept = replace(word, start_s=max(word.start_s, span.start_s), end_s=min(word.end_s, span.end_s))
        start_ns, end_ns = (moment(reader, each) for each in (kept.start_s, kept.end_s))
        spoken: dict[str, Any] = {"text": kept.text, "probability": kept.score}
        if end_ns > start_ns:
            spoken |= {"start_ns": start_ns, "end_ns": end_ns}
        words += [{**spoken, "text": each} for each in kept.text.split()]
    made: dict[str, Any] = {
        "start_ns": moment(reader, span.start_s), "end_ns": moment(reader, span.end_s),
        "language": span.language or None,
    }  # fmt: skip
    made |= {"words": words} if words else {"text": span.text}
    if span.other_languages and not assignment.other_language:
        made["language"] = SEVERAL_LANGUAGES  # never lost: such a turn is accepted by itself
    elif span.other_languages:
        made["attributes"] = {assignment.other_language: span.other_languages[0]}
    return made


def moment(reader: AudioReader, seconds: float) -> int:
    """Stream time of a second of the sound."""
    return reader.time_of(min(max(0, round(seconds * reader.sample_rate_hz)), reader.frames))
