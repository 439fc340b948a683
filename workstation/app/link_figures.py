"""How far the relations of a project have come: of what could be linked so how much is, and whether people who linked
the same samples agree. The link type that counts most in the project comes first.

Asked by ``report links`` for a project and by the panel of links for the open sample.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from workstation.core.annotation import Annotation, Entity, Link, State, TargetKind
from workstation.core.geometry import Box, Span, TextSpan
from workstation.core.ontology import LinkType, name_in
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.ontology_links import EndView, RoleLimits, compile_roles, end_problem
from workstation.core.sample import Stream
from workstation.store.queries import Reads

_STANDING = frozenset({State.DRAFT, State.DONE, State.APPROVED})
_ONE_THING = frozenset({"same_object"})
"""Types that say that labels are one thing, which belonging to one entity says as well."""
_ALIKE = 0.5
"""Labels of two people mean the same place if they cover each other by so much."""


@dataclass(slots=True)
class Coverage:
    """Of the things that may stand in one role (or be one thing in several streams), how many do."""

    role: str
    may: int = 0
    linked: int = 0
    absent: int = 0
    """Not linked, with the reason stated."""

    @property
    def share(self) -> float | None:
        """Linked or stated to have no counterpart; ``None`` of nothing."""
        return None if not self.may else (self.linked + self.absent) / self.may

    def words(self) -> str:
        """ "sound 75 % (3 of 4, 1 absent)"."""
        if self.share is None:
            return f"{self.role}: none"
        said = f", {self.absent} of them absent with a reason" if self.absent else ""
        return f"{self.role} {self.share:.0%} ({self.linked + self.absent} of {self.may}{said})"


@dataclass(slots=True, kw_only=True)
class Agreement:
    """What two passes (layers) linked alike in samples that both worked on, pooled."""

    samples: int = 0
    alike: int = 0
    made: int = 0
    """Links of both passes together."""

    @property
    def share(self) -> float | None:
        """Twice what both made, of all that either made; ``None`` where nobody worked on the same sample."""
        return None if not self.made else 2 * self.alike / self.made


@dataclass(slots=True, kw_only=True)
class LinkFigures:
    """One link type over the samples that were counted."""

    type_id: str
    name: str
    main: bool = False
    off: bool = False
    states: Counter[str] = field(default_factory=Counter)
    roles: list[Coverage] = field(default_factory=list)
    agreement: Agreement = field(default_factory=Agreement)

    def words(self) -> str:
        """The line that a report begins with."""
        covered = "; ".join(each.words() for each in self.roles if each.may)
        parts = [covered or "nothing that it should cover"]
        share, samples = self.agreement.share, self.agreement.samples
        if share is not None:
            parts.append(f"agreement {share:.0%} over {samples} sample{'' if samples == 1 else 's'}")
        elif self.main:
            parts.append("agreement not measured: no sample was linked in two layers")
        return f"{self.name}: {'; '.join(parts)}"

    def plain(self) -> dict[str, Any]:
        """As a row."""
        return {
            "link": self.type_id, "main": self.main, "off": self.off,
            "made": sum(count for state, count in self.states.items() if State(state) in _STANDING),
            "states": dict(self.states),
            "coverage": [
                {"role": each.role, "may": each.may, "linked": each.linked, "absent": each.absent,
                 "share": None if each.share is None else round(each.share, 4)} for each in self.roles
            ],
            "agreement": None if self.agreement.share is None else round(self.agreement.share, 4),
            "agreement_samples": self.agreement.samples,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The records of one sample, however they were read."""

    streams: Mapping[str, Stream]
    entities: Mapping[str, Entity]
    annotations: Mapping[str, Annotation]
    links: Sequence[Link]


def project_figures(reads: Reads) -> list[LinkFigures]:
    """Every link type of the ontology over all samples, the one that counts most first, then the most made."""
    project, ontology = reads.project(), reads.ontology()
    if ontology is None:
        return []
    samples = (
        Counted(
            streams={each.id: each for each in reads.streams(sample.id)},
            entities={each.id: each for each in reads.entities(sample.id)},
            annotations={each.id: each for each in reads.annotations(sample.id)},
            links=list(reads.links(sample.id)),
        )
        for sample in reads.samples()
    )
    main = "" if project is None else project.main_link
    off = () if project is None else project.links_off
    types = [each for each in ontology.link_types.values() if not each.absence and each.retired is None]
    found = figures(ontology, types, samples)
    for each in found:
        each.main, each.off = each.type_id == main, each.type_id in off
    return sorted(found, key=lambda each: (not each.main, each.off, -sum(each.states.values())))


