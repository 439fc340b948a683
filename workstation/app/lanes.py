"""The lanes of the timeline: which there are for a sample, and its labels as columns ready to be drawn. Without Qt.

A stream has one lane for what was recorded and one lane (a *tier*) for each way its labels are drawn: turns with their
words, spans, tracks with keyframes, other shapes. Links and findings have a lane each. Asked by the timeline pane.

A tier holds bars in rows and ticks, in session time. It is made once per sample; a commit changes the columns of what
it touched and leaves the others where they are, so nothing jumps under the hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from enum import IntEnum, StrEnum
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from workstation.app.looks import Paint
from workstation.app.sample_view import SampleView
from workstation.app.span_columns import Bars, Int32s, bars, free_row, packed_rows, rarest_last
from workstation.app.transcript import speaker_paint
from workstation.app.viewport import Int64s
from workstation.core.annotation import Annotation, Gap, Interpolation, Keyframe, Presence, State
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import TimeMap
from workstation.core.values import dataclass


class LaneKind(StrEnum):
    """How a lane is drawn."""

    FILM = "film"
    SOUND = "sound"
    SWEEPS = "sweeps"
    PLOT = "plot"
    POSES = "poses"
    TEXT = "text"
    WHOLE = "whole"
    TURNS = "turns"
    SPANS = "spans"
    TRACKS = "tracks"
    SHAPES = "shapes"
    LINKS = "links"
    FINDINGS = "findings"


Keep = Callable[[Annotation], bool]
Whole = TypeVar("Whole", np.int32, np.int64)
_PATCHED_AT_MOST = 64
"""Above that many changes at once a tier is made anew, which costs less then."""
TIERS = (LaneKind.TURNS, LaneKind.SPANS, LaneKind.TRACKS, LaneKind.SHAPES)
_RECORDED = {
    StreamKind.VIDEO: LaneKind.FILM,
    StreamKind.AUDIO: LaneKind.SOUND,
    StreamKind.CLOUD: LaneKind.SWEEPS,
    StreamKind.RADAR: LaneKind.SWEEPS,
    StreamKind.SERIES: LaneKind.PLOT,
    StreamKind.TRAJECTORY: LaneKind.POSES,
    StreamKind.TEXT: LaneKind.TEXT,
    StreamKind.TURNS: LaneKind.TEXT,
}
_ORDER = (
    LaneKind.FILM, LaneKind.SOUND, LaneKind.TEXT, LaneKind.SWEEPS, LaneKind.PLOT, LaneKind.POSES, LaneKind.WHOLE,
)  # fmt: skip


class Style(IntEnum):
    """How a stretch is drawn, in the lowest bits of a code."""

    FULL = 0
    INTERPOLATED = 1
    HELD = 2
    GAP = 3
    ABSENT = 4


class Standing(IntEnum):
    """Whether somebody answers for what is drawn, in the bits above the style."""

    SURE = 0
    PROPOSED = 1
    REJECTED = 2


_STYLE_BITS, _STANDING_BITS = 3, 2
CODES_A_PAINT = 1 << (_STYLE_BITS + _STANDING_BITS)


def code_of(paint: int, style: Style, standing: Standing = Standing.SURE) -> int:
    """A paint's number, a standing and a style as one number, which is what is drawn."""
    return paint * CODES_A_PAINT | standing << _STYLE_BITS | style


def paints_in(codes: Int32s) -> Int32s:
    """The paint's number in each code."""
    return codes >> (_STYLE_BITS + _STANDING_BITS)


def styles_in(codes: Int32s) -> Int32s:
    """The style in each code."""
    return codes & ((1 << _STYLE_BITS) - 1)


def standings_in(codes: Int32s) -> Int32s:
    """The standing in each code."""
    return codes >> _STYLE_BITS & ((1 << _STANDING_BITS) - 1)


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane. ``key`` names it in the project's layout."""

    key: str
    kind: LaneKind
    title: str
    stream: str | None = None

    @property
    def is_tier(self) -> bool:
        return self.kind in TIERS


class Palette:
    """The paints that bars refer to by number; grows as classes and things come."""

    def __init__(self) -> None:
        self.paints: list[Paint] = []
        self._numbers: dict[Paint, int] = {}

    def number(self, paint: Paint) -> int:
        found = self._numbers.get(paint)
        if found is None:
            found = self._numbers[paint] = len(self.paints)
            self.paints.append(paint)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Ticks:
    """Moments in rows, by time: keyframes, and labels of an instant. All arrays are (n,)."""

    times: Int64s
    rows: Int32s
    codes: Int32s
    owners: Int32s


