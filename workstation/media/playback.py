"""Playing: sound out, the clock's source, and what both say of themselves. No Qt; the window polls it.

    output = SoundCardOutput()                    # or SilentOutput(); never blocks, opened on a thread of its own
    player = Player(session.clock, output, offsets={})   # device name -> compensation, see below
    player.set_tracks([Track("mic", open=lambda: open_audio(path), time_map=stream.time_map)])
    player.prepare()                              # optional: open device and files before the first play

    clock.play(); clock.pause(); clock.seek(t); clock.set_rate(0.5); clock.set_loop(range); clock.shuttle_forward()
    player.play_range(start_ns, end_ns)           # exactly these samples, then stop; loop=True goes round
    player.tick()                                 # on every timer tick, playing or not: moves the clock
    player.set_mix("mic", TrackMix(gain=0.5, muted_channels=frozenset({1})))
    player.status                                 # device or why none, latency, underruns, what moves the clock
    player.close()

``app/playing.py`` makes a player for the open sample; the window drives the clock and calls ``tick``.

While sound plays, session time is what is heard: the device says when it will play each sample, the ledger of the run
says where that sample lies. Without a device, without an audible sound at hand, or going backwards, a monotonic clock
moves it. Panes follow or drop; the clock waits for nothing but the first sample: half a second while a device is
opened, two for one that is open and silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from workstation.core.clock import Clock, TimeCause, TimeChanged, TransportChanged
from workstation.core.errors import UserError
from workstation.core.timebase import SECOND_NS, TimeRange
from workstation.core.values import dataclass
from workstation.media.playback_feed import Feed, Run
from workstation.media.playback_feeder import Feeder, Ticket, TicketState, Wish
from workstation.media.playback_mix import Track, TrackMix
from workstation.media.playback_output import OutputState, OutputStatus, SilentOutput, SoundOutput

if TYPE_CHECKING:
    from fractions import Fraction

__all__ = [
    "OutputState",
    "OutputStatus",
    "Player",
    "PlayerStatus",
    "PositionSource",
    "SilentOutput",
    "SoundOutput",
    "Track",
    "TrackMix",
]

_HOLD_NS = SECOND_NS // 2
"""How long the clock waits for the first sample of a device that is being opened."""
_LOST_NS = 2 * SECOND_NS
"""A device that asks for nothing for so long is gone; a sound server that wakes up may take one second."""
_MOST_OFFSET_NS = 2 * SECOND_NS
_JOIN_S = 0.02
"""A changed speed or mix begins so far after what the device has: about what preparing it takes."""


class PositionSource(StrEnum):
    """What moves the clock now."""

    SOUND = "sound"
    MONOTONIC = "monotonic clock"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerStatus:
    """What the status bar shows."""

    output: OutputStatus
    source: PositionSource
    offset_ns: int
    """The compensation in use: sound is heard so much later than the device says."""
    underruns: int
    """Silences that were put in because nothing was ready, the device's own count and ours."""
    troubles: tuple[tuple[str, str], ...]
    """(key, reason) of the sounds that cannot be heard."""


