"""Which relations may join what was picked, with a key for each, what makes the link, and why others are refused; also
where an end of a link may move. Without Qt.

A label is tried itself first, then the thing it shows: ``same object`` joins two cars wherever they were picked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from msgspec.structs import replace

from workstation.app.link_rows import link_type_name
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Link, LinkEnd, TargetKind
from workstation.core.described import DESCRIBED
from workstation.core.ontology import LinkType
from workstation.core.ontology_links import EndView
from workstation.core.values import dataclass

_DIGITS = "123456789"
_MOST_MIXED = 6
"""Of so many picks each may count as label or as thing by itself; of more, all count alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A relation that is legal, the key that takes it, and its ends by role as ``link.add`` wants them.

    An absence has no ends yet: where something is missing, and why, is still to be said.
    """

    type_id: str
    name: str
    key: str
    ends: dict[str, str | tuple[str, ...]]
    absence: bool = False

    @property
    def described(self) -> bool:
        """Whether the link says nothing without a sentence, which is then asked for."""
        return self.type_id in DESCRIBED


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A relation that may not join these, with the sentence of the ontology."""

    type_id: str
    name: str
    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An end of a link that may come to stand on something else, as ``link.retarget`` wants it."""

    role: str
    old: str
    new: str


def offers(view: SampleView, *picks: str, holds: bool = True) -> list[Offer]:
    """The legal relations in the order of the ontology; empty if none may join all these.

    ``holds`` false: only those that may be stated not to hold. Of a single pick: the absences that may be stated of it.
    """
    ontology = view.ontology
    if ontology is None or not picks:
        return []
    found: dict[str, dict[str, str | tuple[str, ...]]] = {}
    for ends in _readings(view, picks):
        for choice in ontology.link_types_for(ends):
            found.setdefault(choice.link_type.id, _by_role(choice.roles, ends))
    kinds = [each for each in ontology.link_types.values() if each.id in found and not each.absence]
    if len(picks) == 1:
        kinds = [each for each in ontology.link_types.values() if each.absence and _may_lack(view, each, picks[0])]
    off = links_off(view)
    ordered = [each for each in kinds if each.id not in off and (holds or each.negatable)]
    keys = _keys([each.key for each in ordered])
    return [
        Offer(
            type_id=each.id, name=link_type_name(view, each.id), key=key, ends=found.get(each.id, {}),
            absence=each.absence,
        )
        for each, key in zip(ordered, keys, strict=True)
    ]  # fmt: skip


def ends_with_new(
    view: SampleView, pick: str, type_id: str, class_id: str, entity: str
) -> dict[str, str | tuple[str, ...]] | None:
    """The ends of a link between a label and a thing that is not there yet; ``None`` if no such link is legal."""
    if view.ontology is None:
        return None
    new = EndView(role="", kind=TargetKind.ENTITY, target=entity, class_id=class_id)
    for end in _ends(view, pick):
        for choice in view.ontology.link_types_for((end, new)):
            if choice.link_type.id == type_id:
                return _by_role(choice.roles, (end, new))
    return None


def refusals(view: SampleView, *picks: str, holds: bool = True) -> list[Refusal]:
    """The relations of the ontology that may not join these, each with the reason."""
    ontology = view.ontology
    if ontology is None or len(picks) < 2:
        return []
    legal = {each.type_id for each in offers(view, *picks, holds=holds)} | links_off(view)
    return [
        Refusal(type_id=each.id, name=link_type_name(view, each.id), key=each.key or "", text=text)
        for each in ontology.link_types.values()
        if each.retired is None and not each.absence and each.id not in legal
        and (text := _why_not(view, each, picks, holds=holds))
    ]  # fmt: skip


def links_off(view: SampleView) -> frozenset[str]:
    """The link types that the project does without: nobody is offered them, or told why they would not fit."""
    project = view.reads.project()
    return frozenset() if project is None else frozenset(project.links_off)


def may_grow(view: SampleView, *picks: str) -> bool:
    """Whether some relation joins all these, as they are or with more beside them."""
    ontology = view.ontology
    if ontology is None:
        return False
    off = links_off(view)
    return any(
        not each.absence and each.id not in off
        for ends in _readings(view, picks) for each in ontology.link_types_open_to(ends)
    )  # fmt: skip


def moves(view: SampleView, link: Link, pick: str) -> tuple[list[Move], str]:
    """Which ends of the link may move to what was picked, the one that says itself first; else the reason.

    The end that was on the same stream, or is of the same kind, is the one most likely meant.
    """
    ontology = view.ontology
    if ontology is None:
        return [], "the project has no ontology, so nothing can be related"
    found: dict[str, Move] = {}
    why = ""
    for number, end in enumerate(link.ends):
        for new in _ends(view, pick):
            if any(other.target == new.target for other in link.ends):
                why = why or f"{view.name_of(new.target)} is an end of this link already"
                continue
            moved = replace(end, kind=new.kind, target=new.target, confirmed=None, confirmed_revision=None)
            ends = (*link.ends[:number], moved, *link.ends[number + 1 :])
            problems = ontology.check_link(replace(link, ends=ends), [_described(view, each) for each in ends], link)
            if not problems:
                found.setdefault(end.target, Move(role=end.role, old=end.target, new=f"{new.kind.value}:{new.target}"))
                break
            why = why or problems[0]
    likely = sorted(found.values(), key=lambda each: _unlike(view, each.old, pick))
    return likely, "" if likely else why


def _unlike(view: SampleView, old: str, pick: str) -> int:
    before, after = view.annotations.get(old), view.annotations.get(pick)
    if before is None or after is None:
        return 2
    return 0 if before.stream == after.stream else 1 if before.kind == after.kind else 2


def _why_not(view: SampleView, link_type: LinkType, picks: Sequence[str], *, holds: bool) -> str:
    """The reason of the reading that comes first: the labels themselves."""
    assert view.ontology is not None
    if not holds and not link_type.negatable:
        return f"'{link_type.id}' cannot be negated"
    ends = next(iter(_readings(view, picks)), ())
    return view.ontology.link_refusal(link_type.id, ends) or "" if ends else ""


def _may_lack(view: SampleView, link_type: LinkType, pick: str) -> bool:
    """Whether an absence of this type may be stated of it."""
    assert view.ontology is not None
    if link_type.retired is not None:
        return False
    return any(
        any(each.id == link_type.id for each in view.ontology.link_types_open_to((end,)))
        for end in _ends(view, pick)
        if end.kind in (TargetKind.ANNOTATION, TargetKind.ENTITY)
    )


def _readings(view: SampleView, picks: Sequence[str]) -> Iterator[tuple[EndView, ...]]:
    """Each pick as the label itself or as the thing it shows, in every mixture in which all are different."""
    options = [list(_ends(view, each)) for each in picks]
    if not all(options):
        return
    if len(picks) > _MOST_MIXED:
        mixtures = [tuple(each[0] for each in options), tuple(each[-1] for each in options)]
    else:
        mixtures = list(product(*options))
    for ends in mixtures:
        if len({each.target for each in ends}) == len(ends):
            yield ends


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
        yield _described(view, LinkEnd(role="", kind=TargetKind.ANNOTATION, target=annotation.id))
        entity = view.entity_of(annotation)
    if entity is not None:
        yield _described(view, LinkEnd(role="", kind=TargetKind.ENTITY, target=entity.id))
    elif record_id in view.links:
        yield EndView(role="", kind=TargetKind.LINK, target=record_id)
    elif record_id in view.streams:
        yield _described(view, LinkEnd(role="", kind=TargetKind.STREAM, target=record_id))


def _described(view: SampleView, end: LinkEnd) -> EndView:
    """An end as the ontology judges it."""
    annotation, entity = view.annotations.get(end.target), view.entities.get(end.target)
    if annotation is not None:
        stream = view.streams.get(annotation.stream or "")
        return EndView(
            role=end.role, kind=end.kind, target=end.target, shape_kind=annotation.kind,
            class_id=view.class_of(annotation), stream_kind=None if stream is None else stream.kind.value,
            label=view.name_of(end.target),
        )  # fmt: skip
    if entity is not None:
        return EndView(role=end.role, kind=end.kind, target=end.target, class_id=entity.class_id,
                       label=view.name_of(end.target))  # fmt: skip
    if end.target in view.streams:
        stream_kind = view.streams[end.target].kind.value
        return EndView(role=end.role, kind=end.kind, target=end.target, stream_kind=stream_kind)
    return EndView(role=end.role, kind=end.kind, target=end.target)
