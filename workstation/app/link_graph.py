"""The links of a sample as a graph that can be read: things as groups of their labels, relations between them, laid out
in columns around what is looked at. Without Qt; drawn by ``ui/panels/graph.py``.

With something in focus only its neighbourhood is laid out, two relations deep: to the left what leads to it, to the
right where it leads. Without, every group of things that hang together stands below the one before it. What is absent
somewhere says so in a note: a stream is no partner, and would tie everything that it lacks together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from workstation.app.link_rows import end_name, link_type_name
from workstation.app.looks import Paint
from workstation.app.sample_view import SampleView
from workstation.app.walking import when
from workstation.core.annotation import Link, LinkEnd, State, TargetKind

_DEEP = 2
_MOST_RELATIONS = 36
"""More lines at once nobody can follow: around something only its own relations are drawn then, of a group none."""
_GRID = 4
_MOST_IN_COLUMN = 30
_MOST_MEMBERS = 3
_MOST_LACKS = 3
_QUOTE = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A thing with its labels, a label that shows none, or whatever else a link may end at."""

    key: str
    ids: tuple[str, ...]
    """What a click selects; nothing for a modality."""
    name: str
    notes: tuple[str, ...]
    """Where it is labelled, a line each; the last may say how many more."""
    paint: Paint | None
    own_links: int = 0
    """Links among its own labels: drawn as a note, not as lines."""
    links: int = 0
    """Links to others, where they are too many to be drawn."""
    absences: int = 0
    """Links that say where it is not; they are among the notes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """The links between the same different nodes; one of them mostly."""

    links: tuple[str, ...]
    name: str
    nodes: tuple[int, ...]
    """In the order of the link's ends, each once."""
    holds: bool
    state: State
    stale: bool
    directed: bool
    """Whether it leads from the first to the others."""


@dataclass(slots=True)
class Graph:
    """``columns`` are stacks of node numbers from left to right, one list of columns for each group."""

    nodes: list[Node] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    groups: list[list[list[int]]] = field(default_factory=list)
    focus: int | None = None
    left_out: int = 0
    """Nodes of the neighbourhood that a full column had no room for."""


def graph_of(view: SampleView, focus: Sequence[str] = (), *, stale: Iterable[str] = ()) -> Graph:
    """Around the first of ``focus`` that hangs in a link; all of it where none does."""
    whole = _Whole(view, frozenset(stale))
    centre = next((number for each in focus if (number := whole.number_of(each)) is not None), None)
    if centre is None:
        return whole.everything()
    return whole.around(centre)