@dataclass(frozen=True, slots=True, eq=False)
class Tier:
    """Labels of one stream, drawn one way. The items lie in the order of their start."""

    ids: tuple[str, ...]
    items: Bars
    """One bar an item, for picking, boundaries and walking; its owner is its own number."""
    drawn: Bars
    """What is painted: of a track its stretches, of everything else the item itself."""
    ticks: Ticks
    row_count: int
    numbers: dict[str, int] = field(default_factory=dict)
    """Id → number of the item."""


def lanes_of(view: SampleView) -> tuple[Lane, ...]:
    """The lanes of a sample in their usual order: each stream, below it the tiers that hold something."""
    made: list[Lane] = []
    for stream in sorted(view.streams.values(), key=lambda each: (_ORDER.index(_recorded(each)), each.key)):
        made.append(Lane(f"{stream.key}/{_recorded(stream)}", _recorded(stream), stream.key, stream.id))
        made += _tier_lanes(view, stream.id, stream.key)
    made += _tier_lanes(view, None, "sample")
    made.append(Lane("links", LaneKind.LINKS, "Links"))
    made.append(Lane("findings", LaneKind.FINDINGS, "Findings"))
    return tuple(made)


def _recorded(stream: Stream) -> LaneKind:
    return _RECORDED.get(stream.kind, LaneKind.WHOLE)


def _tier_lanes(view: SampleView, stream: str | None, title: str) -> Iterator[Lane]:
    present = {tier_of(each) for each in view.annotations_of(stream)}
    for kind in TIERS:
        if kind in present:
            yield Lane(f"{title}/{kind}", kind, f"{title} {kind}" if stream is None else str(kind), stream)


def tier_of(annotation: Annotation) -> LaneKind | None:
    """The tier that shows it; ``None`` for what counts for all of an item and so has no place in time."""
    if annotation.start_ns is None or annotation.end_ns is None:
        return None
    if annotation.track is not None:
        return LaneKind.TRACKS
    if annotation.text is not None:
        return LaneKind.TURNS
    return LaneKind.SPANS if annotation.kind in ("span", "tag", "band") else LaneKind.SHAPES


# --- making a tier ------------------------------------------------------------------------------------------------


_Stretch = tuple[int, int, Style]
"""Part of a track in its own time, and how it is drawn. Plain, as a drive has ten thousand."""


def everything(_annotation: Annotation) -> bool:
    """Nothing is hidden."""
    return True


def make_tier(view: SampleView, lane: Lane, palette: Palette, keep: Keep = everything) -> Tier:
    """The labels of a lane as columns; ``keep`` says which are not hidden."""
    held = [each for each in view.annotations_of(lane.stream) if tier_of(each) is lane.kind and keep(each)]
    starts, ends = session_bounds(view, lane.stream, held)
    order = np.lexsort((ends, starts))
    held = [held[i] for i in order.tolist()]
    starts, ends = starts[order], ends[order]
    rows, count = _rows_by_entity(held, starts, ends) if lane.kind is LaneKind.TURNS else packed_rows(starts, ends)
    return _assembled(view, lane, palette, held, starts, ends, rows, count)


def changed_tier(
    view: SampleView, lane: Lane, palette: Palette, old: Tier, touched: Iterable[str], keep: Keep = everything
) -> Tier:
    """The tier after a commit that touched these annotations. What was not touched keeps its row."""
    touched = tuple(touched)
    gone = {each for each in touched if each in old.numbers}
    come = [
        annotation
        for annotation in (view.annotations.get(each) for each in touched)
        if annotation is not None
        and annotation.stream == lane.stream
        and tier_of(annotation) is lane.kind
        and keep(annotation)
    ]
    if not gone and not come:
        return old
    patched = lane.kind in (LaneKind.SPANS, LaneKind.SHAPES) and len(come) <= _PATCHED_AT_MOST
    if not patched:
        return make_tier(view, lane, palette, keep)  # stretches and speakers' rows: these tiers are small
    return _patched(view, lane, palette, old, gone, come)


def _patched(view: SampleView, lane: Lane, palette: Palette, old: Tier, gone: set[str], come: list[Annotation]) -> Tier:
    keep = np.ones(len(old.ids), np.bool_)
    keep[[old.numbers[each] for each in gone]] = False
    ids = [each for each in old.ids if each not in gone] if gone else list(old.ids)
    starts, ends = old.items.starts[keep], old.items.ends[keep]
    rows, codes = old.items.rows[keep], old.items.codes[keep]
    count = old.row_count
    for annotation in come:
        bounds = view.session_range(annotation)
        assert bounds is not None
        now = Bars(starts, ends, rows, codes, rows, starts)
        wanted = int(old.items.rows[old.numbers[annotation.id]]) if annotation.id in old.numbers else None
        row = free_row(now, bounds.start_ns, bounds.end_ns, wanted, count)
        count = max(count, row + 1)
        alike = starts.searchsorted([bounds.start_ns, bounds.start_ns + 1])
        at = int(alike[0] + ends[alike[0] : alike[1]].searchsorted(bounds.end_ns, side="right"))
        code = full_code(palette.number(view.paint_of(annotation)), annotation)
        starts, ends = _with(starts, at, bounds.start_ns), _with(ends, at, bounds.end_ns)
        rows, codes = _with(rows, at, row), _with(codes, at, code)
        ids.insert(at, annotation.id)
    owners = np.arange(len(ids), dtype=np.int32)
    count = int(rows.max()) + 1 if len(rows) else 1
    known = old.numbers if tuple(ids) == old.ids else None
    return plain_tier(tuple(ids), bars(starts, ends, rows, codes, owners, in_order=True), count, known)


