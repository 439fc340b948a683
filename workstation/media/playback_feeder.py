"""The thread that prepares sound ahead of the device: opens it, reads, mixes, stretches, fills the ring.

Only ``playback.py`` holds one. Everything slow about sound happens here, so that neither the window's thread nor the
device's callback ever waits for a file or a driver.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from enum import Enum, auto
from fractions import Fraction

import numpy as np

from workstation.core.timebase import TimeRange
from workstation.core.values import dataclass
from workstation.media.playback_feed import Entry, Feed, Run, Samples
from workstation.media.playback_mix import Mixer, Track, TrackMix
from workstation.media.playback_output import SoundOutput
from workstation.media.playback_stretch import ReadPlaces, Stretcher

_AHEAD_S = 0.5
_CHUNK = 2048
_STEP_S = 0.025
"""The least room for one step, at any rate: more than a step of the stretcher."""
_FIRST = 2048
"""Samples that are ready before a run is given to the device."""
_POLL_S = 0.01
"""The callback may not wake anybody, so the thread looks by itself whether there is room."""
_RELEASE_S = 20.0
"""A device that has nothing to play for so long is let go: others may want it, and the machine to sleep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What shall be heard: session time from ``start_ns`` to ``end_ns``, around in ``loop`` if there is one."""

    start_ns: int
    end_ns: int
    speed: Fraction
    loop: TimeRange | None = None
    mixes: tuple[TrackMix, ...] = ()


class TicketState(Enum):
    """How far a wish is."""

    PENDING = auto()
    READY = auto()
    SILENT = auto()
    """There will be no sound for it."""


class Ticket:
    """A wish and what became of it. Written by the feeding thread, read by the player."""

    def __init__(self, wish: Wish, asked_ns: int) -> None:
        self.wish = wish
        self.asked_ns = asked_ns
        self.run: Run | None = None
        self.state = TicketState.PENDING


class Playout:
    """Fills one run: straight or stretched, to its end or around its loop."""

    def __init__(self, run: Run, read: ReadPlaces, wish: Wish, *, channels: int) -> None:
        grid = run.grid
        self.run = run
        self._read = read
        self._speed = wish.speed
        self._channels = channels
        self._chunk = max(_CHUNK, round(_STEP_S * grid.rate_hz))
        self._at = grid.first_at(wish.start_ns)
        self._end = grid.first_at(wish.end_ns)
        self._loop_start: int | None = None
        if wish.loop is not None and wish.start_ns < wish.loop.end_ns:
            start, end = grid.first_at(wish.loop.start_ns), grid.first_at(wish.loop.end_ns)
            if start < end:
                self._loop_start, self._end = start, end
                run.end_ns = None
        self._stretcher = self._stretched()

    def fill(self) -> bool:
        """Write one block if there is room; whether there may be more to write at once."""
        run = self.run
        late = run.late()
        if late:
            self._skip(late)
        if run.total is not None or run.room() < self._chunk:
            return False
        if self._at >= self._end:
            return self._around()
        if self._stretcher is None:
            count = min(_CHUNK, self._end - self._at)
            self._write(self._read(self._at, self._at + count), self._at, self._at + count)
            return True
        block = self._stretcher.next()
        if block is None:
            self._at = self._end
        else:
            self._write(*block)
        return True

    def _write(self, block: Samples, from_place: int, to_place: int) -> None:
        first = self.run.written
        self.run.write(block, [Entry(first, first + len(block), from_place, to_place)])
        self._at = to_place

    def _around(self) -> bool:
        if self._loop_start is None:
            self.run.finish()
            return False
        self._at = self._loop_start
        self._stretcher = self._stretched()
        return True

    def _skip(self, count: int) -> None:
        """The device has gone past so many samples: leave them out, so that what follows is in time."""
        while count and self.run.total is None:
            if self._at >= self._end:
                self._around()
                continue
            step = min(count, _CHUNK, max(1, int((self._end - self._at) / self._speed)))
            to_place = min(self._end, self._at + max(1, round(step * self._speed)))
            self._write(np.zeros((step, self._channels), np.float32), self._at, to_place)
            count -= step
        self._stretcher = self._stretched()

    def _stretched(self) -> Stretcher | None:
        if self._speed == 1:
            return None
        return Stretcher(
            self._read,
            start=self._at,
            end=self._end,
            speed=self._speed,
            rate_hz=self.run.grid.rate_hz,
            channels=self._channels,
        )


class Feeder:
    """One thread, one device, the tracks of one sample. The newest wish counts."""

    def __init__(self, output: SoundOutput, feed: Feed) -> None:
        self._output = output
        self._feed = feed
        self._news = threading.Condition()
        self._ticket: Ticket | None = None
        self._tracks: tuple[Track, ...] = ()
        self._changed = False
        self._prepare = False
        self._closing = False
        self._dead = False
        self._lost = False
        self._playout: Playout | None = None
        self._mixer: Mixer | None = None
        self._started = False
        self._thread: threading.Thread | None = None

    @property
    def troubles(self) -> tuple[tuple[str, str], ...]:
        """(key, reason) of the tracks that cannot be heard."""
        mixer = self._mixer
        return () if mixer is None else mixer.troubles

    def set_tracks(self, tracks: Sequence[Track]) -> None:
        """Other sounds: what was open is closed."""
        self.stop()
        with self._news:
            self._tracks = tuple(tracks)
            self._changed = True
            self._news.notify()

    def prepare(self) -> None:
        """Open device and files before they are needed."""
        with self._news:
            self._prepare = True
            self._wake()

    def play(self, wish: Wish) -> Ticket:
        """Prepare this; the device goes on with what it has until it is ready."""
        ticket = Ticket(wish, self._output.now_ns())
        if not self._tracks or self._dead:
            self.stop()
            ticket.state = TicketState.SILENT
            return ticket
        with self._news:
            self._ticket = ticket
            self._wake()
        return ticket

    def stop(self) -> None:
        """Silence from the device's next call on."""
        with self._news:
            self._ticket = None
            self._feed.attach(None)
            self._news.notify()

    def give_up(self) -> None:
        """The device does not answer any more: no sound until ``try_again``."""
        self._dead = self._lost = True
        self.stop()

    def try_again(self) -> None:
        """Look for a device at the next wish, also if there was none."""
        self._dead = False

    def close(self) -> None:
        """End the thread; it lets go of device and files."""
        with self._news:
            self._closing = True
            self._feed.attach(None)
            self._news.notify()
        if self._thread is not None:
            self._thread.join()

    def wait_for(self, samples: int, timeout_s: float) -> bool:
        """Wait until the newest wish is answered and so many more samples of it, or all there are, are ready."""
        with self._news:
            return self._news.wait_for(lambda: self._ready(samples), timeout_s)

    def _ready(self, samples: int) -> bool:
        ticket, run = self._ticket, self._feed.run
        if ticket is None or ticket.state is TicketState.SILENT:
            return True
        if ticket.state is TicketState.PENDING or run is None:
            return False
        return run.total is not None or run.written >= run.taken + samples

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="playback", daemon=True)
            self._thread.start()
        self._news.notify()

    def _work(self) -> None:
        try:
            while self._next():
                pass
        finally:
            self._dead = True
            self._feed.attach(None)
            if self._ticket is not None:
                self._ticket.state = TicketState.SILENT
            self._output.stop()
            if self._mixer is not None:
                self._mixer.close()

    def _next(self) -> bool:
        """One round: take up news, or write one block, or wait."""
        with self._news:
            if self._closing:
                return False
            ticket, changed, prepare = self._ticket, self._changed, self._prepare
            self._changed = self._prepare = False
            if ticket is None:
                self._playout = None
            lost, self._lost = self._lost, False
        if lost and self._started:
            self._output.stop()
            self._started = False
        if changed and self._mixer is not None:
            self._mixer.close()
            self._mixer = None
        if prepare and self._start():
            self._opened()
        if ticket is not None and ticket.state is TicketState.PENDING:
            self._begin(ticket)
        wrote = self._playout is not None and self._playout.fill()
        with self._news:
            self._news.notify_all()
            if not wrote and not self._has_news(ticket):
                self._rest()
        return True

    def _has_news(self, ticket: Ticket | None) -> bool:
        return self._closing or self._changed or self._prepare or self._lost or self._ticket is not ticket

    def _rest(self) -> None:
        if self._playout is not None and self._playout.run.total is None:
            self._news.wait(_POLL_S)
        elif not self._started:
            self._news.wait()
        elif not self._news.wait(_RELEASE_S) and self._ticket is None:
            self._output.stop()
            self._started = False

    def _begin(self, ticket: Ticket) -> None:
        self._playout = None
        playout = self._playout_for(ticket.wish) if self._start() else None
        if playout is not None:
            while playout.run.written < _FIRST and playout.fill():
                pass
        with self._news:
            if self._ticket is not ticket:
                return
            if playout is None:
                ticket.state = TicketState.SILENT
                self._feed.attach(None)
                return
            self._playout = playout
            ticket.run = playout.run
            self._feed.attach(playout.run)
            ticket.state = TicketState.READY

    def _playout_for(self, wish: Wish) -> Playout | None:
        mixer = self._opened()
        grid = mixer.grid(wish.mixes)
        if grid is None:
            return None
        status = self._output.status
        run = Run(
            grid,
            capacity=max(4 * _CHUNK, round(_AHEAD_S * status.rate_hz)),
            channels=status.channels,
            speed=wish.speed,
            end_ns=wish.end_ns,
        )
        return Playout(run, mixer.reader_of(grid, wish.mixes), wish, channels=status.channels)

    def _start(self) -> bool:
        if not self._started:
            self._started = self._output.start(self._feed)
            self._dead = self._dead or not self._started
        return self._started

    def _opened(self) -> Mixer:
        if self._mixer is None:
            status = self._output.status
            self._mixer = Mixer(self._tracks, rate_hz=status.rate_hz, channels=status.channels)
        return self._mixer
