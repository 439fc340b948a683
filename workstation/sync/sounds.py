"""The offset and drift between two sound tracks of one scene, from what both heard. Signals in, offsets out.

Called by ``app/synchronising.py`` for ``workstation sync sound``. The offset is found once over a long stretch, then
again in short windows all along, each laid over by what is known so far, so that a drift does not smear it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workstation.core.errors import DataError
from workstation.sync.delay import Delay, delay_between
from workstation.sync.drift import DriftFit, OffsetAt, fit_drift
from workstation.sync.signals import Signal, resampled

_SECOND_NS = 1_000_000_000
_COARSE_RATE_HZ = 4_000.0
_COARSE_S = 120.0
_WINDOW_S = 4.0
_SLACK_S = 0.02
"""How far a window's own offset may lie from what is known so far."""
_FEWEST_WINDOWS = 3
_MOST_WINDOWS = 60
_ROUNDS = 2
_RATE_HZ = 16_000.0
Progress = Callable[[float], None]


def sound_offset(reference: Signal, other: Signal, *, most_s: float = 10.0) -> OffsetAt | None:
    """One offset from the longest loud stretch, or ``None`` where the two have nothing in common.

    The offset is what must be added to ``other``'s times to get ``reference``'s.
    """
    rate = min(_COARSE_RATE_HZ, reference.rate_hz, other.rate_hz)
    start_ns, length_s = _common(reference, other)
    length_s = min(length_s, _COARSE_S)
    count = int(length_s * rate)
    if count < 16:
        return None
    starts = _starts(reference, other, length_s, many=5)
    best: Delay | None = None
    at_ns = start_ns
    for each in starts:
        first = resampled(reference, each, rate, count)
        second = resampled(other, each, rate, count)
        found = delay_between(first, second, rate, most_s=min(most_s, length_s / 2))
        if best is None or found.strength > best.strength:
            best, at_ns = found, int(each)
        if best.strength > 40:
            break
    if best is None or not best.clear:
        return None
    return _offset_at(best, at_ns + round(length_s / 2 * 1e9), 0)


def sound_drift(
    reference: Signal, other: Signal, *, most_s: float = 10.0, progress: Progress | None = None
) -> tuple[DriftFit, tuple[OffsetAt, ...]]:
    """The map from ``other``'s times to ``reference``'s, and the offsets it was made from.

    Raises ``DataError`` where the two tracks have nothing in common.
    """
    rough = sound_offset(reference, other, most_s=most_s)
    if rough is None:
        raise DataError("the two recordings have no sound in common", place="the sound tracks")
    known = fit_drift([rough])
    points: list[OffsetAt] = []
    for number in range(_ROUNDS):
        points = _windows(reference, other, known, slack_s=_SLACK_S if number else 0.25, progress=progress)
        if len(points) < _FEWEST_WINDOWS:
            return known, (rough,)
        known = fit_drift(points)
    return known, tuple(points)


def _windows(
    reference: Signal, other: Signal, known: DriftFit, *, slack_s: float, progress: Progress | None
) -> list[OffsetAt]:
    """The offset in windows all along ``other``; windows where the two have nothing in common are left out."""
    rate = min(_RATE_HZ, reference.rate_hz, other.rate_hz)
    count = int(_WINDOW_S * rate)
    last_ns = other.start_ns + (other.count / other.rate_hz - _WINDOW_S) * 1e9
    many = int(np.clip((last_ns - other.start_ns) / (_WINDOW_S * 1e9) + 1, 1, _MOST_WINDOWS))
    found = []
    for number, start in enumerate(np.linspace(other.start_ns, max(last_ns, other.start_ns), many)):
        own_ns = round(start)
        session_ns = known.time_map.to_session(own_ns)
        end_ns = known.time_map.to_session(own_ns + round(_WINDOW_S * 1e9))
        # The reference is read at the pace of the other clock, so that a drift inside the window is gone.
        pace = (end_ns - session_ns) / (_WINDOW_S * 1e9)
        first = resampled(reference, session_ns, rate / pace, count)
        second = resampled(other, own_ns, rate, count)
        if first.any() and second.any():
            delay = delay_between(first, second, rate, most_s=min(slack_s, _WINDOW_S / 3))
            if delay.clear:
                middle_ns = own_ns + round(_WINDOW_S / 2 * 1e9)
                found.append(_offset_at(delay, middle_ns, known.time_map.to_session(middle_ns) - middle_ns))
        if progress is not None:
            progress((number + 1) / many)
    return found


def _offset_at(delay: Delay, at_ns: int, known_ns: int) -> OffsetAt:
    half_width_ns = max(1, round(delay.half_width_s * 1e9))
    return OffsetAt(at_ns=at_ns, offset_ns=known_ns - round(delay.delay_s * 1e9), half_width_ns=half_width_ns)


def _common(reference: Signal, other: Signal) -> tuple[int, float]:
    """Where both begin to be there, by their own times, and for how many seconds."""
    start_ns = max(reference.start_ns, other.start_ns)
    ends = (each.start_ns + each.count / each.rate_hz * 1e9 for each in (reference, other))
    return start_ns, max(0.0, (min(ends) - start_ns) / _SECOND_NS)


def _starts(reference: Signal, other: Signal, length_s: float, *, many: int) -> list[float]:
    start_ns, common_s = _common(reference, other)
    if common_s <= length_s:
        return [float(start_ns)]
    return list(np.linspace(start_ns, start_ns + (common_s - length_s) * 1e9, many))