def figures(ontology: CompiledOntology, types: Sequence[LinkType], samples: Iterable[Counted]) -> list[LinkFigures]:
    """The figures of some link types over some samples."""
    language = ontology.ontology.language
    below = {class_id: ontology.below(class_id) for class_id in ontology.classes}
    limits = {each.id: compile_roles(each, below) for each in types}
    found = {each.id: LinkFigures(type_id=each.id, name=name_in(each.names, language)) for each in types}
    for each in types:
        found[each.id].roles = [Coverage(name) for name in _counted_roles(each, limits[each.id])]
    absences = {each.id for each in ontology.link_types.values() if each.absence}
    for sample in samples:
        by_type: defaultdict[str, list[Link]] = defaultdict(list)
        for link in sample.links:
            by_type[link.type_id].append(link)
        stated = _stated(sample, absences)
        for each in types:
            made = by_type[each.id]
            figure = found[each.id]
            figure.states.update(link.state.value for link in made)
            standing = [link for link in made if _stands(link)]
            for coverage in figure.roles:
                _cover(coverage, each, limits[each.id], sample, standing, stated)
            _agree(figure.agreement, sample, standing)
    return list(found.values())


_Stated = Mapping[str, set[str]]
"""Label or thing -> the kinds of streams in which somebody said that it has no counterpart."""


def _stated(sample: Counted, absences: set[str]) -> _Stated:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for link in sample.links:
        if link.type_id in absences and _stands(link):
            places = [end for end in link.ends if end.kind in (TargetKind.STREAM, TargetKind.MODALITY)]
            kinds = {
                sample.streams[end.target].kind.value if end.target in sample.streams else end.target for end in places
            }
            for end in link.ends:
                found[end.target] |= kinds
    return found


def _stands(link: Link) -> bool:
    return link.holds and link.state in _STANDING


def _counted_roles(kind: LinkType, limits: Mapping[str, RoleLimits]) -> list[str]:
    """The roles that say what may stand in them; one that takes anything says nothing of what is missing."""
    if kind.id in _ONE_THING:
        return ["things"]
    return [name for name, each in limits.items() if each.classes or each.role.shapes or each.role.streams]


def _cover(
    coverage: Coverage, kind: LinkType, limits: Mapping[str, RoleLimits], sample: Counted, standing: Sequence[Link],
    stated: _Stated,
) -> None:  # fmt: skip
    if kind.id in _ONE_THING:
        _cover_things(coverage, limits, sample, standing, stated)
        return
    filled = {
        target
        for link in standing for end in link.ends if end.role == coverage.role
        for target in (end.target, _entity_of(sample, end.target)) if target is not None
    }  # fmt: skip
    others = [each for name, each in limits.items() if name != coverage.role]
    role = limits[coverage.role]
    for members in _candidates(kind.id, role, sample, by_thing=TargetKind.ENTITY in role.role.targets).values():
        coverage.may += 1
        if members & filled:
            coverage.linked += 1
        elif any(_excuses(stated.get(each, set()), others) for each in members):
            coverage.absent += 1


def _excuses(kinds: set[str], others: Sequence[RoleLimits]) -> bool:
    """Whether what is missing in streams of these kinds could have stood in one of the other roles."""
    wanted = [{str(stream) for stream in each.role.streams} or kinds for each in others]
    return any(kinds & streams for streams in wanted)


def _cover_things(
    coverage: Coverage, limits: Mapping[str, RoleLimits], sample: Counted, standing: Sequence[Link], stated: _Stated
) -> None:  # fmt: skip
    """Things that are in two streams at least, or joined to a label of another one."""
    joined = {end.target for link in standing for end in link.ends}
    things: dict[str, set[str]] = {}
    for role in limits.values() if len(sample.streams) > 1 else ():
        for name, members in _candidates("same_object", role, sample, by_thing=True).items():
            things.setdefault(name, set()).update(members)
    for members in things.values():
        coverage.may += 1
        if len({sample.annotations[each].stream for each in members if each in sample.annotations}) > 1 or (
            members & joined
        ):
            coverage.linked += 1
        elif not members.isdisjoint(stated):
            coverage.absent += 1


