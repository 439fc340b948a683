"""Whether voice, face, words and deed of a turn agree, and whether what is said of a turn lies on it.

Disagreement may be meant: a turn whose tone is *ironic* is left alone, and so is a finding that a person confirmed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import pstdev

from workstation.core.annotation import Annotation
from workstation.core.geometry import ShapeKind, TextSpan
from workstation.core.ontology import ErrorType, Severity
from workstation.core.sample import Sample, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import VOICE_TOLERANCE, named_limit
from workstation.qa.findings import LABEL_KINDS, Fault, Sees, rule, shaped
from workstation.qa.rules.items import (
    annotation_item,
    class_of,
    entity_item,
    judged_annotations,
    ontology_of,
    streams_by_id,
)
from workstation.qa.rules.sounds import BLOCK_NS, HOP_NS, levels
from workstation.qa.rules.turns import TURNS, TURNS_AND_FACES, Turn, faces_of, sound_of, turns_of

ACTS, SHOWN = "dialogue_act", "visible_behaviour"
"""The classes over what turns do and what faces show."""
CROSS = frozenset({"frustration", "anger", "disgust"})
FELT = CROSS | {"joy", "surprise", "sadness", "fear"}
"""Values of the attribute emotion that a face shows as well."""
OBJECTING = frozenset({"complaint", "refusal"})
"""Acts that a cross voice goes with."""
PLEASED, DISPLEASED = frozenset({"smile", "laughter"}), frozenset({"frown", "head_shake"})
VOICE_DB = 4.0
_FEWEST = 1
_ACTED = Sees(
    labels=(*shaped(on=[StreamKind.AUDIO, StreamKind.TURNS]), *shaped(ShapeKind.TEXT_SPAN)), links=TURNS.links
)
_SHOWING = Sees(
    labels=(*(TURNS_AND_FACES.labels or ()), *shaped(ShapeKind.SPAN, ShapeKind.BOX, on=[StreamKind.VIDEO])),
    links=TURNS.links,
)


@rule(
    "dialogue.voice_and_words",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.WARNING,
    looks_at=LABEL_KINDS,
    sees=_ACTED,
)
def voice_and_words(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A voice is labelled cross (frustration, anger, disgust), and none of the acts of its turn is a complaint or a
    refusal.
    """
    streams, turns = streams_by_id(snapshot, sample), turns_of(snapshot, sample)
    acts = _acts(snapshot, sample) if turns else {}
    for turn in turns:
        emotion = str(turn.label.attributes.get("emotion", ""))
        mine = acts.get(turn.label.id, [])
        if emotion not in CROSS or _ironic(turn) or not mine:
            continue
        above = ontology_of(snapshot).above
        classes = [class_id for each in mine if (class_id := class_of(snapshot, each)) is not None]
        if not any(OBJECTING & set(above(class_id)) for class_id in classes):
            yield Fault(
                text=f"the voice of the turn at {turn.start_ns / 1e9:.2f} s shows {emotion}, and its words are "
                f"labelled {', '.join(dict.fromkeys(classes))}",
                items=(annotation_item(turn.label, streams), *(annotation_item(each, streams) for each in mine)),
                measured=emotion,
                limit=", ".join(dict.fromkeys(classes)),
                suggestion="correct the act or the emotion, or say that it is meant (tone ironic)",
            )


