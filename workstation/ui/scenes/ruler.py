"""The ruler's scale: which times and which units of the focused stream are marked at a zoom, and how they are written.

Pure arithmetic for the timeline's ruler and whatever else writes times; the widget is in ``panes/timeline_ruler.py``.
"""

from __future__ import annotations

from workstation.app.units import Units, shown_between
from workstation.app.viewport import Viewport

_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18000, 36000, 86400, 864000)
_STEPS: tuple[int, ...] = (
    *(int(factor * 10**power) for power in range(9) for factor in (1, 2, 5)),
    *(seconds * 10**9 for seconds in _SECONDS),
)
_COUNTS: tuple[int, ...] = tuple(int(factor * 10**power) for power in range(10) for factor in (1, 2, 5))


def time_step(view: Viewport, least_px: float) -> int:
    """The smallest round step in nanoseconds that takes at least so many pixels."""
    wanted = view.ns_per_px * least_px
    return next((step for step in _STEPS if step >= wanted), _STEPS[-1])


def marks(view: Viewport, step_ns: int) -> range:
    """The multiples of a step in view."""
    return range(-(-view.start_ns // step_ns) * step_ns, view.end_ns, step_ns)


def in_words(time_ns: int, step_ns: int = 1_000_000) -> str:
    """``1:02:03.250``: hours and minutes where there are some, as many decimals as the step needs."""
    decimals = next((d for d in range(10) if step_ns % 10 ** (9 - d) == 0), 9)
    sign, rest = ("−" if time_ns < 0 else ""), abs(time_ns)
    whole, part = divmod(rest, 10**9)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    tail = f".{part:09d}"[: decimals + 1] if decimals else ""
    if hours:
        return f"{sign}{hours}:{minutes:02d}:{seconds:02d}{tail}"
    return f"{sign}{minutes}:{seconds:02d}{tail}" if minutes else f"{sign}{seconds}{tail}"


def unit_marks(units: Units, view: Viewport, least_px: float) -> list[tuple[int, int]]:
    """(number, session time) of the units to mark, every n-th where they are dense."""
    inside = shown_between(units, view.shown)
    if not len(inside):
        return []
    room = max(1.0, view.width_px / least_px)
    across = units.session_ns(inside[-1]) - units.session_ns(inside[0]) or 1
    dense = len(inside) / max(1.0, room * across / view.duration_ns)
    step = next((count for count in _COUNTS if count >= dense), _COUNTS[-1])
    first = -(-inside[0] // step) * step
    return [(number, units.session_ns(number)) for number in range(first, inside[-1] + 1, step)]
