"""The spans and relations that lie on a sheet of texts, found by passage, with the rows that keep overlaps readable.

Made by the text pane for its sheet and kept true by every ChangeSet. Without Qt: a row is a number, a place an offset.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from workstation.app.link_rows import link_type_name
from workstation.app.looks import Paint, claimed_name
from workstation.app.sample_view import SampleView
from workstation.app.text_source import Anchor, Sheet
from workstation.core.annotation import Annotation, Link, State
from workstation.core.geometry import TextSpan

RAILS = 12
"""Relations from line to line run beside the text in at most so many tracks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One span as it is drawn."""

    id: str
    body: int
    parts: tuple[tuple[int, int], ...]
    paint: Paint
    name: str
    state: State
    keys: tuple[str | None, ...]
    """What it is hidden, shown alone or locked by."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a span on one passage, in code points of the passage."""

    mark: Mark
    start: int
    end: int
    opens: bool
    """Whether a part of the span begins here, and whether one ends here: only there a boundary can be dragged."""
    closes: bool
    part: int


@dataclass(frozen=True, slots=True)
class Edge:
    """A relation between two spans of the sheet."""

    link: str
    name: str
    source: str
    target: str
    proposed: bool
    holds: bool
    directed: bool
    """Whether it leads from one to the other; else both ends are alike."""