class Player:
    """Moves one clock, by sound where there is some. All methods are for the thread that owns the clock."""

    def __init__(self, clock: Clock, output: SoundOutput, *, offsets: Mapping[str, int] | None = None) -> None:
        """``offsets`` is device name -> ns that its sound is later, against the picture, than it says."""
        self._clock = clock
        self._output = output
        self._offsets = dict(offsets or {})
        self._feed = Feed()
        self._feeder = Feeder(output, self._feed)
        self._keys: tuple[str, ...] = ()
        self._mixes: dict[str, TrackMix] = {}
        self._ticket: Ticket | None = None
        self._earlier: Run | None = None  # still in the device's buffers, and still right
        self._overdue = False
        self._held_back = 0
        self._last_ns = output.now_ns()
        self._source = PositionSource.PAUSED
        clock.time_changed.connect(self._on_time)
        clock.transport_changed.connect(self._on_transport)

    @property
    def status(self) -> PlayerStatus:
        """How it stands, at no cost."""
        output = self._output.status
        return PlayerStatus(
            output=output,
            source=self._source,
            offset_ns=self.offset_ns,
            underruns=output.underruns + self._feed.underruns,
            troubles=self._feeder.troubles,
        )

    @property
    def offset_ns(self) -> int:
        """The compensation of the device in use (COMP-04): what is heard is so much older than the device says."""
        return self._offsets.get(self._output.status.device, 0)

    def set_offset(self, device: str, offset_ns: int) -> None:
        """The compensation of a device, at most two seconds either way; in force at the next tick."""
        if abs(offset_ns) > _MOST_OFFSET_NS:
            raise UserError(f"a compensation is at most 2 s either way, not {offset_ns / SECOND_NS:g} s")
        self._offsets[device] = offset_ns

    def set_tracks(self, tracks: Sequence[Track]) -> None:
        """The sounds of the sample that is open now; mixes of the same keys stay."""
        self._keys = tuple(track.key for track in tracks)
        self._feeder.set_tracks(tracks)
        self._restart(keep=False)

    def mix_of(self, key: str) -> TrackMix:
        """How a sound is heard."""
        return self._mixes.get(key, TrackMix())

    def set_mix(self, key: str, mix: TrackMix) -> None:
        """Gain, mute and solo of one sound and its channels; heard at once."""
        if mix != self.mix_of(key):
            self._mixes[key] = mix
            self._restart(keep=True)

    def prepare(self) -> None:
        """Open device and files now, so that the first play starts at once. Returns immediately."""
        self._feeder.prepare()

    def play_range(self, start_ns: int, end_ns: int, *, loop: bool = False) -> None:
        """Play the samples whose session time lies in ``[start_ns, end_ns)``, and stop; or go round until paused.

        With ``loop`` the clock keeps the loop afterwards.
        """
        with self._together():
            self._clock.pause()
            self._clock.seek(start_ns)
            if loop:
                self._clock.set_loop(TimeRange(start_ns, end_ns))
                self._clock.play()
            else:
                self._clock.play_until(end_ns)

    def tick(self) -> None:
        """Move the clock to now. Call it on every tick of the window's timer."""
        now_ns = self._output.now_ns()
        passed_ns, self._last_ns = max(0, now_ns - self._last_ns), now_ns
        if not self._clock.playing:
            self._source = PositionSource.PAUSED
            return
        ticket = self._ticket
        if ticket is not None and ticket.state is TicketState.READY:
            if self._overdue:
                self._overdue = False
                self._restart(keep=False)
            else:
                self._follow(ticket, now_ns)
        elif ticket is not None and ticket.state is TicketState.PENDING and self._waits(ticket, now_ns):
            self._source = PositionSource.SOUND
        else:
            self._overdue = ticket is not None and ticket.state is TicketState.PENDING
            self._source = PositionSource.MONOTONIC
            self._clock.tick(passed_ns)

    def look_for_device(self) -> None:
        """Try to get sound again, after a device was plugged in."""
        self._feeder.try_again()
        self._restart(keep=False)

    def wait_for_sound(self, samples: int, timeout_s: float = 30.0) -> bool:
        """Wait until so many more samples are ready, or all there are. For tools without a timer, not windows."""
        return self._feeder.wait_for(samples, timeout_s)

    def close(self) -> None:
        """Let go of device, files and clock."""
        self._clock.time_changed.disconnect(self._on_time)
        self._clock.transport_changed.disconnect(self._on_transport)
        self._feeder.close()

    def _waits(self, ticket: Ticket, now_ns: int) -> bool:
        """Whether the clock still stands for the first sample; what the device has from before goes on."""
        if self._earlier is not None:
            self._show(self._earlier, now_ns)
        return now_ns - ticket.asked_ns < _HOLD_NS

    def _follow(self, ticket: Ticket, now_ns: int) -> None:
        run = ticket.run
        last_ns = self._feed.last_heard_ns
        alive_ns = ticket.asked_ns if last_ns is None else max(last_ns, ticket.asked_ns)
        if run is None or now_ns - alive_ns > _LOST_NS:
            self._feeder.give_up()
            self._ticket = None
            return
        self._source = PositionSource.SOUND
        if self._show(run, now_ns):
            self._earlier = None
        elif self._earlier is not None:
            self._show(self._earlier, now_ns)

    def _show(self, run: Run, now_ns: int) -> bool:
        """Move the clock to what is heard of a run, if it is heard."""
        sample = self._feed.heard(run, now_ns - self.offset_ns)
        time_ns = None if sample is None else run.time_at(sample)
        if time_ns is None:
            return False
        self._clock.follow_audio(time_ns)
        return True

    def _on_time(self, change: TimeChanged) -> None:
        if change.cause in (TimeCause.SEEK, TimeCause.SPAN):
            self._restart(keep=False)

    def _on_transport(self, change: TransportChanged) -> None:
        if not change.playing:
            self._stop()
        else:
            self._restart(keep=self._ticket is not None)

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Several moves of the clock, one start of the sound."""
        self._held_back += 1
        try:
            yield
        finally:
            self._held_back -= 1
        if self._clock.playing:
            self._restart(keep=False)

    def _stop(self) -> None:
        self._ticket = self._earlier = None
        self._overdue = False
        self._feeder.stop()

    def _restart(self, *, keep: bool) -> None:
        """Begin anew at the playhead; with ``keep`` after what the device already has, which is heard to its end."""
        if self._held_back or not self._clock.playing:
            return
        if self._clock.speed < 0:
            if self._ticket is None:
                self._last_ns = self._output.now_ns()  # the last tick may be long ago
            self._stop()
            return
        old = self._ticket.run if keep and self._ticket is not None else None
        start_ns = self._clock.time_ns
        if old is not None:
            joined_ns = old.time_at(old.taken + _JOIN_S * old.grid.rate_hz)
            start_ns = start_ns if joined_ns is None else joined_ns
        else:
            self._feed.attach(None)
        if self._ticket is None:
            self._last_ns = self._output.now_ns()
        self._earlier = old
        self._ticket = self._feeder.play(self._wish(start_ns, self._clock.speed))

    def _wish(self, start_ns: int, speed: Fraction) -> Wish:
        clock = self._clock
        until_ns = clock.until_ns
        return Wish(
            start_ns=start_ns,
            end_ns=clock.span.end_ns if until_ns is None else until_ns,
            speed=speed,
            loop=clock.loop if until_ns is None else None,
            mixes=tuple(self.mix_of(key) for key in self._keys),
        )
