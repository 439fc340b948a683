"""The one door to time: ranges, maps from a stream's clock to session time, tables of presentation times.

Import from here. The parts are ``timerange``, ``timemap`` and ``frametable``.
"""

from workstation.core.frametable import (
    Capture,
    FrameTable,
    frame_table,
    nearest_capture,
    ns_from_units,
    shown_capture,
)
from workstation.core.timemap import IDENTITY, Knot, TimeMap, knot_map, offset_map, rate_map
from workstation.core.timerange import (
    LIMIT_NS,
    SECOND_NS,
    TimeRange,
    check_ns,
    intersections,
    uncovered,
    union,
)

__all__ = [
    "IDENTITY",
    "LIMIT_NS",
    "SECOND_NS",
    "Capture",
    "FrameTable",
    "Knot",
    "TimeMap",
    "TimeRange",
    "check_ns",
    "frame_table",
    "intersections",
    "knot_map",
    "nearest_capture",
    "ns_from_units",
    "offset_map",
    "rate_map",
    "shown_capture",
    "uncovered",
    "union",
]