class Marks:
    """All of a sheet. ``renew`` after commits."""

    def __init__(self, view: SampleView, sheet: Sheet) -> None:
        self._view = view
        self.sheet = sheet
        self.marks: dict[str, Mark] = {}
        self._on: dict[int, dict[str, None]] = defaultdict(dict)
        self._rows: dict[int, dict[str, int]] = {}
        for stream in dict.fromkeys(body.anchor.stream for body in sheet.bodies):
            for annotation in view.annotations_of(stream):
                if isinstance(annotation.shape, TextSpan):
                    self._enter(annotation)

    # --- questions ----------------------------------------------------------------------------------------------

    def pieces(self, passage: int) -> list[Piece]:
        """What lies on a passage, in order."""
        found = [piece for each in self._on.get(passage, ()) for piece in self._pieces(self.marks[each], passage)]
        return sorted(found, key=lambda piece: (piece.start, -piece.end, piece.mark.id))

    def rows(self, passage: int) -> dict[str, int]:
        """The row of every span on a passage: short ones nearest to the text, none over another."""
        known = self._rows.get(passage)
        if known is None:
            reach: dict[str, tuple[int, int]] = {}
            for piece in self.pieces(passage):
                low, high = reach.get(piece.mark.id, (piece.start, piece.end))
                reach[piece.mark.id] = min(low, piece.start), max(high, piece.end)
            known = self._rows[passage] = rows_of(reach)
        return known

    def at(self, passage: int, offset: int) -> list[Mark]:
        """The spans over a code point of a passage, the shortest first."""
        found = {each.mark.id: each.mark for each in self.pieces(passage) if each.start <= offset < each.end}
        return sorted(found.values(), key=_length)

    def in_order(self) -> list[Mark]:
        """All of them as they are read."""
        return sorted(self.marks.values(), key=lambda each: (each.body, each.parts, each.id))

    def edges_of(self, mark: str) -> Iterator[Edge]:
        """The relations of a span with others of the sheet."""
        for link in self._view.links_of(mark):
            for edge in self._edges(link):
                if mark in (edge.source, edge.target):
                    yield edge

    @cached_property
    def edges(self) -> Sequence[Edge]:
        """All relations within the sheet."""
        found: dict[Edge, None] = {}
        for mark in self.marks:
            found.update(dict.fromkeys(self.edges_of(mark)))
        return tuple(found)

    @cached_property
    def rails(self) -> dict[Edge, int]:
        """The track of each relation beside the text, for those that cross lines: no two on one where there is room."""
        reach = {each: tuple(sorted((self.first_passage(each.source), self.first_passage(each.target))))
                 for each in self.edges}  # fmt: skip
        rails: dict[Edge, int] = {}
        ends: list[int] = []
        for edge, (low, high) in sorted(reach.items(), key=lambda item: (item[1], item[0].link)):
            free = next((at for at, end in enumerate(ends) if end < low), None)
            if free is None and len(ends) < RAILS:
                free = len(ends)
                ends.append(high)
            elif free is None:
                free = min(range(RAILS), key=ends.__getitem__)
            ends[free] = max(ends[free], high)
            rails[edge] = free
        return rails

    def first_passage(self, mark: str) -> int:
        """Where a span begins."""
        found = self.marks[mark]
        return self.sheet.place(found.body, found.parts[0][0]).passage

    def passages_of(self, mark: str) -> list[int]:
        """The passages that a span lies on."""
        found = self.marks.get(mark)
        if found is None:
            return []
        return sorted({at for part in found.parts for at, _, _ in self.sheet.over(found.body, *part)})

    # --- staying true -------------------------------------------------------------------------------------------

    def renew(self, ids: Iterable[str]) -> set[int]:
        """Take in annotations that a commit touched; the passages that look other now."""
        touched: set[int] = set()
        ids = list(ids)
        if self.linked(ids):
            self.forget_edges()
        for record_id in ids:
            touched.update(self._leave(record_id))
            annotation = self._view.annotations.get(record_id)
            if annotation is not None and isinstance(annotation.shape, TextSpan):
                self._enter(annotation)
                touched.update(self.passages_of(record_id))
        for passage in touched:
            self._rows.pop(passage, None)
        return touched

    def linked(self, ids: Iterable[str]) -> bool:
        """Whether any of these is an end of a relation: then its lines are drawn anew wherever they run."""
        return any(True for each in ids for _ in self._view.links_of(each))

    def forget_edges(self) -> None:
        """Relations have changed."""
        self.__dict__.pop("edges", None)
        self.__dict__.pop("rails", None)

    def _enter(self, annotation: Annotation) -> None:
        shape = annotation.shape
        assert isinstance(shape, TextSpan)
        body = self.sheet.body_of(Anchor(annotation.stream, shape.of))
        if body is None:
            return
        length = len(self.sheet.bodies[body].text)
        parts = tuple((start, min(end, length)) for start, end in shape.parts if start < length)
        if not parts:
            return
        view = self._view
        named = view.name_of(annotation.id)
        if annotation.language and annotation.language != self.sheet.bodies[body].language:
            named = f"{named} · {annotation.language}"
        named = claimed_name(named, annotation.state, annotation.confidence)
        class_id = view.class_of(annotation)
        self.marks[annotation.id] = Mark(
            id=annotation.id, body=body, parts=parts, paint=view.paint_of(annotation), name=named,
            state=annotation.state, keys=(class_id, annotation.entity, annotation.stream, annotation.id),
        )  # fmt: skip
        for passage in self.passages_of(annotation.id):
            self._on[passage][annotation.id] = None

    def _leave(self, record_id: str) -> list[int]:
        passages = self.passages_of(record_id)
        for passage in passages:
            self._on[passage].pop(record_id, None)
        self.marks.pop(record_id, None)
        return passages

    def _pieces(self, mark: Mark, passage: int) -> Iterator[Piece]:
        held = self.sheet.passages[passage]
        for number, (start, end) in enumerate(mark.parts):
            low, high = max(start, held.start), min(end, held.end)
            if low < high:
                yield Piece(mark, low - held.start, high - held.start, start >= held.start, end <= held.end, number)

    def _edges(self, link: Link) -> Iterator[Edge]:
        ends = [end.target for end in link.ends if end.target in self.marks]
        ontology = self._view.ontology
        known = None if ontology is None else ontology.link_types.get(link.type_id)
        for target in ends[1:]:
            if target != ends[0]:
                yield Edge(link.id, link_type_name(self._view, link.type_id), ends[0], target,
                           link.state is State.PROPOSED, link.holds, known is None or not known.symmetric)  # fmt: skip


def rows_of(reach: dict[str, tuple[int, int]]) -> dict[str, int]:
    """A row for each stretch so that none lies over another, the shortest nearest to the text."""
    rows: list[list[tuple[int, int]]] = []
    found: dict[str, int] = {}
    for name, (low, high) in sorted(reach.items(), key=lambda item: (item[1][1] - item[1][0], item[1], item[0])):
        at = next((n for n, held in enumerate(rows) if all(b <= low or high <= a for a, b in held)), len(rows))
        if at == len(rows):
            rows.append([])
        insort(rows[at], (low, high))
        found[name] = at
    return found


def _length(mark: Mark) -> tuple[int, str]:
    return sum(end - start for start, end in mark.parts), mark.id
