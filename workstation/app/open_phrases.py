"""Noun phrases of captions that no region is linked to yet, and that nobody said cannot be seen. Without Qt.

A caption is a text that is said to describe a picture, or any text of a sample with pictures in which somebody has
begun to link phrases. Asked by the text pane, which underlines them; for languages whose phrases cannot be found it
says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from workstation.app.sample_view import SampleView
from workstation.app.text_source import Anchor, Body, Sheet
from workstation.core.annotation import Annotation, Link, State, TargetKind
from workstation.core.geometry import TextSpan
from workstation.core.noun_phrases import noun_phrases
from workstation.core.sample import StreamKind

_PICTURES = frozenset({StreamKind.IMAGE, StreamKind.VIDEO, StreamKind.VOLUME})
_OPEN = frozenset({State.PROPOSED, State.REJECTED})
_Marked = tuple[Annotation, TextSpan]
_MEANS = frozenset({"refers_to", "attribute_of", "grounded_in_time", "finding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPhrase:
    """Words of a body that are still to be linked, or to be declared."""

    body: int
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """What is open in a sheet, in its order."""

    found: tuple[OpenPhrase, ...] = ()
    unknown: str = ""
    """The language of captions whose phrases cannot be found; empty if there are none."""

    def words(self) -> str:
        """For the header: "3 phrases without a region"; empty if all is said."""
        if self.unknown:
            return f"phrases of {self.unknown} are not known here"
        count = len(self.found)
        return f"{count} phrase{'' if count == 1 else 's'} without a region" if count else ""


def open_phrases(view: SampleView, sheet: Sheet) -> Phrases:
    """The phrases of all captions of a sheet that are neither linked nor declared."""
    if not any(each.kind in _PICTURES for each in view.streams.values()):
        return Phrases()
    found: list[OpenPhrase] = []
    unknown, marked = "", _marks(view, sheet)
    for number, body in enumerate(sheet.bodies):
        marks = marked.get(body.anchor, ())
        stretches = _captions(view, body, marks)
        if not stretches:
            continue
        language = body.language or _language(view, body)
        phrases = _phrases(body.text, language)
        if phrases is None:
            unknown = unknown or language or "this language"
            continue
        said = [part for mark in _said(view, marks) for part in mark]
        for start, end in phrases:
            inside = any(low <= start and end <= high for low, high in stretches)
            if inside and not any(low < end and start < high for low, high in said):
                found.append(OpenPhrase(body=number, start=start, end=end, quote=body.text[start:end]))
    return Phrases(found=tuple(found), unknown=unknown)


@lru_cache(maxsize=256)
def _phrases(text: str, language: str) -> list[tuple[int, int]] | None:
    return noun_phrases(text, language)


def _captions(view: SampleView, body: Body, marks: Sequence[_Marked]) -> list[tuple[int, int]]:
    """The stretches of a text that describe a picture; all of it where phrases of it are linked already."""
    whole = [(0, len(body.text))]
    if body.anchor.of is not None and any(_describes(view, link) for link in view.links_of(body.anchor.of)):
        return whole
    if body.anchor.of is None and body.anchor.stream is not None and any(
        _describes(view, link) for link in view.links_of(body.anchor.stream)
    ):  # fmt: skip
        return whole
    found = []
    for mark, shape in marks:
        links = [each for each in view.links_of(mark.id) if each.state not in _OPEN and each.holds]
        if any(_describes(view, each) for each in links):
            found.append((shape.parts[0][0], shape.parts[-1][1]))
        elif any(each.type_id in _MEANS and _is_seen(view, each) for each in links):
            return whole
    return found


def _describes(view: SampleView, link: Link) -> bool:
    if link.type_id != "describes" or link.state in _OPEN or not link.holds:
        return False
    return any(end.kind is TargetKind.SAMPLE for end in link.ends) or _is_seen(view, link)


def _is_seen(view: SampleView, link: Link) -> bool:
    """Whether an end lies on a picture, or is a thing."""
    for end in link.ends:
        label = view.annotations.get(end.target)
        stream = view.streams.get(end.target if label is None else label.stream or "")
        if end.kind is TargetKind.ENTITY or (stream is not None and stream.kind in _PICTURES):
            return True
    return False


def _said(view: SampleView, marks: Sequence[_Marked]) -> Iterator[tuple[tuple[int, int], ...]]:
    """The parts of spans that are linked to what they mean, or declared not to be seen."""
    types = {} if view.ontology is None else view.ontology.link_types
    for mark, shape in marks:
        for link in view.links_of(mark.id):
            kind = types.get(link.type_id)
            absent = kind is not None and kind.absence
            if link.state not in _OPEN and (absent or link.type_id in _MEANS):
                yield shape.parts
                break


def _marks(view: SampleView, sheet: Sheet) -> dict[Anchor, list[_Marked]]:
    """The spans on each text of a sheet."""
    found: dict[Anchor, list[_Marked]] = {}
    for stream in dict.fromkeys(body.anchor.stream for body in sheet.bodies):
        for each in view.annotations_of(stream):
            if isinstance(each.shape, TextSpan) and each.shape.parts:
                found.setdefault(Anchor(stream, each.shape.of), []).append((each, each.shape))
    return found


def _language(view: SampleView, body: Body) -> str:
    label = view.annotations.get(body.anchor.of or "")
    if label is not None and label.language:
        return label.language
    stream = view.streams.get(body.anchor.stream or "")
    if stream is not None and stream.language:
        return stream.language
    return "" if view.ontology is None else view.ontology.ontology.language


def not_seen(view: SampleView) -> tuple[str, str, str] | None:
    """How the ontology says that words have nothing in the picture: link type, where it is missing, and the reason.

    ``None`` if it has no absence for labels, or none of its reasons fits.
    """
    ontology = view.ontology
    streams = [each for each in view.streams.values() if each.kind in _PICTURES]
    if ontology is None or not streams:
        return None
    for kind in ontology.link_types.values():
        if kind.absence and kind.retired is None and any(TargetKind.ANNOTATION in role.targets for role in kind.roles):
            reason = next((each for each in ("not_visual", "not_visible", "out_of_view") if each in kind.reasons), None)
            if reason is not None or not kind.reasons:
                place = f"modality:{streams[0].kind.value}" if len(streams) > 1 else f"stream:{streams[0].key}"
                return kind.id, place, reason or "not visual"
    return None
