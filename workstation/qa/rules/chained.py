"""Whether relations hold along a chain: what is said of a thing in one place must be true of it in every other.

Text to box, box to cuboid, cuboid to sound: each link may be right by itself, and the chain all the same say that a
sound comes from a thing and does not, that "the truck" is a car, or that one moment is two. One chain is one finding,
which names the weakest link first. Links that say of labels that they are one thing are judged in ``chains.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workstation.core.annotation import Annotation, Link, TargetKind
from workstation.core.chains import Chains
from workstation.core.findings import Item
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import ErrorType, LinkType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.seen_and_heard import seen_and_heard
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import SOUND_MS, SOUND_TOLERANCE, sync_limit_ms, time_limit_ms
from workstation.qa.findings import LABEL_KINDS, Fault, Sees, rule
from workstation.qa.remembered import of_each_link
from workstation.qa.rules.chains import identities, in_ages, said_of, strength
from workstation.qa.rules.items import JUDGED, annotation_item, class_of, link_item, ontology_of, streams_by_id
from workstation.qa.rules.ontology import SAME_THING
from workstation.qa.rules.said import annotation_at, phrases_linked, stands, text_of, wording_of
from workstation.qa.rules.views import LINKED, late_views, one_frame_ms

_MEANS = ("refers_to",)


@rule("chains.denied", error_type=ErrorType.INCORRECT_PAIRING, severity=Severity.ERROR, looks_at=LABEL_KINDS,
      sees=LINKED)  # fmt: skip
def denied(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A relation is stated of one label and denied of another, and links make both the same thing: the horn comes from
    a box, the box is the cuboid's thing, and the horn does not come from the cuboid.
    """
    links = [each for each in snapshot.links(sample.id) if each.state in JUDGED and each.type_id not in SAME_THING]
    refused = [each for each in links if not each.holds]
    if not refused:
        return
    same = _Sameness(snapshot, sample)
    for link in refused:
        for stated in links:
            way = same.way(stated, link) if stated.holds and stated.type_id == link.type_id else None
            if way is None:
                continue
            together = [stated, *way, link]
            weakest = min(together, key=strength)
            yield Fault(
                text=f"{link.type_id} is stated and denied of the same things, by way of {len(together)} links: "
                f"{in_ages(together)}; the weakest of them is {said_of(weakest)}",
                items=_weakest_first(together, weakest),
                measured=float(len(together)),
                suggestion=f"look at {said_of(weakest)} first, and delete or re-target the one that is wrong",
                aspect=stated.id,
            )
            break


@rule("chains.words", error_type=ErrorType.SEMANTIC, severity=Severity.ERROR, looks_at=LABEL_KINDS,
      sees=Sees(labels=(), links=frozenset({*SAME_THING, *_MEANS})))  # fmt: skip
