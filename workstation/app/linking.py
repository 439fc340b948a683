"""Which relations may join two picked records, with a key for each, and what makes the link. Without Qt.

A label is tried itself first, then the thing it shows: ``same object`` joins two cars wherever they were picked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workstation.app.link_rows import link_type_name
from workstation.app.sample_view import SampleView
from workstation.core.annotation import TargetKind
from workstation.core.ontology_links import EndView

_DIGITS = "123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A relation that is legal, the key that takes it, and its ends by role as ``link.add`` wants them."""

    type_id: str
    name: str
    key: str
    ends: dict[str, str | tuple[str, ...]]
    absence: bool = False


def offers(view: SampleView, first: str, second: str) -> list[Offer]:
    """The legal relations in the order of the ontology; empty if none may join these two."""
    ontology = view.ontology
    if ontology is None:
        return []
    found: dict[str, dict[str, str | tuple[str, ...]]] = {}
    for one in _ends(view, first):
        for other in _ends(view, second):
            if one.target != other.target:
                for choice in ontology.link_types_for((one, other)):
                    found.setdefault(choice.link_type.id, _by_role(choice.roles, (one, other)))
    ordered = [each for each in ontology.link_types if each in found and not ontology.link_types[each].absence]
    keys = _keys([ontology.link_types[each].key for each in ordered])
    return [
        Offer(type_id=each, name=link_type_name(view, each), key=key, ends=found[each])
        for each, key in zip(ordered, keys, strict=True)
    ]


def _keys(own: list[str | None]) -> Iterator[str]:
    """The ontology's key where it is nobody else's here, else the next free digit."""
    taken: set[str] = set()
    free = [digit for digit in _DIGITS if digit not in own]
    for key in own:
        if key is None or key in taken:
            key = free.pop(0) if free else ""
        taken.add(key)
        yield key


def _by_role(roles: tuple[str, ...], ends: tuple[EndView, ...]) -> dict[str, str | tuple[str, ...]]:
    found: dict[str, str | tuple[str, ...]] = {}
    for role, end in zip(roles, ends, strict=True):
        said = f"{end.kind.value}:{end.target}"
        before = found.get(role)
        found[role] = said if before is None else (before, said) if isinstance(before, str) else (*before, said)
    return found


def _ends(view: SampleView, record_id: str) -> Iterator[EndView]:
    annotation, entity = view.annotations.get(record_id), view.entities.get(record_id)
    if annotation is not None:
        stream = view.streams.get(annotation.stream or "")
        yield EndView(
            role="", kind=TargetKind.ANNOTATION, target=annotation.id, shape_kind=annotation.kind,
            class_id=view.class_of(annotation), stream_kind=None if stream is None else stream.kind.value,
        )  # fmt: skip
        entity = view.entity_of(annotation)
    if entity is not None:
        yield EndView(role="", kind=TargetKind.ENTITY, target=entity.id, class_id=entity.class_id)
    elif record_id in view.links:
        yield EndView(role="", kind=TargetKind.LINK, target=record_id)
    elif record_id in view.streams:
        yield EndView(role="", kind=TargetKind.STREAM, target=record_id, stream_kind=view.streams[record_id].kind.value)
