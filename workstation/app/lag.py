"""How far what is painted lies behind the clock while it plays, and how many pictures were left out.

Panes follow the clock or drop, and the clock never waits for them: this says by how much. Paint events tell what is on
the screen, which is all that counts: neither what was asked for nor what was decoded. Fed by panes and their views
(``ui/panes/base.py``), read by headers. Times are session time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from workstation.core.tolerances import NOTICED_MS

if TYPE_CHECKING:  # the window opens without NumPy
    from workstation.app.viewport import Viewport

TOLERANCE_NS = round(NOTICED_MS * 1e6)
"""Nobody notices less; at twice the speed twice as much."""
_SAID_NS = 500_000_000
"""What is said is the worst of so long, so that it can be read."""


class Lag:
    """Of one picture on the screen. Says nothing until something of it was painted."""

    def __init__(self, *, tolerance_ns: int = TOLERANCE_NS, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self.tolerance_ns = tolerance_ns
        self.behind_ns = 0
        """The worst of the last half second, if it was above the tolerance."""
        self.dropped = 0
        """Pictures that the clock passed without their being painted, since it began to play."""
        self._now_ns = now_ns
        self._right: tuple[int, int] | None = None
        """The times at which what is painted is what should be."""
        self._old: tuple[int, int] | None = None
        """What was painted when the clock jumped: the same again is no news."""
        self._number: int | None = None
        self._worst_ns = 0
        self._since_ns = 0
        self._playing = False

    @property
    def text(self) -> str:
        """For a header; empty while nothing is noticed."""
        said = f"lag {self.behind_ns / 1e6:.0f} ms" if self.behind_ns else ""
        return " · ".join(filter(None, (said, f"{self.dropped} dropped" if self.dropped else "")))

    def begin(self, time_ns: int) -> None:
        """The clock plays on from here, or jumped: what is behind counts from now."""
        self._playing = True
        if self._right is not None and not self._right[0] <= time_ns <= self._right[1]:
            self._old, self._right = self._right, (time_ns, time_ns)
            self._number = None
        self._worst_ns, self._since_ns = 0, self._now_ns()

    def end(self) -> None:
        """The clock stands: nothing is behind, and the next play counts anew."""
        self._playing = False
        self.behind_ns = self.dropped = self._worst_ns = 0

    def nothing(self) -> None:
        """Nothing is shown, and rightly."""
        self._right = self._old = self._number = None

    def painted(self, start_ns: int, end_ns: int, number: int | None = None) -> None:
        """A paint event is done: what it painted is right from ``start_ns`` until before ``end_ns``.

        ``number`` is the place of a picture in its stream: numbers jumped over were dropped.
        """
        shown = (start_ns, end_ns)
        if shown == self._old:
            return
        self._right, self._old = shown, None
        if number is not None and self._number is not None and self._playing:
            self.dropped += max(0, abs(number - self._number) - 1)
        self._number = number

    def painted_playhead(self, view: Viewport, time_ns: int) -> None:
        """A paint event is done that drew the playhead of this time: right as long as it is on the same pixel."""
        x = round(view.x_of(time_ns))
        if 0 <= x <= view.width_px:
            self.painted(view.ns_at(x - 0.5), view.ns_at(x + 0.5))
        else:
            self.nothing()

    def reached(self, time_ns: int, speed: Fraction) -> bool:
        """The clock is there; whether something else is to be said now."""
        if self._right is None:
            return False
        start_ns, end_ns = self._right
        self._worst_ns = max(self._worst_ns, time_ns - end_ns, start_ns - time_ns)
        now_ns = self._now_ns()
        if now_ns - self._since_ns < _SAID_NS:
            return False
        noticed = self._worst_ns > self.tolerance_ns * max(Fraction(1), abs(speed))
        self.behind_ns = self._worst_ns if noticed else 0
        self._worst_ns, self._since_ns = 0, now_ns
        return True
