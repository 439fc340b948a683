"""Which thing is labelled where: one row per entity, one column per stream. For the panel of entities, without Qt.

A cell answers one of five: labelled here, with how many keyframes; said to be absent here with a reason; missing, and
if a camera should see it, when; out of view of this camera; or labelled and in a link that has gone stale. Rows are
kept and made anew only for things that changed: five thousand on twelve streams stay quick.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from workstation.app.in_view import CamerasInView, InView
from workstation.app.looks import paint_of
from workstation.app.rows import Cell, Column, Row
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation, Entity, Link, TargetKind
from workstation.core.sample import Stream, StreamKind
from workstation.core.values import dataclass
from workstation.store.ends import StaleEnd

_SHOW_THINGS = frozenset(
    {
        StreamKind.IMAGE, StreamKind.VIDEO, StreamKind.AUDIO, StreamKind.CLOUD, StreamKind.RADAR, StreamKind.TEXT,
        StreamKind.DOCUMENT, StreamKind.VOLUME, StreamKind.TURNS,
    }
)  # fmt: skip
_WIDE = 22
"""Letters of ``labelled, 80 keys`` beside its sign."""
LABELLED, ABSENT, MISSING, SEEN, STALE, OUT, UNLINKED = (
    "labelled", "absent:", "missing", "seen", "stale", "out", "unlinked",
)  # fmt: skip
"""What a row can be filtered by; ``seen``: missing on a camera that should see it."""


@dataclass(slots=True, eq=False)
class _Known:
    """What a row was made from, and the row."""

    source: tuple[object, ...]
    row: Row


@dataclass(slots=True, eq=False)
class EntityTable:
    """The things of one sample. The window's thread."""

    view: SampleView
    cameras: CamerasInView | None = None
    """Which calibrated cameras should see what; ``None`` without any."""
    _held: dict[str, _Known] = field(default_factory=dict)
    _columns: tuple[Column, ...] = ()

    def columns(self) -> tuple[Column, ...]:
        """The thing, then a column for each stream on which things can be labelled."""
        streams = [
            Column(title=each.key, width=max(_WIDE, len(each.key) + 2), help=f"{each.key} ({each.kind.value})")
            for each in shown_streams(self.view)
        ]
        return (Column(title="Thing", width=18), *streams)

    def rows(self, stale: Iterable[StaleEnd]) -> list[Row]:
        """The things by class and number; unchanged ones are the same objects as before."""
        view = self.view
        if self.cameras is not None:
            self.cameras.renew()
        streams = shown_streams(view)
        shared = _Shared(
            view, streams, {end.end.target: end.reason for end in stale}, _absences(view), view.keyframe_counts(),
            {_thing(view, end.target) for link in view.links.values() for end in link.ends},
        )  # fmt: skip
        names = {key: view.class_name(key) for key in {each.class_id for each in view.entities.values()}}
        ordered = sorted(view.entities.values(), key=lambda each: (names[each.class_id], each.number))
        frame = (tuple(each.id for each in streams), view.ontology)
        held, self._held = self._held, {}
        for entity in ordered:
            source = (*frame, *self._source(entity, shared))
            known = held.get(entity.id)
            if known is None or known.source != source:
                known = _Known(source, self._row(entity, shared))
            self._held[entity.id] = known
        return [self._held[each.id].row for each in ordered]

    def _source(self, entity: Entity, shared: _Shared) -> tuple[object, ...]:
        """What the row is made from; compared with what it was made from before."""
        here = tuple(self.view.annotations_of_entity(entity.id))
        said: tuple[object, ...] = ()
        if shared.absences or shared.reasons:
            ids = [entity.id, *(each.id for each in here)]
            said = tuple((shared.absences.get(each), shared.reasons.get(each)) for each in ids)
        counts = tuple([shared.counts.get(each.id) for each in here])
        seen = () if self.cameras is None else tuple(self._in_view(here).items())
        return entity, here, said, counts, seen, entity.id in shared.linked

    def _in_view(self, here: Iterable[Annotation]) -> dict[str, InView | None]:
        """By calibrated camera, when it sees one of the thing's cuboids best; empty without a placed cuboid."""
        if self.cameras is None:
            return {}
        found: dict[str, InView | None] = {}
        for each in here:
            seen = self.cameras.of(each.id)
            if seen is None:
                continue
            for stream in self.cameras.cameras:
                best, other = found.get(stream), seen.get(stream)
                found[stream] = max(filter(None, (best, other)), key=lambda view: view.size_px, default=None)
        return found

    def _row(self, entity: Entity, shared: _Shared) -> Row:
        view = self.view
        here = list(view.annotations_of_entity(entity.id))
        by_stream: dict[str | None, list[Annotation]] = defaultdict(list)
        for annotation in here:
            by_stream[annotation.stream].append(annotation)
        said = [link for each in (entity.id, *(a.id for a in here)) for link in shared.absences.get(each, ())]
        seen = self._in_view(here)
        made = [_cell(entity, each, by_stream.get(each.id, []), said, seen, shared) for each in shared.streams]
        groups = dict.fromkeys(group for group, _ in made)
        if entity.id not in shared.linked:
            groups[UNLINKED] = None
        paint = paint_of(view.ontology, entity.class_id, entity)
        name = view.name_of(entity.id)
        tip = f"{name}, {view.class_name(entity.class_id)} {entity.number}"
        cells = (Cell(text=name, paint=paint, tip=tip), *(cell for _, cell in made))
        return Row(key=entity.id, ids=(entity.id,), group=" ".join(filter(None, groups)), cells=cells)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all rows of one making share."""

    view: SampleView
    streams: list[Stream]
    reasons: Mapping[str, str]
    """Of stale links, by the record at their end."""
    absences: Mapping[str, Sequence[Link]]
    counts: Mapping[str, int]
    linked: set[str]
    """Things that a link ends at, themselves or at a label of theirs."""


def shown_streams(view: SampleView) -> list[Stream]:
    """Those on which things are seen or heard, and all others that carry a label of a thing: first what is used."""
    used = {each.stream for each in view.annotations.values() if each.entity is not None}
    found = [each for each in view.streams.values() if each.id in used or each.kind in _SHOW_THINGS]
    return sorted(found, key=lambda each: (each.id not in used, each.key))


def time_of(table: EntityTable, row: Row, cell: Cell) -> tuple[str | None, int | None]:
    """Where a click on a cell leads: the stream of its column, and the time at which a missing thing should be seen."""
    streams = shown_streams(table.view)
    number = next((i for i, each in enumerate(row.cells) if each is cell), 0) - 1
    if not 0 <= number < len(streams):
        return None, None
    stream = streams[number].id
    best = None if cell.ids else table._in_view(table.view.annotations_of_entity(row.key)).get(stream)
    return stream, None if best is None else best.session_ns


def as_text(columns: Sequence[Column], rows: Iterable[Row]) -> str:
    """The rows as a sheet takes them: cells parted by tabs, a line a row, the titles first."""
    lines = [[each.title for each in columns], *([cell.text for cell in row.cells] for row in rows)]
    return "\n".join("\t".join(text.replace("\t", " ").replace("\n", " ") for text in line) for line in lines) + "\n"


def _cell(
    entity: Entity,
    stream: Stream,
    here: list[Annotation],
    said: list[Link],
    seen: Mapping[str, InView | None],
    shared: _Shared,
) -> tuple[str, Cell]:
    """What it can be filtered by, and the cell."""
    view = shared.view
    if here:
        return _labelled(entity, stream, here, shared)
    for link in said:
        if any(_means(end.kind, end.target, stream) for end in link.ends):
            tip = f"Said to be absent: {link.reason}"
            return ABSENT, Cell(text=f"absent: {link.reason}", icon="absent", tip=tip, ids=(link.id,))
    possible = view.ontology is not None and bool(view.ontology.shapes_for(entity.class_id, stream.kind))
    if not possible:
        return "", Cell(text="", tip=f"{view.class_name(entity.class_id)} has no place on {stream.kind.value}")
    if stream.id in seen:
        best = seen[stream.id]
        if best is None:
            return OUT, Cell(text="out of view", tone="quiet", tip=f"{stream.key} never looks at it")
        at_s = best.session_ns / 1e9
        tip = f"Its cuboid projects into {stream.key}, {best.size_px:.0f} px large at {at_s:.1f} s; a click goes there"
        return f"{MISSING} {SEEN}", Cell(text=f"missing at {at_s:.1f} s", icon="missing", tone="warning", tip=tip)
    tip = f"Neither labelled on {stream.key} nor said to be absent there"
    return MISSING, Cell(text="missing", icon="missing", tone="quiet", tip=tip)


def _labelled(entity: Entity, stream: Stream, here: list[Annotation], shared: _Shared) -> tuple[str, Cell]:
    view, ids = shared.view, tuple(each.id for each in here)
    stale = next((shared.reasons[each] for each in (*ids, entity.id) if each in shared.reasons), "")
    if stale:
        return STALE, Cell(text="stale", icon="stale", tone="warning", tip=f"A link here is stale: {stale}", ids=ids)
    keyframes = sum(shared.counts.get(each.id, 0) for each in here)
    text = "labelled" + (f" ×{len(here)}" if len(here) > 1 else "")
    if keyframes:
        text += f", {keyframes} key{'s' if keyframes > 1 else ''}"
    kinds = ", ".join(dict.fromkeys(each.kind.value.replace("_", " ") for each in here))
    tip = f"{view.name_of(entity.id)} on {stream.key}: {kinds}; a click goes there"
    return LABELLED, Cell(text=text, icon="labelled", tone="good", tip=tip, ids=ids)


def _means(kind: TargetKind, target: str, stream: Stream) -> bool:
    if kind is TargetKind.STREAM:
        return target == stream.id
    return kind is TargetKind.MODALITY and target == stream.kind.value


def _thing(view: SampleView, target: str) -> str:
    """The entity behind the end of a link, if there is one."""
    annotation = view.annotations.get(target)
    return target if annotation is None or annotation.entity is None else annotation.entity


def _absences(view: SampleView) -> dict[str, list[Link]]:
    found: dict[str, list[Link]] = defaultdict(list)
    for link in view.links.values():
        known = None if view.ontology is None else view.ontology.link_types.get(link.type_id)
        if known is not None and known.absence:
            for end in link.ends:
                found[end.target].append(link)
    return found
