"""The one playhead: where the session is in time, and how it moves.

The session holds it, the transport bar drives it, every pane listens to ``time_changed``.
It never looks at real time: a timer calls ``tick`` with the nanoseconds that passed, or, while there is sound,
playback reports the position that is heard with ``follow_audio``. So tests step it with a fixed ``dt``.

Moves are exact: a thousand ticks of 1 ms and one of 1 s end at the same nanosecond, at any rate.
The playhead stays inside ``span``, which is half-open: at its end it stops on the last nanosecond.
Loops wrap without losing what went past the end. A playhead that is already behind the loop plays on.
``play_until`` plays what is selected: it stops on that very nanosecond, and no loop holds it back.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction

import msgspec

from workstation.core.errors import UserError
from workstation.core.signal import Signal
from workstation.core.timerange import TimeRange, check_ns

SLOWEST_RATE, FASTEST_RATE = Fraction(1, 10), Fraction(4)
SHUTTLE_SPEEDS = (Fraction(1), Fraction(2), Fraction(4))


class TimeCause(StrEnum):
    """Why the time changed; prefetching reads ahead after a tick and jumps after a seek."""

    SEEK = "seek"
    TICK = "tick"
    AUDIO = "audio"
    LOOP = "loop"
    SPAN = "span"


class TimeChanged(msgspec.Struct, frozen=True):
    """The playhead moved from one session time to another."""

    time_ns: int
    before_ns: int
    cause: TimeCause


class TransportChanged(msgspec.Struct, frozen=True):
    """Playing, speed, rate, loop or where playing stops are not what they were."""

    speed: Fraction
    rate: Fraction
    loop: TimeRange | None
    until_ns: int | None = None

    @property
    def playing(self) -> bool:
        return self.speed != 0


class Clock:
    """Plain state, commands in, two signals out."""

    def __init__(self, span: TimeRange) -> None:
        self.time_changed: Signal[TimeChanged] = Signal("time_changed")
        self.transport_changed: Signal[TransportChanged] = Signal("transport_changed")
        self._span = span
        self._time_ns = span.start_ns
        self._rate = Fraction(1)
        self._speed = Fraction(0)
        self._loop: TimeRange | None = None
        self._until_ns: int | None = None
        self._owed = Fraction(0)  # part of a nanosecond that ticks have earned and not yet moved

    @property
    def time_ns(self) -> int:
        """Session time of the playhead."""
        return self._time_ns

    @property
    def span(self) -> TimeRange:
        """Where the playhead may be."""
        return self._span

    @property
    def playing(self) -> bool:
        return self._speed != 0

    @property
    def rate(self) -> Fraction:
        """The speed that ``play`` uses."""
        return self._rate

    @property
    def speed(self) -> Fraction:
        """Session time per real time now: 0 when paused, below 0 when going back."""
        return self._speed

    @property
    def loop(self) -> TimeRange | None:
        return self._loop

    @property
    def until_ns(self) -> int | None:
        """Where ``play_until`` will stop; ``None`` when playing goes on."""
        return self._until_ns

    def play(self) -> None:
        """Go forward at the set rate; from the end of the span start again, in the loop if there is one."""
        if self._time_ns == self._last_ns:
            self.seek(self._span.start_ns if self._loop is None else self._loop.start_ns)
        self._run(self._rate)

    def play_until(self, end_ns: int) -> None:
        """Go forward at the set rate and stop there, or at the end of the span; nothing if that is not ahead."""
        end_ns = min(check_ns(end_ns, place="end of playing"), self._span.end_ns)
        if end_ns > self._time_ns:
            self._run(self._rate, until_ns=end_ns)

    def pause(self) -> None:
        self._run(Fraction(0))

    def toggle(self) -> None:
        """What the space bar does."""
        if self.playing:
            self.pause()
        else:
            self.play()

    def seek(self, time_ns: int) -> None:
        """Go to a session time, or to the nearest end of the span. Playing goes on from there."""
        self._owed = Fraction(0)
        target_ns = self._clamped(check_ns(time_ns, place="seek"))
        if self._until_ns is not None and target_ns >= self._until_ns:
            self._run(self._speed)
        self._move(target_ns, TimeCause.SEEK)

    def set_rate(self, rate: float | Fraction) -> None:
        """Speed of playing, 0.1 to 4, kept to a thousandth; takes effect at once if playing, in the same direction."""
        if not SLOWEST_RATE <= rate <= FASTEST_RATE:
            raise UserError(f"the playing rate is between 0.1 and 4, not {rate}")
        self._rate = Fraction(round(rate * 1000), 1000)
        if self.playing:
            self._speed = self._rate if self._speed > 0 else -self._rate
        self._tell()

    def set_loop(self, loop: TimeRange | None) -> None:
        """Play this range over and over; ``None`` plays on. What lies outside the span is cut off."""
        if loop is not None:
            inside = loop.intersection(self._span)
            if inside is None or inside.is_instant:
                raise UserError("a loop needs a duration inside the sample")
            loop = inside
        if loop != self._loop:
            self._loop = loop
            self._tell()

    def set_span(self, span: TimeRange) -> None:
        """The sample grew or a time map changed: keep the playhead and the loop inside."""
        self._span = span
        if self._loop is not None:
            loop = self._loop.intersection(span)
            if loop != self._loop:
                self._loop = None if loop is None or loop.is_instant else loop
                self._tell()
        self._move(self._clamped(self._time_ns), TimeCause.SPAN)

    def shuttle_forward(self) -> None:
        """Key L: forward at 1, then 2, then 4; from going back, forward at 1."""
        self._run(_next_shuttle_speed(self._speed))

    def shuttle_back(self) -> None:
        """Key J: back at 1, then 2, then 4; from going forward, back at 1."""
        self._run(-_next_shuttle_speed(-self._speed))

    def shuttle_stop(self) -> None:
        """Key K."""
        self.pause()

    def tick(self, dt_ns: int) -> None:
        """Real time has passed: move if playing."""
        if dt_ns < 0:
            raise ValueError(f"time does not pass backwards: {dt_ns} ns")
        if not self.playing:
            return
        earned = dt_ns * self._speed + self._owed
        step_ns = int(earned)
        self._owed = earned - step_ns
        target_ns = self._time_ns + step_ns
        wrapped_ns = self._wrapped(target_ns)
        if wrapped_ns != target_ns:
            self._move(wrapped_ns, TimeCause.LOOP)
        else:
            self._arrive(target_ns, TimeCause.TICK)

    def follow_audio(self, time_ns: int) -> None:
        """The session time that is heard now, loops already applied by playback; ignored when paused."""
        if self.playing:
            self._owed = Fraction(0)
            self._arrive(time_ns, TimeCause.AUDIO)

    @property
    def _last_ns(self) -> int:
        return max(self._span.start_ns, self._span.end_ns - 1)

    def _clamped(self, time_ns: int) -> int:
        return min(max(time_ns, self._span.start_ns), self._last_ns)

    def _wrapped(self, target_ns: int) -> int:
        loop = self._loop
        if loop is None or self._until_ns is not None:
            return target_ns
        forward_past_end = self._speed > 0 and self._time_ns < loop.end_ns <= target_ns
        back_past_start = self._speed < 0 and target_ns < loop.start_ns <= self._time_ns
        if forward_past_end or back_past_start:
            return loop.start_ns + (target_ns - loop.start_ns) % loop.duration_ns
        return target_ns

    def _arrive(self, target_ns: int, cause: TimeCause) -> None:
        """Move, and stop at the end of the span that playing runs into, or where it was told to stop."""
        if self._until_ns is not None:
            target_ns = min(target_ns, self._until_ns)
        reached_ns = self._clamped(target_ns)
        at_end = reached_ns == self._last_ns if self._speed > 0 else reached_ns == self._span.start_ns
        at_end = at_end or target_ns == self._until_ns
        self._move(reached_ns, cause)
        if at_end and self._time_ns == reached_ns:  # a listener may have gone elsewhere
            self.pause()

    def _move(self, time_ns: int, cause: TimeCause) -> None:
        before_ns, self._time_ns = self._time_ns, time_ns
        if time_ns != before_ns:
            self.time_changed.emit(TimeChanged(time_ns, before_ns, cause))

    def _run(self, speed: Fraction, *, until_ns: int | None = None) -> None:
        if (speed, until_ns) != (self._speed, self._until_ns):
            self._speed, self._until_ns = speed, until_ns
            self._owed = Fraction(0)
            self._tell()

    def _tell(self) -> None:
        self.transport_changed.emit(TransportChanged(self._speed, self._rate, self._loop, self._until_ns))


def _next_shuttle_speed(speed: Fraction) -> Fraction:
    """The next faster one in the direction of ``speed`` > 0, the slowest if that is not where it goes now."""
    if speed <= 0:
        return SHUTTLE_SPEEDS[0]
    return next((step for step in SHUTTLE_SPEEDS if step > speed), SHUTTLE_SPEEDS[-1])
