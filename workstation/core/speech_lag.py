"""How late a transcript stands against the sound it belongs to: where words are said to be, against where it is loud.

Pure: spans and loudness in, a lag out. Asked by the check of transcripts (by ``Evidence.loudness``), by ``workstation
sync transcript``, and by the act that moves a transcript to where it was spoken. Which word is which nobody can hear
this way; that speech and pauses lie where the transcript says they lie, one can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

HOP_NS = 10_000_000
"""What loudness is asked in: finer than any pause between words."""
MOST_LAG_NS = 3_000_000_000
_SURE = 1.96
_QUIET, _LOUD = 15.0, 85.0
"""Percentiles of loudness in dB between which speech begins."""
_LEAST_RANGE_DB = 6.0
_LEAST_AGREEMENT = 0.25
_BETTER = 0.05
"""By so much a lag must agree better than where the words stand now, and than every lag elsewhere."""
_ELSEWHERE_NS = 300_000_000
_NEAR_NS = 250_000_000
_FEWEST_SPANS = 3
_STEP_DOUBT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechLag:
    """By how much the words stand too late, and how sure that is."""

    late_ns: int
    """Below 0 they stand too early. To set them right, take this off their times."""
    half_width_ns: int
    """Of the 95 % interval."""
    agreement: float
    """Correlation of said and loud at that lag; 1 is perfect."""
    agreement_now: float
    """The same where the words stand now."""
    spans: int

    @property
    def clear(self) -> bool:
        """Whether another place fits surely better than where the words stand."""
        return abs(self.late_ns) > self.half_width_ns and self.agreement >= self.agreement_now + _BETTER


def speech_lag(
    spans_ns: Sequence[tuple[int, int]],
    loudness: Floats,
    start_ns: int,
    *,
    hop_ns: int = HOP_NS,
    most_ns: int = MOST_LAG_NS,
) -> SpeechLag | None:
    """The lag of a whole transcript. ``spans_ns`` are words or turns, ``loudness`` (n,) is root mean square from
    ``start_ns`` on, both in the same time. ``None`` where it cannot be told: no pauses, no sound, too few spans, or
    several places that fit as well.
    """
    active = _active(loudness)
    if active is None or len(spans_ns) < _FEWEST_SPANS:
        return None
    said = _said(spans_ns, len(active), start_ns, hop_ns)
    most = min(most_ns // hop_ns, len(active) // 3)
    if not said.any() or said.all() or most < 1:
        return None
    scores = _scores(said, active, int(most))
    best = int(scores.argmax())
    elsewhere = np.abs(np.arange(len(scores)) - best) * hop_ns > _ELSEWHERE_NS
    rival = float(scores[elsewhere].max()) if elsewhere.any() else -1.0
    agreement = float(scores[best])
    if agreement < _LEAST_AGREEMENT or agreement < rival + _BETTER:
        return None
    # A lag moves the words; the sound is where it is.
    rough = (best - int(most)) * hop_ns
    found, half_width = _refined(spans_ns, active, start_ns, hop_ns, rough)
    return SpeechLag(
        late_ns=-found, half_width_ns=half_width, agreement=agreement, agreement_now=float(scores[int(most)]),
        spans=len(spans_ns),
    )  # fmt: skip


def late_spans(
    spans_ns: Sequence[tuple[int, int]],
    loudness: Floats,
    start_ns: int,
    *,
    hop_ns: int = HOP_NS,
    most_ns: int = 1_500_000_000,
    common_ns: int = 0,
) -> tuple[int | None, ...]:
    """How late each span stands by itself, such as a turn among others that stand right; ``None`` where its own place
    cannot be told. ``common_ns`` is what is already known of all of them.

    A span is moved about alone, over sound that no other span claims.
    """
    active = _active(loudness)
    if active is None:
        return (None,) * len(spans_ns)
    moved = [(a - common_ns, b - common_ns) for a, b in spans_ns]
    every = _said(moved, len(active), start_ns, hop_ns)
    found: list[int | None] = []
    for span in moved:
        mine = _said([span], len(active), start_ns, hop_ns)
        others = every & ~mine
        found.append(_own_lag(mine, np.where(others, 0.0, active), others, int(most_ns // hop_ns)))
    return tuple(None if each is None else common_ns - each * hop_ns for each in found)


def _own_lag(mine: Bools, free: Floats, others: Bools, most: int) -> int | None:
    places = np.flatnonzero(mine)
    if not len(places):
        return None
    scores = np.full(2 * most + 1, -np.inf)
    total = float(free[max(0, places[0] - most) : places[-1] + most + 1].sum())
    for lag in range(-most, most + 1):
        at = places + lag
        if at[0] < 0 or at[-1] >= len(free) or others[at].any():
            continue
        inside = float(free[at].sum())
        scores[lag + most] = inside / len(at) - 0.5 * (total - inside) / len(at)
    best = int(scores.argmax())
    if not np.isfinite(scores[best]) or float(free[places + best - most].mean()) < 0.5:
        return None
    here = scores[most]
    return best - most if not np.isfinite(here) or scores[best] > here + _BETTER else 0


def _active(loudness: Floats) -> Floats | None:
    """(n,) from 0, silence, to 1, speech; ``None`` where the sound has no pauses, or is none."""
    level = np.asarray(loudness, np.float64)
    if len(level) < 10 or not np.isfinite(level).all() or float(level.max()) <= 0:
        return None
    decibel = 20 * np.log10(np.maximum(level, float(level.max()) * 1e-4))
    low, high = np.percentile(decibel, (_QUIET, _LOUD))
    if high - low < _LEAST_RANGE_DB:
        return None
    return np.asarray(np.clip((decibel - low) / (high - low), 0.0, 1.0), np.float64)


def _said(spans_ns: Sequence[tuple[int, int]], count: int, start_ns: int, hop_ns: int) -> Bools:
    found = np.zeros(count, np.bool_)
    for begin, end in spans_ns:
        first, last = round((begin - start_ns) / hop_ns), round((end - start_ns) / hop_ns)
        found[max(first, 0) : max(last, 0)] = True
    return found


def _scores(said: Bools, active: Floats, most: int) -> Floats:
    """(2 most + 1,) correlation of said and loud, the words moved from ``-most`` to ``most`` hops later."""
    found = np.full(2 * most + 1, -1.0)
    for lag in range(-most, most + 1):
        here = said[max(0, -lag) : len(said) - max(0, lag)].astype(np.float64)
        there = active[max(0, lag) : len(active) + min(0, lag)]
        one, other = here - here.mean(), there - there.mean()
        size = float(np.sqrt((one @ one) * (other @ other)))
        found[lag + most] = float(one @ other) / size if size > 0 else -1.0
    return found


def _refined(
    spans_ns: Sequence[tuple[int, int]], active: Floats, start_ns: int, hop_ns: int, rough_ns: int
) -> tuple[int, int]:
    """What each edge of speech says by itself near the rough lag: the middle of them, and how sure it is."""
    reach = int(_NEAR_NS // hop_ns)
    merged = _merged(spans_ns, 2 * _NEAR_NS)
    lags = []
    for time_ns, rises in [(a, True) for a, _ in merged] + [(b, False) for _, b in merged]:
        at = round((time_ns + rough_ns - start_ns) / hop_ns)
        around = active[max(0, at - reach) : at + reach]
        if at - reach < 0 or at + reach > len(active):
            continue
        # The step that fits best: silence on one side of it, speech on the other.
        sums = np.concatenate([[0.0], np.cumsum(around)])
        inside = sums[-1] - sums if rises else sums
        outside = sums if rises else sums[-1] - sums
        size = np.arange(len(sums))
        wide = size[::-1] if rises else size
        fit = inside - outside - 0.5 * (2 * wide - len(around))
        if float(fit.max() - fit.min()) < 0.2 * reach:
            continue
        lags.append((int(fit.argmax()) - reach) * hop_ns)
    if len(lags) < _FEWEST_SPANS:
        return rough_ns, hop_ns * 10
    values = np.array(lags, np.float64)
    middle = float(np.median(values))
    spread = max(1.4826 * float(np.median(np.abs(values - middle))), hop_ns * _STEP_DOUBT)
    # The median of n values is known to 1.25 sigma over the root of n.
    half_width = _SURE * 1.25 * spread / len(values) ** 0.5 + hop_ns
    return rough_ns + round(middle), round(half_width)


def _merged(spans_ns: Sequence[tuple[int, int]], closer_ns: int) -> list[tuple[int, int]]:
    """Spans with pauses between them that are long enough to be heard."""
    found: list[tuple[int, int]] = []
    for begin, end in sorted(spans_ns):
        if found and begin - found[-1][1] < closer_ns:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found
