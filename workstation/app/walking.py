"""Walks through a sample by key: along the links of a selection, the keyframes of a track, the open findings.

Asked by the actions of the window; answers with ids and session times, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation
from workstation.core.findings import Finding
from workstation.core.tracks import MomentKind
from workstation.core.values import dataclass

if TYPE_CHECKING:  # which asks here when things begin
    from workstation.app.finding_places import PlacedFinding


_AWAY = frozenset({MomentKind.GAP, MomentKind.ABSENT})


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a walk has come to: what to select, and when it is (``None``: always)."""

    ids: tuple[str, ...]
    time_ns: int | None
    text: str = ""
    finding: str = ""
    """The fingerprint of the finding it has come to."""


def next_link(view: SampleView, selected: Sequence[str], step: int) -> Stop | None:
    """The next link in the web of links that the selection hangs in; ``None`` if it has no links.

    All links that can be reached are ordered by time, so that the same key pressed on comes past every one of them
    and back to the first, and the other key goes the same way back.
    """
    ring = sorted(_web(view, selected), key=lambda each: (when(view, each) or 0, each))
    if not ring:
        return None
    here = [index for index, each in enumerate(ring) if each in selected]
    if here:
        index = (here[0] + step) % len(ring)
    else:
        near = {each for one in view.related(selected) for each in (link.id for link in view.links_of(one))}
        index = next((i for i, each in enumerate(ring) if each in near), 0)
    link = view.links[ring[index]]
    text = f"Link {index + 1} of {len(ring)}: {link.type_id}, {view.name_of(link.id)}."
    return Stop((link.id,), when(view, link.id), text)


def next_end(view: SampleView, selected: Sequence[str], now_ns: int, step: int) -> Stop | None:
    """The next label in the web of links that the selection hangs in; ``None`` if it is linked to nothing.

    The labels at the ends of all those links, by time and then by stream, in a ring: the same key pressed on comes past
    every one of them. A thing that is an end stands for the one of its labels that shows now, else for its first.
    """
    found: dict[str, None] = {}
    for link in _web(view, selected):
        for end in view.links[link].ends:
            label = label_at(view, end.target, now_ns)
            if label is not None:
                found[label] = None
    streams = list(view.streams)

    def place(label: str) -> tuple[int, int, str]:
        stream = view.annotations[label].stream
        return (when(view, label) or 0, streams.index(stream) if stream in view.streams else -1, label)

    ring = sorted(found, key=place)
    own = view.related(selected)
    here = [index for index, each in enumerate(ring) if each in selected] or [
        index for index, each in enumerate(ring) if each in own
    ]
    if not ring or (len(ring) == 1 and here):
        return None
    index = (here[0] + step) % len(ring) if here else 0
    label = ring[index]
    stream = view.streams.get(view.annotations[label].stream or "")
    where = "the whole sample" if stream is None else stream.key
    return Stop((label,), when(view, label), f"Linked {index + 1} of {len(ring)}: {view.name_of(label)} on {where}.")


def label_at(view: SampleView, target: str, now_ns: int) -> str | None:
    """The label at an end of a link: a thing stands for the one of its labels that shows now, else for its first."""
    if target in view.annotations:
        return target
    labels = sorted(view.annotations_of_entity(target), key=lambda each: (when(view, each.id) or 0, each.id))
    if not labels:
        return None
    shown = (each.id for each in labels if (span := view.session_range(each)) is not None and span.contains(now_ns))
    return next(shown, labels[0].id)


def next_keyframe(view: SampleView, selected: Sequence[str], now_ns: int, step: int) -> Stop | None:
    """The keyframe before or after now on the selected tracks (or those that show the selected thing)."""
    times: list[tuple[int, str]] = []
    for record_id in view.related(selected) if selected else ():
        annotation = view.annotations.get(record_id)
        time_map = None if annotation is None else view.time_map(annotation)
        if annotation is None or annotation.track is None:
            continue
        for keyframe in view.keyframes(annotation.id):
            session_ns = keyframe.time_ns if time_map is None else time_map.to_session(keyframe.time_ns)
            times.append((session_ns, annotation.id))
    ahead = [each for each in times if (each[0] > now_ns if step > 0 else each[0] < now_ns)]
    if not ahead:
        return None
    time_ns, track = min(ahead) if step > 0 else max(ahead)
    return Stop((track,), time_ns)


