"""Time maps: from a stream's own clock to session time and back, in whole nanoseconds.

Made by ``sync/`` and by readers, kept with the stream, used by everything that shows or compares streams.

A map is a list of knots (stream time, session time) and a rate on either side of them.
Between two knots the rate is the exact fraction the knots give; outside it is a fraction of two whole numbers.
Within a piece that starts at the knot ``(s0, t0)`` the stream time ``s`` maps to

    t0 + Δ + round(Δ × (rate − 1)),   Δ = s − s0,   round half up,

so a rate near one loses nothing however long the recording. Laws, all under test:

* A knot's stream time maps to exactly its session time, and back.
* The map never runs backwards. With ``rate`` the slowest of its pieces, stream times at least ``⌈1 / rate⌉`` ns
  apart (1 ns if it is one or more, 2 ns down to a half) never fall together.
* ``|to_stream(to_session(s)) − s| ≤ ⌊1/2 + 1 / (2 rate)⌋``: 0 ns if the rate is one or more, 1 ns above a third.
* ``|to_session(to_stream(t)) − t| ≤ ⌊1/2 + fastest / 2⌋``: 0 ns if every rate is below one, 1 ns below three.
* Exactly the stream times in ``stream_window(r)`` map into ``r``, whatever the rate.
* ``a.then(b)`` differs from ``b`` after ``a`` by at most ``3/2 + rb + ra × rb`` ns (``ra``, ``rb``: their fastest).

The *clock offset* (``offset_at``) says how far a clock is off. It is not the distance to the nearest capture, which
``frametable`` measures; the two are never added.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import msgspec
import numpy as np

from workstation.core.errors import DataError
from workstation.core.ratio import Int64s, scale, scale_array
from workstation.core.timerange import LIMIT_NS, TimeRange, check_ns
from workstation.core.values import dataclass

Knot = tuple[int, int]
FASTEST = 1_000_000
"""Session time per stream time lies between one millionth and one million: time lapses fit, wrong units do not."""
MAX_TERM = 10**15
"""Largest numerator or denominator of a rate outside the knots."""


class TimeMap(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, dict=True):
    """A strictly increasing, piecewise linear map from stream time to session time, and where it came from."""

    knots: tuple[Knot, ...] = ((0, 0),)
    """(stream ns, session ns), both growing; at least one."""
    rate_before: tuple[int, int] = (1, 1)
    """Session time per stream time before the first knot, as numerator and denominator."""
    rate_after: tuple[int, int] = (1, 1)
    """The same after the last knot."""
    method: str = "identity"
    """How the map was found: ``identity``, ``declared``, ``clap``, ``imu``…"""
    evidence: str = "{}"
    """What it was found from: a JSON object, kept as text so that the map stays a value."""
    residual_ns: int | None = None
    """Root mean square distance of the evidence from the map; ``None`` if nothing was measured."""

    def __post_init__(self) -> None:
        _check_knots(self.knots)
        for rate, place in ((self.rate_before, "rate before the first knot"), (self.rate_after, "rate after the last")):
            _check_outer_rate(rate, place)
        if self.residual_ns is not None and self.residual_ns < 0:
            raise DataError(f"a residual of {self.residual_ns} ns is negative", place="residual of a time map")
        _decode_evidence(self.evidence)

    def to_session(self, stream_ns: int) -> int:
        """Session time of a stream time."""
        return self._forward.at(check_ns(stream_ns, place="stream time"))

    def to_stream(self, session_ns: int) -> int:
        """Stream time of a session time, rounded half up."""
        return self._backward.at(check_ns(session_ns, place="session time"))

    def to_session_array(self, stream_ns: Int64s) -> Int64s:
        """``to_session`` of every element of an int64 array."""
        return self._forward.at_all(stream_ns, place="stream time")

    def to_stream_array(self, session_ns: Int64s) -> Int64s:
        """``to_stream`` of every element of an int64 array."""
        return self._backward.at_all(session_ns, place="session time")

    def range_to_session(self, stream_range: TimeRange) -> TimeRange:
        """The range in session time. An instant stays one, and nothing else becomes one."""
        return _map_range(self._forward, stream_range)

    def range_to_stream(self, session_range: TimeRange) -> TimeRange:
        """The range in stream time, rounded. An instant stays one, and nothing else becomes one."""
        return _map_range(self._backward, session_range)

    def first_stream_at(self, session_ns: int) -> int:
        """The earliest stream time whose session time is ``session_ns`` or later."""
        return self._forward.first_reaching(check_ns(session_ns, place="session time"))

    def stream_window(self, session_range: TimeRange) -> TimeRange:
        """The stream times that map into ``session_range``, no more and no fewer.

        For queries. Of an instant it is the one range of the stream times that map to it, which may be empty.
        """
        end_ns = session_range.start_ns + 1 if session_range.is_instant else session_range.end_ns
        return TimeRange(self.first_stream_at(session_range.start_ns), self.first_stream_at(end_ns))

    def offset_at(self, stream_ns: int) -> int:
        """Clock offset: session time minus stream time there."""
        return self.to_session(stream_ns) - stream_ns

    @property
    def rates(self) -> tuple[Fraction, ...]:
        """Session time per stream time: before the first knot, of every piece, after the last knot."""
        inner = (Fraction(t1 - t0, s1 - s0) for (s0, t0), (s1, t1) in pairwise(self.knots))
        return Fraction(*self.rate_before), *inner, Fraction(*self.rate_after)

    @property
    def evidence_values(self) -> dict[str, object]:
        """The evidence as a mapping."""
        return _decode_evidence(self.evidence)

    def found_by(
        self, method: str, *, evidence: Mapping[str, object] | None = None, residual_ns: int | None = None
    ) -> TimeMap:
        """The same map with where it came from. Evidence is any mapping that JSON can hold."""
        text = msgspec.json.encode(evidence or {}, order="sorted").decode()
        return msgspec.structs.replace(self, method=method, evidence=text, residual_ns=residual_ns)

    def moved(self, delta_ns: int) -> TimeMap:
        """The same map with every session time ``delta_ns`` later: constant latency, nudges."""
        return msgspec.structs.replace(self, knots=tuple((s, t + delta_ns) for s, t in self.knots))

    def inverted(self) -> TimeMap:
        """The map from session time to stream time; ``inverted().to_session`` is ``to_stream``."""
        return msgspec.structs.replace(
            self,
            knots=tuple((t, s) for s, t in self.knots),
            rate_before=self.rate_before[::-1],
            rate_after=self.rate_after[::-1],
        )

    def then(self, outer: TimeMap) -> TimeMap:
        """This map followed by ``outer``, as one map: stream → recorder → session."""
        return _compose(self, outer)

    @cached_property
    def _forward(self) -> _Pieces:
        return _pieces(self.knots, self.rates)

    @cached_property
    def _backward(self) -> _Pieces:
        return _pieces(tuple((t, s) for s, t in self.knots), tuple(1 / rate for rate in self.rates))


def offset_map(offset_ns: int) -> TimeMap:
    """Session time is stream time plus ``offset_ns``."""
    return TimeMap(knots=((0, offset_ns),), method="offset")


def rate_map(rate: Fraction, *, stream_ns: int = 0, session_ns: int = 0) -> TimeMap:
    """One rate throughout, through the point (``stream_ns``, ``session_ns``)."""
    terms = _short_terms(rate)
    return TimeMap(knots=((stream_ns, session_ns),), rate_before=terms, rate_after=terms, method="rate")


def knot_map(
    knots: Iterable[Knot], *, rate_before: Fraction | None = None, rate_after: Fraction | None = None
) -> TimeMap:
    """Straight between the knots; outside them the nearest piece goes on unless a rate is given (one knot: rate 1)."""
    given = tuple(knots)
    _check_knots(given)
    inner = [Fraction(t1 - t0, s1 - s0) for (s0, t0), (s1, t1) in pairwise(given)] or [Fraction(1)]
    return TimeMap(
        knots=given,
        rate_before=_short_terms(inner[0] if rate_before is None else rate_before),
        rate_after=_short_terms(inner[-1] if rate_after is None else rate_after),
        method="knots",
    )


@dataclass(frozen=True, slots=True)
class _Pieces:
    """One direction of a map, ready to use. Piece ``i`` is anchored at (source, target) and adds num / den per ns.

    Piece 0 lies before the first border and shares its anchor with piece 1.
    """

    borders: Int64s
    source: Int64s
    target: Int64s
    num: Int64s
    den: Int64s
    plain_borders: tuple[int, ...]
    plain: tuple[tuple[int, int, int, int], ...]
    """The same as Python's numbers, (source, target, num, den): single times are asked for by the thousand, and a
    number out of an array costs more than the sum."""

    def at(self, time_ns: int) -> int:
        source, target, num, den = self.plain[bisect_right(self.plain_borders, time_ns)]
        delta = time_ns - source
        found = target + delta + (scale(delta, num, den) if num else 0)
        if -LIMIT_NS < found < LIMIT_NS:
            return found
        return check_ns(found, place=f"{time_ns} ns through a time map")

    def at_all(self, times_ns: Int64s, *, place: str) -> Int64s:
        if times_ns.dtype != np.int64:
            raise TypeError(f"times are int64 arrays, this one is {times_ns.dtype}")
        if times_ns.size == 0:
            return times_ns.copy()
        for extreme in (int(times_ns.min()), int(times_ns.max())):
            self.at(check_ns(extreme, place=place))  # the map never runs backwards: all others lie between
        if len(self.borders) == 1 and self.num[0] == self.num[1] and self.den[0] == self.den[1]:
            i: Int64s = np.zeros(1, np.int64)
        else:
            i = np.searchsorted(self.borders, times_ns, side="right")
        delta = times_ns - self.source[i]
        mapped: Int64s = self.target[i] + delta + scale_array(delta, self.num[i], self.den[i])
        return mapped

    def first_reaching(self, target_ns: int) -> int:
        """The earliest source whose image is ``target_ns`` or later: ``round(Δ r) ≥ m`` means ``Δ ≥ (m − 1/2) / r``."""
        i = bisect_left(self.target[1:], target_ns)  # a knot's own target belongs to the piece that ends there
        num, den = int(self.num[i]), int(self.den[i])
        wanted = 2 * (target_ns - int(self.target[i])) - 1
        delta = -((-wanted * den) // (2 * (num + den)))
        return check_ns(int(self.source[i]) + delta, place=f"{target_ns} ns through a time map")


def _pieces(knots: tuple[Knot, ...], rates: tuple[Fraction, ...]) -> _Pieces:
    anchors = (knots[0], *knots)
    excess = [rate - 1 for rate in rates]
    plain = zip(anchors, excess, strict=True)
    return _Pieces(
        plain_borders=tuple(source for source, _ in knots),
        plain=tuple((source, target, rate.numerator, rate.denominator) for (source, target), rate in plain),
        borders=np.array([source for source, _ in knots], np.int64),
        source=np.array([source for source, _ in anchors], np.int64),
        target=np.array([target for _, target in anchors], np.int64),
        num=np.array([fraction.numerator for fraction in excess], np.int64),
        den=np.array([fraction.denominator for fraction in excess], np.int64),
    )


def _map_range(pieces: _Pieces, given: TimeRange) -> TimeRange:
    start_ns = pieces.at(given.start_ns)
    if given.is_instant:
        return TimeRange.instant(start_ns)
    return TimeRange(start_ns, max(start_ns + 1, pieces.at(given.end_ns)))


def _check_knots(knots: tuple[Knot, ...]) -> None:
    if not knots:
        raise DataError("a time map needs at least one knot", place="time map")
    for i, (stream_ns, session_ns) in enumerate(knots):
        check_ns(stream_ns, place=f"stream time of knot {i}")
        check_ns(session_ns, place=f"session time of knot {i}")
    for i, ((s0, t0), (s1, t1)) in enumerate(pairwise(knots)):
        if s1 <= s0 or t1 <= t0:
            raise DataError("both times must grow from one knot to the next", place=f"time map, knots {i} and {i + 1}")
        _check_rate(t1 - t0, s1 - s0, f"time map, between knots {i} and {i + 1}")


def _check_rate(num: int, den: int, place: str) -> None:
    if num * FASTEST < den or num > FASTEST * den:
        raise DataError(f"the rate {num}/{den} is outside one millionth to one million; check the units", place=place)


def _check_outer_rate(rate: tuple[int, int], place: str) -> None:
    num, den = rate
    if not (0 < num <= MAX_TERM and 0 < den <= MAX_TERM):
        raise DataError(f"{num}/{den} is not a fraction of two whole numbers from 1 to 10**15", place=place)
    _check_rate(num, den, place)


def _short_terms(rate: Fraction) -> tuple[int, int]:
    """The fraction in terms the map can keep; rounding a longer one costs less than 1 fs a second near rate one."""
    if rate <= 0:
        raise DataError(f"a rate must be more than zero, this is {rate}", place="time map")
    if rate > 1:
        den, num = _short_terms(1 / rate)
        return num, den
    short = rate.limit_denominator(MAX_TERM)
    return short.numerator, short.denominator


def _decode_evidence(text: str) -> dict[str, object]:
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise DataError(f"evidence must be a JSON object: {error}", place="evidence of a time map") from error


def _compose(inner: TimeMap, outer: TimeMap) -> TimeMap:
    stream_times = {s for s, _ in inner.knots} | {inner.to_stream(t) for t, _ in outer.knots}
    knots: list[Knot] = []
    for stream_ns in sorted(stream_times):
        session_ns = outer.to_session(inner.to_session(stream_ns))
        if not knots or session_ns > knots[-1][1]:  # two knots a nanosecond apart can fall together: keep the first
            knots.append((stream_ns, session_ns))
    residual_ns = None
    if inner.residual_ns is not None and outer.residual_ns is not None:
        residual_ns = outer.residual_ns + round(inner.residual_ns * max(outer.rates))
    composed = knot_map(
        knots, rate_before=inner.rates[0] * outer.rates[0], rate_after=inner.rates[-1] * outer.rates[-1]
    )
    return composed.found_by(
        f"{inner.method}, then {outer.method}",
        evidence={"first": inner.evidence_values, "then": outer.evidence_values},
        residual_ns=residual_ns,
    )


IDENTITY = TimeMap()  # down here because making one runs the checks above
