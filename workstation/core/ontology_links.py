"""Whether a link may join what it joins: roles, kinds of target, classes, shapes, streams and numbers of ends.

Used by ``ontology_compile.py``. The gate describes each end by an ``EndView``; no store is needed here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from workstation.core.annotation import Link, TargetKind
from workstation.core.geometry import ShapeKind
from workstation.core.ontology import EndRole, LinkType

_OF_CLASS = frozenset({TargetKind.ANNOTATION, TargetKind.ENTITY})
_ON_STREAM = frozenset({TargetKind.ANNOTATION, TargetKind.STREAM, TargetKind.MODALITY})


class EndView(msgspec.Struct, frozen=True):
    """What the gate knows of one end. ``class_id`` is the effective class; ``target`` an id, or a modality's name.

    ``label`` is what a person calls it ("car 17"), else kind and id stand for it.
    """

    role: str
    kind: TargetKind
    target: str = ""
    shape_kind: ShapeKind | None = None
    class_id: str | None = None
    stream_kind: str | None = None
    label: str = ""

    @property
    def words(self) -> str:
        """The end in a sentence."""
        return f"'{self.label}'" if self.label else f"{self.kind.value} {self.target}".rstrip()


class RoleLimits(msgspec.Struct, frozen=True):
    """A role with its classes spelled out (every class below the ones named)."""

    role: EndRole
    classes: frozenset[str]
    class_words: str


def compile_roles(link_type: LinkType, below: Mapping[str, frozenset[str]]) -> dict[str, RoleLimits]:
    """Role id → limits. ``below`` gives for each class itself and all classes under it."""
    limits = {}
    for role in link_type.roles:
        allowed = frozenset().union(*(below[class_id] for class_id in role.classes))
        words = " or ".join(role.classes)
        deeper = " or one below it" if len(allowed) > len(role.classes) else ""
        limits[role.id] = RoleLimits(role, allowed, words + deeper)
    return limits


def end_problem(type_id: str, limits: RoleLimits, end: EndView) -> str | None:
    """Why ``end`` may not fill the role, quoting the rule; ``None`` if it may."""
    role = limits.role
    needs = f"'{type_id}' needs {_article(role.id)} {role.id}"
    what = end.words
    if end.kind not in role.targets:
        return f"{needs} that is {_any_of(role.targets)}; {what} is {_article(end.kind)} {end.kind.value}"
    if limits.classes and end.kind in _OF_CLASS and end.class_id not in limits.classes:
        is_a = f"is {_article(end.class_id)} {end.class_id}" if end.class_id else "has no class"
        return f"{needs} of class {limits.class_words}; {what} {is_a}"
    if role.shapes and end.kind is TargetKind.ANNOTATION and end.shape_kind not in role.shapes:
        shape = end.shape_kind.value if end.shape_kind else "nothing drawn"
        return f"{needs} drawn as {_any_of(role.shapes)}; {what} is {shape}"
    where = end.target if end.kind is TargetKind.MODALITY else end.stream_kind or "sample"
    if role.streams and end.kind in _ON_STREAM and where not in role.streams:
        return f"{needs} on {_any_of(role.streams)}; {what} is on {where}"
    return None


def link_problems(
    link: Link, ends: Sequence[EndView], link_type: LinkType, roles: Mapping[str, RoleLimits]
) -> list[str]:
    """One sentence per reason why the link may not be made (its attributes are checked elsewhere)."""
    problems = _statement_problems(link, link_type)
    counts: Counter[str] = Counter()
    for end in ends:
        limits = roles.get(end.role)
        if limits is None:
            problems.append(f"'{link_type.id}' has no role '{end.role}'; its roles are: {', '.join(roles)}")
            continue
        counts[end.role] += 1
        problem = end_problem(link_type.id, limits, end)
        if problem is not None:
            problems.append(problem)
    for name, limits in roles.items():
        count, role = counts[name], limits.role
        if count < role.min or (role.max is not None and count > role.max):
            problems.append(f"'{link_type.id}' needs {_number(role)} {name}, this has {count}")
    targets = Counter((end.kind, end.target) for end in link.ends)
    if any(count > 1 for count in targets.values()):
        problems.append(f"'{link_type.id}' cannot join something with itself")
    return problems


def _statement_problems(link: Link, link_type: LinkType) -> list[str]:
    problems = []
    if not link.holds and not link_type.negatable:
        problems.append(f"'{link_type.id}' cannot be negated")
    if link_type.absence and not link.reason.strip():
        problems.append(f"'{link_type.id}' states an absence and needs a reason")
    if link.reason and link_type.reasons and link.reason not in link_type.reasons:
        listing = ", ".join(link_type.reasons)
        problems.append(f"'{link_type.id}' has no reason '{link.reason:.60}'; choose one of: {listing}")
    return problems


def roles_for(ends: Sequence[EndView], roles: Mapping[str, RoleLimits], type_id: str) -> tuple[str, ...] | None:
    """A role for each end so that every end fits and every role has its number; ``None`` if there is no way.

    A matching between ends and places: first every place that must be filled, then every end that is left over.
    """
    places: list[str] = []
    needed: list[int] = []
    for name, limits in roles.items():
        if limits.role.min > len(ends):
            return None
        most = len(ends) if limits.role.max is None else min(limits.role.max, len(ends))
        needed += range(len(places), len(places) + limits.role.min)
        places += [name] * most
    fits = {
        number: [index for index, name in enumerate(places) if end_problem(type_id, roles[name], end) is None]
        for number, end in enumerate(ends)
    }
    takers = {index: [number for number in fits if index in fits[number]] for index in needed}
    place_of: dict[int, int] = {}
    end_of: dict[int, int] = {}
    if not all(_find_partner(index, takers, end_of, place_of) for index in needed):
        return None
    if not all(end in place_of or _find_partner(end, fits, place_of, end_of) for end in fits):
        return None
    return tuple(places[place_of[number]] for number in fits)


def could_join(ends: Sequence[EndView], roles: Mapping[str, RoleLimits], type_id: str) -> bool:
    """Whether the ends may be some of such a link's, more of them to come."""
    open_roles = {
        name: msgspec.structs.replace(limits, role=msgspec.structs.replace(limits.role, min=0))
        for name, limits in roles.items()
    }
    return roles_for(ends, open_roles, type_id) is not None


