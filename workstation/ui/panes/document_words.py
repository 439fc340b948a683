"""Words of a page in the hand: a drag takes them in reading order, Ctrl adds a part, Alt takes characters.

Used by the page view while the tool that selects is held; it knows tokens and parts, and no Qt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from workstation.app.page_words import PageWords, Parts, item_of
from workstation.core.geometry import ShapeKind, TextSpan
from workstation.core.selection import toggle
from workstation.core.text_edits import united
from workstation.ui.tools.canvas import Modifier, PointerEvent

if TYPE_CHECKING:
    from workstation.ui.panes.document_view import PageView

_CLICK_PX = 3.0


class WordHand:
    """What is taken on the painted page."""

    def __init__(self, page: PageView) -> None:
        self._page = page
        self.taken: Parts = ()
        self._kept: Parts = ()
        self._start: PointerEvent | None = None
        self._moved = False
        self._caret: int | None = None
        self._tail: int | None = None
        self._asked: Callable[[str], None] | None = None

    @property
    def _words(self) -> PageWords | None:
        return self._page.words

    @property
    def busy(self) -> bool:
        return self._start is not None

    def press(self, event: PointerEvent) -> None:
        self._start, self._moved = event, False
        self._kept = self.taken if Modifier.CTRL in event.modifiers else ()

    def move(self, event: PointerEvent) -> None:
        start, words = self._start, self._words
        if start is None or words is None:
            return
        reach = max(abs(event.x - start.x), abs(event.y - start.y)) * event.scale
        if not self._moved and reach < _CLICK_PX:
            return
        self._moved = True
        if Modifier.ALT in event.modifiers | start.modifiers:
            ends = words.offset_at(start.x, start.y), words.offset_at(event.x, event.y)
            piece = None if None in ends else tuple(sorted(each for each in ends if each is not None))
        else:
            first, last = words.nearest(start.x, start.y), words.nearest(event.x, event.y)
            piece = None if first is None or last is None else words.between(first, last)
        if piece is not None:
            self.take(united((*self._kept, (piece[0], piece[1]))))

    def release(self, event: PointerEvent) -> None:
        start, self._start = self._start, None
        if start is None:
            return
        adds = Modifier.CTRL in start.modifiers
        if self._moved and adds and not self._kept and self._selected_span() is not None:
            self.add_to_selected()
        elif self._moved:
            self.offer(at_once=not adds)
        else:
            self._click(event)

    def cancel(self) -> None:
        """``Esc``, another page, another tool."""
        self._start = None
        self.take(())

    def take(self, parts: Parts) -> None:
        """These code points are taken, and no span yet."""
        self.taken = parts
        self._page.update()

    def _click(self, event: PointerEvent) -> None:
        bench, words = self._page.bench, self._words
        if bench is None:
            return
        self.take(())
        bench.hand.forget_drawn()
        number = None if words is None else words.at(event.x, event.y)
        self._caret = self._tail = number
        over = [] if number is None or words is None else self._page.spans_over(words.tokens[number].start)
        if Modifier.CTRL in event.modifiers and over:
            bench.select([over[0]], cause="document", mode=toggle)
            return
        now = next((at for at, each in enumerate(over) if each in bench.selected), None)
        bench.select([over[0 if now is None else (now + 1) % len(over)]] if over else [], cause="document")

    def step(self, by: int, *, extend: bool) -> None:
        """Go from word to word; ``extend`` takes them."""
        words = self._words
        if words is None or not words.tokens:
            return
        at = self._caret
        if at is None:
            at = 0 if by > 0 else len(words.tokens) - 1
        elif not extend or self.taken:
            at = min(max(at + by, 0), len(words.tokens) - 1)
        self._caret = at
        if not extend:
            self._tail = at
            self.take(())
            if self._asked is not None and self._page.bench is not None:
                self._page.bench.hand.forget_drawn()
            self._page.bring_into_view(at)
            return
        self._tail = at if self._tail is None or not self.taken else self._tail
        self.take((words.between(self._tail, at),))
        self._page.bring_into_view(at)
        self.offer(at_once=False)

    def take_all(self) -> None:
        """Every word of the page."""
        words = self._words
        if words is not None and words.tokens:
            self.take(((words.tokens[0].start, words.tokens[-1].stop),))
            self.offer(at_once=False)

    @property
    def caret(self) -> int | None:
        """The word the keys are at."""
        words = self._words
        return (
            self._caret if words is not None and self._caret is not None and self._caret < len(words.tokens) else None
        )

    def offer(self, *, at_once: bool) -> None:
        """Make a span of what is taken with the class in the hand, or ask for one."""
        bench, view, stream, words = self._page.bench, self._page.view, self._page.stream, self._words
        parts, page = self.taken, self._page.page
        if bench is None or view is None or stream is None or words is None or not parts or bench.session.read_only:
            return

        def fits(class_id: str) -> bool:
            return view.may_be_drawn(class_id, stream.id, frozenset((ShapeKind.TEXT_SPAN,)))

        def make(class_id: str) -> None:
            self._asked = None
            shape = {"kind": "text_span", "parts": parts, "quote": words.quote(parts)}
            made = bench.run("annotation.add", stream=stream.id, class_id=class_id, shape=shape, item=item_of(page))
            self.take(())
            if made is not None:
                bench.select([made], cause="document")

        bench.focus_on(stream.id)
        chosen = bench.hand.class_id
        if at_once and chosen is not None and fits(chosen):
            make(chosen)
            return
        first = self._asked is None
        self._asked = make
        bench.hand.ask_class(make, fits=fits)
        if first or at_once:
            bench.tell("Which class? Press its key, or 0 to search.")

    def asked_in_vain(self) -> None:
        """The question was answered, given up, or another shape took its place."""
        bench = self._page.bench
        if self._asked is not None and (bench is None or not bench.hand.waits_for(self._asked)):
            self._asked = None
            self.take(())

    def _selected_span(self) -> tuple[str, TextSpan] | None:
        """The selected span of the painted page."""
        bench, view, stream = self._page.bench, self._page.view, self._page.stream
        if bench is None or view is None or stream is None:
            return None
        for each in bench.selected:
            record = view.annotations.get(each)
            here = record is not None and (record.stream, record.item) == (stream.id, item_of(self._page.page))
            if here and record is not None and isinstance(record.shape, TextSpan):
                return each, record.shape
        return None

    def add_to_selected(self) -> None:
        """What is taken becomes a part of the selected span; without one it is kept, for the next part."""
        bench, words, found = self._page.bench, self._words, self._selected_span()
        if bench is None or words is None:
            return
        if found is None:
            self._kept = self.taken
            bench.tell("Kept. Hold Ctrl and drag over the next part, then press the key of its class.")
            return
        record_id, shape = found
        parts = united((*shape.parts, *self.taken))
        given = {"kind": "text_span", "parts": parts, "quote": words.quote(parts)}
        bench.run("annotation.set_shape", annotation=record_id, shape=given)
        bench.hand.forget_drawn()
        self.take(())
