"""Whether links still hold: what they join exists, is what was confirmed, and may be joined under today's ontology.

The gate lets no illegal link in; these rules find what became wrong later, or what came into the file another way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec.structs import replace

from workstation.core.annotation import Annotation, Entity, Link, LinkEnd, State, TargetKind
from workstation.core.ontology import ErrorType, LinkType, Severity
from workstation.core.ontology_links import EndView
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, SampleState, Stream
from workstation.core.snapshot import Snapshot, StaleEnd
from workstation.qa.findings import LABEL_KINDS, Fault, Fix, Reach, rule
from workstation.qa.rules.items import class_of, end_item, link_item, ontology_of

_HANDED_IN = frozenset({SampleState.SUBMITTED, SampleState.APPROVED})
_UNCONFIRMED = frozenset({State.PROPOSED, State.DRAFT})


@rule(
    "links.stale",
    error_type=ErrorType.SEMANTIC_DRIFT,
    severity=Severity.WARNING,
    limit="the project's stale_ limits",
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def stale(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """What a link joins has changed significantly since a person confirmed it, so she must look again.

    One finding per link, however many changes; it is gone when they are undone.
    """
    changed: defaultdict[str, list[StaleEnd]] = defaultdict(list)
    for end in snapshot.stale_links(sample.id):
        changed[end.link.id].append(end)
    for ends in changed.values():
        link = ends[0].link
        said = "; ".join(f"{each.reason} ({each.end.role})" for each in ends)
        yield Fault(
            text=f"{link.type_id}, review needed: {said} since it was confirmed",
            items=(link_item(link), *(end_item(each.end) for each in ends)),
            measured="; ".join(each.reason for each in ends),
            suggestion="look at both ends and confirm the link again (link.confirm), re-target or delete it",
            fix=Fix("link.confirm", {"links": [link.id]}, "Confirm the link as it is now"),
        )


@rule(
    "links.dangling",
    error_type=ErrorType.MISSING_REFERENCE,
    severity=Severity.ERROR,
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def dangling(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A link points at something that does not exist, or that belongs to another sample.

    The gate never lets this happen; it is looked for all the same.
    """
    for link in snapshot.links(sample.id):
        for end in link.ends:
            problem = _lost(snapshot, sample, end)
            if problem is not None:
                yield Fault(
                    text=f"{link.type_id}: its end {end.role} points at {end.kind.value} {end.target}, which {problem}",
                    items=(link_item(link), end_item(end)),
                    suggestion="re-target the link or delete it; run workstation audit verify",
                    fix=Fix("link.remove", {"links": [link.id]}, "Remove the link"),
                )


def _lost(snapshot: Snapshot, sample: Sample, end: LinkEnd) -> str | None:
    if end.kind is TargetKind.MODALITY:
        return None
    record = snapshot.get(RecordKind(end.kind.value), end.target)
    if record is None:
        return "does not exist"
    owner = end.target if end.kind is TargetKind.SAMPLE else getattr(record, "sample", None)
    return None if owner == sample.id else "belongs to another sample"


@rule(
    "links.absence_reason",
    error_type=ErrorType.MISSING_REFERENCE,
    severity=Severity.ERROR,
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def absence_reason(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A link says that something has no counterpart and does not say why."""
    ontology = ontology_of(snapshot)
    for link in _standing(snapshot, sample):
        link_type = ontology.link_types.get(link.type_id)
        if link_type is not None and link_type.absence and not link.reason.strip():
            yield Fault(
                text=f"{link.type_id}: the absence has no reason",
                items=(link_item(link), *map(end_item, link.ends)),
                suggestion="say why there is no counterpart" + _choices(link_type),
            )


def _choices(link_type: LinkType) -> str:
    return f": {', '.join(link_type.reasons)}" if link_type.reasons else ""


@rule(
    "links.illegal",
    error_type=ErrorType.INCORRECT_PAIRING,
    severity=Severity.ERROR,
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def illegal(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """The ontology in force does not allow what the link joins: a role, a class, a kind or a number of ends."""
    ontology = ontology_of(snapshot)
    for link in _standing(snapshot, sample):
        link_type = ontology.link_types.get(link.type_id)
        if link_type is None or any(_lost(snapshot, sample, end) for end in link.ends):
            continue  # found by ontology.unknown and links.dangling
        # Attributes and the reason of an absence have rules of their own.
        bare = replace(
            link, state=State.DRAFT, attributes={}, reason=link.reason.strip() or next(iter(link_type.reasons), "-")
        )
        views = [_view(snapshot, end) for end in link.ends]
        for problem in ontology.check_link(bare, views, bare):
            yield Fault(
                text=f"{link.type_id} is no longer legal: {problem}",
                items=(link_item(link), *map(end_item, link.ends)),
                suggestion="re-target the link, change its type, or delete it",
                aspect=problem,
            )


def _view(snapshot: Snapshot, end: LinkEnd) -> EndView:
    """The end as the ontology sees it."""
    if end.kind is TargetKind.MODALITY:
        return EndView(end.role, end.kind, end.target, stream_kind=end.target)
    record = snapshot.get(RecordKind(end.kind.value), end.target)
    if isinstance(record, Annotation):
        stream = None if record.stream is None else snapshot.get(RecordKind.STREAM, record.stream)
        kind = stream.kind if isinstance(stream, Stream) else None
        return EndView(end.role, end.kind, end.target, record.kind, class_of(snapshot, record), kind)
    if isinstance(record, Entity):
        return EndView(end.role, end.kind, end.target, None, record.class_id)
    if isinstance(record, Stream):
        return EndView(end.role, end.kind, end.target, None, None, record.kind)
    type_id = record.type_id if isinstance(record, Link) else None
    return EndView(end.role, end.kind, end.target, None, type_id)


@rule(
    "links.unconfirmed",
    error_type=ErrorType.INCORRECT_PAIRING,
    severity=Severity.WARNING,
    reach=Reach.NEAR,
    looks_at=LABEL_KINDS,
)
def unconfirmed(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A sample was handed in while a link in it is still a draft or a proposal, so nobody stands behind it."""
    if sample.state not in _HANDED_IN:
        return
    for link in _standing(snapshot, sample):
        if link.state in _UNCONFIRMED:
            yield Fault(
                text=f"{link.type_id} is still {link.state.value} in a sample that is {sample.state.value}",
                items=(link_item(link), *map(end_item, link.ends)),
                measured=link.state.value,
                limit=State.DONE.value,
                suggestion="confirm the link and set it done, or delete it",
                fix=Fix("link.confirm", {"links": [link.id]}, "Confirm the link"),
            )


def _standing(snapshot: Snapshot, sample: Sample) -> Iterator[Link]:
    return (link for link in snapshot.links(sample.id) if link.state is not State.REJECTED)