def next_finding(
    view: SampleView,
    findings: Iterable[PlacedFinding],
    selected: Sequence[str],
    now_ns: int,
    step: int,
    looked_at: str | None = None,
) -> Stop | None:
    """The open finding after the one that is looked at or selected, else after now; comes round to the first."""
    still = [each for each in findings if not each.finding.settled]
    if not still:
        return None
    starts = np.array([now_ns if each.starts_ns is None else each.starts_ns for each in still], np.int64)
    order = np.argsort(starts, kind="stable")  # those of one moment in the order of the checks
    ring = [still[i] for i in order.tolist()]
    here = [index for index, each in enumerate(ring) if each.finding.fingerprint == looked_at]
    if not here:
        wanted = set(selected)
        here = [index for index, each in enumerate(ring) if wanted and wanted == set(_ids(view, each.finding))]
    if here:
        index = (here[-1 if step > 0 else 0] + step) % len(ring)
    else:
        later = int(np.searchsorted(starts[order], now_ns, side="right"))
        index = later % len(ring) if step > 0 else (later - 1) % len(ring)
    finding, time_ns = ring[index].finding, int(starts[order[index]])
    text = f"Finding {index + 1} of {len(ring)}: {finding.text}"
    return Stop(_ids(view, finding), time_ns, text, finding.fingerprint)


def _ids(view: SampleView, finding: Finding) -> tuple[str, ...]:
    return tuple(item.id for item in finding.items if view.exists(item.id))


def when(view: SampleView, record_id: str) -> int | None:
    """The session time at which something begins; a thing or link by the first of what it shows or joins."""
    annotation = view.annotations.get(record_id)
    if annotation is not None:
        found = view.session_range(annotation)
        return None if found is None else found.start_ns
    link = view.links.get(record_id)
    if link is not None:
        starts = [when(view, end.target) for end in link.ends if end.target not in view.links]
    elif record_id in view.entities:
        starts = [when(view, each.id) for each in view.annotations_of_entity(record_id)]
    else:
        return None
    return min((each for each in starts if each is not None), default=None)


def shows_at(view: SampleView, record_id: str, now_ns: int) -> bool:
    """Whether any part of it is there at that time; what has no time always is, unless it is linked to what has.

    A track is not there in its gaps and where it is stated to be absent.
    """
    link = view.links.get(record_id)
    targets = [record_id] if link is None else [end.target for end in link.ends]
    annotations = [
        view.annotations[each] for one in targets for each in view.related([one]) if each in view.annotations
    ]
    timed = [(each, span) for each in annotations if (span := view.session_range(each)) is not None]
    shown = any(span.contains(now_ns) and not _is_away(view, each, now_ns) for each, span in timed)
    return not timed or shown or (link is None and len(timed) < len(annotations))


def nearest(view: SampleView, record_id: str, now_ns: int) -> int | None:
    """Where to go to see it: in a gap of a track to the nearest keyframe that shows it, else to its beginning."""
    annotation = view.annotations.get(record_id)
    span = None if annotation is None else view.session_range(annotation)
    if annotation is None or span is None or not span.contains(now_ns) or not _is_away(view, annotation, now_ns):
        return when(view, record_id)
    time_map = view.time_map(annotation)
    own = [
        each.time_ns
        for each in view.keyframes(annotation.id)
        if view.moment(annotation, each.time_ns).kind not in _AWAY
    ]
    found = own if time_map is None else [time_map.to_session(each) for each in own]
    return min(found, key=lambda each: abs(each - now_ns), default=span.start_ns)


def _is_away(view: SampleView, annotation: Annotation, now_ns: int) -> bool:
    """Whether a track lives at that time and is not to be seen."""
    if annotation.track is None:
        return False
    return view.moment(annotation, view.own_ns(annotation, now_ns)).kind in _AWAY


def _web(view: SampleView, selected: Sequence[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(view.related(selected)) if selected else []
    seen = set(waiting)
    while waiting:
        record_id = waiting.pop()
        links = [record_id] if record_id in view.links else [link.id for link in view.links_of(record_id)]
        for link in links:
            if link not in found:
                found.add(link)
                fresh = view.related([link]) - seen
                seen |= fresh
                waiting += fresh
    return found
