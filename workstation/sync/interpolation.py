"""Software alignment by time stamps: a stream's own times against the stamps its items got, a map with residual out.

Called by ``app/clocks.py`` for ``workstation sync align --method interpolate``. A host stamps an item when it gets
around to it, so stamps jitter; the items' own rhythm does not. The map is the line through all pairs, robust against
late stamps, so that the time of an item is interpolated between its neighbours' stamps and not taken from its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.ratio import Int64s
from workstation.core.timemap import TimeMap, rate_map

METHOD = "interpolate"
_OUTLIER = 4.0
_SCALE = 1.4826
"""From the median absolute deviation to a standard deviation, for bell-shaped errors."""
_LEAST_NS = 1_000.0
_SURE = 3.0
"""A rate is believed to differ from one when it does by so many of its own standard errors."""
_MOST_RATE = 0.05


@dataclass(frozen=True, slots=True)
class _Line:
    rate: float
    at_center_ns: float
    residual_ns: float
    kept: NDArray[np.bool_]


def map_from_stamps(own_ns: Int64s, stamps_ns: Int64s, *, source: str) -> TimeMap:
    """The map from own to session time. Both (n,) int64 ns, item by item; ``stamps_ns`` in session time.

    ``source`` says where the stamps come from and stands in the evidence. Raises ``DataError`` where no line fits.
    """
    if len(own_ns) != len(stamps_ns):
        raise DataError(f"{len(stamps_ns)} time stamps for {len(own_ns)} items", place=source)
    if not len(own_ns):
        raise DataError("no item has a time stamp", place=source)
    center_ns = int(own_ns[len(own_ns) // 2])
    line = _fitted((own_ns - center_ns).astype(np.float64), (stamps_ns - center_ns).astype(np.float64))
    if abs(line.rate - 1.0) > _MOST_RATE:
        raise DataError(
            f"its stamps run at {line.rate:.3f} times its own clock: these are not its stamps", place=source
        )
    found = rate_map(
        Fraction(line.rate).limit_denominator(10**12),
        stream_ns=center_ns,
        session_ns=center_ns + round(line.at_center_ns),
    )
    evidence = {"stamps": source, "items": len(own_ns), "left_out": int((~line.kept).sum()), "rate": line.rate}
    return found.found_by(METHOD, evidence=evidence, residual_ns=round(line.residual_ns))


def rhythm_residual_ns(times_ns: Int64s) -> int | None:
    """How far a stream's own stamps scatter about the even rhythm through them; ``None`` for fewer than ten.

    (n,) int64 ns. Stamps that fell out count for nothing: each stamp is taken for the beat it lies nearest to.
    """
    times = np.unique(times_ns)
    if len(times) < 10:
        return None
    step = float(np.median(np.diff(times)))
    beats = np.round((times - times[0]) / step)
    line = _fitted(beats * step, (times - times[0]).astype(np.float64))
    return round(line.residual_ns)


def _fitted(own: NDArray[np.float64], stamps: NDArray[np.float64]) -> _Line:
    """Least squares over what a median line leaves in; rate one unless the pairs prove another."""
    half = len(own) // 2
    rate = 1.0
    if half:
        steps = own[half:] - own[: len(own) - half]
        moving = steps > 0
        if moving.any():
            rate = float(np.median((stamps[half:] - stamps[: len(own) - half])[moving] / steps[moving]))
    # The rough rate is no better than two stamps; where rate one leaves less, it is only noise.
    errors, middle, spread = min((_about(own, stamps, each) for each in (1.0, rate)), key=lambda found: found[2])
    kept = np.abs(errors - middle) <= max(_OUTLIER * _SCALE * spread, _LEAST_NS)
    x, y = own[kept], stamps[kept]
    away = x - x.mean()
    moved = float(away @ away)
    slope = float(away @ (y - y.mean())) / moved if moved else 1.0
    errors = y - y.mean() - slope * away
    error_of_rate = float(np.sqrt(errors @ errors / max(len(x) - 2, 1) / moved)) if moved else np.inf
    if abs(slope - 1.0) <= _SURE * error_of_rate:
        slope = 1.0
        errors = y - y.mean() - away
    at_center = float(y.mean() - slope * x.mean())
    return _Line(slope, at_center, float(np.sqrt(np.mean(errors**2))), kept)


def _about(
    own: NDArray[np.float64], stamps: NDArray[np.float64], rate: float
) -> tuple[NDArray[np.float64], float, float]:
    """The errors about a line of that rate, their median, and their median distance from it."""
    errors = stamps - rate * own
    middle = float(np.median(errors))
    return errors, middle, float(np.median(np.abs(errors - middle)))
