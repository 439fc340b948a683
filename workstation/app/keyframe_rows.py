"""The keyframes and gaps of a track as rows in the order of time. Without Qt; for the inspector."""

from __future__ import annotations

from workstation.app.places import time_text
from workstation.app.rows import Cell, Column, Row
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation, Presence

COLUMNS = (
    Column(title="When", width=12),
    Column(title="What", stretch=True),
    Column(title="By", width=12, spare=1),
)
_TONES = {Presence.OCCLUDED: "warning", Presence.ABSENT: "quiet"}


def keyframe_rows(view: SampleView, annotation: Annotation) -> list[Row]:
    """A click goes to the moment."""
    if annotation.track is None:
        return []
    time_map = view.time_map(annotation)
    found: list[tuple[int, Row]] = []
    for number, keyframe in enumerate(view.keyframes(annotation.id), start=1):
        session_ns = keyframe.time_ns if time_map is None else time_map.to_session(keyframe.time_ns)
        what = f"keyframe {number}, {keyframe.presence.value}"
        by = Cell(text=keyframe.source.name or keyframe.source.kind.value)
        cells = (Cell(text=time_text(session_ns)), Cell(text=what, tone=_TONES.get(keyframe.presence, "")), by)
        found.append((session_ns, Row(key=keyframe.id, ids=(annotation.id,), time_ns=session_ns, cells=cells)))
    for gap in annotation.track.gaps:
        start_ns = gap.start_ns if time_map is None else time_map.to_session(gap.start_ns)
        lasts = f"gap of {(gap.end_ns - gap.start_ns) / 1e9:.3f} s" + (f": {gap.reason}" if gap.reason else "")
        cells = (Cell(text=time_text(start_ns)), Cell(text=lasts, tone="quiet", icon="absent"), Cell())
        found.append((start_ns, Row(key=f"gap {gap.start_ns}", ids=(annotation.id,), time_ns=start_ns, cells=cells)))
    return [row for _, row in sorted(found, key=lambda each: each[0])]
