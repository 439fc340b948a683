"""What the ends of a link are, side by side, each at its own time: who, where, when, and what there is to see of it.

Asked by the panel of ends (``ui/panels/ends.py``) for what is picked in link mode, for a selected link, and for a label
with what it is linked to. An end keeps its own moment: where the playhead shows it that one, else its beginning.
"""

from __future__ import annotations

from collections.abc import Sequence

from workstation.app.adopting import onlookers, seen_at
from workstation.app.link_rows import end_name
from workstation.app.looks import Paint
from workstation.app.moment import table_of
from workstation.app.picture_shapes import bounds_of, lines_of
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.app.walking import when
from workstation.core.annotation import Annotation, Link, LinkEnd, TargetKind
from workstation.core.errors import DataError
from workstation.core.frametable import shown_capture
from workstation.core.geometry import Cuboid, ShapeKind
from workstation.core.sample import StreamKind
from workstation.core.timebase import TimeRange
from workstation.core.values import dataclass

_MOST, _MOST_PANES = 8, 3
_QUOTE = 160
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """A picture in which an end is seen: stream, frame, and where in it (left, top, right, bottom, in its pixels)."""

    stream: str
    frame: int
    bounds: Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCard:
    """One end."""

    key: str
    role: str
    name: str
    where: str
    span: TimeRange | None
    """In session time; ``None`` for what is always there."""
    moment_ns: int | None
    quote: str
    paint: Paint | None
    glimpse: Glimpse | None


def ends_to_show(view: SampleView, picks: Sequence[str], selected: Sequence[str]) -> list[tuple[str, str]]:
    """(role, record): what is picked, else the ends of the selected link, else a label and what it is linked to."""
    if picks:
        return [("", each) for each in picks[:_MOST]]
    link = next((view.links[each] for each in selected if each in view.links), None)
    if link is not None:
        return [(end.role, end.target) for end in link.ends[:_MOST]]
    if len(selected) != 1:
        return []
    found: dict[str, str] = {selected[0]: ""}
    own = view.related(selected)
    for record_id in (selected[0], *sorted(own - set(selected))):
        for other in view.links_of(record_id):
            found |= {end.target: _role(other, end) for end in other.ends if end.target not in own | found.keys()}
    return [(role, each) for each, role in list(found.items())[:_MOST]] if len(found) > 1 else []


def kinds_of_ends(view: SampleView, link: str) -> tuple[frozenset[str], ...]:
    """For each of the first ends the kinds of streams on which it can be looked at; of a thing any of its labels'."""
    found = []
    for end in view.links[link].ends[:_MOST_PANES]:
        labels = [view.annotations[end.target]] if end.target in view.annotations else []
        streams = [each.stream for each in labels or view.annotations_of_entity(end.target)]
        kinds = frozenset(view.streams[each].kind.value for each in streams if each in view.streams)
        if kinds:
            found.append(kinds)
    return tuple(found)


def linked_to(view: SampleView, selected: Sequence[str]) -> list[tuple[str, str]]:
    """What a menu offers to go to from a selection: (record, its name with the role it has)."""
    found = ends_to_show(view, (), selected)
    own = view.related(selected)
    return [(each, f"{role}: {view.name_of(each)}") for role, each in found if view.exists(each)
            and (each not in own or any(one in view.links for one in selected))]  # fmt: skip


def _role(link: Link, end: LinkEnd) -> str:
    return end.role if link.holds else f"not {end.role}"


class Cards:
    """Makes cards of one sample; remembers which cameras there are."""

    def __init__(self, view: SampleView, readers: OpenStreams, placed: PlacedCuboids | None) -> None:
        self._view = view
        self._readers = readers
        self._placed = placed
        self._onlookers = None if placed is None else list(onlookers(view, readers, placed))

    def card(self, role: str, record_id: str, now_ns: int) -> EndCard:
        """How one end is to be shown while the playhead is there."""
        view = self._view
        label = self._label_of(record_id, now_ns)
        if label is None:
            kind = TargetKind.STREAM if record_id in view.streams else TargetKind.MODALITY
            return EndCard(key=record_id, role=role, name=view.name_of(record_id), where=kind.value, span=None,
                           moment_ns=when(view, record_id), quote="", paint=None, glimpse=None)  # fmt: skip
        span = view.session_range(label)
        moment = now_ns if span is None or span.contains(now_ns) else span.start_ns
        stream = view.streams.get(label.stream or "")
        quote = label.text or getattr(label.shape, "quote", "") or ""
        name = view.name_of(record_id) if quote else end_name(view, _as_end(label))
        return EndCard(
            key=record_id, role=role, name=name, where="the whole sample" if stream is None else stream.key,
            span=span, moment_ns=moment if span is not None else None, quote=quote[:_QUOTE], paint=view.paint_of(label),
            glimpse=self._glimpse(label, moment),
        )  # fmt: skip

    def _label_of(self, record_id: str, now_ns: int) -> Annotation | None:
        """The label itself; of a thing the one that shows now, a picture's first."""
        view = self._view
        if record_id in view.annotations:
            return view.annotations[record_id]
        labels = list(view.annotations_of_entity(record_id))

        def order(each: Annotation) -> tuple[bool, bool, int]:
            span, stream = view.session_range(each), view.streams.get(each.stream or "")
            shown = span is None or span.contains(now_ns)
            return (not shown, stream is None or stream.kind is not StreamKind.VIDEO, when(view, each.id) or 0)

        return min(labels, key=order, default=None)

    def _glimpse(self, label: Annotation, session_ns: int) -> Glimpse | None:
        """On its own film, or, of a cuboid, on the film that shows it largest."""
        stream = self._view.streams.get(label.stream or "")
        if stream is None:
            return None
        if stream.kind is StreamKind.VIDEO:
            return self._on_film(label, session_ns)
        if label.kind is not ShapeKind.CUBOID or self._placed is None:
            return None
        best: tuple[float, Glimpse] | None = None
        for each in self._onlookers or ():
            shown = shown_capture(each.table, each.stream.time_map, session_ns)
            seen = None if shown is None else seen_at(self._placed, each, label.id, session_ns)
            if shown is None or seen is None or seen.box is None or each.stream.kind is not StreamKind.VIDEO:
                continue
            box = seen.box
            glimpse = Glimpse(stream=each.stream.id, frame=shown.index,
                              bounds=(box.x, box.y, box.x + box.width, box.y + box.height))  # fmt: skip
            if best is None or box.width * box.height > best[0]:
                best = box.width * box.height, glimpse
        return None if best is None else best[1]

    def _on_film(self, label: Annotation, session_ns: int) -> Glimpse | None:
        stream = self._view.streams[label.stream or ""]
        try:
            table = table_of(self._readers.reader(stream))
        except DataError:  # its own pane says why it cannot be shown
            return None
        shown = None if table is None else shown_capture(table, stream.time_map, session_ns)
        if table is None or shown is None:
            return None
        shape = self._view.moment(label, int(table.times_ns[shown.index])).shape
        if shape is None or isinstance(shape, Cuboid):
            return Glimpse(stream=stream.id, frame=shown.index, bounds=(0.0, 0.0, 0.0, 0.0))
        places = lines_of(shape).every()
        bounds = bounds_of(places) if len(places) else (0.0, 0.0, 0.0, 0.0)
        return Glimpse(stream=stream.id, frame=shown.index, bounds=bounds)


def _as_end(label: Annotation) -> LinkEnd:
    return LinkEnd(role="", kind=TargetKind.ANNOTATION, target=label.id)
