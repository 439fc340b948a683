"""How long a sample is, and what is selected in it: from the first beginning to the last end, in session time."""

from __future__ import annotations

from collections.abc import Iterable

from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError
from workstation.core.sample import Stream
from workstation.core.timebase import SECOND_NS, TimeRange

NO_TIME = TimeRange(0, SECOND_NS)
"""The span of a sample in which nothing has a time: one picture, one document."""


def has_time(streams: Iterable[Stream], readers: OpenStreams) -> bool:
    """Whether any stream that can be opened has items in time; pictures, scans and pages have none."""
    return bool(_stream_spans(streams, readers))


def sample_span(streams: Iterable[Stream], readers: OpenStreams) -> TimeRange:
    """From the first item of the first stream to the end of the last; streams that cannot be opened do not count."""
    found = _stream_spans(streams, readers)
    if not found:
        return NO_TIME
    start_ns, end_ns = min(each.start_ns for each in found), max(each.end_ns for each in found)
    return TimeRange(start_ns, max(end_ns, start_ns + 1))


def _stream_spans(streams: Iterable[Stream], readers: OpenStreams) -> list[TimeRange]:
    found: list[TimeRange] = []
    for stream in streams:
        try:
            span = readers.extent(stream).span
        except DataError:  # its pane says what is wrong; the others still have a time axis
            continue
        if span is not None:
            found.append(stream.time_map.range_to_session(span))
    return found


def selected_range(view: SampleView, ids: Iterable[str]) -> TimeRange | None:
    """From the beginning of the first of these labels to the end of the last; ``None`` if none has a time."""
    found: TimeRange | None = None
    for each in ids:
        annotation = view.annotations.get(each)
        shown = None if annotation is None else view.session_range(annotation)
        if shown is not None:
            found = shown if found is None else found.hull(shown)
    return found
