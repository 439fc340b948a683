"""What of findings is drawn where their items are: which labels stand for each item, what is said, and when. No Qt.

Asked by the glass over the panes (``ui/finding_glass.py``) and by whoever goes to a finding; panes say where labels
are on the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workstation.app.measured_words import measured_text
from workstation.app.sample_view import SampleView
from workstation.core.findings import Finding, Item
from workstation.core.records import RecordKind
from workstation.core.timebase import TimeRange
from workstation.core.values import dataclass

_MOST_VIEWS = 60
"""Labels that stand for one item: a track of an entity on every camera has that many, a whole film of words more."""
_MOST_TRIED = 12
_ROOM = 0.15
"""Of what is between both ends, beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One finding as it is drawn: for each of its items the labels that stand for it, the same label once."""

    finding: Finding
    sides: tuple[frozenset[str], ...]

    @property
    def labels(self) -> frozenset[str]:
        """All of them."""
        return frozenset().union(*self.sides)


def shown(view: SampleView, finding: Finding) -> Shown:
    """The labels that a finding is about, item by item; a link stands for those of its ends that are no items."""
    taken: set[str] = set()
    sides: list[frozenset[str]] = []
    direct = [item for item in finding.items if item.kind != RecordKind.LINK.value]
    own = {item.id for item in direct if item.kind == RecordKind.ANNOTATION.value}
    for item in direct:
        for each in _sides(view, item):
            side = each - (own - {item.id}) - taken
            if side:
                taken |= side
                sides.append(side)
    for item in finding.items:
        for side in _sides(view, item) if item.kind == RecordKind.LINK.value else ():
            if side and not side & taken:
                taken |= side
                sides.append(side)
    return Shown(finding=finding, sides=tuple(sides))


def _sides(view: SampleView, item: Item) -> Iterable[frozenset[str]]:
    if item.id in view.annotations:
        return (frozenset({item.id}),)
    if item.id in view.entities:
        return (_views_of(view, item.id),)
    link = view.links.get(item.id)
    if link is None:
        return ()
    targets = [end.target for end in link.ends]
    return [frozenset({each}) if each in view.annotations else _views_of(view, each) for each in targets]


def _views_of(view: SampleView, entity: str) -> frozenset[str]:
    views = [each.id for each in view.annotations_of_entity(entity)]
    return frozenset(views[:_MOST_VIEWS])


def said(finding: Finding) -> tuple[str, ...]:
    """The callout: the rule with what was measured against the limit, then the sentence, then what helps."""
    measured = measured_text(finding)
    short = f"{finding.rule}: {measured}" if measured and len(measured) <= 48 else finding.rule
    text = finding.text[:1].upper() + finding.text[1:]
    helps = f"{finding.suggestion[:1].upper()}{finding.suggestion[1:]}." if finding.suggestion else ""
    mend = "" if finding.fix is None else f"Fix it (@finding.fix): {finding.fix.title}."
    return tuple(each for each in (short, f"{text}.", helps, mend) if each)


def of_labels(found: Iterable[Shown], labels: Sequence[str]) -> list[Shown]:
    """The findings about any of these labels."""
    wanted = set(labels)
    return [each for each in found if each.labels & wanted]


def best_moment(view: SampleView, what: Shown, now_ns: int) -> int | None:
    """A time at which most of its sides are there, where the playhead should go; ``None`` if now is as good."""
    sides = [[found for each in sorted(side) if (found := _range(view, each)) is not None] for side in what.sides]

    def seen(time_ns: int) -> int:
        return sum(any(each.contains(time_ns) or each.start_ns == time_ns for each in side) for side in sides)

    first = sides[0] if sides else []
    both = [_middle(a, b) for side in sides[1:] for a in first[:_MOST_TRIED] for b in side[:_MOST_TRIED]]
    alone = [_middle(each, each) for side in sides for each in side[:_MOST_TRIED]]
    best = max((*both, *alone), key=lambda time_ns: (seen(time_ns), -abs(time_ns - now_ns)), default=None)
    return None if best is None or seen(now_ns) >= seen(best) else best


def _middle(a: TimeRange, b: TimeRange) -> int:
    """Of what two have in common, or of the first."""
    start, end = max(a.start_ns, b.start_ns), min(a.end_ns, b.end_ns)
    return (start + end) // 2 if start < end else (a.start_ns + a.end_ns) // 2


def stretch(view: SampleView, what: Shown) -> TimeRange | None:
    """From the first of its labels to the last with room beside them; ``None`` without times."""
    ranges = [found for side in what.sides for each in side if (found := _range(view, each)) is not None]
    if not ranges:
        return None
    start, end = min(each.start_ns for each in ranges), max(each.end_ns for each in ranges)
    beside = max(1, int((end - start) * _ROOM))
    return TimeRange(start - beside, end + beside)


def streams_of(view: SampleView, what: Shown) -> list[frozenset[str]]:
    """The kinds of streams on which each side is."""
    found = []
    for side in what.sides:
        streams = (view.streams.get(view.annotations[each].stream or "") for each in side)
        found.append(frozenset(stream.kind.value for stream in streams if stream is not None))
    return found


def _range(view: SampleView, label: str) -> TimeRange | None:
    annotation = view.annotations.get(label)
    return None if annotation is None else view.session_range(annotation)
