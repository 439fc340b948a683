"""Links proposed because two events are one moment: a horn and a braking that begin together. Rule ``time``.

Every link type of the ontology with a tolerance of time is tried, in the ontology's order. An event is joined with the
nearest of another kind of stream only, and only where that one has no nearer one itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation, State, TargetKind
from workstation.core.geometry import ShapeKind
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.ontology_links import EndView
from workstation.core.suggestion import SuggestedEnd, Suggestion

NAME = "time"
_EVENTS = frozenset({ShapeKind.SPAN, ShapeKind.BAND, ShapeKind.TEXT_SPAN})
_ALIKE = 0.8
"""Stretches that have so much of both in common are one moment, however long they are."""


@dataclass(frozen=True, slots=True)
class _Event:
    annotation: Annotation
    end: EndView
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class _Pair:
    apart_ns: int
    type_id: str
    roles: tuple[str, str]
    first: _Event
    second: _Event
    limit_ms: float
    shared_ns: int


def by_time(view: SampleView) -> Iterator[Suggestion]:
    """What begins at one moment on two kinds of streams."""
    ontology = view.ontology
    if ontology is None:
        return
    limits = [t.tolerance["time_ms"] for t in ontology.link_types.values() if "time_ms" in t.tolerance]
    if not limits:
        return
    pairs = sorted(_pairs(view, ontology, max(limits)), key=lambda each: (each.apart_ns, each.first.annotation.id))
    taken: set[tuple[str, str, str]] = set()
    for pair in pairs:
        first, second = pair.first.annotation, pair.second.annotation
        keys = {(pair.type_id, first.id, second.stream or ""), (pair.type_id, second.id, first.stream or "")}
        if not keys & taken:
            taken |= keys
            yield _suggestion(view, pair)


def _events(view: SampleView) -> list[_Event]:
    found = []
    for each in view.annotations.values():
        stream = view.streams.get(each.stream or "")
        there = view.session_range(each)
        if stream is None or there is None or each.track is not None or each.kind not in _EVENTS:
            continue
        if each.state is State.REJECTED:
            continue
        end = EndView(
            role="", kind=TargetKind.ANNOTATION, target=each.id, shape_kind=each.kind, class_id=view.class_of(each),
            stream_kind=stream.kind.value,
        )  # fmt: skip
        found.append(_Event(each, end, there.start_ns, there.end_ns))
    return sorted(found, key=lambda each: (each.start_ns, each.annotation.id))


def _pairs(view: SampleView, ontology: CompiledOntology, most_ms: float) -> Iterator[_Pair]:
    events = _events(view)
    starts = [each.start_ns for each in events]
    for number, first in enumerate(events):
        reach = first.start_ns + max(round(most_ms * 1e6), round((1 - _ALIKE) * (first.end_ns - first.start_ns)))
        for second in events[number + 1 : bisect_left(starts, reach + 1)]:
            if first.end.stream_kind != second.end.stream_kind:
                pair = _judged(ontology, first, second)
                if pair is not None:
                    yield pair


def _judged(ontology: CompiledOntology, first: _Event, second: _Event) -> _Pair | None:
    """The first link type that may join these two and whose limit they keep."""
    apart = second.start_ns - first.start_ns
    shared = max(0, min(first.end_ns, second.end_ns) - second.start_ns)
    whole = max(first.end_ns, second.end_ns) - first.start_ns
    alike = whole > 0 and shared / whole >= _ALIKE
    legal = {choice.link_type.id: choice for choice in ontology.link_types_for((first.end, second.end))}
    for type_id, link_type in ontology.link_types.items():
        limit_ms = link_type.tolerance.get("time_ms")
        if type_id in legal and not link_type.absence and limit_ms is not None and (apart <= limit_ms * 1e6 or alike):
            one, other = legal[type_id].roles
            return _Pair(apart, type_id, (one, other), first, second, limit_ms, shared)
    return None


def _suggestion(view: SampleView, pair: _Pair) -> Suggestion:
    said = []
    for each in (pair.first, pair.second):
        stream = view.streams[each.annotation.stream or ""]
        said.append(f"{view.name_of(each.annotation.id)} ({stream.key}) begins at {each.start_ns / 1e9:.3f} s")
    share = pair.apart_ns / 1e6 / pair.limit_ms
    return Suggestion(
        rule=NAME,
        type_id=pair.type_id,
        ends=tuple(
            SuggestedEnd(role, TargetKind.ANNOTATION, each.annotation.id)
            for role, each in zip(pair.roles, (pair.first, pair.second), strict=True)
        ),
        evidence=f"{said[0]}, {said[1]}: {pair.apart_ns / 1e6:.0f} ms apart, {pair.shared_ns / 1e9:.2f} s in common",
        confidence=round(max(0.3, 0.9 - 0.5 * min(share, 1.0)), 2),
    )