def _candidates(
    type_id: str, limits: RoleLimits, sample: Counted, *, by_thing: bool
) -> dict[str, set[str]]:  # fmt: skip
    """What may stand in a role: things with their labels, and labels that show none; else labels, each by itself."""
    fits: dict[tuple[object, ...], bool] = {}
    found: dict[str, set[str]] = {}
    for label in sample.annotations.values():
        if label.state not in _STANDING:
            continue
        entity = sample.entities.get(label.entity or "")
        class_id = label.class_id if label.class_id is not None or entity is None else entity.class_id
        stream = sample.streams.get(label.stream or "")
        key = (class_id, label.kind, None if stream is None else stream.kind)
        if key not in fits:
            view = EndView(
                role=limits.role.id, kind=TargetKind.ANNOTATION, shape_kind=label.kind, class_id=class_id,
                stream_kind=None if stream is None else stream.kind.value,
            )  # fmt: skip
            fits[key] = end_problem(type_id, limits, view) is None
        if fits[key]:
            name = entity.id if entity is not None and by_thing else label.id
            found.setdefault(name, {name}).add(label.id)
            if entity is not None:
                found[name].add(entity.id)
    return found


def _entity_of(sample: Counted, target: str) -> str | None:
    label = sample.annotations.get(target)
    return None if label is None else label.entity


# --- agreement ------------------------------------------------------------------------------------------------------


def _agree(agreement: Agreement, sample: Counted, standing: Sequence[Link]) -> None:
    layers: defaultdict[str, list[Link]] = defaultdict(list)
    for link in standing:
        layers[link.layer].append(link)
    if len(layers) < 2:
        return
    agreement.samples += 1
    for one, other in combinations(sorted(layers), 2):
        left = [_places(sample, link) for link in layers[other]]
        agreement.made += len(layers[one]) + len(left)
        for link in layers[one]:
            mine = _places(sample, link)
            match = next((number for number, theirs in enumerate(left) if _same_ends(mine, theirs)), None)
            if match is not None:
                left.pop(match)
                agreement.alike += 1


_Place = tuple[str, str, Annotation | None]
"""The role, what stands there (the thing where there is one), and the label if it is one."""


def _places(sample: Counted, link: Link) -> list[_Place]:
    found = []
    for end in link.ends:
        label = sample.annotations.get(end.target)
        thing = end.target if label is None or label.entity is None else label.entity
        found.append((end.role, thing, label))
    return found


def _same_ends(mine: Sequence[_Place], theirs: Sequence[_Place]) -> bool:
    """Whether each end of the one is an end of the other: the same thing, or labels of the same place."""
    if len(mine) != len(theirs):
        return False
    left = list(theirs)
    for role, thing, label in mine:
        match = next((each for each in left if each[0] == role and (each[1] == thing or _alike(label, each[2]))), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _alike(one: Annotation | None, other: Annotation | None) -> bool:
    if one is None or other is None or (one.stream, one.kind) != (other.stream, other.kind):
        return False
    a, b = one.shape, other.shape
    if isinstance(a, Box) and isinstance(b, Box):
        across = _common(a.x, a.x + a.width, b.x, b.x + b.width)
        down = _common(a.y, a.y + a.height, b.y, b.y + b.height)
        both = across * down
        return both >= _ALIKE * (a.width * a.height + b.width * b.height - both) and one.start_ns == other.start_ns
    if isinstance(a, TextSpan) and isinstance(b, TextSpan):
        return a.of == b.of and _covers(*_reach(a), *_reach(b))
    if isinstance(a, Span) and one.start_ns is not None and one.end_ns is not None:
        if other.start_ns is None or other.end_ns is None:
            return False
        return _covers(one.start_ns, one.end_ns, other.start_ns, other.end_ns)
    return False


def _reach(span: TextSpan) -> tuple[int, int]:
    return min(part[0] for part in span.parts), max(part[1] for part in span.parts)


def _common(a: float, b: float, c: float, d: float) -> float:
    return max(0.0, min(b, d) - max(a, c))


def _covers(a: float, b: float, c: float, d: float) -> bool:
    whole = max(b, d) - min(a, c)
    return (a, b) == (c, d) if whole <= 0 else _common(a, b, c, d) >= _ALIKE * whole


def main_figures(
    ontology: CompiledOntology | None, type_id: str, sample: Counted
) -> LinkFigures | None:  # fmt: skip
    """The figures of one link type in one sample."""
    kind = None if ontology is None else ontology.link_types.get(type_id)
    if ontology is None or kind is None:
        return None
    return next(iter(figures(ontology, [kind], [sample])))


def ordered_types(ontology: CompiledOntology) -> Iterator[LinkType]:
    """The link types to choose from, as the ontology lists them."""
    return (each for each in ontology.link_types.values() if each.retired is None)