def _with(values: NDArray[Whole], at: int, value: int) -> NDArray[Whole]:
    longer: NDArray[Whole] = np.insert(values, at, value).astype(values.dtype)
    return longer


def _assembled(
    view: SampleView, lane: Lane, palette: Palette, held: Sequence[Annotation], starts: Int64s, ends: Int64s,
    rows: Int32s, count: int,
) -> Tier:  # fmt: skip
    look = speaker_paint if lane.kind is LaneKind.TURNS else SampleView.paint_of
    paints = [palette.number(look(view, each)) for each in held]
    codes = np.array([full_code(paint, each) for paint, each in zip(paints, held, strict=True)], dtype=np.int32)
    owners = np.arange(len(held), dtype=np.int32)
    items = bars(starts, ends, rows, codes, owners, in_order=True)
    ids = tuple(str(each.id) for each in held)
    if lane.kind is LaneKind.TRACKS:
        drawn, ticks = _track_parts(view, held, paints, rows)
        return Tier(ids, items, drawn, ticks, count, {each: i for i, each in enumerate(ids)})
    return plain_tier(ids, items, count)


def plain_tier(ids: tuple[str, ...], items: Bars, count: int, numbers: dict[str, int] | None = None) -> Tier:
    """``numbers`` where they are known: of a hundred thousand labels they cost more than all the rest of an edit."""
    instants = np.flatnonzero(items.starts == items.ends)
    ticks = Ticks(items.starts[instants], items.rows[instants], items.codes[instants], items.owners[instants])
    if numbers is None:
        numbers = {each: i for i, each in enumerate(ids)}
    return Tier(ids, items, items, ticks, count, numbers)


def standing_of(annotation: Annotation) -> Standing:
    """What is proposed and what is rejected look so in every lane."""
    if annotation.state is State.PROPOSED:
        return Standing.PROPOSED
    return Standing.REJECTED if annotation.state is State.REJECTED else Standing.SURE


def full_code(paint: int, annotation: Annotation) -> int:
    """The code of a label that is drawn whole."""
    return code_of(paint, Style.FULL, standing_of(annotation))


def session_bounds(view: SampleView, stream: str | None, held: Sequence[Annotation]) -> tuple[Int64s, Int64s]:
    """The intervals in session time, like ``SampleView.session_range`` of each: instants stay instants."""
    own = np.array([(each.start_ns, each.end_ns) for each in held], dtype=np.int64).reshape(-1, 2)
    time_map = _map_of(view, stream)
    if time_map is None:
        return own[:, 0].copy(), own[:, 1].copy()
    starts, ends = time_map.to_session_array(own[:, 0].copy()), time_map.to_session_array(own[:, 1].copy())
    return starts, np.where(own[:, 0] == own[:, 1], starts, np.maximum(ends, starts + 1))


def _map_of(view: SampleView, stream: str | None) -> TimeMap | None:
    found = None if stream is None else view.streams.get(stream)
    return None if found is None else found.time_map


def _rows_by_entity(held: Sequence[Annotation], starts: Int64s, ends: Int64s) -> tuple[Int32s, int]:
    """A speaker's turns share a row, or as many as they need where she speaks over herself."""
    rows = np.zeros(len(held), np.int32)
    speakers: dict[str | None, list[int]] = {}
    for i, each in enumerate(held):
        speakers.setdefault(each.entity, []).append(i)
    used = 0
    for members in speakers.values():
        own, count = packed_rows(starts[members], ends[members])
        rows[members] = own + used
        used += count
    return rows, max(1, used)


# --- tracks -------------------------------------------------------------------------------------------------------


