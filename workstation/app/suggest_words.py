"""Links proposed because a marked phrase has a word for a thing: "the red car" and the one red car. Rule ``wording``.

The lexicon of the ontology says which words mean which class, in each language it has words for. A phrase is joined
only where the words leave a single thing: by its class, by a value of an attribute that stands beside it, and by what
is there at that time. What remains doubtful is left to a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation, Entity, State, TargetKind
from workstation.core.geometry import ShapeKind, TextSpan
from workstation.core.lexicon import folded
from workstation.core.ontology import WordPolicy
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.ontology_links import EndView
from workstation.core.phrases import forms_of, phrases_of, words_of
from workstation.core.suggestion import SuggestedEnd, Suggestion

NAME = "wording"
_REFERS_TO = "refers_to"
_LONGEST = 5
"""Words of a phrase that means one thing; what is longer says something about several."""
_GOOD = frozenset({WordPolicy.SAME, WordPolicy.ALLOWED})


@dataclass(frozen=True, slots=True)
class _Meant:
    """A thing and the word that names it."""

    entity: Entity
    word: str
    exact: bool
    """The word is for that class itself, and not for one beside a finer one."""
    beside: tuple[str, ...] = ()
    """Words beside it that are values of the thing's attributes."""


def by_wording(view: SampleView) -> Iterator[Suggestion]:
    """Every marked phrase with the one thing it can mean."""
    ontology = view.ontology
    if ontology is None or _REFERS_TO not in ontology.link_types:
        return
    for each in view.annotations.values():
        if each.kind is ShapeKind.TEXT_SPAN and each.state is not State.REJECTED and each.entity is None:
            found = _meant(view, ontology, each)
            made = None if found is None else _suggestion(view, ontology, each, found)
            if made is not None:
                yield made


def _meant(view: SampleView, ontology: CompiledOntology, phrase: Annotation) -> _Meant | None:
    """The one thing that the words leave."""
    text, language = _text_of(phrase), language_of(view, phrase)
    if len(words_of(text)) > _LONGEST:
        return None
    things = [each for each in view.entities.values() if _is_there(view, each, phrase)]
    for words in phrases_of(text):
        named = [found for each in things if (found := _named(ontology, each, words, language)) is not None]
        if not named:
            continue
        exact = [each for each in named if each.exact]
        described = [_described(ontology, each, text, language) for each in exact or named]
        most = max(len(each.beside) for each in described)
        best = [each for each in described if len(each.beside) == most]
        return best[0] if len(best) == 1 else None
    return None


def _named(ontology: CompiledOntology, entity: Entity, words: str, language: str) -> _Meant | None:
    if entity.class_id not in ontology.classes:
        return None
    for form in forms_of(words, language):
        policy = ontology.word_policy(entity.class_id, form, language)
        if policy is not None:
            return _Meant(entity, words, policy is WordPolicy.SAME) if policy in _GOOD else None
    return None


def _described(ontology: CompiledOntology, meant: _Meant, text: str, language: str) -> _Meant:
    """With the words of the phrase that are values of the thing's attributes, as red."""
    said = {folded(form): word for word in words_of(text) for form in forms_of(word, language)}
    values = []
    for name, value in meant.entity.attributes.items():
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, str):
                known = [each, *_option_names(ontology, meant.entity.class_id, name, each, language)]
                values += [said[folded(form)] for form in known if folded(form) in said][:1]
    return _Meant(meant.entity, meant.word, meant.exact, tuple(dict.fromkeys(values)))


def _option_names(ontology: CompiledOntology, class_id: str, name: str, value: str, language: str) -> Sequence[str]:
    for attribute in ontology.attributes_of(class_id):
        if attribute.id == name:
            option = next((each for each in attribute.options if each.id == value), None)
            if option is not None:
                return [
                    text for key, text in option.names.items() if key.partition("-")[0] == language.partition("-")[0]
                ]
    return ()


def _is_there(view: SampleView, entity: Entity, phrase: Annotation) -> bool:
    """Whether the thing is shown at the time of the phrase; always, where one of the two has none."""
    when = view.session_range(phrase)
    if when is None:
        return True
    ranges = [view.session_range(each) for each in view.annotations_of_entity(entity.id)]
    return not ranges or any(
        each is None or (each.start_ns < when.end_ns and when.start_ns < each.end_ns) for each in ranges
    )


def _suggestion(
    view: SampleView, ontology: CompiledOntology, phrase: Annotation, meant: _Meant
) -> Suggestion | None:  # fmt: skip
    stream = view.streams.get(phrase.stream or "")
    ends = (
        EndView(
            role="", kind=TargetKind.ANNOTATION, target=phrase.id, shape_kind=phrase.kind,
            class_id=view.class_of(phrase), stream_kind=None if stream is None else stream.kind.value,
        ),
        EndView(role="", kind=TargetKind.ENTITY, target=meant.entity.id, class_id=meant.entity.class_id),
    )  # fmt: skip
    legal = next((each for each in ontology.link_types_for(ends) if each.link_type.id == _REFERS_TO), None)
    if legal is None:
        return None
    name, language = view.name_of(meant.entity.id), language_of(view, phrase)
    beside = "" if not meant.beside else f", which is {' and '.join(meant.beside)}"
    evidence = (
        f"“{_text_of(phrase)[:80]}”: {meant.word} is a word for {view.class_name(meant.entity.class_id)} ({language}), "
        f"and only {name}{beside} fits"
    )
    return Suggestion(
        rule=NAME,
        type_id=_REFERS_TO,
        ends=tuple(SuggestedEnd(role, end.kind, end.target) for role, end in zip(legal.roles, ends, strict=True)),
        evidence=evidence,
        confidence=0.8 if meant.exact else 0.6,
    )


def _text_of(phrase: Annotation) -> str:
    if isinstance(phrase.shape, TextSpan) and phrase.shape.quote:
        return phrase.shape.quote
    return phrase.text or ""


def language_of(view: SampleView, phrase: Annotation) -> str:
    """The phrase's own language, that of the text it quotes, that of its stream, else the ontology's."""
    if phrase.language:
        return phrase.language
    quoted = view.annotations.get(phrase.shape.of or "") if isinstance(phrase.shape, TextSpan) else None
    if quoted is not None and quoted.language:
        return quoted.language
    stream = view.streams.get(phrase.stream or "")
    if stream is not None and stream.language:
        return stream.language
    return "en" if view.ontology is None else view.ontology.ontology.language
