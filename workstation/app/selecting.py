"""Selecting by words: ``class:car,van state:draft stream:front_camera -linked:yes`` gives the records that fit.

Typed in the inspector; the answer becomes the selection, and what is then done to many is one step. Without Qt.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable

from workstation.app.class_rows import languages_of
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation, Link, State
from workstation.core.errors import UserError
from workstation.core.geometry import ShapeKind
from workstation.core.lexicon import folded
from workstation.core.values import dataclass

HELP = "class:car state:draft stream:front_camera kind:box layer:main source:model linked:no text:word, - for not"


@dataclass(frozen=True, slots=True)
class _Term:
    """One word of the query: ``name`` is empty where it is looked for in names and texts."""

    name: str
    values: tuple[str, ...]
    negated: bool


def select_where(view: SampleView, query: str) -> list[str]:
    """The ids of all labels that fit every word (links, where ``type:`` is asked), in the order of making."""
    terms = [_term(word) for word in _words(query)]
    if not terms:
        return []
    if any(term.name == "type" for term in terms):
        tests = [(_link_test(view, term), term.negated) for term in terms]
        return [each.id for each in view.links.values() if all(test(each) is not neg for test, neg in tests)]
    checks = [(_test(view, term), term.negated) for term in terms]
    return [each.id for each in view.annotations.values() if all(test(each) is not neg for test, neg in checks)]


def _words(query: str) -> list[str]:
    try:
        return shlex.split(query)
    except ValueError:
        return query.replace('"', " ").replace("'", " ").split()  # a quotation that is still being typed


def _term(word: str) -> _Term:
    negated = len(word) > 1 and word.startswith("-")
    name, colon, rest = word.removeprefix("-").partition(":")
    if not colon:
        return _Term("", (name,), negated)
    values = tuple(each for each in rest.split(",") if each)
    if not values:
        raise UserError(f"{name}: needs a value behind the colon, as in {HELP}")
    return _Term(name.casefold(), values, negated)


def _test(view: SampleView, term: _Term) -> Callable[[Annotation], bool]:
    maker = _TESTS.get(term.name)
    if maker is not None:
        return maker(view, term.values)
    ontology = view.ontology
    if ontology is not None and term.name in ontology.attributes:
        return _attribute(view, term.name, term.values)
    known = ", ".join(filter(None, _TESTS))
    raise UserError(f"there is nothing called {term.name[:40]!r} to select by; there are {known}, and attributes by id")


def _link_test(view: SampleView, term: _Term) -> Callable[[Link], bool]:
    wanted = {each.casefold() for each in term.values}
    if term.name == "type":
        ontology = view.ontology
        known = {} if ontology is None else {each.casefold() for each in ontology.link_types}
        unknown = wanted - set(known)
        if unknown:
            raise UserError(f"there is no link type {sorted(unknown)[0]!r}; there are {', '.join(sorted(known))}")
        return lambda link: link.type_id.casefold() in wanted
    if term.name == "state":
        states = _states(term.values)
        return lambda link: link.state in states
    if term.name == "layer":
        return lambda link: link.layer.casefold() in wanted
    if not term.name:
        return lambda link: any(each in view.name_of(link.id).casefold() for each in wanted)
    raise UserError(f"links are selected by type, state, layer and name, not by {term.name[:40]!r}")


def _words_test(view: SampleView, values: tuple[str, ...]) -> Callable[[Annotation], bool]:
    wanted = [each.casefold() for each in values]
    return lambda each: any(
        word in view.name_of(each.id).casefold() or word in (each.text or "").casefold() for word in wanted
    )


def _class(view: SampleView, values: tuple[str, ...]) -> Callable[[Annotation], bool]:
    """By id, by name in any language, or by a word of the lexicon; the classes below count too."""
    ontology = view.ontology
    if ontology is None:
        raise UserError("the project has no ontology, so nothing has a class")
    if "none" in values:
        return lambda each: view.class_of(each) is None
    meant: set[str] = set()
    for value in values:
        ids = [c.class_id for c in ontology.match_value(value) if c.reason.value != "spelling"]
        ids += [each.id for each in ontology.classes.values() if folded(value) in map(folded, each.names.values())]
        if not ids:
            near = ", ".join(c.class_id for c in ontology.match_value(value)[:3]) or "the panel of classes lists them"
            raise UserError(f"no class is called {value[:40]!r} in {', '.join(languages_of(ontology))}; {near}")
        meant.update(*(ontology.below(each) for each in ids))
    return lambda each: view.class_of(each) in meant


def _state(_view: SampleView, values: tuple[str, ...]) -> Callable[[Annotation], bool]:
    states = _states(values)
    return lambda each: each.state in states


def _states(values: tuple[str, ...]) -> frozenset[State]:
    known = {each.value: each for each in State}
    for value in values:
        if value.casefold() not in known:
            raise UserError(f"there is no state {value[:40]!r}; there are {', '.join(known)}")
    return frozenset(known[each.casefold()] for each in values)


def _stream(view: SampleView, values: tuple[str, ...]) -> Callable[[Annotation], bool]:
    """By key, or by kind: ``stream:video``."""
    ids: set[str | None] = set()
    for value in values:
        wanted = value.casefold()
        found = [s.id for s in view.streams.values() if wanted in (s.key.casefold(), s.kind.value)]
        if not found and wanted != "none":
            raise UserError(
                f"there is no stream {value[:40]!r}; there are {', '.join(s.key for s in view.streams.values())}"
            )
        ids.update(found or [None])
    return lambda each: each.stream in ids


def _kind(_view: SampleView, values: tuple[str, ...]) -> Callable[[Annotation], bool]:
    known = {each.value: each for each in ShapeKind}
    for value in values:
        if value.casefold() not in known:
            raise UserError(f"there is no kind of shape {value[:40]!r}; there are {', '.join(known)}")
    kinds = frozenset(known[each.casefold()] for each in values)
    return lambda each: each.kind in kinds


def _layer(_view: SampleView, values: tuple[str, ...]) -> Callable[[Annotation], bool]:
    return lambda each: each.layer in values


def _source(_view: SampleView, values: tuple[str, ...]) -> Callable[[Annotation], bool]:
    return lambda each: each.source.kind.value in values or each.source.name in values


def _entity(view: SampleView, values: tuple[str, ...]) -> Callable[[Annotation], bool]:
    wanted = {each.casefold() for each in values}
    names = {each: view.name_of(each).casefold() for each in view.entities}
    if wanted == {"none"}:
        return lambda each: each.entity is None
    return lambda each: each.entity is not None and names.get(each.entity) in wanted


def _linked(view: SampleView, values: tuple[str, ...]) -> Callable[[Annotation], bool]:
    wanted = _yes_or_no("linked", values)
    ends = {end.target for link in view.links.values() for end in link.ends}
    return lambda each: (each.id in ends or each.entity in ends) is wanted


def _language(_view: SampleView, values: tuple[str, ...]) -> Callable[[Annotation], bool]:
    return lambda each: any((each.language or "none") == value or (each.language or "").startswith(f"{value}-")
                            for value in values)  # fmt: skip


def _text(_view: SampleView, values: tuple[str, ...]) -> Callable[[Annotation], bool]:
    wanted = [each.casefold() for each in values]
    return lambda each: any(word in (each.text or "").casefold() for word in wanted)


def _track(_view: SampleView, values: tuple[str, ...]) -> Callable[[Annotation], bool]:
    wanted = _yes_or_no("track", values)
    return lambda each: (each.track is not None) is wanted


def _attribute(view: SampleView, name: str, values: tuple[str, ...]) -> Callable[[Annotation], bool]:
    wanted = {each.casefold() for each in values}

    def fits(annotation: Annotation) -> bool:
        entity = view.entity_of(annotation)
        value = annotation.attributes.get(name, None if entity is None else entity.attributes.get(name))
        if value is None:
            return "none" in wanted
        said = {str(each).casefold() for each in value} if isinstance(value, tuple) else {_said(value)}
        return bool(said & wanted)

    return fits


def _said(value: str | bool | int | float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).casefold()


def _yes_or_no(name: str, values: tuple[str, ...]) -> bool:
    if values not in (("yes",), ("no",)):
        raise UserError(f"{name}: is yes or no")
    return values == ("yes",)


_TESTS: dict[str, Callable[[SampleView, tuple[str, ...]], Callable[[Annotation], bool]]] = {
    "": _words_test, "class": _class, "state": _state, "stream": _stream, "kind": _kind, "layer": _layer,
    "source": _source, "entity": _entity, "linked": _linked, "language": _language, "text": _text, "track": _track,
}  # fmt: skip
