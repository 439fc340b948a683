"""Where in session time a link, or an end of one, is drawn. Asked by the lanes of links and findings. Without Qt."""

from __future__ import annotations

from workstation.app.sample_view import SampleView
from workstation.core.annotation import Link, TargetKind
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


def arc_of(view: SampleView, link: Link) -> Arc | None:
    """Where a link is drawn; ``None`` if no end has a time."""
    found = [moment_of_end(view, end.kind, end.target) for end in link.ends]
    times = [each for each in found if each is not None]
    if link.start_ns is not None:
        times.append(link.start_ns)
    return Arc(link.id, min(times), max(times), link.holds) if times else None
