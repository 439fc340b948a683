"""Where in session time a link, or an end of one, is drawn. Asked by the lanes of links and findings. Without Qt."""

from __future__ import annotations

from workstation.app.sample_view import SampleView
from workstation.core.annotation import Link, TargetKind
from workstation.core.timerange import TimeRange
from workstation.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Arc:
    """A link between two moments of the session; the same twice where it has only one end in time."""

    link: str
    first_ns: int
    last_ns: int
    holds: bool


def moment_of_end(view: SampleView, kind: TargetKind, target: str) -> int | None:
    """Where in time an end is: the beginning of the label, or of the first label of an entity."""
    if kind is TargetKind.ANNOTATION:
        annotation = view.annotations.get(target)
        shown = None if annotation is None else view.session_range(annotation)
        return None if shown is None else shown.start_ns
    if kind is TargetKind.ENTITY:
        ranges = [view.session_range(each) for each in view.annotations_of_entity(target)]
        return min((each.start_ns for each in ranges if each is not None), default=None)
    return None


def moments_of_ends(view: SampleView, link: Link) -> dict[str, int]:
    """When each end is meant, by its target: the beginning of a label, and of what lives long (a track, a thing) the
    moment that the link is about, as far as it lives then. That is the link's own, else when the last of the others
    begins. Ends without a time are left out.
    """
    short: dict[str, int] = {}
    long: dict[str, TimeRange] = {}
    for end in link.ends:
        annotation = view.annotations.get(end.target)
        if end.kind is TargetKind.ENTITY:
            ranges = [view.session_range(each) for each in view.annotations_of_entity(end.target)]
        elif annotation is not None and annotation.track is not None:
            ranges = [view.session_range(annotation)]
        else:
            at_ns = moment_of_end(view, end.kind, end.target)
            short |= {} if at_ns is None else {end.target: at_ns}
            continue
        held = [each for each in ranges if each is not None]
        if held:
            long[end.target] = TimeRange(min(each.start_ns for each in held), max(each.end_ns for each in held))
    about = link.start_ns
    if about is None:
        about = max(short.values() or (each.start_ns for each in long.values()), default=0)
    return short | {target: min(max(about, each.start_ns), each.end_ns) for target, each in long.items()}


def arc_of(view: SampleView, link: Link) -> Arc | None:
    """Where a link is drawn; ``None`` if no end has a time."""
    times = [*moments_of_ends(view, link).values()]
    if link.start_ns is not None:
        times.append(link.start_ns)
    return Arc(link.id, min(times), max(times), link.holds) if times else None
