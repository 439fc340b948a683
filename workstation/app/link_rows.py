"""The list of a sample's links, and of what has none: asked by the panel of links and by tests, without Qt."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence

from workstation.app.looks import Paint
from workstation.app.rows import Cell, Column, Row
from workstation.app.sample_view import SampleView
from workstation.app.walking import when
from workstation.core.annotation import Annotation, Link, LinkEnd, State, TargetKind
from workstation.core.geometry import TextSpan
from workstation.core.ontology import name_in
from workstation.store.ends import StaleEnd

COLUMNS = (
    Column(title="Link", width=16, help="The type of the link; crossed out in words where it does not hold"),
    Column(title="Ends", stretch=True, help="What it joins, in the order of its roles"),
    Column(title="State", width=10, spare=1),
    Column(title="Note", width=16, spare=2, help="Why it is stale, or the reason and rationale that were given"),
)
_MOST_UNLINKED = 1000
UNLINKED, STALE = "unlinked", "stale"
_TONES = {State.PROPOSED: "quiet", State.REJECTED: "error", State.DONE: "good", State.APPROVED: "good"}


def link_type_name(view: SampleView, type_id: str) -> str:
    """A link type as a person reads it."""
    found = None if view.ontology is None else view.ontology.link_types.get(type_id)
    if view.ontology is None or found is None:
        return type_id
    return name_in(found.names, view.ontology.ontology.language)


def end_name(view: SampleView, end: LinkEnd) -> str:
    """An end by its name; what was said is quoted, since a class names many turns."""
    if end.kind is TargetKind.SAMPLE:
        return "the sample"
    annotation = view.annotations.get(end.target)
    if annotation is not None and annotation.entity is None and (said := said_by(annotation)):
        return f"“{said if len(said) <= 40 else said[:39] + '…'}”"
    if end.kind is TargetKind.MODALITY:
        return f"any {end.target}"
    return view.name_of(end.target)


def ends_in_words(view: SampleView, link: Link) -> str:
    """All ends by their names; where they are labels of one thing, its name once and where each of them is."""
    names = [end_name(view, each) for each in link.ends]
    labels = [view.annotations[each.target] for each in link.ends if each.target in view.annotations]
    if len(set(names)) > 1 or len(labels) < len(names) or len(labels) < 2:
        return " → ".join(names)
    places = " → ".join(view.streams[each.stream].key if each.stream in view.streams else "sample" for each in labels)
    at = "" if link.start_ns is None else f" at {link.start_ns / 1e9:.3f} s"
    return f"{names[0]}{at}: {places}"


def said_by(annotation: Annotation) -> str:
    """What a label says or marks in a text; empty for what is no words."""
    return annotation.shape.quote if isinstance(annotation.shape, TextSpan) else annotation.text or ""


def link_rows(view: SampleView, stale: Iterable[StaleEnd], *, only: Collection[str] | None = None) -> list[Row]:
    """The links in the order of time, the stale ones saying why; then what hangs in no link, unless ``only`` some
    links are asked for."""
    reasons: dict[str, str] = {}
    for end in stale:
        reasons[end.link.id] = " ".join(filter(None, (reasons.get(end.link.id), f"{end.reason}.")))
    asked = view.links.values() if only is None else [view.links[each] for each in only if each in view.links]
    ordered = sorted(asked, key=lambda each: (when(view, each.id) or 0, each.id))
    rows = [_link_row(view, link, reasons) for link in ordered]
    return rows if only is not None else rows + list(_unlinked_rows(view))


def _link_row(view: SampleView, link: Link, reasons: Mapping[str, str]) -> Row:
    reason = reasons.get(link.id, "")
    said = " ".join(filter(None, (link.reason, link.rationale)))
    name = link_type_name(view, link.type_id)
    state = link.state.value
    return Row(
        key=link.id,
        ids=(link.id,),
        group=f"type:{link.type_id} state:{state} {STALE if reason else 'fresh'} link {_tags(view, link)}",
        cells=(
            Cell(text=name if link.holds else f"not {name}", icon="link", tip=_whole(view, link)),
            Cell(text=ends_in_words(view, link), paint=_paint(view, link.ends), tip=_whole(view, link)),
            Cell(text=state, tone=_TONES.get(link.state, "")),
            Cell(text=f"stale: {reason}" if reason else said, tone="warning" if reason else "",
                 icon="stale" if reason else ""),
        ),
    )  # fmt: skip


def _unlinked_rows(view: SampleView) -> Iterable[Row]:
    found = unlinked(view)
    first = heapq.nsmallest(_MOST_UNLINKED, found, key=lambda each: (when(view, each.id) or 0, each.id))
    for annotation in first:
        stream = view.streams.get(annotation.stream or "")
        where = "the whole sample" if stream is None else stream.key
        quote = said_by(annotation)
        said = f" “{quote[:40]}”" if quote else ""
        yield Row(
            key=f"unlinked {annotation.id}",
            ids=(annotation.id,),
            group=" ".join((UNLINKED, f"state:{annotation.state.value}", *_tags_of(view, annotation))),
            cells=(
                Cell(text="no link", tone="quiet"),
                Cell(text=view.name_of(annotation.id) + said, paint=view.paint_of(annotation)),
                Cell(text=annotation.state.value, tone=_TONES.get(annotation.state, "")),
                Cell(text=f"{annotation.kind.value} on {where}", tone="quiet"),
            ),
        )
    if len(found) > len(first):
        more = f"and {len(found) - len(first):,} more without a link; select them all with linked:no"
        yield Row(key="more", group=UNLINKED, enabled=False, cells=(Cell(), Cell(text=more), Cell(), Cell()))


def unlinked(view: SampleView) -> list[Annotation]:
    """Annotations that no link ends at, neither at themselves nor at the thing they show."""
    linked = {end.target for link in view.links.values() for end in link.ends}
    return [
        each
        for each in view.annotations.values()
        if each.id not in linked and (each.entity is None or each.entity not in linked)
    ]


def type_choices(view: SampleView) -> list[tuple[str, str]]:
    """The types that are in use here, to filter by."""
    used = dict.fromkeys(link.type_id for link in view.links.values())
    return [("", "All types")] + [(f"type:{each}", link_type_name(view, each)) for each in sorted(used)]


def class_choices(view: SampleView) -> list[tuple[str, str]]:
    """The classes that are in use here, to filter by."""
    used = {view.class_of(each) or "" for each in view.annotations.values()}
    named = sorted((view.class_name(each or None), each) for each in used)
    return [("", "All classes")] + [(f"class:{each}", name) for name, each in named]


def stream_choices(view: SampleView) -> list[tuple[str, str]]:
    """The streams that hold labels, to filter by."""
    used = {each.stream or "" for each in view.annotations.values()}
    named = sorted(("the whole sample" if not each else view.streams[each].key, each) for each in used
                   if not each or each in view.streams)  # fmt: skip
    return [("", "All streams")] + [(f"stream:{each}", name) for name, each in named]


def _tags(view: SampleView, link: Link) -> str:
    """Classes and streams of all its ends, as far as they are labels or things."""
    found: dict[str, None] = {}
    for end in link.ends:
        labels = [view.annotations[end.target]] if end.target in view.annotations else []
        for label in labels or view.annotations_of_entity(end.target):
            found |= dict.fromkeys(_tags_of(view, label))
    return " ".join(found)


def _tags_of(view: SampleView, annotation: Annotation) -> tuple[str, str]:
    return f"class:{view.class_of(annotation) or ''}", f"stream:{annotation.stream or ''}"


def _paint(view: SampleView, ends: Sequence[LinkEnd]) -> Paint | None:
    for end in ends:
        annotation = view.annotations.get(end.target)
        if annotation is None and end.target in view.entities:
            annotation = next(iter(view.annotations_of_entity(end.target)), None)
        if annotation is not None:
            return view.paint_of(annotation)
    return None


def _whole(view: SampleView, link: Link) -> str:
    lines = [f"{each.role}: {end_name(view, each)}" for each in link.ends]
    if link.reason:
        lines.append(f"reason: {link.reason}")
    if link.rationale:
        lines.append(f"rationale: {link.rationale}")
    lines.append(f"{link.state.value}, by {link.source.name or link.source.kind.value}, layer {link.layer}")
    return "\n".join(lines)
