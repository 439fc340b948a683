"""Links proposed between a turn and the face that speaks it: whose mouth moves meanwhile. Rule ``voice``.

Compared is what moves in the lower half of each face during the turn. Where one face only is in the picture nothing is
compared, and the sentence says so. A turn that has its speaker is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workstation.app.evidence import MediaEvidence
from workstation.app.sample_view import SampleView
from workstation.app.sightings import Sightings, bounds_of
from workstation.app.transcript import SPEAKS, speaker_of
from workstation.core.annotation import Annotation, State, TargetKind
from workstation.core.errors import DataError, UserError
from workstation.core.geometry import Box, ShapeKind
from workstation.core.ontology_links import EndView
from workstation.core.sample import StreamKind
from workstation.core.suggestion import SuggestedEnd, Suggestion
from workstation.core.timerange import TimeRange

NAME = "voice"
_MOST_NS = 4_000_000_000
"""Of a turn, so much from its middle is looked at; decoding more says no more."""
_THERE = 0.8
"""Of the turn a face must be in the picture."""
_CLEAR = 1.4
"""How much more the mouth must move than that of the next."""


@dataclass(frozen=True, slots=True)
class _Face:
    label: Annotation
    end: EndView
    role: str
    voice_role: str
    shared: float
    moved: float | None


def by_voice(seen: Sightings) -> Iterator[Suggestion]:
    """Every turn without a speaker, with the face whose mouth moves most."""
    view = seen.view
    if view.ontology is None or SPEAKS not in view.ontology.link_types:
        return
    labels = [each for each in seen.flat() if view.streams[each.stream or ""].kind is StreamKind.VIDEO]
    evidence = None if seen.readers is None else MediaEvidence(view.reads, view.id, seen.readers)
    turns = [each for each in view.annotations.values() if _is_open_turn(view, each)]
    for turn in sorted(turns, key=lambda each: (each.start_ns or 0, each.id)):
        faces = [face for each in labels if (face := _face(view, turn, each, evidence)) is not None]
        made = _chosen(view, turn, faces)
        if made is not None:
            yield made


def _is_open_turn(view: SampleView, each: Annotation) -> bool:
    stream = view.streams.get(each.stream or "")
    if stream is None or stream.kind is not StreamKind.AUDIO or each.kind is not ShapeKind.SPAN:
        return False
    there = each.start_ns is not None and each.end_ns is not None and each.end_ns > each.start_ns
    return there and each.state is not State.REJECTED and speaker_of(view, each) is None


def _face(view: SampleView, turn: Annotation, label: Annotation, evidence: MediaEvidence | None) -> _Face | None:
    when, there = view.session_range(turn), view.session_range(label)
    if when is None or view.ontology is None:
        return None
    shared = 1.0 if there is None else _shared(when, there)
    if shared < _THERE:
        return None
    voice = EndView(
        role="", kind=TargetKind.ANNOTATION, target=turn.id, shape_kind=turn.kind, class_id=view.class_of(turn),
        stream_kind=StreamKind.AUDIO.value,
    )  # fmt: skip
    end = _end(view, label)
    legal = next((each for each in view.ontology.link_types_for((voice, end)) if each.link_type.id == SPEAKS), None)
    if legal is None:
        return None
    moved = None if evidence is None else _mouth(view, label, when, evidence)
    return _Face(label, end, legal.roles[1], legal.roles[0], shared, moved)


def _end(view: SampleView, label: Annotation) -> EndView:
    """The person where the label shows one, else the label."""
    entity = view.entities.get(label.entity or "")
    if entity is not None:
        return EndView(role="", kind=TargetKind.ENTITY, target=entity.id, class_id=entity.class_id)
    return EndView(
        role="", kind=TargetKind.ANNOTATION, target=label.id, shape_kind=label.kind, class_id=view.class_of(label),
        stream_kind=StreamKind.VIDEO.value,
    )  # fmt: skip


def _shared(when: TimeRange, there: TimeRange) -> float:
    both = min(when.end_ns, there.end_ns) - max(when.start_ns, there.start_ns)
    return max(0, both) / max(1, when.end_ns - when.start_ns)


def _mouth(view: SampleView, label: Annotation, when: TimeRange, evidence: MediaEvidence) -> float | None:
    """What moves in the lower half of the face during the turn."""
    middle = (when.start_ns + when.end_ns) // 2
    shape = view.moment(label, view.own_ns(label, middle)).shape
    bounds = None if shape is None else bounds_of(shape)
    if bounds is None:
        return None
    left, top, right, bottom = bounds
    mouth = Box(left + 0.2 * (right - left), top + 0.5 * (bottom - top), 0.6 * (right - left), 0.4 * (bottom - top))
    start, end = max(when.start_ns, middle - _MOST_NS // 2), min(when.end_ns, middle + _MOST_NS // 2)
    try:
        _, moved = evidence.motion(view.streams[label.stream or ""], mouth, start, end)
    except (DataError, UserError):
        return None  # the picture cannot be read: the sentence says that nothing was measured
    return float(moved.mean()) if len(moved) else None


def _chosen(view: SampleView, turn: Annotation, faces: Sequence[_Face]) -> Suggestion | None:
    """The one face there, or the one that clearly moves most; nobody where it is not clear."""
    people = {each.end.target: each for each in sorted(faces, key=lambda each: each.moved or 0.0)}
    ordered = sorted(people.values(), key=lambda each: -(each.moved or 0.0))
    if not ordered:
        return None
    best, rest = ordered[0], ordered[1:]
    name = view.name_of(best.end.target)
    keys = view.streams[best.label.stream or ""].key
    said = f"{name} is in {keys} during {best.shared:.0%} of {view.name_of(turn.id)}"
    if not rest:
        how = "nobody else is" if best.moved is None else f"nobody else is; the mouth moves by {best.moved:.2f}"
        return _suggestion(turn, best, f"{said}, and {how}", 0.5)
    if best.moved is None or any(each.moved is None for each in rest):
        return None
    next_best = max(each.moved or 0.0 for each in rest)
    ratio = best.moved / max(next_best, 1e-6)
    if ratio < _CLEAR:
        return None
    text = (
        f"{said}, and the mouth moves by {best.moved:.2f}, that of {view.name_of(rest[0].end.target)} by "
        f"{next_best:.2f} ({min(ratio, 99.0):.1f} times)"
    )
    return _suggestion(turn, best, text, round(min(0.9, 0.5 + 0.2 * (ratio - 1)), 2))


def _suggestion(turn: Annotation, face: _Face, evidence: str, confidence: float) -> Suggestion:
    return Suggestion(
        rule=NAME, type_id=SPEAKS,
        ends=(
            SuggestedEnd(face.voice_role, TargetKind.ANNOTATION, turn.id),
            SuggestedEnd(face.role, face.end.kind, face.end.target),
        ),
        evidence=evidence, confidence=confidence,
    )  # fmt: skip
