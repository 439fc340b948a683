"""Transcripts beside the sound, and voices beside the faces: late words, wrong words, wrong speakers, two at once.

A turn is a span with words on a sound or on a stream of turns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from workstation.core.annotation import Annotation
from workstation.core.geometry import Box
from workstation.core.ontology import ErrorType, Severity
from workstation.core.proposals import OTHER_LANGUAGE
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import SPEECH_TOLERANCE, WORD_ERROR_TOLERANCE, named_limit
from workstation.core.wording import WORD
from workstation.qa.findings import LABEL_KINDS, Fault, Item, Reach, rule
from workstation.qa.rules.items import (
    annotation_item,
    entities_by_id,
    entity_item,
    judged_annotations,
    ontology_of,
    streams_by_id,
)
from workstation.qa.rules.said import part_in, text_of
from workstation.qa.rules.sounds import BLOCK_NS, HOP_NS, levels
from workstation.qa.rules.turns import (
    TURNS,
    TURNS_AND_FACES,
    Turn,
    absent_from_film,
    box_at,
    faces_of,
    sound_of,
    turns_of,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

OVERLAP_MS, SPEECH_MS, WORD_ERRORS = 20.0, 200.0, 0.2
"""Turns of one person, words beside the sound, wrong words of all."""
PACE, _EVEN, _FEWEST_TURNS = 1.5, 1.3, 4
"""Letters a second beside the usual: too many or too few, and as all others speak."""
_REACH_MS = 1500
_MARGIN_MS = 400
_FEWEST_WORDS = 3
_ALIKE, _BETTER = 0.5, 0.15
"""How alike words and sound must be where they fit, and how much more than where they were put."""
MOUTH_RATIO = 2.0
_SWITCH = OTHER_LANGUAGE
_SCRIPTS = {
    "hi": ("\u0900", "\u097f"), "zh": ("\u4e00", "\u9fff"), "ja": ("\u3040", "\u9fff"), "ko": ("\uac00", "\ud7af"),
    "ru": ("\u0400", "\u04ff"), "uk": ("\u0400", "\u04ff"), "el": ("\u0370", "\u03ff"), "ar": ("\u0600", "\u06ff"),
    "he": ("\u0590", "\u05ff"), "th": ("\u0e00", "\u0e7f"),
}  # fmt: skip
"""Languages with a script of their own, and between which characters it lies."""


@rule("speech.overlap", error_type=ErrorType.TEMPORAL, severity=Severity.ERROR, limit=OVERLAP_MS, unit="ms",
      looks_at=LABEL_KINDS, sees=TURNS)  # fmt: skip
def overlap(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Two turns of one speaker in one layer overlap by more than 20 ms: nobody speaks twice at once."""
    streams = streams_by_id(snapshot, sample)
    latest: dict[tuple[str, str, str], Turn] = {}
    for turn in turns_of(snapshot, sample):
        if turn.speaker is None:
            continue
        key = turn.speaker.id, turn.stream.id, turn.label.layer
        before = latest.get(key)
        if before is not None and (before.end_ns - turn.start_ns) / 1e6 > OVERLAP_MS:
            both_ms = (min(before.end_ns, turn.end_ns) - turn.start_ns) / 1e6
            yield Fault(
                text=f"two turns of {entity_item(turn.speaker).label} overlap by {both_ms:.0f} ms from "
                f"{turn.start_ns / 1e9:.3f} s on",
                items=(annotation_item(turn.label, streams), annotation_item(before.label, streams),
                       entity_item(turn.speaker)),
                measured=round(both_ms, 1),
                suggestion="end the first where the second begins, join them, or give one to another speaker",
            )  # fmt: skip
        if before is None or turn.end_ns > before.end_ns:
            latest[key] = turn


@rule("speech.word_errors", error_type=ErrorType.SEMANTIC, severity=Severity.WARNING, limit=WORD_ERRORS * 100,
      unit="%", looks_at=LABEL_KINDS, sees=TURNS)  # fmt: skip