class _Whole:
    """All nodes and relations of a sample, before anything is laid out."""

    def __init__(self, view: SampleView, stale: frozenset[str]) -> None:
        self._view = view
        self._numbers: dict[str, int] = {}
        self._keys: list[str] = []
        self._own: dict[int, int] = defaultdict(int)
        self._lacking: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        """Of each node, what its absences say, with how many say it."""
        self._links: list[tuple[Link, tuple[int, ...]]] = []
        self._of: dict[int, list[int]] = defaultdict(list)
        self._stale = stale
        for link in sorted(view.links.values(), key=lambda each: (when(view, each.id) or 0, each.id)):
            lacking = _is_absence(view, link)
            numbers = tuple(dict.fromkeys(self._number(end) for end in link.ends if not lacking or _partner(end)))
            if lacking:
                self._lacking[numbers[0]][self._lack(link)] += 1
                continue
            if len(numbers) < 2:
                self._own[numbers[0]] += 1
                continue
            for number in numbers:
                self._of[number].append(len(self._links))
            self._links.append((link, numbers))

    def _lack(self, link: Link) -> str:
        away = ", ".join(end_name(self._view, end) for end in link.ends if not _partner(end))
        stale = "! " if link.id in self._stale else ""
        return f"{stale}{link_type_name(self._view, link.type_id).lower()} {away}"

    def number_of(self, record_id: str) -> int | None:
        link = self._view.links.get(record_id)
        if link is not None:
            return next((found for end in link.ends if (found := self._numbers.get(self._key(end))) is not None), None)
        annotation = self._view.annotations.get(record_id)
        key = record_id if annotation is None or annotation.entity is None else annotation.entity
        return self._numbers.get(key)

    def _key(self, end: LinkEnd) -> str:
        annotation = self._view.annotations.get(end.target)
        return annotation.entity if annotation is not None and annotation.entity is not None else end.target

    def _number(self, end: LinkEnd) -> int:
        key = self._key(end)
        if key not in self._numbers:
            self._numbers[key] = len(self._keys)
            self._keys.append(key)
        return self._numbers[key]

    # --- laying out ---------------------------------------------------------------------------------------------

    def around(self, centre: int) -> Graph:
        """The neighbourhood of one node; only its next ones where there are too many relations."""
        columns, left_out = self._columns(centre, _DEEP)
        found = self._graph([columns], focus=centre, left_out=left_out)
        if len(found.relations) <= _MOST_RELATIONS:
            return found
        columns, left_out = self._columns(centre, 1)
        return self._graph([columns], focus=centre, left_out=left_out, of=set(self._of[centre]))

    def everything(self) -> Graph:
        """Every group, the largest first; what is only linked within itself comes last, side by side.

        A group with too many relations is a table of its things with their counts: what they are, one of them tells.
        """
        seen: set[int] = set()
        groups: list[list[list[int]]] = []
        drawn: set[int] = set()
        for number in sorted(range(len(self._keys)), key=lambda each: (-len(self._of[each]), each)):
            if number in seen or not self._of[number]:
                continue
            columns, _ = self._columns(number, len(self._keys))
            members = [each for column in columns for each in column]
            seen.update(members)
            rows = {row for each in members for row in self._of[each]}
            if len({self._links[row][1] for row in rows}) > _MOST_RELATIONS:
                members.sort(key=lambda each: (-len(self._of[each]), each))
                columns = [members[start::_GRID] for start in range(min(_GRID, len(members)))]
            else:
                drawn |= rows
            groups.append(columns)
        groups.sort(key=lambda columns: -sum(map(len, columns)))
        return self._graph(groups + self._alone(), of=drawn)

    def _alone(self) -> list[list[list[int]]]:
        alone = [number for number in range(len(self._keys)) if not self._of[number]]
        return [[[each] for each in alone[start : start + 2]] for start in range(0, len(alone), 2)]

    def _columns(self, centre: int, deep: int) -> tuple[list[list[int]], int]:
        """Breadth first: what is earlier among a link's ends to the left, what is later to the right."""
        column_of, edge = {centre: 0}, [centre]
        left_out, counts = 0, defaultdict(int, {0: 1})
        for _ in range(deep):
            following: list[int] = []
            for number in edge:
                for other, side in self._neighbours(number):
                    if other in column_of:
                        continue
                    at = column_of[number] + (side if column_of[number] == 0 else (1 if column_of[number] > 0 else -1))
                    if counts[at] >= _MOST_IN_COLUMN and deep == _DEEP:
                        left_out += 1
                        continue
                    column_of[other] = at
                    counts[at] += 1
                    following.append(other)
            edge = following
            if not edge:
                break
        stacks: dict[int, list[int]] = defaultdict(list)
        for number, at in column_of.items():
            stacks[at].append(number)
        return [stacks[at] for at in sorted(stacks)], left_out

    def _neighbours(self, number: int) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for row in self._of[number]:
            _, numbers = self._links[row]
            here = numbers.index(number)
            found += [(other, -1 if place < here else 1) for place, other in enumerate(numbers) if other != number]
        return found

    def _graph(
        self, groups: list[list[list[int]]], *, focus: int | None = None, left_out: int = 0, of: set[int] | None = None
    ) -> Graph:
        """``of``: only these links are drawn; of the others each node says how many it has."""
        shown = [number for columns in groups for column in columns for number in column]
        new = {number: index for index, number in enumerate(dict.fromkeys(shown))}
        bundles: dict[tuple[int, ...], list[Link]] = defaultdict(list)
        for row in sorted({row for number in new for row in self._of[number]}):
            link, numbers = self._links[row]
            nodes = tuple(new[each] for each in numbers if each in new)
            if len(nodes) > 1 and (of is None or row in of):
                bundles[nodes].append(link)
        return Graph(
            nodes=[self._node(number, of) for number in new],
            relations=[self._relation(links, nodes) for nodes, links in bundles.items()],
            groups=[[[new[number] for number in column] for column in columns] for columns in groups],
            focus=None if focus is None else new[focus],
            left_out=left_out,
        )

    # --- what is said -------------------------------------------------------------------------------------------

    def _relation(self, links: list[Link], nodes: tuple[int, ...]) -> Relation:
        first = links[0]
        ontology = self._view.ontology
        known = None if ontology is None else ontology.link_types.get(first.type_id)
        name = link_type_name(self._view, first.type_id)
        more = f" +{len(links) - 1}" if len(links) > 1 else ""
        return Relation(
            links=tuple(each.id for each in links), name=(name if first.holds else f"not {name}") + more,
            holds=first.holds, state=first.state, nodes=nodes, stale=any(each.id in self._stale for each in links),
            directed=known is not None and not known.symmetric,
        )  # fmt: skip

    def _node(self, number: int, drawn: set[int] | None) -> Node:
        found = self._said(number)
        hidden = 0 if drawn is None else sum(row not in drawn for row in self._of[number])
        lacks = [f"{said} ({count})" if count > 1 else said for said, count in self._lacking.get(number, {}).items()]
        if len(lacks) > _MOST_LACKS:
            lacks = [*lacks[: _MOST_LACKS - 1], f"and {len(lacks) - _MOST_LACKS + 1} more absences"]
        return replace(found, notes=(*found.notes, *lacks), own_links=self._own[number], links=hidden,
                       absences=sum(self._lacking.get(number, {}).values()))  # fmt: skip

    def _said(self, number: int) -> Node:
        view, key = self._view, self._keys[number]
        entity, annotation = view.entities.get(key), view.annotations.get(key)
        if entity is not None:
            labels = list(view.annotations_of_entity(key))
            notes = [f"{each.kind.value.replace('_', ' ')} on {self._stream(each.stream)}" for each in labels]
            paint = view.paint_of(labels[0]) if labels else view.paint_of_class(entity.class_id)
            if len(notes) > _MOST_MEMBERS:
                notes = [*notes[: _MOST_MEMBERS - 1], f"and {len(notes) - _MOST_MEMBERS + 1} more"]
            return Node(key=key, ids=(key,), name=view.name_of(key), notes=tuple(notes), paint=paint)
        if annotation is not None:
            quote = annotation.text or getattr(annotation.shape, "quote", "") or ""
            said = [f"“{quote if len(quote) <= _QUOTE else quote[: _QUOTE - 1] + '…'}”"] if quote else []
            note = f"{annotation.kind.value.replace('_', ' ')} on {self._stream(annotation.stream)}"
            return Node(key=key, ids=(key,), name=view.name_of(key), notes=(*said, note),
                        paint=view.paint_of(annotation))  # fmt: skip
        ids = (key,) if view.exists(key) else ()
        return Node(key=key, ids=ids, name=view.name_of(key) if ids else key, notes=(_kind(view, key),), paint=None)

    def _stream(self, stream: str | None) -> str:
        found = self._view.streams.get(stream or "")
        return "the whole sample" if found is None else found.key


def _is_absence(view: SampleView, link: Link) -> bool:
    """Whether it says of one thing or label that something is not there."""
    known = None if view.ontology is None else view.ontology.link_types.get(link.type_id)
    return known is not None and known.absence and sum(_partner(end) for end in link.ends) == 1


def _partner(end: LinkEnd) -> bool:
    return end.kind in (TargetKind.ANNOTATION, TargetKind.ENTITY, TargetKind.LINK)


def _kind(view: SampleView, key: str) -> str:
    if key in view.streams:
        return TargetKind.STREAM.value
    if key in view.links:
        return TargetKind.LINK.value
    return TargetKind.SAMPLE.value if key == view.id else TargetKind.MODALITY.value
