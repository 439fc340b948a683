"""Which thing is labelled where: one row per entity, one column per stream. For the panel of entities, without Qt.

A cell answers one of four: labelled here, said to be absent here with a reason, nothing said, or labelled and in a
link that has gone stale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from workstation.app.looks import paint_of
from workstation.app.rows import Cell, Column, Row
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation, Entity, Link, TargetKind
from workstation.core.sample import Stream, StreamKind
from workstation.store.ends import StaleEnd

_SHOW_THINGS = frozenset(
    {
        StreamKind.IMAGE, StreamKind.VIDEO, StreamKind.AUDIO, StreamKind.CLOUD, StreamKind.RADAR, StreamKind.TEXT,
        StreamKind.DOCUMENT, StreamKind.VOLUME, StreamKind.TURNS,
    }
)  # fmt: skip


def entity_columns(view: SampleView) -> tuple[Column, ...]:
    """The thing, then a column for each stream on which things can be labelled."""
    streams = [
        Column(title=each.key, width=max(11, min(16, len(each.key) + 2)), help=f"{each.key} ({each.kind.value})")
        for each in shown_streams(view)
    ]
    return (Column(title="Thing", width=18), *streams)


def shown_streams(view: SampleView) -> list[Stream]:
    """Those on which things are seen or heard, and all others that carry a label of a thing: first what is used."""
    used = {each.stream for each in view.annotations.values() if each.entity is not None}
    found = [each for each in view.streams.values() if each.id in used or each.kind in _SHOW_THINGS]
    return sorted(found, key=lambda each: (each.id not in used, each.key))


def entity_rows(view: SampleView, stale: Iterable[StaleEnd]) -> list[Row]:
    """The things by class and number."""
    reasons = {end.end.target: end.reason for end in stale}
    absences = _absences(view)
    streams = shown_streams(view)
    ordered = sorted(view.entities.values(), key=lambda each: (view.class_name(each.class_id), each.number))
    return [_row(view, each, streams, absences, reasons) for each in ordered]


def _row(
    view: SampleView,
    entity: Entity,
    streams: list[Stream],
    absences: dict[str, list[Link]],
    reasons: dict[str, str],
) -> Row:
    by_stream: dict[str | None, list[Annotation]] = defaultdict(list)
    for annotation in view.annotations_of_entity(entity.id):
        by_stream[annotation.stream].append(annotation)
    missing = view.annotations_of_entity(entity.id)
    said = [*absences.get(entity.id, ()), *(link for each in missing for link in absences.get(each.id, ()))]
    cells = [_cell(view, entity, each, by_stream.get(each.id, []), said, reasons) for each in streams]
    groups = " ".join(dict.fromkeys(cell.text.split(" ")[0] for cell in cells))
    paint = paint_of(view.ontology, entity.class_id, entity)
    name = view.name_of(entity.id)
    tip = f"{name}, {view.class_name(entity.class_id)} {entity.number}"
    return Row(key=entity.id, ids=(entity.id,), group=groups, cells=(Cell(text=name, paint=paint, tip=tip), *cells))


def _cell(
    view: SampleView,
    entity: Entity,
    stream: Stream,
    here: list[Annotation],
    said: list[Link],
    reasons: dict[str, str],
) -> Cell:
    if here:
        ids = tuple(each.id for each in here)
        stale = next((reasons[each] for each in (*ids, entity.id) if each in reasons), "")
        if stale:
            return Cell(text="stale", icon="stale", tone="warning", tip=f"A link here is stale: {stale}", ids=ids)
        count = f" ×{len(here)}" if len(here) > 1 else ""
        kinds = ", ".join(dict.fromkeys(each.kind.value.replace("_", " ") for each in here))
        tip = f"{view.name_of(entity.id)} on {stream.key}: {kinds}; a click goes there"
        return Cell(text=f"labelled{count}", icon="labelled", tone="good", tip=tip, ids=ids)
    for link in said:
        if any(_means(end.kind, end.target, stream) for end in link.ends):
            return Cell(
                text=f"absent: {link.reason}", icon="absent", tip=f"Said to be absent: {link.reason}", ids=(link.id,)
            )
    possible = view.ontology is not None and bool(view.ontology.shapes_for(entity.class_id, stream.kind))
    if not possible:
        return Cell(text="", tip=f"{view.class_name(entity.class_id)} has no place on {stream.kind.value}")
    tip = f"{view.name_of(entity.id)} is neither labelled on {stream.key} nor said to be absent there"
    return Cell(text="missing", icon="missing", tone="quiet", tip=tip)


def _means(kind: TargetKind, target: str, stream: Stream) -> bool:
    if kind is TargetKind.STREAM:
        return target == stream.id
    return kind is TargetKind.MODALITY and target == stream.kind.value


def _absences(view: SampleView) -> dict[str, list[Link]]:
    found: dict[str, list[Link]] = defaultdict(list)
    for link in view.links.values():
        known = None if view.ontology is None else view.ontology.link_types.get(link.type_id)
        if known is not None and known.absence:
            for end in link.ends:
                found[end.target].append(link)
    return found
