"""What an absence may say of something: in which streams and modalities it may be missing, and for which reasons.

Asked by the dialog that states one (``ui/dialogs/absence.py``); the command is ``link.absent``.
"""

from __future__ import annotations

from collections.abc import Iterable

from workstation.app.link_rows import link_type_name
from workstation.app.linking import links_off
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Link, TargetKind
from workstation.core.described import is_sound
from workstation.core.ontology import LinkType
from workstation.core.sample import Stream, StreamKind
from workstation.core.values import dataclass

_LOOKED_FOR_IN = (
    StreamKind.CLOUD,
    StreamKind.VIDEO,
    StreamKind.IMAGE,
    StreamKind.RADAR,
    StreamKind.AUDIO,
    StreamKind.TEXT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceKind:
    """One type of absence of the ontology: (what the command takes, what a person reads) for each choice."""

    type_id: str
    name: str
    places: tuple[tuple[str, str], ...]
    reasons: tuple[tuple[str, str], ...]
    """Empty: the reason is free words."""


def absence_kinds(view: SampleView, of: str) -> list[AbsenceKind]:
    """The absences that may be stated of a label or thing."""
    ontology = view.ontology
    if ontology is None:
        return []
    kind, off = TargetKind.ANNOTATION if of in view.annotations else TargetKind.ENTITY, links_off(view)
    return [
        _kind_of(view, each, of)
        for each in ontology.link_types.values()
        if each.absence
        and each.retired is None
        and each.id not in off
        and any(kind in role.targets for role in each.roles)
    ]


def absent_of(view: SampleView, selected: Iterable[str]) -> list[str]:
    """What an absence is to be stated of: what is selected, a thing's labels with the thing where that is, too."""
    chosen = list(selected)
    own = [(each, view.annotations[each].entity if each in view.annotations else None) for each in chosen]
    return [each for each, thing in own if (each in view.annotations or each in view.entities) and thing not in chosen]


def absence_in(view: SampleView, thing: str, stream: Stream) -> Link | None:
    """The link that says that a thing, itself or a label of it, is absent from a stream."""
    ontology = view.ontology
    mine = {thing, *(each.id for each in view.annotations_of_entity(thing))}
    for link in view.links.values() if ontology is not None else ():
        kind = ontology.link_types.get(link.type_id) if ontology is not None else None
        targets = {end.target for end in link.ends}
        if kind is not None and kind.absence and targets & mine and targets & {stream.id, stream.kind.value}:
            return link
    return None


def needs_words(view: SampleView, of: str) -> bool:
    """Whether an absence of this must be described: a sound whose source is not to be seen."""
    annotation = view.annotations.get(of)
    return annotation is not None and is_sound(annotation, view.streams.get(annotation.stream or ""))


def _likeliest_first(view: SampleView, of: str) -> list[Stream]:
    """The streams, those first in which a thing is looked for and that hold nothing of it, nor others of their kind."""
    annotation = view.annotations.get(of)
    thing = of if annotation is None else annotation.entity
    labels = [] if thing is None else list(view.annotations_of_entity(thing))
    held = {each.stream for each in (*labels, *([] if annotation is None else [annotation]))}
    kinds = {view.streams[each].kind for each in held if each in view.streams}

    def doubt(stream: Stream) -> tuple[bool, bool, int]:
        rank = _LOOKED_FOR_IN.index(stream.kind) if stream.kind in _LOOKED_FOR_IN else len(_LOOKED_FOR_IN)
        return stream.id in held, stream.kind in kinds, rank

    return sorted(view.streams.values(), key=doubt)


def _kind_of(view: SampleView, link_type: LinkType, of: str) -> AbsenceKind:
    assert view.ontology is not None
    allowed = {kind for role in link_type.roles for kind in role.targets}
    annotation = view.annotations.get(of)
    own = None if annotation is None else annotation.stream
    places = []
    if TargetKind.STREAM in allowed:
        places += [(f"stream:{each.key}", each.key) for each in _likeliest_first(view, of) if each.id != own]
    if TargetKind.MODALITY in allowed:
        places += [(f"modality:{each.value}", f"any {each.value}") for each in view.ontology.ontology.modalities]
    return AbsenceKind(
        type_id=link_type.id,
        name=link_type_name(view, link_type.id),
        places=tuple(places),
        reasons=tuple(link_type.reasons.items()),
    )
