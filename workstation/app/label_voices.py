"""Who speaks, for the labellers of sounds: spans of a whole stream with their speakers, and the calls that say so.

The person is proposed by number, stream and encoder, so that every model of a job means the same one. Where the
ontology has a link for it, a voice is not the person: the link says who speaks, proposed with its evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from workstation.app.labellers import Assignment, Call, LinkTo, SpeakerOf
from workstation.app.speech_blocks import length_s, sound_of
from workstation.app.transcript import SPEAKS
from workstation.core.errors import UserError
from workstation.media.base import AudioReader
from workstation.prelabel.api import FoundSpan
from workstation.prelabel.shelf import ShelvedModel
from workstation.prelabel.speakers import FAMILY, SAME_VOICE, who_speaks
from workstation.prelabel.speech_sound import Piece
from workstation.prelabel.worker import Worker

SPEAKER = "speaker"


def voices_of(
    assignment: Assignment, encoder: ShelvedModel, reader: AudioReader, spans: Sequence[FoundSpan], *, provider: str,
    cancelled: Callable[[], bool],
) -> tuple[FoundSpan, ...]:  # fmt: skip
    """Spans of speech over the whole sound, each with its speaker, by a speaker encoder."""
    if encoder.manifest.family != FAMILY:
        raise UserError(f"{encoder.manifest.id} is no speaker encoder of the family {FAMILY}")
    speakers = int(assignment.options.get("speakers", 0)) or None
    cut_at = encoder.manifest.thresholds.get("distance", SAME_VOICE)
    sound = sound_of(reader, Piece(0.0, length_s(reader)))
    with Worker(encoder.file(), provider=provider, threads=assignment.threads, cancelled=cancelled) as runs:
        return who_speaks(runs, sound, spans, speakers=speakers, cut_at=cut_at).spans


def spoken_by(
    call: Call, assignment: Assignment, speaker: SpeakerOf, named: str, encoder: ShelvedModel, share: float
) -> Call:
    """The same, said by ``named``; ``share`` of its time lies in what the encoder hears as that voice."""
    who = f"{named} of {assignment.stream.key} ({encoder.manifest.id})"
    if speaker.roles is None:
        return replace(call, entity=(speaker.class_id, who))
    said = f"{encoder.manifest.id} hears {share:.0%} of it as {named}"
    link = LinkTo(SPEAKS, speaker.roles[0], speaker.roles[1], said, round(share, 3))
    return replace(call, entity=(speaker.class_id, who), link=link)


def share_of(span: FoundSpan, turns: Sequence[FoundSpan]) -> float:
    """How much of a span lies in the turns of its own speaker, 0 to 1."""
    shared = sum(
        max(0.0, min(span.end_s, turn.end_s) - max(span.start_s, turn.start_s))
        for turn in turns
        if turn.speaker == span.speaker
    )
    length = span.end_s - span.start_s
    return min(1.0, shared / length) if length > 0 else 0.0
