"""Sounds that are labelled: whether anything is heard there, and what they come from.

A sound is a span on an audio stream. A voice is judged in ``speech.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workstation.core.annotation import Annotation
from workstation.core.described import DESCRIBED, is_sound, lacks_sentence
from workstation.core.ontology import ErrorType, Severity
from workstation.core.sample import Sample, SampleState, Stream
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import SOUND_LEVEL_TOLERANCE, named_limit
from workstation.qa.findings import LABEL_KINDS, Fault, Reach, rule
from workstation.qa.rules.items import annotation_item, class_of, judged_annotations, link_item, streams_by_id
from workstation.qa.rules.said import standing_links

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SILENCE = frozenset({"silence"})
"""Classes that say that nothing is heard."""
HEARD_DB = 3.0
HOP_NS = 20_000_000
BLOCK_NS = 60_000_000_000
_QUIET_SHARE = 20
"""What a fifth of a minute does not reach is the ground that sounds stand out from, in per cent."""
_LEAST_LEVEL = 1e-5
_HANDED_IN = frozenset({SampleState.SUBMITTED, SampleState.APPROVED})


@rule(
    "sounds.silent",
    error_type=ErrorType.HALLUCINATION,
    severity=Severity.ERROR,
    limit=HEARD_DB,
    unit="dB",
    looks_at=LABEL_KINDS,
    reach=Reach.NEAR,
)
def silent(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A sound is labelled where nothing is heard: its loudest fiftieth of a second does not stand out from the ground
    of the recording by 3 dB (tolerance ``sound_db``).
    """
    limit = named_limit(snapshot.project(), SOUND_LEVEL_TOLERANCE, HEARD_DB)
    streams = streams_by_id(snapshot, sample)
    for label in judged_annotations(snapshot, sample):
        stream = streams.get(label.stream or "")
        class_id = class_of(snapshot, label)
        if stream is None or not is_sound(label, stream) or class_id in SILENCE:
            continue
        above = above_ground(snapshot, sample, label, stream)
        if above is not None and above < limit:
            yield Fault(
                text=f"{class_id or 'a sound'} is labelled on {stream.key} from {_seconds(stream, label.start_ns)} to "
                f"{_seconds(stream, label.end_ns)} s, and nothing stands out there",
                items=(annotation_item(label, streams, class_id),),
                measured=round(above, 1),
                limit=limit,
                suggestion="take the label away, or move it to where the sound is",
            )


@rule(
    "sounds.source",
    error_type=ErrorType.MISSING_REFERENCE,
    severity=Severity.WARNING,
    looks_at=LABEL_KINDS,
    reach=Reach.NEAR,
)
def source(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """In a sample that was handed in, a link from a sound to its source lacks the sentence that describes it."""
    if sample.state not in _HANDED_IN:
        return
    for link in standing_links(snapshot, sample, DESCRIBED):
        if lacks_sentence(link):
            yield Fault(
                text=f"{link.type_id}: nothing says how the sound comes from its source",
                items=(link_item(link),),
                suggestion="write a sentence into the link's rationale (link.edit)",
            )


def above_ground(snapshot: Snapshot, sample: Sample, label: Annotation, stream: Stream) -> float | None:
    """How far a sound stands out from the quiet parts of the minute it is in, in dB; ``None`` if nobody can tell."""
    import numpy as np

    first, last = _session(stream, label)
    block = levels(snapshot, sample, stream, first // BLOCK_NS)
    inside = block[(first % BLOCK_NS) // HOP_NS : (first % BLOCK_NS + last - first) // HOP_NS + 1]
    audible = block[block > 0]
    if not len(inside) or not len(audible):
        return None
    ground = max(float(np.percentile(audible, _QUIET_SHARE)), _LEAST_LEVEL)
    return float(20 * np.log10(max(float(inside.max()), _LEAST_LEVEL) / ground))


def levels(snapshot: Snapshot, sample: Sample, stream: Stream, block: int) -> NDArray[np.float64]:
    """The loudness of one minute of session time, by hops; asked by minutes so that each is read once."""
    return snapshot.evidence(sample.id).loudness(stream, block * BLOCK_NS, (block + 1) * BLOCK_NS, HOP_NS)


def _session(stream: Stream, label: Annotation) -> tuple[int, int]:
    to_session = stream.time_map.to_session
    return to_session(label.start_ns or 0), to_session(label.end_ns or 0)


def _seconds(stream: Stream, at_ns: int | None) -> str:
    return f"{stream.time_map.to_session(at_ns or 0) / 1e9:.2f}"