def word_errors(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Two layers of a transcript differ in more than a fifth of their words (tolerance ``word_error_share``): inserted,
    left out or exchanged, case and punctuation apart, counted against the longer one.
    """
    limit = named_limit(snapshot.project(), WORD_ERROR_TOLERANCE, WORD_ERRORS)
    streams = streams_by_id(snapshot, sample)
    layers: defaultdict[str, defaultdict[str, list[Turn]]] = defaultdict(lambda: defaultdict(list))
    for turn in turns_of(snapshot, sample):
        layers[turn.stream.id][turn.label.layer].append(turn)
    for by_layer in layers.values():
        names = sorted(by_layer)
        for number, name in enumerate(names):
            for other in names[:number]:
                mine, theirs = _spoken_words(by_layer[name]), _spoken_words(by_layer[other])
                rate = _edits(theirs, mine) / max(1, len(mine), len(theirs))
                if rate > limit:
                    yield Fault(
                        text=f"the layers {other} and {name} of the transcript differ in {rate:.0%} of their words",
                        items=(annotation_item(by_layer[name][0].label, streams),
                               annotation_item(by_layer[other][0].label, streams)),
                        measured=round(rate * 100, 1),
                        limit=limit * 100,
                        suggestion="listen where they differ, and correct the one that is wrong",
                        aspect=f"{other}/{name}",
                    )  # fmt: skip


@rule("speech.late", error_type=ErrorType.TEMPORAL, severity=Severity.ERROR, limit=SPEECH_MS, unit="ms",
      looks_at=LABEL_KINDS, sees=TURNS)  # fmt: skip
def late(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """The words of a turn stand earlier or later than the sound in which they are heard, by more than 200 ms
    (tolerance ``speech_ms``): moved by so much, they lie where it is loud and their gaps where it is quiet.

    Words without times are not judged. A turn spoken over by others is late when others are by just as much.
    """
    limit = named_limit(snapshot.project(), SPEECH_TOLERANCE, SPEECH_MS)
    streams = streams_by_id(snapshot, sample)
    judged = []
    for turn in turns_of(snapshot, sample):
        sound, spoken = sound_of(snapshot, sample, turn), turn.spoken()
        fit = None if sound is None or len(spoken) < _FEWEST_WORDS else _fit(snapshot, sample, sound, spoken)
        if sound is not None and fit is not None:
            judged.append((turn, sound, fit))
    clear = [fit.late_ms for _, _, fit in judged if fit.clear]
    for turn, sound, fit in judged:
        late_ms = fit.late_ms
        alike = sum(abs(late_ms - other) <= 2 * HOP_NS / 1e6 for other in clear)
        if abs(late_ms) > limit and (fit.clear or (fit.better and 2 * alike >= len(judged) > 1)):
            yield Fault(
                text=f"the words from {turn.start_ns / 1e9:.2f} s on are heard {abs(late_ms):.0f} ms "
                f"{'earlier' if late_ms > 0 else 'later'} than they stand in the transcript",
                items=(annotation_item(turn.label, streams), Item(RecordKind.STREAM.value, sound.id, sound.key)),
                measured=round(abs(late_ms), 1),
                limit=limit,
                suggestion=f"move its words by {-late_ms:+.0f} ms (turn.shift --by-ns {round(-late_ms * 1e6)})",
            )


@rule("speech.exchanged", error_type=ErrorType.INCORRECT_PAIRING, severity=Severity.WARNING, limit=PACE, unit="×",
      looks_at=LABEL_KINDS, sees=TURNS)  # fmt: skip
def exchanged(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """The texts of two neighbouring turns have changed places: the one has far more to say than its time allows, the
    other far less, and exchanged both are spoken at the pace of all others.
    """
    streams = streams_by_id(snapshot, sample)
    by_stream: defaultdict[tuple[str, str], list[Turn]] = defaultdict(list)
    for turn in turns_of(snapshot, sample):
        if turn.end_ns > turn.start_ns:
            by_stream[turn.stream.id, turn.label.layer].append(turn)
    for turns in by_stream.values():
        usual = median(_letters(turn) / _seconds(turn) for turn in turns)
        for one, other in pairwise(turns):
            fast, slow = sorted((one, other), key=lambda turn: -_letters(turn) / _seconds(turn))
            now = _letters(fast) / _seconds(fast) / usual, _letters(slow) / _seconds(slow) / usual
            then = _letters(slow) / _seconds(fast) / usual, _letters(fast) / _seconds(slow) / usual
            if len(turns) < _FEWEST_TURNS or now[0] <= PACE or now[1] >= 1 / PACE:
                continue
            if all(1 / _EVEN <= pace <= _EVEN for pace in then):
                for turn, partner, pace in ((fast, slow, now[0]), (slow, fast, 1 / now[1])):
                    yield Fault(
                        text=f"'{text_of(turn.label)[:50]}' does not go with the sound at {turn.start_ns / 1e9:.2f} s; "
                        f"the text of the turn at {partner.start_ns / 1e9:.2f} s does",
                        items=(annotation_item(turn.label, streams), annotation_item(partner.label, streams)),
                        measured=round(pace, 2),
                        suggestion=f"exchange its text with that of the turn at {partner.start_ns / 1e9:.2f} s",
                        aspect=turn.label.id,
                    )


def _letters(turn: Turn) -> int:
    return max(1, sum(len(word.text) for word in turn.words))


def _seconds(turn: Turn) -> float:
    return (turn.end_ns - turn.start_ns) / 1e9


@rule(
    "speech.code_switch", error_type=ErrorType.SEMANTIC, severity=Severity.ERROR, looks_at=LABEL_KINDS, reach=Reach.NEAR
)
def code_switch(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Words are labelled as another language that has a script of its own, and are written without a letter of it:
    they were translated or rewritten, not kept as they were said.
    """
    streams = streams_by_id(snapshot, sample)
    for label in judged_annotations(snapshot, sample):
        language = str(label.attributes.get(_SWITCH, ""))
        script, text = _SCRIPTS.get(language), text_of(label)
        if script is None or not WORD.search(text):
            continue
        if not any(script[0] <= letter <= script[1] for letter in text):
            place = part_in(label)
            quoted = None if place is None else snapshot.get(RecordKind.ANNOTATION, place[0])
            yield Fault(
                text=f"'{text[:60]}' is labelled as words in another language ({language}) and written without a "
                f"letter of it",
                items=(annotation_item(label, streams),
                       *((annotation_item(quoted, streams),) if isinstance(quoted, Annotation) else ())),
                measured=text[:60],
                limit=language,
                suggestion="write the words as they are said, in their own script",
            )  # fmt: skip


@rule("speech.voice_without_face", error_type=ErrorType.MISSING_REFERENCE, severity=Severity.WARNING,
      looks_at=LABEL_KINDS, sees=TURNS_AND_FACES)  # fmt: skip
def voice_without_face(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Where faces are tracked, somebody speaks who has no face on film, and nothing says that the voice comes from
    off-screen.
    """
    faces = faces_of(snapshot, sample) if turns_of(snapshot, sample) else {}
    if not faces:
        return
    absences = {key: each for key, each in ontology_of(snapshot).link_types.items() if each.absence}
    absent = absent_from_film(snapshot, sample, absences)
    streams = streams_by_id(snapshot, sample)
    seen: set[str] = set()
    for turn in turns_of(snapshot, sample):
        who = turn.speaker
        if who is None or who.id in seen or who.id in faces or who.id in absent:
            continue
        seen.add(who.id)
        yield Fault(
            text=f"{entity_item(who).label} speaks and has no face on film, and nothing says that it is off-screen",
            items=(entity_item(who), annotation_item(turn.label, streams)),
            suggestion="track the face, or state that it is not seen, with the reason (link.absent)",
        )


@rule("speech.speaker", error_type=ErrorType.INCORRECT_PAIRING, severity=Severity.ERROR, limit=MOUTH_RATIO, unit="×",
      looks_at=LABEL_KINDS, sees=TURNS_AND_FACES)  # fmt: skip
def speaker(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """During a turn another face on film moves its mouth, twice as much as the one that is said to speak.

    Compared is what moves in the lower half of each face, against what moves there while nobody speaks.
    """
    turns = turns_of(snapshot, sample)
    faces = faces_of(snapshot, sample) if turns else {}
    if len(faces) < 2:
        return
    streams = streams_by_id(snapshot, sample)
    entities = entities_by_id(snapshot, sample)
    for number, turn in enumerate(turns):
        if turn.speaker is None or turn.speaker.id not in faces or _spoken_over(turns, number):
            continue
        moved = {who: _mouth(snapshot, sample, *face, turn) for who, face in faces.items()}
        own = moved.pop(turn.speaker.id)
        others = {who: value for who, value in moved.items() if value is not None}
        if own is None or not others:
            continue
        best = max(others, key=lambda who: others[who])
        ratio = others[best] / max(own, 1e-6)
        if ratio > MOUTH_RATIO:
            partner = entity_item(entities[best])
            yield Fault(
                text=f"{entity_item(turn.speaker).label} is said to speak from {turn.start_ns / 1e9:.2f} s on, and the "
                f"mouth that moves is that of {partner.label}",
                items=(annotation_item(turn.label, streams), entity_item(turn.speaker), partner,
                       annotation_item(faces[best][0], streams)),
                measured=round(ratio, 1),
                suggestion=f"give the turn to {partner.label}",
            )  # fmt: skip


def _spoken_over(turns: Sequence[Turn], number: int) -> bool:
    """Whether somebody else speaks during most of a turn."""
    turn = turns[number]
    shared = sum(
        max(0, min(turn.end_ns, other.end_ns) - max(turn.start_ns, other.start_ns))
        for place, other in enumerate(turns)
        if place != number and other.label.layer == turn.label.layer
    )
    return 2 * shared > turn.end_ns - turn.start_ns


def _mouth(snapshot: Snapshot, sample: Sample, track: Annotation, stream: Stream, turn: Turn) -> float | None:
    """How much the lower half of a face moves during a turn."""
    box = box_at(snapshot, track, stream, (turn.start_ns + turn.end_ns) // 2)
    if box is None:
        return None
    mouth = Box(box.x + 0.2 * box.width, box.y + 0.5 * box.height, 0.6 * box.width, 0.4 * box.height)
    _, moved = snapshot.evidence(sample.id).motion(stream, mouth, turn.start_ns, turn.end_ns)
    return float(moved.mean()) if len(moved) else None


def _spoken_words(turns: Sequence[Turn]) -> list[str]:
    return [match.group().casefold() for turn in turns for word in turn.words for match in WORD.finditer(word.text)]


def _edits(a: Sequence[str], b: Sequence[str]) -> int:
    """The fewest insertions, deletions and exchanges that make one of the other."""
    row = list(range(len(b) + 1))
    for number, word in enumerate(a, 1):
        diagonal, row[0] = row[0], number
        for place, other in enumerate(b, 1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (word != other))
    return row[-1]


@dataclass(frozen=True, slots=True)
class _Fit:
    """How much later words stand than they are heard best, and how alike words and sound are there and here."""

    late_ms: float
    alike_there: float
    alike_here: float

    @property
    def better(self) -> bool:
        """Whether another place fits, and fits better."""
        return self.alike_there >= _ALIKE and self.alike_there > self.alike_here

    @property
    def clear(self) -> bool:
        """Whether that is beyond doubt."""
        return self.better and self.alike_there - self.alike_here >= _BETTER


def _fit(snapshot: Snapshot, sample: Sample, sound: Stream, spoken: Sequence[tuple[int, int]]) -> _Fit | None:
    import numpy as np

    hop_ms = HOP_NS / 1e6
    first = min(start for start, _ in spoken) - _MARGIN_MS * 1_000_000
    last = max(end for _, end in spoken) + _MARGIN_MS * 1_000_000
    reach = round(_REACH_MS / hop_ms)
    count = (last - first) // HOP_NS
    heard = _loudness(snapshot, sample, sound, first - reach * HOP_NS, count + 2 * reach)
    middles = first + (np.arange(count) + 0.5) * HOP_NS
    active = np.zeros(count)
    for start, end in spoken:
        active[(middles >= start) & (middles < end)] = 1.0
    if active.std() == 0 or heard.std() == 0:
        return None
    alike = np.array([_correlation(active, heard[at : at + count]) for at in range(2 * reach + 1)])
    best = int(alike.argmax())
    return _Fit((reach - best) * hop_ms, float(alike[best]), float(alike[reach]))


def _loudness(snapshot: Snapshot, sample: Sample, sound: Stream, start_ns: int, count: int) -> Floats:
    """In decibels above the ground, by hops from a moment on."""
    import numpy as np

    first = start_ns // HOP_NS
    blocks = range(first * HOP_NS // BLOCK_NS, (first + count) * HOP_NS // BLOCK_NS + 1)
    found = np.concatenate([levels(snapshot, sample, sound, block) for block in blocks])
    offset = first - blocks[0] * (BLOCK_NS // HOP_NS)
    part = found[offset : offset + count]
    audible = found[found > 0]
    ground = float(np.percentile(audible, 20)) if len(audible) else 1.0
    loud: Floats = np.clip(20 * np.log10(np.maximum(part, 1e-6) / max(ground, 1e-6)), 0, 30)
    return loud


def _correlation(a: Floats, b: Floats) -> float:
    import numpy as np

    if b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
