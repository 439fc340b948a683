"""Links proposed because words name what happens at that time: "it honks" and the horn. Rule ``spoken``.

A marked phrase of a transcript that has a word for the class of an event (a span on sound, film or signal) is joined
with the event nearest in time. Phrases that name things are the business of the rule ``wording``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workstation.app.sample_view import SampleView
from workstation.app.suggest_words import language_of
from workstation.core.annotation import Annotation, State, TargetKind
from workstation.core.geometry import ShapeKind, TextSpan
from workstation.core.ontology import WordPolicy
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.ontology_links import EndView
from workstation.core.phrases import forms_of, phrases_of, words_of
from workstation.core.suggestion import SuggestedEnd, Suggestion
from workstation.core.timerange import TimeRange

NAME = "spoken"
_TYPES = ("grounded_in_time", "refers_to")
"""What a phrase can have to do with an event, the more exact first."""
_MOST_APART_NS = 5_000_000_000
"""People speak of what happens just after it."""
_LONGEST = 8
_GOOD = frozenset({WordPolicy.SAME, WordPolicy.ALLOWED})
_EVENTS = frozenset({ShapeKind.SPAN, ShapeKind.BAND})


@dataclass(frozen=True, slots=True)
class _Event:
    label: Annotation
    when: TimeRange
    word: str
    apart_ns: int


def by_spoken(view: SampleView) -> Iterator[Suggestion]:
    """Every marked phrase with a time, and the event that it names."""
    ontology = view.ontology
    if ontology is None or not any(each in ontology.link_types for each in _TYPES):
        return
    events = [each for each in view.annotations.values() if each.kind in _EVENTS and each.state is not State.REJECTED]
    for phrase in view.annotations.values():
        if phrase.kind is ShapeKind.TEXT_SPAN and phrase.state is not State.REJECTED and phrase.entity is None:
            said = _when(view, phrase)
            named = [] if said is None else _named(view, ontology, phrase, said, events)
            if named:
                made = _suggestion(view, ontology, phrase, named)
                if made is not None:
                    yield made


def _when(view: SampleView, phrase: Annotation) -> TimeRange | None:
    """When the phrase is said: its own time, else that of the words it quotes, else that of the turn."""
    own = view.session_range(phrase)
    if own is not None or not isinstance(phrase.shape, TextSpan) or phrase.shape.of is None:
        return own
    turn = view.annotations.get(phrase.shape.of)
    if turn is None:
        return None
    start, stop = phrase.shape.parts[0][0], phrase.shape.parts[-1][1]
    at, times = 0, []
    for word in view.words(turn.id):
        place = (turn.text or "").find(word.text, at)
        if place < 0:
            break
        at = place + len(word.text)
        if place < stop and at > start and word.start_ns is not None and word.end_ns is not None:
            times.append((word.start_ns, word.end_ns))
    if not times:
        return view.session_range(turn)
    spoken = TimeRange(times[0][0], max(times[-1][1], times[0][0]))
    time_map = view.time_map(turn)
    return spoken if time_map is None else time_map.range_to_session(spoken)


def _named(
    view: SampleView, ontology: CompiledOntology, phrase: Annotation, said: TimeRange, events: list[Annotation]
) -> list[_Event]:  # fmt: skip
    """The events that a word of the phrase names, nearest first."""
    shape = phrase.shape
    text = shape.quote if isinstance(shape, TextSpan) and shape.quote else phrase.text or ""
    if not 0 < len(words_of(text)) <= _LONGEST:
        return []
    language, found = language_of(view, phrase), []
    for event in events:
        when, class_id = view.session_range(event), view.class_of(event)
        if when is None or class_id not in ontology.classes or event.text is not None:
            continue
        apart = max(0, when.start_ns - said.end_ns, said.start_ns - when.end_ns)
        word = _word(ontology, class_id or "", text, language) if apart <= _MOST_APART_NS else ""
        if word:
            found.append(_Event(event, when, word, apart))
    return sorted(found, key=lambda each: (each.apart_ns, each.label.id))


def _word(ontology: CompiledOntology, class_id: str, text: str, language: str) -> str:
    for words in phrases_of(text):
        for form in forms_of(words, language):
            if ontology.word_policy(class_id, form, language) in _GOOD:
                return words
    return ""


def _suggestion(
    view: SampleView, ontology: CompiledOntology, phrase: Annotation, named: list[_Event]
) -> Suggestion | None:  # fmt: skip
    best = named[0]
    if len(named) > 1 and named[1].apart_ns == best.apart_ns:
        return None  # two at that time: the words do not say which
    ends = (_end(view, phrase), _end(view, best.label))
    legal = {each.link_type.id: each for each in ontology.link_types_for(ends)}
    type_id = next((each for each in _TYPES if each in legal), None)
    if type_id is None:
        return None
    shape = phrase.shape
    quote = shape.quote if isinstance(shape, TextSpan) else ""
    apart = "at the same time" if best.apart_ns == 0 else f"{best.apart_ns / 1e9:.2f} s apart"
    key = view.streams[best.label.stream or ""].key if best.label.stream in view.streams else "the sample"
    evidence = (
        f"“{quote[:80]}”: {best.word} is a word for {view.class_name(view.class_of(best.label))}, and "
        f"{view.name_of(best.label.id)} in {key} begins at {best.when.start_ns / 1e9:.2f} s, {apart}"
    )
    if len(named) > 1:
        evidence += f"; the next is {named[1].apart_ns / 1e9:.2f} s apart"
    roles = legal[type_id].roles
    return Suggestion(
        rule=NAME, type_id=type_id,
        ends=tuple(SuggestedEnd(role, end.kind, end.target) for role, end in zip(roles, ends, strict=True)),
        evidence=evidence, confidence=round(0.8 - 0.4 * best.apart_ns / _MOST_APART_NS, 2),
    )  # fmt: skip


def _end(view: SampleView, label: Annotation) -> EndView:
    stream = view.streams.get(label.stream or "")
    return EndView(
        role="", kind=TargetKind.ANNOTATION, target=label.id, shape_kind=label.kind, class_id=view.class_of(label),
        stream_kind=None if stream is None else stream.kind.value,
    )  # fmt: skip