def words(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A phrase fits the label that it is linked to, and not another label that links make the same thing: "the truck"
    refers to a vehicle, and the vehicle's cuboid is a car.
    """
    ontology = ontology_of(snapshot)
    wording = wording_of(ontology)
    same, _ = identities(snapshot, sample)
    members = {each: group for group, _ in same.groups() for each in group}
    streams = streams_by_id(snapshot, sample)
    for link, naming, ends in phrases_linked(snapshot, sample):
        for phrase, language, named in naming:
            for meant in (each for each in ends if each.id in members):
                wrong = _wrong_one(snapshot, meant, members[meant.id])
                for other, class_id in wrong:
                    bad = [each for each in named if wording.contradicts(each, class_id, language)]
                    if not bad or any(wording.fits(each, class_id) for each in named):
                        continue
                    if any(wording.contradicts(each, class_of(snapshot, meant) or "", language) for each in bad):
                        break  # it does not fit its own label either, which is found there
                    together = [link, *(same.way(meant.id, other.id) or ())]
                    weakest = min(together, key=strength)
                    yield Fault(
                        text=f"'{text_of(phrase)}' leads to a {class_id} by way of {len(together)} links: "
                        f"{in_ages(together)}; the weakest of them is {said_of(weakest)}",
                        items=(*_weakest_first(together, weakest), annotation_item(phrase, streams),
                               annotation_item(other, streams, class_id)),
                        measured=", ".join(each.quote for each in bad),
                        limit=class_id,
                        suggestion=f"look at {said_of(weakest)} first, or correct the class or the phrase",
                        aspect=f"{phrase.id} {class_id}",
                    )  # fmt: skip
                    break


@rule(
    "chains.apart",
    error_type=ErrorType.TEMPORAL,
    severity=Severity.ERROR,
    limit="the widest limit of the links between",
    unit="ms",
    looks_at=LABEL_KINDS,
    sees=LINKED,
)
def apart(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Links say one after the other that spans are one moment, each within its limit, and the first and the last of the
    chain are further apart than any of these links allows.
    """
    moments = _moments(snapshot, sample)
    chain = Chains([(each, tuple(each.begins_ns)) for each in moments])
    begins = {label: at for each in moments for label, at in each.begins_ns.items()}
    frame_ms = 0.0
    for members, links in chain.groups():
        if len(links) < 2:
            continue
        first, last = min(members, key=begins.__getitem__), max(members, key=begins.__getitem__)
        way = chain.way(first, last) or []
        if len(way) < 2 or any(each.apart_ms > each.limit_ms for each in way):
            continue  # one link is wrong by itself, and is found there
        frame_ms = frame_ms or _frame_ms(snapshot, sample)
        limit = max(*(each.limit_ms for each in way), frame_ms)
        apart_ms = (begins[last] - begins[first]) / 1e6
        if apart_ms <= limit:
            continue
        together = [each.link for each in way]
        weakest = min(together, key=strength)
        streams = streams_by_id(snapshot, sample)
        ends = [snapshot.get(RecordKind.ANNOTATION, each) for each in (first, last)]
        yield Fault(
            text=f"{len(way)} links make one moment of what begins {apart_ms:.1f} ms apart: {in_ages(together)}; the "
            f"weakest of them is {said_of(weakest)}",
            items=(*_weakest_first(together, weakest),
                   *(annotation_item(each, streams) for each in ends if isinstance(each, Annotation))),
            measured=round(apart_ms, 3),
            limit=limit,
            suggestion=f"look at {said_of(weakest)} first, and mend the label whose time is off",
        )  # fmt: skip


def _weakest_first(links: Sequence[Link], weakest: Link) -> tuple[Item, ...]:
    return (link_item(weakest), *(link_item(each) for each in links if each is not weakest))


class _Sameness:
    """Which ends show one thing: the same label, labels of one entity, or labels that links join."""

    def __init__(self, snapshot: Snapshot, sample: Sample) -> None:
        self._snapshot = snapshot
        self._same, _ = identities(snapshot, sample)

    def way(self, stated: Link, denied: Link) -> list[Link] | None:
        """The links that make the ends of one relation those of the other, role by role; ``None`` if they are not."""
        found: list[Link] = []
        for end in denied.ends:
            ways = [
                way for each in stated.ends
                if each.role == end.role and (way := self._between(each.target, end.target)) is not None
            ]  # fmt: skip
            if not ways:
                return None
            shortest: list[Link] = min(ways, key=len)
            found += shortest
        return list({link.id: link for link in found}.values())

    def _between(self, one: str, other: str) -> list[Link] | None:
        if one == other or self._thing(one) == self._thing(other):
            return []
        return self._same.way(one, other)

    def _thing(self, target: str) -> str:
        label = self._snapshot.get(RecordKind.ANNOTATION, target)
        return target if not isinstance(label, Annotation) or label.entity is None else label.entity


def _wrong_one(snapshot: Snapshot, meant: Annotation, group: Sequence[str]) -> Iterator[tuple[Annotation, str]]:
    """The other labels of a thing that have a class of their own."""
    for each in group:
        label = snapshot.get(RecordKind.ANNOTATION, each)
        if isinstance(label, Annotation) and label.id != meant.id and label.state in JUDGED:
            class_id = class_of(snapshot, label)
            if class_id is not None and class_id != class_of(snapshot, meant):
                yield label, class_id


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Moment:
    """A link that says of spans that they begin together, with where each begins in session time."""

    link: Link
    begins_ns: dict[str, int]
    limit_ms: float

    @property
    def apart_ms(self) -> float:
        return (max(self.begins_ns.values()) - min(self.begins_ns.values())) / 1e6


def _moments(snapshot: Snapshot, sample: Sample) -> list[_Moment]:
    types = ontology_of(snapshot).link_types
    streams = streams_by_id(snapshot, sample)
    usual, _ = sync_limit_ms(snapshot.project(), sample)
    heard = time_limit_ms(snapshot.project(), sample, SOUND_TOLERANCE, SOUND_MS)
    one_moment = {key: kind for key, kind in types.items() if _is_one_moment(kind)}

    def moment(link: Link) -> _Moment | None:
        kind = one_moment.get(link.type_id)
        if kind is None or not stands(link):
            return None
        begins = {str(each.id): at for each in _spans(snapshot, link) if (at := _begin_ns(each, streams)) is not None}
        if len(begins) < 2:
            return None
        widest = heard if seen_and_heard(snapshot, link, streams) is not None else usual
        return _Moment(link=link, begins_ns=begins, limit_ms=min(widest, kind.tolerance["time_ms"]))

    found = of_each_link(snapshot, sample, "begin together", moment)
    late = {link for view in late_views(snapshot, sample) for link in view.links} if found else set()
    return [found[link] for link in sorted(found.keys() - late)]


def _is_one_moment(kind: LinkType) -> bool:
    return "time_ms" in kind.tolerance and all(role.targets == (TargetKind.ANNOTATION,) for role in kind.roles)


def _spans(snapshot: Snapshot, link: Link) -> Iterator[Annotation]:
    for end in link.ends:
        label = annotation_at(snapshot, end)
        if label is not None and label.kind is ShapeKind.SPAN and label.track is None:
            yield label


def _begin_ns(label: Annotation, streams: dict[str, Stream]) -> int | None:
    stream = streams.get(label.stream or "")
    if label.start_ns is None:
        return None
    return label.start_ns if stream is None else stream.time_map.to_session(label.start_ns)


def _frame_ms(snapshot: Snapshot, sample: Sample) -> float:
    """The step from picture to picture, which nobody can place more exactly than."""
    films = [each for each in streams_by_id(snapshot, sample).values() if each.kind is StreamKind.VIDEO]
    frame = one_frame_ms(snapshot, sample, films)
    return frame + 1.0 if frame else 0.0