@rule(
    "dialogue.voice_and_face",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.WARNING,
    looks_at=LABEL_KINDS,
    sees=_SHOWING,
)
def voice_and_face(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A cross or negative voice with a smile at the same time, or a glad or positive one with a frown."""
    streams, turns = streams_by_id(snapshot, sample), turns_of(snapshot, sample)
    shown = _shown(snapshot, sample) if turns else []
    for turn in turns:
        if _ironic(turn):
            continue
        said = turn.label.attributes
        cross = said.get("emotion") in CROSS or said.get("sentiment") == "negative"
        glad = said.get("emotion") == "joy" or said.get("sentiment") == "positive"
        against = PLEASED if cross else DISPLEASED if glad else frozenset()
        for each in _during(turn, shown):
            if class_of(snapshot, each) in against and _may_be_of(turn, each):
                yield Fault(
                    text=f"the voice of the turn at {turn.start_ns / 1e9:.2f} s is {'cross' if cross else 'glad'} and "
                    f"the face shows a {class_of(snapshot, each)}",
                    items=(annotation_item(turn.label, streams), annotation_item(each, streams)),
                    measured=class_of(snapshot, each),
                    limit=str(said.get("emotion") or said.get("sentiment")),
                    suggestion="correct one of them, or say that it is meant (tone ironic)",
                    aspect=each.id,
                )


@rule("dialogue.face_missing", error_type=ErrorType.MISSING_REFERENCE, severity=Severity.WARNING,
      looks_at=LABEL_KINDS, sees=_SHOWING)  # fmt: skip
def face_missing(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A voice is labelled with a feeling, the speaker's face is on film, and nothing is labelled that it shows then;
    only in samples in which something is labelled that faces show.
    """
    streams, turns = streams_by_id(snapshot, sample), turns_of(snapshot, sample)
    shown = _shown(snapshot, sample) if turns else []
    faces = faces_of(snapshot, sample) if shown else {}
    for turn in turns:
        emotion = str(turn.label.attributes.get("emotion", ""))
        if emotion not in FELT or turn.speaker is None or turn.speaker.id not in faces or not shown or _ironic(turn):
            continue
        if any(_may_be_of(turn, each) for each in _during(turn, shown)):
            continue
        film = faces[turn.speaker.id][1].key
        yield Fault(
            text=f"the voice of the turn at {turn.start_ns / 1e9:.2f} s shows {emotion}, and nothing is labelled of "
            f"the face on {film} meanwhile",
            items=(annotation_item(turn.label, streams), entity_item(turn.speaker),
                   annotation_item(faces[turn.speaker.id][0], streams)),
            measured=emotion,
            suggestion="label what the face shows, or correct the emotion of the voice",
        )  # fmt: skip


@rule("dialogue.voice_level", error_type=ErrorType.SEMANTIC, severity=Severity.WARNING, limit=VOICE_DB, unit="dB",
      looks_at=LABEL_KINDS, sees=TURNS)  # fmt: skip
def voice_level(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A turn is labelled neutral and is louder than the same speaker's other neutral turns by 4 dB (tolerance
    ``voice_db``) beyond twice their own spread; a tone that is loud or hostile says so.
    """
    limit = named_limit(snapshot.project(), VOICE_TOLERANCE, VOICE_DB)
    streams = streams_by_id(snapshot, sample)
    turns = turns_of(snapshot, sample)
    calm: defaultdict[str, list[tuple[Turn, float]]] = defaultdict(list)
    for turn in turns:
        if turn.speaker is not None and _neutral(turn) and not _shared(turn, turns):
            level = _level_db(snapshot, sample, turn)
            if level is not None:
                calm[turn.speaker.id].append((turn, level))
    for spoken in calm.values():
        for turn, level in spoken:
            others = sorted(each for other, each in spoken if other is not turn)
            if len(others) < _FEWEST:
                continue
            usual = others[(len(others) - 1) // 2]
            if level - usual > limit + 2 * pstdev(others):
                yield Fault(
                    text=f"the turn at {turn.start_ns / 1e9:.2f} s is labelled neutral and is {level - usual:.1f} dB "
                    f"louder than what else this voice says neutrally",
                    items=(annotation_item(turn.label, streams),
                           *(annotation_item(other.label, streams) for other, _ in spoken if other is not turn)),
                    measured=round(level - usual, 1),
                    limit=limit,
                    suggestion="listen, and correct its sentiment, emotion or tone",
                    aspect=turn.label.id,
                )  # fmt: skip


@rule("dialogue.neighbour", error_type=ErrorType.TEMPORAL, severity=Severity.ERROR, looks_at=LABEL_KINDS, sees=_ACTED)
def neighbour(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """What a turn does is labelled on its words, and the label lies at the time of a neighbour turn.

    Compared are the turn whose words an act quotes and the turn during which it stands.
    """
    streams = streams_by_id(snapshot, sample)
    turns = turns_of(snapshot, sample)
    by_id: dict[str, Turn] = {turn.label.id: turn for turn in turns}
    for quoted, labels in _acts(snapshot, sample, by_time=False).items() if turns else ():
        turn = by_id.get(quoted)
        for label in labels:
            stream = streams.get(label.stream or "")
            if turn is None or stream is None or label.start_ns is None or label.end_ns is None:
                continue
            start, end = stream.time_map.to_session(label.start_ns), stream.time_map.to_session(label.end_ns)
            own = _common(turn, start, end)
            best = max(turns, key=lambda other: _common(other, start, end))
            if best is not turn and _common(best, start, end) > own:
                yield Fault(
                    text=f"{class_of(snapshot, label) or 'a label'} quotes the turn at {turn.start_ns / 1e9:.2f} s and "
                    f"stands on the one at {best.start_ns / 1e9:.2f} s",
                    items=(annotation_item(label, streams), annotation_item(turn.label, streams),
                           annotation_item(best.label, streams)),
                    measured=round((start - turn.start_ns) / 1e6, 1),
                    suggestion=f"move it to {turn.start_ns / 1e9:.3f} to {turn.end_ns / 1e9:.3f} s, the turn it quotes",
                    aspect=label.id,
                )  # fmt: skip


def _acts(snapshot: Snapshot, sample: Sample, *, by_time: bool = True) -> dict[str, list[Annotation]]:
    """Labels of what turns do, by the turn whose words they quote; else, if wanted, by the one they lie in."""
    ontology = ontology_of(snapshot)
    found: defaultdict[str, list[Annotation]] = defaultdict(list)
    turns = turns_of(snapshot, sample) if by_time else []
    for label in judged_annotations(snapshot, sample):
        class_id = class_of(snapshot, label)
        if class_id not in ontology.classes or ACTS not in ontology.above(class_id):
            continue
        if isinstance(label.shape, TextSpan) and label.shape.of is not None:
            found[label.shape.of].append(label)
        elif label.start_ns is not None and label.end_ns is not None:
            for turn in turns:
                if label.stream == turn.label.stream and _common(turn, *_session(turn, label)) > 0:
                    found[turn.label.id].append(label)
    return found


def _session(turn: Turn, label: Annotation) -> tuple[int, int]:
    to_session = turn.stream.time_map.to_session
    return to_session(label.start_ns or 0), to_session(label.end_ns or 0)


def _shown(snapshot: Snapshot, sample: Sample) -> list[tuple[Annotation, int, int]]:
    """What faces and bodies show, with session times."""
    ontology = ontology_of(snapshot)
    streams = streams_by_id(snapshot, sample)
    found = []
    for label in judged_annotations(snapshot, sample):
        stream = streams.get(label.stream or "")
        if stream is None or stream.kind is not StreamKind.VIDEO or label.start_ns is None or label.end_ns is None:
            continue
        class_id = class_of(snapshot, label)
        if class_id not in ontology.classes or SHOWN not in ontology.above(class_id):
            continue
        if label.kind in (ShapeKind.SPAN, ShapeKind.BOX):
            to_session = stream.time_map.to_session
            found.append((label, to_session(label.start_ns), to_session(label.end_ns)))
    return found


def _during(turn: Turn, shown: Sequence[tuple[Annotation, int, int]]) -> Iterator[Annotation]:
    """What is shown for at least half of the turn, or itself lies in it by half: a turn's edge is its neighbour's."""
    return (
        label
        for label, start, end in shown
        if 2 * _common(turn, start, end) >= max(1, min(turn.end_ns - turn.start_ns, end - start))
    )


def _may_be_of(turn: Turn, label: Annotation) -> bool:
    """Whether a face may be the speaker's: it is, or nobody said whose it is."""
    return label.entity is None or turn.speaker is None or label.entity == turn.speaker.id


def _common(turn: Turn, start_ns: int, end_ns: int) -> int:
    return max(0, min(turn.end_ns, max(end_ns, start_ns + 1)) - max(turn.start_ns, start_ns))


def _ironic(turn: Turn) -> bool:
    tone = turn.label.attributes.get("tone", ())
    return "ironic" in (tone if isinstance(tone, tuple) else (tone,))


def _neutral(turn: Turn) -> bool:
    said = turn.label.attributes
    tone = said.get("tone", ())
    loud = {"loud", "hostile"} & set(tone if isinstance(tone, tuple) else (str(tone),))
    return said.get("sentiment", "neutral") == "neutral" and said.get("emotion", "none") == "none" and not loud


def _shared(turn: Turn, turns: Sequence[Turn]) -> bool:
    """Whether somebody else speaks meanwhile, so that the level is not this voice's alone."""
    return any(other is not turn and _common(turn, other.start_ns, other.end_ns) > 0 for other in turns)


def _level_db(snapshot: Snapshot, sample: Sample, turn: Turn) -> float | None:
    """The level of the louder half of a turn."""
    import numpy as np

    sound = sound_of(snapshot, sample, turn)
    if sound is None:
        return None
    block = turn.start_ns // BLOCK_NS
    found = levels(snapshot, sample, sound, block)
    first = (turn.start_ns - block * BLOCK_NS) // HOP_NS
    part = found[first : first + max(1, (turn.end_ns - turn.start_ns) // HOP_NS)]
    loud = part[part >= np.median(part)] if len(part) else part
    power = float(np.mean(np.square(loud))) if len(loud) else 0.0
    return None if power <= 0 else 10 * float(np.log10(power))