def refusal(ends: Sequence[EndView], roles: Mapping[str, RoleLimits], type_id: str) -> str | None:
    """Why these ends may not be joined so, whatever role each had; ``None`` if they may."""
    if roles_for(ends, roles, type_id) is not None:
        return None
    problems = {
        name: [end_problem(type_id, limits, end) for end in ends] for name, limits in roles.items()
    }  # fmt: skip
    unfilled = [name for name in roles if roles[name].role.min and None not in problems[name]]
    homeless = [number for number in range(len(ends)) if all(each[number] for each in problems.values())]
    if homeless or unfilled:
        name = unfilled[0] if unfilled else next(iter(roles))
        number = max(homeless or range(len(ends)), key=lambda each: _nearness(roles[name], ends[each]))
        said = problems[name][number]
        if said is not None:
            return said
    needs = " and ".join(f"{_number(limits.role)} {name}" for name, limits in roles.items())
    return f"'{type_id}' needs {needs}; these {len(ends)} cannot be shared out so"


def _nearness(limits: RoleLimits, end: EndView) -> int:
    """How much of what a role asks for an end has: the one that nearly fits is the one to speak of."""
    role = limits.role
    return sum((
        end.kind in role.targets,
        not limits.classes or end.class_id in limits.classes,
        not role.shapes or end.shape_kind in role.shapes,
        not role.streams or end.stream_kind in role.streams,
    ))  # fmt: skip


def _find_partner(
    start: int,
    options: Mapping[int, Sequence[int]],
    option_of: dict[int, int],
    holder_of: dict[int, int],
) -> bool:
    """Give ``start`` one of its options, moving other holders on where needed (an augmenting path, breadth first)."""
    came_from: dict[int, int] = {}
    queue = [start]
    for current in queue:
        for option in options.get(current, ()):
            if option in came_from:
                continue
            came_from[option] = current
            holder = holder_of.get(option)
            if holder is not None:
                queue.append(holder)
                continue
            taken: int | None = option
            while taken is not None:
                taker = came_from[taken]
                before = option_of.get(taker)
                option_of[taker], holder_of[taken] = taken, taker
                taken = before if taker != start else None
            return True
    return False


def _number(role: EndRole) -> str:
    if role.max is None:
        return f"at least {role.min}"
    return f"exactly {role.min}" if role.min == role.max else f"{role.min} to {role.max}"


def _any_of(values: Sequence[str]) -> str:
    return " or ".join(str(value) for value in values)


def _article(word: str | None) -> str:
    return "an" if word and word[0] in "aeiou" else "a"
