"""Which streams do not share the others' clock: whole spans that lie elsewhere by a constant. Spans in, offsets out.

Called by ``app/clocks.py`` for ``workstation sync check``. A stream in local time, in GPS time or with a wrong date is
off by seconds or hours; offsets of milliseconds are found by the estimators that look at what the streams show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

SECOND_NS = 1_000_000_000
_LEAST_NS = SECOND_NS
"""Streams start and stop a little apart; a clock that is wrong as a whole is off by more."""
_QUARTER_HOUR_NS = 900 * SECOND_NS
_KNOWN_NS = {18 * SECOND_NS: "GPS time against UTC", 37 * SECOND_NS: "TAI against UTC"}
_FEWEST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSpan:
    """When a stream has items, in session time, and their usual step; ``zero_epoch_ns`` is the Unix time that it says
    session zero has, where it says anything."""

    key: str
    start_ns: int
    end_ns: int
    step_ns: int = 0
    zero_epoch_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OddClock:
    """A stream whose clock is off as a whole: its times are ``offset_ns`` later than the others'."""

    key: str
    offset_ns: int
    """As measured, with the uncertainty of a step or two of the stream."""
    nominal_ns: int | None
    """The round offset it is, if it is one: whole quarters of an hour (time zones), or between time scales."""
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReport:
    """The odd ones, and why nothing could be said if nothing could."""

    odd: tuple[OddClock, ...] = ()
    not_judged: str = ""


def find_odd_clocks(spans: Sequence[ClockSpan]) -> ClockReport:
    """The streams that lie elsewhere than most. With fewer than three nobody can say which one is wrong."""
    if len(spans) < _FEWEST:
        return ClockReport(not_judged=f"{len(spans)} streams with times; with fewer than {_FEWEST} none is the odd one")
    start_ns = median_low([span.start_ns for span in spans])
    end_ns = median_low([span.end_ns for span in spans])
    zeros = [span.zero_epoch_ns for span in spans if span.zero_epoch_ns is not None]
    zero_ns = median_low(zeros) if len(zeros) >= _FEWEST else None
    found = []
    for span in spans:
        offset_ns = _span_offset(span, start_ns, end_ns)
        if offset_ns == 0 and zero_ns is not None and span.zero_epoch_ns is not None:
            apart = span.zero_epoch_ns - zero_ns
            offset_ns = apart if abs(apart) > _slack(span) else 0
        if offset_ns:
            found.append(_named(span, offset_ns))
    return ClockReport(odd=tuple(found))


def _slack(span: ClockSpan) -> int:
    return max(_LEAST_NS, 3 * span.step_ns)


def _span_offset(span: ClockSpan, start_ns: int, end_ns: int) -> int:
    """0 where the span lies among the others; one that is only shorter lies among them."""
    early, late, slack = span.start_ns - start_ns, span.end_ns - end_ns, _slack(span)
    if abs(early - late) <= slack and min(abs(early), abs(late)) > slack:
        return (early + late) // 2
    if span.start_ns - end_ns > slack or start_ns - span.end_ns > slack:
        return early
    return 0


def _named(span: ClockSpan, offset_ns: int) -> OddClock:
    quarters = round(offset_ns / _QUARTER_HOUR_NS)
    if quarters and abs(offset_ns - quarters * _QUARTER_HOUR_NS) <= _slack(span):
        nominal = quarters * _QUARTER_HOUR_NS
        return OddClock(
            key=span.key, offset_ns=offset_ns, nominal_ns=nominal,
            meaning=f"{nominal / 3600e9:+g} h, as local time is against UTC",
        )  # fmt: skip
    for size_ns, meaning in _KNOWN_NS.items():
        if abs(abs(offset_ns) - size_ns) <= SECOND_NS // 2:
            nominal = size_ns if offset_ns > 0 else -size_ns
            return OddClock(key=span.key, offset_ns=offset_ns, nominal_ns=nominal, meaning=meaning)
    return OddClock(key=span.key, offset_ns=offset_ns, nominal_ns=None, meaning="")
