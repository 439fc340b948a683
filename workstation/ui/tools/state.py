"""What the hand holds: the tool, the class the next shape gets, and what is hidden or locked. One for all panes.

Owned by the workbench. Panes read it when a gesture starts; the tool bar, class keys and lanes change it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

from workstation.core.signal import Signal
from workstation.core.values import dataclass

SELECT = "select"
"""The tool that picks and edits what is there; every other tool is named by the shape it makes, as ``box``."""


BURST_S = 0.5
"""Nudges that follow each other within this are one run, and one undo step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How tools draw: what a person switches once and then relies on."""

    brush_px: float = 24.0
    """Width of brush and eraser in picture pixels."""
    brush_square: bool = False
    snap: bool = False
    """Draw new outlines to the corners and edges of what stands beside."""
    take_pixels: bool = False
    """Painting over another instance takes its pixels; else they stay its own."""


class Bursts:
    """Runs of small edits: what follows the same thing soon enough joins its undo step."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._numbers = count(1)
        self._last: Hashable = None
        self._at = 0.0
        self._group = ""

    def group(self, what: Hashable) -> str:
        """The undo group for an edit of ``what`` now."""
        now = self._now()
        if what != self._last or now - self._at > BURST_S:
            self._group = f"burst-{id(self):x}-{time.time_ns():x}-{next(self._numbers)}"
        self._last, self._at = what, now
        return self._group


class Hand:
    """The tool that stays until another is taken, and the class of the next shape."""

    def __init__(self) -> None:
        self.ways = Ways()
        self.bursts = Bursts()
        """The run of nudges that goes on."""
        self.changed: Signal[Hand] = Signal("hand_changed")
        self._tool = SELECT
        self._class_id: str | None = None
        self._drawn: Callable[[str], None] | None = None
        self._fits: Callable[[str], bool] | None = None
        self._likely: str | None = None
        self._again: Callable[[], None] | None = None
        """How the shape that waits is asked for once more, after it was given up by undo."""
        self._given_up: Callable[[], None] | None = None

    @property
    def tool(self) -> str:
        return self._tool

    @property
    def class_id(self) -> str | None:
        """Class of the next shape; ``None``: it is asked for after drawing."""
        return self._class_id

    def take(self, tool: str) -> None:
        """Hold another tool."""
        if tool != self._tool:
            self._tool = tool
            self.changed.emit(self)

    def set_class(self, class_id: str | None) -> None:
        """The next shape gets this class."""
        if class_id != self._class_id:
            self._class_id = class_id
            self.changed.emit(self)

    def set_ways(self, **changes: Any) -> None:
        """Draw another way from now on."""
        ways = replace(self.ways, **changes)
        if ways != self.ways:
            self.ways = ways
            self.changed.emit(self)

    @property
    def waiting(self) -> bool:
        """Whether a shape was drawn and its class is still to be said."""
        return self._drawn is not None

    @property
    def likely(self) -> str | None:
        """The class that Enter gives the shape that waits; ``None``: it has to be said."""
        return None if self._drawn is None else self._likely

    def waits_for(self, drawn: Callable[[str], None]) -> bool:
        """Whether it is this shape that waits."""
        return self._drawn is drawn

    def fits(self, class_id: str) -> bool:
        """Whether the shape that waits may be of that class; true for all while none waits or nobody said."""
        return self._drawn is None or self._fits is None or self._fits(class_id)

    def ask_class(
        self, drawn: Callable[[str], None], *, fits: Callable[[str], bool] | None = None, likely: str | None = None,
        again: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """A shape was drawn without a class: ``drawn`` makes it once the class is known. The next shape replaces it.

        ``fits`` says which classes may be so drawn there, for those who offer them; ``likely`` is what Enter takes.
        ``again`` shows it and asks once more, where there is more to show than that it waits.
        """
        self._drawn, self._fits, self._likely = drawn, fits, likely
        self._again = again or partial(self.ask_class, drawn, fits=fits, likely=likely)
        self._given_up = None
        self.changed.emit(self)

    def forget_drawn(self) -> None:
        """The shape that waits for a class is given up."""
        self._given_up = None
        if self._drawn is not None:
            self._drawn = None
            self.changed.emit(self)

    def give_up_drawn(self) -> None:
        """Undo: the shape that waits is given up, until something else is done."""
        again = self._again
        self.forget_drawn()
        self._given_up = again

    def draw_again(self) -> bool:
        """Redo: what undo gave up waits for its class once more; whether there was something."""
        again, self._given_up = self._given_up, None
        if again is None:
            return False
        again()
        return True

    def forget_given_up(self) -> None:
        """Something else was done: redo is about that."""
        self._given_up = None

    def say_class(self, class_id: str) -> bool:
        """The class of the shape that waits; whether there was one."""
        drawn, self._drawn, self._given_up = self._drawn, None, None
        if drawn is None:
            return False
        drawn(class_id)
        self.changed.emit(self)
        return True


class Sight:
    """What is hidden, shown alone or locked: classes, tracks (annotation or entity ids) and lanes (stream ids)."""

    def __init__(self) -> None:
        self.changed: Signal[Sight] = Signal("sight_changed")
        self._hidden: frozenset[str] = frozenset()
        self._solo: frozenset[str] = frozenset()
        self._locked: frozenset[str] = frozenset()
        self._kept: frozenset[str] = frozenset()

    def visible(self, keys: Iterable[str | None]) -> bool:
        """Whether something known under these keys (its class, entity, stream and own id) is to be drawn."""
        if not (self._hidden or self._kept or self._solo):
            return True  # asked of every label at every step
        known = {key for key in keys if key is not None}
        return not known & self._hidden and not known & self._kept and (not self._solo or bool(known & self._solo))

    @property
    def kept(self) -> frozenset[str]:
        """Ids of proposals that stay out of sight: too doubtful, or on a stream that is labelled without them."""
        return self._kept

    def locked(self, keys: Iterable[str | None]) -> bool:
        """Whether gestures leave it alone."""
        return any(key in self._locked for key in keys)

    def is_hidden(self, key: str) -> bool:
        return key in self._hidden

    def is_solo(self, key: str) -> bool:
        return key in self._solo

    def is_locked(self, key: str) -> bool:
        return key in self._locked

    def toggle_hidden(self, key: str) -> None:
        self._hidden ^= {key}
        self.changed.emit(self)

    def toggle_solo(self, key: str) -> None:
        self._solo ^= {key}
        self.changed.emit(self)

    def toggle_locked(self, key: str) -> None:
        self._locked ^= {key}
        self.changed.emit(self)

    def keep_from_sight(self, ids: frozenset[str]) -> None:
        """These are not drawn whatever is shown: proposals that are too doubtful, or that nobody is to see."""
        if ids != self._kept:
            self._kept = ids
            self.changed.emit(self)

    def show_all(self) -> None:
        """Nothing hidden, nothing alone; locks stay."""
        self._hidden = self._solo = frozenset()
        self.changed.emit(self)