def _track_parts(
    view: SampleView, held: Sequence[Annotation], paints: Sequence[int], rows: Int32s
) -> tuple[Bars, Ticks]:
    """Stretches and keyframes. All lie on one stream, so that their times are mapped together."""
    view.hold_keyframes()
    spans: list[tuple[int, int, int, int]] = []
    ticks: list[tuple[int, int, int]] = []
    for i, (annotation, paint) in enumerate(zip(held, paints, strict=True)):
        keyframes = view.keyframes(annotation.id)
        codes = {style: code_of(paint, style, standing_of(annotation)) for style in Style}
        spans += [(start, end, codes[style], i) for start, end, style in stretches(annotation, keyframes)]
        full, absent = codes[Style.FULL], codes[Style.ABSENT]
        ticks += [(each.time_ns, absent if each.presence is Presence.ABSENT else full, i) for each in keyframes]
    columns = np.array(spans, dtype=np.int64).reshape(-1, 4)
    moments = np.array(ticks, dtype=np.int64).reshape(-1, 3)
    time_map = view.time_map(held[0]) if held else None
    starts, ends = _mapped(time_map, columns[:, 0]), _mapped(time_map, columns[:, 1])
    codes_of, owners = columns[:, 2].astype(np.int32), columns[:, 3].astype(np.int32)
    drawn = bars(starts, np.maximum(ends, starts + 1), rows[owners], codes_of, owners)
    times, tick_codes, tick_owners = _mapped(time_map, moments[:, 0]), moments[:, 1], moments[:, 2]
    tick_rows = rows[tick_owners]
    order = np.lexsort((tick_owners, tick_codes, tick_rows, times))
    return drawn, Ticks(
        times[order], tick_rows[order], tick_codes[order].astype(np.int32), tick_owners[order].astype(np.int32)
    )


def _mapped(time_map: TimeMap | None, own_ns: Int64s) -> Int64s:
    return own_ns.copy() if time_map is None else time_map.to_session_array(own_ns.copy())


def stretches(annotation: Annotation, keyframes: Sequence[Keyframe]) -> Iterator[_Stretch]:
    """What a track is between its keyframes, in its own time: the same answers as ``core.tracks.moment`` gives."""
    track = annotation.track
    if track is None or not keyframes:
        return
    rule, gaps = track.interpolation, track.gaps
    for before, after in pairwise(keyframes):
        style = _between(rule, before)
        if style is None:
            continue
        part = (before.time_ns, after.time_ns, style)
        if gaps:
            yield from _without_gaps(gaps, part)
        elif before.time_ns < after.time_ns:
            yield part
    for gap in gaps:
        start, end = max(gap.start_ns, keyframes[0].time_ns), min(gap.end_ns, keyframes[-1].time_ns + 1)
        if start < end:
            yield start, end, Style.GAP


def _between(rule: Interpolation, before: Keyframe) -> Style | None:
    if before.presence is Presence.ABSENT:
        return Style.ABSENT
    if rule is Interpolation.NONE or before.shape is None:
        return None
    return Style.HELD if rule is Interpolation.HOLD else Style.INTERPOLATED


def _without_gaps(gaps: Sequence[Gap], part: _Stretch) -> Iterator[_Stretch]:
    start, part_end, style = part
    for gap in gaps:
        if gap.end_ns > start and gap.start_ns < part_end:
            if gap.start_ns > start:
                yield start, gap.start_ns, style
            start = max(start, gap.end_ns)
    if start < part_end:
        yield start, part_end, style


# --- questions about a tier ---------------------------------------------------------------------------------------


def item_at(tier: Tier, session_ns: int, row: int, slack_ns: int = 0) -> int | None:
    """The item of a row at a time, else the nearest one within ``slack_ns``: short ones can be hit too.

    Of instants that lie within a third of that, where their marks do, the one of the rarest kind, which is on top.
    """
    mine = np.flatnonzero(tier.items.rows == row)
    if not len(mine):
        return None
    starts, ends = tier.items.starts[mine], np.maximum(tier.items.ends[mine], tier.items.starts[mine] + 1)
    away = np.maximum(np.maximum(starts - session_ns, session_ns - (ends - 1)), 0)
    marked = np.flatnonzero((away <= slack_ns // 3) & (tier.items.starts[mine] == tier.items.ends[mine]))
    if len(marked) > 1:
        nearest_last = marked[np.argsort(-away[marked], kind="stable")]
        order = rarest_last(tier.ticks.codes, tier.items.codes[mine[nearest_last]])
        return int(mine[nearest_last[order[-1]]])
    closest = int(np.argmin(away))
    return int(mine[closest]) if away[closest] <= slack_ns else None


def touching(tier: Tier, item: int, *, at_end: bool) -> int | None:
    """The item of the same row that begins where this one ends (or ends where it begins)."""
    items = tier.items
    if at_end:
        fits = (items.starts == items.ends[item]) & (items.ends > items.starts)
    else:
        fits = (items.ends == items.starts[item]) & (items.ends > items.starts)
    fits &= items.rows == items.rows[item]
    fits[item] = False
    found: NDArray[np.intp] = np.flatnonzero(fits)
    return int(found[0]) if len(found) else None
