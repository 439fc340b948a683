"""Whether what links say together holds: the same and not the same, other things, other classes along one chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workstation.core.annotation import Annotation, Link, SourceKind, State, TargetKind
from workstation.core.chains import Chains
from workstation.core.evidence import Unmeasured
from workstation.core.findings import Item
from workstation.core.ids import is_id, millisecond_of
from workstation.core.moments import moment
from workstation.core.ontology import ClassRelation, ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import LABEL_KINDS, Fault, Sees, rule
from workstation.qa.remembered import of_each_link, remembered
from workstation.qa.rules.boxes import crossed_links
from workstation.qa.rules.items import JUDGED, class_of, link_item, ontology_of
from workstation.qa.rules.ontology import SAME_THING
from workstation.qa.rules.sightings import PLACED

_SAID_THE_SAME = Sees(labels=(), links=SAME_THING, ends=False)
_STATES = (State.REJECTED, State.PROPOSED, State.DRAFT, State.DONE, State.APPROVED)
_SOURCES = (SourceKind.MODEL, SourceKind.INTERPOLATION, SourceKind.IMPORT, SourceKind.PERSON)


@rule(
    "chains.contradiction",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.ERROR,
    looks_at=LABEL_KINDS,
    sees=Sees(labels=(), links=SAME_THING),
)
def contradiction(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Links say by way of each other that two labels show the same thing, and another says that they do not."""
    same, different = identities(snapshot, sample)
    for link in different:
        first, *others = label_ends(link)
        for other in others:
            way = same.way(first, other)
            if way is None:
                continue
            together = [*way, link]
            weakest = min(together, key=strength)
            yield Fault(
                text=f"{len(way)} link{'s make' if len(way) > 1 else ' makes'} two labels the same thing, and one "
                f"denies it: {in_ages(together)}; the weakest of them is {said_of(weakest)}",
                items=(link_item(weakest), *(link_item(each) for each in together if each is not weakest)),
                measured=float(len(together)),
                suggestion=f"look at {said_of(weakest)} first, and delete or re-target the one that is wrong",
                aspect=other,
            )


@rule(
    "chains.other_thing",
    error_type=ErrorType.INCORRECT_PAIRING,
    severity=Severity.ERROR,
    looks_at=LABEL_KINDS,
    sees=PLACED,
)
def other_thing(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A link makes labels the same thing that belong to different entities."""

    def judge(link: Link) -> Fault | None:
        if link.type_id not in SAME_THING or link.state not in JUDGED or not link.holds:
            return None
        labels = (snapshot.get(RecordKind.ANNOTATION, target) for target in label_ends(link))
        owners = dict.fromkeys(
            each.entity for each in labels if isinstance(each, Annotation) and each.entity is not None
        )
        if len(owners) < 2:
            return None
        return Fault(
            text=f"{said_of(link)} joins labels of {len(owners)} different things",
            items=(link_item(link), *(Item(RecordKind.ENTITY.value, owner) for owner in owners)),
            measured=float(len(owners)),
            limit=1.0,
            suggestion="merge the things (entity.merge), or re-target the link",
        )

    joining = of_each_link(snapshot, sample, "other things", judge)
    explained = {link.id for link, *_ in _crossed(snapshot, sample)} if joining else set()
    yield from (fault for link, fault in joining.items() if link not in explained)


@rule(
    "chains.classes",
    error_type=ErrorType.SEMANTIC,
    severity=Severity.ERROR,
    looks_at=LABEL_KINDS,
    sees=Sees(labels=(), links=SAME_THING),
)
def classes(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Labels that a chain of links makes the same thing have classes that cannot both be true, though no single link
    of it joins two such labels.
    """
    ontology = ontology_of(snapshot)
    same, _ = identities(snapshot, sample)
    for members, links in same.groups():
        named: dict[str, str] = {}
        for member in members:
            label = snapshot.get(RecordKind.ANNOTATION, member)
            class_id = class_of(snapshot, label) if isinstance(label, Annotation) else None
            if class_id in ontology.classes:
                named.setdefault(class_id, member)
        for (first, one), (second, other) in _pairs(list(named.items())):
            way = same.way(one, other) or []
            if ontology.relation(first, second) is not ClassRelation.CONFLICT or len(way) < 2 or len(links) < 2:
                continue  # what one link joins is found by ontology.labels_conflict
            weakest = min(way, key=strength)
            yield Fault(
                text=f"{len(way)} links make a {first} and a {second} the same thing: {in_ages(way)}; the weakest of "
                f"them is {said_of(weakest)}",
                items=(link_item(weakest), *(link_item(each) for each in way if each is not weakest)),
                measured=f"{first}, {second}",
                suggestion=f"look at {said_of(weakest)} first, or give the labels one class",
                aspect=f"{first}/{second}",
            )


def _pairs(named: Sequence[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    return ((one, other) for i, one in enumerate(named) for other in named[i + 1 :])


def identities(snapshot: Snapshot, sample: Sample) -> tuple[Chains[Link], list[Link]]:
    """What links make one thing, and the links that say of two that they are not."""

    def make() -> tuple[Chains[Link], list[Link]]:
        links = list(_standing(snapshot, sample))
        holding = Chains([(link, label_ends(link)) for link in links if link.holds])
        return holding, [link for link in links if not link.holds]

    return remembered(snapshot, ("identities", sample.id), make, _SAID_THE_SAME)


def _crossed(snapshot: Snapshot, sample: Sample) -> Sequence[tuple[Link, *tuple[object, ...]]]:
    """Links that ``boxes.crossed`` finds, where pictures and scans can be laid over each other."""
    try:
        return crossed_links(snapshot, sample)
    except Unmeasured:
        return ()


def _standing(snapshot: Snapshot, sample: Sample) -> Iterator[Link]:
    return (link for link in snapshot.links(sample.id) if link.type_id in SAME_THING and link.state in JUDGED)


def label_ends(link: Link) -> list[str]:
    """The labels that a link ends at."""
    return [end.target for end in link.ends if end.kind is TargetKind.ANNOTATION]


def strength(link: Link) -> tuple[int, int, float, int]:
    """How much stands behind a link: its state, who said it, how sure, and of two alike the one looked at last."""
    confidence = 1.0 if link.confidence is None else link.confidence
    return _STATES.index(link.state), _SOURCES.index(link.source.kind), confidence, -_made_ms(link)


def said_of(link: Link) -> str:
    """ "same_object (draft, 2026-11-21 14:02)": what kind of link, how sure and from when."""
    made_ms = _made_ms(link)
    when = f", {moment(made_ms)[:16].replace('T', ' ')}" if made_ms else ""
    return f"{'' if link.holds else 'not '}{link.type_id} ({link.state.value}{when})"


def in_ages(links: Sequence[Link]) -> str:
    """The links of a chain in words, the weakest and how long before the newest each was made."""
    newest = max(map(_made_ms, links))
    return ", ".join(f"{said_of(each)}{_older(newest - _made_ms(each))}" for each in links)


def _older(by_ms: int) -> str:
    for unit, name in ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute")):
        if by_ms >= unit:
            count = by_ms // unit
            return f" {count} {name}{'' if count == 1 else 's'} older"
    return ""


def _made_ms(link: Link) -> int:
    return millisecond_of(link.id) if is_id(link.id) else 0
